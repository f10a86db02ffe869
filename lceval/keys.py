"""Identities and the randomness that hangs on them.

Every sample can be made alone, in any process, in any order: what it draws depends on nothing but its key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lceval.types import Cell

T = TypeVar("T")

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


def digest(*parts: object) -> str:
    """128 bits of sha256 over the canonical JSON of `parts`, in hex."""
    return hashlib.sha256(_canonical(parts).encode()).hexdigest()[:32]


def generator(*parts: object) -> np.random.Generator:
    """A counter-based generator whose stream is fixed by `parts` (Philox: the same on every platform)."""
    return np.random.Generator(np.random.Philox(key=int(digest(*parts), 16)))


def uniform(rng: np.random.Generator) -> float:
    """A number in [0, 1) from raw bits: NumPy promises those in every version, and `rng.random()` in none."""
    return (int(rng.bit_generator.random_raw()) >> 11) / (1 << 53)


def below(rng: np.random.Generator, n: int) -> int:
    """An integer in [0, n), from raw bits."""
    return int(rng.bit_generator.random_raw()) % n


def pick(rng: np.random.Generator, items: Sequence[T]) -> T:
    """One of the items."""
    return items[below(rng, len(items))]


def permutation(rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    """[n] the integers in [0, n) in random order, from raw bits."""
    return np.argsort(rng.bit_generator.random_raw(n), kind="stable") if n else np.empty(0, dtype=np.int64)


def shuffled(rng: np.random.Generator, items: Sequence[T], count: int | None = None) -> list[T]:
    """The items in random order; with `count`, that many different ones of them."""
    return [items[i] for i in permutation(rng, len(items))[:count]]


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
