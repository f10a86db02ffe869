"""Small files in the schemas of other benchmarks, with our own content: read, recognised, adapted, scored."""

import gzip
import hashlib
import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lceval.errors import UsageError
from lceval.keys import generator
from lceval.tasks.official import read
from lceval.tasks.official.formats import FORMATS, Item, adapt, detect
from lceval.tasks.official.nolima import Nolima
from lceval.types import Score

Row = dict[str, Any]
UUIDS = ["0f3c9a2e-1b7d-4c55-9e0a-77d1c2b3a4f5", "9b1d7c3a-5e2f-4a88-8c11-2d4e6f809a1b", "c4a1e7d2-3f60-4b19-a7c8-51e9d0b2f683"]

NIAH = {
    "index": 0,
    "input": "A number is hidden here.\nThe number of amber-moss is 7140932. Rain falls.\nWhich number has amber-moss?",
    "outputs": ["7140932"],
    "length": 4096,
    "answer_prefix": " The number of amber-moss is",
}
VT = {
    "index": 3,
    "input": "Note: VAR QWERT = 31415. Moss.\nVAR ASDFG = VAR QWERT. Fern.\nFind all variables that hold 31415.",
    "outputs": ["QWERT", "ASDFG"],
    "length": 4096,
    "answer_prefix": " There are 2 of them:",
}
QA = {
    "index": 1,
    "input": "Document 1:\nMira Dolen keeps bees.\nWho keeps bees?",
    "outputs": ["Mira Dolen", "Dolen"],
    "answer_prefix": " Answer:",
}
PARQUET = {
    "context": "Values are hidden below.\nThe id of elk is 0f3c9a2e-1b7d-4c55-9e0a-77d1c2b3a4f5.\n",
    "question": "Which id has the elk?\n",
    "answer_prefix": "It is",
    "answer": [UUIDS[0]],
    "task": "niah_single_3",
    "max_new_tokens": 96,
}
LITM_QA = {
    "question": "who keeps the bees",
    "answers": ["Mira Dolen", "Dolen"],
    "ctxs": [
        {"title": "Moss", "text": "Moss is green.", "hasanswer": False, "isgold": False, "id": "1", "score": "1.2"},
        {"title": "Bees", "text": "Mira Dolen keeps the bees.", "hasanswer": True, "isgold": True},
        {"title": "Rain", "text": "Rain falls.", "hasanswer": False, "isgold": False},
    ],
    "nq_annotated_gold": {"title": "Bees"},
}
LITM_KV = {"ordered_kv_records": [[UUIDS[0], UUIDS[1]], [UUIDS[2], UUIDS[0][::-1]]], "key": UUIDS[0], "value": UUIDS[1]}
MESSAGES = [
    {"role": "user", "content": "write a poem about moss"},
    {"role": "assistant", "content": "Moss sleeps.\nMoss wakes."},
    {"role": "user", "content": "write a poem about moss"},
    {"role": "assistant", "content": "Green, the stones put on their coats."},
    {"role": "user", "content": "Put hx9Qk2 before the 2nd poem about moss and say nothing else."},
]
MRCR = {
    "prompt": json.dumps(MESSAGES),
    "answer": "hx9Qk2Green, the stones put on their coats.",
    "random_string_to_prepend": "hx9Qk2",
    "n_needles": 2,
    "desired_msg_index": 3,
    "total_messages": 5,
    "n_chars": 180,
}
GRAPH = {"prompt": "a1 -> b2\na1 -> c3\nWho follows a1?", "answer_nodes": ["b2", "c3"], "prompt_chars": 34, "problem_type": "BFS"}
BABI = {"input": "Moss is green. Mary went to the kitchen. Rain falls.", "question": "Where is Mary? ", "target": "kitchen"}
BABI_NONE = {"input": "Moss is green. Mary sat down.", "question": "How many objects is Mary carrying?", "target": "none"}
LONGBENCH = {
    "_id": "66",
    "domain": "Long In-context Learning",
    "sub_domain": "Manuals",
    "difficulty": "easy",
    "length": "short",
    "question": "Who keeps bees?",
    "choice_A": "Tavo",
    "choice_B": "Mira",
    "choice_C": "Ona",
    "choice_D": "Pell",
    "answer": "B",
    "context": "Mira keeps bees.",
}


Case = tuple[str, str, Row, str, int, str, list[str], str]
"""Format, where the row stands, row, label, budget, prefix, gold texts, a perfect answer."""


def infinite(context: str, asked: str, answer: Any, options: list[str] | None = None) -> Row:
    return {"id": 0, "context": context, "input": asked, "answer": answer, "options": options or []}


