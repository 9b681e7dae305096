"""Memory, speed and the choice of a variant, for machines of all sizes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.inference.models.model_config import KvLayout
from engine.inference.models.variants import Variant
from engine.library.fit import (
    LOADING,
    PROGRAM,
    SHARE,
    Machine,
    cache_bytes,
    estimate,
    hardware,
    memory_need,
    recommended,
)

KV = KvLayout(layers=28, kv_heads=8, head_dim=128)
FP16 = Variant("fp16", Path("onnx/model_fp16.onnx"), "fp16", 6_430_000_000)
Q4 = Variant("q4", Path("onnx/model_q4.onnx"), "int4", 3_340_000_000)
Q4F16 = Variant("q4f16", Path("onnx/model_q4f16.onnx"), "int4-fp16", 2_370_000_000)
ALL = [FP16, Q4, Q4F16]


def machine(memory=16e9, available=None, gpu=0.0):
    free = int(memory if available is None else available)
    return Machine(int(memory), free, 40e9, "card" if gpu else "", int(gpu), 300e9 if gpu else 0.0)


def test_memory_is_weights_cache_and_program():
    fit = estimate(Q4, KV, 4096, machine(), "processor")
    cache = 2 * 28 * 8 * 128 * 4 * 4096
    assert fit.cache == cache
    assert fit.memory == int(3_340_000_000 * LOADING) + cache + PROGRAM
    assert cache_bytes(KV, "fp16", 4096) == cache // 2
    assert cache_bytes(None, "fp16", 4096) == 0


def test_speed_is_the_memorys():
    fit = estimate(Q4, None, 4096, machine(), "processor")
    assert fit.tokens_per_s == pytest.approx(SHARE * 40e9 / 3_340_000_000)
    assert estimate(Q4, None, 4096, machine(gpu=8e9), "gpu").tokens_per_s == pytest.approx(SHARE * 300e9 / 3.34e9)
    assert estimate(Q4, None, 4096, Machine(1, 1, 0.0), "processor").tokens_per_s == 0


@pytest.mark.parametrize(
    ("memory", "available", "verdict"), [(16e9, 12e9, "fits"), (16e9, 2e9, "tight"), (4e9, 4e9, "does_not_fit")]
)
def test_verdicts(memory, available, verdict):
    assert estimate(Q4, KV, 4096, machine(memory, available), "processor").verdict == verdict


def test_unknown_sizes_are_said():
    fit = estimate(Variant("q4", Path("x.onnx"), "int4", 0), KV, 4096, machine(), "processor")
    assert (fit.verdict, fit.memory) == ("unknown", None)
    assert recommended([], KV, 4096, machine()) is None
    assert memory_need([], KV) == 0


def test_the_recommended_variant():
    best = recommended(ALL, KV, 4096, machine())
    assert best is not None
    assert (best.variant, best.device) == ("q4", "processor")
    best = recommended(ALL, KV, 4096, machine(gpu=24e9))
    assert best is not None
    assert (best.variant, best.device) == ("fp16", "gpu")
    best = recommended(ALL, KV, 4096, machine(gpu=4e9))
    assert best is not None
    assert (best.variant, best.device) == ("q4f16", "gpu")
    best = recommended(ALL, KV, 4096, machine(gpu=2e9))
    assert best is not None
    assert best.device == "processor"


def test_nothing_fits_names_the_smallest():
    best = recommended(ALL, KV, 4096, machine(2e9))
    assert best is not None
    assert (best.variant, best.verdict) == ("q4f16", "does_not_fit")


@given(st.floats(1e9, 1e12), st.integers(1, 1 << 20))
def test_what_is_recommended_fits_if_anything_does(memory, context):
    best = recommended(ALL, KV, context, machine(memory))
    assert best is not None
    some = any(estimate(one, KV, context, machine(memory), "processor").verdict != "does_not_fit" for one in ALL)
    if best.verdict == "does_not_fit":
        room = 0.9 * (memory - PROGRAM)
        assert all(one.size * LOADING + cache_bytes(KV, one.precision, context) > room for one in ALL)
    else:
        assert some


@given(st.floats(1e8, 1e11))
def test_more_need_never_asks_for_less_hardware(need):
    def first(text):
        return int(text.split()[0])

    assert first(hardware(int(need))) <= first(hardware(int(need * 1.5)))
    assert first(hardware(int(need))) * 1e9 * 0.7 >= need * 0.99
