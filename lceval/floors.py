"""Scores and effective lengths that a run has to reach by itself, whatever it is compared with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lceval.errors import UsageError, unknown
from lceval.lengths import format_length, parse_length
from lceval.rows import PlannedKey, Row, Run
from lceval.statistics import ABSOLUTE, CellStat, effective_length, summarise, with_coverage

Verdict = Literal["pass", "regression", "inconclusive"]


@dataclass(frozen=True, slots=True)
class MinScore:
    """The strict score that a task has to reach."""

    task: str
    score: float
    length: int | None
    """Tokens; None: over all lengths."""

    @classmethod
    def parse(cls, text: str) -> MinScore:
        """From `niah=0.95@32k`, or `niah=0.95` for all lengths together.

        Raises:
            UsageError: not of this form.
        """
        task, _, rest = text.partition("=")
        score, _, length = rest.partition("@")
        try:
            wanted = float(score)
        except ValueError:
            wanted = -1.0
        if not task or not 0 <= wanted <= 1:
            raise UsageError(f"--min-score is {text!r}; write TASK=SCORE@LENGTH, such as niah=0.95@32k, with a score from 0 to 1.")
        return cls(task, wanted, parse_length(length) if length else None)


@dataclass(frozen=True, slots=True)
class Floor:
    """A floor, and what the run reached."""

    kind: Literal["score", "effective length"]
    task: str
    params: str
    """The parameters that differ from the task's defaults, as JSON."""
    length: int | None
    """Of a score: tokens, or None for all lengths."""
    wanted: float
    seen: float
    """The mean; the effective length by means."""
    low: float
    """By the lower bounds of the 95 % intervals, as if the missing answers were wrong."""
    high: float
    """By the upper bounds, as if they were right."""

    @property
    def verdict(self) -> Verdict:
        """Whether the run was shown to reach it, or shown not to."""
        if self.low >= self.wanted:
            return "pass"
        return "regression" if self.high < self.wanted else "inconclusive"


def judge(run: Run, scores: Sequence[MinScore], least_effective: int | None) -> list[Floor]:
    """Hold a run against floors.

    Args:
        run: the run.
        scores: what tasks have to score.
        least_effective: the effective length, in tokens, that every task has to reach by `ABSOLUTE`; None for any.

    Raises:
        UsageError: a task or length that the run does not have.
    """
    rows = {row.planned_key: row for row in run.rows if row.strict is not None}
    plans: dict[tuple[str, str], dict[int, list[PlannedKey]]] = defaultdict(lambda: defaultdict(list))
    for key in sorted(run.planned, key=str):
        plans[key[0], key[1]][key[3]].append(key)
    floors = []
    for wanted in scores:
        tasks = {group: lengths for group, lengths in plans.items() if group[0] == wanted.task}
        if not tasks:
            raise unknown("task of this run", wanted.task, {task for task, _ in plans}, "Correct --min-score.")
        for (task, params), lengths in tasks.items():
            if wanted.length is not None:
                _tested(lengths, wanted.length, "--min-score")
            keys = [key for length, part in lengths.items() if wanted.length in (None, length) for key in part]
            stat = _stat(keys, rows)
            floors.append(Floor("score", task, params, wanted.length, wanted.score, stat.mean, stat.low, stat.high))
    if least_effective is not None:
        for (task, params), lengths in plans.items():
            if max(lengths) < least_effective:
                _tested(lengths, least_effective, "--min-effective-length")
            reach = effective_length({length: _stat(keys, rows) for length, keys in lengths.items()}, ABSOLUTE)
            ends = (float(n or 0) for n in (reach.by_mean, reach.low, reach.high))
            floors.append(Floor("effective length", task, params, None, least_effective, *ends))
    return floors


def _tested(lengths: Mapping[int, object], wanted: int, option: str) -> None:
    if wanted not in lengths:
        tested = ", ".join(map(format_length, sorted(lengths)))
        raise UsageError(f"{option} names the length {format_length(wanted)}, which the run has not tested; it has {tested}.")


def _stat(keys: Sequence[PlannedKey], rows: Mapping[PlannedKey, Row]) -> CellStat:
    answered = [rows[key] for key in keys if key in rows]
    if not answered:
        return CellStat(0, 0.0, 0.0, 1.0)
    stat = summarise([row.strict or 0.0 for row in answered], [f"{row.seed}:{row.index}" for row in answered])
    return with_coverage(stat, len(answered) / len(keys))
