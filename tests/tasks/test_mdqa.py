"""Multi-document question answering: scores, perfect reader, distractors, conditions."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval.errors import UsageError
from lceval.keys import generator
from lceval.tasks.encyclopedia import KINDS, Documents, Kind, value_of, values, values_like
from lceval.tasks.mdqa import Mdqa
from lceval.types import Draft, Prompt, Question

Compose = Callable[..., Prompt]
Params = dict[str, Any]

PEOPLE, PLACES = (list(islice(values(generator("test"), "sample")[kind], 3)) for kind in ("person", "place"))
GOLD, OTHER, THIRD = PEOPLE
TOWN, ELSEWHERE, _ = PLACES
DATE = "14 March 1707"
BUDGET = 60


def mdqa(**params: Any) -> Mdqa:
    return Mdqa.from_params(params)


def ask(gold: str, text: str = f"Who is the mayor of the town of {TOWN}? Answer with the name only.") -> Question:
    return Question(text=text, answers=(gold,), answer_prefix="", max_new_tokens=BUDGET)


SWEEP: list[Params] = [
    {},
    {"hops": 2},
    {"distractors": "hard"},
    {"distractors": "random"},
    {"distractors": "hard", "hops": 2, "questions": 2},
    {"questions": 4},
    {"query_aware": True},
    {"query_aware": True, "hops": 2, "questions": 3},
    {"random_order": True, "answer_prefix": False},
    {"position": "random", "metric": "ruler_part", "hops": 2},
    {"condition": "oracle"},
    {"condition": "oracle", "hops": 2, "query_aware": True},
]
sweep = pytest.mark.parametrize("params", SWEEP, ids=str)


def depths(task: Mdqa) -> list[float | None]:
    return [0.0, 0.6, 1.0] if task.depth_is_free else [None]


def drafts(count: int = 16, **params: Any) -> list[Draft]:
    task = mdqa(**params)
    return [task.draft(0.3 if task.depth_is_free else None, index, 0) for index in range(count)]


def rendered(draft: Draft, question: int = 0) -> str:
    lines = [draft.instruction, *(needle.text for needle in draft.needles), "", draft.questions[question].text]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("output", "official", "strict"),
    [
        (GOLD, 1, 1),
        (f" {GOLD}.", 1, 1),
        (GOLD.upper(), 1, 1),
        (f"**{GOLD}**", 1, 1),
        (f"_{GOLD}_", 1, 1),
        (f"`{GOLD}`", 1, 1),
        (GOLD.replace(" ", "** **"), 1, 1),
        ("**" + GOLD.replace(" ", "** **") + "**", 1, 1),
        (f'"{GOLD}"', 1, 1),
        (f"The mayor of the town of {TOWN} is {GOLD}.", 1, 1),
        (f"In 1707 {GOLD} came from {ELSEWHERE} to {TOWN}.", 1, 1),
        (f"{GOLD}; yes, {GOLD}'s the one", 1, 1),
        (f"\n{GOLD}", 1, 1),
        (f" \n\n \t{GOLD}\n", 1, 1),
        (f"Let me see.\nIt is {GOLD}.", 0, 1),
        (f"{GOLD} or {OTHER}", 1, pytest.approx(2 / 3)),
        (f"{OTHER}, {THIRD} and {GOLD}", 1, pytest.approx(1 / 2)),
        (f"{GOLD}\n\nQuestion: who taught {OTHER}?", 1, pytest.approx(2 / 3)),
        (OTHER, 0, 0),
        (TOWN, 0, 0),
        (GOLD.split()[1], 0, 0),
        (GOLD.replace(" ", " the "), 1, 0),
        ("", 0, 0),
        ("The documents do not say.", 0, 0),
        ("so " * (BUDGET - 2) + GOLD, 1, 1),
        ("so " * BUDGET + GOLD, 1, 0),
    ],
)
def test_scores(output: str, official: float, strict: float) -> None:
    score = mdqa().score(ask(GOLD), output)
    assert (score.official, score.strict) == (official, strict)


@pytest.mark.parametrize(
    ("output", "official", "strict"),
    [
        (GOLD.lower(), 1, 1),
        (f"Let me see.\nIt is {GOLD}.", 1, 1),
        (f"{OTHER}\n{GOLD}", 1, pytest.approx(2 / 3)),
        (f"{GOLD.split()[0]}, {GOLD.split()[1]}", 0, 0),
        (GOLD.replace(" ", "\x00"), 0, 0),
        ("", 0, 0),
    ],
)
def test_scores_of_ruler(output: str, official: float, strict: float) -> None:
    score = mdqa(metric="ruler_part").score(ask(GOLD), output)
    assert (score.official, score.strict) == (official, strict)


@pytest.mark.parametrize(
    ("gold", "output", "strict"),
    [
        (DATE, DATE, 1),
        (DATE, f"{GOLD} was born on {DATE} at 3 o'clock.", 1),
        (DATE, "the 14th of March 1707", 1),
        (DATE, "March 14, 1707", 1),
        (DATE, "**14 March** `1707`", 1),
        (DATE, f"{DATE} or 15 March 1707", pytest.approx(2 / 3)),
        (DATE, f"{DATE}, 1 March 1707", pytest.approx(2 / 3)),
        (DATE, "1707", 0),
        (DATE, "4 March 1707", 0),
        (DATE, f"1{DATE}", 0),
        (DATE, f"{DATE}1", 0),
        (TOWN, f"{GOLD} was born in {TOWN}.", 1),
        (TOWN, f"{TOWN}, {ELSEWHERE}", pytest.approx(2 / 3)),
        (TOWN, TOWN.split()[0], 0),
    ],
)
def test_dates_and_places_are_told_from_other_values(gold: str, output: str, strict: float) -> None:
    assert mdqa().score(ask(gold, f"… {OTHER}?"), output).strict == strict


def test_a_wrong_value_shows_in_the_details() -> None:
    outputs = {"": 0.0, GOLD: 0.0, TOWN: 0.0, OTHER: 1.0, f"{GOLD} {OTHER}": 1.0}
    assert {output: mdqa().score(ask(GOLD), output).details["wrong_value"] for output in outputs} == outputs


def normalised(text: str) -> str:
    kept = "".join(character for character in text.lower() if character not in string.punctuation)
    return " ".join(word for word in re.sub(r"\b(?:a|an|the)\b", " ", kept).split() if word)


PIECES = [GOLD, GOLD.upper(), GOLD[:9], GOLD[9:], OTHER, "the ", "a", " ", "\n", "\t", "-", ".", DATE, "İ", "\x00", "\u2028"]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=8).map("".join), st.sampled_from([GOLD, TOWN, DATE]))
def test_official_scores_are_the_benchmarks_own(output: str, gold: str) -> None:
    begun = output.lstrip()
    first_line = begun[: begun.index("\n")] if "\n" in begun else begun
    assert mdqa().score(ask(gold), output).official == float(normalised(gold) in normalised(first_line.strip()))
    anywhere = "".join("\n" if ord(character) < 32 else character for character in output.strip()).strip().lower()
    assert mdqa(metric="ruler_part").score(ask(gold), output).official == float(gold.lower() in anywhere)


@sweep
def test_a_perfect_reader_scores_1(params: Params, compose: Compose, make_bpe: Any, chat_template: str) -> None:
    task = mdqa(**params)
    for chat in (None, chat_template):
        tokenizer = make_bpe(chat_template=chat)
        for depth in depths(task):
            for index in range(8):
                question = index % task.params.questions
                prompt = compose(tokenizer, task, 4096, depth, index, 0, question)
                answer = task.solve(tokenizer.decode(prompt.ids, special=True))
                score = task.score(prompt.question, answer)
                assert (score.official, score.strict, score.details) == (1, 1, {"wrong_value": 0})
                restated = task.score(prompt.question, f"{prompt.question.answer_prefix} {answer}.")
                assert (restated.official, restated.strict) == (1, 1)


@pytest.mark.parametrize("params", [{}, {"hops": 2}], ids=str)
def test_small_cells_hold_a_sample(params: Params, compose: Compose, tokenizer: Any) -> None:
    task = mdqa(**params)
    for index in range(16):
        prompt = compose(tokenizer, task, 512, 0.5, index)
        assert task.score(prompt.question, task.solve(tokenizer.decode(prompt.ids))).strict == 1


def test_every_question_of_every_kind_is_read() -> None:
    seen = set()
    for draft in [*drafts(160), *drafts(160, hops=2)]:
        (question,) = draft.questions
        assert mdqa().solve(rendered(draft)) == question.answers[0]
        assert question.text.startswith(("Who ", "Which ", "What ", "In which ", "Near which ", "At which ", "On which date "))
        assert "the town of" not in question.text.partition("twin town of ")[2]
        seen.add(re.sub(r"[A-Z]\w+z\w+ [A-Z]\w+", "…", question.text))
    second = [a for kind in KINDS.values() for a in KINDS[kind.target].asked if a.type != kind[kind.link].type]
    assert len(seen) == 3 * len(KINDS) + len(second) == 40


PROMPT = """<|user|>
One of these documents holds the answer.

