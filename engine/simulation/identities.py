"""One machine behind many identities: how many the bootstrap server lists, and what they get of paths and questions.

Who is listed follows the server's own entrance and registry, with proofs of work that are paid for by the expected
number of hashes; who stands on paths is drawn as clients draw; what questions they get, and when they are excluded,
follows duties, blocks and rules as in ``engine.simulation.verification``.
"""

from __future__ import annotations

import ipaddress
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from engine.bootstrap.configuration import OperatorConfiguration
from engine.bootstrap.entrance import Entrance
from engine.bootstrap.registry import Registry
from engine.crypto.identity import Identity
from engine.directory.descriptor import make_descriptor
from engine.directory.directory import Directory
from engine.directory.genesis import make_genesis
from engine.directory.graph import RelayGraph
from engine.directory.prefix import network_prefix
from engine.directory.sampling import WEEK_SECONDS, choose_guards, choose_paths
from engine.directory.snapshot import ChainPoint
from engine.errors import DirectoryError
from engine.ids import NodeId
from engine.simulation.anonymity.network import NOW
from engine.simulation.self_organisation.server import Server
from engine.simulation.verification.adversaries import ADVERSARIES
from engine.simulation.verification.network import SimulatedNetwork, SimulatedNode, traffic_shares
from engine.simulation.verification.recorded import Recorded, read_recorded
from engine.verification.reputation.page import OURS
from engine.wire.codec import encode
from engine.wire.receipts import WorkChallenge, WorkSolution
from engine.wire.records import Parameters

HASHES_PER_SECOND = 2**26 / 30
"""Of one core, as ``engine.directory.work`` reckons: half a minute for the dearest proof."""
HONEST = 120
"""Nodes that were there before, each with a network of its own; all relay, half of them answer."""
STANDING_EPOCHS = 12
"""In which honest nodes earn their standing before the others come."""
CHECKED_EPOCHS = 10
CHEAT = ADVERSARIES["smaller-model"]
VERIFIERS = 4
SET_UP_SECONDS = 4_000.0
"""Until all that are listed have their places among the relays."""


@dataclass(frozen=True, slots=True)
class Attack:
    """``addresses`` in ``networks`` (a /16 each, a /24 in each where there are no more); ``work``: seconds of one core
    in all; tries to list ``wanted`` identities within ``hours``."""

    name: str
    addresses: int
    networks: int
    work: float
    hours: float
    wanted: int = 512


