"""How a variant gets into a model: through Transformers' attention registry and a rotary module that does not rotate.

With a hook installed, queries and keys reach the attention function as they were projected; it rotates them itself, by what the
bands say. Nothing of the model's code is replaced. What a model really does is found by probing, not by name: which layers rotate,
with which function, window, soft cap and learned sinks. Models whose attention is something else are refused, with the probe that
failed.
"""

from __future__ import annotations

import importlib
import itertools
import json
import math
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface
from transformers.cache_utils import DynamicCache

from lceval.errors import ModelError, UsageError
from lceval.runners.cache import WalkLayer, WalkState, fits_slab
from lceval.runners.variants import pairs, theta
from lceval.runners.variants.attend import Layer, Rotation, Source, partial_by_runs, reference, within
from lceval.runners.variants.held import check_fits, in_scope, sight
from lceval.runners.variants.keep import cache_layer
from lceval.runners.variants.pairs import Band, PositionMap
from lceval.runners.variants.select import Pass, by_content
from lceval.runners.variants.spec import AUTO, BY_CONTENT, GROUPS, LOCAL, Atom, Spec
from lceval.runners.variants.store import PackedLayer
from lceval.types import Prompt

_NUMBERS = itertools.count()
PROBE_TOKENS = 40
FEW_QUERIES = 127
"""On GPUs, up to so many queries a forward pass are products: compiled kernels take blocks of 128."""


@dataclass(frozen=True)
class Seen:
    """What the probe found out about one attention module."""

    module: nn.Module
    scaling: float
    rotates: bool
    apply: Callable[..., tuple[Tensor, Tensor]] | None
    window: int | None
    softcap: float | None
    sinks_H: Tensor | None
    layer_type: str | None
    q_heads: int
    head_dim: int
    """Of values."""


class Phases:
    """A model's rotary module, which is exchanged for every request whose length asks for other frequencies.

    Args:
        network: the model.
        config: its text configuration.
        spec: the variant.

    Raises:
        ModelError: the model has no rotary module, or several.
    """

    def __init__(self, network: nn.Module, config: Any, spec: Spec) -> None:
        found = [name for name, _ in network.named_modules() if name.rpartition(".")[2] == "rotary_emb"]
        if len(found) != 1:
            out = "Run it without a variant." if spec.atoms else "It needs one, since its RoPE changes with the length."
            raise ModelError(
                f"variant {str(spec) or 'none'}: {config.model_type} fails the rotary probe: it has {len(found)} modules "
                f"rotary_emb, not one. {out}"
            )
        parent, _, self._name = found[0].rpartition(".")
        self._parent = network.get_submodule(parent)
        self.stock = getattr(self._parent, self._name)
        self._config, self._atoms = config, spec.of("theta")
        self._made: dict[str, Any] = {}

    def key(self, length: int) -> str:
        """What the frequencies of a request of so many tokens are; equal keys may share a prefix."""
        return json.dumps([theta.resolve(atom, self._config, length) for atom in self._atoms or (None,)], sort_keys=True)

    def rotary(self, atom: Atom | None, length: int) -> Any:
        """The rotary module for a request."""
        rope = theta.resolve(atom, self._config, length)
        if rope == theta.rope_of(self._config):
            return self.stock
        key = json.dumps(rope, sort_keys=True)
        if key not in self._made:
            self._made[key] = theta.rotary(self.stock, self._config, rope)
        return self._made[key]

    def put(self, rotary: Any) -> None:
        """Make this the model's rotary module."""
        setattr(self._parent, self._name, rotary)


