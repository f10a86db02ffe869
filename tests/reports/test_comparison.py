from __future__ import annotations

import io
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from factory import make_row, make_run
from rich.console import Console
from test_html import Page

from lceval.errors import StoreError
from lceval.reports.comparison import compare, write_comparison
from lceval.reports.comparison_text import prompts_text, render_html, render_markdown
from lceval.reports.heatmap import png_bytes
from lceval.reports.multiples import MOST, difference_multiples, multiples
from lceval.reports.overview import overview
from lceval.reports.terminal import print_comparison
from lceval.reports.text import stat_text
from lceval.rows import Grid

VARIANTS = ("", "window(2048)", "reindex+window(2048)+sinks(4)", "yarn(4)+self_extend(8,1024)+logn(auto)")


def by_length(reach):
    return lambda length, depth, index: 1.0 if length <= reach else float(index < 3)


@pytest.fixture
def runs(tmp_path):
    reaches = (8192, 2048, 4096, 16384)
    return [
        make_run(tmp_path / f"run-{n}", by_length(reach), variant=variant)
        for n, (variant, reach) in enumerate(zip(VARIANTS, reaches, strict=True))
    ]


def named(tmp_path, *told):
    return [make_run(tmp_path / name, by_length(4096), model=model, variant=variant, samples=1) for name, model, variant in told]


@pytest.mark.parametrize(
    ("told", "title", "labels"),
    [
        ([("a", "m", ""), ("b", "m", "yarn(4)")], "m", ("none", "yarn(4)")),
        ([("a", "m", ""), ("b", "n", "")], "2 runs", ("m", "n")),
        ([("a", "m", "yarn(4)"), ("b", "n", "yarn(4)")], "yarn(4)", ("m", "n")),
        ([("a", "m", ""), ("b", "n", "yarn(4)")], "2 runs", ("m · none", "n · yarn(4)")),
        ([("a", "m", ""), ("b", "m", "")], "m", ("a", "b")),
        ([("a", "m", "pi(2)"), ("b", "m", "pi(2)")], "m · pi(2)", ("a", "b")),
        ([("a", "m", ""), ("b", "m", ""), ("c", "m", "pi(2)")], "m", ("none (a)", "none (b)", "pi(2)")),
    ],
)
def test_labels_tell_runs_apart(tmp_path, told, title, labels):
    comparison = compare(named(tmp_path, *told))
    assert (comparison.title, comparison.labels) == (title, labels)


def test_folders_of_one_name_are_told_apart_by_their_paths(tmp_path):
    comparison = compare(named(tmp_path, ("x/a", "m", ""), ("y/a", "m", "")))
    assert comparison.labels == (str(tmp_path / "x/a"), str(tmp_path / "y/a"))


def test_every_run_has_the_numbers_of_its_own_report(runs):
    comparison = compare(runs)
    (task,) = comparison.tasks
    assert (task.title, task.stem, task.lengths) == ("niah", "niah", (4096, 8192, 16384))
    assert comparison.mean is None
    for run, label, line in zip(runs, comparison.labels, task.lines, strict=True):
        (own,) = overview(run).lines
        assert line.title == label
        assert (line.strict, line.overall, line.effective, line.coverage) == (own.strict, own.overall, own.effective, own.coverage)


def test_runs_that_asked_for_different_things(tmp_path):
    one = make_run(tmp_path / "a", by_length(4096), lengths=(4096, 8192), model="a")
    other = make_run(tmp_path / "b", by_length(4096), lengths=(8192, 16384), depths=(0.25, 0.5), model="b")
    other.info.grids.append(Grid(task="vt", params={}, seed=0, lengths=[4096], depths=[None], samples=1))
    other.rows.append(make_row(4096, None, 0, 1.0, task="vt"))
    comparison = compare([one, other])
    niah, vt = comparison.tasks
    assert niah.lengths == (4096, 8192, 16384)
    assert vt.groups[0] is vt.lines[0] is None
    assert comparison.mean is not None
    assert comparison.mean.lines[0] is None  # it lacks a task
    for text in (render_html(comparison, tmp_path), render_markdown(comparison)):
        assert "not asked" in text


