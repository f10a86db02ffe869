"""The summary that a run ends with: fits 80 columns and reads the same in a CI log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lceval.lengths import format_length
from lceval.reports import text
from lceval.reports.overview import Overview, overview
from lceval.reports.tables import Group, Tally, groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from lceval.comparing import Compared
    from lceval.reports.comparison import Compared as Shown
    from lceval.reports.comparison import Comparison
    from lceval.rows import Run

_SHADES = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")
"""Viridis, the map of the heatmaps, in five steps."""

_ANY_WIDTH = 10_000
MOST_FLIPS = 20
"""Changed answers that are listed."""
FEW_HAYSTACKS = 6
"""Fewer than these cannot tell a change at p = 0.05, two-sided."""
IN_FULL = 3
"""Up to how many tasks each gets tables of its own."""


def print_summary(run: Run, console: Console) -> None:
    """Print every task's scores: the map of means where it fits, the means by length, the effective length.

    Args:
        run: what to report.
        console: where to; colours appear on terminals only.
    """
    from rich.text import Text

    info = run.info
    parts = groups(run)
    if len(parts) > 1:
        console.print(Text(", ".join([info.model, *([info.variant] if info.variant else [])]), style="bold"))
        if info.control:
            console.print(Text("control, not a model", style="yellow"))
        _print_overview(overview(run), console)
    if len(parts) > IN_FULL:
        return
    for group in parts:
        names = [info.model, *([info.variant] if info.variant else []), group.title]
        console.print(Text(", ".join(names), style="bold"))
        if info.control:
            console.print(Text("control, not a model", style="yellow"))
        depths = _depth_table(group, coloured=console.is_terminal)
        if depths is not None and _fits(depths, console):
            console.print(f"strict score by length and {'position (tokens)' if group.by_position else 'depth'}", style="dim")
            console.print(depths)
            if any(0 < cell.counts.answered < cell.counts.planned for cell in group.cells):
                console.print("* fewer answers than planned", style="dim")
            console.print()
        console.print(_length_table(group))
        _print_totals(group, console)


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print the strict scores of several runs, a line a run: the mean of the tasks, and each task unless there are many."""
    from rich.text import Text

    from lceval.reports.comparison_text import prompts_text

    console.print(Text(comparison.title, style="bold"))
    console.print(prompts_text(comparison), style="dim", highlight=False)
    parts = comparison.tasks if len(comparison.tasks) <= IN_FULL else ()
    tables = [task for task in (comparison.mean, *parts) if task]
    numbers = [str(n) for n in range(1, len(comparison.labels) + 1)]
    numbered = not all(_fits(_compared_table(task, comparison.labels, task.lengths), console) for task in tables)
    if numbered:
        for number, label in zip(numbers, comparison.labels, strict=True):
            console.print(f"{number:>3}  {label}", markup=False, highlight=False, soft_wrap=True)
    for task in tables:
        console.print()
        console.print(Text(task.title, style="bold"))
        names = numbers if numbered else comparison.labels
        table = _compared_table(task, names, task.lengths)
        console.print(table if _fits(table, console) else _compared_table(task, names, ()))
    console.print()


def _compared_table(task: Shown, names: Sequence[str], lengths: Sequence[int]) -> Table:
    table = _table("run", *map(format_length, lengths), "strict", "coverage", "effective")
    table.columns[0].justify = "left"
    for name, line in zip(names, task.lines, strict=True):
        if line is None:
            table.add_row(name, *[""] * len(lengths), "not asked")
            continue
        scores = [_ascii(text.score_text(line.strict[n].mean)) if n in line.strict else "" for n in lengths]
        ends = _ascii(text.score_text(line.overall.mean)), text.percent_text(line.coverage), _ascii(line.reach)
        table.add_row(name, *scores, *ends)
    return table


def _fits(table: Table, console: Console) -> bool:
    return console.measure(table, options=console.options.update(max_width=_ANY_WIDTH)).maximum <= console.width


