from __future__ import annotations

import math

import pytest
from factory import make_row, make_run

from lceval.reports.tables import THRESHOLDS, groups
from lceval.reports.text import file_stem, percent_text, score_text, task_text
from lceval.rows import Grid


def test_errors_and_missing_lower_coverage_not_scores(tmp_path):
    def scores(length, depth, index):
        if index < 6:
            return 1.0
        return "error" if index == 6 else "overflow" if index == 7 else None

    (group,) = groups(make_run(tmp_path, scores))
    for tally in (*group.cells, *(entry.tally for entry in group.lengths), group.overall):
        assert tally.strict.mean == 1.0
        assert tally.counts.coverage == pytest.approx(0.6)
        assert tally.counts.planned == tally.counts.answered + tally.counts.errors + tally.counts.missing
        assert tally.counts.errors == tally.counts.missing == tally.counts.planned / 5


def test_cell_without_answers_has_no_score(tmp_path):
    (group,) = groups(make_run(tmp_path, lambda length, depth, index: None if length == 8192 else 1.0))
    cell = next(cell for cell in group.cells if cell.length == 8192)
    assert cell.strict.n == 0
    assert math.isnan(cell.strict.mean)
    assert dict(group.effective)[THRESHOLDS[0]].high == 4096


def test_cells_are_sorted_and_complete(tmp_path):
    run = make_run(tmp_path, lambda length, depth, index: 1.0, lengths=(16384, 4096), depths=(1.0, 0.0))
    (group,) = groups(run)
    assert [(cell.length, cell.depth) for cell in group.cells] == [(4096, 0), (4096, 1), (16384, 0), (16384, 1)]
    assert list(group.frame["length"]) == [4096, 4096, 16384, 16384]


def test_the_plan_is_the_union_of_commands(tmp_path):
    run = make_run(tmp_path, lambda length, depth, index: 1.0, lengths=(4096,), depths=(0.5,), samples=4)
    run.info.grids.append(Grid(task="niah", params={}, seed=0, lengths=[4096], depths=[0.5], samples=10))
    run.info.grids.append(Grid(task="niah", params={"needles": 2}, seed=0, lengths=[4096], depths=[None], samples=1))
    first, second = groups(run)
    assert (first.overall.counts.planned, first.overall.counts.answered) == (10, 4)
    assert (second.title, second.overall.counts.missing) == ("niah (needles=2)", 1)


def test_later_row_counts_and_unplanned_rows_do_not(tmp_path):
    run = make_run(tmp_path, lambda length, depth, index: "error", lengths=(4096,), depths=(0.5,), samples=1)
    run.rows.append(make_row(4096, 0.5, 0, 1.0))
    run.rows.append(make_row(4096, 0.5, 99, 0.0))
    (group,) = groups(run)
    assert (group.overall.counts.answered, group.overall.strict.mean) == (1, 1.0)


def test_one_haystack_at_many_depths_is_one_cluster(tmp_path):
    """Six haystacks, three of which fail everywhere: the interval is that of six, not of 60, answers."""
    depths = [i / 9 for i in range(10)]
    run = make_run(tmp_path, lambda length, depth, index: float(index < 3), lengths=(4096,), depths=depths, samples=6)
    (group,) = groups(run)
    stat = group.overall.strict
    assert stat.n == 60
    assert stat.high - stat.low > 0.6


def test_timing_counts_computed_tokens(tmp_path):
    run = make_run(tmp_path, lambda length, depth, index: 1.0, lengths=(4096,))
    timing = groups(run)[0].lengths[0].timing
    assert timing.tokens_per_s == pytest.approx((4064 - 2032) / (4096 / 20000))
    assert (timing.cached_share, timing.decode_s) == (0.5, 0.25)


def test_nothing_planned(tmp_path):
    assert groups(make_run(tmp_path, lambda length, depth, index: 1.0, samples=0)) == ()


def test_numbers_do_not_round_to_perfection():
    assert [score_text(x) for x in (0.0, 0.001, 0.5, 0.9999, 1.0)] == ["0.00", "0.01", "0.50", "0.99", "1.00"]
    assert percent_text(0.9999) == "99%"
    assert percent_text(1.0) == "100%"
    assert percent_text(0.29) == "29%"


def test_names():
    assert task_text("niah", {"needles": 4, "haystack": "essays"}) == "niah (haystack=essays, needles=4)"
    assert file_stem("niah", {"needles": 4}) == "niah-needles=4"
    stems = {file_stem("niah", {"text": text}) for text in ("a b", "a/b", "../../a b", "x" * 300)}
    assert len(stems) == 4
    assert all("/" not in stem and len(stem) < 100 for stem in stems)


def test_cells_that_did_not_answer_cannot_lengthen_the_effective_length(tmp_path):
    def scores(length, depth, index):
        return "error" if length == 8192 and depth == 1.0 else 1.0

    (group,) = groups(make_run(tmp_path, scores, samples=60))
    _, reach = group.effective[0]
    assert (reach.length, reach.by_mean, reach.high) == (4096, 4096, 16384)
    assert next(entry for entry in group.lengths if entry.length == 8192).tally.strict.mean == 1


def test_log_probabilities_of_gold_answers_are_means_over_the_answers_that_have_them(tmp_path):
    run, without = (make_run(tmp_path, lambda length, depth, index: 1.0, lengths=(4096, 8192), samples=2) for _ in range(2))
    assert all(math.isnan(cell.logprob) and math.isnan(cell.greedy_match) for cell in groups(without)[0].cells)
    run.rows[:] = [
        row.model_copy(update={"logprob": -1.0 - row.index, "greedy_match": row.index == 0}) if row.length == 4096 else row
        for row in run.rows
    ]
    (group,) = groups(run)
    assert [(entry.tally.logprob, entry.tally.greedy_match) for entry in group.lengths[:1]] == [(-1.5, 0.5)]
    assert math.isnan(group.lengths[1].tally.logprob)
    assert (group.overall.logprob, group.overall.greedy_match) == (-1.5, 0.5)
    assert set(group.frame[group.frame.length == 4096].logprob) == {-1.5}
