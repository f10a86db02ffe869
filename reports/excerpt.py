"""The text around a needle, rebuilt from a stored row's recipe for people to read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A needle in its surroundings."""

    before: str
    """Text that ends where the needle begins."""
    needle: str
    after: str
    """Text that begins where the needle ends."""
    token_start: int
    """The needle's first token in the prompt."""
    token_end: int
    """One past its last token."""
