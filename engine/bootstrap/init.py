"""Making a network: the server's key and the genesis file, once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.clock import Clock, SystemClock
from engine.crypto.identity import Identity
from engine.directory import genesis as genesis_file
from engine.directory.genesis import GenesisRecord
from engine.errors import ConfigurationError, DirectoryError, StorageError
from engine.ids import NetworkId
from engine.storage.files import make_directory, read_limited, write_atomically
from engine.wire.records import Parameters

KEY_FILE = "server.key"
GENESIS_FILE = "genesis.json"
DEFAULT_NAME = "GenTorrent network"


@dataclass(frozen=True, slots=True)
class Network:
    """What a data directory of a bootstrap server holds. ``created`` tells whether this call made it."""

    genesis: GenesisRecord
    server: Identity
    created: bool
    notice: str

    @property
    def network_id(self) -> NetworkId:
        return self.genesis.network_id


def init_network(
    data: Path,
    name: str = DEFAULT_NAME,
    parameters: Parameters | None = None,
    *,
    committee: Sequence[bytes] = (),
    clock: Clock | None = None,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Network:
    """Write the server's key (0600) and the genesis file into ``data``; keep both if they are there already.

    ``committee`` are the keys of the verifiers. ``notice`` says in one sentence what was done. Raises ``StorageError``
    or ``DirectoryError`` (a bad name or committee).
    """
    if (data / GENESIS_FILE).exists():
        network = load_network(data)
        kept = f"{data} already holds network {network.network_id.hex()}: its keys and genesis file are kept unchanged."
        return Network(network.genesis, network.server, False, kept)
    make_directory(data)
    # A key without a genesis is left by an --init that was interrupted; it is as good as a new one.
    server = load_key(data / KEY_FILE) or Identity.from_seed(random_bytes(32))
    now = (clock or SystemClock()).wall()
    genesis = genesis_file.make_genesis(
        name, server.public_key, parameters or Parameters(), now, random_bytes, committee
    )
    write_atomically(data / KEY_FILE, server.seed.hex().encode("ascii") + b"\n")
    write_atomically(data / GENESIS_FILE, genesis_file.to_file(genesis), mode=0o644)
    notice = (
        f"Made network {genesis.network_id.hex()} in {data}. Back up {KEY_FILE}, which is not encrypted and readable by"
        " you alone: who has it can sign in the server's place."
    )
    return Network(genesis, server, True, notice)


def load_network(data: Path) -> Network:
    """The network that ``init_network`` made; ``ConfigurationError`` names ``--init`` if there is none."""
    text = read_limited(data / GENESIS_FILE, genesis_file.MAXIMUM_FILE_LENGTH)
    if text is None:
        raise ConfigurationError(
            f"{data} holds no network yet. Make its keys and genesis file once with:"
            f" gentorrent bootstrap --init --data {data}"
        )
    server = load_key(data / KEY_FILE)
    if server is None:
        raise StorageError(
            f"{data / KEY_FILE} is missing, and nothing can be signed without it. Restore it from your backup; to begin"
            f" a new network instead, use an empty directory with --init."
        )
    genesis = genesis_file.from_file(text)
    if server.public_key not in genesis.genesis.server_keys:
        raise DirectoryError(f"{data / KEY_FILE} is not a key that {data / GENESIS_FILE} names. Restore the right one.")
    return Network(genesis, server, False, "")


def load_key(path: Path) -> Identity | None:
    """The key in a file, None if there is none; ``StorageError`` for one that is damaged."""
    text = read_limited(path, 1024)
    if text is None:
        return None
    try:
        return Identity.from_seed(bytes.fromhex(text.decode("ascii").strip()))
    except ValueError as error:
        raise StorageError(f"{path} is damaged. Restore it from your backup.") from error
