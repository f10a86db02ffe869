"""A small OpenAI-compatible server on loopback that fails on demand, in a known way.

It tokenizes with the tokenizer that it is given, answers by a function of the prompt's text, and counts the requests: what goes
wrong with the n-th one is a function of n.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

FAULTS = (
    *("drop", "cut off", "429", "503", "slow", "not json", "html", "error event"),
    *("half a character", "deep", "truncate", "too long", "filtered", "echo key"),
)
"""What can go wrong with a request; `ok` is none of it."""


@dataclass
class Request:
    """What came in."""

    number: int
    path: str
    body: dict[str, Any]
    fault: str
    key: str


@dataclass
class FaultyServer:
    """A context manager: the server runs while it is entered."""

    tokenizer: Any
    """Of transformers."""
    answer: Callable[[str], str] = lambda text: "Yes."
    """The answer to a prompt's text."""
    fault: Callable[[int], str] = lambda number: "ok"
    """What goes wrong with the n-th request for an answer, from 0."""
    model: str = "tiny"
    takes: tuple[str, ...] = ("tokens", "text", "chat")
    window: int | None = 4096
    owner: str = "vllm"
    key: str = ""
    """Requests with another one are refused; empty: none is asked for."""
    adds_bos: bool = False
    """Whether BOS is put before texts."""
    extra_tokens: int = 0
    """Counted on top of every prompt, as a chat template of its own would have them."""
    counts: bool = True
    """Whether it says how many tokens it read."""
    lists: bool = True
    refuses: tuple[str, ...] = ()
    """Fields that it does not know."""
    thinks: str = ""
    """A thought that it sends apart from the answer."""
    cut_to: int = 128
    """Tokens that it reads of a prompt when it truncates."""
    cuts_probes: bool = False
    """Whether it reads no more of a probe either."""
    slow_s: float = 30.0
    retry_after: str = ""
    chunk: int = 4
    """UTF-16 units in a piece: some characters are two."""
    requests: list[Request] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._lock, self._over = threading.Lock(), threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"owner": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """What goes into `-M base_url=`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def answers(self) -> list[Request]:
        """The requests that were for more than a probe's one token."""
        return [r for r in self.requests if r.body.get("max_tokens", r.body.get("max_completion_tokens", 0)) > 1]

    def begin(self, path: str, body: dict[str, Any], key: str) -> Request:
        """Count a request and say what goes wrong with it."""
        with self._lock:
            probe = body.get("max_tokens", body.get("max_completion_tokens", 0)) == 1
            number = len(self.answers)
            request = Request(number, path, body, "ok" if probe else self.fault(number), key)
            self.requests.append(request)
            return request

    def wait(self, seconds: float) -> None:
        """Sleep, but no longer than the server lives."""
        self._over.wait(seconds)

    def read(self, request: Request) -> tuple[str, int]:
        """The prompt's text as the model sees it, and its tokens."""
        body, special = request.body, self.tokenizer.bos_token
        if "messages" in body:
            text = self.tokenizer.apply_chat_template(body["messages"], tokenize=False, add_generation_prompt=True)
            ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        elif isinstance(body["prompt"], str):
            text = f"{special}{body['prompt']}" if self.adds_bos else body["prompt"]
            ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        else:
            ids = body["prompt"]
        if request.fault == "truncate" or self.cuts_probes:
            ids = ids[-self.cut_to :]
        return self.tokenizer.decode(ids, skip_special_tokens=False), len(ids) + self.extra_tokens


