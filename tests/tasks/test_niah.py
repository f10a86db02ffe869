from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from syrupy.assertion import SnapshotAssertion

from lceval.errors import UsageError
from lceval.keys import generator
from lceval.tasks import needles
from lceval.tasks.niah import Niah
from lceval.types import Prompt, Question, Score

Compose = Callable[..., Prompt]
Params = dict[str, Any]

OWN = {"needle": "The best tea is drunk on the roof.", "question": "Where is the best tea drunk?", "answer": "the roof"}


def niah(**params: Any) -> Niah:
    return Niah.from_params(params)


def name_of(params: Params) -> str:
    return " ".join(f"{key}={value}" for key, value in params.items()) or "defaults"


SWEEP: list[Params] = [
    {},
    {"keys": 4},
    {"values": 4},
    {"keys": 4, "queries": 4},
    {"keys": 6, "values": 2, "queries": 3},
    *(
        {"needle_type": f"{keys}:{values}", "keys": 2}
        for keys in ("words", "numbers", "uuids")
        for values in ("words", "numbers", "uuids")
    ),
    {"needle_type": "uuids", "keys": 2, "values": 2, "queries": 2},
    {"needle_depths": "same", "keys": 3},
    {"needle_depths": "random", "keys": 3, "queries": 2},
    {"needle_depths": "0.1,0.5", "keys": 2},
    {"needle_depths": "1,0", "values": 2},
    {"haystack": "noise", "keys": 2},
    {"haystack": "pydocs", "keys": 2},
    {"haystack": "needles", "needle_type": "numbers"},
    {"haystack": "needles", "needle_type": "numbers:uuids", "keys": 2, "values": 2, "queries": 2},
    {"answer_prefix": False},
    {"answer_prefix": False, "keys": 3, "queries": 2},
    {"query_first": True},
    {"query_first": True, "keys": 3, "queries": 2},
    OWN,
    OWN | {"query_first": True, "haystack": "noise"},
]
sweep = pytest.mark.parametrize("params", SWEEP, ids=name_of)


def prompts(compose: Compose, tokenizer: Any, task: Niah, length: int = 2048) -> list[Prompt]:
    depths = [0.0, 0.45, 1.0] if task.depth_is_free else [None]
    return [compose(tokenizer, task, length, depth, index) for depth in depths for index in range(2)]


@sweep
@pytest.mark.parametrize("chat", [False, True], ids=["plain", "chat"])
def test_a_perfect_reader_scores_1(params: Params, chat: bool, compose: Compose, make_bpe: Any, chat_template: str) -> None:
    tokenizer, task = make_bpe(chat_template=chat_template if chat else None), niah(**params)
    for prompt in prompts(compose, tokenizer, task):
        answer = task.solve(tokenizer.decode(prompt.ids, special=True))
        assert task.score(prompt.question, answer) == Score(1.0, 1.0)


def test_a_perfect_reader_scores_1_with_any_tokenizer(compose: Compose, metaspace: Any) -> None:
    task = niah(keys=4, queries=2, values=2)
    for prompt in prompts(compose, metaspace, task):
        assert task.score(prompt.question, task.solve(metaspace.decode(prompt.ids))) == Score(1.0, 1.0)


@sweep
def test_a_reader_who_missed_the_needles_scores_0(params: Params, compose: Compose, bpe: Any) -> None:
    task = niah(**params)
    for prompt in prompts(compose, bpe, task):
        kept = np.ones(len(prompt.ids), dtype=bool)
        for begin, end in prompt.needle_tokens:
            kept[begin:end] = False
        answer = task.solve(bpe.decode(prompt.ids[kept]))
        assert task.score(prompt.question, answer) == Score(0.0, 0.0)


@sweep
def test_printing_the_context_does_not_win(params: Params, compose: Compose, bpe: Any) -> None:
    task = niah(**params)
    for prompt in prompts(compose, bpe, task):
        text = bpe.decode(prompt.ids, special=True)
        score = task.score(prompt.question, text)
        assert score.official == 1.0
        assert score.strict < 0.5
        assert score.strict == 0 or len(text.split()) <= prompt.reserved  # ids are long: few words fill a prompt


def test_an_answer_as_long_as_its_budget_is_still_scored() -> None:
    question = ask("8841203")
    assert niah().score(question, " so" * 8 + " 8841203").strict == 1.0
    assert niah().score(question, " so" * 9 + " 8841203").strict == 0.0


@pytest.mark.parametrize(("keys", "queries"), [(2, 1), (4, 1), (8, 2)])
def test_naming_all_that_was_planted_costs_precision(keys: int, queries: int) -> None:
    task = niah(keys=keys, queries=queries)
    draft = task.draft(0.5, 0, 0)
    everything = ", ".join(fact.value for needle in draft.needles for fact in needles.facts(needle.text))
    assert task.score(draft.questions[0], everything) == Score(1.0, pytest.approx(2 * queries / (keys + queries)))


