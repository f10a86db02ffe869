"""Comparing with a baseline: verdicts, exit codes and what is written, on runs of controls and runs made of thin air."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from junitparser import Error, Failure, JUnitXml

import lceval
from lceval import cli, engine
from lceval.baselines import Baseline, load_baseline
from lceval.config import RunConfig
from lceval.errors import StoreError, UsageError
from lceval.progress import NoProgress
from lceval.rows import Run
from tests.reports.factory import make_run

ROOT = Path(__file__).parent.parent
WIDE = "--margin 0.05 --stratum-margin 0.06"
"""Margins that thirty samples of three depths and two lengths can decide."""


def call(line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    """`lceval …` -> (exit code, stdout, stderr), in this process."""
    monkeypatch.setattr(sys, "argv", ["lceval", *line.split()])
    monkeypatch.setenv("COLUMNS", "120")
    try:
        cli.main()
        code = 0
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, *capsys.readouterr()


@pytest.fixture
def command(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`command("gate …")`, with no summary of GitHub's around."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return lambda line: call(line, capsys, monkeypatch)


@pytest.fixture(scope="module")
def runs(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs of controls, and the baseline of a perfect one."""
    folder = tmp_path_factory.mktemp("gate")

    def control(name: str, model: str, samples: int = 30) -> None:
        config = RunConfig.checked(
            tasks="niah",
            model=f"control:{model}",
            model_options={"tokenizer": str(tiny_model)},
            lengths="256,512",
            depths="3",
            samples=samples,
            out=folder / name,
        )
        engine.execute(config, engine.make_runner(config), NoProgress(), "")

    control("perfect", "perfect")
    control("window", "window=200")
    control("few", "perfect", samples=3)
    lceval.baseline(folder / "perfect", folder / "main.json")
    return folder


