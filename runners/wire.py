"""Requests to an OpenAI-compatible server: paced, streamed, sent again where that can help; what goes wrong gets a name."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import openai
from pydantic import AliasChoices, BaseModel, Field, ValidationError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from lceval.runners.ending import stop_at

T = TypeVar("T")

FIRST_WAIT_S = 1.0
"""Before the second attempt, and how far the waits are spread; each further one is twice as long."""
LONGEST_WAIT_S = 60.0
LONGEST_PAUSE_S = 300.0
"""A server that asks for a longer pause than this gets no further attempt."""
CONNECT_S = 10.0
EXCERPT = 300
SECRET = 8
"""Characters from which a key is taken for a secret; `EMPTY` is none, and may be an answer."""

_TOO_LONG = re.compile(r"context[ _](length|window|size)|too long|must have less than \d+ tokens", re.IGNORECASE)


class Fault(Exception):
    """Why a request has no answer.

    Args:
        cause: its name, such as `HTTP 429` or `connection dropped`.
        detail: what the server said.
        again: whether another attempt can help.
        status: the HTTP status, or 0.
        wait_s: how long the server asks to wait.
        gone: whether there was no connection at all.
    """

    def __init__(
        self, cause: str, detail: str = "", *, again: bool = True, status: int = 0, wait_s: float = 0.0, gone: bool = False
    ) -> None:
        super().__init__(cause, detail)
        self.cause = cause
        self.detail = detail
        self.again = again and wait_s <= LONGEST_PAUSE_S
        self.status = status
        self.wait_s = wait_s
        self.gone = gone
        self.attempts = 1

    @property
    def too_long(self) -> bool:
        """Whether the server refuses the prompt for its length."""
        return self.status in (400, 413, 422) and bool(_TOO_LONG.search(self.detail))

    def __str__(self) -> str:
        attempts = f" ({self.attempts} attempts)" if self.attempts > 1 else ""
        return f"{self.cause}{attempts}" + (f": {self.detail}" if self.detail else "")


class Details(BaseModel):
    """What a server may say of a prompt's tokens."""

    cached_tokens: int | None = None


class Usage(BaseModel):
    """Tokens, as the server counts them."""

    prompt_tokens: int = Field(0, ge=0)
    completion_tokens: int = Field(0, ge=0)
    prompt_tokens_details: Details | None = None

    @property
    def cached_tokens(self) -> int | None:
        """Prompt tokens that it had computed before; None if it does not say."""
        return self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else None


class _Delta(BaseModel):
    content: str | None = None
    reasoning: str | None = Field(None, validation_alias=AliasChoices("reasoning", "reasoning_content"))


class _Choice(BaseModel):
    text: str | None = None
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(BaseModel):
    choices: list[_Choice] | None = None
    usage: Usage | None = None


class Card(BaseModel):
    """A model that a server lists."""

    id: str
    owned_by: str | None = None
    root: str | None = None
    window: int | None = Field(
        None, validation_alias=AliasChoices("max_model_len", "context_length", "context_window", "max_context_length")
    )


