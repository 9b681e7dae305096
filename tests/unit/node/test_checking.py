"""What a verifier shows of a conversation, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import msgspec

from engine.clock import SystemClock
from engine.node.challenge_chat import Signed
from engine.node.checking import Checking
from engine.verification.challenges.plan import Planned
from engine.verification.receipt_file import ReceiptPart
from engine.verification.signing import Judging as Record
from engine.wire.challenges import Evidence, PlannedChallenge, Unanswered
from engine.wire.codec import encode
from tests.support.judging import SECRET, judging
from tests.support.records import identity

NODE = identity(0)


class Talking:
    """A conversation whose second answer comes when it is let go on."""

    def __init__(self, first: Signed, second: Signed) -> None:
        self.signed = (first, second)
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()

    async def hold(self, planned: Planned) -> AsyncGenerator[Signed, None]:
        yield self.signed[0]
        self.asked.set()
        await self.go_on.wait()
        yield self.signed[1]


async def begun() -> tuple[Talking, list[Record], asyncio.Task[None]]:
    """The first question is answered; the second one is asked."""
    network = judging()
    member, clock = network.members[0], SystemClock()
    genesis = msgspec.structs.replace(network.genesis.genesis, created=int(clock.wall()) - 1)
    network.commit(0, member, [NODE.node_id])
    committed, _ = network.plans[0, member.public_key]
    challenge = msgspec.msgpack.decode(committed.challenges[0], type=PlannedChallenge)
    shown: list[Record] = []

    def signed(turn: int) -> Signed:
        request = encode(network.request(0, challenge, turn))
        part = ReceiptPart(
            record=b"receipt", signature=b"s" * 64, key=SECRET, request=request, output_ids=(1, 2), prompt_ids=None
        )
        return Signed(turn, part)

    def publish(record: Record) -> bool:
        shown.append(record)
        return True

    talking = Talking(signed(0), signed(1))
    checking = Checking(member.public_key, network.network_id, genesis, talking, clock, publish)
    planned = Planned(index=0, challenge=challenge, begin=0.0, pauses=(0.0,))
    task = asyncio.get_running_loop().create_task(checking.check(0, planned, committed))
    await talking.asked.wait()
    return talking, shown, task


async def test_nothing_is_shown_while_there_are_questions_to_come() -> None:
    """Evidence holds the whole challenge: members could tell the node what it is asked next."""
    talking, shown, task = await begun()
    assert shown == []
    talking.go_on.set()
    await task
    assert [one.turn for one in shown if isinstance(one, Evidence)] == [0, 1]
    assert len(shown) == 2


async def test_what_has_come_is_shown_where_the_conversation_is_cut_off() -> None:
    _, shown, task = await begun()
    task.cancel()
    await asyncio.wait([task])
    assert [one.turn for one in shown if isinstance(one, Evidence)] == [0]
    assert not any(isinstance(one, Unanswered) for one in shown)
