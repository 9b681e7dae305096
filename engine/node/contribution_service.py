"""Contributing for the control API: the owner's rules and pauses, what was decided, charts, totals, and the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from engine.api.schema import (
    Checks,
    Contribution,
    ContributionRequest,
    ContributionSample,
    ControlEvent,
    Device,
    DeviceSample,
    GetContribution,
    GetEvents,
    Missing,
    OwnerEvents,
    PauseContributing,
    RequestFailed,
    ResumeContributing,
    SetRules,
    Totals,
    WatchContribution,
)
from engine.clock import Clock, uptime
from engine.governor.findings import PROCESSOR
from engine.governor.needs import unseen, without_effect
from engine.governor.readings import Readings
from engine.governor.rules import Rules
from engine.node.governing import Governing, Used
from engine.node.own_results import BLOCKS
from engine.sensors.machine import NoSensors, machine_sensors
from engine.sentences import say
from engine.verification.epochs import epoch_begins
from engine.verification.reputation.rule import ONE

if TYPE_CHECKING:
    from engine.node.node import Node
    from engine.node.presence import Presence

MESSAGE_BYTES_PER_CELL = 1_100
"""About what a relayed cell takes of the connection, in and out together."""
_PROCESSOR = Device(device=PROCESSOR, name="The processor", kind="cpu", memory=psutil.virtual_memory().total)
JOULES_PER_WH = 3_600
SAMPLE_SECONDS = 0.9
"""Between two samples for charts, of which there is one a second."""


def is_private(presence: Presence | None) -> bool:
    """Whether the network of that presence admits invited machines only."""
    genesis = presence.bootstrap.genesis if presence is not None else None
    return genesis is not None and genesis.genesis.parameters.invited_only


def make_governing(node: Node, folder: Path, clock: Clock) -> Governing:
    """The governor of an engine. Until the owner chooses rules, those of its settings hold."""
    configuration = node.configuration
    fallback = Rules(relay_rate=configuration.relay_bandwidth)
    return Governing(
        folder,
        clock,
        machine_sensors(folder, clock, lambda: _own_pids(node)) if configuration.sensors else NoSensors(clock),
        fallback,
        changed=node.governed,
        used=lambda: _used(node),
        serves=lambda: node.keeper.ready,
        wanted=lambda: node.contribute_wanted,
        uptime=uptime,
    )


def _missing(rules: Rules, seen: Readings | None) -> Iterator[Missing]:
    """What cannot be measured, and which rules do nothing for that."""
    if seen is None:
        return
    for name, reason in sorted(seen.unmeasured.items()):
        yield Missing(sensor=name, reason=reason, rules=without_effect(name, rules, seen))
    for device in unseen(rules, seen):
        reason = say("governor.contention_unseen", device=device.name or device.device)
        yield Missing(sensor=f"contention:{device.device}", reason=reason)


def _own_pids(node: Node) -> set[int]:
    """Of the processes that work for this engine."""
    return node.inference.worker_pids()


def _used(node: Node) -> Used:
    mesh = node.peer.mesh if node.peer is not None else None
    relay = node.peer.peer.relay if node.peer is not None and node.peer.peer is not None else None
    return Used(
        moved=mesh.statistics().bytes_moved if mesh is not None else 0.0,
        relayed=relay.counters["cells sent"] * MESSAGE_BYTES_PER_CELL if relay is not None else 0.0,
        tokens=node.served.since_start,
    )


class ContributionService:
    """One for all clients; each that watches hears of every look and of every change."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._governing = node.governing
        self._watching: set[Callable[[ControlEvent], None]] = set()
        self._governing.heard = self._tell
        self._governing.looked = self._sample
        self._shown: Contribution | None = None
        self._tokens = (0.0, 0)
        self._sampled = 0.0

    def handle(self, request: ContributionRequest, tell: Callable[[ControlEvent], None]) -> ControlEvent:
        """Do what is asked; the reply."""
        match request:
            case GetContribution():
                pass
            case SetRules(rules=rules):
                self._governing.set_rules(rules)
            case PauseContributing(seconds=seconds):
                self._governing.pause(seconds)
            case ResumeContributing():
                self._governing.resume()
            case WatchContribution(on=on):
                (self._watching.add if on else self._watching.discard)(tell)
            case GetEvents():
                return OwnerEvents(ref=request.ref, events=tuple(self._governing.events))
            case _:
                return RequestFailed(request="", code="not_served", text="This is not known here.", ref=request.ref)
        return self._contribution(request.ref)

    def detach(self, tell: Callable[[ControlEvent], None]) -> None:
        """The client is gone."""
        self._watching.discard(tell)

    def _tell(self, event: ControlEvent) -> None:
        for tell in list(self._watching):
            tell(event)

    def _sample(self) -> None:
        """After each look at the sensors."""
        now = self._governing.clock.monotonic()
        if not self._watching or now < self._sampled + SAMPLE_SECONDS:
            return
        self._sampled = now
        node, seen, wall = self._node, self._governing.readings, self._governing.clock.wall()
        (before, counted), tokens = self._tokens, node.served.since_start
        self._tokens = (wall, tokens)
        sample = ContributionSample(
            at=wall,
            tokens_per_s=max(0.0, (tokens - counted) / (wall - before)) if 0 < wall - before < 10 else 0.0,
            answering=node.peer.serving.answering if node.peer is not None and node.peer.serving is not None else 0,
            processor_load=seen.others_load if seen else None,
            temperature=seen.temperature if seen else None,
            processor_power=seen.power if seen else None,
            power=self._governing.watts(),
            devices=tuple(
                DeviceSample(
                    device=one.device,
                    load=one.load,
                    power=one.power,
                    temperature=one.temperature,
                    memory=one.memory_used,
                )
                for one in (seen.devices if seen else ())
            ),
        )
        self._tell(sample)
        shown = self._contribution("")
        if shown != self._shown:
            self._shown = shown
            self._tell(shown)

    def _contribution(self, ref: str) -> Contribution:
        governing, decision = self._governing, self._governing.decision
        seen = governing.readings
        reasons = () if self._node.serves_now or decision.active else decision.reasons
        if decision.active and (obstacle := self._node.obstacle):
            reasons = (obstacle,)
        return Contribution(
            ref=ref,
            rules=governing.rules,
            missing=(
                *_missing(governing.rules, seen),
                *(Missing(sensor=limit, reason=reason) for limit, reason in self._node.devices.missing()),
            ),
            slowed=self._node.devices.slowed,
            devices=(
                *(
                    Device(device=one.device, name=one.name, memory=one.memory_total or 0)
                    for one in (seen.devices if seen else ())
                ),
                _PROCESSOR,
            ),
            totals=self._totals(),
            paused=bool(reasons),
            reasons=reasons,
            until=decision.until,
            pause_until=decision.pause_until,
            relay_reason=decision.relay_reason,
            problem=governing.problem,
            in_doubt=governing.in_doubt,
        )

    def _totals(self) -> Totals:
        node, month = self._node, self._governing.month
        kwh = month.kwh if month.measured else None
        price = self._governing.rules.price
        return Totals(
            tokens=node.served.since_start,
            tokens_today=node.served.today,
            tokens_month=round(month.tokens),
            answers=node.served.answers,
            kwh_month=kwh,
            cost=kwh * price if kwh is not None and price else None,
            tokens_per_wh=month.tokens / (month.joules / JOULES_PER_WH) if month.joules else None,
            gigabytes_month=month.bytes / 1e9,
            reputation=self._reputation(),
            checks=self._checks(),
        )

    def _reputation(self) -> float | None:
        """What the network's committee thinks of this machine, where it has one that has judged it."""
        peer = self._node.peer
        checked = peer.standings.checked if peer is not None and peer.standings is not None else None
        found = checked.nodes.get(peer.node_id) if peer is not None and checked is not None else None
        return found.reputation / ONE if found is not None else None

    def _checks(self) -> Checks | None:
        """What the blocks of its committee say of this machine's answers."""
        peer = self._node.peer
        found = peer.results.results if peer is not None and peer.results is not None else None
        genesis = peer.bootstrap.genesis.genesis if peer is not None and peer.bootstrap.genesis is not None else None
        if found is None or genesis is None:
            return None
        return Checks(
            passed=found.passed,
            failed=found.failed,
            undecided=found.undecided,
            last=epoch_begins(genesis, found.last) if found.answers else 0.0,
            hours=BLOCKS * genesis.parameters.epoch_seconds / 3600,
        )
