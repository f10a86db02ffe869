"""The run folder: the cache, the resume point and the record.

    runs/<name>/
      run.json             what was asked, what answered, where; written first
      results-000.jsonl    append-only, one JSON line per answered question, one file per worker
      run.lock             held while a process writes (advisory, released when the process ends, however it ends)

Everything else in the folder is derived and may be deleted.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Self

from pydantic import ValidationError

from lceval.errors import StoreError
from lceval.rows import Grid, Row, Run, RunInfo

FSYNC_EVERY_S = 0.1


class RunStore:
    """The writing side of a run folder; one process at a time writes one file.

    Use `RunStore.open`, then `begin` before the first `append`. `done` are the sample keys that need no work.
    """

    def __init__(self, path: Path, files: Sequence[IO[bytes]], held: ExitStack, done: set[str]) -> None:
        self.path = path
        self.done = done
        self._files = files
        self._held = held
        self._good = [os.fstat(file.fileno()).st_size for file in files]
        self._synced = time.monotonic()

    @classmethod
    def open(cls, path: Path, info: RunInfo, *, shard: tuple[int, int] = (1, 1), workers: int = 1) -> Self:
        """Make or reopen a run folder for writing, and hold it. What was asked is recorded by `begin`.

        Args:
            path: the folder.
            info: what this command asks for; refused where the folder holds something else.
            shard: (i, n), i from 1: this process writes the i-th of every n files; other shards may write beside it.
            workers: how many files it writes, one for each worker: `results-{i-1}.jsonl`, `results-{i-1+n}.jsonl`, …

        Raises:
            StoreError: unwritable, held by another process, of another fingerprint, or damaged.
        """
        names = [path / f"results-{shard[0] - 1 + worker * shard[1]:03d}.jsonl" for worker in range(workers)]
        with ExitStack() as held:
            try:
                path.mkdir(parents=True, exist_ok=True)
                held.enter_context(_locked(path / "run.lock", shared=shard[1] > 1))
                files = [held.enter_context(name.open("ab", buffering=0)) for name in names]
                for file, name in zip(files, names, strict=True):
                    _flock(file.fileno(), shared=False, folder=path)
                    _drop_torn_line(file.fileno(), name)
            except OSError as error:
                raise StoreError(
                    f"cannot write the run folder {str(path)!r}: {error.strerror}. Name another with --out."
                ) from error
            if (path / "run.json").exists():
                _same_run(path, read_info(path), info)
            done = answered_keys(path)
            return cls(path, files, held.pop_all(), done)

    def begin(self, info: RunInfo) -> None:
        """Write `run.json`, or add this command and its grids to the one there.

        Raises:
            StoreError: as `open`.
        """
        try:
            _merge_info(self.path, info)
        except OSError as error:
            raise StoreError(f"cannot write run.json in {str(self.path)!r}: {error.strerror}. Nothing stored was lost.") from error

    def append(self, rows: Iterable[Row], worker: int = 0) -> None:
        """Store rows: written before this returns, so that a killed process loses none.

        They are also forced to the disk, against a power failure, unless that was done less than a tenth of a second ago.

        Args:
            rows: the rows.
            worker: whose file they go to, from 0.

        Raises:
            StoreError: the disk is full or failing; all rows stored before stay whole.
        """
        file = self._files[worker]
        data = b"".join(row.model_dump_json().encode() + b"\n" for row in rows)
        try:
            _write_all(file.fileno(), data)
            if time.monotonic() - self._synced > FSYNC_EVERY_S:
                self.sync()
        except OSError as error:
            os.ftruncate(file.fileno(), self._good[worker])
            reason = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror
            raise StoreError(
                f"cannot store a row in {file.name}: {reason}. Every row stored before is whole; make room and run the same "
                "command again to go on from here."
            ) from error
        self._good[worker] += len(data)

    def sync(self) -> None:
        """Wait until all rows are on the disk."""
        for file in self._files:
            os.fsync(file.fileno())
        self._synced = time.monotonic()

    def close(self) -> None:
        """Flush and let other processes in."""
        if not self._files[0].closed:
            self.sync()
            self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def load_run(path: str | Path) -> Run:
    """Read a run folder.

    Raises:
        StoreError: not a run folder, or a damaged file.
    """
    path = Path(path)
    return Run(path, read_info(path), read_rows(path))


def read_info(path: Path) -> RunInfo:
    """`run.json` of a folder."""
    file = path / "run.json"
    try:
        return RunInfo.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise StoreError(f"{str(path)!r} is not a run folder: it has no run.json. Name a folder that 'lceval run' made.") from None
    except OSError as error:
        raise StoreError(f"cannot read {str(file)!r}: {error.strerror}.") from None
    except ValidationError as error:
        raise StoreError(f"{str(file)!r} is damaged or of another version of lceval: {error.errors()[0]['msg']}.") from None


def read_rows(path: Path) -> list[Row]:
    """All rows of a folder, one for each key.

    A torn last line (a process killed while writing) is left out. A row that failed gives way to a later one with its key; two
    answers to one key (shards that overlapped) count once, the first.

    Raises:
        StoreError: any other line that is not a row, with file and line.
    """
    rows: dict[str, Row] = {}
    for row in _all_rows(path):
        held = rows.get(row.sample_key)
        if held is None or not held.answered:
            rows[row.sample_key] = row
    return list(rows.values())


def answered_keys(path: Path) -> set[str]:
    """The sample keys of a folder that need no work; holds no row longer than it must.

    Raises:
        StoreError: as `read_rows`.
    """
    return {row.sample_key for row in _all_rows(path) if row.answered}


def _all_rows(path: Path) -> Iterator[Row]:
    for file in sorted(path.glob("results-*.jsonl")):
        yield from _rows_of(file)


def rewrite_rows(path: Path, change: Callable[[Row], Row]) -> int:
    """Replace every row by `change(row)`, file by file and each in one step; returns how many differ.

    Raises:
        StoreError: not a run folder, damaged, held by a process that writes, or unwritable.
    """
    read_info(path)
    changed = 0
    try:
        with _locked(path / "run.lock", shared=False):
            for file in sorted(path.glob("results-*.jsonl")):
                old = list(_rows_of(file))
                new = [change(row) for row in old]
                changed += sum(a != b for a, b in zip(old, new, strict=True))
                replace_file(file, b"".join(row.model_dump_json().encode() + b"\n" for row in new))
    except OSError as error:
        raise StoreError(f"cannot rewrite the rows in {str(path)!r}: {error.strerror}. Nothing stored was lost.") from error
    return changed


def _rows_of(file: Path) -> Iterator[Row]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                row = Row.model_validate_json(line)
                row.model_fields_set.clear()  # two kilobytes a row, which nobody asks for
                yield row
            except ValidationError as error:
                problem = error.errors()[0]
                raise StoreError(
                    f"{str(file)!r} is damaged in line {number}: {problem['msg']} "
                    f"({'.'.join(map(str, problem['loc'])) or 'the line'}). "
                    "Nothing was changed. Restore the file, or delete that line and run the same command again to compute it anew."
                ) from None


def _drop_torn_line(fd: int, file: Path) -> None:
    """Cut a file back to its last line break: what follows it was being written when a process died."""
    size = end = os.fstat(fd).st_size
    with file.open("rb") as data:
        while end:
            start = max(0, end - 65536)
            data.seek(start)
            newline = data.read(end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
    if end < size:
        os.ftruncate(fd, end)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _merge_info(path: Path, info: RunInfo) -> None:
    """Write `run.json`, or add this command to the one there. One process at a time: the folder itself is the lock."""
    folder = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        file = path / "run.json"
        if file.exists():
            stored = read_info(path)
            _same_run(path, stored, info)
            info = joined(stored, info)
        replace_file(file, info.model_dump_json(indent=2).encode() + b"\n")
        os.fsync(folder)
    finally:
        os.close(folder)


def joined(stored: RunInfo, new: RunInfo) -> RunInfo:
    """What is recorded of a run that goes on: all its grids and commands, and where it went on."""
    grids = stored.grids + [grid for grid in new.grids if grid not in stored.grids]
    commands = stored.commands + [command for command in new.commands if command not in stored.commands]
    forecast = new.forecast or stored.forecast
    return stored.model_copy(update={"grids": grids, "commands": commands, "environment": new.environment, "forecast": forecast})


def differences(one: RunInfo, other: RunInfo) -> list[tuple[str, object, object]]:
    """Why answers of two runs must not be mixed: other settings, another haystack under one name, another version of a task.

    Returns:
        The name of each thing that differs, and its value in either.
    """
    fields = sorted({*one.fingerprint, *other.fingerprint})
    compared = [(field, one.fingerprint.get(field), other.fingerprint.get(field)) for field in fields]
    return [(name, ours, theirs) for name, ours, theirs in compared if ours != theirs] + text_differences(one.grids, other.grids)


def text_differences(one: Sequence[Grid], other: Sequence[Grid]) -> list[tuple[str, object, object]]:
    """Where two plans name the same samples and mean others: another haystack under one name, another version of a task.

    Returns:
        The name of each thing that differs, and its value in either.
    """
    compared: list[tuple[str, object, object]] = []
    for ours in one:
        for theirs in other:
            if (ours.task, ours.params, ours.seed) == (theirs.task, theirs.params, theirs.seed):
                compared.append((f"the text of the haystack of {ours.task}", ours.haystack_digest, theirs.haystack_digest))
                compared.append((f"the version of the task {ours.task}", ours.version, theirs.version))
    return [(name, ours, theirs) for name, ours, theirs in compared if ours != theirs]


def _same_run(path: Path, stored: RunInfo, new: RunInfo) -> None:
    for field, was, now in differences(stored, new):
        raise StoreError(
            f"the run folder {str(path)!r} holds answers of another setting: {field} was {was!r} and is now {now!r}. "
            "Answers of both would be mixed; write this run elsewhere with --out DIR."
        )


def replace_file(file: Path, data: bytes) -> None:
    """Give a file new contents, as a whole or not at all."""
    scratch = file.with_name(f".{file.name}.tmp")
    with scratch.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    scratch.replace(file)


@contextmanager
def _locked(file: Path, *, shared: bool) -> Iterator[None]:
    """Hold a lock file; the kernel lets go of it when the process ends, however it ends."""
    with file.open("ab") as handle:
        _flock(handle.fileno(), shared=shared, folder=file.parent)
        yield


def _flock(fd: int, *, shared: bool, folder: Path) -> None:
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StoreError(
            f"another process is writing to the run folder {str(folder)!r}. Wait for it, name another folder with --out, or split "
            "the work with --shard 1/2 and --shard 2/2."
        ) from None
