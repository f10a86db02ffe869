"""The seeds of this field on one model: up to which length each training-free technique finds a needle, and where.

    python tests/benchmarks/seeds.py [--model smollm2-135m] [--lengths 4k..32k] [--depths 5] [--samples 2] [--out runs/seeds]

Prints mean strict scores, variant by length, and by depth for every length, and draws the heatmaps side by side. The same
command goes on where it stopped. On two CPU cores a variant takes about four minutes up to 16k with `--depths 3 --samples 1`;
32k asks for a GPU. Expected on a model trained to 8k: `none` ends there, `pi(4)` needs training, `yarn(4)` and `self_extend`
reach further, `window` sees its window only, `streaming` too, though its text stays fluent.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

import lceval
from lceval.lengths import format_length
from lceval.progress import TerminalProgress

VARIANTS = (
    *("none", "pi(4)", "ntk(4)", "yarn(2)", "yarn(4)"),
    *("self_extend(8,1024)", "dca", "rerope", "streaming(4,2048)", "window(2048)"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--lengths", default="4k..32k")
    parser.add_argument("--depths", default="5")
    parser.add_argument("--samples", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("runs/seeds"))
    parser.add_argument("--variants", nargs="*", default=VARIANTS)
    arguments = parser.parse_args()

    runs = lceval.compare_variants(
        "niah",
        arguments.model,
        arguments.variants,
        lengths=arguments.lengths,
        depths=arguments.depths,
        samples=arguments.samples,
        out=arguments.out,
        allow_beyond_window=True,
        progress=TerminalProgress(Console()),
    )
    lengths = runs[0].info.grids[0].lengths
    print(f"{'':<24}" + "".join(f"{format_length(length):>7}" for length in lengths))
    for variant, run in zip(arguments.variants, runs, strict=True):
        by_length = run.frame.groupby("length").strict.mean()
        print(f"{variant:<24}" + "".join(f"{score:>7.2f}" for score in by_length))
    for length in lengths:
        print(f"\n{format_length(length)}, by depth")
        for variant, run in zip(arguments.variants, runs, strict=True):
            by_depth = run.frame[run.frame.length == length].groupby("depth").strict.mean()
            print(f"{variant:<24}" + "  ".join(f"{depth:g}: {score:.2f}" for depth, score in by_depth.items()))


if __name__ == "__main__":
    main()
