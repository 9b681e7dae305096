"""Whole networks in simulated time: answers arrive while relays die without a word."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.simulation.churn import ChurnRun, simulate
from engine.simulation.churn_report import ChurnPlan, as_text
from engine.simulation.network import SimulatedNetwork
from engine.simulation.node import Pace
from engine.transport.heartbeat import SILENCE_LIMIT
from engine.transport.memory_routers import Router

pytestmark = pytest.mark.timeout(300)


def test_the_mesh_loses_no_answer_when_a_tenth_of_it_dies_each_minute() -> None:
    result = simulate(ChurnPlan(relays=60, answers=80, per_minute=0.1, seed=11))
    assert result.misses == [], as_text(result)
    assert (result.asked, result.complete) == (80, 80)
    assert result.deaths > 3
    assert result.disturbed > 5  # else nothing was shown


def test_rings_lose_no_answer_when_a_tenth_of_them_dies_each_minute() -> None:
    """More relays than a mesh has, behind routers of all kinds: they are linked along rings, which are remade all the
    time, many links through a TURN server."""
    routers = tuple(router.value for router in Router)
    run = ChurnRun(ChurnPlan(relays=200, answers=40, per_minute=0.1, seed=21, routers=routers))
    result = run.run()
    assert not run.network.graph().is_mesh
    assert result.misses == [], as_text(result)
    assert (result.asked, result.complete) == (40, 40)
    assert result.deaths > 10
    assert result.disturbed > 3
    ways = [relay.endpoint.is_relayed(peer) for relay in run.network.relays.values() for peer in relay.endpoint.links()]
    assert 0.3 < sum(map(bool, ways)) / len(ways) < 0.9


def test_no_answer_is_lost_when_one_relay_in_ten_dies_every_ten_seconds() -> None:
    """Twenty answers in flight, six relays of sixty killed together every ten seconds, and replaced."""
    plan = ChurnPlan(relays=60, answers=60, per_minute=0.6, every=10.0, seed=31, clients=2, chats=10)
    result = simulate(plan)
    assert result.misses == [], as_text(result)
    assert result.complete == 60
    assert result.deaths >= 60
    assert result.disturbed > 40


def test_clients_enter_by_other_relays_when_their_guards_have_died() -> None:
    """After many minutes hardly any of the first guards lives; those that died are listed still."""
    run = ChurnRun(ChurnPlan(relays=60, answers=30, per_minute=0.5, seed=9, seconds=10.0, clients=2, chats=2))
    result = run.run()
    assert result.misses == [], as_text(result)
    for client in run.network.clients:
        there = [guard for guard in client.overlay.guards if guard in run.network.relays]
        assert len(there) >= 4


@pytest.mark.parametrize("position", [1, 2], ids=["middles", "proxies"])
def test_an_answer_that_stops_goes_on_before_the_links_notice_that_two_relays_are_dead(position: int) -> None:
    network = SimulatedNetwork(30, pace=Pace(words=40, interval=0.5), seed=41)
    client = network.add_client()
    assert network.until(client.is_ready, 60.0)
    asked = client.ask(b"chat")
    network.run(5.0)
    for path in asked.paths[:2]:
        network.kill(network.relays[path[position]])
    assert network.until(lambda: asked.ended_at is not None, 40.0)
    assert asked.error is None
    assert asked.ids == list(range(40))
    assert 2.0 < asked.longest_pause < SILENCE_LIMIT - 1.5


def test_who_is_cut_off_at_the_end_of_an_answer_gets_the_rest_of_it_later() -> None:
    """The client has nobody for 22 s, while the model node says its last words."""
    network = SimulatedNetwork(30, pace=Pace(words=40, interval=0.5), seed=43)
    client = network.add_client()
    assert network.until(client.is_ready, 60.0)
    asked = client.ask(b"chat")
    network.run(19.0)
    network.internet.partition([client.node_id])
    network.run(22.0)
    assert len(asked.ids) < 40
    network.internet.heal()
    assert network.until(lambda: asked.ended_at is not None, 40.0)
    assert asked.error is None
    assert asked.ids == list(range(40))


def test_the_same_seed_gives_the_same_run() -> None:
    """In other processes too, where sets have other orders. (Whether an answer is missing is for the other tests.)"""
    program = str(Path(sys.executable).with_name("gentorrent"))
    options = ("--relays=24", "--answers=10", "--clients=2", "--churn-per-minute=0.3", "--seed=5", "--json")
    runs = [
        subprocess.run(
            [program, "simulate", "churn", *options],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            timeout=200,
        )
        for hash_seed in ("1", "2")
    ]
    assert {run.returncode for run in runs} <= {0, 1}, runs[0].stderr
    assert runs[0].stdout == runs[1].stdout
    assert json.loads(runs[0].stdout)["deaths"] > 0


def test_a_miss_is_explained_by_the_deaths_on_its_paths() -> None:
    """All relays die at once: no answer can be complete, and each says which relays its paths lost."""
    plan = ChurnPlan(relays=16, answers=4, per_minute=0.0, seed=3, clients=1, chats=4)
    run = ChurnRun(plan)

    def die_when_all_answers_run() -> None:
        if len(run._waiting) < 4 or any(waiting.asked is None or not waiting.asked.ids for waiting in run._waiting):
            run.network.scheduler.call_later(0.1, die_when_all_answers_run)
            return
        for relay in list(run.network.relays.values()):
            run._died(relay)
            run.network.kill(relay)

    die_when_all_answers_run()
    result = run.run()
    assert result.complete == 0
    assert len(result.misses) == 4
    for miss in result.misses:
        assert 0 < miss.tokens < 40
        assert len(miss.deaths) == 12
        assert miss.paths[-1].startswith("last problem:")
    text = as_text(result)
    assert "0 of 4 answers" in text
    assert "guard of path 0" in text
