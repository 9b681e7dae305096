"""What a forwarding policy is asked about a request. Pure."""

from __future__ import annotations

import hashlib

from engine.forwarding.policies.interface import Asked
from engine.wire.answer import Request

CHARACTERS_PER_TOKEN = 4
"""Roughly, of ordinary text: what a prompt costs before anybody has counted its tokens."""
EXPECTED_TOKENS = 256
"""Of an answer, unless its request wants fewer."""


def asked_of(request: Request) -> Asked:
    """What a policy is asked about a request whose tokens nobody has counted."""
    texts = [message.content + message.tool_calls for message in request.messages] or [request.prompt]
    public = "".join(texts[: request.public_messages])
    if request.public_messages < len(texts):
        public += texts[request.public_messages][: request.public_characters]
    length = sum(map(len, texts)) + len(request.tools)
    return Asked(
        prompt_tokens=_tokens(length) + len(request.continue_tokens),
        public_tokens=_tokens(len(public)) if public else 0,
        prefix=hashlib.sha256(public.encode("utf-8", "surrogatepass")).digest()[:16] if public else b"",
        output_tokens=min(request.max_tokens, EXPECTED_TOKENS),
        may_forward=request.may_forward,
        minimum_standing=request.minimum_standing,
    )


def _tokens(characters: int) -> int:
    return max(1, characters // CHARACTERS_PER_TOKEN)
