"""A window at work: which needles a model finds by how many hops through stacked windows they lie before the answer.

    python tests/benchmarks/window.py [--model smollm2-135m] [--window 128] [--lengths 512..8k] [--depths …] [--samples 2]

What a token holds moves on by at most W − 1 tokens a layer, so beyond L layers nothing of a needle can reach the answer. Prints
accuracy by hops: expected 1 for one hop, and 0, which is chance, beyond L.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from pathlib import Path

import lceval
from lceval import models


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=models.EMBEDDED)
    parser.add_argument("--window", type=int, default=128)
    parser.add_argument("--lengths", default="512..8k")
    parser.add_argument("--depths", default="0,0.25,0.5,0.75,0.9,1")
    parser.add_argument("--samples", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("runs/window"))
    arguments = parser.parse_args()
    asked = {name: getattr(arguments, name) for name in ("lengths", "depths", "samples")}
    run = lceval.run("niah", arguments.model, variant=f"window({arguments.window})", out=arguments.out, **asked)
    layers = json.loads((models.resolve(arguments.model) / "config.json").read_text())["num_hidden_layers"]
    found = defaultdict(list)
    for row in run.rows:
        (first, _), *_ = row.needle_tokens
        hops = math.ceil((row.prompt_tokens + row.new_tokens - 1 - first) / (arguments.window - 1))
        found["one hop" if hops == 1 else f"2 to {layers} hops" if hops <= layers else f"more than {layers} hops"].append(
            row.strict
        )
    for reach, scores in found.items():
        print(f"{reach:<20} {sum(scores) / len(scores):.2f} of {len(scores)}")


if __name__ == "__main__":
    main()
