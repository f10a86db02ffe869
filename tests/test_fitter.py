"""Prompts of the exact length, with needles where they were aimed, made of the tokens that the tokenizer would give."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lceval.corpus import Corpus
from lceval.errors import CannotFit
from lceval.fitter import Fitter, prompt_sha256
from lceval.tasks import haystacks
from lceval.tokens import Tokenizer
from lceval.tree import shared_prefix
from lceval.types import Cell, Draft, Needle, Prompt, Question, Sample, TokenIds

INSTRUCTION = "Read the text.\n\nText:"
QUESTION = Question("Which number is it? Answer with the number only.", ("1",), "The number is", 16)
NEEDLES = [
    f"The vault number for {name} is {number}." for name, number in [("Ada", 4739021), ("Bea", 11), ("Cy", 70707), ("Di", 8)]
]
HAYSTACKS = ["prose:3", "noise", "needles:numbers:uuids:one:3", "pydocs", "path"]
ASCII = [name for name in HAYSTACKS if name != "pydocs"]
SEAM = 12
"""Characters around a seam where the tokenizer may have cut the whole text in another way."""


@dataclass(frozen=True)
class Bench:
    """A fitter with small corpora, and ways to look at what it makes."""

    tokenizer: Tokenizer
    corpus: Callable[[str], Corpus]

    def fit(
        self, length: int, depths: list[float], haystack: str = "prose:3", start: float = 0.3, question: Question = QUESTION
    ) -> Prompt:
        needles = tuple(Needle(text, depth) for text, depth in zip(NEEDLES, depths, strict=False))
        draft = Draft(INSTRUCTION, (question,), haystack, start, needles)
        sample = Sample("task", {}, 0, 0, 0, Cell(length, depths[0] if depths else None), "pair", "key")
        return Fitter(self.tokenizer, self.corpus).fit(draft, 0, sample)

    def text(self, ids: TokenIds) -> str:
        return self.tokenizer.decode(ids, special=True)

    def haystack_span(self, prompt: Prompt, haystack: str) -> tuple[int, int]:
        """Tokens [start, stop) between instruction and question, needles included."""
        head = self.tokenizer.frame.before + INSTRUCTION + ("\n" if self.corpus(haystack).joint == "\n" else "")
        prefix = QUESTION.answer_prefix if self.tokenizer.frame.chat else f" {QUESTION.answer_prefix}"
        tail = f"\n\n{QUESTION.text}{self.tokenizer.frame.after}{prefix}"
        return len(self.tokenizer.head(head)), len(prompt.ids) - len(self.tokenizer.piece(tail))

    def places(self, haystack: str, start: float, room: int) -> list[int]:
        """Every place for a needle, in tokens of the haystack."""
        corpus = self.corpus(haystack)
        begin, size = corpus.begin(start), len(corpus.ids)
        starts = np.asarray(corpus.starts)
        laps = range((begin + room) // size + 1)
        return [int(p) for lap in laps for p in starts[(starts + lap * size >= begin)] + lap * size - begin if p <= room]


@pytest.fixture(scope="session")
def own_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two short texts: prompts go round them several times."""
    file = tmp_path_factory.mktemp("own") / "tale.txt"
    said = "The dog barked again.\nA cart went by, and then another one! Was it late? It was number 7 of 12 that day. "
    file.write_text("\n\n".join(said.strip().replace("dog", animal) for animal in ("dog", "cat", "fox", "hen", "owl")))
    file.with_name("chinese.txt").write_text(
        "磨坊主去了镇上。他不知道为什么😀。 铃响了 🎉 两次! 谁知道? 没有人。\n钟又响了。\n" * 20, encoding="utf-8"
    )
    return file.parent


