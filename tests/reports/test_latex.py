from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from factory import make_run

from lceval import api
from lceval.errors import StoreError
from lceval.reports.latex import board_table, escape, run_table
from lceval.reports.leaderboard import boards

HOSTILE = r"a_b & 100% #1 {x} \input{y} $z^2~<>|\"'` – ≥ · … × naïve"


def mixed(length, depth, index):
    return None if (length, index) == (16384, 9) else float(index < 4)


def rows_of(table):
    body = table.split(r"\midrule")[1].split(r"\bottomrule")[0].replace(r"\addlinespace[2pt]", "")
    return [[cell.strip() for cell in re.split(r"(?<!\\)&", line)] for line in body.split(r"\\") if line.strip()]


def compiled(tables, folder):
    """The log of a document with these tables, where TeX is installed."""
    if not shutil.which("pdflatex"):
        pytest.skip("pdflatex is not installed")
    document = r"\documentclass{article}\usepackage{booktabs}\begin{document}" + "\n".join(tables) + r"\end{document}"
    (folder / "paper.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (folder / "paper.pdf").stat().st_size > 1000


@pytest.fixture
def run(tmp_path):
    run = make_run(tmp_path / "run", mixed, variant="yarn(4)", params={"needle": HOSTILE})
    other = make_run(tmp_path, lambda *_: 1.0, task="ruler/vt", lengths=(4096, 8192), depths=(None,))
    run.rows.extend(other.rows)
    run.info.grids.extend(other.info.grids)
    run.path.mkdir()
    return run


def test_a_row_of_scores_and_a_row_of_intervals_a_task(run):
    table = run_table(run)
    (columns,) = re.findall(r"\\begin\{tabular\}\{(\w+)\}", table)
    rows = rows_of(table)
    assert len(rows) == 4
    assert {len(row) for row in rows} == {len(columns)}
    scores, intervals = rows[0], rows[1]
    assert scores[1:] == ["0.40", "0.40", "0.44", "0.41", r"\textless{}4k", r"96\%"]
    assert all(re.fullmatch(r"\{\\scriptsize \[\d\.\d\d, \d\.\d\d\]\}", cell) for cell in intervals[1:5])
    assert rows[2][:5] == ["ruler/vt", "1.00", "1.00", "", "1.00"]
    assert r"\caption{org/model-7b (yarn(4)): strict" in table


def test_coverage_is_told_where_some_is_lacking(tmp_path):
    assert "Coverage" not in run_table(make_run(tmp_path, lambda *_: 1.0))
    assert "Coverage" in run_table(make_run(tmp_path, mixed))


def test_a_control_is_no_model(tmp_path):
    assert "a control, not a model" in run_table(make_run(tmp_path, mixed, control=True))


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("a_b & 5%", r"a\_b \& 5\%"),
        ("\\", r"\textbackslash{}"),
        ("{$x^2$}", r"\{\$x\textasciicircum{}2\$\}"),
        ("two\nlines\x00", "two lines"),
        ("1–3 ≥4k <1k", r"1--3 $\geq$4k \textless{}1k"),
    ],
)
def test_names_print_as_they_are(words, written):
    assert escape(words) == written


def test_a_name_in_brackets_is_no_argument(tmp_path):
    (board,) = boards([make_run(tmp_path, mixed, model="[m]")])
    rows = [line for line in run_table(board.entries[0].run).splitlines() if line.startswith("[")]
    assert rows == []


def test_tables_compile(run, tmp_path):
    (board,) = boards([run])
    compiled([run_table(run), board_table(board)], tmp_path)


def test_a_board_has_ranks(tmp_path):
    runs = [make_run(tmp_path / f"{n}", lambda length, depth, index, n=n: float(index < n), model=f"m_{n}") for n in (2, 9)]
    (board,) = boards(runs)
    rows = rows_of(board_table(board))
    assert [row[:2] for row in rows[::2]] == [["1", r"m\_9"], ["2", r"m\_2"]]


def test_the_verb_writes_into_the_run_folder(run, tmp_path):
    assert api.latex(run).read_text(encoding="utf-8") == run_table(run)
    with pytest.raises(StoreError, match="no answers yet"):
        api.latex(make_run(tmp_path / "none", lambda *_: None))
