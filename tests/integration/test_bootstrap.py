"""A real bootstrap server on 127.0.0.1, with clients that behave and others that do not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import aiohttp.web
import msgspec
import psutil
import pytest

from engine.bootstrap import limits
from engine.bootstrap.init import init_network
from engine.bootstrap.run import run_server
from engine.bootstrap.store import Store
from engine.clock import ManualClock, SystemClock
from engine.directory.delta import DirectoryHistory, apply_delta, read_answer
from engine.directory.snapshot import ChainPoint, SnapshotVerifier, sign_snapshot
from engine.directory.statements import make_revocation, make_succession
from engine.errors import (
    BootstrapUnreachableError,
    ConfigurationError,
    DataDirectoryLockedError,
    DirectoryError,
    StorageError,
)
from engine.ids import NodeId
from engine.transport import publisher
from engine.transport.bootstrap_client import BootstrapClient, Phase, parse_bootstrap
from engine.transport.bootstrap_http import send_statement
from engine.transport.ice_servers import IceUrl, OfferedServers
from engine.wire.codec import encode
from engine.wire.link import head_decoder
from engine.wire.records import DirectoryDelta, Signed, SignedSnapshot
from engine.wire.signaling import (
    DirectoryChanged,
    IceRequest,
    IceServers,
    KeepAlive,
    Marked,
    Publish,
    Published,
    Refused,
    Signal,
    SignalFailed,
)
from tests.support.bootstrap import FAST, fetch, network_of, raw_node, running_client, running_server, until
from tests.support.records import descriptor, genesis, identity, seal_key, served_model


def now() -> float:
    return SystemClock().wall()


def _whole(body: bytes) -> SignedSnapshot:
    """The answer to who holds no directory, or one that the server does not know."""
    answer = read_answer(body)
    assert isinstance(answer, SignedSnapshot)
    return answer


class Heard:
    """What a client was handed."""

    def __init__(self) -> None:
        self.signals: list[tuple[NodeId, bytes]] = []
        self.failures: list[tuple[NodeId, str]] = []

    def on_signal(self, peer: NodeId, payload: bytes) -> None:
        self.signals.append((peer, payload))

    def on_signal_failed(self, peer: NodeId, reason: str) -> None:
        self.failures.append((peer, reason))


async def lists(client: BootstrapClient, count: int) -> None:
    """Wait until the client's directory has at least ``count`` nodes."""
    await until(lambda: client.directory is not None and len(client.directory) >= count)


# ---------------------------------------------------------------------------------------------------- good behaviour


async def test_nodes_see_each_other_and_exchange_signals(tmp_path):
    one, two = identity(1), identity(2)
    async with (
        running_server(tmp_path / "s") as address,
        running_client(address, one, tmp_path / "1") as first,
        running_client(address, two, tmp_path / "2") as second,
    ):
        heard = Heard()
        second.attach(heard)
        first_heard = Heard()
        first.attach(first_heard)
        await until(lambda: first.directory is not None and len(first.directory) == 2)
        await until(lambda: second.directory is not None and len(second.directory) == 2)
        assert first.directory is not None
        node = first.directory.get(two.node_id)
        assert node is not None
        assert node.prefix == "127.0.0.0/16"
        assert abs(first.state.clock_skew or 0) < 5
        assert first.state.published
        assert first.send_signal(two.node_id, b"offer")
        await until(lambda: heard.signals)
        assert heard.signals == [(one.node_id, b"offer")]
        assert first.send_signal(identity(9).node_id, b"offer")
        await until(lambda: first_heard.failures)
        assert first_heard.failures == [(identity(9).node_id, "the node is not online")]
        assert not first.send_signal(two.node_id, b"x" * 16_385)


async def test_a_pure_client_signals_and_is_not_listed(tmp_path):
    one, two = identity(1), identity(2)
    async with (
        running_server(tmp_path / "s") as address,
        running_client(address, one, tmp_path / "1") as listed,
        running_client(address, two, tmp_path / "2", publish=False, client_only=True) as client,
    ):
        heard = Heard()
        listed.attach(heard)
        await until(lambda: client.directory is not None and one.node_id in client.directory)
        assert client.send_signal(one.node_id, b"hello")
        await until(lambda: heard.signals)
        assert client.directory is not None
        assert len(client.directory) == 1


async def test_withdrawing_takes_a_node_off_the_list(tmp_path):
    one, two = identity(1), identity(2)
    async with (
        running_server(tmp_path / "s") as address,
        running_client(address, one, tmp_path / "1") as first,
        running_client(address, two, tmp_path / "2") as second,
    ):
        await until(lambda: second.directory is not None and len(second.directory) == 2)
        assert await first.withdraw()
        assert not first.state.published
        await until(lambda: second.directory is not None and len(second.directory) == 1)


