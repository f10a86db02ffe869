import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval.errors import UsageError
from lceval.keys import generator
from lceval.tasks.vt import Vt
from lceval.types import Draft, Prompt, Question

Compose = Callable[..., Prompt]
Params = dict[str, Any]

GOLD = ("BCDFG", "HJKLM", "NPQRS", "TVWXZ", "ZXWVT")
PROMPT = (
    "Text: VAR BCDFG = 12345. The roof was dry. VAR KKKKK = 54321. VAR HJKLM = VAR BCDFG. VAR LLLLL = VAR KKKKK.\n\n"
    "A cat came by. VAR NPQRS = VAR HJKLM.\n\n"
)


def vt(**params: Any) -> Vt:
    return Vt.from_params(params)


def ask(*answers: str, budget: int = 64) -> Question:
    return Question("Which variables hold the value 12345?", answers, "", budget)


def rendered(draft: Draft, question: int = 0) -> str:
    """A prompt in which the needles stand in the order of their depths, without a haystack."""
    ordered = sorted(draft.needles, key=lambda needle: needle.depth)
    return "\n".join([draft.instruction, *(needle.text for needle in ordered), "", draft.questions[question].text])


def statements(draft: Draft, which: Iterable[int] = ()) -> list[tuple[str, str]]:
    needles = [draft.needles[i].text for i in which] or [needle.text for needle in draft.needles]
    return re.findall(r"VAR (\w+) = (?:VAR )?(\w+)\.", " ".join(needles))


@pytest.mark.parametrize(
    ("answer", "official", "strict"),
    [
        (" BCDFG, HJKLM, NPQRS, TVWXZ, ZXWVT", 1, 1),
        ("The variables are **BCDFG**, `HJKLM`, “NPQRS”, TVWXZ and _ZXWVT_.", 1, 1),
        ("1. VAR bcdfg\n2. VAR hjklm\n3. VAR npqrs\n4. VAR tvwxz\n5. VAR zxwvt", 1, 1),
        ("THE 5 VARIABLES WITH THE VALUE 12345 ARE BCDFG HJKLM NPQRS TVWXZ ZXWVT", 1, 1),
        ("BCDFG, HJKLM, NPQRS, TVWXZ, KKKKK", 4 / 5, 4 / 5),
        ("BCDFG", 1 / 5, 1 / 3),
        (", ".join([*GOLD, "KKKKK", "LLLLL", "MMMMM", "PPPPP", "QQQQQ"]), 1, 2 / 3),
        ("BCDFGHJKLMNPQRSTVWXZZXWVT", 1, 0),  # found inside a string of letters, yet not named
        ("KKKKK", 0, 0),
        ("12345", 0, 0),
        ("", 0, 0),
        (" ".join([*GOLD, *["so"] * 60]), 1, 0),
    ],
)
def test_scores(answer: str, official: float, strict: float) -> None:
    score = vt().score(ask(*GOLD), answer)
    assert [score.official, score.strict] == pytest.approx([official, strict])


def test_details_say_where_the_chain_was_lost() -> None:
    score = vt().score(ask(*GOLD), "BCDFG, HJKLM")
    assert score.details == {"exact": 0.0, "direct": 1.0, "last": 0.0}
    assert vt().score(ask(*GOLD), ", ".join(GOLD)).details == {"exact": 1.0, "direct": 1.0, "last": 1.0}


@pytest.mark.parametrize(
    ("answer", "official", "strict"),
    [
        (" 12345", 1, 1),
        ("The value of ZXWVT is **12345**.", 1, 1),
        ("12,345", 0, 1),
        ("12345 or 54321", 1, 2 / 3),
        ("123456", 1, 0),
        ("54321", 0, 0),
        ("ZXWVT", 0, 0),
        ("", 0, 0),
    ],
)
def test_scores_of_reverse(answer: str, official: float, strict: float) -> None:
    score = vt(ask="reverse").score(ask("12345", budget=32), answer)
    assert [score.official, score.strict] == pytest.approx([official, strict])


def ruler_match_all(prediction: str, golds: tuple[str, ...]) -> float:
    """RULER's metric, written again from its description."""
    cleaned = "".join("\n" if ord(c) < 32 else c for c in prediction.strip()).strip().lower()
    return float(np.mean([1.0 if cleaned.find(gold.lower()) >= 0 else 0.0 for gold in golds]))


@given(st.lists(st.one_of(st.sampled_from([*GOLD, "bcdfg", "KKKKK", "12345", "\x00", "\n", "BCD\tFG"]), st.text(max_size=8))))
def test_the_official_score_is_rulers(parts: list[str]) -> None:
    for output in (" ".join(parts), "".join(parts)):
        assert vt().score(ask(*GOLD), output).official == ruler_match_all(output, GOLD)
        assert vt(ask="reverse").score(ask("12345"), output).official == ruler_match_all(output, ("12345",))


