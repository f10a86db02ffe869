"""Attention on a CPU for chunks that continue a prefix: exact, without a mask and without copying keys for every query head.

Stock SDPA builds an n·m mask whenever queries continue a prefix, computes the masked half too, and repeats keys and values for
grouped queries. Here the pairs split into two bands: the prefix, which every query sees whole (no mask; the query heads of a
group ride along as more queries), and the chunk itself, which is causal. Their outputs merge by log-sum-exp, which is exact
(as in FlashAttention, arXiv:2205.14135).

Shapes: B batch, H query heads, K key/value heads, G = H / K, Q queries, N keys, D head dimension.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface

NAME = "lceval_cpu"


def suits(config: Any, device: torch.device) -> bool:
    """Whether a model's attention is plain enough: full causal softmax attention, on a CPU."""
    special = ("sliding_window", "attn_logit_softcapping", "attention_chunk_size", "layer_types")
    plain = all(getattr(config, name, None) is None for name in special)
    return device.type == "cpu" and plain and config.model_type in ("llama", "mistral", "qwen2", "qwen3", "phi3", "olmo2")


def install(network: Any) -> None:
    """Switch a model to this attention."""
    AttentionInterface.register(NAME, attend)
    network.set_attn_implementation(NAME)


def attend(
    module: nn.Module,
    q_BHQD: Tensor,
    k_BKND: Tensor,
    v_BKND: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Causal attention of the last Q of N tokens; the signature is that of Transformers' attention functions.

    Returns:
        [B, Q, H, D], and no weights.
    """
    assert attention_mask is None, "this attention is causal and knows no padding"
    h, q = q_BHQD.shape[1:3]
    kv_heads, n = k_BKND.shape[1], k_BKND.shape[2]
    past = n - q
    if q == 1:
        out, _lse = _fold(q_BHQD, k_BKND, v_BKND, scaling)
        return out.transpose(1, 2), None
    group = h // kv_heads
    k_own, v_own = (x[:, :, past:].repeat_interleave(group, dim=1) for x in (k_BKND, v_BKND))
    own, own_lse = _flash(q_BHQD, k_own, v_own, scaling, causal=True)
    if not past:
        return own.transpose(1, 2), None
    prefix, prefix_lse = _fold(q_BHQD, k_BKND[:, :, :past], v_BKND[:, :, :past], scaling)
    weight = torch.sigmoid(prefix_lse - own_lse).unsqueeze(-1).to(own.dtype)
    return torch.lerp(own, prefix, weight).transpose(1, 2), None


def _fold(q_BHQD: Tensor, k_BKND: Tensor, v_BKND: Tensor, scaling: float | None) -> tuple[Tensor, Tensor]:
    """Unmasked attention with the query heads of a group folded into the queries; output [B, H, Q, D] and lse [B, H, Q]."""
    b, h, q, d = q_BHQD.shape
    kv_heads = k_BKND.shape[1]
    out, lse = _flash(q_BHQD.reshape(b, kv_heads, h // kv_heads * q, d), k_BKND, v_BKND, scaling, causal=False)
    return out.reshape(b, h, q, d), lse.reshape(b, h, q)


def _flash(q: Tensor, k: Tensor, v: Tensor, scaling: float | None, *, causal: bool) -> tuple[Tensor, Tensor]:
    out, lse = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(q, k, v, 0.0, causal, scale=scaling)
    return out, lse
