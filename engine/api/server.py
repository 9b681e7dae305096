"""The HTTP server of the local API: one listening socket on 127.0.0.1, checks first, handlers behind them."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import sys

from aiohttp import web

from engine.api import error_reply
from engine.api.control import ControlHandlers
from engine.api.metrics import CONTENT_TYPE, Metrics
from engine.api.not_served import not_served
from engine.api.openai import MAX_BODY, OpenAiHandlers
from engine.api.schema import CONTROL_PATH
from engine.api.security import Guard, Handler, refuse
from engine.api.service import ChatsService, ContributionService, ControlService, LibraryService, NetworkService
from engine.clock import Clock
from engine.errors import ConfigurationError, GenTorrentError, RequestError
from engine.sentences import say

HOST = "127.0.0.1"
KEEP_ALIVE_SECONDS = 30.0
"""An idle connection, also one that never sends a whole request head, is closed after it."""
LINGER_SECONDS = 2.0
"""So long the rest of a refused body is read, so that the client gets to see the refusal."""
STOP_SECONDS = 0.5
"""Handlers that have not ended so long after the stop are cancelled, and left alone after as long again."""
_SILENT = logging.Logger("aiohttp", level=logging.CRITICAL + 1)
"""aiohttp would log broken requests byte for byte, with the token in them."""
_log = logging.getLogger(__name__)


class ApiServer:
    """``bind()`` takes the port (so that it can be written into the lock file), ``run()`` serves until cancelled.

    ``api_token`` opens ``/v1`` and ``/metrics``, ``control_token`` opens the control WebSocket; neither opens the
    other. ``port`` 0 takes any free one.
    """

    def __init__(
        self,
        service: ControlService,
        *,
        api_token: str,
        control_token: str,
        port: int,
        clock: Clock,
        allowed_origins: tuple[str, ...] = (),
        metrics: Metrics | None = None,
        chats: ChatsService | None = None,
        library: LibraryService | None = None,
        contribution: ContributionService | None = None,
        network: NetworkService | None = None,
    ) -> None:
        self._service = service
        self._api_token = api_token
        self._control_token = control_token
        self._wanted_port = port
        self._clock = clock
        self._allowed_origins = allowed_origins
        self._metrics = metrics or Metrics()
        self._chats = chats
        self._library = library
        self._contribution = contribution
        self._network = network
        self._socket: socket.socket | None = None

    def bind(self) -> int:
        """Take the port and return it. ``ConfigurationError`` when another program has it."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if sys.platform == "win32":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            else:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((HOST, self._wanted_port))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            raise ConfigurationError(
                say("start.port", port=str(self._wanted_port), host=HOST, error=str(error.strerror))
            ) from error
        listener.setblocking(False)
        self._socket = listener
        return self.port

    @property
    def port(self) -> int:
        """The port after :meth:`bind`."""
        if self._socket is None:
            raise RuntimeError("bind() comes first")
        return int(self._socket.getsockname()[1])

    @property
    def address(self) -> str:
        """``base_url`` for OpenAI clients."""
        return f"http://{HOST}:{self.port}/v1"

    async def run(self) -> None:
        """Serve until cancelled; then tell control clients, let handlers end, and free the port."""
        if self._socket is None:
            self.bind()
        assert self._socket is not None
        control = ControlHandlers(
            self._service, self._metrics, self._chats, self._library, self._contribution, self._network
        )
        runner = web.AppRunner(
            self._application(control),
            access_log=None,
            logger=_SILENT,
            handle_signals=False,
            handler_cancellation=True,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            lingering_time=LINGER_SECONDS,
            shutdown_timeout=STOP_SECONDS,
            auto_decompress=False,
        )
        await runner.setup()
        try:
            await web.SockSite(runner, self._socket).start()
            await asyncio.Event().wait()
        finally:
            await control.close_all()
            await runner.cleanup()
            self._socket.close()

    def _application(self, control: ControlHandlers) -> web.Application:
        guard = Guard(self.port, self._api_token, self._control_token, self._allowed_origins)
        openai = OpenAiHandlers(self._service, self._clock, self._metrics)
        application = web.Application(client_max_size=MAX_BODY, middlewares=[_checks(guard, self._metrics)])
        application.on_response_prepare.append(_add_headers(guard))
        application.router.add_get("/healthz", self._health, allow_head=True)
        application.router.add_get("/metrics", self._metrics_text)
        application.router.add_get("/v1/models", openai.list_models)
        application.router.add_get("/v1/models/{model:.+}", openai.get_model)
        application.router.add_post("/v1/chat/completions", openai.chat_completions)
        application.router.add_post("/v1/completions", openai.completions)
        application.router.add_get(CONTROL_PATH, control.connect)
        return application

    async def _health(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text="ok\n")

    async def _metrics_text(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})


def _add_headers(guard: Guard):  # type: ignore[no-untyped-def]
    async def prepare(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        guard.add_cors_headers(request, response)

    return prepare


def _checks(guard: Guard, metrics: Metrics):  # type: ignore[no-untyped-def]
    """The one middleware: who may come in, and every error as OpenAI's error object."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        refused = guard.preflight(request) or guard.refusal(request) or _unreadable(request)
        response = refused if refused is not None else await _handled(request, handler)
        metrics.requests.labels(str(response.status)).inc()
        return response

    return check


def _unreadable(request: web.Request) -> web.Response | None:
    """Bodies that are refused unread."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        return refuse(415, "Compressed bodies are not served. Send plain JSON.", "unsupported_encoding")
    if request.content_length is not None and request.content_length > MAX_BODY:
        return _too_large()
    return None


def _too_large() -> web.Response:
    return refuse(
        413, f"The request body is larger than {MAX_BODY} bytes. Send a shorter conversation.", "body_too_large"
    )


async def _handled(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The handler's response, or the error as a response. Once a stream has begun, errors are told inside it."""
    try:
        return await handler(request)
    except web.HTTPRequestEntityTooLarge:
        return _too_large()
    except web.HTTPNotFound:
        return refuse(404, not_served(request.method, request.path), "not_served")
    except web.HTTPMethodNotAllowed as error:
        text = f"{request.method} is not served at {request.path}, only {', '.join(sorted(error.allowed_methods))}."
        return refuse(405, text, "method_not_served", {"Allow": error.headers["Allow"]})
    except TimeoutError:
        return refuse(408, "The request body did not arrive in time. Send it again.", "request_timeout")
    except GenTorrentError as error:
        return error_reply.response(error)
    except (web.HTTPException, ConnectionError):
        raise
    except Exception:
        _log.exception("a request to the local API failed unexpectedly")
        return error_reply.response(RequestError("The engine made a mistake with this request; its log says which."))
