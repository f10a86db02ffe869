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
        "distractors": (
            "lceval.tasks.distractors:Distractors",
            "a needle among similar but wrong ones",
        ),
        "association": (
            "lceval.tasks.association:Association",
            "a needle that shares no word with its question",
        ),
        "mdqa": ("lceval.tasks.mdqa:Mdqa", "multi-document question answering over an invented encyclopedia"),
        "kv": ("lceval.tasks.kv:Kv", "key-value retrieval from a JSON object"),
        "vt": ("lceval.tasks.vt:Vt", "variable tracking: follow chains of assignments"),
        "cwe": ("lceval.tasks.cwe:Cwe", "common words: name the ten most frequent words of a list"),
        "fwe": ("lceval.tasks.fwe:Fwe", "frequent words: name the three most frequent coded words under a Zipf law"),
        "miniworld": (
            "lceval.tasks.miniworld:Miniworld",
            "people, rooms and things: facts that change",
        ),
        "coref": ("lceval.tasks.coref:Coref", "multi-round coreference: repeat the i-th of several answers to the same request"),
        "graph": ("lceval.tasks.graph:Graph", "breadth-first search and parents in a directed graph given as an edge list"),
        "copy": ("lceval.tasks.copy:Copy", "repeat a text of one repeated word and one odd one exactly"),
        "manyshot": ("lceval.tasks.manyshot:Manyshot", "in-context classification with labels that mean nothing"),
        "code": ("lceval.tasks.code:Code", "a synthetic code base: name a function by what it does, follow calls across files"),
        "count": ("lceval.tasks.count:Count", "list, count or add up facts that are scattered in the text"),
        "sequence": ("lceval.tasks.sequence:Sequence", "list scattered facts in their order of time"),
        "nolima": ("lceval.tasks.official.nolima:Nolima", "a NoLiMa needle set from your file: -T data=FILE"),
        "official": ("lceval.tasks.official.task:Official", "upstream benchmarks' own samples from a file: -T data=FILE"),
        "ruler/niah_single_1": ("lceval.tasks.ruler:niah_single_1", "one key in repeated noise, value a number"),
        "ruler/niah_single_2": ("lceval.tasks.ruler:niah_single_2", "one key in prose, value a number"),
        "ruler/niah_single_3": ("lceval.tasks.ruler:niah_single_3", "one key in prose, value a UUID"),
        "ruler/niah_multikey_1": ("lceval.tasks.ruler:niah_multikey_1", "four keys in prose, one asked"),
        "ruler/niah_multikey_2": ("lceval.tasks.ruler:niah_multikey_2", "one key among nothing but other keys"),
        "ruler/niah_multikey_3": ("lceval.tasks.ruler:niah_multikey_3", "the same with UUIDs for keys and values"),
        "ruler/niah_multivalue": ("lceval.tasks.ruler:niah_multivalue", "one key with four values in prose"),
        "ruler/niah_multiquery": ("lceval.tasks.ruler:niah_multiquery", "four keys in prose, all asked at once"),
        "ruler/vt": ("lceval.tasks.ruler:vt", "variable tracking in repeated noise"),
        "ruler/cwe": ("lceval.tasks.ruler:cwe", "ten common words"),
        "ruler/fwe": ("lceval.tasks.ruler:fwe", "three frequent coded words"),
        "ruler/qa_1": ("lceval.tasks.ruler:qa_1", "a question about one document among others"),
        "ruler/qa_2": ("lceval.tasks.ruler:qa_2", "a question that takes two documents"),
    },
    "runner": {
        "hf": ("lceval.runners.hf:HfRunner", "Transformers, greedy, every shared prefix computed once"),
        "vllm": ("lceval.runners.vllm:VllmRunner", "vLLM, greedy, its prefix cache on"),
        "endpoint": ("lceval.runners.endpoint:EndpointRunner", "any OpenAI-compatible server, many requests at a time"),
        "control": ("lceval.runners.control:ControlRunner", "no model: answers that fail in a known way"),
    },
}
"""Name -> where it is, and what it is in one line."""

GROUPS: dict[str, str] = {
    "ruler": "the 13 tasks of RULER; the score is the plain mean of theirs",
}
"""A group is what all tasks named `group/…` are together."""


def members(name: str) -> list[str]:
    """The tasks of a group (none of another package's); any other name stands for itself."""
    return [task for task in _BUILT_IN["task"] if task.startswith(f"{name}/")] if name in GROUPS else [name]


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
        raise unknown(
            kind, name, [*table, *(GROUPS if kind == "task" else ())], f"List them with 'lceval {kind}s'." if kind == "task" else ""
        )
    module, _, attribute = table[name].partition(":")
    return getattr(import_module(module), attribute)


def summary(kind: str, name: str) -> str:
    """What a task or runner is, in one line; of other packages' the first line of the class's docstring."""
    if name in _BUILT_IN[kind]:
        return _BUILT_IN[kind][name][1]
    return (load(kind, name).__doc__ or "").partition("\n")[0]
