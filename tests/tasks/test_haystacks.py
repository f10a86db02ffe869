import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from lceval.errors import CorpusError, UsageError
from lceval.tasks import haystacks, needles
from lceval.tasks.haystacks.generated import NOISE

ROWS = ["The kettle is warm.", "A cart goes by."]


def text_of(full_name: str, blocks: int = 4) -> str:
    return "".join(islice(haystacks.source(full_name).blocks(), blocks))


@pytest.mark.parametrize(
    "name", ["prose", "noise", "needles", "pydocs", "path:a", "path:a:b", "hf:org/set", "hf:set:en:train:text"]
)
def test_every_form_of_name_is_known(name: str) -> None:
    assert haystacks.check(name) == name


@pytest.mark.parametrize("name", ["pros", "path", "path:", "hf:", "prose:3", "needles:words", "", "Prose", "essays/"])
def test_other_names_are_refused_with_the_forms(name: str) -> None:
    with pytest.raises(UsageError, match=r"unknown haystack .* path:FILE_OR_DIR"):
        haystacks.check(name)


def test_a_near_miss_is_named() -> None:
    with pytest.raises(UsageError, match="Did you mean 'prose'"):
        haystacks.check("proze")


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("prose", "prose:7"),
        ("needles", "needles:words:numbers:one:7"),
        ("noise", "noise"),
        ("pydocs", "pydocs"),
        ("path:x", "path:x"),
    ],
)
def test_a_full_name_says_all_that_the_text_depends_on(name: str, full: str) -> None:
    assert haystacks.resolve(name, seed=7, needle_type="words:numbers:one") == full


ENDLESS = ["prose:0", "noise", "needles:uuids:uuids:one:0"]
FINITE = ["pydocs"]


@pytest.mark.parametrize("name", [*ENDLESS, *FINITE])
def test_a_haystack_is_the_same_every_time_and_cut_at_line_ends(name: str) -> None:
    source = haystacks.source(name)
    blocks = list(islice(source.blocks(), 4))
    assert blocks == list(islice(haystacks.source(name).blocks(), 4))
    assert all(block.endswith("\n") for block in blocks)
    assert source.endless == (name in ENDLESS)
    assert source.digest == haystacks.source(name).digest


@pytest.mark.parametrize("kind", ["prose:{}", "needles:uuids:uuids:one:{}"])
def test_every_seed_has_a_text_of_its_own(kind: str) -> None:
    one, other = kind.format(0), kind.format(1)
    assert haystacks.source(one).digest != haystacks.source(other).digest
    assert text_of(one, 1)[:4000] != text_of(other, 1)[:4000]


def test_haystacks_of_different_names_have_different_digests() -> None:
    names = [*ENDLESS, *FINITE, "needles:uuids:uuids:many:0", "needles:uuids:numbers:one:0"]
    assert len({haystacks.source(name).digest for name in names}) == len(names)


def test_prose_never_says_what_a_needle_says() -> None:
    text = text_of("prose:0")
    assert text.isascii()
    assert not any(needles.named(text, kind) for kind in ("words", "numbers", "uuids"))
    assert not needles.facts(text)


def test_noise_repeats_its_block() -> None:
    text = text_of("noise", 2)
    joined = text.replace("\n", " ")
    assert joined == NOISE * (len(joined) // len(NOISE))


@pytest.mark.parametrize("key_type", ["numbers", "uuids"])
@pytest.mark.parametrize("value_type", ["numbers", "uuids"])
def test_no_distractor_has_a_key_or_value_twice(key_type: str, value_type: str) -> None:
    facts = needles.facts(text_of(f"needles:{key_type}:{value_type}:one:0"))
    assert len(facts) > 1000
    assert len({fact.key for fact in facts}) == len({fact.value for fact in facts}) == len(facts)


@pytest.mark.parametrize("kind", ["words", "numbers", "uuids"])
def test_no_sample_draws_what_a_distractor_has(kind: needles.NeedleType) -> None:
    from lceval.keys import generator

    distractors = set(islice(needles.draw(kind, generator("one"), "haystack"), 3000))
    for seed in range(30):
        assert distractors.isdisjoint(needles.take(kind, 20, generator("sample", seed)))


@pytest.mark.parametrize(("count", "begins"), [("one", "The vault number for"), ("many", "One vault number for")])
def test_distractors_read_like_the_samples_needles(count: str, begins: str) -> None:
    text = text_of(f"needles:uuids:numbers:{count}:0", 1)
    sentences = text.replace("\n", " ").strip().split(". ")
    assert all(sentence.startswith(begins) for sentence in sentences)
    assert len(needles.facts(text)) == len(sentences)


def test_distractors_that_run_out_say_so() -> None:
    with pytest.raises(CorpusError, match=r"used up every distinct words key .* needle_type=uuids:uuids"):
        list(haystacks.source("needles:words:words:one:0").blocks())


def test_pydocs_is_the_language_reference() -> None:
    text = text_of("pydocs", 99)
    assert 'The "assert" statement' in text
    assert len(text) > 300_000


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "tale.txt").write_bytes("\ufeffOnce upon a time.\r\nThe end 😀.\n\n\n".encode())
    assert text_of(f"path:{tmp_path}/tale.txt") == "Once upon a time.\nThe end 😀.\n\n"


