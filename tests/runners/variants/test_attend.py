from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lceval.runners.variants import pairs
from lceval.runners.variants.attend import (
    Layer,
    Rotation,
    Source,
    by_runs,
    flash,
    merge,
    nothing_seen,
    partial_by_runs,
    probabilities,
    reference,
    runs,
    within,
)  # fmt: skip
from lceval.runners.variants.held import sight
from lceval.runners.variants.hook import scale
from lceval.runners.variants.pairs import AllOf, AnyOf, Band, Far, Near, Pairs, PositionMap, Stride
from lceval.runners.variants.spec import parse

HEADS, KEY_HEADS, DIM = 4, 2, 16
BASE = 50.0
"""Of phases that turn visibly over a few tokens."""
SCALING = 0.5


def cos_sin(x: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
    """What a model's rotary module gives, in the precision of x."""
    turns = BASE ** (-torch.arange(0, DIM, 2, dtype=torch.float64) / DIM)
    angles = (positions[..., None].double() * turns).repeat(1, 1, 2)
    return angles.cos().to(x.dtype), angles.sin().to(x.dtype)


def turned(x: Tensor, positions: Tensor) -> Tensor:
    """Rotated [..., N, D] by positions [N], written with complex numbers."""
    turns = BASE ** (-torch.arange(0, DIM, 2, dtype=torch.float64) / DIM)
    phase = torch.polar(torch.ones(len(positions), DIM // 2, dtype=torch.float64), positions[:, None].double() * turns)
    y = torch.complex(x[..., : DIM // 2].double(), x[..., DIM // 2 :].double()) * phase
    return torch.cat((y.real, y.imag), dim=-1).to(x.dtype)


def apply(q: Tensor, k: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor]:
    def turn(x: Tensor) -> Tensor:
        half = torch.cat((-x[..., DIM // 2 :], x[..., : DIM // 2]), dim=-1)
        return x * cos.unsqueeze(1) + half * sin.unsqueeze(1)

    return turn(q), turn(k)


def rotation() -> Rotation:
    return Rotation(cos_sin, apply)


class Memory:
    """Keys and values of n tokens, and sources of parts of them."""

    def __init__(self, n: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> None:
        made = torch.Generator().manual_seed(seed)
        self.q = torch.randn(1, HEADS, n, DIM, generator=made, dtype=dtype)
        self.k, self.v = torch.randn(2, 1, KEY_HEADS, n, DIM, generator=made, dtype=dtype)
        self.rotation = rotation()

    def source(self, lo: int, hi: int, see: Pairs | None = None, shift: int = 0) -> Source:
        def part(move: PositionMap, a: int, b: int) -> Tensor:
            return self.rotation.along(self.k[:, :, lo + a : lo + b], move, lo + a)

        return Source(part, self.v[:, :, lo:hi], first=lo, see=see, shift=shift)

    def layer(self, bands: tuple[Band, ...], *sets: Pairs, **more: Any) -> Layer:
        return Layer(within(bands, *sets), self.rotation, **more)


BANDS = {
    "none": (Band(pairs.CAUSAL),),
    "self_extend": pairs.self_extend(4, 64),
    "rerope": pairs.rerope(200),
    "leaky": pairs.leaky(100, 3.0),
    "dca": pairs.dca(100, 150),
    "streaming": pairs.streaming(4, 64),
}
SIGHT = ["", "window(130)", "window(130)+sinks(4)", "window(40)+stride(50)", "window(40)+dilate(7)", "window(40)+random(0.3,1)",
         "segment(128,64)", "window(9)+global(0-3,200,333)"]  # fmt: skip


@pytest.mark.parametrize("bands", BANDS)
@pytest.mark.parametrize("seen", SIGHT)
def test_runs_of_blocks_give_what_the_definition_gives(bands: str, seen: str) -> None:
    memory = Memory(700)
    scaled = scale(parse("logn(100)+temp(1.5)").atoms, 128) if "window" in seen else None
    layer = memory.layer(BANDS[bands], *sight(parse(seen).atoms), scale=scaled)
    for first, rows, cuts in ((0, 700, (0, 700)), (400, 150, (0, 77, 300, 550)), (640, 1, (0, 500, 641)), (130, 64, (0, 194))):
        q = memory.q[:, :, first : first + rows]
        sources = [memory.source(lo, hi) for lo, hi in itertools.pairwise(cuts)]
        wanted = reference(q, first, sources, layer, SCALING)
        torch.testing.assert_close(by_runs(q, first, sources, layer, SCALING), wanted, atol=1e-5, rtol=1e-5)
        whole = reference(q, first, [memory.source(0, cuts[-1])], layer, SCALING)
        torch.testing.assert_close(wanted, whole, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("bands", BANDS)
def test_sources_may_share_keys_whose_pairs_they_divide(bands: str) -> None:
    memory = Memory(300)
    layer = memory.layer(BANDS[bands], AnyOf((Near(90), Stride(11))))
    q = memory.q[:, :, 200:]
    wanted = reference(q, 200, [memory.source(0, 300)], layer, SCALING)
    for near, far in ((Near(33), Far(33)), (Near(-5), Far(-5)), (Far(50), Near(50))):
        sources = [memory.source(0, 300, see=near), memory.source(0, 300, see=far)]
        for attend in (reference, by_runs):
            torch.testing.assert_close(attend(q, 200, sources, layer, SCALING), wanted, atol=1e-5, rtol=1e-5)


def test_queries_that_see_nothing_give_nothing() -> None:
    memory = Memory(400)
    layer = memory.layer(BANDS["self_extend"])
    q = memory.q[:, :, 200:400]
    late = [memory.source(300, 400)]
    out, lse = partial_by_runs(q, 200, late, layer, SCALING)
    assert (out[:, :, :100] == 0).all()
    assert lse[:, :, :100].isneginf().all()
    assert lse[:, :, 100:].isfinite().all()
    wanted = reference(q, 200, late, layer, SCALING)
    assert (wanted[:, :, :100] == 0).all()
    torch.testing.assert_close(out, wanted, atol=1e-5, rtol=1e-5)

    empty = [memory.source(0, 0)], [memory.source(390, 400)]
    for sources in empty:  # nothing there, or nothing yet
        blind = by_runs(q[:, :, :50], 200, sources, layer, SCALING)
        assert torch.equal(blind, torch.zeros_like(blind))
    assert torch.equal(reference(q[:, :, :50], 200, empty[1], layer, SCALING), torch.zeros_like(q[:, :, :50]))

    # Together with what was seen before, nothing is lost.
    early = partial_by_runs(q, 200, [memory.source(0, 300)], layer, SCALING)
    both, _ = merge(early, (out, lse))
    torch.testing.assert_close(both, reference(q, 200, [memory.source(0, 400)], layer, SCALING), atol=1e-5, rtol=1e-5)


@given(st.integers(1, 300), st.integers(1, 200), st.integers(0, 250), st.integers(0, 300), st.integers(1, 90))
def test_runs_are_the_keys_that_are_seen(first: int, rows: int, key_first: int, keys: int, width: int) -> None:
    see = AllOf((pairs.CAUSAL, AnyOf((Near(width), Stride(100)))))
    table = see(torch.arange(first, first + rows)[:, None], torch.arange(key_first, key_first + keys)[None])
    covered = torch.zeros(keys, dtype=torch.bool)
    last = 0
    for lo, hi, whole in runs(see, first, rows, key_first, keys):
        assert last <= lo < hi <= keys
        last = hi
        covered[lo:hi] = True
        assert not whole or table[:, lo:hi].all()
    assert not table[:, ~covered].any()


def brute_force(memory: Memory, first: int, seen: Callable[[int, int], bool], distance: Callable[[int, int], float]) -> Tensor:
    """One rotation for each pair, of the key back by its distance."""
    n = memory.q.shape[2]
    out = torch.zeros_like(memory.q[:, :, first:])
    for h in range(HEADS):
        k, v = memory.k[0, h * KEY_HEADS // HEADS], memory.v[0, h * KEY_HEADS // HEADS]
        for i in range(first, n):
            there = [j for j in range(i + 1) if seen(i, j)]
            back = turned(k[there], torch.tensor([-distance(i, j) for j in there], dtype=torch.float64))
            weights = torch.softmax(back @ memory.q[0, h, i] * SCALING, dim=0)
            out[0, h, i - first] = weights @ v[there]
    return out


N = 41
PUBLISHED: dict[str, tuple[tuple[Band, ...], Callable[[int, int], float]]] = {
    "none": (BANDS["none"], lambda i, j: i - j),
    "self_extend": (pairs.self_extend(3, 9), lambda i, j: i - j if i - j < 9 else i // 3 - j // 3 + 9 - 3),
    "rerope": (pairs.rerope(7), lambda i, j: min(i - j, 7)),
    "leaky": (pairs.leaky(6, 2.5), lambda i, j: i - j if i - j < 6 else 6 + (i - j - 6) / 2.5),
    "dca": (
        pairs.dca(8, 12),
        lambda i, j: i - j if i // 8 == j // 8 else (min(i % 8 + 8, 12) if i // 8 - j // 8 == 1 else 12) - j % 8,
    ),
    "streaming": (pairs.streaming(3, 7), lambda i, j: i - j if i - j < 7 else min(i, 9) - j),
}


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("seen", ["", "window(11)+sinks(2)"])
@pytest.mark.parametrize("attend", [reference, by_runs])
def test_one_rotation_for_each_pair_gives_the_same(name: str, seen: str, attend: Callable[..., Tensor]) -> None:
    bands, distance = PUBLISHED[name]
    # The kernel in single precision, the definition in double, whose softmax alone is in single.
    memory = Memory(N, torch.float64 if attend is reference else torch.float32)
    layer = memory.layer(bands, *sight(parse(seen).atoms))

    def visible(i: int, j: int) -> bool:
        inside = not seen or i - j < 11 or j < 2
        return inside and (name != "streaming" or i - j < 7 or j < 3)

    precise = Memory(N, torch.float64)
    precise.q, precise.k, precise.v = (x.double() for x in (memory.q, memory.k, memory.v))
    for first in (0, 30):
        found = attend(memory.q[:, :, first:], first, [memory.source(0, N)], layer, SCALING).double()
        wanted = brute_force(precise, first, visible, distance)
        assert (found - wanted).abs().max() <= 1e-6 * wanted.abs().max()


def test_scores_are_scaled_capped_and_penalised_as_said() -> None:
    memory = Memory(60, torch.float64)
    source, i, j = memory.source(0, 60), torch.arange(60)[:, None], torch.arange(60)[None]
    q, k = (turned(x, torch.arange(60)) for x in (memory.q, memory.k.repeat_interleave(2, dim=1)))
    raw = q @ k.transpose(2, 3) * SCALING
    learned = torch.tensor([0.5, -1.0, 2.0, 0.0], dtype=torch.float64)
    slopes = torch.tensor([2 ** (-8 * h / HEADS) for h in range(1, HEADS + 1)]).view(1, HEADS, 1, 1)
    growing = (torch.log(i + 1.0) / math.log(16)).clamp(min=1)
    for more, scores in (
        ({"softcap": 1.5}, 1.5 * torch.tanh(raw / 1.5)),
        ({"slopes": True}, raw - slopes * (i - j)),
        ({"scale": scale(parse("temp(2)").atoms, 128)}, raw / 2),
        ({"scale": scale(parse("logn(16)").atoms, 128)}, raw * growing),
        ({"scale": scale(parse("logn(16)+temp(0.5)").atoms, 128)}, raw * growing * 2),
        ({"scale": scale(parse("logn(16)+logn(4)").atoms, 128)}, raw * growing * (torch.log(i + 1.0) / math.log(4)).clamp(min=1)),
        ({"scale": scale(parse("logn").atoms, 16)}, raw * growing),
        ({"sinks_H": learned}, raw),
        ({"sinks_H": learned, "softcap": 1.5, "slopes": True}, 1.5 * torch.tanh(raw / 1.5) - slopes * (i - j)),
    ):
        layer = memory.layer(BANDS["none"], Near(20), **more)
        assert layer.plain == ("scale" in more)
        seen = (i >= j) & (i - j < 20)
        e = torch.where(seen, scores.exp(), 0.0)
        total = e.sum(dim=-1, keepdim=True) + (learned.exp().view(1, HEADS, 1, 1) if "sinks_H" in more else 0)
        (weights,) = probabilities(memory.q, 0, [source], layer, SCALING)
        torch.testing.assert_close(weights.double(), e / total, atol=1e-6, rtol=1e-5)
        out = (e / total) @ memory.v.repeat_interleave(2, dim=1)
        torch.testing.assert_close(reference(memory.q, 0, [source], layer, SCALING), out, atol=1e-6, rtol=1e-5)
        if layer.plain:
            torch.testing.assert_close(
                by_runs(memory.q.float(), 0, [single(source)], layer, SCALING).double(), out, atol=1e-5, rtol=1e-4
            )


def single(source: Source) -> Source:
    return replace(source, turned=lambda move, lo, hi: source.turned(move, lo, hi).float(), v_BKND=source.v_BKND.float())


def test_scores_at_the_cap_are_seen() -> None:
    memory = Memory(20)
    memory.q *= 1e4
    layer = memory.layer(BANDS["none"], softcap=0.5)
    (weights,) = probabilities(memory.q, 0, [memory.source(0, 20)], layer, SCALING)
    i, j = torch.arange(20)[:, None], torch.arange(20)[None]
    assert ((weights > 0) == (i >= j)).all(), "every score is one half or minus one half, and hides no key"


def test_nothing_to_scale_is_no_scale() -> None:
    assert scale(parse("temp(1)").atoms, 128) is None
    assert scale(parse("alibi").atoms, 128) is None
    assert scale([], 128) is None


def test_keys_in_any_order_and_of_each_head_have_their_index() -> None:
    memory = Memory(50, torch.float64)
    made = torch.Generator().manual_seed(3)
    order = torch.stack([torch.randperm(50, generator=made)[:31] for _ in range(KEY_HEADS)])[None]

    def pick(x: Tensor) -> Tensor:
        return x.gather(2, order[..., None].expand(-1, -1, -1, DIM))

    for name, (bands, distance) in PUBLISHED.items():
        layer = memory.layer(bands)
        source = Source(
            lambda move, lo, hi: pick(memory.rotation.along(memory.k, move, 0))[:, :, lo:hi], pick(memory.v), index_BKN=order
        )
        found = reference(memory.q[:, :, 40:], 40, [source], layer, SCALING)
        for head in range(KEY_HEADS):
            kept = set(order[0, head].tolist())

            def visible(i: int, j: int, kept: set[int] = kept, name: str = name) -> bool:
                return j in kept and (name != "streaming" or i - j < 7 or j < 3)

            mine = slice(head * HEADS // KEY_HEADS, (head + 1) * HEADS // KEY_HEADS)
            torch.testing.assert_close(found[:, mine], brute_force(memory, 40, visible, distance)[:, mine], atol=2e-6, rtol=1e-5)


def test_a_shift_brings_queries_nearer() -> None:
    memory = Memory(60, torch.float64)
    layer = memory.layer(BANDS["none"])
    for attend, move in ((reference, lambda x: x), (by_runs, single)):
        q = memory.q[:, :, 40:] if attend is reference else memory.q[:, :, 40:].float()
        found = attend(q, 40, [move(memory.source(0, 60, shift=15))], layer, SCALING).double()
        torch.testing.assert_close(found, brute_force(memory, 40, lambda i, j: True, lambda i, j: i - 15 - j), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("move", [pairs.identity, lambda x: x / 3, lambda x: x * 0, lambda x: x // 4, lambda x: x.clip(max=9)])
def test_rotation_at_any_positions(move: PositionMap) -> None:
    x = torch.randn(2, 3, 40, DIM, dtype=torch.float64)
    turns = rotation()
    for first in (0, 7, 1500):  # and beyond the table that is there
        positions = move(torch.arange(first, first + 40))
        torch.testing.assert_close(turns.along(x, move, first), turned(x, positions))
        torch.testing.assert_close(turns.at(x, positions.expand(2, 3, 40)), turned(x, positions))
    own = torch.rand(2, 3, 40, dtype=torch.float64) * 100
    for b in range(2):
        for h in range(3):
            torch.testing.assert_close(turns.at(x, own)[b, h], turned(x[b, h], own[b, h]))
    assert turns.along(x.float(), move, 0).dtype == torch.float32


@given(st.lists(st.integers(0, 90), max_size=5), st.integers(0, 10**6), st.booleans())
def test_parts_merge_to_the_whole_softmax(cuts: list[int], seed: int, masked: bool) -> None:
    made = torch.Generator().manual_seed(seed)
    q = torch.randn(1, HEADS, 13, DIM, generator=made) * 3
    k, v = torch.randn(2, 1, KEY_HEADS, 90, DIM, generator=made)
    mask = torch.rand(13, 90, generator=made) < 0.3 if masked else torch.ones(13, 90, dtype=torch.bool)
    mask[0] = False
    edges = sorted({0, 90, *cuts})
    parts = [flash(q, k[:, :, a:b], v[:, :, a:b], SCALING, mask[:, a:b]) for a, b in itertools.pairwise(edges)]
    order = torch.randperm(len(parts), generator=made).tolist()
    out, lse = nothing_seen(q)
    for place in order:
        out, lse = merge((out, lse), parts[place])
        again = merge((out, lse), nothing_seen(q))
        assert torch.equal(again[0], out)
        assert torch.equal(again[1], lse)
    scores = (q @ k.repeat_interleave(2, dim=1).transpose(2, 3) * SCALING).masked_fill(~mask, float("-inf"))
    wanted = scores.softmax(dim=-1).nan_to_num() @ v.repeat_interleave(2, dim=1)
    torch.testing.assert_close(out, wanted, atol=2e-5, rtol=1e-5)
    torch.testing.assert_close(lse, scores.logsumexp(dim=-1), atol=2e-5, rtol=1e-5)
    assert (out[:, :, 0] == 0).all()


def test_the_kernel_tells_a_query_that_sees_nothing() -> None:
    memory = Memory(30)
    mask = torch.ones(30, 30, dtype=torch.bool)
    mask[7] = mask[20] = False
    out, lse = flash(memory.q, memory.k, memory.v, SCALING, mask)
    blind = torch.zeros(30, dtype=torch.bool)
    blind[7] = blind[20] = True
    assert (out[:, :, blind] == 0).all()
    assert (lse.isneginf() == blind).all()
    assert out.isfinite().all()


def test_half_precision_stays_and_is_near() -> None:
    memory = Memory(300)
    layer = memory.layer(BANDS["self_extend"], Near(150))
    wanted = reference(memory.q, 0, [memory.source(0, 300)], layer, SCALING)
    memory.q, memory.k, memory.v = (x.bfloat16() for x in (memory.q, memory.k, memory.v))
    for attend in (reference, by_runs):
        found = attend(memory.q, 0, [memory.source(0, 300)], layer, SCALING)
        assert found.dtype == torch.bfloat16
        assert (found - wanted).abs().mean() < 0.02
