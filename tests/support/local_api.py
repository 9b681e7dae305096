"""A small service that answers as it is told, and a running API over it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.api.schema import ContributingState, ModelState, NetworkState, RelayState, State, Topology, WorkerState
from engine.api.server import ApiServer
from engine.api.service import AnswerDelta, AnswerDone, AnswerEvent, AnswerRequest, AnswerStage, ChatsService
from engine.api.state_feed import StateFeed
from engine.clock import SystemClock
from engine.errors import ConfigurationError, GenTorrentError, NetworkNotReadyError, UnknownModelError
from engine.inference.text.answer_parts import Content

API_TOKEN = "api-" + "a" * 40
CONTROL_TOKEN = "control-" + "b" * 40


class PlayedNetwork:
    """Remembers what was joined, and shows ``picture``."""

    joined = ""
    picture = Topology()

    def topology(self, chat: str) -> Topology:
        return self.picture

    def join_network(self, text: str) -> str:
        if "://" not in text:
            raise ConfigurationError("The address has the value 'x', which cannot be used.")
        self.joined = text
        return text

    def leave_network(self) -> None:
        self.joined = ""


@dataclass
class PlayedService(PlayedNetwork):
    """Answers with ``words``, then fails with ``failure`` if there is one. Counts what is asked and cancelled."""

    words: list[str] = field(default_factory=lambda: ["Hello", " ", "world"])
    script: list[AnswerDelta] | None = None  # in the place of words
    finish_reason: Literal["stop", "length"] = "stop"
    failure: GenTorrentError | None = None
    crash: Exception | None = None
    pause: float = 0.0
    endless: bool = False
    requests: list[AnswerRequest] = field(default_factory=list)
    running: int = 0
    cancelled: int = 0
    contributing: bool = False
    refuse_contributing: bool = False
    stopped: bool = False

    def __post_init__(self) -> None:
        self.feed = StateFeed(self.state)

    def models(self) -> list[ModelState]:
        return [
            ModelState(
                id="gentorrent-builtin",
                where="both",
                nodes=2,
                context_length=4096,
                provider="CPUExecutionProvider",
                provider_reason="the processor of this computer",
            ),
            ModelState(id="someone/Model-7B", where="network", nodes=1),
        ]

    async def answer(self, request: AnswerRequest) -> AsyncGenerator[AnswerEvent, None]:
        self.requests.append(request)
        if request.model_id not in {model.id for model in self.models()}:
            raise UnknownModelError(f"Nobody serves {request.model_id}. Choose another model.")
        self.running += 1
        try:
            yield AnswerStage(stage="queued", place=1, estimate=0.5, text="Waiting behind one other")
            tokens = 0
            while True:
                for delta in self._deltas():
                    await asyncio.sleep(self.pause)
                    tokens += len(delta.ids)
                    yield delta
                if not self.endless:
                    break
            if self.crash is not None:
                raise self.crash
            if self.failure is not None:
                raise self.failure
            yield AnswerDone(
                finish_reason=self.finish_reason,
                prompt_tokens=7,
                completion_tokens=tokens,
                served_by="abcdefgh",
                paths=(("g1", "m1", "p1"), ("g2", "m2", "p2")),
                n=4,
                k=3,
                ttft_ms=120.0,
                tokens_per_s=30.0,
                receipt="verified",
                receipt_export='{"format":"gentorrent-receipt"}',
            )
        except (GeneratorExit, asyncio.CancelledError):
            self.cancelled += 1
            raise
        finally:
            self.running -= 1

    def _deltas(self) -> list[AnswerDelta]:
        if self.script is not None:
            return self.script
        return [AnswerDelta((place,), word, (Content(word),)) for place, word in enumerate(self.words)]

    def state(self) -> State:
        on = self.contributing
        return State(
            engine_version="0.1.0",
            api_address="http://127.0.0.1:1/v1",
            data_directory="/nowhere",
            started=1.0,
            network=NetworkState(status="none", reason="No network is configured."),
            contributing=ContributingState(on=on, status="on" if on else "off"),
            relay=RelayState(on=True),
            worker=WorkerState(status="stopped"),
            models=tuple(self.models()),
        )

    def changes(self) -> AsyncGenerator[State, None]:
        return self.feed.changes()

    async def set_contributing(self, on: bool, *, by_owner: bool = True) -> None:
        if self.refuse_contributing:
            raise NetworkNotReadyError("There is no network to contribute to. Join one.")
        self.contributing = on
        self.feed.notify()

    def shutdown(self, *, when_idle: bool = False) -> None:
        self.stopped = True
        self.feed.close()


async def until(condition, seconds: float = 60.0) -> None:
    """Wait until ``condition()`` is true; TimeoutError otherwise."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


@dataclass
class RunningApi:
    service: PlayedService
    server: ApiServer
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {API_TOKEN}"}

    @property
    def control_headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {CONTROL_TOKEN}"}


async def serve(
    service: PlayedService, origins: tuple[str, ...] = (), chats: ChatsService | None = None, **others: Any
) -> AsyncIterator[RunningApi]:
    """A running API over ``service`` on a free port; ``others``: the server's services beside it."""
    server = ApiServer(
        service,
        api_token=API_TOKEN,
        control_token=CONTROL_TOKEN,
        port=0,
        clock=SystemClock(),
        allowed_origins=origins,
        chats=chats,
        **others,
    )
    port = server.bind()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.run())
        yield RunningApi(service, server, port)
        task.cancel()
