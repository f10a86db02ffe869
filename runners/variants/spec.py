"""The language of variants: atoms joined by `+`, each a change of one thing, some for certain layers only.

    yarn(4) + sinks(4) + window(2k) + kv(int4)@4-29

Free of torch: a variant is parsed, checked and spelled out before anything is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Literal

from lceval.errors import UsageError, unknown

Group = Literal["theta", "distance", "sight", "score", "keep", "store", "order"]
GROUPS: dict[Group, str] = {
    "theta": "how fast phases turn: fixed when a request begins",
    "distance": "how far a key appears from a query",
    "sight": "which keys a query sees: atoms unite, then meet causality and the model's own window",
    "score": "how sharp the softmax is",
    "keep": "which keys and values the cache keeps",
    "store": "how precisely it keeps them",
    "order": "in which order a prompt is computed",
}
"""Of `sight` and `score` there may be several atoms, of the others one for each layer."""

AUTO = "auto"
LAST_QUERIES = 32
"""Queries whose attention says what `snapkv` and `pyramid` keep."""
Value = int | float | str


@dataclass(frozen=True)
class Param:
    """A parameter of an atom."""

    name: str
    kind: Literal["int", "float", "word"]
    default: Value | None = None
    """None: it must be given."""
    least: float = 1
    most: float = float("inf")
    auto: bool = False
    """Whether `auto` is a value: found from the model's trained window, or the request's final length."""
    words: tuple[str, ...] = ()
    """What a word may be; empty: anything."""


@dataclass(frozen=True)
class AtomType:
    """What an atom is; a row of `ATOMS`."""

    name: str
    group: Group
    params: tuple[Param, ...]
    says: str
    formula: str
    source: str
    flops: str = "as full attention"
    kv: str = "as full attention"
    stable: bool = True
    """Whether the keys and values of a prefix do not depend on what follows it, so that prompts can share it."""
    vllm: bool = False
    """Whether vLLM can do it."""
    check: Callable[[Mapping[str, Value]], str | None] = lambda _: None
    """What is wrong with parameters that are each right; None if nothing is."""

    @property
    def usage(self) -> str:
        """Name and parameters, as a user writes them."""
        inside = ", ".join(p.name if p.default is None else f"{p.name}={spelled(p.default)}" for p in self.params)
        return f"{self.name}({inside})" if inside else self.name


def _factor(default: Value | None = None, *, auto: bool = True) -> Param:
    return Param("s", "float", default, least=1, auto=auto)


def _divides(values: Mapping[str, Value]) -> str | None:
    group, window = values["G"], values["W"]
    if isinstance(group, int) and isinstance(window, int) and window % group:
        lower = max(window // group, 1) * group
        return (
            f"G={group} does not divide W={window}, and then the paper's formula (floor of W/G) and its authors' code (no floor) "
            f"are different methods; take W={lower} or W={lower + group}"
        )
    return None


def _chunk_in_cap(values: Mapping[str, Value]) -> str | None:
    size, cap = values["s"], values["c"]
    if isinstance(size, int) and isinstance(cap, int) and size > cap:
        return f"chunks of s={size} tokens do not fit under the largest distance c={cap}; take s <= c"
    return None


def _whole_bytes(values: Mapping[str, Value]) -> str | None:
    group, per_byte = values["group"], {"int4": 2, "int2": 4}.get(str(values["bits"]), 1)
    if isinstance(group, int) and group % per_byte:
        return f"{values['bits']} puts {per_byte} numbers in a byte, and group={group} is no multiple of that; take group=32"
    return None


def _beyond_last(values: Mapping[str, Value]) -> str | None:
    budget = values["b"]
    if isinstance(budget, int) and budget <= LAST_QUERIES:
        return (
            f"b={budget}, but the last {LAST_QUERIES} tokens are kept in any case, and something must be left to choose; take b=256"
        )
    return None


_MASKED = "full attention and a mask: what the method does to answers, not its speed"

_TYPES = (
    AtomType(
        "pi",
        "theta",
        (_factor(),),
        "position interpolation: all phases turn s times slower",
        "θ_m / s",
        "arXiv:2306.15595",
        vllm=True,
    ),
    AtomType(
        "ntk",
        "theta",
        (_factor(),),
        "NTK-aware scaling: a larger base slows only the slow phases",
        "base · s^(d / (d − 2))",
        "bloc97, r/LocalLLaMA 2023",
        vllm=True,
    ),
    AtomType(
        "yarn",
        "theta",
        (_factor(),),
        "NTK by parts, with a temperature",
        "(1 − γ) θ_m / s + γ θ_m, logits · (0.1 ln s + 1)²",
        "arXiv:2309.00071",
        vllm=True,
    ),
    AtomType(
        "llama3",
        "theta",
        (_factor(8.0),),
        "slow phases turn s times slower, fast ones as trained, smooth between",
        "θ_m / s where the wavelength > L0, θ_m where < L0 / 4",
        "arXiv:2407.21783",
        vllm=True,
    ),
    AtomType(
        "prope",
        "theta",
        (Param("p", "float", least=0, most=1),),
        "only the fastest part p of the phases turns",
        "θ_m = 0 for the slowest 1 − p",
        "arXiv:2410.06205",
    ),
    AtomType("theta", "theta", (Param("x", "float", least=1),), "another RoPE base", "base = x", "arXiv:2309.16039", vllm=True),
    AtomType(
        "longrope",
        "theta",
        (Param("file", "word"),),
        "searched factors for every phase, from a JSON file: short_factor, long_factor",
        "θ_m / λ_m, by the request's final length",
        "arXiv:2402.13753",
    ),
    AtomType(
        "self_extend",
        "distance",
        (Param("G", "int", 8), Param("W", "int", 1024)),
        "near keys as they are, far ones in groups of G",
        "i − j < W: i − j; else ⌊i / G⌋ − ⌊j / G⌋ + W − W / G",
        "arXiv:2401.01325",
        flops="2 bands: as full attention, and a merge",
        check=_divides,
    ),
    AtomType(
        "rerope",
        "distance",
        (Param("w", "int", AUTO, auto=True),),
        "no key appears further away than w",
        "min(i − j, w)",
        "bojone/rerope",
        flops="2 bands: as full attention, and a merge",
    ),
    AtomType(
        "leaky",
        "distance",
        (Param("w", "int", AUTO, auto=True), Param("k", "float", 8.0)),
        "beyond w, distances grow k times slower",
        "i − j < w: i − j; else w + (i − j − w) / k",
        "bojone/rerope",
        flops="2 bands: as full attention, and a merge",
    ),
    AtomType(
        "dca",
        "distance",
        (Param("s", "int", AUTO, auto=True), Param("c", "int", AUTO, auto=True)),
        "dual chunk attention: distances within a chunk, to the last one, and to older ones",
        "i%s − j%s; min(i%s + s, c) − j%s; min(2s − 1, c) − j%s",
        "arXiv:2402.17463",
        flops="3 bands: as full attention, and a merge",
        check=_chunk_in_cap,
    ),
    AtomType(
        "reindex",
        "distance",
        (),
        "distances count only the keys that are still seen",
        "rank of i − rank of j among the keys that i sees",
        "arXiv:2309.17453",
    ),
    AtomType(
        "window",
        "sight",
        (Param("W", "int"),),
        "the last W keys, the query's own included",
        "i − j < W",
        "arXiv:2004.05150",
        flops="W / n of full attention",
        vllm=True,
    ),
    AtomType(
        "sinks", "sight", (Param("S", "int", 4),), "the first S keys", "j < S", "arXiv:2309.17453", flops="S / n of full attention"
    ),
    AtomType(
        "global",
        "sight",
        (Param("at", "word"),),
        "keys that everybody sees, such as 0-15 or 0,512,1024",
        "j ∈ G",
        "arXiv:2004.05150",
        flops="|G| / n of full attention",
    ),
    AtomType(
        "stride",
        "sight",
        (Param("s", "int"),),
        "every s-th key",
        "j mod s = s − 1",
        "arXiv:1904.10509",
        flops="1 / s of full attention",
    ),
    AtomType(
        "dilate",
        "sight",
        (Param("r", "int"),),
        "every r-th key counted back from the query",
        "(i − j) mod r = 0",
        "arXiv:2307.02486",
        flops="1 / r of full attention",
    ),
    AtomType(
        "random",
        "sight",
        (Param("p", "float", least=0, most=1), Param("seed", "int", 0, least=0)),
        "blocks of 64 keys, each seen by a block of 64 queries with probability p",
        "hash(⌊i / 64⌋, ⌊j / 64⌋) < p",
        "arXiv:2007.14062",
        flops="p of full attention",
    ),
    AtomType(
        "segment",
        "sight",
        (Param("L", "int"), Param("M", "int", None, least=0)),
        "one's own segment of L tokens, and M before it",
        "j ≥ ⌊i / L⌋ L − M",
        "arXiv:1901.02860",
        flops="(L / 2 + M) / n of full attention",
    ),
    AtomType(
        "topk",
        "sight",
        (Param("k", "int"),),
        "the k keys of the greatest score for each query of each head, its own among them",
        "s_ij among the k largest of i",
        "arXiv:2203.08913",
        flops=_MASKED,
    ),
    AtomType(
        "vslash",
        "sight",
        (Param("v", "int", 1000), Param("s", "int", 6096)),
        "while the prompt is computed, the v columns and s diagonals that its last 64 queries attend to, the first 30 and the "
        "nearest 100 among them; the answer sees all",
        "j ∈ V or i − j ∈ D",
        "arXiv:2407.02490",
        flops=_MASKED,
        stable=False,
    ),
    AtomType(
        "flexprefill",
        "sight",
        (Param("γ", "float", 0.9, least=0, most=1), Param("least", "int", 1024)),
        "while the prompt is computed, columns and diagonals, or blocks of 128, by head: as many as hold a part γ of the estimated "
        "attention, but at least so many columns and diagonals; the answer sees all",
        "cumulative mass ≥ γ",
        "arXiv:2502.20766",
        flops=_MASKED,
        stable=False,
    ),
    AtomType(
        "xattention",
        "sight",
        (Param("τ", "float", 0.9, least=0, most=1),),
        "while the prompt is computed, the blocks of 128 that hold a part τ of the attention, estimated from the antidiagonals of "
        "16 · 16 scores; the answer sees all",
        "cumulative mass ≥ τ",
        "arXiv:2503.16428",
        flops=_MASKED,
        stable=False,
    ),
    AtomType(
        "quest",
        "sight",
        (Param("b", "int"), Param("see", "word", "context", words=("context", "question"))),
        "once the context (or the question) is read, queries see b keys, in pages of 16 by an upper bound of their score, and "
        "their own page; what comes before, to its last token, and the first two layers are dense",
        "Σ_d max(q_d · kmax_d, q_d · kmin_d)",
        "arXiv:2406.10774",
        flops=_MASKED,
    ),
    AtomType(
        "logn",
        "score",
        (Param("L", "int", AUTO, least=2, auto=True),),
        "scores grow with the logarithm of the position",
        "max(1, ln(i + 1) / ln L) · s_ij",
        "Su 2021, arXiv:2202.12172",
    ),
    AtomType("temp", "score", (Param("t", "float", least=1e-6),), "a temperature of the softmax", "s_ij / t", "arXiv:2309.00071"),
    AtomType(
        "alibi",
        "score",
        (),
        "a linear penalty of the distance; a negative control: no model with RoPE was trained with it",
        "s_ij − 2^(−8 h / H) (i − j)",
        "arXiv:2108.12409",
    ),
    AtomType(
        "h2o",
        "keep",
        (Param("b", "int", least=2), Param("every", "int", 256)),
        "half of the budget for the greatest sums of attention, half for the latest; evicts every so many tokens",
        "top b / 2 of Σ_i p_ij, and the last b / 2",
        "arXiv:2306.14048",
        flops="b / n of full attention",
        kv="b + every tokens a head",
    ),
    AtomType(
        "tova",
        "keep",
        (Param("b", "int"), Param("every", "int", 256)),
        "the keys of the greatest attention from the last query, the same for all heads; evicts every so many tokens",
        "top b of Σ_h p_hnj, the last token among them",
        "arXiv:2401.06104",
        flops="b / n of full attention",
        kv="b + every tokens a head",
    ),
    AtomType(
        "snapkv",
        "keep",
        (Param("b", "int"), Param("see", "word", "context", words=("context", "question"))),
        "once the context (or the question) is read, what its last 32 queries attend to",
        "top b − 32 of avgpool_5(Σ_i p_ij), and the last 32",
        "arXiv:2404.14469",
        flops="as full attention, b / n for the answer",
        kv="as full attention, for other questions; the answer reads b tokens a head",
        check=_beyond_last,
    ),
    AtomType(
        "pyramid",
        "keep",
        (Param("b", "int"), Param("see", "word", "context", words=("context", "question"))),
        "snapkv with more of the budget in the lower layers",
        "b − 32 falls linearly with depth, from 39/20 to 1/20 of itself",
        "arXiv:2406.02069",
        flops="as full attention, b / n for the answer",
        kv="as full attention, for other questions; the answer reads b tokens a head on average",
        check=_beyond_last,
    ),
    AtomType(
        "kv",
        "store",
        (
            Param("bits", "word", words=("int8", "int4", "int2", "fp8", "bf16")),
            Param("group", "int", 32),
            Param("recent", "int", 32, least=0),
        ),
        "keys before rotation by channel, values by token, in groups; the latest stay exact",
        "round((x − min) / scale)",
        "arXiv:2402.02750, arXiv:2401.18079",
        kv="bits / 16 of bf16, and scales",
        check=_whole_bytes,
    ),
    AtomType(
        "chunk",
        "order",
        (Param("c", "int"),),
        "the prompt in pieces of c tokens: exact, for memory",
        "–",
        "arXiv:2308.16369",
        vllm=True,
    ),
)

ATOMS: dict[str, AtomType] = {kind.name: kind for kind in _TYPES}
ALIASES: dict[str, tuple[tuple[Param, ...], str, str]] = {
    "streaming": ((Param("S", "int", 4), Param("W", "int")), "window({W})+sinks({S})+reindex", "StreamingLLM, arXiv:2309.17453"),
}
"""Name -> parameters, what it stands for, and where it is from."""

LOCAL = ("window", "segment", "topk", "vslash", "flexprefill", "xattention", "quest")
BY_CONTENT = ("topk", "vslash", "flexprefill", "xattention", "quest")
_ATOM = re.compile(r"([a-z_][a-z_0-9]*)\s*(?:\(([^()]*)\)|=([\w.]+))?\s*(?:@([a-z0-9,\-]+))?")
_SCOPE = re.compile(r"full|sliding|every[1-9]\d*|\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*")
_RANGE = re.compile(r"(\d+)-(\d+)")
_PLUS = re.compile(r"\+(?![^()]*\))")  # not in brackets: a file may have one in its name


@dataclass(frozen=True)
class Atom:
    """One atom with all its parameters."""

    kind: AtomType
    values: tuple[Value, ...]
    layers: str = ""
    """`0-3`, `full`, `every4`; empty: all."""

    @property
    def name(self) -> str:
        """The atom's name."""
        return self.kind.name

    def __getitem__(self, name: str) -> Value:
        """The value of a parameter."""
        return self.values[[p.name for p in self.kind.params].index(name)]

    def __str__(self) -> str:
        inside = ",".join(map(spelled, self.values))
        return self.name + (f"({inside})" if inside else "") + (f"@{self.layers}" if self.layers else "")


