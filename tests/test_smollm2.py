"""The embedded model, for real: found, converted, asked, stored, reported."""

from __future__ import annotations

from pathlib import Path

import pytest

import lceval
from lceval import models
from lceval.rows import Run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return lceval.run(
        "niah", models.EMBEDDED, lengths="512,1k", depths="3", samples=1, out=tmp_path_factory.mktemp("smollm2") / "run"
    )


def test_it_finds_every_needle_up_to_1k(run: Run) -> None:
    assert [(row.length, row.depth, row.strict) for row in run.rows if row.strict != 1] == []
    assert run.coverage == 1
    assert run.info.fingerprint["max_position_embeddings"] == 8192
    assert run.info.fingerprint["dtype"] == "float32"


def test_rows_record_tokens_and_seconds(run: Run) -> None:
    for row in run.rows:
        assert row.prompt_tokens + row.reserved_tokens == row.length
        assert 0 < row.new_tokens <= row.reserved_tokens
        assert row.prefill_s > 0
        assert row.decode_s > 0
        assert row.finish_reason in ("eos", "stop")
        (start, stop), (depth,) = row.needle_tokens[0], row.needle_depths
        assert 0 < start < stop < row.prompt_tokens
        assert abs(depth - (row.depth or 0)) < 0.25
    assert sum(row.cached_tokens > 0 for row in run.rows) == len(run.rows) - 1


def test_it_gives_the_same_texts_without_sharing(run: Run, tmp_path: Path) -> None:
    cold = lceval.run("niah", models.EMBEDDED, lengths="512,1k", depths="3", samples=1, cold=True, out=tmp_path / "cold")
    assert {row.sample_key: row.output for row in cold.rows} == {row.sample_key: row.output for row in run.rows}
    assert {row.cached_tokens for row in cold.rows} == {0}


def test_the_same_model_as_a_folder_has_the_same_fingerprint(run: Run) -> None:
    from lceval.runners.hf import HfRunner

    folder = models.resolve(models.EMBEDDED)
    assert HfRunner(str(folder), {}).fingerprint.items() <= run.info.fingerprint.items()


def test_several_keys_and_values_are_scored_one_by_one(tmp_path: Path) -> None:
    run = lceval.run(
        "niah", models.EMBEDDED, lengths="512", depths="0.3", samples=2, task_params={"keys": 2, "values": 2}, out=tmp_path / "run"
    )
    for row in run.rows:
        assert len(row.needle_tokens) == 4
        assert len(row.answers) == 2
        found = sum(answer in row.output for answer in row.answers)
        assert row.official == found / 2
