"""Tokenized haystacks and vocabularies: made once per (text, tokenizer), kept on disk, memory-mapped.

A prompt is slices of these arrays around needle pieces, so composing one costs an array copy, whatever its length.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lceval.cache import cache_dir, lock
from lceval.errors import CorpusError
from lceval.tokens import Encoded, Tokenizer
from lceval.types import TokenIds

FORMAT = 3
"""Raised whenever the arrays below change their meaning."""

START_REGION_CHARS = 2 << 20
"""An endless text's samples begin within its first 2 MiB (those of items within a quarter of it), so that asking for longer prompts
moves no sample."""

CHOICE = 64
"""Among how many items the one is chosen that fills a prompt best."""

SPARSEST = 256
"""Needles go between the sentences of running text, unless those are further apart than this many tokens: then between lines."""

_SENTENCE_ENDS = re.compile(r"(?<=[.!?])[\"')\]”’]*(?=\s+[^\sa-z])")
_LINES = re.compile(r"\n+(?=\S)")


@runtime_checkable
class Source(Protocol):
    """A text to hide needles in."""

    @property
    def name(self) -> str:
        """As the user writes it: `prose`, `path:essays/`."""
        ...

    @property
    def endless(self) -> bool:
        """Whether there is always more of it; other texts start over when they end."""
        ...

    @property
    def digest(self) -> str:
        """Identity of the text (of the whole stream, for an endless one)."""
        ...

    def blocks(self) -> Iterator[Block]:
        """The text in pieces that end where a line ends; the same pieces every time."""
        ...


Block: TypeAlias = str | list[str]
"""A piece of running text, or the items that make one up (each ends a line): a prompt is cut anywhere in the one, and only between
items in the other."""


@runtime_checkable
class Vocabulary(Protocol):
    """Words for contexts that are laid out word by word (`lceval.types.Arranger`)."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def digest(self) -> str:
        """Identity of the list."""
        ...

    @property
    def words(self) -> Sequence[str]:
        """All words, without spaces."""
        ...


@dataclass(frozen=True, slots=True)
class Corpus:
    """A tokenized text and the places where a needle may be put into it."""

    name: str
    digest: str
    ids: TokenIds
    """[N] tokens of the whole text."""
    starts: NDArray[np.int64]
    """[S] ascending token indices at which a sentence begins (the space or line break before it included) or, in line-wise
    texts, a line."""
    unsafe: NDArray[np.int64]
    """Ascending token indices inside a character: a text must not be cut there."""
    joint: Literal[" ", "\n"]
    """What separates a sentence from its neighbours where needles go: a space in running text, else a line break."""
    region: int
    """The first `region` entries of `starts` are where samples may begin."""
    endless: bool
    whole: bool = False
    """Whether it is made of items, which `starts` begin and a prompt never cuts."""

    def begin(self, fraction: float) -> int:
        """The token index at which a sample with this `Draft.start` begins."""
        return int(self.starts[int(fraction * self.region)])

    def take(self, begin: int, start: int, stop: int) -> list[TokenIds]:
        """Tokens [start, stop) counted from `begin`, as slices; a finite text starts over when it ends."""
        slices = []
        position, end = begin + start, begin + stop
        while position < end:
            offset = position % len(self.ids)
            piece = self.ids[offset : offset + end - position]
            slices.append(piece)
            position += len(piece)
        return slices

    def nearest_start(self, begin: int, target: int, limit: int) -> int:
        """The sentence start nearest to `target`, all counted in tokens from `begin`, in [0, limit]."""
        lap, offset = divmod(begin + min(max(target, 0), limit), len(self.ids))
        near = int(np.searchsorted(self.starts, offset))
        candidates = []
        for i in (near - 1, near):
            laps, entry = divmod(i, len(self.starts))
            candidates.append(int(self.starts[entry]) + (lap + laps) * len(self.ids) - begin)
        inside = [c for c in candidates if 0 <= c <= limit]
        return min(inside, key=lambda c: (abs(c - target), c))

    def fill(self, begin: int, room: int) -> tuple[int, tuple[int, int]]:
        """How to fill a room of `room` tokens from `begin` on.

        Returns:
            Where the running part ends, and the slice that comes last, all counted in tokens from `begin`. Running text needs no
            last slice. The last item is chosen among those that follow, so that as little as possible of the room stays empty.
        """
        if not self.whole:
            stop = self.safe_stop(begin, room)
            return stop, (stop, stop)
        first, fit = (int(i) for i in np.searchsorted(self.starts, (begin, begin + room + 1)))
        fit -= 1
        best, stop, last = int(self.starts[fit]), int(self.starts[fit]), (0, 0)
        for keep in (fit, fit - 1):  # one more behind those that fit, or another in place of the last of them
            if keep < first:
                continue
            begins = self.starts[keep : keep + CHOICE + 1].astype(np.int64)
            sizes = np.diff(begins)
            sizes[begins[0] + sizes > begin + room] = -1
            chosen = int(np.argmax(sizes)) if len(sizes) else 0
            if len(sizes) and begins[0] + sizes[chosen] > best:
                best, stop = int(begins[0] + sizes[chosen]), int(begins[0])
                last = int(begins[chosen]), int(begins[chosen + 1])
        return (stop - begin, (last[0] - begin, last[1] - begin)) if last[1] else (stop - begin, (stop - begin, stop - begin))

    def safe_stop(self, begin: int, stop: int) -> int:
        """The largest end of a slice, at most `stop` tokens after `begin`, that does not cut a character."""
        while stop > 0:
            offset = (begin + stop) % len(self.ids)
            i = int(np.searchsorted(self.unsafe, offset))
            if i == len(self.unsafe) or self.unsafe[i] != offset:
                break
            stop -= 1
        return stop


