"""The committee in numbers: how many may lie, how many must agree, who leads a round, what VRF proofs are over."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from engine.ids import NetworkId
from engine.wire.challenges import MAX_KIN

MAX_KIN_OF_ALL = 1024
"""Nodes of their families that all commitments of a block can name: a sixth of its bytes, so that room is left for
answers."""


def faulty(members: int) -> int:
    """f: how many of so many members may lie, be silent or dead."""
    return max(0, (members - 1) // 3)


def quorum(members: int) -> int:
    """How many of so many members decide; any two such sets share an honest one."""
    return 2 * members // 3 + 1


def most_kin(members: int) -> int:
    """How many nodes of its family a commitment can name in a committee of so many members."""
    return min(MAX_KIN, MAX_KIN_OF_ALL // members)


def first_output(network_id: NetworkId) -> bytes:
    """What stands for the VRF output of a certified block before there is one (32 bytes)."""
    return hashlib.sha256(network_id).digest()


def leader_alpha(network_id: NetworkId, epoch: int, round_number: int, output: bytes) -> bytes:
    """What the proof in a block of this epoch and round is over; ``output``: of the newest certified block before."""
    return b"gentorrent/leader/v1" + network_id + _number(epoch) + _number(round_number) + output


def duties_alpha(network_id: NetworkId, epoch: int, output: bytes) -> bytes:
    """What a member's proof of its duties in an epoch is over."""
    return b"gentorrent/duties/v1" + network_id + _number(epoch) + output


def leader_order(members: Sequence[bytes], output: bytes, round_number: int) -> list[bytes]:
    """The members' keys in the order that is drawn for a round."""
    drawn = output + _number(round_number) if round_number else output
    return sorted(members, key=lambda member: hashlib.sha256(drawn + member).digest())


def leader(members: Sequence[bytes], output: bytes, round_number: int) -> bytes:
    """Who leads a round: the first of its order that has led no earlier round of this height. After as many rounds as
    there are members everybody has, and they begin anew."""
    led: list[bytes] = []
    turn, place = divmod(round_number, len(members))
    for number in range(turn * len(members), turn * len(members) + place + 1):
        led.append(next(key for key in leader_order(members, output, number) if key not in led))
    return led[-1]


def _number(value: int) -> bytes:
    return value.to_bytes(8, "big")
