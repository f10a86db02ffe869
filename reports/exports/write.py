"""`lceval export`: which format is written by whom, and where to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, TypeAlias

from lceval.errors import StoreError, UsageError, unknown
from lceval.reports.text import safe_name
from lceval.reports.write import write_file
from lceval.rows import Run

Files: TypeAlias = Mapping[str, bytes]
"""Name -> content."""


class Format(NamedTuple):
    """A file format."""

    render: str
    """`module:function`; the function takes a run and returns its files: one, named "", or several of a folder."""
    name: str
    """What the file or the folder is called where nobody says otherwise."""


FORMATS: dict[str, Format] = {
    "parquet": Format("lceval.reports.exports.columns:parquet", "rows.parquet"),
    "csv": Format("lceval.reports.exports.columns:csv_rows", "rows.csv"),
    "lm-eval": Format("lceval.reports.exports.lm_eval:files", "lm-eval"),
    "inspect": Format("lceval.reports.exports.inspect_log:files", "inspect"),
    "hf-model-card": Format("lceval.reports.exports.model_card:card", "model-card.md"),
}


def export_runs(runs: Sequence[Run], to: str, out: Path | None) -> list[Path]:
    """Write each run in one format; what `lceval.api.export` does.

    Returns:
        The files, in the order in which they were written.

    Raises:
        UsageError: no such format.
        StoreError: a run without answers, or a place that cannot be written.
    """
    if to not in FORMATS:
        raise unknown("format", to, FORMATS, "Name one with --to.")
    for run in runs:
        if not any(row.answered for row in run.rows):
            raise StoreError(f"the run {str(run.path)!r} has no answers to export. Run the command that made it again.")
    module, function = FORMATS[to].render.split(":")
    render: Callable[[Run], Files] = getattr(import_module(module), function)
    places = _places(runs, FORMATS[to].name, out)
    return [path for run, place in zip(runs, places, strict=True) for path in _write(render(run), place)]


def _places(runs: Sequence[Run], name: str, out: Path | None) -> list[Path]:
    """Where each run goes: into its own folder; to `out`; or, of several, into `out`, named after their folders."""
    if out is None:
        return [run.path / name for run in runs]
    if len(runs) == 1:
        return [out]
    places = [out / f"{safe_name(run.path.resolve().name)}-{name}" for run in runs]
    if len(set(places)) < len(places):
        raise UsageError(
            f"several of the {len(runs)} runs have folders of the same name; export them one by one, each with its own -o."
        )
    return places


def _write(files: Files, place: Path) -> list[Path]:
    try:
        for path in (place / name for name in files):
            path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make the folder for {str(place)!r}: {error.strerror}. Name another with -o.") from error
    return [write_file(place / name, content) for name, content in files.items()]
