"""What kind of failure an answer is: empty, a refusal, another needle's value, or nearly right.

A rule, not a judge: it reads the first characters of the answer and what the task planted. It cannot see distractors that come with
the haystack, which the stored recipe does not spell out; an answer that names one of these is `other`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Literal

from lceval.errors import UsageError
from lceval.registry import load
from lceval.rows import Row
from lceval.tasks.scoring import split_thought
from lceval.types import Draft, Question

Kind = Literal["surplus", "near miss", "wrong needle", "refused", "truncated", "empty", "other"]

KINDS: Mapping[Kind, str] = {
    "near miss": "a part of what was asked for, or nearly its letters",
    "wrong needle": "names what another planted needle says",
    "surplus": "right, with more than was asked for",
    "refused": "says that it does not know, or that the text does not say",
    "truncated": "hit its token budget, and is none of these",
    "empty": "says nothing",
    "other": "anything else",
}
"""In the order in which reports list them."""

MOST = 2000
"""Characters of an answer that are read."""
NEAR = 80
"""Per cent of likeness from which letters count as nearly those of a gold answer of four or more."""

_WORD = re.compile(r"\w[\w-]*")
_REFUSAL = re.compile(
    r"\b(?:(?:do|does|did|is|are|was|were|can|could|would|am) ?(?:not|n[’']t)|cannot|can[’']t|unable to|sorry|unknown|nowhere|"
    r"no (?:information|mention|such|answer|record|vault))\b",
    re.IGNORECASE,
)


class Kinds:
    """Tells the kinds of a run's failed answers; drafts each sample once."""

    def __init__(self) -> None:
        self._others: dict[str, frozenset[str]] = {}

    def of(self, row: Row) -> Kind | None:
        """The kind of an answer; None of one with a full strict score, and of what is no answer."""
        if not row.answered or row.strict is None or row.strict >= 1:
            return None
        if row.pair_key not in self._others:
            self._others[row.pair_key] = other_words(row)
        return kind_of(row, self._others[row.pair_key])


def kind_of(row: Row, others: Collection[str]) -> Kind:
    """The kind of a failed answer.

    Args:
        row: an answer without a full strict score.
        others: words, in lower case, that only needles have which were not asked about.
    """
    said = split_thought(row.output)[1][:MOST].strip()
    if not _WORD.search(said):
        return "empty"
    if row.official == 1:
        return "surplus"
    if not row.strict and any(word.lower() in others for word in _WORD.findall(said)):
        return "wrong needle"
    if row.strict or _near(said, row.answers):
        return "near miss"
    if _REFUSAL.search(said):
        return "refused"
    return "truncated" if row.outcome == "truncated" else "other"


def _near(said: str, answers: Collection[str]) -> bool:
    from rapidfuzz.fuzz import partial_ratio

    text = said.lower()
    # Not the other way round: a word within a long gold answer is no near miss.
    return any(
        4 <= len(gold) <= len(text) + 1 and partial_ratio(gold.lower(), text, score_cutoff=NEAR) >= NEAR for gold in answers if gold
    )


def other_words(row: Row) -> frozenset[str]:
    """The words, in lower case, that a row's other needles have and neither its own nor the question; of the gold answers' shape.

    None where the task is not installed here, or has changed since the row was stored.
    """
    try:
        task = load("task", row.task).from_params(row.params)
    except UsageError:
        return frozenset()
    if task.depth_is_free and row.depth is None:
        return frozenset()
    draft = task.draft(row.depth, row.index, row.seed)
    if row.question >= len(draft.questions):
        return frozenset()
    question: Question = draft.questions[row.question]
    if not question.support or tuple(question.answers) != tuple(row.answers):
        return frozenset()
    return frozenset(_words_of_others(draft, question))


def _words_of_others(draft: Draft, question: Question) -> set[str]:
    shapes = {_shape(word) for answer in question.answers for word in _WORD.findall(answer)}
    own = {i for i in question.support if i < len(draft.needles)}
    told = [draft.instruction, draft.closing, question.text, question.answer_prefix, *question.answers]
    told += [draft.needles[i].text for i in own]
    known = {word.lower() for text in told for word in _WORD.findall(text)}
    others = (needle.text for i, needle in enumerate(draft.needles) if i not in own)
    words = (word for text in others for word in _WORD.findall(text) if _shape(word) in shapes)
    return {word.lower() for word in words} - known


def _shape(word: str) -> str:
    """What sort of word it is: with digits, of joined parts, with a capital, or plain."""
    if any(map(str.isdigit, word)):
        return "number"
    return "joined" if "-" in word else "name" if word[0].isupper() else "plain"
