"""A real browser for the tests of pages: the system's Chromium, driven by Playwright, and axe-core.

A test module that wants it says `pytestmark = pytest.mark.xdist_group("browser")`, takes the fixture `open_page` and ends with
`opened.check()`:

    def test_page(open_page, tmp_path):
        opened = open_page(tmp_path / "report.html", width=390)
        opened.page.get_by_role("button", name="Length").click()
        opened.check()
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
MOBILE, DESKTOP = 390, 1440
"""CSS pixels."""


@dataclass
class Opened:
    """A page in the browser, and what it complained of."""

    page: Any
    """`playwright.sync_api.Page`."""
    complaints: list[str] = field(default_factory=list)
    """What the console showed as warning or error, exceptions nobody caught, and requests that left the file."""

    def check(self) -> None:
        """No complaint, nothing wider than the window, and nothing that axe-core calls serious or critical."""
        from axe_playwright_python.sync_playwright import Axe

        assert self.complaints == []
        root = "document.documentElement"
        wide, window = self.page.evaluate(f"[{root}.scrollWidth, {root}.clientWidth]")
        assert wide <= window, f"the page is {wide} pixels wide in a window of {window}"
        found = Axe().run(self.page).response["violations"]
        said = [
            f"{violation['id']} ({violation['impact']}): {violation['help']}: {node['html'][:200]} at {node['target']}"
            for violation in found
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]
        assert said == []


def executable() -> str:
    """The browser's path. Without one the test is skipped, but fails in CI and under `make test`."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    reason = f"no browser: none of {', '.join(NAMES)} is on the PATH. On Debian, 'apt-get install chromium' as root."
    if os.environ.get("CI") or os.environ.get("LCEVAL_NEEDS_BROWSER"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window. It ends with the module: Playwright's loop would be in the way of other tests' own."""
    path = executable()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Opened]]:
    """`open_page(file, width=DESKTOP, height=900, **context)`: a page of its own; context as in Playwright's `new_context`."""
    contexts = []

    def open_page(file: Path, width: int = DESKTOP, height: int = 900, **context: Any) -> Opened:
        settings = {"viewport": {"width": width, "height": height}, "reduced_motion": "reduce", **context}
        contexts.append(browser.new_context(**settings))
        opened = Opened(contexts[-1].new_page())
        opened.page.on("console", lambda said: said.type in ("warning", "error") and opened.complaints.append(said.text))
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.page.on("request", lambda asked: asked.url.startswith("http") and opened.complaints.append(asked.url))
        opened.page.goto(file.resolve().as_uri())
        return opened

    yield open_page
    for context in contexts:
        context.close()