@pytest.fixture(scope="session")
def bench(make_bpe: Any, make_metaspace: Any, chat_template: str, corpus_of: Any, own_text: Path) -> Callable[[str, bool], Bench]:
    files = {"path": f"path:{own_text}/tale.txt", "chinese": f"path:{own_text}/chinese.txt"}

    def bench(kind: str, chat: bool = False) -> Bench:
        tokenizer = {"bpe": make_bpe, "metaspace": make_metaspace}[kind](chat_template=chat_template if chat else None)
        return Bench(tokenizer, lambda name: corpus_of(tokenizer, files.get(name, name)))

    return bench


BenchOf = Callable[..., Bench]
kinds = st.sampled_from(["bpe", "metaspace"])
starts = st.floats(0, 1, exclude_max=True, width=32)
lengths = st.integers(350, 5000)
depths = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1, width=32))
several_depths = st.lists(depths, min_size=1, max_size=4)
examples = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@examples
@given(kinds, st.booleans(), st.sampled_from(ASCII), lengths, starts, st.lists(depths, max_size=4))
def test_a_prompt_and_its_answer_have_exactly_the_length_asked_for(
    bench: BenchOf, kind: str, chat: bool, haystack: str, length: int, start: float, depths: list[float]
) -> None:
    prompt = bench(kind, chat).fit(length, depths, haystack, start)
    assert len(prompt.ids) + prompt.reserved == length
    assert prompt.ids.dtype == np.uint32


@examples
@given(kinds, st.sampled_from(["pydocs", "chinese"]), lengths, starts, several_depths)
def test_other_texts_come_within_one_character_below(
    bench: BenchOf, kind: str, haystack: str, length: int, start: float, depths: list[float]
) -> None:
    on = bench(kind)
    prompt = on.fit(length, depths, haystack, start)
    assert length - 4 < len(prompt.ids) + prompt.reserved <= length
    assert "\ufffd" not in on.text(prompt.ids)


@examples
@given(kinds, st.booleans(), st.sampled_from(HAYSTACKS), lengths, starts, several_depths)
def test_needles_stand_whole_and_once_where_the_spans_say(
    bench: BenchOf, kind: str, chat: bool, haystack: str, length: int, start: float, depths: list[float]
) -> None:
    on = bench(kind, chat)
    prompt = on.fit(length, depths, haystack, start)
    text = on.text(prompt.ids)
    for (begin, end), needle in zip(prompt.needle_tokens, NEEDLES, strict=False):
        assert on.tokenizer.decode(prompt.ids[begin:end]).strip() == needle
        assert text.count(needle) == 1
        assert re.search(rf"(^|\s){re.escape(needle)}(\s|$)", text)
    assert len(prompt.needle_tokens) == len(depths)


@examples
@given(kinds, st.booleans(), st.sampled_from(HAYSTACKS), lengths, starts, depths)
def test_a_needle_stands_at_the_sentence_start_nearest_to_its_aim(
    bench: BenchOf, kind: str, chat: bool, haystack: str, length: int, start: float, depth: float
) -> None:
    on = bench(kind, chat)
    prompt = on.fit(length, [depth], haystack, start)
    (begin, end), (head, tail) = prompt.needle_tokens[0], on.haystack_span(prompt, haystack)
    aim = min(max(depth * length, head), tail - (end - begin))
    off = min(abs(head + place - aim) for place in on.places(haystack, start, tail - head - (end - begin)))
    assert abs(begin - aim) <= off + 1  # one token of rounding
    assert prompt.needle_depths == (pytest.approx(begin / length, abs=1e-4),)


@examples
@given(kinds, st.sampled_from(HAYSTACKS), lengths, starts, several_depths)
def test_each_of_several_needles_stands_within_a_sentence_of_its_aim(
    bench: BenchOf, kind: str, haystack: str, length: int, start: float, depths: list[float]
) -> None:
    on = bench(kind)
    prompt = on.fit(length, depths, haystack, start)
    head, tail = on.haystack_span(prompt, haystack)
    planted = sum(end - begin for begin, end in prompt.needle_tokens)
    room = tail - head - planted
    places = [*on.places(haystack, start, room), room]
    sentence = max(np.diff(places), default=0)
    for (begin, _), depth in zip(prompt.needle_tokens, depths, strict=True):
        aim = min(max(depth * length, head), tail)
        assert abs(begin - aim) <= sentence + planted + 1


