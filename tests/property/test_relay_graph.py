"""The graph of relays is the one that a slow reference computes, however it came about."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.directory.beacons import beacons_per_day
from engine.directory.graph import RelayGraph
from engine.wire.records import Parameters
from tests.support import naive_graph
from tests.support.counts import examples
from tests.support.relay_directories import beacons, by_number, directory, name, relay

PARAMETERS = Parameters(mesh_relays=6, rings=5)
DAY = beacons_per_day(PARAMETERS)
RELAYS = 16

one_relay = st.tuples(st.sampled_from([0, 1, 2, 3, 290, 291, 292]), st.booleans())
networks = st.dictionaries(st.integers(0, RELAYS - 1), one_relay, max_size=RELAYS)
steps = st.lists(st.tuples(networks, st.sampled_from([0, 1, 3, 290, 291, 600])), min_size=1, max_size=4)


@settings(max_examples=examples(60))
@given(steps)
def test_the_graph_is_that_of_the_reference(history):
    graph = RelayGraph(PARAMETERS)
    for network, newest in history:
        known = beacons(newest)
        graph.update(directory((relay(key, one, away=away) for key, (one, away) in network.items()), known))
        relays = {name(key): value for key, value in network.items()}
        for key in range(RELAYS):
            expected = naive_graph.neighbours(
                name(key),
                relays,
                by_number(known),
                per_day=DAY,
                mesh_relays=PARAMETERS.mesh_relays,
                rings=PARAMETERS.rings,
            )
            if name(key) not in relays:
                expected = set()
            assert graph.neighbours(name(key)) == tuple(sorted(expected))


@settings(max_examples=examples(40))
@given(networks, st.sets(st.integers(0, RELAYS - 1), max_size=3))
def test_links_are_mutual_and_taken_although_views_differ(network, unnoticed):
    """Of two relays one sees a few more as away: the other takes its calls."""
    mine, theirs = RelayGraph(PARAMETERS), RelayGraph(PARAMETERS)
    mine.update(directory(relay(key, one, away=away) for key, (one, away) in network.items()))
    theirs.update(directory(relay(key, one, away=away or key in unnoticed) for key, (one, away) in network.items()))
    for key, (_, away) in network.items():
        if away or key in unnoticed:
            continue
        for other in theirs.neighbours(name(key)):
            assert name(key) in theirs.neighbours(other)
            assert mine.is_near(other, name(key)) or len(unnoticed) > 2