async def test_a_node_that_drops_is_marked_away_and_comes_back(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.bootstrap.registry.DROPPED_SECONDS", 0.2)
    monkeypatch.setattr("engine.bootstrap.server.TICK_SECONDS", 0.1)
    one, two = identity(1), identity(2)
    async with running_server(tmp_path / "s") as address, running_client(address, two, tmp_path / "2") as watcher:
        async with running_client(address, one, tmp_path / "1"):
            await until(lambda: watcher.directory is not None and one.node_id in watcher.directory)
        await until(lambda: watcher.directory is not None and watcher.directory.away() == {one.node_id})
        assert watcher.directory is not None
        assert [node.node_id for node in watcher.directory.relays()] == [two.node_id]
        # Somebody who comes later is told, too.
        async with raw_node(address, identity(3)) as late:
            marked = await late.expect(Marked)
            assert isinstance(marked, Marked)
            assert marked.mark.away == (one.node_id,)
        async with running_client(address, one, tmp_path / "1"):
            await until(lambda: watcher.directory is not None and not watcher.directory.away())


async def test_what_everybody_may_read(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "bootstrap.toml").write_text('[[ice_servers]]\nurls = ["stun:stun.example.org"]\n')
    async with (
        running_server(tmp_path / "s") as address,
        running_client(address, identity(1), tmp_path / "1") as client,
    ):
        await until(lambda: client.directory is not None and len(client.directory) == 1)
        await until(lambda: client.ice.stun)
        assert client.ice == OfferedServers(stun=(IceUrl("stun", "stun.example.org", 3478),))
        status, _, _ = await fetch(address, "/v1/ice")  # for those who have logged in alone
        assert status == 404
        network = network_of(tmp_path / "s")
        status, body, _ = await fetch(address, "/v1/genesis")
        assert (status, json.loads(body)["network_id"]) == (200, network.network_id.hex())
        status, body, _ = await fetch(address, "/v1/directory")
        assert status == 200
        directory = SnapshotVerifier(network.genesis).accept(_whole(body), now())
        assert len(directory) == 1
        status, body, _ = await fetch(address, f"/v1/directory?since={directory.digest.hex()}")
        assert (status, body) == (304, b"")
        status, body, _ = await fetch(address, f"/v1/directory?since={'0' * 64}")
        assert status == 200
        assert _whole(body).key == network.server.public_key
        status, body, _ = await fetch(address, "/v1/directory?since=yesterday")
        assert (status, b"64 digits" in body) == (400, True)
        status, body, _ = await fetch(address, "/v1/head")
        assert (status, head_decoder.decode(body).digest) == (200, directory.digest)
        status, body, _ = await fetch(address, "/healthz")
        health = json.loads(body)
        assert (status, health["status"], health["listed"], health["sessions"]) == (200, "ok", 1, 1)
        async with asyncio.timeout(60):
            while b"gentorrent_bootstrap_listed_nodes 1.0" not in body:  # counted every second
                await asyncio.sleep(0.1)
                status, body, _ = await fetch(address, "/metrics")
                assert status == 200
        assert b"127.0.0.1" not in body
        status, _, _ = await fetch(address, "/nothing")
        assert status == 404


async def test_without_a_network_id_the_first_one_seen_is_pinned_and_said(tmp_path):
    notices: list[str] = []
    async with running_server(tmp_path / "s") as address:
        bare, _, network_id = address.partition("#")
        async with running_client(bare, identity(1), tmp_path / "1", on_notice=notices.append) as client:
            await until(lambda: client.connected)
        assert len(notices) == 1
        assert network_id in notices[0]
    port = int(bare.rpartition(":")[2])
    # Another network at the same address is not believed any more.
    async with (
        running_server(tmp_path / "other", port=port),
        running_client(bare, identity(1), tmp_path / "1", on_notice=notices.append) as client,
    ):
        await until(lambda: client.state.phase is Phase.REFUSED)
        assert "does not have the key" in client.state.reason
    assert len(notices) == 1


async def test_a_damaged_pin_is_no_leave_to_trust_whoever_answers(tmp_path):
    async with running_server(tmp_path / "s") as address:
        bare = address.partition("#")[0]
        async with running_client(bare, identity(1), tmp_path / "1") as client:
            await until(lambda: client.connected)
    (pin,) = (tmp_path / "1" / "pins").iterdir()
    pin.write_bytes(b"")
    port = int(bare.rpartition(":")[2])
    async with (
        running_server(tmp_path / "other", port=port),
        running_client(bare, identity(1), tmp_path / "1") as client,
    ):
        await until(lambda: client.state.phase is Phase.REFUSED)
        await asyncio.sleep(0.7)  # long enough to have asked the server
        assert client.genesis is None
        assert client.state.phase is Phase.REFUSED
        assert str(pin) in client.state.reason
        assert "is damaged" in client.state.reason


async def test_a_disk_that_takes_no_directory_keeps_nobody_out(tmp_path):
    notices: list[str] = []
    async with running_server(tmp_path / "s") as address:
        folder = tmp_path / "1" / address.partition("#")[2]
        (folder / "directory" / "in the way").mkdir(parents=True)
        async with running_client(address, identity(1), tmp_path / "1", on_notice=notices.append) as client:
            await until(lambda: client.directory is not None and len(client.directory) == 1)
    assert "could not be kept" in notices[0]


async def test_a_client_asked_for_another_network_refuses(tmp_path):
    async with running_server(tmp_path / "s") as address:
        wrong = address.partition("#")[0] + "#" + "ab" * 32
        async with running_client(wrong, identity(1), tmp_path / "1") as client:
            await until(lambda: client.state.phase is Phase.REFUSED)
            assert "not to abab" in client.state.reason


# ------------------------------------------------------------------------------------------------- bad days of a server


async def test_an_unreachable_server_is_a_state_and_the_last_directory_stays(tmp_path):
    one = identity(1)
    async with running_server(tmp_path / "s") as address, running_client(address, one, tmp_path / "1") as client:
        await until(lambda: client.directory is not None and len(client.directory) == 1)
    async with running_client(address, one, tmp_path / "1") as client:
        await until(lambda: client.state.phase is Phase.UNREACHABLE)
        assert client.directory is not None
        assert one.node_id in client.directory
        assert "stays in use" in client.state.reason
    clock = ManualClock(now() + 25 * 3600)
    async with running_client(address, one, tmp_path / "1", clock=clock) as client:
        await until(lambda: client.state.phase is Phase.UNREACHABLE)
        assert client.directory is None


@pytest.mark.parametrize("host", ["a..b", "x" * 64])
async def test_a_name_that_no_host_can_have_is_a_state(tmp_path, host):
    async with running_client(f"http://{host}:8900", identity(1), tmp_path) as client:
        await until(lambda: client.state.phase is Phase.UNREACHABLE)
        assert "cannot be reached" in client.state.reason


async def test_after_a_restart_the_chain_goes_on_and_clients_come_back(tmp_path):
    one = identity(1)
    async with running_server(tmp_path / "s") as address:
        port = int(address.partition("#")[0].rpartition(":")[2])
        async with running_client(address, one, tmp_path / "1") as client:
            await until(lambda: client.directory is not None and len(client.directory) == 1)
            assert client.directory is not None
            before = client.directory
    async with running_server(tmp_path / "s", port=port), running_client(address, one, tmp_path / "1") as client:
        await until(lambda: client.connected and client.directory is not None and client.directory.epoch > before.epoch)
        assert client.directory is not None
        node, earlier = client.directory.get(one.node_id), before.get(one.node_id)
        assert node is not None
        assert earlier is not None
        assert node.first_seen == earlier.first_seen


async def test_a_server_that_goes_back_is_refused(tmp_path):
    one = identity(1)
    async with running_server(tmp_path / "s") as address:
        port = int(address.partition("#")[0].rpartition(":")[2])
        for number in range(4):  # enough epochs to go back behind
            async with running_client(address, identity(number), tmp_path / "1") as client:
                await lists(client, number + 1)
    for name in (tmp_path / "s").glob("bootstrap.sqlite3*"):
        name.unlink()
    async with (
        running_server(tmp_path / "s", port=port),
        running_client(address, one, tmp_path / "1") as client,
    ):
        await until(lambda: "went back" in client.state.warning)
        assert client.directory is not None
        assert len(client.directory) == 4


SERVER = """
import sys
from pathlib import Path
from typing import Any
from engine.bootstrap.run import run_server, serve
started = lambda url: print(url, flush=True)
serve(lambda: run_server(Path(sys.argv[1]), "127.0.0.1", int(sys.argv[2]), started))
"""


def start_server(data: Path, port: int = 0) -> tuple[subprocess.Popen[str], str]:
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(data), str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address.startswith("http://"), process.communicate()[1]
    return process, address


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
async def test_a_killed_server_loses_nothing_it_confirmed(tmp_path):
    init_network(tmp_path / "s", "test", FAST)
    owners = [identity(number) for number in range(3)]
    epoch = 0
    process, address = await asyncio.to_thread(start_server, tmp_path / "s")
    port = int(address.partition("#")[0].rpartition(":")[2])
    for round_number, owner in enumerate(owners):
        try:
            async with raw_node(address, owner) as node:
                await node.send(Publish(descriptor(owner, network_of(tmp_path / "s").network_id, now())))
                await node.expect(Published)
                if round_number == 2:
                    changed = await node.expect(DirectoryChanged)
                    assert isinstance(changed, DirectoryChanged)
                    epoch = changed.epoch
        finally:
            process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(process.communicate)
        process, address = await asyncio.to_thread(start_server, tmp_path / "s", port)
    try:
        async with running_client(address, identity(9), tmp_path / "c", publish=False) as client:
            await until(lambda: client.directory is not None and len(client.directory) == 3)
            assert client.directory is not None
            assert client.directory.epoch >= epoch  # what was shown before the kill may already hold all three
            async with raw_node(address, identity(4)) as node:
                await node.send(Publish(descriptor(identity(4), network_of(tmp_path / "s").network_id, now())))
                await until(lambda: client.directory is not None and len(client.directory) == 4)
            assert client.directory.epoch > epoch  # and the chain goes on from there
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.to_thread(process.communicate)
    assert process.returncode == 0
    assert "127.0.0.1" not in errors


async def test_two_servers_on_one_directory_or_port_are_told(tmp_path):
    async with running_server(tmp_path / "s") as address:
        with pytest.raises(DataDirectoryLockedError, match=f"process {os.getpid()}"):
            await run_server(tmp_path / "s", port=0)
        init_network(tmp_path / "t")
        with pytest.raises(ConfigurationError, match="Cannot listen"):
            await run_server(tmp_path / "t", port=int(address.partition("#")[0].rpartition(":")[2]))
    with pytest.raises(ConfigurationError, match="--init"):
        await run_server(tmp_path / "empty")


# ------------------------------------------------------------------------------------------------------ hostile nodes


@pytest.mark.parametrize("garbage", [b"", b"\xc1", b"\x00" * 100, os.urandom(500), encode(KeepAlive())])
async def test_garbage_instead_of_a_login_is_refused(tmp_path, garbage):
    async with running_server(tmp_path / "s") as address, raw_node(address) as node:
        await node.send(garbage)
        refused = await node.expect(Refused)
        assert isinstance(refused, Refused)
        assert refused.fatal
        assert await node.receive() is None


async def test_garbage_after_the_login_ends_the_session_and_nothing_else(tmp_path):
    async with running_server(tmp_path / "s") as address, raw_node(address, identity(2)) as good:
        async with raw_node(address, identity(1)) as node:
            await node.send(b"\x93\x01\x02\x03")
            refused = await node.expect(Refused)
            assert isinstance(refused, Refused)
            assert refused.fatal
        async with raw_node(address, identity(1)) as node:
            await node.send(b"x" * (limits.MAXIMUM_MESSAGE + 1))
            while await node.receive() is not None:
                pass
        async with raw_node(address, identity(1)) as node:
            await node.socket.send_str("hello")
            refused = await node.expect(Refused)
            assert isinstance(refused, Refused)
            assert "binary" in refused.reason
        await good.send(Signal(peer=identity(5).node_id, payload=b""))
        await good.expect(SignalFailed)


async def test_a_replayed_login_is_refused(tmp_path):
    async with running_server(tmp_path / "s") as address:
        sent: list[bytes] = []
        async with raw_node(address) as node:
            original = node.socket.send_bytes

            async def record(data: bytes, *_: object) -> None:
                sent.append(data)
                await original(data)

            node.socket.send_bytes = record  # type: ignore[method-assign, assignment]
            await node.log_in(identity(1))
        async with raw_node(address) as node:
            await node.send(sent[0])
            refused = await node.expect(Refused)
            assert isinstance(refused, Refused)
            assert "does not verify" in refused.reason


async def test_a_wrong_clock_is_told(tmp_path):
    async with (
        running_server(tmp_path / "s") as address,
        running_client(address, identity(1), tmp_path / "1", clock=ManualClock(now() - 500)) as client,
    ):
        await until(lambda: client.state.phase is Phase.REFUSED)
        assert "clock is about" in client.state.reason
        assert "behind" in client.state.reason


async def test_a_tolerated_skew_is_reported(tmp_path):
    async with (
        running_server(tmp_path / "s") as address,
        running_client(address, identity(1), tmp_path / "1", clock=ManualClock(now() - 60), publish=False) as client,
    ):
        await until(lambda: client.connected)
        assert client.state.clock_skew == pytest.approx(60, abs=5)
        assert "behind" in client.state.warning


async def publish(address: str, owner, signed) -> object:
    async with raw_node(address, owner) as node:
        await node.send(Publish(signed))
        while isinstance(message := await node.receive(), DirectoryChanged | Marked):
            pass
        return message


async def test_bad_descriptors_are_refused_with_the_reason(tmp_path):
    async with running_server(tmp_path / "s") as address:
        owner, network = identity(1), network_of(tmp_path / "s").network_id
        good = descriptor(owner, network, now())
        cases = {
            "expired": descriptor(owner, network, now() - 3600),
            "another network": descriptor(owner, genesis().network_id, now()),
            "your own": descriptor(identity(2), network, now()),
            "does not match": msgspec.structs.replace(good, signature=bytes(64)),
            "longer than": descriptor(owner, network, now(), lifetime=7200),
        }
        for reason, signed in cases.items():
            refused = await publish(address, owner, signed)
            assert isinstance(refused, Refused)
            assert not refused.fatal
            assert reason in refused.reason
        assert isinstance(await publish(address, owner, good), Published)


async def test_a_pure_client_may_not_publish(tmp_path):
    async with running_server(tmp_path / "s") as address, raw_node(address, identity(1), client_only=True) as node:
        await node.send(Publish(descriptor(identity(1), network_of(tmp_path / "s").network_id, now())))
        refused = await node.expect(Refused)
        assert isinstance(refused, Refused)
        assert "pure client" in refused.reason


async def test_what_is_withdrawn_is_published_at_once_and_the_rest_in_its_turn(tmp_path, monkeypatch):
    monkeypatch.setattr(publisher, "PUBLISH_GAP_SECONDS", 60.0)
    one = identity(1)
    models = {"models": (served_model(),), "seal_keys": (seal_key(now()),)}
    async with running_server(tmp_path / "s") as address, running_client(address, one, tmp_path / "1") as client:
        await until(lambda: client.state.published)
        network_id = network_of(tmp_path / "s").network_id
        made: list[str] = []
        begun = int(now())

        def make(name: str, **more) -> Callable[[], Signed]:
            def describe() -> Signed:
                made.append(name)
                return descriptor(one, network_id, now() + 1, **more)

            return describe

        client.publish(make("with a model", **models))
        await asyncio.sleep(0.2)
        assert made == []  # what comes within a minute goes together, here
        client.publish(make("without it"), at_once=True)
        await until(lambda: made == ["without it"])

        def listed() -> bool:
            node = client.directory.get(one.node_id) if client.directory is not None else None
            return node is not None and node.descriptor.issued > begun and not node.descriptor.models

        await until(listed)


async def test_publishing_too_often_is_refused_but_the_session_lives(tmp_path):
    async with running_server(tmp_path / "s") as address, raw_node(address, identity(1)) as node:
        signed = descriptor(identity(1), network_of(tmp_path / "s").network_id, now())
        for _ in range(int(limits.PUBLISH_BURST) + 2):
            await node.send(Publish(signed))
        refused = await node.expect(Refused)
        assert isinstance(refused, Refused)
        assert "too often" in refused.reason
        assert not refused.fatal


async def test_a_flood_slows_its_sender_and_nobody_else(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MESSAGE_BURST", 20.0)
    monkeypatch.setattr(limits, "MESSAGE_RATE", 20.0)
    one, two, three = identity(1), identity(2), identity(3)
    async with (
        running_server(tmp_path / "s") as address,
        raw_node(address, two) as victim,
        raw_node(address, three) as other,
        raw_node(address, one) as flooder,  # leaves first
    ):
        for _ in range(500):
            await flooder.send(Signal(peer=two.node_id, payload=b"flood"))
        began = asyncio.get_running_loop().time()
        await other.send(Signal(peer=two.node_id, payload=b"polite"))
        floods = 0
        while True:
            delivered = await victim.expect(Signal)
            assert isinstance(delivered, Signal)
            if delivered.payload == b"polite":
                break
            floods += 1
        assert asyncio.get_running_loop().time() - began < 5
        assert floods < 150


async def test_a_newer_login_replaces_the_older(tmp_path):
    async with (
        running_server(tmp_path / "s") as address,
        raw_node(address, identity(1)) as older,
        raw_node(address, identity(1)) as newer,
        raw_node(address, identity(2)) as sender,
    ):
        refused = await older.expect(Refused)
        assert isinstance(refused, Refused)
        assert "replaced" in refused.reason
        await sender.send(Signal(peer=identity(1).node_id, payload=b"x"))
        await newer.expect(Signal)


async def test_silence_ends_a_session(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "IDLE_SECONDS", 0.3)
    async with running_server(tmp_path / "s") as address, raw_node(address, identity(1)) as node:
        refused = await node.expect(Refused)
        assert isinstance(refused, Refused)
        assert "nothing was heard" in refused.reason


async def test_connections_that_never_ask_or_log_in_are_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "HEADER_SECONDS", 0.3)
    monkeypatch.setattr(limits, "LOGIN_SECONDS", 0.3)
    async with running_server(tmp_path / "s") as address:
        port = int(address.partition("#")[0].rpartition(":")[2])
        for sent in (b"", b"GET /healthz HTTP/1.1\r\nX: "):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            async with asyncio.timeout(60):
                assert await reader.read() == b""
            writer.close()
        async with raw_node(address) as node:
            assert await node.receive() is None


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"GET /v1/genesis HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"A" * 20_000 + b"\r\n\r\n",
    ],
    ids=["tls", "two lengths", "long line"],
)
async def test_garbage_and_hanging_up_leave_no_address_in_the_log(tmp_path, caplog, garbage):
    upgrade = (
        b"GET /v1/signaling HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    async with running_server(tmp_path / "server") as address:
        port = int(address.partition("#")[0].rpartition(":")[2])
        for data in (garbage, upgrade):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(data)
            await writer.drain()
            writer.transport.abort()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(garbage)
        assert b" 400" in await reader.read(20)
        writer.close()
        assert (await fetch(address, "/healthz"))[0] in (200, 503)
    assert "127.0.0.1" not in caplog.text
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_connections_that_say_nothing_do_not_hold_up_a_stop(tmp_path):
    async with contextlib.AsyncExitStack() as stack:
        async with running_server(tmp_path / "server") as address:
            waiting = await stack.enter_async_context(raw_node(address))
            logged_in = await stack.enter_async_context(raw_node(address, identity(1), client_only=True))
            begun = SystemClock().monotonic()
        assert SystemClock().monotonic() - begun < 2.0
        del waiting, logged_in


async def test_who_takes_no_byte_of_the_directory_is_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "DIRECTORY_SECONDS", 0.3)
    large = b"d" * 8_000_000

    monkeypatch.setattr(DirectoryHistory, "answer", lambda *_: large)
    async with running_server(tmp_path / "server") as address:
        port = int(address.partition("#")[0].rpartition(":")[2])

        def served() -> list[object]:
            connections = psutil.Process().net_connections("tcp")
            return [one for one in connections if one.status == "ESTABLISHED" and one.laddr[1] == port]

        with socket.create_connection(("127.0.0.1", port)) as idle:
            idle.sendall(b"GET /v1/directory HTTP/1.1\r\nHost: x\r\n\r\n")
            await until(served)
            await until(lambda: not served(), 5.0)


