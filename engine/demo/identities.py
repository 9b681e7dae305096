"""The identities of the demo's nodes: some have to be known before the nodes begin."""

from __future__ import annotations

from engine.clock import SystemClock
from engine.crypto.identity import Identity
from engine.storage.data_directory import DataDirectory
from engine.storage.key_store import KeyStore


def node_identity(directory: DataDirectory) -> Identity:
    """Of the node in this data directory, made if it is not there. The user's keyring is left alone, as by the demo's
    processes."""
    directory.create()
    return KeyStore(directory.keys, SystemClock(), environment={"GENTORRENT_KEYRING": "off"}).identity("identity")
