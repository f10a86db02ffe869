"""One GPU: a Llama shape with random weights, lceval against stock Transformers, in one run.

    python tests/benchmarks/gpu.py [--shape 8b] [--lengths 32k,128k] [--grid 4k..128k] [--parts prefill,grid,…] [--variants …]

`prefill`: seconds and peak memory to read a prompt, for lceval with and without variants, and for stock SDPA in turn with it;
the ratio is the median of the rounds.
`grid`: lengths x 11 depths, lceval against `generate` prompt by prompt, the share of the possible gain (by FLOPs) that was
reached, and equal texts; `positions`, `one pass`: needles by `--positions`, and in one context, behind the grid. Prints ratios.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from transformers import AutoModelForCausalLM, LlamaConfig

from lceval import engine, models
from lceval.config import RunConfig
from lceval.lengths import format_length, parse_lengths
from lceval.runners.hf import HfRunner
from lceval.types import Prompt

_NAMES = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads")
SHAPES = {"tiny": (256, 512, 2, 4, 2), "1b": (2048, 8192, 16, 32, 8), "8b": (4096, 14336, 32, 32, 8)}
VARIANTS = [
    "none",
    "yarn(4)",
    "window(2048)+sinks(4)",
    "streaming(4,2048)",
    "self_extend(8,1024)",
    "rerope(8192)",
    "dca",
    "kv(int4)",
]
ROUNDS, ENOUGH_S = 5, 30
"""How often each side reads a prompt, in turn, and after how many seconds no further round begins."""


def shape_folder(shape: str, folder: Path, tokenizer: str) -> Path:
    """A model folder that has everything but weights, with the tokenizer of another model."""
    embedded = models.resolve(tokenizer)
    vocabulary = json.loads((embedded / "config.json").read_text())["vocab_size"]
    config = LlamaConfig(
        **dict(zip(_NAMES, SHAPES[shape], strict=True)),
        vocab_size=vocabulary,
        max_position_embeddings=1 << 20,
        rope_parameters={"rope_type": "default", "rope_theta": 5e5},
    )
    config.architectures = ["LlamaForCausalLM"]
    config.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        if (embedded / name).exists():
            (folder / name).write_text((embedded / name).read_text())
    (folder / "model.safetensors").write_bytes(b"")
    return folder


@contextmanager
def random_weights(device: str, dtype: torch.dtype) -> Iterator[None]:
    """Loading gives a model of small random weights, made where it is used."""

    def made(folder: Path, **kwargs: Any) -> Any:
        torch.manual_seed(0)
        with torch.device(device), patch("torch.nn.init.normal_", lambda tensor, *a, **k: tensor), torch.no_grad():
            network = AutoModelForCausalLM.from_config(LlamaConfig.from_pretrained(folder), dtype=dtype, attn_implementation="sdpa")
            for weight in network.parameters():
                weight.normal_(std=0.02) if weight.dim() > 1 else weight.fill_(1.0)
        return network

    with (
        patch.object(AutoModelForCausalLM, "from_pretrained", made),
        patch.object(models, "weights_identity", lambda folder: "random"),
    ):
        yield


def clock(device: str, work: Callable[[], Any], held: int | None = None) -> tuple[float, float, Any]:
    """Seconds, peak bytes beyond `held` (what is there now), and the result."""
    if device == "cpu":
        begun = time.perf_counter()
        return (result := work(), time.perf_counter() - begun)[1], 0.0, result
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    held = torch.cuda.memory_allocated() if held is None else held
    begun = time.perf_counter()
    result = work()
    torch.cuda.synchronize()
    return time.perf_counter() - begun, torch.cuda.max_memory_allocated() - held, result


def runner_of(folder: Path, device: str, dtype: str, variant: str = "", chunk: int = 0) -> HfRunner:
    return HfRunner(str(folder), {"device": device, "dtype": dtype, "prefill_chunk": chunk}, variant)


@torch.inference_mode()
def stock_prefill(network: Any, ids: torch.Tensor) -> Any:
    return network(input_ids=ids[None], use_cache=True, logits_to_keep=1).logits


def prefill(folder: Path, device: str, dtype: str, lengths: list[int], variants: list[str], chunk: int) -> None:
    stock = AutoModelForCausalLM.from_pretrained(folder)
    for variant in variants:
        with runner_of(folder, device, dtype, variant, chunk) as runner:
            weights = sum(weight.nbytes for network in (stock, runner._network) for weight in network.parameters())
            for length in lengths:
                runner._slab = None
                prompt = _Ids(np.arange(length) * 37 % 40_000 + 4)
                tensor = torch.as_tensor(prompt.ids, device=device)

                def read(prompt: Any = prompt, runner: HfRunner = runner) -> Any:
                    runner._turn_to(len(prompt.ids))
                    state = runner._state(len(prompt.ids) + 64)
                    state.back_to(0)
                    return runner._prefill(state, prompt, 0, [])

                def read_by_stock(tensor: torch.Tensor = tensor) -> Any:
                    return stock_prefill(stock, tensor)

                read()  # compiles, and makes the cache that all prompts of a run live in
                read_by_stock()
                begun, pairs = time.perf_counter(), []
                while len(pairs) < ROUNDS and (not pairs or time.perf_counter() - begun < ENOUGH_S):
                    pairs.append((clock(device, read_by_stock), clock(device, read, weights)))
                (theirs, their_peak, _), (ours, our_peak, _) = (min(side, key=itemgetter(0)) for side in zip(*pairs, strict=True))
                ratio = statistics.median(mine[0] / his[0] for his, mine in pairs)
                name = variant if variant != "none" else "lceval"
                print(
                    f"{name:<24}{format_length(length):>6}{ours:8.2f} s {our_peak / 2**30:6.1f} GiB"
                    f"   stock SDPA in one pass {theirs:8.2f} s {their_peak / 2**30:6.1f} GiB   x{ratio:.3f} of {len(pairs)}",
                    flush=True,
                )


class _Ids:
    """A prompt of nothing but ids."""

    def __init__(self, ids: Any) -> None:
        self.ids = ids


@torch.inference_mode()
def generated(network: Any, prompt: Prompt) -> list[int]:
    ids = torch.as_tensor(prompt.ids.astype("int64"), device=network.device)[None]
    out = network.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=prompt.reserved, min_new_tokens=prompt.reserved, do_sample=False
    )
    return [int(token) for token in out[0, ids.shape[1] :]]


def flops(config: LlamaConfig, spans: list[tuple[int, int]]) -> float:
    """Of reading tokens a..b behind a prefix of a, for every span."""
    head = config.hidden_size // config.num_attention_heads
    linear = 2 * (
        2 * config.hidden_size**2
        + 2 * config.hidden_size * config.num_key_value_heads * head
        + 3 * config.hidden_size * config.intermediate_size
    )
    each = 4 * config.num_attention_heads * head
    return float(config.num_hidden_layers * sum(linear * (b - a) + each * (b * b - a * a) / 2 for a, b in spans))


def grid(folder: Path, device: str, dtype: str, lengths: str, depths: int, parts: list[str], timed_each: int) -> None:
    def plan_of(runner: HfRunner, lengths: str = lengths, **settings: Any) -> list[Prompt]:
        config = RunConfig.checked(tasks=("niah",), model=str(folder), lengths=parse_lengths(lengths), samples=1, **settings)
        plan = engine.make_plan(config, runner)
        return [prompt for group in plan.groups for prompt in plan.compose(group)]

    with runner_of(folder, device, dtype) as runner:
        runner.tokenizer.hf.eos_token = None
        runner.__dict__["_end_tokens"] = set()  # random weights say nothing: everybody answers as long as there is room
        prompts = [_unstopped(prompt) for prompt in plan_of(runner, depths=tuple(i / (depths - 1) for i in range(depths)))]
        list(runner.generate(prompts[:1]))
        shared, peak, done = clock(device, lambda: list(runner.generate(prompts)))
        spans = [(generation.cached_tokens, len(prompt.ids)) for prompt, generation in done]
        texts = {prompt.sample.sample_key: generation.text for prompt, generation in done}
        print(f"grid of {len(prompts)} prompts, lceval: {shared:.1f} s, peak {peak / 2**30:.1f} GiB", flush=True)
        longest = parse_lengths(lengths)[-1]
        step = longest // 16
        triangle = {"lengths": f"{step}..{longest}+{step}", "positions": f"0..{longest - step}/16"}
        others: dict[str, dict[str, Any]] = {
            "positions": triangle,
            "one pass": {"one_pass": True, "depths": tuple(i / (depths - 1) for i in range(depths))},
            "one pass, positions": {"one_pass": True, **triangle},
        }
        timed = {}
        for name, settings in others.items():
            if name.split(",")[0] in parts:
                made = plan_of(runner, **settings)
                seconds, _, done = clock(device, lambda made=made: list(runner.generate([_unstopped(p) for p in made])))  # type: ignore[misc]
                timed[name] = seconds, made
                fewer = sum(len(p.ids) for p in made) / sum(len(p.ids) - g.cached_tokens for p, g in done)
                print(f"{name}: {len(made)} prompts in {seconds:.1f} s, tokens {fewer:.1f} times fewer", flush=True)
        network = runner._network
        network.set_attn_implementation("sdpa")
        network.generation_config.eos_token_id = None
        generated(network, prompts[0])
        chosen = [prompt for _, same in groupby(sorted(prompts, key=_length), _length) for prompt in [*same][:timed_each]]
        one_by_one, peak, stock = clock(device, lambda: [generated(network, prompt) for prompt in chosen])
        one_by_one *= len(prompts) / len(chosen)
        equal = sum(runner.tokenizer.decode(ids) == texts[p.sample.sample_key] for ids, p in zip(stock, chosen, strict=True))
        whole = [(0, len(prompt.ids)) for prompt in prompts]
        possible = flops(runner.text_config, whole) / flops(runner.text_config, spans)
        print(
            f"grid, generate one by one ({len(chosen)} timed, of every length as many): {one_by_one:.1f} s, {peak / 2**30:.1f} GiB"
        )
        tokens = sum(b - a for a, b in whole) / sum(b - a for a, b in spans)
        print(f"tokens {tokens:.2f} times fewer; {possible:.2f} times as fast by FLOPs; by the clock {one_by_one / shared:.2f}")
        print(f"reached {one_by_one / shared / possible:.0%} of what the FLOPs allow; equal texts {equal} of {len(chosen)}")
        for name, (seconds, made) in timed.items():
            naive = one_by_one / flops(runner.text_config, whole) * flops(runner.text_config, [(0, len(p.ids)) for p in made])
            print(
                f"{name}: the grid one by one takes {one_by_one / seconds:.1f} times as long, these one by one (by FLOPs) "
                f"{naive / seconds:.1f} times"
            )


def _length(prompt: Prompt) -> int:
    return prompt.sample.cell.length


def _unstopped(prompt: Prompt) -> Prompt:
    from dataclasses import replace

    return replace(prompt, question=replace(prompt.question, stop=()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", default="8b", choices=SHAPES)
    parser.add_argument("--lengths", default="32k,128k")
    parser.add_argument("--grid", default="4k..128k")
    parser.add_argument("--depths", type=int, default=11)
    parser.add_argument("--parts", default="prefill,grid,positions,one pass", type=lambda text: text.split(","))
    parser.add_argument("--timed", type=int, default=11, help="prompts of each length that generate answers, one by one")
    parser.add_argument("--variants", nargs="*", default=VARIANTS)
    parser.add_argument("--tokenizer", default=models.EMBEDDED, help="a model whose tokenizer the shape gets")
    parser.add_argument("--chunk", type=int, default=0, help="tokens a forward pass of lceval's prefill; 0 = as the runner chooses")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--dtype", help="default: bfloat16 on GPU; float32 to compare texts (random weights give near ties)")
    arguments = parser.parse_args()
    dtype = arguments.dtype or ("float32" if arguments.device == "cpu" else "bfloat16")
    if arguments.device == "cuda":
        print(torch.cuda.get_device_name(), "torch", torch.__version__, "shape", arguments.shape, dtype, flush=True)
    with tempfile.TemporaryDirectory() as folder, random_weights(arguments.device, getattr(torch, dtype)):
        made = shape_folder(arguments.shape, Path(folder), arguments.tokenizer)
        if "prefill" in arguments.parts:
            prefill(made, arguments.device, dtype, list(parse_lengths(arguments.lengths)), arguments.variants, arguments.chunk)
        if "grid" in arguments.parts:
            grid(made, arguments.device, dtype, arguments.grid, arguments.depths, arguments.parts, arguments.timed)


if __name__ == "__main__":
    main()
