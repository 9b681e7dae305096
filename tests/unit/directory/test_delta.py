"""A delta gives exactly the bytes that were signed, or nothing."""

from __future__ import annotations

import itertools
import random
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.directory.delta import (
    DirectoryHistory,
    apply_delta,
    apply_step,
    compress,
    decompress,
    make_step,
    read_answer,
)
from engine.directory.snapshot import ChainPoint, SnapshotVerifier, sign_snapshot
from engine.errors import DirectoryError, WireError
from engine.wire.codec import encode
from engine.wire.records import DeltaStep, DirectoryDelta, Listing, SignedSnapshot
from tests.support.records import NOW, SERVER, descriptor, genesis, identity

GENESIS = genesis()
NETWORK = GENESIS.network_id
DESCRIPTORS = [[descriptor(identity(number), NETWORK, NOW + age) for age in range(3)] for number in range(12)]


def listing(number: int, age: int, last_seen: int) -> Listing:
    return Listing(DESCRIPTORS[number][age], f"10.{number}.0.0/16", int(NOW), int(NOW) + last_seen, 0.0, 0.5)


def snapshots(states: list[dict[int, tuple[int, int]]]) -> list[SignedSnapshot]:
    """One snapshot for each state: who is listed, with the age of its descriptor and when it was last seen."""
    point, made = ChainPoint(), []
    for number, state in enumerate(states):
        listings = [listing(name, *values) for name, values in state.items()]
        listings.sort(key=lambda one: one.descriptor.key)
        signed, point = sign_snapshot(SERVER, NETWORK, point, NOW + number, tuple(listings))
        made.append(signed)
    return made


def history_of(made: list[SignedSnapshot]) -> DirectoryHistory:
    history = DirectoryHistory()
    for signed in made:
        newest = history.newest
        history.append(signed, None if newest is None else make_step(newest.record, signed.record))
    return history


def full(age: int = 0) -> dict[int, tuple[int, int]]:
    return dict.fromkeys(range(12), (age, 0))


STATES = st.lists(
    st.dictionaries(st.integers(0, 11), st.tuples(st.integers(0, 2), st.integers(0, 1000))), min_size=2, max_size=5
)


@given(STATES)
def test_every_way_to_the_newest_gives_its_bytes(states):
    made = snapshots(states)
    history = history_of(made)
    for held in made[:-1]:
        answer = read_answer(history.answer(_digest(held)))
        if isinstance(answer, DirectoryDelta):
            answer = apply_delta(answer, held)
        assert answer == made[-1]
        SnapshotVerifier(GENESIS).accept(answer, NOW + 10)


def _digest(signed: SignedSnapshot) -> bytes:
    return make_step(signed.record, signed.record).base


@given(st.binary(max_size=200), st.binary(max_size=200), st.lists(st.tuples(*[st.integers(0, 250)] * 3), max_size=5))
def test_no_step_gives_other_bytes_than_it_names(old, fresh, runs):
    step = DeltaStep(base=bytes(32), digest=bytes(32), runs=tuple(runs), fresh=fresh)
    with pytest.raises(DirectoryError):
        apply_step(step, old)


def test_little_is_sent_when_little_has_changed():
    made = snapshots([full(), {**full(), 3: (1, 0)}])
    history = history_of(made)
    answer = read_answer(history.answer(_digest(made[0])))
    assert isinstance(answer, DirectoryDelta)
    assert sum(len(step.fresh) for step in answer.steps) < 500 < len(made[1].record) // 4
    assert len(history.answer(_digest(made[0]))) < len(history.answer(b"")) // 2


def test_who_holds_nothing_or_something_unknown_gets_the_whole():
    made = snapshots([full(), full(1)])
    history = history_of(made)
    assert read_answer(history.answer(b"")) == made[1]
    assert read_answer(history.answer(b"x" * 32)) == made[1]


