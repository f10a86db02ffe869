"""How long composing a prompt takes for every task, against tokenizing its text, and how much of the length it fills.

    python tests/benchmarks/families.py [TASK…] [--length 128k] [--samples 3] [--model control:perfect]

Both sides in one run, on the same prompts, corpora warm: pieces that are tokenized once (lceval) and one tokenizer pass over the
finished text. Fill is prompt + reserved tokens over the length asked for, the smallest of all prompts and of 4k.
"""

from __future__ import annotations

import argparse
import statistics
import time

from lceval import engine, registry
from lceval.config import RunConfig
from lceval.lengths import parse_length
from lceval.planning import Plan, compose

FROM_A_FILE = ("official", "nolima")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*")
    parser.add_argument("--length", default="128k")
    parser.add_argument("--samples", type=int, default=3)
    parser.add_argument("--model", default="control:perfect")
    arguments = parser.parse_args()
    length = parse_length(arguments.length)
    tasks = arguments.tasks or [name for name in registry.names("task") if name not in FROM_A_FILE]

    print(f"{'task':<24}{'median ms':>10}{'slowest ms':>12}{'tokenizing ms':>15}{'ratio':>8}{'fill 4k':>10}{'fill':>10}")
    slowest = 0.0
    for task in tasks:
        plans = {
            asked: plan(task, arguments.model, asked, arguments.samples, depths) for asked, depths in ((4096, "5"), (length, "3"))
        }
        composing, tokenizing = [], []
        fill = dict.fromkeys(plans, 1.0)
        for asked, made in plans.items():
            for group in made.groups:
                compose(made.fitter, group.task, group.samples[0])  # opens the corpus
                for sample in group.samples:
                    begun = time.perf_counter()
                    prompt = compose(made.fitter, group.task, sample)
                    if asked == length:
                        composing.append(time.perf_counter() - begun)
                    used = len(prompt.ids) + prompt.reserved
                    assert used <= asked, f"{task}: {used} tokens in a cell of {asked}"
                    fill[asked] = min(fill[asked], used / asked)
                if asked == length:
                    text = made.tokenizer.decode(prompt.ids, special=True)
                    begun = time.perf_counter()
                    made.tokenizer.hf(text, add_special_tokens=False)
                    tokenizing.append(time.perf_counter() - begun)
        ours, theirs = statistics.median(composing), statistics.median(tokenizing)
        slowest = max(slowest, *composing)
        print(
            f"{task:<24}{ours * 1e3:>10.2f}{max(composing) * 1e3:>12.2f}{theirs * 1e3:>15.1f}{theirs / ours:>8.0f}"
            f"{fill[4096]:>10.4f}{fill[length]:>10.4f}",
            flush=True,
        )
    print(f"slowest prompt of {length} tokens: {slowest * 1e3:.1f} ms")


def plan(task: str, model: str, length: int, samples: int, depths: str) -> Plan:
    """A plan of one length; depths only where the grid places needles."""
    config = RunConfig.checked(tasks=(task,), model=model, lengths=(length,), samples=samples)
    made = engine.make_plan(config, engine.make_runner(config))
    if made.tasks[0].depth_is_free:
        config = RunConfig.checked(tasks=(task,), model=model, lengths=(length,), samples=samples, depths=depths)
        made = engine.make_plan(config, engine.make_runner(config))
    return made


if __name__ == "__main__":
    main()
