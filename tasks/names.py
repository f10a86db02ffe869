"""Invented names: people and places that no haystack and no model knows.

Every name has a z in its middle, which the names of the `prose` haystack never have, and no name is part of another. The names fall
into two pools, one for what a sample says and one for what only distracts, so that no distractor can ever carry a sample's name.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import product
from typing import Literal

import numpy as np

from lceval.keys import below

Pool = Literal["sample", "haystack"]

VERSION = 1
"""Raised whenever names or their order change."""

_ENDINGS = """
    abel adry akin amon aric aven eda efin elor emy enoth erin ibor idane igal iline imar inder iro isk obal odin ofer okay oling
    ombe onic ory osta ubin udo ulia umer undy uro ush
"""  # none begins with another
_WORDS = [f"{a}{b}{c}{d}" for a, b, c, d in product("BDFGHJKLMNPRSTVW", "aeiou", ("z", "lz", "nz", "rz"), _ENDINGS.split())]
_KINDS = ("Reach", "Hollow", "Cross", "Landing", "Heights", "Market", "Bay", "Ferry", "Green", "Abbey", "Point", "Gate")

GIVEN, FAMILY, PLACE = (tuple(w for w in _WORDS if zlib.crc32(w.encode()) % 3 == part) for part in range(3))
"""The words that names are made of, in three tables without common members."""

_GIVEN, _FAMILY, _PLACE = frozenset(GIVEN), frozenset(FAMILY), frozenset(PLACE)
_NAME = re.compile(r"(?<![a-z])[a-z]+z[a-z]+", re.IGNORECASE)
_PAIR = re.compile(r"(?<![a-z])(?=([a-z]+z[a-z]+)\s+([a-z]+))", re.IGNORECASE)


def given(rng: np.random.Generator, pool: Pool) -> Iterator[str]:
    """Distinct given names; about 470 for samples, 1,400 for haystacks."""
    return _distinct(rng, pool, [GIVEN])


def people(rng: np.random.Generator, pool: Pool) -> Iterator[str]:
    """Distinct full names, `Given Family`: millions."""
    return _distinct(rng, pool, [GIVEN, FAMILY])


def places(rng: np.random.Generator, pool: Pool) -> Iterator[str]:
    """Distinct place names, `Word Kind`, such as `Bazemy Reach`; about 5,800 for samples, 17,000 for haystacks."""
    return _distinct(rng, pool, [PLACE, _KINDS])


def _distinct(rng: np.random.Generator, pool: Pool, tables: list[tuple[str, ...]]) -> Iterator[str]:
    size = 1
    for table in tables:
        size *= len(table)
    seen: set[str] = set()
    while len(seen) < size // 8 * (3 if pool == "haystack" else 1):  # half of the pool: drawing stays fast
        name = " ".join(table[below(rng, len(table))] for table in tables)
        if name not in seen and of_sample(name) == (pool == "sample"):
            seen.add(name)
            yield name


def of_sample(name: str) -> bool:
    """Which pool a name belongs to: one in four is for samples."""
    return (zlib.crc32(name.encode()) >> 9) % 4 == 0


def given_in(text: str) -> list[str]:
    """The given names in a text, in order, those of full names included; upper and lower case do not matter."""
    return [name for word in _NAME.findall(text) if (name := word.capitalize()) in _GIVEN]


def people_in(text: str) -> list[str]:
    """The full names in a text, in order."""
    return _pairs(text, _GIVEN, _FAMILY)


def places_in(text: str) -> list[str]:
    """The place names in a text, in order."""
    return _pairs(text, _PLACE, frozenset(_KINDS))


def _pairs(text: str, first: frozenset[str], second: frozenset[str]) -> list[str]:
    pairs = ((a.capitalize(), b.capitalize()) for a, b in _PAIR.findall(text))
    return [f"{a} {b}" for a, b in pairs if a in first and b in second]
