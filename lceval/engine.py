"""From a config to stored rows."""

from __future__ import annotations

import gzip
import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

from lceval._version import __version__
from lceval.config import RunConfig
from lceval.environment import environment
from lceval.errors import LcevalError, RunnerError, StoreError, UsageError
from lceval.fitter import COMPOSITION, prompt_sha256
from lceval.making import make_tasks
from lceval.planning import Group, Plan
from lceval.registry import load
from lceval.rows import Row, RunInfo
from lceval.store import RunStore, answered_keys, read_rows, replace_file
from lceval.tasks.scoring import split_thought
from lceval.tokens import Tokenizer
from lceval.types import Cell, Generation, Prompt, Runner, Task

FULL = 4
"""So many times as many prompts as a runner has in hand are given to it together."""


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
    """The plan of a config, checked: all of it fits in window and memory, and what is stored is left out. Writes nothing."""
    from lceval.costs.verb import check_memory

    plan = Plan(config, runner.tokenizer, answered_keys(config.folder))
    plan.check_fit(runner.max_length, f"{runner.model} · {config.variant}" if config.variant else runner.model)
    check_memory(plan, runner)
    return plan


class Answer(NamedTuple):
    """What a worker hands in."""

    worker: int
    """Which one, from 0."""
    row: Row
    prompt: Prompt | None
    """Only where prompts are saved."""


