"""The answered rows behind each line of a report, and the standard errors that other tools show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lceval.reports.plans import planned_by_group
from lceval.reports.tables import Group, groups
from lceval.rows import Row, Run


@dataclass(frozen=True, slots=True)
class Answered:
    """One task with one set of parameters, and its rows."""

    group: Group
    rows: tuple[Row, ...]
    """The stored rows that were planned, failed ones included; by length, depth, seed, index and question."""

    def at(self, length: int) -> tuple[Row, ...]:
        """The answered rows of one length: those that have scores."""
        return tuple(row for row in self.scored if row.length == length)

    @property
    def scored(self) -> tuple[Row, ...]:
        """The answered rows of all lengths."""
        return tuple(row for row in self.rows if row.answered)


def answered(run: Run) -> tuple[Answered, ...]:
    """The groups of a run (`lceval.reports.tables.groups`) with their rows."""
    stored = {row.planned_key: row for row in run.rows}
    planned = planned_by_group(run)

    def rows(group: Group) -> tuple[Row, ...]:
        found = [stored[key] for key in planned[group.key] if key in stored]
        found.sort(key=lambda row: (row.length, -1.0 if row.depth is None else row.depth, row.seed, row.index, row.question))
        return tuple(found)

    return tuple(Answered(group, rows(group)) for group in groups(run))


def standard_error(rows: Sequence[Row], score: str) -> float:
    """The standard error of the mean score of some rows, robust to rows of one haystack (seed and index) being alike.

    Args:
        rows: answered rows.
        score: `strict` or `official`.

    Returns:
        nan where it cannot be told: fewer than two haystacks.

    Source: Liang & Zeger, "Longitudinal data analysis using generalized linear models", Biometrika 73 (1986), for a mean; as in
    Miller, "Adding Error Bars to Evals" (arXiv:2411.00640), 2.2.
    """
    if not rows:
        return math.nan
    values = np.array([getattr(row, score) for row in rows], dtype=np.float64)
    _, member = np.unique([f"{row.seed}:{row.index}" for row in rows], return_inverse=True)
    sums = np.bincount(member, weights=values - values.mean())
    count = len(sums)
    return math.sqrt(count / (count - 1) * float(sums @ sums)) / len(values) if count > 1 else math.nan
