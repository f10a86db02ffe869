"""How sure a comparison of two runs would be to tell a drop, and how many samples that takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from lceval.paired import Members, Values, sign_flip, tango
from lceval.statistics import PRIOR_ICC_PAIRED, design_effect, worth

POWER = 0.8
"""The probability of a right verdict that is planned for."""
MOST_CLUSTERS = 4_000
"""No plan looks further."""
FEW = 12
"""Up to so many clusters that differ are tested exactly when planning."""
_RESAMPLES = 500


@dataclass(frozen=True)
class Design:
    """Two runs as an example of how answers differ though nothing got better or worse."""

    differences: Values
    """[N]."""
    base: Values
    """[N] the first run's scores."""
    member: Members
    """[N]."""

    @property
    def clusters(self) -> int:
        """Haystacks."""
        return int(self.member.max()) + 1

    @cached_property
    def _sums(self) -> Values:
        return np.bincount(self.member, weights=self.differences).astype(np.float64)

    def finds(self, drop: float, alpha: float, clusters: int | None = None) -> float:
        """The probability that a true drop is called at the level alpha by `lceval.paired.sign_flip`.

        Simulated, always with the same random numbers: clusters are drawn from those seen, each with a random sign, which makes it
        an example of no change; on top, of the answers that the base has right so many are lost that it makes the drop.

        Args:
            drop: in score.
            alpha: one-sided level.
            clusters: how many haystacks; as many as there are if left out.
        """
        count = clusters or self.clusters
        rng = np.random.Generator(np.random.Philox(count))
        drawn = rng.integers(self.clusters, size=(_RESAMPLES, count))
        right = np.rint(np.bincount(self.member, weights=self.base)).astype(np.intp)
        lost = rng.binomial(right[drawn], min(1.0, drop * len(self.base) / max(1, int(right.sum()))))
        sums = self._sums[drawn] * rng.choice([-1, 1], drawn.shape) - lost
        return float(np.mean(_called(sums, alpha)))

    def clears(self, margin: float, alpha: float, clusters: int | None = None) -> bool:
        """Whether a run that is no worse is shown to be less than the margin worse, with probability `POWER`."""
        times = (clusters or self.clusters) / self.clusters
        churn = float(np.abs(self.differences).mean()) - abs(float(self.differences.mean()))
        spread = churn * max(1.0, design_effect(self.differences, self.member)) / (times * len(self.differences))
        unlucky = float(ndtri(POWER)) * math.sqrt(spread)
        n = worth(self.differences, self.member, 1 - 2 * alpha, prior=PRIOR_ICC_PAIRED, times=times)
        apart = max(churn, unlucky)
        return tango((apart - unlucky) / 2, (apart + unlucky) / 2, n, 1 - 2 * alpha).low > -margin

    def decides(self, margin: float, alpha: float, alpha_each: float) -> int | None:
        """The fewest clusters with which a drop of the margin is called, and no drop is cleared, each with probability `POWER`.

        Args:
            margin: in score.
            alpha: level of the test that clears.
            alpha_each: level of the test that calls a drop, corrected for the number of tests.

        Returns:
            How many, or None for more than `MOST_CLUSTERS`, or where the base scores too little to lose the margin.
        """
        if float(self.base.mean()) < margin:
            return None
        low, high = 1, 2
        while not self._enough(margin, alpha, alpha_each, high):
            low, high = high, 2 * high
            if low >= MOST_CLUSTERS:
                return None
        while high - low > max(1, high // 50):
            middle = (low + high) // 2
            low, high = (low, middle) if self._enough(margin, alpha, alpha_each, middle) else (middle, high)
        return high

    def _enough(self, margin: float, alpha: float, alpha_each: float, clusters: int) -> bool:
        return self.clears(margin, alpha, clusters) and self.finds(margin, alpha_each, clusters) >= POWER


def _called(sums: Values, alpha: float) -> NDArray[np.bool_]:
    """[R] whether the sign-flip test calls a drop in each of [R, C] sums of clusters.

    Exact where few clusters differ; else approximated by Student's t of those that do, corrected for sums being whole numbers.
    """
    told = (np.abs(sums) > 1e-9).sum(axis=1)
    whole = bool(np.all(sums == np.round(sums)))
    t = stdtrit(np.maximum(told - 1, 1), 1 - alpha)
    needed = t * np.sqrt((sums**2).sum(axis=1) * told / np.maximum(told - 1 + t**2, 1e-9))
    called: NDArray[np.bool_] = (-sums.sum(axis=1) - whole >= needed) & (told > 1)
    for i in np.flatnonzero(told <= FEW) if whole else ():
        called[i] = sign_flip(sums[i], np.arange(sums.shape[1]), "less") <= alpha
    return called
