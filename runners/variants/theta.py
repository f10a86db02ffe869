"""How fast phases turn: the `rope_parameters` of a request, fixed from its final length before its first token is computed.

Transformers' own length-dependent types (`dynamic`, `longrope`) change the frequencies while a prompt is read, so that keys which
the cache already holds were rotated by others than the keys that follow. Here they, and `auto`, are resolved once for each request.
Free of torch, except for `rotary`.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lceval.errors import UsageError
from lceval.runners.variants.spec import AUTO, Atom, Spec

_OWN = ("rope_theta", "partial_rotary_factor")
"""What a model's `rope_parameters` say of the model, not of how it is stretched."""


def rope_of(config: Any) -> dict[str, Any]:
    """A model's own `rope_parameters`; empty if it has none.

    Args:
        config: a decoder's text configuration.
    """
    return dict(getattr(config, "rope_parameters", None) or {})


def nested(rope: Mapping[str, Any]) -> bool:
    """Whether there is one set for each type of layer, as in Gemma 3."""
    return bool(rope) and all(isinstance(value, Mapping) or value is None for value in rope.values())


def trained_length(config: Any) -> int:
    """The length that a model was trained for before any RoPE scaling; 0 if the configuration does not say.

    Args:
        config: a decoder's text configuration.
    """
    rope = rope_of(config)
    own = rope.get("full_attention") if nested(rope) else rope
    original = (own or {}).get("original_max_position_embeddings")
    return int(original or getattr(config, "max_position_embeddings", None) or 0)


def own_reach(config: Any) -> int | None:
    """The longest prompt + answer that a model was trained for, or that its own RoPE scaling stretches that to; None: unknown.

    Args:
        config: a decoder's text configuration.
    """
    window = getattr(config, "max_position_embeddings", None)
    rope = rope_of(config)
    original, factor = rope.get("original_max_position_embeddings"), rope.get("factor")
    return max(int(window), int(original * factor)) if window and original and factor else window


def head_dim(config: Any) -> int:
    """Dimensions of a head."""
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


def rotary_dim(config: Any, rope: Mapping[str, Any]) -> int:
    """Dimensions of a head that are rotated."""
    return int(head_dim(config) * float(rope.get("partial_rotary_factor") or getattr(config, "partial_rotary_factor", None) or 1.0))


def varies(spec: Spec, config: Any) -> bool:
    """Whether frequencies depend on a request's final length."""
    rope = rope_of(config)
    own = [rope.get("full_attention") or {}, rope.get("sliding_attention") or {}] if nested(rope) else [rope]
    native = any(each.get("rope_type") in ("dynamic", "longrope") for each in own)
    return native or any(atom.name == "longrope" or AUTO in atom.values for atom in spec.of("theta"))


def resolve(atom: Atom | None, config: Any, length: int) -> dict[str, Any]:
    """The `rope_parameters` of a request.

    Args:
        atom: the atom of the group theta; None: the model's own.
        config: a decoder's text configuration.
        length: tokens of the prompt and its answer together.

    Raises:
        UsageError: the model has no RoPE, or the atom's file is not what it should be.
    """
    rope = rope_of(config)
    if not rope:
        if atom is None:
            return {}
        raise UsageError(
            f"variant {atom}: this model ({config.model_type}) has no RoPE, so its phases cannot be changed. Leave {atom.name} out."
        )
    if nested(rope):  # long context is the business of full attention; windows stay as trained
        if atom and atom.layers == "sliding":
            raise UsageError(f"variant {atom}: this model's layers with a window keep the phases that they were trained with.")
        own = rope.get("full_attention")
        return {**rope, "full_attention": _resolve(atom, dict(own), config, length)} if own else rope
    return _resolve(atom, rope, config, length)


def _resolve(atom: Atom | None, rope: dict[str, Any], config: Any, length: int) -> dict[str, Any]:
    trained = trained_length(config)
    if atom is None:
        return _static(rope, config, trained, length)
    if not trained and (AUTO in atom.values or atom.name in ("yarn", "llama3", "longrope")):
        raise UsageError(
            f"variant {atom}: this model's configuration does not say for how many tokens it was trained "
            f"(max_position_embeddings), which {atom.name} starts from here. Take pi or ntk with a factor, or theta(x)."
        )
    base = {name: rope[name] for name in _OWN if name in rope}
    if atom.name == "longrope":
        return _static(
            base | _factors(atom, rotary_dim(config, rope)) | {"original_max_position_embeddings": trained}, config, trained, length
        )
    if atom.name == "theta":
        return base | {"rope_type": "default", "rope_theta": float(atom["x"])}
    if atom.name == "prope":
        if base.get("partial_rotary_factor", 1.0) != 1.0:
            raise UsageError(
                f"variant {atom}: this model rotates only a part of each head already ({base['partial_rotary_factor']:g})."
            )
        return base | {"rope_type": "proportional", "partial_rotary_factor": float(atom["p"])}
    s = atom["s"]
    factor = float(max(1, math.ceil(length / trained))) if s == AUTO else float(s)
    if factor == 1.0 and s == AUTO:
        return base | {"rope_type": "default"}
    if atom.name == "ntk":
        d = rotary_dim(config, rope)
        return base | {"rope_type": "default", "rope_theta": float(rope["rope_theta"]) * factor ** (d / (d - 2))}
    scaled = base | {"factor": factor, "original_max_position_embeddings": trained}
    if atom.name == "pi":
        return scaled | {"rope_type": "linear"}
    if atom.name == "llama3":
        return scaled | {"rope_type": "llama3", "low_freq_factor": 1.0, "high_freq_factor": 4.0}
    assert atom.name == "yarn", atom.name
    return scaled | {"rope_type": "yarn"}


