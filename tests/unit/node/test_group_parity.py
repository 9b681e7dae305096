"""A real entry node counts what a simulated one counts: the same machines, statements and requests, seen through
``engine.node.group`` and through ``engine.simulation.forwarding.views``."""

from __future__ import annotations

import heapq
import random
from array import array
from itertools import count

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.clock import ManualClock
from engine.forwarding.policies.cost import Cost
from engine.forwarding.policies.interface import Asked
from engine.ids import NodeId
from engine.inference.types import ModelInfo
from engine.simulation.forwarding.job import Job
from engine.simulation.forwarding.news import IrregularClockwork
from engine.simulation.forwarding.node import SimulatedNode
from engine.simulation.forwarding.node_kinds import NodeKind
from engine.simulation.forwarding.trace import Prompt, Texts
from engine.simulation.forwarding.views import Group, View
from engine.transport.link import Channel
from engine.wire.group import GroupMessage, GroupNews, statement_decoder
from engine.wire.link import link_decoder
from tests.unit.node.test_group import DIGEST, Machine, directory

KIND = NodeKind(
    title="test",
    source="test",
    prefill_rate=1000.0,
    attention_seconds=0.0,
    step_seconds=0.01,
    answer_seconds=0.001,
    kv_token_seconds=0.0,
    kv_tokens=1 << 20,
    slots=4,
)
NOTHING = Texts().of(array("I"))
TICK = 0.001
BEAT_TICKS = 250


class Worker(Machine):
    """A machine whose model is a simulated one, of which its engine hears between two steps, and four times a second
    what it has heard before."""

    def __init__(self, world: World, place: int) -> None:
        self.world, self.place = world, place
        self.node = SimulatedNode(KIND)
        self.counted_at = 0.0
        self.due = self.node.next_event()
        super().__init__(world.net, world.clock, place + 1)
        self.waiting: list[bytes] = []  # the requests that the model has and has not counted
        self.beat()

    def beat(self) -> None:
        """The model counts what it has, and its engine hears it."""
        load = self.node.load()
        self.info = ModelInfo(
            model_id="m",
            digest=DIGEST,
            tokenizer_digest=b"t" * 32,
            context_length=4096,
            slots=load.slots,
            queue_tokens=load.queue_tokens,
            waiting=load.waiting,
            running=load.running,
            output_tokens=load.output_tokens,
            prefill_rate=load.prefill_rate,
            decode_rate=load.decode_rate,
            decode_rate_alone=load.decode_rate_alone,
        )
        self.counted_at = self.clock.monotonic()
        for name in self.waiting:
            self.role.uncounted.taken(name, self.counted_at)
        self.waiting.clear()
        self.role.loads_changed()

    def read_on(self, now: float) -> int:
        """Tokens by which this machine's engine reckons that the model has read on since it counted."""
        return min(round(self.info.prefill_rate * (now - self.counted_at)), self.info.queue_tokens)

    def take(self, job: Job) -> None:
        """A request begins here; the model sees it between two steps."""
        idle = self.node.idle
        name = b"r%15d" % job.key
        self.role.uncounted.begun(name, DIGEST, job.prompt_tokens, job.expected)
        assert self.node.offer(job, self.clock.monotonic())
        self.waiting.append(name)
        self.due = self.node.next_event()
        if idle:
            self.beat()

    def work(self) -> None:
        now = self.clock.monotonic()
        stepped = now >= self.due
        self.node.advance(now)
        self.due = self.node.next_event()
        if stepped:
            self.beat()

    # LinkSender

    def send(self, peer: NodeId, channel: Channel, data: bytes) -> bool:
        message = link_decoder.decode(data)
        assert isinstance(message, GroupMessage)
        if isinstance(message, GroupNews) and self._has_just_said(message):
            self.world.spoke(self)
        self.world.carry(self.place, self.world.places[peer], message)
        return True

    def _has_just_said(self, message: GroupNews) -> bool:
        said = [statement_decoder.decode(one.record) for one in message.statements if one.author == self.node_id]
        return any(one.made == self.clock.wall() for one in said)

    def round_trip(self, peer: NodeId) -> float | None:
        return 2 * float(self.world.one_way[self.place, self.world.places[peer]])


