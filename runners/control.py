"""Controls: no model, but answers that fail in a known way, to check tasks, reports and gates with.

    control:perfect                            reads everything
    control:window=2048                        sees only the last 2,048 tokens
    control:lost-in-the-middle,strength=0.6    misses the middle: at x of the haystack with probability strength · 4x(1 − x)
    control:chance                             guesses among what it sees
    control:dump                               prints everything it sees

A control reads as a model would: it decodes the token ids that it may see and runs the task's solver on that text. It never looks
at a sample's gold answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from lceval import models
from lceval.errors import ModelError, UsageError, unknown
from lceval.keys import generator, uniform
from lceval.options import parse_pairs, validated
from lceval.registry import load
from lceval.tokens import Tokenizer
from lceval.types import Generation, Prompt, Task, TokenIds


class ControlOptions(BaseModel):
    """`-M` pairs of the runner `control`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokenizer: str = Field(models.EMBEDDED, description="model folder, GGUF file or hub name whose tokenizer builds the prompts")
    chat: Literal["auto", "on", "off"] = Field("auto", description="the tokenizer's chat template: auto = when there is one")


class _Perfect(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Window(_Perfect):
    window: int = Field(ge=1)


class _LostInTheMiddle(_Perfect):
    strength: float = Field(0.6, ge=0, le=1)


_BEHAVIOURS: dict[str, type[_Perfect]] = {
    "perfect": _Perfect,
    "window": _Window,
    "lost-in-the-middle": _LostInTheMiddle,
    "chance": _Perfect,
    "dump": _Perfect,
}


@dataclass(frozen=True)
class ControlSpec:
    """A parsed `control:…`."""

    behaviour: str
    settings: _Perfect

    @classmethod
    def parse(cls, model: str) -> Self:
        """From `control:NAME[=VALUE][,key=value…]`.

        Raises:
            UsageError: no such behaviour or setting.
        """
        kind, _, text = model.partition(":")
        if kind != "control":
            raise UsageError(f"the control runner takes --model control:perfect and its kind, not {model!r}.")
        parts = [part for part in text.split(",") if part]
        name = parts[0].partition("=")[0] if parts else ""
        if name not in _BEHAVIOURS:
            raise unknown("control", name, _BEHAVIOURS, "Write --model control:NAME.")
        pairs = parse_pairs([part for i, part in enumerate(parts) if i or "=" in part], f"setting of {model!r}")
        return cls(name, validated(_BEHAVIOURS[name], pairs, what=f"setting of control:{name}"))


class ControlRunner:
    """See the module.

    Args:
        model: `control:…`.
        options: the `-M` pairs (`ControlOptions`).
    """

    name = "control"
    control = True
    max_length = None

    def __init__(self, model: str, options: dict[str, Any]) -> None:
        self.model = model
        self.spec = ControlSpec.parse(model)
        self._given = options
        validated(ControlOptions, options, what="option of runner control")
        self.notes: list[str] = []

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer that stands in for a model's."""
        return self.tokenizer_of(self.model, self._given)

    @classmethod
    def tokenizer_of(cls, model: str, options: dict[str, Any]) -> Tokenizer:
        """The tokenizer of a control with these options."""
        from transformers import AutoTokenizer

        checked = validated(ControlOptions, options, what="option of runner control")
        folder = models.resolve_tokenizer(checked.tokenizer)
        try:
            return Tokenizer(AutoTokenizer.from_pretrained(folder), chat=checked.chat)
        except (OSError, ValueError) as error:
            raise ModelError(f"cannot read a tokenizer from {checked.tokenizer!r}: {error}") from error

    @cached_property
    def fingerprint(self) -> dict[str, Any]:
        """All that changes the answers."""
        return {
            "runner": self.name,
            "control": self.spec.behaviour,
            **self.spec.settings.model_dump(),
            "tokenizer": self.tokenizer.hash,
            "chat_template": self.tokenizer.frame.hash if self.tokenizer.frame.chat else "off",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return

    def generate(self, prompts: Sequence[Prompt], *, share: bool = True) -> Iterator[tuple[Prompt, Generation]]:
        """Answer each prompt from what may be seen of it. `share` changes nothing: there is nothing to compute."""
        task: Task | None = None
        made: tuple[str, Mapping[str, Any]] | None = None
        for prompt in prompts:
            begun = time.perf_counter()
            wanted = (prompt.sample.task, prompt.sample.params)
            if task is None or wanted != made:
                task, made = load("task", wanted[0]).from_params(wanted[1]), wanted
            text = ("</think>" if prompt.opening else "") + self._answer(task, prompt)
            yield (
                prompt,
                Generation(
                    text=text,
                    new_tokens=len(self.tokenizer.hf.backend_tokenizer.encode(text, add_special_tokens=False).ids),
                    cached_tokens=0,
                    prefill_s=time.perf_counter() - begun,
                    decode_s=0.0,
                    finish_reason="eos",
                    outcome="ok",
                ),
            )

    def _answer(self, task: Task, prompt: Prompt) -> str:
        read: Callable[[TokenIds], str] = lambda ids: self.tokenizer.decode(ids, special=True)  # noqa: E731
        match self.spec.settings:
            case _Window(window=window):
                return task.solve(read(prompt.ids[-window:]))
            case _LostInTheMiddle(strength=strength):
                # One threshold a prompt hides the interval where strength · 4x(1 − x) exceeds it: at x with that very probability.
                threshold = uniform(generator("lost", prompt.sample.sample_key))
                if threshold >= strength:
                    return task.solve(read(prompt.ids))
                half = np.sqrt(1 - threshold / strength) / 2
                start, stop = prompt.context
                low, high = (start + round((stop - start) * x) for x in (0.5 - half, 0.5 + half))
                return task.solve(read(prompt.ids[:low]) + " … " + read(prompt.ids[high:]))
        if self.spec.behaviour == "chance":
            return task.guess(read(prompt.ids), generator("chance", prompt.sample.sample_key))
        if self.spec.behaviour == "dump":
            return read(prompt.ids)
        return task.solve(read(prompt.ids))