async def test_a_host_that_cannot_be_one_is_told(tmp_path):
    init_network(tmp_path, "test", FAST)
    with pytest.raises(ConfigurationError, match="Cannot listen on"):
        await run_server(tmp_path, "..", 0)


async def test_connections_per_address_are_bounded(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "bootstrap.toml").write_text("maximum_connections_per_address = 2\n")
    async with running_server(tmp_path / "s") as address:
        async with raw_node(address, identity(1)), raw_node(address, identity(2)):
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                async with raw_node(address, identity(3)):
                    pass
            assert caught.value.status == 503
        async with raw_node(address, identity(3)):
            pass


async def test_large_requests_are_refused(tmp_path):
    async with running_server(tmp_path / "s") as address:
        url = parse_bootstrap(address).url
        status, _, _ = await fetch(address, "/healthz", x_large="x" * 20_000)
        assert status == 400
        async with aiohttp.ClientSession() as session, session.post(f"{url}/v1/genesis", data=b"x" * 5000) as response:
            assert response.status == 405


# ------------------------------------------------------------------------------------------------------ hostile servers


async def test_a_server_with_another_key_is_refused(tmp_path):
    """It shows the right genesis, but holds another key: a stranger in the server's place."""
    init_network(tmp_path / "real", "test", FAST)
    async with running_server(tmp_path / "false") as address:
        wanted = network_of(tmp_path / "real").network_id
        url = address.partition("#")[0]
        pinned = tmp_path / "1" / wanted.hex()
        pinned.mkdir(parents=True)
        (pinned / "genesis.json").write_bytes((tmp_path / "real" / "genesis.json").read_bytes())
        async with running_client(f"{url}#{wanted.hex()}", identity(1), tmp_path / "1") as client:
            await until(lambda: client.state.phase is Phase.REFUSED)
            assert "does not have the key" in client.state.reason
            assert client.directory is None


