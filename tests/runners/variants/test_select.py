"""Sight by content, against straightforward computations of the published definitions, one pair at a time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lceval.config import RunConfig
from lceval.errors import UsageError
from lceval.planning import Plan
from lceval.runners.hf import HfRunner
from lceval.runners.variants import pairs, select
from lceval.runners.variants.attend import Layer, Source, probabilities, reference, scores, within
from lceval.runners.variants.pairs import Band, PositionMap
from lceval.runners.variants.select import FlexPrefill, Pass, Quest, Select, TopK, VerticalSlash, XAttention, greatest, heaviest
from lceval.runners.variants.spec import parse
from lceval.runners.variants.store import Exact, Packed
from lceval.types import Prompt

H, K, D, SCALING = 4, 2, 8, 0.35
BANDS: dict[str, tuple[Band, ...]] = {
    "one band": within((Band(pairs.CAUSAL),)),
    "two bands": within(pairs.rerope(20)),
    "own window": within((Band(pairs.CAUSAL),), pairs.Near(40)),
}
CONTEXT = 40


def turned(k: Tensor) -> Callable[[PositionMap, int, int], Tensor]:
    """Keys that are others in each band."""
    return lambda move, lo, hi: k[:, :, lo:hi] * (1 if move is pairs.identity else -0.5)


def make(n: int, bands: str = "one band", *, sharp: float = 1.5, seed: int = 0, **layer: Any) -> Pass:
    """A prompt of n tokens in one pass."""
    generator = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(1, heads, n, D, generator=generator) for heads in (H, K, K))
    return Pass(q * sharp, 0, [Source(turned(k), v)], Layer(BANDS[bands], None, **layer), SCALING, prompt())


def prompt(context: int = CONTEXT, length: int = 50) -> Prompt:
    return cast(Prompt, SimpleNamespace(context=(3, context), ids=range(length)))


def later(now: Pass, first: int, stop: int | None = None) -> Pass:
    """The pass that begins at a later token and ends before another."""
    (source,), stop = now.sources, stop or now.stop
    return replace(
        now, q_BHQD=now.q_BHQD[:, :, first:stop], first=first, sources=[replace(source, v_BKND=source.v_BKND[:, :, :stop])]
    )


def quest(budget: int, see: str = "context", page: int = 4) -> Quest:
    return Quest(parse(f"quest({budget},{see})").atoms[0], page)


def seen(choose: Select, now: Pass) -> Tensor:
    """What queries see [H, Q, N]."""
    chosen = choose(now)
    assert chosen is not None
    weights = probabilities(now.q_BHQD, now.first, now.sources, now.layer, now.scaling, chosen)
    (dense,) = all_scores(now)
    assert torch.equal(weights[0] > 0, chosen(now.first, dense) & ~dense.isneginf())
    return weights[0][0] > 0


def all_scores(now: Pass) -> list[Tensor]:
    return [scores(now.q_BHQD, now.first, source, now.layer, now.scaling) for source in now.sources]


def full_weights(now: Pass) -> Tensor:
    """Dense attention [H, N, N]."""
    return torch.softmax(all_scores(now)[0][0].double(), dim=-1)


ALL: dict[str, Callable[[int], Select]] = {
    "topk": TopK,
    "quest": quest,
    "vslash, columns": lambda n: VerticalSlash(n, 1),
    "vslash, diagonals": lambda n: VerticalSlash(1, n),
    "flexprefill": lambda n: FlexPrefill(1.0, 1, block=16),
    "flexprefill, least": lambda n: FlexPrefill(0.0, n, block=16),
    "xattention": lambda n: XAttention(1.0, block=16, stride=4),
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("bands", BANDS)
@pytest.mark.parametrize("sharp", [0.0, 1.5, 40.0])
def test_a_budget_for_all_is_full_attention(name: str, bands: str, sharp: float) -> None:
    now = make(75, bands, sharp=sharp)
    choose = ALL[name](75)(now)
    assert choose is not None
    arguments = (now.q_BHQD, now.first, now.sources, now.layer, now.scaling)
    assert torch.equal(reference(*arguments, choose=choose), reference(*arguments))


FEW: dict[str, Select] = {
    "topk": TopK(3),
    "quest": quest(8),
    "vslash": VerticalSlash(36, 9),
    "flexprefill": FlexPrefill(0.3, 1, block=16),
    "xattention": XAttention(0.3, block=16, stride=4),
}


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("bands", BANDS)
def test_few_keys_are_fewer_and_each_query_sees_itself(name: str, bands: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select, "NEAREST_DIAGONALS", 5)
    now = make(150, bands)
    found, dense = seen(FEW[name], now), ~all_scores(now)[0][0].isneginf()
    assert found.diagonal(dim1=1, dim2=2).all()
    assert not (found & ~dense).any()
    assert found.sum() < 0.9 * dense.sum()
    assert len({tuple(head.flatten().tolist()) for head in found}) == H


@pytest.mark.parametrize("name", ["vslash", "flexprefill", "xattention"])
def test_what_needs_a_whole_prompt_is_dense_without_one(name: str) -> None:
    now = make(60)
    assert FEW[name](now) is not None
    assert FEW[name](later(now, 1)) is None
    assert FEW[name](later(now, 59)) is None
    assert FEW[name](later(now, 0, 1)) is None


@pytest.mark.parametrize("name", FEW)
def test_rows_are_chosen_for_alike_in_any_chunks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select, "NEAREST_DIAGONALS", 5)
    now = make(100)
    choose, (dense,) = FEW[name](now), all_scores(now)
    assert choose is not None
    whole = choose(0, dense) & ~dense.isneginf()
    for lo, hi in itertools.pairwise([0, 1, 37, 64, 100]):
        assert torch.equal(choose(lo, dense[:, :, lo:hi]) & ~dense[:, :, lo:hi].isneginf(), whole[:, :, lo:hi])


@pytest.mark.parametrize("bands", BANDS)
@pytest.mark.parametrize("k", [1, 2, 7])
@pytest.mark.parametrize("whole", [False, True])
def test_topk_against_sorting_every_row(bands: str, k: int, whole: bool) -> None:
    now = make(60, bands)
    if whole:  # many equal scores
        (source,) = now.sources
        signs = turned(source.turned(pairs.identity, 0, 60).sign())
        now = replace(now, q_BHQD=now.q_BHQD.sign(), sources=[replace(source, turned=signs)])
    (dense,), found = all_scores(now), seen(TopK(k), now)
    for h, i in itertools.product(range(H), range(60)):
        row = dense[0, h, i]
        order = sorted((j for j in range(60) if row[j] > -math.inf), key=lambda j: (j != i, -row[j], -j))
        assert set(found[h, i].nonzero()[:, 0].tolist()) == set(order[:k])


@pytest.mark.parametrize("first", [0, 1, 30, 59])
def test_topk_of_later_passes_is_that_of_one(first: int) -> None:
    now = make(60)
    assert torch.equal(seen(TopK(5), later(now, first)), seen(TopK(5), now)[:, first:])
    assert torch.equal(seen(TopK(5), later(now, 0, first + 1)), seen(TopK(5), now)[:, : first + 1, : first + 1])


@given(
    seed=st.integers(0, 1000),
    n=st.integers(1, 40),
    page=st.integers(1, 8),
    bands=st.sampled_from(sorted(BANDS)),
    slopes=st.booleans(),
    softcap=st.sampled_from([None, 2.0]),
    sharpened=st.booleans(),
)
def test_no_score_of_a_page_is_above_its_bound(
    seed: int, n: int, page: int, bands: str, slopes: bool, softcap: float | None, sharpened: bool
) -> None:
    scale = (lambda i: torch.log(i + 2.0)) if sharpened else None
    now = make(n, bands, seed=seed, slopes=slopes, softcap=softcap, scale=scale)
    bounds, (dense,) = quest(1, page=page).bounds(now, 0, n), all_scores(now)
    for i, p in itertools.product(range(n), range(-(-n // page))):
        greatest_ = dense[0, :, i, p * page : (p + 1) * page].amax(dim=-1)
        if p < i // page:
            assert (bounds[0, :, i, p] >= greatest_ - 1e-4).all()
            assert torch.equal(bounds[0, :, i, p].isneginf(), greatest_.isneginf())


@pytest.mark.parametrize("see", ["context", "question"])
@pytest.mark.parametrize(("n", "budget"), [(60, 8), (63, 9), (64, 1)])
@pytest.mark.parametrize("page", [4, 16])
def test_quest_takes_the_pages_of_the_greatest_bounds(see: str, n: int, budget: int, page: int) -> None:
    now = make(n)
    found, since = seen(quest(budget, see, page), now), {"context": CONTEXT, "question": 50}[see]
    k = now.sources[0].turned(pairs.identity, 0, n)
    for h, i in itertools.product(range(H), range(n)):
        if i < since:
            assert found[h, i, : i + 1].all()
            continue
        q, bounds = now.q_BHQD[0, h, i], {}
        for p in range(i // page):
            held = k[0, h // (H // K), p * page : (p + 1) * page]
            bounds[p] = sum(max(float(q[d] * held[:, d].min()), float(q[d] * held[:, d].max())) for d in range(D))
        pages = {*sorted(bounds, key=bounds.__getitem__, reverse=True)[: math.ceil(budget / page)], i // page}
        assert found[h, i].nonzero()[:, 0].tolist() == [j for j in range(i + 1) if j // page in pages]


@pytest.mark.parametrize("see", ["context", "question"])
def test_quest_does_not_depend_on_how_tokens_are_cut_into_passes(see: str) -> None:
    now, choose = make(62), quest(8, see)
    whole = seen(choose, now)
    for first, stop in [(0, 41), (40, 41), (41, 45), (45, 62), (49, 51), (61, 62), (39, 62)]:
        part = later(now, first, stop)
        if choose(part) is None:
            assert torch.equal(whole[:, first:stop, :stop], torch.ones(H, stop - first, stop).tril(first).bool())
        else:
            assert torch.equal(seen(choose, part), whole[:, first:stop, :stop])
    assert choose(later(now, 0, CONTEXT)) is None
    assert choose(replace(now, prompt=None)) is None


@pytest.mark.parametrize("bands", BANDS)
@pytest.mark.parametrize(("n", "columns", "diagonals"), [(90, 40, 20), (90, 1, 1), (90, 60, 8), (50, 33, 12)])
def test_columns_and_diagonals_against_sums_of_full_attention(
    bands: str, n: int, columns: int, diagonals: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(select, "NEAREST_DIAGONALS", 10)
    now = make(n, bands)
    found, weights = seen(VerticalSlash(columns, diagonals), now), full_weights(now)
    for h in range(H):
        last = weights[h, max(0, n - 64) :]
        by_column = last.sum(dim=0)
        apart = torch.arange(n - len(last), n)[:, None] - torch.arange(n)
        by_diagonal = torch.stack([last[apart == d].sum() for d in range(n)])
        some = {*range(30), *(30 + int(j) for j in by_column[30:].argsort(descending=True)[: max(columns - 30, 0)])}
        near = {*range(10), *(10 + int(d) for d in by_diagonal[10:].argsort(descending=True)[: max(diagonals - 10, 0)])}
        if bands == "own window":  # far diagonals weigh nothing: which of them are taken shows nowhere
            near |= set(range(40, n))
        for i in range(n):
            visible = {j for j in range(i + 1) if (j in some or i - j in near) and weights[h, i, j] != 0}
            assert set(found[h, i].nonzero()[:, 0].tolist()) == visible


def fewest(weights: Sequence[float], always: set[int], share: float) -> set[int]:
    """The smallest set with all of `always` that holds a share, by looking at all of them."""
    rest, total = sorted(set(range(len(weights))) - always), sum(weights)
    for size in range(len(rest) + 1):
        sets = [always | set(some) for some in itertools.combinations(rest, size)]
        best = max(sets, key=lambda one: sum(weights[j] for j in one))
        if sum(weights[j] for j in best) >= share * total - 1e-9:
            return best
    raise AssertionError


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("n", [64, 80, 77])
@pytest.mark.parametrize("softcap", [None, 3.0])
def test_xattention_against_the_strided_product(n: int, share: float, softcap: float | None) -> None:
    """softmax(Q'K'ᵀ / stride) with concatenated keys and queries in reverse; in squares on the diagonal only what is seen."""
    size, stride = 16, 4
    now = make(n, softcap=softcap, sharp=3)
    found = seen(XAttention(share, size, stride), now)
    (dense,) = all_scores(now)
    squares = -(-n // stride)
    for h in range(H):
        q, k = now.q_BHQD[0, h], now.sources[0].turned(pairs.identity, 0, n)[0, h // (H // K)]
        estimate = torch.full((squares, squares), -math.inf)
        if softcap is None:
            whole = n // stride
            strided_k = torch.cat([k[t : whole * stride : stride] for t in range(stride)], dim=1)
            strided_q = torch.cat([q[stride - 1 - t : whole * stride : stride] for t in range(stride)], dim=1)
            product = strided_q @ strided_k.T * SCALING / stride
            estimate[:whole, :whole] = torch.where(torch.ones(whole, whole).tril(-1).bool(), product, -math.inf)
        for a, b in itertools.product(range(squares), repeat=2):
            if estimate[a, b] == -math.inf:
                line = [(a * stride + stride - 1 - t, b * stride + t) for t in range(stride)]
                some = [float(dense[0, h, i, j]) for i, j in line if j <= i < n]
                estimate[a, b] = sum(some) / len(some) if some else -math.inf
        weights = torch.softmax(estimate.double(), dim=1).nan_to_num(0)
        blocks = -(-n // size)
        for r in range(blocks):
            mass = [
                float(weights[r * size // stride : (r + 1) * size // stride, c * size // stride : (c + 1) * size // stride].sum())
                for c in range(blocks)
            ]
            kept = fewest(mass, {0, r}, share)
            for i in range(r * size, min((r + 1) * size, n)):
                assert found[h, i].nonzero()[:, 0].tolist() == [j for j in range(i + 1) if j // size in kept]


def test_antidiagonals_of_bands_and_windows_are_sums_of_the_real_scores() -> None:
    for bands in BANDS:
        now = make(70, bands, slopes=True)
        (dense,), mass = all_scores(now), XAttention(0.9, 16, 4).mass(now)
        estimate = torch.full((H, 18, 18), -math.inf)
        for a, b in itertools.product(range(18), repeat=2):
            line = [(4 * a + 3 - t, 4 * b + t) for t in range(4) if 4 * a + 3 - t < 70 and 4 * b + t < 70]
            some = torch.stack([dense[0, :, i, j] for i, j in line]) if line else torch.full((1, H), -math.inf)
            visible = ~some.isneginf()
            estimate[:, a, b] = torch.where(
                visible.any(dim=0), torch.where(visible, some, 0).sum(dim=0) / visible.sum(dim=0), -math.inf
            )
        weights = torch.zeros(H, 20, 20)
        weights[:, :18, :18] = torch.softmax(estimate, dim=-1).nan_to_num(0)
        torch.testing.assert_close(mass[0], weights.view(H, 5, 4, 5, 4).sum(dim=(2, 4)), atol=1e-5, rtol=1e-5)


def test_xattention_of_many_row_chunks_is_that_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    now, one = make(150), XAttention(0.5, 16, 4)
    whole = one.mass(now)
    monkeypatch.setattr(select, "ROWS", 40)
    torch.testing.assert_close(one.mass(now), whole)


def mean_of_blocks(x: Tensor, size: int) -> Tensor:
    return torch.stack([x[at : at + size].mean(dim=0) for at in range(0, len(x), size)])


@pytest.mark.parametrize(("n", "least"), [(96, 1), (96, 30), (89, 1), (12, 1)])
@pytest.mark.parametrize("share", [0.4, 0.8, 0.95])
def test_flexprefill_against_the_published_algorithm(n: int, least: int, share: float) -> None:
    """Half of the heads look nearly everywhere, so that pooling tells the truth about them."""
    size, now = 16, make(n)
    spread = torch.tensor([0.02, 2.0, 0.02, 2.0])[:, None, None]
    now = replace(now, q_BHQD=now.q_BHQD * spread)
    found, weights = seen(FlexPrefill(share, least, size), now), full_weights(now)
    kinds, last = set(), min(size, n)
    blocks = -(-n // size)
    for h in range(H):
        q, k = now.q_BHQD[0, h].double(), now.sources[0].turned(pairs.identity, 0, n)[0, h // (H // K)].double()
        mine = weights[h, n - last :]
        guess = torch.softmax(q[n - last :].mean(dim=0) @ mean_of_blocks(k, size).T * SCALING, dim=0)
        truth = torch.stack([mine.mean(dim=0)[c * size : (c + 1) * size].sum() for c in range(blocks)])
        middle = (guess + truth) / 2
        apart = math.sqrt(max(0, float((guess * (guess / middle).log() + truth * (truth / middle).log()).sum()) / 2))
        by_column = mine.sum(dim=0)
        far = torch.arange(n - last, n)[:, None] - torch.arange(n)
        by_diagonal = torch.stack([mine[far == d].sum() for d in range(n)])
        lines, kept = [], torch.zeros(blocks, blocks, dtype=torch.bool)
        for mass in (by_column, by_diagonal):
            order = [*range(last), *(last + int(j) for j in mass[last:].argsort(descending=True))]
            wanted = max(least, last)
            if apart >= 0.1:
                held = mass[order].cumsum(dim=0)
                wanted = max(wanted, 1 + int((held < share * mass.sum()).sum()))
            lines.append(set(order[:wanted]))
        if apart < 0.1:
            pooled = mean_of_blocks(q, size) @ mean_of_blocks(k, size).T * SCALING
            pooled = torch.softmax(pooled.masked_fill(torch.ones_like(pooled).triu(1).bool(), -math.inf), dim=1).flatten()
            places = pooled.argsort(descending=True)
            held = pooled[places].cumsum(dim=0)
            kept.view(-1)[places[: 1 + int((held < share * blocks).sum())]] = True
        kinds.add(apart < 0.1)
        for i in range(n):
            visible = [j for j in range(i + 1) if j in lines[0] or i - j in lines[1] or kept[i // size, j // size]]
            assert found[h, i].nonzero()[:, 0].tolist() == visible
    assert n != 96 or kinds == {True, False}


def test_pooled_scores_are_means_of_scores() -> None:
    now = make(60, slopes=True)
    everywhere = replace(now, layer=replace(now.layer, bands=(Band(pairs.Near(1000)),)))
    (dense,) = all_scores(everywhere)
    torch.testing.assert_close(everywhere.pooled(0, 12), dense.view(1, H, 5, 12, 5, 12).mean(dim=(3, 5)))
    (two,) = all_scores(replace(now, layer=replace(now.layer, bands=BANDS["two bands"])))
    pooled = replace(now, layer=replace(now.layer, bands=BANDS["two bands"])).pooled(0, 12)
    torch.testing.assert_close(pooled[:, :, 4, 1], two[:, :, 48:, 12:24].mean(dim=(2, 3)))
    assert torch.equal(pooled.isneginf()[0, 0], torch.ones(5, 5).triu(1).bool())


@given(
    weights=st.lists(st.integers(0, 20), min_size=1, max_size=9).filter(any),
    share=st.sampled_from([0.0, 0.25, 0.5, 0.9, 0.99]),
    data=st.data(),
)
def test_no_fewer_would_hold_the_share(weights: list[int], share: float, data: st.DataObject) -> None:
    always = data.draw(st.sets(st.integers(0, len(weights) - 1), max_size=2))
    mask = torch.tensor([j in always for j in range(len(weights))])
    kept = set(heaviest(torch.tensor(weights, dtype=torch.float32), mask, share).nonzero()[:, 0].tolist())
    assert always <= kept
    assert sum(weights[j] for j in kept) >= share * sum(weights)
    assert len(kept) == len(fewest(weights, always, share))


@given(values=st.lists(st.integers(-3, 3), min_size=1, max_size=12), count=st.integers(1, 13))
def test_the_greatest_and_of_equals_the_later(values: list[int], count: int) -> None:
    found = greatest(torch.tensor(values, dtype=torch.float32), count).nonzero()[:, 0].tolist()
    assert found == sorted(sorted(range(len(values)), key=lambda j: (values[j], j))[-count:])


def test_divergence_is_that_of_the_definition() -> None:
    p, q = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.5, 0.0, 0.5])
    assert float(select.divergence(p, q)) == pytest.approx(math.sqrt(0.5 * math.log(2)))
    assert float(select.divergence(p, p)) == 0
    assert float(select.divergence(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))) == pytest.approx(math.sqrt(math.log(2)))


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("first", [0, 45])
def test_keys_in_two_sources_are_chosen_like_keys_in_one(name: str, first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `kv` holds them: quantized for queries far behind them, here without loss, and exact for the others."""
    monkeypatch.setattr(select, "NEAREST_DIAGONALS", 5)
    now = make(60)
    packed, (source,) = Packed(6, 7), now.sources
    k, held = source.turned(pairs.identity, 0, 60), packed.by(60)
    begin = packed.by(first)
    two = [
        Source(turned(k[:, :, :held]), source.v_BKND[:, :, :held], see=packed),
        Source(turned(k[:, :, begin:]), source.v_BKND[:, :, begin:], first=begin, see=Exact(packed)),
    ]
    part = later(now, first)
    outputs = []
    for each in (part, replace(part, sources=two)):
        chosen = FEW[name](each)
        outputs.append(reference(each.q_BHQD, first, each.sources, each.layer, each.scaling, choose=chosen))
    torch.testing.assert_close(*outputs)


