"""The same run by every way there is: Transformers, vLLM, a vLLM server, two workers, two shards.

    python tests/benchmarks/ways.py [--lengths 512..1k] [--depths 5] [--samples 2] [--out runs/ways]

Prints how many samples are the same, and how many scores and texts, each against Transformers in one process, and which samples
flipped; then makes one report of them all. The same command goes on where it stopped. Needs `make setup-vllm`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import lceval
from lceval import models
from lceval.comparing import compare

sys.path.insert(0, str(Path(__file__).parents[1] / "serving"))
from server import KEY, serving


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", default="512..1k")
    parser.add_argument("--depths", default="5")
    parser.add_argument("--samples", default="2")
    parser.add_argument("--out", type=Path, default=Path("runs/ways"))
    arguments = parser.parse_args()
    folder: Path = arguments.out
    grid = ["--lengths", arguments.lengths, "--depths", arguments.depths, "--samples", arguments.samples]

    def run(name: str, *options: str) -> None:
        command = ["run", "niah", "--model", models.EMBEDDED, *grid, "--out", str(folder / name), *options]
        lceval_command(*command)

    folder.mkdir(parents=True, exist_ok=True)
    exact = ("-M", "dtype=float32")
    run("hf", *exact)
    run("vllm", "--runner", "vllm", *exact, "-M", "kv_gib=1")
    with serving(folder) as url:
        run("endpoint", "--runner", "endpoint", "-M", f"base_url={url}")
    run("workers", *exact, "--workers", "2")
    for shard in ("1", "2"):
        run(f"shard-{shard}", *exact, "--shard", f"{shard}/2")
    lceval_command("merge", *(str(folder / f"shard-{shard}") for shard in ("1", "2")), "--out", str(folder / "shards"))

    names = ("vllm", "endpoint", "workers", "shards")
    base = lceval.load_run(folder / "hf")
    print(f"\n{'against hf':<12}{'samples':>10}{'scores':>10}{'texts':>10}   flipped")
    for name in names:
        found = compare(base, lceval.load_run(folder / name))
        count, total = len(found.overall.pairs), len(base.rows)
        assert found.unpaired == (0, 0)
        assert found.overall.same_prompts == count
        flips = ", ".join(f"{pair.base.sample_key} {pair.difference:+g}" for pair in found.flips) or "none"
        scores = count - len(found.flips)
        print(f"{name:<12}{count:>4} of {total:<3}{scores:>4} of {count:<3}{found.overall.same_texts:>4} of {count:<3}   {flips}")
    lceval_command("report", *(str(folder / name) for name in ("hf", *names)), "--out", str(folder / "all"))


def lceval_command(*words: str) -> None:
    print("lceval", *words, flush=True)
    environment = os.environ | {"OPENAI_API_KEY": KEY}
    subprocess.run([sys.executable, "-m", "lceval", *words], check=True, env=environment, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
