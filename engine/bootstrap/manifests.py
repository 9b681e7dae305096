"""Published models at a network's own server: taking manifests of whoever brings them, and showing all to everybody."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable

from engine.bootstrap.chain.answers import UNKNOWN, ChainAnswer
from engine.bootstrap.chain.limits import PAGE_COST, READ_BURST, READ_RATE, Buckets
from engine.bootstrap.manifest_store import ManifestStore
from engine.clock import Clock
from engine.directory.manifests import check_record
from engine.directory.prefix import counting_key, neighbourhood
from engine.errors import DirectoryError, ManifestError, StorageError, WireError
from engine.wire.codec import encode
from engine.wire.records import signed_decoder

RATE, BURST = 0.02, 40.0
"""Records per second that one address may bring."""
MANIFESTS = "manifests"
_FROM = re.compile(r"manifests/from-(0|[1-9][0-9]{0,15})")


class ServerManifests:
    """Implements ``ChainService``. ``salt`` (secret) hides the networks that manifests come from. ``one_machine``:
    every node has the same address, so nobody is limited by it."""

    def __init__(
        self,
        store: ManifestStore,
        salt: bytes,
        clock: Clock,
        failed: Callable[[StorageError], None],
        *,
        one_machine: bool,
    ) -> None:
        self._store = store
        self._salt = salt
        self._clock = clock
        self._failed = failed
        self._writers = None if one_machine else Buckets(RATE, BURST)
        self._readers = None if one_machine else Buckets(READ_RATE, READ_BURST)

    async def take(self, path: str, body: bytes, address: str) -> ChainAnswer:
        """See ``ChainService``."""
        if path != MANIFESTS:
            return UNKNOWN
        try:
            name, source = counting_key(address), b""
            if self._writers is not None:
                if not self._writers.take(name, self._clock.monotonic()):
                    return ChainAnswer.says(429, "Too many manifests come from this address; wait some minutes.")
                source = hmac.digest(self._salt, neighbourhood(address).encode(), hashlib.sha256)[:16]
            now = self._clock.wall()
            published = check_record(signed_decoder.decode(body), now)
            problem = await self._store.add(published, source, int(now))
        except (ManifestError, WireError) as error:
            return ChainAnswer.says(422, str(error))
        except DirectoryError as error:
            return ChainAnswer.says(503, str(error))
        except StorageError as error:
            self._failed(error)
            return ChainAnswer.says(503, "The server could not store it; bring it again later.")
        if problem is not None:
            return ChainAnswer.says(422, problem.value)
        return ChainAnswer.shows({"model": published.model_id, "version": published.record.version})

    async def read(self, path: str, address: str) -> ChainAnswer:
        """See ``ChainService``."""
        match = _FROM.fullmatch(path)
        if match is None:
            return UNKNOWN
        try:
            if self._readers is not None:
                name, now = counting_key(address), self._clock.monotonic()
                if not self._readers.is_free(name, now):
                    return ChainAnswer.says(429, "This address reads too much; ask again in a moment.")
                self._readers.spend(name, PAGE_COST, now)
            page = await self._store.page(int(match[1]), int(self._clock.wall()))
        except DirectoryError as error:
            return ChainAnswer.says(503, str(error))
        except StorageError as error:
            self._failed(error)
            return ChainAnswer.says(503, "The server cannot read its database; ask again later.")
        return ChainAnswer(200, encode(page))
