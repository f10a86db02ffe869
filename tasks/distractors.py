"""A needle among sentences that say nearly the same: same topic, one or two attributes changed, another answer.

Measures whether a model reads the sentence that was asked about, or answers from one that is much like it. Every question has a
topic; its distractors tell of another quality, of a related subject, or of another person, each with an answer of its own. They
differ from one another as they do from the needle, so that nothing but the question tells which of the sentences is meant. The
haystack is prose in its order, or with its sentences shuffled, so that no story surrounds the needle. Source: context-rot
(chroma-core/context-rot).

The original has one prompt a cell, draws distractors and their places anew for every depth without a seed, does not count their
tokens, and leaves the score to a judge model. Here a sample says the same in all cells, fewer distractors are the first of more of
them about the same needle, lengths are exact, and the score is a rule, which invented names allow.

Cells of an index share the prose before the first sentence that either has planted elsewhere: a distractor keeps its depth,
whatever the needle's, unless that comes near.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from lceval.keys import digest, generator, permutation, pick, shuffled, uniform
from lceval.tasks import haystacks, names
from lceval.tasks.family import Family, FamilyParams, sample_start
from lceval.tasks.haystacks import prose
from lceval.tasks.scoring import set_f1, too_long
from lceval.types import Draft, Needle, Question, Score

VERSION = 1
"""Raised whenever the shuffled prose of any seed changes."""

MOST = 8
"""Distractors that a topic has words for."""

GAP = 0.1
"""How far a distractor stays away from the needle, as a fraction of the length."""

CHUNK = 64
"""Paragraphs, about 350 sentences, whose sentences are shuffled among each other."""


@dataclass(frozen=True)
class ShuffledProse:
    """The `prose` of a seed with its sentences out of order, in paragraphs of the same shape."""

    seed: int
    name = "shuffled"
    endless = True

    @classmethod
    def of(cls, text: str) -> Self:
        """From the seed."""
        return cls(int(text))

    @property
    def digest(self) -> str:  # noqa: D102
        return digest("shuffled", VERSION, prose.VERSION, CHUNK, self.seed)

    def blocks(self) -> Iterator[str]:  # noqa: D102
        rng = generator("shuffled", VERSION, self.seed)
        paragraphs = (re.split(r"(?<=[.?!]) ", paragraph) for paragraph in prose.paragraphs(self.seed))
        while chunk := list(islice(paragraphs, CHUNK)):
            sentences = iter(shuffled(rng, [sentence for paragraph in chunk for sentence in paragraph]))
            yield "".join(f"{' '.join(islice(sentences, len(paragraph)))}\n\n" for paragraph in chunk)


@dataclass(frozen=True)
class Topic:
    """What a needle and its distractors are about, and how one of them is asked for."""

    kind: Literal["people", "places"]
    """Of the answers."""
    stem: str
    """A sentence that lacks the answer, its last words."""
    question: str
    qualities: tuple[str, ...]
    subjects: tuple[str, ...]

    @cached_property
    def told(self) -> re.Pattern[str]:
        """A sentence of the topic: quality, subject, who, answer."""
        return self._pattern(f"{self.stem} (?P<answer>[A-Z][a-z]+ [A-Z][a-z]+)\\.")

    @cached_property
    def asked(self) -> re.Pattern[str]:
        """A question of the topic: quality, subject, who."""
        return self._pattern(self.question.replace("?", r"\?"))

    def _pattern(self, template: str) -> re.Pattern[str]:
        slots = {"quality": "|".join(self.qualities), "subject": "|".join(self.subjects), "who": "[A-Z][a-z]+"}
        return re.compile(template.format(**{name: f"(?P<{name}>{pattern})" for name, pattern in slots.items()}))


def _topics(kind: Literal["people", "places"], text: str) -> list[Topic]:
    """From blocks of four lines: stem, question, qualities, subjects."""
    topics = []
    for block in text.strip().split("\n\n"):
        stem, question, qualities, subjects = block.split("\n")
        topics.append(Topic(kind, stem, question, tuple(qualities.split(", ")), tuple(subjects.split(", "))))
    return topics


TOPICS = _topics(
    "people",
    """
The {quality} advice about {subject} that {who} ever got came from
Who gave {who} the {quality} advice about {subject}?
most useful, least useful, strangest, shortest
keeping bees, keeping goats, keeping geese, keeping rabbits

The {quality} repair of the {subject} for {who} was done by
Who did the {quality} repair of the {subject} for {who}?
first, second, third, last
cello, lute, harp, zither

