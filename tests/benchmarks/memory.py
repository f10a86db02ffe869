"""Bytes predicted by `lceval plan` against bytes measured: the KV cache's tensors, and the peak while a prompt is read.

    python tests/benchmarks/memory.py [--lengths 512..4k] [--model smollm2-135m] [--variant none "kv(int4)"]
    python tests/benchmarks/memory.py --device cuda --shape 8b [--lengths 8k,32k,128k]      # a shape of gpu.py, random weights

On CPU the peak is the resident memory of a process of its own for each length, beyond what it took before the weights were loaded;
on a GPU it is what tensors took at most. Prints predicted / measured.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from lceval.costs.configs import shape_of
from lceval.costs.memory import memory
from lceval.lengths import format_length, parse_lengths


class _Ids:
    """A prompt of nothing but ids."""

    def __init__(self, length: int) -> None:
        self.ids = np.arange(length) * 37 % 40_000 + 4
        self.needle_tokens: tuple[tuple[int, int], ...] = ()


def read(runner: Any, length: int) -> int:
    """Read a prompt; returns the bytes of the cache."""
    runner._turn_to(length)
    state = runner._state(length)
    state.back_to(0)
    runner._prefill(state, _Ids(length), 0, [])
    return sum(getattr(layer, "nbytes", None) or layer.keys.nbytes + layer.values.nbytes for layer in state.cache.layers)


def resident(name: str) -> int:
    """`VmRSS` or `VmHWM` of this process, in bytes (Linux)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def one_on_cpu(model: str, length: int, variant: str) -> dict[str, float]:
    """In this process: bytes of the cache, the peak, and what was predicted."""
    import torch

    from lceval.runners.hf import HfRunner

    runner = HfRunner(model, {"device": "cpu", "dtype": "float32"}, variant)
    torch.nn.functional.scaled_dot_product_attention(*torch.zeros(3, 1, 1, 8, 8))  # the libraries' own memory is there before
    torch.zeros(64, 64) @ torch.zeros(64, 64)
    before = resident("VmRSS")
    with runner:
        Path("/proc/self/clear_refs").write_text("5")  # the peak from here on: loading takes weights twice for a moment
        kv = read(runner, length)
        peak = resident("VmHWM") - before
        at = memory(shape_of(model), length, runner.setting)
    return {"kv": kv, "peak": peak, "kv_planned": at.kv, "peak_planned": at.total}


def told(name: str, length: int, found: dict[str, float]) -> None:
    parts = []
    for what in ("kv", "peak"):
        planned, ratio = found[f"{what}_planned"], found[f"{what}_planned"] / found[what]
        parts.append(f"{what:>5} {planned / 2**20:10.1f} MiB planned, x{ratio:.4f} of measured")
    print(f"{name:<24}{format_length(length):>6}  {'   '.join(parts)}", flush=True)


def on_cpu(model: str, lengths: tuple[int, ...], variants: list[str]) -> None:
    for variant in variants:
        for length in lengths:
            command = [sys.executable, __file__, "--one", str(length), "--model", model, "--variant", variant]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            told(variant, length, json.loads(done.stdout.splitlines()[-1]))


def on_gpu(shape: str, lengths: tuple[int, ...], variants: list[str], tokenizer: str) -> None:
    import torch
    from gpu import random_weights, shape_folder

    from lceval.runners.hf import HfRunner

    print(torch.cuda.get_device_name(), "torch", torch.__version__, "shape", shape, flush=True)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as made:
        made.enter_context(random_weights("cuda", torch.bfloat16))
        model = str(shape_folder(shape, Path(folder), tokenizer))
        for variant in variants:
            with HfRunner(model, {"device": "cuda", "dtype": "bfloat16"}, variant) as runner:
                for length in lengths:
                    runner._slab = None
                    torch.cuda.empty_cache()
                    torch.cuda.reset_peak_memory_stats()
                    kv = read(runner, length)
                    peak = torch.cuda.max_memory_allocated()
                    at = memory(shape_of(model), length, runner.setting)
                    told(variant, length, {"kv": kv, "peak": peak, "kv_planned": at.kv, "peak_planned": at.total})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--lengths", help="default: 512..4k on CPU, 8k,32k,128k on a GPU")
    parser.add_argument("--model", default="smollm2-135m", help="on CPU; on a GPU, whose tokenizer the shape gets")
    parser.add_argument("--shape", default="8b", help="on a GPU: a shape of gpu.py")
    parser.add_argument("--variant", nargs="*", default=["none"])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one_on_cpu(arguments.model, arguments.one, arguments.variant[0])))
    elif arguments.device == "cpu":
        on_cpu(arguments.model, parse_lengths(arguments.lengths or "512..4k"), arguments.variant)
    else:
        on_gpu(arguments.shape, parse_lengths(arguments.lengths or "8k,32k,128k"), arguments.variant, arguments.model)


if __name__ == "__main__":
    main()
