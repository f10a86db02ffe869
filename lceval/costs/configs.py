"""From a `config.json` to a shape."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lceval.costs.bundled import BUNDLED
from lceval.costs.families import FAMILIES, Family
from lceval.costs.shapes import Layer, Shape
from lceval.errors import ModelError

_GPT2 = {
    "n_embd": "hidden_size",
    "n_layer": "num_hidden_layers",
    "n_head": "num_attention_heads",
    "n_positions": "max_position_embeddings",
    "n_inner": "intermediate_size",
}
_MULTIMODAL = {"gemma3": "gemma3_text", "mistral3": "mistral", "llava": "llama"}
"""Model types with a decoder inside -> the decoder's, where `text_config` leaves it out."""


def shape_of(model: str, *, revision: str = "") -> Shape:
    """The shape of a model; no weights are read, from the hub nothing but the configuration.

    Args:
        model: a bundled name (`lceval.costs.bundled`), a folder, a GGUF file or a hub name.
        revision: branch, tag or commit on the hub.

    Raises:
        ModelError: there is no such model, or its configuration does not say what is needed.
    """
    if model in BUNDLED and not Path(model).exists():
        return read_config(BUNDLED[model], model)
    from lceval import models

    try:
        folder = models.resolve_config(model, revision=revision or None)
    except ModelError as error:
        raise ModelError(f"{error} Shapes that need no files: {', '.join(BUNDLED)}.") from None
    file = folder / "config.json"
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read the configuration {str(file)!r}: {error}.") from None
    if not isinstance(config, dict):
        raise ModelError(f"the configuration {str(file)!r} holds a {type(config).__name__}, not an object with a model_type.")
    return read_config(config, model)


def read_config(config: Mapping[str, Any], name: str) -> Shape:
    """The shape that a configuration describes.

    Args:
        config: what `config.json` holds.
        name: the model's, for the shape and for messages.

    Raises:
        ModelError: a model type whose layers are not known here, or a value that is missing or makes no sense.
    """
    return _Reader(config, name).shape()


