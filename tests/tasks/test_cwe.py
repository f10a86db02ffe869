import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval.errors import UsageError
from lceval.keys import generator
from lceval.tasks.coined import COUNT, NOISE, Coined, Selection, coined_in
from lceval.tasks.cwe import CommonWords, Cwe
from lceval.tasks.words import ADJECTIVES, NOUNS
from lceval.types import Prompt, Question

Compose = Callable[..., Prompt]
Params = dict[str, Any]

WORDS = Coined.of("").words
GOLD = ("abadab", "ibadab", "obadab", "ubadab")
LISTED = f"List: {' '.join(['ubadab', 'ibofob', *['abadab', 'ibadab'] * 2, 'ubofob'])}"


def cwe(**params: Any) -> Cwe:
    return Cwe.from_params(params)


def ask(*answers: str, budget: int = 40) -> Question:
    return Question("What are the 4 most common words in the list?", answers, "", budget)


def arranger(index: int = 0, **params: Any) -> CommonWords:
    made = cwe(**params).draft(None, index, 0).arranger
    assert isinstance(made, CommonWords)
    return made


def test_the_vocabulary_is_of_one_shape_and_tells_no_word_twice() -> None:
    coined = WORDS[:COUNT]
    assert COUNT == 131_072
    assert WORDS[COUNT:] == (NOISE,)
    assert len(set(coined)) == COUNT
    assert {len(word) for word in coined} == {6}  # so none is part of another
    assert all(re.fullmatch("[a-z]{6}", word) for word in coined)
    assert not set(coined) & {*ADJECTIVES, *NOUNS}
    assert coined_in(" ".join(WORDS)) == list(coined)


def test_the_vocabulary_stays_what_it_is() -> None:
    assert WORDS[:4] == ("ibufab", "ipugag", "atafif", "ipapok")
    assert Coined.of("").digest == Coined().digest
    assert Coined().name == "coined"


@pytest.mark.parametrize(
    "text",
    [
        "What are the 10 most common words in the list? Answer with the words only, separated by commas.",
        "The most frequent words of the coded text, based on a careful count of each one, appear to be unique; I am unable to say.",
        "analog xabadab abadabo abadába ABADA b",
    ],
)
def test_plain_english_has_no_coined_words(text: str) -> None:
    assert coined_in(text.replace("abadába", "")) == []


@given(st.integers(0, COUNT - 1), st.integers(0, COUNT - 1), st.integers(0, 2000))
def test_a_selection_has_distinct_words_and_longer_ones_begin_alike(factor: int, offset: int, count: int) -> None:
    selection = Selection(factor | 1, offset)
    longer = selection.first(2 * count)
    assert len(np.unique(longer)) == 2 * count
    assert (selection.first(count) == longer[:count]).all()
    assert selection.words(count // 2, count) == [WORDS[i] for i in longer[count // 2 : count]]


def test_a_selection_can_be_the_whole_vocabulary() -> None:
    assert (np.sort(Selection.draw(generator("all")).first(COUNT)) == np.arange(COUNT)).all()


@pytest.mark.parametrize(
    ("answer", "official", "strict"),
    [
        (" abadab, ibadab, obadab, ubadab", 1, 1),
        ("The common words are **Abadab**, `ibadab`, “obadab” and _UBADAB_.", 1, 1),
        (":\n1. abadab\n2. ibadab\n3. obadab\n4. ubadab", 1, 1),
        ("abadab abadab abadab", 1 / 4, 2 / 5),
        ("abadab, ibadab, obadab, ibofob", 3 / 4, 3 / 4),
        (", ".join([*GOLD, "ibofob", "abofob", "obofob", "ubofob"]), 1, 2 / 3),
        ("abadabibadabobadabubadab", 1, 0),  # inside a string of letters
        ("banana", 0, 0),
        ("", 0, 0),
        (" ".join([*GOLD, *["so"] * 37]), 1, 0),
    ],
)
def test_scores(answer: str, official: float, strict: float) -> None:
    score = cwe().score(ask(*GOLD), answer)
    assert [score.official, score.strict] == pytest.approx([official, strict])
    assert score.details == {"exact": float(strict == 1)}


def ruler_match_all(prediction: str, golds: tuple[str, ...]) -> float:
    """RULER's metric, written again from its description."""
    cleaned = "".join("\n" if ord(c) < 32 else c for c in prediction.strip()).strip().lower()
    return float(np.mean([1.0 if cleaned.find(gold.lower()) >= 0 else 0.0 for gold in golds]))


@given(st.lists(st.one_of(st.sampled_from([*GOLD, "ABADAB", "ibofob", "\x00", "aba\tdab", "1."]), st.text(max_size=8))))
def test_the_official_score_is_rulers(parts: list[str]) -> None:
    for output in (" ".join(parts), "".join(parts)):
        assert cwe().score(ask(*GOLD), output).official == ruler_match_all(output, GOLD)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (f"{LISTED}\n\nWhat are the 2 most common words in the list?", "abadab, ibadab"),
        (f"{LISTED}\n\nWhat are the 2 most common words in the list?<|end|><|assistant|>The 2 most", "abadab, ibadab"),
        (f"fob abadab ibadab abadab {LISTED[80:]}\n\nWhat are the 1 most common words in the list?", "abadab"),
        ("What are the 2 most common words in the list?", ""),
        (LISTED, ""),
    ],
)
def test_the_solver_counts(text: str, answer: str) -> None:
    assert cwe().solve(text) == answer


