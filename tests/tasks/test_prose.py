"""The generated prose: the same everywhere, varied, and safe to hide a needle in."""

import hashlib
import itertools
import re
from functools import cache

from lceval.tasks.haystacks.prose import VERSION, paragraphs

# sha256 of the first 200 paragraphs of seed 0, joined by newlines, by VERSION. A change of the text needs a new VERSION:
# python -c "from tests.tasks.test_prose import digest; print(digest())"
GOLDEN = {1: "73f34511b5893df64c86a8adc1ce7bbc924c20b90ddce5454a0cfe4506cb5f17"}

FORBIDDEN = {"vault", "code", "password", "secret", "magic", "number", "needle", "register"}


def digest() -> str:
    """The fingerprint that ``GOLDEN`` holds."""
    return hashlib.sha256("\n".join(itertools.islice(paragraphs(0), 200)).encode()).hexdigest()


@cache
def text(words: int, seed: int = 0) -> tuple[str, ...]:
    """The first paragraphs of a seed, of at least so many words together."""
    counts = itertools.accumulate(len(paragraph.split()) for paragraph in paragraphs(seed))
    return tuple(itertools.islice(paragraphs(seed), next(i for i, count in enumerate(counts, 1) if count >= words)))


def sentences(paragraph: str) -> list[str]:
    return re.split(r"(?<=[.?!]) ", paragraph)


def test_text_is_the_golden_one() -> None:
    assert digest() == GOLDEN[VERSION]


def test_same_seed_same_text() -> None:
    assert list(itertools.islice(paragraphs(7), 50)) == list(itertools.islice(paragraphs(7), 50))


def test_seeds_share_no_sentence() -> None:
    first, second = ({s for p in text(10_000, seed) for s in sentences(p)} for seed in (1, 2))
    assert len(first) > 400
    assert not first & second


def test_only_safe_characters() -> None:
    for paragraph in text(100_000):
        assert re.fullmatch(r"[A-Za-z ,.?!]+", paragraph)


def test_no_word_of_the_needles() -> None:
    words = {word for paragraph in text(100_000) for word in re.findall("[a-z]+", paragraph.lower())}
    assert not {word for word in words if word.removesuffix("s") in FORBIDDEN}


def test_paragraphs_have_3_to_8_sentences_that_split_at_their_ends() -> None:
    for paragraph in text(100_000):
        parts = sentences(paragraph)
        assert 3 <= len(parts) <= 8
        for sentence in parts:
            assert re.fullmatch(r"[A-Z][A-Za-z,]*(?: [A-Za-z]+,?)* [A-Za-z]+[.?!]", sentence)


def test_sentences_have_6_to_35_words_of_varied_length() -> None:
    lengths = [len(sentence.split()) for paragraph in text(100_000) for sentence in sentences(paragraph)]
    assert min(lengths) >= 6
    assert max(lengths) <= 35
    assert len(set(lengths)) >= 20


def test_articles_agree() -> None:
    joined = " ".join(text(100_000))
    assert not re.search(r"\b[Aa] [AEIOUaeiou]", joined)
    assert not re.search(r"\b[Aa]n (?!hour)[^AEIOUaeiou]", joined)
    assert not re.search(r"\b(\w+) \1\b", joined)


def test_no_sentence_twice_in_100_000_words() -> None:
    told = [sentence for paragraph in text(100_000) for sentence in sentences(paragraph)]
    assert len(told) == len(set(told))


def test_unique_5_grams() -> None:
    words = re.findall("[a-z]+", " ".join(text(100_000)).lower())[:100_000]
    grams = list(zip(*(words[i:] for i in range(5)), strict=False))
    assert len(set(grams)) / len(grams) >= 0.90
