from __future__ import annotations

import math

import pytest
from factory import make_run

from lceval.reports.cells import difference_board
from lceval.reports.comparison import compare
from lceval.reports.difference import deltas
from lceval.reports.multiples import difference_multiples
from lceval.reports.scale import DIFFERENCE, FADED
from lceval.reports.tables import groups


def pair(tmp_path, base, other, **grid):
    return [make_run(tmp_path / name, scores, model=name, **grid) for name, scores in (("base", base), ("other", other))]


def cells_of(runs):
    return deltas(*runs, [groups(run)[0] for run in runs])


def test_differences_are_paired_and_signed(tmp_path):
    runs = pair(tmp_path, lambda *_: 1.0, lambda length, depth, index: float(length < 16384 and index != 0))
    cells = cells_of(runs)
    assert [(cell.length, cell.depth) for cell in cells] == [(n, d) for n in (4096, 8192, 16384) for d in (0.0, 0.5, 1.0)]
    for cell in cells:
        lost = 1 if cell.length < 16384 else 10
        assert (cell.n, cell.planned, cell.wins, cell.losses) == (10, 10, 0, lost)
        assert cell.mean == pytest.approx(-lost / 10)
        assert cell.low <= cell.mean <= cell.high
        assert cell.decided == (lost == 10)


def test_only_what_both_answered_counts(tmp_path):
    runs = pair(
        tmp_path,
        lambda length, depth, index: 1.0 if index < 6 else None,
        lambda length, depth, index: "error" if length == 8192 else 0.0 if index > 3 else None,
        lengths=(4096, 8192),
        depths=(0.5,),
    )
    short, long = cells_of(runs)
    assert (short.n, short.planned, short.losses) == (2, 10, 2)
    assert (long.n, long.planned) == (0, 10)
    assert math.isnan(long.mean)
    assert not long.decided
    board = difference_board((short, long))
    ((_, boxes),) = board.rows
    assert [box.kind for box in boxes] == ["faded", "none"]
    assert boxes[0].words == "−1.00"
    assert "2 of 10 samples in both: 0 better, 2 worse" in boxes[0].label
    assert "undecided" in boxes[0].label
    assert boxes[1].style == ""


def test_what_is_not_decided_is_faded(tmp_path):
    runs = pair(tmp_path, lambda *_: 1.0, lambda length, depth, index: float(length < 16384 and index != 0), depths=(0.5,))
    comparison = compare(runs)
    figure = difference_multiples(comparison, comparison.tasks[0])
    axes = figure.axes[0]
    assert axes.collections[0].get_clim() == (-1, 1)
    assert axes.collections[0].get_alpha().ravel().tolist() == [FADED, FADED, 1]
    words = " ".join(" ".join(text.get_text() for text in figure.texts).split())
    assert "niah: difference to base" in words
    assert "faded where its 95 % interval includes 0" in words
    ((_, boxes),) = difference_board(comparison.tasks[0].differences[1]).rows
    assert [box.kind for box in boxes] == ["faded", "faded", "full"]
    red, _, blue = DIFFERENCE.colour(-1)
    assert red > blue


def test_samples_of_another_version_of_the_task_are_no_pairs(tmp_path):
    runs = pair(tmp_path, lambda *_: 1.0, lambda *_: 0.0)
    runs[1].rows[:] = [row.model_copy(update={"pair_key": f"2-{row.pair_key}"}) for row in runs[1].rows]
    assert {cell.n for cell in cells_of(runs)} == {0}


def test_runs_without_common_samples_have_no_differences(tmp_path):
    one = make_run(tmp_path / "a", lambda *_: 1.0, lengths=(4096,), model="a")
    other = make_run(tmp_path / "b", lambda *_: 1.0, lengths=(8192,), model="b")
    (task,) = compare([one, other]).tasks
    assert not task.differs
