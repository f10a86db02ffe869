"""What prefix sharing saves, and that it changes nothing: the same grid warm and cold on the embedded model, float32.

    python tests/benchmarks/sharing.py [--lengths 512..4k] [--depths 11] [--model smollm2-135m]

Counts prompt tokens that went through the network against the minimum that any order of work needs (the distinct prefixes, counted
here by brute force, and one token for every prompt that equals another), times both ways, and compares the texts.
"""

from __future__ import annotations

import argparse
import time

from lceval import engine
from lceval.config import RunConfig
from lceval.lengths import parse_depths, parse_lengths
from lceval.types import Prompt


def distinct_prefix_tokens(prompts: list[Prompt]) -> int:
    """Nodes of the prompts' trie, found by hashing every prefix."""
    seen: set[int] = set()
    for prompt in prompts:
        state = 0
        for token in prompt.ids.tolist():
            state = hash((state, token))
            seen.add(state)
    return len(seen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", default="512..4k")
    parser.add_argument("--depths", default="11")
    parser.add_argument("--model", default="smollm2-135m")
    arguments = parser.parse_args()

    config = RunConfig.checked(
        tasks=("niah",),
        model=arguments.model,
        lengths=parse_lengths(arguments.lengths),
        depths=parse_depths(arguments.depths),
        samples=1,
        model_options={"dtype": "float32"},
    )
    runner = engine.make_runner(config)
    plan = engine.make_plan(config, runner)
    prompts = plan.compose(plan.groups[0])
    one_by_one = sum(len(prompt.ids) for prompt in prompts)
    repeats = len(prompts) - len({prompt.ids.tobytes() for prompt in prompts})  # depths that snap to one place
    minimum = distinct_prefix_tokens(prompts) + repeats  # a repeated prompt computes its last token again, for its logits
    print(f"{len(prompts)} prompts, {arguments.lengths} x {arguments.depths} depths: {one_by_one} prompt tokens one by one")
    texts: dict[bool, list[str]] = {}
    seconds: dict[bool, float] = {}
    with runner:
        for share in (True, False):
            begun = time.perf_counter()
            done = list(runner.generate(prompts, share=share))
            seconds[share] = time.perf_counter() - begun
            texts[share] = [generation.text for _, generation in done]
            computed = sum(len(prompt.ids) - generation.cached_tokens for prompt, generation in done)
            prefill = sum(generation.prefill_s for _, generation in done)
            name = "shared" if share else "cold  "
            print(f"{name}: {computed:7d} tokens computed, {seconds[share]:7.1f} s ({prefill:.1f} s prefill)")
            if share:
                print(f"        computed / minimum of the tree = {computed} / {minimum} = {computed / minimum:.4f}")
                print(f"        one by one / computed          = {one_by_one / computed:.2f}")
    print(f"wall time, cold / shared: {seconds[False] / seconds[True]:.2f}")
    print(f"equal texts: {sum(a == b for a, b in zip(texts[True], texts[False], strict=True))} of {len(prompts)}")


if __name__ == "__main__":
    main()
