"""One height of the committee's agreement: messages in, effects out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

import pytest

from engine.errors import VerificationError
from engine.ids import NetworkId
from engine.simulation.committee.blocks import HEIGHT, NETWORK_ID, identity_of, make_block, validate
from engine.verification.chain.certificate import check_certificate
from engine.verification.committee.agreement import Agreement, Message
from engine.verification.committee.committee import NO_BLOCK, Committee, sign
from engine.verification.committee.effects import Contradicted, Decided, Effect, Memory, Refused, Remember, Send
from engine.verification.committee.state import AHEAD, QUORUMS
from engine.verification.committee.timing import Timing, timing_of
from engine.verification.contradictions import check_contradiction
from engine.verification.quorums import check_quorum
from engine.wire.blocks import (
    Certificate,
    CertifiedBlock,
    CommitteeBlock,
    CommitteeHave,
    CommitteeNews,
    CommitteePrevotes,
    Proposal,
    Vote,
    agreement_decoder,
)
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord

TIMING = Timing(first=1.0, growth=0.5, longest=10.0)
COMMITTEE = Committee(NETWORK_ID, tuple(identity_of(index).public_key for index in range(4)), b"output")
LEADER = COMMITTEE.leader(0)
ME, SECOND, THIRD = (index for index in range(4) if index != LEADER)
BLOCK = make_block(COMMITTEE, LEADER, 0, 1)
OTHER = make_block(COMMITTEE, LEADER, 0, 2)


def digest(block: bytes) -> bytes:
    return hashlib.sha256(block).digest()


def machine(index: int = ME, start: float = 0.0, memory: Memory | None = None, *, abstains: bool = False) -> Agreement:
    return Agreement(
        identity_of(index),
        COMMITTEE,
        HEIGHT,
        propose=lambda number: make_block(COMMITTEE, index, number, 1),
        validate=validate,
        timing=TIMING,
        start=start,
        memory=memory,
        abstains=abstains,
    )


def proposal(block: bytes, number: int = 0, valid_round: int = 0, by: int | None = None) -> CommitteeNews:
    leader = COMMITTEE.leader(number) if by is None else by
    return CommitteeNews(
        sign(identity_of(leader), NETWORK_ID, Proposal(NETWORK_ID, HEIGHT, number, valid_round, block))
    )


def vote(member: int, block: bytes | None, number: int = 0, *, precommit: bool = False) -> CommitteeNews:
    what = NO_BLOCK if block is None else digest(block)
    return CommitteeNews(sign(identity_of(member), NETWORK_ID, Vote(NETWORK_ID, HEIGHT, number, precommit, what)))


def prevotes(block: bytes, number: int, members: Sequence[int] = (0, 1, 2)) -> CommitteePrevotes:
    signatures = tuple((member, vote(member, block, number).item.signature) for member in members)
    return CommitteePrevotes(HEIGHT, number, digest(block), signatures)


def feed(agreement: Agreement, messages: Iterable[Message], now: float = 0.1) -> list[Effect]:
    return [effect for message in messages for effect in agreement.receive(LEADER, message, now)]


def said(effects: Iterable[Effect]) -> list[tuple[int, str, bytes]]:
    """(round, step, digest) of every record that goes to all."""
    found = []
    for effect in effects:
        if isinstance(effect, Send) and isinstance(effect.message, CommitteeNews):
            record = agreement_decoder.decode(effect.message.item.record)
            if isinstance(record, Vote):
                found.append((record.round, "precommit" if record.precommit else "prevote", record.digest))
            else:
                found.append((record.round, "proposal", digest(record.block)))
    return found


def begun(**options: Memory | None) -> Agreement:
    agreement = machine(**options)
    agreement.tick(0.0)
    return agreement


def locked() -> Agreement:
    """In round 0, locked on BLOCK."""
    agreement = begun()
    feed(agreement, [proposal(BLOCK), vote(SECOND, BLOCK), vote(THIRD, BLOCK)])
    return agreement


def test_a_round_in_which_everything_goes_well() -> None:
    agreement = begun()
    assert said(feed(agreement, [proposal(BLOCK)])) == [(0, "prevote", digest(BLOCK))]
    assert said(feed(agreement, [vote(SECOND, BLOCK)])) == []
    assert said(feed(agreement, [vote(THIRD, BLOCK)])) == [(0, "precommit", digest(BLOCK))]
    messages = [vote(member, BLOCK, precommit=True) for member in (SECOND, LEADER)]
    effects = feed(agreement, messages)
    certified = next(effect.certified for effect in effects if isinstance(effect, Decided))
    assert certified.block == BLOCK
    check_certificate(certified.certificate, BLOCK, HEIGHT, COMMITTEE.members, NETWORK_ID)
    assert agreement.next_deadline() is None
    assert feed(agreement, [vote(THIRD, BLOCK, precommit=True)]) == []


def test_the_leader_proposes_and_votes_for_its_own() -> None:
    agreement = machine(LEADER, start=5.0)
    assert agreement.next_deadline() == 5.0
    assert agreement.tick(4.9) == []
    own = digest(make_block(COMMITTEE, LEADER, 0, 1))
    assert said(agreement.tick(5.0)) == [(0, "proposal", own), (0, "prevote", own)]


def test_everything_is_remembered_before_it_is_sent() -> None:
    agreement = begun()
    effects = feed(agreement, [proposal(BLOCK), vote(SECOND, BLOCK), vote(THIRD, BLOCK)])
    assert [type(effect) for effect in effects] == [Remember, Send, Remember, Send]
    first, second = (effect.memory for effect in effects if isinstance(effect, Remember))
    assert len(first.records) == 1
    assert first.locked is None
    assert len(second.records) == 2
    assert second.locked is not None
    assert second.locked.block == BLOCK


def test_after_a_restart_it_says_the_same_again_and_nothing_else() -> None:
    agreement = locked()
    again = machine(start=9.0, memory=agreement.memory)
    sent = said(again.tick(9.0))
    assert sent == [(0, "prevote", digest(BLOCK)), (0, "precommit", digest(BLOCK))]
    assert said(feed(again, [proposal(OTHER), vote(SECOND, OTHER), vote(LEADER, OTHER)], 9.1)) == []
    # In the next round the lock still holds.
    number = 1
    new = make_block(COMMITTEE, COMMITTEE.leader(number), number, 5)
    effects = feed(again, [vote(SECOND, None, number), vote(THIRD, None, number), proposal(new, number)], 9.2)
    assert (1, "prevote", digest(new)) not in said(effects)


def test_after_a_restart_others_still_get_what_they_need_to_follow() -> None:
    """Without this member's precommit of round 0 they could not leave it, if the fourth one is silent."""
    agreement = begun()
    agreement.tick(1.0)
    feed(agreement, [vote(SECOND, None), vote(THIRD, None)], 1.1)
    feed(agreement, [vote(SECOND, None, precommit=True), vote(THIRD, None, precommit=True)], 1.2)
    agreement.tick(2.3)
    agreement.tick(9.0)
    memory = agreement.memory
    assert memory.round == 1
    again = said(machine(start=10.0, memory=memory).tick(10.0))
    assert (0, "precommit", NO_BLOCK) in again
    assert {number for number, _, _ in again} == {0, 1}


