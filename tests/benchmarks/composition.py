"""How long composing a prompt takes, against tokenizing its text, and how far its length is off.

    python tests/benchmarks/composition.py [--length 128k] [--samples 10]

Both sides in one run, on the same prompts, corpus warm: slices of a tokenized corpus (lceval) and one tokenizer pass over the
finished text (what a harness needs at the very least that composes prompts as text).
"""

from __future__ import annotations

import argparse
import statistics
import time

from lceval import engine
from lceval.config import RunConfig
from lceval.lengths import parse_length
from lceval.planning import compose


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--length", default="128k")
    parser.add_argument("--samples", type=int, default=10)
    arguments = parser.parse_args()
    length = parse_length(arguments.length)

    config = RunConfig.checked(tasks=("niah",), model="control:perfect", lengths=(length,), samples=arguments.samples)
    runner = engine.make_runner(config)
    plan = engine.make_plan(config, runner)
    composing, tokenizing, off = [], [], []
    for group in plan.groups:
        for sample in group.samples:
            begun = time.perf_counter()
            prompt = compose(plan.fitter, group.task, sample)
            composing.append(time.perf_counter() - begun)
            off.append(len(prompt.ids) + prompt.reserved - length)
        text = runner.tokenizer.decode(prompt.ids, special=True)
        begun = time.perf_counter()
        runner.tokenizer.hf(text, add_special_tokens=False)
        tokenizing.append(time.perf_counter() - begun)
    ours, theirs = statistics.median(composing), statistics.median(tokenizing)
    print(f"{len(composing)} prompts of {length} tokens ({len(plan.groups)} samples x 11 depths), prose, one needle")
    print(f"composing a prompt:          median {ours * 1e3:8.2f} ms, slowest {max(composing) * 1e3:8.2f} ms")
    print(f"tokenizing its text once:    median {theirs * 1e3:8.2f} ms")
    print(f"ratio:                       {theirs / ours:8.0f} times faster")
    print(f"tokens off the asked length: {min(off)} to {max(off)}")


if __name__ == "__main__":
    main()
