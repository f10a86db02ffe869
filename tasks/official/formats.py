"""Adapters: one row of a benchmark's own file -> what is asked, where the gold stands, and how the answer is scored.

RULER's, MRCR's and GraphWalks' rows carry their prompts, which are used as they are. The others hold only context and question;
around them stand our own words in upstream's structure: scores come near published ones. Answer budgets are upstream's.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from lceval.errors import UsageError
from lceval.tasks import needles
from lceval.tasks.official import formulas
from lceval.tasks.official.read import SOURCE
from lceval.tasks.scoring import best_subspan_em, ruler_all, ruler_part, set_f1, too_long
from lceval.types import Question, Score

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """One sample of somebody else's."""

    turns: tuple[tuple[str, str], ...]
    """(role, text) of every message; a plain prompt is one of the user's."""
    gold: tuple[tuple[int, int, int], ...]
    """(turn, start, end) in characters of what the answer rests on, where it can be found; empty if unknown."""
    question: Question
    """Its text is empty: the question is in the turns."""
    label: str
    """The file's own name of the sub-task; empty if it has none."""
    facts: Mapping[str, Any]
    """What the scorer needs beyond the answers; JSON-able."""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file."""

    name: str
    columns: tuple[tuple[str, ...], ...]
    """Alternatives: a row that has all columns of one of them is of this format."""
    adapt: Callable[[Row], Item]
    """A row's item. Raises `UsageError` for a value that cannot be used."""
    score: Callable[[Question, Mapping[str, Any], str], Score]
    """From the question, the item's facts and the output, the thought before it cut away."""
    chance: float = math.nan
    """The official score of an answer of the right kind that was picked blindly; NaN if that is not known."""

    def fits(self, row: Row) -> bool:
        """Whether a row has the columns."""
        return any(row.keys() >= set(columns) for columns in self.columns)


def detect(row: Row) -> Format:
    """The format of a row.

    Raises:
        UsageError: its columns are those of no format.
    """
    for format_ in FORMATS.values():
        if format_.fits(row):
            return format_
    known = "; ".join(f"{f.name} ({_needed(f)})" for f in FORMATS.values())
    raise UsageError(
        f"the file's columns ({_columns(row)}) are those of no known benchmark. "
        f"Known are, with the columns that they need: {known}."
    )


def adapt(data: str, rows: Sequence[Row]) -> tuple[Format, list[Item]]:
    """The format of the first row, and all rows as items of it.

    Raises:
        UsageError: its columns are those of no format, or another row is of another one or holds what cannot be used.
    """
    form = detect(rows[0])
    items = []
    for number, row in enumerate(rows, 1):
        if not form.fits(row):
            raise UsageError(
                f"row {number} of data={data!r} has the columns {_columns(row)}, but the first row's are those of {form.name}, "
                f"which needs {_needed(form)}. Mend or remove that row."
            )
        try:
            items.append(form.adapt(row))
        except UsageError as error:
            raise UsageError(f"row {number} of data={data!r}: {error}") from None
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise UsageError(
                f"row {number} of data={data!r} cannot be read as one of {form.name} ({type(error).__name__}: {error}). "
                "Mend or remove that row."
            ) from error
    return form, items


def _columns(row: Row) -> str:
    return ", ".join(sorted(row.keys() - {SOURCE})) or "none"


def _needed(form: Format) -> str:
    return " or ".join(", ".join(columns) for columns in form.columns)


def _item(
    text: str,
    answers: Iterable[object],
    budget: int,
    *,
    gold: Sequence[tuple[int, int]] = (),
    prefix: str = "",
    label: str = "",
    facts: Mapping[str, Any] | None = None,
    said: object = "",
) -> Item:
    question = Question("", tuple(map(str, answers)), prefix, budget, gold=str(said))
    return Item((("user", text),), tuple((0, *span) for span in gold), question, label, facts or {})


def _unusable(row: Row, column: str, wanted: str) -> UsageError:
    return UsageError(f"column {column!r} holds {str(row.get(column))[:80]!r}; it must be {wanted}.")


def _text(row: Row, column: str) -> str:
    if not isinstance(row[column], str):
        raise _unusable(row, column, "a text")
    return str(row[column])


def _listed(row: Row, column: str) -> list[Any]:
    value = row[column]
    found = value if isinstance(value, list) else [value]
    if not found or not all(isinstance(part, str | int | float) for part in found):
        raise _unusable(row, column, "a text or a list of texts, at least one")
    return found


