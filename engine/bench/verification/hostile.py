"""What adversaries who are no dishonest makers of text bring, tried against the checks that real nodes run.

Each function forges ``count`` things at random and says how many were refused. All of them must be: none depends on
chance.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from engine.crypto.identity import Identity
from engine.crypto.sealing import SealingKey
from engine.directory.genesis import make_genesis
from engine.directory.snapshot import ChainPoint, SnapshotVerifier, sign_snapshot
from engine.errors import DirectoryError, ReceiptError, VerificationError
from engine.ids import NetworkId, NodeId
from engine.paths.answer_receiver import AnswerReceiver
from engine.paths.answer_sender import AnswerSender
from engine.paths.outgoing import OutgoingRequest, Question, Target, prepare
from engine.verification.chain.entries import check_entry, scorers
from engine.verification.receipts import (
    CommittedRequest,
    Served,
    check_receipt,
    make_receipt,
    sign_receipt,
    verify_against,
)
from engine.verification.reputation.rule import FAIL, INCONCLUSIVE, PASS
from engine.verification.signing import sign_record
from engine.wire import SUITE_HPKE_MLKEM768_X25519, SUITE_HPKE_X25519
from engine.wire.answer import Acknowledge, AnswerClove, ChatMessage, Sampling, Tokens, answer_clove_decoder
from engine.wire.blocks import BlockEntry
from engine.wire.challenges import Attestation, Score
from engine.wire.codec import encode
from engine.wire.records import Parameters

WALL = 1_750_000_000.0
N, K = 4, 3


@dataclass(frozen=True, slots=True)
class Tried:
    """``kinds``: in which ways."""

    tried: int
    refused: int
    kinds: int


def count_refused(count: int, kinds: Iterator[bool], ways: int) -> Tried:
    """Of so many tries, ``kinds`` says of each whether it was refused."""
    return Tried(count, sum(next(kinds) for _ in range(count)), ways)


# ------------------------------------------------------------------------------------------------------------ receipts


def _asked(dice: random.Random, network: NetworkId, text: str) -> OutgoingRequest:
    keys = (SealingKey.generate(suite, dice.randbytes) for suite in (SUITE_HPKE_X25519, SUITE_HPKE_MLKEM768_X25519))
    clove_key, request_key = (key.public for key in keys)
    target = Target(NodeId(dice.randbytes(20)), clove_key, request_key, dice.randbytes(32), dice.randbytes(32))
    question = Question("model", (ChatMessage("user", text),), Sampling(seed=dice.getrandbits(50)), max_tokens=128)
    return prepare(question, target, network, N, K, dice.randbytes(32), WALL, dice.randbytes)


def _receipt(
    node: Identity, signer: Identity, network: NetworkId, asked: OutgoingRequest, ids: list[int]
) -> tuple[bytes, bytes]:
    served = Served(
        request=CommittedRequest(asked.encoded),
        attempt=0,
        final=True,
        first=0,
        prompt_ids=range(20),
        output_ids=ids,
        tokenizer_digest=asked.target.tokenizer_digest,
        ttft_ms=1.0,
        total_ms=2.0,
        issued=int(WALL),
    )
    return sign_receipt(signer, make_receipt(node, network, served))


def _flipped(data: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(data))
    return data[:place] + bytes((data[place] ^ 1 << dice.randrange(8),)) + data[place + 1 :]


def forged_receipts(count: int, seed: int) -> Tried:
    """Altered, truncated, signed by another key, of another network, of another answer (replayed), of other tokens,
    shown for another node than the one that answered."""
    dice = random.Random(f"{seed}/receipts")
    network = NetworkId(dice.randbytes(32))
    node, thief = (Identity.from_seed(dice.randbytes(32)) for _ in range(2))

    def one(kind: int) -> bool:
        asked, ids = _asked(dice, network, f"question {dice.random()}"), [dice.randrange(1000) for _ in range(64)]
        record, signature = _receipt(node, node, network, asked, ids)
        assert not _is_refused(record, signature, network, asked, ids, node)
        shown_for = node
        if kind == 0:
            record = _flipped(record, dice)
        elif kind == 1:
            signature = _flipped(signature, dice)
        elif kind == 2:
            record = record[: dice.randrange(len(record))]
        elif kind == 3:
            record, signature = _receipt(node, thief, network, asked, ids)
        elif kind == 4:
            record, signature = _receipt(node, node, NetworkId(dice.randbytes(32)), asked, ids)
        elif kind == 5:
            record, signature = _receipt(node, node, network, _asked(dice, network, "another question"), ids)
        elif kind == 6:
            ids = [*ids[:-1], ids[-1] ^ 1]
        else:
            shown_for = thief
        return _is_refused(record, signature, network, asked, ids, shown_for)

    return count_refused(count, (one(number % 8) for number in range(count)), 8)


def _is_refused(
    record: bytes, signature: bytes, network: NetworkId, asked: OutgoingRequest, ids: list[int], node: Identity
) -> bool:
    """As a client checks the receipt of an answer."""
    try:
        receipt = check_receipt(record, signature, network)
        found = verify_against(
            receipt,
            asked=CommittedRequest(asked.encoded),
            output_ids=ids,
            first=0,
            serving_node=node.node_id,
            attempt=0,
        )
    except ReceiptError:
        return True
    return bool(found)


# -------------------------------------------------------------------------------------------------------------- cloves


def forged_cloves(count: int, seed: int) -> Tried:
    """One of four proxies brings forged cloves only: other content, another number, another path's, another answer's,
    nothing. Refused is one that gives no event, where the other three paths bring the whole answer all the same."""
    dice = random.Random(f"{seed}/cloves")

    def tries() -> Iterator[bool]:
        while True:
            asked, other = (_asked(dice, NetworkId(bytes(32)), "what is a clove?") for _ in range(2))
            sender, foreign = _sender(asked, dice), _sender(other, dice)
            receiver = asked.receiver(dice.randbytes, None)
            forger, got, refused = dice.randrange(N), 0, list[bool]()
            for position in range(24):
                event = Tokens(first=position, ids=(position,), text="w ")
                real = {int(one.handle[0]): one.clove for one in sender.push(event, position / 10)}
                strange = {int(one.handle[0]): one.clove for one in foreign.push(event, position / 10)}
                forged = _forged(real, strange, forger, position % 5, dice)
                refused.append(not receiver.receive(forger, forged, position / 10))
                got += _deliver(receiver, real, forger, position / 10)
                for one in (sender, foreign):
                    one.acknowledge(Acknowledge(position + 1, (), 0, position), position / 10)
            yield from refused if got == 24 else [False] * 24

    return count_refused(count, tries(), 5)


def _sender(asked: OutgoingRequest, dice: random.Random) -> AnswerSender:
    sender = AnswerSender(asked.request.answer_secret, asked.target.node_id, 0, N, K, dice.randbytes, 0.0)
    for index in range(N):
        sender.attach(index, NodeId(bytes([index]) * 20), bytes([index]) * 16, asked.request.clove_secrets[index])
    return sender


def _forged(real: dict[int, bytes], strange: dict[int, bytes], forger: int, kind: int, dice: random.Random) -> bytes:
    clove: AnswerClove = answer_clove_decoder.decode(real[forger])
    if kind == 0:
        return encode(msgspec.structs.replace(clove, sealed=_flipped(clove.sealed, dice)))
    if kind == 1:
        return encode(msgspec.structs.replace(clove, number=(clove.number + 1 + dice.randrange(9)) % (1 << 32)))
    if kind == 2:
        return real[(forger + 1) % N]
    return strange[forger] if kind == 3 else b""


def _deliver(receiver: AnswerReceiver, real: dict[int, bytes], without: int, now: float) -> int:
    events = [one for index, clove in real.items() if index != without for one in receiver.receive(index, clove, now)]
    return sum(isinstance(one, Tokens) for one in events)


# ----------------------------------------------------------------------------------------------------------- directory


def rolled_back_directories(count: int, seed: int) -> Tried:
    """Directories of earlier epochs, second ones of the same epoch, and altered ones, shown to who has seen a newer."""
    dice = random.Random(f"{seed}/directory")
    server = Identity.from_seed(dice.randbytes(32))
    genesis = make_genesis("bench", server.public_key, Parameters(), WALL, dice.randbytes)
    point, chain = ChainPoint(), []
    for number in range(10):
        before = point
        signed, point = sign_snapshot(server, genesis.network_id, point, WALL + number, ())
        chain.append(signed)
    second, _ = sign_snapshot(server, genesis.network_id, before, WALL + 30, ())
    verifier = SnapshotVerifier(genesis)
    verifier.accept(chain[-1], WALL + 40)

    def one(kind: int) -> bool:
        shown = chain[dice.randrange(9)] if kind == 0 else second
        if kind == 2:
            shown = msgspec.structs.replace(chain[-1], record=_flipped(chain[-1].record, dice))
        try:
            verifier.accept(shown, WALL + 40)
        except DirectoryError:
            return True
        return False

    return count_refused(count, (one(number % 3) for number in range(count)), 3)


# --------------------------------------------------------------------------------------------------------------- scores


def invented_scores(count: int, seed: int) -> Tried:
    """What one lying member of four, or a client that slanders, would have a block say: a score that it alone attests,
    twice attests, that a stranger attests with it, on which it and an honest member do not agree, or that differs from
    what was attested."""
    dice = random.Random(f"{seed}/scores")
    network = dice.randbytes(32)
    members = [Identity.from_seed(dice.randbytes(32)) for _ in range(4)]
    keys = tuple(member.public_key for member in members)

    def one(kind: int) -> bool:
        node, evidence = NodeId(dice.randbytes(20)), dice.randbytes(32)
        author = dice.randrange(4)
        drawn = scorers(keys, evidence, keys[author], node)
        liar, honest = (members[keys.index(key)] for key in dice.sample(drawn, 2))
        fail, good = _score(dice.randint(2_500, 5_000)), _score(dice.randint(-5_000, -1_500))

        def said(member: Identity, score: Score) -> tuple[int, Score, bytes]:
            """As an entry shows an attestation; a stranger takes the honest member's place."""
            signed = sign_record(member, Attestation(network, 7, member.public_key, evidence, node, bytes(32), score))
            return keys.index((member if member in members else honest).public_key), score, signed.signature

        stranger = Identity.from_seed(dice.randbytes(32))
        brought: tuple[tuple[int, Score, bytes], ...] = (
            (said(liar, fail),),
            (said(liar, fail), said(liar, fail)),
            (said(liar, fail), said(stranger, fail)),
            (said(liar, fail), said(honest, good)),
            (said(liar, good), said(honest, good)),
        )[kind]

        def refused(score: Score, attestations: tuple[tuple[int, Score, bytes], ...]) -> bool:
            entry = BlockEntry(
                evidence=evidence,
                epoch=7,
                author=author,
                index=0,
                turn=0,
                asked=node,
                node=node,
                score=score,
                attestations=tuple(sorted(attestations, key=lambda one: one[0])),
                model=bytes(32),
            )
            return _raises(lambda: check_entry(entry, keys, network))

        assert not refused(good, (said(liar, good), said(honest, good)))  # as it ought to be
        return refused(fail, brought)

    return count_refused(count, (one(number % 5) for number in range(count)), 5)


def _score(likelihood: int) -> Score:
    verdict = INCONCLUSIVE if abs(likelihood) <= 1_000 else FAIL if likelihood > 0 else PASS
    return Score(100, likelihood, 500_000, verdict)


def _raises(check: Callable[[], None]) -> bool:
    try:
        check()
    except VerificationError:
        return True
    return False


TRIES: dict[str, Callable[[int, int], Tried]] = {
    "replayed or forged receipts": forged_receipts,
    "forged cloves": forged_cloves,
    "directory rollback": rolled_back_directories,
    "a lying verifier or a client that slanders": invented_scores,
}
