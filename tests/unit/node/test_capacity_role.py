"""Whom a verifier times in an epoch, and when it says what it has found."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest

from engine.clock import ManualClock
from engine.node.capacity_role import LEAD_SECONDS, CapacityRole
from engine.verification.capacity.draw import Claimant, Rates
from engine.verification.chain.results import Material
from engine.verification.chain.state import ChainState
from engine.wire.challenges import SpeedMeasured
from engine.wire.records import ServedModel
from tests.support.judging import MODEL, Judging, judging
from tests.support.records import identity

NODES = [identity(number) for number in range(4)]


class Listed:
    """A directory as far as this role looks at it."""

    def __init__(self, nodes: list[Any]) -> None:
        self._nodes = nodes

    def nodes(self) -> list[Any]:
        return self._nodes


class Node:
    def __init__(self, number: int, *rates: float, **changes: Any) -> None:
        self.node_id = NODES[number].node_id
        self.away, self.prefix, self.first_seen = False, "10.0.0.0/16", 7
        models = tuple(
            ServedModel(f"m{place}", bytes((place,)) * 32 if place else MODEL, bytes(32), 4096, 4, rate, 9.0, 0, 0)
            for place, rate in enumerate(rates)
        )
        self.descriptor = type("Descriptor", (), {"models": models, "family": ""})()
        for name, value in changes.items():
            setattr(self, name, value)


class Asked:
    """Measures at once, or when it is let."""

    def __init__(self) -> None:
        self.asked: list[tuple[Claimant, float]] = []
        self.go = asyncio.Event()
        self.go.set()
        self.silent = False

    async def measure(self, claimant: Claimant, seconds: float) -> SpeedMeasured | None:
        self.asked.append((claimant, seconds))
        await self.go.wait()
        if self.silent:
            return None
        return SpeedMeasured(
            node=claimant.node_id,
            model=claimant.model[:8],
            claimed=int(claimant.claimed),
            tokens=100,
            short_ms=1,
            long_ms=1_001,
            waited_ms=0,
        )


def begun() -> Judging:
    network = judging(4)
    network.append(0, Material(commitments=network.commit_all(1, NODES)))
    for epoch in (1, 2, 3):
        network.judge_epoch(epoch, NODES, {NODES[3].node_id: 5_000})
    return network


def role_of(network: Judging, nodes: list[Node], *, into: float = 1.0) -> tuple[CapacityRole, Asked]:
    clock = ManualClock(network.begins(4) + into)
    role, asked = CapacityRole(network.members[0], clock), Asked()
    role.timing, role.directory, role.rates = asked, cast(Any, Listed(nodes)), Rates(unknown=0.01, known=1e9)

    async def at_once(_: float) -> None:
        await asyncio.sleep(0)

    role.sleep = at_once
    return role, asked


async def look(role: CapacityRole, state: ChainState, epoch: int = 4) -> None:
    async with asyncio.TaskGroup() as tasks:
        role.look(tasks, state, epoch)


async def test_who_gets_traffic_and_claims_a_speed_is_timed_once_an_epoch_and_reported_when_it_is_over() -> None:
    network = begun()
    assert network.state.standing_of(NODES[3].node_id).excluded
    nodes = [Node(0, 1_000.0), Node(1, 0.0), Node(2, 700.0, away=True), Node(3, 1_000.0)]
    role, asked = role_of(network, nodes)
    await look(role, network.state)
    ((claimant, seconds),) = asked.asked
    assert (claimant.node_id, claimant.model_id, claimant.claimed) == (NODES[0].node_id, "m0", 1_000.0)
    assert 0 < seconds <= LEAD_SECONDS
    await look(role, network.state)
    assert len(asked.asked) == 1
    assert role.to_show(4, network.state) == [], "while the epoch runs nodes could see who asks"
    (report,) = role.to_show(5, network.state)
    assert (report.epoch, report.member, len(report.measured)) == (4, network.members[0].public_key, 1)
    assert role.to_show(5, network.state) == []


async def test_a_member_times_no_node_of_its_own_family_nor_itself() -> None:
    network = begun()
    member = network.members[0]
    promised = network.commit(5, member, [node.node_id for node in NODES], [NODES[0].node_id[:8]])
    others = [network.commit(5, one, [node.node_id for node in NODES]) for one in network.members[1:]]
    network.append(4, Material(commitments=[promised, *others]))
    itself = Node(2, 900.0)
    itself.node_id = member.node_id
    role, asked = role_of(network, [Node(0, 900.0), Node(1, 900.0), itself], into=601.0)
    await look(role, network.state, 5)
    assert [one.node_id for one, _ in asked.asked] == [NODES[1].node_id]


async def test_of_a_node_with_several_models_another_one_is_timed_in_another_epoch() -> None:
    network = begun()
    seen = set()
    for number in range(12):
        role, asked = role_of(network, [Node(0, 900.0, 300.0)])
        found = network.state.epochs[4]
        basis = replace(found.basis, output=bytes((number,)) * 64)
        await look(role, replace(network.state, epochs={4: replace(found, basis=basis)}))
        seen |= {one.model_id for one, _ in asked.asked}
    assert seen == {"m0", "m1"}


@pytest.mark.parametrize("silent", [True, False])
async def test_what_comes_too_late_is_not_waited_for_and_not_reported_twice(silent: bool) -> None:
    network = begun()
    role, asked = role_of(network, [Node(0, 900.0), Node(1, 900.0)])
    asked.go.clear()
    asked.silent = silent
    async with asyncio.TaskGroup() as tasks:
        role.look(tasks, network.state, 4)
        await asyncio.sleep(0.01)
        assert role.to_show(5, network.state) == [], "somebody is being timed still"
        asked.go.set()
    found = role.to_show(6, network.state)
    assert [len(one.measured) for one in found] == ([] if silent else [2])


async def test_nothing_is_asked_without_a_basis_or_when_the_moment_is_past() -> None:
    network = begun()
    role, asked = role_of(network, [Node(0, 900.0)])
    await look(role, network.state, 9)
    role, late = role_of(network, [Node(0, 900.0)], into=590.0)
    await look(role, network.state)
    assert asked.asked == late.asked == []
    role = CapacityRole(network.members[0], ManualClock(network.begins(4)))
    await look(role, network.state)
    assert role.to_show(9, network.state) == []
