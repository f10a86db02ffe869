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
from lceval.reports.scale import DIFFERENCE, SCORE, Scale
from lceval.reports.text import score_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.figure import Figure

    from lceval.reports.comparison import Compared, Comparison
    from lceval.reports.difference import Delta
    from lceval.rows import Run

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


@dataclass(frozen=True, slots=True)
class Panel:
    """One map on a sheet."""

    name: str
    words: str
    """Below the name."""
    frame: pd.DataFrame | None
    """As `lceval.reports.heatmap.heatmap` takes it; None where the task was not asked for."""
    window: int | None
    """Tokens that the model was trained for."""


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


def multiples(comparison: Comparison, task: Compared) -> Figure:
    """The heatmaps of one task, side by side.

    Args:
        comparison: the runs.
        task: one of its tasks.
    """
    panels = [
        Panel(
            label, f"strict {score_text(line.overall.mean)}" if line else "not asked", group.frame if group else None, window(run)
        )
        for label, line, group, run in zip(comparison.labels, task.lines, task.groups, comparison.runs, strict=True)
    ]
    return _drawn(comparison.title, task.title, panels, SCORE)


def difference_multiples(comparison: Comparison, task: Compared) -> Figure:
    """The differences of every other run to the base, side by side.

    Args:
        comparison: the runs.
        task: one of its tasks that `differs`.
    """
    import pandas as pd

    panels = [
        Panel(
            label,
            f"better {sum(cell.wins for cell in part)}, worse {sum(cell.losses for cell in part)}" if part else "not asked",
            pd.DataFrame(list(map(_flat, part))) if part else None,
            window(run),
        )
        for n, (label, part, run) in enumerate(zip(comparison.labels, task.differences, comparison.runs, strict=True))
        if n != task.base
    ]
    return _drawn(comparison.title, f"{task.title}: difference to {comparison.labels[task.base]}", panels, DIFFERENCE)


def _flat(cell: Delta) -> dict[str, float | None]:
    """A difference with the names that maps of scores have."""
    record = {"length": cell.length, "depth": cell.depth, "planned": cell.planned, "answered": cell.n}
    record |= {"strict": cell.mean, "strict_low": cell.low, "strict_high": cell.high}
    return record if cell.position is None else record | {"position": cell.position}


def window(run: Run) -> int | None:
    """The length that a run's model was trained for, if it is known."""
    known = run.info.fingerprint.get("max_position_embeddings")
    return known if isinstance(known, int) else None


def _drawn(title: str, subtitle: str, panels: Sequence[Panel], scale: Scale) -> Figure:
    plan = plan_multiples(title, subtitle, panels, scale)
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
        paint(axes, map_, scale)
        label_lengths(axes, map_, named=False)
        if n % across:
            axes.set_yticks([])
        else:
            label_depths(axes, map_)
        if (trained := panels[n].window) is not None:
            mark_window(axes, map_, trained)
    left, bottom = plan.corners[0]
    colour_bar(figure, plan, left + across * plan.pitch - GAP + 0.22, bottom, drawn[0].height, scale)
    write_around(figure, plan, [spot for map_ in drawn for spot in map_.spots])
    return figure


def plan_multiples(title: str, subtitle: str, panels: Sequence[Panel], scale: Scale) -> Multiples:
    """Where everything stands on a sheet of maps."""
    import pandas as pd

    frames = [panel.frame for panel in panels]
    together = pd.concat([frame for frame in frames if frame is not None])
    lengths, rows = axes_of(together)
    across = _across(len(frames))
    cell_width = min(0.75, max((WIDTH / across - GAP) / len(lengths), 0.05))
    cell_height = 0.6 if len(rows) == 1 else min(0.42, 2.6 / len(rows))
    spots = [spots_of(frame, lengths, rows, scale) if frame is not None else () for frame in frames]
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
    names = [(*_broken(panel.name, pitch - GAP), panel.words) for panel in panels]
    left = space_for_rows(drawn[0])
    width = left + across * pitch - GAP + RIGHT
    headings = [wrap(title, TITLE_SIZE * 1.12, width - 2 * MARGIN), wrap(subtitle, SUBTITLE_SIZE, width - 2 * MARGIN)]
    unplanned = any(len(part) < len(lengths) * len(rows) for part in spots)
    windows = (
        " Dashed: as far as was trained for."
        if any(panel.window and lengths[0] <= panel.window < lengths[-1] for panel in panels)
        else ""
    )
    caption = wrapped_caption(drawn, unplanned, width, " Columns: length in tokens." + windows, scale)
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
