from __future__ import annotations

import csv
import io
import json
import re

import pytest
from factory import make_run
from test_html import Page as AnyPage

from lceval import api
from lceval.errors import StoreError, UsageError
from lceval.reports.leaderboard import boards
from lceval.reports.overview import overview
from lceval.reports.protocol import protocol_of
from lceval.reports.site import render_csv, render_html, render_markdown, render_page
from lceval.rows import Grid

HOSTILE = "</script><img src=x onerror=alert(1)> & | `x`"


class Page(AnyPage):
    """A page of the site; what stands in its scripts is not its text."""

    def handle_data(self, data):
        if self.open[-1:] != ["script"]:
            self.text += data


def up_to(reach):
    return lambda length, depth, index: 1.0 if length <= reach else float(index < 3)


def with_task(run, scores, task="kv", **more):
    other = make_run(run.path, scores, task=task, **more)
    run.rows.extend(other.rows)
    run.info.grids.extend(other.info.grids)
    return run


@pytest.fixture
def runs(tmp_path):
    reaches = {"weak": 0, "strong": 16384, "middle": 8192}
    made = [with_task(make_run(tmp_path / name, up_to(reach), model=name), lambda *_: 1.0) for name, reach in reaches.items()]
    return [*made, make_run(tmp_path / "short", up_to(4096), lengths=(4096,), model="short")]


def ranks(view):
    return [(one.entry.label, one.rank.text) for one in view.standings]


def test_runs_are_ranked_within_their_protocol(runs):
    first, second = boards(runs)
    assert ranks(first.views[0]) == [("strong", "1"), ("middle", "2"), ("weak", "3")]
    assert ranks(second.views[0]) == [("short", "1")]
    assert (first.apart, set(second.apart)) == ({}, {"tasks", "lengths", "versions of the tasks"})
    assert second.apart["lengths"] == ("4k, 8k, 16k", "4k")


def test_every_view_has_the_numbers_of_the_runs_own_report(runs):
    board, _ = boards(runs)
    assert [(view.task and view.task[0], view.length) for view in board.views] == [
        (task, length) for task in (None, "niah", "kv") for length in (None, 4096, 8192, 16384)
    ]
    own = {run.info.model: {line.title: line for line in overview(run).lines} for run in runs}
    for view in board.views:
        if view.task:
            for one in view.standings:
                line = own[one.entry.label][view.task[0]]
                assert one.score == (line.strict[view.length] if view.length else line.overall)
                assert one.line.effective == line.effective
    kv = next(view for view in board.views if view.task and view.task[0] == "kv")
    assert ranks(kv) == [("middle", "1–3"), ("strong", "1–3"), ("weak", "1–3")]  # equal answers are told apart by nothing


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("decoding", {"fingerprint": {"decoding": "sampled"}}),
        ("prompt composition", {"fingerprint": {"composition": "2"}}),
        ("answer prefix", {"fingerprint": {"answer_prefix": "at the end of the last message"}}),
        ("answered by", {"control": True}),
        ("samples a cell", {"samples": 9}),
        ("needles", {"depths": (0.0, 1.0)}),
        ("tasks", {"params": {"keys": 4}}),
    ],
)
def test_what_keeps_runs_apart(tmp_path, name, changed):
    base = make_run(tmp_path / "a", up_to(4096))
    other = make_run(tmp_path / "b", up_to(4096), **changed)
    _, second = boards([base, other])
    assert list(second.apart) == [name]
    assert name in render_markdown(boards([base, other]))


@pytest.mark.parametrize(
    ("name", "field"), [("haystacks", "haystack_digest"), ("versions of the tasks", "version"), ("seeds", "seed")]
)
def test_so_do_other_texts(tmp_path, name, field):
    base, other = (make_run(tmp_path / folder, up_to(4096), samples=1) for folder in "ab")
    other.info.grids[0] = other.info.grids[0].model_copy(update={field: {"haystack_digest": "beef"}.get(field, 2)})
    if field == "seed":
        other.rows[:] = [row.model_copy(update={"seed": 2}) for row in other.rows]
    _, second = boards([base, other])
    assert list(second.apart) == [name]


def test_what_answers_does_not(tmp_path):
    runs = [
        make_run(tmp_path / "a", up_to(4096), runner="hf", fingerprint={"dtype": "bfloat16", "weights": "aaaaaaaaaa"}),
        make_run(
            tmp_path / "b", up_to(4096), runner="vllm", variant="yarn(4)", fingerprint={"chat_template": "off", "kv_dtype": "fp8"}
        ),
    ]
    (board,) = boards(runs)
    assert [entry.setting for entry in board.entries] == [
        "hf · bfloat16 · weights aaaaaaaa",
        "vllm · fp8 KV cache · no chat template",
    ]


def test_a_plan_made_in_parts_is_the_same(tmp_path):
    whole, parts = (make_run(tmp_path / name, up_to(4096)) for name in ("whole", "parts"))
    (grid,) = parts.info.grids
    parts.info.grids[:] = [
        grid.model_copy(update={"lengths": grid.lengths[:1]}),
        grid.model_copy(update={"lengths": grid.lengths[1:]}),
    ]
    assert protocol_of(whole).id == protocol_of(parts).id
    assert len(boards([whole, parts])) == 1


