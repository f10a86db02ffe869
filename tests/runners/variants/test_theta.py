from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lceval.errors import UsageError
from lceval.runners.variants import theta
from lceval.runners.variants.hook import Hook, Phases
from lceval.runners.variants.spec import parse
from lceval.runners.variants.theta import reach, resolve, rotary, trained_length, varies

TRAINED = 128
SHAPES = [(16, 1e4), (32, 5e5), (64, 1e4), (128, 1e6)]
"""Head dimensions and RoPE bases."""
FACTORS = [1.0, 2.0, 4.0, 7.5, 16.0]


def one(text: str) -> Any:
    (atom,) = parse(text).atoms
    return atom


def llama(dim: int, base: float, **more: Any) -> Any:
    from transformers import AutoConfig

    rope = {"rope_type": "default", "rope_theta": base, **more}
    return AutoConfig.for_model(
        "llama", hidden_size=4 * dim, num_attention_heads=4, head_dim=dim, max_position_embeddings=TRAINED, rope_parameters=rope
    )


def made(config: Any, text: str, length: int = 100) -> tuple[list[float], float]:
    """What the atom gives: inverse frequencies, and the factor of cos and sin, by Transformers' own module."""
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    module = rotary(LlamaRotaryEmbedding(config), config, resolve(one(text), config, length))
    return module.inv_freq.tolist(), module.attention_scaling


