"""Whether a run is as good as a baseline: pass, regression or inconclusive.

Each task at each length, and all answers together, are judged by the differences between run and baseline, sample by sample:

* cleared: the lower bound of the mean difference, one-sided at 1 - alpha, is above minus the margin;
* worse: the p-value of no drop (`lceval.paired.sign_flip`), adjusted for the number of tests by Holm's method, is at most alpha.

What is cleared passes, what is worse and not cleared is a regression, the rest is inconclusive. A run passes when everything is
cleared. That takes no correction: a run that lost the margin anywhere is cleared there with probability alpha at most. It is a
regression when anything is one: if nothing changed, that has probability alpha at most, however many tests there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from lceval import floors
from lceval.baselines import Baseline
from lceval.comparing import Measure, Scored, Stratum, by_key, differences, differing, incomparable, paired
from lceval.errors import UsageError
from lceval.floors import Floor, MinScore
from lceval.lengths import format_length
from lceval.paired import holm, mean_interval, score_interval, sign_flip
from lceval.power import Design
from lceval.rows import KEYED, Run

Outcome = Literal["pass", "regression", "inconclusive", "not comparable"]
EXIT_CODES: Mapping[Outcome, int] = {"pass": 0, "regression": 1, "inconclusive": 3, "not comparable": 3}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a gate tolerates, and how sure it has to be."""

    margin: float = 0.02
    """By how much the strict score of all answers may drop."""
    stratum_margin: float | None = None
    """By how much one task at one length may; `margin` if None."""
    logprob_margin: float | None = None
    """By how many nats a token the log-probability of the gold answers may drop, in all and in each; None: it is not looked at."""
    alpha: float = 0.05
    """The probability of calling a regression where there is none, and of clearing one of the margin."""
    min_scores: tuple[MinScore, ...] = ()
    min_effective_length: int | None = None
    """Tokens."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name, value in (("--margin", self.margin), ("--stratum-margin", self.stratum_margin)):
            if value is not None and not 0 < value < 1:
                raise UsageError(f"{name} is {value}; it is a difference of scores, more than 0 and less than 1, such as 0.02.")
        if self.logprob_margin is not None and not self.logprob_margin > 0:
            raise UsageError(f"--logprob-margin is {self.logprob_margin}; it is in nats a token and more than 0, such as 0.05.")
        if not 0 < self.alpha < 0.5:
            raise UsageError(f"--alpha is {self.alpha}; it is a probability, more than 0 and less than 0.5, such as 0.05.")

    def of(self, stratum: Stratum | None, measure: Measure) -> float:
        """The margin of one test."""
        if measure == "logprob":
            return self.logprob_margin or 0.0
        return self.margin if stratum is None or self.stratum_margin is None else self.stratum_margin


@dataclass(frozen=True, slots=True)
class Plan:
    """What a comparison of this kind can tell."""

    finds_margin: float
    """Probability of calling a true drop of the margin a regression."""
    finds_twice: float
    """Of twice the margin."""
    haystacks: int
    """Samples a cell (of all seeds) that were compared."""
    needed: int | None
    """Samples a cell that decide: a drop of the margin is called, no drop passes, each with 80 %; None: too many to plan."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One comparison and its verdict."""

    stratum: Stratum | None
    """None: all answers."""
    measure: Measure
    pairs: int
    base: float
    """Mean of the baseline over the pairs."""
    run: float
    wins: int
    losses: int
    bound: float
    """The difference is not below this, with confidence 1 - alpha."""
    margin: float
    p: float
    """Of no drop, one-sided, adjusted for the number of tests."""
    alpha: float
    plan: Plan | None = None

    @property
    def difference(self) -> float:
        """The run's mean minus the baseline's."""
        return self.run - self.base

    @property
    def verdict(self) -> floors.Verdict:
        """See the module."""
        if self.bound > -self.margin:
            return "pass"
        return "regression" if self.p <= self.alpha else "inconclusive"


@dataclass(frozen=True, slots=True)
class Gate:
    """A run, judged."""

    run: Run
    baseline: Baseline | None
    limits: Limits
    judged: tuple[Judged, ...] = ()
    floors: tuple[Floor, ...] = ()
    incomparable: str = ""
    """What keeps it from being compared with the baseline."""
    incomplete: tuple[str, ...] = ()
    """What keeps it from passing: answers that are missing."""
    changed: Mapping[str, tuple[object, object]] | None = None
    """Fields of the fingerprints that differ: (baseline, run)."""
    unknown: tuple[Stratum, ...] = ()
    """Strata that the baseline does not have; they are not judged."""

    @property
    def verdict(self) -> Outcome:
        """The one word that all reports print and the exit code follows."""
        found = {part.verdict for part in self.judged} | {floor.verdict for floor in self.floors}
        if self.incomparable:
            return "not comparable"
        if "regression" in found:
            return "regression"
        return "inconclusive" if self.incomplete or "inconclusive" in found else "pass"

    @property
    def exit_code(self) -> int:
        """0 pass, 1 regression, 3 inconclusive or not comparable."""
        return EXIT_CODES[self.verdict]


