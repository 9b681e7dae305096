"""A client of a simulated network, and what it gets of each answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from engine.crypto.identity import Identity
from engine.directory.directory import Directory
from engine.errors import RequestError
from engine.ids import NodeId
from engine.inference.types import GenerationRequest, PromptMessage
from engine.node.overlay_client import OverlayClient, Served
from engine.paths.outgoing import Question
from engine.simulation.loops import SimulatedLoop
from engine.simulation.node import MODEL, World
from engine.wire.answer import ChatMessage, Failed, Finished, FrameEvent, Sampling, Tokens

SEED = 1
QUESTION = Question(MODEL, (ChatMessage("user", "why?"),), Sampling(seed=SEED), 10_000)
ASKED = GenerationRequest(model_id=MODEL, messages=(PromptMessage("user", "why?"),), sampling=QUESTION.sampling)
COALESCE_SECONDS = 0.01


class Asked(asyncio.Queue[Served | RequestError]):
    """One answer as it arrives; ``ended`` is called with it once, when it is complete or lost."""

    def __init__(self, key: int, node_id: NodeId, now: Callable[[], float], ended: Callable[[Asked], None]) -> None:
        super().__init__()
        self.key = key
        self.node_id = node_id
        """Whom it was asked of."""
        self.asked_at = now()
        self.first_at: float | None = None
        self.ended_at: float | None = None
        self.ids: list[int] = []
        self.text = ""
        self.longest_pause = 0.0
        """Seconds between two events that the reader saw, at most."""
        self.paths: tuple[tuple[NodeId, ...], ...] = ()
        self.error: Exception | None = None
        self._heard_at = self.asked_at
        self._now = now
        self._ended = ended

    def put_nowait(self, item: Served | RequestError) -> None:
        """Take what the client delivers."""
        now = self._now()
        self.longest_pause, self._heard_at = max(self.longest_pause, now - self._heard_at), now
        if isinstance(item, Exception):
            self.error = item
            self._end(now)
            return
        self.paths = item.summary.paths
        for event in item.events:
            self._take(event, now)

    def _take(self, event: FrameEvent, now: float) -> None:
        if isinstance(event, Tokens):
            self.first_at = self.first_at if self.first_at is not None else now
            self.ids += event.ids
            self.text += event.text
        elif isinstance(event, Finished | Failed):
            self.error = RequestError(event.text) if isinstance(event, Failed) else None
            self._end(now)

    def _end(self, now: float) -> None:
        if self.ended_at is None:
            self.ended_at = now
            self._ended(self)


class SimulatedClient:
    """One engine's client side."""

    def __init__(self, world: World) -> None:
        self.node_id = Identity.from_seed(world.random_bytes(32)).node_id
        self._scheduler = world.scheduler
        clock = world.scheduler.clock
        genesis = world.genesis
        self._paths = genesis.parameters.n
        self.overlay = OverlayClient(genesis.network_id, genesis.parameters, [self.node_id], clock, world.random_bytes)
        self.overlay.loop = SimulatedLoop(world.scheduler, self.overlay.loop, COALESCE_SECONDS)
        endpoint = world.internet.endpoint(self.node_id, self.overlay, is_client=True, router=world.router())
        self.overlay.sender, self.overlay.want = endpoint, endpoint.want

    def directory_changed(self, directory: Directory) -> None:
        """See ``Reader``."""
        self.overlay.update_directory(directory)

    def is_ready(self) -> bool:
        """Whether the next chat finds all its paths."""
        return self.overlay.open_paths() == self._paths

    def ask(
        self, chat: bytes, ended: Callable[[Asked], None] = lambda _: None, avoid: Collection[NodeId] = ()
    ) -> Asked:
        """Ask in this chat, none of ``avoid``; raises ``RequestError`` if it cannot be asked at all."""
        overlay = self.overlay
        target = overlay.choose_target(chat, ASKED, (), avoid, None)
        key, effects = overlay.begin(chat, QUESTION, target, None)
        asked = Asked(key, target.node_id, self._scheduler.now, ended)
        overlay._streams[key] = asked
        overlay._apply(effects)
        return asked

    def stop(self, asked: Asked) -> None:
        """Nobody waits for this answer any more, complete or not."""
        if self.overlay._streams.pop(asked.key, None) is not None:
            self.overlay._apply(self.overlay.end(asked.key))
