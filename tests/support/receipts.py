"""A small request, and receipts of answers to it, for the tests of receipts.

``python -m tests.support.receipts`` writes the golden vectors anew.
"""

import json
from pathlib import Path
from typing import Any

from engine.crypto.identity import Identity
from engine.verification.receipt_file import ReceiptPart, export_receipt
from engine.verification.receipts import (
    CommittedRequest,
    Served,
    make_receipt,
    receipt_key,
    request_without_secrets,
    sign_receipt,
)
from engine.wire.answer import ChatMessage, Receipt, Request, Sampling
from engine.wire.codec import encode

VECTORS = Path(__file__).parents[1] / "vectors" / "receipt.json"
NETWORK = bytes(range(32))
NODE = Identity.from_seed(b"\x11" * 32)
OTHER_NODE = Identity.from_seed(b"\x22" * 32)
ANSWER_SECRET = b"answer-secret-answer-secret-1234"
CLOVE_SECRET = b"clove-secret-clove-secret-123456"
CACHE_SALT = b"cache-salt-cache-salt-cache-salt"
PROMPT_IDS = (1, 20, 300, 4000)
OUTPUT_IDS = (5, 6, 70_000, 8, 9)


def make_request(**changes: Any) -> bytes:
    """An encoded request; every field can be changed."""
    fields: dict[str, Any] = {
        "version": 1,
        "request_id": b"r" * 16,
        "sealed_at": 1_750_000_000.5,
        "answer_secret": ANSWER_SECRET,
        "clove_secrets": (CLOVE_SECRET,) * 4,
        "n": 4,
        "k": 3,
        "model_id": "gentorrent/help",
        "model_digest": b"m" * 32,
        "messages": (ChatMessage(role="user", content="Who was Ada Lovelace?"),),
        "sampling": Sampling(seed=42, temperature=0.7),
        "max_tokens": 100,
        "min_tokens": 0,
        "stop": (),
        "cache_salt": CACHE_SALT,
    }
    return encode(Request(**(fields | changes)))


def served(**changes: Any) -> Served:
    """What the node did for :func:`make_request`."""
    fields: dict[str, Any] = {
        "request": make_request(),
        "attempt": 1,
        "final": True,
        "first": 0,
        "prompt_ids": PROMPT_IDS,
        "output_ids": OUTPUT_IDS,
        "tokenizer_digest": b"t" * 32,
        "ttft_ms": 120.0,
        "total_ms": 800.0,
        "issued": 1_750_000_002,
    }
    fields |= changes
    return Served(**(fields | {"request": CommittedRequest(fields["request"])}))


def signed(identity: Identity = NODE, **changes: Any) -> tuple[Receipt, bytes, bytes]:
    """Receipt, record and signature."""
    receipt = make_receipt(identity, NETWORK, served(**changes))
    return receipt, *sign_receipt(identity, receipt)


def part(identity: Identity = NODE, shown: bool = True, **changes: Any) -> ReceiptPart:
    """A part of a receipt file, with all or nothing shown."""
    _, record, signature = signed(identity, **changes)
    work = served(**changes)
    if not shown:
        return ReceiptPart(record=record, signature=signature, key=receipt_key(ANSWER_SECRET))
    return ReceiptPart(
        record=record,
        signature=signature,
        key=receipt_key(ANSWER_SECRET),
        request=changes.get("request", make_request()),
        prompt_ids=work.prompt_ids,
        output_ids=work.output_ids,
    )


def vectors() -> dict[str, Any]:
    """Everything in the file of golden vectors."""
    request = make_request()
    _, record, signature = signed(request=request)
    return {
        "request": request.hex(),
        "committed_request": request_without_secrets(request).hex(),
        "receipt_key": receipt_key(ANSWER_SECRET).hex(),
        "record": record.hex(),
        "signature": signature.hex(),
        "file": export_receipt(NETWORK, (part(),)),
    }


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(vectors(), indent=1) + "\n", encoding="utf-8")
