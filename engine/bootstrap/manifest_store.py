"""Manifests of published models in the server's database: the newest record of each, and few of each publisher."""

from __future__ import annotations

import enum

from sqlalchemy import Connection, delete, func, insert, select

from engine.bootstrap.store import Store
from engine.bootstrap.tables import ManifestRow
from engine.directory.manifests import DAY_SECONDS, MAX_LIFE_SECONDS, Published, check_replaces, read_record
from engine.wire.codec import encode
from engine.wire.manifests import MAX_SHOWN, ManifestPage
from engine.wire.records import signed_decoder

MAX_MANIFESTS = 3_000
"""Models: at most about 100 MB."""
MAX_OF_PUBLISHER = 32
MAX_OF_SOURCE = 64
"""Of one /24 (IPv4) or /48 (IPv6), whatever the keys."""


class NotTaken(enum.Enum):
    """Why a record was not kept."""

    FULL = "There are too many published models here. Some have to expire first."
    PUBLISHER = f"A publisher can have {MAX_OF_PUBLISHER} models here. Withdraw one; its place is free a year later."
    SOURCE = "Too many models were published from this network already. Publish from another one, or later."


class ManifestStore:
    """Reads and writes through an open :class:`Store`; every call may raise ``StorageError``."""

    def __init__(self, store: Store, at_most: int = MAX_MANIFESTS) -> None:
        self._store = store
        self._at_most = at_most

    async def add(self, published: Published, source: bytes, now: int) -> NotTaken | None:
        """Keep a checked record in the place of the one before it. ``ManifestError`` if that one is newer; a record
        that is here already is fine. ``source`` "": it is not counted where it came from."""

        def write(connection: Connection) -> NotTaken | None:
            connection.execute(delete(ManifestRow).where(ManifestRow.kept_until < now))
            row = connection.execute(
                select(ManifestRow.signed, ManifestRow.source).where(ManifestRow.model_id == published.model_id)
            ).one_or_none()
            if row is None:
                problem = self._no_room(connection, published.fingerprint, source)
                if problem is not None:
                    return problem
            elif not check_replaces(published, read_record(signed_decoder.decode(row.signed))):
                return None
            connection.execute(delete(ManifestRow).where(ManifestRow.model_id == published.model_id))
            connection.execute(
                insert(ManifestRow).values(
                    model_id=published.model_id,
                    fingerprint=published.fingerprint,
                    expires=published.record.expires,
                    # No version that was signed before can hold longer: created is never far in the future.
                    kept_until=now + MAX_LIFE_SECONDS + DAY_SECONDS,
                    source=source if row is None else row.source,
                    signed=encode(published.signed),
                )
            )
            return None

        return await self._store.transact(write)

    def _no_room(self, connection: Connection, fingerprint: str, source: bytes) -> NotTaken | None:
        def count(*conditions: object) -> int:
            query = select(func.count()).select_from(ManifestRow)
            return int(connection.execute(query.where(*conditions)).scalar_one())  # type: ignore[arg-type]

        if count(ManifestRow.fingerprint == fingerprint) >= MAX_OF_PUBLISHER:
            return NotTaken.PUBLISHER
        if source and count(ManifestRow.source == source) >= MAX_OF_SOURCE:
            return NotTaken.SOURCE
        return NotTaken.FULL if count() >= self._at_most else None

    async def page(self, after: int, now: int) -> ManifestPage:
        """Records that came after that number and hold now."""

        def read(connection: Connection) -> ManifestPage:
            newest = int(connection.execute(select(func.max(ManifestRow.number))).scalar_one_or_none() or 0)
            rows = connection.execute(
                select(ManifestRow.number, ManifestRow.signed)
                .where(ManifestRow.number > after, ManifestRow.expires > now)
                .order_by(ManifestRow.number)
                .limit(MAX_SHOWN)
            ).all()
            upto = rows[-1].number if len(rows) == MAX_SHOWN else newest
            return ManifestPage(
                newest=newest, upto=upto, records=tuple(signed_decoder.decode(row.signed) for row in rows)
            )

        return await self._store.transact(read)