class World:
    """Machines with links of different lengths, and the simulator's view of them."""

    def __init__(self, seed: int, machines: int = 3) -> None:
        self.draw = random.Random(seed)
        self.clock = ManualClock()
        self.net: dict[NodeId, Machine] = {}
        ways = np.array([self.draw.randrange(2, 60) + 0.125 for _ in range(machines)])  # nothing arrives at a tick
        self.one_way = (ways[:, None] + ways[None, :]) * TICK
        np.fill_diagonal(self.one_way, 0.0)
        self.workers = [Worker(self, place) for place in range(machines)]
        self.places = {one.node_id: one.place for one in self.workers}
        self.names = count()
        self.under_way: list[tuple[float, int, int, int, Job | GroupMessage]] = []
        phases = [self.clock.monotonic()] * machines
        self.clockwork = IrregularClockwork(0.25, phases, self.one_way)
        nodes = [one.node for one in self.workers]
        self.group = Group(nodes, [True] * machines, self.one_way, self.clockwork)
        self.views = [View(place, self.group) for place in range(machines)]
        self.said: list[float] = [-1.0] * machines
        self.reckoned: list[dict[float, int]] = [{} for _ in range(machines)]  # statement -> tokens read on
        for one in self.workers:
            one.role.update_directory(directory(self.workers))
            one.role.offer(frozenset({"m"}))
        self.run(3.0)

    def carry(self, origin: int, target: int, what: Job | GroupMessage) -> None:
        arrives = self.clock.monotonic() + float(self.one_way[origin, target])
        heapq.heappush(self.under_way, (arrives, next(self.names), target, origin, what))

    def spoke(self, worker: Worker) -> None:
        """Its statement goes to everybody at one moment."""
        now, place = self.clock.monotonic(), worker.place
        if self.said[place] == now:
            return
        self.said[place] = now
        self.reckoned[place][now] = worker.read_on(now)
        statement = self.clockwork.next_statement(place, now)
        assert self.clockwork.made_at(place, statement, now)
        self.group.state(place, statement, early=True)

    def job(self, tokens: int) -> Job:
        return Job(next(self.names), Prompt(()), tokens, 20, 20, NOTHING, b"")

    def keep(self, place: int, tokens: int) -> None:
        self.workers[place].take(self.job(tokens))

    def forward(self, origin: int, target: int, tokens: int) -> None:
        job, asked = self.job(tokens), Asked(prompt_tokens=tokens, output_tokens=20)
        view, now = self.views[origin], self.clock.monotonic()
        view.look(now)
        view.note(job.key, target, asked, 0, now + float(self.one_way[origin, target]))
        self.workers[origin].role.sent(DIGEST, self.workers[target].node_id, tokens, 20)
        self.carry(origin, target, job)

    def run(self, seconds: float) -> None:
        for tick in range(round(seconds / TICK)):
            ends = self.clock.monotonic() + TICK
            while self.under_way and self.under_way[0][0] < ends:
                self.go_to(self.under_way[0][0])
                _, _, target, origin, what = heapq.heappop(self.under_way)
                if isinstance(what, Job):
                    self.workers[target].take(what)
                else:
                    self.workers[target].role.heard(self.workers[origin].node_id, what)
            self.go_to(ends)
            for worker in self.workers:
                due = worker.role._next_deadline()
                if (due is not None and due <= ends) or tick % BEAT_TICKS == 0:
                    worker.role._tick()

    def go_to(self, t: float) -> None:
        self.clock.advance(t - self.clock.monotonic())
        for worker in self.workers:
            worker.work()

    def compare(self, entry: int) -> int:
        """Everybody as ``entry`` sees it; how many requests only it knows of."""
        now, role, view = self.clock.monotonic(), self.workers[entry].role, self.views[entry]
        view.look(now)
        real = role.view(DIGEST)
        assert real is not None
        unseen = 0
        for worker in self.workers:
            seen, expected = real.member(worker.node_id), view.members[worker.place]
            assert seen is not None
            own = worker.place == entry
            assert seen.heard == pytest.approx(expected.heard, abs=TICK / 2)
            assert seen.round_trip == pytest.approx(expected.round_trip)
            total = seen.load.running + seen.load.waiting + seen.sent_requests
            assert total == expected.load.running + expected.load.waiting + expected.sent_requests
            if not own:
                assert seen.sent_requests == expected.sent_requests
                assert seen.sent_tokens == expected.sent_tokens
            made = max((one for one in self.reckoned[worker.place] if one <= expected.heard + TICK / 2), default=None)
            read_on = worker.read_on(now) if own else self.reckoned[worker.place].get(made or 0.0, 0)
            tokens = seen.load.queue_tokens + seen.sent_tokens + read_on
            assert tokens == expected.load.queue_tokens + expected.sent_tokens
            unseen += seen.sent_requests
        return unseen


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1 << 30))
def test_an_entry_node_counts_what_a_simulated_one_counts(seed: int) -> None:
    world = World(seed)
    draw = world.draw
    for _ in range(40):
        world.run(draw.choice((0.001, 0.01, 0.03, 0.1, 0.3)))
        origin = draw.randrange(3)
        for _ in range(draw.choice((0, 1, 1, 3))):
            if draw.random() < 0.5:
                world.keep(origin, draw.randrange(20, 800))
            else:
                world.forward(origin, (origin + draw.choice((1, 2))) % 3, draw.randrange(20, 800))
        world.compare(draw.randrange(3))
        world.compare(origin)


