"""A second, slow implementation of the layouts in docs/protocol.md, written from that page and sharing no code."""

import hashlib
import hmac
import struct
import zlib
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    key = hmac.digest(salt or bytes(32), secret, "sha256")
    block, out = b"", b""
    while len(out) < length:
        block = hmac.digest(key, block + info + bytes([len(out) // 32 + 1]), "sha256")
        out += block
    return out[:length]


def xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def node_id(public_key: bytes) -> bytes:
    return hashlib.sha256(public_key).digest()[:20]


def signed_bytes(purpose: str, network_id: bytes, fields: list[bytes]) -> bytes:
    parts = [struct.pack(">I", len(field)) + field for field in fields]
    return b"gentorrent/" + purpose.encode() + b"/v1" + network_id + b"".join(parts)


# Set-up packets


def peel(packet: bytes, relay_id: bytes, private: bytes) -> tuple[dict[str, Any], bytes]:
    """What the header says, with the derived keys, and the next packet without its last slot."""
    key = X25519PrivateKey.from_private_bytes(private)
    shared = key.exchange(X25519PublicKey.from_public_bytes(packet[:32]))
    info = b"\x01" + relay_id + key.public_key().public_bytes_raw() + packet[:32]
    material = hkdf(shared, b"gentorrent/onion/v1", info, 184)
    names = ("header", "stream", "forward", "backward", "reply")
    known: dict[str, Any] = {name: material[32 * i : 32 * i + 32] for i, name in enumerate(names)}
    known["forward base"], known["backward base"] = struct.unpack(">II", material[160:168])
    header = ChaCha20Poly1305(material[:32]).decrypt(bytes(12), packet[32:93], None)
    known["next node"], known["next circuit"] = header[1:21], int.from_bytes(header[21:29], "big")
    known["time"], known["timeout"], known["forward delta"], known["backward delta"] = struct.unpack(
        ">IIII", header[29:45]
    )
    rest = Cipher(ChaCha20(material[32:64], bytes(16)), mode=None).decryptor().update(packet[93:])
    return known, rest


def open_set_up_answer(answer: bytes, reply_keys: list[bytes]) -> bytes:
    """The body, when the last of these relays answered."""
    slots, body = answer[:48], answer[48:]
    for key in reply_keys:
        aead = ChaCha20Poly1305(key)
        body = aead.decrypt(b"reply".ljust(12, b"\0"), body + slots[:16], None)
        stream = aead.encrypt(b"mask".ljust(12, b"\0"), bytes(32), None)[:32]
        slots = xor(slots[16:], stream) + bytes(16)
    return body


# Cells


def remove_layer(cell: bytes, key: bytes) -> tuple[bytes, bytes]:
    """The two slots and the payload inside."""
    sequence = cell[8:12]
    aead = ChaCha20Poly1305(key)
    payload = aead.decrypt(bytes(8) + sequence, cell[60:] + cell[12:28], cell[:12])
    stream = aead.encrypt((1).to_bytes(8, "big") + sequence, bytes(32), None)[:32]
    return xor(cell[28:60], stream), payload


# S-IDA


def multiply(a: int, b: int) -> int:
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = (a << 1) ^ (0x11D if a & 0x80 else 0)
        b >>= 1
    return product


def inverse(a: int) -> int:
    return next(b for b in range(1, 256) if multiply(a, b) == 1)


def fragments(sealed: bytes, n: int, k: int) -> list[bytes]:
    """All n fragments of a sealed message."""
    size = len(sealed) // k
    cut = [sealed[i * size : (i + 1) * size] for i in range(k)]
    cauchy = [[inverse(i ^ j) for j in range(k)] for i in range(k, n)]
    by_column = [[multiply(row[j], inverse(cauchy[0][j])) for j in range(k)] for row in cauchy]
    rows = [[multiply(value, inverse(row[0])) for value in row] for row in by_column]
    for row in rows:
        total = bytes(size)
        for factor, piece in zip(row, cut[:k], strict=True):
            total = xor(total, bytes(multiply(factor, byte) for byte in piece))
        cut.append(total)
    return cut


def shamir(shares: dict[int, bytes]) -> bytes:
    """K from k shares by index (x = index + 1)."""
    key = bytes(32)
    for index, share in shares.items():
        factor = 1
        for other in shares:
            if other != index:
                factor = multiply(factor, multiply(other + 1, inverse((other + 1) ^ (index + 1))))
        key = xor(key, bytes(multiply(factor, byte) for byte in share[:32]))
    return key


def unseal_message(key: bytes, sealed: bytes, n: int, k: int) -> bytes:
    body = ChaCha20Poly1305(key).decrypt(bytes(12), sealed, b"gentorrent/s-ida/v1" + bytes([n, k]))
    return body[: len(body) - 1 - body[-1]]


# Requests that one member passes on to another


def read_forward(parts: list[bytes], private: bytes, network_id: bytes, entry: bytes, serving: bytes) -> dict[str, Any]:
    """What the parts of a forward say to the serving node, whose suite 2 private key this is (64 + 32 bytes)."""
    pieces: dict[int, bytes] = {}
    names = set()
    for part in parts:
        number, name, index, count, data = msgspec.msgpack.decode(part)
        assert (number, count) == (107, len(parts))
        names.add(name)
        pieces[index] = data
    assert len(names) == 1
    sealed = b"".join(pieces[index] for index in range(len(parts)))
    mlkem = MLKEM768PrivateKey.from_seed_bytes(private[:64])
    key = hpke.MLKEM768X25519PrivateKey(mlkem, X25519PrivateKey.from_private_bytes(private[64:]))
    suite = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
    record = suite.decrypt(sealed, key, b"gentorrent/forward/v1" + network_id + entry + serving)
    number, version, message_id, request, paths, uncached = msgspec.msgpack.decode(record)
    assert (number, version) == (110, 1)
    return {
        "forward": names.pop(),
        "message": message_id,
        "request": request,
        "paths": dict(paths),
        "uncached": uncached,
    }


# The directory


def check_signature(key: bytes, purpose: str, network_id: bytes, signature: bytes, fields: list[bytes]) -> None:
    """Raises ``InvalidSignature``."""
    Ed25519PublicKey.from_public_bytes(key).verify(signature, signed_bytes(purpose, network_id, fields))


def read_directory(answer: bytes, held: bytes) -> tuple[bytes, bytes, bytes]:
    """The record, key and signature of the snapshot in an answer to a reader who holds the record ``held``."""
    kind, *fields = msgspec.msgpack.decode(zlib.decompress(answer))
    if kind == 39:
        record, key, signature = fields
        return record, key, signature
    assert kind == 42
    steps, key, signature = fields
    record = held
    for number, base, digest, runs, fresh in steps:
        assert number == 41
        assert base == hashlib.sha256(record).digest()
        made, place, taken = b"", 0, 0
        for passed, copied, added in runs:
            place += passed
            made += record[place : place + copied] + fresh[taken : taken + added]
            place, taken = place + copied, taken + added
        assert hashlib.sha256(made).digest() == digest
        record = made
    return record, key, signature


def read_snapshot(record: bytes, key: bytes, signature: bytes, network_id: bytes) -> dict[str, Any]:
    """What a snapshot says of itself, its signature checked."""
    kind, suite, network, epoch, previous, issued, listings, *_ = msgspec.msgpack.decode(record)
    assert (kind, suite, network) == (38, 1, network_id)
    digest = hashlib.sha256(record).digest()
    check_signature(key, "snapshot", network_id, signature, [struct.pack(">Q", epoch), digest])
    return {"epoch": epoch, "previous": previous, "issued": issued, "listings": listings, "digest": digest}


def read_statement(signed: bytes, network_id: bytes) -> tuple[bytes, bytes | None]:
    """Who is over by an encoded ``Signed`` statement, and who takes its place; both by their ids."""
    _, record, key, signature = msgspec.msgpack.decode(signed)
    kind, suite, network, *fields = msgspec.msgpack.decode(record)
    assert (suite, network, fields[0]) == (1, network_id, key)
    check_signature(key, {43: "revocation", 44: "succession"}[kind], network_id, signature, [record])
    if kind == 43:
        return node_id(key), None
    old, new, issued, consent = fields
    check_signature(new, "succession-consent", network_id, consent, [old, new, struct.pack(">Q", issued)])
    return node_id(old), node_id(new)


def read_permit(signed: bytes, network_id: bytes) -> tuple[bytes, int, int]:
    """Which mirror an encoded ``Signed`` permit is for, from when and until when."""
    _, record, key, signature = msgspec.msgpack.decode(signed)
    check_signature(key, "mirror-permit", network_id, signature, [record])
    kind, suite, network, mirror, issued, expires = msgspec.msgpack.decode(record)
    assert (kind, suite, network) == (66, 1, network_id)
    return mirror, issued, expires


# Groups of model nodes


def prefix_digests(model: bytes, tokenizer: bytes, ids: list[int]) -> list[bytes]:
    """Of all whole blocks."""
    digest = hashlib.sha256(
        b"gentorrent/prefix-cache/v1" + struct.pack(">H", 32) + model + struct.pack(">H", 32) + tokenizer
    ).digest()
    digests = []
    for block in range(len(ids) // 32):
        packed = b"".join(struct.pack("<I", token) for token in ids[32 * block : 32 * block + 32])
        digest = hashlib.sha256(digest + packed).digest()
        digests.append(digest)
    return digests


def chunk(blocks: int, digest: bytes) -> bytes:
    return struct.pack(">H", blocks) + digest[:8]


def cut(data: bytes) -> list[bytes]:
    assert len(data) % 10 == 0
    return [data[place : place + 10] for place in range(0, len(data), 10)]


def read_group_news(message: bytes, network_id: bytes, keys: dict[bytes, bytes]) -> list[dict[str, Any]]:
    """What the statements in an encoded ``GroupNews`` say, their signatures checked with the authors' keys."""
    number, model, statements = msgspec.msgpack.decode(message)
    assert number == 103
    names = ("incarnation", "sequence", "based_on", "made", "load", "accepts", "leaving", "state", "added", "removed")
    read = []
    for kind, author, record, signature in statements:
        assert kind == 102
        check_signature(keys[author], "group-statement", network_id, signature, [model, record])
        inner, *fields = msgspec.msgpack.decode(record)
        assert inner == 101
        said = dict(zip(names, fields, strict=True))
        assert said["load"][0] == 100
        read.append({**said, "author": author, "model": model})
    return read


def follow(statements: list[dict[str, Any]]) -> set[bytes]:
    """The chunks that one author holds after statements from its first one on, each state checked."""
    held: set[bytes] = set()
    content = 0
    for said in statements:
        assert said["based_on"] == content
        if said["added"] or said["removed"]:
            held = held - set(cut(said["removed"])) | set(cut(said["added"]))
            content = said["sequence"]
        assert said["state"] == hashlib.sha256(b"".join(sorted(held))).digest()[:16]
    return held


def tokens_held(chunks: set[bytes], digests: list[bytes]) -> int:
    """Of a prompt with these digests."""
    base = 0
    while base + 8 <= len(digests) and chunk(base + 8, digests[base + 7]) in chunks:
        base += 8
    ends = [b for b in range(base + 1, min(base + 8, len(digests) + 1)) if chunk(b, digests[b - 1]) in chunks]
    return 32 * max(ends, default=base)


def batch_root(receipts: list[bytes], salt: bytes) -> bytes:
    """The Merkle root of a batch of receipts (docs/verification.md, "Submission"; RFC 9162, section 2.1)."""
    leaves = [hashlib.sha256(receipt).digest() for receipt in receipts]
    while len(leaves) & (len(leaves) - 1):
        place = len(leaves).to_bytes(8, "big")
        leaves.append(hashlib.sha256(b"gentorrent/batch-filling/v1" + salt + place).digest())
    level = [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]
    while len(level) > 1:  # a power of two: every node has a sibling
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [hashlib.sha256(b"\1" + left + right).digest() for left, right in pairs]
    return level[0]


def transcript_digest(network_id: bytes, request: bytes, ids: list[int], key: bytes, commitment: bytes) -> bytes:
    """What names an answer that nodes score for verifiers (docs/protocol.md, "Scores for verifiers"), from the encoded
    request to which it was made."""
    _, _, _, _, _, _, _, _, model, digest, messages, sampling, most, least, *more = msgspec.msgpack.decode(request)
    prompt = more[7]
    parts = [160, network_id, model, digest, messages, prompt, sampling, least, most, ids, key, commitment]
    return hashlib.sha256(msgspec.msgpack.encode(parts)).digest()


def scorers_in_order(output: bytes, asked: bytes, turn: int, nodes: list[bytes]) -> list[bytes]:
    """The nodes that may be asked for a score, whoever stands first is asked first."""
    hashed = {
        hashlib.sha256(b"gentorrent/scorers/v1" + output + asked + bytes([turn]) + one).digest(): one for one in nodes
    }
    return [hashed[place] for place in sorted(hashed)][:9]


def read_score_report(record: bytes, key: bytes, signature: bytes, network_id: bytes) -> tuple[bytes, int]:
    """Which transcript a signed report is about, and the likelihood that it says (thousandths)."""
    check_signature(key, "score-report", network_id, signature, [record])
    number, network, signer, transcript, (kind, _tokens, likelihood, _credit, _verdict) = msgspec.msgpack.decode(record)
    assert (number, network, signer, kind) == (161, network_id, key, 127)
    return transcript, likelihood


def work_is_done(network_id: bytes, key: bytes, salt: bytes, solution: int, bits: int) -> bool:
    """Whether a newcomer has done its work (docs/protocol.md, "Newcomers")."""
    hashed = hashlib.sha256(b"gentorrent/proof-of-work/v1" + network_id + key + salt + solution.to_bytes(8, "big"))
    return format(int(hashed.hexdigest(), 16), "0256b").startswith("0" * bits)


def check_scores(entry: list[Any], members: list[bytes], network_id: bytes) -> list[int]:
    """The likelihoods in a judged answer of a block, whose signatures are checked: of ``Attestation`` records that are
    made anew of what the entry says (docs/verification.md, "An epoch"; docs/protocol.md, number 129)."""
    kind, evidence, epoch, node, attestations, model = (entry[place] for place in (0, 1, 2, 7, 9, 10))
    assert (kind, len(entry)) == (129, 12)
    for place, score, signature in attestations:
        record = msgspec.msgpack.encode([128, network_id, epoch, members[place], evidence, node, model, score])
        check_signature(members[place], "score", network_id, signature, [record])
    return [score[2] for _, score, _ in attestations]


def challenge_request_id(challenge: bytes, turn: int) -> bytes:
    """Of the request that a turn of an encoded challenge makes (docs/verification.md, "An epoch")."""
    named = b"gentorrent/challenge-request/v1" + hashlib.sha256(challenge).digest() + struct.pack(">H", turn)
    return hashlib.sha256(named).digest()[:16]


def check_judged_once(blocks: list[list[Any]], members: list[bytes]) -> None:
    """No two entries of a chain's blocks, all of one committee, speak of the same turn of a duty, or of two challenges
    for it (docs/verification.md, "An epoch")."""
    entries = [entry for block in blocks for entry in block[12]]
    turns = [(epoch, members[author], turn, asked) for _, _, epoch, author, _, turn, asked, *_ in entries]
    assert len(set(turns)) == len(turns)
    challenges = {(epoch, members[author], index, asked) for _, _, epoch, author, index, _, asked, *_ in entries}
    duties = {(epoch, member, asked) for epoch, member, _, asked in challenges}
    assert len(duties) == len(challenges)


def committee_after(block: list[Any], members: list[bytes], network_id: bytes, since: int) -> list[bytes]:
    """Who decides after a block with these members before it (docs/verification.md, "The committee", "Changes")."""
    assert block[0] == 130
    epoch, change, named = block[4], block[-4], block[-3]
    wanted = set()
    for kind, record, key, signature in change:
        assert kind == 120
        check_signature(key, "committee-change", network_id, signature, [record])
        number, network, member, height, until, _issued, add, remove = msgspec.msgpack.decode(record)
        assert (number, network, member, height) == (155, network_id, key, since)
        assert key in members
        assert until >= epoch
        wanted.add((tuple(add), tuple(remove)))
    if not change:
        assert not named
        return members
    assert len({key for _, _, key, _ in change}) >= 2 * len(members) // 3 + 1
    ((add, remove),) = wanted
    after = [key for key in members if key not in remove] + list(add)
    assert named == after
    return after


def speeds_reported(blocks: list[list[Any]], members: list[bytes], network_id: bytes) -> dict[Any, dict[bytes, Any]]:
    """By node and model, and by member: (share of the claim in thousandths, tokens a second, calm), oldest first
    (docs/verification.md, "Claimed speeds"; docs/protocol.md, numbers 163 and 164). The committee never changes."""
    found: dict[Any, dict[bytes, Any]] = {}
    for block in blocks:
        places = []
        for kind, record, key, signature in block[-2]:
            assert kind == 120
            assert key in members
            check_signature(key, "speeds", network_id, signature, [record])
            number, network, epoch, member, measured = msgspec.msgpack.decode(record)
            assert (number, network, member) == (163, network_id, key)
            assert block[4] - 2 <= epoch < block[4]
            places.append((epoch, member))
            for item, node, model, claimed, tokens, short, long, waited in measured:
                assert item == 164
                took = max(long - short, 50)
                rate = min(claimed, 1000 * tokens // max(took - min(waited, took // 2), 50))
                moment = (1000 * rate // claimed, rate, 2 * waited <= took)
                found.setdefault((node, model), {}).setdefault(member, []).append(moment)
        assert places == sorted(set(places))
    return found


def found_to_read(by_member: dict[bytes, Any], members: int) -> int | None:
    """Tokens a second that a node reads, where that is less than it claims; up to 32 moments of each member."""
    faulty = (members - 1) // 3
    least = -(-9 // (2 * faulty + 1))
    words = []
    for moments in by_member.values():
        calm = [one for one in moments if one[2]][-max(5, least) :]
        busy = [one for one in moments if not one[2]] if len(moments) == 32 else []
        counted = calm if len(calm) >= least else busy
        if counted:
            words.append(sorted(counted)[len(counted) // 2])
    if len(words) <= 2 * faulty:
        return None
    share, rate, is_calm = sorted(words)[len(words) // 2]
    return None if share >= (600 if is_calm else 300) else max(1, rate)


def is_missed(signed: bytes, server: bytes, network_id: bytes) -> tuple[bytes, bytes, int]:
    """Node, SHA-256 of the receipt, and epoch of asking in the server's word that a receipt was hidden: the node has
    signed it, and a batch of one of the two epochs behind the asking (docs/verification.md, "Submission")."""
    kind, record, key, signature = msgspec.msgpack.decode(signed)
    assert (kind, key) == (120, server)
    check_signature(key, "opening-missed", network_id, signature, [record])
    number, network, node, receipt, receipt_signature, asked, batch = msgspec.msgpack.decode(record)
    assert (number, network) == (154, network_id)
    by_node = msgspec.msgpack.decode(receipt)
    assert (by_node[0], by_node[2], by_node[5]) == (88, network_id, True)
    assert node_id(by_node[21]) == node
    check_signature(by_node[21], "receipt", network_id, receipt_signature, [receipt])
    kind, record, key, signature = batch
    assert (kind, key) == (120, by_node[21])
    check_signature(key, "receipt-batch", network_id, signature, [record])
    assert msgspec.msgpack.decode(record)[3] in (asked + 1, asked + 2)
    return node, hashlib.sha256(receipt).digest(), asked
