"""Differences between two runs' answers to the same questions: how large, how sure, and how many samples would tell.

A difference is the second answer's value minus the first's. Differences come in clusters (haystacks), given as `member`: [N] which
cluster each belongs to, from 0. Those of scores lie in [-1, 1], those of log-probabilities anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from lceval.statistics import PRIOR_ICC_PAIRED, Interval, worth

Values = NDArray[np.float64]
Members = NDArray[np.intp]
_RESAMPLES = 9_999


def score_interval(differences: Values, member: Members, confidence: float = 0.95) -> Interval:
    """The score interval of a mean difference of scores, for as many independent pairs as the clusters are worth.

    It needs no spread to be seen: a hundred pairs without any difference leave room for one, of about z² / 100.

    Source: Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
    Statistics in Medicine 17 (1998), with the effective sample size of `lceval.statistics.worth`.
    """
    n = worth(differences, member, confidence, prior=PRIOR_ICC_PAIRED)
    return tango(float(np.maximum(differences, 0).mean()), float(np.maximum(-differences, 0).mean()), n, confidence)


def tango(wins: float, losses: float, n: float, confidence: float) -> Interval:
    """The score interval of wins - losses, both shares of `n` pairs."""
    from scipy.optimize import brentq

    z = float(ndtri((1 + confidence) / 2))

    def off(difference: float, wanted: float) -> float:
        """How far the standardised distance of the observed difference from this one is from the wanted one."""
        b = -wins - losses + (2 - wins + losses) * difference
        c = -losses * difference * (1 - difference)
        lost = (math.sqrt(max(0.0, b * b - 8 * c)) - b) / 4
        variance = max(2 * lost + difference * (1 - difference), 1e-15)
        return (wins - losses - difference) * math.sqrt(n / variance) - wanted

    low = float(brentq(off, -1, wins - losses, args=(z,))) if wins - losses > -1 else -1.0
    high = float(brentq(off, wins - losses, 1, args=(-z,))) if wins - losses < 1 else 1.0
    return Interval(low, high)


def mean_interval(differences: Values, member: Members, confidence: float = 0.95) -> Interval:
    """Student's interval of a mean difference without bounds, from the spread of the clusters; infinite for a single one."""
    sizes, mean = np.bincount(member), float(differences.mean())
    count, n = len(sizes), len(differences)
    if count < 2:
        return Interval(-math.inf, math.inf)
    sums = np.bincount(member, weights=differences)
    error = math.sqrt(count / (count - 1) * float(((sums - mean * sizes) ** 2).sum())) / n
    half = float(stdtrit(count - 1, (1 + confidence) / 2)) * error
    return Interval(mean - half, mean + half)


def sign_flip(differences: Values, member: Members, alternative: Literal["two-sided", "less"] = "two-sided") -> float:
    """The p-value of no change: the share of sign patterns of the clusters whose sum is as extreme as the one seen.

    If nothing changed, the two answers of a pair might as well be swapped, all of a cluster together: this holds whatever their
    correlation inside it. With one 0/1 pair a cluster it is McNemar's exact test. Exact for 0/1 scores and for up to 13 clusters,
    else from 9,999 random patterns, always the same ones.

    Source: Good, "Permutation, Parametric and Bootstrap Tests of Hypotheses" (2005), 3.2; McNemar, Psychometrika 12 (1947).
    """
    sums = np.bincount(member, weights=differences)
    sums = sums[np.abs(sums) > 1e-9]
    if len(sums) == 0:
        return 1.0
    if np.all(sums == np.round(sums)):
        return _exact(sums.astype(np.int64), alternative)
    from scipy.stats import permutation_test

    rng = np.random.Generator(np.random.Philox(0))
    result = permutation_test(
        (sums,), np.sum, permutation_type="samples", alternative=alternative, n_resamples=_RESAMPLES, vectorized=True, rng=rng
    )
    return float(result.pvalue)


def _exact(sums: NDArray[np.int64], alternative: Literal["two-sided", "less"]) -> float:
    """The same for whole numbers, by the distribution of their sum: with `s` of them negative it is the total less twice `s`."""
    sizes = np.abs(sums)
    total, seen = int(sizes.sum()), int(sums.sum())
    chance = np.zeros(total + 1)  # by the sum of those that are negative
    chance[0] = 1.0
    for size in sizes.tolist():
        chance[size:] = (chance[size:] + chance[: total + 1 - size]) / 2
        chance[:size] /= 2
    values = total - 2 * np.arange(total + 1)
    extreme = values <= seen if alternative == "less" else np.abs(values) >= abs(seen)
    return min(1.0, float(chance[extreme].sum()))


def holm(p: Sequence[float]) -> list[float]:
    """p-values adjusted so that calling those at or below alpha is wrong for any of them with probability alpha at most.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).
    """
    adjusted, most = [1.0] * len(p), 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        most = max(most, min(1.0, (len(p) - rank) * p[i]))
        adjusted[i] = most
    return adjusted
