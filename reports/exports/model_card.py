"""A model card for the Hugging Face Hub: results as `model-index` metadata, and the same as a table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lceval.lengths import format_length
from lceval.reports import text
from lceval.reports.markdown import plain
from lceval.reports.overview import Line, overview
from lceval.reports.tables import Group, Tally, groups
from lceval.rows import Run
from lceval.statistics import CellStat

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

    from lceval.reports.exports.write import Files


def card(run: Run) -> Files:
    """A `README.md` for the model's repository; `huggingface_hub.metadata_update` puts its results into one that is there.

    Layout: https://github.com/huggingface/hub-docs/blob/main/modelcard.md.
    """
    from huggingface_hub import ModelCardData

    results = [result for group in groups(run) for result in _results(run, group)]
    data = ModelCardData(
        model_name=re.split(r"[/\\]", run.info.model.rstrip("/\\"))[-1], eval_results=results, tags=["long-context"]
    )
    return {"": f"---\n{data.to_yaml()}\n---\n\n{_body(run)}".encode()}


def _results(run: Run, group: Group) -> list[EvalResult]:
    """Strict and official score over all lengths and at each, and the effective length."""
    from huggingface_hub import EvalResult

    def result(length: int | None, metric: str, name: str, value: float, args: dict[str, Any]) -> EvalResult:
        return EvalResult(
            task_type="text-generation",
            task_name="long-context evaluation",
            dataset_type=f"lceval/{group.task}",
            dataset_name=group.title if length is None else f"{group.title}, {format_length(length)}",
            dataset_config=group.stem if length is None else f"{group.stem}-{length}",
            dataset_args={**group.params, "lengths": group.tested if length is None else [length]},
            metric_type=metric,
            metric_name=name,
            metric_value=value,
            metric_args=args,
        )

    found = []
    for tally in (group.overall, *(entry.tally for entry in group.lengths)):
        for name, stat in (("strict", tally.strict), ("official", tally.official)):
            if stat.n:
                found.append(result(tally.length, f"{name}_score", f"{name} score", round(stat.mean, 4), _told(tally, stat)))
    threshold, reach = group.effective[0]
    if reach.length is not None:
        told = {"threshold": threshold.label, "at most": reach.high, "by mean": reach.by_mean}
        found.append(result(None, "effective_length", "effective length, tokens", reach.length, told))
    return found


def _told(tally: Tally, stat: CellStat) -> dict[str, Any]:
    return {"low": round(stat.low, 4), "high": round(stat.high, 4), "n": stat.n, "coverage": round(tally.counts.coverage, 4)}


def _body(run: Run) -> str:
    info, seen = run.info, overview(run)
    lines = [f"# {plain(info.model)}", ""]
    if info.control:
        lines += ["> **Control, not a model.**", ""]
    lines += [
        "## Long-context evaluation",
        "",
        f"| task | {' | '.join(map(format_length, seen.lengths))} | all lengths | effective length | coverage |",
        f"| :--- |{' ---: |' * len(seen.lengths)} :--- | ---: | ---: |",
        *(_row(line, seen.lengths) for line in [*seen.lines, *(mean.line for mean in seen.means)]),
        "",
        "Strict (precision-aware) scores with 95 % intervals, by length in tokens of the whole prompt. Effective length: the "
        "longest length such that the interval there and at every shorter one lies at or above "
        f"{seen.lines[0].effective[0][0].value}. "
        "Coverage: the share of planned answers that came back.",
        "",
        f"Made with lceval {plain(info.lceval)}: " + ", ".join(f"{name} {plain(value)}" for name, value in _made_with(run)) + ".",
        "",
        *(f"    {command}" for command in info.commands),
        "",
    ]
    return "\n".join(lines)


def _row(line: Line, lengths: tuple[int, ...]) -> str:
    scores = [text.stat_text(line.strict[n]) if n in line.strict else "" for n in lengths]
    ends = (text.stat_text(line.overall), plain(line.reach), text.percent_text(line.coverage))
    return f"| {' | '.join([plain(line.title), *scores, *ends])} |"


def _made_with(run: Run) -> list[tuple[str, str]]:
    told: dict[str, Any] = {"variant": run.info.variant, "runner": run.info.runner}
    told |= {name: run.info.fingerprint[name] for name in ("dtype", "attention", "decoding") if name in run.info.fingerprint}
    return [(name, text.value_text(value)) for name, value in told.items() if value]
