"""What a run will cost, put together: memory, arithmetic, time and money by length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from lceval.costs.flops import Flops, flops, overtaken_at, score_bytes
from lceval.costs.gpus import Gpu
from lceval.costs.memory import Memory, Setting, gpus_needed, kv_needed, kv_own, longest_that_fits, memory
from lceval.costs.shapes import Shape
from lceval.costs.times import Fit, prefill_bound, step_bound
from lceval.costs.work import Load, Work
from lceval.errors import UsageError
from lceval.runners.variants.spec import Spec, parse

SAVING = ("window(4096)+sinks(4)", "snapkv(1024)", "kv(int4)", "chunk(4096)")
"""Variants whose savings are shown beside the one that is asked for."""
FORECAST_SCHEMA = "lceval.plan/1"


@dataclass(frozen=True, slots=True)
class OnGpu:
    """One length on one kind of GPU."""

    gpu: Gpu
    tensor: int | None
    """GPUs with tensor parallelism; None: no number is enough."""
    context: int | None
    """GPUs with context parallelism, the weights on each; None: the weights alone do not fit."""
    prefill_s: float | None
    """Seconds to the first token at best, on the smaller number of them; None: rates not known."""
    step_s: float | None
    """Seconds of a decoding step at best."""


@dataclass(frozen=True, slots=True)
class AtLength:
    """What one prompt of a length costs."""

    length: int
    memory: Memory
    kv_needed: int
    """Bytes of what can still be seen; `memory.kv` is what is held."""
    flops: Flops
    scores: int
    """Bytes of one layer's scores, which FlashAttention avoids."""
    gpus: tuple[OnGpu, ...]