async def test_a_forged_directory_on_disk_is_not_believed(tmp_path):
    made = init_network(tmp_path / "s", "test", FAST)
    folder = tmp_path / "1" / made.network_id.hex()
    folder.mkdir(parents=True)
    (folder / "genesis.json").write_bytes((tmp_path / "s" / "genesis.json").read_bytes())
    forged, _ = sign_snapshot(identity(1), made.network_id, ChainPoint(), now(), ())
    for content in (encode(forged), b"garbage", b""):
        (folder / "directory").write_bytes(content)
        client = BootstrapClient("http://127.0.0.1:9", made.network_id, identity(1), data=tmp_path / "1")
        client.load()
        assert client.directory is None


@pytest.mark.parametrize("text", ["", "host:1", "ftp://x", "http://", "http://u:p@x", "http://x?y=1", "http://x:99999"])
def test_addresses_that_are_none(text):
    with pytest.raises(ConfigurationError):
        parse_bootstrap(text)


def test_addresses():
    parsed = parse_bootstrap(" https://boot.example.org:8900/#" + "0a" * 32)
    assert parsed.url == "https://boot.example.org:8900"
    assert parsed.network_id == b"\n" * 32
    assert parse_bootstrap("http://[::1]:1").network_id is None
    with pytest.raises(DirectoryError):
        parse_bootstrap("http://x#abc")


