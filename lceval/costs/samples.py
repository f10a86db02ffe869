"""How many tokens a run reads, with and without shared prefixes, without a tokenizer.

A prompt of a cell is a way through its index's tree: along the haystack, off it where a needle stands, and off it at its end. Two
prompts share what comes before the first place at which they differ (`lceval.tree`). Places are the ones that `lceval.fitter` aims
at, rounded to `SENTENCE` tokens as it snaps them to sentences; texts are taken as `CHARACTERS` characters a token. Contexts that
are laid out anew for every cell are taken to share nothing but their instruction.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from os.path import commonprefix

from lceval.config import DEFAULT_DEPTHS, RunConfig
from lceval.costs.work import Load, Work, work_of
from lceval.errors import UsageError
from lceval.making import make_tasks
from lceval.types import Draft, Question, Task

CHARACTERS = 4.5
"""Of a token of English."""
SENTENCE = 16
"""Tokens within which two needles stand at the same sentence start."""
FRAME = 24
"""Tokens of a chat template."""
ANSWER = 3
"""Characters of a token of an answer, which is often a number."""

Event = tuple[int, str]
"""Where a prompt leaves the haystack, in tokens, and for what."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One prompt."""

    tokens: int
    events: tuple[Event, ...]
    answer: int


def estimated(config: RunConfig) -> Load:
    """The load of a config, from its tasks' drafts.

    Raises:
        UsageError: a task whose samples come from a file, and have the lengths that they have.
    """
    prompts, answers = 0, 0
    alone, shared = Work(), Work()
    for task in make_tasks(config):
        if task.given is not None:
            raise UsageError(
                f"the samples of {task.name} come from a file and have lengths of their own, which the model's tokenizer counts: "
                "'lceval run … --dry-run' says how many tokens they are."
            )
        ways = list(_ways(task, config))
        alone += work_of((0, way.tokens) for way in ways) * config.samples
        shared += work_of(_spans(ways)) * config.samples
        prompts += len(ways) * config.samples
        answers += sum(way.answer for way in ways) * config.samples
    how = f"estimated without a tokenizer: {CHARACTERS} characters a token, needles at their depths"
    return Load(prompts, alone, shared, answers, how)


def _ways(task: Task, config: RunConfig) -> Iterator[_Way]:
    """The prompts of index 0."""
    free = task.depth_is_free
    depths: Sequence[float | None] = [None]
    if free:
        depths = [0.0] if config.positions is not None else config.depths or DEFAULT_DEPTHS
    for place, depth in enumerate(depths):
        draft = task.draft(depth, 0, config.seed)
        for length in config.lengths:
            for number, question in enumerate(draft.questions):
                last = length - _behind(draft, question)
                if free and config.positions is not None:
                    for position in config.positions:
                        if position <= last:
                            yield _way(draft, number, length, place, [float(position)])
                    continue
                aims = [needle.depth * length if needle.position is None else float(needle.position) for needle in draft.needles]
                positioned = bool(draft.needles) and draft.needles[0].position is not None
                if positioned and aims[max(question.support, default=len(aims) - 1)] > last:
                    continue  # the needle that is asked for lies beyond this length
                yield _way(draft, number, length, place, [aim for aim in aims if not positioned or aim <= last])


def _way(draft: Draft, number: int, length: int, place: int, aims: Sequence[float]) -> _Way:
    """The prompt of a question; the needles that it holds aim at so many tokens each."""
    question = draft.questions[number]
    head = _tokens(draft.instruction) + FRAME
    reserved = question.max_new_tokens + question.thinking
    answer = max(1, math.ceil(len(question.said) / ANSWER)) + 1 + question.thinking
    tokens = round((length - reserved) / (1 + draft.echo))
    end = max(head, tokens - max(_tail(draft, each) for each in draft.questions))
    alike = commonprefix([each.text for each in draft.questions])  # noqa: RUF071  (of texts, not paths)
    asks = ((end, "the end"), (end + _tokens(draft.closing + alike), f"question {number}"))
    if draft.arranger:
        return _Way(tokens, ((head, f"words of {length}, {place}"), *asks), answer)
    reach = max(head, end - sum(_tokens(needle.text) for needle in draft.needles))
    places = sorted((min(max(round(aim / SENTENCE) * SENTENCE, head), reach), f"needle {i}") for i, aim in enumerate(aims))
    return _Way(tokens, (*places, *asks), answer)


def _tokens(text: str) -> int:
    return round(len(text) / CHARACTERS)


def _tail(draft: Draft, question: Question) -> int:
    return _tokens(draft.closing + question.text + question.answer_prefix) + FRAME // 2


def _behind(draft: Draft, question: Question) -> int:
    """Tokens between the beginning of a needle and the end of its cell, at least."""
    sizes = [_tokens(needle.text) for needle in draft.needles]
    positioned = bool(draft.needles) and draft.needles[0].position is not None
    needles = max(sizes) if positioned else sum(sizes)
    return needles + _tail(draft, question) + question.max_new_tokens + question.thinking


def _spans(ways: Sequence[_Way]) -> Iterator[tuple[int, int]]:
    """What each prompt reads for itself, in walk order: sorted by where they leave the haystack, neighbours share most."""
    ordered = sorted(ways, key=lambda way: way.events)
    if ordered:
        yield 0, ordered[0].tokens
    for before, way in pairwise(ordered):
        yield min(_shared(before, way), way.tokens - 1), way.tokens


def _shared(one: _Way, other: _Way) -> int:
    """Tokens before the first place at which two prompts differ."""
    for a, b in zip(one.events, other.events, strict=False):
        if a != b:
            return min(a[0], b[0])
    return min(one.tokens, other.tokens)
