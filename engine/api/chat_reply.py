"""The JSON objects that answer ``/v1`` requests: completions, stream chunks, models and errors, as OpenAI words them.

What OpenAI has no field for stands in an additional object ``gentorrent``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from engine.api.chat_request import ParameterError
from engine.api.schema import ModelState
from engine.api.service import AnswerDone, AnswerStage
from engine.errors import (
    AnswerCancelledError,
    ContextLengthError,
    GenTorrentError,
    InvalidRequestError,
    NetworkNotReadyError,
    OverloadedError,
    RequestError,
    ServingNodeLostError,
    UnknownModelError,
    WorkerDiedError,
)

_STATUS: tuple[tuple[type[GenTorrentError], int, str], ...] = (
    # error, HTTP status, OpenAI's error type
    (InvalidRequestError, 400, "invalid_request_error"),
    (ContextLengthError, 400, "invalid_request_error"),
    (UnknownModelError, 404, "invalid_request_error"),
    (OverloadedError, 503, "overloaded_error"),
    (NetworkNotReadyError, 503, "server_error"),
    (AnswerCancelledError, 503, "server_error"),
    (ServingNodeLostError, 502, "server_error"),
    (WorkerDiedError, 503, "server_error"),
)
RETRY_AFTER_SECONDS = 3
"""Told with every 503 and 429."""
_encoder = msgspec.json.Encoder()


def status_of(error: GenTorrentError) -> int:
    """The HTTP status that tells ``error``; 500 for what is not the client's concern."""
    return next((status for kind, status, _ in _STATUS if isinstance(error, kind)), 500)


def code_of(error: GenTorrentError) -> str:
    """The stable code of ``error``."""
    if isinstance(error, WorkerDiedError):
        return "worker_restarting"
    return error.code if isinstance(error, RequestError) else RequestError.code


def error_object(
    message: str, code: str | None, kind: str = "invalid_request_error", parameter: str | None = None
) -> dict[str, Any]:
    """OpenAI's error object."""
    return {"error": {"message": message, "type": kind, "param": parameter, "code": code}}


def error_of(error: GenTorrentError) -> dict[str, Any]:
    """The error object of an exception."""
    kind = next((kind for known, _, kind in _STATUS if isinstance(error, known)), "server_error")
    parameter = error.parameter if isinstance(error, ParameterError) else None
    if isinstance(error, UnknownModelError):
        parameter = "model"
    if isinstance(error, ContextLengthError):
        parameter = "messages"
    return error_object(str(error), code_of(error), kind, parameter)


def model_object(model: ModelState, created: int) -> dict[str, Any]:
    """One entry of ``/v1/models``."""
    return {
        "id": model.id,
        "object": "model",
        "created": created,
        "owned_by": "gentorrent",
        "gentorrent": {"where": model.where, "nodes": model.nodes, "context_length": model.context_length},
    }


def usage_object(done: AnswerDone) -> dict[str, int]:
    """Real token counts."""
    return {
        "prompt_tokens": done.prompt_tokens,
        "completion_tokens": done.completion_tokens,
        "total_tokens": done.prompt_tokens + done.completion_tokens,
    }


def extension_object(done: AnswerDone, seed: int, *, receipt: bool) -> dict[str, Any]:
    """The reply's ``gentorrent`` object; ``receipt`` adds the export."""
    extension: dict[str, Any] = {
        "served_by": done.served_by,
        "paths": done.paths,
        "n": done.n,
        "k": done.k,
        "ttft_ms": round(done.ttft_ms, 1),
        "tokens_per_s": round(done.tokens_per_s, 2),
        "receipt_verified": done.receipt == "verified",
        "receipt_status": done.receipt,
        "receipt_reason": done.receipt_reason,
        "seed": seed,
    }
    if receipt and done.receipt_export:
        extension["receipt"] = msgspec.Raw(done.receipt_export.encode("utf-8"))
    return extension


class Completion:
    """The replies to one request, which share id, time and model. Each method gives the JSON bytes of one object."""

    def __init__(self, reply_id: str, created: int, model: str) -> None:
        self._id = reply_id
        self._created = created
        self._model = model

    def whole(self, text: str, done: AnswerDone, extension: dict[str, Any]) -> bytes:
        """The reply that is not streamed."""
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": done.finish_reason}
        return self._object("chat.completion", [choice], usage=usage_object(done), gentorrent=extension)

    def first(self) -> bytes:
        """The chunk that names the role."""
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def text(self, text: str) -> bytes:
        """A piece of the answer."""
        return self._chunk({"content": text})

    def last(self, done: AnswerDone, extension: dict[str, Any]) -> bytes:
        """The chunk with the finish reason."""
        return self._chunk({}, done.finish_reason, gentorrent=extension)

    def usage(self, done: AnswerDone) -> bytes:
        """The chunk that ``stream_options.include_usage`` asks for."""
        return self._object("chat.completion.chunk", [], usage=usage_object(done))

    def stage(self, stage: AnswerStage) -> bytes:
        """A chunk without choices that says where the request stands."""
        told = {"stage": stage.stage, "place": stage.place, "estimate": stage.estimate, "text": stage.text}
        return self._object("chat.completion.chunk", [], gentorrent=told)

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return self._object("chat.completion.chunk", [choice], **more)

    def _object(self, kind: str, choices: list[dict[str, Any]], **more: Any) -> bytes:
        common = {"id": self._id, "object": kind, "created": self._created, "model": self._model, "choices": choices}
        return _encoder.encode({**common, **more})


def encode(value: Any) -> bytes:
    """JSON bytes."""
    return _encoder.encode(value)
