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

_BUILT_IN: dict[str, dict[str, tuple[str, str]]] = {
    "task": {
        "niah": (
            "lceval.tasks.niah:Niah",
            "needle in a haystack: retrieve the values of one or several keys planted at known depths",
        ),
    },
    "runner": {
        "hf": ("lceval.runners.hf:HfRunner", "Transformers, greedy, every shared prefix computed once"),
        "control": ("lceval.runners.control:ControlRunner", "no model: answers that fail in a known way"),
    },
}
"""Name -> where it is, and what it is in one line."""


@cache
def names(kind: str) -> Mapping[str, str]:
    """Name -> `module:attribute` of every task or runner, own ones and those of installed packages."""
    table = {name: place for name, (place, _) in _BUILT_IN[kind].items()}
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


def summary(kind: str, name: str) -> str:
    """What a task or runner is, in one line; of other packages' the first line of the class's docstring."""
    if name in _BUILT_IN[kind]:
        return _BUILT_IN[kind][name][1]
    return (load(kind, name).__doc__ or "").partition("\n")[0]
