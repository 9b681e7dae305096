"""The engine's end of its node links: relay, proxy and model node behind one ``LinkHandler``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from engine.clock import Clock
from engine.crypto.sealing import SealingKey
from engine.directory.directory import Directory
from engine.directory.groups import serves
from engine.directory.shapes import clove_numbers
from engine.errors import SealError, WireError
from engine.ids import NetworkId, NodeId, RequestId, short_id
from engine.node.loop import CHANNEL, LANE, MachineLoop
from engine.paths.admission import Admission
from engine.paths.answer_sender import CloveOut
from engine.paths.effects import Dial, Disconnect, RelayEffect, Send
from engine.paths.fair_sharing import Saturation
from engine.paths.forward import ForwardOver
from engine.paths.member import MemberMachine
from engine.paths.outgoing import Target
from engine.paths.relay import RelayMachine
from engine.paths.serving import ExecutionCancelled, ExecutionOffered, ExecutionStarted, Server, ServingEffect
from engine.paths.setup import ReplayCache
from engine.transport.link import Channel, LinkSender
from engine.wire.answer import Failed, FrameEvent
from engine.wire.blocks import (
    CommitteeBlock,
    CommitteeHave,
    CommitteeMessage,
    CommitteeNews,
    CommitteePrevotes,
    CommitteeWant,
)
from engine.wire.codec import encode
from engine.wire.forward import Forward, ForwardAnswer, ForwardBegun, ForwardEnd, ForwardServed
from engine.wire.group import GroupMessage, GroupNews, GroupOffer, GroupState, GroupWant
from engine.wire.link import (
    DeliverClove,
    DirectoryHash,
    ReleaseHandle,
    ReturnClove,
    link_decoder,
)
from engine.wire.records import Parameters

logger = logging.getLogger(__name__)


class OverlayPeer:
    """Relay and model node of one identity. ``sender``, ``start``, ``cancel`` and ``dial`` are attached before links
    come up."""

    def __init__(
        self,
        node_id: NodeId,
        network_id: NetworkId,
        onion_keys: Callable[[], Sequence[bytes]],
        seal_keys: Callable[[], Sequence[SealingKey]],
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        *,
        parameters: Parameters,
        started: float,
        relays: bool,
        bandwidth: float | None = None,
        replays: ReplayCache | None = None,
        admission: Admission | None = None,
    ) -> None:
        """``started``: seconds since 1970; requests sealed before are refused. ``relays``: pass others' cells, at most
        ``bandwidth`` bytes of them per second (None: no limit). ``replays`` and ``admission``: set-ups and requests
        that were taken, also in earlier runs."""
        self._clock = clock
        self.node_id = node_id
        self._directory: Directory | None = None
        self.sender: LinkSender | None = None
        self.start: Callable[[ExecutionStarted], None] = lambda _: None
        self.cancel: Callable[[RequestId], None] = lambda _: None
        self.offer: Callable[[ExecutionOffered], None] = lambda _: None
        self.begun: Callable[[RequestId], None] = lambda _: None
        self.served: Callable[[RequestId, int], None] = lambda request_id, cached_tokens: None
        self.forward_over: Callable[[ForwardOver], None] = lambda _: None
        self.head: Callable[[], DirectoryHash | None] = lambda: None
        self.heard_head: Callable[[DirectoryHash], None] = lambda _: None
        self._onion_keys = onion_keys
        self.dial: Callable[[NodeId], None] = lambda _: None
        self.linked: Callable[[NodeId], None] = lambda _: None
        self.heard_group: Callable[[NodeId, GroupMessage], None] = lambda peer, message: None
        self.heard_committee: Callable[[NodeId, CommitteeMessage], None] = lambda peer, message: None
        self.links_changed: Callable[[], None] = lambda: None
        self._mesh_relays = parameters.mesh_relays
        self._is_above_mesh = False
        self.relay = RelayMachine(
            node_id,
            self._usable_keys,
            self._is_relay,
            self._is_model_node,
            random_bytes,
            dials=self._dials,
            bandwidth=bandwidth,
            replays=replays,
        )
        self.relay.departures.backlog = self._backlog
        self.saturation_changed: Callable[[], None] = lambda: None
        self._saturation = Saturation()
        self._relays = relays
        numbers = clove_numbers(parameters)
        self.serving = MemberMachine(Server(network_id, node_id, seal_keys, started, random_bytes, numbers, admission))
        self.serving.is_member = self.serves
        self.relay_loop = MachineLoop(clock, self._tick_relay, self.relay.next_deadline)
        self.serving_loop = MachineLoop(clock, self._tick_serving, self.serving.next_deadline)

    def set_relaying(self, on: bool, bandwidth: float) -> None:
        """Pass others' cells from now on or not, at most ``bandwidth`` bytes of them per second."""
        now = self._clock.monotonic()
        self.relay.departures.limit(bandwidth, now)
        if self._relays and not on:
            self._relays = False
            self._relay(self.relay.close_all("this node relays no more", now))
        self._relays = on
        self.relay_loop.wake()

    def _usable_keys(self) -> Sequence[bytes]:
        """Without keys nothing opens: who does not relay is no guard, middle or proxy, whoever still knows its old
        keys."""
        return self._onion_keys() if self._relays else ()

    # Directory

    def update_directory(self, directory: Directory) -> None:
        """Use this snapshot from now on."""
        changed = self._directory is None or self._directory.digest != directory.digest
        self._directory = directory
        if changed:
            self._is_above_mesh = sum(node.descriptor.relay for node in directory.nodes()) > self._mesh_relays
        if changed and self.sender is not None:
            for peer in sorted(self.sender.links()):
                self._compare_directories(peer)

    def _is_relay(self, node_id: NodeId) -> bool:
        node = self._directory.get(node_id) if self._directory else None
        return node is not None and node.descriptor.relay and self._relays

    def _dials(self) -> bool:
        """Above a mesh relays are not linked with model nodes ahead of need."""
        return self._is_above_mesh

    def _is_model_node(self, node_id: NodeId) -> bool:
        node = self._directory.get(node_id) if self._directory else None
        return node is not None and bool(node.descriptor.models)

    def _compare_directories(self, peer: NodeId) -> None:
        """Tell a neighbour which snapshot we hold, so that nobody is shown a directory of his own unnoticed."""
        head = self.head()
        if head is not None and self.sender is not None:
            self.sender.send(peer, Channel.CONTROL, encode(head))

    # LinkHandler

    def link_up(self, peer: NodeId, peer_is_client: bool) -> None:
        """See ``LinkHandler``."""
        # Return addresses of an earlier link are void.
        self._serving(self.serving.link_down(peer, self._clock.monotonic()))
        # Who is not listed gets a client's limits, whatever it says of itself.
        listed = self._directory is not None and peer in self._directory
        self._relay(self.relay.link_up(peer, peer_is_client or not listed, self._clock.monotonic()))
        self._compare_directories(peer)
        self.linked(peer)
        self.links_changed()

    def link_down(self, peer: NodeId, reason: str) -> None:
        """See ``LinkHandler``."""
        self._serving(self.serving.link_down(peer, self._clock.monotonic()))
        self._relay(self.relay.link_down(peer, self._clock.monotonic()))
        self.links_changed()

    def link_message(self, peer: NodeId, channel: Channel, data: bytes) -> None:
        """See ``LinkHandler``."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        if channel is Channel.CELLS:
            self._relay(self.relay.receive(peer, LANE[channel], data, now, wall))
            if self.relay.is_behind:
                self.relay_loop.wake()
            return
        try:
            message = link_decoder.decode(data)
        except WireError as error:
            self._disconnect(peer, str(error))
            return
        match message:
            case DeliverClove():
                self._serving(self.serving.receive(peer, message.handle, message.clove, now, wall))
                self.serving_loop.wake()
            case Forward():
                if self._is_model_node(peer):
                    self._serving(self.serving.forwarded_to(peer, message, now, wall))
                    self.serving_loop.wake()
            case ForwardAnswer():
                self._serving(self.serving.forward_answered(peer, message, now))
                self.serving_loop.wake()
            case ForwardServed():
                request_id = self.serving.forward_told(peer, message)
                if request_id is not None:
                    self.served(request_id, message.cached_tokens)
            case ForwardBegun():
                request_id = self.serving.forward_told(peer, message)
                if request_id is not None:
                    self.begun(request_id)
            case ForwardEnd():
                self._serving(self.serving.forward_ended(peer, message, now))
            case DirectoryHash():
                self.heard_head(message)
            case GroupNews() | GroupOffer() | GroupWant() | GroupState():
                self.heard_group(peer, message)
            case CommitteeNews() | CommitteeWant() | CommitteeBlock() | CommitteePrevotes() | CommitteeHave():
                self.heard_committee(peer, message)
            case _:
                if isinstance(message, ReleaseHandle):
                    self._serving(self.serving.release(peer, message.handle))
                if isinstance(message, ReturnClove):
                    passed_on = self.serving.returned(peer, message.handle, message.clove, now)
                    if passed_on is not None:
                        self._serving(passed_on)
                        return
                self._relay(self.relay.receive_message(peer, message, now, wall))
                self.relay_loop.wake()

    # Effects

    def push(self, request_id: RequestId, event: FrameEvent) -> None:
        """An event of a running answer, from the serving role."""
        self._serving(self.serving.push(request_id, event, self._clock.monotonic()))
        self.serving_loop.wake()

    def keep(self, request_id: RequestId) -> None:
        """This node serves what was offered."""
        self._serving(self.serving.keep(request_id, self._clock.monotonic()))
        self.serving_loop.wake()

    def forward(self, request_id: RequestId, target: Target, uncached: int) -> bool:
        """Another member, whose cache lacks ``uncached`` tokens of it, shall serve what was offered; this node does
        where nothing can be sealed to it. Whether it is on its way."""
        try:
            sends = self.serving.forward(request_id, target, self._clock.monotonic(), uncached)
        except SealError:
            self.keep(request_id)
            return False
        self._serving(sends)
        self.serving_loop.wake()
        return bool(sends)

    def refuse(self, request_id: RequestId, failed: Failed) -> None:
        """Nobody serves what was offered."""
        self._serving(self.serving.refuse(request_id, failed, self._clock.monotonic()))
        self.serving_loop.wake()

    def leave(self) -> None:
        """Carry no more answers of other members."""
        self._serving(self.serving.leave(self._clock.monotonic()))

    def serves(self, node_id: NodeId, digest: bytes) -> bool:
        """Whether a node is listed as serving the model with this digest."""
        node = self._directory.get(node_id) if self._directory else None
        return node is not None and serves(node, digest)

    def _tick_relay(self) -> None:
        now = self._clock.monotonic()
        self._relay(self.relay.tick(now))
        if self._saturation.look(self.relay.load(now), now):
            self.saturation_changed()

    @property
    def saturated(self) -> bool:
        """Whether new paths had better not go through this relay."""
        return self._saturation.holds

    def _backlog(self, peer: NodeId) -> int:
        return 0 if self.sender is None else self.sender.backlog(peer)

    def _tick_serving(self) -> None:
        self._serving(self.serving.tick(self._clock.monotonic()))

    def _relay(self, effects: Sequence[RelayEffect]) -> None:
        refused: list[Send] = []
        for effect in effects:
            if isinstance(effect, Send):
                if not self._send(effect.peer, CHANNEL[effect.lane], effect.data):
                    refused.append(effect)
            elif isinstance(effect, Disconnect):
                self._disconnect(effect.peer, effect.reason)
            elif isinstance(effect, Dial):
                self.dial(effect.peer)
                self.relay_loop.wake()
        for send in refused:  # each ends a circuit at most once, so this comes to an end
            self._relay(self.relay.refused(send))

    def _serving(self, effects: Sequence[ServingEffect]) -> None:
        for effect in effects:
            match effect:
                case CloveOut():
                    message = ReturnClove(handle=effect.handle, clove=effect.clove)
                    self._send(effect.proxy, Channel.CONTROL, encode(message))
                case Send():
                    self._send(effect.peer, CHANNEL[effect.lane], effect.data)
                case ExecutionOffered():
                    self.offer(effect)
                case ExecutionStarted():
                    self.start(effect)
                case ExecutionCancelled():
                    self.cancel(effect.request_id)
                case ForwardOver():
                    self.forward_over(effect)

    def _send(self, peer: NodeId, channel: Channel, data: bytes) -> bool:
        return self.sender is not None and self.sender.send(peer, channel, data)

    def _disconnect(self, peer: NodeId, reason: str) -> None:
        logger.info("link with %s is closed: %s", short_id(peer), reason)
        if self.sender is not None:
            self.sender.disconnect(peer, reason)
