"""The operator's side of invitations: making, listing and ending them while the server may be running."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from engine.bootstrap.init import Network, load_network
from engine.bootstrap.invitations import Invited
from engine.clock import Clock
from engine.directory.invite import Invitation, make_invitation
from engine.errors import ConfigurationError
from engine.ids import NodeId
from engine.sentences import say

if TYPE_CHECKING:
    from engine.bootstrap.invitation_store import InvitationStore

T = TypeVar("T")
Status = Literal["open", "in_use", "expired", "ended", "revoked"]
MAXIMUM_LABEL = 100


class Inviting:
    """The invitations of the private network in ``data``. Errors: ``ConfigurationError``, ``StorageError``."""

    def __init__(self, data: Path, clock: Clock) -> None:
        self._data = data
        self._clock = clock

    def network(self) -> Network:
        """The network; ``ConfigurationError`` for an open one, to which nobody is invited."""
        network = load_network(self._data)
        if not network.genesis.parameters.invited_only:
            raise ConfigurationError(say("invite.open_network"))
        return network

    async def make(
        self,
        url: str,
        *,
        label: str = "",
        seconds: float,
        member_seconds: float = 0.0,
        bound: Sequence[NodeId] = (),
    ) -> Invitation:
        """A new one for one engine, which finds the server at ``url``; see :func:`make_invitation`."""
        network, now = self.network(), self._clock.wall()
        invitation = make_invitation(
            network.server,
            network.network_id,
            url,
            now,
            os.urandom,
            seconds=seconds,
            member_seconds=member_seconds,
            bound=bound,
        )
        grant = invitation.grant
        entry = Invited(grant.invite_id, label[:MAXIMUM_LABEL], grant.created, grant.expires, grant.until, tuple(bound))
        await self._with_store(lambda store: store.add(entry))
        return invitation

    async def list(self) -> list[Invited]:
        """All, the oldest first."""
        return await self._with_store(lambda store: store.load())

    async def revoke(self, beginning: str) -> Invited:
        """End the one whose id, in hex, begins so. A running server acts within a second."""
        wanted = beginning.strip().lower()

        async def find_and_revoke(store: InvitationStore) -> Invited:
            found = [one for one in await store.load() if wanted and one.invite_id.hex().startswith(wanted)]
            if not found:
                raise ConfigurationError(say("invite.unknown", invitation=wanted[:64]))
            if len(found) > 1:
                raise ConfigurationError(say("invite.several", invitation=wanted[:64], count=len(found)))
            await store.revoke(found[0].invite_id)
            return found[0]

        return await self._with_store(find_and_revoke)

    async def _with_store(self, action: Callable[[InvitationStore], Awaitable[T]]) -> T:
        from engine.bootstrap.invitation_store import InvitationStore  # loads SQLAlchemy
        from engine.bootstrap.store import DATABASE_FILE, Store

        store = await Store.open(self._data / DATABASE_FILE)
        try:
            return await action(InvitationStore(store))
        finally:
            store.close()


def status_of(one: Invited, now: float) -> Status:
    """How an invitation is at ``now`` (seconds since 1970)."""
    if one.revoked:
        return "revoked"
    if one.ended(now):
        return "ended"
    if one.members():
        return "in_use"
    return "expired" if now >= one.expires else "open"
