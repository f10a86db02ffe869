"""Needles at prompt tokens that are the same in every length: `--positions`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import lceval
from lceval import describe, engine
from lceval.config import RunConfig
from lceval.errors import UsageError
from lceval.planning import Plan
from lceval.progress import NoProgress
from lceval.reports.tables import groups
from lceval.rows import Grid
from lceval.runners.hf import HfRunner
from lceval.tree import tree_size
from lceval.types import Prompt

LENGTHS = (256, 512, 768, 1024)
POSITIONS = (0, 256, 512, 768)


@pytest.fixture
def settings(tiny_model: Path, tmp_path: Path) -> dict[str, Any]:
    return {
        "lengths": LENGTHS,
        "positions": POSITIONS,
        "samples": 2,
        "model_options": {"tokenizer": str(tiny_model)},
        "out": tmp_path / "run",
    }


def plan_of(tasks: str | tuple[str, ...] = "niah", model: str = "control:perfect", **settings: Any) -> Plan:
    config = RunConfig.checked(tasks=tasks, model=model, **settings)
    return engine.make_plan(config, engine.make_runner(config))


def distinct_prefixes(prompts: list[Prompt]) -> int:
    return len({prompt.ids[:n].tobytes() for prompt in prompts for n in range(1, len(prompt.ids) + 1)})


class Notes(NoProgress):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


def test_the_map_is_triangular_and_a_needle_stands_at_one_token_in_all_lengths(settings: dict[str, Any]) -> None:
    run = lceval.run("niah", "control:perfect", **settings)
    (grid,) = run.info.grids
    assert grid.positions == [(length, position) for length in LENGTHS for position in POSITIONS if position < length]
    assert run.coverage == 1
    assert len(run.rows) == len(grid.positions) * 2
    assert {row.strict for row in run.rows} == {1.0}
    places: dict[tuple[int, int], set[int]] = {}
    for row in run.rows:
        assert row.depth is not None
        position = round(row.depth * row.length)
        assert row.depth == position / row.length
        places.setdefault((row.index, position), set()).add(row.needle_tokens[0][0])
    assert len(places) == 2 * len(POSITIONS)
    for (_, position), starts in places.items():
        (start,) = starts
        assert position == 0 or abs(start - position) < 40


def test_a_cell_is_the_same_whether_its_place_is_given_as_depth_or_as_position(settings: dict[str, Any], tmp_path: Path) -> None:
    by_position = lceval.run("niah", "control:perfect", **settings)
    by_depth = lceval.run(
        "niah", "control:perfect", **(settings | {"positions": None, "depths": (0.0, 0.25, 0.5, 0.75), "out": tmp_path / "depths"})
    )
    known = {row.sample_key: row.prompt_sha256 for row in by_depth.rows}
    shared = [row for row in by_position.rows if row.sample_key in known]
    assert {(row.length, row.depth) for row in shared} == {(256, 0.0), (512, 0.0), (512, 0.5), (768, 0.0)} | {
        (1024, depth) for depth in (0.0, 0.25, 0.5, 0.75)
    }
    assert all(known[row.sample_key] == row.prompt_sha256 for row in shared)


def test_both_ways_in_one_run_answer_what_they_share_once_and_are_reported_apart(settings: dict[str, Any]) -> None:
    lceval.run("niah", "control:perfect", **(settings | {"positions": None, "depths": (0.0, 0.5)}))
    run = lceval.run("niah", "control:perfect", **settings)
    assert len(run.rows) == 2 * (4 * 2 + 10 - 6)  # six cells are in both grids
    assert len({row.sample_key for row in run.rows}) == len(run.rows)
    one, other = groups(run)
    assert (one.title, other.title) == ("niah", "niah, by position")
    assert (len(one.cells), len(other.cells)) == (8, 10)
    assert one.overall.counts.coverage == other.overall.counts.coverage == 1
    assert one.stem != other.stem


def test_more_lengths_and_positions_only_add(settings: dict[str, Any]) -> None:
    first = lceval.run("niah", "control:perfect", **(settings | {"lengths": (512,), "positions": (0, 256)}))
    before = [row.sample_key for row in first.rows]
    run = lceval.run("niah", "control:perfect", **settings)
    assert [row.sample_key for row in run.rows][: len(before)] == before
    assert len(run.rows) == 10 * 2
    assert run.coverage == 1


def test_a_tree_costs_its_distinct_prefixes(settings: dict[str, Any]) -> None:
    plan = plan_of(**(settings | {"samples": 1}))
    prompts = plan.compose(plan.groups[0])
    assert len(prompts) == 10
    assert plan.size.tokens.shared == distinct_prefixes(prompts)
    assert plan.size.tokens.one_by_one == sum(len(prompt.ids) for prompt in prompts)


def test_evenly_spaced_lengths_share_most(settings: dict[str, Any]) -> None:
    plan = plan_of(**(settings | {"lengths": "1k..16k+1k", "positions": "0..15k+1k", "samples": 1}))
    assert plan.planned == 16 * 17 // 2
    # N lengths and positions: the sum of j² over that of one trunk and one branch for each position.
    expected = sum(j * j for j in range(1, 17)) / (16 + sum(16 - j for j in range(1, 16)))
    assert expected == pytest.approx(11.0, abs=0.1)
    assert plan.size.tokens.one_by_one / plan.size.tokens.shared > 0.75 * expected > 6


def test_a_model_computes_each_distinct_prefix_once_and_answers_as_from_nothing(tiny_model: Path) -> None:
    with HfRunner(str(tiny_model), {"logprob": False}) as runner:
        config = RunConfig.checked(tasks="niah", model=str(tiny_model), lengths=(256, 320, 384), positions=(0, 100, 200), samples=1)
        plan = Plan(config, runner.tokenizer)
        prompts = plan.compose(plan.groups[0])
        warm = list(runner.generate(prompts))
        cold = list(runner.generate(prompts, share=False))
    assert sum(len(p.ids) - g.cached_tokens for p, g in warm) == tree_size(prompts).shared == distinct_prefixes(prompts)
    assert [g.text for _, g in warm] == [g.text for _, g in cold]


def test_a_window_sees_a_diagonal_band(settings: dict[str, Any]) -> None:
    run = lceval.run("niah", "control:window=300", **settings)
    (group,) = groups(run)
    assert group.by_position
    seen = {(cell.length, cell.position): cell.strict.mean for cell in group.cells}
    assert seen == {
        (length, position): float(length - position <= 300) for length in LENGTHS for position in POSITIONS if position < length
    }
    assert list(group.frame.columns)[:3] == ["length", "depth", "position"]


def test_the_same_answers_are_counted_by_depth(settings: dict[str, Any]) -> None:
    (group,) = groups(lceval.run("niah", "control:perfect", **settings))
    by_depth = {(cell.length, cell.depth): cell.counts.answered for cell in group.by_depth}
    assert by_depth[1024, 0.2] == 2  # 256 of 1024 tokens: the nearest tenth
    assert by_depth[768, 0.3] == by_depth[768, 0.7] == 2
    assert sum(by_depth.values()) == sum(cell.counts.answered for cell in group.cells) == 20


def test_a_needle_keeps_away_from_the_question(settings: dict[str, Any]) -> None:
    plan = plan_of(**(settings | {"samples": 3}))
    behind = max(plan.fitter.behind(plan.tasks[0].draft(0.0, index, 0)) for index in range(3))
    last = 1024 - behind
    assert plan_of(**(settings | {"positions": (0, last), "samples": 3})).grids[0].positions == [
        *((length, 0) for length in LENGTHS),
        (1024, last),
    ]
    with pytest.raises(UsageError, match=rf"position {last + 1} .* holds a needle at {last} tokens at most.*greater --lengths"):
        plan_of(**(settings | {"positions": (0, last + 1), "samples": 3}))


def test_lengths_without_a_position_are_left_out_and_said(settings: dict[str, Any]) -> None:
    notes = Notes()
    run = lceval.run("niah", "control:perfect", progress=notes, **(settings | {"positions": (600,)}))
    assert {row.length for row in run.rows} == {768, 1024}
    assert run.info.grids[0].lengths == [768, 1024]
    assert any("none of the positions lies within 256, 512" in note for note in notes.said)


def test_tasks_that_place_their_needles_run_beside_it_and_alone_refuse_it(settings: dict[str, Any]) -> None:
    settings |= {"lengths": (512, 1024)}
    plan = plan_of(("niah", "ruler/vt"), **settings)
    assert [grid.positions is None for grid in plan.grids] == [False, True]
    assert any("--positions does not apply to ruler/vt" in note for note in plan.notes())
    with pytest.raises(UsageError, match=r"--positions says where needles go, and ruler/vt .* places them itself"):
        plan_of("ruler/vt", **settings)
    with pytest.raises(UsageError, match=r"--positions aims at tokens of the prompt, and copy counts its depth in words"):
        plan_of(("niah", "copy"), **settings)


@pytest.mark.parametrize("task", ["kv", "mdqa", "distractors", "manyshot", "code"])
def test_other_tasks_take_positions(settings: dict[str, Any], task: str) -> None:
    settings |= {"lengths": (1024, 2048), "positions": (0, 300, 1100), "samples": 1}
    run = lceval.run(task, "control:perfect", **settings)
    assert {(row.length, round((row.depth or 0) * row.length)) for row in run.rows} == {
        (1024, 0), (1024, 300), (2048, 0), (2048, 300), (2048, 1100),
    }  # fmt: skip
    assert {row.strict for row in run.rows} == {1.0}


def test_what_contradicts_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"--depths 0, 0.5 and --positions 0, 256, 512, 768 both say where needles go"):
        plan_of(**(settings | {"depths": (0.0, 0.5)}))
    with pytest.raises(UsageError, match="do not ascend"):
        plan_of(**(settings | {"positions": (256, 0)}))
    with pytest.raises(UsageError, match=r"do not say how many; write positions as '0..120k/16'"):
        plan_of(**(settings | {"positions": "0..512"}))


def test_a_dry_run_counts_the_cells(settings: dict[str, Any]) -> None:
    lines = list(describe.plan(plan_of(**settings)))
    assert lines[0] == "niah: 4 lengths (256, 512, 768, 1k) × 4 positions (0, 256, 512, 768) = 10 cells × 2 samples"
    assert "prompts: 20 planned" in lines[1]


def test_grids_of_earlier_versions_are_read_as_they_were() -> None:
    old = '{"task": "niah", "params": {}, "seed": 0, "lengths": [512], "depths": [0.0, 1.0], "samples": 1, "questions": 2}'
    grid = Grid.model_validate_json(old)
    assert list(grid.entries()) == [(512, depth, 0, question) for depth in (0.0, 1.0) for question in (0, 1)]
