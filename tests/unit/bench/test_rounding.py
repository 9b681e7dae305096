"""Rounded weights lie on few levels, near where they were."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bench.verification.rounding import NF4, SCHEMES, Scheme, rounded
from tests.support.counts import examples


def matrix(outputs=6, inputs=100, seed=1):
    return np.random.default_rng(seed).standard_normal((outputs, inputs)).astype(np.float32)


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)
def test_blocks_have_few_levels_and_small_errors(scheme):
    weights = matrix()
    found = rounded(weights, scheme)
    assert found.shape == weights.shape
    assert found.dtype == np.float32
    for row, exact in zip(found, weights, strict=True):
        for begin in range(0, 100, scheme.block):
            block, original = row[begin : begin + scheme.block], exact[begin : begin + scheme.block]
            assert len(np.unique(block)) <= 2**scheme.bits
            assert np.abs(block - original).max() <= np.abs(original).max() * 5 / 2**scheme.bits


@given(st.integers(0, 1000), st.sampled_from(["symmetric", "asymmetric"]), st.sampled_from([16, 32]))
@settings(max_examples=examples(30), deadline=None)
def test_a_fitted_scale_is_never_worse(seed, kind, block):
    weights = matrix(seed=seed)
    fitted, plain = (rounded(weights, Scheme("", kind, 4, block, fitted=one)) for one in (True, False))
    assert np.square(fitted - weights).sum() <= np.square(plain - weights).sum()


def test_what_is_on_the_grid_stays():
    values = np.arange(-7, 8, dtype=np.float32).repeat(3)[None, :32] * np.float32(0.5)
    assert np.array_equal(rounded(values, Scheme("", "symmetric", 4, 32)), values)
    assert np.array_equal(rounded(NF4[None], Scheme("", "nf4", 4, 16)), NF4[None])
    for scheme in SCHEMES.values():
        assert not rounded(np.zeros((2, 40), np.float32), scheme).any()


def test_eight_bits_are_nearer_than_four():
    weights = matrix()
    four, eight = (np.abs(rounded(weights, Scheme("", "symmetric", bits, 32)) - weights).mean() for bits in (4, 8))
    assert eight < four / 10
