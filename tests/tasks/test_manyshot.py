from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable
from itertools import islice, pairwise
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval.errors import UsageError
from lceval.keys import generator
from lceval.tasks.manyshot import ENDINGS, Demonstrations, LabelType, Manyshot, labels, of_pool
from lceval.types import Prompt, Question

Compose = Callable[..., Prompt]
Params = dict[str, Any]

WORD, GOLD, OTHER = "ludaforp", "vozduk", "mizbal"
BUDGET = 32

SWEEP: list[Params] = [
    {},
    {"label_type": "numbers"},
    {"shots": 1},
    {"shots": 32},
    {"classes": 3},
    {"classes": 64},
    {"questions": 7},
    {"questions": 8, "classes": 9, "shots": 2, "label_type": "numbers"},
    {"answer_prefix": False},
    {"answer_prefix": False, "questions": 2},
]
sweep = pytest.mark.parametrize("params", SWEEP, ids=str)


def manyshot(**params: Any) -> Manyshot:
    return Manyshot.from_params(params)


def ask(gold: str = GOLD) -> Question:
    text = f"What is the label of the new word {WORD}? Answer with the label only."
    return Question(text=text, answers=(gold,), answer_prefix=f"{WORD} =>", max_new_tokens=BUDGET)


def shown(text: str) -> list[tuple[str, str]]:
    return [(word, label) for word, label in re.findall(r"^(\S+) => (\S+)$", text, re.MULTILINE)]


@pytest.mark.parametrize(
    ("output", "official", "strict"),
    [
        (f" {GOLD}", 1, 1),
        (f" {GOLD}\n", 1, 1),
        (f" {GOLD.upper()}.", 1, 1),
        (f' "{GOLD}"', 1, 1),
        (f"**{GOLD}**", 1, 1),
        (f"_{GOLD}_", 1, 1),
        (f"{WORD} => {GOLD}", 1, 1),
        (f"=> {GOLD}", 1, 1),
        (f"the {GOLD}", 1, 1),
        (f"{GOLD}\nbecause of its ending", 1, 1),
        (f"\n\n{GOLD}", 1, 1),
        (f" \n {GOLD}\nbecause of its ending", 1, 1),
        (f"\n\n{WORD} => {GOLD}", 1, 1),
        (f"{WORD} =>\n{GOLD}", 0, 1),
        (f"The label of the new word {WORD} is {GOLD}.", 0, 1),
        (f"Sure!\n{GOLD}", 0, 1),
        (f"{GOLD}, I think: {GOLD}", 0, 1),
        (f"{GOLD} or {OTHER}", 0, 2 / 3),
        (f"{OTHER} or {GOLD}", 0, 2 / 3),
        (f"{GOLD}\n{WORD} => {OTHER}", 0, 2 / 3),
        (f"{GOLD}\nnext => word", 0, 1),
        (f" {OTHER}", 0, 0),
        (f"{GOLD}a", 0, 0),
        (f"{GOLD[:-1]}", 0, 0),
        (f"{GOLD}{OTHER}", 0, 0),
        (" ", 0, 0),
        ("", 0, 0),
        ("I do not know.", 0, 0),
        (f"{GOLD} " + "so " * BUDGET, 0, 0),
    ],
)
def test_scores_of_answers(output: str, official: float, strict: float) -> None:
    score = manyshot().score(ask(), output)
    assert (score.official, score.strict) == (official, pytest.approx(strict))


@pytest.mark.parametrize(
    ("output", "official", "strict"),
    [
        (" 4821", 1, 1),
        (" 4,821", 1, 1),
        ("4821.", 1, 1),
        ("It is 4821, not one of 8.", 0, 1),
        ("4821 and 1234", 0, 2 / 3),
        ("14821", 0, 0),
        ("48215", 0, 0),
        ("0.4821", 0, 0),
        ("14,821", 0, 0),
        ("4,821,000", 0, 0),
        ("482", 0, 0),
    ],
)
def test_scores_of_numbers(output: str, official: float, strict: float) -> None:
    score = manyshot(label_type="numbers").score(ask("4821"), output)
    assert (score.official, score.strict) == (official, pytest.approx(strict))


def test_details_tell_a_wrong_label_from_none() -> None:
    first = manyshot().score(ask(), f"It is {GOLD}, or {OTHER}.")
    assert first.details == {"first_label": 1, "named": 1}
    assert manyshot().score(ask(), f"It is {OTHER}, or {GOLD}.").details == {"first_label": 0, "named": 1}
    assert manyshot().score(ask(), "No idea.").details == {"first_label": 0, "named": 0}


