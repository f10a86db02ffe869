import re
from collections.abc import Callable
from itertools import combinations, islice
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval.errors import UsageError
from lceval.keys import generator
from lceval.tasks import association_facts as known
from lceval.tasks import names
from lceval.tasks.association import AWAY, Association, Relation
from lceval.tasks.association_facts import ENTRIES, RELATIONS
from lceval.tasks.haystacks import prose
from lceval.types import Prompt, Question, Score

Compose = Callable[..., Prompt]
Params = dict[str, Any]

ANN, BEN, CAT = islice(names.given(generator("test association"), "sample"), 3)
PARIS = "Which person in the text has a home in Paris? Answer with the name only."


def association(**params: Any) -> Association:
    return Association.from_params(params)


def name_of(params: Params) -> str:
    return " ".join(f"{key}={value}" for key, value in params.items()) or "defaults"


def asked(answer: str = ANN) -> Question:
    return Question(PARIS, (answer,), "", 48)


SWEEP: list[Params] = [
    {},
    {"hops": 2},
    {"order": "inverted"},
    {"hops": 2, "order": "inverted", "questions": 4, "others": 8},
    *({"relation": name, "questions": 4, "others": 2} for name in RELATIONS),
    {"questions": 3, "others": 0},
    {"distractor": "on"},
    {"distractor": "on", "questions": 2, "hops": 2, "relation": "novel"},
    {"haystack": "noise"},
    {"haystack": "pydocs", "order": "inverted"},
    {"answer_prefix": "off"},
]
sweep = pytest.mark.parametrize("params", SWEEP, ids=name_of)

PAIRS = [
    (entry, relation.sentence(entry.thing, ANN, inverted=inverted))
    for relation in RELATIONS.values()
    for entry in relation.entries
    for inverted in (False, True)
]
TOLD = {needle.replace(ANN, ""): entry for entry, needle in PAIRS}
QUESTIONS = sorted(
    {
        f"{RELATIONS[entry.relation].question(entry, hop)} Answer with the name only."
        for entry in ENTRIES
        for hop in range(1, len(entry.labels) + 1)
    }
)


# The tables.


def test_there_are_enough_facts() -> None:
    assert len(RELATIONS) >= 8
    assert len(ENTRIES) >= 100
    assert {"any", *RELATIONS} == set(get_args(Relation))


def test_no_needle_shares_a_stem_with_any_question() -> None:
    assert known.shared(" ".join(needle for _, needle in PAIRS), " ".join(QUESTIONS)) == set()  # every pair at once


@pytest.mark.parametrize(
    ("needle", "question"),
    [
        ("She collects Swiss watches.", "Who is watching?"),
        ("The voltage rose.", "Who measures in volts?"),
        ("An Egyptian cat.", "Who has been to Egypt?"),
        ("He sings songs.", "Who is a singer?"),
        ("Two cities.", "Which city is it?"),
        ("The photos.", "Who is a photographer?"),
        ("The MUSEUM.", "Which museum?"),
    ],
)
def test_shared_stems_are_found(needle: str, question: str) -> None:
    assert known.shared(needle, question)


def test_small_words_and_chance_beginnings_are_no_shared_stems() -> None:
    assert not known.shared("It is on the oak.", "Who is on it?")
    assert not known.shared("A cap lies in it.", "Which of the capitals is it?")


def test_things_have_the_articles_that_they_have_in_english() -> None:
    things = {entry.thing for entry in ENTRIES}
    bare = {"Hagia Sophia", "Wawel Castle", "Schonbrunn Palace", "Inti Raymi"}
    assert bare <= things
    assert not {f"the {thing}" for thing in bare} & things
    assert "the first Peer Gynt suite" in things  # of two


def test_help_and_floors_agree_with_what_the_task_does() -> None:
    description = str(Association.Params.model_fields["haystack"].description)
    assert "prose" in description
    assert "needles" not in description
    assert "closed book 0" in association().floors
    assert "the only invented name in the text is the answer: naming it scores 1" in association(others=0).floors
    assert "blindly scores 0.5 (1 / 2 persons)" in association(others=0, questions=2).floors


def test_every_thing_implies_one_thing_only() -> None:
    things = [entry.thing for entry in ENTRIES]
    assert len(things) == len(set(things))
    for entry in ENTRIES:
        assert len(entry.labels) == len(RELATIONS[entry.relation].asks) == len(RELATIONS[entry.relation].topics)


def test_tables_are_plain_text_that_no_name_occurs_in() -> None:
    for text in [needle.replace(ANN, "") for _, needle in PAIRS] + QUESTIONS:
        assert text.isascii()
        assert names.given_in(text) == []


