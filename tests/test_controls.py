"""What the controls score on every task: the table that theory demands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from lceval import engine, registry
from lceval.config import RunConfig
from lceval.progress import NoProgress
from lceval.rows import Row, Run
from lceval.store import load_run

WINDOW = 512

Sight = Literal["all", "any", "before", "whole", "part"]

# What must lie within the last tokens for a right answer: all needles that the answer rests on, any one of them, the asked one and
# all before it (which are counted), the whole context, or any part of it (its frequent words are mostly those of the whole).
TABLE: dict[str, Sight] = {
    "niah": "all",
    "distractors": "all",
    "association": "all",
    "mdqa": "all",
    "kv": "all",
    "vt": "all",
    "cwe": "whole",
    "fwe": "part",
    "miniworld": "all",
    "coref": "before",
    "graph": "all",
    "copy": "whole",
    "manyshot": "any",
    "code": "all",
    "count": "all",
    "sequence": "all",
    "ruler/niah_single_1": "all",
    "ruler/niah_single_2": "all",
    "ruler/niah_single_3": "all",
    "ruler/niah_multikey_1": "all",
    "ruler/niah_multikey_2": "all",
    "ruler/niah_multikey_3": "all",
    "ruler/niah_multivalue": "all",
    "ruler/niah_multiquery": "all",
    "ruler/vt": "all",
    "ruler/cwe": "whole",
    "ruler/fwe": "part",
    "ruler/qa_1": "all",
    "ruler/qa_2": "all",
}


@pytest.fixture(autouse=True)
def _small_corpora(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lceval.corpus.START_REGION_CHARS", 1 << 18)


@pytest.fixture
def control(tiny_model: Path, tmp_path: Path) -> Callable[[str, str], Run]:
    """`control(name, task)`: the run of a control on prompts of 1,536 tokens."""

    def run(name: str, task: str) -> Run:
        free = registry.load("task", task).from_params({}).depth_is_free
        config = RunConfig.checked(
            tasks=task,
            model=f"control:{name}",
            lengths=(1536,),
            depths=(0.0, 0.5, 1.0) if free else None,
            samples=4 if free else 12,
            model_options={"tokenizer": str(tiny_model)},
            out=tmp_path / name,
        )
        engine.execute(config, engine.make_runner(config), NoProgress(), "")
        return load_run(config.folder)

    return run


def scores(rows: Sequence[Row]) -> list[float | None]:
    return [row.strict for row in rows]


def in_sight(row: Row, sight: Sight) -> bool:
    first = row.prompt_tokens - WINDOW
    asked = [row.needle_tokens[i] for i in row.support] or row.needle_tokens
    match sight:
        case "all":
            return all(start >= first for start, _ in asked)
        case "any":
            return any(start >= first for start, _ in asked)
        case "before":
            return all(start >= first for start, _ in row.needle_tokens[: row.support[0] + 1])
        case _:
            return False


def test_the_table_has_every_task() -> None:
    assert [name for name in registry.names("task") if name not in ("official", "nolima")] == list(TABLE)


@pytest.mark.parametrize("task", TABLE)
def test_a_perfect_reader_is_right_everywhere(task: str, control: Callable[[str, str], Run]) -> None:
    run = control("perfect", task)
    assert run.coverage == 1
    assert {(row.official, row.strict) for row in run.rows} == {(1.0, 1.0)}


@pytest.mark.parametrize(("task", "sight"), TABLE.items())
def test_a_window_is_right_where_what_it_needs_lies_in_it(task: str, sight: Sight, control: Callable[[str, str], Run]) -> None:
    rows = control(f"window={WINDOW}", task).rows
    if sight == "part":
        assert 0.5 < np.mean([row.strict or 0 for row in rows]) <= 1
        return
    assert [row.strict == 1 for row in rows] == [in_sight(row, sight) for row in rows]


@pytest.mark.parametrize("task", TABLE)
def test_guessing_scores_about_chance(task: str, control: Callable[[str, str], Run]) -> None:
    known = scores(control("chance", task).rows)
    chance = registry.load("task", task).from_params({}).chance
    assert abs(np.mean(known) - chance) <= 4 * max(np.std(known), np.sqrt(chance * (1 - chance)), 0.01) / np.sqrt(len(known))


@pytest.mark.parametrize("task", TABLE)
def test_a_dump_scores_nothing(task: str, control: Callable[[str, str], Run]) -> None:
    chance: Any = registry.load("task", task).from_params({}).chance
    assert max(score or 0 for score in scores(control("dump", task).rows)) <= max(0.05, chance)
