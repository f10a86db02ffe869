"""Several run folders become one: the shards of machines that share no disk, copied together."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from lceval.errors import StoreError
from lceval.rows import Row, Run, RunInfo
from lceval.store import RunStore, differences, joined, load_run, replace_file


def merge_runs(runs: Sequence[Run], out: Path) -> int:
    """Put the answers of several runs into one folder; returns how many it did not have.

    A new folder appears as a whole or not at all. One that holds a run of the same setting keeps what it has. Of several answers to
    one question the first counts, and what failed gives way to an answer.

    Args:
        runs: at least one.
        out: a new folder, an empty one, or a run folder.

    Raises:
        StoreError: runs of different settings, by the field that differs; an `out` that is something else, or cannot be written.
    """
    there = load_run(out) if (out / "run.json").exists() else None
    if there is None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StoreError(f"{str(out)!r} is there already and is no run folder. Name a new folder with --out.")
    sources = [*([there] if there else []), *(run for run in runs if run.path.resolve() != out.resolve())]
    info = _one_info(sources)
    rows = _one_row_each(sources)
    if there:
        had = {id(row) for row in there.rows}
        rows = [row for row in rows if id(row) not in had]
        _write(out, info, rows, sources)
        return len(rows)
    scratch = out.with_name(f".merging-{out.name}")
    shutil.rmtree(scratch, ignore_errors=True)  # of a process that was killed
    try:
        _write(scratch, info, rows, sources)
        scratch.replace(out)
    except OSError as error:
        raise StoreError(f"cannot write the merged run {str(out)!r}: {error.strerror}. Name another folder with --out.") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return len(rows)


def _one_info(runs: Sequence[Run]) -> RunInfo:
    info = runs[0].info
    for run in runs[1:]:
        for name, first, this in differences(info, run.info):
            raise StoreError(
                f"{str(runs[0].path)!r} and {str(run.path)!r} hold answers of different settings: {name} is {first!r} in the one "
                f"and {this!r} in the other. They cannot be one run; 'lceval report' puts them side by side."
            )
        info = joined(info, run.info)
    return info


def _one_row_each(runs: Sequence[Run]) -> list[Row]:
    rows: dict[str, Row] = {}
    for run in runs:
        for row in run.rows:
            if row.sample_key not in rows or (row.answered and not rows[row.sample_key].answered):
                rows[row.sample_key] = row
    return list(rows.values())


def _write(folder: Path, info: RunInfo, rows: Sequence[Row], runs: Sequence[Run]) -> None:
    with RunStore.open(folder, info) as store:
        store.append(rows)
        store.begin(info)
        for file in (file for run in runs for file in sorted((run.path / "prompts").glob("*.json.gz"))):
            kept = folder / "prompts" / file.name
            if not kept.exists():
                kept.parent.mkdir(exist_ok=True)
                replace_file(kept, file.read_bytes())
