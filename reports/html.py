"""The HTML report: one file that holds all it needs, for any browser, without a network."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lceval.errors import UsageError
from lceval.lengths import format_length
from lceval.registry import load
from lceval.reports import text
from lceval.reports.cells import MOST, Board, kinds_board, logprob_board, score_board
from lceval.reports.curves import curves
from lceval.reports.excerpt import Excerpt
from lceval.reports.heatmap import INK, PAPER, svg_text
from lceval.reports.kinds import KINDS, Kind
from lceval.reports.overview import overview
from lceval.reports.planned import planned
from lceval.reports.samples import data
from lceval.reports.scale import DIFFERENCE, SCORE, Scale
from lceval.reports.tables import THRESHOLDS, Group, groups
from lceval.statistics import EffectiveLength, Threshold

if TYPE_CHECKING:
    from jinja2 import Environment

    from lceval.rows import Run, RunInfo


@dataclass(frozen=True, slots=True)
class Part:
    """One task of the page."""

    group: Group
    reaches: list[tuple[Threshold, str, str, str]]
    scores: Board
    by_depth: Board | None
    kinds: Board | None
    """Where answers fail."""
    logprob: tuple[Board, Scale] | None
    curves: Mapping[str, str]
    """`<svg>` elements by what they show."""

    @property
    def kinds_shown(self) -> dict[Kind, str]:
        """The kinds of failure that there are."""
        return {kind: meaning for kind, meaning in KINDS.items() if self.group.overall.kinds.get(kind)}


def render_html(run: Run, excerpts: Mapping[str, Sequence[Excerpt]], svgs: Mapping[str, str] | None = None) -> str:
    """Write the report of a run as one self-contained HTML document.

    Args:
        run: what to report.
        excerpts: by `sample_key`, the text around each needle; `lceval.reports.samples.with_text` says which rows are worth it.
            Rows without an entry appear without surroundings.
        svgs: the curves of `lceval.reports.curves.curves`, written as SVG; drawn anew if None.
    """
    found = groups(run)
    drawn = {name: svg_text(figure, outlined=False) for name, figure in curves(run).items()} if svgs is None else svgs
    titles = {(group.key[0], group.key[1]): group.title for group in found}
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            run=run,
            info=run.info,
            overview=overview(run),
            parts=[_part(run.info, group, i, drawn) for i, group in enumerate(found, 1)],
            data={"labels": [], **data([run], titles, excerpts)},
            thresholds=THRESHOLDS,
            planned=planned(run),
        )
    )


def _part(info: RunInfo, group: Group, number: int, svgs: Mapping[str, str]) -> Part:
    window, few = info.fingerprint.get("max_position_embeddings"), len(group.cells) <= MOST
    shown = {f"length-{group.stem}": "By length", f"position-{group.stem}": "By position", f"time-{group.stem}": "Time"}
    return Part(
        group=group,
        reaches=_reaches(group),
        scores=score_board(group, window),
        by_depth=score_board(group, window, by_depth=True) if group.by_position else None,
        kinds=kinds_board(group, window) if few and group.overall.kinds else None,
        logprob=logprob_board(group, window) if few and not math.isnan(group.overall.logprob) else None,
        curves={
            title: inline_svg(svgs[name], f"chart{number}{i}", f"{title}: {group.title}", _description(group))
            for i, (name, title) in enumerate(shown.items())
            if name in svgs
        },
    )


def environment() -> Environment:
    """What templates are rendered with."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("lceval.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    made.globals |= {"SCORE": SCORE, "DIFFERENCE": DIFFERENCE, "MOST_CELLS": MOST}
    made.filters |= {
        "length": format_length,
        "task": lambda row: text.task_text(row.task, row.params),
        "value": text.value_text,
        "score": text.score_text,
        "interval": text.interval_text,
        "stat": text.stat_text,
        "percent": text.percent_text,
        "depth": text.depth_text,
        "seconds": text.seconds_text,
        "rate": text.rate_text,
        "breakable": _breakable,
        "effective": lambda group: text.effective_text(group.tested, group.effective[0][1]),
        "floors": _floors,
    }
    return made


def inline_svg(svg: str, prefix: str, title: str, description: str) -> str:
    """An SVG document of `lceval.reports.heatmap.svg_text` as an element to stand in a page: safe markup.

    Ids begin with `prefix`, since several figures share a page; ink and paper follow the page's colours; a title and a
    description speak for it where it cannot be seen.
    """
    from markupsafe import Markup, escape

    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\1{prefix}-", svg)
    svg = re.sub(r"\bfont: ([^\"]*?)'DejaVu Sans'[^;\"]*", r"font: \1inherit", svg)
    svg = svg.replace(INK, "currentColor").replace(PAPER, "var(--paper)")
    opening, rest = svg.split(">", 1)
    width = re.search(r'width="([\d.]+)pt"', opening)
    assert width, opening
    opening = re.sub(r' (width|height|version)="[^"]*"', "", opening)
    return Markup(
        f'{opening} role="img" aria-labelledby="{prefix}-title {prefix}-desc" style="width: {float(width[1]):.0f}pt">'
        f'<title id="{prefix}-title">{escape(title)}</title><desc id="{prefix}-desc">{escape(description)}</desc>{rest}'
    )


def _description(group: Group) -> str:
    """The map in words: what it spans, where it is weakest, and what it lacks."""
    text_of = f"Mean strict score of {len(group.cells)} cells, "
    text_of += f"lengths {format_length(group.lengths[0].length)} to {format_length(group.lengths[-1].length)}. "
    scored = [cell for cell in group.cells if cell.strict.n]
    if scored:
        worst = min(scored, key=lambda cell: cell.strict.mean)
        assert worst.length is not None
        place = format_length(worst.length) + (f", depth {text.depth_text(worst.depth)}" if worst.depth is not None else "")
        if worst.position is not None:
            place = f"{format_length(worst.length)}, position {format_length(worst.position)}"
        text_of += f"Lowest: {text.score_text(worst.strict.mean)} at {place}. "
    return text_of + f"{len(group.cells) - len(scored)} cells without an answer. The same numbers are in the tables below."


def _reaches(group: Group) -> list[tuple[Threshold, str, str, str]]:
    """Per threshold: effective length, its upper end, and the length by the mean alone."""

    def texts(reach: EffectiveLength) -> tuple[str, str, str]:
        low, mean, high = (text.reach_text(group.tested, length) for length in (reach.length, reach.by_mean, reach.high))
        return low, high, mean

    return [(threshold, *texts(reach)) for threshold, reach in group.effective]


def _floors(group: Group) -> str:
    """What blind answers score, as the task says; nothing for a task that is not installed here."""
    try:
        return str(load("task", group.task).from_params(group.params).floors)
    except UsageError:
        return ""


def _breakable(words: str) -> str:
    """Safe markup of a name that may be broken where its parts end."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"([+,:/])", r"\1<wbr>", str(escape(words))))
