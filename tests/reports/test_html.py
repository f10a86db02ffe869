from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from factory import make_run

from lceval.reports.excerpt import Excerpt
from lceval.reports.html import render_html
from lceval.reports.samples import MOST, MOST_OUTPUT, with_text
from lceval.rows import Grid


class Page(HTMLParser):
    """Collects ids, tags and resources, and checks that what is opened is closed."""

    VOID = frozenset({"meta", "br", "link", "img", "hr", "wbr", "input", "path", "use", "rect"})

    def __init__(self, source):
        super().__init__()
        self.ids, self.tags, self.resources, self.references, self.open = [], [], [], [], []
        self.text = ""
        self.data = None
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href", "srcset", "action", "data") and not value.startswith("#"):
                self.resources.append(value)
            if name in ("aria-labelledby", "aria-describedby"):
                self.references += value.split()
            if name in ("href", "xlink:href") and value.startswith("#"):
                self.references.append(value[1:])
            self.references += re.findall(r"url\(#([^)]+)\)", value or "")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["script"]:
            self.data = self.data or json.loads(data)
        else:
            self.text += data


def mixed(length, depth, index):
    return "error" if index == 9 else None if index == 8 else float(index < 4)


@pytest.fixture
def run(tmp_path):
    run = make_run(tmp_path / "my-run", mixed, variant="yarn(4)")
    strip = make_run(tmp_path, mixed, task="vt", depths=(None,))
    run.info.grids.extend(strip.info.grids)
    run.rows.extend(strip.rows)
    return run


def test_is_one_valid_file(run):
    source = render_html(run, {})
    page = Page(source)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids)), "ids are not unique"
    assert set(page.references) <= set(page.ids)
    assert all(resource.startswith("data:image/png;base64,") for resource in page.resources)
    assert not re.search(r"@import|url\((?!#)|<link|<iframe|fetch\(|XMLHttpRequest", source)
    assert not re.search(r'(src|href)="https?:', source)


def test_is_accessible(run):
    page = Page(render_html(run, {}))
    tags = [tag for tag, _ in page.tags]
    assert dict(page.tags)["html"]["lang"] == "en"
    assert {"header", "nav", "main", "footer"} <= set(tags)
    assert tags.count("h1") == tags.count("main") == 1
    assert all("scope" in attrs for tag, attrs in page.tags if tag == "th")
    skip = next(attrs for tag, attrs in page.tags if tag == "a")
    assert skip["href"] == "#main"
    for tag, attrs in page.tags:
        if tag == "svg":
            assert attrs["role"] == "img"
            assert len(attrs["aria-labelledby"].split()) == 2
    charts = 3 + 2  # the strip has no positions
    assert tags.count("svg") == tags.count("desc") == charts
    assert tags.count("title") == charts + 1
    maps = [attrs["aria-label"] for tag, attrs in page.tags if tag == "table" and "map" in attrs.get("class", "")]
    assert maps == ["Strict score, niah", "Failed answers, niah", "Strict score, vt", "Failed answers, vt"]
    cells = [attrs["aria-label"] for tag, attrs in page.tags if tag == "button" and "data-length" in attrs]
    assert len(cells) == 2 * (9 + 3)
    assert cells[0].splitlines()[:3] == ["4k, depth 0%", "strict 0.50 [0.18, 0.82]", "n = 8 of 10, coverage 80%"]


def test_shows_coverage_beside_scores(run):
    page = Page(render_html(run, {}))
    words = " ".join(page.text.split())
    assert "Coverage 80% 72 of 90" in words
    assert "0 hit their token budget, 9 ended in an error and 9 are missing" in words
    assert re.search(r"24/30\s*80%", words)


def test_cells_without_answers_show_no_score(tmp_path):
    run = make_run(tmp_path, lambda length, depth, index: None, lengths=(4096,), depths=(0.5,))
    source = render_html(run, {})
    assert "0.00" not in Page(source).text.replace("0.000", "")
    assert "1 cells without an answer" in source
    assert 'class="none"' in source


def test_control_badge(tmp_path, run):
    badge = '<strong class="badge">Control, not a model</strong>'
    assert badge not in render_html(run, {})
    assert badge in render_html(make_run(tmp_path, mixed, control=True), {})


def test_escapes_what_models_and_users_write(tmp_path):
    evil = '<script>alert("x")</script><img src=x onerror=alert(1)>'
    run = make_run(tmp_path, lambda length, depth, index: 0.0, lengths=(4096,), depths=(0.5,), samples=1)
    run.rows[:] = [run.rows[0].model_copy(update={"output": evil, "answers": [evil]})]
    info = run.info.model_copy(
        update={
            "model": evil,
            "variant": evil,
            "fingerprint": {evil: evil},
            "environment": {"k": [evil]},
            "commands": [evil],
        }
    )
    run.info = info
    excerpt = Excerpt(before=evil, needle=evil, after=evil, token_start=1, token_end=2)
    source = render_html(run, {run.rows[0].sample_key: [excerpt]})
    page = Page(source)
    tags = [tag for tag, _ in page.tags]
    assert tags.count("script") == 2
    assert "img" not in tags
    assert "&lt;script&gt;" in source
    assert page.open == []
    (sample,) = page.data["samples"]
    assert sample["gold"] == [evil]
    assert sample["runs"][0]["output"] == evil
    assert sample["needles"] == [[evil, evil, evil, 1, 2]]


