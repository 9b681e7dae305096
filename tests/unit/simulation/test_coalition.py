"""Relays that conspire; full counts in `make test-long-graph`."""

from __future__ import annotations

import random

import numpy as np
import pytest

from engine.directory.graph import RelayGraph, ring_positions
from engine.ids import NodeId
from engine.simulation.coalition.attempts import LIMITS, OTHERS, OURS, SILENCE, Attempt, Refusal, refused_by
from engine.simulation.coalition.client import Client
from engine.simulation.coalition.network import make_network
from engine.simulation.coalition.placement import best_together, grind, places
from engine.simulation.coalition.run import Plan, as_text, judge, shares, simulate
from engine.wire.records import Parameters

pytestmark = pytest.mark.timeout(300)
PARAMETERS = Parameters(mesh_relays=30, rings=8, beacon_seconds=30.0)
PLAN = Plan(relays=160, chats=4)


def test_a_coalition_gets_its_share_by_its_places_and_much_more_where_relays_declare_their_neighbours() -> None:
    report = simulate(PLAN, parameters=PARAMETERS)
    assert report["problems"] == [], as_text(report)
    rows = {row["attempt"]: row["of_paths_in_use"] for row in report["attempts"]}
    assert list(rows) == [attempt.name for attempt in (*OURS, *OTHERS, *LIMITS)]
    assert rows["self-declared neighbours: lies"]["all_three"]["times_share"] > 10
    for attempt in OURS:
        assert rows[attempt.name]["guard_and_proxy"]["captured"] < 0.5 * 0.2  # of what the lie gets, which is f
    assert "guard and proxy of 3.9" in as_text(report)
    assert "self-declared neighbours: lies " in as_text(report)


@pytest.mark.parametrize("attempt", [attempt for attempt in OURS if not attempt.refuses], ids=lambda one: one.name)
def test_over_all_paths_of_a_graph_guard_and_proxy_are_hostile_as_often_as_by_chance(attempt: Attempt) -> None:
    """Counted over every path from every guard instead of drawn."""
    network = make_network(attempt, 200, 0.2, PARAMETERS, 9)
    names = sorted(network.graph.placed())
    numbers = {name: number for number, name in enumerate(names)}
    linked = np.zeros((200, 200))
    for name in names:
        linked[numbers[name], [numbers[other] for other in network.graph.neighbours(name)]] = 1
    hostile = np.array([name in network.hostile for name in names])
    ways = linked @ linked
    np.fill_diagonal(ways, 0)
    captured = (ways[hostile][:, hostile].sum(1) / ways[hostile].sum(1)).sum() / 200
    assert captured == pytest.approx(shares(Plan(relays=200), 4)["guard_and_proxy"], rel=0.06)


