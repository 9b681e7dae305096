"""What the engine writes is what docs/protocol.md specifies: a second implementation, made from the page, reads it."""

import hashlib
from itertools import pairwise
from random import Random

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from engine.crypto import identity, onion, sida
from engine.crypto.sealing import SealingKey
from engine.directory.delta import DirectoryHistory, make_step
from engine.directory.heads import head_of
from engine.directory.mirrors import make_permit
from engine.directory.statements import make_revocation, make_succession
from engine.directory.work import search, work_bytes
from engine.forwarding.digests import chunks_of, prefix_digests, root_digest, unpack
from engine.forwarding.hr_tree import HrTree
from engine.forwarding.speaking import Speaker
from engine.ids import CircuitId, NetworkId, NodeId
from engine.inference.types import CacheChange
from engine.paths import cells, fragments, keys, setup
from engine.paths.forward import OutgoingForward
from engine.paths.outgoing import Target
from engine.verification.batches import make_batch
from engine.verification.chain.claims import sign_missed
from engine.verification.chain.results import Material
from engine.verification.challenges.duties import Basis, publicly_drawn
from engine.verification.large_models.draw import drawn
from engine.verification.large_models.transcript import sign_report, transcript_of
from engine.verification.receipts import make_receipt, sign_receipt
from engine.verification.signing import digest_of, sign_record
from engine.wire.answer import request_decoder
from engine.wire.challenges import Score, SpeedMeasured, SpeedReport
from engine.wire.codec import encode
from engine.wire.group import GroupNews
from engine.wire.receipts import OpeningMissed, receipt_batch_decoder
from tests.support import records
from tests.support import specification as page
from tests.support.judging import judging, score
from tests.support.receipts import make_request, served
from tests.unit.directory.test_snapshot import NETWORK, chain

RANDOM = Random(20)
NODES = [NodeId(RANDOM.randbytes(20)) for _ in range(3)]
PRIVATE = [RANDOM.randbytes(32) for _ in range(3)]
NOW = 1_800_000_017.0


