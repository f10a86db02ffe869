"""Formulas that several families share. Each official one follows its benchmark to the letter; the source is named."""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Sequence

_CONTROL = re.compile(r"[\x00-\x1f]")
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def split_thought(output: str) -> tuple[str, str]:
    """What was thought and what was answered: up to and including the last `</think>`, and the rest without leading white space.

    A thought that was begun and never ended leaves no answer.
    """
    thought, closed, answer = output.rpartition("</think>")
    if closed:
        return thought + closed, answer.lstrip()
    return (output, "") if output.lstrip().startswith("<think>") else ("", output)


def ruler_all(text: str, answers: Sequence[str]) -> float:
    """Fraction of the gold strings found in the output, ignoring case (NVIDIA/RULER, `string_match_all`, as a fraction)."""
    text = _ruler_text(text)
    return sum(answer.lower() in text for answer in answers) / len(answers)


def ruler_part(text: str, answers: Sequence[str]) -> float:
    """1 if any gold string is found in the output, ignoring case (NVIDIA/RULER, `string_match_part`, as a fraction)."""
    text = _ruler_text(text)
    return float(any(answer.lower() in text for answer in answers))


def _ruler_text(text: str) -> str:
    """RULER's post-processing: control characters become line breaks, the ends are stripped."""
    return _CONTROL.sub("\n", text.strip()).strip().lower()


def squad_normalise(text: str) -> str:
    """Lower case, no punctuation, no articles, single spaces (SQuAD's evaluation script)."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def best_subspan_em(text: str, answers: Sequence[str]) -> float:
    """1 if any normalised gold string is found in the output's first line (nelson-liu/lost-in-the-middle)."""
    line = squad_normalise(text.split("\n")[0].strip())
    return float(any(squad_normalise(answer) in line for answer in answers))


def set_f1(said: Collection[str], gold: Collection[str]) -> float:
    """Harmonic mean of precision and recall of what was named; 1 if nothing was and nothing should have been."""
    said, gold = set(said), set(gold)
    return 2 * len(said & gold) / (len(said) + len(gold)) if said or gold else 1.0


def too_long(text: str, max_new_tokens: int) -> bool:
    """Whether an output is longer than its token budget allows: more words than tokens, or more than ten characters a token.

    No answer within the budget is; a dump of the context is.
    """
    return len(text.split()) > max_new_tokens or len(text) > 10 * max_new_tokens
