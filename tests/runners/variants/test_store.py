from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor
from transformers import AttentionInterface

from lceval.config import RunConfig
from lceval.errors import ModelError, UsageError
from lceval.planning import Plan
from lceval.runners.hf import HfRunner
from lceval.runners.variants.attend import Layer, partial_by_runs, reference, within
from lceval.runners.variants.held import bytes_per_token
from lceval.runners.variants.hook import Hook
from lceval.runners.variants.pairs import CAUSAL, Band
from lceval.runners.variants.spec import parse
from lceval.runners.variants.store import (
    CODECS,
    BFloat16,
    Exact,
    Float8,
    Integers,
    Packed,
    PackedLayer,
    pack,
    unpack,
)

TOKENS = 100
CUTS = (0, 37, 60, 61, 62, 63, 99, TOKENS)
"""Where chunks end: some in the middle of a group, some single tokens."""
KINDS: dict[str, dict[str, Any]] = {"llama": {}, "mistral": {}, "gemma2": {"attn_logit_softcapping": 2.0}}


class Hooked:
    """A tiny model with a variant in it, and a cache."""

    def __init__(self, network: Any, hook: Hook) -> None:
        self.network, self.hook = network, hook
        hook.use(TOKENS)
        self.state = hook.state(TOKENS)

    @torch.inference_mode()
    def whole(self, ids: Tensor) -> Tensor:
        """Logits [N, V] without a cache: nothing is quantized."""
        self.hook.cache = None
        found: Tensor = self.network(ids[None], use_cache=False).logits[0]
        return found

    @torch.inference_mode()
    def __call__(self, ids: Tensor, cuts: Sequence[int]) -> Tensor:
        """Logits of the tokens from the first cut on, in chunks that end at the others; what comes before is in the cache."""
        self.hook.cache = cache = self.state.cache
        return torch.cat(
            [
                self.network(ids[None, lo:hi], past_key_values=cache, position_ids=torch.arange(lo, hi)[None]).logits[0]
                for lo, hi in pairwise(cuts)
            ]
        )

    def listen(self, ids: Tensor, cuts: Sequence[int]) -> Iterator[tuple[int, Tensor, Tensor, Tensor, Tensor, dict[str, Any]]]:
        """Of each layer: its index, queries, keys and values of all chunks as projected, what attention gives, and its settings."""
        heard: dict[int, list[tuple[Tensor, ...]]] = {}
        settings: dict[int, dict[str, Any]] = {}

        def attend(module: Any, q: Tensor, k: Tensor, v: Tensor, mask: None, **given: Any) -> tuple[Tensor, None]:
            out, _ = self.hook.attend(module, q, k, v, mask, **given)
            heard.setdefault(module.layer_idx, []).append((q, k, v, out.transpose(1, 2)))
            settings[module.layer_idx] = given
            return out, None

        AttentionInterface.register("test_store", attend)
        self.network.set_attn_implementation("test_store")
        self(ids, cuts)
        for index, passes in heard.items():
            q, k, v, out = (torch.cat(parts, dim=2) for parts in zip(*passes, strict=True))
            yield index, q, k, v, out, settings[index]


@pytest.fixture
def model(tiny: Callable[..., Any], hooked: Callable[[Any, str], Hook]) -> Callable[..., Hooked]:
    """`model(kind, variant, dtype, **config)`."""

    def make(kind: str, variant: str, dtype: torch.dtype = torch.float32, **config: Any) -> Hooked:
        network = tiny(kind, **KINDS[kind], **config).to(dtype)
        return Hooked(network, hooked(network, variant))

    return make


def some_ids(seed: int = 1) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(4, 190, TOKENS))


def atom_layer(variant: str, capacity: int = TOKENS) -> PackedLayer:
    return PackedLayer(lambda keys, move, first: keys, parse(variant).atoms[0], capacity)


PLAIN = Layer(within((Band(CAUSAL),)), rotation=None)


# Codecs


