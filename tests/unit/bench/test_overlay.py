"""What the benchmark of the overlay stores has the published keys, compares within rounds, and reads as a page."""

import json
from xml.etree import ElementTree

import pytest

from engine.bench import overlay
from engine.bench.overlay import Measured, Side
from engine.bench.overlay_network import OverlayNetwork
from engine.errors import BenchmarkError


def measured(factor=1.0):
    """Three rounds; the machine is half as fast in the second one, for both sides."""
    there = Side(first_ms=[30.0, 60.0, 33.0], speed=[29.0 * factor, 14.5 * factor, 29.0 * factor], whole_s=[2.0] * 3)
    here = Side(first_ms=[10.0, 20.0, 12.0], speed=[30.0, 15.0, 29.0], whole_s=[1.9] * 3)
    stages = [(8.0, 14.0, 8.0), (16.0, 28.0, 16.0), (9.0, 15.0, 9.0)]
    return Measured(there, here, stages, wire_per_byte=[900.0, 1100.0, 1000.0], wire_per_token=[4000.0] * 3)


def results():
    found = overlay.assemble(
        {30.0: measured(), 100.0: measured(0.5), None: measured(2)}, measured(), [14.0, 30.0, 16.0]
    )
    return found | {
        "machine": {"processor": "Some & one", "processors": 2},
        "versions": {"gentorrent": "1.2.3"},
        "other_programs": 0.4,
        "idle_bytes_per_s": 30_000,
        "quick": True,
    }


def test_published_keys_are_medians_of_what_was_compared_within_rounds():
    found = results()
    assert found["ratio_paced"] == {"30": 0.9667, "100": 0.4833}
    assert found["ratio_unpaced"] == 1.9333
    assert found["added_ttft_ms_median"] == 21.0
    assert found["wire_bytes_per_answer_byte"] == 1000.0
    assert found["path_setup_ms"] == 16.0
    assert found["added_ttft_ms_spread"] == [20.0, 40.0]
    assert found["stages_ms"] == {"request": 9.0, "engine": 15.0, "answer": 9.0}
    assert found["answers"] == 12


def test_words_page_and_picture(tmp_path):
    found = results()
    words = overlay.as_text(found)
    assert "| paced, 30/s" in words
    assert "21.0 ms, median of 12\n  answers" in words
    assert "0.967 at 30/s, 0.483 at 100/s" in words
    assert "Other programs used 40%" in words
    files = overlay.store(found, tmp_path / "new")
    assert [file.name for file in files] == ["overlay.json", "overlay.md", "overlay.svg"]
    assert json.loads(files[0].read_text()) == found
    assert "bench overlay --quick" in files[1].read_text()
    assert ElementTree.fromstring(files[2].read_text()).tag.endswith("svg")


class PretendedParticipant:
    """Answers as one process of the network does."""

    def __init__(self, text="same", receipt="verified", cached=0):
        self.text, self.receipt, self.cached = text, receipt, cached

    def ask(self, do, **arguments):
        reply = {"asked": 1.0, "first": 1.1, "last": 1.5, "ended": 1.6, "first_tokens": 1, "tokens": 9}
        texts = {"text": self.text, "answer_bytes": 4, "receipt": self.receipt, "cached_tokens": self.cached}
        return {
            "ask": reply | texts,
            "state": {"paths": 4},
            "marks": {"asked": 1.02, "first": 1.08},
            "counters": {"bytes": 0},
        }.get(do, {})


@pytest.mark.parametrize(
    ("client", "why"),
    [
        (PretendedParticipant(text="another"), "different answers"),
        (PretendedParticipant(receipt="failed"), "receipt"),
        (PretendedParticipant(cached=16), "cache"),
    ],
)
def test_what_must_not_be_compared_is_not(client, why):
    network = OverlayNetwork(client, PretendedParticipant(), PretendedParticipant())
    with pytest.raises(BenchmarkError, match=why):
        overlay._Bench(network, lambda _: None).rounds(None, 1, 9)


def test_a_round_gives_speed_and_stages():
    network = OverlayNetwork(*(PretendedParticipant() for _ in range(3)))
    found = overlay._Bench(network, lambda _: None).rounds(30.0, 1, 9)
    assert found.overlay.speed == [pytest.approx(20.0)]
    assert found.direct.first_ms == [pytest.approx(100.0)]
    assert found.stages == [pytest.approx((20.0, 60.0, 20.0))]
