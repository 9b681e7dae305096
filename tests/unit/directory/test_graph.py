"""Who is linked with whom, at both sides of the border between mesh and rings."""

from __future__ import annotations

import hashlib
import itertools
import struct
from array import array
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from engine.directory import graph as graph_module
from engine.directory.graph import (
    FEW_LINKS,
    SETTLE_SECONDS,
    RelayGraph,
    SettledGraph,
    introducers,
    refusal,
    ring_positions,
    stepping_stones,
    wanted_links,
)
from engine.directory.sampling import choose_paths, path_allowed
from engine.errors import TooFewRelaysError
from engine.wire.records import Parameters
from tests.support import naive_graph
from tests.support.records import NOW, seeded
from tests.support.relay_directories import beacons, directory, model_node, name, relay, ring_network

PARAMETERS = Parameters()
SMALL = Parameters(mesh_relays=4, rings=2, one_prefix=True)


def graph_of(network, parameters: Parameters = PARAMETERS) -> RelayGraph:
    graph = RelayGraph(parameters)
    graph.update(network)
    return graph


def component(graph: RelayGraph) -> int:
    """Relays that the first one reaches."""
    reached = frontier = {graph.members()[0]}
    while frontier:
        frontier = {other for one in frontier for other in graph.neighbours(one)} - reached
        reached = reached | frontier
    return len(reached)


def test_the_second_implementation_computes_the_same_places():
    beacon = beacons(0).values[0]
    expected = [naive_graph.position(beacon, ring, name(1)) for ring in range(48)]
    assert list(ring_positions(beacon, name(1), 48)) == expected


def test_places_never_change_without_a_new_version():
    """A golden vector: the places of one id under one beacon."""
    positions = ring_positions(bytes(range(32)), name(0), 6)
    assert [f"{position:016x}" for position in positions] == GOLDEN


GOLDEN = [
    "51bde9e1f6edcc7a",
    "529fd817207ee577",
    "594867b198f1781c",
    "48b7aae739761c9a",
    "d3deda5d97f813cb",
    "008bcf27d2fd06ab",
]


def test_up_to_96_relays_everybody_is_linked_with_everybody_admitted_or_not():
    graph = graph_of(directory([relay(number, 2 if number % 2 else 900) for number in range(96)]))
    assert graph.is_mesh
    assert {len(graph.neighbours(name(number))) for number in range(96)} == {95}
    assert component(graph) == 96


def test_above_there_are_rings_with_at_most_96_links():
    graph = graph_of(ring_network(300))
    assert not graph.is_mesh
    degrees = [len(graph.neighbours(name(number))) for number in range(300)]
    assert 70 < min(degrees) <= max(degrees) <= 96
    assert component(graph) == 300
    assert all(graph.are_linked(name(7), other) for other in graph.neighbours(name(7)))
    assert not graph.are_linked(name(7), name(301))


def test_a_newcomer_does_not_end_the_mesh_before_it_has_a_place():
    young = [relay(number) for number in range(96)]
    graph = graph_of(directory([*young, relay(96, admission=6)]))
    assert name(96) not in graph
    assert graph.neighbours(name(96)) == ()
    assert graph.is_near(name(1), name(96))  # its place is next
    assert len(graph) == 96
    graph.update(directory([*young, relay(96, admission=6)], beacons(6)))
    assert not graph.is_mesh
    assert component(graph) == 97


def test_a_new_network_of_many_has_a_mesh_of_the_first():
    graph = graph_of(directory(relay(number, admission=6 if number < 50 else 7) for number in range(200)))
    assert graph.is_mesh
    assert component(graph) == len(graph) == 96
    assert all(name(number) in graph for number in range(50))


def test_the_border_is_crossed_in_both_directions_with_links_that_exist():
    large, small = ring_network(97), ring_network(96)
    graph = graph_of(small)
    mesh = {number: set(graph.neighbours(name(number))) for number in range(96)}
    graph.update(large)
    for number in range(96):
        assert set(graph.neighbours(name(number))) - {name(96)} <= mesh[number]
        assert all(graph.is_near(name(number), other) for other in mesh[number])  # who still counts 96
    graph.update(small)
    assert set(graph.neighbours(name(3))) == mesh[3]


def test_absent_relays_are_skipped():
    everybody = ring_network(200)
    graph = graph_of(everybody)
    gone = graph.neighbours(name(0))
    graph.update(everybody.with_away(gone))
    assert not set(graph.neighbours(name(0))) & set(gone)
    assert 70 < len(graph.neighbours(name(0))) <= 96
    assert component(graph) == 200 - len(gone)
    graph.update(everybody)
    assert graph.neighbours(name(0)) == gone


def test_it_stays_one_component_until_nine_of_ten_have_gone():
    everybody = ring_network(500)
    graph = graph_of(everybody.with_away(name(number) for number in range(450)))
    assert component(graph) == len(graph.members()) == 50