class _Listing(BaseModel):
    data: list[Card]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came over the wire."""

    text: str
    thought: str
    """What a server that takes thoughts apart sent of one."""
    finish_reason: str
    """`eos`, `stop` (one of our strings) or `length`."""
    usage: Usage | None
    prefill_s: float
    """From sending to the first piece of text."""
    decode_s: float


class Pace:
    """When the next request may start: so many a minute, evenly, and none while the server asks for a pause.

    Args:
        per_minute: 0 for no limit.
        clock: seconds.
        sleep: waits so many of them.
    """

    def __init__(
        self,
        per_minute: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._gap = 60 / per_minute if per_minute else 0.0
        self._clock = clock
        self._sleep = sleep
        self._next = -math.inf
        self._queue = asyncio.Lock()

    async def turn(self) -> None:
        """Wait for it; first come, first served."""
        async with self._queue:
            while (wait := self._next - self._clock()) > 0:
                await self._sleep(wait)
            self._next = self._clock() + self._gap

    def hold(self, seconds: float) -> None:
        """Start none for so long."""
        self._next = max(self._next, self._clock() + seconds)


class Wire:
    """A server and the connections to it; to be entered and used in one event loop.

    Args:
        base_url: ends before `/models`.
        key: sent with every request, and cut out of everything that comes back.
        concurrency: requests at a time.
        per_minute: requests a minute; 0 for no limit.
        timeout_s: for a request, from sending it to its last token.
        attempts: how often one is sent.
        tell: told the first time that requests of some fault are sent again.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        concurrency: int,
        per_minute: float,
        timeout_s: float,
        attempts: int,
        tell: Callable[[str], None],
    ) -> None:
        self.slots = asyncio.Semaphore(concurrency)
        self.again: Counter[str] = Counter()
        """Requests that were sent again, by cause."""
        self._pace = Pace(per_minute)
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._tell = tell
        self._key = key
        self._client: Any = openai.AsyncOpenAI(
            base_url=base_url, api_key=key or "none", max_retries=0, timeout=openai.Timeout(None, connect=CONNECT_S)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._client.close()

    async def models(self) -> list[Card]:
        """What the server lists.

        Raises:
            Fault: it lists nothing, or there is none.
        """

        async def get() -> list[Card]:
            found = await self._client.get("/models", cast_to=object)
            return _Listing.model_validate({"data": found} if isinstance(found, list) else found).data

        return await self._insist(get, lambda fault: fault.again and not fault.gone)

    async def ask(self, path: str, body: Mapping[str, Any], stops: Sequence[str] = ()) -> Reply:
        """Send a request until it is answered.

        Args:
            path: `/completions` or `/chat/completions`.
            body: without what makes it a stream.
            stops: strings that end the answer (`lceval.runners.ending`).

        Raises:
            Fault: it was refused, or all attempts failed; the last one's.
        """
        return await self._insist(lambda: self._stream(path, body, stops), lambda fault: fault.again)

    async def _insist(self, send: Callable[[], Awaitable[T]], again: Callable[[Fault], bool]) -> T:
        async def attempt() -> T:
            await self._pace.turn()
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await send()
            except (TimeoutError, openai.OpenAIError, ValueError, RecursionError, Fault) as error:
                raise self._named(error) from None  # what the server said may hold the key

        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._attempts),
            wait=_wait,
            retry=retry_if_exception(lambda error: isinstance(error, Fault) and again(error)),
            before_sleep=self._before_sleep,
            reraise=True,
        )
        try:
            return await retrying(attempt)
        except Fault as fault:
            fault.attempts = retrying.statistics["attempt_number"]
            raise

    def _before_sleep(self, state: RetryCallState) -> None:
        fault = _fault(state)
        if fault.status == 429:
            self._pace.hold(fault.wait_s)
        if not self.again[fault.cause]:
            self._tell(fault.cause)
        self.again[fault.cause] += 1

    async def _stream(self, path: str, body: Mapping[str, Any], stops: Sequence[str]) -> Reply:
        begun = time.perf_counter()
        stream = await self._client.post(
            path, body={**body, "stream": True}, cast_to=object, stream=True, stream_cls=openai.AsyncStream[object]
        )
        text = thought = finish = ""
        usage, first, ended, cut, events = None, 0.0, 0.0, None, 0
        async with stream:
            async for data in stream:
                chunk = _Chunk.model_validate(data)
                now, events = time.perf_counter(), events + 1
                usage = chunk.usage or usage
                for choice in (chunk.choices or [])[:1]:
                    delta = choice.delta or _Delta()
                    said, thinks = choice.text or delta.content or "", delta.reasoning or ""
                    first = first or (now if said or thinks else 0.0)
                    text, thought = text + said, thought + thinks
                    finish = choice.finish_reason or finish
                if cut is None:
                    ended, cut = now, stop_at(text, stops)
                if cut is not None and usage:
                    break
        if not events:
            kind = stream.response.headers.get("content-type", "unknown")
            raise Fault("garbage in the answer", f"no events, but a body of type {kind}")
        if cut is None and finish not in _ENDS:
            if finish:
                raise Fault(f"finish_reason {finish!r}", again=finish != "content_filter")
            raise Fault("broken stream", f"it ended after {len(text)} characters without a finish_reason")
        return Reply(
            text=self._scrubbed(_whole(text[:cut])),
            thought=self._scrubbed(_whole(thought)),
            finish_reason=_ENDS[finish] if cut is None else "stop",
            usage=usage if usage and usage.prompt_tokens else None,  # some servers count nothing and say 0
            prefill_s=(first or ended) - begun,
            decode_s=ended - (first or ended),
        )

    def _named(self, error: Exception) -> Fault:
        match error:
            case Fault():
                return error
            case openai.APIStatusError(status_code=status):
                again = status in (408, 409, 425, 429) or (status >= 500 and status != 501)
                body = error.body
                said = body.get("message") or body.get("detail") if isinstance(body, dict) else body
                detail = self._excerpt(str(said or ""))
                return Fault(f"HTTP {status}", detail, again=again, status=status, wait_s=_asked(error.response.headers))
            case openai.APIConnectionError() if type(error.__cause__).__name__ in ("ConnectError", "ConnectTimeout"):
                return Fault("no connection", self._excerpt(str(error.__cause__)), gone=True)
            case TimeoutError() | openai.APITimeoutError():
                return Fault(f"timeout after {self._timeout_s:g} s")
            case openai.APIConnectionError():
                return Fault("connection dropped")
            case openai.APIError():
                return Fault("error in the stream", self._excerpt(error.message))
            case ValidationError():
                problem = error.errors()[0]
                where = ".".join(map(str, problem["loc"]))
                return Fault("garbage in the answer", self._excerpt(f"{where} {problem['msg']}: {problem['input']!r}"))
        return Fault("garbage in the answer", self._excerpt(str(error)))

    def _excerpt(self, text: str) -> str:
        line = " ".join(self._scrubbed(text.encode(errors="replace").decode()).split())
        return line if len(line) <= EXCERPT else f"{line[:EXCERPT]}…"

    def _scrubbed(self, text: str) -> str:
        return text.replace(self._key, "[key]") if len(self._key) >= SECRET else text


_ENDS = {"stop": "eos", "length": "length"}
_backoff = wait_exponential_jitter(initial=FIRST_WAIT_S, max=LONGEST_WAIT_S, jitter=FIRST_WAIT_S)


def _whole(text: str) -> str:
    """A text whose characters may have come in halves.

    Raises:
        ValueError: half a character is missing.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16")


def _wait(state: RetryCallState) -> float:
    """Seconds until the next attempt: longer every time, spread at random, and no less than the server asks for."""
    return _fault(state).wait_s + _backoff(state)


def _fault(state: RetryCallState) -> Fault:
    fault = state.outcome.exception() if state.outcome else None
    assert isinstance(fault, Fault)
    return fault


def _asked(headers: Mapping[str, str]) -> float:
    """Seconds that a server asks to wait: `Retry-After`, as a number or a date; 0 if it does not, or not so that it can be read."""
    said = headers.get("retry-after", "")
    try:
        seconds = float(said)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(said).timestamp() - time.time()
        except ValueError:
            return 0.0
    return seconds if seconds > 0 else 0.0
