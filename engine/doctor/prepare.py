"""What the doctor may use of this machine: the running engine's word, the configured network, an identity to log in."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import aiohttp

from engine.api.schema import DoctorStep, State, Worded
from engine.clock import Clock
from engine.config import Configuration
from engine.crypto.identity import Identity
from engine.demo.control import open_control
from engine.directory.genesis import GenesisRecord
from engine.doctor.examine import Examination
from engine.doctor.facts import EngineFacts
from engine.doctor.session import Visitor
from engine.errors import DirectoryError, GenTorrentError, StorageError
from engine.ids import NodeId, parse_node_id
from engine.node.saved_offer import load_offer
from engine.sentences import Said
from engine.storage.data_directory import DataDirectory, read_lock
from engine.storage.key_store import KeyStore
from engine.transport.bootstrap_state import BootstrapAddress, parse_bootstrap
from engine.transport.connectivity import tls_context
from engine.transport.directory_keeper import DirectoryKeeper
from engine.transport.ice_servers import OfferedServers
from engine.transport.saved_invitation import load_invitation

STATE_SECONDS = 5.0


async def prepare(
    configuration: Configuration,
    scratch: Path,
    clock: Clock,
    progress: Callable[[DoctorStep], None],
    *,
    bandwidth: bool,
) -> Examination:
    """An open network is visited by an identity made for this once, which leaves nothing behind. A private one admits
    only this engine's own client identity, so it is visited only while no engine uses that."""
    data = DataDirectory(Path(configuration.data_directory))
    state = await engine_state(data)
    network = state.network if state is not None else None
    text = configuration.bootstrap
    if not text and network is not None and network.bootstrap:
        text = network.bootstrap + (f"#{network.network_id}" if network.network_id else "")
        text = ",".join((text, *network.bootstrap_others))
    address = parse_bootstrap(text) if text else None
    same = network is not None and address is not None and network.bootstrap == address.url
    own = frozenset[NodeId]() if state is None else frozenset({parse_node_id(state.node_id)})
    visitor: Visitor | None = Visitor(Identity.from_seed(os.urandom(32)), scratch, own)
    offered = OfferedServers()
    genesis = _joined(address, data, clock) if address is not None else None
    if address is not None and genesis is not None:
        address = replace(address, network_id=genesis.network_id)
        saved = data.networks / genesis.network_id.hex() / "ice-client.json"
        offered = load_offer(saved, clock.wall()) or offered
        if genesis.parameters.invited_only and state is not None:
            visitor = None
        elif genesis.parameters.invited_only:
            keys = KeyStore(data.keys, clock)
            own = frozenset({keys.identity("identity").node_id})
            visitor = Visitor(keys.identity("client-identity"), data.networks, own)
    return Examination(
        address=address,
        clock=clock,
        visitor=visitor,
        offered=offered,
        engine=_engine_facts(state, clock.wall()) if state is not None and same else None,
        bandwidth=bandwidth,
        relayed_only=configuration.relayed_only,
        tls=tls_context(configuration.turn_ca),
        progress=progress,
    )


async def engine_state(data: DataDirectory) -> State | None:
    """What the engine on this data directory says of itself; None if none runs or it does not answer."""
    lock = read_lock(data.lock)
    if lock is None or not lock.port:
        return None
    with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError, GenTorrentError):
        async with asyncio.timeout(STATE_SECONDS), open_control(data, _gone) as control:
            while control.state is None:
                await control.receive()
            return control.state
    return None


def _gone() -> None:
    raise GenTorrentError("the engine has ended")


def _joined(address: BootstrapAddress, data: DataDirectory, clock: Clock) -> GenesisRecord | None:
    """The genesis of a network that this machine has joined (a private one: with an invitation), else None."""
    if not data.networks.is_dir():
        return None
    keeper = DirectoryKeeper(address.url, address.network_id, data.networks, clock, lambda _: None)
    try:
        keeper.load()
        genesis = keeper.genesis
        if genesis is not None and genesis.parameters.invited_only:
            return genesis if load_invitation(data.networks, genesis.network_id) is not None else None
    except (StorageError, DirectoryError):
        return None
    return genesis


def said_again(worded: Worded, field: str, at: int | None = None) -> str:
    """A text of the engine with what it is made of, as it was before it was sent."""
    text = getattr(worded, field) if at is None else getattr(worded, field)[at]
    parts = worded.words.get(field if at is None else f"{field}[{at}]", ())
    if not parts:
        return str(text)
    said = Said(text)
    said.parts = parts
    return said


def _engine_facts(state: State, wall: float) -> EngineFacts:
    network = state.network
    return EngineFacts(
        status=network.status,
        reason=said_again(network, "reason"),
        running_s=round(max(0.0, wall - state.started), 1),
        bootstrap_connected=network.bootstrap_connected,
        links=network.links,
        links_relayed=network.links_relayed,
        paths=network.paths,
        paths_wanted=network.paths_wanted,
        turn_server=network.turn_server,
        relayed_only=network.relayed_only,
        relaying=state.relay.on,
        relay_reason=said_again(state.relay, "reason"),
        relay_refused=state.relay.refused,
        warnings=tuple(said_again(state, "warnings", at) for at in range(len(state.warnings))),
    )
