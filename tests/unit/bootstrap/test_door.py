"""The door of a private network while several look at the invitations at once."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from engine.bootstrap import door as doors
from engine.bootstrap.door import Door
from engine.bootstrap.invitations import Invited
from engine.clock import ManualClock
from engine.directory.invite import make_invitation
from engine.directory.login import make_login
from engine.errors import LoginRefusedError
from engine.ids import NetworkId, NodeId
from engine.wire.signaling import Challenge
from tests.support.bootstrap import until
from tests.support.records import NOW, SERVER, identity, seeded

NETWORK = NetworkId(b"n" * 32)
CHALLENGE = Challenge(NETWORK, SERVER.public_key, b"s" * 32, 1, 1)
REVOKED = Invited(b"i" * 16, "", int(NOW), int(NOW) + 100, 0, node=identity(1).node_id, revoked=True)


class SlowAtFirst:
    """The first who asks for the invitations gets them last."""

    def __init__(self) -> None:
        self.calls = 0
        self.last = asyncio.Event()

    async def transact(self, _read: Any) -> list[Invited]:
        self.calls += 1
        if self.calls == 1:
            await self.last.wait()
        return [REVOKED]


async def test_who_is_expelled_while_somebody_logs_in_is_expelled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "LOOK_SECONDS", 0.01)
    store = SlowAtFirst()
    expelled: list[NodeId] = []
    keys: list[object] = []
    door = Door(SERVER, NETWORK, cast("Any", store), ManualClock(NOW))
    made = make_invitation(SERVER, NETWORK, "http://h", NOW, seeded(1), seconds=100)
    login = make_login(identity(2), CHALLENGE, b"c" * 32, NOW, client_only=False, software="", invitation=made)

    async def expel(node: NodeId, _told: object) -> None:
        expelled.append(node)

    async def log_in() -> None:
        with pytest.raises(LoginRefusedError, match="knows nothing"):
            await door.admit(login, CHALLENGE)

    async with asyncio.TaskGroup() as tasks:
        logging_in = tasks.create_task(log_in())
        await until(lambda: store.calls == 1)
        watching = tasks.create_task(door.watch(expel, keys.append))
        await until(lambda: expelled)
        store.last.set()
        await logging_in
        seen = store.calls
        await until(lambda: store.calls > seen + 3)
        watching.cancel()
    assert expelled == [identity(1).node_id]
    assert len(keys) == 1