class _Reader:
    def __init__(self, config: Mapping[str, Any], name: str) -> None:
        self._name = name
        outer = str(config.get("model_type", ""))
        inner = config.get("text_config")
        if isinstance(inner, Mapping):
            config = {"model_type": _MULTIMODAL.get(outer, outer), **inner}
        self._type = str(config.get("model_type", ""))
        if self._type not in FAMILIES:
            raise ModelError(
                f"{name!r} is of model type {self._type or 'unknown'!r}, whose layers lceval cannot count from a configuration; it "
                f"knows {', '.join(FAMILIES)}. 'lceval run' does not need this."
            )
        self._family: Family = FAMILIES[self._type]
        named = {_GPT2.get(key, key): value for key, value in config.items()}
        self._values = {**self._family.defaults, **named}

    def _int(self, key: str, default: int | None = None) -> int:
        value = self._values.get(key)
        value = default if value is None else value
        if not isinstance(value, int) or isinstance(value, bool) or value < 0 or (value == 0 and default is None):
            raise ModelError(f"the configuration of {self._name!r} has {key}={value!r}; it takes a whole number of at least 1.")
        return value

    def shape(self) -> Shape:
        hidden, count = self._int("hidden_size"), self._int("num_hidden_layers")
        bias = 1 if self._family.biased else 0
        learned = self._type == "gpt2"
        return Shape(
            name=self._name,
            model_type=self._type,
            hidden=hidden,
            vocabulary=self._int("vocab_size"),
            layers=tuple(self._layer(index, window) for index, window in zip(range(count), self._windows(count), strict=True)),
            tied=bool(self._values.get("tie_word_embeddings", False)),
            positions=self._int("max_position_embeddings") if learned else 0,
            small=hidden * (1 + bias),
            bits=self._bits(),
            trained=self._trained(),
        )

    def _bits(self) -> int:
        quantized = self._values.get("quantization_config") or {}
        bits = quantized.get("bits") or {"fp8": 8, "mxfp4": 4}.get(str(quantized.get("quant_method")))
        if bits is None and quantized:
            bits = 4 if quantized.get("load_in_4bit", True) else 8  # rather too few: nothing that might fit is to be refused
        return int(bits or 0)

    def _trained(self) -> int | None:
        trained = self._int("max_position_embeddings", 0)
        rope = self._values.get("rope_parameters") or self._values.get("rope_scaling") or {}
        original, factor = rope.get("original_max_position_embeddings"), rope.get("factor")
        return max(trained, int(original * factor) if original and factor else 0) or None

    def _windows(self, count: int) -> Iterator[int | None]:
        kinds = self._values.get("layer_types")
        window = self._values.get("sliding_window")
        where = self._family.windows
        if where == "from" and not self._values.get("use_sliding_window"):
            window = None
        for index in range(count):
            if isinstance(kinds, list) and len(kinds) == count:
                if kinds[index] not in ("full_attention", "sliding_attention"):
                    raise ModelError(
                        f"layer {index} of {self._name!r} is of type {kinds[index]!r}, which keeps no plain keys and values; its "
                        "memory is not counted here. 'lceval run' does not need this."
                    )
                slides = kinds[index] == "sliding_attention"
            elif where == "every":
                slides = (index + 1) % self._int("sliding_window_pattern") != 0
            else:
                slides = where == "all" or (where == "from" and index >= self._int("max_window_layers", 28))
            yield int(window) if slides and window else None

    def _layer(self, index: int, window: int | None) -> Layer:
        hidden, heads = self._int("hidden_size"), self._int("num_attention_heads")
        matrices, numbers, kept = self._attention(hidden, heads)
        mlp, active, width, small = self._mlp(index, hidden)
        return Layer(
            heads=heads,
            kv_heads=numbers[0],
            qk_dim=numbers[1],
            v_dim=numbers[2],
            cached=numbers[3],
            window=window,
            attention=matrices,
            mlp=mlp,
            active=active,
            width=width,
            small=kept + small + self._family.norms * hidden * (2 if self._family.biased else 1),
        )

    def _attention(self, hidden: int, heads: int) -> tuple[int, tuple[int, int, int, int], int]:
        """Numbers in matrices; (key/value heads, dimensions of a key, of a value, numbers cached); biases and norms."""
        if self._type.startswith("deepseek"):
            return self._latent(hidden, heads)
        kv_heads = self._int("num_key_value_heads", heads)
        head = self._int("head_dim", hidden // heads or None)
        own, shared = heads * head, kv_heads * head
        family, everything = self._family, self._family.biased or bool(self._values.get("attention_bias"))
        small = (own + 2 * shared) * (family.qkv_bias or everything) + hidden * everything
        small += {"": 0, "head": 2 * head, "full": own + shared}[family.qk_norm]
        return 2 * hidden * (own + shared), (kv_heads, head, head, 2 * shared), small

    def _latent(self, hidden: int, heads: int) -> tuple[int, tuple[int, int, int, int], int]:
        """Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434): keys and values are made from a latent that is cached."""
        latent, nope, rope, v = map(self._int, ("kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"))
        rank = self._int("q_lora_rank", 0)
        q = rank * (hidden + heads * (nope + rope)) if rank else hidden * heads * (nope + rope)
        matrices = q + hidden * (latent + rope) + latent * heads * (nope + v) + heads * v * hidden
        small = rank + latent
        if self._values.get("attention_bias"):
            small += rank + latent + rope + hidden
        return matrices, (heads, nope + rope, v, latent + rope), small

    def _mlp(self, index: int, hidden: int) -> tuple[int, int, int, int]:
        """Numbers in matrices, those that a token meets, numbers between them that a token has, and biases."""
        count = next((self._int(key) for key in ("num_local_experts", "num_experts", "n_routed_experts") if key in self._values), 0)
        matrices = 3 if self._family.gated else 2
        dense = self._int("intermediate_size", 4 * hidden if self._type == "gpt2" else None)
        if not count or self._is_dense(index):
            biases = dense + hidden if self._family.biased else 0
            if self._values.get("mlp_bias"):
                biases = 2 * dense + hidden
            return matrices * hidden * dense, matrices * hidden * dense, matrices * dense, biases
        each, chosen = self._int("moe_intermediate_size", dense), self._int("num_experts_per_tok")
        shared = self._int("shared_expert_intermediate_size", 0) + self._int("n_shared_experts", 0) * each
        gate = hidden if self._int("shared_expert_intermediate_size", 0) else 0
        always = matrices * hidden * shared + hidden * count + gate
        return (
            matrices * hidden * each * count + always,
            matrices * hidden * each * chosen + always,
            matrices * (each * chosen + shared),
            0,
        )

    def _is_dense(self, index: int) -> bool:
        if self._type.startswith("deepseek"):
            return index < self._int("first_k_dense_replace", 0)
        step = self._int("decoder_sparse_step", 1)
        return index in (self._values.get("mlp_only_layers") or []) or (index + 1) % max(step, 1) != 0
