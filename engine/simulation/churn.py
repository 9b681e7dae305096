"""Answers while relays die without a word: how many are complete in time, and why the others are not.

A miss is an answer that is not complete within twice the undisturbed time and 15 s, counted from the question.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from engine.directory.graph import SETTLE_SECONDS
from engine.errors import RequestError, ServingNodeLostError
from engine.ids import NodeId, short_id
from engine.node.network_answer import MAX_TRIES
from engine.simulation.churn_report import ChurnPlan, ChurnResult, Miss
from engine.simulation.client import Asked, SimulatedClient
from engine.simulation.network import SimulatedNetwork
from engine.simulation.node import NodeKeys, Pace, SimulatedNode
from engine.transport.memory_routers import Router

WARM_UP_SECONDS = 60.0
START_SECONDS = 180.0
"""A network whose clients have no paths after so long never gets them."""
RINGS_SECONDS = 1200.0
"""Relays of rings have a place two beacons after they were listed at the latest."""
MAX_DEAD = 4096
"""Dead relays that may come back, usually."""
NEW_CHAT = 0.1
"""The share of questions that open a new chat."""


class Churn:
    """Relays that die without a word, and others that join or come back. Half of those that die take their machine with
    them, so that the server misses them only after its limit of silence; half of those that arrive are old ones with
    their old keys."""

    def __init__(
        self, network: SimulatedNetwork, died: Callable[[SimulatedNode], None], remembered: int = MAX_DEAD
    ) -> None:
        """``remembered``: how many dead ones may come back."""
        self._network = network
        self._random = network.random
        self._size = len(network.relays)
        self._died = died
        self._dead: deque[tuple[NodeKeys, str]] = deque(maxlen=remembered)
        self.deaths = self.arrivals = 0
        self.running = True

    def begin(self, per_minute: float, every: float = 0.0) -> None:
        """This share dies each minute, one by one, and as many arrive; with ``every`` > 0 they die together every so
        many seconds, and are replaced at once."""
        if per_minute > 0 and every > 0:
            self._network.scheduler.call_later(every, partial(self._wave, per_minute / 60.0 * every, every))
        elif per_minute > 0:
            self._next(self.die, per_minute / 60.0)
            self._next(self.arrive, per_minute / 60.0)

    def _next(self, what: Callable[[], None], rate: float) -> None:
        delay = self._random.expovariate(rate * self._size)
        self._network.scheduler.call_later(delay, partial(self._do, what, rate))

    def _do(self, what: Callable[[], None], rate: float) -> None:
        if self.running:
            what()
            self._next(what, rate)

    def _wave(self, share: float, every: float) -> None:
        if self.running:
            count = max(1, round(share * self._size))
            for what in (self.die, self.arrive):
                for _ in range(count):
                    what()
            self._network.scheduler.call_later(every, partial(self._wave, share, every))

    def die(self) -> None:
        """One dies, or none: each relay dies at the same rate, so where fewer live, fewer die."""
        relays = list(self._network.relays.values())
        if not relays or self._random.random() * self._size > len(relays):
            return
        victim = self._random.choice(relays)
        self.deaths += 1
        self._dead.append((victim.keys, victim.prefix))
        self._died(victim)
        self._network.kill(victim, connection_ends=self._random.random() < 0.5)

    def arrive(self) -> None:
        """One joins, or comes back."""
        self.arrivals += 1
        if self._dead and self._random.random() < 0.5:
            place = self._random.randrange(len(self._dead))
            keys, prefix = self._dead[place]
            del self._dead[place]
            self._network.join(keys, prefix)
        else:
            self._network.join()


@dataclass(slots=True, eq=False)
class _Waiting:
    """One question from the moment in which somebody asked it."""

    number: int
    client: SimulatedClient
    chat: bytes
    begun: float
    asked: Asked | None = None
    deaths: list[str] = field(default_factory=list)
    avoid: list[NodeId] = field(default_factory=list)
    over: bool = False


class ChurnRun:
    """One run of a plan; ``say`` hears of its progress."""

    def __init__(self, plan: ChurnPlan, say: Callable[[str], None] = lambda _: None) -> None:
        self.plan = plan
        self._say = say
        words = max(2, round(plan.seconds / 0.5))
        self._pace = Pace(words=words, interval=0.5)
        routers = [Router(name) for name in plan.routers]
        self.network = SimulatedNetwork(
            plan.relays, models=plan.models, pace=self._pace, seed=plan.seed, routers=routers
        )
        self.result = ChurnResult(plan)
        self._waiting: set[_Waiting] = set()
        self._chats = 0

    def run(self) -> ChurnResult:
        """The whole plan."""
        network, plan, result = self.network, self.plan, self.result
        if plan.relays > network.genesis.parameters.mesh_relays:
            network.until(lambda: not network.graph().is_mesh, RINGS_SECONDS, step=10.0)
            network.run(2 * SETTLE_SECONDS)
        clients = [network.add_client() for _ in range(plan.clients)]
        if not network.until(lambda: all(client.is_ready() for client in clients), START_SECONDS):
            raise RequestError(
                f"The simulated network gets no paths with {plan.relays} relays: {clients[0].overlay.problem()}"
            )
        result.undisturbed = self._undisturbed(clients[0])
        churn = Churn(network, self._died)
        churn.begin(plan.per_minute, plan.every)
        network.run(WARM_UP_SECONDS)
        begun = network.now()
        for number in range(min(plan.answers, plan.clients * plan.chats)):
            # Spread over the length of an answer: else all would stand at the same word for ever.
            delay = network.random.uniform(0.0, result.undisturbed)
            network.scheduler.call_later(delay, partial(self._ask, clients[number % plan.clients], self._new_chat()))
        while len(result.misses) + len(result.times) < plan.answers:
            network.run(1.0)
            self._give_up_late()
        churn.running = False
        result.deaths, result.arrivals = churn.deaths, churn.arrivals
        result.simulated_seconds = network.now() - begun
        return result

    def _undisturbed(self, client: SimulatedClient) -> float:
        asked = client.ask(b"undisturbed")
        self.network.until(lambda: asked.ended_at is not None, 10 * self._pace.seconds, step=0.05)
        if asked.error is not None or asked.ended_at is None:
            raise RequestError(f"The simulated network does not answer even undisturbed: {asked.error}")
        client.stop(asked)
        return asked.ended_at - asked.asked_at

    # Questions

    def _new_chat(self) -> bytes:
        self._chats += 1
        return b"chat-%d" % self._chats

    def _ask(self, client: SimulatedClient, chat: bytes) -> None:
        result = self.result
        if result.asked >= self.plan.answers:
            return
        result.asked += 1
        waiting = _Waiting(result.asked, client, chat, self.network.now())
        self._waiting.add(waiting)
        self._try(waiting)

    def _try(self, waiting: _Waiting) -> None:
        """As an engine does: wait for the chat's paths, then ask."""
        if waiting.over:
            return
        network, client = self.network, waiting.client
        try:
            if client.overlay.is_ready(waiting.chat, network.now() - waiting.begun) is not None:
                waiting.asked = client.ask(waiting.chat, partial(self._ended, waiting), waiting.avoid)
                return
        except RequestError as error:
            self._miss(waiting, f"not asked: {error}")
            return
        network.scheduler.call_later(0.05, partial(self._try, waiting))

    def _ended(self, waiting: _Waiting, asked: Asked) -> None:
        if waiting.over:
            return
        words = self._pace.words
        lost = isinstance(asked.error, ServingNodeLostError) and not asked.ids
        if lost and len(waiting.avoid) < MAX_TRIES - 1:  # as an engine does while no token has arrived
            waiting.avoid.append(asked.node_id)
            self.network.scheduler.call_later(0.0, partial(self._again, waiting, asked))
        elif asked.error is not None:
            self._miss(waiting, str(asked.error))
        elif self.network.now() - waiting.begun > self.result.limit:  # before anybody looked at the clock
            self._miss(waiting, f"not complete after {self.result.limit:.1f} s")
        elif asked.ids != list(range(words)) or asked.text != "".join(map(self._pace.word, range(words))):
            self.result.wrong += 1
            self._miss(waiting, "the text is not what the node said")
        else:
            result = self.result
            result.complete += 1
            result.times.append(self.network.now() - waiting.begun)
            result.pauses.append(asked.longest_pause)
            result.disturbed += bool(waiting.deaths)
            self._over(waiting)

    def _again(self, waiting: _Waiting, asked: Asked) -> None:
        waiting.client.stop(asked)
        self._try(waiting)

    def _over(self, waiting: _Waiting) -> None:
        """Complete or missing. The next question of the same person comes a moment later, mostly in the same chat."""
        if waiting.asked is not None:
            waiting.client.stop(waiting.asked)
        waiting.over = True
        self._waiting.discard(waiting)
        done = self.result.complete + len(self.result.misses)
        if done % 500 == 0:
            self._say(f"{done} of {self.plan.answers} answers, {len(self.result.misses)} missing")
        self._next_question(waiting.client, waiting.chat)

    def _next_question(self, client: SimulatedClient, chat: bytes) -> None:
        network = self.network
        chat = self._new_chat() if network.random.random() < NEW_CHAT else chat
        network.scheduler.call_later(network.random.expovariate(2.0), partial(self._ask, client, chat))

    # Misses

    def _give_up_late(self) -> None:
        late = self.network.now() - self.result.limit
        for waiting in [known for known in self._waiting if known.begun < late]:
            self._miss(waiting, f"not complete after {self.result.limit:.1f} s")

    def _miss(self, waiting: _Waiting, reason: str) -> None:
        asked = waiting.asked
        self.result.misses.append(
            Miss(
                seed=self.plan.seed,
                number=waiting.number,
                asked_at=round(waiting.begun, 2),
                tokens=0 if asked is None else len(asked.ids),
                reason=f"{self.network.now() - waiting.begun:.1f} s: {reason}",
                deaths=waiting.deaths,
                paths=self._describe_paths(waiting),
            )
        )
        self._over(waiting)

    def _died(self, victim: SimulatedNode) -> None:
        """Note the death with the answers that it concerns."""
        for waiting in self._waiting:
            path_set = waiting.client.overlay.machine.paths.upcoming(waiting.chat)
            for slot in path_set.slots if path_set else ():
                if slot.circuit is not None and victim.node_id in slot.hops:
                    place = ("guard", "middle", "proxy")[slot.hops.index(victim.node_id)]
                    after = self.network.now() - waiting.begun
                    waiting.deaths.append(f"{after:.1f} s: {place} of path {slot.index}")

    def _describe_paths(self, waiting: _Waiting) -> list[str]:
        paths = waiting.client.overlay.machine.paths
        path_set = paths.get(waiting.chat)
        if path_set is None:
            return [f"no paths: {paths.problem}"]
        lines = []
        for slot in path_set.slots:
            state = "open" if slot.open else "being built" if slot.circuit is not None else "not drawn"
            hops = ", ".join(self._describe(hop) for hop in slot.hops)
            lines.append(f"path {slot.index}: {state}, {slot.failures} failures ({hops})")
        return [*lines, f"last problem: {paths.problem}"]

    def _describe(self, node_id: NodeId) -> str:
        state = "alive" if node_id in self.network.relays else "dead"
        return f"{short_id(node_id)} {state}{', marked away' if node_id in self.network.server.away() else ''}"


def simulate(plan: ChurnPlan, say: Callable[[str], None] = lambda _: None) -> ChurnResult:
    """Run ``plan``. Raises ``RequestError`` where the network cannot even begin."""
    return ChurnRun(plan, say).run()
