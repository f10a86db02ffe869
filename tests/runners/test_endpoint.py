"""The runner for servers, against a small one that fails in known ways."""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

import lceval
from lceval import cli, engine
from lceval.config import RunConfig
from lceval.errors import CannotFit, ModelError, RunnerError, UsageError
from lceval.planning import Plan
from lceval.registry import load
from lceval.rows import Run
from lceval.runners import wire
from lceval.runners.endpoint import EndpointRunner
from lceval.runners.wire import Fault, Pace
from lceval.tasks.niah import Niah
from lceval.types import Generation, Prompt

sys.path.insert(0, str(Path(__file__).parent))
from faulty import FAULTS, FaultyServer

SOLVE = Niah.from_params({}).solve
KEY = "sk-a-key-that-nobody-may-see"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_backoff", lambda state: 0.0)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture(scope="module")
def hf(tiny_model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_model)


@pytest.fixture
def serve(hf: Any) -> Iterator[Callable[..., FaultyServer]]:
    """`serve(**settings)`: a running server."""
    running = []

    def start(**settings: Any) -> FaultyServer:
        server = FaultyServer(**{"tokenizer": hf, "answer": SOLVE} | settings)
        running.append(server.__enter__())
        return server

    yield start
    for server in running:
        server.__exit__(None, None, None)


@pytest.fixture
def run(tiny_model: Path, tmp_path: Path) -> Callable[..., Run]:
    """`run(server, settings, **options)`: a small grid, without its report; what was said is in `Notes.said`."""

    def go(server: FaultyServer, settings: dict[str, Any] | None = None, **options: Any) -> Run:
        options = {"base_url": server.url, "tokenizer": str(tiny_model)} | options
        given = {"tasks": "niah", "lengths": "256,384", "depths": "3", "samples": 1, "out": tmp_path / "run"} | (settings or {})
        config = RunConfig.checked(model=server.model, runner="endpoint", model_options=options, **given)
        engine.execute(config, engine.make_runner(config), Notes(), "test")
        return lceval.load_run(config.folder)

    return go


class Notes:
    """A progress that keeps what is said."""

    said: list[str]

    def __init__(self) -> None:
        Notes.said = []

    def begin(self, plan: Plan, stored: int) -> None: ...
    def row(self, row: Any) -> None: ...
    def end(self) -> None: ...

    def note(self, text: str) -> None:
        self.said.append(text)


def made(server: FaultyServer, tokenizer: Path, **options: Any) -> EndpointRunner:
    return EndpointRunner(server.model, {"base_url": server.url, "tokenizer": str(tokenizer)} | options)


def prompts_of(runner: EndpointRunner, **settings: Any) -> list[Prompt]:
    settings = {"lengths": (256, 384), "depths": (0.0, 0.5, 1.0), "samples": 1} | settings
    plan = Plan(RunConfig.checked(tasks=("niah",), model=runner.model, **settings), runner.tokenizer)
    return plan.compose(plan.groups[0])


def answered(runner: EndpointRunner, share: bool = True, **settings: Any) -> list[tuple[Prompt, Generation]]:
    with runner:
        return list(runner.generate(prompts_of(runner, **settings), share=share))


# What goes out


@pytest.mark.parametrize(
    ("takes", "api"), [(("tokens", "text", "chat"), "tokens"), (("text", "chat"), "text"), (("chat",), "chat")]
)
def test_the_first_kind_of_prompt_that_the_server_takes_is_used(serve: Any, run: Any, takes: tuple[str, ...], api: str) -> None:
    server = serve(takes=takes)
    done = run(server)
    assert done.info.fingerprint["api"] == api
    assert [(row.outcome, row.finish_reason, row.strict) for row in done.rows] == [("ok", "eos", 1.0)] * 6
    assert all(row.prefill_s > 0 and row.new_tokens > 1 for row in done.rows)
    assert {request.path for request in server.answers} == {"/v1/chat/completions" if api == "chat" else "/v1/completions"}
    for request in server.answers:
        assert request.body["temperature"] == 0
        assert request.body["stream"] is True
        assert request.body["max_tokens"] in {row.reserved_tokens for row in done.rows}
        assert "stop" not in request.body