def test_callers_within_three_places_are_taken_and_others_refused():
    graph = graph_of(ring_network(2000))
    everybody = ring_network(2000)
    refused = [number for number in range(1, 2000) if not graph.is_near(name(0), name(number))]
    assert 1600 < len(refused) < 1800  # 3 on both sides of 48 rings are 288
    assert not set(graph.neighbours(name(0))) & {name(number) for number in refused}
    view = graph_of(everybody.with_away(list(graph.neighbours(name(0)))[:1]))
    assert all(graph.is_near(name(0), other) for other in view.neighbours(name(0)))
    assert not graph.is_near(name(0), name(2001))
    assert not graph.is_near(name(0), name(0))


def test_near_are_those_that_take_links_and_some_of_them_are_stepping_stones():
    away = [name(number) for number in range(0, 300, 7)]
    network = directory(relay(number) for number in range(300)).with_away(away)
    graph = graph_of(network)
    here = name(1)
    near = graph.near(here)
    assert near == {other for other in graph.members() if graph.is_near(here, other)}
    assert near > set(graph.neighbours(here))
    client = name(1000)
    (first, *others) = graph.neighbours(here)
    assert stepping_stones(graph, here, [client]) == stepping_stones(graph, here, []) == frozenset()
    stones = stepping_stones(graph, here, [client, first])
    assert stones == (near & set(graph.neighbours(first))) - set(graph.neighbours(here))
    assert stones
    assert stepping_stones(graph, here, [first, *others[: FEW_LINKS - 1]]) == frozenset()
    mesh = graph_of(directory(relay(number) for number in range(50)))
    assert mesh.near(here) == stepping_stones(mesh, here, [name(2)]) == frozenset()


def test_only_relays_have_places():
    graph = graph_of(directory([relay(1), relay(2), model_node(3)]))
    assert graph.neighbours(name(1)) == (name(2),)
    assert name(3) not in graph


def test_places_are_drawn_anew_after_a_day_at_another_time_for_everybody():
    network = [relay(number, admission=2 + number) for number in range(150)]
    graph = graph_of(directory(network, beacons(200)), PARAMETERS)
    before = {number: graph.neighbours(name(number)) for number in range(150)}
    graph.update(directory(network, beacons(200 + 288)))
    kept = sum(len(set(before[number]) & set(graph.neighbours(name(number)))) for number in range(150))
    assert kept < 0.7 * sum(len(one) for one in before.values())  # 96 of 149 are kept by chance in two of three cases
    hour = graph_of(directory(network, beacons(200)), PARAMETERS)
    hour.update(directory(network, beacons(201)))
    moved = [number for number in range(150) if before[number] != hour.neighbours(name(number))]
    assert len(moved) <= 150


def test_in_rings_relays_link_with_neighbours_and_model_nodes_with_their_introducers():
    network = directory([*(relay(number) for number in range(200)), model_node(500), model_node(501)])
    graph = graph_of(network)
    assert wanted_links(graph, network, name(3), relays=True) == set(graph.neighbours(name(3)))
    assert wanted_links(graph, network, name(999), relays=True) == set()  # not admitted yet
    links = wanted_links(graph, network, name(500), relays=False)
    assert links == set(introducers(graph, name(500)))
    assert len(links) == 48
    assert links != wanted_links(graph, network, name(501), relays=False)
    without = network.with_away(list(links)[:1])
    moved = wanted_links(graph_of(without), without, name(500), relays=False)
    assert len(moved & links) == 47


def test_in_a_mesh_everybody_has_links_with_model_nodes():
    network = directory([*(relay(number) for number in range(20)), model_node(500)])
    graph = graph_of(network)
    assert wanted_links(graph, network, name(500), relays=False) == set(graph.members())
    assert name(500) in wanted_links(graph, network, name(3), relays=True)


def test_links_are_refused_to_relays_from_elsewhere_in_the_graph():
    network = directory([*(relay(number) for number in range(2000)), relay(2000, 99), model_node(5000)])
    graph = graph_of(network)
    near = set(graph.neighbours(name(0)))
    reasons = {number: refusal(graph, network, name(0), name(number)) for number in range(1, 2000)}
    refused = {name(number) for number, reason in reasons.items() if reason}
    assert not near & refused
    assert len(refused) > 1500
    assert all("next to mine" in reason for reason in reasons.values() if reason)
    assert refusal(graph, network, name(0), name(5000)) is None  # a model node
    assert refusal(graph, network, name(5000), name(0)) is None  # a proxy calls it
    assert refusal(graph, network, name(0), name(7000)) is None  # not listed: a client, or listed since
    assert refusal(graph, network, name(0), name(2000)) is None  # its place is not known yet


def test_a_newcomer_of_a_mesh_dials_before_it_is_listed():
    network = directory([*(relay(number) for number in range(5)), model_node(500)])
    graph = graph_of(network)
    assert wanted_links(graph, network, name(99), relays=True) == {*graph.members(), name(500)}
    full = directory(relay(number) for number in range(96))
    assert wanted_links(graph_of(full), full, name(99), relays=True) == set()


