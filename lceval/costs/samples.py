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

from lceval.config import DEFAULT_DEPTHS, RunConfig
from lceval.costs.work import Load, Work, work_of
from lceval.errors import UsageError
from lceval.planning import make_tasks
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
    depths: Sequence[float | None] = (config.depths or DEFAULT_DEPTHS) if free and config.positions is None else [None]
    for place, depth in enumerate(depths):
        draft = task.draft(depth if free and depth is not None else (0.0 if free else None), 0, config.seed)
        for length in config.lengths:
            for number, question in enumerate(draft.questions):
                if free and config.positions is not None:
                    last = length - _behind(draft, question)
                    for position in config.positions:
                        if position <= last:
                            yield _way(draft, number, length, (place, length), [float(position)])
                else:
                    yield _way(draft, number, length, (place, length), None)


def _way(draft: Draft, number: int, length: int, cell: tuple[int, int], aims: list[float] | None) -> _Way:
    question = draft.questions[number]
    head = _tokens(draft.instruction) + FRAME
    reserved = question.max_new_tokens + question.thinking
    answer = max(1, math.ceil(len(question.said) / ANSWER)) + 1 + question.thinking
    if draft.arranger:  # words are laid out anew in every cell
        tokens = round((length - reserved) / (1 + draft.echo))
        return _Way(tokens, ((head, f"cell {cell}"), (tokens - _tail(draft, question), f"question {number}")), answer)
    tokens = length - reserved
    end = max(head, tokens - _tail(draft, question))
    planted = draft.needles
    if aims is None:
        aims = [needle.depth * length if needle.position is None else float(needle.position) for needle in planted]
    reach = max(head, end - sum(_tokens(needle.text) for needle in planted))
    places = sorted((min(max(round(aim / SENTENCE) * SENTENCE, head), reach), f"needle {i}") for i, aim in enumerate(aims))
    return _Way(tokens, (*places, (end, f"question {number}")), answer)


def _tokens(text: str) -> int:
    return round(len(text) / CHARACTERS)


def _tail(draft: Draft, question: Question) -> int:
    return _tokens(draft.closing + question.text + question.answer_prefix) + FRAME // 2


def _behind(draft: Draft, question: Question) -> int:
    needles = sum(_tokens(needle.text) for needle in draft.needles)
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
