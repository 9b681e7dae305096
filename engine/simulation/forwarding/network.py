"""The group in simulated time: arrivals, entry nodes, forwards, refusals, statements.

Events are kept in one heap. A request arrives at an entry node, drawn uniformly; a policy of its own there chooses who
serves. A forward costs half a round trip there, and its answer half a round trip back. Later turns of a session go
straight to the node that served the last one, until it refuses. A refused request is tried again at the best
alternative, or at another entry node.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.forwarding.policies.interface import Asked, Policy
from engine.forwarding.policies.registry import by_name
from engine.forwarding.reckoning import Interjections, mistaken
from engine.simulation.forwarding.job import Job
from engine.simulation.forwarding.measures import Outcome
from engine.simulation.forwarding.news import Clockwork, IrregularClockwork, place_of
from engine.simulation.forwarding.node import SimulatedNode
from engine.simulation.forwarding.node_kinds import NodeKind
from engine.simulation.forwarding.trace import Prompt, Request
from engine.simulation.forwarding.views import Group, TrueView, View

ORACLE = "oracle"
"""The policy ``cost`` that knows the truth at once, on nodes that never evict."""
NOTICED = 0.5
"""Seconds after which a client notices that the node of its answer is gone, and an entry node that of its forward."""
SILENT = 3.0
"""Seconds of silence after which members leave one out."""
TRIES = 3
"""Nodes that a request is offered to before its user reads a refusal."""
_FIRST_EXPECTED = 256  # output tokens, until an answer was seen
_SMOOTH = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to simulate. ``kinds``: of the nodes, repeated in this order. Delays in seconds."""

    policy: str
    kinds: Sequence[NodeKind]
    nodes: int = 8
    parameters: dict[str, float | str] = field(default_factory=dict)
    newcomers: float = 0.0  # share of the nodes without standing
    beliefs: bool = True  # entry nodes believe others as far as they measure them (``engine.forwarding.beliefs``)
    overstating: float = 0.0  # share of the nodes that say they are ten times as fast as they are
    poisoning: float = 0.0  # share of the nodes that say they hold what anybody holds, first those that overstate
    denying: bool = False  # these say so with their answers, too
    doubts: bool = False  # members leave out of look-ups who did not hold what it had said
    gossip_seconds: float = 1.0
    interject: bool = False  # members speak before their turn when others would reckon wrongly
    access: tuple[float, float] = (0.002, 0.013)  # one way, from a node into the network; uniform
    churn_per_minute: float = 0.0  # share of the nodes that die without a word
    away_seconds: float = 60.0  # mean, until such a node comes back with an empty cache
    seed: int = 1
    entries: Sequence[int] = ()  # node that each request is put to, where that is known; -1 or none: drawn


@dataclass(slots=True, eq=False)
class _Try:
    """A request on its way to a node or there."""

    request: Request
    entry: int
    tries: int
    asked: tuple[int, ...]  # nodes that have refused it
    back: float = 0.0  # seconds of the answer's way that a forward adds
    alternatives: tuple[int, ...] = ()
    pinned: bool = False
    written: int = 0  # output tokens that the client has from nodes that left
    promised: int = 0  # tokens of the prompt that the node was said to hold


