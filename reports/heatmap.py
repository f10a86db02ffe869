"""Heatmaps of mean strict score over length and depth, drawn so that they cannot mislead.

The colour scale is always 0 to 1. What was not measured is hatched, never drawn as a score; cells with fewer answers
than planned carry a corner mark; numbers appear only where they fit. Figures use matplotlib's object interface alone
(no pyplot, no global state) and come out byte for byte the same for the same data and library versions.
"""

from __future__ import annotations

import io
import math
from collections.abc import Collection
from typing import TYPE_CHECKING

from lceval.lengths import format_length
from lceval.reports.layout import (
    LABEL_SIZE,
    MARGIN,
    POINT,
    SMALL_SIZE,
    SUBTITLE_SIZE,
    TITLE_SIZE,
    Map,
    Sheet,
    Spot,
    plan_layout,
    readable_on,
)
from lceval.reports.scale import FADED, SCORE, Scale, logprob_scale

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lceval.reports.tables import Group
    from lceval.rows import RunInfo

INK = "#22262b"
"""Text and marks outside the cells; used for nothing else, so that a page can recolour it."""
MUTED = "#868d96"
"""Ticks and hatches: visible on light and on dark paper."""
PAPER = "#fdfdfe"
"""The background, and the lines between cells; used for nothing else."""
PNG_DPI = 160
_MISSING = "/////"


def group_heatmap(info: RunInfo, group: Group, *, headed: bool = True, by_depth: bool = False) -> Figure:
    """The heatmap of one group of a run.

    Args:
        info: says what answered.
        group: the cells.
        headed: whether the figure carries its title; False where the surrounding page says it.
        by_depth: of needles by position: show them by the nearest tenth of the depth.
    """
    window = info.fingerprint.get("max_position_embeddings")
    title, subtitle = heading(info, group) if headed else ("", "")
    if by_depth and subtitle:
        subtitle += " (shown by the nearest tenth of the depth)"
    cells = group.depth_frame if by_depth else group.frame
    return heatmap(cells, title=title, subtitle=subtitle, trained_window=window if isinstance(window, int) else None)


def logprob_heatmap(info: RunInfo, group: Group) -> Figure:
    """The heatmap of the gold answers' log-probabilities; only of a group that has some."""
    window = info.fingerprint.get("max_position_embeddings")
    cells = group.frame.assign(strict=lambda frame: frame["logprob"], strict_low=math.nan, strict_high=math.nan)
    cells["answered"] = cells["answered"].where(cells["logprob"].notna(), 0)
    return heatmap(
        cells,
        title=heading(info, group)[0],
        subtitle=f"{heading(info, group)[1]}: log-probability of the gold answer",
        trained_window=window if isinstance(window, int) else None,
        scale=logprob_scale(cells["logprob"]),
    )


def heading(info: RunInfo, group: Group) -> tuple[str, str]:
    """Title and subtitle: what answered (and whether that is a control), and what was asked."""
    title = f"{info.model} · {info.variant}" if info.variant else info.model
    return title, f"Control, not a model · {group.title}" if info.control else group.title


def heatmap(
    cells: pd.DataFrame, *, title: str = "", subtitle: str = "", trained_window: int | None = None, scale: Scale = SCORE
) -> Figure:
    """Draw mean strict score, or what else `strict` holds, by length (left to right) and depth or position (0 on top).

    Args:
        cells: one row per planned cell with the columns length (tokens), depth (fraction, or missing when the task sets
            the depths itself), planned, answered, strict, strict_low and strict_high (nan without answers); with a
            column position (tokens), that is shown instead of the depth.
        title: first line.
        subtitle: second line.
        trained_window: tokens; a dashed line marks it when it falls inside the lengths.
        scale: what the colours mean.

    Raises:
        ValueError: no cells.
    """
    if cells.empty:
        raise ValueError("a heatmap of no cells: at least one planned cell is needed")
    layout = plan_layout(cells, title, subtitle, scale)
    figure = blank(layout)
    axes = figure.add_axes(layout.box(layout.left, layout.bottom, layout.map.width, layout.map.height), facecolor=PAPER)
    paint(axes, layout.map, scale)
    label_lengths(axes, layout.map)
    label_depths(axes, layout.map)
    if trained_window is not None and mark_window(axes, layout.map, trained_window):
        _name_window(axes, layout.map, trained_window)
    colour_bar(figure, layout, layout.left + layout.map.width + 0.22, layout.bottom, layout.map.height, scale)
    write_around(figure, layout, layout.map.spots)
    return figure


