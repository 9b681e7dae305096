"""A whole internet in one process, with the interface of the WebRTC mesh: delay, loss, partitions, sudden death.

For tests of whole networks without sockets, and deterministic: the same seed and the same calls give the same run on a
:class:`~engine.transport.scheduler.ManualScheduler`. Links behave as data channels do: both channels are reliable, so
loss is delay; the control channel keeps order, the cells need not; buffers are bounded; a peer that vanishes is noticed
after the heartbeat's limit. Identities are believed, not proven: nothing here is for use between machines.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable
from functools import partial

from engine.ids import NodeId
from engine.transport.dialling import DialPlan
from engine.transport.established import PROBE_SECONDS
from engine.transport.heartbeat import SILENCE_LIMIT
from engine.transport.link import Channel, LinkHandler
from engine.transport.memory_links import Conditions, Link
from engine.transport.memory_routers import Passage, Router, passage
from engine.transport.scheduler import Scheduler
from engine.wire.codec import MAX_LINK_MESSAGE

RELAYED_SECONDS = 0.03
"""What the way through a TURN server adds to the delay, one way."""
AcceptPolicy = Callable[[NodeId, bool], str | None]


class MemoryInternet:
    """The network. ``source`` decides every chance; ``conditions`` hold between any two nodes unless set otherwise."""

    def __init__(self, scheduler: Scheduler, source: random.Random, conditions: Conditions | None = None) -> None:
        self.scheduler = scheduler
        self.random = source
        self._conditions = conditions or Conditions()
        self._special: dict[frozenset[NodeId], Conditions] = {}
        self._endpoints: dict[NodeId, MemoryEndpoint] = {}
        self._side: dict[NodeId, int] = {}
        self.turn_server = True
        """Whether those whose routers do not let each other in are linked all the same."""
        self.server_away = False
        """Links are then made through a common neighbour, or with one of ``listeners``."""
        self.listeners: set[NodeId] = set()

    def endpoint(
        self,
        node_id: NodeId,
        handler: LinkHandler,
        *,
        is_client: bool = False,
        accept: AcceptPolicy | None = None,
        maximum_links: int = 400,
        router: Router = Router.FULL_CONE,
    ) -> MemoryEndpoint:
        """A new node of the network. An id that is already there is replaced, as by a restart without farewell."""
        old = self._endpoints.get(node_id)
        if old is not None:
            self.kill(node_id)
        endpoint = MemoryEndpoint(self, node_id, handler, is_client, accept, maximum_links, router)
        self._endpoints[node_id] = endpoint
        return endpoint

    def set_conditions(self, one: NodeId, other: NodeId, conditions: Conditions) -> None:
        """From now on these hold between two nodes."""
        self._special[frozenset((one, other))] = conditions

    def conditions(self, one: NodeId, other: NodeId) -> Conditions:
        """What holds between two nodes."""
        return self._special.get(frozenset((one, other)), self._conditions) if self._special else self._conditions

    def kill(self, node_id: NodeId) -> None:
        """The node vanishes without a word; its peers notice by the missing heartbeat."""
        endpoint = self._endpoints.pop(node_id)
        endpoint.die()

    def kill_link(self, one: NodeId, other: NodeId, reason: str = "the link was cut") -> None:
        """Both ends lose their link at once; nothing if there is none."""
        endpoint = self._endpoints.get(one)
        if endpoint is not None:
            endpoint.drop(other, reason)

    def change_network(self, node_id: NodeId) -> None:
        """The node has other addresses: what is under way waits until its links have moved to newer connections, as
        the WebRTC mesh does it."""
        self._endpoints[node_id].move_links()

    def passage(self, one: MemoryEndpoint, other: MemoryEndpoint) -> Passage:
        """How a link between two nodes would go."""
        return passage(one.router, other.router, turn_server=self.turn_server)

    def can_signal(self, dialler: MemoryEndpoint, answerer: MemoryEndpoint) -> bool:
        """Whether an offer finds a way."""
        if not self.server_away or answerer.node_id in self.listeners:
            return True
        return not dialler.links().isdisjoint(answerer.links())

    def partition(self, *groups: Iterable[NodeId]) -> None:
        """Only members of the same group reach each other; nodes in no group stay together as one more. Messages wait;
        links over the cut die when the heartbeat's limit passes before :meth:`heal`."""
        self._side = {node_id: number for number, group in enumerate(groups, start=1) for node_id in group}
        for endpoint in tuple(self._endpoints.values()):
            endpoint.watch_cut_links()

    def heal(self) -> None:
        """Everybody reaches everybody; what waited is delivered."""
        self._side = {}
        for endpoint in tuple(self._endpoints.values()):
            endpoint.release_held()

    def reaches(self, one: NodeId, other: NodeId) -> bool:
        """Whether packets pass between two nodes at this moment."""
        return other in self._endpoints and self._side.get(one, 0) == self._side.get(other, 0)

    def find(self, node_id: NodeId) -> MemoryEndpoint | None:
        """The live node with this id."""
        return self._endpoints.get(node_id)

    def travel_time(self, conditions: Conditions) -> float:
        """One way, with jitter and losses."""
        time = conditions.delay
        if conditions.jitter:
            time += self.random.uniform(0.0, conditions.jitter)
        while conditions.loss and self.random.random() < conditions.loss:
            time += conditions.retransmission
        return time


