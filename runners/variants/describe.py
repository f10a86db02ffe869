"""What a variant makes of a model, told from the model's configuration: phases, bands, KV bytes and a picture of the distances."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig

from lceval import models
from lceval.describe_variants import hanging, spelled_out
from lceval.errors import ModelError
from lceval.lengths import format_length
from lceval.runners.variants import theta
from lceval.runners.variants.attend import within
from lceval.runners.variants.held import Alike, own_bytes, seen, sight, variant_bytes
from lceval.runners.variants.hook import distance_bands
from lceval.runners.variants.look import fit
from lceval.runners.variants.pairs import Near
from lceval.runners.variants.picture import draw, span
from lceval.runners.variants.spec import AUTO, Atom, Spec
from lceval.runners.variants.words import condition, distance
from lceval.runners.variants.words import layers as names

ROWS = 12
"""Phases that are shown."""
LENGTHS = (8 << 10, 32 << 10, 128 << 10)
"""Tokens for which the KV cache is counted."""


def on_model(spec: Spec, model: str) -> Iterator[str]:
    """The variant spelled out, and what it makes of a model.

    Args:
        spec: the variant.
        model: a name that `lceval.models.resolve` knows.

    Raises:
        ModelError: there is no such model, or it cannot have variants.
        UsageError: the variant does not fit it.
    """
    try:
        config = AutoConfig.from_pretrained(models.resolve_config(model))
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"cannot read the configuration of {model!r}: {error}") from error
    text = config.get_text_config(decoder=True)
    rotary, alike = fit(spec, config)
    yield from spelled_out(spec)
    yield ""
    yield f"{model}: {text.model_type}, {text.num_hidden_layers} layers (probed when its weights are loaded)"
    yield from _reach(spec, text)
    yield from _phases(spec, text, rotary, alike)
    yield from _layers(text, alike)
    yield from _cache(alike)
    yield from _pictures(text, alike)


def _reach(spec: Spec, text: Any) -> Iterator[str]:
    trained, reach = theta.trained_length(text), theta.reach(spec, text)
    if not trained:
        yield "  the configuration does not say for how many tokens it was trained"
        return
    where = "at any length" if reach is None else f"up to {reach:,} tokens of prompt and answer"
    yield from hanging("  ", f"trained for {trained:,} tokens; stays within what it was trained for {where}")


def _phases(spec: Spec, text: Any, rotary: Any, alike: Sequence[Alike]) -> Iterator[str]:
    """Frequencies as they are and as they become, for each kind of layers that rotate."""
    varies = theta.varies(spec, text)
    length = 4 * theta.trained_length(text) if varies else 1
    kinds: dict[tuple[Atom | None, str | None], list[int]] = {}
    for group in alike:
        if group.attention.rotates:
            atom = next((atom for atom in group.atoms if atom.kind.group == "theta"), None)
            kinds.setdefault((atom, group.attention.kind), []).extend(group.layers)
    for (atom, kind), layers in kinds.items():
        changed = theta.rotary(rotary, text, theta.resolve(atom, text, length))
        (own, own_scale), (new, scale) = frequencies(rotary, kind), frequencies(changed, kind)
        title = f"phases of {names(layers)}"
        yield ""
        if torch.equal(own, new) and own_scale == scale:
            yield from hanging("", f"{title}: {len(own)}, as trained; wavelengths from {_wave(own[0])} to {_wave(own[-1])} tokens")
            continue
        yield title + (f", for a request of {length:,} tokens" if varies else "")
        yield f"{'m':>5}{'θ trained':>13}{'wavelength':>13}{'θ here':>13}{'wavelength':>13}{'slower':>11}"
        for m in sorted({round(i * (len(own) - 1) / (ROWS - 1)) for i in range(ROWS)}):
            a, b = float(own[m]), float(new[m])
            slower = f"{a / b:.2f} times" if b else "still"
            yield f"{m:>5}{a:>13.4g}{_wave(a):>13}{b:>13.4g}{_wave(b):>13}{slower:>11}"
        if scale != own_scale:
            times = f"turned queries and keys times {scale:.4g}, and so scores times {scale * scale:.4g}"
            yield from hanging("  ", times + (f" (as trained: {own_scale:.4g})" if own_scale != 1 else ""))


def frequencies(rotary: Any, kind: str | None) -> tuple[Tensor, float]:
    """The frequencies of a rotary module, and what it multiplies cosines and sines by."""
    name = f"{kind}_" if kind else ""
    return getattr(rotary, f"{name}inv_freq").cpu(), float(getattr(rotary, f"{name}attention_scaling"))


def _wave(frequency: float | Tensor) -> str:
    """The wavelength in tokens."""
    tokens = 2 * math.pi / float(frequency) if frequency else math.inf
    return "∞" if math.isinf(tokens) else f"{tokens:,.1f}" if tokens < 1000 else f"{tokens:,.0f}"


def _layers(text: Any, alike: Sequence[Alike]) -> Iterator[str]:
    """What the layers see, how far away, and how sharply."""
    trained = theta.trained_length(text)
    for group in alike:
        yield ""
        yield names(group.layers)
        sees = [condition(see) for see in sight(group.atoms)]
        if group.attention.window:
            sees.append(f"within the model's own window, {condition(Near(group.attention.window))}")
        yield from hanging("  see        ", "; ".join(sees) or "all keys")
        for atom in group.atoms:
            if atom.kind.group == "sight" and not sight([atom]):
                yield from hanging("             ", f"{'and ' if sees else 'of these '}what {atom} chooses by content")
        yield from _distances(group, trained)
        for atom in group.atoms:
            match atom.name:
                case "logn":
                    yield f"  scores     · max(1, ln(i + 1) / ln {trained if atom['L'] == AUTO else atom['L']})"
                case "temp":
                    yield f"  scores     / {atom['t']}"
                case "alibi":
                    yield f"  scores     {atom.kind.formula.removeprefix('s_ij ')}"
            if atom.kind.group in ("keep", "store"):
                yield from hanging("  keep       ", f"{atom}: {atom.kind.says}")


def _distances(group: Alike, trained: int) -> Iterator[str]:
    bands = distance_bands(group.atoms, trained)
    keep = [atom for atom in group.atoms if atom.kind.group == "keep"]
    if not group.attention.rotates:
        yield "  distances  none: these layers do not rotate"
    elif keep and any(atom.name == "reindex" for atom in group.atoms):
        yield f"  distances  rank of i − rank of j among the keys that {keep[0].name} keeps"
    else:
        for n, band in enumerate(bands):
            where = f" where {condition(band.see)}" if len(bands) > 1 else ""
            yield f"{'' if n else '  distances':<13}{distance(band)}{where}"


def _cache(alike: Sequence[Alike]) -> Iterator[str]:
    """Bytes of the KV cache that one context needs."""
    yield ""
    yield f"{'KV cache, bfloat16':<20}{'as it is':>12}{'here':>12}"
    for title, length in [("a token", 1), *((format_length(n), n) for n in LENGTHS)]:
        own, here = (sum(len(group.layers) * of(group, length) for group in alike) for of in (own_bytes, variant_bytes))
        yield f"  {title:<18}{_size(own):>12}{_size(here):>12}"
    names = {atom.name for group in alike for atom in group.atoms}
    if names & {"snapkv", "pyramid"}:
        yield "  (all of it while the context is read)"
    if names & {"window", "sinks", "segment", "stride"}:
        yield from hanging("  ", "(lceval also holds what nobody sees any more, to return to branch points)")


def _size(number: float) -> str:
    units = iter(("B", "KiB", "MiB", "GiB", "TiB"))
    unit = next(units)
    while number >= 1024:
        number, unit = number / 1024, next(units)
    return f"{number:,.4g} {unit}" if number < 1000 else f"{number:,.0f} {unit}"


def _pictures(text: Any, alike: Sequence[Alike]) -> Iterator[str]:
    """The distances of keys from queries, for the layers whose atoms change them or hide keys."""
    for group in alike:
        bands = distance_bands(group.atoms, theta.trained_length(text))
        length = span(group.atoms, bands)
        if length and group.attention.rotates:
            yield ""
            yield from hanging("", f"distance of key j (across) from query i (down) in {names(group.layers)}, {length:,} tokens")
            yield from draw(within(bands, seen(group)), length)
