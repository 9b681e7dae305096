"""Reports of speeds in blocks: who may bring them, what follows for standings, what is forgotten."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from engine.crypto.identity import Identity
from engine.directory.standing import StandingBook
from engine.errors import VerificationError
from engine.ids import NodeId
from engine.verification.capacity import speeds as module
from engine.verification.capacity.agreeing import KEPT, Moment, agreed_rate, moment_of
from engine.verification.capacity.speeds import (
    LOOKED_AT_ONCE,
    MAX_MODELS,
    NOTHING_MEASURED,
    Speeds,
    speeds_after,
    speeds_of,
)
from engine.verification.chain.block import check_block
from engine.verification.chain.certificate import check_certified
from engine.verification.chain.checkpoint import make_checkpoint, open_checkpoint
from engine.verification.chain.records import RecordBook
from engine.verification.chain.results import Material
from engine.verification.chain.room import MAX_BLOCK
from engine.verification.chain.speed_reports import open_report, open_reports, usable_reports
from engine.verification.chain.standings import check_standings
from engine.verification.chain.state import first_state
from engine.verification.signing import sign_record
from engine.wire.blocks import block_decoder
from engine.wire.challenges import MAX_MEASURED, SpeedMeasured, SpeedReport
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord
from tests.support.judging import MODEL, Judging, judging
from tests.support.records import identity

NODES = sorted((identity(number) for number in range(3)), key=lambda one: one.node_id)
SLOW, HONEST = NODES[0], NODES[1]


def timed(node: Identity, rate: int, claimed: int = 1_000, **changes: Any) -> SpeedMeasured:
    fields: dict[str, Any] = {
        "node": node.node_id,
        "model": MODEL[:8],
        "claimed": claimed,
        "tokens": 2_000,
        "short_ms": 100,
        "long_ms": 100 + 2_000_000 // rate,
        "waited_ms": 0,
    }
    return SpeedMeasured(**(fields | changes))


def report(network: Judging, member: Identity, epoch: int, *measured: SpeedMeasured, **changes: Any) -> SignedRecord:
    items = measured or (timed(SLOW, 250), timed(HONEST, 950))
    fields: dict[str, Any] = {"network_id": network.network_id, "epoch": epoch, "member": member.public_key}
    return sign_record(member, SpeedReport(**(fields | {"measured": items} | changes)))


def begun(epochs: int = 1, nodes: Sequence[Identity] = NODES) -> Judging:
    """So many epochs behind the first, in which the nodes were judged."""
    network = judging(4)
    network.append(0, Material(commitments=network.commit_all(1, nodes)))
    for epoch in range(1, epochs + 2):
        network.judge_epoch(epoch, nodes, {})
    return network


def go_on(network: Judging, speeds: Sequence[SignedRecord] = ()) -> None:
    """One more epoch's block with what was measured."""
    epoch = network.state.epoch + 1
    is_open = epoch - 1 in network.state.epochs
    shown = [network.show_duties(epoch - 1, member) for member in network.members] if is_open else []
    network.append(epoch, Material(commitments=network.commit_all(epoch + 1, NODES), duties=shown, speeds=speeds))


def reads(network: Judging, node: Identity) -> float | None:
    return StandingBook(True, network.state.standings).reads(node.node_id, MODEL)


def test_three_moments_of_three_members_cut_what_a_node_claims_and_an_honest_one_keeps_it() -> None:
    network = begun()
    for count in range(3):
        assert reads(network, SLOW) is None, count
        epoch = network.state.epoch
        go_on(network, [report(network, member, epoch) for member in network.members[:3]])
    assert reads(network, SLOW) == 250
    assert reads(network, HONEST) is None
    assert StandingBook(True, network.state.standings).reads(SLOW.node_id, b"x" * 32) is None, "of another model"
    assert StandingBook(False, network.state.standings).reads(SLOW.node_id, MODEL) is None
    checked = check_standings(network.signed_standings(), network.genesis)
    assert checked.nodes[SLOW.node_id].slower == ((MODEL[:8], 250),), "readers of standings see it, too"
    for _ in range(3):  # a faster machine: three newer moments of five
        epoch = network.state.epoch
        go_on(network, [report(network, one, epoch, timed(SLOW, 1_000)) for one in network.members])
    assert reads(network, SLOW) is None