def _hops(count: int) -> list[onion.Hop]:
    public = [X25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw() for key in PRIVATE]
    return [onion.Hop(NODES[i], public[i], CircuitId(1000 + i), 8000 - 2000 * i) for i in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_set_up_packets_and_their_answers(count: int) -> None:
    packet, client_keys = onion.build(_hops(count), NOW, RANDOM.randbytes)
    known = []
    for index in range(count):
        assert len(packet) == 279
        header, rest = page.peel(packet, NODES[index], PRIVATE[index])
        known.append(header)
        last = index == count - 1
        assert header["next node"] == (bytes(20) if last else NODES[index + 1])
        assert header["next circuit"] == (0 if last else 1001 + index)
        assert header["time"] == 1_800_000_000
        assert header["timeout"] == 8000 - 2000 * index
        assert header["forward"] == client_keys[index].forward_key
        assert header["backward"] == client_keys[index].backward_key
        packet = rest + RANDOM.randbytes(93)
    for one, other in pairwise(known):
        for way in ("forward", "backward"):
            assert (one[f"{way} base"] + one[f"{way} delta"]) % 2**32 == other[f"{way} base"]
    answer = onion.seal_reply(client_keys[-1], setup.status_body(setup.SetUpStatus.BUSY), RANDOM.randbytes)
    for own in reversed(client_keys[:-1]):
        answer = onion.wrap_reply(own, answer)
    assert page.open_set_up_answer(answer, [header["reply"] for header in known]) == b"\x03" + bytes(63)


def test_cells() -> None:
    layer_keys = [RANDOM.randbytes(32) for _ in range(3)]
    headers = [(7 + i, 100 * i) for i in range(3)]
    payload = fragments.fragment(5, b"hello")[0]
    assert payload == b"\x01" + b"\0\0\0\x05" + b"\0" + b"\x01" + b"\0\x05" + b"hello" + bytes(1086)
    layers = [cells.LayerCipher(key) for key in layer_keys]
    cell = cells.seal_layers(layers, headers, RANDOM.randbytes(32), payload)
    for index, key in enumerate(layer_keys):
        circuit, sequence = headers[index]
        assert cell[:12] == circuit.to_bytes(8, "big") + sequence.to_bytes(4, "big")
        slots, inside = page.remove_layer(cell, key)
        if index < 2:
            following = headers[index + 1]
            cell = following[0].to_bytes(8, "big") + following[1].to_bytes(4, "big") + slots + bytes(16) + inside
    assert inside == payload


@pytest.mark.parametrize(("n", "k"), [(4, 3), (3, 2), (6, 3), (1, 1)])
def test_s_ida(n: int, k: int) -> None:
    message = RANDOM.randbytes(101)
    shares = sida.split(message, n, k, RANDOM.randbytes)
    sealed = b"".join(share[32:] for share in shares[:k])
    assert page.fragments(sealed, n, k) == [share[32:] for share in shares]
    for chosen in ([*range(k)], [*range(n - k, n)]):
        key = page.shamir({index: shares[index] for index in chosen})
        assert page.unseal_message(key, sealed, n, k) == message


def test_signatures_and_ids() -> None:
    own = identity.Identity.from_seed(RANDOM.randbytes(32))
    network, fields = RANDOM.randbytes(32), [b"", b"one", RANDOM.randbytes(300)]
    assert identity.signed_bytes("link-offer", network, *fields) == page.signed_bytes("link-offer", network, fields)
    assert own.node_id == page.node_id(own.public_key) == hashlib.sha256(own.public_key).digest()[:20]


def test_keys_of_an_answer() -> None:
    secret, salt, node = RANDOM.randbytes(32), RANDOM.randbytes(16), NODES[0]
    execution = node + b"\0\x02"
    assert keys.frame_key(secret, salt, node, 2) == page.hkdf(secret, salt, b"gentorrent/frame/v1" + execution, 32)
    clove = page.hkdf(secret, salt, b"gentorrent/answer-clove/v1" + execution, 32)
    assert keys.clove_key(secret, salt, node, 2) == clove
    assert keys.clove_nonce(9, 3) == 9 * 16 + 3
    raw = page.hkdf(secret, salt, b"gentorrent/announcement/v1", 36)
    announcement = keys.announcement_key(secret, salt)
    assert (announcement.key, announcement.offset) == (raw[:32], int.from_bytes(raw[32:], "big"))
    assert keys.control_key(secret, salt) == page.hkdf(secret, salt, b"gentorrent/control/v1/client-to-node", 32)
    assert keys.attach_key(secret, salt) == page.hkdf(secret, salt, b"gentorrent/attach/v1", 32)


def test_snapshots_and_the_changes_between_them() -> None:
    signed = chain(12)
    history = DirectoryHistory()
    for before, after in pairwise([None, *signed]):
        assert after is not None
        history.append(after, make_step(before.record, after.record) if before is not None else None)
    last = signed[-1]
    for held in (b"", *(one.record for one in signed[:-1])):
        answer = history.answer(hashlib.sha256(held).digest() if held else b"")
        assert page.read_directory(answer, held) == (last.record, last.key, last.signature)
    assert len(list(history.known())) > 2  # some of these were deltas
    found = page.read_snapshot(last.record, last.key, last.signature, NETWORK)
    head = head_of(last, found["epoch"])
    assert (head.epoch, head.digest) == (12, found["digest"])
    assert found["previous"] == hashlib.sha256(signed[-2].record).digest()
    with pytest.raises(InvalidSignature):
        page.read_snapshot(last.record, last.key, signed[-2].signature, NETWORK)


def test_statements_and_permits() -> None:
    old, new = records.identity(1), records.identity(2)
    revocation = encode(make_revocation(old, NETWORK, records.NOW))
    assert page.read_statement(revocation, NETWORK) == (old.node_id, None)
    succession = encode(make_succession(old, new, NETWORK, records.NOW))
    assert page.read_statement(succession, NETWORK) == (old.node_id, new.node_id)
    permit = encode(make_permit(records.SERVER, NETWORK, new.public_key, records.NOW))
    seconds = 7 * 24 * 3600
    assert page.read_permit(permit, NETWORK) == (new.public_key, int(records.NOW), int(records.NOW) + seconds)


def test_statements_of_a_group() -> None:
    own = identity.Identity.from_seed(RANDOM.randbytes(32))
    network, model, tokenizer = (RANDOM.randbytes(32) for _ in range(3))
    speaker = Speaker(own, network, model, incarnation=5)
    prompts = [[*range(700), *range(9_000 + 200 * branch, 9_200 + 200 * branch)] for branch in range(3)]
    root = root_digest(model, tokenizer)
    digests = [prefix_digests(root, ids, len(ids)) for ids in prompts]
    assert [list(one) for one in digests] == [page.prefix_digests(model, tokenizer, ids) for ids in prompts]
    said = [speaker.speak(0.0, NOW, 100)]
    for ids in digests:
        changes = [CacheChange(True, ids[:depth], ()) for depth in range(1, len(ids) + 1)]
        speaker.sentry.apply(changes)
        said.append(speaker.speak(0.0, NOW, 100))
    last = digests[1]
    speaker.sentry.apply([CacheChange(False, last[:depth], ()) for depth in range(len(last), 25, -1)])
    said += [speaker.speak(0.0, NOW, 100), speaker.speak(0.0, NOW, 100)]
    message = encode(GroupNews(model, tuple(one.signed for one in said)))
    read = page.read_group_news(message, network, {own.node_id: own.public_key})
    assert [one["sequence"] for one in read] == [1, 2, 3, 4, 5, 6]
    held = page.follow(read)
    tree: HrTree[int] = HrTree()
    tree.add_member(0)
    tree.apply(0, unpack(b"".join(held)))
    for ids in [*digests, digests[0][:9], prefix_digests(root, range(500), 500)]:
        assert page.tokens_held(held, list(ids)) == 32 * tree.lookup(chunks_of(ids))[0]
    assert page.tokens_held(held, list(last)) == 25 * 32


@pytest.mark.parametrize("length", [500, 61_000, 150_000])
def test_requests_that_are_passed_on(length: int) -> None:
    entry, serving, network = NodeId(RANDOM.randbytes(20)), NodeId(RANDOM.randbytes(20)), NetworkId(b"n" * 32)
    sealing, clove = SealingKey.generate(2), SealingKey.generate(1)
    target = Target(serving, clove.public, sealing.public, b"d" * 32, b"t" * 32)
    forward = OutgoingForward(b"f" * 16, target, network, entry, b"m" * 16, 4, 3, 0.0, RANDOM.randbytes, 100, 77)
    request = RANDOM.randbytes(length)
    sends = forward.request(request, [0, 2, 3])
    assert [send.peer for send in sends] == [serving] * len(sends)
    assert all(len(send.data) <= 65_536 for send in sends)
    read = page.read_forward([send.data for send in sends], sealing.private_bytes(), network, entry, serving)
    said = {"forward": b"f" * 16, "message": b"m" * 16, "request": request, "paths": forward.handles, "uncached": 77}
    assert read == said
    with pytest.raises(InvalidTag):
        page.read_forward([send.data for send in sends], sealing.private_bytes(), network, serving, entry)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 11])
