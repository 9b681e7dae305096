"""What changed from one snapshot to the next, so that a reader need not fetch all of it again.

A delta says which bytes of the snapshot before stay and which come new; applied, it gives exactly the bytes that the
server signed, or it is refused. It therefore carries no trust of its own, and knows nothing of what a listing holds.
"""

from __future__ import annotations

import hashlib
import itertools
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from engine.errors import DirectoryError, WireError
from engine.wire.codec import Message, encode
from engine.wire.records import (
    MAX_SNAPSHOT,
    DeltaStep,
    DirectoryDelta,
    Signed,
    SignedSnapshot,
    directory_answer_decoder,
    signed_snapshot_decoder,
)

MAXIMUM_STEPS = 256
"""Snapshots that a server looks back; whoever is further behind gets the whole one."""
SHORTEST_COPY = 8
"""Bytes; a shorter run that did not change costs less when it is sent again."""
LONGEST_SMALL_DELTA = 1024 * 1024
"""Bytes of a delta that is always read."""
LISTINGS_FIELD = 6
"""Place of the listings in the array that a snapshot is, the tag counted."""
COMPRESSION_LEVEL = 6


class _Keyed(msgspec.Struct, array_like=True, tag=37):
    """Enough of a listing to know whose it is."""

    descriptor: Signed


_fields_decoder = msgspec.msgpack.Decoder(list[msgspec.Raw])
_keyed_decoder = msgspec.msgpack.Decoder(_Keyed)


# ------------------------------------------------------------------------------------------------------- compression


def compress(message: Message) -> bytes:
    """The zlib stream (RFC 1950) of one encoded message."""
    return zlib.compress(encode(message), COMPRESSION_LEVEL)


def decompress(data: bytes, limit: int) -> bytes:
    """What is in a zlib stream, at most ``limit`` bytes; :class:`WireError` for more, for less than a whole stream and
    for anything else. No more than the limit is ever made, whatever the stream claims."""
    stream = zlib.decompressobj()
    try:
        plain = stream.decompress(data, limit + 1)
    except zlib.error as error:
        raise WireError(f"the compressed answer cannot be read ({error})") from error
    if len(plain) > limit:
        raise WireError(f"the compressed answer holds more than the {limit} bytes allowed")
    if not stream.eof or stream.unused_data:
        raise WireError("the compressed answer is cut short or followed by something else")
    return plain


