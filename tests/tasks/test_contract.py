"""What every task must hold, whoever writes it."""

import hashlib
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from syrupy.assertion import SnapshotAssertion

from lceval import registry
from lceval.errors import UsageError
from lceval.keys import generator
from lceval.tasks.scoring import split_thought
from lceval.types import Prompt, Task

Compose = Callable[..., Prompt]

FROM_A_FILE = {"official", "nolima"}
TASKS = [name for name in registry.names("task") if name not in FROM_A_FILE]
DEPTHS = (0.0, 0.37, 1.0)

ROOM_FOR_EIGHT: dict[str, dict[str, Any]] = {
    "niah": {"keys": 32, "needle_depths": "same"},
    "vt": {"chains": 8},
    "coref": {"needles": 8},
    "manyshot": {"classes": 16},
}
"""What a family needs for eight questions about one context."""

every_task = pytest.mark.parametrize("name", TASKS)


@cache
def made(name: str) -> Task:
    task: Task = registry.load("task", name).from_params({})
    return task


def depths(task: Task) -> tuple[float | None, ...]:
    return DEPTHS if task.depth_is_free else (None,)


def read(tokenizer: Any, prompt: Prompt) -> str:
    return str(tokenizer.decode(prompt.ids, special=True))


@every_task
def test_the_solver_is_right_in_every_cell(name: str, tokenizer: Any, compose: Compose) -> None:
    task = made(name)
    for length in (512, 1024, 4096):
        for depth in depths(task):
            for index in (0, 1, 5):
                prompt = compose(tokenizer, task, length, depth, index)
                score = task.score(prompt.question, task.solve(read(tokenizer, prompt)))
                assert (score.official, score.strict) == (1, 1), (length, depth, index, task.solve(read(tokenizer, prompt)))


@every_task
@pytest.mark.parametrize("params", [{}, {"answer_prefix": False}], ids=["begun", "not begun"])
def test_the_gold_continuation_is_a_right_answer(name: str, params: dict[str, Any], tokenizer: Any, compose: Compose) -> None:
    task = registry.load("task", name).from_params(params)
    for depth in depths(task):
        prompt = compose(tokenizer, task, 1024, depth, 2)
        assert 0 < len(prompt.gold) <= prompt.reserved
        said = tokenizer.decode([*prompt.ids, *prompt.gold])[len(tokenizer.decode(prompt.ids)) :]
        score = task.score(prompt.question, said)
        assert (score.official, score.strict) == (1, 1), said


@every_task
def test_after_a_thought_there_is_no_gold_continuation(name: str, bpe: Any, compose: Compose) -> None:
    task = registry.load("task", name).from_params({"thinking_budget": 50})
    assert len(compose(bpe, task, 1024, depths(task)[0], 0).gold) == 0


@every_task
def test_prompts_fill_their_length_and_never_exceed_it(name: str, tokenizer: Any, compose: Compose) -> None:
    task = made(name)
    for index in range(3):
        prompt = compose(tokenizer, task, 4096, depths(task)[-1], index)
        assert 0.98 * 4096 <= len(prompt.ids) + prompt.reserved <= 4096


@every_task
def test_needles_stand_where_the_spans_say(name: str, tokenizer: Any, compose: Compose) -> None:
    task = made(name)
    for depth in depths(task):
        draft, prompt = task.draft(depth, 2, 0), compose(tokenizer, task, 2048, depth, 2)
        for (start, stop), needle in zip(prompt.needle_tokens, draft.needles, strict=bool(draft.needles)):
            assert tokenizer.decode(prompt.ids[start:stop]).strip() == needle.text.strip()
        assert all(prompt.context[0] <= start < stop <= prompt.context[1] for start, stop in prompt.needle_tokens)
        assert all(0 <= i < len(prompt.needle_tokens) for i in prompt.question.support)


@every_task
def test_the_grid_moves_the_needle(name: str, bpe: Any, compose: Compose) -> None:
    task = made(name)
    if not task.depth_is_free:
        pytest.skip("places its needles itself")
    for depth in DEPTHS:
        prompt = compose(bpe, task, 4096, depth, 1)
        asked = prompt.question.support or range(len(prompt.needle_tokens))
        start, stop = prompt.context
        aim = min(max(depth * 4096, start), stop)
        if task.draft(depth, 1, 0).arranger:  # whose depth is a fraction of the words: the answer takes a good part of the length
            aim = start + depth * (stop - start)
        assert min(abs(prompt.needle_tokens[i][0] - aim) for i in asked) < 0.1 * 4096


@every_task
def test_a_sample_asks_the_same_in_every_cell(name: str) -> None:
    task = made(name)
    first, *others = (task.draft(depth, 3, 1) for depth in depths(task))
    for other in others:
        assert other.questions == first.questions
        assert (other.instruction, other.haystack, other.start, other.closing) == (
            first.instruction,
            first.haystack,
            first.start,
            first.closing,
        )
        assert sorted(needle.text for needle in other.needles) == sorted(needle.text for needle in first.needles)
    again = registry.load("task", name).from_params({}).draft(depths(task)[0], 3, 1)
    assert again.questions == first.questions


@every_task
def test_samples_and_seeds_differ(name: str, bpe: Any, compose: Compose) -> None:
    task = made(name)
    cells = [(index, seed) for index in range(4) for seed in (0, 1)]
    assert len({compose(bpe, task, 1024, depths(task)[0], *cell).ids.tobytes() for cell in cells}) == len(cells)


