"""The group as one member sees it: what the policies of ``engine.forwarding`` are asked with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.forwarding.members import Load, Member
from engine.forwarding.policies.interface import Asked
from engine.ids import NodeId
from engine.inference.scheduling.plan import BLOCK_TOKENS
from engine.simulation.forwarding.news import Clockwork, Statements, VersionedTree, chain_of, node_name, place_of
from engine.simulation.forwarding.node import SimulatedNode
from engine.simulation.forwarding.trace import PublicText


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
    tree: VersionedTree = field(default_factory=VersionedTree)
    texts: dict[bytes, tuple[PublicText, tuple[bytes, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.alive = [True] * len(self.nodes)
        self.names = [node_name(place) for place in range(len(self.nodes))]
        self.statements = [Statements(node.load()) for node in self.nodes]

    def learn(self, text: PublicText) -> None:
        """Requests with this public text will be asked about."""
        if text.digest and text.digest not in self.texts:
            self.texts[text.digest] = (text, chain_of(self.nodes[0].cache.root.digest, text.blocks))

    def state(self, place: int, statement: int) -> None:
        """The member makes its next statement: its load, and what changed in its cache."""
        node = self.nodes[place]
        self.statements[place].add(node.load())
        for inserted, block in node.cache.changes():
            if inserted:
                self.tree.insert(place, block, statement)
            else:
                self.tree.evict(place, block, statement)


class View:
    """What the member at ``place`` knows at :meth:`look`'s moment; of itself the truth."""

    def __init__(self, place: int, group: Group) -> None:
        self._place = place
        self._group = group
        self._members: list[Member] = []
        self._heard = np.full(len(group.nodes), -2, dtype=np.int64)
        self._sent: dict[int, list[Sent]] = {}
        self._now = 0.0

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
        depths = group.tree.depths(chain, self._heard.tolist())
        names = group.names
        found = {names[place]: depth * BLOCK_TOKENS for place, depth in depths.items() if place != mine}
        own = group.nodes[mine].cached_tokens(text)
        if own:
            found[names[mine]] = own
        return found

    def look(self, now: float) -> None:
        """See everything as it is known at ``now``."""
        group, mine = self._group, self._place
        self._now = now
        heard = group.clockwork.heard(mine, now)
        if not self._members:
            self._members = [self._seen(place, int(heard[place])) for place in range(len(group.nodes))]
        else:
            changed = set(np.nonzero(heard != self._heard)[0].tolist())
            for place in changed.union(self._sent):
                self._members[place] = self._seen(place, int(heard[place]))
        self._heard = heard
        self._members[mine] = self._member(mine, group.nodes[mine].load(), now, [])

    def note(self, target: int, tokens: int, output_tokens: int, arrives: float) -> None:
        """It has sent a request there."""
        self._sent.setdefault(target, []).append(Sent(arrives, tokens, output_tokens))

    def described(self, place: int, load: Load, heard: float) -> Member:
        """A member with this load, and what is on its way there."""
        sent = [one for one in self._sent.get(place, ()) if one.arrives > heard]
        return self._member(place, load, heard, sent)

    def _seen(self, place: int, statement: int) -> Member:
        """Another member, by its statement and what was sent there since."""
        group = self._group
        made = group.clockwork.time(place, statement)
        sent = self._sent.get(place, [])
        if sent:
            sent = [one for one in sent if one.arrives > made]
            if sent:
                self._sent[place] = sent
            else:
                del self._sent[place]
        return self._member(place, group.statements[place].load(statement), made, sent)

    def _member(self, place: int, load: Load, heard: float, sent: Sequence[Sent]) -> Member:
        group = self._group
        return Member(
            node_id=group.names[place],
            load=load,
            heard=heard,
            round_trip=2 * float(group.one_way[self._place, place]),
            established=group.established[place],
            accepts=group.alive[place],
            sent_tokens=sum(one.tokens for one in sent),
            sent_requests=len(sent),
            sent_output_tokens=sum(one.output_tokens for one in sent),
        )


class TrueView:
    """The truth at once, about everybody: what the oracle knows."""

    def __init__(self, place: int, group: Group) -> None:
        self._view = View(place, group)
        self._group = group
        self._members: list[Member] = []
        self._now = 0.0

    @property
    def myself(self) -> NodeId:
        """The entry node."""
        return self._view.myself

    @property
    def members(self) -> Sequence[Member]:
        """Everybody."""
        return self._members

    def member(self, node_id: NodeId) -> Member | None:
        """One of them."""
        return self._members[place_of(node_id)]

    def cached(self, asked: Asked) -> Mapping[NodeId, int]:
        """By the caches themselves."""
        if not asked.prefix:
            return {}
        group = self._group
        text, _ = group.texts[asked.prefix]
        found = {name: node.cached_tokens(text) for name, node in zip(group.names, group.nodes, strict=True)}
        return {name: tokens for name, tokens in found.items() if tokens}

    def look(self, now: float) -> None:
        """See everything as it is at ``now``."""
        self._now = now
        self._members = []
        for place, node in enumerate(self._group.nodes):
            self._members.append(self._view.described(place, node.load(), now))

    def note(self, target: int, tokens: int, output_tokens: int, arrives: float) -> None:
        """What is on its way counts too."""
        self._view.note(target, tokens, output_tokens, arrives)
