"""Rows of a benchmark's file: JSONL (plain or gzipped), a JSON list, Parquet, or a data set that `datasets` can load."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from lceval.errors import UsageError

SOURCE = "_source"
"""Added to every row: the last two parts of its file's name, or config and split. Often only this says which task a row is of."""

_FORMS = "a .jsonl, .jsonl.gz, .json or .parquet file, or hf:NAME[:config][:split]"


class Data(NamedTuple):
    """A file's or a data set's content."""

    rows: list[dict[str, Any]]
    """Each a dictionary of its columns and `SOURCE`."""
    digest: str
    """Sha256 of the file's bytes; of a data set its rows, which are the same on every machine, unlike its fingerprint."""


def load(data: str) -> Data:
    """All rows and their identity, in one reading. Nothing is kept: caches of what is made of it have `state` in their key.

    Args:
        data: path of a .jsonl, .jsonl.gz, .json (a list) or .parquet file, or `hf:NAME[:config][:split]`, where NAME is a hub
            name or a local folder and the split is train if none is named.

    Raises:
        UsageError: it is missing, unreadable, empty, or not made of rows.
    """
    if data.startswith("hf:"):
        found, source = _dataset(data)
        raw = json.dumps(found, sort_keys=True, default=str).encode()
    else:
        path = _file(data)
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise _unreadable(path, error) from None
        found, source = _parsed(path, raw), f"{path.absolute().parent.name}/{path.name.removesuffix('.gz').rpartition('.')[0]}"
    if not found:
        raise UsageError(f"data={data!r} is empty: it has no rows. Give {_FORMS} with at least one sample.")
    return Data([{**row, SOURCE: source} for row in found], hashlib.sha256(raw).hexdigest())


def state(data: str) -> tuple[object, ...]:
    """What is another one once the file was written anew: its place, time and size. A data set is taken to stay as it is.

    Raises:
        UsageError: it is missing.
    """
    if data.startswith("hf:"):
        return ()
    path = _file(data)
    found = path.stat()
    return path.absolute(), found.st_mtime_ns, found.st_size


def _file(data: str) -> Path:
    path = Path(data).expanduser()
    if not path.is_file():
        seen = "is a folder" if path.is_dir() else "does not exist"
        raise UsageError(f"data={data!r} {seen}; give {_FORMS}.")
    return path


def _unreadable(path: Path, reason: object) -> UsageError:
    return UsageError(f"cannot read data={str(path)!r}: {reason}. Give {_FORMS}.")


def _parsed(path: Path, raw: bytes) -> list[dict[str, Any]]:
    name = path.name.lower()
    try:
        if name.endswith(".parquet"):
            return _parquet(path, raw)
        if name.endswith((".jsonl", ".jsonl.gz")):
            text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode("utf-8-sig")
            return [_row(path, line, number) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        if name.endswith(".json"):
            found = json.loads(raw.decode("utf-8-sig"))
            if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
                raise _unreadable(path, f"a .json file must be a list of objects, and this is {_kind(found)}")
            return found
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"it is not UTF-8 text (byte {error.object[error.start]:#04x} at offset {error.start})") from None
    except json.JSONDecodeError as error:
        raise _unreadable(path, f"it is not JSON (line {error.lineno}, column {error.colno}: {error.msg})") from None
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from None
    raise _unreadable(path, f"the ending {path.suffix or 'none'!r} is not one of the known ones")


def _row(path: Path, line: str, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise _unreadable(path, f"line {number} is not JSON ({error.msg} at column {error.colno})") from None
    if not isinstance(row, dict):
        raise _unreadable(path, f"line {number} must be an object, and is {_kind(row)}")
    return row


def _kind(value: object) -> str:
    return (
        f"a list with {type(value[0]).__name__} in it" if isinstance(value, list) and value else f"of type {type(value).__name__}"
    )


def _parquet(path: Path, raw: bytes) -> list[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet
    from pyarrow.lib import ArrowException

    try:
        found: list[dict[str, Any]] = pyarrow.parquet.read_table(pyarrow.BufferReader(raw)).to_pylist()
    except ArrowException as error:
        raise _unreadable(path, error) from None
    return found


def _dataset(data: str) -> tuple[list[dict[str, Any]], str]:
    import datasets

    name, config, split = (*data.removeprefix("hf:").split(":"), "", "")[:3]
    split = split or "train"
    try:
        found = datasets.load_dataset(str(Path(name).expanduser()), config or None, split=split)
    except Exception as error:
        raise UsageError(
            f"data={data!r}: datasets could not load {name!r} (config {config or 'default'!r}, split {split!r}): {error}. "
            "Write hf:NAME[:config][:split]."
        ) from error
    return found.to_list(), f"{config or Path(name).name}/{split}"
