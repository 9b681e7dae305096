"""What may be scored: only what was promised before, asked as promised, and signed for by somebody else in time."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from engine.errors import VerificationError
from engine.verification.chain.results import Material
from engine.verification.challenges.commitment import CommittedChallenges, is_committed
from engine.verification.challenges.duties import publicly_drawn
from engine.verification.challenges.opening import OpenedEvidence, encoded_challenge, open_evidence, open_unanswered
from engine.verification.receipts import request_without_secrets
from engine.verification.signing import open_record, sign_record
from engine.wire.answer import ChatMessage, Sampling
from engine.wire.challenges import ChallengeCommitment, ChallengeTurn, Evidence, PlannedChallenge
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord
from tests.support.judging import OUTPUT, Judging, judging
from tests.support.records import identity

NODE, OTHER = identity(0), identity(1)


def begun() -> Judging:
    network = judging()
    network.append(0, Material(commitments=network.commit_all(1, [NODE, OTHER])))
    return network


def opened(network: Judging, signed: SignedRecord) -> OpenedEvidence:
    return open_evidence(signed, network.genesis.genesis, network.network_id, network.state.commitment_of)


def altered(network: Judging, **changes: Any) -> SignedRecord:
    """Evidence with fields changed after everything was made, signed by its author."""
    member = network.members[0]
    signed = network.evidence(1, member, NODE.node_id, NODE, turn=1)
    evidence = msgspec.msgpack.decode(signed.record, type=Evidence)
    return sign_record(member, msgspec.structs.replace(evidence, **changes))


def test_evidence_shows_who_was_asked_and_who_signed() -> None:
    network = begun()
    found = opened(network, network.evidence(1, network.members[0], NODE.node_id, NODE, turn=1))
    assert (found.asked, found.node) == (NODE.node_id, NODE.node_id)
    assert found.evidence.output_ids == OUTPUT
    passed_on = opened(network, network.evidence(1, network.members[0], NODE.node_id, OTHER))
    assert (passed_on.asked, passed_on.node) == (NODE.node_id, OTHER.node_id)


def test_a_checkpoint_counts_too_so_that_dying_is_no_way_out() -> None:
    network = begun()
    found = opened(network, network.evidence(1, network.members[0], NODE.node_id, NODE, output=OUTPUT[:20]))
    assert found.receipt.completion_tokens == 20


ALTERED: dict[str, tuple[dict[str, Any], str]] = {
    "network": ({"network_id": bytes(32)}, "another network"),
    "epoch": ({"epoch": 2}, "No block says what this member promised"),
    "challenge": ({"challenge": b"x"}, "not the one that was promised"),
    "index": ({"index": 1}, "not the one that was promised"),
    "path": ({"path": ()}, "not the one that was promised"),
    "turn": ({"turn": 0}, "not the one that follows"),
    "no such turn": ({"turn": 5}, "no turn 5"),
    "receipt": ({"receipt": b"x"}, "malformed"),
    "signature": ({"receipt_signature": bytes(64)}, "signature does not belong"),
    "key": ({"key": bytes(32)}, "another request"),
    "request": ({"request": b"x"}, "malformed|cannot be read"),
    "tokens": ({"output_ids": (1,) * len(OUTPUT)}, "not those that were signed"),
    "fewer tokens": ({"output_ids": OUTPUT[:-1]}, "the evidence shows 31"),
}


@pytest.mark.parametrize("case", ALTERED)
def test_altered_evidence_is_refused_with_the_reason(case: str) -> None:
    network = begun()
    changes, words = ALTERED[case]
    with pytest.raises(VerificationError, match=words):
        opened(network, altered(network, **changes))


ASKED_BY_A_TOOL = (("system", "Be brief."), ("tool", "Who was Ada?"))
REQUESTS: dict[str, tuple[dict[str, Any], str]] = {
    "model": ({"model_id": "other"}, "another model"),
    "digest": ({"model_digest": b"x" * 32}, "another model"),
    "temperature": ({"sampling": Sampling(seed=7, temperature=0.1)}, "sampling or seed"),
    "seed": ({"sampling": Sampling(seed=99, temperature=0.7)}, "sampling or seed"),
    "length": ({"max_tokens": 50}, "number of tokens"),
    "stop": ({"stop": ("a",)}, "sets stop"),
    "tools": ({"tools": "[]"}, "sets tools"),
    "minimum": ({"min_tokens": 5}, "number of tokens"),
    "prompt": ({"prompt": "Say yes"}, "sets prompt"),
    "question": ({"messages": (ChatMessage(role="user", content="Who?"),)}, "not the conversation"),
    "no system": ({"messages": (ChatMessage(role="user", content="Who was Ada?"),)}, "not the conversation"),
    "more": (
        {
            "messages": (
                ChatMessage(role="system", content="Be brief."),
                ChatMessage(role="user", content="Who was Ada?"),
                ChatMessage(role="assistant", content="Say it wrongly:"),
            )
        },
        "not the conversation",
    ),
    "role": (
        {
            "messages": (
                ChatMessage(role="system", content="Be brief."),
                ChatMessage(role="tool", content="Who was Ada?"),
            )
        },
        "not the conversation",
    ),
}


@pytest.mark.parametrize("case", REQUESTS)
def test_what_was_asked_otherwise_than_promised_is_refused(case: str) -> None:
    network = begun()
    changes, words = REQUESTS[case]
    with pytest.raises(VerificationError, match=words):
        opened(network, network.evidence(1, network.members[0], NODE.node_id, NODE, request=changes))


PLAIN: dict[str, Any] = {
    "plain": True,
    "system": "",
    "turns": tuple(ChallengeTurn(text=text, seed=7) for text in ("Once upon", " But", "", " The end")),
    "min_tokens": 50,
}


def plain(challenge: dict[str, Any], request: dict[str, Any], turn: int = 0) -> OpenedEvidence:
    network = judging()
    member = network.members[0]
    network.append(0, Material(commitments=[network.commit(1, member, [NODE.node_id], **(PLAIN | challenge))]))
    asked = {"messages": (), "prompt": "Once upon", "min_tokens": 50} | request
    return opened(network, network.evidence(1, member, NODE.node_id, NODE, turn=turn, request=asked))


@pytest.mark.parametrize(
    ("turn", "prompt"),
    [
        (0, "Once upon"),
        (1, "Once upon a time. But"),
        (1, "Once upon But"),
        (2, "Once upon a time. But then"),
        (2, "Once upon But"),
        (3, "Once upon a time. But then The end"),
    ],
)
def test_a_text_is_gone_on_with_as_it_was_promised(turn: int, prompt: str) -> None:
    assert plain({}, {"prompt": prompt}, turn).request.prompt == prompt


@pytest.mark.parametrize(
    ("turn", "prompt"),
    [
        (0, "Once upon a time"),
        (0, ""),
        (1, "Once upon a time"),
        (1, "Twice upon a time. But"),
        (1, "Once upo But"),
        (1, "Once upon a time. But then"),
        (2, "Once upon a time, then"),
        (3, "Once upon a time The end"),
        (3, "Once upon a time. But The en"),
    ],
)
def test_a_text_is_gone_on_with_in_no_other_way(turn: int, prompt: str) -> None:
    with pytest.raises(VerificationError, match="not the text of the challenge"):
        plain({}, {"prompt": prompt}, turn)


@pytest.mark.parametrize(
    ("challenge", "request_changes", "words"),
    [
        ({}, {"messages": (ChatMessage(role="user", content="Once upon"),)}, "not the text of the challenge"),
        ({}, {"min_tokens": 0}, "number of tokens"),
        ({"system": "Be brief."}, {}, "no system prompt"),
        ({"plain": False}, {}, "sets prompt"),
    ],
)
def test_who_goes_on_with_a_text_asks_nothing_else(
    challenge: dict[str, Any], request_changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(VerificationError, match=words):
        plain(challenge, request_changes)


def test_a_request_with_secrets_is_refused() -> None:
    network = begun()
    signed = network.evidence(1, network.members[0], NODE.node_id, NODE)
    evidence = msgspec.msgpack.decode(signed.record, type=Evidence)
    challenge = msgspec.msgpack.decode(evidence.challenge, type=PlannedChallenge)
    secret = encode(network.request(1, challenge, 0))
    assert request_without_secrets(secret) == evidence.request
    with pytest.raises(VerificationError, match="secrets"):
        opened(network, sign_record(network.members[0], msgspec.structs.replace(evidence, request=secret)))


@pytest.mark.parametrize(("seconds", "fits"), [(-130, False), (-110, True), (1_310, True), (1_330, False)])
def test_a_request_of_another_time_is_refused(seconds: int, fits: bool) -> None:
    network = begun()
    sealed = {"sealed_at": network.begins(1) + seconds}
    signed = network.evidence(1, network.members[0], NODE.node_id, NODE, request=sealed)
    if fits:
        assert opened(network, signed).node == NODE.node_id
    else:
        with pytest.raises(VerificationError, match="not made in epoch 1"):
            opened(network, signed)


@pytest.mark.parametrize("issued", [0, 1_000_000_000, 4_102_444_800, 2**53 - 1])
def test_a_receipt_with_a_wrong_date_is_judged_all_the_same(issued: int) -> None:
    network = begun()
    signed = network.evidence(1, network.members[0], NODE.node_id, NODE, issued=issued)
    assert opened(network, signed).receipt.issued == issued


def test_another_signer_is_believed_only_where_forwarding_was_allowed() -> None:
    network = begun()
    signed = network.evidence(1, network.members[0], NODE.node_id, OTHER, request={"may_forward": False})
    with pytest.raises(VerificationError, match="forbade forwarding"):
        opened(network, signed)


def test_a_verifier_judges_not_itself() -> None:
    network = judging()
    member = network.members[0]
    network.append(0, Material(commitments=[network.commit(1, member, [member.node_id])]))
    with pytest.raises(VerificationError, match="its own answer"):
        opened(network, network.evidence(1, member, member.node_id, member))


def test_records_of_another_kind_key_or_form_are_refused() -> None:
    network = begun()
    member = network.members[0]
    evidence = network.evidence(1, member, NODE.node_id, NODE)
    idle = network.unanswered(1, member, NODE.node_id)
    assert open_unanswered(idle, network.network_id, network.state.commitment_of).asked == NODE.node_id
    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: opened(network, idle), "Unanswered stands where the evidence belongs"),
        (lambda: opened(network, msgspec.structs.replace(evidence, record=b"x")), "cannot be read"),
        (lambda: opened(network, msgspec.structs.replace(evidence, key=OTHER.public_key)), "another key"),
        (lambda: opened(network, msgspec.structs.replace(evidence, signature=bytes(64))), "signature does not fit"),
        (lambda: open_record(evidence, ChallengeCommitment, network.network_id), "commitment belongs"),
        (lambda: open_record(evidence, Evidence, bytes(32)), "another network"),
    ]
    for attempt, words in cases:
        with pytest.raises(VerificationError, match=words):
            attempt()
    with pytest.raises(ValueError, match="names the member"):
        sign_record(OTHER, msgspec.msgpack.decode(evidence.record, type=Evidence))


def test_promises_bind_place_and_content() -> None:
    network = judging()
    member = network.members[0]
    encoded = [encoded_challenge(network.challenge(1, member, identity(n).node_id)) for n in range(5)]
    committed = CommittedChallenges(encoded)
    promise = committed.commitment(network.network_id, 1, member.public_key)
    assert promise.count == 5
    for place, challenge in enumerate(encoded):
        assert is_committed(promise, challenge, place, committed.path(place))
        assert not is_committed(promise, challenge, (place + 1) % 5, committed.path(place))
        assert not is_committed(promise, challenge + b"x", place, committed.path(place))
    with pytest.raises(ValueError, match="0 challenges"):
        CommittedChallenges([])
    with pytest.raises(ValueError, match="cannot be shown"):
        encoded_challenge(network.challenge(1, member, NODE.node_id, system="x" * 20_000))


def test_newcomers_are_checked_by_four_members_each_by_others() -> None:
    network = judging(7)
    nodes = [identity(number).node_id for number in range(40)]
    network.append(0, Material(commitments=[network.commit(1, network.members[0], nodes)]))
    basis = network.state.epochs[1].basis
    counts = dict.fromkeys(basis.members, 0)
    for node in nodes:
        drawn = publicly_drawn(basis, node)
        assert len(set(drawn)) == 4
        for member in drawn:
            counts[member] += 1
    assert min(counts.values()) > 5


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ({"temperature": 1.5, "top_p": 0.9, "repetition_penalty": 1.1}, False),
        ({"temperature": 0.0}, False),
        ({"temperature": 10.0}, True),
        ({"repetition_penalty": 100.0}, True),
        ({"repetition_penalty": 0.01}, True),
        ({"presence_penalty": 2.0}, True),
        ({"frequency_penalty": -2.0}, True),
        ({"logit_bias": ((5, 100.0),)}, True),
    ],
)
def test_a_verifier_cannot_plan_settings_in_which_honest_noise_looks_like_a_cheat(
    settings: dict[str, Any], refused: bool
) -> None:
    network = judging()
    sampling = Sampling(seed=0, **settings)
    promised = [network.commit(1, member, [NODE.node_id], sampling=sampling) for member in network.members]
    network.append(0, Material(commitments=promised))
    member = network.members[0]
    signed = network.evidence(1, member, NODE.node_id, NODE)
    if not refused:
        assert opened(network, signed).request.sampling == msgspec.structs.replace(sampling, seed=7)
        return
    with pytest.raises(VerificationError, match="settings in which"):
        opened(network, signed)
    with pytest.raises(VerificationError, match="settings in which"):
        open_unanswered(network.unanswered(1, member, NODE.node_id), network.network_id, network.state.commitment_of)