class Network:
    """One simulation. :meth:`run` plays a trace and returns what became of each request."""

    def __init__(self, plan: Plan) -> None:
        draw = random.Random(f"network {plan.seed}")
        count = plan.nodes
        self.plan = plan
        self.oracle = plan.policy == ORACLE
        newcomers = set(draw.sample(range(count), round(plan.newcomers * count)))
        access = np.array([draw.uniform(*plan.access) for _ in range(count)])
        one_way = access[:, None] + access[None, :]
        np.fill_diagonal(one_way, 0.0)
        self._interjections = [Interjections() for _ in range(count if plan.interject else 0)]
        clockwork = IrregularClockwork if plan.interject else Clockwork
        phases = [draw.random() * plan.gossip_seconds for _ in range(count)]
        self.group = Group(
            nodes=[SimulatedNode(plan.kinds[place % len(plan.kinds)], unlimited=self.oracle) for place in range(count)],
            established=[place not in newcomers for place in range(count)],
            one_way=one_way,
            clockwork=clockwork(plan.gossip_seconds, phases, one_way),
            beliefs=plan.beliefs,
            overstating=frozenset(draw.sample(range(count), round(plan.overstating * count))),
        )
        self.group.doubts, self.group.denying = plan.doubts, plan.denying
        self.group.poisoning = frozenset(self._first_liars(draw, round(plan.poisoning * count)))
        view = TrueView if self.oracle else View
        self.views: list[View] = [view(place, self.group) for place in range(count)]
        name = "cost" if self.oracle else plan.policy
        self.policies: list[Policy] = [by_name(name, **plan.parameters) for _ in range(count)]
        self._draw = random.Random(f"choices {plan.seed}")
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._events = 0
        self._tries: dict[int, _Try] = {}
        self._pins: dict[str, int] = {}
        self._expected = float(_FIRST_EXPECTED)
        self._open = 0  # requests that have not been answered or refused
        self.outcomes: list[Outcome] = []
        self.now = 0.0

    def _first_liars(self, draw: random.Random, count: int) -> list[int]:
        overstating = sorted(self.group.overstating)
        others = [place for place in range(len(self.group.nodes)) if place not in self.group.overstating]
        return [*overstating, *draw.sample(others, len(others))][:count]

    def run(self, requests: Sequence[Request]) -> list[Outcome]:
        """Play the trace to its end. The outcomes are in the order of the requests."""
        self.outcomes = [Outcome(request.t, request.prompt_tokens, request.output_tokens) for request in requests]
        self._open = len(requests)
        for place in range(len(self.group.nodes)):
            self._at(self.group.clockwork.time(place, 0), self._state, place, 0)
        arrivals = iter(requests)
        self._next_arrival(arrivals)
        if self.plan.churn_per_minute:
            for place in range(len(self.group.nodes)):
                self._at(self._lifetime(), self._leave, place)
        heap = self._heap
        while heap and self._open:
            self.now, _, action, arguments = heapq.heappop(heap)
            action(*arguments)
        return self.outcomes

    # --------------------------------------------------------------------------------------------------------- events

    def _at(self, t: float, action: Callable[..., None], *arguments: Any) -> None:
        self._events += 1
        heapq.heappush(self._heap, (t, self._events, action, arguments))

    def _next_arrival(self, arrivals: Any) -> None:
        request = next(arrivals, None)
        if request is not None:
            self._at(request.t, self._arrive, request, arrivals)

    def _arrive(self, request: Request, arrivals: Any) -> None:
        self._next_arrival(arrivals)
        pinned = self._pins.get(request.session)
        if pinned is not None and self.group.alive[pinned]:
            self._deliver(_Try(request, pinned, 1, (), pinned=True), pinned)
        else:
            self._enter(request, 1, (), self._first_entry(request))

    def _first_entry(self, request: Request) -> int | None:
        """The node that the plan says, if it is there."""
        known = self.plan.entries[request.number] if request.number < len(self.plan.entries) else -1
        return known if known >= 0 and self.group.alive[known] else None

    def _enter(
        self, request: Request, tries: int, asked: tuple[int, ...], entry: int | None = None, written: int = 0
    ) -> None:
        """At an entry node, drawn unless it is given: who serves?"""
        if entry is None:
            able = [place for place in range(len(self.group.nodes)) if self.group.alive[place] and place not in asked]
            if not able:
                self._refuse(request)
                return
            entry = able[self._draw.randrange(len(able))]
        self._catch_up(entry)
        if self.oracle:
            for place in range(len(self.group.nodes)):
                self._catch_up(place)
        view, public = self.views[entry], request.public
        view.look(self.now)
        self.group.learn(public)
        expected = max(1, round(self._expected))
        question = Asked(
            prompt_tokens=request.prompt_tokens + written,
            public_tokens=len(public),
            prefix=public.digest,
            output_tokens=expected,
        )
        choice = self.policies[entry].choose(question, view, self.now, self._draw)
        others = tuple(place_of(name) for name in choice.alternatives)
        attempt = _Try(request, entry, tries, asked, alternatives=others, written=written)
        if choice.target is None:
            self._refused(attempt, entry)
            return
        target = place_of(choice.target)
        if target == entry:
            self._deliver(attempt, target)
            return
        attempt.back = float(self.group.one_way[entry, target])
        known = view.cached(question).get(choice.target, 0)
        arrives = self.now + attempt.back
        attempt.promised = known
        view.note(request.number, target, question, known, arrives)
        self._at(arrives, self._deliver, attempt, target)

    def _deliver(self, attempt: _Try, target: int) -> None:
        request, node = attempt.request, self.group.nodes[target]
        self._catch_up(target)
        job = Job(
            key=request.number,
            prompt=Prompt(request.blocks()),
            prompt_tokens=request.prompt_tokens + attempt.written,
            output_tokens=request.output_tokens - attempt.written,
            expected=max(1, round(self._expected)),
            public=request.public,
            salt=request.session.encode(),
            answer=() if request.answer is None else request.blocks(answer=True),
        )
        alive, idle = self.group.alive[target], node.idle
        if not alive or not node.offer(job, self.now):
            self._at(self.now + attempt.back + (0.0 if alive else NOTICED), self._refused, attempt, target)
            return
        self._tries[request.number] = attempt
        self._pins[request.session] = target
        outcome = self.outcomes[request.number]
        outcome.node, outcome.forwarded = target, target != attempt.entry
        self._wake(target)
        if idle:  # else it sees at the end of its step what has come
            self._interject(target)

    def _refused(self, attempt: _Try, by: int) -> None:
        """Try the best alternative that was not asked, or another entry node."""
        request, asked = attempt.request, (*attempt.asked, by)
        self.views[attempt.entry].beliefs.failed(request.number)
        if attempt.pinned:
            self._pins.pop(request.session, None)
        if attempt.tries >= TRIES:
            self._refuse(request)
            return
        entry = next((place for place in attempt.alternatives if place not in asked and self.group.alive[place]), None)
        self._enter(request, attempt.tries + 1, asked, entry, attempt.written)

    def _refuse(self, request: Request) -> None:
        self.outcomes[request.number].rejected = True
        self._open -= 1

    # ---------------------------------------------------------------------------------------------------------- churn

    def _lifetime(self) -> float:
        return self.now + self._draw.expovariate(self.plan.churn_per_minute / 60)

    def _leave(self, place: int) -> None:
        """The node dies; the clients of its answers notice, and go on elsewhere with the tokens they have."""
        self._catch_up(place)
        self.group.alive[place], self.group.gone[place] = False, self.now
        for job in self.group.nodes[place].leave(self.now):
            self._at(self.now + NOTICED, self._hand_over, job, self._tries[job.key])
        self._at(self.now + SILENT, self._forget, place)
        self._at(self.now + self._draw.expovariate(1 / self.plan.away_seconds), self._return, place)

    def _hand_over(self, job: Job, attempt: _Try) -> None:
        request = attempt.request
        self._pins.pop(request.session, None)
        self.views[attempt.entry].beliefs.failed(job.key)
        outcome = self.outcomes[job.key]
        outcome.handed_over += job.written > 0
        self._enter(request, 1, (), None, min(attempt.written + job.written, request.output_tokens - 1))

    def _forget(self, place: int) -> None:
        if not self.group.alive[place]:
            self.group.tree.drop(place)

    def _return(self, place: int) -> None:
        self.group.tree.drop(place)
        self.group.alive[place] = True
        self._at(self._lifetime(), self._leave, place)

    # ---------------------------------------------------------------------------------------------------------- nodes

    def _catch_up(self, place: int) -> None:
        """Let the node come to now, and take what its answers have come to."""
        for job in self.group.nodes[place].advance(self.now):
            outcome, attempt = self.outcomes[job.key], self._tries[job.key]
            view, promised = self.views[attempt.entry], attempt.promised
            said = view.says(place, promised, job.cached)
            if not job.counted:
                job.counted = True
                outcome.read += job.uncached
                if outcome.first_token == float("inf"):
                    outcome.first_token, outcome.cached = job.first_token + attempt.back, job.cached
                    outcome.wasted = 2 * job.cached < promised
                view.beliefs.first_token(job.key, job.first_token + attempt.back)
                if 2 * said < promised:  # else the time it takes may still show something else
                    view.found(place, promised, said, job.first_token + attempt.back)
            if job.finished <= self.now and not outcome.done:
                outcome.finished = job.finished + attempt.back
                cold = view.beliefs.finished(job.key, job.output_tokens, outcome.finished)
                if cold or 2 * said >= promised:
                    view.found(place, promised, 0 if cold else said, outcome.finished)
                self._expected = _SMOOTH * self._expected + (1 - _SMOOTH) * job.output_tokens
                self._open -= 1

    def _wake(self, place: int) -> None:
        node = self.group.nodes[place]
        t = node.next_event()
        if t < float("inf"):
            self._at(t, self._woken, place, node.version)

    def _woken(self, place: int, version: int) -> None:
        if self.group.nodes[place].version == version:
            self._catch_up(place)
            self._wake(place)
            self._interject(place)

    def _state(self, place: int, statement: int, early: bool = False) -> None:
        """The node's turn to speak, if it has something to say."""
        if not self.group.clockwork.made_at(place, statement, self.now):
            return
        node = self.group.nodes[place]
        version = node.version
        self._catch_up(place)
        if node.version != version:
            self._wake(place)
        self.group.state(place, statement, SILENT, early=early)
        if place == 0:
            self.group.look_around()
            self.group.tree.forget(self.group.clockwork.heard_by_all(self.now))
        self._at(self.group.clockwork.time(place, statement + 1), self._state, place, statement + 1)

    def _interject(self, place: int) -> None:
        """It speaks before its turn, where others would reckon wrongly."""
        if not self._interjections or not self.group.alive[place]:
            return
        said, interjections = self.group.latest[place], self._interjections[place]
        if self.now < interjections.earliest(said.heard):
            return
        if mistaken(said.load, self.group.nodes[place].load(), self.now - said.heard):
            interjections.made(self.now)
            self._state(place, self.group.clockwork.next_statement(place, self.now), early=True)
