"""How a run tells that it goes on: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text

from lceval.costs.times import Moments
from lceval.costs.work import Work, work_of
from lceval.lengths import format_length

if TYPE_CHECKING:
    from lceval.planning import Plan
    from lceval.rows import Row

LINE_EVERY_S = 10.0


class Pace:
    """What is done and to do, and when the rest will be done.

    What is still to compute is taken from the first group's tree, of which the others are copies with other words. How much
    dearer a late token is than an early one is learnt from the rows: seconds of reading a..b are fitted as A (b - a) + B (b² - a²).
    The clock, not their sum, says how fast this goes, so several prompts at a time, or several workers, need nothing else.
    """

    def __init__(self, plan: Plan) -> None:
        self._begun = time.monotonic()
        self._left, self._answered = plan.pending, 0
        self._planned, self._read = plan.load.shared, Work()
        self._decode_s = 0.0
        self._moments = Moments()

    def row(self, row: Row) -> None:
        """Count a row."""
        work = work_of([(row.cached_tokens, row.prompt_tokens)])
        self._moments.add(work.tokens, work.squares, row.prefill_s)
        self._read += work
        self._decode_s += row.decode_s
        self._left, self._answered = self._left - 1, self._answered + 1

    @property
    def eta_s(self) -> float | None:
        """Seconds left, or None before anything is known."""
        a, b = self._moments.solve()
        if not a and not b:
            a = 1.0  # nothing was timed: a token is a token
        done = a * self._read.tokens + b * self._read.squares + self._decode_s
        if not done:
            return None
        tokens, squares = self._planned.tokens - self._read.tokens, self._planned.squares - self._read.squares
        left = a * max(0, tokens) + b * max(0, squares) + self._decode_s / self._answered * self._left
        return (time.monotonic() - self._begun) * left / done


def duration(seconds: float | None) -> str:
    """`1:05`, `2:03:10`, or `–`."""
    if seconds is None:
        return "–"
    minutes, s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{s:02}" if hours else f"{minutes}:{s:02}"


class TerminalProgress:
    """One bar a length on a terminal; in a log, a line every ten seconds."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._bars: Bars | None = None

    def begin(self, plan: Plan, stored: int) -> None:  # noqa: D102
        pending = plan.pending_by_length
        self._pending, self._answered = sum(pending.values()), 0
        self._pace, self._said = Pace(plan), time.monotonic()
        if plan.forecast:
            from lceval.reports.forecast import short

            for line in short(plan.forecast):
                self.console.print(line, markup=False, soft_wrap=True)
        if stored:
            self.console.print(f"{stored} of {plan.planned} answers are stored already or left to other shards")
        if self.console.is_terminal and pending:
            scores = _ScoreColumn()
            self._bars = Bars(
                TextColumn("{task.description:>6}"), BarColumn(), MofNCompleteColumn(), scores, _EtaColumn(), console=self.console
            )
            self._lengths = {n: self._bars.add_task(format_length(n), total=pending[n], score=0.0, eta="") for n in pending}
            self._bars.start()

    def row(self, row: Row) -> None:  # noqa: D102
        self._pace.row(row)
        self._answered += 1
        if self._bars:
            bar: TaskID = self._lengths[row.length]
            task = self._bars.tasks[bar]
            self._bars.update(bar, advance=1, score=task.fields["score"] + (row.strict or 0.0))
            for other in self._lengths.values():
                self._bars.update(other, eta="")
            self._bars.update(bar, eta=f"{duration(self._pace.eta_s)} left")
        elif time.monotonic() - self._said > LINE_EVERY_S or self._answered == self._pending:
            self._said = time.monotonic()
            self.console.print(f"{self._answered}/{self._pending} answered, about {duration(self._pace.eta_s)} left")

    def note(self, text: str) -> None:  # noqa: D102
        self.console.print(f"note: {text}", markup=False, highlight=False, soft_wrap=True)

    def end(self) -> None:  # noqa: D102
        if self._bars:
            self._bars.stop()
            self._bars = None


class _ScoreColumn(ProgressColumn):
    def render(self, task: object) -> Text:
        completed, score = task.completed, task.fields["score"]  # type: ignore[attr-defined]
        return Text(f"strict {score / completed:.2f}" if completed else "")


class _EtaColumn(ProgressColumn):
    def render(self, task: object) -> Text:
        return Text(task.fields["eta"], style="dim")  # type: ignore[attr-defined]


class NoProgress:
    """Says nothing; notes become warnings of the Python API."""

    def begin(self, plan: Plan, stored: int) -> None:  # noqa: D102
        return

    def row(self, row: Row) -> None:  # noqa: D102
        return

    def note(self, text: str) -> None:  # noqa: D102
        import warnings

        warnings.warn(text, stacklevel=2)

    def end(self) -> None:  # noqa: D102
        return
