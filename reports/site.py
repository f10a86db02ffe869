"""A leaderboard as a static site: `index.html`, a page for each model, and the same as Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lceval._version import __version__
from lceval.errors import StoreError
from lceval.lengths import format_length
from lceval.reports import text
from lceval.reports.curves import length_curve, position_curve
from lceval.reports.heatmap import group_heatmap, svg_text
from lceval.reports.html import environment, inline_svg
from lceval.reports.latex import board_table
from lceval.reports.leaderboard import Board, Entry, Standing, View, boards
from lceval.reports.markdown import plain
from lceval.reports.tables import Group
from lceval.reports.write import write_file
from lceval.rows import Run

PAGES = "models"
"""The folder of the models' pages."""
TITLE = "Long-context leaderboard"
METHOD = (
    "Runs are ranked by strict score, only among runs of the same protocol. A rank is a range: the ranks that paired tests on the "
    "same samples do not exclude at 95 % (sign changes of whole haystacks, Holm; Mogstad et al., 2024). Few samples, wide ranges."
)


@dataclass(frozen=True, slots=True)
class SiteFiles:
    """Where a leaderboard lies."""

    html: Path
    markdown: Path
    csv: Path
    latex: Path
    pages: tuple[Path, ...]
    """One a run, in the order in which they were given."""


def write_site(runs: Sequence[Run], folder: Path) -> SiteFiles:
    """Write the leaderboard of some runs; each file as a whole or not at all.

    Args:
        runs: one or more.
        folder: where to; it is made if it is not there.

    Raises:
        StoreError: a run without answers, or a folder that cannot be written.
        UsageError: no run, or the same one twice.
    """
    made = boards(runs)
    pages = folder / PAGES
    try:
        pages.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make the folder {str(pages)!r}: {error.strerror}. Name another with --out.") from error
    entries = {entry.run.path: (board, entry) for board in made for entry in board.entries}
    return SiteFiles(
        html=write_file(folder / "index.html", render_html(made).encode()),
        markdown=write_file(folder / "leaderboard.md", render_markdown(made).encode()),
        csv=write_file(folder / "leaderboard.csv", render_csv(made).encode()),
        latex=write_file(folder / "leaderboard.tex", "\n".join(map(board_table, made)).encode()),
        pages=tuple(
            write_file(pages / f"{entry.slug}.html", render_page(board, entry).encode())
            for board, entry in (entries[run.path] for run in runs)
        ),
    )


def render_html(made: Sequence[Board]) -> str:
    """The page of all boards."""
    template = environment().get_template("leaderboard.html.j2")
    return template.render(
        boards=[(board, board_title(board), _choices(board)) for board in made],
        count=sum(len(board.entries) for board in made),
        title=TITLE,
        method=METHOD,
        pages=PAGES,
        lceval=__version__,
    )


def board_title(board: Board) -> str:
    """The tasks of a board, as far as a heading has room for them."""
    titles = list(board.titles.values())
    return ", ".join(titles) if len(titles) < 4 else f"{', '.join(titles[:3])} and {len(titles) - 3} more"


def _choices(board: Board) -> dict[str, Any]:
    """What a page shows at another choice of task and length: the texts of every entry's cells, and the numbers they sort by.

    The views are by `task|length`; a task is its place among the board's, or empty; entries are in the order of the first view.
    """
    places = {task: str(n) for n, task in enumerate(board.titles)} | {None: ""}
    order = [one.entry.slug for one in board.views[0].standings]

    def cells(view: View) -> list[dict[str, Any]]:
        found = {one.entry.slug: cell_texts(board, one, n) for n, one in enumerate(view.standings)}
        return [found[slug] for slug in order]

    return {f"{places[view.task]}|{view.length or ''}": cells(view) for view in board.views}


def cell_texts(board: Board, one: Standing, place: int) -> dict[str, Any]:
    """The cells of an entry in a view: text, and the value to sort by where the text does not begin with it."""
    reach = one.line.effective[0][1]
    return {
        "name": sorted(entry.label for entry in board.entries).index(one.entry.label),
        "place": place,
        "rank": one.rank.text,
        "score": text.score_text(one.score.mean),
        "interval": text.interval_text(one.score),
        "range": [round(bound, 4) for bound in (one.score.low, one.score.mean, one.score.high)] if one.score.n else None,
        "reach": one.line.reach,
        "reach_value": reach.length or 0,
        "reach_interval": reach_interval(one),
        "coverage": text.percent_text(one.coverage),
        "lengths": [text.score_text(one.line.strict[n].mean) if n in one.line.strict else "" for n in board.lengths],
    }


