from __future__ import annotations

from factory import make_run

from lceval.reports.markdown import render_markdown


def test_headline_table_and_heatmap(tmp_path):
    def scores(length, depth, index):
        return None if length == 16384 else float(length == 4096 or index < 5)

    text = render_markdown(make_run(tmp_path, scores, params={"needles": 4}, samples=30))
    assert "## niah (needles=4)" in text
    assert "* coverage 66% (180 of 270 planned answers; 0 truncated, 0 errors, 90 missing)" in text
    assert "* effective length **4k** [4k, 4k] at score 0.856" in text
    assert "| 4k | 1.00 | [0.93, 1.00] | 1.00 | [0.93, 1.00] | 90/90 | 100% |" in text
    assert "| 16k | – |  | – |  | 0/90 | 0% |" in text
    assert "](heatmap-niah-needles=4.png)" in text
    assert "Control" not in text


def test_control_and_escapes(tmp_path):
    text = render_markdown(make_run(tmp_path, lambda *_: 1.0, control=True, model="a|b*c_<script>"))
    assert r"# a\|b\*c\_\<script\>" in text
    assert "**Control, not a model.**" in text
