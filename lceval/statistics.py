"""Means with honest intervals, and the effective length that follows from them.

Scores lie in [0, 1]. A cluster is one haystack (seed and index): its values share their text, so they are not
independent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, stdtrit

BASE_LENGTH = 1024
"""Tokens up to which a length is short enough to serve as the base of a relative threshold."""
PRIOR_ICC, PRIOR_ICC_PAIRED = 0.25, 0.05
"""The intra-cluster correlation of scores, and of differences between two answers to one question, that is expected before
anything is known of it: a haystack can be easy or hard, which cancels in a difference."""
PRIOR_CLUSTERS, PRIOR_DF = 2, 6
"""How many clusters that is worth, and the degrees of freedom of an interval that rests on nothing else. All four were chosen by
`tests/benchmarks/calibration.py`."""
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


@lru_cache(maxsize=4096)
def mid_p(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """The mid-P interval of a proportion: Clopper and Pearson's exact one, with half of what was observed in each tail.

    It keeps its confidence near 0 and 1, where Wilson's loses a tenth of it (Brown, Cai & DasGupta, Statistical Science 16, 2001).

    Args:
        successes: number of successes; may be fractional.
        n: number of independent trials; may be fractional.
        confidence: two-sided confidence level in (0, 1).

    Returns:
        The interval: exactly 0 at the lower end without successes, exactly 1 at the upper end without failures, and
        (nan, nan) for `n` = 0.

    Raises:
        ValueError: unless 0 <= successes <= n and 0 < confidence < 1.

    Source: Lancaster, "Significance tests in discrete distributions", JASA 56 (1961); Berry & Armitage, "Mid-P confidence
    intervals: a brief review", The Statistician 44 (1995).
    """
    from scipy.optimize import brentq

    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it must lie between 0 and 1")
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes out of {n}: wanted 0 <= successes <= n")
    if n == 0:
        return Interval(math.nan, math.nan)
    failures = n - successes

    def more(p: float) -> float:
        """P(more successes) + P(as many) / 2, with the binomial's tails as incomplete beta functions."""
        as_many_or_more = float(betainc(successes, failures + 1, p)) if successes else 1.0
        return (as_many_or_more + (float(betainc(successes + 1, failures, p)) if failures else 0.0)) / 2

    tail = (1 - confidence) / 2
    low = float(brentq(lambda p: more(p) - tail, 0, 1)) if successes else 0.0
    high = float(brentq(lambda p: more(p) - 1 + tail, 0, 1)) if failures else 1.0
    return Interval(low, high)


def design_effect(values: NDArray[np.float64], member: NDArray[np.intp]) -> float:
    """The variance of a mean of values in clusters, over that of as many independent values of -1, 0 and 1 with the same mean.

    Args:
        values: [N] in [-1, 1].
        member: [N] which cluster each belongs to, from 0.

    Returns:
        The ratio; 0 where nothing varies or there is one cluster only.
    """
    sizes, mean = np.bincount(member), float(values.mean())
    alone = float(np.abs(values).mean()) - mean**2
    if len(sizes) < 2 or alone < _ROUNDING:
        return 0.0
    apart = np.bincount(member, weights=values) - mean * sizes
    return len(sizes) / (len(sizes) - 1) * float((apart**2).sum()) / (len(values) * alone)


def worth(
    values: NDArray[np.float64], member: NDArray[np.intp], confidence: float = 0.95, *, prior: float = PRIOR_ICC, times: float = 1
) -> float:
    """How many independent values of -1, 0 and 1 tell a mean as well as these, which come in clusters.

    It is n / deff, by the design effect. Only clusters in which something other than 0 occurs tell that, and they may be few: ten
    haystacks that are all right say nothing of an eleventh that is all wrong. So deff is the mean of the one seen and of what a
    prior intra-cluster correlation would make of it, weighted by the number of those clusters (less one) and `PRIOR_CLUSTERS`,
    and Student's t takes the place of the normal quantile. A cluster is worth one value at least; whole numbers are worth one
    each at most. Fractions vary less than 0/1 scores of the same mean, so they may be worth more.

    Args:
        values: [N] in [-1, 1], 0 being the most common: failures where most succeed, or differences.
        member: [N] which cluster each belongs to, from 0.
        confidence: two-sided level of the interval that this is for.
        prior: the intra-cluster correlation to expect before anything is known of it.
        times: as if there were so many times as many clusters of the same kind.

    Source: Korn & Graubard, "Confidence intervals for proportions with small expected number of positive counts estimated from
    survey data", Survey Methodology 24 (1998); the prior is ours, and `tests/benchmarks/calibration.py` shows what it achieves.
    """
    n, sizes = len(values), np.bincount(member)
    whole = bool(np.all(values == np.round(values)))
    if len(sizes) == 1 or (whole and len(sizes) == n):
        return len(sizes) * times
    kish = float((sizes**2).sum()) / n
    told = max(0.0, times * int(np.count_nonzero(np.bincount(member, weights=np.abs(values)) > _ROUNDING)) - 1)
    expected = 1 + (kish - 1) * prior
    deff = (PRIOR_CLUSTERS * expected + told * design_effect(values, member)) / (PRIOR_CLUSTERS + told)
    tail = (1 + confidence) / 2
    known = times * n / deff * float(stdtrit(times * n, tail) / stdtrit(PRIOR_DF + told, tail)) ** 2
    return max(times * n / kish, min(known, times * n) if whole else known)


def summarise(values: ArrayLike, clusters: ArrayLike, confidence: float = 0.95) -> CellStat:
    """The mean of some scores with its interval: mid-P for as many independent answers as the clusters are worth.

    Fractions count as parts of successes; that their mean varies less than one of 0/1 scores, `worth` takes into account.

    Args:
        values: [N] scores in [0, 1].
        clusters: [N] labels of the haystacks they come from.
        confidence: two-sided confidence level in (0, 1).

    Raises:
        ValueError: values outside [0, 1], or not as many labels as values.
    """
    scores, member = _checked(values, clusters)
    if len(scores) == 0:
        return CellStat(0, math.nan, math.nan, math.nan)
    mean = min(1.0, max(0.0, float(scores.mean())))
    n = worth(scores if mean <= 0.5 else 1 - scores, member, confidence)
    return CellStat(len(scores), mean, *mid_p(mean * n, n, confidence))


def with_coverage(stat: CellStat, coverage: float) -> CellStat:
    """A score of the planned answers that came back, if the others had all been wrong (lower bound and mean) or right (upper)."""
    return CellStat(stat.n, stat.mean * coverage, stat.low * coverage, stat.high * coverage + 1 - coverage)


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


def _checked(values: ArrayLike, clusters: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """[N] scores and [N] which cluster each belongs to."""
    scores = np.asarray(values, dtype=np.float64)
    labels = np.asarray(clusters)
    if scores.shape != labels.shape or scores.ndim != 1:
        raise ValueError(f"values {scores.shape} and clusters {labels.shape}: wanted two lists of equal length")
    if not np.all((scores >= 0) & (scores <= 1)):
        raise ValueError("scores must lie in [0, 1]")
    return scores, np.unique(labels, return_inverse=True)[1]
