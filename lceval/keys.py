"""Identities and the randomness that hangs on them.

Every sample can be made alone, in any process, in any order: what it draws depends on nothing but its key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from lceval.types import Cell


def digest(*parts: object) -> str:
    """128 bits of sha256 over the canonical JSON of `parts`, in hex."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def generator(*parts: object) -> np.random.Generator:
    """A counter-based generator whose stream is fixed by `parts` (Philox: the same on every platform)."""
    return np.random.Generator(np.random.Philox(key=int(digest(*parts), 16)))


def uniform(rng: np.random.Generator) -> float:
    """A number in [0, 1) from raw bits: NumPy promises those in every version, and `rng.random()` in none."""
    return (int(rng.bit_generator.random_raw()) >> 11) / (1 << 53)


def pair_key(task: str, version: int, params: Mapping[str, Any], seed: int, index: int, question: int) -> str:
    """What makes two answers comparable: everything but the cell, the model and its tokenizer.

    Args:
        task: the registry's name.
        version: the task's version, raised whenever its prompts change.
        params: the parameters that differ from the task's defaults.
        seed: the run's seed.
        index: the sample.
        question: the question about the sample's context.
    """
    return digest(task, version, dict(params), seed, index, question)


def sample_key(pair: str, cell: Cell, *, tokenizer: str, frame: str, corpus: str, composition: str) -> str:
    """The identity of one answer in a run: pair key, cell, and the hashes of all that turns it into tokens."""
    return digest(pair, cell.length, cell.depth, tokenizer, frame, corpus, composition)
