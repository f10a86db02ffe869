from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval.errors import UsageError
from lceval.keys import generator
from lceval.tasks.copy import Copy, PairWords, Repeated
from lceval.types import Question


def question(*runs, budget=10_000):
    """A question as the fitter makes it: the gold strings and the budget are known only at a length."""
    return Question("Copy.", runs, "Text:", budget)


def spelt(*runs):
    return " ".join(" ".join([run.split("*")[0]] * int(run.split("*")[1])) for run in runs)


def levenshtein(a, b):
    """The textbook's table, a row at a time."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


# The score

RUNS = ("pear*20", "pears*1", "pear*9")
GOLD = spelt(*RUNS)


@pytest.mark.parametrize(
    ("output", "strict"),
    [
        (GOLD, 1),
        (f" {GOLD}\n", 1),
        (f"Text: {GOLD}", 1),
        (f'"{GOLD}"', 1),
        (f"`{GOLD}`", 1),
        (f"**{GOLD}**", 1),
        (f"```\n{GOLD}\n```", 1),
        (f"```text\n{GOLD}\n```", 1),
        (GOLD.replace(" ", "\n"), 1),
        (spelt("pear*19", "pears*1", "pear*10"), 0),
        (spelt("pear*20", "pears*1", "pear*8"), 0),
        (spelt("pear*20", "pears*1", "pear*10"), 0),
        (spelt("pear*30"), 0),
        (GOLD.upper(), 0),
        (GOLD.replace(" ", ", "), 0),
        (f"{GOLD} {GOLD}", 0),
        (f"Below is a text.\n\nText: {GOLD}\n\nCopy the text.", 0),
        ("I will not repeat that.", 0),
        ("", 0),
    ],
)
def test_strict(output, strict):
    score = Copy.from_params({}).score(question(*RUNS), output)
    assert score.strict == strict
    assert 0 <= score.official <= 1
    assert set(score.details) == {"odd_present", "odd_at_right_index", "word_count", "refusal"}
    assert all(0 <= value <= 1 for value in score.details.values())


def test_strict_is_nothing_for_more_words_than_the_budget():
    assert Copy.from_params({}).score(question(*RUNS, budget=29), GOLD).strict == 0
    assert Copy.from_params({}).score(question(*RUNS, budget=30), GOLD).strict == 1


@pytest.mark.parametrize(
    ("output", "details"),
    [
        (GOLD, (1, 1, 1, 0)),
        (spelt("pear*30"), (0, 0, 1, 0)),
        (spelt("pear*19", "pears*1", "pear*10"), (1, 0, 1, 0)),
        (spelt("pear*20", "pears*1", "pear*24"), (1, 1, 0.5, 0)),
        (spelt("pear*15"), (0, 0, 0.5, 0)),
        (spelt("pear*14"), (0, 0, 14 / 30, 1)),
        (spelt("pear*90"), (0, 0, 0, 0)),
        (f"```\n{GOLD}\n```", (1, 1, 1, 0)),
        (f'"{GOLD}"', (1, 1, 1, 0)),
        (f"`{GOLD}`", (1, 1, 1, 0)),
        (f"**{GOLD}**", (1, 1, 1, 0)),
        (GOLD.replace(" ", "\n"), (1, 1, 1, 0)),
        (GOLD.replace(" ", ", ") + ".", (1, 1, 1, 0)),
        (GOLD.replace(" ", " , "), (1, 1, 1, 0)),
        ("No.", (0, 0, 1 / 30, 1)),
        ("", (0, 0, 0, 1)),
    ],
)
def test_details(output, details):
    found = Copy.from_params({}).score(question(*RUNS), output).details
    assert tuple(found[name] for name in ("odd_present", "odd_at_right_index", "word_count", "refusal")) == pytest.approx(details)


def test_a_short_text_is_no_refusal():
    assert Copy.from_params({}).score(question("pear*5", "pears*1"), spelt("pear*5")).details["refusal"] == 0


@given(st.lists(st.sampled_from(["pear", "pears", " ", "  ", "\n", "x", "Text:", '"', "pea", GOLD]), max_size=40).map("".join))
def test_official_is_the_formula(output):
    text = output.strip().removeprefix("Text:").strip()
    expected = 1 - levenshtein(text, GOLD) / max(len(text), len(GOLD))
    assert Copy.from_params({}).score(question(*RUNS), output).official == pytest.approx(expected)


def test_long_outputs_are_scored_fast():
    runs = ("pear*30000", "pears*1", "pear*30000")
    begin = time.process_time()
    official = Copy.from_params({}).score(question(*runs), "x " + spelt("pear*59990", "pears*1") + " y").official
    assert 0.999 < official < 1
    assert time.process_time() - begin < 5


def test_floors():
    for size, floor in ((100, 0.99), (1000, 0.999)):
        assert f"{floor} or more at {size:,}" in Copy.from_params({}).floors
        for pair in range(len(PairWords.words) // 2):
            (runs,) = Repeated(pair, 0.5).arrange(size).answers
            alone = spelt(f"{runs[0].split('*')[0]}*{size}")
            score = Copy.from_params({}).score(question(*runs), alone)
            assert (score.official >= floor - 1e-9, score.strict) == (True, 0)
            half = Copy.from_params({}).score(question(*runs), alone[: len(alone) // 2])
            assert half.official == pytest.approx(0.5, abs=0.02)


# The text


def test_words():
    words = PairWords.of("").words
    common, odd = words[::2], words[1::2]
    assert len(common) == len(odd) == 64
    assert len(set(words)) == 128
    assert all(word.isalpha() and word.isascii() for word in words)
    for a, b in zip(common, odd, strict=True):
        assert a != b
        assert b not in a
    assert len(PairWords().digest) == 32


@pytest.mark.parametrize("size", [20, 21, 500, 5001])
@pytest.mark.parametrize("depth", [0.0, 0.25, 0.5, 1.0])
def test_arrangement(size, depth):
    arranger = Repeated(3, depth)
    arrangement = arranger.arrange(size)
    at = round(depth * (size - 1))
    words, counts = arranger.tally(size)
    assert arrangement.needles == ((at, at + 1),)
    assert len(arrangement.words) == size == counts.sum()
    assert np.flatnonzero(arrangement.words == 7).tolist() == [at]
    assert dict(zip(words.tolist(), counts.tolist(), strict=True)) == {6: size - 1, 7: 1}
    (runs,) = arrangement.answers
    assert spelt(*runs) == " ".join(PairWords.words[i] for i in arrangement.words)
    assert all(run.partition("*")[2] != "0" for run in runs)


def test_nothing_but_the_place_depends_on_depth():
    shallow, deep = (Copy.from_params({}).draft(depth, 3, 1) for depth in (0.1, 0.9))
    assert shallow.arranger.pair == deep.arranger.pair
    assert shallow.questions == deep.questions
    assert shallow.instruction == deep.instruction
    assert len({Copy.from_params({}).draft(0.5, index, 0).arranger.pair for index in range(300)}) > 50


def test_nothing_tells_the_number_or_the_place():
    draft = Copy.from_params({}).draft(0.5, 0, 0)
    said = f"{draft.instruction} {draft.questions[0].text} {draft.questions[0].answer_prefix}"
    assert not any(character.isdigit() for character in said)
    assert not set(said.lower().replace(".", " ").split()) & set(PairWords.words)


@pytest.mark.parametrize("params", [{"questions": 2}, {"max_new_tokens": -1}])
def test_refused(params):
    with pytest.raises(UsageError, match="parameter of copy"):
        Copy.from_params(params)


# The reader


@pytest.mark.parametrize("params", [{}, {"answer_prefix": False}, {"thinking_budget": 20, "max_new_tokens": 40}])
@pytest.mark.parametrize(("length", "depth"), [(512, 0.0), (512, 1.0), (4096, 0.5)])
def test_prompts(compose, tokenizer, params, length, depth):
    task = Copy.from_params(params)
    prompt = compose(tokenizer, task, length, depth)
    text = tokenizer.decode(prompt.ids, special=True)
    solved = task.solve(text)
    words = len(solved.split())
    score = task.score(prompt.question, solved)
    assert (score.official, score.strict) == (1, 1)
    assert score.details == {"odd_present": 1, "odd_at_right_index": 1, "word_count": 1, "refusal": 0}
    assert words >= 20
    assert len(prompt.ids) + prompt.reserved <= length
    assert length < 4096 or len(prompt.ids) + prompt.reserved >= 0.98 * length
    assert prompt.question.max_new_tokens >= (prompt.context[1] - prompt.context[0]) * 1.1
    ((start, stop),) = prompt.needle_tokens
    assert tokenizer.decode(prompt.ids[start:stop]).strip() == solved.split()[round(depth * (words - 1))]
    if length > 512:
        assert task.solve(tokenizer.decode(prompt.ids[-512:])) == ""  # the beginning is out of sight


def test_the_solver_on_small_texts():
    task = Copy.from_params({})
    asked = task.draft(0.5, 0, 0).questions[0].text
    assert task.solve(f"<|user|>\nCopy.\n\nText: cup cup cups cup\n\n{asked}<|end|>\n<|assistant|>\nText:") == "cup cup cups cup"
    assert task.solve(f"cup cups cup\n\n{asked}\nAnswer: Text:") == ""
    assert task.solve("Text: cup cup cups") == ""
    assert task.solve("") == ""
    long = f"Text: {spelt('cup*60000', 'cups*1', 'cup*60000')}\n\n{asked}"
    begin = time.process_time()
    assert len(task.solve(long).split()) == 120_001
    assert time.process_time() - begin < 1


def test_chance():
    task, rng = Copy.from_params({}), generator("test", "guess")
    for index in range(400):
        draft = task.draft(index / 399, index, 0)
        (runs,) = draft.arranger.arrange(20 + index % 50).answers
        guess = task.guess(f"{draft.instruction} {spelt(*runs)}\n\n{draft.questions[0].text}\nAnswer: Text:", rng)
        assert len(guess.split()) == 20 + index % 50
        assert task.score(question(*runs), guess).strict == task.chance == 0
    assert task.guess("", rng) == ""
