"""What `association` takes to be known: facts beyond doubt that tie a thing to a place, a maker or a kind, and how they are put.

A relation's needle says something of a person and a thing; its question asks for the person by what the thing implies, in one hop
or two. No word of any needle shares its stem with a word of any question (`shared`); the tests check every pair.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One fact."""

    relation: str
    thing: str
    labels: tuple[str, ...]
    """What the thing implies: after one hop and, in relations that go on, after two."""

    def clashes(self, other: Entry) -> bool:
        """Whether a question about one might be answered by the other as well."""
        return not set(self.labels).isdisjoint(other.labels)


@dataclass(frozen=True)
class Relation:
    """Sentences with the places `{person}` and `{thing}`, questions and topics with the place `{}` for a label."""

    name: str
    needle: str
    inverted: str
    """The same with the thing before the person."""
    asks: tuple[str, ...]
    """What is asked of the person, per hop."""
    topics: tuple[str, ...]
    """What a sentence about the label would be about, per hop."""
    entries: tuple[Entry, ...]

    def sentence(self, thing: str, person: str, *, inverted: bool = False) -> str:
        """The needle."""
        return (self.inverted if inverted else self.needle).format(person=person, thing=thing)

    def question(self, entry: Entry, hops: int) -> str:
        """The question that the entry's person answers."""
        return f"Which person in the text {self.asks[hops - 1].format(entry.labels[hops - 1])}?"

    def topic(self, entry: Entry, hops: int) -> str:
        """The words of that question which a distractor takes up."""
        return self.topics[hops - 1].format(entry.labels[hops - 1])


def _relation(name: str, needle: str, inverted: str, *hops: tuple[str, str], facts: str) -> Relation:
    """A relation; `hops` are pairs of ask and topic, `facts` are lines such as `thing > label > label`."""
    lines = [line.strip().split(" > ") for line in facts.strip().splitlines()]
    entries = tuple(Entry(name, thing, tuple(labels)) for thing, *labels in lines)
    assert all(len(entry.labels) == len(hops) for entry in entries)
    asks, topics = zip(*hops, strict=True)
    return Relation(name, needle, inverted, asks, topics, entries)


