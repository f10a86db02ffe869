import datetime
from collections.abc import Callable
from typing import Any

import pytest

from lceval.errors import ModelError
from lceval.tokens import Tokenizer

Make = Callable[..., Any]
BOS = 0
CHAT = (
    "{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
CHAT_WITH_BOS = "{{ bos_token }}" + CHAT
TEXT = "The miller went to town. Nobody knew why."
KINDS = pytest.mark.parametrize("kind", ["bpe", "metaspace"])


def prompt_ids(tokenizer: Tokenizer, text: str) -> list[int]:
    return tokenizer.head(tokenizer.frame.before + text + tokenizer.frame.after).tolist()


@KINDS
@pytest.mark.parametrize("adds_bos", [True, False], ids=["adds BOS", "adds none"])
@pytest.mark.parametrize(
    ("template", "template_has_bos"),
    [(None, False), (CHAT, False), (CHAT_WITH_BOS, True)],
    ids=["no chat", "chat", "chat with BOS"],
)
def test_bos_stands_once_where_tokenizer_or_template_wants_it(
    fast_tokenizer: Make, kind: str, adds_bos: bool, template: str | None, template_has_bos: bool
) -> None:
    ids = prompt_ids(Tokenizer(fast_tokenizer(kind, chat_template=template, bos=adds_bos)), TEXT)
    assert ids.count(BOS) == int(adds_bos or template_has_bos)
    assert BOS not in ids[1:]


@KINDS
@pytest.mark.parametrize("template", [CHAT_WITH_BOS, CHAT], ids=["with BOS", "without"])
def test_a_chat_prompt_is_what_the_template_gives(fast_tokenizer: Make, kind: str, template: str) -> None:
    hf = fast_tokenizer(kind, chat_template=template)
    rendered = hf.apply_chat_template([{"role": "user", "content": TEXT}], tokenize=False, add_generation_prompt=True)
    assert prompt_ids(Tokenizer(hf), TEXT) == hf(rendered, add_special_tokens=False)["input_ids"]


@KINDS
def test_a_plain_prompt_is_what_the_tokenizer_gives(fast_tokenizer: Make, kind: str) -> None:
    hf = fast_tokenizer(kind, bos=True)
    tokenizer = Tokenizer(hf)
    assert not tokenizer.frame.chat
    assert prompt_ids(tokenizer, TEXT) == hf(f"{TEXT}\nAnswer:")["input_ids"]


@pytest.mark.parametrize(
    ("template", "chat", "framed"),
    [(CHAT, "auto", True), (CHAT, "on", True), (CHAT, "off", False), (None, "auto", False), (None, "off", False)],
)
def test_the_chat_template_is_used_as_asked(fast_tokenizer: Make, template: str | None, chat: Any, framed: bool) -> None:
    frame = Tokenizer(fast_tokenizer("bpe", chat_template=template), chat=chat).frame
    assert frame.chat is framed
    assert frame.before == ("<|user|>\n" if framed else "")
    assert frame.after == ("<|end|>\n<|assistant|>\n" if framed else "\nAnswer:")


def test_template_arguments_reach_the_template_and_the_hash(fast_tokenizer: Make) -> None:
    template = CHAT + "{% if thinking is defined and not thinking %}</think>{% endif %}"
    plain = Tokenizer(fast_tokenizer("bpe", chat_template=template)).frame
    quiet = Tokenizer(fast_tokenizer("bpe", chat_template=template), template_kwargs={"thinking": False}).frame
    assert quiet.after == plain.after + "</think>"
    assert quiet.hash != plain.hash


@pytest.mark.parametrize(
    ("template", "chat", "says"),
    [
        (None, "on", "no chat template.* -M chat=off"),
        (CHAT, "loud", "chat='loud' is not a mode"),
        ("{{ messages[0]['content'] }} Again: {{ messages[0]['content'] }}", "auto", "2 times instead of once"),
        ("{{ messages[0]['content'] | upper }}", "auto", "0 times instead of once"),
    ],
    ids=["none", "mode", "twice", "changed"],
)
def test_a_chat_frame_that_cannot_be_is_refused(fast_tokenizer: Make, template: str | None, chat: Any, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        Tokenizer(fast_tokenizer("bpe", chat_template=template), chat=chat)


def test_a_template_that_raises_is_refused_with_its_reason(fast_tokenizer: Make) -> None:
    template = "{{ raise_exception('a system message is wanted') }}"
    with pytest.raises(ModelError, match="a system message is wanted"):
        Tokenizer(fast_tokenizer("bpe", chat_template=template))


def test_a_template_with_todays_date_gives_the_same_text_tomorrow(fast_tokenizer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    hf = fast_tokenizer("bpe", chat_template="Today is {{ strftime_now('%d %B %Y') }}. " + CHAT)
    today = Tokenizer(hf).frame

    class Tomorrow(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Tomorrow":
            return cls(2033, 3, 3, tzinfo=tz)

    monkeypatch.setattr("transformers.utils.chat_template_utils.datetime", Tomorrow)
    rendered = hf.apply_chat_template([{"role": "user", "content": "x"}], tokenize=False)
    assert "03 March 2033" in rendered  # the clock that the template would read has been turned
    assert Tokenizer(fast_tokenizer("bpe", chat_template=hf.chat_template)).frame == today
    assert "2033" not in today.before


PIECES = [
    "\n\nWhat is the vault number for 123? Answer with the number only.\nAnswer:",
    " The vault number for 4739021 is 8841203.",
    "The vault id for ab is 00ff-12ab.\n",
    " vault",
    "vault",
    "  two spaces",
    "\n",
    "日本 😀",
]
CONTEXTS = ["The miller went to town", "It was so", "Number 7", "(as said)"]


@pytest.mark.parametrize("text", PIECES)
def test_a_piece_has_the_tokens_it_has_inside_a_text(tokenizer: Tokenizer, text: str) -> None:
    """In every context that the tokenizer does not melt into the piece's beginning."""
    checked = 0
    for context in CONTEXTS:
        alone = tokenizer.hf(context, add_special_tokens=False)["input_ids"]
        whole = tokenizer.hf(context + text, add_special_tokens=False)["input_ids"]
        if whole[: len(alone)] == alone:
            assert tokenizer.piece(text).tolist() == whole[len(alone) :]
            checked += 1
    assert checked


def test_a_piece_brings_no_space_of_its_own(tokenizer: Tokenizer) -> None:
    ids = [*tokenizer.head("The end").tolist(), *tokenizer.piece("less").tolist(), *tokenizer.piece(" road").tolist()]
    assert tokenizer.decode(ids) == "The endless road"


def test_the_template_in_a_piece_is_made_of_special_tokens(tokenizer: Tokenizer) -> None:
    marks = tokenizer.hf.convert_tokens_to_ids(["<|end|>", "<|assistant|>"])
    assert [i for i in tokenizer.piece("\n\nWhy?<|end|>\n<|assistant|>\n").tolist() if i in marks] == marks


def test_special_tokens_in_a_haystack_stay_text(tokenizer: Tokenizer) -> None:
    text = "He wrote <|end|> and </s> on the wall. <s> was all she read."
    special = set(tokenizer.hf.all_special_ids) | set(tokenizer.hf.convert_tokens_to_ids(["<|end|>", "<|user|>"]))
    (encoded,) = tokenizer.encode_lines([text])
    assert special.isdisjoint(encoded.ids.tolist())
    assert tokenizer.decode(encoded.ids) == text
    assert tokenizer.hf.backend_tokenizer.encode_special_tokens is False  # the switch is back where it was
    assert not special.isdisjoint(tokenizer.head(text).tolist())


def test_offsets_say_which_characters_a_token_stands_for(tokenizer: Tokenizer) -> None:
    text = "The miller, aged 71, went to town. 日本 😀 again."
    (encoded,) = tokenizer.encode_lines([text])
    assert len(encoded.ids) == len(encoded.starts) == len(encoded.ends)
    assert encoded.ends[-1] == len(text)
    covered = {c for start, end in zip(encoded.starts, encoded.ends, strict=True) for c in range(start, end)}
    assert covered == set(range(len(text)))


def test_batches_encode_like_single_texts(tokenizer: Tokenizer) -> None:
    texts = ["One is here.\n", "Two is there.\n\n", "x"]
    together = [encoded.ids.tolist() for encoded in tokenizer.encode_lines(texts)]
    assert together == [tokenizer.encode_lines([text])[0].ids.tolist() for text in texts]


def test_decoding_shows_special_tokens_only_when_asked(make_metaspace: Any) -> None:
    ids = make_metaspace().head("Hello there")
    assert make_metaspace().decode(ids) == "Hello there"
    assert make_metaspace().decode(ids, special=True).startswith("<s>")


def test_truncation_and_padding_of_the_tokenizer_are_switched_off(fast_tokenizer: Make) -> None:
    hf = fast_tokenizer("bpe")
    hf.backend_tokenizer.enable_truncation(4)
    hf.backend_tokenizer.enable_padding(length=64)
    tokenizer = Tokenizer(hf)
    (encoded,) = tokenizer.encode_lines([TEXT])
    assert encoded.ids.tolist() == tokenizer.head(TEXT).tolist() == fast_tokenizer("bpe")(TEXT)["input_ids"]


def test_the_hash_is_the_tokenizers_own(fast_tokenizer: Make) -> None:
    one, same = Tokenizer(fast_tokenizer("bpe")), Tokenizer(fast_tokenizer("bpe", chat_template=CHAT))
    assert one.hash == same.hash  # the frame has a hash of its own
    assert one.hash != Tokenizer(fast_tokenizer("metaspace")).hash


def test_using_a_tokenizer_does_not_change_its_hash(fast_tokenizer: Make) -> None:
    hf = fast_tokenizer("metaspace", bos=True)
    fresh = Tokenizer(hf).hash
    hf(TEXT, truncation=True, max_length=3)
    assert Tokenizer(hf).hash == fresh


def test_a_slow_tokenizer_is_refused_with_the_way_out() -> None:
    from transformers import ByT5Tokenizer

    with pytest.raises(ModelError, match=r"ByT5Tokenizer gives no character offsets.*-M tokenizer="):
        Tokenizer(ByT5Tokenizer())


def test_a_tokenizer_that_cannot_be_cut_is_refused() -> None:
    """One that makes a single token of everything."""
    from tokenizers import Tokenizer as Backend
    from tokenizers import models
    from transformers import PreTrainedTokenizerFast

    hf = PreTrainedTokenizerFast(tokenizer_object=Backend(models.WordLevel({"?": 0}, unk_token="?")))
    with pytest.raises(ModelError, match="cannot be cut into pieces"):
        Tokenizer(hf).piece("\n\nWhy?")
