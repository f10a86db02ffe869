"""The default haystack: fictional English prose that no model can have seen, different for every seed.

A small grammar does the writing. A *symbol* names a table of alternatives; an alternative is text in which ``{symbol}``
asks for one of another table and ``[this|that]`` chooses on the spot. A *plot* is a paragraph's beats, each a table of
sentences. A *scene* is the grammar with some symbols narrowed to what is being told: the places of a chapter, the person
of a paragraph and the tools of that person's trade. Names are spelt from syllables, of which every seed has its own.
The words, phrases and plots stand in ``prose_words``.
"""

import copy
import hashlib
import itertools
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping

import numpy as np

from lceval.tasks.haystacks import prose_words as words

VERSION = 1
"""To be raised whenever the text of any seed changes: it is part of what identifies a corpus."""

Tables = Mapping[str, tuple[str, ...]]

_BLOCK = 1 << 14  # random integers drawn at once, enough for about two hundred paragraphs
_MEMORY = 8000  # sentences within which none is repeated: more than 100,000 words
# What is drawn once for a chapter, and once for a paragraph.
_CHAPTER = ("town", "far", "river", "hills", "inn", "ship", "guild", "bygone")
_PARAGRAPH = ("species", "creature", "plantname", "relic", "house", "ware", "revel", "fiddle", "span", "supper")
_PLURAL = ("role", "beast", "bird", "insect", "tree", "flower", "fairword", "dayname", "garment")
_PRONOUNS = {  # by the sex of the person told of, or by the plot if it is told in the first person
    "man": ("he", "him", "his"),
    "woman": ("she", "her", "her"),
    "journey": ("we", "us", "our"),
    "letter": ("I", "me", "my"),
}
_A = re.compile(" a (?=[aeiouAEIOU])")
_CAPITAL_A = re.compile("A (?=[aeiouAEIOU])")


def paragraphs(seed: int) -> Iterator[str]:
    """Write English prose without end, one paragraph at a time.

    Args:
        seed: Decides names, plots and words. The same seed gives the same text everywhere.

    Yields:
        Paragraphs of 3 to 8 sentences of 6 to 35 words, none twice within 100,000 words. Sentences are separated by one
        space, begin with a capital letter and end in ``.``, ``?`` or ``!``, which stand nowhere else. Plain ASCII letters
        and commas, without digits, hyphens, quotation marks or newlines.
    """
    draws = _draws(seed)
    book = _Scene({**_GRAMMAR, **{name: _half(table, draws) for name, table in _SYLLABLES.items()}}, draws)
    while True:
        chapter = book.narrowed({symbol: (book[symbol],) for symbol in _CHAPTER})
        sexes = ("man", "woman", "man", "woman")
        cast = [(sex, chapter[sex], chapter["last"], _TRADES[next(draws) % len(_TRADES)]) for sex in sexes]
        for _ in range(3 + next(draws) % 4):
            subject = next(draws) % 4
            sex, first, last, trade = cast[subject]
            friend = cast[subject - 1][1]  # of the other sex, so that no pronoun is in doubt
            plot = chapter["plot"]
            he, him, his = _PRONOUNS.get(plot, _PRONOUNS[sex])
            teller = {"he": (he,), "him": (him,), "his": (his,)}
            people = {"first": (first,), "full": (f"{first} {last}",), "friend": (friend,)}
            things = {symbol: (chapter[symbol],) for symbol in _PARAGRAPH}
            yield chapter.narrowed({**trade, **teller, **people, **things}).paragraph(plot)


