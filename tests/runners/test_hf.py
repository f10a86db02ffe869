"""The Transformers runner on tiny random models: greedy, exact, and every shared prefix computed once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lceval import engine
from lceval.config import RunConfig
from lceval.errors import ModelError, UsageError
from lceval.planning import Plan
from lceval.runners import attention
from lceval.runners.cache import CopyState, SlabLayer, WalkState, fits_slab
from lceval.runners.hf import HfRunner
from lceval.tree import tree_size
from lceval.types import Generation, Prompt


def plan_for(runner: HfRunner, **settings: Any) -> Plan:
    settings = {"lengths": (256, 384, 512), "depths": (0.0, 0.25, 0.5, 0.75, 1.0), "samples": 1} | settings
    return Plan(RunConfig.checked(tasks=("niah",), model=runner.model, **settings), runner.tokenizer)


def prompts_of(runner: HfRunner, **settings: Any) -> list[Prompt]:
    plan = plan_for(runner, **settings)
    return plan.compose(plan.groups[0])


@pytest.fixture(scope="module")
def runner(tiny_model: Path) -> HfRunner:
    made = HfRunner(str(tiny_model), {})
    return made.__enter__()


def test_every_distinct_prefix_token_is_computed_exactly_once(runner: HfRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = prompts_of(runner)
    size = tree_size(prompts)
    computed = []

    def count(module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        computed.append(kwargs["input_ids"].shape[1])

    # Leaves only the prompts' own tokens.
    monkeypatch.setattr(runner, "_score", lambda *args: (None, None))
    monkeypatch.setattr(runner, "_decode", lambda *args, **kwargs: Generation("", 0, 0, 0.0, 0.0, "eos", "ok"))
    hook = runner._network.register_forward_pre_hook(count, with_kwargs=True)
    totals = []
    for share in (True, False):
        computed.clear()
        list(runner.generate(prompts, share=share))
        totals.append(sum(computed))
    hook.remove()
    assert totals == [size.shared, size.one_by_one]
    assert size.shared < 0.6 * size.one_by_one


def test_cached_tokens_add_up(runner: HfRunner) -> None:
    prompts = prompts_of(runner)
    rows = list(runner.generate(prompts))
    assert [prompt.sample.sample_key for prompt, _ in rows] == [prompt.sample.sample_key for prompt in prompts]
    assert sum(len(p.ids) - g.cached_tokens for p, g in rows) == tree_size(prompts).shared
    assert rows[0][1].cached_tokens == 0


@pytest.mark.parametrize("chunk", [33, 64, 4096])
def test_warm_and_cold_and_stock_generate_give_the_same_text(tiny_model: Path, chunk: int) -> None:
    with HfRunner(str(tiny_model), {"prefill_chunk": chunk}) as runner:
        prompts = prompts_of(runner)
        warm = {p.sample.sample_key: g.text for p, g in runner.generate(prompts)}
        cold = {p.sample.sample_key: g.text for p, g in runner.generate(prompts, share=False)}
        assert warm == cold
        for prompt in prompts[::4]:
            ids = torch.as_tensor(prompt.ids.astype("int64"))[None]
            stock = runner._network.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=prompt.reserved, do_sample=False
            )
            text = runner.tokenizer.decode(stock[0, ids.shape[1] :].numpy())
            expected = warm[prompt.sample.sample_key]
            assert text.startswith(expected)
            assert expected


def test_all_lengths_and_depths_of_several_groups_share_one_slab(runner: HfRunner) -> None:
    for length in (512, 256, 768):
        prompts = prompts_of(runner, lengths=(length,))
        texts = [g.text for _, g in runner.generate(prompts)]
        assert texts == [g.text for _, g in runner.generate(prompts, share=False)]


def test_the_cpu_attention_equals_the_stock_one(tiny_model: Path) -> None:
    ids = torch.arange(300) * 7 % 800
    logits = []
    for name in ("sdpa", "eager", "auto"):
        with HfRunner(str(tiny_model), {"attention": name}) as runner:
            assert runner.fingerprint["attention"] == (attention.NAME if name == "auto" else name)
            state = runner._state(301)
            state.back_to(0)
            for start in range(0, 300, 128):
                last = runner._forward(state, ids[start : start + 128], start)
            logits.append(torch.stack([last, runner._forward(state, ids[:1], 300)]))
    torch.testing.assert_close(logits[2], logits[0], atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(logits[2], logits[1], atol=2e-5, rtol=1e-4)


def _out_of_memory_above(limit: int, real: Callable[..., Any]) -> Callable[..., Any]:
    def forward(*args: Any, **kwargs: Any) -> Any:
        if kwargs["input_ids"].shape[1] > limit:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return real(*args, **kwargs)

    return forward


def test_out_of_memory_halves_the_chunk_says_so_and_goes_on(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HfRunner(str(tiny_model), {}) as runner:
        prompts = prompts_of(runner, lengths=(512,))
        expected = [g.text for _, g in runner.generate(prompts)]
        monkeypatch.setattr(runner._network, "forward", _out_of_memory_above(100, runner._network.forward))
        found = list(runner.generate(prompts))
    assert [g.text for _, g in found] == expected
    assert sum(len(p.ids) - g.cached_tokens for p, g in found) == tree_size(prompts).shared
    assert any("chunk halved to" in note for note in runner.notes)


def test_a_prompt_that_never_fits_is_an_error_row_and_the_others_go_on(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HfRunner(str(tiny_model), {}) as runner:
        prompts = prompts_of(runner, lengths=(256, 512))
        expected = {p.sample.sample_key: g.text for p, g in runner.generate(prompts)}
        real = runner._network.forward

        def forward(*args: Any, **kwargs: Any) -> Any:
            if kwargs["position_ids"].max() > 400:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return real(*args, **kwargs)

        monkeypatch.setattr(runner._network, "forward", forward)
        found = list(runner.generate(prompts))
    outcomes = {p.sample.cell.length: set() for p in prompts}  # type: dict[int, set[str]]
    for p, g in found:
        outcomes[p.sample.cell.length].add(g.outcome)
        assert g.outcome == "error" or g.text == expected[p.sample.sample_key]
        assert g.outcome != "error" or "not fit" in str(g.error)
    assert outcomes[512] == {"error"}
    assert "error" not in outcomes[256]


def test_a_cache_too_large_for_the_longest_prompt_does_not_cost_the_shorter_ones(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = SlabLayer.lazy_initialization

    def allocate(self: SlabLayer, keys: torch.Tensor, values: torch.Tensor) -> None:
        if self.capacity > 400:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        real(self, keys, values)

    with HfRunner(str(tiny_model), {}) as runner:
        prompts = prompts_of(runner, lengths=(256, 512))
        expected = {p.sample.sample_key: g.text for p, g in runner.generate(prompts)}
        runner._slab = None
        monkeypatch.setattr(SlabLayer, "lazy_initialization", allocate)
        found = {p.sample.sample_key: (p.sample.cell.length, g) for p, g in runner.generate(prompts)}
        assert runner._chunk == 512, "the chunk was halved for a prompt that did not fit anyway"
    assert {length for length, g in found.values() if g.outcome == "error"} == {512}
    assert {key: g.text for key, (length, g) in found.items() if length == 256}.items() <= expected.items()


def test_our_attention_is_refused_where_it_does_not_give_the_stock_logits(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = attention.fold
    for factor in (1.5, float("nan")):
        monkeypatch.setattr(attention, "fold", lambda *a, factor=factor: (real(*a)[0] * factor, real(*a)[1]))
        with (
            pytest.raises(ModelError, match=r"own attention does not give the logits.*-M attention=sdpa"),
            HfRunner(str(tiny_model), {}),
        ):
            pass


def test_weights_that_cannot_be_loaded_are_told(tiny_model: Path, tmp_path: Path) -> None:
    import shutil

    broken = Path(shutil.copytree(tiny_model, tmp_path / "broken"))
    (broken / "model.safetensors").write_bytes((broken / "model.safetensors").read_bytes()[:1000])
    with pytest.raises(ModelError, match="cannot load the weights"), HfRunner(str(broken), {}):
        pass
    with pytest.raises(ModelError, match="cannot load the weights"), HfRunner(str(tiny_model), {"attention": "flash_attention_2"}):
        pass
    with pytest.raises(ModelError, match="is not a device"):
        HfRunner(str(tiny_model), {"device": "gpu"})


def test_another_runtime_error_is_not_taken_for_memory(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HfRunner(str(tiny_model), {}) as runner:
        prompts = prompts_of(runner)

        def forward(*args: Any, **kwargs: Any) -> Any:
            raise RuntimeError("device-side assert triggered")

        monkeypatch.setattr(runner._network, "forward", forward)
        with pytest.raises(RuntimeError, match="device-side assert"):
            list(runner.generate(prompts))


def test_an_answer_ends_at_the_end_token_a_stop_string_or_the_budget(runner: HfRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = prompts_of(runner, lengths=(256,), depths=(0.5,))
    end, newline = sorted(runner._end_tokens)[0], int(runner.tokenizer.piece("\n")[0])
    word = int(runner.tokenizer.piece(" the")[0])
    for script, reason, outcome, text in (
        ([word, word, end], "eos", "ok", " the the"),
        ([word, newline, word, end], "stop", "ok", " the"),
        ([newline, word, end], "eos", "ok", "\n the"),
        ([word] * 99, "length", "truncated", " the" * prompts[0].reserved),
    ):
        answers = iter(script)

        def scripted(state: Any, ids: Any, position: int, answers: Any = answers) -> torch.Tensor:
            return torch.nn.functional.one_hot(torch.tensor(next(answers)), 2000).float()

        monkeypatch.setattr(runner, "_forward", scripted)
        ((_, generation),) = runner.generate(prompts)
        assert (generation.finish_reason, generation.outcome, generation.text) == (reason, outcome, text)


def save(config: Any, folder: Path, tiny_model: Path) -> Path:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny_model).save_pretrained(folder)
    return folder


SMALL = {
    "vocab_size": 1000, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 2048, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2,
}  # fmt: skip


def architectures() -> dict[str, Any]:
    from transformers import Gemma3TextConfig, GPT2Config, Lfm2Config, MistralConfig, Qwen2Config

    return {
        "mistral, sliding window": MistralConfig(**SMALL, sliding_window=50, head_dim=8),
        "gemma 3, sliding and full": Gemma3TextConfig(
            **SMALL, sliding_window=40, head_dim=8, layer_types=["sliding_attention", "full_attention"]
        ),
        "qwen 2": Qwen2Config(**SMALL),
        "gpt 2, learned positions": GPT2Config(
            vocab_size=1000, n_embd=32, n_layer=2, n_head=4, n_positions=2048, bos_token_id=0, eos_token_id=1
        ),
        "lfm 2, convolutions": Lfm2Config(**SMALL, layer_types=["conv", "full_attention"]),
    }  # fmt: skip


@pytest.mark.parametrize("name", architectures())
def test_other_architectures_share_prefixes_exactly(name: str, tmp_path: Path, tiny_model: Path) -> None:
    with HfRunner(str(save(architectures()[name], tmp_path / "model", tiny_model)), {"prefill_chunk": 64}) as runner:
        prompts = prompts_of(runner, lengths=(256, 384), depths=(0.0, 0.5, 1.0))
        expected_state = CopyState if "convolutions" in name else WalkState
        assert isinstance(runner._state(8), expected_state)
        assert runner._can_fork, runner.notes
        warm = list(runner.generate(prompts))
        assert [g.text for _, g in warm] == [g.text for _, g in runner.generate(prompts, share=False)]
        assert sum(len(p.ids) - g.cached_tokens for p, g in warm) == tree_size(prompts).shared
        ids = torch.as_tensor(prompts[0].ids.astype("int64"))[None]
        stock = runner._network.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, do_sample=False)
        ours = runner.tokenizer.piece(warm[0][1].text)[:4]
        assert stock[0, ids.shape[1] :].numpy()[: len(ours)].tolist() == ours.tolist() or warm[0][1].text.startswith(
            runner.tokenizer.decode(stock[0, ids.shape[1] : ids.shape[1] + 4].numpy())
        )


def test_a_model_whose_cache_cannot_continue_a_prefix_runs_unshared_and_says_so(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = WalkState.back_to
    monkeypatch.setattr(WalkState, "back_to", lambda self, length: real(self, max(0, length - 1)))  # loses a token at a fork
    with HfRunner(str(tiny_model), {}) as runner:
        assert any("prefix sharing and chunked prefill are off" in note for note in runner.notes)
        monkeypatch.undo()
        assert {g.cached_tokens for _, g in runner.generate(prompts_of(runner))} == {0}


def test_slabs_are_for_layers_that_keep_plain_keys_and_values() -> None:
    configs = architectures()
    assert fits_slab(configs["qwen 2"])
    assert fits_slab(configs["gemma 3, sliding and full"])
    assert not fits_slab(configs["lfm 2, convolutions"])


def test_the_window_is_what_the_configuration_says(tiny_model: Path) -> None:
    assert HfRunner(str(tiny_model), {}).max_length == 4096


def test_the_fingerprint_follows_weights_dtype_chat_and_attention(tiny_model: Path, tmp_path: Path) -> None:
    import shutil

    base = HfRunner(str(tiny_model), {}).fingerprint
    assert HfRunner(str(tiny_model), {}).fingerprint == base
    other = Path(shutil.copytree(tiny_model, tmp_path / "other"))
    assert HfRunner(str(other), {}).fingerprint == base, "a moved folder is the same model"
    weights = other / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-7] ^= 1
    weights.write_bytes(data)
    assert HfRunner(str(other), {}).fingerprint["weights"] != base["weights"]
    for options, field in (
        ({"dtype": "bfloat16"}, "dtype"),
        ({"chat": "off"}, "chat_template"),
        ({"attention": "eager"}, "attention"),
    ):
        changed = HfRunner(str(tiny_model), options).fingerprint
        assert {name for name in base if base[name] != changed[name]} == {field}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtyp": "float32"}, "unknown option of runner hf 'dtyp'. Did you mean 'dtype'"),
        ({"dtype": "int3"}, "dtype='int3'"),
        ({"prefill_chunk": "-1"}, "prefill_chunk='-1'"),
        ({"chat_kwargs": "{no json"}, "chat_kwargs"),
    ],
)
def test_options_that_do_not_fit_are_told(tiny_model: Path, options: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        HfRunner(str(tiny_model), options)
    assert message in str(caught.value)


def test_a_gpu_that_is_not_there_is_told(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ModelError, match="torch sees 0 GPUs"):
        HfRunner(str(tiny_model), {"device": "cuda"})


def test_verify_prefix_reports_what_differs(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []

    class Notes:
        def begin(self, plan: Plan, stored: int) -> None: ...
        def row(self, row: Any) -> None: ...
        def note(self, text: str) -> None:
            notes.append(text)

        def end(self) -> None: ...

    config = RunConfig.checked(
        tasks=("niah",),
        model=str(tiny_model),
        lengths=(256, 384),
        depths=(0.0, 1.0),
        samples=1,
        out=tmp_path / "run",
        verify_prefix=3,
    )
    engine.execute(config, engine.make_runner(config), Notes(), "test")
    assert notes == ["prefix check: 3 of 3 prompts gave the same text when computed from nothing"]


@pytest.mark.parametrize(
    ("text", "stops", "end"),
    [
        (" 42\nNext", ("\n",), 3),
        ("\n42\nNext", ("\n",), 3),
        (":\n\n1. a\n2. b\n\nSo", ("\n\n",), 12),
        (": ", ("\n",), None),
        ("**\n\n", ("\n\n",), None),
        ("42", (), None),
        ("a. b\n", ("\n", "."), 1),
    ],
)
def test_a_stop_string_ends_an_answer_that_has_begun(text: str, stops: tuple[str, ...], end: int | None) -> None:
    from lceval.runners.ending import stop_at

    assert stop_at(text, stops) == end
