"""How often the statistics are right: coverage of intervals, false regressions and power of the gate, by simulation.

    python tests/benchmarks/calibration.py            # all tables, some minutes
    python tests/benchmarks/calibration.py --quick    # fewer simulations

Answers in clusters are beta-binomial: each haystack has a success rate of its own, drawn so that two answers about it have the
given intra-cluster correlation (ICC). What is simulated goes through the very functions that reports and the gate call.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from lceval.baselines import Answer
from lceval.comparing import Stratum
from lceval.gating import Limits, judge
from lceval.keys import generator
from lceval.paired import score_interval
from lceval.power import Design
from lceval.statistics import mid_p, summarise

RATES = (0.01, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99)
SIZES = (5, 10, 20, 50, 100, 200, 500)
LAYOUTS = ((2, 5), (5, 5), (5, 11), (10, 5), (10, 11), (10, 44), (20, 5), (50, 10), (100, 5))
"""(clusters, answers in each)."""
CORRELATIONS = (0.0, 0.1, 0.3, 0.6)


def independent(n: int, rate: float) -> float:
    """The exact coverage of the 95 % interval of `n` independent answers."""
    k = np.arange(n + 1)
    covered = [low <= rate <= high for low, high in (mid_p(int(successes), n) for successes in k)]
    return float(binom.pmf(k, n, rate) @ np.array(covered))


def answers(rng: np.random.Generator, clusters: int, size: int, rate: float, icc: float) -> NDArray[np.int64]:
    """[clusters] how many of the `size` answers in each are right."""
    scale = 1 / icc - 1 if icc else 0
    rates = rng.beta(rate * scale, (1 - rate) * scale, clusters) if icc else np.full(clusters, rate)
    return rng.binomial(size, rates)


@cache
def _bounds(counts: tuple[int, ...], size: int) -> tuple[float, float]:
    values = np.concatenate([np.arange(size) < count for count in counts]).astype(float)
    stat = summarise(values, np.repeat(np.arange(len(counts)), size))
    return stat.low, stat.high


def clustered(clusters: int, size: int, rate: float, icc: float, trials: int) -> float:
    """The coverage of the 95 % interval of answers in clusters."""
    rng = generator("clustered", clusters, size, rate, icc)
    found = (_bounds(tuple(sorted(answers(rng, clusters, size, rate, icc).tolist())), size) for _ in range(trials))
    return float(np.mean([low <= rate <= high for low, high in found]))


class World(NamedTuple):
    """What two runs are like."""

    rate: float
    """Share of the baseline's answers that are right."""
    icc: float
    churn: float
    """Share of the run's answers that are drawn anew from their haystack's rate; the others are as in the baseline."""
    moved: float = 0.0
    """Share of the haystacks whose rate is drawn anew for the run, so that their answers change together."""
    drop: float = 0.0
    """By how much the run is worse: so many of all answers are lost, whatever else happened."""