@examples
@given(kinds, lengths, starts, several_depths)
def test_needles_stand_in_the_order_of_their_depths(
    bench: BenchOf, kind: str, length: int, start: float, depths: list[float]
) -> None:
    spans = bench(kind).fit(length, depths, start=start).needle_tokens
    by_depth = [spans[i] for i in sorted(range(len(depths)), key=lambda i: depths[i])]
    assert all(a[1] <= b[0] for a, b in pairwise(by_depth))


@examples
@given(kinds, st.booleans(), st.sampled_from(HAYSTACKS), lengths, starts)
def test_depth_0_is_before_the_first_sentence_and_1_after_the_last(
    bench: BenchOf, kind: str, chat: bool, haystack: str, length: int, start: float
) -> None:
    on = bench(kind, chat)
    first, last = on.fit(length, [0.0], haystack, start), on.fit(length, [1.0], haystack, start)
    assert first.needle_tokens[0][0] == on.haystack_span(first, haystack)[0]
    after = on.tokenizer.decode(last.ids[last.needle_tokens[0][1] : on.haystack_span(last, haystack)[1]])
    if on.corpus(haystack).joint == " ":
        assert not re.search(r"\w[.!?] [A-Z]", after)  # no place for a needle that is further down
    else:
        assert not re.search(r"\n\S", after)


@examples
@given(kinds, st.booleans(), st.sampled_from(HAYSTACKS), st.integers(600, 3000), starts, st.floats(0, 0.6))
def test_half_the_depth_of_twice_the_length_is_the_same_place(
    bench: BenchOf, kind: str, chat: bool, haystack: str, length: int, start: float, depth: float
) -> None:
    on = bench(kind, chat)
    short, long = on.fit(length, [depth], haystack, start), on.fit(2 * length, [depth / 2], haystack, start)
    room = on.haystack_span(short, haystack)
    assume(depth * length < room[1] - 150)  # not so deep that the end of the shorter haystack decides
    assert long.needle_tokens == short.needle_tokens
    assert shared_prefix(long.ids, short.ids) >= room[1]


@examples
@given(kinds, st.sampled_from(HAYSTACKS), lengths, st.integers(0, 3000), starts)
def test_a_shorter_haystack_is_a_prefix_of_a_longer_one(
    bench: BenchOf, kind: str, haystack: str, length: int, more: int, start: float
) -> None:
    on = bench(kind)
    short, long = on.fit(length, [], haystack, start), on.fit(length + more, [], haystack, start)
    assert shared_prefix(short.ids, long.ids) >= on.haystack_span(short, haystack)[1]


@examples
@given(kinds, st.sampled_from(HAYSTACKS), lengths, starts, several_depths)
def test_without_its_needles_the_haystack_is_the_corpus(
    bench: BenchOf, kind: str, haystack: str, length: int, start: float, depths: list[float]
) -> None:
    on = bench(kind)
    prompt = on.fit(length, depths, haystack, start)
    head, tail = on.haystack_span(prompt, haystack)
    inside = np.ones(len(prompt.ids), dtype=bool)
    inside[:head] = inside[tail:] = False
    for begin, end in prompt.needle_tokens:
        inside[begin:end] = False
    corpus = on.corpus(haystack)
    begin = corpus.begin(start)
    expected = np.asarray(corpus.ids)[(begin + np.arange(inside.sum())) % len(corpus.ids)]
    assert np.array_equal(prompt.ids[inside], expected)


