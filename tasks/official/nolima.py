"""NoLiMa needle sets: what `association` asks, in upstream's own sentences.

Measures retrieval without words in common: the needle says something of a person, the question asks who has a property that
follows from it by knowledge of the world. Source: NoLiMa (arXiv:2502.05167, adobe-research/NoLiMa). Its needle sets are under
Adobe's research licence, so they are not ours to ship: the file is the user's, and so are the sentences in it.

Upstream seeds by the order of a folder's listing, measures the haystack alone, and fills only the last placeholder of a
question that has two. Here lengths count everything, every sample hangs on its index, and all placeholders are filled.

Cells of an index share the prompt up to the shallower of their needles.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from pydantic import Field, field_validator

from lceval.errors import UsageError
from lceval.keys import pick, shuffled, uniform
from lceval.tasks import haystacks
from lceval.tasks.family import Family, FamilyParams, sample_start
from lceval.tasks.official import formulas, read
from lceval.tasks.scoring import too_long
from lceval.types import Draft, Needle, Question, Score

_BUDGET = 192  # upstream's
_ARGUMENT = re.compile(r"\{(\d+)\}")


@dataclass(frozen=True, slots=True)
class Case:
    """One needle with one question about it; only the person's name is open."""

    id: str
    """NEEDLE/QUESTION_TYPE/TEST, as the file names them."""
    needle: str
    question: str
    distractor: str
    """A sentence that reminds of the question and answers nothing; empty if the file has none."""
    names: tuple[str, ...]
    gold: tuple[str, ...]
    """Gold answers that the file gives; empty: the name."""
    frame: tuple[str, str]
    """What stands before and after the text; the latter has the question in it."""


class NolimaParams(FamilyParams):
    """The parameters of `nolima`."""

    data: str = Field("", description="a needle-set JSON file of NoLiMa (Adobe's research licence applies to it)")
    tests: str = Field("", description="only tests whose NEEDLE/QUESTION_TYPE/TEST contains this, such as 0401 or onehop")
    haystack: str = Field("prose", description=" | ".join(haystacks.FORMS.values()))
    distractor: bool = Field(False, description="plant the set's distracting sentence too, at least 0.2 away from the needle")

    @field_validator("haystack")
    @classmethod
    def _haystack(cls, value: str) -> str:
        if value == "needles":
            raise ValueError("a sentence of running text cannot hide among generated needles; use prose, pydocs, path:… or hf:…")
        return haystacks.check(value)


