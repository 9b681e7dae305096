"""A committee that judges nodes, epoch by epoch, without a network: what it signs, and its blocks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import msgspec

from engine.crypto.ecvrf import prove, verify
from engine.crypto.identity import Identity
from engine.directory.genesis import GenesisRecord, make_genesis
from engine.ids import NodeId
from engine.verification.chain.block import make_block
from engine.verification.chain.certificate import check_certified
from engine.verification.chain.entries import scorers
from engine.verification.chain.results import Material
from engine.verification.chain.state import ChainState, encoded_standings, first_state
from engine.verification.challenges.commitment import CommittedChallenges
from engine.verification.challenges.duties import has_duty, publicly_drawn
from engine.verification.challenges.opening import (
    encoded_challenge,
    open_evidence,
    planned_messages,
    request_id_of,
)
from engine.verification.epochs import epoch_begins
from engine.verification.large_models.draw import place
from engine.verification.large_models.transcript import sign_report, transcript_of_evidence
from engine.verification.members import duties_alpha, leader, quorum
from engine.verification.quorums import VOTE_PURPOSE
from engine.verification.receipts import (
    CommittedRequest,
    Served,
    make_receipt,
    receipt_key,
    request_without_secrets,
    sign_receipt,
)
from engine.verification.signing import digest_of, sign_record
from engine.wire.answer import ChatMessage, Request, Sampling, request_decoder
from engine.wire.blocks import Certificate, CertifiedBlock, CommitteeChange, SignedStandings, Vote, block_decoder
from engine.wire.challenges import (
    Attestation,
    ChallengeTurn,
    Duties,
    Evidence,
    PlannedChallenge,
    Score,
    Scoring,
    Unanswered,
)
from engine.wire.codec import encode
from engine.wire.records import Parameters
from engine.wire.signed import SignedRecord
from tests.support.records import NOW, SERVER, identity, seeded

SECRET = b"answer-secret-answer-secret-1234"
MODEL = b"m" * 32
OUTPUT = tuple(range(100, 132))


def score(likelihood: int = -3_000, tokens: int = len(OUTPUT), credit: int = 800_000) -> Score:
    verdict = 1 if likelihood < -1_000 else 2 if likelihood > 3_000 else 0
    return Score(tokens=tokens, likelihood=likelihood, credit=credit, verdict=verdict)


@dataclass
class Judging:
    """``members`` of them, and the nodes that they judge."""

    members: Sequence[Identity]
    genesis: GenesisRecord
    state: ChainState
    blocks: list[CertifiedBlock] = field(default_factory=list)
    plans: dict[tuple[int, bytes], tuple[CommittedChallenges, dict[NodeId, int]]] = field(default_factory=dict)
    records: dict[bytes, SignedRecord] = field(default_factory=dict)

    @property
    def network_id(self) -> bytes:
        return self.state.network_id

    def member(self, key: bytes) -> Identity:
        return next(one for one in self.members if one.public_key == key)

    def begins(self, epoch: int) -> float:
        return epoch_begins(self.genesis.genesis, epoch)

    # What members sign

    def challenge(self, epoch: int, member: Identity, node: NodeId, **changes: Any) -> PlannedChallenge:
        fields: dict[str, Any] = {
            "nonce": hashlib.sha256(b"%d" % epoch + member.public_key + node).digest(),
            "epoch": epoch,
            "member": member.public_key,
            "node": node,
            "model_id": "gentorrent/help",
            "model_digest": MODEL,
            "system": "Be brief.",
            "turns": (ChallengeTurn(text="Who was Ada?", seed=7), ChallengeTurn(text="And Charles?", seed=8)),
            "sampling": Sampling(seed=0, temperature=0.7),
            "max_tokens": 100,
            "may_forward": True,
        }
        return PlannedChallenge(**(fields | changes))

    def commit(
        self, epoch: int, member: Identity, nodes: Sequence[NodeId], kin: Sequence[bytes] = (), **changes: Any
    ) -> SignedRecord:
        challenges = [encoded_challenge(self.challenge(epoch, member, node, **changes)) for node in nodes]
        committed = CommittedChallenges(challenges or [b"nothing"])
        self.plans[epoch, member.public_key] = committed, {node: place for place, node in enumerate(nodes)}
        return sign_record(member, committed.commitment(self.network_id, epoch, member.public_key, kin))

    def evidence(
        self, epoch: int, member: Identity, asked: NodeId, signer: Identity, *, turn: int = 0, **changes: Any
    ) -> SignedRecord:
        committed, places = self.plans[epoch, member.public_key]
        index = places[asked]
        challenge = msgspec.msgpack.decode(committed.challenges[index], type=PlannedChallenge)
        request = self.request(epoch, challenge, turn, may_forward=signer.node_id != asked)
        entry = changes.pop("entry", asked)
        request = msgspec.structs.replace(request, **changes.pop("request", {}))
        served = Served(
            request=CommittedRequest(encode(request)),
            attempt=0,
            final=changes.pop("final", True),
            first=0,
            prompt_ids=changes.pop("prompt", (1, 2, 3)),
            output_ids=changes.pop("output", OUTPUT),
            tokenizer_digest=b"t" * 32,
            ttft_ms=10.0,
            total_ms=20.0,
            issued=changes.pop("issued", int(self.begins(epoch)) + 30),
            entry=entry,
        )
        receipt, signature = sign_receipt(signer, make_receipt(signer, self.network_id, served))
        fields: dict[str, Any] = {
            "network_id": self.network_id,
            "epoch": epoch,
            "member": member.public_key,
            "challenge": committed.challenges[index],
            "index": index,
            "path": committed.path(index),
            "turn": turn,
            "receipt": receipt,
            "receipt_signature": signature,
            "key": receipt_key(SECRET),
            "request": request_without_secrets(encode(request)),
            "output_ids": tuple(served.output_ids),
        }
        return self.keep(sign_record(member, Evidence(**(fields | changes))))

    def request(self, epoch: int, challenge: PlannedChallenge, turn: int, **changes: Any) -> Request:
        messages = planned_messages(challenge)
        for one in challenge.turns[1 : turn + 1]:
            messages += (
                ChatMessage(role="assistant", content="An answer."),
                ChatMessage(role="user", content=one.text),
            )
        fields: dict[str, Any] = {
            "version": 1,
            "request_id": request_id_of(encoded_challenge(challenge), turn),
            "sealed_at": self.begins(epoch) + 20,
            "answer_secret": SECRET,
            "clove_secrets": (b"c" * 32,) * 4,
            "n": 4,
            "k": 3,
            "model_id": challenge.model_id,
            "model_digest": challenge.model_digest,
            "messages": messages,
            "sampling": msgspec.structs.replace(challenge.sampling, seed=challenge.turns[turn].seed),
            "max_tokens": challenge.max_tokens,
            "min_tokens": 0,
            "stop": (),
            "cache_salt": b"s" * 32,
        }
        return Request(**(fields | changes))

    def unanswered(self, epoch: int, member: Identity, asked: NodeId, reason: str = "overloaded") -> SignedRecord:
        committed, places = self.plans[epoch, member.public_key]
        record = Unanswered(
            network_id=self.network_id,
            epoch=epoch,
            member=member.public_key,
            challenge=committed.challenges[places[asked]],
            index=places[asked],
            path=committed.path(places[asked]),
            reason=reason,
        )
        return self.keep(sign_record(member, record))

    def attest(
        self, evidence: SignedRecord, judged: NodeId, by: Identity, given: Score | None = None, **changes: Any
    ) -> SignedRecord:
        fields: dict[str, Any] = {
            "network_id": self.network_id,
            "epoch": (shown := msgspec.msgpack.decode(evidence.record, type=Evidence)).epoch,
            "model": request_decoder.decode(shown.request).model_digest,
            "member": by.public_key,
            "evidence": digest_of(evidence),
            "node": judged,
            "score": given or score(),
        }
        return sign_record(by, Attestation(**(fields | changes)))

    def attestations(self, evidence: SignedRecord, judged: NodeId, given: Score | None = None) -> list[SignedRecord]:
        """Of everybody who was drawn."""
        opened = msgspec.msgpack.decode(evidence.record, type=Evidence)
        own = self.state.related(opened.epoch, judged)
        drawn = scorers(self.state.members, digest_of(evidence), opened.member, judged, own)
        return [self.attest(evidence, judged, self.member(key), given) for key in drawn]

    def draw_output(self, epoch: int, member: Identity) -> bytes:
        """Of the member's VRF."""
        alpha = duties_alpha(self.network_id, epoch, self.state.epochs[epoch].basis.output)
        return verify(member.public_key, alpha, prove(member.seed, alpha))

    def scoring(
        self,
        shown: SignedRecord,
        given: Sequence[tuple[Identity, Score]],
        *,
        by: Identity | None = None,
        **changes: Any,
    ) -> SignedRecord:
        """What these nodes have found, in the order in which they are drawn."""
        opened = open_evidence(shown, self.genesis.genesis, self.network_id, self.state.commitment_of)
        author, epoch = self.member(shown.key), opened.evidence.epoch
        output, turn = self.draw_output(epoch, author), opened.evidence.turn
        ordered = sorted(given, key=lambda one: place(output, opened.asked, turn, one[0].node_id))
        transcript = changes.pop("transcript", transcript_of_evidence(opened, self.network_id))
        fields: dict[str, Any] = {
            "network_id": self.network_id,
            "epoch": epoch,
            "member": (by or author).public_key,
            "evidence": digest_of(shown),
            "reports": tuple(sign_report(node, self.network_id, transcript, found) for node, found in ordered),
        }
        return sign_record(by or author, Scoring(**(fields | changes)))

    def show_duties(self, epoch: int, member: Identity) -> SignedRecord:
        alpha = duties_alpha(self.network_id, epoch, self.state.epochs[epoch].basis.output)
        proof = prove(member.seed, alpha)
        return sign_record(
            member, Duties(network_id=self.network_id, epoch=epoch, member=member.public_key, proof=proof)
        )

    def has_duty(self, epoch: int, member: Identity, node: NodeId) -> bool:
        basis = self.state.epochs[epoch].basis
        output = verify(
            member.public_key,
            duties_alpha(self.network_id, epoch, basis.output),
            prove(member.seed, duties_alpha(self.network_id, epoch, basis.output)),
        )
        return has_duty(basis, member.public_key, node, output)

    def change(
        self, member: Identity, *, add: Sequence[bytes] = (), remove: Sequence[bytes] = (), **fields: Any
    ) -> SignedRecord:
        state = self.state
        given: dict[str, Any] = {
            "network_id": self.network_id,
            "member": member.public_key,
            "since": state.changes[-1] if state.changes else 0,
            "until": max(state.epoch, 0) + 100,
            "issued": 1_750_000_000,
            "add": tuple(add),
            "remove": tuple(remove),
        }
        return sign_record(member, CommitteeChange(**(given | fields)))

    def changes(self, *, add: Sequence[bytes] = (), remove: Sequence[bytes] = ()) -> list[SignedRecord]:
        """Of everybody."""
        return [self.change(self.member(key), add=add, remove=remove) for key in self.state.members]

    def keep(self, record: SignedRecord) -> SignedRecord:
        self.records[digest_of(record)] = record
        return record

    # Blocks

    def leader(self, round_number: int = 0) -> Identity:
        return self.member(leader(self.state.members, self.state.output, round_number))

    def make(self, epoch: int, material: Material, round_number: int = 0) -> bytes:
        """The block that the round's leader makes."""
        return make_block(
            self.state,
            material,
            epoch=epoch,
            round_number=round_number,
            proposer=self.leader(round_number),
            issued=int(self.begins(epoch)) + 60,
        )

    def certify(self, encoded: bytes, **changes: Any) -> CertifiedBlock:
        """With the votes of the smallest quorum."""
        digest, height = hashlib.sha256(encoded).digest(), block_decoder.decode(encoded).height
        vote = encode(Vote(network_id=self.network_id, height=height, round=0, precommit=True, digest=digest))
        keys = self.state.members
        signatures = tuple(
            (place, self.member(key).sign(VOTE_PURPOSE, self.network_id, vote))
            for place, key in enumerate(keys[: quorum(len(keys))])
        )
        fields: dict[str, Any] = {"height": height, "round": 0, "digest": digest, "signatures": signatures}
        return CertifiedBlock(block=encoded, certificate=Certificate(**(fields | changes)))

    def append(self, epoch: int, material: Material) -> CertifiedBlock:
        """Make, certify and check the next block."""
        certified = self.certify(self.make(epoch, material))
        self.state = check_certified(self.state, certified, record_of=self.records.get)
        self.blocks.append(certified)
        return certified

    def commit_all(self, epoch: int, nodes: Sequence[Identity]) -> list[SignedRecord]:
        return [self.commit(epoch, member, [node.node_id for node in nodes]) for member in self.members]

    def everybody_checked(self, epoch: int, nodes: Sequence[Identity]) -> Material:
        """Two turns of each conversation that the public draw of an epoch asks for, with their attestations."""
        records, attested = [], {}
        for node in nodes:
            for key in publicly_drawn(self.state.epochs[epoch].basis, node.node_id):
                for turn in (0, 1):
                    evidence = self.evidence(epoch, self.member(key), node.node_id, node, turn=turn)
                    attested[digest_of(evidence)] = self.attestations(evidence, node.node_id)
                    records.append(evidence)
        return Material(records=records, attestations=attested)

    def judge_epoch(
        self,
        epoch: int,
        nodes: Sequence[Identity],
        likelihoods: dict[NodeId, int],
        broken: Mapping[NodeId, int] = MappingProxyType({}),
    ) -> CertifiedBlock:
        """Everybody does its duty in an epoch, and its block is appended with the commitments for the next. ``broken``:
        by so many members nodes are said to have broken off."""
        records, attested = [], {}
        left = dict(broken)
        for member in self.members:
            for node in nodes:
                if left.get(node.node_id) and self.has_duty(epoch, member, node.node_id):
                    left[node.node_id] -= 1
                    records.append(self.unanswered(epoch, member, node.node_id, "cut_off"))
                elif node.public_key != member.public_key and self.has_duty(epoch, member, node.node_id):
                    evidence = self.evidence(epoch, member, node.node_id, node)
                    given = score(likelihoods.get(node.node_id, -3_000))
                    attested[digest_of(evidence)] = self.attestations(evidence, node.node_id, given)
                    records.append(evidence)
        shown = [self.show_duties(epoch - 1, member) for member in self.members if epoch - 1 in self.state.epochs]
        material = Material(
            commitments=self.commit_all(epoch + 1, nodes), duties=shown, records=records, attestations=attested
        )
        return self.append(epoch, material)

    def signed_standings(self, membership: Sequence[CertifiedBlock] = ()) -> SignedStandings:
        state = self.state
        standings = encoded_standings(state.height, state.epoch, state.standings)
        return SignedStandings(block=self.blocks[-1], standings=standings, membership=tuple(membership))


def judging(members: int = 4, *, epoch_seconds: float = 600.0, first: int = 1_000) -> Judging:
    """A new network with a committee."""
    identities = [identity(first + number) for number in range(members)]
    keys = [one.public_key for one in identities]
    genesis = make_genesis(
        "test", SERVER.public_key, Parameters(epoch_seconds=epoch_seconds), NOW, seeded(1), committee=keys
    )
    return Judging(identities, genesis, first_state(genesis))
