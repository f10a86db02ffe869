from __future__ import annotations

import numpy as np
import pytest

from lceval.ranking import EXACT, RankRange, rank_ranges


def ranges(scores, clusters, **more):
    scores = np.asarray(scores, dtype=float)
    found = rank_ranges(scores, clusters, np.full(scores.shape[1], 1 / scores.shape[1]), **more)
    return [(one.best, one.worst) for one in found]


def steps(clusters, *means):
    """Scores of runs that are better the same way in every haystack of ten samples."""
    return [np.tile(np.arange(10) < 10 * mean, clusters) for mean in means], np.repeat(np.arange(clusters), 10)


@pytest.mark.parametrize(("clusters", "decided"), [(1, False), (5, False), (6, True), (EXACT + 2, True)])
def test_two_runs_are_told_apart_from_six_haystacks_on(clusters, decided):
    # 2^-6 is below 0.05 / 2, 2^-5 is not, however large the difference
    assert ranges(*steps(clusters, 0.2, 0.9)) == ([(2, 2), (1, 1)] if decided else [(1, 2), (1, 2)])


def test_equal_runs_share_all_ranks_between_those_that_differ():
    assert ranges(*steps(10, 0.5, 0.9, 0.5, 0.1)) == [(2, 3), (1, 1), (2, 3), (4, 4)]


def test_a_difference_that_changes_sides_decides_nothing():
    scores, clusters = steps(10, 0.5, 0.5)
    scores[0] = np.where(clusters % 2, 1.0, 0.0)
    scores[1] = 1 - scores[0]
    assert ranges(scores, clusters) == [(1, 2), (1, 2)]


def test_samples_of_one_haystack_are_one_witness():
    scores, clusters = steps(10, 0.2, 0.9)
    assert ranges(scores, clusters // 4) == [(1, 2), (1, 2)]


@pytest.mark.parametrize("missing", [0, 1])
def test_missing_answers_can_only_widen(missing):
    """They count against whoever would gain: as wrong for a run to be better, as right for it to be worse."""
    scores, clusters = (list(part) for part in steps(10, 0.2, 0.9))
    scores = np.asarray(scores, dtype=float)
    scores[missing, np.arange(100) % 10 < 1] = np.nan
    assert ranges(scores, clusters) == [(2, 2), (1, 1)]
    scores[missing, np.arange(100) % 10 < 9] = np.nan
    assert ranges(scores, clusters) == [(1, 2), (1, 2)]


def test_the_order_of_samples_and_runs_does_not_matter():
    rng = np.random.Generator(np.random.Philox(3))
    scores, clusters = rng.random((5, 200)) * np.linspace(0.5, 1, 5)[:, None], np.repeat(np.arange(20), 10)
    found = ranges(scores, clusters)
    shuffled = rng.permutation(200)
    assert ranges(scores[:, shuffled], clusters[shuffled]) == found
    assert ranges(scores[::-1], clusters) == found[::-1]
    assert len(set(found)) > 2


def test_one_run_is_first():
    assert ranges(*steps(3, 0.4)) == [(1, 1)]
    assert (RankRange(1, 1).text, RankRange(2, 4).text) == ("1", "2–4")


def test_ranges_hold_the_true_rank():
    """Ties and steps in difficult and easy haystacks; 300 leaderboards of four runs, two of which are equal."""
    rng = np.random.Generator(np.random.Philox(1))
    clusters, truth = np.repeat(np.arange(10), 8), [(1, 1), (2, 3), (2, 3), (4, 4)]
    held = decided = 0
    for _ in range(300):
        hard = rng.normal(size=(1, 10, 1)) + rng.normal(size=(4, 10, 1)) * 0.3
        scores = (rng.normal(size=(4, 10, 8)) + hard < np.array([0.8, 0.2, 0.2, -0.4])[:, None, None]).reshape(4, 80)
        found = ranges(scores, clusters)
        held += sum(best <= first and last <= worst for (best, worst), (first, last) in zip(found, truth, strict=True))
        decided += sum(worst - best < 3 for best, worst in found)
    assert held / 1200 >= 0.95
    assert decided / 1200 > 0.5  # and they say something


@pytest.mark.parametrize(
    ("scores", "clusters", "weights"),
    [
        (np.zeros((2, 3)), [0, 1], np.ones(3)),
        (np.zeros((2, 3)), [0, 1, 2], np.ones(2)),
        (np.zeros((2, 0)), [], []),
        ([0.0], [0], [1.0]),
    ],
)
def test_shapes_that_do_not_fit(scores, clusters, weights):
    with pytest.raises(ValueError, match=r"wanted \[K, N\]"):
        rank_ranges(scores, clusters, weights)