class TestEndToEnd:
    def test_a_run_passes_against_itself(self, command: Any, runs: Path) -> None:
        code, out, _ = command(f"gate {runs}/perfect --baseline {runs}/main.json {WIDE}")
        assert code == 0
        assert out.splitlines()[-1].startswith("pass: ")
        assert out.count(" pass") == 3

    def test_a_window_is_a_regression_where_it_hides_the_needle(self, command: Any, runs: Path, tmp_path: Path) -> None:
        code, out, _ = command(
            f"gate {runs}/window --baseline {runs}/main.json {WIDE} --junit {tmp_path}/j.xml --json {tmp_path}/j.json"
        )
        assert code == 1
        assert out.splitlines()[-1].startswith("regression: ")
        assert "control: 'perfect' → 'window'" in out
        cases = {case.name: case for suite in JUnitXml.fromfile(str(tmp_path / "j.xml")) for case in suite}
        assert set(cases) == {"niah 256", "niah 512", "all answers"}
        assert [type(result) for result in cases["niah 512"].result] == [Failure]
        assert "60 lost" in cases["niah 512"].result[0].message
        record = json.loads((tmp_path / "j.json").read_text())
        assert (record["verdict"], record["exit_code"]) == ("regression", 1)
        lost = {part["length"]: part["losses"] for part in record["judged"]}
        assert lost[512] == 60
        assert lost[None] == lost[256] + lost[512]

    def test_three_samples_are_inconclusive(self, command: Any, runs: Path, tmp_path: Path) -> None:
        code, out, _ = command(f"gate {runs}/few --baseline {runs}/main.json {WIDE} --power --junit {tmp_path}/j.xml")
        assert code == 3
        assert out.splitlines()[-1].startswith("inconclusive: ")
        rows = [line.split() for line in out.splitlines() if line.startswith("niah") and "0%" in line]
        assert len(rows) == 2
        assert all(10 < int(row[-1]) <= 60 for row in rows), "samples that would decide"
        suite = JUnitXml.fromfile(str(tmp_path / "j.xml"))
        assert (suite.failures, suite.errors) == (0, 3)
        assert {type(case.result[0]) for part in suite for case in part} == {Error}

    def test_markdown_goes_to_the_summary_of_github(self, command: Any, runs: Path, tmp_path: Path, monkeypatch: Any) -> None:
        line = f"gate {runs}/window --baseline {runs}/main.json {WIDE} --markdown"
        code, printed, _ = command(line)
        assert (code, printed.splitlines()[0]) == (1, "## ❌ lceval gate: regression")
        summary = tmp_path / "summary.md"
        summary.write_text("before\n")
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
        code, out, _ = command(line)
        assert code == 1
        assert summary.read_text() == "before\n" + printed
        assert "##" not in out
        table = [row for row in printed.splitlines() if row.startswith("| niah | 512 |")]
        assert table
        assert table[0].endswith("| regression |")

    def test_floors_alone(self, command: Any, runs: Path) -> None:
        window, perfect = (f"gate {runs}/{name} --min-score niah=" for name in ("window", "perfect"))
        assert command(perfect + "0.8@512 --min-score niah=0.8 --min-effective-length 512")[0] == 0
        code, out, _ = command(window + "0.8@512 --min-effective-length 256")
        assert code == 1
        assert "niah at 512: score at least 0.8: 0.33" in out
        assert command(perfect + "0.99@512")[0] == 3

    def test_the_script_of_the_action(self, runs: Path, tmp_path: Path) -> None:
        """As the composite action runs it, on answers that are there already: a baseline, a regression, three samples, a typo."""
        shim = tmp_path / "bin" / "lceval"
        shim.parent.mkdir()
        shim.write_text(f'#!/bin/sh\n[ "$1" = run ] && echo "$@" && exit\nexec "{sys.executable}" -m lceval "$@"\n')
        shim.chmod(0o755)
        (tmp_path / "bin" / "python").symlink_to(sys.executable)
        files = {"BASELINE": "base.json", "JUNIT": "gate.xml", "JSON": "gate.json", "GITHUB_OUTPUT": "output"}
        given = {
            "PATH": f"{shim.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
            **{name: str(tmp_path / file) for name, file in files.items()},
            "TASKS": "niah kv",
            "RUN_OPTIONS": "--variant window(200) --samples 30",
            "GATE_OPTIONS": WIDE,
        }

        def act(mode: str, out: Path, **more: str) -> subprocess.CompletedProcess[str]:
            env = {**os.environ, **given, "MODE": mode, "MODEL": "path/to/my model", "OUT": str(out), **more}
            return subprocess.run(["bash", ROOT / ".ci" / "gate"], env=env, capture_output=True, text=True, check=False)

        done = act("baseline", runs / "perfect")
        assert done.returncode == 0, done.stderr
        asked = f"run niah kv --model path/to/my model --out {runs}/perfect --variant window(200) --samples 30"
        assert done.stdout.splitlines()[0] == asked
        assert (tmp_path / "base.json").read_bytes() == (runs / "main.json").read_bytes()
        done = act("gate", runs / "window")
        assert done.returncode == 1, done.stderr
        assert (tmp_path / "output").read_text() == "verdict=regression\n"
        assert "lceval gate: regression" in (tmp_path / "summary.md").read_text()
        assert JUnitXml.fromfile(str(tmp_path / "gate.xml")).failures == 2
        done = act("gate", runs / "few", ALLOW_INCONCLUSIVE="true")
        assert (done.returncode, "::warning" in done.stdout) == (0, True), done.stderr
        done = act("gates", runs / "few")
        assert (done.returncode, done.stderr) == (2, "error: mode is 'gates'; it is gate or baseline.\n")

    def test_the_action_hands_every_input_to_its_script(self) -> None:
        action = yaml.safe_load((ROOT / "action.yml").read_text())
        step = action["runs"]["steps"][-1]
        assert {f"${{{{ inputs.{name} }}}}" for name in action["inputs"]} == set(step["env"].values())
        script = (ROOT / ".ci" / "gate").read_text()
        assert all(f"${name}" in script or f"${{{name}:-" in script for name in step["env"])
        example = yaml.safe_load((ROOT / "examples" / "gate.yml").read_text())
        used = [step for job in example["jobs"].values() for step in job["steps"] if "lceval@" in step.get("uses", "")]
        assert len(used) == 2
        assert all(set(step["with"]) <= set(action["inputs"]) for step in used)


