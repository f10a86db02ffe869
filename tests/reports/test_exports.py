"""Every export is opened again by the library it is for; see exporting.txt for those that are large."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import math
import subprocess
import sys

import pytest
from factory import make_row, make_run

from lceval import api
from lceval.errors import StoreError, UsageError
from lceval.reports.exports import columns, inspect_log, lm_eval, model_card
from lceval.reports.exports.samples import standard_error
from lceval.reports.exports.write import FORMATS
from lceval.reports.tables import groups
from lceval.rows import Row

HOSTILE = 'a "quoted", | piped\nline\r\n=1+1 </script> ünïcode \x00\x1b[0m'


def scores(length, depth, index):
    if length == 16384 and depth == 1.0:
        return {0: None, 1: "error"}.get(index, 0.0)
    return float(index < 8) if length == 8192 else 1.0


@pytest.fixture
def run(tmp_path):
    made = make_run(tmp_path / "run", scores, samples=10, model="org/model-7b", created="2026-01-02T03:04:05+00:00")
    made.path.mkdir()
    changes = {
        "output": HOSTILE,
        "details": {"recall": 0.5},
        "logprob": -0.25,
        "greedy_match": True,
        "needle_tokens": [(3, 9), (11, 20)],
    }
    made.rows[0] = made.rows[0].model_copy(update=changes)
    other = make_run(
        tmp_path / "kv", lambda *_: 1.0, lengths=(4096,), depths=(None,), samples=3, task="kv", params={"keys": [1, 2]}
    )
    made.rows.extend(other.rows)
    made.info.grids.extend(other.info.grids)
    return made


def in_library(module, script, *arguments):
    """Run a script in a process of its own, where the library's warnings are its own business."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    done = subprocess.run([sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_parquet_has_the_columns_of_the_store(run):
    import pandas as pd
    import pyarrow.parquet as pq

    (file,) = api.export(run, "parquet")
    assert file == run.path / "rows.parquet"
    table = pq.read_table(file)
    assert table.column_names == list(Row.model_fields)
    assert table.schema.equals(columns.schema())
    assert str(table.schema.field("needle_tokens").type).startswith("list<element: list<element: int64")
    assert (table.schema.field("depth").nullable, table.schema.field("length").nullable) == (True, False)
    assert json.loads(table.schema.metadata[b"lceval.run"])["fingerprint"] == run.info.fingerprint
    back = [
        Row.model_validate(record | {"params": json.loads(record["params"]), "details": dict(record["details"])})
        for record in table.to_pylist()
    ]
    assert back == run.rows
    frame = pd.read_parquet(file)
    assert frame.strict.mean() == pytest.approx(run.frame.strict.mean())
    assert [list(span) for span in frame.needle_tokens[0]] == [[3, 9], [11, 20]]


def test_csv_reads_back_as_the_same_rows(run):
    (file,) = api.export(run, "csv", run.path / "sub" / "rows.csv")
    records = list(csv.DictReader(io.StringIO(file.read_bytes().decode(), newline="")))
    assert list(records[0]) == list(Row.model_fields)

    def value(name, text):
        nullable = type(None) in getattr(Row.model_fields[name].annotation, "__args__", ())
        if text == "" and nullable:
            return None
        return text if name in TEXTS else json.loads(text)

    back = [Row.model_validate({name: value(name, text) for name, text in record.items()}) for record in records]
    assert back == run.rows


TEXTS = {name for name, field in Row.model_fields.items() if field.annotation in (str, str | None)} | {"outcome"}


def test_lm_eval_names_every_length(run):
    written = {name.split("/")[1].split("_2026")[0]: content for name, content in lm_eval.files(run).items()}
    kv = f"samples_{groups(run)[1].stem}_0004096"
    assert list(written) == ["results", *(f"samples_niah_{n:07d}" for n in (4096, 8192, 16384)), kv]
    results = json.loads(written["results"])
    by_length = {entry.length: entry.tally for entry in groups(run)[0].lengths}
    for length, tally in by_length.items():
        found = results["results"][f"niah_{length:07d}"]
        assert (found["strict,none"], found["sample_len"]) == (pytest.approx(tally.strict.mean), tally.counts.answered)
    assert results["n-samples"]["niah_0016384"] == {"original": 30, "effective": 28}
    assert results["group_subtasks"]["niah"] == ["niah_0004096", "niah_0008192", "niah_0016384"]
    sample = json.loads(written["samples_niah_0004096"].splitlines()[0])
    row = run.rows[0]
    assert (sample["resps"], sample["strict"], sample["doc"]["depth"]) == ([[HOSTILE]], row.strict, row.depth)
    assert sample["prompt_hash"] == row.prompt_sha256


def test_lm_eval_opens_it(run, tmp_path):
    files = api.export(run, "lm-eval", tmp_path / "out")
    script = """
import json, sys
from lm_eval import utils
files = sys.argv[1:]
results = json.load(open(utils.get_latest_filename(utils.get_results_filenames(files))))
samples = [utils.get_file_task_name(file.rsplit("/", 1)[1]) for file in utils.get_sample_results_filenames(files)]
print(json.dumps([utils.make_table(results), utils.make_table(results, "groups"), samples]))
"""
    table, grouped, samples = in_library("lm_eval", script, *files)
    assert "niah, 16k" in table
    assert "niah, 16k" not in grouped
    assert samples[:3] == ["niah_0004096", "niah_0008192", "niah_0016384"]


