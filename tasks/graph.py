"""Walks on a directed graph given as a list of edges: breadth-first search to an exact depth, or the parents of a node.

Measures how facts that lie far apart are joined. In a search of more than one step no edge answers the question alone, and a
missed one costs every node behind it; parents are only collected, each from an edge of its own.
After GraphWalks (Hugging Face `openai/graphwalks`; read as EleutherAI/lm-evaluation-harness does). Edges and wordings are our own.

What is connected to the asked node is the same at every length; filler edges of the same kind grow around it. Some edges lead back
to the start and between nodes found earlier, so that following arrows without minding what was seen gives wrong answers.

The original does not control where edges stand, and counts characters. lm-evaluation-harness, like older revisions of the data
card, gives a right empty list 0. Here, as on the data card from revision be6cc6ec on, an empty list is right where there is nothing
to name, if it was really given.

With placement=same, cells of an index share the edges before the shallower of their places; with random, those before the first.
"""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from lceval.keys import digest, generator, pick, shuffled, uniform
from lceval.tasks.family import Family, FamilyParams, sample_start
from lceval.tasks.scoring import set_f1, too_long
from lceval.types import Draft, Needle, Question, Score

VERSION = 1
"""Raised whenever the edges of any seed change."""

BLOCK_EDGES = 1920
"""About 32,768 characters."""

WINDOW_EDGES = 48
"""Neighbouring small graphs of the filler are shuffled together until there are this many edges."""

MOST = 64
"""Nodes in an answer."""

Edge = tuple[str, str]
Pool = Literal["sample", "haystack"]

_ID = r"(?<![0-9a-z])(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{6}(?![0-9a-z])"
_NODE = re.compile(_ID)
_EDGE = re.compile(rf"({_ID}) -> ({_ID})")
_BFS = re.compile(rf"exactly (\d+) steps? from ({_ID})")
_PARENTS = re.compile(rf"the parents of ({_ID})")
_PHRASE = "Final answer:"
_OFFICIAL = re.compile(rf"{_PHRASE}\s*\[(.*)\]")
_LIST = re.compile(r"final answer\W*?\[([^\]\n]*)\]")
_EMPTY = re.compile(r"\W*(?:none)?\W*")
_NONE = re.compile(  # that there may be none is what the question says
    r"\[\s*\]|\bempty (?:list|set)\b|(?<!may be )\bnone\b"
    r"|(?:\b(?:no|zero|without)|n[o']t (?:have|find) any) (?:\w+ )?(?:node|parent|edge)s?\b"
)


@dataclass(frozen=True)
class Edges:
    """Endless edges, one a line: small graphs of the sample's kind, linked to each other, their edges shuffled among neighbours."""

    degree: int
    seed: int
    name = "graph"
    endless = True

    @classmethod
    def of(cls, text: str) -> Self:
        """From `degree:seed`."""
        degree, seed = text.split(":")
        return cls(int(degree), int(seed))

    @property
    def digest(self) -> str:  # noqa: D102
        return digest("graph", VERSION, BLOCK_EDGES, WINDOW_EDGES, self.degree, self.seed)

    def blocks(self) -> Iterator[list[str]]:  # noqa: D102
        edges = self._edges()
        while True:
            yield [f"{a} -> {b}\n" for a, b in islice(edges, BLOCK_EDGES)]

    def _edges(self) -> Iterator[Edge]:
        nodes = _draw(generator("graph", "nodes", VERSION, self.seed), "haystack")
        rng = generator("graph", "edges", VERSION, self.degree, self.seed)
        earlier = [next(nodes)]
        window: list[Edge] = []
        while True:
            levels, edges = _walks(nodes, self.degree, 2, lambda: pick(rng, earlier), rng)  # noqa: B023
            earlier = [node for level in levels for node in level]
            window += edges
            if len(window) >= WINDOW_EDGES:
                yield from shuffled(rng, window)
                window = []


class GraphParams(FamilyParams):
    """The parameters of `graph`."""

    operation: Literal["bfs", "parents"] = Field(
        "bfs", description="bfs: the nodes at an exact distance from a node; parents: the nodes with an edge to a node"
    )
    degree: int = Field(2, ge=1, le=8, description="edges that leave a node")
    bfs_depth: int = Field(2, ge=1, le=6, description="bfs: the distance; the answer has degree ** bfs_depth nodes")
    parents: int = Field(3, ge=0, le=MOST, description="parents: how many there are; with 0 an empty list is right")
    placement: Literal["random", "same"] = Field(
        "random", description="where the asked nodes' edges stand: at places drawn for every sample, or all at the cell's depth"
    )
    questions: int = Field(1, ge=1, le=8, description="questions about one context, each about a graph of its own")

    @model_validator(mode="after")
    def _fits_together(self) -> GraphParams:
        if self.operation == "bfs" and self.answers > MOST:
            raise ValueError(
                f"degree={self.degree} and bfs_depth={self.bfs_depth} make an answer of {self.answers} nodes, at most {MOST} are "
                "possible; lower one of them"
            )
        return self

    @property
    def answers(self) -> int:
        """Nodes in the answer."""
        return int(self.degree**self.bfs_depth) if self.operation == "bfs" else self.parents


