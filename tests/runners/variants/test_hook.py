from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lceval.errors import ModelError, UsageError
from lceval.runners.variants.hook import Hook
from lceval.runners.variants.spec import parse

from .conftest import hook_in, hooked_logits, make, plain_logits, tokens

KINDS = ["llama", "mistral", "qwen2", "qwen3", "gemma2", "gemma3_text", "phi", "phi3", "smollm3", "cohere2", "glm", "gpt_neox",
         "olmo2", "starcoder2", "stablelm", "granite", "nemotron", "mixtral", "arcee", "seed_oss"]  # fmt: skip
NEAR = 1e-5
"""Of the greatest logit: sums in another order."""
VARIANTS = ["", "self_extend(4,16)", "rerope(16)", "leaky(16,4)", "dca(24,40)", "streaming(4,16)", "window(16)+sinks(4)",
            "window(16)+random(0.5)", "window(8)+stride(7)+global(0-2,30)", "segment(32,8)", "yarn(2)@0-2", "logn(16)+temp(2)",
            "alibi", "window(16)+dilate(5)+alibi", "self_extend(4,16)@0+window(8)@1", "dca(24,40)+yarn(2)@0+logn"]  # fmt: skip


def stock(kind: str, ids: Tensor, **changes: Any) -> Tensor:
    network = make(kind, **changes)
    network.set_attn_implementation("eager")
    return plain_logits(network, ids)


def error(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).abs().max() / wanted.abs().max())


@pytest.mark.parametrize("kind", KINDS)
def test_with_nothing_chosen_the_logits_are_stock(kind: str) -> None:
    ids = tokens(100)
    wanted = stock(kind, ids)
    hook = hook_in(make(kind), "")
    assert hook.identity_error == 0.0
    hook.exact = True
    assert torch.equal(hooked_logits(hook, ids), wanted)
    hook.exact = False
    for cuts in (None, [37, 99], [1, 2, 70]):
        assert error(hooked_logits(hook, ids, cuts), wanted) < NEAR


@pytest.mark.parametrize(
    ("kind", "windows", "rotate", "softcap"),
    [
        ("llama", [None] * 3, [True] * 3, None),
        ("mistral", [24] * 3, [True] * 3, None),
        ("gemma2", [24, None, 24], [True] * 3, 50.0),
        ("gemma3_text", [24, None, 24], [True] * 3, None),
        ("cohere2", [24, None, 24], [True, False, True], None),
        ("smollm3", [None] * 3, [True, False, True], None),
    ],
)
def test_the_probe_finds_what_layers_do(kind: str, windows: list[int | None], rotate: list[bool], softcap: float | None) -> None:
    seen = hook_in(make(kind), "").seen
    assert [layer.window for layer in seen] == windows
    assert [layer.rotates for layer in seen] == rotate
    assert [layer.softcap for layer in seen] == [softcap] * 3


LIMITS = ["rerope(100)", "self_extend(1,4)", "self_extend(4,100)", "leaky(8,1)", "leaky(100,8)", "dca(100,100)", "window(100)",
          "window(8)+sinks(100)", "window(8)+global(0-99)", "window(1)+stride(1)", "window(1)+dilate(1)", "window(1)+random(1)",
          "temp(1)", "logn(100)", "streaming(4,100)", "streaming(90,10)", "segment(16,100)", "pi(1)@0-2", "ntk(1)@0-2",
          "yarn(1)@0-2", "yarn(auto)@0-2", "llama3(1)@0-2", "prope(1)@0-2", "segment(100,0)"]  # fmt: skip


@pytest.mark.parametrize("kind", ["llama", "gemma3_text", "gemma2", "phi", "smollm3"])
def test_variants_that_change_nothing_here_are_stock(kind: str) -> None:
    ids = tokens(100)
    wanted = stock(kind, ids)
    for text in LIMITS:
        if not (kind == "phi" and text.startswith("prope")):
            hook = hook_in(make(kind), text)
            assert error(hooked_logits(hook, ids), wanted) < NEAR, text
            assert error(hooked_logits(hook, ids, [64]), wanted) < NEAR, text


@pytest.mark.parametrize("text", VARIANTS)
@pytest.mark.parametrize("kind", ["llama", "gemma3_text", "smollm3"])
def test_pieces_and_single_steps_are_one_pass(kind: str, text: str) -> None:
    ids = tokens(100)
    hook = hook_in(make(kind), text)
    whole = hooked_logits(hook, ids)
    hook.exact = True
    assert error(hooked_logits(hook, ids), whole) < NEAR
    hook.exact = False
    for cuts in ([64], [33, 66, 99], [7, *range(90, 100)]):
        assert error(hooked_logits(hook, ids, cuts), whole) < NEAR
    if text:
        assert error(whole, stock(kind, ids)) > 0.01


