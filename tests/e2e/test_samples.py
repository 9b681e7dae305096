"""A user doubts an answer: from the exported receipt on the command line to the verifiers, over real processes."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.cli import main
from engine.clock import SystemClock
from engine.crypto.identity import Identity
from engine.inference.models.installed import BUILTIN_MODEL
from engine.verification.receipts import check_receipt
from engine.verification.samples import sign_wanted
from engine.wire.blocks import chain_records_decoder
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord, signed_record_decoder
from tests.support.network import Answer, Network

pytestmark = pytest.mark.timeout(180)
MEMBERS = [Identity.from_seed(bytes((number,)) * 32) for number in range(1, 5)]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """One that asks and two that answer, directly, in a network with a committee that does nothing."""
    with Network(tmp_path_factory.mktemp("judged")) as network:
        keys = [part for member in MEMBERS for part in ("--committee", member.public_key.hex())]
        network.found("--hops", "0", *keys)
        for name in ("serving", "other"):
            network.node(name, "--contribute", BUILTIN_MODEL)
        network.node("asking")
        network.wait_ready("asking", 0, 2)
        yield network


def samples(network: Network) -> list[SignedRecord]:
    """What a member is shown."""
    url = f"http://127.0.0.1:{network.port}/v1/"
    with urllib.request.urlopen(url + "genesis", timeout=5) as answer:
        network_id = bytes.fromhex(json.loads(answer.read())["network_id"])
    wanted = encode(sign_wanted(MEMBERS[0], network_id, SystemClock().wall()))
    with urllib.request.urlopen(urllib.request.Request(url + "samples/wanted", wanted), timeout=5) as answer:
        return [signed_record_decoder.decode(one) for one in chain_records_decoder.decode(answer.read()).records]


def test_a_doubted_answer_is_handed_in_by_the_command(
    judged: Network, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = Answer(judged.openai("asking"), "Who can read my question?", max_tokens=4).read()
    assert answer.error is None
    file = tmp_path / "answer.json"
    file.write_text(json.dumps(answer.extension["receipt"]))
    assert samples(judged) == []
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["receipt", "report", str(file), "--data", str(judged.folder / "asking"), "--json"])
    told = capsys.readouterr()
    assert ended.value.code == 0, told.err
    assert json.loads(told.out) == {"machines": 1}
    deadline = time.monotonic() + 10
    while not (found := samples(judged)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (sample,) = found
    network_id = bytes.fromhex(answer.extension["receipt"]["network_id"])
    assert check_receipt(sample.record, sample.signature, network_id).node_key == sample.key
