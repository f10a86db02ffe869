"""The KV cache of a walk over a prefix tree.

A walk visits prompts depth first, so all it ever needs is the state along the way from the root to where it stands. For layers
that keep every key and value this is one preallocated slab: going back to a branch point means setting a length, and what lies
beyond it is overwritten. No copy is made, at a fork or at a decoding step, and the memory is that of one prompt.

Layers that cannot go back (recurrent state) are copied at the branch points instead (`CopyState`).

Shapes: B batch, H key/value heads, N tokens, D head dimension.
"""

from __future__ import annotations

import copy
import gc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicCache

if TYPE_CHECKING:
    from lceval.runners.graphs import Steps


class SlabLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]
    """One layer's keys and values in buffers of a fixed capacity.

    Also serves layers with a sliding window: all keys stay, the mask hides those outside the window.
    """

    is_sliding = False
    is_croppable = True

    def __init__(self, capacity: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.capacity = capacity
        self.length = 0

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Allocate on the first update, when shapes, dtype and device are known; zeros, since a weight of 0 times NaN is NaN."""
        (b, h, _, d), d_value = key_states.shape, value_states.shape[-1]
        self.keys = key_states.new_zeros(b, h, self.capacity, d)
        self.values = value_states.new_zeros(b, h, self.capacity, d_value)
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Write new keys and values [B, H, n, D] behind the others; returns all of them as views."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        assert self.keys is not None
        assert self.values is not None
        stop = self.length + key_states.shape[-2]
        assert stop <= self.capacity, f"{stop} tokens in a cache for {self.capacity}"
        self.keys[:, :, self.length : stop] = key_states
        self.values[:, :, self.length : stop] = value_states
        self.length = stop
        return self.keys[:, :, :stop], self.values[:, :, :stop]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """(key length, key offset) of the attention mask for the next `query_length` tokens."""
        return self.length + query_length, 0

    def get_seq_length(self) -> int:
        """Tokens held."""
        return self.length

    def get_max_length(self) -> int:
        """Tokens that fit."""
        return self.capacity

    def keep(self) -> None:
        """Nothing to do: every length is still there."""

    def reachable(self, length: int) -> int:
        """The longest length that it can go back to, at most `length`."""
        return length

    def go_back(self, length: int) -> None:
        """Forget what lies beyond `length`, a reachable one."""
        self.length = length


class WalkLayer(Protocol):
    """A cache layer that can go back to lengths it was told to keep, or to any."""

    def keep(self) -> None:
        """Remember the present length as one to go back to."""
        ...

    def reachable(self, length: int) -> int:
        """The longest length that it can go back to, at most `length`."""
        ...

    def go_back(self, length: int) -> None:
        """Forget what lies beyond `length`, a reachable one."""
        ...


class State(Protocol):
    """A cache that can go back to places it was told to keep."""

    cache: Cache

    def keep(self) -> None:
        """Remember the present length as one to go back to."""
        ...

    def back_to(self, length: int) -> int:
        """Go back to the longest state of at most `length` tokens that is still there; returns its length."""
        ...


class WalkState:
    """Goes back as far as all of its layers can, at no cost."""

    def __init__(self, layers: Sequence[Any], capacity: int) -> None:
        self.capacity = capacity
        self._layers: Sequence[WalkLayer] = layers
        self.cache = Cache(layers=[*layers])
        self.steps: Steps | None = None
        """Decoding steps over these layers, once there are some."""

    def keep(self) -> None:
        """Remember the present length as one to go back to."""
        for layer in self._layers:
            layer.keep()

    def back_to(self, length: int) -> int:
        """Go back to the longest length, at most this, that every layer can go back to; returns it."""
        while (reachable := min(layer.reachable(length) for layer in self._layers)) < length:
            length = reachable
        for layer in self._layers:
            layer.go_back(length)
        return length


class CopyState:
    """Copies the whole cache at branch points; for models with layers that cannot go back."""

    def __init__(self, config: Any) -> None:
        self._empty = DynamicCache(config=config)
        self._kept: list[tuple[int, Cache]] = []
        self.cache: Cache = copy.deepcopy(self._empty)

    def keep(self) -> None:
        """Copy the present state."""
        self._kept.append((self.cache.get_seq_length(), copy.deepcopy(self.cache)))

    def back_to(self, length: int) -> int:
        """Go back to the longest copy of at most `length` tokens; longer ones are dropped."""
        while self._kept and self._kept[-1][0] > length:
            self._kept.pop()
        if not self._kept:
            self.cache = copy.deepcopy(self._empty)
            return 0
        kept, cache = self._kept[-1]
        self.cache = copy.deepcopy(cache)
        return kept


def fits_slab(config: Any) -> bool:
    """Whether every layer of a model keeps plain keys and values, so that it can go back by length."""
    layer_types = getattr(config, "layer_types", None)
    plain = {"full_attention", "sliding_attention"}
    if layer_types is not None:
        return set(layer_types) <= plain
    layers = DynamicCache(config=config).layers
    return all(type(layer).__name__ in ("DynamicLayer", "DynamicSlidingWindowLayer") for layer in layers)


def release(device: torch.device) -> None:
    """Give memory that nothing uses back to the device; caches and their layers hold each other until they are collected."""
    if device.type == "cuda":
        gc.collect()
        torch.cuda.empty_cache()
