"""Multi-document question answering: one document among many holds the answer, or two must be joined.

Measures reading at a known place among documents that look alike. The gold document stands at the cell's depth among as many
others as the length asks for, all from an invented encyclopedia (`lceval.tasks.encyclopedia`): no model knows the answer
beforehand, and no other document can hold it. With `hops=2` the question describes its entity by another document, half a round
away; documents among the others are linked like that, too. Sources: Lost in the Middle (arXiv:2307.03172,
nelson-liu/lost-in-the-middle), with its closed-book, oracle, query-aware and random-order variants; qa_1 and qa_2 of RULER
(arXiv:2404.06654, NVIDIA/RULER), which are `position=random metric=ruler_part` with one hop and with two.

What the originals got wrong: RULER's gold index depends on nothing but the number of documents, so a curve over lengths mixes in
an accidental one over depths, and its random distractors may contain the answer. Lost in the Middle counts documents instead of
tokens, skips prompts beyond the model's limit without a word, and has gold answers of one or two characters, which match by
accident. Both ask about public texts, which models answer without the documents, too. Here depth is the grid's or drawn per
sample, lengths are exact, and the answer is an invented name or a date that occurs once in the context. Documents carry no
numbers, so that they are the same at every length.

Cells of an index share the documents before the shallower of their gold documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from lceval.keys import pick, shuffled, uniform
from lceval.tasks.encyclopedia import KINDS, Attribute, Document, Kind, Writer, value_of, values, values_like
from lceval.tasks.family import Family, FamilyParams, sample_start, spread
from lceval.tasks.scoring import best_subspan_em, ruler_part, set_f1, too_long
from lceval.types import Draft, Needle, Question, Score

_WHICH = {"hard": "", "random": "all-but-", "mixed": "mixed-"}
_OFFICIAL = {"subspan_em": best_subspan_em, "ruler_part": ruler_part}
_BUDGET = 60
"""For a full sentence that restates the question, about 105 characters, and some more."""
_ONLY = "? Answer with the "
"""Where the question ends and its last sentence begins."""


class MdqaParams(FamilyParams):
    """The parameters of `mdqa`."""

    distractors: Literal["hard", "random", "mixed"] = Field(
        "mixed",
        description="other documents: hard (of the gold one's kind, all state what is asked), random (of other kinds), mixed",
    )
    hops: int = Field(1, ge=1, le=2, description="documents to join for the answer; the second stands half a round away")
    condition: Literal["open", "closed_book", "oracle"] = Field(
        "open", description="open, closed_book (no documents at all) or oracle (nothing but the gold ones)"
    )
    position: Literal["grid", "random"] = Field(
        "grid", description="where the gold document stands: at the cell's depth, or anywhere"
    )
    query_aware: bool = Field(False, description="ask all questions before the documents as well")
    random_order: bool = Field(False, description="say that the documents are in random order, as they are")
    questions: int = Field(
        1, ge=1, le=8, description="questions about one context, each with a gold document; they stand side by side"
    )
    metric: Literal["subspan_em", "ruler_part"] = Field(
        "subspan_em", description="official score: of Lost in the Middle (gold in the first line), or of RULER (gold anywhere)"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> MdqaParams:
        if self.condition != "open":
            if self.questions > 1 or self.random_order:
                raise ValueError(f"condition={self.condition} has no other documents; leave questions at 1 and random_order off")
            if self.condition == "closed_book" and self.query_aware:
                raise ValueError("condition=closed_book has no documents to ask before; leave query_aware off")
        return self


@dataclass(frozen=True)
class _Asked:
    """A question: documents to read, and what to read in the last of them."""

    text: str
    lead: str
    answer: str
    documents: tuple[Document, ...]


class Mdqa(Family[MdqaParams]):
    """The task family `mdqa`."""

    family = "mdqa"
    version = 1
    Params = MdqaParams

    @property
    def depth_is_free(self) -> bool:  # noqa: D102
        return self.params.condition == "open" and self.params.position == "grid"

    @property
    def chance(self) -> float:
        """A made-up person, place or date is never right: samples have their own."""
        return 0.0

    @property
    def floors(self) -> str:  # noqa: D102
        p = self.params
        if p.condition == "closed_book":
            return "all entities are invented: whatever is answered scores 0"
        if p.condition == "oracle":
            blind = "any value of the right type 1/2 to 1"
        elif p.distractors == "random":
            towns = " (of two towns 1/2)" if p.hops == 2 else ""
            blind = f"the asked attribute of the only document that states it 1{towns}"
        else:
            share, pairs = (2, 5) if p.distractors == "mixed" else (1, 9)
            blind = f"the asked attribute of any of k documents that states it about {p.hops * share}/k"
            if p.hops == 2:
                blind += f", of any document whose title another one mentions 1/pairs (about {pairs} among 30 documents)"
        return f"a made-up answer scores 0, without documents too; {blind}; printing the context in one line official 1, strict 0"

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:  # noqa: D102
        p = self.params
        rng = self.rng(p.hops, seed, index)
        kind = shuffled(self.rng("kinds", seed), list(KINDS.values()))[index % len(KINDS)]  # all kinds as often
        writer = Writer(rng, "sample")
        asked = [self._asked(kind, writer, rng) for _ in range(p.questions)]
        if p.condition != "open":
            depth = 0.0
        elif p.position == "random":
            depth = uniform(self.rng("position", seed, index))
        assert depth is not None
        shown = range(0 if p.condition == "closed_book" else p.hops)
        kinds = [kind.name, kind.target][: p.hops]
        return Draft(
            instruction=self._instruction([one.text for one in asked]),
            haystack=f"encyclopedia:{_WHICH[p.distractors]}{'+'.join(kinds)}:{seed}" if p.condition == "open" else "",
            start=sample_start(seed, index),
            needles=tuple(Needle(one.documents[hop].text, spread(depth, p.hops)[hop]) for hop in shown for one in asked),
            questions=tuple(
                self.ask(
                    one.text,
                    [one.answer],
                    prefix=one.lead,
                    budget=_BUDGET,
                    support=[q + hop * p.questions for hop in shown] if p.questions > 1 else (),
                )
                for q, one in enumerate(asked)
            ),
        )

    def _asked(self, kind: Kind, writer: Writer, rng: np.random.Generator) -> _Asked:
        document = writer.write(kind)
        documents: tuple[Document, ...] = (document,)
        called, attributes = kind.called(document.title), kind.asked
        if self.params.hops == 2:
            document = writer.write(KINDS[kind.target], title=document.facts[kind.link])
            documents = (*documents, document)
            called, attributes = kind.phrase.format(x=called, title=documents[0].title), tuple(_second(kind))
        attribute = pick(rng, attributes)
        only = "date" if attribute.type == "date" else "name"
        return _Asked(
            text=f"{attribute.question.format(x=called).removesuffix('?')}{_ONLY}{only} only.",
            lead=attribute.lead.format(x=called, X=called[0].upper() + called[1:]),
            answer=document.facts[attribute.name],
            documents=documents,
        )

    def _instruction(self, questions: list[str]) -> str:
        p = self.params
        if p.condition == "closed_book":
            return "Answer this question about an article of an encyclopedia from memory."
        order = " They are in random order." if p.random_order else ""
        asked = f" You will be asked: {' '.join(questions)}" if p.query_aware else ""
        if p.condition == "oracle":
            what = "This document holds" if p.hops == 1 else "These two documents together hold"
        else:
            what = "One of these documents holds" if p.hops == 1 else "Two of these documents together hold"
        return f"{what} the answer to the question at the end. Answer it from what they say.{order}{asked}\n\nDocuments:"

    def score(self, question: Question, text: str) -> Score:
        """Official: 1 if the gold answer is found (`metric`). Strict: F1 of the values named against the gold one.

        subspan_em (nelson-liu/lost-in-the-middle, `best_subspan_em`): in the first line of the output, both in lower case, without
        punctuation and articles. ruler_part (NVIDIA/RULER, `string_match_part`): anywhere in the output, ignoring case. White space
        that an answer begins with is no part of it for either: chat models like to begin with a blank line.

        Values are people, places or dates, whichever the gold answer is: full names made of the words that invented names are made
        of (`lceval.tasks.names`), and dates of day, month and year (`14 March 1642`, `March 14, 1642`). What the question says is
        not counted, nor is emphasis. Strict is 0 for an output of more words than the answer's token budget. `wrong_value`: whether
        any value but the gold one was named.
        """
        (gold,) = question.answers
        said = values_like(text, gold) - values_like(question.text, gold)
        return Score(
            official=_OFFICIAL[self.params.metric](text.lstrip(), question.answers),
            strict=0.0 if too_long(text, question.max_new_tokens) else set_f1(said, {gold}),
            details={"wrong_value": float(bool(said - {gold}))},
        )

    def solve(self, text: str) -> str:
        """Read the last question; look its entity up, by way of another if it says so."""
        title, attributes = _read(text)
        for attribute in attributes:
            title = value_of(text, title, attribute)
        return title

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """A made-up value of the right type."""
        _, attributes = _read(text)
        return next(values(rng, "haystack")[attributes[-1].type if attributes else "person"])


def _second(kind: Kind) -> list[Attribute]:
    """What is asked of the entity that a kind is linked to: nothing of the link's type, so that naming the entity is no mistake."""
    return [attribute for attribute in KINDS[kind.target].asked if attribute.type != kind[kind.link].type]


def _read(text: str) -> tuple[str, list[Attribute]]:
    """The title that the last question starts from, and the attributes that lead to its answer; nothing without a question."""
    end = text.rfind(_ONLY) + 1
    line = text[text.rfind("\n", 0, end) + 1 : end]
    for kind in KINDS.values():
        for attribute in kind.asked:
            asked = attribute.asks.search(line)
            if not asked:
                continue
            if title := kind.calls.fullmatch(asked[1]):
                return title[1], [attribute]
            for first in KINDS.values():
                if first.target == kind.name and (title := first.describes.fullmatch(asked[1])):
                    return title[1], [first[first.link], attribute]
    return "", []
