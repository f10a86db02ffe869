"""What `tests/benchmarks/calibration.py` claims, on fewer simulations, always the same ones."""

from __future__ import annotations

import pytest

from lceval.gating import Limits
from tests.benchmarks.calibration import (
    RATES,
    UNCHANGED,
    WORSE,
    World,
    clustered,
    difference_coverage,
    gated,
    independent,
)


@pytest.mark.parametrize("n", [5, 10, 20, 50, 100, 200])
def test_intervals_of_independent_answers_cover(n: int) -> None:
    assert min(independent(n, rate) for rate in RATES) >= 0.935 - 0.001


@pytest.mark.parametrize("icc", [0.0, 0.3, 0.6])
@pytest.mark.parametrize(("clusters", "size"), [(5, 5), (10, 11), (50, 10)])
def test_intervals_of_clustered_answers_cover(clusters: int, size: int, icc: float) -> None:
    """Of 150 simulations 95 % are 142.5, and two standard errors fewer are 137: 0.91."""
    for rate in (0.05, 0.5, 0.95):
        assert clustered(clusters, size, rate, icc, 150) >= 0.91


@pytest.mark.parametrize("world", [World(0.9, 0.3, 0.1), World(0.9, 0.3, 0.1, drop=0.05), World(0.7, 0.3, 0.1, moved=0.3)])
def test_intervals_of_differences_cover(world: World) -> None:
    both, bound = difference_coverage(world, 20, 11, 150)
    assert min(both, bound) >= 0.91


@pytest.mark.parametrize("case", [0, 2, 4, 6])
def test_regressions_are_called_no_more_often_than_alpha_where_nothing_changed(case: int) -> None:
    assert gated(*UNCHANGED[case][:4], 100, UNCHANGED[case][4]).regression <= 0.05


@pytest.mark.parametrize("case", [3, 5])
def test_power_is_what_was_predicted(case: int) -> None:
    """Within two standard errors of 150 simulations, which the benchmark narrows to five points."""
    world, strata, clusters, size, limits = WORSE[case]
    found = gated(world, strata, clusters, size, 150, limits)
    assert found.found == pytest.approx(found.predicted, abs=0.07)
    assert 0.7 < found.found < 0.95


def test_a_run_that_lost_the_margin_is_rarely_cleared() -> None:
    world = World(0.9, 0.3, 0.05, drop=0.05)
    assert gated(world, 1, 20, 11, 150, Limits(margin=0.05)).passed <= 0.05
