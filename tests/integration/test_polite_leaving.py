"""A contributor pauses or ends in mid-answer: the client goes on elsewhere at once, and every token is signed."""

from __future__ import annotations

from itertools import pairwise

import pytest

from engine.ids import node_id_text
from engine.verification.receipt_file import verify_export
from engine.wire.records import Parameters
from tests.integration.test_forwarding import DIRECT, NETWORKS, Elsewhere, check_whole, pin, ready
from tests.support.answering_overlay import WRITTEN, Reader, request
from tests.support.overlay import MODEL, NETWORK


@NETWORKS
@pytest.mark.parametrize("place", [1, 33, 301])
async def test_a_machine_that_leaves_says_so_and_has_signed_everything(
    parameters: Parameters | None, place: int
) -> None:
    overlay = await ready(parameters=parameters)
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.tokens(place)
        (leaving,) = overlay.busy()
        leaving.role.leave([MODEL])
        leaving.group.leave()
        await overlay.pass_time(0.02)
        assert leaving.role.answering == 0
        await reader.end()
        check_whole(reader)
        assert reader.pause < 0.4  # nobody waited for silence
        assert any("leaves" in text for text in reader.stages)
        assert reader.done.machines[0] == node_id_text(leaving.node_id)
        parts = verify_export(reader.done.receipt_export.encode(), NETWORK).parts
        assert parts[0].receipt.first == 0
        assert all(one.receipt.last == other.receipt.first for one, other in pairwise(parts))
        assert parts[-1].receipt.last == len(WRITTEN.encode())
        assert "Not signed" not in reader.done.receipt_reason
        assert leaving.peer.serving.is_delivered()


async def test_the_last_machine_that_leaves_leaves_a_reason() -> None:
    overlay = await ready(models=1)
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.tokens(50)
        overlay.machines[0].role.leave([MODEL])
        begun = overlay.scheduler.now()
        await reader.end()
        assert overlay.scheduler.now() - begun < 1
        assert getattr(reader.error, "code", "") == "serving_node_leaving"
        assert "stops contributing" in str(reader.error)


@NETWORKS
async def test_an_entry_node_that_leaves_lets_go_of_what_others_serve(parameters: Parameters | None) -> None:
    overlay = await ready(parameters=parameters, models=3, policy=Elsewhere())
    entry = overlay.machines[0]
    pin(overlay, entry)
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.tokens(50)
        (serving,) = overlay.busy()
        entry.role.leave([MODEL])
        entry.peer.leave()
        await overlay.pass_time(0.1)
        assert serving not in overlay.busy()  # it was told that nothing of it arrives any more
        assert entry.peer.serving._executions == {}
        await reader.end()
        check_whole(reader)
        assert reader.pause < 2.0


async def test_a_serving_node_that_leaves_is_heard_through_the_entry_node() -> None:
    overlay = await ready(parameters=DIRECT, models=3, policy=Elsewhere())
    pin(overlay, overlay.machines[0])
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.tokens(50)
        (serving,) = overlay.busy()
        serving.role.leave([MODEL])
        await reader.end()
        check_whole(reader)
        assert reader.pause < 0.4
        assert any("leaves" in text for text in reader.stages)


@NETWORKS
@pytest.mark.parametrize("place", [1, 50])
async def test_of_two_machines_the_one_that_had_passed_the_request_on_goes_on(
    parameters: Parameters | None, place: int
) -> None:
    """It has not left, and who would be asked instead has."""
    overlay = await ready(parameters=parameters, policy=Elsewhere(accepting=True))
    entry, leaving = overlay.machines
    pin(overlay, entry)
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.tokens(place)
        assert overlay.busy() == [leaving]
        leaving.role.leave([MODEL])
        leaving.group.leave()
        await reader.end()
        check_whole(reader)
        assert reader.done.machines == (node_id_text(leaving.node_id), node_id_text(entry.node_id))


async def test_who_passed_a_request_on_is_asked_when_the_other_leaves_before_the_first_token() -> None:
    overlay = await ready(parameters=DIRECT, policy=Elsewhere(accepting=True))
    entry, leaving = overlay.machines
    pin(overlay, entry)
    leaving.stalled = True
    async with overlay.running():
        reader = Reader(overlay, request())
        await overlay.until_true(lambda: overlay.busy() == [leaving], 5)
        leaving.role.leave([MODEL])
        leaving.group.leave()
        await reader.end()
        check_whole(reader)
        assert reader.done.machines == (node_id_text(entry.node_id),)


@NETWORKS
async def test_what_is_passed_on_to_who_has_just_left_is_answered_where_it_came(parameters: Parameters | None) -> None:
    """Others learn within a second that a machine leaves; until then its client need not hear of it."""
    overlay = await ready(parameters=parameters, policy=Elsewhere())
    entry, leaving = overlay.machines
    pin(overlay, entry)
    leaving.role.leave([MODEL])
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.end()
        check_whole(reader)
        assert reader.done.machines == reader.done.asked == (node_id_text(entry.node_id),)
        assert not leaving.writer.asked


async def test_other_models_go_on() -> None:
    overlay = await ready()
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.tokens(50)
        overlay.busy()[0].role.leave(["another"])
        await reader.end()
        check_whole(reader)
        assert len(reader.done.machines) == 1
