"""What is to be done: every cell of every sample, less what is stored, in groups that share prefixes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING

from lceval.cache import cache_dir
from lceval.config import DEFAULT_DEPTHS, RunConfig
from lceval.corpus import Corpus, Source, Vocabulary, Words, tokenized, tokenized_words
from lceval.costs.work import Load, Work, counted
from lceval.errors import CannotFit, UsageError
from lceval.fitter import COMPOSITION, Fitter
from lceval.keys import digest, pair_key, sample_key
from lceval.lengths import format_length
from lceval.making import make_tasks
from lceval.rows import Grid
from lceval.store import replace_file
from lceval.tokens import Tokenizer
from lceval.tree import TreeSize, tree_size, walk_order
from lceval.types import Cell, Draft, Prompt, Sample, Task

if TYPE_CHECKING:
    from lceval.costs.forecast import Forecast

TOLERANCE = 1 / 32
"""By how much a file's sample may exceed its length: others count their tokens without BOS and chat template."""

MEASURED_PROMPTS = 500
"""How many prompts `Plan.size` composes before it extrapolates."""


class Corpora:
    """The haystacks of a run, opened once each."""

    def __init__(self, tokenizer: Tokenizer, tokens: int) -> None:
        self._tokenizer = tokenizer
        self._tokens = tokens
        self._sources: dict[str, Source | Vocabulary] = {}
        self._corpora: dict[str, Corpus] = {}
        self._words: dict[str, Words] = {}

    def source(self, name: str) -> Source | Vocabulary:
        """The text, or the words, behind a haystack's full name."""
        if name not in self._sources:
            from lceval.tasks import haystacks

            self._sources[name] = haystacks.source(name)
        return self._sources[name]

    def __call__(self, name: str) -> Corpus:
        """The tokens of a text."""
        if name not in self._corpora:
            source = self.source(name)
            assert isinstance(source, Source)
            self._corpora[name] = tokenized(source, self._tokenizer, self._tokens)
        return self._corpora[name]

    def words(self, name: str) -> Words:
        """The tokens of a vocabulary."""
        if name not in self._words:
            vocabulary = self.source(name)
            assert isinstance(vocabulary, Vocabulary)
            self._words[name] = tokenized_words(vocabulary, self._tokenizer)
        return self._words[name]


@dataclass(frozen=True, slots=True)
class Group:
    """The samples of one index of one task: the leaves of one prefix tree."""

    task: Task
    index: int
    asked: Sequence[tuple[Cell, int]]
    """The cells that are left to do, each with the question that is asked there."""
    recipes: Callable[[int, Iterable[tuple[Cell, int]]], Iterator[Sample]]

    @property
    def samples(self) -> list[Sample]:
        """A recipe for each of them: made anew every time, since all recipes of a large plan would fill the memory."""
        return list(self.recipes(self.index, self.asked))

    @property
    def work(self) -> int:
        """How much there is to do: the lengths of all cells together."""
        return sum(cell.length for cell, _ in self.asked)


@dataclass(frozen=True, slots=True)
class PlanSize:
    """How large a plan is, in prompt tokens."""

    prompts: int
    tokens: TreeSize
    measured: int
    """Prompts that were composed for this; the rest is extrapolated."""


