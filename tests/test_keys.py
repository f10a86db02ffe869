import hashlib

import pytest

from lceval.keys import digest, generator, pair_key, sample_key
from lceval.types import Cell

BASE = {"task": "niah", "version": 1, "params": {"keys": 4, "haystack": "noise"}, "seed": 0, "index": 3, "question": 0}
HASHES = {"tokenizer": "t", "frame": "f", "corpus": "c", "composition": "1"}


def test_a_digest_is_sha256_over_canonical_json() -> None:
    assert digest("a", 1, {"b": None, "a": 0.5}) == hashlib.sha256(b'["a",1,{"a":0.5,"b":null}]').hexdigest()[:32]
    assert digest("é") == hashlib.sha256(rb'["\u00e9"]').hexdigest()[:32]


def test_stored_keys_never_change() -> None:
    pair = pair_key(**BASE)  # type: ignore[arg-type]
    assert pair == "96429872366f00105614e37a6c434565"
    assert sample_key(pair, Cell(4096, 0.5), **HASHES) == "8b6ec5984e68e79fe74b3f4792e61c30"


def test_what_a_key_draws_never_changes() -> None:
    assert generator("niah", 0).bit_generator.random_raw(3).tolist() == [
        16605124402496743748,
        15100324716631340751,
        8171989655349711352,
    ]


def test_the_order_of_parameters_does_not_matter() -> None:
    turned = BASE | {"params": {"haystack": "noise", "keys": 4}}
    assert pair_key(**turned) == pair_key(**BASE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [{"task": "vt"}, {"version": 2}, {"params": {"keys": 5}}, {"params": {}}, {"seed": 1}, {"index": 4}, {"question": 1}],
    ids=str,
)
def test_everything_that_changes_what_is_asked_changes_the_pair_key(change: dict[str, object]) -> None:
    assert pair_key(**(BASE | change)) != pair_key(**BASE)  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [{"tokenizer": "u"}, {"frame": "u"}, {"corpus": "u"}, {"composition": "2"}], ids=str)
def test_everything_that_changes_the_tokens_changes_the_sample_key(change: dict[str, str]) -> None:
    cell = Cell(4096, 0.5)
    assert sample_key("p", cell, **(HASHES | change)) != sample_key("p", cell, **HASHES)


def test_cells_share_the_pair_key_but_not_the_sample_key() -> None:
    cells = [Cell(4096, 0.5), Cell(8192, 0.5), Cell(4096, 0.25), Cell(4096, None)]
    assert len({sample_key("p", cell, **HASHES) for cell in cells}) == len(cells)
    assert sample_key("p", cells[0], **HASHES) != sample_key("q", cells[0], **HASHES)


def test_neighbouring_parts_do_not_run_together() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest(1) != digest("1")


def test_equal_parts_draw_equally_and_others_do_not() -> None:
    first = generator("a", 1).integers(1 << 30, size=8).tolist()
    assert generator("a", 1).integers(1 << 30, size=8).tolist() == first
    assert generator("a", 2).integers(1 << 30, size=8).tolist() != first