def test_reports_that_may_not_be_are_refused() -> None:
    network = begun(2)
    state, member = network.state, network.members[0]
    stranger = identity(77)
    kin = network.commit(4, member, [node.node_id for node in NODES], [HONEST.node_id[:8]])
    cases: list[tuple[SignedRecord, int, str]] = [
        (report(network, member, 4), 4, "no use in epoch 4"),
        (report(network, member, 0), 4, "no use"),
        (report(network, stranger, 3), 4, "no member"),
        (report(network, member, 3, network_id=b"x" * 32), 4, "another network"),
        (report(network, member, 3, timed(HONEST, 9), timed(SLOW, 9)), 4, "order"),
        (report(network, member, 3, timed(SLOW, 9), timed(SLOW, 9)), 4, "order"),
        (report(network, member, 3, timed(stranger, 9)), 4, "no block has judged"),
    ]
    for signed, epoch, reason in cases:
        with pytest.raises(VerificationError, match=reason):
            open_report(signed, state, epoch)
    good = report(network, member, 3)
    forged = msgspec.structs.replace(good, signature=bytes(64))
    with pytest.raises(VerificationError, match="signature"):
        open_report(forged, state, 4)
    with pytest.raises(VerificationError, match="stands where"):
        open_report(kin, state, 4)
    epoch = state.epoch + 1
    others = [network.commit(epoch + 1, one, [node.node_id for node in NODES]) for one in network.members[1:]]
    promised = network.commit(epoch + 1, member, [node.node_id for node in NODES], [HONEST.node_id[:8]])
    network.append(epoch, Material(commitments=[promised, *others], speeds=[good]))
    with pytest.raises(VerificationError, match="has this member's speeds"):
        open_report(good, network.state, 5)
    with pytest.raises(VerificationError, match="of its own"):
        open_report(report(network, member, 5), network.state, 6)
    assert open_report(report(network, network.members[1], 5), network.state, 6).epoch == 5


def test_a_block_with_reports_in_disorder_or_twice_is_refused_and_one_that_is_made_leaves_them_out() -> None:
    network = begun()
    epoch = network.state.epoch + 1
    signed = sorted((report(network, one, epoch - 1) for one in network.members), key=lambda one: one.key)
    for wrong in ([signed[1], signed[0]], [signed[0], signed[0]]):
        with pytest.raises(VerificationError, match="order"):
            open_reports(wrong, network.state, epoch)
    bad = report(network, identity(77), epoch - 1)
    block = block_decoder.decode(network.make(epoch, Material(speeds=[signed[2], bad, signed[0], signed[0]])))
    assert list(block.speeds) == [signed[0], signed[2]]
    disordered = encode(msgspec.structs.replace(block, speeds=(signed[2], signed[0])))
    with pytest.raises(VerificationError, match="order"):
        check_block(network.state, disordered)


