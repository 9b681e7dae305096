"""What happens to answers when parts of a real network are killed, and to the network afterwards.

One network for all: every relay has a process of its own, the model nodes write at most ten tokens a second, so that
there is time to kill something in the middle. The tests go from what a network must survive to what it cannot.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from engine.inference.models.installed import BUILTIN_MODEL
from tests.support.network import Answer, Network, family, gentorrent, gone, is_running

pytestmark = [pytest.mark.timeout(150), pytest.mark.slow]
RELAYS = 16
RATE = 10
TOKENS = 125
"""At ten a second: more than twelve seconds."""
LIMITS = ("--max-tokens-per-second", str(RATE), "--forwarding-policy", "round-robin")
QUESTION = "Tell me all that you know."
SAMPLING = {"seed": 11, "temperature": 1.2}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with Network(tmp_path_factory.mktemp("failures")) as network:
        network.found()
        for index in range(RELAYS):
            network.relays(f"relay-{index}", 1)
        for name in ("model-1", "model-2"):
            network.node(name, "--no-relay", "--contribute", BUILTIN_MODEL, *LIMITS)
        network.node("client", "--no-relay")
        network.wait_ready("client", RELAYS, 2, 180)
        for name in ("model-1", "model-2"):
            network.until(name, "gentorrent_group_members", 2)  # before, each of them answers what it is asked
        yield network


@pytest.fixture(scope="module")
def relay_processes(network: Network) -> dict[str, str]:
    """Relay id -> the name of its process."""
    return {network.node_id(f"relay-{index}/relay-0"): f"relay-{index}" for index in range(RELAYS)}


@pytest.fixture(scope="module")
def undisturbed(network: Network) -> str:
    """The text of the answer that the tests disturb, made on the client's own machine."""
    answer = Answer(
        network.openai("client"),
        QUESTION,
        gentorrent={"route": "local"},
        min_tokens=TOKENS,
        max_tokens=TOKENS,
        **SAMPLING,
    ).read()
    assert answer.tokens == TOKENS
    return answer.text


def ask(network: Network, conversation: str, tokens: int = TOKENS) -> Answer:
    """Start the answer that is to be disturbed."""
    return Answer(
        network.openai("client"),
        QUESTION,
        conversation=conversation,
        min_tokens=tokens,
        max_tokens=tokens,
        **SAMPLING,
    )


def forwards(network: Network) -> int:
    """Questions that a model node has passed on so far."""
    return sum(network.log(name).count("a request is passed on to") for name in ("model-1", "model-2"))


def serving_process(network: Network, answer: Answer) -> str:
    """Which model node has answered."""
    return next(name for name in network.children if network.is_node(name, str(answer.extension["served_by"])))


def test_an_entry_node_passes_questions_on(network: Network, undisturbed: str) -> None:
    """Every other question that comes to a node is answered by the other one, and comes back through the first."""
    answers = [ask(network, f"passed on {number}", 6).read() for number in range(4)]
    assert all(answer.error is None for answer in answers)
    assert all(answer.extension["receipt_verified"] is True for answer in answers)
    assert all(undisturbed.startswith(answer.text.rstrip("\N{REPLACEMENT CHARACTER}")) for answer in answers)
    passed_on = forwards(network)
    assert 1 <= passed_on <= 3
    again = ask(network, "passed on 0", 2).read()  # the next turn goes straight to who answered
    assert again.extension["served_by"] == answers[0].extension["served_by"]
    assert forwards(network) == passed_on


def test_a_chat_stays_with_its_node_and_its_paths(network: Network) -> None:
    answers = [ask(network, "stays", 2).read() for _ in range(4)]
    assert all(answer.error is None for answer in answers)
    assert len({str(answer.extension["served_by"]) for answer in answers}) == 1
    assert all(answer.paths == answers[0].paths for answer in answers)


@pytest.mark.parametrize(("position", "path"), [("proxy", 0), ("middle", 1), ("guard", 2)])
def test_a_relay_killed_in_mid_answer_costs_nothing(
    network: Network, relay_processes: dict[str, str], undisturbed: str, position: str, path: int
) -> None:
    chat = f"killed-{position}"
    before = ask(network, chat, 2).read()  # the chat keeps the paths of its first answer
    assert before.error is None
    victim = before.paths[path][("guard", "middle", "proxy").index(position)]
    answer = ask(network, chat).read(pieces=15)
    assert answer.error is None
    network.kill(relay_processes[victim])
    at_kill = len(answer.pieces)
    answer.read()
    assert answer.error is None, answer.error
    assert 0 < at_kill < len(answer.pieces) - 20
    assert answer.seconds >= 10
    assert answer.tokens == TOKENS
    assert answer.text == undisturbed
    assert answer.extension["receipt_verified"] is True
    # In mid-answer the lost path is replaced where a guard is free; after it, always.
    deadline = time.monotonic() + 20
    while victim in (relays := [relay for hops in answer.paths for relay in hops]):
        assert time.monotonic() < deadline, "the chat still counts on the dead relay"
        time.sleep(0.5)
        answer = ask(network, chat, 1).read()
        assert answer.error is None, answer.error
    assert len(set(relays)) in (9, 12)


