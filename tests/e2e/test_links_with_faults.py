"""Loss, delay, jitter, reordering and duplication on real links; changes of network under real answers."""

from __future__ import annotations

import asyncio

from engine.transport.link import Channel
from engine.wire.records import Parameters
from tests.support.links import LocalSignaling
from tests.support.real_links import Node, running, until
from tests.support.real_overlay import RealOverlay
from tests.support.wires_with_faults import Faults, Wires

BAD = Faults(loss=0.05, delay=0.2, jitter=0.05, duplication=0.02)
SMALL = Parameters(n=3, k=2, path_length=2, guard_count=4, one_prefix=True, allow_loopback=True)


async def test_link_holds_at_five_percent_loss_and_200_ms_and_the_heartbeat_raises_no_alarm() -> None:
    wires, signaling = Wires(11, BAD), LocalSignaling()
    nodes = [Node(signaling, number, connect=wires.connect(str(number))) for number in (1, 2)]
    a, b = sorted(nodes, key=lambda node: node.id)
    async with running(a, b):
        a.mesh.want({b.id})
        await until(lambda: b.id in a.mesh.links() and a.id in b.mesh.links())
        linked = a.mesh.statistics().links_opened
        sent = []
        for number in range(150):
            message = bytes([9, 200]) + number.to_bytes(2, "big")
            sent.append(message)
            assert a.mesh.send(b.id, Channel.CONTROL, message)
            assert b.mesh.send(a.id, Channel.CELLS, message.ljust(1160))
            await asyncio.sleep(0.1)
        await until(lambda: len(b.handler.messages) == len(a.handler.messages) == 150)
        assert [data for _, _, data in b.handler.messages] == sent
        assert a.mesh.statistics().links_opened == linked == 1
        assert (a.handler.downs, b.handler.downs) == ([], [])
        round_trip = a.mesh.round_trip(b.id)
        assert round_trip is not None
        assert round_trip > 0.39
        assert wires.lost > 20


async def test_whole_answer_crosses_bad_links() -> None:
    overlay = RealOverlay(6, SMALL, words=60, seed=3, faults=Faults(loss=0.03, delay=0.03, jitter=0.03))
    async with overlay.running():
        await overlay.all_linked()
        answer = overlay.ask()
        await overlay.answered(answer, 90)
        assert answer.ids == list(range(60))
        assert overlay.wires.lost > 0


async def test_answer_in_flight_survives_changes_of_network_of_client_guard_and_model_node() -> None:
    overlay = RealOverlay(6, SMALL, words=240, pace=0.05)
    async with overlay.running():
        await overlay.all_linked()
        answer = overlay.ask()
        await until(lambda: len(answer.ids) > 10)
        client = next(node_id for node_id, mesh in overlay.meshes.items() if mesh._configuration.is_client)
        paths = list(answer.paths)
        movers = [client, paths[0][0], overlay.models[0].node_id]
        for mover in movers:
            overlay.wires.strand(mover.hex())
            overlay.meshes[mover].network_changed()
            await asyncio.sleep(3.0)
        await overlay.answered(answer, 90)
        assert answer.ids == list(range(240))
        assert answer.paths == tuple(paths), "the same circuits carried it to its end"
        await until(lambda: all(overlay.meshes[mover].statistics().links_moved for mover in movers))
        assert sum(mesh.statistics().links_lost for mesh in overlay.meshes.values()) == 0
