"""Several questions about one context, answered together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from lceval import engine
from lceval.config import RunConfig
from lceval.runners import leaves
from lceval.runners.hf import HfRunner
from lceval.types import Generation, Prompt

PARAMS: dict[str, Any] = {"keys": 6, "questions": 6, "needle_depths": "same"}


def prompts_of(runner: HfRunner, **settings: Any) -> list[Prompt]:
    settings = {"lengths": (400, 512), "depths": (0.0, 0.5, 1.0), "samples": 1, "task_params": PARAMS} | settings
    plan = engine.make_plan(RunConfig.checked(tasks=("niah",), model=runner.model, **settings), runner)
    return [prompt for group in plan.groups for prompt in plan.compose(group)]


def answers(runner: HfRunner, prompts: list[Prompt]) -> dict[str, Generation]:
    done = list(runner.generate(prompts))
    assert [prompt.sample.sample_key for prompt, _ in done] == [prompt.sample.sample_key for prompt in prompts]
    return {prompt.sample.sample_key: generation for prompt, generation in done}


def test_together_they_get_the_answers_that_each_gets_alone(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HfRunner(str(tiny_model), {}) as runner:
        prompts = prompts_of(runner, depths=(0.0, 1.0))
        passes = []
        real = leaves.Leaves.read
        monkeypatch.setattr(leaves.Leaves, "read", lambda self, *args: passes.append(self.rows) or real(self, *args))  # type: ignore[func-returns-value]
        together = answers(runner, prompts)
        assert set(passes) == {6}
        runner._together = False
        alone = answers(runner, prompts)
    for key, one in alone.items():
        other = together[key]
        assert (other.text, other.new_tokens, other.finish_reason, other.greedy_match) == (
            one.text,
            one.new_tokens,
            one.finish_reason,
            one.greedy_match,
        )
        assert other.logprob == pytest.approx(one.logprob, abs=1e-4)
    assert all(generation.text for generation in alone.values())
    computed = [sum(len(p.ids) - found[p.sample.sample_key].cached_tokens for p in prompts) for found in (alone, together)]
    assert computed[0] <= computed[1] < 1.2 * computed[0]


def test_without_memory_for_all_they_are_answered_one_by_one(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Any, *args: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with HfRunner(str(tiny_model), {}) as runner:
        prompts = prompts_of(runner, lengths=(400,), depths=(0.5,))
        wanted = {key: generation.text for key, generation in answers(runner, prompts).items()}
        monkeypatch.setattr(leaves.Leaves, "read", full)
        assert {key: generation.text for key, generation in answers(runner, prompts).items()} == wanted
        assert "answered one by one" in runner.notes[-1]


def test_only_questions_about_one_context_are_put_together(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaves, "MOST", 4)
    with HfRunner(str(tiny_model), {}) as runner:
        ordinary = prompts_of(runner, task_params={})
        assert all(not runner._pack(ordinary[i:], 10_000) for i in range(len(ordinary)))
        several = prompts_of(runner, depths=(0.5,))
        assert [len(runner._pack(several[i:], 10_000)) for i in (0, 4, 6)] == [4, 2, 4]
        assert not runner._pack(several, len(several[0].ids))
        in_one_context = prompts_of(runner, task_params={}, one_pass=True)
        assert {prompt.sample.cell.depth for prompt in in_one_context[:3]} == {0.0, 0.5, 1.0}
        assert [len(runner._pack(in_one_context[i:], 10_000)) for i in (0, 3)] == [3, 3]
        together = answers(runner, several)
        runner._together = False
        assert {key: one.text for key, one in answers(runner, several).items()} == {key: one.text for key, one in together.items()}
