"""Several runs side by side: the variants of a model, or any other runs.

Every function here takes what `compare` made of the runs; `write_comparison` does it all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lceval.errors import StoreError
from lceval.reports.difference import Delta, deltas
from lceval.reports.excerpt import Excerpt
from lceval.reports.overview import Line, line_of, mean_of
from lceval.reports.tables import Group, GroupKey, groups
from lceval.reports.text import value_text
from lceval.rows import PlannedKey, Run


@dataclass(frozen=True, slots=True)
class Compared:
    """One task, or the mean of several, in each of the runs."""

    title: str
    stem: str
    """As part of a file name; empty for a mean."""
    lengths: tuple[int, ...]
    groups: tuple[Group | None, ...]
    """By run; None where it was not asked for. Of a mean, all are."""
    lines: tuple[Line | None, ...]
    """By run, titled with the run's label."""
    differences: tuple[tuple[Delta, ...], ...] = ()
    """By run: its cells against those of the base; empty for the base, and where there are no pairs. Empty of a mean."""

    @property
    def base(self) -> int:
        """Which run the others are compared with: the first that was asked."""
        return next((n for n, line in enumerate(self.lines) if line), 0)

    @property
    def differs(self) -> bool:
        """Whether any two runs could be paired."""
        return any(self.differences)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs side by side."""

    title: str
    """What they have in common: the model, or the variant."""
    labels: tuple[str, ...]
    """What tells each run from the others."""
    runs: tuple[Run, ...]
    tasks: tuple[Compared, ...]
    """In the order in which the runs planned them."""
    mean: Compared | None
    """Over all tasks, where there are several."""
    same: int
    """Questions whose prompts are the same, token for token, in all runs."""
    questions: int
    """Questions that any run has an answer to."""
    settings: Mapping[str, tuple[str, ...]]
    """What the runs were made with and differ in: name -> value in each."""


def compare(runs: Sequence[Run]) -> Comparison:
    """Put runs side by side.

    Args:
        runs: at least two, in the order in which they are to stand.

    Raises:
        StoreError: one of them has no answers.
    """
    for run in runs:
        if not run.rows:
            raise StoreError(f"the run {str(run.path)!r} has no answers yet. Run the command that made it again.")
    title, labels = _names(runs)
    by_run = [{group.key: group for group in groups(run)} for run in runs]
    tasks = tuple(_compared(key, by_run, labels, runs) for key in dict.fromkeys(key for found in by_run for key in found))
    prompts: dict[PlannedKey, Counter[str]] = {}
    for run in runs:
        for row in run.rows:
            prompts.setdefault(row.planned_key, Counter())[row.prompt_sha256] += 1
    return Comparison(
        title=title,
        labels=labels,
        runs=tuple(runs),
        tasks=tasks,
        mean=_mean(tasks, labels) if len(tasks) > 1 else None,
        same=sum(len(found) == 1 and found.total() == len(runs) for found in prompts.values()),
        questions=len(prompts),
        settings=_settings(runs),
    )


def _names(runs: Sequence[Run]) -> tuple[str, tuple[str, ...]]:
    """What is common to runs, and what tells them apart."""
    models, variants = [run.info.model for run in runs], [run.info.variant or "none" for run in runs]
    if len(set(models)) == 1 and len(set(variants)) == 1:
        common = models[0] if variants[0] == "none" else f"{models[0]} · {variants[0]}"
        labels = [run.name for run in runs]
    elif len(set(models)) == 1:
        common, labels = models[0], variants
    elif len(set(variants)) == 1:
        common, labels = f"{len(runs)} runs" if variants[0] == "none" else variants[0], models
    else:
        common, labels = f"{len(runs)} runs", [f"{model} · {variant}" for model, variant in zip(models, variants, strict=True)]
    counts = Counter(labels)
    alike = [f"{label} ({run.name})" if counts[label] > 1 else label for label, run in zip(labels, runs, strict=True)]
    counts = Counter(alike)
    return common, tuple(f"{run.path}" if counts[label] > 1 else label for label, run in zip(alike, runs, strict=True))


def _compared(key: GroupKey, by_run: Sequence[Mapping[GroupKey, Group]], labels: Sequence[str], runs: Sequence[Run]) -> Compared:
    found = tuple(parts.get(key) for parts in by_run)
    there = [group for group in found if group]
    base = next(n for n, group in enumerate(found) if group)
    differences = [
        deltas(runs[base], run, (found[base], group)) if group and n != base else ()
        for n, (run, group) in enumerate(zip(runs, found, strict=True))
    ]
    return Compared(
        title=there[0].title,
        stem=there[0].stem,
        lengths=tuple(sorted({length for group in there for length in group.tested})),
        groups=found,
        lines=tuple(line_of(group, label) if group else None for group, label in zip(found, labels, strict=True)),
        differences=tuple(part if any(cell.n for cell in part) else () for part in differences),
    )


def _mean(tasks: Sequence[Compared], labels: Sequence[str]) -> Compared:
    """The plain mean over the tasks, for runs that have all of them."""
    lines: list[Line | None] = []
    for n, label in enumerate(labels):
        own = [line for task in tasks if (line := task.lines[n])]
        lines.append(mean_of(label, own) if len(own) == len(tasks) else None)
    lengths = tuple(sorted({length for task in tasks for length in task.lengths}))
    return Compared(f"mean of {len(tasks)} tasks", "", lengths, (None,) * len(labels), tuple(lines))


def _settings(runs: Sequence[Run]) -> dict[str, tuple[str, ...]]:
    tables = [
        {"model": run.info.model, "lceval": run.info.lceval, "runner": run.info.runner, "variant": "none", **_told(run)}
        for run in runs
    ]
    names = dict.fromkeys(name for table in tables for name in table)
    rows = {name: tuple(value_text(table.get(name, "")) for table in tables) for name in names}
    return {name: values for name, values in rows.items() if len(set(values)) > 1}


def _told(run: Run) -> dict[str, Any]:
    return {name: value for name, value in run.info.fingerprint.items() if value not in ("", None)}


@dataclass(frozen=True, slots=True)
class ComparisonFiles:
    """Where a comparison lies."""

    html: Path
    markdown: Path
    heatmaps: tuple[Path, ...]
    """PNG: of each task the heatmaps, and the differences where runs could be paired."""


def write_comparison(
    runs: Sequence[Run], folder: Path, *, excerpts: Mapping[str, Sequence[Excerpt]] | None = None
) -> ComparisonFiles:
    """Write `report.html`, `report.md` and pictures per task, `comparison-*.png` and `difference-*.png`.

    Each file is replaced as a whole or not at all.

    Args:
        runs: at least two, in the order in which they are to stand.
        folder: where to; it is made if it is not there.
        excerpts: by `sample_key`, the text around needles.

    Raises:
        StoreError: a run without answers, or a folder that cannot be written.
    """
    from lceval.reports.comparison_text import render_html, render_markdown
    from lceval.reports.heatmap import png_bytes
    from lceval.reports.multiples import difference_multiples, multiples
    from lceval.reports.write import write_file

    comparison = compare(runs)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make the folder {str(folder)!r}: {error.strerror}. Name another with --out.") from error
    pictures = {f"comparison-{task.stem}.png": multiples(comparison, task) for task in comparison.tasks}
    pictures |= {f"difference-{task.stem}.png": difference_multiples(comparison, task) for task in comparison.tasks if task.differs}
    return ComparisonFiles(
        heatmaps=tuple(write_file(folder / name, png_bytes(figure)) for name, figure in pictures.items()),
        html=write_file(folder / "report.html", render_html(comparison, folder, excerpts or {}).encode()),
        markdown=write_file(folder / "report.md", render_markdown(comparison).encode()),
    )