@pytest.mark.parametrize(
    "params",
    [{}, {"common": 4, "common_times": 10, "other_times": 9}, {"common": 2, "common_times": 2, "other_times": 1}, {"common": 30}],
    ids=str,
)
def test_tallies_are_exact_and_common_words_stand_out(params: Params) -> None:
    made = arranger(**params)
    common = made.common
    for size in [*range(made.least, made.least + 3000), 20_000, 150_000, 600_000]:
        words, counts = made.tally(size)
        assert counts.sum() == size
        assert len(words) == len(counts)
        assert len(np.unique(counts[:common])) == 1
        assert counts[0] > counts[common:].max()
        assert counts.min() >= 1
    assert len(np.unique(words)) == len(words)


@pytest.mark.parametrize(
    ("size", "times", "other"), [(40, 3, 1), (119, 3, 1), (120, 6, 1), (899, 6, 1), (900, 30, 3), (45_000, 30, 3)]
)
def test_repetitions_are_rulers_but_in_the_shortest_contexts(size: int, times: int, other: int) -> None:
    words, counts = arranger().tally(size)
    assert set(counts[:10]) == {times}
    assert counts[10:].max() == other
    assert counts[10:].min() >= max(other - 1, 1)
    assert [WORDS[i] for i in words[:10]] == list(cwe().draft(None, 0, 0).questions[0].answers)


def test_words_are_shuffled_for_every_sample_and_every_size() -> None:
    def places(index: int, size: int) -> tuple[int, ...]:
        made = arranger(index)
        words = made.arrange(size).words
        assert Counter(words.tolist()) == dict(zip(*(part.tolist() for part in made.tally(size)), strict=True))
        return tuple(np.flatnonzero(np.isin(words, made.selection.first(10))))

    assert len({places(index, size) for index in range(10) for size in (1000, 1001)}) == 20
    assert places(3, 1000) == places(3, 1000)
    # Common words stand everywhere: their mean place is the middle, within four standard errors.
    means = [np.mean(places(index, 1000)) for index in range(40)]
    assert np.mean(means) == pytest.approx(499.5, abs=4 * 1000 / np.sqrt(12 * 300 * 40))


def test_arranging_a_long_context_is_fast() -> None:
    made = arranger()
    for call, limit in ((made.tally, 0.3e-3), (made.arrange, 8e-3)):
        times = []
        for _ in range(5):
            begun = time.perf_counter()
            call(45_000)
            times.append(time.perf_counter() - begun)
        assert min(times) < 5 * limit  # machines differ


SWEEP: list[Params] = [{}, {"common": 3}, {"common_times": 8, "other_times": 7}, {"answer_prefix": False}, {"thinking_budget": 50}]


@pytest.mark.parametrize("params", SWEEP, ids=str)
def test_a_perfect_reader_scores_1(params: Params, compose: Compose, bpe: Any) -> None:
    task = cwe(**params)
    for length in (1024, 4096, 16384):
        prompt = compose(bpe, task, length, None)
        score = task.score(prompt.question, task.solve(bpe.decode(prompt.ids, special=True)))
        assert (score.official, score.strict) == (1, 1)
        assert len(prompt.ids) + prompt.reserved >= 0.99 * length


def test_the_shortest_cell_holds_it_and_is_full(compose: Compose, bpe: Any) -> None:
    task = cwe()
    for index in range(5):
        prompt = compose(bpe, task, 512, None, index)
        text = bpe.decode(prompt.ids)
        assert task.score(prompt.question, task.solve(text)).strict == 1
        assert task.score(prompt.question, text).strict == 0
        assert len(prompt.ids) + prompt.reserved >= 500


def test_the_common_words_are_the_same_at_every_length(compose: Compose, bpe: Any) -> None:
    prompts = [compose(bpe, cwe(), length, None, 1) for length in (512, 2048, 8192)]
    assert prompts[0].question == prompts[1].question == prompts[2].question
    assert len({cwe().draft(None, index, 0).questions[0].answers for index in range(20)}) == 20


def test_a_guess_scores_at_chance() -> None:
    task = cwe()
    scores = []
    for index in range(100):
        question = task.draft(None, index, 0).questions[0]
        guesses = [task.guess("", generator("guess", index, i)) for i in range(8)]
        assert all(len(set(coined_in(guess))) == 10 for guess in guesses)
        scores += [task.score(question, guess).strict for guess in guesses]
    # Each of the 8,000 words is gold with probability 10 / 131,072.
    assert abs(np.mean(scores) - task.chance) <= 4 * np.sqrt(10 / COUNT / 8000)


@pytest.mark.parametrize("params", [{"common": 5}, {"common_times": 20}, {"other_times": 2}], ids=str)
def test_figures_that_hold_for_the_defaults_are_told_of_them_only(params: Params) -> None:
    assert "128k" in cwe().floors
    assert cwe(answer_prefix=False, thinking_budget=9).floors == cwe().floors
    assert "128k" not in cwe(**params).floors
    assert "every length" not in cwe(**params).floors
    assert f"{cwe(**params).chance * COUNT:.0f} / distinct words" in cwe(**params).floors


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"other_times": 30}, "lower it below common_times=30"),
        ({"common": 1}, "common"),
        ({"common_times": 1}, "common_times"),
        ({"rare": 3}, "rare"),
    ],
)
def test_refuses(params: Params, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        cwe(**params)
