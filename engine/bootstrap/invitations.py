"""Who is invited to a private network: the server's register of invitations. No I/O.

The operator's commands write to the database, the server reads it again every second. ``wall`` is seconds since 1970.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace

from engine.crypto.identity import node_id_of
from engine.directory.invite import check_shown
from engine.errors import LoginRefusedError
from engine.ids import NetworkId, NodeId, node_id_text
from engine.wire.records import Grant
from engine.wire.signaling import Challenge, Login


@dataclass(frozen=True, slots=True)
class Invited:
    """One invitation as the server keeps it. ``node`` and ``client`` are the identities that use it, once they do."""

    invite_id: bytes
    label: str
    created: int
    expires: int
    until: int
    bound: tuple[NodeId, ...] = ()
    node: NodeId | None = None
    client: NodeId | None = None
    revoked: bool = False

    def ended(self, wall: float) -> str:
        """Why nobody is admitted by it any more; empty while somebody may be."""
        if self.revoked:
            return "the operator has revoked this invitation; ask for a new one"
        if self.until and wall >= self.until:
            return "the membership that this invitation gave has ended; ask the operator for a new one"
        return ""

    def members(self) -> list[NodeId]:
        """Who is, or was, admitted by it."""
        return [name for name in (self.node, self.client) if name is not None]


class AdmissionDesk:
    """Admits logins by the invitations that it was told of last."""

    def __init__(self, network_id: NetworkId, server_key: bytes) -> None:
        self._network_id = network_id
        self._server_key = server_key
        self._invited: dict[bytes, Invited] = {}
        self._ended: set[bytes] = set()

    def tell(self, invited: Iterable[Invited], wall: float) -> list[NodeId]:
        """These are the invitations now; gives who has been a member and is one no longer, each once."""
        before = self._invited
        self._invited = {}
        for one in invited:
            known = before.get(one.invite_id, one)  # who has just used it may not be in the database yet
            self._invited[one.invite_id] = replace(one, node=one.node or known.node, client=one.client or known.client)
        out: list[NodeId] = []
        for one in self._invited.values():
            if one.ended(wall) and one.invite_id not in self._ended:
                self._ended.add(one.invite_id)
                out += one.members()
        self._ended &= set(self._invited)
        still = {name for one in self._invited.values() if not one.ended(wall) for name in one.members()}
        return [name for name in out if name not in still]  # who has a new invitation stays

    def is_member(self, node: NodeId, wall: float) -> bool:
        """Whether somebody with this id is admitted now."""
        return any(node in one.members() and not one.ended(wall) for one in self._invited.values())

    def admit(self, login: Login, challenge: Challenge, wall: float) -> Invited | None:
        """Admit a checked login. Gives the invitation as it is to be saved before the node is welcomed, None if nothing
        changed; ``LoginRefusedError`` with the reason for who is not admitted."""
        node = node_id_of(login.identity_key)
        nonces = (challenge.nonce, login.nonce)
        grant = check_shown(login.grant, login.grant_proof, self._server_key, self._network_id, nonces, node)
        known = self._known(grant)
        ended = known.ended(wall)
        if ended:
            raise LoginRefusedError(ended)
        if known.bound and not any(hmac.compare_digest(node, name) for name in known.bound):
            raise LoginRefusedError(
                f"this invitation is for another node; yours is {node_id_text(node)} (gentorrent invite ids shows both"
                " ids that the operator needs)"
            )
        holder = known.client if login.client_only else known.node
        if holder == node:
            return None
        if holder is not None:
            raise LoginRefusedError(
                "this invitation was used already by another machine, and is good for one; ask the operator for one of"
                " your own"
            )
        if wall >= known.expires:
            hours = (wall - known.expires) / 3600
            raise LoginRefusedError(
                f"this invitation expired {hours:.1f} h ago, before it was used; ask the operator for a new one"
            )
        used = replace(known, client=node) if login.client_only else replace(known, node=node)
        self._invited[known.invite_id] = used
        return used

    def _known(self, grant: Grant) -> Invited:
        known = self._invited.get(grant.invite_id)
        if known is None:
            raise LoginRefusedError("this server knows nothing of the invitation; ask the operator for a new one")
        return known
