"""An answer goes on at another machine: whole networks in simulated time, with real receipts."""

from __future__ import annotations

from itertools import pairwise

import pytest

from engine.directory.shapes import Accepted
from engine.ids import NodeId, node_id_text
from engine.transport.memory_links import Conditions
from engine.verification.receipt_file import verify_export
from engine.wire.records import Parameters
from tests.support.answering_overlay import WRITTEN, AnsweringOverlay, Reader, request
from tests.support.overlay import NETWORK

DIRECT = Parameters(n=1, k=1, path_length=0, one_prefix=True, allow_loopback=True)
NETWORKS = pytest.mark.parametrize("parameters", [None, DIRECT], ids=["paths", "direct"])
GAP_SECONDS = 2.0
"""Of an answer that is handed over, prefill apart (here it takes no time)."""


async def ready(parameters: Parameters | None = None, **options: object) -> AnsweringOverlay:
    overlay = AnsweringOverlay(parameters=parameters, **options)
    await overlay.until_true(lambda: overlay.client.goes_direct or overlay.ready(), 10)
    await overlay.pass_time(1.0)
    return overlay


def check_whole(reader: Reader) -> None:
    assert reader.error is None, reader.error
    assert reader.text == WRITTEN
    assert bytes(reader.ids) == WRITTEN.encode()


@NETWORKS
@pytest.mark.parametrize("place", [1, 30, 301, 302, 303, len(WRITTEN.encode()) - 12])
async def test_a_machine_that_dies_without_a_word_costs_a_moment(parameters: Parameters | None, place: int) -> None:
    overlay = await ready(parameters)
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.tokens(place)
        (victim,) = overlay.busy()
        overlay.kill(victim)
        await reader.end()
        check_whole(reader)
        done = reader.done
        assert reader.pause < GAP_SECONDS
        assert done.receipt == "verified"
        assert done.machines[0] == node_id_text(victim.node_id)
        assert len(done.machines) == 2
        parts = verify_export(done.receipt_export.encode(), NETWORK).parts
        assert parts[-1].receipt.last == len(WRITTEN.encode())
        assert parts[-1].receipt.attempt == 1
        assert all(one.receipt.last <= other.receipt.first for one, other in pairwise(parts))


@NETWORKS
async def test_an_answer_with_a_stop_string_ends_where_it_would_have_ended(parameters: Parameters | None) -> None:
    overlay = await ready(parameters)
    stop = "wört 20 🎈 w"
    async with overlay.running():
        reader = Reader(overlay, request(stop=(stop,)))
        await reader.tokens(WRITTEN.encode().index(stop.encode()) + len(stop.encode()) - 9)  # held back by now
        overlay.kill(overlay.busy()[0])
        await reader.end()
        assert reader.error is None
        assert reader.text == WRITTEN[: WRITTEN.index(stop)]
        assert reader.done.receipt == "verified"


@NETWORKS
async def test_one_machine_after_the_other_may_go(parameters: Parameters | None) -> None:
    overlay = await ready(parameters, models=4)
    async with overlay.running():
        reader = Reader(overlay, request())
        for place in (100, 200, 300):
            await reader.tokens(place)
            overlay.kill(overlay.busy()[-1])
        await reader.end()
        check_whole(reader)
        assert len(reader.done.machines) == 4
        assert len(verify_export(reader.done.receipt_export.encode(), NETWORK).parts) == 4


@NETWORKS
async def test_the_clients_own_trouble_starts_no_hand_over(parameters: Parameters | None) -> None:
    overlay = await ready(parameters)
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.tokens(50)
        client = overlay.identify("client")
        overlay.internet.partition([client])
        await overlay.pass_time(3.0)
        overlay.internet.heal()
        await reader.end()
        check_whole(reader)
        assert len(reader.done.machines) == 1
        assert [len(one.writer.asked) for one in overlay.machines] in ([1, 0], [0, 1])


async def test_the_only_machine_is_waited_for_and_its_loss_is_said() -> None:
    overlay = await ready(models=1)
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.tokens(50)
        overlay.kill(overlay.models[0])
        begun = overlay.scheduler.now()
        await reader.end()
        assert "What has arrived is kept" in str(reader.error)
        assert 5 < overlay.scheduler.now() - begun < 12


