"""Fits against scipy's, bounds by hand, and the load of a run against the tree of its real prompts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval import engine
from lceval.config import RunConfig
from lceval.costs.configs import shape_of
from lceval.costs.flops import flops
from lceval.costs.gpus import GPUS, Gpu
from lceval.costs.memory import Setting
from lceval.costs.samples import estimated
from lceval.costs.times import Moments, fitted, prefill_bound, step_bound
from lceval.costs.work import Work, work_of
from lceval.errors import UsageError

SECONDS = st.floats(0.01, 1000)
POINTS = st.lists(st.tuples(st.integers(1, 5000), SECONDS), min_size=1, max_size=6)


@given(POINTS)
def test_the_fit_is_the_non_negative_least_squares_one(points: list[tuple[int, float]]) -> None:
    import numpy as np
    from scipy.optimize import nnls

    fit = fitted([(n, n * n, t) for n, t in points])
    assert fit is not None
    root = np.sqrt([t for _, t in points])
    matrix = np.array([(n, n * n / 5000) for n, _ in points]) / root[:, None]
    (a, b), error = nnls(matrix, root)

    def left(a: float, b: float) -> float:
        return float(np.linalg.norm(matrix @ np.array([a, b * 5000]) - root))

    assert left(fit.linear, fit.square) == pytest.approx(error, rel=1e-6, abs=1e-9)
    assert fit.linear >= 0 <= fit.square
    assert fit.residual == pytest.approx(error / np.linalg.norm(root), abs=1e-9)
    assert (a, b) >= (0, 0)


def test_an_exact_quadratic_is_found_and_no_time_says_nothing() -> None:
    points = [(n, n * n, 0.002 * n + 3e-7 * n * n) for n in (500, 1000, 4000)]
    fit = fitted([*points, (10, 100, 0.0)])
    assert fit is not None
    assert (fit.linear, fit.square, fit.residual) == pytest.approx((0.002, 3e-7, 0))
    assert fit.seconds(2000) == pytest.approx(0.002 * 2000 + 3e-7 * 2000**2)
    assert fit.seconds(100, 100 * 1900) == pytest.approx(0.2 + 3e-7 * 190_000)
    assert len(fit.points) == 3
    assert fitted([(10, 100, 0.0)]) is None
    assert Moments().solve() == (0, 0)


def test_the_roofline_by_hand() -> None:
    llama, h100 = shape_of("llama-3.1-8b"), GPUS["h100-80g"]
    assert prefill_bound(llama, 1 << 17, Setting(), h100) == pytest.approx(flops(llama, 1 << 17).total / 989e12)
    assert prefill_bound(llama, 1, Setting(), h100) == pytest.approx((8_030_261_248 * 2 + 131_072) / 3350e9)
    step = step_bound(llama, 1 << 17, Setting(), h100)
    assert step == pytest.approx(((8_030_261_248 - 128_256 * 4096) * 2 + 16 * 2**30) / 3350e9, rel=1e-3)
    assert prefill_bound(llama, 4096, Setting(), Gpu("mine", 1 << 34)) is None
    assert prefill_bound(llama, 4096, Setting(dtype="float32"), h100) is None


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(1, 99)), max_size=5))
def test_work_adds_up(spans: list[tuple[int, int]]) -> None:
    ends = [(a, a + n) for a, n in spans]
    total = sum((work_of([span]) for span in ends), Work())
    assert total == work_of(ends)
    assert total.squares == sum(2 * i + 1 for a, b in ends for i in range(a, b))


@pytest.mark.parametrize(
    ("task", "settings"),
    [
        ("niah", {}),
        ("niah", {"positions": "0..3k/4"}),
        ("niah", {"task_params": {"keys": 4, "questions": 4, "needle_depths": "same"}}),
        ("niah", {"one_pass": True, "depths": "5"}),
        ("niah", {"one_pass": True, "positions": "0..3k/4"}),
        ("kv", {}),
        ("sequence", {"depths": None}),
    ],
)
def test_the_estimate_is_near_the_tree_of_real_prompts(task: str, settings: dict[str, Any], tiny_model: Path) -> None:
    given = {"lengths": "2k,4k", "depths": None if "positions" in settings else "5", "samples": 2} | settings
    config = RunConfig.checked(
        tasks=task, model="control:perfect", model_options={"tokenizer": "smollm2-135m", "chat": "on"}, **given
    )
    plan = engine.make_plan(config, engine.make_runner(config))
    found, counted, size = estimated(config), plan.load, plan.size
    assert found.prompts == counted.prompts == size.prompts
    assert counted.one_by_one.tokens == pytest.approx(size.tokens.one_by_one, rel=0.01)
    assert counted.shared.tokens == pytest.approx(size.tokens.shared, rel=0.03)
    assert found.one_by_one.tokens == pytest.approx(size.tokens.one_by_one, rel=0.02)
    assert found.shared.tokens == pytest.approx(size.tokens.shared, rel=0.04)
    assert found.shared.squares == pytest.approx(counted.shared.squares, rel=0.06)
    assert "without a tokenizer" in found.how


def test_samples_from_a_file_are_left_to_the_tokenizer(tmp_path: Path) -> None:
    file = tmp_path / "validation.jsonl"
    file.write_text('{"index": 0, "input": "Some text. What is it?", "outputs": ["x"], "length": 20}\n')
    config = RunConfig.checked(tasks="official", model="llama-3.1-8b", task_params={"data": str(file)})
    with pytest.raises(UsageError, match="--dry-run"):
        estimated(config)
