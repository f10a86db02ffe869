"""What a model's attention does, found out without weights, and whether a variant fits it.

The model is built without memory (on torch's device `meta`), and each attention module is called once on nothing: which layers
rotate, their windows and what they put into a cache are what the modules do, not what a table says. `hook.Hook` looks again, with
numbers.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from transformers import AttentionInterface, AutoModelForCausalLM
from transformers.cache_utils import DynamicCache

from lceval.errors import ModelError, UsageError
from lceval.runners.cache import fits_slab
from lceval.runners.variants import theta
from lceval.runners.variants.held import Alike, Attention, check_fits, in_scope
from lceval.runners.variants.hook import Phases, check_layer
from lceval.runners.variants.spec import AUTO, Atom, Spec

NAME = "lceval_look"


def check(spec: Spec, config: Any, *, trust_remote_code: bool = False) -> None:
    """Refuse a variant that does not fit a model before any weights are read.

    Args:
        spec: the variant.
        config: the model's whole configuration.
        trust_remote_code: whether its own code may be run.

    Raises:
        ModelError: the model has no RoPE, or attention of another design.
        UsageError: the variant does not fit it.
    """
    if spec.hooks:
        fit(spec, config, trust_remote_code=trust_remote_code)
    elif spec.of("theta"):
        _check_phases(spec, config.get_text_config(decoder=True))


def fit(spec: Spec, config: Any, *, trust_remote_code: bool = False) -> tuple[Any, list[Alike]]:
    """What a variant makes of a model's layers.

    Returns:
        The model's rotary module, and its layers, those together that are alike, by the first of each.

    Raises:
        ModelError: not a decoder with rotary attention in every layer.
        UsageError: the variant does not fit it.
    """
    text = config.get_text_config(decoder=True)
    _check_phases(spec, text)
    if not fits_slab(text):
        raise ModelError(
            f"variant {str(spec) or 'none'}: some layers of this model ({text.model_type}) keep no plain keys and values "
            "(recurrent or convolutional state). Run it without a variant."
        )
    rotary, seen = look(config, spec, trust_remote_code=trust_remote_code)
    kinds = ["sliding" if attention.window else "full" for attention in seen]
    found: dict[tuple[Attention, tuple[Atom, ...]], list[int]] = {}
    for index, attention in enumerate(seen):
        atoms = tuple(atom for atom in spec.atoms if in_scope(atom, index, kinds))
        check_layer(atoms, f"variant {spec}, layer {index}")
        for atom in atoms:
            if atom.kind.group == "store":
                check_fits(atom, attention.head_dim, text.model_type)
        found.setdefault((attention, atoms), []).append(index)
    return rotary, [Alike(tuple(layers), attention, atoms) for (attention, atoms), layers in found.items()]


def _check_phases(spec: Spec, text: Any) -> None:
    if not theta.rope_of(text):
        raise ModelError(
            f"variant {str(spec) or 'none'}: this model ({text.model_type}) has no RoPE, and variants change how "
            "rotary attention sees the past. Run it without a variant."
        )
    trained = theta.trained_length(text)
    for atom in spec.atoms:
        if AUTO in atom.values and not trained:
            raise UsageError(
                f"variant {atom}: auto is found from the length that the model was trained for, which its configuration does not "
                "say (max_position_embeddings). Write a number."
            )
        if atom.kind.group == "theta":
            theta.resolve(atom, text, max(trained, 1))


def look(config: Any, spec: Spec, *, trust_remote_code: bool = False) -> tuple[Any, list[Attention]]:
    """A model's rotary module, and what each of its attention modules does, found out without weights.

    Args:
        config: the model's whole configuration.
        spec: the variant, for messages.
        trust_remote_code: whether its own code may be run.

    Raises:
        ModelError: not a decoder with rotary attention in every layer.
    """
    text = config.get_text_config(decoder=True)
    heard: list[tuple[Tensor, Tensor, dict[str, Any]]] = []

    def listen(module: Any, q: Tensor, k: Tensor, v: Tensor, *_: Any, **kwargs: Any) -> tuple[Tensor, None]:
        heard.append((q, k, kwargs))
        return q.new_empty(q.shape[0], q.shape[2], q.shape[1], v.shape[-1]), None

    try:
        with torch.device("meta"):
            build: Any = AutoModelForCausalLM.from_config
            network = build(config, trust_remote_code=trust_remote_code)
        AttentionInterface.register(NAME, listen)
        network.set_attn_implementation(NAME)
        rotary = type(Phases(network, text, spec).stock)(config=text)
        kinds = text.layer_types if isinstance(getattr(rotary, "rope_type", None), dict) else [None] * text.num_hidden_layers
        cache, found = DynamicCache(), {}
        for module in network.modules():
            index = getattr(module, "layer_idx", None)
            if isinstance(index, int) and "Attention" in type(module).__name__:
                turned = _call(module, rotary, kinds[index], text.hidden_size, cache)
                (q, k, extra), held = heard[-1], cast(Any, cache.layers[index])
                (gradient,) = torch.autograd.grad(q.float().sum(), turned, allow_unused=True)
                found[index] = Attention(
                    rotates=gradient is not None,
                    window=extra.get("sliding_window"),
                    kind=kinds[index],
                    heads=k.shape[1],
                    head_dim=k.shape[-1],
                    size=held.keys.numel() + held.values.numel(),
                )
    except (TypeError, ValueError, RuntimeError, LookupError, AttributeError) as error:  # of attention that is built otherwise
        raise ModelError(
            f"this model ({text.model_type}) cannot be described: its attention is not built like that of other decoders with RoPE "
            f"({type(error).__name__}: {str(error).splitlines()[0]})."
        ) from error
    if sorted(found) != list(range(text.num_hidden_layers)):
        raise ModelError(
            f"variant {str(spec) or 'none'}: variants are for decoders with attention in every layer; of the "
            f"{text.num_hidden_layers} layers of this model ({text.model_type}) {len(found)} have it. Run it without a variant."
        )
    return rotary, [found[index] for index in sorted(found)]


def _call(module: Any, rotary: Any, kind: str | None, hidden: int, cache: DynamicCache) -> Tensor:
    """Run an attention module on one token without numbers; returns its cosines, which its queries depend on if it rotates them."""
    x = torch.empty(1, 1, hidden, device="meta", dtype=next(module.parameters()).dtype)
    tables: tuple[Tensor, Tensor] = rotary(torch.zeros(1), torch.zeros(1, 1), *([kind] if kind else []))
    cos, sin = (table.to("meta", x.dtype) for table in tables)
    cos.requires_grad_()
    module(hidden_states=x, position_embeddings=(cos, sin), attention_mask=None, past_key_values=cache)
    return cos
