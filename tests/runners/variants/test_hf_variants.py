from __future__ import annotations

import shutil
import weakref
from pathlib import Path
from typing import Any

import pytest

from lceval import engine
from lceval.config import RunConfig
from lceval.errors import CannotFit, ModelError, UsageError
from lceval.planning import Plan
from lceval.runners.hf import HfRunner
from lceval.store import read_rows
from lceval.tree import tree_size
from lceval.types import Generation, Prompt

from .conftest import answers, prompts_of


@pytest.fixture(scope="module")
def sharp(folder_of: Any) -> str:
    return str(folder_of())


@pytest.fixture(scope="module")
def stock(sharp: str) -> tuple[list[Prompt], dict[str, Generation]]:
    """Prompts, and the model's answers without a variant."""
    with HfRunner(sharp, {}) as runner:
        prompts = prompts_of(runner)
        return prompts, answers(runner, prompts)


def assert_equal(found: dict[str, Generation], wanted: dict[str, Generation]) -> None:
    assert found.keys() == wanted.keys()
    for key, generation in found.items():
        assert generation.text == wanted[key].text
        assert generation.greedy_match == wanted[key].greedy_match
        assert generation.logprob == pytest.approx(wanted[key].logprob, abs=2e-4)


STABLE = ["", "pi(4)", "ntk(4)", "yarn(4)", "llama3(8)", "prope(0.5)", "theta(70000)", "self_extend(4,64)", "rerope(32)",
          "leaky(32,8)", "dca(40,60)", "streaming(4,64)", "window(64)+sinks(4)", "window(32)+stride(16)", "window(32)+dilate(7)",
          "window(32)+random(0.3)", "window(16)+global(0-9,40)", "segment(64,16)", "logn(64)", "temp(1.5)", "alibi",
          "yarn(2)@0+rerope(32)@1+temp(2)", "self_extend(4,64)+yarn(2)+window(100)+sinks(4)"]  # fmt: skip


@pytest.mark.parametrize("variant", STABLE)
def test_shared_and_chunked_is_computed_from_nothing_in_one_piece(
    variant: str, sharp: str, stock: tuple[list[Prompt], dict[str, Generation]]
) -> None:
    prompts, plain = stock
    with HfRunner(sharp, {"prefill_chunk": 50}, variant) as runner:
        assert runner.notes == []
        warm = answers(runner, prompts)
        assert sum(len(p.ids) for p in prompts) - sum(g.cached_tokens for g in warm.values()) == tree_size(prompts).shared
        runner._chunk = 4096
        assert_equal(warm, answers(runner, prompts, share=False))
    if variant:
        assert any(abs(warm[key].logprob - plain[key].logprob) > 1e-3 for key in warm)  # type: ignore[operator]


