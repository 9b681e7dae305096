"""From the JSON body of ``POST /v1/completions`` to checked :class:`AnswerRequest` s: text to be continued."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from engine.api.parameters import (
    MAX_CHOICES,
    MAX_TOP_LOGPROBS,
    CommonBody,
    ParameterError,
    ParsedRequest,
    checked,
    decode_body,
    requests_of,
    unsupported,
)

DEFAULT_MAX_TOKENS = 16
"""As in OpenAI's API."""
LARGEST_TOKEN = 0x7FFF_FFFF
_NOT_SERVED: dict[str, tuple[object, ...]] = {"suffix": (None, "")}


class _Body(CommonBody, kw_only=True):
    prompt: Any
    echo: bool | None = None
    logprobs: Annotated[int, Meta(ge=0, le=MAX_TOP_LOGPROBS)] | None = None


def parse(body: bytes) -> ParsedRequest:
    """Check a request body of at most 1 MB; ``InvalidRequestError`` says what is wrong with it."""
    parsed = checked(decode_body(body, _NOT_SERVED), _Body)
    prompts = _prompts(parsed.prompt)
    if parsed.echo and parsed.logprobs is not None:
        raise unsupported("echo with logprobs is not served: a prompt has no log probabilities here.", "echo")
    if parsed.echo and any("prompt_tokens" in prompt for prompt in prompts):
        raise unsupported("echo of a prompt of token ids is not served. Send the prompt as text.", "echo")
    asked = [{**prompt, "top_logprobs": parsed.logprobs} for prompt in prompts]
    request = requests_of(parsed, asked, DEFAULT_MAX_TOKENS)
    return msgspec.structs.replace(request, logprobs=parsed.logprobs is not None, echo=bool(parsed.echo))


def _prompts(prompt: Any) -> list[dict[str, Any]]:
    """One text, one list of token ids, or a list of either."""
    if isinstance(prompt, str) or _is_ids(prompt):
        return [_prompt(prompt, "prompt")]
    if not isinstance(prompt, list) or not 1 <= len(prompt) <= MAX_CHOICES:
        raise ParameterError(
            f"The prompt is a text, a list of token ids, or a list of 1 to {MAX_CHOICES} of these.", "prompt"
        )
    return [_prompt(one, f"prompt[{place}]") for place, one in enumerate(prompt)]


def _prompt(prompt: Any, where: str) -> dict[str, Any]:
    if isinstance(prompt, str) and prompt:
        return {"prompt": prompt}
    if not _is_ids(prompt):
        raise ParameterError("This prompt is neither a text with something in it nor a list of token ids.", where)
    if not all(0 <= token <= LARGEST_TOKEN for token in prompt):
        raise ParameterError("A token id is a whole number from 0 on.", where)
    return {"prompt_tokens": tuple(prompt)}


def _is_ids(prompt: Any) -> bool:
    return isinstance(prompt, list) and bool(prompt) and all(type(token) is int for token in prompt)
