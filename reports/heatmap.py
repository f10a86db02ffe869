"""Heatmaps of mean strict score over length and depth, drawn so that they cannot mislead.

The colour scale is always 0 to 1. What was not measured is hatched, never drawn as a score; cells with fewer answers
than planned carry a corner mark; numbers appear only where they fit. Figures use matplotlib's object interface alone
(no pyplot, no global state) and come out byte for byte the same for the same data and library versions.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from lceval.lengths import format_length
from lceval.reports.layout import (
    LABEL_SIZE,
    MARGIN,
    POINT,
    SMALL_SIZE,
    SUBTITLE_SIZE,
    TITLE_SIZE,
    Layout,
    plan_layout,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lceval.reports.tables import Group
    from lceval.rows import RunInfo

COLOUR_MAP = "viridis"
"""Perceptually uniform with a monotone lightness, so equal steps of score look equal, the map survives grey printing,
and order can be read under all common colour vision deficiencies (van der Walt & Smith 2015; Crameri, Shephard & Heron,
"The misuse of colour in science communication", Nat. Commun. 11, 5444 (2020)). Its hue changes as well, which lets one
tell 0.8 from 0.9 better than single-hue maps do, and it contains no grey, which is kept for missing cells."""

INK = "#22262b"
"""Text and marks outside the cells; used for nothing else, so that a page can recolour it."""
MUTED = "#868d96"
"""Ticks and hatches: visible on light and on dark paper."""
PAPER = "#fdfdfe"
"""The background, and the lines between cells; used for nothing else."""
PNG_DPI = 160
_MISSING = "/////"


def group_heatmap(info: RunInfo, group: Group, *, headed: bool = True) -> Figure:
    """The heatmap of one group of a run.

    Args:
        info: says what answered.
        group: the cells.
        headed: whether the figure carries its title; False where the surrounding page says it.
    """
    window = info.fingerprint.get("max_position_embeddings")
    title, subtitle = heading(info, group) if headed else ("", "")
    return heatmap(group.frame, title=title, subtitle=subtitle, trained_window=window if isinstance(window, int) else None)


def heading(info: RunInfo, group: Group) -> tuple[str, str]:
    """Title and subtitle: what answered (and whether that is a control), and what was asked."""
    title = f"{info.model} · {info.variant}" if info.variant else info.model
    return title, f"Control, not a model · {group.title}" if info.control else group.title


def heatmap(cells: pd.DataFrame, *, title: str = "", subtitle: str = "", trained_window: int | None = None) -> Figure:
    """Draw mean strict score by length (left short, right long) and depth (top 0 %).

    Args:
        cells: one row per planned cell with the columns length (tokens), depth (fraction, or missing when the task sets
            the depths itself), planned, answered, strict, strict_low and strict_high (nan without answers).
        title: first line.
        subtitle: second line.
        trained_window: tokens; a dashed line marks it when it falls inside the lengths.

    Raises:
        ValueError: no cells.
    """
    import numpy as np
    import seaborn as sns
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if cells.empty:
        raise ValueError("a heatmap of no cells: at least one planned cell is needed")
    layout = plan_layout(cells, title, subtitle)
    figure = Figure(figsize=(layout.width, layout.height), facecolor=PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_axes(layout.box(layout.left, layout.bottom, layout.map_width, layout.map_height), facecolor=PAPER)
    means = np.full((len(layout.depths), len(layout.lengths)), np.nan)
    for spot in layout.spots:
        means[spot.row, spot.column] = spot.mean
    sns.heatmap(
        means,
        ax=axes,
        mask=np.isnan(means),
        vmin=0,
        vmax=1,
        cmap=COLOUR_MAP,
        cbar=False,
        linewidths=0.6 if layout.roomy else 0,
        linecolor=PAPER,
        xticklabels=False,
        yticklabels=False,
    )
    _label_axes(axes, layout)
    _mark_missing(axes, layout)
    _annotate(axes, layout)
    if trained_window is not None:
        _mark_window(axes, layout, trained_window)
    _colour_bar(figure, layout)
    _write_around(figure, axes, layout)
    return figure


def png_bytes(figure: Figure) -> bytes:
    """The figure as PNG, without date or version."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=PNG_DPI, metadata={"Software": None})
    return buffer.getvalue()