def turns(dim: int, base: float) -> list[float]:
    return [base ** (-2 * m / dim) for m in range(dim // 2)]


# The formulas, as the papers have them.


def pi(dim: int, base: float, s: float) -> list[float]:
    return [each / s for each in turns(dim, base)]


def ntk(dim: int, base: float, s: float) -> list[float]:
    return turns(dim, base * s ** (dim / (dim - 2)))


def yarn(dim: int, base: float, s: float) -> list[float]:
    """By the number m of a phase, whose turns over the trained length fall from 32 at `low` to 1 at `high` (whole numbers)."""

    def number(rotations: float) -> float:
        return dim * math.log(TRAINED / (rotations * 2 * math.pi)) / (2 * math.log(base))

    low, high = max(math.floor(number(32)), 0), min(math.ceil(number(1)), dim - 1)
    found = []
    for m, each in enumerate(turns(dim, base)):
        gamma = 1 - min(1, max(0, (m - low) / (high - low)))
        found.append((1 - gamma) * each / s + gamma * each)
    return found


def llama3(dim: int, base: float, s: float) -> list[float]:
    found = []
    for each in turns(dim, base):
        fits = TRAINED * each / (2 * math.pi)  # wavelengths in the trained length
        smooth = min(1, max(0, (fits - 1) / (4 - 1)))
        found.append((1 - smooth) * each / s + smooth * each)
    return found


FORMULAS: dict[str, Callable[[int, float, float], list[float]]] = {"pi": pi, "ntk": ntk, "yarn": yarn, "llama3": llama3}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize(("dim", "base"), SHAPES)
def test_frequencies_are_those_of_the_papers(name: str, dim: int, base: float) -> None:
    for s in FACTORS:
        found, factor = made(llama(dim, base), f"{name}({s})")
        assert found == pytest.approx(FORMULAS[name](dim, base, s), rel=2e-5)
        assert factor == pytest.approx(0.1 * math.log(s) + 1 if name == "yarn" else 1.0)
        if s == 1:
            assert found == pytest.approx(turns(dim, base), rel=2e-5)


@pytest.mark.parametrize(("dim", "base"), SHAPES)
def test_a_part_of_the_phases_and_another_base(dim: int, base: float) -> None:
    for p in (0.0, 0.25, 0.5, 0.75, 1.0):
        kept = int(p * dim) // 2
        wanted = [each if m < kept else 0.0 for m, each in enumerate(turns(dim, base))]
        assert made(llama(dim, base), f"prope({p})") == (pytest.approx(wanted, rel=2e-5), 1.0)
    assert made(llama(dim, base), "theta(70000)") == (pytest.approx(turns(dim, 7e4), rel=2e-5), 1.0)


NATIVE: dict[str, dict[str, Any]] = {
    "pi(4)": {"rope_type": "linear", "factor": 4.0},
    "yarn(4)": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": TRAINED},
    "llama3(8)": {
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": TRAINED,
    },
    "prope(0.5)": {"rope_type": "proportional", "partial_rotary_factor": 0.5},
    "theta(70000)": {"rope_type": "default", "rope_theta": 70000.0},
}  # fmt: skip


@pytest.mark.parametrize("text", NATIVE)
@pytest.mark.parametrize("kind", ["llama", "qwen3", "mistral", "mixtral", "cohere2"])
def test_logits_are_those_of_a_model_that_is_loaded_so(text: str, kind: str, tiny: Any) -> None:
    base = tiny(kind).config.rope_parameters["rope_theta"]
    stock = tiny(kind, rope_parameters={"rope_theta": base, **NATIVE[text]}, head_dim=16)
    ids = torch.arange(90) * 37 % 190 + 4
    changed = tiny(kind)
    phases = Phases(changed, changed.config, parse(text))
    with torch.inference_mode():
        before = changed(ids[None]).logits
        phases.put(phases.rotary(one(text), 100))
        assert torch.equal(changed(ids[None]).logits, stock(ids[None]).logits)
        phases.put(phases.stock)
        assert torch.equal(changed(ids[None]).logits, before)
    if kind != "cohere2":  # whose middle layer alone is NoPE
        assert not torch.equal(before, stock(ids[None]).logits)


@pytest.mark.parametrize("kind", ["phi", "gpt_neox", "glm", "stablelm"])
def test_of_heads_that_turn_in_part_only_that_part_is_changed(kind: str, tiny: Any) -> None:
    model = tiny(kind)
    dim = theta.rotary_dim(model.config, model.config.rope_parameters)
    base = model.config.rope_parameters["rope_theta"]
    assert 0 < dim < 16
    for text in ("pi(4)", "ntk(4)", "llama3(4)", "theta(70000)"):
        module = rotary(Phases(model, model.config, parse("")).stock, model.config, resolve(one(text), model.config, 100))
        name, s = text.partition("(")[0], 4.0
        wanted = turns(dim, 7e4) if name == "theta" else FORMULAS[name](dim, base, s)
        assert module.inv_freq.tolist() == pytest.approx(wanted, rel=2e-5)
    with pytest.raises(UsageError, match="rotates only a part of each head already"):
        resolve(one("prope(0.5)"), model.config, 100)


def test_longrope_divides_every_phase_by_its_own_factor(tmp_path: Path) -> None:
    short, long = [1.0 + m / 10 for m in range(8)], [1.5 + m for m in range(8)]
    file = tmp_path / "factors + 1.json"
    file.write_text(json.dumps({"short_factor": short, "long_factor": long, "factor": 4.0}))
    config = llama(16, 1e4)
    mscale = math.sqrt(1 + math.log(4) / math.log(TRAINED))
    for length, factors in ((TRAINED, short), (TRAINED + 1, long), (500, long)):
        found, scaling = made(config, f"longrope({file})", length)
        assert found == pytest.approx([each / by for each, by in zip(turns(16, 1e4), factors, strict=True)], rel=2e-5)
        assert scaling == pytest.approx(mscale)
    file.write_text(json.dumps({"short_factor": [1.0] * 8, "long_factor": [2.0] * 8}))
    assert made(config, f"longrope({file})", 100) == (pytest.approx(turns(16, 1e4), rel=2e-5), 1.0)
    assert made(config, f"longrope({file})", 200) == (pytest.approx(pi(16, 1e4, 2), rel=2e-5), 1.0)
    assert varies(parse(f"longrope({file})"), config)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "is no file of LongRoPE factors (FileNotFoundError"),
        ("{", "is no file of LongRoPE factors (JSONDecodeError"),
        ("[1, 2]", "is no file of LongRoPE factors (TypeError"),
        ('{"short_factor": [1, 2]}', "is no file of LongRoPE factors (KeyError"),
        ('{"short_factor": 1, "long_factor": 2}', "is no file of LongRoPE factors (TypeError"),
        ('{"short_factor": ["x"], "long_factor": [2]}', "is no file of LongRoPE factors (ValueError"),
        ('{"short_factor": [1, 1, 1], "long_factor": [2, 2]}', "has 3 and 2 factors; this model has 8 phases"),
    ],
)
def test_what_is_no_file_of_factors_is_told(content: str | None, says: str, tmp_path: Path) -> None:
    file = tmp_path / "factors.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UsageError) as caught:
        resolve(one(f"longrope({file})"), llama(16, 1e4), 100)
    assert says in str(caught.value)


@pytest.mark.parametrize("name", FORMULAS)
def test_auto_is_the_factor_that_the_length_needs(name: str) -> None:
    config = llama(32, 1e4)
    assert varies(parse(f"{name}(auto)"), config)
    assert not varies(parse(f"{name}(4)"), config)
    for length, s in ((1, 1), (128, 1), (129, 2), (256, 2), (257, 3), (1000, 8)):
        found = made(config, f"{name}(auto)", length)
        assert found == (made(config, f"{name}({s})") if s > 1 else (pytest.approx(turns(32, 1e4), rel=2e-5), 1.0))


