"""Batches of receipts in the server's database: as many as anybody can still have a use for, and never more than so
many.

Old epochs go as a whole, one with each batch that comes, in the same transaction. Up to which epoch they are gone is
written down with it: a batch of an epoch that was forgotten is never taken for a new one, whatever the clock says.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from engine.bootstrap.store import Store
from engine.bootstrap.tables import BatchRow, ForgottenRow
from engine.errors import StorageError
from engine.wire.codec import encode
from engine.wire.receipts import ReceiptBatch
from engine.wire.signed import SignedRecord

MAX_BATCHES = 8_000_000
"""Those of 20,000 nodes in 400 epochs: 2.5 GB on the disk, 305 bytes each."""
READ_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch as its node signed it, and since when it is here (seconds since 1970)."""

    signed: SignedRecord
    stored: int


class NotKept(enum.Enum):
    """Why a batch was not taken."""

    FORGOTTEN = "its epoch was forgotten"
    FULL = "there is no room for it"


class BatchStore:
    """Reads and writes through an open :class:`Store`; every call may raise ``StorageError``."""

    def __init__(self, store: Store, at_most: int = MAX_BATCHES) -> None:
        self._store = store
        self._at_most = at_most
        self._rows: int | None = None  # None: to be counted

    async def add(
        self, batch: ReceiptBatch, signed: SignedRecord, stored: int, *, needed: int, wanted: int
    ) -> StoredBatch | NotKept:
        """Keep a batch, unless there is one of its node and epoch: the one that is kept.

        Epochs before ``wanted`` go; where there is no room for all of those behind it, the oldest of these as well, but
        none from ``needed`` on.
        """

        def write(connection: Connection) -> StoredBatch | NotKept:
            rows = _count(connection) if self._rows is None else self._rows
            self._rows = None  # until this is through
            rows = self._forget(connection, rows, needed, wanted)
            found = self._add(connection, batch, signed, stored, rows)
            self._rows = rows + (isinstance(found, StoredBatch) and found.signed is signed)
            return found

        try:
            return await self._store.transact(write)
        except StorageError:
            self._rows = None
            raise

    def _add(
        self, connection: Connection, batch: ReceiptBatch, signed: SignedRecord, stored: int, rows: int
    ) -> StoredBatch | NotKept:
        query = select(BatchRow.__table__).where(BatchRow.key == batch.node_key, BatchRow.epoch == batch.epoch)
        row = connection.execute(query).one_or_none()
        if row is not None:
            return StoredBatch(_signed(row), row.stored)
        if batch.epoch < _forgotten_before(connection):
            return NotKept.FORGOTTEN
        if rows >= self._at_most:
            return NotKept.FULL
        values = {"key": batch.node_key, "epoch": batch.epoch, "record": signed.record}
        connection.execute(insert(BatchRow).values(signature=signed.signature, stored=stored, **values))
        return StoredBatch(signed, stored)

    def _forget(self, connection: Connection, rows: int, needed: int, wanted: int) -> int:
        """The oldest epoch, if it is time; more while there is no room. How many batches are left."""
        while True:
            oldest = connection.execute(select(func.min(BatchRow.epoch))).scalar_one_or_none()
            if oldest is None or oldest >= (needed if rows >= self._at_most else min(wanted, needed)):
                return rows
            rows -= connection.execute(delete(BatchRow).where(BatchRow.epoch == oldest)).rowcount
            before = max(oldest + 1, _forgotten_before(connection))
            connection.execute(delete(ForgottenRow))
            connection.execute(insert(ForgottenRow).values(before=before))
            if rows < self._at_most:
                return rows

    async def batch(self, key: bytes, epoch: int) -> bytes | None:
        """The encoded ``ReceiptBatch`` of a node's key and an epoch."""
        query = select(BatchRow.record).where(BatchRow.key == key, BatchRow.epoch == epoch)
        return await self._store.transact(lambda connection: connection.execute(query).scalar_one_or_none())

    async def of_epoch(self, epoch: int) -> list[bytes]:
        """All of an epoch, encoded, in the order of their nodes' keys."""
        query = select(BatchRow.__table__).where(BatchRow.epoch == epoch).order_by(BatchRow.key).limit(READ_AT_ONCE)
        return await self._store.transact(
            lambda connection: [encode(_signed(row)) for row in connection.execute(query)]
        )


def _count(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(BatchRow)).scalar_one())


def _forgotten_before(connection: Connection) -> int:
    found = connection.execute(select(func.max(ForgottenRow.before))).scalar_one_or_none()
    return -1 if found is None else int(found)


def _signed(row: Any) -> SignedRecord:
    return SignedRecord(record=row.record, key=row.key, signature=row.signature)