@dataclass(frozen=True)
class Spec:
    """A variant: atoms in the order of the groups. `str` spells everything out; empty is the model as it is."""

    atoms: tuple[Atom, ...] = ()

    def __str__(self) -> str:
        return "+".join(map(str, self.atoms))

    def of(self, group: Group) -> tuple[Atom, ...]:
        """The atoms of a group."""
        return tuple(atom for atom in self.atoms if atom.kind.group == group)

    def named(self, *names: str) -> tuple[Atom, ...]:
        """The atoms with one of these names."""
        return tuple(atom for atom in self.atoms if atom.name in names)

    @cached_property
    def prefix_stable(self) -> bool:
        """Whether prompts can share the keys and values of a common prefix."""
        return all(atom.kind.stable for atom in self.atoms)

    @cached_property
    def hooks(self) -> bool:
        """Whether attention itself changes; θ for all layers and the order of computation do not."""
        return any(atom.kind.group not in ("theta", "order") or (atom.kind.group == "theta" and atom.layers) for atom in self.atoms)


def parse(text: str) -> Spec:
    """Read a variant.

    Args:
        text: atoms joined by `+`; empty or `none`: the model as it is.

    Raises:
        UsageError: unknown atoms or parameters, values out of range, or atoms that do not go together; the message says why.
    """
    if text.strip() in ("", "none"):
        return Spec()
    atoms = [atom for part in _PLUS.split(text) for atom in _read(part.strip(), text)]
    _check_together(atoms, text)
    order = list(GROUPS)
    return Spec(tuple(sorted(atoms, key=lambda atom: (order.index(atom.kind.group), list(ATOMS).index(atom.name), str(atom)))))


