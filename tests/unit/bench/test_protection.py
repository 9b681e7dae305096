"""What protection costs: shares with their intervals, doses, and what stands in for sealing and signing."""

from __future__ import annotations

import math
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine.bench.drivers import unsealed
from engine.bench.drivers.unsealed import Protection, compose
from engine.bench.overlay_network import OverlayNetwork
from engine.bench.verification.protection import (
    ALL,
    NEITHER,
    SERVING,
    Amount,
    Bench,
    Dose,
    Pairs,
    Round,
    Side,
    share_of,
)
from engine.crypto.sealing import SealingKey
from engine.crypto.symmetric import Aead
from engine.errors import BenchmarkError, SealError
from engine.node.receipt_chain import ReceiptChain
from engine.node.serving_role import ServingRole, _Transcript
from engine.paths import answer_receiver, answer_sender, forward, outgoing, serving
from engine.paths.cells import LayerCipher, open_layers, peel_forward, seal_layers

ROOT = Path(__file__).resolve().parents[3]


def test_shares_are_of_pairs_and_have_an_interval() -> None:
    found = share_of([1.1, 2.2, 3.3], [1.0, 2.0, 3.0])
    assert found.mean == pytest.approx(0.1)
    assert (found.low, found.high) == pytest.approx((0.1, 0.1))
    wide = share_of([1.2, 1.0], [1.0, 1.0])
    assert wide.low < 0 < wide.mean < wide.high
    assert share_of([1.1], [1.0]).low < -1e9


def test_throughput_is_what_is_lost_of_what_there_would_be() -> None:
    pairs = Pairs(on=Side(speed=[97.0, 194.0]), off=Side(speed=[100.0, 200.0]))
    assert pairs.throughput().mean == pytest.approx(0.03)
    slower = Pairs(on=Side(seconds=[1.03, 1.03]), off=Side(seconds=[1.0, 1.0]))
    assert slower.latency().mean == pytest.approx(0.03)


def test_readings_come_at_their_rate_and_none_is_forgotten() -> None:
    dose = Dose(0.25)
    assert [dose.due(1) for _ in range(9)] == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert Dose(0.0).due(100) == 0


class PretendedParticipant:
    """Takes more processor time while it is protected; ``failing``: how many blocks fail, from the second one on."""

    def __init__(self, slower: float = 0.0, failing: int = 0) -> None:
        self.slower, self.failing, self.on, self.used = slower, failing, True, 0.0
        self.asked = list[dict[str, Any]]()

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        self.asked.append({"do": do} | arguments)
        if do == "protect":
            self.on = arguments["sealing"]
            assert arguments in (ALL, NEITHER)
        why, more = "", 1 + self.slower * self.on
        if do == "ask":
            blocks = sum(one["do"] == "ask" for one in self.asked)
            why = "no path" if 1 < blocks <= 1 + self.failing else ""
        self.used += more  # by whoever asks, all of them equally often
        answers: dict[str, dict[str, Any]] = {
            "ask": {"s": [more] * arguments.get("chats", 0), "took": 2.0 * more, "why": why},
            "processor": {"s": self.used, "children": self.used / 2},
            "score": {"scored": 3},
        }
        return answers.get(do, {})

    def made(self, do: str) -> list[dict[str, Any]]:
        return [one for one in self.asked if one["do"] == do]


AMOUNT = Amount(2, 2, 4, 2, 2, 2, 2, tokens=10)


def bench(client: PretendedParticipant, others: PretendedParticipant) -> Bench:
    network = OverlayNetwork(client, others, others)
    return Bench(network, AMOUNT, 0.1, lambda _: None)


def test_blocks_take_turns_and_find_the_difference_that_is_there() -> None:
    client, others = PretendedParticipant(0.02), PretendedParticipant()
    measuring = bench(client, others)
    paced, saturated = measuring.paced(), measuring.saturated()
    assert paced.latency().mean == pytest.approx(0.02)
    assert saturated.throughput().mean == pytest.approx(0.02 / 1.02)
    assert saturated.processor("client").mean == pytest.approx(0.02)
    assert 0 < saturated.capacity().mean < 0.02, "of all processes"
    assert saturated.capacity(SERVING).mean == pytest.approx(0.0), "the client alone takes more here"
    assert (len(saturated.on.speed), saturated.answers) == (4, 8)
    switched = [one["sealing"] for one in client.made("protect")]
    assert switched == [True, False, False, True] * 3
    assert sum(one["times"] for one in others.made("score")) == 2, "a reading for ten answers, rounded up, of each work"


def test_processor_time_too_short_to_be_seen_has_a_share_all_the_same() -> None:
    pairs = Pairs()
    for side, used in ((pairs.on, 0.01), (pairs.off, 0.0)):
        side.add(Round(100, 1.0, 2.0, {"client": used, "all": 1.0}))
    assert pairs.processor("client").mean == pytest.approx(1.0)


def test_blocks_of_which_an_answer_failed_are_measured_again() -> None:
    client = PretendedParticipant(0.02, failing=3)
    found = bench(client, PretendedParticipant()).saturated()
    assert found.throughput().mean == pytest.approx(0.02 / 1.02)
    assert len(found.on.speed) == len(found.off.speed) == 4
    chats = [one["chats"] for one in client.made("ask")]
    assert chats == [2, 2, 1, 1, 1, *[2] * 8], "to begin with, the failed one, until one alone comes, four pairs"
    assert (found.chats, found.fewest_chats, found.answers) == (2, 2, 8)


