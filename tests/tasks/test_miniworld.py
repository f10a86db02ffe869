import re
from collections import Counter
from collections.abc import Callable
from itertools import combinations, islice, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval.errors import UsageError
from lceval.keys import generator
from lceval.tasks import names
from lceval.tasks.haystacks import prose
from lceval.tasks.miniworld import LABELS, PEOPLE, ROOMS, THINGS, Fact, Miniworld, facts
from lceval.types import Draft, Prompt, Question

Compose = Callable[..., Prompt]
Params = dict[str, Any]

TASKS = ("qa1", "qa2", "qa3", "qa4", "qa5")
every_task = pytest.mark.parametrize("name", TASKS)


def miniworld(**params: Any) -> Miniworld:
    return Miniworld.from_params(params)


def name_of(params: Params) -> str:
    return " ".join(f"{key}={value}" for key, value in params.items()) or "defaults"


SWEEP: list[Params] = [
    *({"task": name} for name in TASKS),
    *({"task": name, "questions": 2, "placement": "clustered"} for name in TASKS),
    *({"task": name, "questions": 4, "facts": 24} for name in ("qa1", "qa2", "qa3", "qa5")),
    *({"task": name, "facts": 3} for name in ("qa1", "qa2", "qa3", "qa5")),
    {"task": "qa4", "placement": "0.2,0.9"},
    {"facts": 4, "placement": "0,0.5,0.5,1"},
    {"examples": 0},
    {"examples": 2, "task": "qa3"},
    {"haystack": "noise", "task": "qa2"},
    {"haystack": "pydocs", "task": "qa5"},
    {"answer_prefix": "off", "task": "qa5"},
]
sweep = pytest.mark.parametrize("params", SWEEP, ids=name_of)


def told(draft: Draft) -> list[Fact]:
    return [fact for needle in draft.needles for fact in facts(needle.text)]


# The lists.


def test_no_label_is_part_of_another_or_of_what_is_asked() -> None:
    labels = [label.lower() for label in (*PEOPLE, *ROOMS, *THINGS)]
    assert not [(a, b) for a, b in combinations(labels, 2) if a in b or b in a]
    assert len(PEOPLE) == len(ROOMS) == len(THINGS) == 6
    for name in TASKS:
        task = miniworld(task=name, examples=2)
        for index in range(30):
            draft = task.draft(None, index, 0)
            assert not [label for label in labels if label in draft.instruction.lower()]
            for question in draft.questions:
                bare = re.sub("|".join((*PEOPLE, *ROOMS, *THINGS)), "", question.text).lower()
                assert not [label for label in labels if label in bare]
                assert question.answers[0] not in question.text
                assert question.answers[0] in LABELS[task.params.task]


@pytest.mark.parametrize("seed", range(3))
def test_prose_holds_no_facts_and_none_of_the_people(seed: int) -> None:
    text = "\n\n".join(islice(prose.paragraphs(seed), 500))
    assert len(text) > 250_000
    assert facts(text) == []
    assert not [person for person in PEOPLE if person.lower() in text.lower()]
    assert names.given_in(" ".join(PEOPLE)) == []
    for name in TASKS:
        question = miniworld(task=name).draft(None, 0, seed).questions[0]
        assert miniworld(task=name).solve(f"{text}\n\n{question.text}") == ""


# Worlds. The oracles below know nothing of the simulator: each reads its answer off the list of facts from the end.


def room_of(who: str, story: list[Fact]) -> str | None:
    return next((fact.where for fact in reversed(story) if fact.kind == "move" and fact.who == who), None)


def room_with(thing: str, story: list[Fact]) -> str | None:
    """Where a thing is, without gifts."""
    for i in range(len(story) - 1, -1, -1):
        if story[i].what == thing:
            return room_of(story[i].who, story[:i] if story[i].kind == "drop" else story)
    return None


