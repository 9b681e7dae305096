"""What two members of a group say to each other about a request that one passes on to the other (numbers 107 to 113, on
the control channel of their link; the record is sealed to the one that shall serve)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from engine.wire.answer import MAX_REQUEST
from engine.wire.codec import Decoder, Id16, Id20, Message, ShortText, UInt16, UInt32

MAX_FORWARDED = MAX_REQUEST + 1_024
"""Bytes of an encoded :class:`ForwardedRequest`."""
MAX_PARTS = 4


class Forward(Message, frozen=True, tag=107):
    """Entry node to serving node: part ``index`` of ``count`` of a sealed :class:`ForwardedRequest`."""

    forward: Id16
    index: Annotated[int, Meta(ge=0, le=MAX_PARTS - 1)]
    count: Annotated[int, Meta(ge=1, le=MAX_PARTS)]
    data: Annotated[bytes, Meta(max_length=60_000)]


class ForwardAnswer(Message, frozen=True, tag=108):
    """Serving node to entry node: whether it takes the request, and if not, why (``code`` as in ``engine.errors``)."""

    forward: Id16
    accepted: bool
    code: ShortText = ""
    text: Annotated[str, Meta(max_length=1000)] = ""
    estimate: Annotated[float, Meta(ge=0, le=1e6)] = 0.0
    alternatives: Annotated[tuple[Id20, ...], Meta(max_length=8)] = ()


class ForwardEnd(Message, frozen=True, tag=109):
    """Either side: this forward is over. From the entry node: stop; from the serving node: nothing more comes."""

    forward: Id16


class ForwardServed(Message, frozen=True, tag=112):
    """Serving node to entry node: the answer is complete; so many tokens of the prompt were in the cache, and so many
    the answer has."""

    forward: Id16
    cached_tokens: UInt32
    output_tokens: UInt32


class ForwardBegun(Message, frozen=True, tag=113):
    """Serving node to entry node: the answer's first token has just left."""

    forward: Id16


class ForwardedRequest(Message, frozen=True, tag=110):
    """Sealed with suite 2: the request as the client encoded it, the id under which its cloves travel, the entry node's
    return address of each path of the answer, and how many tokens of the prompt the serving node's cache is likely to
    lack."""

    version: UInt16
    message_id: Id16
    request: Annotated[bytes, Meta(max_length=MAX_REQUEST)]
    paths: Annotated[tuple[tuple[Annotated[int, Meta(ge=0, le=15)], Id16], ...], Meta(min_length=1, max_length=16)]
    uncached_tokens: UInt32


forwarded_decoder: Decoder[ForwardedRequest] = Decoder(ForwardedRequest, MAX_FORWARDED)
