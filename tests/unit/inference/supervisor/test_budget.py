"""How much memory caches may take: chosen from what is free, or by the owner, never less than one conversation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigurationError
from engine.inference.models.folder import read_model_folder
from engine.inference.supervisor.budget import (
    LARGEST_ON_PROCESSOR,
    SMALLEST_BUDGET,
    UNKNOWN,
    Budget,
    default_budget,
    smallest_budget,
)
from engine.inference.supervisor.devices import PROCESSOR, Device
from tests.support.tiny_model import make_tiny_model

GPU = Device("cuda", "NVIDIA", "GPU-1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return read_model_folder("tiny", make_tiny_model(tmp_path_factory.mktemp("model") / "m"))


@given(free=st.integers(0, 1 << 40), models=st.integers(0, 1 << 38), gpu=st.booleans())
def test_the_default_leaves_room_for_the_models_and_for_others(free, models, gpu):
    chosen = default_budget(free, models, gpu=gpu)
    assert chosen == SMALLEST_BUDGET or chosen + models < free
    assert gpu or chosen <= LARGEST_ON_PROCESSOR


def test_where_nobody_knows_what_is_free_it_is_a_fixed_amount():
    assert default_budget(None, 5, gpu=True) == UNKNOWN


def test_the_owners_choice_counts_and_is_shared_by_the_models(folder):
    budget = Budget(1 << 30, PROCESSOR, lambda _: 100 << 30)
    budget.worker_starts([folder])
    assert budget.share(1) == 1 << 30
    assert budget.share(3) == (1 << 30) // 3
    budget.set(0, [folder])
    budget.worker_starts([folder])
    assert budget.total == LARGEST_ON_PROCESSOR
    gpu = Budget(0, GPU, lambda device: 20 << 30 if device is GPU else 0)
    gpu.worker_starts([folder])
    assert 16 << 30 < gpu.total < 19 << 30


def test_less_than_one_conversation_is_refused_with_what_is_needed(folder):
    budget = Budget(1 << 30, PROCESSOR, lambda _: None)
    needed = smallest_budget(folder)
    assert needed == 256 * 2 * 2 * 2 * 16 * 4  # tokens, key and value, layers, heads, numbers, bytes
    budget.set(needed, [folder])
    with pytest.raises(ConfigurationError, match=rf"needs {2 * needed}.*cache_memory"):
        budget.set(needed, [folder, folder])
    assert budget.total == needed
    with pytest.raises(ConfigurationError, match="-1"):
        budget.set(-1, [])


@given(cap=st.integers(256 << 20, 1 << 40), free=st.integers(0, 1 << 40))
def test_a_cap_holds_for_models_and_caches_together(folder, cap, free):
    budget = Budget(0, GPU, lambda _: free)
    budget.limit(cap, ())
    budget.worker_starts([folder])
    if not budget.refusal([folder]):
        assert smallest_budget(folder) <= budget.total or budget.total == budget._total
        assert budget.total + folder.size <= cap
    budget.limit(None, [folder])
    assert budget.total == default_budget(free, folder.size, gpu=True)


def test_what_does_not_fit_under_a_cap_is_refused_in_words(folder):
    budget = Budget(0, GPU, lambda _: 100 << 30)
    budget.limit(256 << 20, ())
    assert "of NVIDIA 0.3 GB may be used" in budget.refusal([folder])
    budget.limit(1 << 30, ())
    assert budget.refusal([folder]) == ""
    assert budget.refusal([folder] * 10_000)
