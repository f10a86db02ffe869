"""A real vLLM on the CPU: the same grid as `hf`, its cache, its variants, its death."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import lceval
from lceval import engine, models
from lceval.comparing import compare
from lceval.config import RunConfig
from lceval.errors import RunnerError, UsageError
from lceval.rows import Run
from lceval.tree import usable

pytest.importorskip("vllm")
pytestmark = [pytest.mark.xdist_group("vllm"), pytest.mark.filterwarnings("default")]
GRID: dict[str, Any] = {"lengths": "512..2k", "depths": "5", "samples": 1}


@pytest.fixture(scope="module", autouse=True)
def _small_cache() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "2")
        yield


@pytest.fixture(scope="module")
def tiny(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama of 2 layers with heads of 64, since vLLM has no smaller ones on CPUs."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    config = LlamaConfig.from_pretrained(tiny_model, hidden_size=128, num_attention_heads=2, num_key_value_heads=1, head_dim=64)
    folder = tmp_path_factory.mktemp("tiny")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return lceval.run("niah", models.EMBEDDED, runner="vllm", out=tmp_path_factory.mktemp("vllm") / "run", **GRID)


def test_it_says_what_hf_says(served: Run, tmp_path: Path) -> None:
    run = lceval.run("niah", models.EMBEDDED, out=tmp_path / "hf", **GRID)
    found = compare(run, served)
    assert len(found.overall.pairs) == found.overall.same_prompts == 15
    assert found.overall.same_texts >= 0.95 * 15
    assert found.overall.other == 1.0
    assert {row.finish_reason for row in served.rows} <= {"eos", "stop"}
    assert all(row.prefill_s > 0 and row.new_tokens > 1 for row in served.rows)


def test_branches_find_the_blocks_of_their_trunk(served: Run) -> None:
    config = RunConfig.checked(tasks="niah", model=models.EMBEDDED, runner="vllm", **{**GRID, "samples": 1})
    runner = engine.make_runner(config)
    plan = engine.make_plan(config, runner)
    prompts = plan.compose(plan.groups[0])
    block = served.info.environment["engine"]["block_size"]
    shareable = sum(usable(one, other) // block * block for one, other in pairwise(prompts))
    assert shareable > 5000
    assert sum(row.cached_tokens for row in served.rows) >= 0.95 * shareable


def test_what_the_engine_chose_is_recorded(served: Run) -> None:
    chosen = served.info.environment["engine"]
    assert chosen["prefix_caching"] is True
    assert chosen["attention_backend"]
    assert chosen["max_model_len"] == 2048
    assert served.info.fingerprint["batch_invariant"] == "0"


def test_phases_and_windows_are_those_of_hf(tiny: Path) -> None:
    """The probabilities that both give to the same prompt, under a variant that changes them."""
    from vllm import SamplingParams

    from lceval.runners.hf import HfRunner
    from lceval.runners.vllm import VllmRunner

    variant = "yarn(2)+window(100)"
    with HfRunner(str(tiny), {}, variant) as hf:
        config = RunConfig.checked(tasks="niah", model=str(tiny), lengths="512", depths="1.0", samples=1)
        plan = engine.make_plan(config, hf)
        (prompt,) = plan.compose(plan.groups[0])
        import torch

        hf._turn_to(512)
        logits = hf._logits(torch.as_tensor(prompt.ids.astype("int64")), 0, None, keep=0).log_softmax(-1)
    wanted = [float(logits[i - 1, int(token)]) for i, token in enumerate(prompt.ids) if i]
    found = {}
    for name in (variant, ""):
        with VllmRunner(str(tiny), {"prefix_caching": False}, name, longest=512) as runner:
            (out,) = runner._llm.generate(
                [{"prompt_token_ids": prompt.ids.tolist()}],
                SamplingParams(temperature=0, max_tokens=1, prompt_logprobs=1, detokenize=False),
                use_tqdm=False,
            )
        found[name] = [each[int(token)].logprob for each, token in zip(out.prompt_logprobs[1:], prompt.ids[1:], strict=True)]
    assert found[variant] == pytest.approx(wanted, abs=1e-3)
    assert found[""] != pytest.approx(wanted, abs=1e-2)


def test_when_the_engine_dies_what_is_stored_stays(tiny: Path, tmp_path: Path) -> None:
    grid: dict[str, Any] = {"lengths": "256,512", "depths": "3", "samples": 3}

    class Killer:
        """Kills the engine's process at the fourth answer."""

        rows = 0

        def begin(self, plan: Any, stored: int) -> None:
            self.stored = stored

        def row(self, row: Any) -> None:
            self.rows += 1
            if self.rows == 4:
                mine = subprocess.run(["ps", "-o", "pid=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=True)
                for pid in mine.stdout.split():
                    if "EngineCore" in Path(f"/proc/{pid}/cmdline").read_text():
                        os.kill(int(pid), signal.SIGKILL)

        def note(self, text: str) -> None: ...

        def end(self) -> None: ...

    settings: dict[str, Any] = {"runner": "vllm", "out": tmp_path / "run", "model_options": {"concurrency": 2}, **grid}
    with pytest.raises(RunnerError, match=r"the runner 'vllm' died.*is stored; run the same command again"):
        lceval.run("niah", str(tiny), progress=Killer(), **settings)
    before = {row.sample_key: row.output for row in lceval.load_run(tmp_path / "run").rows}
    assert 4 <= len(before) < 18
    run = lceval.run("niah", str(tiny), **settings)
    assert len(run.rows) == len({row.sample_key for row in run.rows}) == 18
    assert {row.sample_key: row.output for row in run.rows}.items() >= before.items()


@pytest.mark.parametrize(
    ("variant", "says"),
    [
        ("self_extend(4,64)", r"self_extend\(4,64\): vLLM does not have it"),
        ("kv(int8)", "vLLM does not have it"),
        ("prope(0.5)", "vLLM does not have it"),
        ("yarn(auto)", "of a length that is not known yet"),
        ("window(64)@0", "for layers of their own"),
    ],
)
def test_what_vllm_has_not_is_refused_by_name(tiny: Path, variant: str, says: str) -> None:
    from lceval.runners.vllm import VllmRunner

    with pytest.raises(UsageError, match=says):
        VllmRunner(str(tiny), {}, variant, longest=512)


def test_lengths_beyond_its_phases_are_refused(tiny: Path) -> None:
    from lceval.runners.vllm import VllmRunner

    VllmRunner(str(tiny), {}, "yarn(2)", longest=8192)
    with pytest.raises(UsageError, match="'yarn' with factor 2 end at 8k"):
        VllmRunner(str(tiny), {}, "yarn(2)", longest=16384)
    runner = VllmRunner(str(tiny), {}, "ntk(2)", longest=16384)
    assert runner._overrides["max_position_embeddings"] == 16384


def test_copies_of_the_engine_are_workers(tiny: Path) -> None:
    from lceval.runners.vllm import VllmRunner

    with pytest.raises(UsageError, match="data_parallel"):
        VllmRunner(str(tiny), {"data_parallel": 2})
