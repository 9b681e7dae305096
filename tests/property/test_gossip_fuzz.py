"""Whatever a neighbour sends, a member of a group neither fails nor forgets what others hold."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.forwarding.gossip import GroupMachine
from engine.forwarding.statements import make_statement
from engine.simulation.gossip import MODEL, NETWORK, WALL, GossipNetwork
from engine.wire.codec import encode
from engine.wire.group import (
    GroupMessage,
    GroupNews,
    GroupOffer,
    GroupState,
    GroupStatement,
    GroupWant,
    SignedStatement,
    Version,
)
from tests.support.wire_messages import messages

FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NUMBERS = st.one_of(st.integers(0, 3), st.integers(0, 0xFFFF_FFFF))


def group() -> tuple[GossipNetwork, GroupMachine]:
    net = GossipNetwork(3, seed=1)
    for name in net.ids:
        net.insert(name, net.prompt(12))
    net.run(6)
    return net, net.machine(net.ids[0])


@st.composite
def sent(draw: st.DrawFn, net: GossipNetwork) -> GroupMessage:
    """A valid message with hostile content, about members that exist and others; statements are signed by the liar."""
    liar = net.ids[1]
    authors = [*net.ids, bytes(20)]
    match draw(st.integers(0, 3)):
        case 0:
            said = draw(messages(GroupStatement))
            assert isinstance(said, GroupStatement)
            if draw(st.booleans()):
                said = GroupStatement(
                    incarnation=int(WALL * 1000) + draw(st.integers(-1, 2)),
                    sequence=draw(st.integers(1, 200)),
                    based_on=draw(st.integers(0, 200)),
                    made=WALL + net.now + draw(st.floats(-400, 400)),
                    load=said.load,
                    accepts=said.accepts,
                    leaving=draw(st.integers(0, 5)) == 0,
                    state=said.state,
                    added=draw(st.integers(0, 50)).to_bytes(2, "big") + draw(st.binary(min_size=8, max_size=8)),
                    removed=draw(st.sampled_from([b"", b"x", bytes(10)])),
                )
            signed = make_statement(net.members[liar].identity, NETWORK, MODEL, said).signed
            author = draw(st.sampled_from([liar, liar, liar, *authors]))
            record = draw(st.one_of(st.just(signed.record), st.binary(max_size=40)))
            return GroupNews(MODEL, (SignedStatement(author, record, signed.signature),))
        case 1 | 2 as kind:
            names = st.sampled_from([one[:8] for one in authors])
            versions: list[Version] = draw(st.lists(st.tuples(names, NUMBERS, NUMBERS), min_size=1, max_size=9))
            return GroupOffer(MODEL, tuple(versions)) if kind == 1 else GroupWant(MODEL, tuple(versions))
        case _:
            chunks = draw(st.one_of(st.binary(max_size=30), st.just(b"\0\x01" + bytes(8))))
            pieces = draw(st.integers(1, 3))
            author = draw(st.sampled_from(authors))
            return GroupState(MODEL, author, draw(NUMBERS), draw(NUMBERS), draw(st.integers(0, 4)), pieces, chunks)


@FUZZ
@given(data=st.data())
def test_a_hostile_neighbour(data: st.DataObject) -> None:
    net, machine = group()
    liar, honest = net.ids[1:]
    before = machine.tree.chunks(honest)
    assert before
    for _ in range(data.draw(st.integers(1, 12))):
        now = net.now + data.draw(st.sampled_from([0.0, 0.1, 1.0]))
        net.now = now
        message = data.draw(sent(net))
        for tell in machine.receive(liar, message, now, WALL + now):
            assert tell.peer == liar
            assert len(encode(tell.message)) <= 65_536
        machine.tick(now, WALL + now)
        machine.tree.check_integrity()
        machine.heard(now)
    assert machine.tree.chunks(honest) == before
    assert machine.next_deadline() < net.now + 10


def test_random_traffic_between_all_settles() -> None:
    source = random.Random(5)
    net = GossipNetwork(6, seed=5, loss=0.2)
    prompts = {name: [net.prompt(source.randrange(1, 20)) for _ in range(4)] for name in net.ids}
    for _ in range(40):
        name = source.choice(net.ids)
        match source.randrange(4):
            case 0:
                net.insert(name, source.choice(prompts[name]))
            case 1:
                prompt = source.choice(prompts[name])
                net.evict(name, prompt, source.randrange(len(prompt)))
            case 2:
                net.restart(name)
            case _:
                net.busy(name)
        net.run(source.random() * 2)
    net.loss = 0.0
    net.run(30)
    assert all(net.is_known_everywhere(name) for name in net.ids)
