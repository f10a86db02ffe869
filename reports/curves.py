"""Curves: accuracy by length and by position with their 95 % bands, and time by length.

Drawn in the manner of the heatmaps: same paper and ink, sizes that fit a page, the same bytes for the same data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lceval.lengths import format_length
from lceval.reports.heatmap import INK, MUTED, PAPER, blank, heading
from lceval.reports.layout import LABEL_SIZE, MARGIN, SMALL_SIZE, SUBTITLE_SIZE, TITLE_SIZE, Sheet, wrap
from lceval.reports.overview import Line, line_of
from lceval.reports.tables import THRESHOLDS, Group, groups
from lceval.statistics import CellStat

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lceval.rows import Run

WIDTH, HEIGHT = 5.0, 2.9
"""Of one chart in inches, its title left out."""
MOST_LENGTHS = 6
"""Lines in the chart by position; of more lengths the first, the last and some between."""
COLOURS = ("#3f7fbf", "#d9702b", "#2f9e77", "#c2568f", "#8a6fd1", "#a08a1f", "#4f9fc9", "#b0524a")
"""Told apart under common colour vision deficiencies together with the marks, and seen on light and on dark paper."""
MARKS = "os^DvPX*"


def length_curve(lines: Sequence[Line], title: str = "") -> Figure:
    """Strict score by length, a line each with its band, the threshold, and the effective length marked.

    Args:
        lines: one or several, named by their titles where they are several.
        title: above the chart; none where the page says it.
    """
    figure, (axes,) = _charts(title, 1, legend=len(lines))
    threshold = THRESHOLDS[0]
    axes.axhline(threshold.value, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    for n, line in enumerate(lines):
        colour, mark = COLOURS[n % len(COLOURS)], MARKS[n % len(MARKS)]
        _line(axes, line.strict, line.title, colour, mark, band=len(lines) <= MOST_LENGTHS)
        reach = line.effective[0][1].length
        if reach is not None:
            axes.plot([reach], [0], marker="^", markersize=9, color=colour, clip_on=False, zorder=5)
    _lengths(axes, sorted({length for line in lines for length in line.strict}))
    _scores(axes)
    axes.annotate(
        f"{threshold.value:g}", (1, threshold.value), xycoords=("axes fraction", "data"), xytext=(3, 0),
        textcoords="offset points", fontsize=SMALL_SIZE, color=INK, va="center",
    )  # fmt: skip
    axes.set_ylabel("strict score", fontsize=LABEL_SIZE, color=INK)
    note = "Band: 95 % interval. " if len(lines) <= MOST_LENGTHS else ""
    _finish(figure, axes, f"{note}Triangle: effective length. Dashed: threshold {threshold.value:g}.", named=len(lines) > 1)
    return figure


def position_curve(group: Group, title: str = "") -> Figure | None:
    """Strict score by where the needle stands, one line a length with its band; None where there are fewer than two places."""
    cells = group.by_depth if group.by_position else group.cells
    places: dict[int, dict[float, CellStat]] = {}
    for cell in cells:
        if cell.depth is not None and cell.length is not None:
            places.setdefault(cell.length, {})[cell.depth] = cell.strict
    shown = [length for length in _some(sorted(places)) if len(places[length]) > 1]
    if not shown:
        return None
    figure, (axes,) = _charts(title, 1, legend=len(shown))
    for n, length in enumerate(shown):
        _line(axes, places[length], format_length(length), COLOURS[n], MARKS[n], band=True)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    axes.set_xlabel("needle depth", fontsize=LABEL_SIZE, color=INK)
    _scores(axes)
    axes.set_ylabel("strict score", fontsize=LABEL_SIZE, color=INK)
    note = "" if len(shown) == len(places) else f" {len(shown)} of {len(places)} lengths."
    _finish(figure, axes, f"One line a length. Band: 95 % interval.{note}", named=True)
    return figure


def time_curve(groups: Mapping[str, Group], title: str = "") -> Figure | None:
    """Time to the first token and prompt tokens a second by length, a line each; None where no time was measured.

    Args:
        groups: by name, the same task of one run or several.
        title: above the chart.
    """
    timed = {name: group for name, group in groups.items() if any(entry.timing.prefill_s > 0 for entry in group.lengths)}
    if not timed:
        return None
    figure, (first, rate) = _charts(title, 2, legend=len(timed))
    for n, (name, group) in enumerate(timed.items()):
        style = {"color": COLOURS[n % len(COLOURS)], "marker": MARKS[n % len(MARKS)], "markersize": 4, "linewidth": 1.6}
        for axes, values in (
            (first, {entry.length: entry.timing.prefill_s for entry in group.lengths}),
            (rate, {entry.length: entry.timing.tokens_per_s for entry in group.lengths}),
        ):
            known = {length: value for length, value in values.items() if value > 0}
            axes.plot(list(known), list(known.values()), label=name, **style)  # type: ignore[arg-type]
    for axes, said in ((first, "time to first token, s"), (rate, "prompt tokens a second")):
        _lengths(axes, sorted({length for group in timed.values() for length in group.tested}))
        _log_scale(axes)
        axes.set_ylabel(said, fontsize=LABEL_SIZE, color=INK)
    cached = {entry.timing.cached_share for group in timed.values() for entry in group.lengths}
    note = "Means. Prefixes of earlier prompts were cached; tokens that were computed count." if max(cached) > 0 else "Means."
    _finish(figure, first, note, named=len(timed) > 1)
    return figure


def curves(run: Run) -> dict[str, Figure]:
    """The curves of a run by the name of their files: `length-…`, `position-…`, `time-…` of every task."""
    found: dict[str, Figure | None] = {}
    for group in groups(run):
        title = " · ".join(heading(run.info, group))
        found[f"length-{group.stem}"] = length_curve([line_of(group, group.title)], title)
        found[f"position-{group.stem}"] = position_curve(group, title)
        found[f"time-{group.stem}"] = time_curve({group.title: group}, title)
    return {name: figure for name, figure in found.items() if figure}


def _some(lengths: Sequence[int]) -> list[int]:
    """At most `MOST_LENGTHS` of them, evenly spaced, the ends included."""
    last = len(lengths) - 1
    if last < MOST_LENGTHS:
        return list(lengths)
    return [lengths[round(i * last / (MOST_LENGTHS - 1))] for i in range(MOST_LENGTHS)]


def _line(
    axes: Axes, scores: Mapping[int, CellStat] | Mapping[float, CellStat], name: str, colour: str, mark: str, *, band: bool
) -> None:
    """A line with its band; nothing where there is no answer."""
    known = {float(place): stat for place, stat in scores.items()}
    places = sorted(known)
    lows, means, highs = ([getattr(known[place], end) for place in places] for end in ("low", "mean", "high"))
    axes.plot(places, means, color=colour, marker=mark, markersize=4, linewidth=1.6, label=name, zorder=3)
    if band:
        axes.fill_between(places, lows, highs, color=colour, alpha=0.14, linewidth=0)


def _charts(title: str, count: int, legend: int) -> tuple[Figure, list[Axes]]:
    """Empty charts side by side, with room for a title above and a caption and a legend of so many names below."""
    lines = wrap(title, TITLE_SIZE, WIDTH - 2 * MARGIN)
    above, below = 0.2 + 0.24 * len(lines), 0.95 + 0.2 * (math.ceil(legend / 3) if legend > 1 else 0)
    height = above + HEIGHT + below - 0.6
    sheet = Sheet(width=WIDTH, height=height, title=lines, subtitle=(), caption=())
    figure = blank(sheet)
    for i, line in enumerate(lines):
        figure.text(
            MARGIN / WIDTH, 1 - (0.14 + 0.24 * i) / height, line, fontsize=SUBTITLE_SIZE, weight="bold", color=INK, va="top"
        )
    left, gap = 0.66, 0.88
    width = (WIDTH - left - 0.42 - gap * (count - 1)) / count
    made = [
        figure.add_axes(sheet.box(left + n * (width + gap), below, width, height - above - below), facecolor=PAPER)
        for n in range(count)
    ]
    for axes in made:
        axes.tick_params(labelsize=SMALL_SIZE, labelcolor=INK, color=MUTED, length=2.5, width=0.6)
        axes.grid(color=MUTED, alpha=0.25, linewidth=0.6)
        for side, spine in axes.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(MUTED)
    return figure, made


def _lengths(axes: Axes, lengths: Sequence[int]) -> None:
    """A logarithmic axis of lengths, labelled where there is room."""
    axes.set_xscale("log", base=2)
    axes.minorticks_off()
    room = 8 * axes.get_position().width
    step = max(1, math.ceil(len(lengths) / room))
    shown = list(lengths)[::-1][::step][::-1]
    axes.set_xticks(shown, [format_length(length) for length in shown])
    if len(lengths) == 1:
        axes.set_xlim(lengths[0] / 2, lengths[0] * 2)
    axes.set_xlabel("length (tokens)", fontsize=LABEL_SIZE, color=INK)


def _log_scale(axes: Axes) -> None:
    """A logarithmic axis of values that spans a factor of four or more, with ticks at 1, 2 and 5 times powers of ten."""
    axes.set_yscale("log")
    axes.minorticks_off()
    low, high = axes.get_ylim()
    middle = math.sqrt(low * high)
    low, high = min(low, middle / 2), max(high, middle * 2)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [tick for power in powers for digit in (1, 2, 5) if low <= (tick := digit * 10.0**power) <= high]
    ticks = ticks[:: math.ceil(len(ticks) / 8)]
    axes.set_ylim(low, high)
    axes.set_yticks(ticks, [f"{tick:,.10g}" for tick in ticks])


def _scores(axes: Axes) -> None:
    axes.set_ylim(-0.03, 1.03)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])


def _finish(figure: Figure, axes: Axes, caption: str, *, named: bool) -> None:
    """The legend and what marks mean, below."""
    height = figure.get_figheight()
    if named:
        figure.legend(
            *axes.get_legend_handles_labels(),
            loc="lower left",
            bbox_to_anchor=(MARGIN / WIDTH, 0.32 / height),
            ncols=3,
            frameon=False,
            fontsize=SMALL_SIZE,
            labelcolor=INK,
            borderpad=0,
            borderaxespad=0,
            handlelength=1.8,
            columnspacing=1.2,
            labelspacing=0.4,
        )
    figure.text(MARGIN / WIDTH, 0.1 / height, caption, fontsize=SMALL_SIZE, color=INK, va="bottom")
