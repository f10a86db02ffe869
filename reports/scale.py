"""What colours mean, the same in pictures and pages."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lceval.reports.text import score_text, signed_text

FADED = 0.22
"""How much colour is left to what is not decided."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers from `low` to `high` as the colours of one of matplotlib's maps."""

    title: str
    meaning: str
    """The title in full."""
    words: Callable[[float], str]
    """How a number is written."""
    colours: str
    low: float
    high: float
    fades: bool = False
    """Whether numbers whose interval includes 0 keep but `FADED` of their colour."""

    def colour(self, value: float, share: float = 1) -> tuple[float, float, float]:
        """Red, green and blue in [0, 1]; of `share` less than 1, blended with white."""
        from matplotlib import colormaps

        parts = colormaps[self.colours]((value - self.low) / (self.high - self.low))[:3]
        red, green, blue = (share * float(part) + 1 - share for part in parts)
        return red, green, blue

    @property
    def gradient(self) -> str:
        """The scale as a CSS gradient, low to high."""
        steps = [self.colour(self.low + (self.high - self.low) * i / 16) for i in range(17)]
        return ",".join("#" + "".join(f"{round(255 * part):02x}" for part in step) for step in steps)

    @property
    def ticks(self) -> tuple[float, float, float]:
        """Its ends and its middle."""
        return self.low, (self.low + self.high) / 2, self.high


SCORE = Scale("strict score", "mean strict score", score_text, "viridis", 0, 1)
"""Perceptually uniform with a monotone lightness, so equal steps of score look equal, the map survives grey printing,
and order can be read under all common colour vision deficiencies (van der Walt & Smith 2015; Crameri, Shephard & Heron,
"The misuse of colour in science communication", Nat. Commun. 11, 5444 (2020)). Its hue changes as well, which lets one
tell 0.8 from 0.9 better than single-hue maps do, and it contains no grey, which is kept for missing cells."""

DIFFERENCE = Scale(
    "difference",
    "mean difference of the strict scores, faded where its 95 % interval includes 0",
    signed_text,
    "RdBu",
    -1,
    1,
    fades=True,
)
"""Losses are red, gains are blue, which common colour vision deficiencies tell apart; nothing is white."""


def logprob_scale(values: Iterable[float]) -> Scale:
    """From the lowest of some log-probabilities, rounded down to whole nats, to 0."""
    low = min([-1, *(math.floor(value) for value in values if not math.isnan(value))])
    return Scale("nats a token", "mean log-probability of the gold answer, nats a token", "{:.2f}".format, "viridis", low, 0)
