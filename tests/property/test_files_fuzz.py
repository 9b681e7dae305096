"""Files and texts that people pass on or that lie on the disk: whatever is in them, it is used, refused in words or
left out; nothing else happens, and nothing is made that is much larger than they are."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.clock import ManualClock
from engine.directory.genesis import GenesisRecord, from_file, to_file
from engine.directory.guards import GuardList, state_of
from engine.directory.invite import PREFIX, Invitation, from_text, make_invitation
from engine.directory.snapshot import ChainPoint, sign_snapshot
from engine.errors import DirectoryError, StorageError
from engine.node.saved_guards import load_guards, save_guards
from engine.node.saved_offer import load_offer, save_offer
from engine.storage.state import MAXIMUM_STATE_LENGTH
from engine.transport.directory_keeper import DirectoryKeeper
from engine.transport.ice_servers import IceUrl, OfferedServers
from engine.transport.network_memory import NetworkMemory, RememberedNetwork
from engine.transport.saved_invitation import load_invitation, save_invitation
from engine.wire.codec import encode
from engine.wire.records import MAX_SNAPSHOT
from tests.support.records import NOW, SERVER, genesis, identity, seeded

GENESIS = genesis()
NETWORK = GENESIS.network_id
INVITATION = make_invitation(SERVER, NETWORK, "https://b.example.org", NOW, seeded(1), seconds=60.0)
SNAPSHOT, _ = sign_snapshot(SERVER, NETWORK, ChainPoint(), NOW, ())
GUARDS = state_of([identity(number).node_id for number in range(8)])
OFFER = OfferedServers((IceUrl("stun", "s.example.org", 3478),), (), 2 * NOW)
FUZZ = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))

BOMBS = [
    b"[" * 60_000,
    b'{"a":' * 20_000,
    b'"' + b"\\u0000" * 10_000,
    b"9" * 60_000,
    b"1e999999",
    b"\xff\xfe" * 1000,
    b"\xdd\xff\xff\xff\xff" * 100,
    b'{"servers": [[["' + b"x" * 60_000 + b'"], "", ""]]}',
    b"null",
    b"",
]

ODD = [b"-1", b"1e308", b"1e309", b"99999999999999999999999", b"NaN", b"null", b"{}"]


def refusal(action: Callable[[], object]) -> str:
    """What ``action`` says when it refuses what it finds; "" when it takes it. Anything else fails the test."""
    try:
        action()
    except (StorageError, DirectoryError) as error:
        return str(error)
    return ""


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """``data`` with some bytes changed, cut, doubled or put in; or anything."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(BOMBS) | st.binary(max_size=300))
    out = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(out)))
        match draw(st.integers(0, 4)):
            case 0:
                out[place : place + 1] = draw(st.binary(min_size=1, max_size=1))
            case 1:
                del out[place : place + draw(st.integers(1, 40))]
            case 2:
                out[place:place] = out[place : place + 60]
            case 3:
                number = draw(
                    st.sampled_from([b"-1", b"1e308", b"1e309", b"99999999999999999999999", b"NaN", b"null", b"{}"])
                )
                out[place : place + len(number)] = number
            case _:
                out[place:place] = draw(st.sampled_from(BOMBS) | st.binary(max_size=10))
    return bytes(out)


def guards(folder: Path) -> None:
    state = load_guards(folder / "guards.json")
    if state is not None:
        listed = GuardList(state)
        listed.count_path(identity(1).node_id, False)
        assert len(listed.node_ids) <= 64


def network_memory(folder: Path) -> None:
    memory = NetworkMemory(folder / "networks.json", seeded(1))
    memory.recall("home", NOW)
    memory.remember("away", RememberedNetwork(seen=NOW))
    assert memory.recall("away", NOW) is not None, "what is damaged is begun anew"


def offer(folder: Path) -> None:
    found = load_offer(folder / "ice.json", NOW)
    assert found is None or len(found.stun) + len(found.turn) <= 32


def invitation(folder: Path) -> None:
    found = load_invitation(folder, NETWORK)
    assert found is None or found == INVITATION


def pinned_genesis(folder: Path) -> None:
    keeper = DirectoryKeeper("https://b.example.org", NETWORK, folder, ManualClock(NOW), lambda _: None)
    keeper.load()
    assert keeper.genesis is None or keeper.genesis == GENESIS


