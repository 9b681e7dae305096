"""An entry node believes what others advertise as far as it measures them: whole networks in simulated time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import msgspec
import pytest

from engine.forwarding.policies.registry import by_name
from engine.ids import NodeId
from engine.inference.types import GenerationEvent, GenerationRequest, ModelInfo, PromptMessage, Queued
from engine.transport.link import Channel
from engine.wire.codec import encode
from engine.wire.forward import ForwardAnswer, ForwardBegun, ForwardServed
from engine.wire.link import link_decoder
from engine.wire.records import Parameters
from tests.support.answering_overlay import INFO, AnsweringMember, AnsweringOverlay, Reader, Writer, request
from tests.support.hostile import Hostile

DIRECT = Parameters(n=1, k=1, path_length=0, one_prefix=True, allow_loopback=True)
PROMPT = 4_000
READ_RATE = 1_000.0
ANSWER = 40
WRITE_RATE = 20.0
Says = Callable[[bytes], list[bytes]]


class Machine(Writer):
    """Reads one prompt after the other, a token per character, and writes at its pace; ``boast``: says that it is so
    many times as fast, and idle."""

    boast = 1.0

    def __init__(self, overlay: AnsweringOverlay, pace: float) -> None:
        super().__init__(overlay, pace)
        self.written = self.written[:ANSWER]
        self.arrived = 0
        self._free = 0.0

    def models(self) -> list[ModelInfo]:
        waiting = max(0.0, self._free - self._overlay.scheduler.now()) if self.boast == 1.0 else 0.0
        rates = {"prefill_rate": READ_RATE * self.boast, "decode_rate": WRITE_RATE * self.boast}
        return [msgspec.structs.replace(INFO, slots=16, queue_tokens=round(waiting * READ_RATE), **rates)]

    async def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        now = self._overlay.scheduler.now()
        self.arrived += 1
        self._free = max(self._free, now) + PROMPT / READ_RATE
        yield Queued(0, self._free - now)
        await self._overlay.sleep(self._free - now)
        async for event in super().generate(request):
            yield event


class Group(AnsweringOverlay):
    writer_class = Machine


async def ready(models: int) -> Group:
    overlay = Group(parameters=DIRECT, models=models, pace=1 / WRITE_RATE, policy=by_name("cost"))
    await overlay.until_true(lambda: all(machine.knows(overlay.machines) for machine in overlay.machines), 15)
    entry = overlay.machines[0]
    choose = overlay.client.choose_target
    overlay.client.choose_target = lambda chat, generation, preferred, *rest: choose(  # type: ignore[method-assign]
        chat, generation, preferred or (entry.node_id,), *rest
    )
    return overlay


def ask(overlay: Group, number: int) -> Reader:
    question = (PromptMessage("user", "?" * PROMPT),)
    return Reader(overlay, request(conversation=f"chat {number}", messages=question, max_tokens=ANSWER))


def trust(entry: AnsweringMember, other: AnsweringMember) -> float:
    view = entry.group.view(INFO.digest)
    member = view.member(other.node_id) if view is not None else None
    assert member is not None
    return member.trust


def lying(member: AnsweringMember, says: Says) -> None:
    """``member`` says something else to the group than its software does."""

    def changed(peer: NodeId, channel: Channel, data: bytes) -> list[bytes]:
        return says(data) if channel is Channel.CONTROL else [data]

    Hostile(member, changed)


def the_truth(data: bytes) -> list[bytes]:
    """Of the answers that it makes."""
    return [data]


def begun_at_once(data: bytes) -> list[bytes]:
    """The first token is said to be there as soon as the request is, and there are said to be millions."""
    message = link_decoder.decode(data)
    if isinstance(message, ForwardAnswer):
        return [data, encode(ForwardBegun(message.forward))]
    if isinstance(message, ForwardServed):
        return [encode(ForwardServed(message.forward, message.cached_tokens, 4_000_000))]
    return [] if isinstance(message, ForwardBegun) else [data]


def nothing(data: bytes) -> list[bytes]:
    """Neither when an answer begins nor that it is complete."""
    return [] if isinstance(link_decoder.decode(data), ForwardBegun | ForwardServed) else [data]


@pytest.mark.parametrize("says", [the_truth, begun_at_once, nothing])
async def test_who_advertises_ten_times_its_speed_loses_its_advantage_within_thirty_seconds(says: Says) -> None:
    overlay = await ready(3)
    entry, honest, liar = overlay.machines
    liar.writer.boast = 10.0  # type: ignore[attr-defined]
    liar.role.begins = lambda _: None  # it counts nothing of what it is asked
    lying(liar, says)
    await overlay.pass_time(6.0)  # until it has said so
    async with overlay.running(entry):
        readers, drawn = [], []
        for number in range(36):
            readers.append(ask(overlay, number))
            await overlay.pass_time(2.0)
            drawn.append(liar.writer.arrived)  # type: ignore[attr-defined]
        assert drawn[4] >= 4  # what it gains as long as it is believed, four times the others at most
        assert drawn[-1] - drawn[14] <= 21 / 3
        assert trust(entry, liar) < 0.25
        assert trust(entry, honest) == 1.0
        for reader in readers:
            reader.task.cancel()
        await overlay.pass_time(1.0)


async def test_an_honest_member_keeps_its_trust_through_a_burst() -> None:
    overlay = await ready(2)
    entry, honest = overlay.machines
    async with overlay.running(entry):
        readers = [ask(overlay, number) for number in range(12)]
        for _ in range(45):
            await overlay.pass_time(1.0)
            assert trust(entry, honest) == 1.0
        assert honest.writer.arrived >= 4  # type: ignore[attr-defined]
        for reader in readers:
            await reader.end()
            assert reader.error is None
        assert trust(entry, honest) == 1.0
