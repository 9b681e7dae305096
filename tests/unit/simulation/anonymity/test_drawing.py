"""Networks to draw from, refusals, and the guess from links, each against something slower or known."""

import itertools

import numpy as np
import pytest

from engine.directory.graph import RelayGraph
from engine.simulation.anonymity import exposure, signaling
from engine.simulation.anonymity.network import make_network, ring_neighbours
from engine.simulation.anonymity.published import anonymity
from tests.support.relay_directories import ring_network

MESH = make_network(40, 1)
RINGS = make_network(400, 1)


def test_rings_are_those_of_the_rule():
    names = [bytes([number]) * 20 for number in range(9)]
    table = ring_neighbours(names, b"b" * 32, 3)
    assert table.shape == (9, 6)
    for number, row in enumerate(table):
        near = [int(other) for other in row if other >= 0]
        assert near == sorted(set(near))
        assert number not in near
        assert all(number in table[other] for other in near)
        assert 2 <= len(near) <= 6
    assert not np.array_equal(table, ring_neighbours(names, b"c" * 32, 3))


def test_rings_are_those_that_nodes_compute():
    directory = ring_network(150)
    graph = RelayGraph(directory.parameters)
    graph.update(directory)
    names = [node.node_id for node in directory.relays()]
    beacon = graph._placed[names[0]]
    assert set(graph._placed.values()) == {beacon}
    table = ring_neighbours(names, beacon, directory.parameters.rings)
    for name, row in zip(names, table, strict=True):
        assert {names[other] for other in row if other >= 0} == set(graph.neighbours(name))


@pytest.mark.parametrize("network", [MESH, RINGS], ids=["mesh", "rings"])
def test_paths_are_disjoint_and_follow_the_links(network):
    generator = np.random.default_rng(2)
    for _ in range(20):
        guards = network.guards(8, generator.bytes)
        paths = network.paths(guards[:4], generator.bytes)
        relays = [relay for path in paths for relay in path]
        assert [path[0] for path in paths] == guards[:4]
        assert len(set(relays)) == 12
        if not network.is_mesh:
            assert all(second in network.neighbours[first] for p in paths for first, second in itertools.pairwise(p))


def test_middles_and_reach_against_counting():
    linked = [set(row[row >= 0]) for row in RINGS.neighbours]
    found = signaling.middles(RINGS, 5)
    assert [found[relay] for relay in range(30)] == [
        len(linked[relay] & linked[5]) if relay != 5 else 0 for relay in range(30)
    ]
    ways = sum(1 for middle in linked[7] for last in linked[middle] if last != 7)
    assert signaling.reach(RINGS)[7] == ways


def test_likelihood_counts_every_assignment():
    guards = np.array([[0, 1, 2, 3], [4, 5, 6, 7]])
    proxies = [10, 20, 30, 40]
    linked = [set(row[row >= 0]) for row in RINGS.neighbours]
    reach = signaling.reach(RINGS)
    for row, value in zip(guards, signaling.likelihood(RINGS, guards, proxies), strict=True):
        ways = sum(
            np.prod([len(linked[guard] & linked[proxy]) for guard, proxy in zip(row, order, strict=True)])
            for order in itertools.permutations(proxies)
        )
        assert value == pytest.approx(ways / np.prod([reach[guard] for guard in row]))
    assert signaling.likelihood(RINGS, guards, [0, 20, 30, 40])[0] == 0.0


def test_the_sender_is_never_ruled_out_and_more_chats_tell_more():
    found = signaling.simulate(RINGS, 10, np.random.default_rng(4), clients=300, chats=6)
    assert all(later <= earlier for earlier, later in itertools.pairwise(found.entropy))
    assert 0 < found.entropy[-1] < found.entropy[0] < 1


@pytest.mark.parametrize("network", [MESH, RINGS], ids=["mesh", "rings"])
def test_without_refusals_drawing_agrees_with_the_formulas(network):
    found = exposure.simulate(network, 0.2, "never", 800, np.random.default_rng(5))
    assert found.draws_per_path == 1.0
    assert found.anonymity == pytest.approx(anonymity(4, 3, 0.2), abs=4 * found.standard_error)
    assert found.guard_and_proxy == pytest.approx(exposure.guard_and_proxy(4, 0.2), abs=0.05)
    assert found.guard_and_serving == pytest.approx(exposure.guard_and_serving(4, 0.2), abs=0.07)


@pytest.mark.parametrize("refusal", exposure.REFUSALS)
@pytest.mark.parametrize(("f", "expected"), [(0.0, (1.0, 0.0, 0.0)), (1.0, (0.0, 1.0, 1.0))])
def test_nobody_and_everybody_hostile(refusal, f, expected):
    found = exposure.simulate(MESH, f, refusal, 5, np.random.default_rng(6))
    assert (found.anonymity, found.guard_and_proxy, found.guard_and_serving) == expected


def test_refusing_wins_guards_and_costs_draws():
    generator = np.random.default_rng(8)
    open_to_all, picky = (exposure.simulate(MESH, 0.2, refusal, 400, generator) for refusal in exposure.REFUSALS[:2])
    assert picky.guard_and_serving > open_to_all.guard_and_serving
    assert picky.draws_per_path > 1.2


def test_who_refuses_what():
    hostile = np.array([True, False, True, False])
    path_of = {"guard": (0, 1, 3), "proxy": (1, 3, 2), "both": (0, 1, 2), "none": (1, 3, 1)}
    refused = {
        refusal: {name for name, path in path_of.items() if exposure.refuses(path, hostile, refusal)}
        for refusal in exposure.REFUSALS
    }
    assert list(refused.values()) == [set(), {"proxy"}, {"guard", "proxy"}]


def test_lasting_guards_help_over_many_chats():
    assert exposure.guard_and_proxy(4, 0.1) == pytest.approx(1 - 0.99**4)
    with_guards, without = (exposure.guard_and_proxy(4, 0.1, 12, keep_guards=keep) for keep in (True, False))
    assert with_guards < without
    hostile = np.random.default_rng(9).random((20_000, 4)) < 0.1
    drawn = np.random.default_rng(10).random((20_000, 12, 4)) < 0.1
    assert (hostile[:, None] & drawn).any(axis=(1, 2)).mean() == pytest.approx(with_guards, abs=0.015)