def gate(run: Run, baseline: Baseline | None, limits: Limits, *, power: bool = False) -> Gate:
    """Judge a run.

    Args:
        run: the candidate.
        baseline: what to compare it with; None where there are floors only.
        limits: what is tolerated.
        power: also say what the comparison can tell, and how many samples would decide.

    Raises:
        UsageError: nothing to judge by, or floors for tasks or lengths that the run does not have.
    """
    if baseline is None and not limits.min_scores and limits.min_effective_length is None:
        raise UsageError("nothing to judge by. Add --baseline FILE ('lceval baseline RUN -o FILE' makes one) or --min-score.")
    held = floors.judge(run, limits.min_scores, limits.min_effective_length)
    answered = {row.planned_key for row in run.rows if row.strict is not None}
    missing = len(run.planned - answered)
    incomplete = [f"{missing} of {len(run.planned)} planned answers are missing"] if missing or not run.planned else []
    found = Gate(run, baseline, limits, floors=tuple(held), incomplete=tuple(incomplete))
    if baseline is None:
        return found
    ours, theirs = baseline.by_key, by_key(run.rows)
    strata = paired(ours, theirs)
    changed = differing(baseline.fingerprint, run.info.fingerprint)
    found = replace(found, changed=changed, incomparable=_incomparable(baseline, run, changed, common=bool(strata)))
    if found.incomparable:
        return found
    asked, present = {key.stratum for key in ours}, {key.stratum for key in theirs}
    incomplete += [
        f"{lost.task} at {format_length(lost.length)} is in the baseline and not in the run"
        for lost in sorted(asked - strata.keys())
    ]
    judged = judge(strata, limits, power=power)
    return replace(found, judged=tuple(judged), incomplete=tuple(incomplete), unknown=tuple(sorted(present - asked)))


def _incomparable(baseline: Baseline, run: Run, changed: Mapping[str, tuple[object, object]], *, common: bool) -> str:
    """What makes the prompts others; a change of the weights, the variant or the engine is what a gate is there to judge."""
    for field in KEYED:
        if field in changed:
            was, now = changed[field]
            return f"{field} was {was!r} in the baseline and is now {now!r}, so the prompts differ. Make a new baseline."
    return incomparable(baseline.grids, run.info.grids, common=common)


def judge(strata: Mapping[Stratum, Sequence[tuple[Scored, Scored]]], limits: Limits, *, power: bool = False) -> list[Judged]:
    """Judge pairs of answers, the baseline's and the run's: each stratum, and all together where there are several.

    Args:
        strata: the pairs.
        limits: what is tolerated.
        power: also plan.
    """
    parts: list[tuple[Stratum | None, Sequence[tuple[Scored, Scored]]]] = [*strata.items()]
    if len(parts) > 1:
        parts.append((None, [pair for part in strata.values() for pair in part]))
    measures: list[Measure] = ["strict", "logprob"] if limits.logprob_margin is not None else ["strict"]
    tests = [(stratum, measure, pairs) for measure in measures for stratum, pairs in parts]
    judged = [_judged(*test, limits, limits.alpha / len(tests) if power else None) for test in tests]
    return [replace(test, p=p) for test, p in zip(judged, holm([test.p for test in judged]), strict=True)]


def _judged(
    stratum: Stratum | None, measure: Measure, pairs: Sequence[tuple[Scored, Scored]], limits: Limits, alpha_each: float | None
) -> Judged:
    margin = limits.of(stratum, measure)
    values, member = differences(pairs, measure)
    known = [(was, now) for was, now in pairs if getattr(was, measure) is not None and getattr(now, measure) is not None]
    if not known:
        nothing = float("nan")
        return Judged(stratum, measure, 0, nothing, nothing, 0, 0, -float("inf"), margin, 1.0, limits.alpha)
    interval = score_interval if measure == "strict" else mean_interval
    plan = None
    if alpha_each is not None and measure == "strict":
        design = Design(values, np.array([was.strict for was, _ in known]), member)
        plan = Plan(
            finds_margin=design.finds(margin, alpha_each),
            finds_twice=design.finds(min(1.0, 2 * margin), alpha_each),
            haystacks=design.clusters,
            needed=design.decides(margin, limits.alpha, alpha_each),
        )
    return Judged(
        stratum,
        measure,
        len(values),
        sum(getattr(was, measure) for was, _ in known) / len(known),
        sum(getattr(now, measure) for _, now in known) / len(known),
        int((values > 0).sum()),
        int((values < 0).sum()),
        interval(values, member, 1 - 2 * limits.alpha).low,
        margin,
        sign_flip(values, member, "less"),
        limits.alpha,
        plan,
    )
