"""What every forwarding policy is asked, what it may know, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from engine.forwarding.members import Member
from engine.ids import NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as far as it may decide who serves it. ``prefix`` names its public part: equal bytes, equal text (the
    chained digest of the public tokens; empty where nothing is public)."""

    prompt_tokens: int
    public_tokens: int = 0  # leading ones that may be found in anybody's cache
    prefix: bytes = b""
    output_tokens: int = 0  # expected; at most the request's ``max_tokens``
    may_forward: bool = True  # else the entry node serves it or refuses
    minimum_standing: float = 0.0  # of who may serve it


class Group(Protocol):
    """The group as one member sees it now: itself among ``members``."""

    @property
    def myself(self) -> NodeId:
        """The entry node: who is choosing."""
        ...

    @property
    def members(self) -> Sequence[Member]:
        """Everybody who may be alive, in an order that does not depend on load."""
        ...

    def member(self, node_id: NodeId) -> Member | None:
        """One of them."""
        ...

    def cached(self, asked: Asked) -> Mapping[NodeId, int]:
        """For whoever holds some of it: how many leading tokens of the prompt its cache holds, by the HR-tree (oneself:
        by the own cache). Who is absent holds none. It may be stale."""
        ...


class Random(Protocol):
    """Randomness, given by who asks (``random.Random`` fits)."""

    def random(self) -> float:
        """Uniform in [0, 1)."""
        ...

    def randrange(self, stop: int, /) -> int:
        """Uniform in 0 .. stop - 1."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """``target`` None: the request is refused, ``reason`` says why in plain words, ``alternatives`` are worth asking
    (best first). ``estimate``: predicted seconds to the first token at the target (or at the best alternative)."""

    target: NodeId | None
    estimate: float = 0.0
    alternatives: tuple[NodeId, ...] = ()
    reason: str = ""


class Policy(Protocol):
    """A way to choose. It may keep state between calls, bounded by the size of the group; it never draws randomness or
    time from elsewhere."""

    name: ClassVar[str]

    def choose(self, asked: Asked, group: Group, now: float, random: Random) -> Choice:
        """Who serves this request. ``now`` in the clock of ``Member.heard``."""
        ...
