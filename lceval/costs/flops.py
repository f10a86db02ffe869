"""Floating-point operations of reading a prompt, a multiply-add counted as two.

    QKᵀ     Σ_layers 2 · H · d_qk · pairs      causal pairs: n (n + 1) / 2; in a window W < n: W n − W (W − 1) / 2
    PV      Σ_layers 2 · H · d_v · pairs
    linear  2 · n · numbers in the matrices that a token meets, and 2 · h · V for the one row of logits that is needed

Softmax, norms and rotation are left out: below one per cent. Without causality pairs are n², which is what attention computes that
masks afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

from lceval.costs.memory import Setting, alike
from lceval.costs.shapes import Shape
from lceval.runners.variants.held import Alike, sight, visible

QUERIES = 33
"""Queries whose visible keys are counted where a variant says which; between them the number is taken as linear."""
MOST = 1 << 40


@dataclass(frozen=True, slots=True)
class Flops:
    """Of reading one prompt."""

    qk: int
    pv: int
    linear: int

    @property
    def attention(self) -> int:
        """QKᵀ and PV."""
        return self.qk + self.pv

    @property
    def total(self) -> int:
        """All of it."""
        return self.attention + self.linear


def causal_pairs(length: int, window: int | None = None) -> int:
    """Pairs of a query and an earlier key or itself, at most `window` apart."""
    near = min(length, window or length)
    return near * length - near * (near - 1) // 2


def flops(shape: Shape, length: int, setting: Setting | None = None, *, causal: bool = True) -> Flops:
    """Operations of reading `length` tokens.

    Args:
        shape: the model's.
        length: tokens.
        setting: how it is run, for its variant; None: as it is.
        causal: count only the pairs that a decoder needs.
    """
    qk = pv = 0
    for group in alike(shape, (setting or Setting()).variant):
        layer = shape.layers[group.layers[0]]
        pairs = _pairs(group, length) if causal else length * length
        qk += len(group.layers) * 2 * layer.heads * layer.qk_dim * pairs
        pv += len(group.layers) * 2 * layer.heads * layer.v_dim * pairs
    return Flops(qk, pv, 2 * length * shape.active + 2 * shape.hidden * shape.vocabulary)


def _pairs(group: Alike, length: int) -> int:
    kept = [int(atom["b"]) + int(atom["every"]) for atom in group.atoms if atom.name in ("h2o", "tova")]
    if not sight(group.atoms):
        widths = [width for width in (group.attention.window, *kept) if width]
        return causal_pairs(length, min(widths) if widths else None)
    at = sorted({round((length - 1) * k / (QUERIES - 1)) for k in range(QUERIES)})
    seen = [min([visible(group, query), *kept]) for query in at]
    between = sum((b - a) * (m + n) / 2 for a, b, m, n in zip(at, at[1:], seen, seen[1:], strict=False))
    return round(between + (seen[0] + seen[-1]) / 2)


def overtaken_at(shape: Shape, setting: Setting | None = None) -> int | None:
    """The first length, in tokens, at which attention takes more operations than all matrices; None: it never does."""
    low, high = 1, MOST
    if sight_limits(shape, setting):
        high = 1 << 20
    if not _overtakes(shape, high, setting):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _overtakes(shape, middle, setting) else (middle + 1, high)
    return low


def sight_limits(shape: Shape, setting: Setting | None) -> bool:
    """Whether a variant says which keys are seen, so that they have to be counted."""
    return any(sight(group.atoms) for group in alike(shape, (setting or Setting()).variant))


def _overtakes(shape: Shape, length: int, setting: Setting | None) -> bool:
    found = flops(shape, length, setting)
    return found.attention > found.linear


def score_bytes(shape: Shape, length: int, itemsize: int = 2) -> int:
    """Bytes of one layer's scores, H · n · n, which FlashAttention (arXiv:2205.14135) never writes and reads again."""
    return max(layer.heads for layer in shape.layers) * length * length * itemsize