def _print_overview(seen: Overview, console: Console) -> None:
    """One line a task: strict scores by length where they fit, over all lengths, and the effective length."""
    shown = seen.lengths
    while True:
        table = _table("task", *map(format_length, shown), "strict", "official", "coverage", "effective")
        table.columns[0].justify, table.columns[0].no_wrap, table.columns[0].overflow = "left", False, "fold"
        for line in [*seen.lines, *(mean.line for mean in seen.means)]:
            scores = [text.score_text(line.strict[n].mean) if n in line.strict else "" for n in shown]
            table.add_row(
                line.title,
                *map(_ascii, scores),
                _ascii(text.score_text(line.overall.mean)),
                _ascii(text.score_text(line.overall_official.mean)),
                text.percent_text(line.coverage),
                _ascii(line.reach),
            )
        if not shown or _fits(table, console):
            break
        shown = ()
    for column in table.columns[1:]:
        column.min_width = max(len(str(cell)) for cell in (column.header, *column.cells))
    console.print("strict scores by length; over all lengths: strict, official", style="dim")
    console.print(table)
    for mean in seen.means:
        strict, official = (
            f"wAvg(inc) {_ascii(text.score_text(up))}, wAvg(dec) {_ascii(text.score_text(down))}"
            for up, down in zip(mean.increasing, mean.decreasing, strict=True)
        )
        console.print(f"{mean.line.title}: strict {strict}; official {official}", markup=False, highlight=False)
    console.print()


def _depth_table(group: Group, *, coloured: bool) -> Table | None:
    """Means by length and depth, or position; None when the task sets its depths."""
    from rich.text import Text

    cells = {(cell.length, cell.position if group.by_position else cell.depth): cell for cell in group.cells}
    places = sorted({place for _, place in cells if place is not None})
    if not places:
        return None
    table = _table("length", *(format_length(int(place)) if group.by_position else text.depth_text(place) for place in places))
    for entry in group.lengths:
        row = [_mean(cells.get((entry.length, place)), coloured=coloured) for place in places]
        table.add_row(Text(format_length(entry.length)), *row)
    return table


def _length_table(group: Group) -> Table:
    table = _table("length", "strict", "95% interval", "official", "95% interval", "answered", "coverage")
    for entry in group.lengths:
        strict, official, counts = entry.tally.strict, entry.tally.official, entry.tally.counts
        table.add_row(
            format_length(entry.length),
            _ascii(text.score_text(strict.mean)),
            text.interval_text(strict),
            _ascii(text.score_text(official.mean)),
            text.interval_text(official),
            f"{counts.answered}/{counts.planned}",
            text.percent_text(counts.coverage),
        )
    return table


def _print_totals(group: Group, console: Console) -> None:
    overall = group.overall
    counts = overall.counts
    threshold, reach = group.effective[0]
    quoted = _ascii(text.effective_text(group.tested, reach))
    low, mean, high = (_ascii(text.reach_text(group.tested, n)) for n in (reach.low, reach.by_mean, reach.high))
    lines = (
        f"strict {_ascii(text.stat_text(overall.strict))}   official {_ascii(text.stat_text(overall.official))}",
        f"coverage {text.percent_text(counts.coverage)}: {counts.answered} of {counts.planned} answered, "
        f"{counts.truncated} truncated, {counts.errors} errors, {counts.missing} missing",
        f"effective length {quoted}, interval {low} to {high}, by mean {mean} ({threshold.label})",
    )
    console.print("\n".join(lines), markup=False, highlight=False)
    console.print()