def test_token_ids_go_out_as_they_are_and_in_walk_order(serve: Any, tiny_model: Path) -> None:
    server = serve()
    rows = answered(made(server, tiny_model, concurrency=1))
    sent = [request.body["prompt"] for request in server.answers]
    assert sent == [prompt.ids.tolist() for prompt, _ in rows]


def test_a_text_reads_as_the_tokens_do(serve: Any, tiny_model: Path, hf: Any) -> None:
    server = serve(takes=("text",))
    rows = answered(made(server, tiny_model, concurrency=1))
    assert [request.body["prompt"] for request in server.answers] == [hf.decode(prompt.ids) for prompt, _ in rows]
    assert all(generation.prefill_s > 0 and generation.decode_s > 0 for _, generation in rows)
    assert all(request.body["prompt"].startswith("<|user|>") for request in server.answers)


@pytest.mark.parametrize("adds_bos", [False, True])
def test_bos_stands_before_a_text_once(serve: Any, fast_tokenizer: Any, tmp_path: Path, adds_bos: bool) -> None:
    fast_tokenizer("metaspace", bos=True).save_pretrained(tmp_path)
    server = serve(tokenizer=fast_tokenizer("metaspace", bos=True), takes=("text",), adds_bos=adds_bos)
    runner = made(server, tmp_path)
    rows = answered(runner)
    assert {generation.outcome for _, generation in rows} == {"ok"}
    assert {request.body["prompt"].startswith("<s>") for request in server.answers} == {not adds_bos}
    assert not [note for note in runner.notes if "counts" in note]


@pytest.mark.parametrize("chat", ["auto", "off"])
@pytest.mark.parametrize("bos", ["<s>", "<|user|>"])
def test_messages_hold_the_user_s_words_and_the_answer_s_beginning_last(
    serve: Any, fast_tokenizer: Any, chat_template: str, tmp_path: Path, chat: str, bos: str
) -> None:
    tokenizer = fast_tokenizer("bpe", chat_template=chat_template)
    tokenizer.bos_token = bos  # in some templates the first mark of a turn is BOS
    tokenizer.save_pretrained(tmp_path)
    server = serve(takes=("chat",))
    runner = made(server, tmp_path, chat=chat, concurrency=1)
    rows = answered(runner)
    assert runner.fingerprint["answer_prefix"] == "at the end of the last message"
    for (prompt, _), request in zip(rows, server.answers, strict=True):
        (message,) = request.body["messages"]
        assert message["role"] == "user"
        assert "<|" not in message["content"]
        assert prompt.question.text in message["content"]
        assert message["content"].endswith(prompt.question.answer_prefix)


def test_a_conversation_from_a_file_goes_out_turn_by_turn(serve: Any, run: Any, tmp_path: Path) -> None:
    turns = [
        {"role": "user", "content": "Write a poem about moss. "},
        {"role": "assistant", "content": "Green it lies.\nStill."},
        {"role": "user", "content": "Prepend 7Xa to the first poem about moss."},
    ]
    row = {"prompt": json.dumps(turns), "answer": "7XaGreen it lies.\nStill.", "random_string_to_prepend": "7Xa", "n_needles": 2}
    (tmp_path / "mrcr.jsonl").write_text(json.dumps(row | {"desired_msg_index": 1, "total_messages": 3, "n_chars": 90}) + "\n")
    server = serve(takes=("chat",), answer=lambda text: "7XaGreen it lies.\nStill.")
    done = run(
        server, {"tasks": "official", "lengths": "512", "task_params": {"data": str(tmp_path / "mrcr.jsonl")}, "depths": None}
    )
    assert [request.body["messages"] for request in server.answers] == [turns]
    assert [row.official for row in done.rows] == [1.0]


def test_what_a_service_does_not_take_is_left_out_and_said(serve: Any, run: Any) -> None:
    server = serve(takes=("chat",), refuses=("max_tokens", "temperature"), window=None)
    done = run(server)
    assert {row.outcome for row in done.rows} == {"ok"}
    assert done.info.fingerprint["decoding"] == "sampled"
    for request in server.answers:
        assert "max_completion_tokens" in request.body
        assert not {"max_tokens", "temperature"} & request.body.keys()
    assert any("samples its answers" in note for note in Notes.said)
    assert any("does not say how long prompts may be" in note for note in Notes.said)


