"""Whatever is brought or read, only the errors that are meant come back."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from engine.errors import VerificationError
from engine.verification.batches import check_batch, check_confirmation, check_opening, make_batch
from engine.verification.chain.chain_file import MAGIC, Kind, part, parts
from engine.verification.contradictions import check_contradiction
from engine.wire.receipts import Contradiction, LeafOpening
from engine.wire.signed import SignedRecord
from tests.support.receipts import NETWORK, NODE, signed
from tests.support.records import genesis

BATCH = make_batch(NODE, NETWORK, 3, [b"d" * 32], 1, b"s" * 32)
RECEIPT = signed()[1]
KEYS = st.sampled_from([NODE.public_key, bytes(32), b"\x01" + bytes(31)])
RECORDS = st.one_of(
    st.binary(max_size=300),
    st.tuples(st.sampled_from([BATCH.record, RECEIPT]), st.integers(0, 200), st.binary(max_size=3)).map(
        lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] + len(cut[2]) :]
    ),
)
SIGNED = st.builds(
    SignedRecord, RECORDS, KEYS, st.one_of(st.just(BATCH.signature), st.binary(min_size=64, max_size=64))
)


@given(SIGNED, SIGNED)
def test_forgeries_are_refused_with_a_reason(first: SignedRecord, second: SignedRecord) -> None:
    for check in (
        lambda: check_batch(first, NETWORK),
        lambda: check_confirmation(first, genesis(), NODE.node_id, second.record),
        lambda: check_contradiction(Contradiction(first, second), NETWORK),
        lambda: check_opening(LeafOpening(b"b" * 32, first.record, second.signature, 0, ()), BATCH.record, b"d" * 32),
    ):
        try:
            check()
        except VerificationError:
            continue
        assert first == BATCH, "something that nobody signed was believed"


@given(st.lists(st.tuples(st.sampled_from(list(Kind)), st.binary(max_size=50)), max_size=6), st.data())
def test_a_chain_file_is_read_as_written_or_refused(written: list[tuple[Kind, bytes]], data: st.DataObject) -> None:
    whole = MAGIC + b"".join(part(kind, content) for kind, content in written)
    assert list(parts(io.BytesIO(whole).read)) == written
    cut = data.draw(st.integers(0, len(whole)))
    changed = whole[:cut] + data.draw(st.binary(max_size=8))
    try:
        found = list(parts(io.BytesIO(changed).read))
    except VerificationError:
        return
    assert b"".join(part(kind, content) for kind, content in found) == changed[len(MAGIC) :]
