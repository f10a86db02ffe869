"""A small world that changes: find out where somebody or something is from facts scattered over a long text.

People walk between rooms, take things, put them down and hand them over; the facts keep their order, and later ones overrule
earlier ones. After BABILong qa1 to qa5 (arXiv:2406.10149, booydar/babilong), which hides facts of bAbI (arXiv:1502.05698) in books.
People, rooms, things, sentences and the simulator are our own; the names of the people occur in no prose of ours.

In the original, long cells have other samples than short ones, places are drawn without a seed, lengths are GPT-2's, and nothing
says where the facts ended up. Here a sample is the same at every length, facts have measured depths, and the simulator says which
facts an answer rests on. The official score fails a right sentence that also names where somebody came from, and that of the other
port (`lm_eval`) is won by a list of all rooms; the strict one does neither.

Cells of an index share the text before the first fact that either has planted elsewhere. With placement=spread there is one row of
cells, and a longer one shares the haystack before the first fact of the shorter one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field, field_validator, model_validator

from lceval.keys import below, pick, shuffled, uniform
from lceval.tasks import haystacks
from lceval.tasks.family import Family, FamilyParams, sample_start
from lceval.tasks.scoring import set_f1, too_long
from lceval.types import Draft, Needle, Question, Score

PEOPLE = ("Lorenzo", "Suzanne", "Kazuo", "Eliza", "Gonzalo", "Azadeh")
ROOMS = ("attic", "cellar", "pantry", "library", "balcony", "studio")
THINGS = ("umbrella", "lantern", "teapot", "violin", "compass", "kite")
DIRECTIONS = {"north": (0, 1), "south": (0, -1), "east": (1, 0), "west": (-1, 0)}
_OPPOSITE = {"north": "south", "south": "north", "east": "west", "west": "east"}

TaskName = Literal["qa1", "qa2", "qa3", "qa4", "qa5"]
Kind = Literal["move", "take", "drop", "give", "lie"]

LABELS: dict[TaskName, tuple[str, ...]] = {"qa1": ROOMS, "qa2": ROOMS, "qa3": ROOMS, "qa4": ROOMS, "qa5": (*PEOPLE, *THINGS)}
"""What the official score takes for an answer."""

_FACTS: dict[TaskName, int] = {"qa1": 6, "qa2": 8, "qa3": 9, "qa4": 2, "qa5": 8}
_LEAST: dict[TaskName, int] = {"qa1": 1, "qa2": 2, "qa3": 3, "qa4": 1, "qa5": 3}
_KINDS: dict[TaskName, tuple[Kind, ...]] = {
    "qa1": ("move",),
    "qa2": ("move", "move", "take", "drop"),
    "qa3": ("move", "move", "move", "take", "drop"),
    "qa4": (),
    "qa5": ("move", "take", "give", "give"),
}
"""What happens, the more often the more it is listed; moves are always possible."""

_VERBS: dict[Kind, tuple[str, ...]] = {
    "move": ("walked to", "hurried to", "strolled to", "headed for", "went over to"),
    "take": ("picked up", "collected", "took hold of"),
    "drop": ("put down", "let go of", "left behind"),
    "give": ("handed", "passed", "gave"),
}
_CHEAP: dict[TaskName, float] = {"qa1": 0.22, "qa2": 0.27, "qa3": 0.3, "qa4": 0.5, "qa5": 0.36}
"""What the best of `shortcuts` scores with the default facts; found by trying, and a test tries again."""

_CAST = 4
_BUDGET = 32
_TAIL = 2000
"""Characters at the end of a prompt among which its question stands."""

_WALK = "The text below hides sentences about people who walk from room to room"
_RULES: dict[TaskName, str] = {
    "qa1": f"{_WALK}. Everybody is where they went last.",
    "qa2": f"{_WALK}, pick things up and put them down. A thing goes where its carrier goes and stays where it is put down.",
    "qa3": f"{_WALK}, pick things up and put them down. A thing goes where its carrier goes and stays where it is put down.",
    "qa4": "The text below hides two sentences that say how rooms lie to each other.",
    "qa5": "The text below hides sentences about people who pick things up and give them to each other.",
}
_EXAMPLES: dict[TaskName, tuple[str, str]] = {
    "qa1": (
        "Boris walked to the tower. Tilda headed for the barn. Boris hurried to the chapel. Where is Boris now? "
        "Boris is in the chapel.",
        "Tilda strolled to the barn. Boris went over to the tower. Where is Tilda now? Tilda is in the barn.",
    ),
    "qa2": (
        "Boris walked to the tower. Boris picked up the spoon. Boris headed for the barn. Where is the spoon now? "
        "The spoon is in the barn.",
        "Tilda hurried to the barn. Tilda collected the rug. Tilda left behind the rug. Tilda walked to the tower. "
        "Where is the rug now? The rug is in the barn.",
    ),
    "qa3": (
        "Boris walked to the tower. Boris picked up the spoon. Boris headed for the barn. In which room was the spoon before it "
        "last came to the barn? Before that, the spoon was in the tower.",
        "Tilda hurried to the barn. Tilda collected the rug. Tilda strolled to the tower. Tilda walked to the chapel. "
        "In which room was the rug before it last came to the tower? Before that, the rug was in the barn.",
    ),
    "qa4": (
        "The tower is north of the barn. The chapel is east of the barn. Which room is north of the barn? "
        "The room north of the barn is the tower.",
        "The barn is west of the tower. The tower is west of the chapel. The tower is west of which room? "
        "The tower is west of the chapel.",
    ),
    "qa5": (
        "Boris walked to the tower. Boris picked up the spoon. Boris handed the spoon to Tilda. Who last received the spoon? "
        "It was Tilda.",
        "Tilda collected the rug. Tilda gave the rug to Boris. What did Tilda last give to Boris? It was the rug.",
    ),
}


def _any(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(words)})"


_KIND_OF = {verb: kind for kind, verbs in _VERBS.items() for verb in verbs}
_FACT = re.compile(
    rf"\b({_any(PEOPLE)}) ({_any(_KIND_OF)}) the (\w+)(?: to ({_any(PEOPLE)}))?\."
    rf"|\bThe ({_any(ROOMS)}) is ({_any(DIRECTIONS)}) of the ({_any(ROOMS)})\."
)
_ASKS_FOR_THING = re.compile(rf"What did {_any(PEOPLE)} last give to {_any(PEOPLE)}\?")


class Fact(NamedTuple):
    """Something that happens, or (`lie`) is so."""

    kind: Kind
    who: str
    """A person; of `lie`, a room."""
    what: str
    """A thing; of `lie`, the direction from `where` to `who`; of `move`, nothing."""
    where: str
    """The room that is moved to, the receiver of a thing, or the other room."""

    def sentence(self, verb: str) -> str:
        """The fact as the text tells it."""
        match self.kind:
            case "move":
                return f"{self.who} {verb} the {self.where}."
            case "give":
                return f"{self.who} {verb} the {self.what} to {self.where}."
            case "lie":
                return f"The {self.who} is {self.what} of the {self.where}."
            case _:
                return f"{self.who} {verb} the {self.what}."


def facts(text: str) -> list[Fact]:
    """Every fact in a text, in order."""
    found = []
    for who, verb, noun, receiver, room, direction, other in _FACT.findall(text):
        if room:
            found.append(Fact("lie", room, direction, other))
        else:
            kind = _KIND_OF[verb]
            found.append(Fact("move", who, "", noun) if kind == "move" else Fact(kind, who, noun, receiver))
    return found


class Place(NamedTuple):
    """A room and the facts that say so."""

    room: str
    support: tuple[int, ...]


class Ask(NamedTuple):
    """A question that a world has an answer to, and the facts that it rests on."""

    text: str
    prefix: str
    answer: str
    support: tuple[int, ...]


@dataclass
class World:
    """What follows from facts told one by one; parts of it are unknown when only part of a story is told."""

    told: list[Fact] = field(default_factory=list)
    at: dict[str, Place] = field(default_factory=dict)
    """Where people are."""
    carriers: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Who carries a thing, by which fact."""
    visits: dict[str, list[Place | None]] = field(default_factory=dict)
    """The rooms a thing was in, none twice in a row, each with what says from where it came there; None for one not known."""
    lying: dict[str, Place | None] = field(default_factory=dict)
    """Where things are that were put down."""

    def tell(self, fact: Fact) -> None:
        """Let a fact happen."""
        now = len(self.told)
        self.told.append(fact)
        match fact.kind:
            case "move":
                carried = [(thing, self.place(thing)) for thing, (carrier, _) in self.carriers.items() if carrier == fact.who]
                self.at[fact.who] = Place(fact.where, (now,))
                for thing, before in carried:
                    self._seen(thing, Place(fact.where, (*(before.support if before else ()), now)))
            case "take" | "give":
                if fact.kind == "give" and fact.who in self.at:
                    self.at[fact.where] = self.at[fact.who]
                self.carriers[fact.what] = (fact.where or fact.who, now)
                self._seen(fact.what, self.place(fact.what))
            case "drop":
                self.carriers.pop(fact.what, None)
                self.lying[fact.what] = self._beside(fact.who, now)
                self._seen(fact.what, self.place(fact.what))

    def place(self, thing: str) -> Place | None:
        """Where a thing is."""
        return self._beside(*self.carriers[thing]) if thing in self.carriers else self.lying.get(thing)

    def _beside(self, who: str, fact: int) -> Place | None:
        """Where a thing is that a fact puts in somebody's hands or out of them."""
        there = self.at.get(who)
        return there and Place(there.room, (*there.support, fact))

    def _seen(self, thing: str, place: Place | None) -> None:
        visits = self.visits.setdefault(thing, [])
        if not visits or (visits[-1] and visits[-1].room) != (place and place.room):
            visits.append(place)

    def can(self, kind: Kind, people: list[str], things: list[str]) -> list[Fact]:
        """All facts of a kind that may happen next."""
        match kind:
            case "move":
                return [Fact(kind, who, "", room) for who in people for room in ROOMS if room != self._room(who)]
            case "take":
                free = [thing for thing in things if thing not in self.carriers]
                return [Fact(kind, who, thing, "") for who in people for thing in free if self._reaches(who, thing)]
            case "drop":
                return [Fact(kind, who, thing, "") for thing, (who, _) in self.carriers.items()]
            case "give":
                pairs = [(thing, who, other) for thing, (who, _) in self.carriers.items() for other in people if other != who]
                return [
                    Fact(kind, who, thing, other) for thing, who, other in pairs if self._room(other) in (None, self._room(who))
                ]
            case "lie":
                return []

    def _room(self, who: str) -> str | None:
        return self.at[who].room if who in self.at else None

    def _reaches(self, who: str, thing: str) -> bool:
        lies = self.lying.get(thing)
        return who in self.at and (lies is None or lies.room == self._room(who))


