"""The pinned genesis and the last good directory of a network: fetched, verified, kept on disk."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import aiohttp
import msgspec

from engine.clock import Clock
from engine.directory import genesis as genesis_file
from engine.directory.delta import apply_delta, read_answer
from engine.directory.directory import Directory
from engine.directory.genesis import GenesisRecord, parse_network_id
from engine.directory.heads import Heads, Proof, head_of
from engine.directory.snapshot import LAST_GOOD_SECONDS, Checked, SnapshotVerifier
from engine.errors import DirectoryError, EquivocationError, StorageError, WireError
from engine.ids import NetworkId, NodeId
from engine.sentences import said_by, say
from engine.storage.files import make_directory, read_limited, write_atomically
from engine.storage.state import load_state, save_state
from engine.transport.bootstrap_http import fetch
from engine.transport.evidence import keep_proof
from engine.wire.codec import encode
from engine.wire.link import DirectoryHash, head_decoder
from engine.wire.records import (
    MAX_SNAPSHOT,
    DirectoryDelta,
    SignedSnapshot,
    signed_snapshot_decoder,
    snapshot_decoder,
)

MAXIMUM_DIRECTORY = MAX_SNAPSHOT + 1024
LARGE_DIRECTORY = 1024 * 1024
"""Bytes; a larger one is written to the disk only every ``SAVE_SECONDS``: it changes every few seconds."""
SAVE_SECONDS = 300.0


class _SavedCheck(msgspec.Struct, frozen=True):
    """``Checked`` as it lies on disk: this account's own note, as trustworthy as its keys."""

    digest: str
    refused: list[int] = []
    ended: list[bytes] = []


