"""What `lceval report` takes for a run of many rows: seconds from nothing to the last file, and memory at the peak.

    python tests/benchmarks/report_rows.py [--rows 10000 100000]

The rows are a control's that misses the middle. A run answers `DISTINCT` samples of every cell; copies of its rows under further
indices follow, written straight through the store. Prompts of copies cannot be rebuilt, but they stand behind the others: the
samples that a report shows with the text around their needles are those of the run.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lceval.config import RunConfig
from lceval.engine import execute, make_runner
from lceval.progress import NoProgress
from lceval.store import RunStore, load_run

DISTINCT = 50
LIMIT_S, LIMIT_MIB = 10, 1024
"""At 100,000 rows."""


def write(folder: Path, rows: int) -> int:
    """A run of at least so many rows; returns how many."""
    grid = {"lengths": "512..4k", "samples": DISTINCT}
    config = RunConfig.checked(tasks="niah", model="control:lost-in-the-middle,strength=0.6", out=folder / "real", **grid)
    execute(config, make_runner(config), NoProgress(), "report_rows.py")
    real = load_run(folder / "real")
    copies = -(-rows // len(real.rows))
    info = real.info.model_copy(update={"grids": [real.info.grids[0].model_copy(update={"samples": DISTINCT * copies})]})
    with RunStore.open(folder / "run", info) as store:
        store.begin(info)
        for copy in range(copies):
            store.append(
                row.model_copy(
                    update={
                        "index": row.index + DISTINCT * copy,
                        "sample_key": f"{row.sample_key[:-5]}{copy:05x}" if copy else row.sample_key,
                    }
                )
                for row in real.rows
            )
    return copies * len(real.rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        from lceval import cli

        sys.argv = ["lceval", "report", str(arguments.one)]
        cli.app(standalone_mode=False)
        print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        return
    print(f"{'rows':>8} {'seconds':>8} {'CPU s':>6} {'peak MiB':>9} {'report.html, kB':>16}")
    for rows in arguments.rows:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            written = write(folder, rows)
            begun, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            command = [sys.executable, __file__, "--one", str(folder / "run")]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            spent, now = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
            peak = int(re.search(r"peak (\d+)", output)[1])  # type: ignore[index]
            size = (folder / "run" / "report.html").stat().st_size / 1000
        print(f"{written:>8,} {spent:>8.1f} {cpu:>6.1f} {peak:>9,} {size:>16,.0f}")
        if written >= 100_000:
            assert spent <= LIMIT_S, f"wanted at most {LIMIT_S} s"
            assert peak <= LIMIT_MIB, f"wanted at most {LIMIT_MIB} MiB"


if __name__ == "__main__":
    main()