def test_clients_draw_along_links_that_had_time_to_be_made():
    settled = SettledGraph(PARAMETERS)
    settled.announce(ring_network(50), 0.0)
    assert len(settled.at(0.0)) == 50
    settled.announce(ring_network(200), 1.0)
    assert len(settled.at(1.0)) == 200  # what was a mesh has all links that its relays have in the rings
    settled.announce(ring_network(201), 2.0)
    settled.announce(ring_network(202), 5.0)
    assert len(settled.at(2.0 + SETTLE_SECONDS - 0.1)) == 200
    assert len(settled.at(2.0 + SETTLE_SECONDS)) == 201
    assert len(settled.at(2.0 + 2 * SETTLE_SECONDS)) == 202
    assert len(settled.at(1000.0)) == 202


# ------------------------------------------------------------------------------------------------------ drawing on it


def allowed_paths(graph: RelayGraph, network, guard) -> list[tuple]:
    nodes = {node.node_id: node for node in network.relays()}
    return [
        (guard, middle, proxy)
        for middle in graph.neighbours(guard)
        for proxy in graph.neighbours(middle)
        if path_allowed((nodes[guard], nodes[middle], nodes[proxy]), SMALL)
    ]


@pytest.mark.parametrize("relays", [6, 10])
def test_of_all_paths_along_links_each_is_as_likely_as_every_other(relays):
    network = ring_network(relays, parameters=SMALL)
    graph = graph_of(network, SMALL)
    allowed = allowed_paths(graph, network, name(0))
    source = seeded(5)
    counts: Counter[tuple] = Counter()
    rounds = 300 * len(allowed)
    for _ in range(rounds):
        (path,) = choose_paths(network, [name(0)], 1, 1, 3, SMALL, (), source, NOW, graph=graph)
        counts[tuple(node.node_id for node in path)] += 1
    assert set(counts) == set(allowed)
    chi_square = sum((count - 300) ** 2 / 300 for count in counts.values())
    cells = len(allowed)
    assert chi_square < cells + 5 * (2 * cells) ** 0.5  # five standard deviations


def test_two_paths_at_once_are_uniform_too():
    network = ring_network(7, parameters=SMALL)
    graph = graph_of(network, SMALL)
    first, second = (allowed_paths(graph, network, name(number)) for number in (0, 1))
    allowed = {(one, two) for one, two in itertools.product(first, second) if not set(one) & set(two)}
    source = seeded(6)
    counts: Counter[tuple] = Counter()
    for _ in range(100 * len(allowed)):
        paths = choose_paths(network, [name(0), name(1)], 2, 2, 3, SMALL, (), source, NOW, graph=graph)
        counts[tuple(tuple(node.node_id for node in path) for path in paths)] += 1
    assert set(counts) == allowed
    cells = len(allowed)
    assert sum((count - 100) ** 2 / 100 for count in counts.values()) < cells + 5 * (2 * cells) ** 0.5


def test_the_only_path_that_is_left_is_found():
    network = ring_network(60)
    parameters = Parameters(mesh_relays=10, rings=3)
    graph = graph_of(network, parameters)
    guard = name(0)
    middle = graph.neighbours(guard)[0]
    proxy = next(one for one in graph.neighbours(middle) if one != guard and one not in graph.neighbours(guard))
    others = {node.node_id for node in network.relays()} - {guard, middle, proxy}
    (path,) = choose_paths(network, [guard], 1, 1, 3, parameters, others, seeded(1), NOW, graph=graph)
    assert [node.node_id for node in path] == [guard, middle, proxy]
    with pytest.raises(TooFewRelaysError):
        choose_paths(network, [guard], 1, 1, 3, parameters, others | {middle}, seeded(1), NOW, graph=graph)


def test_who_has_no_place_is_not_drawn():
    network = directory([*(relay(number) for number in range(8)), relay(8, admission=900)], parameters=SMALL)
    graph = graph_of(network, SMALL)
    for seed in range(200):
        (path,) = choose_paths(network, [name(0)], 1, 1, 3, SMALL, (), seeded(seed), NOW, graph=graph)
        assert name(8) not in [node.node_id for node in path]
    with pytest.raises(TooFewRelaysError):
        choose_paths(network, [name(8)], 1, 1, 3, SMALL, (), seeded(1), NOW, graph=graph)


@pytest.mark.parametrize("places", [2**64, 7])
def test_rings_sorted_at_once_are_those_made_one_by_one(monkeypatch: pytest.MonkeyPatch, places: int) -> None:
    """Also where relays share a place, which never happens by chance: they stand in the order of their names."""

    def crowded(data: bytes) -> Any:
        numbers = struct.unpack(">4Q", hashlib.sha256(data).digest())
        return SimpleNamespace(digest=lambda: struct.pack(">4Q", *(number % places for number in numbers)))

    monkeypatch.setattr(graph_module, "sha256", crowded)
    placed = {name(number): bytes([number % 3]) * 32 for number in range(60)}
    rings = graph_module._sorted_rings(placed, 6)
    one_by_one = [graph_module._Ring(array("Q"), []) for _ in range(6)]
    for node_id, beacon in placed.items():
        for ring, position in zip(one_by_one, ring_positions(beacon, node_id, 6), strict=True):
            ring.insert(position, node_id)
    for ring, expected in zip(rings, one_by_one, strict=True):
        assert (ring._positions, ring._names) == (expected._positions, expected._names)
