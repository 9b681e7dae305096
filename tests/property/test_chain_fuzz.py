"""Whatever bytes and records come, blocks, evidence, certificates and standings are refused with a reason, or hold."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import VerificationError, WireError
from engine.verification.chain.block import check_block, make_block
from engine.verification.chain.certificate import check_certified
from engine.verification.chain.records import RecordBook
from engine.verification.chain.results import Material
from engine.verification.chain.standings import check_standings
from engine.verification.challenges.duties import publicly_drawn
from engine.verification.challenges.opening import open_evidence, open_unanswered
from engine.verification.signing import PURPOSES, digest_of
from engine.wire.blocks import Block, CertifiedBlock, SignedStandings, signed_standings_decoder
from engine.wire.challenges import Attestation, ChallengeCommitment, Duties, Evidence, Scoring, SpeedReport, Unanswered
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord
from tests.support.judging import Judging, judging
from tests.support.records import identity
from tests.support.wire_messages import messages

FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NODES = [identity(number) for number in range(3)]
RECORDS = (ChallengeCommitment, Evidence, Unanswered, Duties, Attestation, Scoring, SpeedReport)


def begun() -> Judging:
    network = judging()
    network.append(0, Material(commitments=network.commit_all(1, NODES)))
    network.judge_epoch(1, NODES, {})
    return network


NETWORK = begun()


@FUZZ
@given(messages(Block))
def test_any_block_is_refused_with_a_reason(block: Block) -> None:
    with pytest.raises(VerificationError, match=r"\w"):
        check_block(NETWORK.state, encode(block))


@FUZZ
@given(st.binary(max_size=400))
def test_any_bytes_are_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(VerificationError, match=r"\w"):
        check_block(NETWORK.state, data)


@FUZZ
@given(messages(CertifiedBlock), messages(SignedStandings))
def test_any_certificate_and_any_standings_are_refused(certified: CertifiedBlock, standings: SignedStandings) -> None:
    with pytest.raises(VerificationError, match=r"\w"):
        check_certified(NETWORK.state, certified)
    with pytest.raises(VerificationError, match=r"\w"):
        check_standings(standings, NETWORK.genesis)


@FUZZ
@given(st.sampled_from(RECORDS).flatmap(messages), st.booleans())
def test_any_record_even_well_signed_is_refused_or_kept_without_harm(record, of_a_member: bool) -> None:
    """Well signed records of members come as far as they can."""
    signer = NETWORK.members[0] if of_a_member else identity(77)
    record = type(record)(
        **{
            **{name: getattr(record, name) for name in record.__struct_fields__},
            "network_id": NETWORK.network_id,
            "member": signer.public_key,
            "epoch": record.epoch % 5,
        }
    )
    data = encode(record)
    signature = signer.sign(PURPOSES[type(record)], NETWORK.network_id, data)
    signed = SignedRecord(record=data, key=signer.public_key, signature=signature)
    book = RecordBook()
    try:
        book.add(signed, NETWORK.state, 2)
    except VerificationError:
        pass
    for check in (
        lambda: open_evidence(signed, NETWORK.genesis.genesis, NETWORK.network_id, NETWORK.state.commitment_of),
        lambda: open_unanswered(signed, NETWORK.network_id, NETWORK.state.commitment_of),
    ):
        with pytest.raises(VerificationError, match=r"\w"):
            check()
    # Whatever a member says, the leader's block is valid.
    material = Material(
        commitments=[signed],
        duties=[signed],
        records=[signed],
        attestations={digest_of(signed): [signed]},
        scorings={digest_of(signed): signed},
    )
    made = make_block(
        NETWORK.state,
        material,
        epoch=2,
        round_number=0,
        proposer=NETWORK.leader(),
        issued=int(NETWORK.begins(2)) + 60,
    )
    check_block(NETWORK.state, made)


def test_no_damage_to_evidence_standings_or_certificates_survives() -> None:
    author = NETWORK.member(publicly_drawn(NETWORK.state.epochs[2].basis, NODES[0].node_id)[0])
    evidence = NETWORK.evidence(2, author, NODES[0].node_id, NODES[0])
    standings = encode(NETWORK.signed_standings())
    dice = random.Random(5)
    for _ in range(150):
        damaged = bytearray(evidence.record)
        damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
        signed = SignedRecord(record=bytes(damaged), key=evidence.key, signature=evidence.signature)
        with pytest.raises(VerificationError):
            open_evidence(signed, NETWORK.genesis.genesis, NETWORK.network_id, NETWORK.state.commitment_of)
        changed = bytearray(standings)
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
        with pytest.raises((VerificationError, WireError)):
            check_standings(signed_standings_decoder.decode(bytes(changed)), NETWORK.genesis)
