"""The command line: every verb is one function of `lceval.api` with its options spelled out."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lceval._version import __version__
from lceval.errors import LcevalError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from lceval.config import RunConfig
    from lceval.reports.write import ReportFiles

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
    runner: Annotated[str, typer.Option(help="hf or control; chosen from the model if left out.")] = "",
    variant: Annotated[str, typer.Option(help="What to change of the model, such as 'yarn(4)+window(2k)'.", metavar="ATOMS")] = "",
    lengths: Annotated[str, typer.Option(help="4k..128k (doubling), 4k,6k,100k or 4k..128k/12. [default: 4k..32k]")] = "",
    depths: Annotated[str, typer.Option(help="How many, or a list of fractions: 5, or 0,0.5,1. [default: 11]")] = "",
    samples: Annotated[int | None, typer.Option(help="Samples a cell. [default: 10]")] = None,
    seed: Annotated[int | None, typer.Option(help="Every seed has its own needles and haystack. [default: 0]")] = None,
    task: Annotated[list[str] | None, typer.Option("-T", help="Task parameter, NAME=VALUE.", metavar="NAME=VALUE")] = None,
    option: Annotated[list[str] | None, typer.Option("-M", help="Runner option, NAME=VALUE.", metavar="NAME=VALUE")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder. [default: runs/MODEL]")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file with settings; options given here win.")] = None,
    shard: Annotated[str, typer.Option(help="i/n: do the i-th of n parts, in a file of its own.")] = "",
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
    from lceval.config import RunConfig, read_config
    from lceval.options import parse_pairs

    settings: dict[str, Any] = read_config(config) if config else {}
    given: dict[str, Any] = {
        "tasks": tasks,
        "model": model,
        "runner": runner,
        "variant": variant,
        "lengths": lengths,
        "depths": depths,
        "samples": samples,
        "seed": seed,
        "out": out,
        "shard": shard,
        "cold": cold,
        "verify_prefix": verify_prefix,
        "allow_beyond_window": allow_beyond_window,
        "save_prompts": save_prompts,
    }
    settings |= {name: value for name, value in given.items() if value is not None and value != "" and value is not False}
    for name, pairs, flag in (("task_params", task, "-T"), ("model_options", option, "-M")):
        settings[name] = {**(settings.get(name) or {}), **parse_pairs(pairs or [], flag)}
    if not settings.get("tasks"):
        raise UsageError("no task is named. Write 'lceval run niah --model MODEL'; 'lceval tasks' lists them all.")
    if not settings.get("model"):
        raise UsageError("no model is named. Add --model FOLDER, a GGUF file, a hub name, 'smollm2-135m' or 'control:perfect'.")
    checked = RunConfig.checked(**settings)
    console = _console()
    if dry_run:
        _dry_run(checked, console)
        return
    from lceval.progress import TerminalProgress

    try:
        finished = api.execute(checked, TerminalProgress(console), shlex.join(["lceval", *sys.argv[1:]]))
    except KeyboardInterrupt:
        said = f"stopped; every answer so far is stored in {checked.folder}. The same command goes on from here."
        console.print(said, markup=False, soft_wrap=True)
        raise typer.Exit(130) from None
    from lceval.reports.terminal import print_summary

    if finished.files is None:
        console.print("nothing has been answered yet, so there is no report.")
        return
    print_summary(finished.run, console)
    _print_files(finished.files, console)


@app.command()
def report(folder: Annotated[Path, typer.Argument(help="A run folder.", metavar="RUN")]) -> None:
    """Write a run's heatmaps, HTML and Markdown report."""
    from lceval import api
    from lceval.reports.terminal import print_summary
    from lceval.store import load_run

    console = _console()
    loaded = load_run(folder)
    files = api.report(loaded, note=lambda text: console.print(f"note: {text}", markup=False, soft_wrap=True))
    print_summary(loaded, console)
    _print_files(files, console)


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
    report(folder)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def _dry_run(config: RunConfig, console: Console) -> None:
    from lceval import describe, engine

    runner = engine.make_runner(config)
    plan = engine.make_plan(config, runner)
    for line in describe.plan(plan):
        console.print(line, markup=False, soft_wrap=True)


def _print_files(files: ReportFiles, console: Console) -> None:
    from lceval.reports.terminal import IN_FULL

    pictures = [str(heatmap) for heatmap in files.heatmaps if heatmap.suffix == ".png"]
    if len(pictures) > IN_FULL:
        pictures = [f"{len(pictures)} files {files.html.parent}/heatmap-*.png"]
    for picture in pictures:
        console.print(f"heatmap: {picture}", markup=False, soft_wrap=True)
    console.print(f"report:  {files.html}", markup=False, soft_wrap=True)
