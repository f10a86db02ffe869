"""Everything derived from a run, written into its folder."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lceval.errors import StoreError
from lceval.reports.curves import curves
from lceval.reports.excerpt import Excerpt
from lceval.reports.heatmap import group_heatmap, logprob_heatmap, png_bytes, svg_text
from lceval.reports.html import render_html
from lceval.reports.markdown import render_markdown
from lceval.reports.overview import Mean, overview
from lceval.reports.planned import planned
from lceval.reports.tables import Group, flat, groups
from lceval.rows import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUMMARY_SCHEMA = "lceval.summary/1"


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Where a report lies."""

    html: Path
    markdown: Path
    summary: Path
    heatmaps: tuple[Path, ...]
    """One PNG and one SVG per task and parameters; of needles by position two of each."""
    others: tuple[Path, ...]
    """PNG and SVG of the curves, and of log-probabilities."""


def write_report(run: Run, *, excerpts: Mapping[str, Sequence[Excerpt]] | None = None) -> ReportFiles:
    """Write the pictures, `report.html`, `report.md` and `summary.json` of a run into its folder.

    Each file is replaced as a whole or not at all.

    Args:
        run: what to report.
        excerpts: by `sample_key`, the text around each needle of the rows that
            `lceval.reports.samples.with_text([run])` names; None shows the samples without it.

    Raises:
        StoreError: the folder cannot be written.
    """
    figures: dict[str, Figure] = {}
    for group in groups(run):
        figures[f"heatmap-{group.stem}"] = group_heatmap(run.info, group)
        if group.by_position:
            figures[f"heatmap-{group.stem}-by-depth"] = group_heatmap(run.info, group, by_depth=True)
        if not math.isnan(group.overall.logprob):
            figures[f"logprob-{group.stem}"] = logprob_heatmap(run.info, group)
    drawn = curves(run)
    svgs = {stem: svg_text(figure) for stem, figure in figures.items()}
    lines = {stem: svg_text(figure, outlined=False) for stem, figure in drawn.items()}
    pictures: list[Path] = []
    for stem, figure in {**figures, **drawn}.items():
        pictures.append(write_file(run.path / f"{stem}.png", png_bytes(figure)))
        pictures.append(write_file(run.path / f"{stem}.svg", {**svgs, **lines}[stem].encode()))
    return ReportFiles(
        html=write_file(run.path / "report.html", render_html(run, excerpts or {}, lines).encode()),
        markdown=write_file(run.path / "report.md", render_markdown(run, lines).encode()),
        summary=write_file(run.path / "summary.json", (json.dumps(summary(run), indent=1, allow_nan=False) + "\n").encode()),
        heatmaps=tuple(picture for picture in pictures if picture.name.startswith("heatmap-")),
        others=tuple(picture for picture in pictures if not picture.name.startswith("heatmap-")),
    )


def summary(run: Run) -> dict[str, Any]:
    """The report for machines: JSON-able, unknown numbers are None, lengths in tokens, times in seconds."""
    info = run.info
    record = {
        "schema": SUMMARY_SCHEMA,
        **{name: getattr(info, name) for name in ("lceval", "created", "model", "variant", "runner", "control")},
        "run": run.name,
        "groups": [_group(group) for group in groups(run)],
        "means": [_mean(mean) for mean in overview(run).means],
        "planned": asdict(seen) if (seen := planned(run)) else None,
    }
    known: dict[str, Any] = _without_nan(record)
    return known


def _mean(mean: Mean) -> dict[str, Any]:
    line = mean.line
    return {
        "title": line.title,
        "coverage": line.coverage,
        "tasks": mean.present,
        "of": mean.members,
        "by_length": [
            {"length": length, "strict": asdict(line.strict[length]), "official": asdict(line.official[length])}
            for length in line.strict
        ],
        "overall": {"strict": asdict(line.overall), "official": asdict(line.overall_official)},
        "wavg_inc": dict(zip(("strict", "official"), mean.increasing, strict=True)),
        "wavg_dec": dict(zip(("strict", "official"), mean.decreasing, strict=True)),
        "effective_length": [asdict(threshold) | {"label": threshold.label} | asdict(reach) for threshold, reach in line.effective],
    }


def _group(group: Group) -> dict[str, Any]:
    overall = flat(group.overall)
    return {
        "task": group.task,
        "params": dict(group.params),
        "by_position": group.by_position,
        "one_pass": group.one_pass,
        "heatmap": f"heatmap-{group.stem}.png",
        "overall": {name: value for name, value in overall.items() if name not in ("length", "depth")},
        "effective_length": [
            {**asdict(threshold), "label": threshold.label, **asdict(reach)} for threshold, reach in group.effective
        ],
        "details": dict(group.details),
        "thinking_words": group.thinking_words,
        "by_length": [
            {name: value for name, value in flat(entry.tally).items() if name != "depth"} | asdict(entry.timing)
            for entry in group.lengths
        ],
        "by_cell": [flat(cell) for cell in group.cells],
    }


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, dict):
        return {name: _without_nan(item) for name, item in value.items()}
    return [_without_nan(item) for item in value] if isinstance(value, list) else value


def write_file(path: Path, content: bytes) -> Path:
    """Replace a file as a whole, by way of a temporary one beside it."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror or error}. A report goes into its run folder, which must exist, be "
            "writable and have free space; the stored answers are untouched. Write again with 'lceval report'."
        ) from error
    return path
