"""Scoring formulas of benchmarks whose own files can be run: each follows its source to the letter, bugs included.

RULER's, Lost in the Middle's and set F1 are in `lceval.tasks.scoring`. Where ports of a benchmark read its answers in another way,
that reading is a function too, named after the port. Outputs come without the thought before them. All return fractions.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import SequenceMatcher
from importlib import import_module
from typing import Any

from lceval.errors import UsageError
from lceval.tasks.scoring import ruler_all, ruler_part, set_f1, squad_normalise

_NO_CONTROL = dict.fromkeys(range(32))


def ruler_part_lm_eval(text: str, answers: Sequence[str]) -> float:
    """What EleutherAI/lm-evaluation-harness calls RULER's `part`: the fraction found, where upstream asks for any.

    A right answer to a question with three annotated variants scores 1/3.
    """
    return ruler_all(text, answers)


def ruler_kvpress(text: str) -> str:
    """An output as NVIDIA/kvpress cleans it for RULER's metrics: control characters are deleted, where upstream breaks lines."""
    return text.strip().translate(_NO_CONTROL).strip()


def kv_substring(text: str, value: str) -> float:
    """1 if the gold value is in the output, ignoring case (nelson-liu/lost-in-the-middle, evaluate_kv_responses)."""
    return float(value.lower() in text.lower())


def mrcr(text: str, answer: str, prefix: str) -> float:
    """Similarity of output and answer without the random string that the output must begin with (openai/mrcr, data set card)."""
    if not text.startswith(prefix):
        return 0.0
    return SequenceMatcher(None, text.removeprefix(prefix), answer.removeprefix(prefix)).ratio()


def mrcr_v2(text: str, answer: str, prefix: str) -> float:
    """The same after the last place where the random string stands in the output (google-deepmind/eval_hub, mrcr_v2_metric).

    Upstream takes the answer's first 12 characters for the random string; here it is given, so that OpenAI's rows can be read so.
    """
    _, found, said = text.strip().rpartition(prefix)
    return SequenceMatcher(None, answer.strip().removeprefix(prefix).strip(), said.strip()).ratio() if found else 0.0


def _nodes(text: str) -> set[str] | None:
    line = text.split("\n")[-1]
    found = re.search(r"\[.*\]", line) if "Final Answer:" in line else None
    return {node.strip() for node in found[0].strip("[]").split(",") if node.strip()} if found else None


def _nodes_lm_eval(lines: Sequence[str]) -> set[str]:
    found = next((match for line in reversed(lines) if (match := re.search(r"Final Answer:\s*\[(.*)\]", line))), None)
    return {node.strip().strip("'\"") for node in found[1].split(",") if node.strip()} if found else set()


def _f1_empty_0(said: Collection[str], gold: Collection[str]) -> float:
    """F1 of two sets, where an empty gold set can never be met."""
    return set_f1(said, gold) if gold else 0.0


def graphwalks(text: str, nodes: Sequence[str]) -> float:
    """F1 of the nodes in the brackets of the very last line, which must hold `Final Answer:` (openai/graphwalks, be6cc6ec, card).

    A line break after the answer makes the last line empty. Empty brackets score 1 where the gold set is empty; no brackets, 0.
    """
    said = _nodes(text)
    return 0.0 if said is None else set_f1(said, nodes)


def graphwalks_empty_0(text: str, nodes: Sequence[str]) -> float:
    """The same as the card had it before that revision: an empty gold set always scores 0."""
    return _f1_empty_0(_nodes(text) or (), nodes)


def graphwalks_lm_eval(text: str, nodes: Sequence[str]) -> float:
    """That in EleutherAI/lm-evaluation-harness: line breaks at the end and quotes around nodes are forgiven, empty gold is 0."""
    return _f1_empty_0(_nodes_lm_eval(text.rstrip("\n").split("\n")[-1:]), nodes)


def graphwalks_flexible(text: str, nodes: Sequence[str]) -> float:
    """Its `flexible_f1`: the last line that has an answer, instead of the last line."""
    return _f1_empty_0(_nodes_lm_eval(text.rstrip("\n").split("\n")), nodes)


def graphwalks_exact(text: str, nodes: Sequence[str]) -> float:
    """Whether the nodes, read as the data set card reads them, are the gold set."""
    return float(_nodes(text) == set(nodes))


def babilong(text: str, target: str, question: str, labels: Collection[str]) -> float:
    """1 if the target is the only one of the task's labels in the first sentence, those in the question aside (booydar/babilong).

    Labels are found as substrings: a right `none` also names `one`, and `know` names `no`. Several targets are joined by commas.
    """
    return _only(target, question, labels, lambda label, where: label in where, text)


