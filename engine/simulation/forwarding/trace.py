"""Requests to simulate: what a trace file says, checked.

A trace is JSON lines, one request each, in the order of ``t``::

    {"t": seconds, "session": id, "prompt": [token ids], "public_tokens": n, "output_tokens": n}

``t`` counts from the beginning of the trace. Turns of one conversation share a ``session`` (a text or a number); the
first ``public_tokens`` of a prompt (0 if absent) may be cached for everybody.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, overload

import msgspec

from engine.errors import ConfigurationError
from engine.inference.scheduling.plan import BLOCK_TOKENS

MOST_TOKENS = 1_000_000
"""Tokens of a prompt and of an answer that a trace may have."""
Block = tuple[int, ...]
_FEW = 1 << 18
_NUMBERS = tuple(range(_FEW))  # one object for each token id: a thousand caches hold many millions of them


@dataclass(slots=True, eq=False)
class PublicText:
    """The public beginning of prompts, kept once however many requests have it. ``digest`` names it."""

    ids: array[int]
    digest: bytes
    blocks: tuple[Block, ...]  # the whole blocks of it

    def __len__(self) -> int:
        return len(self.ids)


class Prompt(Sequence[int]):
    """A prompt's tokens, cut into blocks already, as ``PrefixCache.match`` wants to read them."""

    __slots__ = ("blocks",)

    def __init__(self, blocks: tuple[Block, ...]) -> None:
        self.blocks = blocks

    def __len__(self) -> int:
        return len(self.blocks) * BLOCK_TOKENS

    @overload
    def __getitem__(self, where: int) -> int: ...

    @overload
    def __getitem__(self, where: slice) -> Block: ...

    def __getitem__(self, where: int | slice) -> int | Block:
        """One token, or the whole block that begins where a slice begins."""
        if isinstance(where, slice):
            return self.blocks[where.start // BLOCK_TOKENS]
        return self.blocks[where // BLOCK_TOKENS][where % BLOCK_TOKENS]


@dataclass(slots=True, eq=False)
class Request:
    """One turn. ``private`` are the prompt's tokens after the public ones."""

    t: float
    session: str
    public: PublicText
    private: array[int]
    output_tokens: int
    number: int = 0
    answer: array[int] | None = None  # the answer's tokens, where a later turn shows them

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the whole prompt."""
        return len(self.public.ids) + len(self.private)

    def prompt(self) -> array[int]:
        """All its tokens."""
        return self.public.ids + self.private

    def blocks(self, *, answer: bool = False) -> tuple[Block, ...]:
        """The whole blocks of the prompt, the public ones first; with the ``answer``, as far as it is known."""
        shared = self.public.blocks
        rest = self.public.ids[len(shared) * BLOCK_TOKENS :] + self.private
        if answer and self.answer is not None:
            rest += self.answer
        return shared + _cut(rest)


@dataclass(slots=True)
class Texts:
    """Public texts by what they say, so that equal ones are one object."""

    known: dict[bytes, PublicText] = field(default_factory=dict)

    def of(self, ids: array[int]) -> PublicText:
        """The text with these tokens."""
        key = ids.tobytes()
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = PublicText(ids, sha256(key).digest() if key else b"", _cut(ids))
        return found


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    t: float
    session: str | int
    prompt: list[int]
    output_tokens: int
    public_tokens: int = 0


def read(path: Path) -> list[Request]:
    """The requests of a file, numbered in the order of their lines; :class:`ConfigurationError` names the first line
    that is not right, and what is wrong with it."""
    texts = Texts()
    requests: list[Request] = []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    requests.append(_request(line, texts, f"{path.name}, line {number}"))
                    if len(requests) > 1 and requests[-1].t < requests[-2].t:
                        raise ConfigurationError(
                            f"{path.name}, line {number}: t is {requests[-1].t:g}, less than {requests[-2].t:g} in the "
                            "request before. Sort the lines by t."
                        )
    except OSError as error:
        raise ConfigurationError(f"The trace {path} cannot be read ({error.strerror}).") from error
    if not requests:
        raise ConfigurationError(f"The trace {path.name} has no requests.")
    return numbered(requests)


def numbered(requests: Iterable[Request]) -> list[Request]:
    """In the order of arrival, with their numbers, and each turn with the answer that the next turn shows."""
    ordered = sorted(requests, key=lambda one: one.t)
    last: dict[str, Request] = {}
    for number, request in enumerate(ordered):
        request.number = number
        before = last.get(request.session)
        if before is not None:
            before.answer = _shown_answer(before, request)
        last[request.session] = request
    return ordered


def rescaled(requests: Sequence[Request], factor: float) -> list[Request]:
    """The same requests, ``factor`` times as fast."""
    return [replace(one, t=one.t / factor) for one in requests]


def write(requests: Iterable[Request], path: Path) -> None:
    """As JSON lines."""
    encoder = msgspec.json.Encoder()
    with path.open("wb") as file:
        for one in requests:
            line = {
                "t": one.t,
                "session": one.session,
                "prompt": one.prompt().tolist(),
                "public_tokens": len(one.public),
                "output_tokens": one.output_tokens,
            }
            file.write(encoder.encode(line) + b"\n")


def _request(line: bytes, texts: Texts, where: str) -> Request:
    try:
        found = msgspec.json.decode(line, type=_Line)
    except msgspec.DecodeError as error:
        raise ConfigurationError(
            f'{where}: {error}. A line is {{"t": seconds, "session": id, "prompt": [token ids], "public_tokens": n, '
            '"output_tokens": n}.'
        ) from error
    problem = _problem(found)
    if problem:
        raise ConfigurationError(f"{where}: {problem}.")
    public = texts.of(array("I", found.prompt[: found.public_tokens]))
    private = array("I", found.prompt[found.public_tokens :])
    return Request(found.t, str(found.session), public, private, found.output_tokens)


def _problem(line: _Line) -> str:
    """What is wrong, in words; empty if nothing."""
    checks: tuple[tuple[bool, str], ...] = (
        (math.isfinite(line.t) and line.t >= 0, f"t is {line.t}: seconds since the beginning, 0 or more"),
        (0 < len(line.prompt) <= MOST_TOKENS, f"prompt has {len(line.prompt)} tokens: 1 to {MOST_TOKENS:,}"),
        (
            all(0 <= token < 2**32 for token in line.prompt),
            "prompt has a token id that is not in 0 to 4294967295",
        ),
        (
            0 <= line.public_tokens <= len(line.prompt),
            f"public_tokens is {line.public_tokens}, prompt has {len(line.prompt)} tokens: 0 to as many",
        ),
        (
            0 < line.output_tokens <= MOST_TOKENS,
            f"output_tokens is {line.output_tokens}: 1 to {MOST_TOKENS:,}",
        ),
    )
    return next((words for right, words in checks if not right), "")


def _shown_answer(before: Request, after: Request) -> array[int] | None:
    """What the later turn's prompt has after the earlier one's, as far as it is the answer."""
    if before.public is not after.public:
        return None
    begin = len(before.private)
    if after.private[:begin] != before.private:
        return None
    return after.private[begin : begin + before.output_tokens]


def _cut(ids: Sequence[int]) -> tuple[Block, ...]:
    whole = len(ids) // BLOCK_TOKENS * BLOCK_TOKENS
    numbers = [_NUMBERS[one] if one < _FEW else one for one in ids[:whole]]
    return tuple(tuple(numbers[begin : begin + BLOCK_TOKENS]) for begin in range(0, whole, BLOCK_TOKENS))


def describe(requests: Sequence[Request]) -> dict[str, Any]:
    """Numbers that say what a trace is like: of ``requests`` the mean lengths, and how much of them is shared."""
    count = len(requests)
    return {
        "requests": count,
        "sessions": len({one.session for one in requests}),
        "public_texts": len({one.public.digest for one in requests if len(one.public)}),
        "prompt_tokens": round(sum(one.prompt_tokens for one in requests) / count, 1),
        "public_tokens": round(sum(len(one.public) for one in requests) / count, 1),
        "output_tokens": round(sum(one.output_tokens for one in requests) / count, 1),
    }
