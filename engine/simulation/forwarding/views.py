"""The group as one member sees it: what the policies of ``engine.forwarding`` are asked with."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from engine.forwarding.beliefs import Beliefs
from engine.forwarding.doubts import Doubts
from engine.forwarding.members import Member
from engine.forwarding.neighbours import FULL_MESH
from engine.forwarding.pace import quiet_interval
from engine.forwarding.policies.interface import Asked
from engine.forwarding.policies.usual import Usual, usual_of, within_reason
from engine.forwarding.statements import noticeably_different
from engine.ids import NodeId
from engine.inference.scheduling.plan import BLOCK_TOKENS
from engine.simulation.forwarding.news import Clockwork, Statements, VersionedTree, chain_of, node_name, place_of
from engine.simulation.forwarding.node import SimulatedNode
from engine.simulation.forwarding.trace import PublicText

OVERSTATED = 10
"""Times its real speed, which a member says that overstates."""
EXACT = 64
"""Members of a group in which everybody knows the round trip of each of its links; in larger ones one number for each
member has to do, the mean of its links'."""
_SMALL = 1e-6


@dataclass(slots=True)
class Sent:
    """What a member has sent to another one, to arrive there at ``arrives``."""

    arrives: float
    tokens: int
    output_tokens: int


@dataclass(slots=True)
class Group:
    """The members as they are, and what they have said: what every view is made from."""

    nodes: list[SimulatedNode]
    established: list[bool]
    one_way: np.ndarray  # seconds from member to member
    clockwork: Clockwork
    alive: list[bool] = field(init=False)
    names: list[NodeId] = field(init=False)
    statements: list[Statements] = field(init=False)
    latest: list[Member] = field(init=False)  # the last statements
    large: bool = field(init=False)
    usual: Usual = field(default=Usual(), init=False)  # among all, a period ago at most
    gone: dict[int, float] = field(default_factory=dict, init=False)  # since when, of those that are not there
    tree: VersionedTree = field(default_factory=VersionedTree)
    overstating: frozenset[int] = frozenset()  # members that say they are OVERSTATED times as fast as they are
    beliefs: bool = False  # what a member says of its speed counts as far as it is measured
    poisoning: frozenset[int] = frozenset()  # members that say they hold whatever anybody has said to hold
    denying: bool = False  # and with the answer, too
    doubts: bool = False  # who did not hold what it had said is left out of look-ups for a while
    texts: dict[bytes, tuple[PublicText, tuple[bytes, ...]]] = field(default_factory=dict)
    _told: dict[bytes, None] = field(default_factory=dict, init=False)  # blocks that anybody has said to hold
    _claimed: dict[int, int] = field(default_factory=dict, init=False)  # how many of them each liar says to hold

    def __post_init__(self) -> None:
        self.alive = [True] * len(self.nodes)
        self.names = [node_name(place) for place in range(len(self.nodes))]
        self.large = len(self.nodes) > EXACT
        self.latest = [self.describe(place, -self.clockwork.period) for place in range(len(self.nodes))]
        self.look_around()
        self.latest = [within_reason(member, self.usual) for member in self.latest]
        self.statements = [Statements(member) for member in self.latest]

    def learn(self, text: PublicText) -> None:
        """Requests with this public text will be asked about."""
        if text.digest and text.digest not in self.texts:
            self.texts[text.digest] = (text, chain_of(self.nodes[0].cache.root.digest, text.blocks))

    def describe(self, place: int, heard: float) -> Member:
        """A member as it is now, for no particular other one: the round trip is that of everybody on average."""
        load = self.nodes[place].load()
        if place in self.overstating:
            load = replace(
                load,
                prefill_rate=load.prefill_rate * OVERSTATED,
                decode_rate=load.decode_rate * OVERSTATED,
                decode_rate_alone=load.decode_rate_alone * OVERSTATED,
            )
        return Member(
            node_id=self.names[place],
            load=load,
            heard=heard,
            silence=self.clockwork.period if len(self.nodes) <= FULL_MESH else math.inf,
            round_trip=self.mean_round_trip(place),
            established=self.established[place],
            accepts=self.alive[place],
        )

    def mean_round_trip(self, place: int) -> float:
        """Seconds, of one member's links with all others."""
        return 2 * float(self.one_way[:, place].sum()) / max(1, len(self.nodes) - 1)

    def look_around(self) -> None:
        """What is usual now."""
        self.usual = usual_of(self.latest)

    def state(self, place: int, statement: int, silent: float = math.inf, *, early: bool = False) -> None:
        """The member makes its next statement, its load and what changed in its cache; or it says nothing, and the last
        one stands: what a real one does is in ``engine.forwarding.speaking``. ``early``: others reckon wrongly. Who is
        not there is left out after ``silent`` seconds."""
        node, last, now = self.nodes[place], self.latest[place], self.clockwork.time(place, statement)
        if not self.alive[place]:
            left_out = now - self.gone.get(place, now) >= silent
            self.latest[place] = replace(last, accepts=False) if left_out else last
            self.statements[place].add(self.latest[place])
            return
        described = within_reason(self.describe(place, now), self.usual)
        changes = node.cache.changes()
        has_news = changes or last.accepts != described.accepts or noticeably_different(last.load, described.load)
        if not statement or has_news or early or now - last.heard > quiet_interval(self.clockwork.period) - _SMALL:
            self.latest[place] = described
        self.statements[place].add(self.latest[place])
        lies = place in self.poisoning
        for inserted, block in changes:
            if inserted and self.poisoning:
                self._told[block] = None
            if inserted and not lies:
                self.tree.insert(place, block, statement)
            elif not lies:
                self.tree.evict(place, block, statement)
        if lies:
            for block in islice(self._told, self._claimed.get(place, 0), None):
                self.tree.insert(place, block, statement)
            self._claimed[place] = len(self._told)