def read_answer(data: bytes, held: int = 0) -> SignedSnapshot | DirectoryDelta:
    """The server's answer to a question for the directory by somebody who holds a record of ``held`` bytes;
    :class:`WireError` for anything else.

    A delta longer than half of that record (and than ``LONGEST_SMALL_DELTA``) is no help and is not decoded: its runs
    take many times as much memory as they have bytes.
    """
    plain = decompress(data, MAX_SNAPSHOT + 1024)
    if len(plain) > max(LONGEST_SMALL_DELTA, held // 2):
        return signed_snapshot_decoder.decode(plain)
    return directory_answer_decoder.decode(plain)


# ------------------------------------------------------------------------------------------------------------ making


def make_step(old: bytes, new: bytes) -> DeltaStep:
    """How snapshot record ``new`` follows from ``old``; both are records that were signed here or checked before."""
    old_head, old_listings, old_tail = _cut(old)
    new_head, new_listings, new_tail = _cut(new)
    places: dict[bytes, int] = {}
    offset = len(old_head)
    for raw in old_listings:
        places[raw] = offset
        offset += len(raw)
    # Whose a listing is has to be known only for those that are not in both records, which are few.
    changed = {_key_of(raw): (places[raw], raw) for raw in places.keys() - set(new_listings)}
    maker = _Maker()
    maker.difference(0, old_head, new_head)
    for raw in new_listings:
        place = places.get(raw)
        if place is not None:
            maker.copy(place, len(raw))
        else:
            place, before = changed.get(_key_of(raw), (0, b""))
            maker.difference(place, before, raw)
    maker.difference(offset, old_tail, new_tail)
    return maker.finish(old, new)


def _key_of(listing: bytes) -> bytes:
    """The identity key of the node that an encoded listing is of."""
    return _keyed_decoder.decode(listing).descriptor.key


def _cut(record: bytes) -> tuple[bytes, list[bytes], bytes]:
    """The bytes before the listings, each listing, and the bytes behind them."""
    fields = [len(memoryview(raw)) for raw in _fields_decoder.decode(record)]
    begin = len(record) - sum(fields[LISTINGS_FIELD:])
    end = begin + fields[LISTINGS_FIELD]
    view = memoryview(record)
    raws = [bytes(raw) for raw in _fields_decoder.decode(view[begin:end])]
    begin = end - sum(len(raw) for raw in raws)
    return record[:begin], raws, record[end:]


class _Maker:
    """Gathers copies and new bytes; neighbouring ones become one."""

    def __init__(self) -> None:
        self._runs: list[list[int]] = []  # from, length, new bytes behind it
        self._fresh = bytearray()

    def difference(self, place: int, old: bytes, new: bytes) -> None:
        """``new`` comes next, where the old record has ``old`` at ``place``."""
        if old == new:
            self.copy(place, len(old))
        elif len(old) == len(new):
            for same, start, length in _runs(old, new):
                if same:
                    self.copy(place + start, length)
                else:
                    self._add(new[start : start + length])
        else:
            head = _common(old, new)
            tail = _common(old[head:][::-1], new[head:][::-1])
            self.copy(place, head)
            self._add(new[head : len(new) - tail])
            self.copy(place + len(old) - tail, tail)

    def copy(self, start: int, length: int) -> None:
        """So many bytes of the old record come next."""
        if not length:
            return
        if self._runs and not self._runs[-1][2] and self._runs[-1][0] + self._runs[-1][1] == start:
            self._runs[-1][1] += length
        else:
            self._runs.append([start, length, 0])

    def _add(self, data: bytes) -> None:
        if not data:
            return
        if not self._runs:
            self._runs.append([0, 0, 0])
        self._runs[-1][2] += len(data)
        self._fresh += data

    def finish(self, old: bytes, new: bytes) -> DeltaStep:
        runs, position = [], 0
        for start, length, fresh in self._runs:
            if length and start < position:  # somebody's place in the order has changed: send those bytes anew
                return _anew(old, new)
            runs.append((start - position if length else 0, length, fresh))
            position = start + length if length else position
        return DeltaStep(
            base=hashlib.sha256(old).digest(),
            digest=hashlib.sha256(new).digest(),
            runs=tuple(runs),
            fresh=bytes(self._fresh),
        )


def _anew(old: bytes, new: bytes) -> DeltaStep:
    digests = hashlib.sha256(old).digest(), hashlib.sha256(new).digest()
    return DeltaStep(base=digests[0], digest=digests[1], runs=((0, 0, len(new)),), fresh=new)


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many bytes two have in common from their beginnings on."""
    for count, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return count
    return min(len(one), len(other))


def _runs(old: bytes, new: bytes) -> list[tuple[bool, int, int]]:
    """(the same?, start, length) that cover both; what is the same for less than ``SHORTEST_COPY`` counts as new."""
    out: list[tuple[bool, int, int]] = []
    start = 0
    for same, group in itertools.groupby(a == b for a, b in zip(old, new, strict=True)):
        length = sum(1 for _ in group)
        copied = same and length >= SHORTEST_COPY
        if out and out[-1][0] == copied:
            out[-1] = (copied, out[-1][1], out[-1][2] + length)
        else:
            out.append((copied, start, length))
        start += length
    return out


# ---------------------------------------------------------------------------------------------------------- applying


def apply_step(step: DeltaStep, old: bytes) -> bytes:
    """The record that follows ``old``; :class:`DirectoryError` unless it has exactly the digest that it should."""
    length = sum(copied + fresh for _, copied, fresh in step.runs)
    if length > MAX_SNAPSHOT or sum(fresh for _, _, fresh in step.runs) != len(step.fresh):
        raise DirectoryError("The server's change of the directory contradicts itself.")
    view, fresh = memoryview(old), memoryview(step.fresh)
    made, position, taken = bytearray(), 0, 0
    for skipped, copied, added in step.runs:
        position += skipped
        if position + copied > len(old):
            raise DirectoryError("The server's change of the directory does not fit the directory that is here.")
        made += view[position : position + copied]
        made += fresh[taken : taken + added]
        position, taken = position + copied, taken + added
    record = bytes(made)
    if hashlib.sha256(record).digest() != step.digest:
        raise DirectoryError("The server's change of the directory does not give the directory that it names.")
    return record


def apply_delta(delta: DirectoryDelta, base: SignedSnapshot) -> SignedSnapshot:
    """The snapshot that ``delta`` leads to from ``base``, still to be verified like any other; raises
    :class:`DirectoryError`."""
    record = base.record
    digest = hashlib.sha256(record).digest()
    for step in delta.steps:
        if step.base != digest:
            raise DirectoryError("The server's change of the directory is for another directory than the one here.")
        record, digest = apply_step(step, record), step.digest
    return SignedSnapshot(record=record, key=delta.key, signature=delta.signature)


# ----------------------------------------------------------------------------------------------------------- history


@dataclass(frozen=True, slots=True)
class _Kept:
    step: DeltaStep
    length: int


class DirectoryHistory:
    """The newest snapshot and the steps that led to it, as whoever hands them out keeps them.

    Bounded: at most ``MAXIMUM_STEPS`` steps, and all of them together at most half as long as the snapshot itself,
    beyond which a reader is better served with the whole one.
    """

    def __init__(self) -> None:
        self._steps: list[_Kept] = []
        self._answers: dict[bytes, bytes] = {}
        self.newest: SignedSnapshot | None = None
        self.digest = b""

    def append(self, signed: SignedSnapshot, step: DeltaStep | None = None) -> None:
        """``signed`` is the newest from now on; ``step`` is what :func:`make_step` made of it and the one before."""
        if step is None or self.newest is None or step.base != self.digest:
            self._steps.clear()
        else:
            self._steps.append(_Kept(step, len(encode(step))))
        self.newest, self.digest = signed, hashlib.sha256(signed.record).digest()
        while self._steps and (
            len(self._steps) > MAXIMUM_STEPS or sum(kept.length for kept in self._steps) > len(signed.record) // 2
        ):
            del self._steps[0]
        self._answers.clear()

    @property
    def last_step(self) -> DeltaStep | None:
        """How the newest follows from the one before, if that is known."""
        return self._steps[-1].step if self._steps else None

    def known(self) -> Iterable[bytes]:
        """The digests from which there is a delta to the newest."""
        return [kept.step.base for kept in self._steps]

    def answer(self, since: bytes) -> bytes:
        """The compressed answer to somebody who holds the snapshot with digest ``since`` (empty: none): a delta where
        there is one, else the whole snapshot. Takes a moment for a large directory the first time; remembered until
        the next snapshot. May run in a thread."""
        names = [kept.step.base for kept in self._steps]
        start = names.index(since) if since in names else None
        key = since if start is not None else b""
        made = self._answers.get(key)
        if made is None:
            made = compress(self._message(start))
            self._answers[key] = made
        return made

    def _message(self, start: int | None) -> Message:
        if self.newest is None:
            raise DirectoryError("there is no directory yet")
        if start is None:
            return self.newest
        steps = tuple(kept.step for kept in self._steps[start:])
        return DirectoryDelta(steps=steps, key=self.newest.key, signature=self.newest.signature)
