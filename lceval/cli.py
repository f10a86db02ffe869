"""The command line: every verb is one function of `lceval.api` with its options spelled out."""

from __future__ import annotations

import gc
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lceval._version import __version__
from lceval.errors import LcevalError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from lceval.api import Finished
    from lceval.config import RunConfig
    from lceval.reports.comparison import ComparisonFiles
    from lceval.reports.write import ReportFiles
    from lceval.rows import Run

app = typer.Typer(
    help="Long-context evaluation: up to which length, and at which positions, does a model use its context?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """The `lceval` command: a user's mistake is one message and its exit code, never a traceback."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_DISABLE", "1")
    try:
        app()
    except LcevalError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        typer.echo(f"lceval {__version__}")
        raise typer.Exit


@app.command()
def run(
    tasks: Annotated[list[str] | None, typer.Argument(help="Tasks, as 'lceval tasks' lists them.", metavar="TASK…")] = None,
    model: Annotated[str, typer.Option(help="Model folder, GGUF file, hub name, 'smollm2-135m', or 'control:perfect'.")] = "",
    runner: Annotated[str, typer.Option(help="hf, vllm, endpoint or control; chosen from the model if left out.")] = "",
    variant: Annotated[
        list[str] | None,
        typer.Option(help="What to change of the model: 'yarn(4)+window(2k)'. Several are compared.", metavar="ATOMS"),
    ] = None,
    variants: Annotated[Path | None, typer.Option(help="File with one variant a line; none is the model as it is.")] = None,
    lengths: Annotated[str, typer.Option(help="4k..128k (doubling), 4k,6k,100k or 4k..128k/12. [default: 4k..32k]")] = "",
    depths: Annotated[str, typer.Option(help="How many, or a list of fractions: 5, or 0,0.5,1. [default: 11]")] = "",
    positions: Annotated[
        str, typer.Option(help="Prompt tokens instead of depths, the same in all lengths: 0..120k/16, 0..120k+8k or 0,8k.")
    ] = "",
    one_pass: Annotated[
        bool, typer.Option("--one-pass", help="Screen: all needles of a length in one context, a question about each (niah).")
    ] = False,
    samples: Annotated[int | None, typer.Option(help="Samples a cell. [default: 10]")] = None,
    seed: Annotated[int | None, typer.Option(help="Every seed has its own needles and haystack. [default: 0]")] = None,
    task: Annotated[list[str] | None, typer.Option("-T", help="Task parameter, NAME=VALUE.", metavar="NAME=VALUE")] = None,
    option: Annotated[list[str] | None, typer.Option("-M", help="Runner option, NAME=VALUE.", metavar="NAME=VALUE")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder. [default: runs/MODEL]")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file with settings; options given here win.")] = None,
    shard: Annotated[str, typer.Option(help="i/n: do the i-th of n parts, in a file of its own.")] = "",
    workers: Annotated[
        int | None, typer.Option(help="Spread the work over N workers of Ray, each with its own model (and GPU).", metavar="N")
    ] = None,
    ray: Annotated[str, typer.Option(help="Join this Ray cluster; 'auto': the one that runs here.", metavar="ADDRESS")] = "",
    cold: Annotated[bool, typer.Option("--cold", help="Compute every prompt from nothing.")] = False,
    verify_prefix: Annotated[int | None, typer.Option(help="Answer N prompts again from nothing; report differences.")] = None,
    allow_beyond_window: Annotated[
        bool, typer.Option("--allow-beyond-window", help="Run lengths beyond the model's window, to see it break.")
    ] = False,
    save_prompts: Annotated[bool, typer.Option("--save-prompts", help="Keep the prompts, compressed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")] = False,
) -> None:
    """Run tasks on a model; the same command again computes only what is missing."""
    from lceval import api
    from lceval.config import configs_of, read_config, read_variants
    from lceval.options import parse_pairs

    settings: dict[str, Any] = read_config(config) if config else {}
    given: dict[str, Any] = {
        "tasks": tasks,
        "model": model,
        "runner": runner,
        "lengths": lengths,
        "depths": depths,
        "positions": positions,
        "one_pass": one_pass,
        "samples": samples,
        "seed": seed,
        "out": out,
        "shard": shard,
        "workers": workers,
        "ray": ray,
        "cold": cold,
        "verify_prefix": verify_prefix,
        "allow_beyond_window": allow_beyond_window,
        "save_prompts": save_prompts,
    }
    settings |= {name: value for name, value in given.items() if value is not None and value != "" and value is not False}
    if variant or variants:
        settings.pop("variant", None)
        settings["variants"] = [*(variant or []), *(read_variants(variants) if variants else [])]
    for name, pairs, flag in (("task_params", task, "-T"), ("model_options", option, "-M")):
        settings[name] = {**(settings.get(name) or {}), **parse_pairs(pairs or [], flag)}
    if not settings.get("tasks"):
        raise UsageError("no task is named. Write 'lceval run niah --model MODEL'; 'lceval tasks' lists them all.")
    if not settings.get("model"):
        raise UsageError("no model is named. Add --model FOLDER, a GGUF file, a hub name, 'smollm2-135m' or 'control:perfect'.")
    configs = configs_of(settings)
    folder = configs[0].folder if len(configs) == 1 else configs[0].folder.parent
    console = _console()
    if dry_run:
        _dry_run(configs, console)
        return
    from lceval.progress import TerminalProgress

    progress, command = TerminalProgress(console), shlex.join(["lceval", *sys.argv[1:]])
    if configs[0].on_ray:
        console.print(f"starting {configs[0].workers or 'the'} workers on Ray{f' at {ray}' if ray else ''} …", markup=False)
    try:
        if len(configs) > 1:
            several = api.execute_all(configs, progress, command, begin=lambda name: console.print(name, style="bold"))
            _tell_comparison(several.runs, several.files, console)
            return
        finished = api.execute(configs[0], progress, command)
    except KeyboardInterrupt:
        said = f"stopped; every answer so far is stored in {folder}. The same command goes on from here."
        console.print(said, markup=False, soft_wrap=True)
        raise typer.Exit(130) from None
    _tell_run(finished, console)


