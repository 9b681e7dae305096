"""A client and a model node joined by nothing but lists: what the answer machines' tests share."""

from __future__ import annotations

import random
from collections.abc import Callable

from engine.crypto.sealing import SealingKey
from engine.ids import NetworkId, NodeId, RequestId
from engine.paths.admission import Admission
from engine.paths.answer_receiver import AnswerReceiver
from engine.paths.answer_sender import CloveOut
from engine.paths.outgoing import OutgoingRequest, Question, Target, prepare
from engine.paths.serving import Server, ServingMachine
from engine.wire.answer import ChatMessage, FrameEvent, Sampling

NETWORK = NetworkId(b"n" * 32)
NODE = NodeId(b"S" * 20)
WALL = 1_750_000_000.0


def seeded(seed: int) -> Callable[[int], bytes]:
    """Repeatable randomness for tests."""
    return random.Random(seed).randbytes


def proxy(index: int) -> NodeId:
    """The proxy of path ``index``."""
    return NodeId(b"proxy-%d" % index + b"." * 13)


class Node:
    """A model node: its keys and its machine."""

    def __init__(
        self,
        node_id: NodeId = NODE,
        started: float = WALL - 10,
        seed: int = 1,
        admission: Admission | None = None,
        keys: list[SealingKey] | None = None,
    ) -> None:
        self.keys = keys or [SealingKey.generate(1), SealingKey.generate(2)]
        self.machine = ServingMachine(
            Server(NETWORK, node_id, lambda: self.keys, started, seeded(seed), frozenset([(4, 3)]), admission)
        )
        self.target = Target(node_id, self.keys[0].public, self.keys[1].public, b"d" * 32, b"t" * 32)


class Asker:
    """A client's request and receiver."""

    def __init__(
        self,
        node: Node,
        text: str = "What is a clove?",
        n: int = 4,
        k: int = 3,
        wall: float = WALL,
        random_bytes: Callable[[int], bytes] | None = None,
    ) -> None:
        question = Question("model", (ChatMessage("user", text),), Sampling(seed=1), max_tokens=50)
        source = random_bytes or seeded(2)
        self.outgoing: OutgoingRequest = prepare(question, node.target, NETWORK, n, k, b"c" * 32, wall, source)
        request = self.outgoing.request
        self.request_id = RequestId(request.request_id)
        self.receiver = AnswerReceiver(
            request_id=self.request_id,
            answer_secret=request.answer_secret,
            clove_secrets=request.clove_secrets,
            n=n,
            k=k,
            random_bytes=source,
            serving_node=node.target.node_id,
        )
        self.paths = {(proxy(index), bytes([index]) * 16): index for index in range(n)}

    def deliver(self, effects: list[object], now: float, lose: frozenset[int] = frozenset()) -> list[FrameEvent]:
        """Carry answer cloves to the receiver, except those of the ``lose`` paths."""
        events: list[FrameEvent] = []
        for effect in effects:
            if isinstance(effect, CloveOut):
                index = self.paths.get((effect.proxy, effect.handle))
                if index is not None and index not in lose:
                    events += self.receiver.receive(index, effect.clove, now)
        return events
