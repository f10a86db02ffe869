"""Lengths and depths as users write them.

    4k..128k        4096, 8192, … 131072: doubling from the first, and the last itself (4k..100k ends 64k, 100k)
    4k,6k,100k      these
    4k..128k/12     12 lengths spaced evenly on the log scale, both ends included

`k` and `m` are binary: `4k` = 4096, `1m` = 1048576.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from lceval.errors import UsageError

_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*([km]?)", re.IGNORECASE)
_UNIT = {"": 1, "k": 1024, "m": 1024 * 1024}
_FORMS = "write lengths as '4k..128k' (doubling), '4k,6k,100k' or '4k..128k/12' (12 steps on the log scale)"


def parse_length(text: str) -> int:
    """One length in tokens: `4096`, `4k`, `1.5k`, `1m`.

    Raises:
        UsageError: not a length, not a whole number of tokens, or zero.
    """
    match = _LENGTH.fullmatch(text.strip())
    if not match:
        raise UsageError(f"cannot read {text!r} as a length; {_FORMS}.")
    tokens = float(match[1]) * _UNIT[match[2].lower()]
    if tokens != int(tokens) or tokens < 1:
        raise UsageError(f"length {text!r} is {tokens:g} tokens; a length is a whole number of at least 1 token.")
    return int(tokens)


def format_length(tokens: int) -> str:
    """The shortest exact way to write a length: 4096 -> `4k`, 1536 -> `1.5k`, 1000 -> `1000`."""
    for unit in ("m", "k"):
        if tokens >= _UNIT[unit] and tokens * 2 % _UNIT[unit] == 0:
            return f"{tokens / _UNIT[unit]:.12g}{unit}"
    return str(tokens)


def parse_lengths(text: str) -> tuple[int, ...]:
    """All lengths that `text` asks for, ascending and distinct.

    Raises:
        UsageError: a part that is not a length, a range that descends, or a list out of order.
    """
    lengths: list[int] = []
    for part in text.split(","):
        lengths += _range(part) if ".." in part else [parse_length(part)]
    check_lengths(lengths)
    return tuple(lengths)


def check_lengths(lengths: Sequence[int]) -> None:
    """Raise `UsageError` unless the lengths are positive and ascend."""
    if lengths and lengths[0] < 1:
        raise UsageError(f"length {lengths[0]} is not a length; a length is a whole number of at least 1 token.")
    for before, after in pairwise(lengths):
        if after <= before:
            raise UsageError(
                f"lengths {', '.join(map(format_length, lengths))} do not ascend ({format_length(before)} is followed by "
                f"{format_length(after)}); list every length once, smallest first."
            )


def _range(text: str) -> list[int]:
    span, _, steps = text.partition("/")
    first, _, last = span.partition("..")
    low, high = parse_length(first), parse_length(last)
    if high < low:
        raise UsageError(f"lengths {text!r} descend; write the smaller end first: '{last}..{first}'.")
    if "/" not in text:
        doubled = [low << n for n in range((high // low).bit_length())]
        return doubled if doubled[-1] == high else [*doubled, high]
    if not steps.strip().isdecimal() or int(steps) < 2:
        raise UsageError(f"cannot read {steps!r} in {text!r} as a number of steps; it takes a whole number of at least 2.")
    n = int(steps)
    lengths = [round(low * (high / low) ** (i / (n - 1))) for i in range(n)]
    if len(set(lengths)) < n:
        raise UsageError(
            f"{text!r} asks for {n} lengths, but on the log scale some of them are the same between {low} and {high} tokens; "
            "ask for fewer."
        )
    return lengths


def parse_depths(text: str) -> tuple[float, ...]:
    """Depths as a count (`5` = 0, 0.25, … 1) or a list (`0,0.1,0.5`).

    Raises:
        UsageError: not a number, or outside 0..1.
    """
    if text.strip() == "1":
        raise UsageError("--depths 1 could mean one depth or depth 1; write 1.0 for a needle at the end, or a count from 2 up.")
    form = "write depths as a count ('5' = 0, 0.25, 0.5, 0.75, 1) or a list of fractions from 0 to 1 ('0,0.5,1')"
    if re.fullmatch(r"\s*\d+\s*", text) and int(text) >= 2:
        n = int(text)
        return tuple(round(i / (n - 1), 6) for i in range(n))
    try:
        depths = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"cannot read {text!r} as depths; {form}.") from None
    check_depths(depths, form)
    return depths


def check_depths(depths: Sequence[float], form: str = "depths are fractions from 0 to 1") -> None:
    """Raise `UsageError` unless every depth lies in [0, 1] and none occurs twice."""
    for depth in depths:
        if not 0 <= depth <= 1:
            raise UsageError(f"depth {depth:g} lies outside 0..1; {form}.")
    if len(set(depths)) < len(depths):
        raise UsageError(f"depths {', '.join(f'{d:g}' for d in depths)} name one depth twice; {form}.")
