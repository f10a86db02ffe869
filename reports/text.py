"""Numbers as people read them, the same in every report."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lceval.keys import digest
from lceval.lengths import format_length
from lceval.statistics import CellStat, EffectiveLength

if TYPE_CHECKING:
    from lceval.comparing import Stratum

NOTHING = "–"
"""Stands where there is no number."""


def task_text(task: str, params: Mapping[str, Any]) -> str:
    """A task and the parameters that differ from its defaults, as in `niah (needles=4)`."""
    inner = ", ".join(f"{name}={value_text(value)}" for name, value in sorted(params.items()))
    return f"{task} ({inner})" if inner else task


def stratum_text(stratum: Stratum | None) -> tuple[str, str]:
    """A task with its parameters, and a length; `all answers` for None."""
    if stratum is None:
        return "all answers", ""
    return task_text(stratum.task, json.loads(stratum.params)), format_length(stratum.length)


def signed_interval(low: float, high: float) -> str:
    """`[-0.012, +0.034]`; nothing when there is none."""
    return f"[{low:+.3f}, {high:+.3f}]" if math.isfinite(low) and math.isfinite(high) else "unknown"


def p_text(p: float) -> str:
    """A p-value with two digits that matter, none below one in ten thousand."""
    return "<0.0001" if p < 0.0001 else f"{p:.2g}" if p < 0.095 else f"{p:.2f}"


def file_stem(task: str, params: Mapping[str, Any]) -> str:
    """A task and its parameters as part of a file name, as in `niah-needles=4`.

    Whatever is not plain letters, digits, dots and dashes is replaced, and then a digest keeps the names apart.
    """
    parts = [task.replace("/", "."), *(f"{name}={value_text(value)}" for name, value in sorted(params.items()))]
    if all(re.fullmatch(r"[\w.-]+(=[\w.-]+)?", part, re.ASCII) for part in parts) and sum(map(len, parts)) < 80:
        return "-".join(parts)
    plain = re.sub(r"[^A-Za-z0-9_.=]+", "-", "-".join(parts)).strip("-.")
    return f"{plain[:64]}-{digest(task, dict(params))[:8]}"


def safe_name(name: str) -> str:
    """A name as part of a file name."""
    return re.sub(r"[^A-Za-z0-9_.=-]+", "-", name).strip("-.") or "run"


def value_text(value: object) -> str:
    """A setting: strings as they are, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def visible(words: str) -> str:
    """The same with control characters and marks that turn the direction of writing spelled out: `⟨U+202E⟩`."""
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", words.replace("\r\n", "\n"))


def score_text(score: float) -> str:
    """Two decimals that say 1.00 and 0.00 only when the score is exactly that."""
    if math.isnan(score):
        return NOTHING
    return f"{score:.2f}" if score in (0, 1) else f"{min(max(score, 0.01), 0.99):.2f}"


def signed_text(difference: float) -> str:
    """A difference with its sign, to two decimals: `+0.20`, `−0.05`, `0.00`."""
    return NOTHING if math.isnan(difference) else f"{difference:+.2f}".replace("-", "−") if round(difference, 2) else "0.00"


def interval_text(stat: CellStat) -> str:
    """`[0.49, 0.94]`, or nothing without values."""
    return f"[{stat.low:.2f}, {stat.high:.2f}]" if stat.n else ""


def stat_text(stat: CellStat) -> str:
    """`0.80 [0.49, 0.94]`."""
    return f"{score_text(stat.mean)} {interval_text(stat)}".strip()


def percent_text(share: float) -> str:
    """Whole percent, rounded down, so that 100% means all of it."""
    return NOTHING if math.isnan(share) else f"{math.floor(share * 100 + 1e-9)}%"


def depth_text(depth: float | None) -> str:
    """`50%`, `33.3%`; nothing when the task sets the depths."""
    return NOTHING if depth is None else f"{round(100 * depth, 1):g}%"


def seconds_text(seconds: float) -> str:
    """Seconds, to the millisecond below ten and to the tenth above."""
    return NOTHING if math.isnan(seconds) else f"{seconds:.3f}" if seconds < 10 else f"{seconds:,.1f}"


def rate_text(rate: float) -> str:
    """Tokens per second, with thousands separated."""
    return NOTHING if math.isnan(rate) else f"{rate:,.0f}"


def effective_text(lengths: Sequence[int], reach: EffectiveLength) -> str:
    """The effective length to quote; `undecided` where no lower bound reaches the threshold but an upper one does."""
    return "undecided" if reach.length is None and reach.high is not None else reach_text(lengths, reach.length)


def reach_text(lengths: Sequence[int], length: int | None) -> str:
    """An effective length: `<4k` when even the shortest tested length fails, `≥128k` when the longest still works."""
    if length is None:
        return f"<{format_length(min(lengths))}"
    return f"≥{format_length(length)}" if length == max(lengths) else format_length(length)
