"""From a config to stored rows."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from lceval._version import __version__
from lceval.config import RunConfig
from lceval.environment import environment
from lceval.errors import LcevalError, RunnerError
from lceval.fitter import prompt_sha256
from lceval.plan import Plan, make_tasks
from lceval.registry import load
from lceval.store import Row, RunInfo, RunStore, read_rows
from lceval.tree import walk_order
from lceval.types import Generation, Prompt, Runner, Task


class Progress(Protocol):
    """Who is told how a run goes."""

    def begin(self, plan: Plan, stored: int) -> None:
        """Work is about to start; `stored` planned rows need none."""
        ...

    def row(self, row: Row) -> None:
        """A row has been stored."""
        ...

    def note(self, text: str) -> None:
        """Something the user should know."""
        ...

    def end(self) -> None:
        """All work is done, or the run is being left."""
        ...


def make_runner(config: RunConfig) -> Runner:
    """The runner of a config, weights not yet loaded; task names and parameters are checked before its tokenizer is read."""
    make_tasks(config)
    runner: Runner = load("runner", config.runner_name)(config.model, config.model_options)
    return runner


def make_plan(config: RunConfig, runner: Runner) -> Plan:
    """The plan of a config, checked: all of it fits, and what is stored is left out. Writes nothing."""
    done = {row.sample_key for row in read_rows(config.folder) if row.outcome in ("ok", "truncated")}
    plan = Plan(config, runner.tokenizer, done)
    plan.check_fit(runner.max_length, runner.model)
    return plan


def execute(config: RunConfig, runner: Runner, progress: Progress, command: str) -> Plan:
    """Answer what is missing and store it.

    Raises:
        CannotFit: before anything is written.
        StoreError: the run folder cannot be used.
        RunnerError: the engine died; what is stored stays stored.
    """
    plan = make_plan(config, runner)
    info = RunInfo(
        lceval=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        model=config.model,
        model_options=config.model_options,
        runner=runner.name,
        control=runner.control,
        fingerprint=json.loads(json.dumps(runner.fingerprint)),
        environment=environment(),
        grids=plan.grids,
        commands=[command],
    )
    with RunStore.open(config.folder, info, shard=config.shard) as store:
        plan.done = store.done
        progress.begin(plan, stored=plan.planned - plan.pending)
        try:
            if plan.pending:
                with runner:
                    _answer(plan, runner, store, progress)
                    _verify(plan, runner, store, progress)
        finally:
            progress.end()
    return plan


def _answer(plan: Plan, runner: Runner, store: RunStore, progress: Progress) -> None:
    said = 0
    for group in plan.groups:
        prompts = plan.compose(group)
        if plan.config.save_prompts:
            _save(store.path / f"prompts-{plan.config.shard[0] - 1:03d}.jsonl.gz", prompts, plan)
        try:
            for prompt, generation in runner.generate(prompts, share=not plan.config.cold):
                row = make_row(runner, group.task, prompt, generation)
                store.append([row])
                progress.row(row)
                for note in runner.notes[said:]:
                    progress.note(note)
                said = len(runner.notes)
        except (LcevalError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise RunnerError(
                f"the runner {runner.name!r} died: {type(error).__name__}: {error}. What was answered before is stored; run the "
                "same command again to go on from here."
            ) from error


def _verify(plan: Plan, runner: Runner, store: RunStore, progress: Progress) -> None:
    """Answer some prompts again, each from nothing, and say how many answers differ."""
    wanted = plan.config.verify_prefix
    if not wanted:
        return
    stored = {row.sample_key: row for row in read_rows(store.path) if row.outcome in ("ok", "truncated")}
    prompts = [prompt for group in plan.groups for prompt in plan.compose(group) if prompt.sample.sample_key in stored]
    chosen = prompts[:: max(1, len(prompts) // wanted)][:wanted]
    differ = [
        prompt.sample.sample_key
        for prompt, cold in runner.generate(walk_order(chosen), share=False)
        if cold.text != stored[prompt.sample.sample_key].output
    ]
    progress.note(
        f"prefix check: {len(chosen) - len(differ)} of {len(chosen)} prompts gave the same text when computed from nothing"
        + (f"; different: {', '.join(differ)}" if differ else "")
    )


def make_row(runner: Runner, task: Task, prompt: Prompt, generation: Generation) -> Row:
    """What is stored of one answer."""
    answered = generation.outcome in ("ok", "truncated")
    score = task.score(prompt.question, generation.text) if answered else None
    sample = prompt.sample
    return Row(
        task=sample.task,
        params=dict(sample.params),
        model=runner.model,
        variant="",
        runner=runner.name,
        length=sample.cell.length,
        depth=sample.cell.depth,
        index=sample.index,
        question=sample.question,
        seed=sample.seed,
        sample_key=sample.sample_key,
        pair_key=sample.pair_key,
        prompt_sha256=prompt_sha256(prompt.ids),
        prompt_tokens=len(prompt.ids),
        reserved_tokens=prompt.reserved,
        cached_tokens=generation.cached_tokens,
        new_tokens=generation.new_tokens,
        needle_tokens=list(prompt.needle_tokens),
        needle_depths=list(prompt.needle_depths),
        answers=list(prompt.question.answers),
        output=generation.text,
        outcome=generation.outcome,
        finish_reason=generation.finish_reason,
        official=score.official if score else None,
        strict=score.strict if score else None,
        prefill_s=round(generation.prefill_s, 4),
        decode_s=round(generation.decode_s, 4),
        error=generation.error,
    )


def _save(file: Path, prompts: Sequence[Prompt], plan: Plan) -> None:
    """Append prompts, compressed; one gzip member a group, so that a crash costs at most the last."""
    lines = [
        json.dumps({"sample_key": p.sample.sample_key, "text": plan.tokenizer.decode(p.ids, special=True), "ids": p.ids.tolist()})
        for p in prompts
    ]
    with file.open("ab") as out:
        out.write(gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))
