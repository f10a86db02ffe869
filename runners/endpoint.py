"""The runner `endpoint`: any OpenAI-compatible server, greedy, many requests at a time.

A prompt goes out as token ids where the server takes them, else as text, else as messages. What the server counts is held against
what was sent: a server that cuts prompts is found out, and its answers are errors.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property, partial
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, Json

from lceval import models
from lceval.errors import CannotFit, ModelError, RunnerError, UsageError
from lceval.lengths import format_length
from lceval.options import validated
from lceval.tokens import Tokenizer
from lceval.types import Generation, Prompt

try:
    from anyio.from_thread import BlockingPortal, start_blocking_portal

    from lceval.runners.way import Api, Sent, Way, find_way
    from lceval.runners.wire import Card, Fault, Reply, Wire
except ModuleNotFoundError as missing:
    if missing.name not in ("anyio", "openai", "tenacity"):
        raise
    raise ModelError(f"the runner endpoint needs {missing.name}. Run: pip install 'lceval[endpoint]'") from missing

T = TypeVar("T")


class EndpointOptions(BaseModel):
    """`-M` pairs of the runner `endpoint`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = Field(description="where the server is: http://localhost:8000/v1")
    tokenizer: str = Field("", description="folder or hub name of the served model's tokenizer; empty: what --model names")
    revision: str = Field("", description="branch, tag or commit on the hub")
    chat: Literal["auto", "on", "off"] = Field("auto", description="the tokenizer's chat template: auto = when there is one")
    chat_kwargs: dict[str, Any] | Json[dict[str, Any]] = Field(
        {}, description='JSON passed to the chat template, here and on the server: {"enable_thinking": false}'
    )
    api: Literal["auto", "tokens", "text", "chat"] = Field(
        "auto", description="how prompts go out: token ids, text, or messages; auto: the first that the server takes"
    )
    concurrency: int = Field(8, ge=1, description="requests at a time")
    requests_per_minute: float = Field(0, ge=0, description="0 = no limit")
    timeout_s: float = Field(600, gt=0, description="seconds for one request, from sending it to its last token")
    attempts: int = Field(5, ge=1, description="how often a request is sent before its row is an error")
    key_env: str = Field("OPENAI_API_KEY", description="the environment variable that holds the key")
    window: int = Field(0, ge=0, description="the longest prompt + answer that the server takes; 0 = as it says itself")
    extra_body: dict[str, Any] | Json[dict[str, Any]] = Field({}, description="JSON that is added to every request")