def thin(path: Path, changed: dict[tuple[int, float | None, int], float] | None = None, **info: Any) -> Run:
    """A run of thirty samples where all is right, but for what is changed."""
    return make_run(path, lambda *cell: (changed or {}).get(cell, 1.0), samples=30, **info)


def gated(base: Run, run: Run, **limits: Any) -> Any:
    return lceval.gate(run, Baseline.of(base), **{"margin": 0.05, "stratum_margin": 0.06} | limits)


class TestVerdicts:
    def test_missing_answers_cannot_pass(self, tmp_path: Path) -> None:
        run = make_run(tmp_path, lambda length, depth, index: None if (length, depth, index) == (4096, 0.5, 3) else 1.0, samples=30)
        gate = gated(thin(tmp_path), run)
        assert (gate.verdict, gate.exit_code) == ("inconclusive", 3)
        assert gate.incomplete == ("1 of 270 planned answers are missing",)
        assert {part.verdict for part in gate.judged} == {"pass"}

    def test_failed_answers_cannot_pass(self, tmp_path: Path) -> None:
        run = make_run(tmp_path, lambda length, depth, index: "error" if (length, index) == (4096, 3) else 1.0, samples=30)
        assert gated(thin(tmp_path), run).verdict == "inconclusive"

    def test_a_length_that_was_left_out_cannot_pass(self, tmp_path: Path) -> None:
        gate = gated(thin(tmp_path), thin(tmp_path, lengths=(4096, 8192)))
        assert gate.exit_code == 3
        assert gate.incomplete == ("niah at 16k is in the baseline and not in the run",)

    def test_new_lengths_are_not_judged(self, tmp_path: Path) -> None:
        gate = gated(thin(tmp_path, lengths=(4096, 8192)), thin(tmp_path))
        assert gate.exit_code == 0
        assert [stratum.length for stratum in gate.unknown] == [16384]

    def test_a_regression_is_one_even_in_an_incomplete_run(self, tmp_path: Path) -> None:
        run = make_run(tmp_path, lambda length, depth, index: None if index == 29 else float(length < 16384), samples=30)
        gate = gated(thin(tmp_path), run)
        assert gate.exit_code == 1
        assert {part.stratum.length: part.verdict for part in gate.judged if part.stratum}[16384] == "regression"

    @pytest.mark.parametrize("field", ["tokenizer", "chat_template", "composition"])
    def test_other_prompts_are_not_comparable(self, tmp_path: Path, field: str) -> None:
        gate = gated(
            thin(tmp_path, fingerprint={field: "a", "weights": "x"}), thin(tmp_path, fingerprint={field: "b", "weights": "y"})
        )
        assert (gate.verdict, gate.exit_code, gate.judged) == ("not comparable", 3, ())
        assert field in gate.incomparable

    def test_other_weights_variants_and_engines_are_what_a_gate_is_for(self, tmp_path: Path) -> None:
        base = thin(tmp_path, fingerprint={"weights": "x", "variant": "", "runner": "hf", "dtype": "bfloat16"})
        run = thin(tmp_path, fingerprint={"weights": "y", "variant": "yarn(4)", "runner": "vllm", "dtype": "float16"})
        gate = gated(base, run)
        assert gate.verdict == "pass"
        assert gate.changed["weights"] == ("x", "y")

    def test_another_haystack_or_seed_is_not_comparable(self, tmp_path: Path) -> None:
        base = thin(tmp_path)
        other = thin(tmp_path)
        other.info.grids[0] = other.info.grids[0].model_copy(update={"haystack_digest": "other"})
        assert "the text of the haystack of niah was '' and is now 'other'" in gated(base, other).incomparable
        moved = thin(tmp_path)
        moved.rows[:] = [row.model_copy(update={"pair_key": f"{row.pair_key}-x", "seed": 1}) for row in moved.rows]
        moved.info.grids[0] = moved.info.grids[0].model_copy(update={"seed": 1})
        gate = gated(base, moved)
        assert gate.exit_code == 3
        assert "their seed differs: 0 and 1" in gate.incomparable

    def test_a_small_drop_that_is_certain_passes(self, tmp_path: Path) -> None:
        """Significant and within the margin: tolerated is tolerated."""
        lost = dict.fromkeys(((length, 0.5, index) for length in (4096, 8192, 16384) for index in range(10)), 0.0)
        gate = gated(thin(tmp_path), thin(tmp_path, lost), margin=0.3, stratum_margin=0.3)
        assert gate.judged[-1].p < 0.05
        assert gate.verdict == "pass"

    def test_log_probabilities_tell_what_scores_do_not(self, tmp_path: Path) -> None:
        def with_logprob(shift: float) -> Run:
            run = thin(tmp_path)
            run.rows[:] = [row.model_copy(update={"logprob": -0.1 - row.index / 100 + shift}) for row in run.rows]
            return run

        base = with_logprob(0.0)
        assert gated(base, with_logprob(0.0), logprob_margin=0.05).verdict == "pass"
        gate = gated(base, with_logprob(-0.2), logprob_margin=0.05)
        assert gate.verdict == "regression"
        assert {part.verdict for part in gate.judged if part.measure == "strict"} == {"pass"}
        assert gated(base, with_logprob(-0.2)).verdict == "pass"
        without = gated(base, thin(tmp_path), logprob_margin=0.05)
        assert (without.verdict, without.judged[-1].pairs) == ("inconclusive", 0)

    def test_the_correction_is_for_all_tests(self, tmp_path: Path) -> None:
        """Six of ninety answers of one length lost, all in haystacks of their own: p is 1/64, and 4/64 among four tests."""
        lost = dict.fromkeys(((4096, 0.5, index) for index in range(6)), 0.0)
        gate = gated(thin(tmp_path), thin(tmp_path, lost))
        assert gate.judged[0].p == pytest.approx(4 / 64)
        assert gate.verdict == "inconclusive"


