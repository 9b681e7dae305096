"""Claims that wait for a block: nodes that contradict themselves, receipts that were not shown, wills to change the
committee. None of them is about a promised question, so nothing has to be scored for them."""

from __future__ import annotations

from engine.errors import VerificationError
from engine.ids import NodeId
from engine.verification.chain.claims import contradicted_node, open_change, open_missed
from engine.verification.chain.state import ChainState
from engine.wire.blocks import CommitteeChange
from engine.wire.receipts import Contradiction
from engine.wire.signed import SignedRecord

MAX_CLAIMS = 256
"""Contradictions, and hidden receipts, that wait for a block."""


class WaitingClaims:
    """Of each node one contradiction, of each receipt one word that it was not shown, of each member its newest will.
    Whatever no block has a use for is refused with :class:`VerificationError`."""

    def __init__(self) -> None:
        self._contradictions: dict[NodeId, Contradiction] = {}
        self._hidden: dict[bytes, SignedRecord] = {}
        self._changes: dict[bytes, tuple[CommitteeChange, SignedRecord]] = {}

    @property
    def contradictions(self) -> list[Contradiction]:
        """Of many the first ones are kept."""
        return list(self._contradictions.values())

    @property
    def hidden(self) -> list[SignedRecord]:
        """That receipts were not shown; of many the first ones."""
        return list(self._hidden.values())

    @property
    def changes(self) -> list[SignedRecord]:
        """The members' wills to change the committee."""
        return [signed for _, signed in self._changes.values()]

    def add_contradiction(self, shown: Contradiction, state: ChainState) -> None:
        """A node has signed two things that exclude each other."""
        node = contradicted_node(shown, state).node_id
        if len(self._contradictions) < MAX_CLAIMS:
            self._contradictions.setdefault(node, shown)

    def add_hidden(self, signed: SignedRecord, state: ChainState, epoch: int) -> None:
        """A receipt was not shown."""
        receipt = open_missed(signed, state, epoch).receipt
        if len(self._hidden) < MAX_CLAIMS:
            self._hidden.setdefault(receipt, signed)

    def add_change(self, signed: SignedRecord, state: ChainState, epoch: int) -> bool:
        """A member wants another committee; whether that is new."""
        _, change = open_change(signed, state, epoch)
        known = self._changes.get(change.member)
        if known is not None and change.issued <= known[0].issued:
            return False
        self._changes[change.member] = (change, signed)
        return True

    def of_member(self, member: bytes) -> list[SignedRecord]:
        """What this member itself has signed."""
        return [signed for key, (_, signed) in self._changes.items() if key == member]

    def decided(self, state: ChainState) -> None:
        """A block is certified: what the next one could not take is forgotten."""
        for node in [node for node in self._contradictions if state.standing_of(node).contradicted]:
            del self._contradictions[node]
        for receipt, signed in list(self._hidden.items()):
            try:
                open_missed(signed, state, state.epoch + 1)
            except VerificationError:
                del self._hidden[receipt]
        for member, (_, signed) in list(self._changes.items()):
            try:
                open_change(signed, state, state.epoch + 1)
            except VerificationError:
                del self._changes[member]