def test_a_folder_is_read_in_sorted_order_without_hidden_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.txt", "a.md", "sub/c.txt", ".hidden", "empty.txt"):
        (tmp_path / name).write_text("" if name == "empty.txt" else f"Here is {name}.\n")
    assert text_of(f"path:{tmp_path}") == "Here is a.md.\n\nHere is b.txt.\n\nHere is sub/c.txt.\n\n"


def test_hidden_folders_are_left_out(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "index").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "a.txt").write_text("Here.")
    assert text_of(f"path:{tmp_path}") == "Here.\n\n"


def test_long_files_come_in_blocks_and_whole(tmp_path: Path) -> None:
    text = "".join(f"This is line {i} of a long file.\n" for i in range(5000))
    (tmp_path / "long.txt").write_text(text)
    blocks = list(haystacks.source(f"path:{tmp_path}/long.txt").blocks())
    assert len(blocks) > 2
    assert "".join(blocks) == text + "\n"


def test_the_digest_of_a_file_is_that_of_its_text(tmp_path: Path) -> None:
    one, copy, other = (tmp_path / name for name in ("one", "copy", "other"))
    for file, text in ((one, "Here. There."), (copy, "Here. There."), (other, "Here. Where?")):
        file.write_text(text)
    digests = [haystacks.source(f"path:{file}").digest for file in (one, copy, other)]
    assert digests[0] == digests[1] != digests[2]


def _missing(folder: Path) -> str:
    return f"path:{folder}/nowhere.txt"


def _empty(folder: Path) -> str:
    (folder / "empty.txt").write_text(" \n\n")
    return f"path:{folder}/empty.txt"


def _empty_folder(folder: Path) -> str:
    return f"path:{folder}"


def _latin(folder: Path) -> str:
    (folder / "latin.txt").write_bytes(b"Caf\xe9 noir.")
    return f"path:{folder}/latin.txt"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_missing, r"there is no file or folder '.*nowhere.txt'"),
        (_empty, "empty: it has no text"),
        (_empty_folder, "empty: it has no text"),
        (_latin, r"latin.txt' is not UTF-8 text \(byte 0xe9 at offset 3\).*iconv"),
    ],
)
def test_a_file_that_is_no_text_is_refused(make: Callable[[Path], str], says: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=says):
        text_of(make(tmp_path))


def write_rows(file: Path, column: str) -> None:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    table = pa.table({"number": [1, 2], column: ROWS})
    match file.suffix:
        case ".csv":
            pa.csv.write_csv(table, file)
        case ".parquet":
            pa.parquet.write_table(table, file)
        case _:
            file.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".parquet"])
def test_a_data_set_file_is_its_text_column(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"rows{suffix}"
    write_rows(file, "text")
    assert text_of(f"hf:{file}") == "\n\n".join(ROWS) + "\n\n"


def test_config_split_and_column_may_be_named_or_left_empty(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    write_rows(file, "body")
    assert text_of(f"hf:{file}:::body") == text_of(f"hf:{file}::test:body") == "\n\n".join(ROWS) + "\n\n"


def test_a_text_file_is_a_data_set_of_lines(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("\n".join(ROWS))
    assert text_of(f"hf:{tmp_path}/lines.txt") == "\n\n".join(ROWS) + "\n\n"


def test_a_missing_column_is_told_with_those_there_are(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    write_rows(file, "body")
    with pytest.raises(CorpusError, match=r"no column 'text'; its columns are number, body. Name one: hf:.*::train:COLUMN"):
        text_of(f"hf:{file}")


@pytest.mark.parametrize("name", ["rows.parquet", "rows.xyz", "nowhere"])
def test_a_data_set_that_cannot_be_loaded_is_told(name: str, tmp_path: Path) -> None:
    if "." in name:
        (tmp_path / name).write_text("this is not a table")
    with pytest.raises(CorpusError, match="datasets could not load"):
        text_of(f"hf:{tmp_path}/{name}")
