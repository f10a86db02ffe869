"""Two runs, sample by sample: how much they differ, how sure that is, and which answers changed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

import numpy as np

from lceval.errors import UsageError
from lceval.paired import Members, Values, holm, mean_interval, score_interval, sign_flip
from lceval.rows import Grid, Row, Run
from lceval.store import text_differences


class Stratum(NamedTuple):
    """The answers that are judged together: those to one task at one length."""

    task: str
    params: str
    """The parameters that differ from the task's defaults, as JSON."""
    length: int


class Scored(Protocol):
    """What is compared of an answer."""

    @property
    def seed(self) -> int:
        """With the index: the haystack."""
        ...

    @property
    def index(self) -> int:
        """The sample."""
        ...

    @property
    def strict(self) -> float | None:
        """The strict score."""
        ...

    @property
    def logprob(self) -> float | None:
        """Mean log-probability of the gold answer's tokens."""
        ...


Measure = Literal["strict", "logprob"]
S = TypeVar("S", bound=Scored)
T = TypeVar("T", bound=Scored)


class AnswerKey(NamedTuple):
    """What was asked, and in which cell: equal in runs of any model."""

    stratum: Stratum
    pair_key: str
    depth: float | None


def by_key(rows: Iterable[Row]) -> dict[AnswerKey, Row]:
    """The scored rows by what was asked and in which cell."""
    return {
        AnswerKey(Stratum(row.task, json.dumps(row.params, sort_keys=True), row.length), row.pair_key, row.depth): row
        for row in rows
        if row.strict is not None
    }


def paired(base: Mapping[AnswerKey, S], other: Mapping[AnswerKey, T]) -> dict[Stratum, list[tuple[S, T]]]:
    """The answers that both have, by stratum, in the order of task, parameters and length."""
    strata: dict[Stratum, list[tuple[S, T]]] = defaultdict(list)
    for key, answer in base.items():
        if key in other:
            strata[key.stratum].append((answer, other[key]))
    return dict(sorted(strata.items()))


def differences(pairs: Iterable[tuple[Scored, Scored]], measure: Measure) -> tuple[Values, Members]:
    """[N] the second answer's value minus the first's, where both have one, and [N] which haystack each pair belongs to."""
    known = [
        ((pair[0].seed, pair[0].index), now - was)
        for pair in pairs
        if (was := getattr(pair[0], measure)) is not None and (now := getattr(pair[1], measure)) is not None
    ]
    haystacks = {haystack: i for i, haystack in enumerate(sorted({haystack for haystack, _ in known}))}
    return np.array([change for _, change in known]), np.array([haystacks[haystack] for haystack, _ in known], dtype=np.intp)


@dataclass(frozen=True, slots=True)
class Change:
    """A mean difference, the run's minus the base's, with its 95 % interval."""

    n: int
    mean: float
    low: float
    high: float
    p: float
    """Of no change at all, two-sided (`lceval.paired.sign_flip`)."""


@dataclass(frozen=True)
class Pair:
    """One sample, answered twice."""

    base: Row
    other: Row

    @property
    def difference(self) -> float:
        """Strict score of the other answer minus that of the base."""
        return (self.other.strict or 0.0) - (self.base.strict or 0.0)

    @property
    def same_text(self) -> bool:
        """Whether both said the same."""
        return self.base.output == self.other.output


@dataclass(frozen=True)
class Agreement:
    """What pairs have in common."""

    pairs: tuple[Pair, ...]

    @property
    def base(self) -> float:
        """Mean strict score of the base."""
        return sum(pair.base.strict or 0.0 for pair in self.pairs) / len(self.pairs)

    @property
    def other(self) -> float:
        """Mean strict score of the other run."""
        return sum(pair.other.strict or 0.0 for pair in self.pairs) / len(self.pairs)

    @cached_property
    def score(self) -> Change:
        """How much the strict score changed."""
        values, member = differences(((pair.base, pair.other) for pair in self.pairs), "strict")
        low, high = score_interval(values, member)
        return Change(len(values), float(values.mean()), low, high, sign_flip(values, member))

    @cached_property
    def logprob(self) -> Change | None:
        """How much the log-probability of the gold answer changed, in nats a token; None where the runs have none in common."""
        values, member = differences(((pair.base, pair.other) for pair in self.pairs), "logprob")
        if not len(values):
            return None
        low, high = mean_interval(values, member)
        return Change(len(values), float(values.mean()), low, high, sign_flip(values, member))

    @property
    def wins(self) -> int:
        """Samples on which the other run scores higher."""
        return sum(pair.difference > 0 for pair in self.pairs)

    @property
    def losses(self) -> int:
        """Samples on which it scores lower."""
        return sum(pair.difference < 0 for pair in self.pairs)

    @property
    def same_texts(self) -> int:
        """Samples on which both say the same."""
        return sum(pair.same_text for pair in self.pairs)

    @property
    def same_prompts(self) -> int:
        """Samples whose prompts are equal, token for token."""
        return sum(pair.base.prompt_sha256 == pair.other.prompt_sha256 for pair in self.pairs)


