"""This machine in its groups: what its caches hold and how busy it is goes to the other members, and theirs comes here.

One :class:`~engine.forwarding.gossip.GroupMachine` for each model that is offered; this is their driver.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.clock import Clock
from engine.crypto.identity import Identity
from engine.directory.directory import Directory, DirectoryNode
from engine.directory.standing import Standing, StandingBook
from engine.forwarding.advertised import advertised_trust
from engine.forwarding.beliefs import Beliefs
from engine.forwarding.digests import BLOCK_TOKENS, chunks_of
from engine.forwarding.gossip import GroupMachine, Heard, Tell
from engine.forwarding.members import Member
from engine.forwarding.neighbours import group_neighbours
from engine.forwarding.refusals import Refusals
from engine.ids import NetworkId, NodeId
from engine.inference.types import InferenceBackend, ModelInfo
from engine.node.cached_prefixes import CachedPrefixes
from engine.node.group_view import UNKNOWN_ROUND_TRIP, GroupView, SentRequests, load_of, with_work
from engine.node.loop import MachineLoop
from engine.node.uncounted import Uncounted
from engine.transport.link import Channel, LinkSender
from engine.wire.codec import encode
from engine.wire.group import GroupMessage


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """All groups of this machine together. ``members``: heard lately, this machine once per group; ``chunks``:
    different ones in all caches, ``own_chunks`` of this machine; ``dropped``: messages and statements by reason."""

    members: int
    chunks: int
    own_chunks: int
    dropped: Mapping[str, int]


class GroupRole:
    """The groups of one node identity. ``sender`` is attached before links come up; :attr:`loop` must run."""

    def __init__(
        self,
        identity: Identity,
        network_id: NetworkId,
        backend: InferenceBackend,
        prefixes: CachedPrefixes,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        *,
        committee: bool = False,
    ) -> None:
        """``committee``: somebody judges members; where nobody does, all have standing."""
        self._identity = identity
        self._network_id = network_id
        self._backend = backend
        self._prefixes = prefixes
        self._clock = clock
        self._random = random.Random(random_bytes(16))
        self._book = StandingBook(committee)
        self._offered: frozenset[str] = frozenset()
        self._directory: Directory | None = None
        self._machines: dict[bytes, GroupMachine] = {}  # digest of the model -> its group
        self._sent: dict[bytes, SentRequests] = {}
        self._beliefs: dict[bytes, Beliefs] = {}
        self._refusals: dict[bytes, Refusals] = {}
        self._incarnation = 0
        self._looked = clock.monotonic()  # when the loads were reported last
        self._counted_at: float | None = None  # when a worker said last how busy it is
        self.uncounted = Uncounted()
        self.sender: LinkSender | None = None
        self.loop = MachineLoop(clock, self._tick, self._next_deadline)

    # ------------------------------------------------------------------------------------------- what has changed

    def offer(self, models: frozenset[str]) -> None:
        """Be a member of these models' groups and of no others."""
        self._offered = models
        self._reconcile()
        self.loop.wake()

    def update_standings(self, book: StandingBook) -> None:
        """Believe these standings from now on."""
        self._book = book

    def update_directory(self, directory: Directory) -> None:
        """Use this snapshot from now on."""
        self._directory = directory
        for digest, machine in self._machines.items():
            self._tell_members(machine, digest)

    def loads_changed(self) -> None:
        """A worker has said how busy it is."""
        self._counted_at = self._clock.monotonic()
        self.uncounted.counted()
        self._report()
        self.loop.wake()

    def links_changed(self) -> None:
        """A link came or went."""
        if self.sender is not None:
            for machine in self._machines.values():
                machine.set_links(self.sender.links(), self._clock.monotonic())

    def heard(self, peer: NodeId, message: GroupMessage) -> None:
        """A message from a linked node; who is no member of that group is not listened to."""
        machine = self._machines.get(message.model)
        if machine is not None:
            self._send(machine.receive(peer, message, self._clock.monotonic(), self._clock.wall()))
            self.loop.wake()

    def leave(self) -> None:
        """Tell all groups that this machine serves no longer."""
        self.offer(frozenset())

    def neighbours(self) -> frozenset[NodeId]:
        """The members to keep linked with."""
        found: set[NodeId] = set()
        for digest in self._machines:
            present = [node.node_id for node in self._listed(digest) if not node.away]
            found |= group_neighbours(present, self._identity.node_id, digest)
        return frozenset(found)

    # ------------------------------------------------------------------------------------------- what policies ask

    def view(self, model_digest: bytes, digests: Sequence[bytes] = ()) -> GroupView | None:
        """The group that serves a model, as it is known now, for a prompt with these digests of its public part
        (``engine.forwarding.digests.prefix_digests``); None if this machine is no member."""
        machine, info = self._machines.get(model_digest), self._info(model_digest)
        if machine is None or info is None:
            return None
        now, myself = self._clock.monotonic(), self._identity.node_id
        heard = [one for one in machine.heard(now) if one.node_id != myself]
        standings = {one.node_id: self._book.of(one.node_id) for one in heard}
        # Where nobody is established yet, all are alike: a young network has to answer, too.
        young = not any(standing.established for standing in standings.values())
        members = [
            self._member(one, model_digest, standings[one.node_id], young)
            for one in heard
            if not standings[one.node_id].excluded
        ]
        members.append(self._myself(info, now))
        cached = machine.lookup(chunks_of(digests), now)
        cached[myself] = machine.sentry.held(digests) * BLOCK_TOKENS
        held = {
            one: tokens
            for one, tokens in cached.items()
            if tokens and (one == myself or not self._book.of(one).excluded)
        }
        return GroupView(myself, members, held)

    def models(self) -> Sequence[ModelInfo]:
        """Those in whose groups this machine is."""
        return [info for digest, info in self._infos().items() if digest in self._machines]

    def is_member(self, model_digest: bytes) -> bool:
        """Whether this machine is in the group that serves a model."""
        return model_digest in self._machines and self._info(model_digest) is not None

    def sent(self, model_digest: bytes, target: NodeId, tokens: int, output_tokens: int) -> None:
        """A request went to ``target``: so many prompt tokens are not in its cache, so many may be written."""
        sent = self._sent.get(model_digest)
        if sent is not None:
            sent.add(target, tokens, output_tokens, self._clock.monotonic(), self._round_trip(target) / 2)

    def beliefs(self, model_digest: bytes) -> Beliefs | None:
        """What this machine has measured of the members that serve a model; None if it is no member itself."""
        return self._beliefs.get(model_digest)

    def found(self, model_digest: bytes, target: NodeId, promised: int, cached: int) -> None:
        """A request was sent for ``promised`` tokens of its prompt that ``target`` said to hold; it had ``cached``."""
        machine = self._machines.get(model_digest)
        if machine is None or promised < BLOCK_TOKENS:
            return
        now = self._clock.monotonic()
        if 2 * cached < promised:
            machine.disappointed(target, now)
        else:
            machine.content(target, now)

    def refused(self, model_digest: bytes, target: NodeId) -> None:
        """``target`` has not taken a request that was passed on to it."""
        if model_digest in self._refusals:
            self._refusals[model_digest].refused(target, self._clock.monotonic())

    def took(self, model_digest: bytes, target: NodeId) -> None:
        """``target`` has answered a request that was passed on to it."""
        if model_digest in self._refusals:
            self._refusals[model_digest].took(target)

    def figures(self) -> GroupFigures:
        """Counts of this moment."""
        machines, now = self._machines.values(), self._clock.monotonic()
        return GroupFigures(
            members=sum(len(machine.heard(now)) for machine in machines),
            chunks=sum(len(machine.tree) for machine in machines),
            own_chunks=sum(len(machine.sentry.told) for machine in machines),
            dropped=sum((machine.dropped for machine in machines), Counter[str]()),
        )

    def _member(self, heard: Heard, digest: bytes, standing: Standing, young: bool) -> Member:
        round_trip, sent = self._round_trip(heard.node_id), self._sent[digest]
        made = sent.made(heard.node_id, heard.heard, round_trip / 2)
        since = sent.since(heard.node_id, made)
        left_alone = self._refusals[digest].is_left_alone(heard.node_id, self._clock.monotonic())
        return Member(
            node_id=heard.node_id,
            load=heard.load,
            heard=made,
            silence=self._machines[digest].silence,
            round_trip=round_trip,
            standing=standing.reputation,
            established=standing.established or young,
            accepts=heard.accepts and not left_alone,
            trust=self._trust(heard, digest),
            sent_tokens=since.tokens,
            sent_requests=since.requests,
            sent_output_tokens=since.output_tokens,
        )

    def _myself(self, info: ModelInfo, now: float) -> Member:
        """What this machine has begun counts at once, as what it sends to others does."""
        begun = self.uncounted.of(info.digest, now)
        return Member(
            node_id=self._identity.node_id,
            load=load_of(info, self._age(now)),
            heard=now,
            sent_tokens=begun.tokens,
            sent_requests=begun.requests,
            sent_output_tokens=begun.output_tokens,
        )

    def _age(self, now: float) -> float:
        """Of what is said here of how busy the models are. Some back ends tell the truth of the moment, without a word
        to this role."""
        return 0.0 if self._counted_at is None else now - self._counted_at

    def _round_trip(self, peer: NodeId) -> float:
        known = self.sender.round_trip(peer) if self.sender is not None else None
        return UNKNOWN_ROUND_TRIP if known is None else known

    def _trust(self, heard: Heard, digest: bytes) -> float:
        """By what was measured here, and by what it is known to have said and the committee to have measured."""
        measured = self._beliefs[digest].trust(heard.node_id, self._clock.monotonic())
        listed = self._directory.get(heard.node_id) if self._directory is not None else None
        models = [one for one in listed.descriptor.models if one.digest == digest] if listed else []
        if not models:
            return measured
        found, load, said = self._book.reads(heard.node_id, digest), heard.load, models[0]
        reading, writing = (load.prefill_rate, said.prefill_rate), (load.decode_rate_alone, said.decode_rate)
        return min(measured, advertised_trust(*reading, found, *writing))

    # ------------------------------------------------------------------------------------------------------- driving

    def _infos(self) -> dict[bytes, ModelInfo]:
        if not self._offered:
            return {}
        return {info.digest: info for info in self._backend.models() if info.model_id in self._offered}

    def _info(self, digest: bytes) -> ModelInfo | None:
        return self._infos().get(digest)

    def _reconcile(self) -> None:
        """One machine for each model that is offered in the version that is here."""
        infos, now = self._infos(), self._clock.monotonic()
        for digest in [one for one in self._machines if one not in infos]:
            self._send(self._machines.pop(digest).leave(now, self._clock.wall()))
            del self._sent[digest], self._beliefs[digest], self._refusals[digest]
        for digest, info in infos.items():
            if digest not in self._machines:
                self._incarnation = max(int(self._clock.wall() * 1000), self._incarnation + 1)
                machine = GroupMachine(
                    self._identity,
                    self._network_id,
                    digest,
                    self._random,
                    now,
                    incarnation=self._incarnation,
                    sentry=self._prefixes.of(info.model_id),
                )
                self._machines[digest], self._sent[digest] = machine, SentRequests()
                self._beliefs[digest], self._refusals[digest] = Beliefs(), Refusals()
                self._tell_members(machine, digest)
        self._report()

    def _report(self) -> None:
        self._looked = now = self._clock.monotonic()
        for digest, info in self._infos().items():
            if digest in self._machines:
                load = with_work(load_of(info, self._age(now)), self.uncounted.of(digest, now))
                self._machines[digest].report(load, accepts=True, now=now)  # who takes none is no member

    def _listed(self, digest: bytes) -> list[DirectoryNode]:
        nodes: Iterable[DirectoryNode] = self._directory.nodes() if self._directory is not None else ()
        return [node for node in nodes if any(model.digest == digest for model in node.descriptor.models)]

    def _tell_members(self, machine: GroupMachine, digest: bytes) -> None:
        now = self._clock.monotonic()
        machine.set_members({node.node_id: node.descriptor.identity_key for node in self._listed(digest)}, now)
        if self.sender is not None:
            machine.set_links(self.sender.links(), now)

    def _tick(self) -> None:
        self._reconcile()
        self.links_changed()
        for machine in self._machines.values():
            self._send(machine.tick(self._clock.monotonic(), self._clock.wall()))

    def _next_deadline(self) -> float | None:
        """Some back ends' loads change without a word to this role: it looks as often as a statement may be due."""
        machines = self._machines.values()
        return min((min(one.next_deadline(), self._looked + one.interval) for one in machines), default=None)

    def _send(self, effects: Iterable[Tell]) -> None:
        """What is refused, because a link is full or gone, is found missing and asked for later."""
        if self.sender is not None:
            for tell in effects:
                self.sender.send(tell.peer, Channel.CONTROL, encode(tell.message))
