"""Whose answers come first where a block has no room for all."""

from __future__ import annotations

import hashlib

from engine.verification.chain.state import ChainState
from engine.verification.challenges.duties import is_checked_by_all
from engine.verification.challenges.opening import OpenedEvidence, OpenedUnanswered

Place = tuple[int, bool, bytes, bytes]


def fair_place(state: ChainState, opened: OpenedEvidence | OpenedUnanswered) -> Place:
    """By which evidence is ordered, for those who score and for those who make blocks: the oldest first, as it has no
    later block; of an epoch first what was drawn by lot, as a flood of new nodes must not hide a node of standing; then
    by a lot of the nodes that is drawn anew with every block, so that what is judged is whole conversations, and
    everybody has its turn."""
    found = state.epochs.get(opened.challenge.epoch)
    by_all = found is None or is_checked_by_all(found.basis, opened.asked)
    lot = hashlib.sha256(state.output + opened.asked).digest()
    return opened.challenge.epoch, by_all, lot, opened.digest
