"""Runs in order: their scores, effective lengths, and the ranks that the answers allow.

Runs are ranked only among those of the same protocol, on the same samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lceval.errors import StoreError, UsageError
from lceval.ranking import RankRange, rank_ranges
from lceval.reports.overview import Line, line_of, mean_of
from lceval.reports.plans import planned_by_group
from lceval.reports.protocol import Protocol, differing, entry_text, protocol_of
from lceval.reports.tables import Group, GroupKey, groups
from lceval.reports.text import safe_name
from lceval.rows import Run
from lceval.statistics import CellStat


@dataclass(frozen=True, slots=True)
class Entry:
    """A run on the board."""

    label: str
    slug: str
    """Of its page; no two entries have the same."""
    run: Run
    setting: str
    """What answered, in one line."""
    tasks: Mapping[GroupKey, Group]
    line: Line
    """Its task, or the mean of its tasks."""

    def line_for(self, task: GroupKey | None) -> Line:
        """One task's line; None is all tasks together."""
        return self.line if task is None else line_of(self.tasks[task], self.tasks[task].title)


@dataclass(frozen=True, slots=True)
class Standing:
    """An entry in one view of a board."""

    entry: Entry
    rank: RankRange
    score: CellStat
    """The strict score: of one task or the plain mean of all, at one length or over all."""
    coverage: float
    """Answered / planned here; of several tasks the mean."""
    line: Line
    """The same task or mean over all lengths, with its effective length."""


@dataclass(frozen=True, slots=True)
class View:
    """What a board shows at a time."""

    task: GroupKey | None
    """None: all tasks, the plain mean of theirs."""
    length: int | None
    """Tokens; None: all lengths."""
    standings: tuple[Standing, ...]
    """The highest score first; entries without an answer here last."""


@dataclass(frozen=True, slots=True)
class Board:
    """Runs of one protocol."""

    protocol: Protocol
    apart: Mapping[str, tuple[str, str]]
    """Why it is not the first board: setting -> (there, here)."""
    titles: Mapping[GroupKey, str]
    """The tasks, as planned."""
    lengths: tuple[int, ...]
    entries: tuple[Entry, ...]
    views: tuple[View, ...]
    """All tasks at all lengths first; then every other choice."""


def boards(runs: Sequence[Run]) -> tuple[Board, ...]:
    """Sort runs into boards, the one with the most entries first.

    Raises:
        StoreError: a run without answers.
        UsageError: no run, or the same one twice.
    """
    places = [run.path.resolve() for run in runs]
    if not runs or len(set(places)) < len(places):
        twice = ", ".join(str(run.path) for run in runs) or "no run"
        raise UsageError(f"{twice}: a leaderboard takes one run or more, each once.")
    for run in runs:
        if not any(row.answered for row in run.rows):
            raise StoreError(f"the run {str(run.path)!r} has no answers yet. Run the command that made it again.")
    found: dict[str, tuple[Protocol, list[Entry]]] = {}
    for run, label, slug in zip(runs, *_names(runs), strict=True):
        protocol = protocol_of(run)
        found.setdefault(protocol.id, (protocol, []))[1].append(_entry(run, label, slug))
    ordered = sorted(found.values(), key=lambda part: -len(part[1]))
    return tuple(_board(protocol, entries, differing(ordered[0][0], protocol)) for protocol, entries in ordered)


def _names(runs: Sequence[Run]) -> tuple[list[str], list[str]]:
    """Labels and slugs; runs of one name are told apart by their folders, and then by number."""
    labels = [f"{run.info.model} · {run.info.variant}" if run.info.variant else run.info.model for run in runs]
    counts = Counter(labels)
    labels = [
        f"{label} ({run.path.resolve().name})" if counts[label] > 1 else label for label, run in zip(labels, runs, strict=True)
    ]
    slugs: list[str] = []
    for n, label in enumerate(labels, 1):
        slug = safe_name(label)[:80].lower()
        slugs.append(f"{slug}-{n}" if slug in slugs else slug)
    counts = Counter(labels)
    return [f"{label} #{n}" if counts[label] > 1 else label for n, label in enumerate(labels, 1)], slugs


