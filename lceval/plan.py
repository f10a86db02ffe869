"""What is to be done: every cell of every sample, less what is stored, in groups that share prefixes."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lceval.cache import cache_dir
from lceval.config import DEFAULT_DEPTHS, RunConfig
from lceval.corpus import Corpus, Source, Vocabulary, Words, tokenized, tokenized_words
from lceval.errors import CannotFit, UsageError, unknown
from lceval.fitter import COMPOSITION, Fitter
from lceval.keys import digest, pair_key, sample_key
from lceval.lengths import format_length
from lceval.registry import load, members
from lceval.rows import Grid
from lceval.store import replace_file
from lceval.tokens import Tokenizer
from lceval.tree import TreeSize, tree_size, walk_order
from lceval.types import Cell, Draft, Prompt, Sample, Task

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
    samples: tuple[Sample, ...]


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
        self._made = grids

    @cached_property
    def grids(self) -> list[Grid]:
        """One grid a task: the denominator of its scores."""
        return self._made or [self._grid(task) for task in self.tasks]

    def _grid(self, task: Task) -> Grid:
        if task.given is not None:
            return self._given(task, task.given)
        depths = self._depths(task)
        example = task.draft(depths[0], 0, self.config.seed)
        return Grid(
            task=task.name,
            params=task.params.model_dump(exclude_defaults=True),
            seed=self.config.seed,
            lengths=list(self.config.lengths),
            depths=depths,
            samples=self.config.samples,
            questions=len(example.questions),
            version=task.version,
            haystack_digest=self._digest(task, example),
        )

    def _depths(self, task: Task) -> list[float | None]:
        if task.depth_is_free:
            return list(DEFAULT_DEPTHS if self.config.depths is None else self.config.depths)
        if self.config.depths is not None and not any(other.depth_is_free for other in self.tasks):
            raise UsageError(
                f"--depths says where needles go, and {task.name} (as its parameters are) places them itself. Leave --depths out, "
                f"or see 'lceval tasks {task.name}' for a parameter that leaves them to the grid."
            )
        return [None]

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
            for index, cells in _by_index(grid).items():
                samples = tuple(s for s in self._samples(task, grid, index, cells) if s.sample_key not in self.done)
                groups.append(Group(task, samples))
        part, parts = self.config.shard
        return [group for group in groups[part - 1 :: parts] if group.samples]

    def _samples(self, task: Task, grid: Grid, index: int, cells: Iterable[Cell]) -> Iterator[Sample]:
        for question in range(grid.questions):
            # Of a file what it says counts, not where it lies.
            content = {**grid.params, "data": task.digest} if task.digest else grid.params
            pair = pair_key(task.name, task.version, content, grid.seed, index, question)
            for cell in cells:
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
        own = [task.name for task in self.tasks if not task.depth_is_free and task.given is None]
        if own and self.config.depths is not None:
            yield f"--depths does not apply to {', '.join(own)}: the task, or its parameters, place the needles"
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
        return sum(len(list(grid.cells())) * grid.questions for grid in self.grids)

    @property
    def pending(self) -> int:
        """Prompts left to answer, in this shard."""
        return sum(len(group.samples) for group in self.groups)

    def compose(self, group: Group) -> list[Prompt]:
        """The prompts of a group in walk order."""
        return walk_order([compose(self.fitter, group.task, sample) for sample in group.samples])

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
                shortest = Cell(min(grid.lengths), grid.depths[0])
                for index in range(grid.samples):
                    for sample in self._samples(task, grid, index, [shortest]):
                        compose(self.fitter, task, sample)

    @cached_property
    def expected_tokens(self) -> int:
        """Prompt tokens to compute with sharing, from the first tree of each task."""
        return sum(
            tree_size(self.compose(groups[0])).shared * sum(len(group.samples) for group in groups) // len(groups[0].samples)
            for groups in self._by_task.values()
        )

    @cached_property
    def size(self) -> PlanSize:
        """Prompt tokens with and without prefix sharing; exact up to `MEASURED_PROMPTS`, extrapolated beyond."""
        one_by_one = shared = 0.0
        measured = 0
        share = MEASURED_PROMPTS // max(1, len(self._by_task))
        for groups in self._by_task.values():
            pending, seen, tokens = sum(len(group.samples) for group in groups), 0, TreeSize(0, 0)
            for group in groups:
                tree = tree_size(self.compose(group))
                tokens = TreeSize(tokens.one_by_one + tree.one_by_one, tokens.shared + tree.shared)
                seen += len(group.samples)
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


def _by_index(grid: Grid) -> dict[int, list[Cell]]:
    """The cells of every sample."""
    cells: dict[int, list[Cell]] = {}
    for length, depth, index in grid.cells():
        cells.setdefault(index, []).append(Cell(length, depth))
    return cells


def compose(fitter: Fitter, task: Task, sample: Sample) -> Prompt:
    """The prompt of one sample, from its recipe."""
    draft = task.draft(sample.cell.depth, sample.index, sample.seed)
    return fitter.fit(draft, sample.question, sample)


def make_tasks(config: RunConfig) -> list[Task]:
    """The tasks of a config with their parameters: `name=value` goes to every task that has it, `task.name=value` to one.

    Raises:
        UsageError: an unknown task or parameter.
    """
    makers: dict[str, Any] = {name: load("task", name) for name in config.tasks}
    own: dict[str, dict[str, Any]] = {name: {} for name in makers}
    for name, value in sorted(config.task_params.items(), key=lambda pair: "." in pair[0]):  # those for one task come last, and win
        scope, dot, field = name.rpartition(".")
        if any(task not in makers for task in members(scope) if dot):
            raise UsageError(f"-T {name}= is for a task {scope!r} that is not in this run ({', '.join(makers)}).")
        within = members(scope) if dot else list(makers)
        takers = [task for task in within if field in makers[task].Params.model_fields]
        if not takers and field == "data":
            raise UsageError(
                f"-T data={value}: {', '.join(within)} write their own samples. A benchmark's own file is run with "
                f"'lceval run official -T data={value}', a NoLiMa needle set with 'lceval run nolima -T data={value}'."
            )
        if not takers:
            fields = dict.fromkeys(field for task in within for field in makers[task].Params.model_fields)
            raise unknown(f"parameter of {scope or ', '.join(makers)}", field, fields)
        for task in takers:
            own[task][field] = value
    return [_whole(name, maker.from_params(own[name])) for name, maker in makers.items()]


def _whole(name: str, task: Task) -> Task:
    """The task, which may be another package's, if it has all that a task must have."""
    wanted = [member for member in (*Task.__annotations__, *vars(Task)) if not member.startswith("_")]
    if missing := [member for member in wanted if inspect.getattr_static(task, member, wanted) is wanted]:
        raise UsageError(
            f"task {name!r} ({type(task).__module__}.{type(task).__qualname__}) lacks {', '.join(missing)}. Update its package, or "
            "make its class one of lceval.tasks.family.Family."
        )
    return task
