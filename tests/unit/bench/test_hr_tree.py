"""The benchmark of the HR-tree measures what its page says, and tells it in words and a picture."""

import json
from xml.etree import ElementTree

from engine.bench import gossip, hr_tree


def results(monkeypatch):
    monkeypatch.setattr(hr_tree, "describe_machine", lambda: {"processor": "Some & one"})
    monkeypatch.setattr(hr_tree, "QUICK_PATHS", 300)
    monkeypatch.setattr(hr_tree, "_LOOKUPS", 200)
    monkeypatch.setattr(hr_tree, "SIZES", (8, 16, 64, 256))
    monkeypatch.setattr(gossip, "SECONDS", {8: 4.0, 16: 2.0, 64: 1.0})
    return hr_tree.run(quick=True, say=lambda _: None)


def test_keys_table_page_and_picture(monkeypatch, tmp_path):
    found = results(monkeypatch)
    assert set(found["lookup_us"]) == {"median", "p99"}
    assert found["chunks"] <= found["member_chunks"]
    assert found["chunks"] > 300
    assert found["delta"]["full_over_delta"] >= 10
    assert found["false_matches"]["measured_8_bits"] > 0.5
    assert found["false_matches"]["measured_64_bits"] == 0
    assert found["false_matches"]["computed_64_bits"] < 1e-6
    assert [(one["members"], one["busy"]) for one in found["gossip"]] == [
        (8, True),
        (8, False),
        (16, True),
        (16, False),
        (64, True),
        (64, False),
    ]
    for one in found["gossip"]:
        assert one["bytes_per_member_per_s"] == one["statement_bytes"] + one["offer_bytes"] > 0
        assert 0.9 < one["known_share"] <= 1
    busy, quiet = (one["bytes_per_member_per_s"] for one in found["gossip"][:2])
    assert busy > 2 * quiet
    files = hr_tree.store(found, tmp_path)
    assert [file.name for file in files] == ["hr-tree.json", "hr-tree.md", "hr-tree.svg"]
    assert json.loads(files[0].read_bytes())["paths"] == 300
    page = files[1].read_text()
    assert hr_tree.as_text(found) in page
    assert "64 quiet" in page
    ElementTree.fromstring(files[2].read_text())


def test_what_is_copied_is_the_same_number():
    chunk = (5 << 64) + 12345
    assert hr_tree._copied(chunk) == chunk