@pytest.mark.parametrize("seed", range(3))
def test_prose_tells_nothing_of_the_tables(seed: int) -> None:
    text = " ".join(islice(prose.paragraphs(seed), 500))
    assert len(text) > 250_000
    terms = {(entry.relation, term) for entry in ENTRIES for term in (entry.thing, *entry.labels)}
    bare = {(relation, re.sub(r"^(?:the|an?) ", "", term, flags=re.IGNORECASE)) for relation, term in terms}
    found = {(relation, term) for relation, term in bare if term in text and re.search(rf"\b{re.escape(term)}\b", text)}
    assert {relation for relation, _ in found} <= {"element"}  # prose has iron and tin, but no chemistry:
    assert not re.search(r"\b(?:chemi|element|symbol)", text, re.IGNORECASE)
    assert not any(term[0].isupper() for _, term in found)
    assert names.given_in(text) == []


# Drafts.


@sweep
def test_a_perfect_reader_scores_1(params: Params, compose: Compose, bpe: Any) -> None:
    task = association(**params)
    for index, depth in enumerate((0.0, 0.45, 1.0)):
        for question in range(task.params.questions):
            prompt = compose(bpe, task, 1536, depth, index, 0, question)
            answer = task.solve(bpe.decode(prompt.ids, special=True))
            assert task.score(prompt.question, answer) == Score(1.0, 1.0)


@pytest.mark.parametrize("params", [{}, {"hops": 2, "distractor": "on", "order": "inverted"}], ids=name_of)
def test_samples_fit_in_a_cell_of_512_tokens(params: Params, compose: Compose, tokenizer: Any) -> None:
    task = association(**params)
    for index in range(10):
        prompt = compose(tokenizer, task, 512, 0.5, index)
        assert len(prompt.ids) + prompt.reserved <= 512
        assert task.score(prompt.question, task.solve(tokenizer.decode(prompt.ids))) == Score(1.0, 1.0)


@sweep
def test_exactly_one_person_answers_a_question(params: Params) -> None:
    task = association(**params)
    for index in range(30):
        draft = task.draft(0.3, index, 7)
        text = "\n".join(needle.text for needle in draft.needles)
        people = names.given_in(text)
        assert len(set(people)) == len(people) == task.params.questions + task.params.others
        for number, question in enumerate(draft.questions):
            assert task.solve(f"{text}\n\n{question.text}") == question.answers[0]
            assert question.support == (number,)
            assert question.answers[0] in draft.needles[number].text
            assert draft.needles[number].depth == 0.3
        told = [TOLD[needle.text.replace(person, "")] for person, needle in zip(people, draft.needles, strict=False)]
        assert not any(a.clashes(b) for a, b in combinations(told, 2))


@pytest.mark.parametrize("relation", RELATIONS)
def test_other_needles_look_like_the_asked_one(relation: str) -> None:
    frame = re.escape(RELATIONS[relation].needle).replace(r"\{person\}", r"\w+").replace(r"\{thing\}", r".+")
    for index in range(10):
        draft = association(relation=relation).draft(0.5, index, 0)
        assert len(draft.needles) == 4
        assert all(re.fullmatch(frame, needle.text) for needle in draft.needles)


def test_hops_and_order_ask_and_tell_of_the_same_facts_in_other_words() -> None:
    one, two, inverted = (
        association(relation="landmark", **params).draft(0.5, 3, 0) for params in ({}, {"hops": 2}, {"order": "inverted"})
    )
    assert one.needles == two.needles
    assert one.questions[0].answers == two.questions[0].answers == inverted.questions[0].answers
    assert one.questions[0].text != two.questions[0].text
    assert one.questions == inverted.questions
    for plain, turned in zip(one.needles, inverted.needles, strict=True):
        assert plain.text != turned.text
        assert names.given_in(plain.text) == names.given_in(turned.text)
        assert turned.text.index(names.given_in(turned.text)[0]) > plain.text.index(names.given_in(plain.text)[0])


