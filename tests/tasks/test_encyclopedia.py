"""The invented encyclopedia: what its tables hold, what its documents say, what its streams keep apart."""

from __future__ import annotations

import re
from itertools import islice

import numpy as np
import pytest

from lceval.keys import generator
from lceval.tasks import names
from lceval.tasks.encyclopedia import KINDS, Document, Documents, Kind, Writer, value_of, values, values_like
from lceval.tasks.haystacks.generated import BLOCK_CHARS

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
STREAMS = ["town:0", "opera+composer:0", "all-but-town:0", "mixed-ship:0", "mixed-river+town:3"]


def stream(name: str, count: int) -> list[tuple[Kind, Document]]:
    return list(islice(Documents.of(name).documents(), count))


@every_kind
def test_a_kind_has_three_attributes_that_are_asked_and_three_that_are_not(kind: Kind) -> None:
    assert (len(kind.asked), len(kind.told)) == (3, 3)
    assert len({attribute.name for attribute in (*kind.asked, *kind.told)}) == 6
    for attribute in kind.asked:
        assert attribute.type in ("person", "place", "date")
        assert attribute.question.count("{x}") == 1
        assert attribute.question.endswith("?")
        assert attribute.lead.count("{x}") + attribute.lead.count("{X}") == 1


@every_kind
def test_a_sentence_names_its_entity_and_one_value_and_has_no_full_stop_inside(kind: Kind) -> None:
    for attribute in (*kind.asked, *kind.told):
        assert len(attribute.sentences) >= (3 if attribute in kind.asked else 2)
        for sentence in attribute.sentences:
            assert sentence.count("{v}") == sentence.count("{s}") + sentence.count("{S}") == 1
            assert sentence.startswith("{S}") == ("{S}" in sentence)
            assert sentence.index(".") == len(sentence) - 1


@every_kind
def test_a_link_leads_to_a_title_of_its_target(kind: Kind) -> None:
    target = KINDS[kind.target]
    assert kind[kind.link].type == target.titles
    assert kind[kind.link] in kind.asked
    assert any(attribute.type != kind[kind.link].type for attribute in target.asked)


def test_words_of_titles_belong_to_one_kind_and_to_no_place() -> None:
    words = [word for kind in KINDS.values() if not isinstance(kind.titles, str) for word in kind.titles]
    assert len(words) == len(set(words)) == 50
    assert names.places_in(" ".join(f"{names.PLACE[0]} {word}" for word in words)) == []


@pytest.mark.parametrize("name", STREAMS)
def test_documents_say_what_they_know_and_nothing_else(name: str) -> None:
    for kind, document in stream(name, 400):
        text = f"Document (Another One): Nothing.\n{document.text}\nDocument (One More): Nothing."
        read = {attribute.name: value_of(text, document.title, attribute) for attribute in (*kind.asked, *kind.told)}
        assert {attribute: value for attribute, value in read.items() if value} == document.facts
        assert all(attribute.name in document.facts for attribute in kind.asked)
        assert value_of(text, "No One", kind.asked[0]) == ""


@pytest.mark.parametrize("name", STREAMS)
def test_documents_are_lines_of_varied_size(name: str) -> None:
    sizes = []
    for _, document in stream(name, 400):
        assert document.text.startswith(f"Document ({document.title}): ")
        assert document.text.isascii()
        assert document.text.isprintable()
        assert 3 <= document.text.count(".") == len(document.facts) <= 5
        sizes.append(len(document.text))
    assert 120 < min(sizes) < 200
    assert 300 < max(sizes) < 400
    assert np.std(sizes) > 35


def test_sentences_attributes_and_pronouns_all_turn_up() -> None:
    said = " ".join(document.text for _, document in stream("all-but-town:0", 3000) + stream("town:0", 600))
    for kind in KINDS.values():
        for attribute in (*kind.asked, *kind.told):
            for sentence in attribute.sentences:
                fixed = sentence.replace("{S}", "").partition("{v}")
                before, after = (part.partition("{s}") for part in (fixed[0], fixed[2]))
                assert max((*before, *after), key=len).strip() in said
    assert all(f" {word} " in said for word in ("It", "He", "She", "The town", "The painter"))


