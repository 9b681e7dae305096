"""Gossip of one group: every member learns what the others' caches hold and how busy they are. Pure.

Each member signs statements about itself, with changes since the one before: every second while there is news (four
times a second in a small group, ``FULL_MESH``, and at once where others would reckon wrongly: ``reckoning.py``), every
five otherwise, and less often in groups of more than ``STATEMENTS_PER_SECOND``. In a small group it sends them to
everybody itself. In a larger one it sends them to a few neighbours, who offer them to a few others in the next round,
and so on; whoever lacks what is offered asks for it, so that hardly anything is sent twice.

Every few seconds everybody offers one neighbour a part of all that it knows. So whatever was lost (a message, a link, a
partition) is found and asked for: the changes, while they are remembered, else the whole state, which anybody can pass
on, as the author has signed its digest.

Nobody can speak for another member, or make it look older than it is. What a member says of itself may be a lie: then
it gets requests that it is no good for, until :meth:`GroupMachine.disappointed` says so. What is too much, too fast,
too old, forged or malformed is dropped and counted (:attr:`GroupMachine.dropped`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.crypto.identity import Identity, verify
from engine.errors import SignatureError, WireError
from engine.forwarding.digests import BLOCK_TOKENS, DIGEST_BITS, Chunk, set_digest
from engine.forwarding.doubts import Doubts
from engine.forwarding.hr_tree import HrTree, TreeLimits
from engine.forwarding.known import Known
from engine.forwarding.linked import Linked
from engine.forwarding.members import Load
from engine.forwarding.neighbours import FULL_MESH
from engine.forwarding.pace import quiet_interval, statement_interval, telling_silence
from engine.forwarding.policies.interface import Random
from engine.forwarding.sentry import Sentry
from engine.forwarding.serving import answer, together
from engine.forwarding.speaking import Speaker
from engine.forwarding.statements import Verify, check_statement, read_statement
from engine.forwarding.states import Assemblies
from engine.ids import NodeId
from engine.wire.codec import encode
from engine.wire.group import (
    GroupMessage,
    GroupNews,
    GroupOffer,
    GroupState,
    GroupWant,
    SignedStatement,
    Version,
)

ROUND_SECONDS = 0.5
"""In a large group: between two rounds in which what is new is offered,"""
FANOUT = 5
"""to so many neighbours."""
REPAIR_SECONDS = 4.0
"""Between two offers of what is not new."""
REPAIR_VERSIONS = 64
"""Members in one of them."""
RETRY_SECONDS = 1.5
"""Before the same is asked for again."""
SILENT_INTERVALS = 4
"""A member that has been silent for so many times the longest interval is forgotten."""
CLOCK_SKEW = 180.0
"""Seconds between two clocks, with the time of the way; statements beyond it are not believed."""
_PREFIX = 8


@dataclass(frozen=True, slots=True)
class Tell:
    """Send ``message`` to a linked member."""

    peer: NodeId
    message: GroupMessage


@dataclass(frozen=True, slots=True)
class Heard:
    """What a member last said. ``heard``: when it said it, by this machine's monotonic clock."""

    node_id: NodeId
    load: Load
    heard: float
    accepts: bool


