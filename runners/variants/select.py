"""Content-based sight: the keys that a query sees, chosen by what they hold.

    topk         the keys of the greatest scores, for every query
    quest        the pages of 16 keys of the greatest possible scores, for queries behind the context, or behind the question
    vslash       columns and diagonals that the last queries attend to, while a prompt is read
    flexprefill  the same, as many as hold a part of the attention; for some heads blocks besides
    xattention   blocks that hold a part of the attention, by the sums over antidiagonals of their scores

A `Select` is asked once for each forward pass of a layer and answers with a `Choose`, which `attend.reference` asks for each chunk
of rows; or with None, if the pass is dense. Every query head chooses for itself, by the scores that attention itself would take:
rotated, scaled, in their bands. The last three need a prompt to be read in one pass: passes that go on with one, by an answer's
tokens, are dense. What they estimate, they estimate from keys that are not quantized.

Shapes: B batch, H query heads, K key/value heads, Q queries, N keys, D head dimension, P pages, R and C blocks of queries and keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lceval.runners.variants.attend import ROWS, Choose, Layer, Source, bent, probabilities, scores, turn_queries
from lceval.runners.variants.keep import picked_at
from lceval.runners.variants.pairs import Ints, PositionMap
from lceval.runners.variants.spec import Atom
from lceval.types import Prompt

DENSE_LAYERS = 2
"""So many layers of a model see everything under `quest`, as its authors have it."""
FIRST_COLUMNS, NEAREST_DIAGONALS, LAST_QUERIES = 30, 100, 64
"""What `vslash` always has, and the queries it asks."""
ALIKE = 0.1
"""Heads of `flexprefill` use pooled estimates that are nearer to the truth, by the root of the Jensen-Shannon divergence."""


@dataclass(frozen=True)
class Pass:
    """A forward pass of one layer: queries from token `first` on, and all keys up to theirs."""

    q_BHQD: Tensor
    """As projected."""
    first: int
    sources: Sequence[Source]
    layer: Layer
    scaling: float
    prompt: Prompt | None = None
    """What is read, or answered; None: a probe."""

    @property
    def stop(self) -> int:
        """The index behind the last query, and behind the last key."""
        return self.first + self.q_BHQD.shape[2]

    @property
    def reads_prompt(self) -> bool:
        """Whether this is a whole prompt."""
        return self.first == 0 and self.stop > 1

    @property
    def exact(self) -> Source:
        """All keys, as exact as they are held."""
        source = next(source for source in reversed(self.sources) if not source.first and len(source) == self.stop)
        return replace(source, see=None)

    def last_weights(self, count: int) -> Tensor:
        """Dense attention of the last queries [B, H, Q, N]."""
        (weights,) = probabilities(self.q_BHQD[:, :, -count:], self.stop - count, [self.exact], self.layer, self.scaling)
        return weights

    def pooled(self, first: int, size: int) -> Tensor:
        """Scores of mean queries and mean keys, of `size` tokens each and the former from `first` on [B, H, R, C].

        -inf where no query may see a key. Where bands meet in a block, the mean of what each of them would say.
        """
        i0, i1 = _edges(first, self.stop, size)
        j0, j1 = _edges(0, self.stop, size)
        b, h, _, _ = self.q_BHQD.shape
        total = self.q_BHQD.new_zeros(b, h, len(i0), len(j0), dtype=torch.float32)
        count = torch.zeros(len(i0), len(j0), device=total.device)
        for band in self.layer.bands:
            q = _means(turn_queries(self.q_BHQD[:, :, first - self.first :], self.layer, band, first), size)
            k = _means(self.exact.turned(band.k, 0, self.stop), size).repeat_interleave(h // self._kv_heads, dim=1)
            some = torch.from_numpy(band.see.some(i0[:, None], i1[:, None], j0[None], j1[None])).to(total.device)
            total += torch.where(some, torch.matmul(q, k.transpose(2, 3)) * self.scaling, 0)
            count += some
        i, j = (torch.from_numpy((lo + hi) / 2).to(total.device) for lo, hi in ((i0, i1), (j0, j1)))
        return bent((total / count).masked_fill(count == 0, float("-inf")), self.layer, i[:, None], j[None])

    def keys_of(self, i: int, move: PositionMap) -> Tensor:
        """Keys 0..stop as query i sees them, rotated [B, K, N, D]."""
        if len(self.sources) == 1:
            return self.sources[0].turned(move, 0, self.stop)
        keys = [source.turned(move, 0, len(source)) for source in self.sources]
        b, heads, _, d = keys[0].shape
        whole = keys[0].new_zeros(b, heads, self.stop, d)
        for source, k in zip(self.sources, keys, strict=True):
            span = slice(source.first, source.first + len(source))
            if source.see is None:
                whole[:, :, span] = k
            else:
                at = torch.arange(span.start, span.stop, device=k.device)
                whole[:, :, span] = torch.where(source.see(torch.full_like(at, i), at)[:, None], k, whole[:, :, span])
        return whole

    @property
    def _kv_heads(self) -> int:
        return self.sources[0].v_BKND.shape[1]


class Select(Protocol):
    """A way to choose keys by content."""

    def __call__(self, now: Pass) -> Choose | None:
        """Which keys the queries of a forward pass see; None: all."""
        ...


def by_content(atoms: Iterable[Atom], index: int) -> Select | None:
    """The content-based sight of a layer; None: it sees everything.

    Args:
        atoms: the layer's atoms of the group `sight`.
        index: of the layer in the model.
    """
    for atom in atoms:
        match atom.name:
            case "topk":
                return TopK(int(atom["k"]))
            case "vslash":
                return VerticalSlash(int(atom["v"]), int(atom["s"]))
            case "flexprefill":
                return FlexPrefill(float(atom["γ"]), int(atom["least"]))
            case "xattention":
                return XAttention(float(atom["τ"]))
            case "quest":
                return Quest(atom) if index >= DENSE_LAYERS else None
    return None


@dataclass(frozen=True)
class TopK:
    """The `k` keys of the greatest scores, the later ones of equals, the query's own always among them."""

    k: int

    def __call__(self, now: Pass) -> Choose:  # noqa: D102
        return self._choose

    def _choose(self, first: int, scores_BHQN: Tensor) -> Tensor:
        own = torch.arange(first, first + scores_BHQN.shape[2], device=scores_BHQN.device)[:, None]
        return greatest(scores_BHQN.scatter(-1, own.expand(*scores_BHQN.shape[:3], 1), float("inf")), self.k)


