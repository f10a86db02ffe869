"""On a GPU: compiled bands, and whole runs, against the CPU. Skipped where there is none."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lceval.runners.hf import HfRunner

from .conftest import answers, hook_in, hooked_logits, make, prompts_of, tokens

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

BANDS = ["", "yarn(4)", "self_extend(4,256)", "rerope(300)", "leaky(300,4)", "dca(256,512)", "streaming(4,256)", "logn(512)",
         "window(300)+sinks(4)", "window(100)+stride(64)", "window(100)+dilate(37)", "window(100)+random(0.2)",
         "window(64)+global(0-9,400)", "segment(512,256)", "self_extend(4,256)+yarn(2)+window(700)+sinks(4)",
         "window(200)@0+rerope(300)@1"]  # fmt: skip
REST = ["alibi", "topk(64)", "quest(512)", "vslash(100,100)", "flexprefill(0.9)", "xattention(0.9)", "h2o(512)", "tova(512)",
        "snapkv(128)", "pyramid(128)", "kv(int8)", "kv(int4)", "kv(int2)", "kv(fp8)", "chunk(100)"]  # fmt: skip


@pytest.mark.parametrize("variant", BANDS)
def test_a_gpu_gives_the_logits_of_the_cpu(variant: str) -> None:
    shape: dict[str, Any] = {"hidden_size": 256, "head_dim": 64, "initializer_range": 0.05}
    ids = tokens(1500)
    wanted = hooked_logits(hook_in(make("llama", **shape), variant), ids)
    hook = hook_in(make("llama", **shape).cuda(), variant)
    for cuts in ([700, 1100, 1499], [512, 1024], [1]):
        found = hooked_logits(hook, ids.cuda(), cuts).cpu()
        assert float((found - wanted).abs().max() / wanted.abs().max()) < 2e-3


@pytest.mark.parametrize("variant", [*BANDS, *REST])
def test_a_run_on_a_gpu_says_what_one_on_the_cpu_says(variant: str, folder_of: Any) -> None:
    folder = folder_of(hidden_size=256, head_dim=64, initializer_range=0.05)
    found = {}
    for device in ("cpu", "cuda"):
        with HfRunner(str(folder), {"device": device, "dtype": "float32", "prefill_chunk": 200}, variant) as runner:
            prompts = prompts_of(runner, lengths=(700, 1500), depths=(0.0, 0.5, 1.0))
            found[device] = answers(runner, prompts)
    wanted = [generation.logprob for generation in found["cpu"].values()]
    assert [found["cuda"][key].logprob for key in found["cpu"]] == pytest.approx(wanted, abs=5e-3)


def test_bfloat16_agrees_with_float32(folder_of: Any) -> None:
    folder = folder_of(hidden_size=256, head_dim=64, initializer_range=0.05)
    found = {}
    for dtype in ("float32", "bfloat16"):
        with HfRunner(str(folder), {"device": "cuda", "dtype": dtype}, "self_extend(4,256)+window(700)+sinks(4)") as runner:
            found[dtype] = answers(runner, prompts_of(runner, lengths=(1500,)))
    wanted = [generation.logprob for generation in found["float32"].values()]
    assert [found["bfloat16"][key].logprob for key in found["float32"]] == pytest.approx(wanted, abs=0.1)