def test_layers_with_a_window_keep_their_phases(tiny: Any) -> None:
    model = tiny("gemma3_text")
    own = copy.deepcopy(model.config.rope_parameters)
    for text in ("yarn(4)", "pi(2)", "ntk(auto)", "theta(70000)", "prope(0.5)"):
        found = resolve(one(text), model.config, 300)
        assert found["sliding_attention"] == own["sliding_attention"]
        assert found["full_attention"] != own["full_attention"]
        module = rotary(Phases(model, model.config, parse("")).stock, model.config, found)
        assert module.sliding_attention_inv_freq.tolist() == pytest.approx(turns(16, 1e4), rel=2e-5)
        assert module.full_attention_inv_freq.tolist() != pytest.approx(turns(16, 1e6), rel=2e-5)
    assert model.config.rope_parameters == own
    with pytest.raises(UsageError, match="layers with a window keep the phases that they were trained with"):
        resolve(one("yarn(4)@sliding"), model.config, 100)


@pytest.mark.parametrize("text", ["pi(4)", "ntk(4)", "yarn(4)", "llama3(8)", "theta(70000)", "prope(0.5)"])
def test_a_native_scaling_is_replaced_and_not_scaled_again(text: str) -> None:
    plain = llama(16, 1e4)
    stretched = {"factor": 2.0, "original_max_position_embeddings": TRAINED}
    for native in (
        {"rope_type": "yarn", **stretched},
        {"rope_type": "llama3", "low_freq_factor": 1.0, "high_freq_factor": 4.0, **stretched},
        {"rope_type": "longrope", "short_factor": [1.0] * 8, "long_factor": [2.0] * 8, **stretched},
    ):
        config = llama(16, 1e4, **native)
        config.max_position_embeddings = 256
        assert trained_length(config) == TRAINED
        assert made(config, text) == made(plain, text)
        assert resolve(None, config, 100) != {} or native
    dynamic = llama(16, 1e4, rope_type="dynamic", factor=2.0)
    assert trained_length(dynamic) == TRAINED
    assert made(dynamic, text) == made(plain, text)


def test_phi3_keeps_its_trained_length_beside_its_rope(tiny: Any) -> None:
    factors = {"rope_type": "longrope", "short_factor": [1.0] * 8, "long_factor": [4.0] * 8}
    config = tiny("phi3", max_position_embeddings=512, original_max_position_embeddings=TRAINED, rope_parameters=factors).config
    assert trained_length(config) == TRAINED
    assert reach(parse(""), config) == 512


def test_dynamic_is_its_own_formula_at_the_final_length() -> None:
    config = llama(16, 1e4, rope_type="dynamic", factor=2.0)
    for length in (1, 100, 128, 129, 300, 1000):
        n = max(length, TRAINED)
        base = 1e4 * (2.0 * n / TRAINED - 1) ** (16 / 14)
        rope = resolve(None, config, length)
        assert rope["rope_type"] == "default"
        from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

        module = rotary(LlamaRotaryEmbedding(config), config, rope)
        assert module.inv_freq.tolist() == pytest.approx(turns(16, base), rel=2e-5)


def native_models(tiny: Any) -> dict[str, Any]:
    factors = {"short_factor": [1.0] * 8, "long_factor": [1.0 + m for m in range(8)]}
    return {
        "dynamic": tiny("llama", max_position_embeddings=64, rope_parameters={"rope_type": "dynamic", "factor": 2.0}),
        "longrope": tiny(
            "phi3",
            max_position_embeddings=256,
            original_max_position_embeddings=64,
            rope_parameters={"rope_type": "longrope", **factors},
        ),
    }


def in_pieces(model: Any, ids: Tensor, size: int) -> Tensor:
    from transformers import DynamicCache

    cache, found = DynamicCache(), []
    with torch.inference_mode():
        for start in range(0, len(ids), size):
            at = torch.arange(start, min(start + size, len(ids)))[None]
            found.append(model(ids[None, start : start + size], past_key_values=cache, position_ids=at).logits[0])
    return torch.cat(found)


