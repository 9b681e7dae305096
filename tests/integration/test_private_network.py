"""A private network: real server, real clients, and an operator who invites and revokes while it runs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from engine.bootstrap.init import init_network
from engine.bootstrap.invitation_store import InvitationStore
from engine.bootstrap.invitations import Invited
from engine.bootstrap.store import DATABASE_FILE, Store
from engine.clock import Clock, SystemClock
from engine.directory.invite import Invitation, make_invitation
from engine.ids import NodeId
from engine.transport.bootstrap_client import BootstrapClient, Phase
from engine.transport.saved_invitation import save_invitation
from engine.wire.signaling import Signal
from tests.support.bootstrap import FAST, fetch, raw_node, running_client, running_server, until
from tests.support.records import identity

PRIVATE = msgspec.structs.replace(FAST, invited_only=True)


@contextlib.asynccontextmanager
async def operator(data: Path) -> AsyncIterator[InvitationStore]:
    store = await Store.open(data / DATABASE_FILE)
    try:
        yield InvitationStore(store)
    finally:
        store.close()


async def invite(data: Path, *, bound: tuple[NodeId, ...] = (), seconds: float = 100.0) -> Invitation:
    """As ``gentorrent invite create`` does it."""
    network = init_network(data, "test", PRIVATE)
    wall = SystemClock().wall()
    made = make_invitation(
        network.server, network.network_id, "http://127.0.0.1:1", wall, os.urandom, seconds=seconds, bound=bound
    )
    grant = made.grant
    async with operator(data) as store:
        await store.add(Invited(grant.invite_id, "", grant.created, grant.expires, grant.until, bound))
    return made


def guest(tmp_path: Path, name: str, invitation: Invitation | None) -> Path:
    networks = tmp_path / name
    networks.mkdir()
    if invitation is not None:
        save_invitation(networks, invitation)
    return networks


def refused(client: BootstrapClient) -> bool:
    return client.state.phase is Phase.REFUSED


async def test_only_the_invited_are_admitted_listed_and_heard(tmp_path):
    server = tmp_path / "server"
    one, two = await invite(server), await invite(server)
    async with running_server(server, parameters=PRIVATE) as address:
        places = [guest(tmp_path, "one", one), guest(tmp_path, "two", two), guest(tmp_path, "none", None)]
        async with (
            running_client(address, identity(1), places[0]) as first,
            running_client(address, identity(2), places[1]) as second,
            running_client(address, identity(3), places[2]) as stranger,
        ):
            await until(lambda: first.directory is not None and len(first.directory) == 2)
            await until(lambda: second.directory is not None and len(second.directory) == 2)
            await until(lambda: refused(stranger))
            assert "private" in stranger.state.reason
            assert "--join INVITATION" in stranger.state.reason
            assert stranger.directory is None
        assert (await fetch(address, "/v1/directory"))[0] == 401
        assert (await fetch(address, "/v1/directory", Authorization="Bearer " + "0" * 64))[0] == 401


async def test_signals_of_strangers_reach_nobody(tmp_path):
    server = tmp_path / "server"
    made = await invite(server)
    async with (
        running_server(server, parameters=PRIVATE) as address,
        running_client(address, identity(1), guest(tmp_path, "one", made)) as member,
    ):
        await until(lambda: member.connected)
        async with raw_node(address) as stranger:
            await stranger.send(Signal(peer=identity(1).node_id, payload=b"hello"))
            assert "login" in stranger_reason(await stranger.receive())
            assert await stranger.receive() is None


def stranger_reason(message: object) -> str:
    return str(getattr(message, "reason", message))


async def test_a_second_machine_with_the_same_invitation_is_refused(tmp_path):
    server = tmp_path / "server"
    made = await invite(server)
    async with (
        running_server(server, parameters=PRIVATE) as address,
        running_client(address, identity(1), guest(tmp_path, "one", made)) as first,
    ):
        await until(lambda: first.connected)
        async with running_client(address, identity(2), guest(tmp_path, "two", made)) as second:
            await until(lambda: refused(second))
            assert "used already" in second.state.reason
        async with running_client(
            address, identity(5), guest(tmp_path, "client", made), publish=False, client_only=True
        ) as client:
            await until(lambda: client.connected)  # the same engine's other identity


async def test_a_revocation_ends_session_and_listing_at_once_and_is_told(tmp_path):
    server = tmp_path / "server"
    one, two = await invite(server), await invite(server)
    expelled: list[NodeId] = []
    async with (
        running_server(server, parameters=PRIVATE) as address,
        running_client(address, identity(1), guest(tmp_path, "one", one)) as leaver,
        running_client(address, identity(2), guest(tmp_path, "two", two), on_expelled=expelled.append) as stayer,
    ):
        await until(lambda: stayer.directory is not None and len(stayer.directory) == 2)
        async with operator(server) as store:
            await store.revoke(one.grant.invite_id)
        await until(lambda: expelled == [identity(1).node_id], 5)
        await until(lambda: stayer.directory is not None and len(stayer.directory) == 1, 5)
        await until(lambda: refused(leaver) and "revoked" in leaver.state.reason)
        assert stayer.connected


async def test_a_revocation_holds_after_a_restart_of_the_server(tmp_path):
    server = tmp_path / "server"
    one, two = await invite(server), await invite(server)
    folders = guest(tmp_path, "one", one), guest(tmp_path, "two", two)
    async with (
        running_server(server, parameters=PRIVATE) as address,
        running_client(address, identity(1), folders[0]) as client,
    ):
        await until(lambda: client.directory is not None and len(client.directory) == 1)
    async with operator(server) as store:
        await store.revoke(one.grant.invite_id)
    async with (
        running_server(server, parameters=PRIVATE) as address,
        running_client(address, identity(2), folders[1]) as other,
    ):
        await until(lambda: other.directory is not None and identity(2).node_id in other.directory)
        await until(lambda: other.directory is not None and identity(1).node_id not in other.directory)


async def test_who_waits_too_long_or_has_another_key_is_told_so(tmp_path):
    server = tmp_path / "server"
    late = await invite(server, seconds=-5)
    others = await invite(server, bound=(identity(9).node_id,))
    async with running_server(server, parameters=PRIVATE) as address:
        async with running_client(address, identity(1), guest(tmp_path, "late", late)) as client:
            await until(lambda: refused(client))
            assert "expired" in client.state.reason
        async with running_client(address, identity(1), guest(tmp_path, "other", others)) as client:
            await until(lambda: refused(client))
            assert "for another node" in client.state.reason


class Slow(Clock):
    """Five minutes behind."""

    def monotonic(self) -> float:
        return SystemClock().monotonic()

    def wall(self) -> float:
        return SystemClock().wall() - 300


async def test_a_wrong_clock_is_named_and_not_taken_for_a_bad_invitation(tmp_path):
    server = tmp_path / "server"
    made = await invite(server)
    async with (
        running_server(server, parameters=PRIVATE) as address,
        running_client(address, identity(1), guest(tmp_path, "slow", made), clock=Slow()) as client,
    ):
        await until(lambda: refused(client))
        assert "clock" in client.state.reason


async def test_a_damaged_saved_invitation_is_said(tmp_path):
    server = tmp_path / "server"
    made = await invite(server)
    place = guest(tmp_path, "one", made)
    (place / made.network_id.hex() / "invitation").write_text("gentorrent-invite-garbage")
    async with (
        running_server(server, parameters=PRIVATE) as address,
        running_client(address, identity(1), place) as client,
    ):
        await until(lambda: "damaged" in client.state.reason)


@pytest.mark.parametrize("name", ["invitation"])
def test_the_invitation_is_readable_by_its_owner_alone(tmp_path, name):
    network = init_network(tmp_path / "server", "test", PRIVATE)
    made = make_invitation(network.server, network.network_id, "http://h", 1e9, os.urandom, seconds=1)
    save_invitation(tmp_path / "networks", made)
    path = tmp_path / "networks" / made.network_id.hex() / name
    if os.name != "nt":
        assert path.stat().st_mode & 0o077 == 0