def babilong_words(text: str, target: str, question: str, labels: Collection[str]) -> float:
    """The same with labels found as whole words, which mends `none` and `know`. Ours; no source scores so."""
    return _only(target, question, labels, lambda label, where: bool(re.search(rf"\b{re.escape(label)}\b", where)), text)


def _only(target: str, question: str, labels: Collection[str], named: Callable[[str, str], bool], text: str) -> float:
    said = re.split(r"\.|<context>|<example>", text.lower(), maxsplit=1)[0]
    left = {label for label in map(str.lower, labels) if named(label, said) and not named(label, question.lower())}
    target = target.lower()
    wanted = target.split(",") if "," in target and len(target) > 3 else [target]
    return float(left.issuperset(wanted) and len(left) == len(wanted))


def babilong_lm_eval(text: str, target: str) -> float:
    """1 if the target is anywhere in the output, ignoring case (EleutherAI/lm-evaluation-harness): listing all rooms wins."""
    return ruler_part(text, [target.strip()])


def nolima_em(text: str, answers: Sequence[str]) -> float:
    """1 if the output is a gold answer (adobe-research/NoLiMa, metric EM)."""
    return float(text.strip() in answers)


def nolima_contains(text: str, answers: Sequence[str]) -> float:
    """1 if a gold answer is in the output, letter case included (metric contains: the one of all its configurations)."""
    return float(any(answer in text for answer in answers))


def nolima_last_line_em(text: str, answers: Sequence[str]) -> float:
    """1 if the last line is a gold answer (metric lastline_EM)."""
    return float(text.strip().split("\n")[-1] in answers)


def nolima_last_line_contains(text: str, answers: Sequence[str]) -> float:
    """1 if a gold answer is in the last line (metric lastline_contains)."""
    return nolima_contains(text.strip().split("\n")[-1], answers)


def longbench_v2_letter(text: str) -> str | None:
    """The letter of the answer sentence, looked for in brackets, then without; asterisks do not count (THUDM/LongBench, pred)."""
    text = text.strip().replace("*", "")
    found = re.search(r"The correct answer is \(([A-D])\)", text) or re.search(r"The correct answer is ([A-D])", text)
    return found[1] if found else None


def longbench_v2(text: str, answer: str) -> float:
    """1 if that letter is the gold one."""
    return float(longbench_v2_letter(text) == answer)


def longbench_v2_compensated(text: str, answer: str) -> float:
    """The same, with a quarter for an output without an answer sentence (THUDM/LongBench, result, `compensated`)."""
    return 0.25 if longbench_v2_letter(text) is None else longbench_v2(text, answer)


# InfiniteBench (OpenBMB/InfiniteBench, compute_scores at 88b3daa): output and gold list -> score. Gold numbers may be text, as on
# the hub. A later commit (51d9b37) reads En.MC and En.Dia otherwise; its readings, as copies of it have them, are here too.


def _spaced(text: str, *marks: str) -> str:
    for mark in marks:
        text = text.replace(mark, " ")
    return text


def _tokens(text: str) -> list[str]:
    return _spaced(text, *"\n:\"'.,?!{}").split()


def _integer(text: object) -> int | None:
    try:
        return int(str(text))
    except ValueError:
        return None


def first_integer(text: str, gold: Sequence[Any]) -> float:
    """1 if the first run of digits is the gold one, digit for digit (PassKey, Number)."""
    found = re.search("[0-9]+", text)
    return float((found[0] if found else "") == str(gold[0]))


def kv_token(text: str, gold: Sequence[Any]) -> float:
    """1 if the gold value is one of the words that spaces and punctuation leave (KV)."""
    return float(gold[0] in _tokens(text))


def dialogue(text: str, gold: Sequence[Any]) -> float:
    """1 if the gold word, which is in capitals, is a word of the output in capitals (En.Dia at 88b3daa)."""
    return float(gold[0] in [word.upper() for word in _tokens(text)])


def dialogue_substring(text: str, gold: Sequence[Any]) -> float:
    """1 if a gold text is anywhere in the output, ignoring case (En.Dia at 51d9b37)."""
    return float(any(name.upper() in text.upper() for name in gold))


def choice(text: str, gold: Sequence[Any]) -> float:
    """Letter parser (En.MC at 88b3daa); gold is the option's text and its letter.

    The first character counts as the answer when it is A to D, so prose that begins with `A` or `Because` is read as a letter.
    Then the whole output may be the option's text; then what follows the first cue; then the first word that is part of `ABCD`.
    """
    text = text.strip()
    if text[:1] in tuple("ABCD"):
        return float(text[0] in gold)
    if text in gold:
        return 1.0
    text = re.sub(" +", " ", _spaced(text, *"\n\"'.,?!{}"))
    for cue in ("answer is:", "answer:", "answer is", "option is"):
        if cue in text:
            return float(text.partition(cue)[2][1:].startswith(tuple(gold)))
    return float(next((word for word in text.split() if word in "ABCD"), None) in gold)


