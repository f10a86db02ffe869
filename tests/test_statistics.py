from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from lceval.keys import generator
from lceval.statistics import (
    ABSOLUTE,
    CellStat,
    Threshold,
    average,
    effective_length,
    mid_p,
    summarise,
)

SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=60)


def stat(mean: float, half: float = 0.0) -> CellStat:
    return CellStat(100, mean, mean - half, mean + half)


class TestMidP:
    @given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
    @settings(max_examples=60)
    def test_half_of_what_was_seen_is_in_each_tail(self, counts, confidence):
        """At a bound, P(beyond) + P(as seen) / 2 is the tail, with the binomial of scipy."""
        k, n = counts
        low, high = mid_p(k, n, confidence)
        tail = (1 - confidence) / 2
        assert k == 0 or binom.sf(k, n, low) + binom.pmf(k, n, low) / 2 == pytest.approx(tail, abs=1e-6)
        assert k == n or binom.cdf(k - 1, n, high) + binom.pmf(k, n, high) / 2 == pytest.approx(tail, abs=1e-6)
        exact = binomtest(k, n).proportion_ci(confidence, method="exact")
        assert exact.low <= low <= k / n <= high <= exact.high

    def test_ends_are_exact(self):
        assert mid_p(0, 7).low == 0.0
        assert mid_p(7, 7).high == 1.0
        assert mid_p(7, 7).low == pytest.approx(0.05 ** (1 / 7))

    def test_nothing_observed(self):
        assert all(math.isnan(bound) for bound in mid_p(0, 0))

    @pytest.mark.parametrize(
        ("successes", "n", "confidence"), [(-1, 5, 0.95), (6, 5, 0.95), (math.nan, 5, 0.95), (1, 2, 0), (1, 2, 1)]
    )
    def test_refuses_nonsense(self, successes, n, confidence):
        with pytest.raises(ValueError, match=r"wanted|confidence"):
            mid_p(successes, n, confidence)


class TestSummarise:
    @given(SCORES, st.integers(1, 12), st.randoms(use_true_random=False))
    @settings(max_examples=60)
    def test_holds_the_mean_and_ignores_the_order(self, values, clusters, random):
        labels = [i % clusters for i in range(len(values))]
        stat = summarise(values, labels)
        assert 0 <= stat.low <= stat.high <= 1
        assert stat.low - 1e-9 <= np.mean(values) <= stat.high + 1e-9
        order = list(range(len(values)))
        random.shuffle(order)
        shuffled = summarise([values[i] for i in order], [labels[i] for i in order])
        assert (shuffled.low, shuffled.high) == pytest.approx((stat.low, stat.high), abs=1e-6)

    def test_independent_answers_are_worth_one_each(self):
        assert summarise([1, 0, 1, 1], [0, 1, 2, 3]) == CellStat(4, 0.75, *mid_p(3, 4))
        assert summarise([1, 1], ["0:1", "0:2"]) == CellStat(2, 1.0, *mid_p(2, 2))

    @pytest.mark.parametrize("value", [0.0, 1.0])
    def test_one_cluster_is_one_answer(self, value):
        assert summarise([value] * 50, [3] * 50) == CellStat(50, value, *mid_p(value, 1))

    def test_no_cluster_is_worth_less_than_one_answer(self):
        low, high = mid_p(0, 2)
        stat = summarise([0] * 10, [0, 1] * 5)
        assert low == stat.low
        assert 0.3 < stat.high < high

    def test_answers_that_only_their_cluster_decides_are_worth_one_a_cluster(self):
        labels = np.repeat(range(40), 5)
        stat = summarise(labels % 2, labels)
        assert (stat.low, stat.high) == pytest.approx(mid_p(20, 40), abs=0.02)

    def test_all_right_is_a_better_interval_than_all_but_one(self):
        labels = np.repeat(range(10), 11)
        perfect, slip = summarise(np.ones(110), labels), summarise(np.arange(110) > 0, labels)
        assert perfect.low > slip.low > 0.84
        assert perfect.high == 1 > slip.high

    def test_independent_answers_in_clusters_cost_little(self):
        rng, labels = generator("little"), np.repeat(range(10), 11)
        found = [summarise(rng.random(110) < 0.7, labels) for _ in range(100)]
        assert np.mean([stat.high - stat.low for stat in found]) < 1.35 * np.subtract(*mid_p(77, 110)[::-1])

    def test_fractions_vary_less_than_answers_of_the_same_mean(self):
        fractions, answers = summarise([0.4, 0.6] * 20, range(40)), summarise([0, 1] * 20, range(40))
        assert fractions.high - fractions.low < 0.5 * (answers.high - answers.low)

    @pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
    def test_equal_values_do_not_pretend_certainty(self, value):
        stat = summarise([value] * 40, np.repeat(range(10), 4))
        assert stat.high - stat.low > 0.1

    def test_few_clusters_are_wide(self):
        """Two haystacks that agree say little about a third."""
        for stat in (summarise([0.90, 0.92], [0, 1]), summarise([1] * 22, [0, 1] * 11)):
            assert stat.high - stat.low > 0.35

    def test_nothing(self):
        empty = summarise([], [])
        assert empty.n == 0
        assert math.isnan(empty.mean)
        assert math.isnan(empty.low)

    @pytest.mark.parametrize(
        ("values", "labels"), [([0.5], [1, 2]), ([1.5], [0]), ([-0.1], [0]), ([math.nan], [0]), ([[1.0]], [[0]])]
    )
    def test_refuses_nonsense(self, values, labels):
        with pytest.raises(ValueError, match=r"scores|wanted"):
            summarise(values, labels)


