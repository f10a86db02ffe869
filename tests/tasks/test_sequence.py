from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, islice, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval.errors import UsageError
from lceval.keys import generator
from lceval.tasks import names
from lceval.tasks.sequence import BELLS, Sequence, mean_longest_increasing
from lceval.types import Prompt, Question, Score

Compose = Callable[..., Prompt]
Params = dict[str, Any]


def sequence(**params: Any) -> Sequence:
    return Sequence.from_params(params)


def name_of(params: Params) -> str:
    return " ".join(f"{key}={value}" for key, value in params.items()) or "defaults"


SWEEP: list[Params] = [
    {},
    {"ask": "people"},
    {"facts": 15},
    {"facts": 3, "text_order": "sorted"},
    {"placement": "same"},
    {"placement": "same", "ask": "people", "haystack": "pydocs"},
    {"haystack": "needles", "answer_prefix": False},
]
sweep = pytest.mark.parametrize("params", SWEEP, ids=name_of)


@sweep
@pytest.mark.parametrize("chat", [False, True], ids=["plain", "chat"])
def test_a_perfect_reader_scores_1(params: Params, chat: bool, compose: Compose, make_bpe: Any, chat_template: str) -> None:
    tokenizer, task = make_bpe(chat_template=chat_template if chat else None), sequence(**params)
    for depth in (0.0, 0.45, 1.0) if task.depth_is_free else (None,):
        for index in range(2):
            prompt = compose(tokenizer, task, 2048, depth, index)
            answer = task.solve(tokenizer.decode(prompt.ids, special=True))
            assert task.score(prompt.question, answer) == Score(1.0, 1.0, {"order": 1.0, "found": 1.0})


@sweep
def test_a_reader_who_missed_the_facts_does_not_answer(params: Params, compose: Compose, bpe: Any) -> None:
    task = sequence(**params)
    prompt = compose(bpe, task, 2048, 0.45)
    kept = np.ones(len(prompt.ids), dtype=bool)
    for begin, end in prompt.needle_tokens:
        kept[begin:end] = False
    assert task.solve(bpe.decode(prompt.ids[kept])) == ""


@sweep
def test_gold_is_the_order_of_the_bells(params: Params) -> None:
    task = sequence(**params)
    for index in range(40):
        draft = task.draft(0.5, index, 0)
        told = [needle.text.removeprefix("At the ").split(" bell ") for needle in draft.needles]
        ranks = [BELLS.index(bell) for bell, _ in told]
        in_order = [rest for _, rest in sorted(told, key=lambda fact: BELLS.index(fact[0]))]
        assert len(set(ranks)) == len(ranks) == len(draft.questions[0].answers) == task.params.facts
        assert (ranks == sorted(ranks)) == (task.params.text_order == "sorted")
        for rest, answer in zip(in_order, draft.questions[0].answers, strict=True):
            assert rest.endswith(f" at {answer}.") if task.params.ask == "places" else rest.startswith(f"{answer} ")
        assert all(names.of_sample(answer) for answer in draft.questions[0].answers)
        assert len({rest.partition(" ")[2].rpartition(" at ")[0] for rest in in_order}) == 1


def test_both_questions_are_about_the_same_facts_in_any_order_of_the_text() -> None:
    texts = {
        tuple(sorted(needle.text for needle in sequence(ask=asked, text_order=order, placement=placement).draft(0.5, 4, 0).needles))
        for asked in ("places", "people")
        for order in ("shuffled", "sorted")
        for placement in ("spread", "same")
    }
    assert len(texts) == 1


def test_ordinals_are_bells_of_a_day_without_repetition() -> None:
    assert len(set(BELLS)) == len(BELLS) == 24
    drawn = {needle.text.split()[2] for index in range(60) for needle in sequence().draft(None, index, 0).needles}
    assert drawn == set(BELLS)