@pytest.mark.parametrize(
    ("question", "params", "answer"),
    [
        ("Which variables hold the value 12345? Answer", {}, "BCDFG, HJKLM, NPQRS"),
        ("Which variables hold the value 54321?<|end|>\n<|assistant|>\nThe 2 variables", {}, "KKKKK, LLLLL"),
        ("Which variables hold the value 11111?", {}, ""),
        ("Which variables hold the value 54321? Which variables hold the value 12345?", {}, "BCDFG, HJKLM, NPQRS"),
        ("What is the value of the variable NPQRS? Answer", {"ask": "reverse"}, "12345"),
        ("What is the value of the variable LLLLL?", {"ask": "reverse"}, "54321"),
        ("What is the value of the variable XXXXX?", {"ask": "reverse"}, ""),
        ("", {}, ""),
    ],
)
def test_the_solver_follows_the_assignments(question: str, params: Params, answer: str) -> None:
    assert vt(**params).solve(PROMPT + question) == answer


def test_a_broken_chain_gives_no_more_than_what_leads_to_the_number() -> None:
    question = "Which variables hold the value 12345?"
    assert vt().solve(PROMPT[PROMPT.index("The roof") :] + question) == ""
    assert vt().solve(PROMPT.replace("VAR HJKLM = VAR BCDFG.", "…") + question) == "BCDFG"
    assert vt(ask="reverse").solve(PROMPT.replace("VAR HJKLM", "…") + "What is the value of the variable NPQRS?") == ""


SWEEP: list[Params] = [
    {},
    {"chains": 1},
    {"chains": 5, "hops": 2, "questions": 3},
    {"hops": 1},
    {"hops": 12, "chains": 3},
    {"placement": "same"},
    {"placement": "same", "chains": 3, "questions": 2},
    {"ask": "reverse"},
    {"ask": "reverse", "chains": 1},
    {"ask": "reverse", "chains": 4, "questions": 4, "placement": "same"},
    {"answer_prefix": False},
    {"thinking_budget": 100},
    {"haystack": "noise"},
    {"haystack": "needles", "chains": 3},
]


@pytest.mark.parametrize("params", SWEEP, ids=str)
def test_a_perfect_reader_scores_1(params: Params, compose: Compose, bpe: Any) -> None:
    task = vt(**params)
    for index, depth in enumerate((0.0, 0.5, 1.0)):
        for question in range(task.params.questions):
            prompt = compose(bpe, task, 2048, depth if task.depth_is_free else None, index, 0, question)
            score = task.score(prompt.question, task.solve(bpe.decode(prompt.ids, special=True)))
            assert (score.official, score.strict, score.details["exact"]) == (1, 1, 1)


@pytest.mark.parametrize("params", SWEEP, ids=str)
def test_an_unlinked_chain_is_no_answer(params: Params) -> None:
    task = vt(**params)
    draft = task.draft(0.5, 0, 0)
    for i, question in enumerate(draft.questions):
        first = draft.needles[question.support[0] if question.support else 0].text
        assert task.solve(rendered(draft, i).replace(first, "")) == ""


@pytest.mark.parametrize("params", SWEEP, ids=str)
def test_hop_order_is_text_order(params: Params, compose: Compose, bpe: Any) -> None:
    task = vt(**params)
    for depth in (0.0, 1.0):
        at = depth if task.depth_is_free else None
        places = [start for start, _ in compose(bpe, task, 2048, at).needle_tokens]
        assigned: set[str] = set()
        for name, source in statements(task.draft(at, 0, 0), np.argsort(places).tolist()):
            assert source.isdigit() or source in assigned
            assigned.add(name)
        assert len(assigned) == task.params.chains * task.params.variables


def test_everything_fits_512_tokens(compose: Compose, tokenizer: Any) -> None:
    for task in (vt(), vt(ask="reverse"), vt(placement="same")):
        prompt = compose(tokenizer, task, 512, 0.5 if task.depth_is_free else None)
        assert task.score(prompt.question, task.solve(tokenizer.decode(prompt.ids))).strict == 1


def test_names_and_numbers_are_distinct_and_of_their_shape() -> None:
    task = vt(chains=64, hops=64)
    for index in range(2):
        found = statements(task.draft(None, index, 0))
        names = [name for name, _ in found]
        numbers = [source for _, source in found if source.isdigit()]
        assert len(set(names)) == len(names) == 64 * 65
        assert len(set(numbers)) == len(numbers) == 64
        assert all(re.fullmatch("[A-Z]{5}", name) and not set(name) & set("AEIOUY") for name in names)
        assert all(re.fullmatch(r"[1-9]\d{4}", number) for number in numbers)


def test_a_chain_is_an_assignment_and_hops() -> None:
    draft = vt(chains=3, hops=3, questions=2).draft(None, 0, 0)
    for question in draft.questions:
        found = statements(draft, question.support)
        assert found[0][1] in question.text
        assert [name for name, _ in found] == list(question.answers)
        assert [source for _, source in found[1:]] == list(question.answers[:-1])
    assert not set(draft.questions[0].support) & set(draft.questions[1].support)


