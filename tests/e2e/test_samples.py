"""A user doubts an answer: from the exported receipt on the command line to the verifiers, over real processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.cli import main
from engine.verification.receipts import check_receipt
from tests.support.judged_network import judged_network, samples, wait_for_samples
from tests.support.network import Answer, Network

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """With one that asks."""
    with judged_network(tmp_path_factory.mktemp("judged")) as network:
        network.node("asking")
        network.wait_ready("asking", 0, 2)
        yield network


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
    (sample,) = wait_for_samples(judged)
    network_id = bytes.fromhex(answer.extension["receipt"]["network_id"])
    assert check_receipt(sample.record, sample.signature, network_id).node_key == sample.key