@dataclass(frozen=True, slots=True)
class Saving:
    """What a variant takes at the longest length, in bytes and operations."""

    variant: str
    needed: int
    held: int
    attention: int
    activations: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What a measured prefill says."""

    fit: Fit
    step_s: float
    """Seconds of a decoding step."""
    new_tokens: float
    """Of an answer."""
    other_s: float
    """Seconds of a prompt for everything else: scoring the gold answer, bookkeeping."""
    where: str
    """Device and dtype."""

    def seconds(self, work: Work, load: Load) -> float:
        """Of reading some work and answering all prompts of a load."""
        return self.fit.seconds(work.tokens, work.squares) + load.prompts * (self.new_tokens * self.step_s + self.other_s)


@dataclass(frozen=True, slots=True)
class Price:
    """Money a million tokens."""

    prompt: float
    answer: float

    def of(self, work: Work, answers: int) -> float:
        """Of prompt tokens and new ones."""
        return (work.tokens * self.prompt + answers * self.answer) / 1e6


@dataclass(frozen=True, slots=True)
class Forecast:
    """The whole plan."""

    tasks: tuple[str, ...]
    shape: Shape
    setting: Setting
    lengths: tuple[AtLength, ...]
    overtaken: int | None
    """The length at which attention takes more operations than all matrices."""
    longest: tuple[tuple[Gpu, int], ...]
    """The longest context that one GPU of each kind holds; 0: not even the weights."""
    savings: tuple[Saving, ...]
    load: Load
    price: Price | None = None
    measured: Measured | None = None

    def record(self) -> dict[str, Any]:
        """JSON-able: bytes, operations, seconds and money, by length and in all."""
        whole = {name: getattr(self.shape, name) for name in ("name", "model_type", "parameters", "active", "attention", "trained")}
        return {
            "schema": FORECAST_SCHEMA,
            "tasks": list(self.tasks),
            "model": whole,
            "setting": {**asdict(self.setting), "variant": str(self.setting.variant)},
            "lengths": [_length_record(at) for at in self.lengths],
            "attention_overtakes_at": self.overtaken,
            "longest_on_one_gpu": {gpu.name: tokens for gpu, tokens in self.longest},
            "savings": [asdict(saving) for saving in self.savings],
            "load": asdict(self.load),
            "seconds": self.seconds(),
            "money": self.money(),
            "measured": asdict(self.measured) if self.measured else None,
        }

    def seconds(self) -> dict[str, float | None]:
        """Of the whole run, one by one and shared: by the measured prefill, else at best on the first GPU of known rates."""
        if self.measured:
            each = (self.measured.seconds(work, self.load) for work in (self.load.one_by_one, self.load.shared))
            return dict(zip(("one_by_one", "shared"), each, strict=True))
        best = next((on for on in self.lengths[-1].gpus if on.prefill_s is not None), None)
        if best is None or best.step_s is None or best.gpu.flops is None:
            return {"one_by_one": None, "shared": None}
        last = self.lengths[-1]
        count = min(n for n in (best.tensor, best.context) if n)
        pairs = last.flops.attention / last.length**2
        answers = self.load.answers * best.step_s
        return {
            name: (work.tokens * 2 * self.shape.active + work.squares * pairs) / best.gpu.flops / count + answers
            for name, work in (("one_by_one", self.load.one_by_one), ("shared", self.load.shared))
        }

    def money(self) -> dict[str, float] | None:
        """Of the whole run, one by one and shared; None without a price."""
        if self.price is None:
            return None
        works = {"one_by_one": self.load.one_by_one, "shared": self.load.shared}
        return {name: self.price.of(work, self.load.answers) for name, work in works.items()}


def _length_record(at: AtLength) -> dict[str, Any]:
    return {
        "length": at.length,
        "memory": {**asdict(at.memory), "total": at.memory.total, "kv_needed": at.kv_needed},
        "flops": {**asdict(at.flops), "attention": at.flops.attention},
        "score_matrix_bytes_a_layer": at.scores,
        "gpus": {on.gpu.name: {name: getattr(on, name) for name in ("tensor", "context", "prefill_s", "step_s")} for on in at.gpus},
    }


def forecast(
    tasks: Sequence[str],
    shape: Shape,
    setting: Setting,
    lengths: Sequence[int],
    load: Load,
    *,
    gpus: Sequence[Gpu] = (),
    price: Price | None = None,
    measured: Measured | None = None,
) -> Forecast:
    """Everything about some lengths of a model.

    Args:
        tasks: names, for the record.
        shape: the model's.
        setting: how it is run.
        lengths: tokens of prompt and answer, ascending.
        load: the work of the run.
        gpus: kinds of GPUs to place it on.
        price: of tokens.
        measured: a measured prefill.
    """
    return Forecast(
        tuple(tasks),
        shape,
        setting,
        tuple(_at(shape, length, setting, gpus) for length in lengths),
        overtaken_at(shape, setting),
        tuple((gpu, longest_that_fits(shape, setting, gpu)) for gpu in gpus),
        tuple(_savings(shape, lengths[-1], setting)),
        load,
        price,
        measured,
    )


def _at(shape: Shape, length: int, setting: Setting, gpus: Sequence[Gpu]) -> AtLength:
    return AtLength(
        length,
        memory(shape, length, setting),
        kv_needed(shape, length, setting),
        flops(shape, length, setting),
        score_bytes(shape, length, setting.itemsize),
        tuple(_on(shape, length, setting, gpu) for gpu in gpus),
    )


def _on(shape: Shape, length: int, setting: Setting, gpu: Gpu) -> OnGpu:
    tensor, context = (gpus_needed(shape, length, setting, gpu, split=split) for split in ("tensor", "context"))
    count = min((n for n in (tensor, context) if n), default=None)
    if count is None:
        return OnGpu(gpu, None, None, None, None)
    return OnGpu(
        gpu, tensor, context, prefill_bound(shape, length, setting, gpu, count), step_bound(shape, length, setting, gpu, count)
    )


def _savings(shape: Shape, length: int, setting: Setting) -> list[Saving]:
    """What the variant, or some common ones, take at a length, after the model as it is; none where variants cannot go."""
    if shape.positions or shape.latent:
        return []
    found = []
    texts = [str(setting.variant)] if setting.variant.atoms else list(SAVING)
    for spec in (Spec(), *map(parse, texts)):
        each = setting_of(setting, spec)
        held = memory(shape, length, each)
        own = kv_own(shape, length, each) if not spec.atoms else kv_needed(shape, length, each)
        found.append(Saving(str(spec) or "as it is", own, held.kv, flops(shape, length, each).attention, held.activations))
    return found


def setting_of(setting: Setting, spec: Spec) -> Setting:
    """The setting with a variant; `chunk(c)` says how many tokens a pass has."""
    chunk = spec.named("chunk")
    return replace(setting, variant=spec, chunk=int(chunk[0]["c"]) if chunk else setting.chunk)


def parse_price(text: str) -> Price | None:
    """`2.50` (a million tokens of prompts or answers) or `2.50,10` (of prompts, of answers); empty: None.

    Raises:
        UsageError: not such numbers.
    """
    if not text.strip():
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 2 or any(not 0 <= number < float("inf") for number in numbers):
        raise UsageError(
            f"cannot read --price {text!r}; write what a million tokens cost, such as 2.50, or 2.50,10 for prompts and answers."
        )
    return Price(numbers[0], numbers[-1])
