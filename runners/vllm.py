"""The runner `vllm`: token-id prompts through an engine in this process, its prefix cache on.

Prompts of a group are submitted in walk order, so that a branch finds the blocks of its trunk; answers end where those of the
runner `hf` end, and are yielded as they finish. Phases and windows are vLLM's own (`hf_overrides`); other variants need `hf`.
"""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Literal, Self

from pydantic import Field, Json

from lceval import models
from lceval.errors import ModelError, UsageError
from lceval.lengths import format_length
from lceval.options import validated
from lceval.runners.ending import end_of
from lceval.runners.loading import ModelOptions, load_config, load_tokenizer
from lceval.runners.variants import theta
from lceval.runners.variants.spec import AUTO, parse
from lceval.tokens import Tokenizer
from lceval.types import Generation, Prompt

_WINDOWED = ("llama", "mistral")
"""Model types whose window in vLLM is what the configuration says, for every layer."""
_INSTALL = "pip install vllm (GPU), or 'make setup-vllm' in a clone of lceval (CPU)"


class VllmOptions(ModelOptions):
    """`-M` pairs of the runner `vllm`."""

    max_model_len: int = Field(0, ge=0, description="tokens of the longest request; 0 = the longest length of the run")
    tensor_parallel: int = Field(1, ge=1, description="GPUs over which each layer is spread")
    pipeline_parallel: int = Field(1, ge=1, description="GPUs over which the layers are spread")
    data_parallel: Literal[1] = Field(1, description="1: copies of the engine are --workers N, which shares the groups out")
    kv_dtype: str = Field("auto", description="dtype of the KV cache, such as fp8")
    kv_gib: float = Field(0.0, ge=0, description="GiB for the KV cache; 0 = vLLM's own choice")
    block_size: int = Field(0, ge=0, description="tokens of a cache block; 0 = vLLM's own choice (128 on CPU, 16 on GPU)")
    prefill_chunk: int = Field(0, ge=0, description="tokens of one engine step at most; 0 = vLLM's own choice")
    prefix_caching: bool = Field(True, description="reuse the blocks of prefixes that were computed before")
    concurrency: int = Field(32, ge=1, description="requests that are in the engine at once")
    eager: Literal["auto", "on", "off"] = Field("auto", description="no compilation and no CUDA graphs; auto: on CPU")
    quantization: str = Field("", description="as vLLM names it")
    hf_overrides: dict[str, Any] | Json[dict[str, Any]] = Field({}, description="JSON merged into the model's configuration")


@dataclass
class _Running:
    prompt: Prompt
    new: list[int] = field(default_factory=list)