class Workers(Protocol):
    """Who does the work of a run: a context manager, whose `size` is known on entering."""

    size: int

    def info(self, plan: Plan, command: str) -> RunInfo:
        """What is recorded of this run. Loads no weights."""
        ...

    def load(self) -> Mapping[str, Any]:
        """Load the weights.

        Returns:
            What the engine chose for itself.

        Raises:
            ModelError: that cannot be done.
        """
        ...

    def answer(self, plan: Plan, groups: Iterable[Group], *, share: bool) -> Iterator[Answer]:
        """Answer all samples of some groups, each once, as they finish.

        Args:
            plan: what composes the prompts.
            groups: what to do.
            share: compute every shared prefix once.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


class Alone:
    """This process does all the work.

    Args:
        runner: what answers.
        note: told what the runner has to say.
    """

    size = 1

    def __init__(self, runner: Runner, note: Callable[[str], None]) -> None:
        self._runner = runner
        self._note = note
        self._said = 0
        self._held = ExitStack()

    def info(self, plan: Plan, command: str) -> RunInfo:  # noqa: D102
        return run_info(plan, self._runner, command)

    def load(self) -> Mapping[str, Any]:  # noqa: D102
        self._held.enter_context(self._runner)
        self._tell()
        return chosen_by(self._runner)

    def answer(self, plan: Plan, groups: Iterable[Group], *, share: bool) -> Iterator[Answer]:  # noqa: D102
        for asked in _handed(plan, groups, getattr(self._runner, "at_once", 1)):
            tasks = {prompt.sample.sample_key: task for prompt, task in asked}
            for prompt, generation in self._runner.generate([prompt for prompt, _ in asked], share=share):
                row = make_row(self._runner, tasks[prompt.sample.sample_key], prompt, generation)
                yield Answer(0, row, prompt if plan.config.save_prompts else None)
                self._tell()

    def _tell(self) -> None:
        for note in self._runner.notes[self._said :]:
            self._note(note)
        self._said = len(self._runner.notes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._held.__exit__(kind, error, trace)


def _handed(plan: Plan, groups: Iterable[Group], at_once: int) -> Iterator[list[tuple[Prompt, Task]]]:
    """The prompts of each group; of several together for a runner that has many in hand, and would often wait for the last few."""
    asked: list[tuple[Prompt, Task]] = []
    for group in groups:
        asked += [(prompt, group.task) for prompt in plan.compose(group)]
        if at_once == 1 or len(asked) >= FULL * at_once:
            yield asked
            asked = []
    if asked:
        yield asked


def execute(config: RunConfig, runner: Runner, progress: Progress, command: str) -> None:
    """Answer what is missing and store it.

    Raises:
        CannotFit: before anything is written.
        StoreError: the run folder cannot be used.
        ModelError: the weights cannot be loaded; nothing is recorded.
        RunnerError: the engine died; what is stored stays stored.
    """
    plan = make_plan(config, runner)
    with cluster(config), _workers(config, runner, progress) as workers:
        info = workers.info(plan, command)
        with RunStore.open(config.folder, info, shard=config.shard, workers=workers.size) as store:
            plan = Plan(config, runner.tokenizer, store.done, grids=plan.grids)
            for note in plan.notes():
                progress.note(note)
            info = _expecting(info, plan, runner)
            chosen = workers.load() if plan.pending or config.verify_prefix else {}
            store.begin(info.model_copy(update={"environment": {**info.environment, **chosen}}))
            progress.begin(plan, stored=plan.planned - plan.pending)
            try:
                _answer(plan, workers, store, progress)
                _verify(plan, workers, store, progress)
            except (LcevalError, KeyboardInterrupt):
                raise
            except Exception as error:
                raise RunnerError(died(runner.name, f"{type(error).__name__}: {error}")) from error
            finally:
                progress.end()
            if info.forecast and (peak := getattr(runner, "peak_bytes", None)):
                store.begin(info.model_copy(update={"forecast": {**info.forecast, "peak_bytes": peak}}))


def _expecting(info: RunInfo, plan: Plan, runner: Runner) -> RunInfo:
    """What is recorded, with what the plan is expected to cost."""
    from lceval.costs.verb import of_run

    plan.forecast = of_run(plan, runner) if plan.pending else None
    return info.model_copy(update={"forecast": plan.forecast.record()}) if plan.forecast else info


def _workers(config: RunConfig, runner: Runner, progress: Progress) -> Workers:
    if not config.on_ray:
        return Alone(runner, progress.note)
    from lceval.workers import RayWorkers

    return RayWorkers(config, runner, progress.note)


def cluster(config: RunConfig) -> AbstractContextManager[None]:
    """What the workers of a config live in, if there are to be any."""
    if not config.on_ray:
        return nullcontext()
    if find_spec("ray") is None:
        raise UsageError(
            f"--workers {config.workers or '…'} needs Ray, which is not installed here: pip install 'lceval[ray]'. Or start "
            "several processes with --shard 1/2 and --shard 2/2, and put their runs together with 'lceval merge'."
        )
    from lceval.workers import cluster as on_ray

    return on_ray(config)


def died(runner: str, cause: str) -> str:
    """The message of a `RunnerError`."""
    return (
        f"the runner {runner!r} died: {cause}. What was answered before is stored; run the same command again to go on from here."
    )


def chosen_by(runner: Runner) -> dict[str, Any]:
    """What the engine of a runner chose for itself, as an entry of the recorded environment."""
    chosen = getattr(runner, "environment", None)
    return {"engine": chosen} if chosen else {}


def run_info(plan: Plan, runner: Runner, command: str) -> RunInfo:
    """What `run.json` says of a run that begins here and now."""
    config = plan.config
    return RunInfo(
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


def _answer(plan: Plan, workers: Workers, store: RunStore, progress: Progress) -> None:
    for answer in workers.answer(plan, plan.groups, share=not plan.config.cold):
        if answer.prompt is not None:
            _save(store.path / "prompts", answer.prompt, plan.tokenizer)
        store.append([answer.row], answer.worker)
        progress.row(answer.row)


def _verify(plan: Plan, workers: Workers, store: RunStore, progress: Progress) -> None:
    """Answer some stored prompts again, each from nothing, and say how many answers differ."""
    wanted = plan.config.verify_prefix
    if not wanted:
        return
    stored = {row.sample_key: row.output for row in read_rows(store.path) if row.answered}
    whole = Plan(plan.config, plan.tokenizer, grids=plan.grids)
    known = [
        (number, (sample.cell, sample.question))
        for number, group in enumerate(whole.groups)
        for sample in group.samples
        if sample.sample_key in stored
    ]
    count = min(wanted, len(known))
    chosen: dict[int, list[tuple[Cell, int]]] = {}
    for i in range(count):
        number, asked = known[i * len(known) // count]
        chosen.setdefault(number, []).append(asked)
    groups = [replace(whole.groups[number], asked=asked) for number, asked in chosen.items()]
    again = [answer.row for answer in workers.answer(whole, groups, share=False)]
    failed = [row.sample_key for row in again if not row.answered]
    differ = [row.sample_key for row in again if row.answered and row.output != stored[row.sample_key]]
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


def _save(folder: Path, prompt: Prompt, tokenizer: Tokenizer) -> None:
    """Keep a prompt: its text and its ids, compressed, in a file named after its sample key."""
    key = prompt.sample.sample_key
    record = {"sample_key": key, "text": tokenizer.decode(prompt.ids, special=True), "ids": prompt.ids.tolist()}
    try:
        folder.mkdir(exist_ok=True)
        replace_file(folder / f"{key}.json.gz", gzip.compress(json.dumps(record).encode(), mtime=0))
    except OSError as error:
        raise StoreError(
            f"cannot save a prompt in {str(folder)!r}: {error.strerror}. Every answer stored before is whole."
        ) from error
