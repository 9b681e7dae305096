"""One request to a client engine's local API, timed as its program sees it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from engine.inference.types import PromptMessage

LONGEST_LINE = 1 << 20
CODE_OF_CLIENT = "no_answer"
"""In the place of an error code, when the connection broke or the time ran out."""


@dataclass(slots=True)
class Record:
    """What happened to one request. Seconds after the beginning of the run; ``error`` empty: it was answered."""

    intended: float
    sent: float = 0.0
    first: float = 0.0
    ended: float = 0.0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    served_by: str = ""
    error: str = ""
    message: str = ""
    asked: str = ""  # the entry node

    @property
    def first_token_seconds(self) -> float:
        """From the intended arrival."""
        return self.first - self.intended

    @property
    def total_seconds(self) -> float:
        """From the intended arrival to the end of the answer."""
        return self.ended - self.intended


@dataclass(frozen=True)
class Client:
    """A client engine. ``extra``: more fields of every request's body."""

    session: aiohttp.ClientSession
    address: str
    token: str
    model: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    async def ask(
        self,
        messages: Sequence[PromptMessage],
        *,
        output: int,
        conversation: str,
        public_messages: int,
        begin: float,
        intended: float,
    ) -> Record:
        """Ask through the network and read the answer to its end. ``begin``: of the run, by ``time.monotonic``."""
        record = Record(intended, time.monotonic() - begin)
        body = {
            "model": self.model,
            "messages": [{"role": one.role, "content": one.content} for one in messages],
            "max_tokens": output,
            "min_tokens": output,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
            "gentorrent": {
                "route": "network",
                "conversation": conversation,
                "public_messages": public_messages,
                "may_forward": True,
            },
            **self.extra,
        }
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            url = f"{self.address}/v1/chat/completions"
            async with self.session.post(url, json=body, headers=headers) as response:
                if response.status != 200:
                    _failed(record, await response.json())
                async for line in response.content:
                    if line.startswith(b"data: {"):
                        _take(record, json.loads(line[6:]), time.monotonic() - begin)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            record.error, record.message = CODE_OF_CLIENT, str(error)
        record.ended = time.monotonic() - begin
        if not record.error and not (record.first and record.served_by):
            record.error, record.message = CODE_OF_CLIENT, "the answer was not complete"
        return record


def _take(record: Record, chunk: Mapping[str, Any], now: float) -> None:
    """One event of the stream."""
    if "error" in chunk:
        _failed(record, chunk)
        return
    if told := chunk.get("gentorrent"):
        record.served_by = told.get("served_by", "")
        record.asked = next(iter(told.get("asked", ())), "")
    if usage := chunk.get("usage"):
        record.prompt_tokens = usage["prompt_tokens"]
        record.output_tokens = usage["completion_tokens"]
        record.cached_tokens = usage["prompt_tokens_details"]["cached_tokens"]
    for choice in chunk.get("choices", ()):
        if not record.first and choice["delta"].get("content"):
            record.first = now


def _failed(record: Record, told: Mapping[str, Any]) -> None:
    error = told.get("error") or {}
    record.error, record.message = str(error.get("code") or "error"), str(error.get("message") or "")