@NETWORKS
async def test_a_machine_that_was_given_up_too_soon_is_told_to_stop(parameters: Parameters | None) -> None:
    """It stood still; when it comes back nobody needs its answer, and nothing of it is mixed in."""
    overlay = await ready(parameters)
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.tokens(50)
        (slow,) = overlay.busy()
        overlay.internet.partition([slow.node_id])
        await overlay.pass_time(2.0)
        assert len(overlay.busy()) == 2
        overlay.internet.heal()
        await overlay.pass_time(1.0)
        assert slow not in overlay.busy()
        await reader.end()
        check_whole(reader)
        assert len(reader.done.machines) == 2


@NETWORKS
async def test_a_machine_that_stutters_is_not_given_up_again_and_again(parameters: Parameters | None) -> None:
    """Every machine here stands still for 0.9 s of every 1.2 s, as where too much runs on one processor."""
    overlay = await ready(parameters, models=4)
    async with overlay.running():
        reader = Reader(overlay, request())
        while not reader.task.done():
            for stalled, seconds in ((True, 0.9), (False, 0.3)):
                for one in overlay.machines:
                    one.stalled = stalled
                await overlay.pass_time(seconds)
        check_whole(reader)
        assert len(reader.done.machines) <= 3


async def test_nothing_is_encrypted_twice_under_one_key_and_nonce(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each attempt has fresh secrets and salts, its own number and its machine's id in every key; resends repeat."""
    from engine.crypto import symmetric
    from engine.paths import answer_receiver, answer_sender

    sealed: dict[tuple[bytes, int], bytes] = {}
    machines: set[bytes] = set()

    def remembering(key: bytes, nonce: int, data: bytes, associated: bytes = b"") -> bytes:
        assert sealed.setdefault((key, nonce), data + associated) == data + associated
        machines.add(key)
        return symmetric.aead_seal(key, nonce, data, associated)

    class Remembering(symmetric.Aead):
        def __init__(self, key: bytes) -> None:
            super().__init__(key)
            self._key = key

        def seal(self, nonce: int, data: bytes, associated: bytes = b"") -> bytes:
            return remembering(self._key, nonce, data, associated)

    for module in (answer_receiver, answer_sender):
        monkeypatch.setattr(module, "aead_seal", remembering)
        monkeypatch.setattr(module, "Aead", Remembering)
    overlay = await ready(models=3)
    async with overlay.running():
        reader = Reader(overlay, request())
        for place in (60, 120):
            await reader.tokens(place)
            overlay.kill(overlay.busy()[-1])
        await reader.end()
        check_whole(reader)
    frames_and_paths = 3 * (1 + 4)
    assert len(machines) >= frames_and_paths
    asked = [one.writer.asked for one in overlay.machines]
    assert [len(each) for each in asked] == [1, 1, 1]
    requests = [one.peer.serving for one in overlay.machines]
    assert len({frozenset(serving._admission._requests._newest) for serving in requests}) == 3


async def test_a_question_over_weaker_paths_is_handed_over_as_well() -> None:
    parameters = Parameters(one_prefix=True, allow_loopback=True, least_n=2, least_path_length=1)
    overlay = AnsweringOverlay(parameters=parameters, relays=5, accepted=Accepted(2, 1))
    await overlay.pass_time(5.0)
    async with overlay.running():
        reader = Reader(overlay, request())
        await reader.tokens(50)
        overlay.kill(overlay.busy()[0])
        await reader.end()
        check_whole(reader)
        assert reader.done.privacy is not None
        assert reader.done.privacy.weaker


async def test_the_next_turn_goes_to_the_machine_that_took_over() -> None:
    overlay = await ready(models=3)
    async with overlay.running():
        reader = Reader(overlay, request(conversation="chat"))
        await reader.tokens(50)
        overlay.kill(overlay.busy()[0])
        await reader.end()
        again = Reader(overlay, request(conversation="chat"))
        await again.end()
        assert again.done.served_by == reader.done.served_by
        assert NodeId(overlay.serving(again.done.served_by).node_id)


async def test_the_round_trip_of_paths_is_that_of_their_probes() -> None:
    """Their set-up takes longer where much is set up, which would keep an answer waiting for seconds."""
    overlay = await ready(conditions=Conditions(delay=0.02))
    (spare,) = overlay.client.machine.paths._spares.values()
    assert spare.round_trip() == 0.0
    await overlay.pass_time(12.0)
    assert 0.1 < spare.round_trip() < 0.3