def test_scattered_facts_have_a_share_of_the_context_each() -> None:
    for index in range(20):
        draft = sequence(facts=8).draft(None, index, 0)
        assert [int(needle.depth * 8) for needle in draft.needles] == list(range(8))
    assert not sequence().depth_is_free
    assert sequence(placement="same").depth_is_free
    assert {needle.depth for needle in sequence(placement="same").draft(0.3, 0, 0).needles} == {0.3}


@pytest.mark.parametrize("n", range(1, 8))
def test_the_mean_longest_increasing_subsequence_is_exact(n: int) -> None:
    longest = [
        max(size for size in range(1, n + 1) if any(list(part) == sorted(part) for part in combinations(order, size)))
        for order in permutations(range(n))
    ]
    assert mean_longest_increasing(n) == Fraction(sum(longest), len(longest))


@pytest.mark.parametrize("params", [{}, {"facts": 3, "ask": "people"}, {"facts": 15}, {"text_order": "sorted"}], ids=name_of)
def test_a_guess_scores_at_chance(params: Params) -> None:
    task = sequence(**params)
    scores = []
    for index in range(60):
        draft = task.draft(None, index, 0)
        text = " ".join(needle.text for needle in draft.needles)
        scores += [task.score(draft.questions[0], task.guess(text, generator("guess", index, i))).strict for i in range(10)]
    assert np.mean(scores) == pytest.approx(task.chance, abs=4 * np.std(scores) / np.sqrt(len(scores)))
    assert task.score(draft.questions[0], task.guess("", generator("nothing"))).strict == 0


def test_the_floors_tell_chance() -> None:
    assert sequence(facts=3).chance == pytest.approx(2 / 3)
    assert "0.67 (official 1 / 6); invented" in sequence(facts=3).floors
    assert "in the order of the text 1;" in sequence(text_order="sorted").floors


A, B, C, D, OTHER = islice(names.places(generator("places of this test"), "sample"), 5)
GOLD = (A, B, C, D)
SHORT = [name.split()[0] for name in GOLD]


def ask(*answers: str) -> Question:
    return Question("List the places where lamps were lit.", answers, "", 40)


@pytest.mark.parametrize(
    ("text", "official", "strict", "order", "found"),
    [
        (f"{A}, {B}, {C}, {D}", 1, 1, 1, 1),
        (f" {A}, {B}, {C} and {D}.", 1, 1, 1, 1),
        (f"1. **{A}**\n2. **{B}**\n3. **{C}**\n4. **{D}**", 1, 1, 1, 1),
        (f"{A} -> {B} -> {C} -> {D}".upper(), 1, 1, 1, 1),
        (f"First {A}, then {B}, {C}, {D}; so {A} first.", 1, 1, 1, 1),
        (f"{B}, {A}, {C}, {D}", 0, 3 / 4, 3 / 4, 1),
        (f"{D}, {C}, {B}, {A}", 0, 1 / 4, 1 / 4, 1),
        (f"{A}, {B}, {C}", 0, 6 / 7, 3 / 4, 6 / 7),
        (f"{A}, {B}, {OTHER}, {C}, {D}", 0, 8 / 9, 1, 8 / 9),
        (f"{OTHER}", 0, 0, 0, 0),
        (f"{A[:-1]}", 0, 2 / 5, 1 / 4, 2 / 5),
        (", ".join(GOLD).replace(" ", "\n"), 1, 1, 1, 1),
        ("\n".join(f"- {name}" for name in GOLD), 1, 1, 1, 1),
        (", ".join(SHORT), 0, 1, 1, 1),
        (f"{SHORT[0]}, {B}, {SHORT[2]} and {D}.", 0, 1, 1, 1),
        (f"{SHORT[0]}, that is {A}; {B}, {C}, {D}", 1, 1, 1, 1),
        (f"{SHORT[1]}, {SHORT[0]}", 0, 2 / 6, 1 / 4, 4 / 6),
        (f"{SHORT[0]} {OTHER.split()[1]}", 0, 0, 0, 0),
        (f"{', '.join(SHORT)}, {OTHER.split()[0]}", 0, 8 / 9, 1, 8 / 9),
        ("", 0, 0, 0, 0),
        (f"{A}, {B}, {C}, {D}" + " so" * 40, 1, 0, 1, 1),
    ],
)
def test_scores_of_an_order(text: str, official: float, strict: float, order: float, found: float) -> None:
    details = {"order": pytest.approx(order), "found": pytest.approx(found)}
    assert sequence().score(ask(*GOLD), text) == Score(official, pytest.approx(strict), details)


