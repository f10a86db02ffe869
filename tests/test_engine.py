"""Runs from plan to stored rows: resumed, widened, sharded, killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lceval
from lceval import api, engine
from lceval.config import RunConfig
from lceval.errors import CannotFit, ModelError, RunnerError, StoreError, UsageError
from lceval.progress import NoProgress
from lceval.runners.control import ControlRunner
from lceval.store import load_run, read_rows
from lceval.types import Generation, Prompt


@pytest.fixture
def settings(tiny_model: Path, tmp_path: Path) -> dict[str, Any]:
    """A small grid for a control, with the tiny tokenizer."""
    return {
        "lengths": (256, 512),
        "depths": (0.0, 0.5, 1.0),
        "samples": 2,
        "model_options": {"tokenizer": str(tiny_model)},
        "out": tmp_path / "run",
    }


def stored(folder: Path) -> list[str]:
    """Sample keys as they lie in the files, repeats and all."""
    lines = [line for file in sorted(folder.glob("results-*.jsonl")) for line in file.read_text().splitlines()]
    return [json.loads(line)["sample_key"] for line in lines]


def test_a_run_answers_its_whole_grid_and_writes_its_report(settings: dict[str, Any]) -> None:
    run = lceval.run("niah", "control:perfect", **settings)
    assert len(run.rows) == len(run.planned) == 2 * 3 * 2
    assert {row.strict for row in run.rows} == {1.0}
    assert all(row.prompt_tokens + row.reserved_tokens == row.length for row in run.rows)
    assert run.info.control
    for name in ("run.json", "report.html", "report.md", "summary.json", "heatmap-niah.png", "heatmap-niah.svg"):
        assert (run.path / name).stat().st_size > 0
    assert lceval.load_run(run.path).rows == run.rows


def test_the_same_command_again_computes_nothing_and_a_wider_one_only_what_is_new(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: list[Prompt] = []
    real = ControlRunner.generate

    def counted(self: ControlRunner, prompts: Sequence[Prompt], *, share: bool = True) -> Iterator[tuple[Prompt, Generation]]:
        answered.extend(prompts)
        return real(self, prompts, share=share)

    monkeypatch.setattr(ControlRunner, "generate", counted)
    lceval.run("niah", "control:perfect", **settings)
    first = stored(settings["out"])
    answered.clear()
    lceval.run("niah", "control:perfect", **settings)
    assert not answered
    lceval.run("niah", "control:perfect", **(settings | {"lengths": (256, 512, 1024), "samples": 3}))
    assert len(answered) == 3 * 3 * 3 - 12
    keys = stored(settings["out"])
    assert keys[:12] == first
    assert len(set(keys)) == len(keys) == 27


def test_needle_question_and_haystack_are_the_same_in_every_cell_of_an_index(settings: dict[str, Any]) -> None:
    run = lceval.run("niah", "control:perfect", **settings)
    for index in range(2):
        rows = [row for row in run.rows if row.index == index]
        assert len({row.pair_key for row in rows}) == 1
        assert len({tuple(row.answers) for row in rows}) == 1
        assert len({row.sample_key for row in rows}) == len(rows) == 6
    assert len({tuple(row.answers) for row in run.rows}) == 2


def test_shards_cover_the_grid_once_in_files_of_their_own(settings: dict[str, Any]) -> None:
    settings |= {"samples": 5}
    for i in (1, 2, 3):
        lceval.run("niah", "control:perfect", shard=(i, 3), **settings)
    keys = stored(settings["out"])
    assert len(set(keys)) == len(keys) == 2 * 3 * 5
    assert len(list(settings["out"].glob("results-*.jsonl"))) == 3


def test_what_cannot_fit_is_refused_before_anything_is_written(settings: dict[str, Any], tiny_model: Path) -> None:
    with pytest.raises(CannotFit, match=r"cell of 64 tokens cannot hold .* fixed text of \d+ tokens .* lengths from \d+ up"):
        lceval.run("niah", "control:perfect", **(settings | {"lengths": (64, 512)}))
    with pytest.raises(
        CannotFit, match=r"length 8k \(8192 tokens\) lies beyond the window .* \(4096 tokens\).*--allow-beyond-window"
    ):
        lceval.run("niah", str(tiny_model), **(settings | {"lengths": (8192,), "model_options": {}}))
    assert not settings["out"].exists()


def test_lengths_beyond_the_window_run_when_that_is_asked_for(settings: dict[str, Any], tmp_path: Path, tiny_model: Path) -> None:
    import shutil

    narrow = Path(shutil.copytree(tiny_model, tmp_path / "narrow"))
    config = json.loads((narrow / "config.json").read_text())
    (narrow / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 300}))
    settings |= {"model_options": {}, "samples": 1, "depths": (0.5,)}
    with pytest.raises(CannotFit):
        lceval.run("niah", str(narrow), **settings)
    run = lceval.run("niah", str(narrow), allow_beyond_window=True, **settings)
    assert {row.length: row.outcome in ("ok", "truncated") for row in run.rows} == {256: True, 512: True}


def test_an_engine_that_dies_keeps_what_is_stored_and_the_run_goes_on(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ControlRunner.generate

    def dies(self: ControlRunner, prompts: Sequence[Prompt], *, share: bool = True) -> Iterator[tuple[Prompt, Generation]]:
        for i, pair in enumerate(real(self, prompts, share=share)):
            if i == 4:
                raise RuntimeError("CUDA error: an illegal memory access was encountered")
            yield pair

    with monkeypatch.context() as patch:
        patch.setattr(ControlRunner, "generate", dies)
        with pytest.raises(RunnerError, match=r"RuntimeError: CUDA error.*run the same command again"):
            lceval.run("niah", "control:perfect", **settings)
    assert len(stored(settings["out"])) == 4
    lceval.run("niah", "control:perfect", **settings)
    assert Counter(stored(settings["out"])).most_common(1)[0][1] == 1
    assert len(stored(settings["out"])) == 12


@pytest.mark.parametrize(("at_once", "calls"), [(1, [4] * 6), (2, [8] * 3), (100, [24])])
def test_groups_are_handed_together_to_runners_that_answer_several_prompts_at_a_time(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch, at_once: int, calls: list[int]
) -> None:
    made, seen = ControlRunner.generate, []

    def generate(self: ControlRunner, prompts: Sequence[Prompt], *, share: bool = True) -> Iterator[tuple[Prompt, Generation]]:
        seen.append(len(prompts))
        return made(self, prompts[::-1], share=share)

    monkeypatch.setattr(ControlRunner, "generate", generate)
    monkeypatch.setattr(ControlRunner, "at_once", at_once, raising=False)
    run = lceval.run(
        ["niah", "distractors"], "control:perfect", **settings | {"samples": 3, "depths": (0.0, 1.0), "lengths": (512, 1024)}
    )
    assert seen == calls
    assert {row.strict for row in run.rows} == {1.0}
    assert len(run.rows) == len(run.planned) == 24


def test_failed_rows_are_tried_again(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: ControlRunner, prompts: Sequence[Prompt], *, share: bool = True) -> Iterator[tuple[Prompt, Generation]]:
        for prompt in prompts:
            yield prompt, Generation("", 0, 0, 0.0, 0.0, "error", "error", "out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(ControlRunner, "generate", fails)
        run = lceval.run("niah", "control:perfect", **settings)
    assert run.coverage == 0
    assert {row.strict for row in run.rows} == {None}
    run = lceval.run("niah", "control:perfect", **settings)
    assert run.coverage == 1
    assert len(run.rows) == 12


KILLED = """
import sys, time
from lceval.runners import control
real = control.ControlRunner._answer
def slow(self, task, prompt):
    time.sleep(0.01)
    return real(self, task, prompt)
