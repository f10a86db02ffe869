from itertools import islice, pairwise

from lceval.keys import generator
from lceval.tasks import names
from lceval.tasks.haystacks import prose
from lceval.tasks.words import ADJECTIVES, NOUNS

KINDS = {"given": names.given, "people": names.people, "places": names.places}


def test_no_name_begins_with_another() -> None:
    words = sorted(word.lower() for table in (names.GIVEN, names.FAMILY, names.PLACE) for word in table)
    assert len(set(words)) == len(words)
    assert not any(later.startswith(word) for word, later in pairwise(words))


def test_the_pools_share_nothing() -> None:
    for draw in KINDS.values():
        sample, haystack = (set(islice(draw(generator("pools"), pool), 400)) for pool in ("sample", "haystack"))
        assert len(sample) == len(haystack) == 400
        assert not sample & haystack
        assert all(names.of_sample(name) for name in sample)


def test_names_are_found_again_in_order_and_in_any_case() -> None:
    people = list(islice(names.people(generator(1), "sample"), 5))
    places = list(islice(names.places(generator(1), "sample"), 5))
    text = " met ".join(f"{person}, of {place}" for person, place in zip(people, places, strict=True))
    for written in (text, text.lower(), text.upper(), f"**{text}**'s", f"_{text}_"):
        assert names.people_in(written) == people
        assert names.places_in(written) == places
        assert names.given_in(written) == [person.split()[0] for person in people]


def test_no_name_is_an_english_word_or_stands_in_prose() -> None:
    every = {word for table in (names.GIVEN, names.FAMILY, names.PLACE) for word in table}
    assert not {word.lower() for word in every} & {*ADJECTIVES, *NOUNS}
    for seed in range(4):
        text = " ".join(islice(prose.paragraphs(seed), 1500))
        assert names.people_in(text) == names.places_in(text) == names.given_in(text) == []
