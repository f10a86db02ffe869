"""The errors that users see.

    LcevalError                  exit code 2; printed without a traceback
    ├── UsageError               a value the user gave: an option, a parameter, a length, a depth
    ├── CannotFit                a cell shorter than its fixed text, or longer than the model's window
    ├── CorpusError              a haystack that is missing, empty or unreadable
    ├── ModelError               a model or tokenizer that is missing or cannot do what was asked
    ├── StoreError               a run folder: locked, damaged, full, unwritable, or of another fingerprint
    └── RunnerError              the engine died; what is stored stays stored

Every message says what is wrong, the value seen, the value wanted, and the way out.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class LcevalError(Exception):
    """A mistake of the user or of the outside world, told in one message."""

    exit_code = 2


class UsageError(LcevalError, ValueError):
    """A value the user gave is not one that can be used."""


class CannotFit(LcevalError):
    """A cell cannot hold its fixed text, or the model cannot hold the cell."""


class CorpusError(LcevalError):
    """A haystack is missing, empty or unreadable."""


class ModelError(LcevalError):
    """A model or tokenizer is missing, or cannot do what was asked of it."""


class StoreError(LcevalError):
    """A run folder cannot be used as it is."""


class RunnerError(LcevalError):
    """The engine behind a runner failed in a way that ends the run."""


def unknown(kind: str, seen: str, known: Iterable[str], hint: str = "") -> UsageError:
    """The error for a name that does not exist, with the nearest names that do."""
    names = sorted(known)
    near = get_close_matches(seen, names, n=3, cutoff=0.5)
    message = f"unknown {kind} {seen!r}."
    if near:
        message += f" Did you mean {' or '.join(repr(name) for name in near)}?"
    message += f" Available: {', '.join(names)}." + (f" {hint}" if hint else "")
    return UsageError(message)