def test_where_blocks_fail_again_there_are_fewer_answers_at_once() -> None:
    client = PretendedParticipant(0.02, failing=5)
    measuring = bench(client, PretendedParticipant())
    found = measuring.saturated()
    chats = [one["chats"] for one in client.made("ask")]
    assert chats == [2, 2, 1, 1, 1, 2, 1, *[1] * 8]
    assert measuring.paced().fewest_chats == 1, "nor can it carry more for what comes next"
    assert (found.chats, found.fewest_chats, found.answers) == (2, 1, 4)


def test_a_network_whose_answers_fail_ends_the_measurement() -> None:
    with pytest.raises(BenchmarkError, match=r"Answers failed, 6 times; nothing is compared\. The last: no path"):
        bench(PretendedParticipant(failing=100), PretendedParticipant()).saturated()


def blocks(dice: Random, count: int) -> tuple[list[float], list[float], tuple[list[float], list[float]]]:
    """With and without what takes 2 % more, and the control, on a machine that is slower or faster in each block."""
    sides = []
    for more in (1.02, 1.0):
        pace = [math.exp(dice.gauss(0, 0.1)) for _ in range(count)]
        sides.append([[share * one * math.exp(dice.gauss(0, 0.005)) for one in pace] for share in (more, 0.5)])
    (on, control_on), (off, control_off) = sides
    return on, off, (control_on, control_off)


def test_what_the_control_shows_of_the_machine_is_taken_off() -> None:
    on, off, control = blocks(Random(1), 40)
    alone, controlled = share_of(on, off), share_of(on, off, control)
    assert controlled.mean == pytest.approx(0.02, abs=0.005)
    assert controlled.high - controlled.low < (alone.high - alone.low) / 5
    assert share_of(on, off, ([1.0] * 40, [1.0] * 40)) == alone, "a control that says nothing"
    on, off, control = blocks(Random(1), 3)
    assert share_of(on, off, control) == share_of(on, off), "too few for a line"


def test_intervals_with_a_control_hold_the_truth_as_often_as_they_say() -> None:
    dice = Random(1)
    found = [share_of(*blocks(dice, 14)) for _ in range(200)]
    held = sum(one.low < 0.02 < one.high for one in found)
    assert 178 <= held <= 198, "95 % of 200, give or take"


# ---------------------------------------------------------------------------------------------- without protection


@pytest.fixture
def protection(monkeypatch: pytest.MonkeyPatch) -> Protection:
    """Composed here, and taken out again afterwards."""
    replaced: list[tuple[Any, str]] = [
        *((module, name) for module in unsealed._AEAD_USERS for name in ("aead_seal", "aead_open")),
        *((Aead, name) for name in ("seal", "open")),
        *((module, "seal") for module in (outgoing, forward)),
        (SealingKey, "open"),
        *((LayerCipher, name) for name in ("add", "remove")),
        (_Transcript, "due"),
        (ServingRole, "_sign"),
        (ReceiptChain, "finished"),
    ]
    for where, name in replaced:
        if hasattr(where, name):
            monkeypatch.setattr(where, name, getattr(where, name))
    made = Protection()
    compose(made)
    return made


async def test_sealed_and_unsealed_bytes_have_one_length_and_both_are_read(protection: Protection) -> None:
    key, text = SealingKey.generate(1), b"a question"
    layers = [LayerCipher(bytes([number]) * 32) for number in range(3)]
    headers = [(number, number) for number in range(3)]
    made = []
    for on in (True, False):
        await protection.set(dict.fromkeys(ALL, on))
        sealed = vars(outgoing)["seal"](1, key.public, text, b"info")
        once = vars(answer_sender)["aead_seal"](b"k" * 32, 5, text)
        frame = Aead(b"k" * 32).seal(6, text)
        cell = seal_layers(layers, headers, bytes(32), bytes(1100))
        made.append((sealed, once, frame, cell))
        assert [text in one for one in (sealed, once, frame)] == [not on] * 3
    assert [len(one) for one in made[0]] == [len(one) for one in made[1]]
    for on in (True, False):  # whoever reads may have been switched already
        await protection.set(dict.fromkeys(ALL, on))
        for sealed, once, frame, cell in made:
            assert key.open(sealed, b"info") == text
            assert vars(answer_receiver)["aead_open"](b"k" * 32, 5, once) == text
            assert Aead(b"k" * 32).open(6, frame) == text
            passed = peel_forward(layers[0], cell, 1, 1, bytes(16))
            assert open_layers(layers[1:], headers[1:], passed) == bytes(1100)
    with pytest.raises(SealError):
        vars(serving)["aead_open"](b"other" * 6 + b"xx", 5, made[0][1])
    with pytest.raises(SealError):
        Aead(b"other" * 6 + b"xx").open(6, made[0][2])


def test_no_other_program_can_be_without_protection() -> None:
    users = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "engine").rglob("*.py")
        if re.search(r"\bunsealed\b.*import|import.*\bunsealed\b", path.read_text(encoding="utf-8"))
    ]
    assert users == ["engine/bench/drivers/security.py"]
