"""A made-up Python code base: small files of short functions, an endless stream of them, the same for the same seed.

A function either has one of the behaviours in `BEHAVIOURS`, with a number of its own, or is a step of a call chain: it changes its
argument a little and hands it to a function of another file, before or behind it. Function names, file names and, for each
behaviour, its numbers fall into two pools, one for what a sample asks about and one for the stream: a stream holds many functions
that differ from the one asked about in the number only, many of another behaviour with the same number, and none that is the same.
"""

from __future__ import annotations

import operator
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Literal, NamedTuple, Self

import numpy as np

from lceval.errors import CorpusError
from lceval.keys import below, digest, generator, permutation, pick
from lceval.tasks.haystacks.generated import BLOCK_CHARS

Pool = Literal["sample", "haystack"]

VERSION = 1
"""Raised whenever the text of any seed changes."""

_VERBS = """
    adjust align apply arrange assess attach audit balance batch bind blend bundle cache carry check claim clean clip collect
    combine compile convert count dedupe derive digest drain encode enrich expand export extract fetch filter flag flatten
    fold format forward gather grade group guess handle hoist import index infer join label limit link load locate map mark
    mask match measure merge migrate mirror move notify pack pair parse patch pick plan plot prepare probe prune pull push
    quote rank rebuild recall reduce refine render repair reserve resize resolve restore revise rotate round route sample
    scale scan score settle shape shift sift slice solve sort split stack stage store strip survey sweep tag tally trace track
    trade train trim tune update verify weigh wrap
"""
_QUALITIES = """
    active aged annual average basic billed binary blank bounded bulk central cheap closed coarse common complex copied
    current daily damaged dated delayed dense digital direct double draft early empty exact excess external extra failed final
    fixed foreign former frozen full future global gross hidden hourly idle inner joint known large last late latent legal
    light linear lined local locked long loose lost lower mean minor missing mixed mobile modern monthly narrow native nearest
    nested net normal old open outer overdue paid partial past pending planned plain primary prior private public quick random
    rare raw recent regional remote rough round rural scaled seasonal second shared short signed simple slow small solid spare
    sparse stable stale static steep sudden tested tidy tiny total upper urban urgent valid vague weekly wide yearly young
"""
_THINGS = """
    account address agenda alarm amount anchor answer archive area asset badge bank basket batch beacon bill block board bond
    booking border branch bucket budget buffer button cable canvas cargo carrier cart case catalog channel chapter chart
    clause client cluster column comment contract corner coupon course credit crew curve cycle deal debt deposit depot desk
    detail device dinner display district dock document domain door draft driver edge engine entry estate event factor fare
    farm fault fee fence field figure fleet flight floor folder forecast forest frame freight fund garden gauge grade grain
    grant graph grid guest habit harvest height hotel house image input invoice island item journal journey kernel kettle
    label ladder lamp lane layer lease ledger lesson letter level limit line list loan lobby lock market matrix meal member
    memo menu meter mill mine model module motor mount museum needle network node note notice object offer office orbit order
    outlet output packet page panel parcel park partner path patient payment pension permit phase photo pillar pipe plant
    plate player point policy pool port postage price printer profile project proof queue quota rack range rate ratio reading
    receipt record refund region rental reply report request reserve result review reward river road robot roster route salary
    scale scheme school screen season sector segment sensor series service session shelf shift ship shop signal site slot
    source spring staff stamp station stock storm street student subject supply switch symbol table target tariff team tenant
    term ticket timer token tool tower track train transfer trial truck tunnel union unit user valley value vendor venue
    vessel village visit volume voucher voyage wage wagon warehouse window worker yard zone
"""
_PACKAGES = """
    backend billing brokerage cellar climate core customs dairy dispatch docks estates exports feeds ferries finance fisheries
    forestry gateway granary harbour helpers housing imports insurance intake kitchens labs lending library logistics mailroom
    marketing mills museum nursery orchards outlets payroll pipeline planning plumbing ports pricing quarry railways registry
    rentals research roads routing sales schools scoring sensors shipping staffing storage studio tooling tourism traders
    transit utils warehouses waterworks workshop
"""
VERBS, QUALITIES, THINGS, PACKAGES = (tuple(text.split()) for text in (_VERBS, _QUALITIES, _THINGS, _PACKAGES))

