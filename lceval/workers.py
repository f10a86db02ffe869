"""Many GPUs, many machines: the groups of a run spread over Ray actors, each with a runner of its own.

The driver holds the queue, largest group first, and hands one to each worker that is idle, so that a slow worker gets fewer. When
the queue is empty, an idle worker takes the later half of what another has not answered yet. The other one is not told: it keeps
what it has read and may be first, and whoever answers a sample first has answered it. It is told what others have answered, and
stops when nothing else is left.

Rows stream to the driver, which alone stores them, each worker's in a file of its own. So the machines need share no disk, there is
one place that writes, syncs and reports, and no row can be stored twice: a row whose sample is no longer open is dropped. A worker
that dies takes nothing along: what it had not handed in goes back into the queue, and another is started in its place.
"""

from __future__ import annotations

import logging
import math
import os
import re
import socket
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

import ray
from ray.exceptions import RayError, RayTaskError

from lceval.config import RunConfig
from lceval.engine import Answer, chosen_by, died, make_row, make_runner, run_info
from lceval.errors import LcevalError, ModelError, RunnerError, UsageError
from lceval.planning import Group, Plan
from lceval.rows import KEYED, Row, RunInfo
from lceval.store import differences
from lceval.types import Prompt, Runner, Sample

DEATHS = 3
"""So often a worker may die before it could begin, so often workers may die of one sample, and of so many samples."""
CONNECTING_S = 10.0
"""How long a cluster may take to be reached."""
CLOSING_S = 10.0
"""How long idle workers may take to put their models away."""
OBJECT_STORE_BYTES = 256 << 20
"""Ray's shared memory where we start it: rows are small."""


class Handed(NamedTuple):
    """One answer on its way to the driver."""

    row: Row
    prompt: Prompt | None
    notes: list[str]
    """What the runner had to say since the last one."""


class Worker:
    """What runs in an actor: a runner, and a plan that composes its prompts.

    Nothing is done on making it, since Ray hides the errors of that.

    Args:
        config: what was asked.
        folder: where the driver works, for relative paths.
    """

    def __init__(self, config: RunConfig, folder: str) -> None:
        self._config = config
        self._folder = folder
        self._said = 0
        self._answered: set[tuple[int, str]] = set()

    def introduce(self, command: str) -> RunInfo:
        """Make the runner, without its weights; what it says of itself."""
        with suppress(OSError):
            os.chdir(self._folder)
        self._runner = make_runner(self._config)
        self._plan = Plan(self._config, self._runner.tokenizer)
        return run_info(self._plan, self._runner, command)

    def load(self) -> tuple[dict[str, Any], list[str]]:
        """Load the weights; what the engine chose, and notes."""
        self._runner.__enter__()
        return chosen_by(self._runner), self._notes()

    def answer(self, turn: int, task: str, samples: Sequence[Sample], share: bool) -> Iterator[list[str] | Handed]:
        """Sample keys in walk order, and then the answers as they finish, until others have answered the rest in this turn."""
        made = next(one for one in self._plan.tasks if one.name == task)
        prompts = self._plan.prompts(made, samples)
        left = {(turn, prompt.sample.sample_key): None for prompt in prompts}
        yield [key for _, key in left]
        for prompt, generation in self._runner.generate(prompts, share=share):
            left.pop((turn, prompt.sample.sample_key), None)
            row = make_row(self._runner, made, prompt, generation)
            yield Handed(row, prompt if self._config.save_prompts else None, self._notes())
            if left.keys() <= self._answered:
                return

    def skip(self, turn: int, key: str) -> None:
        """Another worker has answered this sample. Heard while this one works, or later."""
        self._answered.add((turn, key))

    def close(self) -> None:
        """Put the model away."""
        self._runner.__exit__(None, None, None)

    def _notes(self) -> list[str]:
        notes = list(self._runner.notes[self._said :])
        self._said += len(notes)
        return notes


@dataclass(eq=False)
class Seat:
    """A worker as the driver sees it: an actor, which may be replaced, and what it is doing."""

    number: int
    actor: Any = None
    stage: Literal["introducing", "introduced", "loading", "idle", "answering"] = "introducing"
    awaited: Any = None
    """What it will hand in next, as Ray knows it; None: nothing."""
    group: Group | None = None
    held: dict[str, Sample] = field(default_factory=dict)
    """What it was given and nobody has answered; once it has begun, in walk order."""
    begun: bool = False


