"""The needles of all cells of a length in one context, one question each: `--one-pass`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lceval
from lceval import api, describe, engine
from lceval.config import RunConfig
from lceval.errors import CannotFit, UsageError
from lceval.planning import Plan
from lceval.registry import load
from lceval.reports.tables import groups
from lceval.tree import shared_prefix
from lceval.types import Prompt

DEPTHS = (0.0, 0.25, 0.5, 0.75, 1.0)


@pytest.fixture
def settings(tiny_model: Path, tmp_path: Path) -> dict[str, Any]:
    return {
        "one_pass": True,
        "lengths": (768, 1536),
        "depths": DEPTHS,
        "samples": 2,
        "model_options": {"tokenizer": str(tiny_model)},
        "out": tmp_path / "run",
    }


def plan_of(tasks: str | tuple[str, ...] = "niah", model: str = "control:perfect", **settings: Any) -> Plan:
    config = RunConfig.checked(tasks=tasks, model=model, **settings)
    return engine.make_plan(config, engine.make_runner(config))


def distinct_prefixes(prompts: list[Prompt]) -> int:
    return len({prompt.ids[:n].tobytes() for prompt in prompts for n in range(1, len(prompt.ids) + 1)})


def test_every_question_is_about_the_needle_at_its_own_depth(settings: dict[str, Any]) -> None:
    run = lceval.run("niah", "control:perfect", **settings)
    assert len(run.rows) == 2 * 5 * 2
    assert run.coverage == 1
    assert {row.strict for row in run.rows} == {1.0}
    for row in run.rows:
        assert row.depth == DEPTHS[row.question]
        assert row.support == [row.question]
        assert len(row.needle_tokens) == 5
        assert abs(row.needle_depths[row.question] - row.depth) < (0.12 if row.depth < 1 else 0.25)  # before the question
    for index in (0, 1):
        rows = [row for row in run.rows if row.index == index]
        assert len({(row.length, row.depth) for row in rows}) == len(rows) == 10
        assert len({tuple(row.answers) for row in rows}) == 5
        assert len({(row.length, tuple(row.needle_tokens[:-1])) for row in rows}) == 2  # the last one ends before the question


def test_prompts_of_a_length_differ_in_nothing_but_the_question(settings: dict[str, Any]) -> None:
    plan = plan_of(**(settings | {"samples": 1}))
    prompts = plan.compose(plan.groups[0])
    for length in (768, 1536):
        same = [prompt for prompt in prompts if prompt.sample.cell.length == length]
        assert len(same) == 5
        behind = min(prompt.context[1] for prompt in same)
        assert all(shared_prefix(same[0].ids, prompt.ids) >= behind for prompt in same)
    one_by_one = plan_of(**(settings | {"samples": 1, "one_pass": False}))
    assert plan.size.tokens.shared == distinct_prefixes(prompts)
    assert one_by_one.size.tokens.one_by_one / plan.size.tokens.shared > 0.8 * 5


def test_it_is_another_task_than_needles_one_by_one(settings: dict[str, Any]) -> None:
    ordinary = lceval.run("niah", "control:perfect", **(settings | {"one_pass": False}))
    plain = {row.pair_key for row in ordinary.rows}
    run = lceval.run("niah", "control:perfect", **settings)
    assert len(run.rows) == 2 * len(ordinary.rows)
    screened = [row for row in run.rows if row.params]
    assert not plain & {row.pair_key for row in screened}
    assert {tuple(sorted(row.params.items())) for row in screened} == {
        (("needle_depths", "0,0.25,0.5,0.75,1"), ("one_pass", True)),
    }
    assert [grid.one_pass for grid in run.info.grids] == [False, True]
    one, other = groups(run)
    assert one.title == "niah"
    assert other.title.endswith(", one pass: the other needles distract")
    assert (one.one_pass, other.one_pass) == (False, True)
    assert len(one.cells) == len(other.cells) == 10


def test_it_is_said_wherever_its_scores_are_shown(settings: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    from lceval.reports.terminal import print_summary

    run = lceval.run("niah", "control:perfect", **settings)
    said = "one pass: the other needles distract"
    for name in ("report.html", "report.md"):
        assert said in (run.path / name).read_text()
    assert [group["one_pass"] for group in json.loads((run.path / "summary.json").read_text())["groups"]] == [True]
    print_summary(run, Console(width=200))
    assert said in capsys.readouterr().out
    assert said in next(describe.plan(plan_of(**settings)))


def test_a_window_sees_the_needles_within_it(settings: dict[str, Any]) -> None:
    run = lceval.run("niah", "control:window=500", **settings)
    for row in run.rows:
        start, _ = row.needle_tokens[row.question]
        assert row.strict == float(start >= row.prompt_tokens - 500)
    assert {row.strict for row in run.rows} == {0.0, 1.0}


def test_the_same_command_again_computes_nothing_and_a_wider_one_only_what_is_new(settings: dict[str, Any]) -> None:
    first = lceval.run("niah", "control:perfect", **settings)
    again = lceval.run("niah", "control:perfect", **settings)
    assert again.rows == first.rows
    wider = lceval.run("niah", "control:perfect", **(settings | {"lengths": (768, 1024, 1536)}))
    assert wider.rows[: len(first.rows)] == first.rows
    assert len(wider.rows) == 30


def test_stored_rows_can_be_shown_and_scored_again(settings: dict[str, Any]) -> None:
    run = lceval.run("niah", "control:perfect", **settings)
    row, prompt, _ = api.show(run, run.rows[7].sample_key)
    assert prompt.needle_tokens[row.question] == row.needle_tokens[row.question]
    assert api.rescore(run.path) == 0


def test_at_positions_one_context_serves_all_lengths(settings: dict[str, Any]) -> None:
    settings |= {"depths": None, "positions": "0..1200/7", "lengths": "300..1500+300"}
    plan = plan_of(**(settings | {"samples": 1}))
    prompts = plan.compose(plan.groups[0])
    (grid,) = plan.grids
    assert grid.positions is not None
    assert len(prompts) == len(grid.positions) == 1 + 3 + 4 + 6 + 7
    by_length = {prompt.sample.cell.length: prompt for prompt in prompts}
    for prompt in by_length.values():
        longest = by_length[1500]
        nested = shared_prefix(prompt.ids, longest.ids)
        assert nested >= max(stop for _, stop in prompt.needle_tokens)
        assert prompt.needle_tokens == longest.needle_tokens[: len(prompt.needle_tokens)]
    questions = sum(len(prompt.ids) - prompt.context[1] for prompt in prompts)
    assert plan.size.tokens.shared <= 1500 + questions
    run = lceval.run("niah", "control:perfect", **settings)
    assert {row.strict for row in run.rows} == {1.0}
    assert run.coverage == 1
    (group,) = groups(run)
    assert group.by_position
    assert group.one_pass
    assert group.title.endswith(", by position, one pass: the other needles distract")
    assert all(abs(row.needle_tokens[row.question][0] - 200 * row.question) < 40 for row in run.rows if row.question)


def test_a_question_whose_needle_has_no_room_is_refused(bpe: Any, compose: Any) -> None:
    task = load("task", "niah").from_params({"one_pass": True, "needle_positions": "0,600"})
    assert len(compose(bpe, task, 768, None).needle_tokens) == 2
    assert len(compose(bpe, task, 512, None, question=0).needle_tokens) == 1
    with pytest.raises(CannotFit, match=r"no room for the needle at 600 tokens, which the question is about. Ask for lengths from"):
        compose(bpe, task, 512, None, question=1)


def test_one_depth_is_a_single_needle(settings: dict[str, Any]) -> None:
    run = lceval.run("niah", "control:perfect", **(settings | {"depths": (0.5,)}))
    assert {row.depth for row in run.rows} == {0.5}
    assert {row.strict for row in run.rows} == {1.0}


@pytest.mark.parametrize(
    ("tasks", "given", "message"),
    [
        (("niah", "ruler/vt"), {}, r"--one-pass: ruler/vt cannot have needles at all depths in one context; niah can"),
        ("kv", {}, r"--one-pass: kv cannot"),
        ("niah", {"task_params": {"keys": 4}}, r"plants one key at every place .* leave keys, values, queries, questions"),
        ("ruler/niah_multikey_1", {}, r"plants one key at every place"),
        ("niah", {"task_params": {"needle_depths": "0,1"}}, r"--one-pass puts needles at .* leave -T needle_depths out"),
        ("niah", {"positions": (0, 500)}, r"--depths .* and --positions .* both say"),
        ("niah", {"positions": (0, 5000), "depths": None}, r"position 5000 .* holds a needle at \d+ tokens at most"),
        ("niah", {"one_pass": False, "task_params": {"one_pass": True}}, r"one_pass needs the places of its needles"),
        ("niah", {"one_pass": False, "task_params": {"needle_positions": "0,8k"}}, r"needle_positions is for one_pass=on"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(settings: dict[str, Any], tasks: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plan_of(tasks, **(settings | given))


def test_ruler_s_single_needles_can(settings: dict[str, Any]) -> None:
    run = lceval.run("ruler/niah_single_1", "control:perfect", **settings)
    assert {row.strict for row in run.rows} == {1.0}
    assert {row.depth for row in run.rows} == set(DEPTHS)


def test_needles_at_depths_stand_where_they_would_alone(settings: dict[str, Any]) -> None:
    """Within the room that the needles before them take: to the sentence."""
    run = lceval.run("niah", "control:perfect", **settings)
    for row in run.rows:
        aim = np.clip((row.depth or 0) * row.length, *(row.needle_tokens[i][0] for i in (0, -1)))
        assert abs(row.needle_tokens[row.question][0] - aim) < 60