class MemoryEndpoint:
    """One node's links; the same calls as ``engine.transport.mesh.Mesh``, without ``run``."""

    def __init__(
        self,
        internet: MemoryInternet,
        node_id: NodeId,
        handler: LinkHandler,
        is_client: bool,
        accept: AcceptPolicy | None,
        maximum_links: int,
        router: Router,
    ) -> None:
        self.router = router
        self._internet = internet
        self._node_id = node_id
        self._handler = handler
        self._is_client = is_client
        self._accept = accept
        self._maximum_links = maximum_links
        self._links: dict[NodeId, Link] = {}
        self._dialling: set[NodeId] = set()
        self._plan = DialPlan(internet.random)
        self._alive = True
        self._round_due: float | None = None

    @property
    def node_id(self) -> NodeId:
        """Whose links these are."""
        return self._node_id

    # ------------------------------------------------------------------------------------------------ as of the mesh

    def want(self, peers: Collection[NodeId], expected: Collection[NodeId] = ()) -> None:
        """Keep exactly these peers linked."""
        own = {self._node_id}
        self._plan.want(frozenset(peers) - own, self._internet.scheduler.now(), frozenset(expected) - own)
        self._plan_round()

    def dial(self, peer: NodeId) -> None:
        """Dial ``peer`` now, once."""
        if peer != self._node_id:
            self._plan.dial(peer, self._internet.scheduler.now())
            self._plan_round()

    def links(self) -> frozenset[NodeId]:
        """The peers with an open link."""
        return frozenset(self._links)

    def backlog(self, peer: NodeId) -> int:
        """Bytes that wait or are under way; 0 without a link."""
        link = self._links.get(peer)
        return 0 if link is None else link.directions[self._node_id].in_flight

    def round_trip(self, peer: NodeId) -> float | None:
        """Twice the delay, without jitter and loss."""
        link = self._links.get(peer)
        if link is None:
            return None
        return 2 * (self._internet.conditions(self._node_id, peer).delay + link.detour)

    def heard_at(self, peer: NodeId) -> float | None:
        """When anything last came from this peer: here everybody who lives and can be reached has just been heard."""
        link = self._links.get(peer)
        if link is None:
            return None
        if not link.cut and self._internet.reaches(self._node_id, peer):
            return self._internet.scheduler.now()
        return 0.0

    def probe(self, peer: NodeId) -> None:
        """Ask this peer for a sign of life now: see :meth:`heard_at`."""

    def is_relayed(self, peer: NodeId) -> bool | None:
        """Whether the link of this peer goes through a TURN server; None without a link."""
        link = self._links.get(peer)
        return None if link is None else link.detour > 0

    def disconnect(self, peer: NodeId, reason: str) -> None:
        """Close the link of this peer; both handlers hear ``link_down``, the peer's after the delay."""
        link = self._links.get(peer)
        if link is None:
            return
        self._end(peer, link, reason)
        conditions = self._internet.conditions(self._node_id, peer)
        self._later(self._internet.travel_time(conditions), partial(self._tell_end, peer, link, reason))

    def send(self, peer: NodeId, channel: Channel, data: bytes) -> bool:
        """See ``LinkSender``."""
        link = self._links.get(peer)
        if link is None or not self._alive or len(data) > MAX_LINK_MESSAGE:
            return False
        direction = link.directions[self._node_id]
        if direction.in_flight + len(data) > self._internet.conditions(self._node_id, peer).buffer:
            return False
        direction.in_flight += len(data)
        direction.sent += 1
        if not link.cut and self._internet.reaches(self._node_id, peer):
            self._transmit(peer, link, direction.sent, channel, data)
        else:
            direction.held.append((direction.sent, channel, data))
        return True

    # ------------------------------------------------------------------------------------------------ by the internet

    def die(self) -> None:
        """Vanish: hear nothing any more; the peers notice by themselves."""
        self._alive = False
        links, self._links = self._links, {}
        for peer, link in links.items():
            self._later(SILENCE_LIMIT, partial(self._tell_end, peer, link, _silence()))

    def drop(self, peer: NodeId, reason: str) -> None:
        """Lose the link with ``peer`` at both ends at once."""
        link = self._links.get(peer)
        if link is not None:
            self._end(peer, link, reason)
            self._tell_end(peer, link, reason)

    def watch_cut_links(self) -> None:
        """After a partition: links over the cut die unless it heals in time."""
        for peer, link in self._links.items():
            if not self._internet.reaches(self._node_id, peer):
                self._later(SILENCE_LIMIT, partial(self._check_cut, peer, link))

    def release_held(self) -> None:
        """After a partition: send what waited."""
        for peer, link in tuple(self._links.items()):
            if not link.cut:
                self._release(peer, link)

    def move_links(self) -> None:
        """Cut all links and make newer connections for them: a probe that is not answered, then a dial."""
        for peer, link in self._links.items():
            link.cut = True
            travel = self._internet.travel_time(self._internet.conditions(self._node_id, peer))
            self._later(PROBE_SECONDS + 4 * travel, partial(self._moved, peer, link))
            self._later(SILENCE_LIMIT, partial(self._check_cut, peer, link))

    # ------------------------------------------------------------------------------------------------------- internals

    def _moved(self, peer: NodeId, link: Link) -> None:
        """The newer connection is there, if the peer can be reached and still has the link."""
        other = self._internet.find(peer)
        if not link.alive or other is None or other._links.get(self._node_id) is not link:
            return
        if self._internet.reaches(self._node_id, peer) and self._internet.can_signal(self, other):
            link.cut = False
            self._release(peer, link)
            other._release(self._node_id, link)

    def _release(self, peer: NodeId, link: Link) -> None:
        """Send what waited."""
        direction = link.directions[self._node_id]
        held, direction.held = direction.held, []
        for number, channel, data in sorted(held, key=lambda one: one[0]):  # what was under way waits behind
            self._transmit(peer, link, number, channel, data)

    def _later(self, delay: float, action: Callable[[], None]) -> None:
        self._internet.scheduler.call_later(delay, action)

    def _transmit(self, peer: NodeId, link: Link, number: int, channel: Channel, data: bytes) -> None:
        """Put one message on its way."""
        internet = self._internet
        conditions = internet.conditions(self._node_id, peer)
        direction = link.directions[self._node_id]
        now = internet.scheduler.now()
        start = max(now, direction.busy_until)
        if conditions.bandwidth is not None:
            start += len(data) / conditions.bandwidth
            direction.busy_until = start
        arrival = start + link.detour + internet.travel_time(conditions)
        if channel is Channel.CONTROL:
            arrival = max(arrival, direction.last_control)
            direction.last_control = arrival
        self._later(arrival - now, partial(self._arrive, peer, link, number, channel, data))

    def _arrive(self, peer: NodeId, link: Link, number: int, channel: Channel, data: bytes) -> None:
        """A message has reached the peer, if both still exist and no cut came between."""
        direction = link.directions[self._node_id]
        if link.alive and self._alive and (link.cut or not self._internet.reaches(self._node_id, peer)):
            direction.held.append((number, channel, data))
            return
        direction.in_flight -= len(data)
        target = self._internet.find(peer)
        if target is not None and target._links.get(self._node_id) is link:
            target._handler.link_message(self._node_id, channel, data)

    def _end(self, peer: NodeId, link: Link, reason: str) -> None:
        """This end of ``link`` is gone."""
        if self._links.get(peer) is not link:
            return
        link.alive = False
        del self._links[peer]
        self._plan.failed(peer, self._internet.scheduler.now())
        self._plan_round()
        self._handler.link_down(peer, reason)

    def _tell_end(self, peer: NodeId, link: Link, reason: str) -> None:
        """The other end of ``link`` is gone too."""
        other = self._internet.find(peer)
        if other is not None:
            other._end(self._node_id, link, reason)

    def _check_cut(self, peer: NodeId, link: Link) -> None:
        if self._links.get(peer) is link and (link.cut or not self._internet.reaches(self._node_id, peer)):
            self._end(peer, link, _silence())
            self._tell_end(peer, link, _silence())

    def _plan_round(self) -> None:
        """Make sure that the next due dial is looked at in time."""
        deadline = self._plan.next_deadline(self._is_busy)
        if deadline is None or not self._alive:
            return
        now = self._internet.scheduler.now()
        due = max(now, deadline)
        if self._round_due is None or due < self._round_due:
            self._round_due = due
            self._later(due - now, partial(self._dial_round, due))

    def _is_busy(self, peer: NodeId) -> bool:
        return peer in self._links or peer in self._dialling

    def _dial_round(self, due: float) -> None:
        if self._round_due != due or not self._alive:
            return
        self._round_due = None
        for peer in self._plan.due(self._internet.scheduler.now(), self._is_busy, limit=len(self._dialling) + 400):
            self._dialling.add(peer)
            # Offer, answer and handshake: two round trips.
            travel = self._internet.travel_time(self._internet.conditions(self._node_id, peer))
            self._later(4 * travel, partial(self._dialled, peer))
        self._plan_round()

    def _dialled(self, peer: NodeId) -> None:
        """The dial has come to its end: a link, or a failure."""
        self._dialling.discard(peer)
        if not self._alive or peer in self._links:
            return
        other = self._internet.find(peer)
        way = Passage.NONE if other is None else self._internet.passage(self, other)
        reachable = way is not Passage.NONE and self._internet.reaches(self._node_id, peer)
        if other is None or not reachable or not self._internet.can_signal(self, other) or other._refuses(self):
            self._plan.failed(peer, self._internet.scheduler.now())
            self._plan_round()
            return
        link = Link(self._node_id, peer, RELAYED_SECONDS if way is Passage.RELAYED else 0.0)
        other._open(self._node_id, link, self._is_client)
        if link.alive:
            self._open(peer, link, False)
        else:  # closed by the peer's handler in the very moment of opening
            self._plan.failed(peer, self._internet.scheduler.now())
            self._plan_round()

    def _refuses(self, dialler: MemoryEndpoint) -> bool:
        if self._is_client or (len(self._links) >= self._maximum_links and dialler.node_id not in self._links):
            return True
        return self._accept is not None and self._accept(dialler.node_id, dialler._is_client) is not None

    def _open(self, peer: NodeId, link: Link, peer_is_client: bool) -> None:
        previous = self._links.get(peer)
        if previous is not None:
            previous.alive = False
        self._links[peer] = link
        now = self._internet.scheduler.now()
        self._plan.linked(peer, now)
        if len(self._links) == 1:  # who had no way to anybody has one now
            self._plan.bring_forward(now)
            self._plan_round()
        self._handler.link_up(peer, peer_is_client)


def _silence() -> str:
    """The reason of a link whose peer has vanished."""
    return f"the peer has been silent for {SILENCE_LIMIT:.0f} s"
