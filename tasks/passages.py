"""Short writings on request: a poem, a riddle, a recipe … about a topic, each different from all others.

Every form has beats: an opening that names the topic, some middles, an ending; a beat chooses among sentences whose gaps are filled
from word tables. Two writings of one form about one topic share their manner and little else. Each is a single line.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from functools import cache
from typing import Literal

import numpy as np

VERSION = 1
"""Raised whenever writings or their order change."""

SHORTEST, LONGEST = 200, 212
"""Characters of a sample's writing. From 200 on, difflib sets frequent characters aside, as in the benchmark's long texts."""

BRIEFEST = 110
"""Characters of the briefest writing in the haystack, so that it has items of all sizes."""

_KINDS = """
    old new small tall painted lost hidden broken famous quiet strange borrowed forgotten northern southern gigantic ancient
    friendly stubborn imaginary
"""

_TOPICS = """
    lighthouses bridges windmills clocks umbrellas kettles teapots ladders mirrors candles lanterns anchors balloons bicycles
    tractors trams submarines helicopters rockets telescopes microscopes compasses globes maps atlases dictionaries violins
    trumpets drums pianos accordions flutes harps whistles kites marbles puppets puzzles dominoes chessboards statues fountains
    cathedrals castles igloos tents caravans greenhouses orchards vineyards deserts glaciers volcanoes waterfalls canyons islands
    lagoons swamps meadows caves geysers comets planets meteors eclipses rainbows tornadoes avalanches penguins camels hedgehogs
    otters beavers badgers squirrels flamingos parrots pelicans woodpeckers peacocks turtles lizards dolphins walruses lobsters
    spiders ladybirds butterflies dragonflies elephants giraffes zebras kangaroos gorillas hamsters mushrooms pumpkins tulips
    sunflowers cucumbers pineapples coconuts walnuts pancakes omelettes pretzels waffles dumplings sandwiches blankets mittens
    slippers scarves helmets zippers wardrobes bathtubs staircases chimneys elevators escalators tunnels subways airports libraries
    museums theatres barbers plumbers librarians astronauts detectives magicians jugglers
