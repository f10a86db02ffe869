"""Bytes and operations: hand-computed values, brute force over pairs, and tensors of a real cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lceval.costs.bundled import BUNDLED
from lceval.costs.configs import read_config, shape_of
from lceval.costs.flops import causal_pairs, flops, overtaken_at, score_bytes
from lceval.costs.gpus import CONTEXT, GPUS, Gpu, parse_gpus, recognised
from lceval.costs.memory import Setting, activations, gpus_needed, kv_held, kv_needed, kv_own, longest_that_fits, memory
from lceval.costs.units import count_text, parse_size, seconds_text, short_size, size_text
from lceval.errors import UsageError
from lceval.runners.variants.spec import parse

GIB = 1 << 30


@pytest.mark.parametrize(
    ("model", "gib"),
    [
        ("llama-3.1-8b", 16),  # 32 layers · 2 · 8 heads · 128 · 2 bytes · 131,072
        ("llama-3.1-70b", 40),  # 80 · 2 · 8 · 128 · 2 · 131,072
        ("llama-3.1-405b", 63),  # 126 · 2 · 8 · 128 · 2 · 131,072
        ("llama-2-7b", 64),  # 32 · 2 · 32 · 128 · 2 · 131,072
        ("qwen2.5-7b", 7),
        ("mistral-7b", 0.5),  # 32 · 2 · 8 · 128 · 2 · 4,096
        ("gemma-3-12b", 8 + 40 / 128),  # 8 full layers, and 40 · 2 · 8 · 256 · 2 · 1,024
        ("deepseek-v3", 61 * 576 * 2 / (1 << 13)),
    ],
)
def test_the_cache_of_128k_tokens_in_16_bits(model: str, gib: float) -> None:
    assert kv_needed(shape_of(model), 1 << 17, Setting()) / GIB == pytest.approx(gib, rel=1e-9)
    assert kv_own(shape_of(model), 1 << 17, Setting()) == kv_needed(shape_of(model), 1 << 17, Setting())


def test_the_walk_holds_windows_whole_and_an_engine_does_not() -> None:
    mistral = shape_of("mistral-7b")
    assert kv_held(mistral, 1 << 17, Setting()) == 16 * GIB
    assert kv_held(mistral, 1 << 17, Setting(walks=False)) == GIB // 2


def test_variants_change_what_is_held() -> None:
    llama = shape_of("llama-3.1-8b")

    def both(text: str) -> tuple[float, float]:
        setting = Setting(variant=parse(text))
        return kv_needed(llama, 1 << 17, setting) / GIB, kv_held(llama, 1 << 17, setting) / GIB

    needed, held = both("window(2044)+sinks(4)")
    assert (needed, held) == (pytest.approx(0.25, rel=1e-3), 16)
    packed, held = both("kv(int4)")
    assert packed == held == pytest.approx(16 * (0.25 + 2 * 16 / 32 / 16), rel=1e-3)  # 4 of 16 bits, two scales a group of 32
    assert both("h2o(1792,256)") == (0.25, 0.25)
    assert both("snapkv(1024)") == (0.125, 16)


def test_held_bytes_are_those_of_a_real_cache(tiny_model: Path) -> None:
    import numpy as np

    from lceval.runners.hf import HfRunner

    class Ids:
        ids = np.arange(3500) % 500 + 4

    shape = shape_of(str(tiny_model))
    for text in ("", "kv(int8,16)", "window(64)+sinks(4)"):
        with HfRunner(str(tiny_model), {"device": "cpu"}, text) as runner:
            setting = runner.setting
            state: Any = runner._state(3500)
            state.back_to(0)
            runner._prefill(state, Ids(), 0, [])  # type: ignore[arg-type]
            held = sum(getattr(layer, "nbytes", None) or layer.keys.nbytes + layer.values.nbytes for layer in state.cache.layers)
        assert (setting.dtype, setting.chunk) == ("float32", 512)
        assert kv_held(shape, 3500, setting) == pytest.approx(held, rel=0.03 if "int8" in text else 1e-9)


def test_the_sum_and_the_activations() -> None:
    llama = shape_of("llama-3.1-8b")
    at = memory(llama, 1 << 17, Setting())
    assert at.weights == 8_030_261_248 * 2
    assert at.logits == 128_256 * 6
    assert at.total == at.weights + at.kv + at.activations + at.logits
    # A chunk of 16,384: the residual stream; of the MLP 102,400 bytes a token, where attention has 6 · 4096 · 2 + 12 · 4096.
    assert at.activations == 16_384 * (4096 * 2 + (2 * 4096 + 3 * 14_336) * 2)
    square = read_config({**BUNDLED["llama-3.1-8b"], "intermediate_size": 4096}, "square")
    assert activations(square, 1 << 17, Setting()) == 16_384 * (4096 * 2 + (4096 * 6) * 2 + 12 * 4096)
    wide = Setting(chunk=512, dtype="float32")
    smol = shape_of("smollm2-135m")
    assert activations(smol, 4096, wide) == 512 * (576 * 4 + (2 * 576 + 3 * 1536) * 4)
    assert activations(smol, 100, wide) == 100 * (576 * 4 + (2 * 576 + 3 * 1536) * 4)


def test_gpus_and_the_longest_context() -> None:
    llama, h100 = shape_of("llama-3.1-8b"), GPUS["h100-80g"]
    longest = longest_that_fits(llama, Setting(), h100)
    assert memory(llama, longest, Setting()).total <= h100.memory - CONTEXT < memory(llama, longest + 1, Setting()).total
    big = shape_of("llama-3.1-70b")
    assert longest_that_fits(big, Setting(), h100) == 0
    assert gpus_needed(big, 1 << 17, Setting(), h100, split="tensor") == 4  # 131 + 40 GiB over 2 leaves too little of 78.6
    assert gpus_needed(big, 1 << 17, Setting(), h100, split="context") is None
    assert gpus_needed(llama, 1 << 20, Setting(), h100, split="tensor") == 2
    assert gpus_needed(llama, 1 << 20, Setting(), h100, split="context") == 4  # 15 GiB of weights on each


def test_gpus_are_found_by_name_and_by_what_drivers_say() -> None:
    assert [gpu.name for gpu in parse_gpus("h200, h100-80g", "24G")] == ["h200", "h100-80g", "24 GiB"]
    assert parse_gpus("", "24GiB") == (Gpu("24 GiB", 24 * GIB),)
    with pytest.raises(UsageError, match=r"unknown GPU 'h300'.*--gpu-memory 80G"):
        parse_gpus("h300")
    with pytest.raises(UsageError, match="--gpu-memory 'much'"):
        parse_gpus("", "much")
    for said, name in {
        "NVIDIA H100 80GB HBM3": "h100-80g",
        "NVIDIA A100-SXM4-40GB": "a100-40g",
        "NVIDIA H200": "h200",
        "NVIDIA GeForce RTX 4090": "rtx4090",
        "Tesla T4": "t4",
        "NVIDIA L40S": "l40s",
        "NVIDIA L4": "l4",
    }.items():
        found = recognised([said])
        assert found is not None, said
        assert found.name == name
    assert recognised(["NVIDIA GeForce GT 710", "NVIDIA A40"]) is None
    assert recognised([]) is None


@pytest.mark.parametrize(("length", "window"), [(1, None), (7, None), (50, 8), (8, 8), (5, 8), (64, 1)])
def test_causal_pairs_are_those_counted_one_by_one(length: int, window: int | None) -> None:
    pairs = sum(1 for i in range(length) for j in range(i + 1) if window is None or i - j < window)
    assert causal_pairs(length, window) == pairs


def test_flops_of_an_8b_worked_out_by_hand() -> None:
    found = flops(shape_of("llama-3.1-8b"), 4096)
    pairs = 4096 * 4097 // 2
    assert found.qk == found.pv == 32 * 2 * 32 * 128 * pairs
    matrices = 4096 * 4096 * 2 + 4096 * 1024 * 2 + 3 * 4096 * 14_336
    assert found.linear == 2 * 4096 * 32 * matrices + 2 * 4096 * 128_256
    assert flops(shape_of("llama-3.1-8b"), 4096, causal=False).qk == 32 * 2 * 32 * 128 * 4096**2
    assert score_bytes(shape_of("llama-3.1-8b"), 1 << 17) == 32 * (1 << 34) * 2  # 1 TiB
    deep = flops(shape_of("deepseek-v3"), 1000)
    assert deep.qk / deep.pv == 192 / 128  # keys have 128 + 64 dimensions, values 128


def test_experts_cost_what_a_token_meets() -> None:
    sparse, dense = shape_of("mixtral-8x7b"), shape_of("mistral-7b")
    expert = 3 * 4096 * 14_336
    assert sparse.active - dense.active == 32 * (expert + 4096 * 8)  # one expert more, and the router


def test_attention_overtakes_where_it_says() -> None:
    for name in ("llama-3.1-8b", "gpt2", "gemma-3-12b", "deepseek-v3"):
        shape = shape_of(name)
        at = overtaken_at(shape)
        assert at is not None
        before, after = flops(shape, at - 1), flops(shape, at)
        assert before.attention <= before.linear
        assert after.attention > after.linear
    assert overtaken_at(shape_of("llama-3.1-8b")) == pytest.approx(2 * 6_979_321_856 / (4 * 32 * 32 * 128 / 2), rel=1e-3)
    assert overtaken_at(shape_of("mistral-7b")) is None


@pytest.mark.parametrize("text", ["window(100)+sinks(4)", "window(64)+stride(8)", "segment(64,32)", "h2o(100,20)", "window(16)@0"])
def test_flops_of_a_variant_count_the_pairs_that_it_leaves(text: str) -> None:
    from lceval.costs.memory import alike
    from lceval.runners.variants.held import visible

    config = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 10, "intermediate_size": 8}
    shape = read_config({"model_type": "llama", **config}, "tiny")
    setting = Setting(variant=parse(text))
    pairs = 0
    for group in alike(shape, setting.variant):
        kept = [int(atom["b"]) + int(atom["every"]) for atom in group.atoms if atom.name == "h2o"]
        pairs += len(group.layers) * sum(min([visible(group, i), *kept]) for i in range(700))
    assert flops(shape, 700, setting).qk == pytest.approx(2 * 4 * 16 * pairs, rel=0.03)


def test_quantities_read_well() -> None:
    assert [size_text(n) for n in (0, 1023, 1536, 40 * GIB, 1e15)] == ["0 B", "1,023 B", "1.5 KiB", "40 GiB", "909.5 TiB"]
    assert short_size(15.88 * GIB) == "15.9 Gi"
    assert [count_text(n, "FLOP") for n in (0, 12, 4.5e15, 2.27e18)] == ["0 FLOP", "12 FLOP", "4.5 PFLOP", "2.27 EFLOP"]
    assert [seconds_text(s) for s in (0.0123, 9.5, 185, 9000, 1e6)] == ["12.3 ms", "9.5 s", "3:05 min", "2.5 h", "11.6 days"]
    assert parse_size("1.5T", "--x") == 3 << 39
    for wrong in ("0G", "G", "-4G", "80 apples"):
        with pytest.raises(UsageError, match="--x"):
            parse_size(wrong, "--x")
