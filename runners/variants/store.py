"""How precisely keys and values are kept: `kv(bits, group, recent)`.

    query i sees key j quantized, if j < boundary(i) = max(0, ⌊(i + 1 − recent) / group⌋ · group), else exact

A function of i and j alone, so chunks and forks change nothing. Keys are quantized before rotation, by channel over `group` tokens
(KIVI, arXiv:2402.02750, whose layout suits un-rotated keys better still: KVQuant, arXiv:2401.18079); values by token over `group`
channels. A group of tokens is quantized once; what no later query sees exact is held packed only.

Shapes: B batch, K key/value heads, N tokens, D head dimension, G groups of tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from lceval.runners.cache import SlabLayer
from lceval.runners.variants.attend import Source
from lceval.runners.variants.held import BITS, packed_tokens
from lceval.runners.variants.pairs import Bools, Ints, PositionMap
from lceval.runners.variants.spec import Atom

PIECE = 4096
"""Tokens that are unpacked at once: beside the result, only so many are held in float32."""

Turn = Callable[[Tensor, PositionMap, int], Tensor]
"""(keys [B, K, N, D] as projected, map, index of the first) -> keys rotated by the map of their indices."""
Tail = tuple[Tensor, Tensor]
"""Keys, as projected, and values [B, K, N, D] of the latest tokens."""


@dataclass(frozen=True)
class Packed:
    """Pairs of which the query sees the key quantized."""

    group: int
    recent: int

    def __call__(self, i: Tensor, j: Tensor) -> Tensor:  # noqa: D102
        return j < (i + 1 - self.recent) // self.group * self.group

    def some(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return j0 < (i1 + 1 - self.recent) // self.group * self.group

    def every(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return j1 < (i0 + 1 - self.recent) // self.group * self.group

    def by(self, length: int) -> int:
        """Keys that the last of `length` tokens sees quantized: so many are kept packed."""
        return packed_tokens(length, self.group, self.recent)


@dataclass(frozen=True)
class Exact:
    """The other pairs."""

    packed: Packed

    def __call__(self, i: Tensor, j: Tensor) -> Tensor:  # noqa: D102
        return ~self.packed(i, j)

    def some(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return ~self.packed.every(i0, i1, j0, j1)

    def every(self, i0: Ints, i1: Ints, j0: Ints, j1: Ints) -> Bools:  # noqa: D102
        return ~self.packed.some(i0, i1, j0, j1)


class Codec(Protocol):
    """How numbers are written in fewer bits."""

    def encode(self, x: Tensor, dim: int) -> tuple[Tensor, ...]:
        """Numbers that share scales lie along `dim`; the parts have as many dimensions."""
        ...

    def decode(self, *parts: Tensor) -> Tensor:
        """What `encode` was given, nearly, in float32."""
        ...


@dataclass(frozen=True)
class Integers:
    """x ≈ low + scale · n for n of 0 to 2^bits - 1; off by at most scale / 2, as the scale is rounded up."""

    bits: int

    def encode(self, x: Tensor, dim: int) -> tuple[Tensor, ...]:  # noqa: D102
        top = 2**self.bits - 1
        low, high = (edge.float() for edge in x.aminmax(dim=dim, keepdim=True))
        scale = _at_least(high / top - low / top, x.dtype)
        numbers = ((x.float() - low) / _or_one(scale)).round_().clamp_(0, top)
        return pack(numbers.to(torch.uint8), self.bits), scale, low.to(x.dtype)

    def decode(self, *parts: Tensor) -> Tensor:  # noqa: D102
        packed, scale, low = parts
        return unpack(packed, self.bits).float().mul_(scale).add_(low)


@dataclass(frozen=True)
class Float8:
    """x ≈ scale · f for f in float8 e4m3, whose greatest is the greatest absolute number of the group."""

    def encode(self, x: Tensor, dim: int) -> tuple[Tensor, ...]:  # noqa: D102
        scale = _at_least(x.float().abs().amax(dim=dim, keepdim=True) / torch.finfo(torch.float8_e4m3fn).max, x.dtype)
        return (x.float() / _or_one(scale)).to(torch.float8_e4m3fn), scale

    def decode(self, *parts: Tensor) -> Tensor:  # noqa: D102
        numbers, scale = parts
        return numbers.float().mul_(scale)


@dataclass(frozen=True)
class BFloat16:
    """The nearest bfloat16."""

    def encode(self, x: Tensor, dim: int) -> tuple[Tensor, ...]:  # noqa: D102
        return (x.bfloat16(),)

    def decode(self, *parts: Tensor) -> Tensor:  # noqa: D102
        return parts[0].float()


CODECS: dict[str, Codec] = {
    **{name: Integers(BITS[name]) for name in ("int8", "int4", "int2")},
    "fp8": Float8(),
    "bf16": BFloat16(),
}


def _at_least(x: Tensor, dtype: torch.dtype) -> Tensor:
    """The least number of a dtype that is no less than x >= 0; as integers, the bits of such numbers have the same order."""
    near = x.to(dtype)
    bits: torch.dtype = getattr(torch, f"int{8 * dtype.itemsize}")
    return (near.view(bits) + (near.float() < x)).view(dtype)


def _or_one(scale: Tensor) -> Tensor:
    """A scale to divide by; groups of equal numbers have 0."""
    return torch.where(scale == 0, 1, scale).float()


def pack(numbers: Tensor, bits: int) -> Tensor:
    """Numbers of so many bits, as uint8, several a byte: those of the first part of the last dimension get the lowest bits."""
    parts = numbers.chunk(8 // bits, dim=-1)
    packed = parts[0].clone()
    for at, part in enumerate(parts[1:], start=1):
        packed |= part << (bits * at)
    return packed


def unpack(packed: Tensor, bits: int) -> Tensor:
    """The inverse of `pack`."""
    return torch.cat([packed >> (bits * at) & (2**bits - 1) for at in range(8 // bits)], dim=-1)


class Slab:
    """Encoded keys or values in buffers of a fixed capacity.

    Args:
        codec: how they are encoded.
        group: numbers that share scales.
        along: whether these are of one channel and subsequent tokens, or of one token and neighbouring channels.
        like: what shape (but N), dtype and device they have.
        capacity: tokens that fit, a multiple of `group`.
    """

    def __init__(self, codec: Codec, group: int, along: Literal["tokens", "channels"], like: Tensor, capacity: int) -> None:
        self._codec, self._group, self._dtype = codec, group, like.dtype
        self._dim, self._row = (-2, like.shape[-1]) if along == "tokens" else (-1, group)
        b, k, _, d = like.shape
        self._shape = b, k, d
        one = self._encoded(like.new_zeros(b, k, group, d))
        self.parts = [part.new_empty(b, k, capacity // group, *part.shape[3:]) for part in one]

    def write(self, x_BKND: Tensor, first: int) -> None:
        """Encode whole groups of tokens; `first` is a multiple of `group`."""
        g0 = first // self._group
        for part, new in zip(self.parts, self._encoded(x_BKND), strict=True):
            part[:, :, g0 : g0 + new.shape[2]] = new

    def read(self, lo: int, hi: int) -> Tensor:
        """Tokens lo..hi, multiples of `group`, decoded [B, K, hi - lo, D]."""
        b, k, d = self._shape
        x = self._codec.decode(*(part[:, :, lo // self._group : hi // self._group] for part in self.parts))
        return x.reshape(b, k, hi - lo, d).to(self._dtype)

    def _encoded(self, x_BKND: Tensor) -> tuple[Tensor, ...]:
        b, k, n, _ = x_BKND.shape
        return self._codec.encode(x_BKND.reshape(b, k, n // self._group, -1, self._row), self._dim)


class PackedLayer(SlabLayer):  # type: ignore[no-untyped-call]
    """One layer's keys, as projected, and values: packed, but for a tail of fewer than `recent` + `group` tokens.

    It can go back to any kept length: the packed part is cut, the tail was remembered.

    Args:
        turn: rotates keys of this layer.
        atom: the atom `kv`.
        capacity: tokens that fit.
    """

    def __init__(self, turn: Turn, atom: Atom, capacity: int) -> None:
        super().__init__(capacity)
        self._turn, self._codec = turn, CODECS[str(atom["bits"])]
        self._packed = Packed(int(atom["group"]), int(atom["recent"]))

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Allocate on the first update, when shapes, dtype and device are known."""
        group, room = self._packed.group, self._packed.by(self.capacity)
        self._slabs = (
            Slab(self._codec, group, "tokens", key_states, room),
            Slab(self._codec, group, "channels", value_states, room),
        )
        self._tail: Tail = key_states[:, :, :0].clone(), value_states[:, :, :0].clone()
        self._kept: dict[int, Tail] = {0: self._tail}
        self._begun = 0, self._tail
        self.is_initialized = True

    @property
    def nbytes(self) -> int:
        """Bytes of all that it holds."""
        tails = {id(tensor): tensor for _, tail in self._tails() for tensor in tail}
        return sum(tensor.nbytes for tensor in (*self._slabs[0].parts, *self._slabs[1].parts, *tails.values()))

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> Tail:
        """Take new keys, as projected, and values [B, K, n, D]; those complete groups are packed that the last one sees packed."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        first, stop = self.length, self.length + key_states.shape[-2]
        assert stop <= self.capacity, f"{stop} tokens in a cache for {self.capacity}"
        self._begun = first, self._tail
        keys, values = self._tail
        self._tail = torch.cat((keys, key_states), dim=2), torch.cat((values, value_states), dim=2)
        lo, hi = self._packed.by(first), self._packed.by(stop)
        if lo < hi:
            for slab, exact in zip(self._slabs, self._tail, strict=True):
                slab.write(exact[:, :, : hi - lo], lo)
        self.length = stop
        return key_states, value_states

    def sources(self) -> list[Source]:
        """The packed keys and values, decoded for this pass only, and the exact ones of all that a query of it sees exact."""
        count, (keys, values) = self._packed.by(self.length), self._tail
        first = self.length - keys.shape[2]
        turned = self._rotated(lambda lo, hi: keys[:, :, lo:hi], first, keys.shape[2])
        exact = Source(turned, values, first, see=Exact(self._packed))
        if not count:
            return [exact]
        packed_keys, packed_values = self._slabs
        decoded = self._whole(packed_values.read, count)
        return [Source(self._rotated(packed_keys.read, 0, count), decoded, see=self._packed), exact]

    def attended(self, *_: Any) -> None:
        """After attention, drop what no later query sees exact."""
        keys, values = self._tail
        excess = keys.shape[2] - (self.length - self._packed.by(self.length))
        if excess:
            self._tail = keys[:, :, excess:].clone(), values[:, :, excess:].clone()

    def keep(self) -> None:
        """Remember the tail."""
        if self.length:
            self._kept[self.length] = self._tail

    def reachable(self, length: int) -> int:
        """The longest length, at most `length`, whose tail is remembered, or begins one that is."""
        if length >= self.length:
            return self.length
        return max(held if held <= length else length if self._begins(length, held) else 0 for held, _ in self._tails())

    def go_back(self, length: int) -> None:
        """Forget what lies beyond `length`, a reachable one."""
        if length < self.length:
            held, (keys, values) = next(
                (held, tail) for held, tail in self._tails() if held >= length and self._begins(length, held)
            )
            lo, hi = (n - held + keys.shape[2] for n in (self._packed.by(length), length))
            self._tail = keys[:, :, lo:hi], values[:, :, lo:hi]
            self._kept = {held: tail for held, tail in self._kept.items() if held <= length}
            self._begun = length, self._tail
            self.length = length

    def _begins(self, length: int, held: int) -> bool:
        """Whether the tail at `held` tokens begins with the one at fewer."""
        return self._packed.by(length) == self._packed.by(held)

    def _tails(self) -> Iterator[tuple[int, Tail]]:
        """The tails that it could go back to: kept ones, that before the last pass, which may have failed, and the present one."""
        yield from self._kept.items()
        yield self._begun
        yield self.length, self._tail

    def _rotated(self, keys: Callable[[int, int], Tensor], first: int, count: int) -> Callable[[PositionMap, int, int], Tensor]:
        """`Source.turned` of keys, rotated once for each map."""

        @cache
        def whole(move: PositionMap) -> Tensor:
            return self._whole(lambda lo, hi: self._turn(keys(lo, hi), move, first + lo), count)

        return lambda move, lo, hi: whole(move)[:, :, lo:hi]

    def _whole(self, read: Callable[[int, int], Tensor], count: int) -> Tensor:
        """Tokens 0..count, read a few groups at a time."""
        step = max(PIECE // self._packed.group, 1) * self._packed.group
        pieces = [read(lo, min(lo + step, count)) for lo in range(0, count, step)]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=2)
