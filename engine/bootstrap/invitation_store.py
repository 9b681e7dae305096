"""The invitations of a private network in the server's database.

The operator's commands and the running server may use it at the same time: each changes only its own columns.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert, select, update

from engine.bootstrap.invitations import Invited
from engine.bootstrap.store import Store
from engine.bootstrap.tables import InvitationRow
from engine.ids import NodeId


class InvitationStore:
    """Reads and writes through an open :class:`Store`; every call may raise ``StorageError``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def load(self) -> list[Invited]:
        """All invitations, the oldest first."""

        def read(connection: Connection) -> list[Invited]:
            query = select(InvitationRow.__table__).order_by(InvitationRow.created, InvitationRow.invite_id)
            return [_invited(row) for row in connection.execute(query)]

        return await self._store.transact(read)

    async def add(self, invited: Invited) -> None:
        """A new one."""
        row = {
            "invite_id": invited.invite_id,
            "label": invited.label,
            "created": invited.created,
            "expires": invited.expires,
            "until": invited.until,
            "bound": b"".join(invited.bound),
            "node": invited.node,
            "client": invited.client,
            "revoked": invited.revoked,
        }
        await self._store.transact(lambda connection: connection.execute(insert(InvitationRow).values(row)))

    async def revoke(self, invite_id: bytes) -> None:
        """Nobody is admitted by it from now on."""
        change = update(InvitationRow).where(InvitationRow.invite_id == invite_id).values(revoked=True)
        await self._store.transact(lambda connection: connection.execute(change))

    async def use(self, invited: Invited) -> bool:
        """Save who uses it; False if it was revoked in the meantime."""
        change = (
            update(InvitationRow)
            .where(InvitationRow.invite_id == invited.invite_id, InvitationRow.revoked.is_(False))
            .values(node=invited.node, client=invited.client)
        )
        return await self._store.transact(lambda connection: connection.execute(change).rowcount == 1)


def _invited(row: Any) -> Invited:
    return Invited(
        invite_id=row.invite_id,
        label=row.label,
        created=row.created,
        expires=row.expires,
        until=row.until,
        bound=tuple(NodeId(row.bound[start : start + 20]) for start in range(0, len(row.bound), 20)),
        node=None if row.node is None else NodeId(row.node),
        client=None if row.client is None else NodeId(row.client),
        revoked=row.revoked,
    )
