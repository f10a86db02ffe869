import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from lceval.errors import ModelError, UsageError
from lceval.runners.control import ControlRunner, ControlSpec
from lceval.tasks import needles
from lceval.tasks.niah import Niah
from lceval.types import Generation, Prompt, Question, Score

Compose = Callable[..., Prompt]
LENGTH = 1024


@pytest.fixture(scope="session")
def folder(fast_tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model folder without weights: a control needs the tokenizer only."""
    path = tmp_path_factory.mktemp("tokenizer-only")
    fast_tokenizer("bpe").save_pretrained(path)
    (path / "config.json").write_text('{"model_type": "llama"}')
    return str(path)


@pytest.fixture
def control(folder: str) -> Callable[[str], ControlRunner]:
    return lambda model: ControlRunner(model, {"tokenizer": folder})


Control = Callable[[str], ControlRunner]


def answers(runner: ControlRunner, prompts: list[Prompt]) -> list[tuple[Prompt, Generation]]:
    with runner:
        return list(runner.generate(prompts))


def scores(runner: ControlRunner, task: Niah, prompts: list[Prompt]) -> list[Score]:
    return [task.score(prompt.question, generation.text) for prompt, generation in answers(runner, prompts)]


@pytest.mark.parametrize(
    "params", [{}, {"keys": 4, "queries": 2, "values": 2}, {"needle_type": "uuids"}, {"haystack": "noise"}], ids=str
)
def test_perfect_reads_everything(params: dict[str, Any], control: Control, compose: Compose) -> None:
    runner, task = control("control:perfect"), Niah.from_params(params)
    prompts = [compose(runner.tokenizer, task, LENGTH, depth, index) for depth in (0.0, 0.5, 1.0) for index in range(3)]
    assert scores(runner, task, prompts) == [Score(1.0, 1.0)] * len(prompts)


@pytest.mark.parametrize("window", [100, 250, 500, 900])
def test_a_window_hides_exactly_the_needles_outside_it(window: int, control: Control, compose: Compose) -> None:
    runner, task = control(f"control:window={window}"), Niah.from_params({})
    prompts = [compose(runner.tokenizer, task, LENGTH, depth / 20, index) for depth in range(21) for index in range(3)]
    inside = [prompt.needle_tokens[0][0] >= len(prompt.ids) - window for prompt in prompts]
    assert [score.official for score in scores(runner, task, prompts)] == [float(seen) for seen in inside]
    assert any(inside)
    assert not all(inside)


def test_a_window_shows_the_needle_that_it_ends_at(control: Control, compose: Compose) -> None:
    task = Niah.from_params({})
    prompt = compose(control("control:perfect").tokenizer, task, LENGTH, 0.5)
    reach = len(prompt.ids) - prompt.needle_tokens[0][0]
    assert scores(control(f"control:window={reach}"), task, [prompt]) == [Score(1.0, 1.0)]
    assert scores(control(f"control:window={reach - 2}"), task, [prompt]) == [Score(0.0, 0.0)]


@pytest.mark.parametrize("strength", [0.6, 1.0])
@pytest.mark.parametrize("depth", [0.0, 0.2, 0.5, 0.8, 1.0])
def test_lost_in_the_middle_misses_with_the_probability_it_says(
    strength: float, depth: float, control: Control, compose: Compose
) -> None:
    runner, task = control(f"control:lost-in-the-middle,strength={strength}"), Niah.from_params({})
    one, n = compose(runner.tokenizer, task, 700, depth), 300
    prompts = [replace(one, sample=replace(one.sample, sample_key=f"key {i}")) for i in range(n)]
    missed = sum(score.official == 0 for score in scores(runner, task, prompts))
    (start, end), (first, last) = one.needle_tokens[0], one.context
    x = np.clip((np.arange(start - 1, end + 2) - first) / (last - first), 0, 1)
    curve = strength * 4 * x * (1 - x)
    assert binom.ppf(1e-5, n, max(curve.min(), 0)) <= missed <= binom.ppf(1 - 1e-5, n, curve.max())


def test_lost_in_the_middle_without_strength_loses_nothing(control: Control, compose: Compose) -> None:
    runner, task = control("control:lost-in-the-middle,strength=0"), Niah.from_params({})
    prompts = [compose(runner.tokenizer, task, LENGTH, 0.5, index) for index in range(20)]
    assert scores(runner, task, prompts) == [Score(1.0, 1.0)] * 20


def test_chance_picks_one_of_the_planted_values(control: Control, compose: Compose) -> None:
    runner, task = control("control:chance"), Niah.from_params({"keys": 4})
    one, n = compose(runner.tokenizer, task, 700, 0.5), 300
    said = [g.text for _, g in answers(runner, [replace(one, sample=replace(one.sample, sample_key=f"key {i}")) for i in range(n)])]
    planted = {fact.value for fact in needles.facts(runner.tokenizer.decode(one.ids))}
    assert set(said) == planted
    assert binom.ppf(1e-5, n, 1 / 4) <= said.count(one.question.answers[0]) <= binom.ppf(1 - 1e-5, n, 1 / 4)


def test_dump_prints_everything_and_wins_only_officially(control: Control, compose: Compose) -> None:
    runner, task = control("control:dump"), Niah.from_params({"keys": 4})
    prompt = compose(runner.tokenizer, task, LENGTH, 0.5)
    ((_, generation),) = answers(runner, [prompt])
    assert generation.text == runner.tokenizer.decode(prompt.ids, special=True)
    assert task.score(prompt.question, generation.text) == Score(1.0, 0.0)


BEHAVIOURS = ["perfect", "window=500", "lost-in-the-middle", "chance", "dump"]


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_control_never_looks_at_the_gold_answers(behaviour: str, control: Control, compose: Compose) -> None:
    runner, task = control(f"control:{behaviour}"), Niah.from_params({"keys": 3})
    prompts = [compose(runner.tokenizer, task, LENGTH, depth) for depth in (0.1, 0.5, 0.9)]
    blind = [replace(prompt, question=Question("", ("nothing",), "", 9), needle_tokens=()) for prompt in prompts]
    assert [g.text for _, g in answers(runner, blind)] == [g.text for _, g in answers(runner, prompts)]


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_control_answers_the_same_again_in_the_order_asked(behaviour: str, control: Control, compose: Compose) -> None:
    task = Niah.from_params({"keys": 3})
    prompts = [compose(control("control:perfect").tokenizer, task, LENGTH, depth) for depth in (0.9, 0.1, 0.5)]
    first, again = (answers(control(f"control:{behaviour}"), p) for p in (prompts, prompts[::-1]))
    assert [p for p, _ in first] == prompts
    assert [g.text for _, g in first] == [g.text for _, g in again][::-1]


def test_an_answer_is_counted_and_complete(control: Control, compose: Compose) -> None:
    runner = control("control:perfect")
    ((_, generation),) = answers(runner, [compose(runner.tokenizer, Niah.from_params({}), LENGTH, 0.5)])
    assert (generation.outcome, generation.finish_reason, generation.cached_tokens) == ("ok", "eos", 0)
    assert generation.new_tokens == len(runner.tokenizer.piece(generation.text))


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("control:perfekt", "unknown control 'perfekt'. Did you mean 'perfect'"),
        ("control:windows=4", "Did you mean 'window'"),
        ("control:", "unknown control ''"),
        ("control", "unknown control ''"),
        ("llama:perfect", "takes --model control:perfect and its kind, not 'llama:perfect'"),
        ("control:window", "window"),
        ("control:window=0", "setting of control:window window='0': Input should be greater than or equal to 1"),
        ("control:window=2k", "window='2k'"),
        ("control:perfect=1", "unknown setting of control:perfect 'perfect'"),
        ("control:perfect,strength=1", "unknown setting of control:perfect 'strength'"),
        ("control:lost-in-the-middle,strength=2", "less than or equal to 1"),
        ("control:lost-in-the-middle,strenth=0.5", "Did you mean 'strength'"),
        ("control:dump,strength", "write setting of 'control:dump,strength' NAME=VALUE"),
    ],
)
def test_an_unknown_control_is_told(model: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        ControlRunner(model, {})
    assert says in str(error.value)


def test_settings_have_their_defaults() -> None:
    assert ControlSpec.parse("control:lost-in-the-middle").settings.model_dump() == {"strength": 0.6}


@pytest.mark.parametrize(
    ("options", "says"),
    [({"tokeniser": "x"}, "Did you mean 'tokenizer'"), ({"chat": "loud"}, "chat='loud'")],
    ids=["name", "value"],
)
def test_an_unknown_option_is_told(options: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ControlRunner("control:perfect", options)


def test_the_fingerprint_tells_controls_apart(control: Control) -> None:
    models = [f"control:{b}" for b in (*BEHAVIOURS, "window=501", "lost-in-the-middle,strength=0.5")]
    prints = [json.dumps(dict(control(model).fingerprint), sort_keys=True) for model in models]
    assert len(set(prints)) == len(models)
    assert all(control(model).control for model in models)


def test_the_chat_template_is_part_of_the_fingerprint(tiny_model: Path) -> None:
    auto, off = (ControlRunner("control:perfect", {"tokenizer": str(tiny_model), "chat": chat}) for chat in ("auto", "off"))
    assert auto.tokenizer.frame.chat
    assert not off.tokenizer.frame.chat
    assert off.fingerprint["chat_template"] == "off" != auto.fingerprint["chat_template"]


def test_a_folder_without_a_tokenizer_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(ModelError, match="holds no tokenizer"):
        _ = ControlRunner("control:perfect", {"tokenizer": str(tmp_path)}).tokenizer