def test_a_memory_of_another_height_is_not_of_this_one() -> None:
    memory = locked().memory
    other = Memory(HEIGHT - 1, memory.round, memory.records, memory.locked, memory.valid)
    agreement = machine(memory=other)
    assert agreement.round == -1
    assert agreement.memory.locked is None


def test_who_does_not_know_what_it_has_signed_signs_nothing_and_still_learns_the_decision() -> None:
    agreement = machine(abstains=True)
    effects = agreement.tick(0.0)
    members = (SECOND, THIRD, LEADER)
    effects += feed(agreement, [proposal(BLOCK), *(vote(member, BLOCK) for member in members)])
    effects += feed(agreement, [vote(member, BLOCK, precommit=True) for member in members])
    assert said(effects) == []
    assert not [effect for effect in effects if isinstance(effect, Remember)]
    assert [effect.certified.block for effect in effects if isinstance(effect, Decided)] == [BLOCK]


def test_the_lock_yields_only_to_a_later_quorum() -> None:
    number = 2
    leader = COMMITTEE.leader(number)
    new = make_block(COMMITTEE, leader, number, 7)
    elsewhere = make_block(COMMITTEE, COMMITTEE.leader(1), 1, 7)
    into_round = [vote(member, None, number, precommit=True) for member in (SECOND, THIRD)]
    plain = locked()
    if leader != ME:
        sent = said(feed(plain, [*into_round, proposal(new, number)]))
        assert (number, "prevote", NO_BLOCK) in sent
        shown = locked()
        sent = said(feed(shown, [*into_round, proposal(elsewhere, number, valid_round=2), prevotes(elsewhere, 1)]))
        assert (number, "prevote", digest(elsewhere)) in sent


