"""The server's database: members and the chain of snapshots, in SQLite with a write-ahead log.

All calls run one after the other in one thread of their own; a commit is on the disk when its call returns, so a kill
at any moment loses nothing that was answered for.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import ColumnElement, Connection, create_engine, delete, event, insert, or_, select, update
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from engine.bootstrap.admission import Admission
from engine.bootstrap.registry import Member
from engine.bootstrap.tables import MemberRow, SnapshotRow, StatementRow
from engine.directory.delta import apply_step
from engine.directory.snapshot import ChainPoint
from engine.directory.statements import Statement
from engine.errors import DirectoryError, StorageError, WireError
from engine.ids import NodeId
from engine.wire.codec import encode
from engine.wire.records import DeltaStep, Signed, SignedSnapshot, delta_step_decoder

DATABASE_FILE = "bootstrap.sqlite3"
KEPT_DIGESTS = 10_000
WHOLE_BELOW = 262_144
"""Bytes; a smaller snapshot is always written whole."""
STEPS_AT_MOST = 256
"""Steps behind a whole one: a start has to take them all."""
T = TypeVar("T")


class Store:
    """Open with ``await Store.open(path)``, end with ``close``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bootstrap-database")
        self._engine: Engine = create_engine(f"sqlite:///{path}")
        event.listen(self._engine, "connect", _prepare_connection)
        self._behind: list[int] | None = None  # lengths of the steps behind the last whole snapshot, if one was written

    @classmethod
    async def open(cls, path: Path) -> Store:
        """The database at ``path``, made or migrated to this version's tables; ``StorageError`` if that fails."""
        store = cls(path)
        try:
            await store._run(store._migrate)
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Wait for what is being written and close."""
        self._executor.submit(self._engine.dispose)
        self._executor.shutdown(wait=True)

    async def load(self) -> tuple[list[Member], ChainPoint, SignedSnapshot | None]:
        """All members, where the chain stands, and the last snapshot (None before the first)."""
        return await self._run(self._load)

    async def save_member(self, member: Member) -> None:
        """Insert or replace one member."""
        row = _member_row(member)
        await self._run(lambda: self._write(lambda connection: _replace_members(connection, [row])))

    async def save_statement(self, statement: Statement, heir: Member | None, accepted: int) -> None:
        """Keep a revocation or succession; the member that it ends goes, its heir's standing is written."""
        signed = statement.signed
        row = {
            "node_id": statement.node_id,
            "record": signed.record,
            "key": signed.key,
            "signature": signed.signature,
            "accepted": accepted,
        }

        def write(connection: Connection) -> None:
            connection.execute(delete(StatementRow).where(StatementRow.node_id == statement.node_id))  # saved again
            connection.execute(insert(StatementRow), [row])
            connection.execute(delete(MemberRow).where(MemberRow.node_id == statement.node_id))
            if heir is not None:
                _replace_members(connection, [_member_row(heir)])

        await self._run(lambda: self._write(write))

    async def load_statements(self) -> list[tuple[Signed, int]]:
        """All revocations and successions with the time at which each was accepted."""
        return await self._run(self._load_statements)

    def _load_statements(self) -> list[tuple[Signed, int]]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(StatementRow.__table__)).all()
        return [(Signed(record=row.record, key=row.key, signature=row.signature), row.accepted) for row in rows]

    async def save_snapshot(
        self, signed: SignedSnapshot, point: ChainPoint, forget: Iterable[NodeId], step: DeltaStep | None = None
    ) -> None:
        """Append a snapshot in one transaction; of a large one only the ``step`` from the one saved before, now and
        then the whole. What the server attests of members is written when they publish, which is twice in the life of
        each descriptor."""
        gone = list(forget)
        change = None if step is None else encode(step)
        behind, self._behind = self._behind, None  # what is written next is whole unless this succeeds
        most = len(signed.record) // 2
        is_small = len(signed.record) < WHOLE_BELOW
        if change is not None and (
            behind is None or is_small or len(behind) >= STEPS_AT_MOST or sum(behind) + len(change) > most
        ):
            change = None

        def write(connection: Connection) -> None:
            if change is None:
                connection.execute(update(SnapshotRow).where(_holds_bytes()).values(record=None, step=None))
            connection.execute(delete(SnapshotRow).where(SnapshotRow.epoch <= point.epoch - KEPT_DIGESTS))
            connection.execute(
                insert(SnapshotRow).values(
                    epoch=point.epoch,
                    digest=point.digest,
                    issued=point.issued,
                    record=signed.record if change is None else None,
                    key=signed.key,
                    signature=signed.signature,
                    step=change,
                )
            )
            for name in gone:
                connection.execute(delete(MemberRow).where(MemberRow.node_id == name))

        await self._run(lambda: self._write(write))
        self._behind = [] if change is None or behind is None else [*behind, len(change)]

    async def transact(self, action: Callable[[Connection], T]) -> T:
        """Run ``action`` in one transaction."""

        def begin() -> T:
            with self._engine.begin() as connection:
                return action(connection)

        return await self._run(begin)

    async def _run(self, action: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, action)
        except CommandError as error:
            raise StorageError(
                f"The tables of {self._path} are not those of this version ({error}). Nothing was changed. Start the"
                " version that wrote it, or a newer one."
            ) from error
        except DatabaseError as error:
            reason = "the disk is full" if "full" in str(error.orig) else str(error.orig)
            raise StorageError(
                f"The database {self._path} refused ({reason}). Nothing was changed. Free some disk space or restore"
                " the file from a backup."
            ) from error
        except SQLAlchemyError as error:
            raise StorageError(f"The database {self._path} failed: {error}.") from error

    def _write(self, action: Callable[[Connection], None]) -> None:
        with self._engine.begin() as connection:
            action(connection)

    def _migrate(self) -> None:
        configuration = Config()
        configuration.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        configuration.set_main_option("path_separator", "os")
        with self._engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # the operator's commands may open it at the same moment
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")

    def _load(self) -> tuple[list[Member], ChainPoint, SignedSnapshot | None]:
        with self._engine.connect() as connection:
            members = [_member(row) for row in connection.execute(select(MemberRow.__table__))]
            last = connection.execute(
                select(SnapshotRow.__table__).order_by(SnapshotRow.epoch.desc()).limit(1)
            ).one_or_none()
            if last is None:
                return members, ChainPoint(), None
            kept = connection.execute(
                select(SnapshotRow.__table__).where(_holds_bytes()).order_by(SnapshotRow.epoch)
            ).all()
        try:
            record = kept[0].record
            for row in kept[1:]:
                record = apply_step(delta_step_decoder.decode(row.step), record)
            if hashlib.sha256(record).digest() != last.digest:
                raise DirectoryError("it is not the last one")
        except (DirectoryError, WireError, IndexError, TypeError) as error:
            raise StorageError(
                f"The last directory in {self._path} is damaged. Restore the file from a backup that is as new as what"
                " nodes have seen."
            ) from error
        signed = SignedSnapshot(record=record, key=last.key, signature=last.signature)
        return members, ChainPoint(last.epoch, last.digest, last.issued), signed