class Graph(Family[GraphParams]):
    """The task family `graph`."""

    family = "graph"
    version = 1
    Params = GraphParams

    @property
    def depth_is_free(self) -> bool:  # noqa: D102
        return self.params.placement == "same"

    @property
    def chance(self) -> float:
        """A guess names invented nodes, of which there are millions: 0. Where no node is right, naming none is: 1."""
        return 0.0 if self.params.answers else 1.0

    @property
    def floors(self) -> str:  # noqa: D102
        n = self.params.answers
        if not n:
            return "an empty list scores 1, whatever was read: this measures false alarms only; naming any node 0"
        return (
            f"invented nodes score 0; as many nodes of the text at random (asked / all): about {min(n / 57, 1):.2g} at 1k, "
            f"{min(n / 220, 1):.2g} at 4k{self._near}; printing the context official 0 (it does not end in a list), strict 0"
        )

    @property
    def _near(self) -> str:
        """What a reader gets who looks around the asked node instead of walking from it."""
        p = self.params
        if p.operation == "parents" or p.bfs_depth == 1:
            return ""
        default = (p.degree, p.bfs_depth, p.questions) == (2, 2, 1)
        if p.placement == "same":
            found = "0.7" if default else "up to 0.8"
        elif default:
            found = "0.2 at 1k, 0.06 at 4k"
        else:
            return ""
        return f"; nodes {'within 4' if default else 'within some'} lines of the asked one that stand on no left side {found}"

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:  # noqa: D102
        p = self.params
        size = p.bfs_depth if p.operation == "bfs" else p.parents
        rng = self.rng(p.operation, p.degree, size, p.questions, seed, index)
        nodes = _distinct(_draw(rng, "sample"))
        made = [self._asked(nodes, rng) for _ in range(p.questions)]
        # In what order edges stand must not tell which question or level they belong to.
        edges = shuffled(rng, [edge for _, _, edges, _ in made for edge in edges])
        if p.placement == "random":
            places = [uniform(rng) for _ in edges]
        else:
            assert depth is not None
            places = [depth] * len(edges)
        return Draft(
            instruction=self._instruction(),
            haystack=f"graph:{p.degree}:{seed}",
            start=sample_start(seed, index),
            needles=tuple(Needle(f"{a} -> {b}", place) for (a, b), place in zip(edges, places, strict=True)),
            questions=tuple(
                self.ask(
                    f"{self._question(node)} Answer in this form: {_PHRASE} [node, node]",
                    sorted(gold),
                    prefix=f"{_PHRASE} [",
                    budget=24 + 8 * len(gold),
                    support=sorted(edges.index(edge) for edge in needed),
                    gold=_answer(sorted(gold)),
                )
                for node, gold, _, needed in made
            ),
        )

    def _asked(self, nodes: Iterator[str], rng: np.random.Generator) -> tuple[str, list[str], list[Edge], list[Edge]]:
        """An asked node, the right answer, all edges around it, and those of them that the answer rests on."""
        p = self.params
        if p.operation == "bfs":
            levels, edges = _walks(nodes, p.degree, p.bfs_depth, lambda: next(nodes), rng)
            depths = {node: depth for depth, level in enumerate(levels) for node in level}
            return levels[0][0], levels[-1], edges, [(a, b) for a, b in edges if a in depths and depths.get(b, 0) > depths[a]]
        node, parents = next(nodes), list(islice(nodes, p.parents))
        needed = [(parent, node) for parent in parents]
        edges = [(parent, next(nodes)) for parent in parents for _ in range(p.degree - 1)]
        children = [next(nodes) for _ in range(p.degree)]
        if parents:
            edges.append((next(nodes), parents[0]))
            children[0] = parents[-1]
        return node, parents, needed + edges + [(node, child) for child in children], needed

    def _instruction(self) -> str:
        example = {
            "bfs": "p -> q, p -> r, q -> r, q -> s, the nodes exactly 2 steps from p are [s]: r is 1 step away",
            "parents": "p -> q, r -> q, q -> s, the parents of q are [p, r]",
        }[self.params.operation]
        return f"The lines below are the edges of a directed graph; p -> q leads from p to q. Example: with {example}.\n\nEdges:"

    def _question(self, node: str) -> str:
        steps = self.params.bfs_depth
        if self.params.operation == "bfs":
            return f"Which nodes are exactly {steps} step{'s' if steps > 1 else ''} from {node}, by the shortest path?"
        return f"Which nodes are the parents of {node}? There may be none."

    def score(self, question: Question, text: str) -> Score:
        """Official: F1 of the nodes in the list on the last line against the right ones; 0 without such a list.

        The list is found as in EleutherAI/lm-evaluation-harness, `graphwalks` (letter case and markdown matter), the answer prefix
        being part of the line unless the answer has the phrase itself. Where no node is right, an empty list that was given scores
        1, as on the data card of openai/graphwalks at revision be6cc6ec; lm-evaluation-harness gives 0 there (`lm_eval_f1`: its
        `f1`, which is official but for that). `flexible_f1`: official, but of the last list on any line.
        Strict: F1 of the nodes in the last list, whatever its case or markdown, or, without one, of all nodes named that the
        question does not name; where no node is right, a bare `[]` or a plain statement of that is enough; 0 for more words than
        the answer's token budget. `exact`, `precision`, `recall`: of the same nodes.
        """
        gold = set(question.answers)
        full = text if _PHRASE.lower() in text.lower() else question.answer_prefix + text
        lists = [_items(line) for line in full.rstrip("\n").split("\n")]
        official = _f1_if_given(lists[-1], gold)
        said = None if too_long(text, question.max_new_tokens) else _named(full, question.text)
        right, exact = len(said & gold) if said else 0, float(said == gold)
        return Score(
            official=official,
            strict=_f1_if_given(said, gold),
            details={
                "exact": exact,
                "precision": right / len(said) if said else exact,
                "recall": right / len(gold) if gold else exact,
                "flexible_f1": _f1_if_given(next((found for found in reversed(lists) if found is not None), None), gold),
                "lm_eval_f1": official if gold else 0.0,
            },
        )

    def solve(self, text: str) -> str:
        """Breadth-first search from the last node that is asked about, or a look at all edges that lead there."""
        edges = _EDGE.findall(text)
        asked = (_BFS if self.params.operation == "bfs" else _PARENTS).findall(text)
        if not asked:
            return ""
        if self.params.operation == "parents":
            found = {a for a, b in edges if b == asked[-1]}
        else:
            after = defaultdict(set)
            for a, b in edges:
                after[a].add(b)
            steps, start = asked[-1]
            found = seen = {start}
            for _ in range(int(steps)):
                found = {b for a in found for b in after[a]} - seen
                seen = seen | found
        return _answer(sorted(found)) if found or not self.params.answers else ""

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """As many invented nodes as the answer has."""
        return _answer(list(islice(_draw(rng, "sample"), self.params.answers)))


