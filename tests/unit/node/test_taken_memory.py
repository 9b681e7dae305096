"""What was taken once is not taken again, whatever is restarted."""

import msgspec
import pytest

from engine.clock import ManualClock
from engine.errors import WireError
from engine.node.taken_memory import TakenMemory
from engine.paths.admission import Admission
from engine.verification.challenges.opening import answers_within
from tests.support.answers import Asker, Node
from tests.support.judging import judging
from tests.support.records import NOW


def test_a_node_that_starts_again_knows_the_requests_that_it_has_taken(tmp_path):
    """Killed and started within the two minutes in which a request may be sealed ahead of its clock."""
    clock = ManualClock(NOW)
    network = judging().genesis
    (tmp_path / network.network_id.hex()).mkdir()
    request = Asker(Node(), wall=NOW + 119).outgoing.request

    memories: list[TakenMemory] = []

    def begun() -> Admission:
        memory = TakenMemory(tmp_path, clock)
        memories.append(memory)
        return memory.requests(network, NOW)

    admission = begun()
    admission.check(request, 4, 3, clock.wall())
    admission.add(request, b"message")
    clock.advance(60.0)
    with pytest.raises(WireError, match="seen before"):
        begun().check(request, 4, 3, clock.wall())
    clock.advance(1_300.0)  # a verifier could still show an answer to a turn that it asks anew
    anew = msgspec.structs.replace(request, sealed_at=clock.wall())
    with pytest.raises(WireError, match="seen before"):
        begun().check(anew, 4, 3, clock.wall())
    clock.advance(490.0)  # the last moment at which it could still be asked, with the last sealing that is believed
    last = msgspec.structs.replace(request, sealed_at=NOW + 119 + answers_within(network.genesis))
    with pytest.raises(WireError, match="seen before"):
        begun().check(last, 4, 3, clock.wall())
    for memory in memories:
        memory.close()
