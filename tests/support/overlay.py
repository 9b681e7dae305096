"""A whole overlay on the memory internet in simulated time: relays, model nodes, a client; no sockets, no waiting."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from engine.crypto.sealing import SealingKey
from engine.directory.directory import Directory, DirectoryNode
from engine.directory.guards import state_of
from engine.directory.shapes import NOTHING_WEAKER, Accepted, Shape
from engine.ids import NetworkId, NodeId, RequestId
from engine.inference.types import GenerationRequest, PromptMessage
from engine.node.overlay_client import OverlayClient, Served
from engine.node.overlay_peer import OverlayPeer
from engine.paths.outgoing import Question
from engine.paths.serving import ExecutionStarted
from engine.transport.memory import MemoryInternet
from engine.transport.memory_links import Conditions
from engine.transport.scheduler import ManualScheduler
from engine.wire.answer import ChatMessage, Finished, FrameEvent, Sampling, Tokens
from engine.wire.records import Descriptor, OnionKey, Parameters, SealKey, ServedModel

NETWORK = NetworkId(b"n" * 32)
MODEL = "model"
ASKED = GenerationRequest(model_id=MODEL, messages=(PromptMessage("user", "why?"),), sampling=Sampling(seed=1))
TICK = 0.01


class Collected:
    """What a client got of one answer."""

    def __init__(self) -> None:
        self.events: list[FrameEvent] = []
        self.paths: tuple[tuple[NodeId, ...], ...] = ()
        self.error: Exception | None = None
        self.numbers = (0, 0)

    def qsize(self) -> int:
        return 0

    def put_nowait(self, item: Served | Exception) -> None:
        if isinstance(item, Exception):
            self.error = item
        else:
            self.events += item.events
            self.paths = item.summary.paths
            self.numbers = (item.summary.outgoing.request.n, item.summary.outgoing.request.k)

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Tokens))

    @property
    def ids(self) -> list[int]:
        return [token for event in self.events if isinstance(event, Tokens) for token in event.ids]

    @property
    def finished(self) -> bool:
        return any(isinstance(event, Finished) for event in self.events)


class Member:
    """A relay or model node. A model node answers with ``words`` words, one every ``pace`` seconds."""

    def __init__(
        self,
        overlay: Overlay,
        name: str,
        *,
        model: bool,
        words: int,
        pace: float,
        relay: bool | None = None,
        bandwidth: float | None = None,
    ) -> None:
        self.overlay = overlay
        self.node_id = overlay.identify(name)
        self.model = model
        self.relay = not model if relay is None else relay
        self.away = False  # the bootstrap server's mark, whatever is true
        self.onion = X25519PrivateKey.generate()
        self.seal = [SealingKey.generate(1), SealingKey.generate(2)]
        self.words, self.pace = words, pace
        self.cancelled: list[RequestId] = []
        self.alive = True
        self.started = overlay.scheduler.clock.wall() - overlay.started_ago
        self.peer = OverlayPeer(
            self.node_id,
            NETWORK,
            lambda: [self.onion.private_bytes_raw()],
            lambda: self.seal,
            overlay.scheduler.clock,
            overlay.random_bytes,
            parameters=overlay.parameters,
            started=self.started,
            relays=self.relay,
            bandwidth=bandwidth,
        )
        self.peer.start = self._start
        self.peer.cancel = self.cancelled.append
        self.endpoint = overlay.internet.endpoint(self.node_id, self.peer)
        self.peer.sender = self.endpoint
        self.abilities: dict[str, bool] = {}  # of its model, where they are not what most have

    def entry(self) -> DirectoryNode:
        expires = int(self.overlay.scheduler.clock.wall()) + 10**8
        onion = OnionKey(1, self.onion.public_key().public_bytes_raw(), expires)
        served = ServedModel(MODEL, b"d" * 32, b"t" * 32, 4096, 4, 0.0, 0.0, 0, 0, **self.abilities)
        descriptor = Descriptor(
            suite=1,
            network_id=NETWORK,
            identity_key=b"k" * 32,
            issued=0,
            expires=expires,
            started=math.ceil(self.started),
            minimum_version=1,
            maximum_version=1,
            relay=self.relay,
            onion_keys=(onion,),
            seal_keys=tuple(SealKey(key.suite, key.public, expires) for key in self.seal) if self.model else (),
            models=(served,) if self.model else (),
            relay_bandwidth=10**6,
            family="",
            software="test",
            spare_capacity=not self.peer.saturated,
        )
        return DirectoryNode(self.node_id, descriptor, "127.0.0.0/16", 0, 0, 1.0, 1.0, self.away)

    def _start(self, started: ExecutionStarted) -> None:
        for index in range(self.words):
            event = Tokens(index, (index,), f"w{index} ")
            self._later(index * self.pace, functools.partial(self._push, started, event))
        end = Finished("stop", 3, self.words, b"", b"s" * 64)
        self._later(self.words * self.pace, lambda: self._push(started, end))

    def _later(self, delay: float, action: Callable[[], None]) -> None:
        self.overlay.scheduler.call_later(delay, action)

    def _push(self, started: ExecutionStarted, event: FrameEvent) -> None:
        if self.alive:
            self.peer.push(started.request_id, event)

    def tick(self) -> None:
        if self.alive:
            self.peer._tick_relay()
            self.peer._tick_serving()


class Overlay:
    """``relays`` relays in a full mesh, ``models`` model nodes linked with all of them, and one client."""

    member_class = Member
    grouped = False
    """Whether model nodes are linked with each other."""

    def __init__(
        self,
        relays: int = 16,
        models: int = 1,
        *,
        words: int = 20,
        pace: float = 0.05,
        conditions: Conditions | None = None,
        parameters: Parameters | None = None,
        seed: int = 1,
        models_relay: bool = False,
        started_ago: float = 0.0,
        accepted: Accepted = NOTHING_WEAKER,
        bandwidth: float | None = None,
    ) -> None:
        self.accepted = accepted
        self.started_ago = started_ago
        self.scheduler = ManualScheduler()
        source = random.Random(seed)
        self.random_bytes = source.randbytes
        self.internet = MemoryInternet(self.scheduler, source, conditions)
        self.parameters = parameters or Parameters(one_prefix=True, allow_loopback=True)
        self.relays = [
            Member(self, f"relay-{index}", model=False, words=0, pace=0, bandwidth=bandwidth) for index in range(relays)
        ]
        self.models = [
            self.member_class(self, f"model-{index}", model=True, words=words, pace=pace, relay=models_relay)
            for index in range(models)
        ]
        self.restart_client()

    def restart_client(self, guards: Sequence[NodeId] = ()) -> None:
        """A client whose engine has just started, with the guards that it kept on disk."""
        client_id = self.identify("client")
        clock = self.scheduler.clock
        kept = state_of(guards) if guards else None
        self.client = OverlayClient(
            NETWORK, self.parameters, [client_id], clock, self.random_bytes, kept, self.accepted
        )
        endpoint = self.internet.endpoint(client_id, self.client, is_client=True)
        self.client.sender, self.client.want = endpoint, endpoint.want
        self.announce()

    def identify(self, name: str) -> NodeId:
        """The id of a member."""
        return NodeId(name.encode().ljust(20, b"."))

    def members(self) -> list[Member]:
        return self.relays + self.models

    def by_id(self, node_id: NodeId) -> Member:
        return next(member for member in self.members() if member.node_id == node_id)

    def announce(self) -> None:
        """Everybody gets the directory of who is alive."""
        alive = [member for member in self.members() if member.alive]
        now = int(self.scheduler.clock.wall())
        directory = Directory(
            [member.entry() for member in alive],
            parameters=self.parameters,
            created=now,
            epoch=1,
            issued=now,
            digest=b"e" * 32,
        )
        for member in alive:
            member.peer.update_directory(directory)
            others = alive if member.relay else self.relays
            if member.model and self.grouped:
                others = [*others, *self.models]
            ids = {other.node_id for other in others if other.alive}
            lower = {node_id for node_id in ids if node_id < member.node_id}
            member.endpoint.want(ids - lower, expected=lower)
        self.client.update_directory(directory)

    def kill(self, member: Member) -> None:
        """Without a word; the directory does not know yet."""
        member.alive = False
        self.internet.kill(member.node_id)

    def advance(self, seconds: float) -> None:
        """Simulated time passes, everybody's clockwork included."""
        for _ in range(round(seconds / TICK)):
            self.scheduler.advance(TICK)
            for member in self.members():
                member.tick()
            self.client._tick()

    def until(self, condition: Callable[[], bool], limit: float) -> float:
        """Advance until ``condition`` holds; gives the seconds that took, fails after ``limit``."""
        begun = self.scheduler.now()
        while not condition():
            assert self.scheduler.now() - begun < limit, "it did not happen in time"
            self.advance(TICK)
        return self.scheduler.now() - begun

    def ready(self) -> bool:
        return self.client.open_paths() == self.parameters.n

    def ready_in(self, accepted: Accepted | None, chat: bytes = b"chat", limit: float = 20.0) -> Shape:
        """Wait until a chat can be asked by somebody who accepts so much; the shape in which."""
        begun = self.scheduler.now()
        while (shape := self.client.is_ready(chat, self.scheduler.now() - begun, accepted)) is None:
            assert self.scheduler.now() - begun < limit, "it did not happen in time"
            self.advance(TICK)
        return shape

    def ask(
        self, chat: bytes = b"chat", text: str = "why?", wall: float | None = None, shape: Shape | None = None
    ) -> Collected:
        collected = Collected()
        target = self.client.choose_target(chat, ASKED, (), (), None, shape)
        question = Question(MODEL, (ChatMessage("user", text),), Sampling(seed=1), 10_000)
        clock = self.scheduler.clock
        wall = clock.wall() if wall is None else wall
        if shape is None:
            key, begun = self.client.machine.ask(chat, question, target, clock.monotonic(), wall)
            self.client._streams[key] = collected  # type: ignore[assignment]
            self.client._apply(begun)
        else:
            key, effects = self.client.begin(chat, question, target, shape)
            self.client._streams[key] = collected  # type: ignore[assignment]
            self.client._apply(effects)
        return collected
