"""From a draft to a prompt of the exact length, in token space.

    prompt = frame + instruction | haystack … needle … haystack | question + frame + answer prefix     (+ reserved new tokens)

The haystack of a shorter length is a prefix of the longer one, the question comes last, and needles snap to sentence starts of
the haystack: so that prompts of one index share every prefix that they can (`lceval.tree`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from lceval.corpus import FORMAT, Corpus
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
    """

    def __init__(self, tokenizer: Tokenizer, corpus: Callable[[str], Corpus]) -> None:
        self.tokenizer = tokenizer
        self.corpus = corpus

    def fit(self, draft: Draft, question: Question, sample: Sample) -> Prompt:
        """The prompt that asks `question` about `draft` in `sample.cell.length` tokens, new tokens included.

        Raises:
            CannotFit: the fixed text alone is longer than the cell.
        """
        corpus = self.corpus(draft.haystack)
        head = self.tokenizer.head(self.tokenizer.frame.before + draft.instruction + ("\n" if corpus.joint == "\n" else ""))
        tail = self.tokenizer.piece(_tail(question, self.tokenizer))
        needles = [self._needle(needle.text, corpus) for needle in draft.needles]

        length = sample.cell.length
        fixed = len(head) + sum(map(len, needles)) + len(tail) + question.max_new_tokens
        if fixed > length:
            raise CannotFit(
                f"{sample.task}: a cell of {format_length(length)} tokens cannot hold the task's fixed text of {fixed} tokens "
                f"(instruction and chat template {len(head)}, needles {sum(map(len, needles))}, question {len(tail)}, "
                f"reserved for the answer {question.max_new_tokens}). Ask for lengths from {fixed} up."
            )
        begin = corpus.begin(draft.start)
        filler = corpus.safe_stop(begin, length - fixed)

        pieces: list[TokenIds] = [head]
        spans: dict[int, tuple[int, int]] = {}
        at, used = len(head), 0
        for i in sorted(range(len(needles)), key=lambda i: draft.needles[i].depth):
            aim = round(draft.needles[i].depth * length) - at
            place = corpus.nearest_start(begin, used + max(aim, 0), filler)
            pieces += [*corpus.take(begin, used, place), needles[i]]
            at += place - used
            spans[i] = (at, at + len(needles[i]))
            at, used = spans[i][1], place
        pieces += [*corpus.take(begin, used, filler), tail]
        return Prompt(
            ids=np.concatenate(pieces),
            reserved=question.max_new_tokens,
            context=(len(head), at + filler - used),
            needle_tokens=tuple(spans[i] for i in range(len(needles))),
            question=question,
            sample=sample,
        )

    def _needle(self, text: str, corpus: Corpus) -> TokenIds:
        return self.tokenizer.piece(f" {text}" if corpus.joint == " " else f"{text}\n")


def _tail(question: Question, tokenizer: Tokenizer) -> str:
    prefix = question.answer_prefix
    if prefix and not tokenizer.frame.chat:
        prefix = " " + prefix
    return "\n\n" + question.text + tokenizer.frame.after + prefix


def prompt_sha256(ids: TokenIds | Sequence[int]) -> str:
    """The hash that a stored row carries instead of its prompt: sha256 over the ids as little-endian 32-bit integers."""
    return hashlib.sha256(np.ascontiguousarray(ids, dtype="<u4").data).hexdigest()
