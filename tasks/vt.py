"""Variable tracking: follow chains of assignments that are scattered in the text.

Measures multi-hop tracing: `VAR A = 12345.` and, further on, `VAR B = VAR A.`, `VAR C = VAR B.`; which variables hold 12345? A
reader who finds every statement and does not link them cannot tell the asked chain from the others. Source: RULER
(arXiv:2404.06654, NVIDIA/RULER), its task `vt`; statements, instruction and questions are our own.

The original has one chain, so that naming every capitalised word scores 1; it pays for found names only; and equal names break its
chains silently. Here a second chain distracts by default, wrong names cost, and names are five consonants, all different: no name
is a word, or part of another. `ask=reverse` asks for the number at the beginning of a chain, which takes every link of it.

Cells of an index share the text before the first statement that stands elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from lceval.keys import below, pick, shuffled, uniform
from lceval.tasks import haystacks, needles
from lceval.tasks.family import Family, FamilyParams, sample_start
from lceval.tasks.scoring import ruler_all, set_f1, too_long
from lceval.types import Draft, Needle, Question, Score

_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_TOKENS_PER_NAME = 8
_NAME = re.compile(rf"(?<![A-Z])[{_LETTERS}]{{5}}(?![A-Z])", re.IGNORECASE)
_STATEMENT = re.compile(rf"\bVAR ([{_LETTERS}]{{5}}) = (?:VAR )?([{_LETTERS}]{{5}}|\d{{5}})\.")
_QUESTION = {
    "value": re.compile(r"Which variables hold the value (\d{5})\?"),
    "reverse": re.compile(rf"What is the value of the variable ([{_LETTERS}]{{5}})\?"),
}


class VtParams(FamilyParams):
    """The parameters of `vt`."""

    haystack: str = Field("prose", description=" | ".join(haystacks.FORMS.values()))
    chains: int = Field(2, ge=1, le=64, description="chains of assignments; those that are not asked about distract")
    hops: int = Field(4, ge=1, le=64, description="links of a chain: it has one more variable than that")
    ask: Literal["value", "reverse"] = Field(
        "value", description="value: all variables that hold a number; reverse: the number that the last variable of a chain holds"
    )
    placement: Literal["random", "same"] = Field(
        "random", description="random (drawn for every sample), or same (the asked chains side by side at the cell's depth)"
    )
    questions: int = Field(1, ge=1, le=64, description="questions about one context, each about another chain")

    @field_validator("haystack")
    @classmethod
    def _haystack(cls, value: str) -> str:
        return haystacks.check(value)

    @model_validator(mode="after")
    def _fits_together(self) -> VtParams:
        if self.questions > self.chains:
            raise ValueError(f"questions={self.questions} asks about more chains than chains={self.chains} plants; raise chains")
        return self

    @property
    def variables(self) -> int:
        """Variables of one chain."""
        return self.hops + 1


class Vt(Family[VtParams]):
    """The task family `vt`."""

    family = "vt"
    version = 1
    Params = VtParams

    @property
    def depth_is_free(self) -> bool:  # noqa: D102
        return self.params.placement == "same"

    @property
    def chance(self) -> float:
        """1 / chains.

        For `value`: k names out of chains · k, drawn without reading, hit k / chains of the k gold ones on average; as many are
        named as are gold, so F1 is hits / k. For `reverse`: one of as many numbers as there are chains.
        """
        return 1 / self.params.chains

    @property
    def floors(self) -> str:  # noqa: D102
        p = self.params
        what, all_ = ("variables", "variable") if p.ask == "value" else ("numbers", "number")
        if p.chains == 1:
            return f"nothing distracts (chains=1): every {all_} in the text scores 1, strict too; printing the context strict 0"
        count = p.variables if p.ask == "value" else "one"
        direct = f"; the directly assigned variable alone {2 / (p.variables + 1):.2g}" if p.ask == "value" else ""
        return (
            f"{count} of the {what} at random score {self.chance:.2g} (1 / chains); every {all_} official 1, strict "
            f"{2 / (p.chains + 1):.2g}{direct}; printing the context official 1, strict 0"
        )

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:  # noqa: D102
        p = self.params
        rng = self.rng(p.chains, p.hops, seed, index)
        names = _distinct(lambda: _name(rng), p.chains * p.variables)
        numbers = _distinct(lambda: str(10_000 + below(rng, 90_000)), p.chains)
        planted: list[Needle] = []
        questions: list[Question] = []
        for i, number in enumerate(numbers):
            chain = names[i * p.variables : (i + 1) * p.variables]
            sources = [number, *(f"VAR {name}" for name in chain)]
            depths = sorted(uniform(rng) for _ in chain)
            if p.placement == "same" and i < p.questions:
                assert depth is not None
                depths = [depth] * len(chain)
            if i < p.questions:
                support = range(len(planted), len(planted) + len(chain)) if p.chains > 1 else ()
                questions.append(self._question(chain, number, tuple(support)))
            planted += [
                Needle(f"VAR {name} = {source}.", place) for name, source, place in zip(chain, sources, depths, strict=False)
            ]
        return Draft(
            instruction=(
                'The text below hides assignments: "VAR A = 1." gives A the value 1, and "VAR B = VAR A." gives B the value of A. '
                "Track all of them; a question about them follows the text.\n\nText:"
            ),
            haystack=haystacks.resolve(p.haystack, seed=seed, needle_type="words:numbers:one"),
            start=sample_start(seed, index),
            needles=tuple(planted),
            questions=tuple(questions),
        )

    def _question(self, chain: list[str], number: str, support: tuple[int, ...]) -> Question:
        if self.params.ask == "reverse":
            return self.ask(
                f"What is the value of the variable {chain[-1]}? Answer with the number only.",
                [number],
                prefix=f"The value of {chain[-1]} is",
                budget=32,
                support=support,
            )
        return self.ask(
            f"Which variables hold the value {number}? Answer with their names only, separated by commas.",
            chain,
            prefix=f"The {len(chain)} variables that hold the value {number} are",
            budget=24 + _TOKENS_PER_NAME * len(chain),
            stop=("\n\n",),
            support=support,
        )

    def score(self, question: Question, text: str) -> Score:
        """Official: fraction of the gold strings found in the output, ignoring case (NVIDIA/RULER, `string_match_all`).

        Strict: F1 of the variables named (of the numbers, for `reverse`) against the gold ones; 0 for an output of more words than
        the answer's token budget. `exact`: all of them and no other. `direct` and `last`: whether the variable that got the number
        itself was named, and the one at the end of the chain.
        """
        gold = question.answers
        reverse = self.params.ask == "reverse"
        said = needles.named(text, "numbers") if reverse else {name.upper() for name in _NAME.findall(text)}
        strict = 0.0 if too_long(text, question.max_new_tokens) else set_f1(said, gold)
        details = {"exact": float(strict == 1)}
        if not reverse:
            details |= {"direct": float(gold[0] in said), "last": float(gold[-1] in said)}
        return Score(official=ruler_all(text, gold), strict=strict, details=details)

    def solve(self, text: str) -> str:
        """Read the last question, follow the assignments from top to bottom."""
        asked = _QUESTION[self.params.ask].findall(text)
        if not asked:
            return ""
        holds: dict[str, str] = {}
        for name, source in _STATEMENT.findall(text):
            if number := source if source.isdigit() else holds.get(source):
                holds[name] = number
        if self.params.ask == "reverse":
            return holds.get(asked[-1], "")
        return ", ".join(name for name, number in holds.items() if number == asked[-1])

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """As many of the variables in the text as a chain has, or, for `reverse`, one of the numbers; made up if there are none."""
        statements = _STATEMENT.findall(text)
        if self.params.ask == "reverse":
            numbers = [source for _, source in statements if source.isdigit()]
            return pick(rng, numbers) if numbers else str(10_000 + below(rng, 90_000))
        return ", ".join(shuffled(rng, [name for name, _ in statements] or [_name(rng)], self.params.variables))


def _name(rng: np.random.Generator) -> str:
    return "".join(pick(rng, _LETTERS) for _ in range(5))


def _distinct(draw: Callable[[], str], count: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        found[draw()] = None
    return list(found)
