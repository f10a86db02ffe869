"""kill -9 at random moments of one run on the embedded model, resumed each time: every key must be stored exactly once.

    python tests/benchmarks/kill.py [--kills 20] [--seed 0]

Every fourth kill comes at a random time after the start (start-up, loading), the others at a random time after a random number of
new rows (prefill, decoding, storing).
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


def stored_rows(folder: Path) -> int:
    """Whole lines in the results files."""
    return sum(file.read_bytes().count(b"\n") for file in folder.glob("results-*.jsonl"))


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
                rows = stored_rows(folder) + chance.randint(1, 4) if kill % 4 else 0
                while process.poll() is None and stored_rows(folder) < rows:
                    time.sleep(0.002)
                time.sleep(chance.uniform(0, 2) if rows else chance.uniform(0.5, 8))
                finished = process.poll() is not None
                process.send_signal(signal.SIGKILL)
            note = " (the run had finished)" if finished else ""
            print(f"kill {kill + 1:2d}: {stored_rows(folder)} rows stored{note}", flush=True)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        keys = [json.loads(line)["sample_key"] for file in folder.glob("results-*.jsonl") for line in file.read_text().splitlines()]
        planned = len(load_run(folder).planned)
        print(f"planned {planned}, stored {len(keys)}, distinct {len(set(keys))}")
        if not planned == len(keys) == len(set(keys)):
            sys.exit("a key is missing or stored twice")


if __name__ == "__main__":
    main()
