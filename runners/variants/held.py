"""What a layer sees and holds of a context under a variant: which keys, and how many bytes. Free of torch.

`itemsize` is the bytes of a number in the cache: 2 of bfloat16.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lceval.errors import ModelError, UsageError
from lceval.runners.variants.pairs import CAUSAL, AllOf, AnyOf, At, Dilate, First, Near, Pairs, Random, Segment, Stride
from lceval.runners.variants.spec import Atom, positions

BITS = {"int8": 8, "int4": 4, "int2": 2, "fp8": 8, "bf16": 16}
"""Of one number, by the name of its codec (`store.py`)."""
SCALES = {"int8": 2, "int4": 2, "int2": 2, "fp8": 1, "bf16": 0}
"""Numbers of the model's dtype that are kept beside those of a group."""
COUNTED = 1 << 20
"""Keys that are looked at one by one."""
_FOREVER = 1 << 40
_BLOCK = 256


@dataclass(frozen=True)
class Attention:
    """What one attention module does."""

    rotates: bool
    window: int | None
    kind: str | None
    """What its rotary module wants to know of it: the type of the layer, in models whose types rotate differently."""
    heads: int
    """Key/value heads."""
    head_dim: int
    size: int
    """Numbers that it puts into a cache for each token."""


@dataclass(frozen=True)
class Alike:
    """Layers that a variant makes the same of."""

    layers: tuple[int, ...]
    attention: Attention
    atoms: tuple[Atom, ...]


def in_scope(atom: Atom, index: int, kinds: Sequence[str]) -> bool:
    """Whether an atom is for a layer.

    Args:
        atom: the atom.
        index: the layer's number.
        kinds: what each of the model's layers is, `full` or `sliding`.

    Raises:
        UsageError: its scope names layers that the model does not have.
    """
    scope = atom.layers
    if not scope:
        return True
    if scope in ("full", "sliding"):
        if scope not in kinds:
            has = "with a sliding window" if scope == "sliding" else "without a window"
            raise UsageError(f"variant {atom}: this model has no layers {has}. Leave @{scope} out, or name layers such as @0-3.")
        return kinds[index] == scope
    if scope.startswith("every"):
        return index % int(scope.removeprefix("every")) == 0
    bounds = [(int(low), int(high or low)) for low, _, high in (item.partition("-") for item in scope.split(","))]
    if max(high for _, high in bounds) >= len(kinds):
        raise UsageError(f"variant {atom}: @{scope}, but this model's {len(kinds)} layers are 0 to {len(kinds) - 1}.")
    return any(low <= index <= high for low, high in bounds)


def sight(atoms: Iterable[Atom]) -> list[Pairs]:
    """The union of the static sight atoms, as a list of at most one set."""
    made: list[Pairs] = []
    for atom in atoms:
        match atom.name:
            case "window":
                made.append(Near(int(atom["W"])))
            case "sinks":
                made.append(First(int(atom["S"])))
            case "global":
                made.append(At(positions(str(atom["at"]))))
            case "stride":
                made.append(Stride(int(atom["s"])))
            case "dilate":
                made.append(Dilate(int(atom["r"])))
            case "random":
                made.append(Random(float(atom["p"]), int(atom["seed"])))
            case "segment":
                made.append(Segment(int(atom["L"]), int(atom["M"])))
    return [AnyOf(tuple(made))] if made else []


def bytes_per_token(heads: int, head_dim: int, bits: str, group: int, itemsize: int = 2) -> float:
    """What one layer keeps of a token's key and value, with their scales; the exact tail comes on top.

    Args:
        heads: key/value heads.
        head_dim: numbers of one head's key, and of its value.
        bits: a codec's name.
        group: numbers that share scales.
        itemsize: bytes of the model's dtype.
    """
    return 2 * heads * head_dim * (BITS[bits] / 8 + SCALES[bits] * itemsize / group)


def check_fits(atom: Atom, head_dim: int, model_type: str) -> None:
    """Refuse groups that a model's heads do not consist of.

    Raises:
        ModelError: `group` does not divide the head dimension.
    """
    group = int(atom["group"])
    if SCALES[str(atom["bits"])] and head_dim % group:
        fit = [n for n in range(8, head_dim + 1, 8) if head_dim % n == 0]
        raise ModelError(
            f"variant {atom}: values are quantized in groups of group={group} channels, but the heads of this model ({model_type}) "
            f"have {head_dim}; take a group that divides {head_dim}, such as {' or '.join(map(str, fit or [head_dim]))}."
        )


def packed_tokens(length: int, group: int, recent: int) -> int:
    """Keys that the last of `length` tokens sees quantized: so many are kept packed."""
    return max(0, (length - recent) // group * group)


def own_bytes(group: Alike, length: int, itemsize: int = 2) -> float:
    """What a layer of the model as it is needs to hold of `length` tokens."""
    return itemsize * group.attention.size * min(length, group.attention.window or length)


def variant_bytes(group: Alike, length: int, itemsize: int = 2) -> float:
    """What a layer needs to hold of `length` tokens."""
    held = alive(group, length)
    for atom in group.atoms:
        if atom.kind.group == "keep":
            held = min(held, int(atom["b"]) + (int(atom["every"]) if atom.name in ("h2o", "tova") else 0))
    exact = itemsize * group.attention.size
    for atom in group.atoms:
        if atom.kind.group == "store":
            size, attention = int(atom["group"]), group.attention
            packed = bytes_per_token(attention.heads, attention.head_dim, str(atom["bits"]), size, itemsize)
            tail = min(held, length - packed_tokens(length, size, int(atom["recent"]))) if length > 1 else 0
            return packed * (held - tail) + exact * tail
    return exact * held


def alive(group: Alike, length: int) -> int:
    """How many of `length` keys the last query or a later one may see; beyond `COUNTED` keys, at the rate of the ones before."""
    if not sight(group.atoms):
        return min(length, group.attention.window or length)
    if length > COUNTED:
        known, half = alive(group, COUNTED), alive(group, COUNTED // 2)
        return known + round((known - half) * (length - COUNTED) / (COUNTED - COUNTED // 2))
    return _count(seen(group), length - 1, _FOREVER, length)


def visible(group: Alike, query: int) -> int:
    """How many keys a query sees, its own among them; sight by content counts as all, as it is computed under a mask."""
    if not sight(group.atoms):
        return min(query + 1, group.attention.window or query + 1)
    return _count(seen(group), query, query, query + 1)


def _count(pairs: Pairs, first: int, last: int, keys: int) -> int:
    """How many of the first keys some query of first..last sees; one by one only in blocks of which it sees a part."""
    i0, i1, j0 = np.array([first]), np.array([last]), np.arange(0, keys, _BLOCK)
    j1 = np.minimum(j0 + _BLOCK, keys) - 1
    whole = np.broadcast_to(pairs.every(i1, i1, j0, j1) | pairs.every(i0, i0, j0, j1), j0.shape)
    part = np.broadcast_to(pairs.some(i0, i1, j0, j1), j0.shape) & ~whole
    j = (j0[part][:, None] + np.arange(_BLOCK)).ravel()
    j = j[j < keys]
    return int((j1 - j0 + 1)[whole].sum()) + int(np.broadcast_to(pairs.some(i0, i1, j, j), j.shape).sum())


def seen(group: Alike) -> Pairs:
    """The pairs (query, key) that a layer's own window and its variant leave."""
    native: list[Pairs] = [Near(group.attention.window)] if group.attention.window else []
    return AllOf((CAUSAL, *native, *sight(group.atoms)))
