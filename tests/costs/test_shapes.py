"""Shapes against numbers worked out by hand, and against parameters counted in real models without weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lceval.costs.bundled import BUNDLED
from lceval.costs.configs import read_config, shape_of
from lceval.errors import ModelError

PARAMETERS = {
    "smollm2-135m": 134_515_008,
    "llama-2-7b": 6_738_415_616,
    "llama-3.1-8b": 8_030_261_248,
    "llama-3.1-70b": 70_553_706_496,
    "llama-3.1-405b": 405_853_388_800,
    "mistral-7b": 7_241_732_096,
    "mixtral-8x7b": 46_702_792_704,
    "qwen2.5-7b": 7_615_616_512,
    "qwen3-32b": 32_762_123_264,
    "gemma-2b": 2_506_172_416,
    "gemma-3-12b": 11_766_034_176,
    "deepseek-v3": 671_026_404_352,
    "gpt2": 124_439_808,
}
"""As the checkpoints' own files count them; of Gemma 3 the decoder, of DeepSeek-V3 without its multi-token head."""

KV_BYTES = {
    "smollm2-135m": 30 * 2 * 3 * 64 * 2,
    "llama-2-7b": 512 * 1024,
    "llama-3.1-8b": 128 * 1024,
    "llama-3.1-70b": 320 * 1024,
    "llama-3.1-405b": 504 * 1024,
    "mistral-7b": 128 * 1024,
    "mixtral-8x7b": 128 * 1024,
    "qwen2.5-7b": 56 * 1024,
    "qwen3-32b": 256 * 1024,
    "gemma-2b": 18 * 2 * 256 * 2,
    "gemma-3-12b": 384 * 1024,
    "deepseek-v3": 61 * (512 + 64) * 2,
    "gpt2": 12 * 2 * 768 * 2,
}
"""Of one token in 16 bits: layers · 2 · key/value heads · head dimension · 2, and layers · (latent + rotary key) · 2 of MLA."""


@pytest.mark.parametrize("name", BUNDLED)
def test_parameters_and_cached_bytes_are_those_worked_out_by_hand(name: str) -> None:
    shape = shape_of(name)
    assert shape.parameters == PARAMETERS[name]
    assert sum(layer.cached for layer in shape.layers) * 2 == KV_BYTES[name]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gpt2", "MHA"),
        ("llama-3.1-8b", "GQA"),
        ("gemma-2b", "MQA"),
        ("deepseek-v3", "MLA"),
        ("mistral-7b", "GQA, 32 of 32 layers with a window of 4,096"),
        ("gemma-3-12b", "GQA, 40 of 48 layers with a window of 1,024"),
    ],
)
def test_how_keys_and_values_are_shared_is_named(name: str, says: str) -> None:
    assert shape_of(name).attention == says


