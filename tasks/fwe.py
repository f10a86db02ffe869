"""Frequent words: name the three most frequent words of a coded text whose frequencies follow a Zipf law.

Measures aggregation over the whole context where frequencies fall off smoothly, as in language. Source: RULER (arXiv:2404.06654,
NVIDIA/RULER), its task `fwe`: the word of rank k occurs N · k^-alpha / zeta(alpha) times; rank 1 is the noise `...`, ranks 2 to 4
are asked.

The original leaves up to 3 % of the prompt empty, shuffles by one fixed seed (the same pattern in every sample), and draws another
vocabulary for every length. Here the law's tail of rarer words, once each, fills the prompt, every sample is shuffled anew at
every length, and asks for the same words at all of them. In the shortest contexts, where the law would give two ranks one count,
the upper one occurs a little more often and the noise less, so that every asked word is always strictly more frequent than the
next.

What stays is that any part of the text is like the whole: counting in its last 512 tokens is nearly enough at every length. This
task shows whether a model counts, not whether it reads everything; `cwe` does, from 32k up. A smaller `alpha` takes a larger part.

Cells of an index share the instruction only: words are shuffled anew for every length.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import zeta

from lceval.keys import generator, permutation
from lceval.tasks.coined import COUNT, NOISE, Selection, coined_in
from lceval.tasks.family import Family, FamilyParams
from lceval.tasks.scoring import ruler_all, set_f1, too_long
from lceval.types import Arrangement, Draft, Question, Score

_TOKENS_PER_WORD = 7
_QUESTION = re.compile(r"What are the (\d+) most frequent words of the coded text\?")


@dataclass(frozen=True)
class ZipfWords:
    """A text under a Zipf law; its size is the number of words, repetitions and noise counted."""

    selection: Selection
    """The words of rank 2, 3, …"""
    shuffle: tuple[object, ...]
    alpha: float
    top: int

    @property
    def least(self) -> int:
        """Enough for the asked words and the one after them to occur at different times."""
        return max(60, (self.top + 2) ** 2)

    def tally(self, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """By rank, noise first: the law rounded down, and what is left over as words that occur once."""
        whole = size / float(zeta(self.alpha))
        told = max(int(whole ** (1 / self.alpha)), self.top + 2)
        counts = np.floor(whole * np.arange(1, told + 1, dtype=np.float64) ** -self.alpha).astype(np.int64)
        counts[self.top + 1] = max(counts[self.top + 1], 1)
        for rank in range(self.top, 0, -1):  # zero-based: the asked ones, each strictly above the next
            counts[rank] = max(counts[rank], counts[rank + 1] + 1)
        counts[0] = min(counts[0], size - counts[1:].sum())
        counts = np.concatenate([counts[counts > 0], np.ones(size - counts.sum(), dtype=np.int64)])
        return np.concatenate([[COUNT], self.selection.first(len(counts) - 1)]), counts

    def arrange(self, size: int) -> Arrangement:
        """Shuffled by sample and size."""
        words = np.repeat(*self.tally(size))
        return Arrangement(words[permutation(generator(*self.shuffle, size), len(words))])


class FweParams(FamilyParams):
    """The parameters of `fwe`."""

    alpha: float = Field(2.0, ge=1.5, le=4.0, description="exponent of the Zipf law: the larger, the rarer the words that follow")
    top: int = Field(3, ge=2, le=10, description="how many of the most frequent words are asked for, noise not counted")


class Fwe(Family[FweParams]):
    """The task family `fwe`."""

    family = "fwe"
    version = 1
    Params = FweParams

    @property
    def depth_is_free(self) -> bool:  # noqa: D102
        return False

    @property
    def chance(self) -> float:
        """Next to nothing: top / 131,072.

        `top` made-up words, each gold with that probability, and as many named as are gold: F1 is hits / top.
        """
        return self.params.top / COUNT

    @property
    def floors(self) -> str:  # noqa: D102
        top = self.params.top
        blind = f"made-up words score 0; {top} of the words seen, picked blindly, {top} / distinct words"
        if {name for name, value in FweParams() if value != getattr(self.params, name)} <= FamilyParams.model_fields.keys():
            blind += (
                " (0.12 at 512 tokens, 0.03 at 4k, 0.006 at 128k); the last ones of the text 0.55, a count of the last 512 tokens "
                "alone 0.9 or more, at every length"
            )
        return f"{blind}; printing the text official 1, strict 0"

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:  # noqa: D102
        p = self.params
        selection = Selection.draw(self.rng(seed, index))
        return Draft(
            instruction=(
                f"Below is a coded text: its words mean nothing, and the dots ({NOISE}) between them are noise. "
                "Count how often each word occurs.\n\nText:"
            ),
            haystack="coined",
            arranger=ZipfWords(selection, (self.family, self.version, "order", seed, index), p.alpha, p.top),
            questions=(
                self.ask(
                    f"What are the {p.top} most frequent words of the coded text? Leave out the dots. Answer with the words only, "
                    "separated by commas.",
                    selection.words(0, p.top),
                    prefix=f"The {p.top} most frequent words of the coded text are",
                    budget=24 + _TOKENS_PER_WORD * p.top,
                    stop=("\n\n",),
                ),
            ),
        )

    def score(self, question: Question, text: str) -> Score:
        """Official: fraction of the gold strings found in the output, ignoring case (NVIDIA/RULER, `string_match_all`).

        Strict: F1 of the coded words named against the gold ones, 0 for an output of more words than the answer's token budget.
        `exact`: all of them and no other. `first` and `last`: whether the most frequent of them was named, and the least frequent.
        """
        said, gold = coined_in(text), question.answers
        strict = 0.0 if too_long(text, question.max_new_tokens) else set_f1(said, gold)
        details = {"exact": float(strict == 1), "first": float(gold[0] in said), "last": float(gold[-1] in said)}
        return Score(official=ruler_all(text, gold), strict=strict, details=details)

    def solve(self, text: str) -> str:
        """Count the words; of a part of the text, those that are most frequent there."""
        asked = _QUESTION.findall(text)
        return ", ".join(word for word, _ in Counter(coined_in(text)).most_common(int(asked[-1]))) if asked else ""

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """Made-up words."""
        return ", ".join(Selection.draw(rng).words(0, self.params.top))
