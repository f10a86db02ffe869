"""The values that travel between the parts: cells, drafts, prompts, generations, scores.

All are frozen, slotted dataclasses. Lengths, positions and spans are in tokens of the model's tokenizer and count from the
first token of the final prompt (BOS and chat template included). Depths are fractions in [0, 1].
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydantic import BaseModel

    from lceval.tokens import Tokenizer

TokenIds = NDArray[np.uint32]
ONE_PASS_PARAMS = ("one_pass", "needle_depths", "needle_positions")
"""The task parameters that `--one-pass` sets: a switch, and where needles stand."""
Outcome = Literal["ok", "truncated", "overflow", "error"]
"""`truncated`: the answer hit its token budget. `overflow`: the prompt did not fit where it was sent."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One point of the grid: data, never a name."""

    length: int
    """Everything the model is given and asked for: prompt tokens + reserved new tokens."""
    depth: float | None
    """Where the first asked needle aims, as a fraction of `length`; None when the task places its needles itself."""


@dataclass(frozen=True, slots=True)
class Needle:
    """A sentence or item to plant, and where it aims.

    Needles that aim at one place stand side by side, in the order of the draft.
    """

    text: str
    depth: float = 0.0
    """As a fraction of the cell's length."""
    position: int | None = None
    """In prompt tokens instead. It is left out of lengths that end before it; of a draft's needles then all have one, in order."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked after the context, and how its answer is recognised and bounded."""

    text: str
    answers: tuple[str, ...]
    """The gold strings."""
    answer_prefix: str
    """A half-written answer that the model continues; empty for none."""
    max_new_tokens: int
    """Tokens reserved for the answer itself."""
    stop: tuple[str, ...] = ()
    """Strings that end the answer, once it has a letter or digit."""
    thinking: int = 0
    """Tokens reserved for a thought before the answer."""
    support: tuple[int, ...] = ()
    """Indices of the needles that the answer rests on; empty when it is all of them."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What scoring needs beyond the gold strings."""
    gold: str = ""
    """What a right answer says, word for word, from where the prompt ends; empty when it is the gold strings, joined by commas."""

    @property
    def said(self) -> str:
        """What a right answer says, word for word."""
        return self.gold or ", ".join(self.answers)

    @property
    def at_once(self) -> bool:
        """Whether the answer was begun, so that no thought comes before it."""
        return bool(self.answer_prefix or self.stop)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A context of words at one size."""

    words: NDArray[np.int64]
    """[N] indices into the vocabulary, in the order of the text."""
    needles: tuple[tuple[int, int], ...] = ()
    """[start, end) of the words whose places are worth knowing."""
    answers: tuple[tuple[str, ...], ...] | None = None
    """The gold strings of each question, where they depend on the size."""
    said: NDArray[np.int64] | None = None
    """[M] words of the right answer, where it is made of such words; None: it is what the question says."""


class Arranger(Protocol):
    """Lays words of a vocabulary out; the fitter looks for the largest size that fits."""

    @property
    def least(self) -> int:
        """The smallest size that makes sense."""
        ...

    def tally(self, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """[U] distinct indices into the vocabulary and [U] how often each occurs; a larger size has no fewer words."""
        ...

    def arrange(self, size: int) -> Arrangement:
        """The same words in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Draft:
    """What one sample says, before any tokenizer has seen it. The same for every length of an index.

    The context is made in one of three ways. It is a slice of a haystack with needles: running text is cut anywhere, a list of
    items only between items. Or, with an `arranger`, it is words of a vocabulary, joined by spaces, laid out anew for every length.
    Or, with `turns`, it is given as it stands, and only measured.
    """

    instruction: str
    questions: tuple[Question, ...]
    """All have the same context and one prompt each."""
    haystack: str = ""
    """Full name of the text, items or vocabulary (`lceval.tasks.haystacks`); empty: nothing but the needles."""
    start: float = 0.0
    """Where in the haystack this sample begins, as a fraction."""
    needles: tuple[Needle, ...] = ()
    closing: str = ""
    """Ends the context."""
    arranger: Arranger | None = None
    echo: float = 0.0
    """Tokens reserved for the answer per token of context, beyond `Question.max_new_tokens`."""
    turns: tuple[tuple[str, str], ...] = ()
    """(role, text) of a prompt that comes from a file."""
    spans: tuple[tuple[int, int, int], ...] = ()
    """(turn, start, end) of its needles, in characters of that turn's text."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The recipe of one prompt: enough to build it again, anywhere, alone."""

    task: str
    params: Mapping[str, Any]
    seed: int
    index: int
    question: int
    cell: Cell
    pair_key: str
    """Identity without the cell: equal keys can be compared pairwise across lengths, depths, models and runs."""
    sample_key: str
    """Identity in the store: pair key + cell + tokenizer, chat frame and corpus."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as the model gets it."""

    ids: TokenIds
    """[N] token ids, BOS and chat template included."""
    reserved: int
    """New tokens that the answer may take; `len(ids) + reserved <= cell.length`."""
    context: tuple[int, int]
    """[start, end) of the haystack with its needles in `ids`."""
    needle_tokens: tuple[tuple[int, int], ...]
    """[start, end) of every needle in `ids`, in the order of the draft."""
    question: Question
    """`max_new_tokens` and `answers` as they are at this length."""
    sample: Sample
    opening: str = ""
    """What of the output the prompt has already: `<think>` where the chat template opens a thought."""
    gold: TokenIds = field(default_factory=lambda: np.empty(0, dtype=np.uint32))
    """[G] tokens of a right answer, as they follow `ids`; none where a thought comes first or they are more than `reserved`."""

    @property
    def needle_depths(self) -> tuple[float, ...]:
        """Where each needle begins, as a fraction of all tokens, the reserved ones included."""
        return tuple(round(start / (len(self.ids) + self.reserved), 4) for start, _ in self.needle_tokens)


