"""Needle in a haystack: retrieve the values of keys planted at known depths.

Single-key, multi-key, multi-value and multi-query retrieval are points of one parameter space, as in RULER (arXiv:2404.06654, §2
of its task table). The sentences, keys and haystacks are our own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import get_args

import numpy as np
from pydantic import Field, field_validator, model_validator

from lceval.keys import permutation, pick, uniform
from lceval.lengths import parse_positions
from lceval.tasks import haystacks, needles
from lceval.tasks.family import Family, FamilyParams, listed, sample_start, spread
from lceval.tasks.needles import NOUN, NeedleType
from lceval.tasks.scoring import too_long
from lceval.types import Draft, Needle, Question, Score

_TOKENS_PER_VALUE = {"words": 12, "numbers": 12, "uuids": 48}
_QUESTION = re.compile(r"vault (?:word|number|id)s? for (.+?)\? ")


class NiahParams(FamilyParams):
    """The parameters of `niah`."""

    haystack: str = Field("prose", description=" | ".join(haystacks.FORMS.values()))
    keys: int = Field(1, ge=1, description="keys planted; `queries` of them are asked about, the others distract")
    values: int = Field(1, ge=1, description="values of every key")
    queries: int = Field(1, ge=1, description="keys asked about in the one question")
    needle_type: str = Field("words:numbers", description="KEYS:VALUES, each words, numbers or uuids; one name means both")
    needle_depths: str = Field(
        "spread",
        description="spread (the first at the cell's depth, the others evenly around), same (all there), random, or 0.1,0.5,…",
    )
    one_pass: bool = Field(False, description="a key and a question for each of the listed needle_depths, all in one context")
    needle_positions: str = Field(
        "", description="with one_pass: prompt tokens instead of depths, such as 0,8k,64k; a length holds those before its end"
    )
    needle: str = Field("", description="your own needle sentence instead; needs question and answer")
    question: str = Field("", description="the question about your own needle")
    answer: str = Field("", description="what the answer to it must contain; several parts separated by |")
    query_first: bool = Field(False, description="ask the question before the context as well (query-aware)")
    questions: int = Field(1, ge=1, description="questions about one context, each about `queries` keys of its own")

    @field_validator("haystack")
    @classmethod
    def _haystack(cls, value: str) -> str:
        return haystacks.check(value)

    @field_validator("needle_type")
    @classmethod
    def _needle_type(cls, value: str) -> str:
        keys, _, values = value.partition(":")
        for kind in (keys, values or keys):
            if kind not in get_args(NeedleType):
                raise ValueError(f"{kind!r} is not one of {', '.join(get_args(NeedleType))}; write KEYS:VALUES or one of them")
        return f"{keys}:{values or keys}"

    @model_validator(mode="after")
    def _fits_together(self) -> NiahParams:
        self._check_one_pass()
        if self.queries * self.questions > self.keys:
            asks = f"queries={self.queries}" + (f" x questions={self.questions}" if self.questions > 1 else "")
            raise ValueError(f"{asks} asks about more keys than keys={self.keys} plants; raise keys")
        if self.questions > 1 and self.needle_depths == "spread":
            raise ValueError("questions > 1 needs needle_depths=same, so that the depth of a row is that of its own needle")
        own = (self.needle, self.question, self.answer)
        if any(own) and not all(own):
            raise ValueError("your own needle takes all three of needle=…, question=… and answer=…")
        if self.answer and not all(part.strip() for part in self.answer.split("|")):
            raise ValueError(f"answer={self.answer!r} has an empty part, which every text contains")
        values = self.planted * self.values
        for kind, count, many in ((self.key_type, self.planted, "keys"), (self.value_type, values, "keys x values")):
            if count > needles.most(kind):
                raise ValueError(
                    f"{many}={count}, but there are {needles.most(kind)} distinct {kind} for them; use needle_type=uuids"
                )
        if self.needle and self.keys * self.values > 1:
            raise ValueError("your own needle is a single one; leave keys, values and queries at 1")
        if self.needle and self.haystack == "needles":
            raise ValueError("your own needle cannot hide among generated ones; use another haystack than 'needles'")
        depths = self.listed_depths
        if depths is not None and not self.one_pass and len(depths) != self.keys * self.values:
            raise ValueError(f"needle_depths lists {len(depths)} depths for {self.keys * self.values} needles; give one each")
        return self

    def _check_one_pass(self) -> None:
        if not self.one_pass:
            if self.needle_positions:
                raise ValueError("needle_positions is for one_pass=on; otherwise --positions says where needles go")
            return
        if self.needle or (self.keys, self.values, self.queries, self.questions) != (1, 1, 1, 1):
            raise ValueError(
                "one_pass plants one key at every place and asks one question about each; leave keys, values, queries, questions "
                "and your own needle out"
            )
        if self.needle_positions and "needle_depths" in self.model_fields_set:
            raise ValueError("needle_depths and needle_positions both say where needles go; give one of them")
        if not self.needle_positions and self.listed_depths is None:
            raise ValueError("one_pass needs the places of its needles: needle_depths=0,0.5,1 or needle_positions=0,8k,64k")

    @property
    def listed_positions(self) -> tuple[int, ...]:
        """The positions of `needle_positions`, ascending."""
        return parse_positions(self.needle_positions) if self.needle_positions else ()

    @property
    def planted(self) -> int:
        """How many keys there are."""
        return len(self.listed_positions or self.listed_depths or ()) if self.one_pass else self.keys

    @property
    def asked(self) -> int:
        """How many questions there are."""
        return self.planted if self.one_pass else self.questions

    @property
    def listed_depths(self) -> tuple[float, ...] | None:
        """The explicit depths, if that is what `needle_depths` is."""
        if self.needle_depths in ("spread", "same", "random"):
            return None
        try:
            depths = tuple(float(part) for part in self.needle_depths.split(","))
        except ValueError:
            raise ValueError(
                f"needle_depths={self.needle_depths!r} is not spread, same, random or a list such as 0.1,0.5"
            ) from None
        if not all(0 <= depth <= 1 for depth in depths):
            raise ValueError(f"needle_depths={self.needle_depths} has a depth outside 0..1")
        return depths

    @property
    def key_type(self) -> NeedleType:
        """Type of the keys."""
        return self.needle_type.partition(":")[0]  # type: ignore[return-value]

    @property
    def value_type(self) -> NeedleType:
        """Type of the values."""
        return self.needle_type.partition(":")[2]  # type: ignore[return-value]


class Niah(Family[NiahParams]):
    """The task family `niah`."""

    family = "niah"
    version = 1
    Params = NiahParams

    @property
    def depth_is_free(self) -> bool:  # noqa: D102
        return self.params.needle_depths in ("spread", "same") and not self.params.one_pass

    @property
    def one_pass(self) -> bool:  # noqa: D102
        return self.params.one_pass

    @property
    def chance(self) -> float:
        """Of `queries * values` planted values out of `keys * values`, picked blindly, `queries / keys` are right: their F1.

        Among generated distractors the guess is made up, since a pick's chances would depend on the length.
        """
        p = self.params
        return 0.0 if p.needle or p.haystack == "needles" else p.queries / p.planted

    @property
    def floors(self) -> str:  # noqa: D102
        blind = f"{self.chance:.2g} (queries / keys)"
        if self.params.haystack == "needles":
            blind = "1 / needles (of numbers 0.02 at 1k, 0.0001 at 128k)"
        return f"values named without reading their keys score {blind}; made-up ones 0; printing the context official 1, strict 0"

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:  # noqa: D102
        p = self.params
        # Only what needles say decides what is drawn: the same needles in every haystack, with and without a prefix.
        rng = self.rng(p.planted, p.values, p.needle_type, seed, index)
        if p.needle:
            texts = [p.needle]
            questions = [self.ask(p.question, p.answer.split("|"), prefix="", budget=64)]
        else:
            keys = needles.take(p.key_type, p.planted, rng)
            values = needles.take(p.value_type, p.planted * p.values, rng)
            texts = [
                needles.sentence(key, value, p.value_type, several=p.values > 1)
                for key, value in zip([key for key in keys for _ in range(p.values)], values, strict=True)
            ]
            questions = [self._question(keys, values, range(i * p.queries, (i + 1) * p.queries)) for i in range(p.asked)]
        return Draft(
            instruction=self._instruction([question.text for question in questions]),
            haystack=haystacks.resolve(p.haystack, seed=seed, needle_type=f"{p.needle_type}:{'many' if p.values > 1 else 'one'}"),
            start=sample_start(seed, index),
            needles=tuple(self._placed(texts, depth, rng)),
            questions=tuple(questions),
        )

    def _placed(self, texts: Sequence[str], depth: float | None, rng: np.random.Generator) -> list[Needle]:
        if positions := self.params.listed_positions:
            return [Needle(text, position=position) for text, position in zip(texts, positions, strict=True)]
        return [Needle(text, place) for text, place in zip(texts, self._depths(depth, rng), strict=True)]

    def _depths(self, depth: float | None, rng: np.random.Generator) -> list[float]:
        p = self.params
        count = p.planted * p.values
        if p.listed_depths is not None:
            return list(p.listed_depths)
        if p.needle_depths == "random":
            return [uniform(rng) for _ in range(count)]
        assert depth is not None
        return [depth] * count if p.needle_depths == "same" else spread(depth, count)

    def _instruction(self, questions: Sequence[str]) -> str:
        p = self.params
        many = "s" if len(questions) > 1 else ""
        asked = f" The question{many} will be: {' '.join(questions)}" if p.query_first else ""
        if p.needle:
            return f"Read the text and answer the question that follows it.{asked}\n\nText:"
        noun = NOUN[p.value_type]
        return (
            f"The text below hides one or more sentences that say which vault {noun} belongs to which name. "
            f"Remember them; a question about them follows the text.{asked}\n\nText:"
        )

    def _question(self, keys: list[str], values: list[str], asked: range) -> Question:
        p = self.params
        noun, names = NOUN[p.value_type], listed([keys[i] for i in asked])
        support = range(asked.start * p.values, asked.stop * p.values)
        answers = [values[i] for i in support]
        if len(answers) == 1:
            text = f"What is the vault {noun} for {names}? Answer with the {noun} only."
            prefix = f"The vault {noun} for {names} is"
        else:
            text = f"What are all the vault {noun}s for {names}? Answer with the {noun}s only."
            prefix = f"The vault {noun}s for {names} are"
        budget = 24 + _TOKENS_PER_VALUE[p.value_type] * len(answers)
        return self.ask(
            text,
            answers,
            prefix=prefix,
            budget=budget,
            stop=("\n",) if len(answers) == 1 else ("\n\n",),  # lists may go on over lines
            support=support if len(support) < p.planted * p.values else (),
        )

    def score(self, question: Question, text: str) -> Score:
        """Official: fraction of the gold strings found, ignoring case. Strict: F1 of the values named against the gold ones.

        For your own needle, whose wrong values nobody can know, strict is official. Either way strict is 0 for an output of more
        words than the answer's token budget: no model can give one, and printing the context must not win.
        """
        gold = [answer.lower() for answer in question.answers]
        found = sum(answer in text.lower() for answer in gold)
        if too_long(text, question.max_new_tokens):
            strict = 0.0
        elif self.params.needle:
            strict = found / len(gold)
        else:
            said = needles.named(text, self.params.value_type) - needles.named(question.text, self.params.value_type)
            strict = 2 * len(said & set(gold)) / (len(said) + len(gold))
        return Score(official=found / len(gold), strict=strict)

    def solve(self, text: str) -> str:
        """Read the question, look its keys up among the needles in the text."""
        p = self.params
        if p.needle:
            return " ".join(p.answer.split("|")) if p.needle in text and p.question in text else ""
        keys = _asked(text)
        return ", ".join(fact.value for fact in needles.facts(text) if fact.key in keys)

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """As many of the planted values as are asked for, picked blindly; made-up ones among generated distractors."""
        p = self.params
        if p.needle:
            words = text.split()
            return pick(rng, words) if words else ""
        count = p.queries * p.values
        seen = [fact.value for fact in needles.facts(text)] if p.haystack != "needles" else []
        seen = seen or needles.take(p.value_type, count, rng)
        return ", ".join(seen[i] for i in permutation(rng, len(seen))[:count])


def _asked(text: str) -> set[str]:
    questions = _QUESTION.findall(text)
    return set(re.split(r", | and ", questions[-1])) if questions else set()