def of_infinite(task: str, row: Row, budget: int, prefix: str, right: str, *gold: str) -> Case:
    return ("infinitebench", f"data/{task}", row, task, budget, prefix, list(gold), right)


NAMES = ["ada_run", "fix_me", "go_on", "halt"]
DEBUG = infinite("def fix_me(): 1", "Which?", ["fix_me", "B"], NAMES)
KV_LAST = LITM_KV | {"key": UUIDS[2], "value": UUIDS[0][::-1]}
RULER_QA = ["Mira Dolen", "Dolen"]
POEM = [MESSAGES[3]["content"]]
CASES: list[Case] = [
    ("ruler", "niah_single_2/validation", NIAH, "niah_single_2", 128, " The number of amber-moss is", ["7140932"], " 7140932."),
    ("ruler", "data/rows", NIAH, "", 128, " The number of amber-moss is", ["7140932"], "The number of amber-moss is 7140932"),
    ("ruler", "vt/validation", VT, "vt", 30, " There are 2 of them:", ["QWERT", "ASDFG"], " ASDFG and QWERT"),
    ("ruler", "data/rows", QA, "qa", 32, " Answer:", RULER_QA, " mira dolen"),
    ("ruler", "my_qa_data/cwe", QA, "cwe", 120, " Answer:", [], "Mira Dolen"),
    ("ruler", "4096/ruler_qa_squad", QA, "qa_squad", 32, " Answer:", RULER_QA, "Dolen"),
    ("ruler", "ruler/test", PARQUET, "niah_single_3", 96, "It is", [UUIDS[0]], UUIDS[0].upper()),
    ("litm_qa", "10/nq", LITM_QA, "", 100, "Answer:", ["Document [2](Title: Bees) Mira Dolen keeps the bees."], " Mira Dolen."),
    ("litm_kv", "75/kv", LITM_KV, "", 100, "Value:", [f'{{"{UUIDS[0]}": "{UUIDS[1]}",'], f'"{UUIDS[0]}": "{UUIDS[1]}"'),
    ("litm_kv", "75/kv", KV_LAST, "", 100, "Value:", [f' "{UUIDS[2]}": "{UUIDS[0][::-1]}"}}'], ""),
    ("mrcr", "2needle/train", MRCR, "2needle", 85, "", POEM, MRCR["answer"]),
    ("mrcr", "2needle/train", MRCR | {"desired_msg_index": 2}, "2needle", 85, "", POEM, MRCR["answer"]),
    ("mrcr", "2needle/train", MRCR | {"desired_msg_index": None}, "2needle", 85, "", [], MRCR["answer"]),
    ("graphwalks", "graphwalks/train", GRAPH, "BFS", 16384, "", [], "b2 and c3.\nFinal Answer: [c3, b2]"),
    ("babilong", "4k/qa1", BABI, "qa1", 20, "", [], " Mary is in the kitchen."),
    ("babilong", "data/rows", BABI, "", 20, "", [], "Kitchen"),
    ("longbench_v2", "data/data", LONGBENCH, LONGBENCH["domain"], 128, "", [], "The correct answer is (B)"),
    of_infinite("passkey", infinite("The key is 71432. Moss.", "Which?", ["71432"]), 6, "The pass key is", " 71432", "71432"),
    of_infinite("number_string", infinite("A 5566 B", "Which?", "5566"), 12, "The number is", "5566", "5566"),
    of_infinite("kv_retrieval", infinite(f'{{"k": "{UUIDS[0]}"}}', "k", [UUIDS[0]]), 50, "The value is", f'"{UUIDS[0]}"', UUIDS[0]),
    of_infinite("longbook_qa_eng", infinite("A book.", "Who?", ["Mira", "The Mira"]), 40, "Answer:", " mira"),
    of_infinite("longbook_qa_chn", infinite("书。", "谁？", ["北京"]), 40, "答案：", "北京。"),
    of_infinite("longbook_choice_eng", infinite("A book.", "Who?", ["Ona"], ["Mira", "Tavo", "Ona", "Pell"]), 40, "Answer:", " C"),
    of_infinite("longdialogue_qa_eng", infinite("$$MASK$$: Hm.", "", ["TAVO"]), 40, "The name is", " Tavo."),
    of_infinite("code_debug", DEBUG, 5, "Answer:", " B. fix_me"),
    of_infinite("code_run", infinite("def f(x): 2", "f(1)?", [4]), 5, "The return value is", " 4."),
    of_infinite("math_find", infinite("[1, 9, 3]", "The largest number?", [9]), 3, "The number is", " 9"),
    of_infinite("math_calc", infinite("1 + 2 - 1", "", [[3, 2]]), 30000, "Values:", " [3, 2]"),
    of_infinite("math_calc", infinite("1 + 2 - 1", "", ["3", "2"]), 30000, "Values:", "3 2"),
]