def png_bytes(figure: Figure) -> bytes:
    """The figure as PNG, without date or version."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=PNG_DPI, metadata={"Software": None})
    return buffer.getvalue()


def svg_text(figure: Figure, *, outlined: bool = True) -> str:
    """The figure as an SVG document, without date or version.

    Args:
        figure: what to write.
        outlined: whether text is drawn as outlines, so that no font is needed; else it is text, which takes a tenth of the room.
    """
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "lceval", "svg.fonttype": "path" if outlined else "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def blank(sheet: Sheet) -> Figure:
    """An empty figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(sheet.width, sheet.height), facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


def paint(axes: Axes, plan: Map, scale: Scale = SCORE) -> None:
    """The cells of a map, with what stands in them; no labels."""
    import numpy as np
    import seaborn as sns

    means = np.full((len(plan.depths), len(plan.lengths)), np.nan)
    shares = np.ones_like(means)
    for spot in plan.spots:
        means[spot.row, spot.column] = spot.mean
        shares[spot.row, spot.column] = FADED if spot.faded else 1
    sns.heatmap(
        means,
        ax=axes,
        mask=np.isnan(means),
        vmin=scale.low,
        vmax=scale.high,
        cmap=scale.colours,
        alpha=shares if (shares < 1).any() else None,  # type: ignore[arg-type]
        cbar=False,
        linewidths=0.6 if plan.roomy else 0,
        linecolor=PAPER,
        xticklabels=False,
        yticklabels=False,
    )
    axes.tick_params(labelsize=SMALL_SIZE, labelcolor=INK, color=MUTED, length=2.5, width=0.6, labelrotation=0)
    _mark_missing(axes, plan)
    _annotate(axes, plan, scale)


def label_lengths(axes: Axes, plan: Map, *, named: bool = True) -> None:
    """The lengths below a map; `named`: and that they are lengths."""
    columns = range(0, len(plan.lengths), plan.column_step)
    axes.set_xticks([column + 0.5 for column in columns], [format_length(plan.lengths[column]) for column in columns])
    if named:
        axes.set_xlabel("length (tokens)", fontsize=LABEL_SIZE, color=INK, labelpad=6)


def label_depths(axes: Axes, plan: Map) -> None:
    """The depths beside a map."""
    if plan.strip:
        axes.set_yticks([])
        axes.set_ylabel("depths set\nby the task", fontsize=LABEL_SIZE, color=INK, rotation=0, ha="right", va="center", labelpad=8)
    else:
        rows = range(0, len(plan.depths), plan.row_step)
        axes.set_yticks([row + 0.5 for row in rows], [plan.depths[row] for row in rows])
        named = "needle position (tokens)" if plan.by_position else "needle depth"
        axes.set_ylabel(named, fontsize=LABEL_SIZE, color=INK, labelpad=8)


def _mark_missing(axes: Axes, plan: Map) -> None:
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    holes = [Rectangle((spot.column, spot.row), 1, 1) for spot in plan.spots if spot.answered == 0]
    if holes:
        axes.add_collection(
            PatchCollection(holes, facecolor="none", edgecolor=PAPER, hatch=_MISSING, linewidth=0.6 * plan.roomy, hatchcolor=MUTED)
        )


