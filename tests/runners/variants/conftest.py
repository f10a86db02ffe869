"""Tiny random decoders, hooks in them, and their logits in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lceval.config import RunConfig
from lceval.planning import Plan
from lceval.runners.hf import HfRunner
from lceval.runners.variants.hook import Hook
from lceval.runners.variants.spec import parse
from lceval.types import Generation, Prompt

COMMON = {
    "vocab_size": 200, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 128, "pad_token_id": 0, "initializer_range": 0.2,
}  # fmt: skip
"""Weights ten times as large as usual, so that attention is sharp and logits feel every key."""
OWN: dict[str, dict[str, Any]] = {
    "mistral": {"sliding_window": 24},
    "qwen3": {"head_dim": 16},
    "gemma2": {"head_dim": 16, "sliding_window": 24},
    "gemma3_text": {
        "head_dim": 16,
        "sliding_window": 24,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
    },
    "smollm3": {"no_rope_layer_interval": 2},
    "cohere2": {"sliding_window": 24, "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]},
    "glm": {"head_dim": 16},
}


def make(kind: str, **changes: Any) -> Any:
    """A decoder of 3 layers with random weights, the same every time, in float32."""
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, **{**COMMON, **OWN.get(kind, {}), **changes})
    return AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()


def hook_in(network: Any, variant: str) -> Hook:
    """A variant in a model."""
    return Hook(network, network.config.get_text_config(), parse(variant), lambda ids: plain_logits(network, ids))


@torch.inference_mode()
def plain_logits(network: Any, ids: Tensor) -> Tensor:
    """Logits [N, V] of token ids [N] in one pass without a cache."""
    found: Tensor = network(ids[None], use_cache=False).logits[0]
    return found


@torch.inference_mode()
def hooked_logits(hook: Hook, ids: Tensor, cuts: Sequence[int] | None = None, state: Any = None) -> Tensor:
    """Logits of a hooked model.

    Args:
        hook: the variant in the model.
        ids: token ids [N].
        cuts: where a new forward pass begins, on a cache; None: one pass without a cache.
        state: the cache to go on with, of `hook.state`; the ids stand behind what it holds.
    """
    hook.use(len(ids))
    if cuts is None:
        hook.cache = None
        return plain_logits(hook._network, ids)
    state = state or hook.state(len(ids))
    hook.cache, before = state.cache, state.cache.get_seq_length()
    found = []
    for begin, end in zip([0, *cuts], [*cuts, len(ids)], strict=True):
        at = torch.arange(before + begin, before + end, device=ids.device)[None]
        found.append(hook._network(ids[None, begin:end], past_key_values=state.cache, position_ids=at).logits[0])
    return torch.cat(found)


def tokens(count: int, seed: int = 1) -> Tensor:
    """Random token ids [N]."""
    return torch.randint(4, 196, (count,), generator=torch.Generator().manual_seed(seed))


@pytest.fixture(autouse=True, scope="package")
def _one_thread() -> Iterator[None]:
    """Threads that wait for each other cost more than these models."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def tiny() -> Callable[..., Any]:
    """`tiny(kind, **config)` makes a model."""
    return make


@pytest.fixture
def hooked() -> Callable[[Any, str], Hook]:
    """`hooked(model, variant)` puts a variant into it."""
    return hook_in


@pytest.fixture
def logits() -> Callable[..., Tensor]:
    """`logits(hook, ids, cuts)`: see `hooked_logits`."""
    return hooked_logits


CHANGES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "max_position_embeddings": 256, "eos_token_id": 1}


@pytest.fixture(scope="module")
def folder_of(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`folder_of(kind, **config)`: a model of sharp attention, with a tokenizer; its configuration says 256 trained tokens."""
    from transformers import AutoTokenizer

    def save(kind: str = "llama", **config: Any) -> Path:
        tokenizer = AutoTokenizer.from_pretrained(tiny_model)
        folder = tmp_path_factory.mktemp(kind)
        make(kind, **{**CHANGES, "vocab_size": len(tokenizer), **config}).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return save


def prompts_of(runner: HfRunner, **settings: Any) -> list[Prompt]:
    settings = {"lengths": (256, 384), "depths": (0.0, 1.0), "samples": 1, "allow_beyond_window": True} | settings
    plan = Plan(RunConfig.checked(tasks=("niah",), model=runner.model, **settings), runner.tokenizer)
    return [replace(prompt, reserved=8) for prompt in plan.compose(plan.groups[0])]  # these models never stop by themselves


def answers(runner: HfRunner, prompts: list[Prompt], **how: Any) -> dict[str, Generation]:
    return {prompt.sample.sample_key: generation for prompt, generation in runner.generate(prompts, **how)}
