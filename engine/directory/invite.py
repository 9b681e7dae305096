"""Invitations to a private network: making them, reading their text, and what a login shows of them.

An invitation is a text that the operator passes on. It holds a grant that the server signed and the seed of a key of
its own; a login shows the grant and signs with that key, so nobody who only saw a grant can use it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from engine.crypto.identity import Identity, verify
from engine.errors import DirectoryError, LoginRefusedError, SignatureError, WireError
from engine.ids import NetworkId, NodeId
from engine.sentences import say
from engine.wire import SUITE_ED25519
from engine.wire.codec import encode
from engine.wire.records import Expulsion, Grant, Invite, Signed, grant_decoder, invite_decoder, signed_decoder

PREFIX = "gentorrent-invite-"
MAXIMUM_TEXT = 3_000
"""Characters of an invitation."""
_CHECK_BYTES = 4


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation as its holder uses it."""

    invite: Invite
    grant: Grant

    @property
    def address(self) -> str:
        """What ``--bootstrap`` takes."""
        return f"{self.invite.url}#{self.invite.network_id.hex()}"

    @property
    def network_id(self) -> NetworkId:
        return NetworkId(self.invite.network_id)


def make_invitation(
    server: Identity,
    network_id: NetworkId,
    url: str,
    now: float,
    random_bytes: Callable[[int], bytes],
    *,
    seconds: float,
    member_seconds: float = 0.0,
    bound: Sequence[NodeId] = (),
) -> Invitation:
    """A new invitation by ``server``, good for a first use within ``seconds`` of ``now`` (seconds since 1970), for
    a membership of ``member_seconds`` after now (0: without end)."""
    key = Identity.from_seed(random_bytes(32))
    grant = Grant(
        suite=SUITE_ED25519,
        network_id=network_id,
        invite_id=random_bytes(16),
        invite_key=key.public_key,
        created=int(now),
        expires=int(now + seconds),
        until=int(now + member_seconds) if member_seconds else 0,
        bound=tuple(bound),
    )
    record = encode(grant)
    signed = Signed(record=record, key=server.public_key, signature=server.sign("grant", network_id, record))
    return Invitation(Invite(url=url, network_id=network_id, grant=signed, seed=key.seed), grant)


def to_text(invitation: Invitation) -> str:
    """The text that is passed on; a few characters in it tell a mistyped one."""
    data = encode(invitation.invite)
    check = hashlib.sha256(data).digest()[:_CHECK_BYTES]
    return PREFIX + base64.urlsafe_b64encode(data + check).decode("ascii").rstrip("=")


def from_text(text: str) -> Invitation:
    """The invitation in a text; ``DirectoryError`` says what is wrong with it. Its times are not looked at."""
    compact = "".join(text.split())  # mail programs break long lines
    if len(text) > MAXIMUM_TEXT or not compact.startswith(PREFIX):
        raise DirectoryError(say("join.no_invitation"))
    try:
        code = compact[len(PREFIX) :].encode("ascii")
        raw = base64.b64decode(code + b"=" * (-len(code) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, ValueError, binascii.Error) as error:
        raise DirectoryError(say("join.damaged")) from error
    data, check = raw[:-_CHECK_BYTES], raw[-_CHECK_BYTES:]
    if hashlib.sha256(data).digest()[:_CHECK_BYTES] != check:
        raise DirectoryError(say("join.damaged"))
    try:
        invite = invite_decoder.decode(data)
        grant = grant_decoder.decode(invite.grant.record)
    except WireError as error:
        raise DirectoryError(f"The invitation cannot be read: {error}. A newer version may have made it.") from error
    network_id = NetworkId(invite.network_id)
    try:
        verify(invite.grant.key, "grant", network_id, invite.grant.signature, invite.grant.record)
    except SignatureError as error:
        raise DirectoryError(f"The invitation is forged or damaged: {error}.") from error
    if grant.network_id != network_id or Identity.from_seed(invite.seed).public_key != grant.invite_key:
        raise DirectoryError("The invitation contradicts itself: its parts belong to different invitations.")
    if not _names_server(invite.url):
        raise DirectoryError("The invitation names no address of a bootstrap server.")
    return Invitation(invite, grant)


def _names_server(url: str) -> bool:
    """It is not signed: whoever passes an invitation on may name another server, which has to prove who it is."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return fine and url.isprintable() and not {" ", "#"} & set(url)


def show_grant(invitation: Invitation, server_nonce: bytes, own_nonce: bytes, node: NodeId) -> tuple[bytes, bytes]:
    """What a login carries: the grant, and the proof that this login's sender holds the invitation."""
    key = Identity.from_seed(invitation.invite.seed)
    proof = key.sign("grant-use", invitation.network_id, server_nonce, own_nonce, node)
    return encode(invitation.invite.grant), proof


def check_shown(
    grant: bytes, proof: bytes, server_key: bytes, network_id: NetworkId, nonces: tuple[bytes, bytes], node: NodeId
) -> Grant:
    """The grant that a login shows, if its sender holds it; ``LoginRefusedError`` with the reason if not. Times, use
    and revocation are looked up by the server."""
    if not grant:
        raise LoginRefusedError(
            "only who is invited is admitted to this network; ask its operator for an invitation and start once with"
            " --join INVITATION"
        )
    try:
        signed = signed_decoder.decode(grant)
        content = grant_decoder.decode(signed.record)
    except WireError as error:
        raise LoginRefusedError("the invitation cannot be read; use it again as the operator gave it") from error
    if content.network_id != network_id:
        raise LoginRefusedError("the invitation is for another network")
    try:
        if signed.key != server_key:
            raise SignatureError("another key")
        verify(signed.key, "grant", network_id, signed.signature, signed.record)
    except SignatureError as error:
        raise LoginRefusedError("the invitation was not made by this network's operator") from error
    try:
        verify(content.invite_key, "grant-use", network_id, proof, *nonces, node)
    except SignatureError as error:
        raise LoginRefusedError("this login does not prove that it holds the invitation it shows") from error
    return content


def sign_expulsion(server: Identity, network_id: NetworkId, node: NodeId, now: float) -> tuple[Expulsion, bytes]:
    """The server's word that ``node`` is admitted no longer, with its signature."""
    expulsion = Expulsion(network_id=network_id, node=node, issued=int(now))
    return expulsion, server.sign("expulsion", network_id, encode(expulsion))


def check_expulsion(
    expulsion: Expulsion, key: bytes, signature: bytes, server_keys: Sequence[bytes], network_id: NetworkId
) -> NodeId:
    """Who is expelled; raises ``SignatureError`` unless a server of the network said so."""
    if key not in server_keys or expulsion.network_id != network_id:
        raise SignatureError("an expulsion was not signed by a server of this network")
    verify(key, "expulsion", network_id, signature, encode(expulsion))
    return NodeId(expulsion.node)
