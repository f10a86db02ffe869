import ast
import importlib
import re
import string
import sys
from collections import Counter
from collections.abc import Callable
from itertools import islice
from math import gcd, isqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval.errors import UsageError
from lceval.keys import generator
from lceval.tasks import codebase
from lceval.tasks.code import Code
from lceval.tasks.codebase import BEHAVIOURS, PACKAGES, QUALITIES, THINGS, VERBS, Deed, Files
from lceval.types import Prompt, Question, Score

Compose = Callable[..., Prompt]
Params = dict[str, Any]


def code(**params: Any) -> Code:
    return Code.from_params(params)


def name_of(params: Params) -> str:
    return " ".join(f"{key}={value}" for key, value in params.items()) or "defaults"


def files_of(text: str) -> dict[str, str]:
    """Path -> source, of every file in a text that is nothing but files."""
    parts = re.split(r"^# file: (\S+)\n", text, flags=re.MULTILINE)
    assert not parts[0].strip()
    assert len(parts) > 2
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture(scope="module")
def stream() -> list[str]:
    return [item for block in islice(Files(7).blocks(), 12) for item in block]


def test_every_file_of_the_stream_is_valid_python(stream: list[str]) -> None:
    assert len(stream) > 2000
    for item in stream:
        header, *lines = item.splitlines()
        assert re.fullmatch(r"# file: [a-z]+/[a-z]+_[a-z]+\.py", header)
        assert all(line.strip() for line in lines)
        assert item.endswith("\n")
        tree = ast.parse(item, feature_version=(3, 11))
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        assert 1 <= len(functions) <= 3
        assert all(isinstance(node, ast.FunctionDef | ast.ImportFrom) for node in tree.body)
        assert all(ast.get_docstring(function) is None for function in functions)


def test_files_are_of_varied_size_and_steps_are_a_third(stream: list[str]) -> None:
    sizes = [len(item) for item in stream]
    assert 60 < min(sizes) < 90 < 300 < max(sizes) < 520
    assert np.std(sizes) > 40
    assert np.mean([item.count("(x):") for item in stream]) == pytest.approx(1 / 3, abs=0.03)
    assert np.mean([item.count("\nfrom ") and "(x):" in item for item in stream]) == pytest.approx(0.21, abs=0.03)


def test_names_of_functions_and_files_are_used_once(stream: list[str]) -> None:
    text = "".join(stream)
    functions = re.findall(r"^def (\w+)", text, re.MULTILINE)
    assert len(set(functions)) == len(functions) > 3000
    assert len(files_of(text)) == len(stream)
    assert set(functions) <= codebase.named(text)


def test_steps_call_functions_before_and_behind_them_in_chains_that_end(stream: list[str]) -> None:
    places: dict[tuple[str, str], int] = {}
    calls: list[tuple[int, tuple[str, str]]] = []
    for i, item in enumerate(stream):
        ((path, source),) = files_of(item).items()
        module = path.removesuffix(".py").replace("/", ".")
        places |= {(module, name): i for name in re.findall(r"^def (\w+)", source, re.MULTILINE)}
        for other, name in re.findall(r"^from (\w+\.\w+) import (\w+)$", source, re.MULTILINE):
            assert source.count(f"{name}(") == 1
            calls.append((i, (other, name)))
    assert len(calls) > 400
    assert len({callee for _, callee in calls}) == len(calls)
    assert sum(callee not in places for _, callee in calls) < 16
    steps = {i: places[callee] for i, callee in calls if callee in places}
    assert np.mean([after > i for i, after in steps.items()]) == pytest.approx(1 / 2, abs=0.06)
    assert max(abs(after - i) for i, after in steps.items()) > 30
    for i in steps:
        seen = {i}
        while i in steps:
            i = steps[i]
            assert i not in seen
            seen.add(i)