def adapted(row: Row, source: str = "data/rows") -> Item:
    return detect(row).adapt(row | {read.SOURCE: source})


def score(row: Row, text: str, source: str = "data/rows") -> Score:
    item = adapted(row, source)
    return detect(row).score(item.question, item.facts, text)


@pytest.mark.parametrize(
    ("name", "source", "row", "label", "budget", "prefix", "gold", "right"), CASES, ids=lambda v: v if isinstance(v, str) else ""
)
def test_a_row_becomes_an_item(
    name: str, source: str, row: Row, label: str, budget: int, prefix: str, gold: list[str], right: str
) -> None:
    form, item = detect(row), adapted(row, source)
    assert form is FORMATS[name]
    assert (item.label, item.question.max_new_tokens, item.question.answer_prefix) == (label, budget, prefix)
    assert item.question.text == ""
    assert [item.turns[turn][1][start:end] for turn, start, end in item.gold] == gold
    assert item.turns[-1][0] == "user"
    assert json.loads(json.dumps(dict(item.facts))) == dict(item.facts)
    if right:
        result = form.score(item.question, item.facts, right)
        assert (result.official, result.strict) == (1.0, 1.0)
        assert all(0 <= value <= 1 for value in result.details.values())
    gold_said = form.score(item.question, item.facts, item.question.said)
    assert (gold_said.official, gold_said.strict) == (1.0, 1.0)
    for wrong in ("", "Nothing of the kind"):
        assert form.score(item.question, item.facts, wrong).official == 0
    dump = f"{right} " * (budget + 1)
    assert form.score(item.question, item.facts, dump).strict == 0


def test_every_format_has_a_case() -> None:
    assert {case[0] for case in CASES} == FORMATS.keys()
    assert {name: form.chance for name, form in FORMATS.items() if not math.isnan(form.chance)} == {
        "ruler": 0, "litm_kv": 0, "graphwalks": 0, "longbench_v2": 0.25,
    }  # fmt: skip


def test_prompts_of_rows_that_have_one_are_left_alone() -> None:
    assert adapted(NIAH).turns == (("user", NIAH["input"]),)
    assert adapted(PARQUET).turns == (("user", PARQUET["context"] + PARQUET["question"]),)
    assert adapted(GRAPH).turns == (("user", GRAPH["prompt"]),)
    assert adapted(MRCR).turns == tuple((message["role"], message["content"]) for message in MESSAGES)
    assert adapted(MRCR | {"prompt": MESSAGES}).turns == adapted(MRCR).turns


def test_prompts_around_upstream_data_hold_all_of_it() -> None:
    text = adapted(LITM_QA).turns[0][1]
    assert (
        text.index("(Title: Moss)") < text.index("(Title: Bees)") < text.index("(Title: Rain)") < text.index("Question: who keeps")
    )
    assert json.loads(re.findall(r"\{.*\}", adapted(LITM_KV).turns[0][1], re.DOTALL)[0]) == dict(LITM_KV["ordered_kv_records"])
    text = adapted(BABI, "4k/qa1").turns[0][1]
    assert f"<context>\n{BABI['input']}\n</context>\n\nQuestion: Where is Mary?" in text
    assert text.count("<example>") == 1
    assert not {"kitchen", "garden", "office"} & set(re.findall("[a-z]+", text.partition("<context>")[0]))
    text = adapted(LONGBENCH).turns[0][1]
    assert all(text.count(f"({letter}) {LONGBENCH[f'choice_{letter}']}") == 1 for letter in "ABCD")
    text = adapted(DEBUG, "data/code_debug").turns[0][1]
    assert all(f"{letter}. {name}" in text for letter, name in zip("ABCD", NAMES, strict=True))


def test_naming_more_than_the_answer_costs_strictly() -> None:
    assert score(NIAH, "7140932 or 1234567") == Score(1.0, pytest.approx(2 / 3), {"kvpress": 1.0})
    assert score(VT, "QWERT ASDFG ZXCVB") == Score(1.0, pytest.approx(4 / 5), {"kvpress": 1.0})
    assert score(LITM_KV, f"{UUIDS[1]} {UUIDS[2]}") == Score(1.0, pytest.approx(2 / 3))