def _holds_bytes() -> ColumnElement[bool]:
    return or_(SnapshotRow.record.is_not(None), SnapshotRow.step.is_not(None))


def _prepare_connection(connection: Any, _record: Any) -> None:
    """A write-ahead log, flushed at every commit."""
    cursor = connection.cursor()
    for pragma in ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _replace_members(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Delete and insert: plain SQL that every database speaks."""
    for start in range(0, len(rows), 500):
        part = rows[start : start + 500]
        names = [row["node_id"] for row in part]
        connection.execute(delete(MemberRow).where(MemberRow.node_id.in_(names)))
        connection.execute(insert(MemberRow), part)


def _member_row(member: Member) -> dict[str, Any]:
    return {
        "node_id": member.node_id,
        "record": member.signed.record,
        "key": member.signed.key,
        "signature": member.signed.signature,
        "issued": member.issued,
        "expires": member.expires,
        "prefix": member.prefix,
        "first_seen": member.first_seen,
        "last_seen": member.last_seen,
        "hours": member.hours.to_bytes(21, "big"),
        "hour": member.hour,
        "withdrawn": member.withdrawn,
        "admission": member.admission.number,
        "absence": member.admission.absence,
    }


def _member(row: Any) -> Member:
    return Member(
        node_id=NodeId(row.node_id),
        signed=Signed(record=row.record, key=row.key, signature=row.signature),
        issued=row.issued,
        expires=row.expires,
        prefix=row.prefix,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        hours=int.from_bytes(row.hours, "big"),
        hour=row.hour,
        withdrawn=row.withdrawn,
        admission=Admission(row.admission, row.absence),
    )
