"""The HTML report: one file that holds all it needs, for any browser, without a network."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lceval.errors import UsageError
from lceval.lengths import format_length
from lceval.registry import load
from lceval.reports import text
from lceval.reports.excerpt import Excerpt
from lceval.reports.heatmap import INK, PAPER, group_heatmap, heading, svg_text
from lceval.reports.overview import overview
from lceval.reports.planned import planned
from lceval.reports.tables import Group, failures, groups
from lceval.statistics import EffectiveLength, Threshold

if TYPE_CHECKING:
    from jinja2 import Environment
    from matplotlib.figure import Figure

    from lceval.rows import Run, RunInfo

MAX_FAILURES = 50
MAX_OUTPUT = 1200
"""Characters of an output that are shown."""


def render_html(run: Run, excerpts: Mapping[str, Sequence[Excerpt]]) -> str:
    """Write the report of a run as one self-contained HTML document.

    Args:
        run: what to report.
        excerpts: by `sample_key`, the text around each needle; `lceval.reports.tables.failures(run)` says which rows
            are shown. Rows without an entry appear without surroundings.
    """
    parts = groups(run)
    shown, total = failures(run, MAX_FAILURES)
    template = environment().get_template("report.html.j2")
    return template.render(
        run=run,
        info=run.info,
        overview=overview(run),
        groups=[(group, inline_svg(run.info, group, f"map{i}"), _reaches(group)) for i, group in enumerate(parts, 1)],
        by_depth={
            i: inline_svg(run.info, group, f"depth{i}", by_depth=True) for i, group in enumerate(parts, 1) if group.by_position
        },
        failures=shown,
        failure_count=total,
        excerpts=excerpts,
        planned=planned(run),
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
        "clip": _clip,
        "breakable": _breakable,
        "effective": lambda group: text.effective_text(group.tested, group.effective[0][1]),
        "floors": _floors,
    }
    return made


def inline_svg(info: RunInfo, group: Group, prefix: str, *, by_depth: bool = False) -> str:
    """The group's heatmap as an `<svg>` element to stand in a page: safe markup."""
    title = f"Heatmap: {' · '.join(heading(info, group))}" + ", shown by depth" * by_depth
    return inline_figure(group_heatmap(info, group, headed=False, by_depth=by_depth), prefix, title, _description(group))


def inline_figure(figure: Figure, prefix: str, title: str, description: str) -> str:
    """A figure as an `<svg>` element to stand in a page: safe markup.

    Ids begin with `prefix`, since several figures share a page; ink and paper follow the page's colours; a title and a
    description speak for it where it cannot be seen.
    """
    from markupsafe import Markup, escape

    svg = svg_text(figure)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\1{prefix}-", svg)
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


def _clip(output: str) -> str:
    rest = len(output) - MAX_OUTPUT
    return output if rest <= 0 else f"{output[:MAX_OUTPUT]} … ({rest:,} more characters)"
