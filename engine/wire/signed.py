"""A record of verification with the signature on its exact bytes (number 120).

Each kind is signed with the purpose that its description names, by the key that it names. Who may sign it and what
makes it valid is ``engine.verification``'s to say.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from engine.wire.codec import Decoder, Key32, Message, Signature

MAX_RECORD = 60_000
"""Bytes of one encoded record; with key and signature it fits a link's message."""


class SignedRecord(Message, frozen=True, tag=120):
    """A record's exact bytes with the key that signed them; ``engine.wire.records.Signed`` for longer ones."""

    record: Annotated[bytes, Meta(max_length=MAX_RECORD)]
    key: Key32
    signature: Signature


signed_record_decoder: Decoder[SignedRecord] = Decoder(SignedRecord)
