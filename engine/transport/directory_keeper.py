"""The pinned genesis and the last good directory of a network: fetched, verified, kept on disk."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import aiohttp

from engine.clock import Clock
from engine.directory import genesis as genesis_file
from engine.directory.directory import Directory
from engine.directory.genesis import GenesisRecord, parse_network_id
from engine.directory.snapshot import LAST_GOOD_SECONDS, SnapshotVerifier
from engine.errors import BootstrapUnreachableError, DirectoryError, StorageError, WireError
from engine.ids import NetworkId
from engine.storage.files import make_directory, read_limited, write_atomically
from engine.wire.records import MAX_SNAPSHOT, SignedSnapshot, signed_snapshot_decoder

MAXIMUM_DIRECTORY = MAX_SNAPSHOT + 1024
REQUEST_SECONDS = 120.0


class DirectoryKeeper:
    """Files below ``data``: ``pins/`` (address to network id), ``<network id>/genesis.json`` and ``directory``."""

    def __init__(
        self, url: str, network_id: NetworkId | None, data: Path, clock: Clock, on_notice: Callable[[str], None]
    ) -> None:
        self._url = url
        self._network_id = network_id
        self._data = data
        self._clock = clock
        self._on_notice = on_notice
        self._verifier: SnapshotVerifier | None = None
        self._tag = ""
        self._lock = threading.Lock()
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
    def closed(self) -> bool:
        """Whether the directory is a private one that nothing here opens yet."""
        return self.genesis is not None and self.genesis.parameters.invited_only and not self.reading_key

    async def ensure_genesis(self, session: aiohttp.ClientSession) -> GenesisRecord:
        """The pinned genesis, or the server's, checked against the expected network id and pinned from now on."""
        if self.genesis is not None:
            return self.genesis
        self._read_pin()  # again: a pin that cannot be read is no leave to trust whoever answers now
        text = await self.get(session, "/v1/genesis", genesis_file.MAXIMUM_FILE_LENGTH)
        genesis = genesis_file.from_file(text, self._network_id)
        folder = self._data / genesis.network_id.hex()
        make_directory(folder)
        write_atomically(folder / "genesis.json", genesis_file.to_file(genesis))
        if self._network_id is None:
            make_directory(self._pin.parent)
            write_atomically(self._pin, genesis.network_id.hex().encode("ascii") + b"\n")
            self._network_id = genesis.network_id
            self._on_notice(
                f"The address named no network id, so the first network that answered is trusted from now on:"
                f' "{genesis.genesis.name}", {genesis.network_id.hex()}. Compare this number with the operator\'s.'
            )
        self._use(genesis)
        return genesis

    async def fetch(self, session: aiohttp.ClientSession) -> Directory | None:
        """The server's directory if it is a newer one, verified and kept on disk; None if nothing changed.

        ``DirectoryError`` for one that is refused (roll-back, foreign key, ...): the last good one stays in use.
        """
        if self._verifier is None:
            raise DirectoryError("The genesis of the network is not known yet.")
        before = self._verifier.point.digest
        data, tag = await self._request(session, "/v1/directory", MAXIMUM_DIRECTORY, self._tag)
        if data is None:
            return None
        signed = await asyncio.to_thread(signed_snapshot_decoder.decode, data)
        # Signature checks of a large directory take seconds; the loop must not wait for them.
        directory = await asyncio.to_thread(self._accept, signed, LAST_GOOD_SECONDS)
        self._tag = tag
        if directory.digest == before:
            return None
        path = self._data / directory_folder(self.genesis) / "directory"
        try:
            await asyncio.to_thread(write_atomically, path, data)
        except StorageError as error:
            # Verified and usable all the same; what is lost is a quicker start.
            self._on_notice(f"The directory is used but could not be kept for the next start. {error}")
        return directory

    async def get(self, session: aiohttp.ClientSession, path: str, limit: int) -> bytes:
        """The body of a small resource; ``BootstrapUnreachableError`` or ``WireError`` if it cannot be had."""
        data, _ = await self._request(session, path, limit, "")
        if data is None:
            raise WireError(f"the server has nothing at {path}")
        return data

    async def _request(
        self, session: aiohttp.ClientSession, path: str, limit: int, tag: str
    ) -> tuple[bytes | None, str]:
        headers = {"If-None-Match": tag} if tag else {}
        if self.reading_key:
            headers["Authorization"] = f"Bearer {self.reading_key.hex()}"
        async with (
            asyncio.timeout(REQUEST_SECONDS),
            session.get(f"{self._url}{path}", headers=headers, allow_redirects=False) as response,
        ):
            if response.status == 304:
                return None, tag
            if response.status != 200:
                raise BootstrapUnreachableError(f"it answers {path} with HTTP status {response.status}")
            body = bytearray()
            async for chunk in response.content.iter_chunked(65_536):
                body += chunk
                if len(body) > limit:
                    raise WireError(f"the server's answer to {path} is longer than the {limit} bytes allowed")
            return bytes(body), response.headers.get("ETag", "")[:100]

    def _load_directory(self, path: Path) -> Directory | None:
        if self._verifier is None:
            return None
        try:
            data = read_limited(path, MAXIMUM_DIRECTORY)
            if data is None:
                return None
            # Even one that is too old to be used tells where the chain stood, so that nobody can go back behind it.
            directory = self._accept(signed_snapshot_decoder.decode(data), float("inf"))
        except (DirectoryError, WireError, StorageError):
            return None  # damaged, or this computer's clock was set back: the next good one replaces it
        return directory if self._clock.wall() - directory.issued <= LAST_GOOD_SECONDS else None

    def _accept(self, signed: SignedSnapshot, oldest: float) -> Directory:
        """May run in a thread, and one whose owner was cancelled may still be at it when the next one starts."""
        with self._lock:
            if self._verifier is None:
                raise DirectoryError("The genesis of the network is not known yet.")
            return self._verifier.accept(signed, self._clock.wall(), oldest)

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
            raise DirectoryError(
                f"{self._pin}, which says which network {self._url} belongs to, is damaged, so nobody at that address "
                "is trusted. Add #NETWORKID to the address, or delete the file to trust the network that answers next."
            ) from error

    def _use(self, genesis: GenesisRecord) -> None:
        self.genesis = genesis
        self._verifier = SnapshotVerifier(genesis)

    @property
    def _pin(self) -> Path:
        return self._data / "pins" / hashlib.sha256(self._url.encode()).hexdigest()[:32]


def directory_folder(genesis: GenesisRecord | None) -> str:
    """The name of a network's folder."""
    if genesis is None:
        raise DirectoryError("The genesis of the network is not known yet.")
    return genesis.network_id.hex()
