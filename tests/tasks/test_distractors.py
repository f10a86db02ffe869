from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from itertools import chain, islice, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval.errors import UsageError
from lceval.keys import generator, shuffled
from lceval.tasks import haystacks, names
from lceval.tasks.distractors import GAP, MOST, TOPICS, Distractors, ShuffledProse, Topic
from lceval.tasks.haystacks import prose
from lceval.types import Draft, Prompt, Question

Compose = Callable[..., Prompt]
Params = dict[str, Any]

GOLD, OTHER = islice(names.people(generator("people"), "sample"), 2)
PLACE, ELSEWHERE = islice(names.places(generator("places"), "sample"), 2)
(WHO,) = islice(names.given(generator("given"), "sample"), 1)
ASKED = f"Who gave {WHO} the strangest advice about keeping bees? Answer with the name only."
BUDGET = 56


def distractors(**params: Any) -> Distractors:
    return Distractors.from_params(params)


def ask(gold: str = GOLD) -> Question:
    return Question(text=ASKED, answers=(gold,), answer_prefix="", max_new_tokens=BUDGET)


def rendered(draft: Draft, question: int = 0) -> str:
    """A prompt of nothing but the planted sentences, out of order."""
    planted = " ".join(shuffled(generator("rendered"), [needle.text for needle in draft.needles]))
    asked = draft.questions[question]
    return f"{draft.instruction} {planted}\n\n{asked.text}\nAnswer: {asked.answer_prefix}"


def told(text: str) -> tuple[Topic, dict[str, str]]:
    """The topic of a sentence and what it says."""
    ((topic, found),) = ((topic, found) for topic in TOPICS if (found := topic.told.fullmatch(text)))
    return topic, found.groupdict()


SWEEP: list[Params] = [
    {},
    *({"distractors": count} for count in (0, 1, 8)),
    {"order": "shuffled"},
    {"questions": 4, "distractors": 8},
    {"questions": 2, "order": "shuffled"},
    {"haystack": "noise", "answer_prefix": False},
    {"haystack": "pydocs"},
]
sweep = pytest.mark.parametrize("params", SWEEP, ids=str)


@pytest.mark.parametrize(
    ("output", "official", "strict"),
    [
        (GOLD, 1, 1),
        (f" {GOLD}.\n", 1, 1),
        (GOLD.upper(), 1, 1),
        (GOLD.lower(), 1, 1),
        (f"**{GOLD}**", 1, 1),
        (f"_{GOLD}_", 1, 1),
        (f'It was "{GOLD}".', 1, 1),
        (f"The strangest advice about keeping bees that {WHO} ever got came from {GOLD}.", 1, 1),
        (f"It came from {GOLD}, not from {OTHER}", 1, pytest.approx(2 / 3)),
        (f"{GOLD}, who lives in {PLACE}", 1, 1),
        (OTHER, 0, 0),
        (WHO, 0, 0),
        (GOLD.split()[0], 0, 0),
        (GOLD.split()[1], 0, 0),
        ("", 0, 0),
        ("The text does not say.", 0, 0),
        ("so " * (BUDGET - 2) + GOLD, 1, 1),
        ("so " * (BUDGET - 1) + GOLD, 1, 0),
    ],
)
def test_scores(output: str, official: float, strict: float) -> None:
    score = distractors().score(ask(), output)
    assert (score.official, score.strict) == (official, strict)


@pytest.mark.parametrize(
    ("output", "official", "strict"),
    [(PLACE, 1, 1), (f"near {PLACE.lower()}", 1, 1), (f"{PLACE} or {ELSEWHERE}", 1, 2 / 3), (ELSEWHERE, 0, 0), (GOLD, 0, 0)],
)
def test_scores_of_places(output: str, official: float, strict: float) -> None:
    score = distractors().score(ask(PLACE), output)
    assert (score.official, score.strict) == (official, pytest.approx(strict))


def test_a_wrong_name_shows_in_the_details() -> None:
    outputs = {"": 0.0, GOLD: 0.0, OTHER: 1.0, f"{GOLD} or {OTHER}": 1.0, PLACE: 0.0}
    assert {output: distractors().score(ask(), output).details["wrong_name"] for output in outputs} == outputs


PIECES = [GOLD, GOLD.upper(), *GOLD.split(), OTHER, PLACE, WHO, " ", "\n", "_", "İ"]


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join)))
def test_the_official_score_is_whether_the_name_is_there(output: str) -> None:
    found = len(output.lower().split(GOLD.lower())) > 1
    score = distractors().score(ask(), output)
    assert score.official == float(found)
    assert 0 <= score.strict <= 1


