"""Caches that evict or pick, against a cache that keeps everything and hides what is gone by a mask for each head."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AutoConfig, AutoModelForCausalLM

from lceval.config import RunConfig
from lceval.errors import UsageError
from lceval.planning import Plan
from lceval.runners.hf import HfRunner
from lceval.runners.variants import keep
from lceval.runners.variants.hook import Hook
from lceval.runners.variants.keep import EvictingLayer, PickingLayer, TurnedLayer, best_and_latest, pick_budget
from lceval.runners.variants.spec import parse
from lceval.tree import branch_points, usable, walk_order
from lceval.types import Generation, Prompt

VOCABULARY = 200
KINDS: dict[str, dict[str, Any]] = {
    "llama": {"num_key_value_heads": 4},
    "llama, groups": {"num_key_value_heads": 2},
    "gemma2, groups": {"num_key_value_heads": 2, "head_dim": 16, "sliding_window": 24},
}
IDS = torch.tensor(np.random.default_rng(7).integers(4, VOCABULARY - 4, 120))
CONTEXT, PROMPT = 80, 100
"""Tokens of the context, and of the prompt; the others are the answer."""
EVICTING = ["h2o(24,16)", "h2o(25,10)", "tova(20,16)", "tova(1,3)", "tova(20,16)+reindex"]
PICKING = ["snapkv(40)", "snapkv(50,question)", "pyramid(48)"]


def model_of(kind: str, layers: int = 2) -> Any:
    """A random model whose heads look at few keys: what is kept matters, and few scores are nearly equal."""
    config = AutoConfig.for_model(
        kind.partition(",")[0],
        vocab_size=VOCABULARY,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=layers,
        num_attention_heads=4,
        max_position_embeddings=512,
        pad_token_id=0,
        initializer_range=0.2,
        **KINDS[kind],
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="eager").eval()


@torch.inference_mode()
def stock_logits(kind: str) -> Tensor:
    found: Tensor = model_of(kind)(IDS[None], use_cache=False).logits[0]
    return found


def prompt_of(ids: Tensor, context: int) -> Prompt:
    return Prompt(ids.numpy().astype(np.uint32), 8, (0, context), (), None, None)  # type: ignore[arg-type]


class Through:
    """A model with a variant, and one cache."""

    def __init__(self, kind: str, variant: str, layers: int = 2) -> None:
        self.spec, self.model = parse(variant), model_of(kind, layers)
        with torch.inference_mode():
            self.hook = Hook(self.model, self.model.config, self.spec, lambda ids: self.model(ids[None], use_cache=False).logits[0])
        self.state = self.hook.state(len(IDS))
        self.prompt = prompt_of(IDS[:PROMPT], CONTEXT)
        keep.begin(self.state, self.prompt)

    @torch.inference_mode()
    def read(self, ids: Tensor, first: int = 0, cuts: Iterable[int] = ()) -> Tensor:
        """Logits of tokens that stand at `first`, in passes that end at `cuts` and wherever they must."""
        last = first + len(ids)
        ends = {*cuts, *keep.ends(self.spec, last), *keep.picks(self.spec, self.prompt)}
        out = []
        for lo, hi in pairwise([first, *sorted(n for n in ends if first < n < last), last]):
            self.hook.cache = self.state.cache
            positions = torch.arange(lo, hi)[None]
            passed = ids[None, lo - first : hi - first]
            out.append(self.model(passed, position_ids=positions, past_key_values=self.state.cache).logits[0])
        return torch.cat(out)

    def layers(self) -> list[Any]:
        return list(self.state.cache.layers)


Policy = Callable[["Masked", int, int, Tensor], None]
"""(what remembers, layer, token, its weights [H, n]): hides what is evicted after this token."""


class Masked:
    """A stock model, a token at a time: nothing is ever deleted, what is evicted is hidden from a head for ever after."""

    def __init__(self, kind: str, policies: Sequence[Policy | None], *, ranks: bool = False) -> None:
        self.model, self._policies, self._ranks = model_of(kind, len(policies)), policies, ranks
        self.keys: list[list[Tensor]] = [[] for _ in policies]
        self.values: list[list[Tensor]] = [[] for _ in policies]
        self.alive = [torch.zeros(self.model.config.num_key_value_heads, 0, dtype=torch.bool) for _ in policies]
        self.notes: list[dict[str, Any]] = [{} for _ in policies]
        if ranks:
            self.model.model.rotary_emb = Unturned(self.model.model.rotary_emb)
        AttentionInterface.register("test_masked", self._attend)
        self.model.set_attn_implementation("test_masked")

    @torch.inference_mode()
    def read(self, ids: Tensor) -> Tensor:
        step = self.model
        return torch.cat(
            [step(ids[None, [t]], position_ids=torch.tensor([[t]]), use_cache=False).logits[0] for t in range(len(ids))]
        )

    def _attend(
        self, module: Any, q: Tensor, k: Tensor, v: Tensor, _: Any, scaling: float, softcap: float | None = None, **kwargs: Any
    ) -> tuple[Tensor, None]:
        layer, group = module.layer_idx, q.shape[1] // k.shape[1]
        self.keys[layer].append(k[0, :, 0])
        self.values[layer].append(v[0, :, 0])
        alive = self.alive[layer] = torch.nn.functional.pad(self.alive[layer], (0, 1), value=True)
        n = alive.shape[1]
        keys, values = torch.stack(self.keys[layer], dim=1), torch.stack(self.values[layer], dim=1)  # [K, n, D]
        weights, out = [], []
        for h in range(q.shape[1]):
            see, query, key = alive[h // group].clone(), q[0, h, 0], keys[h // group]
            if self._ranks:
                place = alive[h // group].cumsum(0) - 1
                query, key = turned(query, place[-1]), turned(key, place)
            if kwargs.get("sliding_window"):
                see &= torch.arange(n) > n - 1 - kwargs["sliding_window"]
            scores = key @ query * scaling
            if softcap:
                scores = softcap * torch.tanh(scores / softcap)
            weights.append(scores.masked_fill(~see, float("-inf")).softmax(0))
            out.append(weights[-1] @ values[h // group])
        policy = self._policies[layer]
        if policy:
            policy(self, layer, n - 1, torch.stack(weights))
        return torch.stack(out)[None, None], None

    def hide_all_but(self, layer: int, head: int, tokens: Iterable[int]) -> None:
        self.alive[layer][head] = False
        self.alive[layer][head, sorted(tokens)] = True

    def held(self, layer: int, head: int) -> list[int]:
        return [int(t) for t in self.alive[layer][head].nonzero()[:, 0]]

    def per_kv_head(self, weights: Tensor) -> Tensor:
        heads = self.model.config.num_key_value_heads
        return torch.stack([part.mean(0) for part in weights.chunk(heads)])


class Unturned(nn.Module):
    def __init__(self, real: Any) -> None:
        super().__init__()
        self.real = real

    def forward(self, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        cos, sin = self.real(*args, **kwargs)
        return torch.ones_like(cos), torch.zeros_like(sin)


def turned(x: Tensor, position: Tensor) -> Tensor:
    """RoPE of Llama, for one vector or for [n, D], as complex numbers."""
    half = x.shape[-1] // 2
    angle = position[..., None] * 10000.0 ** (-torch.arange(half) / half)
    z = torch.complex(x[..., :half], x[..., half:]) * torch.polar(torch.ones_like(angle), angle)
    return torch.cat((z.real, z.imag), dim=-1)


def h2o(budget: int, every: int) -> Policy:
    def policy(masked: Masked, layer: int, token: int, weights: Tensor) -> None:
        sums = masked.notes[layer].setdefault("sums", torch.zeros(masked.alive[layer].shape[0], len(IDS)))
        sums[:, : token + 1] += masked.per_kv_head(weights)
        for head in range(len(sums)) if (token + 1) % every == 0 else ():
            held = masked.held(layer, head)
            recent = held[-(budget - budget // 2) :]
            heavy = sorted(held[: -len(recent)], key=lambda t: (-float(sums[head, t]), t))[: budget // 2]
            masked.hide_all_but(layer, head, recent + heavy)

    return policy


def tova(budget: int, every: int) -> Policy:
    def policy(masked: Masked, layer: int, token: int, weights: Tensor) -> None:
        score = weights.mean(0)
        for head in range(len(masked.alive[layer])) if (token + 1) % every == 0 else ():
            best = sorted(masked.held(layer, head)[:-1], key=lambda t: (-float(score[t]), t))
            masked.hide_all_but(layer, head, [*best[: budget - 1], token])

    return policy


def snapkv(budget: int, at: int) -> Policy:
    def policy(masked: Masked, layer: int, token: int, weights: Tensor) -> None:
        if at - 32 <= token < at:
            padded = nn.functional.pad(weights, (0, len(IDS) - weights.shape[1]))
            masked.notes[layer]["sums"] = masked.notes[layer].get("sums", 0) + masked.per_kv_head(padded)
        if token + 1 == at > budget:
            old = at - 32
            for head, sums in enumerate(masked.notes[layer]["sums"].tolist()):
                pooled = [sum(sums[max(0, t - 2) : min(old, t + 3)]) for t in range(old)]
                best = sorted(range(old), key=lambda t: (-pooled[t], t))[: budget - 32]
                masked.hide_all_but(layer, head, [*best, *range(old, at)])

    return policy


def close(a: Tensor, b: Tensor) -> bool:
    return bool(float((a - b).abs().max() / b.abs().max()) < 2e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("variant", ["h2o(120,16)", "tova(120,1)", "tova(120,16)+reindex", "snapkv(80)", "pyramid(80)"])
def test_a_budget_for_all_tokens_is_full_attention(kind: str, variant: str) -> None:
    assert close(Through(kind, variant).read(IDS), stock_logits(kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("variant", "policy"),
    [
        ("h2o(24,16)", h2o(24, 16)),
        ("h2o(25,10)", h2o(25, 10)),
        ("tova(20,16)", tova(20, 16)),
        ("tova(9,1)", tova(9, 1)),
        ("snapkv(40)", snapkv(40, CONTEXT)),
        ("snapkv(50,question)", snapkv(50, PROMPT)),
    ],
)
def test_deleting_is_masking_for_ever_in_chunks_and_in_single_steps(kind: str, variant: str, policy: Policy) -> None:
    masked = Masked(kind, [policy] * 2).read(IDS)
    assert close(Through(kind, variant).read(IDS, cuts=range(PROMPT, len(IDS))), masked)
    assert not close(masked, stock_logits(kind)), "nothing was evicted"


@pytest.mark.parametrize("kind", ["llama", "llama, groups"])
@pytest.mark.parametrize(("variant", "policy"), [("h2o(24,16)", h2o(24, 16)), ("tova(9,1)", tova(9, 1))])
def test_with_reindex_positions_are_ranks_among_what_a_head_holds(kind: str, variant: str, policy: Policy) -> None:
    masked = Masked(kind, [policy] * 2, ranks=True).read(IDS)
    assert close(Through(kind, f"{variant}+reindex").read(IDS), masked)
    assert not close(Through(kind, variant).read(IDS), masked), "positions play no part"


def test_a_pyramid_is_snapkv_with_a_budget_for_each_layer() -> None:
    budgets = [pick_budget(48, depth, CONTEXT) for depth in (0, 0.5, 1)]
    assert budgets == [63, 48, 33]
    masked = Masked("llama, groups", [snapkv(budget, CONTEXT) for budget in budgets]).read(IDS)
    assert close(Through("llama, groups", "pyramid(48)", layers=3).read(IDS, cuts=[90]), masked)


def test_atoms_for_some_layers_leave_the_others_alone() -> None:
    masked = Masked("llama, groups", [h2o(24, 16), None, snapkv(40, CONTEXT)]).read(IDS)
    through = Through("llama, groups", "h2o(24,16)@0+snapkv(40)@2", layers=3)
    assert close(through.read(IDS, cuts=[50]), masked)
    evicting, all_of_it, picking = through.layers()
    assert isinstance(evicting, EvictingLayer)
    assert type(all_of_it) is TurnedLayer
    assert isinstance(picking, PickingLayer)


@pytest.mark.parametrize("variant", [*EVICTING, *PICKING, "h2o(24,16)+self_extend(4,16)", "snapkv(40)+self_extend(4,16)+temp(1.1)"])
def test_it_does_not_matter_how_tokens_are_cut_into_passes(variant: str) -> None:
    few = Through("llama, groups", variant).read(IDS)
    many = Through("llama, groups", variant).read(IDS, cuts=[1, 2, 37, 38, 75, 81, *range(99, 120, 2)])
    assert close(few, many)


@pytest.mark.parametrize("variant", [*EVICTING, *PICKING, "h2o(24,16)@0+snapkv(40)@1"])
@pytest.mark.parametrize("fork", [70, CONTEXT, 93])
def test_after_going_back_all_is_as_if_it_had_never_been_further(variant: str, fork: int) -> None:
    through = Through("gemma2, groups", variant)
    through.read(IDS[:fork])
    through.state.keep()
    through.read(IDS.flip(0)[: 120 - fork], fork, cuts=range(110, 120))
    other = (IDS[fork:] * 3) % (VOCABULARY - 8) + 4
    for _ in range(2):
        assert through.state.back_to(fork) == fork
        warm = through.read(other, fork, cuts=[105])
    assert close(warm, Through("gemma2, groups", variant).read(torch.cat((IDS[:fork], other)))[fork:])


@pytest.mark.parametrize("variant", ["h2o(24,16)", "tova(20,16)+reindex", "snapkv(40)"])
def test_only_what_was_kept_can_be_reached(variant: str) -> None:
    through = Through("llama", variant)
    whole = through.read(IDS)
    assert through.state.back_to(20) == 0
    through.read(IDS[:30])
    through.state.keep()
    through.read(IDS[30:], 30)
    assert through.state.back_to(45) == 30
    assert close(through.read(IDS[30:], 30), whole[30:])
    assert through.state.back_to(29) == 0
    assert close(through.read(IDS), whole)


@pytest.mark.parametrize("variant", ["h2o(24,16)", "tova(20,16)+reindex", *PICKING])
@pytest.mark.parametrize("begun", [CONTEXT, 96])
def test_a_pass_that_fails_half_way_can_be_taken_back(variant: str, begun: int, monkeypatch: pytest.MonkeyPatch) -> None:
    through = Through("llama, groups", variant)
    whole = through.read(IDS)
    through.state.back_to(0)
    through.read(IDS[:begun])

    def fail(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(through.layers()[1], "attended", fail)
        with pytest.raises(torch.OutOfMemoryError):
            through.read(IDS[begun : begun + 3], begun)
    assert through.state.back_to(begun) == begun
    assert close(through.read(IDS[begun:], begun), whole[begun:])


@pytest.mark.parametrize("kind", KINDS)
def test_snapkv_picks_what_stock_weights_say(kind: str) -> None:
    through = Through(kind, "snapkv(50)")
    through.read(IDS[: CONTEXT + 1])
    stock = model_of(kind)
    with torch.inference_mode():
        attentions = stock(IDS[None, :CONTEXT], output_attentions=True).attentions
    heads = stock.config.num_key_value_heads
    for layer, weights_BHQN in zip(through.layers(), attentions, strict=True):
        score = weights_BHQN[0, :, -32:, :-32].sum(1).view(heads, 4 // heads, -1).mean(1)
        pooled = torch.conv1d(nn.functional.pad(score, (2, 2))[:, None], torch.full((1, 1, 5), 0.2))[:, 0]
        for head in range(heads):
            best = pooled[head].topk(18).indices.tolist()
            assert layer.content.picked.tokens_BKM[0, head].tolist() == sorted([*best, *range(CONTEXT - 32, CONTEXT)])


def test_the_question_reads_all_or_only_what_was_picked() -> None:
    full = stock_logits("llama, groups")
    context = Through("llama, groups", "snapkv(40,context)").read(IDS)
    question = Through("llama, groups", "snapkv(40,question)").read(IDS)
    assert close(context[:CONTEXT], full[:CONTEXT])
    assert not close(context[CONTEXT:PROMPT], full[CONTEXT:PROMPT])
    assert close(question[:PROMPT], full[:PROMPT])
    assert not close(question[PROMPT:], full[PROMPT:])


def test_what_is_held_stays_within_its_bounds() -> None:
    through = Through("llama, groups", "h2o(24,16)")
    most = 0
    for t in range(len(IDS)):
        through.read(IDS[t : t + 1], t)
        most = max(most, *(layer.content.keys_BKND.shape[2] for layer in through.layers()))
    assert most == 24 + 15, "the budget, and what has come since the last eviction"
    for layer in through.layers():
        tokens = layer.content.tokens_BKN
        assert bool((tokens.diff(dim=-1) > 0).all())
        assert not torch.equal(tokens[:, 0], tokens[:, 1]), "heads hold the same"


def test_a_pass_across_an_eviction_or_a_pick_is_a_mistake() -> None:
    for variant, stop in (("h2o(24,16)", 16), ("snapkv(40)", CONTEXT)):
        through = Through("llama", variant)
        through.hook.cache = through.state.cache
        with pytest.raises(AssertionError, match="a forward pass must end where"):
            through.model(IDS[None, : stop + 1], past_key_values=through.state.cache)


def test_of_equal_scores_the_earlier_wins() -> None:
    scores = torch.tensor([[[1.0, 3.0, 1.0, 1.0, 2.0, 1.0]]])
    assert best_and_latest(scores, 4, 2).tolist() == [[[0, 1, 2, 4, 6, 7]]]
    assert best_and_latest(scores, 0, 1).tolist() == [[[6]]]


@pytest.mark.parametrize("layers", [2, 7, 30])
@pytest.mark.parametrize("mean", [33, 40, 63, 256, 1024])
@pytest.mark.parametrize("length", [100, 1000, 100_000])
def test_budgets_of_a_pyramid_fall_evenly_and_have_the_mean_that_was_asked_for(layers: int, mean: int, length: int) -> None:
    budgets = [pick_budget(mean, i / (layers - 1), length) for i in range(layers)]
    assert sum(budgets) == layers * mean
    if mean <= length:
        assert 32 <= budgets[-1] <= budgets[0] <= length
        steps = -np.diff(budgets)
        assert 0 <= steps.min() <= steps.max() <= steps.min() + 1
    else:
        assert min(budgets) >= length
    if length == 100_000:
        assert budgets[0] == pytest.approx(32 + (mean - 32) * 1.95, abs=0.5)


@pytest.mark.parametrize(
    ("variant", "why"),
    [
        ("h2o(1)", "b='1'; take a whole number of at least 2"),
        ("tova(0)", "b='0'"),
        ("h2o(64,0)", "every='0'"),
        ("snapkv(32)", r"b=32, but the last 32 tokens are kept in any case.*take b=256"),
        ("pyramid(20)", r"b=20, but the last 32"),
        ("snapkv(256,see=answer)", r"context \| question"),
        ("h2o(64)+tova(64)", "both say which keys"),
        ("snapkv(64)+reindex", "reindex does not go with snapkv"),
        ("h2o(64)+window(32)+reindex", "needs either one window"),
        ("h2o(64)@0+reindex@1", "must be for the same layers"),
        ("h2o(64)+topk(8)", "both choose keys by content"),
    ],
)
def test_what_does_not_go_together_is_refused(variant: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse(variant)


def test_prompts_share_nothing_beyond_where_only_one_of_them_has_picked() -> None:
    a, b, same = prompt_of(IDS[:110], 90), prompt_of(IDS[:100], 70), prompt_of(IDS[:105], 90)
    context, question, evicting = parse("snapkv(64)"), parse("snapkv(64,question)"), parse("h2o(64)")
    assert keep.shared(context, a, b) == keep.shared(context, b, a) == 70
    assert keep.shared(context, a, same) == 105
    assert keep.shared(question, a, b) == keep.shared(evicting, a, b) == 100
    assert keep.picks(context, a) == {90}
    assert keep.picks(question, a) == {110}
    assert keep.picks(evicting, a) == set()
    assert keep.ends(evicting, 1000) == {256, 512, 768}
    assert keep.ends(context, 1000) == set()
    assert branch_points([a, b], lambda one, other: min(usable(one, other), keep.shared(context, one, other))) == [[70], []]


def prompts_for(runner: HfRunner) -> list[Prompt]:
    settings = RunConfig.checked(
        tasks=("niah",),
        task_params={"keys": 4, "questions": 2, "needle_depths": "same"},
        model=runner.model,
        lengths=(512, 640),
        depths=(0.5, 1.0),
        samples=1,
    )
    plan = Plan(settings, runner.tokenizer)
    made = plan.compose(plan.groups[0])
    # The contexts of these end in the middle of another's; what follows is the same by accident.
    cut = [replace(made[0], ids=made[0].ids[:n], context=(made[0].context[0], n - 30)) for n in (330, 400)]
    return walk_order([*made, *cut])


@pytest.mark.parametrize(
    "variant",
    ["h2o(64,32)", "tova(48,16)+reindex", "snapkv(64)", "pyramid(64,question)", "h2o(64,32)@0+snapkv(64)@1"],
)
def test_the_runner_shares_prefixes_and_reads_what_it_reads_without(
    tiny_model: Path, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Tensor] = []

    def decode(runner: HfRunner, state: Any, prompt: Prompt, logits: Tensor, *, cached: int, prefill_s: float) -> Generation:
        read.append(torch.stack([logits, runner._forward(state, IDS[:1], len(prompt.ids))]))
        return Generation("", 1, cached, 0.0, 0.0, "eos", "ok")

    monkeypatch.setattr(HfRunner, "_decode", decode)
    with HfRunner(str(tiny_model), {"prefill_chunk": 100}, variant) as runner:
        assert not runner.notes, "the probe took eviction for a failure"
        prompts = prompts_for(runner)
        cached = [generation.cached_tokens for _, generation in runner.generate(prompts)]
        assert cached == [0, *(runner._usable(one, other) for one, other in pairwise(prompts))]
        assert sum(cached) > 0.4 * sum(len(prompt.ids) for prompt in prompts)
        list(runner.generate(prompts, share=False))
    assert all(close(warm, cold) for warm, cold in zip(read[: len(prompts)], read[len(prompts) :], strict=True))
