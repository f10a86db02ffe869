import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval.errors import UsageError
from lceval.keys import generator
from lceval.tasks.count import ANIMALS, SPOTS, Count
from lceval.types import Prompt, Question, Score

Compose = Callable[..., Prompt]
Params = dict[str, Any]


def count(**params: Any) -> Count:
    return Count.from_params(params)


def name_of(params: Params) -> str:
    return " ".join(f"{key}={value}" for key, value in params.items()) or "defaults"


SWEEP: list[Params] = [
    {},
    {"decoys": 0},
    {"facts": 1},
    {"facts": 24, "decoys": 8},
    {"placement": "same"},
    {"placement": "same", "decoys": 3, "haystack": "noise"},
    {"ask": "number"},
    {"ask": "number", "decoys": 4, "haystack": "pydocs"},
    {"ask": "total"},
    {"ask": "total", "decoys": 4, "haystack": "needles"},
    {"ask": "number", "answer_prefix": False},
]
sweep = pytest.mark.parametrize("params", SWEEP, ids=name_of)


@sweep
@pytest.mark.parametrize("chat", [False, True], ids=["plain", "chat"])
def test_a_perfect_reader_scores_1(params: Params, chat: bool, compose: Compose, make_bpe: Any, chat_template: str) -> None:
    tokenizer, task = make_bpe(chat_template=chat_template if chat else None), count(**params)
    for depth in (0.0, 0.45, 1.0) if task.depth_is_free else (None,):
        for index in range(2):
            prompt = compose(tokenizer, task, 2048, depth, index)
            score = task.score(prompt.question, task.solve(tokenizer.decode(prompt.ids, special=True)))
            assert (score.official, score.strict) == (1, 1)


@sweep
def test_a_reader_who_missed_the_facts_does_not_answer(params: Params, compose: Compose, bpe: Any) -> None:
    task = count(**params)
    prompt = compose(bpe, task, 2048, 0.45)
    kept = np.ones(len(prompt.ids), dtype=bool)
    for begin, end in prompt.needle_tokens:
        kept[begin:end] = False
    assert task.solve(bpe.decode(prompt.ids[kept])) == ""


def test_the_only_numbers_in_the_context_are_those_of_the_facts(compose: Compose, bpe: Any) -> None:
    task = count(facts=8, decoys=3)
    for index in range(3):
        prompt, draft = compose(bpe, task, 4096, None, index), task.draft(None, index, 0)
        stated = [re.findall(r"\d+", needle.text) for needle in draft.needles]
        assert all(len(numbers) == 1 for numbers in stated)
        assert re.findall(r"\d+", bpe.decode(prompt.ids)) == [number for (number,) in stated]
        assert len({number for (number,) in stated}) == 11
        assert set(draft.questions[0].answers) == {stated[i][0] for i in draft.questions[0].support}


@pytest.mark.parametrize("asked", ["items", "number", "total"])
def test_gold_is_what_the_sentences_about_the_animal_say(asked: str) -> None:
    task = count(ask=asked, decoys=6, facts=12)
    for index in range(50):
        draft = task.draft(None, index, 0)
        (question,) = draft.questions
        (animals,) = [word for word in re.findall("[a-z]+", question.text) if word in ANIMALS]
        (spot,) = [word for word in re.findall("[a-z]+", question.text) if word in SPOTS]
        told = [(i, *re.findall(r"(\d+) (\w+)", needle.text)[0]) for i, needle in enumerate(draft.needles) if spot in needle.text]
        assert len(told) == len(draft.needles)
        right = [int(number) for _, number, kind in told if kind == animals]
        assert question.support == tuple(i for i, _, kind in told if kind == animals)
        assert len({kind for _, _, kind in told}) == 2
        assert len(told) - len(right) == 6
        people = re.findall(r"\b[A-Z][a-z]*z[a-z]+", " ".join(needle.text for needle in draft.needles))
        assert len(set(people)) == len(people) == len(told)
        if asked == "items":
            assert sorted(map(int, question.answers)) == sorted(right)
        else:
            assert question.answers == (str(len(right) if asked == "number" else sum(right)),)