async def test_a_client_told_of_another_network_connects_anew_at_once(tmp_path):
    states: list[bool] = []
    async with (
        running_server(tmp_path / "server") as address,
        running_client(
            address, identity(1), tmp_path / "client", on_state=lambda state: states.append(state.published)
        ) as client,
    ):
        await until(lambda: client.state.published)
        states.clear()
        client.reconnect()
        await until(lambda: False in states)
        await until(lambda: client.state.published, 3.0)
        assert client.connected


async def test_a_node_that_logged_in_gets_a_password_for_the_turn_server(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_TURN_SECRET", "a secret of good length")
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "bootstrap.toml").write_text('turn = ["turn:turn.example.org"]\nturn_credential_seconds = 600\n')
    heard: list[OfferedServers] = []
    async with (
        running_server(tmp_path / "s") as address,
        running_client(address, identity(1), tmp_path / "1", on_ice=heard.append) as client,
        raw_node(address, identity(2)) as raw,
    ):
        await until(lambda: heard)
        (server,) = client.ice.turn
        expires, _, _ = server.username.partition(":")
        assert abs(client.ice.expires - now() - 600) < 30
        assert client.ice.expires == float(expires)
        answers = []
        for _ in range(7):
            await raw.send(IceRequest())
            answer = await raw.expect(IceServers)
            assert isinstance(answer, IceServers)
            answers.append(answer)
        assert [bool(answer.servers) for answer in answers] == [True] * 5 + [False] * 2
        assert answers[-1].problem


