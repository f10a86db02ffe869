"""Ranks without false precision: which ranks of each of several runs the answers to the same samples allow."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

EXACT = 13
"""Clusters up to which all sign changes are tried; beyond it `DRAWS` of them are drawn."""
DRAWS = 9_999
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class RankRange:
    """The ranks from `best` to `worst`, both included; 1 is the highest score."""

    best: int
    worst: int

    @property
    def text(self) -> str:
        """`2`, or `1–3`."""
        return f"{self.best}" if self.best == self.worst else f"{self.best}–{self.worst}"


def rank_ranges(scores: ArrayLike, clusters: ArrayLike, weights: ArrayLike, confidence: float = 0.95) -> list[RankRange]:
    """For each of several runs, a confidence set of its rank by mean score.

    A run is called better than another when a one-sided test of their paired difference says so; its range leaves out the ranks
    that this excludes. The tests that concern one run are corrected together (Holm), so each range holds its run's true rank with
    at least the confidence asked for, as an interval does. Few clusters give wide ranges: with fewer than six nothing is excluded.

    The test flips the signs of whole clusters: its p-value is the share of all sign changes (or of `DRAWS` random ones and the
    identity) whose weighted sum is at least the one seen. It needs no normal distribution, only that the differences of clusters
    are symmetric where the runs are equal. A missing score counts as the worst, 0, where its run might be called better and as
    the best, 1, where it might be called worse.

    Args:
        scores: [K, N] of K runs on the same N samples, in [0, 1]; nan where an answer is missing.
        clusters: [N] labels; samples with equal labels (a haystack) belong together.
        weights: [N] of the samples in the mean.
        confidence: of each range by itself, in (0, 1).

    Raises:
        ValueError: shapes that do not fit, or no samples.

    Source: Mogstad, Romano, Shaikh & Wilhelm, "Inference for Ranks", Review of Economic Studies 91 (2024), marginal confidence
    sets; Canay, Romano & Shaikh, "Randomization Tests under an Approximate Symmetry Assumption", Econometrica 85 (2017).
    """
    given, labels, share = np.asarray(scores, dtype=np.float64), np.asarray(clusters), np.asarray(weights, dtype=np.float64)
    if given.ndim != 2 or labels.shape != given.shape[1:] or share.shape != given.shape[1:] or given.size == 0:
        raise ValueError(
            f"scores {given.shape}, clusters {labels.shape}, weights {share.shape}: wanted [K, N], [N] and [N], none empty"
        )
    _, member = np.unique(labels, return_inverse=True)
    least, most = (_by_cluster(np.nan_to_num(given, nan=missing) * share, member) for missing in (0.0, 1.0))
    signs = _sign_changes(least.shape[1])
    flipped_least, flipped_most = signs @ least.T, signs @ most.T
    better = np.array([_p_values(flipped_least[:, [i]] - flipped_most) for i in range(len(given))])
    return [_range(better, i, 1 - confidence) for i in range(len(given))]


def _by_cluster(values_KN: NDArray[np.float64], member: NDArray[np.intp]) -> NDArray[np.float64]:
    """[K, clusters] sums."""
    return np.array([np.bincount(member, weights=values) for values in values_KN])


def _sign_changes(count: int) -> NDArray[np.float64]:
    """[changes, clusters] of 1 and -1; the first changes nothing."""
    if count <= EXACT:
        return np.array(list(product((1.0, -1.0), repeat=count)))
    bits = np.random.Generator(np.random.Philox(0)).integers(0, 2, size=(DRAWS, count))
    return np.vstack([np.ones((1, count)), 1.0 - 2.0 * bits])


def _p_values(sums_RK: NDArray[np.float64]) -> NDArray[np.float64]:
    """[K] of the hypothesis that this run is not better than run k; row 0 has the sums as they were seen."""
    return np.asarray((sums_RK >= sums_RK[0] - _ROUNDING).mean(axis=0), dtype=np.float64)


def _range(better_KK: NDArray[np.float64], i: int, alpha: float) -> RankRange:
    """The range of run i; `better_KK[a, b]` is the p-value of "a is better than b"."""
    others = [k for k in range(len(better_KK)) if k != i]
    found = [(float(better_KK[k, i]), 1) for k in others] + [(float(better_KK[i, k]), 0) for k in others]
    above = below = 0
    for place, (p, is_above) in enumerate(sorted(found)):
        if p * (len(found) - place) > alpha:
            break
        above += is_above
        below += not is_above
    return RankRange(1 + above, len(better_KK) - below)
