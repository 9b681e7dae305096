"""With its owner's consent a real engine hands in the receipt of an answer by itself, over anonymous paths."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import pytest

from engine.cli import main
from engine.verification.receipts import check_receipt
from tests.support.judged_network import judged_network, samples, wait_for_samples
from tests.support.network import Answer

pytestmark = pytest.mark.timeout(240)
IMPATIENT = """
from engine.node import sharing_samples
sharing_samples.PERCENT, sharing_samples.MOST_WAIT_SECONDS = 100, 1
from engine.cli import main
main()
"""
"""The program, but the lot falls on every answer, and nothing waits for half an hour."""


def test_what_is_agreed_to_is_handed_in_by_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def share(*words: str) -> dict[str, object]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["receipt", "share", *words, "--data", data, "--json"])
        told = capsys.readouterr()
        assert ended.value.code == 0, told.err
        return dict(json.loads(told.out))

    with judged_network(tmp_path, "--paths", "2", "--needed", "1", "--hops", "1") as network:
        data = str(network.folder / "asking")
        network.relays("relays", 3)
        where = ["--bootstrap", network.address, "--data", data, "--api-port", "0", "--no-relay"]
        network.processes.launch("asking", [sys.executable, "-c", IMPATIENT, "node", *where])
        network.wait_ready("asking", 3, 2)
        client = network.openai("asking")
        assert Answer(client, "What is this?", max_tokens=4).read().error is None
        assert share("on")["today"] == 0, "nothing of what came before is drawn"
        answer = Answer(client, "Who can read my question?", max_tokens=4).read()
        assert answer.error is None
        (sample,) = wait_for_samples(network)
        assert share()["today"] == 1
        receipt = answer.extension["receipt"]
        assert isinstance(receipt, dict)
        assert [base64.b64encode(sample.record).decode()] == [part["record"] for part in receipt["parts"]]
        check_receipt(sample.record, sample.signature, bytes.fromhex(receipt["network_id"]))
        assert not share("off")["on"]
        assert Answer(client, "And now?", max_tokens=4).read().error is None
        assert share()["today"] == 1, "nothing is drawn any more"
        assert [one.record for one in samples(network)] == [sample.record]
