"""Starting and stopping a server: of a network that ``init_network`` made, or a mirror of one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol

from engine.bootstrap.configuration import load_configuration
from engine.bootstrap.http import DirectoryService, HttpSide
from engine.bootstrap.init import GENESIS_FILE, load_network
from engine.bootstrap.mirror import MirrorServer
from engine.bootstrap.permits import mirror_key
from engine.bootstrap.registry import Registry
from engine.bootstrap.server import BootstrapServer
from engine.bootstrap.store import DATABASE_FILE, Store
from engine.bootstrap.turn import turn_access
from engine.clock import Clock, SystemClock
from engine.crypto.identity import node_id_of
from engine.directory.genesis import MAXIMUM_FILE_LENGTH, GenesisRecord
from engine.directory.snapshot import beacons_of
from engine.directory.statements import check_statement
from engine.errors import BootstrapUnreachableError, ConfigurationError
from engine.lifeline import run_on_loop, stop_with_parent
from engine.storage.data_directory import acquire_lock
from engine.storage.files import make_directory, read_limited
from engine.transport.bootstrap_http import http_session, network_errors
from engine.transport.bootstrap_state import BootstrapAddress
from engine.transport.directory_keeper import DirectoryKeeper
from engine.wire.records import snapshot_decoder

logger = logging.getLogger("engine.bootstrap")
LOCK_FILE = "bootstrap.lock"


async def run_server(
    data: Path,
    host: str = "127.0.0.1",
    port: int = 8900,
    started: Callable[[str], None] | None = None,
    turn_server: tuple[tuple[str, ...], Path | None] = ((), None),
    clock: Clock | None = None,
) -> None:
    """Serve the network in ``data`` until cancelled.

    ``port`` 0 takes a free one. ``started`` hears the address with the network id, as ``--bootstrap`` wants it, once
    connections are taken. ``turn_server``, its addresses and the file with its secret, wins over the settings. Raises
    ``ConfigurationError`` (no network in ``data``, address in use, wrong settings), ``DataDirectoryLockedError``
    (another server runs on ``data``) or ``StorageError``.
    """
    clock = clock or SystemClock()
    network = load_network(data)
    configuration = load_configuration(data, loopback=network.genesis.parameters.allow_loopback)
    turn = turn_access(configuration, *turn_server, os.environ)
    with acquire_lock(data / LOCK_FILE, clock):
        store = await Store.open(data / DATABASE_FILE)
        try:
            members, point, snapshot = await store.load()
            statements = [
                (check_statement(signed, network.network_id, accepted), accepted)
                for signed, accepted in await store.load_statements()
            ]
            last = None if snapshot is None else snapshot_decoder.decode(snapshot.record)
            registry = Registry(
                network.genesis,
                network.server,
                point,
                members,
                clock.monotonic(),
                configuration.maximum_nodes,
                beacons=None if last is None else beacons_of(last),
                listed=None if last is None else {node_id_of(listing.descriptor.key) for listing in last.listings},
                statements=statements,
            )
            server = BootstrapServer(network, configuration, store, registry, snapshot, clock, turn)
            await server.prepare()
            await _listen(server, host, port, started)
        finally:
            store.close()


async def run_mirror(
    data: Path,
    origin: BootstrapAddress,
    host: str = "127.0.0.1",
    port: int = 8900,
    started: Callable[[str], None] | None = None,
    turn_server: tuple[tuple[str, ...], Path | None] = ((), None),
    clock: Clock | None = None,
) -> None:
    """Mirror the server at ``origin`` until cancelled; otherwise like :func:`run_server`. ``ConfigurationError`` also
    for a private network, and the first time if that server cannot be reached."""
    clock = clock or SystemClock()
    if read_limited(data / GENESIS_FILE, MAXIMUM_FILE_LENGTH) is not None:
        raise ConfigurationError(
            f"{data} holds a network of its own. A mirror needs a directory of its own: name another one with --data."
        )
    make_directory(data)
    with acquire_lock(data / LOCK_FILE, clock):
        key = mirror_key(data)
        genesis = await _genesis_of(origin, data / "networks", clock)
        if genesis.parameters.invited_only:
            raise ConfigurationError(
                f'The network "{genesis.genesis.name}" is private. A mirror has no register of its invitations, so it'
                " cannot let anybody in; only open networks can be mirrored."
            )
        configuration = load_configuration(data, loopback=genesis.parameters.allow_loopback)
        turn = turn_access(configuration, *turn_server, os.environ)
        logger.info("this mirror's key is %s", key.public_key.hex())
        await _listen(MirrorServer(origin.url, genesis, key, data, configuration, clock, turn), host, port, started)


async def _genesis_of(origin: BootstrapAddress, networks: Path, clock: Clock) -> GenesisRecord:
    keeper = DirectoryKeeper(origin.url, origin.network_id, networks, clock, lambda text: logger.warning("%s", text))
    keeper.load()
    try:
        async with http_session() as session, network_errors():
            return await keeper.ensure_genesis(session, origin.url)
    except BootstrapUnreachableError as error:
        raise ConfigurationError(
            f"Nothing of this network is here yet, and its server {origin.url} cannot be reached ({error}). Start the"
            " mirror for the first time while it can."
        ) from error


class Server(DirectoryService, Protocol):
    """What is served, and what goes on meanwhile."""

    async def keep(self) -> None:
        """Until cancelled: whatever has to be done in the background."""
        ...

    def end_sessions(self) -> None:
        """The server stops."""
        ...


async def _listen(server: Server, host: str, port: int, started: Callable[[str], None] | None) -> None:
    side = HttpSide(server)
    try:
        try:
            bound = await side.start(host, port)
        except (OSError, UnicodeError) as error:  # the latter for what cannot be a host name at all
            reason = getattr(error, "strerror", None) or error
            raise ConfigurationError(
                f"Cannot listen on {host} port {port} ({reason}). Is another server running there?"
                " Choose another address with --host and --port."
            ) from error
        shown = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
        logger.info("serving network %s", server.genesis.network_id.hex())
        async with asyncio.TaskGroup() as group:
            group.create_task(server.keep())
            if started is not None:
                started(f"http://{shown}:{bound}#{server.genesis.network_id.hex()}")
    finally:
        server.end_sessions()
        await side.stop()


def serve(running: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """What ``running`` makes, :func:`run_server` or :func:`run_mirror`, on the fastest loop there is, until Ctrl-C or
    SIGTERM; both end it cleanly."""

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        stop_with_parent(task.cancel)
        if sys.platform != "win32":
            for number in (signal.SIGTERM, signal.SIGINT):  # a shell script's "&" would have it ignore SIGINT
                asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await running()

    with contextlib.suppress(KeyboardInterrupt):
        run_on_loop(main())