def prompts(compose: Compose, tokenizer: Any, task: Distractors, length: int = 2048) -> list[Prompt]:
    cells = [(0.0, 0), (0.4, 1), (1.0, 2)]
    return [compose(tokenizer, task, length, depth, i, question=i % task.params.questions) for depth, i in cells]


@sweep
def test_a_perfect_reader_scores_1(params: Params, compose: Compose, tokenizer: Any) -> None:
    task = distractors(**params)
    for prompt in prompts(compose, tokenizer, task):
        score = task.score(prompt.question, task.solve(tokenizer.decode(prompt.ids, special=True)))
        assert (score.official, score.strict) == (1, 1)
        assert len(prompt.ids) + prompt.reserved >= 0.999 * 2048


@pytest.mark.parametrize("params", [{}, {"order": "shuffled"}], ids=str)
def test_it_fits_the_smallest_cell(params: Params, compose: Compose, tokenizer: Any) -> None:
    task = distractors(**params)
    for index in range(5):
        prompt = compose(tokenizer, task, 512, 0.5, index)
        assert task.solve(tokenizer.decode(prompt.ids)) == prompt.question.answers[0]


def test_the_needle_stands_at_the_depth_and_distractors_elsewhere(compose: Compose, bpe: Any) -> None:
    for depth, index in product((0.2, 0.5, 0.8), range(3)):
        needle, *others = compose(bpe, distractors(), 4096, depth, index).needle_depths
        assert needle == pytest.approx(depth, abs=0.02)
        assert all(abs(other - needle) > GAP - 0.04 for other in others)


@given(st.floats(0, 1), st.integers(0, 50), st.integers(1, 8), st.integers(1, 4))
def test_distractors_keep_away_from_the_needle_and_apart(depth: float, index: int, count: int, questions: int) -> None:
    task = distractors(distractors=count, questions=questions)
    needles = task.draft(depth, index, 0).needles
    assert [needle.depth for needle in needles[:questions]] == [depth] * questions
    places = [needle.depth for needle in needles[questions:]]
    assert len(places) == count * questions
    assert all(0 <= place < 1 and abs(place - depth) >= GAP for place in places)
    fixed = [needle.depth for needle in task.draft(2.0, index, 0).needles[questions:]]  # nothing comes near
    assert sorted(int(place * len(fixed)) for place in fixed) == list(range(len(fixed)))
    assert all(place == home or abs(home - depth) < GAP for place, home in zip(places, fixed, strict=True))


@sweep
def test_only_places_depend_on_the_cell(params: Params) -> None:
    task = distractors(**params)
    one, other = (task.draft(depth, 3, 5) for depth in (0.0, 0.7))
    assert one.questions == other.questions
    assert (one.instruction, one.haystack, one.start) == (other.instruction, other.haystack, other.start)
    assert [needle.text for needle in one.needles] == [needle.text for needle in other.needles]
    texts = {task.draft(0.5, index, seed).needles[0].text for index in range(3) for seed in range(3)}
    assert len(texts) == 9


@pytest.mark.parametrize("questions", [1, 4])
def test_a_distractor_shares_one_or_two_attributes_with_the_needle_and_has_its_own_answer(questions: int) -> None:
    task, alike = distractors(questions=questions, distractors=MOST), set()
    for index in range(20):
        draft = task.draft(0.5, index, 0)
        texts = [needle.text for needle in draft.needles]
        seen = []
        for q, question in enumerate(draft.questions):
            assert question.support == (q,)
            topic, fact = told(texts[q])
            assert question.answers == (fact["answer"],)
            seen.append(topic)
            others = [told(text) for text in texts[questions + q * MOST : questions + (q + 1) * MOST]]
            assert all(other is topic for other, _ in others)
            changed = Counter(tuple(name for name in fact if fact[name] != other[name]) for _, other in others)
            one, two, both = sorted(changed, key=len)
            assert changed == {one: 2, two: 2, both: 4}
            assert (len(one), len(two), len(both)) == (2, 2, 3)
            assert {"answer"} < set(one) | set(two) == set(both)
            (same,) = set(fact) - set(both)
            alike.add(same)
        assert len(set(seen)) == questions
        answers = [told(text)[1]["answer"] for text in texts]
        assert len(set(answers)) == len(set(texts)) == len(texts)
    assert alike == {"quality", "subject", "who"}


