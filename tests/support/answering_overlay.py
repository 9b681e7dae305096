"""A whole overlay in simulated time whose model nodes really serve: tokens, text, receipts, and a client's answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import msgspec

from engine.api.service import AnswerDelta, AnswerDone, AnswerEvent, AnswerRequest, AnswerStage
from engine.crypto.identity import Identity
from engine.directory.directory import DirectoryNode
from engine.forwarding.policies.interface import Policy
from engine.forwarding.policies.registry import by_name
from engine.ids import NodeId, node_id_text
from engine.inference.text.decoder import AnswerText
from engine.inference.types import (
    Delta,
    Done,
    GenerationEvent,
    GenerationRequest,
    ModelInfo,
    PromptMessage,
    PromptShape,
    Started,
)
from engine.node.answers import Answers
from engine.node.cached_prefixes import CachedPrefixes
from engine.node.entry_role import EntryRole
from engine.node.group import GroupRole
from engine.node.serving_role import ServingRole
from engine.wire.answer import Sampling
from tests.support.overlay import MODEL, NETWORK, TICK, Member, Overlay

INFO = ModelInfo(model_id=MODEL, digest=b"d" * 32, tokenizer_digest=b"t" * 32, context_length=4096, slots=4)
WRITTEN = "".join(f"wört {number} 🎈 " for number in range(60))
"""What every model node answers, a byte per token: most places are in the middle of a character sooner or later."""


def decode(ids: Any) -> str:
    """Bytes to text."""
    return bytes(ids).decode("utf-8", "replace")


def request(**changes: Any) -> AnswerRequest:
    """A question."""
    values: dict[str, Any] = {
        "model_id": MODEL,
        "messages": (PromptMessage("user", "why?"),),
        "sampling": Sampling(seed=1),
        "route": "network",
    }
    return AnswerRequest(**(values | changes))


class Writer:
    """The inference of a model node: one byte of what is written every ``pace`` seconds of simulated time."""

    def __init__(self, overlay: AnsweringOverlay, pace: float) -> None:
        self._overlay = overlay
        self.pace = pace
        self.asked: list[GenerationRequest] = []
        self.written = WRITTEN.encode()

    def models(self) -> list[ModelInfo]:
        return [INFO]

    async def describe(self, request: GenerationRequest) -> PromptShape | None:
        return PromptShape(sum(len(message.content) for message in request.messages), 0, ())

    async def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        self.asked.append(request)
        text = AnswerText(decode, request.stop, request.min_tokens)
        given = "".join(text.push(token)[0] for token in request.continue_tokens)
        yield Started((1, 2, 3))
        if request.continue_characters is not None and given[request.continue_characters :]:
            yield Delta((), given[request.continue_characters :])
        for place in range(len(request.continue_tokens), len(self.written)):
            await self._overlay.sleep(self.pace)
            shown, stopped = text.push(self.written[place])
            yield Delta((self.written[place],), shown)
            if stopped:
                yield Done("stop", 3, place + 1)
                return
        yield Delta((), text.flush())
        yield Done("stop", 3, len(self.written))


class AnsweringMember(Member):
    """A member whose answers come from the engine's own serving role."""

    role: ServingRole

    def serve(self, overlay: AnsweringOverlay, pace: float) -> None:
        """Take requests from now on."""
        self.writer = overlay.writer_class(overlay, pace)
        clock = overlay.scheduler.clock
        identity = overlay.identities[self.node_id]
        self.role = ServingRole(
            identity, NETWORK, self.writer, clock, self.peer.push, self.peer.serving.paused, max_tokens_per_second=None
        )
        self.role.offered = frozenset([MODEL])
        self.peer.start, self.peer.cancel = self.role.start, self.role.cancel
        self.stalled = False
        prefixes, random_bytes = CachedPrefixes(), overlay.random_bytes
        self.group = GroupRole(identity, NETWORK, self.writer, prefixes, clock, random_bytes)
        self.group.sender = self.endpoint
        self.peer.heard_group, self.peer.links_changed = self.group.heard, self.group.links_changed
        self.group.offer(self.role.offered)
        policy = by_name("none") if overlay.policy is None else overlay.policy
        self.entry_role = EntryRole(self.peer, self.role, self.group, policy, clock, random_bytes, self.writer)
        self.entry_role.attach()

    def knows(self, others: Sequence[Member]) -> bool:
        """Whether these members have told their loads here."""
        view = self.group.view(INFO.digest)
        return view is not None and {one.node_id for one in others} <= {one.node_id for one in view.members}

    def tick(self) -> None:
        if self.stalled or not self.alive:
            return
        super().tick()
        due = self.group._next_deadline()
        if due is not None and due <= self.overlay.scheduler.now():
            self.group._tick()

    def entry(self) -> DirectoryNode:
        listed = super().entry()
        key = self.overlay.identities[self.node_id].public_key  # type: ignore[attr-defined]
        rate = self.writer.models()[0].prefill_rate if hasattr(self, "writer") else 0.0  # what its worker measures
        models = tuple(msgspec.structs.replace(one, prefill_rate=rate) for one in listed.descriptor.models)
        return replace(listed, descriptor=msgspec.structs.replace(listed.descriptor, identity_key=key, models=models))