def svg_text(figure: Figure) -> str:
    """The figure as an SVG document, without date or version; text is drawn as outlines, so no font is needed."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "lceval", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _label_axes(axes: Axes, layout: Layout) -> None:
    columns = range(0, len(layout.lengths), layout.column_step)
    rows = range(0, len(layout.depths), layout.row_step)
    axes.set_xticks([column + 0.5 for column in columns], [format_length(layout.lengths[column]) for column in columns])
    axes.set_xlabel("length (tokens)", fontsize=LABEL_SIZE, color=INK, labelpad=6)
    if layout.strip:
        axes.set_yticks([])
        axes.set_ylabel("depths set\nby the task", fontsize=LABEL_SIZE, color=INK, rotation=0, ha="right", va="center", labelpad=8)
    else:
        axes.set_yticks([row + 0.5 for row in rows], [layout.depths[row] for row in rows])
        axes.set_ylabel("needle depth", fontsize=LABEL_SIZE, color=INK, labelpad=8)
    axes.tick_params(labelsize=SMALL_SIZE, labelcolor=INK, color=MUTED, length=2.5, width=0.6, labelrotation=0)


def _mark_missing(axes: Axes, layout: Layout) -> None:
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    holes = [Rectangle((spot.column, spot.row), 1, 1) for spot in layout.spots if spot.answered == 0]
    if holes:
        axes.add_collection(
            PatchCollection(
                holes, facecolor="none", edgecolor=PAPER, hatch=_MISSING, linewidth=0.6 * layout.roomy, hatchcolor=MUTED
            )
        )


def _annotate(axes: Axes, layout: Layout) -> None:
    from matplotlib import colormaps
    from matplotlib.patches import Polygon

    colours = colormaps[COLOUR_MAP]
    mark_width, mark_height = (min(0.42, 0.1 / size) for size in (layout.cell_width, layout.cell_height))
    for spot in layout.spots:
        if spot.answered == 0:
            continue
        ink = _readable_on(*colours(spot.mean)[:3])
        if spot.answered < spot.planned:
            right, top = spot.column + 1, spot.row
            corner = [(right - mark_width, top), (right, top), (right, top + mark_height)]
            axes.add_patch(Polygon(corner, closed=True, facecolor=ink, linewidth=0))
        for text, size, offset in layout.annotation.lines(spot):
            y = spot.row + 0.5 + offset / layout.cell_height
            axes.text(spot.column + 0.5, y, text, fontsize=size, color=ink, ha="center", va="center")


def _mark_window(axes: Axes, layout: Layout, window: int) -> None:
    inside = sum(length <= window for length in layout.lengths)
    if not 0 < inside < len(layout.lengths):
        return
    axes.axvline(inside, color="#ffffff", linewidth=3)
    axes.axvline(inside, color="#111111", linewidth=1.3, dashes=(4, 2.5))
    left_half = inside <= len(layout.lengths) / 2
    axes.annotate(
        f"window {format_length(window)}",
        xy=(inside, 0),
        xycoords=("data", "axes fraction"),
        xytext=(0, layout.map_height / POINT + 4),
        textcoords="offset points",
        fontsize=SMALL_SIZE,
        color=INK,
        ha="left" if left_half else "right",
        va="bottom",
    )


def _colour_bar(figure: Figure, layout: Layout) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    axes = figure.add_axes(layout.box(layout.left + layout.map_width + 0.22, layout.bottom, 0.13, layout.map_height))
    ticks = [0, 0.5, 1] if layout.map_height < 1.2 else [0, 0.25, 0.5, 0.75, 1]
    bar = figure.colorbar(ScalarMappable(Normalize(0, 1), COLOUR_MAP), cax=axes, ticks=ticks)
    bar.outline.set_visible(False)
    axes.tick_params(labelsize=SMALL_SIZE, labelcolor=INK, color=MUTED, length=2.5, width=0.6)
    axes.set_title("strict score", fontsize=SMALL_SIZE, color=INK, loc="left", pad=8)


def _write_around(figure: Figure, axes: Axes, layout: Layout) -> None:
    """Title above; what colours, numbers and marks mean below."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    top = layout.height - 0.16
    for lines, size, weight, colour in (
        (layout.title, TITLE_SIZE, "bold", INK),
        (layout.subtitle, SUBTITLE_SIZE, "normal", INK),
    ):
        if lines:
            place = (MARGIN / layout.width, top / layout.height)
            text = "\n".join(lines)
            figure.text(*place, text, fontsize=size, weight=weight, color=colour, va="top", linespacing=1.25)
            top -= len(lines) * size * 1.35 * POINT + 0.03
    handles: list[Patch | Line2D] = []
    if any(spot.answered == 0 for spot in layout.spots):
        handles.append(Patch(facecolor="none", edgecolor=MUTED, hatch=_MISSING, linewidth=0.6, label="no answer"))
    if any(0 < spot.answered < spot.planned for spot in layout.spots):
        corner = [(0, 1), (1, 1), (1, 0)]
        label = "fewer answers than planned"
        handles.append(Line2D([], [], linestyle="none", marker=corner, markersize=7, color=INK, markeredgewidth=0, label=label))
    place = (MARGIN / layout.width, 0.12 / layout.height)
    text = "\n".join(layout.caption)
    figure.text(*place, text, fontsize=SMALL_SIZE, color=INK, va="bottom", linespacing=1.3)
    if handles:
        anchor = (MARGIN / layout.width, (0.22 + len(layout.caption) * SMALL_SIZE * 1.4 * POINT) / layout.height)
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


def _readable_on(red: float, green: float, blue: float) -> str:
    """White or near-black, whichever contrasts more (relative luminance after WCAG 2.2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#111111" if (luminance + 0.05) ** 2 > 1.05 * 0.056 else "#ffffff"
