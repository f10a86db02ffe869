from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import combinations, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval.errors import UsageError
from lceval.keys import generator
from lceval.tasks import passages
from lceval.tasks.coref import ORDINALS, Coref, Transcript

ALIKE = 0.12
"""What a wrong answer to the same request scores officially, on average; the same number as in `Coref.floors`."""


def task(**params):
    return Coref.from_params(params)


def rendered(draft, question=0, chatter=("User: Compose a riddle about old ovens.\nAssistant: None.",)):
    """A plain prompt of the needles and a little else."""
    q = draft.questions[question]
    lines = [chatter[0], *(needle.text for needle in draft.needles), *chatter]
    return "\n".join([draft.instruction, *lines, "", q.text, f"Answer: {q.answer_prefix}"])


def answer_of(needle):
    return needle.text.partition("Assistant: ")[2]


def openai_grade(response, answer, code):
    """The formula in other words, for replies and golds without white space at their ends."""
    if response[: len(code)] != code:
        return 0.0
    matcher = SequenceMatcher()
    matcher.set_seqs(response[len(code) :], answer[len(code) :] if answer.startswith(code) else answer)
    matched = sum(size for _, _, size in matcher.get_matching_blocks())
    total = len(response) + len(answer) - 2 * len(code)
    return 2 * matched / total if total else 1.0


# The score

DRAFT = task().draft(0.5, 0, 0)
QUESTION = DRAFT.questions[0]
CODE, _, GOLD = QUESTION.answers[0].partition(" ")
OTHER = next(answer_of(needle) for needle in DRAFT.needles if answer_of(needle) != GOLD)


