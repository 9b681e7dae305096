"""A runner on a GPU that is pretended: the same calls, copies and slots as on a real one, computed in main memory."""

from types import SimpleNamespace

import numpy as np
import onnxruntime
import psutil
import pytest

from engine.errors import InferenceError, ProviderFailedError
from engine.inference.models.folder import read_model_folder
from engine.inference.runtime import runner as module
from engine.inference.runtime import session
from engine.inference.runtime.device_kv_memory import DeviceKvMemory
from engine.inference.runtime.providers import CPU, CUDA
from engine.inference.runtime.runner import Runner, RuntimeSettings
from engine.inference.scheduling.plan import BLOCK_TOKENS, Row
from tests.support.pretended_gpu import PretendedGpu
from tests.support.tiny_model import make_tiny_model

SLOTS = 4
ON_GPU = RuntimeSettings(1, SLOTS, (CUDA, CPU))


@pytest.fixture(scope="module", params=["gqa", "concat"])
def folder(request, tmp_path_factory):
    return read_model_folder(
        "tiny", make_tiny_model(tmp_path_factory.mktemp("model") / request.param, style=request.param)
    )


@pytest.fixture
def pretend(monkeypatch):
    """Sessions for CUDA are pretended, with what is given to the fixture's function."""
    original = session.open_session

    def install(**faults):
        def open_session(folder, model, threads, providers, options):
            assert providers[0][0] == CUDA
            return PretendedGpu(original(folder, model, threads, [CPU], options), **faults)

        class InMainMemory(DeviceKvMemory):
            def __init__(self, shape, slots, device, device_id, providers):
                super().__init__(shape, slots, "cpu", 0, [CPU])
                self.device = device

        monkeypatch.setattr(module, "open_session", open_session)
        monkeypatch.setattr(module, "prepare_device", lambda names: None)
        monkeypatch.setattr(module, "DeviceKvMemory", InMainMemory)

    return install


def feed(runner, slot, start, ids, draw=True):
    return runner.step([Row(1, slot, start, tuple(ids), draw)]).logits.copy()


def story(runner, ids):
    """Feeding, blocks, moves, batches; the logits of all of it."""
    found = [feed(runner, 0, 0, ids)]
    runner.store_block(0, 0, 11)
    runner.store_block(0, BLOCK_TOKENS, 4)
    runner.release_slots([0])
    runner.load_blocks(3, [11, 4])
    found.append(feed(runner, 3, 2 * BLOCK_TOKENS, ids[2 * BLOCK_TOKENS :]))
    runner.move(3, 1, len(ids))
    rows = [Row(1, 1, len(ids), (9,), True), Row(2, 0, 0, ids[:1], True), Row(3, 2, 0, ids[:5], True)]
    found.append(runner.step(rows).logits.copy())
    return np.concatenate(found)


def test_a_gpu_gives_what_the_processor_gives_by_the_same_steps(folder, pretend):
    ids = tuple((7 * place + 3) % 256 for place in range(2 * BLOCK_TOKENS + 9))
    processor = Runner(folder, RuntimeSettings(1, SLOTS))
    expected = story(processor, ids)
    processor.close()
    pretend()
    runner = Runner(folder, ON_GPU)
    assert runner.provider == CUDA
    assert "agree with the processor's" in runner.provider_reason
    assert runner.whole_slots == (folder.path.name == "gqa")
    if runner.whole_slots:
        runner.take_slots(SLOTS, 200)
        with pytest.raises(InferenceError, match="more than the 200"):
            runner.reserve(201)
    np.testing.assert_allclose(story(runner, ids), expected, atol=2e-5)
    runner.close()


def test_a_gpu_with_other_numbers_is_not_used(folder, pretend):
    pretend(wrong=5.0)
    with pytest.raises(ProviderFailedError, match="other numbers than the processor"):
        Runner(folder, ON_GPU)


@pytest.mark.parametrize("runs", [0, 2, 50])
def test_a_gpu_that_fails_is_a_failed_provider(folder, pretend, runs):
    pretend(failure="CUDA failure 2: out of memory ; GPU=0", runs=runs)
    with pytest.raises(ProviderFailedError, match="out of memory"):
        runner = Runner(folder, ON_GPU)
        for start in range(100):
            feed(runner, 0, start, [5])


def test_without_main_memory_for_both_the_comparison_is_left_out_and_that_is_said(folder, pretend, monkeypatch):
    pretend()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=10))
    runner = Runner(folder, ON_GPU)
    assert "not compared" in runner.provider_reason
    runner.close()


@pytest.mark.skipif(
    CUDA not in onnxruntime.get_available_providers(), reason="this build of ONNX Runtime refuses aloud"
)
def test_a_session_that_fell_back_in_silence_is_noticed(folder, monkeypatch):
    """What onnxruntime-gpu does on a machine without a GPU, in earnest."""
    monkeypatch.setattr(module, "prepare_device", lambda names: None)
    with pytest.raises(ProviderFailedError, match="in the place of CUDA"):
        Runner(folder, ON_GPU)