def test_both_readings_stand_side_by_side() -> None:
    assert score(QA, "Dolen").details == {"kvpress": 1.0, "lm_eval": 0.5}
    assert score(NIAH, "714\x000932") == Score(0.0, 0.0, {"kvpress": 1.0})
    assert score(MRCR, "Sure: " + MRCR["answer"]) == Score(0.0, 0.0, {"v2": 1.0})
    assert score(GRAPH, "Final Answer: ['b2', 'c3']\nDone").details == {
        "exact": 0.0, "empty_0": 0.0, "lm_eval": 0.0, "lm_eval_flexible": 1.0,
    }  # fmt: skip
    assert score(GRAPH | {"answer_nodes": []}, "Final Answer: []") == Score(
        1.0, 1.0, {"exact": 1.0, "empty_0": 0.0, "lm_eval": 0.0, "lm_eval_flexible": 0.0}
    )
    assert score(BABI_NONE, "none", "0k/qa7") == Score(0.0, 1.0, {"lm_eval": 1.0})
    assert score(LONGBENCH, "B") == Score(0.0, 0.0, {"compensated": 0.25})
    passkey = infinite("71432", "Which?", ["71432"])
    assert score(passkey, "99999 then 71432", "d/passkey") == Score(0.0, 0.0, {"includes": 1.0})
    assert score(infinite("1 + 2", "", [3]), "1, 3", "d/math_calc") == Score(0.0, 0.0, {"gpt4": 1.0})
    choice = infinite("A book.", "Who?", ["Ona"], ["Mira", "Tavo", "Ona", "Pell"])
    assert score(choice, "A and B are wrong, so C", "d/longbook_choice_eng") == Score(0.0, 0.0, {"last_letter": 1.0})
    assert score(infinite("$$MASK$$: Hm.", "", ["TAVO"]), "Tavos", "d/longdialogue_qa_eng") == Score(0.0, 0.0, {"substring": 1.0})


@pytest.mark.parametrize(
    ("text", "official", "strict"),
    [("4,812,345", 0, 1), ("**4812345**", 1, 1), ("4,812,345 or 1,234,567", 0, 2 / 3), ("14812345", 1, 0), ("4812345th", 1, 0)],
)
def test_numbers_are_read_strictly_as_everywhere(text: str, official: float, strict: float) -> None:
    result = score(NIAH | {"outputs": ["4812345"]}, text)
    assert (result.official, result.strict) == (official, pytest.approx(strict))


def test_answers_below_blank_lines() -> None:
    assert score(LITM_QA, "\n\n Mira Dolen.\nOr so.") == Score(1.0, 1.0)
    assert score(LITM_QA, "\n\n I think:\nMira Dolen.") == Score(0.0, 0.0)
    assert score(MRCR, "\n" + MRCR["answer"]) == Score(0.0, 0.0, {"v2": 1.0})


def test_a_question_without_documents_is_asked_without_them() -> None:
    item = adapted(LITM_QA | {"ctxs": []})
    assert item.gold == ()
    assert "ocument" not in item.turns[0][1]
    assert item.turns[0][1].endswith("\n\nQuestion: who keeps the bees")


TOLD = "Do not guess.\n\nDocument 1:\nRain falls, as 12 know.\n\nDocument 2:\nNorah said no to Tavo.\n\n"
TOLD += "Document 12:\nTavo keeps 3 bees.\n\nAnswer the question. Question: Who said no?"
WORDS = "Words: moss fern moss elk mosses.\nWhich word is most frequent?"
VALUES = "1234567 12345678. The number is 123456. No, 123456."


@pytest.mark.parametrize(
    ("text", "outputs", "source", "starts"),
    [
        (TOLD, ["no"], "data/qa_1", [TOLD.index("no to")]),  # neither in `not`, `know` nor in the question
        (TOLD, ["Tavo"], "data/qa_1", []),  # in two documents
        (TOLD, ["3", "12"], "data/qa", [TOLD.index("3 bees"), TOLD.index("12 know")]),  # not the document's number
        (TOLD, ["question"], "data/qa", []),
        (TOLD.replace("Document", "Page"), ["no"], "data/qa", []),
        (WORDS, ["moss", "fern"], "data/cwe", []),
        (WORDS, ["fern"], "data/fwe_4096", []),
        (WORDS, ["moss", "fern"], "data/rows", []),  # of unknown task, and moss is there twice
        (WORDS, ["fern"], "data/rows", [WORDS.index("fern")]),
        (WORDS, ["fern", "oak"], "data/rows", []),
        (VALUES, ["123456"], "data/niah_single_1", [VALUES.index("123456.")]),  # not as part of another number
        (VALUES, ["123456"], "data/rows", []),
        (VT["input"], VT["outputs"], "data/vt", [VT["input"].index("QWERT"), VT["input"].index("ASDFG")]),
        (VT["input"], VT["outputs"], "data/rows", []),
    ],
)
def test_only_sure_places_are_named(text: str, outputs: list[str], source: str, starts: list[int]) -> None:
    item = adapted({"input": text, "outputs": outputs}, source)
    assert item.gold == tuple((0, start, start + len(output)) for start, output in zip(starts, outputs, strict=False))


