"""Run time and tokens forecast by `lceval plan --measure` against a run: the demo grid on the embedded model.

    python tests/benchmarks/forecast.py [--lengths 1k..8k] [--depths 5] [--calibrate 1k,2k] [--model smollm2-135m]

Times are measured on `--calibrate` lengths of the same process, then the whole grid is run. On a shared machine the clock drifts
between the two; processor time (`--clock cpu`) does not.
"""

from __future__ import annotations

import argparse
import time
from unittest.mock import patch

from lceval import engine
from lceval.config import RunConfig
from lceval.costs.measure import measured
from lceval.costs.samples import estimated
from lceval.costs.work import Work, work_of
from lceval.lengths import format_length, parse_depths, parse_lengths
from lceval.planning import Plan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", default="1k..8k")
    parser.add_argument("--depths", default="5")
    parser.add_argument("--calibrate", default="1k,2k")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--clock", default="wall", choices=("wall", "cpu"))
    arguments = parser.parse_args()
    clock = time.perf_counter if arguments.clock == "wall" else time.process_time

    def config(lengths: str) -> RunConfig:
        grid = {"lengths": parse_lengths(lengths), "depths": parse_depths(arguments.depths), "samples": 1}
        return RunConfig.checked(tasks="niah", model=arguments.model, **grid)

    whole, short = config(arguments.lengths), config(arguments.calibrate)
    with patch("time.perf_counter", clock):
        runner = engine.make_runner(whole)
        plan = Plan(whole, runner.tokenizer)
        found = measured(short, runner, Plan(short, runner.tokenizer), print)
        print(
            f"fit: {found.fit.linear:.3g} n + {found.fit.square:.3g} n², residual {found.fit.residual:.1%}; {found.step_s:.3g} s a "
            f"decoding step, {found.new_tokens:.1f} new tokens, {found.other_s:.2g} s of a prompt otherwise"
        )
        prompts = plan.compose(plan.groups[0])
        runner = engine.make_runner(whole)
        with runner:
            list(runner.generate(prompts[-1:]))
            begun = clock()
            done = list(runner.generate(prompts))
            seconds = clock() - begun
    read = sum((work_of([(g.cached_tokens, len(p.ids))]) for p, g in done), Work())
    guess = estimated(whole)
    forecast = found.seconds(plan.load.shared, plan.load)
    tokens = f"planned {plan.load.shared.tokens:,}, without a tokenizer {guess.shared.tokens:,}, read {read.tokens:,}"
    print(f"prompt tokens to read: {tokens}")
    times = f"forecast {forecast:.1f} s, took {seconds:.1f} s ({arguments.clock} clock)"
    print(f"{len(prompts)} prompts, {arguments.lengths} x {arguments.depths}: {times}, x{forecast / seconds:.3f}")
    for length in whole.lengths:
        took = [g.prefill_s for p, g in done if p.sample.cell.length == length]
        print(f"  {format_length(length):>6}: {len(took)} prompts, {sum(took):.1f} s of prefill")


if __name__ == "__main__":
    main()
