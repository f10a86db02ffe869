from __future__ import annotations

from itertools import combinations

import matplotlib as mpl
import pytest
from factory import make_run

from lceval.reports.curves import MOST_LENGTHS, curves, length_curve, position_curve, time_curve
from lceval.reports.heatmap import heading, logprob_heatmap, png_bytes, svg_text
from lceval.reports.overview import line_of
from lceval.reports.tables import groups


def middle(length, depth, index):
    return float(index < (10 if depth in (0.0, 1.0) else 4))


def of(tmp_path, scores=middle, **grid):
    run = make_run(tmp_path, scores, **grid)
    return run, groups(run)[0]


def test_scores_by_length_with_band_threshold_and_effective_length(tmp_path):
    _, group = of(tmp_path, lambda length, depth, index: float(length < 16384), samples=40)
    figure = length_curve([line_of(group, "niah")], "title")
    (axes,) = figure.axes
    threshold, line, mark = axes.lines
    assert set(threshold.get_ydata()) == {0.856}
    assert list(line.get_xdata()) == [4096, 8192, 16384]
    assert list(line.get_ydata()) == [1, 1, 0]
    assert list(mark.get_xdata()) == [8192]
    assert len(axes.collections) == 1
    assert axes.get_ylim()[0] < 0 < 1 < axes.get_ylim()[1]


def test_no_effective_length_is_not_marked(tmp_path):
    _, group = of(tmp_path, lambda *_: 0.0)
    assert len(length_curve([line_of(group, "niah")]).axes[0].lines) == 2


def test_the_u_curve_has_a_line_a_length(tmp_path):
    _, group = of(tmp_path)
    (axes,) = position_curve(group).axes
    assert [line.get_label() for line in axes.lines] == ["4k", "8k", "16k"]
    assert list(axes.lines[0].get_ydata()) == [1, 0.4, 1]
    assert len(axes.collections) == 3


def test_of_many_lengths_some_are_shown_and_that_is_said(tmp_path):
    _, group = of(tmp_path, lengths=[4096 * i for i in range(1, 20)], samples=1)
    figure = position_curve(group)
    lines = figure.axes[0].lines
    assert len(lines) == MOST_LENGTHS
    assert (lines[0].get_label(), lines[-1].get_label()) == ("4k", "76k")
    assert "6 of 19 lengths" in figure.texts[-1].get_text()


def test_no_positions_no_curve(tmp_path):
    assert position_curve(of(tmp_path, depths=(None,))[1]) is None
    assert position_curve(of(tmp_path, depths=(0.5,))[1]) is None


def test_missing_answers_leave_gaps_and_are_never_zero(tmp_path):
    _, group = of(tmp_path, lambda length, depth, index: None if depth == 0.5 or length == 8192 else 1.0)
    for axes in (position_curve(group).axes[0], length_curve([line_of(group, "niah")]).axes[0]):
        assert all(not (line.get_ydata() == 0).any() for line in axes.lines if line.get_label()[0] != "_")


def test_times(tmp_path):
    _, group = of(tmp_path)
    figure = time_curve({"a": group})
    first, rate = figure.axes
    assert first.lines[0].get_ydata()[0] == pytest.approx(4096 / 20000)
    assert rate.lines[0].get_ydata()[0] == pytest.approx(2032 / (4096 / 20000))
    run, _ = of(tmp_path)
    run.rows[:] = [row.model_copy(update={"prefill_s": 0.0}) for row in run.rows]
    untimed = make_run(tmp_path, lambda *_: None)
    untimed.rows[:] = run.rows
    assert time_curve({"a": groups(untimed)[0]}) is None


GRIDS = {
    "3x3": {},
    "one length": {"lengths": (4096,)},
    "20 lengths": {"lengths": [4096 * i for i in range(1, 21)], "samples": 2},
    "doubling": {"lengths": [2**i for i in range(8, 21)], "samples": 1},
}


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_no_text_overlaps_or_leaves_the_figure(tmp_path, grid):
    run, _ = of(tmp_path, **grid)
    for name, figure in curves(run).items():
        figure.draw_without_rendering()
        texts = [text for text in figure.findobj(mpl.text.Text) if text.get_visible() and text.get_text().strip()]
        boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
        for text, box in boxes:
            assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1, (name, text)
            assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1, (name, text)
        for (one, a), (other, b) in combinations(boxes, 2):
            wide, high = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
            assert wide <= 0.5 or high <= 2, (name, one, other)


def test_the_same_data_give_the_same_bytes(tmp_path):
    run, group = of(tmp_path)
    assert [svg_text(figure) for figure in curves(run).values()] == [svg_text(figure) for figure in curves(run).values()]
    title = " · ".join(heading(run.info, group))
    assert png_bytes(position_curve(group, title)) == png_bytes(position_curve(group, title))


def test_log_probabilities_have_a_map_of_their_own(tmp_path):
    run = make_run(tmp_path, middle)
    run.rows[:] = [row.model_copy(update={"logprob": -2.5, "greedy_match": False}) for row in run.rows if row.length < 16384]
    (group,) = groups(run)
    figure = logprob_heatmap(run.info, group)
    assert figure.axes[0].collections[0].get_clim() == (-3, 0)
    assert {text.get_text() for text in figure.axes[0].texts} >= {"-2.50"}
    assert len([found for found in figure.axes[0].collections if found.get_hatch()]) == 1