def _static(rope: dict[str, Any], config: Any, trained: int, length: int) -> dict[str, Any]:
    """Length-dependent types as they are at the final length, for the whole request."""
    if rope.get("rope_type") == "dynamic":
        base = {name: rope[name] for name in _OWN if name in rope}
        limit = int(config.max_position_embeddings)
        d, factor, n = rotary_dim(config, rope), float(rope["factor"]), max(length, limit)
        stretched = float(rope["rope_theta"]) * (factor * n / limit - (factor - 1)) ** (d / (d - 2))
        return base | {"rope_type": "default", "rope_theta": stretched}
    if rope.get("rope_type") == "longrope":
        chosen = rope["long_factor" if length > trained else "short_factor"]
        return {**rope, "short_factor": chosen, "long_factor": chosen}
    return rope


def _factors(atom: Atom, dim: int) -> dict[str, Any]:
    file = str(atom["file"])
    try:
        found = json.loads(Path(file).read_text())
        short, long = ([float(x) for x in found[name]] for name in ("short_factor", "long_factor"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"variant {atom}: {file!r} is no file of LongRoPE factors ({type(error).__name__}: {error}). It must be a JSON object "
            "with the lists short_factor and long_factor, and may have factor and attention_factor."
        ) from None
    if len(short) != dim // 2 or len(long) != dim // 2:
        raise UsageError(f"variant {atom}: {file!r} has {len(short)} and {len(long)} factors; this model has {dim // 2} phases.")
    extra = {name: float(found[name]) for name in ("factor", "attention_factor") if name in found}
    return {"rope_type": "longrope", "short_factor": short, "long_factor": long, **extra}


def reach(spec: Spec, config: Any) -> int | None:
    """The longest prompt + answer for which no distance exceeds the trained ones; None: no limit.

    What is for some layers only does not help the others. (Layers with a window need no help.)

    Args:
        spec: the variant.
        config: a decoder's text configuration.
    """
    trained, own = trained_length(config), own_reach(config)
    if not trained or not own:
        return None
    limit: float = own
    thetas, maps = ([atom for atom in spec.of(group) if atom.layers in ("", "full")] for group in ("theta", "distance"))
    for atom in thetas:
        if atom.name == "longrope" or AUTO in atom.values:
            return None
        limit = trained * float(atom["s"]) if atom.name in ("pi", "ntk", "yarn", "llama3") else trained
    for atom in maps:
        if atom.name == "self_extend":
            group, window = int(atom["G"]), int(atom["W"])
            limit = max(limit, (limit - window) * group + window)
        elif atom.name == "leaky":
            window = int(maps_window(atom, trained))
            limit = max(limit, window + (limit - window) * float(atom["k"]))
        else:
            return None
    return int(limit)


def maps_window(atom: Atom, trained: int) -> int:
    """The near window of `rerope` and `leaky`: a quarter of the trained length unless it is given."""
    return trained // 4 if atom["w"] == AUTO else int(atom["w"])


def rotary(template: Any, config: Any, rope: Mapping[str, Any]) -> Any:
    """A model's own rotary module with other `rope_parameters`.

    Args:
        template: the model's `rotary_emb`.
        config: the decoder's text configuration; it is not changed.
        rope: what `resolve` gave.
    """
    changed = copy.deepcopy(config)
    changed.rope_parameters = copy.deepcopy(dict(rope))
    changed.head_dim = head_dim(config)  # some configurations have it as None, which some of Transformers' types cannot read
    if "original_max_position_embeddings" in rope and hasattr(config, "original_max_position_embeddings"):
        changed.original_max_position_embeddings = rope["original_max_position_embeddings"]  # it would prevail
    made = type(template)(config=changed)
    buffer = next(template.buffers(), None)
    return made if buffer is None else made.to(buffer.device)