def _entry(run: Run, label: str, slug: str) -> Entry:
    tasks = {group.key: group for group in groups(run)}
    lines = [line_of(group, group.title) for group in tasks.values()]
    line = lines[0] if len(lines) == 1 else mean_of(f"mean of {len(lines)} tasks", lines)
    return Entry(label, slug, run, entry_text(run), tasks, line)


def _board(protocol: Protocol, entries: Sequence[Entry], apart: Mapping[str, tuple[str, str]]) -> Board:
    tasks = entries[0].tasks
    lengths = tuple(sorted({length for group in tasks.values() for length in group.tested}))
    samples = _samples(entries)
    chosen: list[GroupKey | None] = [None, *tasks] if len(tasks) > 1 else [None]
    views = (_view(entries, samples, task, length) for task in chosen for length in (None, *lengths) if _asked(tasks, task, length))
    titles = {key: group.title for key, group in tasks.items()}
    return Board(protocol, apart, titles, lengths, tuple(entries), tuple(views))


def _asked(tasks: Mapping[GroupKey, Group], task: GroupKey | None, length: int | None) -> bool:
    """Whether a view has something to show: all of its tasks were asked at its length."""
    return length is None or all(length in group.tested for key, group in tasks.items() if task in (None, key))


@dataclass(frozen=True, slots=True)
class _Samples:
    """The planned samples of a board's entries."""

    scores: np.ndarray[tuple[int, int], np.dtype[np.float64]]
    """[entries, samples] strict; nan where there is no answer."""
    tasks: np.ndarray[tuple[int], np.dtype[np.int64]]
    """[samples] which of the board's tasks."""
    lengths: np.ndarray[tuple[int], np.dtype[np.int64]]
    clusters: np.ndarray[tuple[int], np.dtype[np.str_]]
    """[samples] which haystack."""


def _samples(entries: Sequence[Entry]) -> _Samples:
    planned = planned_by_group(entries[0].run)
    keys = [(n, key) for n, task in enumerate(entries[0].tasks) for key in sorted(planned[task], key=repr)]
    strict = [{row.planned_key: row.strict for row in entry.run.rows if row.answered} for entry in entries]
    return _Samples(
        np.array([[np.nan if (score := found.get(key)) is None else score for _, key in keys] for found in strict]),
        np.array([n for n, _ in keys]),
        np.array([key[3] for _, key in keys]),
        np.array([f"{n}:{key[2]}:{key[5]}" for n, key in keys]),
    )


def _view(entries: Sequence[Entry], samples: _Samples, task: GroupKey | None, length: int | None) -> View:
    numbers = {key: n for n, key in enumerate(entries[0].tasks)}
    kept = np.ones(len(samples.lengths), dtype=bool) if length is None else samples.lengths == length
    if task is not None:
        kept &= samples.tasks == numbers[task]
    share = 1 / np.bincount(samples.tasks[kept], minlength=len(numbers)).clip(1)  # every task weighs the same
    weights = share[samples.tasks[kept]]
    weights /= weights.sum()
    scores = samples.scores[:, kept]
    ranks, covered = rank_ranges(scores, samples.clusters[kept], weights), ~np.isnan(scores) @ weights
    standings = []
    for entry, rank, coverage in zip(entries, ranks, covered, strict=True):
        line = entry.line_for(task)
        score = line.overall if length is None else line.strict[length]
        standings.append(Standing(entry, rank, score, round(float(coverage), 12), line))
    standings.sort(key=lambda one: (-one.score.mean if one.score.n else 1.0, one.rank.best, one.entry.label))
    return View(task, length, tuple(standings))