def test_hostile_outputs_are_clipped_and_made_visible(tmp_path):
    run = make_run(tmp_path, lambda length, depth, index: 0.0, lengths=(4096,), depths=(0.5,), samples=2)
    hostile = "</script>]]>\x00\x1b[31m\u202egnol\u2028" + "word " * 200_000
    run.rows[:] = [row.model_copy(update={"output": hostile, "error": "\x07"}) for row in run.rows]
    source = render_html(run, {})
    assert not re.search("[\x00-\x08\x0b-\x1f\u2028\u202e]", source)
    said = Page(source).data["samples"][0]["runs"][0]["output"]
    assert said.startswith("</script>]]>⟨U+0000⟩⟨U+001B⟩[31m⟨U+202E⟩gnol⟨U+2028⟩word ")
    assert said.endswith(f"… ({len(hostile) - MOST_OUTPUT:,} more characters)")
    assert len(source) < 200_000


def test_needles_stand_in_their_surroundings(run):
    row = with_text([run])[0]
    source = render_html(run, {row.sample_key: [Excerpt("before it ", "the needle", " after it", 1200, 1214)]})
    sample = next(sample for sample in Page(source).data["samples"] if sample["key"] == row.sample_key)
    assert sample["needles"] == [["before it ", "the needle", " after it", 1200, 1214]]
    assert sample["gold"] == ["7421983"]
    assert sample["tokens"] == row.prompt_tokens


def test_every_cell_has_its_worst_samples(tmp_path):
    lengths, depths = [2**i for i in range(8, 18)], [i / 20 for i in range(21)]
    run = make_run(tmp_path, lambda length, depth, index: float(index != 9), lengths=lengths, depths=depths)
    page = Page(render_html(run, {}))
    samples = page.data["samples"]
    assert page.data["total"] == 2100
    assert len(samples) == MOST
    worst = samples[: len(lengths) * len(depths)]
    assert {(sample["length"], sample["depth"]) for sample in worst} == {(length, depth) for length in lengths for depth in depths}
    assert {sample["index"] for sample in worst} == {9}
    assert f"{MOST:,} of 2,100 are in this page" in page.text


def test_errors_are_told(tmp_path):
    page = Page(render_html(make_run(tmp_path, lambda length, depth, index: "error", samples=1), {}))
    assert {sample["runs"][0]["error"] for sample in page.data["samples"]} == {"CUDA out of memory"}


def test_a_text_beyond_all_bounds_leaves_samples_out(tmp_path):
    run = make_run(tmp_path, lambda length, depth, index: 0.0, samples=100)
    run.rows[:] = [row.model_copy(update={"output": "語" * 5000, "answers": ["語" * 5000]}) for row in run.rows]
    source = render_html(run, {})
    assert 100 < len(Page(source).data["samples"]) < 300
    assert len(source.encode()) < 3_000_000


def test_size_is_modest_for_ten_thousand_rows(tmp_path):
    lengths = [4096 * 2**i for i in range(9)]
    depths = [i / 10 for i in range(11)]
    run = make_run(tmp_path, lambda length, depth, index: float(index % 2), lengths=lengths, depths=depths, samples=100)
    assert len(run.rows) == 9900
    run.rows[:] = [row.model_copy(update={"output": "The text does not say. " * 30}) for row in run.rows]
    excerpts = {row.sample_key: [Excerpt("before " * 50, "needle " * 8, "after " * 50, 1, 15)] for row in with_text([run])}
    assert len(render_html(run, excerpts).encode()) < 3_000_000


def test_size_is_modest_for_a_fine_map(tmp_path):
    lengths, depths = [1024 * i for i in range(1, 36)], [i / 34 for i in range(35)]
    run = make_run(tmp_path, lambda length, depth, index: float(index % 2), lengths=lengths, depths=depths, samples=8)
    assert len(run.rows) == 9800
    assert len(render_html(run, {}).encode()) < 3_000_000


def test_settings_are_shown(run):
    run.info.grids.append(Grid(task="niah", params={"needles": 2}, seed=7, lengths=[1536], depths=[0.25], samples=0))
    text = Page(render_html(run, {})).text
    for words in (
        "bfloat16",
        "NVIDIA H200",
        "lceval run niah --model",
        "niah (needles=2)",
        "1.5k",
        "25%",
        "set by the task",
    ):
        assert words in text


def test_nothing_planned(tmp_path):
    assert "Nothing was planned" in render_html(make_run(tmp_path, mixed, samples=0), {})