def shared(one: dict[str, str], others: list[dict[str, str]]) -> int:
    return sum(one[name] == other[name] for other in others for name in ("quality", "subject", "who"))


def usual(one: dict[str, str], others: list[dict[str, str]]) -> int:
    """How many of its values no other value of their kind is more frequent than."""
    counts = {name: Counter(other[name] for other in others) for name in ("quality", "subject", "who")}
    return sum(count[one[name]] == max(count.values()) for name, count in counts.items())


@pytest.mark.parametrize("likeness", [shared, usual])
@pytest.mark.parametrize("wanted", [max, min])
@pytest.mark.parametrize("count", range(1, MOST + 1))
def test_the_needle_is_not_told_by_what_it_has_in_common_with_the_others(
    count: int, wanted: Callable[[list[int]], int], likeness: Callable[[dict[str, str], list[dict[str, str]]], int]
) -> None:
    task, scores = distractors(distractors=count), []
    for index in range(400):
        said = [told(needle.text)[1] for needle in task.draft(0.5, index, 0).needles]
        likenesses = [likeness(one, said) for one in said]
        best = [i for i, value in enumerate(likenesses) if value == wanted(likenesses)]
        scores.append((0 in best) / len(best))
    assert abs(np.mean(scores) - task.chance) <= 4 * max(np.std(scores), 0.01) / np.sqrt(len(scores))


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"distractors": 0}, "the only invented full name or place in the text is the answer"),
        ({"distractors": 0, "questions": 2}, "scores 1 (1 / (1 + distractors))"),
        ({"distractors": 3}, "scores 0.25 (1 / (1 + distractors))"),
    ],
    ids=str,
)
def test_floors_say_what_blind_answers_score(params: Params, says: str) -> None:
    assert says in distractors(**params).floors


def test_questions_are_plain() -> None:
    asked = {topic.question for topic in TOPICS}
    assert "Who handed over the {quality} prize for {subject} that {who} ever won?" in asked
    assert "Near which place was {who} caught in the {quality} storm of the {subject} voyage?" in asked
    assert not any("made broke" in topic.stem for topic in TOPICS)
    assert distractors().draft(0.5, 0, 0).questions[0].max_new_tokens == BUDGET


def test_more_distractors_and_questions_leave_the_others_as_they_are() -> None:
    for index in range(5):
        full = distractors(distractors=MOST, questions=4).draft(0.5, index, 0)
        for count, questions in product((0, 1, 4), (1, 2)):
            draft = distractors(distractors=count, questions=questions).draft(0.5, index, 0)
            assert [q.text for q in draft.questions] == [q.text for q in full.questions[:questions]]
            wanted = [*full.needles[:questions]]
            for q in range(questions):
                wanted += full.needles[4 + q * MOST : 4 + q * MOST + count]
            assert [needle.text for needle in draft.needles] == [needle.text for needle in wanted]


def test_every_topic_can_be_read_back() -> None:
    assert len(TOPICS) >= 12
    for topic in TOPICS:
        assert len(set(topic.qualities)) == len(topic.qualities) == len(set(topic.subjects)) == len(topic.subjects) == 4
        answer = GOLD if topic.kind == "people" else PLACE
        for quality, subject in product(topic.qualities, topic.subjects):
            fact = {"quality": quality, "subject": subject, "who": WHO}
            sentence = f"{topic.stem.format(**fact)} {answer}."
            assert told(sentence) == (topic, fact | {"answer": answer})
            question = topic.question.format(**fact)
            assert [t for t in TOPICS if t.asked.search(question)] == [topic]
            assert distractors().solve(f"{sentence}\n\n{question}") == answer


