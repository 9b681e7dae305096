"""One logged-in node on its WebSocket: the login, a bounded queue out, a paced reader in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import WSMsgType, web

from engine.bootstrap import limits
from engine.bootstrap.door import Door
from engine.bootstrap.limits import TokenBucket
from engine.bootstrap.turn import ISSUE_BURST, ISSUE_RATE
from engine.clock import Clock
from engine.crypto.identity import Identity, node_id_of
from engine.directory.login import check_login, sign_welcome
from engine.errors import LoginRefusedError, WireError
from engine.ids import NetworkId, NodeId
from engine.wire import MINIMUM_PROTOCOL_VERSION, PROTOCOL_VERSION
from engine.wire.codec import Message, encode
from engine.wire.signaling import Challenge, Login, NodeMessage, Refused, Signal, Welcome, node_message_decoder


def make_challenge(server: Identity, network_id: NetworkId, nonce: bytes, permit: bytes = b"") -> Challenge:
    """What a login has to answer; ``permit`` where ``server`` is a mirror."""
    return Challenge(
        network_id=network_id,
        server_key=server.public_key,
        nonce=nonce,
        minimum_version=MINIMUM_PROTOCOL_VERSION,
        maximum_version=PROTOCOL_VERSION,
        permit=permit,
    )


async def log_in(
    socket: web.WebSocketResponse,
    server: Identity,
    challenge: Challenge,
    clock: Clock,
    observed: str,
    door: Door | None = None,
) -> Login | None:
    """Challenge the other side; its login, or None if it was refused (and told why) or said nothing in time."""
    try:
        async with asyncio.timeout(limits.LOGIN_SECONDS):
            await socket.send_bytes(encode(challenge))
            message = await socket.receive()
            if message.type is not WSMsgType.BINARY:
                return None
            login = node_message_decoder.decode(message.data)
            if not isinstance(login, Login):
                raise LoginRefusedError("the first message must be a login")
            check_login(login, challenge, clock.wall())
            if door is not None:
                await door.admit(login, challenge)
            welcome = Welcome(
                signature=sign_welcome(server, challenge, login), observed=observed, wall=max(0.0, clock.wall())
            )
            await socket.send_bytes(encode(welcome))
    except (LoginRefusedError, WireError) as error:
        await refuse(socket, str(error))
        return None
    except (TimeoutError, ConnectionError):
        return None
    return login


async def refuse(socket: web.WebSocketResponse, reason: str) -> None:
    """Say why and close; quietly if the other side is gone."""
    try:
        async with asyncio.timeout(limits.LOGIN_SECONDS):
            await socket.send_bytes(encode(Refused(reason=reason[:300], fatal=True)))
    except (TimeoutError, ConnectionError):
        pass
    await socket.close(code=1008)


class Session:
    """Runs until the node leaves, falls silent, breaks a rule or is cut."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        login: Login,
        address: str,
        clock: Clock,
        dispatch: Callable[[Session, NodeMessage], Awaitable[None]],
        is_gone: Callable[[], bool],
    ) -> None:
        """``is_gone`` tells whether the connection under the WebSocket is closed."""
        self.node_id: NodeId = node_id_of(login.identity_key)
        self.identity_key = login.identity_key
        self.client_only = login.client_only
        self.address = address
        self.publish_bucket = TokenBucket(limits.PUBLISH_RATE, limits.PUBLISH_BURST, clock.monotonic())
        self.ice_bucket = TokenBucket(ISSUE_RATE, ISSUE_BURST, clock.monotonic())
        self.end_reason = ""
        self._socket = socket
        self._clock = clock
        self._dispatch = dispatch
        self._is_gone = is_gone
        self._queue: asyncio.Queue[Message] = asyncio.Queue(limits.OUTGOING_MESSAGES)
        self._waiting = 0  # bytes of signals in the queue
        self._cut = asyncio.Event()

    def send(self, message: Message) -> bool:
        """Queue a message; False if the node takes none (it is then cut), is being cut or gets too much from others."""
        size = len(message.payload) if isinstance(message, Signal) else 0
        if self._cut.is_set() or self._waiting + size > limits.OUTGOING_SIGNAL_BYTES:
            return False
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self.cut("you take messages too slowly")
            return False
        self._waiting += size
        return True

    def cut(self, reason: str) -> None:
        """End the session with a reason that the node is told."""
        if not self._cut.is_set():
            self.end_reason = reason
            self._cut.set()

    async def run(self, first: Sequence[Message] = ()) -> None:
        """Returns when the session is over, whatever ended it. ``first``, of any number, goes out before the queue."""
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(self._read())
            writer = group.create_task(self._write(first))
            await self._cut.wait()
            reader.cancel()
            writer.cancel()
        if self.end_reason:
            await refuse(self._socket, self.end_reason)

    async def _send(self, message: Message) -> None:
        async with asyncio.timeout(limits.SEND_SECONDS):
            await self._socket.send_bytes(encode(message))

    async def _read(self) -> None:
        bucket = TokenBucket(limits.MESSAGE_RATE, limits.MESSAGE_BURST, self._clock.monotonic())
        try:
            while True:
                async with asyncio.timeout(limits.IDLE_SECONDS):
                    message = await self._socket.receive()
                if message.type is not WSMsgType.BINARY:
                    # Also how aiohttp reports the end of the connection and a message that is too long.
                    self.cut("only binary messages are spoken here" if message.type is WSMsgType.TEXT else "")
                    return
                decoded = node_message_decoder.decode(message.data)
                if isinstance(decoded, Login):
                    self.cut("you are logged in already")
                    return
                await asyncio.sleep(bucket.wait(self._clock.monotonic()))
                if self._is_gone():  # what a flood left behind is not worked through for nobody
                    self.cut("")
                    return
                await self._dispatch(self, decoded)
        except TimeoutError:
            self.cut(f"nothing was heard from you for {limits.IDLE_SECONDS:.0f} s")
        except WireError as error:
            self.cut(str(error))
        except ConnectionError:
            self.cut("")

    async def _write(self, first: Sequence[Message]) -> None:
        try:
            for message in first:
                await self._send(message)
            while True:
                message = await self._queue.get()
                if isinstance(message, Signal):
                    self._waiting -= len(message.payload)
                await self._send(message)
        except TimeoutError:
            self.cut("you take messages too slowly")
        except ConnectionError:
            self.cut("")
