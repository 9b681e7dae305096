"""What nodes bring to the server's chain: taken once, kept for good, refused with a reason."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.bootstrap.chain.intake import ASKED_AT_ONCE, ASKED_KEPT, OLDEST_SECONDS, OPEN_EPOCHS
from engine.bootstrap.chain.limits import BURST, PAGE_COST, READ_BURST
from engine.clock import ManualClock, SystemClock
from engine.crypto.identity import Identity
from engine.ids import node_id_text
from engine.transport.bootstrap_http import http_session
from engine.transport.chain_http import ChainReader
from engine.verification.batches import Kept, check_batch, check_confirmation, make_batch, open_leaf
from engine.verification.quorums import VOTE_PURPOSE
from engine.verification.receipts import Served, make_receipt, sign_receipt
from engine.verification.signing import sign_record
from engine.wire.blocks import ChainRecords, CommitteeChange, Vote, chain_records_decoder
from engine.wire.codec import encode
from engine.wire.receipts import Contradiction, OpeningWanted, contradiction_decoder, opening_missed_decoder
from engine.wire.records import Parameters
from engine.wire.signaling import Publish, Refused
from engine.wire.signed import SignedRecord, signed_record_decoder
from tests.support.bootstrap import (
    admit_mirror,
    fetch,
    network_of,
    post,
    publish,
    raw_node,
    running_mirror,
    running_server,
)
from tests.support.receipts import NODE, OTHER_NODE, make_request, served
from tests.support.records import descriptor

COMMITTEE = [Identity.from_seed(bytes((number,)) * 32).public_key for number in range(1, 5)]
PARAMETERS = Parameters(snapshot_seconds=0.2, allow_loopback=True, epoch_seconds=10)
SALT = b"s" * 32


@dataclass
class Judged:
    """A server of a network with a committee, at the beginning of epoch 5, at which a node has published."""

    address: str
    network: bytes
    clock: ManualClock
    data: Path
    begun: float

    async def batch(self, signed: SignedRecord) -> tuple[int, bytes]:
        return await post(self.address, "/v1/receipts", encode(signed))

    async def stored(self, epoch: int) -> list[SignedRecord]:
        _, body, _ = await fetch(self.address, f"/v1/receipts/{epoch}")
        return [signed_record_decoder.decode(one) for one in chain_records_decoder.decode(body).records]

    async def contradictions(self) -> list[Contradiction]:
        _, body, _ = await fetch(self.address, "/v1/contradictions")
        return [contradiction_decoder.decode(one) for one in chain_records_decoder.decode(body).records]

    async def state(self, digest: bytes) -> str:
        _, body, _ = await fetch(self.address, f"/v1/openings/{digest.hex()}")
        return str(json.loads(body)["state"])

    def receipts(self, count: int, node: Identity = NODE, *, final: bool = True) -> list[Kept]:
        """Of answers given in epoch 4."""
        found = []
        for number in range(count):
            request = make_request(request_id=number.to_bytes(16, "big"))
            work: Served = served(request=request, issued=int(self.begun) - 5, final=final)
            found.append(Kept(*sign_receipt(node, make_receipt(node, self.network, work))))
        return found

    def signed(self, epoch: int = 4, count: int = 3, node: Identity = NODE) -> SignedRecord:
        digests = [one.digest for one in self.receipts(count, node)]
        return make_batch(node, self.network, epoch, digests, 100, SALT)


@contextlib.asynccontextmanager
async def judged(data: Path, parameters: Parameters = PARAMETERS) -> AsyncIterator[Judged]:
    clock = ManualClock(SystemClock().wall() - 5 * parameters.epoch_seconds)  # a mirror has the machine's clock
    async with running_server(data, clock=clock, parameters=parameters, committee=COMMITTEE) as address:
        network = network_of(data).network_id
        await publish(address, clock, network, NODE)
        clock.advance(5 * parameters.epoch_seconds)
        yield Judged(address, network, clock, data, clock.wall())


async def test_a_batch_is_confirmed_as_often_as_it_is_brought(tmp_path: Path) -> None:
    async with judged(tmp_path / "s") as it:
        first = await it.batch(it.signed())
        genesis = network_of(it.data).genesis
        assert first[0] == 200, first
        word = signed_record_decoder.decode(first[1])
        said = check_confirmation(word, genesis, NODE.node_id, it.signed().record)
        it.clock.advance(3)
        assert await it.batch(it.signed()) == first
        assert said.stored == int(it.clock.wall()) - 3
        assert await it.stored(4) == [it.signed()]
        assert (await it.stored(3), await it.contradictions()) == ([], [])
    clock = it.clock  # the server was stopped: nothing is forgotten
    async with running_server(it.data, clock=clock, committee=COMMITTEE) as address:
        assert await post(address, "/v1/receipts", encode(it.signed())) == first


async def test_two_batches_of_one_epoch_are_kept_as_a_contradiction(tmp_path: Path) -> None:
    async with judged(tmp_path / "s") as it:
        assert (await it.batch(it.signed(count=3)))[0] == 200
        for _ in range(2):
            status, reason = await it.batch(it.signed(count=4))
            assert (status, b"contradiction" in reason) == (409, True)
        assert await it.stored(4) == [it.signed(count=3)]
        (shown,) = await it.contradictions()
        assert {shown.first.record, shown.second.record} == {it.signed(count=3).record, it.signed(count=4).record}
        # Somebody else who has both brings them, the other way round: it is the same.
        status, _ = await post(it.address, "/v1/contradictions", encode(Contradiction(shown.second, shown.first)))
        assert status == 200
        assert len(await it.contradictions()) == 1
        forged = Contradiction(it.signed(3), it.signed(4))
        status, reason = await post(it.address, "/v1/contradictions", encode(forged))
        assert (status, b"honest signer" in reason) == (422, True)
        assert (await fetch(it.address, "/v1/contradictions/1"))[1] == encode(ChainRecords(records=()))


async def test_what_a_stranger_has_signed_twice_is_not_kept(tmp_path: Path) -> None:
    """Anybody can make keys, and sign two long proposals with each."""
    member = Identity.from_seed(bytes((3,)) * 32)
    async with judged(tmp_path / "s") as it:

        def twice(signer: Identity) -> bytes:
            votes = [encode(Vote(it.network, 9, 0, True, bytes([number]) * 32)) for number in (1, 2)]
            one, other = (
                SignedRecord(vote, signer.public_key, signer.sign(VOTE_PURPOSE, it.network, vote)) for vote in votes
            )
            return encode(Contradiction(one, other))

        status, reason = await post(it.address, "/v1/contradictions", twice(OTHER_NODE))
        assert (status, b"Neither a member" in reason) == (422, True)
        batches = Contradiction(it.signed(count=3, node=OTHER_NODE), it.signed(count=5, node=OTHER_NODE))
        assert (await post(it.address, "/v1/contradictions", encode(batches)))[0] == 422
        assert await it.contradictions() == []
        for known in (member, NODE):
            assert (await post(it.address, "/v1/contradictions", twice(known)))[0] == 200
        assert len(await it.contradictions()) == 2


async def test_batches_that_nobody_needs_go_and_are_never_new_again(tmp_path: Path) -> None:
    """Over two weeks; then the server is started anew, with its clock set back."""
    seconds = 3600.0
    slow = Parameters(snapshot_seconds=0.2, allow_loopback=True, epoch_seconds=seconds)
    async with judged(tmp_path / "s", slow) as it:
        begun = it.clock.wall()
        first = it.signed(epoch=4)
        confirmed = await it.batch(first)
        assert confirmed[0] == 200
        last = 4 + 14 * 24
        for epoch in range(5, last + 1):
            it.clock.advance(seconds)
            assert (await it.batch(it.signed(epoch=epoch)))[0] == 200
        assert await it.stored(4) == [], "it could not be brought any more"
        assert await it.stored(5) == [it.signed(epoch=5)], "it could"
    back = ManualClock(begun + seconds)
    async with running_server(it.data, clock=back, committee=COMMITTEE) as address:
        for again in (first, it.signed(epoch=4, count=9)):
            status, reason = await post(address, "/v1/receipts", encode(again))
            assert (status, b"not kept any more" in reason) == (422, True)
        assert (await post(address, "/v1/receipts", encode(it.signed(epoch=5))))[0] == 200, "it is there still"


async def test_bad_batches_are_refused_and_others_wait(tmp_path: Path) -> None:
    async with judged(tmp_path / "s") as it:
        good = it.signed()
        foreign = make_batch(NODE, bytes(32), 4, [bytes(32)], 1, SALT)
        nobodys = SignedRecord(b"x", b"k" * 32, b"s" * 64)
        for refused in (b"", b"nonsense", encode(good)[:-1], encode(foreign), encode(nobodys)):
            status, reason = await post(it.address, "/v1/receipts", refused)
            assert (status, bool(reason)) == (422, True)
        assert (await post(it.address, "/v1/receipts", bytes(200_000)))[0] == 413
        status, reason = await it.batch(it.signed(epoch=5))
        assert (status, b"not over" in reason) == (503, True)
        assert (await it.batch(it.signed(epoch=2**40)))[0] == 503
        status, reason = await it.batch(it.signed(node=OTHER_NODE))
        assert (status, b"not published" in reason) == (503, True)
        for path in ("/v1/receipts/x", "/v1/receipts/-1", "/v1/receipts", "/v1/openings/00", "/v1/nothing"):
            assert (await fetch(it.address, path))[0] == 404
        assert await it.stored(4) == []
        it.clock.advance(OLDEST_SECONDS + 100)
        status, reason = await it.batch(good)
        assert (status, b"too long ago" in reason) == (422, True)


async def test_a_receipt_is_shown_by_its_node_when_somebody_asks(tmp_path: Path) -> None:
    async with judged(tmp_path / "s") as it:
        receipts = it.receipts(3)
        await it.batch(it.signed())
        async with raw_node(it.address) as node:
            await node.log_in(NODE, now=it.clock.wall())
            for index in (1, 2):
                one = receipts[index]
                ask = encode(SignedRecord(record=one.record, key=NODE.public_key, signature=one.signature))
                status, _ = await post(it.address, "/v1/openings", ask)
                assert status == 200
                assert await node.expect(OpeningWanted) == OpeningWanted(epoch=4, receipt=one.digest)
                assert await it.state(one.digest) == "asked"
            await node.send(open_leaf(it.signed().record, receipts, 0, SALT))
            assert "nobody has asked" in str(await node.expect(Refused))
            await node.send(open_leaf(it.signed(epoch=3).record, receipts, 1, SALT))
            assert "not submitted" in str(await node.expect(Refused))
            await node.send(open_leaf(it.signed().record, receipts, 1, SALT))
            await node.send(Publish(descriptor=descriptor(NODE, it.network, it.clock.wall())))
            # What is left to show is told again to who has just come.
            assert await node.expect(OpeningWanted) == OpeningWanted(epoch=4, receipt=receipts[2].digest)
            assert await it.state(receipts[1].digest) == "opened"
        it.clock.advance(2 * 10)
        assert await it.state(receipts[2].digest) == "asked"
        it.clock.advance(10)
        assert await it.state(receipts[2].digest) == "away"
        assert json.loads((await fetch(it.address, "/v1/openings"))[1]) == {"hidden": []}
        assert (await it.batch(it.signed(epoch=6)))[0] == 200
        assert await it.state(receipts[2].digest) == "hidden"
        assert json.loads((await fetch(it.address, "/v1/openings"))[1]) == {"hidden": [node_id_text(NODE.node_id)]}
        assert await it.state(receipts[1].digest) == "opened"


async def test_what_was_asked_for_is_forgotten_when_it_could_not_be_asked_for_anew(tmp_path: Path) -> None:
    """Whoever signs receipts and asks for them itself would fill the disk."""
    async with judged(tmp_path / "s") as it:

        async def ask(kept: Kept) -> None:
            signed = SignedRecord(record=kept.record, key=NODE.public_key, signature=kept.signature)
            assert (await post(it.address, "/v1/openings", encode(signed)))[0] == 200

        (old,) = it.receipts(1)
        await ask(old)
        it.clock.advance(10 * ASKED_KEPT)
        wanted = f"/v1/openings/{old.digest.hex()}"
        for number, found in ((1, 200), (2, 404)):
            request = make_request(request_id=(100 + number).to_bytes(16, "big"))
            work = served(request=request, issued=int(it.clock.wall()) - 10)
            await ask(Kept(*sign_receipt(NODE, make_receipt(NODE, it.network, work))))
            assert (await fetch(it.address, wanted))[0] == found
            it.clock.advance(10)


async def test_of_receipts_that_were_shown_little_is_kept_and_few(tmp_path: Path) -> None:
    """Whoever signs receipts, asks for them and shows them at once would fill the disk as well."""
    async with judged(tmp_path / "s") as it:
        receipts = it.receipts(2 * ASKED_AT_ONCE + 1)
        batch = it.signed(count=len(receipts))
        assert (await it.batch(batch))[0] == 200
        async with raw_node(it.address) as node:
            await node.log_in(NODE, now=it.clock.wall())
            for index, one in enumerate(receipts):
                ask = encode(SignedRecord(record=one.record, key=NODE.public_key, signature=one.signature))
                status, _ = await post(it.address, "/v1/openings", ask)
                assert status == (429 if index == 2 * ASKED_AT_ONCE else 200)
                if status == 200:
                    await node.expect(OpeningWanted)
                    await node.send(open_leaf(batch.record, receipts, index, SALT))
                    while await it.state(one.digest) != "opened":
                        await asyncio.sleep(0.01)
    database = sqlite3.connect(it.data / "bootstrap.sqlite3")
    assert database.execute("SELECT count(*), count(record), count(signature) FROM openings").fetchone() == (32, 0, 0)
    database.close()


async def test_only_what_must_be_in_a_batch_can_be_asked_for(tmp_path: Path) -> None:
    async with judged(tmp_path / "s") as it:

        async def ask(kept: Kept, key: bytes = NODE.public_key) -> int:
            signed = SignedRecord(record=kept.record, key=key, signature=kept.signature)
            return (await post(it.address, "/v1/openings", encode(signed)))[0]

        (good,) = it.receipts(1)
        assert await ask(it.receipts(1, final=False)[0]) == 422
        assert await ask(it.receipts(1, OTHER_NODE)[0], OTHER_NODE.public_key) == 422
        assert await ask(Kept(good.record, bytes(64))) == 422
        assert await ask(good, OTHER_NODE.public_key) == 422
        many = it.receipts(ASKED_AT_ONCE + 1)
        assert [await ask(one) for one in many] == [200] * ASKED_AT_ONCE + [429]
        it.clock.advance((OPEN_EPOCHS + 2) * 10)
        assert await ask(good) == 422


async def test_who_brings_too_much_is_put_off(tmp_path: Path) -> None:
    several_machines = Parameters(snapshot_seconds=0.2, epoch_seconds=10)
    async with judged(tmp_path / "s", several_machines) as it:
        statuses = [(await post(it.address, "/v1/contradictions", b"x"))[0] for _ in range(int(BURST) + 5)]
        assert statuses == [422] * int(BURST) + [429] * 5
        it.clock.advance(1)
        assert (await post(it.address, "/v1/contradictions", b"x"))[0] == 422


async def test_who_reads_too_much_waits_a_little(tmp_path: Path) -> None:
    """Pages of records keep the database from what else it has to do."""
    several_machines = Parameters(snapshot_seconds=0.2, epoch_seconds=10)
    async with judged(tmp_path / "s", several_machines) as it:
        pages = int(READ_BURST / PAGE_COST)
        statuses = [(await fetch(it.address, "/v1/receipts/4"))[0] for _ in range(pages + 3)]
        assert statuses == [200] * pages + [429] * 3
        assert (await fetch(it.address, "/v1/chain"))[0] == 429
        async with http_session() as session:
            reader, waits = ChainReader(session, it.address.partition("#")[0]), []

            async def sleep(seconds: float) -> None:
                waits.append(seconds)
                it.clock.advance(seconds)

            reader.sleep = sleep
            assert await reader.height() == 0
            assert len(waits) == 1
        it.clock.advance(PAGE_COST)
        assert (await fetch(it.address, "/v1/receipts/4"))[0] == 200


async def test_there_is_no_chain_without_a_committee(tmp_path: Path) -> None:
    async with running_server(tmp_path / "s") as address:
        for path in ("/v1/receipts/1", "/v1/contradictions", "/v1/chain"):
            status, reason, _ = await fetch(address, path)
            assert (status, b"no committee" in reason) == (404, True)
        assert (await post(address, "/v1/receipts", b"x"))[0] == 404


async def test_a_mirror_passes_everything_on(tmp_path: Path) -> None:
    admit_mirror(tmp_path / "s", tmp_path / "m")
    async with judged(tmp_path / "s") as it, running_mirror(tmp_path / "m", it.address) as mirror:
        status, word = await _eventually(mirror, encode(it.signed()))
        assert (status, word) == (200, (await it.batch(it.signed()))[1])
        assert await it.stored(4) == [it.signed()]
        _, body, _ = await fetch(mirror, "/v1/receipts/4")
        (passed,) = chain_records_decoder.decode(body).records
        assert check_batch(signed_record_decoder.decode(passed), it.network).epoch == 4
        assert (await post(mirror, "/v1/receipts", b"nonsense"))[0] == 422
        assert (await fetch(mirror, f"/v1/openings/{hashlib.sha256(b'x').hexdigest()}"))[0] == 404


async def _eventually(address: str, body: bytes) -> tuple[int, bytes]:
    """While a mirror is not connected yet it says that the server is away."""
    while (answer := await post(address, "/v1/receipts", body))[0] == 503:
        pass
    return answer


async def test_hidden_receipts_are_signed_for_blocks_while_those_can_take_them(tmp_path: Path) -> None:
    async with judged(tmp_path / "s") as it:
        (kept,) = it.receipts(1)
        asked = SignedRecord(record=kept.record, key=NODE.public_key, signature=kept.signature)
        assert (await post(it.address, "/v1/openings", encode(asked)))[0] == 200
        assert await missed(it) == []
        it.clock.advance(3 * PARAMETERS.epoch_seconds)
        assert await missed(it) == [], "who was away has hidden nothing"
        assert (await it.batch(it.signed(epoch=5)))[0] == 200
        assert await missed(it) == [], "what it signed before it was asked says nothing"
        seen = it.signed(epoch=7)
        assert (await it.batch(seen))[0] == 200
        (word,) = await missed(it)
        said = opening_missed_decoder.decode(word.record)
        assert (said.node_id, said.receipt, said.asked) == (NODE.node_id, kept.record, 5)
        assert (said.receipt_signature, said.batch) == (kept.signature, seen)
        assert word.key in network_of(it.data).genesis.genesis.server_keys
        assert await missed(it) == [word], "the same bytes each time"
        it.clock.advance(6 * PARAMETERS.epoch_seconds)
        assert await missed(it) == []


async def missed(it: Judged) -> list[SignedRecord]:
    _, body, _ = await fetch(it.address, "/v1/openings/missed")
    return [signed_record_decoder.decode(one) for one in chain_records_decoder.decode(body).records]


async def test_of_each_member_the_newest_will_to_change_the_committee_is_kept(tmp_path: Path) -> None:
    members = [Identity.from_seed(bytes((number,)) * 32) for number in range(1, 5)]
    async with judged(tmp_path / "s") as it:

        def will(member: Identity, **changes: Any) -> bytes:
            given: dict[str, Any] = {"since": 0, "until": 99, "issued": 10, "add": (NODE.public_key,), "remove": ()}
            fields = {"network_id": it.network, "member": member.public_key, **given, **changes}
            return encode(sign_record(member, CommitteeChange(**fields)))

        async def kept() -> list[bytes]:
            _, body, _ = await fetch(it.address, "/v1/changes")
            return list(chain_records_decoder.decode(body).records)

        async def refusal(record: bytes) -> str:
            status, body = await post(it.address, "/v1/changes", record)
            assert status == 422
            return body.decode()

        first, second = will(members[0]), will(members[1])
        for record in (first, second, first):
            assert (await post(it.address, "/v1/changes", record))[0] == 200
        assert sorted(await kept()) == sorted([first, second])
        newer = will(members[0], issued=11, add=())
        assert (await post(it.address, "/v1/changes", newer))[0] == 200
        assert sorted(await kept()) == sorted([newer, second]), "a withdrawal takes the place of what was wanted"
        assert "said something newer" in await refusal(first)
        assert "no member" in await refusal(will(NODE))
        assert "another committee" in await refusal(will(members[2], since=4))
        assert "until epoch 1 only" in await refusal(will(members[2], until=1))
        assert "leaves 3" in await refusal(will(members[2], add=(), remove=(members[0].public_key,)))
        assert "cannot be read" in await refusal(encode(SignedRecord(b"x", NODE.public_key, bytes(64))))