_ARGUMENTS = {  # names that an argument of each type may have
    "numbers": ("values", "numbers", "amounts", "readings", "entries", "scores"),
    "number": ("n", "count", "size", "level", "position"),
    "text": ("text", "line", "caption", "message"),
    "words": ("words", "labels", "titles", "parts"),
    "table": ("table", "stock", "ledger", "lookup"),
}
_COUNTS = (0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3)
"""Of how many functions that do something a file consists; 0: it is a step."""
_REACH = (4, 4, 4, 4, 8, 8, 16)
"""How many neighbouring steps are tied into chains: as many steps are tied within 4 as within 8 and within 16."""
NUMBERS = range(3, 15)
"""What a behaviour's number may be: few, so that other behaviours have the one asked about too."""
_NAME = re.compile(r"\b[a-z]+(?:_[a-z]+){2,}\b")


class Behaviour(NamedTuple):
    """What a function may do, but for its number."""

    says: str
    """As a question describes it; `{a}` is its number."""
    argument: str
    """Type of its argument."""
    body: str
    """Its lines; `{x}` is the argument."""
    imports: str = ""


BEHAVIOURS = (
    Behaviour(
        "returns the sum of the squares of the even numbers in a list, minus {a}",
        "numbers",
        "return sum(v * v for v in {x} if v % 2 == 0) - {a}",
    ),
    Behaviour("returns how many numbers in a list are greater than {a}", "numbers", "return sum(1 for v in {x} if v > {a})"),
    Behaviour("returns the largest number in a list, plus {a}", "numbers", "return max({x}) + {a}"),
    Behaviour(
        "returns the difference between the largest and the smallest number in a list, times {a}",
        "numbers",
        "low = min({x})\nhigh = max({x})\nreturn (high - low) * {a}",
    ),
    Behaviour("returns the numbers in a list that are divisible by {a}", "numbers", "return [v for v in {x} if v % {a} == 0]"),
    Behaviour("returns a list of numbers, each doubled and then increased by {a}", "numbers", "return [2 * v + {a} for v in {x}]"),
    Behaviour(
        "returns the first number in a list that is greater than {a}, or zero if there is none",
        "numbers",
        "for v in {x}:\n    if v > {a}:\n        return v\nreturn 0",
    ),
    Behaviour("returns the sum of the first {a} numbers in a list", "numbers", "return sum({x}[:{a}])"),
    Behaviour("returns a list without its last {a} elements", "numbers", "return {x}[:-{a}]"),
    Behaviour(
        "returns how many pairs of neighbours in a list differ by more than {a}",
        "numbers",
        "pairs = zip({x}, {x}[1:])\nreturn sum(1 for u, v in pairs if abs(u - v) > {a})",
    ),
    Behaviour(
        "returns the product of all numbers in a list, modulo {a}",
        "numbers",
        "result = 1\nfor v in {x}:\n    result = result * v % {a}\nreturn result",
    ),
    Behaviour("returns a list in which every number above {a} is replaced by {a}", "numbers", "return [min(v, {a}) for v in {x}]"),
    Behaviour(
        "returns the running totals of a list, counting from {a}",
        "numbers",
        "total = {a}\nresult = []\nfor v in {x}:\n    total += v\n    result.append(total)\nreturn result",
    ),
    Behaviour("returns the index of the smallest number in a list, plus {a}", "numbers", "return {x}.index(min({x})) + {a}"),
    Behaviour("returns every element of a list whose index is a multiple of {a}", "numbers", "return {x}[::{a}]"),
    Behaviour(
        "returns the distinct numbers above {a} of a list in ascending order",
        "numbers",
        "return sorted(set(v for v in {x} if v > {a}))",
    ),
    Behaviour(
        "returns the middle element of a list after sorting it, times {a}",
        "numbers",
        "ordered = sorted({x})\nreturn ordered[len(ordered) // 2] * {a}",
    ),
    Behaviour(
        "returns how many different remainders the numbers in a list leave when divided by {a}",
        "numbers",
        "return len(set(v % {a} for v in {x}))",
    ),
    Behaviour(
        "returns the most frequent number in a list, plus {a}",
        "numbers",
        "common = Counter({x}).most_common(1)\nreturn common[0][0] + {a}",
        "from collections import Counter",
    ),
    Behaviour("returns the greatest common divisor of a number and {a}", "number", "return gcd({x}, {a})", "from math import gcd"),
    Behaviour(
        "returns the sum of the decimal digits of a number, times {a}", "number", "return sum(int(d) for d in str({x})) * {a}"
    ),
    Behaviour("returns quotient plus remainder of a number divided by {a}", "number", "return {x} // {a} + {x} % {a}"),
    Behaviour("tells whether a number is greater than zero and less than {a}", "number", "return 0 < {x} < {a}"),
    Behaviour("returns the cube of a number, modulo {a}", "number", "return {x} ** 3 % {a}"),
    Behaviour("returns the numbers from a given one down to zero in steps of {a}", "number", "return list(range({x}, -1, -{a}))"),
    Behaviour(
        "returns the square root of a number, rounded down, plus {a}", "number", "return isqrt({x}) + {a}", "from math import isqrt"
    ),
    Behaviour("returns how many ones the binary form of a number has, plus {a}", "number", 'return bin({x}).count("1") + {a}'),
    Behaviour(
        "returns how often a number must be halved, rounding down, until it is less than {a}",
        "number",
        "steps = 0\nwhile {x} >= {a}:\n    {x} //= 2\n    steps += 1\nreturn steps",
    ),
    Behaviour("returns the first {a} characters of a text in upper case", "text", "return {x}[:{a}].upper()"),
    Behaviour("returns a text filled up with zeros on the left to a width of {a}", "text", 'return {x}.rjust({a}, "0")'),
    Behaviour(
        "returns how many words of a text have more than {a} letters",
        "text",
        "return sum(1 for w in {x}.split() if len(w) > {a})",
    ),
    Behaviour("returns a text repeated {a} times with hyphens in between", "text", 'return "-".join([{x}] * {a})'),
    Behaviour(
        "returns a text with {a} added to the code point of every character",
        "text",
        'codes = [ord(c) + {a} for c in {x}]\nreturn "".join(chr(code) for code in codes)',
    ),
    Behaviour("returns the total length of all strings in a list, plus {a}", "words", "return sum(len(w) for w in {x}) + {a}"),
    Behaviour(
        "returns the sum of the values in a dictionary whose keys are greater than {a}",
        "table",
        "return sum(v for k, v in {x}.items() if k > {a})",
    ),
    Behaviour("returns the value that a dictionary has for the key {a}, or zero if it has none", "table", "return {x}.get({a}, 0)"),
)