class TestEffectiveLength:
    def test_a_gap_ends_it(self):
        """A length that recovers after one that failed does not count (RULER's own table forgets this)."""
        scores = {4096: stat(0.95), 8192: stat(0.80), 16384: stat(0.95)}
        assert effective_length(scores, ABSOLUTE).by_mean == 4096

    def test_order_does_not_matter(self):
        scores = {16384: stat(0.5), 4096: stat(0.99), 8192: stat(0.9)}
        assert effective_length(scores, ABSOLUTE).by_mean == 8192

    def test_bounds_give_the_interval(self):
        scores = {1024: stat(0.95, 0.05), 2048: stat(0.87, 0.05), 4096: stat(0.82, 0.05), 8192: stat(0.5, 0.05)}
        reach = effective_length(scores, ABSOLUTE)
        assert (reach.length, reach.low, reach.by_mean, reach.high) == (1024, 1024, 2048, 4096)

    def test_shortest_fails(self):
        reach = effective_length({4096: stat(0.1, 0.05)}, ABSOLUTE)
        assert (reach.length, reach.by_mean, reach.high) == (None, None, None)

    def test_unanswered_length_fails(self):
        scores = {4096: stat(1.0), 8192: CellStat(0, math.nan, math.nan, math.nan), 16384: stat(1.0)}
        assert effective_length(scores, ABSOLUTE).high == 4096

    def test_reaching_the_threshold_exactly_counts(self):
        assert effective_length({4096: stat(0.856)}, ABSOLUTE).length == 4096
        assert effective_length({4096: stat(0.9), 8192: stat(0.9 * 0.85)}, Threshold("relative", 0.85)).length == 8192
        assert effective_length({4096: stat(0.8), 8192: stat(0.7)}, Threshold("drop", 0.1)).length == 8192  # 0.8 - 0.1 > 0.7

    def test_base_is_the_best_of_the_short_lengths(self):
        scores = {512: stat(0.8), 1024: stat(0.9), 4096: stat(1.0)}
        assert Threshold("relative", 0.5).score(scores) == pytest.approx(0.45)
        assert Threshold("drop", 0.1).score(scores) == pytest.approx(0.8)

    def test_base_without_short_lengths_is_the_shortest(self):
        assert Threshold("drop", 0.1).score({8192: stat(1.0), 4096: stat(0.7)}) == pytest.approx(0.6)

    def test_no_base_no_length(self):
        scores = {4096: CellStat(0, math.nan, math.nan, math.nan), 8192: stat(1.0)}
        assert effective_length(scores, Threshold("relative", 0.85)).high is None

    def test_no_lengths(self):
        with pytest.raises(ValueError, match="no lengths"):
            effective_length({}, ABSOLUTE)

    @given(
        st.dictionaries(st.integers(1, 10**6), st.tuples(st.floats(0, 1), st.floats(0, 0.3)), min_size=1, max_size=8),
        st.floats(0.1, 1),
        st.floats(0, 0.2),
    )
    def test_stricter_never_reaches_further(self, cells, value, more):
        scores = {length: stat(*cell) for length, cell in cells.items()}
        lax, hard = (effective_length(scores, Threshold("absolute", v)) for v in (value, value + more))
        assert (hard.by_mean or 0) <= (lax.by_mean or 0)
        assert (lax.length or 0) <= (lax.by_mean or 0) <= (lax.high or 0)


def test_import_is_light():
    code = "import sys, lceval.statistics; print(*{'pandas', 'torch', 'matplotlib', 'seaborn'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""


def test_the_average_of_equal_means_is_known_better_by_the_root_of_their_number() -> None:
    one = summarise([1, 1, 1, 0], range(4))
    four = average([one] * 4)
    assert (four.n, four.mean) == (16, 0.75)
    assert four.mean - four.low == pytest.approx((one.mean - one.low) / 2)
    assert four.high - four.mean == pytest.approx((one.high - one.mean) / 2)


def test_the_average_of_perfect_scores_has_a_lower_bound_and_no_score_is_no_average() -> None:
    perfect, nothing = summarise([1] * 5, range(5)), summarise([], [])
    assert (average([perfect] * 3).high, average([perfect] * 3).low < 1) == (1, True)
    assert average([perfect, nothing]).n == average([]).n == 0


def test_the_interval_of_an_average_covers_it() -> None:
    rng, covered, trials = generator("average"), 0, 400
    rates = [0.5, 0.8, 0.95, 0.99]
    for _ in range(trials):
        stats = [summarise(rng.random(30) < rate, range(30)) for rate in rates]
        covered += average(stats).low <= np.mean(rates) <= average(stats).high
    assert 0.92 <= covered / trials <= 0.99
