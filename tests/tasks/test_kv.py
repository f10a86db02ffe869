from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval.errors import CorpusError, UsageError
from lceval.keys import generator
from lceval.tasks import haystacks, needles
from lceval.tasks.kv import Kv, Pairs
from lceval.types import Prompt, Question

Compose = Callable[..., Prompt]
Params = dict[str, Any]

KEY, GOLD, OTHER = (str(uuid.UUID(int=int.from_bytes(name * 4), version=4)) for name in (b"key.", b"gold", b"else"))
ASKED = f'What is the value of the key "{KEY}"? Answer with the value only.'
BUDGET = 120


def kv(**params: Any) -> Kv:
    return Kv.from_params(params)


def ask(gold: str = GOLD, text: str = ASKED) -> Question:
    return Question(text=text, answers=(gold,), answer_prefix="", max_new_tokens=BUDGET)


SWEEP: list[Params] = [
    {},
    {"questions": 4},
    {"query_aware": True},
    {"questions": 3, "query_aware": True},
    *({"key_type": keys, "value_type": values} for keys in ("words", "uuids") for values in ("words", "uuids")),
    {"answer_prefix": False},
    {"questions": 16, "key_type": "words", "value_type": "words"},
]
sweep = pytest.mark.parametrize("params", SWEEP, ids=str)


@pytest.mark.parametrize(
    ("output", "official", "strict"),
    [
        (GOLD, 1, 1),
        (f'"{GOLD}",\n', 1, 1),
        (GOLD.upper(), 1, 1),
        (f"**{GOLD}**", 1, 1),
        (f"_{GOLD}_", 1, 1),
        (f"`{GOLD}`", 1, 1),
        (f'{{"{KEY}": "{GOLD}"}}', 1, 1),
        (f"The value of {KEY} is {GOLD}.", 1, 1),
        (f"It is {GOLD}, that is: {GOLD}.", 1, 1),
        (f"Either {GOLD} or {OTHER}", 1, pytest.approx(2 / 3)),
        (f"{GOLD} {OTHER} {OTHER[::-1]}", 1, pytest.approx(1 / 2)),
        (OTHER, 0, 0),
        (KEY, 0, 0),
        (GOLD[:-1], 0, 0),
        (GOLD.replace("-", " "), 0, 0),
        ("", 0, 0),
        ("I cannot find that key.", 0, 0),
        ("so " * (BUDGET - 1) + GOLD, 1, 1),
        ("so " * BUDGET + GOLD, 1, 0),
    ],
)
def test_scores(output: str, official: float, strict: float) -> None:
    score = kv().score(ask(), output)
    assert (score.official, score.strict) == (official, strict)


def test_words_as_values_are_told_from_other_words() -> None:
    gold, wrong = needles.take("words", 2, generator("test"))
    question, task = ask(gold), kv(value_type="words")
    for output, strict in [(gold, 1), (f"A well-known {gold.upper()}!", 1), (f"{gold}, {wrong}", 2 / 3), (wrong, 0)]:
        assert task.score(question, output).strict == pytest.approx(strict)


def test_a_wrong_value_shows_in_the_details() -> None:
    outputs = {"": 0.0, GOLD: 0.0, KEY: 0.0, OTHER: 1.0, f"{GOLD} {OTHER}": 1.0}
    assert {output: kv().score(ask(), output).details["wrong_value"] for output in outputs} == outputs


PIECES = [GOLD, GOLD.upper(), GOLD[:20], GOLD[20:], OTHER, KEY, " ", "\n", '"', "value", "İ", "\x00"]


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join)))
def test_the_official_score_is_lost_in_the_middles(output: str) -> None:
    found = len(output.lower().split(GOLD.lower())) > 1
    score = kv().score(ask(), output)
    assert score.official == float(found)
    assert 0 <= score.strict <= score.official


def prompts(compose: Compose, tokenizer: Any, task: Kv, length: int = 4096) -> list[Prompt]:
    cells = [(0.0, 0), (0.4, 1), (1.0, 2)]
    return [compose(tokenizer, task, length, depth, i, question=i % task.params.questions) for depth, i in cells]


@sweep
def test_a_perfect_reader_scores_1(params: Params, compose: Compose, tokenizer: Any) -> None:
    task = kv(**params)
    for prompt in prompts(compose, tokenizer, task):
        score = task.score(prompt.question, task.solve(tokenizer.decode(prompt.ids, special=True)))
        assert (score.official, score.strict) == (1, 1)