def oracle(name: str, question: str, story: list[Fact]) -> str:
    words = re.findall(r"\w+", question)
    if name == "qa1":
        return room_of(words[2], story) or ""
    if name == "qa2":
        return room_with(words[3], story) or ""
    if name == "qa3":
        thing, room = words[5], words[12]
        rooms = [room_with(thing, story[: i + 1]) for i in range(len(story))]
        rooms = [here for i, here in enumerate(rooms) if here and (i == 0 or here != rooms[i - 1])]
        return [before for before, here in pairwise(rooms) if here == room][-1] or ""
    if name == "qa4":
        asks_for_second = words[0] == "The"
        direction, room = (words[3], words[1]) if asks_for_second else (words[3], words[6])
        if asks_for_second:
            return next(fact.where for fact in story if (fact.who, fact.what) == (room, direction))
        return next(fact.who for fact in story if (fact.where, fact.what) == (room, direction))
    gifts = [fact for fact in story if fact.kind == "give"][::-1]
    match words:
        case ["What", "did", giver, "last", "give", "to", receiver, *_]:
            return next(gift.what for gift in gifts if (gift.who, gift.where) == (giver, receiver))
        case ["Who", "last", "gave", "the", thing, "to", "somebody", *_]:
            return next(gift.who for gift in gifts if gift.what == thing)
        case ["Who", "last", "gave", "the", thing, "to", receiver, *_]:
            return next(gift.who for gift in gifts if (gift.what, gift.where) == (thing, receiver))
        case ["Who", "last", "received", "the", thing, *_]:
            return next(gift.where for gift in gifts if gift.what == thing)
        case ["To", "whom", "did", giver, "last", "give", "the", thing, *_]:
            return next(gift.where for gift in gifts if (gift.who, gift.what) == (giver, thing))
    raise AssertionError(question)


@every_task
@pytest.mark.parametrize("count", [0, 20])
def test_gold_answers_follow_from_the_facts(name: str, count: int) -> None:
    task = miniworld(task=name, facts=0 if name == "qa4" else count, questions=2)
    for index in range(100):
        draft = task.draft(None, index, 0)
        story = told(draft)
        assert len(story) == len(draft.needles) == task.params.count
        assert len({question.text for question in draft.questions}) == 2
        for question in draft.questions:
            assert oracle(name, question.text, story) == question.answers[0]


@every_task
def test_the_supporting_facts_are_enough_and_none_is_idle(name: str) -> None:
    task = miniworld(task=name)
    sizes = set()
    for index in range(100):
        draft = task.draft(None, index, 0)
        (question,) = draft.questions
        assert list(question.support) == sorted(set(question.support))
        support = [draft.needles[i].text for i in question.support]
        assert task.solve(" ".join([*support, question.text])) == question.answers[0]
        for i in range(len(support)):
            assert task.solve(" ".join([*support[:i], *support[i + 1 :], question.text])) != question.answers[0]
        sizes.add(len(support))
    assert sizes <= {"qa1": {1}, "qa2": {2}, "qa3": {3}, "qa4": {1}, "qa5": {1}}[name]


@pytest.mark.parametrize("name", ["qa2", "qa3", "qa5"])
def test_nobody_does_what_cannot_be_done(name: str) -> None:
    for index in range(30):
        carried: dict[str, str] = {}
        left: dict[str, str] = {}
        at: dict[str, str] = {}
        for fact in told(miniworld(task=name, facts=30).draft(None, index, 0)):
            match fact.kind:
                case "move":
                    assert at.get(fact.who) != fact.where
                    at[fact.who] = fact.where
                case "take":
                    assert fact.what not in carried
                    assert left.get(fact.what, at[fact.who]) == at[fact.who]
                    carried[fact.what] = fact.who
                case "drop":
                    assert carried.pop(fact.what) == fact.who
                    left[fact.what] = at[fact.who]
                case "give":
                    assert carried[fact.what] == fact.who != fact.where
                    assert at.setdefault(fact.where, at[fact.who]) == at[fact.who]
                    carried[fact.what] = fact.where


