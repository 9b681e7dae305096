"""An engine's presences on bad days: a full disk when keys are due, a server that lists nonsense."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from engine.api.schema import RelayState
from engine.clock import ManualClock, SystemClock
from engine.crypto.identity import Identity
from engine.directory.graph import FEW_LINKS, RelayGraph, stepping_stones
from engine.errors import NetworkNotReadyError, StorageError
from engine.ids import NetworkId, NodeId
from engine.node import peer_presence
from engine.node.client_presence import ClientPresence
from engine.node.keys import NodeKeys
from engine.node.peer_presence import PeerPresence
from engine.node.presence import Membership, Presence
from engine.node.status import relay_state
from engine.storage.key_store import KeyStore
from engine.transport.bootstrap_client import BootstrapClient, Phase
from engine.transport.connectivity import Connectivity
from engine.transport.signal_router import DIRECT
from engine.wire.records import Parameters, Signed, descriptor_decoder
from tests.support.answering_overlay import INFO
from tests.support.bootstrap import until
from tests.support.records import NOW, genesis
from tests.support.relay_directories import directory, relay


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
    monkeypatch.setattr(peer_presence, "KEY_CHECK_SECONDS", 0.01)
    notices: list[str] = []
    keys = FullDisk()
    connectivity = Connectivity(tmp_path / "connectivity.json", ManualClock())
    membership = Membership(
        ("http://127.0.0.1:1",), None, tmp_path, ManualClock(), lambda: None, notices.append, connectivity
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


def test_who_is_not_admitted_is_told_so_with_the_question_that_finds_no_paths(tmp_path):
    clock = ManualClock(NOW)
    keys = NodeKeys(KeyStore(tmp_path / "keys", clock))
    connectivity = Connectivity(tmp_path / "connectivity.json", clock)
    membership = Membership(("http://127.0.0.1:1",), None, tmp_path, clock, lambda: None, lambda _: None, connectivity)
    presence = ClientPresence(membership, keys)
    client = presence._assemble(genesis(Parameters()))
    presence.bootstrap._status.set(phase=Phase.UNREACHABLE, reason="The server is away.")
    with pytest.raises(NetworkNotReadyError, match="directory of the network is not here yet"):
        client.is_ready(b"chat", waited=21)
    presence.bootstrap._status.set(phase=Phase.REFUSED, reason="The bootstrap server refused this node: it is over.")
    with pytest.raises(NetworkNotReadyError, match=r"refused this node: it is over\. You can also ask"):
        client.is_ready(b"chat", waited=21)


async def test_presences_that_have_ended_are_not_kept(tmp_path):
    """With --no-relay each turn of the contribute switch makes one, with a directory of its own."""
    clock = SystemClock()
    keys = NodeKeys(KeyStore(tmp_path / "keys", clock))
    connectivity = Connectivity(tmp_path / "connectivity.json", clock)
    membership = Membership(("http://127.0.0.1:1",), None, tmp_path, clock, lambda: None, lambda _: None, connectivity)
    left = []
    for presence in (
        ClientPresence(membership, keys),
        PeerPresence(membership, keys, cast(Any, None), relays=False, max_tokens_per_second=None),
    ):
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(presence.run())
            await asyncio.sleep(0.05)
            task.cancel()
        left.append(weakref.ref(presence))
    del presence, task
    gc.collect()
    assert [one() for one in left] == [None, None]


def test_an_address_where_nobody_listens_is_published_no_longer(tmp_path, monkeypatch):
    clock, notices, published = ManualClock(NOW), list[str](), list[str]()
    keys = NodeKeys(KeyStore(tmp_path / "keys", clock))
    connectivity = Connectivity(tmp_path / "connectivity.json", clock)
    membership = Membership(("http://127.0.0.1:1",), None, tmp_path, clock, lambda: None, notices.append, connectivity)
    peer = PeerPresence(
        membership,
        keys,
        cast(Any, None),
        relays=True,
        max_tokens_per_second=None,
        signaling_address="203.0.113.7:4711",
    )
    monkeypatch.setattr(peer.bootstrap, "publish", lambda _, at_once=False: published.append(peer._signaling_address))
    assert peer._listen() == ("0.0.0.0", 4711)
    peer._cannot_listen("port 4711 cannot be had: address in use")
    assert published == [""]
    assert peer._listen() is None
    assert "--signaling-address 203.0.113.7:4711" in notices[0]


def test_a_rate_that_is_off_by_half_is_published_anew_within_five_minutes(tmp_path, monkeypatch):
    clock, published, info = ManualClock(NOW), list[float](), msgspec.structs.replace(INFO, prefill_rate=700.0)
    keys = NodeKeys(KeyStore(tmp_path / "keys", clock))
    connectivity = Connectivity(tmp_path / "connectivity.json", clock)
    membership = Membership(("http://127.0.0.1:1",), None, tmp_path, clock, lambda: None, lambda _: None, connectivity)
    backend = SimpleNamespace(models=lambda: [info])
    peer = PeerPresence(membership, keys, cast(Any, backend), relays=False, max_tokens_per_second=None)
    peer.peer, peer._offered = cast(Any, object()), frozenset([info.model_id])
    peer._published = peer._models()
    monkeypatch.setattr(peer.bootstrap, "publish", lambda _, at_once=False: published.append(clock.wall()))
    for rate, seconds in ((1_000.0, 400.0), (2_000.0, 10.0), (2_000.0, 300.0)):
        info = msgspec.structs.replace(info, prefill_rate=rate)
        clock.advance(seconds)
        peer.refresh_rates()
    assert published == [NOW + 710.0]


def test_a_node_that_is_not_admitted_says_why_it_relays_nothing(tmp_path):
    clock = ManualClock(NOW)
    keys = NodeKeys(KeyStore(tmp_path / "keys", clock))
    connectivity = Connectivity(tmp_path / "connectivity.json", clock)
    membership = Membership(("http://127.0.0.1:1",), None, tmp_path, clock, lambda: None, lambda _: None, connectivity)
    peer = PeerPresence(membership, keys, cast(Any, None), relays=True, max_tokens_per_second=None)
    node = cast(Any, SimpleNamespace(peer=peer, client=object(), configuration=SimpleNamespace(relay=True)))
    peer.bootstrap._status.set(phase=Phase.CONNECTING, reason="", published=False)
    waiting = relay_state(node)
    assert (waiting.on, waiting.reason, waiting.refused) == (True, "waiting for the network", False)
    assert [sentence.code for sentence in waiting.words["reason"]] == ["contribute.waiting"]
    refused = "The bootstrap server refused this node."
    peer.bootstrap._status.set(phase=Phase.REFUSED, reason=refused)
    told = relay_state(node)
    assert (told.on, told.reason, told.refused) == (True, refused, True)
    peer.bootstrap._status.set(phase=Phase.CONNECTED, reason="", published=True)
    assert relay_state(node) == RelayState(on=True)


@pytest.mark.parametrize("invited_only", [False, True])
async def test_a_relay_refuses_links_from_relays_that_are_no_neighbours(tmp_path, invited_only):
    """Through the mesh of a whole presence: in an open network, and beside the rule of a private one."""
    clock = ManualClock(NOW)
    keys = NodeKeys(KeyStore(tmp_path / "keys", clock))
    connectivity = Connectivity(tmp_path / "connectivity.json", clock)
    membership = Membership(("http://127.0.0.1:1",), None, tmp_path, clock, lambda: None, lambda _: None, connectivity)
    presence = PeerPresence(membership, keys, cast(Any, None), relays=True, max_tokens_per_second=None)
    parameters = Parameters(invited_only=invited_only, allow_loopback=True)
    own = replace(relay(0), node_id=presence.node_id)
    listed = directory([own, *(relay(number) for number in range(1, 400))], parameters=parameters)
    presence.bootstrap._follower.directory = listed
    presence._assemble(genesis(parameters))
    assert presence.mesh is not None
    presence.mesh.router._arriving = DIRECT  # not by the server
    accept = presence.mesh._connector._accept
    graph = RelayGraph(parameters)
    graph.update(listed)
    neighbours = graph.neighbours(presence.node_id)
    assert 0 < len(neighbours) < 400
    for node in listed.nodes():
        if node.node_id != presence.node_id:
            refused = accept(node.node_id, False)
            assert (refused is None) == graph.is_near(presence.node_id, node.node_id), refused
    assert accept(next(iter(neighbours)), False) is None
    stranger = NodeId(b"stranger".ljust(20, b"."))
    assert (accept(stranger, True) is None) == (not invited_only)
    later = presence.bootstrap._follower.directory = directory(listed.nodes(), parameters=parameters)
    later.ended = frozenset(neighbours)
    assert accept(next(iter(neighbours)), False) == "this identity is over"


async def test_a_relay_without_a_server_goes_by_whom_it_can_reach_until_it_has_a_few_links(tmp_path, monkeypatch):
    clock = ManualClock(NOW)
    keys = NodeKeys(KeyStore(tmp_path / "keys", clock))
    connectivity = Connectivity(tmp_path / "connectivity.json", clock)
    membership = Membership(("http://127.0.0.1:1",), None, tmp_path, clock, lambda: None, lambda _: None, connectivity)
    presence = PeerPresence(membership, keys, cast(Any, None), relays=True, max_tokens_per_second=None)
    parameters = Parameters(allow_loopback=True)
    own = replace(relay(0), node_id=presence.node_id)
    listed = directory([own, *(relay(number) for number in range(1, 400))], parameters=parameters)
    presence.bootstrap._follower.directory = listed
    peer, _ = presence._assemble(genesis(parameters))
    mesh = presence.mesh
    assert mesh is not None
    graph = RelayGraph(parameters)
    graph.update(listed)
    neighbours = graph.neighbours(presence.node_id)
    hurried: list[int] = []
    linked: list[NodeId] = []
    monkeypatch.setattr(mesh, "bring_forward", lambda: hurried.append(len(linked)))
    monkeypatch.setattr(mesh, "links", lambda: frozenset(linked))
    assert mesh._plan.wanted == set(neighbours)
    for count in (1, FEW_LINKS, len(neighbours)):
        linked[:] = neighbours[:count]
        peer.link_up(linked[-1], False)
        more = stepping_stones(graph, presence.node_id, linked)
        assert mesh._plan.wanted == more.union(neighbours)
        assert bool(more) == (count < FEW_LINKS)
    linked[:] = [NodeId(b"client".ljust(20, b"."))]
    peer.link_up(linked[-1], True)
    assert hurried == [1, FEW_LINKS]
    linked[:] = neighbours[:1]
    monkeypatch.setattr(type(presence.bootstrap), "connected", True)
    peer.link_up(linked[-1], False)
    assert mesh._plan.wanted == set(neighbours)
    assert hurried == [1, FEW_LINKS]


@pytest.mark.parametrize("connected", [False, True])
async def test_a_relay_that_nobody_hears_of_dials_all_and_goes_on_with_each_link(tmp_path, monkeypatch, connected):
    """In a mesh, where the lower ids dial: while the server is away they cannot know that this one is back."""
    clock, changes = ManualClock(NOW), list[int]()
    keys = NodeKeys(KeyStore(tmp_path / "keys", clock))
    connectivity = Connectivity(tmp_path / "connectivity.json", clock)
    membership = Membership(("http://127.0.0.1:1",), None, tmp_path, clock, lambda: None, lambda _: None, connectivity)
    membership = replace(membership, links_changed=lambda: changes.append(1))
    presence = PeerPresence(membership, keys, cast(Any, None), relays=True, max_tokens_per_second=None)
    monkeypatch.setattr(type(presence.bootstrap), "connected", connected)
    parameters = Parameters(allow_loopback=True)
    own = replace(relay(0), node_id=presence.node_id)
    others = [relay(number) for number in range(1, 20)]
    presence.bootstrap._follower.directory = directory([own, *others], parameters=parameters)
    peer, _ = presence._assemble(genesis(parameters))
    mesh = presence.mesh
    assert mesh is not None
    everybody = {other.node_id for other in others}
    higher = {name for name in everybody if name > presence.node_id}
    assert set(mesh._plan.due(clock.monotonic(), lambda _: False, 99)) == (higher if connected else everybody)
    linked: list[NodeId] = []
    hurried: list[int] = []
    monkeypatch.setattr(mesh, "bring_forward", lambda: hurried.append(len(linked)))
    monkeypatch.setattr(mesh, "links", lambda: frozenset(linked))
    for name in sorted(everybody):
        linked.append(name)
        peer.link_up(name, False)
    assert hurried == ([] if connected else list(range(1, 10)))
    mesh.links_changed()
    assert changes == [1]


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


async def test_a_relay_at_its_limit_publishes_that_it_has_no_spare_capacity_and_takes_it_back(tmp_path, monkeypatch):
    clock = ManualClock()
    connectivity = Connectivity(tmp_path / "connectivity.json", clock)
    membership = Membership(("http://127.0.0.1:1",), None, tmp_path, clock, lambda: None, lambda _: None, connectivity)
    keys = NodeKeys(KeyStore(tmp_path / "keys", clock))
    models = SimpleNamespace(models=list)
    presence = PeerPresence(
        membership, keys, cast(Any, models), relays=True, max_tokens_per_second=None, bandwidth=125_000
    )
    parameters = Parameters(allow_loopback=True)
    record = SimpleNamespace(parameters=parameters, committee_keys=())
    genesis = SimpleNamespace(network_id=NetworkId(b"n" * 32), parameters=parameters, genesis=record)
    (tmp_path / genesis.network_id.hex()).mkdir()
    monkeypatch.setattr(BootstrapClient, "genesis", genesis, raising=False)
    published: list[tuple[bool, int]] = []

    def publish(source: Callable[[], Signed]) -> None:
        descriptor = descriptor_decoder.decode(source().record)
        published.append((descriptor.spare_capacity, descriptor.relay_bandwidth))

    monkeypatch.setattr(presence.bootstrap, "publish", publish)
    peer, _ = presence._assemble(cast(Any, genesis))
    busy = True
    monkeypatch.setattr(peer.relay, "load", lambda _now: 0.9 if busy else 0.1)
    peer._tick_relay()
    assert published == [(False, 125_000)]
    busy = False
    clock.advance(30)
    peer._tick_relay()
    assert published == [(False, 125_000)]  # not sooner than after a minute
    clock.advance(31)
    peer._tick_relay()
    assert published == [(False, 125_000), (True, 125_000)]
