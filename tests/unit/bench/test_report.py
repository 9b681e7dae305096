"""Table, Markdown, picture, JSON: readable, complete, and where they were asked for."""

import json
from xml.etree import ElementTree

import pytest

from engine.bench.report import as_markdown, as_text, store
from engine.errors import BenchmarkError

RESULTS = {
    "machine": {"processor": "A <fast> & good one", "processors": 2, "system": "Linux", "read_gb_per_s": 30.0},
    "versions": {"gentorrent": "1.2.3", "onnxruntime": "1.31.1"},
    "rows": [
        {
            "work": "decode int4",
            "batch": 8,
            "ours": 201.25,
            "ours_newer_onnxruntime": 210.0,
            "bare_loop": 205.0,
            "peers": {"onnxruntime-genai": 193.5, "llama.cpp": 163.0, "transformers": 60.0},
            "ratio_best_onnxruntime": 1.04,
            "ratio_llama_cpp": 1.23,
            "spread": {"ours": [199.0, 203.0]},
            "other_programs": 0.4,
        },
        {
            "work": "prefill 512 fp32",
            "batch": 1,
            "ours": 90.0,
            "peers": {"llama.cpp": 100.0},
            "ratio_best_onnxruntime": None,
            "ratio_llama_cpp": 0.9,
            "spread": {},
        },
    ],
    "cached_prefix_speedup": 12.5,
    "cached_prefix": {"speedup": 12.5, "cold_ms": 2000.0, "cached_ms": 160.0, "tokens": 512, "shared": 480},
    "overhead": {"greedy": 0.012, "top_k_40": 0.02, "full_vocabulary": 0.11},
    "sweep": [
        {
            "engine": "llama.cpp",
            "group": "prefill",
            "precision": "int4",
            "settings": {"threads": 2, "flash_attention": True},
            "tokens_per_s": 163.0,
            "chosen": True,
        }
    ],
    "idle_processor_share_of_waiting_engines": 0.001,
    "model": "qwen2.5-0.5b",
    "quick": False,
}


def test_the_table_says_what_was_found():
    text = as_text(RESULTS)
    assert "| decode int4" in text
    assert "201.2" in text
    assert "1.04" in text
    assert "12.5 times as fast" in text
    assert "top k 40 2.0%" in text
    assert "mean little: decode int4 x8 (40%)." in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(line) for line in lines}) == 1


def test_the_page_has_method_machine_and_sweep():
    page = as_markdown(RESULTS, "picture.svg")
    for part in (
        "](picture.svg)",
        "A <fast> & good one",
        "onnxruntime: 1.31.1",
        "flash_attention True",
        "199.0 to 203.0",
    ):
        assert part in page


def test_everything_is_stored(tmp_path):
    files = store(RESULTS, tmp_path / "new" / "folder")
    assert [file.name for file in files] == ["inference.json", "inference.md", "inference.svg"]
    assert json.loads(files[0].read_text()) == RESULTS
    picture = ElementTree.fromstring(files[2].read_text())
    bars = [one for one in picture.iter() if one.tag.endswith("rect") and len(one)]
    assert len(bars) == 6 + 2
    assert "A <fast> & good one" in "".join(picture.itertext())


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BenchmarkError, match="--output"):
        store(RESULTS, tmp_path / "file")
