"""The control WebSocket: the owner's own programs (window, command line) see and steer the engine through it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Coroutine, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Annotated

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from engine import __version__
from engine.api import chat_request, error_reply, schema
from engine.api.badge import badge_of
from engine.api.metrics import Metrics
from engine.api.outbox import Outbox, OutboxFullError
from engine.api.refusals import refusal
from engine.api.security import refuse
from engine.api.service import (
    AnswerDelta,
    AnswerDone,
    AnswerStage,
    ChatsService,
    ContributionService,
    ControlService,
    LibraryService,
    NetworkService,
)
from engine.api.watching import TopologyWatch
from engine.errors import (
    AnswerCancelledError,
    GenTorrentError,
    InvalidRequestError,
    RequestError,
    WeakerPathsNeededError,
)
from engine.inference.text.answer_parts import Content, Reasoning
from engine.refused_values import why_refused
from engine.sentences import said_by, say

MAX_CLIENTS = 16
"""Control connections at a time."""
MAX_CHATS = 32
"""Answers at a time on one connection."""
MAX_WAITING_REQUESTS = 64
"""Requests about chats that wait; while there are so many, no further one is read."""
MAX_RECEIVED = 16_777_216
"""Bytes of a message that are read to say that it is too long; a longer one ends the connection."""
MAX_RECEIPT = 3_000_000
"""Characters of an exported receipt that are sent; a longer one is left out (``/v1`` still gives it)."""
HELLO_SECONDS = 10.0
WRITE_SECONDS = 20.0
"""Within which a client must take one event."""
HEARTBEAT_SECONDS = 20.0
CLOSE_SECONDS = 3.0
STOP_SECONDS = 0.5
"""So long clients have to read that the engine stops."""
TOO_LARGE = (
    f"The message is longer than {schema.MAX_CONTROL_MESSAGE:,} bytes and was not read. Send long texts in pieces, as "
    "attachments."
)
_log = logging.getLogger(__name__)


class _Ended(Exception):  # noqa: N818 - not an error: how a connection's task group is brought to its end
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class ControlHandlers:
    """``/control/v1`` over a :class:`ControlService`."""

    def __init__(
        self,
        service: ControlService,
        metrics: Metrics,
        chats: ChatsService | None = None,
        library: LibraryService | None = None,
        contribution: ContributionService | None = None,
        network: NetworkService | None = None,
    ) -> None:
        self._service = service
        self._metrics = metrics
        self._chats = chats
        self._library = library
        self._contribution = contribution
        self._network = network
        self._connections: set[_Connection] = set()

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one client until it or the engine goes."""
        if len(self._connections) >= MAX_CLIENTS:
            return refuse(429, f"{MAX_CLIENTS} programs are connected already. Close one of them.", "too_many_requests")
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_SECONDS, max_msg_size=MAX_RECEIVED, compress=False, timeout=2.0
        )
        if not socket.can_prepare(request).ok:
            return refuse(400, "This address speaks WebSocket only.", "websocket_expected")
        await socket.prepare(request)
        parts = (self._chats, self._library, self._contribution, self._network)
        connection = _Connection(socket, self._service, self._connections, *parts)
        self._connections.add(connection)
        self._metrics.control_clients.inc()
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)
            self._metrics.control_clients.dec()
        return socket

    async def close_all(self) -> None:
        """Tell every client that the engine stops."""
        async with asyncio.TaskGroup() as group:
            for connection in list(self._connections):
                group.create_task(_close(connection.socket, schema.CLOSE_STOPPING, "the engine stops", STOP_SECONDS))


async def _close(socket: web.WebSocketResponse, code: int, reason: str, seconds: float = CLOSE_SECONDS) -> None:
    """Close with a reason; a peer that does not even read that is dropped."""
    try:
        async with asyncio.timeout(seconds):
            await socket.close(code=code, message=reason.encode("utf-8")[:120])
    except (TimeoutError, ConnectionError):
        pass


