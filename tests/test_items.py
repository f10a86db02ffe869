"""Contexts made of items that are never cut, of words laid out anew, and prompts that are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval.corpus import Corpus, Words, tokenized, tokenized_words
from lceval.errors import CannotFit, ModelError
from lceval.fitter import Fitter
from lceval.keys import digest, generator, permutation
from lceval.tree import shared_prefix
from lceval.types import Arrangement, Cell, Draft, Needle, Prompt, Question, Sample


@dataclass(frozen=True)
class Notes:
    """Numbered items of one to thirty words, some of two lines."""

    name = "notes"
    endless = True
    digest = "notes"

    def blocks(self) -> Any:
        number = 0
        while True:
            block = []
            for _ in range(200):
                words = " ".join(f"word{(number * 7 + i) % 50}" for i in range(1 + number * 13 % 30))
                block.append(f"Note {number}: {words}\n" + ("  and so on\n" if number % 3 == 0 else ""))
                number += 1
            yield block


@pytest.fixture
def notes(tokenizer: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    """The items as a corpus."""
    monkeypatch.setenv("LCEVAL_CACHE", str(tmp_path))
    monkeypatch.setattr("lceval.corpus.START_REGION_CHARS", 1 << 14)
    return tokenized(Notes(), tokenizer, 4096)


QUESTION = Question("Which note is pinned?", ("17",), "Note", 16)


def fit(tokenizer: Any, corpus: Corpus | None, length: int, depths: list[float], start: float = 0.3, closing: str = "") -> Prompt:
    draft = Draft(
        instruction="Read the notes.",
        questions=(QUESTION,),
        haystack="notes" if corpus else "",
        start=start,
        needles=tuple(Needle(f"Pinned {i}: see the door", depth) for i, depth in enumerate(depths)),
        closing=closing,
    )
    sample = Sample("task", {}, 0, 0, 0, Cell(length, depths[0] if depths else None), "pair", "key")
    return Fitter(tokenizer, lambda _: corpus).fit(draft, 0, sample)  # type: ignore[arg-type, return-value]


def lines(tokenizer: Any, prompt: Prompt) -> list[str]:
    return tokenizer.decode(prompt.ids[slice(*prompt.context)]).strip("\n").split("\n")  # type: ignore[no-any-return]


@pytest.mark.parametrize("length", [200, 333, 512, 1000, 2048, 4096])
@pytest.mark.parametrize("start", [0.0, 0.5, 0.99])
def test_items_stand_whole_and_fill_the_prompt(tokenizer: Any, notes: Corpus, length: int, start: float) -> None:
    prompt = fit(tokenizer, notes, length, [0.5], start)
    assert length - 8 <= len(prompt.ids) + prompt.reserved <= length
    text = tokenizer.decode(notes.ids[: notes.starts[400]])
    known = set(text.split("\n"))
    found = lines(tokenizer, prompt)
    assert set(found) - known == {"Pinned 0: see the door"}
    items = [line for line in found if line.startswith("Note")]
    numbers = [int(line.split()[1].rstrip(":")) for line in items]
    assert len(set(numbers)) == len(numbers)
    assert all(b == a + 1 for a, b in pairwise(numbers[:-1]))  # in order, but for the last one, which is chosen to fill
    for line, after in pairwise([line for line in found if not line.startswith("Pinned")]):
        if line.startswith("Note") and int(line.split()[1].rstrip(":")) % 3 == 0:
            assert after == "  and so on"


@pytest.mark.parametrize(("depth", "place"), [(0.0, 0), (1.0, -1)])
def test_an_item_may_be_the_first_or_the_last(tokenizer: Any, notes: Corpus, depth: float, place: int) -> None:
    assert lines(tokenizer, fit(tokenizer, notes, 1000, [depth]))[place] == "Pinned 0: see the door"


@pytest.mark.parametrize("depth", [0.1, 0.3, 0.5, 0.8])
def test_an_item_stands_within_an_item_of_its_aim(tokenizer: Any, notes: Corpus, depth: float) -> None:
    prompt = fit(tokenizer, notes, 4096, [depth])
    assert abs(prompt.needle_tokens[0][0] - depth * 4096) <= np.diff(notes.starts).max()


def test_needles_of_equal_depth_stand_side_by_side(tokenizer: Any, notes: Corpus) -> None:
    spans = fit(tokenizer, notes, 2048, [0.4, 0.4, 0.4]).needle_tokens
    assert all(a[1] == b[0] for a, b in pairwise(spans))


def test_a_longer_context_begins_with_the_shorter_one_but_for_its_last_item(tokenizer: Any, notes: Corpus) -> None:
    short, long = fit(tokenizer, notes, 1024, [0.0]), fit(tokenizer, notes, 4096, [0.0])
    assert shared_prefix(short.ids, long.ids) >= short.context[1] - 2 * np.diff(notes.starts).max()


def test_a_context_may_be_nothing_but_needles(tokenizer: Any) -> None:
    prompt = fit(tokenizer, None, 4096, [0.9, 0.1])
    assert lines(tokenizer, prompt) == ["Pinned 1: see the door", "Pinned 0: see the door"]
    assert lines(tokenizer, fit(tokenizer, None, 4096, [])) == [""]


def test_a_closing_ends_the_context(tokenizer: Any, notes: Corpus) -> None:
    text = tokenizer.decode(fit(tokenizer, notes, 1000, [0.5], closing="(end of notes)").ids)
    assert "\n(end of notes)\n\nWhich note is pinned?" in text


VOCABULARY = ["alder", "birch", "cedar", "elm", "fir", "unquestionably", "oak", "ash"]


@dataclass(frozen=True)
class Trees:
    """A vocabulary."""

    name = "trees"
    digest = digest("trees")
    words = VOCABULARY


@dataclass(frozen=True)
class Rounds:
    """`size` words, going round the vocabulary, shuffled."""

    least: int = 3
    order: int = 0

    def tally(self, size: int) -> tuple[Any, Any]:
        return np.arange(len(VOCABULARY)), np.bincount(np.arange(size) % len(VOCABULARY), minlength=len(VOCABULARY))

    def arrange(self, size: int) -> Arrangement:
        words = np.repeat(*self.tally(size))[permutation(generator(self.order, size), size)]
        return Arrangement(words, needles=((size // 2, size // 2 + 1),), answers=((str(size),),))


@pytest.fixture
def trees(tokenizer: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Words:
    """Its tokens."""
    monkeypatch.setenv("LCEVAL_CACHE", str(tmp_path))
    made = tokenized_words(Trees(), tokenizer)
    assert np.array_equal(made.ids, tokenized_words(Trees(), tokenizer).ids)  # from the disk
    return made


def arranged(tokenizer: Any, words: Words, length: int, echo: float = 0.0) -> Prompt:
    draft = Draft("Count the trees.", (QUESTION,), haystack="trees", arranger=Rounds(), echo=echo)
    sample = Sample("task", {}, 0, 0, 0, Cell(length, None), "pair", "key")
    return Fitter(tokenizer, lambda _: None, lambda _: words).fit(draft, 0, sample)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("length", [100, 101, 257, 512, 3000])
def test_words_fill_the_prompt_to_the_last_that_fits(tokenizer: Any, trees: Words, length: int) -> None:
    prompt = arranged(tokenizer, trees, length)
    assert length - trees.sizes.max() < len(prompt.ids) + prompt.reserved <= length
    context = prompt.ids[slice(*prompt.context)]
    text = tokenizer.decode(context)
    said = text.split()
    assert prompt.question.answers == (str(len(said)),)
    assert set(said) <= set(VOCABULARY)
    start, stop = prompt.needle_tokens[0]
    assert tokenizer.decode(prompt.ids[start:stop]).strip() == said[len(said) // 2]
    assert np.array_equal(context, tokenizer.piece(" " + " ".join(said)))  # as the tokenizer would have it


def test_an_answer_as_long_as_the_context_gets_its_room(tokenizer: Any, trees: Words) -> None:
    prompt = arranged(tokenizer, trees, 1000, echo=1.1)
    context = prompt.context[1] - prompt.context[0]
    assert prompt.reserved == 16 + int(np.ceil(1.1 * context)) == prompt.question.max_new_tokens
    assert 1000 - 3 * trees.sizes.max() < len(prompt.ids) + prompt.reserved <= 1000


def test_what_cannot_fit_says_why(tokenizer: Any, trees: Words) -> None:
    with pytest.raises(CannotFit, match=r"cannot hold .* the fewest words \d+, question \d+, reserved for the answer 16"):
        arranged(tokenizer, trees, 24)


@given(st.lists(st.integers(0, len(VOCABULARY) - 1), max_size=60))
def test_words_in_any_order_are_what_the_tokenizer_gives(bpe: Any, order: list[int]) -> None:
    pieces = bpe.words(VOCABULARY)
    words = Words(np.concatenate(pieces), np.concatenate(([0], np.cumsum([len(piece) for piece in pieces]))))
    ids, begins = words.lay(np.asarray(order, dtype=np.int64))
    assert np.array_equal(ids, bpe.piece("".join(f" {VOCABULARY[i]}" for i in order)))
    assert (begins[0], begins[-1], len(begins)) == (0, len(ids), len(order) + 1)


GIVEN = (("user", "Say hello."), ("assistant", "Hello."), ("user", "The code is 4711. What is the code?"))


def given_prompt(tokenizer: Any, turns: Any, length: int = 512) -> Prompt:
    text = turns[-1][1]
    at = text.index("4711")
    draft = Draft("", (Question("", ("4711",), " It is", 8),), turns=turns, spans=((len(turns) - 1, at, at + 4),))
    return Fitter(tokenizer, lambda _: None).fit(draft, 0, Sample("task", {}, 0, 0, 0, Cell(length, None), "pair", "key"))  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("turns", [GIVEN, GIVEN[-1:]], ids=["conversation", "one turn"])
@pytest.mark.parametrize("chat", [True, False])
def test_given_prompts_stand_as_they_are(
    make_bpe: Callable[..., Any], make_metaspace: Any, chat_template: str, turns: Any, chat: bool
) -> None:
    for make in (make_bpe, make_metaspace):
        tokenizer = make(chat_template=chat_template if chat else None)
        prompt = given_prompt(tokenizer, turns)
        text = tokenizer.decode(prompt.ids, special=True)
        assert all(said in text for _, said in turns)
        assert text.endswith(" It is")
        ((start, stop),) = prompt.needle_tokens
        assert "4711" in tokenizer.decode(prompt.ids[start:stop])
        assert stop - start <= 6
        assert text.count("<|assistant|>") == (len(turns) // 2 + 1 if chat else 0)
        if make is make_metaspace:
            assert prompt.ids.tolist().count(tokenizer.hf.bos_token_id) == 1


def test_a_template_that_drops_turns_is_refused(make_bpe: Callable[..., Any]) -> None:
    last = "{{ messages[-1]['content'] }}{% if add_generation_prompt %} >{% endif %}"
    with pytest.raises(ModelError, match="leaves out a turn"):
        given_prompt(make_bpe(chat_template=last), GIVEN)


def test_an_answer_prefix_ends_the_thought_that_a_template_begins(make_bpe: Callable[..., Any]) -> None:
    thinker = make_bpe(chat_template="{{ messages[0]['content'] }}{% if add_generation_prompt %}\n<think>\n{% endif %}")
    assert thinker.frame.opens_thought
    text = thinker.decode(fit(thinker, None, 512, [0.5]).ids)
    assert text.endswith("<think>\n\n</think>\n\nNote")
