"""Tables, curves, and what other programs used."""

from xml.etree import ElementTree

import pytest

from engine.bench import other_programs
from engine.bench.charts import Curve, Panel, draw_bars, draw_panels
from engine.bench.storing import disturbance, store_results, table
from engine.errors import BenchmarkError


def test_table_is_aligned():
    assert table(["a", "long"], [["wide cell", 1]]) == [
        "| a         | long |",
        "| --------- | ---: |",
        "| wide cell | 1    |",
    ]


def test_disturbance_is_named_beyond_the_limit():
    assert disturbance({"other_programs": 0.15}) == []
    assert "40%" in disturbance({"other_programs": 0.4})[1]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BenchmarkError, match="--output"):
        store_results("x", {}, "", "", tmp_path / "file")


def test_other_programs_are_what_is_busy_and_not_ours(monkeypatch):
    busy, own, now = iter([100.0, 103.0]), iter([10.0, 12.0]), iter([0.0, 4.0])
    monkeypatch.setattr(other_programs, "busy_seconds", lambda: next(busy))
    monkeypatch.setattr("engine.bench.other_programs.time.perf_counter", lambda: next(now))
    assert other_programs.OtherPrograms(lambda: next(own)).share() == 0.25


def test_pictures_are_svg_and_scaled():
    bars = ElementTree.fromstring(draw_bars("A < B", [("one", {"x": 1.0, "y": 2.0})], "below", "ms"))
    widths = [float(one.get("width")) for one in bars.iter() if one.tag.endswith("rect") and one.get("height") == "13"]
    assert widths[1] == 2 * widths[0]
    curve = Curve("falls", [(0.0, 1.0), (0.5, 0.0), (1.0, float("nan"))], dashed=True)
    plot = ElementTree.fromstring(draw_panels("t", [Panel("p", "x", [curve])], "below"))
    points = next(one.get("points") for one in plot.iter() if one.tag.endswith("polyline")).split()
    (left, top), (right, bottom) = ([float(value) for value in point.split(",")] for point in points)
    assert left < right
    assert top < bottom
