"""Attention over bands: the one primitive of every variant.

    out_i = merge over sources s and bands b of  softmax(scale_i · R(f_b(i)) q_i · R(g_b(j)) k_j) v_j   for j seen in b

A source is a set of keys and values: what the cache holds, its quantized and its exact part, another rank's. Parts merge by
log-sum-exp, which is exact (arXiv:2205.14135). `reference` is the definition, in chunks of rows; `by_runs` skips what nobody sees
and uses the flash kernel; `flex` (in `flex.py`) does the same on GPUs. All three take the same arguments. A query that sees nothing
gives 0.

Shapes: B batch, H query heads, K key/value heads, G = H / K, Q queries, N keys, D head dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from lceval.runners.variants.pairs import CAUSAL, AllOf, Band, Pairs, PositionMap

if TYPE_CHECKING:
    from lceval.runners.variants.select import Select

ROWS = 512
"""Queries whose scores are held at once."""
BLOCK = 64
"""Keys that are skipped, or seen whole, together."""
EVERY = slice(None)

Choose = Callable[[int, Tensor], Tensor]
"""(index of the first query, scores [B, H, Q, N] of keys 0, 1, …) -> whether each key is seen."""


class Rotation:
    """A model's own rotary embedding at any positions, fractional ones too.

    Args:
        rotary: the model's rotary module.
        apply: its modeling file's `apply_rotary_pos_emb`.
        layer_type: what `rotary` wants to know of a layer; None if nothing.
    """

    def __init__(self, rotary: Any, apply: Callable[..., tuple[Tensor, Tensor]], layer_type: str | None = None) -> None:
        self._rotary, self._apply = rotary, apply
        self._extra = () if layer_type is None else (layer_type,)
        self._tables: dict[tuple[PositionMap, torch.dtype, torch.device], tuple[Tensor, Tensor]] = {}

    def along(self, x_BHND: Tensor, move: PositionMap, first: int) -> Tensor:
        """Rotate tokens `first`, `first + 1`, … by `move` of their indices."""
        stop = first + x_BHND.shape[2]
        key = (move, x_BHND.dtype, x_BHND.device)
        table = self._tables.get(key)
        if table is None or table[0].shape[1] < stop:
            size = max(1024, 1 << (stop - 1).bit_length())
            table = self._tables[key] = self._table(x_BHND, move(torch.arange(size, device=x_BHND.device))[None])
        return self._turn(x_BHND, table[0][:, first:stop], table[1][:, first:stop])

    def at(self, x_BHND: Tensor, positions_BHN: Tensor) -> Tensor:
        """Rotate every head's tokens by positions of their own."""
        b, h, n, d = x_BHND.shape
        one = x_BHND.reshape(b * h, 1, n, d)
        return self._turn(one, *self._table(one, positions_BHN.expand(b, h, n).reshape(b * h, n))).reshape(b, h, n, d)

    def _table(self, x: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
        cos, sin = self._rotary(x, positions, *self._extra)
        return cos, sin

    def _turn(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        return self._apply(x, x[:, :0], cos, sin)[0]


@dataclass
class Source:
    """Keys and values that queries may see.

    Of keys that stand in the order of their tokens, `first` is the index of the first; keys of other orders, or of others for each
    head, have an `index`.
    """

    turned: Callable[[PositionMap, int, int], Tensor]
    """(map, lo, hi) -> the keys lo..hi of the source, [B, K, hi - lo, D], rotated by the map of their token indices."""
    v_BKND: Tensor
    first: int = 0
    index_BKN: Tensor | None = None
    see: Pairs | None = None
    """Pairs that this source is for; None: all."""
    shift: int = 0
    """So many positions before their own token do queries of these keys stand: what was evicted no longer counts."""

    def __len__(self) -> int:
        return self.v_BKND.shape[2]


@dataclass(frozen=True)
class Layer:
    """How one layer attends."""

    bands: tuple[Band, ...]
    """With causality, sight and the model's own window in their pairs."""
    rotation: Rotation | None
    """None: this layer has no positions."""
    scale: Callable[[Tensor], Tensor] | None = None
    """Query indices [Q] -> what their scores are multiplied by [Q]."""
    slopes: bool = False
    """ALiBi."""
    softcap: float | None = None
    """Scores become softcap · tanh(score / softcap)."""
    sinks_H: Tensor | None = None
    """Learned logits that take part in the softmax and stand for no key."""
    select: Select | None = None
    """Content-based sight: what a forward pass's queries see besides `beside`."""
    beside: Pairs | None = None
    """Static sight where there is sight by content too; else it is in the bands."""

    @property
    def plain(self) -> bool:
        """Whether softmax(scores) is all there is, so that kernels can do it, unless keys are chosen by content."""
        return not self.slopes and self.softcap is None and self.sinks_H is None


def turn_queries(q_BHQD: Tensor, layer: Layer, band: Band, first: int, shift: int = 0) -> Tensor:
    """Queries at tokens `first`, … as a band rotates them, `shift` positions earlier, and the layer scales them."""
    if layer.rotation is not None:
        q_BHQD = layer.rotation.along(q_BHQD, band.q, first - shift)
    if layer.scale is not None:
        scale = layer.scale(torch.arange(first, first + q_BHQD.shape[2], device=q_BHQD.device))
        q_BHQD = q_BHQD * scale[:, None].to(q_BHQD.dtype)
    return q_BHQD


def reference(
    q_BHQD: Tensor,
    first: int,
    sources: Sequence[Source],
    layer: Layer,
    scaling: float,
    weigh: Callable[[Sequence[Tensor]], None] | None = None,
    choose: Choose | None = None,
) -> Tensor:
    """Attention of the tokens `first`, … by definition, a chunk of rows at a time, whose weights are shown to `weigh`.

    Args:
        q_BHQD: queries, as projected.
        first: the index of the first.
        sources: keys and values.
        layer: how to attend.
        scaling: what scores are multiplied by.
        weigh: is shown the weights of each chunk, for each source [B, H, Q, N].
        choose: which keys are seen, by content; None: what the bands say.

    Returns:
        [B, H, Q, D].
    """
    out = []
    for r in range(0, q_BHQD.shape[2], ROWS):
        parts = probabilities(q_BHQD[:, :, r : r + ROWS], first + r, sources, layer, scaling, choose)
        out.append(_weighted(parts, sources, q_BHQD.dtype))
        if weigh:
            weigh(parts)
    return torch.cat(out, dim=2)


def _weighted(parts: Sequence[Tensor], sources: Sequence[Source], dtype: torch.dtype) -> Tensor:
    total: Tensor | None = None
    for weights, source in zip(parts, sources, strict=True):
        group = weights.shape[1] // source.v_BKND.shape[1]
        out = torch.matmul(weights.to(dtype), source.v_BKND.repeat_interleave(group, dim=1))
        total = out if total is None else total + out
    assert total is not None
    return total


def probabilities(
    q_BHQD: Tensor, first: int, sources: Sequence[Source], layer: Layer, scaling: float, choose: Choose | None = None
) -> list[Tensor]:
    """The softmax itself, for each source [B, H, Q, N] in float32."""
    b, h, rows, _ = q_BHQD.shape
    parts = [scores(q_BHQD, first, source, layer, scaling) for source in sources]
    if choose is not None:
        parts = _chosen(parts, first, sources, layer, choose)
    together = torch.cat(parts, dim=-1)
    if layer.sinks_H is not None:
        together = torch.cat([together, layer.sinks_H.to(together.dtype).view(1, h, 1, 1).expand(b, h, rows, 1)], dim=-1)
    weights = torch.softmax(together, dim=-1, dtype=torch.float32)
    if layer.sinks_H is None:
        weights = weights.masked_fill(together.isneginf().all(dim=-1, keepdim=True), 0.0)
    return list(torch.split(weights[..., : sum(map(len, sources))], [len(source) for source in sources], dim=-1))


def scores(
    q_BHQD: Tensor, first: int, source: Source, layer: Layer, scaling: float, rows: slice = EVERY, keys: slice = EVERY
) -> Tensor:
    """What the softmax is taken of [B, H, Q, N]: each key's score in its band; -inf where it is not seen.

    Args:
        q_BHQD: queries, as projected.
        first: the index of the first.
        source: keys.
        layer: how to attend.
        scaling: what scores are multiplied by.
        rows: those of the queries that are wanted.
        keys: those of the source's keys.
    """
    b, h, count, _ = q_BHQD.shape
    i = torch.arange(first, first + count, device=q_BHQD.device)[rows, None]
    if source.index_BKN is None:
        j = torch.arange(source.first, source.first + len(source), device=q_BHQD.device)[None, keys]
    else:
        j = source.index_BKN[:, :, None, keys]
    found = q_BHQD.new_full((b, h, i.shape[0], j.shape[-1]), float("-inf"))
    for band in layer.bands:
        see = AllOf((band.see, source.see))(i, j) if source.see else band.see(i, j)
        k = source.turned(band.k, 0, len(source))[:, :, keys]
        q = turn_queries(q_BHQD, layer, band, first, source.shift)[:, :, rows]
        some = torch.matmul(q, _for_queries(k, h).transpose(2, 3)) * scaling
        found = torch.where(_for_queries(see, h), some, found)
    return bent(found, layer, i, _for_queries(j, h))


def _for_queries(x: Tensor, heads: int) -> Tensor:
    """What each key/value head has, for all of its query heads; what all heads have, as it is."""
    return x.repeat_interleave(heads // x.shape[1], dim=1) if x.dim() == 4 else x


def bent(scores_BHQN: Tensor, layer: Layer, i: Tensor, j: Tensor) -> Tensor:
    """Scores under a layer's soft cap and penalty of the distance between queries i and keys j."""
    if layer.softcap is not None:
        capped = torch.tanh(scores_BHQN / layer.softcap) * layer.softcap
        scores_BHQN = capped.masked_fill(scores_BHQN.isneginf(), float("-inf"))
    if layer.slopes:
        h = scores_BHQN.shape[1]
        slope = 2.0 ** (-8.0 * torch.arange(1, h + 1, device=scores_BHQN.device) / h)
        scores_BHQN = scores_BHQN - (slope[:, None, None] * (i - j)).to(scores_BHQN.dtype)
    return scores_BHQN


def _chosen(parts: Sequence[Tensor], first: int, sources: Sequence[Source], layer: Layer, choose: Choose) -> list[Tensor]:
    """Scores of what is chosen, or seen besides; every pair has a score in at most one source."""
    spans = [slice(source.first, source.first + len(source)) for source in sources]
    whole = parts[0]
    if len(parts) > 1 or spans[0].start:
        whole = parts[0].new_full((*parts[0].shape[:3], max(span.stop for span in spans)), float("-inf"))
        for part, span in zip(parts, spans, strict=True):
            whole[..., span] = torch.maximum(whole[..., span], part)
    see = choose(first, whole)
    if layer.beside is not None:
        i = torch.arange(first, first + whole.shape[2], device=whole.device)[:, None]
        see = see | layer.beside(i, torch.arange(whole.shape[3], device=whole.device)[None])
    return [part.masked_fill(~see[..., span], float("-inf")) for part, span in zip(parts, spans, strict=True)]


def by_runs(q_BHQD: Tensor, first: int, sources: Sequence[Source], layer: Layer, scaling: float) -> Tensor:
    """The same, by a flash kernel on the runs of key blocks that some query sees; for plain layers and ordered keys."""
    return partial_by_runs(q_BHQD, first, sources, layer, scaling)[0].to(q_BHQD.dtype)


def partial_by_runs(q_BHQD: Tensor, first: int, sources: Sequence[Source], layer: Layer, scaling: float) -> tuple[Tensor, Tensor]:
    """What these sources give to a softmax over more: output [B, H, Q, D] and log-sum-exp [B, H, Q], in float32."""
    parts = [_rows(q_BHQD[:, :, r : r + ROWS], first + r, sources, layer, scaling) for r in range(0, q_BHQD.shape[2], ROWS)]
    return (
        parts[0] if len(parts) == 1 else (torch.cat([out for out, _ in parts], dim=2), torch.cat([lse for _, lse in parts], dim=2))
    )


def _rows(q_BHQD: Tensor, first: int, sources: Sequence[Source], layer: Layer, scaling: float) -> tuple[Tensor, Tensor]:
    rows = q_BHQD.shape[2]
    merged: tuple[Tensor, Tensor] | None = None
    for band in layer.bands:
        for source in sources:
            q = turn_queries(q_BHQD, layer, band, first, source.shift)
            see = AllOf((band.see, source.see)) if source.see else band.see
            for lo, hi, whole in runs(see, first, rows, source.first, len(source)):
                k, v = source.turned(band.k, lo, hi), source.v_BKND[:, :, lo:hi]
                mask = None
                if not whole:
                    i = torch.arange(first, first + rows, device=q.device)[:, None]
                    mask = see(i, torch.arange(source.first + lo, source.first + hi, device=q.device)[None])
                part = flash(q, k, v, scaling, mask)
                merged = part if merged is None else merge(merged, part)
    return merged or nothing_seen(q_BHQD)


def nothing_seen(q_BHQD: Tensor) -> tuple[Tensor, Tensor]:
    """The part of a softmax that no key has: output 0 [B, H, Q, D] and log-sum-exp -inf [B, H, Q]."""
    return torch.zeros_like(q_BHQD, dtype=torch.float32), q_BHQD.new_full(q_BHQD.shape[:3], float("-inf"), dtype=torch.float32)


def runs(see: Pairs, first: int, rows: int, key_first: int, keys: int) -> list[tuple[int, int, bool]]:
    """Runs of keys that some of the queries `first`, … see, in the source's own indices: (lo, hi, whether all see all of it)."""
    lo = np.arange(0, keys, BLOCK)
    hi = np.minimum(lo + BLOCK, keys)
    i0, i1 = np.full(len(lo), first), np.full(len(lo), first + rows - 1)
    state = see.some(i0, i1, lo + key_first, hi + key_first - 1).astype(int)
    state += state * see.every(i0, i1, lo + key_first, hi + key_first - 1)
    edges = np.flatnonzero(np.diff(state)) + 1
    begins, ends = np.concatenate(([0], edges)), np.concatenate((edges, [len(state)]))
    return (
        [(int(lo[a]), int(hi[b - 1]), bool(state[a] == 2)) for a, b in zip(begins, ends, strict=True) if state[a]] if keys else []
    )


def flash(q_BHQD: Tensor, k_BKND: Tensor, v_BKND: Tensor, scaling: float, mask_QN: Tensor | None) -> tuple[Tensor, Tensor]:
    """Output [B, H, Q, D] and log-sum-exp [B, H, Q] in float32; a query that sees nothing has 0 and -inf."""
    b, h, rows, d = q_BHQD.shape
    kv_heads = k_BKND.shape[1]
    group = h // kv_heads
    folded = q_BHQD.reshape(b, kv_heads, group * rows, d)
    bias = None
    if mask_QN is not None:
        bias = (
            torch.zeros(mask_QN.shape, dtype=q_BHQD.dtype, device=q_BHQD.device)
            .masked_fill_(~mask_QN, float("-inf"))
            .repeat(group, 1)
        )
    if q_BHQD.device.type == "cpu":
        out, lse = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            folded, k_BKND, v_BKND, 0.0, False, attn_mask=bias, scale=scaling
        )
    else:
        scores = torch.matmul(folded, k_BKND.transpose(2, 3)).float() * scaling
        scores = scores if bias is None else scores + bias
        lse = scores.logsumexp(dim=-1)
        out = torch.matmul(torch.exp(scores - torch.where(lse.isinf(), 0, lse)[..., None]).to(v_BKND.dtype), v_BKND)
    out, lse = out.reshape(b, h, rows, -1).float(), lse.reshape(b, h, rows)
    if mask_QN is not None:
        blind = ~mask_QN.any(dim=1)
        out, lse = out.masked_fill(blind[:, None], 0.0), lse.masked_fill(blind, float("-inf"))
    return out, lse


def merge(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Two parts of one softmax: outputs [B, H, Q, D] and log-sum-exps [B, H, Q]."""
    (a, lse_a), (b, lse_b) = one, other
    lse = torch.logaddexp(lse_a, lse_b)
    safe = torch.where(lse.isinf(), 0.0, lse)
    return a * torch.exp(lse_a - safe)[..., None] + b * torch.exp(lse_b - safe)[..., None], lse


def within(bands: Sequence[Band], *sets: Pairs) -> tuple[Band, ...]:
    """Bands whose pairs are causal and in all of the sets."""
    return tuple(replace(band, see=AllOf((CAUSAL, *sets, band.see))) for band in bands)
