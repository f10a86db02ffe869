from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from lceval.describe_variants import variants
from lceval.errors import ModelError, UsageError
from lceval.runners.variants import pairs
from lceval.runners.variants.attend import within
from lceval.runners.variants.held import Alike, Attention, alive, own_bytes, sight, variant_bytes
from lceval.runners.variants.hook import distance_bands
from lceval.runners.variants.look import check, fit, look
from lceval.runners.variants.pairs import Band
from lceval.runners.variants.picture import COLUMNS, FEW, NONE, SHADES, draw, span
from lceval.runners.variants.spec import ALIASES, ATOMS, parse
from lceval.runners.variants.words import condition, distance, layers, ranges

MAPS: dict[str, tuple[Band, ...]] = {
    "self_extend(4,16)": pairs.self_extend(4, 16),
    "self_extend(1,16)": pairs.self_extend(1, 16),
    "rerope(16)": pairs.rerope(16),
    "leaky(16,8)": pairs.leaky(16, 8.0),
    "leaky(16,1)": pairs.leaky(16, 1.0),
    "dca(24,32)": pairs.dca(24, 32),
    "dca(24,60)": pairs.dca(24, 60),
    "streaming(4,16)": pairs.streaming(4, 16),
    "nothing": (Band(pairs.CAUSAL),),
}
SETS: dict[str, pairs.Pairs] = {
    "at": pairs.At((0, 1, 2, 9, 30)),
    "stride": pairs.AnyOf((pairs.Near(5), pairs.Stride(8))),
    "dilate": pairs.Dilate(3),
    "segment": pairs.Segment(10, 4),
    "segment alone": pairs.Segment(10, 0),
    "some chunks": pairs.Chunks(8, 1, 2),
    "both": pairs.AllOf((pairs.CAUSAL, pairs.AnyOf((pairs.Near(5), pairs.First(4))), pairs.Near(20))),
}


def evaluated(formula: str, i: int, j: int) -> Any:
    """What a formula says of one pair, by Python's own arithmetic."""
    formula = re.sub(
        r"j in ([\d, -]+)", lambda listed: f"j in {[n for part in listed[1].split(', ') for n in spread(part)]}", formula
    )
    formula = re.sub(r"⌊([^⌋]*) / ([^⌋]*)⌋", r"((\1) // \2)", formula)
    for sign, python in (("−", "-"), ("·", "*"), (" mod ", " % "), ("≥", ">="), ("≤", "<="), (" = ", " == ")):
        formula = formula.replace(sign, python)
    return eval(formula, {"i": i, "j": j, "min": min})


def spread(part: str) -> range:
    first, _, last = part.partition("-")
    return range(int(first), int(last or first) + 1)


@pytest.mark.parametrize("name", MAPS)
def test_formulas_of_bands_say_what_the_bands_do(name: str) -> None:
    for band in MAPS[name]:
        for i in range(0, 90, 7):
            for j in range(0, i + 1, 3):
                far = float(band.q(torch.tensor(i)) - band.k(torch.tensor(j)))
                assert evaluated(distance(band), i, j) == pytest.approx(far), (distance(band), i, j)
                assert bool(evaluated(condition(band.see), i, j)) == bool(band.see(torch.tensor(i), torch.tensor(j)))


@pytest.mark.parametrize("name", SETS)
def test_conditions_say_what_sets_hold(name: str) -> None:
    see = SETS[name]
    for i in range(40):
        for j in range(i + 1):
            assert bool(evaluated(condition(see), i, j)) == bool(see(torch.tensor(i), torch.tensor(j))), (condition(see), i, j)


def test_lists_of_layers() -> None:
    assert ranges([0, 1, 2, 5, 7, 8]) == "0-2, 5, 7-8"
    assert (layers([3]), layers([2, 0, 1]), layers([1, 3])) == ("layer 3", "layers 0-2", "layers 1, 3")


PICTURES = ["self_extend(4,16)", "dca(24,32)", "streaming(4,16)", "window(16)+stride(8)", "rerope(16)", "segment(20,8)+sinks(2)"]


