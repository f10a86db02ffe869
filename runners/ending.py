"""Where an answer ends: the same for every engine, so that engines can be compared."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from lceval.tokens import Tokenizer
from lceval.types import Prompt


def end_of(new: list[int], token: int, prompt: Prompt, tokenizer: Tokenizer, ends: Collection[int]) -> tuple[str, int, str] | None:
    """Take one more token of an answer.

    Args:
        new: the answer's tokens so far; the token is appended unless it ends the turn.
        token: the token.
        prompt: what is answered.
        tokenizer: what decodes it.
        ends: tokens that end a turn.

    Returns:
        Text, number of tokens and reason (`eos`, `stop`, `length`) if the answer ends here; else None.
    """
    if token in ends:
        return tokenizer.decode(new), len(new), "eos"
    new.append(token)
    text = tokenizer.decode(new)
    cut = stop_at(text, prompt.question.stop)
    if cut is not None:
        return text[:cut], len(new), "stop"
    return (text, len(new), "length") if len(new) == prompt.reserved else None


def stop_at(text: str, stops: Sequence[str]) -> int | None:
    """Where the answer ends: at the first stop string after a letter or digit (a list begins with a colon and a blank line)."""
    begin = next((i for i, character in enumerate(text) if character.isalnum()), len(text))
    found = [at for at in (text.find(stop, begin + 1) for stop in stops) if at >= 0]
    return min(found, default=None)