class EndpointRunner:
    """See the module.

    Args:
        model: the name under which the server has it; also its tokenizer's, unless an option names that.
        options: the `-M` pairs (`EndpointOptions`).
        longest: tokens of the run's longest prompt and answer.
    """

    name = "endpoint"
    control = False

    def __init__(self, model: str, options: dict[str, Any], longest: int = 0) -> None:
        self.model = model
        self.longest = longest
        self.options = _checked(options)
        self.url = self.options.base_url.rstrip("/")
        self.tokenizer = self.tokenizer_of(model, options)
        self.notes: list[str] = []
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._wire: Wire | None = None
        self._differences: set[int] = set()
        self._causes: set[str] = set()
        self._now: Way | None = None

    @classmethod
    def tokenizer_of(cls, model: str, options: dict[str, Any]) -> Tokenizer:
        """The tokenizer that prompts are made with; the server is not asked."""
        from transformers import AutoTokenizer

        checked = _checked(options)
        try:
            folder = models.resolve_tokenizer(checked.tokenizer or model, revision=checked.revision or None)
            hf_tokenizer = AutoTokenizer.from_pretrained(folder)
        except (ModelError, OSError, ValueError, KeyError) as error:
            if checked.tokenizer:
                raise ModelError(f"cannot read the tokenizer of {checked.tokenizer!r}: {error}") from error
            raise ModelError(
                f"prompts are made to the token, and {model!r} names no tokenizer here. Add that of the served model: "
                f"-M tokenizer=FOLDER, or a hub name. ({error})"
            ) from error
        return Tokenizer(hf_tokenizer, chat=checked.chat, template_kwargs=checked.chat_kwargs)

    @property
    def max_length(self) -> int | None:
        """The served window: as the option has it, else as the server does."""
        return self.options.window or (self._card.window if self._card else None)

    @cached_property
    def fingerprint(self) -> dict[str, Any]:
        """All that changes the answers, as far as a server lets one know."""
        chat = self._way.api == "chat"
        return {
            "runner": self.name,
            "model": self.model,
            "served": self._card.root if self._card else None,
            "window": self.max_length,
            "api": self._way.api,
            "answer_prefix": "at the end of the last message" if chat else "as the answer's beginning",
            "tokenizer": self.tokenizer.hash,
            "chat_template": self.tokenizer.frame.hash if self.tokenizer.frame.chat else "off",
            "chat_kwargs": dict(self.options.chat_kwargs),
            "extra_body": dict(self.options.extra_body),
            "variant": "",
            "decoding": "greedy" if self._greedy else "sampled",
        }

    @property
    def environment(self) -> dict[str, Any]:
        """Where the server is: the same model may be served elsewhere tomorrow."""
        return {"base_url": self.url}

    def __enter__(self) -> Self:
        self._now = self._way
        with ExitStack() as stack:
            self._portal = stack.enter_context(start_blocking_portal())
            self._wire = stack.enter_context(self._portal.wrap_async_context_manager(self._connected()))
            self._stack = stack.pop_all()
        if self.max_length is None:
            self._note(
                "the server does not say how long prompts may be; what is too long for it fails when it is sent (-M window=N)"
            )
        if not self._greedy:
            self._note("the server samples its answers: they differ from run to run")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, trace)
        self._portal = self._wire = None

    @property
    def at_once(self) -> int:
        """Requests at a time."""
        return self.options.concurrency

    def generate(self, prompts: Sequence[Prompt], *, share: bool = True) -> Iterator[tuple[Prompt, Generation]]:
        """Answer the prompts, sent in their order; see `lceval.types.Runner`. What prefixes are worth, the server's cache knows.

        Raises:
            RunnerError: the server is gone.
        """
        if not share and not self._salts:
            self._note(
                "the server does not say that it is vLLM, so its prefix cache, if it has one, cannot be switched off from here"
            )
        assert self._portal is not None
        if self._way.api != "tokens":
            self._portal.call(self._compare, min(prompts, key=lambda prompt: len(prompt.ids)))
        asked = {self._portal.start_task_soon(self._answer, prompt, share): prompt for prompt in prompts}
        try:
            for count, future in enumerate(as_completed(asked), start=1):
                generation = future.result()
                if count == len(asked):
                    self._tell_differences()
                yield asked[future], generation
        finally:
            for future in asked:
                future.cancel()

    async def _compare(self, prompt: Prompt) -> None:
        """Have the server count a prompt of a group, to know what it should count of the others."""
        assert self._wire is not None
        way, sent = self._way, self._way.sent(prompt)
        try:
            usage = (await self._ask(self._wire, way, sent, 1)).usage
        except Fault as fault:
            self._now = replace(way, surety=0.0)
            self._note(f"the server's count of a prompt could not be had ({fault}): if it cuts prompts, that goes unseen")
            return
        self._now = way.compared(sent, usage.prompt_tokens) if usage else way
        if self._now.surety < 1:
            self._note(
                "the server's tokenizer is not that of the prompts (-M tokenizer=): lengths are not quite what it reads, and a "
                "prompt that it cuts by a few percent goes unseen"
            )

    async def _answer(self, prompt: Prompt, share: bool) -> Generation:
        wire, way = self._wire, self._now
        assert wire is not None
        assert way is not None
        async with wire.slots:
            sent = way.sent(prompt)
            salt = {} if share or not self._salts else {"cache_salt": uuid.uuid4().hex}
            try:
                reply = await self._ask(wire, way, sent, prompt.reserved, prompt.question.stop, salt)
            except Fault as fault:
                if fault.gone:
                    raise RunnerError(
                        f"the server at {self.url} is gone: {fault}. What was answered before is stored; start the server and run "
                        "the same command again to go on from here."
                    ) from None
                self._failed(fault.cause, str(fault))
                return Generation("", 0, 0, 0.0, 0.0, "error", "overflow" if fault.too_long else "error", str(fault))
        text, usage, missing = self._said(prompt, reply), reply.usage, None
        if usage is None:
            self._note("the server does not say how many tokens it read: a prompt that it cut would go unseen")
        elif usage.prompt_tokens != len(prompt.ids) + way.offset:
            missing = way.missing(sent, usage.prompt_tokens)
        if missing:
            self._failed("truncated", missing)
        elif usage:
            self._differences.add(usage.prompt_tokens - len(prompt.ids))
        return Generation(
            text=text,
            new_tokens=usage.completion_tokens if usage else len(self.tokenizer.hf(text, add_special_tokens=False)["input_ids"]),
            cached_tokens=usage.cached_tokens or 0 if usage else 0,
            prefill_s=reply.prefill_s,
            decode_s=reply.decode_s,
            finish_reason="error" if missing else reply.finish_reason,
            outcome="error" if missing else "truncated" if reply.finish_reason == "length" else "ok",
            error=missing,
        )

    def _said(self, prompt: Prompt, reply: Reply) -> str:
        """The answer as it follows the prompt, with the thought that a server took out of it."""
        if reply.thought:
            return f"{'' if prompt.opening else '<think>'}{reply.thought}</think>{reply.text}"
        kept = self._way.api == "chat" and prompt.opening and reply.finish_reason != "length" and "</think>" not in reply.text
        return f"</think>{reply.text}" if kept else reply.text

    async def _ask(
        self, wire: Wire, way: Way, sent: Sent, budget: int, stops: Sequence[str] = (), extra: dict[str, Any] | None = None
    ) -> Reply:
        body = {"model": self.model, **way.body(sent, budget), **(extra or {}), **self.options.extra_body}
        return await wire.ask(way.path, body, stops)

    @cached_property
    def _cards(self) -> list[Card]:
        """The models that the server lists; none where it has no list."""
        try:
            return self._before(lambda wire: wire.models())
        except Fault as fault:
            if fault.status in (400, 404, 405, 501):
                return []
            raise self._unanswered(fault) from None

    @property
    def _card(self) -> Card | None:
        return next((card for card in self._cards if card.id == self.model), None)

    @property
    def _salts(self) -> bool:
        """Whether the server's cache tells prompts with different salts apart."""
        return self._card is not None and self._card.owned_by == "vllm"

    @property
    def _greedy(self) -> bool:
        return {**self._way.fixed, **self.options.extra_body}.get("temperature") == 0

    @cached_property
    def _way(self) -> Way:
        """How the server takes prompts: it is asked once."""
        _ = self._cards  # whether there is a server at all
        way, window = self._before(self._find_way), self.max_length
        if window and self.longest <= window < self.longest + way.offset:
            raise CannotFit(
                f"the server adds {way.offset} tokens to every prompt, and {format_length(self.longest)} with them is beyond its "
                f"window of {window} tokens. Ask for --lengths up to {window - way.offset}."
            )
        return way

    async def _find_way(self, wire: Wire) -> Way:
        kinds: tuple[Api, ...] = ("tokens", "text", "chat") if self.options.api == "auto" else (self.options.api,)
        refused: dict[str, list[str]] = {}
        for api in kinds:
            try:
                way, reply = await find_way(api, self.tokenizer, self.options.chat_kwargs, partial(self._ask, wire, budget=1))
            except Fault as fault:
                if fault.status in (0, 401, 403, 429):
                    raise self._unanswered(fault) from None
                refused.setdefault(str(fault), []).append(api)
                continue
            stream = way.fixed.get("stream_options")
            if self._salts and stream and reply.usage and reply.usage.cached_tokens is None:
                # Every piece then says the tokens so far, so that a stream can be closed where the answer ends.
                return replace(way, fixed={**way.fixed, "stream_options": {**stream, "continuous_usage_stats": True}})
            return way
        reasons = "; ".join(f"{', '.join(apis)}: {fault}" for fault, apis in refused.items())
        listed = f" It lists {', '.join(card.id for card in self._cards)}." if self._cards else ""
        raise ModelError(
            f"the server at {self.url} takes no prompts for {self.model!r} ({reasons}).{listed} Check --model, and "
            "-M base_url, which for most servers ends in /v1."
        )

    def _unanswered(self, fault: Fault) -> ModelError:
        name = self.options.key_env
        if fault.status in (401, 403):
            return ModelError(
                f"the server at {self.url} refuses the key ({fault}). Put one that it takes into the environment variable {name}"
                f"{'' if os.environ.get(name) else ', which is not set'}, or name another variable with -M key_env=NAME."
            )
        return ModelError(f"no answer from a server at {self.url}: {fault}. Start it, or check -M base_url.")

    def _before(self, ask: Callable[[Wire], Awaitable[T]]) -> T:
        """Ask the server something while the runner is not entered."""

        async def once() -> T:
            async with self._connected() as wire:
                return await ask(wire)

        with start_blocking_portal() as portal:
            return portal.call(once)

    def _connected(self) -> Wire:
        options = self.options
        return Wire(
            self.url,
            os.environ.get(options.key_env, ""),
            concurrency=options.concurrency,
            per_minute=options.requests_per_minute,
            timeout_s=options.timeout_s,
            attempts=options.attempts,
            tell=lambda cause: self._note(f"{cause}: such requests are sent again, each up to {options.attempts} times in all"),
        )

    def _failed(self, cause: str, error: str) -> None:
        """Say why there is no answer, once for each cause."""
        if cause not in self._causes:
            self._causes.add(cause)
            self._note(f"some prompts have no answer, which lowers the coverage: {error}")

    def _tell_differences(self) -> None:
        """Say by how many tokens the server's counts differ from ours."""
        if not self._differences - {0}:
            return
        low, high = min(self._differences), max(self._differences)
        by = f"{low:+d}" if low == high else f"{low:+d} to {high:+d}"
        self._note(f"the server counts {by} tokens a prompt against lceval's count, which is the one that is stored")

    def _note(self, text: str) -> None:
        """Say it once."""
        if text not in self.notes:
            self.notes.append(text)


def _checked(options: dict[str, Any]) -> EndpointOptions:
    """The options, which hold nothing secret: they are stored with the run."""
    if "base_url" not in options:
        raise UsageError("the runner endpoint needs the server's address: -M base_url=http://localhost:8000/v1.")
    checked = validated(EndpointOptions, options, what="option of runner endpoint")
    url = urlsplit(checked.base_url)
    if url.username or url.password or url.query or url.fragment:
        raise UsageError(
            "-M base_url holds a user's name, a password or a query (what follows ? or #), and would be stored with the run. Give "
            f"the address alone; a key goes into the environment variable {_name(checked.key_env)}."
        )
    if url.scheme not in ("http", "https") or not url.hostname:
        raise UsageError(f"-M base_url={checked.base_url!r} is no address of a server; write http://localhost:8000/v1.")
    _name(checked.key_env)
    return checked


def _name(variable: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
        raise UsageError(
            "-M key_env= is the name of an environment variable, such as OPENAI_API_KEY, and what is given cannot be one. The key "
            "itself goes into that variable, never onto the command line."
        )
    return variable
