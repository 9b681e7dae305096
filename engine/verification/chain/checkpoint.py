"""What all blocks up to a height have led to, as bytes: so a start need not replay them all.

A checkpoint is for the disk of whoever made it, who has checked those blocks. It says which block it follows; it counts
only where that very block is there, and where what the block itself names (its standings, its proof's output, its
members) is what the checkpoint holds. Anything else is a damaged file, and the chain is replayed from the genesis.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import msgspec

from engine.crypto.ecvrf import proof_to_hash
from engine.errors import SignatureError, VerificationError, WireError
from engine.ids import NodeId
from engine.verification.capacity.agreeing import Moment
from engine.verification.capacity.speeds import Speeds, speeds_of
from engine.verification.chain.state import ChainState, Done, OpenEpoch, standings_digest
from engine.verification.challenges.duties import Basis
from engine.wire.blocks import Block, CertifiedBlock, NodeStanding, block_decoder
from engine.wire.challenges import ChallengeCommitment

MAGIC = b"gentorrent-checkpoint-4\n"
MAX_CHECKPOINT = 32 * 1024 * 1024
"""Bytes: the standings of 20,000 nodes, as they are and as they were before each epoch that is open."""
EVERY = 50
"""Blocks between two of them: about a quarter of a second of replaying."""


class _Measured(msgspec.Struct, frozen=True, array_like=True):
    """What one member has measured of a node with a model: (epoch, claimed, rate, calm) of each moment."""

    node: bytes
    model: bytes
    member: bytes
    moments: tuple[tuple[int, int, int, bool], ...]


class _Epoch(msgspec.Struct, frozen=True, array_like=True):
    """An :class:`OpenEpoch`. ``done``: (member, node, challenge, turns); ``said``: (member, node, thousandths)."""

    epoch: int
    members: tuple[bytes, ...]
    output: bytes
    standings: tuple[NodeStanding, ...]
    commitments: tuple[ChallengeCommitment, ...]
    outputs: tuple[tuple[bytes, bytes], ...]
    done: tuple[tuple[bytes, bytes, int | None, tuple[int, ...]], ...]
    serving: tuple[tuple[bytes, bytes], ...]
    doubted: tuple[bytes, ...]
    said: tuple[tuple[bytes, bytes, int], ...]
    reported: tuple[bytes, ...]
    broken: tuple[tuple[bytes, bytes], ...]


class _State(msgspec.Struct, frozen=True, array_like=True):
    """A :class:`ChainState` without what the genesis says."""

    network_id: bytes
    height: int
    epoch: int
    issued: int
    previous: bytes
    output: bytes
    members: tuple[bytes, ...]
    changes: tuple[int, ...]
    standings: tuple[NodeStanding, ...]
    hidden: tuple[tuple[bytes, int], ...]
    epochs: tuple[_Epoch, ...]
    serving: tuple[tuple[bytes, bytes], ...]
    speeds: tuple[_Measured, ...]


def make_checkpoint(state: ChainState) -> bytes:
    """What :func:`open_checkpoint` reads again."""
    saved = _State(
        network_id=state.network_id,
        height=state.height,
        epoch=state.epoch,
        issued=state.issued,
        previous=state.previous,
        output=state.output,
        members=state.members,
        changes=state.changes,
        standings=tuple(state.standings.values()),
        hidden=tuple(state.hidden.items()),
        epochs=tuple(_saved(epoch, found) for epoch, found in state.epochs.items()),
        serving=tuple(state.serving.items()),
        speeds=tuple(_saved_speeds(state.speeds)),
    )
    content = msgspec.msgpack.encode(saved)
    return MAGIC + hashlib.sha256(content).digest() + content


def height_of(data: bytes) -> int:
    """The block that a checkpoint follows; :class:`VerificationError` for a damaged one."""
    return _read(data).height


def open_checkpoint(data: bytes, first: ChainState, certified: CertifiedBlock | None) -> ChainState:
    """The state after ``certified``, the block of the height that the checkpoint names; ``first`` is that before any
    block. :class:`VerificationError` says why the checkpoint is not to be believed."""
    saved = _read(data)
    if saved.network_id != first.network_id:
        raise VerificationError("The checkpoint is of another network.")
    if certified is None or hashlib.sha256(certified.block).digest() != saved.previous:
        raise VerificationError("The checkpoint follows a block that is not here.")
    standings = MappingProxyType({NodeId(one.node_id): one for one in saved.standings})
    _compare(saved, _block(certified), standings)
    return replace(
        first,
        height=saved.height,
        epoch=saved.epoch,
        issued=saved.issued,
        previous=saved.previous,
        output=saved.output,
        members=saved.members,
        changes=saved.changes,
        standings=standings,
        hidden=MappingProxyType(dict(saved.hidden)),
        epochs=MappingProxyType({one.epoch: _opened(one) for one in saved.epochs}),
        serving=_serving(saved.serving),
        speeds=_opened_speeds(saved),
    )


def _read(data: bytes) -> _State:
    content = data[len(MAGIC) + 32 :]
    if data[: len(MAGIC) + 32] != MAGIC + hashlib.sha256(content).digest():
        raise VerificationError("The checkpoint is damaged, or of another version of this program.")
    try:
        return msgspec.msgpack.decode(content, type=_State)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise VerificationError(f"The checkpoint cannot be read: {error}.") from error


def _block(certified: CertifiedBlock) -> Block:
    try:
        return block_decoder.decode(certified.block)
    except WireError as error:
        raise VerificationError(f"The block that the checkpoint follows cannot be read: {error}.") from error


def _compare(saved: _State, block: Block, standings: Mapping[NodeId, NodeStanding]) -> None:
    """Whatever the block says itself."""
    try:
        output = proof_to_hash(block.proof)
    except SignatureError as error:
        raise VerificationError("The block that the checkpoint follows has no proof.") from error
    said = (block.height, block.epoch, block.issued, output, standings_digest(block.height, block.epoch, standings))
    held = (saved.height, saved.epoch, saved.issued, saved.output, block.state)
    if said != held or (block.next_members and block.next_members != saved.members):
        raise VerificationError("The checkpoint does not fit the block that it follows.")


def _saved(epoch: int, found: OpenEpoch) -> _Epoch:
    basis = found.basis
    return _Epoch(
        epoch=epoch,
        members=basis.members,
        output=basis.output,
        standings=tuple(basis.standings.values()),
        commitments=tuple(basis.commitments.values()),
        outputs=tuple(found.outputs.items()),
        done=tuple(
            (member, node, done.index, tuple(sorted(done.turns))) for (member, node), done in found.done.items()
        ),
        serving=tuple(basis.serving.items()),
        doubted=tuple(basis.doubted),
        said=tuple((member, node, against) for (member, node), against in found.said.items()),
        reported=tuple(found.reported),
        broken=tuple(found.broken),
    )


def _saved_speeds(speeds: Speeds) -> Iterator[_Measured]:
    for node, by_model in speeds.moments.items():
        for model, by_member in by_model.items():
            for member, moments in by_member.items():
                saved = tuple((one.epoch, one.claimed, one.rate, one.calm) for one in moments)
                yield _Measured(node, model, member, saved)


def _opened_speeds(saved: _State) -> Speeds:
    moments: dict[NodeId, dict[bytes, dict[bytes, tuple[Moment, ...]]]] = {}
    for one in saved.speeds:
        by_member = moments.setdefault(NodeId(one.node), {}).setdefault(one.model, {})
        by_member[one.member] = tuple(Moment(*moment) for moment in one.moments)
    return speeds_of(moments, saved.members)


def _serving(saved: tuple[tuple[bytes, bytes], ...]) -> Mapping[NodeId, bytes]:
    return MappingProxyType({NodeId(node): model for node, model in saved})


def _opened(saved: _Epoch) -> OpenEpoch:
    basis = Basis(
        members=saved.members,
        output=saved.output,
        standings=MappingProxyType({NodeId(one.node_id): one for one in saved.standings}),
        commitments=MappingProxyType({one.member: one for one in saved.commitments}),
        serving=_serving(saved.serving),
        doubted=frozenset(map(NodeId, saved.doubted)),
    )
    done = {(member, NodeId(node)): Done(index, frozenset(turns)) for member, node, index, turns in saved.done}
    return OpenEpoch(
        basis=basis,
        outputs=MappingProxyType(dict(saved.outputs)),
        done=MappingProxyType(done),
        said=MappingProxyType({(member, NodeId(node)): against for member, node, against in saved.said}),
        reported=frozenset(saved.reported),
        broken=frozenset((member, NodeId(node)) for member, node in saved.broken),
    )
