"""From a config to stored rows."""

from __future__ import annotations

import gzip
import inspect
import json
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from lceval._version import __version__
from lceval.config import RunConfig
from lceval.environment import environment
from lceval.errors import LcevalError, RunnerError, StoreError, UsageError
from lceval.fitter import COMPOSITION, prompt_sha256
from lceval.plan import Plan, compose, make_tasks
from lceval.registry import load
from lceval.rows import Row, RunInfo
from lceval.store import RunStore, read_rows, replace_file
from lceval.tasks.scoring import split_thought
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
    made = load("runner", config.runner_name)
    given = {"variant": config.variant, "longest": max(config.lengths)}
    taken = {name: value for name, value in given.items() if name in inspect.signature(made).parameters}
    if config.variant and "variant" not in taken:
        raise UsageError(
            f"--variant {config.variant} is for models in Transformers, and in part for vLLM; runner {config.runner_name!r} has no "
            "variants. Use --runner hf."
        )
    runner: Runner = made(config.model, config.model_options, **taken)
    return runner


def make_plan(config: RunConfig, runner: Runner) -> Plan:
    """The plan of a config, checked: all of it fits, and what is stored is left out. Writes nothing."""
    done = {row.sample_key for row in read_rows(config.folder) if row.outcome in ("ok", "truncated")}
    plan = Plan(config, runner.tokenizer, done)
    plan.check_fit(runner.max_length, f"{runner.model} · {config.variant}" if config.variant else runner.model)
    return plan


def execute(config: RunConfig, runner: Runner, progress: Progress, command: str) -> None:
    """Answer what is missing and store it.

    Raises:
        CannotFit: before anything is written.
        StoreError: the run folder cannot be used.
        ModelError: the weights cannot be loaded; nothing is recorded.
        RunnerError: the engine died; what is stored stays stored.
    """
    plan = make_plan(config, runner)
    info = RunInfo(
        lceval=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        model=config.model,
        model_options=config.model_options,
        runner=runner.name,
        variant=config.variant,
        control=runner.control,
        fingerprint=json.loads(json.dumps({**runner.fingerprint, "composition": COMPOSITION})),
        environment=environment(),
        grids=plan.grids,
        commands=[command],
    )
    with RunStore.open(config.folder, info, shard=config.shard) as store:
        plan = Plan(config, runner.tokenizer, store.done, grids=plan.grids)
        for note in plan.notes():
            progress.note(note)
        with runner if plan.pending or config.verify_prefix else nullcontext():
            if chosen := getattr(runner, "environment", None):
                info = info.model_copy(update={"environment": {**info.environment, "engine": chosen}})
            store.begin(info)
            progress.begin(plan, stored=plan.planned - plan.pending)
            try:
                _answer(plan, runner, store, progress)
                _verify(plan, runner, store, progress)
            except (LcevalError, KeyboardInterrupt):
                raise
            except Exception as error:
                raise RunnerError(
                    f"the runner {runner.name!r} died: {type(error).__name__}: {error}. What was answered before is stored; run "
                    "the same command again to go on from here."
                ) from error
            finally:
                progress.end()


def _answer(plan: Plan, runner: Runner, store: RunStore, progress: Progress) -> None:
    said = 0
    for group in plan.groups:
        for prompt, generation in runner.generate(plan.compose(group), share=not plan.config.cold):
            if plan.config.save_prompts:
                _save(store.path / "prompts", prompt, runner)
            row = make_row(runner, group.task, prompt, generation)
            store.append([row])
            progress.row(row)
            for note in runner.notes[said:]:
                progress.note(note)
            said = len(runner.notes)


def _verify(plan: Plan, runner: Runner, store: RunStore, progress: Progress) -> None:
    """Answer some stored prompts again, each from nothing, and say how many answers differ."""
    wanted = plan.config.verify_prefix
    if not wanted:
        return
    stored = {row.sample_key: row for row in read_rows(store.path) if row.outcome in ("ok", "truncated")}
    whole = Plan(plan.config, runner.tokenizer, grids=plan.grids)
    known = [(group.task, sample) for group in whole.groups for sample in group.samples if sample.sample_key in stored]
    count = min(wanted, len(known))
    chosen = [compose(whole.fitter, *known[i * len(known) // count]) for i in range(count)]
    again = list(runner.generate(walk_order(chosen), share=False))
    failed = [prompt.sample.sample_key for prompt, cold in again if cold.outcome == "error"]
    differ = [
        prompt.sample.sample_key
        for prompt, cold in again
        if cold.outcome != "error" and prompt.opening + cold.text != stored[prompt.sample.sample_key].output
    ]
    equal = len(again) - len(differ) - len(failed)
    progress.note(
        f"prefix check: {equal} of {len(again)} prompts gave the same text when computed from nothing"
        + (f"; different: {', '.join(differ)}" if differ else "")
        + (f"; could not be answered: {', '.join(failed)}" if failed else "")
    )


def make_row(runner: Runner, task: Task, prompt: Prompt, generation: Generation) -> Row:
    """What is stored of one answer."""
    output = prompt.opening + generation.text
    thought, answer = split_thought(output)
    score = task.score(prompt.question, answer) if generation.outcome in ("ok", "truncated") else None
    sample = prompt.sample
    return Row(
        task=sample.task,
        params=dict(sample.params),
        model=runner.model,
        variant=str(runner.fingerprint.get("variant", "")),
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
        support=list(prompt.question.support),
        answers=list(prompt.question.answers),
        output=output,
        outcome=generation.outcome,
        finish_reason=generation.finish_reason,
        official=score.official if score else None,
        strict=score.strict if score else None,
        details=dict(score.details) if score else {},
        thinking_words=len(thought.split()),
        logprob=None if generation.logprob is None else round(generation.logprob, 6),
        greedy_match=generation.greedy_match,
        prefill_s=round(generation.prefill_s, 4),
        decode_s=round(generation.decode_s, 4),
        error=generation.error,
    )


def _save(folder: Path, prompt: Prompt, runner: Runner) -> None:
    """Keep a prompt: its text and its ids, compressed, in a file named after its sample key."""
    key = prompt.sample.sample_key
    record = {"sample_key": key, "text": runner.tokenizer.decode(prompt.ids, special=True), "ids": prompt.ids.tolist()}
    try:
        folder.mkdir(exist_ok=True)
        replace_file(folder / f"{key}.json.gz", gzip.compress(json.dumps(record).encode(), mtime=0))
    except OSError as error:
        raise StoreError(
            f"cannot save a prompt in {str(folder)!r}: {error.strerror}. Every answer stored before is whole."
        ) from error
