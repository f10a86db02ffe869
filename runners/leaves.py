"""Several questions about one context, read and answered together: one row each, all over one prefix.

The prefix is in the walk's cache, once; each row has a short tail of its own: its question, and its answer as it grows. Attention
splits into these two bands and merges them by log-sum-exp, as in `attention.py`; the queries of all rows ask the prefix at once, so
that its keys are read once a step, as the weights are (Hydragen, arXiv:2402.05099).

Shapes: B rows, H query heads, K key/value heads, n tokens, R room of a tail, D head dimension.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin

from lceval.runners.attention import fold, join
from lceval.runners.graphs import Graph

LONGEST = 256
"""Tokens of a question that is still answered together with others."""
MOST = 16
"""Rows at once."""


class LeafLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]
    """One layer: the prefix's keys and values, and each row's own."""

    is_sliding = False
    is_croppable = True

    def __init__(self, leaves: Leaves, prefix: tuple[Tensor, Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._leaves, self.prefix = leaves, prefix
        (_, heads, _, d), d_value = prefix[0].shape, prefix[1].shape[-1]
        self.keys = prefix[0].new_zeros(leaves.rows, heads, leaves.room, d)
        self.values = prefix[1].new_zeros(leaves.rows, heads, leaves.room, d_value)
        self.is_initialized = True

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Nothing to do: it was allocated when it was made."""

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Write keys and values [B, K, n, D] at the slots of this pass; returns them as they came."""
        rows, slots = torch.arange(self._leaves.rows, device=key_states.device)[:, None], self._leaves.slots_Bn
        assert self.keys is not None
        assert self.values is not None
        self.keys[rows, :, slots] = key_states.transpose(1, 2)
        self.values[rows, :, slots] = value_states.transpose(1, 2)
        return key_states, value_states

    def get_seq_length(self) -> int:
        """Tokens of the prefix."""
        return self.prefix[0].shape[2]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """(key length, key offset) of a mask."""
        return self.get_seq_length() + query_length, 0

    def get_max_length(self) -> int:
        """Tokens that fit."""
        return self.get_seq_length() + self._leaves.room


class Leaves:
    """The rows that continue one prefix.

    Args:
        held: (keys, values) [1, K, P, D] of the prefix, for each layer.
        rows: how many continuations.
        room: tokens that the longest one may have.
    """

    def __init__(self, held: Sequence[tuple[Tensor, Tensor]], rows: int, room: int) -> None:
        self.rows, self.room = rows, room
        self._prefix = held[0][0].shape[2]
        self._layers = [LeafLayer(self, pair) for pair in held]
        self.cache = Cache(layers=[*self._layers])
        self._ids_B1, self._at_B1 = torch.zeros(2, rows, 1, dtype=torch.int64, device=held[0][0].device)
        self._graph: Graph | None = None

    def read(self, network: Any, ids_Bn: Tensor, begins_B: Tensor) -> Tensor:
        """One pass over the next tokens of every row.

        Args:
            network: the model, its attention being `attention.attend`.
            ids_Bn: tokens; rows may end in padding, which later tokens of the row overwrite.
            begins_B: how many tokens of its own each row has before these.

        Returns:
            [B, n, V] logits in float32.
        """
        self.slots_Bn = begins_B[:, None] + torch.arange(ids_Bn.shape[1], device=ids_Bn.device)
        self._held = int(self.slots_Bn.max()) + 1
        return self._pass(network, ids_Bn)

    def step(self, network: Any, tokens_B: Tensor, at_B: Tensor, *, graph: bool) -> Tensor:
        """One pass over one token of every row.

        Args:
            network: as for `read`.
            tokens_B: the tokens.
            at_B: how many tokens of its own each row has before it.
            graph: capture the first of these steps as a CUDA graph, and replay it.

        Returns:
            [B, V] logits in float32, overwritten by the next step.
        """
        self._ids_B1.copy_(tokens_B[:, None])
        self._at_B1.copy_(at_B[:, None])
        self.slots_Bn, self._held = self._at_B1, self.room
        if not graph:
            return self._pass(network, self._ids_B1)[:, -1]
        if self._graph is None:
            self._graph = Graph(lambda: self._pass(network, self._ids_B1)[:, -1])
        return self._graph()

    def _pass(self, network: Any, ids_Bn: Tensor) -> Tensor:
        out = network(
            input_ids=ids_Bn, position_ids=self._prefix + self.slots_Bn, past_key_values=self.cache, use_cache=True, leaves=self
        )
        logits: Tensor = out.logits.float()
        return logits

    def attend(self, index: int, q_BHnD: Tensor, scaling: float | None) -> Tensor:
        """Attention of this pass's queries [B, n, H, D]."""
        layer = self._layers[index]
        b, h, n, d = q_BHnD.shape
        asked = q_BHnD.transpose(0, 1).reshape(1, h, b * n, d)
        out, lse = fold(asked, *layer.prefix, scaling)
        prefix = out.reshape(h, b, n, -1).transpose(0, 1), lse.reshape(h, b, n).transpose(0, 1)
        return join(self._own(layer, q_BHnD, scaling), prefix).transpose(1, 2)

    def _own(self, layer: LeafLayer, q_BHnD: Tensor, scaling: float | None) -> tuple[Tensor, Tensor]:
        b, h, n, d = q_BHnD.shape
        assert layer.keys is not None
        assert layer.values is not None
        held = self._held
        k, v = layer.keys[:, :, :held], layer.values[:, :, :held]
        grouped = q_BHnD.reshape(b, k.shape[1], -1, d)
        scores = torch.matmul(grouped, k.transpose(2, 3)).float() * (d**-0.5 if scaling is None else scaling)
        scores = scores.reshape(b, h, n, held)
        later = torch.arange(held, device=q_BHnD.device) > self.slots_Bn[:, :, None]
        scores = scores.masked_fill(later[:, None], float("-inf"))
        lse = scores.logsumexp(dim=-1)
        weights = torch.exp(scores - lse[..., None]).to(v.dtype).reshape(b, k.shape[1], -1, held)
        return torch.matmul(weights, v).reshape(b, h, n, -1), lse