def test_a_forward_under_way_while_its_target_speaks_is_counted() -> None:
    """It arrives after the statement was made, and was sent before."""
    world = World(1)
    world.one_way[0, 1] = world.one_way[1, 0] = 0.08
    two = world.workers[1]
    world.run(1.0)
    spoke = world.said[1]
    while world.said[1] == spoke:
        world.run(TICK)
    world.run(0.25 - 0.04 - TICK)  # it speaks again, of a change of its load, in 40 ms
    two.info = msgspec.structs.replace(two.info, running=1)
    world.forward(0, 1, 500)
    spoke = world.said[1]
    world.run(0.13)
    assert world.said[1] > spoke
    view = world.workers[0].role.view(DIGEST)
    assert view is not None
    seen = view.member(two.node_id)
    assert seen is not None
    assert seen.load.running == 1
    assert (seen.sent_requests, seen.sent_tokens) == (1, 500)


@pytest.mark.parametrize("burst", [4, 12])
def test_a_burst_within_one_step_is_spread_as_in_the_simulator(burst: int) -> None:
    """The entry node's model is in the middle of a step, so that it counts nothing of it yet."""
    world = World(3)
    world.keep(0, 400)
    world.run(0.05)
    assert not world.workers[0].node.idle

    def targets(real: bool) -> list[int]:
        policy, draw = Cost(), random.Random(5)
        found = []
        for _ in range(burst):
            now = world.clock.monotonic()
            asked = Asked(prompt_tokens=300, output_tokens=20)
            if real:
                view = world.workers[0].role.view(DIGEST)
                assert view is not None
                target = policy.choose(asked, view, now, draw).target
                assert target is not None
                found.append(world.places[target])
            else:
                world.views[0].look(now)
                target = policy.choose(asked, world.views[0], now, draw).target
                assert target is not None
                found.append(int.from_bytes(target, "big"))
            if found[-1] == 0:
                world.keep(0, 300)
            else:
                world.forward(0, found[-1], 300)
        return found

    kept = targets(True).count(0)
    world = World(3)
    world.keep(0, 400)
    world.run(0.05)
    simulated = targets(False).count(0)
    assert abs(kept - simulated) <= 1
    assert kept <= burst / 2