@app.command()
def plan(
    tasks: Annotated[list[str], typer.Argument(help="Tasks, as 'lceval tasks' lists them.", metavar="TASK…")],
    model: Annotated[str, typer.Option(help="Model folder, hub name, or a bundled shape such as llama-3.1-405b.")],
    runner: Annotated[str, typer.Option(help="hf or vllm. [default: hf]")] = "",
    variant: Annotated[str, typer.Option(help="What to change of the model: 'kv(int4)'.", metavar="ATOMS")] = "",
    lengths: Annotated[str, typer.Option(help="As for run. [default: 4k..32k]")] = "",
    depths: Annotated[str, typer.Option(help="As for run. [default: 11]")] = "",
    positions: Annotated[str, typer.Option(help="As for run.")] = "",
    one_pass: Annotated[bool, typer.Option("--one-pass", help="As for run.")] = False,
    samples: Annotated[int | None, typer.Option(help="Samples a cell. [default: 10]")] = None,
    task: Annotated[list[str] | None, typer.Option("-T", help="Task parameter, NAME=VALUE.", metavar="NAME=VALUE")] = None,
    option: Annotated[
        list[str] | None, typer.Option("-M", help="Runner option: dtype, device, prefill_chunk.", metavar="NAME=VALUE")
    ] = None,
    gpu: Annotated[str, typer.Option(help="GPUs to place it on: h100-80g,h200,a100-40g.", metavar="NAMES")] = "",
    gpu_memory: Annotated[str, typer.Option(help="Memory of another GPU: 80G.", metavar="SIZE")] = "",
    price: Annotated[str, typer.Option(help="Of a million tokens: 2.50, or 2.50,10 for prompts and answers.")] = "",
    measure: Annotated[
        bool, typer.Option("--measure", help="Load the model, time two or three prompts, forecast by them.")
    ] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Every number's formula and source.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for pictures and plan.json.", metavar="DIR")] = None,
) -> None:
    """Know before you run: memory, arithmetic, time and cost by length. Reads the model's configuration only."""
    import json

    from lceval.costs.verb import plan as planned
    from lceval.options import parse_pairs

    console = _console()
    given = {"runner": runner, "variant": variant, "lengths": lengths, "depths": depths, "positions": positions, "samples": samples}
    made = planned(
        tasks,
        model,
        gpu=gpu,
        gpu_memory=gpu_memory,
        price=price,
        measure=measure,
        one_pass=one_pass,
        task_params=parse_pairs(task or [], "-T"),
        model_options=parse_pairs(option or [], "-M"),
        note=lambda text: typer.echo(text, err=True),
        **{name: value for name, value in given.items() if value not in ("", None)},
    )
    if as_json:
        typer.echo(json.dumps(made.record(), indent=1))
    else:
        from lceval.reports.forecast import print_forecast

        print_forecast(made, console)
    if explain:
        from lceval.costs.explain import explain as explained

        typer.echo("\n" + "\n".join(explained(made)), err=as_json)
    if out:
        from lceval.reports.forecast_plots import write_plots

        for file in write_plots(made, out):
            typer.echo(f"picture: {file}", err=as_json)


