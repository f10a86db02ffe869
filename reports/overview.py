"""Many tasks at a glance: one line a task, and the mean of those that belong together (RULER)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lceval.registry import GROUPS, members
from lceval.reports.tables import THRESHOLDS, Group, groups, with_missing
from lceval.reports.text import effective_text
from lceval.statistics import CellStat, EffectiveLength, Threshold, average, effective_length

if TYPE_CHECKING:
    from lceval.rows import Run


@dataclass(frozen=True, slots=True)
class Line:
    """One task, or the mean of several."""

    title: str
    anchor: int | None
    """The task's number in the report, from 1; None for a mean."""
    strict: Mapping[int, CellStat]
    """By length; `n` is 0 where a score is missing."""
    official: Mapping[int, CellStat]
    judged: Mapping[int, CellStat]
    """The strict scores with what missing answers could have been, by which the effective length is told."""
    overall: CellStat
    """The strict score over all lengths."""
    overall_official: CellStat
    coverage: float
    """Answered / planned."""
    effective: tuple[tuple[Threshold, EffectiveLength], ...]

    @property
    def reach(self) -> str:
        """The effective length to quote, by the first threshold."""
        return self.reaches[0]

    @property
    def reaches(self) -> tuple[str, ...]:
        """The same by every threshold."""
        return tuple(effective_text(list(self.strict), reach) for _, reach in self.effective)


@dataclass(frozen=True, slots=True)
class Mean:
    """The plain mean of a group's tasks, as RULER has it (arXiv:2404.06654)."""

    name: str
    """The group's, as in `lceval.registry.GROUPS`."""
    line: Line
    present: int
    """Tasks of the group that the run has."""
    members: int
    """Tasks that the group has."""
    increasing: tuple[float, float]
    """Strict and official mean over the lengths, weights 1, 2, … from the shortest to the longest: wAvg(inc)."""
    decreasing: tuple[float, float]
    """The same with the weights reversed: wAvg(dec)."""


@dataclass(frozen=True, slots=True)
class Overview:
    """All lines of a run. A group's mean takes each of its tasks as it was first planned, whatever other parameters it ran with."""

    lengths: tuple[int, ...]
    lines: tuple[Line, ...]
    means: tuple[Mean, ...]


def overview(run: Run) -> Overview:
    """The lines of a run's tasks in the order in which they were planned, and the means of groups with two or more tasks in it."""
    parts = groups(run)
    lines = tuple(line_of(group, group.title, i) for i, group in enumerate(parts, 1))
    means = []
    for name in GROUPS:
        present: dict[str, Line] = {}
        for line, group in zip(lines, parts, strict=True):
            if group.task in members(name):
                present.setdefault(group.task, line)
        if len(present) > 1:
            means.append(_mean(name, list(present.values())))
    return Overview(tuple(sorted({length for line in lines for length in line.strict})), lines, tuple(means))


def line_of(group: Group, title: str, anchor: int | None = None) -> Line:
    """A task's line."""
    return Line(
        title=title,
        anchor=anchor,
        strict={entry.length: entry.tally.strict for entry in group.lengths},
        official={entry.length: entry.tally.official for entry in group.lengths},
        judged={entry.length: with_missing(entry.tally) for entry in group.lengths},
        overall=group.overall.strict,
        overall_official=group.overall.official,
        coverage=group.overall.counts.coverage,
        effective=group.effective,
    )


def _mean(name: str, lines: Sequence[Line]) -> Mean:
    count = len(members(name))
    line = mean_of(f"{name}: mean of " + (f"{count} tasks" if len(lines) == count else f"{len(lines)} of {count} tasks"), lines)
    return Mean(
        name=name,
        line=line,
        present=len(lines),
        members=count,
        increasing=(_weighted(line.strict, 1), _weighted(line.official, 1)),
        decreasing=(_weighted(line.strict, -1), _weighted(line.official, -1)),
    )


def mean_of(title: str, lines: Sequence[Line]) -> Line:
    """The plain mean of several tasks' lines; a length has one where all of them do."""
    lengths = sorted({length for line in lines for length in line.strict})
    nothing = CellStat(0, math.nan, math.nan, math.nan)

    def means(scores: Callable[[Line], Mapping[int, CellStat]]) -> dict[int, CellStat]:
        return {length: average([scores(line).get(length, nothing) for line in lines]) for length in lengths}

    judged = means(lambda line: line.judged)
    return Line(
        title=title,
        anchor=None,
        strict=means(lambda line: line.strict),
        official=means(lambda line: line.official),
        judged=judged,
        overall=average([line.overall for line in lines]),
        overall_official=average([line.overall_official for line in lines]),
        coverage=sum(line.coverage for line in lines) / len(lines),
        effective=tuple((threshold, effective_length(judged, threshold)) for threshold in THRESHOLDS),
    )


def _weighted(scores: Mapping[int, CellStat], direction: int) -> float:
    """The mean over lengths with weights 1, 2, …; nan where a length has no score."""
    means = [scores[length].mean for length in sorted(scores)][::direction]
    return sum(weight * mean for weight, mean in enumerate(means, 1)) / (len(means) * (len(means) + 1) / 2)