SMALL = {"hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4, "vocab_size": 100, "intermediate_size": 96}
EXPERTS = {"num_experts_per_tok": 2, "moe_intermediate_size": 32, "num_experts": 4}
LATENT = {"q_lora_rank": 24, "kv_lora_rank": 32, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 12}
ROUTED = {"n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "n_shared_experts": 1, "topk_group": 1}
WINDOWS = {"use_sliding_window": True, "sliding_window": 8, "max_window_layers": 2}
CONFIGS: list[dict[str, Any]] = [
    {"model_type": "llama", **SMALL, "num_key_value_heads": 2},
    {"model_type": "llama", **SMALL, "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True},
    {"model_type": "mistral", **SMALL, "num_key_value_heads": 1, "sliding_window": 16},
    {"model_type": "qwen2", **SMALL, "num_key_value_heads": 2},
    {
        "model_type": "qwen2",
        **SMALL,
        "num_key_value_heads": 2,
        **WINDOWS,
    },
    {"model_type": "qwen3", **SMALL, "num_key_value_heads": 2, "head_dim": 24},
    {"model_type": "phi3", **SMALL, "num_key_value_heads": 2, "pad_token_id": 0},
    {"model_type": "olmo2", **SMALL, "num_key_value_heads": 2},
    {"model_type": "smollm3", **SMALL, "num_key_value_heads": 2, "pad_token_id": 0},
    {"model_type": "granite", **SMALL, "num_key_value_heads": 2},
    {"model_type": "gemma", **SMALL, "num_key_value_heads": 1, "head_dim": 32},
    {"model_type": "gemma2", **SMALL, "num_key_value_heads": 2, "head_dim": 32, "sliding_window": 16},
    {"model_type": "gemma3_text", **SMALL, "num_key_value_heads": 2, "head_dim": 32, "sliding_window": 16},
    {"model_type": "gpt2", "n_embd": 64, "n_layer": 3, "n_head": 4, "n_positions": 128, "vocab_size": 100},
    {"model_type": "mixtral", **SMALL, "num_key_value_heads": 2, "num_local_experts": 4, "num_experts_per_tok": 2},
    {"model_type": "qwen2_moe", **SMALL, "num_key_value_heads": 2, **EXPERTS, "shared_expert_intermediate_size": 48},
    {"model_type": "qwen3_moe", **SMALL, "num_key_value_heads": 2, **EXPERTS, "head_dim": 16, "mlp_only_layers": [1]},
    {"model_type": "deepseek_v2", **SMALL, **LATENT, **ROUTED, "first_k_dense_replace": 1, "topk_method": "greedy"},
    {"model_type": "deepseek_v3", **SMALL, **LATENT, **ROUTED, "first_k_dense_replace": 1, "n_group": 1},
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{config['model_type']}-{len(config)}")
def test_a_real_model_of_the_configuration_has_as_many_parameters_and_caches_as_many_numbers(config: dict[str, Any]) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, DynamicCache

    made = AutoConfig.for_model(**config)
    with torch.device("meta"):
        network: Any = AutoModelForCausalLM.from_config(made, dtype=torch.bfloat16)
    shape = read_config(json.loads(made.to_json_string(use_diff=False)), "tiny")
    assert shape.parameters == sum(weight.numel() for weight in network.parameters())
    cache = DynamicCache()
    network(torch.zeros(1, 3, dtype=torch.int64, device="meta"), past_key_values=cache, use_cache=True)
    held: list[Any] = list(cache.layers)
    assert [layer.cached * 3 for layer in shape.layers] == [layer.keys.numel() + layer.values.numel() for layer in held]
    kinds = getattr(made, "layer_types", None)
    if kinds:
        assert [layer.window is not None for layer in shape.layers] == [kind == "sliding_attention" for kind in kinds]


def test_windows_are_found_without_layer_types() -> None:
    gemma = read_config({"model_type": "gemma3_text", **SMALL, "sliding_window": 16}, "g")
    assert [layer.window for layer in gemma.layers] == [16] * 4
    assert sum(layer.window is None for layer in shape_of("gemma-3-12b").layers) == 8


def test_a_configuration_around_a_decoder_is_read_through() -> None:
    inner = {**SMALL, "num_key_value_heads": 2, "head_dim": 32}
    outer = {"model_type": "gemma3", "text_config": inner, "vision_config": {"hidden_size": 10}}
    assert read_config(outer, "g").parameters == read_config({"model_type": "gemma3_text", **inner}, "g").parameters


def test_quantized_checkpoints_are_counted_by_their_bits() -> None:
    llama = CONFIGS[0]
    assert read_config({**llama, "quantization_config": {"quant_method": "gptq", "bits": 4}}, "q").bits == 4
    assert read_config({**llama, "quantization_config": {"quant_method": "fp8"}}, "q").bits == 8
    assert read_config({**llama, "quantization_config": {"load_in_4bit": False, "load_in_8bit": True}}, "q").bits == 8
    assert read_config(llama, "q").bits == 0


def test_what_cannot_be_counted_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="model type 'mamba'"):
        read_config({"model_type": "mamba", "hidden_size": 4}, "m")
    with pytest.raises(ModelError, match="num_hidden_layers=None"):
        read_config({"model_type": "llama", "hidden_size": 64}, "m")
    with pytest.raises(ModelError, match="num_attention_heads='four'"):
        read_config({"model_type": "llama", **SMALL, "num_attention_heads": "four"}, "m")
    with pytest.raises(ModelError, match="layer 0 of 'm' is of type 'linear_attention'"):
        read_config({"model_type": "qwen3", **SMALL, "layer_types": ["linear_attention"] * 4}, "m")
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(ModelError, match="holds a list"):
        shape_of(str(tmp_path))
    with pytest.raises(ModelError, match=r"Shapes that need no files: .*llama-3\.1-405b"):
        shape_of(str(tmp_path / "nowhere"))
