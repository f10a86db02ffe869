"""Key-value retrieval: the value of one key in a JSON object of nothing but random pairs.

Measures exact lookup where everything looks alike: no wording, no meaning, only the key tells the pairs apart. The gold pair stands
at the cell's depth. Source: Lost in the Middle (arXiv:2307.03172, nelson-liu/lost-in-the-middle), its second task.

The original counts pairs instead of tokens, draws them without a seed, and rewards naming many values. Here the length is in tokens
of the model, everything hangs on the seed, and the strict score pays for precision. All samples of a seed read one stream of pairs,
each from another place on; the asked pairs come from a pool of their own, so that no key or value of theirs is in the stream. The
context is valid JSON at every length: the pair that closes it is one like the others, drawn per sample, and never asked for (the
original may ask for its last one).

Cells of an index share the pairs before the shallower of their gold pairs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, Self

import numpy as np
from pydantic import Field

from lceval.errors import CorpusError
from lceval.keys import digest, generator
from lceval.tasks import needles
from lceval.tasks.family import Family, FamilyParams, listed, sample_start
from lceval.tasks.scoring import set_f1, too_long
from lceval.types import Draft, Needle, Question, Score

VERSION = 1
"""Raised whenever the pairs of any seed change."""

BLOCK_PAIRS = 400
"""About 32,768 characters of uuids."""

PairType = Literal["uuids", "words"]

_TOKENS = {"words": 12, "uuids": 48}
_QUESTION = re.compile(r'What is the value of the key "([^"\n]+)"\?')


@dataclass(frozen=True)
class Pairs:
    """Lines of a JSON object, all keys and all values distinct, and none that a sample could have."""

    key_type: PairType
    value_type: PairType
    seed: int
    name = "kv"
    endless = True

    @classmethod
    def of(cls, text: str) -> Self:
        """From `key_type:value_type:seed`."""
        key_type, value_type, seed = text.split(":")
        return cls(key_type, value_type, int(seed))  # type: ignore[arg-type]

    @property
    def digest(self) -> str:  # noqa: D102
        return digest("kv", VERSION, needles.VERSION, BLOCK_PAIRS, self.key_type, self.value_type, self.seed)

    def blocks(self) -> Iterator[list[str]]:  # noqa: D102
        keys = needles.draw(self.key_type, generator("kv", "keys", self.seed), "haystack")
        values = needles.draw(self.value_type, generator("kv", "values", self.seed), "haystack")
        items = (f"{_pair(key, value)}\n" for key, value in zip(keys, values, strict=False))
        while block := list(islice(items, BLOCK_PAIRS)):
            yield block
        raise CorpusError(
            f"the pairs of 'kv' have used up every distinct {self.key_type} key or {self.value_type} value; for contexts this long "
            "use -T key_type=uuids -T value_type=uuids."
        )


class KvParams(FamilyParams):
    """The parameters of `kv`."""

    questions: int = Field(1, ge=1, le=16, description="questions about one context; their pairs stand side by side")
    query_aware: bool = Field(False, description="name the keys before the data as well")
    key_type: PairType = Field("uuids", description="what keys look like: uuids, or words such as amber-falcon")
    value_type: PairType = Field("uuids", description="what values look like: uuids or words")


class Kv(Family[KvParams]):
    """The task family `kv`."""

    family = "kv"
    version = 1
    Params = KvParams

    @property
    def chance(self) -> float:
        """A made-up value is right once in about 161,000 (words) or never (uuids)."""
        return 0.0

    @property
    def floors(self) -> str:  # noqa: D102
        return (
            "a made-up answer scores 0; a value of the object picked blindly 1 / pairs (uuids: about 2 % at 4k, 0.06 % at 128k); "
            "printing the context official 1, strict 0"
        )

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:  # noqa: D102
        p = self.params
        assert depth is not None
        rng = self.rng(p.key_type, p.value_type, p.questions, seed, index)
        count = p.questions + 1
        keys = needles.take(p.key_type, count, rng)
        values = [v for v in needles.take(p.value_type, 2 * count, rng) if v not in keys][:count]
        *asked, last = zip(keys, values, strict=True)
        many = "s" if p.questions > 1 else ""
        names = listed([f'"{key}"' for key, _ in asked])
        aware = f" You will be asked for the value{many} of the key{many} {names}." if p.query_aware else ""
        return Draft(
            instruction=(
                "The JSON object below has a value for every key. Find the value of the key that is asked for after it."
                f"{aware}\n\nJSON:\n{{"
            ),
            haystack=f"kv:{p.key_type}:{p.value_type}:{seed}",
            start=sample_start(seed, index),
            needles=tuple(Needle(_pair(*pair), depth) for pair in asked),
            closing=f"{_pair(*last).removesuffix(',')}\n}}",
            questions=tuple(
                self.ask(
                    f'What is the value of the key "{key}"? Answer with the value only.',
                    [value],
                    prefix=f'The value of "{key}" is',
                    budget=24 + _TOKENS[p.key_type] + _TOKENS[p.value_type],  # a full sentence names the key as well
                    support=[i] if p.questions > 1 else (),
                )
                for i, (key, value) in enumerate(asked)
            ),
        )

    def score(self, question: Question, text: str) -> Score:
        """Official: 1 if the gold value is found in the output, ignoring case (nelson-liu/lost-in-the-middle, key-value retrieval).

        Strict: F1 of the values named against the gold one; what the question says is not counted. 0 for an output of more words
        than the answer's token budget. `wrong_value`: whether any value but the gold one was named.
        """
        (gold,) = question.answers
        kind = self.params.value_type
        said = needles.named(text, kind) - needles.named(question.text, kind)
        return Score(
            official=float(gold.lower() in text.lower()),
            strict=0.0 if too_long(text, question.max_new_tokens) else set_f1(said, {gold}),
            details={"wrong_value": float(bool(said - {gold}))},
        )

    def solve(self, text: str) -> str:
        """Read the last question, look its key up among the lines."""
        keys = _QUESTION.findall(text)
        found = re.search(rf'^"{re.escape(keys[-1])}": "([^"\n]+)",?$', text, re.MULTILINE) if keys else None
        return found[1] if found else ""

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """A made-up value."""
        return needles.take(self.params.value_type, 1, rng)[0]


def _pair(key: str, value: str) -> str:
    return f'"{key}": "{value}",'