def directory(folder: Path) -> None:
    (folder / NETWORK.hex() / "genesis.json").write_bytes(to_file(GENESIS))
    keeper = DirectoryKeeper("https://b.example.org", NETWORK, folder, ManualClock(NOW), lambda _: None)
    found = keeper.load()
    assert found is None or found.digest == hashlib.sha256(SNAPSHOT.record).digest()


def check_note(folder: Path) -> None:
    (folder / NETWORK.hex() / "directory").write_bytes(encode(SNAPSHOT))
    directory(folder)


def prepare(folder: Path) -> None:
    save_guards(folder / "guards.json", GUARDS)
    NetworkMemory(folder / "networks.json", seeded(1)).remember("home", RememberedNetwork(seen=NOW))
    save_offer(folder / "ice.json", OFFER)
    save_invitation(folder, INVITATION)
    (folder / NETWORK.hex() / "genesis.json").write_bytes(to_file(GENESIS))
    (folder / NETWORK.hex() / "directory").write_bytes(encode(SNAPSHOT))
    note = {"digest": hashlib.sha256(SNAPSHOT.record).hexdigest(), "refused": [], "ended": ["AAAA"]}
    (folder / NETWORK.hex() / "directory-checked.json").write_bytes(json.dumps(note).encode())


FILES: dict[str, Callable[[Path], None]] = {
    "guards.json": guards,
    "networks.json": network_memory,
    "ice.json": offer,
    f"{NETWORK.hex()}/invitation": invitation,
    f"{NETWORK.hex()}/genesis.json": pinned_genesis,
    f"{NETWORK.hex()}/directory": directory,
    f"{NETWORK.hex()}/directory-checked.json": check_note,
}


@pytest.mark.parametrize("name", FILES, ids=lambda name: name.rpartition("/")[2])
def test_a_damaged_file_is_refused_in_words_or_begun_anew(name: str, tmp_path: Path) -> None:
    prepare(tmp_path)
    original = (tmp_path / name).read_bytes()
    FILES[name](tmp_path)

    @FUZZ
    @given(damaged(original))
    def check(data: bytes) -> None:
        (tmp_path / name).write_bytes(data)
        assert len(refusal(lambda: FILES[name](tmp_path))) < 1000

    check()


@pytest.mark.parametrize("name", FILES, ids=lambda name: name.rpartition("/")[2])
def test_bombs_on_the_disk_take_little_memory(name: str, tmp_path: Path) -> None:
    prepare(tmp_path)
    tracemalloc.start()
    try:
        for bomb in [*BOMBS, *(bomb * 4 for bomb in BOMBS)]:
            (tmp_path / name).write_bytes(bomb)
            refusal(lambda: FILES[name](tmp_path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    most = MAX_SNAPSHOT if "directory" in name else MAXIMUM_STATE_LENGTH  # that is what is asked of the system
    assert peak < most + 12 * 1024 * 1024


@FUZZ
@given(damaged(encode(INVITATION.invite)))
@example(b"")
@example(encode(INVITATION.invite).replace(b"b.example", b" .example"))
@example(encode(INVITATION.invite).replace(b"b.example", b"a.example"))
def test_an_invitation_whose_check_is_right_is_still_looked_at(data: bytes) -> None:
    """The check finds typing errors; who makes one on purpose computes it, and can name another server and no more."""
    check = hashlib.sha256(data).digest()[:4]
    text = PREFIX + base64.urlsafe_b64encode(data + check).decode().rstrip("=")
    read: list[Invitation] = []
    said = refusal(lambda: read.append(from_text(text)))
    assert read or 20 < len(said) < 600
    for one in read:
        assert one.grant == INVITATION.grant
        assert msgspec.structs.replace(one.invite, url=INVITATION.invite.url) == INVITATION.invite
        assert re.fullmatch(r"https?://[^\s#]+", one.invite.url)


@FUZZ
@given(damaged(to_file(GENESIS)))
def test_a_genesis_file_is_the_same_or_refused(data: bytes) -> None:
    read: list[GenesisRecord] = []
    said = refusal(lambda: read.append(from_file(data, NETWORK)))
    assert read == [GENESIS] or 20 < len(said) < 600


def test_a_genesis_whose_view_is_a_bomb_is_refused() -> None:
    document: dict[str, Any] = json.loads(to_file(GENESIS))
    for view in ("[" * 20_000 + "]" * 20_000, "9" * 30_000, '"' + "x" * 70_000 + '"'):
        data = json.dumps({**document, "decoded": 0}).replace('"decoded": 0', f'"decoded": {view}').encode()
        with pytest.raises(DirectoryError):
            from_file(data)
