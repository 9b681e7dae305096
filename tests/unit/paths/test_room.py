"""Members who press, lie or vanish leave others their places at a model node."""

from __future__ import annotations

from itertools import count

import pytest

from engine.ids import NodeId
from engine.inference.supervisor.settings import InferenceSettings
from engine.paths.execution import THERE_SECONDS
from engine.paths.forward import OutgoingForward
from engine.paths.outgoing import Question, prepare
from engine.paths.room import FREE_FOR_EACH, MAX_EXECUTIONS, PLACES
from engine.paths.serving import ExecutionCancelled, ExecutionStarted
from engine.wire.answer import ChatMessage, Failed, Sampling
from engine.wire.forward import Forward, ForwardEnd
from engine.wire.link import link_decoder
from tests.support.answers import NETWORK, WALL, Asker, proxy, seeded
from tests.unit.paths.test_forward import MemberNode

SHARE = PLACES // (FREE_FOR_EACH + 1)
"""Of a member while nobody else presses."""
QUESTION = Question("model", (ChatMessage("user", "?"),), Sampling(seed=1), 50, may_forward=True)
NUMBERS = count(1)


class Crowd:
    """A model node, and members who pass requests on to it."""

    def __init__(self) -> None:
        self.serving = MemberNode(b"S", 2)
        self.machine = self.serving.machine

    def bring(self, member: NodeId, now: float) -> bytes | None:
        """A member passes one request on; the forward's name if it is taken."""
        number = next(NUMBERS)
        random_bytes = seeded(number)
        request = prepare(QUESTION, self.serving.target, NETWORK, 4, 3, b"c" * 32, WALL, random_bytes)
        name = b"F%15d" % number
        forward = OutgoingForward(
            name, self.serving.target, NETWORK, member, b"m%15d" % number, 4, 3, 0.0, random_bytes, 50
        )
        effects: list[object] = []
        for send in forward.request(request.encoded, [0, 1, 2]):
            message = link_decoder.decode(send.data)
            assert isinstance(message, Forward)
            effects += self.machine.forwarded_to(member, message, now, WALL)
        return name if any(isinstance(one, ExecutionStarted) for one in effects) else None

    def fill(self, member: NodeId, now: float, most: int = 100) -> int:
        """It passes on until it is refused; how many are taken."""
        taken = 0
        while taken < most and self.bring(member, now) is not None:
            taken += 1
        return taken

    def brought_by(self, member: NodeId) -> int:
        return sum(one.brought_by == member for one in self.machine._executions.values())


def member(number: int) -> NodeId:
    return NodeId(bytes([number]) * 20)


HONEST = member(200)


@pytest.mark.parametrize("behaviour", ["gone", "there", "complete"])
@pytest.mark.parametrize("liars", [2, 4, 8])
def test_members_who_lie_never_take_all_places(liars: int, behaviour: str) -> None:
    """Their clients have vanished, or go on to say that they are there, or do not say that they have the end."""
    crowd, taken = Crowd(), []
    for second in range(30):
        now = float(second)
        for number in range(liars):
            for _ in range(20):
                if crowd.bring(member(number), now) is None:
                    break
                if behaviour == "complete":
                    crowd.machine.push(crowd.machine.running()[-1], Failed("internal_error", "over"), now)
            if behaviour == "there":
                for one in crowd.machine._executions.values():
                    one.last_heard = now
        names = [crowd.bring(HONEST, now) for _ in range(3)]
        crowd.machine.tick(now)
        assert len(crowd.machine._executions) <= MAX_EXECUTIONS
        assert len(crowd.machine.running()) <= PLACES
        for name in names:
            if name is not None:
                crowd.machine.forward_ended(HONEST, ForwardEnd(name), now)
        taken.append(len([name for name in names if name is not None]))
    assert min(taken) >= (1 if liars == 8 else 2)


def test_a_member_alone_gets_its_share_and_each_further_one_a_smaller_one() -> None:
    crowd = Crowd()
    shares = [crowd.fill(member(number), 1.0) for number in range(8)]
    assert shares[0] == SHARE
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] >= 1
    assert sum(shares) < PLACES


def test_whoever_vanishes_keeps_its_member_out_for_a_while_and_then_gives_way() -> None:
    crowd, one = Crowd(), member(1)
    assert crowd.fill(one, 1.0) == SHARE
    assert crowd.fill(one, 1.0 + THERE_SECONDS - 0.1) == 0
    taken = [crowd.fill(one, 1.0 + number * (THERE_SECONDS + 0.1)) for number in range(1, 5)]
    assert taken == [SHARE] * 4
    running = crowd.machine.running()
    assert len(running) == PLACES, "the oldest have given way"


def test_those_who_have_brought_most_give_way_first_and_whoever_is_there_never() -> None:
    crowd, one, two = Crowd(), member(1), member(2)
    asker = Asker(crowd.serving)
    for index in range(3):
        crowd.machine.receive(proxy(index), b"h%15d" % index, asker.outgoing.clove(index), 0.0, WALL)
    crowd.fill(one, 0.5, most=3)
    for begun in (1.0, 10.0, 20.0, 30.0, 40.0):
        crowd.fill(two, begun)
        crowd.machine._executions[asker.request_id].last_heard = begun
    assert len(crowd.machine.running()) == PLACES
    assert crowd.brought_by(one) == 3, "silent for longer, and fewer"
    assert asker.request_id in crowd.machine.running()


def test_the_node_hears_that_an_answer_that_gives_way_is_not_wanted() -> None:
    crowd = Crowd()
    for begun in (1.0, 10.0, 20.0, 30.0):
        crowd.fill(member(1), begun)
    oldest = crowd.machine.running()[0]
    asker = Asker(crowd.serving)
    effects: list[object] = []
    for index in range(3):
        effects += crowd.machine.receive(proxy(index), b"h%15d" % index, asker.outgoing.clove(index), 40.0, WALL)
    assert ExecutionCancelled(oldest) in effects
    assert asker.request_id in crowd.machine.running()
    assert oldest not in crowd.machine.running()


def test_places_are_what_a_worker_has() -> None:
    settings = InferenceSettings()
    assert settings.slots + settings.queue_limit == PLACES
