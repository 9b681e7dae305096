"""A node's descriptor at the server: published, renewed at half of its life, withdrawn; and what is told beside it."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable

import aiohttp

from engine.clock import Clock
from engine.directory.descriptor import digest
from engine.directory.genesis import GenesisRecord
from engine.directory.work import MOST_BITS, search, work_bytes
from engine.errors import BootstrapUnreachableError, DirectoryError, StorageError
from engine.ids import NetworkId
from engine.sentences import said_by, say
from engine.transport.bootstrap_http import CONNECT_SECONDS, network_errors, send_statement
from engine.transport.bootstrap_state import Phase, Status
from engine.wire.codec import Message, encode
from engine.wire.receipts import WorkChallenge, WorkSolution
from engine.wire.records import Signed, descriptor_decoder
from engine.wire.signaling import Publish, Published, Refused

PUBLISH_RETRY_SECONDS = 5.0
PUBLISH_GAP_SECONDS = 1.0
WITHDRAW_SECONDS = 2.0
TRIES = 1 << 16
"""Of a proof of work between two looks at whether it is still wanted; a tenth of a second."""


class Publisher:
    """``put`` sends a message on the connection that there is, if there is one."""

    def __init__(
        self,
        status: Status,
        clock: Clock,
        genesis: Callable[[], GenesisRecord | None],
        put: Callable[[Message], bool],
        on_notice: Callable[[str], None],
    ) -> None:
        self._status = status
        self._clock = clock
        self._genesis = genesis
        self._put = put
        self._on_notice = on_notice
        self._statement: Callable[[NetworkId, float], Signed | None] = lambda *_: None
        self._statement_told: Callable[[], None] = lambda: None
        self._source: Callable[[], Signed] | None = None
        self._withdrawing = False
        self._last_published: Signed | None = None
        self._challenge: WorkChallenge | None = None
        self._publish_now = asyncio.Event()
        self._hurry = asyncio.Event()
        self._answered = asyncio.Event()

    def _connected(self) -> bool:
        return self._status.state.phase is Phase.CONNECTED

    def announce(self, source: Callable[[NetworkId, float], Signed | None], told: Callable[[], None]) -> None:
        """A succession to bring to the server once this node is published there, as long as ``source`` (of network and
        time) has one; ``told`` when the server has it, or will never want it. It may raise ``StorageError``."""
        self._statement, self._statement_told = source, told

    def publish(self, source: Signed | Callable[[], Signed], *, at_once: bool = False) -> None:
        """Publish a descriptor and keep it published: after each reconnect and, where ``source`` makes a new one, at
        half of its life. Call it again when the content changes; what changes within a second is published together,
        except ``at_once``."""
        self._source = (lambda: source) if isinstance(source, Signed) else source
        self._withdrawing = False
        self._publish_now.set()
        if at_once:
            self._hurry.set()

    async def withdraw(self) -> bool:
        """Leave politely: True if the server confirmed within two seconds that the node is no longer listed."""
        self._source = None
        if not self._connected() or self._last_published is None:
            return False
        self._withdrawing = True
        self._answered.clear()
        if not self._put(Publish(descriptor=self._last_published, withdraw=True)):
            return False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WITHDRAW_SECONDS):
                await self._answered.wait()
        return self._answered.is_set() and self._connected() and not self._status.state.published

    def confirmed(self, message: Published) -> None:
        """The server has it."""
        if self._last_published is not None and message.digest == digest(self._last_published):
            self._status.set(published=not self._withdrawing, warning=self._status.lasting)
            self._answered.set()

    def refused(self, message: Refused) -> None:
        """The server does not want it."""
        self._status.set(published=False, warning=f"The server refused the descriptor: {message.reason}.")
        self._answered.set()

    def challenged(self, message: WorkChallenge) -> None:
        """The server wants a proof of work before it lists this node for the first time."""
        self._challenge = message
        self._answered.set()

    def disconnected(self) -> None:
        """Nobody will answer: who waits looks whether there still is a connection."""
        self._answered.set()

    async def keep(self, session: aiohttp.ClientSession, url: str) -> None:
        """Until cancelled: publish when there is something, and anew at half of its life."""
        work = b""
        while True:
            delay: float | None = None
            self._publish_now.clear()
            self._hurry.clear()
            if self._source is not None:
                self._last_published, self._challenge = self._source(), None
                self._answered.clear()
                self._put(Publish(descriptor=self._last_published, work=work))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CONNECT_SECONDS):
                        await self._answered.wait()
                work = await self._solve()
                if work:
                    continue
                delay = self._half_life() if self._status.state.published else PUBLISH_RETRY_SECONDS
                if self._status.state.published:
                    await self._bring_statement(session, url)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PUBLISH_GAP_SECONDS):
                        await self._hurry.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._publish_now.wait()

    async def _solve(self) -> bytes:
        """The encoded solution of what the server asks, found in a thread; nothing where it asks nothing, where it is
        too much to ask, or takes too long."""
        challenge, genesis, descriptor = self._challenge, self._genesis(), self._last_published
        if challenge is None or genesis is None or descriptor is None:
            return b""
        if challenge.bits > MOST_BITS:
            self._status.set(
                warning=f"The server asks for a proof of work of {challenge.bits} bits; more than {MOST_BITS} are not"
                " reasonable. It is asked again."
            )
            return b""
        start, tried = work_bytes(genesis.network_id, descriptor.key, challenge.salt), 0
        while self._clock.wall() < challenge.expires:
            found = await asyncio.to_thread(search, challenge.bits, start, tried, TRIES)
            if found is not None:
                self._status.set(warning=self._status.lasting)
                return encode(WorkSolution(challenge=challenge, solution=found))
            tried += TRIES
            done = 1 - math.exp(-tried / 2**challenge.bits)
            self._status.set(
                warning="Many newcomers join the network now, so its server asks each for a proof of work: this"
                f" computer calculates (with a chance of {done:.0%} it would be through by now)."
            )
        return b""

    def _half_life(self) -> float:
        if self._last_published is None:
            return PUBLISH_RETRY_SECONDS
        descriptor = descriptor_decoder.decode(self._last_published.record)
        middle = (descriptor.issued + descriptor.expires) / 2
        return max(PUBLISH_RETRY_SECONDS, middle - self._clock.wall())

    async def _bring_statement(self, session: aiohttp.ClientSession, url: str) -> None:
        """Tell the server whose place this node takes, if it takes somebody's."""
        genesis = self._genesis()
        statement = self._statement(genesis.network_id, self._clock.wall()) if genesis is not None else None
        if statement is None:
            return
        try:
            async with network_errors():
                await send_statement(session, url, statement)
            self._on_notice(say("successor.known"))
            self._statement_told()
        except DirectoryError as error:
            # It was told before, or the old identity never was listed: there is nothing to inherit.
            self._on_notice(say("successor.refused", problem=said_by(error)))
            self._statement_told()
        except (BootstrapUnreachableError, StorageError) as error:
            self._status.set(warning=say("successor.not_told", problem=said_by(error)))