@every_task
def test_printing_the_context_scores_nothing(name: str, bpe: Any, compose: Compose) -> None:
    task = made(name)
    for length in (2048, 4096):
        for index in range(3):
            prompt = compose(bpe, task, length, depths(task)[-1], index)
            assert task.score(prompt.question, read(bpe, prompt)).strict <= max(0.05, task.chance)


@every_task
def test_empty_and_alien_answers_score_nothing(name: str, bpe: Any, compose: Compose) -> None:
    task = made(name)
    prompt = compose(bpe, task, 1024, depths(task)[0], 0)
    for text in ("", "\n", "I do not know.", "Sorry, I cannot answer that.", "💡" * 5):
        assert task.score(prompt.question, text).strict == 0


@every_task
def test_guessing_scores_what_the_task_says(name: str, bpe: Any, compose: Compose) -> None:
    task = made(name)
    scores = []
    for index in range(40):
        prompt = compose(bpe, task, 1024, depths(task)[index % len(depths(task))], index)
        text = read(bpe, prompt)
        scores += [task.score(prompt.question, task.guess(text, generator("guess", index, i))).strict for i in range(10)]
    by_sample = np.reshape(scores, (40, 10)).mean(axis=1)
    error = max(np.std(scores) / np.sqrt(len(scores)), np.std(by_sample) / np.sqrt(40), 0.002)
    assert abs(np.mean(scores) - task.chance) < 4 * error
    assert 0 <= task.chance <= 1


@every_task
def test_a_fragment_of_the_prompt_breaks_nothing(name: str, bpe: Any, compose: Compose) -> None:
    task = made(name)
    prompt = compose(bpe, task, 1024, depths(task)[0], 0)
    for ids in (prompt.ids[-300:], prompt.ids[:300], prompt.ids[-20:], prompt.ids[:0]):
        text = bpe.decode(ids, special=True)
        task.score(prompt.question, task.solve(text))
        task.score(prompt.question, task.guess(text, generator("fragment")))


@every_task
def test_reasoning_models_begin_their_own_answer_and_get_room_to_think(name: str, bpe: Any, compose: Compose) -> None:
    plain, off, thinking = (
        registry.load("task", name).from_params(params) for params in ({}, {"answer_prefix": "off"}, {"thinking_budget": 64})
    )
    one, two, three = (compose(bpe, task, 1024, depths(task)[0], 0) for task in (plain, off, thinking))
    assert (two.question.answer_prefix, two.question.stop) == (three.question.answer_prefix, three.question.stop) == ("", ())
    if not plain.draft(depths(plain)[0], 0, 0).echo:
        assert three.reserved == two.reserved + 64 == one.reserved + 64
    assert two.question.answers == three.question.answers or plain.draft(depths(plain)[0], 0, 0).arranger
    solved = off.score(two.question, off.solve(read(bpe, two)))
    assert (solved.official, solved.strict) == (1, 1)
    guess, solution = plain.guess(read(bpe, one), generator("thought")), off.solve(read(bpe, two))
    thought, answer = split_thought(f"<think>Could it be {guess}?</think>\n\n{solution}")
    solved = off.score(two.question, answer)
    assert guess in thought
    assert (solved.official, solved.strict) == (1, 1)


@every_task
def test_tasks_describe_themselves(name: str) -> None:
    from lceval import describe

    lines = list(describe.task(name))
    for heading in ("parameters (-T NAME=VALUE)", "positions", "scores", "example"):
        assert heading in lines
    assert max(map(len, lines)) <= 132
    assert all(field.description for field in made(name).Params.model_fields.values())
    assert made(name).floors
    with pytest.raises(UsageError, match="unknown parameter"):
        registry.load("task", name).from_params({"no_such_parameter": 1})


@every_task
def test_samples_never_change_without_a_new_version(name: str, golden: Any, compose: Compose, snapshot: SnapshotAssertion) -> None:
    task = made(name)
    texts = [read(golden, compose(golden, task, 8192, depth, index)) for index, depth in enumerate((depths(task) * 3)[:3])]
    assert {"version": task.version, "sha256": [hashlib.sha256(text.encode()).hexdigest() for text in texts]} == snapshot


@every_task
def test_several_questions_share_a_context(name: str, bpe: Any, compose: Compose) -> None:
    if "questions" not in made(name).Params.model_fields:
        pytest.skip("one question a context")
    questions = 4 if name == "miniworld" else 8
    task: Task = registry.load("task", name).from_params({"questions": questions} | ROOM_FOR_EIGHT.get(made(name).family, {}))
    for depth in depths(task):
        draft = task.draft(depth, 0, 0)
        assert len(draft.questions) == len({question.text for question in draft.questions}) == questions
        for question in range(questions):
            prompt = compose(bpe, task, 8192, depth, 0, 0, question)
            score = task.score(prompt.question, task.solve(read(bpe, prompt)))
            assert (score.official, score.strict) == (1, 1)


@every_task
def test_long_prompts_are_solved_and_composed_fast(name: str, tokenizer: Any, compose: Compose) -> None:
    task = made(name)
    for index in (0, 1):  # opens the corpora
        compose(tokenizer, task, 131072, depths(task)[-1], index)
    begun = time.process_time()
    prompt = compose(tokenizer, task, 131072, depths(task)[-1], 1)
    assert time.process_time() - begun < 1  # a guard against quadratic work; the figures are in tests/benchmarks
    assert 0.98 * 131072 <= len(prompt.ids) + prompt.reserved <= 131072
    score = task.score(prompt.question, task.solve(read(tokenizer, prompt)))
    assert (score.official, score.strict) == (1, 1)