class Deed(NamedTuple):
    """A behaviour and its number."""

    behaviour: Behaviour
    number: int

    @property
    def says(self) -> str:
        """In words."""
        return self.behaviour.says.format(a=self.number)

    def body(self, argument: str) -> str:
        """The function's lines, indented."""
        return _indented(self.behaviour.body.format(x=argument, a=self.number))


OPERATORS: dict[str, Callable[[int, int], int]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}


class Step(NamedTuple):
    """How a function of a call chain changes its argument, or what the next one returns."""

    sign: str
    number: int
    after: bool
    """Whether it changes the result of the next one."""
    wordy: bool
    """Whether it takes two lines."""

    def body(self, callee: str) -> str:
        """The function's lines, indented; the argument is `x`, and the last of the chain has no `callee`."""
        change = f"{self.sign} {self.number}"
        if not callee:
            lines = f"y = x {change}\nreturn y" if self.wordy else f"return x {change}"
        elif self.after:
            lines = f"y = {callee}(x)\nreturn y {change}" if self.wordy else f"return {callee}(x) {change}"
        else:
            lines = f"y = x {change}\nreturn {callee}(y)" if self.wordy else f"return {callee}(x {change})"
        return _indented(lines)


def run(steps: Sequence[Step], x: int) -> int:
    """What the first function of a chain returns for `x`."""
    step, rest = steps[0], steps[1:]
    change = OPERATORS[step.sign]
    if not rest:
        return change(x, step.number)
    return change(run(rest, x), step.number) if step.after else run(rest, change(x, step.number))


def function_names(rng: np.random.Generator, pool: Pool) -> Iterator[str]:
    """Distinct names of functions, `verb_quality_thing`: millions."""
    return _distinct(rng, pool, (VERBS, QUALITIES, THINGS), "_")


def modules(rng: np.random.Generator, pool: Pool) -> Iterator[str]:
    """Distinct modules, `package.quality_thing`: hundreds of thousands."""
    names = _distinct(rng, pool, (PACKAGES, QUALITIES, THINGS), "_")
    return (name.replace("_", ".", 1) for name in names)


def named(text: str) -> set[str]:
    """What looks like a function's name in a text, whether it is one or not."""
    return set(_NAME.findall(text.lower().replace("\\_", "_")))


