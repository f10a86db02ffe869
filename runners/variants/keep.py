"""Which keys and values a cache keeps: the layers of a variant's cache.

    TurnedLayer    everything
    H2OLayer       for each head the latest, and those of the greatest sums of attention; evicts at multiples of `every` tokens
    TovaLayer      those of the greatest attention from the last query, the same for all heads; evicts there too
    PickingLayer   everything, of which SnapKV and PyramidKV pick what is seen once the context, or the whole prompt, is read

What is kept depends on the tokens alone, not on how they are cut into forward passes, as long as passes end at all of `ends` and
`picks`. How much prompts can share is what `shared` says.

Shapes: B batch, H query heads, K key/value heads, Q queries, N keys, M keys that are kept of them, D head dimension.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers.cache_utils import CacheLayerMixin

from lceval.runners.cache import SlabLayer, State
from lceval.runners.variants.attend import Layer, Source, probabilities
from lceval.runners.variants.pairs import PositionMap
from lceval.runners.variants.spec import LAST_QUERIES, Atom, Spec
from lceval.types import Prompt

if TYPE_CHECKING:
    from lceval.runners.variants.hook import Hook

POOL = 5
"""Neighbouring keys whose scores are averaged before SnapKV picks."""


def cache_layer(hook: Hook, index: int, capacity: int) -> TurnedLayer | EvictingLayer:
    """What a variant keeps in one layer of the model.

    Args:
        hook: the variant in the model.
        index: which layer.
        capacity: tokens that must fit.
    """
    atom = next(iter(hook.of(index, "keep")), None)
    if atom is None:
        return TurnedLayer(hook, index, capacity)
    if atom.name in ("h2o", "tova"):
        return (H2OLayer if atom.name == "h2o" else TovaLayer)(hook, index, atom)
    alike = [i for i in range(len(hook.seen)) if atom in hook.of(i, "keep")] if atom.name == "pyramid" else []
    return PickingLayer(hook, index, capacity, atom, alike.index(index) / (len(alike) - 1) if len(alike) > 1 else 0.5)


def ends(spec: Spec, length: int) -> set[int]:
    """Tokens before `length` at which a forward pass must end because something is evicted there."""
    return {n for atom in spec.named("h2o", "tova") for n in range(int(atom["every"]), length, int(atom["every"]))}


def picks(spec: Spec, prompt: Prompt) -> set[int]:
    """Tokens of a prompt at which a forward pass must end because not all is seen from then on."""
    return {picked_at(atom, prompt) for atom in spec.named("snapkv", "pyramid", "quest")}


def picked_at(atom: Atom, prompt: Prompt) -> int:
    """Where the context, or the whole prompt, has been read."""
    return prompt.context[1] if atom["see"] == "context" else len(prompt.ids)


def shared(spec: Spec, one: Prompt, other: Prompt) -> int:
    """How many leading tokens prompts may share at most: none beyond where only one of them has picked."""
    mine, others = picks(spec, one), picks(spec, other)
    return min(mine ^ others, default=min(len(one.ids), len(other.ids)))


def begin(state: State, prompt: Prompt) -> None:
    """Tell a cache which prompt is about to be read."""
    for layer in state.cache.layers:
        if isinstance(layer, PickingLayer):
            layer.begin(prompt)


def best_and_latest(scores_BKN: Tensor, best: int, latest: int) -> Tensor:
    """Places of the greatest scores (of equals, the earlier ones) and of `latest` more keys behind them: [B, K, M], ascending."""
    b, heads, n = scores_BKN.shape
    order = scores_BKN.sort(dim=-1, descending=True, stable=True).indices[..., :best].sort(dim=-1).values
    return torch.cat((order, torch.arange(n, n + latest, device=order.device).expand(b, heads, latest)), dim=-1)


def mean_of_group(x_BHN: Tensor, kv_heads: int) -> Tensor:
    """The mean over the query heads of each key/value head: [B, K, N]."""
    b, _, n = x_BHN.shape
    return x_BHN.reshape(b, kv_heads, -1, n).mean(dim=2)


def _taken(x: Tensor, places_BKM: Tensor) -> Tensor:
    """Some of [B, K, N] or [B, K, N, D]."""
    return x.gather(2, places_BKM if x.dim() == 3 else places_BKM[..., None].expand(*places_BKM.shape, x.shape[-1]))


class TurnedLayer(SlabLayer):  # type: ignore[no-untyped-call]
    """One layer's keys, rotated once for every way in which bands rotate them, and its values, in buffers of a fixed capacity."""

    def __init__(self, hook: Hook, index: int, capacity: int) -> None:
        super().__init__(capacity)
        self._hook, self._index = hook, index

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Allocate on the first update, when shapes, dtype and device are known."""
        (b, h, _, d), d_value = key_states.shape, value_states.shape[-1]
        self._turned = [key_states.new_empty(b, h, self.capacity, d) for _ in self._hook.maps(self._index)]
        self.values = value_states.new_empty(b, h, self.capacity, d_value)
        self.keys = self._turned[0]
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Write new keys, as projected, and values [B, K, n, D] behind the others."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        stop = self.length + key_states.shape[-2]
        assert stop <= self.capacity, f"{stop} tokens in a cache for {self.capacity}"
        for move, held in zip(self._hook.maps(self._index), self._turned, strict=True):
            held[:, :, self.length : stop] = self._hook.turn(self._index, key_states, move, self.length)
        assert self.values is not None
        self.values[:, :, self.length : stop] = value_states
        self.length = stop
        return self._turned[0][:, :, :stop], self.values[:, :, :stop]

    def sources(self) -> list[Source]:
        """All that it holds."""
        by_map = dict(zip(self._hook.maps(self._index), self._turned, strict=True))
        assert self.values is not None
        return [Source(lambda move, lo, hi: by_map[move][:, :, lo:hi], self.values[:, :, : self.length])]


class Remembering:
    """A cache layer that is more than its length. What else it is, at lengths to go back to, is remembered.

    `content` is only ever replaced and never written to, so that remembering it costs nothing.
    """

    length: int
    content: Any

    def _start(self, content: Any) -> None:
        self.length, self.content = 0, content
        self._kept, self._begun = [(0, content)], (0, content)

    def _begin_pass(self) -> None:
        """Remember the present for the case that this forward pass fails."""
        self._begun = (self.length, self.content)

    def keep(self) -> None:
        """Remember the present."""
        if self._kept[-1][0] < self.length:
            self._kept.append((self.length, self.content))

    def reachable(self, length: int) -> int:
        """The longest length, at most `length`, that is remembered."""
        return max(held for held, _ in self._remembered() if held <= length)

    def go_back(self, length: int) -> None:
        """Forget what lies beyond `length`, a reachable one."""
        self.content = next(content for held, content in self._remembered() if held == length)
        self.length = length
        self._kept = [(held, content) for held, content in self._kept if held <= length]
        self._begin_pass()

    def _remembered(self) -> list[tuple[int, Any]]:
        return [*self._kept, self._begun, (self.length, self.content)]


class Slots(NamedTuple):
    """Keys and values in the order of their tokens, for each head others."""

    keys_BKND: Tensor
    """As projected."""
    values_BKND: Tensor
    tokens_BKN: Tensor
    """The index of each token."""
    weights_BKN: Tensor
    """What attention each has got."""


class EvictingLayer(Remembering, CacheLayerMixin, ABC):  # type: ignore[no-untyped-call]
    """A cache layer that keeps no more than its budget whenever the number of tokens seen is a multiple of `every`.

    Args:
        hook: the variant in the model.
        index: which layer.
        atom: `h2o` or `tova`.
    """

    content: Slots | None

    def __init__(self, hook: Hook, index: int, atom: Atom) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._hook, self._index = hook, index
        self._budget, self._every = int(atom["b"]), int(atom["every"])
        self._by_rank = any(other.name == "reindex" for other in hook.of(index, "distance"))
        self._start(None)

    @property
    @abstractmethod
    def latest(self) -> int:
        """How many of the last tokens are always kept."""

    @abstractmethod
    def weighed(self, weights_BKN: Tensor, more_BHQN: Tensor) -> Tensor:
        """What attention the keys have got with that of more queries."""

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Nothing is allocated ahead."""
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Take new keys, as projected, and values [B, K, n, D]."""
        b, heads, n, _ = key_states.shape
        assert self.length % self._every + n <= self._every, "a forward pass must end where something is evicted"
        self._begin_pass()
        tokens = torch.arange(self.length, self.length + n, device=key_states.device).expand(b, heads, n)
        new = Slots(key_states, value_states, tokens, torch.zeros_like(tokens, dtype=torch.float32))
        self.content = Slots(*(torch.cat(pair, dim=2) for pair in zip(self.content, new, strict=True))) if self.content else new
        self.length += n
        return self.content.keys_BKND, self.content.values_BKND

    def sources(self) -> list[Source]:
        """All that it holds."""
        assert self.content is not None
        keys, values, tokens, _ = self.content

        def turned(move: PositionMap, lo: int, hi: int) -> Tensor:
            if self._by_rank:
                return self._hook.turn(self._index, keys[:, :, lo:hi], move, lo)
            return self._hook.turn_at(self._index, keys[:, :, lo:hi], move(tokens[:, :, lo:hi]))

        return [Source(turned, values, index_BKN=tokens, shift=self.length - keys.shape[2] if self._by_rank else 0)]

    def weigh(self, parts: Sequence[Tensor]) -> None:
        """Hear the weights of a chunk of queries, [B, H, Q, N]."""
        assert self.content is not None
        (more,) = parts
        self.content = self.content._replace(weights_BKN=self.weighed(self.content.weights_BKN, more))

    def attended(self, *_: Any) -> None:
        """After attention, evict if it is time."""
        assert self.content is not None
        weights = self.content.weights_BKN
        held = weights.shape[2]
        if self.length % self._every == 0 and held > self._budget:
            places = best_and_latest(weights[..., : held - self.latest], self._budget - self.latest, self.latest)
            self.content = Slots(*(_taken(x, places) for x in self.content))

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Key length and key offset of a mask over all tokens; attention needs none."""
        return self.length + query_length, 0

    def get_seq_length(self) -> int:
        """Tokens seen."""
        return self.length

    def get_max_length(self) -> int:
        """There is no limit."""
        return -1


