"""What publishers sign: forged, early, expired, older and contradicting records are refused with their reason."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.crypto.identity import node_id_of
from engine.directory.manifests import (
    EVERY_NETWORK,
    MANIFEST,
    MAX_LIFE_SECONDS,
    check_record,
    check_replaces,
    fingerprint_of,
    make_withdrawal,
    read_record,
    sign_record,
)
from engine.errors import ManifestError
from engine.ids import is_fingerprint, is_published, is_published_name, is_publishers, node_id_text
from engine.sentences import said_by
from engine.wire.codec import encode
from engine.wire.records import Signed, signed_decoder
from tests.support.manifests import DAY, LAB, NOW, OTHER, VECTOR, golden, manifest, published, signed


def refusal(record: Signed, now: float = NOW + 60) -> str:
    with pytest.raises(ManifestError) as told:
        check_record(record, now)
    said = told.value.args[0]
    assert said_by(told.value) == str(said)
    return said.parts[0].code


def test_the_id_of_a_model_carries_its_publisher() -> None:
    checked = check_record(signed(), NOW + 60)
    assert checked.fingerprint == node_id_text(node_id_of(LAB.public_key))
    assert checked.model_id == f"{checked.fingerprint}/our-model-1b"
    assert is_published(checked.model_id)
    assert check_record(signed(OTHER), NOW + 60).model_id != checked.model_id


def test_golden_bytes() -> None:
    """Signed manifests and withdrawals of a fixed key, byte for byte."""
    stored = json.loads(VECTOR.read_text())
    assert golden() == stored
    for name in ("manifest", "withdrawal"):
        read_record(signed_decoder.decode(bytes.fromhex(stored[name])))


def test_forged_records() -> None:
    good = signed()
    assert refusal(msgspec.structs.replace(good, signature=bytes(64))) == "manifest.forged"
    assert refusal(msgspec.structs.replace(good, key=OTHER.public_key)) == "manifest.forged"
    assert refusal(sign_record(OTHER, manifest(LAB))) == "manifest.forged"
    changed = encode(manifest(licence="mit"))
    assert refusal(msgspec.structs.replace(good, record=changed)) == "manifest.forged"


def test_a_signature_for_something_else_is_none_for_a_manifest() -> None:
    record = encode(manifest())
    for purpose, network in (("model-withdrawal", EVERY_NETWORK), ("descriptor", EVERY_NETWORK), (MANIFEST, b"n" * 32)):
        forged = Signed(record=record, key=LAB.public_key, signature=LAB.sign(purpose, network, record))
        assert refusal(forged) == "manifest.forged"


@pytest.mark.parametrize(
    "changes",
    [
        {"suite": 2},
        {"version": 0},
        {"name": "../../etc"},
        {"name": "Our-Model"},
        {"name": "a/b"},
        {"name": "ends-with-."},
        {"publisher": "two\nlines"},
        {"publisher": "turned \u202e round"},
        {"publisher": "   "},
        {"expires": NOW},
        {"expires": NOW + MAX_LIFE_SECONDS + 1},
        {"created": 1 << 52, "expires": (1 << 52) + 60},
    ],
)
def test_what_no_publisher_may_say(changes: dict[str, object]) -> None:
    assert refusal(signed(**changes)) == "manifest.damaged"


def test_times() -> None:
    assert refusal(signed(), NOW - 500) == "manifest.early"
    check_record(signed(), NOW - 100)  # clocks differ a little
    assert refusal(signed(), NOW + 30 * DAY) == "manifest.expired"


def test_only_newer_versions_of_the_same_key_replace() -> None:
    second, third = published(version=2), published(version=3)
    assert check_replaces(second, None)
    assert check_replaces(third, second)
    assert not check_replaces(second, published(version=2))
    for old, code in ((third, "manifest.old"), (published(version=2, note="another"), "manifest.conflict")):
        with pytest.raises(ManifestError) as told:
            check_replaces(second, old)
        assert told.value.args[0].parts[0].code == code


def test_a_withdrawal_outlives_what_it_takes_back() -> None:
    taken = read_record(make_withdrawal(LAB, "A Small Lab", "our-model-1b", 2, NOW + DAY))
    assert taken.manifest is None
    assert check_replaces(taken, published())
    longest = published(expires=NOW + MAX_LIFE_SECONDS)
    assert taken.record.expires > longest.record.expires
    with pytest.raises(ManifestError):
        check_replaces(longest, taken)


def test_what_looks_like_a_publishers_id() -> None:
    fingerprint = fingerprint_of(LAB.public_key)
    assert is_fingerprint(fingerprint)
    assert is_published_name("a")
    assert not is_published_name("-a")
    for almost in (
        f"{fingerprint}/our-model:q4",
        f"{fingerprint.upper()}/our-model",
        f"{fingerprint}/",
        f"{fingerprint}/A",
    ):
        assert is_publishers(almost)
        assert not is_published(almost)
    assert not is_publishers("gentorrent-builtin")
    assert not is_publishers("onnx-community/Llama-3.2-1B")


@given(st.data())
def test_no_change_of_a_byte_passes(data: st.DataObject) -> None:
    good = encode(signed())
    at = data.draw(st.integers(0, len(good) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda byte: byte != good[at]))
    changed = good[:at] + bytes([value]) + good[at + 1 :]
    try:
        record = signed_decoder.decode(changed)
    except Exception:  # not even a signed record
        return
    with pytest.raises(ManifestError):
        check_record(record, NOW + 60)


@given(st.binary(max_size=400))
def test_garbage_under_a_good_signature_is_refused(data: bytes) -> None:
    record = Signed(record=data, key=LAB.public_key, signature=LAB.sign(MANIFEST, EVERY_NETWORK, data))
    with pytest.raises(ManifestError):
        check_record(record, NOW)
