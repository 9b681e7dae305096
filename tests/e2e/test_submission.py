"""Receipts of real answers reach the server, whatever is killed in between: processes as a user starts them."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import openai
import pytest

from engine.clock import SystemClock
from engine.crypto.identity import Identity
from engine.ids import NetworkId
from engine.inference.models.installed import BUILTIN_MODEL
from engine.storage.key_store import KeyStore
from engine.verification.batches import check_batch, make_batch
from engine.wire.blocks import chain_records_decoder
from engine.wire.codec import encode
from engine.wire.receipts import Contradiction
from engine.wire.signed import SignedRecord, signed_record_decoder
from tests.support.network import QUIET, Answer, Network

pytestmark = pytest.mark.timeout(120)
QUESTION = "Who can read my question?"
EPOCH_SECONDS = 2
MEMBERS = [Identity.from_seed(bytes((number,)) * 32) for number in range(1, 5)]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Two machines that ask each other directly, in a network with a committee that does nothing."""
    with Network(tmp_path_factory.mktemp("judged")) as network:
        keys = [part for member in MEMBERS for part in ("--committee", member.public_key.hex())]
        network.found("--hops", "0", "--epoch-seconds", str(EPOCH_SECONDS), *keys)
        network.node("serving", "--contribute", BUILTIN_MODEL)
        network.node("asking")
        network.wait_ready("asking", 0, 1)
        yield network


def get(network: Network, path: str) -> bytes:
    """GET, also of a server that is just starting."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{network.port}/v1/{path}", timeout=30) as answer:
                return bytes(answer.read())
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def batches(network: Network, epochs: range) -> list[SignedRecord]:
    """What the server stores of these epochs."""
    found = [chain_records_decoder.decode(get(network, f"receipts/{epoch}")).records for epoch in epochs]
    return [signed_record_decoder.decode(record) for records in found for record in records]


def running_epoch(network: Network) -> int:
    document = json.loads(get(network, "genesis"))
    return int((SystemClock().wall() - document["decoded"]["created"]) // EPOCH_SECONDS)


def network_id(network: Network) -> bytes:
    return bytes.fromhex(json.loads(get(network, "genesis"))["network_id"])


def submitted(network: Network, answers: int) -> list[SignedRecord]:
    """Wait until batches of that many answers are there; receipts are counted in powers of two."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found = batches(network, range(running_epoch(network) + 1))
        counts: list[int] = [check_batch(one, network_id(network)).receipts for one in found]
        if sum(counts) >= answers:
            return found
        time.sleep(0.3)
    raise AssertionError("the receipts did not arrive")


def ask(network: Network) -> tuple[bytes, bytes]:
    """One answer: its receipt's record and signature."""
    answer = Answer(network.openai("asking"), QUESTION, max_tokens=4).read()
    assert answer.error is None
    assert answer.extension["receipt_verified"] is True
    assert answer.extension["badge"] == "signed"
    assert "judged none of its answers yet" in str(answer.extension["badge_reason"])
    part = answer.extension["receipt"]["parts"][-1]
    return base64.b64decode(part["record"]), base64.b64decode(part["signature"])


def test_an_answer_is_in_a_batch_that_the_server_has_confirmed(judged: Network) -> None:
    record, signature = ask(judged)
    (batch,) = submitted(judged, 1)
    key = batch.key
    judged.wait(
        "serving",
        lambda state: state.contributing.receipts_confirmed == 1 and state.contributing.receipts_waiting == 0,
        60,
    )
    assert judged.state("serving").contributing.receipts_problem == ""
    # Who holds the receipt can have it shown.
    asked = urllib.request.Request(
        f"http://127.0.0.1:{judged.port}/v1/openings",
        encode(SignedRecord(record=record, key=key, signature=signature)),
    )
    urllib.request.urlopen(asked, timeout=30).close()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if json.loads(get(judged, f"openings/{hashlib.sha256(record).hexdigest()}"))["state"] == "opened":
            break
        time.sleep(0.1)
    else:
        raise AssertionError("the receipt was not shown")


def test_nothing_is_lost_when_node_and_server_are_killed(judged: Network) -> None:
    before = len(batches(judged, range(running_epoch(judged) + 1)))
    ask(judged)
    judged.kill("serving")  # at once: the receipt is on its disk
    judged.kill("bootstrap")
    time.sleep(2 * EPOCH_SECONDS)
    judged.node("serving", "--contribute", BUILTIN_MODEL)
    judged.wait("serving", lambda state: state.contributing.receipts_waiting == 1, 90)
    judged.start_server()
    found = submitted(judged, before + 1)
    assert len(found) == before + 1
    judged.wait(
        "serving",
        lambda state: (state.contributing.receipts_waiting, state.contributing.receipts_problem) == (0, ""),
        90,
    )
    time.sleep(1.5 * EPOCH_SECONDS)
    assert len(batches(judged, range(running_epoch(judged) + 1))) == before + 1, "nothing is counted twice"


def test_a_node_that_contradicts_itself_is_asked_nothing_any_more(judged: Network) -> None:
    """Its key signs another batch of an epoch, as a copy of the node would; whoever has both shows them."""
    identity = KeyStore(judged.data("serving").keys, SystemClock(), environment=QUIET).identity()
    signed = batches(judged, range(running_epoch(judged) + 1))[0]
    stored = check_batch(signed, network_id(judged))
    other = make_batch(identity, NetworkId(network_id(judged)), stored.epoch, [bytes(32)], 1, b"s" * 32)
    shown = urllib.request.Request(
        f"http://127.0.0.1:{judged.port}/v1/contradictions", encode(Contradiction(signed, other))
    )
    urllib.request.urlopen(shown, timeout=30).close()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            Answer(judged.openai("asking"), QUESTION, max_tokens=4).read()
        except openai.NotFoundError:
            return
        time.sleep(0.5)
    raise AssertionError("it is still asked")
