"""Pictures of a plan: KV bytes and FLOPs by length, memory against the GPU's, and measured times against their fit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lceval.costs.flops import flops
from lceval.costs.memory import kv_held, kv_needed
from lceval.lengths import format_length
from lceval.reports.heatmap import INK, PAPER, png_bytes, svg_text
from lceval.reports.write import write_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lceval.costs.forecast import Forecast

BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#8A8A8A"
"""Colours that stay apart for colour-blind readers (Okabe and Ito 2008)."""
POINTS = 40


def write_plots(plan: Forecast, folder: Path) -> list[Path]:
    """Write `plan.json` and each picture as PNG and SVG into a folder, which is made if need be; returns the PNGs.

    Raises:
        StoreError: it cannot be written.
    """
    from lceval.errors import StoreError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make the folder {str(folder)!r}: {error.strerror}. Name another with --out.") from error
    write_file(folder / "plan.json", (json.dumps(plan.record(), indent=1) + "\n").encode())
    written = []
    for name, figure in figures(plan):
        written.append(write_file(folder / f"plan-{name}.png", png_bytes(figure)))
        write_file(folder / f"plan-{name}.svg", svg_text(figure).encode())
    return written


def figures(plan: Forecast) -> Iterator[tuple[str, Figure]]:
    """Name and figure of every picture that a plan has the numbers for."""
    yield "growth", _growth(plan)
    yield "memory", _stack(plan)
    if plan.measured:
        yield "prefill", _prefill(plan)


def _blank(columns: int) -> tuple[Figure, list[Axes]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.4 * columns, 4.2), facecolor=PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    found = [figure.add_subplot(1, columns, i + 1) for i in range(columns)]
    for axes in found:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#E4E4E4", linewidth=0.6)
        axes.set_axisbelow(True)
    return figure, found


def _lengths_below(axes: Axes, lengths: list[int]) -> None:
    shown = lengths[:: max(1, -(-len(lengths) // 7))]
    axes.set_xticks(shown, [format_length(length) for length in shown])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("tokens of the context", color=INK)


def _growth(plan: Forecast) -> Figure:
    """KV bytes and operations by length, both axes logarithmic."""
    lengths = [at.length for at in plan.lengths]
    ends = (lengths[0], lengths[-1]) if len(lengths) > 1 else (max(1, lengths[0] // 16), lengths[0])
    n = [int(x) for x in np.unique(np.geomspace(*ends, POINTS).round())]
    figure, (left, right) = _blank(2)
    held, needed = ([of(plan.shape, length, plan.setting) / 2**30 for length in n] for of in (kv_held, kv_needed))
    left.plot(n, held, color=BLUE, label="held")
    if needed[-1] < 0.99 * held[-1]:
        left.plot(n, needed, color=ORANGE, linestyle="--", label="needed")
    left.set_title(f"KV cache, {plan.shape.name}", color=INK, fontsize=11)
    left.set_ylabel("GiB", color=INK)
    work = [flops(plan.shape, length, plan.setting) for length in n]
    right.plot(n, [each.attention / 1e15 for each in work], color=RED, label="attention (QKᵀ and PV)")
    right.plot(n, [each.linear / 1e15 for each in work], color=BLUE, label="linear layers")
    if plan.overtaken and n[0] < plan.overtaken < n[-1]:
        right.axvline(plan.overtaken, color=GREY, linewidth=0.8, linestyle=":", label=f"equal at {plan.overtaken:,}")
    right.set_title("FLOPs of reading one prompt, causal", color=INK, fontsize=11)
    right.set_ylabel("PFLOP", color=INK)
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_yscale("log")
        _lengths_below(axes, sorted({*lengths, *ends}))
        if len(axes.lines) > 1:
            axes.legend(frameon=False, fontsize=9)
    return figure


def _stack(plan: Forecast) -> Figure:
    """Weights, cache and activations of each length, and the memory of each GPU."""
    figure, (axes,) = _blank(1)
    at = range(len(plan.lengths))
    bottom = np.zeros(len(plan.lengths))
    for name, colour in (("weights", GREY), ("kv", BLUE), ("activations", ORANGE)):
        heights = np.array([getattr(each.memory, name) for each in plan.lengths]) / 2**30
        label = {"kv": "KV cache"}.get(name, name)
        axes.bar(at, heights, bottom=bottom, color=colour, width=0.7, label=label)
        bottom += heights
    axes.set_ylim(0, bottom[-1] * 1.12)
    for gpu, _ in plan.longest:
        height = gpu.memory / 2**30
        if height <= bottom[-1] * 1.12:
            axes.axhline(height, color=RED, linewidth=1, linestyle="--")
            axes.text(1.01, height, gpu.name, color=RED, fontsize=9, va="center", transform=axes.get_yaxis_transform())
    axes.set_xticks(list(at), [format_length(each.length) for each in plan.lengths])
    axes.set_xlabel("tokens of the context", color=INK)
    axes.set_ylabel("GiB", color=INK)
    axes.set_title(f"Memory of one context, {plan.shape.name}", color=INK, fontsize=11)
    figure.legend(frameon=False, fontsize=9, ncols=3, loc="outside lower center")
    return figure


def _prefill(plan: Forecast) -> Figure:
    """Seconds to the first token: measured, and the fit through them."""
    assert plan.measured is not None
    fit = plan.measured.fit
    figure, (axes,) = _blank(1)
    measured = [(int(tokens), seconds) for tokens, _, seconds in fit.points]
    last = max(plan.lengths[-1].length, *(tokens for tokens, _ in measured))
    n = np.linspace(0, last, 200)[1:]
    label = f"{fit.linear:.3g} n + {fit.square:.3g} n²  (residual {fit.residual:.1%})"
    axes.plot(n, [fit.seconds(tokens) for tokens in n], color=BLUE, label=label)
    axes.scatter(*zip(*measured, strict=True), color=RED, zorder=3, label=f"measured, {plan.measured.where}")
    _lengths_below(axes, [at.length for at in plan.lengths if at.length > last / 10])
    axes.set_xlim(left=0)
    axes.set_ylabel("seconds to the first token", color=INK)
    axes.set_ylim(bottom=0)
    axes.set_title(f"Reading a prompt, {plan.shape.name}", color=INK, fontsize=11)
    axes.legend(frameon=False, fontsize=9, loc="upper left")
    return figure