def test_extra_fields_and_the_template_s_arguments_are_passed_on(serve: Any, tiny_model: Path) -> None:
    server = serve(takes=("chat",))
    runner = made(server, tiny_model, chat_kwargs='{"enable_thinking": false}', extra_body='{"seed": 7, "temperature": 0.5}')
    answered(runner)
    for request in server.answers:
        assert request.body["chat_template_kwargs"] == {"enable_thinking": False}
        assert (request.body["seed"], request.body["temperature"]) == (7, 0.5)
    assert runner.fingerprint["decoding"] == "sampled"
    assert runner.fingerprint["extra_body"] == {"seed": 7, "temperature": 0.5}


# What comes back


def test_a_thought_that_the_server_took_out_is_put_back_and_not_scored(serve: Any, run: Any) -> None:
    done = run(serve(takes=("chat",), thinks="Four or five?"))
    for row in done.rows:
        assert row.output.startswith("<think>Four or five?</think>")
        assert row.thinking_words
        assert row.strict == 1.0


@pytest.mark.parametrize("owner", ["vllm", "someone"])
def test_a_stop_string_ends_the_answer_and_the_count_is_known_all_the_same(serve: Any, run: Any, owner: str) -> None:
    long = "\nNext, a long story about ships" * 3
    server = serve(answer=lambda text: SOLVE(text) + long, owner=owner)
    done = run(server)
    assert [(row.finish_reason, row.outcome, row.strict) for row in done.rows] == [("stop", "ok", 1.0)] * 6
    assert not Notes.said
    for request in server.answers:  # only a server that counts as it goes can be left before it is done
        assert bool(request.body["stream_options"].get("continuous_usage_stats")) == (owner == "vllm")


def test_characters_may_come_in_halves(serve: Any, run: Any) -> None:
    done = run(serve(answer=lambda text: f"{SOLVE(text)} 😀", chunk=1))
    assert {row.output[-1] for row in done.rows} == {"😀"}


def test_an_answer_that_hits_its_budget_is_truncated(serve: Any, run: Any) -> None:
    done = run(serve(answer=lambda text: SOLVE(text) + " and so on" * 200))
    assert {(row.outcome, row.finish_reason) for row in done.rows} == {("truncated", "length")}
    assert all(row.new_tokens == row.reserved_tokens for row in done.rows)


@pytest.mark.parametrize("api", ["tokens", "text", "chat"])
def test_a_server_that_cuts_prompts_is_found_out(serve: Any, run: Any, api: str) -> None:
    done = run(serve(takes=(api,), fault=lambda number: "truncate", cut_to=256))
    assert len(done.rows) == 6
    for row in done.rows:
        if row.prompt_tokens <= 256:
            assert row.outcome == "ok"
        else:
            assert (row.outcome, row.finish_reason, row.strict, row.official) == ("error", "error", None, None)
            assert row.error is not None
            assert row.error.startswith("server truncated the prompt: 256 of 3")
    assert done.coverage == 0.5
    assert len([note for note in Notes.said if "server truncated the prompt" in note]) == 1


def test_one_token_that_is_not_read_is_noticed(serve: Any, tiny_model: Path) -> None:
    server = serve(fault=lambda number: "truncate")
    runner = made(server, tiny_model)
    (prompt, *_) = prompts_of(runner)
    server.cut_to = len(prompt.ids) - 1
    with runner:
        ((_, generation),) = runner.generate([prompt])
    assert generation.error == f"server truncated the prompt: {len(prompt.ids) - 1} of {len(prompt.ids)} tokens"


def test_counts_that_differ_are_said_once_with_their_range(serve: Any, run: Any) -> None:
    done = run(serve(takes=("chat",), extra_tokens=7), {"samples": 2})
    assert {row.outcome for row in done.rows} == {"ok"}
    (note,) = Notes.said
    assert note.startswith("the server counts +")


def test_a_cut_shows_beside_a_template_of_the_server_s_own(serve: Any, run: Any) -> None:
    done = run(serve(takes=("chat",), extra_tokens=7, fault=lambda number: "truncate", cut_to=300))
    assert {row.length: row.outcome for row in done.rows} == {256: "ok", 384: "error"}


@pytest.mark.parametrize("api", ["text", "chat"])
def test_a_cut_shows_where_all_prompts_are_of_one_length(serve: Any, run: Any, api: str) -> None:
    done = run(serve(takes=(api,), cuts_probes=True, cut_to=200), {"lengths": "256"})
    assert {row.outcome for row in done.rows} == {"error"}


