"""One promised turn makes one request to one node and leads to one judgement: a verifier has nothing to choose from."""

from typing import Any

import msgspec
import pytest

from engine.errors import VerificationError, WireError
from engine.paths.admission import CLOCK_SKEW, MAX_REMEMBERED, REPLAY_MEMORY, REQUEST_LIFE, Admission
from engine.verification.chain.results import Material
from engine.verification.challenges.commitment import CommittedChallenges
from engine.verification.challenges.opening import (
    OpenedEvidence,
    answers_within,
    encoded_challenge,
    open_evidence,
    request_id_of,
)
from engine.verification.large_models.transcript import transcript_of_evidence
from engine.verification.signing import sign_record
from engine.wire.answer import ChatMessage, Request
from engine.wire.challenges import ChallengeTurn, Evidence, challenge_decoder
from engine.wire.signed import SignedRecord
from tests.support import specification
from tests.support.judging import OUTPUT, Judging, judging
from tests.support.records import identity

NODE, OTHER, THIRD = identity(0), identity(1), identity(2)


def begun(**changes: Any) -> Judging:
    network = judging()
    promised = [network.commit(1, member, [NODE.node_id, OTHER.node_id], **changes) for member in network.members]
    network.append(0, Material(commitments=promised))
    return network


def opened(network: Judging, signed: SignedRecord) -> OpenedEvidence:
    return open_evidence(signed, network.genesis.genesis, network.network_id, network.state.commitment_of)


def refused(network: Judging, signed: SignedRecord, words: str) -> None:
    with pytest.raises(VerificationError, match=words):
        opened(network, signed)


# -------------------------------------------------------------------------------------------- one request, one answer


def test_a_turn_asked_once_more_behind_another_answer_is_no_evidence() -> None:
    """Of many answers the verifier could have shown the worst: the node signs each, as each is another request."""
    network = begun()
    member = network.members[0]
    honest = opened(network, network.evidence(1, member, NODE.node_id, NODE, turn=1))
    said = (*honest.request.messages[:2], ChatMessage(role="assistant", content="!"), honest.request.messages[3])
    for number in range(3):
        again = {"request_id": bytes([number]) * 16, "messages": said}
        signed = network.evidence(1, member, NODE.node_id, NODE, turn=1, request=again)
        refused(network, signed, "not the one that follows from the challenge")


def asked(network: Judging, at: float, words: str = "An answer.") -> Request:
    """What makes the second turn's request, sealed at a time behind these words."""
    evidence = opened(network, network.evidence(1, network.members[0], NODE.node_id, NODE, turn=1))
    *before, answer, question = evidence.request.messages
    messages = (*before, msgspec.structs.replace(answer, content=words), question)
    return msgspec.structs.replace(evidence.request, messages=messages, sealed_at=at)


@pytest.mark.parametrize("epoch_seconds", [6.0, 600.0, 3_600.0])
def test_a_node_takes_the_request_of_a_turn_once_while_its_answer_would_be_believed(epoch_seconds: float) -> None:
    network = judging(epoch_seconds=epoch_seconds)
    network.append(0, Material(commitments=network.commit_all(1, [NODE, OTHER])))
    within = answers_within(network.genesis.genesis)
    admission = Admission(0.0, memory=REPLAY_MEMORY + within)
    first = network.begins(1)
    request = asked(network, first)
    admission.check(request, request.n, request.k, first)
    admission.add(request, b"m" * 16)
    for seconds in (1.0, REPLAY_MEMORY + 1.0, within - 1.0, within + REQUEST_LIFE - 1.0):
        for sealed in (first + min(seconds, within), first + seconds - REQUEST_LIFE):
            again = asked(network, max(first, sealed), f"After {seconds} s.")
            if again.sealed_at < first + seconds - REQUEST_LIFE:
                continue
            with pytest.raises(WireError, match="seen before"):
                admission.check(again, again.n, again.k, first + seconds)
    believed = network.begins(1) - CLOCK_SKEW + within
    assert believed == network.begins(3) + CLOCK_SKEW


def test_ids_that_are_kept_longer_make_room_for_new_requests() -> None:
    request = asked(begun(), 0.0)
    admission = Admission(0.0, memory=3_000.0)

    def take(number: int, at: float) -> None:
        one = msgspec.structs.replace(request, request_id=number.to_bytes(16, "big"), sealed_at=at)
        admission.check(one, one.n, one.k, at)
        admission.add(one, number.to_bytes(15, "big") + b"m")

    for number in range(MAX_REMEMBERED):
        take(number, 0.0)
    assert admission.is_full
    take(MAX_REMEMBERED, REPLAY_MEMORY + 1.0)
    assert len(admission._requests) == MAX_REMEMBERED
    admission.check(
        msgspec.structs.replace(request, request_id=b"n" * 16, sealed_at=421.0), request.n, request.k, 422.0
    )
    assert not admission.is_full