@sweep
def test_the_context_is_valid_json_and_the_gold_pair_is_in_it_once(params: Params, compose: Compose, tokenizer: Any) -> None:
    task = kv(**params)
    for prompt in prompts(compose, tokenizer, task):
        text = tokenizer.decode(prompt.ids)
        block = text[text.index("{\n") : text.index("\n}\n\n") + 2]
        pairs = json.loads(block, object_pairs_hook=list)
        table = dict(pairs)
        key = re.search(r'key "(.+?)"\?', prompt.question.text)
        assert key is not None
        assert (table[key[1]],) == prompt.question.answers
        assert all(map(all, pairs))
        assert len(pairs) == len(table) == len(set(table.values())) == block.count("\n") - 1
        assert len(pairs) > 20


@sweep
def test_the_prompt_is_full(params: Params, compose: Compose, tokenizer: Any) -> None:
    for prompt in prompts(compose, tokenizer, kv(**params)):
        assert 0.98 * 4096 <= len(prompt.ids) + prompt.reserved <= 4096


def test_the_gold_pair_stands_at_the_depth(compose: Compose, bpe: Any) -> None:
    for depth in (0.2, 0.5, 0.8):
        assert compose(bpe, kv(), 4096, depth).needle_depths == pytest.approx([depth], abs=0.02)


def test_the_smallest_cell_holds_another_pair_too(compose: Compose, tokenizer: Any) -> None:
    text = tokenizer.decode(compose(tokenizer, kv(), 512, 0.5).ids)
    assert text.count('": "') >= 2


def test_several_questions_have_pairs_side_by_side(compose: Compose, bpe: Any) -> None:
    task = kv(questions=3)
    draft = task.draft(0.5, 0, 0)
    assert [question.support for question in draft.questions] == [(0,), (1,), (2,)]
    assert kv().draft(0.5, 0, 0).questions[0].support == ()
    for question, needle in zip(draft.questions, draft.needles, strict=True):
        assert question.answers[0] in needle.text
    spans = compose(bpe, task, 4096, 0.5).needle_tokens
    assert [stop for _, stop in spans[:-1]] == [start for start, _ in spans[1:]]


def test_keys_are_named_before_the_data_only_when_that_is_wanted() -> None:
    plain, aware = (kv(query_aware=on, questions=2).draft(0.5, 0, 0) for on in (False, True))
    assert plain.questions == aware.questions
    for needle in plain.needles:
        key = needle.text.split('"')[1]
        assert key in aware.instruction
        assert key not in plain.instruction


@sweep
def test_only_the_depth_of_the_pairs_depends_on_the_cell(params: Params) -> None:
    task = kv(**params)
    one, other = (task.draft(depth, 3, 5) for depth in (0.0, 0.7))
    assert one.questions == other.questions
    assert (one.instruction, one.haystack, one.start) == (other.instruction, other.haystack, other.start)
    assert [needle.text for needle in one.needles] == [needle.text for needle in other.needles]
    texts = {kv(**params).draft(0.5, index, seed).needles[0].text for index in range(3) for seed in range(3)}
    assert len(texts) == 9


@sweep
def test_keys_and_values_of_a_sample_are_all_different(params: Params) -> None:
    for index in range(20):
        draft = kv(**params).draft(0.5, index, 0)
        lines = [*(needle.text for needle in draft.needles), draft.closing]
        named = [text for line in lines for text in line.split('"')[1:4:2]]
        assert len(set(named)) == len(named) == 2 * len(draft.questions) + 2
        assert re.fullmatch(r'"[a-z0-9-]{4,}": "[a-z0-9-]{4,}"\n\}', draft.closing)


def test_the_closing_pair_is_another_one_in_every_sample() -> None:
    assert len({kv().draft(0.5, index, seed).closing for index in range(20) for seed in range(3)}) == 60


@pytest.mark.parametrize("params", [{"answer_prefix": False}, {"thinking_budget": 64}, {}], ids=str)
@pytest.mark.parametrize("types", [("uuids", "uuids"), ("words", "uuids"), ("uuids", "words"), ("words", "words")], ids=str)
def test_the_budget_holds_a_full_sentence(params: Params, types: tuple[str, str], tokenizer: Any) -> None:
    tokens = {"uuids": 48, "words": 12}
    task = kv(key_type=types[0], value_type=types[1], **params)
    for index in range(50):
        (question,) = task.draft(0.5, index, 0).questions
        assert question.max_new_tokens == 24 + tokens[types[0]] + tokens[types[1]]
        key, value = (re.findall(r'"(.+?)"', question.text)[0], question.answers[0])
        said = f'The value of "{key}" is "{value}".'
        assert len(tokenizer.piece(said)) <= question.max_new_tokens
        assert task.score(question, said).strict == 1


