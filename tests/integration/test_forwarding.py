"""The entry node passes a request on, and the answer comes back through it: whole networks in simulated time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import msgspec
import pytest

from engine.forwarding.policies.interface import Asked, Choice, Group, Random
from engine.ids import NodeId, node_id_text
from engine.paths.forward import FORWARD_SECONDS
from engine.paths.room import FREE_FOR_EACH, PLACES
from engine.transport.link import Channel
from engine.verification.receipt_file import verify_export
from engine.wire.codec import encode
from engine.wire.forward import Forward, ForwardAnswer
from engine.wire.group import GroupNews
from engine.wire.link import link_decoder
from engine.wire.records import Parameters
from tests.support.answering_overlay import WRITTEN, AnsweringMember, AnsweringOverlay, Reader, request
from tests.support.hostile import Hostile
from tests.support.overlay import NETWORK

DIRECT = Parameters(n=1, k=1, path_length=0, one_prefix=True, allow_loopback=True)
NETWORKS = pytest.mark.parametrize("parameters", [None, DIRECT], ids=["paths", "direct"])


@dataclass
class Elsewhere:
    """Another member than the entry node: the first one, or the one that is named."""

    name: ClassVar[str] = "elsewhere"
    named: NodeId | None = None
    accepting: bool = False  # and only who takes requests, as every shipped policy
    asked: int = 0

    def choose(self, asked: Asked, group: Group, now: float, random: Random) -> Choice:
        self.asked += 1
        others = [
            member.node_id
            for member in group.members
            if member.node_id != group.myself and (member.accepts or not self.accepting)
        ]
        return Choice(target=(self.named or others[0]) if asked.may_forward and others else group.myself)


@dataclass
class Full:
    """Refuses whatever comes to ``full``."""

    full: NodeId
    alternatives: Sequence[NodeId]
    name: ClassVar[str] = "full"

    def choose(self, asked: Asked, group: Group, now: float, random: Random) -> Choice:
        if group.myself == self.full:
            return Choice(target=None, estimate=7.5, alternatives=tuple(self.alternatives), reason="No place here.")
        return Choice(target=group.myself)


async def ready(**options: object) -> AnsweringOverlay:
    overlay = AnsweringOverlay(**options)
    await overlay.until_true(lambda: overlay.client.goes_direct or overlay.ready(), 10)
    await overlay.until_true(lambda: all(machine.knows(overlay.machines) for machine in overlay.machines), 15)
    return overlay


def pin(overlay: AnsweringOverlay, entry: AnsweringMember) -> None:
    """The client's next first question goes to ``entry``."""
    choose = overlay.client.choose_target

    def chosen(chat, generation, preferred, avoid, digest, shape=None, minimum_standing=0.0):
        return choose(chat, generation, preferred or (entry.node_id,), avoid, digest, shape, minimum_standing)

    overlay.client.choose_target = chosen  # type: ignore[method-assign]


def check_whole(reader: Reader) -> None:
    assert reader.error is None, reader.error
    assert reader.text == WRITTEN
    assert bytes(reader.ids) == WRITTEN.encode()
    assert reader.done.receipt == "verified"


@NETWORKS
async def test_the_entry_node_passes_a_request_on_and_the_answer_is_the_serving_nodes(
    parameters: Parameters | None,
) -> None:
    policy = Elsewhere()
    overlay = await ready(parameters=parameters, policy=policy)
    entry, serving = overlay.machines
    pin(overlay, entry)
    told: list[int] = []
    entry.peer.served = lambda request_id, cached_tokens: told.append(cached_tokens)
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.end()
        check_whole(reader)
        assert told == [0]  # tokens of the prompt that the serving node had in its cache
        done = reader.done
        assert done.served_by == node_id_text(serving.node_id)
        assert done.machines == (done.served_by,)
        assert done.asked == (node_id_text(entry.node_id),)  # it has read the question, and the reader is told
        (part,) = verify_export(done.receipt_export.encode(), NETWORK).parts
        assert NodeId(part.receipt.node_id) == serving.node_id
        assert (len(entry.writer.asked), len(serving.writer.asked)) == (0, 1)
        assert policy.asked == 1  # what has been passed on is not passed on again
        await overlay.pass_time(1.0)
        for machine in overlay.machines:
            assert machine.peer.serving._executions == {}
            assert machine.peer.serving._handles == {}


async def test_without_permission_the_entry_node_serves() -> None:
    overlay = await ready(policy=Elsewhere())
    pin(overlay, overlay.machines[0])
    async with overlay.running():
        reader = Reader(overlay, request(may_forward=False))
        await reader.end()
        check_whole(reader)
        assert reader.done.served_by == node_id_text(overlay.machines[0].node_id)


async def test_where_the_group_relays_for_the_chat_nothing_is_passed_on() -> None:
    """It could be passed on to the guard, who knows the sender."""
    overlay = await ready(relays=10, models_relay=True, models=4, policy=Elsewhere())
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.end()
        check_whole(reader)
        (served,) = [machine for machine in overlay.machines if machine.writer.asked]
        assert sum(machine.entry_role.forwarded for machine in overlay.machines) == 0
        assert reader.done.served_by == node_id_text(served.node_id)