def _read(part: str, text: str) -> list[Atom]:
    found = _ATOM.fullmatch(part)
    if not found:
        raise UsageError(
            f"variant {text!r}: {part!r} is not an atom. Write name(values)@layers, joined by +, such as yarn(4)+window(2k)@0-3; "
            "'lceval variants' lists the atoms."
        )
    name, inside, layers = found[1], found[2] or found[3], found[4] or ""  # window=256 is window(256)
    if layers and not (_SCOPE.fullmatch(layers) and all(int(low) <= int(high) for low, high in _RANGE.findall(layers))):
        raise UsageError(
            f"variant {text!r}: @{layers} names no layers. Use a list such as @0-3 or @0,7, every fourth as @every4, or a model's "
            "own kinds @full and @sliding."
        )
    if name in ALIASES:
        params, stands_for, _ = ALIASES[name]
        values = dict(zip((p.name for p in params), _values(part, params, inside, text), strict=True))
        whole = stands_for.format(**values)
        return [atom for each in _PLUS.split(whole) for atom in _read(each + (f"@{layers}" if layers else ""), text)]
    if name not in ATOMS:
        raise unknown("atom", name, [*ATOMS, *ALIASES], "List them with 'lceval variants'.")
    kind = ATOMS[name]
    values_ = _values(part, kind.params, inside, text)
    if wrong := kind.check(dict(zip((p.name for p in kind.params), values_, strict=True))):
        raise UsageError(f"variant {text!r}: {part}: {wrong}.")
    if name == "global":
        positions(str(values_[0]), part)
        values_ = ["".join(str(values_[0]).split())]
    return [Atom(kind, tuple(values_), layers)]


