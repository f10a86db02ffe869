"""The prefix tree of a group of prompts, and the order in which to walk it.

Visited depth first, every distinct prefix token is computed exactly once: an engine needs only keep what lies on the way from
the root to where it stands. Among the children of a node the one with the longest prompt comes first, so that what needs most
memory is met in the first minute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lceval.types import Prompt, TokenIds


def shared_prefix(a: TokenIds, b: TokenIds) -> int:
    """How many leading tokens two prompts have in common."""
    n = min(len(a), len(b))
    different = a[:n] != b[:n]
    first = int(different.argmax()) if n else 0
    return first if n and different[first] else n


@dataclass(frozen=True, slots=True)
class TreeSize:
    """What walking a group costs, in prompt tokens."""

    one_by_one: int
    """Every prompt from nothing."""
    shared: int
    """Every distinct prefix token once: the minimum."""


def walk_order(prompts: Sequence[Prompt]) -> list[Prompt]:
    """The prompts of one group, depth first, the longest way first."""
    # Sorting the big-endian bytes sorts the ids lexicographically, which puts every subtree in one run.
    ordered = sorted(prompts, key=lambda prompt: prompt.ids.astype(">u4").tobytes())
    joins = [shared_prefix(a.ids, b.ids) for a, b in pairwise(ordered)]
    walk: list[Prompt] = []
    # A run [start, stop) of the sorted list is a subtree; it splits where its neighbours share least.
    runs = [(0, len(ordered))]
    while runs:
        start, stop = runs.pop()
        if stop - start <= 1:
            walk += ordered[start:stop]
            continue
        branch = min(joins[start : stop - 1])
        cuts = [start, *(i + 1 for i in range(start, stop - 1) if joins[i] == branch), stop]
        children = list(pairwise(cuts))
        children.sort(key=lambda run: max(len(prompt.ids) for prompt in ordered[run[0] : run[1]]))
        runs += children
    return walk


def tree_size(walk: Sequence[Prompt]) -> TreeSize:
    """The cost of a group in walk order. The last token of a prompt is always computed: its logits are the answer."""
    one_by_one = sum(len(prompt.ids) for prompt in walk)
    return TreeSize(one_by_one=one_by_one, shared=one_by_one - sum(usable(a, b) for a, b in pairwise(walk)))


def usable(one: Prompt, other: Prompt) -> int:
    """How many tokens that one prompt has computed another can use."""
    return min(shared_prefix(one.ids, other.ids), len(other.ids) - 1)


def branch_points(walk: Sequence[Prompt], usable: Callable[[Prompt, Prompt], int] = usable) -> list[list[int]]:
    """For every prompt of a walk, the positions (ascending) on its way at which a later prompt leaves it.

    The first prompt to pass such a position must keep its state there; the state of any other prefix is never needed again.

    Args:
        walk: the prompts in walk order.
        usable: how many tokens that one prompt has computed the next can use.
    """
    joins = [usable(one, other) for one, other in pairwise(walk)]
    points: list[list[int]] = []
    for i in range(len(walk)):
        start = joins[i - 1] if i else 0
        lowest, found = len(walk[i].ids), []
        for join in joins[i:]:
            if join < lowest:
                lowest = join
                if join <= start:
                    break
                found.append(join)
        points.append(found[::-1])
    return points
