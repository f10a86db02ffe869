"""A run as tables: one row per cell, one row per length, one total per task and parameters.

The denominator is the plan. Rows that ended in `error` or `overflow` have no score: they lower the coverage and are not
averaged in as 0. Rows that no command planned do not count.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from lceval.keys import digest
from lceval.reports.text import file_stem, task_text
from lceval.rows import PlannedKey, Row, Run
from lceval.statistics import (
    ABSOLUTE,
    DROP,
    RELATIVE,
    CellStat,
    EffectiveLength,
    Threshold,
    effective_length,
    summarise,
)
from lceval.types import ONE_PASS_PARAMS

if TYPE_CHECKING:
    import pandas as pd

ONE_PASS = "one pass: the other needles distract"
"""Said of scores that are not those of needles one by one."""

THRESHOLDS: tuple[Threshold, ...] = (ABSOLUTE, RELATIVE, DROP)
"""The definitions of effective length that reports show; the first is the headline."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the planned answers; `planned == answered + errors + missing`."""

    planned: int
    answered: int
    """Outcome `ok` or `truncated`: the answers that have scores."""
    truncated: int
    """Of the answered, those that hit their token budget."""
    errors: int
    """Outcome `error` or `overflow`."""
    missing: int
    """Planned, but no row stored."""

    @property
    def coverage(self) -> float:
        """Answered / planned."""
        return self.answered / self.planned


@dataclass(frozen=True, slots=True)
class Timing:
    """Cost of the answered rows; nan where nothing was measured."""

    prefill_s: float
    """Mean seconds before the first new token."""
    decode_s: float
    """Mean seconds from there to the end of the answer."""
    tokens_per_s: float
    """Prompt tokens that were computed (not cached) per second of prefill."""
    cached_share: float
    """Share of the prompt tokens that an earlier prompt had computed."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts and scores of some planned answers; a total has neither length nor depth."""

    length: int | None
    depth: float | None
    position: int | None
    """The prompt token at which the needle aims, where that is what was asked for."""
    counts: Counts
    strict: CellStat
    official: CellStat
    logprob: float
    """Mean over the answers of `Row.logprob`; nan where none was scored."""
    greedy_match: float
    """Share of the scored answers that greedy decoding says at once."""


@dataclass(frozen=True, slots=True)
class ByLength:
    """One length: its tally over all depths, and what it cost."""

    length: int
    tally: Tally
    timing: Timing


@dataclass(frozen=True, slots=True)
class Group:
    """All answers to one task with one set of parameters, by depth or by position."""

    task: str
    params: Mapping[str, Any]
    """The parameters that differ from the task's defaults."""
    by_position: bool
    """Whether the needles aim at prompt tokens, the same in every length: a triangular map."""
    one_pass: bool
    """Whether the needles of all cells of a length stand in one context."""
    cells: tuple[Tally, ...]
    """Shortest length first, smallest depth first."""
    by_depth: tuple[Tally, ...]
    """Of needles by position: the same answers by the nearest tenth of the depth; else empty."""
    lengths: tuple[ByLength, ...]
    """Shortest first."""
    overall: Tally
    effective: tuple[tuple[Threshold, EffectiveLength], ...]
    """By strict score, one per entry of `THRESHOLDS`."""
    details: Mapping[str, float]
    """Means of the task's further measures (`Score.details`) over the answers that have them."""
    thinking_words: float
    """Mean words of thought before an answer."""

    @property
    def tested(self) -> list[int]:
        """The lengths, shortest first."""
        return [entry.length for entry in self.lengths]

    @property
    def key(self) -> GroupKey:
        """What makes it another group than the others of a run."""
        return self.task, json.dumps(self.params, sort_keys=True), self.by_position

    @property
    def title(self) -> str:
        """The task and its non-default parameters, as in `niah (needles=4)`, but for what the cells show."""
        by_position, one_pass = ", by position" * self.by_position, f", {ONE_PASS}" * self.one_pass
        return f"{task_text(self.task, self._shown)}{by_position}{one_pass}"

    @property
    def stem(self) -> str:
        """The same as part of a file name."""
        one_pass = f"-one-pass-{digest(dict(self.params))[:8]}" * self.one_pass
        return file_stem(self.task, self._shown) + "-positions" * self.by_position + one_pass

    @property
    def _shown(self) -> dict[str, Any]:
        return {name: value for name, value in self.params.items() if not (self.one_pass and name in ONE_PASS_PARAMS)}

    @property
    def frame(self) -> pd.DataFrame:
        """The cells as a DataFrame: length, depth, counts, strict and official mean with bounds; one row per cell.

        Needles by position have a column more, position.
        """
        import pandas as pd

        return pd.DataFrame([flat(cell) for cell in self.cells])

    @property
    def depth_frame(self) -> pd.DataFrame:
        """`by_depth` as a DataFrame."""
        import pandas as pd

        return pd.DataFrame([flat(cell) for cell in self.by_depth])


GroupKey = tuple[str, str, bool]
"""(task, params as JSON, by position)."""


def groups(run: Run) -> tuple[Group, ...]:
    """The tables of a run, one group per task and parameters, in the order in which they were planned.

    Needles by depth and by position are two groups; a cell that both asked for belongs to both.
    """
    rows = {row.planned_key: row for row in run.rows}
    plans: dict[GroupKey, set[PlannedKey]] = {}
    one_pass: set[GroupKey] = set()
    for grid in run.info.grids:
        key = (grid.task, json.dumps(grid.params, sort_keys=True), grid.positions is not None)
        plans.setdefault(key, set()).update(grid.planned())
        if grid.one_pass:
            one_pass.add(key)
    return tuple(_group(key, keys, rows, one_pass=key in one_pass) for key, keys in plans.items() if keys)


