"""Upstream's own samples, from a file to stored rows."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import lceval
from lceval import api, engine
from lceval.config import RunConfig
from lceval.errors import CannotFit, UsageError
from lceval.progress import NoProgress
from lceval.tasks.haystacks import prose
from lceval.tasks.official.formats import FORMATS
from lceval.tasks.official.nolima import Nolima
from lceval.tasks.official.task import Official


def ruler_rows(count: int) -> list[dict[str, Any]]:
    """RULER's generated JSONL, of growing length, the answer ever further down."""
    paragraphs = list(islice(prose.paragraphs(5), 60))
    rows = []
    for i in range(count):
        text = paragraphs[: 1 + i + i // 2]
        text.insert(len(text) * i // count, f"The code of box {i} is 77{i}1.")
        rows.append(
            {
                "index": i,
                "input": f"A code is hidden below.\n{' '.join(text)}\nWhich code does box {i} have?",
                "outputs": [f"77{i}1"],
                "length": 1000,
                "answer_prefix": f" The code of box {i} is",
            }
        )
    return rows


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.fixture
def settings(tiny_model: Path, tmp_path: Path) -> dict[str, Any]:
    return {"model_options": {"tokenizer": str(tiny_model), "chat": "off"}, "out": tmp_path / "run"}


def test_a_file_is_measured_and_run_at_its_own_lengths(settings: dict[str, Any], tmp_path: Path) -> None:
    data = write(tmp_path / "niah.jsonl", ruler_rows(12))
    run = lceval.run("official", "control:dump", lengths="1k,2k,4k,8k", task_params={"data": data}, **settings)
    assert [row.index for row in sorted(run.rows, key=lambda row: row.index)] == list(range(12))
    assert run.coverage == 1
    for row in run.rows:
        assert row.prompt_tokens + row.reserved_tokens <= row.length
        assert row.length == 1024 or row.prompt_tokens + row.reserved_tokens > row.length // 2
        assert row.depth is not None
        assert abs(row.depth - row.needle_tokens[0][0] / row.prompt_tokens) < 0.1
        assert (row.official, row.answers) == (1.0, [f"77{row.index}1"])
        _, prompt, tokenizer = api.show(run, row.sample_key)
        start, stop = prompt.needle_tokens[0]
        assert f"77{row.index}1" in tokenizer.decode(prompt.ids[start:stop])
        assert tokenizer.decode(prompt.ids).endswith(f"Which code does box {row.index} have? The code of box {row.index} is")
    assert len({row.length for row in run.rows}) >= 3
    before = [row.sample_key for row in run.rows]
    again = lceval.run("official", "control:dump", lengths="1k,2k,4k,8k", task_params={"data": data}, **settings)
    assert [row.sample_key for row in again.rows] == before
    assert api.rescore(run.path) == 0


class Notes(NoProgress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


def test_samples_beyond_the_lengths_or_the_number_asked_for_are_left_out_and_said(settings: dict[str, Any], tmp_path: Path) -> None:
    data = write(tmp_path / "niah.jsonl", ruler_rows(12))
    notes = Notes()
    run = lceval.run("official", "control:dump", lengths="1k,2k", samples=2, task_params={"data": data}, progress=notes, **settings)
    counts = Counter(row.length for row in run.rows)
    assert (max(counts), max(counts.values())) == (2048, 2)
    assert all(row.prompt_tokens + row.reserved_tokens <= row.length for row in run.rows)
    assert any(f"{len(run.rows)} of 12 samples are used, at most 2 a length" in note for note in notes.said)
    with pytest.raises(CannotFit, match="none of the 12 samples"):
        lceval.run("official", "control:dump", lengths="64", task_params={"data": data}, **(settings | {"out": tmp_path / "short"}))


def test_a_conversation_goes_through_the_chat_template(tiny_model: Path, tmp_path: Path) -> None:
    talk = [
        {"role": "user", "content": "Write a riddle about tea."},
        {"role": "assistant", "content": "I am hot and brown."},
        {"role": "user", "content": "Write a riddle about tea."},
        {"role": "assistant", "content": "I wake you at four."},
        {"role": "user", "content": "Prepend xK81 to the second riddle about tea. Say nothing else."},
    ]
    row = {
        "prompt": json.dumps(talk),
        "answer": "xK81I wake you at four.",
        "random_string_to_prepend": "xK81",
        "n_needles": 2,
        "desired_msg_index": 3,
        "total_messages": 5,
        "n_chars": 200,
    }
    data = write(tmp_path / "mrcr.jsonl", [row])
    config = RunConfig.checked(
        tasks="official",
        model="control:dump",
        lengths="512..8k",
        task_params={"data": data},
        model_options={"tokenizer": str(tiny_model)},
        out=tmp_path / "run",
    )
    runner = engine.make_runner(config)
    plan = engine.make_plan(config, runner)
    (prompt,) = plan.compose(plan.groups[0])
    text = runner.tokenizer.decode(prompt.ids, special=True)
    assert text.count("<|user|>") == 3
    assert text.count("<|assistant|>") == 3
    start, stop = prompt.needle_tokens[0]
    assert "I wake you at four." in runner.tokenizer.decode(prompt.ids[start:stop])
    score = plan.tasks[0].score(prompt.question, "xK81I wake you at four.")
    assert score.official == 1
    assert plan.tasks[0].score(prompt.question, "I wake you at four.").official == 0


def test_a_sub_task_may_be_chosen(settings: dict[str, Any], tmp_path: Path) -> None:
    rows = [
        {"input": f"{i} is told. What is told?", "question": "What is told?", "target": "kitchen", "task": f"qa{1 + i % 2}"}
        for i in range(4)
    ]
    data = write(tmp_path / "babilong.jsonl", rows)
    task = lceval.registry.load("task", "official")
    assert task.from_params({"data": data}).given == 4
    labels = {item.label for item in task.from_params({"data": data}).items}
    label = sorted(labels)[0]
    assert task.from_params({"data": data, "label": label}).given == sum(
        item.label == label for item in task.from_params({"data": data}).items
    )
    with pytest.raises(UsageError, match="has the label 'qa9'; it has"):
        task.from_params({"data": data, "label": "qa9"}).draft(None, 0, 0)


def test_what_cannot_be_run_is_refused(settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="official needs a file: -T data=FILE"):
        lceval.run("official", "control:dump", lengths="1k", **settings)
    with pytest.raises(UsageError, match=r"no/such/file\.jsonl"):
        lceval.run("official", "control:dump", lengths="1k", task_params={"data": "no/such/file.jsonl"}, **settings)
    odd = write(tmp_path / "odd.jsonl", [{"a": str(uuid.UUID(int=1)), "b": 2}])
    with pytest.raises(UsageError, match=r"columns \(a, b\)"):
        lceval.run("official", "control:dump", lengths="1k", task_params={"data": odd}, **settings)
    data = write(tmp_path / "niah.jsonl", ruler_rows(1))
    with pytest.raises(UsageError, match="have no solver"):
        lceval.run("official", "control:perfect", lengths="2k", task_params={"data": data}, **settings)


def test_a_changed_file_gives_other_samples(tmp_path: Path) -> None:
    rows = ruler_rows(2)
    data = write(tmp_path / "niah.jsonl", rows)
    before = Official.from_params({"data": data})
    assert (before.given, before.items[1].question.answers) == (2, ("7711",))
    write(tmp_path / "niah.jsonl", [rows[0], rows[1] | {"outputs": ["7"]}, rows[0]])
    after = Official.from_params({"data": data})
    assert (after.given, after.items[1].question.answers) == (3, ("7",))
    assert after.digest != before.digest
    other = {"prompt": "Who follows a1?", "answer_nodes": []}
    write(tmp_path / "niah.jsonl", [other])
    task = Official.from_params({"data": data})
    question = task.draft(None, 0, 0).questions[0]
    assert task.score(question, "Final Answer: []").official == 1


def test_a_name_that_decides_the_metric_is_part_of_the_samples_identity(tmp_path: Path) -> None:
    row = {"id": 0, "context": "Ann: hi", "input": "Who?", "answer": ["ANN"], "options": []}
    found = {name: Official.from_params({"data": write(tmp_path / f"{name}.jsonl", [row])}) for name in ("passkey", "code_run")}
    assert found["passkey"].items[0].label != found["code_run"].items[0].label
    assert found["passkey"].digest != found["code_run"].digest


def test_a_changed_needle_set_gives_other_tests(tmp_path: Path) -> None:
    entry = {
        "id": "1",
        "needle": "{CHAR} slept beside {1}.",
        "questions": {"onehop": "Who has been to {2}?"},
        "tests": {"T1": {"input_args": ["the salt mill of Udo", "Udo"]}},
        "character_set": ["Ona", "Pell"],
    }
    data = tmp_path / "set.json"
    data.write_text(json.dumps([entry]))
    before = Nolima.from_params({"data": str(data)})
    assert [case.id for case in before.cases] == ["1/onehop/T1"]
    data.write_text(json.dumps([entry, entry | {"id": "2"}]))
    after = Nolima.from_params({"data": str(data)})
    assert [case.id for case in after.cases] == ["1/onehop/T1", "2/onehop/T1"]
    assert before.digest != after.digest


def test_a_file_is_read_once_for_all_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write(tmp_path / "niah.jsonl", ruler_rows(3))
    reads: list[Path] = []
    plain = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: reads.append(path) or plain(path))  # type: ignore[func-returns-value]
    for _ in range(5):
        task = Official.from_params({"data": data})
        question = task.draft(None, 1, 0).questions[0]
        assert (task.given, task.chance, len(task.digest)) == (3, 0, 32)
        assert task.score(question, "7711").official == 1
    assert reads == [Path(data)]


def test_one_odd_row_is_named(settings: dict[str, Any], tmp_path: Path) -> None:
    first, second = ruler_rows(2)
    for odd in ({"input": second["input"]}, second | {"input": None}):
        data = write(tmp_path / "niah.jsonl", [first, odd])
        with pytest.raises(UsageError, match=r"row 2 of data='.*niah\.jsonl'"):
            lceval.run("official", "control:dump", lengths="1k", task_params={"data": data}, **settings)


def test_what_strict_means_is_said_of_every_benchmark_where_it_is_more_than_official() -> None:
    said = Official.score.__doc__ or ""
    assert [name for name in FORMATS if name in said] == ["ruler", "litm_kv", "babilong"]