def _walks(
    nodes: Iterator[str], degree: int, depth: int, outside: Callable[[], str], rng: np.random.Generator
) -> tuple[list[list[str]], list[Edge]]:
    """A start and what it leads to, by level, and the edges.

    Beside the `degree` edges from every inner node to new ones there are some that change no level: from the last inner level back
    to the start and to another inner node (each ends a walk of the asked length that is no shortest path), and, for one in four
    nodes of the last level, one to a node outside, which has one that leads back to the last inner level.
    """
    levels = [[next(nodes)]]
    edges: list[Edge] = []
    for _ in range(depth):
        grown = [(node, next(nodes)) for node in levels[-1] for _ in range(degree)]
        edges += grown
        levels.append([child for _, child in grown])
    if depth > 1:
        last = levels[-2]
        edges.append((pick(rng, last), levels[0][0]))
        node = pick(rng, last)
        if others := [other for level in levels[1:-1] for other in level if other != node]:
            edges.append((node, pick(rng, others)))
    for leaf in levels[-1][::4]:
        far = outside()
        edges += [(leaf, far), (far, pick(rng, levels[-2]))]
    return levels, edges


def _draw(rng: np.random.Generator, pool: Pool) -> Iterator[str]:
    """Random nodes of a pool: six hexadecimal digits, with a letter and a number among them, so neither a word nor a count."""
    while True:
        for raw in rng.bit_generator.random_raw(64).tolist():
            node = f"{raw >> 40:06x}"
            of_sample = (zlib.crc32(node.encode()) >> 9) % 4 == 0  # one in four
            if of_sample == (pool == "sample") and not node.isalpha() and not node.isdigit():
                yield node


def _distinct(nodes: Iterator[str]) -> Iterator[str]:
    seen: set[str] = set()
    for node in nodes:
        if node not in seen:
            seen.add(node)
            yield node


def _answer(nodes: Sequence[str]) -> str:
    return f"{_PHRASE} [{', '.join(nodes)}]"


def _items(line: str) -> set[str] | None:
    """The items of the list on a line, as lm-evaluation-harness reads them; None without a list."""
    found = _OFFICIAL.search(line)
    return {item.strip().strip("'\"") for item in found[1].split(",") if item.strip()} if found else None


def _named(full: str, question: str) -> set[str] | None:
    """The nodes that an answer names; None when it neither names one nor says that there is none."""
    lists = [found for found in _LIST.findall(full.lower()) if _NODE.search(found) or _EMPTY.fullmatch(found)]
    text = lists[-1] if lists else full.lower()
    said = set(_NODE.findall(text)) - (set() if lists else set(_NODE.findall(question)))
    return said if said or lists or _NONE.search(text) else None


def _f1_if_given(said: set[str] | None, gold: set[str]) -> float:
    """0 where no list was given; an empty one for an empty gold set is right."""
    return 0.0 if said is None else set_f1(said, gold)