def test_all_chains_stand_at_the_cells_depth_mixed_as_they_are_at_random() -> None:
    orders = set()
    for index in range(50):
        draft = vt(placement="same", chains=3, questions=2).draft(0.25, index, 0)
        assert {needle.depth for needle in draft.needles} == {0.25}
        scattered = vt(chains=3, questions=2).draft(None, index, 0)
        assert [needle.text for needle in draft.needles] == [needle.text for needle in scattered.needles]
        assert draft.questions == scattered.questions
        orders.add(draft.questions[0].support)
    assert len(orders) > 45
    assert sum(order[-1] - order[0] == 4 for order in orders) < 5


@pytest.mark.parametrize("placement", ["random", "same"])
@pytest.mark.parametrize(("chains", "hops"), [(2, 4), (2, 1), (4, 4)])
def test_places_alone_give_away_no_more_than_the_floors_say(placement: str, chains: int, hops: int) -> None:
    value, reverse = (vt(placement=placement, chains=chains, hops=hops, ask=ask_) for ask_ in ("value", "reverse"))
    near, last = [], []
    for index in range(300):
        one, other = value.draft(0.5, index, 0), reverse.draft(0.5, index, 0)
        listed = statements(one)
        first = [source for _, source in listed].index(re.findall(r"\d{5}", one.questions[0].text)[0])
        said = ", ".join(name for name, _ in listed[first : first + 1 + hops])
        near.append(value.score(one.questions[0], said).strict)
        end = [name for name, _ in listed].index(re.findall(r"variable (\w+)\?", other.questions[0].text)[0])
        numbers = [source for _, source in listed[:end] if source.isdigit()]
        last.append(reverse.score(other.questions[0], numbers[-1]).strict)
    for task, scores, floor in (
        (value, near, r"with the next \d+ in the text ([\d.]+)"),
        (reverse, last, r"the last number before the asked variable ([\d.]+)"),
    ):
        (told,) = re.findall(floor, task.floors)
        assert np.mean(scores) == pytest.approx(float(told.rstrip(".")), abs=4 * np.std(scores) / np.sqrt(len(scores)) + 0.005)
    assert chains > 2 or hops < 4 or ("0.6" in value.floors and "0.5" in reverse.floors)


def test_random_depths_differ_by_sample_and_interleave_the_chains() -> None:
    task = vt()
    drafts = [task.draft(None, index, 0) for index in range(50)]
    depths = [tuple(needle.depth for needle in draft.needles) for draft in drafts]
    assert all(a < b for places in depths for a, b in pairwise(places))
    assert len(set(depths)) == 50
    assert sum(draft.questions[0].support in ((0, 1, 2, 3, 4), (5, 6, 7, 8, 9)) for draft in drafts) < 5


def test_how_it_is_asked_and_placed_changes_no_name() -> None:
    texts = [needle.text for needle in vt().draft(None, 7, 1).needles]
    for params in ({"ask": "reverse"}, {"placement": "same"}, {"haystack": "noise"}, {"questions": 2}, {"answer_prefix": False}):
        assert [needle.text for needle in vt(**params).draft(0.3, 7, 1).needles] == texts


@pytest.mark.parametrize("ask_", ["value", "reverse"])
@pytest.mark.parametrize("chains", [1, 2, 5])
def test_a_guess_scores_at_chance(ask_: str, chains: int) -> None:
    task = vt(chains=chains, ask=ask_)
    scores = []
    for index in range(100):
        draft = task.draft(None, index, 0)
        text = rendered(draft)
        scores += [task.score(draft.questions[0], task.guess(text, generator("guess", index, i))).strict for i in range(8)]
    error = np.std(scores) / np.sqrt(len(scores))
    assert abs(np.mean(scores) - task.chance) <= 4 * error + 1e-9


def test_a_guess_from_nothing_is_made_up() -> None:
    assert re.fullmatch("[A-Z]{5}", vt().guess("A roof.", generator("g")))
    assert re.fullmatch(r"\d{5}", vt(ask="reverse").guess("A roof.", generator("g")))


@pytest.mark.parametrize("chains", [1, 2, 4])
def test_naming_everything_scores_what_the_floors_say(chains: int) -> None:
    for ask_, found in (("value", 0), ("reverse", 1)):
        task = vt(chains=chains, ask=ask_)
        draft = task.draft(None, 0, 0)
        everything = [pair[found] for pair in statements(draft) if ask_ == "value" or pair[1].isdigit()]
        score = task.score(draft.questions[0], ", ".join(everything))
        assert [score.official, score.strict] == pytest.approx([1, 2 / (chains + 1)])
        assert ("nothing distracts" if chains == 1 else f"{2 / (chains + 1):.2g}") in task.floors


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"questions": 3}, "raise chains"),
        ({"haystack": "sand"}, "sand"),
        ({"hops": 0}, "hops"),
        ({"ask": "name"}, "ask"),
        ({"placement": "spread"}, "placement"),
        ({"links": 3}, "links"),
    ],
)
def test_refuses(params: Params, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        vt(**params)