def readers(text: str, question: Question) -> dict[str, list[str]]:
    """What cheap readers choose from: functions with the number; called ones without calls; those that are imported before."""
    functions = re.findall(r"^def (\w+)\((\w+)\):\n((?: {4}.*\n)+)", text, re.MULTILINE)
    last = [name for name, argument, body in functions if argument == "x" and "(" not in body]
    number = set(re.findall(r"\d+", question.text))
    return {
        "number": [name for name, _, body in functions if set(re.findall(r"\b\d+\b", body)) - {"0", "1", "2"} == number],
        "called": [name for name in last if f"import {name}\n" in text],
        "before": [name for name in last if -1 < text.find(f"import {name}\n") < text.index(f"def {name}(")],
    }


@pytest.mark.parametrize(
    ("params", "reader", "floor"),
    [({}, "number", 0.2), ({"ask": "chain", "calls": 1}, "called", 0.3), ({"ask": "chain", "calls": 1}, "before", 0.4)],
    ids=lambda value: name_of(value) if isinstance(value, dict) else "",
)
def test_cheap_readers_are_right_by_chance_only(params: Params, reader: str, floor: float, stream: list[str]) -> None:
    scores = []
    for index in range(200):
        draft, at = code(**params).draft(0.2, index, 7), 10 * index
        first, *rest = (f"{needle.text}\n" for needle in draft.needles)
        files = stream[at : at + 80]  # about 4k tokens
        chosen = readers("".join([*files[:20], first, *files[20:60], *rest, *files[60:]]), draft.questions[0])[reader]
        scores.append((draft.questions[0].answers[0] in chosen) / max(len(chosen), 1))
    assert 0.05 < np.mean(scores) < floor


def test_every_behaviour_has_numbers_in_both_pools() -> None:
    for behaviour in BEHAVIOURS:
        drawn = {
            pool: {codebase.draw_deed(generator("pools", i), pool, behaviour).number for i in range(150)}
            for pool in ("sample", "haystack")
        }
        assert drawn["sample"].isdisjoint(drawn["haystack"])
        assert drawn["sample"] | drawn["haystack"] == set(codebase.NUMBERS)
        assert len(drawn["sample"]) == 3


def test_the_stream_is_the_same_every_time_and_another_for_every_seed(stream: list[str]) -> None:
    assert next(Files.of("7").blocks()) == stream[: len(next(Files(7).blocks()))]
    assert next(Files(8).blocks())[:3] != stream[:3]
    assert len({Files(7).digest, Files.of("7").digest, Files(8).digest}) == 2


def test_words_are_distinct_and_packages_are_not_those_of_python() -> None:
    for words in (VERBS, QUALITIES, THINGS, PACKAGES):
        assert len(set(words)) == len(words) > 60
        assert all(re.fullmatch("[a-z]{3,10}", word) for word in words)
    assert not set(PACKAGES) & set(sys.stdlib_module_names)


@pytest.mark.parametrize("params", [{"questions": 4}, {"ask": "chain"}], ids=name_of)
def test_the_stream_never_has_names_files_or_behaviours_of_a_sample(params: Params, stream: list[str]) -> None:
    names, lines = codebase.named("".join(stream)), set("".join(stream).splitlines())
    asked = set()
    for index in range(100):
        draft = code(**params).draft(0.5, index, 7)
        text = "\n".join(needle.text for needle in draft.needles)
        assert not codebase.named(text) & names
        assert not set(re.findall("# file: .*", text)) & lines
        asked |= {question.text for question in draft.questions}
    if "questions" in params:
        said = {f"Which function {deed.says}? Answer with the name of the function only." for deed in deeds_in("".join(stream))}
        assert len(said) == len(BEHAVIOURS) * 9
        assert len(asked) > 100
        assert not said & asked


def deeds_in(text: str) -> list[Deed]:
    """Every behaviour that is in a text, by its source alone."""
    bodies = {deed.body("x"): deed for b in BEHAVIOURS for number in codebase.NUMBERS for deed in [Deed(b, number)]}
    functions = re.findall(r"^def \w+\((\w+)\):\n((?: {4}.*\n)+)", text, re.MULTILINE)
    normal = (re.sub(rf"\b{argument}\b", "x", body.rstrip("\n")) for argument, body in functions)
    return [bodies[body] for body in normal if body in bodies]