def test_a_prompt_reads_as_instruction_text_question(bench: BenchOf) -> None:
    on = bench("bpe", True)
    text = on.text(on.fit(600, [0.5]).ids)
    assert text.startswith(f"<|user|>\n{INSTRUCTION} ")
    assert text.endswith(f"\n\n{QUESTION.text}<|end|>\n<|assistant|>\n{QUESTION.answer_prefix}")
    plain = bench("metaspace").text(bench("metaspace").fit(600, [0.5]).ids)
    assert plain.startswith("<s>")
    assert plain.endswith(f"\n\n{QUESTION.text}\nAnswer: {QUESTION.answer_prefix}")


def char_ends(tokenizer: Tokenizer, ids: TokenIds) -> list[int]:
    """Characters before the end of each token, for ASCII texts: every token stands for whole characters."""
    tokens = tokenizer.hf.convert_ids_to_tokens(ids.tolist())
    return list(accumulate(1 if re.fullmatch(r"<0x..>", token) else len(token) for token in tokens))


@examples
@given(kinds, st.sampled_from(ASCII), lengths, starts, several_depths)
def test_composition_is_tokenization_but_for_the_seams(
    bench: BenchOf, kind: str, haystack: str, length: int, start: float, depths: list[float]
) -> None:
    on = bench(kind)
    prompt = on.fit(length, depths, haystack, start)
    composed = prompt.ids[1:] if kind == "metaspace" else prompt.ids  # BOS
    text = on.tokenizer.decode(composed)
    again = np.asarray(on.tokenizer.hf(text, add_special_tokens=False)["input_ids"])
    ends, others = char_ends(on.tokenizer, composed), char_ends(on.tokenizer, again)
    assert ends[-1] == others[-1]
    skipped = len(prompt.ids) - len(composed)
    seams = {ends[i - skipped - 1] for span in (*prompt.needle_tokens, on.haystack_span(prompt, haystack)) for i in span}
    seams |= block_seams(on, prompt, haystack, start, [0, *ends], skipped)
    far = [c for c in set(ends) ^ set(others) if min(abs(c - seam) for seam in seams) > SEAM]
    assert not far, [(text[c - 20 : c], text[c : c + 20]) for c in sorted(far)[:3]]


@cache
def block_starts(tokenizer: Tokenizer, haystack: str) -> list[int]:
    """Tokens at which the blocks of a haystack begin, as far as prompts of these tests reach."""
    blocks = islice(haystacks.source(haystack).blocks(), 8)
    return list(accumulate(len(tokenizer.encode_lines([block])[0].ids) for block in blocks))


def block_seams(on: Bench, prompt: Prompt, haystack: str, start: float, before: list[int], skipped: int) -> set[int]:
    """Where the blocks meet that a haystack is tokenized in; for a file, where it starts over. In characters of the prompt."""
    corpus, meets = on.corpus(haystack), [0] if haystack == "path" else block_starts(on.tokenizer, haystack)
    places, position = set(), corpus.begin(start)
    head, tail = on.haystack_span(prompt, haystack)
    needle = {i for begin, end in prompt.needle_tokens for i in range(begin, end)}
    for i in range(head, tail):
        if i not in needle:
            if position % len(corpus.ids) in meets:
                places.add(before[i - skipped])
            position += 1
    return places


@examples
@given(st.sampled_from(["prose:3", "needles:numbers:uuids:one:3"]), st.integers(350, 1500), st.floats(0, 0.2), several_depths)
def test_bytes_of_whole_words_compose_exactly(
    bench: BenchOf, haystack: str, length: int, start: float, depths: list[float]
) -> None:
    """Byte-level BPE never looks beyond a word: without half a word at the end there is no seam at all."""
    on = bench("bpe")
    prompt = on.fit(length, depths, haystack, start)
    text = on.text(prompt.ids)
    end = text.rindex("\n\n" + QUESTION.text)
    corpus = on.corpus(haystack)
    used = on.haystack_span(prompt, haystack)[1] - len(on.tokenizer.head(INSTRUCTION)) - sum(b - a for a, b in prompt.needle_tokens)
    (following,) = corpus.take(corpus.begin(start), used, used + 1)
    assume(not text[end - 1].isspace() and on.text(following)[0] == " ")
    assert on.tokenizer.head(text).tolist() == prompt.ids.tolist()