@pytest.mark.parametrize("text", VARIANTS)
def test_branches_do_not_disturb_each_other(text: str) -> None:
    hook = hook_in(make("llama"), text)
    stem, ends = tokens(60), [tokens(30, seed) for seed in (2, 3, 4)]
    state = hook.state(100)
    hooked_logits(hook, stem, [], state)
    state.keep()
    found = []
    for end in (*ends, *ends):
        assert state.back_to(60) == 60
        found.append(hooked_logits(hook, end, [20], state))
    for i, end in enumerate(ends):
        cold = hooked_logits(hook, torch.cat((stem, end)), [50])[60:]
        assert error(found[i], cold) < NEAR
        assert torch.equal(found[i], found[i + 3])
    assert state.back_to(0) == 0
    again = hooked_logits(hook, stem, [], state)
    assert error(again, hooked_logits(hook, stem)) < NEAR


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("kind", ["llama", "gemma3_text"])
def test_leaving_gives_the_model_back(kind: str, attention: str) -> None:
    network, other = make(kind), make(kind)
    ids = tokens(100)
    for each in (network, other):
        each.set_attn_implementation(attention)
    before, rotary = plain_logits(network, ids), network.model.rotary_emb
    hook = hook_in(network, "streaming(4,16)+yarn(2)")
    assert not torch.equal(plain_logits(network, ids), before)
    assert torch.equal(plain_logits(other, ids), before), "another model in the process"
    hook.remove()
    assert torch.equal(plain_logits(network, ids), before)
    assert network.model.rotary_emb is rotary
    assert network.config._attn_implementation == attention
    hook.install()
    assert not torch.equal(plain_logits(network, ids), before)


def test_two_variants_live_side_by_side() -> None:
    ids = tokens(80)
    alone = {text: hooked_logits(hook_in(make("llama"), text), ids) for text in ("window(8)", "rerope(4)")}
    hooks = {text: hook_in(make("llama"), text) for text in alone}
    for text, hook in hooks.items():
        assert torch.equal(hooked_logits(hook, ids), alone[text])


def test_nothing_keeps_a_model_alive_that_was_hooked() -> None:
    network = make("llama")
    hook = hook_in(network, "window(8)")
    hooked_logits(hook, tokens(20), [10])
    gone = weakref.ref(network)
    del network, hook
    gc.collect()
    assert gone() is None


SAME = [
    ("llama", "window(8)@0-2", "window(8)"),
    ("llama", "window(8)@every1", "window(8)"),
    ("llama", "window(8)@full", "window(8)"),
    ("llama", "window(8)@every2", "window(8)@0,2"),
    ("llama", "rerope(8)@0,1-2", "rerope(8)"),
    ("gemma3_text", "window(8)@full", "window(8)@1"),
    ("gemma3_text", "window(8)@sliding", "window(8)@0,2"),
    ("gemma2", "rerope(8)@full", "rerope(8)@1"),
    ("mistral", "temp(2)@sliding", "temp(2)"),
    ("gemma3_text", "window(24)", "window(24)@full"),
    ("gemma3_text", "yarn(2)@0-2", "yarn(2)@1"),
]


@pytest.mark.parametrize(("kind", "one", "other"), SAME)
def test_scopes_name_layers(kind: str, one: str, other: str) -> None:
    ids = tokens(80)
    assert torch.equal(hooked_logits(hook_in(make(kind), one), ids), hooked_logits(hook_in(make(kind), other), ids))