def _told(row: Row) -> tuple[str, str, str]:
    """What may name a row's task, the surest first: its column `task`, its file, the file's folder."""
    folder, _, file = str(row.get(SOURCE, "")).lower().rpartition("/")
    return str(row.get("task") or "").lower(), file, folder


def _task(row: Row, names: Sequence[str]) -> str:
    """The longest of the names in the first place that has one."""
    found = ([name for name in names if re.search(rf"(?<![a-z0-9]){name}(?![a-z0-9])", where)] for where in _told(row))
    return max(next(filter(None, found), []), key=len, default="")


def _places(text: str, part: str) -> list[tuple[int, int]]:
    """Where a part stands in a text as a whole word or words."""
    word = re.escape(part)
    # The part goes first in the pattern, since only then the search is fast.
    return [match.span() for match in re.finditer(rf"{word}(?!\w)(?<!\w{word})", text)] if part else []


def _laid(before: str, lines: Sequence[str], after: str, gold: Iterable[int]) -> tuple[str, list[tuple[int, int]]]:
    """Text of the lines between two others, and where the gold lines stand in it."""
    starts = [len(before)]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    return before + "\n".join(lines) + after, [(starts[i], starts[i] + len(lines[i])) for i in gold]


def _scored(question: Question, text: str, official: float, strict: float | None = None, **details: float) -> Score:
    """Strict is official unless given, and 0 for an output of more words than its budget."""
    strict = official if strict is None else strict
    return Score(official, 0.0 if too_long(text, question.max_new_tokens) else strict, details)


# RULER: https://github.com/NVIDIA/RULER, and the same as Parquet (simonjegou/ruler)

_RULER_BUDGETS = {"niah": 128, "vt": 30, "cwe": 120, "fwe": 50, "qa": 32}
# A length may follow the name. `qa` is in many other names, so it must be all of its part of the path.
_RULER_TASK = re.compile(
    r"(?<![a-z0-9_])(?:ruler_)?(niah(?:_single|_multi[a-z]+)?(?:_\d)?|vt|cwe|fwe)(?:_\d+k?)?(?![a-z0-9_])"
    r"|^(?:ruler_)?(qa(?:_\d|_squad|_hotpot)?)(?:_\d+k?)?$"
)
_RULER_DOCUMENT = re.compile(r"Document (?<![^\n]Document )\d+:")
_VARIABLE = re.compile(r"\b[A-Z]{5}\b")
_Values = Literal["numbers", "uuids", "variables"]


def _values(text: str, kind: _Values) -> set[str]:
    """Values of a kind that a text names, lower-case."""
    return {name.lower() for name in _VARIABLE.findall(text)} if kind == "variables" else needles.named(text, kind)


def _ruler(row: Row) -> Item:
    parquet = not row.keys() >= {"input", "outputs"}
    text = _text(row, "context") + _text(row, "question") if parquet else _text(row, "input")
    answers = [str(answer) for answer in _listed(row, "answer" if parquet else "outputs")]
    prefix = str(row.get("answer_prefix") or "")
    named = next(filter(None, map(_RULER_TASK.search, _told(row))), None)
    # A file that does not name its task shows by the bare cue whether it is question answering, which has a metric of its own.
    label = (named[1] or named[2]) if named else "qa" if prefix.strip() == "Answer:" else ""
    kind = label.partition("_")[0]
    values: Any = next((name for name in get_args(_Values) if all(_values(a, name) == {a.lower()} for a in answers)), "")
    asked = (row["question"] if parquet else text.rstrip().rpartition("\n")[2]) + prefix
    return _item(
        text,
        answers,
        int(row.get("max_new_tokens") or _RULER_BUDGETS.get(kind, 128)),
        gold=_ruler_gold(text, kind, answers),
        prefix=prefix,
        label=label,
        facts={"part": kind == "qa", "values": values, "asked": sorted(_values(asked, values)) if values else []},
        said=answers[0] if kind == "qa" else "",
    )