@app.command()
def report(
    folders: Annotated[
        list[Path], typer.Argument(help="A run folder; or several, or a folder of runs, to compare them.", metavar="RUN…")
    ],
    out: Annotated[Path | None, typer.Option(help="Where a comparison goes. [default: the folder of the runs]")] = None,
    latex: Annotated[bool, typer.Option("--latex", help="Write report.tex too: a table for papers (booktabs).")] = False,
) -> None:
    """Write a run's pictures, HTML and Markdown report; of several runs, one report of all, side by side."""
    from lceval import api
    from lceval.reports.terminal import print_summary
    from lceval.store import load_run

    console = _console()

    def note(text: str) -> None:
        console.print(f"note: {text}", markup=False, soft_wrap=True)

    loaded = [load_run(path) for folder in folders for path in api.runs_in(folder)]
    gc.freeze()  # rows stay until the end: the collector need not look at each of them again and again
    if len(loaded) > 1 and latex:
        raise UsageError(
            f"--latex is for the report of one run, not of {len(loaded)}; 'lceval leaderboard' writes leaderboard.tex."
        )
    if len(loaded) > 1:
        _tell_comparison(loaded, api.side_by_side(loaded, out, note=note), console)
        return
    if out:
        raise UsageError(f"--out {out} is for the comparison of several runs; the report of one goes into its own folder.")
    files = api.report(loaded[0], note=note)
    print_summary(loaded[0], console)
    _print_files(files, console)
    if latex:
        console.print(f"table:   {api.latex(loaded[0])}", markup=False, soft_wrap=True)


@app.command()
def merge(
    folders: Annotated[list[Path], typer.Argument(help="Run folders with parts of one run, or folders of them.", metavar="RUN…")],
    out: Annotated[Path | None, typer.Option(help="The folder of the whole run; may hold a part of it.")] = None,
) -> None:
    """Make one run of shards that were written to several folders, and write its report."""
    from lceval import api

    console = _console()
    _tell_run(api.merged(folders, out, lambda text: console.print(text, markup=False, soft_wrap=True)), console)


@app.command()
def compare(
    base: Annotated[Path, typer.Argument(help="The run to compare with.", metavar="BASE")],
    other: Annotated[Path, typer.Argument(help="The run to compare.", metavar="RUN")],
) -> None:
    """Pair two runs sample by sample: differences with intervals and p-values, and which answers changed."""
    from lceval import api
    from lceval.reports.terminal import print_compared

    print_compared(api.compare(base, other), _console())


