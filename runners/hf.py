"""The runner `hf`: a causal language model in Transformers, greedy, with every shared prefix computed once."""

from __future__ import annotations

import gc
import inspect
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import pairwise
from types import TracebackType
from typing import Any, Literal, Self

import torch
from pydantic import Field
from torch import Tensor
from transformers import AutoModelForCausalLM

from lceval import models
from lceval.costs.memory import CHUNK_ON_CPU, CHUNK_ON_GPU, Setting
from lceval.errors import ModelError
from lceval.options import validated
from lceval.runners import attention, leaves
from lceval.runners.cache import CopyState, SlabLayer, State, WalkState, fits_slab, release
from lceval.runners.ending import end_of
from lceval.runners.graphs import Steps
from lceval.runners.loading import ModelOptions, load_config, load_tokenizer
from lceval.runners.parallel import Ranks, RanksState, Shard
from lceval.runners.variants import keep, theta
from lceval.runners.variants.hook import Hook, Phases
from lceval.runners.variants.look import check
from lceval.runners.variants.spec import parse
from lceval.tokens import Tokenizer
from lceval.tree import branch_points, usable
from lceval.types import Generation, Prompt

SMALLEST_CHUNK = 32
WHOLE = 1 << 62
"""Tokens of a chunk that is the whole prompt."""
SCORED_AT_ONCE = 256
"""Tokens of a gold answer in one forward pass, since each has its row of logits."""


class HfOptions(ModelOptions):
    """`-M` pairs of the runner `hf`."""

    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, or 'balanced' to spread the layers over all GPUs")
    attention: Literal["auto", "sdpa", "eager", "flash_attention_2"] = Field("auto", description="attention implementation")
    prefill_chunk: int = Field(0, ge=0, description="tokens a forward pass; 0 = 512 on CPU, 16384 on GPU; halved on out-of-memory")
    context_parallel: int = Field(1, ge=1, description="GPUs of this host over which the tokens of one context are spread")
    logprob: bool = Field(True, description="also score the gold answer's tokens on the prompt that was read")