class AnsweringOverlay(Overlay):
    """:class:`Overlay` with such model nodes, and the client's :class:`Answers`."""

    member_class = AnsweringMember
    grouped = True
    writer_class: type[Writer] = Writer

    def __init__(
        self,
        *,
        relays: int = 16,
        models: int = 2,
        pace: float = 0.02,
        policy: Policy | None = None,
        **options: Any,
    ) -> None:
        """``policy``: of all entry nodes (None: each serves what comes to it)."""
        self.policy = policy
        self.identities: dict[NodeId, Identity] = {}
        super().__init__(relays, models, **options)
        for member in self.machines:
            member.serve(self, pace)
        self.announce()
        nobody = type("Nobody", (), {"models": staticmethod(list)})()
        clock = self.scheduler.clock
        self.answers = Answers(nobody, lambda: (self.client, NETWORK), True, clock, self.random_bytes)

    def identify(self, name: str) -> NodeId:
        identity = Identity.from_seed(name.encode().ljust(32, b"."))
        self.identities[identity.node_id] = identity
        return identity.node_id

    def announce(self) -> None:
        super().announce()
        directory = self.client._directory
        assert directory is not None
        for member in self.machines:
            if hasattr(member, "entry_role"):
                member.entry_role.update_directory(directory)
                member.group.update_directory(directory)

    def sleep(self, seconds: float) -> asyncio.Future[None]:
        """Of simulated time."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.scheduler.call_later(seconds, lambda: None if done.done() else done.set_result(None))
        return done

    def serving(self, node: str | NodeId) -> AnsweringMember:
        """The member with this id (or its text)."""
        return next(one for one in self.machines if node in (one.node_id, node_id_text(one.node_id)))

    @property
    def machines(self) -> list[AnsweringMember]:
        """The model nodes."""
        return [one for one in self.models if isinstance(one, AnsweringMember)]

    def busy(self) -> list[AnsweringMember]:
        """The model nodes that are making an answer, as far as they know."""
        return [one for one in self.machines if one.alive and one.role.answering]

    @asynccontextmanager
    async def running(self, *entries: AnsweringMember) -> AsyncIterator[None]:
        """The serving roles run inside, and the entry roles of ``entries``, which wait for their workers' word."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one.role.run()) for one in self.machines]
            tasks += [group.create_task(one.entry_role.run()) for one in entries]
            await asyncio.sleep(0)
            yield
            for task in tasks:
                task.cancel()

    async def pass_time(self, seconds: float) -> None:
        """Simulated time, with the tasks that wait for it."""
        for _ in range(round(seconds / TICK)):
            self.advance(TICK)
            for _ in range(4):  # from the writer through the role, or from the client's queue to its reader
                await asyncio.sleep(0)

    async def until_true(self, condition: Callable[[], bool], limit: float) -> None:
        begun = self.scheduler.now()
        while not condition():
            assert self.scheduler.now() - begun < limit, "it did not happen in time"
            await self.pass_time(TICK)


class Reader:
    """Reads one answer while time passes; ``pause`` is the longest time between two pieces of it."""

    def __init__(self, overlay: AnsweringOverlay, asked: AnswerRequest) -> None:
        self._overlay = overlay
        self._stream: AsyncGenerator[AnswerEvent, None] = overlay.answers.answer(asked)
        self.events: list[AnswerEvent] = []
        self.error: Exception | None = None
        self.pause = 0.0
        self._last = 0.0
        self.task = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        try:
            async for event in self._stream:
                self.events.append(event)
                if isinstance(event, AnswerDelta):
                    now = self._overlay.scheduler.now()
                    self.pause = max(self.pause, now - self._last) if self._last else 0.0
                    self._last = now
        except Exception as error:
            self.error = error
        finally:
            await self._stream.aclose()

    @property
    def ids(self) -> list[int]:
        return [token for event in self.events if isinstance(event, AnswerDelta) for token in event.ids]

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, AnswerDelta))

    @property
    def stages(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, AnswerStage)]

    @property
    def done(self) -> AnswerDone:
        assert self.events, self.error
        last = self.events[-1]
        assert isinstance(last, AnswerDone), (self.error, last)
        return last

    async def tokens(self, count: int, limit: float = 20.0) -> None:
        """Until so many have come."""
        await self._overlay.until_true(lambda: len(self.ids) >= count or self.task.done(), limit)
        assert len(self.ids) >= count, self.error

    async def end(self, limit: float = 60.0) -> None:
        """Until it is complete or has failed."""
        await self._overlay.until_true(self.task.done, limit)
