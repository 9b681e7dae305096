"""Keys of one answer: which secret makes which key, in one place (docs/protocol.md, "Keys of an answer").

Every execution of a request draws fresh salts, and the serving node's id and the attempt go into every key, so no two
executions ever encrypt under the same key. Nonces are the frame number and the clove's index.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.crypto.symmetric import hkdf
from engine.ids import NetworkId, NodeId

SALT_LENGTH = 16
INDEX_BITS = 4  # clove indices are 0 to 15


def request_info(network_id: NetworkId, node_id: NodeId) -> bytes:
    """HPKE ``info`` of a sealed request."""
    return b"gentorrent/request/v1" + network_id + node_id


def clove_info(network_id: NetworkId, node_id: NodeId) -> bytes:
    """HPKE ``info`` of a sealed request clove."""
    return b"gentorrent/clove/v1" + network_id + node_id


def forward_info(network_id: NetworkId, entry: NodeId, serving: NodeId) -> bytes:
    """HPKE ``info`` of a request that one member passes on to another."""
    return b"gentorrent/forward/v1" + network_id + entry + serving


def _execution(serving_node: NodeId, attempt: int) -> bytes:
    return serving_node + attempt.to_bytes(2, "big")


def frame_key(answer_secret: bytes, frame_salt: bytes, serving_node: NodeId, attempt: int) -> bytes:
    """Key of an execution's frames (32 bytes)."""
    return hkdf(answer_secret, frame_salt, b"gentorrent/frame/v1" + _execution(serving_node, attempt), 32)


def clove_key(clove_secret: bytes, path_salt: bytes, serving_node: NodeId, attempt: int) -> bytes:
    """Key of the cloves of one path of an execution (32 bytes)."""
    return hkdf(clove_secret, path_salt, b"gentorrent/answer-clove/v1" + _execution(serving_node, attempt), 32)


def clove_nonce(frame_number: int, index: int) -> int:
    """Nonce of clove ``index`` of frame ``frame_number``."""
    return frame_number << INDEX_BITS | index


@dataclass(frozen=True, slots=True)
class AnnouncementKey:
    """Opens a path's announcement; ``offset`` hides the frame number from the path (mod 2^32)."""

    key: bytes
    offset: int


def announcement_key(clove_secret: bytes, path_salt: bytes) -> AnnouncementKey:
    """Derived before the execution is known, as it protects the announcement of that execution."""
    raw = hkdf(clove_secret, path_salt, b"gentorrent/announcement/v1", 36)
    return AnnouncementKey(key=raw[:32], offset=int.from_bytes(raw[32:], "big"))


def control_key(answer_secret: bytes, frame_salt: bytes) -> bytes:
    """Key of control messages from client to node of the execution with this frame salt; nonces are random."""
    return hkdf(answer_secret, frame_salt, b"gentorrent/control/v1/client-to-node", 32)


def attach_key(answer_secret: bytes, request_id: bytes) -> bytes:
    """Key of ``replace proxy i by j``, which may be needed before any execution is announced; nonce = counter."""
    return hkdf(answer_secret, request_id, b"gentorrent/attach/v1", 32)