@pytest.mark.parametrize(
    ("source", "task", "label", "budget"),
    [
        ("data/vt_4096", "", "vt", 30),
        ("data/ruler_vt_4k", "", "vt", 30),
        ("data/niah_single_2_4096", "", "niah_single_2", 128),
        ("data/niah_multikey_4096", "", "niah_multikey", 128),
        ("data/niah_4k", "", "niah", 128),
        ("data/qa_4096", "", "qa", 32),
        ("data/qa_2_4096", "", "qa_2", 32),
        ("qa_hotpot/validation", "", "qa_hotpot", 32),
        ("llama-CWE/validation", "", "cwe", 120),
        ("vt/fwe", "", "fwe", 50),  # the file's name goes first
        ("qa/niah_multivalue", "", "niah_multivalue", 128),
        ("vt/fwe", "niah_multiquery", "niah_multiquery", 128),
        ("qa-nq/rows", "", "", 128),
        ("data/my-qa", "", "", 128),
        ("data/qa_notes", "", "", 128),
        ("data/advt", "", "", 128),
    ],
)
def test_the_path_names_ruler_s_task(source: str, task: str, label: str, budget: int) -> None:
    item = adapted(NIAH | {"task": task}, source)
    assert (item.label, item.question.max_new_tokens) == (label, budget)
    assert item.facts["part"] == label.startswith("qa")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"input": "Moss"},
            r"row 2 of data='some/rows\.jsonl' has the columns input.*ruler, which needs input, outputs or context",
        ),
        (BABI, "row 2 .* has the columns input, question, target"),
        (NIAH | {"input": None}, "row 2 .*'input' holds 'None'.*a text"),
        (NIAH | {"outputs": None}, "row 2 .*'outputs' holds"),
        (NIAH | {"outputs": [None]}, "row 2 .*'outputs' holds"),
        (PARQUET | {"input": "Moss", "question": None}, "row 2 .*'question' holds 'None'"),
        (NIAH | {"max_new_tokens": "many"}, "row 2 .* cannot be read as one of ruler .ValueError.*many"),
    ],
)
def test_one_odd_row_is_named(row: Row, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        adapt("some/rows.jsonl", [NIAH, row])
    assert [item.label for item in adapt("some/rows.jsonl", [NIAH, PARQUET])[1]] == ["", "niah_single_3"]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        *((LITM_QA, column) for column in ("question", "answers", "ctxs")),
        *((LITM_KV, column) for column in LITM_KV),
        *((MRCR, column) for column in ("prompt", "answer", "random_string_to_prepend")),
        *((GRAPH, column) for column in ("prompt", "answer_nodes")),
        *((BABI, column) for column in BABI),
        *((LONGBENCH, column) for column in ("context", "question", "choice_A", "answer")),
        *((DEBUG, column) for column in ("context", "input", "answer")),
    ],
)
def test_no_column_may_be_empty(row: Row, column: str) -> None:
    for odd in (None, 7.5, {"a": None}):
        if (column, odd) != ("answers", 7.5):
            with pytest.raises(UsageError, match=f"row 2 of data='d'.*{column}"):
                adapt("d", [{**each, read.SOURCE: "d/code_debug"} for each in (row, row | {column: odd})])