@app.command()
def baseline(
    folder: Annotated[Path, typer.Argument(help="A complete run.", metavar="RUN")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The file, such as baselines/main.json.", metavar="FILE")],
) -> None:
    """Write a run's scores and fingerprint into one small file, to be committed and gated against."""
    from lceval import api

    made = api.baseline(folder, out)
    answers = sum(len(line.cells) for line in made.answers)
    typer.echo(f"baseline: {out}, {answers:,} answers of {made.model}")


@app.command()
def gate(
    folder: Annotated[Path, typer.Argument(help="The run to judge.", metavar="RUN")],
    baseline: Annotated[Path | None, typer.Option(help="What 'lceval baseline' wrote.", metavar="FILE")] = None,
    margin: Annotated[float, typer.Option(help="By how much the strict score of all answers may drop.")] = 0.02,
    stratum_margin: Annotated[
        float | None, typer.Option(help="By how much that of one task at one length may. [default: as --margin]")
    ] = None,
    logprob_margin: Annotated[
        float | None, typer.Option(help="By how many nats a token the gold answers may become less likely. [default: not judged]")
    ] = None,
    alpha: Annotated[float, typer.Option(help="Probability of calling a regression where nothing changed.")] = 0.05,
    min_score: Annotated[
        list[str] | None, typer.Option(help="Floor: niah=0.95@32k, or niah=0.95 for all lengths.", metavar="TASK=SCORE[@LENGTH]")
    ] = None,
    min_effective_length: Annotated[str, typer.Option(help="Floor of every task's effective length, such as 32k.")] = "",
    power: Annotated[bool, typer.Option("--power", help="Say what this comparison can tell, and how many samples would.")] = False,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML.", metavar="FILE")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write JSON.", metavar="FILE")] = None,
    markdown: Annotated[
        bool,
        typer.Option("--markdown", help="Append Markdown to $GITHUB_STEP_SUMMARY; without one, print it instead of the table."),
    ] = False,
) -> None:
    """Judge whether a run is as good as a baseline: exit code 0 pass, 1 regression, 3 inconclusive or not comparable."""
    import json

    from lceval import api
    from lceval.reports import gate as shown

    judged = api.gate(
        folder,
        baseline,
        margin=margin,
        stratum_margin=stratum_margin,
        logprob_margin=logprob_margin,
        alpha=alpha,
        min_scores=min_score or (),
        min_effective_length=min_effective_length or None,
        power=power,
    )
    if junit:
        api.write_text(junit, shown.junit(judged))
    if json_file:
        api.write_text(json_file, json.dumps(shown.record(judged), indent=1, allow_nan=False) + "\n")
    summary = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if markdown and summary:
        api.write_text(Path(summary), shown.render_markdown(judged), append=True)
    if markdown and not summary:
        typer.echo(shown.render_markdown(judged), nl=False)
    else:
        shown.print_gate(judged, _console())
    raise typer.Exit(judged.exit_code)


@app.command()
def leaderboard(
    folders: Annotated[list[Path], typer.Argument(help="Run folders, or folders of them.", metavar="RUN…")],
    out: Annotated[Path, typer.Option(help="The site's folder.")] = Path("site"),
) -> None:
    """Write a static site that ranks runs of one protocol by score and effective length, as far as their answers allow."""
    from lceval import api

    files = api.leaderboard([path for folder in folders for path in api.runs_in(folder)], out)
    for file in (files.html, files.markdown, files.csv, files.latex):
        typer.echo(file)
    typer.echo(f"{len(files.pages)} pages in {files.html.parent / 'models'}")


@app.command()
def export(
    folders: Annotated[list[Path], typer.Argument(help="Run folders, or folders of them; each run is exported.", metavar="RUN…")],
    to: Annotated[str, typer.Option(help="parquet, csv, lm-eval, inspect or hf-model-card.", metavar="FORMAT")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File, or folder of several. [default: in the run folder]", metavar="PATH")
    ] = None,
) -> None:
    """Write a run as other tools read it: tables, lm-evaluation-harness, Inspect AI, a model card for the Hugging Face Hub."""
    from lceval import api

    for file in api.export([path for folder in folders for path in api.runs_in(folder)], to, out):
        typer.echo(file)


