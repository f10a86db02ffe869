"""From a draft to a prompt of the exact length, in token space.

    prompt = frame + instruction | haystack … needle … haystack | closing + question + frame + answer prefix   (+ reserved tokens)

The haystack of a shorter length is a prefix of the longer one (of items, all but the last), the question comes last, and needles
snap to sentence starts of the haystack: so that prompts of one index share every prefix that they can (`lceval.tree`).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lceval.corpus import FORMAT, Corpus, Words
from lceval.errors import CannotFit
from lceval.lengths import format_length
from lceval.tokens import Tokenizer
from lceval.types import Draft, Prompt, Question, Sample, TokenIds

COMPOSITION = f"1.{FORMAT}"
"""How prompts are put together; raised whenever the same draft gives other tokens. Part of every sample's identity."""


class Fitter:
    """Composes prompts for one tokenizer.

    Args:
        tokenizer: the tokenizer and chat frame of the model under test.
        corpus: finds the tokenized haystack that a draft names.
        words: finds the tokenized vocabulary that a draft with an arranger names.
    """

    def __init__(self, tokenizer: Tokenizer, corpus: Callable[[str], Corpus], words: Callable[[str], Words] | None = None) -> None:
        self.tokenizer = tokenizer
        self.corpus = corpus
        self.words = words

    def fit(self, draft: Draft, question: int, sample: Sample) -> Prompt:
        """The prompt that asks `draft.questions[question]` in `sample.cell.length` tokens, new tokens included.

        Raises:
            CannotFit: the fixed text alone is longer than the cell.
        """
        compose = self._given if draft.turns else self._arranged if draft.arranger else self._sliced
        prompt = compose(draft, question, sample)
        return replace(prompt, gold=self._gold(prompt))

    def behind(self, draft: Draft) -> int:
        """Tokens between the beginning of a needle and the end of its cell, at least, whichever question is asked.

        They are the needle's (of needles at positions of their own, the longest one's), the question's and the reserved ones.
        """
        after = [len(self._tail(draft, question)) + question.max_new_tokens + question.thinking for question in draft.questions]
        needles = [len(needle) for needle in self._needles(draft)]
        return max(after) + (max(needles) if _positioned(draft) else sum(needles))

    def _given(self, draft: Draft, number: int, sample: Sample) -> Prompt:
        """A prompt that comes as it stands: its length is what it is."""
        question = draft.questions[number]
        ids, ends, begins = self.tokenizer.whole(draft.turns, self._prefix(question))

        def token(turn: int, character: int) -> int:
            return int(np.searchsorted(ends, begins[turn] + character, side="right"))

        return Prompt(
            ids=ids,
            reserved=question.max_new_tokens + question.thinking,
            context=(token(0, 0), token(len(begins) - 1, len(draft.turns[-1][1]) - 1) + 1),
            needle_tokens=tuple((token(turn, start), token(turn, end - 1) + 1) for turn, start, end in draft.spans),
            question=question,
            sample=sample,
            opening=self._opening(question),
        )

    def _sliced(self, draft: Draft, number: int, sample: Sample) -> Prompt:
        """A slice of a haystack with needles in it."""
        question = draft.questions[number]
        corpus = self.corpus(draft.haystack) if draft.haystack else None
        head = self._head(draft, "\n" if corpus is None or corpus.joint == "\n" else "")
        tail = self._tail(draft, question)
        needles = self._needles(draft)[: self._planted(draft, question, sample)]
        planted = sum(map(len, needles))
        reserved = question.max_new_tokens + question.thinking
        room = self._room(sample, head=len(head), needles=planted, question=len(tail), reserved=reserved)

        begin = corpus.begin(draft.start) if corpus else 0
        stop, last = corpus.fill(begin, room) if corpus else (0, (0, 0))
        filler = stop + last[1] - last[0]

        def take(start: int, end: int) -> list[TokenIds]:
            if corpus is None:
                return []
            shift = last[0] - stop
            return corpus.take(begin, start, min(end, stop)) + corpus.take(begin, max(start, stop) + shift, end + shift)

        pieces: list[TokenIds] = [head]
        spans: dict[int, tuple[int, int]] = {}
        at, used = len(head), 0
        aims = [n.depth * sample.cell.length if n.position is None else n.position for n in draft.needles[: len(needles)]]
        for i in sorted(range(len(needles)), key=aims.__getitem__):
            target = used + max(round(aims[i]) - at, 0)
            place = corpus.nearest_start(begin, target, stop) if corpus else 0
            if filler - target < abs(place - target) and filler > stop:
                place = filler
            pieces += [*take(used, place), needles[i]]
            at += place - used
            spans[i] = (at, at + len(needles[i]))
            at, used = spans[i][1], place
        pieces += [*take(used, filler), tail]
        return Prompt(
            ids=np.concatenate(pieces),
            reserved=reserved,
            context=(len(head), at + filler - used),
            needle_tokens=tuple(spans[i] for i in range(len(needles))),
            question=question,
            sample=sample,
            opening=self._opening(question),
        )

    def _arranged(self, draft: Draft, number: int, sample: Sample) -> Prompt:
        """Words of a vocabulary, as many as fit."""
        assert draft.arranger is not None
        assert self.words is not None
        arranger, question = draft.arranger, draft.questions[number]
        vocabulary = self.words(draft.haystack)
        sizes = vocabulary.sizes
        head, tail = self._head(draft, ""), self._tail(draft, question)

        def tokens(size: int) -> int:
            words, counts = arranger.tally(size)
            return int(sizes[words] @ counts)

        def need(size: int) -> int:
            context = tokens(size)
            return context + math.ceil(draft.echo * context)

        reserved = question.max_new_tokens + question.thinking
        least = tokens(arranger.least)
        room = self._room(
            sample, head=len(head), words=least, question=len(tail), reserved=reserved + math.ceil(draft.echo * least)
        )
        room += need(arranger.least)
        size = arranger.least
        step = 1
        while need(size + step) <= room:
            size, step = size + step, 2 * step
        while step > 1:
            step //= 2
            if need(size + step) <= room:
                size += step
        arrangement = arranger.arrange(size)
        context, begins = vocabulary.lay(arrangement.words)
        extra = math.ceil(draft.echo * len(context))
        answers = arrangement.answers[number] if arrangement.answers else question.answers
        said = () if arrangement.said is None else (self._laid(vocabulary, arrangement.said, tail),)
        return Prompt(
            ids=np.concatenate([head, context, tail]),
            reserved=reserved + extra,
            context=(len(head), len(head) + len(context)),
            needle_tokens=tuple(
                (len(head) + int(begins[start]), len(head) + int(begins[stop])) for start, stop in arrangement.needles
            ),
            question=replace(question, answers=answers, max_new_tokens=question.max_new_tokens + extra),
            sample=sample,
            opening=self._opening(question),
            gold=np.concatenate([np.empty(0, dtype=np.uint32), *said]),
        )

    def _laid(self, vocabulary: Words, words: NDArray[np.int64], before: TokenIds) -> TokenIds:
        """Words of a vocabulary as they follow a prompt."""
        ids, begins = vocabulary.lay(words)
        first = self.tokenizer.decode(ids[: begins[1]]).strip()
        return np.concatenate([self.tokenizer.continuation(before, first), ids[begins[1] :]])

    def _gold(self, prompt: Prompt) -> TokenIds:
        """What `Prompt.gold` says."""
        none = np.empty(0, dtype=np.uint32)
        if prompt.opening or prompt.question.thinking:
            return none
        gold = prompt.gold if len(prompt.gold) else self.tokenizer.continuation(prompt.ids, prompt.question.said)
        return gold if len(gold) <= prompt.reserved else none

    def _planted(self, draft: Draft, question: Question, sample: Sample) -> int:
        """How many of a draft's needles stand in a cell: all, but for those whose positions lie beyond it."""
        if not _positioned(draft):
            return len(draft.needles)
        last = sample.cell.length - self.behind(draft)
        count = sum(needle.position <= last for needle in draft.needles if needle.position is not None)
        asked = max(question.support, default=len(draft.needles) - 1)
        if asked >= count:
            raise CannotFit(
                f"{sample.task}: a cell of {format_length(sample.cell.length)} tokens has no room for the needle at "
                f"{draft.needles[asked].position} tokens, which the question is about. Ask for lengths from "
                f"{(draft.needles[asked].position or 0) + self.behind(draft)} up."
            )
        return count

    def _needles(self, draft: Draft) -> list[TokenIds]:
        """The tokens of each needle, as it stands between sentences or items."""
        lines = not draft.haystack or self.corpus(draft.haystack).joint == "\n"
        return [self.tokenizer.piece(f"{needle.text}\n" if lines else f" {needle.text}") for needle in draft.needles]

    def _head(self, draft: Draft, joint: str) -> TokenIds:
        return self.tokenizer.head(self.tokenizer.frame.before + draft.instruction + joint)

    def _tail(self, draft: Draft, question: Question) -> TokenIds:
        frame, prefix = self.tokenizer.frame, self._prefix(question)
        if prefix and not frame.chat:
            prefix = f" {prefix}"
        return self.tokenizer.piece(f"{draft.closing}\n\n{question.text}{frame.after}{prefix}")

    def _prefix(self, question: Question) -> str:
        """What follows the frame: the answer prefix, after an empty thought where the chat template opens one."""
        if self.tokenizer.frame.opens_thought and question.at_once:
            return f"\n</think>\n\n{question.answer_prefix}"
        return question.answer_prefix

    def _opening(self, question: Question) -> str:
        return "<think>" if self.tokenizer.frame.opens_thought and not question.at_once else ""

    def _room(self, sample: Sample, **fixed: int) -> int:
        """Tokens left for the context beside the fixed ones."""
        length, total = sample.cell.length, sum(fixed.values())
        if total > length:
            parts = ", ".join(f"{_PARTS[name]} {tokens}" for name, tokens in fixed.items())
            raise CannotFit(
                f"{sample.task}: a cell of {format_length(length)} tokens cannot hold the task's fixed text of {total} tokens "
                f"({parts}). Ask for lengths from {total} up."
            )
        return length - total


def _positioned(draft: Draft) -> bool:
    return bool(draft.needles) and draft.needles[0].position is not None


_PARTS = {
    "head": "instruction and chat template",
    "needles": "needles",
    "words": "the fewest words",
    "question": "question",
    "reserved": "reserved for the answer",
}


def prompt_sha256(ids: TokenIds | Sequence[int]) -> str:
    """The hash that a stored row carries instead of its prompt: sha256 over the ids as little-endian 32-bit integers."""
    return hashlib.sha256(np.ascontiguousarray(ids, dtype="<u4").data).hexdigest()
