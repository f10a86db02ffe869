"""How fast the ``prose`` haystack is written and how varied it is, beside the repeated block of ``noise`` haystacks.

Run: ``python tests/benchmarks/prose.py``.
"""

import itertools
import re
import time
from collections.abc import Iterable

from lceval.tasks.haystacks.prose import paragraphs

BLOCK = (
    "The hills are quiet. The water is cold. The road is long and we walk on. Evening comes and morning comes. "
    "There and back again."
)


def first_words(texts: Iterable[str], count: int) -> tuple[list[str], int, float]:
    """Take at least so many words from a stream of texts; return them with the bytes and the seconds that it took."""
    taken, words, size = [], 0, 0
    start = time.perf_counter()
    for text in texts:
        taken.append(text)
        words += text.count(" ") + 1
        size += len(text) + 1
        if words >= count:
            break
    seconds = time.perf_counter() - start
    return re.findall("[a-z]+", " ".join(taken).lower()), size, seconds


def unique_ratio(words: list[str], n: int = 5) -> float:
    """Distinct word n-grams as a share of all."""
    grams = list(zip(*(words[i:] for i in range(n)), strict=False))
    return len(set(grams)) / len(grams)


def main() -> None:
    """Print one line for each haystack."""
    print(f"{'haystack':<10}{'MB/s':>8}{'words/s':>12}{'5-grams 100k':>14}{'5-grams 1M':>12}")
    for name, texts in {"prose": paragraphs(0), "noise": itertools.repeat(BLOCK)}.items():
        words, size, seconds = first_words(texts, 1_000_000)
        ratios = [unique_ratio(words[:count]) for count in (100_000, 1_000_000)]
        print(f"{name:<10}{size / seconds / 1e6:>8.1f}{len(words) / seconds:>12,.0f}{ratios[0]:>14.4f}{ratios[1]:>12.4f}")


if __name__ == "__main__":
    main()