def test_refusing_makes_paths_fail_but_every_chat_gets_its_paths() -> None:
    refusing = next(attempt for attempt in OURS if attempt.refusal == "unless guard and proxy are")
    report = simulate(PLAN, parameters=PARAMETERS, attempts=(OURS[0], refusing))
    quiet, refused = report["attempts"]
    assert quiet["paths_drawn"] - quiet["paths_in_use"] == 4 * 2 * (160 // 8)  # the spare ones of each client
    assert refused["paths_drawn"] > 1.5 * quiet["paths_drawn"]
    assert quiet["chats_without_all_paths"] == refused["chats_without_all_paths"] == 0


def test_what_is_not_as_it_should_be_is_named() -> None:
    rows = simulate(Plan(relays=120, chats=2), parameters=PARAMETERS, attempts=(OURS[1], OURS[4], OTHERS[0]))[
        "attempts"
    ]
    ground, refused, declared = rows
    ground["of_paths_in_use"]["all_three"] = {"captured": 0.5, "times_share": 60.0, "standard_error": 0.1}
    refused["of_paths_in_use"]["guard_and_proxy"]["captured"] = 0.9
    declared["of_paths_in_use"]["all_three"] = {"captured": 0.008, "times_share": 1.0, "standard_error": 0.01}
    problems = judge(rows)
    assert any("grinds keys: all three is 60.0 times its share" in problem for problem in problems)
    assert any("no less than where relays declare" in problem for problem in problems)
    assert any("does not show" in problem for problem in problems)


def test_shares() -> None:
    found = shares(Plan(relays=10, share=0.2), 4)
    assert found["guard_and_proxy"] == pytest.approx(2 / 90)
    assert found["all_three"] == 0
    assert found["answers"] == pytest.approx(1 - (1 - 2 / 90) ** 4)


@pytest.mark.parametrize(
    ("path", "refusal", "says_no"),
    [
        ("hhh", "never", None),
        ("...", "unless all three are", None),
        ("hhh", "unless all three are", None),
        ("h.h", "unless all three are", 2),
        ("h.h", "unless guard and proxy are", None),
        ("hh.", "unless guard and proxy are", 1),
        ("h..", "unless guard and proxy are", 0),
        ("h..", "unless the guard is its own", None),
        (".h.", "unless the guard is its own", SILENCE),
    ],
)
def test_who_refuses_a_path(path: str, refusal: Refusal, says_no: int | None) -> None:
    assert refused_by([relay == "h" for relay in path], refusal) == says_no


def test_grinding_puts_friends_side_by_side_if_the_beacon_counts_and_only_then() -> None:
    source = random.Random(1)
    beacon, later = source.randbytes(32), source.randbytes(32)
    others = [NodeId(source.randbytes(20)) for _ in range(100)]
    chosen = grind(places(others, [beacon] * 100, 8), beacon, 20, 50, lambda: NodeId(source.randbytes(20)))
    assert len(set(chosen)) == 20
    assert _friends(others, chosen, beacon) > 1.4 * _friends(others, chosen, later)


def test_the_best_of_a_stock_stand_together() -> None:
    source = random.Random(2)
    beacon = source.randbytes(32)
    others, stock = ([NodeId(source.randbytes(20)) for _ in range(100)] for _ in range(2))
    table = places(others, [beacon] * 100, 8), places(stock, [beacon] * 100, 8)
    rows = best_together(*table, 20)
    assert len(set(rows)) == 20
    best, first = [stock[row] for row in rows], stock[:20]
    assert _friends(others, best, beacon) > 1.3 * _friends(others, first, beacon)


def test_places_are_those_of_the_graph() -> None:
    table = places([NodeId(bytes(20)), NodeId(b"\1" * 20)], [b"a" * 32, b"b" * 32], 6)
    assert table.dtype == np.uint64
    assert tuple(table[1].tolist()) == ring_positions(b"b" * 32, NodeId(b"\1" * 20), 6)


def _friends(others: list[NodeId], own: list[NodeId], beacon: bytes) -> int:
    """Neighbours of one's own in all rings, counted the slow way."""
    names = [*others, *own]
    met = 0
    for ring in range(8):
        order = sorted(names, key=lambda name: ring_positions(beacon, name, 8)[ring])
        met += sum(one in own and other in own for one, other in zip(order, [*order[1:], order[0]], strict=True))
    return met


@pytest.mark.parametrize("attempt", [*OURS, *OTHERS, *LIMITS], ids=lambda attempt: attempt.name)
def test_every_network_has_so_many_relays_with_a_place_and_the_share_of_them_is_hostile(attempt: Attempt) -> None:
    network = make_network(attempt, 100, 0.2, PARAMETERS, 3)
    placed = set(network.graph.placed())
    assert len(placed) == 100
    assert len(network.hostile) == 20
    assert network.hostile < placed
    assert not network.graph.is_mesh


def test_places_outlast_absence_only_without_readmission() -> None:
    """The woken ones stand elsewhere than where they were chosen for."""
    found = {}
    for attempt in (OURS[2], OTHERS[3]):
        network = make_network(attempt, 150, 0.2, PARAMETERS, 4)
        friends = [len(network.hostile.intersection(network.graph.neighbours(name))) for name in network.hostile]
        found[attempt.rules] = sum(friends) / len(friends)
    assert found["no readmission"] > 1.3 * found["ours"]


def test_what_relays_declare_is_believed_only_in_the_other_network() -> None:
    lying = make_network(OTHERS[0], 100, 0.2, PARAMETERS, 5)
    assert all(lying.hostile.issuperset(lying.graph.neighbours(name)) for name in lying.hostile)
    honest = next(name for name in lying.graph.placed() if name not in lying.hostile)
    known = RelayGraph(PARAMETERS)
    known.update(lying.directory)
    assert lying.graph.neighbours(honest) == known.neighbours(honest)


def test_a_client_gets_paths_for_each_chat_through_its_own_guards() -> None:
    network = make_network(OURS[0], 100, 0.2, PARAMETERS, 6)
    guards = sorted(network.graph.placed())[:8]
    counts = Client(network, lambda _: None, guards, random.Random(1)).ask(3)
    assert [len(chat) for chat in counts.chats] == [4, 4, 4]
    for chat in counts.chats:
        assert len({name for path in chat for name in path}) == 12
        assert {path[0] for path in chat} <= set(guards)
        for guard, middle, proxy in chat:
            assert middle in network.graph.neighbours(guard)
            assert proxy in network.graph.neighbours(middle)
    assert len(counts.drawn) == 16
    assert counts.retired == []


def test_a_guard_that_refuses_in_person_is_retired() -> None:
    network = make_network(OURS[0], 100, 0.2, PARAMETERS, 7)
    guards = sorted(network.graph.placed())[:8]
    bad = guards[0]
    counts = Client(network, lambda path: 0 if path[0] == bad else None, guards, random.Random(1)).ask(40)
    assert counts.retired == [bad]
    assert all(path[0] != bad for chat in counts.chats for path in chat)