@pytest.mark.parametrize(
    ("row", "source", "message"),
    [
        (
            {"text": "Moss", read.SOURCE: "x"},
            "",
            r"columns \(text\).*Known are.*ruler \(input, outputs or context.*babilong \(input, question",
        ),
        ({}, "", "none"),
        (NIAH | {"outputs": []}, "", "'outputs' holds.*at least one"),
        (MRCR | {"prompt": "Moss"}, "", "'prompt' holds 'Moss'.*JSON list of messages"),
        (MRCR | {"prompt": '[{"role": "user"}]'}, "", "role and content"),
        (MRCR | {"prompt": '[{"role": "user", "content": null}]'}, "", "role and content"),
        (MRCR | {"prompt": "[]"}, "", "role and content"),
        (MRCR | {"random_string_to_prepend": ""}, "", "'random_string_to_prepend'"),
        (GRAPH | {"answer_nodes": "b2"}, "", "'answer_nodes' holds 'b2'.*list of nodes"),
        (LITM_QA | {"ctxs": ["Moss"]}, "", "title and text"),
        (LITM_QA | {"ctxs": [{"title": "Moss", "text": None}]}, "", "title and text"),
        (LITM_KV | {"ordered_kv_records": {"a": "b"}}, "", r"list of \[key, value\]"),
        (BABI | {"target": "attic"}, "", "'target' holds 'attic'.*name the file.*qa8"),
        (LONGBENCH | {"answer": "Mira"}, "", "'answer' holds 'Mira'.*A, B, C or D"),
        (infinite("Moss", "Who?", ["Mira"]), "data/test", "cannot tell which task.*'data/test'.*passkey.jsonl"),
        (infinite("Moss", "Who?", ["Mira"], ["a", "b", "c", "d"]), "d/longbook_choice_eng", "one of the four options"),
        (DEBUG | {"options": "ABCD"}, "d/code_debug", "'options' holds 'ABCD'.*a list"),
    ],
)
def test_what_cannot_be_used_is_refused(row: Row, source: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.compile(message, re.DOTALL)):
        adapted(row, source or "data/rows")


def test_summaries_need_rouge(monkeypatch: pytest.MonkeyPatch) -> None:
    row = infinite("A long book.", "", ["Mira keeps bees."])
    monkeypatch.setitem(sys.modules, "rouge_score.rouge_scorer", None)
    with pytest.raises(UsageError, match="longbook_sum_eng"):
        adapted(row, "d/longbook_sum_eng")
    monkeypatch.setitem(sys.modules, "rouge_score.rouge_scorer", SimpleNamespace(RougeScorer=lambda kinds: kinds))
    assert adapted(row, "d/longbook_sum_eng").question.max_new_tokens == 1200


# reading

ROWS = [GRAPH, GRAPH | {"problem_type": "parents", "prompt": "Ünïcode → 北京\u2028"}]


def write_jsonl(path: Path) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n\n" for row in ROWS), encoding="utf-8")


def write_gz(path: Path) -> None:
    path.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in ROWS).encode()))


def write_json(path: Path) -> None:
    path.write_text(json.dumps(ROWS), encoding="utf-8-sig")


def write_parquet(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(ROWS), path)


