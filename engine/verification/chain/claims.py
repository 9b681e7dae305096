"""What blocks say of others than answers: nodes that contradict themselves, hidden receipts, changes of the committee.

Each stands in a block with everything that proves it, so members, the server and ``verify-chain`` check the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from engine.crypto.identity import Identity, verify
from engine.errors import ReceiptError, SignatureError, VerificationError, WireError
from engine.ids import NodeId
from engine.verification.batches import check_batch
from engine.verification.chain.state import HIDDEN_KEPT, ChainState
from engine.verification.contradictions import OF_NODES, Contradicted, check_contradiction
from engine.verification.epochs import epoch_at
from engine.verification.members import quorum
from engine.verification.receipts import check_receipt
from engine.verification.reputation.rule import Rule
from engine.verification.signing import open_record
from engine.wire.blocks import MAX_CONTRADICTIONS, MAX_HIDDEN, MAX_MEMBERS, Block, CommitteeChange, NodeStanding
from engine.wire.codec import encode
from engine.wire.receipts import Contradiction, OpeningMissed, opening_missed_decoder
from engine.wire.signed import SignedRecord

MISSED_PURPOSE = "opening-missed"
OPENING_EPOCHS = 2
"""So many epochs a node has to show a receipt."""
LEAST_MEMBERS = 4
"""The fewest among whom one may lie; no change leaves fewer."""
Standings = dict[NodeId, NodeStanding]


# ------------------------------------------------------------------------------------------------------ contradictions


def contradicted_node(shown: Contradiction, state: ChainState) -> Contradicted:
    """What a contradiction proves of a node; :class:`VerificationError` if nothing, or nothing new."""
    found = check_contradiction(shown, state.network_id)
    if found.kind not in OF_NODES:
        raise VerificationError(f"A {found.kind} that is contradicted excludes no node.")
    if state.standing_of(found.node_id).contradicted:
        raise VerificationError("The node is known to have contradicted itself.")
    return found


def _contradicted(state: ChainState, block: Block) -> list[NodeId]:
    found = [contradicted_node(shown, state).node_id for shown in block.contradictions]
    if found != sorted(set(found)):
        raise VerificationError("Contradictions are not in the order of their nodes, or a node has two.")
    return found


# ----------------------------------------------------------------------------------------------------- hidden receipts


def sign_missed(server: Identity, missed: OpeningMissed) -> SignedRecord:
    """The server's word that a receipt was not shown in time. The same arguments give the same bytes."""
    record = encode(missed)
    signature = server.sign(MISSED_PURPOSE, missed.network_id, record)
    return SignedRecord(record=record, key=server.public_key, signature=signature)


@dataclass(frozen=True, slots=True)
class Missed:
    """A receipt (its SHA-256) of a node, asked for in epoch ``asked`` and not shown, though the node was there."""

    node_id: NodeId
    receipt: bytes
    asked: int


def open_missed(signed: SignedRecord, state: ChainState, epoch: int) -> Missed:
    """A hidden receipt that a block of ``epoch`` can name; :class:`VerificationError` says why not."""
    try:
        missed = opening_missed_decoder.decode(signed.record)
        verify(signed.key, MISSED_PURPOSE, state.network_id, signed.signature, signed.record)
    except (WireError, SignatureError) as error:
        raise VerificationError(f"The word that a receipt was hidden is refused: {error}.") from error
    if signed.key not in state.genesis.server_keys or missed.network_id != state.network_id:
        raise VerificationError("That a receipt was hidden is said by a key that the genesis file does not name.")
    if not OPENING_EPOCHS < epoch - missed.asked <= HIDDEN_KEPT:
        raise VerificationError(f"A receipt asked for in epoch {missed.asked} says nothing in a block of {epoch}.")
    receipt = hashlib.sha256(missed.receipt).digest()
    if receipt in state.hidden:
        raise VerificationError("A block has said that this receipt was hidden.")
    if state.standing_of(NodeId(missed.node_id)).good == 0:
        raise VerificationError("The node is checked in every epoch already.")
    _check_signed_by_node(missed, state)
    return Missed(NodeId(missed.node_id), receipt, missed.asked)


def _check_signed_by_node(missed: OpeningMissed, state: ChainState) -> None:
    """The node has signed the receipt, and other ones while it was asked for this one."""
    try:
        receipt = check_receipt(missed.receipt, missed.receipt_signature, state.network_id)
    except ReceiptError as error:
        raise VerificationError(f"The receipt that is said to be hidden is none: {error}") from error
    if receipt.node_id != missed.node_id or not receipt.final:
        raise VerificationError("The receipt that is said to be hidden is another node's, or not a final one.")
    if epoch_at(state.genesis, receipt.issued) >= missed.asked:
        raise VerificationError("The receipt was asked for before it had to be in a batch.")
    if missed.batch.key != receipt.node_key:
        raise VerificationError("The batch beside a hidden receipt is another node's.")
    batch = check_batch(missed.batch, state.network_id)
    if not missed.asked < batch.epoch <= missed.asked + OPENING_EPOCHS:
        raise VerificationError("Nothing shows that the node was there while a receipt was asked for.")


def _hidden(state: ChainState, block: Block) -> dict[bytes, Missed]:
    found = [open_missed(signed, state, block.epoch) for signed in block.hidden]
    receipts = [one.receipt for one in found]
    if receipts != sorted(set(receipts)):
        raise VerificationError("Hidden receipts are not in their order, or one came twice.")
    return dict(zip(receipts, found, strict=True))


# -------------------------------------------------------------------------------------------- changes of the committee


