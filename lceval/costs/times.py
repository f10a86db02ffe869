"""Seconds: what a GPU's rates allow, and what was measured.

The roofline (Williams et al. 2009) is a bound, never a forecast: arithmetic at the peak rate of the data sheet, memory at its full
bandwidth, the larger of the two. A measured prefill gives the forecast: seconds(n) = a · n + b · n², a and b at least 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lceval.costs.flops import flops
from lceval.costs.gpus import Gpu
from lceval.costs.memory import Setting, kv_needed, weight_bytes
from lceval.costs.shapes import Shape


def prefill_bound(shape: Shape, length: int, setting: Setting, gpu: Gpu, count: int = 1) -> float | None:
    """Seconds to the first token at best; None where the GPU's rates are not known, or not for the dtype.

    Args:
        shape: the model's.
        length: tokens of the prompt.
        setting: how it is run.
        gpu: one of the GPUs.
        count: how many share the work evenly.
    """
    if gpu.flops is None or gpu.bandwidth is None or setting.itemsize > 2:
        return None
    passes = math.ceil(length / setting.chunk)
    moved = passes * weight_bytes(shape, setting) + kv_needed(shape, length, setting) * (passes + 1) / 2
    return max(flops(shape, length, setting).total / gpu.flops, moved / gpu.bandwidth) / count


def step_bound(shape: Shape, length: int, setting: Setting, gpu: Gpu, count: int = 1) -> float | None:
    """Seconds of one decoding step at best: every weight that a token meets and every key that it sees is read once."""
    if gpu.bandwidth is None:
        return None
    part = (shape.active + shape.hidden * shape.vocabulary) / shape.parameters
    return (weight_bytes(shape, setting) * part + kv_needed(shape, length, setting)) / gpu.bandwidth / count


class Moments:
    """Sums from which a · x + b · y is fitted to t, in any number of steps; errors are taken to grow as the root of t."""

    def __init__(self) -> None:
        self.xx = self.xy = self.yy = self.x = self.y = 0.0

    def add(self, x: float, y: float, t: float) -> None:
        """One measurement; those of no time say nothing."""
        if t > 0:
            self.xx, self.xy, self.yy = self.xx + x * x / t, self.xy + x * y / t, self.yy + y * y / t
            self.x, self.y = self.x + x, self.y + y

    def solve(self) -> tuple[float, float]:
        """The least squares of a >= 0 and b >= 0; (0, 0) without a point."""
        determinant = self.xx * self.yy - self.xy * self.xy
        if determinant > 1e-9 * self.xx * self.yy:
            a = (self.yy * self.x - self.xy * self.y) / determinant
            b = (self.xx * self.y - self.xy * self.x) / determinant
            if a >= 0 and b >= 0:
                return a, b
        # One of them is 0: the one that leaves more to be explained.
        by_x, by_y = (s * s / ss if ss else 0.0 for s, ss in ((self.x, self.xx), (self.y, self.yy)))
        if by_x >= by_y:
            return self.x / self.xx if self.xx else 0.0, 0.0
        return 0.0, self.y / self.yy


@dataclass(frozen=True, slots=True)
class Fit:
    """Seconds of reading n tokens: linear · n + square · n²."""

    linear: float
    square: float
    residual: float
    """Root mean square of (measured - fitted) / measured, each weighing as much as it took."""
    points: tuple[tuple[float, float, float], ...] = ()
    """(tokens, squares, seconds) of what it was fitted to."""

    def seconds(self, tokens: float, squares: float | None = None) -> float:
        """Of so many tokens read from nothing; or of spans a..b behind prefixes: Σ (b - a), Σ (b² - a²)."""
        return self.linear * tokens + self.square * (tokens**2 if squares is None else squares)


def fitted(points: Iterable[Sequence[float]]) -> Fit | None:
    """The fit to (tokens, squares, seconds); None where none took any time."""
    kept = tuple((x, y, t) for x, y, t in points if t > 0)
    moments = Moments()
    for point in kept:
        moments.add(*point)
    if not kept:
        return None
    a, b = moments.solve()
    squares = sum((t - a * x - b * y) ** 2 / t for x, y, t in kept)
    return Fit(a, b, math.sqrt(squares / sum(t for _, _, t in kept)), kept)
