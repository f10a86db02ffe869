"""In-context classification with labels that mean nothing: which label does a new word get, as the demonstrations show?

Measures learning from demonstrations rather than knowledge: words are invented, their ending tells their class, and a class has an
invented label. After the many-shot tasks of HELMET (princeton-nlp/HELMET) and LongICLBench. Words, labels and wordings are our own.

The originals replace labels by numbers too, but take public texts that a model may know, and do not control how far from the
question the last demonstration of its class stands. Here that is the cell's depth; the other demonstrations of the class are spread
evenly before it. Beside each of them stands one of another class that is just as rare: neither rarity nor place tells the label.
The asked word itself is never shown.

Cells of an index share the text before their first demonstrations, and with the same depth in tokens all up to the nearest ones.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from lceval.keys import digest, generator, permutation, pick, shuffled
from lceval.tasks.family import Family, FamilyParams, sample_start
from lceval.tasks.scoring import set_f1, squad_normalise, too_long
from lceval.types import Draft, Needle, Question, Score

VERSION = 1
"""Raised whenever the demonstrations of any seed change."""

BLOCK_ITEMS = 1700
"""About 32,768 characters."""

LabelType = Literal["coined", "numbers"]
Pool = Literal["sample", "haystack"]

_SYLLABLES = [a + b for a, b in product("bdflmnrstv", "aeiou")]
_CODAS = re.findall("..", "ndnkntmplblklmltrbrdrgrkrlrmrnrprtskspstftctshth")
_ONSETS = "bdfglmnprsv"
ENDINGS = [_ONSETS[zlib.crc32(rhyme.encode()) % len(_ONSETS)] + rhyme for rhyme in map("".join, product("aeiou", _CODAS))]
"""Four letters each, so none ends another; no two share their last three."""

_LABEL = {
    "coined": re.compile(r"(?<![a-z])[bdgjmpvw][aiou][zx][bdgmpv][aiou][klnr](?![a-z])"),
    "numbers": re.compile(r"(?<![\d,.])[1-9],?\d{3}(?!,?\d)"),
}
_DEMONSTRATION = re.compile(r"([a-z]+) => ([a-z]{6}|\d{4})(?![a-z\d])")
_QUESTION = re.compile(r"new word ([a-z]+)\?")
_CUE = "=>"


def labels(kind: LabelType) -> list[str]:
    """All labels of a type; words and endings have no z or x, so no coined one is ever part of them."""
    if kind == "numbers":
        return [str(number) for number in range(1000, 10_000)]
    return ["".join(letters) for letters in product("bdgjmpvw", "aiou", "zx", "bdgmpv", "aiou", "klnr")]


@cache
def of_pool(kind: LabelType | Literal["endings"], pool: Pool) -> Sequence[str]:
    """The labels or endings that samples (about one in four) or filler may use."""
    every = ENDINGS if kind == "endings" else labels(kind)
    return [text for text in every if ((zlib.crc32(text.encode()) >> 9) % 4 == 0) == (pool == "sample")]


@dataclass(frozen=True)
class Demonstrations:
    """Endless labelled words of some classes, in rounds of one a class, each round shuffled."""

    classes: int
    label_type: LabelType
    seed: int
    name = "manyshot"
    endless = True

    @classmethod
    def of(cls, text: str) -> Self:
        """From `classes:label_type:seed`."""
        classes, label_type, seed = text.split(":")
        return cls(int(classes), label_type, int(seed))  # type: ignore[arg-type]

    @property
    def digest(self) -> str:  # noqa: D102
        return digest("manyshot", VERSION, BLOCK_ITEMS, self.classes, self.label_type, self.seed)

    def blocks(self) -> Iterator[list[str]]:  # noqa: D102
        rng = generator("manyshot", VERSION, self.classes, self.label_type, self.seed)
        endings = shuffled(rng, of_pool("endings", "haystack"), self.classes)
        ends = [f"{ending} {_CUE} {label}\n" for ending, label in zip(endings, self._labels(rng), strict=True)]
        rounds = -(-BLOCK_ITEMS // self.classes)
        while True:
            order = [i for _ in range(rounds) for i in permutation(rng, self.classes).tolist()]
            stems = map(_stem, rng.bit_generator.random_raw(len(order)).tolist())
            yield [stem + ends[i] for stem, i in zip(stems, order, strict=True)]

    def _labels(self, rng: np.random.Generator) -> list[str]:
        return shuffled(rng, of_pool(self.label_type, "haystack"), self.classes)


class ManyshotParams(FamilyParams):
    """The parameters of `manyshot`."""

    classes: int = Field(8, ge=3, le=64, description="classes that the context shows")
    shots: int = Field(4, ge=1, le=64, description="demonstrations of each asked class; the other classes fill the context")
    label_type: LabelType = Field("coined", description="what labels look like: coined (such as vozbal) or numbers of four digits")
    questions: int = Field(1, ge=1, le=8, description="questions about one context, each about a class of its own")

    @model_validator(mode="after")
    def _fits_together(self) -> ManyshotParams:
        if self.classes <= self.planted:
            raise ValueError(
                f"classes={self.classes} leaves none to fill the context with beside the {self.planted} that are planted for "
                f"questions={self.questions}; raise classes to {self.planted + 1} or more"
            )
        return self

    @property
    def planted(self) -> int:
        """Classes with needles: the asked ones, or a single one and another that is just as rare."""
        return max(self.questions, 2)


class Manyshot(Family[ManyshotParams]):
    """The task family `manyshot`."""

    family = "manyshot"
    version = 1
    Params = ManyshotParams

    @property
    def chance(self) -> float:
        """A guess is one of the distinct labels of the text: 1 / classes, once the text shows all classes."""
        return 1 / self.params.classes

    @property
    def floors(self) -> str:  # noqa: D102
        p = self.params
        return (
            f"a label of the text at random {self.chance:.2g} (1 / classes, from {self._lines(1)} lines on); the rarest label "
            f"{1 / p.planted:.2g}; the commonest 0 (both from {self._lines(p.shots + 1)} lines on); "
            "printing the context official 0, strict 0"
        )

    def _lines(self, times: int) -> int:
        """Enough for the filler to show each of its classes so often, wherever its rounds are cut and whatever its last line is."""
        p = self.params
        return p.planted * p.shots + (times + 1) * (p.classes - p.planted)

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:  # noqa: D102
        p = self.params
        assert depth is not None
        rng = self.rng(p.label_type, p.shots, p.questions, seed, index)
        endings = shuffled(rng, of_pool("endings", "sample"), p.planted)
        named = shuffled(rng, of_pool(p.label_type, "sample"), p.planted)
        words = [[stem + ending for stem in _stems(rng, p.shots + 1)] for ending in endings]
        shown = [(shot, i) for shot in range(p.shots) for i in shuffled(rng, range(p.planted))]
        return Draft(
            instruction=(
                f"Each line below gives an invented word and, after {_CUE}, its label. Words that are built alike have the same "
                "label. Find out which, and label the new word at the end.\n\nWords:"
            ),
            haystack=f"manyshot:{p.classes - p.planted}:{p.label_type}:{seed}",
            start=sample_start(seed, index),
            needles=tuple(Needle(f"{words[i][shot]} {_CUE} {named[i]}", depth * (shot + 1) / p.shots) for shot, i in shown),
            questions=tuple(
                self.ask(
                    f"What is the label of the new word {words[i][-1]}? Answer with the label only.",
                    [named[i]],
                    prefix=f"{words[i][-1]} {_CUE}",
                    budget=32,
                    support=[place for place, (_, j) in enumerate(shown) if j == i],
                )
                for i in range(p.questions)
            ),
        )

    def score(self, question: Question, text: str) -> Score:
        """Official: 1 if the answer is the gold label and nothing else, without case, punctuation and articles.

        The answer is what follows the cue `=>` on its line or, without one, the first line (HELMET's parsing and exact match, which
        gives 0 to an answer that begins with a line break; here white space before an answer is left out first).
        Strict: F1 of the labels named against the gold one; 0 for an output of more words than the answer's token budget.
        `first_label`: whether the first thing that looks like a label is the gold one. `named`: whether anything looks like one.
        """
        (gold,) = question.answers
        said = [label.replace(",", "") for label in _LABEL[self.params.label_type].findall(text.lower())]
        return Score(
            official=float(squad_normalise(_parsed(text)) == squad_normalise(gold)),
            strict=0.0 if too_long(text, question.max_new_tokens) else set_f1(said, {gold}),
            details={"first_label": float(said[:1] == [gold]), "named": float(bool(said))},
        )

    def solve(self, text: str) -> str:
        """Learn from the demonstrations which ending has which label, look the last new word's ending up."""
        asked = _QUESTION.findall(text)
        learnt: dict[str, str] = {word[-4:]: label for word, label in _DEMONSTRATION.findall(text)}
        return learnt.get(asked[-1][-4:], "") if asked else ""

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """One of the distinct labels in the text; an invented one if there are none."""
        seen: list[str] = list(dict.fromkeys(label for _, label in _DEMONSTRATION.findall(text)))
        return pick(rng, seen or of_pool(self.params.label_type, "sample"))


def _stem(raw: int) -> str:
    """Two or three syllables from 64 random bits."""
    a, b, c = (_SYLLABLES[(raw >> shift & 0xFFFF) % len(_SYLLABLES)] for shift in (0, 16, 32))
    return a + b + c if raw >> 63 else a + b


def _stems(rng: np.random.Generator, count: int) -> list[str]:
    """That many different ones."""
    stems: dict[str, None] = {}
    while len(stems) < count:
        stems[_stem(int(rng.bit_generator.random_raw()))] = None
    return list(stems)


def _parsed(output: str) -> str:
    """What HELMET takes for the answer, line breaks before it aside; a cue that is said twice falls with the other punctuation."""
    return output.lstrip().partition(_CUE)[2 if _CUE in output else 0].partition("\n")[0]