def test_another_tokenizer_is_said_and_a_cut_shows_all_the_same(serve: Any, run: Any, fast_tokenizer: Any) -> None:
    server = serve(takes=("text",), tokenizer=fast_tokenizer("metaspace"), answer=lambda text: "1")
    server.fault, server.cut_to = (lambda number: "truncate" if number == 2 else "ok"), 200
    done = run(server)
    print([(r.error, r.prompt_tokens) for r in done.rows], Notes.said)
    assert Counter(row.outcome for row in done.rows) == {"ok": 5, "error": 1}
    assert any("the server's tokenizer is not that of the prompts" in note for note in Notes.said)


def test_a_server_that_counts_nothing_is_used_and_said(serve: Any, run: Any) -> None:
    done = run(serve(counts=False))
    assert {row.outcome for row in done.rows} == {"ok"}
    assert all(row.new_tokens > 1 for row in done.rows)
    assert any("a prompt that it cut would go unseen" in note for note in Notes.said)


def test_cold_gives_every_request_a_salt_of_its_own(serve: Any, tiny_model: Path) -> None:
    server = serve()
    answered(made(server, tiny_model), share=False)
    assert len({request.body["cache_salt"] for request in server.answers}) == 6
    server = serve(owner="someone")
    runner = made(server, tiny_model)
    answered(runner, share=False)
    assert not any("cache_salt" in request.body for request in server.answers)
    assert any("cannot be switched off" in note for note in runner.notes)


# What goes wrong

NAMED = {
    "drop": "connection dropped (3 attempts)",
    "cut off": "broken stream (3 attempts): it ended after 4 characters without a finish_reason",
    "429": "HTTP 429 (3 attempts): try again later",
    "503": "HTTP 503 (3 attempts): try again later",
    "slow": "timeout after 0.3 s (3 attempts)",
    "not json": "garbage in the answer (3 attempts): ",
    "html": "garbage in the answer (3 attempts): no events, but a body of type text/html",
    "error event": "error in the stream (3 attempts): the engine died ?",
    "half a character": "garbage in the answer (3 attempts): ",
    "deep": "garbage in the answer (3 attempts): ",
    "too long": "HTTP 400: This model's maximum context length is 128 tokens.",
    "filtered": "finish_reason 'content_filter'",
    "echo key": "HTTP 422: you sent none, and it is secret",
}


@pytest.mark.parametrize("fault", NAMED)
def test_every_fault_has_a_name_and_what_passes_is_tried_again(serve: Any, tiny_model: Path, fault: str) -> None:
    server = serve(fault=lambda number: fault)
    runner = made(server, tiny_model, attempts=3, timeout_s=0.3 if fault == "slow" else 10, concurrency=1)
    with runner:
        (prompt, *_) = prompts_of(runner)
        ((_, generation),) = runner.generate([prompt])
        assert generation.outcome == ("overflow" if fault == "too long" else "error")
        assert generation.error is not None
        assert generation.error.startswith(NAMED[fault])
        again = "(3 attempts)" in NAMED[fault]
        assert len(server.answers) == (3 if again else 1)

        server.fault = lambda number: fault if number == len(before) else "ok"
        before = list(server.answers)
        ((_, generation),) = runner.generate([prompt])
        assert generation.outcome == ("ok" if again else "overflow" if fault == "too long" else "error")
        assert len(server.answers) == len(before) + (2 if again else 1)
    notes = [note for note in runner.notes if "sent again" in note]
    assert len(notes) == again


