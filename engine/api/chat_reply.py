"""The choices of ``/v1/chat/completions``: messages, and the differences that stream them, as OpenAI words them.

Reasoning stands in ``reasoning_content``, as DeepSeek's and vLLM's APIs have it.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.api.parameters import ParsedRequest
from engine.api.reply import ReplyKind
from engine.api.service import AnswerDelta, AnswerDone
from engine.inference.text.answer_parts import Content, Part, Reasoning, ToolArguments, ToolCall
from engine.inference.types import TokenLogprob

LOWEST_LOGPROB = -9999.0
"""JSON has no infinity; OpenAI's own stand-in."""
CALL_ID_LENGTH = 9
"""Letters and digits; some models' templates (Mistral's) take no other ids."""


@dataclass(slots=True)
class _Call:
    name: str
    id: str
    arguments: list[str] = field(default_factory=list)

    def whole(self) -> dict[str, Any]:
        """As it stands in a message."""
        function = {"name": self.name, "arguments": "".join(self.arguments)}
        return {"id": self.id, "type": "function", "function": function}


class ChatChoice:
    """One answer. ``with_logprobs``: they were asked for."""

    def __init__(self, parsed: ParsedRequest, index: int) -> None:
        self._index = index
        self._with_logprobs = parsed.logprobs
        self._logprobs: list[TokenLogprob] = []  # not yet told
        self._content: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[_Call] = []
        self._begun = False

    def chunks(self, delta: AnswerDelta) -> list[dict[str, Any]]:
        """See ``Choice``. Log probabilities go with the next piece of text; some tokens complete none."""
        self._logprobs += delta.logprobs
        differences = [self._difference(part) for part in delta.parts]
        if not differences:
            return []
        return [*self._first(), *(self._choice({"delta": one}, self._told(), None) for one in differences)]

    def last(self, done: AnswerDone) -> list[dict[str, Any]]:
        """See ``Choice``."""
        return [*self._first(), self._choice({"delta": {}}, self._told(), self._finish_reason(done))]

    def add(self, delta: AnswerDelta) -> None:
        """See ``Choice``."""
        self._logprobs += delta.logprobs
        for part in delta.parts:
            match part:
                case Content():
                    self._content.append(part.text)
                case Reasoning():
                    self._reasoning.append(part.text)
                case ToolCall():
                    self._calls.append(_Call(part.name, call_id()))
                case ToolArguments():
                    self._calls[part.index].arguments.append(part.text)

    def whole(self, done: AnswerDone) -> dict[str, Any]:
        """See ``Choice``."""
        content = "".join(self._content)
        message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": None}
        if self._reasoning:
            message["reasoning_content"] = "".join(self._reasoning)
        if self._calls:
            message["content"] = content or None
            message["tool_calls"] = [call.whole() for call in self._calls]
        logprobs = _logprobs_object(self._logprobs) if self._with_logprobs else None
        return self._choice({"message": message}, logprobs, self._finish_reason(done))

    def _first(self) -> list[dict[str, Any]]:
        """The chunk that names the role, once."""
        if self._begun:
            return []
        self._begun = True
        return [self._choice({"delta": {"role": "assistant", "content": "", "refusal": None}}, None, None)]

    def _difference(self, part: Part) -> dict[str, Any]:
        match part:
            case Content():
                return {"content": part.text}
            case Reasoning():
                return {"reasoning_content": part.text}
            case ToolCall():
                call = _Call(part.name, call_id())
                self._calls.append(call)
                return {"tool_calls": [{"index": part.index, **call.whole()}]}
            case ToolArguments():
                return {"tool_calls": [{"index": part.index, "function": {"arguments": part.text}}]}

    def _told(self) -> dict[str, Any] | None:
        """The log probabilities that wait, once."""
        waiting, self._logprobs = self._logprobs, []
        return _logprobs_object(waiting) if waiting else None

    def _finish_reason(self, done: AnswerDone) -> str:
        return "tool_calls" if self._calls and done.finish_reason == "stop" else done.finish_reason

    def _choice(self, told: dict[str, Any], logprobs: dict[str, Any] | None, reason: str | None) -> dict[str, Any]:
        return {"index": self._index, **told, "logprobs": logprobs, "finish_reason": reason}


CHAT = ReplyKind("chatcmpl-", "chat.completion", "chat.completion.chunk", "messages", ChatChoice)


def call_id() -> str:
    """An id for a tool call."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(CALL_ID_LENGTH))


def finite(logprob: float) -> float:
    """A log probability as JSON can have it."""
    return max(logprob, LOWEST_LOGPROB)


def _logprobs_object(tokens: Sequence[TokenLogprob]) -> dict[str, Any]:
    content = [
        {
            **_token_object(one.text, one.logprob),
            "top_logprobs": [_token_object(text, logprob) for _, text, logprob in one.top],
        }
        for one in tokens
    ]
    return {"content": content, "refusal": None}


def _token_object(text: bytes, logprob: float) -> dict[str, Any]:
    return {"token": text.decode("utf-8", "replace"), "logprob": finite(logprob), "bytes": list(text)}
