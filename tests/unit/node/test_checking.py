"""What a verifier shows of a conversation, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import msgspec

from engine.clock import SystemClock
from engine.node.challenge_chat import Asking, Signed
from engine.node.checking import Checking, Found
from engine.verification.challenges.plan import Planned
from engine.verification.receipt_file import ReceiptPart
from engine.verification.receipts import CommittedRequest, Served, make_receipt
from engine.verification.signing import Judging as Record
from engine.wire.challenges import Evidence, PlannedChallenge, Unanswered
from engine.wire.codec import encode
from tests.support.judging import SECRET, judging
from tests.support.records import identity

NODE = identity(0)


def served(request: bytes) -> Served:
    return Served(
        request=CommittedRequest(request),
        attempt=0,
        final=True,
        first=0,
        prompt_ids=(1, 2, 3),
        output_ids=(1, 2),
        tokenizer_digest=b"t" * 32,
        ttft_ms=10.0,
        total_ms=20.0,
        issued=1,
        entry=NODE.node_id,
    )


class Talking:
    """A conversation whose second answer comes when it is let go on."""

    def __init__(self, first: Signed, second: Signed) -> None:
        self.signed = (first, second)
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()

    async def hold(
        self, planned: Planned, said: Sequence[str] = (), asking: Asking = lambda _: None
    ) -> AsyncGenerator[Signed, None]:
        self.said = said
        for turn in range(len(said), 2):
            asking(turn)
            if turn:
                self.asked.set()
                await self.go_on.wait()
            yield self.signed[turn]


async def begun(kept: Kept | None = None, *, waits: bool = True) -> tuple[Talking, list[Record], asyncio.Task[None]]:
    """The first question is answered; the second one is asked, if anything is (``waits``)."""
    network = judging()
    member, clock = network.members[0], SystemClock()
    genesis = msgspec.structs.replace(network.genesis.genesis, created=int(clock.wall()) - 1)
    network.commit(0, member, [NODE.node_id])
    committed, _ = network.plans[0, member.public_key]
    challenge = msgspec.msgpack.decode(committed.challenges[0], type=PlannedChallenge)
    shown: list[Record] = []

    def signed(turn: int) -> Signed:
        request = encode(network.request(0, challenge, turn))
        receipt = make_receipt(NODE, network.network_id, served(request))
        part = ReceiptPart(
            record=encode(receipt), signature=b"s" * 64, key=SECRET, request=request, output_ids=(1, 2), prompt_ids=None
        )
        return Signed(turn, part, f"answer {turn}")

    def publish(record: Record) -> bool:
        shown.append(record)
        return True

    talking = Talking(signed(0), signed(1))
    checking = Checking(member.public_key, network.network_id, genesis, talking, clock, publish)
    checking.turns = kept
    planned = Planned(index=0, challenge=challenge, begin=0.0, pauses=(0.0,))
    task = asyncio.get_running_loop().create_task(checking.check(0, planned, committed))
    if waits:
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


class Kept:
    """What a verifier has on its disk, for one challenge."""

    def __init__(self, *turns: Found | None) -> None:
        self.turns = dict(enumerate(turns))

    def keep_turn(self, epoch: int, index: int, turn: int, found: Found | None) -> None:
        self.turns[turn] = found

    def forget_turn(self, epoch: int, index: int, turn: int) -> None:
        del self.turns[turn]

    def turns_of(self, epoch: int, index: int) -> list[Found | None]:
        return [self.turns[turn] for turn in sorted(self.turns)]


async def killed(kept: Kept) -> list[Record]:
    """Nothing of an end is heard: the process dies, and what its task would have done then is not done."""
    _, shown, task = await begun(kept)
    shown.clear()
    task.cancel()
    await asyncio.wait([task])
    return shown


async def test_a_conversation_goes_on_after_the_end_of_the_process_with_the_turn_that_was_not_asked() -> None:
    kept = Kept()
    await killed(kept)
    first, second = kept.turns_of(0, 0)
    assert first is not None
    assert (first.said, second) == ("answer 0", None), "the second one is asked, and has brought nothing"
    del kept.turns[1]  # as if the end had come in the pause before it
    talking, shown, task = await begun(kept)
    assert talking.said == ("answer 0",)
    talking.go_on.set()
    await task
    assert [one.turn for one in shown if isinstance(one, Evidence)] == [0, 1]
    assert not any(isinstance(one, Unanswered) for one in shown)


async def test_a_turn_that_the_end_has_cut_off_is_not_asked_again_and_later_ones_are() -> None:
    talking, shown, task = await begun(Kept(None))
    assert talking.said == ("",)
    talking.go_on.set()
    await task
    assert [one.turn for one in shown if isinstance(one, Evidence)] == [1]
    assert len(shown) == 1


async def test_what_was_found_before_the_last_turn_was_cut_off_is_shown() -> None:
    kept = Kept()
    await killed(kept)
    _, shown, task = await begun(kept, waits=False)
    await task
    assert [one.turn for one in shown if isinstance(one, Evidence)] == [0]
    assert len(shown) == 1
    _, shown, task = await begun(Kept(None, None), waits=False)
    await task
    (one,) = shown
    assert isinstance(one, Unanswered)
    assert one.reason == "restarted"