The {quality} map of the {subject} that {who} owned was drawn by
Who drew the {quality} map of the {subject} that {who} owned?
oldest, newest, largest, smallest
northern marshes, southern marshes, eastern marshes, western marshes

The {quality} prize for {subject} that {who} ever won was handed over by
Who handed over the {quality} prize for {subject} that {who} ever won?
first, last, largest, smallest
growing pears, growing plums, growing leeks, growing melons

The {quality} recipe for {subject} that {who} cooked by was written down by
Who wrote down the {quality} recipe for {subject} that {who} cooked by?
oldest, simplest, spiciest, longest
barley soup, onion soup, lentil soup, cabbage soup

The {quality} song about {subject} that {who} used to sing was composed by
Who composed the {quality} song about {subject} that {who} used to sing?
saddest, merriest, shortest, longest
the miller, the ferryman, the shepherd, the smith

The {quality} loan for {subject} that {who} ever took was granted by
Who granted {who} the {quality} loan for {subject}?
largest, smallest, first, last
a barn, a boat, a loom, a mill

The {quality} bid for the {subject} that {who} put up for sale was made by
Who made the {quality} bid for the {subject} that {who} put up for sale?
highest, lowest, first, last
silver teapot, silver candlestick, silver mirror, silver inkwell

The {quality} game of {subject} that {who} ever lost was won by
Who won the {quality} game of {subject} that {who} ever lost?
shortest, longest, closest, quietest
chess, draughts, dominoes, backgammon

The {quality} speech about the {subject} that {who} had to hear was given by
Who gave the {quality} speech about the {subject} that {who} had to hear?
longest, shortest, wittiest, dullest
new bridge, new market, new school, new harbour
""",
) + _topics(
    "places",
    """
The {quality} night that {who} spent travelling by {subject} was in
Where did {who} spend the {quality} night of travelling by {subject}?
coldest, warmest, longest, merriest
barge, sledge, ferry, wagon

The {quality} letter about the {subject} that {who} wrote was posted in
Where was the {quality} letter about the {subject} that {who} wrote posted?
first, last, longest, angriest
flood, drought, fire, frost

The {quality} lesson in {subject} that {who} ever took was held in
Where did {who} take the {quality} lesson in {subject}?
first, last, hardest, easiest
fencing, juggling, archery, wrestling

The {quality} dream about {subject} that {who} ever had was dreamt in
Where did {who} have the {quality} dream about {subject}?
strangest, sweetest, first, last
owls, wolves, eels, moths

The {quality} storm of the {subject} voyage caught {who} near
Near which place was {who} caught in the {quality} storm of the {subject} voyage?
first, last, fiercest, mildest
spring, summer, autumn, winter