@pytest.mark.parametrize(
    ("output", "official", "strict"),
    [
        (f" {GOLD}", (1, 1), 1),
        (GOLD, (1, 1), 1),
        (f"{CODE} {GOLD}", (1, 1), 1),
        (f"{CODE}\n{GOLD}", (0.99, 1), 1),
        (GOLD.upper(), (0, 0.7), 1),
        (f'"{GOLD}"', (0.98, 1), 1),
        (f"**{GOLD}**", (0.97, 1), 1),
        (f"{GOLD} Hope this helps!", (0.9, 1), 1),
        (f"Here is the {ORDINALS[QUESTION.support[0]]} one: {GOLD}", (0.85, 1), 1),
        (GOLD.replace(".", ";").replace(",", ""), (0.8, 1), 1),
        (" ".join(GOLD.split()[1:]), (0.9, 1), 1),
        (" ".join(GOLD.split()[: len(GOLD.split()) // 2]), (0.5, 0.8), 0),
        (f" {OTHER}", (0, 0.5), 0),
        (f"{GOLD} {OTHER}", (0.5, 0.8), 0),
        (f"{GOLD} {OTHER[: len(OTHER) // 2]}", (0.7, 0.85), 0),
        (f"{OTHER[len(OTHER) // 2 :]} {GOLD}", (0, 0.85), 0),
        (f"{OTHER} {GOLD}", (0, 0.8), 0),
        (" ".join(sorted(GOLD.split())), (0, 0.5), 0),
        ("", (0, 0), 0),
        (" \n", (0, 0), 0),
        (CODE, (0, 0), 0),
        ("I cannot tell.", (0, 0.2), 0),
        (rendered(DRAFT), (0, 0.6), 0),
    ],
)
def test_scores(output, official, strict):
    score = task().score(QUESTION, output)
    assert official[0] <= score.official <= official[1]
    assert score.strict == strict


def test_without_a_prefix_the_code_has_to_be_there():
    question = task(answer_prefix=False).draft(0.5, 0, 0).questions[0]
    assert question.answer_prefix == ""
    assert question.stop == ()
    assert question.answers == QUESTION.answers
    bare, coded, late = (
        task(answer_prefix=False).score(question, text) for text in (GOLD, f" {CODE} {GOLD}\n", f"Sure: {CODE} {GOLD}")
    )
    assert (bare.official, bare.strict, bare.details["mrcr_v2"], bare.details["right_passage"]) == (0, 0, 0, 1)
    assert (coded.official, coded.strict, coded.details["mrcr_v2"]) == (1, 1, 1)
    assert (late.official, late.strict, late.details["mrcr_v2"]) == (0, 1, 1)


def test_details_tell_finding_from_copying():
    half_right = " ".join(GOLD.split()[: round(len(GOLD.split()) * 0.82)])
    rambling = f"{GOLD} {'and so on ' * 8}"
    assert task().score(QUESTION, half_right).details["right_passage"] == 1
    assert task().score(QUESTION, rambling).details["right_passage"] == 1
    assert task().score(QUESTION, OTHER).details["right_passage"] == 0
    assert [task().score(QUESTION, text).strict for text in (half_right, rambling)] == [0, 0]


PIECES = st.lists(st.sampled_from([CODE, GOLD, OTHER, GOLD[:50], OTHER[9:], CODE[:4], " ", "\n", ".", "x"]) | st.text(max_size=20))


@given(PIECES.map("".join), st.booleans())
def test_official_is_the_formula(output, begun):
    question = task(answer_prefix=begun).draft(0.5, 0, 0).questions[0]
    reply = output.strip()
    if begun and not reply.startswith(CODE):
        reply = f"{CODE} {reply}".strip()
    score = task().score(question, output)
    assert score.official == pytest.approx(openai_grade(reply, question.answers[0], CODE))
    after = reply[reply.rfind(CODE) + len(CODE) :].strip() if CODE in reply else None
    assert score.details["mrcr_v2"] == pytest.approx(0.0 if after is None else openai_grade(after, GOLD, ""))


# The samples


@pytest.mark.parametrize(
    "params",
    [
        {"needles": 3},
        {"needles": 16},
        {"ask": 0},
        {"ask": 3},
        {"ask": "last"},
        {"questions": 3},
        {"questions": 2, "ask": 1},
        {"x": 1},
    ],
)
def test_refused(params):
    with pytest.raises(UsageError, match=r"use|raise|leave|no parameter|parameter of coref"):
        task(**params)


@pytest.mark.parametrize("needles", ["2", 4, 8])
@pytest.mark.parametrize("ask", ["random", 1, "2"])
@pytest.mark.parametrize("depth", [0.0, 0.3, 1.0])
def test_the_asked_answer_stands_at_the_depth(needles, ask, depth):
    for index in range(5):
        draft = task(needles=needles, ask=ask).draft(depth, index, 0)
        (question,) = draft.questions
        (asked,) = question.support
        depths = [needle.depth for needle in draft.needles]
        assert len(depths) == int(needles)
        assert depths == sorted(depths)
        assert all(0 <= d <= 1 for d in depths)
        assert depths[asked] == depth
        assert ask == "random" or asked == int(ask) - 1
        assert question.answers[0].partition(" ")[2] == answer_of(draft.needles[asked])
        assert f"the {ORDINALS[asked]} answer" in question.text


def test_the_same_texts_whatever_is_asked_and_wherever_it_stands():
    drafts = [task(needles=4, ask=ask).draft(depth, 3, 7) for ask in ("random", 1, 4) for depth in (0.0, 0.6)]
    drafts.append(task(needles=4, questions=4).draft(None, 3, 7))
    drafts.append(task(needles=4, answer_prefix=False).draft(0.1, 3, 7))
    assert len({tuple(needle.text for needle in draft.needles) for draft in drafts}) == 1
    assert len({draft.start for draft in drafts}) == 1
    assert drafts[0].questions == drafts[1].questions
    assert drafts[0].questions[0] == drafts[-2].questions[0]


def test_several_questions_ask_for_different_answers():
    several = task(needles=4, questions=4)
    assert not several.depth_is_free
    draft = several.draft(None, 0, 0)
    assert [needle.depth for needle in draft.needles] == [0.125, 0.375, 0.625, 0.875]
    assert sorted(question.support for question in draft.questions) == [(0,), (1,), (2,), (3,)]
    assert len({question.answers[0].split()[0] for question in draft.questions}) == 4
    for number, question in enumerate(draft.questions):
        assert several.score(question, several.solve(rendered(draft, number))).strict == 1


def test_all_ordinals_are_asked_equally_often():
    asked = [task(needles=4).draft(0.5, index, 0).questions[0].support[0] for index in range(400)]
    assert all(60 < asked.count(i) < 140 for i in range(4))


# The texts


@pytest.mark.parametrize("form", passages.FORMS)
def test_writings(form):
    draw = passages.draws(generator("test", form))
    for topic in ("old maps", "painted windmills", "imaginary chessboards"):
        texts = [passages.writing(form, topic, draw) for _ in range(20)]
        assert len(set(texts)) == 20
        for text in texts:
            assert passages.SHORTEST <= len(text) <= passages.LONGEST
            assert topic in text.lower()
            assert re.fullmatch(r"[A-Z][A-Za-z' .,;:!?/]+", text)
            assert not re.search(r"\b[Aa] ([aeiou]|hon|hour|heir)|\b[Aa]n (uni|use|eu|one)|  |\bTOPIC\b|User|Assistant", text)
            assert 25 <= len(re.findall(r"[A-Za-z']+", text)) <= 48


def test_tables_hold_what_their_sentences_take():
    tables = passages._TABLES
    for name in ("food", "weather", "mood"):  # said to be something, with singular verbs, and in bags
        assert [word for word in tables[name] if word.endswith("s") and not word.endswith("ss")] == []
    for name in ("food", "mood", "weather", "adj", "animal", "thing", "place"):
        assert len(set(tables[name])) == len(tables[name])
    assert not [word for name in tables for word in tables[name] if re.match(r"hon(est|our)|hour|heir|uni|eu|one\b", word)]


def test_floors_are_what_other_texts_score():
    chatter = [item for block in islice(Transcript(0).blocks(), 8) for item in block]
    others, dumps = [], []
    for index in range(40):
        draft = task().draft(0.5, index, 0)
        (question,) = draft.questions
        writing = chatter[index].partition("Assistant: ")[2].strip()
        for text in ("I do not know.", writing, " ".join(sorted(writing.split())), draft.instruction):
            others.append(task().score(question, text))
        for few, many in ((0, 1), (0, 8), (8, 200)):
            prompt = rendered(draft, chatter=("".join(chatter[few:many]),))
            dumps.append((len(prompt), task().score(question, prompt)))
    assert {score.strict for score in [*others, *(score for _, score in dumps)]} == {0}
    assert sum(score.official for score in others) / len(others) == pytest.approx(0.05, abs=0.03)
    assert max(score.official for size, score in dumps if size >= 1200) < 0.33
    assert max(score.official for size, score in dumps if size >= 4000) < 0.12
    assert min(size for size, _ in dumps) < 1500
    assert "about 0.05 on average; printing the context official up to 0.32 at 1,200 characters, below 0.12 from" in task().floors


def test_there_is_much_to_ask_for():
    sample, haystack = (passages.requests(pool) for pool in ("sample", "haystack"))
    assert len(passages.FORMS) >= 8
    assert all(len({topic for _, topic in every}) >= 120 for every in (sample, haystack))
    assert len(set(sample)) == len(sample)
    assert not set(passages.TOPICS["sample"]) & set(passages.TOPICS["haystack"])


def test_alike_texts_are_hardly_alike():
    """The noise floor: (1 / n) + (1 - 1 / n) * what a wrong but alike answer scores."""
    ratios, shares, alike = [], [], task(needles=8)
    for index in range(40):
        draft = alike.draft(0.5, index, 1)
        question = draft.questions[0]
        for i, needle in enumerate(draft.needles):
            if i not in question.support:
                score = alike.score(question, answer_of(needle))
                assert score.strict == score.details["right_passage"] == 0
                ratios.append(score.official)
        words = [re.findall(r"[a-z0-9]+", answer_of(needle).lower()) for needle in draft.needles]
        for a, b in islice(combinations(words, 2), 10):
            blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
            shares.append(sum(block.size for block in blocks) / len(b))
    mean = sum(ratios) / len(ratios)
    assert mean == pytest.approx(ALIKE, abs=0.02)
    assert max(shares) < 0.75
    published = {2: 0.51, 4: 0.27, 8: 0.15}  # MRCR v2's, for the same guess among its longer texts
    for n, floor in published.items():
        assert abs(1 / n + (1 - 1 / n) * mean - floor) < 0.1
        assert f"official {1 / n + (1 - 1 / n) * ALIKE:.2f} " in task(needles=n).floors


@pytest.mark.parametrize("needles", [2, 4, 8])
def test_chance(needles):
    guessing, rng, right, official = task(needles=needles), generator("test", "guess"), 0.0, 0.0
    drafts = [guessing.draft(0.5, index, 2) for index in range(60)]
    n = 480
    for i in range(n):
        draft = drafts[i % len(drafts)]
        score = guessing.score(draft.questions[0], guessing.guess(rendered(draft), rng))
        right += score.strict
        official += score.official
    sigma = (guessing.chance * (1 - guessing.chance) / n) ** 0.5
    assert abs(right / n - guessing.chance) < 4 * sigma
    assert abs(official / n - (guessing.chance + (1 - guessing.chance) * ALIKE)) < 4 * sigma + 0.02


# The reader


@pytest.mark.parametrize("needles", [2, 4, 8])
@pytest.mark.parametrize("prefix", [True, False])
def test_the_solver_counts(needles, prefix):
    solving = task(needles=needles, answer_prefix=prefix)
    for index in range(10):
        draft = solving.draft(0.5, index, 3)
        score = solving.score(draft.questions[0], solving.solve(rendered(draft)))
        assert (score.official, score.strict) == (1, 1)


def test_the_solver_on_small_texts():
    question = (
        'The user asked more than once: "Compose a toast about tall harps." Reply with the code Q7 and then, word for word, the'
    )
    chat = (
        "Assistant: a cut one\nUser: Compose a toast about tall harps.\nAssistant: One. Two!\n"
        "User: Compose a toast about tall harps or so.\nAssistant: Three.\n"
        "User: Compose a toast about tall harps.\nAssistant: Four / five\nUser: Compose a toast about tall harps."
    )
    assert task().solve(f"{chat}\n\n{question} second answer.<|end|>\n<|assistant|>\nQ7") == "Q7 Four / five"
    assert task().solve(f"{chat}\n\n{question} first answer.") == "Q7 One. Two!"
    assert task().solve(f"{chat}\n\n{question} third answer.") == ""
    assert task().solve(chat) == ""
    assert task().solve("") == ""
    assert task().guess(question, generator("x")) == ""
    two = f"{chat}\n\n{question} first answer.\n{question} second answer."
    assert task().solve(two) == "Q7 Four / five"


def test_default_samples_are_small():
    """512 tokens have to do, at 2.3 characters a token."""
    for index in range(50):
        draft = task().draft(0.5, index, 4)
        question = draft.questions[0]
        assert question.max_new_tokens >= len(question.answers[0]) / 2.2
        assert len(rendered(draft, chatter=("",))) / 2.3 + question.max_new_tokens <= 460


@pytest.mark.parametrize("depth", [0.0, 0.5, 1.0])
def test_prompts(compose, tokenizer, depth):
    for length, params in ((512, {}), (4096, {"needles": 8}), (4096, {"needles": 4, "questions": 2})):
        made = task(**params)
        prompt = compose(tokenizer, made, length, depth if made.depth_is_free else None, question=made.params.questions - 1)
        score = made.score(prompt.question, made.solve(tokenizer.decode(prompt.ids, special=True)))
        assert (score.official, score.strict) == (1, 1)
        assert length < 4096 or len(prompt.ids) + prompt.reserved >= 0.98 * length


# The stream


def test_the_stream_never_says_what_samples_are_about():
    items = [item for block in islice(Transcript.of("5").blocks(), 8) for item in block]
    for item in items:
        assert re.fullmatch(r"User: Compose an? [a-z ]+\.\nAssistant: \S[^\n]+\n", item)
        assert 130 < len(item) < 300
    assert len({len(item) for item in items}) > 100
    requests = [item.partition("\n")[0] for item in items]
    assert len(set(requests)) == len(requests)
    said = set(re.findall(r"[a-z]+", " ".join(items).lower()))
    assert not said & set(passages.TOPICS["sample"])
    assert Transcript(5).digest != Transcript(6).digest


def test_the_stream_is_the_same_again():
    first, again, other = (next(Transcript(seed).blocks()) for seed in (5, 5, 6))
    assert first == again
    assert first != other
    assert sum(map(len, first)) >= 1 << 15


def test_the_solver_is_fast():
    import time

    draft = task(needles=8).draft(0.5, 0, 0)
    long = "".join(item for block in islice(Transcript(0).blocks(), 16) for item in block) + rendered(draft)
    begin = time.process_time()
    solved = task(needles=8).solve(long)
    assert time.process_time() - begin < 1
    assert solved == draft.questions[0].answers[0]
