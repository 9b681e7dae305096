"""The chain in the server's database. Rows are added and never changed, but for an opening that arrives; evidence and
what was asked for go again, after some weeks. Batches of receipts are in ``batch_store``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, func, insert, select, update

from engine.bootstrap.store import Store
from engine.bootstrap.tables import (
    BatchRow,
    BlockRow,
    ChangeRow,
    CheckpointRow,
    ContradictionRow,
    EvidenceRow,
    OpeningRow,
)
from engine.ids import NodeId
from engine.verification.chain.claims import OPENING_EPOCHS
from engine.verification.contradictions import Contradicted, encoded
from engine.wire.codec import encode
from engine.wire.receipts import Contradiction
from engine.wire.signed import SignedRecord

LISTED_AT_ONCE = 256
SHOWN_FOR_EACH_OPEN = 2
"""Receipts of a node that are remembered of three epochs, for each that may wait to be shown."""
_WITHOUT_RECEIPT: dict[str, None] = {"record": None, "signature": None}


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """One block of the chain, an encoded ``CertifiedBlock``."""

    height: int
    epoch: int
    digest: bytes
    certified: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """A receipt (its SHA-256) that somebody wanted to see in a batch; ``shown``: its node has. ``signed``: as its node
    signed it, while a block can name it. ``seen``: a batch that the node has signed of the epochs in which it had to
    show it, the first one that is here."""

    receipt: bytes
    node_id: NodeId
    epoch: int
    asked: int
    shown: bool = False
    signed: SignedRecord | None = None
    seen: SignedRecord | None = None


class ChainStore:
    """Reads and writes through an open :class:`Store`; every call may raise ``StorageError``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._forgotten = -1  # epochs of openings before this one

    # --------------------------------------------------------------------------------------------------------- blocks

    async def height(self) -> int:
        """Of the newest block; 0 before the first."""
        query = select(func.coalesce(func.max(BlockRow.height), 0))
        return await self._store.transact(lambda connection: int(connection.execute(query).scalar_one()))

    async def block(self, height: int) -> StoredBlock | None:
        """The block of this height."""
        query = select(BlockRow.__table__).where(BlockRow.height == height)
        return await self._store.transact(lambda connection: _block(connection.execute(query).one_or_none()))

    async def certified(self, first: int, count: int) -> list[bytes]:
        """Encoded blocks from height ``first`` on, at most ``count``."""
        query = (
            select(BlockRow.certified)
            .where(BlockRow.height >= first, BlockRow.height < first + count)
            .order_by(BlockRow.height)
        )
        return await self._store.transact(lambda connection: list(connection.execute(query).scalars()))

    async def append(self, block: StoredBlock, forget: int, at_most: int) -> None:
        """The next block; evidence of epochs before ``forget`` goes, and the oldest while there are more bytes of it
        than ``at_most``."""

        def write(connection: Connection) -> None:
            row = {"height": block.height, "epoch": block.epoch, "digest": block.digest, "certified": block.certified}
            connection.execute(insert(BlockRow).values(row))
            oldest = max(forget, _first_that_fits(connection, at_most))
            connection.execute(delete(EvidenceRow).where(EvidenceRow.epoch < oldest))

        await self._store.transact(write)

    async def checkpoint(self) -> bytes | None:
        """The newest one."""
        query = select(CheckpointRow.checkpoint).order_by(CheckpointRow.height.desc()).limit(1)
        return await self._store.transact(lambda connection: connection.execute(query).scalar_one_or_none())

    async def keep_checkpoint(self, height: int, checkpoint: bytes) -> None:
        """In place of the one before."""

        def write(connection: Connection) -> None:
            connection.execute(delete(CheckpointRow))
            connection.execute(insert(CheckpointRow).values(height=height, checkpoint=checkpoint))

        await self._store.transact(write)

    # ------------------------------------------------------------------------------------------------------- evidence

    async def evidence(self, digest: bytes) -> bytes | None:
        """An encoded ``SignedRecord``."""
        query = select(EvidenceRow.signed).where(EvidenceRow.digest == digest)
        return await self._store.transact(lambda connection: connection.execute(query).scalar_one_or_none())

    async def add_evidence(self, digest: bytes, epoch: int, signed: SignedRecord) -> None:
        """Keep it, unless it is there."""

        def write(connection: Connection) -> None:
            known = select(EvidenceRow.digest).where(EvidenceRow.digest == digest)
            if connection.execute(known).one_or_none() is None:
                row = {"digest": digest, "epoch": epoch, "key": signed.key, "signed": encode(signed)}
                connection.execute(insert(EvidenceRow).values(row))

        await self._store.transact(write)

    # -------------------------------------------------------------------------------------------------- contradictions

    async def add_contradiction(self, found: Contradicted, shown: Contradiction, stored: int, at_most: int) -> None:
        """Keep it, unless it is there or its signer has ``at_most`` of the kind: one is enough."""

        def write(connection: Connection) -> None:
            known = select(ContradictionRow.number).where(ContradictionRow.digest == found.digest)
            if connection.execute(known).one_or_none() is not None:
                return
            same = (ContradictionRow.node_id == found.node_id, ContradictionRow.kind == found.kind)
            if connection.execute(select(func.count()).where(*same)).scalar_one() >= at_most:
                return
            row = {"digest": found.digest, "node_id": found.node_id, "kind": found.kind, "shown": encoded(shown)}
            connection.execute(insert(ContradictionRow).values(stored=stored, **row))

        await self._store.transact(write)

    async def contradictions(self, after: int) -> list[tuple[int, bytes]]:
        """Numbers and encoded records behind ``after``, oldest first, at most ``LISTED_AT_ONCE``."""
        query = (
            select(ContradictionRow.number, ContradictionRow.shown)
            .where(ContradictionRow.number > after)
            .order_by(ContradictionRow.number)
            .limit(LISTED_AT_ONCE)
        )

        def read(connection: Connection) -> list[tuple[int, bytes]]:
            return [(row.number, row.shown) for row in connection.execute(query)]

        return await self._store.transact(read)

    async def contradicted(self, kinds: tuple[str, ...] = ("receipt", "batch")) -> frozenset[NodeId]:
        """The nodes that have contradicted themselves in one of these ways."""
        query = select(ContradictionRow.node_id).where(ContradictionRow.kind.in_(kinds)).distinct()

        def read(connection: Connection) -> frozenset[NodeId]:
            return frozenset(NodeId(name) for name in connection.execute(query).scalars())

        return await self._store.transact(read)

    # ------------------------------------------------------------------------------------------ the committee's changes

    async def add_change(self, signed: SignedRecord, issued: int) -> bool:
        """Keep what a member's owner wants, in place of what it wanted before; False where that is newer."""

        def write(connection: Connection) -> bool:
            known = select(ChangeRow.issued).where(ChangeRow.member == signed.key)
            before = connection.execute(known).scalar_one_or_none()
            if before is not None and before > issued:
                return False
            connection.execute(delete(ChangeRow).where(ChangeRow.member == signed.key))
            connection.execute(insert(ChangeRow).values(member=signed.key, issued=issued, signed=encode(signed)))
            return True

        return await self._store.transact(write)

    async def changes(self) -> list[bytes]:
        """All that are kept, encoded; members of earlier committees among them."""
        query = select(ChangeRow.signed).order_by(ChangeRow.member)
        return await self._store.transact(lambda connection: list(connection.execute(query).scalars()))

    # ------------------------------------------------------------------------------------------------------- openings

    async def ask(self, asked: Asked, at_most: int, forget: int, shorten: int) -> Asked | None:
        """Keep that somebody wants to see a receipt; what is known of it. None where ``at_most`` others of the node are
        open already, or as many more were shown lately. What was asked for before epoch ``forget`` goes, and the
        receipt of what was asked for before ``shorten``, which no block can name any more."""

        def write(connection: Connection) -> Asked | None:
            known = _asked(connection, asked.receipt)
            if known is not None:
                return known
            recent = select(func.count()).where(
                OpeningRow.node_id == asked.node_id, OpeningRow.asked >= asked.asked - 2
            )
            waiting = connection.execute(recent.where(OpeningRow.shown.is_(False))).scalar_one()
            if waiting >= at_most or connection.execute(recent).scalar_one() >= SHOWN_FOR_EACH_OPEN * at_most:
                return None
            row = {"receipt": asked.receipt, "node_id": asked.node_id, "epoch": asked.epoch, "asked": asked.asked}
            row["shown"] = False
            if (signed := asked.signed) is not None:
                row |= {"key": signed.key, "record": signed.record, "signature": signed.signature}
            connection.execute(insert(OpeningRow).values(row))
            if forget > self._forgotten:  # once an epoch
                self._forgotten = forget
                connection.execute(delete(OpeningRow).where(OpeningRow.asked < forget))
                connection.execute(update(OpeningRow).where(OpeningRow.asked < shorten).values(_WITHOUT_RECEIPT))
            return asked

        return await self._store.transact(write)

    async def asked(self, receipt: bytes) -> Asked | None:
        """What is known of a receipt that somebody wanted to see."""
        return await self._store.transact(lambda connection: _asked(connection, receipt))

    async def wanted_of(self, node_id: NodeId, since: int) -> list[Asked]:
        """What a node has not shown yet, asked for in epoch ``since`` or later."""
        query = select(OpeningRow.__table__).where(
            OpeningRow.node_id == node_id, OpeningRow.shown.is_(False), OpeningRow.asked >= since
        )
        return await self._store.transact(lambda connection: [_row(row) for row in connection.execute(query)])

    async def hidden(self, before: int) -> frozenset[NodeId]:
        """The nodes that have not shown what was asked for before this epoch, and were there."""
        query = _while_there(OpeningRow.node_id).where(OpeningRow.shown.is_(False), OpeningRow.asked < before)
        query = query.distinct()

        def read(connection: Connection) -> frozenset[NodeId]:
            return frozenset(NodeId(name) for name in connection.execute(query).scalars())

        return await self._store.transact(read)

    async def missed(self, since: int, before: int, at_most: int) -> list[Asked]:
        """What was asked for in these epochs (``before`` not among them) and not shown by who was there."""
        query = (
            _while_there(OpeningRow.receipt)
            .where(OpeningRow.shown.is_(False), OpeningRow.asked >= since, OpeningRow.asked < before)
            .where(OpeningRow.record.is_not(None))
            .order_by(OpeningRow.asked, OpeningRow.receipt)
            .distinct()
            .limit(at_most)
        )

        def read(connection: Connection) -> list[Asked]:
            found = [_asked(connection, row.receipt) for row in connection.execute(query)]
            return [asked for asked in found if asked is not None]

        return await self._store.transact(read)

    async def opened(self, receipt: bytes) -> None:
        """The node has shown it: that is all that is kept of it."""
        change = update(OpeningRow).where(OpeningRow.receipt == receipt).values(shown=True, **_WITHOUT_RECEIPT)
        await self._store.transact(lambda connection: connection.execute(change))


