"""The word lists that needle keys are made of."""

import re

import pytest

from lceval.tasks.words import ADJECTIVES, NOUNS


def test_lists_are_long_enough() -> None:
    assert len(ADJECTIVES) >= 500
    assert len(NOUNS) >= 900


@pytest.mark.parametrize("words", [ADJECTIVES, NOUNS])
def test_words_are_plain_unique_and_sorted(words: tuple[str, ...]) -> None:
    assert all(re.fullmatch("[a-z]{3,10}", word) for word in words)
    assert list(words) == sorted(set(words))


def test_lists_are_disjoint() -> None:
    assert not set(ADJECTIVES) & set(NOUNS)


def test_no_word_belongs_to_the_needles_own_sentences() -> None:
    reserved = {"vault", "code", "password", "secret", "magic", "number", "needle", "register", "key", "value"}
    assert not reserved & {*ADJECTIVES, *NOUNS}