@pytest.mark.parametrize("variant", ["yarn(auto)", "ntk(auto)+window(200)+sinks(4)"])
def test_lengths_of_different_factors_share_nothing_and_are_right(variant: str, sharp: str) -> None:
    with HfRunner(sharp, {}, variant) as runner:
        assert runner.max_length is None
        prompts = prompts_of(runner, lengths=(200, 256, 384, 640))
        factors = [-(-(len(p.ids) + p.reserved) // 256) for p in prompts]
        assert set(factors) == {1, 2, 3}
        warm = answers(runner, prompts)
        assert_equal(warm, answers(runner, prompts, share=False))
        assert_equal(warm, answers(runner, prompts[::-1]))
        parts = [[p for p, f in zip(prompts, factors, strict=True) if f == factor] for factor in (1, 2, 3)]
        assert sum(len(p.ids) for p in prompts) - sum(g.cached_tokens for g in warm.values()) == sum(
            tree_size(part).shared for part in parts
        )
    for factor, part in zip((1, 2, 3), parts, strict=True):
        fixed = variant.replace("auto", str(factor)) if factor > 1 else variant.partition("+")[2]
        with HfRunner(sharp, {}, fixed) as runner:
            found = answers(runner, part)
            assert_equal({key: warm[key] for key in found}, found)


LONG = {"rope_type": "longrope", "short_factor": [1.0] * 4, "long_factor": [1.0, 2.0, 4.0, 8.0]}
NATIVE = {
    "dynamic": ("llama", {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0}}),
    "longrope": ("phi3", {"max_position_embeddings": 1024, "original_max_position_embeddings": 256, "rope_parameters": LONG}),
}


@pytest.mark.parametrize("variant", ["", "window(100)+sinks(4)"])
@pytest.mark.parametrize("native", NATIVE)
def test_rope_that_changes_with_the_length_is_fixed_for_every_request(native: str, variant: str, folder_of: Any) -> None:
    kind, config = NATIVE[native]
    folder = str(folder_of(kind, **config))
    with HfRunner(folder, {"prefill_chunk": 4096}, variant) as runner:
        assert runner.notes == []
        prompts = prompts_of(runner, lengths=(200, 384, 512))
        cold = answers(runner, prompts, share=False)
        again = answers(runner, prompts[::-1], share=False)
        assert_equal(cold, again)  # no request leaves a trace
    with HfRunner(folder, {"prefill_chunk": 40}, variant) as runner:
        assert_equal(answers(runner, prompts), cold)
        assert_equal(answers(runner, prompts), cold)


def test_variants_of_hybrid_models(folder_of: Any) -> None:
    for kind in ("gemma3_text", "smollm3"):
        own = {"num_hidden_layers": 3, "head_dim": 8}
        folder = str(folder_of(kind, **own))
        for variant in ("", "yarn(4)", "rerope(16)@full", "window(30)+sinks(4)"):
            with HfRunner(folder, {"prefill_chunk": 64}, variant) as runner:
                prompts = prompts_of(runner, lengths=(256,))
                assert_equal(answers(runner, prompts), answers(runner, prompts, share=False))


def test_chunk_says_how_many_tokens_are_computed_at_once(sharp: str, stock: tuple[list[Prompt], dict[str, Generation]]) -> None:
    prompts, plain = stock
    sizes = []
    for variant in ("chunk(33)", "chunk(33)+window(640)"):
        with HfRunner(sharp, {}, variant) as runner:
            runner._network.register_forward_pre_hook(
                lambda module, args, kwargs: sizes.append(kwargs["input_ids"].shape[1]), with_kwargs=True
            )
            assert_equal(answers(runner, prompts), plain)
    assert max(sizes) == 33


def test_the_fingerprint_says_the_variant(sharp: str) -> None:
    base = HfRunner(sharp, {}).fingerprint
    assert base["variant"] == ""
    for variant, spelled, fields in (
        ("streaming(W=64)", "reindex+window(64)+sinks(4)", {"variant", "attention", "max_position_embeddings"}),
        ("yarn=4", "yarn(4)", {"variant", "max_position_embeddings"}),
        ("window(1k)", "window(1024)", {"variant", "attention"}),
        ("chunk(64)", "chunk(64)", {"variant"}),
    ):
        changed = HfRunner(sharp, {}, variant).fingerprint
        assert changed["variant"] == spelled
        assert {name for name in base if base[name] != changed[name]} == fields
    assert HfRunner(sharp, {}, "window(8)+sinks").fingerprint == HfRunner(sharp, {}, "sinks(4)+window=8").fingerprint


@pytest.mark.parametrize(
    ("variant", "limit"), [("", 256), ("window(64)", 256), ("yarn(4)", 1024), ("rerope", None), ("self_extend(4,64)", 832)]
)
def test_the_window_is_what_the_variant_makes_of_it(variant: str, limit: int | None, sharp: str) -> None:
    runner = HfRunner(sharp, {}, variant)
    assert runner.max_length == limit
    plan = Plan(RunConfig.checked(tasks=("niah",), model=sharp, lengths=(2048,), samples=1), runner.tokenizer)
    if limit is None:
        plan.check_fit(runner.max_length, sharp)
    else:
        with pytest.raises(CannotFit, match=f"beyond the window of .*{limit} tokens"):
            plan.check_fit(runner.max_length, sharp)


class Quiet:
    def begin(self, plan: Plan, stored: int) -> None: ...
    def row(self, row: Any) -> None: ...
    def note(self, text: str) -> None: ...
    def end(self) -> None: ...


def test_rows_and_folders_carry_the_variant(sharp: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings: dict[str, Any] = {"tasks": ("niah",), "model": sharp, "lengths": (256,), "depths": (0.5,), "samples": 1}
    folders = set()
    for variant in ("", "streaming(4,64)", "window(64)@0,1", "window(64)@0-1", "window(64)+sinks(4)", "yarn(1.5)", "yarn(15)"):
        config = RunConfig.checked(**settings, variant=variant, allow_beyond_window=True)
        folders.add(config.folder)
        if variant in ("", "streaming(4,64)"):
            runner = engine.make_runner(config)
            engine.execute(config, runner, Quiet(), "test")
            rows = list(read_rows(config.folder))
            assert {row.variant for row in rows} == {runner.fingerprint["variant"]}
            assert rows[0].variant == ("reindex+window(64)+sinks(4)" if variant else "")
            assert rows[0].outcome in ("ok", "truncated")
    assert len(folders) == 7
    assert all(folder.parent == Path("runs") for folder in folders)
    name = Path(sharp).name
    assert Path("runs", name) in folders
    assert Path("runs", f"{name}+reindex-window-64-sinks-4") in folders


def test_what_looks_at_the_whole_prompt_is_not_shared(sharp: str) -> None:
    with HfRunner(sharp, {}, "vslash(8,32)") as runner:
        assert any("prefix sharing and chunked prefill are off" in note for note in runner.notes)
        prompts = prompts_of(runner, lengths=(256,))
        assert {g.cached_tokens for g in answers(runner, prompts).values()} == {0}


def test_a_model_is_gone_when_its_run_is_over(sharp: str) -> None:
    for variant in ("", "yarn(2)", "streaming(4,64)"):
        with HfRunner(sharp, {}, variant) as runner:
            answers(runner, prompts_of(runner, lengths=(256,))[:1])
            gone = weakref.ref(runner._network)
        assert gone() is None, variant


def test_variants_that_cannot_be_are_told(sharp: str, tmp_path: Path, tiny_model: Path) -> None:
    with pytest.raises(UsageError, match="unknown atom 'windw'"):
        HfRunner(sharp, {}, "windw(8)")
    with pytest.raises(
        UsageError,
        match="--variant yarn\\(4\\) is for models in Transformers, and in part for vLLM; runner 'control' has no variants",
    ):
        engine.make_runner(RunConfig.checked(tasks=("niah",), model="control:perfect", lengths=(256,), variant="yarn(4)"))
    with pytest.raises(UsageError, match="this model's 2 layers are 0 to 1"), HfRunner(sharp, {}, "window(8)@2"):
        pass
    from transformers import GPT2Config, GPT2LMHeadModel

    folder = Path(shutil.copytree(tiny_model, tmp_path / "gpt2"))
    config = GPT2Config(vocab_size=1000, n_embd=32, n_layer=2, n_head=4, n_positions=512, bos_token_id=0, eos_token_id=1)
    GPT2LMHeadModel(config).save_pretrained(folder)
    for variant in ("yarn(4)", "window(8)"):
        with pytest.raises((ModelError, UsageError), match="gpt2"), HfRunner(str(folder), {}, variant):
            pass
