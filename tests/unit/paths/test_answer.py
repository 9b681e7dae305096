"""One answer between the client's and the node's machines, with paths that lose, replay, forge and come back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.errors import InvalidRequestError
from engine.ids import NodeId
from engine.paths import keys
from engine.paths.answer_sender import COALESCE_SECONDS, HEARTBEAT_SECONDS, MAX_UNACKNOWLEDGED, AnswerSender, CloveOut
from engine.paths.outgoing import Question, prepare
from engine.paths.serving import CLIENT_SILENCE, ExecutionCancelled, ExecutionStarted
from engine.wire.answer import ChatMessage, Failed, Finished, Sampling, Stage, Tokens, answer_clove_decoder
from engine.wire.codec import encode
from tests.support.answers import NETWORK, NODE, WALL, Asker, Node, proxy, seeded

FINISHED = Finished("stop", 5, 3, b"record", b"s" * 64)


def send_request(asker: Asker, node: Node, indices: tuple[int, ...] = (0, 1, 2, 3), now: float = 0.0) -> list[object]:
    effects: list[object] = []
    for index in indices:
        clove = asker.outgoing.clove(index)
        effects += node.machine.receive(proxy(index), bytes([index]) * 16, clove, now, WALL)
    return effects


def tokens(first: int, *words: str) -> Tokens:
    return Tokens(first=first, ids=tuple(range(first, first + len(words))), text="".join(words))


def text_of(events: list[object]) -> str:
    return "".join(event.text for event in events if isinstance(event, Tokens))


def started(effects: list[object]) -> list[ExecutionStarted]:
    return [effect for effect in effects if isinstance(effect, ExecutionStarted)]


def test_k_cloves_start_the_request_once_and_the_answer_comes_back() -> None:
    node = Node()
    asker = Asker(node)
    effects = send_request(asker, node)
    assert [effect.request.messages[0].content for effect in started(effects)] == ["What is a clove?"]
    assert asker.deliver(effects, 0.0) == []
    assert node.machine.next_deadline() == pytest.approx(COALESCE_SECONDS)
    events = asker.deliver(list(node.machine.tick(0.041)), 0.041)
    assert [type(event) for event in events] == [Stage]  # a sign of life, as no token has come yet
    effects = list(node.machine.push(asker.request_id, tokens(0, "A clove"), 0.05))
    assert text_of(asker.deliver(effects, 0.05)) == "A clove"
    effects = list(node.machine.push(asker.request_id, tokens(1, " is a"), 0.06))
    assert effects == []  # coalesced
    assert text_of(asker.deliver(list(node.machine.tick(0.1)), 0.1)) == " is a"
    effects = list(node.machine.push(asker.request_id, FINISHED, 0.11))
    assert asker.deliver(effects, 0.11) == [FINISHED]
    acknowledgement = asker.receiver.acknowledge(0.11, force=True)
    assert acknowledgement is not None
    node.machine.receive(proxy(0), bytes(16), acknowledgement, 0.12, WALL)
    assert node.machine.next_deadline() is None


def test_cloves_that_are_sent_again_look_nothing_alike() -> None:
    """Also the first, which is sealed to try the node's key."""
    outgoing = Asker(Node()).outgoing
    for index in (0, 1, 0, 0):
        assert len({outgoing.clove(index) for _ in range(3)}) == 3


def test_the_first_token_that_comes_soon_is_in_the_first_frame() -> None:
    node = Node()
    asker = Asker(node)
    assert asker.deliver(send_request(asker, node), 0.0) == []
    assert list(node.machine.tick(0.02)) == []
    events = asker.deliver(list(node.machine.push(asker.request_id, tokens(0, "A clove"), 0.03)), 0.03)
    assert [type(event) for event in events] == [Tokens]


def test_the_first_token_takes_news_along_and_does_not_wait_for_it() -> None:
    node = Node()
    asker = Asker(node)
    asker.deliver(send_request(asker, node), 0.0)
    assert list(node.machine.push(asker.request_id, Stage("queued", 0, 0.0), 0.01)) == []
    assert list(node.machine.push(asker.request_id, Stage("prefill", 0, 0.0), 0.012)) == []
    assert list(node.machine.tick(0.03)) == []
    events = asker.deliver(list(node.machine.push(asker.request_id, tokens(0, "A clove"), 0.04)), 0.04)
    assert [type(event) for event in events] == [Stage, Stage, Tokens]


