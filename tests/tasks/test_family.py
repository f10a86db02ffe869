from __future__ import annotations

import re
import sys
import types
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

import lceval
from lceval import registry
from lceval.config import RunConfig
from lceval.errors import UsageError
from lceval.keys import below, generator, permutation, shuffled
from lceval.making import make_tasks
from lceval.tasks.family import Family, FamilyParams, evenly, listed, preset, spread
from lceval.tasks.niah import Niah
from lceval.tasks.scoring import split_thought, too_long


def test_a_preset_is_its_family_with_other_defaults() -> None:
    four = preset(Niah, "four", keys=4).from_params({})
    assert four.name == "four"
    assert four.params.model_dump(exclude_defaults=True) == {}
    assert four.draft(0.5, 0, 0) == Niah.from_params({"keys": 4}).draft(0.5, 0, 0)
    assert preset(Niah, "four", keys=4).from_params({"keys": 2}).params.model_dump(exclude_defaults=True) == {"keys": 2}
    with pytest.raises(UsageError, match="unknown parameter of four 'key'"):
        preset(Niah, "four", keys=4).from_params({"key": 1})
    assert Niah.from_params({}).params.keys == 1


def test_ruler_has_its_13_tasks_with_their_parameters() -> None:
    assert len(registry.members("ruler")) == 13
    wanted = {
        "niah_single_1": {"haystack": "noise", "keys": 1, "values": 1, "queries": 1, "needle_type": "words:numbers"},
        "niah_single_2": {"haystack": "prose", "keys": 1, "values": 1, "queries": 1, "needle_type": "words:numbers"},
        "niah_single_3": {"haystack": "prose", "keys": 1, "values": 1, "queries": 1, "needle_type": "words:uuids"},
        "niah_multikey_1": {"haystack": "prose", "keys": 4, "values": 1, "queries": 1, "needle_type": "words:numbers"},
        "niah_multikey_2": {"haystack": "needles", "keys": 1, "values": 1, "queries": 1, "needle_type": "words:numbers"},
        "niah_multikey_3": {"haystack": "needles", "keys": 1, "values": 1, "queries": 1, "needle_type": "uuids:uuids"},
        "niah_multivalue": {"haystack": "prose", "keys": 1, "values": 4, "queries": 1, "needle_type": "words:numbers"},
        "niah_multiquery": {"haystack": "prose", "keys": 4, "values": 1, "queries": 4, "needle_type": "words:numbers"},
        "vt": {"haystack": "noise", "hops": 4},
        "cwe": {"common": 10, "common_times": 30, "other_times": 3},
        "fwe": {"alpha": 2.0, "top": 3},
        "qa_1": {"hops": 1, "metric": "ruler_part"},
        "qa_2": {"hops": 2, "metric": "ruler_part"},
    }
    for name, params in wanted.items():
        task = registry.load("task", f"ruler/{name}").from_params({})
        assert {field: getattr(task.params, field) for field in params} == params
        assert not task.depth_is_free


def test_parameters_go_to_every_task_that_has_them() -> None:
    def made(**params: str) -> dict[str, dict[str, object]]:
        config = RunConfig.checked(
            tasks=["ruler", "niah"], model="control:perfect", task_params={k.replace("__", "."): v for k, v in params.items()}
        )
        return {task.name: task.params.model_dump(exclude_defaults=True) for task in make_tasks(config)}

    assert {name for name, params in made(hops="2").items() if params} == {"ruler/vt", "ruler/qa_1"}
    only = made(**{"ruler/vt.hops": "2"})
    assert {name for name, params in only.items() if params} == {"ruler/vt"}
    with pytest.raises(UsageError, match="unknown parameter"):
        made(hopss="2")
    with pytest.raises(UsageError, match=r"lceval run official -T data=x\.jsonl"):
        made(data="x.jsonl")


def test_a_group_stands_for_its_members_once() -> None:
    config = RunConfig.checked(tasks=["ruler/vt", "ruler", "niah"], model="control:perfect")
    assert config.tasks == ("ruler/vt", *[name for name in registry.members("ruler") if name != "ruler/vt"], "niah")


@pytest.mark.parametrize(
    ("output", "thought", "answer"),
    [
        ("42", "", "42"),
        ("<think>is it 41?</think>42", "<think>is it 41?</think>", "42"),
        ("is it 41?</think>\n\n42", "is it 41?</think>", "42"),
        ("<think>a</think>b<think>c</think>d", "<think>a</think>b<think>c</think>", "d"),
        ("  <think>never ends 42", "  <think>never ends 42", ""),
        ("", "", ""),
        ("I think <think> is a mark", "", "I think <think> is a mark"),
    ],
)
def test_what_was_thought_is_no_answer(output: str, thought: str, answer: str) -> None:
    assert split_thought(output) == (thought, answer)


def test_depths_are_spread_and_wrapped() -> None:
    assert spread(0.5, 4) == pytest.approx([0.5, 0.75, 1.0, 0.25])
    assert evenly(4) == pytest.approx([0.125, 0.375, 0.625, 0.875])
    assert [listed(list("abc")[:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]


def test_too_long_is_more_than_any_answer_within_its_budget() -> None:
    assert too_long("a " * 11, 10)
    assert too_long("a" * 101, 10)
    assert not too_long("word " * 10, 10)


def test_draws_come_from_raw_bits() -> None:
    rng = generator("draws")
    assert {below(rng, 5) for _ in range(200)} == set(range(5))
    assert sorted(permutation(rng, 50)) == list(range(50))
    assert permutation(rng, 0).shape == (0,)
    assert sorted(shuffled(rng, "abcdef")) == list("abcdef")
    assert len(set(shuffled(rng, range(100), 10))) == 10
    assert below(generator("draws"), 1 << 30) == below(generator("draws"), 1 << 30)


@pytest.fixture
def other_package(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, type], None]]:
    """Installs a class as the task of another package."""

    def install(name: str, made: type) -> None:
        module = types.ModuleType("other_package")
        vars(module)[made.__name__] = made
        monkeypatch.setitem(sys.modules, "other_package", module)
        point = EntryPoint(name, f"other_package:{made.__name__}", "lceval.tasks")
        monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == point.group else [])
        registry.names.cache_clear()

    yield install
    registry.names.cache_clear()


def test_the_task_in_the_readme_is_whole(other_package: Callable[[str, type], None], tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "tasks" / "README.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    there: dict[str, Any] = {"__name__": "other_package"}
    exec(code, there)
    other_package("pin", there["Pin"])
    assert registry.summary("task", "pin") == "find the pin of the safe"
    settings: dict[str, Any] = {"lengths": "512,1k", "samples": 2, "depths": "3", "task_params": {"digits": 6}}
    for control, score in (("perfect", 1), ("dump", 0)):
        frame = lceval.run("pin", f"control:{control}", out=str(tmp_path / control), **settings).frame
        assert len(frame) == 12
        assert (frame.strict == score).all()


def test_a_task_that_lacks_something_is_refused(other_package: Callable[[str, type], None]) -> None:
    class Half:
        version = 1
        Params = FamilyParams
        name = "half"

        @classmethod
        def from_params(cls, values: object) -> Half:
            return cls()

    other_package("half", Half)
    with pytest.raises(UsageError, match=r"'half' \(.*Half\) lacks chance, floors, params, given, .*, solve, guess\. Update"):
        make_tasks(RunConfig.checked(tasks=["half"], model="control:perfect"))
    with pytest.raises(TypeError, match="abstract"):
        type("Empty", (Family,), {"family": "empty", "Params": FamilyParams}).from_params({})
