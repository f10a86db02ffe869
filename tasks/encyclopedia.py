"""An invented encyclopedia: one-line documents about towns, ships, operas and the like that no model can know.

    Document (Sozenia Heron): The ship Sozenia Heron was launched on 17 May 1733. The captain of the ship is Wozulia Ferzamon. It …

Every document states the three attributes of its kind that may be asked (a person, a place or a date each) and up to two others,
in any order, each in one of several sentences. Numbers and things are told but never asked: strings that short turn up by
accident. Names and dates of samples and of haystacks come from disjoint pools, so no distractor can hold an answer; both pools
are so large that values come once in a context, whoever they belong to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from heapq import heappop, heappush
from itertools import chain, cycle, repeat
from math import prod
from typing import Literal, Self

import numpy as np

from lceval.keys import digest, generator, pick
from lceval.tasks import names
from lceval.tasks.haystacks.generated import BLOCK_CHARS
from lceval.tasks.names import Pool

VERSION = 1
"""Raised whenever documents change."""

ValueType = Literal["person", "place", "date", "other"]

Which = Literal["", "all-but-", "mixed-"]
"""What a stream is about: the kinds that its name lists, the kinds that share no question with them, or both, mixed at random."""

# A kind:      name | noun before its title | last words of titles, or whose names they are | link > kind linked to | who that is
# Attributes:  name type | question | half-written answer        (asked in documents of this kind, hence in all of them)
#              name type, or name LOW..HIGH, or name: values     (sometimes told, never asked)
# Sentences:   {v} the value, {s} the entity, {S} the entity where a sentence begins
_TABLE = """
town | town of | place | twin > town | the twin town of {title}
mayor person | Who is the mayor of {x}? | The mayor of {x} is
    {S} is governed by its mayor, {v}.
    The mayor of {s} is {v}.
    {v} holds the office of mayor in {s}.
    {v} has been mayor of {s} for many years.
charter date | On which date was {x} granted its charter? | {X} was granted its charter on
    {S} was granted its charter on {v}.
    The charter of {s}, kept behind glass, is dated {v}.
    On {v} the queen granted {s} a charter.
twin place | Which town is {x} twinned with? | {X} is twinned with
    {S} is twinned with {v}.
    The twin town of {s} is {v}.
    Every summer {s} sends a choir to its twin town, {v}.
hall person
    The town hall of {s} was designed by {v}.
    Visitors to {s} admire the town hall by {v}.
height 12..990
    {S} lies {v} metres above the sea.
    The market square of {s} is {v} metres above the sea.
craft: basket weaving, glass blowing, rope making, bell founding, paper making, boat building, cheese making, lace making
    {S} is known for its {v}.
    Most families of {s} used to live by {v}.

river | river | Water Brook Run Rill Beck Burn Stream Flow Torrent Rapids | mouth > town | the town where {x} reaches the sea
source place | Near which town does {x} rise? | {X} rises near
    {S} rises in the hills near {v}.
    The springs of {s} lie in a wood near {v}.
    From its source near {v}, {s} winds through meadows.
mouth place | At which town does {x} reach the sea? | {X} reaches the sea at
    {S} reaches the sea at {v}.
    The mouth of {s} is at {v}.
    At {v}, {s} meets the sea in a wide delta.
map person | Who drew the first map of {x}? | The first map of {x} was drawn by
    The first map of {s} was drawn by {v}.
    {S} was first mapped by {v}.
    {v} was the first to draw a map of {s}.
bridge date
    The oldest bridge over {s} was opened on {v}.
    {S} has been crossed by a stone bridge since {v}.
length 20..900
    {S} is {v} kilometres long.
    Boats can follow {s} for {v} kilometres.
fish: trout, pike, salmon, eels, perch, carp, bream, crayfish
    Anglers know {s} for its {v}.
    {S} is full of {v}.

composer | composer | person | birthplace > town | the town where {x} was born
birthplace place | In which town was {x} born? | {X} was born in
    {S} was born in {v}.
    The birthplace of {s} is {v}.
    {v} is proud to be the birthplace of {s}.
teacher person | Who taught {x}? | {X} was taught by
    {S} was taught by {v}.
    The teacher of {s} was {v}.
    {v} gave {s} lessons at the organ.
concert date | On which date did {x} give a first concert? | {X} gave a first concert on
    {S} gave a first concert on {v}.
    The first concert of {s} took place on {v}.
    On {v}, {s} stepped before an audience for the first time.
friend person
    Most scores by {s} are dedicated to {v}.
    {S} shared a house with {v}, a close friend.
