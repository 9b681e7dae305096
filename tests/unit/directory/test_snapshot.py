"""Nobody is shown an old, forged or second directory."""

from __future__ import annotations

import msgspec
import pytest

from engine.crypto.identity import Identity
from engine.directory.marks import BELIEVED_ALWAYS, AwayMarks, check_mark, sign_mark
from engine.directory.snapshot import (
    ChainPoint,
    SnapshotVerifier,
    sign_snapshot,
)
from engine.errors import DirectoryError
from engine.wire.records import AwayMark, Listing, SignedSnapshot
from tests.support.records import NOW, SERVER, descriptor, genesis, identity

GENESIS = genesis()
NETWORK = GENESIS.network_id


def listing(number: int, **changes) -> Listing:
    signed = descriptor(identity(number), NETWORK)
    made = Listing(signed, f"10.{number}.0.0/16", int(NOW), int(NOW), 0.0, 0.5)
    return msgspec.structs.replace(made, **changes)


def chain(length: int, server: Identity = SERVER, now: float = NOW) -> list[SignedSnapshot]:
    point, made = ChainPoint(), []
    for number in range(length):
        signed, point = sign_snapshot(server, NETWORK, point, now + number, tuple(listing(n) for n in range(number)))
        made.append(signed)
    return made


def test_a_chain_is_followed_also_with_gaps():
    verifier = SnapshotVerifier(GENESIS)
    made = chain(5)
    assert [len(verifier.accept(made[index], NOW)) for index in (0, 1, 4)] == [0, 1, 4]
    assert verifier.point.epoch == 5
    directory = verifier.accept(made[4], NOW)
    assert directory.epoch == 5
    node = directory.get(identity(0).node_id)
    assert node is not None
    assert (node.prefix, node.availability) == ("10.0.0.0/16", 0.5)


def test_a_roll_back_is_refused_and_changes_nothing():
    verifier = SnapshotVerifier(GENESIS)
    made = chain(3)
    verifier.accept(made[2], NOW)
    point = verifier.point
    with pytest.raises(DirectoryError, match="went back from directory 3 to 2"):
        verifier.accept(made[1], NOW)
    assert verifier.point == point


def test_two_directories_of_one_epoch_are_refused():
    verifier = SnapshotVerifier(GENESIS)
    verifier.accept(chain(1)[0], NOW)
    other, _ = sign_snapshot(SERVER, NETWORK, ChainPoint(), NOW, (listing(7),))
    with pytest.raises(DirectoryError, match="two different directories"):
        verifier.accept(other, NOW)


def test_a_successor_names_its_predecessor():
    verifier = SnapshotVerifier(GENESIS)
    verifier.accept(chain(1)[0], NOW)
    stranger, _ = sign_snapshot(SERVER, NETWORK, ChainPoint(1, b"f" * 32, int(NOW)), NOW, ())
    with pytest.raises(DirectoryError, match="does not follow"):
        verifier.accept(stranger, NOW)


def test_a_foreign_key_is_refused():
    with pytest.raises(DirectoryError, match="does not name"):
        SnapshotVerifier(GENESIS).accept(chain(1, identity(9))[0], NOW)


def test_an_altered_one_is_refused():
    signed = chain(2)[1]
    altered = msgspec.structs.replace(signed, record=signed.record[:-1] + bytes([signed.record[-1] ^ 1]))
    with pytest.raises(DirectoryError, match="refused"):
        SnapshotVerifier(GENESIS).accept(altered, NOW)


def test_age_and_future_are_bounded():
    signed = chain(1)[0]
    with pytest.raises(DirectoryError, match=r"25\.0 h old"):
        SnapshotVerifier(GENESIS).accept(signed, NOW + 25 * 3600)
    with pytest.raises(DirectoryError, match="future"):
        SnapshotVerifier(GENESIS).accept(signed, NOW - 121)
    assert len(SnapshotVerifier(GENESIS).accept(signed, NOW + 23 * 3600)) == 0


def test_the_servers_clock_going_back_does_not_break_the_chain():
    _, point = sign_snapshot(SERVER, NETWORK, ChainPoint(), NOW, ())
    second, later = sign_snapshot(SERVER, NETWORK, point, NOW - 500, ())
    assert later.issued == int(NOW)
    SnapshotVerifier(GENESIS).accept(second, NOW)


def test_a_clock_that_was_a_year_ahead_does_not_end_the_network():
    verifier = SnapshotVerifier(GENESIS)
    first, point = sign_snapshot(SERVER, NETWORK, ChainPoint(), NOW, ())
    verifier.accept(first, NOW)
    ahead, point = sign_snapshot(SERVER, NETWORK, point, NOW + 365 * 86_400, ())
    with pytest.raises(DirectoryError, match="in the future"):
        verifier.accept(ahead, NOW)
    set_again, _ = sign_snapshot(SERVER, NETWORK, point, NOW + 60, ())
    assert verifier.accept(set_again, NOW + 60).issued == int(NOW) + 60


