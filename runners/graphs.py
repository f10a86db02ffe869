"""Decoding steps as CUDA graphs: one launch a token, where eager PyTorch makes hundreds.

A graph does the same work on the same memory every time, so what changes from step to step lies in tensors: the token, where it
stands, and thereby which keys of the walk's slabs are there yet. A graph attends to a fixed number of slots, those beyond the
token masked; there is one for every power of two, so that short prompts do not pay for long ones.

Shapes: H query heads, K key/value heads, G = H / K, N slots, D head dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin

from lceval.runners.cache import SlabLayer

SMALLEST = 1024
"""Slots of the smallest graph."""


class Graph:
    """A computation on fixed memory, captured the first time.

    Args:
        work: the computation; it gives the same tensor's place each time, and its inputs lie in tensors that stay where they are.
    """

    def __init__(self, work: Callable[[], Tensor]) -> None:
        aside: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):  # libraries set themselves up in the first passes, which no graph may hold
            for _ in range(2):
                work()
        torch.cuda.current_stream().wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._result = work()

    def __call__(self) -> Tensor:
        """The result, which the next call overwrites."""
        self._graph.replay()
        return self._result


class _StepLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]
    """A slab that is written where a tensor says."""

    is_sliding = False
    is_croppable = False

    def __init__(self, slab: SlabLayer, at: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._slab, self._at = slab, at
        self.keys, self.values = slab.keys, slab.values
        self.is_initialized = True

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Nothing to do: the slab is there."""

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Write one token's keys and values; returns them as they came."""
        assert self.keys is not None
        assert self.values is not None
        self.keys.index_copy_(2, self._at, key_states)
        self.values.index_copy_(2, self._at, value_states)
        return key_states, value_states

    def get_seq_length(self) -> int:
        """Tokens held when the graphs were begun; steps know their places themselves."""
        return self._slab.length

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """(key length, key offset) of a mask."""
        return self._slab.capacity, 0

    def get_max_length(self) -> int:
        """Tokens that fit."""
        return self._slab.capacity


class Steps:
    """Decoding steps over the slabs of a walk.

    Args:
        network: the model, its attention being `attention.attend`.
        layers: the slabs, already allocated.
        extra: more arguments of the model's forward pass.
    """

    def __init__(self, network: Any, layers: Sequence[SlabLayer], extra: dict[str, Any]) -> None:
        self._network, self._slabs, self._extra = network, layers, extra
        device = network.device
        self._id = torch.zeros(1, 1, dtype=torch.int64, device=device)
        self._at = torch.zeros(1, dtype=torch.int64, device=device)
        self._cache = Cache(layers=[_StepLayer(slab, self._at) for slab in layers])
        self._graphs: dict[int, Graph] = {}
        self._slots = 0

    @torch.inference_mode()
    def __call__(self, token: int, position: int, longest: int) -> Tensor:
        """Logits [V] in float32 behind a token, which are overwritten by the next step.

        Args:
            token: the last token so far.
            position: where it stands.
            longest: how far this prompt and its answer may reach.
        """
        self._id.fill_(token)
        self._at.fill_(position)
        self._slots = min(max(SMALLEST, 1 << (longest - 1).bit_length()), self._slabs[0].capacity)
        if self._id.device.type != "cuda":
            return self._step()
        if self._slots not in self._graphs:
            self._graphs[self._slots] = Graph(self._step)
        return self._graphs[self._slots]()

    def _step(self) -> Tensor:
        out = self._network(
            input_ids=self._id, position_ids=self._at[None], past_key_values=self._cache, use_cache=True, leaves=self, **self._extra
        )
        logits: Tensor = out.logits[0, -1].float()
        return logits

    def attend(self, index: int, q_BHQD: Tensor, scaling: float | None) -> Tensor:
        """Attention of the one query [1, H, 1, D] to the slots up to its own; [1, 1, H, D]."""
        slab = self._slabs[index]
        assert slab.keys is not None
        assert slab.values is not None
        k, v = slab.keys[:, :, : self._slots], slab.values[:, :, : self._slots]
        _, h, _, d = q_BHQD.shape
        grouped = q_BHQD.reshape(1, k.shape[1], -1, d)
        scores = torch.matmul(grouped, k.transpose(2, 3)).float() * (d**-0.5 if scaling is None else scaling)
        later = torch.arange(self._slots, device=k.device) > self._at
        weights = scores.masked_fill(later, float("-inf")).softmax(dim=-1).to(v.dtype)
        out = torch.matmul(weights, v)
        return out.reshape(1, 1, h, -1)