def test_news_waits_for_company_no_longer_than_tokens_do() -> None:
    node = Node()
    asker = Asker(node)
    asker.deliver(send_request(asker, node), 0.0)
    assert list(node.machine.push(asker.request_id, Stage("prefill", 0, 0.0), 0.01)) == []
    assert node.machine.next_deadline() == pytest.approx(0.01 + COALESCE_SECONDS)
    events = asker.deliver(list(node.machine.tick(0.051)), 0.051)
    assert events == [Stage("prefill", 0, 0.0)]


@pytest.mark.parametrize("missing", [0, 1, 2, 3])
def test_any_three_paths_carry_the_answer(missing: int) -> None:
    node = Node()
    asker = Asker(node)
    others = tuple(index for index in range(4) if index != missing)
    effects = send_request(asker, node, others)
    effects += node.machine.push(asker.request_id, tokens(0, "hello"), 0.0)
    assert text_of(asker.deliver(effects, 0.0, lose=frozenset({missing}))) == "hello"


def test_two_lost_paths_are_made_up_for_by_asking_again_over_the_live_ones() -> None:
    node = Node()
    asker = Asker(node)
    asker.deliver(send_request(asker, node), 0.0)
    node.machine.link_down(proxy(2), 0.0)
    lost = frozenset({3})
    got = asker.deliver(list(node.machine.push(asker.request_id, tokens(0, "one"), 1.0)), 1.0, lose=lost)
    assert got == []
    node.machine.link_down(proxy(3), 0.0)
    got = asker.deliver(list(node.machine.push(asker.request_id, tokens(1, " two"), 2.0)), 2.0)
    assert got == []  # frame 2 is whole, but frame 1 comes first
    acknowledgement = asker.receiver.acknowledge(2.5)
    assert acknowledgement is not None
    effects = list(node.machine.receive(proxy(0), bytes(16), acknowledgement, 2.6, WALL))
    assert text_of(asker.deliver(effects, 2.6)) == "one two"


def test_a_replaced_proxy_carries_on_with_new_keys() -> None:
    node = Node()
    asker = Asker(node)
    asker.deliver(send_request(asker, node), 0.0)
    attach = asker.receiver.replace_path(3, b"x" * 32)
    sealed = asker.outgoing.attach(attach)
    asker.paths[(proxy(7), b"h" * 16)] = 3
    effects = list(node.machine.receive(proxy(7), b"h" * 16, sealed, 1.0, WALL))
    asker.deliver(effects, 1.0)
    # the same message again, recorded by somebody and replayed over a path of his own, changes nothing
    assert node.machine.receive(proxy(9), b"z" * 16, sealed, 1.1, WALL) == []
    effects = list(node.machine.push(asker.request_id, tokens(0, "hello"), 2.0))
    assert {effect.proxy for effect in effects if isinstance(effect, CloveOut)} == {proxy(i) for i in (0, 1, 2, 7)}
    assert text_of(asker.deliver(effects, 2.0, lose=frozenset({0}))) == "hello"


def test_attach_by_somebody_without_the_answer_secret_is_ignored() -> None:
    node = Node()
    asker = Asker(node)
    asker.deliver(send_request(asker, node), 0.0)
    attach = asker.receiver.replace_path(0, b"x" * 32)
    forged = type(attach)(request_id=attach.request_id, index=0, counter=attach.counter + 1, sealed=attach.sealed)
    assert node.machine.receive(proxy(9), b"z" * 16, asker.outgoing.attach(forged), 1.0, WALL) == []


def test_a_replayed_request_gets_no_second_answer() -> None:
    node = Node()
    asker = Asker(node)
    recorded = [asker.outgoing.clove(index) for index in range(4)]

    def play(offset: int, wall: float = WALL) -> list[object]:
        out: list[object] = []
        for index, clove in enumerate(recorded):
            out += node.machine.receive(proxy(index + offset), bytes([index + offset]) * 16, clove, 0.0, wall)
        return out

    assert len(started(play(0))) == 1
    assert play(10) == []  # while it runs
    node.machine.push(asker.request_id, FINISHED, 0.1)
    node.machine.tick(1000.0)
    assert play(20) == []  # after it has ended
    again = Asker(node)  # the same request under a message id of its own: same request id
    assert again.request_id == asker.request_id
    effects: list[object] = []
    for index in range(4):
        effects += node.machine.receive(
            proxy(index + 30), bytes([index + 30]) * 16, again.outgoing.clove(index), 0, WALL
        )
    assert effects == []
    assert play(40, WALL + 301) == []  # too old by then


