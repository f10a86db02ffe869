"""A comparison as HTML and as Markdown."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lceval.lengths import format_length
from lceval.reports import text
from lceval.reports.cells import Board, difference_board, score_board
from lceval.reports.comparison import Compared, Comparison
from lceval.reports.curves import length_curve, time_curve
from lceval.reports.difference import Delta
from lceval.reports.excerpt import Excerpt
from lceval.reports.heatmap import svg_text
from lceval.reports.html import environment, inline_svg
from lceval.reports.markdown import plain
from lceval.reports.overview import Line
from lceval.reports.samples import data


@dataclass(frozen=True, slots=True)
class Part:
    """One task of the page."""

    task: Compared
    scores: list[tuple[str, Line | None, Board | None]]
    """(run, its line, its map); None where the task was not asked for."""
    differences: list[tuple[str, tuple[Delta, ...], Board]]
    curves: Mapping[str, str]
    """`<svg>` elements by what they show."""

    @property
    def axis(self) -> str:
        """What the rows of its maps are."""
        return next(board.axis for _, _, board in self.scores if board)


def render_html(comparison: Comparison, folder: Path, excerpts: Mapping[str, Sequence[Excerpt]] | None = None) -> str:
    """The comparison as one self-contained page.

    Args:
        comparison: what to show.
        folder: where the page will lie, for links to the runs' own reports.
        excerpts: by `sample_key`, the text around needles.
    """
    template = environment().get_template("comparison.html.j2")
    sides = zip(comparison.labels, comparison.runs, strict=True)
    titles = {group.key[:2]: group.title for task in comparison.tasks for group in task.groups if group}
    return template.render(
        comparison=comparison,
        name=folder.resolve().name,
        lceval=comparison.runs[0].info.lceval,
        sides=[(label, run, _beside(run.path / "report.html", folder)) for label, run in sides],
        parts=[_part(comparison, task, i) for i, task in enumerate(comparison.tasks, 1)],
        data={"labels": comparison.labels, **data(comparison.runs, titles, excerpts or {})},
        prompts=prompts_text(comparison),
    )


def _beside(file: Path, folder: Path) -> str:
    """A file as a page in a folder links to it; nothing if it is not there."""
    return Path(os.path.relpath(file, folder)).as_posix() if file.exists() else ""


def _part(comparison: Comparison, task: Compared, number: int) -> Part:
    windows = [run.info.fingerprint.get("max_position_embeddings") for run in comparison.runs]
    groups = zip(comparison.labels, task.groups, task.lines, windows, strict=True)
    timed = {label: group for label, group in zip(comparison.labels, task.groups, strict=True) if group}
    lines = [line for line in task.lines if line]
    figures = {"By length": length_curve(lines), "Time": time_curve(timed)}
    return Part(
        task=task,
        scores=[(label, line, score_board(group, window) if group else None) for label, group, line, window in groups],
        differences=[
            (label, cells, difference_board(cells, window))
            for label, cells, window in zip(comparison.labels, task.differences, windows, strict=True)
            if cells
        ],
        curves={
            title: inline_svg(
                svg_text(figure, outlined=False), f"chart{number}{i}", f"{title}: {task.title}", "The table below has the scores."
            )
            for i, (title, figure) in enumerate(figures.items())
            if figure
        },
    )


def prompts_text(comparison: Comparison) -> str:
    """Whether the runs answered the same prompts."""
    same, questions = comparison.same, comparison.questions
    if same == questions:
        return f"All runs answered the same {questions:,} prompts, token for token."
    return f"{same:,} of {questions:,} prompts are the same, token for token, in all runs; the others differ or lack in some."


def render_markdown(comparison: Comparison) -> str:
    """The comparison for pull requests and notebooks."""
    lines = [f"# {plain(comparison.title)}", "", prompts_text(comparison), ""]
    controls = [label for label, run in zip(comparison.labels, comparison.runs, strict=True) if run.info.control]
    if controls:
        lines += [f"> **Controls, not models:** {plain(', '.join(controls))}.", ""]
    if comparison.mean:
        lines += [f"## {comparison.mean.title.capitalize()}", "", *_table(comparison, comparison.mean), ""]
    for task in comparison.tasks:
        lines += [f"## {plain(task.title)}", "", *_table(comparison, task), ""]
        lines += [f"![Heatmaps: {plain(task.title)}](comparison-{task.stem}.png)", ""]
        if task.differs:
            lines += [f"![Differences: {plain(task.title)}](difference-{task.stem}.png)", ""]
    lines += ["## Runs", ""]
    for label, run in zip(comparison.labels, comparison.runs, strict=True):
        lines.append(f"* {plain(label)}: `{run.name}`")
    lines += [
        "",
        "Strict scores are precision-aware. Brackets hold 95 % intervals; coverage is the share of planned answers that came back.",
        "",
    ]
    return "\n".join(lines)


def _table(comparison: Comparison, task: Compared) -> Iterator[str]:
    yield f"| | {' | '.join(map(format_length, task.lengths))} | strict | effective length | coverage |"
    yield f"| :--- |{' ---: |' * len(task.lengths)} :--- | ---: | ---: |"
    for label, line in zip(comparison.labels, task.lines, strict=True):
        if line is None:
            yield f"| {plain(label)} |{' |' * len(task.lengths)} not asked | | |"
            continue
        scores = [text.stat_text(line.strict[n]) if n in line.strict else "" for n in task.lengths]
        ends = (text.stat_text(line.overall), plain(line.reach), text.percent_text(line.coverage))
        yield f"| {' | '.join([plain(label), *scores, *ends])} |"