def reach_interval(one: Standing) -> str:
    """The effective length's interval: by lower and by upper bounds."""
    lengths, reach = list(one.line.strict), one.line.effective[0][1]
    return f"[{text.reach_text(lengths, reach.low)}, {text.reach_text(lengths, reach.high)}]"


def render_page(board: Board, entry: Entry) -> str:
    """The page of one model."""
    template = environment().get_template("model.html.j2")
    standings = [(view, *_view_title(board, view), one) for view in board.views for one in view.standings if one.entry is entry]
    return template.render(
        board=board,
        entry=entry,
        info=entry.run.info,
        standing=standings[0][-1],
        views=standings,
        of=len(board.entries),
        groups=[(group, _figures(entry, group, n)) for n, group in enumerate(entry.tasks.values(), 1)],
        title=TITLE,
        lceval=__version__,
    )


def _figures(entry: Entry, group: Group, number: int) -> dict[str, str]:
    """The map of a task, and its scores by length and by depth: `<svg>` elements by what they show."""
    shown = {
        "Heatmap": group_heatmap(entry.run.info, group, headed=False),
        "Strict score by length": length_curve([entry.line_for(group.key)]),
        "Strict score by depth": position_curve(group),
    }
    told = f"{entry.label}. The table below has the numbers."
    return {
        name: inline_svg(svg_text(figure, outlined=False), f"figure{number}{n}", f"{name}: {group.title}", told)
        for n, (name, figure) in enumerate(shown.items())
        if figure
    }


def _view_title(board: Board, view: View) -> tuple[str, str]:
    alone = next(iter(board.titles.values())) if len(board.titles) == 1 else "all tasks"
    return (board.titles[view.task] if view.task else alone), (format_length(view.length) if view.length else "all lengths")


def render_markdown(made: Sequence[Board]) -> str:
    """The boards for GitHub, each at all tasks and lengths."""
    lines = [f"# {TITLE}", "", METHOD, ""]
    for board in made:
        lines += [f"## {plain(board_title(board))}", "", *_apart(board), *_protocol(board), ""]
        lengths = [format_length(n) for n in board.lengths]
        lines.append(f"| rank | model | strict | effective length | {' | '.join(lengths)} | coverage | setting |")
        lines.append(f"| ---: | :--- | :--- | :--- |{' ---: |' * len(lengths)} ---: | :--- |")
        for place, one in enumerate(board.views[0].standings):
            cells = cell_texts(board, one, place)
            scores = [
                cells["rank"],
                plain(one.entry.label),
                text.stat_text(one.score),
                f"{plain(one.line.reach)} {plain(cells['reach_interval'])}",
            ]
            lines.append(f"| {' | '.join([*scores, *cells['lengths'], cells['coverage'], plain(one.entry.setting)])} |")
        lines.append("")
    lines += [
        "Strict scores are precision-aware. Brackets hold 95 % intervals; coverage is the share of planned answers that came back.",
        "",
    ]
    return "\n".join(lines)


def _apart(board: Board) -> Iterator[str]:
    if board.apart:
        told = "; ".join(f"{name}: {plain(here)} (there {plain(there)})" for name, (there, here) in board.apart.items())
        yield f"Not ranked with the first table, whose protocol differs. Here {told}."
        yield ""


def _protocol(board: Board) -> Iterator[str]:
    settings = "; ".join(f"{name}: {plain(value)}" for name, value in board.protocol.settings.items())
    yield f"Protocol `{board.protocol.id}`: {settings}."


_COLUMNS = (
    *("protocol", "task", "length", "rank_best", "rank_worst"),
    *("model", "variant", "runner", "run"),
    *("strict", "strict_low", "strict_high", "answers", "coverage"),
    *("effective_length", "effective_length_low", "effective_length_high", "setting"),
)


def render_csv(made: Sequence[Board]) -> str:
    """Every view of every board, a row for each entry.

    Task `all` and an empty length stand for all of them; an empty number says that there is none. Effective lengths are in
    tokens: by mean, by lower and by upper bounds.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for board in made:
        for view in board.views:
            for one in view.standings:
                info, score, reach = one.entry.run.info, one.score, one.line.effective[0][1]
                numbers = ["" if math.isnan(value) else value for value in (score.mean, score.low, score.high)]
                task = board.titles[view.task] if view.task else "all"
                who = (info.model, info.variant, info.runner, one.entry.run.path.resolve().name)
                lengths = (reach.by_mean, reach.low, reach.high)
                head = (board.protocol.id, task, view.length, one.rank.best, one.rank.worst)
                writer.writerow([*head, *who, *numbers, score.n, one.coverage, *lengths, one.entry.setting])
    return out.getvalue()
