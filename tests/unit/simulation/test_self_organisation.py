"""Relays that find their links by themselves, in simulated time; full counts in `make test-long-graph`."""

from __future__ import annotations

import pytest

from engine.directory.graph import RelayGraph, wanted_links
from engine.simulation.self_organisation.draws import Drawer, obstacle
from engine.simulation.self_organisation.run import USEFUL_SECONDS, Plan, as_text, is_useless, simulate
from engine.simulation.self_organisation.world import World
from engine.wire.records import Parameters

pytestmark = pytest.mark.timeout(300)
PARAMETERS = Parameters(mesh_relays=30, rings=12, beacon_seconds=30.0)


def test_relays_stay_linked_under_churn_without_the_server_and_across_the_border() -> None:
    plan = Plan(relays=150, minutes=15.0, returns=10, seed=4)
    report = simulate(plan)
    assert report["problems"] == [], as_text(report)
    assert report["churn"]["left"] > 40
    assert report["churn"]["came_back"] > 5
    assert report["churn"]["seconds_from_admission_to_relaying"] is not None
    assert report["server_away"]["left_at_the_end"] <= 0.1 * report["server_away"]["listed"]
    assert report["crossing"]["paths_held"] > 100
    assert "one until 9" in as_text(report)


def test_a_relay_that_knows_no_neighbour_of_the_one_it_is_linked_with_gets_to_its_own() -> None:
    """In a large graph two relays often have no neighbour in common."""
    world = World(Parameters(mesh_relays=30, rings=16), 8)
    world.settled(500)
    world.server_up = False
    found = 0
    for name in sorted(world.relays)[:40]:
        wanted = world.relays[name].wanted
        alone = [other for other in sorted(wanted) if wanted.isdisjoint(world.graph.neighbours(other))]
        if not alone:
            continue
        found += 1
        world.leave(name)
        world.run(60.0)
        relay = world.join(name)
        world.return_through(relay, wanted, world.relays[alone[0]])
        world.run(15.0)
        assert relay.relays_at is not None
        assert len(relay.links & wanted) >= 2
        if found == 6:
            break
    assert found == 6


def test_what_goes_wrong_is_named() -> None:
    report = simulate(Plan(relays=100, minutes=1.0, unreachable=0.4, returns=1))
    (problem,) = [text for text in report["problems"] if "under churn" in text]
    assert "first tries of paths" in problem
    assert any("clients that have just joined" in text for text in report["problems"])
    assert f"Problem: {problem}" in as_text(report)


def test_a_new_relay_that_gets_no_links_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(PARAMETERS, 5)
    world.settled(60)
    alone, other = world.join(), world.join()
    monkeypatch.setattr(world, "cannot_link", lambda *pair: alone.node_id in pair)
    world.run(2 * PARAMETERS.beacon_seconds + USEFUL_SECONDS)
    assert is_useless(world, alone)
    assert not is_useless(world, other)


def test_what_relays_want_is_what_the_whole_graph_says() -> None:
    """The simulation looks only at those that stand beside a change."""
    world = World(PARAMETERS, 3)
    world.settled(60)
    away = []
    for step in range(150):
        world.run(1.0)
        if step % 3 == 0:
            victim = world.random.choice(sorted(world.relays))
            world.leave(victim)
            away.append(victim)
        if step % 5 == 0:
            world.join()
        if step % 7 == 0:
            world.join(away.pop(0))
    world.run(61.0)
    graph = RelayGraph(PARAMETERS)
    graph.update(world.server.directory)
    assert not graph.is_mesh
    for node_id in world.relays:
        assert world.wants[node_id] == wanted_links(graph, world.server.directory, node_id, relays=True)


def test_the_same_seed_gives_the_same_run() -> None:
    def run() -> list[list[bytes]]:
        world = World(PARAMETERS, 5, unreachable=0.1, relayed=0.2)
        world.settled(40)
        world.leave(min(world.relays))
        world.join()
        world.run(40.0)
        return [sorted(relay.links) for _, relay in sorted(world.relays.items())]

    assert run() == run()


def test_a_path_needs_living_relays_with_links() -> None:
    world = World(PARAMETERS, 6, unreachable=0.2)
    world.settled(40)
    client = Drawer(world)
    paths = [client.draw() for _ in range(60)]
    problems = {obstacle(world, path) for path in paths}
    assert problems == {"", "the pair cannot be linked"}
    path = next(path for path in paths if not obstacle(world, path))
    world.relays[path[1]].links.discard(path[2])
    assert obstacle(world, path) == "the link is not there yet"
    world.leave(path[2])
    assert obstacle(world, path) == "a relay is dead"


def test_links_that_are_no_longer_wanted_stay_while_a_circuit_uses_them() -> None:
    world = World(PARAMETERS, 7)
    world.settled(25)
    used, unused, *_ = [frozenset((one, other)) for one in sorted(world.relays) for other in world.relays[one].links]
    world.in_use[used] = 1
    for pair in (used, unused):
        for name in pair:
            world.relays[name].wanted -= pair
        world.unwanted_since[pair] = world.now()
    world.close_unused()
    assert all(name in world.relays[peer].links for name, peer in (tuple(used), tuple(unused)))
    world.scheduler.advance(601.0)
    world.close_unused()
    one, other = used
    assert other in world.relays[one].links
    one, other = unused
    assert other not in world.relays[one].links