_RELATIONS = (
    _relation(
        "landmark",
        "{person} can see {thing} from the bedroom window.",
        "It is {thing} that {person} can see from the bedroom window.",
        ("has a home in {}", "{}"),
        ("has a home somewhere in {}", "{}"),
        facts="""
            the Eiffel Tower > Paris > France
            the Colosseum > Rome > Italy
            the Brandenburg Gate > Berlin > Germany
            the Acropolis > Athens > Greece
            the Sagrada Familia > Barcelona > Spain
            Big Ben > London > the United Kingdom
            the Little Mermaid > Copenhagen > Denmark
            the Taj Mahal > Agra > India
            Hagia Sophia > Istanbul > Turkey
            the Burj Khalifa > Dubai > the United Arab Emirates
            the Petronas Towers > Kuala Lumpur > Malaysia
            the Space Needle > Seattle > the United States
            the Temple of Heaven > Beijing > China
            the Atomium > Brussels > Belgium
            Saint Basil's Cathedral > Moscow > Russia
            Wawel Castle > Krakow > Poland
            the Belem Tower > Lisbon > Portugal
            Wenceslas Square > Prague > the Czech Republic
            Schonbrunn Palace > Vienna > Austria
            Christ the Redeemer > Rio de Janeiro > Brazil
            the Rijksmuseum > Amsterdam > the Netherlands
            the CN Tower > Toronto > Canada
        """,
    ),
    _relation(
        "painting",
        "{person} put a print of {thing} above the fireplace.",
        "It was a print of {thing} that {person} put above the fireplace.",
        ("owns a copy of a work by {}", "{}"),
        ("owns a copy of a work by {} artist", "{} artist"),
        facts="""
            the Mona Lisa > Leonardo da Vinci > an Italian
            Guernica > Pablo Picasso > a Spanish
            The Starry Night > Vincent van Gogh > a Dutch
            The Scream > Edvard Munch > a Norwegian
            Nighthawks > Edward Hopper > an American
            Girl with a Pearl Earring > Johannes Vermeer > a Dutch
            The Night Watch > Rembrandt > a Dutch
            Primavera > Sandro Botticelli > an Italian
            The Persistence of Memory > Salvador Dali > a Spanish
            The Great Wave off Kanagawa > Hokusai > a Japanese
            The Fighting Temeraire > William Turner > an English
            Wanderer above the Sea of Fog > Caspar David Friedrich > a German
            the Water Lilies > Claude Monet > a French
            The Broken Column > Frida Kahlo > a Mexican
        """,
    ),
    _relation(
        "novel",
        "{person} was reading {thing} on the train.",
        "It was {thing} that {person} was reading on the train.",
        ("knows a book by {}", "{}"),
        ("knows a book by {} author", "{} author"),
        facts="""
            Don Quixote > Miguel de Cervantes > a Spanish
            War and Peace > Leo Tolstoy > a Russian
            Crime and Punishment > Fyodor Dostoevsky > a Russian
            The Old Man and the Sea > Ernest Hemingway > an American
            Pride and Prejudice > Jane Austen > an English
            Oliver Twist > Charles Dickens > an English
            Madame Bovary > Gustave Flaubert > a French
            Les Miserables > Victor Hugo > a French
            One Hundred Years of Solitude > Gabriel Garcia Marquez > a Colombian
            The Magic Mountain > Thomas Mann > a German
            The Divine Comedy > Dante Alighieri > an Italian
            Pippi Longstocking > Astrid Lindgren > a Swedish
            Dubliners > James Joyce > an Irish
            Things Fall Apart > Chinua Achebe > a Nigerian
            Kafka on the Shore > Haruki Murakami > a Japanese
            Quo Vadis > Henryk Sienkiewicz > a Polish
        """,
    ),
    _relation(
        "music",
        "{person} hums {thing} in the bath.",
        "It is {thing} that {person} hums in the bath.",
        ("likes a work by {}", "{}"),
        ("likes a work by {} composer", "{} composer"),
        facts="""
            The Four Seasons > Antonio Vivaldi > an Italian
            The Magic Flute > Wolfgang Amadeus Mozart > an Austrian
            the Unfinished Symphony > Franz Schubert > an Austrian
            Swan Lake > Pyotr Tchaikovsky > a Russian
            the Mass in B minor > Johann Sebastian Bach > a German
            the Eroica > Ludwig van Beethoven > a German
            Bolero > Maurice Ravel > a French
            Carmen > Georges Bizet > a French
            Valse Triste > Jean Sibelius > a Finnish
            the first Peer Gynt suite > Edvard Grieg > a Norwegian
            Rhapsody in Blue > George Gershwin > an American
            La Traviata > Giuseppe Verdi > an Italian
            Madama Butterfly > Giacomo Puccini > an Italian
            The Moldau > Bedrich Smetana > a Czech
            The Planets > Gustav Holst > an English
        """,
    ),
    _relation(
        "currency",
        "{person} still keeps a purse full of {thing}.",
        "It is {thing} that {person} still keeps in a purse.",
        ("may well have visited {}", "{}"),
        ("may well have visited the country whose capital is {}", "{}"),
        facts="""
            yen > Japan > Tokyo
            baht > Thailand > Bangkok
            zlotys > Poland > Warsaw
            forints > Hungary > Budapest
            ringgit > Malaysia > Kuala Lumpur
            naira > Nigeria > Abuja
            hryvnias > Ukraine > Kyiv
            birr > Ethiopia > Addis Ababa
            taka > Bangladesh > Dhaka
            riels > Cambodia > Phnom Penh
            kip > Laos > Vientiane
            dong > Vietnam > Hanoi
            tugriks > Mongolia > Ulaanbaatar
            lempiras > Honduras > Tegucigalpa
            pula > Botswana > Gaborone
            cedis > Ghana > Accra
        """,
    ),
    _relation(
        "animal",
        "{person} once filmed {thing} in the wild.",
        "It was {thing} that {person} once filmed in the wild.",
        ("has travelled to {}", "{}"),
        ("has travelled to the country whose capital is {}", "{}"),
        facts="""
            a koala > Australia > Canberra
            a platypus > Australia > Canberra
            a wombat > Australia > Canberra
            a Tasmanian devil > Australia > Canberra
            a kakapo > New Zealand > Wellington
            a tuatara > New Zealand > Wellington
            a giant panda > China > Beijing
            an indri > Madagascar > Antananarivo
            an aye-aye > Madagascar > Antananarivo
            a marine iguana > Ecuador > Quito
            a gelada > Ethiopia > Addis Ababa
            an axolotl > Mexico > Mexico City
            an okapi > the Democratic Republic of the Congo > Kinshasa
            a tarsier of Bohol > the Philippines > Manila
        """,
    ),
    _relation(
        "event",
        "{person} never misses {thing}.",
        "It is {thing} that {person} never misses.",
        ("goes to {} again and again", "{}"),
        ("goes to {} again and again", "{}"),
        facts="""
            the Oktoberfest > Munich > Germany
            the Redentore fireworks > Venice > Italy
            the San Fermin bull run > Pamplona > Spain
            the Fallas bonfires > Valencia > Spain
            the Notting Hill Carnival > London > the United Kingdom
            the Wimbledon finals > London > the United Kingdom
            the Gion Matsuri > Kyoto > Japan
            the Kentucky Derby > Louisville > the United States
            the Hahnenkamm downhill race > Kitzbuhel > Austria
            the Sziget concerts > Budapest > Hungary
            the Roland-Garros finals > Paris > France
            Inti Raymi > Cusco > Peru
            the finish of the Vasaloppet > Mora > Sweden
        """,
    ),
    _relation(
        "element",
        "{person} wears a sweater with a big {thing} knitted into it.",
        "It is a big {thing} that {person} has had knitted into a sweater.",
        ("is dressed in honour of the chemical element {}", "the chemical element {}"),
        facts="""
            Fe > iron
            Au > gold
            Ag > silver
            Cu > copper
            Sn > tin
            Pb > lead
            Hg > mercury
            Na > sodium
            K > potassium
            W > tungsten
            Sb > antimony
        """,
    ),
    _relation(
        "unit",
        "{person} jots down {thing} all day long.",
        "It is {thing} that {person} jots down all day long.",
        ("measures {} for a living", "ways to measure {}"),
        facts="""
            hertz > frequency
            kelvins > temperature
            ohms > electrical resistance
            newtons > force
            joules > energy
            pascals > pressure
            amperes > electric current
            hectares > area
            parsecs > astronomical distances
            decibels > the loudness of sounds
            becquerels > radioactivity
            teslas > magnetic fields
            dioptres > the strength of lenses
        """,
    ),
    _relation(
        "moon",
        "{person} would love to land a probe on {thing}.",
        "It is on {thing} that {person} would love to land a probe.",
        ("is curious about a moon of {}", "a moon of {}"),
        facts="""
            Io > Jupiter
            Europa > Jupiter
            Ganymede > Jupiter
            Callisto > Jupiter
            Titan > Saturn
            Enceladus > Saturn
            Mimas > Saturn
            Iapetus > Saturn
            Titania > Uranus
            Oberon > Uranus
            Umbriel > Uranus
            Triton > Neptune
            Nereid > Neptune
            Phobos > Mars
            Deimos > Mars
        """,
    ),
    _relation(
        "deity",
        "{person} carved {thing} out of limewood.",
        "It was {thing} that {person} carved out of limewood.",
        ("takes an interest in {} mythology", "{} mythology"),
        facts="""
            Zeus > Greek
            Poseidon > Greek
            Artemis > Greek
            Odin > Norse
            Freyja > Norse
            Loki > Norse
            Anubis > Egyptian
            Osiris > Egyptian
            Horus > Egyptian
            Vishnu > Hindu
            Ganesha > Hindu
            Minerva > Roman
            Juno > Roman
            Quetzalcoatl > Aztec
            Tlaloc > Aztec
            Viracocha > Inca
            Marduk > Babylonian
            Svarog > Slavic
            Amaterasu > Japanese
        """,
    ),
    _relation(
        "sport",
        "{person} is forever talking about {thing}.",
        "It is {thing} that {person} is forever talking about.",
        ("follows {} closely", "{}"),
        facts="""
            shuttlecocks > badminton
            touchdowns > American football
            birdies and bogeys > golf
            slam dunks > basketball
            scrums and mauls > rugby
            double axels > figure skating
            the clean and jerk > weightlifting
            shortstops > baseball
            the Sicilian Defence > chess
            epees and sabres > fencing
            the peloton > cycling
            pucks and power plays > ice hockey
            the butterfly stroke > swimming
        """,
    ),
)

RELATIONS = {relation.name: relation for relation in _RELATIONS}
"""All relations by name."""

ENTRIES = tuple(entry for relation in _RELATIONS for entry in relation.entries)
"""All facts."""

_SMALL_WORDS = """
    a about all an and are as at be by can for from had has have in into is it may of off on or s some that the there this to was
    well were which who whose with
"""
_SMALL = frozenset(_SMALL_WORDS.split())
_SUFFIXES = re.compile(r"(?<=[a-z]{3})(?:ations?|ings?|ness|ers?|ians?|ans|an|ese|ish|ic|ied|ies|ed|es|en|ly|al|s|y|e)$")


def stems(text: str) -> frozenset[str]:
    """The words of a text without common endings; small words are left out."""
    words = (word for word in re.findall(r"[a-z]+", text.lower()) if word not in _SMALL)
    return frozenset(_SUFFIXES.sub("", word) for word in words)


def shared(needle: str, question: str) -> set[tuple[str, str]]:
    """The stems of a needle and of a question that are equal, or one of which begins the other with 4 letters or more."""
    mine, theirs = stems(needle), stems(question)
    return {(a, b) for a in mine for b in theirs if a == b or (min(len(a), len(b)) >= 4 and (a.startswith(b) or b.startswith(a)))}