def test_a_listing_that_does_not_check_out_is_left_out():
    bad = msgspec.structs.replace(listing(1).descriptor, signature=bytes(64))
    signed, _ = sign_snapshot(SERVER, NETWORK, ChainPoint(), NOW, (listing(0), listing(1, descriptor=bad)))
    verifier = SnapshotVerifier(GENESIS)
    assert [node.node_id for node in verifier.accept(signed, NOW).nodes()] == [identity(0).node_id]
    assert verifier.refused_listings == 1


def test_what_was_listed_last_stays_listed_while_the_server_is_away():
    signed, _ = sign_snapshot(SERVER, NETWORK, ChainPoint(), NOW, (listing(0),))
    assert len(SnapshotVerifier(GENESIS).accept(signed, NOW + 20 * 3600)) == 1


def test_an_expired_descriptor_is_not_believed_from_memory():
    verifier = SnapshotVerifier(GENESIS)
    first, point = sign_snapshot(SERVER, NETWORK, ChainPoint(), NOW, (listing(0),))
    assert len(verifier.accept(first, NOW)) == 1
    later, _ = sign_snapshot(SERVER, NETWORK, point, NOW + 2000, (listing(0),))
    assert len(verifier.accept(later, NOW + 2000)) == 0


def mark(number: int, away: bool, issued: float = NOW) -> AwayMark:
    names = (identity(number).node_id,)
    return AwayMark(NETWORK, 1, int(issued), names if away else (), () if away else names)


def test_marks_are_signed_for_this_network():
    made = mark(1, True)
    check_mark(GENESIS, made, SERVER.public_key, sign_mark(SERVER, made))
    with pytest.raises(DirectoryError):
        check_mark(GENESIS, mark(1, False), SERVER.public_key, sign_mark(SERVER, made))
    with pytest.raises(DirectoryError):
        check_mark(GENESIS, made, identity(1).public_key, sign_mark(identity(1), made))


def test_the_newest_mark_counts():
    marks = AwayMarks(maximum=2)
    assert not marks.add(mark(1, False))
    assert marks.add(mark(1, True, NOW + 5))
    assert not marks.add(mark(1, False, NOW))
    assert marks.away() == {identity(1).node_id}
    assert marks.add(mark(1, False, NOW + 5))
    assert marks.away() == set()
    assert marks.add(mark(2, True))
    assert not marks.add(mark(3, True))  # bounded
    marks.keep_only(SnapshotVerifier(GENESIS).accept(chain(2)[1], NOW))
    assert marks.away() == set()


def test_more_marks_than_half_are_not_believed_nor_those_of_linked_nodes():
    directory = SnapshotVerifier(GENESIS).accept(chain(13)[12], NOW)
    marks = AwayMarks()
    for number in range(6):
        marks.add(mark(number, True))
    first = {identity(number).node_id for number in range(6)}
    assert marks.believed(directory, lambda _: False) == first
    assert marks.believed(directory, lambda name: name == identity(0).node_id) == first - {identity(0).node_id}
    marks.add(mark(6, True))
    assert marks.too_many(directory, lambda _: False)
    assert marks.believed(directory, lambda _: False) == frozenset()
    # Who is linked is a witness against the mark, not for it.
    assert not marks.too_many(directory, lambda name: name == identity(0).node_id)


def test_in_a_small_network_a_few_marks_are_believed():
    directory = SnapshotVerifier(GENESIS).accept(chain(5)[4], NOW)
    marks = AwayMarks()
    for number in range(BELIEVED_ALWAYS):
        marks.add(mark(number, True))
    assert len(marks.believed(directory, lambda _: False)) == BELIEVED_ALWAYS


def test_away_nodes_are_not_drawn_and_come_back():
    verifier = SnapshotVerifier(GENESIS)
    directory = verifier.accept(chain(4)[3], NOW)
    gone = directory.with_away([identity(1).node_id, identity(99).node_id])
    assert gone.away() == {identity(1).node_id}
    assert [node.node_id for node in gone.relays()] == [identity(0).node_id, identity(2).node_id]
    assert identity(1).node_id in gone
    assert len(gone.with_away([]).relays()) == 3
    assert len(directory.usable_relays(NOW)) == 3  # what is remembered of one view is not taken for another's
    assert len(directory.with_away([identity(1).node_id]).usable_relays(NOW)) == 2
