"""However the clock is set, and whenever the node starts again, the same request is answered once: whoever answers it
twice signs two final receipts of it, which excludes it for good."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations
from pathlib import Path

import msgspec
import pytest

from engine.crypto.identity import Identity
from engine.errors import WireError
from engine.node.taken_memory import TakenMemory
from engine.paths import admission
from engine.paths.admission import CLOCK_SKEW, REPLAY_MEMORY, REQUEST_LIFE, Admission
from engine.paths.serving import ExecutionStarted
from engine.verification.challenges.opening import answers_within
from engine.verification.contradictions import check_contradiction
from engine.verification.receipts import CommittedRequest, Served, make_receipt, sign_receipt
from engine.wire.answer import Request
from engine.wire.receipts import Contradiction
from engine.wire.signed import SignedRecord
from tests.support.answers import NETWORK, WALL, Asker, Node, proxy, seeded
from tests.support.judging import judging

IDENTITY = Identity.from_seed(b"i" * 32)
TEMPLATE = Asker(Node()).outgoing.request


class Stepped:
    """A clock that is set at will."""

    def __init__(self) -> None:
        self.passed, self.offset = 0.0, WALL

    def monotonic(self) -> float:
        return self.passed

    def wall(self) -> float:
        return self.passed + self.offset


def answered(node: Node, asker: Asker, now: float, wall: float) -> list[SignedRecord]:
    """The final receipts that follow from the cloves of this request, then and behind its client's silence."""
    signed: list[SignedRecord] = []
    for index in range(4):
        handle = bytes([index]) * 15 + bytes([int(now) % 256])
        for effect in node.machine.receive(proxy(index), handle, asker.outgoing.clove(index), now, wall):
            if isinstance(effect, ExecutionStarted):
                served = Served(
                    request=CommittedRequest(effect.encoded),
                    attempt=0,
                    final=True,
                    first=0,
                    prompt_ids=(1, 2),
                    output_ids=(3,),
                    tokenizer_digest=bytes(32),
                    ttft_ms=now,
                    total_ms=now,
                    issued=int(wall),
                )
                record, signature = sign_receipt(IDENTITY, make_receipt(IDENTITY, NETWORK, served))
                signed.append(SignedRecord(record=record, key=IDENTITY.public_key, signature=signature))
    node.machine.tick(now + 46.0)
    return signed


def test_a_clock_that_jumps_ahead_and_is_set_back_makes_nobody_answer_twice() -> None:
    node = Node()
    asker = Asker(node)
    first = answered(node, asker, 0.0, WALL)
    assert len(first) == 1
    ahead = WALL + REPLAY_MEMORY + 1.0
    assert len(answered(node, Asker(node, wall=ahead, random_bytes=seeded(3)), 100.0, ahead)) == 1
    assert answered(node, asker, 200.0, WALL + 200.0) == []
    fresh = Asker(node, wall=WALL + 250.0, random_bytes=seeded(4))
    assert len(answered(node, fresh, 250.0, WALL + 250.0)) == 1  # what is new is answered


def test_two_answers_to_one_request_would_exclude_a_node() -> None:
    """What all this is for."""
    node = Node()
    asker = Asker(node)
    again = Node(keys=node.keys)  # knows of nothing
    receipts = [*answered(node, asker, 0.0, WALL), *answered(again, asker, 1.0, WALL + 1.0)]
    found = check_contradiction(Contradiction(*receipts), NETWORK)
    assert found.text == "two final receipts of one attempt"


class Attacked:
    """A node whose clock is set, and that is started again, while all requests are sent to it again and again."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.source = random.Random(seed)
        self.clock = Stepped()
        self.genesis = judging().genesis
        (folder / self.genesis.network_id.hex()).mkdir()
        self._folder = folder
        self.memory: TakenMemory | None = None
        self.requests: list[Request] = []
        self.taken: Counter[bytes] = Counter()
        self.begin()

    def begin(self) -> None:
        """Start, or die and start again."""
        if self.memory is not None:
            self.memory.close()
        self.memory = TakenMemory(self._folder, self.clock)
        self.admission = self.memory.requests(self.genesis, float(int(self.clock.wall()) + 1))

    def request(self, ahead: float) -> Request:
        """A new one, sealed at its clock's time and so many seconds."""
        sealed = self.clock.wall() + ahead
        one = msgspec.structs.replace(TEMPLATE, request_id=self.source.randbytes(16), sealed_at=sealed)
        self.requests.append(one)
        return one

    def take(self, request: Request) -> bool:
        """Whether it starts."""
        try:
            self.admission.check(request, 4, 3, self.clock.wall())
        except WireError:
            return False
        self.admission.add(request, request.request_id)
        self.taken[request.request_id] += 1
        return True


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_to_clock_and_node_nothing_is_taken_twice(tmp_path: Path, seed: int) -> None:
    attacked = Attacked(tmp_path, seed)
    source, clock = attacked.source, attacked.clock
    for _ in range(200):
        step = source.choice((0.0, 0.0, 1.0, 119.0, 421.0, 500.0, 2_000.0, 7_200.0)) * source.choice((-1, 1))
        clock.offset += step if source.random() < 0.7 else WALL - clock.offset
        clock.passed += source.choice((0.0, 1.0, 60.0, 400.0))
        if source.random() < 0.1:
            attacked.begin()
        attacked.request(source.uniform(-REQUEST_LIFE, CLOCK_SKEW))
        for request in source.sample(attacked.requests, len(attacked.requests)):
            attacked.take(request)
    assert len(attacked.taken) > 10
    assert max(attacked.taken.values()) == 1
    newest = max(request.sealed_at for request in attacked.requests)
    clock.offset = newest + REPLAY_MEMORY + answers_within(attacked.genesis.genesis) - clock.passed
    assert attacked.take(attacked.request(0.5))


