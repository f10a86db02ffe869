"""Where tests keep things, and the small tokenizers and models that they are made with."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# `pytest --hypothesis-profile=search` looks further than the same few examples every time.
settings.register_profile("fixed", deadline=None, derandomize=True, database=None)
settings.register_profile("search", deadline=None, max_examples=500)
settings.load_profile("fixed")

CHAT = (
    "{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
"""A chat template as small as they come; its marks are special tokens of both tokenizers."""

SPECIAL = ["<s>", "</s>", "<unk>", "<|user|>", "<|assistant|>", "<|end|>"]


def pytest_configure(config: pytest.Config) -> None:
    """Keep lceval's cache between runs, out of the user's own; nothing may reach for the network."""
    cached = getattr(config, "cache", None)
    folder = cached.mkdir("lceval") if cached else tempfile.mkdtemp(prefix="lceval-tests-")
    os.environ |= {
        "LCEVAL_CACHE": str(folder),
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_DATASETS_CACHE": str(Path(folder) / "datasets"),
        "TOKENIZERS_PARALLELISM": "true",
    }


def sample_prose(paragraphs: int) -> list[str]:
    """Our own prose, of a seed that no test uses as a haystack."""
    from lceval.tasks.haystacks import prose

    return list(islice(prose.paragraphs(99), paragraphs))


def _texts() -> list[str]:
    numbers = ["The vault number for 4739021 is 8841203.", "What is the vault id for 00ff-12ab? Answer with the id only."]
    return [f"{text}\n\n" for text in [*sample_prose(400), *numbers * 5]]


@cache
def _trained(kind: str) -> str:
    """A `tokenizers` tokenizer as JSON; training takes a second, so it is done once."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    if kind == "bpe":  # GPT-2 and Llama-3: bytes, words with their leading space
        backend = Tokenizer(models.BPE())
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        backend.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False)
        backend.train_from_iterator(_texts(), trainer)
    else:  # Llama-2: SentencePiece BPE with a prefix space and byte fallback
        backend = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
        backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
        bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
        trainer = trainers.BpeTrainer(vocab_size=1000, special_tokens=[*SPECIAL, *bytes_], show_progress=False)
        backend.train_from_iterator(_texts(), trainer)
        made = json.loads(backend.to_str())
        made["added_tokens"] = [token for token in made["added_tokens"] if token["content"] in SPECIAL]
        made["pre_tokenizer"] = None
        backend = Tokenizer.from_str(json.dumps(made))
        backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        backend.decoder = decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
        )
    return backend.to_str()


def _fast_tokenizer(kind: str, *, chat_template: str | None = None, bos: bool = False) -> Any:
    """A `PreTrainedTokenizerFast` of one kind, `bpe` or `metaspace`; with `bos` it puts `<s>` before every text."""
    from tokenizers import Tokenizer, processors
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer.from_str(_trained(kind))
    if bos:
        backend.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    hf = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    hf.chat_template = chat_template
    return hf


@pytest.fixture(scope="session")
def fast_tokenizer() -> Callable[..., Any]:
    """`fast_tokenizer(kind, chat_template=None, bos=False)`: a fresh tokenizer of transformers, `bpe` or `metaspace`."""
    return _fast_tokenizer


@pytest.fixture(scope="session")
def chat_template() -> str:
    """A small chat template whose marks both tokenizers know."""
    return CHAT


Make = Callable[..., Any]
"""`make(chat_template=None, bos=…, chat="auto")` -> `lceval.tokens.Tokenizer`; the same arguments give the same object."""


def _maker(kind: str, bos_by_default: bool) -> Make:
    @cache
    def make(*, chat_template: str | None = None, bos: bool = bos_by_default, chat: str = "auto") -> Any:
        from lceval.tokens import Tokenizer

        return Tokenizer(_fast_tokenizer(kind, chat_template=chat_template, bos=bos), chat=chat)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def make_bpe() -> Make:
    """Makes byte-level BPE tokenizers in the manner of GPT-2 and Llama-3."""
    return _maker("bpe", bos_by_default=False)


