"""lceval: long-context evaluation, exact to the token.

    from lceval import load_run, report, run

    result = run("niah", "smollm2-135m", lengths="512..2k", depths="3", samples=1)
    result.frame.groupby(["length", "depth"]).strict.mean()

What the command line does, these functions do; importing this module imports nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lceval._version import __version__

if TYPE_CHECKING:
    from lceval.api import (
        baseline,
        compare,
        compare_variants,
        export,
        gate,
        leaderboard,
        merge,
        report,
        rescore,
        run,
        show,
        side_by_side,
    )
    from lceval.costs.verb import plan
    from lceval.rows import Run
    from lceval.store import load_run

__all__ = [
    "Run",
    "__version__",
    "baseline",
    "compare",
    "compare_variants",
    "export",
    "gate",
    "leaderboard",
    "load_run",
    "merge",
    "plan",
    "report",
    "rescore",
    "run",
    "show",
    "side_by_side",
]

_HOMES = {
    **{name: "lceval.api" for name in __all__ if name.islower() and name not in ("__version__", "load_run", "plan")},
    "plan": "lceval.costs.verb",
    "Run": "lceval.rows",
    "load_run": "lceval.store",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'lceval' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
