"""What a forwarding policy is asked about a request. Pure."""

from __future__ import annotations

import hashlib

from engine.forwarding.policies.interface import Asked
from engine.inference.types import PromptShape
from engine.wire.answer import Request

CHARACTERS_PER_TOKEN = 4
"""Roughly, of ordinary text: what a prompt costs before anybody has counted its tokens."""
EXPECTED_TOKENS = 256
"""Of an answer, unless its request wants fewer."""


def asked_of(request: Request, shape: PromptShape | None = None) -> Asked:
    """What a policy is asked about a request. Without a ``shape`` nobody has counted its tokens."""
    if shape is not None:
        return _asked(request, shape.prompt_tokens, shape.public_tokens, shape.digests[-1] if shape.digests else b"")
    texts = [message.content + message.tool_calls for message in request.messages] or [request.prompt]
    public = "".join(texts[: request.public_messages])
    if request.public_messages < len(texts):
        public += texts[request.public_messages][: request.public_characters]
    length = sum(map(len, texts)) + len(request.tools)
    prefix = hashlib.sha256(public.encode("utf-8", "surrogatepass")).digest()[:16] if public else b""
    return _asked(request, _tokens(length), _tokens(len(public)) if public else 0, prefix)


def _asked(request: Request, prompt_tokens: int, public_tokens: int, prefix: bytes) -> Asked:
    return Asked(
        prompt_tokens=prompt_tokens + len(request.continue_tokens),
        public_tokens=public_tokens,
        prefix=prefix,
        output_tokens=min(request.max_tokens, EXPECTED_TOKENS),
        may_forward=request.may_forward,
        minimum_standing=request.minimum_standing,
    )


def _tokens(characters: int) -> int:
    return max(1, characters // CHARACTERS_PER_TOKEN)