def test_a_proposal_that_claims_a_quorum_waits_for_it() -> None:
    number = next(number for number in range(1, 4) if COMMITTEE.leader(number) != ME)
    agreement = begun()
    into_round = [vote(member, None, number, precommit=True) for member in (SECOND, THIRD)]
    assert said(feed(agreement, [*into_round, proposal(BLOCK, number, valid_round=1)])) == []
    assert said(feed(agreement, [prevotes(BLOCK, 0)])) == [(number, "prevote", digest(BLOCK))]


def test_an_invalid_block_is_voted_down_with_its_reason() -> None:
    bad = make_block(COMMITTEE, LEADER, 0, 1, valid=False)
    agreement = begun()
    effects = feed(agreement, [proposal(bad)])
    assert said(effects) == [(0, "prevote", NO_BLOCK)]
    assert Refused(digest(bad), "it was made to be invalid") in effects


@pytest.mark.parametrize(
    "block",
    [
        b"no block",
        make_block(COMMITTEE, LEADER, 4, 1),  # of another round that it leads as well
        make_block(COMMITTEE, ME, 0, 1),
        make_block(COMMITTEE, COMMITTEE.leader(1), 1, 1),
    ],
    ids=["garbage", "round", "proposer", "both"],
)
def test_a_new_block_is_of_this_round_and_its_leader(block: bytes) -> None:
    agreement = begun()
    assert said(feed(agreement, [proposal(block)])) == [(0, "prevote", NO_BLOCK)]


def test_silence_leads_to_the_next_round_in_ever_longer_times() -> None:
    agreement = begun()
    assert said(agreement.tick(1.0)) == [(0, "prevote", NO_BLOCK)]
    assert said(feed(agreement, [vote(SECOND, None), vote(THIRD, None)], 1.1)) == [(0, "precommit", NO_BLOCK)]
    feed(agreement, [vote(SECOND, None, precommit=True), vote(THIRD, None, precommit=True)], 1.2)
    agreement.tick(2.3)
    assert agreement.round == 1
    assert [TIMING.wait(number) for number in (0, 1, 2, 100)] == [1.0, 1.5, 2.0, 10.0]
    assert timing_of(600).first == 10.0
    assert timing_of(1).first == 0.5


def test_votes_that_do_not_agree_wait_for_the_rest_and_then_for_nobody() -> None:
    agreement = begun()
    feed(agreement, [proposal(BLOCK), vote(SECOND, None), vote(THIRD, OTHER)], 0.1)
    deadline = agreement.next_deadline()
    assert deadline is not None
    assert deadline <= 1.1
    assert (0, "precommit", NO_BLOCK) in said(agreement.tick(1.1))


def test_rounds_are_skipped_where_f_plus_one_others_are_further() -> None:
    agreement = begun()
    feed(agreement, [vote(SECOND, None, 9)])
    assert agreement.round == 0
    feed(agreement, [vote(THIRD, None, 7)])
    assert agreement.round == 7


def test_who_has_not_begun_begins_with_f_plus_one_others() -> None:
    agreement = machine(start=100.0)
    feed(agreement, [vote(SECOND, None), vote(THIRD, None)])
    assert agreement.round == 0


def test_two_votes_of_a_member_are_shown_once_and_can_be_checked() -> None:
    agreement = begun()
    effects = feed(agreement, [vote(SECOND, BLOCK), vote(SECOND, OTHER), vote(SECOND, None), vote(SECOND, None, 1)])
    shown = [effect for effect in effects if isinstance(effect, Contradicted)]
    assert [one.member for one in shown] == [SECOND]
    found = check_contradiction(shown[0].contradiction, NetworkId(NETWORK_ID))
    assert found.key == COMMITTEE.members[SECOND]
    assert found.kind == "vote"


