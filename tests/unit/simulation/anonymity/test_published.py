"""The formulas against the published curves, against drawing lots, and at their ends."""

import csv

import numpy as np
import pytest

from engine.simulation.anonymity.published import (
    anonymity,
    confidentiality,
    confidentiality_alone,
    entropies,
    gathered,
)
from engine.simulation.anonymity.run import CURVES


def curve(name):
    with (CURVES / f"planetserve-{name}.csv").open(newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def test_published_anonymity_is_reproduced_to_the_last_digit():
    for row in curve("anonymity"):
        assert anonymity(4, 4, row["f"]) == pytest.approx(row["PlanetServe"], abs=1e-9)
        assert anonymity(4, 4, row["f"], across_paths=True) == pytest.approx(row["Garlic Cast"], abs=1e-9)
        assert anonymity(1, 5, row["f"]) == pytest.approx(row["Onion"], abs=1e-9)


def test_published_confidentiality_is_reproduced_within_its_own_sampling_error():
    for row in curve("confidentiality"):
        for name, length in (("PlanetServe", 4), ("Garlic Cast", 6)):
            expected = confidentiality(4, 3, length, row["f"])
            error = 4 * np.sqrt(expected * (1 - expected) / 50_000) + 1e-6
            assert row[f"{name} (no SNP)"] == pytest.approx(expected, abs=error)
            assert row[f"{name} (SNP)"] == pytest.approx(confidentiality_alone(4, 3, length, row["f"]), abs=1e-6)


def test_deployed_values():
    values = [anonymity(4, 3, f) for f in (0.01, 0.05, 0.1, 0.2, 0.3, 0.5)]
    assert values == pytest.approx([0.9929, 0.9625, 0.9212, 0.8319, 0.7324, 0.4842], abs=5e-5)


@pytest.mark.parametrize("across", [False, True])
def test_ends(across):
    assert anonymity(4, 3, 0.0, across_paths=across) == 1.0
    assert anonymity(4, 3, 1.0, across_paths=across) == 0.0
    assert confidentiality(4, 3, 3, 0.0) == 1.0
    assert confidentiality(4, 3, 3, 1.0) == 0.0
    assert gathered(4, 3, 3, 1.0) == 1.0
    values = [anonymity(4, 3, f, across_paths=across) for f in np.linspace(0, 1, 21)]
    assert values == sorted(values, reverse=True)


def test_conspiring_across_paths_is_worse():
    assert all(anonymity(4, 3, f, across_paths=True) <= anonymity(4, 3, f) for f in (0.01, 0.1, 0.5))


def test_one_node_alone_is_only_defined_where_no_two_can_succeed():
    with pytest.raises(ValueError, match="2 k > n"):
        confidentiality_alone(4, 2, 3, 0.1)


@pytest.mark.parametrize(("f", "n", "length"), [(0.1, 4, 3), (0.3, 2, 4), (0.5, 3, 1)])
def test_formula_against_drawing_lots(f, n, length):
    """Entropies by hand for every drawn set of hostile relays."""
    generator = np.random.default_rng(7)
    trials, nodes = 4_000, 1_000
    found = []
    for _ in range(trials):
        hostile = generator.random((n, length)) < f
        paths = int(hostile.any(axis=1).sum())
        honest = n * length - int(hostile.sum())
        if not paths:
            found.append(np.log2(nodes))
            continue
        suspects = [1 / honest] * paths if honest else [1.0]
        others = max(1, round((1 - f) * nodes) - paths)
        rest = max(0.0, 1 - sum(suspects))
        probabilities = np.array(suspects + [rest / others] * others)
        probabilities = probabilities[probabilities > 0]
        found.append(float(-(probabilities * np.log2(probabilities)).sum()) if honest else 0.0)
    error = 5 * np.std(found) / np.sqrt(trials) / np.log2(nodes)
    assert np.mean(found) / np.log2(nodes) == pytest.approx(anonymity(n, length, f, nodes=nodes), abs=error)


def test_cloves_gathered_against_drawing_lots():
    hostile = np.random.default_rng(3).random((50_000, 4, 3)) < 0.1
    assert (hostile.any(axis=2).sum(axis=1) >= 3).mean() == pytest.approx(gathered(4, 3, 3, 0.1), abs=0.005)


def test_entropy_falls_with_compromised_paths():
    table = entropies(4, 3, 0.1)
    assert (np.diff(table[:, 3]) < 0).all()
    assert table[0, 0] == 1.0
    assert table[1, 12] == 0.0
