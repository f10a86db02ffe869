"""The tree of prefixes, against definitions that look at every prefix."""

from itertools import groupby

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lceval.tree import branch_points, shared_prefix, tree_size, walk_order
from lceval.types import Cell, Prompt, Question, Sample, TokenIds

Ids = tuple[int, ...]

# Ids of one, two and three bytes: none may run into its neighbour.
groups = st.lists(st.lists(st.sampled_from([0, 1, 255, 256, 70000]), min_size=1, max_size=7).map(tuple), min_size=1, max_size=12)


def prompt(ids: Ids) -> Prompt:
    sample = Sample("t", {}, 0, 0, 0, Cell(99, None), "", "")
    return Prompt(np.asarray(ids, dtype=np.uint32), 1, (0, len(ids)), (), Question("", (), "", 1), sample)


def walk_of(group: list[Ids]) -> list[Prompt]:
    return walk_order([prompt(ids) for ids in group])


def ids_of(walk: list[Prompt]) -> list[Ids]:
    return [tuple(p.ids.tolist()) for p in walk]


def common(a: Ids, b: Ids) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def nodes(group: list[Ids]) -> set[Ids]:
    return {ids[:n] for ids in group for n in range(1, len(ids) + 1)}


def joins(walk: list[Ids]) -> list[int]:
    """Where each prompt begins to be computed: after all that any earlier one has in common with it, but for its last token."""
    return [max((min(common(ids, earlier), len(ids) - 1) for earlier in walk[:i]), default=0) for i, ids in enumerate(walk)]


@given(groups)
def test_a_walk_has_every_prompt_once(group: list[Ids]) -> None:
    assert sorted(ids_of(walk_of(group))) == sorted(group)


@given(groups)
def test_a_walk_enters_every_prefix_once(group: list[Ids]) -> None:
    walk = ids_of(walk_of(group))
    for node in nodes(group):
        entered = [inside for inside, _ in groupby(ids[: len(node)] == node for ids in walk)]
        assert entered.count(True) == 1


@given(groups)
def test_a_walk_takes_the_child_with_the_longest_prompt_first(group: list[Ids]) -> None:
    walk = ids_of(walk_of(group))
    for node in {(), *nodes(group)}:
        inside = [ids for ids in walk if ids[: len(node)] == node]
        children = [max(map(len, run)) for _, run in groupby(inside, key=lambda ids: ids[: len(node) + 1])]
        assert children == sorted(children, reverse=True)


@given(groups)
def test_a_tree_costs_its_distinct_prefixes_and_the_last_token_of_prompts_inside_others(group: list[Ids]) -> None:
    walk = walk_of(group)
    inside_earlier = sum(any(earlier[: len(ids)] == ids for earlier in ids_of(walk)[:i]) for i, ids in enumerate(ids_of(walk)))
    size = tree_size(walk)
    assert size.one_by_one == sum(map(len, group))
    assert size.shared == len(nodes(group)) + inside_earlier


@given(groups)
@example([(1, 2, 3, 4), (1, 2, 3), (1, 2, 3), (1, 9), (8,)])
def test_branch_points_are_where_a_later_prompt_leaves_what_this_one_computed(group: list[Ids]) -> None:
    walk = walk_of(group)
    ids, starts = ids_of(walk), joins(ids_of(walk))
    expected = [
        sorted({starts[j] for j in range(i + 1, len(ids)) if starts[i] < starts[j] <= common(ids[i], ids[j])})
        for i in range(len(ids))
    ]
    assert branch_points(walk) == expected


@given(groups)
def test_every_prompt_finds_the_state_it_starts_from(group: list[Ids]) -> None:
    """Walk as an engine does: keep states at branch points only, on the way from the root."""
    walk = walk_of(group)
    ids, starts = ids_of(walk), joins(ids_of(walk))
    kept: set[Ids] = {()}
    for own, start, points in zip(ids, starts, branch_points(walk), strict=True):
        assert own[:start] in kept
        kept = {state for state in kept if own[: len(state)] == state} | {own[:point] for point in points}


def test_nested_lengths_and_depths_cost_what_a_trie_costs() -> None:
    trunk = tuple(range(100, 200))
    group = [(*trunk[:d], 1, *trunk[d : n - 1], 2) for n in (50, 100) for d in (0, 10, 40)]
    assert tree_size(walk_of(group)).shared == len(nodes(group)) < tree_size(walk_of(group)).one_by_one


@pytest.mark.parametrize(
    ("a", "b", "shared"),
    [((), (), 0), ((), (1,), 0), ((1, 2), (1, 2), 2), ((1, 2), (1, 2, 3), 2), ((1, 2, 3), (1, 9, 3), 1), ((5,), (6,), 0)],
)
def test_the_shared_prefix_of_two(a: Ids, b: Ids, shared: int) -> None:
    def array(ids: Ids) -> TokenIds:
        return np.asarray(ids, dtype=np.uint32)

    assert shared_prefix(array(a), array(b)) == shared_prefix(array(b), array(a)) == shared


def test_no_prompts_make_no_walk() -> None:
    assert walk_order([]) == []
    assert branch_points([]) == []
    assert tree_size([]).shared == tree_size([]).one_by_one == 0
