"""Keeps the node identity present as long as the owner relays or contributes, and makes true what the switches say."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from engine.errors import InferenceError, RequestError
from engine.ids import is_publishers
from engine.node.backends import MEBIBYTE
from engine.node.overlay_client import OverlayClient
from engine.node.peer_presence import PeerPresence
from engine.node.presence import Membership
from engine.node.verifying import verifier_maker
from engine.sentences import said_by

if TYPE_CHECKING:
    from engine.node.node import Node

logger = logging.getLogger(__name__)

FINISH_SECONDS = 600.0
"""So long at most running answers may take where the owner lets them finish before a pause."""
LEAVE_SECONDS = 0.5
"""So long at most it may take to tell clients that this machine leaves."""


class PeerKeeper:
    """``run()`` until cancelled; ``switch()`` whenever what is wanted may be another thing. ``node`` says what is
    wanted (``serves_now``, ``relaying``, ``contributed_model``)."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._switched = asyncio.Event()
        self.peer: PeerPresence | None = None
        self.ready = False
        """Whether the contributed model is in memory and offered."""
        self.problem = ""
        """Why it is not, in plain words."""
        self.model = ""
        """What this machine answers others with, or is about to; memory may be taken for it."""
        self.finishing = False
        """Whether running answers are given the time that they need before a pause."""
        self._finish_by: float | None = None

    def switch(self) -> None:
        """Look anew at what is wanted; what is under way for another wish is broken off."""
        self._switched.set()

    async def run(self, membership: Membership) -> None:
        """The node identity is present while this engine relays or contributes, and at no other time."""
        while True:
            self._switched.clear()
            if not self._is_wanted():
                await self._free_memory()
                await self._switched.wait()
                continue
            self.peer = peer = self._make_peer(membership)
            try:
                async with asyncio.TaskGroup() as tasks:
                    present = tasks.create_task(peer.run())
                    await self._follow_switches(peer)
                    await self.leave()
                    present.cancel()
            finally:
                self.peer = None
                self._node.changed()

    async def leave(self) -> None:
        """Before this engine ends, or is a peer no longer: memory is given back at once, and the clients that were
        being answered hear that they have to go on elsewhere."""
        if self.peer is None:
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.peer.leave(LEAVE_SECONDS))
            tasks.create_task(self._free_memory())

    def _is_wanted(self) -> bool:
        return self._node.relaying[0] or self._node.serves_now

    def _make_peer(self, membership: Membership) -> PeerPresence:
        node, configuration = self._node, self._node.configuration
        relays, bandwidth = node.relaying
        return PeerPresence(
            membership,
            node.keys,
            node.backend,
            relays=relays,
            bandwidth=bandwidth,
            max_tokens_per_second=configuration.max_tokens_per_second,
            signaling_address=configuration.signaling_address,
            prefixes=node.prefixes,
            forwarding_policy=configuration.forwarding_policy,
            family=configuration.family,
            make_verifier=verifier_maker(
                self._overlay_client,
                node.backend,
                configuration.data_directory / "questions",
                membership.clock,
                self._verifier_room,
            ),
            calibrations=configuration.data_directory / "calibrations",
            served=node.served.add,
            finished=node.served.finished,
            longest_request=lambda: node.governing.rules.longest_request,
        )

    def _verifier_room(self) -> int:
        """Bytes for a reference model: what the owner says, else what is free where it would be loaded."""
        return self._node.configuration.verifier_memory * MEBIBYTE or self._node.inference.room()

    def _overlay_client(self) -> OverlayClient | None:
        return self._node.client.client if self._node.client is not None else None

    async def _follow_switches(self, peer: PeerPresence) -> None:
        """Returns when nothing is wanted of this peer any more, and what was to be finished is. Each new wish breaks
        off what the last one was doing, perhaps in the middle of loading what nobody wants any more."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._switched.clear()
                applying = tasks.create_task(self._apply(peer))
                await self._switched.wait()
                if applying.done() and not applying.result() and not self._is_wanted():
                    return
                applying.cancel()

    async def _apply(self, peer: PeerPresence) -> bool:
        """Make what the switches say true: load and announce the model, or withdraw it and free its memory. Gives
        whether this peer is still wanted then."""
        node = self._node
        self.problem = ""
        peer.relay(*node.relaying)
        if node.serves_now:
            self._finish_by = None
        else:
            self.ready = False
            await self._let_finish(peer)
            if not node.relaying[0]:
                self._switched.set()  # nothing is left to do: ``leave`` comes next
                return False
            peer.offer(frozenset())
            await self._free_memory()
            return True
        if node.remote is not None and node.contributed_model == node.remote.model_id:
            self.model = node.contributed_model
            peer.offer(frozenset([node.contributed_model]))
            node.remote_changed()
        else:
            await self._serve(peer, node.contributed_model)
        return True

    async def _serve(self, peer: PeerPresence, model_id: str) -> None:
        node = self._node
        if self.model not in ("", model_id):  # memory for two of them may not be there
            self.ready = False
            peer.offer(frozenset())
            await self._free_memory()
        self.model = model_id
        try:
            node.published.check_serving(model_id)
            await node.inference.start([model_id])
            node.published.check_serving(model_id, node.digest_of(model_id))
        except (InferenceError, RequestError) as error:
            self.problem = said_by(error)
            self.ready = False
            logger.error("not contributing: %s", error)
            peer.offer(frozenset())  # it may have been served until now
            if is_publishers(model_id):
                await self._free_memory()
            node.changed()
            return
        self.ready = True
        peer.offer(frozenset([model_id]))
        node.changed()

    async def _free_memory(self) -> None:
        """What is held for others. Where nothing is, what runs here is the owner's own."""
        if not self.model:
            return
        if self._node.remote is not None:
            self._node.remote.stop()
        await self._node.inference.stop()
        self.model = ""

    async def _let_finish(self, peer: PeerPresence) -> None:
        """Before memory is given back, where the owner wants running answers finished rather than handed over."""
        if self._node.governing.rules.when_pausing != "finish":
            return
        now = self._node.governing.clock.monotonic()
        if self._finish_by is None:
            self._finish_by = now + FINISH_SECONDS
        self.finishing = True
        self._node.changed()
        try:
            await peer.finish(self._finish_by - now)  # another wish meanwhile, of relaying for one, gives no more time
        finally:
            self.finishing = False
            self._node.changed()
