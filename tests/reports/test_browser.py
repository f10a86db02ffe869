"""The report of one run and of several in a real browser."""

from __future__ import annotations

import re

import pytest
from browser import DESKTOP, MOBILE, executable
from factory import make_run

from lceval import report, side_by_side
from lceval.config import RunConfig
from lceval.engine import execute, make_runner
from lceval.progress import NoProgress
from lceval.reports.excerpt import Excerpt
from lceval.reports.samples import with_text
from lceval.reports.write import write_report
from lceval.store import load_run

pytestmark = pytest.mark.xdist_group("browser")

CONTROLS = {"perfect": "control:perfect", "lost": "control:lost-in-the-middle,strength=0.9", "chance": "control:chance"}
HOSTILE = "</script><img src=x onerror=alert(1)>\x00\x1b[31m\u202eesrever" + " & <b>bold</b>" * 70_000


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Controls on the same prompts: one reads everything, one misses the middle, one names any planted value."""
    folder = tmp_path_factory.mktemp("runs")
    grid = {"tasks": ["niah", "kv"], "lengths": "512..2k", "depths": "5", "samples": 4, "task_params": {"niah.keys": 3}}
    for name, model in CONTROLS.items():
        config = RunConfig.checked(model=model, out=folder / name, **grid)
        execute(config, make_runner(config), NoProgress(), "test")
    return [load_run(folder / name) for name in CONTROLS]


@pytest.fixture(scope="module")
def page_of_one(runs):
    return report(runs[1]).html


@pytest.fixture(scope="module")
def page_of_many(runs):
    return side_by_side(runs).html


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("hostile"), lambda length, depth, index: 0.0 if index else "error", samples=3)
    run.rows[:] = [row.model_copy(update={"output": HOSTILE, "answers": [HOSTILE[:60]]}) for row in run.rows]
    run.info = run.info.model_copy(update={"model": HOSTILE[:37], "variant": "<b>", "commands": [HOSTILE[:37]]})
    excerpts = {row.sample_key: [Excerpt(HOSTILE[:80], HOSTILE[:60], HOSTILE[:80], 1, 2)] for row in with_text([run])}
    return write_report(run, excerpts=excerpts).html


@pytest.mark.parametrize(
    ("which", "width", "scheme"),
    [
        ("page_of_one", DESKTOP, "light"),
        ("page_of_one", MOBILE, "dark"),
        ("page_of_many", DESKTOP, "dark"),
        ("page_of_many", MOBILE, "light"),
    ],
)
def test_pages_are_sound(request, open_page, tmp_path, which, width, scheme):
    opened = open_page(request.getfixturevalue(which), width, color_scheme=scheme)
    opened.page.locator(".sample summary").first.click()
    opened.page.locator("table.map button").first.focus()
    opened.check()
    opened.page.screenshot(path=tmp_path / f"{which}-{width}-{scheme}.png", full_page=True)


def test_tables_are_sorted_by_any_column(open_page, page_of_many):
    page = open_page(page_of_many).page
    table = page.locator("table[data-sortable]").nth(1)
    names = table.locator("tbody th")
    before = names.all_inner_texts()
    column = table.get_by_role("button", name="All lengths")
    column.press("Enter")
    assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    assert names.all_inner_texts()[-1] == "control:perfect" == before[0]
    column.press("Enter")
    assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    assert names.all_inner_texts()[0] == "control:perfect"


def test_a_cell_tells_its_numbers_and_leads_to_its_samples(open_page, page_of_one):
    opened = open_page(page_of_one)
    page = opened.page
    cell = page.get_by_role("grid", name="Strict score, niah").get_by_role("button", name=re.compile(r"^1k, depth 25%"))
    tip = page.locator(".tip")
    assert tip.is_hidden()
    cell.hover()
    told = tip.inner_text()
    assert re.fullmatch(r"1k, depth 25%\nstrict 0\.\d\d \[0\.\d\d, 0\.\d\d\]\nn = 4 of 4, coverage 100%\nfailed: \d empty", told)
    cell.click()
    samples = page.locator(".sample")
    assert page.locator("#found").inner_text() == "4 samples"
    assert all(text.startswith("1k · depth 25% · sample") for text in samples.locator("summary").all_inner_texts())
    assert samples.first.get_attribute("open") is not None
    assert page.evaluate("document.activeElement.id") == "samples-h"
    needle = samples.first.locator("blockquote mark").first.inner_text()
    assert needle.strip().startswith("The vault number for")
    gold = samples.first.locator("q").inner_text()
    assert gold in needle
    assert samples.first.locator("pre, em").first.inner_text() == "empty"
    right = samples.filter(has=page.locator(".tag.good")).first
    right.locator("summary").click()
    assert right.locator("pre mark").inner_text() == right.locator("q").inner_text()
    opened.check()


def test_samples_are_filtered(open_page, page_of_one, runs):
    page = open_page(page_of_one).page
    found, total = page.locator("#found"), len(runs[1].rows)
    assert found.inner_text() == f"{total} samples"
    failed = sum(row.strict < 1 for row in runs[1].rows)
    page.locator("#filters").get_by_label("Answer").select_option("failed")
    assert found.inner_text() == f"{failed} samples"
    page.locator("#filters").get_by_label("Task").select_option("kv")
    here = [row for row in runs[1].rows if row.task == "kv" and row.strict < 1]
    assert found.inner_text() == f"{len(here)} {'sample' if len(here) == 1 else 'samples'}"
    page.get_by_role("button", name="All", exact=True).click()
    page.locator("#found", has_text=f"{total} samples").wait_for()
    page.locator("#filters").get_by_label("Find").fill(runs[1].rows[7].answers[0])
    assert "sample" in found.inner_text()
    shown = int(found.inner_text().split()[0])
    assert shown == sum(runs[1].rows[7].answers[0] in " ".join([*row.answers, row.output]) for row in runs[1].rows)
    page.locator("#filters").get_by_label("Find").fill("")
    assert page.locator(".sample").count() == 25
    page.get_by_role("button", name="Show more").click()
    assert page.locator(".sample").count() == 50


def test_maps_are_walked_with_the_keyboard(open_page, page_of_one):
    page = open_page(page_of_one).page
    grid = page.get_by_role("grid", name="Strict score, niah")
    assert grid.locator("button[tabindex='0']").count() == 1
    grid.locator("button").first.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowUp", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    focus = "document.activeElement.getAttribute('aria-label')"
    assert page.evaluate(focus).startswith("512, depth 25%")
    assert page.locator(".tip").inner_text().startswith("512, depth 25%")
    page.keyboard.press("Escape")
    assert page.locator(".tip").is_hidden()
    page.keyboard.press("Enter")
    assert page.locator(".sample summary").first.inner_text().startswith("512 · depth 25%")


def test_several_runs_show_their_answers_to_one_prompt(open_page, page_of_many):
    opened = open_page(page_of_many)
    page = opened.page
    page.get_by_role("grid", name="Difference, control:chance, niah").locator("button").first.click()
    sample = page.locator(".sample").first
    assert sample.locator("dt").all_inner_texts()[:4] == [
        "Expected",
        "control:perfect",
        "control:lost-in-the-middle,strength=0.9",
        "control:chance",
    ]
    assert "wrong needle" in sample.inner_text()
    opened.check()


def test_the_theme_is_switched(open_page, page_of_one):
    page = open_page(page_of_one, color_scheme="dark").page
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(paper)
    page.get_by_role("button", name="Light").click()
    assert page.evaluate(paper) == "rgb(253, 253, 254)" != dark
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate(paper) == dark


@pytest.mark.parametrize("width", [DESKTOP, MOBILE])
def test_hostile_outputs_stay_text(open_page, hostile, width):
    assert hostile.stat().st_size < 500_000
    opened = open_page(hostile, width)
    page = opened.page
    page.on("dialog", lambda dialog: opened.complaints.append(dialog.message))
    page.locator(".sample summary").first.click()
    said = page.locator(".sample pre").first.inner_text()
    assert said.startswith("</script><img src=x onerror=alert(1)>⟨U+0000⟩⟨U+001B⟩[31m⟨U+202E⟩esrever & <b>bold</b>")
    assert page.locator("main img, main b:text-is('bold')").count() == 0
    opened.check()


def test_without_scripts_the_numbers_are_there(open_page, page_of_one):
    page = open_page(page_of_one, java_script_enabled=False).page
    assert page.get_by_text("scripts are off").is_visible()
    assert page.get_by_role("grid", name="Strict score, niah").is_visible()
    assert page.locator("#filters").is_hidden()


def test_prints_without_controls(open_page, page_of_many, tmp_path):
    page = open_page(page_of_many, color_scheme="dark").page
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("#filters").is_hidden()
    assert page.locator("button.theme").is_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert (tmp_path / "report.pdf").stat().st_size > 10_000


def test_without_a_browser(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("LCEVAL_NEEDS_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        executable()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        executable()