def test_directions_have_one_answer_however_loosely_they_are_read() -> None:
    grid = {"north": (0, 1), "south": (0, -1), "east": (1, 0), "west": (-1, 0)}
    for index in range(100):
        draft = miniworld(task="qa4", questions=2).draft(None, index, 0)
        one, two = told(draft)
        (hub,) = {one.who, one.where} & {two.who, two.where}
        at = {hub: (0, 0)}
        for fact in (one, two):
            x, y = grid[fact.what]
            at |= {fact.who: (x, y)} if fact.where == hub else {fact.where: (-x, -y)}
        assert len(set(at.values())) == 3
        for question in draft.questions:
            words = re.findall(r"\w+", question.text)
            x, y = grid[words[3]]
            base, sign = (words[1], -1) if words[0] == "The" else (words[6], 1)
            ahead = [r for r, (a, b) in at.items() if sign * ((a - at[base][0]) * x + (b - at[base][1]) * y) > 0]
            assert ahead == [question.answers[0]]


# Drafts.


@sweep
def test_a_perfect_reader_scores_1(params: Params, compose: Compose, bpe: Any) -> None:
    task = miniworld(**params)
    for index, depth in enumerate((0.0, 0.5, 1.0) if task.depth_is_free else (None, None)):
        for question in range(task.params.questions):
            prompt = compose(bpe, task, 2048, depth, index, 0, question)
            score = task.score(prompt.question, task.solve(bpe.decode(prompt.ids, special=True)))
            assert (score.official, score.strict, score.details["lm_eval"]) == (1, 1, 1)
            begins = [start for start, _ in prompt.needle_tokens]
            assert begins == sorted(begins)


@every_task
def test_every_task_fits_in_a_cell_of_512_tokens(name: str, compose: Compose, tokenizer: Any) -> None:
    task = miniworld(task=name)
    for index in range(5):
        prompt = compose(tokenizer, task, 512, None, index)
        assert len(prompt.ids) + prompt.reserved <= 512
        assert task.score(prompt.question, task.solve(tokenizer.decode(prompt.ids))).strict == 1


def test_placement_moves_the_same_facts() -> None:
    spread, clustered, listed = (
        miniworld(facts=3, placement=placement).draft(0.4, 5, 1) for placement in ("spread", "clustered", "0,0.7,0.7")
    )
    assert spread.questions == clustered.questions == listed.questions
    assert told(spread) == told(clustered) == told(listed)
    assert [needle.depth for needle in clustered.needles] == [0.4] * 3
    assert [needle.depth for needle in listed.needles] == [0, 0.7, 0.7]
    depths = [needle.depth for needle in spread.needles]
    assert depths == sorted(depths)
    assert len(set(depths)) == 3
    assert miniworld(placement="clustered").depth_is_free
    assert not miniworld().depth_is_free
    assert not miniworld(facts=3, placement="0,0.7,0.7").depth_is_free


