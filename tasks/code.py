"""Code: find a function in a code base by what it does, or follow calls from file to file.

After Code.Run and Code.Debug of InfiniteBench (arXiv:2402.13718, OpenBMB/InfiniteBench) and after RepoQA (arXiv:2406.06025,
evalplus/repoqa); the code base, the descriptions and the prompts are our own (`lceval.tasks.codebase`).

What the originals got wrong: RepoQA's repositories are public, so that a model may know the functions by heart, and an answer is
compared with the ten that are asked about, not with all others. Code.Run reads the last word only, to which `**12**` and `12,` are
no numbers. Ours is made up for every seed, is full of functions that differ from the one asked about in the number only, or have
its number and do something else, and of other call chains, stands where the cell says, and strict reads any plain answer.

The cells of an index share all files before the first planted one: for ask=behaviour as in `niah`; the files of a chain stand all
around the context, so that its cells share less.
"""

from __future__ import annotations

import ast
import re
from itertools import islice
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from lceval.keys import below, permutation, pick, shuffled
from lceval.tasks import codebase
from lceval.tasks.codebase import BEHAVIOURS, OPERATORS, Deed
from lceval.tasks.count import number_said
from lceval.tasks.family import Family, FamilyParams, sample_start, spread
from lceval.tasks.official.formulas import code_run
from lceval.tasks.scoring import set_f1, too_long
from lceval.types import Draft, Needle, Question, Score

_BEHAVIOUR = re.compile(r"Which function (.+?)\? Answer with the name of the function only\.")
_CHAIN = re.compile(r"The function (\w+) calls another one")
_VALUE = re.compile(r"What does (\w+)\((\d+)\) return\?")
_FUNCTION = re.compile(r"^def (\w+)\((\w+)\):\n((?: {4}.*\n)+)", re.MULTILINE)
_INTEGER = re.compile(r"(?<![\w.])[-\u2212]?(?:\d{1,3}(?:,\d{3})+|\d{1,18})(?:\.0+)?(?!\w|\.\d)")
_SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_START = (2, 9)
"""Smallest and largest argument of the first function."""


class CodeParams(FamilyParams):
    """The parameters of `code`."""

    ask: Literal["behaviour", "chain", "value"] = Field(
        "behaviour",
        description="behaviour (which function does this), chain (which function do the calls end in) or value (what is returned)",
    )
    calls: int = Field(3, ge=1, le=32, description="calls from the first function to the last; for ask=chain and ask=value")
    questions: int = Field(1, ge=1, le=8, description="functions to be found in one code base, a question each; for ask=behaviour")

    @model_validator(mode="after")
    def _fits_together(self) -> CodeParams:
        if self.ask == "behaviour" and self.calls != type(self).model_fields["calls"].default:
            raise ValueError(f"calls={self.calls} means nothing for ask=behaviour; use ask=chain or ask=value")
        if self.ask != "behaviour" and self.questions > 1:
            raise ValueError(f"questions={self.questions} is for ask=behaviour; ask={self.ask} plants one chain with one question")
        return self


