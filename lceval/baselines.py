"""What a gate compares with: a run's scores in one small file, made to be committed.

    lceval baseline runs/main -o baselines/main.json

It holds the fingerprint, what was planned, and the scores and log-probabilities of all answers, one line a question and length. The
same answers give the same bytes, in whatever order they were made, so a changed line in a diff is a changed answer.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from lceval.comparing import AnswerKey, Stratum
from lceval.errors import StoreError, UsageError
from lceval.rows import Grid, Row, Run

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What is kept of an answer."""

    seed: int
    index: int
    strict: float
    logprob: float | None


class Line(BaseModel):
    """One question at one length, in all cells."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    params: dict[str, Any]
    length: int
    seed: int
    index: int
    question: int
    pair_key: str
    cells: list[tuple[float | None, float, float | None]]
    """(depth, strict score, mean log-probability of the gold answer)."""


class Baseline(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1]
    lceval: str
    model: str
    variant: str
    runner: str
    fingerprint: dict[str, Any]
    grids: list[Grid]
    answers: list[Line]

    @classmethod
    def of(cls, run: Run) -> Baseline:
        """The baseline of a run.

        Raises:
            UsageError: some of its planned answers are missing.
        """
        answered = {row.planned_key: row for row in run.rows if row.strict is not None}
        missing = len(run.planned - answered.keys())
        if missing or not run.planned:
            raise UsageError(
                f"{run.path} cannot be a baseline: {missing} of its {len(run.planned)} planned answers are missing. "
                "Run the command that made it again."
            )
        lines: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
        for key in run.planned:
            row = answered[key]
            params = json.dumps(row.params, sort_keys=True)
            lines[row.task, params, row.length, row.seed, row.index, row.question, row.pair_key].append(row)
        return cls(
            format=FORMAT,
            lceval=run.info.lceval,
            model=run.info.model,
            variant=run.info.variant,
            runner=run.info.runner,
            fingerprint=run.info.fingerprint,
            grids=sorted(run.info.grids, key=lambda grid: grid.model_dump_json()),
            answers=[_line(lines[key]) for key in sorted(lines)],
        )

    @property
    def by_key(self) -> dict[AnswerKey, Answer]:
        """The answers by what was asked and in which cell."""
        return {
            AnswerKey(Stratum(line.task, json.dumps(line.params, sort_keys=True), line.length), line.pair_key, depth): Answer(
                line.seed, line.index, strict, logprob
            )
            for line in self.answers
            for depth, strict, logprob in line.cells
        }

    def dumps(self) -> str:
        """The file's text."""
        record = self.model_dump(mode="json", exclude_defaults=True)
        answers = ",\n".join("  " + json.dumps(line, sort_keys=True) for line in record.pop("answers"))
        head = json.dumps(record, indent=1, sort_keys=True).removesuffix("\n}")
        return f'{head},\n "answers": [\n{answers}\n ]\n}}\n'


def _line(rows: list[Row]) -> Line:
    first = rows[0]
    cells = sorted(((row.depth, row.strict or 0.0, row.logprob) for row in rows), key=lambda cell: (cell[0] is not None, cell[0]))
    return Line(cells=cells, **{name: getattr(first, name) for name in Line.model_fields if name != "cells"})


def load_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        StoreError: no such file, or not a baseline of this format.
    """
    try:
        return Baseline.model_validate_json(path.read_bytes())
    except OSError as error:
        raise StoreError(
            f"cannot read the baseline {str(path)!r}: {error.strerror}. Make one with 'lceval baseline RUN -o {path}'."
        ) from None
    except ValidationError as error:
        problem = error.errors()[0]
        raise StoreError(
            f"{str(path)!r} is not a baseline of this version of lceval, or damaged: {problem['msg']} "
            f"({'.'.join(map(str, problem['loc'])) or 'the file'}). Make it again with 'lceval baseline RUN -o {path}'."
        ) from None