@dataclass(frozen=True, slots=True)
class Generation:
    """What came back for one prompt."""

    text: str
    new_tokens: int
    cached_tokens: int
    """Prompt tokens that were not computed for this prompt because an earlier one had computed them."""
    prefill_s: float
    decode_s: float
    finish_reason: str
    """`eos`, `stop` (a stop string), `length` (the token budget), or `error`."""
    outcome: Outcome
    error: str | None = None
    logprob: float | None = None
    """Mean natural logarithm of the probabilities of `Prompt.gold`'s tokens, each after the prompt and the ones before it."""
    greedy_match: bool | None = None
    """Whether each of them is the most probable one there: whether greedy decoding begins with them."""


@dataclass(frozen=True, slots=True)
class Score:
    """Both scores of one answer, in [0, 1]."""

    official: float
    """The benchmark's own formula, so that published numbers can be compared."""
    strict: float
    """Precision-aware: printing the whole context must not win."""
    details: Mapping[str, float] = field(default_factory=dict)
    """Further measures by name: what part of the answer was right, or what kind of error it is."""


class Task(Protocol):
    """A pure function of (depth, index, seed) that writes samples, and knows how to score and to solve them.

    Tasks never see a tokenizer. `params` is a frozen pydantic model; its defaults and descriptions are the documentation.
    """

    version: int
    Params: type[BaseModel]

    @property
    def name(self) -> str:
        """The registry's name."""
        ...

    @property
    def chance(self) -> float:
        """The expected strict score of `guess`."""
        ...

    @property
    def floors(self) -> str:
        """Chance level and other floors, in one line."""
        ...

    @classmethod
    def from_params(cls, values: Mapping[str, Any]) -> Self:
        """The task with these parameters; the others at their defaults. Raises `UsageError` for what it does not know."""
        ...

    @property
    def params(self) -> BaseModel:
        """The validated parameters."""
        ...

    @property
    def given(self) -> int | None:
        """How many samples there are, where they come from a file with lengths and positions of their own; else None."""
        ...

    @property
    def digest(self) -> str:
        """Identity of that file's content; else empty."""
        ...

    @property
    def depth_is_free(self) -> bool:
        """Whether the grid's depth says where the needle goes; False when the task or its parameters place all needles."""
        ...

    @property
    def one_pass(self) -> bool:
        """Whether each question of a context is about a needle at another place, which is then the depth of its cell."""
        ...

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:
        """The sample `index`; nothing but the places of needles may depend on `depth`."""
        ...

    def score(self, question: Question, text: str) -> Score:
        """Score an answer, without what was thought before it."""
        ...

    def solve(self, text: str) -> str:
        """Answer from the rendered prompt alone, as a perfect reader would; empty when the text does not hold the answer."""
        ...

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """Answer at chance level: something of the right type, picked without using the question's key."""
        ...


class Runner(Protocol):
    """A context manager that owns a model. Made cheaply (tokenizer, window, fingerprint); weights load on entering.

    Its class takes `(model, options)`, and may take `variant` and `longest` (tokens of the run's longest prompt and answer). What
    an engine chose for itself may be told by an attribute `environment`, read after entering: recorded, never compared. One that
    answers several prompts at a time, whatever they share, says how many by an attribute `at_once`.
    """

    name: str
    model: str
    control: bool
    """Whether this is no model, but a control."""

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer and the chat frame that prompts are built with."""
        ...

    @classmethod
    def tokenizer_of(cls, model: str, options: dict[str, Any]) -> Tokenizer:
        """The same, without the rest: for making stored prompts again on a machine that cannot run the model."""
        ...

    @property
    def max_length(self) -> int | None:
        """The longest prompt + answer the model was made for; None when it has no limit."""
        ...

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        """All that changes the answers. Flat, JSON-able."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What the user should be told: sharing that is off and why, batches that were halved."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

    def generate(self, prompts: Sequence[Prompt], *, share: bool = True) -> Iterator[tuple[Prompt, Generation]]:
        """Answer one group of prompts, given in walk order (`lceval.tree`), as they finish; with `at_once`, one group or more.

        Args:
            prompts: prompts that may share prefixes, depth first.
            share: compute every shared prefix once; False computes each prompt from nothing.
        """
        ...
