"""What a run was expected to cost against what it took: bytes, tokens, and seconds to the first token by length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lceval.costs.times import fitted
from lceval.costs.units import count_text, seconds_text, size_text
from lceval.costs.work import Work, work_of
from lceval.lengths import format_length

if TYPE_CHECKING:
    from lceval.rows import Run

NONE = "–"


@dataclass(frozen=True, slots=True)
class PlannedLength:
    """One length: what was planned, and the time by the fit to the run's rows."""

    length: int
    kv_bytes: int
    total_bytes: int
    """Weights, cache, activations and logits."""
    flops: float
    """Of reading a whole prompt."""
    best_s: float | None
    """Seconds to the first token by the GPU's rates; None: not known."""
    measured_s: float
    """Seconds to the first token of a prompt read from nothing."""

    @property
    def rate(self) -> float:
        """Operations a second that were reached."""
        return self.flops / self.measured_s


@dataclass(frozen=True, slots=True)
class Planned:
    """Both sides of a run."""

    lengths: tuple[PlannedLength, ...]
    linear_s: float
    """Seconds a token, and a squared token, of reading a prompt."""
    square_s: float
    residual: float
    one_by_one: int
    """Prompt tokens, every prompt from nothing."""
    read: int
    """Prompt tokens that were computed."""
    expected: int | None
    """Prompt tokens that were to be computed; None where the run was done in several commands."""
    peak_bytes: int | None
    """What tensors took at most; None where it was not measured."""

    @property
    def lines(self) -> list[str]:
        """In words."""
        expected = f" of {self.expected:,} planned ({self.read / self.expected:.3f} times)" if self.expected else ""
        fewer = self.one_by_one / max(1, self.read)
        lines = [
            f"Prompt tokens computed: {self.read:,}{expected}; one by one {self.one_by_one:,}, {fewer:.2f} times as many.",
            f"Seconds of reading n tokens, fitted to the prompts: {self.linear_s:.3g} n + {self.square_s:.3g} n² (residual "
            f"{self.residual:.1%}).",
        ]
        if self.peak_bytes:
            total = self.lengths[-1].total_bytes
            ratio = self.peak_bytes / total
            lines.append(f"Peak memory: {size_text(self.peak_bytes)}, planned {size_text(total)} ({ratio:.3f} times).")
        return lines

    @property
    def head(self) -> list[str]:
        """Titles of the table."""
        best = ["First token at best"] if self._timed else []
        return ["Length", "KV cache", "Memory", "FLOPs", *best, "First token measured", "FLOP/s reached"]

    @property
    def rows(self) -> list[list[str]]:
        """The table, a row a length."""
        return [
            [
                format_length(at.length),
                size_text(at.kv_bytes),
                size_text(at.total_bytes),
                count_text(at.flops),
                *([NONE if at.best_s is None else seconds_text(at.best_s)] if self._timed else []),
                seconds_text(at.measured_s),
                count_text(at.rate),
            ]
            for at in self.lengths
        ]

    @property
    def _timed(self) -> bool:
        return any(at.best_s is not None for at in self.lengths)


def planned(run: Run) -> Planned | None:
    """What a run's forecast and its rows say; None for a run without one, or without times."""
    plan = run.info.forecast
    if not plan:
        return None
    rows = [row for row in run.rows if row.answered]
    works = [work_of([(row.cached_tokens, row.prompt_tokens)]) for row in rows]
    fit = fitted((work.tokens, work.squares, row.prefill_s) for work, row in zip(works, rows, strict=True))
    if fit is None:
        return None
    lengths = []
    for at in plan["lengths"]:
        memory, best = at["memory"], [on["prefill_s"] for on in at["gpus"].values()]
        operations = at["flops"]["attention"] + at["flops"]["linear"]
        seconds = fit.seconds(at["length"])
        lengths.append(PlannedLength(at["length"], memory["kv"], memory["total"], operations, best[0] if best else None, seconds))
    whole = plan["load"]["prompts"] == len(run.rows)
    return Planned(
        tuple(lengths),
        fit.linear,
        fit.square,
        fit.residual,
        sum(row.prompt_tokens for row in rows),
        sum(works, Work()).tokens,
        plan["load"]["shared"]["tokens"] if whole else None,
        plan.get("peak_bytes"),
    )


def planned_lines(seen: Planned | None) -> Iterator[str]:
    """The section in Markdown; nothing without a forecast."""
    if seen is None:
        return
    yield "## Planned and measured"
    yield ""
    yield from (f"* {line}" for line in seen.lines)
    yield ""
    yield f"| {' | '.join(seen.head)} |"
    yield f"|{' ---: |' * len(seen.head)}"
    yield from (f"| {' | '.join(row)} |" for row in seen.rows)
    yield ""