@app.command()
def tasks(name: Annotated[str, typer.Argument(help="One task, to see its parameters.", metavar="[TASK]")] = "") -> None:
    """List the tasks, or show one with its parameters, floors and a short example."""
    from lceval import describe

    for line in describe.task(name) if name else describe.tasks():
        typer.echo(line)


@app.command()
def variants(
    variant: Annotated[str, typer.Argument(help="Atoms, such as 'yarn(4)+window(2k)', or one name.", metavar="[ATOMS]")] = "",
    model: Annotated[str, typer.Option(help="Show what the variant makes of this model; no weights are loaded.")] = "",
) -> None:
    """List what can be changed about a model, show one atom, or spell a variant out."""
    from lceval import describe_variants

    for line in describe_variants.variants(variant, model):
        typer.echo(line)


@app.command()
def show(
    folder: Annotated[Path, typer.Argument(help="A run folder.", metavar="RUN")],
    key: Annotated[str, typer.Argument(help="A sample key, or its beginning.")],
    prompt: Annotated[bool, typer.Option("--prompt", help="Print the whole prompt instead of its surroundings.")] = False,
) -> None:
    """Rebuild the prompt of a stored answer, check its hash, and print both."""
    from lceval import api

    row, made, tokenizer = api.show(folder, key)
    if prompt:
        typer.echo(tokenizer.decode(made.ids, special=True))
        return
    from lceval.describe import shown

    typer.echo("\n".join(shown(row, made, tokenizer)))


@app.command()
def rescore(folder: Annotated[Path, typer.Argument(help="A run folder.", metavar="RUN")]) -> None:
    """Score the stored outputs again with this version's scorers, and write the report anew."""
    from lceval import api

    changed = api.rescore(folder)
    typer.echo(f"{changed} of the stored scores changed.")
    report([folder])


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def _dry_run(configs: Sequence[RunConfig], console: Console) -> None:
    from lceval import describe, engine
    from lceval.costs.verb import of_run
    from lceval.reports.forecast import short

    runners = [engine.make_runner(config) for config in configs]
    plans = [engine.make_plan(config, runner) for config, runner in zip(configs, runners, strict=True)]
    expected = of_run(plans[0], runners[0]) if plans[0].pending else None
    for line in (*describe.plan(plans[0]), *(short(expected) if expected else ())):
        console.print(line, markup=False, soft_wrap=True)
    if len(plans) > 1:
        console.print(f"the same for each of {len(plans)} variants:")
    for plan in plans if len(plans) > 1 else ():
        line = f"  {plan.config.variant or 'none'}: {plan.pending} prompts to answer, in {plan.config.folder}"
        console.print(line, markup=False, soft_wrap=True)


def _tell_run(finished: Finished, console: Console) -> None:
    from lceval.reports.terminal import print_summary

    if finished.files is None:
        console.print("nothing has been answered yet, so there is no report.")
        return
    print_summary(finished.run, console)
    _print_files(finished.files, console)


def _tell_comparison(runs: Sequence[Run], files: ComparisonFiles | None, console: Console) -> None:
    from lceval.reports.comparison import compare
    from lceval.reports.terminal import print_comparison

    if files is None:
        console.print("some runs have no answers yet, so there is no comparison.")
        return
    print_comparison(compare(runs), console)
    for picture in files.heatmaps:
        console.print(f"heatmaps: {picture}", markup=False, soft_wrap=True)
    console.print(f"report:   {files.html}", markup=False, soft_wrap=True)


def _print_files(files: ReportFiles, console: Console) -> None:
    from lceval.reports.terminal import IN_FULL

    pictures = [str(heatmap) for heatmap in files.heatmaps if heatmap.suffix == ".png"]
    if len(pictures) > IN_FULL:
        pictures = [f"{len(pictures)} files {files.html.parent}/heatmap-*.png"]
    for picture in pictures:
        console.print(f"heatmap: {picture}", markup=False, soft_wrap=True)
    console.print(f"report:  {files.html}", markup=False, soft_wrap=True)
