"""What walk order and the prefix cache save: vLLM in our order, shuffled, and without its cache; hf shared and cold.

    python tests/benchmarks/engines.py [--lengths 512..4k] [--depths 5] [--samples 1] [--engines vllm,hf] [--kv-gib 1]

All sides answer the same prompts in one process after another; prints seconds, the share of prompt tokens that came from the
cache, and ratios. More samples than the cache holds show what order is worth.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from itertools import groupby
from typing import Any

from lceval import engine, models
from lceval.config import RunConfig
from lceval.tree import tree_size
from lceval.types import Prompt, Runner


def prompts_of(runner: Runner, arguments: argparse.Namespace) -> list[Prompt]:
    asked = {name: getattr(arguments, name) for name in ("model", "lengths", "depths", "samples")}
    config = RunConfig.checked(tasks="niah", **asked, allow_beyond_window=True)
    plan = engine.make_plan(config, runner)
    return [prompt for group in plan.groups for prompt in plan.compose(group)]


def timed(
    arguments: argparse.Namespace, name: str, options: dict[str, Any], order: Callable[[list[Prompt]], list[Prompt]], share: bool
) -> tuple[float, int]:
    config = RunConfig.checked(tasks="niah", model=arguments.model, runner=name, lengths=arguments.lengths, model_options=options)
    runner = engine.make_runner(config)
    prompts = prompts_of(runner, arguments)
    with runner:
        list(runner.generate(prompts[-1:], share=False))  # first calls set libraries up
        begun = time.perf_counter()
        done = list(runner.generate(order(prompts), share=share))
        seconds = time.perf_counter() - begun
    tokens = sum(len(prompt.ids) for prompt in prompts)
    cached = sum(generation.cached_tokens for _, generation in done)
    least = sum(tree_size(list(same)).shared for _, same in groupby(prompts, lambda prompt: prompt.sample.index))
    print(f"  {seconds:8.1f} s   from the cache {cached / tokens:.0%}; the tree allows {1 - least / tokens:.0%}", flush=True)
    return seconds, tokens - cached


def shuffled(prompts: list[Prompt]) -> list[Prompt]:
    found = list(prompts)
    random.Random(0).shuffle(found)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=models.EMBEDDED)
    parser.add_argument("--lengths", default="512..4k")
    parser.add_argument("--depths", default="5")
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--engines", default="vllm,hf")
    parser.add_argument("--kv-gib", type=int, default=1)
    arguments = parser.parse_args()
    cache = {"kv_gib": arguments.kv_gib}
    sides: dict[str, dict[str, tuple[dict[str, Any], Callable[[list[Prompt]], list[Prompt]], bool]]] = {
        "vllm": {
            "our order": (cache, list, True),
            "shuffled": (cache, shuffled, True),
            "prefix caching off": ({**cache, "prefix_caching": False}, list, True),
        },
        "hf": {"shared": ({}, list, True), "cold": ({}, list, False)},
    }
    for name in arguments.engines.split(","):
        took = {}
        for side, (options, order, share) in sides[name].items():
            print(f"{name}, {side}")
            took[side] = timed(arguments, name, options, order, share)
        (first, (least_s, least)), *others = took.items()
        for side, (seconds, computed) in others:
            print(f"{name}: {side} ÷ {first} = {seconds / least_s:.2f} in time, {computed / least:.2f} in prompt tokens computed")


if __name__ == "__main__":
    main()