def _ruler_gold(text: str, kind: str, answers: Sequence[str]) -> list[tuple[int, int]]:
    """Where the answers are told, as far as that is sure: words of cwe and fwe are all over the text.

    An answer of qa must be in one document only. Where the task is not known, every answer must be in the text only once.
    """
    answers = list(dict.fromkeys(answers))
    if kind == "qa":
        begins = [match.end() for match in _RULER_DOCUMENT.finditer(text)]
        ends = [end if (end := text.find("\n\n", begin)) >= 0 else len(text) for begin in begins]
        blocks = [(begin, text[begin:end]) for begin, end in zip(begins, ends, strict=True)]
        hits = ([(begin + at[0][0], begin + at[0][1]) for begin, block in blocks if (at := _places(block, a))] for a in answers)
        return [found[0] for found in hits if len(found) == 1]
    if kind in ("cwe", "fwe"):
        return []
    places = [_places(text, answer) for answer in answers]
    return [found[0] for found in places if found] if kind or all(len(found) == 1 for found in places) else []


def _score_ruler(question: Question, facts: Mapping[str, Any], text: str) -> Score:
    """`string_match_part` for qa, else `string_match_all`. Strict: F1 where all answers are numbers, uuids or variables."""
    metric = ruler_part if facts["part"] else ruler_all
    official, strict = metric(text, question.answers), None
    if facts["values"] and not facts["part"]:
        gold = {answer.lower() for answer in question.answers}
        said = _values(text, facts["values"])
        if facts["values"] == "variables":
            said |= {answer for answer in gold if answer in text.lower()}
        strict = set_f1(said - (set(facts["asked"]) - gold), gold)
    details = {"kvpress": metric(formulas.ruler_kvpress(text), question.answers)}
    if facts["part"]:
        details["lm_eval"] = formulas.ruler_part_lm_eval(text, question.answers)
    return _scored(question, text, official, strict, **details)


# Lost in the Middle: https://github.com/nelson-liu/lost-in-the-middle


def _litm_qa(row: Row) -> Item:
    documents = row["ctxs"]
    if not isinstance(documents, list) or not all(
        isinstance(document, dict) and isinstance(document.get("title"), str) and isinstance(document.get("text"), str)
        for document in documents
    ):
        raise _unusable(row, "ctxs", "a list of objects with title and text")
    asked = f"\n\nQuestion: {_text(row, 'question')}"
    if documents:
        text, gold = _laid(
            "Use nothing but the documents below, most of which do not help, to answer the question after them in one short line."
            "\n\n",
            [f"Document [{i}](Title: {document['title']}) {document['text']}" for i, document in enumerate(documents, 1)],
            asked,
            [i for i, document in enumerate(documents) if document.get("isgold")],
        )
    else:  # upstream's closed-book baseline
        text, gold = f"Answer the question from what you know, in one short line.{asked}", []
    answers = _listed(row, "answers")
    return _item(text, answers, 100, gold=gold, prefix="Answer:", said=answers[0])


def _score_litm_qa(question: Question, facts: Mapping[str, Any], text: str) -> Score:
    """Only the first line counts, so what is before it is stripped, as upstream's runner for Llama 2 does (LongChat's does not)."""
    return _scored(question, text, best_subspan_em(text.lstrip(), question.answers))


def _litm_kv(row: Row) -> Item:
    pairs, key = row["ordered_kv_records"], _text(row, "key")
    if not isinstance(pairs, list) or not pairs or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise _unusable(row, "ordered_kv_records", "a list of [key, value]")
    lines = [f'"{name}": "{value}"{"," if i < len(pairs) else "}"}' for i, (name, value) in enumerate(pairs, 1)]
    text, gold = _laid(
        "Below is a JSON object. Give the value that belongs to the key named after it.\n\nJSON:\n",
        [("{" if i == 0 else " ") + line for i, line in enumerate(lines)],
        f'\n\nKey: "{key}"',
        [i for i, (name, _) in enumerate(pairs) if name == key],
    )
    return _item(text, [_text(row, "value")], 100, gold=gold, prefix="Value:", facts={"key": key})


def _score_litm_kv(question: Question, facts: Mapping[str, Any], text: str) -> Score:
    """Strict: F1 of the uuids named, the key aside."""
    (value,) = question.answers
    said = needles.named(text, "uuids") - {facts["key"].lower()}
    return _scored(question, text, formulas.kv_substring(text, value), set_f1(said, {value.lower()}))


# MRCR: https://huggingface.co/datasets/openai/mrcr