def test_the_mean_of_several_tasks(tmp_path):
    runs = []
    for name, share in (("a", 0.5), ("b", 1.0)):
        run = make_run(tmp_path / name, lambda *_: 1.0, model=name)
        other = make_run(tmp_path / name, lambda length, depth, index, share=share: float(index < 10 * share), task="kv")
        run.info.grids.extend(other.info.grids)
        run.rows.extend(other.rows)
        runs.append(run)
    comparison = compare(runs)
    assert comparison.mean.title == "mean of 2 tasks"
    assert [line.overall.mean for line in comparison.mean.lines] == pytest.approx([0.75, 1.0])
    assert "Mean of 2 tasks" in render_markdown(comparison)
    assert 'id="mean"' in render_html(comparison, tmp_path)


def test_whether_the_prompts_are_the_same(runs):
    comparison = compare(runs)
    assert comparison.same == comparison.questions == 90
    assert prompts_text(comparison) == "All runs answered the same 90 prompts, token for token."
    runs[1].rows[0] = runs[1].rows[0].model_copy(update={"prompt_sha256": "other"})
    del runs[2].rows[5]
    comparison = compare(runs)
    assert (comparison.same, comparison.questions) == (88, 90)
    assert "88 of 90 prompts are the same" in prompts_text(comparison)


def test_only_settings_that_differ_are_shown(runs):
    runs[1].info.fingerprint["dtype"] = "float32"
    settings = compare(runs).settings
    assert settings == {"dtype": ("bfloat16", "float32", "bfloat16", "bfloat16")}
    for run in runs:
        run.info.fingerprint["variant"] = run.info.variant
    assert compare(runs).settings["variant"] == ("none", *VARIANTS[1:])


def test_a_run_without_answers_is_refused(runs):
    runs[1].rows.clear()
    with pytest.raises(StoreError, match="has no answers yet"):
        compare(runs)


def many(tmp_path, count, scores=lambda length, depth, index: float(index % 3 > 0), **grid):
    return [
        make_run(
            tmp_path / f"run-{n}", scores, variant="+".join(f"window({1 << m})" for m in range(n % 4 + 1)), model=f"m{n}", **grid
        )
        for n in range(count)
    ]


def panels(figure):
    """The maps' axes; the colour bar comes last."""
    return figure.axes[:-1]


def test_a_map_for_each_run_on_one_scale_and_one_pair_of_axes(tmp_path):
    one = make_run(tmp_path / "a", by_length(4096), lengths=(4096, 8192), model="a")
    other = make_run(tmp_path / "b", by_length(8192), lengths=(8192, 16384), depths=(0.25, 0.5), model="b")
    comparison = compare([one, other])
    figure = multiples(comparison, comparison.tasks[0])
    maps = panels(figure)
    assert len(maps) == 2
    values = [axes.collections[0].get_array().reshape(4, 3) for axes in maps]  # depths 0, 0.25, 0.5, 1
    for axes in maps:
        assert axes.collections[0].get_clim() == (0, 1)
        assert axes.get_xlim() == (0, 3)
    assert np.ma.getmaskarray(values[0]).tolist() == [[False, False, True], [True] * 3, [False, False, True], [False, False, True]]
    assert values[0].compressed().tolist() == [1, 0.3] * 3
    assert values[1].compressed().tolist() == [1, 0.3] * 2
    words = [text.get_text() for text in figure.texts]
    assert {"a", "b", "strict 0.65"} <= set(words)
    assert "Blank: not planned." in " ".join(" ".join(words).split())


def test_missing_answers_are_hatched_in_their_own_map_only(tmp_path):
    runs = [
        make_run(tmp_path / "a", lambda length, depth, index: None if length == 8192 else 1.0, model="a"),
        make_run(tmp_path / "b", lambda *_: 1.0, model="b"),
    ]
    comparison = compare(runs)
    figure = multiples(comparison, comparison.tasks[0])
    hatched = [[c for c in axes.collections if c.get_hatch()] for axes in panels(figure)]
    assert [len(found) for found in hatched] == [1, 0]
    assert len(hatched[0][0].get_paths()) == 3
    assert any("no answer" in text.get_text() for legend in figure.legends for text in legend.get_texts())


