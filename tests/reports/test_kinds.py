from __future__ import annotations

from itertools import pairwise

import pytest
from factory import make_row

from lceval.registry import load
from lceval.reports.kinds import KINDS, Kinds, kind_of, other_words


def row(output, *, gold=("7421983",), strict=0.0, **changes):
    return make_row(4096, 0.5, 0, strict, output=output, answers=list(gold), **({"official": strict} | changes))


@pytest.mark.parametrize(
    ("output", "changes", "kind"),
    [
        ("", {}, "empty"),
        (" \n… .", {}, "empty"),
        ("<think>It must be 7421983", {}, "empty"),
        ("7421983, 1111111", {"official": 1.0}, "surplus"),
        ("7421938.", {}, "near miss"),
        ("742198", {}, "near miss"),
        ("1984726", {}, "other"),
        ("5555555", {}, "wrong needle"),
        ("It is 5555555, not 7421983", {"strict": 0.5, "official": 0.0}, "near miss"),
        ("The text does not say.", {}, "refused"),
        ("I’m sorry, I cannot find it.", {}, "refused"),
        ("There is no vault number.", {}, "refused"),
        ("<think>I do not know</think>a house", {}, "other"),
        ("the vault and the vault", {"outcome": "truncated"}, "truncated"),
        ("I don't know. I don't", {"outcome": "truncated"}, "refused"),
        ("a house " * 100_000, {}, "other"),
    ],
)
def test_kinds(output, changes, kind):
    assert kind in KINDS
    assert kind_of(row(output, **changes), {"5555555"}) == kind


def test_what_is_right_or_no_answer_has_no_kind():
    assert Kinds().of(row("7421983", strict=1.0)) is None
    assert Kinds().of(make_row(4096, 0.5, 0, "error")) is None


def drafted(task, params, question=0, depth=0.5):
    made = load("task", task).from_params(params)
    draft = made.draft(depth if made.depth_is_free else None, 0, 0)
    return draft, make_row(
        4096, depth if made.depth_is_free else None, 0, 0.0, task=task, params=params, question=question, official=0.0,
        answers=list(draft.questions[question].answers),
    )  # fmt: skip


def test_the_value_of_another_key_is_a_wrong_needle():
    draft, asked = drafted("niah", {"keys": 4})
    others = other_words(asked)
    mine = set(draft.questions[0].support)
    values = {n: needle.text.split()[-1].strip(".") for n, needle in enumerate(draft.needles)}
    assert all((value in others) == (n not in mine) for n, value in values.items())
    wrong = next(value for n, value in values.items() if n not in mine)
    assert Kinds().of(asked.model_copy(update={"output": f" {wrong}."})) == "wrong needle"


def test_the_name_in_a_distractor_is_a_wrong_needle():
    draft, asked = drafted("distractors", {})
    support = set(draft.questions[0].support)
    assert support
    other = next(needle for n, needle in enumerate(draft.needles) if n not in support)
    name = " ".join(other.text.rstrip(".").split()[-2:])
    assert Kinds().of(asked.model_copy(update={"output": name})) == "wrong needle"


@pytest.mark.parametrize("task", ["niah", "kv", "mdqa", "vt", "cwe", "count", "graph"])
def test_every_kind_of_task_can_be_told(task):
    """Also those without needles that are not asked about, whose others nobody knows."""
    _, asked = drafted(task, {})
    assert not {word.lower() for answer in asked.answers for word in answer.split()} & other_words(asked)
    assert Kinds().of(asked.model_copy(update={"output": "I don't know"})) in ("refused", "near miss")


def test_a_task_that_has_changed_since_knows_no_others():
    _, asked = drafted("niah", {"keys": 4})
    assert other_words(asked.model_copy(update={"answers": ["1"]})) == frozenset()
    assert other_words(asked.model_copy(update={"task": "gone"})) == frozenset()
    assert other_words(asked.model_copy(update={"question": 7})) == frozenset()


def test_samples_are_drafted_once(monkeypatch):
    from lceval.reports import kinds

    calls = []
    monkeypatch.setattr(kinds, "other_words", lambda row: calls.append(row.pair_key) or frozenset())
    told = Kinds()
    rows = [row("x", pair_key=key) for key in ("a", "a", "b", "a")]
    for one, other in pairwise(rows):
        assert told.of(one) == told.of(other) == "other"
    assert calls == ["a", "b"]
