"""What all task families have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, create_model

from lceval.keys import generator, uniform
from lceval.options import validated
from lceval.types import Draft, Question, Score


class FamilyParams(BaseModel):
    """Parameters that every family has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer_prefix: bool = Field(True, description="begin the answer for the model; off for reasoning models")
    thinking_budget: int = Field(0, ge=0, description="tokens reserved for a thought before the answer; implies no answer prefix")
    max_new_tokens: int = Field(0, ge=0, description="tokens reserved for the answer; 0 = what the answer needs")


P = TypeVar("P", bound=FamilyParams)


class Family(ABC, Generic[P]):
    """A task family; a subclass has `family`, `version`, `Params`, and what is abstract here."""

    family: ClassVar[str]
    """The registry's name of the family. What is drawn hangs on it, so that presets of a family draw alike."""
    version: ClassVar[int] = 1
    """Raised whenever prompts or answers change."""
    Params: ClassVar[type[FamilyParams]]
    preset: ClassVar[str] = ""

    def __init__(self, params: P) -> None:
        self.params = params

    @classmethod
    def from_params(cls, values: Mapping[str, Any]) -> Self:
        """The task with these parameters; the others at their defaults.

        Raises:
            UsageError: no such parameter, or a value that does not fit.
        """
        return cls(validated(cls.Params, values, what=f"parameter of {cls.preset or cls.family}"))  # type: ignore[arg-type]

    @property
    def name(self) -> str:
        """The registry's name: of the preset if this is one, else of the family."""
        return self.preset or self.family

    @property
    def given(self) -> int | None:
        """How many samples there are, where they come from a file with lengths and positions of their own; else None."""
        return None

    @property
    def digest(self) -> str:
        """Identity of that file's content; else empty."""
        return ""

    @property
    def depth_is_free(self) -> bool:
        """Whether the grid's depth says where the needle goes."""
        return True

    @property
    def one_pass(self) -> bool:
        """Whether each question of a context is about a needle at another place, which is then the depth of its cell."""
        return False

    @property
    @abstractmethod
    def chance(self) -> float:
        """The expected strict score of `guess`."""

    @property
    @abstractmethod
    def floors(self) -> str:
        """Chance level and other floors, in one line."""

    @abstractmethod
    def draft(self, depth: float | None, index: int, seed: int) -> Draft:
        """The sample `index`."""

    @abstractmethod
    def score(self, question: Question, text: str) -> Score:
        """Both scores of an answer."""

    @abstractmethod
    def solve(self, text: str) -> str:
        """Answer from the rendered prompt alone."""

    @abstractmethod
    def guess(self, text: str, rng: np.random.Generator) -> str:
        """Answer at chance level."""

    def rng(self, *parts: object) -> np.random.Generator:
        """What a sample draws from; `parts` are the parameters that its content depends on, its seed and its index."""
        return generator(self.family, self.version, *parts)

    def ask(
        self,
        text: str,
        answers: Sequence[str],
        *,
        prefix: str,
        budget: int,
        stop: Sequence[str] = ("\n",),
        support: Sequence[int] = (),
        gold: str = "",
    ) -> Question:
        """A question as the parameters want it.

        Args:
            text: the question.
            answers: the gold strings.
            prefix: the half-written answer; without it (`answer_prefix=off`, or a thinking budget) nothing stops the answer.
            budget: tokens that the answer needs, unless `max_new_tokens` says otherwise.
            stop: strings that end an answer that was begun.
            support: indices of the needles that it rests on.
            gold: what a right answer says in full, the prefix included if it is said; empty: the gold strings, joined by commas.
        """
        p = self.params
        begun = p.answer_prefix and not p.thinking_budget
        return Question(
            text=text,
            answers=tuple(answers),
            answer_prefix=prefix if begun else "",
            max_new_tokens=p.max_new_tokens or budget,
            stop=tuple(stop) if begun else (),
            thinking=p.thinking_budget,
            support=tuple(support),
            gold=gold.removeprefix(prefix).strip() if begun else gold,
        )


def preset(base: type[Family[Any]], name: str, **defaults: Any) -> type[Family[Any]]:
    """A family under another name, with other defaults.

    Args:
        base: the family.
        name: the registry's name of the preset.
        defaults: parameters and their values.
    """
    fields: dict[str, Any] = {}
    for field, value in defaults.items():
        info = base.Params.model_fields[field]
        fields[field] = (info.annotation, info.merge_field_infos(info, default=value))
    params = create_model(f"{base.Params.__name__}_{name}", __base__=base.Params, **fields)
    return type(base.__name__, (base,), {"preset": name, "Params": params, "__doc__": base.__doc__, "__module__": base.__module__})


def sample_start(seed: int, index: int) -> float:
    """Where in the haystack a sample begins: golden-ratio steps from a random point, so that samples overlap little."""
    return (_first_start(seed) + index * 0.6180339887498949) % 1


@cache
def _first_start(seed: int) -> float:
    return uniform(generator("start", seed))


def spread(depth: float, count: int) -> list[float]:
    """`count` depths at even distances, the first at `depth`; those beyond 1 go round to the beginning."""
    around = [depth + i / count for i in range(count)]
    return [d if d <= 1 else d - 1 for d in around]


def evenly(count: int) -> list[float]:
    """`count` ascending depths, each in the middle of its share."""
    return [(i + 0.5) / count for i in range(count)]


def scattered(rng: np.random.Generator, count: int) -> list[float]:
    """`count` ascending depths, each at random within its share."""
    return [(i + uniform(rng)) / count for i in range(count)]


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