class Code(Family[CodeParams]):
    """The task family `code`."""

    family = "code"
    version = 1
    Params = CodeParams

    @property
    def chance(self) -> float:
        """Expected strict score of an invented name, or of an integer drawn evenly from those that could be returned.

        The argument is 2 to 9, `calls` steps add or subtract up to 19, one more multiplies by 2 or 3. What comes out lies between
        -3 x 19 x calls and 3 x (9 + 19 x calls); whatever it is, an integer from there hits it once in as many times as there are.
        """
        low, high = self._range
        return 1 / (high - low + 1) if self.params.ask == "value" else 0.0

    @property
    def floors(self) -> str:  # noqa: D102
        if self.params.ask == "value":
            return (
                f"an integer from the possible range scores {self.chance:.2g} (1 / integers there), the likeliest one 4 to "
                "9 times that; printing the context strict 0"
            )
        cheap = {
            "behaviour": "one with the right number 0.5, 0.2 and 0.04, one with the right behaviour 0.8, 0.4 and 0.1",
            "chain": "one that calls no other 0.4, 0.1 and 0.03, one that is called, too, 0.7, 0.2 and 0.04",
        }[self.params.ask]
        return (
            "an invented name scores 0; any function of a context of 1k, 4k and 16k tokens about 0.04, 0.01 and 0.002 "
            f"(1 / functions), {cheap}; printing the context official 1, strict 0"
        )

    @property
    def _range(self) -> tuple[int, int]:
        far = 19 * self.params.calls
        return -3 * far, 3 * (_START[1] + far)

    def draft(self, depth: float | None, index: int, seed: int) -> Draft:  # noqa: D102
        assert depth is not None
        finding = self.params.ask == "behaviour"
        needles, questions = self._finding(depth, index, seed) if finding else self._following(depth, index, seed)
        return Draft(
            instruction="Read the files of this Python code base. A question about them follows.\n\nFiles:",
            haystack=f"code:{seed}",
            start=sample_start(seed, index),
            needles=tuple(needles),
            questions=tuple(questions),
        )

    def _finding(self, depth: float, index: int, seed: int) -> tuple[list[Needle], list[Question]]:
        rng = self.rng("behaviour", seed, index)
        names, modules = codebase.function_names(rng, "sample"), codebase.modules(rng, "sample")
        needles, questions = [], []
        for i, behaviour in enumerate(shuffled(rng, BEHAVIOURS, self.params.questions)):
            deed, name = codebase.draw_deed(rng, "sample", behaviour), next(names)
            functions = [(name, deed)]
            if below(rng, 2):
                other = codebase.draw_deed(rng, "haystack", pick(rng, BEHAVIOURS))
                functions.insert(below(rng, 2), (next(names), other))
            needles.append(Needle(codebase.doing(rng, next(modules), functions), depth))
            text = f"Which function {deed.says}? Answer with the name of the function only."
            questions.append(self.ask(text, [name], prefix="The name of the function is", budget=40, support=[i]))
        return needles, questions

    def _following(self, depth: float, index: int, seed: int) -> tuple[list[Needle], list[Question]]:
        p = self.params
        rng = self.rng("calls", p.calls, seed, index)
        count = p.calls + 1
        functions = list(
            zip(islice(codebase.modules(rng, "sample"), count), islice(codebase.function_names(rng, "sample"), count), strict=True)
        )
        x = _START[0] + below(rng, _START[1] - _START[0] + 1)
        value = x
        while value == x:  # the answer must not stand in the question
            product = below(rng, count)
            steps = [codebase.draw_step(rng, "*" if i == product else "+-") for i in range(count)]
            value = codebase.run(steps, x)
        around = spread(depth, count)
        places = [depth, *(around[1 + i] for i in permutation(rng, p.calls))]
        needles = [
            Needle(codebase.calling(*function, step, callee), place)
            for function, step, callee, place in zip(functions, steps, [*functions[1:], None], places, strict=True)
        ]
        first, last = functions[0][1], functions[-1][1]
        if p.ask == "value":
            text = f"What does {first}({x}) return? Answer with the number only."
            return needles, [self.ask(text, [str(value)], prefix=f"{first}({x}) returns", budget=32)]
        text = (
            f"The function {first} calls another one, which may call the next, and so on. Which function is called last? "
            "Answer with the name of the function only."
        )
        return needles, [self.ask(text, [last], prefix="The function called last is", budget=40)]

    def score(self, question: Question, text: str) -> Score:
        """Official: right name or right number, 1 or 0. Strict: F1 of what is named against the gold answer.

        Official for ask=value is InfiniteBench's Code.Run: after line breaks and . ` ' " : have become spaces, the last word is the
        integer. Otherwise the gold name stands in the output as a whole identifier, in capitals or not; RepoQA wants the function's
        body and compares it by BLEU, so that its numbers are no match. Strict counts names of functions (three or more words joined
        by _) that do not stand in the question; or the integer that is said (`number_said`: after the last = of a calculation,
        else first) and those joined to it (`12 or 13`). It is 0 for more words than the answer's token budget.
        """
        (gold,) = question.answers
        if self.params.ask == "value":
            official = bool(code_run(text, [gold]))
            said = {_plain(number) for number in number_said(text, _INTEGER, re.findall(r"\d+", question.text))}
        else:
            said = codebase.named(text)
            official = gold in said
            said -= codebase.named(question.text)
        strict = 0.0 if too_long(text, question.max_new_tokens) else set_f1(said, {gold})
        return Score(official=float(official), strict=strict)

    def solve(self, text: str) -> str:
        """Read the functions; compare them with the one described, or follow the calls."""
        functions = _Functions(text)
        match self.params.ask:
            case "behaviour":
                return functions.doing(asked[-1]) if (asked := _BEHAVIOUR.findall(text)) else ""
            case "chain":
                return functions.last(asked[-1]) if (asked := _CHAIN.findall(text)) else ""
            case "value":
                return functions.value(*asked[-1]) if (asked := _VALUE.findall(text)) else ""

    def guess(self, text: str, rng: np.random.Generator) -> str:
        """An invented name, or an integer that could be returned."""
        if self.params.ask != "value":
            return next(codebase.function_names(rng, "sample"))
        low, high = self._range
        return str(low + below(rng, high - low + 1))


