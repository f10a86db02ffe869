"""Common words: name the ten most frequent words of a long list.

Measures aggregation over the whole context: no single place holds the answer. Source: RULER (arXiv:2404.06654, NVIDIA/RULER), its
task `cwe`: ten words occur 30 times each, all others 3 times; in short contexts 6 times and once.

The original shuffles by one fixed seed, so that the common words of all samples stand at the same places; short words of its
English list are found inside longer ones; and naming every word scores 1. Here every sample is shuffled anew at every length, all
words are coined and of one length (`lceval.tasks.coined`), and wrong words cost. Its list is numbered and has a worked example
before it; ours is words separated by spaces, without an example.

Short contexts: from 900 words up (about 3,000 tokens) common words occur 30 times and others 3 times, from 120 words up 6 times
and once, below that 3 times and once. A cell of 512 tokens holds 50 to 110 words, of which 30 are the ten common ones. A sample's
ten common words are the same at every length.

Cells of an index share the instruction only: words are shuffled anew for every length.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from lceval.keys import generator, permutation
from lceval.tasks.coined import COUNT, Selection, coined_in
from lceval.tasks.family import Family, FamilyParams
from lceval.tasks.scoring import ruler_all, set_f1, too_long
from lceval.types import Arrangement, Draft, Question, Score

_TOKENS_PER_WORD = 7
_QUESTION = re.compile(r"What are the (\d+) most common words in the list\?")


@dataclass(frozen=True)
class CommonWords:
    """A list in which some words are common; its size is the number of words, repetitions counted."""

    selection: Selection
    """The common words, then the others."""
    shuffle: tuple[object, ...]
    common: int
    common_times: int
    other_times: int

    @property
    def least(self) -> int:
        """As many others as common words."""
        return self.common * (self._times(0)[0] + 1)

    def _times(self, size: int) -> tuple[int, int]:
        """How often a common word occurs in a list of this size, and how often, at most, another."""
        times, other = self.common_times, self.other_times
        if size < 3 * self.common * times:
            times, other = max(times // 5, 2), 1
        if size < 2 * self.common * times:
            times = max(times // 2, 2)
        rounds = -(-size // (self.common * times + (COUNT - self.common) * other)) or 1  # more than one when words run out
        return rounds * times, rounds * other

    def tally(self, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The common words first. What does not divide by the others' times is spread: some of them occur once less."""
        times, most = self._times(size)
        rest = size - self.common * times
        others = -(-rest // most)
        counts = np.full(self.common + others, rest // others, dtype=np.int64)
        counts[self.common :][: rest % others] += 1
        counts[: self.common] = times
        return self.selection.first(len(counts)), counts

    def arrange(self, size: int) -> Arrangement:
        """Shuffled by sample and size."""
        words = np.repeat(*self.tally(size))
        return Arrangement(words[permutation(generator(*self.shuffle, size), len(words))])


class CweParams(FamilyParams):
    """The parameters of `cwe`."""

    common: int = Field(10, ge=2, le=100, description="how many words are common")
    common_times: int = Field(
        30, ge=2, le=1000, description="how often each of them occurs; a fifth or a tenth of that in short contexts"
    )
    other_times: int = Field(3, ge=1, le=100, description="how often every other word occurs; once in short contexts")

    @model_validator(mode="after")
    def _fits_together(self) -> CweParams:
        if self.other_times >= self.common_times:
            raise ValueError(
                f"other_times={self.other_times} makes the other words no rarer than the common ones; "
                f"lower it below common_times={self.common_times}"
            )
        return self


class Cwe(Family[CweParams]):
    """The task family `cwe`."""

    family = "cwe"
    version = 1
    Params = CweParams

    @property
    def depth_is_free(self) -> bool:  # noqa: D102
        return False

    @property
    def chance(self) -> float:
        """Next to nothing: common / 131,072.

        `common` made-up words, each gold with that probability, and as many named as are gold: F1 is hits / common.
        """
        return self.params.common / COUNT

    @property
    def floors(self) -> str:  # noqa: D102
        common = self.params.common
        blind = f"made-up words score 0; {common} of the words seen, picked blindly, {common} / distinct words"
        if {name for name, value in CweParams() if value != getattr(self.params, name)} <= FamilyParams.model_fields.keys():
            blind += (
                " (0.13 at 512 tokens, 0.03 at 4k, 0.001 at 128k); the last ones of the list 0.33, 0.23, 0.01; a count of the last "
                "2k tokens alone 1 at 4k, 0.3 at 32k, 0.1 at 128k"
            )
        return f"{blind}; printing the list official 1, strict 0"

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:  # noqa: D102
        p = self.params
        selection = Selection.draw(self.rng(seed, index))
        return Draft(
            instruction=(
                "Below is a list of made-up words. A few of them are common: they occur more often than all others. "
                "Count how often each word occurs.\n\nList:"
            ),
            haystack="coined",
            arranger=CommonWords(
                selection, (self.family, self.version, "order", seed, index), p.common, p.common_times, p.other_times
            ),
            questions=(
                self.ask(
                    f"What are the {p.common} most common words in the list? Answer with the words only, separated by commas.",
                    selection.words(0, p.common),
                    prefix=f"The {p.common} most common words in the list are",
                    budget=24 + _TOKENS_PER_WORD * p.common,
                    stop=("\n\n",),
                ),
            ),
        )

    def score(self, question: Question, text: str) -> Score:
        """Official: fraction of the gold strings found in the output, ignoring case (NVIDIA/RULER, `string_match_all`).

        Strict: F1 of the coined words named against the gold ones, 0 for an output of more words than the answer's token budget.
        `exact`: all of them and no other.
        """
        strict = 0.0 if too_long(text, question.max_new_tokens) else set_f1(coined_in(text), question.answers)
        return Score(official=ruler_all(text, question.answers), strict=strict, details={"exact": float(strict == 1)})

    def solve(self, text: str) -> str:
        """Count the words; of a part of the list, those that are most common there."""
        asked = _QUESTION.findall(text)
        return ", ".join(word for word, _ in Counter(coined_in(text)).most_common(int(asked[-1]))) if asked else ""

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """Made-up words."""
        return ", ".join(Selection.draw(rng).words(0, self.params.common))
