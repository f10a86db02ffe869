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
    from lceval.baselines import Baseline
    from lceval.comparing import Compared
    from lceval.engine import Progress
    from lceval.gating import Gate
    from lceval.rebuild import Rebuilder
    from lceval.reports.comparison import ComparisonFiles
    from lceval.reports.site import SiteFiles
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
    return Several(finished, side_by_side(finished, configs[0].folder.parent, note=progress.note) if answered else None)


def side_by_side(
    runs: Sequence[Run | str | Path], out: str | Path | None = None, *, note: Callable[[str], None] = warnings.warn
) -> ComparisonFiles:
    """Show any runs side by side: one `report.html` and `report.md` of all, and pictures per task.

    Args:
        runs: at least two, or their folders, in the order in which they are to stand.
        out: where to; the folder that they all lie in if left out.
        note: as for `report`.

    Raises:
        StoreError: a folder that is no run, is damaged, empty, or cannot be written.
        UsageError: fewer than two runs, the same one twice, several folders that they lie in, or a run's own folder as `out`.
    """
    from lceval.rebuild import sample_excerpts
    from lceval.reports.comparison import write_comparison
    from lceval.reports.samples import with_text

    loaded = [_loaded(run) for run in runs]
    places = [run.path.resolve() for run in loaded]
    if len(set(places)) < max(2, len(places)):
        raise UsageError(f"{', '.join(str(run.path) for run in loaded)}: a comparison takes two runs or more, each once.")
    folders = {place.parent for place in places}
    if out is None and len(folders) > 1:
        raise UsageError(f"the runs lie in {len(folders)} folders; say with --out where their comparison goes.")
    folder = Path(out) if out is not None else loaded[0].path.parent
    if (folder / "run.json").exists():
        raise UsageError(f"{str(folder)!r} is a run, whose own report would be lost. Name another folder with --out.")
    for run in loaded:
        if not run.rows:
            raise StoreError(f"the run {str(run.path)!r} has no answers yet. Run the command that made it again.")
    return write_comparison(loaded, folder, excerpts=sample_excerpts(loaded[0], with_text(loaded), None, note))


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
    run = _loaded(run)
    if not run.rows:
        raise StoreError(f"the run {str(run.path)!r} has no answers yet. Run the command that made it again.")
    return _write(run, None, note)


def _write(run: Run, rebuilder: Rebuilder | None, note: Callable[[str], None]) -> ReportFiles:
    from lceval.rebuild import sample_excerpts
    from lceval.reports.samples import with_text
    from lceval.reports.write import write_report

    return write_report(run, excerpts=sample_excerpts(run, with_text([run]), rebuilder, note))


def compare(base: Run | str | Path, other: Run | str | Path) -> Compared:
    """Pair two runs sample by sample: differences with intervals and p-values by task and length, and which answers changed.

    Args:
        base: the run to compare with, or its folder.
        other: the run to compare, or its folder.

    Raises:
        StoreError: not a run folder, or damaged.
        UsageError: they cannot be compared, by the field that differs.
    """
    from lceval.comparing import compare

    return compare(_loaded(base), _loaded(other))


def baseline(run: Run | str | Path, out: str | Path) -> Baseline:
    """Write a run's scores and fingerprint into one small file, to be committed and gated against.

    Args:
        run: a complete run, or its folder.
        out: the file.

    Raises:
        StoreError: not a run folder, damaged, or a file that cannot be written.
        UsageError: some of the planned answers are missing.
    """
    from lceval.baselines import Baseline

    made = Baseline.of(_loaded(run))
    write_text(Path(out), made.dumps())
    return made


