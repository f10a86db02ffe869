"""A gate's verdict as people and CI systems read it: terminal, Markdown, JUnit XML, JSON.

All take the verdict from `lceval.gating.Gate`, from which the exit code comes too.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from lceval.lengths import format_length
from lceval.reports import text
from lceval.reports.markdown import plain
from lceval.reports.terminal import print_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from lceval.floors import Floor
    from lceval.gating import Gate, Judged, Outcome

STYLES: dict[Outcome, str] = {"pass": "green", "regression": "red", "inconclusive": "yellow", "not comparable": "yellow"}
SYMBOLS: dict[Outcome, str] = {"pass": "✅", "regression": "❌", "inconclusive": "❔", "not comparable": "❔"}
MEANINGS: dict[Outcome, str] = {
    "pass": "Everything that was asked for is shown.",
    "regression": "Something got worse, or is below its floor.",
    "inconclusive": "Neither a regression nor its absence is shown.",
    "not comparable": "The run and the baseline did not answer the same prompts.",
}


_POWER = ["power", "length", "samples a cell", "margin", "finds a drop of it", "of twice it", "samples to decide"]
"""A drop of the margin is found, and no drop is cleared, each with 80 %, by so many samples a cell."""


class _Line(NamedTuple):
    """One verdict in words."""

    name: str
    said: str
    verdict: Outcome


def print_gate(gate: Gate, console: Console) -> None:
    """Print the comparison, the floors, and as the last line the verdict."""
    from rich.text import Text

    base = f"{gate.baseline.model} (baseline) → " if gate.baseline else ""
    console.print(Text(f"{base}{gate.run.path}", style="bold"), soft_wrap=True)
    for remark in _remarks(gate):
        console.print(Text(remark, style="dim"), soft_wrap=True)
    for measure in ("strict", "logprob"):
        judged = [part for part in gate.judged if part.measure == measure]
        if judged:
            print_table(_header(judged), [_row(part) for part in judged], console)
    for floor in gate.floors:
        line = _floor(floor)
        console.print(f"{line.name}: {line.said}: {line.verdict}", markup=False, soft_wrap=True)
    if plans := _plans(gate):
        print_table(_POWER, plans, console)
    for why in _whys(gate):
        console.print(Text(why, style="yellow"), soft_wrap=True)
    console.print(Text(f"{gate.verdict}: {MEANINGS[gate.verdict]}", style=f"bold {STYLES[gate.verdict]}"), soft_wrap=True)


def render_markdown(gate: Gate) -> str:
    """The verdict for a pull request."""
    lines = [f"## {SYMBOLS[gate.verdict]} lceval gate: {gate.verdict}", "", MEANINGS[gate.verdict]]
    if whys := _whys(gate):
        lines += ["", *(f"* {plain(why)}" for why in whys)]
    for measure in ("strict", "logprob"):
        judged = [part for part in gate.judged if part.measure == measure]
        if judged:
            lines += ["", *_table(_header(judged), [_row(part) for part in judged])]
    if gate.floors:
        lines += ["", *_table(["floor", "reached", "verdict"], [list(_floor(floor)) for floor in gate.floors])]
    if plans := _plans(gate):
        lines += ["", *_table(_POWER, plans)]
    lines += ["", *(f"* {plain(line)}" for line in _remarks(gate))]
    return "\n".join(lines).rstrip() + "\n"


def junit(gate: Gate) -> str:
    """One test case a verdict: a failure where something got worse, an error where nothing could be decided."""
    from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

    suite = TestSuite("lceval gate")
    for name, value in _settings(gate).items():
        suite.add_property(name, text.value_text(value))
    lines = [_judged(part) for part in gate.judged] + [_floor(floor) for floor in gate.floors]
    lines += [_Line("the run", why, "not comparable" if gate.incomparable else "inconclusive") for why in _whys(gate)]
    for line in lines:
        case = TestCase(line.name, classname="lceval.gate", time=0)
        if line.verdict != "pass":
            case.result = [(Failure if line.verdict == "regression" else Error)(line.said, line.verdict)]
        suite.add_testcase(case)
    xml = JUnitXml("lceval")
    xml.add_testsuite(suite)
    xml.update_statistics()  # type: ignore[no-untyped-call]
    return str(xml.tostring(), "utf-8")  # type: ignore[no-untyped-call]


def record(gate: Gate) -> dict[str, Any]:
    """The verdict for machines: JSON-able, unknown and infinite numbers are None, lengths in tokens."""
    return {
        "schema": 1,
        "verdict": gate.verdict,
        "exit_code": gate.exit_code,
        "reasons": list(_whys(gate)),
        "settings": _settings(gate),
        "changed": {name: list(values) for name, values in (gate.changed or {}).items()},
        "judged": [
            {
                **({"task": "", "params": {}, "length": None} if part.stratum is None else _stratum(part)),
                "measure": part.measure,
                "verdict": part.verdict,
                **{name: getattr(part, name) for name in ("pairs", "wins", "losses", "margin", "alpha")},
                **{name: _finite(getattr(part, name)) for name in ("base", "run", "difference", "bound", "p")},
                "plan": None
                if part.plan is None
                else {name: getattr(part.plan, name) for name in ("finds_margin", "finds_twice", "haystacks", "needed")},
            }
            for part in gate.judged
        ],
        "floors": [
            {
                "kind": floor.kind,
                "task": floor.task,
                "params": json.loads(floor.params),
                "length": floor.length,
                "verdict": floor.verdict,
                **{name: getattr(floor, name) for name in ("wanted", "seen", "low", "high")},
            }
            for floor in gate.floors
        ],
    }


def _settings(gate: Gate) -> dict[str, Any]:
    limits = gate.limits
    return {
        "verdict": gate.verdict,
        "model": gate.run.info.model,
        "variant": gate.run.info.variant,
        "baseline": gate.baseline.model if gate.baseline else None,
        **{name: getattr(limits, name) for name in ("margin", "stratum_margin", "logprob_margin", "alpha")},
    }


def _stratum(part: Judged) -> dict[str, Any]:
    assert part.stratum is not None
    return {"task": part.stratum.task, "params": json.loads(part.stratum.params), "length": part.stratum.length}


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _header(judged: list[Judged]) -> list[str]:
    measured = "logprob" if judged[0].measure == "logprob" else "score"
    return [measured, "length", "pairs", "base", "run", "change", "at worst", "margin", "won", "lost", "p", "verdict"]


def _row(part: Judged) -> list[str]:
    digits = 2 if part.measure == "strict" else 3
    numbers = [f"{part.base:.{digits}f}", f"{part.run:.{digits}f}", f"{part.difference:+.3f}"] if part.pairs else [text.NOTHING] * 3
    bound = f"{part.bound:+.3f}" if math.isfinite(part.bound) else text.NOTHING
    counts = [str(part.wins), str(part.losses)]
    return [
        *text.stratum_text(part.stratum),
        str(part.pairs),
        *numbers,
        bound,
        f"{part.margin:g}",
        *counts,
        text.p_text(part.p),
        part.verdict,
    ]


def _name(part: Judged) -> str:
    named = " ".join(text.stratum_text(part.stratum)).strip()
    return named if part.measure == "strict" else f"{named}, log-probability"


def _judged(part: Judged) -> _Line:
    if not part.pairs:
        return _Line(_name(part), "there is nothing to compare", part.verdict)
    at_worst = f"{part.bound:+.3f}" if math.isfinite(part.bound) else "unknown"
    said = (
        f"{part.base:.3f} → {part.run:.3f} ({part.difference:+.3f}) over {part.pairs} pairs, {part.wins} won, {part.losses} lost; "
        f"at worst {at_worst} with {1 - part.alpha:.0%} confidence, margin {part.margin:g}; p of no drop {text.p_text(part.p)}"
    )
    return _Line(_name(part), said, part.verdict)


def _floor(floor: Floor) -> _Line:
    title = text.task_text(floor.task, json.loads(floor.params))
    if floor.kind == "score":
        where = f" at {format_length(floor.length)}" if floor.length else ""
        said = f"{text.score_text(floor.seen)} [{floor.low:.3f}, {floor.high:.3f}]"
        return _Line(f"{title}{where}: score at least {floor.wanted:g}", said, floor.verdict)
    seen, low, high = (format_length(int(n)) if n else "none" for n in (floor.seen, floor.low, floor.high))
    name = f"{title}: effective length at least {format_length(int(floor.wanted))}"
    return _Line(name, f"{low}; by mean {seen}, by upper bound {high}", floor.verdict)


def _plans(gate: Gate) -> list[list[str]]:
    rows = []
    for part in gate.judged:
        if plan := part.plan:
            needed = text.NOTHING if plan.needed is None else f"{plan.needed:,}"
            chances = f"{plan.finds_margin:.0%}", f"{plan.finds_twice:.0%}"
            rows.append([*text.stratum_text(part.stratum), str(plan.haystacks), f"{part.margin:g}", *chances, needed])
    return rows


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"| :--- |{' ---: |' * (len(header) - 2)} :--- |"
    for row in rows:
        yield f"| {' | '.join(map(plain, row))} |"


def _whys(gate: Gate) -> list[str]:
    """Why the run cannot pass, apart from its scores."""
    return [
        *([f"not comparable: {gate.incomparable}"] if gate.incomparable else []),
        *(f"incomplete: {why}" for why in gate.incomplete),
    ]


def _remarks(gate: Gate) -> list[str]:
    """What is worth knowing and changes no verdict."""
    said = [f"{field}: {was!r} → {now!r}" for field, (was, now) in (gate.changed or {}).items()]
    said += [f"not in the baseline, so not judged: {' '.join(text.stratum_text(stratum))}" for stratum in gate.unknown]
    return said
