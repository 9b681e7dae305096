"""Who is logged in here, and the signals between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from aiohttp import web

from engine.bootstrap import limits
from engine.bootstrap.metrics import Metrics
from engine.bootstrap.sessions import Session
from engine.clock import Clock
from engine.ids import NodeId
from engine.wire.codec import Message
from engine.wire.signaling import Login, NodeMessage, Signal, SignalFailed


class Host(Protocol):
    """Whose exchange it is: decides who may log in and what messages mean."""

    async def log_in(self, socket: web.WebSocketResponse, address: str) -> Login | None:
        """The other side's login, None if it was refused."""
        ...

    def entered(self, session: Session) -> Sequence[Message]:
        """A node has logged in: what it is told first. It may be cut."""
        ...

    async def take(self, session: Session, message: NodeMessage) -> None:
        """It says something."""
        ...

    def left(self, session: Session) -> None:
        """It is no longer here."""
        ...


class Exchange:
    """All sessions of one server, at most one for each node."""

    def __init__(self, host: Host, metrics: Metrics, clock: Clock) -> None:
        self._host = host
        self._metrics = metrics
        self._clock = clock
        self._sessions: dict[NodeId, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._sessions.values()))

    def get(self, node_id: NodeId) -> Session | None:
        """The session of this node, if it is logged in."""
        return self._sessions.get(node_id)

    async def serve(self, request: web.Request, address: str) -> web.StreamResponse:
        """One node from its connection to its end."""
        socket = web.WebSocketResponse(max_msg_size=limits.MAXIMUM_MESSAGE, compress=False, timeout=2.0)
        await socket.prepare(request)
        login = await self._host.log_in(socket, address)
        self._metrics.logins.labels("refused" if login is None else "accepted").inc()
        if login is not None:

            def is_gone() -> bool:
                return request.transport is None or request.transport.is_closing()

            await self._run(Session(socket, login, address, self._clock, self._host.take, is_gone))
        return socket

    async def _run(self, session: Session) -> None:
        older = self._sessions.get(session.node_id)
        if older is not None:
            older.cut("another login with the same identity has replaced this one")
        self._sessions[session.node_id] = session
        first = self._host.entered(session)
        try:
            await session.run(first)
        finally:
            if self._sessions.get(session.node_id) is session:
                del self._sessions[session.node_id]
                self._host.left(session)
            if session.end_reason:
                self._metrics.cut_sessions.labels(session.end_reason.split("(")[0].split(":")[0][:60]).inc()

    def relay(self, session: Session, message: Signal) -> None:
        """Pass a signal on to the node that it is for, or say that it is not here."""
        peer = self._sessions.get(NodeId(message.peer))
        delivered = False
        reason = "the node is not online"
        if peer is not None and peer is not session:
            delivered = peer.send(Signal(peer=session.node_id, payload=message.payload))
            reason = "the node takes messages too slowly"
        self._metrics.signals.labels("delivered" if delivered else "failed").inc()
        if not delivered:
            session.send(SignalFailed(peer=message.peer, reason=reason))

    def broadcast(self, message: Message) -> None:
        """Tell everybody."""
        for session in self:
            session.send(message)

    def end(self, reason: str) -> None:
        """End all sessions; ``reason`` is told, an empty one just closes the connections."""
        for session in self:
            session.cut(reason)
