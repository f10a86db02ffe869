"""Latent association: find the person whom a question means, when needle and question have no word in common.

A needle says that an invented person can see the Eiffel Tower from the bedroom window; the question asks who has a home in Paris
(one hop) or in France (two). Only knowledge of the world leads from one to the other. After NoLiMa (arXiv:2502.05167,
adobe-research/NoLiMa); its data is for non-commercial use and nothing of it is here: facts, sentences and names are our own
(`lceval.tasks.association_facts`), and a machine checks that no needle shares a stem with any question.

The original counts the haystack alone as length, draws names by a seed that depends on the order of files, and fills only the last
of several slots of a question. Its needle has the only name of its kind; here further needles, of the same relation where it has
enough, name other persons, so that neither an odd name nor the look of a needle gives the answer away.

Cells of an index share the text before the first sentence that either has planted elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from lceval.keys import pick, shuffled, uniform
from lceval.tasks import haystacks, names
from lceval.tasks.association_facts import ENTRIES, RELATIONS, Entry
from lceval.tasks.family import Family, FamilyParams, sample_start, spread
from lceval.tasks.scoring import set_f1, too_long
from lceval.types import Draft, Needle, Question, Score

AWAY = 0.2
"""How far a distractor stays from the needle, as a fraction of the length."""

_BUDGET = 48
_INSTRUCTION = (
    "Read the text below. Here and there it says something about a person; a question about one of these persons follows the text. "
    "Answering it takes general knowledge as well.\n\nText:"
)
_DISTRACTOR = "Nobody finished the long newspaper article about {}."
_PERSON = "{person}"
_TOLD = {
    relation.sentence(entry.thing, _PERSON, inverted=inverted).rstrip("."): entry
    for relation in RELATIONS.values()
    for entry in relation.entries
    for inverted in (False, True)
}
_ASKED: dict[str, set[Entry]] = {}
for _entry in ENTRIES:
    for _hop in range(len(_entry.labels)):
        _ASKED.setdefault(RELATIONS[_entry.relation].question(_entry, _hop + 1), set()).add(_entry)
_SENTENCE_END = re.compile(r"[.!?:][\"')\]”’]*\s+|\n+")
_QUESTION = re.compile(r"Which person in the text [^?\n]*\?")

Relation = Literal[
    "any",
    "landmark",
    "painting",
    "novel",
    "music",
    "currency",
    "animal",
    "event",
    "element",
    "unit",
    "moon",
    "deity",
    "sport",
]


class AssociationParams(FamilyParams):
    """The parameters of `association`."""

    haystack: str = Field("prose", description=" | ".join(form for name, form in haystacks.FORMS.items() if name != "needles"))
    hops: int = Field(1, ge=1, le=2, description="associations between needle and question: 1 or 2")
    relation: Relation = Field("any", description="what ties needle and question; any = drawn per sample")
    order: Literal["default", "inverted"] = Field("default", description="inverted: the thing comes before the person in a needle")
    questions: int = Field(1, ge=1, le=8, description="questions about one context, each about another person")
    others: int = Field(3, ge=0, le=8, description="further needles about persons that no question means")
    distractor: bool = Field(False, description="plant a sentence with the question's key word and no person, far from the needle")

    @field_validator("haystack")
    @classmethod
    def _haystack(cls, value: str) -> str:
        if value == "needles":
            raise ValueError("haystack=needles is made of the sentences of niah; use prose or another text")
        return haystacks.check(value)

    @model_validator(mode="after")
    def _fits_together(self) -> AssociationParams:
        if self.relation != "any" and self.hops not in _hops(self.relation):
            chains = ", ".join(name for name in RELATIONS if self.hops in _hops(name))
            raise ValueError(f"relation={self.relation} has no second hop; use hops=1, relation=any or one of {chains}")
        return self


class Association(Family[AssociationParams]):
    """The task family `association`."""

    family = "association"
    Params = AssociationParams

    @property
    def chance(self) -> float:
        """1 / (questions + others): `guess` names one of the planted persons, and exactly one of them is right.

        The F1 of one name against one gold name is 1 or 0, so this is the expected strict score too.
        """
        return 1 / self._planted

    @property
    def floors(self) -> str:  # noqa: D102
        n = self._planted
        blindly = f"naming a planted person blindly scores {self.chance:.2g} (1 / {n} persons)"
        if n == 1:
            blindly = "the only invented name in the text is the answer: naming it scores 1"
        return (
            f"{blindly}; closed book 0: persons are invented; naming all persons official 1, strict {2 / (n + 1):.2g}; "
            "printing the context official 1, strict 0"
        )

    @property
    def _planted(self) -> int:
        return self.params.questions + self.params.others

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:  # noqa: D102
        assert depth is not None
        p = self.params
        # Hops and order change how a fact is asked for and put, not which it is.
        rng = self.rng(p.relation, p.questions, p.others, seed, index)
        entries = self._entries(rng)
        people = list(islice(names.given(rng, "sample"), len(entries)))
        texts = [
            RELATIONS[entry.relation].sentence(entry.thing, person, inverted=p.order == "inverted")
            for entry, person in zip(entries, people, strict=True)
        ]
        depths = [depth] * p.questions + spread(depth, 1 + p.others)[1:]
        for entry in entries[: p.questions] if p.distractor else ():
            texts.append(_DISTRACTOR.format(RELATIONS[entry.relation].topic(entry, p.hops)))
            depths.append(_away(depth, uniform(rng)))
        return Draft(
            instruction=_INSTRUCTION,
            haystack=haystacks.resolve(p.haystack, seed=seed, needle_type=""),
            start=sample_start(seed, index),
            needles=tuple(Needle(*needle) for needle in zip(texts, depths, strict=True)),
            questions=tuple(self._question(q, entries[q], people[q]) for q in range(p.questions)),
        )

    def _entries(self, rng: np.random.Generator) -> list[Entry]:
        """The facts of a sample, those asked for first; no two of them could answer the same question."""
        p = self.params
        if p.relation == "any":
            asked = shuffled(rng, [name for name in RELATIONS if p.hops in _hops(name)], p.questions)
        else:
            asked = [p.relation] * p.questions
        entries: list[Entry] = []
        for i in range(p.questions + p.others):
            relation = RELATIONS[asked[i % len(asked)]]
            candidates = shuffled(rng, relation.entries) + shuffled(rng, ENTRIES)
            entries.append(_first_apart(candidates, entries))
        return entries

    def _question(self, number: int, entry: Entry, person: str) -> Question:
        return self.ask(
            f"{RELATIONS[entry.relation].question(entry, self.params.hops)} Answer with the name only.",
            [person],
            prefix="The name of this person is",
            budget=_BUDGET,
            support=[number],
        )

    def score(self, question: Question, text: str) -> Score:
        """Official: NoLiMa's `contains`, 1 if a gold name is in the output, upper and lower case as given.

        Strict: F1 of the invented persons that the output names, in any case, against the gold one; 0 for an output of more words
        than the answer's token budget.
        """
        said = set(names.given_in(text))
        return Score(
            official=float(any(answer in text for answer in question.answers)),
            strict=0.0 if too_long(text, question.max_new_tokens) else set_f1(said, question.answers),
        )

    def solve(self, text: str) -> str:
        """Look up which things the question may mean, and who of the persons in the text has to do with one of them."""
        questions = _QUESTION.findall(text)
        wanted = _ASKED.get(questions[-1], set()) if questions else set()
        return ", ".join(person for person, entry in _facts(text) if entry in wanted)

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """One of the invented persons in the text; somebody else if there are none."""
        seen = list(dict.fromkeys(names.given_in(text)))
        return pick(rng, seen) if seen else next(names.given(rng, "sample"))


def _hops(relation: str) -> range:
    """The numbers of hops that a relation has questions for."""
    return range(1, len(RELATIONS[relation].asks) + 1)


def _first_apart(candidates: Iterable[Entry], taken: Sequence[Entry]) -> Entry:
    return next(entry for entry in candidates if not any(entry.clashes(other) for other in taken))


def _away(depth: float, place: float) -> float:
    """`place` in [0, 1) on what remains of [0, 1] when all that is nearer than `AWAY` to `depth` is cut out."""
    before = max(depth - AWAY, 0.0)
    after = max(1 - depth - AWAY, 0.0)
    at = place * (before + after)
    return at if at < before else depth + AWAY + at - before


def _facts(text: str) -> list[tuple[str, Entry]]:
    """Every person and what a needle in the text ties them to, in order."""
    facts = []
    for sentence in _SENTENCE_END.split(text):
        for person in names.given_in(sentence) if "z" in sentence else ():
            entry = _TOLD.get(sentence.rstrip(".").strip().replace(person, _PERSON))
            if entry:
                facts.append((person, entry))
    return facts