@pytest.mark.parametrize("hops", [1, 2])
def test_a_distractor_shares_the_question_s_word_and_stays_away(hops: int) -> None:
    task = association(hops=hops, distractor="on", questions=2)
    places = set()
    for index in range(40):
        for depth in (0.0, 0.1, 0.5, 0.9, 1.0):
            draft = task.draft(depth, index, 0)
            for question, distractor in zip(draft.questions, draft.needles[-2:], strict=True):
                assert names.given_in(distractor.text) == []
                assert known.shared(distractor.text, question.text)
                assert abs(distractor.depth - depth) >= AWAY - 1e-9
                assert 0 <= distractor.depth <= 1
                places.add(distractor.depth > depth)
        without = association(hops=hops, questions=2).draft(1.0, index, 0)
        assert without.needles == draft.needles[:-2]
        assert without.questions == draft.questions
    assert places == {True, False}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"relation": "moon", "hops": 2}, "no second hop; use hops=1"),
        ({"relation": "dish"}, "relation"),
        ({"hops": 3}, "hops"),
        ({"questions": 9}, "questions"),
        ({"others": 9}, "others"),
        ({"order": "reversed"}, "order"),
        ({"haystack": "needles"}, "use prose"),
        ({"haystack": "essays"}, "essays"),
    ],
    ids=str,
)
def test_impossible_parameters_are_refused(params: Params, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        association(**params)


def test_parameters_come_as_text() -> None:
    params = association(hops="2", others="5", distractor="on").params
    assert (params.hops, params.others, params.distractor) == (2, 5, True)


# Scores.


@pytest.mark.parametrize(
    ("output", "official", "strict"),
    [
        (f" {ANN}.", 1, 1),
        (f"The name of this person is {ANN}.", 1, 1),
        (f"It is {ANN}, who sees the Eiffel Tower and so has a home in Paris.", 1, 1),
        (f"**{ANN}**", 1, 1),
        (f"_{ANN}_", 1, 1),
        (f'"{ANN}"', 1, 1),
        (f"{ANN}, I mean {ANN}.", 1, 1),
        (ANN.upper(), 0, 1),
        (ANN.lower(), 0, 1),
        (f"{ANN} or {BEN}", 1, 2 / 3),
        (f"{ANN}, {BEN} and {CAT}", 1, 1 / 2),
        (f"Not {BEN}, but {ANN}", 1, 2 / 3),
        (BEN, 0, 0),
        ("Paris", 0, 0),
        ("", 0, 0),
        ("I do not know.", 0, 0),
        (f"{ANN}s", 1, 0),
        (f"{'so ' * 47}{ANN}", 1, 1),
        (f"{'so ' * 48}{ANN}", 1, 0),
    ],
)
def test_scores(output: str, official: float, strict: float) -> None:
    assert association().score(asked(), output) == Score(official, pytest.approx(strict))


PIECES = st.sampled_from([ANN, BEN, ANN.upper(), ANN[:-1], " ", ", ", ".", "\n"])
ANYTHING = st.lists(st.one_of(PIECES, st.text(max_size=8))).map("".join)


@given(ANYTHING)
def test_the_official_score_is_nolima_s(output: str) -> None:
    def contains(response: str, gold_answers: list[str]) -> int:
        for gold in gold_answers:
            if response.find(gold) >= 0:
                return 1
        return 0

    score = association().score(asked(), output)
    assert score.official == contains(output, [ANN])
    assert 0 <= score.strict <= 1


# Reading and guessing.

FACT = f"{ANN} can see the Eiffel Tower from the bedroom window."


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (f"Text: {FACT}\n\n{PARIS}", ANN),
        (f"Text:\nIt rained. It is the Eiffel Tower that {ANN} can see from the bedroom window. Then not.\n\n{PARIS}", ANN),
        (f"{BEN} can see the Colosseum from the bedroom window. {FACT}\n\n{PARIS}", ANN),
        (f"<|user|>\nText: Why? {FACT}\n\n{PARIS}<|end|>\n<|assistant|>\nThe name of this person is", ANN),
        (f"{FACT}\n\n{PARIS.replace('Paris', 'Rome')}", ""),
        (f"{FACT}\n\nWhich person in the text has a home somewhere in France? Answer", ANN),
        (f"{FACT}\n\n{PARIS.replace('Paris', 'Rome')}\n\n{PARIS}", ANN),
        (f"can see the Eiffel Tower from the bedroom window.\n\n{PARIS}", ""),
        ("Nobody finished the long newspaper article about Paris.\n\n" + PARIS, ""),
        (f"{FACT}\n\nWhich person in the text has a", ""),
        (FACT, ""),
        ("", ""),
    ],
)
def test_the_reader_reads(text: str, answer: str) -> None:
    assert association().solve(text) == answer


@pytest.mark.parametrize("params", [{}, {"others": 1}, {"others": 0, "questions": 3}, {"questions": 2, "hops": 2}], ids=name_of)
def test_a_guess_scores_at_chance(params: Params, compose: Compose, bpe: Any) -> None:
    task = association(**params)
    scores = []
    for index in range(25):
        prompt = compose(bpe, task, 1024, 0.5, index)
        text = bpe.decode(prompt.ids)
        scores += [task.score(prompt.question, task.guess(text, generator("guess", index, i))).strict for i in range(40)]
    expected = 1 / (task.params.questions + task.params.others)
    assert task.chance == expected
    assert abs(np.mean(scores) - expected) < 4 * np.sqrt(expected * (1 - expected) / len(scores))
    assert f"{expected:.2g}" in task.floors


def test_a_guess_without_a_text_is_somebody_else() -> None:
    guess = association().guess("", generator("nobody"))
    assert names.given_in(guess) == [guess]
    assert association().score(asked(), guess).strict == 0