def test_a_scope_changes_its_layers_only() -> None:
    ids = tokens(80)
    different = [hooked_logits(hook_in(make("llama"), text), ids) for text in ("", "window(8)@0", "window(8)@1", "window(8)@0-1")]
    for i, one in enumerate(different):
        for other in different[i + 1 :]:
            assert error(one, other) > 0.01
    hook = hook_in(make("gemma3_text"), "rerope(8)@full+temp(2)@sliding+kv(int8,16)@2")
    assert [[atom.name for atom in hook.of(index, "distance", "score", "store")] for index in range(3)] == [
        ["temp"], ["rerope"], ["temp", "kv"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        ("llama", "window(8)@0-3", "@0-3, but this model's 3 layers are 0 to 2"),
        ("llama", "window(8)@0,7", "@0,7, but this model's 3 layers are 0 to 2"),
        ("llama", "window(8)@sliding", "this model has no layers with a sliding window. Leave @sliding out"),
        ("mistral", "window(8)@full", "this model has no layers without a window"),
        ("llama", "yarn(2)@0-1+pi(2)@1-2", "layer 1: pi(2)@1-2 and yarn(2)@0-1 both say how fast phases turn"),
        ("llama", "rerope(8)@every2+leaky(8,2)@2", "layer 2: rerope(8)@every2 and leaky(8,2)@2 both say how far"),
        ("llama", "window(8)@0+sinks(4)", "layer 1: sinks(4) alone would hide a token from itself"),
        ("gemma3_text", "yarn(2)@sliding", "layers with a window keep the phases that they were trained with"),
        ("phi", "prope(0.5)", "rotates only a part of each head already (0.5)"),
    ],
)
def test_what_does_not_fit_the_model_is_told(kind: str, text: str, says: str) -> None:
    network = make(kind)
    ids = tokens(40)
    before = plain_logits(network, ids)
    with pytest.raises(UsageError) as caught:
        hook_in(network, text).use(100)
    assert says in str(caught.value)
    if says.startswith(("layer", "@")):
        assert torch.equal(plain_logits(network, ids), before)


