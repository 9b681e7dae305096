"""The choices of ``/v1/completions``, the older of OpenAI's two forms: plain text that continues the prompt."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import Any

from engine.api.chat_reply import finite
from engine.api.parameters import ParsedRequest
from engine.api.reply import ReplyKind
from engine.api.service import AnswerDelta, AnswerDone
from engine.inference.types import TokenLogprob


class TextChoice:
    """One answer. With ``echo`` the prompt comes first."""

    def __init__(self, parsed: ParsedRequest, index: int) -> None:
        self._index = index
        self._with_logprobs = parsed.logprobs
        self._logprobs: list[TokenLogprob] = []  # not yet told
        self._told_text = codecs.getincrementaldecoder("utf-8")("replace")  # of the tokens told so far
        self._offset = 0  # its characters
        self._echo = (parsed.answers[index].prompt or "") if parsed.echo else ""
        self._text: list[str] = []

    def chunks(self, delta: AnswerDelta) -> list[dict[str, Any]]:
        """See ``Choice``. Log probabilities go with the next piece of text; some tokens complete none."""
        self._logprobs += delta.logprobs
        text = self._echoed() + delta.text
        return [self._choice(text, self._told(), None)] if text else []

    def last(self, done: AnswerDone) -> list[dict[str, Any]]:
        """See ``Choice``."""
        return [self._choice(self._echoed(), self._told(), done.finish_reason)]

    def add(self, delta: AnswerDelta) -> None:
        """See ``Choice``."""
        self._logprobs += delta.logprobs
        self._text.append(delta.text)

    def whole(self, done: AnswerDone) -> dict[str, Any]:
        """See ``Choice``."""
        return self._choice(self._echoed() + "".join(self._text), self._told(), done.finish_reason)

    def _echoed(self) -> str:
        echo, self._echo = self._echo, ""
        return echo

    def _told(self) -> dict[str, Any] | None:
        waiting, self._logprobs = self._logprobs, []
        if not self._with_logprobs or not waiting:
            return None
        offsets = []
        for one in waiting:
            offsets.append(self._offset)
            self._offset += len(self._told_text.decode(one.text))
        return {**_logprobs_object(waiting), "text_offset": offsets}

    def _choice(self, text: str, logprobs: dict[str, Any] | None, reason: str | None) -> dict[str, Any]:
        return {"index": self._index, "text": text, "logprobs": logprobs, "finish_reason": reason}


TEXT = ReplyKind("cmpl-", "text_completion", "text_completion", "prompt", TextChoice)


def _logprobs_object(tokens: Sequence[TokenLogprob]) -> dict[str, Any]:
    """Three of the four lists of this form. The token that was drawn stands among the most probable ones of its place
    even where it is none of them, as OpenAI has it."""
    return {
        "tokens": [_text(one.text) for one in tokens],
        "token_logprobs": [finite(one.logprob) for one in tokens],
        "top_logprobs": [_top(one) for one in tokens],
    }


def _top(one: TokenLogprob) -> dict[str, float]:
    top = {_text(text): finite(logprob) for _, text, logprob in reversed(one.top)}
    return dict(sorted({**top, _text(one.text): finite(one.logprob)}.items(), key=lambda kv: -kv[1]))


def _text(token: bytes) -> str:
    """Parts of characters as OpenAI writes them, ``bytes:\\xe2\\x82``: as text they would all be the same."""
    try:
        return token.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in token)
