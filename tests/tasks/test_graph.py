from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval.errors import UsageError
from lceval.keys import generator, shuffled
from lceval.tasks.graph import Edges, Graph
from lceval.types import Prompt, Question

Compose = Callable[..., Prompt]
Params = dict[str, Any]

A, B, C, D, START = "a3f9c1", "07be22", "4d5e6f", "e1e2e3", "0c0ffe"
ASKED = f"Which nodes are exactly 2 steps from {START}, by the shortest path? Answer in this form: Final answer: [node, node]"
PREFIX = "Final answer: ["
BUDGET = 40

SWEEP: list[Params] = [
    {},
    {"placement": "same"},
    {"questions": 4},
    {"answer_prefix": False},
    *({"degree": degree, "bfs_depth": depth} for degree, depth in [(1, 1), (1, 6), (2, 1), (2, 4), (3, 3), (8, 2)]),
    *({"operation": "parents", "parents": parents} for parents in (0, 1, 3, 24)),
    {"operation": "parents", "degree": 1},
    {"operation": "parents", "degree": 4, "questions": 3, "placement": "same"},
    {"operation": "parents", "parents": 0, "questions": 2, "answer_prefix": False},
]
sweep = pytest.mark.parametrize("params", SWEEP, ids=str)


def graph(**params: Any) -> Graph:
    return Graph.from_params(params)


def ask(*gold: str, prefix: str = PREFIX, budget: int = BUDGET) -> Question:
    return Question(text=ASKED, answers=gold, answer_prefix=prefix, max_new_tokens=budget)


def edges_of(lines: Iterable[str]) -> list[tuple[str, str]]:
    return [(a, b) for line in lines for a, b in re.findall(r"^([0-9a-f]{6}) -> ([0-9a-f]{6})$", line.strip(), re.MULTILINE)]


def distances(edges: list[tuple[str, str]], start: str) -> dict[str, int]:
    """Breadth-first search with a queue."""
    far, queue = {start: 0}, deque([start])
    while queue:
        node = queue.popleft()
        for a, b in edges:
            if a == node and b not in far:
                far[b] = far[node] + 1
                queue.append(b)
    return far


def walked(edges: Iterable[tuple[str, str]], start: str, steps: int) -> set[str]:
    """Where walks of that many steps end, whatever they pass."""
    ends, known = {start}, list(edges)
    for _ in range(steps):
        ends = {b for a, b in known if a in ends}
    return ends


@pytest.mark.parametrize(
    ("output", "official", "strict"),
    [
        (f"{A}, {B}]", 1, 1),
        (f"{B},{A}]\n", 1, 1),
        (f"Final answer: [{A}, {B}]", 1, 1),
        (f"The start is {START}.\nFinal answer: [{A}, {B}]", 1, 1),
        (f"{START} leads to {C}, and that to both.\n\nFinal answer: [{A}, {B}]\n\n", 1, 1),
        (f"'{A}', \"{B}\"]", 1, 1),
        (f"{A}, {B}, {A}]", 1, 1),
        (f"{A}, {B}", 0, 1),
        (f"{A.upper()}, {B.upper()}]", 0, 1),
        (f"`{A}`, **{B}**]", 0, 1),
        (f"_{A}_, _{B}_]", 0, 1),
        (f"FINAL ANSWER: [{A}, {B}]", 0, 1),
        (f"**Final Answer:** [{A}, {B}]", 0, 1),
        (f"Final Answer: [{A}, {B}]", 0, 1),
        (f"Final answer: [node, node]: [{A}, {B}]", 2 / 5, 1),  # their regex takes the first bracket to the last
        (f"final answer: [node, node]: [{A}, {B}]", 0, 1),
        (f"**Final answer:** [{A}, {B}]", 0, 1),
        (f"Final answer: [{A}, {B}]\nThat is all.", 0, 1),
        (f"The nodes exactly 2 steps from {START} are {A} and {B}.", 0, 1),
        (f"Final answer: [node, node]. So: {A} and {B}.", 0, 1),
        (f"{A}]", 2 / 3, 2 / 3),
        (f"{A}, {B}, {START}]", 4 / 5, 4 / 5),
        (f"{A}, {B}, {C}, {D}]", 2 / 3, 2 / 3),
        (f"{C}, {D}]", 0, 0),
        (f"Final answer: [{C}]\nFinal answer: [{A}, {B}]", 1, 1),
        (f"Final answer: [{A}, {B}]\nFinal answer: [{C}]", 0, 0),
        (f"It is {A}, {B}, {C} or {D}.", 0, 2 / 3),
        ("]", 0, 0),
        ("", 0, 0),
        ("none]", 0, 0),
        ("I do not know.", 0, 0),
        (f"{A}{B}]", 0, 0),
        ("facade, decade, 123456]", 0, 0),
        (" ".join([A, B] + ["and"] * BUDGET) + "]", 0, 0),
    ],
)
def test_scores_of_answers(output: str, official: float, strict: float) -> None:
    score = graph().score(ask(A, B), output)
    assert (score.official, score.strict) == (pytest.approx(official), pytest.approx(strict))


