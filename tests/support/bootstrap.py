"""Real bootstrap servers and clients on 127.0.0.1 for tests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import aiohttp

from engine.bootstrap.init import Network, init_network, load_network
from engine.bootstrap.permits import mirror_key
from engine.bootstrap.run import run_mirror, run_server
from engine.clock import Clock, SystemClock
from engine.crypto.identity import Identity
from engine.directory.login import make_login
from engine.transport.bootstrap_client import BootstrapClient, parse_bootstrap
from engine.wire.codec import Message, encode
from engine.wire.records import Parameters, Signed
from engine.wire.signaling import Challenge, Publish, Published, Welcome, server_message_decoder
from tests.support.records import descriptor

FAST = Parameters(snapshot_seconds=0.2, allow_loopback=True)


async def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for ``condition``; ``TimeoutError`` names nothing, the caller's line does. Who asserts that it comes soon
    says how soon."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running_server(
    data: Path,
    *,
    port: int = 0,
    clock: Clock | None = None,
    parameters: Parameters = FAST,
    committee: Sequence[bytes] = (),
) -> AsyncIterator[str]:
    """A server on ``data``; its ``URL#NETWORKID``."""
    init_network(data, "test", parameters, committee=committee, clock=clock)
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(run_server(data, port=port, started=address.set_result, clock=clock))
        task.add_done_callback(lambda _: address.cancel())
        try:
            yield await address
        finally:
            task.cancel()


def admit_mirror(server: Path, mirror: Path) -> None:
    """The operator of the server in ``server`` admits the mirror in ``mirror``; before the server starts."""
    server.mkdir(exist_ok=True)
    (server / "bootstrap.toml").write_text(f'mirrors = ["{mirror_key(mirror).public_key.hex()}"]\n')


@contextlib.asynccontextmanager
async def running_mirror(data: Path, address: str, *, port: int = 0) -> AsyncIterator[str]:
    """A mirror of the server at ``address``; its own ``URL#NETWORKID``."""
    own: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(run_mirror(data, parse_bootstrap(address), port=port, started=own.set_result))
        task.add_done_callback(lambda _: own.cancel())
        try:
            yield await own
        finally:
            task.cancel()


@contextlib.asynccontextmanager
async def running_client(
    address: str, owner: Identity, data: Path, *, publish: bool = True, clock: Clock | None = None, **more
) -> AsyncIterator[BootstrapClient]:
    """A client of that server, publishing itself as a relay."""
    parsed = parse_bootstrap(address)
    times = clock or SystemClock()
    client = BootstrapClient(parsed.urls, parsed.network_id, owner, data=data, clock=clock, **more)

    def make() -> Signed:
        assert client.genesis is not None
        return descriptor(owner, client.genesis.network_id, times.wall())

    if publish:
        client.publish(make)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(client.run())
        try:
            yield client
        finally:
            task.cancel()


class RawNode:
    """A WebSocket without manners: logs in if asked to and sends what it is told."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, challenge: Challenge) -> None:
        self.socket = socket
        self.challenge = challenge

    async def send(self, message: Message | bytes) -> None:
        await self.socket.send_bytes(message if isinstance(message, bytes) else encode(message))

    async def receive(self) -> object:
        """The next message, or None when the connection is over."""
        async with asyncio.timeout(60):
            message = await self.socket.receive()
        return server_message_decoder.decode(message.data) if message.type is aiohttp.WSMsgType.BINARY else None

    async def expect(self, kind: type[Message]) -> Message:
        """The next message of this kind; others are passed over."""
        while not isinstance(message := await self.receive(), kind):
            assert message is not None, f"the connection ended before {kind.__name__}"
        return message

    async def log_in(self, owner: Identity, *, client_only: bool = False, now: float | None = None) -> None:
        now = SystemClock().wall() if now is None else now
        await self.send(make_login(owner, self.challenge, b"n" * 32, now, client_only=client_only, software="raw"))
        await self.expect(Welcome)


@contextlib.asynccontextmanager
async def raw_node(address: str, owner: Identity | None = None, *, client_only: bool = False) -> AsyncIterator[RawNode]:
    """Connected, and logged in as ``owner`` if there is one."""
    url = parse_bootstrap(address).url
    quick = aiohttp.ClientWSTimeout(ws_close=0.5)
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/v1/signaling", timeout=quick) as socket:
        challenge = server_message_decoder.decode(await socket.receive_bytes(timeout=60))
        assert isinstance(challenge, Challenge)
        node = RawNode(socket, challenge)
        if owner is not None:
            await node.log_in(owner, client_only=client_only)
        yield node


async def fetch(address: str, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """One GET."""
    url = parse_bootstrap(address).url
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    async with aiohttp.ClientSession() as session, session.get(f"{url}{path}", headers=names) as response:
        return response.status, await response.read(), {key.lower(): value for key, value in response.headers.items()}


async def post(address: str, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    """One POST."""
    url = parse_bootstrap(address).url
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}{path}", data=body, headers=names) as response,
    ):
        return response.status, await response.read()


def network_of(data: Path) -> Network:
    return load_network(data)


async def publish(address: str, clock: Clock, network: bytes, node: Identity) -> None:
    """Log in once as ``node`` and publish its descriptor."""
    async with raw_node(address) as raw:
        await raw.log_in(node, now=clock.wall())
        await raw.send(Publish(descriptor=descriptor(node, network, clock.wall(), lifetime=1800)))
        await raw.expect(Published)