def asks(task: TaskName, world: World) -> list[Ask]:
    """Every question of a task that the world has an answer to."""
    match task:
        case "qa1":
            return [Ask(f"Where is {who} now?", f"{who} is in the", *place) for who, place in world.at.items()]
        case "qa2":
            places = [(thing, world.place(thing)) for thing in world.visits]
            return [Ask(f"Where is the {thing} now?", f"The {thing} is in the", *place) for thing, place in places if place]
        case "qa3":
            return [ask for thing, visits in world.visits.items() for ask in _asks_before(thing, visits)]
        case "qa4":
            return [ask for i, fact in enumerate(world.told) if fact.kind == "lie" for ask in _asks_how_rooms_lie(i, fact)]
        case "qa5":
            latest = {ask.text: ask for i, fact in enumerate(world.told) if fact.kind == "give" for ask in _asks_of_gift(i, fact)}
            return list(latest.values())


def _asks_before(thing: str, visits: list[Place | None]) -> list[Ask]:
    """For every room that a thing came to: where it was before it came there for the last time."""
    latest = {there.room: (before, there) for before, there in pairwise(visits) if there}
    return [
        Ask(
            f"In which room was the {thing} before it last came to the {room}?",
            f"Before that, the {thing} was in the",
            before.room,
            there.support,
        )
        for room, (before, there) in latest.items()
        if before
    ]