def test_a_run_that_was_not_asked_has_a_name_and_no_map(tmp_path):
    one, other = named(tmp_path, ("a", "a", ""), ("b", "b", ""))
    task = make_run(tmp_path / "b", by_length(4096), task="kv", samples=1)
    other.info.grids[:], other.rows[:] = task.info.grids, task.rows
    comparison = compare([one, other])
    figure = multiples(comparison, comparison.tasks[0])
    assert len(panels(figure)) == 1
    assert [text.get_text() for text in figure.texts].count("not asked") == 1


def test_the_trained_length_of_each_run_is_marked(runs):
    runs[1].info.fingerprint["max_position_embeddings"] = 32768
    runs[2].info.fingerprint["max_position_embeddings"] = None
    comparison = compare(runs)
    figure = multiples(comparison, comparison.tasks[0])
    assert [len(axes.lines) > 0 for axes in panels(figure)] == [True, False, False, True]
    assert "Dashed" in " ".join(text.get_text() for text in figure.texts)


@pytest.mark.parametrize(
    ("count", "rows"), [(2, [2]), (4, [4]), (5, [3, 2]), (6, [3, 3]), (7, [4, 3]), (8, [4, 4]), (10, [4, 4, 2])]
)
def test_at_most_four_in_a_row(tmp_path, count, rows):
    comparison = compare(many(tmp_path, count, samples=1))
    figure = multiples(comparison, comparison.tasks[0])
    bottoms = [round(axes.get_position().y0, 6) for axes in panels(figure)]
    assert [bottoms.count(y) for y in sorted(set(bottoms), reverse=True)] == rows
    assert max(rows) <= MOST


GRIDS = {
    "3x3": {},
    "6x11": {"lengths": [4096 * 2**i for i in range(6)], "depths": [i / 10 for i in range(11)], "samples": 2},
    "20x20": {"lengths": [4096 * i for i in range(1, 21)], "depths": [i / 19 for i in range(20)], "samples": 1},
    "one length": {"lengths": (4096,)},
    "no depths": {"depths": (None,)},
}


@pytest.mark.parametrize(("count", "draw"), [(2, multiples), (10, multiples), (3, difference_multiples)])
@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_no_text_overlaps_or_leaves_the_figure(tmp_path, grid, count, draw):
    comparison = compare(many(tmp_path, count, **grid))
    figure = draw(comparison, comparison.tasks[0])
    figure.draw_without_rendering()
    texts = [text for text in figure.findobj(mpl.text.Text) if text.get_visible() and text.get_text().strip()]
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    whole = figure.bbox
    for text, box in boxes:
        assert whole.x0 <= box.x0 <= box.x1 <= whole.x1, text
        assert whole.y0 <= box.y0 <= box.y1 <= whole.y1, text
    for (one, a), (other, b) in combinations(boxes, 2):
        wide, high = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert wide <= 0.5 or high <= 2, (one, other)
    for _, box in boxes:
        for axes in panels(figure):
            inside = axes.bbox
            assert (
                box.x1 <= inside.x0
                or box.x0 >= inside.x1
                or box.y1 <= inside.y0 + 1
                or box.y0 >= inside.y1 - 1
                or _within(box, inside)
            )


def _within(box, axes):
    return axes.x0 <= box.x0 and box.x1 <= axes.x1 and axes.y0 <= box.y0 and box.y1 <= axes.y1


def test_the_same_data_give_the_same_bytes(runs):
    comparison = compare(runs)
    assert png_bytes(multiples(comparison, comparison.tasks[0])) == png_bytes(multiples(comparison, comparison.tasks[0]))


