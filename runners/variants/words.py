"""Bands as people write them: formulas read off the sets of pairs and the position maps themselves."""

from __future__ import annotations

from collections.abc import Iterable

from lceval.runners.variants.pairs import (
    AllOf,
    AnyOf,
    At,
    Band,
    Chunks,
    Dilate,
    Far,
    First,
    Near,
    Pairs,
    Random,
    Segment,
    Stride,
)
from lceval.runners.variants.spec import spelled

_SUM, _PRODUCT, _WHOLE = range(3)


class Term:
    """Arithmetic that writes itself down: a position map that is given one gives its own formula.

    Args:
        text: the formula so far.
        kind: its outermost operation, for brackets.
    """

    def __init__(self, text: str, kind: int = _WHOLE) -> None:
        self.text, self.kind = text, kind

    def __add__(self, n: float) -> Term:
        if n == 0:
            return self
        return Term(spelled(n)) if self.text == "0" else Term(f"{self.text} + {spelled(n)}", _SUM)

    def __mul__(self, n: float) -> Term:
        if n in (0, 1):
            return self if n else Term("0")
        return Term(f"{self.at_least(_PRODUCT)} · {spelled(n)}", _PRODUCT)

    def __truediv__(self, n: float) -> Term:
        return self if n == 1 else Term(f"{self.at_least(_PRODUCT)} / {spelled(n)}", _PRODUCT)

    def __floordiv__(self, n: float) -> Term:
        return self if n == 1 else Term(f"⌊{self.at_least(_PRODUCT)} / {spelled(n)}⌋")

    def __mod__(self, n: float) -> Term:
        return Term(f"{self.at_least(_WHOLE)} mod {spelled(n)}", _PRODUCT)

    def clip(self, *, max: float) -> Term:
        """As of arrays and tensors."""
        return Term(f"min({self.text}, {spelled(max)})")

    def at_least(self, kind: int) -> str:
        """The formula, in brackets unless its outermost operation binds as tightly."""
        return self.text if self.kind >= kind else f"({self.text})"


def distance(band: Band) -> str:
    """How far key j appears from query i in a band."""
    q, k = band.q(Term("i")), band.k(Term("j"))
    return str(q.text) if k.text == "0" else f"{q.text} − {k.at_least(_PRODUCT)}"


def condition(see: Pairs) -> str:
    """Which pairs are in a set."""
    match see:
        case Near(width):
            return f"i − j < {width}"
        case Far(width):
            return f"i − j ≥ {width}" if width else "j ≤ i"
        case First(count):
            return f"j < {count}"
        case At(tokens):
            return f"j in {ranges(tokens)}"
        case Stride(step):
            return f"j mod {step} = {step - 1}"
        case Dilate(rate):
            return f"(i − j) mod {rate} = 0"
        case Random(probability, seed):
            return f"{Random.SIZE} × {Random.SIZE} blocks with probability {probability:g}, seed {seed}"
        case Segment(length, memory):
            return f"j ≥ ⌊i / {length}⌋ · {length}" + (f" − {memory}" if memory else "")
        case Chunks(size, least, most):
            apart = f"⌊i / {size}⌋ − ⌊j / {size}⌋"
            return (
                f"{apart} ≥ {least}" if most is None else f"{apart} = {least}" if most == least else f"{least} ≤ {apart} ≤ {most}"
            )
        case AnyOf(parts):
            return " or ".join(map(condition, parts))
        case AllOf(parts):
            return " and ".join(
                f"({condition(part)})" if isinstance(part, AnyOf) and len(part.parts) > 1 else condition(part) for part in parts
            )
    return str(see)


def ranges(numbers: Iterable[int]) -> str:
    """Ascending whole numbers: `0-3, 7`."""
    found: list[list[int]] = []
    for n in numbers:
        if found and found[-1][1] == n - 1:
            found[-1][1] = n
        else:
            found.append([n, n])
    return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in found)


def layers(numbers: Iterable[int]) -> str:
    """`layer 3`, `layers 0-2, 4`."""
    text = ranges(sorted(numbers))
    return f"layer {text}" if text.isdecimal() else f"layers {text}"