def _values(part: str, params: Sequence[Param], inside: str | None, text: str) -> list[Value]:
    """The values of an atom's parameters, in their order."""
    if len(params) == 1 and params[0].name == "at":
        given = [inside.strip()] if inside and inside.strip() else []  # a list with commas is one value
    else:
        given = [value.strip() for value in inside.split(",")] if inside and inside.strip() else []
    values: dict[str, Value] = {}
    for i, value in enumerate(given):
        name, equals, rest = value.partition("=")
        param = next((p for p in params if p.name == name.strip()), None) if equals else (params[i] if i < len(params) else None)
        if param is None or param.name in values:
            raise UsageError(
                f"variant {text!r}: {part} has the parameters {', '.join(p.name for p in params) or 'none'}; {value!r} is none of "
                "them, or is given twice."
            )
        values[param.name] = _value(part, param, (rest if equals else value).strip(), text)
    for param in params:
        if param.name not in values:
            if param.default is None:
                name = re.split(r"[(=@\s]", part)[0]
                raise UsageError(
                    f"variant {text!r}: {part} needs {param.name}; write it as {name}({', '.join(p.name for p in params)})."
                )
            values[param.name] = param.default
    return [values[param.name] for param in params]


def _value(part: str, param: Param, text: str, whole: str) -> Value:
    if param.auto and text == AUTO:
        return AUTO
    if param.kind == "word":
        if not text or (param.words and text not in param.words):
            raise UsageError(f"variant {whole!r}: {part}: {param.name}={text!r}; take {' | '.join(param.words) or 'a name'}.")
        return text
    number = re.fullmatch(r"(\d+(?:\.\d+)?)([km]?)" if param.kind == "int" else r"(\d+(?:\.\d+)?)()", text)
    value = float(number[1]) * {"": 1, "k": 1 << 10, "m": 1 << 20}[number[2]] if number else None
    if value is None or not param.least <= value <= param.most or (param.kind == "int" and value != int(value)):
        wanted = f"{'a whole number' if param.kind == 'int' else 'a number'} of at least {param.least:g}"
        wanted += f" and at most {param.most:g}" if param.most < float("inf") else ""
        wanted += ", or auto" if param.auto else ""
        raise UsageError(f"variant {whole!r}: {part}: {param.name}={text!r}; take {wanted}.")
    return int(value) if param.kind == "int" else value


