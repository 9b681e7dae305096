"""What all blocks so far have led to."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.directory.genesis import GenesisRecord
from engine.ids import NetworkId, NodeId
from engine.verification.capacity.speeds import NOTHING_MEASURED, Speeds
from engine.verification.challenges.duties import Basis, related
from engine.verification.members import first_output
from engine.verification.reputation.page import OURS
from engine.verification.reputation.rule import Rule
from engine.wire.blocks import NodeStanding, Standings
from engine.wire.challenges import ChallengeCommitment
from engine.wire.codec import encode
from engine.wire.records import Genesis

MAX_STANDINGS = 20_000
"""Nodes with a standing; of more, those that signed least recently are newcomers again."""
HIDDEN_KEPT = 8
"""Epochs for which a block can say that a receipt was hidden; so long it is known which blocks have named."""
WINDOW = 2
"""Evidence of an epoch is taken by blocks of it and of so many epochs behind it."""
NEWCOMER_AGAIN_SECONDS = 14 * 86_400
NEWCOMER_AGAIN_EPOCHS = 500
"""Where epochs are long: in so many even the rarest checks have come ten times on average."""


@dataclass(frozen=True, slots=True)
class Done:
    """What blocks say of one duty: the challenge that was opened for it, and its turns that were judged."""

    index: int | None = None  # None: nothing was judged
    turns: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenEpoch:
    """An epoch whose evidence still counts. ``outputs``: of the members' VRF, as far as they have shown their duties;
    ``done``: (member key, node asked); ``said``: (member key, node judged) → what blocks have counted against the node
    of that member's results, thousandths; ``reported``: members whose measured speeds blocks have; ``broken``: (member
    key, node asked) of conversations that the node broke off."""

    basis: Basis
    outputs: Mapping[bytes, bytes] = field(default_factory=lambda: MappingProxyType({}))
    done: Mapping[tuple[bytes, NodeId], Done] = field(default_factory=lambda: MappingProxyType({}))
    said: Mapping[tuple[bytes, NodeId], int] = field(default_factory=lambda: MappingProxyType({}))
    reported: frozenset[bytes] = frozenset()
    broken: frozenset[tuple[bytes, NodeId]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainState:
    """After block ``height`` (0: before the first). ``previous`` is its SHA-256, ``output`` its VRF output, ``members``
    decide on the next one, ``changes`` are the heights that have named others; ``standings`` has who was judged,
    everybody else is a newcomer; ``hidden`` the receipts that blocks have lately named, with the epochs in which they
    were asked for; ``serving``: for which model's answer nodes were judged last (its digest); ``speeds``: how
    fast nodes read, as members have measured it."""

    genesis: Genesis
    network_id: NetworkId
    rule: Rule
    height: int
    epoch: int  # -1 before the first
    issued: int
    previous: bytes
    output: bytes
    members: tuple[bytes, ...]
    changes: tuple[int, ...]
    standings: Mapping[NodeId, NodeStanding]
    hidden: Mapping[bytes, int]
    epochs: Mapping[int, OpenEpoch]
    serving: Mapping[NodeId, bytes] = field(default_factory=lambda: MappingProxyType({}))
    speeds: Speeds = NOTHING_MEASURED

    def related(self, epoch: int, node: NodeId) -> frozenset[bytes]:
        """The members of a node's family, which do not judge it, while the epoch's evidence counts."""
        found = self.epochs.get(epoch)
        return related(found.basis, node) if found is not None else frozenset()

    def commitment_of(self, epoch: int, member: bytes) -> ChallengeCommitment | None:
        """What ``member`` promised to ask in ``epoch``, while its evidence counts."""
        found = self.epochs.get(epoch)
        return found.basis.commitments.get(member) if found is not None else None

    def standing_of(self, node: NodeId) -> NodeStanding:
        """A newcomer's, where no block has judged it."""
        return self.standings.get(node) or self.rule.newcomer(node)


def first_state(genesis: GenesisRecord, rule: Rule = OURS) -> ChainState:
    """Before any block."""
    return ChainState(
        genesis=genesis.genesis,
        network_id=genesis.network_id,
        rule=rule,
        height=0,
        epoch=-1,
        issued=genesis.genesis.created,
        previous=bytes(32),
        output=first_output(genesis.network_id),
        members=genesis.genesis.committee_keys,
        changes=(),
        standings=MappingProxyType({}),
        hidden=MappingProxyType({}),
        epochs=MappingProxyType({}),
    )


def newcomer_again_after(genesis: Genesis) -> int:
    """Epochs without a signed answer after which a node's standing is forgotten."""
    return max(NEWCOMER_AGAIN_EPOCHS, math.ceil(NEWCOMER_AGAIN_SECONDS / genesis.parameters.epoch_seconds))


def encoded_standings(height: int, epoch: int, standings: Mapping[NodeId, NodeStanding]) -> bytes:
    """The record that a block names: everybody in the order of their ids."""
    nodes = tuple(standing for _, standing in sorted(standings.items()))
    return encode(Standings(height=height, epoch=epoch, nodes=nodes))


def standings_digest(height: int, epoch: int, standings: Mapping[NodeId, NodeStanding]) -> bytes:
    """Its SHA-256."""
    return hashlib.sha256(encoded_standings(height, epoch, standings)).digest()
