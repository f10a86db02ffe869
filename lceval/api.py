"""The verbs as Python functions."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lceval.config import RunConfig, configs_of
from lceval.costs.verb import plan as plan
from lceval.errors import StoreError, UsageError
from lceval.rows import Row, Run
from lceval.store import load_run

if TYPE_CHECKING:
    from lceval.engine import Progress
    from lceval.rebuild import Rebuilder
    from lceval.reports.comparison import ComparisonFiles
    from lceval.reports.write import ReportFiles
    from lceval.tokens import Tokenizer
    from lceval.types import Prompt, Runner


def run(
    tasks: str | Sequence[str],
    model: str,
    *,
    task_params: Mapping[str, Any] | None = None,
    model_options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Run:
    """Answer what is missing of a grid, write the report, and return the run.

    Args:
        tasks: one task or several.
        model: a folder, a GGUF file, a hub name, `smollm2-135m`, or `control:…`.
        task_params: `-T` pairs.
        model_options: `-M` pairs.
        progress: who is told how it goes; nobody by default (notes become warnings).
        settings: the other fields of `lceval.config.RunConfig`: lengths (`"4k..32k"` or token counts), depths (`"5"` or fractions),
            samples, seed, runner, out, shard, cold, ….

    Raises:
        LcevalError: anything the user can mend.
    """
    from lceval.progress import NoProgress

    config = RunConfig.checked(
        tasks=tasks, model=model, task_params=dict(task_params or {}), model_options=dict(model_options or {}), **settings
    )
    return execute(config, progress or NoProgress(), "lceval.run(…)").run


class Finished(NamedTuple):
    """A run and its report."""

    run: Run
    files: ReportFiles | None
    """None while the run has no answers (a shard with nothing to do)."""


def execute(config: RunConfig, progress: Progress, command: str) -> Finished:
    """`run` with a config, as the command line has it."""
    from lceval import engine

    return _execute(config, engine.make_runner(config), progress, command)


def _execute(config: RunConfig, runner: Runner, progress: Progress, command: str) -> Finished:
    from lceval import engine
    from lceval.rebuild import Rebuilder

    engine.execute(config, runner, progress, command)
    finished = load_run(config.folder)
    if not finished.rows:
        return Finished(finished, None)
    rebuilder = Rebuilder(runner.tokenizer, max(row.length for row in finished.rows))
    return Finished(finished, _write(finished, rebuilder, progress.note))


def compare_variants(
    tasks: str | Sequence[str],
    model: str,
    variants: Sequence[str],
    *,
    task_params: Mapping[str, Any] | None = None,
    model_options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> list[Run]:
    """Run a model under several variants on the same prompts, and write their comparison beside the runs.

    Args:
        tasks: one task or several.
        model: as for `run`.
        variants: at least two, such as `["none", "yarn(4)", "streaming(4,2k)"]`.
        task_params: `-T` pairs.
        model_options: `-M` pairs.
        progress: as for `run`.
        settings: as for `run`; `out` is the folder of all, `runs/<model>-variants` if left out.

    Returns:
        The runs, in the order of the variants.

    Raises:
        LcevalError: anything the user can mend; a variant that is refused is known before the first is run.
    """
    from lceval.progress import NoProgress

    given = {"tasks": tasks, "model": model, "variants": list(variants)}
    configs = configs_of({**given, "task_params": dict(task_params or {}), "model_options": dict(model_options or {}), **settings})
    return execute_all(configs, progress or NoProgress(), "lceval.compare_variants(…)").runs


class Several(NamedTuple):
    """Runs and their comparison."""

    runs: list[Run]
    files: ComparisonFiles | None
    """None while one of them has no answers."""


def execute_all(
    configs: Sequence[RunConfig], progress: Progress, command: str, *, begin: Callable[[str], None] = lambda _: None
) -> Several:
    """`execute` for one config after the other, and the comparison of the runs.

    Args:
        configs: of several variants; everything about all of them that can be refused without weights is, before the first is run.
        progress: who is told how it goes.
        command: what is recorded in the runs.
        begin: told which variant is next.
    """
    from lceval import engine

    runners = [engine.make_runner(config) for config in configs]
    for config, runner in zip(configs, runners, strict=True):
        engine.make_plan(config, runner)
    finished = []
    with engine.cluster(configs[0]):
        for n, (config, runner) in enumerate(zip(configs, runners, strict=True), 1):
            begin(f"{n} of {len(configs)}: {config.variant or 'none'}")
            finished.append(_execute(config, runner, progress, command).run)
    answered = len(finished) > 1 and all(run.rows for run in finished)
    return Several(finished, side_by_side(finished, configs[0].folder.parent) if answered else None)


def side_by_side(runs: Sequence[Run | str | Path], out: str | Path | None = None) -> ComparisonFiles:
    """Compare any runs: `comparison.html`, `comparison.md` and a picture per task with the runs' heatmaps side by side.

    Args:
        runs: at least two, or their folders, in the order in which they are to stand.
        out: where to; the folder that they all lie in if left out.

    Raises:
        StoreError: a folder that is no run, is damaged, empty, or cannot be written.
        UsageError: fewer than two runs, the same one twice, or several folders that they lie in.
    """
    from lceval.reports.comparison import write_comparison

    loaded = [run if isinstance(run, Run) else load_run(run) for run in runs]
    places = [run.path.resolve() for run in loaded]
    if len(set(places)) < max(2, len(places)):
        raise UsageError(f"{', '.join(str(run.path) for run in loaded)}: a comparison takes two runs or more, each once.")
    folders = {place.parent for place in places}
    if out is None and len(folders) > 1:
        raise UsageError(f"the runs lie in {len(folders)} folders; say with --out where their comparison goes.")
    return write_comparison(loaded, Path(out) if out is not None else loaded[0].path.parent)


def runs_in(folder: str | Path) -> list[Path]:
    """A run folder itself, or the run folders in it, the first begun first.

    Raises:
        StoreError: neither.
    """
    from lceval.store import read_info

    folder = Path(folder)
    inside = sorted(file.parent for file in folder.glob("*/run.json")) if not (folder / "run.json").exists() else []
    return sorted(inside, key=lambda path: read_info(path).created) or [folder]


def merge(runs: Sequence[str | Path], out: str | Path | None = None, *, note: Callable[[str], None] = warnings.warn) -> Run:
    """Make one run of several folders that hold parts of it, such as the shards of machines that share no disk; write its report.

    Args:
        runs: run folders, or folders of them.
        out: a new folder, or a run of the same setting, which then gets what it lacks; may be left out where there is one run.
        note: told how much was new.

    Raises:
        StoreError: not run folders, or runs of different settings, by the field that differs.
        UsageError: several runs and no `out`.
    """
    return merged(runs, out, note).run


def merged(runs: Sequence[str | Path], out: str | Path | None, note: Callable[[str], None]) -> Finished:
    """`merge`, as the command line has it."""
    from lceval.merging import merge_runs

    paths = list({path.resolve(): path for folder in runs for path in runs_in(folder)}.values())
    if out is None and len(paths) > 1:
        raise UsageError(f"{len(paths)} runs are to become one; say with --out where it goes.")
    folder = Path(out or paths[0])
    if [folder.resolve()] == [path.resolve() for path in paths]:
        note(f"nothing to merge: {folder} is one run already. Shards that share a folder need no merging.")
    else:
        new = merge_runs([load_run(path) for path in paths], folder)
        note(f"{new} answers of {len(paths)} runs were put into {folder}" if new else f"nothing to merge: {folder} has it all")
    run = load_run(folder)
    return Finished(run, _write(run, None, note) if run.rows else None)


def report(run: Run | str | Path, *, note: Callable[[str], None] = warnings.warn) -> ReportFiles:
    """Write a run's heatmaps, `report.html`, `report.md` and `summary.json` into its folder.

    Args:
        run: a run, or its folder.
        note: told when the text around the needles has to be left out, and why (the model's tokenizer is not at hand).

    Raises:
        StoreError: not a run folder, damaged, empty, or unwritable.
    """
    run = run if isinstance(run, Run) else load_run(run)
    if not run.rows:
        raise StoreError(f"the run {str(run.path)!r} has no answers yet. Run the command that made it again.")
    return _write(run, None, note)


def _write(run: Run, rebuilder: Rebuilder | None, note: Callable[[str], None]) -> ReportFiles:
    from lceval.rebuild import failure_excerpts
    from lceval.reports.write import write_report

    return write_report(run, excerpts=failure_excerpts(run, rebuilder, note))


def show(run: Run | str | Path, key: str) -> tuple[Row, Prompt, Tokenizer]:
    """A stored row and its prompt, made again and checked against the stored hash.

    Args:
        run: a run, or its folder.
        key: the row's `sample_key`, or the beginning of it.

    Raises:
        StoreError: no such row, or a prompt that cannot be made again.
    """
    from lceval.rebuild import Rebuilder

    run = run if isinstance(run, Run) else load_run(run)
    found = [row for row in run.rows if row.sample_key.startswith(key)]
    if len(found) != 1:
        many = f"{len(found)} rows" if found else "no row"
        raise StoreError(f"{many} of {len(run.rows)} in {str(run.path)!r} have a sample key that begins with {key!r}; give one.")
    rebuilder = Rebuilder.of(run)
    return found[0], rebuilder.prompt(found[0]), rebuilder.tokenizer


def rescore(folder: str | Path) -> int:
    """Score the stored outputs of a run again; returns how many scores changed. Outputs are never touched.

    Raises:
        StoreError: not a run folder, damaged, or held by a process that writes.
    """
    from lceval.registry import load
    from lceval.store import read_info, rewrite_rows
    from lceval.tasks.scoring import split_thought

    info = read_info(Path(folder))

    def again(row: Row) -> Row:
        if not row.answered:
            return row
        task = load("task", row.task).from_params(row.params)
        draft = task.draft(row.depth, row.index, row.seed)
        question = draft.questions[row.question]
        if draft.arranger:  # answers and budget depend on the length
            question = replace(question, answers=tuple(row.answers), max_new_tokens=row.reserved_tokens - question.thinking)
        if question.answers != tuple(row.answers):
            raise StoreError(
                f"the task {row.task!r} has changed since {row.sample_key} was answered: its gold answers were {row.answers} and "
                f"would now be {list(question.answers)}. Score this run with the version of lceval that made it ({info.lceval})."
            )
        score = task.score(question, split_thought(row.output)[1])
        return row.model_copy(update={"official": score.official, "strict": score.strict, "details": dict(score.details)})

    return rewrite_rows(Path(folder), again)
