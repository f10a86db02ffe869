import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval.corpus import Corpus, tokenized
from lceval.errors import CorpusError
from lceval.keys import digest
from lceval.tokens import Tokenizer

REGION = 1 << 14
PROSE = "The miller went to town. Nobody knew why. He sat down by the well. It was late.\n\nA bell rang. The dogs slept on.\n\n"
CHINESE = "磨坊主去了镇上。他不知道为什么😀。 The bell rang 🎉 twice. 日本語のテキスト。 Ωmega, naïve café. Who knew? Éva did.\n"
POEM = "the kettle is warm\nthe window is open\n\na cart goes by\n    in the lane\n"
TEXTS = {"prose": PROSE * 6, "chinese": CHINESE * 4, "poem": POEM * 6, "one line": "Nobody knew why."}


@dataclass
class Text:
    """A source made of `blocks`; an endless one says them for ever, numbered."""

    parts: list[str]
    endless: bool = False
    runs_dry: bool = False
    read: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        return "text"

    @property
    def digest(self) -> str:
        return digest(self.parts, self.endless)

    def blocks(self) -> Iterator[str]:
        for number in range(1 << 30 if self.endless and not self.runs_dry else 1):
            for part in self.parts:
                self.read.append(number)
                yield f"Part {number} begins. {part}" if self.endless else part


@pytest.fixture(autouse=True)
def _fresh_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LCEVAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("lceval.corpus.START_REGION_CHARS", REGION)


def made(ids: int, starts: list[int]) -> Corpus:
    return Corpus(
        "made", "", np.arange(ids, dtype=np.uint32), np.asarray(starts), np.empty(0, np.int64), " ", len(starts), endless=False
    )


@st.composite
def corpora(draw: st.DrawFn) -> Corpus:
    size = draw(st.integers(1, 30))
    starts = draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=8, unique=True).map(sorted))
    return made(size, starts)


fractions = st.floats(0, 1, exclude_max=True)


@given(corpora(), fractions, st.integers(-5, 120), st.integers(0, 100))
def test_the_nearest_start_is_the_nearest_of_all(corpus: Corpus, fraction: float, target: int, limit: int) -> None:
    begin = corpus.begin(fraction)
    every = [int(start) + lap * len(corpus.ids) - begin for lap in range(150) for start in corpus.starts]
    inside = [place for place in every if 0 <= place <= limit]
    assert corpus.nearest_start(begin, target, limit) == min(inside, key=lambda place: (abs(place - target), place))


@given(corpora(), fractions, st.integers(0, 100), st.integers(0, 100))
def test_a_text_that_ends_starts_over(corpus: Corpus, fraction: float, start: int, more: int) -> None:
    begin = corpus.begin(fraction)
    taken = [token for piece in corpus.take(begin, start, start + more) for token in piece.tolist()]
    assert taken == [(begin + start + i) % len(corpus.ids) for i in range(more)]


@given(corpora(), st.lists(fractions, min_size=2, max_size=10).map(sorted))
def test_samples_begin_at_sentence_starts_in_order(corpus: Corpus, fractions: list[float]) -> None:
    begins = [corpus.begin(fraction) for fraction in fractions]
    assert set(begins) <= set(corpus.starts.tolist())
    assert begins == sorted(begins)
    assert corpus.begin(0.0) == corpus.starts[0]
    assert corpus.begin(np.nextafter(1, 0)) == corpus.starts[-1]


@pytest.mark.parametrize("name", TEXTS)
def test_the_tokens_of_a_corpus_are_its_text(tokenizer: Any, name: str) -> None:
    corpus = tokenized(Text([TEXTS[name]]), tokenizer, 0)
    assert tokenizer.decode(corpus.ids) == TEXTS[name]


def test_a_text_in_many_blocks_is_still_that_text(tokenizer: Any) -> None:
    """No block may bring a prefix space of its own: the model would read text that nobody wrote."""
    corpus = tokenized(Text([PROSE, PROSE, PROSE]), tokenizer, 0)
    assert tokenizer.decode(corpus.ids) == PROSE * 3


