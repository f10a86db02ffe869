"""CPU time until `lceval --help`, `tasks`, `variants` and `plan` have answered, against starting Python and importing torch.

python tests/benchmarks/startup.py [--runs 9]
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "lceval --help": ["-m", "lceval", "--help"],
    "lceval tasks": ["-m", "lceval", "tasks"],
    "lceval variants": ["-m", "lceval", "variants"],
    "lceval plan 405b": ["-m", "lceval", "plan", "niah", "--model", "llama-3.1-405b", "--lengths", "1m", "--gpu", "h200"],
    "import torch": ["-c", "import torch"],
}


def cpu_seconds(arguments: list[str]) -> float:
    """User and system time of one child process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    torch = 0.0
    medians = {}
    for name, command in COMMANDS.items():
        medians[name] = statistics.median(cpu_seconds(command) for _ in range(runs))
        torch = medians[name]
    for name, median in medians.items():
        print(f"{name:<16} {median:6.3f} s CPU, median of {runs}   ({torch / median:5.1f} times less than importing torch)")


if __name__ == "__main__":
    main()
