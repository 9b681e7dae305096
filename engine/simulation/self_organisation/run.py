"""``gentorrent simulate self-organisation``: what the real world does to the relays of a network, and what comes of it.

A relay comes back after between 10 s and 15 minutes; one that does not is replaced by a new one at once.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median
from typing import Any

from engine.ids import NodeId
from engine.simulation.self_organisation.draws import Drawer, Tries, obstacle
from engine.simulation.self_organisation.world import Relay, World
from engine.wire.records import Parameters

BACK_SECONDS = (10.0, 900.0)
LOOK_SECONDS = 5.0
"""Between two looks at the components."""
RETURN_SECONDS = 5.0
LEAST_OPENED = 0.9
LEAST_OPENED_NEW = 0.75
"""Of new clients: they make a few tries only, so that chance counts for more."""
USEFUL_SECONDS = 60.0
"""After its admission a new relay that lives has half of its links."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to simulate. ``churn`` is the share of the relays that leave in ten minutes, half of which come back;
    ``unreachable`` and ``relayed`` are shares of the pairs that nothing, and only a TURN server, can link."""

    relays: int = 500
    minutes: float = 20.0
    churn: float = 0.3
    unreachable: float = 0.02
    relayed: float = 0.1
    returns: int = 50
    tries_per_second: float = 2.0
    seed: int = 1


class _Churn:
    def __init__(self, world: World, per_ten_minutes: float) -> None:
        self._world = world
        self._rate = per_ten_minutes / 600.0 * len(world.relays)
        self.running = True
        self.left = self.back = 0
        self.new: list[Relay] = []
        self._next()

    def _next(self) -> None:
        if self._rate > 0:
            self._world.scheduler.call_later(self._world.random.expovariate(self._rate), self._leave)

    def _leave(self) -> None:
        if not self.running:
            return
        world = self._world
        victim = world.random.choice(list(world.relays))
        world.leave(victim)
        self.left += 1
        if world.random.random() < 0.5:
            world.scheduler.call_later(world.random.uniform(*BACK_SECONDS), partial(self._return, victim))
        else:
            self.new.append(world.join())
        self._next()

    def _return(self, node_id: NodeId) -> None:
        if self.running:
            self.back += 1
            self._world.join(node_id)


def simulate(plan: Plan, say: Say = lambda _: None) -> dict[str, Any]:
    """All of it, as a report; ``problems`` names what is not as it should be."""
    world = World(Parameters(), plan.seed, unreachable=plan.unreachable, relayed=plan.relayed)
    world.settled(plan.relays)
    say(f"{plan.relays} relays are linked")
    report: dict[str, Any] = {"plan": asdict(plan)}
    report["churn"] = _churn(world, plan, say)
    world.server_up = False
    report["server_away"] = {"returns": _returns(world, plan)}
    say("relays came back without the server")
    report["server_away"] |= _dwindle(world)
    report["crossing"] = _crossing(plan)
    say("the border of the mesh was crossed both ways")
    report["problems"] = _problems(report)
    return report


def _churn(world: World, plan: Plan, say: Say) -> dict[str, Any]:
    churn = _Churn(world, plan.churn)
    client, tries, newcomers = Drawer(world), Tries(), Tries()
    parts: list[list[int]] = []
    for step in range(int(plan.minutes * 60 / LOOK_SECONDS)):
        world.run(LOOK_SECONDS)
        world.close_unused()
        parts.append(world.components())
        for _ in range(round(LOOK_SECONDS * plan.tries_per_second)):
            client.try_once(tries)
        if step % 12 == 0:
            newcomer = Drawer(world)  # has just joined: uses the directory as it gets it
            for _ in range(4):
                newcomer.try_once(newcomers)
            newcomer.close()
            say(f"minute {step // 12}: {len(world.relays)} relays, {len(parts[-1])} component(s)")
    churn.running = False
    client.close()
    waits = sorted(
        relay.useful_at - admitted
        for relay in churn.new
        if relay.useful_at is not None and (admitted := _admitted_at(world, relay)) is not None
    )
    return {
        "left": churn.left,
        "came_back": churn.back,
        "joined": len(churn.new),
        "relays_at_the_end": len(world.relays),
        "looks": len(parts),
        "most_components": max(len(sizes) for sizes in parts),
        "paths": tries.as_json(),
        "paths_of_new_clients": newcomers.as_json(),
        "seconds_from_admission_to_relaying": _spread(waits),
        "never_relaying": sum(is_useless(world, relay) for relay in churn.new),
    }


def _admitted_at(world: World, relay: Relay) -> float | None:
    """When the beacon that fixes its place was made."""
    member = world.server.members.get(relay.node_id)
    if member is None:
        return None
    return (member.admission.number - world.server.first_beacon) * world.parameters.beacon_seconds


def is_useless(world: World, relay: Relay) -> bool:
    """Whether a new relay that lives has not half of its links so long after its admission."""
    admitted = _admitted_at(world, relay)
    late = admitted is not None and world.now() > admitted + USEFUL_SECONDS
    return late and relay.useful_at is None and relay.alive


def _returns(world: World, plan: Plan) -> dict[str, Any]:
    """Listed relays go away, and come back a minute later when the server is away: each finds one neighbour."""
    first: list[float] = []
    half: list[float] = []
    for _ in range(plan.returns):
        listed = [name for name in sorted(world.relays) if name in world.graph and world.relays[name].wanted]
        name = world.random.choice(listed)
        wanted = world.relays[name].wanted
        world.leave(name)
        world.run(60.0)
        relay = world.join(name)
        begun = world.now()
        near = [other for other in sorted(wanted & world.relays.keys()) if not world.cannot_link(name, other)]
        world.return_through(relay, wanted, world.relays[world.random.choice(near)])
        world.run(4 * RETURN_SECONDS)
        for at, waits in ((relay.relays_at, first), (relay.useful_at, half)):
            if at is not None:
                waits.append(at - begun)
    late = plan.returns - sum(wait <= RETURN_SECONDS for wait in first)
    return {
        "count": plan.returns,
        "later_than_5_s": late,
        "seconds_to_first_path": _spread(first),
        "seconds_to_half_of_the_links": _spread(half),
        "with_half_of_the_links_after_20_s": len(half),
    }


def _dwindle(world: World) -> dict[str, Any]:
    """Relays of the last snapshot leave, without the server, until a tenth is left."""
    listed = [name for name in sorted(world.relays) if name in world.graph]
    total = sum(node.descriptor.relay and node.node_id in world.graph for node in world.server.directory.nodes())
    order = world.random.sample(listed, len(listed))
    gone, most = total - len(listed), 1
    gone_in_one_piece = gone / total
    while order and gone < 0.9 * total:
        step = min(max(1, total // 50), math.ceil(0.9 * total) - gone)
        for name in order[:step]:
            world.leave(name)
        gone += step
        del order[:step]
        world.run(10.0)
        parts = world.components()
        most = max(most, len(parts))
        if most == 1:
            gone_in_one_piece = gone / total
    return {
        "listed": total,
        "left_at_the_end": len(order),
        "most_components": most,
        "one_component_until_gone": round(gone_in_one_piece, 3),
    }


def _crossing(plan: Plan) -> dict[str, Any]:
    """From 80 relays to 130 and back, with paths open all the time whose relays live."""
    world = World(Parameters(), plan.seed, unreachable=plan.unreachable, relayed=plan.relayed)
    world.settled(80)
    client, tries = Drawer(world), Tries()
    held: list[tuple[NodeId, ...]] = []
    broken, most, kinds = 0, 1, [world.graph.is_mesh]
    newcomers: list[NodeId] = []

    def pass_time(seconds: float) -> None:
        nonlocal broken, most, held
        for _ in range(int(seconds / LOOK_SECONDS)):
            world.run(LOOK_SECONDS)
            world.close_unused()
            most = max(most, len(world.components()))
            path = client.try_once(tries)
            if path is not None:
                held.append(path)
                for pair in itertools.pairwise(path):
                    world.in_use[frozenset(pair)] = 1
            held = [path for path in held if all(name in world.relays for name in path)]
            cut = [path for path in held if obstacle(world, path)]
            broken += len(cut)
            held = [path for path in held if path not in cut]
            if world.graph.is_mesh != kinds[-1]:
                kinds.append(world.graph.is_mesh)

    for _ in range(50):
        newcomers.append(world.join().node_id)
        pass_time(LOOK_SECONDS)
    pass_time(3 * world.parameters.beacon_seconds)
    largest = len(world.relays)
    for name in newcomers:
        world.leave(name)
        pass_time(2 * LOOK_SECONDS)
    pass_time(2400.0)  # until their descriptors have expired
    return {
        "largest": largest,
        "mesh": kinds,
        "most_components": most,
        "paths": tries.as_json(),
        "paths_held": len(held),
        "broken_although_their_relays_live": broken,
    }


def _spread(values: list[float]) -> dict[str, float] | None:
    if not values:
        return None
    ordered = sorted(values)
    largest = ordered[-1]
    late = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {"median": round(median(ordered), 2), "95 %": round(late, 2), "largest": round(largest, 2)}


def _problems(report: dict[str, Any]) -> list[str]:
    churn, away, crossing = report["churn"], report["server_away"], report["crossing"]
    found = []
    if churn["most_components"] > 1 or crossing["most_components"] > 1:
        found.append("the relays fell into more than one component")
    for name, part in (("under churn", churn), ("when the border was crossed", crossing)):
        opened = part["paths"]["opened"]
        if opened is None or opened < LEAST_OPENED:
            found.append(f"of the first tries of paths {name} only {opened} opened")
    new = churn["paths_of_new_clients"]["opened"]
    if new is not None and new < LEAST_OPENED_NEW:
        found.append(f"of the paths of clients that have just joined only {new} opened")
    if churn["never_relaying"]:
        found.append(
            f"{churn['never_relaying']} new relays got no links for {USEFUL_SECONDS:.0f} s after their admission"
        )
    if away["most_components"] > 1:
        found.append("without the server the relays fell into more than one component")
    if away["returns"]["later_than_5_s"]:
        found.append(f"{away['returns']['later_than_5_s']} returning relays took longer than 5 s")
    if crossing["broken_although_their_relays_live"]:
        found.append("crossing the border broke open paths")
    if crossing["mesh"] != [True, False, True]:
        found.append("the border was not crossed both ways")
    return found


def as_text(report: dict[str, Any]) -> str:
    """For people."""
    plan, churn, away, crossing = (report[name] for name in ("plan", "churn", "server_away", "crossing"))
    lines = [
        f"{plan['relays']} relays for {plan['minutes']:g} minutes, {plan['churn']:.0%} of them leaving in ten:",
        f"{churn['left']} left, {churn['came_back']} came back, {churn['joined']} joined.",
        f"Components at {churn['looks']} looks: at most {churn['most_components']}.",
        f"Of {churn['paths']['tries']} paths {churn['paths']['opened']:.1%} open at the first try; not the others:",
        f"    {churn['paths']['failed']}",
        f"Of clients that have just joined {churn['paths_of_new_clients']['opened']:.1%} do.",
        f"Seconds from admission to relaying: {churn['seconds_from_admission_to_relaying']}.",
        f"Without the server: at most {away['most_components']} component(s) while relays of the last snapshot left;",
        f"    one until {away['one_component_until_gone']:.0%} had gone.",
        f"Relays back through one neighbour can carry a path after {away['returns']['seconds_to_first_path']} s",
        f"    and have half of their links after {away['returns']['seconds_to_half_of_the_links']} s.",
        f"From 80 relays to {crossing['largest']} and back: {crossing['paths_held']} paths held open,",
        f"    {crossing['broken_although_their_relays_live']} broken.",
        *(f"Problem: {problem}" for problem in report["problems"]),
    ]
    return "\n".join(lines)
