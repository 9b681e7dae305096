"""Networks of two and of five machines, each a process of its own: what is shown is what carried the answer."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest

from engine.inference.models.installed import BUILTIN_MODEL
from tests.support.network import Answer, Network, gentorrent

pytestmark = pytest.mark.timeout(120)
QUESTION = "Who can read my question?"


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Two machines in a network whose genesis says that everybody asks directly."""
    with Network(tmp_path_factory.mktemp("two")) as network:
        network.found("--hops", "0")
        network.node("serving", "--contribute", BUILTIN_MODEL)
        network.node("asking")
        network.wait_ready("asking", 0, 1)
        yield network


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Five machines that all relay, one of which serves and one of which asks; the genesis wants four paths of two."""
    with Network(tmp_path_factory.mktemp("five")) as network:
        network.found("--hops", "2", "--least-hops", "0")
        network.node("serving", "--contribute", BUILTIN_MODEL)
        for name in ("asking", "one", "two", "three"):
            network.node(name)
        network.wait("asking", lambda state: state.network.relays == 5 and state.models[0].nodes == 1, 120)
        yield network


def test_two_machines_ask_each_other_directly(direct: Network) -> None:
    answer = Answer(direct.openai("asking"), QUESTION, max_tokens=10).read()
    assert answer.error is None
    assert answer.tokens == 10
    assert answer.extension["served_by"] == direct.node_id("serving")
    assert answer.extension["receipt_verified"] is True
    assert answer.paths == []
    privacy = answer.extension["privacy"]
    assert isinstance(privacy, dict)
    assert (privacy["direct"], privacy["weaker"], privacy["hops"]) == (True, False, 0)
    assert "address" in privacy["text"]
    state = direct.state("asking")
    assert state.network.direct
    assert direct.state("serving").relay.circuits == 0
    told = gentorrent("chat", "--data", str(direct.folder / "asking"), "-q", QUESTION, "--max-tokens", "5")
    assert "saw this machine's address" in told.stderr


def test_five_machines_say_what_is_missing_and_what_can_be_chosen(five: Network) -> None:
    with pytest.raises(openai.InternalServerError) as told:
        Answer(five.openai("asking"), QUESTION)
    assert told.value.code == "too_few_relays"
    assert isinstance(told.value.body, dict)
    more = told.value.body["gentorrent"]
    assert (more["relays"], more["missing"]) == (3, 5)
    assert [(one["paths"], one["hops"]) for one in more["choices"]] == [(1, 2), (3, 1), (1, 0)]
    state = five.state("asking").network
    assert state.relays_missing == 5
    assert [choice.text for choice in state.choices] == [one["text"] for one in more["choices"]]
    plain = gentorrent("chat", "--data", str(five.folder / "asking"), "-q", QUESTION)
    assert plain.returncode == 1
    assert "--direct" in plain.stderr


def test_five_machines_use_what_was_chosen_and_say_so(five: Network) -> None:
    chosen = {"privacy": {"least_paths": 1, "least_hops": 2}}
    answer = Answer(five.openai("asking"), QUESTION, max_tokens=10, gentorrent=chosen).read()
    assert answer.error is None
    assert [len(path) for path in answer.paths] == [2]
    others = {five.node_id(name) for name in ("one", "two", "three")}
    assert {hop for path in answer.paths for hop in path} <= others
    relaying = sum(five.state(name).relay.circuits > 0 for name in ("one", "two", "three"))
    assert relaying >= 2
    privacy = answer.extension["privacy"]
    assert isinstance(privacy, dict)
    assert (privacy["paths"], privacy["hops"], privacy["weaker"]) == (1, 2, True)
    assert (privacy["full_paths"], privacy["full_hops"]) == (4, 2)
    told = gentorrent(
        "chat",
        "--data",
        str(five.folder / "asking"),
        "-q",
        QUESTION,
        "--max-tokens",
        "5",
        "--paths",
        "1",
        "--hops",
        "2",
    )
    assert told.returncode == 0, told.stderr
    assert "weaker than the 4 paths of 2 relays" in told.stderr


def test_direct_is_used_only_when_it_is_chosen(five: Network) -> None:
    answer = Answer(five.openai("asking"), QUESTION, max_tokens=10, gentorrent={"privacy": {"direct": True}}).read()
    assert answer.error is None
    assert answer.paths == []
    privacy = answer.extension["privacy"]
    assert isinstance(privacy, dict)
    assert (privacy["direct"], privacy["weaker"]) == (True, True)