@pytest.mark.parametrize("name", TEXTS)
def test_a_slice_never_cuts_a_character(tokenizer: Any, name: str) -> None:
    text = TEXTS[name]
    corpus = tokenized(Text([text]), tokenizer, 0)
    for stop in range(len(corpus.ids)):
        safe = corpus.safe_stop(0, stop)
        assert stop - 4 < safe <= stop
        assert text.startswith(tokenizer.decode(corpus.ids[:safe]))


def test_a_slice_may_end_anywhere_in_ascii(tokenizer: Any) -> None:
    corpus = tokenized(Text([PROSE, PROSE]), tokenizer, 0)
    begin = int(corpus.starts[3])
    assert [corpus.safe_stop(begin, stop) for stop in range(300)] == list(range(300))


def test_a_slice_that_starts_over_never_cuts_a_character(bpe: Any) -> None:
    corpus = tokenized(Text([CHINESE]), bpe, 0)
    begin = int(corpus.starts[-1])
    for stop in range(2 * len(corpus.ids)):
        ids = np.concatenate([bpe.head(""), *corpus.take(begin, 0, corpus.safe_stop(begin, stop))])
        assert "\ufffd" not in bpe.decode(ids)


@pytest.mark.parametrize(("name", "joint"), [("prose", " "), ("chinese", " "), ("poem", "\n"), ("one line", "\n")])
def test_needles_go_between_sentences_or_else_between_lines(tokenizer: Any, name: str, joint: str) -> None:
    assert tokenized(Text([TEXTS[name]]), tokenizer, 0).joint == joint


def test_sentences_too_far_apart_make_room_between_lines(bpe: Any) -> None:
    corpus = tokenized(Text(["One. Two " + "more words\n" * 2000]), bpe, 0)
    assert corpus.joint == "\n"
    assert len(corpus.starts) == 2000


def test_a_full_stop_in_one_token_with_the_space_after_it_is_not_cut() -> None:
    from tokenizers import Regex, models, pre_tokenizers
    from tokenizers import Tokenizer as Backend
    from transformers import PreTrainedTokenizerFast

    backend = Backend(models.WordLevel({"?": 0}, unk_token="?"))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(r"\w+[.] |\n+|\w+|."), "isolated")
    corpus = tokenized(
        Text(["It was late. Nobody came. so they went\nThe end. So be it. and on\n"]),
        Tokenizer(PreTrainedTokenizerFast(tokenizer_object=backend)),
        0,
    )
    assert corpus.joint == "\n"
    assert len(corpus.starts) == 2


@pytest.mark.parametrize("name", ["prose", "chinese"])
def test_sentence_starts_are_where_sentences_start(tokenizer: Any, name: str) -> None:
    """After every full stop before a space, and after those that end a paragraph; the white space belongs to what follows."""
    text = TEXTS[name]
    corpus = tokenized(Text([text]), tokenizer, 0)
    sentences = [tokenizer.decode(corpus.ids[:start]) for start in corpus.starts]
    ends = [
        i for i in range(1, len(text) - 2) if text[i - 1] in ".!?" and text[i].isspace() and not text[i:].lstrip()[:1].islower()
    ]
    found = [len(before) for before in sentences]
    assert {i for i in ends if text[i] == " "} <= set(found) <= set(ends)
    assert all(text.startswith(before) for before in sentences)


def test_line_starts_are_where_lines_start(tokenizer: Any) -> None:
    text = TEXTS["poem"]
    corpus = tokenized(Text([text]), tokenizer, 0)
    before = [tokenizer.decode(corpus.ids[:start]) for start in corpus.starts]
    assert before[0] == ""
    assert all(text.startswith(b) for b in before)
    assert all(b.endswith("\n") for b in before[1:])
    assert len(before) > text.count("\n") // 3


