"""How many connections there may be, in all and from one address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

from aiohttp import web

from engine.bootstrap.configuration import OperatorConfiguration, client_address
from engine.bootstrap.metrics import Metrics
from engine.directory.prefix import counting_key
from engine.errors import DirectoryError


class Connections:
    """Counts WebSockets by the address that they count for."""

    def __init__(self, configuration: OperatorConfiguration, metrics: Metrics) -> None:
        self._configuration = configuration
        self._metrics = metrics
        self._open: Counter[str] = Counter()

    async def serve(
        self, request: web.Request, handler: Callable[[web.Request, str], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Let ``handler`` answer, told the address that this connection counts for, or refuse for want of room."""
        try:
            address = self._admit(request)
            key = counting_key(address)
        except (ConnectionRefusedError, DirectoryError) as error:  # the latter: gone before its address could be read
            return web.Response(status=503, text=f"{error}\n")
        self._open[key] += 1
        try:
            return await handler(request, address)
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

    def address_of(self, request: web.Request) -> str:
        """The address that a request counts for."""
        forwarded = request.headers.get("X-Forwarded-For", "")
        return client_address(request.remote or "", forwarded, self._configuration.trusted_proxies)

    def _admit(self, request: web.Request) -> str:
        address = self.address_of(request)
        if self._open.total() >= self._configuration.maximum_connections:
            self._metrics.refused_connections.labels("server full").inc()
            raise ConnectionRefusedError("The server is full. Try again later.")
        if self._open[counting_key(address)] >= self._configuration.maximum_connections_per_address:
            self._metrics.refused_connections.labels("address full").inc()
            raise ConnectionRefusedError("There are too many connections from your address.")
        return address
