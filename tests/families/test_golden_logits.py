"""The engine gives PyTorch's logits for every family in both graph styles, however the tokens are fed.

The golden logits are PyTorch's (make check-torch makes them anew); the graphs come from exporters that are not ours.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.inference.models.folder import read_model_folder
from engine.inference.runtime.runner import Runner, RuntimeSettings
from engine.inference.scheduling.plan import Row
from tests.families.export.families import FAMILIES
from tests.families.plain import PlainModel, golden_sequences

HERE = Path(__file__).parent
MODELS = HERE / "models"
LARGEST = 1e-4

every_graph = pytest.mark.parametrize(
    "name", [*(f"{family}-{style}" for family in FAMILIES for style in ("gqa", "concat")), "llama-positions"]
)


def opened(name, slots=1, **choice):
    folder = read_model_folder("m", MODELS / name, lambda _: bytes(32), **choice)
    runner = Runner(folder, RuntimeSettings(threads=1, slots=slots))
    runner.reserve(min(112, folder.context_length))
    return runner


def golden(name):
    return list(golden_sequences(HERE / "golden" / f"{name.rpartition('-')[0]}.npz"))


def pieces(places, chunk):
    """Bounds that end at every place and are at most ``chunk`` tokens apart."""
    start, found = 0, []
    for place in places:
        while start <= place:
            end = min(start + chunk, int(place) + 1)
            found.append((start, end))
            start = end
    return found


def feed(runner, slot, ids, bounds):
    """The logits after the last token of every piece, by that token's place."""
    found = {}
    for start, end in bounds:
        step = runner.step([Row(slot, slot, start, tuple(ids[start:end]), True)])
        found[end - 1] = step.logits[0].copy()
    return found


def difference(found, places, wanted):
    return max(np.abs(found[int(place)] - row).max() for place, row in zip(places, wanted, strict=True))


@every_graph
def test_one_pass(name):
    runner = opened(name)
    for ids, places, wanted in golden(name):
        for place, row in zip(places, wanted, strict=True):
            found = feed(runner, 0, ids, [(0, int(place) + 1)])
            assert np.abs(found[int(place)] - row).max() <= LARGEST


@every_graph
@pytest.mark.parametrize("chunk", [7, 32])
def test_in_chunks(name, chunk):
    runner = opened(name)
    for ids, places, wanted in golden(name):
        assert difference(feed(runner, 0, ids, pieces(places, chunk)), places, wanted) <= LARGEST


@every_graph
def test_token_by_token_after_a_prompt(name):
    runner = opened(name)
    for ids, places, wanted in golden(name):
        # The last four places follow each other: they are fed one at a time on top of the rest.
        prompt = max(1, len(ids) - 4)
        bounds = [(0, prompt), *((place, place + 1) for place in range(prompt, len(ids)))]
        found = feed(runner, 0, ids, bounds)
        kept = [number for number, place in enumerate(places) if int(place) in found]
        assert len(kept) >= min(len(ids), 4)
        assert difference(found, places[kept], wanted[kept]) <= LARGEST


@every_graph
def test_rows_of_different_lengths_together(name):
    """Every sequence in a slot of its own, long pieces of some beside single tokens of others."""
    sequences = golden(name)
    runner = opened(name, slots=len(sequences))
    waiting = {slot: pieces(places, (1, 3, 11, 32)[slot % 4]) for slot, (_, places, _) in enumerate(sequences)}
    found: dict[int, dict[int, Any]] = {slot: {} for slot in waiting}
    while any(waiting.values()):
        rows, ends = [], []
        for slot, bounds in waiting.items():
            if bounds:
                start, end = bounds.pop(0)
                rows.append(Row(slot, slot, start, tuple(sequences[slot][0][start:end]), True))
                ends.append((slot, end - 1))
        logits = runner.step(rows).logits
        for (slot, place), row in zip(ends, logits, strict=True):
            found[slot][place] = row.copy()
    for slot, (_, places, wanted) in enumerate(sequences):
        assert difference(found[slot], places, wanted) <= LARGEST


@every_graph
def test_the_plain_loop_agrees(name):
    """The reference that other tests compare with is itself PyTorch's."""
    folder = read_model_folder("m", MODELS / name, lambda _: bytes(32))
    model = PlainModel(folder.graph, MODELS / name / "config.json")
    for ids, places, wanted in golden(name):
        assert np.abs(model.logits(ids, 16)[places] - wanted).max() <= LARGEST


@pytest.mark.parametrize(
    ("name", "variant", "largest"),
    [
        # The error of the weights' format in units of the logits' own spread, as measured, with room to spare.
        ("qwen2-variants", "fp16", 0.02),
        ("qwen2-variants", "q4", 0.5),
        ("qwen2-variants", "q4f16", 0.5),
        ("qwen2-variants", "bnb4", 0.5),
        ("qwen2-variants", "q8", 0.2),
        ("phi3-nested", "cuda-fp16", 0.02),
        ("phi3-nested", "cpu-int4-rtn-block-32-acc-level-4", 0.5),
    ],
)
def test_other_precisions_are_near(name, variant, largest):
    runner = opened(name, variant=variant)
    for ids, places, wanted in golden(name)[2:]:
        found = feed(runner, 0, ids, [(0, int(places[-1]) + 1)])[int(places[-1])]
        error = np.std(found - wanted[-1]) / np.std(wanted)
        assert 0 < error < largest


def test_a_graph_with_windowed_caches_gives_the_same():
    runner = opened("gemma3-windowed")
    for ids, places, wanted in golden("gemma3-windowed"):
        assert difference(feed(runner, 0, ids, pieces(places, 13)), places, wanted) <= LARGEST


@pytest.mark.parametrize(
    ("name", "variant", "largest"),
    [
        ("qwen2-variants", "q4", 1e-4),
        ("qwen2-variants", "bnb4", 1e-4),
        ("qwen2-variants", "fp16", 0.05),  # rounding of half precision: the order of sums differs with the length
        ("phi3-nested", "cpu-int4-rtn-block-32-acc-level-4", 1e-4),
        ("phi3-nested", "cuda-fp16", 0.05),
    ],
)
def test_what_stands_beside_a_token_changes_nothing(name, variant, largest):
    folder = read_model_folder("m", MODELS / name, lambda _: bytes(32), variant=variant)
    assert folder.exact_rows
    assert chunking_changes(folder, name) <= largest


def test_scales_of_whole_tensors_make_a_token_depend_on_others():
    """Why such a variant is the last choice, and is run one row at a time."""
    folder = read_model_folder("m", MODELS / "qwen2-variants", lambda _: bytes(32), variant="q8")
    assert not folder.exact_rows
    assert chunking_changes(folder, "qwen2-variants") > 0.1


def chunking_changes(folder, name):
    model = PlainModel(folder.graph, next(one for one in folder.files if one.name == "config.json"))
    return max(np.abs(model.logits(ids, len(ids)) - model.logits(ids, 13)).max() for ids, _, _ in golden(name)[2:])