# --------------------------------------- deltas, ends of identities


async def test_what_has_changed_is_fetched_as_a_delta(tmp_path, monkeypatch):
    taken: list[DirectoryDelta] = []

    def apply(change: DirectoryDelta, base: SignedSnapshot) -> SignedSnapshot:
        taken.append(change)
        return apply_delta(change, base)

    monkeypatch.setattr("engine.transport.directory_keeper.apply_delta", apply)
    async with (
        running_server(tmp_path / "s") as address,
        running_client(address, identity(1), tmp_path / "1") as watcher,
        contextlib.AsyncExitStack() as stack,
    ):
        for number in range(2, 8):
            await stack.enter_async_context(running_client(address, identity(number), tmp_path / str(number)))
            await until(lambda: watcher.directory is not None and len(watcher.directory) == number)  # noqa: B023
    assert taken


async def test_a_revoked_identity_is_cut_and_never_comes_back(tmp_path):
    async with (
        running_server(tmp_path / "s") as address,
        running_client(address, identity(2), tmp_path / "2") as watcher,
        running_client(address, identity(1), tmp_path / "1") as client,
    ):
        await until(lambda: watcher.directory is not None and len(watcher.directory) == 2)
        network_id = network_of(tmp_path / "s").network_id
        url = parse_bootstrap(address).url
        async with aiohttp.ClientSession() as session:
            revocation = make_revocation(identity(1), network_id, now())
            with pytest.raises(DirectoryError, match="not known"):
                await send_statement(session, url, make_revocation(identity(3), network_id, now()))
            await send_statement(session, url, revocation)
            with pytest.raises(DirectoryError, match="revoked"):
                await send_statement(session, url, revocation)
        await until(lambda: watcher.directory is not None and identity(1).node_id in watcher.directory.ended)
        assert watcher.directory is not None
        assert identity(1).node_id not in watcher.directory
        await until(lambda: client.state.phase is Phase.REFUSED)
        assert "over" in client.state.reason
    await refuses_the_revoked(tmp_path)


