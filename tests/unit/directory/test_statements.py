"""An identity can end itself, and nobody else can."""

from __future__ import annotations

import msgspec
import pytest

from engine.bootstrap.registry import Registry
from engine.directory.snapshot import ChainPoint, SnapshotVerifier, sign_snapshot
from engine.directory.statements import check_statement, make_revocation, make_succession
from engine.errors import DirectoryError
from engine.ids import NetworkId
from engine.wire.records import Signed
from tests.support.records import NOW, SERVER, descriptor, genesis, identity
from tests.unit.directory.test_snapshot import listing

GENESIS = genesis()
NETWORK = GENESIS.network_id
OLD, NEW = identity(1), identity(2)


def test_what_is_stated():
    revoked = check_statement(make_revocation(OLD, NETWORK, NOW), NETWORK, NOW)
    assert (revoked.node_id, revoked.successor) == (OLD.node_id, None)
    followed = check_statement(make_succession(OLD, NEW, NETWORK, NOW), NETWORK, NOW)
    assert (followed.node_id, followed.successor) == (OLD.node_id, NEW.node_id)


def test_it_may_have_been_made_years_ago():
    check_statement(make_revocation(OLD, NETWORK, NOW - 1e8), NETWORK, NOW)


@pytest.mark.parametrize("made", [make_revocation(OLD, NETWORK, NOW), make_succession(OLD, NEW, NETWORK, NOW)])
def test_what_is_refused(made):
    with pytest.raises(DirectoryError, match="another network"):
        check_statement(made, NetworkId(bytes(32)), NOW)
    with pytest.raises(DirectoryError, match="another key"):
        check_statement(msgspec.structs.replace(made, key=NEW.public_key), NETWORK, NOW)
    with pytest.raises(DirectoryError, match="future"):
        check_statement(made, NETWORK, NOW - 1000)
    with pytest.raises(DirectoryError, match="refused"):
        check_statement(msgspec.structs.replace(made, signature=bytes(64)), NETWORK, NOW)
    with pytest.raises(DirectoryError, match="cannot be read"):
        check_statement(msgspec.structs.replace(made, record=made.record[:-1]), NETWORK, NOW)


def test_nobody_is_made_an_heir_unasked():
    from engine.wire.codec import encode
    from engine.wire.records import Succession

    forged = Succession(1, NETWORK, OLD.public_key, NEW.public_key, int(NOW), bytes(64))
    record = encode(forged)
    good = make_succession(OLD, NEW, NETWORK, NOW)
    signed = msgspec.structs.replace(good, record=record, signature=OLD.sign("succession", NETWORK, record))
    with pytest.raises(DirectoryError, match="refused"):
        check_statement(signed, NETWORK, NOW)
    with pytest.raises(DirectoryError, match="own place"):
        check_statement(make_succession(OLD, OLD, NETWORK, NOW), NETWORK, NOW)


def registry() -> Registry:
    made = Registry(GENESIS, SERVER, ChainPoint(), [], 0.0)
    made.accept(descriptor(OLD, NETWORK), "10.0.0.0/16", NOW, 0.0)
    return made


def take(server: Registry, signed: Signed, wall: float) -> None:
    server.take_statement(server.check_statement(signed, wall), wall)


def test_the_revoked_is_gone_and_never_listed_again():
    server = registry()
    take(server, make_revocation(OLD, NETWORK, NOW), NOW + 1)
    signed, _ = server.build(NOW + 1)[0]()
    directory = SnapshotVerifier(GENESIS).accept(signed, NOW + 1)
    assert OLD.node_id not in directory
    assert directory.ended == {OLD.node_id}
    with pytest.raises(DirectoryError, match="revoked"):
        server.accept(descriptor(OLD, NETWORK, NOW + 5), "p", NOW + 5, 5.0)
    with pytest.raises(DirectoryError, match="revoked"):
        take(server, make_revocation(OLD, NETWORK, NOW), NOW + 5)


def test_a_stranger_cannot_fill_the_directory_with_statements():
    with pytest.raises(DirectoryError, match="not known"):
        take(registry(), make_revocation(identity(9), NETWORK, NOW), NOW)


def test_the_heir_gets_the_standing():
    server = registry()
    with pytest.raises(DirectoryError, match="not published"):
        take(server, make_succession(OLD, NEW, NETWORK, NOW), NOW + 5000)
    server.accept(descriptor(NEW, NETWORK, NOW + 5000), "10.0.0.0/16", NOW + 5000, 5000.0)
    take(server, make_succession(OLD, NEW, NETWORK, NOW), NOW + 5000)
    signed, _ = server.build(NOW + 5000)[0]()
    directory = SnapshotVerifier(GENESIS).accept(signed, NOW + 5000)
    node = directory.get(NEW.node_id)
    assert node is not None
    assert node.first_seen == int(NOW)
    assert directory.newest(OLD.node_id) == NEW.node_id
    assert OLD.node_id not in directory
    with pytest.raises(DirectoryError, match="replaced"):
        server.accept(descriptor(OLD, NETWORK, NOW + 5001), "p", NOW + 5001, 5001.0)


def test_a_reader_does_not_take_the_revoked_back_when_the_server_drops_the_statement():
    verifier = SnapshotVerifier(GENESIS)
    revocation = make_revocation(identity(0), NETWORK, NOW)
    first, point = sign_snapshot(SERVER, NETWORK, ChainPoint(), NOW, (listing(1),), revocations=(revocation,))
    verifier.accept(first, NOW)
    second, _ = sign_snapshot(SERVER, NETWORK, point, NOW + 1, (listing(0), listing(1)))
    assert [node.node_id for node in verifier.accept(second, NOW + 1).nodes()] == [identity(1).node_id]
    # Nor after a restart, as far as its own note goes.
    again = SnapshotVerifier(GENESIS)
    assert identity(0).node_id not in again.accept(second, NOW + 1, checked=verifier.checked)