@pytest.mark.parametrize("text", PICTURES)
def test_every_character_of_a_picture_is_right(text: str) -> None:
    atoms = parse(text).atoms
    bands = within(distance_bands(atoms, 8192), *sight(atoms))
    length = span(atoms, distance_bands(atoms, 8192))
    assert 48 <= length <= COLUMNS  # a character a key
    rows, key = drawn(list(draw(bands, length)))
    assert list(rows) == [*range(1, length, 2)]
    for i, row in rows.items():
        assert len(row) == i + 1
        for j, mark in enumerate(row):
            seen = [band for band in bands if band.see(torch.tensor([i]), torch.tensor([j]))]
            assert len(seen) <= 1
            if seen:
                low, high = key[mark]
                assert low <= seen[0].q(torch.tensor(i)) - seen[0].k(torch.tensor(j)) <= high
            else:
                assert mark == NONE


def drawn(lines: list[str]) -> tuple[dict[int, str], dict[str, tuple[int, int]]]:
    """Rows by query, and what shades mean."""
    assert max(map(len, lines)) <= 80
    blank = lines.index("")
    rows = {int(line.split()[0]): line.split()[1] for line in lines[1:blank]}
    key = {mark: (int(low), int(high)) for mark, low, high in re.findall(rf"([{SHADES}]) (\d+)-(\d+)", lines[blank + 1])}
    return rows, key


def test_a_picture_of_many_tokens_shows_parts_of_columns() -> None:
    atoms = parse("window(2k)+sinks(4)").atoms
    rows, _ = drawn(list(draw(within(distance_bands(atoms, 0), *sight(atoms)), span(atoms, distance_bands(atoms, 0)))))
    last = rows[8191]
    assert last[0] == FEW  # 4 of 114 keys
    assert set(last[1:53]) == {NONE}
    assert last.rstrip(SHADES)[-1] == FEW  # the column in which the window begins
    assert len(last) == 72
    assert not set(rows[227]) & {FEW, NONE}


@pytest.mark.parametrize("text", ["yarn(4)", "kv(int4)", "topk(8)", "chunk(512)", "h2o(64)", "temp(2)"])
def test_what_has_no_shape_is_not_drawn(text: str) -> None:
    assert span(parse(text).atoms, (Band(pairs.CAUSAL),)) == 0


@pytest.mark.parametrize("text", ["", *ATOMS, *ALIASES, "yarn(4)+window(2k)", "streaming(4,2k)+kv(int4)@0-3", "none", "vslash"])
def test_all_that_is_said_fits_80_columns(text: str) -> None:
    lines = list(variants(text, ""))
    assert max(map(len, lines)) <= 80
    assert all(line == line.rstrip() for line in lines)


def test_the_list_has_every_atom_with_usage_formula_source_and_cost() -> None:
    text = " ".join("\n".join(variants("", "")).split())
    for kind in ATOMS.values():
        for part in (
            kind.usage,
            kind.says,
            kind.formula,
            kind.source,
            *([kind.flops] if kind.flops != "as full attention" else []),
        ):
            assert " ".join(part.split()) in text, part
    for name in ALIASES:
        assert f"{name}(" in text


def test_one_atom_says_everything_about_it() -> None:
    text = " ".join("\n".join(variants("vslash", "")).split())
    kind = ATOMS["vslash"]
    for part in (
        kind.says,
        kind.formula,
        kind.source,
        kind.flops,
        kind.kv,
        "none can be shared",
        "v = 1000",
        "runs on Transformers ",
    ):
        assert part in text, part
    assert "Transformers and vLLM" in " ".join(variants("yarn", ""))
    assert "window(W)+sinks(S)+reindex" in " ".join(variants("streaming", ""))


def test_a_variant_is_spelled_out_in_its_canonical_form() -> None:
    lines = list(variants("window(2k) + yarn(4)", ""))
    assert lines[0] == "yarn(4)+window(2048)"
    assert "yarn(4)" in lines[2]
    assert any("--model M" in line for line in lines)


@pytest.mark.parametrize("kind", ["llama", "mistral", "gemma2", "gemma3_text", "phi3", "smollm3", "cohere2", "glm"])
def test_looking_without_weights_finds_what_probing_finds(kind: str, tiny: Any, hooked: Any) -> None:
    network = tiny(kind)
    probed = hooked(network, "window(16)").seen
    _, seen = look(network.config, parse(""))
    for one, other in zip(probed, seen, strict=True):
        assert (one.rotates, one.window, one.layer_type, one.head_dim) == (other.rotates, other.window, other.kind, other.head_dim)
        assert other.size == 2 * other.heads * other.head_dim