@pytest.mark.parametrize("name", TEXTS)
def test_no_place_for_a_needle_is_inside_a_character(tokenizer: Any, name: str) -> None:
    corpus = tokenized(Text([TEXTS[name]] * 2), tokenizer, 0)
    assert not set(corpus.starts.tolist()) & set(corpus.unsafe.tolist())
    assert np.all(np.diff(corpus.starts) > 0)


def test_asking_for_longer_prompts_moves_no_sample(tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Text([PROSE * 20], endless=True)
    short = tokenized(source, tokenizer, 100)
    monkeypatch.setenv("LCEVAL_CACHE", str(tmp_path / "other"))
    long = tokenized(source, tokenizer, 20_000)
    assert len(long.ids) > len(short.ids)
    assert np.array_equal(long.ids[: len(short.ids)], short.ids)
    assert long.region == short.region < len(short.starts)
    assert [long.begin(i / 100) for i in range(100)] == [short.begin(i / 100) for i in range(100)]


@pytest.mark.parametrize("tokens", [1, 500, 5000, 50_000])
def test_an_endless_corpus_holds_a_whole_prompt_after_its_last_beginning(bpe: Any, tokens: int) -> None:
    corpus = tokenized(Text([PROSE * 20], endless=True), bpe, tokens)
    assert corpus.begin(np.nextafter(1, 0)) + tokens <= len(corpus.ids)


def test_an_endless_text_is_read_no_further_than_needed(bpe: Any) -> None:
    source = Text([PROSE * 20], endless=True)
    tokenized(source, bpe, 100)
    assert len(source.read) * len(PROSE) * 20 < 4 * REGION


def test_a_finite_text_is_one_corpus_for_every_length(bpe: Any) -> None:
    source = Text([PROSE])
    tokenized(source, bpe, 100)
    assert len(tokenized(source, bpe, 1_000_000).ids) == len(tokenized(source, bpe, 0).ids)
    assert len(source.read) == 1


def test_a_corpus_is_tokenized_once_and_then_read_from_disk(bpe: Any) -> None:
    source = Text([PROSE, CHINESE])
    first, second = tokenized(source, bpe, 0), tokenized(source, bpe, 0)
    assert len(source.read) == 2  # each block once
    assert isinstance(second.ids, np.memmap)
    for name in ("ids", "starts", "unsafe", "joint", "region"):
        assert np.array_equal(getattr(first, name), getattr(second, name))


def test_another_text_or_tokenizer_is_another_corpus(bpe: Any, metaspace: Any) -> None:
    one = tokenized(Text([PROSE]), bpe, 0)
    assert not np.array_equal(tokenized(Text([PROSE + "A last word. And more."]), bpe, 0).ids, one.ids)
    assert not np.array_equal(tokenized(Text([PROSE]), metaspace, 0).ids, one.ids)


def test_builders_at_the_same_time_build_once(bpe: Any) -> None:
    source = Text([PROSE * 50] * 4)
    gate = threading.Barrier(4)

    def build(_: int) -> list[int]:
        gate.wait()
        return tokenized(source, bpe, 0).ids.tolist()  # type: ignore[no-any-return]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(build, range(4)))
    assert results.count(results[0]) == 4
    assert len(source.read) == 4  # its four blocks, once


def test_a_build_that_fails_leaves_nothing_behind(bpe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("numpy.save", full)
        with pytest.raises(CorpusError, match="No space left on device"):
            tokenized(Text([PROSE]), bpe, 0)
    assert list((tmp_path / "cache" / "corpora").iterdir()) == []
    assert len(tokenized(Text([PROSE]), bpe, 0).ids)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (Text([]), "haystack 'text' is empty"),
        (Text([""]), "haystack 'text' is empty"),
        (Text([PROSE * 3], endless=True, runs_dry=True), "too few for 4096 more after its last beginning"),
    ],
    ids=["no blocks", "empty block", "not endless after all"],
)
def test_a_text_that_cannot_hold_a_needle_is_refused(bpe: Any, source: Text, says: str) -> None:
    with pytest.raises(CorpusError, match=says):
        tokenized(source, bpe, 4096)