def test_the_history_is_bounded():
    states = [{**full(), 0: (0, number)} for number in range(400)]
    history = history_of(snapshots(states))
    known = list(history.known())
    assert history.newest is not None
    assert 0 < len(known) <= 256
    answers = [read_answer(history.answer(digest)) for digest in known[:1]]
    assert all(len(encode(answer)) <= len(history.newest.record) for answer in answers)


def test_every_flipped_bit_of_a_delta_is_noticed():
    made = snapshots([full(), {**full(), 3: (1, 0), 5: (2, 7)}])
    history = history_of(made)
    answer = read_answer(history.answer(_digest(made[0])))
    data = encode(answer)
    source = random.Random(1)
    for _ in range(300):
        changed = bytearray(data)
        changed[source.randrange(len(data))] ^= 1 << source.randrange(8)
        try:
            read = read_answer(zlib.compress(bytes(changed)))
            assert isinstance(read, DirectoryDelta)
            SnapshotVerifier(GENESIS).accept(apply_delta(read, made[0]), NOW + 10)
        except (DirectoryError, WireError):
            continue
        pytest.fail("an altered delta was accepted")


def test_a_delta_for_another_directory_is_refused():
    made = snapshots([full(), full(1), full(2)])
    history = DirectoryHistory()
    history.append(made[1])
    history.append(made[2], make_step(made[1].record, made[2].record))
    delta = DirectoryDelta(
        steps=(make_step(made[1].record, made[2].record),), key=made[2].key, signature=made[2].signature
    )
    with pytest.raises(DirectoryError, match="another directory"):
        apply_delta(delta, made[0])


def test_a_bomb_is_never_unpacked():
    bomb = zlib.compress(bytes(200 * 1024 * 1024), 9)
    assert len(bomb) < 250_000
    with pytest.raises(WireError, match="more than"):
        read_answer(bomb)
    with pytest.raises(WireError, match="more than"):
        decompress(zlib.compress(b"12345"), 4)
    assert decompress(zlib.compress(b"12345"), 5) == b"12345"


def test_a_delta_of_countless_runs_is_not_decoded():
    """60 kB that would become a gigabyte of numbers."""
    step = DeltaStep(base=bytes(32), digest=bytes(32), runs=((0, 0, 0),) * 100_000, fresh=b"")
    bomb = compress(DirectoryDelta(steps=(step,) * 20, key=bytes(32), signature=bytes(64)))
    assert len(bomb) < 60_000
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            read_answer(bomb, 1_000_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40_000_000
    assert len(read_answer(bomb, 20_000_000).steps) == 20, "who holds a large directory may get large changes"


def test_a_step_that_would_make_too_much_is_refused():
    step = DeltaStep(base=bytes(32), digest=bytes(32), runs=((0, 2**32 - 1, 0),), fresh=b"")
    with pytest.raises(DirectoryError, match="contradicts"):
        apply_step(step, b"x")


@pytest.mark.parametrize("data", [b"", b"garbage", zlib.compress(b"garbage"), zlib.compress(b"x")[:-2]])
def test_what_is_no_answer_is_refused(data):
    with pytest.raises(WireError):
        read_answer(data)


def test_nothing_may_follow_the_stream():
    made = snapshots([full()])[0]
    assert read_answer(compress(made)) == made
    with pytest.raises(WireError, match="followed"):
        read_answer(compress(made) + b"x")
    with pytest.raises(WireError, match="cut short"):
        read_answer(compress(made)[:-1])


def test_a_listing_keeps_its_bytes_in_a_delta_whatever_else_changes():
    """The step finds a listing by its key, wherever others come and go."""
    states = [full(), dict.fromkeys(range(0, 12, 2), (0, 0)), full()]
    made = snapshots(states)
    for old, new in itertools.pairwise(made):
        assert apply_step(make_step(old.record, new.record), old.record) == new.record
    shrink = make_step(made[0].record, made[1].record)
    assert len(shrink.fresh) < 200
