"""What protection costs: shares with their intervals, doses, and what stands in for sealing and signing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from engine.bench.drivers import unsealed
from engine.bench.drivers.unsealed import Protection, compose
from engine.bench.overlay_network import OverlayNetwork
from engine.bench.verification.protection import ALL, NEITHER, Amount, Bench, Dose, Pairs, Side, share_of
from engine.crypto.sealing import SealingKey
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
    """Answers at a speed that its protection decides."""

    def __init__(self, clock: Any, slower: float, tokens: int = 1000) -> None:
        self.clock, self.slower, self.tokens_per_s = clock, slower, tokens
        self.on, self.tokens, self.at, self.asked = True, 0.0, 0.0, list[dict[str, Any]]()

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        self.asked.append({"do": do} | arguments)
        speed = self.tokens_per_s * (1 - self.slower * self.on)
        self.tokens += (self.clock.now - self.at) * speed
        self.at = self.clock.now
        if do == "protect":
            self.on = arguments["sealing"]
            assert arguments in ({"sealing": True, "receipts": True, "layers": True}, NEITHER)
        return {
            "counted": {"tokens": int(self.tokens), "answers": 0, "failed": 0, "why": "", "at": self.clock.now},
            "processor": {"s": self.tokens / 1000},
            "ask": {"s": [1.0 + 0.01 * self.on] * 2},
            "score": {"scored": 3},
        }.get(do, {})


class Clock:
    """Time that passes while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("engine.bench.verification.protection.time", made)
    return made


AMOUNT = Amount(2, 2, 1.0, 4, 2, 2, 2, 2, tokens=10)


def test_blocks_take_turns_and_find_the_difference_that_is_there(clock: Clock) -> None:
    client, model, relays = (PretendedParticipant(clock, 0.02) for _ in range(3))
    bench = Bench(OverlayNetwork(client, model, relays), AMOUNT, 0.01, lambda _: None)
    paced, saturated = bench.paced(), bench.saturated(4)
    assert paced.latency().mean == pytest.approx(0.01)
    assert saturated.throughput().mean == pytest.approx(0.02, abs=0.002)
    assert saturated.processor("model node").mean == pytest.approx(0.0, abs=0.01)
    switched = [one["sealing"] for one in relays.asked if one["do"] == "protect"]
    assert switched == [True, False, False, True] * 3
    assert any(one["do"] == "score" and one["times"] > 0 for one in model.asked)


def test_a_network_that_gives_no_token_ends_the_measurement(clock: Clock) -> None:
    silent = PretendedParticipant(clock, 0.0, tokens=0)
    bench = Bench(OverlayNetwork(silent, silent, silent), AMOUNT, 0.0, lambda _: None)
    with pytest.raises(BenchmarkError, match="do not come"):
        bench.saturated(1)
    with pytest.raises(BenchmarkError, match="No token"):
        bench._window(Side())


# ---------------------------------------------------------------------------------------------- without protection


@pytest.fixture
def protection(monkeypatch: pytest.MonkeyPatch) -> Protection:
    """Composed here, and taken out again afterwards."""
    replaced: list[tuple[Any, str]] = [
        *((module, name) for module in unsealed._AEAD_USERS for name in ("aead_seal", "aead_open")),
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
        frame = vars(answer_sender)["aead_seal"](b"k" * 32, 5, text)
        cell = seal_layers(layers, headers, bytes(32), bytes(1100))
        made.append((sealed, frame, cell))
        assert (text in sealed, text in frame) == (not on, not on)
    assert [len(one) for one in made[0]] == [len(one) for one in made[1]]
    for on in (True, False):  # whoever reads may have been switched already
        await protection.set(dict.fromkeys(ALL, on))
        for sealed, frame, cell in made:
            assert key.open(sealed, b"info") == text
            assert vars(answer_receiver)["aead_open"](b"k" * 32, 5, frame) == text
            passed = peel_forward(layers[0], cell, 1, 1, bytes(16))
            assert open_layers(layers[1:], headers[1:], passed) == bytes(1100)
    with pytest.raises(SealError):
        vars(serving)["aead_open"](b"other" * 6 + b"xx", 5, made[0][1])


def test_no_other_program_can_be_without_protection() -> None:
    users = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "engine").rglob("*.py")
        if re.search(r"\bunsealed\b.*import|import.*\bunsealed\b", path.read_text(encoding="utf-8"))
    ]
    assert users == ["engine/bench/drivers/security.py"]