def tokenized(source: Source, tokenizer: Tokenizer, tokens: int) -> Corpus:
    """The corpus of a source, long enough for prompts of `tokens` tokens; from the disk when it is there.

    Raises:
        CorpusError: the text is empty, or has no sentence starts.
    """
    region = START_REGION_CHARS
    if source.endless and isinstance(next(source.blocks()), list):
        region //= 4  # a family has several streams of items, and each sample its own needles among them
    need = region + 8 * tokens if source.endless else 0
    chars = 1 << max(need - 1, 0).bit_length() if need else 0
    folder = cache_dir() / "corpora" / f"{FORMAT}-{source.digest}-{tokenizer.hash}-{chars}"
    if not folder.exists():
        with lock(folder):
            if not folder.exists():
                _build(source, tokenizer, chars, region, folder)
    try:
        corpus = _open(source, folder)
    except (OSError, ValueError, KeyError) as error:
        raise CorpusError(
            f"the cached tokens of haystack {source.name!r} are damaged ({error}). Delete the folder {folder}."
        ) from error
    if source.endless and corpus.starts[corpus.region - 1] + tokens > len(corpus.ids):
        raise CorpusError(
            f"haystack {source.name!r} was made {chars} characters long and has {len(corpus.ids)} tokens, too few for "
            f"{tokens} more after its last beginning: this tokenizer's tokens are unusually long. Use -T haystack=path:FILE."
        )
    return corpus


@dataclass(frozen=True, slots=True)
class Words:
    """A tokenized vocabulary."""

    ids: TokenIds
    """[N] tokens of all words, one after the other, each with the space before it."""
    offsets: NDArray[np.int64]
    """[V + 1] where each word's tokens begin, and where the last one's end."""

    @property
    def sizes(self) -> NDArray[np.int64]:
        """[V] tokens of each word."""
        return np.diff(self.offsets)

    def lay(self, words: NDArray[np.int64]) -> tuple[TokenIds, NDArray[np.int64]]:
        """[N] tokens of the words in this order, and [W + 1] where each begins and the last one ends."""
        sizes = self.sizes[words]
        ends = np.cumsum(sizes)
        begins = np.concatenate(([0], ends))
        # Token t of the text lies in its word's tokens as far in as it lies in its word here.
        source = np.arange(begins[-1]) + np.repeat(self.offsets[words] - begins[:-1], sizes)
        return self.ids[source], begins


def tokenized_words(vocabulary: Vocabulary, tokenizer: Tokenizer) -> Words:
    """The tokens of a vocabulary; from the disk when they are there."""
    folder = cache_dir() / "corpora" / f"{FORMAT}-{vocabulary.digest}-{tokenizer.hash}-words"
    if not folder.exists():
        with lock(folder):
            if not folder.exists():
                pieces = tokenizer.words(vocabulary.words)
                offsets = np.concatenate(([0], np.cumsum([len(piece) for piece in pieces], dtype=np.int64)))
                _keep(folder, vocabulary.name, {"ids": np.concatenate(pieces), "offsets": offsets}, {})
    try:
        return Words(ids=np.load(folder / "ids.npy"), offsets=np.load(folder / "offsets.npy"))
    except (OSError, ValueError) as error:
        raise CorpusError(f"the cached tokens of {vocabulary.name!r} are damaged ({error}). Delete the folder {folder}.") from error


def _open(source: Source, folder: Path) -> Corpus:
    meta = json.loads((folder / "meta.json").read_text())
    return Corpus(
        name=source.name,
        digest=source.digest,
        ids=np.load(folder / "ids.npy", mmap_mode="r"),
        starts=np.load(folder / "starts.npy", mmap_mode="r"),
        unsafe=np.load(folder / "unsafe.npy"),
        joint=meta["joint"],
        region=meta["region"],
        endless=source.endless,
        whole=meta.get("whole", False),
    )


