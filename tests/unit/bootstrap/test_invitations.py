"""Who is admitted to a private network, for how long, and what the others are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.bootstrap.invitations import AdmissionDesk, Invited
from engine.directory.invite import make_invitation
from engine.directory.login import make_login
from engine.errors import LoginRefusedError
from engine.ids import NetworkId
from engine.wire.signaling import Challenge
from tests.support.records import NOW, SERVER, identity, seeded

NETWORK = NetworkId(b"n" * 32)
CHALLENGE = Challenge(NETWORK, SERVER.public_key, b"s" * 32, 1, 1)
NODE, CLIENT, STRANGER = identity(1), identity(2), identity(3)


def invited(seed: int = 1, *, bound=(), member_seconds: float = 0.0):
    made = make_invitation(
        SERVER, NETWORK, "http://h", NOW, seeded(seed), seconds=100, member_seconds=member_seconds, bound=bound
    )
    grant = made.grant
    return made, Invited(grant.invite_id, "", grant.created, grant.expires, grant.until, tuple(bound))


def log_in(desk: AdmissionDesk, made, owner, wall: float = NOW, *, client: bool = False):
    login = make_login(owner, CHALLENGE, b"c" * 32, wall, client_only=client, software="", invitation=made)
    return desk.admit(login, CHALLENGE, wall)


def desk_with(*entries: Invited) -> AdmissionDesk:
    desk = AdmissionDesk(NETWORK, SERVER.public_key)
    desk.tell(entries, NOW)
    return desk


def test_one_engine_is_admitted_with_both_its_identities():
    made, entry = invited()
    desk = desk_with(entry)
    used = log_in(desk, made, NODE)
    assert used is not None
    assert used.node == NODE.node_id
    used = log_in(desk, made, CLIENT, client=True)
    assert used is not None
    assert used.members() == [NODE.node_id, CLIENT.node_id]
    assert log_in(desk, made, NODE) is None  # again, and nothing is to be saved
    for client in (False, True):
        with pytest.raises(LoginRefusedError, match="used already"):
            log_in(desk, made, STRANGER, client=client)


def test_a_use_that_is_not_in_the_database_yet_is_not_forgotten():
    made, entry = invited()
    desk = desk_with(entry)
    log_in(desk, made, NODE)
    desk.tell([entry], NOW)
    with pytest.raises(LoginRefusedError, match="used already"):
        log_in(desk, made, STRANGER)


def test_an_invitation_for_certain_ids_is_for_them_alone():
    made, entry = invited(bound=[NODE.node_id, CLIENT.node_id])
    desk = desk_with(entry)
    with pytest.raises(LoginRefusedError, match="another node"):
        log_in(desk, made, STRANGER)
    log_in(desk, made, NODE)
    log_in(desk, made, CLIENT, client=True)


def test_the_first_use_must_come_in_time_and_later_ones_need_not():
    made, entry = invited()
    with pytest.raises(LoginRefusedError, match="expired"):
        log_in(desk_with(entry), made, NODE, NOW + 101)
    desk = desk_with(entry)
    log_in(desk, made, NODE)
    assert log_in(desk, made, NODE, NOW + 10**6) is None


def test_what_is_revoked_admits_nobody_and_expels_its_members_once():
    made, entry = invited()
    desk = desk_with(entry)
    used = log_in(desk, made, NODE)
    assert used is not None
    assert desk.is_member(NODE.node_id, NOW)
    gone = replace(used, revoked=True)
    assert desk.tell([gone], NOW) == [NODE.node_id]
    assert desk.tell([gone], NOW) == []
    assert not desk.is_member(NODE.node_id, NOW)
    with pytest.raises(LoginRefusedError, match="revoked"):
        log_in(desk, made, NODE)


def test_a_membership_ends_by_itself():
    made, entry = invited(member_seconds=50)
    desk = desk_with(entry)
    used = log_in(desk, made, NODE)
    assert used is not None
    assert desk.tell([used], NOW + 49) == []
    assert desk.tell([used], NOW + 50) == [NODE.node_id]
    with pytest.raises(LoginRefusedError, match="has ended"):
        log_in(desk, made, NODE, NOW + 50)


def test_who_has_a_new_invitation_stays():
    made, first = invited(1)
    other, second = invited(2)
    desk = desk_with(first, second)
    one = log_in(desk, made, NODE)
    two = log_in(desk, other, NODE)
    assert one is not None
    assert two is not None
    assert desk.tell([replace(one, revoked=True), two], NOW) == []
    assert desk.is_member(NODE.node_id, NOW)


def test_an_invitation_that_the_server_does_not_know_is_refused():
    made, _ = invited()
    with pytest.raises(LoginRefusedError, match="knows nothing"):
        log_in(desk_with(), made, NODE)
