"""Count: collect facts that are scattered over the whole text, and list, count or add them up.

After Counting-Stars (arXiv:2403.11802, nick7nlp/Counting-Stars) and LongBench's passage_count (arXiv:2308.14508, THUDM/LongBench);
sentences and prompts are our own.

What the originals got wrong: Counting-Stars states the same 32 numbers in every prompt, so that whoever knows the list needs no
text, and its hit rate forgives wrong ones. passage_count is 200 fixed samples of public text. Here people, places, animals and
numbers are drawn for every sample, and so is the number of facts, evenly, where it is what is asked; sentences about another animal
may distract, and what is named wrongly costs.

Facts scattered over the context share only the text before the first of them between lengths; with placement=same the cells of an
index share as `niah` does.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import islice, pairwise
from typing import Literal

import numpy as np
from pydantic import Field, field_validator

from lceval.keys import below, pick, shuffled
from lceval.tasks import haystacks, names
from lceval.tasks.family import Family, FamilyParams, sample_start, scattered
from lceval.tasks.scoring import set_f1, too_long
from lceval.types import Draft, Needle, Question, Score

ANIMALS = (
    *("badgers", "beetles", "crabs", "cranes", "donkeys", "ducks", "eels", "ferrets", "foxes", "geese", "goats", "hares"),
    *("hedgehogs", "herons", "horses", "larks", "lizards", "moths", "newts", "otters", "owls", "oxen", "pheasants", "pigeons"),
    *("rabbits", "ravens", "robins", "seals", "snails", "storks", "swans", "toads", "turtles", "voles", "wasps", "wolves"),
)
SPOTS = (
    *("abbey", "bakery", "barn", "boathouse", "bridge", "brewery", "canal", "castle", "chapel", "dairy", "ferry", "forge"),
    *("granary", "harbour", "inn", "jetty", "kiln", "lighthouse", "lock", "meadow", "mill", "monastery", "orchard", "pond"),
    *("pump", "quarry", "reservoir", "sawmill", "smithy", "stables", "swamp", "tannery", "tower", "vineyard", "weir", "wharf"),
)
FORMS = (
    "{who} counted {count} {animals} at the {spot}.",
    "At the {spot} {who} counted {count} {animals}.",
    "One day {who} counted {count} {animals} at the {spot}.",
    "It was {who} who counted {count} {animals} at the {spot}.",
)
LOWEST, HIGHEST = 11, 999

_FACT = re.compile(r"\bcounted (\d+) ([a-z]+)\b")
_ASKED = re.compile(r"How many (?:people counted )?([a-z]+) (?:did each|at the|were counted)")
_MARKER = re.compile(r"\s*\(?(\d+)[.):]\s+(?=\S)")
_INTEGER = re.compile(r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?")
_ONES = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen"),
    *("fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty")
_VALUES = {word: i for i, word in enumerate(_ONES, 1)} | {word: 10 * i for i, word in enumerate(_TENS, 2)}
_WORDS = re.compile(
    rf"\b(?:not?[\s-]one|({'|'.join(_TENS)})(?:[\s-]+({'|'.join(_ONES[:9])}))?|({'|'.join(_ONES)}))\b", re.IGNORECASE
)
_REASON = re.compile(r"\b(?:since|because)\b|\((?=[^()]*=)", re.IGNORECASE)
_OPERATION = re.compile(r"\s*(?:[-+/*%=\u00b7\u00d7\u00f7\u2212]|x\b)")
_JOINT = re.compile(
    r"[^\w:;.(]*(?:(?:and|to|plus|minus|times|x)\b[^\w:;.(]*)?|[^.;]*\b(?:or|maybe|perhaps|possibly)\b[^.;]*", re.IGNORECASE
)
"""What stands between two numbers neither of which is the one that is said."""


class CountParams(FamilyParams):
    """The parameters of `count`."""

    haystack: str = Field("prose", description=" | ".join(haystacks.FORMS.values()))
    facts: int = Field(6, ge=1, le=64, description="sentences to be found; for ask=number at most that many, drawn per sample")
    ask: Literal["items", "number", "total"] = Field(
        "items", description="items (list the numbers stated), number (how many sentences are there) or total (their numbers' sum)"
    )
    decoys: int = Field(4, ge=0, le=64, description="sentences about another animal, which must not be counted")
    placement: Literal["spread", "same"] = Field(
        "spread", description="spread (over the whole context, at random within even shares) or same (all at the cell's depth)"
    )

    @field_validator("haystack")
    @classmethod
    def _haystack(cls, value: str) -> str:
        return haystacks.check(value)


class Count(Family[CountParams]):
    """The task family `count`."""

    family = "count"
    version = 1
    Params = CountParams

    @property
    def depth_is_free(self) -> bool:  # noqa: D102
        return self.params.placement == "same"

    @property
    def chance(self) -> float:
        """Expected strict score of numbers drawn evenly from those possible.

        items: `facts` different numbers out of R = 989 (11 to 999): facts^2 / R of them are right, and F1 divides that by `facts`.
        number: one of 1 to `facts`, from which the answer is drawn evenly. total: one of the integers from the smallest to the
        largest sum of `facts` different numbers; whatever the answer is among them, 1 / integers.
        """
        p = self.params
        if p.ask == "items":
            return p.facts / (HIGHEST - LOWEST + 1)
        if p.ask == "number":
            return 1 / p.facts
        low, high = self._totals
        return 1 / (high - low + 1)

    @property
    def floors(self) -> str:  # noqa: D102
        p = self.params
        if p.ask == "items":
            every = 2 * p.facts / (2 * p.facts + p.decoys)
            return (
                f"made-up numbers score {self.chance:.2g} (facts / 989); all numbers of the text {every:.2g} (2 facts / (2 facts + "
                "decoys)); printing the context official up to 1, strict 0"
            )
        made_up = f"from 1 to {p.facts} (1 / facts)" if p.ask == "number" else "among the possible sums (1 / sums)"
        whole = "as many as the text has numbers" if p.ask == "number" else "the sum of all numbers of the text"
        return f"a number {made_up} scores {self.chance:.2g}; {whole} {0 if p.decoys else 1}; printing the context strict 0"

    @property
    def _totals(self) -> tuple[int, int]:
        """The smallest and the largest sum of `facts` different numbers."""
        n = self.params.facts
        rest = n * (n - 1) // 2
        return n * LOWEST + rest, n * HIGHEST - rest

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:  # noqa: D102
        p = self.params
        rng = self.rng(p.facts, p.decoys, p.ask == "number", seed, index)
        facts = 1 + below(rng, p.facts) if p.ask == "number" else p.facts
        form, spot = pick(rng, FORMS), pick(rng, SPOTS)
        animals, other = shuffled(rng, ANIMALS, 2)
        counts = shuffled(rng, range(LOWEST, HIGHEST + 1), facts + p.decoys)
        told = [animals] * facts + [other] * p.decoys
        texts = [
            form.format(who=who, count=count, animals=kind, spot=spot)
            for who, count, kind in zip(islice(names.given(rng, "sample"), facts + p.decoys), counts, told, strict=True)
        ]
        order = shuffled(rng, range(len(texts)))
        if p.placement == "same":
            assert depth is not None
            places = [depth] * len(texts)
        else:
            places = scattered(rng, len(texts))
        support = [k for k, i in enumerate(order) if i < facts]
        return Draft(
            instruction="People count animals in the text below. Remember how many they count; a question follows.\n\nText:",
            haystack=haystacks.resolve(p.haystack, seed=seed, needle_type="words:numbers:one"),
            start=sample_start(seed, index),
            needles=tuple(Needle(texts[i], place) for i, place in zip(order, places, strict=True)),
            questions=(self._question(animals, spot, counts[:facts], [i for i in order if i < facts], support),),
        )

    def _question(self, animals: str, spot: str, counts: list[int], order: list[int], support: list[int]) -> Question:
        match self.params.ask:
            case "items":
                text = f"How many {animals} did each of the people count at the {spot}? List the numbers, separated by commas."
                answers = [str(count) for count in counts]
                budget = 24 + 6 * len(counts)
                gold = ", ".join(answers[i] for i in order)  # as they stand in the text
                return self.ask(text, answers, prefix="The numbers are", budget=budget, stop=("\n\n",), support=support, gold=gold)
            case "number":
                text = f"How many people counted {animals} at the {spot}? Answer with the number only."
                answers, prefix = [str(len(counts))], f"The number of people who counted {animals} is"
            case "total":
                text = f"How many {animals} were counted at the {spot} in all, by all people together? Answer with the number only."
                answers, prefix = [str(sum(counts))], f"The total number of {animals} is"
        return self.ask(text, answers, prefix=prefix, budget=32, support=support)

    def score(self, question: Question, text: str) -> Score:
        """Official: found numbers, or right ones of those printed. Strict: F1 of the numbers named, or 1 for the right one alone.

        Official for ask=items is Counting-Stars' hit rate: the fraction of the gold numbers that is among the first numbers of the
        output, of which as many are read as there are facts (the original reads JSON). Otherwise it is LongBench's count score: the
        fraction of all numbers printed that is the right one.

        Strict for ask=items reads a list in one line or over lines, up to the first line that has several numbers and does not end
        in a comma; the marks of a numbered list and numbers below 11, which no fact states, do not count. Otherwise it is 1 if
        the number that is said (`number_said`) is the right one and no other is offered, in figures or, for ask=number, in words;
        `close` is then 0.75 to the power of its error (Oolong's measure). Strict is 0 for an output of more words than the answer's
        token budget.
        """
        gold = list(question.answers)
        long = too_long(text, question.max_new_tokens)
        printed = re.findall(r"\d+", text)
        if self.params.ask == "items":
            official = len(set(printed[: len(gold)]) & set(gold)) / len(gold)
            return Score(official=official, strict=0.0 if long else set_f1(_listed(text), gold))
        official = printed.count(gold[0]) / len(printed) if printed else 0.0
        if self.params.ask == "number":
            text = _in_figures(text)
        said = [_plain(number) for number in number_said(text, _INTEGER)]
        strict = 0.0 if long else float(set(said) == set(gold))
        if self.params.ask == "total":
            return Score(official=official, strict=strict)
        near = 0.75 ** abs(float(said[0][:9]) - int(gold[0])) if said else 0.0
        return Score(official=official, strict=strict, details={"close": near})

    def solve(self, text: str) -> str:
        """Read the facts about the animal asked about."""
        asked = _ASKED.findall(text)
        counts = [count for count, animals in _FACT.findall(text) if asked and animals == asked[-1]]
        if not counts:
            return ""
        match self.params.ask:
            case "items":
                return ", ".join(counts)
            case "number":
                return str(len(counts))
            case "total":
                return str(sum(map(int, counts)))

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """Numbers that could be right, without a look at the text."""
        p = self.params
        if p.ask == "items":
            return ", ".join(map(str, shuffled(rng, range(LOWEST, HIGHEST + 1), p.facts)))
        low, high = (1, p.facts) if p.ask == "number" else self._totals
        return str(low + below(rng, high - low + 1))


def number_said(text: str, number: re.Pattern[str], known: Collection[str] = ()) -> list[str]:
    """The number that an answer says, or the several that it leaves open; empty if it says none.

    Of the first line with a number, that is the number after the last `=`; or the first number, if there is no `=`, or if the
    output begins with a number that nothing is done with: `8, for 3 + 5 = 8`. What comes after `since` or `because`, or in brackets
    with a `=`, is not read if a number stands before it. Numbers of the same line that are joined to the one said, by punctuation
    or words such as `and`, `to` and `or`, are said too: `8 or 9`, `8, 9`.

    Args:
        text: the output.
        number: what a number looks like.
        known: numbers that are passed over, since the question has them.
    """
    text = re.sub(r"\*\*|__|`", "", text)
    for line in text.splitlines():
        if not (found := _joined(line, number, known)):
            continue
        before = _REASON.split(line)[0]
        if first := _joined(before, number, known):
            line, found = before, first
        begun = re.search(r"\w", text[: text.index(line)] + line[: found[0].start()])
        if begun or len(found) > 1 or _OPERATION.match(line, found[0].end()):
            found = _joined(line.rpartition("=")[2], number, known) or found
        return [match[0] for match in found]
    return []


def _joined(text: str, number: re.Pattern[str], known: Collection[str]) -> list[re.Match[str]]:
    """The first number and those joined to it."""
    found = [match for match in number.finditer(text) if match[0] not in known]
    for i, (a, b) in enumerate(pairwise(found)):
        if not _JOINT.fullmatch(text, a.end(), b.start()):
            return found[: i + 1]
    return found


def _listed(text: str) -> set[str]:
    """The numbers of a list that could be counts."""
    said: set[str] = set()
    marks = 0
    for line in text.splitlines():
        if (mark := _MARKER.match(line)) and mark[1] == str(marks + 1):
            line, marks = line[mark.end() :], marks + 1
        numbers = {number for number in re.findall(r"\d+", line) if len(number) > 3 or int(number) >= LOWEST}
        said |= numbers
        if len(numbers) > 1 and not line.rstrip().endswith(","):
            break
    return said


def _in_figures(text: str) -> str:
    """Numbers in words as figures, but for `no one`; beside figures, `one` is left alone too, as in `one day`."""
    mixed = re.search(r"\d", text)

    def figure(match: re.Match[str]) -> str:
        values = [_VALUES[word.lower()] for word in match.groups() if word]
        return match[0] if not values or (mixed and values == [1]) else str(sum(values))

    return _WORDS.sub(figure, text)


def _plain(number: str) -> str:
    return re.sub(r"\.0+$", "", number.replace(",", "")).lstrip("0") or "0"