def test_a_batch_of_receipts_has_the_root_that_the_page_gives(count):
    receipts = [bytes((number,)) * 300 for number in range(count)]
    made = make_batch(records.identity(1), NETWORK, 3, [hashlib.sha256(one).digest() for one in receipts], 7, b"s" * 32)
    assert receipt_batch_decoder.decode(made.record).root == page.batch_root(receipts, b"s" * 32)


def test_a_newcomers_work_is_what_the_page_says():
    salt, key = b"a" * 16, b"k" * 32
    found = search(10, work_bytes(NETWORK, key, salt), 0, 1 << 16)
    assert found is not None
    assert page.work_is_done(NETWORK, key, salt, found, 10)
    assert not all(page.work_is_done(NETWORK, key, salt, number, 10) for number in range(50))


def test_scores_for_verifiers_are_asked_for_drawn_and_signed_as_the_page_says():
    request, ids, key, commitment = make_request(), [5, 70_000, 8], b"k" * 32, b"c" * 32
    digest = transcript_of(request_decoder.decode(request), ids, key, commitment, NETWORK)
    assert digest == page.transcript_digest(NETWORK, request, ids, key, commitment)
    nodes = [NodeId(RANDOM.randbytes(20)) for _ in range(30)]
    basis = Basis(members=(), output=b"o", standings={}, commitments={})
    for turn in range(3):
        order = drawn(basis, b"m" * 32, b"y" * 64, NODES[0], turn, nodes, ())
        assert order == page.scorers_in_order(b"y" * 64, NODES[0], turn, nodes)
    signed = sign_report(records.identity(1), NETWORK, digest, Score(32, -2_500, 900_000, 1))
    assert page.read_score_report(signed.record, signed.key, signed.signature, NETWORK) == (digest, -2_500)
    with pytest.raises(InvalidSignature):
        page.read_score_report(signed.record, signed.key, signed.signature[::-1], NETWORK)