def test_requests_from_before_the_start_or_the_future_are_refused() -> None:
    restarted = Node(started=WALL + 1)
    assert started(send_request(Asker(restarted), restarted)) == []
    node = Node(started=WALL - 10)
    assert started(send_request(Asker(node, wall=WALL - 11), node)) == []
    assert started(send_request(Asker(node, wall=WALL + 130), node)) == []


def test_another_node_cannot_open_it_and_cannot_answer_in_its_place() -> None:
    node, other = Node(), Node(node_id=NodeId(b"O" * 20), seed=5)
    asker = Asker(node)
    assert send_request(asker, other) == []
    other.keys[:] = node.keys  # even with the keys, the swapped id makes it unreadable
    assert send_request(asker, other) == []
    # a node that got hold of the request's secrets announces itself under its own id: the client refuses
    sender = AnswerSender(
        answer_secret=asker.outgoing.request.answer_secret,
        serving_node=NodeId(b"O" * 20),
        attempt=0,
        n=4,
        k=3,
        random_bytes=seeded(3),
        opened=0.0,
    )
    for index in range(4):
        sender.attach(index, proxy(index), bytes([index]) * 16, asker.outgoing.request.clove_secrets[index])
    assert asker.deliver(list(sender.push(tokens(0, "evil"), 0.0)), 0.0) == []
    assert not asker.receiver.execution_known


def test_repeated_salts_never_make_two_answers_under_one_key() -> None:
    """Even with randomness that repeats itself, a second execution needs a request id that is refused, and keys of
    two nodes, attempts or requests differ."""
    stuck = Node()
    stuck.machine._server = replace(stuck.machine._server, random_bytes=lambda count: b"r" * count)
    asker = Asker(stuck)
    assert len(started(send_request(asker, stuck))) == 1
    assert send_request(Asker(stuck), stuck) == []
    secret, salt = b"a" * 32, b"r" * 16
    made = {
        keys.frame_key(secret, salt, NODE, 0),
        keys.frame_key(secret, salt, NODE, 1),
        keys.frame_key(secret, salt, NodeId(b"O" * 20), 0),
        keys.frame_key(b"b" * 32, salt, NODE, 0),
        keys.clove_key(secret, salt, NODE, 0),
        keys.clove_key(secret, salt, NodeId(b"O" * 20), 0),
    }
    assert len(made) == 6


def test_nothing_is_encrypted_twice_under_one_key_and_nonce() -> None:
    """A resend over the same path repeats the bytes; over another path it has another key."""
    node = Node()
    asker = Asker(node)
    seen: dict[tuple[NodeId, int, int], bytes] = {}
    effects = send_request(asker, node)
    for step in range(30):
        effects += node.machine.push(asker.request_id, tokens(step, "word "), step * 0.05)
        if step == 10:
            node.machine.link_down(proxy(1), 0.0)
            node.machine.link_down(proxy(2), 0.0)
    acknowledgement = asker.receiver.acknowledge(5.0, force=True)
    asker.deliver(effects, 4.0, lose=frozenset({2, 3}))
    acknowledgement = asker.receiver.acknowledge(6.0, force=True)
    assert acknowledgement is not None
    effects += node.machine.receive(proxy(0), bytes(16), acknowledgement, 6.0, WALL)
    for effect in effects:
        if isinstance(effect, CloveOut):
            clove = answer_clove_decoder.decode(effect.clove)
            known = seen.setdefault((effect.proxy, clove.number, clove.index), clove.sealed)
            assert known == clove.sealed
    assert len(seen) > 100


def test_forged_and_corrupt_cloves_change_nothing() -> None:
    node = Node()
    asker = Asker(node)
    good = [asker.outgoing.clove(index) for index in range(4)]
    corrupt = good[0][:-3] + bytes([good[0][-3] ^ 1]) + good[0][-2:]
    assert node.machine.receive(proxy(0), bytes(16), corrupt, 0.0, WALL) == []
    assert node.machine.receive(proxy(0), bytes(16), b"\x00garbage", 0.0, WALL) == []
    started_frames = send_request(asker, node, (1, 2, 3))
    assert len(started(started_frames)) == 1
    effects = list(node.machine.push(asker.request_id, tokens(0, "fine"), 0.1))
    for effect in effects:
        if isinstance(effect, CloveOut):
            broken = effect.clove[:-1] + bytes([effect.clove[-1] ^ 1])
            assert asker.receiver.receive(asker.paths[effect.proxy, effect.handle], broken, 0.1) == []
    assert asker.receiver.receive(1, b"", 0.1) == []
    asker.deliver(started_frames, 0.2)
    assert text_of(asker.deliver(effects, 0.2)) == "fine"