@pytest.mark.parametrize("name", FEW)
def test_static_sight_unites_with_what_is_chosen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select, "NEAREST_DIAGONALS", 5)
    now = make(60)
    alone = seen(FEW[name], now)
    choose = FEW[name](now)
    (weights,) = probabilities(now.q_BHQD, 0, now.sources, replace(now.layer, beside=pairs.Near(9)), SCALING, choose)
    i, j = torch.arange(60)[:, None], torch.arange(60)
    assert torch.equal(weights[0] > 0, alone | (i - j < 9) & (i >= j))


# In models.

Read = Callable[..., Tensor]
IDS = torch.arange(140) * 37 % 180 + 4
FOR_ALL = [
    "topk(300)",
    "quest(300)",
    "vslash(300,1)",
    "flexprefill(1,1)",
    "xattention(1)",
    "window(2)+topk(300)",
    "topk(1)+window(300)",
]
CUT_ANYWHERE = [
    "topk(4)",
    "topk(4)+rerope(16)",
    "topk(4)+kv(int8,16)",
    "topk(4)@1+window(9)@0",
    "quest(16)",
    "quest(16,question)+window(5)",
    "quest(16)+kv(int4,8,8)",
    "quest(16)+rerope(16)+sinks(4)",
]


@pytest.fixture
def read(hooked: Callable[[Any, str], Any], logits: Callable[..., Tensor]) -> Read:
    """`read(model, variant, ids, cuts)`: logits of a prompt whose context ends at 100, and its question at 120."""

    def run(model: Any, variant: str, ids: Tensor = IDS, cuts: Sequence[int] | None = None) -> Tensor:
        hook = hooked(model, variant)
        hook.prompt = prompt(100, 120)
        try:
            return logits(hook, ids, cuts)
        finally:
            hook.remove()

    return run


