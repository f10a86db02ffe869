"""How a server is given prompts, found by asking it: what goes out, and how many tokens the server should then count."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from lceval.errors import RunnerError
from lceval.registry import load
from lceval.runners.wire import Fault, Reply
from lceval.tokens import Tokenizer
from lceval.types import Prompt, Task, TokenIds

Api = Literal["tokens", "text", "chat"]
Messages: TypeAlias = list[dict[str, str]]
Sent: TypeAlias = list[int] | str | Messages

CLOSE = 31 / 32
"""A server that counts the probes as we do has our tokenizer, or one of its family: by how much it may differ on other texts."""
OTHER = 0.9
"""By how much two prompts of a group may differ in what another tokenizer makes of them."""
LEAST = 0.5
"""What another tokenizer may make of a text, against what it makes of the probes: digits, say, one by one or not."""
PROBES = (
    "Hello.",
    "The vault number for 4739021 is 8841203, and the one for 0ff3a-12bc is »naïve café«. On Tuesday, the lighthouse keeper's "
    "daughter counted 17 ships; none of them carried salt.\n\nWhat is the vault number? Answer with the number only: [8841203]",
)
"""Texts whose tokens a server is asked to count before a run."""


@dataclass(frozen=True, slots=True)
class Way:
    """How one server is given prompts."""

    api: Api
    tokenizer: Tokenizer
    fixed: Mapping[str, Any]
    """What every request says beside the prompt."""
    budget: str = "max_tokens"
    """What it calls the most tokens of an answer."""
    own_bos: bool = False
    """Whether it puts BOS before a text itself, so that ours is left out."""
    offset: int = 0
    """Tokens that it counts beyond what the prompt should have."""
    ratio: float = 1.0
    """What it counts divided by what we do."""
    surety: float = 1.0
    """What part of that it must count at least; 1: its tokenizer is ours, and its counts can be foretold to the token."""

    @property
    def path(self) -> str:
        """Where prompts go."""
        return "/chat/completions" if self.api == "chat" else "/completions"

    def body(self, sent: Sent, budget: int) -> dict[str, Any]:
        """A request for at most `budget` tokens."""
        return {"messages" if self.api == "chat" else "prompt": sent, self.budget: budget, **self.fixed}

    def without(self, complaint: str) -> Way | None:
        """The same without what a server complains about; None if that cannot be left out."""
        if "max_completion_tokens" in complaint and self.budget == "max_tokens":
            return replace(self, budget="max_completion_tokens")
        for name in ("temperature", "stream_options"):
            if name in complaint and name in self.fixed:
                return replace(self, fixed={key: value for key, value in self.fixed.items() if key != name})
        return None

    def sent(self, prompt: Prompt) -> Sent:
        """What goes out for a prompt."""
        if self.api == "tokens":
            return list(prompt.ids.tolist())
        bos, text = _text(prompt.ids, self.tokenizer)
        if self.api == "chat":
            return _messages(prompt, bos + text if self.tokenizer.frame.chat else text, self.tokenizer)
        return text if self.own_bos else bos + text

    def compared(self, sent: Sent, counted: int) -> Way:
        """The same, knowing what the server counts of a prompt that stands for others like it."""
        expected = self._expected(sent)
        if self.surety < 1:
            return replace(self, ratio=max(counted / expected, LEAST * self.ratio))
        return self if counted == expected else replace(self, ratio=max(counted / expected, CLOSE), surety=CLOSE)

    def missing(self, sent: Sent, counted: int) -> str | None:
        """What to say if a server counted fewer tokens than it was sent; None if it read them all."""
        # Without a chat template of our own there is no telling what each turn of a conversation adds.
        turns = self.api == "chat" and not self.tokenizer.frame.chat and len(sent) > 1
        surety, expected = OTHER if turns else self.surety, self.ratio * self._expected(sent)
        if counted >= surety * expected:
            return None
        return f"server truncated the prompt: {counted} of {'about ' if surety < 1 else ''}{expected:.0f} tokens"

    def _expected(self, sent: Sent) -> int:
        return _count(sent, self.tokenizer) + self.own_bos + self.offset


async def find_way(
    api: Api, tokenizer: Tokenizer, chat_kwargs: Mapping[str, Any], ask: Callable[[Way, Sent], Awaitable[Reply]]
) -> tuple[Way, Reply]:
    """Have a server count the tokens of the probes.

    Args:
        api: the kind of prompts.
        tokenizer: what the server's tokenizer should be.
        chat_kwargs: for the server's chat template.
        ask: sends a prompt and wants one token.

    Returns:
        How the server takes such prompts, and its last answer.

    Raises:
        Fault: it does not.
    """
    fixed: dict[str, Any] = {"temperature": 0, "stream_options": {"include_usage": True}}
    if api == "chat" and chat_kwargs:
        fixed["chat_template_kwargs"] = dict(chat_kwargs)
    way, counts, frame = Way(api, tokenizer, fixed), [], tokenizer.frame
    for text in PROBES:
        ids = tokenizer.head(frame.before + text + frame.after)
        bos, rest = _text(ids, tokenizer)
        kinds: dict[Api, Sent] = {
            "tokens": list(ids.tolist()),
            "text": bos + rest,
            "chat": [{"role": "user", "content": text}],
        }
        way, reply = await _probe(way, kinds[api], ask)
        if reply.usage is None:
            return way, reply
        counts.append((_count(kinds[api], tokenizer), reply.usage.prompt_tokens))
    (few, first), (many, last) = counts
    if api == "tokens" and last != many:
        raise Fault("other tokens", f"it counts {last} where {many} token ids were sent", status=200)
    if last - many != first - few:
        return replace(way, ratio=(last - first) / (many - few), surety=OTHER), reply
    if api == "text" and bos and last - many == 1:
        return replace(way, own_bos=True), reply
    return replace(way, offset=last - many), reply


async def _probe(way: Way, sent: Sent, ask: Callable[[Way, Sent], Awaitable[Reply]]) -> tuple[Way, Reply]:
    """Ask without what the server complains about."""
    while True:
        try:
            return way, await ask(way, sent)
        except Fault as fault:
            less = way.without(fault.detail) if fault.status in (400, 422) else None
            if less is None:
                raise
            way = less


def _messages(prompt: Prompt, text: str, tokenizer: Tokenizer) -> Messages:
    """A prompt as a conversation. The answer cannot be begun for a server; its beginning stands at the end of the last message."""
    frame, sample = tokenizer.frame, prompt.sample
    task: Task = load("task", sample.task).from_params(sample.params)
    turns: Sequence[tuple[str, str]] = task.draft(sample.cell.depth, sample.index, sample.seed).turns
    if not turns and not frame.chat:
        return [{"role": "user", "content": text}]
    if not turns:
        before, after = frame.before.strip(), frame.after.strip()
        start, stop = text.find(before), text.rfind(after)
        if not 0 <= start <= stop - len(before):
            raise RunnerError(f"the chat template cannot be taken off the prompt of {sample.sample_key}. Use -M chat=off.")
        turns = [("user", text[start + len(before) : stop].strip())]
    if prefix := prompt.question.answer_prefix:
        turns = [*turns[:-1], (turns[-1][0], f"{turns[-1][1]}\n\n{prefix}")]
    return [{"role": role, "content": said} for role, said in turns]


def _text(ids: TokenIds, tokenizer: Tokenizer) -> tuple[str, str]:
    """A prompt's text: BOS, if it begins with one, and the rest, which is read as it would be at the beginning."""
    if len(ids) and ids[0] == tokenizer.hf.bos_token_id:
        return tokenizer.hf.bos_token, tokenizer.decode(ids[1:], special=True)
    return "", tokenizer.decode(ids, special=True)


def _count(sent: Sent, tokenizer: Tokenizer) -> int:
    """Tokens of what goes out, as our tokenizer and chat template have it."""
    if isinstance(sent, str):
        return len(tokenizer.hf(sent, add_special_tokens=False)["input_ids"])
    turns = [(turn["role"], turn["content"]) for turn in sent if isinstance(turn, dict)]
    return len(tokenizer.whole(turns, "")[0]) if turns else len(sent)
