"""kill -9 at random moments of one run on the embedded model, resumed each time: every key must be stored exactly once.

    python tests/benchmarks/kill.py [--kills 20] [--seed 0]

A moment is a random time after the start of the process, so that start-up, loading, prefill, decoding and storing are all hit.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lceval.store import load_run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        grid = ["--lengths", "512,768,1k", "--depths", "7", "--samples", "3", "--out", str(folder)]
        command = [sys.executable, "-m", "lceval", "run", "niah", "--model", "smollm2-135m", *grid]
        for kill in range(arguments.kills):
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                wait = chance.uniform(0.5, 20)
                deadline = time.monotonic() + wait
                while process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.005)
                finished = process.poll() is not None
                process.send_signal(signal.SIGKILL)
            stored = len(load_run(folder).rows) if (folder / "run.json").exists() else 0
            print(
                f"kill {kill + 1:2d} after {wait:5.2f} s: {stored} rows stored{' (the run had finished)' if finished else ''}",
                flush=True,
            )
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        keys = [json.loads(line)["sample_key"] for file in folder.glob("results-*.jsonl") for line in file.read_text().splitlines()]
        planned = len(load_run(folder).planned)
        print(f"planned {planned}, stored {len(keys)}, distinct {len(set(keys))}")
        if not planned == len(keys) == len(set(keys)):
            sys.exit("a key is missing or stored twice")


if __name__ == "__main__":
    main()
