"""Real links through real routers and the packaged coturn. Every pair of kinds: ``make test-nat``."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.transport.sdp import parse_session
from engine.wire.signaling import LinkAnswer, LinkOffer, signal_payload_decoder
from tests.nat.laboratory import COTURN, PREFIX, QUOTA_PORT, ROOT, Laboratory, remove_leftovers
from tests.nat.pairs import Party, expected, link, try_pair
from tests.nat.table import SECOND_TIME

PAIRS = (
    ("full-cone", "symmetric"),
    ("port-restricted", "symmetric"),
    ("symmetric", "only-443"),
    ("only-443", "udp-blocked"),
    ("ipv6", "dual-stack"),
)


@pytest.fixture(scope="module")
def parties(laboratory: Laboratory) -> Iterator[dict[str, Party]]:
    kinds = dict.fromkeys(kind for pair in PAIRS for kind in pair)
    made = {kind: Party(laboratory, laboratory.side(kind), number) for number, kind in enumerate(kinds, 1)}
    yield made
    for party in made.values():
        party.close()


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_pair_is_linked_as_its_routers_allow_and_quickly_the_second_time(parties, one, other):
    outcome = try_pair(parties[one], parties[other])
    assert outcome.kind == expected(one, other)
    if outcome.kind == "relayed":
        assert outcome.second < SECOND_TIME
    for kind, turn in zip((one, other), outcome.turn, strict=True):
        if kind == "only-443":
            assert turn == f"turns:{COTURN}:443?transport=tcp"
        elif kind == "udp-blocked":
            assert turn == f"turn:{COTURN}:3478?transport=tcp"


def test_relayed_links_only_show_no_neighbour_the_address(parties):
    hidden, other = parties["full-cone"], parties["dual-stack"]
    for party in (hidden, other):
        party.signals.clear()
    kind, _, _ = link(hidden, other, relayed_only=True)
    assert kind == "relayed"
    sessions = [signal_payload_decoder.decode(payload) for party in (hidden, other) for payload in party.signals]
    assert len(sessions) == 2
    for message in sessions:
        assert isinstance(message, LinkOffer | LinkAnswer)
        session = parse_session(message.sdp, "offer" if isinstance(message, LinkOffer) else "answer")
        assert {(candidate.kind, candidate.address) for candidate in session.candidates} == {("relay", COTURN)}
        assert b"192.168." not in message.sdp


@pytest.mark.parametrize(
    "target", ["127.0.0.1", "10.9.8.7", "192.168.1.2", "172.16.0.1", "169.254.169.254", "100.100.100.200", "0.0.0.0"]
)
def test_the_turn_server_reaches_no_private_address(parties, target):
    said = parties["full-cone"].relay(f"turn:{COTURN}:3478", target=target)
    assert said["lent"] == 1
    assert "Forbidden" in said["error"]


def test_the_turn_server_reaches_public_addresses(parties):
    assert parties["full-cone"].relay(f"turn:{COTURN}:3478", target="203.0.113.200")["error"] == ""


def test_a_quota_that_is_used_up_is_told(parties):
    said = parties["full-cone"].relay(f"turn:{COTURN}:{QUOTA_PORT}", count=3)
    assert said["lent"] == 2
    assert "quota of relayed links is used up" in said["error"]


def test_what_a_killed_run_leaves_is_removed_by_the_next(laboratory, tmp_path):
    program = (
        "import sys, time, pathlib; from tests.nat.laboratory import Laboratory\n"
        "lab = Laboratory(pathlib.Path(sys.argv[1])); lab._internet(); side = lab.side('symmetric')\n"
        "lab.popen(side, 'sleep', '100'); print('made', flush=True); time.sleep(100)\n"
    )
    made = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT)
    assert made.stdout is not None
    assert made.stdout.readline() == b"made\n"
    made.kill()
    made.wait()
    made.stdout.close()
    names = [path.name for path in Path("/run/netns").iterdir()]
    assert f"{PREFIX}{made.pid}net" in names
    remove_leftovers()
    for _ in range(300):
        names = [path.name for path in Path("/run/netns").iterdir()]
        if not any(name.startswith(f"{PREFIX}{made.pid}") for name in names):
            break
        time.sleep(0.1)
    assert not any(name.startswith(f"{PREFIX}{made.pid}") for name in names)
    assert any(name.startswith(laboratory._prefix) for name in names)  # and nobody else's