def test_heartbeats_flow_and_silence_ends_the_execution() -> None:
    node = Node()
    asker = Asker(node)
    asker.deliver(send_request(asker, node), 0.0)
    deadline = node.machine.next_deadline()
    assert deadline is not None
    assert deadline <= HEARTBEAT_SECONDS
    events = asker.deliver(list(node.machine.tick(HEARTBEAT_SECONDS)), HEARTBEAT_SECONDS)
    assert [type(event) for event in events] == [Stage]
    assert ExecutionCancelled(asker.request_id) in node.machine.tick(CLIENT_SILENCE + 1)
    assert node.machine.running() == []


def test_cancel_stops_the_execution() -> None:
    node = Node()
    asker = Asker(node)
    asker.deliver([*send_request(asker, node), *node.machine.tick(0.041)], 0.0)
    message = asker.receiver.cancel()
    assert message is not None
    assert node.machine.receive(proxy(2), b"\x02" * 16, message, 0.1, WALL) == [ExecutionCancelled(asker.request_id)]
    assert node.machine.push(asker.request_id, tokens(0, "late"), 0.2) == []


def test_unacknowledged_frames_are_bounded_and_pause_the_maker() -> None:
    node = Node()
    asker = Asker(node)
    send_request(asker, node)
    for step in range(MAX_UNACKNOWLEDGED + 500):
        node.machine.push(asker.request_id, tokens(step, "x"), step * 0.05)
        if node.machine.paused(asker.request_id):
            break
    assert node.machine.paused(asker.request_id)
    assert step < MAX_UNACKNOWLEDGED + 1


def test_a_failure_reaches_the_client_in_words() -> None:
    node = Node()
    asker = Asker(node)
    asker.deliver(send_request(asker, node), 0.0)
    failed = Failed(code="overloaded", text="Too many requests; try again in 3 s.", estimate=3.0)
    assert asker.deliver(list(node.machine.push(asker.request_id, failed, 0.1)), 0.1) == [failed]


def test_a_lost_end_is_sent_again_until_it_is_acknowledged() -> None:
    node = Node()
    asker = Asker(node)
    asker.deliver(send_request(asker, node), 0.0)
    node.machine.push(asker.request_id, FINISHED, 0.1)  # all four cloves lost
    assert asker.deliver(list(node.machine.tick(0.6)), 0.6) == [FINISHED]


def test_a_conversation_that_is_too_long_says_so() -> None:
    node = Node()
    question = Question("model", (ChatMessage("user", "x" * 139_000),) * 2, Sampling(seed=1), max_tokens=5)
    with pytest.raises(InvalidRequestError, match="Shorten it"):
        prepare(question, node.target, NETWORK, 4, 3, b"c" * 32, WALL, seeded(1))


def test_what_a_node_would_drop_without_a_word_is_refused_before_it_is_sent() -> None:
    node = Node()
    for question in (
        Question("model", (ChatMessage("user", "x" * 140_001),), Sampling(seed=1), max_tokens=5),
        Question("model", (ChatMessage("user", "x"),) * 2049, Sampling(seed=1), max_tokens=5),
        Question("model", (), Sampling(seed=1), max_tokens=5, template_options="x" * 4097),
    ):
        with pytest.raises(InvalidRequestError, match="does not carry"):
            prepare(question, node.target, NETWORK, 4, 3, b"c" * 32, WALL, seeded(1))


def test_two_sealings_of_one_clove_have_nothing_in_common() -> None:
    asker = Asker(Node())
    one, two = asker.outgoing.clove(0), asker.outgoing.clove(0)
    assert len(one) == len(two)
    assert sum(a == b for a, b in zip(one, two, strict=True)) < len(one) * 0.1


def test_path_cloves_share_no_identifier() -> None:
    """Salts, announcements and frame numbers differ from path to path."""
    node = Node()
    asker = Asker(node)
    cloves = [
        answer_clove_decoder.decode(effect.clove)
        for effect in [*send_request(asker, node), *node.machine.tick(0.041)]
        if isinstance(effect, CloveOut)
    ]
    assert len(cloves) >= 3
    for field in ("salt", "announcement", "number", "sealed"):
        values = [getattr(clove, field) for clove in cloves]
        assert len(set(values)) == len(values), field
    assert encode(cloves[0]) != encode(cloves[1])


def test_clove_numbers_of_another_network_are_refused() -> None:
    """(16, 8) would cost a second of work per megabyte; the network's numbers are in its genesis file."""
    node = Node()
    assert started(send_request(Asker(node, n=3, k=2), node, (0, 1, 2))) == []
    assert node.machine._assembler._assemblies == {}
