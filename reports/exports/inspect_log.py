"""Inspect AI's eval logs: one JSON file for every task and parameters, for `inspect view` and `inspect_ai.log.read_eval_log`.

Layout: `EvalLog` (version 2) of `inspect_ai.log`, as of inspect_ai 0.3.285.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from lceval.keys import digest
from lceval.lengths import format_length
from lceval.reports.exports.samples import Answered, answered, standard_error
from lceval.rows import Row, Run, RunInfo

if TYPE_CHECKING:
    from lceval.reports.exports.write import Files

SCORES = ("strict", "official")
_STOPS = {"ok": "stop", "truncated": "max_tokens", "overflow": "model_length", "error": "unknown"}


def files(run: Run) -> Files:
    """The logs of a run, named as Inspect names its own: date, task and a number."""
    date = re.sub(r"[:.]", "-", run.info.created)
    written = {}
    for part in answered(run):
        number = digest("inspect", run.info.created, run.info.fingerprint, part.group.key)[:22]
        name = re.sub(r"[^A-Za-z0-9]+", "-", part.group.stem)
        written[f"{date}_{name}_{number}.json"] = json.dumps(
            _log(run, part, number), indent=1, ensure_ascii=False, allow_nan=False
        ).encode()
    return written


def _log(run: Run, part: Answered, number: str) -> dict[str, Any]:
    info, group = run.info, part.group
    (first, *_) = (grid for grid in info.grids if (grid.task, grid.params) == (group.task, group.params))
    usage = _usage(*part.scored)
    return {
        "version": 2,
        "status": "cancelled" if group.overall.counts.missing else "success",
        "eval": {
            "eval_id": number,
            "run_id": digest("inspect", info.created, info.fingerprint)[:22],
            "created": info.created,
            "task": group.stem,
            "task_id": number,
            "task_version": first.version,
            "task_display_name": group.title,
            "task_args": dict(group.params),
            "dataset": {
                "name": group.title,
                "samples": group.overall.counts.planned,
                "sample_ids": [row.sample_key for row in part.rows],
                "shuffled": False,
            },
            "model": _model(info),
            "model_args": info.model_options | ({"variant": info.variant} if info.variant else {}),
            "config": {},
            "packages": {"lceval": info.lceval},
            "metadata": {"fingerprint": info.fingerprint, "environment": info.environment, "commands": info.commands},
        },
        "plan": {"name": "plan", "steps": [], "config": {}},
        "results": {
            "total_samples": group.overall.counts.planned,
            "completed_samples": group.overall.counts.answered,
            "scores": [_score(part, score, length) for score in SCORES for length in (None, *group.tested)] if part.scored else [],
        },
        "stats": {"started_at": info.created, "completed_at": "", "model_usage": {_model(info): usage}},
        "samples": [_sample(row) for row in part.rows],
    }


def _score(part: Answered, score: str, length: int | None) -> dict[str, Any]:
    """The mean and its standard error over all lengths, or at one."""
    rows = part.scored if length is None else part.at(length)
    metrics = {
        "mean": sum(getattr(row, score) for row in rows) / len(rows) if rows else math.nan,
        "stderr": standard_error(rows, score),
    }
    return {
        "name": score if length is None else f"{score}@{format_length(length)}",
        "scorer": score,
        "scored_samples": len(rows),
        "params": {} if length is None else {"length": length},
        "metrics": {name: {"name": name, "value": value, "params": {}} for name, value in metrics.items() if not math.isnan(value)},
    }


def _sample(row: Row) -> dict[str, Any]:
    input_ = f"[{row.prompt_tokens:,} tokens, sha256 {row.prompt_sha256}; 'lceval show RUN {row.sample_key}' makes them again]"
    told = row.model_dump(
        include={"length", "depth", "index", "question", "seed", "pair_key", "needle_tokens", "needle_depths", "logprob", "details"}
    )
    sample: dict[str, Any] = {
        "id": row.sample_key,
        "epoch": 1,
        "input": input_,
        "target": row.answers,
        "messages": [{"role": "user", "content": input_}, {"role": "assistant", "content": row.output}],
        "output": {
            "model": _model(row),
            "choices": [{"message": {"role": "assistant", "content": row.output}, "stop_reason": _STOPS[row.outcome]}],
            "usage": _usage(row),
            "time": row.prefill_s + row.decode_s,
        },
        "scores": {score: {"value": getattr(row, score), "answer": row.output} for score in SCORES} if row.answered else {},
        "metadata": told,
        "model_usage": {_model(row): _usage(row)},
    }
    if not row.answered:
        said = row.error or row.outcome
        sample["error"] = {"message": said, "traceback": said, "traceback_ansi": said}
    return sample


def _model(of: Row | RunInfo) -> str:
    """The model as Inspect names its own: who runs it first."""
    return f"{of.runner}/{of.model}"


def _usage(*rows: Row) -> dict[str, int]:
    read, cached, written = (sum(getattr(row, name) for row in rows) for name in ("prompt_tokens", "cached_tokens", "new_tokens"))
    return {
        "input_tokens": read - cached,
        "input_tokens_cache_read": cached,
        "output_tokens": written,
        "total_tokens": read + written,
    }
