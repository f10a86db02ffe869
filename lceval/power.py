"""How sure a comparison of two runs would be to tell a drop, and how many samples that takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtri, stdtrit

from lceval.paired import Members, Values, tango
from lceval.statistics import PRIOR_ICC_PAIRED, design_effect, worth

POWER = 0.8
"""The probability of a right verdict that is planned for."""
MOST_CLUSTERS = 10_000
"""No plan looks further."""
_RESAMPLES = 500


@dataclass(frozen=True)
class Design:
    """Two runs as an example of how answers differ though nothing got better or worse."""

    differences: Values
    member: Members

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
        an example of no change, and so many answers as the drop says are lost on top. The sign-flip test is approximated by
        Student's t of the clusters in which anything differs, with a correction for sums being whole numbers.

        Args:
            drop: in score, as a share of the answers.
            alpha: one-sided level.
            clusters: how many haystacks; as many as there are if left out.
        """
        count = clusters or self.clusters
        rng = np.random.Generator(np.random.Philox(count))
        drawn = rng.integers(self.clusters, size=(_RESAMPLES, count))
        lost = rng.binomial(np.bincount(self.member)[drawn], drop)
        sums = self._sums[drawn] * rng.choice([-1, 1], drawn.shape) - lost
        told = np.maximum(2, (np.abs(sums) > 1e-9).sum(axis=1))
        t = stdtrit(told - 1, 1 - alpha)
        needed = t * np.sqrt((sums**2).sum(axis=1) * told / (told - 1 + t**2))
        whole = bool(np.all(self._sums == np.round(self._sums)))
        return float(np.mean(-sums.sum(axis=1) - whole >= np.maximum(needed, 1e-9)))

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
            How many, or None for more than `MOST_CLUSTERS`.
        """
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