def test_a_stream_has_the_kinds_of_its_name() -> None:
    kinds = {name: [kind.name for kind, _ in stream(name, 200)] for name in STREAMS}
    assert set(kinds["town:0"]) == {"town"}
    assert set(kinds["opera+composer:0"]) == {"opera", "composer"}
    assert set(kinds["all-but-town:0"]) == set(KINDS) - {"town"}
    assert set(kinds["mixed-ship:0"]) == set(kinds["mixed-river+town:3"]) == set(KINDS)
    for own, name in [({"ship"}, "mixed-ship:0"), ({"river", "town"}, "mixed-river+town:3")]:
        places = [i for i, kind in enumerate(kinds[name]) if kind in own]
        assert 75 < len(places) < 125
        assert {i % 2 for i in places} == {0, 1}  # by no turns, which a document put in between would break


def test_what_a_stream_is_not_about_shares_no_question_with_it() -> None:
    for name, kinds in [("composer", {"painter", "composer"}), ("opera+composer", {"opera", "painter", "composer"})]:
        assert {kind.name for kind, _ in stream(f"all-but-{name}:0", 400)} == set(KINDS) - kinds
    assert {kind.name for kind, _ in stream("mixed-composer:0", 400)} == set(KINDS) - {"painter"}


@pytest.mark.parametrize(
    "name", ["town+town:0", "opera+composer:0", "ship+town:1", "mixed-town+town:2", "mixed-observatory+painter:0"]
)
def test_documents_of_two_kinds_are_pairs_near_and_far(name: str) -> None:
    first, second = name.partition(":")[0].removeprefix("mixed-").split("+")
    documents = stream(name, 8000)
    place = {document.title: i for i, (kind, document) in enumerate(documents) if kind.name == second}
    link = KINDS[first].link
    apart = [
        place[document.facts[link]] - i
        for i, (kind, document) in enumerate(documents)
        if kind.name == first and document.facts[link] in place
    ]
    own = sum(kind.name in (first, second) for kind, _ in documents)
    assert len({document.title for _, document in documents}) == len(documents)
    assert 0.75 * own / 2 < len(apart) <= own / 2
    assert len(apart) * 0.45 < sum(d > 0 for d in apart) < len(apart) * 0.55  # either may come first
    for least in (1, 4, 16, 64, 256, 1024):
        assert sum(least <= abs(d) < 4 * least for d in apart) > 0.004 * len(apart)


@pytest.mark.parametrize("name", ["town:0", "mixed-town+town:0", "opera+composer:0"])
def test_values_come_once_in_long_contexts_whoever_they_belong_to(name: str) -> None:
    documents = stream(name, 1700)  # about 128k tokens
    for kind_of_value in ("person", "place", "date"):
        titles = {document.title for _, document in documents}
        said = [
            document.facts[attribute.name]
            for kind, document in documents
            for attribute in (*kind.asked, *kind.told)
            if attribute.type == kind_of_value and attribute.name in document.facts
        ]
        assert len(said) > 1000
        assert len(set(said) - titles) == sum(value not in titles for value in said)


def test_a_stream_hangs_on_nothing_but_its_name() -> None:
    first, again, seed, which = (Documents.of(name) for name in ("ship:1", "ship:1", "ship:2", "mixed-ship:1"))
    texts = ["".join(next(documents.blocks())) for documents in (first, again, seed, which)]
    assert texts[0] == texts[1]
    assert len(set(texts)) == 3
    assert first.digest == again.digest
    assert len({documents.digest for documents in (first, seed, which)}) == 3


