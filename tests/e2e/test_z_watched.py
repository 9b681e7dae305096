"""What an observer of the wire and of the disks learns of a question. Runs after the others of the same network."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.e2e.conftest import ByHand
from tests.support.capture import Capture, disguises, is_dtls
from tests.support.network import Answer, free_port

pytestmark = pytest.mark.timeout(120)
MARKER = "Zanzibarquokka7351"
QUESTION = f"Who can read my question about {MARKER}?"


@pytest.fixture(scope="module")
def answer(by_hand: ByHand) -> Answer:
    """One answer over the watched network, long enough for its text to be unmistakable."""
    told = Answer(by_hand.network.openai("client"), QUESTION, min_tokens=30, max_tokens=40, temperature=1.3).read()
    assert told.error is None
    assert len(told.text) > 60
    return told


@pytest.mark.raw_capture
def test_the_wire_shows_dtls_and_neither_question_nor_answer(by_hand: ByHand, answer: Answer) -> None:
    capture = by_hand.capture
    assert capture is not None
    by_hand.network.stop("client")  # its farewells are on the wire, too
    capture.__exit__(None, None, None)
    assert capture.dropped == 0
    assert sum(is_dtls(datagram) for datagram in capture.datagrams) > 1000
    assert len(capture.ports) > 20
    secrets = [MARKER, QUESTION[:24], answer.text[:24], answer.text[-24:], answer.text[20:44]]
    udp, tcp = b"\n".join(capture.datagrams), b"\n".join(capture.streams())
    assert b"/v1/signaling" in tcp  # the server's port is the one that was watched
    for secret in secrets:
        for disguise in disguises(secret):
            assert disguise not in udp
            assert disguise not in tcp


@pytest.mark.raw_capture
@pytest.mark.parametrize("kind", range(7))
def test_the_capture_would_show_a_question_in_the_clear(kind: int) -> None:
    """The same look, at a datagram and a connection that do carry the marker in each of its disguises."""
    hidden = disguises("x" * (kind - 4 if kind > 4 else 0) + MARKER)[min(kind, 4)]
    with socket.create_server(("127.0.0.1", 0)) as server, Capture(server.getsockname()[1]) as capture:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"before" + hidden + b"after", ("127.0.0.1", free_port()))
        with socket.create_connection(server.getsockname()) as connection:
            taken, _ = server.accept()
            connection.sendall(b"GET /" + hidden[:9])
            taken.recv(64)
            connection.sendall(hidden[9:])
            taken.recv(64)
            taken.close()
    assert any(disguise in datagram for datagram in capture.datagrams for disguise in disguises(MARKER))
    assert any(disguise in stream for stream in capture.streams() for disguise in disguises(MARKER))


def test_nothing_on_disk_holds_the_question(by_hand: ByHand, answer: Answer) -> None:
    """Keys, databases, directories and logs; the nodes log all they can here."""
    folder = by_hand.network.folder
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"client.", "model.", "bootstrap.", "relays."} <= {path.name.split(".")[0] + "." for path in files}
    assert "engine.node" in by_hand.network.log("model")
    wanted = [disguise for text in (MARKER, answer.text[:24]) for disguise in disguises(text)]
    assert [path for path in files if any(disguise in path.read_bytes() for disguise in wanted)] == []


def test_secrets_on_disk_are_for_their_owner_alone(by_hand: ByHand) -> None:
    """Keys and tokens: 0600, in folders that others cannot enter."""
    if os.name == "nt":
        pytest.skip("Windows guards these by the user's profile, not by modes")
    data = by_hand.network.data("model")
    secrets: list[Path] = [data.keys, data.api_token, data.lock]
    secrets += [path for path in (by_hand.network.folder / "bootstrap").iterdir() if "key" in path.name]
    assert len(secrets) >= 4
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in secrets if path.stat().st_mode & 0o077} == {}