class _Connection:
    """One client. Its tasks (reader, sender, state watcher, one per answer) live and end together."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        service: ControlService,
        all_of_them: Collection[_Connection],
        chats: ChatsService | None = None,
        library: LibraryService | None = None,
        contribution: ContributionService | None = None,
        network: NetworkService | None = None,
    ) -> None:
        self.socket = socket
        self._client: str | None = None  # what it greeted as, while it is here to stay
        self._service = service
        self._all = all_of_them
        self._outbox = Outbox()
        self._session = chats.attach(self._outbox.push, self._outbox.room) if chats is not None else None
        self._library = library
        self._contribution = contribution
        self._network = network
        self._requests: asyncio.Queue[schema.ChatsRequest] = asyncio.Queue(MAX_WAITING_REQUESTS)
        self._chats: dict[str, asyncio.Task[None]] = {}
        self._stopping: set[str] = set()
        self._topology = TopologyWatch(service.topology, self._outbox.push)

    async def run(self) -> None:
        """Until the client leaves, is cut, or the engine stops."""
        reasons: list[_Ended] = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ending(self._serve(group)))
        except* _Ended as ended:
            reasons = [reason for reason in _leaves(ended) if isinstance(reason, _Ended)]
        finally:
            if self._session is not None:
                self._session.close()
            if self._library is not None:
                self._library.detach(self._outbox.push)
            if self._contribution is not None:
                self._contribution.detach(self._outbox.push)
            if self._network is not None:
                self._network.detach(self._outbox.push)
        reason = reasons[0] if reasons else _Ended(WSCloseCode.OK, "")
        if reason.code == schema.CLOSE_TOO_SLOW:
            _log.warning("a control client was cut: %s", reason.reason)
        await _close(self.socket, reason.code, reason.reason)

    async def _ending(self, work: Coroutine[None, None, None]) -> None:
        """Every way in which a connection ends, as ``_Ended``."""
        try:
            await work
        except OutboxFullError:
            raise _Ended(schema.CLOSE_TOO_SLOW, "events were not read in time") from None
        except ConnectionError:
            raise _Ended(WSCloseCode.OK, "the connection is gone") from None
        except _Ended:
            raise
        except Exception:
            _log.exception("a connection of the control API failed unexpectedly")
            raise _Ended(WSCloseCode.INTERNAL_ERROR, "the engine made a mistake; its log says which") from None

    async def _serve(self, group: asyncio.TaskGroup) -> None:
        await self._greet()
        group.create_task(self._ending(self._send()))
        group.create_task(self._ending(self._watch()))
        group.create_task(self._ending(self._topology.run()))
        group.create_task(self._ending(self._handle_chats()))
        group.create_task(self._ending(self._outbox.overflow()))
        if self._library is not None:
            self._library.attach(self._outbox.push)
        if self._network is not None:
            self._network.attach(self._outbox.push)
        while True:
            text = await self._next_text()
            if len(text) > schema.MAX_CONTROL_MESSAGE or len(text.encode()) > schema.MAX_CONTROL_MESSAGE:
                self._refuse("", "message_too_large", TOO_LARGE)
                continue
            try:
                request = schema.request_decoder.decode(text)
            except (msgspec.DecodeError, RecursionError) as error:
                named = _named(text)
                self._refuse(named.type, InvalidRequestError.code, _why_no_request(error, text), named.ref)
            else:
                with self._answering(request):
                    await self._handle(request, group)

    async def _handle_chats(self) -> None:
        """Requests about kept chats, one after the other."""
        while self._session is not None:
            await self._session.handle(await self._requests.get())

    async def _greet(self) -> None:
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                text = await self._next_text()
            hello = schema.request_decoder.decode(text)
        except TimeoutError:
            raise _Ended(schema.CLOSE_REFUSED, "no hello within 10 s") from None
        except (msgspec.DecodeError, RecursionError):
            raise _Ended(schema.CLOSE_REFUSED, "the first message was no hello") from None
        if not isinstance(hello, schema.Hello):
            raise _Ended(schema.CLOSE_REFUSED, "the first message was no hello")
        if hello.version != schema.CONTROL_VERSION:
            raise _Ended(schema.CLOSE_REFUSED, f"this engine speaks version {schema.CONTROL_VERSION}; update the older")
        self._client = hello.client
        self._outbox.put(schema.Welcome(version=schema.CONTROL_VERSION, engine_version=__version__))

    async def _next_text(self) -> str:
        message = await self.socket.receive()
        if message.type is WSMsgType.TEXT:
            return str(message.data)
        if message.type is WSMsgType.BINARY:
            raise _Ended(WSCloseCode.UNSUPPORTED_DATA, "text messages only")
        raise _Ended(WSCloseCode.OK, "the client has left")

    async def _send(self) -> None:
        while True:
            text = schema.encode(await self._outbox.take())
            try:
                async with asyncio.timeout(WRITE_SECONDS):
                    await self.socket.send_str(text)
            except TimeoutError:
                raise _Ended(schema.CLOSE_TOO_SLOW, "events were not read in time") from None

    async def _watch(self) -> None:
        async with aclosing(self._service.changes()) as states:
            async for state in states:
                self._outbox.put(state)
        raise _Ended(schema.CLOSE_STOPPING, "the engine stops")

    @contextmanager
    def _answering(self, request: schema.Request) -> Iterator[None]:
        """Whatever goes wrong with a request is its reply: nobody waits in vain, and it ends no connection."""
        try:
            yield
        except OutboxFullError:
            raise
        except Exception as error:
            self._outbox.put(refusal(request, error))

    def _begin(self, request: schema.Request, work: Coroutine[None, None, None], group: asyncio.TaskGroup) -> None:
        """What takes a while, beside others."""

        async def answered() -> None:
            with self._answering(request):
                await work

        group.create_task(self._ending(answered()))

    async def _handle(self, request: schema.Request, group: asyncio.TaskGroup) -> None:
        match request:
            case schema.Chat():
                self._start(request, group)
            case schema.StopChat():
                self._stop(request.id)
            case schema.SetContributing():
                self._begin(request, self._set_contributing(request), group)
            case schema.GetState():
                self._outbox.put(self._service.state())
            case schema.WatchTopology():
                self._topology.ask(request)
            case schema.JoinNetwork() | schema.LeaveNetwork():
                self._choose_network(request)
            case schema.GetDiagnostics(ref=ref):
                self._outbox.put(schema.Diagnostics(ref=ref, text=self._service.diagnostics()))
            case schema.Shutdown():
                self._shut_down(request)
            case schema.ChatsRequest():
                await self._about_chats(request, group)
            case schema.LibraryRequest():
                self._begin(request, self._about_library(request), group)
            case schema.ContributionRequest():
                self._about_contribution(request)
            case schema.NetworkRequest():
                self._begin(request, self._about_network(request), group)
            case schema.Hello():
                self._refuse("hello", InvalidRequestError.code, "Hello was said already.")

    async def _about_chats(self, request: schema.ChatsRequest, group: asyncio.TaskGroup) -> None:
        if self._session is None:
            text = "This engine keeps no chats."
            self._outbox.put(schema.RequestFailed(request="", code="not_served", text=text, ref=request.ref))
        elif isinstance(request, schema.StopAnswer):  # not behind others
            group.create_task(self._ending(self._session.handle(request)))
        else:
            await self._requests.put(request)

    async def _about_library(self, request: schema.LibraryRequest) -> None:
        if self._library is None:
            self._refuse("", "not_served", "This engine downloads no models.", request.ref)
        else:
            self._outbox.put(await self._library.handle(request))

    def _about_contribution(self, request: schema.ContributionRequest) -> None:
        if self._contribution is None:
            self._refuse("", "not_served", "This engine contributes nothing.", request.ref)
        else:
            self._outbox.put(self._contribution.handle(request, self._outbox.push))

    async def _about_network(self, request: schema.NetworkRequest) -> None:
        if self._network is None:
            self._refuse("", "not_served", "This engine hosts no network.", request.ref)
        else:
            self._outbox.put(await self._network.handle(request, self._outbox.push))

    def _refuse(self, request: str, code: str, text: str, ref: str = "") -> None:
        self._outbox.put(schema.RequestFailed(request=request, code=code, text=text, ref=ref))

    def _shut_down(self, request: schema.Shutdown) -> None:
        if request.unless_another and any(one is not self and one._client == self._client for one in self._all):
            self._client = None  # the other one may leave next, and is the last
            self._outbox.put(schema.Accepted(ref=request.ref, request="shutdown"))
        else:
            self._service.shutdown(when_idle=request.when_idle)

    async def _set_contributing(self, request: schema.SetContributing) -> None:
        with self._answering(request):
            await self._service.set_contributing(request.on, by_owner=request.by_owner)
        self._outbox.put(self._service.state())

    def _choose_network(self, request: schema.JoinNetwork | schema.LeaveNetwork) -> None:
        address = ""
        if isinstance(request, schema.JoinNetwork):
            address = self._service.join_network(request.text)
        else:
            self._service.leave_network()
        self._outbox.put(schema.NetworkKept(ref=request.ref, address=address))

    def _start(self, chat: schema.Chat, group: asyncio.TaskGroup) -> None:
        if chat.id in self._chats:
            self._refuse("chat", "invalid_request", f"A chat with the id {chat.id} is running. Use another id.")
        elif len(self._chats) >= MAX_CHATS:
            text = f"{MAX_CHATS} answers are running here already. Wait until one is done, or stop one."
            self._outbox.put(schema.ChatFailed(id=chat.id, code="overloaded", text=text))
        else:
            self._chats[chat.id] = group.create_task(self._ending(self._chat(chat)))

    def _stop(self, chat_id: str) -> None:
        task = self._chats.get(chat_id)
        if task is not None and chat_id not in self._stopping:
            self._stopping.add(chat_id)
            task.cancel()

    async def _chat(self, chat: schema.Chat) -> None:
        """One answer, with exactly one last event. Only ``_stop`` may cancel it quietly."""
        try:
            end = await self._answer(chat)
        except asyncio.CancelledError:
            if chat.id not in self._stopping:
                raise
            end = _failed(chat.id, AnswerCancelledError(say("control.cancelled")))
        except GenTorrentError as error:
            end = _failed(chat.id, error)
        except OutboxFullError:
            raise
        except Exception:
            _log.exception("an answer failed unexpectedly")
            end = _failed(chat.id, RequestError(say("chat.mistake")))
        finally:
            self._chats.pop(chat.id, None)
            self._stopping.discard(chat.id)
        self._outbox.put(end)

    async def _answer(self, chat: schema.Chat) -> schema.ChatDone | schema.ChatFailed:
        request = chat_request.from_chat(chat)
        thinking = False
        async with aclosing(self._service.answer(request)) as events:
            async for event in events:
                match event:
                    case AnswerStage(stage=stage, text=text, place=place, estimate=estimate):
                        told = schema.ChatStage(id=chat.id, stage=stage, text=text, place=place, estimate=estimate)
                        self._outbox.put(told)
                    case AnswerDelta():
                        delta = _delta(chat.id, event)
                        if delta.reasoning and not thinking:
                            text = say("chat.thinks")
                            self._outbox.put(schema.ChatStage(id=chat.id, stage="thinking", text=text))
                        thinking = thinking or bool(delta.reasoning)
                        self._outbox.put(delta)
                    case AnswerDone():
                        return _done(chat, request.sampling.seed, event)
        return _failed(chat.id, RequestError(say("chat.incomplete")))


class _Named(msgspec.Struct):
    """What a message says of itself, whatever else is wrong with it."""

    type: Annotated[str, msgspec.Meta(max_length=64)] = ""
    ref: Annotated[str, msgspec.Meta(max_length=64)] = ""


def _named(text: str) -> _Named:
    try:
        return msgspec.json.decode(text, type=_Named)
    except (msgspec.DecodeError, RecursionError):
        return _Named()


def _why_no_request(error: Exception, text: str) -> str:
    if isinstance(error, msgspec.ValidationError):
        with suppress(msgspec.DecodeError, RecursionError):  # what stands behind the field that is refused
            return why_refused(error, schema.Request, msgspec.json.decode(text))
    return f"This is no message of the control API: {error}."


def _leaves(group: BaseExceptionGroup[_Ended]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _failed(chat_id: str, error: GenTorrentError) -> schema.ChatFailed:
    choices = error_reply.weaker_choices(error.choices) if isinstance(error, WeakerPathsNeededError) else ()
    return schema.ChatFailed(id=chat_id, code=error_reply.code_of(error), text=said_by(error), choices=choices)


def _delta(chat_id: str, delta: AnswerDelta) -> schema.ChatDelta:
    said = "".join(part.text for part in delta.parts if isinstance(part, Content))
    thought = "".join(part.text for part in delta.parts if isinstance(part, Reasoning))
    return schema.ChatDelta(id=chat_id, text=said, tokens=len(delta.ids), reasoning=thought)


def _done(chat: schema.Chat, seed: int, done: AnswerDone) -> schema.ChatDone:
    badge, reason = badge_of(done)
    return schema.ChatDone(
        id=chat.id,
        finish_reason=done.finish_reason,
        model=chat.model,
        prompt_tokens=done.prompt_tokens,
        completion_tokens=done.completion_tokens,
        served_by=done.served_by,
        seed=seed,
        badge=badge,
        badge_reason=reason,
        paths=done.paths,
        n=done.n,
        k=done.k,
        ttft_ms=done.ttft_ms,
        tokens_per_s=done.tokens_per_s,
        receipt=done.receipt_export if len(done.receipt_export) <= MAX_RECEIPT else "",
        privacy=done.privacy,
        machines=done.machines,
        standings=done.standings,
        asked=done.asked,
    )
