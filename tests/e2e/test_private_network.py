"""A private network of real processes, run by its operator's commands: invited, joined, asked, revoked."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from engine.inference.models.installed import BUILTIN_MODEL
from tests.support.network import Answer, Network, gentorrent

pytestmark = pytest.mark.timeout(120)
QUESTION = "Who can read my question?"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with Network(tmp_path_factory.mktemp("private")) as network:
        network.found("--invited-only", "--hops", "0")
        network.join("serving", network.invite("--label", "attic"), "--contribute", BUILTIN_MODEL)
        ids = gentorrent("invite", "ids", "--data", str(network.folder / "asking")).stdout.split()
        bound = network.invite("--label", "desk", "--for", ids[0], "--for", ids[1])
        network.join("asking", bound)
        network.wait_ready("asking", 0, 1)
        yield network


def invitations(network: Network) -> dict[str, dict[str, str]]:
    told = gentorrent("invite", "list", "--json", "--data", str(network.folder / "bootstrap"))
    return {one["label"]: one for one in json.loads(told.stdout)}


def test_members_ask_each_other(network: Network) -> None:
    answer = Answer(network.openai("asking"), QUESTION, max_tokens=5).read()
    assert answer.error is None
    assert answer.extension["served_by"] == network.node_id("serving")
    listed = invitations(network)
    assert listed["attic"]["status"] == listed["desk"]["status"] == "in use"
    assert listed["attic"]["node"] == network.node_id("serving")


def test_an_invitation_is_kept_so_that_once_is_enough(network: Network) -> None:
    network.stop("asking")
    address = f"{network.address}#{json.loads((network.folder / 'bootstrap/genesis.json').read_text())['network_id']}"
    network.launch(
        "asking", "node", "--bootstrap", address, "--data", str(network.folder / "asking"), "--api-port", "0"
    )
    network.wait_ready("asking", 0, 1)


def test_strangers_and_second_users_are_refused_with_the_reason(network: Network) -> None:
    network.node("stranger")
    network.wait("stranger", lambda state: state.network.status == "offline" and "private" in state.network.reason, 90)
    network.stop("stranger")
    bound = network.invite("--for", network.node_id("serving"))
    network.join("wrong", bound)
    network.wait(
        "wrong", lambda state: state.network.status == "offline" and "for another node" in state.network.reason, 90
    )
    network.stop("wrong")


def test_a_revoked_member_is_gone_at_once(network: Network) -> None:
    told = gentorrent(
        "invite", "revoke", invitations(network)["attic"]["id"][:8], "--data", str(network.folder / "bootstrap")
    )
    assert told.returncode == 0, told.stderr
    state = network.wait("asking", lambda state: state.network.nodes == 1 and state.network.links == 0, 15)
    assert state.network.bootstrap_connected
    network.wait("serving", lambda state: "revoked" in state.network.reason, 90)
    assert invitations(network)["attic"]["status"] == "revoked"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["node", "--join", "gentorrent-invite-abc"], "incomplete or mistyped"),
        (["node", "--join", "hello"], "not an invitation"),
        (["invite", "create", "--url", "nonsense", "--data", "{bootstrap}"], "not the address"),
        (["invite", "create", "--url", "http://h", "--for", "nobody", "--data", "{bootstrap}"], "--for"),
        (["invite", "revoke", "zz", "--data", "{bootstrap}"], "no invitation begins"),
    ],
)
def test_wrong_input_is_told(network: Network, arguments: list[str], said: str) -> None:
    given = [word.replace("{bootstrap}", str(network.folder / "bootstrap")) for word in arguments]
    told = gentorrent(*given, GENTORRENT_DATA=str(network.folder / "fresh"))
    assert told.returncode != 0
    assert said in told.stderr
    assert "Traceback" not in told.stderr