def test_what_a_block_says_is_checked_by_the_page_alone() -> None:
    network = judging(4)
    nodes, new, server = [records.identity(number) for number in range(2)], records.identity(70), records.SERVER
    ids = [node.node_id for node in nodes]
    kin = [ids[1][:8]]
    commitments = [network.commit(1, one, ids, kin if not place else ()) for place, one in enumerate(network.members)]
    network.append(0, Material(commitments=commitments))
    before = list(network.state.members)
    (commitment, *_) = msgspec.msgpack.decode(network.blocks[0].block)[10]
    assert msgspec.msgpack.decode(commitment[1])[6] == kin
    author = network.member(publicly_drawn(network.state.epochs[1].basis, ids[0])[0])
    evidence = network.evidence(1, author, ids[0], nodes[0])
    attested = {digest_of(evidence): network.attestations(evidence, ids[0], score(-2_500))}
    changes = network.changes(add=[new.public_key], remove=before[:1])
    network.append(1, Material(records=[evidence], attestations=attested, changes=changes))
    block = msgspec.msgpack.decode(network.blocks[1].block)
    assert page.check_scores(block[12][0], before, network.network_id) == [-2_500] * 3
    page.check_judged_once([msgspec.msgpack.decode(one.block) for one in network.blocks], before)
    with pytest.raises(AssertionError):
        page.check_judged_once([block, block], before)
    after = page.committee_after(block, before, network.network_id, 0)
    assert after == [*before[1:], new.public_key] == list(network.state.members)
    assert (
        page.committee_after(msgspec.msgpack.decode(network.blocks[0].block), before, network.network_id, 0) == before
    )
    kept = make_receipt(new, network.network_id, served())
    record, signature = sign_receipt(new, kept)
    seen = make_batch(new, network.network_id, 9, [b"d" * 32], 1, b"s")
    missed = OpeningMissed(network.network_id, new.node_id, record, signature, 7, seen)
    word = encode(sign_missed(server, missed))
    said = page.is_missed(word, server.public_key, network.network_id)
    assert said == (new.node_id, hashlib.sha256(record).digest(), 7)
    block[12][0][9][0][2] = bytes(64)
    with pytest.raises(InvalidSignature):
        page.check_scores(block[12][0], before, network.network_id)


def test_measured_speeds_in_blocks_lead_to_what_the_page_says() -> None:
    network, dice = judging(4), Random(9)
    nodes = sorted((records.identity(number) for number in range(4)), key=lambda one: one.node_id)
    network.append(0, Material(commitments=network.commit_all(1, nodes)))
    network.judge_epoch(1, nodes, {})
    speeds = [250, 580, 640, 900]
    for epoch in range(2, 40):
        reports = []
        for member in network.members:
            measured = tuple(
                SpeedMeasured(
                    node=node.node_id,
                    model=b"m" * 8,
                    claimed=1_000,
                    tokens=2_000,
                    short_ms=dice.randrange(200),
                    long_ms=2_000_000 // speed + dice.randrange(400),
                    waited_ms=dice.choice([0, 300, 5_000]),
                )
                for node, speed in zip(nodes, speeds, strict=True)
            )
            report = SpeedReport(
                network_id=network.network_id, epoch=epoch - 1, member=member.public_key, measured=measured
            )
            if dice.random() < 0.4:
                reports.append(sign_record(member, report))
        network.append(epoch, Material(commitments=network.commit_all(epoch + 1, nodes), speeds=reports))
    blocks = [msgspec.msgpack.decode(one.block) for one in network.blocks]
    keys = [one.public_key for one in network.members]
    found = page.speeds_reported(blocks, keys, network.network_id)
    for node in nodes:
        rate = page.found_to_read(found[node.node_id, b"m" * 8], 4)
        assert network.state.standing_of(node.node_id).slower == (((b"m" * 8, rate),) if rate is not None else ())
    cut = [bool(network.state.standing_of(node.node_id).slower) for node in nodes]
    assert (cut[0], cut[3]) == (True, False)