def _plain(number: str) -> str:
    return str(int(number.partition(".")[0].replace("\u2212", "-").replace(",", "")))


class _Functions:
    """The functions in a text, by name: the argument's name and the body."""

    def __init__(self, text: str) -> None:
        self.all = {name: (argument, body) for name, argument, body in _FUNCTION.findall(text)}

    def doing(self, says: str) -> str:
        """The name of the function that does what is said; empty if there is none."""
        number = re.search(r"\d+", says)
        deed = next((deed for b in BEHAVIOURS if number and (deed := Deed(b, int(number[0]))).says == says), None)
        if deed is None:
            return ""
        return next((name for name, (argument, body) in self.all.items() if deed.body(argument) == body.rstrip("\n")), "")

    def last(self, name: str) -> str:
        """Where the calls that begin with a function end; empty if they lead out of the text."""
        while name in self.all:
            calls = (node for node in ast.walk(self._tree(name)) if isinstance(node, ast.Call))
            callee = next((node.func.id for node in calls if isinstance(node.func, ast.Name)), None)
            if callee is None:
                return name
            name = callee
        return ""

    def value(self, name: str, x: str) -> str:
        """What a function returns; empty if a function that it needs is not in the text."""
        try:
            return str(self._call(name, int(x)))
        except KeyError:
            return ""

    def _tree(self, name: str) -> ast.Module:
        argument, body = self.all[name]
        return ast.parse(f"def {name}({argument}):\n{body}")

    def _call(self, name: str, x: int) -> int:
        known = {self.all[name][0]: x}
        for node in ast.walk(self._tree(name)):
            match node:
                case ast.Assign(targets=[ast.Name(id=target)], value=value):
                    known[target] = self._evaluate(value, known)
                case ast.Return(value=ast.expr() as value):
                    return self._evaluate(value, known)
        raise KeyError(name)

    def _evaluate(self, node: ast.expr, known: dict[str, int]) -> int:
        match node:
            case ast.Constant(value=int(value)):
                return value
            case ast.Name(id=name):
                return known[name]
            case ast.BinOp(left=left, op=op, right=right):
                return OPERATORS[_SIGNS[type(op)]](self._evaluate(left, known), self._evaluate(right, known))
            case ast.Call(func=ast.Name(id=name), args=[argument]):
                return self._call(name, self._evaluate(argument, known))
            case _:
                raise KeyError(ast.unparse(node))