async def test_later_turns_go_to_the_serving_node_and_are_never_passed_on() -> None:
    overlay = await ready(models=3, policy=Elsewhere())
    pin(overlay, overlay.machines[0])
    async with overlay.running():
        first = Reader(overlay, request(conversation="chat"))
        await first.end()
        second = Reader(overlay, request(conversation="chat"))
        await second.end()
        check_whole(second)
        assert second.done.served_by == first.done.served_by
        assert sum(machine.entry_role.forwarded for machine in overlay.machines) == 1


@NETWORKS
async def test_a_member_that_says_nothing_costs_a_second(parameters: Parameters | None) -> None:
    overlay = await ready(parameters=parameters, policy=Elsewhere())
    entry, silent = overlay.machines
    pin(overlay, entry)
    async with overlay.running():
        overlay.internet.partition([silent.node_id])
        begun = overlay.scheduler.now()
        reader = Reader(overlay, request())
        await reader.tokens(1)
        assert overlay.scheduler.now() - begun < FORWARD_SECONDS + 0.5
        overlay.internet.heal()
        await reader.end()
        check_whole(reader)
        assert reader.done.served_by == node_id_text(entry.node_id)
        assert silent not in overlay.busy()  # it was told, too, that the request was taken back


@NETWORKS
async def test_the_entry_node_dies_in_mid_answer(parameters: Parameters | None) -> None:
    overlay = await ready(parameters=parameters, models=3, policy=Elsewhere())
    pin(overlay, overlay.machines[0])
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.tokens(200)
        overlay.kill(overlay.machines[0])
        await reader.end()
        check_whole(reader)
        assert reader.pause < 2.0
        assert node_id_text(overlay.machines[0].node_id) not in reader.done.machines


@NETWORKS
async def test_with_the_entry_node_gone_the_serving_node_itself_goes_on_where_there_is_no_other(
    parameters: Parameters | None,
) -> None:
    overlay = await ready(parameters=parameters, models=2, policy=Elsewhere())
    entry, serving = overlay.machines
    pin(overlay, entry)
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.tokens(200)
        overlay.kill(entry)
        await reader.end()
        check_whole(reader)
        assert reader.done.machines == (node_id_text(serving.node_id),)
        assert len(verify_export(reader.done.receipt_export.encode(), NETWORK).parts) == 2  # of two executions


@NETWORKS
async def test_the_serving_node_dies_in_mid_answer(parameters: Parameters | None) -> None:
    overlay = await ready(parameters=parameters, models=3, policy=Elsewhere())
    pin(overlay, overlay.machines[0])
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.tokens(200)
        overlay.kill(overlay.busy()[0])
        await reader.end()
        check_whole(reader)
        assert reader.pause < 2.0


@pytest.mark.parametrize("position", [0, 1, 2])
async def test_a_lost_path_is_replaced_through_the_entry_node(position: int) -> None:
    overlay = await ready(policy=Elsewhere())
    pin(overlay, overlay.machines[0])
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.tokens(50)
        (path_set,) = [one for one in overlay.client.machine.paths._sets.values() if one.busy]
        overlay.kill(overlay.by_id(path_set.slots[1].hops[position]))
        await reader.end()
        check_whole(reader)
        assert len(reader.done.machines) == 1
        assert len(reader.done.paths) == 4


async def test_stopping_an_answer_stops_the_serving_node() -> None:
    overlay = await ready(policy=Elsewhere())
    pin(overlay, overlay.machines[0])
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.tokens(20)
        assert overlay.busy() == [overlay.machines[1]]
        reader.task.cancel()
        await overlay.pass_time(1.0)
        assert overlay.busy() == []
        assert all(not machine.peer.serving._executions for machine in overlay.machines)


async def test_an_answer_of_a_machine_that_may_not_serve_is_not_taken() -> None:
    """The client's directory does not list it with this model; another machine is asked at once."""
    policy = Elsewhere()
    overlay = await ready(models=3, policy=policy)
    entry, stranger, other = overlay.machines
    policy.named = stranger.node_id
    pin(overlay, entry)
    may_serve = overlay.client.may_serve

    def without_stranger(*asked):
        may = may_serve(*asked)
        return None if may is None else lambda node: node != stranger.node_id and may(node)

    overlay.client.may_serve = without_stranger  # type: ignore[method-assign]
    async with overlay.running():
        begun = overlay.scheduler.now()
        reader = Reader(overlay, request())
        await overlay.until_true(lambda: len(stranger.writer.asked) == 1, 5)
        policy.named = other.node_id
        await reader.tokens(1)
        assert overlay.scheduler.now() - begun < 2.0
        await reader.end()
        check_whole(reader)
        assert reader.done.served_by == node_id_text(other.node_id)


