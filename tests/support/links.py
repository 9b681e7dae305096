"""What tests of links need: a recording handler, and signaling between meshes of one process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine.ids import NodeId
from engine.transport.link import Channel
from engine.transport.signaling import SignalHandler


class RecordingHandler:
    """A ``LinkHandler`` that writes everything down; ``on_message`` may react."""

    def __init__(self) -> None:
        self.ups: list[tuple[NodeId, bool]] = []
        self.downs: list[tuple[NodeId, str]] = []
        self.messages: list[tuple[NodeId, Channel, bytes]] = []
        self.on_message: Callable[[NodeId, Channel, bytes], None] | None = None

    def link_up(self, peer: NodeId, peer_is_client: bool) -> None:
        self.ups.append((peer, peer_is_client))

    def link_down(self, peer: NodeId, reason: str) -> None:
        self.downs.append((peer, reason))

    def link_message(self, peer: NodeId, channel: Channel, data: bytes) -> None:
        self.messages.append((peer, channel, data))
        if self.on_message is not None:
            self.on_message(peer, channel, data)


class LocalSignaling:
    """A signaling service in one process. ``change`` may replace or drop (None) what passes."""

    def __init__(self) -> None:
        self._handlers: dict[NodeId, SignalHandler] = {}
        self.change: Callable[[NodeId, NodeId, bytes], bytes | None] = lambda _sender, _receiver, payload: payload
        self.passed: list[tuple[NodeId, NodeId, bytes]] = []
        self.delay = 0.0

    def port(self, node_id: NodeId) -> LocalPort:
        """The port of one node."""
        return LocalPort(self, node_id)

    def attach(self, node_id: NodeId, handler: SignalHandler) -> None:
        self._handlers[node_id] = handler

    def detach(self, node_id: NodeId) -> None:
        """This node is not online any more."""
        self._handlers.pop(node_id, None)

    def carry(self, sender: NodeId, receiver: NodeId, payload: bytes) -> None:
        loop = asyncio.get_running_loop()
        changed = self.change(sender, receiver, payload)
        if changed is None:
            return
        self.passed.append((sender, receiver, changed))
        loop.call_later(self.delay, self._deliver, sender, receiver, changed)

    def _deliver(self, sender: NodeId, receiver: NodeId, payload: bytes) -> None:
        target = self._handlers.get(receiver)
        if target is not None:
            target.on_signal(sender, payload)
        elif sender in self._handlers:
            self._handlers[sender].on_signal_failed(receiver, "not online")


class LocalPort:
    """One node's ``SignalingPort``."""

    def __init__(self, service: LocalSignaling, node_id: NodeId) -> None:
        self._service = service
        self._node_id = node_id
        self.connected = True

    def attach(self, handler: SignalHandler) -> None:
        self._service.attach(self._node_id, handler)

    def send_signal(self, peer: NodeId, payload: bytes) -> bool:
        if self.connected:
            self._service.carry(self._node_id, peer, payload)
        return self.connected
