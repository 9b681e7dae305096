"""More work, less speed, less cache, a longer way: never a sooner answer."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.forwarding.policies.interface import Asked
from engine.forwarding.prediction import predict
from tests.support.forwarding import member

members = st.builds(
    lambda **values: member(1, **values),
    queue_tokens=st.integers(0, 100_000),
    waiting=st.integers(0, 20),
    running=st.integers(0, 16),
    output_tokens=st.integers(0, 20_000),
    context_tokens=st.integers(0, 90_000),
    kv_free=st.integers(0, 100_000),
    prefill_rate=st.floats(100, 20_000),
    decode_rate=st.floats(20, 2000),
    decode_rate_alone=st.floats(10, 100),
    round_trip=st.floats(0, 1),
    trust=st.floats(0.01, 1),
    sent_tokens=st.integers(0, 10_000),
    heard=st.floats(90, 100),
)
ASKED = Asked(prompt_tokens=3000, output_tokens=200)


def seconds(found, cached=0):
    return predict(found, ASKED, cached, 100.0).first_token


@settings(deadline=None, max_examples=50)
@given(members, st.integers(0, 50_000))
def test_a_longer_queue_is_never_sooner(found, more):
    longer = replace(found, load=replace(found.load, queue_tokens=found.load.queue_tokens + more))
    assert seconds(longer) >= seconds(found)


@settings(deadline=None, max_examples=50)
@given(members, st.integers(0, 50_000))
def test_what_was_sent_is_never_sooner(found, more):
    assert seconds(replace(found, sent_tokens=found.sent_tokens + more)) >= seconds(found)


@settings(deadline=None, max_examples=50)
@given(members, st.integers(0, 3000), st.integers(0, 3000))
def test_more_in_the_cache_is_never_later(found, one, other):
    low, high = sorted((one, other))
    assert seconds(found, high) <= seconds(found, low)


@settings(deadline=None, max_examples=50)
@given(members, st.floats(1.0, 10.0))
def test_a_faster_reader_is_never_later(found, factor):
    faster = replace(found, load=replace(found.load, prefill_rate=found.load.prefill_rate * factor))
    assert seconds(faster) <= seconds(found) * (1 + 1e-9)


@settings(deadline=None, max_examples=50)
@given(members, st.floats(0.0, 5.0))
def test_a_longer_way_is_never_sooner(found, more):
    assert seconds(replace(found, round_trip=found.round_trip + more)) >= seconds(found)


@settings(deadline=None, max_examples=50)
@given(members, st.integers(0, 100_000))
def test_less_free_memory_is_never_sooner(found, taken):
    fuller = replace(found, load=replace(found.load, kv_free=max(found.load.kv_free - taken, 0)))
    assert seconds(fuller) >= seconds(found)


@settings(deadline=None, max_examples=50)
@given(members)
def test_an_idle_member_needs_the_way_and_the_reading(found):
    idle = replace(
        found,
        sent_tokens=0,
        load=replace(
            found.load, queue_tokens=0, waiting=0, running=0, output_tokens=0, context_tokens=0, kv_free=100_000
        ),
    )
    expected = idle.round_trip + 3000 / (idle.load.prefill_rate * idle.trust)
    assert abs(seconds(idle) - expected) < 1e-6 * expected