The {quality} delivery of {subject} that {who} ever paid for came from
Where did the {quality} delivery of {subject} that {who} paid for come from?
first, last, heaviest, lightest
linen, silk, wool, cotton
""",
)


class DistractorsParams(FamilyParams):
    """The parameters of `distractors`."""

    haystack: str = Field("prose", description=" | ".join(form for name, form in haystacks.FORMS.items() if name != "needles"))
    order: Literal["ordered", "shuffled"] = Field("ordered", description="the sentences of the prose: as told, or shuffled")
    distractors: int = Field(4, ge=0, le=MOST, description="similar sentences with wrong answers, for every question")
    questions: int = Field(
        1, ge=1, le=8, description="questions about one context, each with a needle and distractors of its own topic"
    )

    @field_validator("haystack")
    @classmethod
    def _haystack(cls, value: str) -> str:
        if value == "needles":
            raise ValueError("a sentence about people cannot hide among vault numbers; use another haystack than 'needles'")
        return haystacks.check(value)

    @model_validator(mode="after")
    def _fits_together(self) -> DistractorsParams:
        if self.order == "shuffled" and self.haystack != "prose":
            raise ValueError(f"order=shuffled is for haystack=prose only, not {self.haystack}; leave one of them at its default")
        return self


class Distractors(Family[DistractorsParams]):
    """The task family `distractors`."""

    family = "distractors"
    version = 1
    Params = DistractorsParams

    @property
    def chance(self) -> float:
        """Of the needle and its distractors, picked blindly, one is right; each names one answer, so its F1 is 1 or 0."""
        return 1 / (1 + self.params.distractors)

    @property
    def floors(self) -> str:  # noqa: D102
        n = self.params.distractors
        blindly = f"the answer of any sentence of the topic, picked blindly, scores {self.chance:.2g} (1 / (1 + distractors))"
        if n + self.params.questions == 1:
            blindly = "the only invented full name or place in the text is the answer: naming it scores 1"
        return f"{blindly}; naming them all official 1, strict {2 / (2 + n):.2g}; printing the context official 1, strict 0"

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:  # noqa: D102
        p = self.params
        assert depth is not None
        # Drawn for the most distractors there can be: fewer of them are the same ones without the last.
        rng = self.rng(seed, index)
        drawn = {"people": names.people(rng, "sample"), "places": names.places(rng, "sample")}
        given = names.given(rng, "sample")
        planted: list[str] = []
        similar: list[str] = []
        questions = []
        for topic in shuffled(rng, TOPICS, p.questions):
            facts = _facts(topic, given, rng)
            stems = [topic.stem.format(**fact) for fact in facts]
            answers = list(islice(drawn[topic.kind], len(facts)))
            needle, *others = (f"{stem} {answer}." for stem, answer in zip(stems, answers, strict=True))
            questions.append(
                self.ask(
                    f"{topic.question.format(**facts[0])} Answer with the name only.",
                    answers[:1],
                    prefix=stems[0],
                    budget=56,
                    support=[len(planted)] if p.questions * (1 + p.distractors) > 1 else (),
                )
            )
            planted.append(needle)
            similar += others[: p.distractors]
        return Draft(
            instruction="Read the text below. A question about one of its sentences follows it.\n\nText:",
            haystack=f"shuffled:{seed}" if p.order == "shuffled" else haystacks.resolve(p.haystack, seed=seed, needle_type=""),
            start=sample_start(seed, index),
            needles=(
                *(Needle(text, depth) for text in planted),
                *(Needle(text, place) for text, place in zip(similar, self._places(depth, len(similar), seed, index), strict=True)),
            ),
            questions=tuple(questions),
        )

    def _places(self, depth: float, count: int, seed: int, index: int) -> list[float]:
        """Depths spread over the context in random order; one that is near `depth` moves on by half of the context."""
        rng = self.rng("places", count, seed, index)
        places = [(int(i) + uniform(rng)) / count for i in permutation(rng, count)]
        return [place if abs(place - depth) >= GAP else (place + 0.5) % 1 for place in places]

    def score(self, question: Question, text: str) -> Score:
        """Official: 1 if the gold name is found in the output, ignoring case (context-rot leaves this to a judge model).

        Strict: F1 of the names in the output, of people or of places as asked, against the gold one; 0 for an output of more words
        than the answer's token budget. `wrong_name`: whether any name but the gold one was named.
        """
        (gold,) = question.answers
        find = names.places_in if names.places_in(gold) else names.people_in
        said = set(find(text))
        return Score(
            official=float(gold.lower() in text.lower()),
            strict=0.0 if too_long(text, question.max_new_tokens) else set_f1(said, {gold}),
            details={"wrong_name": float(bool(said - {gold}))},
        )

    def solve(self, text: str) -> str:
        """Read the last question, look for the sentence with the same quality, subject and person."""
        asked = _asked(text)
        if not asked:
            return ""
        topic, fact = asked
        return next((found["answer"] for found in topic.told.finditer(text) if fact.items() <= found.groupdict().items()), "")

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """The answer of any sentence of the asked topic; a made-up one if there is none."""
        asked = _asked(text)
        seen = [found["answer"] for found in asked[0].told.finditer(text)] if asked else []
        return pick(rng, seen or [next(names.people(rng, "sample"))])


def _facts(topic: Topic, given: Iterator[str], rng: np.random.Generator) -> list[dict[str, str]]:
    """What the needle says but its answer, and what `MOST` distractors say.

    One attribute is the same in all of them; every combination of three values of the two others is there once. They come in
    random order, the needle first: of however many are taken, it is any, and nothing that they have in common tells it from them.
    """
    values = {"quality": shuffled(rng, topic.qualities), "subject": shuffled(rng, topic.subjects), "who": list(islice(given, 3))}
    same = pick(rng, tuple(values))
    combinations = product(*(words[: 1 if name == same else 3] for name, words in values.items()))
    return [dict(zip(values, words, strict=True)) for words in shuffled(rng, list(combinations))]


def _asked(text: str) -> tuple[Topic, dict[str, str]] | None:
    """The topic of the last question in a text, and what is asked."""
    questions = [(found.start(), topic, found.groupdict()) for topic in TOPICS for found in topic.asked.finditer(text)]
    return max(questions, key=lambda question: question[0])[1:] if questions else None
