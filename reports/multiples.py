"""Several heatmaps on one sheet, on one scale and with the same axes: small multiples, at most four in a row.

What one run did not plan is blank, what it did not answer hatched, as on a map of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lceval.reports.heatmap import (
    INK,
    PAPER,
    blank,
    colour_bar,
    label_depths,
    label_lengths,
    mark_window,
    paint,
    write_around,
)
from lceval.reports.layout import (
    ANNOTATIONS,
    MARGIN,
    POINT,
    RIGHT,
    SMALL_SIZE,
    SUBTITLE_SIZE,
    TITLE_SIZE,
    Annotation,
    Map,
    Sheet,
    axes_of,
    fitting,
    row_labels,
    space_above,
    space_below,
    space_for_rows,
    spots_of,
    wrap,
    wrapped_caption,
)
from lceval.reports.text import score_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lceval.reports.comparison import Compared, Comparison

MOST = 4
"""Maps in a row."""
WIDTH = 11.0
"""Of the maps of a full row, in inches."""
NARROWEST = 1.7
"""A map with its name."""
GAP = 0.22
_MEAN_ONLY = (*ANNOTATIONS[3:4], Annotation(7), Annotation(6), ANNOTATIONS[-1])
_LINE = 1.3
"""Of the height of letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiples(Sheet):
    """The plan of a sheet of maps."""

    maps: tuple[Map | None, ...]
    """By run; None where the task was not asked for."""
    names: tuple[tuple[str, ...], ...]
    """By run: the lines above its map."""
    corners: tuple[tuple[float, float], ...]
    """By run: where its map begins, from the left and from below."""
    pitch: float
    """From the left edge of one map to that of the next."""


def multiples(comparison: Comparison, task: Compared, *, headed: bool = True) -> Figure:
    """The heatmaps of one task, side by side.

    Args:
        comparison: the runs.
        task: one of its tasks.
        headed: whether the figure carries its title; False where the surrounding page says it.
    """
    plan = plan_multiples(comparison, task, headed)
    figure = blank(plan)
    across = _across(len(plan.maps))
    drawn = [one for one in plan.maps if one]
    for n, (map_, names, (left, bottom)) in enumerate(zip(plan.maps, plan.names, plan.corners, strict=True)):
        height = drawn[0].height
        top = bottom + height + 0.07
        places = (
            (left / plan.width, (top + (len(names) - 1 - i) * SMALL_SIZE * _LINE * POINT) / plan.height) for i in range(len(names))
        )
        for i, ((x, y), line) in enumerate(zip(places, names, strict=True)):
            weight = "normal" if i == len(names) - 1 else "bold"
            figure.text(x, y, line, fontsize=SMALL_SIZE, weight=weight, color=INK, va="bottom")
        if map_ is None:
            continue
        axes = figure.add_axes(plan.box(left, bottom, map_.width, map_.height), facecolor=PAPER)
        paint(axes, map_)
        label_lengths(axes, map_, named=False)
        if n % across:
            axes.set_yticks([])
        else:
            label_depths(axes, map_)
        window = comparison.runs[n].info.fingerprint.get("max_position_embeddings")
        if isinstance(window, int):
            mark_window(axes, map_, window)
    left, bottom = plan.corners[0]
    colour_bar(figure, plan, left + across * plan.pitch - GAP + 0.22, bottom, drawn[0].height)
    write_around(figure, plan, [spot for map_ in drawn for spot in map_.spots])
    return figure


def plan_multiples(comparison: Comparison, task: Compared, headed: bool) -> Multiples:
    """Where everything stands on the sheet of one task."""
    import pandas as pd

    frames = [group.frame if group else None for group in task.groups]
    together = pd.concat([frame for frame in frames if frame is not None])
    lengths, rows = axes_of(together)
    across = _across(len(frames))
    cell_width = min(0.75, max((WIDTH / across - GAP) / len(lengths), 0.05))
    cell_height = 0.6 if len(rows) == 1 else min(0.42, 2.6 / len(rows))
    spots = [spots_of(frame, lengths, rows) if frame is not None else () for frame in frames]
    annotation = fitting(_MEAN_ONLY, [spot for part in spots for spot in part], cell_width, cell_height)
    labels = row_labels(rows)
    maps = [
        Map(lengths, labels, rows == (None,), part, cell_width, cell_height, annotation, "position" in together)
        if frame is not None
        else None
        for part, frame in zip(spots, frames, strict=True)
    ]
    drawn = [one for one in maps if one]
    map_width, map_height = drawn[0].width, drawn[0].height
    pitch = max(map_width, NARROWEST) + GAP
    names = [
        (*_broken(label, pitch - GAP), f"strict {score_text(line.overall.mean)}" if line else "not asked")
        for label, line in zip(comparison.labels, task.lines, strict=True)
    ]
    left = space_for_rows(drawn[0])
    width = left + across * pitch - GAP + RIGHT
    title, subtitle = (comparison.title, task.title) if headed else ("", "")
    headings = [wrap(title, TITLE_SIZE * 1.12, width - 2 * MARGIN), wrap(subtitle, SUBTITLE_SIZE, width - 2 * MARGIN)]
    unplanned = any(len(part) < len(lengths) * len(rows) for part in spots)
    windows = " Dashed: as far as was trained for." if _windows(comparison, lengths) else ""
    caption = wrapped_caption(drawn, unplanned, width, " Columns: length in tokens." + windows)
    below = 0.12 + space_below([spot for part in spots for spot in part], caption)
    above = max(map(len, names)) * SMALL_SIZE * _LINE * POINT + 0.12
    strip = map_height + above + 0.32
    down = math.ceil(len(frames) / across)
    bottoms = [below + 0.22 + (down - 1 - n // across) * strip + 0.1 for n in range(len(frames))]
    return Multiples(
        width=width,
        height=0.3 + space_above(headings) + down * strip + below + 0.1,
        title=headings[0],
        subtitle=headings[1],
        caption=caption,
        maps=tuple(maps),
        names=tuple(names),
        corners=tuple((left + n % across * pitch, bottom) for n, bottom in enumerate(bottoms)),
        pitch=pitch,
    )


def _broken(label: str, width: float) -> tuple[str, ...]:
    """A run's name in lines of at most so many inches, broken where atoms are joined."""
    return tuple(line.replace("+ ", "+") for line in wrap(label.replace("+", "+ "), SMALL_SIZE * 1.12, width))


def _across(count: int) -> int:
    """How many maps stand in a row: as many as can, then with as few gaps in the last row as can be."""
    return count if count <= MOST else min((MOST, MOST - 1), key=lambda n: -count % n)


def _windows(comparison: Comparison, lengths: tuple[int, ...]) -> bool:
    found = (run.info.fingerprint.get("max_position_embeddings") for run in comparison.runs)
    return any(isinstance(window, int) and lengths[0] <= window < lengths[-1] for window in found)