@given(
    bits=st.sampled_from((8, 4, 2)),
    rows=st.integers(1, 5),
    group=st.sampled_from((4, 8, 32)),
    dtype=st.sampled_from((torch.float32, torch.bfloat16, torch.float16)),
    along=st.sampled_from((-1, -2)),
    spread=st.sampled_from((0.0, 1e-3, 1.0, 1e3)),
    offset=st.sampled_from((0.0, 1.0, -300.0)),
    seed=st.integers(0, 1000),
)
@example(bits=4, rows=1, group=4, dtype=torch.bfloat16, along=-1, spread=0.0, offset=0.0, seed=0)
def test_integers_are_off_by_half_a_step_at_most(
    bits: int, rows: int, group: int, dtype: torch.dtype, along: int, spread: float, offset: float, seed: int
) -> None:
    drawn = np.random.default_rng(seed).standard_cauchy((2, rows, group, group)).clip(-30, 30) * spread + offset
    x = torch.from_numpy(drawn).to(dtype)
    packed, scale, low = Integers(bits).encode(x, along)
    again = Integers(bits).decode(packed, scale, low)
    assert packed.nbytes * 8 == bits * x.numel()
    assert scale.dtype == low.dtype == dtype
    assert scale.numel() == low.numel() == x.numel() // group
    rounding = 1e-6 * (x.float().abs() + scale.float())
    assert ((again - x.float()).abs() <= scale.float() / 2 * (1 + 1e-4) + rounding).all()
    span = x.float().amax(along, keepdim=True) - x.float().amin(along, keepdim=True)
    assert (scale.float() <= span / (2**bits - 1) * 1.02 + 1e-7).all()


