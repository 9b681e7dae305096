"""What a verifier must not forget when its process dies: what it has promised to ask, and what members have shown.

An SQLite file with a write-ahead log: what was written is with the operating system when a call returns, so the death
of the process loses none of it, and a write that was cut off never was. It holds a few epochs. The plans in it say what
will be asked; the file is in the data directory, which is its owner's alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import sqlite3
from pathlib import Path
from typing import Any

from engine.errors import StorageError, VerificationError, WireError
from engine.node.checking import Found
from engine.storage.files import PRIVATE_FILE, make_directory
from engine.verification.challenges.plan import EpochPlan, encoded_plan, read_plan
from engine.wire.blocks import CommitteeChange, Proposal, Vote, committee_record_decoder
from engine.wire.challenges import Attestation, Evidence, Scoring, Unanswered
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord

logger = logging.getLogger(__name__)
FILE = "verifier.sqlite3"
VERSION = 3
"""Of the tables and of what stands in them; a file of another one is put aside."""
_TABLES = """
CREATE TABLE IF NOT EXISTS plans (epoch INTEGER PRIMARY KEY, plan BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS turns (
    epoch INTEGER NOT NULL, challenge INTEGER NOT NULL, turn INTEGER NOT NULL,
    evidence BLOB NOT NULL, said TEXT NOT NULL,
    PRIMARY KEY (epoch, challenge, turn)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (
    digest BLOB PRIMARY KEY, epoch INTEGER NOT NULL, turn INTEGER NOT NULL,
    record BLOB NOT NULL, key BLOB NOT NULL, signature BLOB NOT NULL) WITHOUT ROWID;
"""


class VerifierStore:
    """In the committee's folder of one network. A file that cannot be read is put aside and begun anew: what it held
    costs this verifier an epoch, and nobody else anything."""

    def __init__(self, folder: Path) -> None:
        """``StorageError`` where the folder cannot be used."""
        make_directory(folder)
        self._path = folder / FILE
        try:
            self._database = self._open()
        except sqlite3.DatabaseError as error:
            logger.warning(
                "what this verifier had under way cannot be read (%s): it is put aside, and the verifier begins anew",
                error,
            )
            self._put_aside()
            try:
                self._database = self._open()
            except sqlite3.Error as again:
                raise StorageError(f"{self._path} cannot be used ({again}). Move it away and start again.") from again

    def _open(self) -> sqlite3.Connection:
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE))
        database = sqlite3.connect(self._path, timeout=5.0, isolation_level=None)
        try:
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "journal_size_limit=8388608"):
                database.execute(f"PRAGMA {pragma}").close()
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version != VERSION and database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise sqlite3.DatabaseError(f"version {version} of this program has written it, this is {VERSION}")
            database.executescript(f"{_TABLES}PRAGMA user_version = {VERSION};")
            if (found := database.execute("PRAGMA quick_check").fetchone()) != ("ok",):
                raise sqlite3.DatabaseError(f"its pages do not fit together: {found}")
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _put_aside(self) -> None:
        for ending in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                path = self._path.with_name(FILE + ending)
                path.replace(path.with_name(FILE + ending + ".damaged"))

    def close(self) -> None:
        """Nothing is read or written after it."""
        self._database.close()

    # -------------------------------------------------------------------------------------------------------- writing

    def keep_plan(self, plan: EpochPlan) -> None:
        """Before its promise is told. What the disk does not take is lost with the process, and logged."""
        self._write("INSERT OR REPLACE INTO plans VALUES (?, ?)", (plan.epoch, encoded_plan(plan)))

    def keep(self, signed: SignedRecord) -> None:
        """A record that was checked; the same one again changes nothing."""
        record = committee_record_decoder.decode(signed.record)
        if isinstance(record, Proposal | Vote):
            raise ValueError("votes and proposals are not kept here")
        digest = hashlib.sha256(signed.record).digest()
        epoch = record.until if isinstance(record, CommitteeChange) else record.epoch
        turn = 2 if isinstance(record, Attestation | Scoring) else int(isinstance(record, Evidence | Unanswered))
        row = (digest, epoch, turn, signed.record, signed.key, signed.signature)
        self._write("INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?)", row)

    def keep_turn(self, epoch: int, index: int, turn: int, found: Found | None) -> None:
        """A turn of this verifier's challenge is asked (None), or has brought this."""
        evidence, said = (b"", "") if found is None else (encode(found.evidence), found.said)
        self._write("INSERT OR REPLACE INTO turns VALUES (?, ?, ?, ?, ?)", (epoch, index, turn, evidence, said))

    def forget_turn(self, epoch: int, index: int, turn: int) -> None:
        """It was not asked after all."""
        self._write("DELETE FROM turns WHERE epoch = ? AND challenge = ? AND turn = ?", (epoch, index, turn))

    def forget(self, before: int) -> None:
        """What is of epochs before this one."""
        for table in ("plans", "records", "turns"):
            self._write(f"DELETE FROM {table} WHERE epoch < ?", (before,))  # noqa: S608 - names from the line above

    def _write(self, statement: str, row: tuple[object, ...]) -> None:
        try:
            self._database.execute(statement, row).close()
        except sqlite3.Error as error:
            logger.warning("what this verifier has under way could not be kept: %s", error)

    # -------------------------------------------------------------------------------------------------------- reading

    def plans(self) -> list[EpochPlan]:
        """Those that can be read."""
        found = []
        for epoch, data in self._read("SELECT epoch, plan FROM plans ORDER BY epoch"):
            try:
                found.append(read_plan(epoch, data))
            except VerificationError as error:
                logger.warning("%s", error)
        return found

    def records(self) -> list[SignedRecord]:
        """In an order in which they can be taken: results behind the duties that they are of, attestations and scorings
        behind the evidence that they are about."""
        found = []
        for record, key, signature in self._read(
            "SELECT record, key, signature FROM records ORDER BY turn, epoch, digest"
        ):
            with contextlib.suppress(WireError):
                committee_record_decoder.decode(record)
                found.append(SignedRecord(record=record, key=key, signature=signature))
        return found

    def turns_of(self, epoch: int, index: int) -> list[Found | None]:
        """The turns of this verifier's challenge that were asked, in their order."""
        found: list[Found | None] = []
        query = "SELECT evidence, said FROM turns WHERE epoch = ? AND challenge = ? ORDER BY turn"
        for evidence, said in self._read(query, (epoch, index)):
            try:
                record = committee_record_decoder.decode(evidence) if evidence else None
            except WireError:
                record = None
            found.append(Found(record, said) if isinstance(record, Evidence) else None)
        return found

    def _read(self, query: str, row: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._database.execute(query, row).fetchall()
        except sqlite3.Error as error:
            logger.warning("what this verifier had under way cannot be read: %s", error)
            return []
