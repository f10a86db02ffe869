"""What makes runs comparable: what was asked, and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lceval.keys import digest
from lceval.lengths import format_length
from lceval.reports.tables import groups
from lceval.reports.text import depth_text
from lceval.rows import Grid, Run


@dataclass(frozen=True, slots=True)
class Protocol:
    """The plan and the way of asking that runs share. Runs are ranked together only where all of it is equal."""

    settings: Mapping[str, str]
    """What people are told, by name."""
    id: str
    """A digest of it all, every planned question included."""


def protocol_of(run: Run) -> Protocol:
    """The protocol of a run.

    It is every planned question (task, parameters, seed, length, depth, index), the versions of the tasks and of their haystacks,
    the composition of prompts, how answers are decoded and begun, and whether a model or a control answers. A plan that was made
    in several commands is the same as one made in one.
    """
    info, grids = run.info, run.info.grids
    way = {
        "versions of the tasks": _listed(sorted(f"{grid.task} {grid.version}" for grid in grids)),
        "haystacks": _listed(sorted(grid.haystack_digest[:8] for grid in grids if grid.haystack_digest)) or "none",
        "prompt composition": str(info.fingerprint.get("composition", "unknown")),
        "decoding": str(info.fingerprint.get("decoding", "none")),
        "answer prefix": str(info.fingerprint.get("answer_prefix", "as the answer's beginning")),
        "answered by": "controls" if info.control else "models",
    }
    asked = {
        "tasks": _listed(group.title for group in groups(run)),
        "lengths": _listed(format_length(n) for n in sorted({length for grid in grids for length in grid.lengths})),
        "needles": _listed(_places(grid) for grid in grids),
        "samples a cell": _listed(sorted(grid.samples for grid in grids)),
        "seeds": _listed(sorted(grid.seed for grid in grids)),
    }
    haystacks = sorted({f"{grid.task} {grid.haystack_digest}" for grid in grids})
    return Protocol(asked | way, digest(way, haystacks, sorted(map(repr, run.planned)))[:8])


def differing(one: Protocol, other: Protocol) -> dict[str, tuple[str, str]]:
    """In which settings two protocols differ: name -> (one, other); in what was planned, if all that is told is equal."""
    found = {name: (value, other.settings[name]) for name, value in one.settings.items() if value != other.settings[name]}
    return found or ({"planned questions": (one.id, other.id)} if one.id != other.id else {})


def entry_text(run: Run) -> str:
    """What answered, in one line: what changes answers but does not keep runs apart."""
    fingerprint = run.info.fingerprint
    told = [run.info.runner, *(str(fingerprint[name]) for name in ("dtype", "quantization") if fingerprint.get(name))]
    if fingerprint.get("kv_dtype") not in (None, "", "auto"):
        told.append(f"{fingerprint['kv_dtype']} KV cache")
    if "chat_template" in fingerprint:
        told.append("no chat template" if fingerprint["chat_template"] == "off" else "chat template")
    if "weights" in fingerprint:
        told.append(f"weights {str(fingerprint['weights'])[:8]}")
    return " · ".join(told)


def _places(grid: Grid) -> str:
    if grid.given is not None:
        return "as the file has them"
    if grid.positions is not None:
        count = len({position for _, position in grid.positions})
        return f"{count} position{'s' * (count > 1)}"
    if set(grid.depths) == {None}:
        return "depths set by the task"
    depths: Sequence[float] = sorted(depth for depth in grid.depths if depth is not None)
    span = f"{depth_text(depths[0])} to {depth_text(depths[-1])}" if len(depths) > 1 else depth_text(depths[0])
    return f"{len(depths)} depth{'s' * (len(depths) > 1)}, {span}"


def _listed(values: Iterable[object]) -> str:
    return ", ".join(dict.fromkeys(map(str, values)))
