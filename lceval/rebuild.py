"""Prompts are not stored; they are made again from a row's recipe, and the hash says whether they are the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from lceval.errors import LcevalError, StoreError
from lceval.fitter import Fitter, prompt_sha256
from lceval.planning import Corpora, compose
from lceval.registry import load
from lceval.rows import Row, Run
from lceval.types import Cell, Prompt, Sample

if TYPE_CHECKING:
    from lceval.reports.excerpt import Excerpt
    from lceval.tokens import Tokenizer

AROUND_TOKENS = 60


class Rebuilder:
    """Makes the prompts of stored rows again.

    Args:
        tokenizer: of the run's model.
        longest: the run's largest length in tokens.
    """

    def __init__(self, tokenizer: Tokenizer, longest: int) -> None:
        self.tokenizer = tokenizer
        corpora = Corpora(tokenizer, longest)
        self._fitter = Fitter(tokenizer, corpora, corpora.words)

    @classmethod
    def of(cls, run: Run) -> Rebuilder:
        """With the tokenizer that the run's runner uses, and nothing else of the model."""
        tokenizer = load("runner", run.info.runner).tokenizer_of(run.info.model, run.info.model_options)
        return cls(tokenizer, max(row.length for row in run.rows))

    def prompt(self, row: Row) -> Prompt:
        """The prompt a row was answered on.

        Raises:
            StoreError: it cannot be made again: the tokenizer, the corpus or the task has changed since.
        """
        task = load("task", row.task).from_params(row.params)
        cell = Cell(row.length, row.depth)
        sample = Sample(row.task, row.params, row.seed, row.index, row.question, cell, row.pair_key, row.sample_key)
        prompt = compose(self._fitter, task, sample)
        found = prompt_sha256(prompt.ids)
        if found != row.prompt_sha256:
            raise StoreError(
                f"the prompt of {row.sample_key} cannot be made again: it now hashes to {found[:16]}… instead of "
                f"{row.prompt_sha256[:16]}…. The tokenizer, the haystack or the task has changed since it was answered."
            )
        return prompt

    def excerpts(self, row: Row) -> list[Excerpt]:
        """The text around every needle of a row's prompt."""
        from lceval.reports.excerpt import Excerpt

        prompt = self.prompt(row)
        return [
            Excerpt(
                before=self.tokenizer.decode(prompt.ids[max(0, start - AROUND_TOKENS) : start], special=True),
                needle=self.tokenizer.decode(prompt.ids[start:stop]),
                after=self.tokenizer.decode(prompt.ids[stop : stop + AROUND_TOKENS], special=True),
                token_start=start,
                token_end=stop,
            )
            for start, stop in prompt.needle_tokens
        ]


def sample_excerpts(
    run: Run, rows: Sequence[Row], rebuilder: Rebuilder | None, note: Callable[[str], None]
) -> Mapping[str, list[Excerpt]]:
    """The text around the needles of some samples, by sample key.

    Args:
        run: a run.
        rows: of this run.
        rebuilder: for its prompts; made from the run's own record if None.
        note: told what has to be left out, and why.
    """
    excerpts: dict[str, list[Excerpt]] = {}
    reasons: list[str] = []
    for row in rows:
        try:
            rebuilder = rebuilder or Rebuilder.of(run)
            excerpts[row.sample_key] = rebuilder.excerpts(row)
        except LcevalError as error:
            reasons.append(str(error))
            if rebuilder is None:
                break
    if reasons:
        note(f"the report lacks the text around the needles of {len(rows) - len(excerpts)} samples: {reasons[0]}")
    return excerpts
