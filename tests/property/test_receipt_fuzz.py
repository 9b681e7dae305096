"""No bytes make the receipt checks raise anything but ReceiptError, and no altered file proves something else."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ReceiptError
from engine.verification.receipt_file import ReceiptReport, export_receipt, verify_export
from engine.verification.receipts import check_receipt
from tests.support.receipts import NETWORK, part, signed

FILE = json.dumps(export_receipt(NETWORK, (part(),))).encode()
REPORT = verify_export(FILE, NETWORK)
RECEIPT, RECORD, SIGNATURE = signed()
FUZZ = settings(max_examples=300, deadline=None)


def verified(data: bytes) -> ReceiptReport | None:
    try:
        return verify_export(data, NETWORK)
    except ReceiptError:
        return None


@FUZZ
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    assert verified(data) is None
    assert verified(b'{"format":"gentorrent-receipt","version":1,' + data) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


@FUZZ
@given(st.sampled_from(["network_id", "parts", "record", "signature", "opening", "key", "request", "ids"]), json_values)
def test_arbitrary_json_in_any_place_is_refused_or_proves_the_same(place: str, value: object) -> None:
    content = json.loads(FILE)
    for holder in (content, content["parts"][0], content["parts"][0]["opening"]):
        if place in holder:
            holder[place] = value
            break
    else:
        content["parts"][0]["opening"]["output_ids"] = value
    report = verified(json.dumps(content).encode())
    if report is not None:  # what is taken away is said not to be shown
        assert report.parts[0].receipt == REPORT.parts[0].receipt
        assert value is None or report == REPORT


@FUZZ
@given(st.integers(0, len(FILE) - 1), st.binary(min_size=1, max_size=4), st.integers(0, 4))
def test_altered_files_are_refused_or_prove_the_same(position: int, inserted: bytes, removed: int) -> None:
    report = verified(FILE[:position] + inserted + FILE[position + removed :])
    assert report is None or report == REPORT


@FUZZ
@given(st.integers(0, len(RECORD) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_altered_records_are_refused(position: int, inserted: bytes, removed: int) -> None:
    record = RECORD[:position] + inserted + RECORD[position + removed :]
    try:
        assert check_receipt(record, SIGNATURE, NETWORK) == RECEIPT
        assert record == RECORD
    except ReceiptError:
        assert record != RECORD
