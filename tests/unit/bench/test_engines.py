"""What is missing is named before anything is measured; drivers answer, fail and end as they should."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.bench.engines import BARE, ENGINES, OURS, Places, check_complete
from engine.bench.processes import DriverProcess
from engine.bench.work import Work
from engine.errors import BenchmarkError
from tests.support.network import gentorrent
from tests.support.tiny_model import make_tiny_model

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def places(tmp_path):
    """Our own Python in the place of the peers', and a tiny model."""
    make_tiny_model(tmp_path / "onnx-int4", context=1024)
    return Places(ROOT, Path(sys.executable), tmp_path)


def test_the_command_without_peers_ends_with_1_and_says_what_to_run(tmp_path):
    result = gentorrent("bench", "inference", "--quick", GENTORRENT_PEERS=str(tmp_path / "nowhere"))
    assert result.returncode == 1
    assert "make bench-setup" in result.stderr
    assert "llama.cpp" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("option", [("--work", "everything"), ("--shape", "huge")])
def test_what_is_not_known_is_named(option):
    result = gentorrent("bench", "inference", *option)
    assert result.returncode == 2
    assert option[1] in result.stderr


def test_a_peer_that_cannot_be_imported_and_a_file_that_is_not_there_are_named(places):
    check_complete(places, [ENGINES[BARE]], ("int4",))
    with pytest.raises(BenchmarkError) as caught:
        check_complete(places, list(ENGINES.values()))
    for part in ("llama_cpp", "onnxruntime_genai", "torch", "q4_0.gguf", "make bench-setup"):
        assert part in str(caught.value)


def test_places_of_a_checkout():
    places = Places.of_checkout("tiny", {"GENTORRENT_PEERS": "/elsewhere"})
    assert str(places.peers_python).startswith("/elsewhere")
    assert places.root == ROOT
    assert places.model(ENGINES[OURS], "int4") == ROOT / ".work" / "bench" / "tiny" / "onnx-int4"


def test_the_bare_loop_measures_and_ends(places, tmp_path):
    process = DriverProcess(ENGINES[BARE], "int4", places, tmp_path / "errors")
    try:
        process.use({"threads": 1, "spinning": False})
        assert process.versions["onnxruntime"]
        decode = process.measure(Work("decode", "int4", 3, 8, 5))
        assert decode["tokens"] == 15
        assert decode["seconds"] > 0
        assert process.measure(Work("prefill", "int4", 1, 64, 0))["tokens"] == 64
        assert process.processor_seconds() > 0
    finally:
        process.close()
    assert process._process.returncode is not None


def test_a_failure_tells_what_the_engine_said(places, tmp_path):
    process = DriverProcess(ENGINES[BARE], "int4", places, tmp_path / "errors")
    try:
        with pytest.raises(BenchmarkError, match="bare loop failed at int4"):
            process.measure(Work("decode", "int4", 1, 8, 5))  # nothing is loaded
    finally:
        process.close()


def test_an_engine_that_dies_is_told(places, tmp_path):
    process = DriverProcess(ENGINES[BARE], "int4", places, tmp_path / "errors")
    process._process.kill()
    try:
        with pytest.raises(BenchmarkError, match="its process ended"):
            process.use({"threads": 1, "spinning": False})
    finally:
        process.close()


def test_a_driver_keeps_what_engines_print_out_of_its_answers(tmp_path):
    program = (
        "from engine.bench.drivers.protocol import serve\n"
        "class Loud:\n"
        "    def load(self, model, settings):\n"
        "        import os; os.write(1, b'noise'); print('noise'); return {'x': '1'}\n"
        "serve(Loud())\n"
    )
    lines = json.dumps({"do": "load", "model": "m", "settings": {}}) + "\n[]\nnot JSON\n"
    result = subprocess.run([sys.executable, "-c", program], input=lines, capture_output=True, text=True, cwd=ROOT)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert answers[0] == {"versions": {"x": "1"}}
    assert "error" in answers[1]
    assert "error" in answers[2]
    assert result.returncode == 0
