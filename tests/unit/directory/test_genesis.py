"""The genesis file says what its record says, and its network id depends on every byte."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.directory.genesis import check_network_id, decode_record, from_file, parse_network_id, to_file
from engine.errors import DirectoryError
from engine.ids import NetworkId
from engine.wire.records import Parameters
from tests.support.records import genesis


def test_a_file_gives_back_what_went_in():
    made = genesis(Parameters(n=3, k=2, allow_loopback=True, descriptor_seconds=600), "Ünïted räck")
    read = from_file(to_file(made), made.network_id)
    assert read == made
    assert made.network_id == hashlib.sha256(made.record).digest()


def test_the_file_can_be_read_by_people():
    document = json.loads(to_file(genesis(name="kitchen table")))
    assert document["decoded"]["name"] == "kitchen table"
    assert document["decoded"]["parameters"]["path_length"] == 3
    assert len(document["decoded"]["server_keys"][0]) == 64


@pytest.mark.parametrize("field", ["name", "created"])
def test_a_changed_view_is_refused(field):
    document = json.loads(to_file(genesis()))
    document["decoded"][field] = "other"
    with pytest.raises(DirectoryError, match="contradicts its record"):
        from_file(json.dumps(document).encode())


def test_a_changed_record_changes_the_network():
    made = genesis()
    document = json.loads(to_file(made))
    record = bytearray(base64.b64decode(document["record"]))
    record[-40] ^= 1
    document["record"] = base64.b64encode(record).decode()
    with pytest.raises(DirectoryError):
        from_file(json.dumps(document).encode(), made.network_id)


def test_a_foreign_network_is_named():
    made = genesis()
    other = NetworkId(b"\1" * 32)
    with pytest.raises(DirectoryError, match=made.network_id.hex()):
        check_network_id(made, other)
    check_network_id(made, None)


def test_more_cloves_than_paths_are_refused():
    with pytest.raises(DirectoryError, match="k = 4 of n = 3"):
        genesis(Parameters(n=3, k=4))


@pytest.mark.parametrize("name", ["", "   ", "line\nbreak", "x" * 101])
def test_a_name_must_be_printable(name):
    with pytest.raises(DirectoryError):
        genesis(name=name)


def test_bytes_after_the_record_are_refused():
    with pytest.raises(DirectoryError):
        decode_record(genesis().record + b"\0")


@given(st.binary(max_size=300))
def test_garbage_is_refused_with_our_own_error(data):
    for read in (from_file, decode_record):
        with pytest.raises(DirectoryError):
            read(data)


@pytest.mark.parametrize("text", ["", "zz" * 32, "00" * 31, "00" * 33, " " + "00" * 32, "00 " * 32])
def test_network_ids_are_64_digits(text):
    with pytest.raises(DirectoryError):
        parse_network_id(text)
    assert parse_network_id("0a" * 32) == b"\n" * 32
