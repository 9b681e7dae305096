"""Keys and what is known of networks are destroyed when that was wished, and nothing else is."""

from __future__ import annotations

from engine.clock import ManualClock
from engine.storage import forgetting
from engine.storage.data_directory import DataDirectory
from engine.storage.key_store import KeyStore, destroy_keys
from tests.unit.storage.test_key_store import OFF, MemoryKeyring


def test_nothing_happens_without_a_wish(tmp_path):
    directory = DataDirectory(tmp_path)
    directory.keys.write_bytes(b"keys")
    assert not forgetting.fulfil(directory)
    assert directory.keys.exists()


def test_a_wish_is_fulfilled_once_and_models_stay(tmp_path):
    directory = DataDirectory(tmp_path)
    before = KeyStore(directory.keys, ManualClock(), environment=OFF).identity().node_id
    deep = directory.networks / ("ab" * 32) / "committee"
    deep.mkdir(parents=True)
    for file in (deep / "memory", directory.networks / "connectivity.json", directory.api_token):
        file.write_bytes(b"known")
    directory.models.mkdir()
    (directory.models / "m.onnx").write_bytes(b"model")
    forgetting.wish(directory)
    assert forgetting.fulfil(directory)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["models"]
    assert (directory.models / "m.onnx").exists()
    assert not forgetting.fulfil(directory)
    assert KeyStore(directory.keys, ManualClock(), environment=OFF).identity().node_id != before


def test_the_keyrings_entry_goes_with_the_file(tmp_path):
    keyring = MemoryKeyring()
    KeyStore(tmp_path / "keys", ManualClock(), environment={}, keyring=keyring).identity()
    assert len(keyring.entries) == 1
    destroy_keys(tmp_path / "keys", keyring=keyring)
    assert keyring.entries == {}
    assert not (tmp_path / "keys").exists()
    destroy_keys(tmp_path / "keys", keyring=keyring)


def test_a_damaged_key_file_or_a_locked_keyring_do_not_hinder(tmp_path):
    (tmp_path / "keys").write_bytes(b"no JSON")
    destroy_keys(tmp_path / "keys", environment=OFF)
    keyring = MemoryKeyring()
    KeyStore(tmp_path / "keys", ManualClock(), environment={}, keyring=keyring).identity()
    keyring.broken = True
    destroy_keys(tmp_path / "keys", keyring=keyring)
    assert not (tmp_path / "keys").exists()
