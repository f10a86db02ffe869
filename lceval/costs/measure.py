"""A measured prefill: real prompts of a few lengths, each read from nothing, and a · n + b · n² through their times."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from lceval.config import RunConfig
from lceval.costs.forecast import Measured
from lceval.costs.times import fitted
from lceval.errors import RunnerError
from lceval.lengths import format_length
from lceval.planning import Plan
from lceval.types import Prompt, Runner

BUDGET_S = 60.0
"""No further length is measured when it is expected to end later than this."""
MOST_LENGTHS = 3


def measured(config: RunConfig, runner: Runner, plan: Plan, note: Callable[[str], None]) -> Measured:
    """Load the model, read a prompt of each of the shortest lengths (two, or three if `BUDGET_S` allows), and fit their times.

    Args:
        config: the run; with one length only, half of it is measured as well.
        runner: of that config, not yet entered.
        plan: the whole grid of that config.
        note: told what is being measured.

    Raises:
        RunnerError: a prompt was not answered.
    """
    prompts = _one_a_length(config, runner, plan)
    begun, rows = time.monotonic(), []
    points: list[tuple[int, int, float]] = []
    with runner:
        for number, (length, prompt) in enumerate(sorted(prompts.items())):
            if number == MOST_LENGTHS or (number >= 2 and _too_long(points, len(prompt.ids), time.monotonic() - begun)):
                break
            if not number:
                _answer(runner, prompt)  # the first pass of all sets libraries up
            row = _answer(runner, prompt)
            note(f"measured {format_length(length)}: first token after {row['prefill_s']:.3g} s")
            points.append((len(prompt.ids), len(prompt.ids) ** 2, row["prefill_s"]))
            rows.append(row)
    fit = fitted(points)
    if fit is None:
        raise RunnerError(f"runner {config.runner_name!r} gives no prefill times, so there is nothing to fit.")
    new = sum(row["new_tokens"] for row in rows)
    return Measured(
        fit=fit,
        step_s=sum(row["decode_s"] for row in rows) / max(1, new),
        new_tokens=new / len(rows),
        other_s=max(0.0, sum(row["wall_s"] - row["prefill_s"] - row["decode_s"] for row in rows) / len(rows)),
        where=f"{getattr(runner, 'device', 'this machine')}, {runner.fingerprint.get('dtype', 'its dtype')}",
    )


def _one_a_length(config: RunConfig, runner: Runner, plan: Plan) -> dict[int, Prompt]:
    lengths = config.lengths
    if len(lengths) == 1:
        plan = Plan(config.model_copy(update={"lengths": (lengths[0] // 2, lengths[0])}), runner.tokenizer)
    found: dict[int, Prompt] = {}
    for prompt in plan.compose(plan.groups[0]):
        found.setdefault(prompt.sample.cell.length, prompt)
    return found


def _too_long(points: list[tuple[int, int, float]], tokens: int, spent: float) -> bool:
    fit = fitted(points)
    return fit is not None and spent + fit.seconds(tokens) > BUDGET_S


def _answer(runner: Runner, prompt: Prompt) -> dict[str, Any]:
    begun = time.perf_counter()
    ((_, generation),) = list(runner.generate([prompt], share=False))
    if generation.outcome not in ("ok", "truncated"):
        raise RunnerError(f"a prompt of {len(prompt.ids)} tokens could not be measured: {generation.error}.")
    wall = time.perf_counter() - begun
    return {
        "prefill_s": generation.prefill_s,
        "decode_s": generation.decode_s,
        "new_tokens": generation.new_tokens,
        "wall_s": wall,
    }
