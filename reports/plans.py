"""What a run planned, by the groups that reports show."""

from __future__ import annotations

import json

from lceval.reports.tables import GroupKey
from lceval.rows import PlannedKey, Run


def planned_by_group(run: Run) -> dict[GroupKey, set[PlannedKey]]:
    """The planned answers of each task with its parameters; needles by position are a group of their own."""
    planned: dict[GroupKey, set[PlannedKey]] = {}
    for grid in run.info.grids:
        key = grid.task, json.dumps(grid.params, sort_keys=True), grid.positions is not None
        planned.setdefault(key, set()).update(grid.planned())
    return planned
