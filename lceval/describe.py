"""What the command line prints about tasks, plans and stored answers, as lines of text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lceval.corpus import Vocabulary
from lceval.lengths import format_length
from lceval.registry import GROUPS, load, members, names, summary
from lceval.tasks.family import FamilyParams
from lceval.tasks.haystacks import source as haystack

if TYPE_CHECKING:
    from lceval.planning import Plan
    from lceval.rows import Row
    from lceval.tokens import Tokenizer
    from lceval.types import Arrangement, Draft, Prompt, Task

AROUND_TOKENS = 80
EXAMPLE_WORDS = 60


def tasks() -> Iterator[str]:
    """One line a task, groups last."""
    for name in names("task"):
        if name.partition("/")[0] not in GROUPS:
            yield _line(name)
    for group in GROUPS:
        yield from ("", *_members(group))
    yield ""
    yield "'lceval tasks NAME' shows a task's parameters; set them with -T NAME=VALUE."


def _line(name: str) -> str:
    return f"{name:<14} {summary('task', name)}"


def _members(group: str) -> Iterator[str]:
    yield f"{group:<14} {GROUPS[group]}"
    for name in members(group):
        yield f"  {name:<24} {summary('task', name)}"


def task(name: str) -> Iterator[str]:
    """Parameters, scores, floors and a short example of a task; the members of a group."""
    if name in GROUPS:
        yield from _members(name)
        return
    made: Task = load("task", name).from_params({})
    yield f"{name}: {summary('task', name)}"
    yield ""
    yield "parameters (-T NAME=VALUE)"
    fields = sorted(made.Params.model_fields.items(), key=lambda field: field[0] in FamilyParams.model_fields)
    for field, info in fields:  # its own before those of all families
        default = "''" if info.default == "" else info.default
        lead = f"  {field} = {default}"
        yield from _hanging(f"{lead:<32}", info.description or "")
    yield ""
    yield "positions"
    place = "the grid's depth places the needle" if made.depth_is_free else "the task places its needles; --depths does not apply"
    if "data" in made.Params.model_fields and not made.depth_is_free:
        place = "as the file has them; each sample counts for the power of two that holds it, and for its needle's depth in tenths"
    yield from _hanging("  ", place)
    yield ""
    yield "scores"
    yield from _hanging("  ", " ".join((made.score.__doc__ or "").split()))
    yield from _hanging("  floors: ", made.floors)
    yield ""
    yield "example"
    if "data" in made.Params.model_fields:
        yield "  the samples come from your file"
        return
    draft = made.draft(0.5 if made.depth_is_free else None, 0, 0)
    arrangement = draft.arranger.arrange(draft.arranger.least) if draft.arranger else None
    question = draft.questions[0]
    gold = arrangement.answers[0] if arrangement and arrangement.answers else question.answers
    for text in (
        draft.instruction,
        *_context(draft, arrangement),
        draft.closing,
        question.text,
        f"(answer begins) {question.answer_prefix}" if question.answer_prefix else "",
        f"(gold) {', '.join(gold)}",
    ):
        for line in text.splitlines():
            yield from _hanging("  ", line) if line else ("",)


def _context(draft: Draft, arrangement: Arrangement | None) -> Iterator[str]:
    """What a short context of a draft says: its needles, or its words at the smallest size."""
    if arrangement:
        vocabulary = haystack(draft.haystack)
        assert isinstance(vocabulary, Vocabulary)
        words = [vocabulary.words[i] for i in arrangement.words]
        yield " ".join(words[:EXAMPLE_WORDS]) + (" …" if len(words) > EXAMPLE_WORDS else "")
        return
    for needle in draft.needles:
        yield f"… {needle.text} …" if draft.haystack else needle.text


def _hanging(lead: str, text: str) -> list[str]:
    return textwrap.wrap(lead + text, width=80, subsequent_indent=" " * min(len(lead), 32), break_long_words=False)


def plan(made: Plan) -> Iterator[str]:
    """What `--dry-run` prints: cells, samples, and prompt tokens with and without prefix sharing."""
    from lceval.reports.tables import ONE_PASS

    for grid in made.grids:
        depths = [f"{depth:g}" for depth in grid.depths if depth is not None]
        given = "".join(f" {name}={value}" for name, value in grid.params.items())
        if grid.given is not None:
            yield f"{grid.task}{given}: {len(grid.given)} samples of the file, in {len(grid.lengths)} lengths"
            continue
        lengths = f"{len(grid.lengths)} lengths ({', '.join(map(format_length, grid.lengths))})"
        where = f"{len(depths)} depths ({', '.join(depths)})" if depths else "depths set by the task"
        if grid.positions is not None:
            positions = sorted({position for _, position in grid.positions})
            where = f"{len(positions)} positions ({', '.join(map(format_length, positions))}) = {len(grid.positions)} cells"
        together = f", {ONE_PASS}" if grid.one_pass else ""
        yield f"{grid.task}{given}: {lengths} × {where} × {grid.samples} samples{together}"
    yield f"prompts: {made.planned} planned, {made.planned - made.pending} stored or in other shards, {made.pending} to answer"
    for length, count in made.pending_by_length.items():
        yield f"  {format_length(length):>8}: {count} prompts"
    yield from (f"note: {note}" for note in made.notes())
    if not made.pending:
        return
    size = made.size
    about = "" if size.measured == size.prompts else f" (estimated from {size.measured} of {size.prompts} prompts)"
    yield f"prompt tokens one by one:           {size.tokens.one_by_one:>14,}{about}"
    yield f"prompt tokens with prefix sharing:  {size.tokens.shared:>14,}{about}"
    yield f"sharing computes {size.tokens.one_by_one / size.tokens.shared:.2f} times fewer"


def shown(row: Row, prompt: Prompt, tokenizer: Tokenizer) -> Iterator[str]:
    """A stored answer with the surroundings of its needles."""
    from lceval.reports.text import task_text

    yield f"sample    {row.sample_key}   {task_text(row.task, row.params)}"
    yield f"cell      length {row.length}   depth {row.depth}   index {row.index}   question {row.question}   seed {row.seed}"
    yield f"prompt    {row.prompt_tokens} tokens + {row.reserved_tokens} reserved; sha256 {row.prompt_sha256} (rebuilt, equal)"
    yield f"opening   {tokenizer.decode(prompt.ids[:AROUND_TOKENS], special=True)!r} …"
    for (start, stop), depth in zip(prompt.needle_tokens, prompt.needle_depths, strict=True):
        before = tokenizer.decode(prompt.ids[max(0, start - AROUND_TOKENS // 2) : start], special=True)
        after = tokenizer.decode(prompt.ids[stop : stop + AROUND_TOKENS // 2], special=True)
        needle = tokenizer.decode(prompt.ids[start:stop])
        yield f"needle    tokens {start}..{stop}, depth {depth:.3f}: … {before}[[{needle}]]{after} …"
    yield f"closing   … {tokenizer.decode(prompt.ids[-AROUND_TOKENS:], special=True)!r}"
    yield f"gold      {', '.join(row.answers)}"
    yield f"output    {row.output!r}   ({row.outcome}, {row.finish_reason}, {row.new_tokens} new tokens)"
    further = "".join(f"   {name} {value:.3g}" for name, value in row.details.items())
    yield f"scores    official {row.official}   strict {row.strict}{further}"
    if row.logprob is not None:
        greedy = "as greedy decoding says it" if row.greedy_match else "greedy decoding says something else"
        yield f"logprob   {row.logprob:.4f} nats a token of {tokenizer.decode(prompt.gold)!r}; {greedy}"
