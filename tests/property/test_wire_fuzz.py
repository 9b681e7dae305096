"""No bytes make a decoder raise anything but WireError, hang, or take memory; valid messages survive the way."""

import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import WireError
from engine.wire.codec import Decoder, encode
from tests.support.wire_messages import decoders, equal, example, message_types, messages

TYPES = message_types()
DECODERS = decoders()
FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])

BOMBS = {
    "array of 2^32-1": b"\xdd\xff\xff\xff\xff",
    "array of 2^31-1": b"\xdd\x7f\xff\xff\xff",
    "array of 2^16-1": b"\xdc\xff\xff",
    "bytes of 2^32-1": b"\xc6\xff\xff\xff\xff",
    "text of 2^32-1": b"\xdb\xff\xff\xff\xff",
    "map of 2^32-1": b"\xdf\xff\xff\xff\xff",
    "extension of 2^32-1": b"\xc9\xff\xff\xff\xff\x01",
    "nested arrays": b"\x91" * 16_000,
    "nested large arrays": b"\xdd\x00\x0f\xff\xff" * 3_000,
    "nested maps": b"\x81\x01" * 8_000,
}


def read(decoder: Decoder[Any], data: bytes) -> Any:
    """The message, or None when it is refused as it should be. Any other exception fails the test."""
    try:
        return decoder.decode(data)
    except WireError:
        return None


@FUZZ
@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_messages_or_wire_errors(data: bytes) -> None:
    for decoder in DECODERS.values():
        message = read(decoder, data)
        if message is not None:
            assert decoder.decode(encode(message)) == message


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid message of some type, with a few bytes changed, removed, inserted or taken from another."""
    kind = TYPES[draw(st.sampled_from(sorted(TYPES)))]
    data = bytearray(encode(draw(messages(kind))))
    for _ in range(draw(st.integers(1, 4))):
        position = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 4)):
            case 0:
                data[position : position + 1] = draw(st.binary(min_size=1, max_size=1))
            case 1:
                del data[position : position + draw(st.integers(1, 8))]
            case 2:
                data[position:position] = draw(st.sampled_from(sorted(BOMBS.values(), key=len)[:8]))
            case 3:
                data[position:position] = draw(st.binary(max_size=16))
            case _:
                data[position:] = encode(example(TYPES[draw(st.sampled_from(sorted(TYPES)))]))
    return bytes(data)


@FUZZ
@given(mutated())
def test_mutated_messages_are_messages_or_wire_errors(data: bytes) -> None:
    for decoder in DECODERS.values():
        message = read(decoder, data)
        if message is not None:
            assert decoder.decode(encode(message)) == message


@pytest.mark.parametrize("name", sorted(TYPES))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_valid_messages_survive_the_way(name: str, data: st.DataObject) -> None:
    message = data.draw(messages(TYPES[name]))
    encoded = encode(message)
    decoder: Decoder[Any] = Decoder(TYPES[name], 1 << 24)
    assert equal(decoder.decode(encoded), message)
    assert read(decoder, encoded + b"\x00") is None
    assert read(decoder, encoded[:-1]) is None


def _positions(data: bytes) -> list[int]:
    return sorted({0, *range(1, min(len(data), 40)), len(data)})


@pytest.mark.parametrize("bomb", sorted(BOMBS))
def test_declared_lengths_take_no_memory_and_no_time(bomb: str) -> None:
    """At every place of an example of every type; decoders know their types, so nothing is allocated on trust."""
    started = time.perf_counter()
    tracemalloc.start()
    try:
        for kind in TYPES.values():
            encoded = encode(example(kind))
            decoder: Decoder[Any] = Decoder(kind, 1 << 27)
            for position in _positions(encoded):
                read(decoder, encoded[:position] + BOMBS[bomb])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * 1024 * 1024
    assert time.perf_counter() - started < 20


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_bombs_at_every_decoder(name: str) -> None:
    for bomb in BOMBS.values():
        assert read(DECODERS[name], bomb) is None
        assert read(DECODERS[name], b"\x92" + bomb) is None


def test_texts_that_are_not_unicode_are_refused() -> None:
    close = encode(TYPES["CloseLink"](reason="abcd"))
    for bad in (b"\xff\xfe\xfd\xfc", b"\xed\xa0\x80a", b"\xf4\x90\x80\x80", b"ab\xc3("):
        assert read(DECODERS["link_decoder"], close.replace(b"abcd", bad)) is None
