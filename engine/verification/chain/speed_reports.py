"""What members sign of the speeds that they have measured, and which of it a block takes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise

from engine.crypto.identity import node_id_of
from engine.errors import VerificationError
from engine.ids import NodeId
from engine.verification.chain.state import WINDOW, ChainState
from engine.verification.challenges.duties import is_kin
from engine.verification.signing import open_record
from engine.wire.blocks import MAX_MEMBERS
from engine.wire.challenges import SpeedReport
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord

Key = tuple[int, bytes]
"""An epoch and a member's key."""


def open_report(signed: SignedRecord, state: ChainState, epoch: int) -> SpeedReport:
    """A report that a block of ``epoch`` can take; :class:`VerificationError` says why it cannot."""
    report = open_record(signed, SpeedReport, state.network_id)
    found = state.epochs.get(report.epoch)
    if found is None or not epoch - WINDOW <= report.epoch < epoch:
        raise VerificationError(f"Speeds that were measured in epoch {report.epoch} have no use in epoch {epoch}.")
    if report.member not in found.basis.members or report.member not in state.members:
        raise VerificationError("Speeds are reported by somebody who is no member of the committee.")
    if report.member in found.reported:
        raise VerificationError("A block has this member's speeds of that epoch.")
    places = [(one.node, one.model) for one in report.measured]
    if any(one >= other for one, other in pairwise(places)):
        raise VerificationError("Measured speeds are not in the order of their nodes, or one came twice.")
    commitment = found.basis.commitments.get(report.member)
    for one in report.measured:
        if NodeId(one.node) not in found.basis.standings:
            raise VerificationError("A member reports the speed of a node that no block has judged.")
        if one.node == node_id_of(report.member) or is_kin(commitment, NodeId(one.node)):
            raise VerificationError("A member reports the speed of a node of its own.")
    return report


def open_reports(signed: Sequence[SignedRecord], state: ChainState, epoch: int) -> list[SpeedReport]:
    """Those of a block, which must be in their order."""
    reports = [open_report(one, state, epoch) for one in signed]
    if any((one.epoch, one.member) >= (other.epoch, other.member) for one, other in pairwise(reports)):
        raise VerificationError("Reports of speeds are not in the order of epochs and members, or one came twice.")
    return reports


def usable_reports(
    offered: Sequence[SignedRecord], state: ChainState, epoch: int, room: int
) -> tuple[SignedRecord, ...]:
    """As many of them as hold and fit into ``room`` bytes: the oldest epoch first, of an epoch by a lot that is drawn
    anew for each block."""
    found: dict[Key, SignedRecord] = {}
    for signed in offered:
        try:
            report = open_report(signed, state, epoch)
        except VerificationError:
            continue
        found.setdefault((report.epoch, report.member), signed)
    kept: list[Key] = []
    for key in sorted(found, key=lambda key: (key[0], hashlib.sha256(state.output + key[1]).digest())):
        size = len(encode(found[key]))
        if size <= room and len(kept) < MAX_MEMBERS:
            room -= size
            kept.append(key)
    return tuple(found[key] for key in sorted(kept))