def gate(
    run: Run | str | Path,
    baseline: Baseline | str | Path | None = None,
    *,
    margin: float = 0.02,
    stratum_margin: float | None = None,
    logprob_margin: float | None = None,
    alpha: float = 0.05,
    min_scores: Sequence[str] = (),
    min_effective_length: str | int | None = None,
    power: bool = False,
) -> Gate:
    """Judge whether a run is as good as a baseline, and reaches its floors; `lceval.gating` tells how.

    Args:
        run: a run, or its folder.
        baseline: what to compare with, or the file that it is in; may be left out where there are floors.
        margin: by how much the score of all answers may drop.
        stratum_margin: by how much that of one task at one length may; as much if left out.
        logprob_margin: by how many nats a token the log-probability of the gold answers may; it is not judged if left out.
        alpha: the probability of calling a regression where nothing changed.
        min_scores: such as `["niah=0.95@32k"]`.
        min_effective_length: that all tasks have to reach: `"32k"`, or tokens.
        power: also say what the comparison can tell, and how many samples would decide.

    Returns:
        The judgement; `verdict` is `pass`, `regression`, `inconclusive` or `not comparable`.

    Raises:
        StoreError: a run or a baseline that cannot be read.
        UsageError: a value that cannot be used, or nothing to judge by.
    """
    from lceval.baselines import load_baseline
    from lceval.floors import MinScore
    from lceval.gating import Limits
    from lceval.gating import gate as judge
    from lceval.lengths import parse_length

    least = parse_length(min_effective_length) if isinstance(min_effective_length, str) else min_effective_length
    limits = Limits(margin, stratum_margin, logprob_margin, alpha, tuple(MinScore.parse(wanted) for wanted in min_scores), least)
    known = load_baseline(Path(baseline)) if isinstance(baseline, str | Path) else baseline
    return judge(_loaded(run), known, limits, power=power)


def _loaded(run: Run | str | Path) -> Run:
    return run if isinstance(run, Run) else load_run(run)


def write_text(file: Path, content: str, *, append: bool = False) -> None:
    """Write a file that the user named, and the folders it lies in.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a" if append else "w", encoding="utf-8") as out:
            out.write(content)
    except OSError as error:
        raise StoreError(f"cannot write {str(file)!r}: {error.strerror}. Name a file that can be written.") from error


def show(run: Run | str | Path, key: str) -> tuple[Row, Prompt, Tokenizer]:
    """A stored row and its prompt, made again and checked against the stored hash.

    Args:
        run: a run, or its folder.
        key: the row's `sample_key`, or the beginning of it.

    Raises:
        StoreError: no such row, or a prompt that cannot be made again.
    """
    from lceval.rebuild import Rebuilder

    run = _loaded(run)
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


def export(runs: Run | str | Path | Sequence[Run | str | Path], to: str, out: str | Path | None = None) -> list[Path]:
    """Write runs in the format of another tool.

    Args:
        runs: a run or its folder, or several; each is exported by itself.
        to: `parquet`, `csv`, `lm-eval`, `inspect` or `hf-model-card`.
        out: a file (a folder for `lm-eval` and `inspect`), and of several runs the folder that gets all of them; if left out, a
            file or folder of the format's own name in each run folder.

    Returns:
        The files.

    Raises:
        StoreError: a folder that is no run, is damaged, has no answers, or cannot be written.
        UsageError: no such format.
    """
    from lceval.reports.exports.write import export_runs

    several = [runs] if isinstance(runs, Run | str | Path) else list(runs)
    return export_runs([_loaded(run) for run in several], to, Path(out) if out is not None else None)


def latex(run: Run | str | Path) -> Path:
    """Write a run's table for papers, `report.tex` in its folder: strict scores by task and length with their intervals.

    Raises:
        StoreError: not a run folder, damaged, without answers, or unwritable.
    """
    from lceval.reports.latex import run_table
    from lceval.reports.write import write_file

    run = _loaded(run)
    if not run.rows:
        raise StoreError(f"the run {str(run.path)!r} has no answers yet. Run the command that made it again.")
    return write_file(run.path / "report.tex", run_table(run).encode())


def leaderboard(runs: Sequence[Run | str | Path], out: str | Path) -> SiteFiles:
    """Write a static site: runs by score and effective length with the ranks that their answers allow, and a page for each.

    Runs of different protocols (other tasks, lengths, samples, …) stand in tables of their own, and the page says why.

    Args:
        runs: runs, or their folders.
        out: the site's folder: `index.html`, `models/`, `leaderboard.md`, `.csv` and `.tex`.

    Raises:
        StoreError: a folder that is no run, is damaged, has no answers, or cannot be written.
        UsageError: no run, or the same one twice.
    """
    from lceval.reports.site import write_site

    return write_site([_loaded(run) for run in runs], Path(out))
