"""The runner `hf`: a causal language model in Transformers, greedy, with every shared prefix computed once."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from types import TracebackType
from typing import Any, Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, Json
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from lceval import models
from lceval.errors import ModelError
from lceval.options import validated
from lceval.runners import attention
from lceval.runners.cache import CopyState, SlabState, State, fits_slab, release
from lceval.tokens import Tokenizer
from lceval.tree import branch_points, shared_prefix
from lceval.types import Generation, Prompt

SMALLEST_CHUNK = 32


class HfOptions(BaseModel):
    """`-M` pairs of the runner `hf`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field("auto", description="auto: float32 on CPU, bfloat16 on GPU")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, or 'balanced' to spread the layers over all GPUs")
    chat: Literal["auto", "on", "off"] = Field("auto", description="the tokenizer's chat template: auto = when there is one")
    chat_kwargs: Json[dict[str, Any]] = Field({}, description='JSON passed to the chat template: {"enable_thinking": false}')
    tokenizer: str = Field("", description="another folder or hub name for the tokenizer")
    revision: str = Field("", description="branch, tag or commit on the hub")
    attention: Literal["auto", "sdpa", "eager", "flash_attention_2"] = Field("auto", description="attention implementation")
    prefill_chunk: int = Field(0, ge=0, description="tokens a forward pass; 0 = 512 on CPU, 8192 on GPU; halved on out-of-memory")
    trust_remote_code: bool = Field(False, description="run the code that a model brings with it")


