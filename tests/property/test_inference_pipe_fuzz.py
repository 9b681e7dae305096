"""Whatever comes out of the pipe, the reader gives a message or one of its own errors."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InferenceError
from engine.inference.pipe import (
    MAX_FRAME,
    AnswerFailed,
    Beat,
    CancelAnswer,
    Describe,
    Described,
    Event,
    Generate,
    Score,
    Scored,
    decode_from_worker,
    decode_to_worker,
    frame,
    read_frame,
)
from engine.inference.types import (
    Delta,
    Done,
    GenerationRequest,
    ModelInfo,
    PromptMessage,
    PromptShape,
    Queued,
    Started,
    TokenScores,
)
from engine.wire.answer import Sampling

INFO = ModelInfo(model_id="m", digest=b"d", tokenizer_digest=b"t", context_length=1, slots=1)
FROM_WORKER = [
    Event(1, Queued(2, 0.5)),
    Event(1, Started((1, 2, 3))),
    Event(1, Delta((4,), "é")),
    Event(1, Done("stop", 3, 1)),
    AnswerFailed(1, "overloaded", "later"),
    Beat("idle", 0.0, (INFO,)),
    Described(1),
    Described(2, PromptShape(70, 64, (b"a" * 32, b"b" * 32))),
    Scored(3, TokenScores((1, 2), (0.0, 20.0), (-0.5, -9999.0), "constraint")),
]
REQUEST = GenerationRequest(model_id="m", messages=(PromptMessage("user", "x"),), sampling=Sampling(seed=1))


@pytest.mark.parametrize("message", FROM_WORKER)
def test_events_survive_the_pipe(message):
    assert decode_from_worker(read_frame(io.BytesIO(frame(message)).read)) == message


def test_requests_survive_the_pipe():
    for message in (Generate(7, REQUEST), Describe(8, REQUEST), Score(9, REQUEST, (5, 6)), CancelAnswer(7)):
        assert decode_to_worker(read_frame(io.BytesIO(frame(message)).read)) == message


@given(data=st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_anything_else_is_an_error_of_ours(data):
    stream = io.BytesIO(data)
    try:
        while (content := read_frame(stream.read)) is not None:
            decode_from_worker(content)
    except InferenceError:
        return
    assert stream.read() == b""


@given(message=st.sampled_from(FROM_WORKER), cut=st.integers(0, 60), change=st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_damaged_messages_are_errors_or_messages(message, cut, change):
    data = bytearray(frame(message))
    data[4 + cut % (len(data) - 4)] = change
    try:
        decode_from_worker(bytes(data[4:]))
    except InferenceError:
        return


def test_frames_are_bounded_both_ways():
    with pytest.raises(InferenceError, match="longer"):
        read_frame(io.BytesIO((MAX_FRAME + 1).to_bytes(4, "big")).read)
    with pytest.raises(InferenceError, match="longer"):
        frame(AnswerFailed(1, "x", "y" * (MAX_FRAME + 1)))


def test_a_cut_off_frame_is_the_end():
    data = frame(CancelAnswer(7))
    assert read_frame(io.BytesIO(data[:-1]).read) is None
    assert read_frame(io.BytesIO(data[:2]).read) is None
