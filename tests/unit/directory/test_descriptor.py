"""A descriptor is believed only if everything about it checks out."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.crypto.identity import verify
from engine.directory.descriptor import check_descriptor, node_id
from engine.directory.login import LOGIN_SECONDS, check_login, check_welcome, make_login, sign_welcome
from engine.directory.prefix import counting_key, network_prefix
from engine.errors import DirectoryError, LoginRefusedError, SignatureError
from engine.wire.codec import encode
from engine.wire.records import Descriptor, OnionKey, Parameters, SealKey, Signed, descriptor_decoder
from engine.wire.signaling import Challenge, Welcome
from tests.support.records import NOW, SERVER, descriptor, genesis, identity, seal_key, served_model

NETWORK = genesis().network_id
OWNER = identity(1)


def altered(**changes) -> Signed:
    """A descriptor of which the owner himself signed something that is not allowed."""
    good = descriptor_decoder.decode(descriptor(OWNER, NETWORK).record)
    record = encode(msgspec.structs.replace(good, **changes))
    return Signed(record=record, key=OWNER.public_key, signature=OWNER.sign("descriptor", NETWORK, record))


def test_a_good_one_is_believed():
    signed = descriptor(OWNER, NETWORK, models=[served_model()], seal_keys=[seal_key()])
    read = check_descriptor(signed, NETWORK, NOW)
    assert node_id(read) == OWNER.node_id
    assert read.models[0].model_id == "m"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"network_id": b"x" * 32}, "another network"),
        ({"suite": 9}, "suite 9"),
        ({"identity_key": identity(2).public_key}, "another key"),
        ({"minimum_version": 2, "maximum_version": 3}, "versions 2 to 3"),
        ({"minimum_version": 1, "maximum_version": 0}, "versions 1 to 0"),
        ({"expires": int(NOW)}, "expired"),
        ({"issued": int(NOW) + 121}, "future"),
        ({"started": int(NOW) + 121}, "future"),
        ({"expires": int(NOW) + 1800 + 121}, "longer than"),
        ({"issued": int(NOW) + 60, "expires": int(NOW) + 60 + 1900}, "too far"),
        ({"onion_keys": ()}, "needs an onion key"),
        ({"onion_keys": (OnionKey(suite=1, key=b"o" * 32, expires=int(NOW)),)}, "needs an onion key"),
        ({"onion_keys": (OnionKey(suite=7, key=b"o" * 32, expires=int(NOW) + 9),)}, "onion suite 7"),
        ({"seal_keys": (SealKey(suite=1, key=b"k" * 33, expires=int(NOW) + 9),)}, "32 bytes"),
        ({"seal_keys": (SealKey(suite=2, key=b"k" * 32, expires=int(NOW) + 9),)}, "1216 bytes"),
        ({"models": (served_model(),)}, "needs a sealing key"),
        ({"models": (served_model(), served_model()), "seal_keys": (seal_key(),)}, "twice"),
        ({"models": (served_model(decode_rate=float("nan")),), "seal_keys": (seal_key(),)}, "cannot be read"),
        ({"family": "a\x1b[2J"}, "printed"),
    ],
)
def test_what_is_wrong_is_refused_with_its_reason(changes, reason):
    with pytest.raises(DirectoryError, match=reason):
        check_descriptor(altered(**changes), NETWORK, NOW)


def test_two_minutes_of_skew_are_tolerated():
    check_descriptor(descriptor(OWNER, NETWORK, NOW + 119), NETWORK, NOW)


def test_the_lifetime_is_the_networks():
    signed = descriptor(OWNER, NETWORK, lifetime=600)
    with pytest.raises(DirectoryError, match="longer"):
        check_descriptor(signed, NETWORK, NOW, Parameters(descriptor_seconds=60))


def test_a_signature_for_something_else_is_refused():
    record = descriptor(OWNER, NETWORK).record
    for purpose, network in (("snapshot", NETWORK), ("descriptor", b"y" * 32)):
        forged = Signed(record=record, key=OWNER.public_key, signature=OWNER.sign(purpose, network, record))
        with pytest.raises(DirectoryError, match="refused"):
            check_descriptor(forged, NETWORK, NOW)


@given(st.binary(max_size=200))
def test_garbage_is_refused_with_our_own_error(record):
    signed = Signed(record=record, key=OWNER.public_key, signature=OWNER.sign("descriptor", NETWORK, record))
    with pytest.raises(DirectoryError):
        check_descriptor(signed, NETWORK, NOW)


# ------------------------------------------------------------------------------------------------------------- login

CHALLENGE = Challenge(
    network_id=NETWORK, server_key=SERVER.public_key, nonce=b"c" * 32, minimum_version=1, maximum_version=1
)


def log_in(now: float = NOW, challenge: Challenge = CHALLENGE):
    return make_login(OWNER, challenge, b"n" * 32, now, client_only=False, software="t")


@pytest.mark.parametrize("skew", [-179, 0, 119])
def test_a_login_is_accepted_within_the_skew(skew):
    check_login(log_in(NOW + skew), CHALLENGE, NOW)


@pytest.mark.parametrize(("skew", "direction"), [(-LOGIN_SECONDS - 121, "behind"), (121, "ahead")])
def test_a_wrong_clock_is_named(skew, direction):
    with pytest.raises(LoginRefusedError, match=f"s {direction}"):
        check_login(log_in(NOW + skew), CHALLENGE, NOW)


@pytest.mark.parametrize("change", [{"nonce": b"d" * 32}, {"server_key": OWNER.public_key}, {"network_id": b"z" * 32}])
def test_a_login_answers_one_challenge_only(change):
    with pytest.raises(LoginRefusedError, match="does not verify"):
        check_login(log_in(), msgspec.structs.replace(CHALLENGE, **change), NOW)


def test_a_login_that_was_altered_is_refused():
    login = log_in()
    for change in ({"nonce": b"m" * 32}, {"expires": login.expires + 1}, {"identity_key": identity(2).public_key}):
        with pytest.raises(LoginRefusedError, match="does not verify"):
            check_login(msgspec.structs.replace(login, **change), CHALLENGE, NOW)


def test_versions_without_a_common_one_are_refused_by_both_sides():
    newer = msgspec.structs.replace(CHALLENGE, minimum_version=2, maximum_version=3)
    with pytest.raises(LoginRefusedError, match="Update"):
        log_in(challenge=newer)
    with pytest.raises(LoginRefusedError, match="version 1"):
        check_login(log_in(), newer, NOW)


def test_a_welcome_is_for_this_login_from_this_server():
    login = log_in()
    good = Welcome(signature=sign_welcome(SERVER, CHALLENGE, login), observed="", wall=NOW)
    check_welcome(good, CHALLENGE, login)
    bad = Welcome(signature=sign_welcome(OWNER, CHALLENGE, login), observed="", wall=NOW)
    with pytest.raises(SignatureError):
        check_welcome(bad, CHALLENGE, login)
    with pytest.raises(SignatureError):
        check_welcome(good, CHALLENGE, msgspec.structs.replace(login, nonce=b"q" * 32))
    with pytest.raises(SignatureError):  # a welcome is no login
        verify(SERVER.public_key, "login", NETWORK, good.signature, CHALLENGE.nonce, login.nonce, OWNER.node_id)


# ------------------------------------------------------------------------------------------------------------ prefix


@pytest.mark.parametrize(
    ("address", "prefix", "key"),
    [
        ("203.0.113.9", "203.0.0.0/16", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.0.0/16", "203.0.113.9"),
        ("2001:db8:1:2:3::9", "2001:db8::/32", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/32", "fe80::/64"),
    ],
)
def test_prefixes(address, prefix, key):
    assert network_prefix(address) == prefix
    assert counting_key(address) == key


@pytest.mark.parametrize("address", ["", "localhost", "1.2.3", "1.2.3.4/8"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(DirectoryError):
        network_prefix(address)


def test_a_descriptor_type_is_what_the_record_holds():
    assert isinstance(descriptor_decoder.decode(descriptor(OWNER, NETWORK).record), Descriptor)