def _asks_how_rooms_lie(i: int, fact: Fact) -> list[Ask]:
    one, direction, other = fact.who, fact.what, fact.where
    return [
        Ask(f"Which room is {direction} of the {other}?", f"The room {direction} of the {other} is the", one, (i,)),
        Ask(f"The {one} is {direction} of which room?", f"The {one} is {direction} of the", other, (i,)),
    ]


def _asks_of_gift(i: int, fact: Fact) -> list[Ask]:
    giver, thing, receiver = fact.who, fact.what, fact.where
    return [
        Ask(f"What did {giver} last give to {receiver}?", "It was the", thing, (i,)),
        Ask(f"Who last gave the {thing} to {receiver}?", "It was", giver, (i,)),
        Ask(f"Who last received the {thing}?", "It was", receiver, (i,)),
        Ask(f"To whom did {giver} last give the {thing}?", "It was", receiver, (i,)),
        Ask(f"Who last gave the {thing} to somebody?", "It was", giver, (i,)),
    ]


def story(task: TaskName, count: int, questions: int, rng: np.random.Generator) -> tuple[list[Fact], list[Ask]]:
    """Facts and everything that can be asked about them, at least `questions` questions."""
    if task == "qa4":
        return _rooms(rng)
    people, things = shuffled(rng, PEOPLE, _CAST), shuffled(rng, THINGS, max(3, questions))
    while True:
        world = World()
        for _ in range(count):
            possible = [facts for kind in _KINDS[task] if (facts := world.can(kind, people, things))]
            world.tell(pick(rng, pick(rng, possible)))
        # A coin for each shortcut to the answer: else the label told last, say, would be right in 4 of 10 samples.
        found = [ask for ask in asks(task, world) if below(rng, 2 ** sum(ask.answer in s for s in shortcuts(world.told, ask))) == 0]
        if len(found) >= questions:
            return world.told, found


