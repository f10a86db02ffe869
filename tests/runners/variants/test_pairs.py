from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lceval.runners.variants.hook import distance_bands
from lceval.runners.variants.pairs import (
    CAUSAL,
    AllOf,
    AnyOf,
    At,
    Band,
    Chunks,
    Dilate,
    Far,
    First,
    Near,
    Pairs,
    Random,
    Segment,
    Stride,
    dca,
    leaky,
    rerope,
    self_extend,
    streaming,
)
from lceval.runners.variants.spec import parse

small = st.integers(0, 40)
one_up = st.integers(1, 40)
EXACT: dict[str, st.SearchStrategy[Pairs]] = {
    "near": st.builds(Near, st.integers(-5, 40)),
    "far": st.builds(Far, st.integers(-5, 40)),
    "first": st.builds(First, small),
    "at": st.lists(st.integers(0, 80), min_size=1).map(lambda found: At(tuple(sorted(set(found))))),
    "stride": st.builds(Stride, one_up),
    "dilate": st.builds(Dilate, one_up),
    "segment": st.builds(Segment, one_up, small),
    "chunks": st.builds(Chunks, one_up, st.integers(0, 3), st.none()),
    "chunks, few": st.integers(0, 3).flatmap(lambda low: st.builds(Chunks, one_up, st.just(low), st.integers(low, low + 2))),
}
"""Sets of which blocks are known exactly."""
NOT_EXACT: dict[str, st.SearchStrategy[Pairs]] = {
    "random": st.builds(Random, st.sampled_from([0.0, 0.3, 1.0]), st.integers(0, 5)),
    "union": st.lists(st.one_of(*EXACT.values()), min_size=1, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
    "intersection": st.lists(st.one_of(*EXACT.values()), min_size=1, max_size=3).map(lambda parts: AllOf(tuple(parts))),
    "both": st.tuples(st.one_of(*EXACT.values()), st.one_of(*EXACT.values()), st.one_of(*EXACT.values())).map(
        lambda parts: AllOf((CAUSAL, AnyOf(parts[:2]), parts[2]))
    ),
}
blocks = st.tuples(st.integers(0, 90), st.integers(0, 70), st.integers(0, 90), st.integers(0, 70))


def dense(pairs: Pairs, i0: int, i1: int, j0: int, j1: int) -> np.ndarray:
    """Whether each pair of a block is in a set, asked one by one."""
    rows = [[bool(pairs(torch.tensor(i), torch.tensor(j))) for j in range(j0, j1 + 1)] for i in range(i0, i1 + 1)]
    return np.array(rows)


def corners(block: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    i0, rows, j0, keys = block
    return i0, i0 + rows, j0, j0 + keys


def asked(pairs: Pairs, ends: tuple[int, int, int, int]) -> tuple[bool, bool]:
    some, every = (ask(*(np.array([[end]]) for end in ends)) for ask in (pairs.some, pairs.every))
    assert some.shape == every.shape == (1, 1)
    assert some.dtype == every.dtype == bool
    return bool(some), bool(every)


def table(pairs: Pairs, i0: int, i1: int, j0: int, j1: int) -> np.ndarray:
    return pairs(torch.arange(i0, i1 + 1)[:, None], torch.arange(j0, j1 + 1)[None]).expand(i1 - i0 + 1, -1).numpy()


@pytest.mark.parametrize("kind", EXACT)
def test_blocks_are_known_exactly(kind: str) -> None:
    @given(EXACT[kind], blocks)
    def check(pairs: Pairs, block: tuple[int, int, int, int]) -> None:
        ends = corners(block)
        true = table(pairs, *ends)
        some, every = asked(pairs, ends)
        assert some == true.any()
        if kind not in ("stride", "dilate"):
            assert every == true.all()
        assert true.all() or not every

    check()


@pytest.mark.parametrize("kind", NOT_EXACT)
def test_blocks_err_on_the_safe_side(kind: str) -> None:
    @given(NOT_EXACT[kind], blocks)
    def check(pairs: Pairs, block: tuple[int, int, int, int]) -> None:
        ends = corners(block)
        true = table(pairs, *ends)
        some, every = asked(pairs, ends)
        assert some or not true.any()
        assert true.all() or not every

    check()


@pytest.mark.parametrize("kind", EXACT | NOT_EXACT)
def test_single_pairs_and_tables_of_pairs_agree_and_blocks_of_one_are_exact(kind: str) -> None:
    @given((EXACT | NOT_EXACT)[kind], st.integers(0, 150), st.integers(0, 150))
    def check(pairs: Pairs, i: int, j: int) -> None:
        (one,) = dense(pairs, i, i, j, j).ravel()
        assert table(pairs, i, i + 2, j, j + 3)[0, 0] == one
        some, every = asked(pairs, (i, i, j, j))
        assert (some, every) == (one, one)

    check()


@pytest.mark.parametrize("kind", EXACT | NOT_EXACT)
def test_many_blocks_are_asked_at_once(kind: str) -> None:
    @given((EXACT | NOT_EXACT)[kind])
    def check(pairs: Pairs) -> None:
        i0, j0 = np.arange(0, 96, 16)[:, None], np.arange(0, 90, 18)[None]
        ends = i0, i0 + 15, j0, j0 + 17
        for ask in (pairs.some, pairs.every):
            found = np.broadcast_to(ask(*ends), (6, 5))
            for a, b in np.ndindex(6, 5):
                block = np.array([i0[a, 0]]), np.array([i0[a, 0] + 15]), np.array([j0[0, b]]), np.array([j0[0, b] + 17])
                assert found[a, b] == ask(*block)[0]

    check()


def test_static_sight_is_what_the_papers_say() -> None:
    i, j = torch.arange(60)[:, None], torch.arange(60)[None]
    a, b = np.arange(60)[:, None], np.arange(60)[None]
    written = {
        Near(7): a - b < 7,
        First(4): np.broadcast_to(b < 4, (60, 60)),
        At((0, 1, 2, 9)): np.broadcast_to(np.isin(b, [0, 1, 2, 9]), (60, 60)),
        Stride(8): np.broadcast_to(b % 8 == 7, (60, 60)),
        Dilate(3): (a - b) % 3 == 0,
        Segment(16, 5): b >= a // 16 * 16 - 5,
        Chunks(10, 1, 1): a // 10 - b // 10 == 1,
        Chunks(10, 2, None): a // 10 - b // 10 >= 2,
    }
    for pairs, wanted in written.items():
        assert np.array_equal(pairs(i, j).expand(60, 60).numpy(), wanted), pairs


def test_random_blocks_are_of_their_size_probability_and_seed() -> None:
    i, j = torch.arange(0, 64 * 200, 64)[:, None], torch.arange(0, 64 * 200, 64)[None]
    tables = {}
    for probability in (0.05, 0.3, 0.7):
        for seed in (0, 1, 10**15):
            found = tables[probability, seed] = Random(probability, seed)(i, j).double()
            spread = math.sqrt(probability * (1 - probability))
            assert abs(found.mean() - probability) < 5 * spread / 200
            for along in (0, 1):  # no row or column is fuller than chance makes it, and none goes with its neighbour
                assert (found.mean(dim=along) - probability).abs().max() < 5 * spread / math.sqrt(200)
                beside = (found - probability) * (found.roll(1, dims=along) - probability)
                assert abs(beside.mean()) < 5 * spread**2 / 200
    assert (tables[0.3, 0] != tables[0.3, 1]).double().mean() == pytest.approx(2 * 0.3 * 0.7, abs=0.03)
    assert (tables[0.3, 0] <= tables[0.7, 0]).all(), "a greater probability sees what a smaller one sees"
    whole = table(Random(0.5, 3), 0, 127, 0, 191).reshape(2, 64, 3, 64)
    assert (whole == whole[:, :1, :, :1]).all()
    assert table(Random(1.0, 0), 0, 99, 0, 99).all()
    assert not table(Random(0.0, 0), 0, 99, 0, 99).any()


Map = tuple[tuple[Band, ...], Callable[[np.ndarray, np.ndarray], np.ndarray], Callable[[int], float]]
"""The bands, the published distance, and the greatest one among n tokens."""


def written_self_extend(group: int, window: int) -> Map:
    def distance(i: np.ndarray, j: np.ndarray) -> np.ndarray:
        return np.where(i - j < window, i - j, i // group - j // group + window - window // group)

    return self_extend(group, window), distance, lambda n: window + (n - window) / group + 1


def written_rerope(window: int) -> Map:
    return rerope(window), lambda i, j: np.minimum(i - j, window), lambda n: window


def written_leaky(window: int, rate: float) -> Map:
    def distance(i: np.ndarray, j: np.ndarray) -> np.ndarray:
        return np.where(i - j < window, i - j, window + (i - j - window) / rate)

    return leaky(window, rate), distance, lambda n: max(window, window + (n - window) / rate)


def written_dca(size: int, cap: int) -> Map:
    def distance(i: np.ndarray, j: np.ndarray) -> np.ndarray:
        apart = i // size - j // size
        before = np.where(apart == 1, np.minimum(i % size + size, cap), min(2 * size - 1, cap))
        return np.where(apart == 0, i - j, before - j % size)

    return dca(size, cap), distance, lambda n: cap


def written_streaming(sinks: int, window: int) -> Map:
    def distance(i: np.ndarray, j: np.ndarray) -> np.ndarray:
        return np.where(i - j < window, i - j, np.minimum(i, sinks + window - 1) - j)

    return streaming(sinks, window), distance, lambda n: max(window, sinks + window - 1)


maps: dict[str, st.SearchStrategy[Map]] = {
    "self_extend": st.tuples(st.integers(1, 9), st.integers(1, 9)).map(lambda p: written_self_extend(p[0], p[0] * p[1])),
    "rerope": one_up.map(written_rerope),
    "leaky": st.tuples(one_up, st.floats(1, 16)).map(lambda p: written_leaky(*p)),
    "dca": st.tuples(one_up, small).map(lambda p: written_dca(p[0], p[0] + p[1])),
    "streaming": st.tuples(small, one_up).map(lambda p: written_streaming(*p)),
}


@pytest.mark.parametrize("kind", maps)
def test_bands_are_disjoint_and_give_the_published_distance(kind: str) -> None:
    @given(maps[kind], st.integers(1, 160))
    def check(given_map: Map, n: int) -> None:
        bands, distance, bound = given_map
        i, j = torch.arange(n)[:, None], torch.arange(n)[None]
        causal = i >= j
        seen = torch.stack([(band.see(i, j) & causal).expand(n, n) for band in bands])
        assert (seen.sum(dim=0) <= 1).all()
        if kind != "streaming":
            assert (seen.any(dim=0) == causal).all()
        wanted = distance(np.arange(n)[:, None], np.arange(n)[None])
        for band, there in zip(bands, seen.numpy(), strict=True):
            given_ = (band.q(torch.arange(n))[:, None] - band.k(torch.arange(n))[None]).double().numpy()
            np.testing.assert_allclose(given_[there], wanted[there], atol=1e-4)
            assert not there.any() or 0 <= given_[there].min() <= given_[there].max() <= bound(n) + 1e-4

    check()


@pytest.mark.parametrize("name", ["self_extend(4,16)", "rerope(16)", "leaky(16,8)", "dca(24,40)", "streaming(4,16)"])
def test_a_distance_map_gives_positions_of_queries_and_keys_alone(name: str) -> None:
    bands = distance_bands(parse(name).atoms, 128)
    assert bands == distance_bands(parse(name).atoms, 128), "layers of equal maps share what is turned by them"
    for band in bands:
        positions = band.q(torch.arange(300)), band.k(torch.arange(300))
        assert all(each.shape == (300,) for each in positions)
        assert torch.equal(band.k(torch.arange(300))[100:], band.k(torch.arange(100, 300)))


@pytest.mark.parametrize(("sinks", "window"), [(4, 12), (1, 1), (0, 8), (4, 1), (6, 3)])
def test_streaming_counts_positions_in_the_cache(sinks: int, window: int) -> None:
    n = 50
    bands = streaming(sinks, window)
    first: list[int] = []
    latest: deque[int] = deque(maxlen=window)
    for i in range(n):
        # The cache as it is used: the first tokens stay, the oldest of the others makes room; positions are places in it.
        if len(first) < sinks and len(latest) == window:
            first.append(latest.popleft())
        latest.append(i)
        held = [*first, *latest]
        seen = {}
        for band in bands:
            for j in range(i + 1):
                if band.see(torch.tensor(i), torch.tensor(j)) and (i - j < window or j < sinks):
                    assert j not in seen
                    seen[j] = int(band.q(torch.tensor(i)) - band.k(torch.tensor(j)))
        assert sorted(seen) == held
        assert seen == {j: len(held) - 1 - place for place, j in enumerate(held)}


@pytest.mark.parametrize(
    ("text", "trained", "like"),
    [
        ("rerope", 128, rerope(32)),
        ("leaky", 128, leaky(32, 8.0)),
        ("dca", 128, dca(80, 96)),
        ("dca(40,auto)", 128, dca(40, 96)),
        ("streaming(2,8)", 128, streaming(2, 8)),
        ("window(8)+reindex", 128, streaming(0, 8)),
        ("", 128, (Band(CAUSAL),)),
    ],
)
def test_auto_is_found_from_the_trained_length(text: str, trained: int, like: tuple[Band, ...]) -> None:
    assert distance_bands(parse(text).atoms, trained) == like