async def refuses_the_revoked(tmp_path: Path) -> None:
    """The server remembers it, whatever happens to the descriptor."""
    async with (
        running_server(tmp_path / "s") as address,
        running_client(address, identity(1), tmp_path / "1") as client,
    ):
        await until(lambda: client.state.phase is Phase.REFUSED)


async def test_a_revocation_that_the_disk_would_not_take_is_on_it_before_anybody_sees_it(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.bootstrap.server.STORAGE_RETRY_SECONDS", 0.05)
    save, full = Store.save_statement, [True]

    async def save_if_there_is_room(*arguments: Any) -> None:
        if full[0]:
            raise StorageError("The disk is full.")
        await save(*arguments)

    monkeypatch.setattr(Store, "save_statement", save_if_there_is_room)
    async with (
        running_server(tmp_path / "s") as address,
        running_client(address, identity(2), tmp_path / "2") as watcher,
        running_client(address, identity(1), tmp_path / "1") as client,
    ):
        await until(lambda: watcher.directory is not None and len(watcher.directory) == 2)
        revocation = make_revocation(identity(1), network_of(tmp_path / "s").network_id, now())
        async with aiohttp.ClientSession() as session:
            for _ in range(2):  # not stored, so it is to be brought again
                with pytest.raises(BootstrapUnreachableError, match="503: The disk is full"):
                    await send_statement(session, parse_bootstrap(address).url, revocation)
            await until(lambda: client.state.phase is Phase.REFUSED)
            await asyncio.sleep(0.5)
            assert watcher.directory is not None
            assert not watcher.directory.ended
            full[0] = False
            await until(lambda: identity(1).node_id in watcher.directory.ended)
    await refuses_the_revoked(tmp_path)


async def test_nonsense_keeps_nobody_from_ending_an_identity_and_too_many_are_to_come_again(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.bootstrap.limits.STATEMENT_BURST", 1.0)
    async with (
        running_server(tmp_path / "s") as address,
        running_client(address, identity(2), tmp_path / "2") as watcher,
        running_client(address, identity(1), tmp_path / "1"),
        aiohttp.ClientSession() as session,
    ):
        await until(lambda: watcher.directory is not None and len(watcher.directory) == 2)
        url, network_id = parse_bootstrap(address).url, network_of(tmp_path / "s").network_id
        for number in range(3, 6):
            with pytest.raises(DirectoryError, match="not known"):
                await send_statement(session, url, make_revocation(identity(number), network_id, now()))
        await send_statement(session, url, make_revocation(identity(1), network_id, now()))
        with pytest.raises(BootstrapUnreachableError, match="too many"):  # a DirectoryError would end the attempts
            await send_statement(session, url, make_revocation(identity(2), network_id, now()))


async def test_a_new_identity_takes_the_place_of_the_old_one(tmp_path):
    told: list[bool] = []
    async with running_server(tmp_path / "s") as address:
        async with running_client(address, identity(1), tmp_path / "1") as client:
            await until(lambda: client.directory is not None and len(client.directory) == 1)
            assert client.directory is not None
            before = client.directory.get(identity(1).node_id)
        await asyncio.sleep(1.1)
        async with running_client(address, identity(2), tmp_path / "2", publish=False) as heir:
            heir.announce(
                lambda network_id, wall: None if told else make_succession(identity(1), identity(2), network_id, wall),
                lambda: told.append(True),
            )
            network_id = network_of(tmp_path / "s").network_id
            heir.publish(lambda: descriptor(identity(2), network_id, now()))
            await until(lambda: heir.directory is not None and identity(1).node_id in heir.directory.successors)
            assert heir.directory is not None
            after = heir.directory.get(identity(2).node_id)
            assert before is not None
            assert after is not None
            assert after.first_seen == before.first_seen
            assert heir.directory.newest(identity(1).node_id) == identity(2).node_id
            assert told == [True]
