"""One context over several devices of a host: each rank holds the keys and values of a part of the tokens.

A chunk is cut into as many slices as there are ranks. Each rank computes its own slice; in attention the queries go round and every
rank answers them from the keys that it holds; the parts of each softmax merge by log-sum-exp, so the result is that of one device
(ring attention with queries passed on, arXiv:2310.01889, arXiv:2411.01783: cheaper than passing keys where the prefix is longer
than the chunk). The last tokens of a chunk, and single ones, are computed by every rank and held by one of them.

Rank 0 is the process that runs lceval; the others load the model and repeat its calls.
"""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin

from lceval.errors import ModelError
from lceval.runners.variants.attend import Source, merge
from lceval.runners.variants.hook import Hook
from lceval.runners.variants.pairs import PositionMap

TIMEOUT = timedelta(minutes=10)
"""How long a rank waits for another before it gives up."""


class ShardLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]
    """The keys and values of one layer that this rank holds, in runs of tokens that follow each other."""

    is_sliding = False
    is_croppable = True

    def __init__(self, shard: Shard, index: int, capacity: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._shard, self._index, self._capacity = shard, index, capacity
        self._turned: list[Tensor] = []
        self.length = 0
        """Tokens of all ranks."""

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Allocate on the first update, when shapes, dtype and device are known."""
        (b, h, _, d), d_value = key_states.shape, value_states.shape[-1]
        self._turned = [key_states.new_empty(b, h, self._capacity, d) for _ in self._shard.hook.maps(self._index)]
        self.values = value_states.new_empty(b, h, self._capacity, d_value)
        self.keys = self._turned[0]
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Hold the keys and values [B, K, n, D] of this pass if they are this rank's; returns them as they came."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        shard = self._shard
        assert self.values is not None
        if shard.holds:
            (first, begin), n = shard.runs[-1], key_states.shape[2]
            if begin + n > self._capacity:
                raise torch.OutOfMemoryError(f"rank {shard.rank} has room for {self._capacity} tokens and would hold {begin + n}")
            for move, held in zip(shard.hook.maps(self._index), self._turned, strict=True):
                held[:, :, begin : begin + n] = shard.hook.turn(self._index, key_states, move, first)
            self.values[:, :, begin : begin + n] = value_states
        return key_states, value_states

    def sources(self) -> list[Source]:
        """All that this rank holds."""
        by_map = dict(zip(self._shard.hook.maps(self._index), self._turned, strict=True))

        def turned(begin: int, move: PositionMap, lo: int, hi: int) -> Tensor:
            return by_map[move][:, :, begin + lo : begin + hi]

        assert self.values is not None
        return [
            Source(partial(turned, begin), self.values[:, :, begin:end], first=first)
            for first, begin, end in self._shard.held_runs()
        ]

    def get_seq_length(self) -> int:
        """Tokens that all ranks hold."""
        return self.length

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """(key length, key offset) of a mask for the next `query_length` tokens."""
        return self.length + query_length, 0

    def get_max_length(self) -> int:
        """Tokens that fit on this rank."""
        return self._capacity


class Shard:
    """What one rank does; every method is called on all ranks at once.

    Args:
        rank: this rank.
        world: how many there are.
        hook: the variant (or none) in this rank's model.
        logits: (ids [n], position, cache, keep) -> logits [keep, V] of this rank's model.
    """

    def __init__(self, rank: int, world: int, hook: Hook, logits: Callable[[Tensor, int, Any, int], Tensor]) -> None:
        self.rank, self.world, self.hook, self._logits = rank, world, hook, logits
        self.runs: list[tuple[int, int]] = []
        """First token, and where it is held, of each run of tokens that follow each other."""
        self.holds = False
        """Whether this rank holds the tokens of the present pass."""
        self._held = self._length = self._first = 0
        self._split = False
        self._layers: list[ShardLayer] = []
        if not all(layer.plain for layer in hook.layers):
            raise ModelError(
                "context_parallel needs scores that merge; this model has a soft cap, learned sinks or other additions to them."
            )
        hook.ring = self

    def state(self, capacity: int) -> None:
        """Make room for `capacity` tokens in all."""
        own = -(-capacity // self.world) + 1024  # the tokens that every rank computes are not spread evenly
        self._layers = [ShardLayer(self, index, min(own, capacity)) for index in range(len(self.hook.layers))]
        self.cache = Cache(layers=[*self._layers])
        self.back_to(0)

    def back_to(self, length: int) -> None:
        """Forget the tokens from `length` on."""
        held = 0
        kept = []
        for first, begin, end in self.held_runs():
            if first < length:
                kept.append((first, begin))
                held = min(end, begin + length - first)
        self.runs, self._held = kept, held
        self._seen(length)

    def held_runs(self) -> list[tuple[int, int, int]]:
        """(first token, begin, end) of each run in the buffers."""
        ends = [*(begin for _, begin in self.runs[1:]), self._held]
        return [(first, begin, end) for (first, begin), end in zip(self.runs, ends, strict=False) if end > begin]

    def turn_to(self, length: int) -> None:
        """Fix how fast phases turn, for requests of so many tokens."""
        self.hook.use(length)

    def forward(self, ids: Sequence[int], position: int, keep: int) -> Tensor:
        """One chunk: the first tokens in slices, the last ones everywhere.

        Returns:
            [keep, V] logits of the last tokens, on every rank.
        """
        device = self.hook.device
        together = max(keep, 1)
        sliced = (len(ids) - together) // self.world
        if sliced:
            begin = self.rank * sliced
            self._pass(torch.tensor(ids[begin : begin + sliced], device=device), position, sliced * self.world, position + begin)
        rest = torch.tensor(ids[sliced * self.world :], device=device)
        return self._pass(rest, position + sliced * self.world, len(rest), None, keep)

    def _pass(self, ids: Tensor, first: int, tokens: int, own: int | None, keep: int = 1) -> Tensor:
        self._split, self._first = own is not None, first
        self.holds = self._split or first % self.world == self.rank
        if self.holds:
            self.runs.append((first if own is None else own, self._held))
            self._held += len(ids)
        self._seen(first + tokens)
        return self._logits(ids, first if own is None else own, self.cache, keep)

    def _seen(self, length: int) -> None:
        for layer in self._layers:
            layer.length = length

    def attend(self, index: int, q_BHQD: Tensor, scaling: float) -> Tensor:
        """Attention of this rank's queries over the keys of all ranks [B, H, Q, D]."""
        layer, sources = self.hook.layers[index], self._layers[index].sources()
        if not self._split:
            out, lse = self.hook.partial(q_BHQD, self._first, sources, layer, scaling)
            mine = torch.cat((out, lse[..., None]), dim=-1)
            parts = [torch.empty_like(mine) for _ in range(self.world)]
            dist.all_gather(parts, mine)
        else:
            everybody = [torch.empty_like(q_BHQD) for _ in range(self.world)]
            dist.all_gather(everybody, q_BHQD.contiguous())
            out, lse = self.hook.partial(torch.cat(everybody, dim=2), self._first, sources, layer, scaling)
            sent = torch.stack(torch.cat((out, lse[..., None]), dim=-1).chunk(self.world, dim=2))
            received = torch.empty_like(sent)
            dist.all_to_all_single(received, sent)
            parts = list(received)
        merged = parts[0][..., :-1], parts[0][..., -1]
        for part in parts[1:]:
            merged = merge(merged, (part[..., :-1], part[..., -1]))
        return merged[0].to(q_BHQD.dtype)


class Ranks:
    """The other ranks, as rank 0 sees them: a call goes to all of them and to its own shard.

    Args:
        world: ranks, this process being one of them.
        device: the kind of device; rank r takes the r-th.
        load: (rank, world) -> the shard of a rank; picklable, called in the process of each other rank.

    `shard` is this process's own, to be set before the first call.
    """

    def __init__(self, world: int, device: str, load: Callable[[int, int], Any]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="lceval-ranks-")
        self._world = world
        meeting = str(Path(self._folder.name) / "meeting")
        spawn = get_context("spawn")
        self._processes = [
            spawn.Process(target=_work, args=(rank, world, device, meeting, load), daemon=True) for rank in range(1, world)
        ]
        for process in self._processes:
            process.start()
        _join(0, world, device, meeting)
        self.shard: Shard | None = None

    def call(self, method: str, *args: Any) -> Any:
        """Call a method of `Shard` on all ranks.

        Raises:
            ModelError: a rank died; what it said stands in the message.
        """
        assert self.shard is not None
        try:
            dist.broadcast_object_list([(method, args)], src=0)
            return getattr(self.shard, method)(*args)
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise ModelError(
                    f"rank 0 is out of memory in {method}; run with more ranks (-M context_parallel=N) or shorter lengths."
                ) from error
            raise ModelError(f"a rank of context_parallel={self._world} failed: {self._said() or error}") from error

    def _said(self) -> str:
        return "; ".join(file.read_text().strip().splitlines()[-1] for file in sorted(Path(self._folder.name).glob("error-*")))

    def close(self) -> None:
        """End the other ranks."""
        try:
            if self.shard is not None and all(process.is_alive() for process in self._processes):
                dist.broadcast_object_list([("", ())], src=0)
                for process in self._processes:
                    process.join(timeout=30)
        finally:
            for process in self._processes:
                process.kill()
            dist.destroy_process_group()
            self._folder.cleanup()


class RanksState:
    """A cache that is spread over ranks; goes back to any length."""

    def __init__(self, ranks: Ranks, capacity: int) -> None:
        self.capacity = capacity
        self._ranks = ranks
        ranks.call("state", capacity)
        assert ranks.shard is not None
        self.cache = ranks.shard.cache

    def keep(self) -> None:
        """Nothing to do: every length is still there."""

    def back_to(self, length: int) -> int:
        """Forget what lies beyond `length`."""
        self._ranks.call("back_to", length)
        return length


def _join(rank: int, world: int, device: str, meeting: str) -> None:
    if device == "cuda":
        torch.cuda.set_device(rank)
    backend = "cpu:gloo,cuda:nccl" if device == "cuda" else "gloo"
    dist.init_process_group(backend, init_method=f"file://{meeting}", rank=rank, world_size=world, timeout=TIMEOUT)


def _work(rank: int, world: int, device: str, meeting: str, load: Callable[[int, int], Shard]) -> None:
    """What the ranks but the first do: the calls of rank 0, until it says that it is done."""
    if device == "cpu":
        torch.set_num_threads(max(1, torch.get_num_threads() // world))
    _join(rank, world, device, meeting)
    try:
        shard = load(rank, world)
        while True:
            said: list[Any] = [None]
            dist.broadcast_object_list(said, src=0)
            method, args = said[0]
            if not method:
                break
            getattr(shard, method)(*args)
    except BaseException:
        (Path(meeting).parent / f"error-{rank}").write_text(traceback.format_exc())
        raise
    dist.destroy_process_group()
