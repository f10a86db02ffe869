"""Bands on GPUs: runs of keys that all queries of a chunk see by a flash kernel, the others by a compiled `flex_attention`.

The block mask is built from the band's structure; the parts merge by log-sum-exp.

A mask of all pairs is never made, not even to find the blocks: 131,072 tokens have 17 billion pairs. Whether some or every pair
of a block is seen follows from the block's corners (`pairs.py`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.attention.flex_attention import AuxRequest, BlockMask, flex_attention

from lceval.runners.attention import fold, has_flash
from lceval.runners.variants.attend import Layer, Source, merge, nothing_seen, runs, turn_queries
from lceval.runners.variants.pairs import AllOf, Pairs

BLOCK = 128
LONG_RUN = 1024
"""So many keys that all queries see are worth a kernel of their own."""
KINDS = 128
"""Masks of different structure in one process, beyond which compiling is an error."""
_KEPT = 32
"""Block masks that are kept: those of a forward pass serve all of its layers."""


class _Offsets:
    """The mask of a set of pairs for queries and keys that begin anywhere.

    One function serves every chunk, its offsets being tensors: a new function for each would be compiled anew.
    """

    def __init__(self, see: Pairs, device: torch.device) -> None:
        self._see = see
        self._first = torch.zeros((), dtype=torch.int64, device=device)
        self._key_first = torch.zeros((), dtype=torch.int64, device=device)

    def at(self, first: int, key_first: int) -> Callable[..., Tensor]:
        """The mask function, for queries from `first` on and keys from `key_first` on."""
        self._first.fill_(first)
        self._key_first.fill_(key_first)
        return self._mask

    def _mask(self, b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
        return self._see(i + self._first, j + self._key_first)


class Flex:
    """Attention over bands by `flex_attention`; compiled on GPUs.

    Args:
        device: where the model is.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._attend: Any = flex_attention
        if device.type == "cuda":
            # Each kind of mask is compiled once. Past its limit, torch would go on with all scores at once in memory.
            torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, KINDS)
            self._attend = torch.compile(flex_attention, dynamic=True, fullgraph=True)
        self._offsets: dict[Pairs, _Offsets] = {}
        self._blocks: OrderedDict[tuple[Pairs, int, int, int, int], BlockMask | None] = OrderedDict()

    def __call__(self, q_BHQD: Tensor, first: int, sources: Sequence[Source], layer: Layer, scaling: float) -> Tensor:
        """As `attend.reference`, for plain layers and ordered keys."""
        return self.partial(q_BHQD, first, sources, layer, scaling)[0].to(q_BHQD.dtype)

    def partial(self, q_BHQD: Tensor, first: int, sources: Sequence[Source], layer: Layer, scaling: float) -> tuple[Tensor, Tensor]:
        """As `attend.partial_by_runs`."""
        merged: tuple[Tensor, Tensor] | None = None
        least = LONG_RUN if has_flash(q_BHQD) else None
        for band in layer.bands:
            for source in sources:
                q = turn_queries(q_BHQD, layer, band, first, source.shift)
                see = AllOf((band.see, source.see)) if source.see else band.see
                for lo, hi, whole in pieces(see, first, q.shape[2], source.first, len(source), least):
                    k, v = source.turned(band.k, lo, hi), source.v_BKND[:, :, lo:hi]
                    part = fold(q, k, v, scaling) if whole else self._part(q, first, see, k, v, source.first + lo, scaling)
                    if part is not None:
                        merged = part if merged is None else merge(merged, part)
        return merged or nothing_seen(q_BHQD)

    def _part(
        self, q: Tensor, first: int, see: Pairs, k: Tensor, v: Tensor, key_first: int, scaling: float
    ) -> tuple[Tensor, Tensor] | None:
        blocks = self._mask(see, first, q.shape[2], key_first, k.shape[2])
        if blocks is None:
            return None
        blocks.mask_mod = self._offsets[see].at(first, key_first)
        out, aux = self._attend(q, k, v, block_mask=blocks, scale=scaling, enable_gqa=True, return_aux=AuxRequest(lse=True))
        return out, aux.lse

    def _mask(self, see: Pairs, first: int, rows: int, key_first: int, keys: int) -> BlockMask | None:
        key = (see, first, rows, key_first, keys)
        if key not in self._blocks:
            offsets = self._offsets.setdefault(see, _Offsets(see, self._device))
            self._blocks[key] = block_mask(see, first, rows, key_first, keys, offsets.at(first, key_first), self._device)
            while len(self._blocks) > _KEPT:
                self._blocks.popitem(last=False)
        return self._blocks[key]


def pieces(see: Pairs, first: int, rows: int, key_first: int, keys: int, least: int | None) -> list[tuple[int, int, bool]]:
    """As `attend.runs`, but runs shorter than `least` (None: all) are one piece with their neighbours and the gaps between them."""
    found: list[tuple[int, int, bool]] = []
    for lo, hi, whole in runs(see, first, rows, key_first, keys):
        if whole and least and hi - lo >= least:
            found.append((lo, hi, True))
        elif found and not found[-1][2]:
            found[-1] = (found[-1][0], hi, False)
        else:
            found.append((lo, hi, False))
    return found


def block_mask(
    see: Pairs, first: int, rows: int, key_first: int, keys: int, mask: Callable[..., Tensor], device: torch.device
) -> BlockMask | None:
    """The block mask of a set of pairs; None if no query sees a key.

    Args:
        see: the pairs.
        first: token index of the first query.
        rows: queries.
        key_first: token index of the first key.
        keys: keys.
        mask: the mask function of `flex_attention`, for pairs of blocks that are seen in part.
        device: where it is needed.
    """
    some, every = (torch.from_numpy(part) for part in seen_blocks(see, first, rows, key_first, keys))
    if not some.any():
        return None
    part = some & ~every
    numbers = [
        (kind.sum(dim=1, dtype=torch.int32), kind.int().argsort(dim=1, descending=True, stable=True).int())
        for kind in (part, every)
    ]
    (part_count, part_index), (full_count, full_index) = ((n[None, None].to(device), i[None, None].to(device)) for n, i in numbers)
    return BlockMask.from_kv_blocks(
        part_count,
        part_index,
        full_count,
        full_index,
        BLOCK_SIZE=BLOCK,
        mask_mod=mask,
        seq_lengths=(rows, keys),
        compute_q_blocks=False,
    )


def seen_blocks(see: Pairs, first: int, rows: int, key_first: int, keys: int) -> tuple[Any, Any]:
    """Which blocks are seen in some, and which in every pair: two arrays [query blocks, key blocks]."""
    i0, j0 = (np.arange(0, count, BLOCK, dtype=np.int64) for count in (rows, keys))
    i1, j1 = np.minimum(i0 + BLOCK, rows) - 1, np.minimum(j0 + BLOCK, keys) - 1
    corners = (i0[:, None] + first, i1[:, None] + first, j0[None] + key_first, j1[None] + key_first)
    shape = len(i0), len(j0)
    some = np.array(np.broadcast_to(see.some(*corners), shape))
    return some, some & see.every(*corners)
