"""Means with honest intervals, and the effective length that follows from them.

Scores lie in [0, 1]. A cluster is one haystack (seed and index): its values share their text, so they are not
independent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

BASE_LENGTH = 1024
"""Tokens up to which a length is short enough to serve as the base of a relative threshold."""
_ROUNDING = 1e-9


class Interval(NamedTuple):
    """A two-sided confidence interval of a mean score; (nan, nan) when nothing was observed."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CellStat:
    """A mean score with its 95 % interval; all three are nan when `n` is 0."""

    n: int
    """Number of values, not of clusters."""
    mean: float
    low: float
    high: float


def wilson(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """The Wilson score interval of a proportion, without continuity correction.

    Args:
        successes: number of successes; may be fractional (`mean * n`).
        n: number of independent trials.
        confidence: two-sided confidence level in (0, 1).

    Returns:
        The interval: exactly 0 at the lower end without successes, exactly 1 at the upper end without failures, and
        (nan, nan) for `n` = 0.

    Raises:
        ValueError: unless 0 <= successes <= n and 0 < confidence < 1.

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22 (1927).
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it must lie between 0 and 1")
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes out of {n}: wanted 0 <= successes <= n")
    if n == 0:
        return Interval(math.nan, math.nan)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(low, high)


def clustered_wilson(values: ArrayLike, clusters: ArrayLike, confidence: float = 0.95) -> Interval:
    """The Wilson interval of 0/1 values that come in clusters, with the number of values they are worth.

    n values are worth n / deff independent ones, where the design effect deff >= 1 is the variance of the mean between clusters
    over that of independent values; few clusters make this estimate uncertain, for which the number shrinks by the square of
    t(n - 1) / t(clusters - 1). One cluster is worth one value. Values that are all equal are worth what independent ones are, less
    that shrinkage, so the interval changes little between "all right" and "all but one right".

    Args:
        values: [N] of 0 and 1.
        clusters: [N] labels; values with equal labels belong together.
        confidence: two-sided confidence level in (0, 1).

    Source: Korn & Graubard, "Confidence Intervals for Proportions with Small Expected Number of Positive Counts Estimated from
    Survey Data", Survey Methodology 24 (1998); Wilson instead of Clopper-Pearson as in Franco et al., JSSAM 7 (2019).
    """
    scores, labels = _checked(values, clusters)
    if len(scores) == 0:
        return Interval(math.nan, math.nan)
    _, member = np.unique(labels, return_inverse=True)
    sizes, sums = np.bincount(member), np.bincount(member, weights=scores)
    n, count, p = len(scores), len(sizes), float(scores.mean())
    if count == n:
        return wilson(float(scores.sum()), n, confidence)
    if count == 1:
        return wilson(p, 1, confidence)
    between = count / (count - 1) * float(((sums - p * sizes) ** 2).sum()) / n**2
    deff = max(1.0, between * n / (p * (1 - p))) if 0 < p < 1 else 1.0
    tail = (1 + confidence) / 2
    worth = max(1.0, n / deff * float(stdtrit(n - 1, tail) / stdtrit(count - 1, tail)) ** 2)
    return wilson(p * worth, worth, confidence)


def cluster_bootstrap(
    values: ArrayLike, clusters: ArrayLike, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """The bootstrap interval of a mean whose values come in clusters.

    Whole clusters are drawn with replacement and the mean of all their values is taken; the interval is the expanded
    percentile interval, which widens the plain one for small numbers of clusters as Student's t widens the normal one.
    The same input gives the same interval, whatever the order of the values.

    A bootstrap can only show the spread it was given, so it is not used where it would pretend certainty. The Wilson
    interval of the mean with `n` = number of clusters, which is wide, is returned instead when

    * there are too few clusters for the confidence level: fewer than 2, and also while `2 ** (1 - clusters)` exceeds
      `1 - confidence` (fewer than 6 at 95 %), where even the range of all clusters misses the median too often;
    * every cluster has the same mean, as when all values are 0 or all are 1.

    Args:
        values: [N] scores in [0, 1].
        clusters: [N] labels; values with equal labels belong together.
        confidence: two-sided confidence level in (0, 1).
        resamples: number of bootstrap draws.
        seed: key of the Philox generator.

    Returns:
        The interval; (nan, nan) without values.

    Raises:
        ValueError: values outside [0, 1], or not as many labels as values.

    Source: Davison & Hinkley, "Bootstrap Methods" (1997), 3.8 (clusters); Hesterberg, arXiv:1411.5279, 3.3 (expansion).
    """
    scores, labels = _checked(values, clusters)
    if len(scores) == 0:
        return Interval(math.nan, math.nan)
    _, member = np.unique(labels, return_inverse=True)
    sizes = np.bincount(member).astype(np.float64)
    sums = np.bincount(member, weights=scores)
    count = len(sizes)
    if 2.0 ** (1 - count) > 1 - confidence or np.ptp(sums / sizes) < _ROUNDING:
        mean = float(np.clip(scores.mean(), 0, 1))
        return wilson(mean * count, count, confidence)
    weights = _draws(count, resamples, seed)
    means = (weights @ sums) / (weights @ sizes)
    t = float(stdtrit(count - 1, (1 + confidence) / 2))
    tail = NormalDist().cdf(-math.sqrt(count / (count - 1)) * t)
    low, high = np.clip(np.quantile(means, [tail, 1 - tail]), 0, 1)
    return Interval(float(low), float(high))


def summarise(values: ArrayLike, clusters: ArrayLike) -> CellStat:
    """The mean of some scores with its 95 % interval: `clustered_wilson` for 0/1 values, else `cluster_bootstrap`.

    Args:
        values: [N] scores in [0, 1].
        clusters: [N] labels of the haystacks they come from.

    Raises:
        ValueError: as `cluster_bootstrap`.
    """
    scores, labels = _checked(values, clusters)
    if len(scores) == 0:
        return CellStat(0, math.nan, math.nan, math.nan)
    binary = bool(np.all((scores == 0) | (scores == 1)))
    interval = clustered_wilson(scores, labels) if binary else cluster_bootstrap(scores, labels)
    return CellStat(len(scores), float(scores.mean()), *interval)


def average(stats: Sequence[CellStat]) -> CellStat:
    """The plain mean of independent means, with the interval that theirs imply; without values if one of them has none.

    The interval recovers each mean's variance from its own bounds (the method of variance estimates recovery), so it stays inside
    [0, 1] and is right at the ends, where a normal interval is not.

    Source: Zou & Donner, "Construction of confidence limits about effect measures", Statistics in Medicine 27 (2008).
    """
    if not stats or not all(stat.n for stat in stats):
        return CellStat(0, math.nan, math.nan, math.nan)
    mean = sum(stat.mean for stat in stats) / len(stats)
    below = math.hypot(*(stat.mean - stat.low for stat in stats)) / len(stats)
    above = math.hypot(*(stat.high - stat.mean for stat in stats)) / len(stats)
    return CellStat(sum(stat.n for stat in stats), mean, max(0.0, mean - below), min(1.0, mean + above))


@dataclass(frozen=True, slots=True)
class Threshold:
    """The score that counts as "still works", in one of three definitions.

    * `absolute`: `value` itself. RULER (arXiv:2404.06654) takes 0.856, the score of Llama-2-7B-chat at 4k.
    * `relative`: `value` x base. NoLiMa (arXiv:2502.05167) takes 0.85.
    * `drop`: base - `value`, for example 0.1 for a drop of ten points.

    The base is the highest mean among the tested lengths of at most 1,024 tokens; when none is that short, it is the
    mean at the shortest tested length. (NoLiMa takes the best of 250, 500 and 1k for every question-needle pair and
    averages those.) The base is treated as known: the interval of an effective length does not include its error.
    """

    kind: Literal["absolute", "relative", "drop"]
    value: float

    def score(self, scores: Mapping[int, CellStat]) -> float:
        """The score to reach; nan when the base was not measured."""
        if self.kind == "absolute":
            return self.value
        short = [length for length in scores if length <= BASE_LENGTH] or [min(scores)]
        means = [scores[length].mean for length in short if scores[length].n]
        base = max(means, default=math.nan)
        return self.value * base if self.kind == "relative" else base - self.value

    @property
    def label(self) -> str:
        """One phrase for reports."""
        if self.kind == "absolute":
            return f"score {self.value:g}"
        return f"{self.value:.0%} of own base" if self.kind == "relative" else f"{self.value * 100:g} points below own base"


ABSOLUTE = Threshold("absolute", 0.856)
RELATIVE = Threshold("relative", 0.85)
DROP = Threshold("drop", 0.1)


@dataclass(frozen=True, slots=True)
class EffectiveLength:
    """The longest tested length up to which all scores reach a threshold, in tokens (None: not even the shortest)."""

    length: int | None
    """Judged by the lower bounds of the intervals: the length that was shown to work, and the one to quote."""
    by_mean: int | None
    """Judged by the means alone, as published tables do."""
    high: int | None
    """Judged by the upper bounds: beyond it the scores were shown to be too low (or nothing was tested)."""

    @property
    def low(self) -> int | None:
        """The lower end of the interval [by lower bound, by upper bound]: `length` itself."""
        return self.length


def effective_length(scores: Mapping[int, CellStat], threshold: Threshold) -> EffectiveLength:
    """The largest tested length such that the score there *and at every shorter length* is at or above the threshold.

    A length without a single answer fails: nothing was shown there.

    Args:
        scores: by length in tokens, in any order.
        threshold: what counts as reached.

    Raises:
        ValueError: no lengths.

    Source: RULER (arXiv:2404.06654), NoLiMa (arXiv:2502.05167); both judge by the mean and RULER skips the shorter
    lengths, where this function judges by the bounds.
    """
    if not scores:
        raise ValueError("effective length of no lengths: at least one tested length is needed")
    wanted = threshold.score(scores) - _ROUNDING

    def longest(reached: Mapping[int, float]) -> int | None:
        found = None
        for length in sorted(reached):
            if not reached[length] >= wanted:
                break
            found = length
        return found

    return EffectiveLength(
        length=longest({length: stat.low for length, stat in scores.items()}),
        by_mean=longest({length: stat.mean for length, stat in scores.items()}),
        high=longest({length: stat.high for length, stat in scores.items()}),
    )


def _checked(values: ArrayLike, clusters: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.generic]]:
    scores = np.asarray(values, dtype=np.float64)
    labels = np.asarray(clusters)
    if scores.shape != labels.shape or scores.ndim != 1:
        raise ValueError(f"values {scores.shape} and clusters {labels.shape}: wanted two lists of equal length")
    if not np.all((scores >= 0) & (scores <= 1)):
        raise ValueError("scores must lie in [0, 1]")
    return scores, labels


@lru_cache(maxsize=4)
def _draws(count: int, resamples: int, seed: int) -> NDArray[np.float64]:
    """[resamples, count]: how often each resample draws each cluster."""
    rng = np.random.Generator(np.random.Philox(seed))
    return rng.multinomial(count, np.full(count, 1 / count), size=resamples).astype(np.float64)