def test_the_page_is_one_valid_accessible_file(runs, tmp_path):
    (tmp_path / "run-1").mkdir()
    (tmp_path / "run-1" / "report.html").write_text("")
    source = render_html(compare(runs), tmp_path)
    page = Page(source)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert set(page.references) <= set(page.ids)
    assert [r for r in page.resources if not r.startswith("data:image/png;base64,")] == ["run-1/report.html"]
    tags = [tag for tag, _ in page.tags]
    assert tags.count("h1") == tags.count("main") == 1
    assert all("scope" in attrs for tag, attrs in page.tags if tag == "th")
    assert "Controls" not in page.text
    words = " ".join(page.text.split())
    scores = overview(runs[0]).lines[0].strict.values()
    assert f"none{''.join(map(stat_text, scores))}" in words  # cells
    assert "The table below has the scores" in words
    maps = [attrs["aria-label"] for tag, attrs in page.tags if tag == "table" and attrs.get("role") == "grid"]
    labels = ["none", *VARIANTS[1:]]
    assert maps == [f"Strict score, {label}, niah" for label in labels] + [f"Difference, {label}, niah" for label in labels[1:]]
    assert page.data["labels"] == labels
    first = page.data["samples"][0]
    assert len(first["runs"]) == 4
    assert {answer["strict"] for answer in first["runs"]} == {0.0, 1.0}  # those that the runs differ on come first


def test_controls_are_named_as_such(tmp_path):
    runs = [
        make_run(tmp_path / "a", by_length(4096), control=True, model="control:perfect"),
        make_run(tmp_path / "b", by_length(4096)),
    ]
    assert "With controls, which are not models" in render_html(compare(runs), tmp_path)
    assert "Controls, not models:** control:perfect." in render_markdown(compare(runs))
    runs[1].info.control = True
    assert "Controls, not models" in render_html(compare(runs), tmp_path)


def test_what_users_write_is_escaped(tmp_path):
    runs = named(tmp_path, ("a", "<b>m</b>", ""), ("b", "<i>n</i>", ""))
    source = render_html(compare(runs), tmp_path)
    assert "<b>m" not in source
    assert "<i>n" not in source
    assert "&lt;b&gt;m" in source


def test_markdown_has_a_line_for_each_run(runs):
    lines = render_markdown(compare(runs)).splitlines()
    assert lines[0] == "# org/model-7b"
    assert "| | 4k | 8k | 16k | strict | effective length | coverage |" in lines
    scores = overview(runs[0]).lines[0].strict.values()
    assert any(line.startswith(f"| none | {' | '.join(map(stat_text, scores))} |") for line in lines)
    assert "![Heatmaps: niah](comparison-niah.png)" in lines


def test_the_files(runs, tmp_path):
    files = write_comparison(runs, tmp_path / "new" / "folder")
    assert files.html.read_text().startswith("<!doctype html>")
    assert files.markdown.exists()
    assert [picture.name for picture in files.heatmaps] == ["comparison-niah.png", "difference-niah.png"]
    assert {file.name for file in files.html.parent.iterdir()} == {"report.html", "report.md", *(p.name for p in files.heatmaps)}
    assert files.heatmaps[0].read_bytes().startswith(b"\x89PNG")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="--out"):
        write_comparison(runs, tmp_path / "file" / "folder")


def printed(runs, width=80):
    stream = io.StringIO()
    print_comparison(compare(runs), Console(file=stream, width=width))
    assert max(map(len, stream.getvalue().splitlines())) <= width
    return stream.getvalue()


def test_the_terminal_shows_names_where_they_fit_and_else_numbers(runs):
    text = printed(runs[:2])
    assert "window(2048)  0.30  0.30  0.30    0.30      100%" in " ".join(text.split("\n")).replace("\x1b", "")
    text = printed(runs)
    assert "  4  yarn(4)+self_extend(8,1024)+logn(auto)" in text
    row = next(line for line in text.splitlines() if line.startswith("1 "))
    assert row.split() == ["1", "1.00", "1.00", "0.30", "0.77", "100%", "8k"]


def test_lengths_give_way_in_a_narrow_terminal(tmp_path):
    text = printed(many(tmp_path, 3, samples=1, lengths=[4096 * i for i in range(1, 20)]))
    assert "strict" in text
    assert "76k" not in text


def test_many_tasks_show_their_mean_only(tmp_path):
    runs = []
    for name in ("a", "b"):
        run = make_run(tmp_path / name, by_length(4096), model=name, samples=1)
        for task in ("kv", "vt", "cwe", "fwe"):
            other = make_run(tmp_path / name, by_length(4096), task=task, samples=1)
            run.info.grids.extend(other.info.grids)
            run.rows.extend(other.rows)
        runs.append(run)
    text = printed(runs)
    assert "mean of 5 tasks" in text
    assert "cwe" not in text