def draw_deed(rng: np.random.Generator, pool: Pool, behaviour: Behaviour) -> Deed:
    """A behaviour with a number from one pool: of the numbers of each behaviour, one in four is for samples."""
    part = zlib.crc32(behaviour.says.encode())
    return Deed(behaviour, pick(rng, [number for number in NUMBERS if ((number + part) % 4 == 0) == (pool == "sample")]))


def draw_step(rng: np.random.Generator, signs: str) -> Step:
    """A step whose operation is one of `signs`: + and - by 2 to 19, * by 2 or 3."""
    sign, form = signs[below(rng, len(signs))], below(rng, 4)
    return Step(sign, 2 + below(rng, 2 if sign == "*" else 18), form % 2 == 1, form >= 2)


def doing(rng: np.random.Generator, module: str, functions: Sequence[tuple[str, Deed]]) -> str:
    """A file, without its last line break, of functions that do something, given as names and deeds."""
    imports = dict.fromkeys(deed.behaviour.imports for _, deed in functions if deed.behaviour.imports)
    arguments = [pick(rng, _ARGUMENTS[deed.behaviour.argument]) for _, deed in functions]
    made = [f"def {name}({argument}):\n{deed.body(argument)}" for (name, deed), argument in zip(functions, arguments, strict=True)]
    return "\n".join([_header(module), *imports, *made])


def calling(module: str, name: str, step: Step, callee: tuple[str, str] | None) -> str:
    """A file, without its last line break, of one function that takes a step and calls the next, given as module and name."""
    imports = [f"from {callee[0]} import {callee[1]}"] if callee else []
    return "\n".join([_header(module), *imports, f"def {name}(x):\n{step.body(callee[1] if callee else '')}"])


@dataclass(frozen=True)
class Files:
    """The stream `code:<seed>`: files of one to three functions, a third of them steps of call chains."""

    seed: int
    name = "code"
    endless = True

    @classmethod
    def of(cls, text: str) -> Self:
        """From `seed`."""
        return cls(int(text))

    @property
    def digest(self) -> str:  # noqa: D102
        return digest("code", VERSION, BLOCK_CHARS, self.seed)

    def blocks(self) -> Iterator[list[str]]:  # noqa: D102
        block: list[str] = []
        size = 0
        for text in self._files():
            block.append(f"{text}\n")
            size += len(text) + 1
            if size >= BLOCK_CHARS:
                yield block
                block, size = [], 0
        raise CorpusError("haystack 'code' has used up all its names of functions and files; ask for shorter contexts.")

    def _files(self) -> Iterator[str]:
        rng = generator("code", "files", self.seed)
        names = function_names(generator("code", "names", self.seed), "haystack")
        files = modules(generator("code", "modules", self.seed), "haystack")
        while True:
            size = pick(rng, _REACH)
            steps = list(zip(islice(files, size), islice(names, size), strict=False))
            if len(steps) < size:
                return
            callees = {int(a): steps[b] for a, b in pairwise(permutation(rng, size)) if below(rng, 4)}
            for i, step in enumerate(steps):
                while count := pick(rng, _COUNTS):
                    module, own = next(files, None), list(islice(names, count))
                    if module is None or len(own) < count:
                        return
                    yield doing(rng, module, [(name, draw_deed(rng, "haystack", pick(rng, BEHAVIOURS))) for name in own])
                yield calling(*step, draw_step(rng, "++--*"), callees.get(i))


def _header(module: str) -> str:
    return f"# file: {module.replace('.', '/')}.py"


def _indented(lines: str) -> str:
    return "    " + lines.replace("\n", "\n    ")


def _distinct(rng: np.random.Generator, pool: Pool, tables: tuple[tuple[str, ...], ...], joint: str) -> Iterator[str]:
    a, b, c = tables
    seen: set[str] = set()
    while len(seen) < len(a) * len(b) * len(c) // 8 * (3 if pool == "haystack" else 1):  # half of the pool: drawing stays fast
        name = joint.join((pick(rng, a), pick(rng, b), pick(rng, c)))
        if name not in seen and _of_sample(name) == (pool == "sample"):
            seen.add(name)
            yield name


def _of_sample(name: str) -> bool:
    """Which pool a name belongs to: one in four is for samples."""
    return (zlib.crc32(name.encode()) >> 9) % 4 == 0
