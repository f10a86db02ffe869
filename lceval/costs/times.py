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
    """Sums from which a · x + b · y is fitted to t with relative weights, in any number of steps.

    A point (x, y, t) weighs 1 / t², so that short prompts count as much as long ones.
    """

    def __init__(self) -> None:
        self.xx = self.xy = self.yy = self.x = self.y = 0.0
        self.points = 0

    def add(self, x: float, y: float, t: float) -> None:
        """One measurement; those of no time say nothing."""
        if t <= 0:
            return
        x, y = x / t, y / t
        self.xx, self.xy, self.yy = self.xx + x * x, self.xy + x * y, self.yy + y * y
        self.x, self.y, self.points = self.x + x, self.y + y, self.points + 1

    def solve(self) -> tuple[float, float]:
        """The least squares of a >= 0 and b >= 0; (0, 0) without a point."""
        determinant = self.xx * self.yy - self.xy * self.xy
        if determinant > 1e-9 * self.xx * self.yy:
            a = (self.yy * self.x - self.xy * self.y) / determinant
            b = (self.xx * self.y - self.xy * self.x) / determinant
            if a >= 0 and b >= 0:
                return a, b
        # With one of them 0, the better of the two: both sums of squares are n - (its part below).
        alone = [(self.x / self.xx, self.x**2 / self.xx) if self.xx else (0.0, 0.0)]
        alone += [(self.y / self.yy, self.y**2 / self.yy) if self.yy else (0.0, 0.0)]
        return (alone[0][0], 0.0) if alone[0][1] >= alone[1][1] else (0.0, alone[1][0])


@dataclass(frozen=True, slots=True)
class Fit:
    """Seconds of reading n tokens: linear · n + square · n²."""

    linear: float
    square: float
    residual: float
    """Root mean square of measured / fitted - 1."""
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
    errors = [t / (a * x + b * y) - 1 for x, y, t in kept if a * x + b * y > 0]
    return Fit(a, b, math.sqrt(sum(error * error for error in errors) / max(1, len(errors))), kept)
