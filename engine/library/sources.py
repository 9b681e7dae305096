"""Asking the addresses of a manifest. A stranger wrote them, so nothing of a local network is asked for them."""

from __future__ import annotations

import socket
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit
from urllib.request import getproxies

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from engine.errors import HubError
from engine.library.hub import Hub
from engine.library.manifests import Address, is_local

SWITCH = "GENTORRENT_LOCAL_SOURCES"
"""``on`` in the environment: addresses of this machine and of local networks are asked, too."""


def local_allowed(environment: Mapping[str, str]) -> bool:
    """Whether the owner allows addresses of local networks in manifests (for private networks and tests)."""
    return environment.get(SWITCH, "").strip().lower() in ("on", "1", "true", "yes")


class FolderSource:
    """The files below one address of a manifest. Redirects are followed to other public addresses over https only."""

    def __init__(self, address: Address, *, allow_local: bool = False) -> None:
        self._address = address
        self._allow_local = allow_local
        self.endpoint = urlsplit(address.url)._replace(path="").geturl()

    def file_url(self, _repository: str, _commit: str, name: str) -> str:
        """See ``Source``."""
        return self._address.of(name)

    def headers(self, _url: str) -> dict[str, str]:
        """See ``Source``: nothing that tells who asks."""
        return {"Accept-Encoding": "identity", "User-Agent": "gentorrent"}

    def refuse(self, url: str) -> None:
        """See ``Source``."""
        try:
            parts = urlsplit(url)
            host, named = parts.hostname or "", parts.username or parts.password
        except ValueError:
            host, named, parts = "", None, urlsplit("")
        local = is_local(host)
        encrypted = parts.scheme == "https" or (local and self._allow_local and parts.scheme == "http")
        if host and not named and encrypted and (self._allow_local or not local):
            return
        why = "an address of a local network" if local else "not encrypted, or no address"
        place = f"{parts.scheme}://{host[:100]}"
        sent = "" if url.startswith(self._address.url) else f"{self.endpoint} sends the download on. "
        raise HubError(
            f"{sent}{place} is {why}, so nothing is fetched from there. In a private network its owner may allow local "
            f"addresses with {SWITCH}=on."
        )


class HubSource:
    """The repository of a manifest on the hub that is set here. The hub's own address is the owner's choice; where it
    sends a download on to must be a public one."""

    def __init__(self, hub: Hub, address: Address, *, allow_local: bool = False) -> None:
        self._hub = hub
        self._address = address
        self._allow_local = allow_local
        self.endpoint = hub.endpoint

    def file_url(self, _repository: str, _commit: str, name: str) -> str:
        """See ``Source``."""
        return self._hub.file_url(self._address.repository, self._address.commit, name)

    def headers(self, url: str) -> dict[str, str]:
        """See ``Source``."""
        return self._hub.headers(url)

    def refuse(self, url: str) -> None:
        """See ``Source``."""
        self._hub.refuse(url)
        host = urlsplit(url).hostname or ""
        if is_local(host) and not self._allow_local and not is_local(urlsplit(self.endpoint).hostname or ""):
            raise HubError(
                f"The hub {self.endpoint} sends the download on to {host[:100]}, an address of a local network. "
                "Nothing is fetched from there: check HF_ENDPOINT."
            )


class PublicResolver(AbstractResolver):
    """Turns names into addresses, those of local networks left out: a name may stand for any address, and for another
    one a moment later. ``trusted``: hosts that the owner chose (the hub, proxies)."""

    def __init__(self, trusted: Collection[str] = ()) -> None:
        self._trusted = frozenset(one.lower() for one in trusted)
        self._inner = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The public addresses of ``host``; ``OSError`` if it has none."""
        found = await self._inner.resolve(host, port, family)
        if host.lower() in self._trusted:
            return found
        public = [one for one in found if not is_local(one["host"])]
        if not public:
            raise OSError(f"{host[:100]} is a name for addresses of a local network")
        return public

    async def close(self) -> None:
        """Nothing is kept."""
        await self._inner.close()


def resolver_for(hub: Hub, *, allow_local: bool) -> AbstractResolver:
    """What the addresses of a manifest are looked up with."""
    if allow_local:
        return aiohttp.ThreadedResolver()
    chosen = [hub.endpoint, *getproxies().values()]
    return PublicResolver([host for url in chosen if (host := _host(url))])


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