def failures(run: Run, limit: int = 50) -> tuple[list[Row], int]:
    """The rows worth reading: no full strict score, or no answer at all.

    Args:
        run: a run.
        limit: how many rows to return at most.

    Returns:
        The first `limit` failures and the number of all failures. The lowest strict scores come first, then those
        without an answer; among equals the shorter length, which needs the least explanation, comes first.
    """
    planned = run.planned
    latest = {key: row for row in run.rows if (key := row.planned_key) in planned}
    failed = [row for row in latest.values() if row.strict is None or row.strict < 1]
    failed.sort(key=lambda row: (2.0 if row.strict is None else row.strict, row.length, row.depth or 0.0, row.index))
    return failed[:limit], len(failed)


def flat(tally: Tally) -> dict[str, Any]:
    """A tally as one flat record, for DataFrames and JSON; unknown numbers are nan."""
    counts = tally.counts
    record: dict[str, Any] = {
        "length": tally.length,
        "depth": tally.depth,
        **({} if tally.position is None else {"position": tally.position}),
        **asdict(counts),
        "coverage": counts.coverage,
    }
    for name, stat in (("strict", tally.strict), ("official", tally.official)):
        record |= {name: stat.mean, f"{name}_low": stat.low, f"{name}_high": stat.high}
    return record | {"logprob": tally.logprob, "greedy_match": tally.greedy_match}


def _group(key: GroupKey, keys: Collection[PlannedKey], rows: Mapping[PlannedKey, Row], *, one_pass: bool) -> Group:
    by_cell: dict[tuple[int, float | None], list[PlannedKey]] = {}
    by_length: dict[int, list[PlannedKey]] = {}
    by_tenth: dict[tuple[int, float], list[PlannedKey]] = {}
    task, params, by_position = key
    for planned in sorted(keys, key=lambda k: (k[3], -1.0 if k[4] is None else k[4], k[2], k[5], k[6])):
        length, depth = planned[3:5]
        by_cell.setdefault((length, depth), []).append(planned)
        by_length.setdefault(length, []).append(planned)
        if by_position and depth is not None:
            by_tenth.setdefault((length, round(depth, 1)), []).append(planned)
    lengths = tuple(
        ByLength(length, _tally(length, None, part, rows), _timing(_answered(part, rows))) for length, part in by_length.items()
    )
    scores = {entry.length: with_missing(entry.tally) for entry in lengths}
    answered = _answered(keys, rows)
    names = dict.fromkeys(name for row in answered for name in row.details)
    return Group(
        task=task,
        params=json.loads(params),
        by_position=by_position,
        one_pass=one_pass,
        cells=tuple(_tally(length, depth, part, rows, by_position=by_position) for (length, depth), part in by_cell.items()),
        by_depth=tuple(_tally(length, depth, part, rows) for (length, depth), part in by_tenth.items()),
        lengths=lengths,
        overall=_tally(None, None, [key for part in by_length.values() for key in part], rows),
        effective=tuple((threshold, effective_length(scores, threshold)) for threshold in THRESHOLDS),
        details={name: fmean(row.details[name] for row in answered if name in row.details) for name in names},
        thinking_words=fmean(row.thinking_words for row in answered) if answered else 0.0,
    )


def _tally(
    length: int | None,
    depth: float | None,
    keys: Sequence[PlannedKey],
    rows: Mapping[PlannedKey, Row],
    *,
    by_position: bool = False,
) -> Tally:
    stored = [rows[key] for key in keys if key in rows]
    answered = _answered(keys, rows)
    return Tally(
        length=length,
        depth=depth,
        position=round(depth * length) if by_position and depth is not None and length is not None else None,
        counts=Counts(
            planned=len(keys),
            answered=len(answered),
            truncated=sum(row.outcome == "truncated" for row in answered),
            errors=len(stored) - len(answered),
            missing=len(keys) - len(stored),
        ),
        strict=_stat((row, row.strict) for row in answered),
        official=_stat((row, row.official) for row in answered),
        logprob=_mean(row.logprob for row in answered),
        greedy_match=_mean(row.greedy_match for row in answered),
    )


def with_missing(tally: Tally) -> CellStat:
    """The strict score if the missing answers had all been wrong (lower bound and mean) or all right (upper bound)."""
    stat, share = tally.strict, tally.counts.coverage
    return CellStat(stat.n, stat.mean * share, stat.low * share, stat.high * share + 1 - share)


def _stat(scored: Iterable[tuple[Row, float | None]]) -> CellStat:
    known = [(score, f"{row.seed}:{row.index}") for row, score in scored if score is not None]
    return summarise([score for score, _ in known], [haystack for _, haystack in known])


def _mean(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None]
    return fmean(known) if known else math.nan


def _answered(keys: Iterable[PlannedKey], rows: Mapping[PlannedKey, Row]) -> list[Row]:
    stored = (rows[key] for key in keys if key in rows)
    return [row for row in stored if row.outcome in ("ok", "truncated")]


def _timing(rows: Sequence[Row]) -> Timing:
    if not rows:
        return Timing(math.nan, math.nan, math.nan, math.nan)
    prefill = sum(row.prefill_s for row in rows)
    prompt = sum(row.prompt_tokens for row in rows)
    cached = sum(row.cached_tokens for row in rows)
    return Timing(
        prefill_s=prefill / len(rows),
        decode_s=sum(row.decode_s for row in rows) / len(rows),
        tokens_per_s=(prompt - cached) / prefill if prefill > 0 else math.nan,
        cached_share=cached / prompt,
    )
