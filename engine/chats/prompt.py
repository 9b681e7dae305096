"""What is asked: the messages of a branch as a model gets them, and what of them fits its context. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.api.schema import Overflow
from engine.chats.database import ReadMessage
from engine.chats.rows import AttachmentRow, MessageRow
from engine.chats.words import fence_for, one_line
from engine.inference.types import PromptMessage

CHARACTERS_PER_TOKEN = 3.0
"""Of texts of which nothing is known yet; most have more, so that the estimate is rather too high."""
MESSAGE_TOKENS = 8
"""What a chat template adds to each message, about."""
MOST_CHARACTERS_PER_TOKEN = 64
"""No text has more: what is longer than that many times the context need not be counted."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and what was answered to it ("" for nothing); ``messages`` counts those of the branch in it."""

    question: str
    answer: str
    messages: int


@dataclass(frozen=True, slots=True)
class Branch:
    """What was said before, as far as it was read, and what is asked now. ``unread``: so many of the oldest messages
    were left on the disk, as no text of that length fits the model; ``first`` is the first turn of these.
    ``rate``: characters per token."""

    turns: Sequence[Turn]
    rate: float
    unread: int = 0
    first: Turn | None = None

    def most(self, overflow: Overflow) -> int:
        """So many turns can be left out: all but the last one, and the first where it is kept."""
        return len(self.turns) - 1 - (1 if overflow == "keep_ends" and self.first is None else 0)

    def without(self, count: int, overflow: Overflow) -> tuple[Sequence[Turn], int]:
        """The turns that are asked when ``count`` of those that were read are left out, and how many messages that
        leaves out."""
        if overflow != "keep_ends":
            return self.turns[count:], self.unread + _messages(self.turns[:count])
        if self.first is not None:
            gone = self.unread - self.first.messages + _messages(self.turns[:count])
            return [self.first, *self.turns[count:]], gone
        return [self.turns[0], *self.turns[1 + count :]], _messages(self.turns[1 : 1 + count])


def _messages(turns: Sequence[Turn]) -> int:
    return sum(turn.messages for turn in turns)


def with_attachments(text: str, attachments: Sequence[AttachmentRow]) -> str:
    """A question with its files before it, each under its name between fences that are longer than any in it: nothing
    in a file can look like its end."""
    if not attachments:
        return text
    parts = []
    for one in attachments:
        fence = fence_for(one.text)
        end = "" if one.text.endswith("\n") else "\n"
        parts.append(f"File: {one_line(one.name)}\n{fence}\n{one.text}{end}{fence}")
    return "\n\n".join([*parts, text] if text else parts)


def turns_of(branch: Sequence[MessageRow], attachments: Mapping[str, Sequence[AttachmentRow]]) -> list[Turn]:
    """The turns of a branch. A question that got no word of an answer is joined by none: the last one is what is asked
    now, an earlier one is left out, so that roles alternate."""
    turns: list[Turn] = []
    for message in branch:
        if message.role == "user":
            turns.append(Turn(with_attachments(message.text, attachments.get(message.id, ())), "", 1))
        elif turns:
            last = turns[-1]
            turns[-1] = Turn(last.question, last.answer + message.text, last.messages + 1)
    return [turn for place, turn in enumerate(turns) if turn.answer or place == len(turns) - 1]


def messages_of(system: str, turns: Sequence[Turn]) -> tuple[PromptMessage, ...]:
    """What the chat template gets."""
    messages = [PromptMessage("system", system)] if system.strip() else []
    for turn in turns:
        messages.append(PromptMessage("user", turn.question))
        if turn.answer:
            messages.append(PromptMessage("assistant", turn.answer))
    return tuple(messages)


def estimated_tokens(messages: Sequence[PromptMessage], characters_per_token: float) -> int:
    """Tokens of a prompt, about, where the model's tokenizer is not here."""
    return sum(math.ceil(len(message.content) / characters_per_token) + MESSAGE_TOKENS for message in messages)


def learned_rate(branch: Sequence[ReadMessage]) -> float:
    """Characters per token of this chat, by its last answer whose machine has counted its tokens."""
    for read in reversed(branch):
        details = read.row.details
        if details and details.completion_tokens >= 20 and not read.reasoning_characters:
            return min(max(read.characters / details.completion_tokens, 0.5), CHARACTERS_PER_TOKEN)
    return CHARACTERS_PER_TOKEN


def answer_room(max_tokens: int | None, limit: int) -> int:
    """Tokens of a context that are kept free for the answer."""
    return min(max_tokens or 256, max(1, limit // 4))
