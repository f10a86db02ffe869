"""A run as tables: one row per cell, one row per length, one total per task and parameters.

The denominator is the plan. Rows that ended in `error` or `overflow` have no score: they lower the coverage and are not
averaged in as 0. Rows that no command planned do not count.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from lceval.keys import digest
from lceval.reports.kinds import Kind, Kinds
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
    with_coverage,
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
    kinds: Mapping[Kind, int]
    """How many of the answers fail in which way (`lceval.reports.kinds`)."""


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


_KNOWN: WeakKeyDictionary[Run, tuple[Group, ...]] = WeakKeyDictionary()


def groups(run: Run) -> tuple[Group, ...]:
    """The tables of a run, one group per task and parameters, in the order in which they were planned.

    Needles by depth and by position are two groups; a cell that both asked for belongs to both. Counted once: what is added to the
    run's rows later does not show.
    """
    if run not in _KNOWN:
        _KNOWN[run] = _groups(run)
    return _KNOWN[run]


def _groups(run: Run) -> tuple[Group, ...]:
    rows = run.answers
    plans: dict[GroupKey, set[PlannedKey]] = {}
    one_pass: set[GroupKey] = set()
    for grid in run.info.grids:
        key = (grid.task, json.dumps(grid.params, sort_keys=True), grid.positions is not None)
        plans.setdefault(key, set()).update(grid.planned())
        if grid.one_pass:
            one_pass.add(key)
    kinds = Kinds()
    return tuple(_group(key, keys, rows, kinds, one_pass=key in one_pass) for key, keys in plans.items() if keys)


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
    return record | {"logprob": tally.logprob, "greedy_match": tally.greedy_match, "kinds": dict(tally.kinds)}


class _Columns:
    """The planned answers of a group as arrays, [N] each, in one order; nan where there is no number."""

    def __init__(self, rows: Sequence[Row | None], kinds: Kinds) -> None:
        self.rows = rows
        self.stored = np.array([row is not None for row in rows])
        self.answered = np.array([row is not None and row.answered for row in rows])
        self.truncated = np.array([row is not None and row.outcome == "truncated" for row in rows])
        self.strict, self.official, self.logprob, self.greedy_match = (
            np.array(
                [math.nan if row is None or (value := getattr(row, name)) is None else value for row in rows], dtype=np.float64
            )
            for name in ("strict", "official", "logprob", "greedy_match")
        )
        numbers: dict[tuple[int, int], int] = {}
        self.haystacks = np.array([numbers.setdefault((row.seed, row.index), len(numbers)) if row else -1 for row in rows])
        self.kinds = [kinds.of(row) if row else None for row in rows]


def _group(key: GroupKey, keys: Collection[PlannedKey], rows: Mapping[PlannedKey, Row], kinds: Kinds, *, one_pass: bool) -> Group:
    by_cell: dict[tuple[int, float | None], list[int]] = {}
    by_length: dict[int, list[int]] = {}
    by_tenth: dict[tuple[int, float], list[int]] = {}
    task, params, by_position = key
    order = sorted(keys, key=lambda k: (k[3], -1.0 if k[4] is None else k[4], k[2], k[5], k[6]))
    for place, planned in enumerate(order):
        length, depth = planned[3:5]
        by_cell.setdefault((length, depth), []).append(place)
        by_length.setdefault(length, []).append(place)
        if by_position and depth is not None:
            by_tenth.setdefault((length, round(depth, 1)), []).append(place)
    columns = _Columns([rows.get(planned) for planned in order], kinds)
    lengths = tuple(
        ByLength(length, _tally(length, None, part, columns), _timing(_answered(columns, part)))
        for length, part in by_length.items()
    )
    scores = {entry.length: with_missing(entry.tally) for entry in lengths}
    answered = _answered(columns, range(len(order)))
    names = dict.fromkeys(name for row in answered for name in row.details)
    return Group(
        task=task,
        params=json.loads(params),
        by_position=by_position,
        one_pass=one_pass,
        cells=tuple(_tally(length, depth, part, columns, by_position=by_position) for (length, depth), part in by_cell.items()),
        by_depth=tuple(_tally(length, depth, part, columns) for (length, depth), part in by_tenth.items()),
        lengths=lengths,
        overall=_tally(None, None, range(len(order)), columns),
        effective=tuple((threshold, effective_length(scores, threshold)) for threshold in THRESHOLDS),
        details={name: fmean(row.details[name] for row in answered if name in row.details) for name in names},
        thinking_words=fmean(row.thinking_words for row in answered) if answered else 0.0,
    )


def _tally(length: int | None, depth: float | None, part: Sequence[int], columns: _Columns, *, by_position: bool = False) -> Tally:
    """Counts and scores of the planned answers at some places of the columns."""
    planned = np.asarray(part)
    stored, answered = planned[columns.stored[planned]], planned[columns.answered[planned]]
    return Tally(
        length=length,
        depth=depth,
        position=round(depth * length) if by_position and depth is not None and length is not None else None,
        counts=Counts(
            planned=len(planned),
            answered=len(answered),
            truncated=int(columns.truncated[answered].sum()),
            errors=len(stored) - len(answered),
            missing=len(planned) - len(stored),
        ),
        strict=_stat(columns.strict[answered], columns.haystacks[answered]),
        official=_stat(columns.official[answered], columns.haystacks[answered]),
        logprob=_mean(columns.logprob[answered]),
        greedy_match=_mean(columns.greedy_match[answered]),
        kinds=Counter(kind for place in answered if (kind := columns.kinds[place])),
    )


def with_missing(tally: Tally) -> CellStat:
    """The strict score if the missing answers had all been wrong (lower bound and mean) or all right (upper bound)."""
    return with_coverage(tally.strict, tally.counts.coverage)


def _stat(scores: NDArray[np.float64], haystacks: NDArray[np.intp]) -> CellStat:
    known = ~np.isnan(scores)
    return summarise(scores[known], haystacks[known])


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def _answered(columns: _Columns, part: Iterable[int]) -> list[Row]:
    return [row for place in part if (row := columns.rows[place]) and row.answered]


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