@pytest.mark.parametrize("bits", ["int8", "int4", "int2", "fp8", "bf16"])
@pytest.mark.parametrize("value", [0.0, 1.5, -20.0])
def test_groups_of_equal_numbers_stay_as_they_are(bits: str, value: float) -> None:
    x = torch.full((1, 8, 8), value)
    again = CODECS[bits].decode(*CODECS[bits].encode(x, -1))
    torch.testing.assert_close(again, x, atol=0.0, rtol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_float8_is_off_by_a_sixteenth_at_most(dtype: torch.dtype) -> None:
    x = (torch.randn(50, 32) * torch.logspace(-2, 2, 50)[:, None]).to(dtype)
    numbers, scale = Float8().encode(x, -1)
    assert numbers.dtype == torch.float8_e4m3fn
    error = (Float8().decode(numbers, scale) - x.float()).abs()
    assert (error <= torch.maximum(x.float().abs() / 16, scale.float() / 1024) * 1.001).all()


def test_bfloat16_of_bfloat16_is_exact() -> None:
    x = torch.randn(3, 8, 8).bfloat16()
    assert torch.equal(BFloat16().decode(*BFloat16().encode(x, -1)), x.float())


@given(bits=st.sampled_from((8, 4, 2)), rows=st.integers(0, 5), width=st.integers(1, 9), seed=st.integers(0, 100))
def test_packing_loses_nothing(bits: int, rows: int, width: int, seed: int) -> None:
    numbers = torch.from_numpy(np.random.default_rng(seed).integers(0, 2**bits, (2, rows, width * 8 // bits), dtype=np.uint8))
    packed = pack(numbers, bits)
    assert packed.shape == (2, rows, width)
    assert torch.equal(unpack(packed, bits), numbers)


# Which pairs


def boundary(i: int, group: int, recent: int) -> int:
    return max(0, (i + 1 - recent) // group * group)


@given(
    group=st.integers(1, 9),
    recent=st.integers(0, 20),
    i0=st.integers(0, 40),
    rows=st.integers(1, 20),
    j0=st.integers(0, 40),
    keys=st.integers(1, 20),
)
def test_blocks_know_their_pairs(group: int, recent: int, i0: int, rows: int, j0: int, keys: int) -> None:
    packed = Packed(group, recent)
    i, j = np.arange(i0, i0 + rows), np.arange(j0, j0 + keys)
    wanted = np.array([[key < boundary(query, group, recent) for key in j] for query in i])
    corners = [np.array([edge]) for edge in (i[0], i[-1], j[0], j[-1])]
    for pairs, truth in ((packed, wanted), (Exact(packed), ~wanted)):
        assert np.array_equal(pairs(torch.from_numpy(i)[:, None], torch.from_numpy(j)[None]).numpy(), truth)
        assert pairs.some(*corners) == truth.any()
        assert pairs.every(*corners) == truth.all()
    assert packed.by(i0 + 1) == boundary(i0, group, recent)


# The definition, by brute force


def rounded(x: Tensor, bits: str, dim: int) -> Tensor:
    """What becomes of float32 numbers whose groups lie along `dim`; arithmetic as a user would write it, in float32."""
    if bits == "bf16":
        return x.bfloat16().float()
    if bits == "fp8":
        positive = torch.tensor(
            [0, *(m / 512 for m in range(1, 8)), *((8 + m) * 2.0 ** (e - 10) for e in range(1, 16) for m in range(8))]
        )
        scale = x.abs().amax(dim, keepdim=True) / 448
        return positive[:127][((x / scale).abs()[..., None] - positive[:127]).abs().argmin(-1)] * x.sign() * scale
    low, high, top = x.amin(dim, keepdim=True), x.amax(dim, keepdim=True), 2 ** int(bits.removeprefix("int")) - 1
    scale = high / top - low / top
    return low + ((x - low) / scale).round() * scale


def by_definition(
    q: Tensor, k: Tensor, v: Tensor, rotary: Any, bits: str, group: int, recent: int, *,
    scaling: float, softcap: float | None = None, near: int = 0, grow: int = 1, **sight: Any,
) -> Tensor:  # fmt: skip
    """All pairs at once, each with its own choice of the exact or the quantized key and value.

    `near` and `grow` are Self-Extend's window and group.
    """
    n, repeat = q.shape[2], q.shape[1] // k.shape[1]
    k_, v_ = k.clone(), v.clone()
    for at in range(0, n - group + 1, group):
        part = slice(at, at + group)
        k_[:, :, part] = rounded(k[:, :, part], bits, 2)
        for channel in range(0, v.shape[3], group):
            v_[:, :, part, channel : channel + group] = rounded(v[:, :, part, channel : channel + group], bits, 3)
    q, k, v, k_, v_ = (x.double() if x is q else x.double().repeat_interleave(repeat, 1) for x in (q, k, v, k_, v_))

    def turned(x: Tensor, positions: Tensor) -> Tensor:
        cos, sin = (table.double() for table in rotary(x.float(), positions[None]))
        left, right = x.chunk(2, dim=-1)
        return x * cos + torch.cat((-right, left), dim=-1) * sin

    def scores(keys: Tensor) -> Tensor:
        at = torch.arange(n)
        close = turned(q, at) @ turned(keys, at).mT
        far = turned(q, at // grow + near - near // grow) @ turned(keys, at // grow).mT
        return torch.where(at[:, None] - at < near, close, far) if near else close

    def sees(i: int, j: int) -> bool:
        native, window, sinks = sight.get("sliding_window") or n, sight.get("window", n), sight.get("sinks", 0)
        return j <= i and i - j < native and (i - j < window or j < sinks)

    seen = torch.tensor([[sees(i, j) for j in range(n)] for i in range(n)])
    packed = torch.tensor([[j < boundary(i, group, recent) for j in range(n)] for i in range(n)])
    s = torch.where(packed, scores(k_), scores(k)) * scaling
    s = torch.tanh(s / softcap) * softcap if softcap else s
    p = s.masked_fill(~seen, float("-inf")).softmax(-1)
    return ((p * packed) @ v_ + (p * ~packed) @ v).float()


@pytest.mark.parametrize(
    ("bits", "group", "recent"), [("int8", 8, 5), ("int4", 16, 0), ("int2", 4, 20), ("fp8", 8, 0), ("bf16", 1, 3), ("int4", 16, 99)]
)
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_what_the_definition_says(model: Callable[..., Hooked], kind: str, bits: str, group: int, recent: int) -> None:
    hooked = model(kind, f"kv({bits},{group},{recent})")
    rotary = hooked.hook.phases.stock
    for _, q, k, v, found, call in hooked.listen(some_ids(), CUTS):
        torch.testing.assert_close(found, by_definition(q, k, v, rotary, bits, group, recent, **call), atol=1e-5, rtol=1e-5)
        full = by_definition(q, k, v, rotary, bits, group, TOKENS, **call)
        assert ((full - found).abs().max() > 1e-3) == (recent < 99), "the test sees no difference"


@pytest.mark.parametrize(
    ("others", "settings"),
    [
        ("window(20)+sinks(3)", {"window": 20, "sinks": 3}),
        ("self_extend(4,16)", {"near": 16, "grow": 4}),
        ("yarn(2)", {}),
        ("self_extend(4,16)+ntk(2)+window(50)", {"near": 16, "grow": 4, "window": 50}),
    ],
)
@pytest.mark.parametrize("kind", ["llama", "gemma2"])
def test_it_goes_with_other_atoms(model: Callable[..., Hooked], kind: str, others: str, settings: dict[str, int]) -> None:
    hooked = model(kind, f"kv(int4,8,4)+{others}")
    for index, q, k, v, found, call in hooked.listen(some_ids(), CUTS):
        theta = hooked.hook.of(index, "theta")
        rotary = hooked.hook.phases.rotary(theta[0] if theta else None, TOKENS)
        torch.testing.assert_close(found, by_definition(q, k, v, rotary, "int4", 8, 4, **call, **settings), atol=1e-5, rtol=1e-5)


# Limits


@pytest.mark.parametrize("kind", KINDS)
def test_bf16_of_a_bf16_model_is_full_attention(model: Callable[..., Hooked], kind: str) -> None:
    hooked = model(kind, "kv(bf16,8,4)", torch.bfloat16)
    for index, q, k, v, found, call in hooked.listen(some_ids(), (0, TOKENS)):
        keys, values = hooked.state.cache.layers[index]._slabs
        assert torch.equal(keys.read(0, 96), k[:, :, :96])
        assert torch.equal(values.read(0, 96), v[:, :, :96])
        wanted = by_definition(*(x.float() for x in (q, k, v)), hooked.hook.phases.stock, "bf16", 8, TOKENS, **call)
        torch.testing.assert_close(found.float(), wanted, atol=0.05, rtol=0.05)


@pytest.mark.parametrize("bits", ["int8", "int4"])
def test_attention_errs_no_more_than_the_steps_allow(bits: str) -> None:
    torch.manual_seed(0)
    q, k, v = torch.randn(1, 4, 64, 16), torch.randn(1, 4, 64, 16), torch.randn(1, 4, 64, 16)
    layer = atom_layer(f"kv({bits},8,0)", 64)
    layer.update(k, v)
    found = partial_by_runs(q, 0, layer.sources(), PLAIN, 0.25)[0]
    full = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.25)
    key_step, value_step = (slab.parts[1].max() for slab in layer._slabs)
    off = 0.25 * q.abs().sum(-1).max() * key_step / 2  # of a score
    bound = (torch.exp(2 * off) - 1) * v.abs().max() + value_step / 2
    assert 0 < (found - full).abs().max() <= bound


# Chunks and forks


@pytest.mark.parametrize("variant", ["kv(int4,8,0)", "kv(int2,16,20)", "kv(fp8,8,4)"])
def test_chunks_pack_the_same_numbers_bit_for_bit(variant: str) -> None:
    torch.manual_seed(0)
    q, k, v = torch.randn(1, 4, TOKENS, 16), torch.randn(1, 2, TOKENS, 16), torch.randn(1, 2, TOKENS, 16)
    outputs, parts = [], []
    for cuts in ((0, TOKENS), CUTS, tuple(range(TOKENS + 1))):
        layer = atom_layer(variant)
        out = []
        for lo, hi in pairwise(cuts):
            layer.update(k[:, :, lo:hi], v[:, :, lo:hi])
            out.append(reference(q[:, :, lo:hi], lo, layer.sources(), PLAIN, 0.25)[0])
            layer.attended()
        outputs.append(torch.cat([part.reshape(1, 4, -1, 16) for part in out], dim=2))
        groups = layer._packed.by(TOKENS) // layer._packed.group
        parts.append([part[:, :, :groups].clone() for slab in layer._slabs for part in slab.parts])
        assert layer._tail[0].shape[2] == TOKENS - layer._packed.by(TOKENS)
    for output, part in zip(outputs[1:], parts[1:], strict=True):
        torch.testing.assert_close(output, outputs[0], atol=1e-6, rtol=1e-5)
        assert all(torch.equal(a.view(torch.uint8), b.view(torch.uint8)) for a, b in zip(part, parts[0], strict=True))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("variant", ["kv(int4,8,0)", "kv(int2,16,5)", "kv(fp8,8,4)@0,2"])
def test_going_back_leaves_no_trace(model: Callable[..., Hooked], kind: str, variant: str) -> None:
    hooked, one, other = model(kind, variant), some_ids(1), some_ids(2)
    other[:50] = one[:50]

    def cold(ids: Tensor) -> Tensor:
        assert hooked.state.back_to(0) == 0
        return hooked(ids, (0, 30, 50, 77, 78, 79, TOKENS))

    wanted = cold(one), cold(other)
    hooked.state.back_to(0)
    start = hooked(one, (0, 30))
    hooked.state.keep()
    start = torch.cat((start, hooked(one, (30, 50))))
    hooked.state.keep()
    for ids, whole in ((one, wanted[0]), (other, wanted[1]), (one, wanted[0])):
        assert hooked.state.back_to(50) == 50
        assert torch.equal(torch.cat((start, hooked(ids, (50, 77, 78, 79, TOKENS)))), whole)
    assert hooked.state.back_to(30) == 30
    assert torch.equal(hooked(one, (30, 50, 77, 78, 79, TOKENS)), wanted[0][30:])


def test_it_goes_back_to_kept_lengths_or_what_their_tails_begin_with() -> None:
    layer, k = atom_layer("kv(int4,8,4)"), torch.randn(1, 1, TOKENS, 16)
    assert layer.reachable(0) == 0
    for lo, hi in ((0, 30), (30, 60), (60, 95)):
        layer.update(k[:, :, lo:hi], k[:, :, lo:hi])
        layer.attended()
        if hi == 30:
            layer.keep()
    lengths = {95: 95, 94: 94, 92: 92, 91: 60, 60: 60, 59: 30, 30: 30, 29: 29, 28: 28, 27: 0, 1: 0}
    assert {length: layer.reachable(length) for length in lengths} == lengths
    layer.go_back(29)
    assert layer.get_seq_length() == 29
    assert torch.equal(layer._tail[0], k[:, :, 24:29])
    assert layer.reachable(28) == 28
    layer.go_back(0)
    assert layer.get_seq_length() == 0
    assert layer._tail[0].shape[2] == 0


def test_a_pass_that_fails_can_be_done_again(model: Callable[..., Hooked]) -> None:
    hooked, ids = model("llama", "kv(int4,8,4)"), some_ids()
    wanted = hooked(ids, (0, 40, 80))
    hooked.state.back_to(0)
    hooked(ids, (0, 40))

    def fail(*_: Any) -> None:
        raise RuntimeError("out of memory")

    handle = hooked.network.model.layers[1].mlp.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        hooked(ids, (40, 80))
    handle.remove()
    assert hooked.state.back_to(40) == 40
    assert torch.equal(hooked(ids, (40, 80)), wanted[40:])


@pytest.mark.parametrize("kind", KINDS)
def test_chunks_change_no_logits(model: Callable[..., Hooked], kind: str) -> None:
    # Weak weights: a number that chunks round the other way, having other sums, moves no logit by more.
    hooked, ids = model(kind, "kv(int8,8,4)", initializer_range=0.02), some_ids()
    found = hooked(ids, CUTS)
    hooked.state.back_to(0)
    torch.testing.assert_close(found, hooked(ids, (0, TOKENS)), atol=1e-5, rtol=1e-5)


# Memory


@pytest.mark.parametrize("bits", CODECS)
@pytest.mark.parametrize(("dtype", "group"), [(torch.bfloat16, 32), (torch.float32, 16), (torch.float16, 8)])
def test_it_holds_what_it_says(bits: str, dtype: torch.dtype, group: int) -> None:
    tokens = 4096
    layer = atom_layer(f"kv({bits},{group},0)", tokens)
    x = torch.randn(1, 2, tokens, 32, dtype=dtype)
    layer.update(x, x)
    layer.attended()
    layer.update(x[:, :, :0], x[:, :, :0])  # so that no earlier pass is remembered
    kept = [thing for part in (layer, *layer._slabs) for thing in vars(part).values() if isinstance(thing, torch.Tensor)]
    assert not any(tensor.untyped_storage().data_ptr() == x.untyped_storage().data_ptr() for tensor in kept)
    wanted = bytes_per_token(2, 32, bits, group, dtype.itemsize) * tokens
    assert abs(layer.nbytes / wanted - 1) < 0.02


def test_bytes_per_token_of_an_8b_llama() -> None:
    assert bytes_per_token(8, 128, "bf16", 32) * 32 == 128 * 1024
    assert bytes_per_token(8, 128, "int4", 32) / bytes_per_token(8, 128, "bf16", 32) == pytest.approx(0.25 * (1 + 2 * 16 / 4 / 32))


@pytest.mark.parametrize("recent", [0, 10, 32])
def test_only_the_tail_stays_exact(recent: int) -> None:
    layer = atom_layer(f"kv(int4,16,{recent})", 2000)
    for lo, hi in pairwise((0, 700, 1500, 1501, 1502, 1999)):
        x = torch.randn(1, 2, hi - lo, 32)
        layer.update(x, x)
        layer.attended()
        assert layer._tail[0].shape[2] < recent + 16
        assert layer._tail[0].untyped_storage().nbytes() <= (recent + 16) * 2 * 32 * 4
    layer.keep()
    packed = bytes_per_token(2, 32, "int4", 16, 4) * layer._packed.by(2000)
    assert layer.nbytes <= packed + 3 * 2 * (recent + 16) * 2 * 32 * 4


# In models


def test_it_is_for_the_layers_that_it_names(model: Callable[..., Hooked]) -> None:
    hooked, ids = model("llama", "kv(int2,8,0)@1"), some_ids()
    assert [type(layer).__name__ for layer in hooked.state.cache.layers] == ["TurnedLayer", "PackedLayer", "TurnedLayer"]
    found, full = hooked(ids, (0, TOKENS)), hooked.whole(ids)
    assert (found - full).abs().max() > 1e-3


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(model: Callable[..., Hooked], dtype: torch.dtype) -> None:
    for bits, off in (("int8", 0.05), ("fp8", 0.3), ("int2", 2)):
        for _, q, k, v, found, call in (hooked := model("llama", f"kv({bits},8,4)", dtype)).listen(some_ids(), CUTS):
            assert found.dtype == dtype
            full = by_definition(*(x.float() for x in (q, k, v)), hooked.hook.phases.stock, "bf16", 8, TOKENS, **call)
            assert (found.float() - full).square().mean() < off**2 * full.square().mean()


def test_groups_that_heads_do_not_consist_of_are_refused(model: Callable[..., Hooked]) -> None:
    with pytest.raises(ModelError, match=r"group=32 channels, but the heads of this model \(llama\) have 16; .* such as 8 or 16"):
        model("llama", "kv(int4)")
    model("llama", "kv(bf16)")  # has no scales


@pytest.mark.parametrize("text", ["kv(int2,6)", "kv(int4,9)"])
def test_numbers_fill_whole_bytes(text: str) -> None:
    with pytest.raises(UsageError, match="numbers in a byte"):
        parse(text)
    parse(text.replace("int2", "int8").replace("int4", "fp8"))


def test_the_runner_says_the_same_with_and_without_sharing(tiny_model: Path) -> None:
    with HfRunner(str(tiny_model), {"prefill_chunk": 100}, "kv(int8,16,8)") as runner:
        settings = {"lengths": (256, 384), "depths": (0.0, 0.5, 1.0), "samples": 1}
        plan = Plan(RunConfig.checked(tasks=("niah",), model=runner.model, **settings), runner.tokenizer)
        prompts = plan.compose(plan.groups[0])
        shared, alone = ({bytes(p.ids): g for p, g in runner.generate(prompts, share=share)} for share in (True, False))
        assert {ids: g.text for ids, g in shared.items()} == {ids: g.text for ids, g in alone.items()}
        assert sum(g.cached_tokens for g in shared.values()) > 0
        assert not runner.notes
