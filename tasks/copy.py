"""Copying: a text of one repeated word and one odd one, to be written out again exactly.

It measures whether a model keeps count and place over a text that says nothing: no retrieval, no reasoning. After the
repeated-words experiment of context-rot (chroma-core); the pairs of words are our own.

The original reports similarity, of which a text without the odd word gets all but a thousandth, and allows twice the input for the
answer, on top of the length. Here a strict score stands beside it, and the copy is part of the length.

The context grows with the length, and the room for the copy with it: a bit less than half of a cell is context, and the odd word's
depth is a fraction of its words. Cells of an index share the text up to the first odd word.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from lceval.keys import below, digest
from lceval.tasks.family import Family, FamilyParams
from lceval.tasks.scoring import too_long
from lceval.types import Arrangement, Draft, Question, Score

# Some odd words are another form or spelling of the common one, some have nothing to do with it. None is part of its common word,
# so that the first place where it can be found is its own.
_PAIRS = """
    pear/pears cup/cups river/rivers lamp/lamps garden/gardens stone/stones bird/birds window/windows
    walk/walked paint/painted open/opened clean/cleaned warm/warmer slow/slower deep/deeper kind/kinder
    small/smell house/horse bread/broad plant/plans light/sight table/cable stage/stake green/greet
    water/wafer paper/pacer money/honey north/worth sound/round board/beard clear/cleat watch/match
    summer/Summer forest/Forest market/Market bridge/Bridge winter/Winter school/School silver/Silver doctor/Doctor
    coffee/carpet orange/ladder pencil/harbour mountain/spoon yellow/seven rabbit/planet kitchen/cloud music/button
    autumn/engine ticket/flower mirror/potato candle/sailor island/pocket basket/thunder dinner/valley uncle/copper
    morning/evening brother/sister father/mother summit/peak quick/rapid begin/start shout/yell sofa/couch
"""

COMMON_AT_LEAST = 15
"""Fewer common words than this are a refusal (context-rot)."""

_QUESTION = "Copy the text above exactly as it stands, word for word, from beginning to end. Write nothing else."
_LEAD = "Text:"  # of the text, and of its copy: the answer prefix
_FENCE = re.compile(r"^```\w*\n|\n?```$")
_MARKS = "\"'`*“”‘’ \n"


@dataclass(frozen=True)
class PairWords:
    """The pairs: a common word at every even place, its odd one behind it."""

    name = "copy-words"
    words = tuple(_PAIRS.replace("/", " ").split())

    @classmethod
    def of(cls, text: str) -> Self:
        """There is only one such vocabulary."""
        assert not text
        return cls()

    @property
    def digest(self) -> str:  # noqa: D102
        return digest(self.name, self.words)


@dataclass(frozen=True)
class Repeated:
    """A word as often as fits, with an odd one in its midst.

    Args:
        pair: which pair of `PairWords`.
        depth: where the odd word stands, as a fraction of the words.
    """

    pair: int
    depth: float
    least = 20

    def tally(self, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # noqa: D102
        return np.array([2 * self.pair, 2 * self.pair + 1]), np.array([size - 1, 1])

    def arrange(self, size: int) -> Arrangement:  # noqa: D102
        common, odd = PairWords.words[2 * self.pair : 2 * self.pair + 2]
        at = round(self.depth * (size - 1))
        words = np.full(size, 2 * self.pair, dtype=np.int64)
        words[at] += 1
        runs = ((common, at), (odd, 1), (common, size - 1 - at))
        return Arrangement(words, ((at, at + 1),), (tuple(f"{word}*{count}" for word, count in runs if count),), said=words)


class Copy(Family[FamilyParams]):
    """The task family `copy`."""

    family = "copy"
    version = 1
    Params = FamilyParams

    @property
    def chance(self) -> float:
        """The common word alone, as often as there are words, is never the text: 0."""
        return 0.0

    @property
    def floors(self) -> str:  # noqa: D102
        return (
            "the common word alone, as often as there are words: official 0.99 or more at 100 words, 0.999 or more at 1,000, "
            "strict 0; half of the text: official 0.5, strict 0; the whole prompt: official near 1 in long cells, strict 0"
        )

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:  # noqa: D102
        assert depth is not None
        pair = below(self.rng(seed, index), len(PairWords.words) // 2)
        return Draft(
            instruction=f"Below is a text that you will be asked to copy.\n\n{_LEAD}",
            questions=(self.ask(_QUESTION, (), prefix=_LEAD, budget=16),),
            haystack=PairWords.name,
            arranger=Repeated(pair, depth),
            echo=1.1,
        )

    def score(self, question: Question, text: str) -> Score:
        """Official (context-rot): 1 - Levenshtein distance / length of the longer text, in characters.

        Strict: 1 if the words are the text's, all of them in order, else 0. White space does not count, nor do quotation marks
        or a code fence around the whole, nor the answer prefix written again.

        Details, of the same words without the punctuation at their ends: `odd_present` (the odd word is there),
        `odd_at_right_index` (its first occurrence begins at the right character), `word_count` (1 - relative difference in the
        number of words), `refusal` (fewer than 15 common words, or than there are).
        """
        gold = _spelt(question.answers)
        counts = Counter(gold)
        odd, common = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
        text = text.strip().removeprefix(_LEAD).strip()
        target = " ".join(gold)
        said = _FENCE.sub("", text).strip(_MARKS).split()
        words = [bare for word in said if (bare := word.strip(string.punctuation))]
        found = Counter(words)
        return Score(
            official=Levenshtein.normalized_similarity(text, target, score_hint=0.9),
            strict=float(said == gold and not too_long(text, question.max_new_tokens)),
            details={
                "odd_present": float(odd in found),
                "odd_at_right_index": float(" ".join(words).find(odd) == target.find(odd)),
                "word_count": max(0.0, 1 - abs(len(words) - len(gold)) / len(gold)),
                "refusal": float(found[common] < min(COMMON_AT_LEAST, counts[common])),
            },
        )

    def solve(self, text: str) -> str:
        """The words between the instruction and the question; nothing if one of the two is out of sight."""
        end = text.rfind(_QUESTION)
        begin = text.rfind(_LEAD, 0, end) if end >= 0 else -1
        return " ".join(text[begin + len(_LEAD) : end].split()) if begin >= 0 else ""

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """The text's most frequent word, as often as there are words."""
        words = self.solve(text).split()
        return " ".join([Counter(words).most_common(1)[0][0]] * len(words)) if words else ""


def _spelt(runs: tuple[str, ...]) -> list[str]:
    """`("pear*2", "pears*1")` -> `["pear", "pear", "pears"]`."""
    words: list[str] = []
    for run in runs:
        word, _, count = run.partition("*")
        words += [word] * int(count)
    return words