def choice_last_letter(text: str, gold: Sequence[Any]) -> float:
    """The same, or 1 if the last letter that stands alone, in the first line with one, is the gold one (En.MC at 51d9b37)."""
    found = re.search(r"\b[A-D]\b(?!.*\b[A-D]\b)", text.strip())
    return 1.0 if found and found[0] in gold else choice(text, gold)


def code_debug(text: str, gold: Sequence[Any]) -> float:
    """1 if the output begins with the gold letter and a stop or colon, or names it or the function after a cue (Code.Debug)."""
    name, letter = gold
    text = text.strip()
    if text[:2] in (f"{letter}.", f"{letter}:"):
        return 1.0
    text = re.sub(" +", " ", _spaced(text, *"\n`'\"-*", "Option", "option"))
    for cue in ("answer is:", "is:", "answer:"):
        if cue in text:
            return float(text.partition(cue)[2][1:].startswith((letter, name)))
    return 0.0


def code_run(text: str, gold: Sequence[Any]) -> float:
    """1 if the last word is the gold integer (Code.Run)."""
    words = _spaced(text.strip(), *"\n.`'\":").split()
    return float(bool(words) and _integer(words[-1]) is not None and _integer(words[-1]) == _integer(gold[0]))


def math_find(text: str, gold: Sequence[Any]) -> float:
    """1 if the first number, unsigned, equals the gold one (Math.Find). A fraction is no integer; upstream crashes on it."""
    found = re.search(r"\d+\.\d+|\d+", text)
    whole = _integer(gold[0])
    if found is None:
        return 0.0
    return float(float(found[0]) == float(gold[0]) if whole is None else _integer(found[0]) == whole)


def math_calc(text: str, gold: Sequence[Any]) -> float:
    """Length of the right beginning of the list of numbers over its length (Math.Calc). Signs of the output are not read."""
    return _prefix(re.findall("[0-9]+", text), gold)


def math_calc_gpt4(text: str, gold: Sequence[Any]) -> float:
    """The same without the output's first number, as upstream scores GPT-4."""
    return _prefix(re.findall("[0-9]+", text)[1:], gold)


def _prefix(said: Sequence[str], gold: Sequence[Any]) -> float:
    right = 0
    for number, wanted in zip(said, gold, strict=False):
        if (number.lstrip("0") or "0") != str(wanted):
            break
        right += 1
    return right / len(gold)


def qa_f1(text: str, gold: Sequence[Any]) -> float:
    """The best F1 of words with any gold answer, after SQuAD's normalisation (En.QA)."""
    return max(_multiset_f1_empty_0(squad_normalise(text).split(), squad_normalise(answer).split()) for answer in gold)


_ZH_PUNCTUATION = (
    "！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠"
    "｢｣､、〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏"
)
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation + _ZH_PUNCTUATION)


def qa_f1_zh(text: str, gold: Sequence[Any]) -> float:
    """The best F1 of characters with any gold answer, without spaces and punctuation (Zh.QA)."""

    def characters(answer: str) -> str:
        return "".join(answer.lower().translate(_NO_PUNCTUATION).split())

    return max(_multiset_f1_empty_0(characters(text), characters(answer)) for answer in gold)


def _multiset_f1_empty_0(said: Sequence[str], gold: Sequence[str]) -> float:
    """F1 of two multisets, where an empty gold one can never be met."""
    common = (Counter(said) & Counter(gold)).total()
    return 2 * common / (len(said) + len(gold)) if common else 0.0


def summary(text: str, gold: Sequence[Any]) -> float:
    """ROUGE-Lsum F without stemming, the best of the references (En.Sum)."""
    return float(rouge().score_multi(list(gold), text)["rougeLsum"].fmeasure)


def rouge() -> Any:
    """The scorer of google-research's `rouge-score`, the one that upstream's `evaluate` calls.

    Raises:
        UsageError: it is not installed.
    """
    try:
        return import_module("rouge_score.rouge_scorer").RougeScorer(["rougeLsum"])
    except ImportError:
        raise UsageError(
            "InfiniteBench's longbook_sum_eng is scored by ROUGE-Lsum, which takes 'pip install rouge-score'; or leave it out."
        ) from None


INFINITEBENCH: Mapping[str, Callable[[str, Sequence[Any]], float]] = {
    "passkey": first_integer,
    "number_string": first_integer,
    "kv_retrieval": kv_token,
    "longbook_sum_eng": summary,
    "longbook_qa_eng": qa_f1,
    "longbook_choice_eng": choice,
    "longbook_qa_chn": qa_f1_zh,
    "longdialogue_qa_eng": dialogue,
    "code_debug": code_debug,
    "code_run": code_run,
    "math_find": math_find,
    "math_calc": math_calc,
}
"""Formula of every task, by the name of its file."""
