"""What `lceval variants` prints, in 80 columns: all atoms, one of them, or a variant spelled out. Free of torch."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from lceval.runners.variants.spec import ALIASES, ATOMS, GROUPS, AtomType, Param, Spec, parse, spelled

WIDTH = 80
_INDENT = 22
_FULL = "as full attention"
_PREFIXES = {True: "prompts can share them", False: "none can be shared: keys are chosen by the whole prompt"}
_LEGEND = (
    "i is a query, j a key, n the tokens so far, θ_m the frequency of the m-th phase, d the dimension of a head, L0 the trained "
    "length; s may be auto. Unless an atom says otherwise, it costs what full attention costs, in FLOPs and in KV cache, prompts "
    "can share prefixes, and vLLM cannot do it."
)
_MORE = "Add --model M to see its frequencies, what each layer sees, the bytes of the KV cache and a picture of the distances."
_WAYS = "'lceval variants NAME' shows one atom, 'lceval variants \"yarn(4)+window(2k)\" --model M' what a variant makes of a model."


def variants(variant: str, model: str) -> Iterator[str]:
    """What `lceval variants VARIANT --model MODEL` prints; either may be empty.

    Raises:
        UsageError: the variant is none, or does not fit the model.
        ModelError: there is no such model, or it cannot have variants.
    """
    if model:
        from lceval.runners.variants.describe import on_model

        yield from on_model(parse(variant), model)
    elif not variant:
        yield from every_atom()
    elif variant in ATOMS:
        yield from one_atom(ATOMS[variant])
    elif variant in ALIASES:
        yield from one_alias(variant)
    else:
        yield from spelled_out(parse(variant))
        yield ""
        yield from hanging("", _MORE)


def every_atom() -> Iterator[str]:
    """All atoms by group, and the aliases."""
    yield from hanging("", "Atoms change one thing about a model each. Join them with +; @ names layers:")
    yield ""
    yield '  lceval run niah --model M --variant "yarn(4)+sinks(4)+window(2k)@0-3"'
    for group, says in GROUPS.items():
        yield ""
        yield from hanging("", f"{group}: {says}")
        for kind in ATOMS.values():
            if kind.group == group:
                lead = f"  {kind.usage}"
                yield from _at(lead, kind.says)
                yield from _at("", kind.formula)
                yield from _at("", "; ".join([kind.source, *_apart(kind)]))
    yield ""
    yield "aliases"
    for name, (params, stands_for, source) in ALIASES.items():
        yield from _at(f"  {_usage(name, params)}", _letters(stands_for, params))
        yield from _at("", source)
    yield ""
    yield from hanging("", _LEGEND)
    yield ""
    yield from hanging("", _WAYS)


def one_atom(kind: AtomType) -> Iterator[str]:
    """An atom with its parameters."""
    yield from hanging("", f"{kind.usage}: {kind.says}")
    yield ""
    for name, text in (
        ("group", f"{kind.group}: {GROUPS[kind.group]}"),
        ("formula", kind.formula),
        ("source", kind.source),
        ("FLOPs", kind.flops),
        ("KV cache", kind.kv),
        ("prefixes", _PREFIXES[kind.stable]),
        ("runs on", "Transformers and vLLM" if kind.vllm else "Transformers"),
        ("layers", f"all; some with @, such as {kind.name}{'(…)' if kind.params else ''}@0-3, @full, @sliding or @every4"),
    ):
        if (name, kind.group) != ("layers", "order"):
            yield from hanging(f"  {name:<10}", text)
    yield from _parameters(kind.params, kind.group)


def one_alias(name: str) -> Iterator[str]:
    """An alias and what it stands for."""
    params, stands_for, source = ALIASES[name]
    yield f"{_usage(name, params)}: {source}"
    yield ""
    yield from hanging("  stands for  ", _letters(stands_for, params))
    yield from _parameters(params, "")
    yield ""
    values = {p.name: p.default if p.default is not None else f"{max(p.least, 1024):g}" for p in params}
    for line in spelled_out(parse(stands_for.format(**values))):
        yield f"  {line}" if line else ""


def spelled_out(spec: Spec) -> Iterator[str]:
    """The canonical form of a variant, and what each atom of it means."""
    yield str(spec) or "none"
    yield ""
    if not spec.atoms:
        yield "  the model as it is"
    for atom in spec.atoms:
        yield from _at(f"  {atom}", atom.kind.says)
        yield from _at("", atom.kind.formula)
        if facts := _apart(atom.kind):
            yield from _at("", "; ".join(facts))
    yield ""
    yield f"  prefixes  {_PREFIXES[spec.prefix_stable]}"
    runs = "Transformers and vLLM" if all(atom.kind.vllm and not atom.layers for atom in spec.atoms) else "Transformers"
    yield f"  runs on   {runs}, {'with attention replaced' if spec.hooks else 'with its own attention'}"


def hanging(lead: str, text: str) -> list[str]:
    """A paragraph whose further lines begin where its text began."""
    return textwrap.wrap(lead + text, WIDTH, subsequent_indent=" " * len(lead), break_long_words=False, break_on_hyphens=False)


def _at(lead: str, text: str) -> list[str]:
    """A paragraph in the column of descriptions; a lead that is too long gets a line of its own."""
    indent = " " * _INDENT
    below = textwrap.wrap(text, WIDTH - _INDENT, break_long_words=False, break_on_hyphens=False)
    if not lead:
        return [indent + line for line in below]
    if len(lead) >= _INDENT:
        return [lead, *(indent + line for line in below)]
    return [f"{lead:<{_INDENT}}{below[0]}", *(indent + line for line in below[1:])]


def _apart(kind: AtomType) -> list[str]:
    """In what an atom differs from most."""
    return [
        *([f"FLOPs {kind.flops}"] if kind.flops != _FULL else []),
        *([f"KV {kind.kv}"] if kind.kv != _FULL else []),
        *([] if kind.stable else ["no shared prefixes"]),
        *(["vLLM"] if kind.vllm else []),
    ]


def _usage(name: str, params: tuple[Param, ...]) -> str:
    return f"{name}({', '.join(p.name if p.default is None else f'{p.name}={spelled(p.default)}' for p in params)})"


def _letters(stands_for: str, params: tuple[Param, ...]) -> str:
    return stands_for.format(**{param.name: param.name for param in params})


def _parameters(params: tuple[Param, ...], group: str) -> Iterator[str]:
    if not params:
        return
    yield ""
    yield "parameters"
    for param in params:
        default = "" if param.default is None else f" = {spelled(param.default)}"
        yield from hanging(f"  {param.name + default:<16}", _takes(param, group))


def _takes(param: Param, group: str) -> str:
    if param.kind == "word":
        return " | ".join(param.words) or "a file" * (param.name == "file") or "a list of tokens"
    text = f"{'a whole number' if param.kind == 'int' else 'a number'} from {param.least:g}"
    text += f" to {param.most:g}" if param.most < float("inf") else " up; 2k is 2048" * (param.kind == "int")
    if param.auto:
        found = "the request's final length / the trained length, rounded up" if group == "theta" else "by the trained length"
        text += f"; or auto: {found}"
    return text
