"""Where everything stands in a heatmap: sizes follow from the grid, and text is measured before it is drawn.

Distances are in inches, font sizes in points.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from lceval.lengths import format_length
from lceval.reports.scale import SCORE, Scale
from lceval.reports.text import depth_text

if TYPE_CHECKING:
    import pandas as pd

POINT = 1 / 72
MARGIN = 0.18
RIGHT = 1.1
"""Space for the colour bar."""
TITLE_SIZE, SUBTITLE_SIZE, LABEL_SIZE, SMALL_SIZE = 12.0, 9.5, 9.0, 8.0
LEGEND_ROW = 0.19


@dataclass(frozen=True, slots=True)
class Spot:
    """One planned cell on the map."""

    column: int
    row: int
    planned: int
    answered: int
    mean: float
    low: float
    high: float
    words: str
    """The mean, written out."""
    faded: bool = False
    """Whether it is a difference that nobody can be sure of."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What stands in a cell, and how large: 0 for a mean that is left out."""

    mean_size: float
    detail_size: float = 0
    interval: bool = False
    count: bool = False

    def lines(self, spot: Spot) -> list[tuple[str, float, float]]:
        """(text, size, distance of its middle below the cell's middle) per line."""
        rows: list[tuple[str, float]] = []
        if self.mean_size:
            rows.append((spot.words, self.mean_size))
        if self.interval:
            rows.append((f"{spot.low:.2f}–{spot.high:.2f}", self.detail_size))
        if self.count:
            share = f"/{spot.planned}" if spot.answered < spot.planned else ""
            rows.append((f"n={spot.answered}{share}", self.detail_size))
        heights = [size * 1.35 * POINT for _, size in rows]
        middles = [sum(heights[:i]) + heights[i] / 2 - sum(heights) / 2 for i in range(len(rows))]
        return [(text, size, middle) for (text, size), middle in zip(rows, middles, strict=True)]

    def fits(self, spots: Sequence[Spot], width: float, height: float) -> bool:
        """Whether each of these cells, `width` x `height` in size, can hold its lines."""
        lines = {line for spot in spots for line in self.lines(spot)}
        return all(
            text_width(text, size) <= width * 0.78 and 2 * abs(middle) + size * POINT <= height * 0.95
            for text, size, middle in lines
        )

    @property
    def meaning(self) -> str:
        """What the numbers in a cell are, for the caption."""
        parts = [name for name, shown in (("mean", self.mean_size), ("95 % interval", self.interval)) if shown]
        return f"In each cell: {', '.join([*parts, 'number of answers'] if self.count else parts)}. " if parts else ""


ANNOTATIONS = (
    Annotation(11, 7.5, interval=True, count=True),
    Annotation(9.5, 6.5, interval=True, count=True),
    Annotation(9.5, 6.5, count=True),
    Annotation(8.5),
    Annotation(0),
)
"""From the richest to nothing: a map takes the first that fits in all of its cells."""


@dataclass(frozen=True, slots=True)
class Map:
    """The cells of one map, how large they are, and what stands in them."""

    lengths: tuple[int, ...]
    depths: tuple[str, ...]
    """One label per row."""
    strip: bool
    """Whether the task sets its depths, so that there is a single row."""
    spots: tuple[Spot, ...]
    cell_width: float
    cell_height: float
    annotation: Annotation
    by_position: bool = False
    """Whether the rows are prompt tokens instead of depths."""

    @property
    def width(self) -> float:
        """All columns."""
        return self.cell_width * len(self.lengths)

    @property
    def height(self) -> float:
        """All rows."""
        return self.cell_height * len(self.depths)

    @property
    def column_step(self) -> int:
        """Every how many columns there is room for a label."""
        return _step(len(self.lengths), (_widest([format_length(n) for n in self.lengths], SMALL_SIZE) + 0.12) / self.cell_width)

    @property
    def row_step(self) -> int:
        """Every how many rows there is room for a label."""
        return _step(len(self.depths), 0.23 / self.cell_height)

    @property
    def roomy(self) -> bool:
        """Whether the cells are large enough for lines between them."""
        return min(self.cell_width, self.cell_height) > 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The paper that maps stand on, and the words around them."""

    width: float
    height: float
    title: tuple[str, ...]
    subtitle: tuple[str, ...]
    caption: tuple[str, ...]

    def box(self, left: float, bottom: float, width: float, height: float) -> tuple[float, float, float, float]:
        """A rectangle, from the lower left corner, as the fractions of the figure that matplotlib wants."""
        return left / self.width, bottom / self.height, width / self.width, height / self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout(Sheet):
    """The plan of a figure of one map."""

    map: Map
    left: float
    """Space for the depth labels."""
    bottom: float
    """Space for length labels, legend and caption."""


def plan_layout(cells: pd.DataFrame, title: str, subtitle: str, scale: Scale = SCORE) -> Layout:
    """Plan the figure of `lceval.reports.heatmap.heatmap`, whose arguments these are."""
    lengths, rows = axes_of(cells)
    spots = spots_of(cells, lengths, rows, scale)
    cell_width = max(min(1.0, max(0.27, 10.5 / len(lengths))), 2.8 / len(lengths))
    cell_height = 0.8 if len(rows) == 1 else min(0.64, max(0.22, 7.5 / len(rows)))
    bounded = not any(math.isnan(spot.low) for spot in spots if spot.answered)
    annotation = fitting(ANNOTATIONS if bounded else ANNOTATIONS[2:], spots, cell_width, cell_height)
    plan = Map(lengths, row_labels(rows), rows == (None,), spots, cell_width, cell_height, annotation, "position" in cells)
    left = space_for_rows(plan)
    width = left + plan.width + RIGHT
    headings = [wrap(title, TITLE_SIZE * 1.12, width - 2 * MARGIN), wrap(subtitle, SUBTITLE_SIZE, width - 2 * MARGIN)]
    caption = wrapped_caption([plan], len(spots) < len(lengths) * len(rows), width, scale=scale)
    bottom = 0.66 + space_below(spots, caption)
    return Layout(
        width=width,
        height=0.58 + space_above(headings) + plan.height + bottom,
        title=headings[0],
        subtitle=headings[1],
        caption=caption,
        map=plan,
        left=left,
        bottom=bottom,
    )


def axes_of(cells: pd.DataFrame) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """The columns (lengths) and rows (depths, None being set by the task; or, whole numbers, positions) of a map."""
    if "position" in cells:
        return tuple(sorted({int(length) for length in cells["length"]})), tuple(sorted({int(p) for p in cells["position"]}))
    free = sorted({float(depth) for depth in cells["depth"].dropna()})
    rows: tuple[float | None, ...] = (None, *free) if cells["depth"].isna().any() else tuple(free)
    return tuple(sorted({int(length) for length in cells["length"]})), rows


def row_labels(rows: Sequence[float | None]) -> tuple[str, ...]:
    """What stands beside the rows."""
    return tuple("set by task" if row is None else format_length(row) if isinstance(row, int) else depth_text(row) for row in rows)


def fitting(annotations: Sequence[Annotation], spots: Iterable[Spot], width: float, height: float) -> Annotation:
    """The richest annotation that fits in all answered cells of a size."""
    answered = [spot for spot in spots if spot.answered]
    return next(annotation for annotation in annotations if annotation.fits(answered, width, height))


def space_for_rows(plan: Map) -> float:
    """Inches to the left of a map, the paper's margin included."""
    return MARGIN + (text_width("depths set", LABEL_SIZE) + 0.2 if plan.strip else 0.36 + _widest(plan.depths, SMALL_SIZE))