@pytest.mark.parametrize("native", ["dynamic", "longrope"])
def test_types_that_change_while_they_read_are_fixed_for_a_request(native: str, tiny: Any) -> None:
    model = native_models(tiny)[native]
    ids = torch.arange(150) * 37 % 190 + 4
    with torch.inference_mode():
        whole = model(ids[None]).logits[0]
    assert (in_pieces(model, ids, 50) - whole).abs().max() > 0.1, "stock Transformers turns early keys in another way"

    assert varies(parse(""), model.config)
    phases = Phases(model, model.config, parse(""))
    phases.put(phases.rotary(None, len(ids)))
    with torch.inference_mode():
        assert torch.allclose(model(ids[None]).logits[0], whole, atol=1e-4)
        for size in (1, 37, 50):
            assert torch.allclose(in_pieces(model, ids, size), whole, atol=2e-4)


def test_lengths_of_equal_frequencies_have_one_key() -> None:
    model = nn.Module()
    model.rotary_emb = nn.Identity()
    config = llama(16, 1e4)
    for text, lengths, groups in (
        ("yarn(auto)", (100, 128, 129, 200, 256, 257), 3),
        ("yarn(4)", (100, 1000), 1),
        ("", (100, 1000), 1),
        ("pi(auto)@0-1+ntk(2)@2", (100, 200, 256), 2),
    ):
        phases = Phases(model, config, parse(text))
        assert len({phases.key(length) for length in lengths}) == groups, text
    dynamic = Phases(model, llama(16, 1e4, rope_type="dynamic", factor=2.0), parse(""))
    assert len({dynamic.key(length) for length in (1, 100, 128, 129, 130)}) == 3


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("", 128),
        ("window(8)", 128),
        ("yarn(4)", 512),
        ("pi(2)", 256),
        ("theta(1000000)", 128),
        ("prope(0.5)", 128),
        ("yarn(auto)", None),
        ("yarn(4)@0-1", 128),
        ("self_extend(4,32)", (128 - 32) * 4 + 32),
        ("self_extend(4,32)+yarn(2)", (256 - 32) * 4 + 32),
        ("self_extend(4,256)", 128),
        ("leaky(32,8)", 32 + 96 * 8),
        ("leaky", 32 + 96 * 8),
        ("rerope(32)", None),
        ("dca", None),
        ("streaming(4,64)", None),
        ("rerope(32)@0", 128),
    ],
)
def test_reach_is_the_length_whose_distances_were_all_trained(text: str, limit: int | None) -> None:
    assert reach(parse(text), llama(16, 1e4)) == limit


def test_reach_of_models_that_are_stretched_already() -> None:
    config = llama(16, 1e4, rope_type="yarn", factor=4.0, original_max_position_embeddings=TRAINED)
    assert reach(parse(""), config) == 512
    assert reach(parse("temp(2)"), config) == 512
    assert reach(parse("yarn(8)"), config) == 1024
    assert reach(parse("theta(70000)"), config) == 128
    assert reach(parse("self_extend(4,32)"), config) == (512 - 32) * 4 + 32


def test_models_without_rope_or_a_trained_length_are_told(tiny: Any) -> None:
    from transformers import GPT2Config

    with pytest.raises(UsageError, match=r"this model \(gpt2\) has no RoPE, so its phases cannot be changed. Leave yarn out"):
        resolve(one("yarn(4)"), GPT2Config(), 100)
    assert resolve(None, GPT2Config(), 100) == {}
    config = llama(16, 1e4)
    config.max_position_embeddings = 0
    assert trained_length(config) == 0
    assert reach(parse("yarn(4)"), config) is None
    for text in ("yarn(4)", "pi(auto)", "ntk(auto)", "llama3(8)"):
        with pytest.raises(UsageError, match="does not say for how many tokens it was trained"):
            resolve(one(text), config, 100)
    assert resolve(one("pi(4)"), config, 100)["factor"] == 4


@pytest.mark.parametrize("text", ["yarn(4)@0", "yarn(4)@0+pi(2)@1-2", "ntk(auto)@every2"])
def test_layers_may_turn_differently(
    text: str, tiny: Any, hooked: Callable[[Any, str], Hook], logits: Callable[..., Tensor]
) -> None:
    # Every layer with the same atom is the atom for all layers; with different ones it is neither.
    ids = torch.arange(200) * 37 % 190 + 4
    whole = text.partition("@")[0]
    everywhere = logits(hooked(tiny("llama"), f"{whole}@0-2"), ids)
    model = tiny("llama")
    phases = Phases(model, model.config, parse(whole))
    phases.put(phases.rotary(one(whole), len(ids)))
    with torch.inference_mode():
        assert torch.allclose(everywhere, model(ids[None]).logits[0], atol=2e-4)
    found = logits(hooked(tiny("llama"), text), ids)
    assert (found - everywhere).abs().max() > 0.1
    assert (found - logits(hooked(tiny("llama"), ""), ids)).abs().max() > 0.1
