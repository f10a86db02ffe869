"""Configurations of well-known models, by short names: facts of their public `config.json` files, those that shapes follow from."""

from __future__ import annotations

from typing import Any


def _config(
    model_type: str, hidden: int, mlp: int, layers: int, heads: int, kv_heads: int, vocabulary: int, trained: int, **more: Any
) -> dict[str, Any]:
    return {
        "model_type": model_type,
        "hidden_size": hidden,
        "intermediate_size": mlp,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "vocab_size": vocabulary,
        "max_position_embeddings": trained,
        **more,
    }


_K = 1024
BUNDLED: dict[str, dict[str, Any]] = {
    "smollm2-135m": _config("llama", 576, 1536, 30, 9, 3, 49_152, 8 * _K, tie_word_embeddings=True),
    "llama-2-7b": _config("llama", 4096, 11_008, 32, 32, 32, 32_000, 4 * _K),
    "llama-3.1-8b": _config("llama", 4096, 14_336, 32, 32, 8, 128_256, 128 * _K),
    "llama-3.1-70b": _config("llama", 8192, 28_672, 80, 64, 8, 128_256, 128 * _K),
    "llama-3.1-405b": _config("llama", 16_384, 53_248, 126, 128, 8, 128_256, 128 * _K),
    "mistral-7b": _config("mistral", 4096, 14_336, 32, 32, 8, 32_000, 32 * _K, sliding_window=4096),
    "mixtral-8x7b": _config("mixtral", 4096, 14_336, 32, 32, 8, 32_000, 32 * _K, num_local_experts=8, num_experts_per_tok=2),
    "qwen2.5-7b": _config("qwen2", 3584, 18_944, 28, 28, 4, 152_064, 32 * _K),
    "qwen3-32b": _config("qwen3", 5120, 25_600, 64, 64, 8, 151_936, 40 * _K, head_dim=128),
    "gemma-2b": _config("gemma", 2048, 16_384, 18, 8, 1, 256_000, 8 * _K, head_dim=256),
    "gemma-3-12b": _config(
        "gemma3_text", 3840, 15_360, 48, 16, 8, 262_208, 128 * _K, head_dim=256, sliding_window=1024, sliding_window_pattern=6
    ),
    "deepseek-v3": _config(
        "deepseek_v3",
        7168,
        18_432,
        61,
        128,
        128,
        129_280,
        160 * _K,
        q_lora_rank=1536,
        kv_lora_rank=512,
        qk_nope_head_dim=128,
        qk_rope_head_dim=64,
        v_head_dim=128,
        n_routed_experts=256,
        n_shared_experts=1,
        num_experts_per_tok=8,
        moe_intermediate_size=2048,
        first_k_dense_replace=3,
    ),
    "gpt2": {"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": _K, "vocab_size": 50_257},
}