class DirectoryKeeper:
    """Files below ``data``: ``pins/`` (address to network id), and per network ``genesis.json``, ``directory`` (the
    last good snapshot), ``directory-checked.json`` and ``evidence/``."""

    def __init__(
        self, url: str, network_id: NetworkId | None, data: Path, clock: Clock, on_notice: Callable[[str], None]
    ) -> None:
        self._url = url
        self._network_id = network_id
        self._data = data
        self._clock = clock
        self._on_notice = on_notice
        self._verifier: SnapshotVerifier | None = None
        self._lock = threading.Lock()
        self._signed: SignedSnapshot | None = None
        self._saved = float("-inf")
        self.heads: Heads | None = None
        self.genesis: GenesisRecord | None = None
        self.reading_key = b""  # what opens a private network's directory

    def load(self) -> Directory | None:
        """What is on disk: the pinned genesis and the last good directory, if they are there and good.

        ``DirectoryError`` or ``StorageError`` if the pinned genesis is there and cannot be used.
        """
        self._read_pin()
        if self._network_id is None:
            return None
        folder = self._data / self._network_id.hex()
        text = read_limited(folder / "genesis.json", genesis_file.MAXIMUM_FILE_LENGTH)
        if text is None:
            return None
        self._use(genesis_file.from_file(text, self._network_id))
        return self._load_directory(folder / "directory")

    @property
    def signed(self) -> SignedSnapshot | None:
        """The snapshot in use, as its server signed it."""
        return self._signed

    @property
    def closed(self) -> bool:
        """Whether the directory is a private one that nothing here opens yet."""
        return self.genesis is not None and self.genesis.parameters.invited_only and not self.reading_key

    async def ensure_genesis(self, session: aiohttp.ClientSession, url: str) -> GenesisRecord:
        """The pinned genesis, or the server's, checked against the expected network id and pinned from now on."""
        if self.genesis is not None:
            return self.genesis
        self._read_pin()  # again: a pin that cannot be read is no leave to trust whoever answers now
        text = await self.get(session, url, "/v1/genesis", genesis_file.MAXIMUM_FILE_LENGTH)
        genesis = genesis_file.from_file(text, self._network_id)
        folder = self._data / genesis.network_id.hex()
        make_directory(folder)
        write_atomically(folder / "genesis.json", genesis_file.to_file(genesis))
        if self._network_id is None:
            make_directory(self._pin.parent)
            write_atomically(self._pin, genesis.network_id.hex().encode("ascii") + b"\n")
            self._network_id = genesis.network_id
            name, number = genesis.genesis.name, genesis.network_id.hex()
            self._on_notice(say("directory.first_network", name=name, number=number))
        self._use(genesis)
        return genesis

    async def fetch(self, session: aiohttp.ClientSession, url: str) -> Directory | None:
        """The directory of the server at ``url`` if it is a newer one, verified and kept on disk; None if nothing
        changed.

        ``DirectoryError`` for one that is refused (roll-back, foreign key, ...): the last good one stays in use.
        """
        if self._verifier is None:
            raise DirectoryError("The genesis of the network is not known yet.")
        before = self._verifier.point.digest
        held = self._signed
        try:
            directory = await self._fetch_since(session, url, before if held is not None else b"")
        except (DirectoryError, WireError) as error:
            if held is None or isinstance(error, EquivocationError):
                raise
            # A change that does not fit says nothing about the whole.
            directory = await self._fetch_since(session, url, b"")
        if directory is None or directory.digest == before:
            return None
        await asyncio.to_thread(self._save, SAVE_SECONDS)
        return directory

    async def _fetch_since(self, session: aiohttp.ClientSession, url: str, since: bytes) -> Directory | None:
        path = f"/v1/directory?since={since.hex()}" if since else "/v1/directory"
        data = await self._request(session, url, path, MAXIMUM_DIRECTORY)
        if data is None:
            return None
        # Signature checks of a large directory take seconds; the loop must not wait for them.
        return await asyncio.to_thread(self._take, data)

    def _take(self, data: bytes) -> Directory:
        base = self._signed
        answer = read_answer(data, 0 if base is None else len(base.record))
        if isinstance(answer, DirectoryDelta):
            if base is None:
                raise DirectoryError("The server sent a change of a directory that is not here.")
            answer = apply_delta(answer, base)
        return self._accept(answer, LAST_GOOD_SECONDS)

    async def compare(self, session: aiohttp.ClientSession, url: str) -> None:
        """Hear what directory another server of this network shows."""
        data = await self.get(session, url, "/v1/head", 1024)
        self.hear(head_decoder.decode(data))

    def hear(self, head: DirectoryHash) -> None:
        """Somebody else, a neighbour or another server, shows this head. A contradiction is kept and told."""
        if self.heads is not None:
            self._report(self.heads.hear(head))

    def head(self) -> DirectoryHash | None:
        """The signed head of the directory in use."""
        return self._verifier.head if self._verifier is not None else None

    @property
    def is_behind(self) -> bool:
        """Whether somebody has shown a newer directory, signed by a server of this network, than the one here."""
        return self.heads is not None and self.heads.newest > self.heads.held > 0

    def _report(self, proof: Proof | None) -> None:
        if proof is not None and self.genesis is not None:
            folder = self._data / directory_folder(self.genesis)
            self._on_notice(keep_proof(folder, self.genesis.network_id, proof))

    async def get(self, session: aiohttp.ClientSession, url: str, path: str, limit: int) -> bytes:
        """The body of a small resource; ``BootstrapUnreachableError`` or ``WireError`` if it cannot be had."""
        data = await self._request(session, url, path, limit)
        if data is None:
            raise WireError(f"the server has nothing at {path}")
        return data

    async def _request(self, session: aiohttp.ClientSession, url: str, path: str, limit: int) -> bytes | None:
        return await fetch(session, url, path, limit, self.reading_key)

    def _load_directory(self, path: Path) -> Directory | None:
        if self._verifier is None:
            return None
        try:
            data = read_limited(path, MAXIMUM_DIRECTORY)
            if data is None:
                return None
            checked = _load_check(path.with_name("directory-checked.json"))
            # Even one that is too old to be used tells where the chain stood, so that nobody can go back behind it.
            directory = self._accept(signed_snapshot_decoder.decode(data), float("inf"), checked)
        except (DirectoryError, WireError, StorageError):
            return None  # damaged, or this computer's clock was set back: the next good one replaces it
        return directory if self._clock.wall() - directory.issued <= LAST_GOOD_SECONDS else None

    def _save(self, seconds: float) -> None:
        """Keep the snapshot in use for the next start; a large one not more often than every ``seconds``."""
        with self._lock:
            signed, verifier = self._signed, self._verifier
            if signed is None or verifier is None:
                return
            checked, now = verifier.checked, self._clock.monotonic()
            if len(signed.record) > LARGE_DIRECTORY and now - self._saved < seconds:
                return
            self._saved = now
        path = self._data / directory_folder(self.genesis) / "directory"
        ended = [bytes(name) for name in checked.ended]
        try:
            write_atomically(path, encode(signed))
            note = _SavedCheck(checked.digest.hex(), sorted(checked.refused), sorted(ended))
            save_state(path.with_name("directory-checked.json"), note)
        except StorageError as error:
            # Verified and usable all the same; what is lost is a quicker start.
            self._on_notice(say("directory.not_kept", problem=said_by(error)))

    def _accept(self, signed: SignedSnapshot, oldest: float, checked: Checked | None = None) -> Directory:
        """May run in a thread, and one whose owner was cancelled may still be at it when the next one starts."""
        with self._lock:
            if self._verifier is None or self.heads is None:
                raise DirectoryError("The genesis of the network is not known yet.")
            try:
                directory = self._verifier.accept(signed, self._clock.wall(), oldest, checked)
            except EquivocationError:
                self._report(self.heads.hear(head_of(signed, snapshot_decoder.decode(signed.record).epoch)))
                raise
            self._signed = signed
            if self._verifier.head is not None:
                self._report(self.heads.hold(self._verifier.head))
            return directory

    def _read_pin(self) -> None:
        """The network id that an earlier session pinned for this address, where the address names none."""
        if self._network_id is not None:
            return
        pin = read_limited(self._pin, 1024)
        if pin is None:
            return
        try:
            self._network_id = parse_network_id(pin.decode("ascii", "replace").strip())
        except DirectoryError as error:
            raise DirectoryError(say("directory.pin_damaged", path=str(self._pin), server=self._url)) from error

    def _use(self, genesis: GenesisRecord) -> None:
        self.genesis = genesis
        self._verifier = SnapshotVerifier(genesis)
        self.heads = Heads(genesis)

    @property
    def _pin(self) -> Path:
        return self._data / "pins" / hashlib.sha256(self._url.encode()).hexdigest()[:32]


def _load_check(path: Path) -> Checked | None:
    """What was found at the last check; None, and all is checked again, if that is not known."""
    try:
        note = load_state(path, _SavedCheck)
        if note is None:
            return None
        return Checked(bytes.fromhex(note.digest), frozenset(note.refused), frozenset(map(NodeId, note.ended)))
    except (StorageError, ValueError):
        return None


def directory_folder(genesis: GenesisRecord | None) -> str:
    """The name of a network's folder."""
    if genesis is None:
        raise DirectoryError("The genesis of the network is not known yet.")
    return genesis.network_id.hex()
