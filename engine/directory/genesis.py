"""The first record of a network, and the file that people pass on.

The network id is the SHA-256 of the record's bytes. The file is JSON: the record in base64, which alone counts, beside
a decoded view for readers. A file whose view or id does not follow from its record is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from engine.errors import DirectoryError, WireError
from engine.ids import NetworkId
from engine.wire import SUITE_ED25519
from engine.wire.blocks import MAX_MEMBERS
from engine.wire.codec import encode
from engine.wire.records import Genesis, Parameters, genesis_decoder

FORMAT = "gentorrent-genesis-1"
MAXIMUM_FILE_LENGTH = 65_536
"""Bytes of a genesis file."""
MAXIMUM_NAME_LENGTH = 100
NAME_RULE = f"The name of a network must be 1 to {MAXIMUM_NAME_LENGTH} printable characters."


@dataclass(frozen=True, slots=True)
class GenesisRecord:
    """A genesis with the exact bytes that its network id is the SHA-256 of."""

    genesis: Genesis
    record: bytes

    @property
    def network_id(self) -> NetworkId:
        return NetworkId(hashlib.sha256(self.record).digest())

    @property
    def parameters(self) -> Parameters:
        return self.genesis.parameters


def is_name(text: str) -> bool:
    """Whether a network can be called so."""
    return bool(text.strip()) and text.isprintable() and len(text) <= MAXIMUM_NAME_LENGTH


def make_genesis(
    name: str,
    server_key: bytes,
    parameters: Parameters,
    now: float,
    random_bytes: Callable[[int], bytes],
    committee: Sequence[bytes] = (),
) -> GenesisRecord:
    """A new network with one server key and the keys of its ``committee`` (Ed25519; none: nobody judges).

    ``now`` is in seconds since 1970. ``DirectoryError`` if the name or the parameters are out of bounds.
    """
    genesis = Genesis(
        suite=SUITE_ED25519,
        name=name,
        server_keys=(server_key,),
        committee_keys=tuple(committee),
        created=int(now),
        salt=random_bytes(32),
        parameters=parameters,
    )
    try:
        # Read back once: an integer where a float belongs would otherwise be written as one.
        return decode_record(encode(genesis_decoder.decode(encode(genesis))))
    except WireError as error:
        raise DirectoryError(f"The name or the parameters of the network are out of bounds: {error}.") from error


def decode_record(record: bytes) -> GenesisRecord:
    """A genesis from its exact bytes; ``DirectoryError`` for anything that is not one, canonical and usable."""
    try:
        genesis = genesis_decoder.decode(record)
    except WireError as error:
        raise DirectoryError(f"This is not a genesis record: {error}.") from error
    if encode(genesis) != record:
        raise DirectoryError("The genesis record is not in its canonical form. Get the file from the operator again.")
    if genesis.suite != SUITE_ED25519:
        raise DirectoryError(
            f"This network uses signature suite {genesis.suite}, which this version does not know. Update GenTorrent."
        )
    if not is_name(genesis.name):
        raise DirectoryError(NAME_RULE)
    if genesis.parameters.k > genesis.parameters.n:
        raise DirectoryError(
            f"The genesis asks for k = {genesis.parameters.k} of n = {genesis.parameters.n} cloves: k may not exceed n."
        )
    if genesis.parameters.path_length == 0 and (genesis.parameters.n, genesis.parameters.k) != (1, 1):
        raise DirectoryError("A network whose paths have no relays is asked directly: n and k must be 1.")
    if len(set(genesis.server_keys)) != len(genesis.server_keys):
        raise DirectoryError("The genesis names one server key twice.")
    committee = genesis.committee_keys
    if len(set(committee)) != len(committee) or len(committee) > MAX_MEMBERS:
        raise DirectoryError(f"A committee has at most {MAX_MEMBERS} members, and each of them once.")
    return GenesisRecord(genesis, record)


def to_file(genesis: GenesisRecord) -> bytes:
    """The genesis file: JSON in UTF-8, indented, the same bytes every time."""
    document = {
        "format": FORMAT,
        "network_id": genesis.network_id.hex(),
        "record": base64.b64encode(genesis.record).decode("ascii"),
        "decoded": _view(genesis.genesis),
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def from_file(data: bytes, expected: NetworkId | None = None) -> GenesisRecord:
    """The genesis in a file, checked against the network id that the caller ``expected``; raises ``DirectoryError``."""
    if len(data) > MAXIMUM_FILE_LENGTH:
        raise DirectoryError(f"A genesis file has at most {MAXIMUM_FILE_LENGTH} bytes; this one has {len(data)}.")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DirectoryError("This is not a genesis file: it is not JSON.") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise DirectoryError(f'This is not a genesis file: it lacks "format": "{FORMAT}".')
    try:
        record = base64.b64decode(document["record"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise DirectoryError("The genesis file has no readable record.") from error
    genesis = decode_record(record)
    if document.get("network_id") != genesis.network_id.hex() or document.get("decoded") != _view(genesis.genesis):
        raise DirectoryError("The readable part of the genesis file contradicts its record: somebody changed it.")
    check_network_id(genesis, expected)
    return genesis


def check_network_id(genesis: GenesisRecord, expected: NetworkId | None) -> None:
    """``DirectoryError`` unless the genesis is that of the ``expected`` network (None expects nothing)."""
    if expected is not None and genesis.network_id != expected:
        raise DirectoryError(
            f"The server belongs to network {genesis.network_id.hex()}, not to {expected.hex()} as you asked. "
            "Either the address is wrong or somebody answers in the server's place; check both with the operator."
        )


def parse_network_id(text: str) -> NetworkId:
    """A network id from its 64 hexadecimal digits; raises ``DirectoryError``."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != 32 or len(text) != 64:
        raise DirectoryError(f"A network id has 64 hexadecimal digits; {text[:80]!r} does not.")
    return NetworkId(raw)


def _view(genesis: Genesis) -> dict[str, Any]:
    """What people read: keys in hexadecimal, everything else as it is."""
    return {
        "suite": genesis.suite,
        "name": genesis.name,
        "server_keys": [key.hex() for key in genesis.server_keys],
        "committee_keys": [key.hex() for key in genesis.committee_keys],
        "created": genesis.created,
        "salt": genesis.salt.hex(),
        "parameters": msgspec.structs.asdict(genesis.parameters),
    }