def open_change(signed: SignedRecord, state: ChainState, epoch: int) -> tuple[int, CommitteeChange]:
    """A present member's will and its place; :class:`VerificationError` where it does not count in ``epoch``."""
    change = open_record(signed, CommitteeChange, state.network_id)
    if change.member not in state.members:
        raise VerificationError("A change of the committee is wanted by somebody who is no member of it.")
    if change.since != (state.changes[-1] if state.changes else 0):
        raise VerificationError("A change of the committee was wanted of another committee than the present one.")
    if change.until < epoch:
        raise VerificationError(f"A change of the committee was wanted until epoch {change.until} only.")
    return state.members.index(change.member), change


def changed_members(members: Sequence[bytes], change: CommitteeChange) -> tuple[bytes, ...]:
    """The committee after a change; :class:`VerificationError` where there can be none such."""
    gone, come = set(change.remove), set(change.add)
    if len(gone) != len(change.remove) or not gone <= set(members):
        raise VerificationError("The change removes somebody who is no member of the committee, or twice.")
    if len(come) != len(change.add) or come & set(members):
        raise VerificationError("The change adds somebody who is a member of the committee already, or twice.")
    if not gone and not come:
        raise VerificationError("The change changes nothing.")
    after = (*(key for key in members if key not in gone), *change.add)
    if not LEAST_MEMBERS <= len(after) <= MAX_MEMBERS:
        raise VerificationError(
            f"A committee has {LEAST_MEMBERS} to {MAX_MEMBERS} members; the change leaves {len(after)}."
        )
    return after


def next_members(state: ChainState, block: Block) -> tuple[bytes, ...]:
    """Who decides on the next block."""
    if not block.change:
        if block.next_members:
            raise VerificationError("The block changes the committee, and does not show that a quorum wants it.")
        return state.members
    opened = [open_change(signed, state, block.epoch) for signed in block.change]
    places = [place for place, _ in opened]
    if places != sorted(set(places)) or len(places) < quorum(len(state.members)):
        raise VerificationError(
            f"A change of the committee takes {quorum(len(state.members))} different members, in their order."
        )
    if len({(change.add, change.remove) for _, change in opened}) > 1:
        raise VerificationError("The members want different changes of the committee.")
    if block.next_members != changed_members(state.members, opened[0][1]):
        raise VerificationError("The block names another committee than a quorum wants.")
    return block.next_members


# ------------------------------------------------------------------------------------------------- for makers of blocks


def usable_claims(
    state: ChainState,
    epoch: int,
    contradictions: Sequence[Contradiction],
    hidden: Sequence[SignedRecord],
    room: int,
) -> tuple[tuple[Contradiction, ...], tuple[SignedRecord, ...]]:
    """As many contradictions and hidden receipts as hold and fit into ``room`` bytes."""
    shown: dict[NodeId, Contradiction] = {}
    for one in contradictions:
        size = len(encode(one))
        try:
            node = contradicted_node(one, state).node_id
        except VerificationError:
            continue
        if node not in shown and len(shown) < MAX_CONTRADICTIONS and size <= room:
            shown[node], room = one, room - size
    missed: dict[bytes, SignedRecord] = {}
    for signed in hidden:
        size = len(encode(signed))
        try:
            receipt = open_missed(signed, state, epoch).receipt
        except VerificationError:
            continue
        if receipt not in missed and len(missed) < MAX_HIDDEN and size <= room:
            missed[receipt], room = signed, room - size
    return tuple(shown[node] for node in sorted(shown)), tuple(missed[one] for one in sorted(missed))


def usable_change(
    state: ChainState, epoch: int, offered: Sequence[SignedRecord]
) -> tuple[tuple[SignedRecord, ...], tuple[bytes, ...]]:
    """The change that a quorum wants, if there is one, as a quorum signs it, and who is a member then; of one member
    the newest will counts."""
    newest: dict[int, tuple[CommitteeChange, SignedRecord]] = {}
    for signed in offered:
        try:
            place, change = open_change(signed, state, epoch)
        except VerificationError:
            continue
        if place not in newest or change.issued > newest[place][0].issued:
            newest[place] = (change, signed)
    least = quorum(len(state.members))
    for wanted, _ in newest.values():
        agreed = [place for place, (one, _) in newest.items() if (one.add, one.remove) == (wanted.add, wanted.remove)]
        if len(agreed) < least:
            continue
        try:
            after = changed_members(state.members, wanted)
        except VerificationError:
            continue
        return tuple(newest[place][1] for place in sorted(agreed)[:least]), after
    return (), ()


# ------------------------------------------------------------------------------------------------------- what follows


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a block's claims lead to, once they are checked."""

    contradicted: Sequence[NodeId]
    hidden: Mapping[bytes, Missed]

    def apply(self, standings: Standings, rule: Rule, epoch: int) -> None:
        """To the standings after the block's answers."""
        for missed in self.hidden.values():
            if (standing := standings.get(missed.node_id)) is not None:
                standings[missed.node_id] = msgspec.structs.replace(standing, good=0)
        for node in self.contradicted:
            standing = standings.get(node) or rule.newcomer(node)
            standings[node] = msgspec.structs.replace(
                standing, reputation=0, good=0, excluded=True, contradicted=True, signed=max(standing.signed, epoch)
            )

    def hidden_after(self, state: ChainState, epoch: int) -> dict[bytes, int]:
        """The receipts that count as hidden no second time, with the epochs in which they were asked for."""
        known = {**state.hidden, **{receipt: one.asked for receipt, one in self.hidden.items()}}
        return {receipt: asked for receipt, asked in known.items() if epoch - asked <= HIDDEN_KEPT}


def check_claims(state: ChainState, block: Block) -> Claimed:
    """Whether all that is claimed holds; :class:`VerificationError` if not. Changes: :func:`next_members`."""
    return Claimed(_contradicted(state, block), _hidden(state, block))