@pytest.fixture
def folder(tmp_path: Path, tiny: Any) -> Any:
    """`folder(kind, **config)`: a folder with nothing but a configuration."""

    def save(kind: str, **more: Any) -> str:
        tiny(kind, **more).config.save_pretrained(tmp_path / kind)
        return str(tmp_path / kind)

    return save


def said(text: str, model: str) -> list[str]:
    lines = list(variants(text, model))
    assert max(map(len, lines[1:])) <= max(80, len(model) + 80)
    return lines


def table(lines: list[str]) -> list[list[float]]:
    """The rows of a table of phases."""
    begin = next(n for n, line in enumerate(lines) if "θ here" in line) + 1
    found = []
    for line in lines[begin:]:
        if not re.match(r" +\d+ ", line):
            break
        found.append(
            [float(cell.replace(",", "")) for cell in line.replace("times", "").replace("still", "inf").replace("∞", "inf").split()]
        )
    return found


def test_phases_before_and_after(folder: Any) -> None:
    model = folder("llama")
    rows = table(said("pi(4)", model))
    assert [row[0] for row in rows] == list(range(8))  # 16 dimensions
    for m, own, wave, new, longer, slower in rows:
        assert own == pytest.approx(10000 ** (-2 * m / 16), rel=1e-3)
        assert wave == pytest.approx(2 * math.pi / own, rel=1e-2)
        assert (new, longer, slower) == (pytest.approx(own / 4, rel=1e-3), pytest.approx(4 * wave, rel=1e-2), 4)
    rows = table(said("yarn(4)", model))
    assert (rows[0][-1], rows[-1][-1]) == (1, 4)
    assert table(said("prope(0.5)", model))[-1][-1] == math.inf
    assert "scores times 1.296" in " ".join(said("yarn(4)", model))  # (0.1 ln 4 + 1)²
    (line,) = (line for line in said("window(16)", model) if line.startswith("phases"))
    assert "as trained" in line


def test_auto_is_resolved_for_a_request_of_four_windows(folder: Any) -> None:
    lines = said("ntk(auto)", folder("llama"))
    assert "phases of layers 0-2, for a request of 512 tokens" in lines
    fixed = table(said("ntk(4)", folder("llama")))
    assert table(lines) == fixed


def test_at_most_a_dozen_phases_are_shown(folder: Any) -> None:
    rows = table(said("pi(2)", folder("llama", head_dim=128)))
    assert len(rows) == 12
    assert (rows[0][0], rows[-1][0]) == (0, 63)


def test_layers_that_are_alike_stand_together(folder: Any) -> None:
    text = "\n".join(said("self_extend(4,16)+yarn(2)@full", folder("gemma3_text")))
    assert "phases of layers 0, 2: 8, as trained" in text
    assert "phases of layer 1\n" in text
    assert "layers 0, 2\n  see        within the model's own window, i − j < 24\n  distances  i − j where i − j < 16" in text
    assert "layer 1\n  see        all keys" in text
    assert text.count("⌊i / 4⌋ + 12 − ⌊j / 4⌋ where i − j ≥ 16") == 2
    assert text.count("distance of key j") == 2


def test_layers_without_positions_say_so(folder: Any) -> None:
    text = "\n".join(said("rerope(16)+logn+temp(2)", folder("smollm3")))
    assert "layer 1\n  see        all keys\n  distances  none: these layers do not rotate" in text
    assert "· max(1, ln(i + 1) / ln 128)" in text
    assert "/ 2" in text


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("yarn(4)", "up to 512 tokens"),
        ("self_extend(4,16)", "up to 464 tokens"),
        ("window(16)", "up to 128 tokens"),
        ("self_extend(4,16)@0", "up to 128 tokens"),
        ("rerope(16)", "at any length"),
        ("yarn(auto)", "at any length"),
    ],
)
def test_reach(folder: Any, text: str, reach: str) -> None:
    assert reach in " ".join(" ".join(said(text, folder("llama"))).split())


@pytest.mark.parametrize(
    "text", ["", "window(16)", "window(16)+sinks(4)", "window(4)+stride(8)", "window(4)+dilate(3)", "segment(10,4)"]
)
@pytest.mark.parametrize("window", [None, 12])
def test_keys_that_somebody_will_see(text: str, window: int | None) -> None:
    group = Alike((0,), attention(window), parse(text).atoms)
    native = [pairs.Near(window)] if window else []
    seen = pairs.AllOf((pairs.CAUSAL, *native, *sight(group.atoms)))
    for length in (1, 7, 16, 17, 20, 40, 41, 50):
        later = seen(torch.arange(length - 1, 400)[:, None], torch.arange(length)[None])
        wanted = int(later.any(dim=0).sum())
        assert alive(group, length) == wanted or (window and "dilate" in text and wanted < alive(group, length) <= window), length