FILES: dict[str, Callable[[Path], None]] = {
    "rows.jsonl": write_jsonl, "rows.jsonl.gz": write_gz, "rows.json": write_json, "rows.parquet": write_parquet,
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_files_are_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / "graphs" / name
    path.parent.mkdir()
    FILES[name](path)
    assert read.load(str(path)) == (
        [row | {read.SOURCE: "graphs/rows"} for row in ROWS],
        hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    before = read.state(str(path))
    assert read.state(str(path)) == before
    path.write_bytes(path.read_bytes() + b"\n")
    assert read.state(str(path)) != before


def test_data_sets_are_read(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_parquet(tmp_path / folder / "train.parquet")
    found = read.load(f"hf:{tmp_path / 'a'}")
    assert found.rows == [row | {read.SOURCE: "a/train"} for row in ROWS]
    assert re.fullmatch("[0-9a-f]{64}", found.digest)
    assert found.digest == read.load(f"hf:{tmp_path / 'b'}::train").digest
    assert read.state(f"hf:{tmp_path / 'a'}") == ()
    with pytest.raises(UsageError, match=r"split 'test'.*hf:NAME\[:config\]\[:split\]"):
        read.load(f"hf:{tmp_path / 'a'}::test")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.jsonl", None, "does not exist; give a .jsonl"),
        ("rows.csv", b"a,b\n", r"'\.csv' is not one of the known"),
        ("rows.jsonl", b"", "empty: it has no rows"),
        ("rows.json", b"[]", "empty: it has no rows"),
        ("rows.jsonl", b'{"a": 1}\n{"a":\n', "line 2 is not JSON"),
        ("rows.jsonl", b"[1]\n", "line 1 must be an object, and is a list"),
        ("rows.json", b'{"a": 1}', "must be a list of objects, and this is of type dict"),
        ("rows.json", b"[1]", "a list with int in it"),
        ("rows.json", b"[1", r"not JSON \(line 1"),
        ("rows.jsonl", b'{"a": "\xff"}', "not UTF-8 text .byte 0xff at offset 7"),
        ("rows.jsonl.gz", b"no gzip", "cannot read.*[Nn]ot a gzipped"),
        ("rows.jsonl.gz", gzip.compress(b"{}" * 99, mtime=0)[:-9], "cannot read"),
        ("rows.parquet", b"no parquet", "cannot read.*[Pp]arquet"),
    ],
)
def test_unreadable_files_are_refused(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=message):
        read.load(str(tmp_path / name))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    for get in (read.load, read.state):
        with pytest.raises(UsageError, match="is a folder"):
            get(str(tmp_path))


# NoLiMa

PEOPLE = ["Tavo", "Mira", "Ona", "Onario", "Pell"]
SET: list[Row] = [
    {
        "id": "0801",
        "system_prompt": "You help.",
        "needle": "There was {CHAR}, who slept beside {1} every night.",
        "questions": {"onehop": "Who has been to {2}?", "twohop": "Who has been to the land of {2} in {3}?"},
        "tests": {
            "T1": {"input_args": ["the old lighthouse of Brask", "Brask", "May"]},
            "T2": {"input_args": ["the salt mill of Udo", "Udo", "June"]},
        },
        "character_set": PEOPLE,
        "distractors": {"onehop": "{CHAR} once drew {1}.", "twohop": "{CHAR} once drew a land."},
    },
    {
        "id": "0802",
        "system_prompt": "",
        "task_template": "Book: {haystack} End of book. Reply to this: {question} Be brief.",
        "needle": "In truth, {CHAR} eats nothing but {1}.",
        "questions": {"onehop": "Who eats no {2}?"},
        "tests": {
            "T1": {"input_args": ["moss", "meat"]},
            "T2": {"input_args": ["fern", "fish"], "gold_answers": ["{CHAR} the Green"]},
        },
        "character_set": PEOPLE,
    },
]  # fmt: skip


@pytest.fixture
def needle_set(tmp_path: Path) -> str:
    path = tmp_path / "set.json"
    path.write_text(json.dumps(SET), encoding="utf-8")
    return str(path)


def test_tests_and_names_are_enumerated(needle_set: str) -> None:
    task = Nolima.from_params({"data": needle_set})
    assert [case.id for case in task.cases] == [
        *(f"0801/{kind}/{test}" for kind in ("onehop", "twohop") for test in ("T1", "T2")), "0802/onehop/T1", "0802/onehop/T2",
    ]  # fmt: skip
    for case in range(6):
        drafts = [task.draft(0.5, case + 6 * i, 0) for i in range(10)]
        assert len({draft.questions[0].text for draft in drafts}) == 1
        rounds = [[draft.needles[0].text for draft in drafts[i : i + 5]] for i in (0, 5)]
        assert [len(set(texts)) for texts in rounds] == [5, 5]
        assert rounds[0] != rounds[1]
        assert all(any(name in text for name in PEOPLE) and "{" not in text for texts in rounds for text in texts)
    assert "Who has been to the land of Udo in June?" in task.draft(0.5, 3, 0).questions[0].text
    assert [task.draft(0.5, i, 0) for i in range(30)] != [task.draft(0.5, i, 1) for i in range(30)]


def test_only_places_depend_on_the_depth(needle_set: str) -> None:
    task = Nolima.from_params({"data": needle_set, "tests": "0801", "distractor": True})
    for index in range(8):
        near, far = (task.draft(depth, index, 0) for depth in (0.1, 0.9))
        assert [needle.text for needle in near.needles] == [needle.text for needle in far.needles]
        assert (near.questions, near.start, near.instruction) == (far.questions, far.start, far.instruction)
        for draft in (near, far):
            needle, distractor = draft.needles
            assert abs(needle.depth - distractor.depth) >= 0.2 - 1e-9
            assert len({*re.findall(rf"\b(?:{'|'.join(PEOPLE)})\b", f"{needle.text} {distractor.text}")}) == 2


@pytest.mark.parametrize(
    "params", [{}, {"distractor": True, "tests": "0801"}, {"haystack": "noise", "answer_prefix": False}, {"tests": "0802"}], ids=str
)
def test_a_perfect_reader_scores_1(params: Row, needle_set: str, compose: Callable[..., Any], bpe: Any) -> None:
    task = Nolima.from_params({"data": needle_set, **params})
    for index in range(len(task.cases)):
        for depth in (0.0, 0.6, 1.0):
            prompt = compose(bpe, task, 1024, depth, index)
            assert len(prompt.ids) + prompt.reserved == 1024
            text = bpe.decode(prompt.ids)
            result = task.score(prompt.question, task.solve(text))
            assert (result.official, result.strict) == (1.0, 1.0)
            assert task.solve(text.replace("every night", "")[-600:]) in ("", *prompt.question.answers)
            dump = task.score(prompt.question, text)
            assert (dump.official, dump.strict) == (1.0 if not task.cases[index].gold else 0.0, 0.0)


def test_the_file_s_own_words_frame_the_text(needle_set: str) -> None:
    task = Nolima.from_params({"data": needle_set})
    ours, theirs = task.draft(0.5, 0, 0), task.draft(0.5, 4, 0)
    assert ours.instruction.startswith("You help.\n\n")
    assert theirs.instruction == "Book:"
    assert theirs.questions[0].text == "End of book. Reply to this: Who eats no meat? Be brief."
    assert task.draft(0.5, 5, 0).questions[0].answers[0].endswith(" the Green")


def test_the_reader_takes_the_last_question_and_its_own_needle(needle_set: str) -> None:
    task = Nolima.from_params({"data": needle_set})
    text = "There was Ona, who slept beside the salt mill of Udo every night. In truth, Pell eats nothing but moss."
    assert task.solve(f"{text}\n\nWho has been to Udo? Who eats no meat?") == "Pell"
    assert task.solve(f"{text}\n\nWho eats no meat? Who has been to Udo?") == "Ona"
    assert task.solve(f"{text}\n\nWho eats no fish?") == ""
    assert task.solve(text) == ""
    assert task.solve("In truth, Onario eats nothing but moss. Who eats no meat?") == "Onario"


@pytest.mark.parametrize(
    ("text", "official", "strict"),
    [
        ("Ona", 1, 1),
        ("The answer is **Ona**.", 1, 1),
        ('"Ona" has been there, since the mill stands there.', 1, 1),
        ("Ona or Pell", 1, 0),
        ("Onario", 1, 0),  # another name that contains it
        ("ona", 0, 1),  # letter case counts officially
        ("_ONA_", 0, 1),
        ("ona or pell", 0, 0),
        ("No personal data.", 0, 0),
        ("onario", 0, 0),
        ("Pell", 0, 0),
        ("", 0, 0),
        ("Ona " + "so " * 200, 1, 0),
    ],
)
def test_names_are_scored(text: str, official: int, strict: int, needle_set: str) -> None:
    task = Nolima.from_params({"data": needle_set})
    question = next(q for i in range(30) if (q := task.draft(0.5, 6 * i, 0).questions[0]).answers == ("Ona",))
    result = task.score(question, text)
    assert (result.official, result.strict) == (official, strict)
    assert result.details["em"] == result.details["last_line_em"] == float(text == "Ona")


def test_a_guess_scores_at_chance(needle_set: str) -> None:
    task = Nolima.from_params({"data": needle_set})
    assert task.chance == pytest.approx(5 / 6 / 5)
    assert math.isnan(Nolima.from_params({}).chance)
    assert Nolima.from_params({}).floors
    assert Nolima.from_params({}).digest == ""
    questions = [task.draft(0.5, index, 0).questions[0] for index in range(60)]
    scores = [task.score(q, task.guess("", generator("guess", i, j))).strict for i, q in enumerate(questions) for j in range(20)]
    sigma = math.sqrt(task.chance * (1 - task.chance) / len(scores))
    assert np.mean(scores) == pytest.approx(task.chance, abs=4 * sigma)


@pytest.mark.parametrize(
    ("params", "change", "message"),
    [
        ({"data": ""}, {}, "a file of yours: -T data="),
        ({"tests": "0999"}, {}, "'0999' is in none of the 4 tests.*0801/onehop/T1"),
        ({"haystack": "needles"}, {}, "running text"),
        ({"distractor": True}, {"distractors": {}}, "no distractor"),
        ({}, {"needle": "Nobody slept."}, r"no NoLiMa needle set.*'0801'.*\{CHAR\}"),
        ({}, {"character_set": []}, "names"),
        ({}, {"tests": {"T1": {"input_args": []}}}, "'0801' has KeyError '1'"),
        ({}, {"questions": None}, "questions {type: text}"),
        ({"depth": 1}, {}, "unknown parameter of nolima 'depth'"),
    ],
)
def test_what_is_no_needle_set_is_refused(params: Row, change: Row, message: str, tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text(json.dumps([SET[0] | change]), encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        Nolima.from_params({"data": str(path), **params}).draft(0.5, 0, 0)