def test_the_request_of_a_turn_follows_from_the_challenge_alone() -> None:
    network = begun()
    member, other = network.members[:2]
    one = encoded_challenge(network.challenge(1, member, NODE.node_id))
    ids = {request_id_of(one, turn) for turn in range(8)}
    ids.add(request_id_of(encoded_challenge(network.challenge(1, other, NODE.node_id)), 0))
    assert len(ids) == 9
    assert request_id_of(one, 1) == specification.challenge_request_id(one, 1)
    assert specification.challenge_request_id(one, 1).hex() == "91ae1ff843d3dcb0704aaad224bef844"


def test_a_challenge_that_two_members_have_promised_counts_for_neither_but_its_own() -> None:
    network = judging()
    mine, accomplice = network.members[:2]
    stolen = network.challenge(1, mine, NODE.node_id)
    committed = CommittedChallenges([encoded_challenge(stolen)])
    network.plans[1, accomplice.public_key] = committed, {NODE.node_id: 0}
    promise = committed.commitment(network.network_id, 1, accomplice.public_key)
    promised = [network.commit(1, mine, [NODE.node_id]), sign_record(accomplice, promise)]
    network.append(0, Material(commitments=promised))
    assert opened(network, network.evidence(1, mine, NODE.node_id, NODE)).node == NODE.node_id
    refused(network, network.evidence(1, accomplice, NODE.node_id, NODE), "planned by another member")


# ----------------------------------------------------------------------------------------------- who is to be checked


@pytest.mark.parametrize("turn", [0, 1])
def test_another_node_asked_in_place_of_the_one_to_be_checked_is_not_judged(turn: int) -> None:
    """The verifier could have chosen whom it judges: for a duty on one node it asked another one itself."""
    network = begun()
    member = network.members[0]
    direct = network.evidence(1, member, NODE.node_id, OTHER, turn=turn, entry=OTHER.node_id)
    refused(network, direct, "Another node was asked")
    by_a_third = network.evidence(1, member, NODE.node_id, OTHER, turn=turn, entry=THIRD.node_id)
    refused(network, by_a_third, "Another node was asked")
    through = network.evidence(1, member, NODE.node_id, NODE, turn=turn, entry=OTHER.node_id)
    refused(network, through, "Another node was asked")


def test_who_answers_what_the_checked_node_has_passed_on_is_judged() -> None:
    network = begun()
    found = opened(network, network.evidence(1, network.members[0], NODE.node_id, OTHER))
    assert (found.asked, found.node) == (NODE.node_id, OTHER.node_id)


def test_what_was_promised_not_to_be_passed_on_is_not() -> None:
    network = begun(may_forward=False)
    signed = network.evidence(1, network.members[0], NODE.node_id, OTHER, request={"may_forward": True})
    refused(network, signed, "the challenge forbids it")


# -------------------------------------------------------------------------------------------- one answer, one reading

TURNS = (ChallengeTurn(text="Who was Ada?", seed=7, read=20), ChallengeTurn(text="Why?", seed=8, read=20))


def test_whichever_receipt_of_an_answer_is_shown_the_same_tokens_are_judged() -> None:
    """Else a verifier could show the part of an answer that looks worst."""
    network = begun(turns=TURNS)
    member = network.members[0]
    shown = [
        network.evidence(1, member, NODE.node_id, NODE, output=OUTPUT[:count], final=final)
        for count, final in ((20, False), (26, False), (32, True))
    ]
    found = [opened(network, signed) for signed in shown]
    assert {one.output_ids for one in found} == {OUTPUT[:20]}
    assert len({transcript_of_evidence(one, network.network_id) for one in found}) == 1
    early = network.evidence(1, member, NODE.node_id, NODE, output=OUTPUT[:16], final=False)
    refused(network, early, "broke off")
    short = network.evidence(1, member, NODE.node_id, NODE, output=OUTPUT[:16])
    assert opened(network, short).output_ids == OUTPUT[:16]


@pytest.mark.parametrize(
    ("name", "value"),
    [("attempt", 1), ("top_logprobs", 3), ("minimum_standing", 0.5), ("public_messages", 1), ("public_characters", 9)],
)
def test_nothing_else_of_a_request_is_the_verifiers_to_choose(name: str, value: object) -> None:
    network = begun()
    refused(network, network.evidence(1, network.members[0], NODE.node_id, NODE, request={name: value}), f"sets {name}")


def test_evidence_holds_the_challenge_that_names_its_member() -> None:
    network = begun()
    member = network.members[0]
    evidence = msgspec.msgpack.decode(network.evidence(1, member, NODE.node_id, NODE).record, type=Evidence)
    assert challenge_decoder.decode(evidence.challenge).member == member.public_key
