"""Runs spread over a real Ray on this machine: the same answers, workers that die, that dawdle, and that cannot load."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import lceval
from lceval import engine, registry
from lceval.config import RunConfig
from lceval.errors import ModelError, RunnerError, UsageError
from lceval.progress import NoProgress
from lceval.rows import Run

pytest.importorskip("ray")
pytestmark = pytest.mark.xdist_group("ray")

ODD = '''
import os, signal, time
from pathlib import Path
from lceval.errors import ModelError
from lceval.runners.control import ControlRunner
from lceval.tokens import Tokenizer
from lceval.types import Cell

class Odd(ControlRunner):
    """A control that misbehaves as its option `how` says; its processes meet in the option `folder`."""

    name = "odd"

    def __init__(self, model, options):
        super().__init__(model, {})
        self._given = options
        self.how, self.folder = options["how"], Path(options["folder"])

    @classmethod
    def tokenizer_of(cls, model, options):
        from transformers import PreTrainedTokenizerFast  # imported in a fifth of the time of AutoTokenizer

        return Tokenizer(PreTrainedTokenizerFast.from_pretrained(options["tokenizer"]))

    def __enter__(self):
        (self.folder / f"entered-{os.getpid()}").touch()
        if self.how == "refuse":
            raise ModelError("no weights here")
        if self.how == "die loading":
            os.kill(os.getpid(), signal.SIGKILL)
        return self

    def first(self, what):
        """Whether this process is the first to ask."""
        try:
            (self.folder / what).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def generate(self, prompts, *, share=True):
        slow = self.how == "dawdle" and self.first("slow")
        for i, pair in enumerate(super().generate(prompts, share=share)):
            if slow and i:
                while len(list(self.folder.glob("entered-*"))) < 2:
                    time.sleep(0.01)
                time.sleep(0.1)
            if self.how == "crawl":
                time.sleep(0.1)
            if self.how == "die once" and i == 3 and self.first("died"):
                os.kill(os.getpid(), signal.SIGKILL)
            if self.how == "die once" and i == 5 and self.first("failed"):
                raise RuntimeError("CUDA error: an illegal memory access was encountered")
            if self.how == "die of one" and (pair[0].sample.index, pair[0].sample.cell) == (1, Cell(512, 0.5)):
                time.sleep(0.3)  # for the rows on their way
                os.kill(os.getpid(), signal.SIGKILL)
            yield pair
'''


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that holds a package with the runner `odd`; workers find it too."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "odd.py").write_text(ODD)
    (folder / "odd-1.dist-info").mkdir()
    (folder / "odd-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1\n")
    (folder / "odd-1.dist-info" / "entry_points.txt").write_text("[lceval.runners]\nodd = odd:Odd\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        patch.syspath_prepend(folder)
        registry.names.cache_clear()
        yield folder
    registry.names.cache_clear()


@pytest.fixture(scope="module")
def machine(odd: Path) -> Iterator[None]:
    """A Ray of four cores. Runs use it, since their process has it already."""
    from lceval.workers import cluster

    with cluster(RunConfig.checked(tasks="niah", model="control:perfect", workers=4)):
        yield


class Notes(NoProgress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


Settings = dict[str, Any]


@pytest.fixture
def settings(tiny_model: Path, tmp_path: Path) -> Settings:
    return {
        "tasks": "niah",
        "model": str(tiny_model),
        "lengths": (256, 512),
        "depths": (0.0, 0.5, 1.0),
        "samples": 4,
        "out": tmp_path / "run",
    }


@pytest.fixture
def misbehaving(settings: Settings, tiny_model: Path, tmp_path: Path) -> Settings:
    """Two workers that misbehave as the option `how` says."""
    options = {"tokenizer": str(tiny_model), "folder": str(tmp_path), "how": ""}
    return settings | {"model": "control:perfect", "runner": "odd", "model_options": options, "workers": 2}


def execute(settings: Settings, how: str = "", **more: Any) -> tuple[Run, list[str]]:
    """A run without its report, and what was said."""
    settings = settings | more
    if how:
        settings["model_options"] = settings["model_options"] | {"how": how}
    config, progress = RunConfig.checked(**settings), Notes()
    engine.execute(config, engine.make_runner(config), progress, "test")
    return lceval.load_run(config.folder), progress.said


def answers(run: Run) -> dict[str, tuple[object, ...]]:
    """All of a run but who answered when."""
    return {row.sample_key: (row.planned_key, row.prompt_sha256, row.output, row.official, row.strict) for row in run.rows}


def stored(folder: Path) -> dict[str, list[str]]:
    """Sample keys as they lie in each file, repeats and all."""
    files = sorted(folder.glob("results-*.jsonl"))
    return {file.name: [json.loads(line)["sample_key"] for line in file.read_text().splitlines()] for file in files}


def count(folder: Path) -> int:
    return sum(map(len, stored(folder).values()))


def assert_each_once(run: Run) -> None:
    keys = Counter(key for file in stored(run.path).values() for key in file)
    assert len(keys) == len(run.planned) == sum(keys.values())
    assert run.coverage == 1


@pytest.mark.usefixtures("machine")
def test_two_workers_and_two_shards_answer_as_one_process_does(settings: Settings, tmp_path: Path) -> None:
    one, _ = execute(settings)
    two, said = execute(settings, out=tmp_path / "workers", workers=2)
    assert answers(two) == answers(one)
    assert_each_once(two)
    files = stored(two.path)
    assert sorted(files) == ["results-000.jsonl", "results-001.jsonl"]
    assert all(files.values())
    assert said == []
    assert two.info.fingerprint == one.info.fingerprint
    assert two.info.environment["workers"] == 2
    parts = [tmp_path / "shard-1", tmp_path / "shard-2"]
    for i, part in enumerate(parts, 1):
        execute(settings, out=part, shard=(i, 2))
    with pytest.warns(UserWarning, match="24 answers of 2 runs were put into"):
        merged = lceval.merge(parts, tmp_path / "merged")
    assert answers(merged) == answers(one)
    assert_each_once(merged)
    assert (merged.path / "report.html").exists()
    with pytest.warns(UserWarning, match="nothing to merge: .* has it all"):
        assert lceval.merge([two.path], merged.path).rows == merged.rows


@pytest.mark.usefixtures("machine")
def test_what_a_dead_worker_had_not_answered_is_answered_by_others(misbehaving: Settings) -> None:
    run, said = execute(misbehaving, "die once")
    assert_each_once(run)
    assert {row.strict for row in run.rows} == {1.0}
    assert len(said) == 2
    assert all("died and is replaced; what it had not answered is done again" in note for note in said)
    assert any("its worker process has died, pid " in note for note in said)
    assert any("RuntimeError: CUDA error: an illegal memory access" in note for note in said)


@pytest.mark.usefixtures("machine")
def test_what_a_slow_worker_has_not_begun_is_taken_over(misbehaving: Settings) -> None:
    """One group: the second worker has nothing to do but what the first one has left."""
    run, _ = execute(misbehaving, "dawdle", samples=1, depths=tuple(i / 10 for i in range(11)))
    assert_each_once(run)
    slow, quick = sorted(map(len, stored(run.path).values()))
    assert 1 <= slow < quick
    assert slow + quick == 22


@pytest.mark.usefixtures("machine")
def test_a_model_that_cannot_load_ends_the_run_and_nothing_is_recorded(misbehaving: Settings) -> None:
    with pytest.raises(ModelError, match=r"^no weights here$"):
        execute(misbehaving, "refuse")
    assert not (misbehaving["out"] / "run.json").exists()


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(
    ("how", "message", "answered"),
    [
        ("die loading", r"died: its worker process has died, pid .* run the same command again", 0),
        ("die of one", r"2 workers died of sample \w+, the last one of this: its worker process has died", 23),
    ],
)
def test_workers_that_always_die_end_the_run_with_the_cause(
    misbehaving: Settings, monkeypatch: pytest.MonkeyPatch, how: str, message: str, answered: int
) -> None:
    monkeypatch.setattr("lceval.workers.DEATHS", 2 if answered else 1)
    with pytest.raises(RunnerError, match=message):
        execute(misbehaving, how)
    assert count(misbehaving["out"]) == answered


@pytest.mark.usefixtures("machine")
def test_prompts_are_saved_prefixes_verified_and_shards_have_workers(misbehaving: Settings) -> None:
    run, said = execute(misbehaving, save_prompts=True, shard=(2, 2), cold=True, verify_prefix=4)
    assert said == ["prefix check: 4 of 4 prompts gave the same text when computed from nothing"]
    assert {file.name for file in (run.path / "prompts").iterdir()} == {f"{row.sample_key}.json.gz" for row in run.rows}
    assert len(run.rows) == count(run.path) == 12
    assert sorted(stored(run.path)) == ["results-001.jsonl", "results-003.jsonl"]


def test_what_others_answered_is_skipped_in_their_turn_only(settings: Settings) -> None:
    from lceval.planning import Plan
    from lceval.workers import Handed, Worker

    config = RunConfig.checked(**{**settings, "model": "control:perfect", "model_options": {"tokenizer": settings["model"]}})
    worker = Worker(config, ".")
    worker.introduce("lceval run")
    group = next(iter(Plan(config, worker._runner.tokenizer).groups))
    keys = next(worker.answer(1, group.task.name, group.samples, share=True))
    assert isinstance(keys, list)
    for key in keys[1:]:
        worker.skip(2, key)
    for turn, rows in ((1, len(keys)), (2, 1), (3, len(keys))):
        handed = [*worker.answer(turn, group.task.name, group.samples, share=True)]
        assert sum(isinstance(one, Handed) for one in handed) == rows


@pytest.mark.usefixtures("machine")
def test_more_workers_than_there_is_room_for_are_refused(misbehaving: Settings) -> None:
    with pytest.raises(UsageError, match=r"--workers 9: each takes 1 CPU core, and there is room for 4"):
        execute(misbehaving, workers=9)
    assert not misbehaving["out"].exists()


@pytest.mark.parametrize(
    ("asked", "options", "wanted"),
    [
        ({"workers": 2}, {}, (2, 1, 1)),
        ({"ray": "auto"}, {}, (8, 1, 1)),
        ({"ray": "auto"}, {"tensor_parallel": 2, "pipeline_parallel": 2}, (2, 4, 1)),
        ({"workers": 3, "ray": "auto"}, {"context_parallel": 4}, (3, 4, 1)),
        ({"workers": 2}, {"device": "balanced"}, (2, 4, 1)),
        ({"workers": 4}, {"device": "cpu"}, (4, 0, 8)),
        ({"workers": 4, "ray": "auto"}, {"device": "cpu"}, (4, 0, 1)),
    ],
)
def test_what_a_worker_takes_of_a_machine_with_eight_gpus(
    monkeypatch: pytest.MonkeyPatch, asked: Settings, options: dict[str, Any], wanted: tuple[int, int, int]
) -> None:
    from lceval import workers

    monkeypatch.setattr(workers.ray, "cluster_resources", lambda: {"GPU": 8.0, "CPU": 32.0})
    runner: Any = SimpleNamespace(control=False, options=SimpleNamespace(**options))
    notes: list[str] = []
    found, takes = workers.room(RunConfig.checked(tasks="niah", model="m", **asked), runner, notes.append)
    assert (found, takes["num_gpus"], takes["num_cpus"]) == wanted
    assert notes == (
        ["the cluster has room for 2 of 3 workers, each with 4 GPUs; the others begin when there is more"] * (found == 3)
    )
    with pytest.raises(UsageError, match=r"--workers 9: each takes 1 GPU, and there is room for 8"):
        workers.room(RunConfig.checked(tasks="niah", model="m", workers=9), SimpleNamespace(control=False), notes.append)  # type: ignore[arg-type]


def test_an_endpoint_takes_no_workers() -> None:
    config = RunConfig.checked(tasks="niah", model="m", runner="endpoint", workers=2)
    with pytest.raises(UsageError, match=r"Use -M concurrency=N"), engine.cluster(config):
        pass


@pytest.mark.usefixtures("odd")
def test_ctrl_c_stops_cleanly_and_the_run_goes_on_without_workers(misbehaving: Settings) -> None:
    out, options = misbehaving["out"], misbehaving["model_options"] | {"how": "crawl"}
    line = f"run niah --runner odd --model control:perfect --lengths 256,512 --depths 3 --samples 8 --out {out} --workers 2"
    pairs = [word for name, value in options.items() for word in ("-M", f"{name}={value}")]
    command = [sys.executable, "-m", "lceval", *line.split(), *pairs]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and count(out) < 5:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said, complaints = process.communicate(timeout=60)
    assert (process.returncode, complaints) == (130, "")
    assert said.startswith("starting 2 workers on Ray …\n")
    assert said.endswith(f"stopped; every answer so far is stored in {out}. The same command goes on from here.\n")
    before = count(out)
    assert 5 <= before < 48
    run, _ = execute(misbehaving, samples=8, workers=0)
    assert_each_once(run)


@pytest.mark.parametrize(
    ("address", "message"),
    [("nowhere.invalid:1", "there is no Ray cluster to join"), ("ray://head:10001", "run lceval on a machine of the cluster")],
)
def test_a_cluster_that_cannot_be_joined_is_told(address: str, message: str) -> None:
    from lceval.workers import joined_at

    with pytest.raises(UsageError, match=f"--ray '{address}': .*{message}"):
        joined_at(address)