def test_means_of_groups_go_to_lm_eval_too(tmp_path):
    run = make_run(tmp_path, lambda *_: 1.0, task="ruler/vt", depths=(None,))
    other = make_run(tmp_path, lambda length, depth, index: float(index < 5), task="ruler/cwe", depths=(None,))
    run.rows.extend(other.rows)
    run.info.grids.extend(other.info.grids)
    (results, *_) = lm_eval.files(run).values()
    found = json.loads(results)
    vt, cwe = (found["results"][f"ruler.{name}"]["strict_stderr,none"] for name in ("vt", "cwe"))
    assert found["groups"]["ruler"]["strict,none"] == pytest.approx(0.75)
    assert found["groups"]["ruler"]["strict_stderr,none"] == pytest.approx(math.hypot(vt, cwe) / 2)
    assert found["group_subtasks"]["ruler"] == ["ruler.vt", "ruler.cwe"]


def test_inspect_logs_hold_every_stored_sample(run):
    (niah, kv) = (json.loads(content) for content in inspect_log.files(run).values())
    assert (niah["status"], kv["status"]) == ("cancelled", "success")  # one planned answer of niah is missing
    assert (niah["results"]["total_samples"], niah["results"]["completed_samples"], len(niah["samples"])) == (90, 88, 89)
    assert [sample["error"]["message"] for sample in niah["samples"] if "error" in sample] == ["CUDA out of memory"]
    overall = niah["results"]["scores"][0]
    assert overall["metrics"]["mean"]["value"] == pytest.approx(groups(run)[0].overall.strict.mean)


def test_inspect_opens_it(run, tmp_path):
    files = api.export(run, "inspect", tmp_path / "out")
    script = """
import json, sys
from inspect_ai.log import read_eval_log
logs = [read_eval_log(file) for file in sys.argv[1:]]
for log in logs:
    assert log.samples[0].scores["strict"].value == 1 and log.samples[0].target == ["7421983"]
first = logs[0].samples[0]
print(json.dumps([first.output.completion, first.metadata["needle_tokens"], [log.eval.task for log in logs]]))
"""
    output, needles, tasks = in_library("inspect_ai", script, *files)
    assert (output, needles, tasks[0]) == (HOSTILE, [[3, 9], [11, 20]], "niah")


def test_the_hub_reads_the_model_card(run, tmp_path):
    from huggingface_hub import ModelCard

    (file,) = api.export(run, "hf-model-card", tmp_path / "README.md")
    card = ModelCard.load(file)
    assert card.data.model_name == "model-7b"
    found = {(result.dataset_config, result.metric_type): result for result in card.data.eval_results}
    tally = groups(run)[0].lengths[1].tally
    result = found["niah-8192", "strict_score"]
    assert result.metric_value == round(tally.strict.mean, 4)
    assert result.metric_args == {"low": round(tally.strict.low, 4), "high": round(tally.strict.high, 4), "n": 30, "coverage": 1.0}
    assert "| niah | 1.00 [" in card.text


def test_an_effective_length_is_on_the_card_where_it_was_shown(tmp_path):
    from huggingface_hub import ModelCard

    def lengths(run):
        (file,) = api.export(run, "hf-model-card", tmp_path / "README.md")
        return [
            result.metric_value for result in ModelCard.load(file).data.eval_results if result.metric_type == "effective_length"
        ]

    assert lengths(make_run(tmp_path, lambda length, *_: float(length < 16384), samples=100)) == [8192]
    assert lengths(make_run(tmp_path, lambda length, *_: float(length < 16384), samples=2)) == []


def test_a_control_says_so_on_its_card(tmp_path):
    (content,) = model_card.card(make_run(tmp_path, scores, control=True)).values()
    assert b"**Control, not a model.**" in content


def test_standard_error_takes_haystacks_as_clusters():
    rows = [make_row(4096, depth, index, score) for depth in (0.0, 0.5) for index, score in enumerate((1.0, 0.0, 1.0, 0.0))]
    assert standard_error(rows, "strict") == pytest.approx(math.sqrt(4 / 3 * 4 * 1.0) / 8)  # two alike are worth one
    assert math.isnan(standard_error(rows[::4], "strict"))
    assert math.isnan(standard_error([], "strict"))


@pytest.mark.parametrize("to", FORMATS)
def test_every_format_is_the_same_twice(run, tmp_path, to):
    one, other = (api.export(run, to, tmp_path / name) for name in ("one", "other"))
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in other]


def test_several_runs_are_exported_each_by_itself(run, tmp_path):
    second = make_run(tmp_path / "second", scores)
    files = api.export([run, second], "csv", tmp_path / "out")
    assert [file.name for file in files] == ["run-rows.csv", "second-rows.csv"]
    twin = make_run(tmp_path / "deeper" / "run", scores)
    with pytest.raises(UsageError, match="one by one"):
        api.export([run, twin], "csv", tmp_path / "out")


def test_what_cannot_be_exported(run, tmp_path):
    with pytest.raises(UsageError, match=r"unknown format 'parket'\. Did you mean 'parquet'"):
        api.export(run, "parket")
    with pytest.raises(StoreError, match="no answers to export"):
        api.export(make_run(tmp_path / "none", lambda *_: None), "csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Name another with -o"):
        api.export(run, "csv", tmp_path / "file" / "rows.csv")
