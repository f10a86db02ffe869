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
from lceval.tasks.coined import COUNT, NOISE, Coined, coined_in
from lceval.tasks.fwe import Fwe, ZipfWords
from lceval.types import Prompt, Question

Compose = Callable[..., Prompt]
Params = dict[str, Any]

GOLD = ("abadab", "ibadab", "obadab")
TEXT = "Text: ... abadab ... ... ibofob ibadab abadab ... obadab abadab ... ibadab ..."


def fwe(**params: Any) -> Fwe:
    return Fwe.from_params(params)


def ask(*answers: str, budget: int = 40) -> Question:
    return Question("What are the 3 most frequent words of the coded text?", answers, "", budget)


def arranger(index: int = 0, **params: Any) -> ZipfWords:
    made = fwe(**params).draft(None, index, 0).arranger
    assert isinstance(made, ZipfWords)
    return made


@pytest.mark.parametrize(
    ("answer", "official", "strict"),
    [
        (" abadab, ibadab, obadab", 1, 1),
        ("Leaving out the dots (...), they are **Abadab**, “IBADAB” and `obadab`.", 1, 1),
        ("... abadab ... ibadab ... obadab", 1, 1),
        ("abadab, ibadab, ibofob", 2 / 3, 2 / 3),
        ("abadab, ibadab, obadab, ibofob, abofob, obofob", 1, 2 / 3),
        ("abadab", 1 / 3, 1 / 2),
        ("abadabibadabobadab", 1, 0),
        ("...", 0, 0),
        ("", 0, 0),
        (" ".join([*GOLD, *["..."] * 38]), 1, 0),
    ],
)
def test_scores(answer: str, official: float, strict: float) -> None:
    score = fwe().score(ask(*GOLD), answer)
    assert [score.official, score.strict] == pytest.approx([official, strict])
    assert score.details["exact"] == (strict == 1)


def test_details_say_which_ranks_were_found() -> None:
    assert fwe().score(ask(*GOLD), "abadab, ibadab").details == {"exact": 0, "first": 1, "last": 0}
    assert fwe().score(ask(*GOLD), "OBADAB").details == {"exact": 0, "first": 0, "last": 1}


def ruler_match_all(prediction: str, golds: tuple[str, ...]) -> float:
    """RULER's metric, written again from its description."""
    cleaned = "".join("\n" if ord(c) < 32 else c for c in prediction.strip()).strip().lower()
    return float(np.mean([1.0 if cleaned.find(gold.lower()) >= 0 else 0.0 for gold in golds]))


@given(st.lists(st.one_of(st.sampled_from([*GOLD, "ABADAB", "ibofob", "...", "\x00", "aba\ndab"]), st.text(max_size=8))))
def test_the_official_score_is_rulers(parts: list[str]) -> None:
    for output in (" ".join(parts), "".join(parts)):
        assert fwe().score(ask(*GOLD), output).official == ruler_match_all(output, GOLD)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (f"{TEXT}\n\nWhat are the 2 most frequent words of the coded text? Leave out the dots.", "abadab, ibadab"),
        (f"{TEXT[30:]}\n\nWhat are the 1 most frequent words of the coded text?<|end|><|assistant|>The 1", "ibadab"),
        ("What are the 3 most frequent words of the coded text?", ""),
        (TEXT, ""),
    ],
)
def test_the_solver_counts(text: str, answer: str) -> None:
    assert fwe().solve(text) == answer


@pytest.mark.parametrize(
    "params", [{}, {"alpha": 1.5}, {"alpha": 4.0}, {"top": 2}, {"top": 10}, {"top": 10, "alpha": 4.0}], ids=str
)
def test_asked_words_are_strictly_the_most_frequent_at_every_size(params: Params) -> None:
    made = arranger(**params)
    top = made.top
    for size in [*range(made.least, made.least + 3000), 45_000, 600_000]:
        words, counts = made.tally(size)
        assert counts.sum() == size  # nothing is left over
        assert words[0] == COUNT
        assert (np.diff(counts[: top + 2]) < 0).all()
        assert (np.diff(counts) <= 0).all()
        assert counts[-1] >= 1
    assert len(words) == len(counts) == len(np.unique(words))