@every_task
def test_examples_are_about_other_people_and_places(name: str) -> None:
    none, one, two = (miniworld(task=name, examples=count).draft(None, 0, 0) for count in (0, 1, 2))
    assert [draft.instruction.count("Example:") for draft in (none, one, two)] == [0, 1, 2]
    assert two.instruction.startswith(one.instruction.removesuffix("\n\nText:"))
    assert none.needles == one.needles == two.needles
    assert none.questions == one.questions == two.questions
    assert facts(two.instruction) == []


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"task": "qa6"}, "task"),
        ({"task": "qa4", "facts": 3}, "leave facts at 0"),
        ({"task": "qa4", "questions": 3}, "ask 1 or 2"),
        ({"task": "qa3", "facts": 5, "questions": 2}, "at least facts=6"),
        ({"task": "qa5", "facts": 2}, "at least facts=3"),
        ({"placement": "middle"}, "not spread, clustered or a list"),
        ({"placement": "0.1,0.2"}, "2 depths for 6 facts"),
        ({"placement": "0.5,0.2", "facts": 2}, "ascending"),
        ({"placement": "0.5,1.2", "facts": 2}, "ascending depths in 0..1"),
        ({"examples": 3}, "examples"),
        ({"questions": 5}, "questions"),
        ({"haystack": "needles"}, "use prose"),
    ],
    ids=str,
)
def test_impossible_parameters_are_refused(params: Params, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        miniworld(**params)


# Scores.

WHERE = Question("Where is Eliza now? Answer with one word.", ("cellar",), "Eliza is in the", 32)
BEFORE = Question("In which room was the kite before it last came to the attic? Answer with one word.", ("studio",), "", 32)
WHO = Question("Who last gave the kite to somebody? Answer with one word.", ("Kazuo",), "It was", 32)


@pytest.mark.parametrize(
    ("name", "question", "output", "official", "strict", "lm_eval"),
    [
        ("qa1", WHERE, " cellar.", 1, 1, 1),
        ("qa1", WHERE, "Eliza is in the cellar.", 1, 1, 1),
        ("qa1", WHERE, "**Cellar**", 1, 1, 1),
        ("qa1", WHERE, '"the CELLAR"', 1, 1, 1),
        ("qa1", WHERE, "_cellar_", 1, 1, 1),
        ("qa1", WHERE, "The cellar, of course: the cellar", 1, 1, 1),
        ("qa1", WHERE, "Eliza went from the attic to the cellar.", 0, 2 / 3, 1),
        ("qa1", WHERE, "cellar. Not the attic.", 1, 2 / 3, 1),
        ("qa1", WHERE, "The attic. No, the cellar.", 0, 2 / 3, 1),
        ("qa1", WHERE, "Well. The cellar.", 0, 1, 1),
        ("qa1", WHERE, "cellar <example> attic", 1, 2 / 3, 1),
        ("qa1", WHERE, "<context>cellar", 0, 1, 1),
        ("qa1", WHERE, ", ".join(ROOMS), 0, 2 / 7, 1),
        ("qa1", WHERE, "cellars", 1, 0, 1),
        ("qa1", WHERE, "attic", 0, 0, 0),
        ("qa1", WHERE, "Eliza", 0, 0, 0),
        ("qa1", WHERE, "", 0, 0, 0),
        ("qa1", WHERE, "so " * 31 + "cellar", 1, 1, 1),
        ("qa1", WHERE, "so " * 32 + "cellar", 1, 0, 1),
        ("qa3", BEFORE, "Before it came to the attic, the kite was in the studio.", 1, 1, 1),
        ("qa3", BEFORE, "attic", 0, 0, 0),
        ("qa5", WHO, "It was Kazuo.", 1, 1, 1),
        ("qa5", WHO, "kazuo gave the kite", 1, 1, 1),
        ("qa5", WHO, "Kazuo gave the kite and the teapot", 0, 1, 1),
        ("qa5", WHO, "Kazuo gave the kite to Eliza", 0, 2 / 3, 1),
        ("qa5", WHO, "kite", 0, 0, 0),
    ],
)
def test_scores(name: str, question: Question, output: str, official: float, strict: float, lm_eval: float) -> None:
    score = miniworld(task=name).score(question, output)
    assert (score.official, score.strict, score.details) == (official, pytest.approx(strict), {"lm_eval": lm_eval})


PIECES = st.sampled_from([*ROOMS, "Cellar", *PEOPLE, "kite", "teapot", ".", " ", ", ", "<context>", "<EXAMPLE>", "Question", "\n"])
ANYTHING = st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=8).map("".join)


@given(ANYTHING, st.sampled_from([("qa1", WHERE), ("qa3", BEFORE), ("qa5", WHO)]))
def test_the_official_score_is_babilong_s(output: str, case: tuple[str, Question]) -> None:
    name, question = case
    labels = ROOMS if name != "qa5" else PEOPLE + THINGS
    heard = output.lower()
    for mark in (".", "<context>", "<example>"):
        if mark in heard:
            heard = heard[: heard.index(mark)]
    in_question = [label for label in labels if label.lower() in question.text.lower()]
    predicted = [label for label in labels if label.lower() in heard and label not in in_question]
    score = miniworld(task=name).score(question, output)
    assert score.official == (1.0 if predicted == [question.answers[0]] else 0.0)
    assert 0 <= score.strict <= 1
    assert score.details["lm_eval"] >= score.official


# Reading and guessing.


