"""The short report for pull requests and notebooks: GitHub-flavoured Markdown."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from lceval.lengths import format_length
from lceval.reports import text
from lceval.reports.kinds import KINDS
from lceval.reports.overview import Overview, overview
from lceval.reports.planned import planned, planned_lines
from lceval.reports.tables import Group, groups

if TYPE_CHECKING:
    from lceval.rows import Run


def render_markdown(run: Run, pictures: Collection[str] = ()) -> str:
    """Write the headline, the table by length and the pictures of every task of a run.

    Args:
        run: what to report.
        pictures: names of curves that lie beside it.
    """
    info = run.info
    lines = [f"# {plain(info.model)}", ""]
    if info.control:
        lines += ["> **Control, not a model.**", ""]
    variant = f"variant {plain(info.variant)}, " if info.variant else ""
    lines += [f"Run {plain(run.name)}: {variant}runner {plain(info.runner)}, lceval {plain(info.lceval)}.", ""]
    lines += _overview(overview(run))
    for group in groups(run):
        lines += [*_group(group, pictures), ""]
    lines += planned_lines(planned(run))
    lines += [
        "Strict scores are precision-aware; official scores follow the benchmark's own formula. Brackets hold 95 % "
        "intervals; coverage is the share of planned answers that came back.",
        "",
    ]
    return "\n".join(lines)


def _overview(seen: Overview) -> Iterator[str]:
    """One line a task, for runs of several."""
    if len(seen.lines) < 2:
        return
    yield "## Overview"
    yield ""
    yield f"| task | {' | '.join(map(format_length, seen.lengths))} | strict | official | coverage | effective length |"
    yield f"| :--- |{' ---: |' * len(seen.lengths)} :--- | :--- | ---: | ---: |"
    for line in [*seen.lines, *(mean.line for mean in seen.means)]:
        scores = [text.score_text(line.strict[n].mean) if n in line.strict else "" for n in seen.lengths]
        ends = (text.stat_text(line.overall), text.stat_text(line.overall_official), text.percent_text(line.coverage))
        yield f"| {' | '.join([plain(line.title), *scores, *ends, plain(line.reach)])} |"
    yield ""
    for mean in seen.means:
        strict, official = (
            f"wAvg(inc) {text.score_text(up)}, wAvg(dec) {text.score_text(down)}"
            for up, down in zip(mean.increasing, mean.decreasing, strict=True)
        )
        yield f"{plain(mean.line.title)}: strict {strict}; official {official}."
        yield ""


def _group(group: Group, pictures: Collection[str]) -> Iterator[str]:
    overall = group.overall
    counts = overall.counts
    threshold, reach = group.effective[0]
    low, high = text.reach_text(group.tested, reach.low), text.reach_text(group.tested, reach.high)
    quoted = text.effective_text(group.tested, reach)
    yield f"## {plain(group.title)}"
    yield ""
    yield f"* strict score **{text.score_text(overall.strict.mean)}** {text.interval_text(overall.strict)}"
    yield f"* official score {text.stat_text(overall.official)}"
    yield (
        f"* coverage {text.percent_text(counts.coverage)} ({counts.answered:,} of {counts.planned:,} planned answers; "
        f"{counts.truncated} truncated, {counts.errors} errors, {counts.missing} missing)"
    )
    yield f"* effective length **{plain(quoted)}** [{plain(low)}, {plain(high)}] at {threshold.label}"
    if overall.kinds:
        yield f"* failed answers: {', '.join(f'{overall.kinds[kind]:,} {kind}' for kind in KINDS if overall.kinds.get(kind))}"
    yield ""
    yield "| length | strict | 95 % interval | official | 95 % interval | answered | coverage |"
    yield "| ---: | ---: | :--- | ---: | :--- | ---: | ---: |"
    for entry in group.lengths:
        strict, official, part = entry.tally.strict, entry.tally.official, entry.tally.counts
        cells = (
            format_length(entry.length),
            text.score_text(strict.mean),
            text.interval_text(strict),
            text.score_text(official.mean),
            text.interval_text(official),
            f"{part.answered}/{part.planned}",
            text.percent_text(part.coverage),
        )
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield f"![Heatmap: {plain(group.title)}](heatmap-{group.stem}.png)"
    for name, said in (("length", "Score by length"), ("position", "Score by position")):
        if f"{name}-{group.stem}" in pictures:
            yield ""
            yield f"![{said}: {plain(group.title)}]({name}-{group.stem}.png)"


def plain(words: str) -> str:
    """Words that Markdown shows as they are."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", " ".join(words.split()))