songs 11..400
    {S} left {v} songs.
    A list of works by {s} has {v} entries.
instrument: the cello, the flute, the viola, the harp, the oboe, the organ, the horn, the lute
    {S} wrote mostly for {v}.
    As a child {s} played {v}.

painter | painter | person | birthplace > town | the town where {x} was born
birthplace place | In which town was {x} born? | {X} was born in
    {S} was born above a bakery in {v}.
    Church records show that {s} was born in {v}.
    A plaque in {v} marks the house where {s} was born.
patron person | Who was the patron of {x}? | The patron of {x} was
    {S} had a faithful patron in {v}.
    The patron of {s} was {v}.
    {v}, a wealthy patron, bought most pictures by {s}.
exhibition date | On which date did {x} first exhibit? | {X} first exhibited on
    {S} first exhibited on {v}.
    The first exhibition of {s} opened on {v}.
    On {v} a small gallery gave {s} a first exhibition.
studio place
    {S} kept a studio in {v}.
    Pupils came to {v}, where {s} kept a studio.
canvases 11..700
    {S} finished {v} canvases.
    About {v} canvases by {s} survive.
colour: cobalt blue, rust red, pale green, lamp black, warm grey, lemon yellow, deep violet, burnt orange
    {S} was fond of {v}.
    Critics praise {s} for the use of {v}.

ship | ship | Lantern Heron Star Gull Venture Swallow Compass Tern Banner Lark | port > town | the home port of {x}
port place | What is the home port of {x}? | The home port of {x} is
    The home port of {s} is {v}.
    {S} has its home port at {v}.
    {v} has long been the home port of {s}.
captain person | Who is the captain of {x}? | The captain of {x} is
    The captain of {s} is {v}.
    {S} sails under its captain, {v}.
    {v} serves as captain of {s}.
launch date | On which date was {x} launched? | {X} was launched on
    {S} was launched on {v}.
    The launch of {s} took place on {v}.
    On {v}, {s} was launched before a large crowd.
plans person
    The plans of {s} were drawn by {v}.
    {S} was built after plans by {v}.
weight 80..990
    {S} displaces {v} tonnes.
    The hull of {s} weighs {v} tonnes.
cargo: timber, wool, salt, tea, copper, grain, marble, slate
    {S} usually carries {v}.
    The hold of {s} is often filled with {v}.

observatory | observatory | Dome Meridian Mirror Refractor Transit Parallax Eyepiece Sextant Orbit Ecliptic | ceiling > painter | \
the painter of the ceiling of {x}
ceiling person | Who painted the ceiling of {x}? | The ceiling of {x} was painted by
    The ceiling of {s} was painted by {v}.
    {v} painted the ceiling of {s}.
    Guests of {s} look up at a ceiling painted by {v}.
director person | Who is the director of {x}? | The director of {x} is
    The director of {s} is {v}.
    {S} has {v} as its director.
    {v} was chosen as director of {s}.
opening date | On which date was {x} opened? | {X} was opened on
    {S} was opened on {v}.
    The opening of {s} took place on {v}.
    Since it was opened on {v}, {s} has kept a log of every night.
site place
    {S} stands on a ridge outside {v}.
    From {s} one sees the lights of {v}.
lens 30..990
    {S} has a lens of {v} millimetres.
    The largest lens of {s} measures {v} millimetres.
sky: double stars, comets, sunspots, meteors, faint moons, eclipses, dust clouds, nearby planets
    The staff of {s} study {v}.
    {S} is best known for its work on {v}.

club | football club | Rovers Athletic Wanderers United Albion Rangers Harriers Strollers Swifts Corinthians | home > town | \
the home town of {x}
home place | What is the home town of {x}? | The home town of {x} is
    The home town of {s} is {v}.
    {S} has its home town in {v}.
    Supporters of {s} come mostly from its home town, {v}.
coach person | Who is the coach of {x}? | The coach of {x} is
    The coach of {s} is {v}.
    {S} trains under its coach, {v}.
    {v} took over as coach of {s} last spring.
cup date | On which date did {x} win its first cup? | {X} won its first cup on
    {S} won its first cup on {v}.
    The first cup of {s} was won on {v}.
    On {v}, {s} won a cup for the first time.
founder person
    {S} was founded by {v}, a schoolteacher.
    {v} founded {s} with a dozen friends.
seats 100..990
    {S} plays at a ground with {v} seats.
    The ground of {s} has {v} seats.
colours: green and white, all black, red and gold, sky blue, bright orange, purple stripes, white and grey, dark blue
    {S} plays in {v}.
    The colours of {s} are {v}.