def _check_together(atoms: Sequence[Atom], text: str) -> None:
    def refuse(why: str) -> None:
        raise UsageError(f"variant {text!r}: {why}.")

    for group, purpose in GROUPS.items():
        if group in ("sight", "score"):
            continue
        same = [atom for atom in atoms if atom.kind.group == group]
        scopes = [atom.layers for atom in same]
        if len(same) > 1 and ("" in scopes or len(set(scopes)) < len(scopes)):
            refuse(f"{' and '.join(map(str, same))} both say {purpose}; there can be one for each layer")
    names = {atom.name for atom in atoms}
    seen = [atom for atom in atoms if atom.kind.group == "sight"]
    if twice := next((atom for i, atom in enumerate(atoms) if atom in atoms[:i]), None):
        refuse(f"{twice} stands twice")
    if seen and not names & set(LOCAL):
        refuse(
            f"{' and '.join(atom.name for atom in seen)} alone would hide a token from itself and its neighbours; add window(W) or "
            "segment(L,M)"
        )
    if any(atom.kind.group == "order" and atom.layers for atom in atoms):
        refuse("chunk cannot be for some layers only: a prompt is computed layer by layer")
    keep, content = [atom for atom in atoms if atom.kind.group == "keep"], [atom for atom in atoms if atom.name in BY_CONTENT]
    if keep and content:
        refuse(f"{keep[0].name} and {content[0].name} both choose keys by content; take one of them")
    if len(content) > 1:
        refuse(f"{' and '.join(atom.name for atom in content)} both choose keys by content; take one of them")
    if keep and any(atom.kind.group == "store" for atom in atoms):
        refuse(f"{keep[0].name} and kv together are not implemented: quantized groups would have to be cut; take one of them")
    if any(atom.name in ("vslash", "flexprefill", "xattention") for atom in atoms) and "chunk" in names:
        refuse("chunk does not go with an atom that looks at the whole prompt at once")
    if "reindex" in names:
        static = {atom.name for atom in seen}
        if picking := [atom for atom in keep if atom.name in ("snapkv", "pyramid")]:
            refuse(
                f"reindex does not go with {picking[0].name}, which leaves keys out only after they were read at their places; "
                "take h2o(b) or tova(b), which evict while they read"
            )
        if seen if keep else not ("window" in static <= {"window", "sinks"} and len(seen) == len(static)):
            refuse(
                "reindex counts the keys that are still seen: it needs either one window(W), with or without one sinks(S), or an "
                "atom that evicts such as h2o(b)"
            )
        scope = {atom.layers for atom in atoms if atom.name == "reindex" or atom in seen or atom in keep}
        if len(scope) > 1:
            refuse("reindex and what it counts must be for the same layers")


def positions(text: str, part: str = "global") -> tuple[int, ...]:
    """The tokens that `0-15,512` names, ascending.

    Raises:
        UsageError: it is no such list.
    """
    found: set[int] = set()
    for item in text.split(","):
        bounds = re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", item)
        if not bounds or int(bounds[2] or bounds[1]) < int(bounds[1]):
            raise UsageError(f"{part}: {item!r} names no tokens; take a list such as 0-15,512.")
        found |= set(range(int(bounds[1]), int(bounds[2] or bounds[1]) + 1))
    return tuple(sorted(found))


def spelled(value: Value) -> str:
    """A value as a user would write it."""
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}".removesuffix(".0")
    return str(value)
