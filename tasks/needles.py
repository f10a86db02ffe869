"""What needles say: keys, values, and the sentence that ties them.

Keys and values come from two disjoint pools, one for the samples and one for the `needles` haystack, so that no distractor can
ever carry a sample's key or value, whatever the seeds.
"""

from __future__ import annotations

import re
import uuid
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Literal, NamedTuple

import numpy as np

from lceval.tasks.words import ADJECTIVES, NOUNS

NeedleType = Literal["words", "numbers", "uuids"]
Pool = Literal["sample", "haystack"]

VERSION = 1
"""Raised whenever keys, values or their order change."""

NOUN = {"words": "word", "numbers": "number", "uuids": "id"}
"""What a value of each type is called in needles and questions."""

_WORDS = re.compile(r"(?<![\w-])([a-z]+)-([a-z]+)(?![\w-])")
_NUMBERS = re.compile(r"(?<![\w-])(?:\d{1,3}(?:,\d{3})+|\d{4,})(?![\w-])")
_UUIDS = re.compile(r"\b[0-9a-f]{4,}(?:-[0-9a-f]{2,}){2,}\b")
_NEEDLE = re.compile(r"(?:The|One) vault (?:word|number|id) for (\S+) is (\S+)\.(?=\s|$)")
_ADJECTIVES, _NOUNS = frozenset(ADJECTIVES), frozenset(NOUNS)


class Fact(NamedTuple):
    """A key and one of its values, as found in a text."""

    key: str
    value: str


def sentence(key: str, value: str, value_type: NeedleType, *, several: bool) -> str:
    """The needle; `several` when its key has more than one value."""
    return f"{'One' if several else 'The'} vault {NOUN[value_type]} for {key} is {value}."


def facts(text: str) -> list[Fact]:
    """Every needle in a text, in order."""
    return [Fact(*match) for match in _NEEDLE.findall(text)]


def named(text: str, value_type: NeedleType) -> set[str]:
    """Every value of a type that a text names, lower-case; numbers without thousands separators."""
    text = text.lower().replace("_", " ")
    match value_type:
        case "numbers":
            return {number.replace(",", "") for number in _NUMBERS.findall(text)}
        case "uuids":
            return set(_UUIDS.findall(text))
        case "words":
            return {f"{a}-{b}" for a, b in _WORDS.findall(text) if a in _ADJECTIVES and b in _NOUNS}


def draw(kind: NeedleType, rng: np.random.Generator, pool: Pool) -> Iterator[str]:
    """Distinct random keys or values of a type, from one pool; ends when the pool is used up."""
    return islice(_distinct(_candidates(kind, rng), pool), _limit(kind, pool))


def take(kind: NeedleType, count: int, rng: np.random.Generator) -> list[str]:
    """`count` distinct keys or values for a sample, at most `most(kind)`."""
    assert count <= most(kind)
    return list(islice(draw(kind, rng, "sample"), count))


def most(kind: NeedleType) -> int:
    """How many distinct keys or values of a type one sample can have."""
    return _limit(kind, "sample")


_SIZE = {"words": len(ADJECTIVES) * len(NOUNS), "numbers": 9_000_000, "uuids": 1 << 62}


def _limit(kind: NeedleType, pool: Pool) -> int:
    """Half of a pool: so far, drawing at random until something new comes stays fast."""
    return _SIZE[kind] * (3 if pool == "haystack" else 1) // 8


def _distinct(candidates: Iterator[str], pool: Pool) -> Iterator[str]:
    seen: set[str] = set()
    for candidate in candidates:
        of_sample = (zlib.crc32(candidate.encode()) >> 7) % 4 == 0  # one in four
        if of_sample == (pool == "sample") and candidate not in seen:
            seen.add(candidate)
            yield candidate


def _candidates(kind: NeedleType, rng: np.random.Generator) -> Iterator[str]:
    # Raw bits, because NumPy promises the same ones in every version, and the same integers() in none.
    batch = 8
    while True:
        raw = rng.bit_generator.random_raw(2 * batch).tolist()
        for a, b in zip(raw[::2], raw[1::2], strict=True):
            match kind:
                case "words":
                    yield f"{ADJECTIVES[a % len(ADJECTIVES)]}-{NOUNS[b % len(NOUNS)]}"
                case "numbers":
                    yield str(1_000_000 + a % 9_000_000)
                case "uuids":
                    yield str(uuid.UUID(int=a << 64 | b, version=4))
        batch = min(2 * batch, 1024)
