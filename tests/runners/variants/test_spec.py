from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lceval.errors import UsageError
from lceval.runners.variants.spec import ALIASES, ATOMS, AUTO, GROUPS, Param, Spec, parse, positions, spelled

SMALLEST = {
    "pi": "pi(2)", "ntk": "ntk(2)", "yarn": "yarn(2)", "prope": "prope(0.5)", "theta": "theta(500000)",
    "longrope": "longrope(f.json)", "window": "window(8)",
    "global": "global(0-3)", "stride": "stride(4)", "dilate": "dilate(4)", "random": "random(0.5)",
    "segment": "segment(8,4)", "topk": "topk(8)", "quest": "quest(64)", "temp": "temp(2)", "h2o": "h2o(64)", "tova": "tova(64)",
    "snapkv": "snapkv(64)", "pyramid": "pyramid(64)", "kv": "kv(int4)", "chunk": "chunk(64)",
}  # fmt: skip
"""Atoms that need values."""
NEEDS = {"sinks": "+window(8)", "global": "+window(8)", "stride": "+window(8)", "dilate": "+window(8)", "random": "+window(8)"}
"""What must stand beside an atom."""


@pytest.mark.parametrize("name", ATOMS)
def test_every_atom_stands_with_its_defaults_and_is_spelled_out(name: str) -> None:
    text = SMALLEST.get(name, name) + NEEDS.get(name, "+window(8)+sinks" if name == "reindex" else "")
    spec = parse(text)
    (atom,) = spec.named(name)
    assert atom.kind is ATOMS[name]
    assert [type(value) for value in atom.values] == [type(atom[p.name]) for p in atom.kind.params]
    assert parse(str(spec)) == spec
    assert str(parse(str(spec))) == str(spec)
    assert spec.of(atom.kind.group)
    assert atom.kind.says
    assert atom.kind.source
    assert atom.kind.group in GROUPS


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", ""),
        ("none", ""),
        ("window=256", "window(256)"),
        ("window(2k)", "window(2048)"),
        ("window(W=2k)", "window(2048)"),
        ("window( 256 ) + sinks", "window(256)+sinks(4)"),
        ("sinks+window(256)", "window(256)+sinks(4)"),
        ("window(8)+window(16)@0", "window(16)@0+window(8)"),
        ("kv(int4)@4-29+yarn(4)", "yarn(4)+kv(int4,32,32)@4-29"),
        ("yarn=auto", "yarn(auto)"),
        ("self_extend", "self_extend(8,1024)"),
        ("self_extend(W=512,G=4)", "self_extend(4,512)"),
        ("self_extend(4, W=512)", "self_extend(4,512)"),
        ("leaky(k=4)", "leaky(auto,4)"),
        ("dca", "dca(auto,auto)"),
        ("streaming(W=256)", "reindex+window(256)+sinks(4)"),
        ("streaming(8,256)", "reindex+window(256)+sinks(8)"),
        ("streaming(8,256)@0-3", "reindex@0-3+window(256)@0-3+sinks(8)@0-3"),
        ("global(0-3, 9)+window(8)", "window(8)+global(0-3,9)"),
        ("theta(1000000000000)", "theta(1000000000000)"),
        ("temp(0.000001)", "temp(0.000001)"),
        ("temp(1.23456789012345)", "temp(1.23456789012345)"),
        ("longrope(a+b.json)", "longrope(a+b.json)"),
        ("longrope(file=some where/a-b.json)", "longrope(some where/a-b.json)"),
        ("flexprefill(0.95)", "flexprefill(0.95,1024)"),
        ("snapkv(256,question)", "snapkv(256,question)"),
        ("window(4)@every4", "window(4)@every4"),
        ("window(4)@0,2-3", "window(4)@0,2-3"),
    ],
)
def test_a_variant_has_one_spelling(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical
    assert parse(canonical) == parse(text)


def values(param: Param) -> st.SearchStrategy[str]:
    if param.kind == "word":
        return st.sampled_from(param.words or ("0-3,7", "512"))
    most = min(param.most, 4096)
    numbers = (
        st.integers(max(1, int(param.least)), int(most)).map(str)
        if param.kind == "int"
        else st.floats(param.least, most, allow_nan=False).map(spelled)
    )
    return st.one_of(numbers, st.just(AUTO)) if param.auto else numbers


@st.composite
def atoms(draw: Any) -> str:
    kind = draw(st.sampled_from([*ATOMS.values()]))
    text = kind.name + "(" + ",".join(draw(values(param)) for param in kind.params) + ")"
    return text + draw(st.sampled_from(["", "", "@0-1", "@2", "@every2", "@full"]))


@given(st.lists(atoms(), min_size=1, max_size=4))
def test_what_parses_is_read_again_as_it_is_written(parts: list[str]) -> None:
    try:
        spec = parse("+".join(parts))
    except UsageError as error:
        assert "variant" in str(error)  # noqa: PT017
        return
    assert parse(str(spec)) == spec
    assert parse("+".join(reversed(parts))) == spec
    assert spec.prefix_stable == (not spec.named("vslash", "flexprefill", "xattention"))
    groups = [list(GROUPS).index(atom.kind.group) for atom in spec.atoms]
    assert groups == sorted(groups)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("window(256", "'window(256' is not an atom. Write name(values)@layers"),
        ("window(256)@", "is not an atom"),
        ("+", "'' is not an atom"),
        ("windw(256)", "unknown atom 'windw'. Did you mean 'window'"),
        ("YARN(4)", "is not an atom"),
        ("none+window(4)", "unknown atom 'none'"),
        ("window(256)@lower", "@lower names no layers. Use a list such as @0-3"),
        ("window(256)@every0", "@every0 names no layers"),
        ("window(256)@3-1", "@3-1 names no layers"),
        ("window", "window needs W; write it as window(W)"),
        ("window@0-3", "window@0-3 needs W; write it as window(W)"),
        ("window()", "needs W"),
        ("streaming(4)", "streaming(4) needs W; write it as streaming(S, W)"),
        ("kv", "kv needs bits; write it as kv(bits, group, recent)"),
        ("window(1,2)", "window(1,2) has the parameters W; '2' is none of them, or is given twice"),
        ("window(S=2)", "has the parameters W; 'S=2' is none of them"),
        ("window(4,W=4)", "'W=4' is none of them, or is given twice"),
        ("alibi(2)", "alibi(2) has the parameters none; '2' is none of them"),
        ("window(0)", "W='0'; take a whole number of at least 1"),
        ("window(1.5)", "W='1.5'; take a whole number of at least 1"),
        ("window(-3)", "W='-3'; take a whole number"),
        ("window(ten)", "W='ten'; take a whole number"),
        ("window(auto)", "W='auto'; take a whole number of at least 1."),
        ("yarn(0.5)", "s='0.5'; take a number of at least 1, or auto"),
        ("yarn(4k)", "s='4k'; take a number of at least 1"),
        ("theta(500k)", "x='500k'; take a number"),
        ("prope(1.5)", "p='1.5'; take a number of at least 0 and at most 1"),
        ("temp(0)", "t='0'; take a number of at least 1e-06"),
        ("logn(1)", "L='1'; take a whole number of at least 2, or auto"),
        ("kv(int3)", "bits='int3'; take int8 | int4 | int2 | fp8 | bf16"),
        ("snapkv(256,all)", "see='all'; take context | question"),
        ("longrope()", "needs file"),
        ("global(a-b)+window(8)", "global(a-b): 'a-b' names no tokens; take a list such as 0-15,512"),
        ("global(5-2)+window(8)", "'5-2' names no tokens"),
        ("self_extend(3,1024)", "G=3 does not divide W=1024"),
        ("self_extend(3,1024)", "take W=1023 or W=1026"),
        ("self_extend(8,4)", "take W=8 or W=16"),
        ("dca(300,200)", "chunks of s=300 tokens do not fit under the largest distance c=200; take s <= c"),
        ("yarn(2)+pi(4)", "yarn(2) and pi(4) both say how fast phases turn"),
        ("yarn(2)+yarn(4)@0", "there can be one for each layer"),
        ("yarn(2)@0+yarn(4)@0", "there can be one for each layer"),
        ("rerope+leaky", "both say how far a key appears from a query"),
        ("streaming(4,64)+rerope", "both say how far a key appears"),
        ("h2o(64)+tova(64)", "both say which keys and values the cache keeps"),
        ("kv(int4)+kv(int8)", "both say how precisely"),
        ("chunk(4)+chunk(8)", "both say in which order"),
        ("window(4)+window(4)", "window(4) stands twice"),
        ("alibi+alibi", "alibi stands twice"),
        ("sinks(4)", "sinks alone would hide a token from itself and its neighbours; add window(W) or segment(L,M)"),
        ("stride(4)+dilate(2)", "stride and dilate alone would hide"),
        ("chunk(64)@0-3", "chunk cannot be for some layers only"),
        ("h2o(64)+topk(8)", "h2o and topk both choose keys by content"),
        ("topk(8)+quest(64)", "topk and quest both choose keys by content"),
        ("h2o(64)+kv(int4)", "h2o and kv together are not implemented"),
        ("vslash+chunk(64)", "chunk does not go with an atom that looks at the whole prompt at once"),
        ("reindex", "reindex counts the keys that are still seen: it needs either one window(W)"),
        ("reindex+window(8)+stride(2)", "reindex counts the keys that are still seen"),
        ("reindex+window(8)+window(16)+sinks", "reindex counts the keys that are still seen"),
        ("reindex+window(8)+h2o(64)", "reindex counts the keys that are still seen"),
        ("reindex@0-3+window(8)+sinks", "reindex and what it counts must be for the same layers"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert says in str(caught.value)


def test_atoms_for_different_layers_go_together() -> None:
    spec = parse("yarn(2)@0-1+pi(4)@2-5+self_extend@0-1+window(8)@2")
    assert len(spec.of("theta")) == 2
    assert spec.hooks


@pytest.mark.parametrize(
    ("text", "hooks"),
    [("", False), ("yarn(4)", False), ("chunk(64)", False), ("yarn(4)+chunk(64)", False), ("yarn(4)@0-3", True),
     ("window(8)", True), ("temp(2)", True), ("kv(int8)", True), ("h2o(64)", True), ("rerope", True)],
)  # fmt: skip
def test_attention_is_replaced_only_where_it_must_be(text: str, hooks: bool) -> None:
    assert parse(text).hooks is hooks


def test_usage_shows_what_must_be_given() -> None:
    assert ATOMS["window"].usage == "window(W)"
    assert ATOMS["kv"].usage == "kv(bits, group=32, recent=32)"
    assert ATOMS["alibi"].usage == "alibi"


def test_every_parameter_takes_its_default_and_its_bounds() -> None:
    for kind in ATOMS.values():
        for param in kind.params:
            assert (
                param.default is None or param.default == AUTO or param.kind == "word" or param.least <= param.default <= param.most
            )


def test_aliases_stand_for_atoms() -> None:
    for name, (params, stands_for, source) in ALIASES.items():
        given = {param.name: param.default or 64 for param in params}
        assert parse(f"{name}({','.join(map(str, given.values()))})") == parse(stands_for.format(**given))
        assert source


def test_positions() -> None:
    assert positions("0-3,7, 9-9,2") == (0, 1, 2, 3, 7, 9)
    assert parse("") == Spec()