Documents:
Document (Bazabel Reach): The mayor of Bazabel Reach is Wozulia Ferzamon. It is twinned with Kezory Gate.
Document (Lirzokay Rose): The opera Lirzokay Rose was composed by Sizombe Jirzisk. Its words are by Wozulia Ferzamon.
Document (Sizombe Jirzisk): Sizombe Jirzisk gave a first concert on 17 May 1733. He was born in Bozemy Bay.

{question}<|end|>
<|assistant|>
"""


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who is the mayor of the town of Bazabel Reach? Answer with the name only.", "Wozulia Ferzamon"),
        ("Which town is the town of Bazabel Reach twinned with? Answer with the name only.", "Kezory Gate"),
        ("Who composed the opera Lirzokay Rose? Answer with the name only.", "Sizombe Jirzisk"),
        ("On which date did the composer Sizombe Jirzisk give a first concert? Answer with the date only.", "17 May 1733"),
        (
            "On which date did the composer of the opera Lirzokay Rose give a first concert? Answer with the date only.",
            "17 May 1733",
        ),
        ("In which town was the composer of the opera Lirzokay Rose born? Answer with the name only.", "Bozemy Bay"),
        ("Who taught the composer Sizombe Jirzisk? Answer with the name only.", ""),
        ("Who taught the composer of the opera Lirzokay Rose? Answer with the name only.", ""),
        ("Who taught the composer of the opera Lirzokay Crown? Answer with the name only.", ""),
        ("Who taught the painter Sizombe Jirzisk? Answer with the name only.", ""),
        ("Who is the mayor of the twin town of Bazabel Reach? Answer with the name only.", ""),
        ("What is this?", ""),
        ("? Answer with the ", ""),
    ],
)
def test_the_solver_reads_the_last_question(question: str, answer: str) -> None:
    assert mdqa().solve(PROMPT.format(question=question)) == answer
    earlier = PROMPT.replace(
        "answer.", "answer. You will be asked: Who composed the opera Lirzokay Rose? Answer with the name only."
    )
    if question.endswith(" only."):
        assert mdqa().solve(earlier.format(question=question)) == answer


def test_fragments_of_a_prompt_are_read_as_far_as_they_go() -> None:
    prompt = PROMPT.format(question="In which town was the composer of the opera Lirzokay Rose born? Answer with the name only.")
    opera, composer, question = (prompt.index(part) for part in ("Document (L", "Document (S", "In which town"))
    answers = [mdqa().solve(prompt[start:]) for start in range(len(prompt))]
    assert answers == ["Bozemy Bay"] * (opera + 1) + [""] * (len(prompt) - opera - 1)
    assert mdqa().solve(prompt[:question]) == mdqa().solve(prompt[composer:question]) == mdqa().solve("") == ""


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"distractors": "soft"}, "distractors='soft'"),
        ({"hops": 3}, "hops"),
        ({"hops": 0}, "hops"),
        ({"questions": 9}, "questions"),
        ({"metric": "f1"}, "metric"),
        ({"condition": "oracle", "questions": 2}, "leave questions at 1"),
        ({"condition": "oracle", "random_order": True}, "random_order off"),
        ({"condition": "closed_book", "questions": 2}, "leave questions at 1"),
        ({"condition": "closed_book", "query_aware": True}, "leave query_aware off"),
        ({"query": True}, "query"),
    ],
    ids=str,
)
def test_parameters_that_do_not_fit_are_refused(params: Params, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        mdqa(**params)


def test_no_distractor_contains_an_accepted_answer() -> None:
    golds = {
        normalised(answer)
        for hops in (1, 2)
        for draft in drafts(120, hops=hops, questions=4)
        for question in draft.questions
        for answer in question.answers
    }
    assert len(golds) > 500
    assert all(len(gold) >= 10 for gold in golds)
    assert not [gold for gold in golds if any(gold in other for other in golds - {gold})]
    for name in ("mixed-town:0", "opera+composer:0", "all-but-ship:1"):
        text = normalised(" ".join(document.text for _, document in islice(Documents.of(name).documents(), 2000)))
        assert not [gold for gold in golds if gold in text]


def test_the_answer_occurs_once_among_the_gold_documents() -> None:
    for hops in (1, 2):
        for draft in drafts(24, hops=hops, questions=8):
            text = normalised(" ".join(needle.text for needle in draft.needles))
            assert [text.count(normalised(question.answers[0])) for question in draft.questions] == [1] * 8


def kind_of(text: str) -> Kind:
    """The kind of entity that a document is about: the one all of whose asked attributes it states."""
    title = text.partition("(")[2].partition(")")[0]
    (kind,) = (kind for kind in KINDS.values() if all(value_of(text, title, attribute) for attribute in kind.asked))
    return kind


@pytest.mark.parametrize("hops", [1, 2])
def test_distractors_are_of_the_kinds_that_the_parameter_says(hops: int) -> None:
    shares = {"hard": 1.0, "random": 0.0, "mixed": 0.5}
    for distractors, share in shares.items():
        for draft in drafts(8, hops=hops, distractors=distractors):
            golds = [kind_of(needle.text) for needle in draft.needles]
            documents = Documents.of(draft.haystack.partition(":")[2]).documents()
            others = [kind for kind, _ in islice(documents, 400)]
            own = [kind for kind in others if kind in golds]
            if share == 0.5:
                assert 150 < len(own) < 250
                assert {kind in golds for kind in others[::2]} == {kind in golds for kind in others[1::2]} == {True, False}
            else:
                assert len(own) == 400 * share
            if share:  # hard ones all state what is asked, of each kind about as many
                assert own.count(golds[-1]) / len(own) == pytest.approx(1 / len({kind.name for kind in golds}), abs=0.1)


@pytest.mark.parametrize("hops", [1, 2])
def test_random_distractors_answer_no_question_of_the_golds(hops: int) -> None:
    for draft in drafts(16, hops=hops, distractors="random"):
        golds = [kind_of(needle.text) for needle in draft.needles]
        asked = {attribute.question for attribute in golds[-1].asked}
        for kind, _ in islice(Documents.of(draft.haystack.partition(":")[2]).documents(), 100):
            assert asked.isdisjoint(attribute.question for attribute in kind.asked)


def linked(text: str) -> tuple[int, list[str]]:
    """How many documents a prompt has, and the titles that another document mentions."""
    documents = re.findall(r"^Document \((.+?)\): (.+)$", text, re.MULTILINE)
    said = [set(re.findall(r"(?=\b([A-Z]\w+ [A-Z]\w+))", told)) for _, told in documents]
    titles = [title for title, _ in documents]
    assert len(set(titles)) == len(titles)
    return len(titles), [title for i, title in enumerate(titles) if any(title in told for j, told in enumerate(said) if j != i)]


@pytest.mark.parametrize(("distractors", "pairs"), [("mixed", 5), ("hard", 9)])
def test_being_mentioned_by_another_document_tells_little(distractors: str, pairs: int, compose: Compose, bpe: Any) -> None:
    task = mdqa(hops=2, distractors=distractors)
    found, documents = [], []
    for index in range(24):
        depth = (0.0, 0.3, 0.6, 1.0)[index % 4]
        count, titles = linked(bpe.decode(compose(bpe, task, 4096, depth, index).ids))
        assert task.draft(depth, index, 0).needles[1].text.partition("(")[2].partition(")")[0] in titles
        documents.append(count)
        found.append(len(titles))
    assert sum(documents) / 24 == pytest.approx(30, abs=2)
    assert sum(found) / 24 == pytest.approx(pairs, abs=1)
    assert f"mentions 1/pairs (about {pairs} among 30 documents)" in task.floors


def test_naming_any_value_of_what_is_asked_scores_as_the_floors_say(compose: Compose, bpe: Any) -> None:
    for params, share in [({"distractors": "hard"}, 1), ({}, 2), ({"hops": 2}, 4), ({"distractors": "random"}, None)]:
        task = mdqa(**params)
        stating, documents = [], 0
        for index in range(8):
            kind = kind_of(task.draft(0.5, index, 0).needles[-1].text)
            if params.get("hops") == 2 and kind.link == "twin" and "town+town" in task.draft(0.5, index, 0).haystack:
                continue  # both gold documents are about towns
            lines = re.findall(r"^Document .+$", bpe.decode(compose(bpe, task, 8192, 0.5, index).ids), re.MULTILINE)
            stating.append(sum(kind_of(line) == kind for line in lines))
            documents += len(lines)
        assert documents > 40 * len(stating)
        assert set(stating) == {1} if share is None else sum(stating) == pytest.approx(documents / share, rel=0.15)
        assert f" {share}/k" in task.floors or share is None


def test_all_kinds_are_asked_as_often() -> None:
    kinds = [draft.haystack for draft in drafts(24, distractors="hard")]
    assert len(set(kinds)) == 8
    assert {kinds.count(kind) for kind in kinds} == {3}


SAME_QUESTION: list[Params] = [
    {"distractors": "hard"},
    {"distractors": "random"},
    {"condition": "closed_book"},
    {"condition": "oracle"},
    {"position": "random"},
    {"query_aware": True},
    {"random_order": True},
    {"metric": "ruler_part"},
    {"questions": 5},
]


@pytest.mark.parametrize("hops", [1, 2])
@pytest.mark.parametrize("params", SAME_QUESTION, ids=str)
def test_all_conditions_ask_the_same(hops: int, params: Params) -> None:
    for plain, other in zip(drafts(8, hops=hops), drafts(8, hops=hops, **params), strict=True):
        assert plain.questions[0].text == other.questions[0].text
        assert plain.questions[0].answers == other.questions[0].answers
        texts = [needle.text for needle in plain.needles]
        assert params.get("condition") == "closed_book" or set(texts) <= {needle.text for needle in other.needles}


@pytest.mark.parametrize("hops", [1, 2])
def test_a_sentence_that_restates_the_question_is_within_the_budget(hops: int) -> None:
    for draft in drafts(200, hops=hops):
        (question,) = draft.questions
        assert len(f"{question.answer_prefix} {question.answers[0]}.") / 2.2 + 8 <= question.max_new_tokens == BUDGET


def test_closed_book_shows_nothing(compose: Compose, bpe: Any) -> None:
    task = mdqa(condition="closed_book")
    assert not task.depth_is_free
    for index in range(8):
        prompt = compose(bpe, task, 4096, None, index)
        text = bpe.decode(prompt.ids)
        assert "Document" not in text
        assert prompt.needle_tokens == ()
        assert prompt.question.answers[0] not in text
        assert task.score(prompt.question, task.solve(text)).strict == 0


def test_the_oracle_shows_the_gold_documents_only(compose: Compose, bpe: Any) -> None:
    for hops in (1, 2):
        task = mdqa(condition="oracle", hops=hops)
        assert not task.depth_is_free
        prompt = compose(bpe, task, 4096, None, 1)
        lines = bpe.decode(prompt.ids).split("\n")
        assert [line for line in lines if line.startswith("Document (")] == [n.text for n in task.draft(None, 1, 0).needles]
        assert len(prompt.needle_tokens) == hops


def test_the_second_document_is_found_by_the_first_and_half_a_round_away() -> None:
    for draft in drafts(32, hops=2):
        first, second = draft.needles
        title = second.text.partition("(")[2].partition(")")[0]
        assert title in first.text
        assert title not in draft.questions[0].text
        assert (first.depth, second.depth) == (0.3, pytest.approx(0.8))
        gold = draft.questions[0].answers[0]
        assert title not in values_like(title, gold)  # naming it on the way is no wrong answer


def test_random_positions_hang_on_the_sample_alone() -> None:
    task = mdqa(position="random")
    assert not task.depth_is_free
    places = [task.draft(None, index, seed).needles[0].depth for seed in range(4) for index in range(100)]
    assert places == [task.draft(None, index, seed).needles[0].depth for seed in range(4) for index in range(100)]
    assert all(70 < sum(part / 4 <= place < (part + 1) / 4 for place in places) < 130 for part in range(4))
    assert [draft.needles[0].depth for draft in drafts(9, position="random", hops=2, questions=2)] == places[:9]


def test_each_question_rests_on_its_own_documents() -> None:
    for hops in (1, 2):
        for draft in drafts(8, hops=hops, questions=3):
            assert len(draft.needles) == 3 * hops
            assert [needle.depth for needle in draft.needles[:3]] == [0.3] * 3
            for number, question in enumerate(draft.questions):
                own = [draft.needles[i].text for i in question.support]
                assert len(own) == hops
                text = "\n".join([*own, "", question.text])
                assert mdqa().solve(text) == question.answers[0] == mdqa().solve(rendered(draft, number))


def test_what_the_instruction_says() -> None:
    def said(**params: Any) -> str:
        return drafts(1, **params)[0].instruction

    assert said().startswith("One of these documents")
    assert said(hops=2).startswith("Two of these documents")
    assert ("random order" in said(), "random order" in said(random_order=True)) == (False, True)
    aware = drafts(1, query_aware=True, questions=2)[0]
    assert all(question.text in aware.instruction for question in aware.questions)
    assert said().endswith("\n\nDocuments:")
    assert drafts(1)[0].questions[0].text not in said()


def test_guesses_are_of_the_right_type_and_never_right() -> None:
    task, rng, right = mdqa(), generator("guess"), 0.0
    for draft in drafts(100):
        (question,) = draft.questions
        for _ in range(4):
            guess = task.guess(rendered(draft), rng)
            assert values_like(guess, question.answers[0]) == {guess}
            right += task.score(question, guess).strict
    assert right == task.chance == 0
