"""A tokenizer and the frame that the model's chat template puts around a user's turn.

Prompts are put together from pieces that are tokenized once, so three questions are answered here: how a piece is tokenized
where it will stand (at the start or inside a prompt), what the chat template adds, and where BOS goes (once, never twice).
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal
from unicodedata import east_asian_width

import numpy as np
from numpy.typing import NDArray

from lceval.errors import ModelError
from lceval.keys import digest
from lceval.types import TokenIds

_SENTINEL = "lceval puts the text of the user here"
_ANCHORS = (".", "a", "1", ")")
_OPENING = "([{<\"'`“‘«"
SEAM = 16
"""Tokens before a seam by which it is judged how the text goes on."""
_DAY = datetime.date(2025, 1, 1)


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands before and after the user's text."""

    before: str
    after: str
    chat: bool

    @property
    def hash(self) -> str:
        """Identity of the rendered frame."""
        return digest(self.before, self.after)

    @property
    def opens_thought(self) -> bool:
        """Whether it begins the model's thought for it, as templates of reasoning models do."""
        return self.after.rstrip().endswith("<think>")


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text's tokens and the characters they stand for."""

    ids: TokenIds
    starts: NDArray[np.int64]
    """[N] character where each token begins."""
    ends: NDArray[np.int64]
    """[N] character after each token's last."""


class Tokenizer:
    """A fast Hugging Face tokenizer with its frame.

    Args:
        hf: a `PreTrainedTokenizerFast`.
        chat: `auto` uses the chat template when there is one, `on` insists on it, `off` leaves it out.
        template_kwargs: passed to the chat template, such as `enable_thinking=False`.

    Raises:
        ModelError: the tokenizer has no character offsets, or the chat template cannot frame a user's turn.
    """

    def __init__(
        self, hf: Any, *, chat: Literal["auto", "on", "off"] = "auto", template_kwargs: Mapping[str, Any] | None = None
    ) -> None:
        if not getattr(hf, "is_fast", False):
            raise ModelError(
                f"the tokenizer {type(hf).__name__} gives no character offsets (it is a slow one), and lceval places needles by "
                "them. Convert it once with transformers' AutoTokenizer.from_pretrained(…, use_fast=True).save_pretrained(FOLDER) "
                "and name that folder in -M tokenizer=FOLDER."
            )
        self.hf = hf
        self._backend = hf.backend_tokenizer
        self._backend.no_truncation()
        self._backend.no_padding()
        self.hash = hashlib.sha256(self._backend.to_str().encode()).hexdigest()[:32]
        self._template_kwargs = template_kwargs or {}
        self.frame = _frame(hf, chat, self._template_kwargs)
        self._bos = hf.bos_token_id if self._adds_bos() else None
        self.head = lru_cache(maxsize=64)(self._head)
        self.piece = lru_cache(maxsize=4096)(self._piece)
        self._after = lru_cache(maxsize=4096)(self._tokens_after)
        self._seam = lru_cache(maxsize=4096)(lambda ids: self.decode(np.frombuffer(ids, dtype=np.uint32), special=True))
        self._marks = frozenset(hf.added_tokens_decoder)

    def _adds_bos(self) -> bool:
        ids = self.hf("a")["input_ids"]
        return bool(ids) and self.hf.bos_token_id is not None and ids[0] == self.hf.bos_token_id

    def _head(self, text: str) -> TokenIds:
        """Tokens of the text that opens a prompt (special tokens in it count as such), with BOS once if the model wants one."""
        ids = list(self.hf(text, add_special_tokens=False)["input_ids"])
        if self._bos is not None and ids[:1] != [self._bos]:
            ids = [self._bos, *ids]
        return np.asarray(ids, dtype=np.uint32)

    def _piece(self, text: str) -> TokenIds:
        """Tokens of a text as it reads inside a prompt, without the leading space that some tokenizers put before a text."""
        for anchor in _ANCHORS:
            encoded = self.hf(anchor + text, add_special_tokens=False, return_offsets_mapping=True)
            offsets = encoded["offset_mapping"]
            first = next((i for i, (start, _) in enumerate(offsets) if start >= len(anchor)), len(offsets))
            if all(end <= len(anchor) for _, end in offsets[:first]):
                return np.asarray(encoded["input_ids"][first:], dtype=np.uint32)
        raise ModelError(f"this tokenizer joins {text[:40]!r} to whatever stands before it, so it cannot be cut into pieces.")

    def continuation(self, ids: TokenIds, text: str) -> TokenIds:
        """Tokens of a text as a model would write it after a prompt.

        After a space, unless the prompt ends in white space, an opening bracket or quotation mark, a mark of the chat template, or
        a wide character (of Chinese and the like).

        Args:
            ids: [N] the prompt, or its last tokens.
            text: what follows, without a space before it.
        """
        before = self._seam(ids[-SEAM:].tobytes())
        end = before[-1:]
        glued = not end.strip() or end in _OPENING or east_asian_width(end) in "WF" or int(ids[-1]) in self._marks
        return self._after(before, text if glued else f" {text}")

    def _tokens_after(self, before: str, text: str) -> TokenIds:
        """Tokens of `text` behind `before`; where the tokenizer would join the two, as of a piece."""
        first, both = (self.hf(said, add_special_tokens=False)["input_ids"] for said in (before, before + text))
        if both[: len(first)] != first:
            return self.piece(text)
        return np.asarray(both[len(first) :], dtype=np.uint32)

    def whole(self, turns: Sequence[tuple[str, str]], prefix: str) -> tuple[TokenIds, NDArray[np.int64], list[int]]:
        """A prompt that is given as a conversation, tokenized in one go.

        Args:
            turns: (role, text), the last one the user's; without a chat template a single turn stands as it is, and several are
                marked by their roles. Where nothing separates a turn from the prefix, a line break does.
            prefix: the beginning of the answer.

        Special tokens in the text count as such: some files hold prompts that are rendered already.

        Returns:
            [N] tokens, [N] the character at which each ends, and the character at which each turn's text begins.
        """
        marks = [f"{_SENTINEL} {i}:" for i in range(len(turns))]
        if self.frame.chat:
            rendered = _render(self.hf, [(role, mark) for (role, _), mark in zip(turns, marks, strict=True)], self._template_kwargs)
        else:
            lines = [f"{role.capitalize()}: {mark}" for (role, _), mark in zip(turns, marks, strict=True)]
            rendered = "\n\n".join([*lines, "Assistant:"]) if len(turns) > 1 else marks[0]
            if len(turns) == 1 and prefix and not (turns[0][1][-1:].isspace() or prefix[0].isspace()):
                rendered += "\n"
        text, begins = "", []
        for (_, said), mark in zip(turns, marks, strict=True):
            before, found, rendered = rendered.partition(mark)
            if not found:
                raise ModelError("the chat template leaves out a turn of the conversation. Use -M chat=off.")
            text += before
            begins.append(len(text))
            text += said
        text += rendered + prefix
        encoded = self.hf(text, add_special_tokens=False, return_offsets_mapping=True)
        ids = np.asarray(encoded["input_ids"], dtype=np.uint32)
        ends = np.asarray(encoded["offset_mapping"], dtype=np.int64).reshape(-1, 2)[:, 1]
        if self._bos is not None and ids[:1].tolist() != [self._bos]:
            ids, ends = np.concatenate((np.asarray([self._bos], dtype=np.uint32), ids)), np.concatenate(([0], ends))
        return ids, np.maximum.accumulate(ends), begins

    def words(self, texts: Sequence[str]) -> list[TokenIds]:
        """Tokens of each text as it reads after another one and a space, that space included.

        Raises:
            ModelError: this tokenizer joins a word to the one before it.
        """
        pieces = []
        encodings = self._backend.encode_batch([f"a {text}" for text in texts], add_special_tokens=False)
        for text, encoding in zip(texts, encodings, strict=True):
            first = next((i for i, (start, _) in enumerate(encoding.offsets) if start >= 1), len(encoding.offsets))
            if not first or any(end > 1 for _, end in encoding.offsets[:first]):
                raise ModelError(f"this tokenizer joins {text!r} to the word before it, so words cannot be laid out one by one.")
            pieces.append(np.asarray(encoding.ids[first:], dtype=np.uint32))
        return pieces

    def encode_lines(self, texts: Sequence[str]) -> list[Encoded]:
        """Tokens of texts as they read after a line break, taken literally: what looks like a special token stays text."""
        before = self._backend.encode_special_tokens
        self._backend.encode_special_tokens = True
        try:
            encodings = self._backend.encode_batch([f"\n{text}" for text in texts], add_special_tokens=False)
        finally:
            self._backend.encode_special_tokens = before
        encoded = []
        for encoding in encodings:
            ids = np.asarray(encoding.ids, dtype=np.uint32)
            starts, ends = np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2).T
            inside = ends > 1
            encoded.append(Encoded(ids[inside], np.maximum(starts[inside] - 1, 0), ends[inside] - 1))
        return encoded

    def decode(self, ids: TokenIds | Sequence[int], *, special: bool = False) -> str:
        """Text of tokens; special tokens are left out unless `special`."""
        return str(
            self.hf.decode(
                np.asarray(ids, dtype=np.int64),
                skip_special_tokens=not special,
                clean_up_tokenization_spaces=False,
            )
        )


