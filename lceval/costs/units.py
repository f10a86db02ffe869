"""Quantities as people read them."""

from __future__ import annotations

import math
import re

from lceval.errors import UsageError

_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def size_text(count: float) -> str:
    """Bytes in binary units: `1.5 GiB`."""
    units = iter(("B", "KiB", "MiB", "GiB", "TiB", "PiB"))
    unit = next(units)
    while count >= 1024:
        count, unit = count / 1024, next(units)
    return f"{count:,.4g} {unit}" if count < 1000 else f"{count:,.0f} {unit}"


def short_size(count: float) -> str:
    """The same in three digits and no `B`: `1.5 Gi`, for tables."""
    number, _, unit = size_text(count).partition(" ")
    return f"{float(number.replace(',', '')):.3g} {unit.removesuffix('B')}".rstrip()


def count_text(count: float, unit: str = "") -> str:
    """A large number in decimal units, three digits: `4.5 PFLOP`."""
    if not count:
        return f"0 {unit}".rstrip()
    step = max(0, min(7, math.floor(math.log10(abs(count)) / 3)))
    value = count / 1000**step
    digits = f"{value:.0f}" if value >= 100 else f"{value:.3g}"
    return f"{digits} {'kMGTPEZ'[step - 1] if step else ''}{unit}".rstrip()


def seconds_text(seconds: float) -> str:
    """`12 ms`, `1.4 s`, `3:05` (minutes), `2.5 h` or `12 days`."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 100:
        return f"{seconds:.3g} s"
    if seconds < 3600:
        return f"{int(seconds // 60)}:{int(seconds % 60):02} min"
    return f"{seconds / 3600:.3g} h" if seconds < 3 * 86_400 else f"{seconds / 86_400:,.3g} days"


def parse_size(text: str, option: str) -> int:
    """Bytes: `80G`, `24GiB`, `512M`; units are binary.

    Raises:
        UsageError: not such a size, or nothing.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*", text.lower())
    size = int(float(found[1]) * _BYTES[found[2]]) if found else 0
    if not size:
        raise UsageError(f"cannot read {option} {text!r} as an amount of memory; write it as 80G, 24GiB or 512M (binary units).")
    return size