class H2OLayer(EvictingLayer):  # type: ignore[no-untyped-call]
    """Heavy hitters: for each head, the latest half of the budget and the keys that got the most attention (arXiv:2306.14048)."""

    @property
    def latest(self) -> int:
        """Half of the budget, rounded up."""
        return self._budget - self._budget // 2

    def weighed(self, weights_BKN: Tensor, more_BHQN: Tensor) -> Tensor:
        """The sum over all queries."""
        return weights_BKN + mean_of_group(more_BHQN.sum(dim=2), weights_BKN.shape[1])


class TovaLayer(EvictingLayer):  # type: ignore[no-untyped-call]
    """For all heads the same keys: those to which the last query attends most (arXiv:2401.06104)."""

    latest = 1

    def weighed(self, weights_BKN: Tensor, more_BHQN: Tensor) -> Tensor:
        """The mean of all heads for the last query."""
        return more_BHQN[:, :, -1].mean(dim=1, keepdim=True).expand_as(weights_BKN)


class Picked(NamedTuple):
    """What is seen of the tokens before `stop`."""

    stop: int
    turned: dict[PositionMap, Tensor]
    """Keys [B, K, M, D] by the map they are rotated by."""
    values_BKMD: Tensor
    tokens_BKM: Tensor


class Reading(NamedTuple):
    """What a `PickingLayer` is beyond its keys and values."""

    queries_BHQD: Tensor | None = None
    """Those of the last tokens, as projected."""
    picked: Picked | None = None
    """None: everything is seen."""


