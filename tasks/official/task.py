"""Upstream benchmarks' own samples, from a file, through our runners, store, scores and reports."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from pydantic import Field

from lceval.errors import UsageError
from lceval.keys import digest
from lceval.tasks.family import Family, FamilyParams
from lceval.tasks.official import read
from lceval.tasks.official.formats import FORMATS, Format, Item, adapt
from lceval.types import Draft, Question, Score


class OfficialParams(FamilyParams):
    """The parameters of `official`."""

    data: str = Field("", description="the file: .jsonl, .jsonl.gz, .json or .parquet; or hf:DATASET[:config][:split]")
    label: str = Field("", description="only the samples of this sub-task of the file, such as vt or qa1")


class Official(Family[OfficialParams]):
    """The task `official`: one sample a row, each prompt as it stands in the file or as its benchmark describes it."""

    family = "official"
    version = 1
    Params = OfficialParams

    @cached_property
    def items(self) -> list[Item]:
        """The samples.

        Raises:
            UsageError: no file is named, it cannot be read, or it is of no known format.
        """
        p, items = self.params, self._file.items
        chosen = [item for item in items if p.label in ("", item.label)]
        if not chosen:
            labels = sorted({item.label for item in items})
            raise UsageError(f"no sample of {p.data!r} has the label {p.label!r}; it has {', '.join(map(repr, labels))}.")
        return chosen

    @cached_property
    def _file(self) -> _File:
        data = self.params.data
        if not data:
            raise UsageError(f"official needs a file: -T data=FILE, in one of the formats {', '.join(FORMATS)}.")
        return _read(data, read.state(data))

    @property
    def given(self) -> int:  # noqa: D102
        return len(self.items)

    @property
    def digest(self) -> str:  # noqa: D102
        return self._file.digest

    @property
    def depth_is_free(self) -> bool:  # noqa: D102
        return False

    @property
    def chance(self) -> float:
        """As its benchmark has it; nan where nobody knows, and without a file."""
        return self._file.format.chance if self.params.data else math.nan

    @property
    def floors(self) -> str:  # noqa: D102
        known = [f"{form.name} {form.chance:.2g}" for form in FORMATS.values() if not math.isnan(form.chance)]
        return (
            f"those of the file's benchmark: a blind answer of the right kind scores {', '.join(known)}; of the others nobody knows"
        )

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:  # noqa: D102
        item = self.items[index]
        question = self.ask(
            "",
            item.question.answers,
            prefix=item.question.answer_prefix,
            budget=item.question.max_new_tokens,
            stop=item.question.stop,
            gold=item.question.gold,
        )
        return Draft(instruction="", questions=(replace(question, facts=item.facts),), turns=item.turns, spans=item.gold)

    def score(self, question: Question, text: str) -> Score:
        """Official: the formula of the file's benchmark. Strict: the same, but 0 for an output of more words than its token budget.

        Besides, strict is the F1 of all values named in ruler where the answers are numbers, uuids or variables (but not in its qa)
        and of all uuids named in litm_kv, and babilong's labels must be whole words there. Further readings are in the details.
        """
        return self._file.format.score(question, question.facts, text)

    def solve(self, text: str) -> str:
        """There is no solver for other people's samples."""
        raise UsageError("the samples of 'official' have no solver, so no control can answer them; use a model, or control:dump.")

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """There is no guesser either."""
        return self.solve(text)


class _File(NamedTuple):
    format: Format
    items: list[Item]
    digest: str


@lru_cache(maxsize=16)
def _read(data: str, state: tuple[object, ...]) -> _File:
    """What is in a file, which is read again when its state is another."""
    rows, content = read.load(data)
    form, items = adapt(data, rows)
    # A row's sub-task, which decides its metric, may come from the file's name.
    return _File(form, items, digest(content, form.name, [item.label for item in items]))
