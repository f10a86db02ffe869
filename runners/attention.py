"""Attention for chunks that continue a prefix: exact, without a mask and without copying keys for every query head.

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

from lceval.costs.families import PLAIN

NAME = "lceval_bands"
PLAN_PAIRS = 1 << 31
"""Query-key pairs of all heads from which on cuDNN is asked: 8,192 by 8,192 of 32 heads."""


def suits(config: Any, device: torch.device, dtype: torch.dtype) -> bool:
    """Whether this serves a model: plain causal attention, and a flash kernel for the device, the dtype and the head size."""
    windows = [getattr(config, name, None) for name in ("sliding_window", "attention_chunk_size")]
    mixed = set(getattr(config, "layer_types", None) or ()) - {"full_attention"}
    if config.model_type not in PLAIN or mixed or any(windows):
        return False
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    if device.type == "cuda":
        return dtype != torch.float32 and head % 8 == 0 and head <= 256 and torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu"


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
    leaves: Any = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Causal attention of the last Q of N tokens; the signature is that of Transformers' attention functions.

    Args:
        module: the attention module.
        q_BHQD: queries.
        k_BKND: keys.
        v_BKND: values.
        attention_mask: None.
        scaling: what scores are multiplied by; None: 1 / √D.
        leaves: several continuations of one prefix (`lceval.runners.leaves.Leaves`), to which these queries belong.

    Returns:
        [B, Q, H, D], and no weights.
    """
    if leaves is not None:
        return leaves.attend(module.layer_idx, q_BHQD, scaling).contiguous(), None
    assert attention_mask is None, "this attention is causal and knows no padding"
    h, q = q_BHQD.shape[1:3]
    kv_heads, n = k_BKND.shape[1], k_BKND.shape[2]
    past = n - q
    if q == 1:
        out, _lse = fold(q_BHQD, k_BKND, v_BKND, scaling)
        return out.transpose(1, 2), None
    group = h // kv_heads
    k_own, v_own = (x[:, :, past:].repeat_interleave(group, dim=1) for x in (k_BKND, v_BKND))
    own, own_lse = _flash(q_BHQD, k_own, v_own, scaling, causal=True)
    if not past:
        return own.transpose(1, 2), None
    prefix, prefix_lse = fold(q_BHQD, k_BKND[:, :, :past], v_BKND[:, :, :past], scaling)
    return join((own, own_lse), (prefix, prefix_lse)).transpose(1, 2), None


def join(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> Tensor:
    """Two parts of one softmax, outputs [B, H, Q, D] and log-sum-exps [B, H, Q], neither of them empty."""
    (a, a_lse), (b, b_lse) = one, other
    weight = torch.sigmoid(b_lse - a_lse).unsqueeze(-1)
    return torch.lerp(a.float(), b.float(), weight).to(a.dtype)


def fold(q_BHQD: Tensor, k_BKND: Tensor, v_BKND: Tensor, scaling: float | None) -> tuple[Tensor, Tensor]:
    """Unmasked attention with the query heads of a group folded into the queries; output [B, H, Q, D] and lse [B, H, Q]."""
    b, h, q, d = q_BHQD.shape
    kv_heads = k_BKND.shape[1]
    out, lse = _flash(q_BHQD.reshape(b, kv_heads, h // kv_heads * q, d), k_BKND, v_BKND, scaling, causal=False)
    return out.reshape(b, h, q, d), lse.reshape(b, h, q)


def _flash(q: Tensor, k: Tensor, v: Tensor, scaling: float | None, *, causal: bool) -> tuple[Tensor, Tensor]:
    """The flash kernel of the device: output [B, H, Q, D] and log-sum-exp [B, H, Q] in float32."""
    ops = torch.ops.aten
    if q.device.type == "cpu":
        out, lse = ops._scaled_dot_product_flash_attention_for_cpu(q, k, v, 0.0, causal, scale=scaling)
    elif _pays_to_plan(q, k, v, causal):
        out, lse, *_ = ops._scaled_dot_product_cudnn_attention(q, k, v, None, True, 0.0, causal, False, scale=scaling)
        lse = lse.squeeze(-1)
    else:
        out, lse, *_ = ops._scaled_dot_product_flash_attention(q, k, v, 0.0, causal, scale=scaling)
    return out, lse


def has_flash(x_BHND: Tensor) -> bool:
    """Whether there is a flash kernel that gives log-sum-exps for this device, dtype and head size."""
    if x_BHND.device.type == "cpu":
        return True
    return torch.backends.cuda.can_use_flash_attention(
        torch.backends.cuda.SDPAParams(x_BHND, x_BHND, x_BHND, None, 0.0, False, False)
    )


def _pays_to_plan(q: Tensor, k: Tensor, v: Tensor, causal: bool) -> bool:
    """Whether cuDNN's kernel, twice as fast on Hopper, is worth the plan it makes for every new shape (some 40 ms)."""
    if q.shape[0] * q.shape[1] * q.shape[2] * k.shape[2] < PLAN_PAIRS or torch.cuda.get_device_capability(q.device) < (9, 0):
        return False
    return torch.backends.cuda.can_use_cudnn_attention(torch.backends.cuda.SDPAParams(q, k, v, None, 0.0, causal, False))