def helmet(output: str, gold: str) -> float:
    """HELMET's exact match after its parsing, written down again from its definition."""

    def normal(text: str) -> list[str]:
        text = "".join(" " if c.isspace() else c for c in text.lower() if c not in string.punctuation)
        return [word for word in re.sub(r"\b(?:a|an|the)\b", " ", text).split(" ") if word]

    at = output.find("=>")
    answer = output if at < 0 else output[at + 2 :]
    answer = answer.split("\n", 1)[0].strip()
    return float(normal(answer[2:] if answer.startswith("=>") else answer) == normal(gold))


pieces = st.sampled_from([GOLD, OTHER, GOLD.upper(), WORD, "=>", " ", "\n", ".", "**", "a", "the", "is", '"', "=", ">", "\t"])


@given(st.lists(pieces, max_size=9).map("".join))
def test_official_is_the_formula_of_the_benchmark(output: str) -> None:
    score = manyshot().score(ask(), output)
    assert score.official == helmet(output.lstrip(), GOLD) >= helmet(output, GOLD)
    assert 0 <= score.strict <= 1


@given(st.text(max_size=40))
def test_any_output_has_a_score(output: str) -> None:
    assert manyshot().score(ask(), output).strict == 0


SMALL = "Words:\ntavoforp => vozduk\nludasulk => mizbal\nmimaforp => vozduk\n"


def test_the_solver_goes_by_the_ending() -> None:
    asked = "\n\nWhat is the label of the new word {}? Answer with the label only.<|end|>\n<|assistant|>\n{} =>"
    task = manyshot()
    assert task.solve(SMALL + asked.format("ludaforp", "ludaforp")) == "vozduk"
    assert task.solve(SMALL + asked.format("tavosulk", "tavosulk")) == "mizbal"
    assert task.solve(SMALL + asked.format("tavobalm", "tavobalm")) == ""
    assert task.solve(SMALL + "the new word tavosulk?" + asked.format("ludaforp", "")) == "vozduk"
    assert task.solve(SMALL) == task.solve("") == ""


