"""Tables for papers: LaTeX with booktabs, the interval under each score."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lceval.lengths import format_length
from lceval.reports import text
from lceval.reports.overview import Line, overview
from lceval.rows import Run

if TYPE_CHECKING:
    from lceval.reports.leaderboard import Board

_ESCAPED = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "·": r"\textperiodcentered{}",
    "–": "--",
    "≥": r"$\geq$",
    "×": r"$\times$",
    "…": r"\ldots{}",
}


def escape(words: str) -> str:
    """Words that LaTeX prints as they are; line breaks and control characters become spaces."""
    return "".join(_ESCAPED.get(character, character) for character in re.sub(r"[\s\x00-\x1f\x7f]+", " ", words).strip())


def run_table(run: Run) -> str:
    """A run: strict scores by task and length, the mean of its tasks where it has one, effective lengths."""
    seen, info = overview(run), run.info
    lines = [*seen.lines, *(mean.line for mean in seen.means)]
    name = f"{info.model} ({info.variant})" if info.variant else info.model
    control = "; a control, not a model" if info.control else ""
    return _table(
        caption=f"{name}{control}: {_MEANING}",
        label=f"tab:lceval-{text.safe_name(name).lower()}",
        corner="Task",
        lengths=seen.lengths,
        rows=[({"": line.title}, line) for line in lines],
    )


def board_table(board: Board) -> str:
    """A board of a leaderboard: ranks, scores by length, effective lengths."""
    view = board.views[0]
    tasks = " and ".join(board.titles.values()) if len(board.titles) < 3 else f"mean of {len(board.titles)} tasks"
    return _table(
        caption=f"{tasks}: {_MEANING} A rank is the range that paired tests on the same samples allow (95 %).",
        label=f"tab:lceval-leaderboard-{board.protocol.id}",
        corner="Model",
        lengths=board.lengths,
        rows=[({"Rank": one.rank.text, "": one.entry.label}, one.line) for one in view.standings],
    )


_MEANING = "strict scores by length in tokens, with 95 % intervals."


def _table(caption: str, label: str, corner: str, lengths: Sequence[int], rows: Sequence[tuple[Mapping[str, str], Line]]) -> str:
    """Two lines of text a row: the scores, and their intervals in small print. Coverage is a column where some is lacking."""
    heads = [name or corner for name in rows[0][0]]
    covered = all(line.coverage == 1 for _, line in rows)
    ends = ["Effective"] if covered else ["Effective", "Coverage"]
    body: list[str] = []
    for names, line in rows:
        stats = [line.strict.get(length) for length in lengths] + [line.overall]
        scores = [text.score_text(stat.mean) if stat else "" for stat in stats]
        intervals = [text.interval_text(stat) if stat else "" for stat in stats]
        body.append(_row([*names.values(), *scores, *[line.reach, text.percent_text(line.coverage)][: len(ends)]]))
        body.append(_row([*[""] * len(names), *intervals, *[""] * len(ends)], small=True))
        body.append(r"\addlinespace[2pt]")
    return "\n".join(
        [
            "% Needs \\usepackage{booktabs}.",
            r"\begin{table}",
            r"\centering\small",
            r"\setlength{\tabcolsep}{4pt}",
            rf"\caption{{{escape(caption)}}}",
            rf"\label{{{label}}}",
            rf"\begin{{tabular}}{{{'l' * len(heads)}{'c' * (len(lengths) + 1)}{'r' * len(ends)}}}",
            r"\toprule",
            _row([*heads, *map(format_length, lengths), "All", *ends]),
            r"\midrule",
            *body[:-1],
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _row(cells: Sequence[str], *, small: bool = False) -> str:
    texts = (escape(cell) for cell in cells)
    row = " & ".join(rf"{{\scriptsize {cell}}}" if small and cell else cell for cell in texts)
    return "{}" * row.startswith("[") + row + r" \\"  # a bracket would be an argument of the line break before it
