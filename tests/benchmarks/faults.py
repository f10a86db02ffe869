"""A run against a server that fails half of all requests: every row must be an answer or a named error, none lost, none doubled.

    python tests/benchmarks/faults.py [--prompts 1000] [--concurrency 64]

Of the requests that the server gets, a tenth each is dropped, refused with 429 (twenty in a row), answered so slowly that it times
out, answered with garbage, and read in part only.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from lceval import engine, models
from lceval.config import RunConfig
from lceval.progress import NoProgress
from lceval.store import load_run
from lceval.tasks.niah import Niah

sys.path.insert(0, str(Path(__file__).parents[1] / "runners"))
from faulty import FaultyServer

STORM = 20
OTHERS = ("drop", "slow", "garbage", "truncate")
KINDS = {"drop": ("drop", "cut off"), "garbage": ("not json", "html")}


def fault(number: int) -> str:
    """What goes wrong with the n-th request."""
    if number // STORM % 10 == 5:
        return "429"
    chance = random.Random(number)
    kind = chance.choice((*OTHERS, *["ok"] * 5))  # nine tenths are left: one each for the others, five for good answers
    return chance.choice(KINDS.get(kind, (kind,)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=64)
    arguments = parser.parse_args()
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(models.resolve_tokenizer(models.EMBEDDED))
    solve = Niah.from_params({}).solve
    with tempfile.TemporaryDirectory() as scratch, FaultyServer(tokenizer, solve, fault, model=models.EMBEDDED) as server:
        config = RunConfig.checked(
            tasks="niah",
            model=models.EMBEDDED,
            runner="endpoint",
            model_options={"base_url": server.url, "concurrency": arguments.concurrency, "timeout_s": 2},
            lengths="512..1k/10",
            depths=str(arguments.prompts // 10),
            samples=1,
            out=Path(scratch) / "run",
        )
        begun = time.perf_counter()
        engine.execute(config, engine.make_runner(config), _Quiet(), "faults.py")
        seconds = time.perf_counter() - begun
        run = load_run(config.folder)
        lines = [json.loads(line)["sample_key"] for line in (config.folder / "results-000.jsonl").read_text().splitlines()]
    sent = Counter(request.fault for request in server.answers)
    print(f"{len(run.planned)} prompts, {len(server.answers)} requests, {seconds:.0f} s")
    print(f"  the server:  {', '.join(f'{name} {count / len(server.answers):.1%}' for name, count in sent.most_common())}")
    print(f"  sent again:  {len(server.answers) - len(run.planned)}")
    print(f"  ok:          {sum(row.outcome == 'ok' for row in run.rows)}")
    causes = Counter((row.error or "").partition(": ")[0] for row in run.rows if row.outcome != "ok")
    for cause, count in causes.most_common():
        print(f"  error:       {count} x {cause}")
    lost, doubled = len(run.planned) - len(set(lines)), len(lines) - len(set(lines))
    print(f"  lost:        {lost}")
    print(f"  doubled:     {doubled}")
    wrong = sum(row.outcome == "ok" and row.strict != 1 for row in run.rows)
    unnamed = sum(row.outcome != "ok" and not row.error for row in run.rows)
    print(f"  ok but wrong: {wrong}")
    if lost or doubled or wrong or unnamed:
        sys.exit("an answer is lost, doubled or wrong, or an error has no name")


class _Quiet(NoProgress):
    def note(self, text: str) -> None:
        print(f"note: {text}")


if __name__ == "__main__":
    main()
