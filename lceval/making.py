"""The tasks that a config asks for, made with their parameters."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from lceval.config import DEFAULT_DEPTHS, RunConfig
from lceval.errors import UsageError, unknown
from lceval.lengths import format_length
from lceval.registry import load, members
from lceval.types import ONE_PASS_PARAMS, Task


def make_tasks(config: RunConfig) -> list[Task]:
    """The tasks of a config with their parameters: `name=value` goes to every task that has it, `task.name=value` to one.

    Raises:
        UsageError: an unknown task or parameter.
    """
    makers: dict[str, Any] = {name: load("task", name) for name in config.tasks}
    own: dict[str, dict[str, Any]] = {name: {} for name in makers}
    for name, value in sorted(config.task_params.items(), key=lambda pair: "." in pair[0]):  # those for one task come last, and win
        scope, dot, field = name.rpartition(".")
        if any(task not in makers for task in members(scope) if dot):
            raise UsageError(f"-T {name}= is for a task {scope!r} that is not in this run ({', '.join(makers)}).")
        within = members(scope) if dot else list(makers)
        takers = [task for task in within if field in makers[task].Params.model_fields]
        if not takers and field == "data":
            raise UsageError(
                f"-T data={value}: {', '.join(within)} write their own samples. A benchmark's own file is run with "
                f"'lceval run official -T data={value}', a NoLiMa needle set with 'lceval run nolima -T data={value}'."
            )
        if not takers:
            fields = dict.fromkeys(field for task in within for field in makers[task].Params.model_fields)
            raise unknown(f"parameter of {scope or ', '.join(makers)}", field, fields)
        for task in takers:
            own[task][field] = value
    if config.one_pass:
        for task, given in own.items():
            given |= _in_one_pass(config, task, given, "one_pass" in makers[task].Params.model_fields)
    return [_whole(name, maker.from_params(own[name])) for name, maker in makers.items()]


def _in_one_pass(config: RunConfig, task: str, given: Mapping[str, Any], can: bool) -> dict[str, Any]:
    """The parameters that stand for `--one-pass`."""
    if not can:
        raise UsageError(f"--one-pass: {task} cannot have needles at all depths in one context; niah can. Leave {task} out.")
    if clash := given.keys() & {*ONE_PASS_PARAMS}:
        raise UsageError(f"--one-pass puts needles at --depths or --positions; leave -T {', '.join(sorted(clash))} out.")
    if config.positions is not None:
        return {"one_pass": True, "needle_positions": ",".join(map(format_length, config.positions))}
    depths = DEFAULT_DEPTHS if config.depths is None else config.depths
    return {"one_pass": True, "needle_depths": ",".join(f"{depth:.12g}" for depth in depths)}


def _whole(name: str, task: Task) -> Task:
    """The task, which may be another package's, if it has all that a task must have."""
    wanted = [member for member in (*Task.__annotations__, *vars(Task)) if not member.startswith("_")]
    if missing := [member for member in wanted if inspect.getattr_static(task, member, wanted) is wanted]:
        raise UsageError(
            f"task {name!r} ({type(task).__module__}.{type(task).__qualname__}) lacks {', '.join(missing)}. Update its package, or "
            "make its class one of lceval.tasks.family.Family."
        )
    return task