@pytest.mark.parametrize("kind", ["llama", "gemma2", "smollm3"])
@pytest.mark.parametrize("variant", FOR_ALL)
def test_full_budgets_leave_a_model_as_it_is(tiny: Any, read: Read, kind: str, variant: str) -> None:
    model = tiny(kind)
    torch.testing.assert_close(read(model, variant, IDS, [100, 139]), read(model, "", IDS, [100, 139]), atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("variant", CUT_ANYWHERE)
@pytest.mark.parametrize("kind", ["llama", "gemma2"])
def test_passes_and_forks_change_nothing(tiny: Any, hooked: Any, logits: Any, kind: str, variant: str) -> None:
    hook = hooked(tiny(kind), variant)
    hook.prompt = prompt(100, 120)
    one = logits(hook, IDS, [])
    torch.testing.assert_close(logits(hook, IDS, [33, 34, 100, 101, 120, 121, 137]), one, atol=2e-4, rtol=1e-4)
    state = hook.state(200)
    logits(hook, IDS[:110], [50], state)
    state.keep()
    logits(hook, IDS[:30].flip(0), [], state)
    state.back_to(110)
    torch.testing.assert_close(logits(hook, IDS[110:], [9, 20], state), one[110:], atol=2e-4, rtol=1e-4)


def test_topk_of_a_prefix_does_not_know_what_follows(tiny: Any, read: Read) -> None:
    model = tiny("llama")
    torch.testing.assert_close(read(model, "topk(4)")[:50], read(model, "topk(4)", IDS[:50]), atol=1e-4, rtol=1e-4)


def test_quest_reads_densely_and_leaves_the_first_two_layers(tiny: Any, read: Read) -> None:
    model = tiny("llama")
    plain, found = read(model, ""), read(model, "quest(16)+window(3)")
    torch.testing.assert_close(found[:100], plain[:100], atol=1e-4, rtol=1e-4)
    assert (found[100:] - plain[100:]).abs().amax(dim=1).min() > 1e-3
    for scope in ("@0", "@1", "@0-1"):
        assert torch.equal(read(model, f"quest(16){scope}"), plain)


@pytest.mark.parametrize("variant", ["vslash(30,100)", "flexprefill(0.3,1)", "xattention(0.1)"])
def test_answers_after_a_sparse_prompt_are_dense(tiny: Any, read: Read, variant: str) -> None:
    """In a model of one layer, keys and values do not depend on what is seen: all that changes are the prompt's own logits."""
    model, ids = tiny("llama", num_hidden_layers=1, max_position_embeddings=600), torch.arange(400) * 37 % 180 + 4
    plain, found = read(model, "", ids, [390, 395]), read(model, variant, ids, [390, 395])
    torch.testing.assert_close(found[390:], plain[390:], atol=1e-4, rtol=1e-4)
    assert (found[:390] - plain[:390]).abs().max() > 1e-2


def test_sight_and_content_unite_only_in_layers_that_have_both(tiny: Any, read: Read) -> None:
    model = tiny("llama")
    apart = read(model, "topk(140)@0+window(5)@1-2")
    torch.testing.assert_close(apart, read(model, "window(5)@1-2"), atol=1e-4, rtol=1e-4)
    assert (apart - read(model, "topk(140)+window(5)")).abs().max() > 1e-2


@pytest.mark.parametrize(
    "text", ["topk(4)+quest(16)", "vslash+chunk(64)", "topk(4)+h2o(64)", "quest(16,answer)", "flexprefill(1.1)"]
)
def test_what_does_not_go_together_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


def runner_prompts(runner: HfRunner) -> list[Prompt]:
    config = RunConfig.checked(tasks=("niah",), model=runner.model, lengths=(256, 384), depths=(0.0, 0.5, 1.0), samples=1)
    plan = Plan(config, runner.tokenizer)
    return plan.compose(plan.groups[0])


@pytest.mark.parametrize("variant", ["vslash(40,100)", "flexprefill(0.5,1)", "xattention(0.2)"])
def test_the_runner_reads_a_prompt_in_one_pass_and_shares_none(
    tiny_model: Path, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HfRunner(str(tiny_model), {"prefill_chunk": 64}, variant) as runner:
        prompts, passes = runner_prompts(runner), []
        real = runner._network.forward

        def forward(*args: Any, **kwargs: Any) -> Any:
            passes.append(kwargs["input_ids"].shape[1])
            return real(*args, **kwargs)

        monkeypatch.setattr(runner._network, "forward", forward)
        rows = list(runner.generate(prompts))
        assert sorted(n for n in passes if n > 100) == sorted(len(prompt.ids) for prompt in prompts)
        assert all(generation.cached_tokens == 0 for _, generation in rows)
        assert any("prefix sharing and chunked prefill are off" in note for note in runner.notes)


def test_out_of_memory_does_not_cut_a_prompt_that_must_be_whole(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HfRunner(str(tiny_model), {}, "xattention(0.2)") as runner:
        prompts, real = runner_prompts(runner), runner._network.forward
        expected = {prompt.sample.sample_key: generation.text for prompt, generation in runner.generate(prompts)}

        def forward(*args: Any, **kwargs: Any) -> Any:
            if kwargs["input_ids"].shape[1] > 300:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return real(*args, **kwargs)

        monkeypatch.setattr(runner._network, "forward", forward)
        found = list(runner.generate(prompts))
    assert any("the one pass that it needs" in str(generation.error) for _, generation in found)
    for made, generation in found:
        assert generation.outcome == "error" if len(made.ids) > 300 else generation.text == expected[made.sample.sample_key]


@pytest.mark.parametrize("variant", ["topk(8)", "quest(32)", "quest(32,question)"])
def test_the_runner_shares_prefixes_where_it_may(tiny_model: Path, variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select, "DENSE_LAYERS", 0)
    with HfRunner(str(tiny_model), {"prefill_chunk": 50}, variant) as runner:
        prompts = runner_prompts(runner)
        warm = list(runner.generate(prompts))
        cold = {prompt.sample.sample_key: generation.text for prompt, generation in runner.generate(prompts, share=False)}
    assert {prompt.sample.sample_key: generation.text for prompt, generation in warm} == cold
    assert sum(generation.cached_tokens for _, generation in warm) > 300
    with HfRunner(str(tiny_model), {}) as runner:
        plain = {prompt.sample.sample_key: generation.text for prompt, generation in runner.generate(prompts)}
    assert plain != cold
