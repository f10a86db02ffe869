"""Decoding steps over fixed slots; as CUDA graphs where there is a GPU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lceval.config import RunConfig
from lceval.planning import Plan
from lceval.runners import graphs
from lceval.runners.hf import HfRunner
from lceval.types import Generation, Prompt


def answered(runner: HfRunner) -> list[tuple[Prompt, Generation]]:
    plan = Plan(
        RunConfig.checked(tasks=("niah",), model=runner.model, lengths=(256, 600), depths=(0.0, 1.0), samples=1), runner.tokenizer
    )
    return list(runner.generate([replace(prompt, reserved=12) for prompt in plan.compose(plan.groups[0])]))


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_they_say_what_eager_steps_say(tiny_model: Path, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    monkeypatch.setattr(graphs, "SMALLEST", 128)
    made: list[int] = []
    step = graphs.Steps._step
    monkeypatch.setattr(graphs.Steps, "_step", lambda self: (made.append(self._slots), step(self))[1])
    with HfRunner(str(tiny_model), {"device": device, "dtype": "float32" if device == "cpu" else "bfloat16"}) as runner:
        runner._graphs = False
        wanted = answered(runner)
        assert not made
        runner._graphs = True
        found = answered(runner)
    assert set(made) == {256, max(len(prompt.ids) + 12 for prompt, _ in wanted)}  # a power of two, or all there is
    for (prompt, one), (other, two) in zip(wanted, found, strict=True):
        assert prompt.sample == other.sample
        assert (one.text, one.new_tokens, one.cached_tokens) == (two.text, two.new_tokens, two.cached_tokens)