def test_of_many_requests_none_is_lost_and_none_doubled(serve: Any, run: Any) -> None:
    mix = [fault for fault in FAULTS if fault not in ("slow", "429")]
    server = serve(fault=lambda number: mix[number // 2 % len(mix)] if number % 2 else "ok")
    done = run(server, {"samples": 10}, concurrency=7, attempts=2)
    lines = [json.loads(line)["sample_key"] for line in (done.path / "results-000.jsonl").read_text().splitlines()]
    assert len(lines) == len(set(lines)) == len(done.planned) == 60
    outcomes = Counter(row.outcome for row in done.rows)
    assert outcomes["ok"] > 30
    assert outcomes["ok"] + outcomes["error"] + outcomes["overflow"] == 60
    assert all(bool(row.error) == (row.outcome != "ok") and (row.strict is None) == (row.outcome != "ok") for row in done.rows)
    assert {row.strict for row in done.rows} == {1.0, None}


def test_the_same_command_again_asks_only_for_what_failed(serve: Any, run: Any) -> None:
    server = serve(fault=lambda number: "503" if number % 2 else "ok")
    first = run(server, attempts=1)
    failed = {row.sample_key for row in first.rows if row.outcome == "error"}
    assert len(failed) == 3
    server.fault, asked = (lambda number: "ok"), len(server.answers)
    again = run(server, attempts=1)
    assert len(server.answers) == asked + 3
    assert {row.outcome for row in again.rows} == {"ok"}
    assert len(again.rows) == 6


def test_a_server_that_is_gone_ends_the_run_and_keeps_what_is_stored(serve: Any, run: Any, tmp_path: Path) -> None:
    server = serve()

    def answer(text: str) -> str:
        if len(server.answers) > 3:
            threading.Thread(target=server._server.server_close, daemon=True).start()
            server._server.shutdown()
        return SOLVE(text)

    server.answer = answer
    with pytest.raises(RunnerError, match=r"is gone: no connection .*run the same command again"):
        run(server, concurrency=1, attempts=2)
    assert {row.outcome for row in lceval.load_run(tmp_path / "run").rows} == {"ok"}


def test_requests_that_are_not_wanted_any_more_are_dropped(serve: Any, tiny_model: Path) -> None:
    server = serve(fault=lambda number: "ok" if number == 0 else "slow")
    runner = made(server, tiny_model, concurrency=2)
    with runner:
        answers = runner.generate(prompts_of(runner))
        next(answers)
        answers.close()  # type: ignore[attr-defined]
        server.fault = lambda number: "ok"
        assert len(list(runner.generate(prompts_of(runner)))) == 6


def test_no_more_requests_are_on_their_way_than_allowed(serve: Any, tiny_model: Path) -> None:
    together, now, most = threading.Barrier(3), [], []

    def answer(text: str) -> str:
        if not SOLVE(text):  # a probe
            return ""
        now.append(text)
        together.wait(timeout=60)  # until three are here
        most.append(len(now))
        together.wait(timeout=60)
        now.pop()
        return SOLVE(text)

    rows = answered(made(serve(answer=answer), tiny_model, concurrency=3))
    assert {generation.outcome for _, generation in rows} == {"ok"}
    assert most == [3] * 6


# Pace


class Clock:
    """Time that passes only in sleep."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def _turns(pace: Pace, clock: Clock, count: int) -> list[float]:
    found = []
    for _ in range(count):
        await pace.turn()
        found.append(clock.now - 100)
    return found


@pytest.mark.parametrize(("per_minute", "begun"), [(0, [0, 0, 0, 0]), (30, [0, 2, 4, 6]), (120, [0, 0.5, 1, 1.5])])
def test_requests_begin_evenly(per_minute: float, begun: list[float]) -> None:
    import asyncio

    clock = Clock()
    assert asyncio.run(_turns(Pace(per_minute, clock, clock.sleep), clock, 4)) == pytest.approx(begun)


def test_a_pause_that_the_server_asks_for_holds_all(serve: Any) -> None:
    import asyncio

    clock = Clock()
    pace = Pace(60, clock, clock.sleep)

    async def go() -> list[float]:
        first = await _turns(pace, clock, 2)
        pace.hold(10)
        return first + await _turns(pace, clock, 2)

    assert asyncio.run(go()) == pytest.approx([0, 1, 11, 12])


def test_the_limit_counts_every_attempt(serve: Any, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[float] = []

    async def turn(self: Pace) -> None:
        turns.append(self._gap)

    monkeypatch.setattr(Pace, "turn", turn)
    server = serve(fault=lambda number: "429" if number == 0 else "ok")
    answered(made(server, tiny_model, requests_per_minute=6000))
    assert turns == [0.01] * (1 + 2 + 7), "the list of models, two probes, six prompts and one of them again"


def test_how_long_a_server_asks_to_wait() -> None:
    from datetime import UTC, datetime, timedelta

    assert wire._asked({"retry-after": "2.5"}) == 2.5
    assert wire._asked({}) == wire._asked({"retry-after": "soon"}) == wire._asked({"retry-after": "-1"}) == 0
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)
    assert 100 < wire._asked({"retry-after": later}) <= 120
    assert Fault("HTTP 429", wait_s=5).again
    assert not Fault("HTTP 429", wait_s=86400).again, "a quota of the day is not waited for"


def test_waits_grow_and_are_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    from tenacity import AsyncRetrying, Future, RetryCallState

    def waits(attempt: int, asked: float = 0.0) -> set[float]:
        state = RetryCallState(AsyncRetrying(), None, (), {})
        state.attempt_number, state.outcome = attempt, Future(attempt)
        state.outcome.set_exception(Fault("HTTP 429", wait_s=asked))
        return {wire._wait(state) for _ in range(50)}

    assert len(waits(1)) > 10
    assert all(1 <= wait <= 2 for wait in waits(1))
    assert all(8 <= wait <= 9 for wait in waits(4))
    assert max(waits(40)) <= wire.LONGEST_WAIT_S
    assert all(21 <= wait <= 22 for wait in waits(1, asked=20.0))


# The window


def test_a_length_beyond_the_served_window_is_refused_before_anything_is_sent(serve: Any, run: Any) -> None:
    server = serve(window=300)
    with pytest.raises(CannotFit, match=r"384.*300"):
        run(server)
    assert not server.requests
    server = serve(window=None)
    with pytest.raises(CannotFit, match=r"384.*320"):
        run(server, window=320)
    assert not server.requests


def test_what_the_server_adds_counts_in_the_window(serve: Any, run: Any) -> None:
    server = serve(takes=("chat",), extra_tokens=7, window=384)
    with pytest.raises(CannotFit, match=r"adds 7 tokens to every prompt.*lengths up to 377"):
        run(server)
    assert not server.answers


def test_planning_asks_for_the_window_alone(serve: Any, tiny_model: Path) -> None:
    server = serve(window=2048)
    runner = made(server, tiny_model)
    assert runner.max_length == 2048
    assert not server.requests
    assert made(serve(lists=False), tiny_model).max_length is None


# The key


def test_the_key_is_sent_and_never_stored_or_printed(
    serve: Any, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    faults = ("echo key", "drop", "ok")
    server = serve(key=KEY, fault=lambda number: faults[number % 3], answer=lambda text: f"{SOLVE(text)} {KEY}")
    done = run(server, {"save_prompts": True}, key_env="MY_KEY")
    assert {request.key for request in server.requests} == {KEY}
    assert Counter(row.outcome for row in done.rows)["error"] >= 1
    assert any("[key]" in (row.error or "") for row in done.rows)
    assert any(row.output.endswith("[key]") for row in done.rows)
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file
    printed = "".join(capfd.readouterr())
    assert KEY not in printed + "".join(Notes.said) + repr(done.info)


def test_the_key_is_in_no_error(serve: Any, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    runner = made(serve(key="another"), tiny_model)
    assert KEY not in repr(runner) + repr(runner.options)
    with pytest.raises(ModelError, match=r"refuses the key .*OPENAI_API_KEY") as caught:
        _ = runner.max_length
    error: BaseException | None = caught.value
    while error is not None:
        assert KEY not in f"{error!r}{error}"
        error = error.__cause__
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ModelError, match="which is not set"):
        _ = made(serve(key="another"), tiny_model).max_length


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "needs the server's address: -M base_url=http"),
        ({"base_url": f"http://me:{KEY}@host/v1"}, "would be stored with the run"),
        ({"base_url": f"http://host/v1?key={KEY}"}, "would be stored with the run"),
        ({"base_url": "host:8000"}, "is no address of a server"),
        ({"base_url": "http://host/v1", "key_env": KEY}, "is the name of an environment variable"),
        ({"base_url": "http://host/v1", "api_key": KEY}, "unknown option of runner endpoint 'api_key'. Did you mean"),
        ({"base_url": "http://host/v1", "attempts": 0}, "attempts=0"),
    ],
)
def test_options_that_do_not_fit_are_told_without_repeating_secrets(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        EndpointRunner("tiny", options)
    assert message in str(caught.value)
    assert KEY not in str(caught.value)


# At the start


def test_a_server_that_cannot_be_reached_is_told_at_once(serve: Any, tiny_model: Path) -> None:
    server = serve()
    url = server.url
    server.__exit__(None, None, None)
    runner = EndpointRunner("tiny", {"base_url": url, "tokenizer": str(tiny_model)})
    with pytest.raises(ModelError, match=rf"no answer from a server at {url}: no connection: .*-M base_url"):
        _ = runner.max_length


def test_a_model_that_is_not_served_is_told_with_those_that_are(serve: Any, tiny_model: Path) -> None:
    server = serve()
    runner = EndpointRunner("huge", {"base_url": server.url, "tokenizer": str(tiny_model)})
    with pytest.raises(ModelError, match=r"takes no prompts for 'huge' \(tokens, text, chat: HTTP 404: .*\)\. It lists tiny\."):
        _ = runner.fingerprint
    runner = EndpointRunner("tiny", {"base_url": server.url.removesuffix("/v1"), "tokenizer": str(tiny_model)})
    with pytest.raises(ModelError, match="ends in /v1"):
        _ = runner.fingerprint


def test_without_a_tokenizer_prompts_cannot_be_made(tmp_path: Path) -> None:
    options = {"base_url": "http://127.0.0.1:9/v1"}
    with pytest.raises(ModelError, match=r"'nobody/served-model' names no tokenizer here. .*-M tokenizer=FOLDER"):
        EndpointRunner("nobody/served-model", options)
    with pytest.raises(ModelError, match="cannot read the tokenizer of"):
        EndpointRunner("served", options | {"tokenizer": str(tmp_path)})


def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("endpoint", "way", "wire"):
        monkeypatch.delitem(sys.modules, f"lceval.runners.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ModelError, match=r"needs openai. Run: pip install 'lceval\[endpoint\]'"):
        load("runner", "endpoint")


def test_the_fingerprint_is_flat_and_follows_what_changes_answers(serve: Any, tiny_model: Path) -> None:
    base = made(serve(), tiny_model).fingerprint
    assert json.loads(json.dumps(base)) == base
    for settings, options, fields in (
        ({"takes": ("text",)}, {}, {"api"}),
        ({"window": 2048}, {}, {"window"}),
        ({}, {"chat": "off"}, {"chat_template"}),
        ({}, {"concurrency": 3, "attempts": 2, "timeout_s": 5, "requests_per_minute": 6000}, set()),
        ({}, {"extra_body": {"top_k": 1}}, {"extra_body"}),
    ):
        changed = made(serve(**settings), tiny_model, **options).fingerprint
        assert {name for name in base if base[name] != changed[name]} == fields


def test_the_command_line_runs_it_and_says_what_went_wrong(
    serve: Any, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(fault=lambda number: "503" if number == 0 else "too long" if number == 3 else "ok")
    line = f"lceval run niah --runner endpoint --model tiny -M base_url={server.url} -M tokenizer={tiny_model} -M concurrency=1"
    monkeypatch.setattr(sys, "argv", [*line.split(), *f"--lengths 256 --depths 3 --samples 2 --out {tmp_path}/run".split()])
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    out = capsys.readouterr().out
    assert "note: HTTP 503: such requests are sent again, each up to 5 times in all" in out
    assert "note: some prompts have no answer, which lowers the coverage: HTTP 400: This model's maximum context length" in out
    assert "5 of 6 answered" in out
    config = RunConfig.checked(
        tasks="niah",
        model="tiny",
        runner="endpoint",
        lengths="256",
        depths="3",
        samples=2,
        out=tmp_path / "run",
        model_options={"base_url": server.url, "tokenizer": str(tiny_model)},
    )
    assert engine.make_plan(config, engine.make_runner(config)).pending == 1


def test_a_run_goes_on_where_the_model_is_served_now(serve: Any, tiny_model: Path, tmp_path: Path) -> None:
    first, now = serve(fault=lambda number: "too long" if number == 1 else "ok"), serve()
    settings: dict[str, Any] = {"runner": "endpoint", "lengths": "256", "depths": "3", "samples": 1, "out": tmp_path / "run"}
    for server, answered in ((first, 2), (now, 3)):
        options = {"base_url": server.url, "tokenizer": str(tiny_model), "concurrency": 1}
        with pytest.warns(UserWarning, match="no answer") if server is first else nullcontext():
            run = lceval.run("niah", "tiny", model_options=options, **settings)
        assert sum(row.answered for row in run.rows) == answered
    assert run.info.environment["engine"] == {"base_url": now.url}
