"""What links do under a whole overlay in simulated time: changes of network, and coming back without a server."""

from __future__ import annotations

import pytest

from tests.support.overlay import Member, Overlay


@pytest.mark.parametrize("who", ["client", "guard", "model node"])
def test_answer_in_flight_survives_a_change_of_network(who: str) -> None:
    overlay = Overlay(words=200)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 10, 10)
    paths = answer.paths
    mover = {"client": overlay.identify("client"), "guard": paths[0][0], "model node": overlay.models[0].node_id}[who]
    overlay.internet.change_network(mover)
    overlay.until(lambda: answer.finished, 30)
    assert answer.ids == list(range(200))
    assert answer.paths == paths


def test_listed_relay_that_comes_back_without_a_server_relays_within_five_seconds() -> None:
    overlay = Overlay(relays=13)
    overlay.until(overlay.ready, 10)
    returning = overlay.relays[4]
    overlay.kill(returning)
    overlay.advance(10.0)
    overlay.internet.server_away = True
    overlay.internet.listeners.add(overlay.relays[0].node_id)
    back = Member(overlay, "relay-4", model=False, words=0, pace=0)
    back.onion = returning.onion  # its keys lie on its disk
    overlay.relays[4] = back
    begun = overlay.scheduler.now()
    overlay.announce()  # everybody still holds the directory that lists it
    overlay.until(lambda: len(back.endpoint.links()) >= len(overlay.relays) - 1, 5.0)
    carried = overlay.until(lambda: _carries(overlay, back), 5.0 - (overlay.scheduler.now() - begun))
    assert carried < 5.0


def _carries(overlay: Overlay, member: Member) -> bool:
    """Whether a circuit passes through this relay; chats are begun until one does."""
    if overlay.ready():
        overlay.ask(bytes([len(overlay.client.machine.paths._sets)]))
    return bool(member.peer.relay._table)