def test_reports_leave_room_for_answers_and_the_oldest_come_first() -> None:
    nodes = sorted((identity(number) for number in range(100, 100 + MAX_MEASURED)), key=lambda one: one.node_id)
    network = begun(2, nodes)
    members = sorted(one.public_key for one in network.members)
    many = [timed(node, 900, claimed=4_000_000_000) for node in nodes]
    offered = [report(network, one, epoch, *many) for one in network.members for epoch in (3, 2)]
    found = usable_reports(offered, network.state, 4, MAX_BLOCK // 8)
    assert 0 < len(found) < len(offered)
    assert sum(len(encode(one)) for one in found) <= MAX_BLOCK // 8
    opened = open_reports(found, network.state, 4)
    assert {one.epoch for one in opened} == {2}
    assert {one.member for one in opened} <= set(members)


def test_a_book_keeps_one_report_of_a_member_until_a_block_has_it() -> None:
    network = begun()
    book, member = RecordBook(), network.members[0]
    signed, other = report(network, member, 2), report(network, member, 2, timed(SLOW, 9))
    assert book.add(signed, network.state, 3)
    assert not book.add(signed, network.state, 3)
    assert not book.add(other, network.state, 3)
    with pytest.raises(VerificationError, match="no block has judged"):
        book.add(report(network, network.members[1], 2, timed(identity(77), 9)), network.state, 3)
    assert signed in book.of_member(member.public_key, network.state)
    assert book.material().speeds == [signed]
    go_on(network, book.material().speeds)
    book.decided(network.state, network.blocks[-1].block)
    assert book.material().speeds == []


def test_a_checkpoint_keeps_what_was_measured() -> None:
    network = begun()
    for _ in range(3):
        epoch = network.state.epoch
        go_on(network, [report(network, member, epoch) for member in network.members])
    state = open_checkpoint(make_checkpoint(network.state), first_state(network.genesis), network.blocks[-1])
    assert state == network.state
    assert state.speeds.moments
    assert state.speeds.slower
    assert any(found.reported for found in state.epochs.values())
    again = first_state(network.genesis)
    for block in network.blocks:
        again = check_certified(again, block)
    assert again.speeds == network.state.speeds


MEMBERS = [bytes((number,)) * 32 for number in range(4)]


def said(member: bytes, epoch: int, *measured: SpeedMeasured) -> SpeedReport:
    return SpeedReport(network_id=bytes(32), epoch=epoch, member=member, measured=measured)


def without_old(report: SpeedReport, looked: Sequence[bytes], oldest: int) -> SpeedReport:
    """What is left of a report when old moments of these nodes are forgotten."""
    kept = tuple(one for one in report.measured if report.epoch >= oldest or one.node not in looked)
    return msgspec.structs.replace(report, measured=kept)


def naive(reports: Sequence[SpeedReport], members: Sequence[bytes]) -> dict[NodeId, Any]:
    """From the whole history, every time anew."""
    moments: dict[tuple[NodeId, bytes], dict[bytes, list[Moment]]] = {}
    for one in reports:
        for item in one.measured:
            if one.member in members:
                kept = moments.setdefault((NodeId(item.node), item.model), {}).setdefault(one.member, [])
                kept.append(moment_of(one.epoch, item))
    slower: dict[NodeId, Any] = {}
    for (node, model), by_member in sorted(moments.items()):
        if (rate := agreed_rate(by_member, (len(members) - 1) // 3)) is not None:
            slower[node] = (*slower.get(node, ()), (model, rate))
    return slower


@pytest.mark.parametrize("seed", range(6))
def test_block_by_block_it_is_what_the_whole_history_says(seed: int) -> None:
    dice, reports, state = random.Random(seed), list[SpeedReport](), NOTHING_MEASURED
    members = list(MEMBERS)
    for epoch in range(150):
        changed = dice.random() < 0.05
        looked = [one.node_id for one in NODES if changed or one.node_id[-1] % LOOKED_AT_ONCE == epoch % LOOKED_AT_ONCE]
        reports = [without_old(one, looked, epoch - 20) for one in reports]
        if changed:
            members = dice.sample(MEMBERS, dice.choice([3, 4, 4]))
            reports = [one for one in reports if one.member in members]  # who comes back begins anew
        new = []
        for member in sorted(members):
            nodes = sorted(dice.sample(NODES, dice.randint(0, 3)), key=lambda one: one.node_id)
            items = [timed(one, dice.choice([200, 500, 900]), model=dice.choice([b"a", b"b"]) * 8) for one in nodes]
            if items:
                new.append(said(member, epoch, *items))
        reports += new
        state = speeds_after(state, epoch, new, members, epoch - 20, changed=changed)
        assert state.slower == naive(reports, members), epoch
        assert state == speeds_of(state.moments, members), "as a checkpoint would say it"


def count_of(state: Speeds) -> int:
    by_model = [one for found in state.moments.values() for one in found.values()]
    return sum(len(moments) for by_member in by_model for moments in by_member.values())


def test_of_too_many_moments_the_oldest_nodes_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MOMENTS", 20)
    state: Speeds = NOTHING_MEASURED
    for epoch in range(40):
        new = [said(member, epoch, timed(identity(epoch // 4), 100)) for member in MEMBERS]
        state = speeds_after(state, epoch, new, MEMBERS, 0)
        assert count_of(state) == state.count <= 20
    assert identity(9).node_id in state.moments
    assert set(state.slower) <= set(state.moments)


def test_invented_models_of_a_node_take_each_others_places_and_nobody_elses() -> None:
    state: Speeds = NOTHING_MEASURED
    for epoch in range(100):
        real = said(MEMBERS[1], epoch, timed(SLOW, 100))
        invented = [timed(SLOW, 9_000, claimed=9_000, model=f"{epoch:04}{one:04}".encode()) for one in range(32)]
        state = speeds_after(state, epoch, [said(MEMBERS[0], epoch, *invented), real], MEMBERS, 0)
    assert len(state.of(SLOW.node_id, MODEL, MEMBERS[1])) == KEPT
    assert state.count == MAX_MODELS + KEPT


def test_a_flood_of_reports_does_not_make_blocks_slow_to_look_at() -> None:
    """A lying member reports as many nodes as it may, every epoch for as long as moments count."""
    nodes = [identity(number) for number in range(2_000)]
    state: Speeds = NOTHING_MEASURED
    for epoch in range(400):
        first = 32 * epoch % len(nodes)
        invented = [timed(node, 100) for node in [*nodes, *nodes][first : first + 32]]
        state = speeds_after(state, epoch, [said(MEMBERS[0], epoch, *invented)], MEMBERS, 0)
    assert state.count == 400 * 32
    due = [node for node in state.moments if node[-1] % LOOKED_AT_ONCE == 401 % LOOKED_AT_ONCE]
    assert 0 < len(due) < len(nodes) // 20
    after = speeds_after(state, 401, [said(MEMBERS[0], 401, timed(nodes[0], 100))], MEMBERS, 380)
    again = {node for node in state.moments if after.moments.get(node) is not state.moments[node]}
    assert nodes[0].node_id in again
    assert again <= {nodes[0].node_id, *due}, "what a block does not touch is not looked at"
