"""Receipts: an honest one passes; every way in which one can be wrong is found and named."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.crypto.identity import Identity, node_id_of
from engine.errors import ReceiptError
from engine.verification import receipts
from engine.verification.receipts import (
    CommittedRequest,
    check_receipt,
    commit,
    make_receipt,
    printable,
    receipt_key,
    request_without_secrets,
    sign_receipt,
    token_bytes,
    verify_against,
)
from engine.wire.answer import ChatMessage, Receipt, Sampling, request_decoder
from engine.wire.codec import encode
from tests.support.receipts import (
    ANSWER_SECRET,
    CACHE_SALT,
    CLOVE_SECRET,
    NETWORK,
    NODE,
    OTHER_NODE,
    OUTPUT_IDS,
    PROMPT_IDS,
    make_request,
    served,
    signed,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "receipt.json"


def mismatches(receipt: Receipt, **changes: Any) -> list[str]:
    known: dict[str, Any] = {
        "asked": CommittedRequest(make_request()),
        "output_ids": OUTPUT_IDS,
        "first": 0,
        "prompt_ids": PROMPT_IDS,
        "serving_node": NODE.node_id,
        "attempt": 1,
    }
    return verify_against(receipt, **(known | changes))


def altered(receipt: Receipt, **changes: Any) -> Receipt:
    return msgspec.structs.replace(receipt, **changes)


def test_an_honest_receipt_passes() -> None:
    receipt, record, signature = signed()
    assert check_receipt(record, signature, NETWORK) == receipt
    assert mismatches(receipt) == []
    assert (receipt.first, receipt.last, receipt.completion_tokens, receipt.prompt_tokens) == (0, 5, 5, 4)
    assert (receipt.model_id, receipt.seed, receipt.sampler) == ("gentorrent/help", 42, "gumbel-1")


def test_golden_receipt() -> None:
    golden = json.loads(VECTORS.read_text())
    request = bytes.fromhex(golden["request"])
    receipt, record, signature = signed(request=request)
    assert make_request() == request
    assert request_without_secrets(request).hex() == golden["committed_request"]
    assert receipt_key(ANSWER_SECRET).hex() == golden["receipt_key"]
    assert record.hex() == golden["record"]
    assert signature.hex() == golden["signature"]
    assert check_receipt(bytes.fromhex(golden["record"]), bytes.fromhex(golden["signature"]), NETWORK) == receipt


def test_commitments_are_as_documented() -> None:
    key = receipt_key(ANSWER_SECRET)
    expected = hmac.new(key, b"\x06output" + b"\0\0\0\5\0\1\x11\x70", hashlib.sha256).digest()
    assert commit(key, b"output", token_bytes([5, 70_000])) == expected
    assert commit(key, b"a", b"bc") != commit(key, b"ab", b"c")
    assert token_bytes([]) == b""
    assert receipt_key(ANSWER_SECRET) != receipt_key(b"\0" + ANSWER_SECRET[1:])


def test_the_committed_request_holds_no_secret_and_everything_else() -> None:
    blank = request_without_secrets(make_request())
    for secret in (ANSWER_SECRET, CLOVE_SECRET, CACHE_SALT):
        assert secret in make_request()
        assert secret not in blank
    original, decoded = request_decoder.decode(make_request()), request_decoder.decode(blank)
    assert decoded.messages == original.messages
    assert len(decoded.clove_secrets) == 4
    differing = {field for field in original.__struct_fields__ if getattr(original, field) != getattr(decoded, field)}
    assert differing == {"answer_secret", "clove_secrets", "cache_salt"}
    assert request_without_secrets(blank) == blank


@pytest.mark.parametrize(
    "changes",
    [
        {"messages": (ChatMessage(role="user", content="Who was Ada Lovelace!"),)},
        {"messages": (ChatMessage(role="system", content="Who was Ada Lovelace?"),)},
        {"sampling": Sampling(seed=42, temperature=0.8)},
        {"max_tokens": 101},
        {"sealed_at": 1_750_000_000.25},
        {"stop": ("\n",)},
        {"may_forward": True},
        {"n": 5},
    ],
)
def test_any_other_request_is_found(changes: dict[str, Any]) -> None:
    receipt = signed(request=make_request(**changes))[0]
    assert mismatches(receipt) == ["it is about another request (messages, settings or time of sealing differ)"]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"request_id": b"R" * 16}, "request id"),
        ({"model_id": "gentorrent/other"}, "model"),
        ({"model_digest": b"M" * 32}, "model"),
        ({"sampler": "greedy"}, "sampler"),
        ({"seed": 43}, "seed"),
        ({"request_commitment": bytes(32)}, "another request"),
        ({"prompt_commitment": bytes(32)}, "tokens of the prompt"),
        ({"output_commitment": bytes(32)}, "tokens of the answer"),
        ({"prompt_tokens": 5}, "counts 5 prompt tokens"),
        ({"first": 1, "last": 6}, "begins at token 1"),
        ({"last": 6}, "only 5 arrived"),
        ({"last": 4}, "covers 4 tokens, but 5 arrived"),
        ({"last": 101}, "more tokens than the 100"),
        ({"attempt": 2}, "attempt 2"),
        ({"node_id": OTHER_NODE.node_id}, "signed by node"),
    ],
)
def test_each_field_that_lies_is_named(changes: dict[str, Any], word: str) -> None:
    found = mismatches(altered(signed()[0], **changes))
    assert any(word in sentence for sentence in found), found


@pytest.mark.parametrize("secret", [bytes(32), b"X" + ANSWER_SECRET[1:]])
def test_another_answers_secret_opens_no_commitment(secret: bytes) -> None:
    assert len(mismatches(signed()[0], asked=CommittedRequest(make_request(answer_secret=secret)))) == 3


def test_tokens_that_differ_by_one_are_found() -> None:
    receipt = signed()[0]
    for at in range(len(OUTPUT_IDS)):
        changed = (*OUTPUT_IDS[:at], OUTPUT_IDS[at] + 1, *OUTPUT_IDS[at + 1 :])
        assert mismatches(receipt, output_ids=changed) == ["the tokens of the answer are not those that were signed"]
    assert mismatches(receipt, prompt_ids=PROMPT_IDS[::-1]) == [
        "the tokens of the prompt are not those that were signed"
    ]


def test_a_checkpoint_covers_the_beginning_of_what_arrived() -> None:
    receipt, record, signature = signed(final=False, output_ids=OUTPUT_IDS[:3])
    assert check_receipt(record, signature, NETWORK).final is False
    assert mismatches(receipt) == []
    assert mismatches(receipt, output_ids=OUTPUT_IDS[:2]) == ["it covers 3 tokens, but only 2 arrived"]


def test_a_part_after_a_hand_over_begins_where_the_other_ended() -> None:
    request = make_request(continue_tokens=OUTPUT_IDS[:3])
    receipt = signed(OTHER_NODE, request=request, first=3, output_ids=OUTPUT_IDS[3:])[0]
    known = {"asked": CommittedRequest(request), "output_ids": OUTPUT_IDS[3:], "serving_node": OTHER_NODE.node_id}
    assert mismatches(receipt, first=3, **known) == []
    assert mismatches(receipt, first=2, **known) == ["it begins at token 3, the answer's part at 2"]


def test_what_the_client_does_not_know_is_not_compared() -> None:
    receipt = altered(signed()[0], prompt_commitment=bytes(32), attempt=7, node_id=OTHER_NODE.node_id)
    assert mismatches(receipt, prompt_ids=None, attempt=None, serving_node=None) == []


def test_a_request_that_is_none_is_a_receipt_error() -> None:
    with pytest.raises(ReceiptError, match="malformed"):
        CommittedRequest(b"nonsense")


# Signatures


def test_altered_records_and_signatures_are_refused() -> None:
    _, record, signature = signed()
    for position in range(len(record)):
        changed = bytearray(record)
        changed[position] ^= 1
        with pytest.raises(ReceiptError):
            check_receipt(bytes(changed), signature, NETWORK)
    for position in range(len(signature)):
        changed = bytearray(signature)
        changed[position] ^= 1
        with pytest.raises(ReceiptError, match="signature"):
            check_receipt(record, bytes(changed), NETWORK)
    for bad in (b"", record[:-1], record + b"\0", b"\xdd\xff\xff\xff\xff"):
        with pytest.raises(ReceiptError, match="malformed"):
            check_receipt(bad, signature, NETWORK)


def test_a_receipt_of_another_network_is_refused() -> None:
    _, record, signature = signed()
    with pytest.raises(ReceiptError, match="another network"):
        check_receipt(record, signature, b"\xff" * 32)


def test_a_signature_for_another_purpose_or_network_is_refused() -> None:
    _, record, _ = signed()
    for purpose, network in (("descriptor", NETWORK), ("login", NETWORK), ("receipt", bytes(32))):
        with pytest.raises(ReceiptError, match="signature"):
            check_receipt(record, NODE.sign(purpose, network, record), NETWORK)


def test_nobody_signs_in_anothers_name() -> None:
    receipt = signed()[0]
    thief = altered(receipt, node_key=OTHER_NODE.public_key)  # the victim's id, the thief's key
    with pytest.raises(ReceiptError, match="another's name"):
        check_receipt(*sign_receipt(OTHER_NODE, thief), NETWORK)
    with pytest.raises(ReceiptError, match="signature"):  # the victim's id and key, the thief's signature
        check_receipt(*sign_receipt(OTHER_NODE, receipt), NETWORK)


def test_a_key_under_which_anything_verifies_is_refused() -> None:
    key = (1).to_bytes(32, "little")
    record = encode(altered(signed()[0], node_key=key, node_id=node_id_of(key)))
    with pytest.raises(ReceiptError):
        check_receipt(record, key + bytes(32), NETWORK)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"last": 4, "first": 5}, "contradicts itself"),
        ({"completion_tokens": 4}, "contradicts itself"),
        ({"completion_tokens": 6}, "contradicts itself"),
        ({"ttft_ms": 801.0}, "first token came after the last"),
        ({"version": 2}, "version 2"),
    ],
)
def test_nonsense_is_refused_even_when_it_is_signed(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(ReceiptError, match=word):
        check_receipt(*sign_receipt(NODE, altered(signed()[0], **changes)), NETWORK)


# Secrets


def test_every_comparison_of_commitments_is_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def never(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return False

    receipt = signed()[0]
    monkeypatch.setattr(receipts, "constant_time_equal", never)
    assert len(mismatches(receipt)) == 6  # all that depends on a comparison of bytes
    for value in (receipt.request_commitment, receipt.prompt_commitment, receipt.output_commitment):
        assert value in compared


def test_a_receipt_reveals_no_secret() -> None:
    _, record, _ = signed()
    for secret in (ANSWER_SECRET, CLOVE_SECRET, CACHE_SALT, receipt_key(ANSWER_SECRET), NODE.seed, b"Ada"):
        assert secret not in record


def test_receipts_of_the_same_words_under_other_secrets_have_nothing_in_common() -> None:
    one = make_receipt(NODE, NETWORK, served())
    other = make_receipt(NODE, NETWORK, served(request=make_request(answer_secret=bytes(32))))
    for field in ("request_commitment", "prompt_commitment", "output_commitment"):
        assert getattr(one, field) != getattr(other, field)


def test_texts_of_strangers_cannot_steer_a_terminal() -> None:
    assert printable("a\x1b[31m\n\u202eb é 漢") == "a\ufffd[31m\ufffd\ufffdb é 漢"
    receipt = altered(signed()[0], model_id="\x1b]0;evil\x07")
    assert all(sentence.isprintable() for sentence in mismatches(receipt))


def test_identities_are_independent_of_the_receipts_key() -> None:
    """The receipt names its key; whoever checks must know which node he expects."""
    stranger = Identity.from_seed(b"\x33" * 32)
    receipt, record, signature = signed(stranger)
    assert check_receipt(record, signature, NETWORK) == receipt
    assert len(mismatches(receipt)) == 1