def test_every_number_of_facts_is_equally_likely() -> None:
    task = count(ask="number", facts=4)
    golds = Counter(task.draft(None, index, 0).questions[0].answers[0] for index in range(800))
    assert set(golds) == {"1", "2", "3", "4"}
    assert sum((n - 200) ** 2 / 200 for n in golds.values()) < 16.3  # chi square, 3 degrees of freedom, p = 0.001


def test_scattered_facts_have_a_share_of_the_context_each_and_decoys_stand_among_them() -> None:
    task = count(facts=6, decoys=4)
    orders = set()
    for index in range(30):
        draft = task.draft(None, index, 0)
        assert [int(needle.depth * 10) for needle in draft.needles] == list(range(10))
        orders.add(draft.questions[0].support)
    assert len(orders) > 20
    assert not task.depth_is_free


def test_facts_at_one_place_stand_where_the_cell_says() -> None:
    task = count(placement="same")
    assert task.depth_is_free
    assert {needle.depth for needle in task.draft(0.3, 0, 0).needles} == {0.3}
    assert {needle.text for needle in task.draft(0.3, 0, 0).needles} == {
        needle.text for needle in count().draft(None, 0, 0).needles
    }


@pytest.mark.parametrize(
    "params", [{}, {"facts": 40}, {"ask": "number"}, {"ask": "number", "facts": 3}, {"ask": "total", "facts": 1}], ids=name_of
)
def test_a_guess_scores_at_chance(params: Params) -> None:
    task = count(**params)
    scores = []
    for index in range(100):
        (question,) = task.draft(None, index, 0).questions
        scores += [task.score(question, task.guess("", generator("guess", index, i))).strict for i in range(20)]
    assert np.mean(scores) == pytest.approx(task.chance, abs=4 * max(np.std(scores), 1e-3) / np.sqrt(len(scores)))


def test_chance_is_what_the_parameters_say() -> None:
    assert count(facts=8).chance == 8 / 989
    assert count(facts=8, ask="number").chance == 1 / 8
    assert count(facts=1, ask="total").chance == 1 / 989
    assert count(facts=2, ask="total").chance == 1 / (999 + 998 - 11 - 12 + 1)
    assert "all numbers of the text 0.8 " in count(facts=8, decoys=4).floors
    assert "as many as the text has numbers 0;" in count(ask="number").floors
    assert "the sum of all numbers of the text 0;" in count(ask="total").floors
    assert "the sum of all numbers of the text 1;" in count(ask="total", decoys=0).floors


@pytest.mark.parametrize(("params", "floor"), [({}, 0.75), ({"ask": "number"}, 0), ({"ask": "total"}, 0)], ids=str)
def test_all_numbers_of_the_text_are_no_answer(params: Params, floor: float) -> None:
    for index in range(20):
        draft = count(**params).draft(None, index, 0)
        numbers = [int(re.findall(r"\d+", needle.text)[0]) for needle in draft.needles]
        answer = {"number": len(numbers), "total": sum(numbers)}.get(params.get("ask", ""), numbers)
        assert count(**params).score(draft.questions[0], str(answer)).strict == pytest.approx(floor)


@pytest.mark.parametrize(("params", "stop"), [({}, "\n\n"), ({"ask": "number"}, "\n"), ({"ask": "total"}, "\n")], ids=str)
def test_lists_may_go_on_over_lines(params: Params, stop: str) -> None:
    assert count(**params).draft(None, 0, 0).questions[0].stop == (stop,)


def ask(*answers: str) -> Question:
    return Question("How many people counted seals at the mill?", answers, "", 12)


@pytest.mark.parametrize(
    ("text", "official", "strict"),
    [
        ("37, 114, 52", 1, 1),
        ("52, 37 and 114.", 1, 1),
        ('{"seals": [114, 37, 52]}', 1, 1),
        ("**37**, **114**, **52**", 1, 1),
        ("37,114,52", 1, 1),
        ("37, 37, 114, 52", 2 / 3, 1),
        ("37, 114", 2 / 3, 4 / 5),
        ("37, 114, 52, 99", 1, 6 / 7),
        ("99, 37, 114, 52", 2 / 3, 6 / 7),
        ("3711452", 0, 0),
        ("thirty-seven", 0, 0),
        ("99", 0, 0),
        ("", 0, 0),
        ("37 114 52" + " so" * 10, 1, 0),
        ("1. 37\n2. 114\n3. 52", 2 / 3 - 1 / 3, 1),
        ("\n(1) 37\n(2) 114\n(3) 52\n", 1 / 3, 1),
        ("- 37\n- 114\n- 52", 1, 1),
        ("There are 3 numbers: 37, 114, 52", 2 / 3, 1),
        ("37,\n114, 52", 1, 1),
        ("37, 114, 52\nHow many were 99?", 1, 1),
        ("37. 114. 52.", 1, 1),
        ("1. 37\n2. 114\n3. 52\n4. 900\n12. 900", 1 / 3, 6 / 8),
    ],
)
def test_scores_of_a_list(text: str, official: float, strict: float) -> None:
    assert count().score(ask("37", "114", "52"), text) == Score(pytest.approx(official), pytest.approx(strict))


