import io
import json
import math

import pytest
from factory import make_row
from rich.console import Console

from lceval.registry import members
from lceval.reports.html import render_html
from lceval.reports.markdown import render_markdown
from lceval.reports.overview import overview
from lceval.reports.terminal import print_summary
from lceval.reports.write import summary
from lceval.rows import Grid, Run, RunInfo
from lceval.statistics import mid_p

LENGTHS = [4096, 8192, 16384]


def run_of(path, tasks, score, samples=10, lengths=LENGTHS):
    """A run of several tasks; `score(task, length, index)` is a strict score, or None for a missing answer."""
    rows = [
        make_row(length, None, index, value, task=task)
        for task in tasks
        for length in lengths
        for index in range(samples)
        if (value := score(task, length, index)) is not None
    ]
    grids = [Grid(task=task, params={}, seed=0, lengths=lengths, depths=[None], samples=samples) for task in tasks]
    return Run(path, RunInfo(lceval="1", created="now", model="m", runner="hf", fingerprint={}, grids=grids), rows)


def ruler_score(task, length, index):
    """Perfect at 4k, 0.8 at 8k, and at 16k 0.5 on half of the tasks."""
    if length == 4096:
        return 1.0
    return float(index < 8) if length == 8192 else float(index < 5 or members("ruler").index(task) % 2)


def test_ruler_is_the_plain_mean_of_its_members(tmp_path):
    (mean,) = overview(run_of(tmp_path, members("ruler"), ruler_score)).means
    assert (mean.present, mean.members) == (13, 13)
    last = (7 * 0.5 + 6 * 1.0) / 13
    assert [stat.mean for stat in mean.line.strict.values()] == pytest.approx([1, 0.8, last])
    assert mean.line.overall.mean == pytest.approx((1 + 0.8 + last) / 3)
    assert mean.increasing[0] == pytest.approx((1 * 1 + 2 * 0.8 + 3 * last) / 6)
    assert mean.decreasing[0] == pytest.approx((3 * 1 + 2 * 0.8 + 1 * last) / 6)
    assert mean.line.title == "ruler: mean of 13 tasks"


def test_the_mean_of_13_is_known_better_than_each(tmp_path):
    (mean,) = overview(run_of(tmp_path, members("ruler"), ruler_score)).means
    stat, alone = mean.line.strict[8192], mid_p(8, 10)
    assert stat.high - stat.low == pytest.approx((alone.high - alone.low) / math.sqrt(13), rel=0.02)
    assert stat.n == 130


def test_a_mean_needs_all_of_its_members_at_a_length(tmp_path):
    part = run_of(tmp_path, members("ruler"), lambda task, length, index: None if (task, length) == ("ruler/vt", 8192) else 1.0)
    (mean,) = overview(part).means
    assert [stat.n > 0 for stat in mean.line.strict.values()] == [True, False, True]
    assert math.isnan(mean.increasing[0])
    assert mean.line.effective[0][1].by_mean == 4096


def test_missing_answers_lower_coverage_and_effective_length_but_not_the_score(tmp_path):
    half = run_of(tmp_path, members("ruler"), lambda task, length, index: 1.0 if index % 2 else None)
    seen = overview(half)
    (mean,) = seen.means
    assert {line.coverage for line in [*seen.lines, mean.line]} == {0.5}
    assert mean.line.overall.mean == 1
    assert mean.line.effective[0][1].by_mean is None
    stream = io.StringIO()
    print_summary(half, Console(file=stream, width=80))
    assert stream.getvalue().count("50%") == 14


def test_other_parameters_of_a_task_are_no_further_member(tmp_path):
    run = run_of(tmp_path, members("ruler"), lambda *_: 1.0)
    run.info.grids.append(Grid(task="ruler/vt", params={"chains": 3}, seed=0, lengths=[4096], depths=[None], samples=10))
    (mean,) = overview(run).means
    assert (mean.present, mean.line.title) == (13, "ruler: mean of 13 tasks")


def test_a_long_title_leaves_the_numbers_whole(tmp_path):
    run = run_of(tmp_path, ["niah", "kv"], lambda *_: 1.0)
    run.info.grids[0] = run.info.grids[0].model_copy(update={"params": {"needle": "a very long sentence of my own " * 5}})
    stream = io.StringIO()
    print_summary(run, Console(file=stream, width=80))
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert next(line for line in lines if line.startswith("task")).split()[-4:] == ["strict", "official", "coverage", "effective"]


def test_further_measures_are_shown_by_their_means(tmp_path):
    run = run_of(tmp_path, ["copy"], lambda *_: 1.0, samples=2, lengths=[4096])
    run.rows[:] = [row.model_copy(update={"details": {"refusal": float(i)}, "thinking_words": 7}) for i, row in enumerate(run.rows)]
    (part,) = summary(run)["groups"]
    assert (part["details"], part["thinking_words"]) == ({"refusal": 0.5}, 7)
    html = render_html(run, {})
    assert "<code>refusal</code> 0.50, 7 words of thought" in html


def test_some_members_are_named_as_some(tmp_path):
    (mean,) = overview(run_of(tmp_path, ["ruler/vt", "ruler/cwe", "niah"], lambda *_: 1.0)).means
    assert mean.line.title == "ruler: mean of 2 of 13 tasks"
    assert overview(run_of(tmp_path, ["ruler/vt", "niah"], lambda *_: 1.0)).means == ()


def test_every_report_shows_the_overview(tmp_path):
    run = run_of(tmp_path, ["niah", *members("ruler")], lambda task, *_: 0.0 if task == "niah" else 1.0)
    stream = io.StringIO()
    print_summary(run, Console(file=stream, width=80))
    text = stream.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("ruler/") == 13
    assert "wAvg(inc) 1.00" in text
    html, markdown = render_html(run, {}), render_markdown(run)
    assert html.count('<a href="#task') == 2 * 14  # in the contents and in the table
    assert "wAvg (inc)" in html
    assert markdown.count("| ruler/") == 13
    (mean,) = summary(run)["means"]
    assert (mean["tasks"], mean["wavg_inc"], mean["overall"]["strict"]["mean"]) == (13, {"strict": 1.0, "official": 1.0}, 1.0)
    json.dumps(summary(run), allow_nan=False)


def test_lengths_that_do_not_fit_a_terminal_are_left_out(tmp_path):
    lengths = [1024 + 512 * i for i in range(20)]
    stream = io.StringIO()
    print_summary(run_of(tmp_path, ["niah", "kv"], lambda *_: 1.0, samples=1, lengths=lengths), Console(file=stream, width=80))
    lines = iter(stream.getvalue().splitlines())
    header = next(line for line in lines if line.startswith("task"))
    assert header.split() == ["task", "strict", "official", "coverage", "effective"]


def test_one_task_needs_no_overview(tmp_path):
    run = run_of(tmp_path, ["niah"], lambda *_: 1.0, samples=1)
    for written in (render_html(run, {}), render_markdown(run)):
        assert "Overview" not in written
