"""A comparison as HTML and as Markdown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from lceval.lengths import format_length
from lceval.reports import text
from lceval.reports.comparison import Compared, Comparison
from lceval.reports.html import environment, inline_figure
from lceval.reports.markdown import plain
from lceval.reports.multiples import multiples


def render_html(comparison: Comparison, folder: Path) -> str:
    """The comparison as one self-contained page.

    Args:
        comparison: what to show.
        folder: where the page will lie, for links to the runs' own reports.
    """
    template = environment().get_template("comparison.html.j2")
    sides = zip(comparison.labels, comparison.runs, strict=True)
    return template.render(
        comparison=comparison,
        name=folder.resolve().name,
        lceval=comparison.runs[0].info.lceval,
        sides=[(label, run, _beside(run.path / "report.html", folder)) for label, run in sides],
        tasks=[(task, _picture(comparison, task, f"map{i}")) for i, task in enumerate(comparison.tasks, 1)],
        prompts=prompts_text(comparison),
    )


def _beside(file: Path, folder: Path) -> str:
    """A file as a page in a folder links to it; nothing if it is not there."""
    return Path(os.path.relpath(file, folder)).as_posix() if file.exists() else ""


def _picture(comparison: Comparison, task: Compared, prefix: str) -> str:
    scored = zip(comparison.labels, task.lines, strict=True)
    scores = ", ".join(f"{label} {text.score_text(line.overall.mean)}" for label, line in scored if line)
    return inline_figure(
        multiples(comparison, task, headed=False),
        prefix,
        f"Heatmaps: {comparison.title} · {task.title}",
        f"Mean strict score over length and depth, a map for each run; over all cells: {scores}. The table below has the numbers.",
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
