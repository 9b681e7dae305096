"""Names for the byte strings that identify things, so that one cannot be passed for another."""

from __future__ import annotations

import base64
import binascii
import re
from typing import NewType

NodeId = NewType("NodeId", bytes)
"""20 bytes: the first 20 of SHA-256(identity public key)."""
NetworkId = NewType("NetworkId", bytes)
"""32 bytes: SHA-256 of the genesis file's canonical bytes; shown as lowercase hex."""
CircuitId = NewType("CircuitId", int)
"""Random 64-bit name of a circuit on one link; differs per hop."""
RequestId = NewType("RequestId", bytes)
"""16 random bytes chosen by the client."""

NODE_ID_LENGTH = 20
_FINGERPRINT = re.compile(r"[a-z2-7]{32}\Z")
_PUBLISHED_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?\Z")


def node_id_text(node_id: NodeId) -> str:
    """Lowercase base32 without padding (32 characters)."""
    return base64.b32encode(node_id).decode("ascii").lower()


def parse_node_id(text: str) -> NodeId:
    """The inverse of :func:`node_id_text`; raises ``ValueError``."""
    try:
        raw = base64.b32decode(text.upper())
    except binascii.Error as error:
        raise ValueError(f"not a node id: {text!r}") from error
    if len(raw) != NODE_ID_LENGTH:
        raise ValueError(f"not a node id: {text!r}")
    return NodeId(raw)


def short_id(node_id: NodeId) -> str:
    """The first 8 characters of the text form, for people; never use it as a key."""
    return node_id_text(node_id)[:8]


def is_fingerprint(text: str) -> bool:
    """Whether this could be the fingerprint of a publisher's key, which is written like a node id."""
    return bool(_FINGERPRINT.match(text))


def is_published_name(text: str) -> bool:
    """Whether a publisher may call a model so: small letters only, as some systems do not tell large ones apart."""
    return bool(_PUBLISHED_NAME.match(text))


def is_published(model_id: str) -> bool:
    """Whether this is the id of a publisher's model, ``FINGERPRINT/NAME``."""
    fingerprint, slash, name = model_id.partition("/")
    return bool(slash) and is_fingerprint(fingerprint) and is_published_name(name)


def is_publishers(model_id: str) -> bool:
    """Whether an id begins like those of publishers: only a manifest can say what such a model is, and what is almost
    such an id (a variant behind it, large letters) is no model at all."""
    fingerprint, slash, _ = model_id.partition("/")
    return bool(slash) and is_fingerprint(fingerprint.lower())
