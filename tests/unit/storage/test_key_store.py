"""Keys survive, grow old, and are never replaced behind the owner's back."""

from __future__ import annotations

import base64
import json
import stat
import sys
import threading
import time

import pytest

from engine.clock import ManualClock
from engine.errors import KeyStoreError, StorageError
from engine.storage import keyring_access
from engine.storage.key_store import DAY_SECONDS, KeyStore, Protection

OFF = {"GENTORRENT_KEYRING": "off"}
WITH_PASSPHRASE = {**OFF, "GENTORRENT_KEY_PASSPHRASE": "correct horse"}


class MemoryKeyring:
    """A keyring that keeps its entries in memory and can be broken."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.broken = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.broken:
            raise RuntimeError("locked")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.broken:
            raise RuntimeError("locked")
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


def open_store(path, environment=OFF, keyring=None, clock=None) -> KeyStore:
    return KeyStore(path, clock or ManualClock(), environment=environment, keyring=keyring)


def cases():
    return [
        pytest.param({}, MemoryKeyring(), Protection.KEYRING, id="keyring"),
        pytest.param(WITH_PASSPHRASE, None, Protection.PASSPHRASE, id="passphrase"),
        pytest.param(OFF, None, Protection.PLAIN, id="plain"),
    ]


@pytest.mark.parametrize(("environment", "keyring", "protection"), cases())
def test_keys_come_back_under_each_protection(tmp_path, environment, keyring, protection):
    path = tmp_path / "keys"
    store = open_store(path, environment, keyring)
    identity, client = store.identity(), store.identity("client-identity")
    rotating = store.rotating("onion", lambda: b"secret onion key of today".ljust(32))
    again = open_store(path, environment, keyring)
    assert again.protection is store.protection is protection
    assert again.identity().node_id == identity.node_id != client.node_id
    assert again.identity("client-identity").node_id == client.node_id
    assert again.rotating("onion", lambda: b"another") == rotating
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    body = base64.b64decode(json.loads(path.read_text())["body"])
    assert (base64.b64encode(identity.seed) in body) is (protection is Protection.PLAIN)
    assert ("NOT encrypted" in store.notice) is (protection is Protection.PLAIN)


def test_a_wrong_or_missing_passphrase_is_an_error_and_changes_nothing(tmp_path):
    path = tmp_path / "keys"
    open_store(path, WITH_PASSPHRASE).identity()
    before = path.read_bytes()
    with pytest.raises(KeyStoreError, match="not the passphrase"):
        open_store(path, {**OFF, "GENTORRENT_KEY_PASSPHRASE": "wrong"})
    with pytest.raises(KeyStoreError, match="Set GENTORRENT_KEY_PASSPHRASE"):
        open_store(path, OFF)
    assert path.read_bytes() == before


def test_a_keyring_that_is_gone_is_an_error_and_no_new_identity(tmp_path):
    path, keyring = tmp_path / "keys", MemoryKeyring()
    open_store(path, {}, keyring).identity()
    with pytest.raises(KeyStoreError, match="does not answer"):
        open_store(path, OFF)
    keyring.broken = True
    with pytest.raises(KeyStoreError, match="failed"):
        open_store(path, {}, keyring)
    keyring.broken = False
    keyring.entries.clear()
    with pytest.raises(KeyStoreError, match="no longer holds"):
        open_store(path, {}, keyring)


def test_a_broken_keyring_at_first_falls_back(tmp_path):
    keyring = MemoryKeyring()
    keyring.broken = True
    assert open_store(tmp_path / "keys", {"GENTORRENT_KEY_PASSPHRASE": "p"}, keyring).protection is (
        Protection.PASSPHRASE
    )
    assert open_store(tmp_path / "other", {}, keyring).protection is Protection.PLAIN


def test_a_plain_file_is_sealed_once_there_is_a_passphrase(tmp_path):
    path = tmp_path / "keys"
    identity = open_store(path).identity()
    sealed = open_store(path, WITH_PASSPHRASE)
    assert sealed.protection is Protection.PASSPHRASE
    assert sealed.identity().node_id == identity.node_id
    with pytest.raises(KeyStoreError):
        open_store(path, OFF)


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff", b'{"format":"other","protection":"plain"}', None])
def test_a_damaged_file_is_an_error(tmp_path, damage):
    path = tmp_path / "keys"
    open_store(path, WITH_PASSPHRASE).identity()
    document = json.loads(path.read_text())
    document["salt"] = document["salt"][::-1]
    path.write_bytes(json.dumps(document).encode() if damage is None else damage)
    before = path.read_bytes()
    with pytest.raises(KeyStoreError):
        open_store(path, WITH_PASSPHRASE)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        {"identities": {"identity": "AAAA"}},
        {"rotating": {"onion": [{"secret": "AAAA", "created": 1.0}]}},
    ],
)
def test_a_key_of_another_length_is_a_damaged_file(tmp_path, content):
    body = base64.b64encode(json.dumps(content).encode()).decode()
    path = tmp_path / "keys"
    path.write_text(json.dumps({"format": "gentorrent-keys-1", "protection": "plain", "body": body}))
    with pytest.raises(KeyStoreError, match="is damaged"):
        open_store(path)


def test_daily_keys_rotate_and_old_ones_are_destroyed(tmp_path):
    path, clock = tmp_path / "keys", ManualClock()
    store = open_store(path, clock=clock)
    names = iter([b"monday", b"tuesday", b"wednesday", b"later"])

    def keys() -> list[bytes]:
        return [key.secret.rstrip() for key in store.rotating("onion", lambda: next(names).ljust(32))]

    assert keys() == [b"monday"]
    clock.advance(DAY_SECONDS - 1)
    assert keys() == [b"monday"]
    clock.advance(1)
    assert keys() == [b"tuesday", b"monday"]
    clock.advance(DAY_SECONDS)
    assert keys() == [b"wednesday", b"tuesday"]
    clock.advance(5 * DAY_SECONDS)
    assert keys() == [b"later"]
    again = open_store(path, clock=clock).rotating("onion", lambda: b"x" * 32)
    assert [key.secret.rstrip() for key in again] == [b"later"]
    body = base64.b64decode(json.loads(path.read_text())["body"])
    assert base64.b64encode(b"wednesday") not in body


def test_a_keyring_that_never_answers_is_given_up():
    release = threading.Event()
    began = time.monotonic()
    with pytest.raises(KeyStoreError, match="did not answer"):
        keyring_access.with_timeout(lambda: release.wait(20), 0.1)
    assert time.monotonic() - began < 5
    release.set()


def test_only_a_real_keyring_counts():
    # The tests run with keyring's null backend, which keeps nothing.
    assert keyring_access.find_keyring({}) is None
    assert keyring_access.find_keyring(OFF) is None


def test_a_key_that_cannot_be_written_is_not_used(tmp_path, monkeypatch):
    clock = ManualClock()
    path = tmp_path / "keys"
    store = open_store(path, clock=clock)
    (before,) = store.rotating("onion", lambda: b"1" * 32)

    def full(*_: object) -> None:
        raise StorageError("the disk is full")

    clock.advance(DAY_SECONDS)
    with monkeypatch.context() as patched:
        patched.setattr("engine.storage.key_store.write_atomically", full)
        for _ in range(2):
            with pytest.raises(StorageError):
                store.rotating("onion", lambda: b"2" * 32)
        with pytest.raises(StorageError):
            store.identity("new")
    made = store.rotating("onion", lambda: b"3" * 32)
    assert [key.secret for key in made] == [b"3" * 32, before.secret]
    identity = store.identity("new")
    again = open_store(path, clock=clock)
    assert again.rotating("onion", lambda: b"4" * 32) == made
    assert again.identity("new").seed == identity.seed


def test_a_replaced_identity_is_kept_until_it_is_told_and_then_destroyed(tmp_path):
    path = tmp_path / "keys"
    store = open_store(path)
    first, client = store.identity(), store.identity("client-identity")
    assert store.predecessor() is None
    second = store.replace_identity()
    assert second.public_key != first.public_key
    again = open_store(path)  # also after a restart
    assert again.identity().public_key == second.public_key
    assert again.predecessor().public_key == first.public_key
    assert again.identity("client-identity").public_key == client.public_key
    with pytest.raises(KeyStoreError, match="not known to the network yet"):
        again.replace_identity()
    again.forget_predecessor()
    assert again.predecessor() is None
    kept = base64.b64decode(json.loads(path.read_text())["body"])
    assert base64.b64encode(first.seed) not in kept
    assert base64.b64encode(second.seed) in kept
    assert open_store(path).predecessor() is None
    third = again.replace_identity()
    assert again.predecessor().public_key == second.public_key
    assert third.public_key not in (first.public_key, second.public_key)


def test_an_identity_that_was_never_used_has_no_predecessor(tmp_path):
    store = open_store(tmp_path / "keys")
    store.replace_identity()
    assert store.predecessor() is None


def test_a_replacement_that_cannot_be_written_changes_nothing(tmp_path, monkeypatch):
    store = open_store(tmp_path / "keys")
    first = store.identity()

    def full(*_, **__):
        raise StorageError("The disk is full.")

    monkeypatch.setattr("engine.storage.key_store.write_atomically", full)
    with pytest.raises(StorageError):
        store.replace_identity()
    assert store.identity().public_key == first.public_key
    assert store.predecessor() is None