@dataclass(frozen=True)
class Compared:
    """Two runs, paired."""

    base: Run
    other: Run
    overall: Agreement
    strata: dict[Stratum, Agreement]
    differing: dict[str, tuple[object, object]]
    """Fields of the fingerprints that differ: (base, other)."""
    unpaired: tuple[int, int]
    """Answers of (base, other) that the other run has no answer for."""

    @property
    def flips(self) -> list[Pair]:
        """Pairs with different scores, the greatest loss first."""
        return sorted((pair for pair in self.overall.pairs if pair.difference), key=lambda pair: pair.difference)

    @property
    def haystacks(self) -> int:
        """How many independent contexts the pairs are about."""
        return len({(pair.base.seed, pair.base.index) for pair in self.overall.pairs})

    @cached_property
    def p(self) -> dict[Stratum, float]:
        """The p-values of the strata's scores, adjusted for their number by Holm's method."""
        return dict(zip(self.strata, holm([part.score.p for part in self.strata.values()]), strict=True))


def compare(base: Run, other: Run) -> Compared:
    """Pair the answers of two runs by what was asked and in which cell; failed answers have no part in it.

    Args:
        base: the run that is compared with.
        other: the run that is compared; another model, engine, variant or version.

    Raises:
        UsageError: they have no sample in common, or texts differ under one name; the message names the field that differs.
    """
    ours, theirs = by_key(base.rows), by_key(other.rows)
    strata = paired(ours, theirs)
    for run, found in ((base, ours), (other, theirs)):
        if not found:
            raise UsageError(f"{run.path} cannot be compared: it has no answers. Finish it with the command that began it.")
    if why := incomparable(base.info.grids, other.info.grids, common=bool(strata)):
        raise UsageError(f"{base.path} and {other.path} cannot be compared: {why}")
    parts = {stratum: Agreement(tuple(Pair(*pair) for pair in pairs)) for stratum, pairs in strata.items()}
    overall = Agreement(tuple(pair for part in parts.values() for pair in part.pairs))
    unpaired = len(ours) - len(overall.pairs), len(theirs) - len(overall.pairs)
    return Compared(base, other, overall, parts, differing(base.info.fingerprint, other.info.fingerprint), unpaired)


def differing(base: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, tuple[object, object]]:
    """The fields in which two fingerprints differ: (base, other)."""
    both = {field: (base.get(field), other.get(field)) for field in sorted({*base, *other})}
    return {field: (was, now) for field, (was, now) in both.items() if was != now}


def incomparable(base: Sequence[Grid], other: Sequence[Grid], *, common: bool) -> str:
    """The first thing that keeps the answers of two runs from being compared, and the way out; nothing if they can be.

    Args:
        base: what one run planned.
        other: what the other planned.
        common: whether they have samples in common.
    """
    for field, was, now in text_differences(base, other):
        return f"{field} was {was!r} and is now {now!r}. Run both with the same version of lceval and the same texts."
    if common:
        return ""
    fields: dict[str, Callable[[Grid], set[Any]]] = {
        "task": lambda grid: {grid.task},
        "seed": lambda grid: {grid.seed},
        "length": lambda grid: set(grid.lengths),
        "depth": lambda grid: set(grid.depths),
        "task parameters": lambda grid: {json.dumps(grid.params, sort_keys=True)},
    }
    for field, said in fields.items():
        one, two = ({value for grid in grids for value in said(grid)} for grids in (base, other))
        if not one & two:
            return f"their {field} differs: {_some(one)} and {_some(two)}. Run both with the same tasks, --lengths, --seed and -T."
    return "none of their samples is the same. Run both with the same tasks, --lengths, --depths, --seed and -T."


def _some(values: Iterable[Any]) -> str:
    shown = sorted(map(str, values))
    return ", ".join(shown[:4]) + (", …" if len(shown) > 4 else "")