@pytest.mark.parametrize(
    ("name", "text", "answer"),
    [
        ("qa1", "Text: Eliza walked to the attic. It rained. Eliza headed for the cellar.\n\nWhere is Eliza now?", "cellar"),
        ("qa1", "Eliza walked to the attic.\n\nWhere is Kazuo now?", ""),
        ("qa1", "Eliza walked to the attic. Kazuo went over to the studio.\n\nWhere is Eliza now? … Where is Kazuo now?", "studio"),
        ("qa1", "Eliza walked to the attic.", ""),
        ("qa1", "", ""),
        ("qa2", "Eliza walked to the attic. Eliza collected the kite. Where is the kite now?", "attic"),
        ("qa2", "Eliza collected the kite. Where is the kite now?", ""),
        ("qa2", "Eliza collected the kite. Eliza hurried to the pantry. Where is the kite now?", "pantry"),
        (
            "qa2",
            "Eliza hurried to the attic. Eliza put down the kite. Eliza hurried to the pantry. Where is the kite now?",
            "attic",
        ),
        (
            "qa3",
            "Eliza collected the kite. Eliza hurried to the attic. In which room was the kite before it last came to the attic?",
            "",
        ),
        (
            "qa3",
            "Eliza hurried to the studio. Eliza put down the kite. Kazuo headed for the studio. Kazuo picked up the kite. "
            "Kazuo headed for the attic. In which room was the kite before it last came to the attic?",
            "studio",
        ),
        ("qa4", "The attic is north of the cellar. Which room is north of the cellar?", "attic"),
        ("qa4", "The attic is north of the cellar. The attic is north of which room?", "cellar"),
        ("qa4", "The attic is north of the cellar. Which room is south of the cellar?", ""),
        ("qa5", "Eliza handed the kite to Kazuo. Kazuo gave the kite to Eliza. Who last received the kite?", "Eliza"),
        ("qa5", "Eliza handed the kite to Kazuo. What did Eliza last give to Kazuo?", "kite"),
        ("qa5", "Eliza handed the kite to Kazuo. What did Kazuo last give to Eliza?", ""),
    ],
)
def test_the_reader_reads(name: str, text: str, answer: str) -> None:
    task = miniworld(task=name)
    assert task.solve(text) == answer
    assert task.solve(f"<|user|>\n{text}<|end|>\n<|assistant|>\nIt was") == answer


@every_task
def test_a_guess_scores_at_chance_and_shortcuts_what_the_floors_say(name: str) -> None:
    task = miniworld(task=name)
    guessed: list[float] = []
    cheap: dict[str, list[float]] = {"first": [], "last": [], "most frequent": []}
    blind = []
    for index in range(1200):
        draft = task.draft(None, index, 0)
        (question,) = draft.questions
        text = " ".join(needle.text for needle in draft.needles) + f"\n\n{question.text}"
        guessed.append(task.score(question, task.guess(text, generator("guess", index))).strict)
        kind = next(kind for kind in (ROOMS, PEOPLE, THINGS) if question.answers[0] in kind)
        said = [label for label in re.findall("|".join(kind), text.partition("\n")[0]) if label not in question.text]
        counts = Counter(said)
        often = [label for label in counts if counts[label] == max(counts.values())]
        for label, labels in zip(cheap, ([said[0]], [said[-1]], often), strict=True):
            cheap[label].append(float(np.mean([task.score(question, word).strict for word in labels])))
        blind.append(1 / len(counts))
    assert task.chance == 1 / 6
    assert abs(np.mean(guessed) - 1 / 6) < 4 * np.sqrt(5 / 36 / len(guessed))
    (stated,) = re.findall(r"up to ([\d.]+) \(default", task.floors)
    best = max(np.mean(scores) for scores in cheap.values())
    assert abs(best - float(stated)) < 0.04
    assert best < np.mean(blind) + 0.05  # hardly better than any label that the facts name


def test_help_does_not_offer_what_is_refused() -> None:
    description = str(Miniworld.Params.model_fields["haystack"].description)
    assert "prose" in description
    assert "needles" not in description


@every_task
def test_a_guess_is_a_label_even_without_a_text(name: str) -> None:
    task = miniworld(task=name)
    assert {task.guess("", generator("guess", i)) for i in range(100)} == set(PEOPLE if name == "qa5" else ROOMS)
