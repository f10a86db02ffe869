from __future__ import annotations

import numpy as np
import pytest
import torch

from lceval.runners.variants import pairs
from lceval.runners.variants.attend import Layer, Source, reference, within
from lceval.runners.variants.flex import BLOCK, Flex, block_mask, pieces, seen_blocks
from lceval.runners.variants.pairs import Band, Pairs

BANDS = {
    "causal": (Band(pairs.CAUSAL),),
    "self_extend": pairs.self_extend(4, 64),
    "rerope": pairs.rerope(200),
    "dca": pairs.dca(100, 150),
    "streaming": pairs.streaming(4, 64),
}
SIGHT: dict[str, list[Pairs]] = {
    "all": [],
    "window": [pairs.Near(130)],
    "window, sinks": [pairs.AnyOf((pairs.Near(130), pairs.First(4)))],
    "window, stride": [pairs.AnyOf((pairs.Near(40), pairs.Stride(50)))],
    "window, random": [pairs.AnyOf((pairs.Near(40), pairs.Random(0.3, 1)))],
}


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@pytest.mark.parametrize("bands", BANDS)
@pytest.mark.parametrize("sight", SIGHT)
def test_it_gives_what_the_definition_gives(bands: str, sight: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lceval.runners.variants.flex.LONG_RUN", 64)
    torch.manual_seed(0)
    q, k, v = torch.randn(1, 4, 150, 16), torch.randn(1, 2, 550, 16), torch.randn(1, 2, 550, 16)
    layer = Layer(within(BANDS[bands], *SIGHT[sight]), None)

    def source(lo: int, hi: int) -> Source:
        return Source(
            lambda move, a, b: k[:, :, lo + a : lo + b] * (1 if move is pairs.identity else 0.5), v[:, :, lo:hi], first=lo
        )

    flex = Flex(torch.device("cpu"))
    for first in (400, 0):
        sources = [source(0, 77), source(77, 300), source(300, 550)] if first else [source(0, 150)]
        wanted = reference(q, first, sources, layer, 0.25)
        torch.testing.assert_close(flex(q, first, sources, layer, 0.25), wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("bands", BANDS)
@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize(("first", "rows", "key_first", "keys"), [(0, 400, 0, 400), (1000, 300, 0, 1300), (777, 128, 300, 500)])
def test_blocks_are_those_that_are_seen(bands: str, sight: str, first: int, rows: int, key_first: int, keys: int) -> None:
    i, j = torch.arange(first, first + rows)[:, None], torch.arange(key_first, key_first + keys)[None]
    for band in within(BANDS[bands], *SIGHT[sight]):
        dense = band.see(i, j)
        padded = torch.zeros(-(-rows // BLOCK) * BLOCK, -(-keys // BLOCK) * BLOCK, dtype=torch.bool)
        padded[:rows, :keys] = dense
        there = padded.view(padded.shape[0] // BLOCK, BLOCK, -1, BLOCK)
        some, every = (torch.from_numpy(part) for part in seen_blocks(band.see, first, rows, key_first, keys))
        assert not (there.any(dim=3).any(dim=1) & ~some).any()
        counts = there.sum(dim=(1, 3))
        sizes = np.outer(
            [min(BLOCK, rows - a) for a in range(0, rows, BLOCK)], [min(BLOCK, keys - b) for b in range(0, keys, BLOCK)]
        )
        assert not (every & (counts < torch.from_numpy(sizes))).any()
        blocks = block_mask(band.see, first, rows, key_first, keys, lambda b, h, q, k: q >= 0, torch.device("cpu"))
        if blocks is None:
            assert not dense.any()
        else:
            assert torch.equal(blocks.to_dense()[0, 0].bool(), some)


def test_what_all_queries_see_is_dense_and_the_rest_is_in_few_pieces() -> None:
    near, far = (band.see for band in within(pairs.rerope(8192)))
    assert pieces(near, 65_536, 8192, 0, 73_728, 1024) == [(57_344, 73_728, False)]
    assert pieces(far, 65_536, 8192, 0, 73_728, 1024) == [(0, 57_344, True), (57_344, 65_536, False)]
    assert pieces(far, 65_536, 8192, 0, 73_728, None) == [(0, 65_536, False)]
    (window,) = within((Band(pairs.CAUSAL),), pairs.AnyOf((pairs.Near(2048), pairs.First(4))))
    assert pieces(window.see, 65_536, 8192, 0, 73_728, 1024) == [(0, 73_728, False)]


def test_a_window_of_a_long_context_has_few_blocks() -> None:
    (band,) = within((Band(pairs.CAUSAL),), pairs.AnyOf((pairs.Near(2048), pairs.First(4))))
    some, _ = seen_blocks(band.see, 122_880, 8192, 0, 131_072)
    assert some.mean() < 0.03
