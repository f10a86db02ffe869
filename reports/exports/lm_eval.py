"""What lm-evaluation-harness writes: `results_DATE.json`, and `samples_TASK_DATE.jsonl` for every task and length.

There a length is a task (`niah_0004096`) and a task is the group of its lengths, so that all numbers lie in named places and
`lm_eval.utils.make_table` shows them; RULER is the group of its tasks. Lengths have seven digits because names are sorted there.
Layout: `lm_eval/result_schema.py` of lm-evaluation-harness 0.4.13.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lceval.lengths import format_length
from lceval.registry import GROUPS, members
from lceval.reports.exports.samples import Answered, answered, standard_error
from lceval.reports.overview import overview
from lceval.rows import Row, Run

if TYPE_CHECKING:
    from lceval.reports.exports.write import Files

SCORES = ("strict", "official")
_UNKNOWN = "N/A"
"""What the harness writes for a standard error that it cannot tell."""


def files(run: Run) -> Files:
    """The results and the samples of a run, in the folder of its model as the harness names it."""
    parts = answered(run)
    begun = datetime.fromisoformat(run.info.created)
    date = begun.isoformat(timespec="microseconds").split("+")[0].replace(":", "-")
    model = re.sub(r"[\"<>:/|\\?*\[\]]+", "__", run.info.model)
    samples = {
        _leaf(part, length): [_sample(n, row) for n, row in enumerate(part.at(length))]
        for part in parts
        for length in part.group.tested
    }
    results = _results(run, parts) | {
        "date": begun.timestamp(),
        "model_name_sanitized": model,
        "task_hashes": {name: _hash("".join(_hashes(sample) for sample in found)) for name, found in samples.items()},
    }
    written = {f"{model}/results_{date}.json": json.dumps(results, indent=2, ensure_ascii=False, allow_nan=False).encode()}
    for name, found in samples.items():
        lines = (json.dumps(sample, ensure_ascii=False, allow_nan=False) + "\n" for sample in found)
        written[f"{model}/samples_{name}_{date}.jsonl"] = "".join(lines).encode()
    return written


def _leaf(part: Answered, length: int) -> str:
    return f"{part.group.stem}_{length:07d}"


def _results(run: Run, parts: Sequence[Answered]) -> dict[str, Any]:
    info = run.info
    leaves = {_leaf(part, length): (part, length) for part in parts for length in part.group.tested}
    tasks = {part.group.stem: _metrics(part.group.stem, part.group.title, part.scored) for part in parts}
    means = _means(run, parts, tasks)
    versions = {grid.task: grid.version for grid in info.grids}
    named = {name: part.group for name, (part, _) in leaves.items()} | {part.group.stem: part.group for part in parts}
    every = [*means, *named]
    return {
        "results": means
        | tasks
        | {
            name: _metrics(name, f"{part.group.title}, {format_length(length)}", part.at(length))
            for name, (part, length) in leaves.items()
        },
        "groups": means | tasks,
        "group_subtasks": {name: [part.group.stem for part in _ruled(parts, name)] for name in means}
        | {part.group.stem: [_leaf(part, length) for length in part.group.tested] for part in parts},
        "configs": {
            name: {
                "task": name,
                "output_type": "generate_until",
                "num_fewshot": 0,
                "metadata": {"task": part.group.task, "params": dict(part.group.params), "length": length},
            }
            for name, (part, length) in leaves.items()
        },
        "versions": {name: versions[group.task] for name, group in named.items()},
        "n-shot": dict.fromkeys(every, 0),
        "higher_is_better": {name: dict.fromkeys(SCORES, True) for name in every},
        "n-samples": {
            _leaf(part, entry.length): {"original": entry.tally.counts.planned, "effective": entry.tally.counts.answered}
            for part in parts
            for entry in part.group.lengths
        },
        "config": {
            "model": info.runner,
            "model_args": info.model_options | {"model": info.model, "variant": info.variant},
            "model_dtype": info.fingerprint.get("dtype"),
            "random_seed": info.grids[0].seed,
            "limit": None,
            "gen_kwargs": {"do_sample": info.fingerprint.get("decoding") == "sampled"},
        },
        "git_hash": info.environment.get("git"),
        "transformers_version": info.environment.get("packages", {}).get("transformers"),
        "max_length": info.fingerprint.get("max_position_embeddings"),
        "chat_template_sha": info.fingerprint.get("chat_template"),
        "model_source": info.runner,
        "model_name": info.model,
        "lceval": {"version": info.lceval, "fingerprint": info.fingerprint},
    }


def _metrics(name: str, alias: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Of rows; without any, the scores are left out."""
    found: dict[str, Any] = {"name": name, "alias": alias, "sample_len": len(rows)}
    for score in SCORES if rows else ():
        error = standard_error(rows, score)
        found[f"{score},none"] = sum(getattr(row, score) for row in rows) / len(rows)
        found[f"{score}_stderr,none"] = _UNKNOWN if math.isnan(error) else error
    return found


def _means(run: Run, parts: Sequence[Answered], tasks: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The plain means of the groups of tasks that a run has two or more of, as in its own report."""
    named = {mean.name: mean for mean in overview(run).means}
    made: dict[str, dict[str, Any]] = {}
    for name, mean in named.items():
        ruled = [tasks[part.group.stem] for part in _ruled(parts, name)]
        made[name] = {"name": name, "alias": mean.line.title, "sample_len": sum(task["sample_len"] for task in ruled)}
        for score, stat in zip(SCORES, (mean.line.overall, mean.line.overall_official), strict=True):
            if stat.n:
                errors = [task[f"{score}_stderr,none"] for task in ruled]
                known = _UNKNOWN if _UNKNOWN in errors else math.hypot(*errors) / len(errors)
                made[name] |= {f"{score},none": stat.mean, f"{score}_stderr,none": known}
    return made


def _ruled(parts: Iterable[Answered], name: str) -> list[Answered]:
    """The parts that the mean of a group of tasks is of: each of its tasks as it was first planned."""
    assert name in GROUPS, name
    first: dict[str, Answered] = {}
    for part in parts:
        if part.group.task in members(name):
            first.setdefault(part.group.task, part)
    return list(first.values())


def _sample(n: int, row: Row) -> dict[str, Any]:
    doc = row.model_dump(
        include={
            *("task", "params", "length", "depth", "index", "question", "seed", "sample_key", "pair_key"),
            *("needle_tokens", "needle_depths", "answers", "prompt_tokens", "outcome"),
        }
    )
    target = row.answers[0] if len(row.answers) == 1 else json.dumps(row.answers, ensure_ascii=False)
    return {
        "doc_id": n,
        "doc": doc,
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": f"sha256:{row.prompt_sha256}", "arg_1": {"max_gen_toks": row.reserved_tokens}}},
        "resps": [[row.output]],
        "filtered_resps": [row.output],
        "filter": "none",
        "metrics": list(SCORES),
        "doc_hash": _hash(json.dumps(doc, sort_keys=True, ensure_ascii=False)),
        "prompt_hash": row.prompt_sha256,
        "target_hash": _hash(target),
        **{score: getattr(row, score) for score in SCORES},
    }


def _hashes(sample: dict[str, Any]) -> str:
    return "".join(sample[f"{part}_hash"] for part in ("doc", "prompt", "target"))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
