"""One context over two processes, with gloo on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Gemma2Config, Gemma2ForCausalLM

import lceval
from lceval.errors import ModelError
from lceval.runners.hf import HfRunner

IDS = torch.arange(400) * 37 % 800


def logits(runner: HfRunner) -> torch.Tensor:
    """After a prefix, a chunk that goes on, a fork, and single steps."""
    state = runner._state(400)
    state.back_to(0)
    steps = [(0, 150), (150, 153), (153, 399), (399, 400)]
    found = [runner._logits(IDS[a:b], a, state.cache)[-1] for a, b in steps]
    state.back_to(153)
    found += [runner._logits(IDS[a:b], a, state.cache)[-1] for a, b in [(153, 301), (301, 302), (302, 303)]]
    return torch.stack(found)


def test_two_ranks_give_the_logits_of_one_until_one_dies(tiny_model: Path) -> None:
    variant = "self_extend(4,64)+window(100)+sinks(4)"
    with HfRunner(str(tiny_model), {}, variant) as runner:
        wanted = logits(runner)
    with HfRunner(str(tiny_model), {"context_parallel": 2}, variant) as runner:
        found = logits(runner)
        assert runner._ranks is not None
        assert runner._ranks.shard is not None
        assert abs(runner._ranks.shard._held - 303 / 2) < 8  # each holds its half
        torch.testing.assert_close(found, wanted, atol=2e-5, rtol=1e-4)
        runner._ranks._processes[0].kill()
        with pytest.raises(ModelError, match="a rank of context_parallel=2 failed"):
            logits(runner)


def test_a_run_over_two_ranks(tiny_model: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"lengths": "256,512", "depths": "3", "samples": 1}
    texts = []
    for world in (1, 2):
        options = {"context_parallel": world}
        run = lceval.run("niah", str(tiny_model), model_options=options, out=tmp_path / str(world), **settings)
        texts.append(run.frame.sort_values("sample_key").output.tolist())
    assert texts[0] == texts[1]
    assert all(texts[0])


@pytest.mark.parametrize(
    ("options", "variant", "says"),
    [
        ({"context_parallel": 2, "device": "balanced"}, "", "takes the first 2 GPUs"),
        ({"context_parallel": 2}, "snapkv(64)", "does not go with snapkv"),
        ({"context_parallel": 2}, "kv(int8,group=16)", "does not go with kv"),
        ({"context_parallel": 2}, "vslash(10,10)", "does not go with vslash"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_loaded(
    tiny_model: Path, options: dict[str, Any], variant: str, says: str
) -> None:
    with pytest.raises(ModelError, match=says), HfRunner(str(tiny_model), options, variant):
        pass


def test_scores_that_do_not_merge_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    config = Gemma2Config(
        vocab_size=1000,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=1,
    )
    Gemma2ForCausalLM(config).save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_text((tiny_model / name).read_text())
    with (
        pytest.raises(ModelError, match="soft cap"),
        HfRunner(str(tmp_path), {"context_parallel": 2}),
    ):
        pass
