from __future__ import annotations

import io
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from factory import make_run

from lceval.reports.heatmap import group_heatmap, heatmap, png_bytes, svg_text
from lceval.reports.tables import groups


def draw(run, **options):
    return group_heatmap(run.info, groups(run)[0], **options)


def texts(figure):
    return [text for text in figure.findobj(mpl.text.Text) if text.get_visible() and text.get_text().strip()]


def words(figure):
    return "\n".join(text.get_text() for text in texts(figure))


def partial(length, depth, index):
    """Answers lack at 8k (some) and at 16k, depth 1 (all)."""
    if (length, depth) == (16384, 1.0) or (length == 8192 and index > 6):
        return None
    return 1.0


GRIDS = {
    "3x3": {"lengths": (4096, 8192, 16384), "depths": (0.0, 0.5, 1.0)},
    "one cell": {"lengths": (4096,), "depths": (0.5,)},
    "one row": {"lengths": tuple(4096 * 2**i for i in range(6)), "depths": (None,)},
    "one column": {"lengths": (4096,), "depths": tuple(i / 10 for i in range(11))},
    "35x35": {
        "lengths": tuple(1000 + 3735 * i for i in range(35)),
        "depths": tuple(i / 34 for i in range(35)),
        "samples": 1,
    },
}


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_no_text_overlaps_or_leaves_the_figure(tmp_path, grid):
    """Also: no warning is raised, which pytest turns into an error."""
    figure = draw(make_run(tmp_path, lambda length, depth, index: float(index % 3 > 0), **grid))
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts(figure)]
    whole = figure.bbox
    for text, box in boxes:
        assert whole.x0 <= box.x0 <= box.x1 <= whole.x1, text
        assert whole.y0 <= box.y0 <= box.y1 <= whole.y1, text
    for (one, a), (other, b) in combinations(boxes, 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        high = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert wide <= 0.5 or high <= 2, (one, other)
    png_bytes(figure)


def test_small_maps_say_everything_large_ones_do_not(tmp_path):
    small = words(draw(make_run(tmp_path, lambda length, depth, index: 1.0, **GRIDS["3x3"])))
    assert small.count("0.74–1.00") == small.count("n=10") == 9
    large = words(draw(make_run(tmp_path, lambda length, depth, index: 1.0, **GRIDS["35x35"])))
    assert "n=1\n" not in large
    assert "Answers per cell: n = 1." in large


def test_missing_cells_are_hatched_and_never_zero(tmp_path):
    figure = draw(make_run(tmp_path, partial))
    mesh = figure.axes[0].collections[0]
    values = mesh.get_array().reshape(3, 3)
    assert np.ma.getmaskarray(values).sum() == 1
    assert np.ma.getmaskarray(values)[2, 2]
    assert not (values.compressed() == 0).any()
    hatched = [c for c in figure.axes[0].collections if c.get_hatch()]
    assert [len(c.get_paths()) for c in hatched] == [1]
    assert "no answer" in words(figure)
    assert "0.00\n" not in words(figure)


def test_incomplete_cells_are_marked(tmp_path):
    shown = words(draw(make_run(tmp_path, partial)))
    assert shown.count("n=7/10") == 3
    assert "fewer answers than planned" in shown
    complete = words(draw(make_run(tmp_path, lambda length, depth, index: 0.0)))
    assert "fewer answers" not in complete
    assert "no answer" not in complete


def test_unplanned_cells_are_blank(tmp_path):
    cells = groups(make_run(tmp_path, lambda length, depth, index: 1.0))[0].frame
    figure = heatmap(cells.iloc[:-1])
    assert "Blank: not planned." in words(figure)
    assert not [c for c in figure.axes[0].collections if c.get_hatch()]


def test_scale_and_direction_are_fixed(tmp_path):
    figure = draw(make_run(tmp_path, lambda length, depth, index: 0.5))
    axes = figure.axes[0]
    assert axes.collections[0].get_clim() == (0, 1)
    assert [t.get_text() for t in axes.get_xticklabels()] == ["4k", "8k", "16k"]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["0%", "50%", "100%"]
    assert axes.yaxis_inverted()


def test_title_says_model_variant_task_params_and_control(tmp_path):
    run = make_run(tmp_path, partial, params={"needles": 4}, variant="yarn(4)", control=True)
    shown = words(draw(run))
    assert "org/model-7b · yarn(4)" in shown
    assert "niah (needles=4)" in shown
    assert "Control, not a model" in shown
    assert "org/model-7b" not in words(draw(run, headed=False))
    assert "ontrol" not in words(draw(make_run(tmp_path, partial)))


def test_depths_set_by_the_task_are_one_strip(tmp_path):
    figure = draw(make_run(tmp_path, lambda length, depth, index: 1.0, depths=(None,)))
    assert figure.axes[0].collections[0].get_array().size == 3
    assert "depths set\nby the task" in words(figure)


@pytest.mark.parametrize(("window", "at"), [(8192, 2), (10000, 2), (4096, 1), (4095, None), (16384, None), (None, None)])
def test_trained_window_is_marked_inside_the_lengths(tmp_path, window, at):
    run = make_run(tmp_path, lambda length, depth, index: 1.0, fingerprint={"max_position_embeddings": window})
    figure = draw(run)
    assert {line.get_xdata()[0] for line in figure.axes[0].lines} == ({at} if at else set())
    assert ("window" in words(figure)) == (at is not None)


def test_bytes_are_reproducible(tmp_path):
    one, two = (draw(make_run(tmp_path, partial)) for _ in range(2))
    assert png_bytes(one) == png_bytes(two)
    assert svg_text(one) == svg_text(two)
    assert png_bytes(one).startswith(b"\x89PNG")
    assert "<dc:date>" not in svg_text(one)


def test_no_global_state(tmp_path):
    before = dict(mpl.rcParams)
    draw(make_run(tmp_path, partial))
    assert dict(mpl.rcParams) == before
    import matplotlib.pyplot as plt

    assert plt.get_fignums() == []


def test_cell_text_contrasts_with_its_cell(tmp_path):
    """At least 4.5 : 1 in every cell (WCAG AA), measured on the drawn pixels."""
    depths = tuple(i / 10 for i in range(11))
    run = make_run(tmp_path, lambda length, depth, index: float(index < depth * 10), lengths=(4096,), depths=depths)
    figure = draw(run)
    pixels = mpl.image.imread(io.BytesIO(png_bytes(figure)))
    axes = figure.axes[0]
    scale = 160 / figure.dpi
    for text in axes.texts:
        x, y = axes.transData.transform((0.02, text.get_position()[1])) * scale
        cell = pixels[round(pixels.shape[0] - y), round(x), :3]
        assert contrast(mpl.colors.to_rgb(text.get_color()), cell) >= 4.5


def contrast(one, other):
    def luminance(rgb):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
        return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_no_cells():
    with pytest.raises(ValueError, match="no cells"):
        heatmap(pd.DataFrame({"length": [], "depth": []}))