def test_a_long_numbered_list_is_right() -> None:
    (question,) = count(facts=24).draft(None, 0, 0).questions
    for mark in "{}. {}", "({}) {}", "{}: **{}**":
        text = "\n".join(mark.format(i, number) for i, number in enumerate(question.answers, 1))
        assert count(facts=24).score(question, text).strict == 1


@pytest.mark.parametrize(
    ("text", "official", "strict", "close"),
    [
        ("8", 1, 1, 1),
        ("There are 8 of them.", 1, 1, 1),
        ("**8**", 1, 1, 1),
        ("8, that is 8", 1, 1, 1),
        ("Eight.", 0, 1, 1),
        ("eight people", 0, 1, 1),
        ("twenty-eight", 0, 0, 0.75**20),
        ("8 or 9", 1 / 2, 0, 1),
        ("8, maybe 9", 1 / 2, 0, 1),
        ("8 (or 9)", 1 / 2, 0, 1),
        ("Eight or nine people.", 0, 0, 1),
        ("8/9", 1 / 2, 0, 1),
        ("9 or 8", 1 / 2, 0, 0.75),
        ("8: Luzemy (174), Bazemy (5)", 1 / 3, 1, 1),
        ("Eight: Luzemy (174), Bazemy (5)", 0, 1, 1),
        ("8, since 4 + 5 = 9", 1 / 4, 1, 1),
        ("8.0", 1 / 2, 1, 1),
        ("8.5", 1 / 2, 0, 0.75**0.5),
        ("3 + 5 = 8", 1 / 3, 1, 1),
        ("One day 8 did.", 1, 1, 1),
        ("There is no one.", 0, 0, 0),
        ("None, not one.", 0, 0, 0),
        ("7", 0, 0, 0.75),
        ("18", 0, 0, 0.75**10),
        ("1, 2, 3, 4, 5, 6, 7, 8", 1 / 8, 0, 0.75**7),
        ("9" * 5000, 0, 0, 0),
        ("many", 0, 0, 0),
        ("", 0, 0, 0),
        ("so " * 12 + "8", 1, 0, 1),
    ],
)
def test_scores_of_a_number(text: str, official: float, strict: float, close: float) -> None:
    score = count(ask="number").score(ask("8"), text)
    assert score == Score(pytest.approx(official), strict, {"close": pytest.approx(close)})


@pytest.mark.parametrize(
    ("text", "official", "strict"),
    [
        ("1203", 1, 1),
        ("1,203 seals.", 0, 1),
        ("The total is **1203**.", 1, 1),
        ("600 + 603 = 1203", 1 / 3, 1),
        ("Luzemy (600) + Bazemy (603) = 1203", 1 / 3, 1),
        ("Luzemy 600, Bazemy 603; total = 1,203.", 0, 1),
        ("1203 (600 + 603 = 1203)", 1 / 2, 1),
        ("Because 600 + 603 = 1203", 1 / 3, 1),
        ("600 + 603 = 1203 or 1204", 1 / 4, 0),
        ("600 + 603", 0, 0),
        ("600, 603, 1203", 1 / 3, 0),
        ("1203, 600, 603", 1 / 3, 0),
        ("1204", 0, 0),
        ("12,03", 0, 0),
        ("eight", 0, 0),
        ("", 0, 0),
        ("so " * 12 + "1203", 1, 0),
    ],
)
def test_scores_of_a_total(text: str, official: float, strict: float) -> None:
    assert count(ask="total").score(ask("1203"), text) == Score(pytest.approx(official), strict)