@pytest.mark.parametrize(
    ("params", "chance"),
    [
        ({"keys": 4}, 1 / 4),
        ({"keys": 8, "queries": 2}, 1 / 4),
        ({"keys": 2, "values": 3}, 1 / 2),
        ({"haystack": "needles", "needle_type": "numbers"}, 0),
    ],
    ids=str,
)
def test_a_guess_scores_at_chance(params: Params, chance: float, compose: Compose, bpe: Any) -> None:
    task = niah(**params)
    scores = []
    for index in range(20):
        prompt = compose(bpe, task, 1500, 0.5, index)
        text = bpe.decode(prompt.ids)
        scores += [task.score(prompt.question, task.guess(text, generator("guess", index, i))).official for i in range(25)]
    assert np.mean(scores) == pytest.approx(chance, abs=0.08)


def test_a_guess_without_anything_to_pick_from_is_made_up() -> None:
    task = niah()
    guess = task.guess("Nothing is hidden here.", generator("g"))
    assert needles.named(guess, "numbers") == {guess}


@pytest.mark.parametrize("params", [{}, {"needle_type": "words"}, {"needle_type": "uuids"}], ids=name_of)
def test_keys_values_and_needles_are_unique(params: Params) -> None:
    task = niah(**params, keys=10, values=4)
    for index in range(20):
        draft = task.draft(0.5, index, 0)
        facts = [fact for needle in draft.needles for fact in needles.facts(needle.text)]
        assert len({fact.key for fact in facts}) == 10
        assert len({fact.value for fact in facts}) == len({needle.text for needle in draft.needles}) == 40


@sweep
def test_only_the_depths_of_the_needles_depend_on_the_cell(params: Params) -> None:
    task = niah(**params)
    one, other = (task.draft(depth if task.depth_is_free else None, 3, 5) for depth in (0.0, 0.7))
    assert one.questions == other.questions
    assert (one.instruction, one.haystack, one.start) == (other.instruction, other.haystack, other.start)
    assert [needle.text for needle in one.needles] == [needle.text for needle in other.needles]


def test_samples_differ_by_index_and_by_seed() -> None:
    task = niah()
    drafts = [task.draft(0.5, index, seed) for index in range(5) for seed in range(5)]
    assert len({draft.needles for draft in drafts}) == len({draft.start for draft in drafts}) == 25
    assert len({draft.haystack for draft in drafts}) == 5  # one text a seed


@pytest.mark.parametrize("indices", [2, 5, 10, 50])
def test_samples_begin_far_apart_in_the_haystack(indices: int) -> None:
    starts = sorted(niah().draft(0.5, index, 0).start for index in range(indices))
    gaps = np.diff([*starts, starts[0] + 1])
    assert all(0 <= start < 1 for start in starts)
    assert gaps.min() > 0.35 / indices


@pytest.mark.parametrize(
    ("params", "depth", "depths"),
    [
        ({}, 0.3, [0.3]),
        ({"keys": 4}, 0.0, [0, 0.25, 0.5, 0.75]),
        ({"keys": 4}, 0.5, [0.5, 0.75, 1.0, 0.25]),
        ({"keys": 2, "values": 2}, 0.9, [0.9, 0.15, 0.4, 0.65]),
        ({"keys": 3, "needle_depths": "same"}, 0.3, [0.3] * 3),
        ({"keys": 2, "needle_depths": "0.9,0.1"}, None, [0.9, 0.1]),
    ],
    ids=str,
)
def test_needles_aim_where_the_parameters_say(params: Params, depth: float | None, depths: list[float]) -> None:
    draft = niah(**params).draft(depth, 0, 0)
    assert [needle.depth for needle in draft.needles] == pytest.approx(depths)


def test_random_depths_are_drawn_for_every_sample() -> None:
    task = niah(keys=3, needle_depths="random")
    drawn = [tuple(needle.depth for needle in task.draft(None, index, 0).needles) for index in range(200)]
    assert len(set(drawn)) == 200
    assert np.mean(drawn) == pytest.approx(0.5, abs=0.06)
    assert task.draft(None, 7, 0) == task.draft(None, 7, 0)


@pytest.mark.parametrize(("mode", "free"), [("spread", True), ("same", True), ("random", False), ("0.5", False)])
def test_the_grid_places_needles_unless_the_parameters_do(mode: str, free: bool) -> None:
    assert niah(needle_depths=mode).depth_is_free is free


