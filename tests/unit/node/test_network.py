"""An engine's presences on bad days: a full disk when keys are due, a server that lists nonsense."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from engine.clock import ManualClock
from engine.crypto.identity import Identity
from engine.errors import DirectoryError, StorageError
from engine.node import network
from engine.node.keys import NodeKeys
from engine.node.network import Membership, PeerPresence, _ice_servers
from engine.node.node import _first
from tests.support.bootstrap import until


def test_servers_that_no_link_could_use_are_left_out():
    good: dict[str, object] = {"urls": ["stun:stun.example:3478", "nonsense"], "username": None, "credential": None}
    turn: dict[str, object] = {"urls": "turn:turn.example?transport=udp", "username": "u", "credential": "c"}
    bad: list[dict[str, object]] = [
        {},
        {"urls": []},
        {"urls": [1, None]},
        {"urls": ["stun"]},
        {"urls": "turn:"},
        {"urls": ["stun:x"], "username": 5},
    ]
    assert [server.urls for server in _ice_servers([good, *bad, turn])] == [
        ["stun:stun.example:3478"],
        ["turn:turn.example?transport=udp"],
    ]


class FullDisk:
    """Keys that cannot be written, then can."""

    identity = Identity.from_seed(b"i" * 32)

    def __init__(self) -> None:
        self.tries = 0

    def rotate(self) -> bool:
        self.tries += 1
        if self.tries == 1:
            raise StorageError("The disk is full.")
        return True


async def test_a_full_disk_when_keys_are_due_costs_no_node(tmp_path, monkeypatch):
    monkeypatch.setattr(network, "KEY_CHECK_SECONDS", 0.01)
    notices: list[str] = []
    keys = FullDisk()
    membership = Membership("http://127.0.0.1:1", None, tmp_path, ManualClock(), lambda: None, notices.append)
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