class TestBaseline:
    def test_the_same_answers_give_the_same_bytes(self, tmp_path: Path) -> None:
        run = thin(tmp_path)
        text = Baseline.of(run).dumps()
        run.rows.reverse()
        assert Baseline.of(run).dumps() == text
        (tmp_path / "b.json").write_text(text)
        assert load_baseline(tmp_path / "b.json") == Baseline.of(run)
        assert len(text.splitlines()) < 90 + 60, "a line a question and length"

    def test_a_changed_answer_is_a_changed_line(self, tmp_path: Path) -> None:
        before = Baseline.of(thin(tmp_path)).dumps().splitlines()
        after = Baseline.of(thin(tmp_path, {(8192, 0.5, 7): 0.0})).dumps().splitlines()
        assert sum(a != b for a, b in zip(before, after, strict=True)) == 1

    def test_an_incomplete_run_is_none(self, tmp_path: Path) -> None:
        run = make_run(tmp_path, lambda length, depth, index: None if index == 2 else 1.0)
        with pytest.raises(UsageError, match=r"9 of its 90 planned answers are missing. Run the command"):
            Baseline.of(run)

    @pytest.mark.parametrize("content", ["", "{}", '{"format": 2}', "[]"])
    def test_damage_is_told(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "b.json").write_text(content)
        with pytest.raises(StoreError, match=r"is not a baseline of this version .* Make it again"):
            load_baseline(tmp_path / "b.json")

    def test_none_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="lceval baseline RUN -o"):
            load_baseline(tmp_path / "b.json")


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ("", "nothing to judge by. Add --baseline FILE"),
        ("--min-score niah", "write TASK=SCORE@LENGTH"),
        ("--min-score niah=1.5@512", "with a score from 0 to 1"),
        ("--min-score nia=0.5", "Did you mean 'niah'"),
        ("--min-score niah=0.5@4k", "it has 256, 512"),
        ("--min-effective-length 4k", "has not tested"),
        ("--baseline BASE --margin 0", "--margin is 0.0; it is a difference of scores"),
        ("--baseline BASE --stratum-margin 1", "--stratum-margin is 1.0"),
        ("--baseline BASE --alpha 0.5", "--alpha is 0.5"),
        ("--baseline BASE --logprob-margin -1", "in nats a token"),
        ("--baseline BASE --json /dev/null/x", "cannot write"),
    ],
)
def test_what_cannot_be_meant_is_refused(command: Any, runs: Path, more: str, wanted: str) -> None:
    code, _, err = command(f"gate {runs}/perfect {more}".replace("BASE", f"{runs}/main.json"))
    assert code == 2
    assert err.startswith("error: ")
    assert wanted in err


