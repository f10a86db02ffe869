"""Two runs, sample by sample: where they agree, and which answers changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Any

from lceval.errors import UsageError
from lceval.rows import Row, Run


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
    strata: dict[tuple[str, int], Agreement]
    """By (task, length in tokens)."""
    differing: dict[str, tuple[object, object]]
    """Fields of the fingerprints that differ: (base, other)."""
    unpaired: tuple[int, int]
    """Answers of (base, other) that the other run has no answer for."""

    @property
    def flips(self) -> list[Pair]:
        """Pairs with different scores, the greatest loss first."""
        return sorted((pair for pair in self.overall.pairs if pair.difference), key=lambda pair: pair.difference)


def compare(base: Run, other: Run) -> Compared:
    """Pair the answers of two runs by what was asked and in which cell; failed answers have no part in it.

    Args:
        base: the run that is compared with.
        other: the run that is compared; another model, engine, variant or version.

    Raises:
        UsageError: they have no sample in common; the message names the field that differs.
    """
    ours, theirs = (_answered(run.rows) for run in (base, other))
    common = [key for key in ours if key in theirs]
    if not common:
        raise UsageError(f"{base.path} and {other.path} cannot be compared: {_why(base, other)}")
    pairs = [Pair(ours[key], theirs[key]) for key in common]
    strata: dict[tuple[str, int], list[Pair]] = defaultdict(list)
    for pair in pairs:
        strata[pair.base.task, pair.base.length].append(pair)
    fields = sorted({*base.info.fingerprint, *other.info.fingerprint})
    both = {field: (base.info.fingerprint.get(field), other.info.fingerprint.get(field)) for field in fields}
    return Compared(
        base,
        other,
        Agreement(tuple(pairs)),
        {key: Agreement(tuple(found)) for key, found in sorted(strata.items())},
        {field: (was, now) for field, (was, now) in both.items() if was != now},
        (len(ours) - len(common), len(theirs) - len(common)),
    )


def _answered(rows: Iterable[Row]) -> dict[tuple[str, int, float | None], Row]:
    return {(row.pair_key, row.length, row.depth): row for row in rows if row.strict is not None}


def _why(base: Run, other: Run) -> str:
    """The first thing that keeps two runs from having samples in common."""
    for name, run in (("the first", base), ("the second", other)):
        if not any(row.strict is not None for row in run.rows):
            return f"{name} has no answers. Finish it with the command that began it."
    for field, said in (
        ("task", lambda run: {row.task for row in run.rows}),
        ("seed", lambda run: {row.seed for row in run.rows}),
        ("length", lambda run: {row.length for row in run.rows}),
        ("depth", lambda run: {row.depth for row in run.rows}),
        ("task parameters", lambda run: {str(grid.params) for grid in run.info.grids}),
        ("version of the task", lambda run: {grid.version for grid in run.info.grids}),
        ("haystack", lambda run: {grid.haystack_digest for grid in run.info.grids}),
    ):
        one, two = said(base), said(other)
        if not one & two:
            return f"their {field} differs: {_some(one)} and {_some(two)}. Run both with the same tasks, --lengths, --seed and -T."
    return "none of their samples is the same. Run both with the same tasks, --lengths, --depths, --seed and -T."


def _some(values: Set[Any]) -> str:
    shown = sorted(map(str, values))
    return ", ".join(shown[:4]) + (", …" if len(shown) > 4 else "")
