"""Epochs: the periods in which the committee judges and model nodes submit their receipts."""

from __future__ import annotations

import math

from engine.directory import CLOCK_SKEW_SECONDS
from engine.wire.records import Genesis


def epoch_at(genesis: Genesis, wall: float) -> int:
    """The epoch that runs at ``wall`` (seconds since 1970): 0 from the network's creation on, and for all before."""
    return max(0, math.floor((wall - genesis.created) / genesis.parameters.epoch_seconds))


def epoch_begins(genesis: Genesis, epoch: int) -> float:
    """When it begins, in seconds since 1970; the one before ends then."""
    return genesis.created + epoch * genesis.parameters.epoch_seconds


def epoch_tolerance(genesis: Genesis) -> float:
    """Seconds by which the clocks of members may differ about which epoch runs."""
    return min(CLOCK_SKEW_SECONDS, genesis.parameters.epoch_seconds / 40)
