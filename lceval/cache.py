"""The user's cache: converted models and tokenized corpora. Everything in it can be made again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lceval.errors import UsageError


def cache_dir() -> Path:
    """The cache folder: `LCEVAL_CACHE`, or the platform's place for user caches."""
    import platformdirs

    override = os.environ.get("LCEVAL_CACHE")
    folder = Path(override).expanduser() if override else Path(platformdirs.user_cache_dir("lceval"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot make the cache folder {folder}: {error.strerror}. Set LCEVAL_CACHE to a folder you can write."
        ) from error
    return folder


@contextmanager
def lock(entry: Path) -> Iterator[None]:
    """Hold the lock of one cache entry, so that two processes make it once. Released when the process ends, however it ends."""
    from filelock import FileLock

    locks = cache_dir() / "locks"
    locks.mkdir(exist_ok=True)
    with FileLock(locks / f"{entry.name}.lock"):
        yield
