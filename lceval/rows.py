"""What a run records: one row an answer, one grid a command, and `run.json`; and a run folder as it is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from lceval.types import Outcome

if TYPE_CHECKING:
    import pandas as pd

KEYED = ("tokenizer", "chat_template", "composition")
"""What of a fingerprint decides which prompts a sample key stands for. The rest may depend on a machine's hardware."""

PlannedKey: TypeAlias = tuple[str, str, int, int, float | None, int, int]
"""(task, params as JSON, seed, length, depth, index, question)."""


class Row(BaseModel):
    """One answered question: the columns of the store, the DataFrame and every export."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    params: dict[str, Any]
    model: str
    variant: str
    runner: str
    length: int
    depth: float | None
    index: int
    question: int
    seed: int
    sample_key: str
    pair_key: str
    prompt_sha256: str
    prompt_tokens: int
    reserved_tokens: int
    cached_tokens: int
    new_tokens: int
    needle_tokens: list[tuple[int, int]]
    needle_depths: list[float]
    support: list[int] = Field(default_factory=list)
    """Indices of the needles that the answer rests on; empty when it is all of them."""
    answers: list[str]
    output: str
    outcome: Outcome
    finish_reason: str
    official: float | None
    strict: float | None
    details: dict[str, float] = Field(default_factory=dict)
    """Further measures by name."""
    thinking_words: int = 0
    """Words of `output` that were thought before the answer, and not scored."""
    logprob: float | None = None
    """Mean log-probability (natural) of the gold answer's tokens after the prompt; None where it was not scored."""
    greedy_match: bool | None = None
    """Whether greedy decoding says exactly these tokens first."""
    prefill_s: float
    decode_s: float
    error: str | None = None

    @property
    def answered(self) -> bool:
        """Whether this is an answer; what failed is tried again."""
        return self.outcome in ("ok", "truncated")

    @property
    def planned_key(self) -> PlannedKey:
        """The entry of `Grid.planned` that this row answers."""
        params = json.dumps(self.params, sort_keys=True) if self.params else "{}"
        return self.task, params, self.seed, self.length, self.depth, self.index, self.question


class Grid(BaseModel):
    """What one `run` command planned for one task: the denominator of its scores."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    params: dict[str, Any]
    """The parameters that differ from the task's defaults."""
    seed: int
    lengths: list[int]
    depths: list[float | None]
    positions: list[tuple[int, int]] | None = None
    """(length, prompt token) of every cell, where needles aim at tokens; then `depths` are the second divided by the first."""
    one_pass: bool = False
    """Whether the needles of all cells of a length stand in one context, one question each, so that the other needles distract."""
    samples: int
    questions: int = 1
    version: int = 1
    """The task's."""
    haystack_digest: str = ""
    given: list[tuple[int, float | None, int]] | None = None
    """(length, depth, index) of the planned samples that come from a file; then `samples` is how many a length has at most."""

    def entries(self) -> Iterator[tuple[int, float | None, int, int]]:
        """(length, depth, index, question) of every planned row."""
        if self.given is not None:
            for length, depth, index in self.given:
                for question in range(self.questions):
                    yield length, depth, index, question
            return
        for length, depth, place in self._cells():
            for index in range(self.samples):
                for question in (place,) if self.one_pass else range(self.questions):
                    yield length, depth, index, question

    def _cells(self) -> Iterator[tuple[int, float | None, int]]:
        """(length, depth, which of the depths or positions) of every cell."""
        if self.positions is None:
            yield from ((length, depth, place) for length in self.lengths for place, depth in enumerate(self.depths))
            return
        places = {position: place for place, position in enumerate(sorted({position for _, position in self.positions}))}
        yield from ((length, position / length, places[position]) for length, position in self.positions)

    def planned(self) -> Iterator[PlannedKey]:
        """The key of every planned row."""
        params = json.dumps(self.params, sort_keys=True)
        return ((self.task, params, self.seed, *entry) for entry in self.entries())


class RunInfo(BaseModel):
    """`run.json`."""

    model_config = ConfigDict(extra="forbid")

    lceval: str
    created: str
    model: str
    model_options: dict[str, Any] = Field(default_factory=dict)
    runner: str
    variant: str = ""
    control: bool = False
    """Whether the answers come from a control, not from a model."""
    fingerprint: dict[str, Any]
    environment: dict[str, Any] = Field(default_factory=dict)
    forecast: dict[str, Any] = Field(default_factory=dict)
    """What the last command that had something to do was expected to cost (`lceval.costs`), and `peak_bytes`, what it took."""
    grids: list[Grid] = Field(default_factory=list)
    commands: list[str] = Field(default_factory=list)


class Run:
    """A run folder, read. Never writes."""

    def __init__(self, path: Path, info: RunInfo, rows: list[Row]) -> None:
        self.path = path
        self.info = info
        self.rows = rows

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The rows as a DataFrame, one column per `Row` field."""
        import pandas as pd

        return pd.DataFrame([row.model_dump() for row in self.rows], columns=list(Row.model_fields))

    @cached_property
    def planned(self) -> set[PlannedKey]:
        """The keys of every row that any command of this run planned (`Grid.planned`)."""
        return {key for grid in self.info.grids for key in grid.planned()}

    @cached_property
    def answers(self) -> dict[PlannedKey, Row]:
        """The planned rows by key; of several to one key the last."""
        planned = self.planned
        return {key: row for row in self.rows if (key := row.planned_key) in planned}

    @cached_property
    def coverage(self) -> float:
        """Answered rows over planned rows, 0..1."""
        answered = {row.planned_key for row in self.rows if row.answered}
        return len(answered & self.planned) / len(self.planned) if self.planned else 0.0