def shift(text: str, by: int) -> str:
    return "".join(map(chr, [ord(c) + by for c in text]))


def halvings(n: int, limit: int) -> int:
    return 0 if n < limit else 1 + halvings(n // 2, limit)


def running(values: list[int], total: int) -> list[int]:
    return [total + sum(values[: i + 1]) for i in range(len(values))]


def product(values: list[int]) -> int:
    return 1 if not values else values[0] * product(values[1:])


MEANING: list[Callable[..., Any]] = [  # what the descriptions say, written again from them alone
    lambda v, a: sum([i**2 for i in v if not i & 1]) - a,
    lambda v, a: len([i for i in v if i > a]),
    lambda v, a: sorted(v)[-1] + a,
    lambda v, a: (sorted(v)[-1] - sorted(v)[0]) * a,
    lambda v, a: list(filter(lambda i: i % a == 0, v)),
    lambda v, a: [a + i + i for i in v],
    lambda v, a: ([i for i in v if i > a] + [0])[0],
    lambda v, a: sum(v[i] for i in range(min(a, len(v)))),
    lambda v, a: v[: max(len(v) - a, 0)],
    lambda v, a: len([i for i in range(1, len(v)) if abs(v[i] - v[i - 1]) > a]),
    lambda v, a: product(v) % a,
    lambda v, a: [a if i > a else i for i in v],
    running,
    lambda v, a: next(i for i, n in enumerate(v) if n == sorted(v)[0]) + a,
    lambda v, a: [n for i, n in enumerate(v) if i % a == 0],
    lambda v, a: [n for i, n in enumerate(sorted(v)) if n > a and n not in sorted(v)[:i]],
    lambda v, a: a * sorted(v)[len(v) // 2],
    lambda v, a: len({i - a * (i // a) for i in v}),
    lambda v, a: sorted(v, key=lambda i: (-v.count(i), v.index(i)))[0] + a,
    gcd,
    lambda n, a: a * sum(map(int, f"{n}")),
    lambda n, a: sum(divmod(n, a)),
    lambda n, a: n in range(1, a),
    lambda n, a: n * n * n % a,
    lambda n, a: [n - a * i for i in range(n // a + 1)],
    lambda n, a: next(i for i in range(n + 2) if i * i > n) - 1 + a,
    lambda n, a: sum(n >> i & 1 for i in range(64)) + a,
    halvings,
    lambda t, a: "".join(t[i] for i in range(min(a, len(t)))).upper(),
    lambda t, a: t.zfill(a),
    lambda t, a: len([w for w in t.split(" ") if len(w) > a]),
    lambda t, a: "-".join(t for _ in range(a)),
    shift,
    lambda w, a: len("".join(w)) + a,
    lambda d, a: sum(d[k] for k in d if k > a),
    lambda d, a: ([d[k] for k in d if k == a] + [0])[0],
]

PROBES: dict[str, list[Any]] = {
    "numbers": [
        [int(v) for v in np.random.default_rng(0).integers(-20, 130, 140)],
        list(range(150)),
        [i * (i + 1) // 2 for i in range(120)],
        [1, 101, 101, 3],
        [2, 1],
        [101],
        [103, 107],
        [109, 113, 127],
    ],
    "number": [*range(200), 4095, 12345],
    "text": [" ".join(string.ascii_lowercase[i % 26] * i for i in range(1, 105)), "tea"],
    "words": [["tea", "coffee"], ["milk"]],
    "table": [{i: 2 * i + 1 for i in range(120)}, {i: -i for i in range(0, 120, 2)}, {200: 1}],
}


def built(deed: Deed) -> Callable[..., Any]:
    space: dict[str, Any] = {}
    exec(codebase.doing(generator("argument"), "pkg.mod", [("made", deed)]), space)
    made: Callable[..., Any] = space["made"]
    return made


@pytest.mark.parametrize("number", range(len(BEHAVIOURS)))
def test_a_function_does_what_is_said_of_it(number: int) -> None:
    behaviour = BEHAVIOURS[number]
    assert len(BEHAVIOURS) == len(MEANING) >= 24
    for i in range(6):
        deed = codebase.draw_deed(generator("meaning", number, i), "sample", behaviour)
        function = built(deed)
        for probe in PROBES[behaviour.argument]:
            assert function(probe) == MEANING[number](probe, deed.number), (deed.says, probe)
        assert re.findall(r"\d+", deed.says) in ([str(deed.number)], [str(deed.number)] * 2)


def test_no_two_descriptions_fit_the_same_function() -> None:
    signatures: Counter[str] = Counter()
    for behaviour in BEHAVIOURS:
        for number in codebase.NUMBERS:
            function = built(Deed(behaviour, number))
            signatures[f"{behaviour.argument} {[function(probe) for probe in PROBES[behaviour.argument]]}"] += 1
    assert max(signatures.values()) == 1
    assert isqrt(10) + 3 == MEANING[25](10, 3) == 6


SWEEP: list[Params] = [
    {},
    {"questions": 4},
    {"answer_prefix": False},
    {"ask": "chain"},
    {"ask": "chain", "calls": 1},
    {"ask": "chain", "calls": 8},
    {"ask": "value"},
    {"ask": "value", "calls": 1},
    {"ask": "value", "calls": 8, "answer_prefix": False},
]


@pytest.mark.parametrize("params", SWEEP, ids=name_of)
@pytest.mark.parametrize("chat", [False, True], ids=["plain", "chat"])
def test_a_perfect_reader_scores_1(params: Params, chat: bool, compose: Compose, make_bpe: Any, chat_template: str) -> None:
    tokenizer, task = make_bpe(chat_template=chat_template if chat else None), code(**params)
    for depth in (0.0, 0.45, 1.0):
        for question in range(task.params.questions):
            prompt = compose(tokenizer, task, 2048, depth, question, 0, question)
            answer = task.solve(tokenizer.decode(prompt.ids, special=True))
            assert task.score(prompt.question, answer) == Score(1.0, 1.0)


@pytest.mark.parametrize("params", SWEEP, ids=name_of)
def test_a_reader_who_missed_the_files_does_not_answer(params: Params, compose: Compose, bpe: Any) -> None:
    task = code(**params)
    prompt = compose(bpe, task, 2048, 0.45)
    kept = np.ones(len(prompt.ids), dtype=bool)
    for begin, end in prompt.needle_tokens:
        kept[begin:end] = False
    assert task.solve(bpe.decode(prompt.ids[kept])) == ""


def context_of(prompt: Prompt, tokenizer: Any) -> str:
    return str(tokenizer.decode(prompt.ids[slice(*prompt.context)]))


@pytest.mark.parametrize("params", [{}, {"ask": "chain"}], ids=name_of)
def test_the_whole_context_is_a_code_base(params: Params, compose: Compose, bpe: Any) -> None:
    for depth in (0.0, 0.5, 1.0):
        files = files_of(context_of(compose(bpe, code(**params), 4096, depth), bpe))
        assert len(files) > 20
        for source in files.values():
            ast.parse(source)


@pytest.mark.parametrize("calls", [1, 3, 6])
def test_python_agrees_about_where_calls_end_and_what_they_return(
    calls: int, compose: Compose, bpe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, value = code(ask="chain", calls=calls), code(ask="value", calls=calls)
    called: list[str] = []

    def note(frame: Any, event: str, _: Any) -> None:
        if event == "call":
            called.append(frame.f_code.co_name)

    for index in range(4):
        root = tmp_path / str(index)
        for path, source in files_of(context_of(compose(bpe, value, 2048, 0.3, index), bpe)).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(source)
        draft, question = value.draft(0.3, index, 0), value.draft(0.3, index, 0).questions[0]
        (first, x) = re.findall(r"What does (\w+)\((\d+)\)", question.text)[0]
        (path,) = re.findall(r"# file: (\S+)\.py", draft.needles[0].text)
        with monkeypatch.context() as patch:
            patch.syspath_prepend(root)
            function = getattr(importlib.import_module(path.replace("/", ".")), first)
            sys.setprofile(note)
            returned = function(int(x))
            sys.setprofile(None)
            for package in {path.parent.name for path in root.glob("*/*.py")}:
                for module in [name for name in sys.modules if name.split(".")[0] == package]:
                    patch.delitem(sys.modules, module)
        assert question.answers == (str(returned),)
        assert chain.draft(0.3, index, 0).questions[0].answers == (called[-1],)
        assert called[-calls - 1] == first
        called.clear()


def test_the_file_asked_about_stands_at_the_depth_and_a_chain_around() -> None:
    for question, needle in zip(*[(d := code(questions=3).draft(0.4, 0, 0)).questions, d.needles], strict=True):
        assert needle.depth == 0.4
        assert f"def {question.answers[0]}(" in needle.text
        assert d.needles[question.support[0]] == needle
    orders = set()
    for index in range(20):
        draft = code(ask="chain").draft(0.4, index, 0)
        depths = [needle.depth for needle in draft.needles]
        assert depths[0] == 0.4
        assert sorted(depths) == pytest.approx([0.15, 0.4, 0.65, 0.9])
        orders.add(tuple(depths))
    assert len(orders) == 6


def test_more_questions_leave_the_first_one_as_it_is() -> None:
    one, four = code().draft(0.5, 3, 0), code(questions=4).draft(0.5, 3, 0)
    assert one.questions == four.questions[:1]
    assert one.needles == four.needles[:1]
    assert len({question.text.split("returns")[-1] for question in four.questions}) == 4


def test_numbers_to_be_returned_are_varied_possible_and_not_in_the_question() -> None:
    task = code(ask="value")
    answers = []
    for index in range(300):
        (question,) = task.draft(0.5, index, 0).questions
        answers.append(int(question.answers[0]))
        assert f"({question.answers[0]})" not in question.text
        assert [needle.text.count("*") for needle in task.draft(0.5, index, 0).needles].count(1) == 1
    low, high = -171, 198
    assert low <= min(answers) < 0 < max(answers) <= high
    assert len(set(answers)) > 100
    assert task.chance == 1 / (high - low + 1)


@pytest.mark.parametrize("params", [{"ask": "value"}, {"ask": "value", "calls": 1}, {"ask": "chain"}, {}], ids=name_of)
def test_a_guess_scores_at_chance(params: Params) -> None:
    task = code(**params)
    scores = []
    for index in range(100):
        (question,) = task.draft(0.5, index, 0).questions
        scores += [task.score(question, task.guess("", generator("guess", index, i))).strict for i in range(40)]
    assert abs(np.mean(scores) - task.chance) <= 4 * np.sqrt(task.chance * (1 - task.chance) / len(scores))


NAMES = list(islice(codebase.function_names(generator("names of this test"), "sample"), 3))
GOLD, OTHER, ASKED = NAMES


def ask(answer: str) -> Question:
    return Question(f"What does {ASKED}(7) return? Answer with the number or the name only.", (answer,), "", 20)


@pytest.mark.parametrize("kind", ["behaviour", "chain"])
@pytest.mark.parametrize(
    ("text", "official", "strict"),
    [
        (GOLD, 1, 1),
        (f" {GOLD}.", 1, 1),
        (f"`{GOLD}()`", 1, 1),
        (f"**{GOLD}**", 1, 1),
        (GOLD.replace("_", "\\_"), 1, 1),
        (GOLD.upper(), 1, 1),
        (f"def {GOLD}(values):", 1, 1),
        (f"It is {GOLD} in docks/old_orders.py, which {ASKED} calls.", 1, 1),
        (f"mills.old_orders.{GOLD}", 1, 1),
        (f"{GOLD} or {OTHER}", 1, 2 / 3),
        (f"{GOLD}, not make_it_up", 1, 2 / 3),
        (OTHER, 0, 0),
        (ASKED, 0, 0),
        (f"{GOLD}s", 0, 0),
        (f"re_{GOLD}", 0, 0),
        (f"{GOLD}_2", 0, 0),
        (GOLD.replace("_", " "), 0, 0),
        (GOLD.rpartition("_")[0], 0, 0),
        ("", 0, 0),
        (f"{GOLD} " + "so " * 20, 1, 0),
    ],
)
def test_scores_of_a_name(kind: str, text: str, official: float, strict: float) -> None:
    assert code(ask=kind).score(ask(GOLD), text) == Score(official, pytest.approx(strict))


@pytest.mark.parametrize(
    ("answer", "text", "official", "strict"),
    [
        ("-12", "-12", 1, 1),
        ("-12", " -12.", 1, 1),
        ("12", "`12`", 1, 1),
        ("12", "**12**", 0, 1),
        ("12", "12 (twelve)", 0, 1),
        ("12", f"{ASKED}(7) returns 12", 1, 1),
        ("12", "The answer is: '12'", 1, 1),
        ("-12", "\u221212", 0, 1),
        ("12", "12, I think.", 0, 1),
        ("12", "+12", 1, 1),
        ("12", "13 or 12", 1, 2 / 3),
        ("12", "12 or 13", 0, 2 / 3),
        ("12", "7 + 5 = 12", 1, 1),
        ("-32", "-32.0", 0, 1),
        ("-32", "-32, since 3 * 2 = 6", 0, 1),
        ("-32", "-32 (3 * 2 = 6)", 0, 1),
        ("-32", "It returns -32, since 3 * 2 = 6.", 0, 1),
        ("-32", "12 - 5 = -32", 1, 1),
        ("-32", f"{ASKED}(7) = -32", 1, 1),
        ("-32", "(12 + 5) * 2 - 66 = \u221232", 0, 1),
        ("-32", "-32\n3 * 2 = 6", 0, 1),
        ("-32", "-32 = 12", 0, 0),
        ("12", "3 * 4 = 12 or 13", 0, 2 / 3),
        ("12", "12, 13, 14", 0, 1 / 2),
        ("12", "13, since 3 * 4 = 12", 1, 0),
        ("1204", "1,204", 0, 1),
        ("12", "12.05", 0, 0),
        ("12", "-12", 0, 0),
        ("-12", "12", 0, 0),
        ("12", "112", 0, 0),
        ("12", "12.5", 0, 0),
        ("12", "twelve", 0, 0),
        ("12", "7", 0, 0),
        ("12", "", 0, 0),
        ("12", "so " * 20 + "12", 1, 0),
        ("12", "9" * 5000, 0, 0),
    ],
)
def test_scores_of_a_number(answer: str, text: str, official: float, strict: float) -> None:
    assert code(ask="value").score(ask(answer), text) == Score(official, pytest.approx(strict))


@given(
    st.lists(
        st.sampled_from(["12", "-12", " ", "\n", ".", "`", "'", '"', ":", "**", "12.0", "is", "1_2", "٣", "", ","]), max_size=8
    )
)
def test_official_of_a_number_is_that_of_code_run(parts: list[str]) -> None:
    text = "".join(parts)
    words = text.translate({ord(mark): " " for mark in "\n.`'\":"}).split()
    last = words[-1] if words else ""
    whole = re.fullmatch(r"[+-]?\d+(_\d+)*", last)
    assert code(ask="value").score(ask("12"), text).official == bool(whole and int(last) == 12)


@given(st.lists(st.sampled_from([GOLD, OTHER, GOLD.upper(), "_", "x", "2", " ", "\n", ".", "()", "*", "é"]), max_size=6))
def test_official_of_a_name_is_whether_it_is_a_word_of_the_output(parts: list[str]) -> None:
    text = "".join(parts)
    assert code().score(ask(GOLD), text).official == (GOLD in re.split(r"\W+", text.lower()))


PROMPT = """Files:
# file: docks/old_order.py
from mills.new_order import sort_red_kettle
def pull_big_wagon(x):
    y = x - 3
    return sort_red_kettle(y)
# file: labs/old_kettle.py
def count_bad_seeds(values):
    return sum(1 for v in values if v > 12)
def count_good_seeds(numbers):
    return sum(1 for v in numbers if v > 13)
# file: mills/new_order.py
from mills.last_order import fold_blue_paper
def sort_red_kettle(x):
    return fold_blue_paper(x) * 2
# file: mills/last_order.py
def fold_blue_paper(x):
    y = x + 5
    return y


"""


@pytest.mark.parametrize(
    ("kind", "question", "answer"),
    [
        ("behaviour", "Which function {} greater than 13? Answer with the name of the function only.", "count_good_seeds"),
        ("behaviour", "Which function {} greater than 12? Answer with the name of the function only.", "count_bad_seeds"),
        ("behaviour", "Which function {} greater than 14? Answer with the name of the function only.", ""),
        ("behaviour", "Which function makes tea? Answer with the name of the function only.", ""),
        ("behaviour", "Which?", ""),
        ("chain", "The function pull_big_wagon calls another one, and so on.", "fold_blue_paper"),
        ("chain", "The function sort_red_kettle calls another one, and so on.", "fold_blue_paper"),
        ("chain", "The function tell_old_story calls another one, and so on.", ""),
        ("value", "What does pull_big_wagon(10) return?", "24"),
        ("value", "What does pull_big_wagon(1) return?", "6"),
        ("value", "What does fold_blue_paper(3) return?", "8"),
        ("value", "What does count_bad_seeds(3) return?", ""),
        ("value", "What does tell_old_story(3) return?", ""),
    ],
)
def test_the_solver_reads(kind: str, question: str, answer: str) -> None:
    asked = question.format("returns how many numbers in a list are")
    assert code(ask=kind).solve(PROMPT + asked + "<|end|>\n<|assistant|>\n") == answer
    assert code(ask=kind).solve(f"{PROMPT}The function a_b_c calls another one. What does a_b_c(1) return? {asked}") == answer


@pytest.mark.parametrize("kind", ["behaviour", "chain", "value"])
def test_the_solver_says_nothing_about_what_it_does_not_see(kind: str) -> None:
    task = code(ask=kind)
    (question,) = task.draft(0.5, 0, 0).questions
    assert task.solve(question.text) == task.solve("") == task.solve(PROMPT) == ""
    cut = PROMPT[: PROMPT.index("# file: mills/last")]
    asked = "The function pull_big_wagon calls another one. What does pull_big_wagon(10) return?"
    assert task.solve(f"{cut}\n{asked}") == ""


def test_the_reserved_tokens_hold_every_answer(bpe: Any, metaspace: Any) -> None:
    for kind in ("behaviour", "chain", "value"):
        for index in range(20):
            (question,) = code(ask=kind).draft(0.5, index, 0).questions
            for tokenizer in (bpe, metaspace):
                assert len(tokenizer.piece(f" {question.answers[0]}.")) <= question.max_new_tokens


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"ask": "tea"}, "ask='tea'"),
        ({"calls": 0}, "calls=0"),
        ({"calls": 33, "ask": "chain"}, "calls=33"),
        ({"calls": 4}, "calls=4 means nothing for ask=behaviour; use ask=chain or ask=value"),
        ({"questions": 9}, "questions=9"),
        ({"questions": 2, "ask": "chain"}, "questions=2 is for ask=behaviour; ask=chain plants one chain with one question"),
        ({"question": 2}, "unknown parameter of code 'question'"),
    ],
    ids=lambda value: name_of(value) if isinstance(value, dict) else "",
)
def test_parameters_that_make_no_sense_are_refused(params: Params, says: str) -> None:
    with pytest.raises(UsageError) as error:
        code(**params)
    assert says in str(error.value)


def test_the_floors_tell_chance() -> None:
    assert "an invented name scores 0" in code().floors
    assert "about 0.04, 0.01 and 0.002 (1 / functions), one with the right number 0.5, 0.2 and 0.04" in code().floors
    assert "one that calls no other 0.4, 0.1 and 0.03" in code(ask="chain").floors
    assert "0.0027" in code(ask="value").floors
