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
from math import comb
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
        "random", description="random (drawn for every sample), or same (all chains, mixed, at the cell's depth)"
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
        return (
            f"{count} of the {what} at random score {self.chance:.2g} (1 / chains); every {all_} official 1, strict "
            f"{2 / (p.chains + 1):.2g}; {self._unlinked}; printing the context official 1, strict 0"
        )

    @property
    def _unlinked(self) -> str:
        """What places in the text give away to a reader who links no two statements; chains are mixed evenly, so this is exact."""
        p, n = self.params, self.params.variables
        if p.ask == "value":
            near = (1 + p.hops / p.chains) / n
            return f"the directly assigned variable alone {2 / (n + 1):.2g}, with the next {p.hops} in the text {near:.2g}"
        last = sum(1 / comb(j * n - 1, n - 1) for j in range(1, p.chains + 1)) / p.chains
        return f"the last number before the asked variable {last:.2g}"

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:  # noqa: D102
        p = self.params
        rng = self.rng(p.chains, p.hops, seed, index)
        names = _distinct(lambda: _name(rng), p.chains * p.variables)
        numbers = _distinct(lambda: str(10_000 + below(rng, 90_000)), p.chains)
        chains = [names[i : i + p.variables] for i in range(0, len(names), p.variables)]
        planted: list[tuple[float, int, str]] = []
        for i, (chain, number) in enumerate(zip(chains, numbers, strict=True)):
            sources = [number, *(f"VAR {name}" for name in chain[:-1])]
            places = sorted(uniform(rng) for _ in chain)
            planted += [(at, i, f"VAR {name} = {source}.") for at, name, source in zip(places, chain, sources, strict=True)]
        # In the order of the text, also where all stand together: asked chains alone there would need no tracing.
        planted.sort(key=lambda statement: statement[0])
        assert depth is not None or p.placement == "random"
        fixed = depth if p.placement == "same" else None
        return Draft(
            instruction=(
                'The text below hides assignments: "VAR A = 1." gives A the value 1, and "VAR B = VAR A." gives B the value of A. '
                "Track all of them; a question about them follows the text.\n\nText:"
            ),
            haystack=haystacks.resolve(p.haystack, seed=seed, needle_type="words:numbers:one"),
            start=sample_start(seed, index),
            needles=tuple(Needle(text, at if fixed is None else fixed) for at, _, text in planted),
            questions=tuple(
                self._question(chains[i], numbers[i], [place for place, (_, j, _) in enumerate(planted) if i == j])
                for i in range(p.questions)
            ),
        )

    def _question(self, chain: list[str], number: str, support: list[int]) -> Question:
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