class VllmRunner:
    """See the module.

    Args:
        model: a name that `lceval.models.resolve` knows.
        options: the `-M` pairs (`VllmOptions`).
        variant: atoms of the group theta, and `window`.
        longest: tokens of the run's longest prompt and answer; 0: the model's window.

    Raises:
        ModelError: vLLM is not installed, or the model cannot be read.
        UsageError: vLLM has nothing for this variant.
    """

    name = "vllm"
    control = False

    def __init__(self, model: str, options: dict[str, Any], variant: str = "", longest: int = 0) -> None:
        if find_spec("vllm") is None:
            raise ModelError(f"the runner vllm needs vLLM, which is not installed here: {_INSTALL}.")
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
        self.model = model
        self.spec = parse(variant)
        self.options = validated(VllmOptions, options, what="option of runner vllm")
        self.notes: list[str] = []
        self.tokenizer = load_tokenizer(model, self.options)
        self.folder = models.resolve(model, revision=self.options.revision or None)
        self.config = load_config(model, self.folder, self.options)
        self.text_config = self.config.get_text_config(decoder=True)
        self._longest = self.options.max_model_len or longest or self.max_length or 0
        self._overrides = self._all_overrides()
        self._llm: Any = None

    @classmethod
    def tokenizer_of(cls, model: str, options: dict[str, Any]) -> Tokenizer:
        """The tokenizer alone, for making prompts again where vLLM is not installed."""
        return load_tokenizer(model, validated(VllmOptions, options, what="option of runner vllm"))

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
            "rope": theta.rope_of(self.text_config),
            "overrides": self.options.hf_overrides,
            "dtype": self._dtype,
            "kv_dtype": self.options.kv_dtype,
            "quantization": self.options.quantization,
            "batch_invariant": os.environ.get("VLLM_BATCH_INVARIANT", "0"),
            "variant": str(self.spec),
            "decoding": "greedy",
            "end_tokens": sorted(self._ends),
        }

    @property
    def environment(self) -> dict[str, Any]:
        """What the engine chose for itself, once it is there."""
        if self._llm is None:
            return {}
        config = self._llm.llm_engine.vllm_config
        return {
            "vllm": version(self._package),
            "attention_backend": self._backend(config),
            "block_size": config.cache_config.block_size,
            "kv_blocks": config.cache_config.num_gpu_blocks,
            "max_model_len": config.model_config.max_model_len,
            "max_num_batched_tokens": config.scheduler_config.max_num_batched_tokens,
            "prefix_caching": config.cache_config.enable_prefix_caching,
        }

    def __enter__(self) -> Self:
        options = self.options
        more: dict[str, Any] = {}
        if options.kv_gib and self._on_cpu:
            os.environ["VLLM_CPU_KVCACHE_SPACE"] = str(max(1, round(options.kv_gib)))
        elif options.kv_gib:
            more["kv_cache_memory_bytes"] = int(options.kv_gib * 2**30)
        if options.block_size:
            more["block_size"] = options.block_size
        if chunk := self._chunk:
            more["max_num_batched_tokens"] = chunk
        if options.quantization:
            more["quantization"] = options.quantization
        try:
            from vllm import LLM

            self._llm = LLM(
                str(self.folder),
                skip_tokenizer_init=True,
                trust_remote_code=options.trust_remote_code,
                dtype=self._dtype,
                kv_cache_dtype=options.kv_dtype,
                max_model_len=self._longest or None,
                tensor_parallel_size=options.tensor_parallel,
                pipeline_parallel_size=options.pipeline_parallel,
                enforce_eager=options.eager == "on" or (options.eager == "auto" and self._on_cpu),
                enable_prefix_caching=options.prefix_caching,
                enable_chunked_prefill=True,
                hf_overrides=self._overrides,
                disable_log_stats=False,
                use_tqdm_on_load=False,
                **more,
            )
        except Exception as error:  # vLLM, torch and pydantic raise many kinds
            raise ModelError(f"vLLM cannot serve {self.model!r}: {type(error).__name__}: {error}") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._llm is not None:
            self._llm.llm_engine.engine_core.shutdown()
        self._llm = None
        gc.collect()

    @property
    def at_once(self) -> int:
        """Requests that are in the engine at once."""
        return self.options.concurrency

    def generate(self, prompts: Sequence[Prompt], *, share: bool = True) -> Iterator[tuple[Prompt, Generation]]:
        """Answer a group; see `lceval.types.Runner`."""
        engine = self._llm.llm_engine
        waiting, running = deque(enumerate(prompts)), dict[str, _Running]()
        try:
            while waiting or running:
                while waiting and len(running) < self.options.concurrency:
                    number, prompt = waiting.popleft()
                    running[self._submit(engine, number, prompt, share=share)] = _Running(prompt)
                if not engine.has_unfinished_requests():
                    raise RuntimeError(f"vLLM lost {len(running)} requests")
                for output in engine.step():
                    if (one := running.get(output.request_id)) and (generation := self._ended(one, output)):
                        del running[output.request_id]
                        if not output.finished:
                            engine.abort_request([output.request_id])
                        yield one.prompt, generation
        finally:
            if running:
                engine.abort_request(list(running))

    def _submit(self, engine: Any, number: int, prompt: Prompt, *, share: bool) -> str:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        given: dict[str, Any] = {"prompt_token_ids": prompt.ids.tolist()}
        if not share:
            given["cache_salt"] = prompt.sample.sample_key  # blocks of another salt are never reused
        parameters = SamplingParams(
            temperature=0.0,
            max_tokens=prompt.reserved,
            stop_token_ids=sorted(self._ends),
            detokenize=False,
            output_kind=RequestOutputKind.DELTA,
        )
        (rendered,) = engine.renderer.render_cmpl([given])
        name = f"{number}-{prompt.sample.sample_key}"
        engine.add_request(name, rendered, parameters)
        return name

    def _ended(self, one: _Running, output: Any) -> Generation | None:
        """Take what a step gave; the answer if it ends here."""
        (said,) = output.outputs
        end = None
        for token in said.token_ids:
            if end := end_of(one.new, token, one.prompt, self.tokenizer, self._ends):
                break
        if end is None and not output.finished:
            return None
        text, count, reason = end or (self.tokenizer.decode(one.new), len(one.new), "error")
        times = output.metrics
        return Generation(
            text=text,
            new_tokens=count,
            cached_tokens=output.num_cached_tokens or 0,
            prefill_s=max(0.0, times.first_token_ts - times.scheduled_ts) if times else 0.0,
            decode_s=max(0.0, times.last_token_ts - times.first_token_ts) if times else 0.0,
            finish_reason=reason,
            outcome={"length": "truncated", "error": "error"}.get(reason, "ok"),  # type: ignore[arg-type]
            error=None if end else f"vLLM ended the request early: {said.finish_reason}",
        )

    @cached_property
    def _ends(self) -> set[int]:
        return models.end_tokens(self.folder, self.tokenizer, self.text_config)

    @cached_property
    def _package(self) -> str:
        return "vllm-cpu" if self._on_cpu and _installed("vllm-cpu") else "vllm"

    @cached_property
    def _on_cpu(self) -> bool:
        from vllm.platforms import current_platform

        return bool(current_platform.is_cpu())

    @cached_property
    def _dtype(self) -> str:
        if self.options.dtype != "auto":
            return self.options.dtype
        return "float32" if self._on_cpu else "bfloat16"

    @property
    def _chunk(self) -> int:
        atom = self.spec.named("chunk")
        return int(atom[0]["c"]) if atom else self.options.prefill_chunk

    def _backend(self, config: Any) -> str:
        """The attention backend that vLLM picks for this model and device."""
        from vllm.config import set_current_vllm_config
        from vllm.v1.attention.selector import get_attn_backend

        with set_current_vllm_config(config):
            backend: str = get_attn_backend(
                config.model_config.get_head_size(), config.model_config.dtype, config.cache_config.cache_dtype
            ).get_name()
        return backend

    def _all_overrides(self) -> dict[str, Any]:
        """What is changed of the model's configuration, in the form that it has.

        Raises:
            UsageError: an atom that vLLM has nothing for, or a length beyond its table of phases.
        """
        found: dict[str, Any] = {}
        for atom in self.spec.atoms:
            if not atom.kind.vllm or AUTO in atom.values or atom.layers:
                why = "for layers of their own" if atom.layers else "of a length that is not known yet" if atom.kind.vllm else ""
                raise UsageError(f"variant {atom}: vLLM does not have it{' ' * bool(why)}{why}. Use --runner hf, or leave it out.")
            if atom.name == "window" and self.text_config.model_type not in _WINDOWED:
                raise UsageError(
                    f"variant {atom}: vLLM gives {self.text_config.model_type} no window from outside "
                    f"(only {', '.join(_WINDOWED)}). Use --runner hf."
                )
        if window := self.spec.named("window"):
            found["sliding_window"] = int(window[0]["W"])
        for atom in self.spec.of("theta"):
            found["rope_parameters"] = theta.resolve(atom, self.text_config, self._longest)
        found |= self._room(found.get("rope_parameters") or theta.rope_of(self.text_config))
        nested = self.text_config is not self.config
        return {**({"text_config": found} if nested and found else found), **self.options.hf_overrides}

    def _room(self, rope: dict[str, Any]) -> dict[str, Any]:
        """A table of phases that is long enough: vLLM makes it once, for `max_position_embeddings` or what scaling makes of it."""
        trained = int(getattr(self.text_config, "max_position_embeddings", None) or 0)
        kind, factor = rope.get("rope_type", "default"), float(rope.get("factor") or 1.0)
        original = int(rope.get("original_max_position_embeddings") or trained)
        if kind == "dynamic":
            raise UsageError(
                f"{self.model!r} has rope_type 'dynamic', for which vLLM 0.32 uses the frequencies of short texts. Use --runner hf."
            )
        ends = {"linear": trained * factor, "yarn": original * factor, "longrope": trained}.get(kind)
        if ends is None or self._longest <= ends:
            return {"max_position_embeddings": self._longest} if self._longest > max(trained, ends or 0) else {}
        raise UsageError(
            f"{format_length(self._longest)} tokens: vLLM's phases of rope_type {kind!r} with factor {factor:g} end at "
            f"{format_length(int(ends))}. Take a greater factor, shorter --lengths, or --runner hf."
        )


def _installed(package: str) -> bool:
    try:
        version(package)
    except ModuleNotFoundError:
        return False
    return True