control.ControlRunner._answer = slow
sys.argv[0] = "lceval"
from lceval.cli import main
main()
"""


def test_kill_9_at_any_moment_loses_and_doubles_nothing(settings: dict[str, Any]) -> None:
    folder = settings["out"]
    tokenizer = settings["model_options"]["tokenizer"]
    arguments = f"run niah --model control:perfect --lengths 256,512,1024 --depths 5 --samples 6 --out {folder}".split()
    command = [sys.executable, "-c", KILLED, *arguments, "-M", f"tokenizer={tokenizer}"]
    rng = np.random.default_rng(0)
    kills, before = 0, 0
    while True:
        wanted = before + int(rng.integers(10, 30))
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and len(list(_lines(folder))) < wanted:
                time.sleep(0.002)
            if process.poll() is not None:
                assert process.returncode == 0
                break
            os.kill(process.pid, signal.SIGKILL)
        kills += 1
        before = len(read_rows(folder))
        assert before >= wanted
    assert kills >= 2
    keys = stored(folder)
    assert len(set(keys)) == len(keys) == 3 * 5 * 6
    assert load_run(folder).coverage == 1


def _lines(folder: Path) -> Iterator[bytes]:
    for file in folder.glob("results-*.jsonl"):
        yield from file.read_bytes().splitlines()


def test_show_rebuilds_the_prompt_and_checks_its_hash(settings: dict[str, Any]) -> None:
    run = lceval.run("niah", "control:dump", **settings)
    row = next(row for row in run.rows if row.length == 512 and row.depth == 0.5)
    found, prompt, tokenizer = api.show(run.path, row.sample_key[:12])
    assert found == row
    assert tokenizer.decode(prompt.ids, special=True) == row.output
    changed = row.model_copy(update={"prompt_sha256": "f" * 64})
    run.rows[run.rows.index(row)] = changed
    with pytest.raises(StoreError, match="cannot be made again"):
        api.show(run, row.sample_key)
    with pytest.raises(StoreError, match="no row of 12"):
        api.show(run, "zz")


def test_rescore_scores_stored_outputs_anew(settings: dict[str, Any]) -> None:
    run = lceval.run("niah", "control:perfect", **settings)
    file = run.path / "results-000.jsonl"
    file.write_text(file.read_text().replace('"strict":1.0', '"strict":0.25', 3))
    assert api.rescore(run.path) == 3
    assert load_run(run.path).rows == run.rows


def test_saved_prompts_are_the_prompts(settings: dict[str, Any]) -> None:
    import gzip

    run = lceval.run("niah", "control:dump", save_prompts=True, **settings)
    saved = [json.loads(gzip.decompress(file.read_bytes())) for file in (run.path / "prompts").iterdir()]
    assert {prompt["sample_key"]: prompt["text"] for prompt in saved} == {row.sample_key: row.output for row in run.rows}
    assert {len(prompt["ids"]) for prompt in saved} == {row.prompt_tokens for row in run.rows}


def test_a_run_that_dies_while_loading_plans_nothing(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(self: ControlRunner) -> ControlRunner:
        raise ModelError("cannot load the weights")

    with monkeypatch.context() as patch:
        patch.setattr(ControlRunner, "__enter__", dies)
        with pytest.raises(ModelError):
            lceval.run("niah", "control:perfect", **settings)
    assert not (settings["out"] / "run.json").exists()
    assert lceval.run("niah", "control:perfect", **(settings | {"lengths": (256,)})).coverage == 1


def test_a_haystack_that_changed_is_refused(settings: dict[str, Any], tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("It rained. Nobody came. The road was long. " * 20)
    params = {"haystack": f"path:{text}"}
    with pytest.warns(UserWarning, match="repeat it"):
        lceval.run("niah", "control:perfect", task_params=params, **settings)
    text.write_text("It snowed. Nobody came. The road was long. " * 20)
    with pytest.raises(StoreError, match="the text of the haystack of niah"):
        lceval.run("niah", "control:perfect", task_params=params, **settings)


def test_verify_prefix_works_on_a_finished_run_and_names_what_differs(settings: dict[str, Any]) -> None:
    run = lceval.run("niah", "control:perfect", **settings)
    with pytest.warns(UserWarning, match="4 of 4 prompts gave the same text"):
        lceval.run("niah", "control:perfect", verify_prefix=4, **settings)
    file = run.path / "results-000.jsonl"
    lines = file.read_text().splitlines()
    wrong = json.loads(lines[0])["sample_key"]
    file.write_text("\n".join([lines[0].replace('"output":"', '"output":"x'), *lines[1:]]) + "\n")
    with pytest.warns(UserWarning, match=f"11 of 12 prompts gave the same text .*; different: {wrong}"):
        lceval.run("niah", "control:perfect", verify_prefix=99, **settings)


def test_rescore_refuses_a_task_that_has_changed(settings: dict[str, Any]) -> None:
    run = lceval.run("niah", "control:perfect", **settings)
    file = run.path / "results-000.jsonl"
    before = file.read_text().replace(run.rows[0].answers[0], "1111111")
    file.write_text(before)
    with pytest.raises(StoreError, match=r"has changed since .* its gold answers were \['1111111'\]"):
        api.rescore(run.path)
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"lengths": [256, 256]}, "do not ascend"),
        ({"lengths": (512, 256)}, "do not ascend"),
        ({"lengths": [-5]}, "length -5"),
        ({"depths": []}, "depths="),
        ({"depths": [0.5, 0.5]}, "name one depth twice"),
        ({"sampels": 3}, "Did you mean 'samples'"),
    ],
)
def test_settings_from_python_are_checked_as_those_of_the_command_line(
    settings: dict[str, Any], setting: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        lceval.run("niah", "control:perfect", **(settings | setting))


def test_two_points_of_one_task_live_in_one_run(settings: dict[str, Any]) -> None:
    lceval.run("niah", "control:perfect", **settings)
    settings |= {"lengths": (512,)}
    run = lceval.run("niah", "control:perfect", task_params={"keys": "4"}, **settings)
    assert len(run.info.grids) == 2
    assert len(run.rows) == 12 + 6
    assert sorted(file.name for file in run.path.glob("heatmap-*.png")) == ["heatmap-niah-keys=4.png", "heatmap-niah.png"]


def test_depths_set_by_the_task_make_one_column(settings: dict[str, Any]) -> None:
    settings |= {"depths": None}
    run = lceval.run("niah", "control:perfect", task_params={"needle_depths": "0.2,0.9", "keys": 2}, **settings)
    assert {row.depth for row in run.rows} == {None}
    assert len(run.rows) == 2 * 2
    with pytest.raises(UsageError, match=r"niah .* places them itself"):
        lceval.run("niah", "control:perfect", task_params={"needle_depths": "random"}, **(settings | {"depths": "3"}))


def test_plan_size_is_exact_and_says_when_it_is_not(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from lceval import planning as plans
    from lceval.tree import tree_size

    config = RunConfig.checked(tasks=("niah",), model="control:perfect", **(settings | {"samples": 6}))
    plan = engine.make_plan(config, engine.make_runner(config))
    trees = [tree_size(plan.compose(group)) for group in plan.groups]
    assert plan.size.tokens.shared == sum(tree.shared for tree in trees)
    assert plan.size.tokens.one_by_one == sum(tree.one_by_one for tree in trees) == 6 * 3 * (256 + 512) - 36 * 36
    monkeypatch.setattr(plans, "MEASURED_PROMPTS", 10)
    del plan.size
    assert plan.size.measured == 12
    assert plan.size.tokens.one_by_one == sum(tree.one_by_one for tree in trees)


def test_nothing_is_said_by_the_python_api_but_notes_are_warnings() -> None:
    with pytest.warns(UserWarning, match="halved"):
        NoProgress().note("prefill chunk halved")