class HfRunner:
    """See the module.

    Args:
        model: a name that `lceval.models.resolve` knows.
        options: the `-M` pairs (`HfOptions`).
        variant: what is changed of the model (`lceval.runners.variants.spec`); empty: nothing.
    """

    name = "hf"
    control = False

    def __init__(self, model: str, options: dict[str, Any], variant: str = "") -> None:
        self.model = model
        self.spec = parse(variant)
        self.options = validated(HfOptions, options, what="option of runner hf")
        self.notes: list[str] = []
        self.tokenizer = self.tokenizer_of(model, options)
        self.folder = models.resolve(model, revision=self.options.revision or None)
        self.config = load_config(model, self.folder, self.options)
        self.text_config = self.config.get_text_config(decoder=True)
        check(self.spec, self.config, trust_remote_code=self.options.trust_remote_code)
        self.device = self._device()
        self.dtype = self._dtype()
        self._network: Any = None
        self._chunk = self.options.prefill_chunk or (CHUNK_ON_CPU if self.device.type == "cpu" else CHUNK_ON_GPU)
        self._slab: WalkState | RanksState | None = None
        self._ranks: Ranks | None = None
        self._can_fork = True
        self._together = False
        """Whether questions about one context are answered together."""
        self._graphs = False
        self._hook: Hook | None = None
        self._phases: Phases | None = None

    @classmethod
    def tokenizer_of(cls, model: str, options: dict[str, Any]) -> Tokenizer:
        """The tokenizer alone, for making prompts again where the model is not needed."""
        return load_tokenizer(model, validated(HfOptions, options, what="option of runner hf"))

    @cached_property
    def max_length(self) -> int | None:
        """The window the model was trained for, or that RoPE scaling or the variant stretches it to."""
        return theta.reach(self.spec, self.text_config)

    @cached_property
    def fingerprint(self) -> dict[str, Any]:
        """All that changes the answers."""
        return {
            "runner": self.name,
            "weights": models.weights_identity(self.folder),
            "config": models.config_identity(self.folder),
            "architecture": ", ".join(self.config.architectures or [self.config.model_type]),
            "tokenizer": self.tokenizer.hash,
            "chat_template": self.tokenizer.frame.hash if self.tokenizer.frame.chat else "off",
            "max_position_embeddings": self.max_length,
            "rope": self._rope(),
            "sliding_window": getattr(self.text_config, "sliding_window", None),
            "attention": "variant" if self.spec.hooks else self._attention(),
            "dtype": str(self.dtype).removeprefix("torch."),
            "variant": str(self.spec),
            "decoding": "greedy",
            "end_tokens": sorted(self._end_tokens),
        }

    @property
    def setting(self) -> Setting:
        """What its memory and its time follow from."""
        chunk = self.spec.named("chunk")
        return Setting(
            dtype=str(self.dtype).removeprefix("torch."),
            chunk=int(chunk[0]["c"]) if chunk else self._chunk if self.spec.prefix_stable else WHOLE,
            variant=self.spec,
        )

    @property
    def room(self) -> int | None:
        """Bytes of memory of the GPUs that it uses, all together; None on CPUs, where there is swapping."""
        if self.device.type != "cuda":
            return None
        together = self.options.device == "balanced" or self.options.context_parallel > 1
        count = self.options.context_parallel if self.options.context_parallel > 1 else torch.cuda.device_count()
        devices = range(count) if together else [self.device]
        return sum(torch.cuda.get_device_properties(device).total_memory for device in devices)

    @property
    def peak_bytes(self) -> int | None:
        """The most memory that tensors took on any GPU of this process since it began; None on CPUs."""
        if self.device.type != "cuda":
            return None
        return max(torch.cuda.max_memory_allocated(device) for device in range(torch.cuda.device_count()))

    def __enter__(self) -> Self:
        implementation = self._attention()
        world = self.options.context_parallel
        if world > 1:
            self._check_parallel(world)
            load = partial(_load_shard, self.model, self.options.model_dump(), str(self.spec))
            self._ranks = Ranks(world, self.device.type, load)  # the other ranks load the model while this one does
        try:
            self._load(implementation)
            if self._ranks:
                self._ranks.shard = self._shard(0, world)
            self._turn_to(1)
            self._probe(implementation)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _check_parallel(self, world: int) -> None:
        if self.options.device not in ("auto", "cpu", "cuda"):
            raise ModelError(f"context_parallel={world} takes the first {world} GPUs; leave device={self.options.device!r} out.")
        if self.device.type == "cuda" and torch.cuda.device_count() < world:
            raise ModelError(
                f"context_parallel={world}, but torch sees {torch.cuda.device_count()} GPUs here; ask for no more than that."
            )
        if found := [
            atom
            for atom in self.spec.atoms
            if atom.kind.group in ("keep", "store") or not atom.kind.stable or atom.name in ("topk", "quest", "alibi")
        ]:
            raise ModelError(
                f"context_parallel={world} does not go with {found[0]}, which needs all keys in one place. Leave one of them out."
            )

    def _load(self, implementation: str) -> None:
        try:
            network: Any = AutoModelForCausalLM.from_pretrained(
                self.folder,
                dtype=self.dtype,
                device_map=self.options.device if self.options.device == "balanced" else str(self.device),
                attn_implementation="sdpa" if implementation == attention.NAME else implementation,
                trust_remote_code=self.options.trust_remote_code,
            )
        except Exception as error:  # transformers, safetensors and torch raise many kinds
            raise ModelError(f"cannot load the weights of {self.model!r}: {type(error).__name__}: {error}") from error
        self._network = network.eval()
        self._keeps = "logits_to_keep" in inspect.signature(self._network.forward).parameters
        if chunk := self.spec.named("chunk"):
            self._chunk = int(chunk[0]["c"])
        if not self.spec.prefix_stable:
            self._can_fork, self._chunk = False, WHOLE
            self.notes.append(f"prefix sharing and chunked prefill are off: {self.spec} chooses keys by the whole prompt")
        if self.spec.hooks or self.options.context_parallel > 1:
            self._hook = Hook(self._network, self.text_config, self.spec, lambda ids: self._logits(ids, 0, None, keep=0))
            self._phases = self._hook.phases
        elif theta.varies(self.spec, self.text_config) or self.spec.of("theta"):
            self._phases = Phases(self._network, self.text_config, self.spec)

    def _shard(self, rank: int, world: int) -> Shard:
        """This process's part of a context that is spread over several."""
        assert self._hook is not None
        return Shard(rank, world, self._hook, self._local_logits)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._ranks:
            self._ranks.close()
        self._network = self._slab = self._hook = self._phases = self._ranks = None
        gc.collect()  # a hook, its cache and the model hold each other
        release(self.device)

    def generate(self, prompts: Sequence[Prompt], *, share: bool = True) -> Iterator[tuple[Prompt, Generation]]:
        """Walk a group's tree; see `lceval.types.Runner`."""
        share = share and self._can_fork
        # Prompts of different lengths may turn their phases differently, and then share nothing.
        parts: dict[str, list[Prompt]] = {}
        for prompt in prompts:
            key = self._phases.key(len(prompt.ids) + prompt.reserved) if self._phases else ""
            parts.setdefault(key, []).append(prompt)
        for part in parts.values():
            self._turn_to(len(part[0].ids) + part[0].reserved)
            yield from self._walk(part, share)

    def _turn_to(self, length: int) -> None:
        """Fix how fast phases turn, for requests of so many tokens."""
        if self._ranks:
            self._ranks.call("turn_to", length)
        elif self._hook:
            self._hook.use(length)
        elif self._phases:
            atoms = self.spec.of("theta")
            self._phases.put(self._phases.rotary(atoms[0] if atoms else None, length))

    def _walk(self, prompts: Sequence[Prompt], share: bool) -> Iterator[tuple[Prompt, Generation]]:
        needs = [len(prompt.ids) + prompt.reserved for prompt in prompts]
        limit, state = max(needs) + 1, self._state(max(needs))
        points = branch_points(prompts, self._usable) if share else [[] for _ in prompts]
        path: Prompt | None = None  # the prompt that `state` has seen and still holds
        together: deque[tuple[Prompt, Generation]] = deque()
        for i, prompt in enumerate(prompts):
            if together:
                yield together.popleft()
                continue
            if needs[i] >= limit:
                error = f"out of memory: {needs[i]} tokens do not fit, as {limit} did not"
                yield prompt, Generation("", 0, 0, 0.0, 0.0, "error", "error", error)
                continue
            start = state.back_to(self._usable(path, prompt) if share and path else 0)
            keep.begin(state, prompt)
            if self._hook:
                self._hook.prompt = prompt
            begun, chunk = time.perf_counter(), self._chunk
            try:
                pack = self._pack(prompts[i:], limit) if share else []
                if pack and (answers := self._answer(state, pack, start)):
                    path = replace(prompt, ids=prompt.ids[: answers[-1].cached_tokens])
                    together.extend(zip(pack, answers, strict=True))
                    yield together.popleft()
                    continue
                if pack:
                    start = state.back_to(start)
                logits = self._prefill(state, prompt, start, [stop for stop in points[i] if stop > start])
                self._wait(logits)
                prefill_s = time.perf_counter() - begun
                logprob, greedy = self._score(state, prompt, logits)
                generation = self._decode(state, prompt, logits, cached=start, prefill_s=prefill_s)
                generation = replace(generation, logprob=logprob, greedy_match=greedy)
                path = prompt
            except _OutOfMemoryError as error:
                generation = Generation("", 0, start, time.perf_counter() - begun, 0.0, "error", "error", str(error))
                # Start over with memory for what is shorter; this prompt's chunks were small for its own sake.
                limit, self._chunk, path = needs[i], chunk, None
                self._slab = None
                del state
                release(self.device)
                state = self._state(max((need for need in needs[i + 1 :] if need < limit), default=1))
            yield prompt, generation

    def _pack(self, prompts: Sequence[Prompt], limit: int) -> list[Prompt]:
        """The first prompts, if they are questions about one context that can be answered together; else none."""
        if not self._together:
            return []
        first = prompts[0]
        pack, shared = [first], len(first.ids) - 1
        needles = max((end for _, end in first.needle_tokens), default=0)
        for prompt in prompts[1 : leaves.MOST]:
            common = min(shared, usable(first, prompt))
            same = (prompt.sample.index, prompt.sample.cell.length) == (first.sample.index, first.sample.cell.length)
            if not same or common < needles or any(prompt.sample.question == one.sample.question for one in pack):
                break
            if len(prompt.ids) + prompt.reserved >= limit or max(len(p.ids) for p in (*pack, prompt)) - common > leaves.LONGEST:
                break
            pack.append(prompt)
            shared = common
        return pack if len(pack) > 1 else []

    @torch.inference_mode()
    def _answer(self, state: State, pack: Sequence[Prompt], start: int) -> list[Generation]:
        """Read what the prompts of a pack share, then the rest of each and all answers at once.

        Returns:
            An answer for each, the state holding what they share; nothing if memory does not allow it.
        """
        begun = time.perf_counter()
        shared = min(usable(pack[0], prompt) for prompt in pack)
        start = state.back_to(min(start, shared))
        if start < shared:
            self._prefill(state, replace(pack[0], ids=pack[0].ids[:shared]), start, [])
        device = self._network.device
        rests = [prompt.ids[shared:].astype("int64") for prompt in pack]
        golds: list[Any] = [prompt.gold.astype("int64")[: prompt.reserved] if self.options.logprob else [] for prompt in pack]
        own = torch.tensor([len(rest) for rest in rests], device=device)
        try:
            layers: Any = state.cache.layers
            held = [(layer.keys[:, :, :shared], layer.values[:, :, :shared]) for layer in layers]
            room = max(len(rest) + prompt.reserved for rest, prompt in zip(rests, pack, strict=True))
            rows = leaves.Leaves(held, len(pack), room)
            read = rows.read(self._network, _padded(rests, device), own * 0)
            last = read[torch.arange(len(pack), device=device), own - 1]
            self._wait(last)
            prefill_s = time.perf_counter() - begun
            scored = self._score_rows(rows, golds, own, last)
            begun = time.perf_counter()
            said = self._decode_rows(rows, pack, own, last)
        except torch.OutOfMemoryError:
            release(self.device)
            self._together = False
            self.notes.append(f"out of memory with {len(pack)} questions at once: they are answered one by one")
            return []
        decode_s = (time.perf_counter() - begun) / len(pack)
        return [
            Generation(
                text=text,
                new_tokens=new,
                cached_tokens=shared if i else start,
                prefill_s=prefill_s if i == 0 else 0.0,
                decode_s=decode_s,
                finish_reason=reason,
                outcome="truncated" if reason == "length" else "ok",
                logprob=logprob,
                greedy_match=greedy,
            )
            for i, ((text, new, reason), (logprob, greedy)) in enumerate(zip(said, scored, strict=True))
        ]

    def _score_rows(
        self, rows: leaves.Leaves, golds: Sequence[Any], own: Tensor, last: Tensor
    ) -> list[tuple[float | None, bool | None]]:
        """As `_score`, for every row."""
        longest = max(map(len, golds))
        logits = last[:, None]
        if longest > 1:
            device = last.device
            logits = torch.cat((logits, rows.read(self._network, _padded([gold[:-1] for gold in golds], device), own)), dim=1)
        found: list[tuple[float | None, bool | None]] = []
        for gold, said in zip(golds, logits, strict=True):
            if not len(gold):
                found.append((None, None))
                continue
            ids = torch.as_tensor(gold, device=said.device)
            each = said[: len(ids)].log_softmax(-1).gather(1, ids[:, None])
            found.append((float(each.mean()), bool(torch.equal(said[: len(ids)].argmax(-1), ids))))
        return found

    def _decode_rows(self, rows: leaves.Leaves, pack: Sequence[Prompt], own: Tensor, last: Tensor) -> list[tuple[str, int, str]]:
        """As `_decode`, for every row: text, new tokens, and why it ended."""
        said: list[list[int]] = [[] for _ in pack]
        ended: dict[int, tuple[str, int, str]] = {}
        tokens = last.argmax(-1).tolist()
        step = 0
        while True:
            for i, prompt in enumerate(pack):
                if i not in ended and (end := self._ends(said[i], int(tokens[i]), prompt)):
                    ended[i] = end
            if len(ended) == len(pack):
                return [ended[i] for i in range(len(pack))]
            # Rows that have ended stay where they are: their room may be used up.
            at = (own + step).clamp(max=rows.room - 1)
            logits = rows.step(self._network, torch.tensor(tokens, device=last.device), at, graph=self._graphs)
            tokens = logits.argmax(-1).tolist()
            step += 1

    def _ends(self, new: list[int], token: int, prompt: Prompt) -> tuple[str, int, str] | None:
        return end_of(new, token, prompt, self.tokenizer, self._end_tokens)

    def _usable(self, one: Prompt, other: Prompt) -> int:
        """How many tokens that one prompt has computed another can use."""
        return min(usable(one, other), keep.shared(self.spec, one, other))

    def _prefill(self, state: State, prompt: Prompt, start: int, stops: list[int]) -> Tensor:
        """Compute prompt tokens from `start` on, keeping the state at `stops`; returns the logits [V] of the last one."""
        ids = torch.as_tensor(prompt.ids.astype("int64"), device=self._network.device)
        logits = None
        for stop in sorted({*stops, *keep.ends(self.spec, len(ids)), *keep.picks(self.spec, prompt), len(ids)}):
            while start < stop:
                step = min(self._chunk, stop - start)
                try:
                    logits = self._forward(state, ids[start : start + step], start)
                except RuntimeError as error:
                    self._halve(error, step, start, len(ids))
                    if state.back_to(start) < start:
                        raise _OutOfMemoryError(f"out of memory at token {start} of {len(ids)}") from error
                    continue
                start += step
            if stop in stops:
                state.keep()
        assert logits is not None
        return logits

    def _halve(self, error: RuntimeError, step: int, start: int, length: int) -> None:
        """On out-of-memory, halve the chunk and say so; anything else goes on up."""
        if not isinstance(error, torch.OutOfMemoryError) and "can't allocate memory" not in str(error):
            raise error
        release(self.device)
        if step <= SMALLEST_CHUNK or not self._can_fork:
            pieces = f"chunks of {step} tokens" if self._can_fork else "the one pass that it needs"
            says = f"out of memory at token {start} of {length}, with {pieces}: this prompt does not fit"
            raise _OutOfMemoryError(says) from error
        self._chunk = max(SMALLEST_CHUNK, step // 2)
        self.notes.append(f"out of memory at token {start} of {length}: prefill chunk halved to {self._chunk} tokens")

    @torch.inference_mode()
    def _score(self, state: State, prompt: Prompt, logits: Tensor) -> tuple[float | None, bool | None]:
        """The gold answer after the prompt, which `state` has read to these logits [V] of its last token, and ends at again.

        Returns:
            The mean log-probability (natural) of its tokens, and whether each is the most probable one; None without a gold answer.
        """
        if not self.options.logprob or not len(prompt.gold):
            return None, None
        gold, end = torch.as_tensor(prompt.gold.astype("int64"), device=self._network.device), len(prompt.ids)
        rows_NV, total, greedy, known = logits[None], 0.0, True, 0
        if len(gold) > 1:
            state.keep()
        try:
            while True:
                said_N = gold[known : known + len(rows_NV)].to(rows_NV.device)
                total += float(rows_NV.log_softmax(-1).gather(1, said_N[:, None]).sum())
                greedy = greedy and torch.equal(rows_NV.argmax(-1), said_N)
                known += len(said_N)
                if known == len(gold):
                    break
                rows_NV = self._read(state, gold[known - 1 : -1][:SCORED_AT_ONCE], end + known - 1)
        except torch.OutOfMemoryError as error:
            release(self.device)
            raise _OutOfMemoryError(f"out of memory while scoring the {len(gold)} tokens of the gold answer") from error
        if len(gold) > 1 and (held := state.back_to(end)) < end:
            self._prefill(state, prompt, held, [])
        return total / len(gold), greedy

    def _decode(self, state: State, prompt: Prompt, logits: Tensor, *, cached: int, prefill_s: float) -> Generation:
        """Greedy decoding until the end of the turn, a stop string or the token budget."""
        begun = time.perf_counter()
        new: list[int] = []
        steps = self._steps(state)
        longest = len(prompt.ids) + prompt.reserved
        while not (end := self._ends(new, token := int(logits.argmax()), prompt)):
            at = len(prompt.ids) + len(new) - 1
            try:
                if steps:
                    logits = steps(token, at, longest)
                else:
                    logits = self._forward(state, torch.tensor([token], device=self._network.device), at)
            except torch.OutOfMemoryError as error:
                release(self.device)
                raise _OutOfMemoryError(f"out of memory after {len(new)} new tokens") from error
        text, count, reason = end
        return Generation(
            text=text,
            new_tokens=count,
            cached_tokens=cached,
            prefill_s=prefill_s,
            decode_s=time.perf_counter() - begun,
            finish_reason=reason,
            outcome="truncated" if reason == "length" else "ok",
        )

    def _steps(self, state: State) -> Steps | None:
        """Decoding steps as CUDA graphs, where the state and the model allow them."""
        if not (self._graphs and isinstance(state, WalkState)):
            return None
        if state.steps is None:
            extra = {"logits_to_keep": 1} if self._keeps else {}
            state.steps = Steps(self._network, [layer for layer in state.cache.layers if isinstance(layer, SlabLayer)], extra)
        return state.steps

    @torch.inference_mode()
    def _forward(self, state: State, ids: Tensor, position: int) -> Tensor:
        """One forward pass over ids [n] that stand at `position`; returns the last token's logits [V] in float32."""
        return self._logits(ids, position, state.cache)[-1]

    def _logits(self, ids: Tensor, position: int, cache: Any, keep: int = 1) -> Tensor:
        if self._ranks and cache is not None:
            found: Tensor = self._ranks.call("forward", ids.tolist(), position, keep or len(ids))
            return found
        return self._local_logits(ids, position, cache, keep)

    @torch.inference_mode()
    def _local_logits(self, ids: Tensor, position: int, cache: Any, keep: int) -> Tensor:
        positions = torch.arange(position, position + len(ids), device=ids.device)
        if self._hook:
            self._hook.cache = cache
        extra = {"logits_to_keep": keep} if self._keeps else {}
        out = self._network(
            input_ids=ids[None], position_ids=positions[None], past_key_values=cache, use_cache=cache is not None, **extra
        )
        logits: Tensor = out.logits[0, -keep:].float()  # -0 keeps all
        return logits

    def _read(self, state: State, ids: Tensor, first: int) -> Tensor:
        """Logits [N, V] of tokens that stand at `first`, in as few passes as may be."""
        cuts = [first, *sorted(n for n in keep.ends(self.spec, first + len(ids)) if n > first), first + len(ids)]
        return torch.cat([self._logits(ids[a - first : b - first], a, state.cache, keep=0) for a, b in pairwise(cuts)])

    @torch.inference_mode()
    def _probe(self, implementation: str) -> None:
        """Check on 48 tokens that chunks, a fork and single steps give the logits of one pass of the model, or of the variant.

        Where only the fork is wrong, sharing and chunking are switched off and said to be.

        Raises:
            ModelError: our own attention does not give the stock model's logits here.
        """
        ids = torch.arange(48, device=self._network.device) * 37 % (self.text_config.vocab_size - 8) + 4
        if self._hook:  # what a variant evicts or rounds, it does in a cache
            state = self._state(48)
            state.back_to(0)
            whole = self._read(state, ids, 0)
        else:
            whole = self._logits(ids, 0, None, keep=0)
        # Rounded numbers may be rounded the other way: the sums of a chunk are not bit for bit those of a whole pass.
        tolerance = 1e-3 if self.dtype == torch.float32 and not self.spec.of("store") else 0.1

        def differs(logits: Tensor) -> float:
            return float((logits - whole[-len(logits) :]).abs().max() / whole.abs().max())

        if implementation == attention.NAME and not self._hook:
            attention.install(self._network)
            self._together = True
            self._graphs = self.device.type == "cuda" and self.options.device != "balanced"
            state = self._state(48)
            state.back_to(0)
            steps = [self._logits(part, at, state.cache, keep=0) for part, at in ((ids[:32], 0), (ids[32:47], 32), (ids[47:], 47))]
            error = differs(torch.cat(steps))
            if not error <= tolerance:
                raise ModelError(
                    f"lceval's own attention does not give the logits of {self.model!r} on {self.device} (relative error "
                    f"{error:.2g}). Run with -M attention=sdpa."
                )
        state = self._state(48)
        state.back_to(0)
        self._read(state, ids[:32], 0)
        state.keep()
        self._read(state, ids.flip(0)[:16], 32)
        state.back_to(32)
        error = differs(self._read(state, ids[32:], 32))
        if not error <= tolerance:
            self._can_fork = False
            self._chunk = WHOLE
            self.notes.append(
                f"prefix sharing and chunked prefill are off: continuing a prefix does not give this model's one-pass logits "
                f"(relative error {error:.2g}); every prompt is computed whole"
            )

    def _state(self, capacity: int) -> State:
        if not fits_slab(self.text_config):
            return CopyState(self.text_config)
        if self._slab is None or self._slab.capacity < capacity:
            self._slab = None
            release(self.device)
            if self._ranks:
                self._slab = RanksState(self._ranks, capacity)
            elif self._hook:
                self._slab = self._hook.state(capacity)
            else:
                self._slab = WalkState([SlabLayer(capacity) for _ in range(self.text_config.num_hidden_layers)], capacity)
        return self._slab

    @cached_property
    def _end_tokens(self) -> set[int]:
        return models.end_tokens(self.folder, self.tokenizer, self.text_config)

    def _rope(self) -> dict[str, Any]:
        return dict(getattr(self.text_config, "rope_parameters", None) or {})

    def _device(self) -> torch.device:
        asked = self.options.device
        if asked in ("auto", "balanced"):
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            device = torch.device(asked)
        except RuntimeError:
            raise ModelError(f"device={asked!r} is not a device; use -M device=auto, cpu, cuda, cuda:1 or balanced.") from None
        if device.type == "cuda" and (not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()):
            raise ModelError(
                f"device={asked!r}, but torch sees {torch.cuda.device_count()} GPUs here. Use -M device=cpu, or install a "
                "CUDA build of torch."
            )
        return device

    def _dtype(self) -> torch.dtype:
        if self.options.dtype != "auto":
            return getattr(torch, self.options.dtype)  # type: ignore[no-any-return]
        if self.device.type == "cpu":
            return torch.float32
        half = self.device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.float16 if half or self.config.dtype == torch.float16 else torch.bfloat16

    def _attention(self) -> str:
        if self.options.attention != "auto":
            return self.options.attention
        return attention.NAME if attention.suits(self.text_config, self.device, self.dtype) else "sdpa"

    def _wait(self, tensor: Tensor) -> None:
        if tensor.device.type == "cuda":
            torch.cuda.synchronize(tensor.device)


def _load_shard(model: str, options: dict[str, Any], variant: str, rank: int, world: int) -> Shard:
    """The part of a context that another process holds, with a model of its own."""
    device = f"cuda:{rank}" if HfRunner(model, options, variant).device.type == "cuda" else "cpu"
    runner = HfRunner(model, {**options, "device": device}, variant)
    runner._load(runner._attention())
    return runner._shard(rank, world)


class _OutOfMemoryError(Exception):
    """A prompt does not fit."""


def _padded(rows: Sequence[Any], device: torch.device) -> Tensor:
    """Token ids [B, n]; shorter rows end in zeros."""
    ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.int64)
    for held, row in zip(ids, rows, strict=True):
        held[: len(row)] = torch.as_tensor(row, dtype=torch.int64)
    return ids.to(device)