class RayWorkers:
    """`lceval.engine.Workers` on Ray, within `cluster`.

    Args:
        config: what was asked.
        runner: made here for its tokenizer; never entered.
        note: told what the user should know.
    """

    size = 0

    def __init__(self, config: RunConfig, runner: Runner, note: Callable[[str], None]) -> None:
        self._config = config
        self._runner = runner
        self._note = note
        self._noted: set[str] = set()
        self._make: Any = None
        self._seats: list[Seat] = []
        """The one that was served last comes last."""
        self._command = ""
        self._info: RunInfo | None = None
        self._loading = False
        self._chosen: dict[str, Any] | None = None
        self._queue: deque[Group] = deque()
        self._open: set[str] = set()
        """What workers hold and nobody has answered."""
        self._deaths: Counter[str | int] = Counter()
        """By the sample that was next, or else by the seat."""
        self._deadly: dict[str, str] = {}
        """Samples that are not tried again, and what the last worker died of."""
        self._share = True
        self._turn = 0
        """How often `answer` was called: a prompt that is verified has been answered before."""

    def __enter__(self) -> Self:
        self.size, resources = room(self._config, self._runner, self._tell)
        self._make = ray.remote(concurrency_groups={"listening": 1}, **resources)(Worker).remote
        self._seats = [Seat(number) for number in range(self.size)]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        hired = [seat for seat in self._seats if seat.actor is not None]
        with suppress(RayError):
            if closing := [seat.actor.close.remote() for seat in hired if seat.stage == "idle" and error is None]:
                ray.wait(closing, num_returns=len(closing), timeout=CLOSING_S)
        for seat in hired:
            ray.kill(seat.actor)

    def info(self, plan: Plan, command: str) -> RunInfo:
        """What the first worker says; the machine that drives may be another kind."""
        self._command = command
        for seat in self._seats:
            self._hire(seat)
        while self._info is None:
            self._step()
        for name, here, there in differences(run_info(plan, self._runner, command), self._info):
            if name in KEYED or name not in self._info.fingerprint:
                raise ModelError(
                    f"workers would be given other prompts than are planned here: {name} is {here!r} here and {there!r} on a "
                    "worker. Put the same model, tokenizer and texts on all machines."
                )
        return self._info.model_copy(update={"environment": {**self._info.environment, "workers": self.size}})

    def load(self) -> Mapping[str, Any]:
        """Load the weights in all workers; returns as soon as one is ready."""
        self._loading = True
        for seat in self._seats:
            self._load(seat)
        while self._chosen is None:
            self._step()
        return self._chosen

    def answer(self, plan: Plan, groups: Iterable[Group], *, share: bool) -> Iterator[Answer]:  # noqa: D102
        self._queue = deque(sorted(groups, key=lambda group: group.work, reverse=True))
        self._share = share
        self._turn += 1
        while True:
            for seat in self._seats:
                if seat.stage == "idle" and (group := self._queue.popleft() if self._queue else self._later_half()):
                    self._hand(seat, group)
            if not (self._queue or self._open):
                break
            if answer := self._step():
                yield answer
        for seat in self._seats:  # those that others were faster than
            if seat.stage == "answering":
                self._rest(seat)
        if self._deadly:
            self._give_up()

    def _hire(self, seat: Seat) -> None:
        seat.actor = self._make(self._config, str(Path.cwd()))
        seat.stage, seat.awaited = "introducing", seat.actor.introduce.remote(self._command)

    def _load(self, seat: Seat) -> None:
        if self._loading and seat.stage == "introduced":
            seat.stage, seat.awaited = "loading", seat.actor.load.remote()

    def _hand(self, seat: Seat, group: Group) -> None:
        samples = group.samples
        seat.group, seat.held, seat.begun = group, {sample.sample_key: sample for sample in samples}, False
        self._open |= seat.held.keys()
        stream = seat.actor.answer.options(num_returns="streaming").remote(self._turn, group.task.name, samples, self._share)
        seat.stage, seat.awaited = "answering", stream

    def _later_half(self) -> Group | None:
        """Half of what the slowest worker alone holds, but for what it is at."""
        holders = Counter(key for seat in self._seats for key in seat.held)
        shares = [(seat, [key for key in seat.held if holders[key] == 1]) for seat in self._seats if seat.begun]
        seat, keys = max(shares, key=lambda share: len(share[1]), default=(None, []))
        if seat is None or seat.group is None or len(keys) < 2:
            return None
        later = [seat.held[key] for key in keys[-(len(keys) // 2) :]]
        return replace(seat.group, asked=[(sample.cell, sample.question) for sample in later])

    def _step(self) -> Answer | None:
        """Wait until some worker hands something in, and take it."""
        waiting = {seat.awaited: seat for seat in self._seats if seat.awaited is not None}
        (ready,), _ = ray.wait(list(waiting), num_returns=1)
        seat = waiting[ready]
        self._seats.remove(seat)
        self._seats.append(seat)
        try:
            return self._take(seat, ray.get(next(ready) if seat.stage == "answering" else ready))
        except StopIteration:
            if seat.held:
                self._lose(seat, "it ended without an answer to each prompt")
            else:
                self._rest(seat)
        except RayTaskError as error:
            if isinstance(error.cause, LcevalError):
                raise error.cause from None
            self._lose(seat, f"{type(error.cause).__name__}: {error.cause}")
        except RayError as error:
            self._lose(seat, cause_of(error))
        return None

    def _take(self, seat: Seat, handed: Any) -> Answer | None:
        match seat.stage:
            case "introducing":
                self._greet(handed)
                seat.stage, seat.awaited = "introduced", None
                self._load(seat)
            case "loading":
                chosen, notes = handed
                self._tell(*notes)
                self._chosen = self._chosen or chosen
                seat.stage, seat.awaited = "idle", None
            case _ if not seat.begun:
                seat.held = {key: seat.held[key] for key in handed if key in seat.held}
                seat.begun = True
            case _:
                self._tell(*handed.notes)
                return self._accept(seat, handed)
        return None

    def _greet(self, info: RunInfo) -> None:
        """Get to know a worker; all must be alike."""
        self._info = self._info or info
        for name, first, this in differences(self._info, info):
            raise ModelError(
                f"the workers are not alike, so their answers cannot be one run: {name} is {first!r} in one and {this!r} in "
                "another. Put the same model on all machines, and name what they choose for themselves, such as -M dtype=bfloat16."
            )

    def _accept(self, seat: Seat, handed: Handed) -> Answer | None:
        key = handed.row.sample_key
        if key not in self._open:
            return None
        self._open.remove(key)
        self._deadly.pop(key, None)
        for other in self._seats:
            if other.held.pop(key, None) and other is not seat:
                other.actor.skip.options(concurrency_group="listening").remote(self._turn, key)
        return Answer(seat.number, handed.row, handed.prompt)

    def _rest(self, seat: Seat) -> None:
        """A worker has nothing in hand any more."""
        self._unhand(seat)
        seat.stage, seat.awaited = "idle", None

    def _unhand(self, seat: Seat) -> list[Sample]:
        """Take back what a worker holds; returns what nobody else does."""
        held, seat.held, seat.begun = seat.held, {}, False
        back = {key: sample for key, sample in held.items() if not any(key in other.held for other in self._seats)}
        self._open -= back.keys()
        return list(back.values())

    def _lose(self, seat: Seat, cause: str) -> None:
        """Go on after a worker's death."""
        with suppress(RayError):
            ray.kill(seat.actor)
        blamed = next(iter(seat.held), seat.number)
        self._deaths[blamed] += 1
        enough = self._deaths[blamed] >= DEATHS
        if enough and isinstance(blamed, str):
            self._deadly[blamed] = cause
        back = [sample for sample in self._unhand(seat) if sample.sample_key not in self._deadly]
        if back and seat.group:
            self._queue.append(replace(seat.group, asked=[(sample.cell, sample.question) for sample in back]))
        if len(self._deadly) > DEATHS:
            self._give_up()
        if enough and blamed == seat.number:
            self._seats.remove(seat)
            if not self._seats:
                raise RunnerError(died(self._runner.name, cause))
            self._tell(f"worker {seat.number} died {DEATHS} times before it could begin, and is left out ({cause})")
            return
        self._tell(f"worker {seat.number} died and is replaced; what it had not answered is done again ({cause})")
        self._hire(seat)

    def _give_up(self) -> None:
        key, cause = next(iter(self._deadly.items()))
        raise RunnerError(died(self._runner.name, f"{DEATHS} workers died of sample {key}, the last one of this: {cause}"))

    def _tell(self, *notes: str) -> None:
        """Say something once, although many workers may say it."""
        for note in notes:
            if note not in self._noted:
                self._noted.add(note)
                self._note(note)


@contextmanager
def cluster(config: RunConfig) -> Iterator[None]:
    """Join the Ray that a config names, or start one on this machine; if this process uses one already, that.

    Raises:
        UsageError: there is no Ray at that address, or nothing that workers would help.
    """
    if config.runner_name == "endpoint":
        raise UsageError(
            "--workers and --ray are for models that run here; a server gets many requests at a time from one process, and each "
            "worker would have a rate limit of its own. Use -M concurrency=N."
        )
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    ray._private.worker._worker_logs_enabled = False  # deaths are told by us; Ray has no setting for that
    cpus = max(len(os.sched_getaffinity(0)), config.workers)
    own = {"address": "local", "num_cpus": cpus, "include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
    try:
        ray.init(**quiet, **({"address": joined_at(config.ray)} if config.ray else own))
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise _no_cluster(config.ray, str(error).splitlines()[0]) from error
    try:
        yield
    finally:
        ray.shutdown()


def joined_at(address: str) -> str:
    """The address of a cluster, if something listens there: Ray itself would try for minutes.

    Raises:
        UsageError: nothing does, or it is one for clients of Ray.
    """
    if address.startswith("ray://"):
        raise UsageError(f"--ray {address!r}: that is for clients of Ray; run lceval on a machine of the cluster, with --ray auto.")
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal():
        try:
            socket.create_connection((host, int(port)), timeout=CONNECTING_S).close()
        except (OSError, OverflowError) as error:
            raise _no_cluster(address, str(error)) from None
    return address


def _no_cluster(address: str, why: str) -> UsageError:
    return UsageError(
        f"--ray {address!r}: there is no Ray cluster to join ({why}). Start one with 'ray start --head', or leave --ray out "
        "and give --workers N."
    )


def room(config: RunConfig, runner: Runner, note: Callable[[str], None]) -> tuple[int, dict[str, int]]:
    """How many workers there are to be, and what each takes of the cluster.

    Raises:
        UsageError: it is not said how many, or there is no room for them and will not be.
    """
    has = {name: int(amount) for name, amount in ray.cluster_resources().items()}
    all_gpus, all_cpus = has.get("GPU", 0), has.get("CPU", 1)
    gpus = gpus_of(runner, max(1, all_gpus // (config.workers or 1))) if all_gpus else 0
    workers = config.workers or (gpus and all_gpus // gpus)
    if not workers:
        why = f"a worker takes {gpus} GPUs and the cluster has {all_gpus}" if gpus else "no GPUs are used that would say how many"
        raise UsageError(f"--ray {config.ray} alone gives no number of workers, since {why}. Add --workers N.")
    # On a machine of our own the workers share its cores; in a cluster others may be waiting for them.
    cpus = 1 if gpus or config.ray else max(1, all_cpus // workers)
    places = min(all_cpus // cpus, all_gpus // gpus if gpus else workers)
    each = f"{gpus} GPU{'s' * (gpus > 1)}" if gpus else f"{cpus} CPU core{'s' * (cpus > 1)}"
    if places < workers and not config.ray:
        raise UsageError(
            f"--workers {workers}: each takes {each}, and there is room for {places} (Ray sees {all_gpus} GPUs and {all_cpus} CPU "
            f"cores). Ask for {max(places, 1)}, or join a larger cluster with --ray ADDRESS."
        )
    if places < workers:
        note(f"the cluster has room for {places} of {workers} workers, each with {each}; the others begin when there is more")
    return workers, {"num_gpus": gpus, "num_cpus": cpus}


def gpus_of(runner: Runner, share: int) -> int:
    """How many GPUs a runner takes.

    Args:
        runner: the runner.
        share: the GPUs of the cluster divided by the workers.
    """
    options = getattr(runner, "options", None)
    device = getattr(options, "device", "auto")
    if runner.control or device == "cpu":
        return 0
    if device == "balanced":
        return share
    return math.prod(getattr(options, name, 1) for name in ("tensor_parallel", "pipeline_parallel", "context_parallel"))


def cause_of(error: RayError) -> str:
    """What Ray says about a death, in a few words."""
    text = str(error)
    reason = re.split(r"\.\s|\n", text.partition("The actor is dead because ")[2] or text)[0]
    place = [f"{name} {value}" for name, value in re.findall(r"\t(pid|ip): (\S+)", text)]
    return ", ".join([reason.removesuffix("."), *place])