def attention(window: int | None = None) -> Attention:
    return Attention(rotates=True, window=window, kind=None, heads=2, head_dim=32, size=128)


def test_bytes_of_the_cache() -> None:
    def here(text: str, length: int, window: int | None = None) -> float:
        return variant_bytes(Alike((0,), attention(window), parse(text).atoms), length) / (2 * 128)

    assert here("", 1000) == 1000
    assert own_bytes(Alike((0,), attention(100), ()), 1000) == 100 * 2 * 128
    assert here("window(16)+sinks(4)", 1000) == 20
    assert here("window(16)", 1000, window=10) == 10
    assert here("h2o(64,16)", 1000) == 80
    assert here("snapkv(64)", 1000) == 64
    assert here("snapkv(64)", 10) == 10
    # 4 bits and two numbers of 2 bytes for 32 of them, of 16: 5/16; the tail of 32 + 8 is exact
    assert here("kv(int4)", 1000) == pytest.approx(960 * (4.5 + 0.5) / 16 + 40)
    assert here("kv(int4)", 1) == pytest.approx(5 / 16)


def test_packed_bytes_are_those_of_the_real_cache() -> None:
    from lceval.runners.variants.store import PackedLayer

    group = Alike((0,), attention(), parse("kv(int4)").atoms)
    layer = PackedLayer(lambda keys, *_: keys, group.atoms[0], 200)
    layer.update(torch.zeros(1, 2, 200, 32, dtype=torch.bfloat16), torch.zeros(1, 2, 200, 32, dtype=torch.bfloat16))
    layer.attended()
    assert variant_bytes(group, 200) == layer.nbytes


def test_the_embedded_model() -> None:
    from lceval import models

    try:
        models.resolve(models.EMBEDDED)
    except ModelError as error:
        pytest.skip(str(error))
    text = " ".join(" ".join(said("streaming(4,2k)", models.EMBEDDED)).split())
    assert "smollm2-135m: llama, 30 layers" in text
    assert "a token 22.5 KiB 22.5 KiB" in text
    assert "128k 2.812 GiB 45.09 MiB" in text  # 2052 x 22.5 KiB


@pytest.mark.parametrize(
    ("kind", "text", "error", "wanted"),
    [
        ("gpt2", "window(16)", ModelError, "no RoPE"),
        ("mamba", "yarn(4)", ModelError, "no RoPE"),
        ("falcon_h1", "window(16)", ModelError, "recurrent or convolutional state"),
        ("llama", "window(16)@0-9", UsageError, "this model's 3 layers are 0 to 2"),
        ("llama", "window(16)@sliding", UsageError, "no layers with a sliding window"),
        ("llama", "kv(int4)", ModelError, "take a group that divides 16"),
        ("llama", "longrope(nowhere.json)", UsageError, "is no file of LongRoPE factors"),
    ],
)
def test_what_does_not_fit_is_refused(folder: Any, tiny: Any, kind: str, text: str, error: type[Exception], wanted: str) -> None:
    with pytest.raises(error, match=re.escape(wanted)):
        list(variants(text, folder(kind)))
    with pytest.raises(error, match=re.escape(wanted)):
        check(parse(text), tiny(kind).config)


def test_theta_needs_no_plain_cache_and_order_nothing(tiny: Any) -> None:
    check(parse("yarn(4)"), tiny("falcon_h1").config)
    check(parse("chunk(64)"), tiny("gpt2").config)
    check(parse(""), tiny("gpt2").config)


def test_auto_needs_a_trained_length(tiny: Any) -> None:
    config = tiny("llama").config
    config.max_position_embeddings = 0
    with pytest.raises(UsageError, match="auto is found from the length that the model was trained for"):
        fit(parse("yarn(auto)"), config)


def test_unknown_models_and_atoms() -> None:
    with pytest.raises(ModelError, match="there is no model at"):
        list(variants("yarn(4)", "/no/such/model"))
    with pytest.raises(UsageError, match="Did you mean 'yarn'"):
        list(variants("yran", ""))
    with pytest.raises(UsageError, match="needs s"):
        list(variants("yarn", "/no/such/model"))
