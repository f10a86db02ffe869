"""A picture of the distances Δ(i, j) in characters: rows are queries, columns keys, shades distances."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from lceval.runners.variants.pairs import Band, Chunks, Near, Random
from lceval.runners.variants.spec import Atom, positions

COLUMNS = 72
SHADES = "█▓▒░"
"""From near to far."""
FEW, NONE = ":", "·"
MANY = 0.5
"""Columns of which a smaller part is seen have no shade."""
LEAST = 48
"""Tokens of the smallest picture."""


def span(atoms: Iterable[Atom], bands: Sequence[Band]) -> int:
    """How many tokens show the structure of some atoms; 0 if they have none that can be drawn.

    Args:
        atoms: those of one layer.
        bands: their distance map; the first holds the near keys.
    """
    near, found = bands[0].see, 0
    for atom in atoms:
        match atom.name:
            case "self_extend" | "rerope" | "leaky" | "dca":
                found = max(found, 3 * near.size if isinstance(near, Chunks) else 4 * near.width if isinstance(near, Near) else 0)
            case "window":
                found = max(found, 4 * int(atom["W"]))
            case "segment":
                found = max(found, 3 * int(atom["L"]) + int(atom["M"]))
            case "random":
                found = max(found, COLUMNS // 2 * Random.SIZE)
            case "global":
                found = max(found, positions(str(atom["at"]))[-1] * 5 // 4)
            case "sinks" | "stride" | "dilate":
                found = max(found, LEAST)
    return max(found, LEAST) if found else 0


def draw(bands: Sequence[Band], length: int) -> Iterator[str]:
    """Lines of at most 80 columns.

    Args:
        bands: of a layer, causality included.
        length: tokens to show.
    """
    step = math.ceil(length / COLUMNS)
    columns = math.ceil(length / step)
    queries = [min(length, first + 2 * step) - 1 for first in range(0, length, 2 * step)]
    rows = [_row(bands, i, step) for i in queries]
    farthest = max((float(mean) for means, shares in rows for mean in means[shares >= MANY]), default=-1.0)
    each = max(1, math.ceil((farthest + 1) / len(SHADES)))
    margin = len(str(queries[-1]))
    ticks = "".join(f"{column * step:<12}" for column in range(0, columns, 12) if column * step < length)
    yield f"{'j':>{margin}} {ticks}".rstrip()
    for i, (means, shares) in zip(queries, rows, strict=True):
        cells = (
            NONE if share == 0 else FEW if share < MANY else SHADES[min(int(mean // each), len(SHADES) - 1)]
            for mean, share in zip(means.tolist(), shares.tolist(), strict=True)
        )
        yield f"{i:>{margin}} {''.join(cells)}"
    yield ""
    tops = [min((n + 1) * each - 1, math.ceil(farthest)) for n in range(len(SHADES))]
    key = [f"{shade} {n * each:,}-{top:,}" for n, (shade, top) in enumerate(zip(SHADES, tops, strict=True)) if n * each <= farthest]
    if farthest >= 0:
        yield "   ".join(key)
    key = [f"{FEW} few of a column's keys"] if any(((shares > 0) & (shares < MANY)).any() for _, shares in rows) else []
    key += [f"{NONE} not seen"] if any((shares == 0).any() for _, shares in rows) else []
    if key:
        yield "   ".join(key)


def _row(bands: Sequence[Band], i: int, step: int) -> tuple[Tensor, Tensor]:
    """For a query and each column of keys up to its own: the mean distance of those it sees (nan: none), and which part that is."""
    j = torch.arange(i + 1)
    query = torch.tensor([i])
    seen, distance = torch.zeros(i + 1), torch.zeros(i + 1)
    for band in bands:
        see = band.see(query, j)
        seen[see] = 1
        distance = torch.where(see, (band.q(query) - band.k(j)).float(), distance)
    column = j // step
    size = int(column[-1]) + 1
    keys = torch.bincount(column, minlength=size)
    visible = torch.bincount(column, seen, minlength=size)
    return torch.bincount(column, distance * seen, minlength=size) / visible, visible / keys