class PickingLayer(Remembering, TurnedLayer):  # type: ignore[no-untyped-call]
    """SnapKV (arXiv:2404.14469): once part of a prompt is read, only what its last queries attend to is seen of it.

    Everything stays where it is, for other questions about the same context.

    Args:
        hook: the variant in the model.
        index: which layer.
        capacity: tokens that must fit.
        atom: `snapkv` or `pyramid`.
        depth: of the layer among those of the atom, 0 to 1; 0.5: none is deeper than others.
    """

    content: Reading

    def __init__(self, hook: Hook, index: int, capacity: int, atom: Atom, depth: float) -> None:
        super().__init__(hook, index, capacity)
        self._atom, self._depth = atom, depth
        self._stop: int | None = None
        self._scaling = 1.0
        self._start(Reading())

    def begin(self, prompt: Prompt) -> None:
        """A prompt is about to be read."""
        self._stop = picked_at(self._atom, prompt)

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Write new keys and values behind the others; if these are the first for which it is done, pick before."""
        stop = self.length + key_states.shape[2]
        assert self._stop is None or not self.length < self._stop < stop, "a forward pass must end where keys are picked"
        self._begin_pass()
        if self.length == self._stop:
            self._pick()
        return super().update(key_states, value_states)

    def sources(self) -> list[Source]:
        """All that is seen."""
        (everything,), picked = super().sources(), self.content.picked
        if picked is None:
            return [everything]
        return [
            Source(lambda move, lo, hi: picked.turned[move][:, :, lo:hi], picked.values_BKMD, index_BKN=picked.tokens_BKM),
            Source(
                lambda move, lo, hi: everything.turned(move, picked.stop + lo, picked.stop + hi),
                everything.v_BKND[:, :, picked.stop :],
                first=picked.stop,
            ),
        ]

    def attended(self, q_BHQD: Tensor, first: int, sources: Sequence[Source], layer: Layer, scaling: float) -> None:
        """After attention, remember the last queries."""
        before, picked = self.content
        q = q_BHQD[:, :, -LAST_QUERIES:]
        self.content = Reading((q if before is None else torch.cat((before, q), dim=2))[:, :, -LAST_QUERIES:].clone(), picked)
        self._scaling = scaling

    def _pick(self) -> None:
        budget = pick_budget(int(self._atom["b"]), self._depth, self.length)
        if self.length <= budget:
            return
        queries, (source,), n = self.content.queries_BHQD, super().sources(), self.length
        assert queries is not None
        (weights,) = probabilities(queries, n - LAST_QUERIES, [source], self._hook.layers[self._index], self._scaling)
        scores = mean_of_group(weights.sum(dim=2), source.v_BKND.shape[1])
        pooled = nn.functional.avg_pool1d(scores[..., : n - LAST_QUERIES], POOL, stride=1, padding=POOL // 2)
        places = best_and_latest(pooled, budget - LAST_QUERIES, LAST_QUERIES)
        turned = {move: _taken(source.turned(move, 0, n), places) for move in self._hook.maps(self._index)}
        self.content = Reading(queries, Picked(n, turned, _taken(source.v_BKND, places), places))


def pick_budget(mean: int, depth: float, length: int) -> int:
    """Keys that are seen of `length` in a layer (PyramidKV, arXiv:2406.02069, and its authors' code).

    What goes beyond the last queries' own keys falls linearly with depth, to a twentieth of its mean. Where there are fewer keys
    than the first layer may see, the deeper ones get the rest.
    """
    beyond = mean - LAST_QUERIES
    most = min(2 * beyond - beyond / 20, length - LAST_QUERIES)
    share: float = most + (2 * beyond - 2 * most) * depth
    return LAST_QUERIES + round(share)
