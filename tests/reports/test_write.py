from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from factory import make_run

from lceval.errors import StoreError
from lceval.reports.write import SUMMARY_SCHEMA, summary, write_report


def mixed(length, depth, index):
    return None if length == 16384 else "error" if index == 9 else float(index < 8)


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path, mixed, params={"needles": 4})


def test_writes_everything_and_leaves_nothing_else(run):
    files = write_report(run)
    names = ("heatmap", "length", "position", "time")
    expected = {f"{name}-niah-needles=4.{kind}" for name in names for kind in ("png", "svg")}
    expected |= {"report.html", "report.md", "summary.json"}
    assert {path.name for path in run.path.iterdir()} == expected
    assert {path.name for path in (files.html, files.markdown, files.summary, *files.heatmaps, *files.others)} == expected
    assert f"]({files.heatmaps[0].name})" in files.markdown.read_text()


def test_again_gives_the_same_bytes(run):
    write_report(run)
    first = {path.name: path.read_bytes() for path in run.path.iterdir()}
    write_report(run)
    assert {path.name: path.read_bytes() for path in run.path.iterdir()} == first


def test_summary_is_strict_json_with_the_plan(run):
    record = json.loads(write_report(run).summary.read_text(), parse_constant=pytest.fail)
    assert record["schema"] == SUMMARY_SCHEMA
    (group,) = record["groups"]
    assert group["overall"]["coverage"] == pytest.approx(54 / 90)
    assert group["overall"]["strict"] == pytest.approx(8 / 9)
    assert [entry["length"] for entry in group["by_length"]] == [4096, 8192, 16384]
    unanswered = group["by_cell"][-1]
    assert (unanswered["strict"], unanswered["answered"], unanswered["missing"]) == (None, 0, 10)
    assert {entry["kind"] for entry in group["effective_length"]} == {"absolute", "relative", "drop"}
    assert group["by_length"][0]["tokens_per_s"] > 0


def test_summary_without_a_plan(tmp_path):
    assert summary(make_run(tmp_path, mixed, samples=0))["groups"] == []


def test_unwritable_folder_is_told(run):
    run.path = run.path / "gone"
    with pytest.raises(StoreError, match=r"cannot write .*heatmap.*run folder"):
        write_report(run)


def test_failed_replacement_keeps_the_old_file(run, monkeypatch):
    write_report(run)
    before = {path.name for path in run.path.iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(StoreError, match="No space left on device"):
        write_report(run)
    assert {path.name for path in run.path.iterdir()} == before


def test_import_is_light():
    code = (
        "import sys, lceval.reports.write, lceval.reports.terminal;"
        "print(*{'pandas', 'torch', 'matplotlib', 'seaborn', 'jinja2'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""