def test_two_proposals_of_a_leader_are_shown() -> None:
    effects = feed(begun(), [proposal(BLOCK), proposal(OTHER)])
    shown = [effect.contradiction for effect in effects if isinstance(effect, Contradicted)]
    assert check_contradiction(shown[0], NetworkId(NETWORK_ID)).kind == "proposal"


def test_an_equivocator_cannot_hide_a_quorum() -> None:
    """It showed this member two other votes; the third, which makes a quorum for others, is not kept. The whole is."""
    agreement = begun()
    other, another = make_block(COMMITTEE, LEADER, 0, 3), make_block(COMMITTEE, LEADER, 0, 4)
    feed(agreement, [proposal(BLOCK), vote(SECOND, other), vote(SECOND, another), vote(SECOND, BLOCK)])
    feed(agreement, [vote(THIRD, BLOCK)])
    assert agreement.memory.locked is None
    sent = said(feed(agreement, [prevotes(BLOCK, 0, sorted((ME, SECOND, THIRD)))]))
    assert sent == [(0, "precommit", digest(BLOCK))]


def test_a_block_that_a_quorum_wants_is_taken_although_the_leader_has_sent_others() -> None:
    agreement = begun()
    others = [make_block(COMMITTEE, LEADER, 0, mark) for mark in (3, 4, 5)]
    feed(agreement, [proposal(block) for block in others])
    feed(agreement, [prevotes(BLOCK, 0, sorted((SECOND, THIRD, LEADER)))])
    agreement.tick(0.2)
    have = next(effect.message for effect in agreement.tick(0.9) if isinstance(effect, Send))
    assert isinstance(have, CommitteeHave)
    assert have.want == digest(BLOCK)
    assert said(feed(agreement, [proposal(BLOCK)], 0.95)) == [(0, "precommit", digest(BLOCK))]


def test_who_lacks_something_gets_it() -> None:
    full, empty = locked(), machine(SECOND)
    empty.tick(0.0)
    have = next(effect.message for effect in empty.tick(0.5) if isinstance(effect, Send))
    answer = full.receive(SECOND, have, 0.6)
    assert {effect.to for effect in answer if isinstance(effect, Send)} == {SECOND}
    for effect in answer:
        assert isinstance(effect, Send)
        empty.receive(ME, effect.message, 0.7)
    assert empty.memory.locked is not None
    assert full.receive(SECOND, have, 0.61) == []  # too soon
    assert full.dropped["too fast"] == 1


def test_who_has_everything_gets_nothing() -> None:
    full = locked()
    have = CommitteeHave(HEIGHT, 0, True, True, b"\x0f", b"\x0f", b"")
    assert full.receive(SECOND, have, 0.6) == []


def test_who_is_rounds_behind_learns_that_it_is() -> None:
    ahead, behind = begun(), machine(SECOND)
    behind.tick(0.0)
    feed(ahead, [vote(member, None, 5, precommit=True) for member in (SECOND, THIRD)])
    feed(ahead, [vote(member, None, 6) for member in (THIRD, LEADER)])
    answer = ahead.receive(SECOND, CommitteeHave(HEIGHT, 0, False, False, b"", b"", b""), 0.6)
    for effect in answer:
        assert isinstance(effect, Send)
        behind.receive(ME, effect.message, 0.7)
    assert ahead.round == behind.round == 6


@pytest.mark.parametrize(
    "message",
    [
        lambda: CommitteeNews(SignedRecord(b"junk", COMMITTEE.members[SECOND], bytes(64))),
        lambda: CommitteeNews(SignedRecord(vote(SECOND, BLOCK).item.record, COMMITTEE.members[THIRD], bytes(64))),
        lambda: proposal(BLOCK, by=SECOND),
        lambda: proposal(BLOCK, valid_round=1),
        lambda: CommitteeNews(sign(identity_of(9), NETWORK_ID, Vote(NETWORK_ID, HEIGHT, 0, False, b""))),
        lambda: CommitteeNews(sign(identity_of(SECOND), NETWORK_ID, Vote(NETWORK_ID, HEIGHT, 0, False, b"short"))),
        lambda: CommitteeNews(sign(identity_of(SECOND), NETWORK_ID, Vote(NETWORK_ID, HEIGHT + 1, 0, False, b""))),
        lambda: CommitteeNews(sign(identity_of(SECOND), b"\1" * 32, Vote(b"\1" * 32, HEIGHT, 0, False, b""))),
        lambda: prevotes(BLOCK, 0, (0, 1)),
        lambda: prevotes(BLOCK, 0, (0, 0, 1)),
        lambda: prevotes(BLOCK, 0, (1, 0, 2)),
        lambda: CommitteePrevotes(HEIGHT, 0, digest(BLOCK), prevotes(OTHER, 0).signatures),
        lambda: CommitteeBlock(BLOCK, certified(OTHER).certificate),
        lambda: CommitteeBlock(BLOCK, certified(BLOCK, (0, 1)).certificate),
    ],
)
def test_what_proves_nothing_changes_nothing(message: Callable[[], Message]) -> None:
    agreement = begun()
    before = agreement.memory
    assert feed(agreement, [message()]) == []
    assert agreement.dropped.total() == 1
    assert agreement.memory == before


