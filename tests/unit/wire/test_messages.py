"""Golden vectors: the bytes of every message type, and what may not change about the numbers."""

import json

import pytest

from engine.errors import WireError
from engine.wire.codec import MAX_LINK_MESSAGE, Decoder, encode
from engine.wire.link import Ping, link_decoder
from tests.support.wire_messages import VECTORS, decoders, example, message_types, modules, tag_of, vectors

TYPES = message_types()
GOLDEN = json.loads(VECTORS.read_text())
RANGES = {
    "link": (1, 19),
    "circuit": (20, 29),
    "records": (30, 49),
    "signaling": (50, 69),
    "answer": (70, 99),
    "group": (100, 106),
    "forward": (107, 113),
    "signed": (120, 120),
    "challenges": (121, 164),
    "blocks": (129, 155),
    "receipts": (141, 154),
    "manifests": (165, 168),
}


def test_every_message_type_has_a_vector_and_no_vector_lacks_its_type() -> None:
    assert set(GOLDEN) == set(TYPES), "python -m tests.support.wire_messages writes the vectors anew"
    assert len(TYPES) > 50


@pytest.mark.parametrize("name", sorted(TYPES))
def test_bytes_are_those_of_the_vector(name: str) -> None:
    kind, golden = TYPES[name], GOLDEN[name]
    assert golden["tag"] == tag_of(kind)
    assert encode(example(kind)).hex() == golden["hex"], "the layout of this message changed: is the version raised?"
    assert Decoder(kind, 1 << 20).decode(bytes.fromhex(golden["hex"])) == example(kind)


def test_vectors_are_written_by_the_same_code() -> None:
    assert vectors() == GOLDEN


def test_numbers_are_unique_and_in_the_range_of_their_module() -> None:
    tags = [tag_of(kind) for kind in TYPES.values()]
    assert len(set(tags)) == len(tags)
    for kind in TYPES.values():
        low, high = RANGES[kind.__module__.rsplit(".", 1)[-1]]
        assert low <= tag_of(kind) <= high, kind
    assert {module.__name__.rsplit(".", 1)[-1] for module in modules()} == {*RANGES, "codec"}


def test_every_message_is_frozen_and_refuses_unknown_fields() -> None:
    for kind in TYPES.values():
        assert kind.__struct_config__.frozen, kind
        assert kind.__struct_config__.array_like, kind
        assert kind.__struct_config__.forbid_unknown_fields, kind


def test_every_message_has_a_decoder_or_is_part_of_a_message_that_has_one() -> None:
    readable = "".join(repr(decoder._decoder.type) for decoder in decoders().values())
    parts = {"Parameters", "OnionKey", "SealKey", "ServedModel", "Listing", "Expulsion", "ChatMessage", "Sampling"}
    parts |= {"Tokens", "TokenProbability", "Stage", "Checkpoint", "Finished", "Failed", "AnswerStyle", "DeltaStep"}
    parts |= {"GroupLoad", "SignedStatement", "ManifestFile"}
    parts |= {"ChallengeTurn", "Score", "BlockEntry", "Unjudged", "Certificate", "NodeStanding", "SpeedMeasured"}
    parts |= {"Transcript"}  # only its digest is ever sent
    for name in set(TYPES) - parts:
        assert f".{name}" in readable or f"'{name}'" in readable, name


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc0",
        b"\x92\x01",  # cut off
        b"\x91\x01",  # a field is missing
        b"\x93\x01\x02\x03",  # a field too many
        b"\x92\x01\x02\x00",  # trailing byte
        b"\x92\x13\x02",  # unknown number
        b"\x92\x01\xc3",  # true is not a number
        b"\x92\x01\xff",  # below the range
        b"\x92\x01\xcf\xff\xff\xff\xff\xff\xff\xff\xff",  # above the range
        b"\x92\x01\xca\x3f\x80\x00\x00",  # 1.0 is not an integer
        b"\x82\x01\x02\x03\x04",  # a map
    ],
)
def test_what_is_not_a_message_is_a_wire_error(data: bytes) -> None:
    with pytest.raises(WireError):
        link_decoder.decode(data)


def test_a_message_over_the_limit_is_refused_unread() -> None:
    link_decoder.decode(encode(Ping(sent_us=1)))
    with pytest.raises(WireError, match="longer than"):
        link_decoder.decode(bytes(MAX_LINK_MESSAGE + 1))
