"""Errors as OpenAI words them: status, type, code and the parameter that is to blame."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import msgspec
from aiohttp import web

from engine.api.schema import PrivacyChoice, WeakerChoice
from engine.errors import (
    AnswerCancelledError,
    ContextLengthError,
    GenTorrentError,
    HubError,
    InvalidRequestError,
    LicenceNeededError,
    ManifestError,
    ModelFolderError,
    NetworkNotReadyError,
    OverloadedError,
    RequestError,
    ServingNodeLostError,
    StorageError,
    UnknownModelError,
    UnreviewedModelError,
    UntrustedPublisherError,
    WeakerPaths,
    WeakerPathsNeededError,
    WorkerDiedError,
)

_STATUS: tuple[tuple[type[GenTorrentError], int, str], ...] = (
    # error, HTTP status, OpenAI's error type
    (InvalidRequestError, 400, "invalid_request_error"),
    (ContextLengthError, 400, "invalid_request_error"),
    (UnknownModelError, 404, "invalid_request_error"),
    (UnreviewedModelError, 403, "invalid_request_error"),
    (LicenceNeededError, 403, "invalid_request_error"),
    (UntrustedPublisherError, 403, "invalid_request_error"),
    (OverloadedError, 503, "overloaded_error"),
    (NetworkNotReadyError, 503, "server_error"),
    (AnswerCancelledError, 503, "server_error"),
    (ServingNodeLostError, 502, "server_error"),
    (WorkerDiedError, 503, "server_error"),
)
RETRY_AFTER_SECONDS = 3
"""Told with every 503 and 429, unless it is known how long it will take,"""
LONGEST_RETRY_AFTER_SECONDS = 120
"""up to this: estimates are of strangers."""
_encoder = msgspec.json.Encoder()


def status_of(error: GenTorrentError) -> int:
    """The HTTP status that tells ``error``; 500 for what is not the client's concern."""
    return next((status for kind, status, _ in _STATUS if isinstance(error, kind)), 500)


def code_of(error: GenTorrentError | OSError) -> str:
    """The stable code of ``error``."""
    match error:
        case WorkerDiedError():
            return "worker_restarting"
        case RequestError() | HubError() | ManifestError() | StorageError() | ModelFolderError():
            return error.code
        case OSError():
            return StorageError.code
    return RequestError.code


def retry_after(error: GenTorrentError) -> int:
    """Seconds after which it is worth asking again."""
    estimate = error.estimate if isinstance(error, RequestError) else 0.0
    return max(RETRY_AFTER_SECONDS, math.ceil(min(estimate, LONGEST_RETRY_AFTER_SECONDS)))


def error_object(
    message: str, code: str | None, kind: str = "invalid_request_error", parameter: str | None = None
) -> dict[str, Any]:
    """OpenAI's error object."""
    return {"error": {"message": message, "type": kind, "param": parameter, "code": code}}


def error_of(error: GenTorrentError, asked: str = "messages") -> dict[str, Any]:
    """The error object of an exception; ``asked`` is the parameter that holds what is asked."""
    kind = next((kind for known, _, kind in _STATUS if isinstance(error, known)), "server_error")
    parameter = error.parameter if isinstance(error, RequestError) else None
    if isinstance(error, UnknownModelError):
        parameter = "model"
    if isinstance(error, ContextLengthError):
        parameter = asked
    told = error_object(str(error), code_of(error), kind, parameter)
    if isinstance(error, WeakerPathsNeededError):
        more = {"relays": error.relays, "missing": error.missing, "choices": weaker_choices(error.choices)}
        told["error"]["gentorrent"] = more
    return told


def weaker_choices(choices: Iterable[WeakerPaths]) -> tuple[WeakerChoice, ...]:
    """The choices in the form in which they can be sent back."""
    return tuple(
        WeakerChoice(
            privacy=PrivacyChoice(direct=True)
            if choice.hops == 0
            else PrivacyChoice(least_paths=choice.paths, least_hops=choice.hops),
            paths=choice.paths,
            hops=choice.hops,
            text=choice.text,
        )
        for choice in choices
    )


def encode(value: Any) -> bytes:
    """JSON bytes."""
    return _encoder.encode(value)


def response(error: GenTorrentError, asked: str = "messages") -> web.Response:
    """The HTTP response that tells ``error``."""
    status = status_of(error)
    headers = {"Retry-After": str(retry_after(error))} if status in (429, 503) else None
    body = encode(error_of(error, asked))
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)
