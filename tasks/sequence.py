"""Sequence: put facts that are scattered over the text into the order of time.

Sentences say at which bell of the day somebody did something somewhere; the text does not tell them in that order. After
Sequential-NIAH (arXiv:2504.04713); sentences and prompts are our own.

What the original got wrong: its score is the word of a judge model that was trained for it. Ours is a rule, which invented names
allow: official takes the whole order or nothing, strict gives a part for a partly right one, and how much was found at all is told
beside it. Bells are drawn with gaps, so that no ordinal tells how many facts come before.

Facts scattered over the context share only the text before the first of them between lengths; with placement=same the cells of an
index share as `niah` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import islice
from math import factorial
from typing import Literal

import numpy as np
from pydantic import Field, field_validator

from lceval.keys import pick, shuffled
from lceval.tasks import haystacks, names
from lceval.tasks.family import Family, FamilyParams, sample_start, scattered
from lceval.tasks.scoring import set_f1, too_long
from lceval.types import Draft, Needle, Question, Score

BELLS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"),
    *("thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"),
    *("twenty-first", "twenty-second", "twenty-third", "twenty-fourth"),
)
DEEDS = {  # what is done, and what was
    "lit the lamp": "lamps were lit",
    "closed the gate": "gates were closed",
    "wound the clock": "clocks were wound",
    "raised the flag": "flags were raised",
    "watered the garden": "gardens were watered",
    "swept the stairs": "stairs were swept",
    "opened the shop": "shops were opened",
    "painted the door": "doors were painted",
}

_FACT = re.compile(rf"At the ({'|'.join(BELLS)}) bell ([A-Z][a-z]+) (?:{'|'.join(DEEDS)}) at ([A-Z][a-z]+ [A-Z][a-z]+)\.")
_WORD = re.compile(r"(?<![a-z])[a-z]+z[a-z]+(?=(\s+[a-z]+)?)", re.IGNORECASE)
_PLACES = frozenset(names.PLACE)
_RANK = {bell: i for i, bell in enumerate(BELLS)}


class SequenceParams(FamilyParams):
    """The parameters of `sequence`."""

    haystack: str = Field("prose", description=" | ".join(haystacks.FORMS.values()))
    facts: int = Field(5, ge=3, le=15, description="facts to be put in order")
    ask: Literal["places", "people"] = Field("places", description="what is to be listed: places or people")
    text_order: Literal["shuffled", "sorted"] = Field(
        "shuffled", description="order of the facts in the text: shuffled (never that of time) or sorted (that of time)"
    )
    placement: Literal["spread", "same"] = Field(
        "spread", description="spread (over the whole context, at random within even shares) or same (all at the cell's depth)"
    )

    @field_validator("haystack")
    @classmethod
    def _haystack(cls, value: str) -> str:
        return haystacks.check(value)


class Sequence(Family[SequenceParams]):
    """The task family `sequence`."""

    family = "sequence"
    version = 1
    Params = SequenceParams

    @property
    def depth_is_free(self) -> bool:  # noqa: D102
        return self.params.placement == "same"

    @property
    def chance(self) -> float:
        """Expected strict score of the right names in random order.

        All names are right, so strict is LCS / n, and the longest common subsequence of two orders is the longest increasing one of
        a permutation, here an evenly drawn one. Its mean is exact by the Robinson-Schensted correspondence: the sum of (first part)
        x (standard Young tableaux)^2 over the partitions of n, divided by n!. That is 0.56 n for n=5 and 0.37 n for n=15.
        """
        return float(mean_longest_increasing(self.params.facts) / self.params.facts)

    @property
    def floors(self) -> str:  # noqa: D102
        read = ", in the order of the text 1" if self.params.text_order == "sorted" else ""
        return (
            f"the right names in random order score {self.chance:.2g} (official 1 / {factorial(self.params.facts)}){read}; "
            "invented names 0; printing the context strict 0"
        )

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:  # noqa: D102
        p = self.params
        rng = self.rng(p.facts, seed, index)
        bells = sorted(shuffled(rng, range(len(BELLS)), p.facts))
        deed = pick(rng, tuple(DEEDS))
        people, places = list(islice(names.given(rng, "sample"), p.facts)), list(islice(names.places(rng, "sample"), p.facts))
        texts = [
            f"At the {BELLS[bell]} bell {person} {deed} at {place}."
            for bell, person, place in zip(bells, people, places, strict=True)
        ]
        if p.placement == "same":
            assert depth is not None
            depths = [depth] * p.facts
        else:
            depths = scattered(rng, p.facts)
        order = list(range(p.facts))
        while p.text_order == "shuffled" and order == sorted(order):
            order = shuffled(rng, order)
        return Draft(
            instruction=(
                "The text below tells, here and there, who did something where, and at which bell of the day. Remember it; "
                "a question follows the text.\n\nText:"
            ),
            haystack=haystacks.resolve(p.haystack, seed=seed, needle_type="words:numbers:one"),
            start=sample_start(seed, index),
            needles=tuple(Needle(texts[i], at) for i, at in zip(order, depths, strict=True)),
            questions=(self._question(DEEDS[deed], people, places),),
        )

    def _question(self, done: str, people: list[str], places: list[str]) -> Question:
        listed, answers = ("places where", places) if self.params.ask == "places" else ("people by whom", people)
        return self.ask(
            f"List the {listed} {done}, from the earliest bell to the latest, separated by commas.",
            answers,
            prefix=f"From the earliest to the latest, the {self.params.ask} are",
            budget=24 + 10 * len(answers),
            stop=("\n\n",),
        )

    def score(self, question: Question, text: str) -> Score:
        """Official: 1 if exactly the gold names are named, in their order. Strict: 2 x LCS / (names named + gold names).

        The names are the places, or people, of the output in the order in which each is first named; LCS is the length of their
        longest common subsequence with the gold ones. The original asks a judge model whether the order is right, so that its
        numbers are no match. `order` is LCS / gold names, `found` the F1 without regard to order. Strict is 0 for an output of more
        words than the answer's token budget. Official wants a place's name in full; for the others its first word will do, where
        no second one follows and no two gold names begin with it.
        """
        gold = list(question.answers)
        official = list(dict.fromkeys(self._names(text))) == gold
        said = list(dict.fromkeys(self._meant(text, gold)))
        ranks = [gold.index(name) for name in said if name in gold]
        common = _longest_increasing(ranks)
        strict = 0.0 if too_long(text, question.max_new_tokens) else 2 * common / (len(said) + len(gold))
        details = {"order": common / len(gold), "found": set_f1(said, gold)}
        return Score(official=float(official), strict=strict, details=details)

    def solve(self, text: str) -> str:
        """Sort the facts by their bells."""
        return ", ".join(name for _, name in sorted(self._facts(text)))

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """The right names in random order; invented ones if there are none."""
        seen = [name for _, name in self._facts(text)]
        kind = names.places if self.params.ask == "places" else names.given
        return ", ".join(shuffled(rng, seen or list(islice(kind(rng, "sample"), self.params.facts))))

    def _names(self, text: str) -> list[str]:
        return names.places_in(text) if self.params.ask == "places" else names.given_in(text)

    def _meant(self, text: str, gold: list[str]) -> list[str]:
        """The names in a text, and for places their first words alone: those of a gold name as that name."""
        if self.params.ask == "people":
            return self._names(text)
        firsts = [name.split()[0] for name in gold]
        whole = {first: name for first, name in zip(firsts, gold, strict=True) if firsts.count(first) == 1}
        said = []
        for match in _WORD.finditer(text):
            first = match[0].capitalize()
            said += names.places_in(match[0] + (match[1] or "")) or ([whole.get(first, first)] if first in _PLACES else [])
        return said

    def _facts(self, text: str) -> list[tuple[int, str]]:
        """Rank of the bell and what is to be listed, of every fact."""
        facts = ((_RANK[bell], place if self.params.ask == "places" else person) for bell, person, place in _FACT.findall(text))
        return list(dict.fromkeys(facts))


def _longest_increasing(ranks: list[int]) -> int:
    """Length of the longest increasing subsequence."""
    ends: list[int] = []  # the longest one that ends at each place
    for i, rank in enumerate(ranks):
        ends.append(1 + max((ends[j] for j in range(i) if ranks[j] < rank), default=0))
    return max(ends, default=0)


@cache
def mean_longest_increasing(n: int) -> Fraction:
    """Mean length of the longest increasing subsequence of a permutation of n."""
    return Fraction(sum(shape[0] * _tableaux(shape) ** 2 for shape in _partitions(n, n)), factorial(n))


def _partitions(n: int, largest: int) -> Iterator[tuple[int, ...]]:
    if not n:
        yield ()
    for first in range(min(n, largest), 0, -1):
        for rest in _partitions(n - first, first):
            yield (first, *rest)


def _tableaux(shape: tuple[int, ...]) -> int:
    """Number of standard Young tableaux of a shape, by the hook length formula."""
    hooks = 1
    for row, length in enumerate(shape):
        for column in range(length):
            hooks *= length - column + sum(other > column for other in shape[row + 1 :])
    return factorial(sum(shape)) // hooks
