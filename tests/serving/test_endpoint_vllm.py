"""The runner for servers against a real `vllm serve` on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from server import KEY, serving

import lceval
from lceval import engine, models
from lceval.config import RunConfig
from lceval.errors import CannotFit
from lceval.rows import Run
from lceval.runners.endpoint import EndpointRunner

pytest.importorskip("vllm")
pytestmark = [pytest.mark.xdist_group("vllm"), pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The embedded model, served."""
    with serving(tmp_path_factory.mktemp("vllm")) as found:
        yield found


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def run(url: str, folder: Path, **options: Any) -> Run:
    settings = {"lengths": "512", "depths": "3", "samples": 1, "runner": "endpoint", "out": folder}
    return lceval.run("niah", models.EMBEDDED, model_options={"base_url": url} | options, **settings)


def test_token_ids_are_taken_and_counted_as_ours(url: str, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    done = run(url, tmp_path / "run")
    assert (done.info.fingerprint["api"], done.info.fingerprint["window"]) == ("tokens", 2048)
    assert not [warning for warning in recwarn if "count" in str(warning.message)]
    assert done.coverage == 1
    for row in done.rows:
        assert row.outcome in ("ok", "truncated")
        assert row.prompt_tokens + row.reserved_tokens == row.length
        assert row.output
        assert row.prefill_s > 0
        assert row.new_tokens > 1
    assert any(row.cached_tokens for row in done.rows), "the server's cache holds what prompts share"
    assert all(KEY.encode() not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


@pytest.mark.parametrize("api", ["text", "chat"])
def test_texts_and_messages_are_counted_as_foretold(url: str, tmp_path: Path, api: str) -> None:
    config = RunConfig.checked(
        tasks="niah",
        model=models.EMBEDDED,
        runner="endpoint",
        model_options={"base_url": url, "api": api},
        lengths="512",
        depths="3",
        samples=1,
        out=tmp_path / "run",
    )
    runner = engine.make_runner(config)
    assert isinstance(runner, EndpointRunner)
    plan = engine.make_plan(config, runner)
    with runner:
        answers = list(runner.generate(plan.compose(plan.groups[0])))
        assert runner._now is not None
        assert (runner._now.surety, runner._now.offset) == (1, 0)
    assert {generation.outcome for _, generation in answers} <= {"ok", "truncated"}
    assert all(generation.text and generation.error is None for _, generation in answers)


def test_cold_requests_find_nothing_in_the_cache(url: str, tmp_path: Path) -> None:
    config = RunConfig.checked(
        tasks="niah",
        model=models.EMBEDDED,
        runner="endpoint",
        model_options={"base_url": url},
        lengths="512",
        depths="2",
        samples=1,
    )
    runner = engine.make_runner(config)
    plan = engine.make_plan(config, runner)
    prompts = plan.compose(plan.groups[0])
    with runner:
        warm = [list(runner.generate(prompts)) for _ in range(2)][1]
        cold = list(runner.generate(prompts, share=False))
    assert all(generation.cached_tokens > 128 for _, generation in warm)
    assert all(generation.cached_tokens == 0 for _, generation in cold)
    texts = [{prompt.sample.sample_key: generation.text for prompt, generation in answers} for answers in (warm, cold)]
    assert texts[0] == texts[1]


def test_its_window_is_known_before_anything_is_sent(url: str, tmp_path: Path) -> None:
    with pytest.raises(CannotFit, match="2048"):
        lceval.run(
            "niah",
            models.EMBEDDED,
            runner="endpoint",
            model_options={"base_url": url},
            lengths="4k",
            samples=1,
            out=tmp_path / "run",
        )