def shortcuts(told: list[Fact], ask: Ask) -> tuple[set[str], ...]:
    """Labels to answer with that take no following: the first, the last and the most frequent of the answer's kind in the facts."""
    labels = next(labels for labels in (ROOMS, PEOPLE, THINGS) if ask.answer in labels)
    said = [word for fact in told for word in (fact.who, fact.what, fact.where) if word in labels and word not in ask.text]
    counts = Counter(said)
    return {said[0]}, {said[-1]}, {word for word in counts if counts[word] == max(counts.values())}


def _rooms(rng: np.random.Generator) -> tuple[list[Fact], list[Ask]]:
    """Two rooms on different sides of a third; what is asked has one answer, however loosely `north of` is read."""
    hub, *others = shuffled(rng, ROOMS, 3)
    sides = shuffled(rng, list(DIRECTIONS), 2)
    grid = {hub: (0, 0), **{room: DIRECTIONS[side] for room, side in zip(others, sides, strict=True)}}
    world = World()
    for room, side in zip(others, sides, strict=True):
        world.tell(pick(rng, [Fact("lie", room, side, hub), Fact("lie", hub, _OPPOSITE[side], room)]))

    def alone(ask: Ask, fact: Fact) -> bool:
        """Whether no other room lies on the same side as the answer."""
        base, sign = (fact.where, 1) if ask.answer == fact.who else (fact.who, -1)
        dx, dy = DIRECTIONS[fact.what]
        ahead = [sign * ((x - grid[base][0]) * dx + (y - grid[base][1]) * dy) > 0 for x, y in grid.values()]
        return sum(ahead) == 1

    return world.told, [ask for ask in asks("qa4", world) if alone(ask, world.told[ask.support[0]])]


class MiniworldParams(FamilyParams):
    """The parameters of `miniworld`."""

    task: TaskName = Field(
        "qa1",
        description="where qa1 somebody is, qa2 a thing is, qa3 it was before; qa4 how rooms lie; qa5 who gave what to whom",
    )
    haystack: str = Field("prose", description=" | ".join(form for name, form in haystacks.FORMS.items() if name != "needles"))
    facts: int = Field(0, ge=0, le=400, description=f"facts; 0 = {', '.join(f'{n} for {task}' for task, n in _FACTS.items())}")
    questions: int = Field(1, ge=1, le=4, description="questions about the same facts")
    placement: str = Field(
        "spread", description="spread (random depths), clustered (side by side at the cell's depth), or 0.1,0.5,…, one per fact"
    )
    examples: int = Field(1, ge=0, le=2, description="worked examples in the instruction")

    @field_validator("haystack")
    @classmethod
    def _haystack(cls, value: str) -> str:
        if value == "needles":
            raise ValueError("haystack=needles is made of the sentences of niah; use prose or another text")
        return haystacks.check(value)

    @model_validator(mode="after")
    def _fits_together(self) -> MiniworldParams:
        if self.task == "qa4" and self.count != 2:
            raise ValueError(f"facts={self.facts}, but a world of qa4 has 2 facts; leave facts at 0")
        if self.task == "qa4" and self.questions > 2:
            raise ValueError(f"questions={self.questions}, but a world of qa4 has 2 questions with one answer; ask 1 or 2")
        least = _LEAST[self.task] * self.questions
        if self.count < least:
            raise ValueError(f"{self.questions} questions of {self.task} take at least facts={least}")
        depths = self.listed_depths
        if depths is not None and len(depths) != self.count:
            raise ValueError(f"placement lists {len(depths)} depths for {self.count} facts; give one each")
        return self

    @property
    def count(self) -> int:
        """The number of facts."""
        return self.facts or _FACTS[self.task]

    @property
    def listed_depths(self) -> tuple[float, ...] | None:
        """The explicit depths, if that is what `placement` is."""
        if self.placement in ("spread", "clustered"):
            return None
        try:
            depths = tuple(float(part) for part in self.placement.split(","))
        except ValueError:
            raise ValueError(f"placement={self.placement!r} is not spread, clustered or a list such as 0.1,0.5") from None
        if not all(0 <= depth <= 1 for depth in depths) or list(depths) != sorted(depths):
            raise ValueError(f"placement={self.placement} must be ascending depths in 0..1: facts keep their order")
        return depths