async def test_who_leaves_the_directory_while_a_question_is_on_its_way_may_say_so() -> None:
    """Else the machine that had passed it on would count as gone."""
    overlay = await ready(policy=Elsewhere())
    entry, leaver = overlay.machines
    asked = request()
    target = overlay.client.target_of(entry.node_id, asked.model_id, None)
    before = overlay.client.may_serve(b"chat", asked.model_id, target, 0.0, None)
    overlay.kill(leaver)
    overlay.announce()
    after = overlay.client.may_serve(b"chat", asked.model_id, target, 0.0, None)
    assert before is not None
    assert after is not None
    assert before(leaver.node_id)
    assert not after(leaver.node_id)


async def test_only_members_of_the_group_pass_requests_on() -> None:
    overlay = await ready(policy=Elsewhere())
    entry, serving = overlay.machines
    pin(overlay, entry)
    serving.peer.serving.is_member = lambda _node, _digest: False
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.end()
        check_whole(reader)
        assert reader.done.served_by == node_id_text(entry.node_id)
        assert serving.writer.asked == []


async def test_one_member_cannot_flood_another() -> None:
    overlay = await ready(parameters=DIRECT, policy=Elsewhere())
    entry, serving = overlay.machines
    pin(overlay, entry)
    async with overlay.running():
        readers = []
        share = PLACES // (FREE_FOR_EACH + 1)
        for number in range(share + 4):
            readers.append(Reader(overlay, request(conversation=f"chat {number}")))
            await overlay.pass_time(0.1)
        assert serving.role.answering == share
        assert entry.role.answering == 4
        for reader in readers:
            reader.task.cancel()
        await overlay.pass_time(1.0)
        assert overlay.busy() == []


async def test_a_full_machine_names_others_and_the_best_of_them_is_asked() -> None:
    overlay = await ready(models=4)
    full, best = overlay.machines[0], overlay.machines[2]
    for machine in overlay.machines:
        machine.entry_role._policy = Full(full.node_id, (best.node_id,))
    pin(overlay, full)
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.end()
        check_whole(reader)
        assert reader.done.served_by == node_id_text(best.node_id)
        assert "That machine is full; asking another one" in reader.stages


async def test_where_everybody_is_full_the_user_hears_why_and_how_long() -> None:
    overlay = await ready(models=1)
    overlay.machines[0].entry_role._policy = Full(overlay.machines[0].node_id, ())
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.end()
        assert "No place here" in str(reader.error)
        assert getattr(reader.error, "estimate", 0) == 7.5


async def test_parts_of_a_request_that_nobody_finishes_are_bounded() -> None:
    overlay = await ready()
    one, other = overlay.machines
    held = other.peer.serving._forwards._unfinished
    for number in range(50):
        part = Forward(number.to_bytes(16, "big"), 0, 4, b"x" * 60_000)
        one.endpoint.send(other.node_id, Channel.CONTROL, encode(part))
        await overlay.pass_time(0.05)
        assert len(held) <= 4
    assert len(held) == 4
    await overlay.pass_time(6.0)
    one.endpoint.send(other.node_id, Channel.CONTROL, encode(Forward(b"n" * 16, 0, 4, b"y")))
    await overlay.pass_time(0.1)
    assert len(held) == 1


async def test_a_member_that_refuses_leaves_the_request_where_it_is() -> None:
    overlay = await ready(policy=Elsewhere())
    entry, full = overlay.machines
    pin(overlay, entry)

    def refusing(peer: NodeId, channel: Channel, data: bytes) -> list[bytes]:
        message = link_decoder.decode(data) if channel is Channel.CONTROL else None
        if isinstance(message, ForwardAnswer):
            return [encode(msgspec.structs.replace(message, accepted=False, code="overloaded"))]
        return [] if peer == entry.node_id else [data]

    Hostile(full, refusing)
    async with overlay.running():
        begun = overlay.scheduler.now()
        reader = Reader(overlay, request())
        await reader.tokens(1)
        assert overlay.scheduler.now() - begun < 0.5
        await reader.end()
        check_whole(reader)
        assert reader.done.served_by == node_id_text(entry.node_id)


@pytest.mark.parametrize("says", ["nothing", "no", "yes and no more"])
async def test_who_takes_no_requests_is_soon_not_asked_any_more(says: str) -> None:
    """It looks idle in its statements, and every policy would choose it again and again."""
    overlay = await ready(parameters=DIRECT, policy=Elsewhere(accepting=True))
    entry, idle = overlay.machines
    pin(overlay, entry)

    def swallowing(peer: NodeId, channel: Channel, data: bytes) -> list[bytes]:
        message = link_decoder.decode(data) if channel is Channel.CONTROL else None
        if isinstance(message, ForwardAnswer) and says != "nothing":
            return [encode(msgspec.structs.replace(message, accepted=says != "no"))]
        return [] if peer == entry.node_id and not isinstance(message, GroupNews) else [data]

    Hostile(idle, swallowing)
    async with overlay.running():
        for _ in range(5):
            reader = Reader(overlay, request())
            await reader.tokens(1)
            reader.task.cancel()
            await overlay.pass_time(1.5)
        assert overlay.busy() == []
        assert entry.entry_role.forwarded <= 3  # after 1 s, then 2 s