def _first_that_fits(connection: Connection, at_most: int) -> int:
    """The first of the newest epochs whose evidence has ``at_most`` bytes together."""
    size = func.sum(func.length(EvidenceRow.signed))
    query = select(EvidenceRow.epoch, size).group_by(EvidenceRow.epoch).order_by(EvidenceRow.epoch.desc())
    for epoch, length in connection.execute(query):
        at_most -= length
        if at_most < 0:
            return int(epoch) + 1
    return 0


def _block(row: Any) -> StoredBlock | None:
    return None if row is None else StoredBlock(row.height, row.epoch, row.digest, row.certified)


def _asked(connection: Connection, receipt: bytes) -> Asked | None:
    row = connection.execute(select(OpeningRow.__table__).where(OpeningRow.receipt == receipt)).one_or_none()
    if row is None:
        return None
    batch = _while_there(BatchRow.record, BatchRow.key, BatchRow.signature).where(OpeningRow.receipt == receipt)
    seen = connection.execute(batch.order_by(BatchRow.epoch).limit(1)).one_or_none()
    return replace(_row(row), seen=None if seen is None else _signed(seen))


def _while_there(*columns: Any) -> Select[Any]:
    """Receipts that were asked for, with the batches of their nodes of the epochs in which they had to be shown."""
    in_time = and_(BatchRow.epoch > OpeningRow.asked, BatchRow.epoch <= OpeningRow.asked + OPENING_EPOCHS)
    return select(*columns).join_from(OpeningRow, BatchRow, and_(BatchRow.key == OpeningRow.key, in_time))


def _row(row: Any) -> Asked:
    signed = None if row.record is None else _signed(row)
    return Asked(row.receipt, NodeId(row.node_id), row.epoch, row.asked, row.shown, signed)


def _signed(row: Any) -> SignedRecord:
    return SignedRecord(record=row.record, key=row.key, signature=row.signature)
