"""Run folders become one: nothing doubled, nothing mixed, nothing half done."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

import lceval
from lceval import cli, merging, store
from lceval.errors import StoreError, UsageError
from lceval.rows import Run
from lceval.store import load_run


@pytest.fixture
def settings(tiny_model: Path) -> dict[str, Any]:
    return {
        "lengths": (256, 512),
        "depths": (0.0, 1.0),
        "samples": 2,
        "model_options": {"tokenizer": str(tiny_model)},
    }


@pytest.fixture
def shards(settings: dict[str, Any], tmp_path: Path) -> list[Path]:
    """Two shards of a run, on two machines that share nothing, with their prompts."""
    parts = [tmp_path / "parts" / name for name in ("one", "two")]
    for i, part in enumerate(parts, 1):
        lceval.run("niah", "control:perfect", out=part, shard=(i, 2), save_prompts=True, **settings)
    return parts


def merge(runs: list[Path], out: Path | None = None) -> tuple[Run, str]:
    said: list[str] = []
    return lceval.merge(runs, out, note=said.append), said[0]


def keys(folder: Path) -> list[str]:
    """As they lie in the files, repeats and all."""
    lines = [line for file in sorted(folder.glob("results-*.jsonl")) for line in file.read_text().splitlines()]
    return [json.loads(line)["sample_key"] for line in lines]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def change(folder: Path, before: str, after: str, count: int = -1) -> None:
    for file in folder.glob("results-*.jsonl"):
        file.write_text(file.read_text().replace(before, after, count))


def test_shards_become_the_run_that_they_are_parts_of(shards: list[Path], tmp_path: Path) -> None:
    before = contents(tmp_path / "parts")
    run, said = merge([tmp_path / "parts"], tmp_path / "whole")
    assert said == f"8 answers of 2 runs were put into {tmp_path / 'whole'}"
    assert run.coverage == 1
    assert len(set(keys(run.path))) == len(keys(run.path)) == 8
    assert run.rows == [row for part in shards for row in load_run(part).rows]
    assert len(run.info.grids) == 1
    assert {file.name for file in (run.path / "prompts").iterdir()} == {f"{row.sample_key}.json.gz" for row in run.rows}
    assert (run.path / "report.html").exists()
    assert contents(tmp_path / "parts") == before
    assert not list(tmp_path.glob(".merging-*"))


def test_a_run_that_is_there_gets_what_it_lacks_once(shards: list[Path], settings: dict[str, Any], tmp_path: Path) -> None:
    lceval.run("niah", "control:perfect", out=tmp_path / "more", **(settings | {"samples": 3}))
    run, said = merge([shards[1], tmp_path / "more"], shards[0])
    assert said.startswith("8 answers of 2 runs")
    assert len(set(keys(run.path))) == len(keys(run.path)) == len(run.planned) == 12
    assert len(run.info.grids) == 2
    before = {name: data for name, data in contents(run.path).items() if name.startswith(("results", "run.json"))}
    assert merge([shards[1], tmp_path / "more"], shards[0])[1] == f"nothing to merge: {shards[0]} has it all"
    assert merge([shards[0], shards[1]], shards[0])[1] == f"nothing to merge: {shards[0]} has it all"
    assert {name: contents(run.path)[name] for name in before} == before


@pytest.mark.parametrize("into", ["new", "one", "two"])
def test_what_failed_gives_way_to_an_answer_and_an_answer_to_nothing(settings: dict[str, Any], tmp_path: Path, into: str) -> None:
    for name in ("one", "two"):
        lceval.run("niah", "control:perfect", out=tmp_path / name, **settings)
    change(tmp_path / "one", '"outcome":"ok"', '"outcome":"error"', 3)
    change(tmp_path / "two", '"output":"', '"output":"second ')
    run, _ = merge([tmp_path / "one", tmp_path / "two"], tmp_path / into)
    assert run.coverage == 1
    seconds = sum(row.output.startswith("second ") for row in run.rows)
    assert seconds == (8 if into == "two" else 3)


def test_shards_that_share_a_folder_need_no_merging(settings: dict[str, Any], tmp_path: Path) -> None:
    for i in (1, 2):
        lceval.run("niah", "control:perfect", out=tmp_path / "run", shard=(i, 2), **settings)
    (tmp_path / "run" / "report.html").unlink()
    for runs, out in (([tmp_path / "run"], None), ([tmp_path / "run", tmp_path / "x" / ".." / "run"], tmp_path / "run")):
        run, said = merge(runs, out)
        assert said == f"nothing to merge: {tmp_path / 'run'} is one run already. Shards that share a folder need no merging."
        assert run.coverage == 1
    assert (tmp_path / "run" / "report.html").exists()


def test_other_settings_are_refused_by_the_field_that_differs(shards: list[Path], settings: dict[str, Any], tmp_path: Path) -> None:
    lceval.run("niah", "control:window=300", out=tmp_path / "other", **settings)
    before = contents(tmp_path)
    with pytest.raises(StoreError, match=r"one' and '.*other' hold answers of different settings: control is 'perfect' in the one"):
        merge([*shards, tmp_path / "other"], tmp_path / "whole")
    with pytest.raises(StoreError, match="different settings: control is 'window'"):
        merge(shards, tmp_path / "other")
    text = (shards[1] / "run.json").read_text()
    (shards[1] / "run.json").write_text(text.replace('"version": 1', '"version": 2'))
    with pytest.raises(StoreError, match="the version of the task niah is 1 in the one and 2 in the other"):
        merge(shards, tmp_path / "whole")
    (shards[1] / "run.json").write_text(text)
    assert contents(tmp_path) == before


def test_what_is_in_the_way_is_told(shards: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2 runs are to become one; say with --out"):
        merge(shards)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "todo.txt").write_text("mine")
    with pytest.raises(StoreError, match="is there already and is no run folder"):
        merge(shards, tmp_path / "notes")
    with pytest.raises(StoreError, match="is not a run folder"):
        merge([*shards, tmp_path / "notes"], tmp_path / "whole")
    (tmp_path / "empty").mkdir()
    assert merge(shards, tmp_path / "empty")[0].coverage == 1


def test_a_merge_that_fails_leaves_nothing(shards: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(store.os, "write", full)
        with pytest.raises(StoreError, match="the disk is full"):
            merging.merge_runs([load_run(part) for part in shards], tmp_path / "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["parts"]
    assert merge(shards, tmp_path / "whole")[0].coverage == 1


def test_the_command_line_says_what_it_did(
    shards: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["lceval", "merge", *map(str, shards), "--out", str(tmp_path / "whole")])
    with pytest.raises(SystemExit) as done:
        cli.main()
    out = capsys.readouterr().out
    assert done.value.code == 0
    assert out.startswith(f"8 answers of 2 runs were put into {tmp_path / 'whole'}\n")
    assert "coverage 100%: 8 of 8 answered" in out
    assert f"report:  {tmp_path / 'whole' / 'report.html'}" in out