opera | opera | Crown Masquerade Vigil Wedding Serenade Legend Pilgrim Oath Rose Nightingale | composer > composer | \
the composer of {x}
composer person | Who composed {x}? | {X} was composed by
    {S} was composed by {v}.
    The composer of {s} is {v}.
    {v} composed {s} in a single summer.
stage place | In which town was {x} first staged? | {X} was first staged in
    {S} was first staged in {v}.
    The first staging of {s} was in {v}.
    An audience in {v} saw {s} staged for the first time.
finish date | On which date was {x} finished? | {X} was finished on
    {S} was finished on {v}.
    The score of {s} was finished on {v}.
    On {v} the last act of {s} was finished.
words person
    The words of {s} are by {v}.
    {v} wrote the words of {s}.
minutes 70..290
    {S} lasts {v} minutes.
    A performance of {s} takes {v} minutes.
subject: a lost ring, two rival bakers, a haunted mill, a stolen letter, a flooded mine, a blind king, an old feud, a rash wager
    {S} tells of {v}.
    The plot of {s} turns on {v}.
"""

_DAYS = tuple(map(str, range(10, 29)))  # all of two digits, so that no date is part of another
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_YEARS = tuple(map(str, range(1500, 2000)))

_NAME = r"[A-Z]\w+ [A-Z]\w+"
_VALUE = {"person": _NAME, "place": _NAME, "date": r"\d\d [A-Z]\w+ \d{4}", "other": ".+"}
_DAY, _MONTH = r"(\d\d?)(?:st|nd|rd|th)?", f"({'|'.join(_MONTHS)})"
_DATES = re.compile(rf"(?<!\d)(?:{_DAY} (?:of )?{_MONTH}|{_MONTH} {_DAY}),? (\d{{4}})(?!\d)", re.IGNORECASE)

_EMPHASIS = str.maketrans("_*`", "   ")

_OCTAVES = 13
"""Linked documents stand at most about two to the power of this many documents of their kinds apart."""


@dataclass(frozen=True)
class Attribute:
    """Something that documents of a kind state."""

    name: str
    type: ValueType
    sentences: tuple[str, ...]
    """How it is told, with `{v}`, `{s}` and `{S}`."""
    question: str
    """How it is asked of `{x}`; empty for what is never asked."""
    lead: str
    """The half-written answer; `{X}` is `{x}` where the sentence begins."""
    values: tuple[str, ...]
    """Where values of type `other` come from."""

    @cached_property
    def told(self) -> tuple[re.Pattern[str], ...]:
        """Read the value out of a sentence."""
        return tuple(_reader(sentence, S=".+", s=".+", v=f"({_VALUE[self.type]})") for sentence in self.sentences)

    @cached_property
    def asks(self) -> re.Pattern[str]:
        """Read `{x}` out of the question."""
        return _reader(self.question, x="(.+)")


@dataclass(frozen=True)
class Kind:
    """A kind of entity."""

    name: str
    noun: str
    titles: tuple[str, ...] | Literal["person", "place"]
    """The last words of titles, or whose names they are."""
    link: str
    """The attribute whose value is the title of an entity of the kind `target`."""
    target: str
    phrase: str
    """How that entity is described by this one, `{x}`, or by its mere `{title}`."""
    asked: tuple[Attribute, ...]
    told: tuple[Attribute, ...]

    def called(self, title: str) -> str:
        """An entity inside a sentence."""
        return f"the {self.noun} {title}"

    @cached_property
    def calls(self) -> re.Pattern[str]:
        """Read the title out of `called`."""
        return re.compile(f"the {self.noun} ({_NAME})")

    @cached_property
    def describes(self) -> re.Pattern[str]:
        """Read the title out of `phrase`."""
        return _reader(self.phrase, x=self.calls.pattern, title=f"({_NAME})")

    @cached_property
    def extras(self) -> tuple[tuple[Attribute, ...], ...]:
        """What may be told besides: none, one or two of `told`."""
        a, b, c = self.told
        return (), (a,), (b,), (c,), (a, b), (a, c), (b, c)

    @property
    def pronouns(self) -> tuple[str, ...]:
        """What an entity may be called where a sentence begins."""
        return ("He", "She") if self.titles == "person" else ("It",)

    def __getitem__(self, name: str) -> Attribute:
        return next(attribute for attribute in (*self.asked, *self.told) if attribute.name == name)


def _reader(template: str, **fields: str) -> re.Pattern[str]:
    """What a template with `{field}`s reads back, each field by its own expression."""
    expression = re.escape(template)
    for field, inside in fields.items():
        expression = expression.replace(re.escape(f"{{{field}}}"), inside)
    return re.compile(expression)


def _kind(block: str) -> Kind:
    head, *rest = re.split(r"\n(?! )", block)
    name, noun, titles, linked, phrase = head.split(" | ")
    link, target = linked.split(" > ")
    attributes = []
    for part in rest:
        line, *sentences = part.split("\n    ")
        told, _, asked = line.partition(" | ")
        question, _, lead = asked.partition(" | ")
        listed = re.fullmatch(r"(\w+): (.+)", told)
        numbers = re.fullmatch(r"(\w+) (\d+)\.\.(\d+)", told)
        if listed:
            about, values = listed[1], tuple(listed[2].split(", "))
        elif numbers:
            about, values = numbers[1], tuple(map(str, range(int(numbers[2]), int(numbers[3]))))
        else:
            about, values = told.split()[0], ()
        kind: ValueType = "other" if values else told.split()[1]  # type: ignore[assignment]
        attributes.append(Attribute(about, kind, tuple(sentences), question, lead, values))
    return Kind(
        name,
        noun,
        titles if titles in ("person", "place") else tuple(titles.split()),  # type: ignore[arg-type]
        link,
        target,
        phrase,
        asked=tuple(attribute for attribute in attributes if attribute.question),
        told=tuple(attribute for attribute in attributes if not attribute.question),
    )


KINDS = {kind.name: kind for kind in map(_kind, _TABLE.strip().split("\n\n"))}


@dataclass(frozen=True, slots=True)
class Document:
    """One document."""

    title: str
    facts: Mapping[str, str]
    """The value of each attribute that it states."""
    text: str
    """One line, without its line break."""


class Writer:
    """Writes documents without end; titles and values come again only when half of their pool has been used up."""

    def __init__(self, rng: np.random.Generator, pool: Pool) -> None:
        self._draws = _draws(rng)
        self._values = values(rng, pool)
        self._titles = {
            kind.name: self._values[kind.titles]
            if isinstance(kind.titles, str)
            else cycle(_drawn(rng, pool, names.PLACE, kind.titles))
            for kind in KINDS.values()
        }

    def write(self, kind: Kind, title: str = "", linked: str = "") -> Document:
        """The next document of a kind.

        Args:
            kind: what kind of entity it is about.
            title: the entity's; otherwise it is a new one.
            linked: the title of the entity that it is linked to; otherwise that is a new one.
        """
        draws = self._draws
        title = title or next(self._titles[kind.name])
        extras = kind.extras[next(draws) % len(kind.extras)]
        pronoun = kind.pronouns[next(draws) % len(kind.pronouns)]
        subject = kind.called(title) if next(draws) % 2 else title
        begin = subject[0].upper() + subject[1:]
        facts: dict[str, str] = {}
        sentences: list[str] = []
        for attribute in sorted((*kind.asked, *extras), key=lambda _: next(draws)):
            drawn = next(draws)
            if linked and attribute.name == kind.link:
                value = linked
            elif attribute.values:
                value = attribute.values[drawn % len(attribute.values)]
            else:
                value = next(self._values[attribute.type])
            template = attribute.sentences[(drawn >> 16) % len(attribute.sentences)]
            sentences.append(template.format(S=begin, s=subject, v=value))
            facts[attribute.name] = value
            subject = f"the {kind.name}"
            begin = pronoun if drawn >> 40 & 1 else f"The {kind.name}"
        return Document(title, facts, f"Document ({title}): {' '.join(sentences)}")


@dataclass(frozen=True)
class Documents:
    """The encyclopedia as a haystack: documents about entities that no sample has.

    If its name lists two kinds, the first linked to the second, all documents of theirs are pairs, as a sample's are: one of the
    first kind and, somewhere before or after it, the one that it is linked to. Some are neighbours, some thousands apart.
    """

    which: Which
    kinds: tuple[str, ...]
    seed: int
    name = "encyclopedia"
    endless = True

    @classmethod
    def of(cls, text: str) -> Self:
        """From `ship:seed` or `ship+town:seed`, with `all-but-` or `mixed-` before it."""
        found = re.fullmatch(r"(all-but-|mixed-|)([a-z+]+):(\d+)", text)
        assert found
        return cls(found[1], tuple(found[2].split("+")), int(found[3]))  # type: ignore[arg-type]

    @property
    def digest(self) -> str:  # noqa: D102
        return digest("encyclopedia", VERSION, names.VERSION, BLOCK_CHARS, self.which, self.kinds, self.seed)

    def documents(self) -> Iterator[tuple[Kind, Document]]:
        """Documents and what kind of entity they are about."""
        rng = generator("encyclopedia", self.which, self.kinds, self.seed)
        writer, draws = Writer(rng, "haystack"), _draws(rng)
        kinds = [KINDS[name] for name in self.kinds]
        asked = {attribute.question for kind in kinds for attribute in kind.asked}
        rest = [kind for kind in KINDS.values() if asked.isdisjoint(attribute.question for attribute in kind.asked)]
        own = _pairs(writer, draws, *kinds) if len(kinds) == 2 else _each(writer, repeat(kinds[0]))
        others = _each(writer, (rest[draw % len(rest)] for draw in draws))
        turns: dict[Which, list[Iterator[tuple[Kind, Document]]]] = {"": [own], "all-but-": [others], "mixed-": [own, others]}
        among = turns[self.which]
        for draw in draws:
            yield next(among[draw % len(among)])

    def blocks(self) -> Iterator[list[str]]:  # noqa: D102
        block: list[str] = []
        size = 0
        for _, document in self.documents():
            block.append(f"{document.text}\n")
            size += len(block[-1])
            if size >= BLOCK_CHARS:
                yield block
                block, size = [], 0


def value_of(text: str, title: str, attribute: Attribute) -> str:
    """What the document with this title in a text says of an attribute; empty if there is none or it does not say."""
    begin = text.find(lead := f"Document ({title}): ")
    if begin < 0:
        return ""
    line = text[begin + len(lead) :].split("\n", 1)[0]
    found = (told.fullmatch(f"{sentence.removesuffix('.')}.") for sentence in line.split(". ") for told in attribute.told)
    return next((match[1] for match in found if match), "")


def values_like(text: str, value: str) -> set[str]:
    """The values in a text that are people, places or dates as `value` is; upper and lower case and emphasis do not matter."""
    text = " ".join(text.translate(_EMPHASIS).split())
    if value[0].isdigit():
        return {f"{int(a or d)} {(b or c).capitalize()} {year}" for a, b, c, d, year in _DATES.findall(text)}
    return set((names.people_in if names.people_in(value) else names.places_in)(text))


def values(rng: np.random.Generator, pool: Pool) -> dict[ValueType, Iterator[str]]:
    """People, places and dates without end; none comes again before half of its pool has been used."""
    return {
        "person": cycle(names.people(rng, pool)),
        "place": cycle(names.places(rng, pool)),
        "date": cycle(_drawn(rng, pool, _DAYS, _MONTHS, _YEARS)),
    }


def _each(writer: Writer, kinds: Iterable[Kind]) -> Iterator[tuple[Kind, Document]]:
    """A document of each kind."""
    return ((kind, writer.write(kind)) for kind in kinds)


def _pairs(writer: Writer, draws: Iterator[int], first: Kind, second: Kind) -> Iterator[tuple[Kind, Document]]:
    """Documents of two kinds, half of them each, every one linked to one of the others."""
    waiting: list[tuple[int, bool, str]] = []  # partners to come: when, whether of the second kind, and the title that links them
    for turn, draw in enumerate(draws):
        title, is_second = "", bool(draw & 1)
        if waiting and waiting[0][0] <= turn:
            _, is_second, title = heappop(waiting)
        document = writer.write(second, title=title) if is_second else writer.write(first, linked=title)
        if not title:
            link = document.title if is_second else document.facts[first.link]
            heappush(waiting, (turn + _distance(draw >> 1), not is_second, link))
        yield (second if is_second else first), document


def _distance(draw: int) -> int:
    """From 1 up, short ones most often: the least of three octaves, and any number in it."""
    least = 1 << min(draw % _OCTAVES, (draw >> 8) % _OCTAVES, (draw >> 16) % _OCTAVES)
    return least + (draw >> 32) % least


def _draws(rng: np.random.Generator) -> Iterator[int]:
    """Raw 64-bit numbers, drawn in batches."""
    for size in chain((64,), repeat(4096)):
        yield from rng.bit_generator.random_raw(size).tolist()


def _drawn(rng: np.random.Generator, pool: Pool, *tables: tuple[str, ...]) -> Iterator[str]:
    """Distinct combinations of words, one of each table; half of a pool."""
    seen: set[str] = set()
    while len(seen) < prod(map(len, tables)) // 8 * (3 if pool == "haystack" else 1):
        text = " ".join(pick(rng, table) for table in tables)
        if text not in seen and names.of_sample(text) == (pool == "sample"):
            seen.add(text)
            yield text
