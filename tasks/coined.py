"""Coined words: the vocabulary of the counting tasks (`cwe`, `fwe`).

131,072 pronounceable words of six letters, such as `ikodap`. They have one length, so none is part of another; vowels and
consonants take turns, from a vowel to one of b, d, f, g, k, p, v, z, as in hardly any English word; and this shape tells them
apart from all else that an answer says.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lceval.keys import below, digest, generator, permutation

VERSION = 1
"""Raised whenever the words or their order change."""

_LETTERS = ("aiou", "bdfghjklmprstvwz", "aiou", "bdfghjklmnprstvz", "aiou", "bdfgkpvz")
_WORD = re.compile(rf"(?<![a-z]){''.join(f'[{letters}]' for letters in _LETTERS)}(?![a-z])", re.IGNORECASE)

COUNT = math.prod(map(len, _LETTERS))
"""How many coined words there are: 2 ** 17."""

NOISE = "..."
"""Comes after them in the vocabulary: a word that means nothing, at the index `COUNT`."""


@dataclass(frozen=True)
class Coined:
    """All coined words in a fixed random order, and `NOISE`."""

    name = "coined"

    @classmethod
    def of(cls, text: str) -> Self:
        """From nothing: there is only one."""
        assert not text
        return cls()

    @property
    def digest(self) -> str:  # noqa: D102
        return digest(self.name, VERSION, _LETTERS, NOISE)

    @property
    def words(self) -> Sequence[str]:  # noqa: D102
        return _words()


@cache
def _words() -> tuple[str, ...]:
    made = ["".join(letters) for letters in product(*_LETTERS)]
    return (*(made[i] for i in permutation(generator("coined", VERSION), COUNT).tolist()), NOISE)


@dataclass(frozen=True)
class Selection:
    """Distinct coined words in an order of their own, any number of them in no time.

    The word i of it is the word `factor · i + offset` (mod `COUNT`) of the vocabulary, which for odd factors is a permutation.
    """

    factor: int
    offset: int

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """One of the 2 ** 33 selections."""
        return cls(below(rng, COUNT) | 1, below(rng, COUNT))

    def first(self, count: int) -> NDArray[np.int64]:
        """[count] indices into the vocabulary."""
        assert count <= COUNT
        return (self.factor * np.arange(count, dtype=np.int64) + self.offset) % COUNT

    def words(self, start: int, stop: int) -> list[str]:
        """The words [start, stop) themselves."""
        return [_words()[i] for i in self.first(stop)[start:].tolist()]


def coined_in(text: str) -> list[str]:
    """The coined words in a text, in order and with repetitions, lower-case."""
    return [word.lower() for word in _WORD.findall(text)]
