"""What the owner does about the network through the control API: hosting, inviting, examining the connection,
handing in answers that are doubted."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api.schema import (
    ControlEvent,
    ExamineConnection,
    GetHosting,
    GetSampleSharing,
    HostNetwork,
    MakeInvitation,
    NetworkKept,
    NetworkRequest,
    ReportSample,
    RequestFailed,
    RevokeInvitation,
    SampleReported,
    ShareSamples,
    StopHosting,
)
from engine.clock import Clock
from engine.errors import InvalidRequestError, OverloadedError
from engine.node.hosting import HostedNetwork
from engine.node.reporting_samples import SampleReports
from engine.node.sharing_samples import SharingSamples
from engine.sentences import say

if TYPE_CHECKING:
    from engine.node.node import Node

TELL_SECONDS = 0.1
"""Changes that come so soon after each other are told once."""
LOOK_SECONDS = 10.0
"""Members come by the server's hand: who is listed is looked at so often while somebody is connected."""
Tell = Callable[[ControlEvent], None]
Doctor = Callable[[ExamineConnection, Tell], Awaitable[ControlEvent]]


def make_network_service(node: Node, folder: Path, clock: Clock) -> NetworkService:
    """That of an engine."""
    changed = asyncio.Event()
    hosted = HostedNetwork(folder, clock, os.environ, node.keys.ids, changed.set)
    samples = SampleReports(node.overlay, clock, os.urandom)
    sharing = SharingSamples(folder, samples, clock, os.urandom)
    node.answers.answered = sharing.answered
    return NetworkService(hosted, changed, node.join_network, samples, sharing)


class NetworkService:
    """One for all clients; each hears of every change. ``run()`` until cancelled."""

    def __init__(
        self,
        hosted: HostedNetwork,
        changed: asyncio.Event,
        join: Callable[[str], str],
        samples: SampleReports,
        sharing: SharingSamples,
    ) -> None:
        """``changed`` is set by ``hosted``; ``join`` makes a network that of the engine's next start."""
        self._hosted = hosted
        self._changed = changed
        self._join = join
        self._samples = samples
        self._sharing = sharing
        self._listeners: set[Tell] = set()
        self._turns = asyncio.Lock()
        self._examining = False
        self.doctor: Doctor | None = None
        """Who examines the connection; the program sets it, as it stands above the engine."""

    async def run(self) -> None:
        """Run what is hosted, and tell what changes."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hosted.run())
            tasks.create_task(self._tell_changes())
            tasks.create_task(self._sharing.run())

    def attach(self, tell: Tell) -> None:
        """A client has connected; ``tell`` never raises."""
        self._listeners.add(tell)

    def detach(self, tell: Tell) -> None:
        """The client is gone; what is hosted goes on."""
        self._listeners.discard(tell)

    async def handle(self, request: NetworkRequest, tell: Tell) -> ControlEvent:
        """Do what is asked, one after the other; the reply. Raises the reason where it cannot be done."""
        if isinstance(request, GetHosting):
            await self._hosted.look()
            return self._hosted.hosting(request.ref)
        if isinstance(request, ExamineConnection):
            return await self._examine(request, tell)
        if isinstance(request, ReportSample):
            return SampleReported(ref=request.ref, machines=await self._samples.report(request.receipt.encode()))
        if isinstance(request, GetSampleSharing | ShareSamples):
            if isinstance(request, ShareSamples):
                self._sharing.agree(request.on)
            return self._sharing.state(request.ref)
        async with self._turns:
            return await self._change(request, tell)

    async def _change(self, request: NetworkRequest, tell: Tell) -> ControlEvent:
        match request:
            case HostNetwork():
                await self._hosted.host(request)
                if request.join:
                    tell(NetworkKept(ref="", address=self._join(await self._hosted.own_invitation())))
                    await self._hosted.look()
            case StopHosting():
                await self._hosted.stop()
            case MakeInvitation():
                return await self._hosted.invite(request)
            case RevokeInvitation(invitation=invitation):
                await self._hosted.revoke(invitation)
            case _:
                return RequestFailed(request="", code="not_served", text=say("hosting.unknown"), ref=request.ref)
        return self._hosted.hosting(request.ref)

    async def _examine(self, request: ExamineConnection, tell: Tell) -> ControlEvent:
        if self.doctor is None:
            raise InvalidRequestError(say("doctor.unavailable"))
        if self._examining:
            raise OverloadedError(say("doctor.running"))
        self._examining = True
        try:
            return await self.doctor(request, tell)
        finally:
            self._examining = False

    async def _tell_changes(self) -> None:
        told: ControlEvent | None = None
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._changed.wait()
            await asyncio.sleep(TELL_SECONDS)
            self._changed.clear()
            if not self._listeners:
                told = None
                continue
            await self._hosted.look()
            now = self._hosted.hosting()
            if now != told:
                told = now
                for tell in tuple(self._listeners):
                    tell(now)
