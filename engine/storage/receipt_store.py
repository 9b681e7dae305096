"""What a model node has signed, on its disk until the server has it: the last receipt of each answer, and the batches.

An SQLite file with a write-ahead log. A receipt is with the operating system before :meth:`ReceiptStore.keep` returns,
so the death of the process loses none; :meth:`ReceiptStore.flush` brings it to the disk, which a power failure needs.
What a full disk does not take waits in memory, bounded, for the next write.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import StorageError
from engine.storage.files import make_directory

logger = logging.getLogger(__name__)
VERSION = 1
"""Of the tables; a file of another one is left as it is."""
MAXIMUM_KEPT = 200_000
"""Receipts on the disk, 150 MB; the oldest go first, those that the server has before others."""
MAXIMUM_WAITING = 4_096
"""Receipts in memory while the disk takes none."""
_TABLES = """
CREATE TABLE IF NOT EXISTS receipts (
    place INTEGER PRIMARY KEY AUTOINCREMENT, epoch INTEGER NOT NULL, answer BLOB NOT NULL UNIQUE,
    record BLOB NOT NULL, signature BLOB NOT NULL, tokens INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS receipts_by_epoch ON receipts (epoch, place);
CREATE TABLE IF NOT EXISTS batches (
    epoch INTEGER PRIMARY KEY, salt BLOB NOT NULL, record BLOB NOT NULL, signature BLOB NOT NULL,
    confirmation BLOB, refusal TEXT NOT NULL DEFAULT '');
"""


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """One row: ``answer`` names the execution, whose later receipt takes the place of an earlier one."""

    answer: bytes
    record: bytes
    signature: bytes
    tokens: int


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch that was signed. ``salt`` made its filling; ``confirmation`` is the server's word, empty before."""

    epoch: int
    salt: bytes
    record: bytes
    signature: bytes
    confirmation: bytes = b""


class ReceiptStore:
    """Of one node in one network. Calls may come from any thread."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file; ``StorageError`` if it cannot be used."""
        self._path = path
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, StoredReceipt]] = deque()
        self.problem = ""
        """Why receipts are not on the disk now, for people; empty when all is well."""
        self.lost = 0
        """Receipts that found no place anywhere."""
        make_directory(path.parent)
        try:
            self._database = self._open()
            self._check_version()
            self._database.executescript(f"{_TABLES}PRAGMA user_version = {VERSION};")
            self._sealed = self._closed = self._one("SELECT coalesce(max(epoch), -1) FROM batches")
            self._count = self._one("SELECT count(*) FROM receipts")
        except sqlite3.Error as error:
            raise StorageError(
                f"The receipts in {path} cannot be used ({error}). Move the file away and start again; what it held and"
                " the server has not confirmed is then not counted."
            ) from error

    def _check_version(self) -> None:
        version = self._one("PRAGMA user_version")
        if version != VERSION and self._one("SELECT count(*) FROM sqlite_master"):
            self._database.close()
            raise StorageError(
                f"Another version of this program has written the receipts in {self._path}. Start that version until"
                " the server has confirmed them, or move the file away and start again; what it held and the server has"
                " not confirmed is then not counted."
            )

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=5.0, isolation_level=None, check_same_thread=False)
        # The log is brought to the disk by ``flush`` in a thread of its own, never in the middle of an answer.
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=0", "journal_size_limit=8388608"):
            database.execute(f"PRAGMA {pragma}").close()
        return database

    def close(self) -> None:
        """Try once more to write what waits, and give the file back."""
        with self._lock:
            self._write_waiting()
            self._database.close()

    def keep(self, epoch: int, receipt: StoredReceipt) -> None:
        """Write a receipt down for the batch of ``epoch``, or of the first later one that is not signed yet. It takes
        the place of an earlier receipt of the same answer. Never raises: ``problem`` says what is wrong."""
        with self._lock:
            self._waiting.append((epoch, receipt))
            while len(self._waiting) > MAXIMUM_WAITING:
                self._waiting.popleft()
                self.lost += 1
            self._write_waiting()

    def _write_waiting(self) -> None:
        if not self._waiting:
            return
        try:
            with self._transaction():
                for epoch, receipt in self._waiting:
                    self._insert(max(epoch, self._closed + 1), receipt)
        except sqlite3.Error as error:
            if not self.problem:
                logger.error("receipts cannot be written to %s: %s", self._path, error)
            self.problem = (
                f"Receipts of answers cannot be written to the disk ({error}); {len(self._waiting)} wait in memory."
                " Free some space: what is not on the disk when this program ends is not counted."
            )
            return
        self._waiting.clear()
        self.problem = ""

    def _insert(self, epoch: int, receipt: StoredReceipt) -> None:
        """What is already in a signed batch stays there: an answer counts once."""
        row = (epoch, receipt.answer, receipt.record, receipt.signature, receipt.tokens)
        known = self._database.execute("SELECT epoch FROM receipts WHERE answer = ?", row[1:2]).fetchone()
        if known is not None and known[0] <= self._closed:
            return
        self._database.execute(  # with a new place, as it was signed later
            "INSERT OR REPLACE INTO receipts (epoch, answer, record, signature, tokens) VALUES (?, ?, ?, ?, ?)", row
        )
        self._count += known is None
        if self._count > MAXIMUM_KEPT:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        confirmed = self._database.execute(
            "DELETE FROM receipts WHERE place IN (SELECT place FROM receipts JOIN batches USING (epoch)"
            " WHERE confirmation IS NOT NULL ORDER BY place LIMIT 1000)"
        ).rowcount
        if not confirmed:
            oldest = "DELETE FROM receipts WHERE place IN (SELECT place FROM receipts ORDER BY place LIMIT 1000)"
            self.lost += self._database.execute(oldest).rowcount
        self._count = self._one("SELECT count(*) FROM receipts")

    def seal(
        self,
        epoch: int,
        running: Collection[bytes],
        make: Callable[[int, list[StoredReceipt]], StoredBatch],
    ) -> None:
        """Sign a batch for each epoch up to ``epoch``, which is over, that has receipts and no batch. Answers that are
        still ``running`` move on to the next epoch. ``StorageError`` if the disk refuses; nothing has changed then."""
        with self._lock, self._storage_errors():
            self._write_waiting()
            if self._waiting:
                raise StorageError(self.problem)
            with self._transaction():
                for answer in running:
                    change = "UPDATE receipts SET epoch = ? WHERE answer = ? AND epoch <= ? AND epoch > ?"
                    self._database.execute(change, (epoch + 1, answer, epoch, self._sealed))
            self._closed = max(self._closed, epoch)  # nothing comes to these epochs from now on
            first = self._sealed + 1
        # Answers go on meanwhile: a large batch takes a moment.
        batches = [make(number, self.receipts(number)) for number in self._epochs(first, epoch)]
        with self._lock, self._storage_errors():
            self._store_batches(batches)

    def _epochs(self, first: int, last: int) -> list[int]:
        query = "SELECT DISTINCT epoch FROM receipts WHERE epoch BETWEEN ? AND ? ORDER BY epoch"
        with self._reading() as database:
            return [row[0] for row in database.execute(query, (first, last))]

    def _store_batches(self, batches: list[StoredBatch]) -> None:
        """On the disk before they go out: who has signed a batch and forgotten it would sign another one."""
        self._database.execute("PRAGMA synchronous=FULL").close()
        try:
            with self._transaction():
                for batch in batches:
                    self._database.execute(
                        "INSERT INTO batches (epoch, salt, record, signature) VALUES (?, ?, ?, ?)",
                        (batch.epoch, batch.salt, batch.record, batch.signature),
                    )
        finally:
            self._database.execute("PRAGMA synchronous=NORMAL").close()
        self._sealed = max([self._sealed, *(batch.epoch for batch in batches)])

    def receipts(self, epoch: int) -> list[StoredReceipt]:
        """Those of an epoch, in the order of signing."""
        query = "SELECT answer, record, signature, tokens FROM receipts WHERE epoch = ? ORDER BY place"
        with self._reading() as database:
            return [StoredReceipt(*row) for row in database.execute(query, (epoch,))]

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own, so that receipts can be written down meanwhile."""
        with self._storage_errors(), contextlib.closing(self._open()) as database:
            yield database

    def unconfirmed(self) -> list[StoredBatch]:
        """The batches that the server has not confirmed nor refused, oldest first, at most a hundred."""
        with self._lock, self._storage_errors():
            query = (
                "SELECT epoch, salt, record, signature FROM batches WHERE confirmation IS NULL AND refusal = ''"
                " ORDER BY epoch LIMIT 100"
            )
            return [StoredBatch(*row) for row in self._database.execute(query)]

    def batch(self, epoch: int) -> StoredBatch | None:
        """The batch of an epoch, None if there is none."""
        with self._lock, self._storage_errors():
            query = "SELECT epoch, salt, record, signature, coalesce(confirmation, x'') FROM batches WHERE epoch = ?"
            row = self._database.execute(query, (epoch,)).fetchone()
            return None if row is None else StoredBatch(*row)

    def counts(self) -> tuple[int, int]:
        """Batches that wait for the server, and those that it has confirmed."""
        with self._lock, self._storage_errors():
            waiting = self._one("SELECT count(*) FROM batches WHERE confirmation IS NULL AND refusal = ''")
            return waiting, self._one("SELECT count(*) FROM batches WHERE confirmation IS NOT NULL")

    def confirm(self, epoch: int, confirmation: bytes) -> None:
        """The server has the batch, as it says itself."""
        with self._lock, self._storage_errors(), self._transaction():
            change = "UPDATE batches SET confirmation = ? WHERE epoch = ?"
            self._database.execute(change, (confirmation, epoch))

    def refuse(self, epoch: int, reason: str) -> None:
        """The server will never take the batch."""
        with self._lock, self._storage_errors(), self._transaction():
            self._database.execute("UPDATE batches SET refusal = ? WHERE epoch = ?", (reason, epoch))

    def forget(self, before: int) -> None:
        """Delete what belongs to epochs below ``before`` and is confirmed or refused: nobody asks for it any more."""
        with self._lock, self._storage_errors(), self._transaction():
            over = "SELECT epoch FROM batches WHERE epoch < ? AND (confirmation IS NOT NULL OR refusal <> '')"
            self._database.execute(f"DELETE FROM receipts WHERE epoch IN ({over})", (before,))  # noqa: S608
            # The newest batch stays: it says up to where epochs are signed.
            last = f"DELETE FROM batches WHERE epoch IN ({over}) AND epoch < (SELECT max(epoch) FROM batches)"  # noqa: S608
            self._database.execute(last, (before,))
            self._count = self._one("SELECT count(*) FROM receipts")

    def flush(self) -> None:
        """Bring everything to the disk; it may take as long as the disk takes. ``StorageError``."""
        try:
            with contextlib.closing(self._open()) as database:  # answers go on meanwhile
                database.execute("PRAGMA synchronous=FULL").close()
                database.execute("PRAGMA wal_checkpoint(PASSIVE)").close()
        except sqlite3.Error as error:
            raise StorageError(f"The receipts in {self._path} could not be brought to the disk: {error}.") from error

    def _one(self, query: str) -> int:
        return int(self._database.execute(query).fetchone()[0])

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        finally:
            if self._database.in_transaction:  # a full disk may have ended it already
                self._database.execute("ROLLBACK")

    @contextlib.contextmanager
    def _storage_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StorageError(f"The receipts in {self._path} cannot be used ({error}).") from error
