"""What a server's status, headers and error texts mean. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.errors import (
    ContextLengthError,
    GenTorrentError,
    InvalidRequestError,
    OverloadedError,
    RemoteServerError,
)
from engine.inference.remote.settings import RemoteSettings

MAX_WORDS = 300
"""Characters of a server's own words that are passed on."""
LONGEST_RETRY = 86_400
KEY_ADVICE = "Set the variable GENTORRENT_BACKEND_API_KEY to the key that the server wants."


def refusal(status: int, headers: Mapping[str, str], body: bytes, settings: RemoteSettings) -> GenTorrentError:
    """The error for a reply that is no answer. ``body``: its beginning."""
    words = _words(body, settings.api_key)
    told = f" It says: {words}" if words else ""
    if status in (400, 413, 422):
        if _is_about_context(words):
            return ContextLengthError(f"The question does not fit the model {settings.model_id}.{told} Shorten it.")
        return InvalidRequestError(f"The server of the model {settings.model_id} refuses this request.{told}")
    if status in (408, 429, 503):
        return OverloadedError(f"The server of the model {settings.model_id} has too much work. {_retry(headers)}")
    return RemoteServerError(f"{status_problem(status, settings)} Ask again later, or choose another model.")


def status_problem(status: int, settings: RemoteSettings) -> str:
    """What a status other than 200 says of the server, for its owner."""
    if 300 <= status < 400:
        return (
            f"The server at {settings.base_url} wants to be asked somewhere else (status {status}). Questions are "
            "never redirected: write its real address."
        )
    if status in (401, 403):
        return f"The server at {settings.base_url} refuses the API key (status {status}). {KEY_ADVICE}"
    if status == 404:
        return f"The server at {settings.base_url} knows no such page or model (status 404). Check address and model."
    return f"The server at {settings.base_url} fails (status {status})."


def read_models(body: bytes, settings: RemoteSettings) -> tuple[str, int]:
    """From ``GET /models``: what is wrong (empty: nothing) and the context length that the server names (0: none)."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    entries = content.get("data") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        return f"The server at {settings.base_url} does not list its models as OpenAI's protocol wants.", 0
    models = {one["id"]: one for one in entries if isinstance(one, dict) and isinstance(one.get("id"), str)}
    mine = models.get(settings.server_model)
    if mine is None:
        names = ", ".join(name[:80] for name in list(models)[:5] if name.isprintable()) or "none"
        return (
            f"The server at {settings.base_url} does not serve {settings.server_model}. It serves: {names}. Name one "
            "of these with --backend-model."
        ), 0
    return "", _context_length(mine)


def _context_length(model: dict[str, Any]) -> int:
    """vLLM and SGLang call it max_model_len, others context_length; llama.cpp has it under meta."""
    meta = model.get("meta")
    places = (
        model.get("max_model_len"),
        model.get("context_length"),
        meta.get("n_ctx") if isinstance(meta, dict) else 0,
    )
    for value in places:
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 100_000_000:
            return value
    return 0


def _words(body: bytes, secret: str) -> str:
    """The server's own message, made harmless; empty when there is none."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    error = content.get("error", content) if isinstance(content, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    if not isinstance(message, str):
        return ""
    if secret:
        message = message.replace(secret, "…")
    return "".join(one if one.isprintable() else " " for one in message[:MAX_WORDS]).strip()


def _is_about_context(words: str) -> bool:
    lower = words.lower()
    return "context" in lower and any(word in lower for word in ("exceed", "length", "maximum", "window", "too long"))


def _retry(headers: Mapping[str, str]) -> str:
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit() and len(value) <= 6 and int(value) <= LONGEST_RETRY:
        return f"Try again in {int(value)} s."
    return "Try again later."
