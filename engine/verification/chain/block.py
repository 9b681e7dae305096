"""Making a block, and checking one before voting for it, storing it or believing it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from engine.crypto.ecvrf import prove
from engine.crypto.ecvrf import verify as verify_proof
from engine.crypto.identity import Identity
from engine.directory import CLOCK_SKEW_SECONDS
from engine.errors import SignatureError, VerificationError, WireError
from engine.verification.chain.claims import usable_change, usable_claims
from engine.verification.chain.derivation import (
    derive,
    following_state,
    open_commitment,
    shown_output,
)
from engine.verification.chain.results import Material, RecordOf, check_records, choose_results, with_outputs
from engine.verification.chain.room import MAX_BLOCK, bytes_of, left_for_results, room_behind
from engine.verification.chain.speed_reports import usable_reports
from engine.verification.chain.state import ChainState, standings_digest
from engine.verification.epochs import epoch_at, epoch_begins, epoch_tolerance
from engine.verification.members import leader, leader_alpha
from engine.wire.blocks import MAX_MEMBERS, Block, block_decoder
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord

BLOCK_VERSION = 2
"""Of the layout of a block and of the rules by which it is judged."""

# ------------------------------------------------------------------------------------------------------------ checking


def check_block(
    state: ChainState,
    encoded: bytes,
    *,
    record_of: RecordOf | None = None,
    now: float | None = None,
    is_new: bool = False,
) -> ChainState:
    """The state after a block; :class:`VerificationError` says why it is not valid after ``state``.

    ``record_of`` finds the evidence that it names, which is checked as well (:class:`MissingRecordError` when it is not
    there); None: not looked at, as the attestations of f + 1 members stand behind it. ``now`` (seconds since 1970): a
    block from the future is refused. ``is_new``: nobody has voted for it yet, so it must be of the epoch that runs.
    """
    block = _decode(encoded)
    output = _check_head(state, block)
    if now is not None:
        _check_time(state, block, now, is_new)
    if record_of is not None:
        check_records(state, block, record_of)
    derived = derive(state, block)
    if block.missed != derived.missed:
        raise VerificationError("What the block says of missed duties does not follow from its results.")
    if block.state != standings_digest(block.height, block.epoch, derived.standings):
        raise VerificationError("The standings that the block names are not those that follow from its entries.")
    return following_state(state, block, derived, hashlib.sha256(encoded).digest(), output)


def _decode(encoded: bytes) -> Block:
    if len(encoded) > MAX_BLOCK:
        raise VerificationError(f"The block has {len(encoded)} bytes; at most {MAX_BLOCK} are allowed.")
    try:
        block = block_decoder.decode(encoded)
    except WireError as error:
        _check_version(_version_of(encoded))
        raise VerificationError(f"The block cannot be read: {error}.") from error
    if encode(block) != encoded:
        raise VerificationError("The block is not in its canonical form.")
    return block


def _version_of(encoded: bytes) -> int:
    """Of a block that this program may be unable to read; its own where there is none."""
    try:
        match msgspec.msgpack.decode(encoded):
            case [int(), int(version), *_]:
                return version
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    return BLOCK_VERSION


def _check_version(version: int) -> None:
    if version > BLOCK_VERSION:
        raise VerificationError(
            f"The block has version {version}; this program knows {BLOCK_VERSION}. Update this program."
        )
    if version < BLOCK_VERSION:
        raise VerificationError(
            f"The block has version {version}, of an older version of this program; this one knows {BLOCK_VERSION}."
            " Use the version that the network's verifiers run."
        )


def _check_head(state: ChainState, block: Block) -> bytes:
    """The VRF output of a block whose head fits."""
    _check_version(block.version)
    if block.network_id != state.network_id:
        raise VerificationError("The block belongs to another network.")
    if block.height != state.height + 1:
        raise VerificationError(f"The block has height {block.height}; the next one is {state.height + 1}.")
    if block.previous != state.previous:
        raise VerificationError("The block does not follow the newest block, but another one of that height.")
    if block.epoch <= state.epoch:
        raise VerificationError(f"The block is of epoch {block.epoch}; there is one of epoch {state.epoch} already.")
    if not state.members:
        raise VerificationError("The network has no committee, so it has no blocks.")
    if block.issued < max(state.issued, epoch_begins(state.genesis, block.epoch) - CLOCK_SKEW_SECONDS):
        raise VerificationError("The block was issued before its epoch or before the block before it.")
    if block.proposer != leader(state.members, state.output, block.round):
        raise VerificationError(f"The block's proposer does not lead round {block.round}.")
    try:
        alpha = leader_alpha(state.network_id, block.epoch, block.round, state.output)
        return verify_proof(block.proposer, alpha, block.proof)
    except SignatureError as error:
        raise VerificationError(f"The proposer's proof does not hold: {error}.") from error


def _check_time(state: ChainState, block: Block, now: float, is_new: bool) -> None:
    """A leader that could choose the epoch of its block would choose among as many outputs of its VRF."""
    skew = epoch_tolerance(state.genesis) if is_new else CLOCK_SKEW_SECONDS
    if block.issued > now + CLOCK_SKEW_SECONDS or block.epoch > epoch_at(state.genesis, now + skew):
        raise VerificationError("The block is from the future. If it is not, this computer's clock is wrong.")
    if is_new and block.epoch < epoch_at(state.genesis, now - skew):
        raise VerificationError(f"The block is new, but of epoch {block.epoch}, which is over.")


# -------------------------------------------------------------------------------------------------------------- making


def make_block(
    state: ChainState, material: Material, *, epoch: int, round_number: int, proposer: Identity, issued: int
) -> bytes:
    """The encoded block of the leader of a round; ``issued`` is in seconds since 1970.

    :class:`VerificationError` when ``proposer`` does not lead this round or the time does not fit: whatever else is
    wrong with ``material`` is left out. Commitments come in before all else, as they have no later block; no other
    part can take the room of the next ones.
    """
    change, members = usable_change(state, epoch, material.changes)
    commitments = _usable_commitments(state, material.commitments, epoch, members or state.members)
    room = room_behind(commitments, change, members)
    duties, outputs = _usable_duties(state, material.duties, epoch, room // 2)
    room -= bytes_of(duties)
    contradictions, hidden = usable_claims(state, epoch, material.contradictions, material.hidden, room // 2)
    epochs = {number: with_outputs(found, outputs.get(number, {})) for number, found in state.epochs.items()}
    block = Block(
        version=BLOCK_VERSION,
        network_id=state.network_id,
        height=state.height + 1,
        epoch=epoch,
        round=round_number,
        previous=state.previous,
        proposer=proposer.public_key,
        proof=prove(proposer.seed, leader_alpha(state.network_id, epoch, round_number, state.output)),
        issued=max(issued, state.issued),
        commitments=commitments,
        duties=duties,
        entries=(),
        unjudged=(),
        missed=(),
        contradictions=contradictions,
        hidden=hidden,
        change=change,
        next_members=members,
        speeds=usable_reports(material.speeds, state, epoch, min(MAX_BLOCK // 8, room // 4)),
        state=bytes(32),
    )
    room = left_for_results(block, state)
    entries, unjudged = choose_results(
        state, material, proposer.public_key, epoch=epoch, round_number=round_number, epochs=epochs, room=room
    )
    block = msgspec.structs.replace(block, entries=entries, unjudged=unjudged)
    derived = derive(state, block)
    block = msgspec.structs.replace(
        block, missed=derived.missed, state=standings_digest(block.height, block.epoch, derived.standings)
    )
    encoded = encode(block)
    check_block(state, encoded)
    return encoded


def _usable_commitments(
    state: ChainState, offered: Sequence[SignedRecord], epoch: int, members: Sequence[bytes]
) -> tuple[SignedRecord, ...]:
    found: dict[int, SignedRecord] = {}
    for signed in offered:
        try:
            place, _ = open_commitment(signed, state.network_id, epoch + 1, members)
        except VerificationError:
            continue
        found.setdefault(place, signed)
    return tuple(found[place] for place in sorted(found))


def _usable_duties(
    state: ChainState, offered: Sequence[SignedRecord], epoch: int, room: int
) -> tuple[tuple[SignedRecord, ...], dict[int, dict[bytes, bytes]]]:
    """As many as fit into ``room`` bytes: the oldest epoch first, of an epoch by a lot that is drawn anew for each
    block."""
    found: dict[tuple[int, bytes], tuple[SignedRecord, bytes]] = {}
    for signed in offered:
        try:
            duties, output = shown_output(signed, state, epoch)
        except VerificationError:
            continue
        found.setdefault((duties.epoch, duties.member), (signed, output))
    kept: list[tuple[int, bytes]] = []
    for place in sorted(found, key=lambda place: (place[0], hashlib.sha256(state.output + place[1]).digest())):
        size = len(encode(found[place][0]))
        if size <= room and len(kept) < MAX_MEMBERS:
            room -= size
            kept.append(place)
    kept.sort()
    outputs: dict[int, dict[bytes, bytes]] = {}
    for number, member in kept:
        outputs.setdefault(number, {})[member] = found[number, member][1]
    return tuple(found[place][0] for place in kept), outputs