@pytest.mark.parametrize("seed", range(12))
def test_of_a_promised_question_nobody_gets_two_answers_that_would_be_believed(tmp_path: Path, seed: int) -> None:
    """A verifier seals its question anew as often as it likes; what it may show was sealed in two epochs."""
    attacked = Attacked(tmp_path, seed)
    source, clock = attacked.source, attacked.clock
    believed = answers_within(attacked.genesis.genesis)
    sealed: dict[bytes, list[float]] = {}
    for _ in range(100):
        step = source.choice((0.0, 1.0, 119.0, 421.0, 1_000.0, 1_900.0, 2_500.0)) * source.choice((-1, 1))
        clock.offset += step if source.random() < 0.7 else WALL - clock.offset
        clock.passed += source.choice((0.0, 1.0, 60.0, 400.0))
        if source.random() < 0.1:
            attacked.begin()
        attacked.request(0.0)
        for request in attacked.requests[-30:]:
            again = msgspec.structs.replace(request, sealed_at=clock.wall() + source.uniform(-REQUEST_LIFE, CLOCK_SKEW))
            if attacked.take(again):
                sealed.setdefault(again.request_id, []).append(again.sealed_at)
    assert len(sealed) > 10
    for dates in sealed.values():
        assert all(abs(one - other) > believed for one, other in combinations(dates, 2))


def test_a_clock_that_was_ahead_for_two_epochs_lets_nobody_ask_again(tmp_path: Path) -> None:
    attacked = Attacked(tmp_path, 1)
    clock, ahead = attacked.clock, REPLAY_MEMORY + answers_within(attacked.genesis.genesis) + 10.0
    clock.passed = REQUEST_LIFE
    promised = attacked.request(0.0)
    assert attacked.take(promised)
    clock.offset += ahead
    assert attacked.take(attacked.request(0.0))
    clock.offset -= ahead
    clock.passed += 5.0
    assert not attacked.take(msgspec.structs.replace(promised, sealed_at=clock.wall()))
    attacked.begin()
    clock.passed += 2.0
    assert not attacked.take(msgspec.structs.replace(promised, sealed_at=clock.wall()))
    clock.passed += answers_within(attacked.genesis.genesis) + CLOCK_SKEW
    assert attacked.take(attacked.request(0.0)), "when no second answer would be believed any more all goes on"


@pytest.mark.parametrize("seed", range(4))
def test_a_clock_that_is_right_refuses_nothing_new(tmp_path: Path, seed: int) -> None:
    attacked = Attacked(tmp_path, seed)
    source = attacked.source
    attacked.clock.passed += REQUEST_LIFE + 1.0
    for _ in range(300):
        attacked.clock.passed += source.choice((0.0, 1.0, 60.0, 400.0))
        assert attacked.take(attacked.request(source.uniform(-REQUEST_LIFE, CLOCK_SKEW)))
        if source.random() < 0.05:
            attacked.begin()
            attacked.clock.passed += REQUEST_LIFE + 1.0


def test_a_full_memory_refuses_what_is_new_and_forgets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests of a clock that was ahead stay, as it may be ahead once more."""
    monkeypatch.setattr(admission, "MAX_REMEMBERED", 3)
    memory = Admission(0.0)

    def request(number: int, sealed: float) -> Request:
        return msgspec.structs.replace(TEMPLATE, request_id=bytes([number]) * 16, sealed_at=sealed)

    ahead = [request(number, WALL + 7_200.0) for number in range(3)]
    for one in ahead:
        memory.check(one, 4, 3, WALL + 7_200.0)
        memory.add(one, one.request_id)
    memory.check(request(9, WALL), 4, 3, WALL)
    assert memory.is_full
    for one in ahead:
        with pytest.raises(WireError, match="seen before"):
            memory.check(one, 4, 3, WALL + 7_200.0)
    later = WALL + 7_200.0 + REPLAY_MEMORY + 1.0
    memory.check(request(9, later), 4, 3, later)
    assert not memory.is_full
