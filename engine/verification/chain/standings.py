"""Standings for readers of the directory, who do not follow the chain: one certified block and what it names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from engine.directory.genesis import GenesisRecord
from engine.errors import VerificationError, WireError
from engine.ids import NodeId
from engine.verification.chain.certificate import check_certificate
from engine.wire.verification import (
    Block,
    CertifiedBlock,
    NodeStanding,
    SignedStandings,
    block_decoder,
    standings_decoder,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedStandings:
    """What the committee says of everybody that it has judged, after block ``height`` of ``epoch``. ``digest``: of the
    block; ``issued`` in seconds since 1970; ``since``: the height that has named ``members``, 0: the genesis."""

    height: int
    epoch: int
    issued: int
    digest: bytes
    members: tuple[bytes, ...]
    since: int
    nodes: Mapping[NodeId, NodeStanding]


def check_standings(
    signed: SignedStandings, genesis: GenesisRecord, known: CheckedStandings | None = None
) -> CheckedStandings:
    """The standings, if the committee of this genesis (or one that followed it) has certified them.

    ``known``: what this reader has believed last; older ones, and others of the same height, are refused.
    :class:`VerificationError` says why.
    """
    members, height = genesis.genesis.committee_keys, 0
    for certified in signed.membership:
        block = _certified(certified, members, genesis)
        if block.height <= height or not block.next_members or len(set(block.next_members)) != len(block.next_members):
            raise VerificationError("The changes of the committee are not in their order, or are none.")
        members, height = block.next_members, block.height
    if not signed.membership or signed.block != signed.membership[-1]:  # that one the committee before has certified
        block = _certified(signed.block, members, genesis)
        if block.height <= height:
            raise VerificationError("The standings are older than the committee that is said to have certified them.")
    digest = hashlib.sha256(signed.block.block).digest()
    if known is not None and (
        block.height < known.height or (block.height == known.height) != (digest == known.digest)
    ):
        raise VerificationError("The standings are older than those that this machine knows, or contradict them.")
    return CheckedStandings(
        height=block.height,
        epoch=block.epoch,
        issued=block.issued,
        digest=digest,
        members=block.next_members or members,
        since=block.height if block.next_members else height,
        nodes=MappingProxyType(_nodes(signed.standings, block)),
    )


def _certified(certified: CertifiedBlock, members: tuple[bytes, ...], genesis: GenesisRecord) -> Block:
    try:
        block = block_decoder.decode(certified.block)
    except WireError as error:
        raise VerificationError(f"The block behind the standings cannot be read: {error}.") from error
    if block.network_id != genesis.network_id:
        raise VerificationError("The standings belong to another network.")
    check_certificate(certified.certificate, certified.block, block.height, members, genesis.network_id)
    return block


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
