from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval.errors import UsageError
from lceval.lengths import check_depths, format_length, parse_depths, parse_length, parse_lengths, parse_positions


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("4096", 4096), ("4k", 4096), ("4K", 4096), (" 4 k ", 4096), ("1.5k", 1536), ("0.5k", 512), ("1m", 1 << 20), ("1", 1)],
)
def test_a_length_is_read(text: str, tokens: int) -> None:
    assert parse_length(text) == tokens


@pytest.mark.parametrize("text", ["", "k", "4x", "-4k", "1e3", "4kk", "four", "4k..8k", "0x10", "4,5"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"cannot read .* as a length"):
        parse_length(text)


@pytest.mark.parametrize(
    ("text", "seen"), [("0", "0 tokens"), ("0k", "0 tokens"), ("1.1k", "1126.4 tokens"), ("0.5", "0.5 tokens")]
)
def test_a_length_is_a_whole_positive_number(text: str, seen: str) -> None:
    with pytest.raises(UsageError, match=seen):
        parse_length(text)


@pytest.mark.parametrize(
    ("tokens", "text"),
    [(4096, "4k"), (1536, "1.5k"), (1000, "1000"), (512, "512"), (1 << 20, "1m"), (3 << 19, "1.5m"), (100 << 10, "100k"), (1, "1")],
)
def test_a_length_is_written_short(tokens: int, text: str) -> None:
    assert format_length(tokens) == text


@given(st.one_of(st.integers(1, 1 << 24), st.integers(1, 1 << 20).map(lambda n: n * 512)))
def test_a_written_length_is_read_back_exactly(tokens: int) -> None:
    assert parse_length(format_length(tokens)) == tokens


K = 1024


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("4k..128k", [4 * K, 8 * K, 16 * K, 32 * K, 64 * K, 128 * K]),
        ("4k..100k", [4 * K, 8 * K, 16 * K, 32 * K, 64 * K, 100 * K]),
        ("4k..4k", [4 * K]),
        ("3k..13k", [3 * K, 6 * K, 12 * K, 13 * K]),
        ("4k,6k,100k", [4 * K, 6 * K, 100 * K]),
        ("8192", [8 * K]),
        ("1k..4k,6k", [K, 2 * K, 4 * K, 6 * K]),
        ("1k..4k/3", [K, 2 * K, 4 * K]),
        ("1000..100000/3", [1000, 10000, 100000]),
        ("512, 1k .. 2k", [512, K, 2 * K]),
    ],
)
def test_lengths_in_every_form(text: str, lengths: list[int]) -> None:
    assert parse_lengths(text) == tuple(lengths)


def test_twelve_steps_are_even_on_the_log_scale() -> None:
    lengths = parse_lengths("4k..128k/12")
    assert len(lengths) == 12
    assert (lengths[0], lengths[-1]) == (4 * K, 128 * K)
    ratios = [b / a for a, b in pairwise(lengths)]
    assert max(ratios) / min(ratios) < 1.001


@given(st.integers(1, 1 << 22), st.integers(0, 1 << 22), st.integers(2, 40))
def test_steps_hold_both_ends_or_are_refused(low: int, more: int, steps: int) -> None:
    try:
        lengths = parse_lengths(f"{low}..{low + more}/{steps}")
    except UsageError:
        first_step = low * (((low + more) / low) ** (1 / (steps - 1)) - 1)
        assert first_step < 1  # two lengths would round to the same whole number
    else:
        assert (lengths[0], lengths[-1], len(lengths)) == (low, low + more, steps)
        assert list(lengths) == sorted(set(lengths))


@given(st.integers(1, 1 << 16), st.integers(0, 1 << 20))
def test_doubling_doubles_up_to_the_end(low: int, more: int) -> None:
    *doubled, last = parse_lengths(f"{low}..{low + more}")
    assert last == low + more
    assert doubled == [low << n for n in range(len(doubled))]
    assert last <= (low << len(doubled))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("8k..4k", "descend; write the smaller end first: '4k..8k'"),
        ("8k,4k", r"do not ascend \(8k is followed by 4k\)"),
        ("4k,4k", "do not ascend"),
        ("4k..8k,8k", "do not ascend"),
        ("4k..8k/1", "number of steps"),
        ("4k..8k/0", "number of steps"),
        ("4k..8k/x", "cannot read 'x'"),
        ("4k..8k/2.5", "cannot read '2.5'"),
        ("4k..8k/²", "number of steps"),
        ("1..3/9", "are the same between 1 and 3"),
        ("4k..8k..16k", "cannot read"),
        ("..8k", "cannot read ''"),
        ("4k..", "cannot read ''"),
        ("4k,,8k", "cannot read ''"),
        ("", "write lengths as"),
    ],
)
def test_lengths_that_make_no_sense_are_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_lengths(text)


@pytest.mark.parametrize(
    ("text", "depths"),
    [
        ("5", (0, 0.25, 0.5, 0.75, 1)),
        ("2", (0, 1)),
        ("11", tuple(i / 10 for i in range(11))),
        ("0,0.1,0.5", (0, 0.1, 0.5)),
        ("0.5", (0.5,)),
        ("1.0", (1,)),
        ("0", (0,)),
        ("1,0", (1, 0)),
    ],
)
def test_depths_are_a_count_or_a_list(text: str, depths: tuple[float, ...]) -> None:
    assert parse_depths(text) == pytest.approx(depths)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x", "cannot read 'x' as depths"),
        ("", "cannot read '' as depths"),
        ("0,,1", "cannot read"),
        ("1.5", "depth 1.5 lies outside 0..1"),
        ("-0.1,0.5", "depth -0.1 lies outside"),
        ("nan", "outside 0..1"),
        ("0.5,0.5", "name one depth twice"),
        ("0.1,0.2,0.10", "name one depth twice"),
    ],
)
def test_depths_that_make_no_sense_are_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_depths(text)


def test_good_depths_pass_the_check() -> None:
    check_depths([0, 0.5, 1])


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        ("0", (0,)),
        ("0,4k,100k", (0, 4096, 102400)),
        ("0..120k/16", tuple(8192 * i for i in range(16))),
        ("0..10/4", (0, 3, 7, 10)),
        ("0..20+8", (0, 8, 16)),
        ("0..1k+512,4k", (0, 512, 1024, 4096)),
    ],
)
def test_positions_are_read(text: str, positions: tuple[int, ...]) -> None:
    assert parse_positions(text) == positions


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("here", "cannot read 'here' as a position; write positions as"),
        ("-4", "cannot read '-4' as a position"),
        ("0.3", "a position is a whole number of tokens, at least 0"),
        ("0..8k", "do not say how many"),
        ("8k..0/4", "descend"),
        ("0..8k/1", "a whole number of at least 2"),
        ("0..2/4", "do not ascend"),
        ("0..8k+0", "a step is a whole number of tokens, at least 1"),
        ("4k,4k", "do not ascend"),
    ],
)
def test_what_is_no_position_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_positions(text)
    assert message in str(caught.value)


def test_lengths_in_equal_steps() -> None:
    assert parse_lengths("8k..32k+8k") == (8192, 16384, 24576, 32768)
    assert parse_lengths("1k..3000+1k") == (1024, 2048)
    with pytest.raises(UsageError, match="a step is a whole number of tokens, at least 1"):
        parse_lengths("1k..4k+0")
