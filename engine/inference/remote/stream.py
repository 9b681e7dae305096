"""From the bytes that a server streams to pieces of an answer. Pure; believes nothing that it is sent.

Server-sent events as the HTML standard describes them (lines of ``data:``, an empty line ends an event), with JSON in
OpenAI's form inside.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from engine.errors import RemoteServerError, RequestError
from engine.inference.remote.settings import piece_id
from engine.inference.types import TokenLogprob

MAX_EVENT = 1024 * 1024
"""Bytes of one event; a longer one is no piece of an answer."""
MAX_COUNT = (1 << 31) - 1
LARGEST_LOGPROB = 1e300
REASONING = ("<think>\n", "\n</think>\n\n")
"""Around what a server sends apart as the model's reasoning: how models write it where nobody takes it apart."""
LAST_EVENT = "[DONE]"


class EventParser:
    """Bytes in, the data of complete events out."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The data of every event that ``chunk`` completes; :class:`RemoteServerError` for one beyond the limit."""
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            line, self._rest = bytes(self._rest) + end, bytearray()
            data = self._line(line.removesuffix(b"\r"))
            if data is not None:
                yield data
        self._rest += rest
        if len(self._rest) + self._size > MAX_EVENT:
            raise RemoteServerError(_broken(f"it sent one event of more than {MAX_EVENT} bytes"))

    def _line(self, line: bytes) -> str | None:
        if not line:
            data, self._data, self._size = b"\n".join(self._data), [], 0
            return data.decode("utf-8", "replace") if data else None
        name, _, value = line.partition(b":")
        if name == b"data":  # anything else is a comment, an id, a retry time
            self._size += len(value) + 1
            if self._size > MAX_EVENT:
                raise RemoteServerError(_broken(f"it sent one event of more than {MAX_EVENT} bytes"))
            self._data.append(value.removeprefix(b" "))
        return None


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event brought. ``finish``: why the answer ended, once it did. ``last``: nothing follows."""

    text: str = ""
    logprobs: tuple[TokenLogprob, ...] = ()
    finish: str = ""
    usage: Usage | None = None
    last: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the server counted them."""

    prompt: int
    completion: int
    cached: int


@dataclass(slots=True)
class ChunkReader:
    """Reads the events of one answer in their order. ``wants_logprobs``: they must be there, then."""

    wants_logprobs: bool = False
    _reasoning: bool = field(default=False, init=False)

    def read(self, data: str) -> Piece:
        """What the event says; :class:`RemoteServerError` for garbage, a request error for the server's own errors."""
        if data.strip() == LAST_EVENT:
            return Piece(text=self._end_reasoning(), last=True)
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError):
            raise RemoteServerError(_broken("it sent an event that is not JSON")) from None
        if not isinstance(chunk, dict):
            raise RemoteServerError(_broken("it sent an event that is not an object"))
        if chunk.get("error"):
            raise RemoteServerError(_broken("it reported an error in the middle of the answer"))
        choices = chunk.get("choices")
        usage = read_usage(chunk.get("usage"))
        if not isinstance(choices, list):
            raise RemoteServerError(_broken("it sent an event without choices"))
        if not choices:
            return Piece(usage=usage)
        return self._choice(choices[0], usage)

    def _choice(self, choice: object, usage: Usage | None) -> Piece:
        if not isinstance(choice, dict):
            raise RemoteServerError(_broken("it sent a choice that is not an object"))
        finish = choice.get("finish_reason") or ""
        if not isinstance(finish, str):
            raise RemoteServerError(_broken("it ended the answer for no known reason"))
        text = self._text(choice)
        if finish:
            text += self._end_reasoning()
        logprobs = _logprobs(choice.get("logprobs"))
        if self.wants_logprobs and text and not logprobs:
            raise RemoteServerError(_broken("it left out the log probabilities it was asked for"))
        return Piece(text=text, logprobs=logprobs, finish=_reason(finish), usage=usage)

    def _text(self, choice: dict[str, Any]) -> str:
        delta = choice.get("delta")
        if delta is None:  # /completions
            return _string(choice.get("text"))
        if not isinstance(delta, dict):
            raise RemoteServerError(_broken("it sent a difference that is not an object"))
        if delta.get("tool_calls"):
            raise RemoteServerError(_broken("it called a tool although there is none"))
        thought = _string(delta.get("reasoning_content") or delta.get("reasoning"))
        said = _string(delta.get("content"))
        if thought and not self._reasoning:
            self._reasoning = True
            thought = REASONING[0] + thought
        return thought + (self._end_reasoning() + said if said else "")

    def _end_reasoning(self) -> str:
        was, self._reasoning = self._reasoning, False
        return REASONING[1] if was else ""


def read_usage(value: object) -> Usage | None:
    """The server's count, if it is one."""
    if not isinstance(value, dict):
        return None
    details = value.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else 0
    return Usage(_count(value.get("prompt_tokens")), _count(value.get("completion_tokens")), _count(cached))


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT else 0


def _string(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RemoteServerError(_broken("it sent a text that is not a string"))
    # JSON can name half of a character's pair, which no UTF-8 can carry.
    return value.encode("utf-8", "replace").decode("utf-8")


def _reason(finish: str) -> str:
    if finish in ("", "stop", "length"):
        return finish
    if finish == "content_filter":
        raise RequestError("The server that makes this model's answers withheld this one (content filter).")
    if finish in ("eos", "stop_sequence", "end_turn"):
        return "stop"
    raise RemoteServerError(_broken("it ended the answer for no known reason"))


def _logprobs(value: object) -> tuple[TokenLogprob, ...]:
    """Entries that are usable; a server that sends others sent none."""
    content = value.get("content") if isinstance(value, dict) else None
    if not isinstance(content, list):
        return ()
    entries = [_entry(one) for one in content]
    if any(entry is None for entry in entries):
        return ()
    out = []
    for raw, entry in zip(content, entries, strict=True):
        assert entry is not None
        top = raw.get("top_logprobs")
        others = [_entry(one) for one in top] if isinstance(top, list) else []
        out.append(TokenLogprob(*entry, tuple(other for other in others if other is not None)))
    return tuple(out)


def _entry(value: object) -> tuple[int, bytes, float] | None:
    if not isinstance(value, dict):
        return None
    token, logprob = value.get("token"), value.get("logprob")
    if not isinstance(token, str) or isinstance(logprob, bool) or not isinstance(logprob, int | float):
        return None
    if not -LARGEST_LOGPROB <= logprob <= LARGEST_LOGPROB:  # not a number neither; integers have no end in JSON
        return None
    numbers = value.get("bytes")
    try:
        text = bytes(numbers) if isinstance(numbers, list) else token.encode("utf-8", "replace")
    except (TypeError, ValueError):
        return None
    return piece_id(text), text, float(logprob)


def _broken(what: str) -> str:
    return f"The server that makes this model's answers broke the protocol: {what}. Ask again, or choose another model."