class _Scene:
    """Expands symbols. Scenes narrowed from one another share all but the tables."""

    def __init__(self, tables: Tables, draws: Iterator[int]):
        self._tables = tables
        self._draws = draws
        self._cursors: dict[str, int] = {}
        self._told: OrderedDict[str, None] = OrderedDict()

    def narrowed(self, tables: Tables) -> "_Scene":
        """The same scene with some of the tables replaced."""
        scene = copy.copy(self)
        scene._tables = {**self._tables, **tables}
        return scene

    def __getitem__(self, symbol: str) -> str:
        """One alternative, never one of those used last: the cursor moves on by at most a third of the table."""
        table = self._tables[symbol]
        draw = next(self._draws)
        step = 1 + draw % (len(table) // 3 + 1)
        cursor = self._cursors[symbol] = (self._cursors.get(symbol, draw >> 9) + step) % len(table)
        text = table[cursor]
        return text.format_map(self) if "{" in text else text

    def sentence(self, beat: str) -> str:
        """A sentence of at most 35 words that has not been told lately."""
        text = self[beat]
        while text in self._told or text.count(" ") >= 35:
            text = self[beat]
        self._told[text] = None
        if len(self._told) > _MEMORY:
            self._told.popitem(last=False)
        return text[0].upper() + text[1:]

    def paragraph(self, plot: str) -> str:
        """Tell the first beat of a plot and 2 to 7 of the others in their order, each at most twice."""
        first, *others, last = _PLOTS[plot]
        others = [beat for beat in others for _ in range(2)] + [last]
        wanted = 2 + next(self._draws) % 6
        while len(others) > wanted:
            del others[next(self._draws) % len(others)]
        text = " ".join(map(self.sentence, [first, *others]))
        return _CAPITAL_A.sub("An ", _A.sub(" an ", text))


def _draws(seed: int) -> Iterator[int]:
    """An endless stream of integers below 2**30, which Python handles quickly."""

    def block(index: int) -> list[int]:
        digest = hashlib.sha256(f"prose/{VERSION}/{seed}/{index}".encode()).digest()
        raw = np.random.Philox(key=int.from_bytes(digest[:16], "little")).random_raw(_BLOCK)
        integers: list[int] = (raw >> np.uint64(34)).tolist()
        return integers

    return itertools.chain.from_iterable(map(block, itertools.count()))


def _half(table: tuple[str, ...], draws: Iterator[int]) -> tuple[str, ...]:
    """Half of a table, drawn without replacement."""
    rest = list(table)
    return tuple(rest.pop(next(draws) % len(rest)) for _ in range(len(table) // 2))


def _plural(noun: str) -> str:
    """The plural of the last word of a noun; ``mouse/mice`` brings its own."""
    singular, _, plural = noun.partition("/")
    if plural:
        return plural
    if re.search(r"[^aeiou]y$", singular):
        return singular[:-1] + "ies"
    return singular + ("es" if re.search(r"(s|x|ch|sh)$", singular) else "s")


def _inflected(verb: str, form: int) -> str:
    """The plain form, past or present participle of a verb; ``sweep/swept/sweeping`` brings its own."""
    head, space, tail = verb.partition(" ")
    if "/" in head:
        head = head.split("/")[form]
    elif form:
        head = re.sub(r"e$", "", head) + ("ed", "ing")[form - 1]
    return head + space + tail


def _lines(text: str) -> list[str]:
    """The lines of a block, each joined with the indented ones that continue it."""
    return text.strip("\n").replace("\n    ", " ").split("\n")


def _phrases(name: str, text: str) -> dict[str, list[str]]:
    """The lines of a block of phrases, in three tables if the name asks for the forms of its verbs."""
    lines = _lines(text)
    if not name.endswith("~"):
        return {name: lines}

    def inflect(line: str, form: int) -> str:
        verbs, bracket, rest = line[1:].partition("]")
        return f"[{'|'.join(_inflected(verb, form) for verb in verbs.split('|'))}{bracket}{rest}"

    return {name.replace("~", suffix): [inflect(line, form) for line in lines] for form, suffix in enumerate(("", "ed", "ing"))}


def _compiled(tables: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """Turn every ``[this|that]`` into a table of its own."""
    grammar: dict[str, tuple[str, ...]] = {}

    def choice(match: re.Match[str]) -> str:
        symbol = f"choice {len(grammar)}"
        grammar[symbol] = tuple(match.group(1).split("|"))
        return f"{{{symbol}}}"

    for name, table in tables.items():
        grammar[name] = tuple(re.sub(r"\[([^]]*)\]", choice, text) for text in table)
    return grammar


def _words(text: str) -> list[str]:
    """The entries of a word table."""
    return [word.replace("_", " ") for word in text.split()]


def _grammar() -> dict[str, tuple[str, ...]]:
    """All of ``prose_words`` but the trades, in one table of tables."""
    tables = {name: _words(text) for name, text in words.WORDS.items()}
    plurals = {f"{name}s": [_plural(noun) for noun in tables[name]] for name in _PLURAL}
    tables = {name: [word.partition("/")[0] for word in table] for name, table in tables.items()} | plurals
    tables |= {name.capitalize(): [word.title() for word in table] for name, table in tables.items()}
    for name, text in words.PHRASES.items():
        tables |= _phrases(name, text)
    for plot, text in words.PLOTS.items():
        for beat, sentences in enumerate(text.split("\n\n")):
            tables |= _phrases(f"{plot} {beat}", sentences)
    return _compiled(tables | {"plot": list(words.PLOTS)})


def _trade(line: str) -> dict[str, tuple[str, ...]]:
    """The tables of a line of ``TRADES``."""
    name, shop, stuff, tool, made, shaped = (tuple(field.split(", ")) for field in line.split(" | "))
    plurals = {"trades": name, "mades": made}
    tables = {"trade": name, "shop": shop, "stuff": stuff, "tool": tool, "made": made, "shaped": shaped}
    return tables | {symbol: tuple(map(_plural, nouns)) for symbol, nouns in plurals.items()}


_SYLLABLES = {name: tuple(text.split()) for name, text in words.SYLLABLES.items()}
_TRADES = tuple(map(_trade, _lines(words.TRADES)))
_GRAMMAR = _grammar()
_PLOTS = {plot: [f"{plot} {beat}" for beat in range(text.count("\n\n") + 1)] for plot, text in words.PLOTS.items()}