def test_learned_sinks_take_part(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.models.gpt_oss.modeling_gpt_oss import eager_attention_forward as with_sinks
    from transformers.models.llama import modeling_llama

    sinks = torch.tensor([0.5, -1.0, 2.0, 4.0])

    def attend(module: Any, *args: Any, s_aux: Tensor, **kwargs: Any) -> Any:
        module.sinks = s_aux
        return with_sinks(module, *args, **kwargs)

    monkeypatch.setattr(modeling_llama, "eager_attention_forward", attend)
    network, ids = make("llama"), tokens(100)

    @torch.inference_mode()
    def probe(ids: Tensor) -> Tensor:
        return network(ids[None], s_aux=sinks, use_cache=False).logits[0]

    network.set_attn_implementation("eager")
    wanted = probe(ids)
    hook = Hook(network, network.config, parse("window(200)"), probe)
    assert [torch.equal(layer.sinks_H, sinks) for layer in hook.seen if layer.sinks_H is not None] == [True] * 3
    assert error(probe(ids), wanted) < 1e-6
    sinks -= 100  # which the hook has seen as they are
    hook.remove()
    assert error(probe(ids), wanted) > 0.01


REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "llama4_text": ("cache probe: some of its layers keep no plain keys and values", {"head_dim": 16, "num_local_experts": 2}),
    "deepseek_v3": (
        "cache probe: layer 0 does not attend to the keys and values that it puts into its cache",
        {
            "num_key_value_heads": 4, "q_lora_rank": 24, "kv_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8,
            "v_head_dim": 16, "n_routed_experts": 4, "n_group": 1, "topk_group": 1, "num_experts_per_tok": 2,
        },
    ),
    "diffllama": ("cache probe: layer 0 does not attend", {}),
    "gpt_oss": ("rotation probe: layer 0 does not rotate its queries and keys by apply_rotary_pos_emb", {"num_local_experts": 4}),
    "granite_swa": ("identity probe: with nothing chosen, the hook changes its logits by", {}),
    "falcon": ("interface probe: 3 of its layers do not use Transformers' attention interface", {}),
    "mamba": ("rotary probe: it has 0 modules rotary_emb", {}),
    "jamba": ("rotary probe: it has 0 modules rotary_emb", {}),
    "falcon_h1": ("cache probe: some of its layers keep no plain keys and values (recurrent or convolutional state)", {}),
    "lfm2": ("cache probe: some of its layers keep no plain keys", {"layer_types": ["conv", "full_attention", "conv"]}),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_models_that_attend_otherwise_are_refused_by_the_failed_probe(kind: str) -> None:
    says, changes = REFUSED[kind]
    network, ids = make(kind, **changes), tokens(40)
    before, attention = plain_logits(network, ids), network.config._attn_implementation
    with pytest.raises(ModelError) as caught:
        hook_in(network, "window(8)")
    assert f"variant window(8): {kind} fails the {says}" in str(caught.value)
    assert "Run it without a variant" in str(caught.value)
    assert network.config._attn_implementation == attention
    assert torch.equal(plain_logits(network, ids), before)


class Mixer(nn.Module):
    """Attention that is not called so."""

    def forward(self, hidden_states: Tensor, **_: Any) -> tuple[Tensor, None]:
        return hidden_states, None


def doctor(network: Any, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a llama attend in a way that one probe must find."""
    from transformers.models.llama import modeling_llama

    attention = network.model.layers[1].self_attn
    if what == "layers":
        network.model.layers[1].self_attn = Mixer()
    elif what == "positions":
        attention.register_forward_pre_hook(
            lambda _, args, kwargs: ((kwargs.pop("hidden_states"), kwargs.pop("position_embeddings")), kwargs), with_kwargs=True
        )
    elif what == "rotation":
        real = attention.forward
        attention.forward = lambda hidden_states, position_embeddings, **kwargs: real(
            hidden_states=hidden_states, position_embeddings=(position_embeddings[0], -position_embeddings[1]), **kwargs
        )
    elif what == "identity":
        eager = modeling_llama.eager_attention_forward
        monkeypatch.setattr(
            modeling_llama,
            "eager_attention_forward",
            lambda *args, scaling, **kwargs: eager(*args, scaling=scaling * 1.01, **kwargs),
        )
    elif what == "interface":
        attention.forward = lambda hidden_states, **_: (hidden_states, None)
    elif what == "window":
        network.config.sliding_window = 7
    elif what == "rotary":
        network.model.layers[1].rotary_emb = nn.Identity()


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("layers", "layer probe: 2 of its 3 layers have attention of their own"),
        ("positions", "layer probe: layer 1 gets no position_embeddings (cos, sin)"),
        ("rotation", "rotation probe: layer 1 does not rotate"),
        ("identity", "identity probe: with nothing chosen, the hook changes its logits by"),
        ("interface", "interface probe: 1 of its layers do not use Transformers' attention interface"),
        ("window", "window probe: layer 0 says a window of None tokens, its configuration 7"),
        ("rotary", "rotary probe: it has 2 modules rotary_emb"),
    ],
)
def test_each_probe_finds_what_it_is_for(what: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = make("llama")
    doctor(network, what, monkeypatch)
    with pytest.raises(ModelError) as caught:
        hook_in(network, "window(8)")
    assert f"llama fails the {says}" in str(caught.value)
    assert network.config._attn_implementation == "sdpa"


def test_half_precision_is_near() -> None:
    ids = tokens(60)
    hook = hook_in(make("llama").bfloat16(), "")
    assert hook.identity_error < 0.02
    found = hooked_logits(hook, ids, [40])
    assert found.dtype == torch.bfloat16


def changed_by(network: Any, logits: Callable[[Tensor], Tensor], ids: Tensor) -> list[int]:
    """The tokens that, changed, change the last logits."""
    last = logits(ids)[-1]
    found = []
    for place in range(len(ids)):
        other = ids.clone()
        other[place] = ids[place] - 1 if ids[place] > 4 else 9
        if not torch.equal(logits(other)[-1], last):
            found.append(place)
    return found


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("window(1)", lambda n: range(n - 1, n)),
        ("window(5)", lambda n: range(n - 1 - 3 * 4, n)),
        ("window(5)@0-1+window(3)@2", lambda n: range(n - 1 - 2 * 4 - 2, n)),
        ("window(5)+sinks(2)", lambda n: [0, 1, *range(n - 1 - 3 * 4, n)]),
        ("streaming(2,5)", lambda n: [0, 1, *range(n - 1 - 3 * 4, n)]),
        ("window(5)+global(7)", lambda n: [*range(8), *range(n - 1 - 3 * 4, n)]),
        ("window(5)@0-1", lambda n: range(n)),
        ("rerope(5)", lambda n: range(n)),
        ("segment(6,0)", lambda n: range((n - 1) // 6 * 6, n)),
        ("segment(6,4)", lambda n: range((n - 1) // 6 * 6 - 2 * 6 - 4, n)),
        ("window(1)+dilate(9)", lambda n: range((n - 1) % 9, n, 9)),
    ],
)
def test_the_last_token_feels_what_stacked_layers_reach(text: str, reach: Callable[[int], Any]) -> None:
    # Global token 7 has itself felt its window's reach below it: here all of 0 to 6.
    ids = tokens(40)
    hook = hook_in(make("llama"), text)
    for exact in (True, False):
        hook.exact = exact
        assert changed_by(hook, lambda ids: hooked_logits(hook, ids), ids) == list(reach(40))
    pieces = changed_by(hook, lambda ids: hooked_logits(hook, ids, [23, 39]), ids)
    assert pieces == list(reach(40))
