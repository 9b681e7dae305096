"""From an answer that a user doubts to the check that comes sooner: by a stranger and the server to verifiers."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
import pytest

from engine.bootstrap.chain.samples import SHOWN_AT_ONCE
from engine.crypto.identity import Identity
from engine.errors import InvalidRequestError, NetworkNotReadyError, OverloadedError, RequestError
from engine.ids import NetworkId, NodeId
from engine.node.bringing_samples import BURST, BringingSamples
from engine.node.reporting_samples import SampleReports
from engine.node.samples_follower import SamplesFollower
from engine.node.verifier_role import VerifierRole
from engine.sentences import SENTENCES
from engine.transport.bootstrap_state import parse_bootstrap
from engine.verification.chain.state import first_state
from engine.verification.challenges import duties
from engine.verification.challenges.pool import read_pool
from engine.verification.receipt_file import ReceiptPart, export_receipt, without_openings
from engine.verification.receipts import make_receipt, receipt_key, sign_receipt
from engine.verification.samples import SAMPLE_EPOCHS, sign_wanted
from engine.wire.answer import Request, request_decoder
from engine.wire.blocks import chain_records_decoder
from engine.wire.codec import encode
from engine.wire.records import Parameters
from engine.wire.signed import SignedRecord
from tests.integration.test_chain import COMMITTEE, Judged, judged
from tests.integration.test_verifiers import OTHER, verified
from tests.support.answering_overlay import AnsweringOverlay
from tests.support.bootstrap import fetch, network_of, post, running_server
from tests.support.overlay import NETWORK, TICK
from tests.support.receipts import ANSWER_SECRET, NODE, OTHER_NODE, make_request, served
from tests.unit.verification.challenges.test_pool import MANNERS, QUESTIONS, WORDS

DIRECT = Parameters(n=1, k=1, path_length=0, one_prefix=True, allow_loopback=True)
MEMBERS = [Identity.from_seed(bytes((number,)) * 32) for number in range(1, 5)]
Result = TypeVar("Result")


def part(network: bytes, now: float, node: Identity = NODE, *, shown: bool = False, **changes: Any) -> ReceiptPart:
    """Of an answer that was signed a second ago."""
    fields = {"issued": int(now) - 1, "request": make_request(sealed_at=now - 2)} | changes
    work = served(**fields)
    record, signature = sign_receipt(node, make_receipt(node, network, work))
    return ReceiptPart(
        record=record,
        signature=signature,
        key=receipt_key(ANSWER_SECRET),
        request=fields["request"] if shown else None,
        output_ids=work.output_ids if shown else None,
    )


def sample(it: Judged, node: Identity = NODE, **changes: Any) -> bytes:
    one = part(it.network, it.clock.wall(), node, **changes)
    return encode(SignedRecord(record=one.record, key=node.public_key, signature=one.signature))


def exported(network: bytes, *parts: ReceiptPart) -> bytes:
    return json.dumps(export_receipt(network, parts)).encode()


async def read(it: Judged, member: Identity = MEMBERS[0]) -> tuple[int, tuple[bytes, ...]]:
    wanted = encode(sign_wanted(member, it.network, it.clock.wall()))
    status, body = await post(it.address, "/v1/samples/wanted", wanted)
    return status, chain_records_decoder.decode(body).records if status == 200 else ()


# ---------------------------------------------------------------------------------------------------------- the server


async def test_the_server_takes_a_sample_once_and_shows_it_to_members_alone(tmp_path: Path) -> None:
    async with judged(tmp_path / "s") as it:
        first = sample(it)
        assert await read(it) == (200, ())
        answer = await post(it.address, "/v1/samples", first)
        assert answer[0] == 200
        again = [await post(it.address, "/v1/samples", one) for one in (first, sample(it), sample(it, attempt=2))]
        assert again == [answer] * 3, "a node could else ask whether it is doubted"
        assert await read(it, MEMBERS[3]) == (200, (first,)), "of one node and epoch the first one is kept"
        assert (await read(it, OTHER_NODE))[0] == (await read(it, NODE))[0] == 422
        for path in ("/v1/samples", "/v1/samples/wanted"):
            assert (await fetch(it.address, path))[0] == 404
        it.clock.advance(10)
        newer = sample(it)
        assert await post(it.address, "/v1/samples", newer) == answer
        assert await post(it.address, "/v1/samples", first) == answer
        assert await read(it) == (200, (newer,)), "an older one takes no newer one's place"
    async with running_server(it.data, clock=it.clock, committee=COMMITTEE) as address:
        it.address = address
        assert await read(it) == (200, (newer,)), "what was taken is there after a restart"
        it.clock.advance(10 * (SAMPLE_EPOCHS + 1))
        assert await read(it) == (200, ())
        status, reason = await post(it.address, "/v1/samples", newer)
        assert (status, b"too long ago" in reason) == (422, True), "nor can it be played again"
        await post(it.address, "/v1/samples", sample(it))
    database = sqlite3.connect(it.data / "bootstrap.sqlite3")
    assert database.execute("SELECT count(*) FROM samples").fetchone() == (1,)
    database.close()


async def test_the_server_refuses_what_is_no_sample_with_the_reason(tmp_path: Path) -> None:
    async with judged(tmp_path / "s") as it:
        good = msgspec.msgpack.decode(sample(it), type=SignedRecord)
        cases = [
            (b"", b"cannot be read"),
            (encode(good)[:-3], b"cannot be read"),
            (encode(msgspec.structs.replace(good, signature=bytes(64))), b"does not hold"),
            (encode(msgspec.structs.replace(good, key=OTHER_NODE.public_key)), b"another key"),
            (sample(it, OTHER_NODE), b"not known to the server"),
            (sample(it, issued=int(it.clock.wall()) + 4_000), b"in the future"),
            (sample(it, issued=0), b"too long ago"),
        ]
        elsewhere = part(b"x" * 32, it.clock.wall())
        signed = SignedRecord(record=elsewhere.record, key=NODE.public_key, signature=elsewhere.signature)
        cases.append((encode(signed), b"another network"))
        for body, words in cases:
            status, reason = await post(it.address, "/v1/samples", body)
            assert (status, words in reason) == (422, True), reason
        assert await read(it) == (200, ())
        assert SHOWN_AT_ONCE * len(sample(it)) < 2_000_000


# ------------------------------------------------------------------------------------------------------- over the paths


def asked(overlay: AnsweringOverlay) -> list[Request]:
    """Has all model nodes keep what comes with a sample instead of bringing it."""
    found: list[Request] = []
    for machine in overlay.machines:
        bringing = Keeping(found, machine.node_id)
        machine.role.bringing = bringing  # type: ignore[assignment]
    return found


class Keeping:
    def __init__(self, found: list[Request], node: NodeId) -> None:
        self.found, self.node = found, node

    async def bring(self, request: Request) -> Any:
        self.found.append(request)
        raise InvalidRequestError(f"refused by {self.node.hex()}")


async def paths(**options: Any) -> AnsweringOverlay:
    overlay = AnsweringOverlay(models=3, **options)
    await overlay.until_true(lambda: overlay.client.goes_direct or overlay.ready(), 20)
    return overlay


async def done(overlay: AnsweringOverlay, work: Awaitable[Result]) -> Result:
    """What comes of it while simulated time passes."""
    refused: list[RequestError] = []

    async def tried() -> Result | None:
        try:
            return await work
        except RequestError as error:
            refused.append(error)
            return None

    async with asyncio.TaskGroup() as group:
        task = group.create_task(tried())
        while not task.done():
            await overlay.pass_time(TICK)
            await asyncio.sleep(0.002)
    if refused:
        raise refused[0]
    return cast("Result", task.result())


async def test_a_doubted_answer_gets_to_a_verifier_without_its_question(tmp_path: Path) -> None:
    overlay = await paths()
    async with judged(tmp_path / "s") as it, overlay.running():
        server = network_of(it.data).genesis
        url = parse_bootstrap(it.address).url
        seen: list[bytes] = []
        for machine in overlay.machines:
            bringing = BringingSamples(server, lambda: url, it.clock)
            machine.role.bringing = bringing
            machine.peer.start, machine.role.begins = machine.role.start, lambda one: seen.append(one.encoded)
        reports = SampleReports(lambda: (overlay.client, NetworkId(it.network)), it.clock, overlay.random_bytes)
        whole = exported(it.network, part(it.network, it.clock.wall(), shown=True))
        assert b"Ada" not in (slim := without_openings(whole))
        assert await done(overlay, reports.report(slim)) == 1
        assert await done(overlay, reports.report(whole)) == 1, "again does no harm"
        assert len(seen) == 2
        assert not any(b"Ada" in one or receipt_key(ANSWER_SECRET) in one for one in seen)
        assert all(not request_decoder.decode(one).messages for one in seen)
        state = first_state(server)
        clock: Any = it.clock
        nothing: Any = None
        pool = read_pool([QUESTIONS], WORDS, MANNERS)
        role = VerifierRole(MEMBERS[1], state, pool, nothing, nothing, clock, os.urandom)
        await SamplesFollower(MEMBERS[1], role, clock, lambda: url).look()
        assert role.doubted == {NODE.node_id}
        stranger = VerifierRole(OTHER_NODE, state, pool, nothing, nothing, clock, os.urandom)
        await SamplesFollower(OTHER_NODE, stranger, clock, lambda: url).look()
        assert stranger.doubted == frozenset()
        for wrong, words in (
            (exported(b"y" * 32, part(b"y" * 32, it.clock.wall())), "another network"),
            (b"{", "cut off or damaged"),
            (exported(it.network, part(it.network, it.clock.wall() - 10 * (SAMPLE_EPOCHS + 9))), "too long ago"),
            (
                exported(it.network, part(it.network, it.clock.wall(), OTHER_NODE)),
                f"^{SENTENCES['sample.unknown_machine']}$",
            ),
        ):
            with pytest.raises(RequestError, match=words):
                await done(overlay, reports.report(wrong))


async def test_neither_who_is_doubted_nor_its_family_is_asked_to_bring_it() -> None:
    overlay = await paths()
    brought = asked(overlay)
    doubted = overlay.machines[0]
    identity = overlay.identities[doubted.node_id]
    clock = overlay.scheduler.clock
    reports = SampleReports(lambda: (overlay.client, NETWORK), clock, overlay.random_bytes)
    async with overlay.running():
        for _ in range(3):
            with pytest.raises(InvalidRequestError, match="refused by") as raised:
                await done(overlay, reports.report(exported(NETWORK, part(NETWORK, clock.wall(), identity))))
            assert doubted.node_id.hex() not in str(raised.value)
    assert len(brought) == 6, "the other two, one after the other"
    nobody = SampleReports(lambda: None, clock, overlay.random_bytes)
    with pytest.raises(NetworkNotReadyError, match="in no network"):
        await nobody.report(b"")


@pytest.mark.parametrize(
    ("parameters", "hidden", "refused"), [(None, True, False), (DIRECT, False, False), (DIRECT, True, True)]
)
async def test_what_has_to_be_hidden_goes_over_paths_or_not_at_all(
    parameters: Parameters | None, hidden: bool, refused: bool
) -> None:
    overlay = await paths(parameters=parameters)
    brought, clock = asked(overlay), overlay.scheduler.clock
    identity = overlay.identities[overlay.machines[0].node_id]
    reports = SampleReports(lambda: (overlay.client, NETWORK), clock, overlay.random_bytes)
    doubted = exported(NETWORK, part(NETWORK, clock.wall(), identity))
    async with overlay.running():
        with pytest.raises(RequestError, match=SENTENCES["sample.direct"] if refused else "refused by"):
            await done(overlay, reports.report(doubted, hidden=hidden))
    assert len(brought) == (0 if refused else 2), "nobody hears of what may not go directly"


async def test_a_node_brings_what_holds_and_not_too_much_of_it(tmp_path: Path) -> None:
    async with judged(tmp_path / "s") as it:
        url = parse_bootstrap(it.address).url
        server = network_of(it.data).genesis
        bringing = BringingSamples(server, lambda: url, it.clock)

        def request(data: bytes) -> Request:
            return msgspec.structs.replace(request_decoder.decode(make_request()), sample=data)

        assert (await bringing.bring(request(sample(it)))).reason == "brought"
        with pytest.raises(InvalidRequestError, match="cannot be read"):
            await bringing.bring(request(b"anything else that somebody wants to have posted"))
        away = BringingSamples(server, lambda: "http://127.0.0.1:9", it.clock)
        with pytest.raises(OverloadedError, match="does not reach the server"):
            await away.bring(request(sample(it)))
        for _ in range(int(BURST) - 2):
            await bringing.bring(request(sample(it)))
        with pytest.raises(OverloadedError, match="as many as it may"):
            await bringing.bring(request(sample(it)))


# ------------------------------------------------------------------------------------------------------- what follows


@pytest.mark.parametrize("bad", [False, True])
async def test_a_doubted_node_is_checked_sooner_and_the_doubt_itself_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, bad: bool
) -> None:
    """Both have standing and are checked by lot; users doubt one of them, rightly or not."""
    monkeypatch.setattr(duties, "ALWAYS_BELOW", 1)
    monkeypatch.setattr(duties, "SAMPLED_RATE_PARTS", 1)
    network = await verified(2)
    doubted = network.overlay.machines[1]
    known: dict[int, tuple[duties.Basis, dict[bytes, bytes]]] = {}
    async with network.running():
        await network.epochs(3)
        before = dict(network.state.standings)
        for role in network.roles:
            role.doubted = frozenset([doubted.node_id])
        if bad:
            doubted.writer.written = OTHER
        for _ in range(9):
            await network.epochs(1)
            for epoch, found in network.state.epochs.items():
                lots = {role._identity.public_key: role._lots[epoch] for role in network.roles if epoch in role._lots}
                known[epoch] = (found.basis, lots)
    sooner = []
    for entry in (entry for block in network.blocks for entry in block.entries if entry.epoch in known):
        (basis, lots), member = known[entry.epoch], network.state.members[entry.author]
        if not duties.has_duty(basis, member, NodeId(entry.asked), lots.get(member)):
            sooner.append(entry)
    assert sooner, "members have looked where they did not have to"
    assert {entry.asked for entry in sooner} == {doubted.node_id}
    assert all(entry.index < duties.MAX_SAMPLED for entry in sooner)
    assert all(block.missed == () for block in network.blocks)
    assert not network.refused
    assert network.standing(1).excluded == bad
    assert network.standing(0).reputation >= before[network.overlay.machines[0].node_id].reputation
    if not bad:
        assert network.standing(1).suspicion == 0
        assert network.standing(1).reputation >= before[doubted.node_id].reputation