def test_the_question_names_the_keys_asked_and_the_prefix_begins_the_answer() -> None:
    task = niah(keys=3, queries=2, values=2, needle_type="numbers")
    (question,) = task.draft(0.5, 0, 0).questions
    facts = [fact for needle in task.draft(0.5, 0, 0).needles for fact in needles.facts(needle.text)]
    first, second = facts[0].key, facts[2].key
    assert question.text == f"What are all the vault numbers for {first} and {second}? Answer with the numbers only."
    assert question.answer_prefix == f"The vault numbers for {first} and {second} are"
    assert question.answers == tuple(fact.value for fact in facts[:4])
    assert question.stop == ("\n\n",)


def test_reasoning_models_begin_their_own_answer() -> None:
    (question,) = niah(answer_prefix=False).draft(0.5, 0, 0).questions
    assert (question.answer_prefix, question.stop) == ("", ())


def test_the_question_may_come_first_as_well() -> None:
    draft = niah(query_first=True).draft(0.5, 0, 0)
    assert draft.questions[0].text in draft.instruction
    assert draft.questions[0].text not in niah().draft(0.5, 0, 0).instruction


@pytest.mark.parametrize("kind", ["words", "numbers", "uuids"])
def test_the_reserved_tokens_hold_every_answer(kind: str, bpe: Any, metaspace: Any) -> None:
    task = niah(keys=8, queries=8, needle_type=kind)
    for index in range(20):
        (question,) = task.draft(0.5, index, 0).questions
        for tokenizer in (bpe, metaspace):
            assert len(tokenizer.piece(" " + ", ".join(question.answers) + ".")) <= question.max_new_tokens


def test_reserved_tokens_may_be_given() -> None:
    assert niah(max_new_tokens=77).draft(0.5, 0, 0).questions[0].max_new_tokens == 77
    assert niah(**OWN, max_new_tokens=7).draft(0.5, 0, 0).questions[0].max_new_tokens == 7


def ask(*answers: str, key: str = "5550123", kind: str = "number") -> Question:
    return Question(f"What is the vault {kind} for {key}? Answer with the {kind} only.", answers, "", 9)


@pytest.mark.parametrize(
    ("text", "official", "strict"),
    [
        ("8841203", 1, 1),
        (" 8841203.", 1, 1),
        ("**8841203**", 1, 1),
        ("The vault number for 5550123 is 8841203.", 1, 1),
        ("8841203, that is 8841203", 1, 1),
        ("8,841,203", 0, 1),
        ("In chapter 12 it says 8841203", 1, 1),
        ("8841203 or 1234567", 1, 2 / 3),
        ("1234567", 0, 0),
        ("88412034", 1, 0),
        ("id-8841203", 1, 0),
        ("", 0, 0),
        ("5550123", 0, 0),
        ("I do not know.", 0, 0),
    ],
)
def test_scores_of_a_number(text: str, official: float, strict: float) -> None:
    assert niah(needle_type="numbers").score(ask("8841203"), text) == Score(official, pytest.approx(strict))


@pytest.mark.parametrize(
    ("text", "official", "strict"),
    [
        ("8841203, 4739021", 1, 1),
        ("4739021 and 8841203", 1, 1),
        ("1. 8841203\n2. 4739021", 1, 1),
        ("8841203,4739021", 1, 1),
        ("8,841,203, 4,739,021", 0, 1),
        ("8841203", 1 / 2, 2 / 3),
        ("8841203 8841203", 1 / 2, 2 / 3),
        ("8841203, 4739021, 1000000, 2000000", 1, 2 / 3),
        ("", 0, 0),
    ],
)
def test_scores_of_two_numbers(text: str, official: float, strict: float) -> None:
    assert niah(values=2).score(ask("8841203", "4739021"), text) == Score(official, pytest.approx(strict))


UUID, OTHER = "74ad85b5-bb79-4517-89ce-0f1e2d3c4b5a", "00ff85b5-bb79-4517-89ce-0f1e2d3c4b5b"


@pytest.mark.parametrize(
    ("text", "official", "strict"),
    [
        (UUID, 1, 1),
        (UUID.upper(), 1, 1),
        (f"It is {UUID}.", 1, 1),
        (f"{UUID} {OTHER}", 1, 2 / 3),
        (OTHER, 0, 0),
        (UUID[:23], 0, 0),
        (UUID.replace("-", ""), 0, 0),
    ],
)
def test_scores_of_an_id(text: str, official: float, strict: float) -> None:
    assert niah(needle_type="uuids").score(ask(UUID, key=OTHER[:8], kind="id"), text) == Score(official, pytest.approx(strict))


WORDS = needles.take("words", 3, generator("words of this test"))