"""

TOPICS = {
    "sample": tuple(_TOPICS.split()[::3]),
    "haystack": tuple(noun for i, noun in enumerate(_TOPICS.split()) if i % 3),
}
"""What samples write about, and what everybody else does: no word in common."""

_WORDS = {
    "adj": """
        bitter blue bold brave bright brown calm careful cheap clean clever cold cosy crooked cruel curious damp dark dear deep dry
        dull dusty early easy empty faint fair false fancy fast fat fine firm flat fond fresh full gentle glad golden grand green
        grey happy hard heavy high hollow hot humble hungry idle jolly keen kind large lazy light lonely long loud low lucky
        mild modest muddy narrow neat nervous noble odd pale patient plain polite poor proud pure purple quick rare red rich ripe
        rough round rude rusty sad salty shallow sharp short shy silent silver simple slow smooth soft solid sour square steep
        sticky stiff sweet tender thick thin tidy tiny tired warm weak wet white wide wild wise yellow young
    """,
    "animal": """
        ant bear bee bull calf cat cow crab crow deer dog donkey dove duck eagle eel fox frog goat goose hare hawk hen horse lamb
        lion mole monkey moth mouse mule owl ox pig pike pony rabbit rat raven robin seal sheep snail snake sparrow stork swan
        tiger toad trout wasp whale wolf worm
    """,
    "did": """
        admired balanced blamed borrowed bought broke buried carried caught chose counted covered dragged dried dropped emptied
        fetched followed forgot found guarded hid hired kept kicked kissed lifted lost loved measured mended missed moved named
        opened packed painted polished praised pulled pushed raised rescued returned ruined saved sewed shared shook showed sold
        stole swapped tasted threw tied touched traded trusted turned wanted washed watched weighed won wrapped
    """,
    "food": """
        bacon barley beef beer bread broth butter cabbage celery cheese cider cinnamon cocoa coffee corn cream cress cumin dill
        flour fudge garlic ginger gravy ham honey jam lard lemon lime malt milk mint mustard mutton nutmeg oil parsley pepper pork
        rhubarb rice rum rye sage salt soup spinach sugar syrup tea thyme toast treacle vanilla vinegar wheat wine yeast
    """,
    "mood": """
        anger boredom calm care charm courage doubt envy faith fame fear fortune fun glory grace grief hope humour joy laughter
        love luck mercy patience peace pity pride regret relief shame silence sleep sorrow thirst trust truth wisdom wonder
    """,
    "name": """
        Adam Agnes Albert Alice Amos Anna Anton Arthur Basil Bella Boris Bruno Carla Cedric Clara Conrad Daisy David Dora Edgar
        Edith Ella Elsa Emil Emma Esther Felix Flora Frank Frieda George Greta Gustav Hanna Harold Henry Hilda Hugo Ida Igor Irma
        Ivan Jacob Jane Jonas Julia Karl Kate Laura Lena Leo Louis Lucy Mabel Marta Max Mona Nils Nina Nora Olga Oscar Otto Paula
        Peter Petra Ralph Rita Robert Rosa Ruth Simon Sophie Stella Theo Thomas Tim Ursula Vera Victor Walter Wilma Yvonne
    """,
    "number": "two three four five six seven eight nine ten eleven twelve thirteen fifteen twenty thirty forty fifty sixty ninety",
    "place": """
        attic bakery bank barn bay beach camp canal cellar chapel church cinema clinic coast college cottage court dairy dock
        factory farm ferry field forest forge garage garden gate harbour hill hospital hotel inn kitchen lake laundry market mill
        mine moor office palace park pier pond port prison quarry river school shed shop shore square stable station street tavern
        temple tower town valley village wall well wharf wood workshop yard
    """,
    "thing": """
        apron axe bag barrel basin basket belt bench boat book boot bottle bowl box broom brush bucket carpet cart chain chair coat
        coin comb crate cup curtain desk dish door drawer dress fan feather fork glove hammer hat hook jar jug key knife lamp
        letter lock mat mug nail needle net oar paper parcel pearl pencil pillow pin pipe plate pot purse ribbon ring rope saddle
        sack saw scarf shawl shirt shoe shovel sock spoon stone stool stove sword table ticket tool towel toy tray trunk vase wagon
        wheel
    """,
    "time": """
        after_breakfast after_church after_dark after_lunch after_school after_work around_Christmas around_Easter around_noon
        at_dawn at_dusk at_four_o'clock at_midnight at_nightfall at_noon at_sunrise at_sunset at_supper at_teatime at_ten_o'clock
        before_breakfast before_bedtime before_dawn before_lunch before_midnight by_candlelight by_daylight by_moonlight by_night
        during_supper in_April in_August in_autumn in_December in_February in_January in_July in_June in_March in_May in_November
        in_October in_September in_spring in_summer in_winter on_Friday on_Monday on_Saturday on_Sunday on_Thursday on_Tuesday
        on_Wednesday
    """,
    "weather": "ash dew drizzle dust fog frost hail haze heat ice lightning mist moonlight mud rain sand shade sleet slush smoke "
    "snow starlight sunshine thunder twilight wind",
}

_FORMS = {
    "poem": """
    O {topic}, {adj} as the {place} {time} | I sing of {topic} and the {adj} {animal} | by the {place} stood {topic}, all {adj}

    the {weather} came down on {name} {time} | the {adj} {weather} {did} the {place} | {weather} and {mood} {did} the {animal}
    a {adj} {thing} lay beside the {place} | the {animal} {did} a {thing} for {name} | {name} {did} the {adj} {thing}
    {number} {adj} hours smelled of {food} | the {adj} {animal} dreamt of {food} and {mood} | the {animal} {did} it {time}
    my {mood} is a {thing} that {name} {did} | my {thing} is {adj}, my {mood} is {adj} | no {mood} without {food}, said the {animal}

    and {name} went home {time} with {food} | till {weather} and {mood} are one in the {place} | and the {adj} {thing} is gone
    """,
    "riddle": """
    I know {topic}, yet I am {adj} and {adj}. | Like {topic}, I sleep in the {place} {time}. | {topic} fear me {time}.

    I eat {food}, never {food}. | {name} {did} me with a {thing}. | My {number} teeth are {food}. | My mother was a {adj} {thing}.
    The {adj} {animal} {did} me near the {place}. | My skin is {adj} like {food}. | A {animal} and a {animal} carry my {thing}.
    In {weather} I turn {adj}, in {weather} {adj}. | {time} I speak of {mood} to the {animal}. | {mood} makes me grow {adj}.
    For {number} coins {name} {did} my {adj} {thing}. | Without my {thing} there is no {mood} in any {place}.

    What am I, {adj} friend? | Who am I, {name}? | Name me, or give me your {thing}. | Say it {time} and win a {adj} {animal}.
    """,
    "toast": """
    Raise your {food} to {topic}! | Dear {name} and {name}, we drink to {topic}. | Friends of the {place}, here is to {topic}.

    They {did} our {thing} {time}. | They brought {mood} to this {adj} {place}. | May their {thing} stay {adj} in all {weather}.
    {name} once {did} {number} of them with a {thing}. | Even the {animal} knows their {adj} {mood}. | They outlive the {weather}.
    May the {animal} never find their {food}. | Where they stood, the {place} smelled of {food}. | {name} owes them a {thing}.
    To {adj} mornings, {adj} nights and {food}! | We ask for {mood}, for {food} and a {adj} {thing}. | Let {name} pay.

    Empty your {thing}! | And now to {mood} and {food}! | Long live the {adj} {animal}! | To {name}, who {did} the {thing}!
    """,
    "recipe": """
    For {topic} in the manner of the {place}, take {number} spoons of {food}. | {name} bakes {topic} out of {food} and {food}.

    Boil the {food} in a {adj} {thing}. | Add {food} until it looks {adj}. | Stir {number} times with a {thing}, then rest {time}.
    Chop the {food} and the {adj} {food}. | Fry all of it with {food} and a little {mood}. | Let it cool near the {place} {time}.
    Do not let the {animal} see the {food}. | {name} prefers {food} to {food}, which tastes {adj}. | Keep it away from {weather}.
    Cover with {adj} {food} and wait {number} hours. | Pour it into {number} {adj} moulds. | It must smell of {mood} and {food}.

    Serve {time} with {food}. | Serves {number} people or one {adj} {animal}. | Eat it {adj}, beside a {thing}.
    """,
    "postcard": """
    Dear {name}, the {place} here is full of {topic}. | Dear {name}, {time} I saw {topic} at the {adj} {place}.

    The {food} is {adj}, and so is the {food}. | A {adj} {animal} {did} my {thing}. | We had {number} days of {weather}.
    {name} {did} a {thing} and sends you {mood}. | Our room over the {place} smells of {food}. | The {place} is closed {time}.
    I {did} {number} {adj} cards and one {thing}. | {time} we walk from the {place} to the {place}. | There is {weather} {time}.
    The landlord keeps a {animal} and a {adj} {animal}. | {name} fell into the {place}, but kept the {thing}.

    Home {time}, yours, {name}. | With {mood} and {food}, {name}. | Please feed the {animal}, {name}. | Send {food}, {adj} {name}.
    """,
    "news item": """
    {number} {topic} were reported near the {place} {time}. | The {place} has closed {time} because of {topic}.

    Witnesses spoke of {mood} and {adj} {weather}. | A {adj} {animal} {did} the mayor's {thing}. | {name} of the {place} denied it.
    Police {did} a {adj} {thing} and {number} sacks of {food}. | The price of {food} rose {time}. | The {weather} should end {time}.
    {name}, aged {number}, {did} the {thing} at once. | Doctors advise {food} and {mood}. | No {animal} was hurt at the {place}.
    Experts blame the {weather} or a {adj} {thing}. | The {place} and the {place} lost {number} {adj} windows.

    A {thing} is still missing. | More is expected {time}. | The {animal} could not be reached. | {name} has asked for {mood}.
    """,
    "diary entry": """
    {time} I could think of nothing but {topic}. | Woke up {adj}; again the talk at the {place} was of {topic}.

    {name} {did} my {thing}, to my {mood}. | Ate {food} with {food} and felt {adj}. | {weather} over the {place} {time}.
    The {animal} has been {adj} for {number} days. | I {did} a {adj} {thing} and told nobody. | Found {food} in my {adj} {thing}.
    Went to the {place} with {name} to see a {animal}. | Wrote {number} letters on {mood}. | My {thing} is {adj}, my {thing} {adj}.
    {name} says {mood} is worth more than {food}. | The {adj} {animal} {did} {name} near the {place}.

    So much for {mood}. | To bed, {adj}. | I must buy a {thing} {time}. | Will {name} ever forgive the {animal}?
    """,
    "lullaby": """
    Sleep, for {topic} sleep {adj} in the {place} | Hush, {topic} are {adj}, and so is the {animal} | Good night, {topic} and {name}

    the {animal} has {number} dreams of {food} | the {weather} will sing {time} to the {animal} | {name} {did} the {adj} moon
    a {thing} of {food} hangs over the {place} | {adj} is the {thing}, {adj} is the {weather} | the {animal} {did} your {thing}
    mother {did} the {thing} at the {place} | father sells {mood} for {number} {adj} stars | the {adj} {place} smells of {food}
    close your {adj} eyes like the {animal} | {mood} comes {time} in a {adj} {thing} | {name} rocks the {thing} in the {weather}

    and {time} you shall have a {thing} | and {mood} will wake you with {food} | hush, {name}, hush, {adj} {animal}
    """,
    "advertisement": """
    Tired of {adj} {topic}? Visit the {place} {time}! | {topic} for every {place}, {adj} or {adj}, from {name} and Sons.

    Each comes with a {adj} {thing}. | Tested in {weather} by {number} {adj} families. | Now with more {food} and less {mood}.
    Even a {animal} can use the {thing}. | {name} {did} one {time} and found {mood}. | Only {number} coins or one {animal}.
    Keeps {food} {adj} and your {thing} {adj}. | Made of {food} at our own {adj} {place}. | No {weather}, no {animal}, no {mood}!
    Ask {name} at the {place} for a free {thing}. | Bring your {adj} {animal}, take home {number} bags of {food}.

    Come {time}! | Ask for {name}. | {mood} or your {thing} back! | Closed in {weather}. | As {adj} as ever.
    """,
    "rumour": """
    They say that {topic} {did} the {place} {time}. | {name} swears that {topic} live on {food}. | {topic} have come to the {place}.

    It was {name} who {did} the {adj} {thing}. | The {animal} knew of it {time}. | {number} people smelled {food} in the {weather}.
    Somebody paid for {mood} with a {adj} {thing}. | At the {place} they whisper of {mood} and {food}. | Nobody {did} the {animal}.
    A {adj} {animal} was seen with {name}'s {thing}. | {name} turned {adj} and {did} a {thing}. | They met {time} in the {place}.
    Since then the {place} has been {adj} with {weather}. | My aunt {did} it herself, with a {thing} and {food}.

    But do not tell {name}. | You have it from the {animal}. | I believe the {thing}, not {name}. | Ask at the {place} {time}.
    """,
}

FORMS = tuple(_FORMS)
"""What can be asked for."""

_GAP = re.compile(r"\{(\w+)\}")
_A = re.compile(r"\b([Aa]) (?=[aeiou])")
_TABLES = {gap: tuple(word.replace("_", " ") for word in words.split()) for gap, words in _WORDS.items()}

_Sentence = tuple[str, tuple[tuple[str, ...], ...]]
"""A sentence with `%s` for its gaps, `TOPIC` for the topic, and the table of each gap."""


def _sentence(text: str) -> _Sentence:
    text = text.strip().replace("{topic}", "TOPIC")
    return _GAP.sub("%s", text), tuple(_TABLES[gap] for gap in _GAP.findall(text))


def _beats(text: str) -> tuple[tuple[_Sentence, ...], ...]:
    """Opening, one beat for every line of the middle, ending."""
    opening, middle, ending = text.strip().split("\n\n")
    return tuple(tuple(map(_sentence, beat.split("|"))) for beat in (opening, *middle.split("\n"), ending))


_BEATS = {form: _beats(text) for form, text in _FORMS.items()}
_JOINTS = {"poem": " / ", "lullaby": " / "}


def draws(rng: np.random.Generator) -> Iterator[int]:
    """An endless stream of integers below 2**30, made of raw bits."""
    return itertools.chain.from_iterable((rng.bit_generator.random_raw(4096) >> np.uint64(34)).tolist() for _ in itertools.count())


@cache
def requests(pool: Literal["sample", "haystack"]) -> tuple[tuple[str, str], ...]:
    """Every form with every topic of a pool, such as `("riddle", "painted windmills")`."""
    return tuple((form, f"{kind} {noun}") for form in FORMS for kind in _KINDS.split() for noun in TOPICS[pool])


def writing(form: str, topic: str, draw: Iterator[int], shortest: int = SHORTEST) -> str:
    """A writing of a form about a topic, of `shortest` to `LONGEST` characters, on one line.

    Args:
        form: one of `FORMS`.
        topic: a plural.
        draw: random integers (`draws`).
        shortest: characters; `BRIEFEST` in the haystack.
    """
    joint = _JOINTS.get(form, " ")
    opening, *middle, ending = _BEATS[form]
    while True:
        beats = list(middle)
        for _ in range(next(draw) % len(middle)):
            del beats[next(draw) % len(beats)]
        parts = []
        for beat in (opening, *beats, ending):
            text, tables = beat[next(draw) % len(beat)]
            text = (text % tuple([table[next(draw) % len(table)] for table in tables])).replace("TOPIC", topic)
            parts.append(text[0].upper() + text[1:])
        text = _A.sub(r"\1n ", joint.join(parts))
        if shortest <= len(text) <= LONGEST:
            return text