class _Still(nn.Module):
    """A rotary module that does not rotate: cos = 1, sin = 0."""

    def __init__(self, real: nn.Module) -> None:
        super().__init__()
        self.real = real

    def forward(self, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        cos, sin = self.real(*args, **kwargs)
        return torch.ones_like(cos), torch.zeros_like(sin)


class _Echo(DynamicCache):
    """A cache that holds one layer's keys and values of one forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.held: tuple[Tensor, Tensor] | None = None

    def update(self, key_states: Tensor, value_states: Tensor, layer_idx: int, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        self.held = key_states, value_states
        return self.held


class Hook:
    """A variant in a model.

    Args:
        network: the model, with stock attention.
        config: its text configuration.
        spec: the variant.
        probe: runs the model on token ids [N] without a cache and gives its logits [N, V].

    Raises:
        ModelError: a probe failed; the message names it.
        UsageError: the variant does not fit this model.
    """

    def __init__(self, network: Any, config: Any, spec: Spec, probe: Callable[[Tensor], Tensor]) -> None:
        self.spec, self._network, self._config = spec, network, config
        self.phases = Phases(network, config, spec)
        self.exact = False
        """Whether everything is computed by definition (`attend.reference`)."""
        self.cache: Any = None
        """The cache of the forward pass that is about to run; its layers may have `sources`."""
        self.prompt: Prompt | None = None
        """The prompt that forward passes read, or answer; None: a probe."""
        self._flex: Any = None
        self.ring: Any = None
        """What spreads the keys over several devices (`lceval.runners.parallel.Shard`); None: they are all here."""
        self.layers: list[Layer] = []
        self._listen: Callable[..., tuple[Tensor, None]] | None = None
        self._name = f"lceval_variant_{next(_NUMBERS)}"
        me = weakref.proxy(self)  # the registry forgets nothing, and must not keep the model alive
        AttentionInterface.register(self._name, lambda *args, **kwargs: (me._listen or me.attend)(*args, **kwargs))
        self._built = ""
        self._stock_attention = network.config._attn_implementation
        try:
            self.seen = self._look(probe)
            self._atoms = self._by_layer()
            for index, seen in enumerate(self.seen):
                for atom in self.of(index, "store"):
                    check_fits(atom, seen.head_dim, config.model_type)
            self.use(1)
            self.install()
        except BaseException:
            self.remove()
            raise

    def state(self, capacity: int) -> WalkState:
        """A cache for prompts of at most `capacity` tokens, their answers included."""
        return WalkState([self._empty(index, capacity) for index in range(len(self.layers))], capacity)

    def _empty(self, index: int, capacity: int) -> WalkLayer:
        if store := self.of(index, "store"):
            return PackedLayer(partial(self.turn, index), store[0], capacity)
        return cache_layer(self, index, capacity)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        found: torch.device = self._network.device
        return found

    def install(self) -> None:
        """Switch the model to this variant."""
        self._network.set_attn_implementation(self._name)
        self.phases.put(_Still(self.phases.stock))

    def remove(self) -> None:
        """Give the model its own rotary module and the attention that it came with back."""
        self.phases.put(self.phases.stock)
        self._network.set_attn_implementation(self._stock_attention)

    def use(self, length: int) -> None:
        """Fix the frequencies for requests of so many tokens, the answer's included."""
        key = self.phases.key(length)
        if key != self._built:  # those of former lengths are not kept: their tables are large
            rotations: dict[tuple[int, str | None], Rotation] = {}
            self.layers = [self._layer(index, length, rotations) for index in range(len(self.seen))]
            self._built = key

    def maps(self, index: int) -> list[PositionMap]:
        """The different ways in which a layer's bands rotate keys."""
        return list(dict.fromkeys(band.k for band in self.layers[index].bands))

    def turn(self, index: int, k_BKND: Tensor, move: PositionMap, first: int) -> Tensor:
        """Keys of tokens `first`, … as a layer's map rotates them."""
        rotation = self.layers[index].rotation
        return k_BKND if rotation is None else rotation.along(k_BKND, move, first)

    def turn_at(self, index: int, k_BKND: Tensor, positions_BKN: Tensor) -> Tensor:
        """Keys as a layer rotates them at positions of their own."""
        rotation = self.layers[index].rotation
        return k_BKND if rotation is None else rotation.at(k_BKND, positions_BKN)

    def attend(
        self,
        module: Any,
        q_BHQD: Tensor,
        k_BKND: Tensor,
        v_BKND: Tensor,
        attention_mask: Tensor | None,
        scaling: float | None = None,
        **_: Any,
    ) -> tuple[Tensor, None]:
        """The attention function; its signature is that of Transformers'.

        Returns:
            [B, Q, H, D], and no weights.
        """
        assert attention_mask is None, "variants know no padding"
        index, rows = module.layer_idx, q_BHQD.shape[2]
        layer, scaling = self.layers[index], self.seen[index].scaling if scaling is None else scaling
        held: Any = self.cache.layers[index] if self.cache is not None else None
        if self.ring is not None and held is not None:
            return self.ring.attend(index, q_BHQD, scaling).transpose(1, 2).contiguous(), None
        first = (held.get_seq_length() if held is not None else k_BKND.shape[2]) - rows
        own = Source(partial(self._turned, index, k_BKND), v_BKND)
        sources = held.sources() if hasattr(held, "sources") else [own]
        ordered = all(source.index_BKN is None for source in sources)
        weigh = getattr(held, "weigh", None)
        choose = layer.select(Pass(q_BHQD, first, sources, layer, scaling, self.prompt)) if layer.select else None
        if layer.plain and ordered and weigh is None and choose is None and not self.exact:
            out = self.partial(q_BHQD, first, sources, layer, scaling)[0].to(q_BHQD.dtype)
        else:
            out = reference(q_BHQD, first, sources, layer, scaling, weigh, choose)
        if hasattr(held, "attended"):
            held.attended(q_BHQD, first, sources, layer, scaling)
        return out.transpose(1, 2).contiguous(), None

    def partial(self, q: Tensor, first: int, sources: list[Source], layer: Layer, scaling: float) -> tuple[Tensor, Tensor]:
        """Output and log-sum-exp by the kernel that suits: on GPUs `flex` for chunks, products for the scores of few queries."""
        if q.device.type == "cuda" and q.shape[2] > FEW_QUERIES:
            if self._flex is None:
                from lceval.runners.variants.flex import Flex

                self._flex = Flex(q.device)
            found: tuple[Tensor, Tensor] = self._flex.partial(q, first, sources, layer, scaling)
            return found
        return partial_by_runs(q, first, sources, layer, scaling)

    def _turned(self, index: int, k: Tensor, move: PositionMap, lo: int, hi: int) -> Tensor:
        return self.turn(index, k[:, :, lo:hi], move, lo)

    def of(self, index: int, *groups: str) -> list[Atom]:
        """The atoms of some groups that are for a layer."""
        return [atom for atom in self._atoms[index] if atom.kind.group in groups]

    def _by_layer(self) -> list[list[Atom]]:
        """The atoms of each layer.

        Raises:
            UsageError: those of some layer do not go together, or an atom is for no layer.
        """
        kinds = ["sliding" if seen.window else "full" for seen in self.seen]
        found = [[atom for atom in self.spec.atoms if in_scope(atom, index, kinds)] for index in range(len(kinds))]
        for index, atoms in enumerate(found):
            check_layer(atoms, f"variant {self.spec}, layer {index}")
        return found

    def _layer(self, index: int, length: int, rotations: dict[tuple[int, str | None], Rotation]) -> Layer:
        seen, trained = self.seen[index], theta.trained_length(self._config)
        rotation = None
        if seen.rotates:
            turns = next(iter(self.of(index, "theta")), None)
            rotary = self.phases.rotary(turns, length)
            key = (id(rotary), seen.layer_type)
            assert seen.apply is not None
            rotation = rotations.setdefault(key, Rotation(rotary, seen.apply, seen.layer_type))
        bands, sights = distance_bands(self.of(index, "distance", "sight", "keep"), trained), sight(self.of(index, "sight"))
        native = [pairs.Near(seen.window)] if seen.window else []
        scores = {atom.name: atom for atom in self.of(index, "score")}
        content = any(atom.name in BY_CONTENT for atom in self.of(index, "sight"))
        return Layer(
            bands=within(bands, *native, *([] if content else sights)),
            rotation=rotation,
            scale=scale(self.of(index, "score"), trained),
            slopes="alibi" in scores,
            softcap=seen.softcap,
            sinks_H=seen.sinks_H,
            select=by_content(self.of(index, "sight"), index),
            beside=sights[0] if content and sights else None,
        )

    @torch.inference_mode()
    def _look(self, probe: Callable[[Tensor], Tensor]) -> list[Seen]:
        """Run the model once with stock attention, and find out what each attention module does."""
        config = self._config

        def refuse(name: str, why: str) -> ModelError:
            return ModelError(
                f"variant {str(self.spec) or 'none'}: {config.model_type} fails the {name} probe: {why}. Run it without a variant."
            )

        if not fits_slab(config):
            raise refuse("cache", "some of its layers keep no plain keys and values (recurrent or convolutional state)")
        modules = {
            m.layer_idx: m
            for m in self._network.modules()
            if isinstance(getattr(m, "layer_idx", None), int) and "Attention" in type(m).__name__
        }
        layers = config.num_hidden_layers
        if sorted(modules) != list(range(layers)):
            raise refuse(
                "layer",
                f"{len(modules)} of its {layers} layers have attention of their own; variants are for decoders with attention in "
                "every layer",
            )
        inputs: dict[int, tuple[tuple[Any, ...], dict[str, Any]]] = {}
        heard: dict[int, tuple[Tensor, Tensor, Tensor, dict[str, Any]]] = {}

        def listen(
            module: Any, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scaling: float | None = None, **kwargs: Any
        ) -> tuple[Tensor, None]:
            heard[module.layer_idx] = (q, k, v, {"scaling": scaling, "head_dim": v.shape[-1], **kwargs})
            group = q.shape[1] // k.shape[1]
            out = nn.functional.scaled_dot_product_attention(
                q, k.repeat_interleave(group, 1), v.repeat_interleave(group, 1), is_causal=True, scale=scaling
            )
            return out.transpose(1, 2).contiguous(), None

        ids = (torch.arange(PROBE_TOKENS, device=self._network.device) * 37 + 11) % (config.vocab_size - 8) + 4
        self._network.set_attn_implementation("eager")
        stock = probe(ids)
        self._listen = listen
        self._network.set_attn_implementation(self._name)
        hooks = [
            module.register_forward_pre_hook(
                lambda _, args, kwargs, index=index: inputs.__setitem__(index, (args, kwargs)), with_kwargs=True
            )
            for index, module in modules.items()
        ]
        try:
            probe(ids)
        finally:
            for handle in hooks:
                handle.remove()
        if sorted(heard) != list(range(layers)):
            raise refuse("interface", f"{layers - len(heard)} of its layers do not use Transformers' attention interface")
        found = []
        for index, module in sorted(modules.items()):
            q, k, _, extra = heard[index]
            args, kwargs = inputs[index]
            turned = kwargs.get("position_embeddings")
            if not (
                isinstance(turned, tuple)
                and len(turned) == 2
                and all(isinstance(x, Tensor) and x.is_floating_point() for x in turned)
            ):
                raise refuse("layer", f"layer {index} gets no position_embeddings (cos, sin)")
            cos, sin = turned
            echo = _Echo()
            still = torch.ones_like(cos), torch.zeros_like(sin)
            cache = "layer_past" if "layer_past" in kwargs else "past_key_values"
            module(*args, **{**kwargs, "position_embeddings": still, cache: echo})
            raw_q, raw_k, raw_v, _ = heard[index]
            if not (echo.held and torch.equal(echo.held[0], raw_k) and torch.equal(echo.held[1], raw_v)):
                raise refuse("cache", f"layer {index} does not attend to the keys and values that it puts into its cache")
            apply = getattr(importlib.import_module(type(module).__module__), "apply_rotary_pos_emb", None)
            rotates = not (torch.equal(raw_q, q) and torch.equal(raw_k, k))
            if rotates:
                if apply and cos.shape[-1] < q.shape[-1]:
                    apply = partial(_apply_to_part, apply)
                try:
                    again = apply(raw_q, raw_k, cos, sin) if apply else None
                except RuntimeError:  # tables of another shape
                    again = None
                if again is None or not all(torch.allclose(a, b, atol=1e-5, rtol=1e-4) for a, b in zip(again, (q, k), strict=True)):
                    raise refuse(
                        "rotation", f"layer {index} does not rotate its queries and keys by apply_rotary_pos_emb(q, k, cos, sin)"
                    )
            window, wanted = extra.get("sliding_window"), _window(config, index)
            if window != wanted:
                raise refuse("window", f"layer {index} says a window of {window} tokens, its configuration {wanted}")
            per_type = isinstance(getattr(self.phases.stock, "rope_type", None), dict)
            found.append(
                Seen(
                    module=module,
                    scaling=float(extra["scaling"]),
                    rotates=rotates,
                    apply=apply,
                    window=window,
                    softcap=extra.get("softcap"),
                    sinks_H=extra.get("s_aux"),
                    layer_type=config.layer_types[index] if per_type else None,
                    q_heads=q.shape[1],
                    head_dim=extra["head_dim"],
                )
            )
        self._listen = None
        self._check_identity(found, stock, probe, ids, refuse)
        return found

    def _check_identity(
        self,
        found: list[Seen],
        stock: Tensor,
        probe: Callable[[Tensor], Tensor],
        ids: Tensor,
        refuse: Callable[[str, str], ModelError],
    ) -> None:
        """With nothing chosen, the hook must give the stock model's logits."""
        self.seen, self._atoms = found, [[] for _ in found]
        self.cache = None
        rotations: dict[tuple[int, str | None], Rotation] = {}
        self.layers = [self._layer(index, len(ids), rotations) for index in range(len(found))]
        self.exact = True
        self.install()
        self.identity_error = float((probe(ids) - stock).abs().max() / stock.abs().max())
        self.exact = False
        if not self.identity_error <= (1e-6 if stock.dtype == torch.float32 and self._network.dtype == torch.float32 else 0.02):
            raise refuse("identity", f"with nothing chosen, the hook changes its logits by {self.identity_error:.2g} (relative)")


def _apply_to_part(
    apply: Callable[..., tuple[Tensor, Tensor]], q: Tensor, k: Tensor, cos: Tensor, sin: Tensor
) -> tuple[Tensor, Tensor]:
    """For models that rotate the first dimensions of a head only, whether `apply` cuts them out itself or not."""
    d = cos.shape[-1]
    turned = apply(q[..., :d], k[..., :d], cos, sin)
    return torch.cat((turned[0], q[..., d:]), dim=-1), torch.cat((turned[1], k[..., d:]), dim=-1)


def _window(config: Any, index: int) -> int | None:
    """The window of a layer, as the configuration says."""
    kinds = getattr(config, "layer_types", None)
    return None if kinds and kinds[index] == "full_attention" else getattr(config, "sliding_window", None)


def check_layer(atoms: Sequence[Atom], where: str) -> None:
    """Check that the atoms of one layer, whose scopes may overlap, go together.

    Raises:
        UsageError: they do not.
    """
    for group, purpose in GROUPS.items():
        same = [atom for atom in atoms if atom.kind.group == group]
        if group not in ("sight", "score") and len(same) > 1:
            raise UsageError(f"{where}: {' and '.join(map(str, same))} both say {purpose}; there can be one for each layer.")
        if group == "sight" and same and not any(atom.name in LOCAL for atom in same):
            raise UsageError(
                f"{where}: {' and '.join(map(str, same))} alone would hide a token from itself and its neighbours; add window(W) "
                "or segment(L,M) for this layer."
            )


def distance_bands(atoms: Iterable[Atom], trained: int) -> tuple[Band, ...]:
    """The bands of a layer's distance map; one that changes nothing if it has none.

    Args:
        atoms: those of the groups distance, sight and keep.
        trained: the model's trained length.
    """
    by_name = {atom.name: atom for atom in atoms}
    if atom := by_name.get("self_extend"):
        return pairs.self_extend(int(atom["G"]), int(atom["W"]))
    if atom := by_name.get("rerope"):
        return pairs.rerope(theta.maps_window(atom, trained))
    if atom := by_name.get("leaky"):
        return pairs.leaky(theta.maps_window(atom, trained), float(atom["k"]))
    if atom := by_name.get("dca"):
        cap = trained * 3 // 4 if atom["c"] == AUTO else int(atom["c"])
        size = min(cap - trained // 8, cap) if atom["s"] == AUTO else int(atom["s"])
        return pairs.dca(size, cap)
    if "reindex" in by_name and "window" in by_name:
        return pairs.streaming(int(by_name["sinks"]["S"]) if "sinks" in by_name else 0, int(by_name["window"]["W"]))
    return (Band(pairs.CAUSAL),)


def scale(atoms: Iterable[Atom], trained: int) -> Callable[[Tensor], Tensor] | None:
    """What the scores of a query are multiplied by; None if by nothing."""
    factor = 1.0
    lengths = []
    for atom in atoms:
        if atom.name == "temp":
            factor /= float(atom["t"])
        elif atom.name == "logn":
            lengths.append(trained if atom["L"] == AUTO else int(atom["L"]))
    if factor == 1.0 and not lengths:
        return None

    def of(i: Tensor) -> Tensor:
        found = torch.full(i.shape, factor, device=i.device)
        for length in lengths:
            found = found * (torch.log(i + 1.0) / math.log(length)).clamp(min=1.0)
        return found

    return of
