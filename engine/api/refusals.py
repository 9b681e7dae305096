"""What a client of the control API is told when a request fails, whatever went wrong."""

from __future__ import annotations

import logging

import msgspec

from engine.api import error_reply
from engine.api.schema import RequestFailed
from engine.errors import GenTorrentError, StorageError
from engine.sentences import said_by, say

_log = logging.getLogger(__name__)


def refusal(request: msgspec.Struct, error: Exception) -> RequestFailed:
    """The reply to a ``request`` that ended with ``error``. A fault that nobody expected is logged with the place where
    it happened, and told in plain words, so that nobody waits for a reply that does not come."""
    tag, ref = str(request.__struct_config__.tag), getattr(request, "ref", "")
    match error:
        case GenTorrentError():
            return RequestFailed(request=tag, code=error_reply.code_of(error), text=said_by(error), ref=ref)
        case OSError():
            return RequestFailed(request=tag, code=StorageError.code, text=said_by(error), ref=ref)
    _log.error("a request (%s) failed unexpectedly", tag, exc_info=error)
    return RequestFailed(request=tag, code="internal_error", text=say("chat.request_mistake"), ref=ref)