def test_frequencies_follow_the_law() -> None:
    size = 45_000
    _, counts = arranger().tally(size)
    law = size * 6 / np.pi**2 / np.arange(1, 101) ** 2  # zeta(2) is pi² / 6
    assert (counts[:100] == np.floor(law)).all()
    assert counts[0] / size == pytest.approx(0.608, abs=1e-3)
    assert counts[1:4] / size == pytest.approx([0.152, 0.068, 0.038], abs=1e-3)
    singles = np.count_nonzero(counts == 1)
    assert singles / size < 0.02


def test_words_are_shuffled_for_every_sample_and_every_size() -> None:
    def arranged(index: int, size: int) -> tuple[bool, ...]:
        made = arranger(index)
        words = made.arrange(size).words
        assert Counter(words.tolist()) == dict(zip(*(part.tolist() for part in made.tally(size)), strict=True))
        return tuple(words == COUNT)

    assert len({arranged(index, size) for index in range(10) for size in (500, 501)}) == 20
    assert arranged(3, 500) == arranged(3, 500)


def test_arranging_a_long_context_is_fast() -> None:
    made = arranger()
    for call, limit in ((made.tally, 0.3e-3), (made.arrange, 8e-3)):
        times = []
        for _ in range(5):
            begun = time.perf_counter()
            call(45_000)
            times.append(time.perf_counter() - begun)
        assert min(times) < 5 * limit  # machines differ


SWEEP: list[Params] = [{}, {"alpha": 1.5}, {"alpha": 3.5, "top": 2}, {"top": 8}, {"answer_prefix": False}, {"thinking_budget": 50}]


@pytest.mark.parametrize("params", SWEEP, ids=str)
def test_a_perfect_reader_scores_1(params: Params, compose: Compose, bpe: Any) -> None:
    task = fwe(**params)
    for length in (1024, 4096, 16384):
        prompt = compose(bpe, task, length, None)
        score = task.score(prompt.question, task.solve(bpe.decode(prompt.ids, special=True)))
        assert (score.official, score.strict) == (1, 1)
        assert len(prompt.ids) + prompt.reserved >= 0.98 * length


def test_the_shortest_cell_holds_it_and_is_full(compose: Compose, bpe: Any) -> None:
    task = fwe()
    for index in range(5):
        prompt = compose(bpe, task, 512, None, index)
        text = bpe.decode(prompt.ids)
        assert task.score(prompt.question, task.solve(text)).strict == 1
        assert task.score(prompt.question, text).strict == 0
        assert len(prompt.ids) + prompt.reserved >= 500
        assert text.count(NOISE) > len(coined_in(text))


def test_the_asked_words_are_the_same_at_every_length(compose: Compose, bpe: Any) -> None:
    prompts = [compose(bpe, fwe(), length, None, 1) for length in (512, 2048, 8192)]
    assert prompts[0].question == prompts[1].question == prompts[2].question
    assert set(prompts[0].question.answers) <= set(Coined().words)
    assert len({fwe().draft(None, index, 0).questions[0].answers for index in range(20)}) == 20


def test_a_guess_scores_at_chance() -> None:
    task = fwe()
    scores = []
    for index in range(100):
        question = task.draft(None, index, 0).questions[0]
        guesses = [task.guess("", generator("guess", index, i)) for i in range(8)]
        assert all(len(set(coined_in(guess))) == 3 for guess in guesses)
        scores += [task.score(question, guess).strict for guess in guesses]
    # Each of the 2,400 words is gold with probability 3 / 131,072.
    assert abs(np.mean(scores) - task.chance) <= 4 * np.sqrt(3 / COUNT / 2400)


@pytest.mark.parametrize("params", [{"alpha": 1.5}, {"top": 5}], ids=str)
def test_figures_that_hold_for_the_defaults_are_told_of_them_only(params: Params) -> None:
    assert "128k" in fwe().floors
    assert fwe(answer_prefix=False, thinking_budget=9).floors == fwe().floors
    assert "128k" not in fwe(**params).floors
    assert "every length" not in fwe(**params).floors
    assert f"{fwe(**params).chance * COUNT:.0f} / distinct words" in fwe(**params).floors


@pytest.mark.parametrize(
    ("params", "message"), [({"alpha": 1.0}, "alpha"), ({"alpha": 5.0}, "alpha"), ({"top": 1}, "top"), ({"zipf": 2}, "zipf")]
)
def test_refuses(params: Params, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        fwe(**params)