def _build(source: Source, tokenizer: Tokenizer, chars: int, start_region: int, folder: Path) -> None:
    ids: list[TokenIds] = []
    unsafe: list[NDArray[np.int64]] = []
    starts: dict[str, list[NDArray[np.int64]]] = {" ": [], "\n": []}
    region = {" ": 0, "\n": 0}
    read = tokens = 0
    whole = False
    for blocks in _batches(source.blocks(), chars):
        texts = [block if isinstance(block, str) else "".join(block) for block in blocks]
        for block, text, encoded in zip(blocks, texts, tokenizer.encode_lines(texts), strict=True):
            whole = not isinstance(block, str)
            inline, lines = _sentence_starts(text, encoded) if isinstance(block, str) else _item_starts(block, encoded)
            for joint, found in ((" ", inline), ("\n", lines)):
                starts[joint].append(found + tokens)
                if not source.endless or read < start_region:
                    region[joint] += len(found)
            unsafe.append(np.flatnonzero(encoded.starts[1:] < encoded.ends[:-1]) + 1 + tokens)
            ids.append(encoded.ids)
            tokens += len(encoded.ids)
            read += len(text)
    if not tokens:
        raise CorpusError(f"haystack {source.name!r} is empty: it has no text to hide a needle in.")
    joint = " " if not whole and sum(map(len, starts[" "])) * SPARSEST >= tokens else "\n"
    if not region[joint]:
        raise CorpusError(
            f"haystack {source.name!r} has no place for a needle: no sentence of it begins after a full stop and a space, "
            "and no line begins after a line break at which this tokenizer can be cut."
        )
    arrays = {"ids": np.concatenate(ids), "starts": np.concatenate(starts[joint]), "unsafe": np.concatenate(unsafe)}
    _keep(folder, source.name, arrays, {"joint": joint, "region": region[joint], "whole": whole, "source": source.name})


def _keep(folder: Path, name: str, arrays: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
    """Write a folder of arrays that appears as a whole or not at all."""
    scratch = folder.with_name(f".building-{folder.name}")
    try:
        shutil.rmtree(scratch, ignore_errors=True)  # of a process that was killed
        scratch.mkdir(parents=True)
        for file, array in arrays.items():
            np.save(scratch / f"{file}.npy", array)
        (scratch / "meta.json").write_text(json.dumps(meta))
        scratch.rename(folder)
    except OSError as error:
        raise CorpusError(
            f"cannot keep the tokens of {name!r} in {folder.parent}: {error.strerror}. Make room, or set LCEVAL_CACHE to a folder "
            "with more."
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _batches(blocks: Iterator[Block], chars: int) -> Iterator[list[Block]]:
    """Blocks in lists of about 2 MiB, enough for the tokenizer's threads; stops at `chars` characters unless that is 0."""
    batch: list[Block] = []
    size = total = 0
    for block in blocks:
        length = len(block) if isinstance(block, str) else sum(map(len, block))
        batch.append(block)
        size += length
        total += length
        if size >= 2 << 20 or (chars and total >= chars):
            yield batch
            batch, size = [], 0
        if chars and total >= chars:
            return
    if batch:
        yield batch


def _item_starts(items: Sequence[str], encoded: Encoded) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token indices at which an item begins (never inside a line), as those of lines."""
    begins = np.cumsum([0, *map(len, items[:-1])], dtype=np.int64)
    return np.empty(0, dtype=np.int64), _cuts(begins, 0, encoded)


def _sentence_starts(text: str, encoded: Encoded) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token indices at which a sentence begins, the space or line break before it included, and at which a line begins."""
    sentences = [match.end() for match in _SENTENCE_ENDS.finditer(text)]
    lines = [0, *(match.end() for match in _LINES.finditer(text))]
    return _cuts(np.asarray(sentences, dtype=np.int64), 1, encoded), _cuts(np.asarray(lines, dtype=np.int64), 0, encoded)


def _cuts(chars: NDArray[np.int64], slack: int, encoded: Encoded) -> NDArray[np.int64]:
    """Tokens that begin at `chars` (or up to `slack` later, where the tokenizer drops the space) and share no character before."""
    if not len(chars) or not len(encoded.ids):
        return np.empty(0, dtype=np.int64)
    ends_before = np.maximum.accumulate(np.concatenate(([0], encoded.ends[:-1])))
    tokens = np.searchsorted(encoded.starts, chars)
    inside = tokens < len(encoded.ids)
    tokens, chars = tokens[inside], chars[inside]
    return np.asarray(tokens[(encoded.starts[tokens] <= chars + slack) & (ends_before[tokens] <= chars)], dtype=np.int64)