@dataclass(frozen=True)
class Quest:
    """Query-aware pages (arXiv:2406.10774): those whose keys could have the greatest scores, and the query's own.

    A page's bound is Σ_d max(q_d · kmax_d, q_d · kmin_d) of the rotated keys in it. Queries of the context (`see=context`), or of
    the whole prompt, its last token included (`see=question`), are dense; so it does not matter how tokens are cut into passes.
    """

    atom: Atom
    page: int = 16

    def __call__(self, now: Pass) -> Choose | None:  # noqa: D102
        since = now.stop if now.prompt is None else picked_at(self.atom, now.prompt)
        if now.stop <= since:
            return None

        def choose(first: int, scores_BHQN: Tensor) -> Tensor:
            rows, n = scores_BHQN.shape[2:]
            i = torch.arange(first, first + rows, device=scores_BHQN.device)[:, None]
            pages = torch.arange(-(-n // self.page), device=i.device)
            bounds = self.bounds(now, first, rows).masked_fill(pages >= i // self.page, float("-inf"))
            kept = greatest(bounds, -(-int(self.atom["b"]) // self.page)) | (pages == i // self.page)
            return kept.repeat_interleave(self.page, dim=-1)[..., :n] | (i < since)

        return choose

    def bounds(self, now: Pass, first: int, rows: int) -> Tensor:
        """No score of queries `first`, … in a page is greater than these [B, H, Q, P]; pages of which they see nothing have -inf.

        Right for pages before the query's own: the keys of later ones may not be there yet.
        """
        if len(now.sources) > 1 and rows > 1:  # which of them holds a key depends on the query
            return torch.cat([self.bounds(now, i, 1) for i in range(first, first + rows)], dim=2)
        q_BHQD = now.q_BHQD[:, :, first - now.first : first - now.first + rows]
        full, every = now.stop // self.page, -(-now.stop // self.page)
        i = torch.arange(first, first + rows, device=q_BHQD.device)[:, None]
        j = torch.arange(full * self.page, device=q_BHQD.device)[None]
        found = q_BHQD.new_full((*q_BHQD.shape[:3], every), float("-inf"))
        for band in now.layer.bands:
            q = turn_queries(q_BHQD, now.layer, band, first)
            k = now.keys_of(first, band.k)
            b, heads, _, d = k.shape
            low, high = (
                edge.repeat_interleave(q.shape[1] // heads, dim=1).transpose(2, 3)
                for edge in k[:, :, : full * self.page].reshape(b, heads, full, self.page, d).aminmax(dim=3)
            )
            bound = (torch.matmul(q.clamp(min=0), high) + torch.matmul(q.clamp(max=0), low)) * now.scaling
            some = band.see(i, j).reshape(rows, full, self.page).any(dim=2)
            found[..., :full] = torch.maximum(found[..., :full], torch.where(some, bound, float("-inf")))
        nearest = torch.arange(1, every + 1, device=i.device)[None] * self.page - 1
        return bent(found, now.layer, i, nearest)


@dataclass(frozen=True)
class VerticalSlash:
    """Vertical-slash of MInference (arXiv:2407.02490), for all heads: those that the last 64 queries attend to most.

    The first 30 columns and the nearest 100 diagonals are always among them.
    """

    columns: int
    diagonals: int

    def __call__(self, now: Pass) -> Choose | None:  # noqa: D102
        if not now.reads_prompt:
            return None
        by_column, by_diagonal = lines(now.last_weights(min(LAST_QUERIES, now.stop)))
        at = torch.arange(now.stop, device=by_column.device)
        return along_lines(
            heaviest(by_column, at < FIRST_COLUMNS, least=self.columns),
            heaviest(by_diagonal, at < NEAREST_DIAGONALS, least=self.diagonals),
        )


@dataclass(frozen=True)
class FlexPrefill:
    """FlexPrefill (arXiv:2502.20766): as many columns and diagonals, or blocks, as hold a part `share` of the estimated attention.

    A head whose pooled queries and keys tell where its last queries attend takes blocks by them, the heaviest of the whole map. The
    other heads take columns and diagonals, each of which hold the share for the last queries. Every head has at least `least` of
    both, the first block of columns and the nearest block of diagonals always among them.
    """

    share: float
    least: int
    block: int = 128

    def __call__(self, now: Pass) -> Choose | None:  # noqa: D102
        if not now.reads_prompt:
            return None
        last = min(self.block, now.stop)
        by_column, by_diagonal = lines(now.last_weights(last))
        true_BHC = _block_sums(by_column, self.block)
        guess_BHC = torch.softmax(now.pooled(now.stop - last, self.block)[:, :, 0], dim=-1)
        pooling_BH = divergence(guess_BHC, true_BHC / true_BHC.sum(dim=-1, keepdim=True)) < ALIKE
        share = self.share * ~pooling_BH[..., None]
        near = torch.arange(now.stop, device=by_column.device) < self.block
        on_lines = along_lines(heaviest(by_column, near, share, self.least), heaviest(by_diagonal, near, share, self.least))
        if not pooling_BH.any():
            return on_lines
        map_BHRC = torch.softmax(now.pooled(0, self.block), dim=-1)
        none = torch.zeros((), dtype=torch.bool, device=map_BHRC.device)
        kept = heaviest(map_BHRC.flatten(2), none, self.share).view_as(map_BHRC) & pooling_BH[..., None, None]
        in_blocks = along_blocks(kept, self.block)
        return lambda first, scores_BHQN: on_lines(first, scores_BHQN) | in_blocks(first, scores_BHQN)


@dataclass(frozen=True)
class XAttention:
    """XAttention (arXiv:2503.16428): for each block of queries the fewest blocks of keys that hold a part `share` of the estimate.

    The estimate of `stride` queries and `stride` keys is the mean score on their antidiagonal, of the pairs that are seen; its
    softmax is summed over blocks. The first block and the queries' own are always kept, and count.
    """

    share: float
    block: int = 128
    stride: int = 16

    def __call__(self, now: Pass) -> Choose | None:  # noqa: D102
        if not now.reads_prompt:
            return None
        mass_BHRC = self.mass(now)
        at = torch.arange(mass_BHRC.shape[-1], device=mass_BHRC.device)
        return along_blocks(heaviest(mass_BHRC, (at == 0) | (at[:, None] == at), self.share), self.block)

    def mass(self, now: Pass) -> Tensor:
        """The estimated attention of blocks [B, H, R, C]: each row sums to the strides in it."""
        width = -(-now.stop // self.block)
        step = max(ROWS // self.block, 1) * self.block
        found = [self._mass(now, lo, min(lo + step, now.stop)) for lo in range(0, now.stop, step)]
        return torch.cat([functional.pad(rows, (0, width - rows.shape[-1])) for rows in found], dim=2)

    def _mass(self, now: Pass, lo: int, hi: int) -> Tensor:
        """The same of the blocks that queries lo..hi are; later blocks of keys are left out."""
        q_BHQD, s = now.q_BHQD[:, :, lo:hi], self.stride
        b, h, rows, _ = q_BHQD.shape
        total = q_BHQD.new_zeros(b, h, -(-rows // s), -(-hi // s), dtype=torch.float32)
        count = torch.zeros_like(total)
        for t in range(s):
            part = scores(q_BHQD, lo, now.exact, now.layer, now.scaling, rows=slice(s - 1 - t, None, s), keys=slice(t, hi, s))
            seen, at = ~part.isneginf(), (..., slice(part.shape[2]), slice(part.shape[3]))
            total[at] += torch.where(seen, part, 0)
            count[at] += seen
        weights = torch.softmax((total / count).masked_fill(count == 0, float("-inf")), dim=-1).nan_to_num(0.0)
        per_block = self.block // s
        return _block_sums(_block_sums(weights, per_block).transpose(2, 3), per_block).transpose(2, 3)


def greatest(scores: Tensor, count: int) -> Tensor:
    """Whether each number is one of the `count` greatest along the last dimension, the later ones of equals first.

    Where so many are not greater than -inf, all may be said to be: keys of such scores are not seen in any case.
    """
    if count >= scores.shape[-1]:
        return torch.ones_like(scores, dtype=torch.bool)
    least = scores.topk(count, sorted=False).values.amin(dim=-1, keepdim=True)
    found = scores >= least
    if not ((found.sum(dim=-1, keepdim=True) > count) & ~least.isneginf()).any():
        return found
    above, equal = scores > least, scores == least
    from_here = equal.flip(-1).cumsum(dim=-1, dtype=torch.int32).flip(-1)
    return above | equal & (from_here <= count - above.sum(dim=-1, keepdim=True))


def heaviest(weights: Tensor, always: Tensor, share: Tensor | float = 0.0, least: int = 0) -> Tensor:
    """The fewest along the last dimension that hold a part `share` of the sum and are `least` in number, greatest first.

    Those of `always`, a mask, come before all others, and count. Of equals the first come first. A share of 1 is all.
    """
    first = weights.masked_fill(always, float("inf"))
    order = first.sort(dim=-1, descending=True, stable=True).indices
    held = weights.double().gather(-1, order).cumsum(dim=-1)
    before = functional.pad(held, (1, 0))[..., :-1]
    rank = torch.arange(weights.shape[-1], device=weights.device)
    share = torch.as_tensor(share, dtype=torch.float64, device=weights.device)
    wanted = (before < share * held[..., -1:]) | (rank < least) | (share >= 1)
    return always | torch.zeros_like(wanted).scatter(-1, order, wanted)


def lines(weights_BHQN: Tensor) -> tuple[Tensor, Tensor]:
    """The sums of the last queries' attention over columns j and over diagonals i - j, [B, H, N] each."""
    rows, n = weights_BHQN.shape[2:]
    diagonals = torch.zeros_like(weights_BHQN[:, :, 0])
    for r in range(rows):
        i = n - rows + r
        diagonals[..., : i + 1] += weights_BHQN[:, :, r, : i + 1].flip(-1)
    return weights_BHQN.sum(dim=2), diagonals


def along_lines(columns_BHN: Tensor, diagonals_BHN: Tensor) -> Choose:
    """Keys in one of the columns or on one of the diagonals."""

    def choose(first: int, scores_BHQN: Tensor) -> Tensor:
        i = torch.arange(first, first + scores_BHQN.shape[2], device=scores_BHQN.device)[:, None]
        j = torch.arange(scores_BHQN.shape[3], device=scores_BHQN.device)
        return columns_BHN[:, :, None] | diagonals_BHN[..., (i - j).clamp(min=0)]

    return choose


def along_blocks(kept_BHRC: Tensor, size: int) -> Choose:
    """Keys in one of the blocks."""

    def choose(first: int, scores_BHQN: Tensor) -> Tensor:
        i = torch.arange(first, first + scores_BHQN.shape[2], device=scores_BHQN.device)
        return kept_BHRC[:, :, i // size].repeat_interleave(size, dim=-1)[..., : scores_BHQN.shape[3]]

    return choose


def divergence(p: Tensor, q: Tensor) -> Tensor:
    """The root of the Jensen-Shannon divergence of distributions along the last dimension, in natural units."""
    p, q = p.double(), q.double()
    surprise = torch.special.entr((p + q) / 2) - (torch.special.entr(p) + torch.special.entr(q)) / 2
    found: Tensor = surprise.sum(dim=-1).clamp(min=0).sqrt()
    return found


def _edges(first: int, stop: int, size: int) -> tuple[Ints, Ints]:
    """The first and the last token of each block."""
    lo = np.arange(first, stop, size)
    return lo, np.minimum(lo + size, stop) - 1


def _block_sums(x: Tensor, size: int) -> Tensor:
    """Sums of neighbours along the last dimension; the last block may have fewer."""
    n = x.shape[-1]
    blocks = -(-n // size)
    return functional.pad(x, (0, blocks * size - n)).reshape(*x.shape[:-1], blocks, size).sum(dim=-1)


def _means(x_BHND: Tensor, size: int) -> Tensor:
    """Means of blocks of tokens, in float32; the last block may have fewer."""
    n = x_BHND.shape[2]
    sums = _block_sums(x_BHND.float().transpose(2, 3), size).transpose(2, 3)
    return sums / _block_sums(torch.ones(n, device=x_BHND.device), size)[:, None]