def two_runs(
    rng: np.random.Generator, world: World, strata: int, clusters: int, size: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """[strata, clusters, size] right or wrong, in the baseline and in the run; strata (lengths, say) share their haystacks."""
    shape, scale = (strata, clusters, size), 1 / world.icc - 1 if world.icc else 0

    def rates() -> NDArray[np.float64]:
        if not world.icc:
            return np.full((clusters, 1), world.rate)
        return rng.beta(world.rate * scale, (1 - world.rate) * scale, (clusters, 1))

    before, moved = rates(), rng.random((clusters, 1)) < world.moved
    after = np.where(moved, rates(), before)
    base = rng.random(shape) < before
    run = np.where(moved | (rng.random(shape) < world.churn), rng.random(shape) < after, base)
    return base, run & (rng.random(shape) >= world.drop / world.rate)


def difference_coverage(world: World, clusters: int, size: int, trials: int) -> tuple[float, float]:
    """The coverage of the 95 % interval of a difference, and of the gate's one-sided bound at 95 %."""
    rng, member = generator("difference", *world, clusters, size), np.repeat(np.arange(clusters), size)
    both = bound = 0
    for _ in range(trials):
        base, run = two_runs(rng, world, 1, clusters, size)
        values = run.ravel().astype(float) - base.ravel()
        low, high = score_interval(values, member)
        both += low <= -world.drop <= high
        bound += score_interval(values, member, 0.9).low <= -world.drop
    return both / trials, bound / trials


class Gated(NamedTuple):
    """What the gate said of simulated comparisons: shares."""

    regression: float
    passed: float
    found: float
    """Regressions of all answers together."""
    predicted: float
    """What `--power` predicts of these, from comparisons of the same size without a drop: the mean."""


def gated(world: World, strata: int, clusters: int, size: int, trials: int, limits: Limits) -> Gated:
    """Let the gate judge comparisons of so many strata of so many haystacks with so many answers each."""
    rng = generator("gated", *world, strata, clusters, size)
    said = []
    for _ in range(trials):
        said.append([part.verdict for part in judge(_pairs(*two_runs(rng, world, strata, clusters, size)), limits)])
    member, tests = np.tile(np.repeat(np.arange(clusters), size), strata), strata + (strata > 1)
    predicted = []
    for _ in range(PREDICTIONS if world.drop else 0):
        base, run = (scores.ravel().astype(float) for scores in two_runs(rng, world._replace(drop=0.0), strata, clusters, size))
        predicted.append(Design(run - base, base, member).finds(world.drop, limits.alpha / tests))
    return Gated(
        sum("regression" in found for found in said) / trials,
        sum(set(found) == {"pass"} for found in said) / trials,
        sum(found[-1] == "regression" for found in said) / trials,
        sum(predicted) / max(1, len(predicted)),
    )


def _pairs(base: NDArray[np.bool_], run: NDArray[np.bool_]) -> dict[Stratum, list[tuple[Answer, Answer]]]:
    strata = {}
    for i, (before, after) in enumerate(zip(base, run, strict=True)):
        scores = [
            (n, was, now)
            for n, (one, two) in enumerate(zip(before.tolist(), after.tolist(), strict=True))
            for was, now in zip(one, two, strict=True)
        ]
        strata[Stratum("niah", "{}", 4096 << i)] = [(ANSWERS[n, was], ANSWERS[n, now]) for n, was, now in scores]
    return strata


def main(trials: int) -> None:
    """Print all tables."""
    print("Coverage of the 95 % interval of a score, independent answers (exact)")
    print(f"{'n':>12} " + " ".join(f"p={rate:<5g}" for rate in RATES))
    for n in SIZES:
        print(f"{n:>12} " + " ".join(f"{independent(n, rate):7.3f}" for rate in RATES))
    print(f"\nThe same, answers in clusters ({trials} simulations each)")
    print(f"{'clusters':>9} x n  ICC " + " ".join(f"p={rate:<5g}" for rate in RATES))
    for clusters, size in LAYOUTS:
        for icc in CORRELATIONS:
            cells = (clustered(clusters, size, rate, icc, trials) for rate in RATES)
            print(f"{clusters:>9} x{size:>2} {icc:>4} " + " ".join(f"{cell:7.3f}" for cell in cells), flush=True)
    print(
        f"\nCoverage of the interval of a difference, and of the gate's one-sided bound, both at 95 % ({trials} simulations each)"
    )
    for world in DIFFERENT:
        for clusters, size in ((10, 11), (20, 11), (40, 5), (100, 1)):
            both, bound = difference_coverage(world, clusters, size, trials)
            print(f"{clusters:>9} x{size:>2}  {told(world):<58} {both:.3f}  {bound:.3f}", flush=True)
    print(f"\nThe gate where nothing changed: regressions (wanted: at most 0.05) and passes ({2 * trials} simulations each)")
    for world, strata, clusters, size, limits in UNCHANGED:
        found = gated(world, strata, clusters, size, 2 * trials, limits)
        print(
            f"{strata} strata x{clusters:>3} x{size:>2}  {told(world):<58} {found.regression:.4f}  {found.passed:.3f}", flush=True
        )
    print(
        f"\nTwice the margin was lost: regressions of all answers together, and what --power predicts ({trials} simulations each)"
    )
    for world, strata, clusters, size, limits in WORSE:
        found = gated(world, strata, clusters, size, trials, limits)
        print(
            f"{strata} strata x{clusters:>3} x{size:>2}  {told(world):<58} {found.found:.3f}  {found.predicted:.3f}",
            flush=True,
        )


def told(world: World) -> str:
    """A world in a few words."""
    return ", ".join(f"{name} {value:g}" for name, value in world._asdict().items() if value)


PREDICTIONS = 60
ANSWERS = {(n, right): Answer(0, n, float(right), None) for n in range(1000) for right in (False, True)}
_CALM, _RESTLESS = World(0.9, 0.3, 0.02), World(0.8, 0.3, 0.2)
_MOVED = World(0.8, 0.3, 0.1, moved=0.3)
DIFFERENT = [
    World(0.9, 0.0, 0.0),
    World(0.9, 0.0, 0.1),
    World(0.9, 0.3, 0.1),
    World(0.9, 0.3, 0.1, drop=0.05),
    World(0.7, 0.3, 0.3, drop=0.1),
    World(0.9, 0.3, 0.1, moved=0.2),
    World(0.7, 0.3, 0.1, moved=0.3, drop=0.05),
]
_WIDE = Limits(margin=0.03, stratum_margin=0.05)
UNCHANGED = [
    (_CALM, 4, 10, 11, _WIDE),
    (_CALM, 4, 40, 11, _WIDE),
    (_RESTLESS, 4, 10, 11, _WIDE),
    (_RESTLESS, 4, 40, 11, _WIDE),
    (_MOVED, 4, 10, 11, _WIDE),
    (_MOVED, 4, 40, 11, _WIDE),
    (World(0.5, 0.0, 1.0), 1, 100, 1, _WIDE),
    (World(0.8, 0.3, 1.0), 4, 60, 5, Limits()),
    (World(0.9, 0.6, 0.1, moved=0.5), 8, 10, 5, _WIDE),
]
WORSE = [
    (_CALM._replace(drop=0.04), 1, 20, 11, Limits()),
    (_CALM._replace(drop=0.06), 1, 10, 11, Limits(margin=0.03)),
    (_RESTLESS._replace(drop=0.04), 1, 40, 11, Limits()),
    (_RESTLESS._replace(drop=0.1), 1, 20, 5, Limits(margin=0.05)),
    (_MOVED._replace(drop=0.1), 1, 40, 5, Limits(margin=0.05)),
    (World(0.9, 0.0, 0.1, drop=0.1), 1, 100, 1, Limits(margin=0.05)),
    (_CALM._replace(drop=0.04), 4, 10, 5, Limits()),
    (_RESTLESS._replace(drop=0.04), 4, 20, 11, Limits()),
    (_MOVED._replace(drop=0.1), 4, 20, 5, Limits(margin=0.05)),
]

if __name__ == "__main__":
    main(200 if "--quick" in sys.argv else 1000)