NEEDLE = f"The strangest advice about keeping bees that {WHO} ever got came from {GOLD}."
SIMILAR = f"The strangest advice about keeping goats that {WHO} ever got came from {OTHER}."
OTHER_TOPIC = f"Where did {WHO} take the first lesson in fencing?"
PREFIX = NEEDLE.removesuffix(f" {GOLD}.")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (f"Text: {SIMILAR} Rain fell. {NEEDLE} So it goes.\n\n{ASKED}\nAnswer:", GOLD),
        (f"Text: {NEEDLE}\n\n{ASKED}\nAnswer: {PREFIX}", GOLD),
        (f"Text: {SIMILAR}\n\n{ASKED}\nAnswer: {PREFIX}", ""),
        (f"{NEEDLE[5:]} {SIMILAR}\n\n{ASKED}", ""),
        (f"{NEEDLE}\n\n{OTHER_TOPIC}", ""),
        (f"{NEEDLE}\n\n{OTHER_TOPIC} {ASKED}", GOLD),
        (f"{NEEDLE}\n\n{ASKED} {OTHER_TOPIC}", ""),
        (NEEDLE, ""),
        (ASKED, ""),
        ("", ""),
    ],
)
def test_the_solver_reads_what_is_there(text: str, answer: str) -> None:
    assert distractors().solve(text) == answer


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"distractors": 9}, "less than or equal to 8"),
        ({"distractors": -1}, "greater than or equal to 0"),
        ({"questions": 9}, "less than or equal to 8"),
        ({"order": "sorted"}, "'ordered' or 'shuffled'"),
        ({"order": "shuffled", "haystack": "noise"}, "order=shuffled is for haystack=prose only, not noise"),
        ({"haystack": "needles"}, "use another haystack than 'needles'"),
        ({"haystack": "proze"}, "Did you mean 'prose'"),
    ],
    ids=str,
)
def test_parameters_that_make_no_sense_are_refused(params: Params, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        distractors(**params)


@pytest.mark.parametrize("params", [{"distractors": 0}, {"distractors": 1}, {}, {"distractors": 8, "questions": 2}], ids=str)
def test_a_guess_scores_at_chance(params: Params) -> None:
    task = distractors(**params)
    scores = []
    for index in range(100):
        draft = task.draft(0.5, index, 0)
        question = index % len(draft.questions)
        text = rendered(draft, question)
        rng = generator("guess", index)
        scores += [task.score(draft.questions[question], task.guess(text, rng)).strict for _ in range(8)]
    sigma = np.sqrt(task.chance * (1 - task.chance) / len(scores))
    assert task.chance == 1 / (1 + task.params.distractors)
    assert abs(np.mean(scores) - task.chance) <= 4 * sigma


def test_a_guess_without_anything_to_pick_from_is_made_up() -> None:
    for text in ("Nothing is told here.", ASKED):
        guess = distractors().guess(text, generator("guess"))
        assert names.people_in(guess) == [guess]


@pytest.mark.parametrize("count", [1, 4, 8])
def test_naming_all_candidates_costs_precision(count: int) -> None:
    task = distractors(distractors=count)
    draft = task.draft(0.5, 0, 0)
    score = task.score(draft.questions[0], ", ".join(told(needle.text)[1]["answer"] for needle in draft.needles))
    assert (score.official, score.strict) == (1, pytest.approx(2 / (2 + count)))


@pytest.fixture(scope="module")
def chunks() -> list[str]:
    """The beginning of a shuffled prose."""
    return list(islice(ShuffledProse(3).blocks(), 4))


def split(paragraphs: list[str]) -> list[list[str]]:
    return [re.split(r"(?<=[.?!]) ", paragraph) for paragraph in paragraphs]


def test_shuffled_prose_has_the_sentences_and_the_shape_of_the_prose(chunks: list[str]) -> None:
    mixed = [split(chunk.removesuffix("\n\n").split("\n\n")) for chunk in chunks]
    paragraphs = iter(split(list(islice(prose.paragraphs(3), 4 * 64))))
    for chunk in mixed:
        straight = list(islice(paragraphs, len(chunk)))
        assert [len(paragraph) for paragraph in chunk] == [len(paragraph) for paragraph in straight]
        in_order, mixed_up = (list(chain.from_iterable(side)) for side in (straight, chunk))
        assert sorted(in_order) == sorted(mixed_up)
        assert len(in_order) > 250
        assert np.mean([one == other for one, other in zip(in_order, mixed_up, strict=True)]) < 0.02


def test_shuffled_prose_is_a_function_of_its_name(chunks: list[str]) -> None:
    source = haystacks.source("shuffled:3")
    assert source == ShuffledProse(3)
    assert list(islice(source.blocks(), 4)) == chunks
    digests = {haystacks.source(name).digest for name in ("shuffled:3", "shuffled:4", "prose:3")}
    assert len(digests) == 3
    assert distractors(order="shuffled").draft(0.5, 0, 3).haystack == "shuffled:3"
    assert distractors().draft(0.5, 0, 3).haystack == "prose:3"


def test_the_prose_never_names_what_a_sample_does(chunks: list[str]) -> None:
    text = "".join(chunks)
    assert not names.given_in(text)
    assert not names.people_in(text)
    assert not names.places_in(text)
    assert not any(topic.told.search(text) for topic in TOPICS)
