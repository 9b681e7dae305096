"""Invitations: a text gives back what went in, and anything else is refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.crypto.identity import Identity
from engine.directory.invite import (
    PREFIX,
    check_expulsion,
    check_shown,
    from_text,
    make_invitation,
    show_grant,
    sign_expulsion,
    to_text,
)
from engine.errors import DirectoryError, LoginRefusedError, SignatureError
from engine.ids import NetworkId
from tests.support.records import NOW, SERVER, identity, seeded

NETWORK = NetworkId(b"n" * 32)
NODE = identity(1)
NONCES = (b"s" * 32, b"c" * 32)


def invitation(seed: int = 1, server: Identity = SERVER, network: NetworkId = NETWORK, **more):
    more = {"seconds": 3600.0} | more
    return make_invitation(server, network, "https://bootstrap.example.org:8900", NOW, seeded(seed), **more)


def test_a_text_gives_back_what_went_in():
    made = invitation(bound=[NODE.node_id], member_seconds=10.0)
    text = to_text(made)
    assert text.startswith("gentorrent-invite-")
    assert len(text) < 700
    assert from_text(text) == made
    assert made.address == f"https://bootstrap.example.org:8900#{NETWORK.hex()}"
    assert (made.grant.expires, made.grant.until) == (NOW + 3600, NOW + 10)


def test_a_text_that_a_mail_program_has_broken_is_read():
    text = to_text(invitation())
    assert from_text(f"  {text[:60]}\n{text[60:120]}\r\n {text[120:]}\n") == invitation()


@given(st.integers(0, 400), st.characters(codec="ascii", categories=("L", "N")))
def test_one_other_character_is_refused(place, character):
    text = to_text(invitation())
    place = len(PREFIX) + place % (len(text) - len(PREFIX) - 1)
    changed = text[:place] + character + text[place + 1 :]
    if changed != text:
        with pytest.raises(DirectoryError):
            from_text(changed)


@given(st.text(max_size=200) | st.binary(max_size=400).map(lambda raw: PREFIX + raw.hex()))
def test_any_text_is_read_or_refused(text):
    with pytest.raises(DirectoryError):
        from_text(text)


@given(st.integers(0, 700))
def test_a_text_that_was_cut_is_refused(length):
    text = to_text(invitation())
    if length < len(text):
        with pytest.raises(DirectoryError):
            from_text(text[:length])


def test_an_endless_text_is_refused_at_once():
    with pytest.raises(DirectoryError):
        from_text(PREFIX + "A" * 10_000_000)


def shown(made, node=NODE, nonces=NONCES) -> tuple[bytes, bytes]:
    server_nonce, own_nonce = nonces
    return show_grant(made, server_nonce, own_nonce, node.node_id)


def test_the_holder_is_believed():
    made = invitation()
    grant, proof = shown(made)
    assert check_shown(grant, proof, SERVER.public_key, NETWORK, NONCES, NODE.node_id) == made.grant


@pytest.mark.parametrize(
    ("grant", "said"),
    [
        ((b"", b""), "--join INVITATION"),
        ((b"garbage", b""), "cannot be read"),
        (shown(invitation(network=NetworkId(b"o" * 32))), "another network"),
        (shown(invitation(server=identity(9))), "not made by this network's operator"),
        ((shown(invitation())[0], b"x" * 64), "does not prove"),
        ((shown(invitation())[0], b""), "does not prove"),
        (shown(invitation(), node=identity(2)), "does not prove"),
        (shown(invitation(), nonces=(b"old".ljust(32), b"c" * 32)), "does not prove"),
        ((shown(invitation())[0], shown(invitation(2))[1]), "does not prove"),
    ],
)
def test_nobody_else_is(grant, said):
    with pytest.raises(LoginRefusedError, match=said):
        check_shown(grant[0], grant[1], SERVER.public_key, NETWORK, NONCES, NODE.node_id)


def test_only_a_server_of_the_network_expels():
    expulsion, signature = sign_expulsion(SERVER, NETWORK, NODE.node_id, NOW)
    assert check_expulsion(expulsion, SERVER.public_key, signature, [SERVER.public_key], NETWORK) == NODE.node_id
    with pytest.raises(SignatureError):
        check_expulsion(expulsion, SERVER.public_key, signature, [identity(3).public_key], NETWORK)
    with pytest.raises(SignatureError):
        check_expulsion(expulsion, SERVER.public_key, bytes(64), [SERVER.public_key], NETWORK)
    with pytest.raises(SignatureError):
        check_expulsion(expulsion, SERVER.public_key, signature, [SERVER.public_key], NetworkId(b"o" * 32))
