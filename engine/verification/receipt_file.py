"""Receipts as a file that anybody can check without a network: JSON, described in docs/protocol.md.

    {"format": "gentorrent-receipt", "version": 1, "network_id": 64 hexadecimal digits,
     "parts": [{"record": base64, "signature": base64,
                "opening": null | {"key": base64, "request": base64 | null,
                                   "prompt_ids": [...] | null, "output_ids": [...] | null}}, ...]}

There is one part per node that took part in the answer, in the order of their tokens. Without an opening a part proves
only who signed which model, counts and times. The opening's ``key`` is the commitment key; whoever has it can also
guess at what is left out, which is why it stands only beside something that its owner chose to show. ``request`` holds
no secrets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from engine.crypto.identity import verify
from engine.errors import ReceiptError
from engine.ids import NodeId, node_id_text
from engine.sentences import say
from engine.verification.receipts import (
    Verify,
    check_receipt,
    compare_output,
    compare_prompt,
    compare_request,
    is_ahead,
    is_before_request,
    printable,
    request_without_secrets,
)
from engine.wire.answer import MAX_REQUEST, Receipt, Request, request_decoder

FORMAT: Literal["gentorrent-receipt"] = "gentorrent-receipt"
FORMAT_VERSION: Literal[1] = 1
MAX_FILE = 8 * 1024 * 1024
"""Bytes of one receipt file."""
MAX_PARTS = 64
MAX_TOKENS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_TEXT = (
    "The answer's words: signatures cover token numbers, which only the model's own tokenizer turns to text. "
    "Do not trust a text shown beside this file."
)
_NO_MODEL = "That the named model made these tokens: only computing them again with that model can show it."
_Tokens = Annotated[tuple[Annotated[int, Meta(ge=0, le=0x7FFF_FFFF)], ...], Meta(max_length=MAX_TOKENS)]


class _Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    key: Annotated[bytes, Meta(min_length=32, max_length=32)]
    request: Annotated[bytes, Meta(max_length=MAX_REQUEST)] | None = None
    prompt_ids: _Tokens | None = None
    output_ids: _Tokens | None = None


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    record: Annotated[bytes, Meta(max_length=4096)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]
    opening: _Opening | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: Literal["gentorrent-receipt"]
    version: Literal[1]
    network_id: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    parts: Annotated[tuple[_Part, ...], Meta(min_length=1, max_length=MAX_PARTS)]


class _Head(msgspec.Struct, frozen=True):
    """The two fields that every version of the format has."""

    format: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptPart:
    """One node's receipt with what its owner shows of it. ``key`` is ``receipt_key(answer_secret)``; ``request`` the
    bytes as they were sealed (secrets are taken out on export); ``output_ids`` exactly those that it covers."""

    record: bytes
    signature: bytes
    key: bytes
    request: bytes | None = None
    prompt_ids: Sequence[int] | None = None
    output_ids: Sequence[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartReport:
    """One verified part; None for what its owner does not show. The request's secrets are zeros."""

    receipt: Receipt
    record: bytes
    signature: bytes
    request: Request | None
    prompt_ids: tuple[int, ...] | None
    output_ids: tuple[int, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptReport:
    """A receipt file that holds. ``checked`` and ``not_checked`` are sentences for people, safe to print."""

    network_id: bytes
    parts: tuple[PartReport, ...]
    checked: tuple[str, ...]
    not_checked: tuple[str, ...]


_file_decoder = msgspec.json.Decoder(_File)
_head_decoder = msgspec.json.Decoder(_Head)


def export_receipt(network_id: bytes, parts: Sequence[ReceiptPart]) -> dict[str, Any]:
    """The file's content, ready for ``json.dumps``; :class:`ReceiptError` when it would not verify."""
    exported: dict[str, Any] = msgspec.json.decode(export_text(network_id, parts))
    return exported


def export_text(network_id: bytes, parts: Sequence[ReceiptPart], verify: Verify = verify) -> str:
    """The file; :class:`ReceiptError` when it would not verify. ``verify``: see ``check_receipt``."""
    content = _File(
        format=FORMAT,
        version=FORMAT_VERSION,
        network_id=network_id.hex(),
        parts=tuple(_Part(record=part.record, signature=part.signature, opening=_opening(part)) for part in parts),
    )
    encoded = msgspec.json.encode(content)
    verify_export(encoded, verify=verify)
    return encoded.decode()


def _opening(part: ReceiptPart) -> _Opening | None:
    if part.request is None and part.prompt_ids is None and part.output_ids is None:
        return None
    return _Opening(
        key=part.key,
        request=None if part.request is None else request_without_secrets(part.request),
        prompt_ids=None if part.prompt_ids is None else tuple(part.prompt_ids),
        output_ids=None if part.output_ids is None else tuple(part.output_ids),
    )


def without_openings(data: bytes) -> bytes:
    """The same file without anything of the question and the answer: what nodes have signed, and no key to it.
    :class:`ReceiptError` if it is none."""
    content = _parse(data)
    parts = tuple(msgspec.structs.replace(part, opening=None) for part in content.parts)
    return msgspec.json.encode(msgspec.structs.replace(content, parts=parts))


def verify_export(
    data: bytes, network_id: bytes | None = None, now: float | None = None, verify: Verify = verify
) -> ReceiptReport:
    """Check a receipt file; :class:`ReceiptError` says what is wrong with it.

    With ``network_id`` it must be of that network, else the one that the file names is believed, and that is said.
    With ``now`` (seconds since 1970) no part may be dated in the future. ``verify``: see ``check_receipt``.
    """
    content = _parse(data)
    named = bytes.fromhex(content.network_id)
    if network_id is not None and named != network_id:
        raise ReceiptError(say("sample.other_network", network=content.network_id))
    checked: list[str] = []
    not_checked: list[str] = []
    if network_id is None:
        not_checked.append(f"The network is the one that the file names: {content.network_id}.")
    parts = []
    for number, part in enumerate(content.parts, 1):
        where = f"Part {number}: " if len(content.parts) > 1 else ""
        try:
            checked_part = _check_part(part, named, where, checked, not_checked, verify)
            _check_date(checked_part, now)
            parts.append(checked_part)
        except ReceiptError as error:
            raise ReceiptError(f"{where}{error}") from error
    _check_sequence(parts, not_checked)
    not_checked.append(_NO_TEXT)
    not_checked.append(_NO_MODEL)
    return ReceiptReport(network_id=named, parts=tuple(parts), checked=tuple(checked), not_checked=tuple(not_checked))


def _parse(data: bytes) -> _File:
    if len(data) > MAX_FILE:
        raise ReceiptError(f"The file is too long for a receipt: {len(data)} bytes, at most {MAX_FILE} are allowed.")
    try:
        head = _head_decoder.decode(data)
        if head.format != FORMAT:
            raise ReceiptError("The file is not a GenTorrent receipt.")
        if head.version != FORMAT_VERSION:
            raise ReceiptError(
                f"The receipt file has version {head.version}; this program reads {FORMAT_VERSION}. An update may help."
            )
        return _file_decoder.decode(data)
    except msgspec.ValidationError as error:
        raise ReceiptError(f"The file is not a complete receipt: {printable(str(error))}.") from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ReceiptError(f"The file is cut off or damaged: {printable(str(error))}.") from error


def _check_part(
    part: _Part, network_id: bytes, where: str, checked: list[str], not_checked: list[str], verify: Verify
) -> PartReport:
    """Verify one part and say in plain words what that means."""
    receipt = check_receipt(part.record, part.signature, network_id, verify)
    checked.append(
        f"{where}Node {node_id_text(NodeId(receipt.node_id))} signed tokens {receipt.first} to {receipt.last} of an "
        f"answer by model {printable(receipt.model_id)} (content {receipt.model_digest.hex()}), seed {receipt.seed}, "
        f"after a prompt of {receipt.prompt_tokens} tokens, on {_date(receipt.issued)}."
    )
    opening = part.opening or _Opening(key=bytes(32))
    request = None
    found: list[str] = []
    if opening.request is not None:
        found += compare_request(receipt, opening.key, opening.request)
        request = request_decoder.decode(opening.request)
    if opening.prompt_ids is not None:
        found += compare_prompt(receipt, opening.key, opening.prompt_ids)
    if opening.output_ids is not None:
        if len(opening.output_ids) != receipt.completion_tokens:
            found.append(f"it covers {receipt.completion_tokens} tokens, the file shows {len(opening.output_ids)}")
        else:
            found += compare_output(receipt, opening.key, opening.output_ids, receipt.first)
    if found:
        raise ReceiptError(f"The receipt does not match what the file shows: {'; '.join(found)}.")
    shown = {
        "request (messages and settings)": opening.request,
        "prompt's tokens": opening.prompt_ids,
        "answer's tokens": opening.output_ids,
    }
    for name, value in shown.items():
        if value is None:
            not_checked.append(f"{where}The {name}: the owner of the receipt does not show them.")
        else:
            checked.append(f"{where}The {name} shown in the file are what the node signed.")
    if not receipt.final:
        not_checked.append(f"{where}Anything after token {receipt.last}: the node's signature ends there.")
    return PartReport(
        receipt=receipt,
        record=part.record,
        signature=part.signature,
        request=request,
        prompt_ids=opening.prompt_ids,
        output_ids=opening.output_ids,
    )


def _check_date(part: PartReport, now: float | None) -> None:
    """A node's date is its own word, but one at which it cannot have answered shows that the word is worth nothing."""
    issued, request = part.receipt.issued, part.request
    means = "The clock of the node that signed it was wrong, or the node would rather not be held to the answer"
    if now is not None and is_ahead(issued, now):
        raise ReceiptError(
            f"The receipt's date, {_date(issued)}, lies in the future. {means}; or the clock of this machine is behind."
        )
    if request is not None and is_before_request(issued, request.sealed_at):
        sealed = _date(int(request.sealed_at))
        raise ReceiptError(f"The receipt's date, {_date(issued)}, lies before that of its request, {sealed}. {means}.")


def _check_sequence(parts: Sequence[PartReport], not_checked: list[str]) -> None:
    """The parts must continue one another; tokens between two of them are named as unsigned."""
    if parts[0].receipt.first > 0:
        not_checked.append(f"Tokens 0 to {parts[0].receipt.first}: the file has no receipt for them.")
    for number, (one, other) in enumerate(pairwise(parts), 2):
        earlier, later = one.receipt, other.receipt
        if later.first < earlier.last or earlier.final:
            raise ReceiptError(f"Part {number}: It does not continue the part before it.")
        if later.model_digest != earlier.model_digest or later.seed != earlier.seed or not _same_question(one, other):
            raise ReceiptError(f"Part {number}: It is of another answer: its model, seed, messages or tokens differ.")
        if later.first > earlier.last:
            not_checked.append(f"Tokens {earlier.last} to {later.first}: no node signed them.")


def _same_question(one: PartReport, other: PartReport) -> bool:
    """Whether what is shown of two successive parts fits together."""
    if other.request is None:
        return True
    if one.request is not None and _asked(one.request) != _asked(other.request):
        return False
    given = other.request.continue_tokens[one.receipt.first : one.receipt.last]
    return one.output_ids is None or one.output_ids == given


def _asked(request: Request) -> tuple[object, ...]:
    """What a request puts before the model."""
    return request.messages, request.prompt, request.tools, request.template_options


def _date(seconds: int) -> str:
    """Seconds since 1970 as a date, whatever a node has signed."""
    try:
        return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S UTC")
    except OverflowError:
        return f"an impossible date ({seconds})"
