"""A mirror's own key, and the permit that it gets from the network's server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from pathlib import Path

import aiohttp

from engine.bootstrap.init import load_key
from engine.clock import Clock
from engine.crypto.identity import Identity
from engine.directory.genesis import GenesisRecord
from engine.directory.mirrors import check_permit
from engine.errors import BootstrapUnreachableError, DirectoryError, StorageError, WireError
from engine.storage.files import make_directory, read_limited, write_atomically
from engine.transport.bootstrap_http import fetch, network_errors

logger = logging.getLogger("engine.bootstrap")
KEY_FILE = "mirror.key"
PERMIT_FILE = "mirror-permit"
RENEW_SECONDS = 86_400.0
RETRY_SECONDS = 5.0
_MAXIMUM = 400


def mirror_key(data: Path) -> Identity:
    """The key in ``data``, made the first time; ``StorageError``."""
    key = load_key(data / KEY_FILE)
    if key is None:
        make_directory(data)
        key = Identity.from_seed(os.urandom(32))
        write_atomically(data / KEY_FILE, key.seed.hex().encode("ascii") + b"\n")
    return key


class Permit:
    """What lets this mirror introduce nodes; kept on disk, because it is needed when nobody can be asked for it."""

    def __init__(self, data: Path, key: Identity, genesis: GenesisRecord, clock: Clock) -> None:
        self._path = data / PERMIT_FILE
        self._key = key
        self._genesis = genesis
        self._clock = clock
        self._told = ""
        try:
            self._permit = read_limited(self._path, _MAXIMUM) or b""
        except StorageError as error:
            logger.warning("%s", error)
            self._permit = b""

    @property
    def valid(self) -> bytes:
        """The permit if it holds now, else nothing."""
        with contextlib.suppress(DirectoryError):
            self._check(self._permit)
            return self._permit
        return b""

    def _check(self, permit: bytes) -> None:
        keys, network_id = self._genesis.genesis.server_keys, self._genesis.network_id
        check_permit(permit, self._key.public_key, keys, network_id, self._clock.wall())

    async def keep(self, session: aiohttp.ClientSession, url: str, connected: asyncio.Event) -> None:
        """Ask the server at ``url`` for a new one every day, and more often until there is one."""
        while True:
            await connected.wait()
            delay = RENEW_SECONDS
            try:
                async with network_errors():
                    path = f"/v1/mirror?key={self._key.public_key.hex()}"
                    permit = await fetch(session, url, path, _MAXIMUM) or b""
                self._check(permit)
                self._permit = permit
                write_atomically(self._path, permit)
                self._tell("The network's server has admitted this mirror.")
            except StorageError as error:
                self._tell(f"The mirror's permit could not be kept for the next start: {error}")
            except (BootstrapUnreachableError, DirectoryError, WireError) as error:
                delay = RETRY_SECONDS
                self._tell(
                    f"The network's server gives this mirror no permit ({error}), so it passes nodes on to it but"
                    " cannot stand in for it. Its operator adds this line to bootstrap.toml and starts it anew:"
                    f' mirrors = ["{self._key.public_key.hex()}"]'
                )
            await asyncio.sleep(delay)

    def _tell(self, text: str) -> None:
        if text != self._told:
            self._told = text
            logger.info("%s", text)
