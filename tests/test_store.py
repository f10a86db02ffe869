"""The run folder: what it keeps through crashes, damage, full disks and a second writer."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import resource
from pathlib import Path

import pytest

from lceval import store
from lceval.errors import StoreError
from lceval.rows import Grid, Row, RunInfo
from lceval.store import RunStore, load_run, read_rows, rewrite_rows


def row(key: str, **changes: object) -> Row:
    values: dict[str, object] = {
        "task": "niah", "params": {}, "model": "m", "variant": "", "runner": "hf", "length": 1024, "depth": 0.5, "index": 0,
        "question": 0, "seed": 0, "sample_key": key, "pair_key": "p", "prompt_sha256": "0" * 64, "prompt_tokens": 988,
        "reserved_tokens": 36, "cached_tokens": 0, "new_tokens": 9, "needle_tokens": [(500, 518)], "needle_depths": [0.49],
        "answers": ["1234567"], "output": " 1234567.", "outcome": "ok", "finish_reason": "eos", "official": 1.0, "strict": 1.0,
        "prefill_s": 1.0, "decode_s": 0.1,
    }  # fmt: skip
    return Row.model_validate(values | changes)


def info(**fingerprint: object) -> RunInfo:
    return RunInfo(lceval="0", created="now", model="m", runner="hf", fingerprint={"dtype": "float32"} | fingerprint)


def fill(path: Path, *keys: str, **changes: object) -> Path:
    with RunStore.open(path, info()) as opened:
        opened.begin(info())
        opened.append(row(key, **changes) for key in keys)
    return path / "results-000.jsonl"


def keys(path: Path) -> list[str]:
    return [r.sample_key for r in read_rows(path)]


def test_rows_come_back_as_they_went_in(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b")
    assert read_rows(tmp_path) == [row("a"), row("b")]
    assert load_run(tmp_path).info.fingerprint == {"dtype": "float32"}
    assert load_run(tmp_path).frame.loc[1, "sample_key"] == "b"


def test_a_row_is_in_the_file_when_append_returns(tmp_path: Path) -> None:
    with RunStore.open(tmp_path, info()) as opened:
        opened.append([row("a")])
        assert keys(tmp_path) == ["a"]


def test_answered_rows_are_done_and_failed_ones_are_not(tmp_path: Path) -> None:
    fill(tmp_path, "a")
    fill(tmp_path, "b", outcome="error", official=None, strict=None)
    fill(tmp_path, "c", outcome="truncated")
    with RunStore.open(tmp_path, info()) as opened:
        assert opened.done == {"a", "c"}


def test_a_later_answer_replaces_an_error_and_nothing_else(tmp_path: Path) -> None:
    fill(tmp_path, "a", outcome="error", official=None, strict=None)
    fill(tmp_path, "a", output="first")
    fill(tmp_path, "a", output="second")
    assert [r.output for r in read_rows(tmp_path)] == ["first"]


@pytest.mark.parametrize("torn", [b'{"task":"ni', row("z").model_dump_json().encode()])
def test_a_torn_last_line_is_dropped_and_writing_goes_on(tmp_path: Path, torn: bytes) -> None:
    file = fill(tmp_path, "a")
    with file.open("ab") as out:
        out.write(torn)
    assert keys(tmp_path) == ["a"]
    fill(tmp_path, "b")
    assert keys(tmp_path) == ["a", "b"]
    assert file.read_bytes().count(b"\n") == 2


def test_a_torn_first_line_leaves_an_empty_file(tmp_path: Path) -> None:
    file = fill(tmp_path)
    file.write_bytes(b"x" * 200_000)
    fill(tmp_path, "a")
    assert keys(tmp_path) == ["a"]


@pytest.mark.parametrize("damage", [b"not json", b'{"task": "niah"}', b'{"task": \x00\x00}'])
def test_damage_in_the_middle_names_file_and_line_and_changes_nothing(tmp_path: Path, damage: bytes) -> None:
    file = fill(tmp_path, "a", "b", "c")
    lines = file.read_bytes().split(b"\n")
    lines[1] = damage
    file.write_bytes(b"\n".join(lines))
    before = file.read_bytes()
    for act in (lambda: read_rows(tmp_path), lambda: RunStore.open(tmp_path, info()), lambda: rewrite_rows(tmp_path, lambda r: r)):
        with pytest.raises(StoreError, match=r"results-000\.jsonl' is damaged in line 2") as caught:
            act()
        assert "delete that line" in str(caught.value)
    assert file.read_bytes() == before


def test_another_fingerprint_is_refused_by_the_field_that_differs(tmp_path: Path) -> None:
    fill(tmp_path, "a")
    with pytest.raises(StoreError, match=r"dtype was 'float32' and is now 'bfloat16'.*--out"):
        RunStore.open(tmp_path, info(dtype="bfloat16"))
    with pytest.raises(StoreError, match="variant was None"):
        RunStore.open(tmp_path, info(variant="yarn(4)"))
    assert keys(tmp_path) == ["a"]
    fill(tmp_path, "b")  # the refusal let go of the locks


def test_widening_a_run_adds_its_grid_and_command_once(tmp_path: Path) -> None:
    def grid(*lengths: int) -> Grid:
        return Grid(task="niah", params={}, seed=0, lengths=list(lengths), depths=[0.0, 1.0], samples=2)

    for lengths, command in (((1024,), "first"), ((1024, 2048), "second"), ((1024,), "first")):
        made = info().model_copy(update={"grids": [grid(*lengths)], "commands": [command]})
        with RunStore.open(tmp_path, made) as opened:
            opened.begin(made)
    run = load_run(tmp_path)
    assert run.info.commands == ["first", "second"]
    assert len(run.planned) == 2 * 2 * 2


def test_another_text_of_one_haystack_or_version_of_one_task_is_refused(tmp_path: Path) -> None:
    def asked(**changes: object) -> RunInfo:
        grid = {"task": "niah", "params": {}, "seed": 0, "lengths": [512], "depths": [0.5], "samples": 1, "haystack_digest": "a"}
        return info().model_copy(update={"grids": [Grid.model_validate(grid | changes)]})

    with RunStore.open(tmp_path, asked()) as opened:
        opened.begin(asked())
    for changes, message in (
        ({"haystack_digest": "b"}, "the text of the haystack of niah"),
        ({"version": 2}, "the version of the task niah"),
    ):
        with pytest.raises(StoreError, match=message):
            RunStore.open(tmp_path, asked(**changes))
    RunStore.open(tmp_path, asked(haystack_digest="b", seed=1)).close()


def test_a_refused_command_leaves_no_trace_in_run_json(tmp_path: Path) -> None:
    fill(tmp_path, "a")
    before = (tmp_path / "run.json").read_bytes()
    RunStore.open(tmp_path, info().model_copy(update={"commands": ["never begun"]})).close()
    assert (tmp_path / "run.json").read_bytes() == before


def test_a_second_writer_is_refused_and_a_shard_is_not(tmp_path: Path) -> None:
    with RunStore.open(tmp_path, info()):
        for shard in ((1, 1), (2, 2)):
            with pytest.raises(StoreError, match="another process is writing"):
                RunStore.open(tmp_path, info(), shard=shard)
    with RunStore.open(tmp_path, info(), shard=(1, 2)) as one, RunStore.open(tmp_path, info(), shard=(2, 2)) as two:
        one.append([row("a")])
        two.append([row("b")])
        with pytest.raises(StoreError, match="another process is writing"):
            RunStore.open(tmp_path, info(), shard=(2, 2))
    assert sorted(file.name for file in tmp_path.glob("results-*")) == ["results-000.jsonl", "results-001.jsonl"]
    assert keys(tmp_path) == ["a", "b"]


def test_reading_needs_no_lock(tmp_path: Path) -> None:
    with RunStore.open(tmp_path, info()) as opened:
        opened.begin(info())
        opened.append([row("a")])
        assert len(load_run(tmp_path).rows) == 1


def test_an_unwritable_folder_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    with pytest.raises(StoreError, match=r"cannot write the run folder .*Name another with --out"):
        RunStore.open(file / "run", info())


def test_what_is_no_run_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"is not a run folder: it has no run\.json"):
        load_run(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({"some": "thing"}))
    with pytest.raises(StoreError, match=r"run\.json' is damaged"):
        load_run(tmp_path)


def _write_under_limit(path: Path, limit: int, result: multiprocessing.Queue) -> None:  # type: ignore[type-arg]
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    opened = RunStore.open(path, info())
    written = 0
    try:
        while True:
            opened.append([row(f"key-{written}")])
            written += 1
    except StoreError as error:
        result.put((written, str(error)))


def test_rows_survive_a_file_that_cannot_grow(tmp_path: Path) -> None:
    """The kernel itself cuts the write in the middle of a row, as a full disk does."""
    limit = 10 * len(row("key-0").model_dump_json()) + 200
    result: multiprocessing.Queue[tuple[int, str]] = multiprocessing.get_context("spawn").Queue()
    process = multiprocessing.get_context("spawn").Process(target=_write_under_limit, args=(tmp_path, limit, result))
    process.start()
    written, message = result.get(timeout=60)
    process.join()
    assert "Every row stored before is whole" in message
    assert keys(tmp_path) == [f"key-{i}" for i in range(written)]
    assert (tmp_path / "results-000.jsonl").read_bytes().endswith(b"\n")
    fill(tmp_path, "later")
    assert keys(tmp_path)[-1] == "later"


def test_a_full_disk_is_called_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RunStore.open(tmp_path, info()) as opened:
        opened.append([row("a")])

        def full(fd: int, data: bytes) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(store.os, "write", full)
            with pytest.raises(StoreError, match="the disk is full"):
                opened.append([row("b")])
        opened.append([row("c")])
    assert keys(tmp_path) == ["a", "c"]


def test_rewriting_changes_rows_in_place_and_counts_them(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b")
    changed = rewrite_rows(tmp_path, lambda r: r.model_copy(update={"strict": 0.5}) if r.sample_key == "b" else r)
    assert changed == 1
    assert [r.strict for r in read_rows(tmp_path)] == [1.0, 0.5]
    with RunStore.open(tmp_path, info()), pytest.raises(StoreError, match="another process"):
        rewrite_rows(tmp_path, lambda r: r)