def _frame(hf: Any, chat: str, template_kwargs: Mapping[str, Any]) -> Frame:
    if chat not in ("auto", "on", "off"):
        raise ModelError(f"chat={chat!r} is not a mode; use -M chat=auto, on or off.")
    if chat == "on" and not hf.chat_template:
        raise ModelError(
            "chat=on, but this tokenizer has no chat template. Use -M chat=off (plain text, for base models), "
            "or add a chat_template.jinja to the model's folder."
        )
    if chat == "off" or not hf.chat_template:
        return Frame(before="", after="\nAnswer:", chat=False)
    rendered = _render(hf, [("user", _SENTINEL)], template_kwargs)
    if rendered.count(_SENTINEL) != 1:
        raise ModelError(
            f"the chat template shows the user's text {rendered.count(_SENTINEL)} times instead of once, so lengths and needle "
            f"positions would not be what they say (it renders {json.dumps(rendered[:200])}). Use -M chat=off."
        )
    before, _, after = rendered.partition(_SENTINEL)
    return Frame(before=before, after=after, chat=True)


def _render(hf: Any, turns: Sequence[tuple[str, str]], template_kwargs: Mapping[str, Any]) -> str:
    from jinja2 import TemplateError

    try:
        return str(
            hf.apply_chat_template(
                [{"role": role, "content": text} for role, text in turns],
                tokenize=False,
                add_generation_prompt=True,
                strftime_now=_DAY.strftime,  # templates that print today's date: the prompts must be the same tomorrow
                **template_kwargs,
            )
        )
    except TemplateError as error:
        what = "a single user turn" if len(turns) == 1 else f"a conversation of {', '.join(role for role, _ in turns)}"
        raise ModelError(f"the chat template refuses {what}: {error}. Use -M chat=off, or -M chat_kwargs=….") from error
