"""An engine whose bootstrap server is not there, and one that has no network at all."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest

from tests.support.network import Answer, Network, free_port

pytestmark = pytest.mark.timeout(90)
QUESTION = "Who can read my question?"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with Network(tmp_path_factory.mktemp("alone")) as network:
        network.address = f"http://127.0.0.1:{free_port()}#{'7a' * 32}"
        network.node("lost")
        network.launch("alone", "node", "--data", str(network.folder / "alone"), "--api-port", "0")
        yield network


def test_an_unreachable_bootstrap_server_is_said(network: Network) -> None:
    server = network.address.partition("#")[0]
    state = network.wait("lost", lambda state: state.network.status == "offline" and server in state.network.reason, 90)
    assert state.network.bootstrap_connected is False


def test_without_the_network_this_machine_answers(network: Network) -> None:
    client = network.openai("lost")
    answer = Answer(client, QUESTION, gentorrent={"route": "local"}, max_tokens=10).read()
    assert answer.error is None
    assert answer.tokens >= 1
    assert answer.extension["served_by"] == "local"


def test_a_question_for_the_network_is_refused_with_the_reason(network: Network) -> None:
    with pytest.raises(openai.InternalServerError) as told:
        Answer(network.openai("lost"), QUESTION)
    assert told.value.status_code == 503
    assert told.value.code == "network_not_ready"
    assert "this machine" in str(told.value)


def test_an_engine_without_a_network_answers_here_by_itself(network: Network) -> None:
    network.wait("alone", lambda state: state.network.status == "none", 60)
    answer = Answer(network.openai("alone"), QUESTION, max_tokens=10).read()
    assert answer.error is None
    assert answer.extension["served_by"] == "local"


def test_both_end_at_once(network: Network) -> None:
    assert network.stop("lost") < 3
    assert network.stop("alone") < 3
