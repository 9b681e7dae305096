"""A verifier's conversation over anonymous paths: to its node it is a chat like any other."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest

from engine.errors import WorkerDiedError
from engine.inference.types import Delta, GenerationEvent, GenerationRequest
from engine.node.challenge_chat import ChallengeChats, NothingSignedError, Signed
from engine.verification.challenges.plan import Candidate, Planned
from engine.verification.receipts import check_receipt, compare_output, compare_request, request_without_secrets
from engine.wire.answer import Sampling, request_decoder
from engine.wire.challenges import ChallengeTurn, PlannedChallenge
from tests.support.answering_overlay import INFO, WRITTEN, AnsweringMember, AnsweringOverlay, Writer
from tests.support.overlay import NETWORK


def planned(machine: AnsweringMember, *, read: int = 1_000, digest: bytes = INFO.digest) -> Planned:
    node = Candidate(machine.node_id, INFO.model_id, digest)
    challenge = PlannedChallenge(
        nonce=b"n" * 32,
        epoch=1,
        member=b"v" * 32,
        node=node.node_id,
        model_id=node.model_id,
        model_digest=node.model_digest,
        system="Be brief.",
        turns=(ChallengeTurn(text="Who was Ada?", seed=7, read=read), ChallengeTurn(text="Why?", seed=8, read=read)),
        sampling=Sampling(seed=0, temperature=0.5),
        max_tokens=1_000_000,
    )
    return Planned(index=0, challenge=challenge, begin=0.0, pauses=(0.1,))


async def conversation(
    overlay: AnsweringOverlay, one: Planned, said: Sequence[str] = (), asked: list[int] | None = None
) -> list[Signed]:
    chats = ChallengeChats(overlay.client, NETWORK, overlay.scheduler.clock, overlay.random_bytes)
    chats.sleep = overlay.sleep

    async def talk() -> list[Signed]:
        heard = [] if asked is None else asked
        return [signed async for signed in chats.hold(one, said, heard.append)]

    async with overlay.running():
        task = asyncio.get_running_loop().create_task(talk())
        await overlay.until_true(task.done, 120)
        await asyncio.wait([task])
    return task.result()


async def ready(kind: type[AnsweringOverlay] = AnsweringOverlay) -> AnsweringOverlay:
    overlay = kind(pace=0.005)
    await overlay.until_true(overlay.ready, 10)
    for machine in overlay.machines:
        machine.writer.written = WRITTEN.encode()[:300]
    return overlay


@pytest.mark.parametrize("read", [1_000, 100])
async def test_each_turn_brings_a_receipt_of_the_node_that_was_asked(read: int) -> None:
    overlay = await ready()
    machine = overlay.machines[1]
    found = await conversation(overlay, planned(machine, read=read))
    assert [one.turn for one in found] == [0, 1]
    for signed in found:
        part = signed.part
        assert part.request is not None
        assert part.output_ids is not None
        receipt = check_receipt(part.record, part.signature, NETWORK)
        assert receipt.node_id == machine.node_id
        assert receipt.final == (read == 1_000)
        assert compare_request(receipt, part.key, request_without_secrets(part.request)) == []
        assert compare_output(receipt, part.key, part.output_ids, 0) == []
        assert len(part.output_ids) == 300 if read == 1_000 else 32 <= len(part.output_ids) <= 160
        asked = request_decoder.decode(part.request)
        assert (asked.sampling.seed, asked.max_tokens) == (7 + signed.turn, 1_000_000)
    assert overlay.machines[0].writer.asked == []
    first, second = machine.writer.asked
    assert [message.role for message in first.messages] == ["system", "user"]
    assert [message.role for message in second.messages] == ["system", "user", "assistant", "user"]
    assert WRITTEN.startswith(second.messages[2].content.rstrip("\N{REPLACEMENT CHARACTER}"))


async def test_a_text_to_go_on_with_is_asked_without_a_conversation() -> None:
    overlay = await ready()
    machine = overlay.machines[1]
    one = planned(machine)
    one = dataclasses.replace(
        one,
        challenge=msgspec.structs.replace(one.challenge, plain=True, system="", max_tokens=500, min_tokens=100),
    )
    signed, _ = await conversation(overlay, one)
    assert signed.part.request is not None
    asked = request_decoder.decode(signed.part.request)
    assert (asked.prompt, asked.messages, asked.min_tokens, asked.max_tokens) == ("Who was Ada?", (), 100, 500)
    first, second = machine.writer.asked
    assert (first.prompt, first.messages, first.min_tokens) == ("Who was Ada?", (), 100)
    assert second.prompt is not None
    answer = second.prompt.removeprefix("Who was Ada?").removesuffix("Why?")
    assert len(answer) > 100
    assert WRITTEN.startswith(answer.rstrip("\N{REPLACEMENT CHARACTER}"))


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("said", ["Because.", ""])
async def test_a_conversation_goes_on_behind_answers_of_an_earlier_run(said: str, plain: bool) -> None:
    overlay = await ready()
    one = planned(overlay.machines[1])
    if plain:
        one = dataclasses.replace(one, challenge=msgspec.structs.replace(one.challenge, plain=True, system=""))
    asked: list[int] = []
    (signed,) = await conversation(overlay, one, [said], asked)
    assert (asked, signed.turn) == ([1], 1)
    assert WRITTEN.startswith(signed.said.rstrip("\N{REPLACEMENT CHARACTER}"))
    assert len(signed.said) > 100
    (request,) = overlay.machines[1].writer.asked
    if plain:
        assert request.prompt == f"Who was Ada?{said}Why?"
    else:
        assert [message.content for message in request.messages][1:] == ["Who was Ada?", said, "Why?"]


async def test_a_node_that_cannot_be_asked_has_signed_nothing() -> None:
    overlay = await ready()
    with pytest.raises(NothingSignedError) as nothing:
        await conversation(overlay, planned(overlay.machines[1], digest=b"x" * 32))
    assert nothing.value.code == "model_not_found"


class BreakingOff(Writer):
    """Writes so many tokens of an answer, and then has an error."""

    written_until = 40

    async def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        written = 0
        async for event in super().generate(request):
            yield event
            written += isinstance(event, Delta) and bool(event.ids)
            if written == self.written_until:
                raise WorkerDiedError("it does not want to go on")


class BreakingOverlay(AnsweringOverlay):
    writer_class = BreakingOff


@pytest.mark.parametrize(
    ("until", "read", "code"), [(40, 1_000, "cut_off"), (0, 1_000, "serving_node_lost"), (90, 60, "")]
)
async def test_who_breaks_off_before_enough_is_signed_is_named_as_such(until: int, read: int, code: str) -> None:
    overlay = await ready(BreakingOverlay)
    machine = overlay.machines[1]
    assert isinstance(machine.writer, BreakingOff)
    machine.writer.written_until = until
    if not code:
        assert len(await conversation(overlay, planned(machine, read=read))) == 2
        return
    with pytest.raises(NothingSignedError) as nothing:
        await conversation(overlay, planned(machine, read=read))
    assert nothing.value.code == code
