"""What a configuration does not say of a model type: which matrices have biases, which norms there are, where windows are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Family:
    """A model type of Transformers."""

    qkv_bias: bool = False
    gated: bool = True
    """Three matrices in an MLP, not two."""
    biased: bool = False
    """Whether every matrix and every norm has a bias."""
    norms: int = 2
    """Of a layer, beside those of queries and keys."""
    qk_norm: Literal["", "head", "full"] = ""
    """Norms of queries and keys: none, over a head, over all heads."""
    windows: Literal["", "all", "from", "every"] = ""
    """Layers with a window where `layer_types` is not given: none, all, those from `max_window_layers` on, all but every n-th."""
    plain: bool = False
    """Whether attention is softmax(q k) v over all earlier tokens, unless the configuration says otherwise."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Values that configurations of this type leave out."""


_GEMMA: dict[str, Any] = {"head_dim": 256, "tie_word_embeddings": True, "vocab_size": 256_000}
_DEEPSEEK: dict[str, Any] = {"q_lora_rank": None, "first_k_dense_replace": 0, "n_shared_experts": 0}

FAMILIES: dict[str, Family] = {
    "llama": Family(plain=True),
    "mistral": Family(plain=True, windows="all"),
    "qwen2": Family(plain=True, qkv_bias=True, windows="from"),
    "qwen3": Family(plain=True, qk_norm="head", windows="from", defaults={"head_dim": 128}),
    "phi3": Family(plain=True, windows="all"),
    "olmo2": Family(plain=True, qk_norm="full"),
    "smollm3": Family(defaults={"tie_word_embeddings": True}),
    "granite": Family(),
    "gemma": Family(defaults=_GEMMA),
    "gemma2": Family(norms=4, windows="every", defaults={**_GEMMA, "sliding_window": 4096, "sliding_window_pattern": 2}),
    "gemma3_text": Family(
        norms=4,
        qk_norm="head",
        windows="every",
        defaults={
            **_GEMMA,
            "vocab_size": 262_208,
            "num_attention_heads": 8,
            "num_key_value_heads": 4,
            "sliding_window": 4096,
            "sliding_window_pattern": 6,
            "max_position_embeddings": 131_072,
        },
    ),
    "gpt2": Family(gated=False, biased=True, defaults={"tie_word_embeddings": True}),
    "mixtral": Family(windows="all"),
    "qwen2_moe": Family(qkv_bias=True, windows="from", defaults={"decoder_sparse_step": 1}),
    "qwen3_moe": Family(qk_norm="head", windows="from", defaults={"decoder_sparse_step": 1}),
    "deepseek_v2": Family(defaults=_DEEPSEEK),
    "deepseek_v3": Family(defaults=_DEEPSEEK),
}
PLAIN = tuple(name for name, family in FAMILIES.items() if family.plain)
"""Model types that lceval's own attention serves (`runners/attention.py`)."""
