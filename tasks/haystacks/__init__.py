"""Haystacks: the texts that needles are hidden in, behind one interface (`lceval.corpus.Source`).

prose                            our own fictional prose, endless, different for every seed (default)
noise                            a short block repeated for ever: saliency, not retrieval
needles                          nothing but other needles, with keys and values that no sample uses
pydocs                           the language reference that CPython ships
path:FILE_OR_DIR                 your own texts, UTF-8, files in sorted order
hf:DATASET[:config][:split][:column]   a column of a Hugging Face data set
"""

from __future__ import annotations

from importlib import import_module

from lceval.corpus import Source, Vocabulary
from lceval.errors import unknown

FORMS = {
    "prose": "prose",
    "noise": "noise",
    "needles": "needles",
    "pydocs": "pydocs",
    "path": "path:FILE_OR_DIR",
    "hf": "hf:DATASET[:config][:split][:column]",
}


def check(name: str) -> str:
    """The name itself, if it is of one of the forms above.

    Raises:
        UsageError: it is not.
    """
    kind, _, rest = name.partition(":")
    if kind not in FORMS or bool(rest) != (":" in FORMS[kind]):
        raise unknown("haystack", name, FORMS.values())
    return name


def resolve(name: str, *, seed: int, needle_type: str) -> str:
    """The full name of a haystack: what generated ones depend on besides their kind."""
    return {"prose": f"prose:{seed}", "needles": f"needles:{needle_type}:{seed}"}.get(name, name)


ITEMS = {
    "kv": "lceval.tasks.kv:Pairs",
    "shuffled": "lceval.tasks.distractors:ShuffledProse",
    "encyclopedia": "lceval.tasks.encyclopedia:Documents",
    "transcript": "lceval.tasks.coref:Transcript",
    "graph": "lceval.tasks.graph:Edges",
    "manyshot": "lceval.tasks.manyshot:Demonstrations",
    "code": "lceval.tasks.codebase:Files",
    "coined": "lceval.tasks.coined:Coined",
    "copy-words": "lceval.tasks.copy:PairWords",
}
"""Contexts that belong to one task family: first part of the full name -> class; `of` gets the rest."""


def source(full_name: str) -> Source | Vocabulary:
    """The text, or the words, behind a full name (`resolve`).

    Raises:
        CorpusError: a text that is missing, empty or not UTF-8.
    """
    from lceval.tasks.haystacks import generated, texts

    kind, _, rest = full_name.partition(":")
    match kind:
        case "prose":
            return generated.Prose(int(rest))
        case "noise":
            return generated.Noise()
        case "needles":
            return generated.Needles.of(rest)
        case "pydocs":
            return texts.PyDocs()
        case "path":
            return texts.Files(rest)
        case "hf":
            return texts.Dataset(rest)
        case _ if kind in ITEMS:
            module, _, name = ITEMS[kind].partition(":")
            made: Source | Vocabulary = getattr(import_module(module), name).of(rest)
            return made
        case _:
            raise unknown("haystack", full_name, FORMS.values())
