"""An engine's presences on bad days: a full disk when keys are due, a server that lists nonsense."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.clock import ManualClock
from engine.crypto.identity import Identity
from engine.errors import DirectoryError, StorageError
from engine.ids import NodeId
from engine.node import network
from engine.node.keys import NodeKeys
from engine.node.network import Membership, PeerPresence, Presence
from engine.node.node import _first
from engine.transport.connectivity import Connectivity
from tests.support.bootstrap import until


class FullDisk:
    """Keys that cannot be written, then can."""

    identity = Identity.from_seed(b"i" * 32)

    def __init__(self) -> None:
        self.tries = 0

    def succession(self, *_: object) -> None:
        """Nobody was replaced."""

    def succession_told(self) -> None:
        """Nor will be."""

    def rotate(self) -> bool:
        self.tries += 1
        if self.tries == 1:
            raise StorageError("The disk is full.")
        return True


async def test_a_full_disk_when_keys_are_due_costs_no_node(tmp_path, monkeypatch):
    monkeypatch.setattr(network, "KEY_CHECK_SECONDS", 0.01)
    notices: list[str] = []
    keys = FullDisk()
    connectivity = Connectivity(tmp_path / "connectivity.json", ManualClock())
    membership = Membership(
        "http://127.0.0.1:1", None, tmp_path, ManualClock(), lambda: None, notices.append, connectivity
    )
    backend = cast(Any, None)
    peer = PeerPresence(membership, cast(NodeKeys, keys), backend, relays=True, max_tokens_per_second=None)
    published: list[object] = []
    monkeypatch.setattr(peer.bootstrap, "publish", published.append)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(peer._rotate_keys())
        await until(lambda: published)
        task.cancel()
    assert "The disk is full." in notices[0]


def test_what_ends_an_engine_is_told_however_deep_it_lies():
    failure = DirectoryError("This is why.")
    group = ExceptionGroup("", [ExceptionGroup("", [failure])])
    with pytest.raises(DirectoryError):
        raise _first(group)


def test_a_private_network_takes_what_its_server_passes_on_and_else_only_who_is_listed() -> None:
    listed, expelled, stranger = (NodeId(name.ljust(20, b".")) for name in (b"listed", b"expelled", b"stranger"))
    router = SimpleNamespace(from_server=False)
    presence = SimpleNamespace(
        mesh=SimpleNamespace(router=router),
        bootstrap=SimpleNamespace(directory={listed, expelled}),
        _expelled={expelled: None},
    )

    def accepts(peer: NodeId) -> bool:
        return Presence._accept_member(presence, peer, True) is None

    assert [accepts(peer) for peer in (listed, expelled, stranger)] == [True, False, False]
    router.from_server = True
    assert [accepts(peer) for peer in (listed, expelled, stranger)] == [True, True, True]
    router.from_server = False
    assert accepts(expelled)  # it has been invited again, and is still listed
    presence.bootstrap.directory = None
    assert not accepts(listed)