def _annotate(axes: Axes, plan: Map, scale: Scale) -> None:
    from matplotlib.patches import Polygon

    mark_width, mark_height = (min(0.42, 0.1 / size) for size in (plan.cell_width, plan.cell_height))
    for spot in plan.spots:
        if spot.answered == 0:
            continue
        ink = readable_on(*scale.colour(spot.mean, FADED if spot.faded else 1))
        if spot.answered < spot.planned:
            right, top = spot.column + 1, spot.row
            corner = [(right - mark_width, top), (right, top), (right, top + mark_height)]
            axes.add_patch(Polygon(corner, closed=True, facecolor=ink, linewidth=0))
        for text, size, offset in plan.annotation.lines(spot):
            y = spot.row + 0.5 + offset / plan.cell_height
            axes.text(spot.column + 0.5, y, text, fontsize=size, color=ink, ha="center", va="center")


def mark_window(axes: Axes, plan: Map, window: int) -> bool:
    """A dashed line behind the last length inside a window; whether there is one among the lengths."""
    inside = sum(length <= window for length in plan.lengths)
    if not 0 < inside < len(plan.lengths):
        return False
    axes.axvline(inside, color="#ffffff", linewidth=3)
    axes.axvline(inside, color="#111111", linewidth=1.3, dashes=(4, 2.5))
    return True


def _name_window(axes: Axes, plan: Map, window: int) -> None:
    inside = sum(length <= window for length in plan.lengths)
    left_half = inside <= len(plan.lengths) / 2
    axes.annotate(
        f"window {format_length(window)}",
        xy=(inside, 0),
        xycoords=("data", "axes fraction"),
        xytext=(0, plan.height / POINT + 4),
        textcoords="offset points",
        fontsize=SMALL_SIZE,
        color=INK,
        ha="left" if left_half else "right",
        va="bottom",
    )


def colour_bar(figure: Figure, sheet: Sheet, left: float, bottom: float, height: float, scale: Scale = SCORE) -> None:
    """What the colours mean; places in inches."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    axes = figure.add_axes(sheet.box(left, bottom, 0.13, height))
    low, middle, high = scale.ticks
    ticks = [low, middle, high] if height < 1.2 else [low, (low + middle) / 2, middle, (middle + high) / 2, high]
    bar = figure.colorbar(ScalarMappable(Normalize(low, high), scale.colours), cax=axes, ticks=ticks)
    bar.outline.set_visible(False)
    axes.tick_params(labelsize=SMALL_SIZE, labelcolor=INK, color=MUTED, length=2.5, width=0.6)
    axes.set_title(scale.title, fontsize=SMALL_SIZE, color=INK, loc="left", pad=8)


def write_around(figure: Figure, sheet: Sheet, spots: Collection[Spot]) -> None:
    """Title above; what colours, numbers and marks mean below."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    top = sheet.height - 0.16
    for lines, size, weight, colour in (
        (sheet.title, TITLE_SIZE, "bold", INK),
        (sheet.subtitle, SUBTITLE_SIZE, "normal", INK),
    ):
        if lines:
            place = (MARGIN / sheet.width, top / sheet.height)
            text = "\n".join(lines)
            figure.text(*place, text, fontsize=size, weight=weight, color=colour, va="top", linespacing=1.25)
            top -= len(lines) * size * 1.35 * POINT + 0.03
    handles: list[Patch | Line2D] = []
    if any(spot.answered == 0 for spot in spots):
        handles.append(Patch(facecolor="none", edgecolor=MUTED, hatch=_MISSING, linewidth=0.6, label="no answer"))
    if any(0 < spot.answered < spot.planned for spot in spots):
        corner = [(0, 1), (1, 1), (1, 0)]
        label = "fewer answers than planned"
        handles.append(Line2D([], [], linestyle="none", marker=corner, markersize=7, color=INK, markeredgewidth=0, label=label))
    place = (MARGIN / sheet.width, 0.12 / sheet.height)
    text = "\n".join(sheet.caption)
    figure.text(*place, text, fontsize=SMALL_SIZE, color=INK, va="bottom", linespacing=1.3)
    if handles:
        anchor = (MARGIN / sheet.width, (0.22 + len(sheet.caption) * SMALL_SIZE * 1.4 * POINT) / sheet.height)
        figure.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=anchor,
            frameon=False,
            fontsize=SMALL_SIZE,
            labelcolor=INK,
            borderpad=0,
            borderaxespad=0,
            handlelength=1.6,
            labelspacing=0.5,
        )
