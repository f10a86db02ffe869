"""The one table of names: what `lceval run NAME` and `--runner NAME` mean, imported only when asked for.

Other packages add theirs through the entry point groups `lceval.tasks` and `lceval.runners`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from lceval.errors import UsageError, unknown

_BUILT_IN: dict[str, dict[str, str]] = {
    "task": {"niah": "lceval.tasks.niah:Niah"},
    "runner": {"hf": "lceval.runners.hf:HfRunner", "control": "lceval.runners.control:ControlRunner"},
}


@cache
def names(kind: str) -> Mapping[str, str]:
    """Name -> `module:attribute` of every task or runner, own ones and those of installed packages."""
    table = dict(_BUILT_IN[kind])
    for point in entry_points(group=f"lceval.{kind}s"):
        if table.setdefault(point.name, point.value) != point.value:
            raise UsageError(
                f"{kind} {point.name!r} is defined by {table[point.name]} and again by {point.value}; uninstall one of them."
            )
    return table


def load(kind: str, name: str) -> Any:
    """The class behind a name.

    Raises:
        UsageError: no such name; the message says the nearest ones.
    """
    table = names(kind)
    if name not in table:
        raise unknown(kind, name, table, f"List them with 'lceval {kind}s'." if kind == "task" else "")
    module, _, attribute = table[name].partition(":")
    return getattr(import_module(module), attribute)