def _mrcr(row: Row) -> Item:
    prompt, answer, prefix = row["prompt"], _text(row, "answer"), _text(row, "random_string_to_prepend")
    try:
        messages = json.loads(prompt) if isinstance(prompt, str) else prompt
        turns = tuple((message["role"], message["content"]) for message in messages)
    except (json.JSONDecodeError, TypeError, KeyError):
        turns = ()
    if not turns or not all(isinstance(part, str) for turn in turns for part in turn):
        raise _unusable(row, "prompt", "a JSON list of messages, each with role and content")
    if not prefix:
        raise _unusable(row, "random_string_to_prepend", "the text that the answer begins with")
    return Item(
        turns,
        _reply(turns, row.get("desired_msg_index"), answer.removeprefix(prefix).strip()),
        Question("", (answer,), "", len(answer) // 2 + 64),
        f"{row['n_needles']}needle" if row.get("n_needles") else "",
        {"prefix": prefix},
    )


def _reply(turns: Sequence[tuple[str, str]], index: object, wanted: str) -> tuple[tuple[int, int, int], ...]:
    """The answer in the named message or, if that is the request for it, in the reply after it."""
    near = [i for i in (index, index + 1) if 0 <= i < len(turns)] if isinstance(index, int) else []
    places = [(i, turns[i][1].find(wanted)) for i in near]
    found = [(i, start, start + len(wanted)) for i, start in places if start >= 0] or [(i, 0, len(turns[i][1])) for i in near]
    return tuple(found[:1])


def _score_mrcr(question: Question, facts: Mapping[str, Any], text: str) -> Score:
    """Nothing is stripped from the output, as the data set card has it; `v2` strips it."""
    (answer,), prefix = question.answers, facts["prefix"]
    return _scored(question, text, formulas.mrcr(text, answer, prefix), v2=formulas.mrcr_v2(text, answer, prefix))


# GraphWalks: https://huggingface.co/datasets/openai/graphwalks, its card at be6cc6ec


def _graphwalks(row: Row) -> Item:
    column = "answer_nodes" if "answer_nodes" in row else "answer"
    if not isinstance(row[column], list):
        raise _unusable(row, column, "a list of nodes")
    said = f"Final Answer: [{', '.join(map(str, row[column]))}]"
    return _item(_text(row, "prompt"), row[column], 16384, label=str(row.get("problem_type") or ""), said=said)


def _score_graphwalks(question: Question, facts: Mapping[str, Any], text: str) -> Score:
    """`empty_0` is the card's older formula, in which an empty answer to an empty gold set scores 0."""
    gold = question.answers
    return _scored(
        question,
        text,
        formulas.graphwalks(text, gold),
        exact=formulas.graphwalks_exact(text, gold),
        empty_0=formulas.graphwalks_empty_0(text, gold),
        lm_eval=formulas.graphwalks_lm_eval(text, gold),
        lm_eval_flexible=formulas.graphwalks_flexible(text, gold),
    )


# BABILong: https://github.com/booydar/babilong

_ROOMS = "bathroom bedroom garden hallway kitchen office"
_BABILONG_LABELS = {
    **dict.fromkeys(("qa1", "qa2", "qa3", "qa4", "qa11", "qa12", "qa13"), _ROOMS),
    "qa5": "Bill Fred Jeff Mary apple football milk",
    **dict.fromkeys(("qa6", "qa9", "qa17", "qa18"), "no yes"),
    "qa7": "none one three two",
    "qa8": "apple football milk nothing",
    "qa10": "maybe no yes",
    "qa14": "bedroom cinema kitchen office park school",
    "qa15": "cat mouse sheep wolf",
    "qa16": "gray green white yellow",
    "qa19": "e,e e,n e,s n,e n,n n,w s,e s,s s,w w,n w,s w,w",
    "qa20": "bedroom bored garden hungry kitchen thirsty tired",
}
_RULES = {  # rule, example facts, question and answer
    "qa1": (
        "People walk from room to room; somebody is where they went last.",
        "Tilda walked to the attic. Oskar went to the porch. Tilda ran to the cellar. Where is Tilda? Tilda is in the cellar.",
    ),
    "qa2": (
        "People carry things about; a thing is where its carrier is, or where it was put down.",
        "Oskar took the lamp. Oskar walked to the porch. Oskar put down the lamp. Where is the lamp? The lamp is in the porch.",
    ),
    "qa3": (
        "People carry things about; follow every place that a thing was in, in order.",
        "Tilda took the lamp in the attic. Tilda went to the porch. Where was the lamp before the porch? It was in the attic.",
    ),
    "qa4": (
        "The facts say how rooms lie to each other.",
        "The cellar is south of the attic. The porch is north of the attic. What is south of the attic? The cellar.",
    ),
    "qa5": (
        "People take things, put them down and give them to each other; the last time is meant.",
        "Tilda took the lamp. Tilda gave the lamp to Oskar. Who gave the lamp to Oskar? Tilda.",
    ),
}


def _babilong(row: Row) -> Item:
    question, target = _text(row, "question").strip(), _text(row, "target").strip()
    task = _task(row, list(_BABILONG_LABELS))
    labels = [_BABILONG_LABELS[task].split()] if task else [found.split() for found in _BABILONG_LABELS.values()]
    known = next((found for found in labels if task or target in found), None)
    if known is None:
        raise _unusable(row, "target", "a label of BABILong's tasks; name the file or its folder after the task, such as qa8")
    rule, example = _RULES.get(task, ("", ""))
    shown = f"\n\n<example>\n{example}\n</example>" if example else ""
    text = (
        f"A few facts are scattered through the text below, among much that does not matter. {rule}".rstrip()
        + f"{shown}\n\nAnswer the question from the facts, in one short sentence and nothing more.\n\n"
        f"<context>\n{_text(row, 'input').strip()}\n</context>\n\nQuestion: {question}"
    )
    return _item(text, [target], 20, label=task, facts={"question": question, "labels": known})


def _score_babilong(question: Question, facts: Mapping[str, Any], text: str) -> Score:
    """Strict: labels are whole words, so that `none` does not name `one`."""
    (target,) = question.answers
    rest = (target, facts["question"], facts["labels"])
    official, strict = formulas.babilong(text, *rest), formulas.babilong_words(text, *rest)
    return _scored(question, text, official, strict, lm_eval=formulas.babilong_lm_eval(text, target))


# LongBench v2: https://github.com/THUDM/LongBench


def _longbench_v2(row: Row) -> Item:
    if row["answer"] not in ("A", "B", "C", "D"):
        raise _unusable(row, "answer", "A, B, C or D")
    choices = "\n".join(f"({letter}) {_text(row, f'choice_{letter}').strip()}" for letter in "ABCD")
    text = (
        "Read the text, then pick the right answer to the question about it.\n\n"
        f"<text>\n{_text(row, 'context').strip()}\n</text>\n\n"
        f"Question: {_text(row, 'question').strip()}\n{choices}\n\n"
        'Reply in this form, with one letter: "The correct answer is (letter)".'
    )
    facts = {column: row[column] for column in ("difficulty", "length", "domain") if column in row}
    said = f"The correct answer is ({row['answer']})"
    return _item(text, [row["answer"]], 128, label=str(row.get("domain") or ""), facts=facts, said=said)


def _score_longbench_v2(question: Question, facts: Mapping[str, Any], text: str) -> Score:
    (answer,) = question.answers
    compensated = formulas.longbench_v2_compensated(text, answer)
    return _scored(question, text, formulas.longbench_v2(text, answer), compensated=compensated)


# InfiniteBench: https://github.com/OpenBMB/InfiniteBench


class _Infinite(NamedTuple):
    budget: int
    instruction: str
    prefix: str


_INFINITE = {
    "passkey": _Infinite(6, "A pass key is hidden among sentences that do not matter. Find it.", "The pass key is"),
    "number_string": _Infinite(12, "A long number is hidden among sentences that do not matter. Find it.", "The number is"),
    "kv_retrieval": _Infinite(50, "Find the value of the key that is named after the JSON object.", "The value is"),
    "longbook_sum_eng": _Infinite(1200, "Write a summary of the book.", "Summary:"),
    "longbook_qa_eng": _Infinite(40, "Answer the question about the book in as few words as you can.", "Answer:"),
    "longbook_choice_eng": _Infinite(40, "Pick the right answer to the question about the book; reply with its letter.", "Answer:"),
    "longbook_qa_chn": _Infinite(40, "阅读下面的书，用最少的字回答书后的问题。", "答案："),
    "longdialogue_qa_eng": _Infinite(40, "In the dialogue one name is hidden behind $$MASK$$. Say whose it is.", "The name is"),
    "code_debug": _Infinite(5, 'One function has a mistake that was put in on purpose. Reply like "A. name".', "Answer:"),
    "code_run": _Infinite(5, "Work out what the call that is named after the functions returns.", "The return value is"),
    "math_find": _Infinite(3, "Answer the question about the list of numbers.", "The number is"),
    "math_calc": _Infinite(30000, "Work the sum out from left to right: give the value after every operation.", "Values:"),
}
_FOUND_IN_CONTEXT = ("passkey", "number_string", "kv_retrieval")


def _infinitebench(row: Row) -> Item:
    task = _task(row, list(_INFINITE))
    if not task:
        raise UsageError(
            f"cannot tell which task of InfiniteBench {row.get(SOURCE, 'this row')!r} holds; name the file as upstream does "
            f"({', '.join(f'{name}.jsonl' for name in _INFINITE)}), or load its split: hf:NAME::{next(iter(_INFINITE))}."
        )
    if task == "longbook_sum_eng":
        formulas.rouge()  # what is missing is said now, not after a model has worked for hours
    budget, instruction, prefix = _INFINITE[task]
    answers, options = row["answer"], row["options"] or []
    if not isinstance(options, list):
        raise _unusable(row, "options", "a list, empty where there is nothing to choose from")
    if task in ("longbook_choice_eng", "code_debug"):
        answers = _with_letter(row)
    elif isinstance(answers, list) and len(answers) == 1 and isinstance(answers[0], list):
        answers = answers[0]
    asked = [_text(row, "input").strip(), *(f"{letter}. {option}" for letter, option in zip("ABCD", options, strict=False))]
    context = f"{instruction}\n\n{_text(row, 'context').strip()}"
    text = "\n".join([context + "\n", *filter(None, asked)]).rstrip("\n")
    answers = _listed({**row, "answer": answers}, "answer")
    gold = _places(context, str(answers[0]))[:1] if task in _FOUND_IN_CONTEXT else []
    said = {
        "longbook_choice_eng": answers[-1],
        "code_debug": f"{answers[-1]}. {answers[0]}",
        "math_calc": "",
    }.get(task, answers[0])
    return _item(text, answers, budget, gold=gold, prefix=prefix, label=task, facts={"task": task}, said=said)


def _with_letter(row: Row) -> list[str]:
    """The gold option's text and its letter."""
    answer = row["answer"] if isinstance(row["answer"], list) else [row["answer"]]
    if len(answer) == 2 and answer[1] in ("A", "B", "C", "D"):
        return answer
    if len(answer) != 1 or answer[0] not in row["options"][:4]:
        raise _unusable(row, "answer", "one of the four options")
    return [answer[0], "ABCD"[row["options"].index(answer[0])]]


def _score_infinitebench(question: Question, facts: Mapping[str, Any], text: str) -> Score:
    """`includes` is the looser reading of inspect_evals, `gpt4` upstream's for that model.

    `last_letter` and `substring` are those of a later upstream commit.
    """
    task, gold = facts["task"], question.answers
    official = formulas.INFINITEBENCH[task](text, gold)
    if task in _FOUND_IN_CONTEXT:
        return _scored(question, text, official, includes=formulas.kv_substring(text, gold[0]))
    if task == "math_calc":
        return _scored(question, text, official, gpt4=formulas.math_calc_gpt4(text, gold))
    if task == "longbook_choice_eng":
        return _scored(question, text, official, last_letter=formulas.choice_last_letter(text, gold))
    if task == "longdialogue_qa_eng":
        return _scored(question, text, official, substring=formulas.dialogue_substring(text, gold))
    return _scored(question, text, official)


FORMATS: dict[str, Format] = {
    format_.name: format_
    for format_ in (
        Format(
            "ruler", (("input", "outputs"), ("context", "question", "answer", "task", "max_new_tokens")), _ruler, _score_ruler, 0.0
        ),
        Format("litm_qa", (("question", "answers", "ctxs"),), _litm_qa, _score_litm_qa),
        Format("litm_kv", (("ordered_kv_records", "key", "value"),), _litm_kv, _score_litm_kv, 0.0),
        Format("mrcr", (("prompt", "answer", "random_string_to_prepend"),), _mrcr, _score_mrcr),
        Format(
            "graphwalks", (("prompt", "answer_nodes"), ("prompt", "answer", "problem_type")), _graphwalks, _score_graphwalks, 0.0
        ),
        Format("babilong", (("input", "question", "target"),), _babilong, _score_babilong),
        Format(
            "longbench_v2",
            (("context", "question", "choice_A", "choice_B", "choice_C", "choice_D", "answer"),),
            _longbench_v2,
            _score_longbench_v2,
            0.25,
        ),
        Format("infinitebench", (("context", "input", "answer", "options"),), _infinitebench, _score_infinitebench),
    )
}
"""By name; the first that fits a row's columns is taken."""
