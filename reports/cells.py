"""Maps for a page: one table of buttons a map, so that every cell can be reached, read out and followed to its samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from lceval.lengths import format_length
from lceval.reports import text
from lceval.reports.difference import Delta
from lceval.reports.kinds import KINDS
from lceval.reports.layout import readable_on
from lceval.reports.scale import DIFFERENCE, FADED, SCORE, Scale, logprob_scale
from lceval.reports.tables import Group, Tally

SPACIOUS = 14
"""Columns up to which numbers stand in the cells."""
MOST = 2500
"""Cells up to which a page has more than the map of scores."""

Cells = TypeVar("Cells", Tally, Delta)


@dataclass(frozen=True, slots=True)
class Box:
    """One cell: what it looks like, and what it says."""

    words: str
    """In the cell."""
    label: str
    """All of its numbers; the first line says where it is."""
    style: str
    kind: str
    """`full`, `part` (fewer answers than planned), `none` (no answer) or `faded`."""
    length: int
    depth: float | None


@dataclass(frozen=True, slots=True)
class Board:
    """A map as a table."""

    lengths: tuple[int, ...]
    rows: tuple[tuple[str, tuple[Box | None, ...]], ...]
    """(label, a box for each length; None where nothing was planned), top to bottom."""
    window: int | None
    """Index of the last length inside the trained window, where there is one on either side of it."""
    axis: str
    """What the rows are."""

    @property
    def dense(self) -> bool:
        """Whether there is no room for numbers."""
        return len(self.lengths) > SPACIOUS

    @property
    def kinds(self) -> set[str]:
        """The kinds of its boxes."""
        return {box.kind for _, boxes in self.rows for box in boxes if box}


def score_board(group: Group, window: object = None, *, by_depth: bool = False) -> Board:
    """Mean strict scores; `by_depth`: of needles by position, by the nearest tenth of the depth."""

    def box(cell: Tally) -> Box:
        if not cell.strict.n:
            return _box(cell, text.NOTHING, _told(cell), "", "none")
        kind = "part" if cell.counts.answered < cell.counts.planned else "full"
        return _box(cell, text.score_text(cell.strict.mean), _told(cell), _filled(SCORE, cell.strict.mean), kind)

    cells = group.by_depth if by_depth else group.cells
    return _board(cells, box, window, by_position=group.by_position and not by_depth)


def logprob_board(group: Group, window: object = None) -> tuple[Board, Scale]:
    """Mean log-probabilities of the gold answers, and what the colours mean."""
    scale = logprob_scale(cell.logprob for cell in group.cells)

    def box(cell: Tally) -> Box:
        if math.isnan(cell.logprob):
            return _box(cell, text.NOTHING, [*_where(cell), "no log-probability"], "", "none")
        told = [*_where(cell), f"{cell.logprob:.3f} nats a token", f"greedy decoding begins with it: {cell.greedy_match:.0%}"]
        return _box(cell, scale.words(cell.logprob), told, _filled(scale, cell.logprob), "full")

    return _board(group.cells, box, window, by_position=group.by_position), scale


def kinds_board(group: Group, window: object = None) -> Board:
    """Kinds of failed answers: each cell is a bar of its answers."""

    def box(cell: Tally) -> Box:
        counts = cell.counts
        if not counts.answered:
            return _box(cell, text.NOTHING, _told(cell), "", "none")
        stops, at = [], 0.0
        for kind in KINDS:
            if cell.kinds.get(kind):
                end = at + 100 * cell.kinds[kind] / counts.answered
                stops.append(f"var(--k-{kind.replace(' ', '-')}) {at:.4g}% {end:.4g}%")
                at = end
        stops.append(f"transparent {at:.4g}%")
        words = str(sum(cell.kinds.values()) or "")
        return _box(cell, words, _told(cell), f"background-image:linear-gradient(90deg,{','.join(stops)})", "bar")

    return _board(group.cells, box, window, by_position=group.by_position)


def difference_board(deltas: Sequence[Delta], window: object = None) -> Board:
    """Differences of two runs; undecided ones are faded."""

    def box(cell: Delta) -> Box:
        if not cell.n:
            return _box(cell, text.NOTHING, [*_where(cell), "no sample answered by both"], "", "none")
        told = [
            *_where(cell),
            f"{text.signed_text(cell.mean)} [{text.signed_text(cell.low)}, {text.signed_text(cell.high)}]"
            + ("" if cell.decided else ", undecided"),
            f"{cell.n} of {cell.planned} samples in both: {cell.wins} better, {cell.losses} worse",
        ]
        kind = ("part" if cell.n < cell.planned else "full") if cell.decided else "faded"
        fill = _filled(DIFFERENCE, cell.mean, share=1 if cell.decided else FADED)
        return _box(cell, text.signed_text(cell.mean), told, fill, kind)

    return _board(deltas, box, window, by_position=any(cell.position is not None for cell in deltas))


def _board(cells: Iterable[Cells], box: Callable[[Cells], Box], window: object, *, by_position: bool) -> Board:
    places = {(cell.length, cell.position if by_position else cell.depth): cell for cell in cells}
    lengths = sorted({length for length, _ in places if length is not None})
    rows = sorted({place for _, place in places}, key=lambda place: -1.0 if place is None else place)

    def row(place: float | None) -> tuple[Box | None, ...]:
        return tuple(box(places[length, place]) if (length, place) in places else None for length in lengths)

    inside = sum(length <= window for length in lengths) if isinstance(window, int) else 0
    labels = ["all" if place is None else format_length(int(place)) if by_position else text.depth_text(place) for place in rows]
    return Board(
        lengths=tuple(lengths),
        rows=tuple((label, row(place)) for label, place in zip(labels, rows, strict=True)),
        window=inside - 1 if 0 < inside < len(lengths) else None,
        axis="position" if by_position else "depth",
    )


def _box(cell: Tally | Delta, words: str, told: Sequence[str], style: str, kind: str) -> Box:
    assert cell.length is not None
    return Box(words, "\n".join(told), style, kind, cell.length, cell.depth)


def _where(cell: Tally | Delta) -> list[str]:
    assert cell.length is not None
    place = "" if cell.depth is None else f", depth {text.depth_text(cell.depth)}"
    if cell.position is not None:
        place = f", position {format_length(cell.position)}"
    return [format_length(cell.length) + place]


def _told(cell: Tally) -> list[str]:
    counts = cell.counts
    lines = _where(cell)
    lines.append(f"strict {text.stat_text(cell.strict)}" if cell.strict.n else "no answer")
    lines.append(f"n = {counts.answered} of {counts.planned}, coverage {text.percent_text(counts.coverage)}")
    lacks = {"truncated": counts.truncated, "errors": counts.errors, "missing": counts.missing}
    lines += [", ".join(f"{count} {name}" for name, count in lacks.items() if count)] * any(lacks.values())
    failed = [f"{cell.kinds[kind]} {kind}" for kind in KINDS if cell.kinds.get(kind)]
    return lines + [f"failed: {', '.join(failed)}"] * bool(failed)


@lru_cache(maxsize=4096)
def _filled(scale: Scale, value: float, share: float = 1) -> str:
    """Background and ink of a value; `share`: how much of the colour is left over white paper."""
    red, green, blue = scale.colour(value, share)
    code = "".join(f"{round(255 * part):02x}" for part in (red, green, blue))
    return f"background-color:#{code};color:{readable_on(red, green, blue)}"