def test_answers_that_are_missing_cannot_win(tmp_path):
    """Leaving out what would have been wrong raises the score of what is left, but no rank."""
    honest = make_run(tmp_path / "honest", up_to(8192), model="honest")
    cunning = make_run(tmp_path / "cunning", lambda length, *_: 1.0 if length <= 8192 else None, model="cunning")
    (board,) = boards([honest, cunning])
    assert [(one.entry.label, one.score.mean, one.rank.text) for one in board.views[0].standings] == [
        ("cunning", 1.0, "1–2"),
        ("honest", pytest.approx(23 / 30), "1–2"),
    ]
    coverage = {view.length: [one.coverage for one in view.standings if one.entry.label == "cunning"] for view in board.views}
    assert coverage == {None: [pytest.approx(2 / 3)], 4096: [1.0], 8192: [1.0], 16384: [0.0]}
    last = board.views[-1]
    assert (last.length, last.standings[-1].entry.label, last.standings[-1].score.n) == (16384, "cunning", 0)


def test_names_and_pages_tell_runs_apart(tmp_path):
    runs = [make_run(tmp_path / folder, up_to(4096), samples=1) for folder in ("x/a", "y/a", "z/b")]
    runs.append(make_run(tmp_path / "c", up_to(4096), samples=1, variant="yarn(4)"))
    (board,) = boards(runs)
    labels = {entry.label for entry in board.entries}
    assert labels == {"org/model-7b (a) #1", "org/model-7b (a) #2", "org/model-7b (b)", "org/model-7b · yarn(4)"}
    assert len({entry.slug for entry in board.entries}) == 4


def test_a_site(runs, tmp_path):
    files = api.leaderboard(runs, tmp_path / "site")
    assert [page.name for page in files.pages] == ["weak.html", "strong.html", "middle.html", "short.html"]
    for page in (files.html, *files.pages):
        source = page.read_text(encoding="utf-8")
        parsed = Page(source)
        assert parsed.open == []
        assert len(parsed.ids) == len(set(parsed.ids))
        assert set(parsed.references) <= set(parsed.ids)
        assert not re.search(r'(src|href)="https?:|@import|fetch\(|XMLHttpRequest', source)
        links = [link for link in parsed.resources if not link.startswith("data:image/png;base64,")]
        assert links
        assert all((page.parent / link).exists() for link in links)
    assert files.latex.read_text(encoding="utf-8").count(r"\begin{table}") == 2
    assert files.html.read_text(encoding="utf-8") == render_html(boards(runs))


def test_the_page_has_every_view(runs):
    made = boards(runs)
    source = render_html(made)
    (data,) = re.findall(r'<script type="application/json" id="board1-data">(.*?)</script>', source)
    views = json.loads(data)
    assert set(views) == {f"{task}|{length}" for task in ("", 0, 1) for length in ("", 4096, 8192, 16384)}
    order = [one.entry.label for one in made[0].views[0].standings]
    weak = views["0|16384"][order.index("weak")]
    assert (weak["rank"], weak["score"], weak["reach"], weak["coverage"]) == ("2–3", "0.30", "<4k", "100%")
    assert "Not ranked with the first table" in Page(source).text


def test_the_page_of_a_model(runs):
    board, _ = boards(runs)
    entry = board.entries[0]
    page = Page(render_page(board, entry))
    for said in ("weak", "Rank", board.protocol.id, "Fingerprint", "rope_theta", "kv"):
        assert said in page.text
    assert sum(tag == "svg" for tag, _ in page.tags) >= 2


def test_an_address_stays_off_the_site(tmp_path):
    run = make_run(tmp_path, up_to(4096), fingerprint={"base_url": "http://10.1.2.3/v1", "served": "M"})
    (board,) = boards([run])
    assert "10.1.2.3" not in render_page(board, board.entries[0])


def test_hostile_names_are_text(tmp_path):
    run = make_run(tmp_path, up_to(4096), model=HOSTILE, variant=HOSTILE, params={"needle": HOSTILE})
    made = boards([run])
    for source in (render_html(made), render_page(made[0], made[0].entries[0])):
        assert "<img" not in source
        assert "onerror=alert(1)" in Page(source).text
    table = [line for line in render_markdown(made).splitlines() if line.startswith("| 1 |")]
    assert "<img" not in table[0].replace(r"\<img", "")


def test_csv_has_a_row_for_every_view_of_every_entry(runs):
    made = boards(runs)
    rows = list(csv.DictReader(io.StringIO(render_csv(made))))
    assert len(rows) == sum(len(view.standings) for board in made for view in board.views) == 3 * 12 + 2
    weak = next(row for row in rows if (row["model"], row["task"], row["length"]) == ("weak", "niah", "16384"))
    assert (weak["rank_best"], weak["rank_worst"], float(weak["strict"])) == ("2", "3", pytest.approx(0.3))
    assert (weak["effective_length"], weak["effective_length_low"]) == ("", "")


def test_markdown_for_github(runs):
    said = render_markdown(boards(runs))
    assert "| 1 | strong | 1.00 [" in said
    assert said.count("| rank | model |") == 2


def test_what_cannot_be_on_a_leaderboard(runs, tmp_path):
    with pytest.raises(UsageError, match="each once"):
        boards([runs[0], runs[0]])
    with pytest.raises(UsageError, match="one run or more"):
        boards([])
    with pytest.raises(StoreError, match="has no answers yet"):
        boards([make_run(tmp_path / "none", lambda *_: "error")])
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Name another with --out"):
        api.leaderboard(runs, tmp_path / "file")


@pytest.mark.parametrize(
    ("more", "said"),
    [({"positions": [(4096, 2048)]}, "1 position"), ({"given": [(4096, 0.5, 0)]}, "as the file has them")],
)
def test_positions_and_files_have_protocols_too(tmp_path, more, said):
    run = make_run(tmp_path, up_to(4096), depths=(0.5,), lengths=(4096,), samples=1)
    run.info.grids[:] = [Grid(task="niah", params={}, seed=0, lengths=[4096], depths=[0.5], samples=1, **more)]
    assert protocol_of(run).settings["needles"] == said
    assert ranks(boards([run])[0].views[0]) == [("org/model-7b", "1")]
