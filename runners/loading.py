"""What every runner of a local model begins with: its tokenizer and its configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, Json
from transformers import AutoConfig, AutoTokenizer

from lceval import models
from lceval.errors import ModelError
from lceval.tokens import Tokenizer


class ModelOptions(BaseModel):
    """`-M` pairs of all runners that read a model's files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field("auto", description="auto: float32 on CPU, bfloat16 on GPU")
    chat: Literal["auto", "on", "off"] = Field("auto", description="the tokenizer's chat template: auto = when there is one")
    chat_kwargs: dict[str, Any] | Json[dict[str, Any]] = Field(
        {}, description='JSON passed to the chat template: {"enable_thinking": false}'
    )
    tokenizer: str = Field("", description="another folder or hub name for the tokenizer")
    revision: str = Field("", description="branch, tag or commit on the hub")
    trust_remote_code: bool = Field(False, description="run the code that a model brings with it")


def load_tokenizer(model: str, options: ModelOptions) -> Tokenizer:
    """A model's tokenizer, with its chat frame.

    Raises:
        ModelError: there is none, or it cannot be read.
    """
    folder = models.resolve_tokenizer(options.tokenizer or model, revision=options.revision or None)
    try:
        hf_tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=options.trust_remote_code)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"cannot read the tokenizer of {options.tokenizer or model!r}: {error}") from error
    return Tokenizer(hf_tokenizer, chat=options.chat, template_kwargs=options.chat_kwargs)


def load_config(model: str, folder: Path, options: ModelOptions) -> Any:
    """A model's whole configuration.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        return AutoConfig.from_pretrained(folder, trust_remote_code=options.trust_remote_code)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"cannot read the configuration of {model!r}: {error}") from error
