"""Multi-round coreference: repeat the i-th of several answers to the same request.

A transcript of a user and an assistant; several of the user's requests are the same, word for word, and their answers differ. The
question gives a code and asks for the code and the i-th of those answers, verbatim. It measures whether a model can tell apart
texts that only their order distinguishes, and copy one of them. After MRCR (Michelangelo, arXiv:2409.12640; openai/mrcr on Hugging
Face; google-deepmind/eval_hub for version 2). Requests and texts are our own (`lceval.tasks.passages`).

The original keeps only the message index of the asked answer, leaves the answer's budget out of the length, and has one score for
finding and copying. Here the asked answer stands at the grid's depth, the length holds everything, and a score of its own says
whether the right answer was found. All other requests differ from the repeated one in their topic; texts are generated, and short.

Cells of an index share the transcript up to the first of the alike answers; those whose asked answer aims at the same token, such
as (8k, 0.2) and (16k, 0.1), up to the one after it, because the earlier answers are spread over [0, depth].
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from lceval.keys import digest, generator, permutation, pick, shuffled
from lceval.tasks import passages
from lceval.tasks.family import Family, FamilyParams, evenly, sample_start
from lceval.tasks.haystacks.generated import BLOCK_CHARS
from lceval.tasks.scoring import too_long
from lceval.types import Draft, Needle, Question, Score

VERSION = 1
"""Raised whenever the exchanges of the transcript change."""

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")

_CODE = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE_CHARS = 8
_BUDGET = round(passages.LONGEST / 2.2) + _CODE_CHARS + 2
_SAME = 0.9
_CLOSE = 0.75
_LONGER = 1.2
_QUESTION = re.compile(r'"([^"\n]+)" Reply with the code (\w+) and then, word for word, the (\w+) answer')
_WORD = re.compile(r"[a-z0-9]+")


class CorefParams(FamilyParams):
    """The parameters of `coref`."""

    needles: int = Field(2, description="answers to the same request: 2, 4 or 8")
    ask: str = Field("random", description="which of them: 1 for the first, and so on; random = drawn per sample")
    questions: int = Field(
        1, ge=1, description="questions about one transcript, each about another answer, which then stand evenly"
    )

    @field_validator("needles")
    @classmethod
    def _needles(cls, value: int) -> int:
        if value not in (2, 4, 8):
            raise ValueError("use 2, 4 or 8")
        return value

    @field_validator("ask", mode="before")
    @classmethod
    def _ask(cls, value: object) -> str:
        return str(value)

    @model_validator(mode="after")
    def _fits_together(self) -> CorefParams:
        if self.ask not in ("random", *map(str, range(1, self.needles + 1))):
            raise ValueError(f"ask={self.ask} is none of the needles={self.needles} answers; use 1 to {self.needles}, or random")
        if self.questions > self.needles:
            raise ValueError(f"questions={self.questions} asks for more answers than needles={self.needles}; raise needles")
        if self.questions > 1 and self.ask != "random":
            raise ValueError(f"questions={self.questions} asks for different answers; leave ask at random")
        return self


@dataclass(frozen=True)
class Transcript:
    """Exchanges about topics that no sample has; a request comes again only after all others."""

    seed: int
    name = "transcript"
    endless = True

    @classmethod
    def of(cls, text: str) -> Self:
        """From `seed`."""
        return cls(int(text))

    @property
    def digest(self) -> str:  # noqa: D102
        return digest("transcript", VERSION, passages.VERSION, BLOCK_CHARS, self.seed)

    def blocks(self) -> Iterator[list[str]]:  # noqa: D102
        draw = passages.draws(generator("transcript", self.seed))
        items: list[str] = []
        size = 0
        for form, topic in self._requests():
            items.append(_exchange(_request(form, topic), passages.writing(form, topic, draw, passages.BRIEFEST)) + "\n")
            size += len(items[-1])
            if size >= BLOCK_CHARS:
                yield items
                items, size = [], 0

    def _requests(self) -> Iterator[tuple[str, str]]:
        rng = generator("transcript", "requests", self.seed)
        while True:
            yield from shuffled(rng, passages.requests("haystack"))


class Coref(Family[CorefParams]):
    """The task family `coref`."""

    family = "coref"
    version = 1
    Params = CorefParams

    @property
    def depth_is_free(self) -> bool:  # noqa: D102
        return self.params.questions == 1

    @property
    def chance(self) -> float:
        """One of the answers to the request, picked blindly: 1 / `needles`, for a wrong one scores 0."""
        return 1 / self.params.needles

    @property
    def floors(self) -> str:  # noqa: D102
        n = self.params.needles
        return (
            f"repeating any of the {n} answers: strict {1 / n:.3g}, official {1 / n + (1 - 1 / n) * 0.12:.2f} (a wrong one 0.12 on "
            "average); any other text official about 0.05 on average; printing the context official up to 0.32 at 1,200 "
            "characters, below 0.12 from 4,000 on, strict 0"
        )

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:
        """The alike answers keep their order at every depth; with several questions they stand evenly."""
        p = self.params
        rng = self.rng(p.needles, seed, index)
        form, topic = pick(rng, passages.requests("sample"))
        request = _request(form, topic)
        order = permutation(rng, p.needles).tolist()
        codes = ["".join(pick(rng, _CODE) for _ in range(_CODE_CHARS)) for _ in order]
        draw = passages.draws(rng)
        texts = [passages.writing(form, topic, draw) for _ in order]
        asked = order[: p.questions] if p.ask == "random" else [int(p.ask) - 1]
        depths = evenly(p.needles) if depth is None else _around(depth, asked[0], p.needles)
        return Draft(
            instruction="A user asked an assistant for many short texts.\n\nTranscript:",
            haystack=f"transcript:{seed}",
            start=sample_start(seed, index),
            needles=tuple(Needle(_exchange(request, text), place) for text, place in zip(texts, depths, strict=True)),
            questions=tuple(self._question(request, codes[i], i, texts[i]) for i in asked),
        )

    def _question(self, request: str, code: str, number: int, text: str) -> Question:
        return self.ask(
            f'The user asked more than once: "{request}" Reply with the code {code} and then, word for word, the '
            f"{ORDINALS[number]} answer. Nothing else.",
            [f"{code} {text}"],
            prefix=code,
            budget=_BUDGET,
            support=[number],
            gold=f"{code} {text}",
        )

    def score(self, question: Question, text: str) -> Score:
        """Official (OpenAI MRCR): 0 unless the reply begins with the code; else difflib's similarity of what follows and the gold.

        The reply is the answer prefix and what the model wrote after it, without white space at its ends; if the model wrote the
        prefix again, it counts once. With answer_prefix=off the code has to come from the model.

        Strict: 1 if the code is in the reply, at least 0.9 of the gold answer's words stand in it, in order, and it has at most
        1.2 times as many words, not counting the code; else 0. Of words, only letters and digits count. Of a wrong answer to the
        same request about 0.3 of the words are the same, hardly ever more than 0.65.

        Details: `mrcr_v2` (the formula of version 2: what follows the last code in the reply; 0 without one), `right_passage` (0.75
        of the gold answer's words are there: that answer was meant, however much was added or lost).
        """
        gold = question.answers[0]
        code, _, passage = gold.partition(" ")
        reply = text.strip()
        if not reply.startswith(question.answer_prefix):
            reply = f"{question.answer_prefix} {reply}".strip()
        words = _words(passage)
        said = [] if too_long(text, question.max_new_tokens) else _words(reply.replace(code, " "))
        share = sum(block.size for block in SequenceMatcher(None, said, words, autojunk=False).get_matching_blocks()) / len(words)
        return Score(
            official=_ratio(reply.removeprefix(code), gold.removeprefix(code)) if reply.startswith(code) else 0.0,
            strict=float(code in reply and share >= _SAME and len(said) <= _LONGER * len(words)),
            details={
                "mrcr_v2": _ratio(reply.rpartition(code)[2].strip(), passage) if code in reply else 0.0,
                "right_passage": float(share >= _CLOSE),
            },
        )

    def solve(self, text: str) -> str:
        """Count the answers to the request in the text."""
        asked = _QUESTION.findall(text)
        if not asked:
            return ""
        request, code, ordinal = asked[-1]
        found = _answers(text, request)
        number = ORDINALS.index(ordinal)
        return f"{code} {found[number]}" if number < len(found) else ""

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """Any of the answers to the request."""
        asked = _QUESTION.findall(text)
        found = _answers(text, asked[-1][0]) if asked else []
        return f"{asked[-1][1]} {pick(rng, found)}" if found else ""


def _request(form: str, topic: str) -> str:
    return f"Compose {'an' if form[0] in 'aeiou' else 'a'} {form} about {topic}."


def _exchange(request: str, answer: str) -> str:
    return f"User: {request}\nAssistant: {answer}"


def _answers(text: str, request: str) -> list[str]:
    """The answers to a request in a transcript, in order."""
    return re.findall(rf"^User: {re.escape(request)}\nAssistant: (.+)$", text, re.MULTILINE)


def _around(depth: float, asked: int, count: int) -> list[float]:
    """Ascending depths, the one at `asked` being `depth`: those before it evenly in [0, depth], those after it in [depth, 1]."""
    return [*(depth * d for d in evenly(asked)), depth, *(depth + (1 - depth) * d for d in evenly(count - asked - 1))]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _ratio(text: str, gold: str) -> float:
    return SequenceMatcher(None, text, gold).ratio()