@pytest.fixture(scope="session")
def make_metaspace() -> Make:
    """Makes SentencePiece BPE tokenizers in the manner of Llama-2: prefix space, byte fallback."""
    return _maker("metaspace", bos_by_default=True)


@pytest.fixture(scope="session")
def bpe(make_bpe: Make) -> Any:
    """Byte-level BPE, no BOS, no chat template."""
    return make_bpe()


@pytest.fixture(scope="session")
def metaspace(make_metaspace: Make) -> Any:
    """SentencePiece BPE with BOS, no chat template."""
    return make_metaspace()


@pytest.fixture(scope="session")
def golden() -> Any:
    """Bytes as tokens, nothing trained: what is composed with it changes only when we change it."""
    from tokenizers import Tokenizer as Backend
    from tokenizers import decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    from lceval.tokens import Tokenizer

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Backend(models.BPE(vocab={character: i for i, character in enumerate(alphabet)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return Tokenizer(PreTrainedTokenizerFast(tokenizer_object=backend))


@pytest.fixture(params=["bpe", "metaspace"])
def tokenizer(request: pytest.FixtureRequest) -> Any:
    """Each of the two, one after the other."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random Llama of 2 layers, the byte-level tokenizer and a chat template: always the same weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    hf = _fast_tokenizer("bpe", chat_template=CHAT)
    config = LlamaConfig(
        vocab_size=len(hf),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        bos_token_id=hf.bos_token_id,
        eos_token_id=hf.eos_token_id,
    )
    folder = tmp_path_factory.mktemp("tiny-model")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    hf.save_pretrained(folder)
    return folder


SMALL_REGION = 1 << 16
"""Samples begin in the first 64 KiB here, instead of the first 2 MiB: a corpus is tokenized in a blink."""


@pytest.fixture(scope="session")
def corpus_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """`corpus_of(tokenizer, name, tokens=8192)`: a small corpus of a haystack for prompts of that size, made anew every session."""
    folder = str(tmp_path_factory.mktemp("corpora"))

    @cache
    def corpus(tokenizer: Any, name: str, tokens: int = 8192) -> Any:
        from lceval.corpus import tokenized
        from lceval.tasks import haystacks

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LCEVAL_CACHE", folder)
            patch.setattr("lceval.corpus.START_REGION_CHARS", SMALL_REGION)
            return tokenized(haystacks.source(name), tokenizer, tokens)

    return corpus


@pytest.fixture(scope="session")
def words_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Any, str], Any]:
    """`words_of(tokenizer, name)`: a tokenized vocabulary, made anew in every session."""
    folder = str(tmp_path_factory.mktemp("words"))

    @cache
    def words(tokenizer: Any, name: str) -> Any:
        from lceval.corpus import tokenized_words
        from lceval.tasks import haystacks

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LCEVAL_CACHE", folder)
            return tokenized_words(haystacks.source(name), tokenizer)

    return words


@pytest.fixture(scope="session")
def compose(corpus_of: Callable[..., Any], words_of: Callable[[Any, str], Any]) -> Callable[..., Any]:
    """`compose(tokenizer, task, length, depth, index=0, seed=0, question=0)`: a sample's prompt, as the plan would make it."""
    from lceval.fitter import Fitter
    from lceval.keys import pair_key, sample_key
    from lceval.types import Cell, Sample

    def prompt(
        tokenizer: Any, task: Any, length: int, depth: float | None, index: int = 0, seed: int = 0, question: int = 0
    ) -> Any:
        def corpus(name: str) -> Any:
            return corpus_of(tokenizer, name) if length <= 8192 else corpus_of(tokenizer, name, length)

        draft = task.draft(depth, index, seed)
        cell, params = Cell(length, depth), task.params.model_dump(exclude_defaults=True)
        pair = pair_key(task.name, task.version, params, seed, index, question)
        key = sample_key(pair, cell, tokenizer=tokenizer.hash, frame=tokenizer.frame.hash, corpus=draft.haystack, composition="1")
        sample = Sample(task.name, params, seed, index, question, cell, pair, key)
        return Fitter(tokenizer, corpus, lambda name: words_of(tokenizer, name)).fit(draft, question, sample)

    return prompt
