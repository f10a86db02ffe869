"""The samples that a page shows: chosen across the cells, with what each run answered and the text around the needles."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lceval.reports.kinds import Kinds
from lceval.reports.text import visible

if TYPE_CHECKING:
    from lceval.reports.excerpt import Excerpt
    from lceval.rows import Row, Run

MOST = 1500
"""Samples in a page."""
WITH_TEXT = 300
"""How many of them, from the first, are shown with the text around their needles."""
MOST_OUTPUT = 1200
"""Characters of an answer that are shown."""
MOST_BYTES = 1_500_000
"""What all samples of a page may take."""
MOST_NEEDLES = 8
"""Needles of a sample that are shown in their surroundings."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One sample, and what became of it in each run."""

    rows: tuple[Row | None, ...]
    """By run; None where nothing is stored."""

    @property
    def row(self) -> Row:
        """The first that there is."""
        return next(row for row in self.rows if row)

    @property
    def rank(self) -> tuple[float, float, int]:
        """What sorts the samples of a cell: those that the runs differ on, then the worst, then by index."""
        scores = [row.strict for row in self.rows if row and row.strict is not None]
        spread = max(scores) - min(scores) if scores else 0.0
        return -spread, min(scores, default=2.0), self.row.index


def chosen(runs: Sequence[Run]) -> tuple[list[Shown], int]:
    """The samples worth showing, and how many there are.

    From every cell its first, then from every cell its second, until there are `MOST`: so a click on any cell finds some.
    """
    found: dict[Any, list[Row | None]] = {}
    for n, run in enumerate(runs):
        planned = run.planned
        for row in run.rows:
            key = row.planned_key
            if key in planned:
                found.setdefault(key, [None] * len(runs))[n] = row
    cells: dict[Any, list[Shown]] = defaultdict(list)
    for (task, params, _, length, depth, *_rest), rows in found.items():
        cells[task, params, length, -1.0 if depth is None else depth].append(Shown(tuple(rows)))
    ranked = [sorted(cells[cell], key=lambda shown: shown.rank) for cell in sorted(cells)]
    picked = [
        (place, cell, shown) for cell, part in enumerate(ranked) for place, shown in enumerate(part[: -(-MOST // len(ranked)) + 1])
    ]
    picked.sort(key=lambda entry: entry[:2])
    return [shown for _, _, shown in picked[:MOST]], len(found)


def with_text(runs: Sequence[Run]) -> list[Row]:
    """The rows of the first run whose needles are shown in their surroundings."""
    return [row for shown in chosen(runs)[0][:WITH_TEXT] if (row := shown.rows[0])]


def data(runs: Sequence[Run], titles: Mapping[tuple[str, str], str], excerpts: Mapping[str, Sequence[Excerpt]]) -> dict[str, Any]:
    """What the page's script needs, JSON-able and no more than about `MOST_BYTES`; whatever models wrote is made visible.

    Args:
        runs: one or several.
        titles: by task and parameters (as JSON), what the page calls them.
        excerpts: by `sample_key`, the text around the needles.
    """
    shown, total = chosen(runs)
    kinds, left, samples = Kinds(), MOST_BYTES, []
    for one in shown:
        record = _record(one, titles, excerpts, kinds)
        left -= len(json.dumps(record, ensure_ascii=False).encode())
        if left < 0:
            break
        samples.append(record)
    return {"samples": samples, "total": total}


def _record(
    shown: Shown, titles: Mapping[tuple[str, str], str], excerpts: Mapping[str, Sequence[Excerpt]], kinds: Kinds
) -> dict[str, Any]:
    row = shown.row
    texts: Sequence[Excerpt] = next((excerpts[each.sample_key] for each in shown.rows if each and each.sample_key in excerpts), ())
    return {
        "task": titles[row.task, row.planned_key[1]],
        "length": row.length,
        "depth": row.depth,
        "index": row.index,
        "question": row.question,
        "key": row.sample_key,
        "tokens": row.prompt_tokens,
        "gold": [visible(clip(answer)) for answer in row.answers[:50]],
        "needles": [
            [visible(text.before), visible(text.needle), visible(text.after), text.token_start, text.token_end]
            for text in texts[:MOST_NEEDLES]
        ],
        "runs": [_answer(each, kinds) if each else None for each in shown.rows],
    }


def _answer(row: Row, kinds: Kinds) -> dict[str, Any]:
    record: dict[str, Any] = {"outcome": row.outcome, "strict": row.strict, "output": visible(clip(row.output))}
    if (kind := kinds.of(row)) is not None:
        record["kind"] = kind
    if row.official is not None:
        record["official"] = row.official
    if row.logprob is not None:
        record["logprob"] = row.logprob
    if row.error:
        record["error"] = visible(clip(row.error))
    return record


def clip(words: str) -> str:
    """A text of at most `MOST_OUTPUT` characters, and how many more there were."""
    rest = len(words) - MOST_OUTPUT
    return words if rest <= 0 else f"{words[:MOST_OUTPUT]} … ({rest:,} more characters)"