outputs = st.lists(
    st.sampled_from(["37", "114", "52", "99", "5", "0", " ", ",", ".", "\n", "[", "seals", "-", "٣"]), max_size=12
).map("".join)


def digits(text: str) -> list[str]:
    return "".join(c if c.isdecimal() else " " for c in text).split()


@given(st.lists(st.sampled_from([37, 114, 52, 99, 5, 370]), max_size=8), st.sampled_from([", ", " ", "\n", ",", " and ", "] ["]))
def test_official_of_a_list_is_the_hit_rate_of_counting_stars(numbers: list[int], joint: str) -> None:
    gold = [37, 114, 52]
    predicted = list(set(numbers[:3]))
    hits = [1 if n in predicted else 0 for n in gold]
    assert count().score(ask(*map(str, gold)), joint.join(map(str, numbers))).official == sum(hits) / 3


@given(outputs, st.sampled_from(["number", "total"]))
def test_official_of_a_number_is_the_count_score_of_longbench(text: str, asked: str) -> None:
    numbers = digits(text)
    right = len([number for number in numbers if number == "52"])
    assert count(ask=asked).score(ask("52"), text).official == (right / len(numbers) if numbers else 0)


@pytest.mark.parametrize("number", range(1, 65))
def test_numbers_in_words_are_read(number: int) -> None:
    ones = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen")
    ones += ("fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
    tens, rest = divmod(number, 10)
    word = ones[number - 1] if number < 20 else ["twenty", "thirty", "forty", "fifty", "sixty"][tens - 2]
    word += f"-{ones[rest - 1]}" if number > 20 and rest else ""
    for written in (word.capitalize(), word.replace("-", " "), f"There were {word.upper()} people."):
        assert count(ask="number").score(ask(str(number)), written).strict == 1


TEXT = """Text: The sea was grey. Kelzabel counted 37 seals at the mill. Nobody saw. Porzeda counted 12 foxes at the mill. The day
ended. Wirzaven counted 114 seals at the mill. A bell rang.\n\n"""


@pytest.mark.parametrize(
    ("asked", "question", "answer"),
    [
        ("items", "How many seals did each of the people count at the mill?", "37, 114"),
        ("items", "How many foxes did each of the people count at the mill?", "12"),
        ("items", "How many otters did each of the people count at the mill?", ""),
        ("number", "How many people counted seals at the mill?", "2"),
        ("number", "How many people counted otters at the mill?", ""),
        ("total", "How many seals were counted at the mill in all?", "151"),
        ("total", "What?", ""),
    ],
)
def test_the_solver_reads(asked: str, question: str, answer: str) -> None:
    task = count(ask=asked)
    assert task.solve(f"{TEXT}{question}<|end|>\n<|assistant|>\n") == answer
    if answer:
        assert task.solve(f"How many geese were counted? {TEXT}{question}") == answer
        assert task.solve(question) == ""


def test_the_solver_counts_what_a_fragment_holds() -> None:
    question = "How many people counted seals at the mill?"
    assert count(ask="number").solve(TEXT[TEXT.index("seals") :] + question) == "1"


@pytest.mark.parametrize("params", [{"facts": 64}, {}, {"ask": "total", "facts": 64}, {"ask": "number", "facts": 64}], ids=name_of)
def test_the_reserved_tokens_hold_every_answer(params: Params, bpe: Any, metaspace: Any) -> None:
    for index in range(5):
        (question,) = count(**params).draft(None, index, 0).questions
        for tokenizer in (bpe, metaspace):
            assert len(tokenizer.piece(" " + ", ".join(question.answers) + ".")) <= question.max_new_tokens


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"facts": 0}, "facts=0"),
        ({"facts": 65}, "facts=65"),
        ({"decoys": -1}, "decoys=-1"),
        ({"ask": "mean"}, "ask='mean'"),
        ({"placement": "random"}, "placement='random'"),
        ({"haystack": "proze"}, "unknown haystack 'proze'. Did you mean 'prose'"),
        ({"fact": 3}, "unknown parameter of count 'fact'"),
    ],
    ids=lambda value: name_of(value) if isinstance(value, dict) else "",
)
def test_parameters_that_make_no_sense_are_refused(params: Params, says: str) -> None:
    with pytest.raises(UsageError) as error:
        count(**params)
    assert says in str(error.value)