def _table(*headers: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    for header in headers:
        table.add_column(header, justify="right", no_wrap=True)
    return table


def _mean(cell: Tally | None, *, coloured: bool) -> Text:
    """A cell's mean with a star when answers lack, `-` without any, nothing where none was planned."""
    from rich.text import Text

    if cell is None:
        return Text("")
    if not cell.counts.answered:
        return Text("-")
    star = "*" if cell.counts.answered < cell.counts.planned else ""
    shade = round(cell.strict.mean * (len(_SHADES) - 1))
    ink = "white" if shade < 2 else "black"
    return Text(text.score_text(cell.strict.mean) + star, style=f"{ink} on {_SHADES[shade]}" if coloured else "")


def _ascii(words: str) -> str:
    return words.replace(text.NOTHING, "-").replace("≥", ">=")


def print_compared(found: Compared, console: Console) -> None:
    """Print two paired runs: what differs in how they were made, the scores by task and length, and which answers changed."""
    from rich.text import Text

    console.print(Text(f"{found.base.path}  →  {found.other.path}", style="bold"), soft_wrap=True)
    for field, (was, now) in found.differing.items():
        console.print(Text(f"{field}: {was!r} → {now!r}", style="dim"), soft_wrap=True)
    parts = [*found.strata.items(), *([(None, found.overall)] if len(found.strata) > 1 else [])]
    rows = []
    for stratum, part in parts:
        change, p = part.score, part.score.p if stratum is None else found.p[stratum]
        interval = text.signed_interval(change.low, change.high)
        counts = f"{part.base:.2f}", f"{part.other:.2f}", f"{change.mean:+.3f}", interval, str(part.wins), str(part.losses)
        rows.append([*text.stratum_text(stratum), str(change.n), *counts, text.p_text(p), str(part.same_texts)])
    print_table(
        ["score", "length", "pairs", "base", "run", "change", "95% interval", "won", "lost", "p", "same text"], rows, console
    )
    if found.overall.logprob:
        shifts = [(stratum, part.logprob) for stratum, part in parts if part.logprob]
        console.print()
        print_table(
            ["log-probability of gold", "length", "pairs", "change", "95% interval", "p"],
            [
                [
                    *text.stratum_text(stratum),
                    str(shift.n),
                    f"{shift.mean:+.3f}",
                    text.signed_interval(shift.low, shift.high),
                    text.p_text(shift.p),
                ]
                for stratum, shift in shifts
            ],
            console,
        )
    tests = len(found.strata)
    said = f"p: of no change; those of scores are adjusted for {tests} tasks and lengths (Holm)" if tests > 1 else "p: of no change"
    console.print(said, style="dim")
    if found.haystacks < FEW_HAYSTACKS:
        least = 2.0 ** (1 - found.haystacks)
        said = f"{found.haystacks} haystacks were compared: no p can be below {least:.2g}. More --samples tell more."
        console.print(said, style="yellow", soft_wrap=True)
    console.print()
    whole = found.overall
    if whole.same_prompts < len(whole.pairs):
        console.print(f"{whole.same_prompts} of {len(whole.pairs)} prompts are the same, token for token", style="yellow")
    if any(found.unpaired):
        console.print(f"without a partner: {found.unpaired[0]} answers of the base, {found.unpaired[1]} of the run", style="yellow")
    for pair in found.flips[:MOST_FLIPS]:
        where = f"{pair.base.task} {format_length(pair.base.length)}"
        where += "" if pair.base.depth is None else f" depth {pair.base.depth:.0%}"
        said = f"{pair.base.output.strip()[:60]!r} → {pair.other.output.strip()[:60]!r}"
        console.print(Text(f"{pair.difference:+.2f}  {where}  {pair.base.sample_key[:12]}  {said}"), soft_wrap=True)
    if len(found.flips) > MOST_FLIPS:
        console.print(f"… and {len(found.flips) - MOST_FLIPS} more", style="dim")


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], console: Console) -> None:
    """A table where it fits, else a paragraph a row, so that nothing is cut; the first two columns name a row."""
    table = _table(*header)
    table.columns[0].justify = "left"
    for row in rows:
        table.add_row(*row)
    if _fits(table, console):
        console.print(table)
        return
    for row in rows:
        said = ", ".join(f"{name} {cell}" for name, cell in zip(header[2:], row[2:], strict=True))
        console.print(f"{header[0]}, {' '.join(row[:2]).strip()}: {said}", markup=False, highlight=False)