def certified(block: bytes, members: Sequence[int] = (0, 1, 2)) -> CertifiedBlock:
    signatures = tuple((member, vote(member, block, precommit=True).item.signature) for member in members)
    return CertifiedBlock(block, Certificate(HEIGHT, 0, digest(block), signatures))


def test_a_certified_block_ends_it_at_once() -> None:
    block = certified(BLOCK)
    assert Decided(block) in feed(begun(), [CommitteeBlock(block.block, block.certificate)])
    assert begun().certified(block) == [Decided(block)]
    wrong = begun()
    assert wrong.certified(CertifiedBlock(OTHER, block.certificate)) == []
    assert wrong.decided is None


def test_a_flood_of_all_members_leaves_little_behind() -> None:
    """Every member sends votes and proposals of a thousand rounds, each in several versions."""
    agreement = begun()
    for number in range(0, 1000, 7):
        for member in (SECOND, LEADER):  # f + 1 of them would carry it along
            far = number + AHEAD + 1 if member == LEADER else 0
            for mark in range(6):
                block = make_block(COMMITTEE, COMMITTEE.leader(far), far, mark)
                feed(agreement, [vote(member, block, far), vote(member, block, far, precommit=True)])
                if COMMITTEE.leader(far) != ME:
                    feed(agreement, [proposal(block, far)])
    assert size_of(agreement) < 400_000


def test_quorums_of_many_rounds_are_bounded() -> None:
    agreement = begun()
    for number in range(2 * QUORUMS):
        feed(agreement, [prevotes(BLOCK, number)])
    assert len(agreement._known.rounds_with_quorum()) == QUORUMS


def test_the_last_round_is_not_left() -> None:
    agreement = begun()
    feed(agreement, [vote(member, None, 0xFFFF) for member in (SECOND, THIRD, LEADER)])
    assert agreement.round == 0xFFFE
    messages = [vote(member, None, 0xFFFE, precommit=True) for member in (SECOND, THIRD, LEADER)]
    feed(agreement, messages)
    agreement.tick(1000.0)
    assert agreement.round == 0xFFFE


def test_what_cannot_be_remembered_is_not_followed_by_more() -> None:
    agreement = begun()
    agreement.abstain()
    assert said(feed(agreement, [proposal(BLOCK), vote(SECOND, BLOCK), vote(THIRD, BLOCK)])) == []


def test_quorums_say_what_is_wrong_with_them() -> None:
    what = Vote(NETWORK_ID, HEIGHT, 0, False, digest(BLOCK))
    check_quorum(NETWORK_ID, COMMITTEE.members, what, prevotes(BLOCK, 0).signatures)
    for signatures, text in (
        (prevotes(BLOCK, 0, (0, 1)).signatures, "no quorum"),
        (prevotes(BLOCK, 0, (0, 2, 1)).signatures, "order"),
        ((*prevotes(BLOCK, 0, (0, 1)).signatures, (4, bytes(64))), "of nobody"),
        (prevotes(OTHER, 0).signatures, "not its own"),
    ):
        with pytest.raises(VerificationError, match=text):
            check_quorum(NETWORK_ID, COMMITTEE.members, what, signatures)


def size_of(agreement: Agreement) -> int:
    """Bytes of all records that are kept."""
    known = agreement._known
    items = [offered.item for one in known.rounds.values() for offered in one.proposals]
    for one in known.rounds.values():
        items += [*one.prevotes.missing(b""), *one.precommits.missing(b"")]
    return sum(len(encode(item)) for item in items)
