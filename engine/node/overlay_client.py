"""The engine's end of its client links: guards, path sets, and answers as async streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from engine.api.schema import MachineStanding
from engine.clock import Clock
from engine.directory.directory import Directory, DirectoryNode
from engine.directory.graph import SettledGraph
from engine.directory.groups import serves, with_families
from engine.directory.guards import GuardList, GuardState, Retired
from engine.directory.sampling import choose_paths
from engine.directory.shapes import NOTHING_WEAKER, Accepted, Shape
from engine.directory.standing import StandingBook
from engine.errors import NetworkNotReadyError, RequestError, TooFewRelaysError, UnknownModelError, WireError
from engine.forwarding.refusals import Refusals
from engine.ids import NetworkId, NodeId
from engine.inference.types import GenerationRequest
from engine.node.loop import CHANNEL, LANE, MachineLoop
from engine.node.path_choice import PathChoice
from engine.node.standings import machine_standing
from engine.node.target_choice import bearers, choose_target, target_of
from engine.paths.circuits import PathHop
from engine.paths.client import ClientEffect, ClientMachine
from engine.paths.direct import DirectEffect, DirectMachine
from engine.paths.effects import ProbeLink, Send
from engine.paths.outgoing import Question, Target
from engine.paths.running_answer import USUAL_TERMS, AnswerEvents, AnswerLost, AnswerSummary, Terms
from engine.sentences import say
from engine.transport.link import Channel, LinkSender
from engine.wire.answer import Failed, Finished, FrameEvent
from engine.wire.link import DirectoryHash, head_decoder
from engine.wire.records import Parameters

MAX_UNREAD = 4096
"""Frames that may wait for a slow reader before its answer is stopped; minutes of an ordinary one."""
MAX_DIRECT_LINKS = 16
"""Model nodes that are linked ahead of need where questions go directly."""
SHUNNED_SECONDS, LONGEST_SHUNNED_SECONDS = 60.0, 3_600.0
"""For which a machine that gave no token is asked only where there is no other."""
WAIT_FOR_RELAYS_SECONDS = 3.0
"""In a network that has too few relays for its paths, waiting longer would be an endless spinner."""
WAIT_FOR_NETWORK_SECONDS = 20.0
"""A question asked while the network is being joined waits so long for paths before it is refused."""


@dataclass(frozen=True, slots=True)
class Served:
    """Events of an answer and who carries it."""

    events: tuple[FrameEvent, ...]
    summary: AnswerSummary


class OverlayClient:
    """Asks questions over anonymous paths. ``sender`` and ``want`` are attached before links come up."""

    def __init__(
        self,
        network_id: NetworkId,
        parameters: Parameters,
        own_ids: Collection[NodeId],
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        guards: GuardState | None = None,
        accepted: Accepted = NOTHING_WEAKER,
        *,
        committee: bool = False,
    ) -> None:
        """``guards``: what was kept of an earlier run; ``accepted``: what the owner accepts while relays are missing,
        for questions that do not say otherwise; ``committee``: the network has one, so reputations count."""
        self._book = StandingBook(committee)
        self._parameters = parameters
        self._own = frozenset(own_ids)
        self._clock = clock
        self._random_bytes = random_bytes
        self._directory: Directory | None = None
        self._graph = SettledGraph(parameters)
        self._spared: frozenset[NodeId] = frozenset()  # model nodes that do not relay for this client
        self.choice = PathChoice(parameters, accepted, random_bytes)
        self.guard_list = GuardList(
            guards, count=max(parameters.guard_count, parameters.n), needed=parameters.n, exclude=self._own
        )
        self.sender: LinkSender | None = None
        self.want: Callable[[Collection[NodeId]], None] = lambda _: None
        self.changed: Callable[[], None] = lambda: None
        self.heard_head: Callable[[DirectoryHash], None] = lambda _: None
        self.guard_retired: Callable[[Retired], None] = lambda _: None
        self.refused: Callable[[], str] = lambda: ""  # why the bootstrap server does not admit this client, if so
        usual = None if self.choice.full.direct else self.choice.full
        self.machine = ClientMachine(network_id, usual, self._draw, random_bytes)
        self.machine.paths.path_judged = self.guard_list.count_path
        self.direct = DirectMachine(network_id, random_bytes)
        self._silent = Refusals(SHUNNED_SECONDS, LONGEST_SHUNNED_SECONDS)
        self._streams: dict[int, asyncio.Queue[Served | RequestError]] = {}
        self.loop = MachineLoop(clock, self._tick, self._next_deadline)

    # Directory, guards, draws

    def update_standings(self, book: StandingBook) -> None:
        """Believe these standings from now on."""
        self._book = book

    def standings_of(self, machines: Iterable[NodeId]) -> tuple[MachineStanding, ...]:
        """What the committee says of these; empty where there is none."""
        if not self._book.committee or self._directory is None:
            return ()
        begun, seconds = self._directory.created, self._parameters.epoch_seconds
        return tuple(machine_standing(self._book, node, begun, seconds) for node in machines)

    def update_directory(self, directory: Directory) -> None:
        """Use this snapshot, and bring the guard list up to date with it."""
        self._directory = directory
        self._graph.announce(directory, self._clock.monotonic())
        self._spared = self._group_if_spared(directory)
        now = self._clock.wall()
        graph = self._graph.at(self._clock.monotonic())
        linked = self.machine.paths.linked
        for retired in self.guard_list.look(
            directory, graph.placed(), linked, now, self._random_bytes, exclude=self._spared
        ):
            self.guard_retired(retired)
        self.machine.paths.set_guards(self.guards)
        self.choice.look(directory, graph, self._no_relays(directory), now)
        shape = self.choice.shape()
        self.machine.paths.shape = None if self.goes_direct else shape or self.choice.full
        self._want_links()
        self.loop.wake()
        self.changed()

    @property
    def guards(self) -> list[NodeId]:
        """The guard list in its order, absent ones too."""
        return self.guard_list.node_ids

    @property
    def goes_direct(self) -> bool:
        """Whether questions go without relays now, as the genesis says or the owner has accepted."""
        shape = self.choice.shape()
        return self.choice.full.direct or (shape is not None and shape.direct)

    def _want_links(self) -> None:
        """Links with the first guards, and with the model nodes that are asked directly."""
        directory = self._directory
        if directory is None:
            return
        wanted = set() if self.goes_direct else self._first_guards(directory)
        if self.goes_direct:
            serving = [node.node_id for node in directory.nodes() if node.descriptor.models and not node.away]
            wanted |= set([name for name in serving if name not in self._own][:MAX_DIRECT_LINKS])
        self.want(frozenset(wanted | self.direct.nodes()))

    def _first_guards(self, directory: Directory) -> set[NodeId]:
        """The first ``guard_count`` that are there, and those before them that may come back."""
        placed, linked = self._graph.at(self._clock.monotonic()).placed(), self.machine.paths.linked
        live = self.guard_list.live(directory, placed)[: self._parameters.guard_count]
        last = self.guards.index(live[-1]) + 1 if len(live) == self._parameters.guard_count else len(self.guards)
        return {guard for guard in self.guards[:last] if guard in directory or guard in linked}

    def _no_relays(self, directory: Directory) -> frozenset[NodeId]:
        """Who relays for nobody here."""
        exclude = self._own | self._spared
        serving = [node for node in directory.nodes() if node.descriptor.models and node.node_id not in self._own]
        if serving and all(node.descriptor.relay for node in serving):
            exclude |= {serving[0].node_id}  # whoever is asked is one relay less
        return exclude

    def _group_if_spared(self, directory: Directory) -> frozenset[NodeId]:
        """Model nodes do not relay for this client where enough others do."""
        relays = [node for node in directory.relays() if node.node_id not in self._own]
        models = [node.node_id for node in directory.nodes() if node.descriptor.models]
        group = with_families(directory, models).intersection(node.node_id for node in relays)
        needed = self._parameters.n * self._parameters.path_length
        return group if len(relays) - len(group) >= needed else frozenset()

    def _draw(
        self, guards: Sequence[NodeId], used: Collection[NodeId], destinations: Collection[NodeId], length: int
    ) -> Sequence[PathHop]:
        directory = self._directory
        if directory is None:
            raise TooFewRelaysError(say("paths.no_directory"))
        now = self._clock.wall()
        exclude = self._own | self._spared | frozenset(destinations)
        (path,) = choose_paths(
            directory,
            guards,
            1,
            1,
            length,
            self._parameters,
            exclude,
            self._random_bytes,
            now,
            used=used,
            graph=self._graph.at(self._clock.monotonic()),
        )
        return [_path_hop(node, now) for node in path]

    # State

    def open_paths(self) -> int:
        """Paths that the next chat finds ready."""
        return self.machine.paths.ready()

    def best_paths(self) -> int:
        """Paths of the best chat or of the next one: a new chat takes the spare ones, which are then built anew. Where
        questions go directly: 1 while a model node is linked."""
        if self.goes_direct:
            return int(any(self.direct.is_linked(node) for node in self._model_node_ids()))
        return self.machine.paths.best()

    def _model_node_ids(self) -> list[NodeId]:
        return [node.node_id for node in self._directory.nodes() if node.descriptor.models] if self._directory else []

    def problem(self) -> str:
        """Why paths are not ready, in plain words."""
        if refused := self.refused():
            return refused
        if self.goes_direct:
            return say("paths.no_machine")
        return self.choice.shortage or self._guards_missing() or self.machine.paths.problem

    def _guards_missing(self) -> str:
        shape = self.choice.shape()
        if self._directory is None or shape is None:
            return ""
        placed = self._graph.at(self._clock.monotonic()).placed()
        return self.guard_list.shortage(self._directory, placed, shape.n)

    def backlog(self) -> int:
        """Bytes that wait in the links to be sent."""
        return sum(self.sender.backlog(peer) for peer in self.sender.links()) if self.sender is not None else 0

    # LinkHandler

    def link_up(self, peer: NodeId, peer_is_client: bool) -> None:
        """See ``LinkHandler``."""
        self.direct.neighbours = self.sender
        now = self._clock.monotonic()
        self._apply([*self.machine.link_up(peer, now, self._clock.wall()), *self.direct.link_up(peer, now)])
        self.changed()

    def link_down(self, peer: NodeId, reason: str) -> None:
        """See ``LinkHandler``."""
        now = self._clock.monotonic()
        self.direct.link_down(peer, now)
        self._apply(self.machine.link_down(peer, now, self._clock.wall()))

    def link_message(self, peer: NodeId, channel: Channel, data: bytes) -> None:
        """See ``LinkHandler``."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        if channel is Channel.CONTROL and (head := _head(data)) is not None:
            self.heard_head(head)  # compared in silence: what a client holds would tell when it was last here
            return
        answered = self.direct.receive(peer, data, now) if channel is Channel.CONTROL else None
        if answered is None:
            self._apply(self.machine.receive(peer, LANE[channel], data, now, wall))
        else:
            self._apply(answered)

    def _tick(self) -> None:
        now = self._clock.monotonic()
        self._apply([*self.machine.tick(now, self._clock.wall()), *self.direct.tick(now)])

    def _next_deadline(self) -> float | None:
        deadlines = [self.machine.next_deadline(), self.direct.next_deadline()]
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def _apply(self, effects: Sequence[ClientEffect | DirectEffect]) -> None:
        sender = self.sender
        refused: list[Send] = []
        for effect in effects:
            match effect:
                case Send():
                    if sender is not None and not sender.send(effect.peer, CHANNEL[effect.lane], effect.data):
                        refused.append(effect)
                case AnswerEvents():
                    self._deliver(effect.answer, Served(effect.events, effect.summary))
                case AnswerLost():
                    self._deliver(effect.answer, effect.error)
                case ProbeLink():
                    if sender is not None:
                        sender.probe(effect.peer)
                case _:
                    if sender is not None:
                        sender.disconnect(effect.peer, effect.reason)
        now, wall = self._clock.monotonic(), self._clock.wall()
        for send in refused:  # each ends a circuit at most once, so this comes to an end
            self._apply(self.machine.refused(send, now, wall))
        self.loop.wake()

    def _deliver(self, answer: int, item: Served | RequestError) -> None:
        stream = self._streams.get(answer)
        if stream is None or stream.qsize() > MAX_UNREAD:
            return
        if stream.qsize() == MAX_UNREAD:
            item = RequestError(say("machine.not_read"))
        stream.put_nowait(item)

    # Questions

    def model_nodes(self, model_id: str) -> list[DirectoryNode]:
        """Who serves this model now, without this engine itself and those that the committee has excluded."""
        if self._directory is None:
            return []
        found = [node for node in self._directory.model_nodes(model_id) if node.node_id not in self._own]
        return [node for node in found if not self._book.of(node.node_id).excluded]

    def target_of(self, node_id: NodeId, model_id: str, digest: bytes | None) -> Target:
        """This one node, whatever its standing; ``UnknownModelError`` if it cannot be asked for the model."""
        target = target_of(self._directory, node_id, model_id, self._clock.wall())
        if target is None or digest not in (None, target.model_digest):
            raise UnknownModelError(say("machine.not_served", model=model_id))
        return target

    def bearers(self, about: NodeId) -> list[tuple[str, Target]]:
        """Who can bring something about a node to the server: see :func:`engine.node.target_choice.bearers`."""
        directory = self._directory
        return bearers(directory, about, self._own, self._book, self._clock.wall()) if directory is not None else []

    def choose_target(
        self,
        chat: bytes,
        request: GenerationRequest,
        preferred: Sequence[NodeId],
        avoid: Collection[NodeId],
        digest: bytes | None,
        shape: Shape | None = None,
        minimum_standing: float = 0.0,
    ) -> Target:
        """The node to ask: see :func:`engine.node.target_choice.choose_target`."""
        path_set = self.machine.paths.upcoming(chat, shape) if shape is None or not shape.direct else None
        on_paths = {hop for slot in path_set.slots for hop in slot.hops} if path_set else set()
        nodes = self.model_nodes(request.model_id)
        now = self._clock.monotonic()
        return choose_target(
            nodes,
            request,
            preferred,
            avoid,
            digest,
            on_paths,
            self._clock.wall(),
            self._random_bytes,
            lambda node_id: self._silent.is_left_alone(node_id, now),
            self._book,
            minimum_standing,
        )

    def said_nothing(self, node_id: NodeId) -> None:
        """Who was asked gave not one token: others are asked first for a while, longer each time."""
        self._silent.refused(node_id, self._clock.monotonic())

    def answered(self, node_id: NodeId) -> None:
        """Who was asked has answered, or has passed the question on to somebody who has."""
        self._silent.took(node_id)

    def is_ready(self, chat: bytes, waited: float, accepted: Accepted | None = None) -> Shape | None:
        """The shape in which this chat can be asked after ``waited`` seconds; None: not yet. Raises
        ``NetworkNotReadyError`` when waiting longer would be an endless spinner, ``WeakerPathsNeededError`` when relays
        are missing and nothing that is possible was ``accepted`` (None: as the owner accepts by default).

        A new chat wants all n paths; k of them do only where the network has relays for n and one is being rebuilt, so
        that nothing is weakened silently.
        """
        paths = self.machine.paths
        known = paths.get(chat)
        shape = self.choice.shape(accepted)
        if shape is None:
            if known is not None and not self.choice.full.direct and paths.suits(known, self.choice.full):
                return self.choice.full
            if self._directory is not None and waited > WAIT_FOR_RELAYS_SECONDS:
                raise self.choice.refusal()
        elif shape.direct or (known is not None and paths.suits(known, shape)):
            return shape
        else:
            paths.prepare(shape, self._clock.monotonic())
            self.loop.wake()
            ready = paths.ready(shape)
            if ready >= shape.n or (ready >= shape.k and waited > 5.0):
                return shape
        if waited > WAIT_FOR_NETWORK_SECONDS:
            raise NetworkNotReadyError(say("paths.not_ready", problem=self.problem()))
        return None

    async def wait_ready(self, chat: bytes, accepted: Accepted | None = None) -> Shape:
        """Wait until :meth:`is_ready`; the shape to ask in."""
        begun = self._clock.monotonic()
        while (shape := self.is_ready(chat, self._clock.monotonic() - begun, accepted)) is None:  # noqa: ASYNC110 - time counts, too
            await asyncio.sleep(0.05)
        return shape

    def has_others(self, model_id: str, digest: bytes | None, without: Collection[NodeId]) -> bool:
        """Whether any node besides these serves the model (None: in whatever version)."""
        return any(
            digest is None or serves(node, digest) for node in self.model_nodes(model_id) if node.node_id not in without
        )

    def may_serve(
        self, chat: bytes, model_id: str, target: Target, minimum_standing: float, shape: Shape | None
    ) -> Callable[[NodeId], bool] | None:
        """Who may answer in place of ``target``: nodes with the same model and enough standing that are listed, or were
        when this was asked: who leaves in between says so, and another one is asked. None: nobody, as
        one of them or of their families relays for this chat, or may come to: it would see sender and text."""
        directory = self._directory
        if directory is None:
            return None
        group = frozenset(node.node_id for node in directory.model_nodes(model_id) if serves(node, target.model_digest))
        if shape is None or not shape.direct:
            path_set = self.machine.paths.upcoming(chat, shape)
            on_paths = {hop for slot in path_set.slots for hop in slot.hops} if path_set else set()
            relaying = frozenset(node.node_id for node in directory.relays())
            barred = with_families(directory, group)
            if not barred.isdisjoint(on_paths) or not barred.isdisjoint(relaying - self._spared):
                return None

        def may(node_id: NodeId) -> bool:
            now = self._directory or directory
            node = now.get(node_id) or directory.get(node_id)
            if node is None or node_id in self._own or not serves(node, target.model_digest):
                return False
            standing = self._book.of(node_id)
            return not standing.excluded and standing.reputation >= minimum_standing

        return may

    async def ask(
        self,
        chat: bytes,
        question: Question,
        target: Target,
        shape: Shape | None = None,
        terms: Terms = USUAL_TERMS,
    ) -> AsyncGenerator[Served, None]:
        """One answer, over paths of this shape (None: the usual one). Ends after ``Finished``; a ``Failed`` or a lost
        answer is raised as ``RequestError``. Closing the generator cancels the answer at the serving node."""
        key, effects = self.begin(chat, question, target, shape, terms)
        stream: asyncio.Queue[Served | RequestError] = asyncio.Queue()
        self._streams[key] = stream
        try:
            self._apply(effects)
            while True:
                item = await stream.get()
                if isinstance(item, RequestError):
                    raise item
                yield item
                if any(isinstance(event, Finished | Failed) for event in item.events):
                    return
        finally:
            del self._streams[key]
            self._apply(self.end(key))

    def begin(
        self, chat: bytes, question: Question, target: Target, shape: Shape | None, terms: Terms = USUAL_TERMS
    ) -> tuple[int, Sequence[ClientEffect | DirectEffect]]:
        """Begin an answer; its key and what to do for it. Raises ``RequestError``."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        if shape is None or not shape.direct:
            return self.machine.ask(chat, question, target, now, wall, shape, terms)
        begun = self.direct.ask(chat, question, target, now, wall, terms)
        self._want_links()
        return begun

    def end(self, key: int) -> Sequence[ClientEffect | DirectEffect]:
        """Nobody waits for this answer any more."""
        if key > 0:
            return self.machine.cancel(key, self._clock.monotonic(), self._clock.wall())
        effects = self.direct.cancel(key)
        self._want_links()
        return effects


def _head(data: bytes) -> DirectoryHash | None:
    try:
        return head_decoder.decode(data)
    except WireError:
        return None


def _path_hop(node: DirectoryNode, now: float) -> PathHop:
    keys = [key for key in node.descriptor.onion_keys if key.expires > now]
    return PathHop(node.node_id, max(keys, key=lambda key: key.expires).key)
