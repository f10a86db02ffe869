"""The report in a real browser."""

from __future__ import annotations

import pytest
from browser import DESKTOP, MOBILE
from factory import make_run

from lceval.reports.write import write_report

pytestmark = pytest.mark.xdist_group("browser")


def mixed(length, depth, index):
    return "error" if index == 9 else None if index == 8 else float(index < 4)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return write_report(make_run(tmp_path_factory.mktemp("run"), mixed)).html


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESKTOP, MOBILE])
def test_is_sound(open_page, report, width, scheme):
    open_page(report, width, color_scheme=scheme).check()


def test_without_a_browser(monkeypatch):
    from browser import executable

    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("LCEVAL_NEEDS_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        executable()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        executable()
