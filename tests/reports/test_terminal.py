from __future__ import annotations

import io

from factory import make_run
from rich.console import Console

from lceval.reports.terminal import print_summary


def printed(run, **options):
    stream = io.StringIO()
    print_summary(run, Console(file=stream, **({"width": 80} | options)))
    return stream.getvalue()


def test_map_means_and_coverage_in_80_columns(tmp_path):
    def scores(length, depth, index):
        return None if depth == 1.0 or (depth == 0.5 and index > 6) else float(index < 5)

    text = printed(make_run(tmp_path, scores, depths=[i / 10 for i in range(11)], control=True, variant="yarn(4)"))
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert "0.71*" in text
    assert "* fewer answers than planned" in text
    assert "control, not a model" in text
    assert "org/model-7b, yarn(4), niah" in text
    row = next(line for line in text.splitlines() if line.split()[:1] == ["4k"])
    assert row.split() == ["4k", *["0.50"] * 5, "0.71*", *["0.50"] * 4, "-"]
    assert "97/110       88%" in text
    assert "coverage 88%: 291 of 330 answered, 0 truncated, 0 errors, 39 missing" in text
    assert "effective length <4k" in text


def test_too_many_depths_show_the_lengths_only(tmp_path):
    text = printed(make_run(tmp_path, lambda *_: 1.0, depths=[i / 34 for i in range(35)], samples=2))
    assert "strict score by length and depth" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert "70/70" in text


def test_task_that_sets_its_depths(tmp_path):
    text = printed(make_run(tmp_path, lambda *_: 1.0, depths=[None], samples=40))
    assert "by length and depth" not in text
    assert "effective length >=16k, interval >=16k to >=16k" in text


def test_colours_on_terminals_only(tmp_path):
    run = make_run(tmp_path, lambda length, depth, index: float(index < 5))
    assert "\x1b[30;48;2;33;145;140m0.50" in printed(run, force_terminal=True, color_system="truecolor")


def test_plain_logs_need_no_unicode(tmp_path):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    print_summary(make_run(tmp_path, lambda *_: None), Console(file=stream, width=80))
    stream.flush()
    assert b"0/30" in raw.getvalue()


def test_too_few_samples_leave_the_effective_length_undecided(tmp_path):
    text = printed(make_run(tmp_path, lambda length, depth, index: 1.0, samples=1))
    assert "effective length undecided, interval <4k to >=16k, by mean >=16k" in text