def test_an_inference_worker_killed_in_mid_answer_costs_nothing(network: Network, undisturbed: str) -> None:
    before = ask(network, "worker", 2).read()
    assert before.error is None
    name = serving_process(network, before)
    worker = network.state(name).worker.pid
    assert worker in family(network.children[name].pid)
    answer = ask(network, "worker").read(pieces=10)
    os.kill(worker, signal.SIGKILL)
    at_kill = len(answer.pieces)
    answer.read()
    assert answer.error is None, answer.error
    assert at_kill < len(answer.pieces) - 20
    assert answer.tokens == TOKENS
    assert answer.text == undisturbed
    assert answer.extension["receipt_verified"] is True
    again = network.wait(name, lambda state: state.worker.status == "ready" and state.worker.pid not in (0, worker), 90)
    assert is_running(again.worker.pid)
    assert again.worker.restarts >= 1


def test_a_bootstrap_server_stopped_in_mid_answer_costs_nothing(network: Network, undisturbed: str) -> None:
    tokens = 70
    before = ask(network, "server", 2).read()
    assert before.error is None
    answer = ask(network, "server", tokens).read(pieces=10)
    network.stop("bootstrap")
    answer.read()
    assert answer.error is None, answer.error
    assert answer.tokens == tokens
    assert undisturbed.startswith(answer.text.rstrip("\N{REPLACEMENT CHARACTER}"))
    assert answer.extension["receipt_verified"] is True
    where = f"127.0.0.1:{network.port}"
    network.wait("client", lambda state: not state.network.bootstrap_connected and where in state.network.reason, 60)
    new_chat = ask(network, "without a server", 3).read()
    assert new_chat.error is None, new_chat.error


def test_nodes_come_back_to_a_restarted_bootstrap_server(network: Network) -> None:
    network.start_server()
    relays = sum(name.startswith("relay-") for name in network.children)
    network.wait("client", lambda state: state.network.bootstrap_connected, 120)
    network.wait_ready("client", relays, 2)
    for name in ("model-1", "model-2"):
        network.wait(name, lambda state: state.contributing.status == "on", 120)
    answer = ask(network, "after the restart", 3).read()
    assert answer.error is None, answer.error


def test_a_contributor_who_pauses_in_mid_answer_is_taken_over_from(network: Network, undisturbed: str) -> None:
    before = ask(network, "pause", 2).read()
    name = serving_process(network, before)
    worker = network.state(name).worker.pid
    answer = ask(network, "pause").read(pieces=10)
    network.contribute(name, False)
    at_pause = len(answer.pieces)
    answer.read()
    assert answer.error is None, answer.error
    assert at_pause < len(answer.pieces) - 20
    assert answer.tokens == TOKENS
    assert answer.text == undisturbed
    assert answer.extension["receipt_verified"] is True
    assert "Not signed" not in str(answer.extension["receipt_reason"])
    assert len(answer.extension["machines"]) == 2
    assert gone({worker}, 5) == set()
    network.contribute(name, True)
    network.wait(name, lambda state: state.contributing.status == "on", 120)
    network.wait_ready("client", 1, 2)


def test_a_serving_node_killed_in_mid_answer_hands_over(network: Network, undisturbed: str) -> None:
    before = ask(network, "serving", 2).read()
    name = serving_process(network, before)
    answer = ask(network, "serving").read(pieces=10)
    processes = family(network.children[name].pid)
    assert len(processes) == 2
    network.kill(name)
    at_kill = len(answer.pieces)
    answer.read()
    assert answer.error is None, answer.error
    assert at_kill < len(answer.pieces) - 20
    assert answer.tokens == TOKENS
    assert answer.text == undisturbed
    assert answer.extension["receipt_verified"] is True
    assert answer.extension["machines"] == [before.extension["served_by"], answer.extension["served_by"]]
    assert serving_process(network, answer) != name
    assert gone(processes, 5) == set()  # the worker does not outlive its engine
    after = ask(network, "serving", 3).read()  # the same chat goes on with the other node
    assert after.error is None, after.error
    assert serving_process(network, after) != name


def test_the_last_machine_that_has_the_model_is_missed_with_a_reason(network: Network, undisturbed: str) -> None:
    (name,) = [name for name in network.children if name.startswith("model-")]
    answer = ask(network, "last").read(pieces=10)
    network.kill(name)
    killed = time.monotonic()
    answer.read()
    assert answer.error is not None
    assert answer.error.code == "serving_node_lost"
    assert time.monotonic() - killed < 15
    assert len(answer.pieces) >= 10
    assert undisturbed.startswith(answer.text)


def test_two_engines_on_one_data_directory(network: Network) -> None:
    data = str(network.folder / "client")
    network.launch("second", "node", "--bootstrap", network.address, "--data", data, "--api-port", "0")
    second = network.children["second"]
    assert second.wait(90) not in (0, None)
    network.ended("second")
    told = network.log("second")
    assert "Another engine" in told
    assert data in told
    assert str(network.children["client"].pid) in told
    assert "Traceback" not in told
    network.wait("client", lambda state: state.network.status == "ready", 60)


def test_everything_that_is_left_ends_at_once(network: Network) -> None:
    """Within three seconds, or in the time of twenty starts of the program where the machine is busy."""
    late = {}
    start = _seconds_to_start()
    for name in list(network.children):
        taken = network.stop(name, patience=60)
        before, start = start, _seconds_to_start()
        if taken > max(3.0, 20 * before, 20 * start):
            late[name] = (taken, before, start)
    assert late == {}
    assert "Traceback" not in "".join(network.log(name) for name in ("client", "bootstrap", "model-1", "model-2"))


def _seconds_to_start() -> float:
    """How long the program takes now to start and end, a sixth of a second of one core."""
    begun = time.monotonic()
    assert gentorrent("--version").returncode == 0
    return time.monotonic() - begun