class HfRunner:
    """See the module.

    Args:
        model: a name that `lceval.models.resolve` knows.
        options: the `-M` pairs (`HfOptions`).
    """

    name = "hf"
    control = False

    def __init__(self, model: str, options: dict[str, Any]) -> None:
        self.model = model
        self.options = validated(HfOptions, options, what="option of runner hf")
        self.notes: list[str] = []
        self.folder = models.resolve(model, revision=self.options.revision or None)
        source = models.resolve(self.options.tokenizer) if self.options.tokenizer else self.folder
        trust = {"trust_remote_code": self.options.trust_remote_code}
        try:
            self.config = AutoConfig.from_pretrained(self.folder, **trust)
            hf_tokenizer = AutoTokenizer.from_pretrained(source, **trust)
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"cannot read the configuration or tokenizer of {model!r}: {error}") from error
        self.tokenizer = Tokenizer(hf_tokenizer, chat=self.options.chat, template_kwargs=self.options.chat_kwargs)
        self.text_config = self.config.get_text_config(decoder=True)
        self.device = self._device()
        self.dtype = self._dtype()
        self._network: Any = None
        self._chunk = self.options.prefill_chunk or (512 if self.device.type == "cpu" else 8192)
        self._slab: SlabState | None = None
        self._can_fork = True

    @cached_property
    def max_length(self) -> int | None:
        """The window the model was trained for, or that its own RoPE scaling stretches it to."""
        window = getattr(self.text_config, "max_position_embeddings", None)
        rope = self._rope()
        original, factor = rope.get("original_max_position_embeddings"), rope.get("factor")
        if window and original and factor:
            window = max(window, int(original * factor))
        return window

    @cached_property
    def fingerprint(self) -> dict[str, Any]:
        """All that changes the answers."""
        return {
            "runner": self.name,
            "weights": models.weights_identity(self.folder),
            "architecture": ", ".join(self.config.architectures or [self.config.model_type]),
            "tokenizer": self.tokenizer.hash,
            "chat_template": self.tokenizer.frame.hash if self.tokenizer.frame.chat else "off",
            "max_position_embeddings": self.max_length,
            "rope": self._rope(),
            "sliding_window": getattr(self.text_config, "sliding_window", None),
            "attention": self._attention(),
            "dtype": str(self.dtype).removeprefix("torch."),
            "variant": "",
            "decoding": "greedy",
            "end_tokens": sorted(self._end_tokens),
        }

    def __enter__(self) -> Self:
        implementation = self._attention()
        network: Any = AutoModelForCausalLM.from_pretrained(
            self.folder,
            dtype=self.dtype,
            device_map=str(self.device) if self.options.device in ("auto", "cpu", "cuda") else self.options.device,
            attn_implementation="sdpa" if implementation == attention.NAME else implementation,
            trust_remote_code=self.options.trust_remote_code,
        )
        self._network = network.eval()
        self._keeps = "logits_to_keep" in inspect.signature(self._network.forward).parameters
        self._probe(implementation)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._network = self._slab = None
        release(self.device)

    def generate(self, prompts: Sequence[Prompt], *, share: bool = True) -> Iterator[tuple[Prompt, Generation]]:
        """Walk a group's tree; see `lceval.types.Runner`."""
        share = share and self._can_fork
        state = self._state(max(len(p.ids) + p.reserved for p in prompts))
        points = branch_points(prompts) if share else [[] for _ in prompts]
        path = prompts[0].ids[:0]  # the tokens that `state` has seen and still holds
        for prompt, stops in zip(prompts, points, strict=True):
            wanted = min(shared_prefix(path, prompt.ids), len(prompt.ids) - 1) if share else 0
            start = state.back_to(wanted)
            begun = time.perf_counter()
            try:
                logits = self._prefill(state, prompt, start, [stop for stop in stops if stop > start])
                self._wait()
                prefilled = time.perf_counter()
                generation = self._decode(state, prompt, logits, cached=start, prefill_s=prefilled - begun)
                path = prompt.ids
            except _OutOfMemoryError as error:
                path = prompt.ids[: state.back_to(min(error.held, len(prompt.ids)))]
                generation = Generation("", 0, start, time.perf_counter() - begun, 0.0, "error", "error", str(error))
            yield prompt, generation

    def _prefill(self, state: State, prompt: Prompt, start: int, stops: list[int]) -> Tensor:
        """Compute prompt tokens from `start` on; returns the logits [V] of the last one."""
        ids = torch.as_tensor(prompt.ids.astype("int64"), device=self._network.device)
        logits = None
        for stop in [*stops, len(ids)]:
            while start < stop:
                step = min(self._chunk, stop - start)
                try:
                    logits = self._forward(state, ids[start : start + step], start)
                except (torch.OutOfMemoryError, RuntimeError) as error:
                    self._halve(error, step, start, len(ids))
                    if state.back_to(start) < start:
                        raise _OutOfMemoryError(start, str(error)) from error
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
        if step <= SMALLEST_CHUNK:
            raise _OutOfMemoryError(
                start, f"out of memory at token {start} of {length}, with chunks of {step} tokens: this prompt does not fit"
            ) from error
        self._chunk = max(SMALLEST_CHUNK, step // 2)
        self.notes.append(f"out of memory at token {start} of {length}: prefill chunk halved to {self._chunk} tokens")

    def _decode(self, state: State, prompt: Prompt, logits: Tensor, *, cached: int, prefill_s: float) -> Generation:
        """Greedy decoding until the end of the turn, a stop string or the token budget."""
        begun = time.perf_counter()
        new: list[int] = []
        text, reason = "", "length"
        token = int(logits.argmax())
        while True:
            if token in self._end_tokens:
                reason = "eos"
                break
            new.append(token)
            text = self.tokenizer.decode(new)
            cut = _stop_at(text, prompt.question.stop)
            if cut is not None:
                text, reason = text[:cut], "stop"
                break
            if len(new) == prompt.reserved:
                break
            try:
                logits = self._forward(state, torch.tensor([token], device=self._network.device), len(prompt.ids) + len(new) - 1)
            except torch.OutOfMemoryError as error:
                release(self.device)
                raise _OutOfMemoryError(len(prompt.ids), f"out of memory after {len(new)} new tokens") from error
            token = int(logits.argmax())
        return Generation(
            text=text,
            new_tokens=len(new),
            cached_tokens=cached,
            prefill_s=prefill_s,
            decode_s=time.perf_counter() - begun,
            finish_reason=reason,
            outcome="truncated" if reason == "length" else "ok",
        )

    @torch.inference_mode()
    def _forward(self, state: State, ids: Tensor, position: int) -> Tensor:
        """One forward pass over ids [n] that stand at `position`; returns the last token's logits [V] in float32."""
        return self._logits(ids, position, state.cache)[-1]

    def _logits(self, ids: Tensor, position: int, cache: Any, keep: int = 1) -> Tensor:
        positions = torch.arange(position, position + len(ids), device=ids.device)
        extra = {"logits_to_keep": keep} if self._keeps else {}
        out = self._network(
            input_ids=ids[None], position_ids=positions[None], past_key_values=cache, use_cache=cache is not None, **extra
        )
        logits: Tensor = out.logits[0, -keep:].float()  # -0 keeps all
        return logits

    @torch.inference_mode()
    def _probe(self, implementation: str) -> None:
        """Check on 48 tokens that a cache forked in the middle gives the logits of one pass; else switch sharing off.

        Also checks our own attention against the stock one before it is used.
        """
        ids = torch.arange(48, device=self._network.device) * 37 % (self.text_config.vocab_size - 8) + 4
        whole = self._logits(ids, 0, None, keep=0)
        if implementation == attention.NAME:
            attention.install(self._network)
        state = self._state(48)
        state.back_to(0)
        self._logits(ids[:32], 0, state.cache)
        state.keep()
        self._logits(ids.flip(0)[:16], 32, state.cache)
        state.back_to(32)
        forked = self._logits(ids[32:], 32, state.cache, keep=0)
        error = float((forked - whole[32:]).abs().max() / whole.abs().max())
        if error > (1e-3 if self.dtype == torch.float32 else 0.1):
            self._can_fork = False
            self._chunk = 1 << 62
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
            self._slab = SlabState(self.text_config.num_hidden_layers, capacity)
        return self._slab

    @cached_property
    def _end_tokens(self) -> set[int]:
        ends: list[Any] = [self.tokenizer.hf.eos_token_id, getattr(self.text_config, "eos_token_id", None)]
        if (self.folder / "generation_config.json").exists():
            ends.append(GenerationConfig.from_pretrained(self.folder).eos_token_id)
        return {int(i) for end in ends if end is not None for i in (end if isinstance(end, list) else [end])}

    def _rope(self) -> dict[str, Any]:
        return dict(getattr(self.text_config, "rope_parameters", None) or {})

    def _device(self) -> torch.device:
        asked = self.options.device
        if asked in ("auto", "balanced"):
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if asked.startswith("cuda") and not torch.cuda.is_available():
            raise ModelError(f"device={asked!r}, but torch sees no GPU here. Use -M device=cpu, or install a CUDA build of torch.")
        return torch.device(asked)

    def _dtype(self) -> torch.dtype:
        if self.options.dtype != "auto":
            return getattr(torch, self.options.dtype)  # type: ignore[no-any-return]
        if self.device.type == "cpu":
            return torch.float32
        stored = self.config.dtype
        return torch.float16 if stored == torch.float16 else torch.bfloat16

    def _attention(self) -> str:
        if self.options.attention != "auto":
            return self.options.attention
        return attention.NAME if attention.suits(self.text_config, self.device, self.dtype) else "sdpa"

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


class _OutOfMemoryError(Exception):
    """A prompt does not fit; `held` tokens of it are in the cache."""

    def __init__(self, held: int, message: str) -> None:
        super().__init__(message)
        self.held = held


def _stop_at(text: str, stops: Sequence[str]) -> int | None:
    """Where the answer ends: at the first stop string that has something before it."""
    begin = len(text) - len(text.lstrip())
    found = [at for at in (text.find(stop, begin + 1) for stop in stops) if at >= 0]
    return min(found, default=None)
