"""Receipts: what a model node signs about (a part of) an answer, and how the client checks it.

The node signs the exact bytes of a :class:`engine.wire.answer.Receipt` with purpose ``receipt``. Request, prompt and
output stand in it only as commitments: HMAC-SHA256 under a key that client and node share, because a bare hash of a
short prompt can be guessed. The request is committed without its secrets (:func:`request_without_secrets`), so that it
can be shown to others later; ``engine.verification.receipt_file`` does that.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from engine.crypto.identity import Identity, node_id_of, verify
from engine.crypto.symmetric import constant_time_equal, hkdf
from engine.directory import CLOCK_SKEW_SECONDS
from engine.errors import ReceiptError, SignatureError, WireError
from engine.ids import NodeId, node_id_text
from engine.wire.answer import Receipt, Request, receipt_decoder, request_decoder
from engine.wire.codec import encode

RECEIPT_VERSION = 1
SAMPLER = "gumbel-1"
PURPOSE = "receipt"
KEY_LENGTH = 32
DATE_BEHIND, DATE_AHEAD = CLOCK_SKEW_SECONDS, 300.0
"""Seconds by which a receipt's date may lie before its request's sealing and after the reader's time: as far as clocks
may be apart with which a node takes a request at all (``engine.paths.admission``)."""
_ZERO_KEY = bytes(KEY_LENGTH)


class CommittedRequest:
    """A request, and what each receipt of its answer says of it: worked out once, however many receipts there are.
    ``shown`` are its bytes without secrets, ``commitment`` is theirs under ``key``."""

    __slots__ = ("commitment", "key", "request", "shown")

    def __init__(self, encoded: bytes) -> None:
        """Of a request's bytes as they were sealed; :class:`ReceiptError` when they are no request."""
        self.request = _decoded(encoded)
        self.key = receipt_key(self.request.answer_secret)
        self.shown = _without_secrets(self.request)
        self.commitment = commit(self.key, b"request", self.shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a node knows when it signs: tokens ``first`` to ``first + len(output_ids)`` of an answer.

    ``request`` is made of the request's bytes as the client sealed it; times are milliseconds since the node got it;
    ``issued`` is in seconds since 1970. ``final``: nothing comes after these tokens. ``entry``: the member of the group
    that has passed the request on, None if its client asked this node.
    """

    request: CommittedRequest
    attempt: int
    final: bool
    first: int
    prompt_ids: Sequence[int]
    output_ids: Sequence[int]
    tokenizer_digest: bytes
    ttft_ms: float
    total_ms: float
    issued: int
    entry: NodeId | None = None


def receipt_key(answer_secret: bytes) -> bytes:
    """The 32-byte key of a request's commitments; the only secret that an exported receipt may hold."""
    return hkdf(answer_secret, b"", b"gentorrent/receipt/v1", KEY_LENGTH)


def commit(key: bytes, purpose: bytes, data: bytes) -> bytes:
    """32 bytes: HMAC-SHA256 under ``key`` of the length of ``purpose`` (one byte), ``purpose`` and ``data``."""
    return hmac.digest(key, bytes((len(purpose),)) + purpose + data, "sha256")


def token_bytes(ids: Sequence[int]) -> bytes:
    """Token ids (each below 2^32) as four big-endian bytes each."""
    return struct.pack(f">{len(ids)}I", *ids)


def request_without_secrets(request: bytes) -> bytes:
    """The encoded request with zeros for the answer secret, the clove secrets and the cache salt.

    Everything that shapes the answer stays; with the secrets a stranger could read recorded traffic or test the chat's
    private cache. :class:`ReceiptError` when the bytes are no request.
    """
    return _without_secrets(_decoded(request))


def _without_secrets(request: Request) -> bytes:
    blank = tuple(_ZERO_KEY for _ in request.clove_secrets)
    return encode(msgspec.structs.replace(request, answer_secret=_ZERO_KEY, clove_secrets=blank, cache_salt=_ZERO_KEY))


def _decoded(request: bytes) -> Request:
    try:
        return request_decoder.decode(request)
    except WireError as error:
        raise ReceiptError(f"The request behind the receipt is malformed: {error}.") from error


def execution_name(request_id: bytes, attempt: int, first: int) -> bytes:
    """What the receipts of one execution have in common, and no other has."""
    return request_id + struct.pack(">HI", attempt, first)


def make_receipt(identity: Identity, network_id: bytes, served: Served) -> Receipt:
    """The receipt of what was served. ``completion_tokens`` counts the tokens it covers."""
    asked, request, key = served.request, served.request.request, served.request.key
    return Receipt(
        version=RECEIPT_VERSION,
        network_id=network_id,
        request_id=request.request_id,
        attempt=served.attempt,
        final=served.final,
        first=served.first,
        last=served.first + len(served.output_ids),
        model_id=request.model_id,
        model_digest=request.model_digest,
        tokenizer_digest=served.tokenizer_digest,
        sampler=SAMPLER,
        seed=request.sampling.seed,
        request_commitment=asked.commitment,
        prompt_commitment=commit(key, b"prompt", token_bytes(served.prompt_ids)),
        output_commitment=commit(key, b"output", token_bytes(served.output_ids)),
        prompt_tokens=len(served.prompt_ids),
        completion_tokens=len(served.output_ids),
        ttft_ms=float(served.ttft_ms),
        total_ms=float(served.total_ms),
        node_id=identity.node_id,
        node_key=identity.public_key,
        entry=identity.node_id if served.entry is None else served.entry,
        issued=served.issued,
    )


def sign_receipt(identity: Identity, receipt: Receipt) -> tuple[bytes, bytes]:
    """The record's bytes and the 64-byte signature over them (purpose ``receipt``, the receipt's own network)."""
    record = encode(receipt)
    return record, identity.sign(PURPOSE, receipt.network_id, record)


Verify = Callable[[bytes, str, bytes, bytes, bytes], None]


def check_receipt(record: bytes, signature: bytes, network_id: bytes, verify: Verify = verify) -> Receipt:
    """The receipt that its node really signed for this network; :class:`ReceiptError` says what is wrong with it.
    ``verify``: looks at the signature, as ``engine.crypto.identity.verify`` does."""
    try:
        receipt = receipt_decoder.decode(record)
    except WireError as error:
        raise ReceiptError(f"The receipt is malformed: {error}.") from error
    if receipt.version != RECEIPT_VERSION:
        raise ReceiptError(
            f"The receipt has version {receipt.version}; this program knows {RECEIPT_VERSION}. An update may help."
        )
    if not constant_time_equal(receipt.network_id, network_id):
        raise ReceiptError("The receipt belongs to another network than the one it was shown for.")
    if not constant_time_equal(receipt.node_id, node_id_of(receipt.node_key)):
        raise ReceiptError("The receipt's node id does not belong to its key: somebody signed in another's name.")
    try:
        verify(receipt.node_key, PURPOSE, network_id, signature, record)
    except SignatureError as error:
        raise ReceiptError(
            "The signature does not belong to the receipt: one of them was altered, or the node did not sign it."
        ) from error
    _check_sense(receipt)
    return receipt


def _check_sense(receipt: Receipt) -> None:
    """Refuse what no honest node signs, so that nothing behind here has to think of it."""
    if receipt.last < receipt.first or receipt.completion_tokens != receipt.last - receipt.first:
        raise ReceiptError("The receipt contradicts itself: its token range and its token count differ.")
    if receipt.ttft_ms > receipt.total_ms:
        raise ReceiptError("The receipt contradicts itself: the first token came after the last.")


def verify_against(
    receipt: Receipt,
    *,
    asked: CommittedRequest,
    output_ids: Sequence[int],
    first: int,
    prompt_ids: Sequence[int] | None = None,
    serving_node: NodeId | None = None,
    asked_node: NodeId | None = None,
    attempt: int | None = None,
) -> list[str]:
    """What of a signed receipt differs from what the client asked and got, in plain words; empty when nothing does.

    ``output_ids`` are the tokens that arrived from position
    ``first`` on (for a checkpoint also those behind it). ``prompt_ids`` is compared where the client knows the
    tokenizer, ``serving_node`` and ``attempt`` where it has read the announcement, ``asked_node`` where it knows whom
    it has asked. The receipt's own signature is :func:`check_receipt`'s part.
    """
    found = _compare_request(receipt, asked.request, asked.commitment)
    found += compare_output(receipt, asked.key, output_ids, first)
    if prompt_ids is not None:
        found += compare_prompt(receipt, asked.key, prompt_ids)
    if serving_node is not None and not constant_time_equal(receipt.node_id, serving_node):
        found.append(
            f"it is signed by node {node_id_text(NodeId(receipt.node_id))}, but the answer came from "
            f"{node_id_text(serving_node)}"
        )
    if asked_node is not None and not constant_time_equal(receipt.entry, asked_node):
        found.append(
            f"it says that node {node_id_text(NodeId(receipt.entry))} was asked, but it was {node_id_text(asked_node)}"
        )
    if attempt is not None and receipt.attempt != attempt:
        found.append(f"it is for attempt {receipt.attempt}, not {attempt}")
    return found


def compare_request(receipt: Receipt, key: bytes, request: bytes) -> list[str]:
    """Differences to a request without secrets (see :func:`request_without_secrets`), in plain words."""
    return _compare_request(receipt, _decoded(request), commit(key, b"request", request))


def _compare_request(receipt: Receipt, asked: Request, commitment: bytes) -> list[str]:
    found = []
    if not constant_time_equal(commitment, receipt.request_commitment):
        found.append("it is about another request (messages, settings or time of sealing differ)")
    if not constant_time_equal(receipt.request_id, asked.request_id):
        found.append("its request id is another one")
    if receipt.model_id != asked.model_id or not constant_time_equal(receipt.model_digest, asked.model_digest):
        found.append(f"it names the model {printable(receipt.model_id)}, which is not exactly the one that was asked")
    if receipt.sampler != SAMPLER:
        found.append(f"it names the sampler {printable(receipt.sampler)}, not {SAMPLER}")
    if receipt.seed != asked.sampling.seed:
        found.append("it names another seed than the request")
    if receipt.first != len(asked.continue_tokens):
        found.append(f"it begins at token {receipt.first}, the request at {len(asked.continue_tokens)}")
    if receipt.last - receipt.first > asked.max_tokens:
        found.append(f"it covers more tokens than the {asked.max_tokens} that the request allows")
    return found


def compare_output(receipt: Receipt, key: bytes, output_ids: Sequence[int], first: int) -> list[str]:
    """Differences to the tokens that arrived from position ``first`` on, in plain words."""
    count = receipt.last - receipt.first
    if receipt.first != first:
        return [f"it begins at token {receipt.first}, the answer's part at {first}"]
    if count > len(output_ids):
        return [f"it covers {count} tokens, but only {len(output_ids)} arrived"]
    if receipt.final and count < len(output_ids):
        return [f"it covers {count} tokens, but {len(output_ids)} arrived"]
    if not constant_time_equal(commit(key, b"output", token_bytes(output_ids[:count])), receipt.output_commitment):
        return ["the tokens of the answer are not those that were signed"]
    return []


def compare_prompt(receipt: Receipt, key: bytes, prompt_ids: Sequence[int]) -> list[str]:
    """Differences to the prompt's token ids, in plain words."""
    if receipt.prompt_tokens != len(prompt_ids):
        return [f"it counts {receipt.prompt_tokens} prompt tokens, but there are {len(prompt_ids)}"]
    if not constant_time_equal(commit(key, b"prompt", token_bytes(prompt_ids)), receipt.prompt_commitment):
        return ["the tokens of the prompt are not those that were signed"]
    return []


def is_before_request(issued: int, sealed_at: float) -> bool:
    """Whether a receipt's date says that the node signed before it was asked."""
    return issued < int(sealed_at - DATE_BEHIND)


def is_ahead(issued: int, now: float) -> bool:
    """Whether a receipt's date lies in the future."""
    return issued > now + DATE_AHEAD


def printable(text: str) -> str:
    """Text from a stranger, without control characters, for a message or a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
