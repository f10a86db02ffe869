"""What one run scores more, or less, than another on the same samples, cell by cell."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lceval.paired import score_interval

if TYPE_CHECKING:
    from lceval.reports.tables import Group, Tally
    from lceval.rows import Row, Run


@dataclass(frozen=True, slots=True)
class Delta:
    """One cell of two runs: the strict scores of the candidate minus those of the base, over the samples that both answered."""

    length: int
    depth: float | None
    position: int | None
    planned: int
    """Samples that either run planned here."""
    n: int
    """Pairs."""
    mean: float
    """nan without pairs."""
    low: float
    high: float
    """Of the paired 95 % interval."""
    wins: int
    losses: int

    @property
    def decided(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


def deltas(base: Run, other: Run, groups: Sequence[Group | None]) -> tuple[Delta, ...]:
    """The differences of one task, a cell each; shortest length first, smallest depth first.

    Args:
        base: the run that is compared with.
        other: the run that is compared.
        groups: the task in both, or in the one that planned it.
    """
    cells: dict[tuple[int | None, float | None], Tally] = {}
    for cell in (cell for group in groups if group for cell in group.cells):
        known = cells.get((cell.length, cell.depth))
        if known is None or known.counts.planned < cell.counts.planned:
            cells[cell.length, cell.depth] = cell
    task, params = next(group.key[:2] for group in groups if group)
    pairs: dict[tuple[int | None, float | None], list[tuple[float, Row]]] = defaultdict(list)
    for key, row in other.answers.items():
        partner = base.answers.get(key)
        if key[:2] != (task, params) or partner is None or partner.pair_key != row.pair_key:
            continue
        if row.strict is not None and partner.strict is not None:
            pairs[row.length, row.depth].append((row.strict - partner.strict, row))
    order = sorted(cells, key=lambda key: (key[0] or 0, -1.0 if key[1] is None else key[1]))
    return tuple(_delta(cells[key], pairs[key]) for key in order)


def _delta(cell: Tally, pairs: Sequence[tuple[float, Row]]) -> Delta:
    assert cell.length is not None
    found = [difference for difference, _ in pairs]
    numbers: dict[tuple[int, int], int] = {}
    member = [numbers.setdefault((row.seed, row.index), len(numbers)) for _, row in pairs]
    low, high = score_interval(np.array(found), np.array(member)) if found else (math.nan, math.nan)
    return Delta(
        length=cell.length,
        depth=cell.depth,
        position=cell.position,
        planned=cell.counts.planned,
        n=len(pairs),
        mean=sum(found) / len(found) if found else math.nan,
        low=low,
        high=high,
        wins=sum(difference > 0 for difference in found),
        losses=sum(difference < 0 for difference in found),
    )