ATTACKS = (
    Attack("1 address, 1 minute of a core, in an hour", 1, 1, 60.0, 1.0),
    Attack("1 address, 1 hour of a core, in an hour", 1, 1, 3600.0, 1.0),
    Attack("256 addresses of one /24, 1 hour of a core, in an hour", 256, 1, 3600.0, 1.0),
    Attack("16 addresses in 16 networks, 1 minute of a core, in an hour", 16, 16, 60.0, 1.0),
    Attack("16 addresses in 16 networks, 1 hour of a core, in an hour", 16, 16, 3600.0, 1.0),
    Attack("16 addresses in 16 networks, no work, in a day", 16, 16, 0.0, 24.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``networks`` for each attack; ``paths`` are drawn in each, for as many clients with four at once."""

    networks: int
    paths: int = 400
    seed: int = 1
    attacks: tuple[Attack, ...] = ATTACKS


class _PaidEntrance(Entrance):
    """Believes a proof of work for which there are hashes left, and counts them."""

    hashes = 0.0
    spent = 0.0

    def _solved(self, key: bytes, work: bytes, wall: float, price: int) -> bool:
        if not work or self.spent + 2.0**price > self.hashes:
            return False
        self.spent += 2.0**price
        return True


def simulate(plan: Plan, recorded: Recorded | None = None) -> dict[str, Any]:
    """For each attack the means over its networks."""
    recorded = recorded or read_recorded()
    return {
        "honest": HONEST,
        "networks": plan.networks,
        "epochs": CHECKED_EPOCHS,
        "attacks": {
            attack.name: _mean([_one(plan, attack, number, recorded) for number in range(plan.networks)])
            for attack in plan.attacks
        },
    }


def _mean(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.fmean(row[name] for row in rows), 5) for name in rows[0]}


def _one(plan: Plan, attack: Attack, number: int, recorded: Recorded) -> dict[str, float]:
    dice = Random(f"{plan.seed}/{attack.name}/{number}")
    listed, spent = listed_of(attack, dice)
    return {
        "listed": len(listed),
        "work_seconds": spent,
        "of_relays": len(listed) / (len(listed) + HONEST),
        **_paths(listed, plan.paths, dice),
        **_questions(len(listed), recorded, dice),
    }


# ------------------------------------------------------------------------------------------------------- being listed


def listed_of(attack: Attack, dice: Random) -> tuple[list[str], float]:
    """The prefix of each identity that the server lists, and the seconds of work that this took."""
    genesis = make_genesis("identities", bytes(32), Parameters(), NOW, dice.randbytes)
    server = Identity.from_seed(dice.randbytes(32))
    registry = Registry(genesis, server, ChainPoint(), [], 0.0)
    entrance = _PaidEntrance(
        genesis.network_id, OperatorConfiguration(), registry, dice.randbytes(32), one_machine=False
    )
    entrance.hashes = attack.work * HASHES_PER_SECOND
    addresses = _addresses(attack)
    found: list[str] = []
    for tried in range(attack.wanted):
        # At even distances, from the addresses by turns: what is cheapest where the price follows the rate.
        at, address = 3600 * attack.hours * tried / attack.wanted, addresses[tried % len(addresses)]
        owner = Identity.from_seed(dice.randbytes(32))
        try:
            asked: WorkChallenge | None = entrance.admit(owner.public_key, address, b"", NOW + at, at)
            if asked is not None:
                shown = encode(WorkSolution(asked, 0))
                asked = entrance.admit(owner.public_key, address, shown, NOW + at, at)
        except DirectoryError:
            continue
        if asked is not None:
            continue
        signed = make_descriptor(owner, genesis.network_id, NOW + at, started=NOW + at, lifetime=1800)
        member, _ = registry.accept(signed, network_prefix(address), NOW + at, at)
        member.expires = int(NOW + 3600 * attack.hours) + 1800  # it publishes again in time, which costs nothing
        entrance.came(member, address, at, is_new=True)
        found.append(member.prefix)
    return found, entrance.spent / HASHES_PER_SECOND


def _addresses(attack: Attack) -> list[str]:
    """Neighbours in each network."""
    first = int(ipaddress.ip_address("60.1.1.0"))
    return [
        str(ipaddress.ip_address(first + (place % attack.networks << 16) + place // attack.networks))
        for place in range(attack.addresses)
    ]


# -------------------------------------------------------------------------------------------------------------- paths


def _paths(listed: Sequence[str], count: int, dice: Random) -> dict[str, float]:
    """How often fake relays stand on paths: somewhere, and as guard and proxy (which connects who asks with whom), in
    their first week and when they have been there for one."""
    parameters = Parameters()
    server = Server(parameters, dice)
    for _ in range(HONEST):
        server.join(NodeId(dice.randbytes(20)), 0.0, long_ago=True)
    fake = [NodeId(dice.randbytes(20)) for _ in listed]
    for name, prefix in zip(fake, listed, strict=True):
        server.join(name, 0.0)
        listing = server.members[name].listing
        server.members[name].listing = replace(listing, prefix=prefix, availability=0.0)
    now = 0.0
    while now < SET_UP_SECONDS:
        now += 5.0
        server.tick(now)
    found: dict[str, float] = {}
    for when in ("new", "week_old"):
        if when == "week_old":
            for name in fake:
                server.members[name].listing = replace(server.members[name].listing, availability=1.0)
        drawn = _drawn(server, frozenset(fake), count, dice)
        found |= {f"{what}_{when}": value for what, value in drawn.items()}
    return found


def _drawn(server: Server, fake: frozenset[NodeId], count: int, dice: Random) -> dict[str, float]:
    parameters, directory = server.parameters, _month_old(server)
    graph = RelayGraph(parameters)
    graph.update(directory)
    paths: list[list[NodeId]] = []
    while len(paths) < count:
        guards = choose_guards(directory, dice.randbytes, NOW)
        found = choose_paths(
            directory,
            guards,
            parameters.n,
            parameters.k,
            parameters.path_length,
            parameters,
            (),
            dice.randbytes,
            NOW,
            graph=graph,
        )
        paths += ([node.node_id for node in path] for path in found)
    return {
        "on_paths": statistics.fmean(not fake.isdisjoint(path) for path in paths),
        "guard_and_proxy": statistics.fmean(path[0] in fake and path[-1] in fake for path in paths),
    }


def _month_old(server: Server) -> Directory:
    """The list of a network that is no longer young: guards have to be known there."""
    return Directory(
        (replace(member.listing, admission=member.admission.number) for member in server.members.values()),
        parameters=server.parameters,
        created=NOW - 4 * WEEK_SECONDS,
        epoch=1,
        issued=NOW,
        digest=bytes(32),
        beacons=server.beacons,
    )


# ---------------------------------------------------------------------------------------------------------- questions


def _questions(count: int, recorded: Recorded, dice: Random) -> dict[str, float]:
    """Their share of all questions, when they have just come and while they are checked; all answer with a smaller
    model."""
    sources = list(recorded.honest)
    honest = [SimulatedNode(NodeId(dice.randbytes(20)), sources[one % len(sources)]) for one in range(HONEST // 2)]
    network = SimulatedNetwork(recorded, honest, VERIFIERS, dice)
    for _ in range(STANDING_EPOCHS):
        network.run_epoch()
    fake = [SimulatedNode(NodeId(dice.randbytes(20)), sources[0], CHEAT) for _ in range(count)]
    network.join(fake)
    shares = [_share(network, fake)]
    for _ in range(CHECKED_EPOCHS):
        network.run_epoch()
        shares.append(_share(network, fake))
    excluded = [node.course.excluded for node in fake if node.course.excluded is not None]
    return {
        "of_questions": shares[0],
        "of_questions_each": shares[0] / max(1, count),
        **{f"of_questions_after_{epochs}": shares[epochs] for epochs in (1, 3, CHECKED_EPOCHS)},
        "excluded": len(excluded) / max(1, count),
        "epochs_to_last": max(excluded, default=STANDING_EPOCHS - 1) + 1 - STANDING_EPOCHS,
        "honest_excluded": sum(node.course.excluded is not None for node in honest),
    }


def _share(network: SimulatedNetwork, fake: Sequence[SimulatedNode]) -> float:
    of = [network.standings.get(node.node_id) or OURS.newcomer(node.node_id) for node in network.nodes]
    shares = dict(zip((node.node_id for node in network.nodes), traffic_shares(of), strict=True))
    return sum(shares[node.node_id] for node in fake)