def space_above(headings: Sequence[Sequence[str]]) -> float:
    """Inches that title and subtitle take."""
    return sum(len(part) * size * 1.35 * POINT for part, size in zip(headings, (TITLE_SIZE, SUBTITLE_SIZE), strict=True))


def space_below(spots: Iterable[Spot], caption: Sequence[str]) -> float:
    """Inches that the caption and the legend take."""
    kinds = {spot.answered == 0 for spot in spots if spot.answered < spot.planned}
    return len(caption) * SMALL_SIZE * 1.4 * POINT + len(kinds) * LEGEND_ROW + 0.1 * bool(kinds)


def wrapped_caption(maps: Sequence[Map], blank: bool, width: float, more: str = "", scale: Scale = SCORE) -> tuple[str, ...]:
    """What colours and numbers mean; the maps' annotations are the same."""
    text = _caption(scale, maps[0].annotation, [spot for plan in maps for spot in plan.spots if spot.answered])
    hole = " Blank: beyond the length." if maps[0].by_position else " Blank: not planned."
    return wrap(text + hole * blank + more, SMALL_SIZE, width - 2 * MARGIN)


@lru_cache(maxsize=4096)
def text_width(text: str, size: float) -> float:
    """The width of one line in matplotlib's default font."""
    from matplotlib.textpath import TextPath

    return float(TextPath((0, 0), text, size=size).get_extents().width) * POINT


def spots_of(cells: pd.DataFrame, lengths: Sequence[int], rows: Sequence[float | None], scale: Scale = SCORE) -> tuple[Spot, ...]:
    """The planned cells, each with its place among the columns and rows of a map."""
    place = "position" if "position" in cells else "depth"
    columns = ["length", place, "planned", "answered", "strict", "strict_low", "strict_high"]
    return tuple(
        Spot(
            column=lengths.index(int(length)),
            row=rows.index(None if math.isnan(place) else place),
            planned=int(planned),
            answered=int(answered),
            mean=mean,
            low=low,
            high=high,
            words=scale.words(mean),
            faded=scale.fades and low <= 0 <= high,
        )
        for length, place, planned, answered, mean, low, high in cells[columns].astype(float).itertuples(index=False)
    )


def _caption(scale: Scale, annotation: Annotation, answered: Sequence[Spot]) -> str:
    counts = sorted({spot.answered for spot in answered})
    text = f"Colour: {scale.meaning}. {annotation.meaning}"
    if counts and not annotation.count:
        span = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        text += f"Answers per cell: n = {span}."
    return text.strip()


def _step(count: int, wanted: float) -> int:
    """Every how many of `count` places to label when labels need `wanted` places each; meets the last one if it can."""
    least = math.ceil(wanted)
    return next((step for step in range(least, 2 * least) if (count - 1) % step == 0), least)


def _widest(texts: Sequence[str], size: float) -> float:
    return max(text_width(text, size) for text in texts)


def wrap(text: str, size: float, width: float) -> tuple[str, ...]:
    """At most three lines, each no wider than `width` inches."""
    if not text:
        return ()
    per_character = text_width(text, size) / len(text) * 1.06
    return tuple(textwrap.wrap(text, max(12, int(width / per_character)), max_lines=3, placeholder=" …"))


def readable_on(red: float, green: float, blue: float) -> str:
    """White or near-black, whichever contrasts more (relative luminance after WCAG 2.2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#111111" if (luminance + 0.05) ** 2 > 1.05 * 0.056 else "#ffffff"