def test_a_first_word_that_two_places_share_is_neither() -> None:
    gold = (f"{SHORT[0]} Reach", f"{SHORT[0]} Gate", B)
    assert sequence().score(ask(*gold), f"{SHORT[0]}, {B}").details["found"] == pytest.approx(2 / 5)
    assert sequence().score(ask(*gold), ", ".join(gold)).strict == 1


def test_lists_may_go_on_over_lines() -> None:
    assert sequence().draft(None, 0, 0).questions[0].stop == ("\n\n",)


def test_a_list_of_people_may_tell_the_places_too() -> None:
    facts = sequence(ask="people", text_order="sorted").draft(None, 0, 0)
    told = " ".join(needle.text for needle in facts.needles)
    assert sequence(ask="people").score(facts.questions[0], told).official == 1
    assert sequence(ask="people").score(facts.questions[0], told).strict == 1


@given(st.lists(st.sampled_from([*GOLD, OTHER]), max_size=7))
def test_formulas_are_those_of_their_definitions(said: list[str]) -> None:
    first = [name for i, name in enumerate(said) if name not in said[:i]]
    common = max(
        size for size in range(5) for part in combinations(first, size) if any(part == gold for gold in combinations(GOLD, size))
    )
    right = len(set(first) & set(GOLD))
    score = sequence().score(ask(*GOLD), "; ".join(said))
    assert score.official == (first == list(GOLD))
    assert score.strict == pytest.approx(2 * common / (len(first) + 4))
    assert score.details == {"order": common / 4, "found": pytest.approx(2 * right / (len(first) + 4))}


TEXT = (
    "It rained. At the tenth bell Kelzabel lit the lamp at Bazemy Reach. Nobody saw. At the twenty-first bell Wirzaven lit the "
    "lamp at Kenzush Gate. At the third bell there was tea. At the second bell Dalzabel lit the lamp at Dalzory Hollow. It was"
    " late.\n\n"
)
QUESTION = "List the places where lamps were lit, from the earliest bell to the latest, separated by commas."


def test_the_solver_reads() -> None:
    assert sequence().solve(TEXT + QUESTION) == "Dalzory Hollow, Bazemy Reach, Kenzush Gate"
    assert sequence(ask="people").solve(TEXT + QUESTION) == "Dalzabel, Kelzabel, Wirzaven"
    assert sequence().solve(TEXT[TEXT.index("Nobody") :] + QUESTION) == "Dalzory Hollow, Kenzush Gate"
    assert sequence().solve(QUESTION) == sequence().solve("") == ""


@sweep
def test_the_reserved_tokens_hold_every_answer(params: Params, bpe: Any, metaspace: Any) -> None:
    for index in range(5):
        (question,) = sequence(**params).draft(0.5, index, 0).questions
        for tokenizer in (bpe, metaspace):
            assert len(tokenizer.piece(" " + ", ".join(question.answers) + ".")) <= question.max_new_tokens


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"facts": 2}, "facts=2"),
        ({"facts": 16}, "facts=16"),
        ({"ask": "bells"}, "ask='bells'"),
        ({"text_order": "reversed"}, "text_order='reversed'"),
        ({"placement": "random"}, "placement='random'"),
        ({"haystack": "path:"}, "unknown haystack 'path:'"),
        ({"order": "sorted"}, "unknown parameter of sequence 'order'"),
    ],
    ids=lambda value: name_of(value) if isinstance(value, dict) else "",
)
def test_parameters_that_make_no_sense_are_refused(params: Params, says: str) -> None:
    with pytest.raises(UsageError) as error:
        sequence(**params)
    assert says in str(error.value)