@pytest.mark.parametrize(
    ("output", "official", "strict"),
    [
        ("]", 1, 1),
        (" ]\n", 1, 1),
        ("Final answer: []", 1, 1),
        ("Final answer: [none]", 0, 1),
        ("There are no parents.", 0, 1),
        ("There are none, no such nodes", 0, 1),
        ("none]", 0, 1),
        ("It has no incoming edges.", 0, 1),
        (f"{START} doesn't have any parents.", 0, 1),
        ("I could not find any edge to it, so the list is: []", 0, 1),
        ("an empty list", 0, 1),
        ("I do not know; nothing to say", 0, 0),
        ("I cannot tell; there may be none.", 0, 0),
        ("There is no way to say which nodes are meant.", 0, 0),
        (f"[{A}]", 0, 0),
        (f"It has no parents except {A}: []", 0, 0),
        ("", 0, 0),
        ("I do not know", 0, 0),
        ("node, node]", 0, 0),
        ("Final answer: [node, node]", 0, 0),
        (f"{A}]", 0, 0),
        (f"There is no node but {A}.", 0, 0),
    ],
)
def test_where_no_node_is_right_an_empty_list_is_and_nothing_else(output: str, official: float, strict: float) -> None:
    score = graph(operation="parents", parents=0).score(ask(), output)
    assert (score.official, score.strict) == (official, strict)
    assert score.details["lm_eval_f1"] == 0
    assert score.details["flexible_f1"] == official
    assert score.details["exact"] == score.details["precision"] == strict


@pytest.mark.parametrize("output", ["[]", "[ ]", "`[]`", "The parents: []", "It has no incoming edges.", "Final Answer: []"])
def test_without_a_prefix_an_empty_list_may_be_bare(output: str) -> None:
    score = graph(operation="parents", parents=0, answer_prefix=False).score(ask(prefix=""), output)
    assert (score.official, score.strict) == (0, 1)


def test_without_a_prefix_the_list_needs_its_phrase() -> None:
    task, question = graph(answer_prefix=False), ask(A, B, prefix="")
    assert task.score(question, f"{A}, {B}]").official == 0
    assert task.score(question, f"[{A}, {B}]").strict == 1
    assert task.score(question, f"Final answer: [{A}, {B}]").official == 1


def test_details_tell_precision_from_recall() -> None:
    score = graph().score(ask(A, B, C), f"Final answer: [{A}, {D}]\nThank you.")
    assert score.details == {
        "exact": 0,
        "precision": pytest.approx(1 / 2),
        "recall": pytest.approx(1 / 3),
        "flexible_f1": pytest.approx(2 / 5),
        "lm_eval_f1": 0,
    }
    assert graph().score(ask(A, B), f"{A}, {B}]").details == dict.fromkeys(
        ("exact", "precision", "recall", "flexible_f1", "lm_eval_f1"), 1
    )


