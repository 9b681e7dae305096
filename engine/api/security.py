"""Who may talk to the local API: checks before any handler runs.

A web page in the user's browser must not reach the engine. It cannot read the token; a Host check stops DNS rebinding
(a foreign name that points to 127.0.0.1), and requests that a browser makes for a page carry ``Origin`` or
``Sec-Fetch-Site`` and are refused, whatever else they carry, unless the owner has allowed that origin.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from aiohttp import web

from engine.api import error_reply

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
OPEN_PATHS = frozenset({"/healthz"})
"""Served without a token (they tell nothing)."""
CONTROL_PREFIX = "/control/"
_CORS_METHODS = "GET, POST, OPTIONS"
_CORS_HEADERS = "Authorization, Content-Type"


class Guard:
    """Decides about each request. ``port`` is where the API listens; tokens are compared in constant time."""

    def __init__(self, port: int, api_token: str, control_token: str, allowed_origins: tuple[str, ...]) -> None:
        self._hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))
        self._port = port
        self._api_token = api_token.encode("utf-8")
        self._control_token = control_token.encode("utf-8")
        self._origins = frozenset(allowed_origins)

    def refusal(self, request: web.Request) -> web.Response | None:
        """Why ``request`` is refused, or None when it may pass."""
        return self._wrong_host(request) or self._wrong_origin(request) or self._wrong_token(request)

    def allowed_origin(self, request: web.BaseRequest) -> str | None:
        """The request's origin when it is one that the owner has allowed."""
        origin = request.headers.get("Origin")
        return origin if origin in self._origins else None

    def preflight(self, request: web.Request) -> web.Response | None:
        """The answer to a browser's question before a request of an allowed origin."""
        if request.method != "OPTIONS" or self.allowed_origin(request) is None or self._wrong_host(request):
            return None
        return web.Response(
            status=204,
            headers={
                "Access-Control-Allow-Methods": _CORS_METHODS,
                "Access-Control-Allow-Headers": _CORS_HEADERS,
                "Access-Control-Max-Age": "600",
            },
        )

    def add_cors_headers(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Let an allowed page read ``response``; nothing for anybody else."""
        origin = self.allowed_origin(request)
        if origin is not None:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Vary"] = "Origin"

    def _wrong_host(self, request: web.Request) -> web.Response | None:
        hosts = request.headers.getall("Host", [])
        if len(hosts) == 1 and hosts[0].lower() in self._hosts:
            return None
        return refuse(
            421,
            f"This API answers to 127.0.0.1:{self._port} and localhost:{self._port} only, not to other names. "
            "Use one of these in the address.",
            "wrong_host",
        )

    def _wrong_origin(self, request: web.Request) -> web.Response | None:
        from_page = request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
        if ("Origin" not in request.headers and not from_page) or self.allowed_origin(request) is not None:
            return None
        return refuse(
            403,
            "Web pages may not use this API, so that no page in a browser can ask questions in your name. "
            "The owner can allow one with api_allowed_origins in config.toml.",
            "origin_refused",
        )

    def _wrong_token(self, request: web.Request) -> web.Response | None:
        if request.path in OPEN_PATHS:
            return None
        control = request.path.startswith(CONTROL_PREFIX)
        expected = self._control_token if control else self._api_token
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(token.strip(), expected):
            return None
        where = "the lock file of the data directory" if control else "the file api-token in the data directory"
        missing = "Authorization" not in request.headers
        return refuse(
            401,
            f"{'There is no token' if missing else 'The token is wrong'}. "
            f'Send the header "Authorization: Bearer TOKEN"; the token is in {where}.',
            "invalid_api_key",
            {"WWW-Authenticate": "Bearer"},
        )


def _same(given: str, expected: bytes) -> bool:
    """Constant-time comparison; an empty expected token matches nothing."""
    return bool(expected) and hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected)


def refuse(status: int, message: str, code: str, headers: dict[str, str] | None = None) -> web.Response:
    """A response with OpenAI's error object."""
    kind = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}.get(
        status, "invalid_request_error"
    )
    body = error_reply.encode(error_reply.error_object(message, code, kind))
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)
