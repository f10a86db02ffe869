"""How often a rank range holds the true rank, and how wide ranges are: simulated leaderboards.

    python tests/benchmarks/ranks.py [--boards 1000]

Every run answers the same samples, twenty of each haystack. Haystacks are easy or hard, partly for all runs and partly for each
alone, so that answers are alike within a haystack. In "equal" all runs have the same true score, in "spread" they are evenly
spaced, in "pairs" each has one equal.
"""

from __future__ import annotations

import argparse

import numpy as np

from lceval.ranking import rank_ranges

SAMPLES = 20


def abilities(kind: str, runs: int) -> np.ndarray:
    """[runs] on the scale of a standard normal."""
    spread = np.linspace(-1.2, 1.2, runs)
    return {"equal": np.zeros(runs), "spread": spread, "pairs": np.repeat(spread[::2], 2)[:runs]}[kind]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boards", type=int, default=1000)
    boards = parser.parse_args().boards
    rng = np.random.Generator(np.random.Philox(2))
    print("| runs | haystacks | true scores | holds the true rank | width |")
    print("| ---: | ---: | :--- | ---: | ---: |")
    for runs, haystacks in ((2, 10), (5, 10), (10, 10), (10, 30)):
        for kind in ("equal", "pairs", "spread"):
            means = abilities(kind, runs)
            best, worst = 1 + (means > means[:, None]).sum(1), (means >= means[:, None]).sum(1)
            held = width = 0
            for _ in range(boards):
                hard = 0.7 * rng.normal(size=(1, haystacks, 1)) + 0.4 * rng.normal(size=(runs, haystacks, 1))
                scores = (rng.normal(size=(runs, haystacks, SAMPLES)) + hard < means[:, None, None]).reshape(runs, -1)
                clusters = np.repeat(np.arange(haystacks), SAMPLES)
                found = rank_ranges(scores, clusters, np.full(scores.shape[1], 1 / scores.shape[1]))
                held += sum(one.best <= b and w <= one.worst for one, b, w in zip(found, best, worst, strict=True))
                width += sum(one.worst - one.best + 1 for one in found)
            print(f"| {runs} | {haystacks} | {kind} | {held / boards / runs:.3f} | {width / boards / runs:.1f} |", flush=True)


if __name__ == "__main__":
    main()