class GroupMachine:
    """One member's end. It talks to the members it is linked with; the driver carries :class:`Tell` out, and says who
    is listed (:meth:`set_members`), who is linked, what the cache does (``sentry``) and how busy it is
    (:meth:`report`)."""

    def __init__(
        self,
        identity: Identity,
        network_id: bytes,
        model: bytes,
        random: Random,
        now: float,
        *,
        incarnation: int,
        limits: TreeLimits | None = None,
        bits: int = DIGEST_BITS,
        sentry: Sentry | None = None,
        check: Verify = verify,
    ) -> None:
        """``model``: its digest. ``incarnation``: milliseconds since 1970, greater than that of any earlier start.
        ``sentry``: one that has followed the caches already."""
        self.node_id = identity.node_id
        self.model = model
        self.tree: HrTree[NodeId] = HrTree(limits, bits)
        self.dropped: Counter[str] = Counter()  # why -> messages and statements
        self._network_id = network_id
        self._random = random
        self._bits = bits
        self._check = check
        self._speaker = Speaker(identity, network_id, model, incarnation, bits, sentry)
        self.sentry = self._speaker.sentry
        self._me = Known(self.node_id, now)
        self._keys: Mapping[NodeId, bytes] = {}
        self._known: dict[NodeId, Known] = {self.node_id: self._me}
        self._names: dict[bytes, NodeId] = {self.node_id[:_PREFIX]: self.node_id}
        self._linked = Linked(random)
        self._behind: dict[NodeId, None] = {}
        self._fresh: dict[NodeId, NodeId] = {}  # author -> who told us: not offered to anybody yet
        self._assemblies = Assemblies(self.tree.limits.member, bits)
        self._doubts = Doubts(self.tree)
        self._round_at = now
        self._repair_at = now
        self._repaired = 0  # how far the turn of offers has come

    # ------------------------------------------------------------------------------------------- what the driver says

    def set_members(self, keys: Mapping[NodeId, bytes], now: float) -> None:
        """The listed members with their identity keys, oneself left out or not: of nobody else is anything believed."""
        self._keys = {node_id: key for node_id, key in keys.items() if node_id != self.node_id}
        for node_id in [one for one in self._known if one not in self._keys and one != self.node_id]:
            self._known.pop(node_id).forget_content(self.tree)
            self._behind.pop(node_id, None)
            self._fresh.pop(node_id, None)
            self._linked.remove(node_id)
        for node_id in self._keys:
            if node_id not in self._known:
                self._known[node_id] = Known(node_id, now)
        self._names = {node_id[:_PREFIX]: node_id for node_id in self._known}

    def set_links(self, peers: Collection[NodeId], now: float) -> None:
        """Exactly these members are linked now."""
        self._linked.set([peer for peer in peers if peer in self._keys], now)

    def report(self, load: Load, accepts: bool, now: float) -> None:
        """How busy this machine is, and whether its owner lets it take new requests."""
        self._speaker.report(load, accepts, now)

    def disappointed(self, member: NodeId, now: float) -> None:
        """A request was sent there for what its cache was said to hold, and it was not there: look-ups leave it out for
        a while, longer each time."""
        self._doubts.add(member, now)

    def content(self, member: NodeId, now: float) -> None:
        """A request found there what it was sent for."""
        self._doubts.remove(member, now)

    # ------------------------------------------------------------------------------------------------ what is known

    def heard(self, now: float) -> list[Heard]:
        """Everybody who has spoken lately, oneself included."""
        return [
            Heard(one.node_id, one.load, one.heard, one.newest.said.accepts)
            for one in self._known.values()
            if one.newest is not None and self._is_alive(one, now)
        ]

    def lookup(self, prefixes: Sequence[Chunk], now: float) -> dict[NodeId, int]:
        """For every member that holds some of a prompt: how many leading tokens."""
        self._doubts.look(now)
        return {member: blocks * BLOCK_TOKENS for member, blocks in self.tree.lookup(prefixes).items()}

    def in_step(self) -> bool:
        """Whether everything that was said of caches is known here, as far as anybody has told."""
        return not self._behind

    @property
    def interval(self) -> float:
        """Seconds between two statements while there is news: so often is it worth to :meth:`report`."""
        return statement_interval(len(self._known))

    @property
    def silence(self) -> float:
        """Seconds after which a member's silence tells that nothing has come to it."""
        return telling_silence(len(self._known))

    @property
    def _quiet(self) -> float:
        return quiet_interval(self.interval)

    @property
    def _is_small(self) -> bool:
        return len(self._known) <= FULL_MESH

    def _is_alive(self, known: Known, now: float) -> bool:
        if known is self._me:
            return True
        silent = now - known.arrived > SILENT_INTERVALS * self._quiet
        return not silent and known.newest is not None and not known.newest.said.leaving

    # ------------------------------------------------------------------------------------------------------- time

    def next_deadline(self) -> float:
        """When :meth:`tick` has something to do."""
        spoken = self._speaker.deadline(self.interval, self._quiet, interjects=self._is_small)
        deadline = min(spoken, self._repair_at)
        return min(deadline, self._round_at) if self._fresh or self._behind else deadline

    def tick(self, now: float, wall: float) -> list[Tell]:
        """Say, offer and ask what is due. ``wall``: seconds since 1970."""
        effects: list[Tell] = []
        if self._speaker.due(now, self.interval, self._quiet, interjects=self._is_small):
            effects += self._speak(now, wall)
        if now >= self._round_at and (self._fresh or self._behind):
            self._round_at = now + ROUND_SECONDS
            effects += [*self._offer_fresh(), *self._ask_again(now)]
        if now >= self._repair_at:
            self._repair_at = now + REPAIR_SECONDS * (0.75 + 0.5 * self._random.random())
            self._forget_silent(now)
            effects += self._offer_some()
        return effects

    def leave(self, now: float, wall: float) -> list[Tell]:
        """The last statement: this machine serves the model no longer."""
        return self._speak(now, wall, leaving=True)

    def _speak(self, now: float, wall: float, leaving: bool = False) -> list[Tell]:
        statement = self._speaker.speak(now, wall, self.tree.share, leaving, interval=self.interval)
        self._me.take(statement, self.tree, now)
        if self._is_small:
            receivers: Collection[NodeId] = self._linked
        else:
            receivers = self._linked.some(FANOUT)
            self._fresh[self.node_id] = self.node_id
        return [Tell(peer, GroupNews(self.model, (statement.signed,))) for peer in receivers]

    def _offer_fresh(self) -> list[Tell]:
        fresh, self._fresh = self._fresh, {}
        effects = []
        for peer in self._linked.some(FANOUT) if fresh else ():
            names = [author for author, source in fresh.items() if peer not in (source, author)]
            effects += self._offers(peer, names)
        return effects

    def _offer_some(self) -> list[Tell]:
        """The next part of all that is known, to one neighbour."""
        names = list(self._known)
        begin = self._repaired % len(names)
        self._repaired = begin + REPAIR_VERSIONS
        part = [*names[begin:], *names[:begin]][:REPAIR_VERSIONS]
        return [tell for peer in self._linked.some(1) for tell in self._offers(peer, part)]

    def _offers(self, peer: NodeId, names: Iterable[NodeId]) -> list[Tell]:
        versions: list[Version] = [
            (name[:_PREFIX], known.incarnation, known.sequence)
            for name in names
            if (known := self._known[name]).in_step and known.sequence and name != peer
        ]
        return [
            Tell(peer, GroupOffer(self.model, tuple(versions[at : at + 512]))) for at in range(0, len(versions), 512)
        ]

    def _ask_again(self, now: float) -> list[Tell]:
        """Of whom something is missing since a while: the member itself is asked, or else any neighbour."""
        wanted: dict[NodeId, list[Version]] = {}
        for name in self._behind:
            known = self._known[name]
            if now < known.asked_at + RETRY_SECONDS:
                continue
            peers = [name] if name in self._linked and known.asked != name else self._linked.some(1)
            for peer in peers:
                known.asked_at, known.asked = now, peer
                wanted.setdefault(peer, []).append((name[:_PREFIX], known.incarnation, known.content))
        return [
            Tell(peer, GroupWant(self.model, tuple(versions[at : at + 64])))
            for peer, versions in wanted.items()
            for at in range(0, len(versions), 64)
        ]

    def _forget_silent(self, now: float) -> None:
        for known in self._known.values():
            if not self._is_alive(known, now):
                known.forget_content(self.tree)
                self._behind.pop(known.node_id, None)
                if now - known.arrived > 2 * CLOCK_SKEW:  # nothing that it said then would be believed any more
                    known.forget_versions()

    # ---------------------------------------------------------------------------------------------------- receiving

    def receive(self, peer: NodeId, message: GroupMessage, now: float, wall: float) -> list[Tell]:
        """A message from a neighbour."""
        refusal = "stranger" if message.model != self.model else self._linked.refusal(peer, now)
        if refusal:
            return self._drop(refusal)
        try:
            match message:
                case GroupNews():
                    for signed in message.statements:
                        self._hear(peer, signed, now, wall)
                    return []
                case GroupOffer():
                    return self._consider(peer, message, now)
                case GroupWant():
                    return self._serve(peer, message, now)
                case GroupState():
                    return self._take_piece(peer, message, now)
        except WireError:
            self._drop("malformed")
        except SignatureError:
            self._drop("forged")
        self._linked.mute(peer, now)
        return []

    def _hear(self, peer: NodeId, signed: SignedStatement, now: float, wall: float) -> None:
        author = NodeId(signed.author)
        known, key = self._known.get(author), self._keys.get(author)
        if known is None or key is None:  # oneself, too; directories may differ for a moment
            self._drop("not listed")
            return
        if not known.may_say_more(now):
            self._drop("too fast")
            return
        statement = read_statement(signed, self._bits)
        if abs(wall - statement.said.made) > CLOCK_SKEW:
            self._drop("old")
        elif not known.is_useful(statement):
            self._drop("known")
        else:
            check_statement(key, self._network_id, self.model, signed, self._check)
            if not known.may_say(statement, now):
                self._drop("too fast")
                return
            known.take(statement, self.tree, now)
            self._taken(known, peer)

    def _taken(self, known: Known, source: NodeId) -> None:
        """Something new of it is known here."""
        if not known.in_step:
            self._behind[known.node_id] = None
            return
        self._behind.pop(known.node_id, None)
        known.asked_at = -math.inf  # what was asked for is here: the next news can be asked for at once
        if not self._is_small:
            self._fresh[known.node_id] = source

    def _consider(self, peer: NodeId, offer: GroupOffer, now: float) -> list[Tell]:
        """Ask for what is newer there; offer what is newer here."""
        wants: list[Version] = []
        ahead: list[NodeId] = []
        for name, incarnation, sequence in offer.versions:
            author = self._names.get(name)
            if author is None:
                continue
            known = self._known[author]
            theirs, ours = (incarnation, sequence), (known.incarnation, known.sequence)
            lacking = theirs > ours or (theirs == ours and not known.in_step)
            if ours > theirs and len(ahead) < REPAIR_VERSIONS:
                ahead.append(author)
            elif lacking and known is not self._me and now >= known.asked_at + RETRY_SECONDS:
                known.asked_at, known.asked = now, peer
                wants.append((name, known.incarnation, known.content))
        asked = [Tell(peer, GroupWant(self.model, tuple(wants[at : at + 64]))) for at in range(0, len(wants), 64)]
        return [*asked, *self._offers(peer, ahead)]

    def _serve(self, peer: NodeId, want: GroupWant, now: float) -> list[Tell]:
        found: list[GroupMessage] = []
        for name, incarnation, content in want.versions:
            author = self._names.get(name)
            known = self._known.get(author) if author is not None else None
            if author is None or known is None or known.newest is None or not known.in_step:
                continue
            told = self.sentry.told if known is self._me else None
            messages = answer(self.model, known, incarnation, content, self.tree, told)
            if not self._linked.may_get(peer, sum(len(encode(one)) for one in messages), now):
                self._drop("asks too much")
                break
            found += messages
        return [Tell(peer, message) for message in together(self.model, found)]

    def _take_piece(self, peer: NodeId, message: GroupState, now: float) -> list[Tell]:
        known = self._known.get(NodeId(message.author))
        if known is None or known is self._me or known.asked != peer or known.in_step:
            return self._drop("not asked for")
        if message.incarnation != known.incarnation or message.sequence not in known.states:
            return self._drop("old")
        chunks = self._assemblies.take(peer, message, now)
        if chunks is None:
            return []
        if set_digest(chunks, self._bits) != known.states[message.sequence]:
            # An author that tells everybody something else makes honest members pass on what does not check out, so
            # whoever has sent it is not muted, but asked no more.
            known.asked = None
            return self._drop("state not as signed")
        known.take_state(message.sequence, chunks, self.tree)
        self._taken(known, peer)
        return []

    def _drop(self, why: str) -> list[Tell]:
        self.dropped[why] += 1
        return []
