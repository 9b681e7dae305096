"""Standings for readers of the directory, who do not follow the chain: one certified block and what it names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import msgspec

from engine.directory.genesis import GenesisRecord
from engine.errors import VerificationError, WireError
from engine.ids import NodeId
from engine.verification.chain.certificate import check_certificate
from engine.wire.blocks import (
    MAX_CHANGES_SHOWN,
    Block,
    CertifiedBlock,
    NodeStanding,
    SignedStandings,
    block_decoder,
    standings_decoder,
)


@dataclass(frozen=True, slots=True)
class CommitteeAt:
    """Who decides on the blocks behind the one of height ``since``, which has this SHA-256 and has named them; 0: the
    genesis has."""

    members: tuple[bytes, ...]
    since: int = 0
    digest: bytes = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedStandings:
    """What the committee says of everybody that it has judged, after block ``height`` of ``epoch``. ``digest``: of the
    block; ``issued`` in seconds since 1970."""

    height: int
    epoch: int
    issued: int
    digest: bytes
    committee: CommitteeAt
    nodes: Mapping[NodeId, NodeStanding]

    @property
    def members(self) -> tuple[bytes, ...]:
        """Who decides on the next block."""
        return self.committee.members

    @property
    def since(self) -> int:
        """The height that has named them; 0: the genesis has."""
        return self.committee.since


def first_committee(genesis: GenesisRecord) -> CommitteeAt:
    """That of the genesis."""
    return CommitteeAt(genesis.genesis.committee_keys)


def follow_committee(committee: CommitteeAt, changes: Sequence[CertifiedBlock], genesis: GenesisRecord) -> CommitteeAt:
    """The committee after blocks that have changed it, the oldest first; those that it has followed already are passed
    over. :class:`VerificationError` for one that the committee before it has not certified."""
    for certified in changes:
        block = _read(certified, genesis)
        if block.height <= committee.since:
            continue
        _check(certified, block, committee.members, genesis)
        if not block.next_members or len(set(block.next_members)) != len(block.next_members):
            raise VerificationError("The changes of the committee are not in their order, or are none.")
        committee = CommitteeAt(block.next_members, block.height, hashlib.sha256(certified.block).digest())
    return committee


def lacks_changes(signed: SignedStandings, committee: CommitteeAt) -> bool:
    """Whether there may be changes between this committee and those that stand with the standings, which are the last
    ones (``MAX_CHANGES_SHOWN``); they are read page by page then."""
    shown = signed.membership
    return len(shown) == MAX_CHANGES_SHOWN and shown[0].certificate.height > committee.since


def check_standings(
    signed: SignedStandings,
    genesis: GenesisRecord,
    known: CheckedStandings | None = None,
    committee: CommitteeAt | None = None,
) -> CheckedStandings:
    """The standings, if the committee of this genesis (or one that followed it) has certified them.

    ``known``: what this reader has believed last; older ones, and others of the same height, are refused.
    ``committee``: the one that it has followed to, if that is further than ``known`` or the genesis lead.
    :class:`VerificationError` says why.
    """
    if committee is None:
        committee = known.committee if known is not None else first_committee(genesis)
    committee = follow_committee(committee, signed.membership, genesis)
    block, digest = _read(signed.block, genesis), hashlib.sha256(signed.block.block).digest()
    if block.height < committee.since or (block.height == committee.since and digest != committee.digest):
        raise VerificationError("The standings are older than the committee that is said to have certified them.")
    if block.height > committee.since:  # that one the committee before has certified
        _check(signed.block, block, committee.members, genesis)
    if known is not None and (
        block.height < known.height or (block.height == known.height) != (digest == known.digest)
    ):
        raise VerificationError("The standings are older than those that this machine knows, or contradict them.")
    if block.next_members:
        committee = CommitteeAt(block.next_members, block.height, digest)
    return CheckedStandings(
        height=block.height,
        epoch=block.epoch,
        issued=block.issued,
        digest=digest,
        committee=committee,
        nodes=MappingProxyType(_nodes(signed.standings, block)),
    )


def encoded_committee(committee: CommitteeAt) -> bytes:
    """For the disk of whoever has followed to it."""
    return msgspec.msgpack.encode((committee.since, committee.digest, committee.members))


def read_committee(data: bytes) -> CommitteeAt:
    """What :func:`encoded_committee` has written; :class:`VerificationError` if it is something else."""
    try:
        since, digest, members = msgspec.msgpack.decode(data, type=tuple[int, bytes, tuple[bytes, ...]])
    except (msgspec.DecodeError, RecursionError) as error:
        raise VerificationError(f"The committee that was followed cannot be read: {error}.") from error
    return CommitteeAt(members, since, digest)


def _read(certified: CertifiedBlock, genesis: GenesisRecord) -> Block:
    try:
        block = block_decoder.decode(certified.block)
    except WireError as error:
        raise VerificationError(f"The block behind the standings cannot be read: {error}.") from error
    if block.network_id != genesis.network_id:
        raise VerificationError("The standings belong to another network.")
    return block


def _check(certified: CertifiedBlock, block: Block, members: tuple[bytes, ...], genesis: GenesisRecord) -> None:
    check_certificate(certified.certificate, certified.block, block.height, members, genesis.network_id)


def _nodes(record: bytes, block: Block) -> dict[NodeId, NodeStanding]:
    if hashlib.sha256(record).digest() != block.state:
        raise VerificationError("The standings are not those that the certified block names.")
    try:
        standings = standings_decoder.decode(record)
    except WireError as error:
        raise VerificationError(f"The standings cannot be read: {error}.") from error
    if (standings.height, standings.epoch) != (block.height, block.epoch):
        raise VerificationError("The standings are of another block than they say.")
    if any(one.node_id >= other.node_id for one, other in pairwise(standings.nodes)):
        raise VerificationError("The standings are not in their order, or name a node twice.")
    return {NodeId(one.node_id): one for one in standings.nodes}
