"""The gold answer's log-probabilities, on the state that the prompt was read to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lceval
from lceval import api
from lceval.config import RunConfig
from lceval.planning import Plan
from lceval.runners import hf
from lceval.runners.cache import CopyState, WalkState
from lceval.runners.hf import HfRunner
from lceval.types import Generation, Prompt

SMALL = {
    "vocab_size": 1000, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 2048, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2,
}  # fmt: skip


def prompts_of(runner: HfRunner, **settings: Any) -> list[Prompt]:
    settings = {"lengths": (256, 384), "depths": (0.0, 0.5, 1.0), "samples": 1} | settings
    plan = Plan(RunConfig.checked(tasks=("niah",), model=runner.model, **settings), runner.tokenizer)
    return plan.compose(plan.groups[0])


def said(ids: Sequence[int]) -> Any:
    return np.asarray(ids, dtype=np.uint32)


def one_pass(runner: HfRunner, prompt: Prompt) -> tuple[float, bool]:
    """The same by one pass of the stock model over prompt and answer."""
    ids = torch.as_tensor(np.concatenate([prompt.ids, prompt.gold]).astype("int64"))
    with torch.inference_mode():
        logits = runner._network(input_ids=ids[None]).logits[0, len(prompt.ids) - 1 : -1].float()
    gold = ids[len(prompt.ids) :]
    logprobs = logits.log_softmax(-1)[torch.arange(len(gold)), gold]
    return float(logprobs.mean()), bool((logits.argmax(-1) == gold).all())


def decoded(runner: HfRunner, prompt: Prompt, count: int) -> list[int]:
    """The first tokens that greedy decoding says."""
    ids = torch.as_tensor(prompt.ids.astype("int64"))[None]
    with torch.inference_mode():
        out = runner._network.generate(
            ids, attention_mask=torch.ones_like(ids), min_new_tokens=count, max_new_tokens=count, do_sample=False
        )
    return [int(token) for token in out[0, ids.shape[1] :]]


def save(config: Any, folder: Path, tiny_model: Path) -> Path:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny_model).save_pretrained(folder)
    return folder


def architectures() -> dict[str, Any]:
    from transformers import Gemma3TextConfig, GPT2Config, Lfm2Config, LlamaConfig, MistralConfig

    return {
        "llama": LlamaConfig(**SMALL),
        "mistral, sliding window": MistralConfig(**SMALL, sliding_window=50, head_dim=8),
        "gemma 3, sliding and full": Gemma3TextConfig(
            **SMALL, sliding_window=40, head_dim=8, layer_types=["sliding_attention", "full_attention"]
        ),
        "gpt 2, learned positions": GPT2Config(
            vocab_size=1000, n_embd=32, n_layer=2, n_head=4, n_positions=2048, bos_token_id=0, eos_token_id=1
        ),
        "lfm 2, convolutions": Lfm2Config(**SMALL, layer_types=["conv", "full_attention"]),
    }


@pytest.fixture(scope="module", params=architectures())
def runner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Any:
    folder = save(architectures()[request.param], tmp_path_factory.mktemp("scored"), tiny_model)
    with HfRunner(str(folder), {"prefill_chunk": 100}) as made:
        assert isinstance(made._state(8), CopyState if "convolutions" in request.param else WalkState)
        assert made._can_fork
        yield made


@pytest.mark.parametrize("share", [True, False])
def test_the_logprob_is_that_of_one_pass_over_prompt_and_answer(runner: HfRunner, share: bool) -> None:
    prompts = prompts_of(runner)
    for prompt, generation in runner.generate(prompts, share=share):
        logprob, greedy = one_pass(runner, prompt)
        assert generation.logprob == pytest.approx(logprob, abs=1e-4)
        assert generation.greedy_match == greedy


def test_greedy_match_is_what_greedy_decoding_says(runner: HfRunner) -> None:
    prompts = prompts_of(runner, lengths=(256,))
    for size in (1, 2, 6):
        first = [decoded(runner, prompt, size) for prompt in prompts]
        likely = [replace(prompt, gold=said(tokens)) for prompt, tokens in zip(prompts, first, strict=True)]
        last = [said([*tokens[:-1], (tokens[-1] + 1) % 900]) for tokens in first]
        unlikely = [replace(prompt, gold=tokens) for prompt, tokens in zip(prompts, last, strict=True)]
        right, wrong = ([generation for _, generation in runner.generate(asked)] for asked in (likely, unlikely))
        assert [generation.greedy_match for generation in right] == [True] * len(prompts)
        assert [generation.greedy_match for generation in wrong] == [False] * len(prompts)
        assert all(a.logprob > b.logprob for a, b in zip(right, wrong, strict=True))  # type: ignore[operator]


def same(one: Generation, other: Generation) -> bool:
    names = ("text", "new_tokens", "cached_tokens", "finish_reason", "outcome")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def test_decoding_does_not_notice_it(runner: HfRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    questions = {"keys": 3, "questions": 3, "needle_depths": "same"}
    prompts = prompts_of(runner, task_params=questions)
    assert len(prompts) == 2 * 3 * 3
    scored = [generation for _, generation in runner.generate(prompts)]
    monkeypatch.setattr(runner, "options", runner.options.model_copy(update={"logprob": False}))
    plain = [generation for _, generation in runner.generate(prompts)]
    assert all(map(same, scored, plain))
    assert {(generation.logprob, generation.greedy_match) for generation in plain} == {(None, None)}
    assert all(generation.logprob is not None and generation.logprob < 0 for generation in scored)
    for prompt, generation in zip(prompts, scored, strict=True):
        assert generation.logprob == pytest.approx(one_pass(runner, prompt)[0], abs=1e-4)


def test_long_answers_are_scored_in_parts(runner: HfRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt = prompts_of(runner, lengths=(256,), depths=(0.5,))[0]
    asked = [replace(prompt, gold=said(prompt.ids[20 : 20 + size]), reserved=40) for size in (1, 4, 5, 6, 23)]
    expected = [one_pass(runner, question)[0] for question in asked]
    for at_once in (1, 5, 256):
        monkeypatch.setattr(hf, "SCORED_AT_ONCE", at_once)
        found = [generation.logprob for _, generation in runner.generate(asked)]
        assert found == pytest.approx(expected, abs=1e-4)


@pytest.fixture(scope="module")
def llama(tiny_model: Path) -> Any:
    with HfRunner(str(tiny_model), {}) as made:
        yield made


def test_a_state_that_cannot_go_back_is_computed_again(llama: HfRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = prompts_of(llama)
    expected = [generation for _, generation in llama.generate(prompts)]
    ends, real, lost = {len(prompt.ids) for prompt in prompts}, WalkState.back_to, []

    def forgets(self: WalkState, length: int) -> int:
        if length in ends:
            lost.append(length)
            length -= 7
        return real(self, length)

    monkeypatch.setattr(WalkState, "back_to", forgets)
    found = [generation for _, generation in llama.generate(prompts)]
    assert len(lost) >= len(prompts)
    assert [generation.text for generation in found] == [generation.text for generation in expected]
    assert [generation.logprob for generation in found] == pytest.approx([generation.logprob for generation in expected], abs=1e-4)


@pytest.mark.parametrize("variant", ["yarn(2)", "window(64)+sinks(4)", "self_extend(4,64)", "rerope(100)"])
def test_a_variant_scores_as_it_decodes(tiny_model: Path, variant: str) -> None:
    with HfRunner(str(tiny_model), {}, variant) as runner:
        prompts = prompts_of(runner, lengths=(256,))
        found = [generation.logprob for _, generation in runner.generate(prompts)]
        for prompt, logprob in zip(prompts, found, strict=True):
            state = runner._state(300)
            start = state.back_to(0)
            logits = runner._prefill(state, prompt, start, [])
            total = 0.0
            for i, token in enumerate(prompt.gold.tolist()):
                total += float(logits.log_softmax(-1)[token])
                logits = runner._forward(state, torch.tensor([token]), len(prompt.ids) + i)
            assert logprob == pytest.approx(total / len(prompt.gold), abs=1e-4)


def test_out_of_memory_while_scoring_is_an_error_row_and_the_others_go_on(llama: HfRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = prompts_of(llama)
    expected = [generation.text for _, generation in llama.generate(prompts)]
    real, failed = llama._network.forward, []

    def forward(*args: Any, **kwargs: Any) -> Any:
        scoring = kwargs["input_ids"].shape[1] == len(prompts[0].gold) - 1
        if scoring and not failed:
            failed.append(1)
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(*args, **kwargs)

    monkeypatch.setattr(llama._network, "forward", forward)
    found = [generation for _, generation in llama.generate(prompts)]
    assert found[0].outcome == "error"
    assert "gold answer" in str(found[0].error)
    shorter = [i for i, prompt in enumerate(prompts) if prompt.sample.cell.length < prompts[0].sample.cell.length]
    assert shorter
    assert [found[i].text for i in shorter] == [expected[i] for i in shorter]


def test_rows_keep_it_stored_loaded_and_rescored(tiny_model: Path, tmp_path: Path) -> None:
    settings = {"lengths": (256, 384), "depths": (0.0, 1.0), "samples": 2}
    run = lceval.run("niah", str(tiny_model), out=tmp_path / "on", **settings)
    stored = {row.sample_key: (row.logprob, row.greedy_match) for row in run.rows}
    assert len(stored) == 8
    assert all(logprob is not None and logprob < 0 and greedy in (True, False) for logprob, greedy in stored.values())
    api.rescore(run.path)
    again = lceval.load_run(run.path)
    assert {row.sample_key: (row.logprob, row.greedy_match) for row in again.rows} == stored
    assert again.frame.logprob.tolist() == [row.logprob for row in again.rows]
    off = lceval.run("niah", str(tiny_model), out=tmp_path / "off", model_options={"logprob": "off"}, **settings)
    assert {(row.logprob, row.greedy_match) for row in off.rows} == {(None, None)}
    assert {row.sample_key: row.output for row in off.rows} == {row.sample_key: row.output for row in run.rows}
    assert off.info.fingerprint == run.info.fingerprint


def test_nothing_is_scored_where_a_thought_comes_first(tiny_model: Path, tmp_path: Path) -> None:
    settings = {"lengths": (256,), "depths": (0.0,), "samples": 1, "task_params": {"thinking_budget": 4}}
    run = lceval.run("niah", str(tiny_model), out=tmp_path / "run", **settings)
    assert [(row.logprob, row.greedy_match) for row in run.rows] == [(None, None)]
    assert run.coverage == 1
