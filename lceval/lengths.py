"""Lengths, positions and depths as users write them.

    4k..128k        4096, 8192, … 131072: doubling from the first, and the last itself (4k..100k ends 64k, 100k)
    4k,6k,100k      these
    4k..128k/12     12 lengths spaced evenly on the log scale, both ends included
    8k..128k+8k     8192, 16384, … 131072: in equal steps, as far as the second end

Positions are prompt tokens, from 0 on:

    0..120k/16      16 positions spaced evenly, both ends included
    0..120k+8k      in equal steps
    0,4k,100k       these

`k` and `m` are binary: `4k` = 4096, `1m` = 1048576.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from lceval.errors import UsageError

_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*([km]?)", re.IGNORECASE)
_UNIT = {"": 1, "k": 1024, "m": 1024 * 1024}
_FORMS = (
    "write lengths as '4k..128k' (doubling), '4k,6k,100k', '4k..128k/12' (12 steps on the log scale) or '8k..128k+8k' (steps of 8k)"
)
_POSITION_FORMS = "write positions as '0..120k/16' (16 of them, spaced evenly), '0..120k+8k' (steps of 8k) or '0,4k,100k'"


def parse_length(text: str) -> int:
    """One length in tokens: `4096`, `4k`, `1.5k`, `1m`.

    Raises:
        UsageError: not a length, not a whole number of tokens, or zero.
    """
    return _tokens(text, "length", 1, _FORMS)


def _tokens(text: str, what: str, least: int, forms: str) -> int:
    match = _LENGTH.fullmatch(text.strip())
    if not match:
        raise UsageError(f"cannot read {text!r} as a {what}; {forms}.")
    tokens = float(match[1]) * _UNIT[match[2].lower()]
    if tokens != int(tokens) or tokens < least:
        raise UsageError(f"{what} {text!r} is {tokens:g} tokens; a {what} is a whole number of tokens, at least {least}.")
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
    low, high, kind, steps = _ends(text, "length", 1, _FORMS)
    if kind == "+":
        return list(range(low, high + 1, steps))
    if not kind:
        doubled = [low << n for n in range((high // low).bit_length())]
        return doubled if doubled[-1] == high else [*doubled, high]
    lengths = [round(low * (high / low) ** (i / (steps - 1))) for i in range(steps)]
    if len(set(lengths)) < steps:
        raise UsageError(
            f"{text!r} asks for {steps} lengths, but on the log scale some of them are the same between {low} and {high} tokens; "
            "ask for fewer."
        )
    return lengths


def _ends(text: str, what: str, least: int, forms: str) -> tuple[int, int, str, int]:
    """Both ends of a range, what follows it (`/`, `+` or nothing), and the number of steps or the size of one."""
    kind = next((mark for mark in "/+" if mark in text), "")
    span, _, steps = text.partition(kind) if kind else (text, "", "")
    first, _, last = span.partition("..")
    low, high = (_tokens(end, what, least, forms) for end in (first, last))
    if high < low:
        raise UsageError(f"{what}s {text!r} descend; write the smaller end first: '{last}..{first}'.")
    if kind == "+":
        return low, high, kind, _tokens(steps, "step", 1, forms)
    if kind and (not steps.strip().isdecimal() or int(steps) < 2):
        raise UsageError(f"cannot read {steps!r} in {text!r} as a number of steps; it takes a whole number of at least 2.")
    return low, high, kind, int(steps) if kind else 0


def parse_positions(text: str) -> tuple[int, ...]:
    """All positions (prompt tokens, from 0 on) that `text` asks for, ascending and distinct.

    Raises:
        UsageError: a part that is not a position, a range without a number of steps, or a list out of order.
    """
    positions: list[int] = []
    for part in text.split(","):
        if ".." not in part:
            positions.append(_tokens(part, "position", 0, _POSITION_FORMS))
            continue
        low, high, kind, steps = _ends(part, "position", 0, _POSITION_FORMS)
        if not kind:
            raise UsageError(f"positions {part!r} do not say how many; {_POSITION_FORMS}.")
        positions += (
            range(low, high + 1, steps) if kind == "+" else (low + round((high - low) * i / (steps - 1)) for i in range(steps))
        )
    check_positions(positions)
    return tuple(positions)


def check_positions(positions: Sequence[int]) -> None:
    """Raise `UsageError` unless the positions ascend from 0 or more."""
    if positions and positions[0] < 0:
        raise UsageError(f"position {positions[0]} lies before the prompt; positions are tokens from 0 on.")
    for before, after in pairwise(positions):
        if after <= before:
            raise UsageError(
                f"positions {', '.join(map(format_length, positions))} do not ascend ({format_length(before)} is followed by "
                f"{format_length(after)}); list every position once, smallest first."
            )


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
