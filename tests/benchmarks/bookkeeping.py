"""What lceval costs besides the model: rows of a control that answers at once, planned, composed, answered, scored and stored.

    python tests/benchmarks/bookkeeping.py [--rows 10000 100000] [--workers 0]

Every run has a process of its own. Rows a second count from the call to the last row on the disk (fsync), start-up left out, by the
clock and by the CPU time of the process (on a busy machine the fairer one); memory is the process's, then and at its peak since.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lceval import engine
from lceval.config import RunConfig
from lceval.progress import NoProgress
from lceval.store import answered_keys

DEPTHS = 11


def memory(what: str) -> float:
    """MiB that this process has (`VmRSS`), or had at most since the peak was forgotten (`VmHWM`)."""
    return int(re.search(rf"{what}:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024  # type: ignore[index]


def measure(rows: int, workers: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as scratch:
        samples = -(-rows // DEPTHS)
        config = RunConfig.checked(
            tasks="niah", model="control:perfect", lengths=256, samples=samples, out=Path(scratch) / "run", workers=workers
        )
        with engine.cluster(config):
            runner = engine.make_runner(config)
            engine.make_plan(config.model_copy(update={"samples": 1}), runner)  # the corpus
            Path("/proc/self/clear_refs").write_text("5")  # forget the peak
            before, begun, worked = memory("VmRSS"), time.perf_counter(), time.process_time()
            engine.execute(config, runner, NoProgress(), "bookkeeping.py")
            spent, worked = time.perf_counter() - begun, time.process_time() - worked
            peak = memory("VmHWM")
        stored = len(answered_keys(config.folder))
    assert stored == samples * DEPTHS
    return {"rows": stored, "seconds": spent, "worked": worked, "before": before, "peak": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.rows[0], arguments.workers)))
        return
    for rows in arguments.rows:
        command = [sys.executable, __file__, "--one", "--rows", str(rows), "--workers", str(arguments.workers)]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        print(
            f"{found['rows']:>7,} rows: {found['rows'] / found['seconds']:,.0f} a second "
            f"({found['rows'] / found['worked']:,.0f} by CPU time); "
            f"memory {found['before']:.0f} MiB before, {found['peak']:.0f} MiB at its peak",
            flush=True,
        )


if __name__ == "__main__":
    main()