@pytest.mark.parametrize("params", [{}, {"answer_prefix": False}, {"thinking_budget": 64}], ids=str)
def test_the_smallest_cell_holds_full_sentences_too(params: Params, compose: Compose, tokenizer: Any) -> None:
    for index in range(5):
        prompt = compose(tokenizer, kv(**params), 512, 0.5, index)
        assert kv().solve(tokenizer.decode(prompt.ids)) == prompt.question.answers[0]


SMALL = f"""Find it.

JSON:
{{
"{OTHER}": "no",
"{KEY}": "{GOLD}",
"": ""
}}

{ASKED}
Answer: The value of "{KEY}" is"""


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (SMALL, GOLD),
        (SMALL[SMALL.index(KEY) - 1 :], GOLD),
        (SMALL[SMALL.index(KEY) :], ""),
        (SMALL[SMALL.index(GOLD) :], ""),
        (SMALL.replace(f'"{KEY}": "{GOLD}",\n', ""), ""),
        (SMALL.replace(ASKED, ""), ""),
        (SMALL.replace(ASKED, f'What is the value of the key "{OTHER}"? {ASKED}'), GOLD),
        ("", ""),
    ],
    ids=["whole", "from the pair on", "the key cut", "the pair cut", "no pair", "no question", "the last question", "empty"],
)
def test_the_solver_reads_what_is_there(text: str, answer: str) -> None:
    assert kv().solve(text) == answer


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"questions": 0}, "greater than or equal to 1"),
        ({"questions": 17}, "less than or equal to 16"),
        ({"key_type": "numbers"}, "'uuids' or 'words'"),
        ({"value_type": "names"}, "'uuids' or 'words'"),
        ({"pairs": 75}, "pairs"),
    ],
    ids=str,
)
def test_parameters_that_make_no_sense_are_refused(params: Params, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        kv(**params)


@sweep
def test_a_guess_is_never_right(params: Params) -> None:
    task = kv(**params)
    assert task.chance == 0
    for index in range(50):
        question = task.draft(0.5, index, 0).questions[0]
        guesses = [task.guess("", generator("guess", index, i)) for i in range(10)]
        assert all(needles.named(guess, task.params.value_type) == {guess} for guess in guesses)
        assert np.mean([task.score(question, guess).strict for guess in guesses]) == task.chance


streams = pytest.mark.parametrize("name", ["kv:uuids:uuids:0", "kv:words:words:1", "kv:words:uuids:0", "kv:uuids:words:0"])


@streams
def test_the_stream_is_made_of_distinct_pairs_that_no_sample_has(name: str) -> None:
    _, key_type, value_type, seed = name.split(":")
    items = [item for block in islice(haystacks.source(name).blocks(), 5) for item in block]
    pairs = [re.fullmatch(r'"([a-z0-9-]+)": "([a-z0-9-]+)",\n', item) for item in items]
    keys, values = ({pair[group] for pair in pairs if pair} for group in (1, 2))
    assert len(keys) == len(values) == len(items) == 2000
    task = kv(key_type=key_type, value_type=value_type, questions=16)
    sampled = {
        text for i in range(30) for needle in task.draft(0.5, i, int(seed)).needles for text in needle.text.split('"')[1:4:2]
    }
    assert len(sampled) > 900
    assert sampled.isdisjoint(keys | values)


@streams
def test_the_stream_is_a_function_of_its_name(name: str) -> None:
    one, again, other = (haystacks.source(n) for n in (name, name, f"{name}7"))
    assert isinstance(one, Pairs)
    assert one.endless
    assert one.digest == again.digest != other.digest
    assert next(one.blocks()) == next(again.blocks()) != next(other.blocks())


def test_types_have_streams_of_their_own() -> None:
    digests = {Pairs(keys, values, 0).digest for keys in ("uuids", "words") for values in ("uuids", "words")}
    assert len(digests) == 4


def test_words_that_run_out_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(needles._SIZE, "words", 8000)
    with pytest.raises(CorpusError, match=r"used up every distinct words key .* key_type=uuids"):
        list(Pairs("words", "uuids", 0).blocks())
