"""What the scheduler decides for one step, in the words of those who carry it out. Pure.

Numbers only: ``slot`` is a row of the cache memory in which a running sequence's keys and values lie one after the
other; ``block`` is the number of a piece of cache memory that holds the keys and values of ``BLOCK_TOKENS`` tokens and
that several sequences may be filled from.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.forwarding.digests import BLOCK_TOKENS as BLOCK_TOKENS  # noqa: PLC0414 - a block of the prefix cache


@dataclass(frozen=True, slots=True)
class Move:
    """Copy the first ``length`` tokens of slot ``source`` to slot ``target``; ``source`` is free afterwards."""

    source: int
    target: int
    length: int


@dataclass(frozen=True, slots=True)
class LoadBlocks:
    """Copy ``blocks``, in this order, to the beginning of ``slot``."""

    slot: int
    blocks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StoreBlock:
    """Copy ``BLOCK_TOKENS`` tokens of ``slot``, from ``position`` on, into ``block``."""

    slot: int
    position: int
    block: int


@dataclass(frozen=True, slots=True)
class Row:
    """One sequence's part of a step: feed ``ids`` to ``slot``, whose cache holds ``start`` tokens. ``draw``: after how
    many of the last ids the logits are needed: one where a token is drawn from them, more where an answer is scored."""

    key: int
    slot: int
    start: int
    ids: tuple[int, ...]
    draw: int


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step, carried out in the order of the fields. ``freed`` blocks and slots hold nothing worth keeping any more;
    the same numbers may be used again by what follows. ``capacity`` is the number of tokens that every slot in use must
    have room for."""

    freed_slots: tuple[int, ...]
    freed_blocks: tuple[int, ...]
    capacity: int
    moves: tuple[Move, ...]
    loads: tuple[LoadBlocks, ...]
    rows: tuple[Row, ...]
    stores: tuple[StoreBlock, ...]


@dataclass(frozen=True, slots=True)
class CacheEvent:
    """A change of what the prefix cache holds of *public* prompts. ``path`` is the chain of block digests from the
    first token on: ``path[-1]`` is the block that came or went. ``ids`` are its tokens (empty when it went)."""

    inserted: bool
    path: tuple[bytes, ...]
    ids: tuple[int, ...]
