"""Runs made of thin air: rows whose scores are a function of the cell."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lceval.rows import Grid, Row, Run, RunInfo

Scores = Callable[[int, float | None, int], float | str | None]
"""(length, depth, index) -> strict score; None for a row that is missing, a name for an outcome without a score."""


def make_row(length: int, depth: float | None, index: int, score: float | str, **changes: Any) -> Row:
    """One row; `score` is the strict score, or `error` / `overflow`."""
    answered = not isinstance(score, str)
    key = hashlib.sha256(f"{length} {depth} {index} {changes.get('task', '')}".encode()).hexdigest()[:32]
    start = int((depth or 0) * length * 0.98)
    values: dict[str, Any] = {
        "task": "niah",
        "params": {},
        "model": "org/model-7b",
        "variant": "",
        "runner": "hf",
        "length": length,
        "depth": depth,
        "index": index,
        "question": 0,
        "seed": 0,
        "sample_key": key,
        "pair_key": f"pair-{index}",
        "prompt_sha256": key * 2,
        "prompt_tokens": length - 32,
        "reserved_tokens": 32,
        "cached_tokens": (length - 32) // 2,
        "new_tokens": 8,
        "needle_tokens": [(start, start + 14)],
        "needle_depths": [depth or 0.0],
        "answers": ["7421983"],
        "output": "7421983" if score == 1 else "The text does not say.",
        "outcome": "ok" if answered else score,
        "finish_reason": "eos" if answered else "error",
        "official": min(1.0, score + 0.02) if isinstance(score, float) else None,
        "strict": score if answered else None,
        "prefill_s": length / 20000,
        "decode_s": 0.25,
        "error": None if answered else "CUDA out of memory",
    }
    return Row(**(values | changes))


def make_run(
    path: Path,
    scores: Scores,
    *,
    lengths: Sequence[int] = (4096, 8192, 16384),
    depths: Sequence[float | None] = (0.0, 0.5, 1.0),
    samples: int = 10,
    task: str = "niah",
    params: dict[str, Any] | None = None,
    **info: Any,
) -> Run:
    """A run of one grid whose rows are what `scores` says."""
    rows = [
        make_row(length, depth, index, score, task=task, params=params or {})
        for length in lengths
        for depth in depths
        for index in range(samples)
        if (score := scores(length, depth, index)) is not None
    ]
    grid = Grid(task=task, params=params or {}, seed=0, lengths=list(lengths), depths=list(depths), samples=samples)
    values: dict[str, Any] = {
        "lceval": "0.1.0",
        "created": "2026-01-02T03:04:05Z",
        "model": "org/model-7b",
        "runner": "hf",
        "fingerprint": {"max_position_embeddings": 8192, "dtype": "bfloat16", "rope_theta": 10000.0},
        "environment": {"torch": "2.9.0", "gpu": "NVIDIA H200"},
        "grids": [grid],
        "commands": ["lceval run niah --model org/model-7b --lengths 4k..16k"],
    }
    return Run(path, RunInfo(**(values | info)), rows)
