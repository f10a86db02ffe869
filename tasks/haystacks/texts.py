"""Haystacks that somebody else wrote: CPython's language reference, the user's files, a Hugging Face data set."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lceval.errors import CorpusError

BLOCK_CHARS = 1 << 15
_BREAKS = re.compile(r"\n+")


class _Text:
    """A finite text, read once; it starts over when a prompt is longer than it."""

    endless = False

    @property
    def name(self) -> str:
        """As the user writes it."""
        raise AssertionError

    @cached_property
    def text(self) -> str:
        """All of it."""
        raise AssertionError

    @cached_property
    def digest(self) -> str:
        """Sha256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:32]

    def blocks(self) -> Iterator[str]:
        """The text, cut where lines end."""
        start = 0
        while start < len(self.text):
            breaks = _BREAKS.search(self.text, start + BLOCK_CHARS)
            stop = breaks.end() if breaks else len(self.text)
            yield self.text[start:stop]
            start = stop


def _joined(texts: list[str], name: str) -> str:
    text = "\n\n".join(t.replace("\r\n", "\n").strip() for t in texts if t.strip())
    if not text:
        raise CorpusError(f"haystack {name!r} is empty: it has no text to hide a needle in.")
    return text + "\n\n"


class PyDocs(_Text):
    """The language reference that CPython ships for its `help()` (module `pydoc_data.topics`; Python licence)."""

    @property
    def name(self) -> str:  # noqa: D102
        return "pydocs"

    @cached_property
    def text(self) -> str:  # noqa: D102
        from pydoc_data.topics import topics

        return _joined([topics[name] for name in sorted(topics)], self.name)


@dataclass
class Files(_Text):
    """A text file, or all files in a folder and below it, in sorted order."""

    path: str

    @property
    def name(self) -> str:  # noqa: D102
        return f"path:{self.path}"

    @cached_property
    def text(self) -> str:  # noqa: D102
        root = Path(self.path).expanduser()
        if not root.exists():
            raise CorpusError(f"haystack {self.name!r}: there is no file or folder {str(root)!r}; check the path.")
        files = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file() and not _hidden(p, root))
        return _joined([_read(file) for file in files], self.name)


def _hidden(file: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(root).parts)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"haystack file {str(file)!r} is not UTF-8 text (byte {error.object[error.start]:#04x} at offset {error.start}). "
            f"Convert it, for example with 'iconv -f WINDOWS-1252 -t UTF-8', or leave it out of the folder."
        ) from None
    except OSError as error:
        raise CorpusError(f"cannot read haystack file {str(file)!r}: {error.strerror}.") from None


@dataclass
class Dataset(_Text):
    """A text column of a data set: a hub name, or a local folder or file that `datasets` can load.

    Args:
        spec: `DATASET[:config][:split][:column]`; an empty part means the default (the first split, the column `text`).
    """

    spec: str

    @property
    def name(self) -> str:  # noqa: D102
        return f"hf:{self.spec}"

    @cached_property
    def text(self) -> str:  # noqa: D102
        import datasets

        dataset, config, split, column = (*self.spec.split(":"), "", "", "")[:4]
        split, column = split or "train", column or "text"
        path = Path(dataset).expanduser()
        try:
            if path.is_file():
                kind = {".jsonl": "json", ".txt": "text"}.get(path.suffix, path.suffix[1:])
                rows = datasets.load_dataset(kind, data_files={split: str(path)}, split=split)
            else:
                rows = datasets.load_dataset(dataset, config or None, split=split)
        except Exception as error:
            raise CorpusError(
                f"haystack {self.name!r}: datasets could not load {dataset!r} (config {config or 'default'!r}, split {split!r}): "
                f"{error}. Write hf:DATASET[:config][:split][:column]."
            ) from error
        if column not in rows.column_names:
            raise CorpusError(
                f"haystack {self.name!r} has no column {column!r}; its columns are {', '.join(rows.column_names)}. "
                f"Name one: hf:{dataset}:{config}:{split}:COLUMN."
            )
        return _joined([str(text) for text in rows[column] if text], self.name)