class Plan:
    """The work of one command.

    Args:
        config: what was asked.
        tokenizer: of the model under test.
        done: sample keys that are stored already.
        grids: the grids of an earlier plan of the same config, which need not be made again.
    """

    def __init__(
        self, config: RunConfig, tokenizer: Tokenizer, done: Collection[str] = (), *, grids: list[Grid] | None = None
    ) -> None:
        self.config = config
        self.done = done
        self.tokenizer = tokenizer
        self.corpora = Corpora(tokenizer, max(config.lengths))
        self.fitter = Fitter(tokenizer, self.corpora, self.corpora.words)
        self.tasks = make_tasks(config)
        self.longest = max(config.lengths)
        """The longest prompt + answer, in tokens."""
        self.forecast: Forecast | None = None
        """What it will cost, once somebody has asked (`lceval.costs.verb.of_run`)."""
        self._made = grids

    @cached_property
    def grids(self) -> list[Grid]:
        """One grid a task: the denominator of its scores."""
        return self._made or [self._grid(task) for task in self.tasks]

    def _grid(self, task: Task) -> Grid:
        if task.given is not None:
            return self._given(task, task.given)
        lengths, depths, aims = list(self.config.lengths), self._depths(task), self.config.positions
        example = task.draft(depths[0], 0, self.config.seed)
        if task.one_pass:
            asked = [example.needles[max(question.support, default=0)] for question in example.questions]
            depths = [needle.depth for needle in asked]
            aims = tuple(needle.position for needle in asked if needle.position is not None)
        positions = None
        if aims and (task.depth_is_free or task.one_pass):
            positions = self._positions(task, aims)
            lengths = sorted({length for length, _ in positions})
            depths = [*sorted({position / length for length, position in positions})]
        return Grid(
            task=task.name,
            params=task.params.model_dump(exclude_defaults=True),
            seed=self.config.seed,
            lengths=lengths,
            depths=depths,
            positions=positions,
            one_pass=task.one_pass,
            samples=self.config.samples,
            questions=len(example.questions),
            version=task.version,
            haystack_digest=self._digest(task, example),
        )

    def _depths(self, task: Task) -> list[float | None]:
        if task.depth_is_free:
            return list(DEFAULT_DEPTHS if self.config.depths is None else self.config.depths)
        if task.one_pass and self.config.one_pass:
            return [None]
        if (option := self._placing) and not any(other.depth_is_free for other in self.tasks):
            raise UsageError(
                f"{option} says where needles go, and {task.name} (as its parameters are) places them itself. Leave {option} out, "
                f"or see 'lceval tasks {task.name}' for a parameter that leaves them to the grid."
            )
        return [None]

    @property
    def _placing(self) -> str:
        """The option that says where needles go; empty if none was given."""
        return "--depths" if self.config.depths is not None else "--positions" if self.config.positions is not None else ""

    def _positions(self, task: Task, positions: Sequence[int]) -> list[tuple[int, int]]:
        """(length, position) of the cells in which a needle at a position stands before the question, whatever the sample.

        Raises:
            UsageError: the task has no tokens to aim at, or no length holds one of the positions.
        """
        behind = 0
        for index in range(self.config.samples):
            draft = task.draft(0.0 if task.depth_is_free else None, index, self.config.seed)
            if draft.arranger:
                raise UsageError(
                    f"--positions aims at tokens of the prompt, and {task.name} counts its depth in words of a text that grows "
                    "with the length. Use --depths for it."
                )
            behind = max(behind, self.fitter.behind(draft))
        last = max(self.config.lengths) - behind
        if beyond := [position for position in positions if position > last]:
            raise UsageError(
                f"position {format_length(beyond[0])} ({beyond[0]} tokens): of {task.name} the longest prompt "
                f"({format_length(max(self.config.lengths))}) holds a needle at {max(last, 0)} tokens at most, since the needle "
                f"itself, the question and the answer take {behind}. Ask for positions up to that, or for greater --lengths."
            )
        return [(length, position) for length in self.config.lengths for position in positions if position <= length - behind]

    def _digest(self, task: Task, example: Draft) -> str:
        """Identity of all text that comes from outside the task. Other samples' items differ in what seed and index say only."""
        own = self.corpora.source(example.haystack).digest if example.haystack else ""
        return digest(own, task.digest) if task.digest else own

    def _given(self, task: Task, count: int) -> Grid:
        """The samples of a file that fit in the longest length asked for, each under the power of two that holds it.

        Not under the lengths asked for, so that asking for others changes no sample's cell.
        """
        longest, room = max(self.config.lengths), Counter[int]()
        chosen: list[tuple[int, float | None, int]] = []
        for index, (need, place) in enumerate(self._measured(task, count)):
            length = max(256, 1 << (round(need / (1 + TOLERANCE)) - 1).bit_length())
            if need <= longest * (1 + TOLERANCE) and room[length] < self.config.samples:
                room[length] += 1
                self.longest = max(self.longest, need)
                chosen.append((length, None if place is None else round(place, 1), index))
        if not chosen:
            raise CannotFit(
                f"none of the {count} samples of {task.name} fits in {format_length(longest)} tokens with its answer. Ask for "
                "greater --lengths."
            )
        return Grid(
            task=task.name,
            params=task.params.model_dump(exclude_defaults=True),
            seed=self.config.seed,
            lengths=sorted(room),
            depths=sorted({depth for _, depth, _ in chosen}, key=lambda d: -1.0 if d is None else d),
            samples=self.config.samples,
            version=task.version,
            haystack_digest=task.digest,
            given=chosen,
        )

    def _measured(self, task: Task, count: int) -> list[tuple[int, float | None]]:
        """For each sample of a file: its tokens, the reserved ones included, and where among them its needle begins."""
        known = digest(task.digest, task.params.model_dump(), self.tokenizer.hash, self.tokenizer.frame.hash, COMPOSITION)
        file = cache_dir() / "measured" / f"{known}.json"
        if file.exists():
            return [(need, place) for need, place in json.loads(file.read_text())]
        measured: list[tuple[int, float | None]] = []
        for index in range(count):
            sample = Sample(task.name, {}, 0, index, 0, Cell(0, None), "", "")
            prompt = self.fitter.fit(task.draft(None, index, self.config.seed), 0, sample)
            place = prompt.needle_depths[0] if prompt.needle_tokens else None
            measured.append((len(prompt.ids) + prompt.reserved, place))
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, json.dumps(measured).encode())
        return measured

    @cached_property
    def groups(self) -> list[Group]:
        """All groups of this shard that have something left to do."""
        groups = []
        for task, grid in zip(self.tasks, self.grids, strict=True):
            recipes = partial(self._samples, task, grid)
            for index, asked in _by_index(grid):
                groups.append(Group(task, index, asked, recipes))
        part, parts = self.config.shard
        mine = (self._left(group) for group in groups[part - 1 :: parts])
        return [group for group in mine if group.asked]

    def _left(self, group: Group) -> Group:
        """What is not done yet of a group."""
        if not self.done:
            return group
        left = [(s.cell, s.question) for s in group.samples if s.sample_key not in self.done]
        return group if len(left) == len(group.asked) else replace(group, asked=left)

    def _samples(self, task: Task, grid: Grid, index: int, asked: Iterable[tuple[Cell, int]]) -> Iterator[Sample]:
        # Of a file what it says counts, not where it lies.
        content = {**grid.params, "data": task.digest} if task.digest else grid.params
        pair_of = cache(lambda question: pair_key(task.name, task.version, content, grid.seed, index, question))
        for cell, question in asked:
            pair = pair_of(question)
            key = sample_key(
                pair,
                cell,
                tokenizer=self.tokenizer.hash,
                frame=self.tokenizer.frame.hash,
                corpus=grid.haystack_digest,
                composition=COMPOSITION,
            )
            yield Sample(task.name, grid.params, grid.seed, index, question, cell, pair, key)

    def notes(self) -> Iterator[str]:
        """What the user should know before the run starts."""
        longest = max(self.config.lengths)
        grids = [task for task in self.tasks if task.given is None]
        own = [task.name for task in grids if not (task.depth_is_free or (task.one_pass and self.config.one_pass))]
        if own and self._placing:
            yield f"{self._placing} does not apply to {', '.join(own)}: the task, or its parameters, place the needles"
        for name in self.config.task_params:
            takers = [task.name for task in self.tasks if name in task.Params.model_fields]
            if 0 < len(takers) < len(self.tasks):
                yield f"-T {name} applies to {', '.join(takers)}"
        for task, grid in zip(self.tasks, self.grids, strict=True):
            if grid.given is not None:
                left_out = (task.given or 0) - len(grid.given)
                if left_out:
                    yield (
                        f"{task.name}: {len(grid.given)} of {task.given} samples are used, at most {grid.samples} a length "
                        f"(--samples) and none beyond {format_length(longest)} (--lengths)"
                    )
                continue
            if short := sorted({*self.config.lengths} - {*grid.lengths}):
                yield f"{task.name}: none of the positions lies within {', '.join(map(format_length, short))}"
            draft = task.draft(grid.depths[0], 0, grid.seed)
            if draft.arranger or not draft.haystack:
                continue
            corpus = self.corpora(draft.haystack)
            if not corpus.endless and len(corpus.ids) < longest:
                yield (
                    f"haystack {corpus.name!r} has {len(corpus.ids)} tokens: prompts of {format_length(longest)} repeat it "
                    f"{longest / len(corpus.ids):.1f} times"
                )

    @property
    def planned(self) -> int:
        """Prompts of the whole grid, stored ones and other shards' included."""
        return sum(1 for grid in self.grids for _ in grid.entries())

    @property
    def pending(self) -> int:
        """Prompts left to answer, in this shard."""
        return sum(len(group.asked) for group in self.groups)

    @property
    def pending_by_length(self) -> dict[int, int]:
        """The same for each length, ascending."""
        return dict(sorted(Counter(cell.length for group in self.groups for cell, _ in group.asked).items()))

    def compose(self, group: Group) -> list[Prompt]:
        """The prompts of a group in walk order."""
        return self.prompts(group.task, group.samples)

    def prompts(self, task: Task, samples: Iterable[Sample]) -> list[Prompt]:
        """The prompts of some samples of one index, in walk order."""
        draft = cache(task.draft)  # what a sample says is the same in all lengths
        return walk_order([self.fitter.fit(draft(s.cell.depth, s.index, s.seed), s.question, s) for s in samples])

    def check_fit(self, max_length: int | None, model: str) -> None:
        """Refuse, before any weights are loaded, what cannot be run as asked.

        Args:
            max_length: the model's window in tokens, or None.
            model: its name, for the message.

        Raises:
            CannotFit: a length beyond the window (unless allowed), or a cell too short for its fixed text.
        """
        grids, longest = self.grids, self.longest
        if max_length is not None and longest > max_length and not self.config.allow_beyond_window:
            raise CannotFit(
                f"length {format_length(longest)} ({longest} tokens) lies beyond the window of {model!r} ({max_length} tokens). "
                f"Ask for --lengths up to {format_length(max_length)}, or add --allow-beyond-window to see the model break."
            )
        for task, grid in zip(self.tasks, grids, strict=True):
            if grid.given is None:
                for index, asked in _by_index(grid):
                    shortest = {question: (cell, question) for cell, question in asked if cell.length == min(grid.lengths)}
                    for sample in self._samples(task, grid, index, shortest.values()):
                        compose(self.fitter, task, sample)

    @cached_property
    def load(self) -> Load:
        """What is to be read and answered, from the first tree of each task."""
        loads = [counted(self.compose(groups[0]), sum(len(group.asked) for group in groups)) for groups in self._by_task.values()]
        return sum(loads[1:], loads[0]) if loads else Load(0, Work(), Work(), 0, "nothing is left to do")

    @cached_property
    def size(self) -> PlanSize:
        """Prompt tokens with and without prefix sharing; exact up to `MEASURED_PROMPTS`, extrapolated beyond."""
        one_by_one = shared = 0.0
        measured = 0
        share = MEASURED_PROMPTS // max(1, len(self._by_task))
        for groups in self._by_task.values():
            pending, seen, tokens = sum(len(group.asked) for group in groups), 0, TreeSize(0, 0)
            for group in groups:
                tree = tree_size(self.compose(group))
                tokens = TreeSize(tokens.one_by_one + tree.one_by_one, tokens.shared + tree.shared)
                seen += len(group.asked)
                if seen >= share:
                    break
            one_by_one, shared = one_by_one + tokens.one_by_one * pending / seen, shared + tokens.shared * pending / seen
            measured += seen
        return PlanSize(self.pending, TreeSize(round(one_by_one), round(shared)), measured)

    @cached_property
    def _by_task(self) -> dict[int, list[Group]]:
        """The groups of each task."""
        found: dict[int, list[Group]] = {}
        for group in self.groups:
            found.setdefault(id(group.task), []).append(group)
        return found


def _by_index(grid: Grid) -> Iterator[tuple[int, list[tuple[Cell, int]]]]:
    """Every index with its cells, each with the question that is asked there."""
    if grid.given is None:  # all have the same
        one = grid.model_copy(update={"samples": 1})
        asked = [(Cell(length, depth), question) for length, depth, _, question in one.entries()]
        yield from ((index, asked) for index in range(grid.samples))
        return
    for length, depth, index in grid.given:  # each has its one cell
        yield index, [(Cell(length, depth), question) for question in range(grid.questions)]


def compose(fitter: Fitter, task: Task, sample: Sample) -> Prompt:
    """The prompt of one sample, from its recipe."""
    draft = task.draft(sample.cell.depth, sample.index, sample.seed)
    return fitter.fit(draft, sample.question, sample)