def test_blocks_are_items_of_about_the_agreed_size() -> None:
    for block in islice(Documents.of("mixed-club:5").blocks(), 5):
        assert BLOCK_CHARS <= sum(map(len, block)) < BLOCK_CHARS + 400
        assert all(item.endswith("\n") and item.count("\n") == 1 and item[0] == "D" for item in block)


def named(text: str) -> set[str]:
    return {*names.people_in(text), *names.places_in(text), *values_like(text, "10 May 1500")}


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_has_no_name_and_no_date_that_a_sample_could_have(name: str) -> None:
    for _, document in stream(name, 2000):
        assert not names.of_sample(document.title)
        assert not any(map(names.of_sample, named(document.text)))


@every_kind
def test_what_a_sample_says_comes_from_its_pool_and_comes_once(kind: Kind) -> None:
    writer = Writer(generator("test", kind.name), "sample")
    documents = [writer.write(kind) for _ in range(16)]
    assert all(names.of_sample(document.title) for document in documents)
    said = [value for document in documents for value in document.facts.values() if named(value)]
    assert all(map(names.of_sample, said))
    said += [document.title for document in documents]
    assert len(said) == len(set(said))


def test_titles_do_not_come_again_within_a_long_prompt() -> None:
    titles = [document.title for _, document in stream("ship:0", 4000)]
    assert len(set(titles)) == len(titles)


def test_a_document_can_be_about_a_given_entity() -> None:
    document = Writer(generator("test"), "sample").write(KINDS["town"], title="Bazabel Reach")
    assert document.title == "Bazabel Reach"
    assert document.text.startswith("Document (Bazabel Reach): ")


def test_values_never_end() -> None:
    made = values(generator("test"), "sample")
    assert len(set(islice(made["person"], 500))) == len(set(islice(made["place"], 500))) == 500
    dates = list(islice(made["date"], 20_000))
    assert len(set(dates)) == 19 * 12 * 500 // 8 == 14_250
    assert all(re.fullmatch(r"(1\d|2[0-8]) [A-Z][a-z]+ 1[5-9]\d\d", date) for date in dates)
    assert set(dates[:5000]) == {date for text in dates[:5000] for date in values_like(f"a {text}.", text)}


def test_half_a_document_answers_nothing_that_it_no_longer_says() -> None:
    text = "Document (Bazabel Reach): It is twinned with Bozemy Gate. The mayor of the town is Bazab"
    mayor, _, twin = KINDS["town"].asked
    assert value_of(text, "Bazabel Reach", twin) == "Bozemy Gate"
    assert value_of(text, "Bazabel Reach", mayor) == ""
    assert value_of(text.removeprefix("Doc"), "Bazabel Reach", twin) == ""


PERSON, PLACE = (next(values(generator("test"), "sample")[kind]) for kind in ("person", "place"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (PERSON, {PERSON}),
        (PERSON.upper(), {PERSON}),
        (f"_{PERSON}_, **{PERSON}** or '{PERSON}'s'", {PERSON}),
        (PERSON.replace(" ", "\n  "), {PERSON}),
        (f"{PERSON} of {PLACE} in 1700", {PERSON}),
        (PERSON.split()[1], set()),
        ("Mary Miller", set()),
        ("", set()),
    ],
)
def test_people_are_recognised(text: str, found: set[str]) -> None:
    assert values_like(text, PERSON) == found


def test_emphasis_does_not_hide_values() -> None:
    for mark in ("**", "*", "_", "`"):
        for value in (PERSON, PLACE, "14 March 1642"):
            split = value.replace(" ", f"{mark} {mark}")
            assert values_like(f"It is {mark}{split}{mark}.", value) == values_like(f"{mark}{value}{mark}", value) == {value}


def test_places_and_dates_are_recognised() -> None:
    text = f"{PERSON} came to {PLACE.lower()} on 14 march 1707 or May 3rd, 1812; 114 May 1700, 14 May 17001 and 1499 are no dates."
    assert values_like(text, PLACE) == {PLACE}
    assert values_like(text, "10 May 1700") == {"14 March 1707", "3 May 1812"}