class Miniworld(Family[MiniworldParams]):
    """The task family `miniworld`."""

    family = "miniworld"
    Params = MiniworldParams

    @property
    def depth_is_free(self) -> bool:  # noqa: D102
        return self.params.placement == "clustered"

    @property
    def chance(self) -> float:
        """1/6: `guess` names one of 6 rooms, people or things, whichever the question asks for, and one of them is right.

        The F1 of one name against one gold name is 1 or 0, so this is the expected strict score too.
        """
        return 1 / len(ROOMS)

    @property
    def floors(self) -> str:  # noqa: D102
        task = self.params.task
        names = "the people or the things" if task == "qa5" else "the rooms"
        return (
            f"naming one of {names} blindly scores {self.chance:.2g} (1 of 6); the first, the last or the most frequent one in the "
            f"facts that is not in the question up to {_CHEAP[task]:.2g} (default facts); naming all lm_eval 1, official 0; "
            "printing the context strict 0"
        )

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:  # noqa: D102
        p = self.params
        rng = self.rng(p.task, p.count, p.questions, seed, index)
        told, found = story(p.task, p.count, p.questions, rng)
        chosen = shuffled(rng, found, p.questions)
        texts = [fact.sentence(pick(rng, _VERBS.get(fact.kind, ("",)))) for fact in told]
        depths = self._depths(depth, rng)
        return Draft(
            instruction=self._instruction(),
            haystack=haystacks.resolve(p.haystack, seed=seed, needle_type=""),
            start=sample_start(seed, index),
            needles=tuple(Needle(*needle) for needle in zip(texts, depths, strict=True)),
            questions=tuple(
                self.ask(
                    f"{ask.text} Answer with one word.",
                    [ask.answer],
                    prefix=ask.prefix,
                    budget=_BUDGET,
                    support=sorted(ask.support),
                )
                for ask in chosen
            ),
        )

    def _depths(self, depth: float | None, rng: np.random.Generator) -> list[float]:
        p = self.params
        if p.listed_depths is not None:
            return list(p.listed_depths)
        if p.placement == "spread":
            return sorted(uniform(rng) for _ in range(p.count))
        assert depth is not None
        return [depth] * p.count

    def _instruction(self) -> str:
        p = self.params
        examples = "".join(f"\nExample: {example}" for example in _EXAMPLES[p.task][: p.examples])
        return f"{_RULES[p.task]} The rest of the text does not matter. A question follows the text.{examples}\n\nText:"

    def score(self, question: Question, text: str) -> Score:
        """Official: BABILong's, 1 if of all labels the gold one alone is in the output, not counting those in the question.

        For it the output is lower-cased and ends at the first full stop, <context> or <example>. Strict: F1 of the labels of the
        gold one's kind (rooms, people or things) that the output names, less those of the question; 0 for an output of more words
        than the answer's token budget. `lm_eval`: 1 if the gold label is anywhere in the output, in any case, as in the port of
        lm-evaluation-harness.
        """
        (gold,) = question.answers
        kind = next(kind for kind in (ROOMS, PEOPLE, THINGS) if gold in kind)
        said = _words(text) & {label.lower() for label in kind} - _words(question.text)
        return Score(
            official=babilong(text, gold, question.text, LABELS[self.params.task]),
            strict=0.0 if too_long(text, question.max_new_tokens) else set_f1(said, {gold.lower()}),
            details={"lm_eval": float(gold.lower() in text.lower())},
        )

    def solve(self, text: str) -> str:
        """Let the facts in the text happen, and answer the last of the questions that the world then has an answer to."""
        world = World()
        for fact in facts(text):
            world.tell(fact)
        tail = text[-_TAIL:]
        asked = [(tail.rfind(ask.text), ask.answer) for ask in asks(self.params.task, world)]
        place, answer = max(asked, default=(-1, ""))
        return answer if place >= 0 else ""

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """Any of the labels that the question asks for: a room, or, for qa5, a person or a thing."""
        if self.params.task != "qa5":
            return pick(rng, ROOMS)
        return pick(rng, THINGS if _ASKS_FOR_THING.search(text[-_TAIL:]) else PEOPLE)


def babilong(text: str, target: str, question: str, labels: Iterable[str]) -> float:
    """BABILong's comparison of an output with the target (booydar/babilong, `compare_answers`)."""
    text = text.lower().split(".")[0].split("<context>")[0].split("<example>")[0]
    labels = {label.lower() for label in labels}
    said = {label for label in labels if label in text} - {label for label in labels if label in question.lower()}
    return float(said == {target.lower()})


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))
