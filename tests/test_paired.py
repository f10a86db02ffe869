"""Differences between paired answers: intervals, p-values, their adjustment, and power."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import xlogy
from scipy.stats import binomtest, ttest_1samp

from lceval.paired import holm, mean_interval, score_interval, sign_flip, tango
from lceval.power import Design

SCORES = st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=40)


def alone(values: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """One pair a cluster."""
    return np.array(values), np.arange(len(values))


class TestSignFlip:
    @given(SCORES)
    @settings(max_examples=50)
    def test_one_pair_a_cluster_is_the_exact_test_of_mcnemar(self, values):
        won, lost = values.count(1.0), values.count(-1.0)
        for alternative in ("two-sided", "less"):
            expected = binomtest(won, won + lost, alternative=alternative).pvalue if won + lost else 1.0
            assert sign_flip(*alone(values), alternative) == pytest.approx(expected)

    def test_counts_every_pattern_of_signs(self):
        """Sums -3, -2 and +1 of three clusters: of eight patterns one is lower than the sum of -4, and one is as low."""
        values, member = np.array([-1.0, -1, -1, -1, -1, 1]), np.array([0, 0, 0, 1, 1, 2])
        assert sign_flip(values, member, "less") == pytest.approx(2 / 8)
        assert sign_flip(values, member) == pytest.approx(4 / 8)

    def test_fractions_and_whole_numbers_agree(self):
        values, member = np.array([-1.0, -1, 0, 1, -1, -1, 0, -1]), np.arange(8)
        assert sign_flip(values / 3, member) == pytest.approx(sign_flip(values, member))

    def test_many_fractions_are_drawn_and_always_alike(self):
        values, member = np.random.default_rng(1).normal(-0.1, 0.3, 60), np.arange(60)
        assert sign_flip(values, member, "less") == sign_flip(values, member, "less")
        assert sign_flip(values, member, "less") == pytest.approx(ttest_1samp(values, 0, alternative="less").pvalue, abs=0.01)

    def test_nothing_differs(self):
        assert sign_flip(np.zeros(5), np.arange(5)) == 1.0

    def test_three_haystacks_never_tell(self):
        assert sign_flip(np.full(33, -1.0), np.repeat(range(3), 11), "less") == 1 / 8


class TestIntervals:
    @pytest.mark.parametrize(("won", "lost", "n"), [(0, 1, 44), (3, 9, 60), (25, 5, 80), (0, 0, 30)])
    def test_tango_is_the_score_test_inverted(self, won, lost, n):
        """At a bound the observed difference is z standard errors away, by the probabilities that are most likely there."""
        for difference, z in zip(tango(won / n, lost / n, n, 0.95), (1.959964, -1.959964), strict=True):

            def unlikely(q: float, d: float = difference) -> float:
                """Minus the log-likelihood of a share q of losses and q + d of wins."""
                return -float(xlogy(won, q + d) + xlogy(lost, q) + xlogy(n - won - lost, 1 - 2 * q - d))

            least, most = max(0.0, -difference), (1 - difference) / 2
            q = minimize_scalar(unlikely, bounds=(least + 1e-12, most - 1e-12), method="bounded", options={"xatol": 1e-12}).x
            error = np.sqrt((2 * q + difference - difference**2) / n)
            assert ((won - lost) / n - difference) / error == pytest.approx(z, abs=1e-3)

    @pytest.mark.parametrize(("wins", "losses"), [(0.0, 1.0), (1.0, 0.0), (0.5, 0.5), (0.0, 0.01)])
    def test_tango_holds_the_difference_and_stays_in_range(self, wins, losses):
        low, high = tango(wins, losses, 20, 0.95)
        assert -1 <= low <= wins - losses <= high <= 1
        assert low < high
        assert tango(losses, wins, 20, 0.95) == pytest.approx((-high, -low), abs=1e-6)

    def test_clusters_that_change_together_are_worth_less(self):
        together, member = np.repeat([1.0, -1.0] * 5, 10), np.repeat(range(10), 10)
        apart = np.tile([1.0, -1.0] * 5, 10)
        width = [np.subtract(*score_interval(values, member)[::-1]) for values in (together, apart)]
        assert width[0] > 2 * width[1]

    def test_no_difference_is_not_certainty(self):
        low, high = score_interval(np.zeros(110), np.repeat(range(10), 11))
        assert low == pytest.approx(-high)
        assert 0.03 < high < 0.1

    def test_means_are_students_by_cluster(self):
        values = np.random.default_rng(0).normal(size=12)
        expected = ttest_1samp(values, 0).confidence_interval(0.9)
        assert mean_interval(values, np.arange(12), 0.9) == pytest.approx((expected.low, expected.high))
        doubled = mean_interval(np.repeat(values, 2), np.repeat(range(12), 2), 0.9)
        assert doubled == pytest.approx((expected.low, expected.high))

    def test_one_cluster_has_no_spread(self):
        assert mean_interval(np.array([1.0, 2.0]), np.zeros(2, dtype=int)) == (-np.inf, np.inf)


def test_holm_steps_down() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


class TestDesign:
    def test_more_haystacks_and_larger_drops_are_found_more_often(self):
        rng, member = np.random.default_rng(2), np.repeat(range(20), 5)
        base = (rng.random(100) < 0.8).astype(float)
        design = Design((rng.random(100) < 0.1) * rng.choice([-1.0, 1.0], 100), base, member)
        found = [design.finds(drop, 0.05) for drop in (0.02, 0.05, 0.1, 0.2)]
        assert found == sorted(found)
        assert found[0] < 0.3 < 0.9 < found[-1]
        assert design.finds(0.05, 0.05, 200) > design.finds(0.05, 0.05, 20)

    def test_no_drop_is_called_as_often_as_alpha_allows(self):
        rng, member = np.random.default_rng(3), np.repeat(range(40), 5)
        design = Design((rng.random(200) < 0.2) * rng.choice([-1.0, 1.0], 200), np.ones(200), member)
        assert design.finds(0.0, 0.05) < 0.08

    def test_a_smaller_margin_takes_more_samples(self):
        design = Design(np.zeros(110), np.ones(110), np.repeat(range(10), 11))
        needed = [design.decides(margin, 0.05, 0.01) for margin in (0.1, 0.05, 0.02)]
        assert needed == sorted(needed)
        assert 5 < needed[0] < needed[-1] < 100
        assert design.clears(0.05, 0.05) is True
        assert design.clears(0.02, 0.05) is False

    def test_what_cannot_be_lost_or_decided_is_not_planned(self):
        member = np.repeat(range(10), 2)
        assert Design(np.zeros(20), np.zeros(20), member).decides(0.02, 0.05, 0.05) is None
        assert Design(np.zeros(20), np.ones(20), member).decides(1e-5, 0.05, 0.05) is None
