"""What the kinds of maps cost: a grid of depths, needles by position, and all needles in one pass.

    python tests/benchmarks/maps.py [--time smollm2-135m --lengths 512..2k --positions 0..1536/4]

Counts, without a model, prompt tokens and query-key pairs (the cost of attention), one prompt at a time and with every shared
prefix computed once, and checks the second number of tokens against the distinct prefixes, counted by brute force. `--time`
answers the maps of `--lengths` on a model in float32: every prompt from nothing, and shared.
"""

from __future__ import annotations

import argparse
import time
from itertools import pairwise
from typing import Any

from lceval import engine
from lceval.config import RunConfig
from lceval.planning import Plan
from lceval.tree import usable
from lceval.types import Prompt

LENGTHS = ("4k..128k", "8k..128k+8k")


def maps(positions: str) -> dict[str, dict[str, Any]]:
    return {
        "depths": {"depths": "11"},
        "positions": {"positions": positions},
        "one pass, depths": {"depths": "11", "one_pass": True},
        "one pass, positions": {"positions": positions, "one_pass": True},
    }


def plan(lengths: str, model: str = "control:perfect", **settings: Any) -> tuple[Plan, Any]:
    config = RunConfig.checked(tasks="niah", model=model, lengths=lengths, samples=1, allow_beyond_window=True, **settings)
    runner = engine.make_runner(config)
    return engine.make_plan(config, runner), runner


def distinct_prefixes(prompts: list[Prompt]) -> int:
    """Nodes of the prompts' trie, found by hashing every prefix; a prompt that lies in another computes its last token again."""
    seen: set[int] = set()
    repeated = 0
    for prompt in prompts:
        state, before = 0, len(seen)
        for token in prompt.ids.tolist():
            state = hash((state, token))
            seen.add(state)
        repeated += len(seen) == before
    return len(seen) + repeated


def costs(prompts: list[Prompt]) -> tuple[int, int, int, int]:
    """Tokens and query-key pairs, one by one and shared."""
    sizes = [len(prompt.ids) for prompt in prompts]
    starts = [0, *(usable(one, other) for one, other in pairwise(prompts))]
    pairs = [(size * size - start * start) // 2 for size, start in zip(sizes, starts, strict=True)]
    return sum(sizes), sum(size * size // 2 for size in sizes), sum(sizes) - sum(starts), sum(pairs)


def count() -> None:
    print(
        f"{'lengths':<14}{'map':<22}{'cells':>6}{'one by one':>13}{'computed':>12}{'÷':>8}{'pairs ÷':>9}{'computed / minimum':>20}"
    )
    for lengths in LENGTHS:
        for name, settings in maps("0..120k/16").items():
            made, _ = plan(lengths, **settings)
            prompts = made.compose(made.groups[0])
            tokens, pairs, computed, computed_pairs = costs(prompts)
            least = distinct_prefixes(prompts)
            print(
                f"{lengths:<14}{name:<22}{len(prompts):>6}{tokens:>13,}{computed:>12,}{tokens / computed:>8.1f}"
                f"{pairs / computed_pairs:>9.1f}{computed / least:>20.4f}",
                flush=True,
            )


def clock(model: str, lengths: str, positions: str) -> None:
    print(f"{'map':<22}{'cells':>6}{'from nothing, s':>17}{'shared, s':>11}{'÷':>7}{'tokens ÷':>10}")
    for name, settings in maps(positions).items():
        made, runner = plan(lengths, model, model_options={"dtype": "float32", "logprob": False}, **settings)
        prompts = made.compose(made.groups[0])
        tokens, _, computed, _ = costs(prompts)
        seconds = {}
        with runner:
            for share in (False, True):
                begun = time.perf_counter()
                list(runner.generate(prompts, share=share))
                seconds[share] = time.perf_counter() - begun
        print(
            f"{name:<22}{len(prompts):>6}{seconds[False]:>17.1f}{seconds[True]:>11.1f}{seconds[False] / seconds[True]:>7.1f}"
            f"{tokens / computed:>10.1f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", metavar="MODEL")
    parser.add_argument("--lengths", default="512..2k")
    parser.add_argument("--positions", default="0..1536/4")
    arguments = parser.parse_args()
    count()
    if arguments.time:
        clock(arguments.time, arguments.lengths, arguments.positions)


if __name__ == "__main__":
    main()
