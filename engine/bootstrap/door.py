"""The door of a private network: who may log in, what opens the directory, and the end of a membership.

An open network has no door. The server asks it at each login, and it looks every second whether the operator has made
or revoked invitations.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from engine.bootstrap.invitation_store import InvitationStore
from engine.bootstrap.invitations import AdmissionDesk
from engine.clock import Clock
from engine.crypto.identity import Identity, node_id_of
from engine.directory.invite import sign_expulsion
from engine.errors import LoginRefusedError, StorageError
from engine.ids import NetworkId, NodeId
from engine.wire.signaling import Challenge, Expelled, Login, ReadingKey

if TYPE_CHECKING:
    from engine.bootstrap.store import Store

logger = logging.getLogger("engine.bootstrap")
LOOK_SECONDS = 1.0
"""Between two looks at the invitations: so long a revocation takes at most."""
MAXIMUM_EXPELLED = 1_000
"""Expulsions that are told to who logs in; what is older is covered by the server's own refusal."""
ENDED = "your membership has ended: the operator has revoked your invitation, or its time is over"


class Door:
    """Holds the invitations of one network. ``expel`` carries out what an expulsion means for the server."""

    def __init__(self, server: Identity, network_id: NetworkId, store: Store, clock: Clock) -> None:
        self._server = server
        self._network_id = network_id
        self._store = InvitationStore(store)
        self._clock = clock
        self._desk = AdmissionDesk(network_id, server.public_key)
        self._key = secrets.token_bytes(32)
        self._expelled: dict[NodeId, Expelled] = {}
        self._gone: list[NodeId] = []  # to be expelled with the next turn of watch

    @property
    def reading_key(self) -> ReadingKey:
        """What opens the directory now."""
        return ReadingKey(key=self._key)

    def opens(self, authorization: str) -> bool:
        """Whether an HTTP request with this header may read the directory."""
        return hmac.compare_digest(authorization.encode("utf-8", "replace"), f"Bearer {self._key.hex()}".encode())

    def greeting(self) -> list[ReadingKey | Expelled]:
        """What a new session is told first."""
        return [self.reading_key, *self._expelled.values()]

    async def admit(self, login: Login, challenge: Challenge) -> None:
        """``LoginRefusedError`` with the reason for who is not admitted."""
        try:
            await self._look()  # an invitation that was made a moment ago is good already
            used = self._desk.admit(login, challenge, self._clock.wall())
            if used is not None and not await self._store.use(used):
                raise LoginRefusedError("the operator has revoked this invitation; ask for a new one")
            self._expelled.pop(node_id_of(login.identity_key), None)  # it has a new invitation
        except StorageError as error:
            logger.error("%s", error)
            raise LoginRefusedError("the server could not look at its invitations; try again later") from error

    def is_member(self, node: NodeId) -> bool:
        """Whether it may still be here: a membership can end while a login is being answered."""
        return self._desk.is_member(node, self._clock.wall())

    async def _look(self) -> None:
        invited = await self._store.load()  # others look meanwhile, so the list is taken up after it
        self._gone += self._desk.tell(invited, self._clock.wall())

    async def watch(
        self, expel: Callable[[NodeId, Expelled], Awaitable[None]], changed: Callable[[ReadingKey], None]
    ) -> None:
        """For ever: expel who is a member no longer, and give the others a new key to the directory."""
        while True:
            try:
                await self._look()
            except StorageError as error:
                logger.error("%s", error)
            gone, self._gone = self._gone, []
            for node in gone:
                expulsion, signature = sign_expulsion(self._server, self._network_id, node, self._clock.wall())
                told = Expelled(expulsion=expulsion, key=self._server.public_key, signature=signature)
                self._expelled[node] = told
                while len(self._expelled) > MAXIMUM_EXPELLED:
                    del self._expelled[next(iter(self._expelled))]
                await expel(node, told)
            if gone:
                self._key = secrets.token_bytes(32)
                changed(self.reading_key)
            await asyncio.sleep(LOOK_SECONDS)