class _Handler(BaseHTTPRequestHandler):
    owner: FaultyServer

    def log_message(self, format: str, *args: Any) -> None:
        return

    def do_GET(self) -> None:
        if not self.owner.lists or self.path != "/v1/models":
            return self._error(404, "Not Found")
        if self.owner.key and self._key() != self.owner.key:
            return self._error(401, f"Incorrect API key provided: {self._key()}")
        card = {"id": self.owner.model, "object": "model", "owned_by": self.owner.owner, "root": "/models/tiny"}
        if self.owner.window:
            card["max_model_len"] = self.owner.window
        return self._send(200, json.dumps({"object": "list", "data": [card]}).encode(), "application/json")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        request = self.owner.begin(self.path, body, self._key())
        with suppress(BrokenPipeError, ConnectionResetError):  # the client has what it wants
            self._answer(request)

    def _answer(self, request: Request) -> None:
        owner, body = self.owner, request.body
        if not request.path.startswith("/v1/"):
            return self._error(404, "Not Found")
        kind = "chat" if request.path.endswith("/chat/completions") else "text" if isinstance(body["prompt"], str) else "tokens"
        if kind not in owner.takes:
            status = 400 if kind == "tokens" else 404
            return self._error(status, "prompt must be a string" if status == 400 else "Not Found")
        if owner.key and request.key != owner.key:
            return self._error(401, f"Incorrect API key provided: {request.key}")
        if body["model"] != owner.model:
            return self._error(404, f"The model `{body['model']}` does not exist.")
        for name in owner.refuses:
            if name in body:
                instead = " Use 'max_completion_tokens' instead." if name == "max_tokens" else ""
                return self._error(400, f"Unsupported parameter: '{name}' is not supported with this model.{instead}")
        match request.fault:
            case "drop":
                return None
            case "429" | "503":
                return self._error(int(request.fault), "try again later", {"retry-after": owner.retry_after})
            case "too long":
                return self._error(400, "This model's maximum context length is 128 tokens.")
            case "html":
                return self._send(200, b"<html>Under construction</html>", "text/html")
            case "echo key":
                return self._error(422, f"you sent {request.key}, and it is secret")
        text, tokens = owner.read(request)
        return self._stream(request, owner.answer(text), tokens)

    def _stream(self, request: Request, answer: str, tokens: int) -> None:
        owner, body = self.owner, request.body
        budget = body.get("max_tokens", body.get("max_completion_tokens"))
        ids = owner.tokenizer(answer, add_special_tokens=False)["input_ids"]
        said = answer if len(ids) <= budget else owner.tokenizer.decode(ids[:budget])
        finish = "content_filter" if request.fault == "filtered" else "stop" if said is answer else "length"
        options = body.get("stream_options") or {}
        usage = {"prompt_tokens": tokens, "completion_tokens": min(len(ids), budget), "total_tokens": tokens + len(ids)}
        every = {"usage": usage} if options.get("continuous_usage_stats") and owner.counts else {}
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        if "messages" in body:
            self._event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
            if owner.thinks:
                self._event({"choices": [{"index": 0, "delta": {"reasoning_content": owner.thinks}}]})
        units = said.encode("utf-16-le")
        for at in range(0, len(units), 2 * owner.chunk):
            piece = units[at : at + 2 * owner.chunk].decode("utf-16-le", "surrogatepass")
            choice = {"delta": {"content": piece}} if "messages" in body else {"text": piece}
            self._event({"choices": [{"index": 0, **choice, "finish_reason": None}], **every})
            match request.fault:
                case "cut off":
                    return
                case "slow":
                    owner.wait(owner.slow_s)
                case "not json":
                    self.wfile.write(b"data: {]\n\n")
                case "half a character":
                    self._event({"choices": [{"index": 0, "text": "\ud83d", "delta": {"content": "\ud83d"}}]})
                case "deep":
                    self.wfile.write(b"data: " + b"[" * 100_000 + b"\n\n")
                case "error event":
                    self._event({"error": {"message": "the engine died \ud83d", "code": 500}})
                    return
        self._event({"choices": [{"index": 0, "text": "", "delta": {}, "finish_reason": finish}], **every})
        if options.get("include_usage") and owner.counts:
            self._event({"choices": [], "usage": usage})
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, data: Any) -> None:
        self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())

    def _key(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    def _error(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps({"error": {"message": message, "code": status}}).encode(), "application/json", headers)

    def _send(self, status: int, data: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            if value:
                self.send_header(name, value)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