class TestCompare:
    def test_strata_have_intervals_and_adjusted_p_values(self, command: Any, runs: Path) -> None:
        found = lceval.compare(runs / "perfect", runs / "window")
        assert list(found.strata) == [("niah", "{}", 256), ("niah", "{}", 512)]
        far = found.strata[("niah", "{}", 512)]  # type: ignore[index]
        assert (far.score.n, far.losses, far.wins) == (90, 60, 0)
        assert far.score.mean == pytest.approx(-2 / 3)
        assert far.score.low < far.score.mean < far.score.high < 0
        assert found.p[("niah", "{}", 512)] == pytest.approx(min(1, 2 * far.score.p))  # type: ignore[index]
        assert found.overall.logprob is None
        code, out, _ = command(f"compare {runs}/perfect {runs}/window")
        assert code == 0
        assert "adjusted for 2 tasks and lengths (Holm)" in out
        assert "… and" in out, "changed answers are listed"

    def test_log_probabilities_are_compared_where_both_have_them(self, tmp_path: Path) -> None:
        base, run = thin(tmp_path / "a"), thin(tmp_path / "b")
        for shift, one in ((0.0, base), (-0.5, run)):
            one.rows[:] = [row.model_copy(update={"logprob": -1 - row.index / 10 + shift}) for row in one.rows]
        change = lceval.compare(base, run).overall.logprob
        assert change is not None
        assert (change.mean, change.n) == (pytest.approx(-0.5), 270)
        assert change.low == pytest.approx(-0.5)

    def test_few_haystacks_are_said_to_be_few(self, command: Any, runs: Path) -> None:
        _, out, _ = command(f"compare {runs}/few {runs}/window")
        assert "3 haystacks were compared: no p can be below 0.25" in out

    def test_what_cannot_be_compared_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"their length differs: .*4096.* and 512"):
            lceval.compare(thin(tmp_path), thin(tmp_path, lengths=(512,)))
        other = thin(tmp_path)
        other.info.grids[0] = other.info.grids[0].model_copy(update={"version": 2})
        with pytest.raises(UsageError, match="the version of the task niah was 1 and is now 2"):
            lceval.compare(thin(tmp_path), other)
        nothing = make_run(tmp_path, lambda *_: "error")
        with pytest.raises(UsageError, match="it has no answers"):
            lceval.compare(thin(tmp_path), nothing)


def test_the_record_has_no_numbers_that_json_lacks(tmp_path: Path) -> None:
    from lceval.reports.gate import record

    gate = gated(thin(tmp_path), thin(tmp_path), logprob_margin=0.1, power=True)
    said = json.loads(json.dumps(record(gate), allow_nan=False))
    assert math.isinf(gate.judged[-1].bound)
    assert said["judged"][-1]["bound"] is None
    assert said["judged"][0]["plan"]["haystacks"] == 30