@pytest.mark.parametrize(
    ("text", "official", "strict"),
    [
        (WORDS[0], 1, 1),
        (WORDS[0].upper(), 1, 1),
        (WORDS[0].title(), 1, 1),
        (f"The word for {WORDS[1]} is {WORDS[0]}, in the long-term.", 1, 1),
        (f"{WORDS[0]} or {WORDS[2]}", 1, 2 / 3),
        (WORDS[2], 0, 0),
        (WORDS[0].replace("-", " "), 0, 0),
        (WORDS[1], 0, 0),
    ],
)
def test_scores_of_a_word(text: str, official: float, strict: float) -> None:
    question = ask(WORDS[0], key=WORDS[1], kind="word")
    assert niah(needle_type="words").score(question, text) == Score(official, pytest.approx(strict))


@pytest.mark.parametrize(
    ("answer", "text", "official", "strict"),
    [
        ("the roof", "the roof", 1, 1),
        ("the roof", "The roof.", 1, 1),
        ("the roof", "It is under the roof of the house.", 1, 1),
        ("the roof", "the cellar", 0, 0),
        ("the roof|tea", "tea on the roof", 1, 1),
        ("the roof|tea", "on the roof", 1 / 2, 1 / 2),
        ("the roof", "the roof and more " * 20, 1, 0),
        ("the roof", "", 0, 0),
    ],
)
def test_scores_of_an_own_needle(answer: str, text: str, official: float, strict: float) -> None:
    task = niah(**(OWN | {"answer": answer}))
    (question,) = task.draft(0.5, 0, 0).questions
    assert task.score(question, text) == Score(official, pytest.approx(strict))


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"key": 4}, "unknown parameter of niah 'key'. Did you mean 'keys'"),
        ({"keys": 0}, "keys=0: Input should be greater than or equal to 1"),
        ({"keys": "x"}, "keys='x': Input should be a valid integer"),
        ({"values": 0}, "values=0"),
        ({"queries": 0}, "queries=0"),
        ({"queries": 2}, "queries=2 asks about more keys than keys=1 plants; raise keys"),
        ({"needle_type": "colours"}, "'colours' is not one of words, numbers, uuids"),
        ({"needle_type": "words:colours"}, "'colours' is not one of"),
        ({"needle_type": ":numbers"}, "'' is not one of"),
        ({"needle_type": "words:numbers:uuids"}, "'numbers:uuids' is not one of"),
        ({"haystack": "proze"}, "unknown haystack 'proze'. Did you mean 'prose'"),
        ({"haystack": "path:"}, "unknown haystack 'path:'"),
        ({"needle_depths": "deep"}, "needle_depths='deep' is not spread, same, random or a list"),
        ({"needle_depths": "0.1,0.5"}, "needle_depths lists 2 depths for 1 needles"),
        ({"needle_depths": "1.5"}, "outside 0..1"),
        ({"needle_depths": "nan"}, "outside 0..1"),
        ({"needle": "Tea is hot."}, "takes all three of needle=…, question=… and answer=…"),
        ({"question": "Is it?", "answer": "yes"}, "takes all three"),
        (OWN | {"keys": 2}, "leave keys, values and queries at 1"),
        (OWN | {"values": 2}, "leave keys, values and queries at 1"),
        (OWN | {"haystack": "needles"}, "use another haystack than 'needles'"),
        (OWN | {"answer": "roof|"}, "answer"),
        ({"max_new_tokens": -1}, "max_new_tokens=-1"),
        ({"answer_prefix": "perhaps"}, "answer_prefix='perhaps'"),
    ],
    ids=lambda value: name_of(value) if isinstance(value, dict) else "",
)
def test_parameters_that_make_no_sense_are_refused(params: Params, says: str) -> None:
    with pytest.raises(UsageError) as error:
        niah(**params)
    assert says in str(error.value)


def test_more_keys_than_there_are_words_are_refused() -> None:
    pairs = len(needles.ADJECTIVES) * len(needles.NOUNS)
    with pytest.raises(UsageError, match="keys"):
        niah(keys=pairs, haystack="noise").draft(0.5, 0, 0)


def test_the_floors_tell_chance() -> None:
    assert "score 0.25 (queries / keys)" in niah(keys=4).floors
    assert "score 1 (queries / keys)" in niah(keys=4, queries=4).floors
    assert "score 1 / needles" in niah(haystack="needles").floors


@pytest.mark.parametrize(
    "params",
    [{"needle_type": "numbers:uuids", "keys": 3, "queries": 2, "values": 2}, OWN | {"query_first": True}],
    ids=["six ids", "own needle"],
)
def test_drafts_never_change_without_a_new_version(params: Params, snapshot: SnapshotAssertion) -> None:
    task = niah(**params)
    assert {"version": task.version, "draft": asdict(task.draft(0.25, 3, 7))} == snapshot
