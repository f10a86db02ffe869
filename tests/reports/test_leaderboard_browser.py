"""The leaderboard in a real browser."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from browser import DESKTOP, MOBILE
from factory import make_run

from lceval.reports.site import write_site

pytestmark = pytest.mark.xdist_group("browser")


def up_to(reach):
    return lambda length, depth, index: 1.0 if length <= reach else float(index < 3)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    runs = []
    for name, reach, kv in (("weak", 0, 9), ("strong", 16384, 2), ("middle-of-a-rather-long-name+with(parts)", 8192, 5)):
        run = make_run(folder / name, up_to(reach), model=name)
        other = make_run(folder, lambda length, depth, index, kv=kv: float(index < kv), task="kv", lengths=(4096, 8192))
        run.rows.extend(other.rows)
        run.info.grids.extend(other.info.grids)
        runs.append(run)
    runs.append(make_run(folder / "short", up_to(4096), lengths=(4096,), model="short", control=True))
    return write_site(runs, folder / "site").html


def names(page, board=1):
    return [text.split()[0] for text in page.locator(f"#board{board}-table tbody tr:visible th").all_inner_texts()]


def column(page, place):
    return [text.split()[0] for text in page.locator(f"#board1-table tbody tr:visible > :nth-child({place})").all_inner_texts()]


def picture(opened, name):
    """A screenshot for people, where the variable LCEVAL_SCREENSHOTS names a folder."""
    if folder := os.environ.get("LCEVAL_SCREENSHOTS"):
        opened.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize(("width", "scheme"), [(DESKTOP, "light"), (MOBILE, "dark")])
def test_is_sound(open_page, site, width, scheme):
    opened = open_page(site, width, color_scheme=scheme)
    opened.check()
    picture(opened, f"leaderboard-{width}-{scheme}")
    opened.page.get_by_role("link", name="middle").click()
    opened.page.wait_for_load_state()
    opened.check()
    picture(opened, f"leaderboard-model-{width}-{scheme}")


def test_choosing_task_and_length(open_page, site):
    opened = open_page(site)
    page, board = opened.page, opened.page.locator("#board1")
    assert names(page) == ["middle-of-a-rather-long-name+with(parts)", "strong", "weak"]
    board.get_by_label("Task").select_option("niah")
    assert names(page) == ["strong", "middle-of-a-rather-long-name+with(parts)", "weak"]
    assert column(page, 1) == ["1", "2", "3"]
    assert column(page, 3) == ["1.00", "0.77", "0.30"]
    board.get_by_label("Length").select_option("8k")
    assert column(page, 1) == ["1–2", "1–2", "3"]
    assert page.locator("#board1 [role=status]").inner_text() == "niah, 8k: 3 of 3 entries."
    opened.check()
    board.get_by_label("Task").select_option("kv")
    assert names(page) == ["weak", "middle-of-a-rather-long-name+with(parts)", "strong"]
    board.get_by_label("Length").select_option("16k")
    assert page.locator("#board1 [role=status]").inner_text() == "kv, 16k: not asked."
    assert not page.locator("#board1-table").is_visible()
    board.get_by_label("Length").select_option("all lengths")
    assert column(page, 3) == ["0.90", "0.50", "0.20"]
    opened.check()


def test_sorting_and_finding(open_page, site):
    opened = open_page(site)
    page = opened.page
    page.locator("#board1").get_by_label("Task").select_option("niah")
    page.locator("#board1-table").get_by_role("button", name="Strict score").click()
    assert column(page, 3) == ["0.30", "0.77", "1.00"]
    page.locator("#board1-table").get_by_role("button", name="Model").click()
    assert names(page) == ["middle-of-a-rather-long-name+with(parts)", "strong", "weak"]
    page.locator("#board1-table").get_by_role("button", name="Effective length").click()
    values = [int(cell.get_attribute("data-value")) for cell in page.locator("#board1-table tbody [data-cell=reach_value]").all()]
    assert values == sorted(values)
    page.locator("#board1").get_by_label("Model or setting").fill("STRO hf")
    assert names(page) == ["strong"]
    assert names(page, board=2) == ["short"]
    assert page.locator("#board1 [role=status]").inner_text() == "niah, all lengths: 1 of 3 entries."
    opened.check()


def test_with_the_keyboard_alone(open_page, site):
    opened = open_page(site)
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator("#board1-task").focus()
    page.keyboard.press("n")
    assert page.locator("#board1-task").input_value() == "0"
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Strict score":
            break
    page.keyboard.press("Enter")
    assert column(page, 3) == ["0.30", "0.77", "1.00"]
    assert page.locator("#board1-table th[aria-sort=ascending]").inner_text().startswith("Strict score")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "weak":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/models/weak.html")
    assert page.get_by_role("heading", level=1).inner_text() == "weak"
    page.get_by_role("link", name="Long-context leaderboard").click()
    page.wait_for_url("**/index.html")
    opened.check()


def test_without_scripts_the_table_is_there(open_page, site):
    opened = open_page(site, java_script_enabled=False)
    assert len(names(opened.page)) == 3
    assert not opened.page.locator("form").first.is_visible()