def test_the_solver_reads_fragments() -> None:
    assert manyshot().solve("orp => mizbal\nvoforp => vozduk\nmasu\n\n the new word ludaforp? Answer") == "vozduk"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"questions": 8}, "raise classes to 9"),
        ({"questions": 3, "classes": 3}, "raise classes to 4"),
        ({"classes": 2}, "classes"),
        ({"classes": 65}, "classes"),
        ({"shots": 0}, "shots"),
        ({"questions": 9, "classes": 64}, "questions"),
        ({"label_type": "words"}, "label_type"),
    ],
    ids=str,
)
def test_parameters_that_are_refused(params: Params, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        manyshot(**params)


@sweep
def test_a_perfect_reader_is_right_and_one_who_missed_the_needles_says_nothing(params: Params, compose: Compose, bpe: Any) -> None:
    task = manyshot(**params)
    for depth in (0.0, 0.6, 1.0):
        for number in {0, task.params.questions - 1}:
            prompt = compose(bpe, task, 2048, depth, 1, 0, number)
            score = task.score(prompt.question, task.solve(bpe.decode(prompt.ids)))
            assert (score.official, score.strict, score.details["first_label"]) == (1, 1, 1)
            kept = np.ones(len(prompt.ids), dtype=bool)
            for i in prompt.question.support:
                kept[slice(*prompt.needle_tokens[i])] = False
            assert task.solve(bpe.decode(prompt.ids[kept])) == ""


@sweep
def test_every_question_is_about_a_new_word_of_a_class_of_its_own(params: Params) -> None:
    task = manyshot(**params)
    for index in range(20):
        draft = task.draft(0.5, index, 0)
        needles = [shown(needle.text)[0] for needle in draft.needles]
        assert Counter(word[-4:] for word, _ in needles) == Counter({word[-4:]: task.params.shots for word, _ in needles})
        assert len({word for word, _ in needles}) == len(needles) == task.params.shots * max(task.params.questions, 2)
        assert len({label for _, label in needles}) == len({word[-4:] for word, _ in needles}) == max(task.params.questions, 2)
        for question in draft.questions:
            (asked,) = re.findall(r"new word (\w+)\?", question.text)
            assert asked not in dict(needles)
            own = [i for i, (word, _) in enumerate(needles) if word[-4:] == asked[-4:]]
            assert tuple(own) == question.support
            assert {needles[i][1] for i in own} == set(question.answers)


@pytest.mark.parametrize(
    ("shots", "depth", "depths"),
    [(1, 0.5, [0.5]), (4, 0.8, [0.2, 0.4, 0.6, 0.8]), (4, 0.0, [0.0] * 4), (2, 1.0, [0.5, 1.0])],
)
def test_the_nearest_demonstration_stands_at_the_depth_of_the_cell(shots: int, depth: float, depths: list[float]) -> None:
    draft = manyshot(shots=shots).draft(depth, 0, 0)
    assert [draft.needles[i].depth for i in draft.questions[0].support] == pytest.approx(depths)
    assert manyshot().depth_is_free


def test_the_rare_class_beside_the_asked_one_gives_nothing_away() -> None:
    latest = []
    for index in range(400):
        draft = manyshot().draft(0.5, index, 0)
        assert Counter(needle.depth for needle in draft.needles) == dict.fromkeys((0.125, 0.25, 0.375, 0.5), 2)
        latest.append(max(draft.questions[0].support) == len(draft.needles) - 1)
    assert abs(np.mean(latest) - 0.5) < 4 * 0.5 / np.sqrt(400)


@sweep
def test_only_depths_depend_on_the_cell(params: Params) -> None:
    task = manyshot(**params)
    one, other = task.draft(0.1, 3, 5), task.draft(0.9, 3, 5)
    assert (one.questions, one.instruction, one.haystack, one.start) == (
        other.questions,
        other.instruction,
        other.haystack,
        other.start,
    )
    assert [needle.text for needle in one.needles] == [needle.text for needle in other.needles]


def test_the_number_of_classes_changes_no_question() -> None:
    few, many = manyshot().draft(0.5, 3, 0), manyshot(classes=64).draft(0.5, 3, 0)
    assert (few.questions, few.needles) == (many.questions, many.needles)
    assert few.haystack != many.haystack


def test_no_ending_ends_another_and_no_label_is_part_of_a_word() -> None:
    assert len(ENDINGS) == len({ending[-3:] for ending in ENDINGS}) == 120
    assert {len(ending) for ending in ENDINGS} == {4}
    assert len(of_pool("endings", "haystack")) >= 64 - 2
    assert len(of_pool("endings", "sample")) >= 8
    for kind in get_args(LabelType):
        assert set(of_pool(kind, "sample")).isdisjoint(of_pool(kind, "haystack"))
        assert len({*of_pool(kind, "sample"), *of_pool(kind, "haystack")}) == len(labels(kind))
        task = manyshot(label_type=kind)
        assert all(task.score(ask(label), label).strict == 1 for label in labels(kind)[::97])
    assert not any("z" in ending or "x" in ending for ending in ENDINGS)
    assert all(re.search("[zx]", label) for label in labels("coined"))


@pytest.mark.parametrize("label_type", get_args(LabelType))
@pytest.mark.parametrize("classes", [1, 6, 62])
def test_the_filler_comes_in_balanced_rounds_and_never_touches_a_sample(classes: int, label_type: LabelType) -> None:
    blocks = list(islice(Demonstrations(classes, label_type, 0).blocks(), 4))
    assert all(30_000 < sum(map(len, block)) < 36_000 for block in blocks) or label_type == "numbers"
    items = [item for block in blocks for item in block]
    pairs = shown("".join(items))
    assert len(pairs) == len(items)
    endings = [word[-4:] for word, _ in pairs]
    rounds = [endings[i : i + classes] for i in range(0, len(endings), classes)]
    assert all(len(set(one)) == classes for one in rounds)
    assert classes == 1 or any(one != other for one, other in pairwise(rounds))
    rule = {word[-4:]: label for word, label in pairs}
    assert all(rule[word[-4:]] == label for word, label in pairs)
    assert len(rule) == len(set(rule.values())) == classes
    assert set(rule) <= set(of_pool("endings", "haystack"))
    assert set(rule.values()) <= set(of_pool(label_type, "haystack"))
    for index in range(100):
        for needle in manyshot(label_type=label_type, questions=7).draft(0.5, index, 0).needles:
            ((word, label),) = shown(needle.text)
            assert word[-4:] not in rule
            assert label not in rule.values()


def test_words_of_all_classes_are_alike_but_for_their_endings() -> None:
    filler = [word[:-4] for word, _ in shown("".join(next(Demonstrations(6, "coined", 0).blocks())))]
    sample = [shown(n.text)[0][0][:-4] for index in range(200) for n in manyshot().draft(0.5, index, 0).needles]
    for stems in (filler, sample):
        assert all(re.fullmatch("(?:[bdflmnrstv][aeiou]){2,3}", stem) for stem in stems)
        assert abs(np.mean([len(stem) == 6 for stem in stems]) - 0.5) < 4 * 0.5 / np.sqrt(len(stems))


def test_the_filler_is_a_function_of_its_name() -> None:
    names = ("6:coined:7", "6:coined:8", "6:numbers:7", "7:coined:7")
    one, *others = (next(Demonstrations.of(name).blocks()) for name in names)
    assert one == next(Demonstrations.of(names[0]).blocks())
    assert one not in others
    assert len({Demonstrations.of(name).digest for name in names}) == len(names)


def test_labels_are_drawn_anew_for_every_sample() -> None:
    seen = {}
    for index in range(60):
        (question,) = manyshot().draft(0.5, index, 0).questions
        seen.setdefault(re.findall(r"new word \w+(\w{4})\?", question.text)[0], set()).update(question.answers)
    assert max(map(len, seen.values())) > 1


@pytest.mark.parametrize("params", [{}, {"label_type": "numbers"}, {"classes": 20}, {"questions": 4}], ids=str)
def test_a_guess_is_right_as_often_as_the_task_says(params: Params, compose: Compose, bpe: Any) -> None:
    task = manyshot(**params)
    scores = []
    for index in range(20):
        prompt = compose(bpe, task, 512 if not params else 2048, (index % 5) / 4, index)
        text = bpe.decode(prompt.ids)
        assert len({label for _, label in shown(text)}) == task.params.classes
        scores += [task.score(prompt.question, task.guess(text, generator("guess", index, i))).strict for i in range(50)]
    assert task.chance == 1 / task.params.classes
    assert abs(np.mean(scores) - task.chance) < 4 * np.std(scores) / np.sqrt(len(scores))


def test_a_guess_without_anything_to_pick_from_is_made_up() -> None:
    assert manyshot().guess("Nothing is shown.", generator("g")) in labels("coined")
    assert manyshot(label_type="numbers").guess("", generator("g")) in labels("numbers")


def test_cheap_strategies_score_what_the_floors_say(compose: Compose, bpe: Any) -> None:
    task, rarest, commonest = manyshot(), [], []
    for index in range(30):
        prompt = compose(bpe, task, 4096, 0.5, index)
        counts = Counter(label for _, label in shown(bpe.decode(prompt.ids)))
        least = [label for label, count in counts.items() if count == min(counts.values())]
        rarest.append(prompt.question.answers[0] in least and 1 / len(least))
        commonest.append(counts.most_common(1)[0][0] == prompt.question.answers[0])
    assert (np.mean(rarest), np.mean(commonest)) == (0.5, 0)
    assert "the rarest label 0.5; the commonest 0" in task.floors


@pytest.mark.parametrize(("classes", "shots", "all_shown", "all_commoner"), [(8, 4, 20, 44), (3, 1, 4, 5), (20, 2, 40, 76)])
def test_floors_hold_from_the_lines_on_that_they_say(classes: int, shots: int, all_shown: int, all_commoner: int) -> None:
    task = manyshot(classes=classes, shots=shots)
    assert f"from {all_shown} lines on" in task.floors
    assert f"both from {all_commoner} lines on" in task.floors
    others, planted = classes - 2, 2 * shots
    filler = [label for _, label in shown("".join(next(Demonstrations(others, "coined", 0).blocks())))]
    for lines, times in ((all_shown, 1), (all_commoner, shots + 1)):
        size = lines - planted - 1  # the last line of a prompt may be of any class
        least = [Counter(filler[i : i + size]) for i in range(1000)]
        assert all(len(counts) == others and min(counts.values()) >= times for counts in least)
        shorter = [Counter(filler[i : i + size - 1]) for i in range(1000)]
        assert others == 1 or any(len(counts) < others or min(counts.values()) < times for counts in shorter)


@pytest.mark.parametrize("params", [{}, {"label_type": "numbers"}, {"answer_prefix": False}], ids=str)
def test_printing_the_context_scores_nothing(params: Params, compose: Compose, bpe: Any) -> None:
    task = manyshot(**params)
    for length in (512, 1024):
        prompt = compose(bpe, task, length, 0.5, 0)
        score = task.score(prompt.question, bpe.decode(prompt.ids, special=True))
        assert (score.official, score.strict) == (0, 0)