def lm_eval_f1(response: str, gold: set[str], *, flexible: bool) -> float:
    """The formula of lm-evaluation-harness, written down again from its definition."""
    lines = response.rstrip("\n").split("\n")
    for line in reversed(lines if flexible else lines[-1:]):
        at = line.find("Final answer:")
        while at >= 0:  # the leftmost phrase with a list behind it
            rest = line[at + len("Final answer:") :].lstrip()
            if rest.startswith("[") and "]" in rest:
                parts = rest[1 : rest.rindex("]")].split(",")
                said = {part.strip().strip("\"'") for part in parts if part.strip()}
                hits = len(said & gold)
                precision, recall = hits / len(said) if said else 0.0, hits / len(gold) if gold else 0.0
                return 2 * precision * recall / (precision + recall) if hits else 0.0
            at = line.find("Final answer:", at + 1)
    return 0.0


pieces = st.sampled_from(
    [
        A,
        B,
        C,
        START,
        A.upper(),
        ", ",
        ",",
        "[",
        "]",
        "Final answer:",
        "Final answer: [",
        "FINAL ANSWER: [",
        "\n",
        " ",
        "'",
        '"',
        "so",
        "`",
        "none",
    ]
)
outputs = st.lists(pieces, max_size=14).map("".join)


@given(outputs, st.sets(st.sampled_from([A, B, C])), st.booleans())
def test_official_is_the_formula_of_the_benchmark(output: str, gold: set[str], begun: bool) -> None:
    question = ask(*sorted(gold), prefix=PREFIX if begun else "")
    score = graph().score(question, output)
    response = output if re.search("final answer:", output, re.IGNORECASE) else question.answer_prefix + output
    assert score.details["lm_eval_f1"] == pytest.approx(lm_eval_f1(response, gold, flexible=False))
    if gold:
        assert score.official == score.details["lm_eval_f1"]
        assert score.details["flexible_f1"] == pytest.approx(lm_eval_f1(response, gold, flexible=True))
    else:
        assert score.official in (0, 1)
    assert 0 <= score.strict <= 1


SMALL = f"""Edges:
{START} -> {A}
{B} -> {START}
{A} -> {B}
{START} -> {C}
{A} -> {C}
{C} -> {D}
{D} -> {A}
"""


@pytest.mark.parametrize(("steps", "answer"), [("1 step", [A, C]), ("2 steps", [B, D]), ("3 steps", None)])
def test_the_solver_searches_breadth_first(steps: str, answer: list[str] | None) -> None:
    text = f"{SMALL}\n\nWhich nodes are exactly {steps} from {START}, by the shortest path?<|end|>\n<|assistant|>\nFinal answer: ["
    assert graph().solve(text) == (f"Final answer: [{', '.join(sorted(answer))}]" if answer else "")


def test_the_solver_reads_the_last_question() -> None:
    text = f"{SMALL}\nexactly 2 steps from {START}, …\n\nWhich nodes are exactly 1 step from {B}, by the shortest path?"
    assert graph().solve(text) == f"Final answer: [{START}]"


def test_the_solver_finds_parents() -> None:
    task, text = graph(operation="parents"), f"{SMALL}\n\nWhich nodes are the parents of "
    assert task.solve(f"{text}{A}?") == f"Final answer: [{', '.join(sorted([START, D]))}]"
    assert task.solve(f"{text}{START}?") == f"Final answer: [{B}]"
    assert task.solve(f"{text}999fff?") == task.solve(SMALL) == task.solve("") == ""
    assert graph(operation="parents", parents=0).solve(f"{text}999fff?") == "Final answer: []"


