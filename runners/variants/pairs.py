"""Which keys a query sees, and how far away they appear: predicates over pairs (i, j), and bands.

A predicate can be asked of tensors of token indices, and of whole blocks: whether some, and whether every, pair of a block of
queries and a block of keys holds. The latter may err on one side only (`some` too often yes, `every` too often no), so that block
masks built from them, without any n x n mask, are exact where it matters.

Every published distance map is a disjoint union of a few bands in which the distance is f(i) - g(j), so that rotating queries by f
and keys by g realises it (see the table in `README.md`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Pairs(Protocol):
    """A set of pairs (query i, key j)."""

    def __call__(self, i: Tensor, j: Tensor) -> Tensor:
        """Whether each pair is in the set; i and j broadcast."""
        ...

    def some(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:
        """Whether a block of queries i0..i1 and keys j0..j1 (both ends included) may have a pair of the set."""
        ...

    def every(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:
        """Whether all its pairs surely are in the set."""
        ...


@dataclass(frozen=True)
class Near:
    """i - j < width; keys behind the query count as near."""

    width: int

    def __call__(self, i: Tensor, j: Tensor) -> Tensor:  # noqa: D102
        return i - j < self.width

    def some(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return i0 - j1 < self.width

    def every(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return i1 - j0 < self.width


@dataclass(frozen=True)
class Far:
    """i - j >= width; `Far(0)` is causality."""

    width: int

    def __call__(self, i: Tensor, j: Tensor) -> Tensor:  # noqa: D102
        return i - j >= self.width

    def some(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return i1 - j0 >= self.width

    def every(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return i0 - j1 >= self.width


@dataclass(frozen=True)
class First:
    """j < count."""

    count: int

    def __call__(self, i: Tensor, j: Tensor) -> Tensor:  # noqa: D102
        return 0 * i + j < self.count

    def some(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return 0 * i0 + j0 < self.count

    def every(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return 0 * i0 + j1 < self.count


@dataclass(frozen=True)
class At:
    """j is one of the given tokens (ascending)."""

    tokens: tuple[int, ...]

    def __call__(self, i: Tensor, j: Tensor) -> Tensor:  # noqa: D102
        found = i + j < 0
        for first, last in self._ranges:
            found = found | ((j >= first) & (j <= last))
        return found

    @property
    def _ranges(self) -> list[tuple[int, int]]:
        ranges: list[tuple[int, int]] = []
        for token in self.tokens:
            if ranges and ranges[-1][1] == token - 1:
                ranges[-1] = (ranges[-1][0], token)
            else:
                ranges.append((token, token))
        return ranges

    def _within(self, j0: Ints, j1: Ints) -> Ints:
        tokens = np.array(self.tokens, dtype=np.int64)
        return np.searchsorted(tokens, j1, side="right") - np.searchsorted(tokens, j0)

    def some(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return 0 * i0 + self._within(j0, j1) > 0

    def every(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return 0 * i0 + self._within(j0, j1) > j1 - j0


@dataclass(frozen=True)
class Stride:
    """j mod step = step - 1."""

    step: int

    def __call__(self, i: Tensor, j: Tensor) -> Tensor:  # noqa: D102
        return 0 * i + j % self.step == self.step - 1

    def some(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return 0 * i0 + (j1 + 1) // self.step > j0 // self.step

    def every(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return (0 * i0 + j1 == j0) & (j0 % self.step == self.step - 1) if self.step > 1 else i0 + j0 >= 0


@dataclass(frozen=True)
class Dilate:
    """(i - j) mod rate = 0."""

    rate: int

    def __call__(self, i: Tensor, j: Tensor) -> Tensor:  # noqa: D102
        return (i - j) % self.rate == 0

    def some(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return (i1 - j0) // self.rate > (i0 - j1 - 1) // self.rate

    def every(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return (i0 == i1) & (j0 == j1) & ((i0 - j0) % self.rate == 0) if self.rate > 1 else i0 + j0 >= 0


@dataclass(frozen=True)
class Random:
    """Blocks of 64 x 64 pairs, each in the set with a probability, by a hash of its place and a seed."""

    probability: float
    seed: int
    SIZE = 64

    def __post_init__(self) -> None:
        """Whole numbers, since kernels compiled from `__call__` take no others."""
        object.__setattr__(self, "_limit", int(self.probability * (1 << 20)))
        object.__setattr__(self, "_salt", (self.seed * 83492791 + 12345) & 0x7FFFFFFF)

    def __call__(self, i: Tensor, j: Tensor) -> Tensor:  # noqa: D102
        # xorshift-multiply in 31 bits: the same integers on every device.
        x = (i // self.SIZE * 73856093) ^ (j // self.SIZE * 19349663) ^ self._salt  # type: ignore[attr-defined]
        for _ in range(2):
            x = x & 0x7FFFFFFF
            x = ((x >> 15) ^ x) * 0x2C1B3C6D
        x = x & 0x7FFFFFFF
        return ((x >> 13) ^ x) % (1 << 20) < self._limit  # type: ignore[attr-defined, no-any-return]

    def some(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        if self.probability in (0, 1):
            return 0 * (i0 + j0) < self.probability
        return ~self._in_one_block(i0, i1, j0, j1) | self._there(i0, j0)

    def every(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        if self.probability == 1:
            return i0 + j0 >= 0
        return self._in_one_block(i0, i1, j0, j1) & self._there(i0, j0)

    def _in_one_block(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:
        one: Bools = (i0 // self.SIZE == i1 // self.SIZE) & (j0 // self.SIZE == j1 // self.SIZE)
        return one

    def _there(self, i0: Ints, j0: Ints) -> Bools:
        i, j = (np.asarray(x, dtype=np.int64) for x in (i0, j0))
        found: Bools = self(i, j)  # type: ignore[arg-type, assignment]
        return found


@dataclass(frozen=True)
class Segment:
    """j >= start of the query's segment - memory."""

    length: int
    memory: int

    def __call__(self, i: Tensor, j: Tensor) -> Tensor:  # noqa: D102
        return j >= i // self.length * self.length - self.memory

    def some(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return j1 >= i0 // self.length * self.length - self.memory

    def every(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return j0 >= i1 // self.length * self.length - self.memory


@dataclass(frozen=True)
class Chunks:
    """The query's chunk is so many chunks after the key's: `least` to `most` (None: any more)."""

    size: int
    least: int
    most: int | None

    def __call__(self, i: Tensor, j: Tensor) -> Tensor:  # noqa: D102
        apart = i // self.size - j // self.size
        return apart >= self.least if self.most is None else (apart >= self.least) & (apart <= self.most)

    def some(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        fewest, most = i0 // self.size - j1 // self.size, i1 // self.size - j0 // self.size
        return most >= self.least if self.most is None else (most >= self.least) & (fewest <= self.most)

    def every(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        fewest, most = i0 // self.size - j1 // self.size, i1 // self.size - j0 // self.size
        return fewest >= self.least if self.most is None else (fewest >= self.least) & (most <= self.most)


@dataclass(frozen=True)
class AnyOf:
    """The union."""

    parts: tuple[Pairs, ...]

    def __call__(self, i: Tensor, j: Tensor) -> Tensor:  # noqa: D102
        return _fold(self.parts, operator.or_, i, j)

    def some(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return reduce(operator.or_, [part.some(i0, i1, j0, j1) for part in self.parts])

    def every(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return reduce(operator.or_, [part.every(i0, i1, j0, j1) for part in self.parts])


@dataclass(frozen=True)
class AllOf:
    """The intersection."""

    parts: tuple[Pairs, ...]

    def __call__(self, i: Tensor, j: Tensor) -> Tensor:  # noqa: D102
        return _fold(self.parts, operator.and_, i, j)

    def some(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return reduce(operator.and_, [part.some(i0, i1, j0, j1) for part in self.parts])

    def every(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return reduce(operator.and_, [part.every(i0, i1, j0, j1) for part in self.parts])


def _fold(parts: Sequence[Pairs], join: Callable[[Tensor, Tensor], Tensor], i: Tensor, j: Tensor) -> Tensor:
    found = parts[0](i, j)
    for part in parts[1:]:
        found = join(found, part(i, j))
    return found


CAUSAL = Far(0)

PositionMap = Callable[[Any], Any]


def identity(x: Any) -> Any:
    """A token's own index."""
    return x


@dataclass(frozen=True)
class Band:
    """Pairs, and the rotary positions that queries and keys take in them; positions may be fractions.

    Bands of equal parameters have the same maps, so that layers share what is turned by them.
    """

    see: Pairs
    q: PositionMap = identity
    k: PositionMap = identity


@cache
def self_extend(group: int, window: int) -> tuple[Band, ...]:
    """Near keys as they are, far ones in groups (Self-Extend, arXiv:2401.01325; `group` divides `window`)."""
    shift = window - window // group
    return Band(Near(window)), Band(Far(window), lambda i: i // group + shift, lambda j: j // group)


@cache
def rerope(window: int) -> tuple[Band, ...]:
    """No key appears further away than `window` (bojone/rerope)."""
    return Band(Near(window)), Band(Far(window), lambda i: i * 0 + window, lambda j: j * 0)


@cache
def leaky(window: int, rate: float) -> tuple[Band, ...]:
    """Beyond `window`, distances grow `rate` times slower (bojone/rerope, leaky)."""
    return Band(Near(window)), Band(Far(window), lambda i: (i + window * (rate - 1)) / rate, lambda j: j / rate)


@cache
def dca(size: int, cap: int) -> tuple[Band, ...]:
    """Dual chunk attention (arXiv:2402.17463, HKUNLP/ChunkLlama): chunks of `size` tokens, distances up to `cap`."""

    def within(j: Any) -> Any:
        return j % size

    return (
        Band(Chunks(size, 0, 0), within, within),
        Band(Chunks(size, 1, 1), lambda i: (i % size + size).clip(max=cap), within),
        Band(Chunks(size, 2, None), lambda i: i * 0 + min(2 * size - 1, cap), within),
    )


@cache
def streaming(sinks: int, window: int) -> tuple[Band, ...]:
    """Positions are ranks among the keys still seen: sinks, then the window (StreamingLLM, arXiv:2309.17453)."""
    near = Band(Near(window))
    if not sinks:
        return (near,)
    return near, Band(AllOf((Far(window), First(sinks))), lambda i: i.clip(max=sinks + window - 1))
