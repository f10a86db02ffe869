"""The work of a run: what is read, one prompt after the other or with every shared prefix once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lceval.tree import usable
from lceval.types import Prompt


@dataclass(frozen=True, slots=True)
class Work:
    """What is read: spans a..b of prompts, each behind a prefix of a tokens that is there already."""

    tokens: int = 0
    """Σ (b - a): what linear layers cost."""
    squares: int = 0
    """Σ (b² - a²): what attention costs."""

    def __add__(self, other: Work) -> Work:
        return Work(self.tokens + other.tokens, self.squares + other.squares)

    def __mul__(self, factor: float) -> Work:
        return Work(round(self.tokens * factor), round(self.squares * factor))


@dataclass(frozen=True, slots=True)
class Load:
    """The work of a run."""

    prompts: int
    one_by_one: Work
    """Every prompt from nothing."""
    shared: Work
    """Every shared prefix once."""
    answers: int
    """New tokens, if every answer is as long as the right one."""
    how: str
    """How it was found out, in words."""

    def __add__(self, other: Load) -> Load:
        return Load(
            self.prompts + other.prompts,
            self.one_by_one + other.one_by_one,
            self.shared + other.shared,
            self.answers + other.answers,
            self.how,
        )


def work_of(spans: Iterable[tuple[int, int]]) -> Work:
    """Of spans [a, b)."""
    found = list(spans)
    return Work(sum(b - a for a, b in found), sum(b * b - a * a for a, b in found))


def counted(walk: Sequence[Prompt], prompts: int) -> Load:
    """The load of composed prompts.

    Args:
        walk: the prompts of one group, in walk order.
        prompts: how many there are of their kind; the others are as these.
    """
    starts = [0, *(usable(a, b) for a, b in pairwise(walk))]
    part = prompts / len(walk)
    return Load(
        prompts,
        work_of((0, len(prompt.ids)) for prompt in walk) * part,
        work_of((start, len(prompt.ids)) for start, prompt in zip(starts, walk, strict=True)) * part,
        round(sum(len(prompt.gold) + 1 if len(prompt.gold) else prompt.reserved for prompt in walk) * part),
        f"counted from {len(walk)} of {prompts} prompts" if len(walk) < prompts else "counted",
    )