def test_the_solver_reads_fragments() -> None:
    fragment = f"9c1 -> {D}\n{START} -> {B}\n{B} -> {C}\n\nWhich nodes are exactly 2 steps from {START}, by the shortest path?"
    assert graph().solve(fragment) == f"Final answer: [{C}]"
    assert graph().solve(fragment.replace(f"{START} -> {B}", "")) == ""


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"degree": 8, "bfs_depth": 3}, "answer of 512 nodes, at most 64"),
        ({"degree": 3, "bfs_depth": 6}, "lower one of them"),
        ({"degree": 0}, "degree"),
        ({"parents": -1}, "parents"),
        ({"questions": 9}, "questions"),
        ({"operation": "dfs"}, "operation"),
        ({"placement": "spread"}, "placement"),
    ],
    ids=str,
)
def test_parameters_that_are_refused(params: Params, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        graph(**params)


def test_many_parents_of_many_children_are_possible() -> None:
    assert len(graph(operation="parents", degree=8, bfs_depth=6, parents=64).draft(None, 0, 0).questions[0].answers) == 64


@sweep
def test_a_perfect_reader_is_right_and_one_who_missed_the_needles_is_not(params: Params, compose: Compose, bpe: Any) -> None:
    task = graph(**params)
    for depth in (0.0, 1.0) if task.depth_is_free else (None,):
        for number in range(task.params.questions):
            prompt = compose(bpe, task, 4096, depth, 1, 0, number)
            score = task.score(prompt.question, task.solve(bpe.decode(prompt.ids)))
            assert (score.official, score.strict, score.details["exact"]) == (1, 1, 1)
            kept = np.ones(len(prompt.ids), dtype=bool)
            for begin, end in prompt.needle_tokens:
                kept[begin:end] = False
            blind = task.score(prompt.question, task.solve(bpe.decode(prompt.ids[kept])))
            assert (blind.official, blind.strict) == (task.chance, task.chance)


@sweep
def test_the_answer_is_right_in_the_whole_graph_of_the_prompt(params: Params, compose: Compose, bpe: Any) -> None:
    task = graph(**params)
    for index in range(3):
        prompt = compose(bpe, task, 4096, 0.5 if task.depth_is_free else None, index)
        edges = edges_of([bpe.decode(prompt.ids)])
        (asked,) = re.findall(r"(?:from|of) ([0-9a-f]{6})", prompt.question.text)
        if task.params.operation == "bfs":
            gold = {node for node, far in distances(edges, asked).items() if far == task.params.bfs_depth}
        else:
            gold = {a for a, b in edges if b == asked}
        assert set(prompt.question.answers) == gold
        assert len(prompt.question.answers) == len(gold) == task.params.answers


def test_reading_it_as_a_tree_or_without_directions_is_wrong() -> None:
    for params in ({}, {"degree": 3}, {"degree": 2, "bfs_depth": 3}, {"degree": 4, "bfs_depth": 2}):
        task = graph(**params)
        for index in range(50):
            draft = task.draft(None, index, 0)
            (question,) = draft.questions
            edges = edges_of(needle.text for needle in draft.needles)
            (start,) = re.findall(r"from ([0-9a-f]{6})", question.text)
            steps, gold = task.params.bfs_depth, set(question.answers)
            ends = walked(edges, start, steps)
            assert gold < ends
            assert start in ends
            earlier = {node for node, far in distances(edges, start).items() if 0 < far < steps}
            assert ends & earlier
            both = distances(edges + [(b, a) for a, b in edges], start)
            assert {node for node, far in both.items() if far == steps} != gold


def test_gold_leaves_lead_on_and_the_outside_leads_back_in() -> None:
    for index in range(50):
        draft = graph().draft(None, index, 0)
        edges = edges_of(needle.text for needle in draft.needles)
        (start,) = re.findall(r"from ([0-9a-f]{6})", draft.questions[0].text)
        far = distances(edges, start)
        gold = set(draft.questions[0].answers)
        assert [far[b] for a, b in edges if a in gold] == [3]
        assert len([b for a, b in edges if far[a] == 3 and far[b] < 3]) == 1
        assert Counter(a for a, b in edges if far[a] < far[b] <= 2) == {a: 2 for a, depth in far.items() if depth < 2}


@sweep
def test_the_support_is_what_the_answer_rests_on(params: Params) -> None:
    task = graph(**params)
    draft = task.draft(0.5, 0, 0)
    assert len({needle.text for needle in draft.needles}) == len(draft.needles)
    for question in draft.questions:
        (asked,) = re.findall(r"(?:from|of) ([0-9a-f]{6})", question.text)
        edges = edges_of(draft.needles[i].text for i in question.support)
        if task.params.operation == "bfs":
            assert {n for n, far in distances(edges, asked).items() if far == task.params.bfs_depth} == set(question.answers)
            assert len(edges) == sum(task.params.degree**depth for depth in range(1, task.params.bfs_depth + 1))
        else:
            assert sorted(edges) == [(parent, asked) for parent in question.answers]


def test_the_placement_decides_where_edges_stand_and_nothing_else() -> None:
    same, spread = graph(placement="same"), graph()
    assert same.depth_is_free
    assert not spread.depth_is_free
    one, other = same.draft(0.3, 4, 0), spread.draft(None, 4, 0)
    assert {needle.depth for needle in one.needles} == {0.3}
    assert [needle.text for needle in one.needles] == [needle.text for needle in other.needles]
    assert one.questions == other.questions
    drawn = np.array([[needle.depth for needle in spread.draft(None, index, 0).needles] for index in range(200)])
    assert abs(drawn.mean() - 0.5) < 4 * np.sqrt(1 / 12 / drawn.size)
    assert abs((drawn < 0.1).mean() - 0.1) < 4 * np.sqrt(0.09 / drawn.size)


def test_the_order_of_edges_tells_nothing_about_their_level() -> None:
    drafts = [graph().draft(None, index, 0) for index in range(400)]
    places = [i / len(draft.needles) for draft in drafts for i in draft.questions[0].support]
    assert abs(np.mean(places) - 0.45) < 4 * 0.29 / np.sqrt(len(places))


@pytest.mark.parametrize("degree", [1, 2, 8])
def test_the_filler_never_touches_a_sample(degree: int) -> None:
    blocks = list(islice(Edges(degree, 0).blocks(), 12))
    assert all(line.endswith("\n") and len(edges_of([line])) == 1 for block in blocks[:2] for line in block)
    assert all(30_000 < sum(map(len, block)) < 36_000 for block in blocks)
    filler = {node for block in blocks for edge in edges_of(["".join(block)]) for node in edge}
    for params in SWEEP:
        for index in range(5):
            draft = graph(**params).draft(0.5, index, 0)
            assert not filler & {node for needle in draft.needles for edge in edges_of([needle.text]) for node in edge}
    assert all(re.search("[a-f]", node) and re.search("[0-9]", node) for node in filler)


def test_the_filler_looks_like_the_samples() -> None:
    edges = edges_of(["".join(block) for block in islice(Edges(3, 0).blocks(), 10)])
    leaving, entering = Counter(a for a, _ in edges), Counter(b for _, b in edges)
    sizes = Counter(leaving.values())
    assert sizes[3] + sizes[4] + sizes[5] > 0.3 * len(leaving)
    assert max(leaving.values()) < 12
    assert max(entering.values()) < 10
    asked = [edges_of(n.text for n in graph(degree=3).draft(None, i, 0).needles) for i in range(100)]
    shares = [Counter(Counter(a for a, _ in one).values()) for one in (edges, *asked)]
    of_filler, of_samples = shares[0], sum(shares[1:], Counter())
    for size in (1, 3, 4):
        assert of_filler[size] / of_filler.total() == pytest.approx(of_samples[size] / of_samples.total(), abs=0.2)


def test_the_filler_is_a_function_of_its_name() -> None:
    one, again, seed, degree = (next(Edges.of(name).blocks()) for name in ("2:7", "2:7", "2:8", "3:7"))
    assert one == again
    assert one not in (seed, degree)
    assert len({Edges.of(name).digest for name in ("2:7", "2:8", "3:7")}) == 3


def test_invented_nodes_score_nothing(compose: Compose, bpe: Any) -> None:
    for params in ({}, {"operation": "parents"}):
        task = graph(**params)
        for index in range(20):
            prompt = compose(bpe, task, 1024, None, index)
            text = bpe.decode(prompt.ids)
            for i in range(25):
                answer = task.guess(text, generator("guess", index, i))
                assert len(re.findall(r"[0-9a-f]{6}", answer)) == task.params.answers
                assert task.score(prompt.question, answer).strict == task.chance == 0


def told(floors: str, what: str) -> list[float]:
    """The numbers behind `what` up to the next semicolon, `1k` and `4k` left out."""
    return [float(number) for number in re.findall(r"(?<![\w.])[\d.]+(?![\w.])", floors.partition(what)[2].partition(";")[0])]


@pytest.mark.parametrize(("length", "place"), [(1024, 0), (4096, 1)])
def test_nodes_of_the_text_at_random_score_what_the_floors_say(length: int, place: int, compose: Compose, bpe: Any) -> None:
    task = graph()
    said, scores = told(task.floors, "(asked / all)")[place], []
    for index in range(20):
        prompt = compose(bpe, task, length, None, index)
        seen = sorted({node for edge in edges_of([bpe.decode(prompt.ids)]) for node in edge})
        for i in range(100):
            answer = ", ".join(shuffled(generator("seen", index, i), seen, 4)) + "]"
            scores.append(task.score(prompt.question, answer).strict)
    # The figure is of SmolLM2's tokenizer; this one takes a fifth more tokens for a node.
    assert abs(np.mean(scores) - 1.2 * said) < 0.08 * said + 4 * np.std(scores) / np.sqrt(len(scores))


@pytest.mark.parametrize(("length", "placement", "place"), [(1024, "random", 0), (4096, "random", 1), (4096, "same", 0)])
def test_looking_around_the_asked_node_scores_what_the_floors_say(
    length: int, placement: str, place: int, compose: Compose, bpe: Any
) -> None:
    task, scores = graph(placement=placement), []
    said = told(task.floors, "no left side")[place]
    for index in range(100):
        prompt = compose(bpe, task, length, 0.5 if task.depth_is_free else None, index)
        edges = edges_of([bpe.decode(prompt.ids)])
        (asked,) = re.findall(r"from ([0-9a-f]{6})", prompt.question.text)
        near = {j for i, edge in enumerate(edges) if asked in edge for j in range(i - 4, i + 5) if 0 <= j < len(edges)}
        ends = {edges[j][1] for j in near} - {a for a, _ in edges} - {asked}
        scores.append(task.score(prompt.question, f"{', '.join(sorted(ends))}]").strict)
    assert np.mean(scores) == pytest.approx(said, abs=0.05)


def test_floors_say_nothing_of_places_where_that_was_not_measured() -> None:
    assert "no left side up to 0.8" in graph(placement="same", degree=3).floors
    for params in ({"degree": 3}, {"bfs_depth": 1, "placement": "same"}, {"operation": "parents"}, {"questions": 2}):
        assert "no left side" not in graph(**params).floors


def test_where_no_node_is_right_naming_none_always_wins_and_the_floors_say_so() -> None:
    task = graph(operation="parents", parents=0)
    assert task.guess("", generator("g")) == "Final answer: []"
    assert task.chance == 1
    assert "an empty list scores 1" in task.floors


@pytest.mark.parametrize("params", [{}, {"answer_prefix": False}, {"operation": "parents", "parents": 0}], ids=str)
def test_printing_the_context_scores_nothing(params: Params, compose: Compose, bpe: Any) -> None:
    task = graph(**params)
    for length in (512, 1024):
        prompt = compose(bpe, task, length, None, 0)
        score = task.score(prompt.question, bpe.decode(prompt.ids, special=True))
        assert (score.official, score.strict) == (0, 0)