class _LeftOut:
    """Whose word about its cache one member does not believe now; the tree belongs to all."""

    def __init__(self, members: Collection[NodeId]) -> None:
        self.members = members
        self.names: set[NodeId] = set()

    def doubt(self, member: NodeId, doubted: bool = True) -> None:
        """See :class:`LookUps`."""
        if doubted:
            self.names.add(member)
        else:
            self.names.discard(member)


class View:
    """What the member at ``place`` knows at :meth:`look`'s moment; of itself the truth."""

    measures = True  # others' speed, and believes what they say of it only so far, where the group does

    def __init__(self, place: int, group: Group) -> None:
        self._place = place
        self._group = group
        self._members: list[Member] = []
        self._heard: list[int] = []
        self._sent: dict[int, list[Sent]] = {}
        self._asked: set[int] = set()  # members that were measured, or will be
        self._now = 0.0
        self.beliefs = Beliefs()
        self._left_out = _LeftOut(group.names)
        self._doubts = Doubts(self._left_out)

    @property
    def myself(self) -> NodeId:
        """The entry node."""
        return self._group.names[self._place]

    @property
    def members(self) -> Sequence[Member]:
        """Everybody, in the order of their names."""
        return self._members

    def member(self, node_id: NodeId) -> Member | None:
        """One of them."""
        return self._members[place_of(node_id)]

    def cached(self, asked: Asked) -> Mapping[NodeId, int]:
        """Tokens of the public part that each member's cache holds, as far as one has heard."""
        if not asked.prefix:
            return {}
        group, mine = self._group, self._place
        text, chain = group.texts[asked.prefix]
        depths = group.tree.depths(chain, self._heard)
        names = group.names
        found = {names[place]: depth * BLOCK_TOKENS for place, depth in depths.items() if place != mine}
        if group.doubts:
            self._doubts.look(self._now)
            found = {name: tokens for name, tokens in found.items() if name not in self._left_out.names}
        own = group.nodes[mine].cached_tokens(text)
        if own:
            found[names[mine]] = own
        return found

    def look(self, now: float) -> None:
        """See everything as it is known at ``now``."""
        group, mine = self._group, self._place
        self._now = now
        heard = group.clockwork.heard(mine, now)
        self._heard = heard.tolist()
        members = group.latest.copy()
        old = np.nonzero(heard < group.clockwork.made(now))[0].tolist()
        for place in old:
            members[place] = group.statements[place].at(self._heard[place])
        for place in self._asked.union(self._sent) if group.large else range(len(members)):
            members[place] = self.adjusted(place, members[place])
        members[mine] = replace(group.describe(mine, now), round_trip=0.0)
        self._members = members

    def note(self, key: int, target: int, asked: Asked, cached: int, arrives: float) -> None:
        """It forwards request ``key`` to the member it sees at ``target``, who is said to have ``cached`` tokens."""
        tokens = max(1, asked.prompt_tokens - cached)
        self._sent.setdefault(target, []).append(Sent(arrives, tokens, asked.output_tokens))
        self._asked.add(target)
        self.beliefs.sent(key, self._members[target], asked, cached, self._now)

    def says(self, place: int, promised: int, cached: int) -> int:
        """What the member at ``place`` says with an answer that it had ``cached`` of the ``promised`` tokens."""
        return promised if self._group.denying and place in self._group.poisoning else cached

    def found(self, place: int, promised: int, cached: int, now: float) -> None:
        """As ``engine.node.group``: a request went there for so many tokens, and it had so many."""
        if self._group.doubts and promised >= BLOCK_TOKENS:
            if 2 * cached < promised:
                self._doubts.add(self._group.names[place], now)
            else:
                self._doubts.remove(self._group.names[place], now)

    def adjusted(self, place: int, member: Member) -> Member:
        """A member with the round trip from here, and what was sent there from here since its statement."""
        sent = self._sent.get(place)
        if sent:
            sent = [one for one in sent if one.arrives > member.heard]
            self._sent[place] = sent
        if not sent:
            self._sent.pop(place, None)
        measured = self.measures and self._group.beliefs and place in self._asked
        trust = self.beliefs.trust(member.node_id, self._now) if measured else 1.0
        if not sent and trust == 1.0 and self._group.large:
            return member
        sent = sent or []
        return replace(
            member,
            trust=trust,
            round_trip=2 * float(self._group.one_way[self._place, place]),
            sent_tokens=sum(one.tokens for one in sent),
            sent_requests=len(sent),
            sent_output_tokens=sum(one.output_tokens for one in sent),
        )


class TrueView(View):
    """The truth at once, about everybody: what the oracle knows. It has nothing to believe."""

    measures = False

    def cached(self, asked: Asked) -> Mapping[NodeId, int]:
        """By the caches themselves."""
        if not asked.prefix:
            return {}
        group = self._group
        text, _ = group.texts[asked.prefix]
        found = {name: node.cached_tokens(text) for name, node in zip(group.names, group.nodes, strict=True)}
        return {name: tokens for name, tokens in found.items() if tokens}

    def look(self, now: float) -> None:
        """See everything as it is at ``now``; what is on its way from here counts too."""
        self._now = now
        group = self._group
        self._members = [self.adjusted(place, group.describe(place, now)) for place in range(len(group.nodes))]