class Nolima(Family[NolimaParams]):
    """The task family `nolima`: index i is test i, modulo their number, of the user's needle set, with another name every time."""

    family = "nolima"
    version = 1
    Params = NolimaParams

    @cached_property
    def cases(self) -> list[Case]:
        """The tests of the file.

        Raises:
            UsageError: no file is named, it is no needle set, or it has not what the parameters ask for.
        """
        p = self.params
        cases = [case for case in self._set.cases if p.tests in case.id]
        if not cases:
            ids = [case.id for case in self._set.cases]
            raise UsageError(f"tests={p.tests!r} is in none of the {len(ids)} tests of {p.data!r}: {', '.join(ids[:8])}, …")
        if p.distractor and not all(case.distractor for case in cases):
            raise UsageError(f"distractor=true, but {p.data!r} has no distractor for every question; leave it off.")
        return cases

    @property
    def digest(self) -> str:
        """Identity of the needle set; empty without one."""
        return self._set.digest if self.params.data else ""

    @cached_property
    def _set(self) -> _Set:
        data = self.params.data
        if not data:
            raise UsageError("a NoLiMa needle set is a file of yours: -T data=needle_set.json.")
        return _needle_set(data, read.state(data))

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(sorted({name for case in self.cases for name in case.names}))

    @cached_property
    def _named(self) -> re.Pattern[str]:
        return _words(sorted(self._names, key=len, reverse=True))

    @property
    def chance(self) -> float:
        """One name of all those of the set, for the tests whose answer is the name; NaN without a file."""
        if not self.params.data:
            return math.nan
        return sum(not case.gold for case in self.cases) / len(self.cases) / len(self._names)

    @property
    def floors(self) -> str:  # noqa: D102
        return (
            "any name of the set scores 1 / names; whoever finds the only one of them in the text scores 1 without "
            "any association; printing the context official 1, strict 0"
        )

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:  # noqa: D102
        p = self.params
        assert depth is not None
        case = self.cases[index % len(self.cases)]
        turn, place = divmod(index // len(self.cases), len(case.names))
        # The names of a test come in random order, each once before any comes again.
        names = shuffled(self.rng(case.needle, case.question, case.names, seed, turn), case.names)
        name, other = names[place], names[place - 1]
        planted = [Needle(case.needle.replace("{CHAR}", name), depth)]
        if p.distractor:
            away = 0.2 + 0.6 * uniform(self.rng("distractor", case.question, seed, index))
            planted.append(Needle(case.distractor.replace("{CHAR}", other), (depth + away) % 1))
        before, after = case.frame
        answers = [answer.replace("{CHAR}", name) for answer in case.gold] or [name]
        question = self.ask(
            after.replace("{question}", case.question),
            answers,
            prefix="Answer:",
            budget=_BUDGET,
            support=[0] if p.distractor else (),
            gold=answers[0],
        )
        return Draft(
            instruction=before,
            haystack=haystacks.resolve(p.haystack, seed=seed, needle_type=""),
            start=sample_start(seed, index),
            needles=tuple(planted),
            questions=(question,),
        )

    def score(self, question: Question, text: str) -> Score:
        """Official: 1 if a gold answer is in the output, letter case included (adobe-research/NoLiMa, metric contains).

        Strict: 1 if a gold answer is in the output as a whole word, whatever its case, and no other name of the set is; 0 for more
        words than the answer's token budget. `em`, `last_line_em`, `last_line_contains`: the other metrics of upstream.
        """
        gold = question.answers
        said, known = ({name.casefold() for name in self._named.findall(part)} for part in (text, " ".join((question.text, *gold))))
        wrong = bool(said - known) or too_long(text, question.max_new_tokens)
        return Score(
            official=formulas.nolima_contains(text, gold),
            strict=float(not wrong and bool(_words(gold).search(text))),
            details={
                "em": formulas.nolima_em(text, gold),
                "last_line_em": formulas.nolima_last_line_em(text, gold),
                "last_line_contains": formulas.nolima_last_line_contains(text, gold),
            },
        )

    def solve(self, text: str) -> str:
        """Whoever stands in the needle of the last question: which that is, the file says; of the world nothing is known here."""
        asked = [(at + len(case.question), len(case.question)) for case in self.cases if (at := text.rfind(case.question)) >= 0]
        for case in self.cases if asked else ():
            end, length = max(asked)
            if text[end - length : end] == case.question and (found := _pattern(case.needle, case.names).search(text)):
                return case.gold[0].replace("{CHAR}", found[1]) if case.gold else found[1]
        return ""

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """Any name of the set."""
        return pick(rng, self._names)


def _words(parts: Iterable[str]) -> re.Pattern[str]:
    """Any of the parts as whole words, ignoring case; underscores may be marks of emphasis."""
    return re.compile(rf"(?i)(?<![^\W_])(?:{'|'.join(map(re.escape, parts))})(?![^\W_])")


@lru_cache(maxsize=512)
def _pattern(needle: str, names: tuple[str, ...]) -> re.Pattern[str]:
    before, _, after = needle.partition("{CHAR}")
    any_name = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return re.compile(f"{re.escape(before)}({any_name}){re.escape(after).replace(re.escape('{CHAR}'), '(?:.*?)')}")


class _Set(NamedTuple):
    cases: tuple[Case, ...]
    """All tests, in the file's order."""
    digest: str


@lru_cache(maxsize=16)
def _needle_set(data: str, state: tuple[object, ...]) -> _Set:
    """What is in a file, which is read again when its state is another.

    Raises:
        UsageError: it cannot be read, or it is no needle set.
    """
    entries, digest = read.load(data)
    found: list[Case] = []
    for entry in entries:
        try:
            found += _of(entry)
        except (KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"data={data!r} is no NoLiMa needle set: entry {str(entry.get('id', '?'))!r} has {type(error).__name__} {error}. "
                "Each needs id, needle (with {CHAR}), questions {type: text}, tests {name: {input_args: […]}} character_set […]."
            ) from None
    return _Set(tuple(found), digest)


def _of(entry: Mapping[str, Any]) -> Iterator[Case]:
    names = tuple(dict.fromkeys(map(str, entry["character_set"])))
    if not names or "{CHAR}" not in entry["needle"]:
        raise KeyError("names" if not names else "{CHAR}")
    for kind, question in entry["questions"].items():
        for name, test in entry["tests"].items():
            args = test["input_args"]
            gold = test.get("gold_answers") or []
            yield Case(
                id=f"{entry['id']}/{kind}/{name}",
                needle=_filled(entry["needle"], args),
                question=_filled(question, args),
                distractor=_filled((entry.get("distractors") or {}).get(kind, ""), args),
                names=names,
                gold=tuple(_filled(answer, args) for answer in ([gold] if isinstance(gold, str) else gold)),
                frame=_frame(entry),
            )


def _filled(text: str, args: Sequence[object]) -> str:
    """{1}, {2}, … replaced; {CHAR} stays."""
    values = {str(i): str(value) for i, value in enumerate(args, 1)}
    return _ARGUMENT.sub(lambda found: values[found[1]], text)


def _frame(entry: Mapping[str, Any]) -> tuple[str, str]:
    """The file's own template if it has one, else ours."""
    system = f"{entry['system_prompt'].strip()}\n\n" if entry.get("system_prompt") else ""
    before, text, after = (entry.get("task_template") or "").partition("{haystack}")
    if text and "{question}" in after:
        return f"{system}{before.strip()}", after.strip()
    return (
        f"{system}A question follows the text below. What the text says answers it, once one thinks a step further.\n\nText:",
        "{question} Answer with nothing but the name.",
    )
