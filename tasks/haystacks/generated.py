"""Haystacks that we write ourselves: endless, and the same for the same name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from lceval.errors import CorpusError
from lceval.keys import digest, generator
from lceval.tasks import needles
from lceval.tasks.haystacks import prose

BLOCK_CHARS = 1 << 15

NOISE = (
    "The kettle is warm. The window is open. A cart goes by in the lane. "
    "The clock says nothing new. It is much the same as before. "
)
"""One block of the `noise` haystack."""


def _blocks(parts: Iterable[str]) -> Iterator[str]:
    block: list[str] = []
    size = 0
    for part in parts:
        block.append(part)
        size += len(part)
        if size >= BLOCK_CHARS:
            yield "".join(block)
            block, size = [], 0
    if block:
        yield "".join(block)


@dataclass(frozen=True)
class Prose:
    """Fictional English prose; every seed has its own names, places and stories."""

    seed: int
    endless = True

    @property
    def name(self) -> str:  # noqa: D102
        return "prose"

    @property
    def digest(self) -> str:  # noqa: D102
        return digest("prose", prose.VERSION, BLOCK_CHARS, self.seed)

    def blocks(self) -> Iterator[str]:  # noqa: D102
        return _blocks(f"{paragraph}\n\n" for paragraph in prose.paragraphs(self.seed))


@dataclass(frozen=True)
class Noise:
    """A block of five short sentences, repeated (the kind of filler that RULER calls noise; the sentences are ours)."""

    name = "noise"
    endless = True

    @property
    def digest(self) -> str:  # noqa: D102
        return digest("noise", NOISE, BLOCK_CHARS)

    def blocks(self) -> Iterator[str]:  # noqa: D102
        line = (NOISE * 8).strip() + "\n"
        while True:
            yield line * (BLOCK_CHARS // len(line) + 1)


@dataclass(frozen=True)
class Needles:
    """Distractor needles of the sample's own kind; all keys and all values distinct, and none that a sample could have."""

    key_type: needles.NeedleType
    value_type: needles.NeedleType
    several: bool
    seed: int
    endless = True

    @classmethod
    def of(cls, text: str) -> Self:
        """From `key_type:value_type:one|many:seed`."""
        key_type, value_type, count, seed = text.split(":")
        return cls(key_type, value_type, count == "many", int(seed))  # type: ignore[arg-type]

    @property
    def name(self) -> str:  # noqa: D102
        return "needles"

    @property
    def digest(self) -> str:  # noqa: D102
        example = needles.sentence("key", "value", self.value_type, several=self.several)
        return digest("needles", needles.VERSION, BLOCK_CHARS, example, self.key_type, self.value_type, self.seed)

    def blocks(self) -> Iterator[str]:  # noqa: D102
        keys = needles.draw(self.key_type, generator("needles", "keys", self.seed), "haystack")
        values = needles.draw(self.value_type, generator("needles", "values", self.seed), "haystack")
        facts = zip(keys, values, strict=False)
        lines = (
            " ".join(needles.sentence(*fact, self.value_type, several=self.several) for fact in line) + "\n"
            for line in _by(16, facts)
        )
        yield from _blocks(lines)
        raise CorpusError(
            f"haystack 'needles' has used up every distinct {self.key_type} key or {self.value_type} value; for contexts this "
            "long use -T needle_type=uuids:uuids."
        )


def _by(count: int, facts: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    line = []
    for fact in facts:
        line.append(fact)
        if len(line) == count:
            yield line
            line = []