@examples
@given(kinds, st.booleans(), several_depths)
def test_the_message_of_what_cannot_fit_says_what_would(bench: BenchOf, kind: str, chat: bool, depths: list[float]) -> None:
    on = bench(kind, chat)
    with pytest.raises(CannotFit) as error:
        on.fit(20, depths)
    assert "a cell of 20 tokens" in str(error.value)
    assert "task" in str(error.value)
    fixed = int(re.search(r"Ask for lengths from (\d+) up", str(error.value))[1])  # type: ignore[index]
    assert f"fixed text of {fixed} tokens" in str(error.value)
    prompt = on.fit(fixed, depths)
    assert len(prompt.ids) + prompt.reserved == fixed
    with pytest.raises(CannotFit):
        on.fit(fixed - 1, depths)


def test_the_answer_prefix_follows_a_chat_frame_directly_and_plain_text_after_a_space(bench: BenchOf) -> None:
    bare = Question("Why?", ("1",), "", 4)
    for chat, end in ((True, "<|assistant|>\n"), (False, "\nAnswer:")):
        on = bench("bpe", chat)
        assert on.text(on.fit(400, [0.5], question=bare).ids).endswith(
            f"Why?{'<|end|>' if chat else ''}" + ("\n" if chat else "") + end
        )


def test_a_prompts_hash_is_sha256_over_little_endian_ids() -> None:
    expected = hashlib.sha256(bytes([1, 0, 0, 0, 0, 1, 0, 0])).hexdigest()
    assert prompt_sha256([1, 256]) == prompt_sha256(np.asarray([1, 256], dtype=np.uint32)) == expected


@pytest.mark.parametrize("kind", ["bpe", "metaspace"])
@pytest.mark.parametrize("chat", [False, True])
@pytest.mark.parametrize(
    ("prefix", "gold"), [("The number is", ""), ("", ""), ("The numbers are [", "4739021, 11]"), ("It is “", "1”"), ("It is\n", "")]
)
def test_the_gold_answer_goes_on_as_the_whole_text_would_be_tokenized(
    bench: BenchOf, kind: str, chat: bool, prefix: str, gold: str
) -> None:
    made = bench(kind, chat)
    question = Question("Which?", ("4739021",), prefix, 32, gold=gold)
    prompt = made.fit(512, [0.5], question=question)
    said = gold or "4739021"
    space = "" if (prefix or "\n")[-1] in "[“\n" and (prefix or chat) else " "
    whole = made.text(prompt.ids) + space + said
    assert made.text(np.concatenate([prompt.ids, prompt.gold])) == whole
    cut = "Which?"  # of the same text, tokenized in one go, the last tokens are the gold ones
    tail = made.tokenizer.piece(cut + whole.rpartition(cut)[2])
    assert tail[len(tail) - len(prompt.gold) :].tolist() == prompt.gold.tolist()


def test_a_gold_answer_longer_than_what_is_reserved_is_left_out(bench: BenchOf) -> None:
    made = bench("bpe")
    size = len(made.fit(512, [0.5], question=Question("Which?", ("4739021, 11",), "It is", 32)).gold)
    for reserved, wanted in ((size, size), (size - 1, 0)):
        assert len(made.fit(512, [0.5], question=Question("Which?", ("4739021, 11",), "It is", reserved)).gold) == wanted


def test_what_the_gold_answer_says_is_no_part_of_the_prompt(bench: BenchOf) -> None:
    made = bench("bpe")
    one, other = (made.fit(512, [0.5], question=Question("Which?", ("1",), "It is", 32, gold=gold)) for gold in ("", "7, 8"))
    assert prompt_sha256(one.ids) == prompt_sha256(other.ids)
    assert one.gold.tolist() != other.gold.tolist()
