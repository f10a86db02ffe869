"""`lceval plan` as a user meets it, and what a run does with its forecast."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import lceval
from lceval import cli, engine
from lceval.config import RunConfig
from lceval.costs.units import size_text
from lceval.costs.verb import check_memory, of_run
from lceval.errors import CannotFit, LcevalError, UsageError
from lceval.planning import Plan
from lceval.progress import Pace
from lceval.runners.hf import HfRunner


@pytest.fixture
def run_cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """`run_cli(columns, "plan niah …")` -> (exit code, stdout, stderr)."""

    def call(columns: int, line: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["lceval", *line.split()])
        monkeypatch.setenv("COLUMNS", str(columns))
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, *capsys.readouterr()

    return call


HEAVY = "torch pandas transformers matplotlib scipy"


def test_a_plan_imports_nothing_heavy() -> None:
    code = (
        "import sys; from lceval import cli; sys.argv = 'lceval plan niah --model llama-3.1-405b --lengths 1m --gpu h200 "
        "--price 2.50 --explain'.split()\ntry: cli.main()\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY!r}.split() if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "756 GiB" in done.stdout


@pytest.mark.parametrize("columns", [80, 140])
def test_the_tables_fit_and_nothing_is_cut(run_cli: Any, columns: int) -> None:
    code, out, err = run_cli(
        columns, "plan niah --model llama-3.1-8b --lengths 4k..1m --gpu h100-80g,h200,a100-40g --gpu-memory 24G --price 2.50"
    )
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= columns
    assert "…" not in out
    for text in ("53,248 tokens", "14.96 GiB", "128 KiB a token", "lie beyond the window of 128k", "kv(int4,32,32)", "money"):
        assert text in " ".join(out.split())
    row = re.search(r"^ *128k +16 Gi .*$", out, re.MULTILINE)
    assert row is not None
    assert row[0].split() == ["128k", "16", "Gi", "1.69", "Gi", "32.6", "Gi", "1", "Ti", "1/1", "1/1", "1/1", "2/4"]


def test_the_same_as_json_and_in_python(run_cli: Any) -> None:
    code, out, err = run_cli(80, "plan niah --model llama-3.1-70b --lengths 128k --gpu h100-80g --price 2,8 --json")
    assert (code, err) == (0, "")
    record = json.loads(out)
    at = record["lengths"][0]
    assert at["memory"]["kv"] == 40 * 2**30
    assert at["gpus"]["h100-80g"]["tensor"] == 4
    plan = lceval.plan("niah", "llama-3.1-70b", lengths="128k", gpu="h100-80g", price="2,8")
    assert json.loads(json.dumps(plan.record())) == record
    load = plan.load
    assert record["money"]["shared"] == pytest.approx((2 * load.shared.tokens + 8 * load.answers) / 1e6)
    assert record["seconds"]["shared"] < record["seconds"]["one_by_one"]
    from lceval import planning

    assert callable(lceval.plan)
    assert planning.Plan is Plan


def test_explain_puts_the_numbers_into_the_formulas(run_cli: Any) -> None:
    code, out, _ = run_cli(80, "plan niah --model deepseek-v3 --lengths 128k --gpu h200 --price 1 --explain")
    assert code == 0
    text = " ".join(out.split())
    assert "671,026,404,352 · 2 = 1.221 TiB" in text
    assert "61 layers · 576 (latent + rotary key) · n · b" in re.sub(r"(58|3) layers · 576", "61 layers · 576", text)
    for source in ("arXiv:2405.04434", "arXiv:2205.14135", "doi:10.1145/1498765.1498785"):
        assert source in text


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("--model nowhere/at/all", "llama-3.1-405b"),
        ("--model llama-3.1-8b --gpu h300", "h100-80g"),
        ("--model llama-3.1-8b --gpu-memory lots", "80G"),
        ("--model llama-3.1-8b --price free", "2.50"),
        ("--model llama-3.1-8b -M dtype=int3", "bfloat16"),
        ("--model llama-3.1-8b -M prefill_chunk=some", "whole number"),
        ("--model llama-3.1-8b -M dtpe=float32", "'dtype'"),
        ("--model deepseek-v3 --variant kv(int4)", "caches a latent"),
        ("--model gpt2 --variant yarn(4)", "has no RoPE"),
        ("--model smollm2-135m --variant kv(int4,48)", "group that divides 64"),
        ("--model llama-3.1-8b --variant kv(int4)@sliding", "no layers with a sliding window"),
        ("--model control:perfect --measure -M tokenizer=smollm2-135m", "--measure"),
    ],
)
def test_mistakes_are_one_message(run_cli: Any, line: str, wanted: str) -> None:
    code, _, err = run_cli(80, f"plan niah {line}")
    assert (code, err.startswith("error: "), "Traceback" in err) == (2, True, False)
    assert wanted in err


def test_a_measured_plan_forecasts_by_its_fit(tiny_model: Path, tmp_path: Path, run_cli: Any) -> None:
    line = f"plan niah --model {tiny_model} -M device=cpu --lengths 256,512 --depths 3 --samples 1 --measure --out {tmp_path}/pics"
    code, out, err = run_cli(80, line)
    assert code == 0, err
    assert "measured 512" in err
    assert "by the measured prefill" in out
    assert {file.name for file in (tmp_path / "pics").iterdir()} == {
        "plan.json",
        *(f"plan-{name}.{kind}" for name in ("growth", "memory", "prefill") for kind in ("png", "svg")),
    }
    record = json.loads((tmp_path / "pics" / "plan.json").read_text())
    fit, load, setting = record["measured"]["fit"], record["load"], record["setting"]
    assert (setting["dtype"], setting["chunk"]) == ("float32", 512)
    assert len(fit["points"]) == 2
    rest = load["prompts"] * (record["measured"]["new_tokens"] * record["measured"]["step_s"] + record["measured"]["other_s"])
    wanted = fit["linear"] * load["shared"]["tokens"] + fit["square"] * load["shared"]["squares"] + rest
    assert record["seconds"]["shared"] == pytest.approx(wanted)
    one = lceval.plan("niah", str(tiny_model), lengths="512", depths="2", samples=1, measure=True, note=lambda _: None)
    assert one.measured is not None
    assert [tokens < 256 for tokens, _, _ in one.measured.fit.points] == [True, False]


def _made(tiny_model: Path, folder: Path) -> tuple[RunConfig, HfRunner, Plan]:
    grid: dict[str, Any] = {"lengths": "256,2k", "depths": "3", "samples": 1}
    config = RunConfig.checked(tasks="niah", model=str(tiny_model), model_options={"device": "cpu"}, out=folder, **grid)
    runner: Any = engine.make_runner(config)
    return config, runner, engine.make_plan(config, runner)


def test_a_run_says_what_it_will_take_and_the_report_what_it_took(tiny_model: Path, tmp_path: Path, run_cli: Any) -> None:
    line = f"run niah --model {tiny_model} -M device=cpu --lengths 256,512 --depths 3 --samples 1 --out {tmp_path}/run"
    code, out, err = run_cli(120, line + " --dry-run")
    assert re.search(r"plan: 6 prompts, [\d.]+ k tokens to read", out), err
    code, out, err = run_cli(120, line)
    assert code == 0, err
    assert re.search(r"plan: 6 prompts, [\d.]+ k tokens to read, one by one [\d.]+ times as many", out)
    assert re.search(r"512 takes .* weights \+ 256 KiB KV cache \+ .* activations = ", out)
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    assert info["forecast"]["lengths"][1]["memory"]["kv"] == 512 * 2 * 2 * 2 * 16 * 4
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())["planned"]
    assert summary["read"] == summary["expected"]
    assert [at["length"] for at in summary["lengths"]] == [256, 512]
    assert all(at["measured_s"] > 0 for at in summary["lengths"])
    markdown, page = ((tmp_path / "run" / f"report.{kind}").read_text() for kind in ("md", "html"))
    assert "## Planned and measured" in markdown
    assert 'id="planned-h"' in page
    run_cli(120, line)  # nothing is left to do, and the forecast stays
    assert json.loads((tmp_path / "run" / "run.json").read_text())["forecast"] == info["forecast"]


def test_a_peak_that_was_measured_stands_beside_the_planned_one(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HfRunner, "peak_bytes", 3 << 20)
    options = {"device": "cpu"}
    run = lceval.run("niah", str(tiny_model), lengths="256", depths="2", samples=1, out=tmp_path / "run", model_options=options)
    total = run.info.forecast["lengths"][0]["memory"]["total"]
    text = (tmp_path / "run" / "report.md").read_text()
    assert f"Peak memory: 3 MiB, planned {size_text(total)} ({(3 << 20) / total:.3f} times)." in text


def test_a_run_that_cannot_fit_is_refused_with_the_numbers(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, runner, plan = _made(tiny_model, tmp_path / "run")
    weights = sum(at.memory.weights for at in of_run(plan, runner).lengths[:1])  # type: ignore[union-attr]
    monkeypatch.setattr(HfRunner, "room", weights + (600 << 10))
    with pytest.raises(CannotFit, match=r"1 MiB of KV cache in float32.*up to 256, take a variant") as refused:
        check_memory(plan, runner)
    assert "GPU memory is" in str(refused.value)
    with pytest.raises(CannotFit):
        engine.make_plan(plan.config, runner)
    monkeypatch.setattr(HfRunner, "room", weights + (1 << 20))  # not a byte for activations: it might fit, for all we know
    check_memory(plan, runner)
    monkeypatch.setattr(HfRunner, "room", 1000)
    with pytest.raises(CannotFit, match="device=balanced"):
        check_memory(plan, runner)
    assert not (tmp_path / "run").exists()


def test_models_that_cannot_be_counted_run_all_the_same(tiny_model: Path, tmp_path: Path) -> None:
    _, runner, plan = _made(tiny_model, tmp_path / "run")
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / "config.json").write_text('{"model_type": "mamba"}')
    stranger: Any = SimpleNamespace(folder=odd, setting=runner.setting, room=10, model="odd")
    check_memory(plan, stranger)
    assert of_run(plan, stranger) is None


class _Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


def test_the_end_is_foretold_by_tokens_and_their_squares(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, plan = _made(tiny_model, tmp_path / "run")
    clock = _Clock()
    monkeypatch.setattr("lceval.progress.time", clock)
    prompts = plan.compose(plan.groups[0])
    from itertools import pairwise

    from lceval.tree import usable

    starts = [0, *(usable(a, b) for a, b in pairwise(prompts))]
    each = [1e-3 * (len(p.ids) - a) + 2e-6 * (len(p.ids) ** 2 - a * a) for a, p in zip(starts, prompts, strict=True)]
    pace = Pace(plan)
    assert pace.eta_s is None
    for done, (start, prompt, seconds) in enumerate(zip(starts, prompts, each, strict=True), 1):
        clock.now += seconds + 0.01
        row: Any = SimpleNamespace(prompt_tokens=len(prompt.ids), cached_tokens=start, prefill_s=seconds, decode_s=0.01)
        pace.row(row)
        if done >= 2:  # two points make a line and a parabola
            left = sum(each[done:]) + 0.01 * (len(prompts) - done)
            assert pace.eta_s == pytest.approx(left, abs=0.02)


def test_a_pace_without_times_counts_tokens(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, plan = _made(tiny_model, tmp_path / "run")
    clock = _Clock()
    monkeypatch.setattr("lceval.progress.time", clock)
    pace = Pace(plan)
    clock.now = 10.0
    half: Any = SimpleNamespace(prompt_tokens=plan.load.shared.tokens // 2, cached_tokens=0, prefill_s=0.0, decode_s=0.0)
    pace.row(half)
    assert pace.eta_s == pytest.approx(10, rel=0.01)


def test_measuring_needs_a_model() -> None:
    with pytest.raises(UsageError, match="control has none"):
        lceval.plan(
            "niah", "control:perfect", measure=True, model_options={"tokenizer": "smollm2-135m"}, lengths="1k", note=lambda _: None
        )
    with pytest.raises(LcevalError):
        lceval.plan("nosuchtask", "llama-3.1-8b")
