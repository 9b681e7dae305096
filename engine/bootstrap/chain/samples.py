"""Users' samples at the server: of each node the newest one, for the committee alone.

Whoever brings one is answered the same, whether the node was doubted before or not: a node could else ask so, with a
receipt of its own, whether it is.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, delete, func, insert, select, update

from engine.bootstrap.chain.answers import ChainAnswer
from engine.bootstrap.store import Store
from engine.bootstrap.tables import SampleRow
from engine.clock import Clock
from engine.errors import VerificationError
from engine.ids import NodeId
from engine.sentences import say
from engine.verification.chain.state import ChainState
from engine.verification.epochs import epoch_at
from engine.verification.samples import SAMPLE_EPOCHS, Sample, check_sample, check_wanted, read_sample
from engine.wire.blocks import ChainRecords
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord, signed_record_decoder

SHOWN_AT_ONCE = 256
"""Of more than so many a member is shown a new draw each time."""
TAKEN = "Taken: verifiers may check this machine sooner. Nothing else follows from it."


class SampleStore:
    """One row for each node at most; every call may raise ``StorageError``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, sample: Sample, forget: int) -> None:
        """In place of an older one of its node; those of epochs before ``forget`` go."""
        signed = sample.signed
        row = {"epoch": sample.epoch, "key": signed.key, "record": signed.record, "signature": signed.signature}

        def write(connection: Connection) -> None:
            connection.execute(delete(SampleRow).where(SampleRow.epoch < forget))
            known = select(SampleRow.epoch).where(SampleRow.node_id == sample.node_id)
            epoch = connection.execute(known).scalar_one_or_none()
            if epoch is None:
                connection.execute(insert(SampleRow).values(node_id=sample.node_id, **row))
            elif epoch < sample.epoch:
                connection.execute(update(SampleRow).where(SampleRow.node_id == sample.node_id).values(**row))

        await self._store.transact(write)

    async def drawn(self, since: int, at_most: int) -> list[SignedRecord]:
        """So many of epochs from ``since`` on, by lot."""
        query = select(SampleRow.__table__).where(SampleRow.epoch >= since).order_by(func.random()).limit(at_most)

        def read(connection: Connection) -> list[SignedRecord]:
            rows = connection.execute(query)
            return [SignedRecord(record=row.record, key=row.key, signature=row.signature) for row in rows]

        return await self._store.transact(read)


class Samples:
    """``state``: what the chain has led to; ``is_known``: whether a node has published here."""

    def __init__(
        self,
        store: SampleStore,
        state: Callable[[], ChainState],
        is_known: Callable[[NodeId], bool],
        clock: Clock,
    ) -> None:
        self._store = store
        self._state = state
        self._is_known = is_known
        self._clock = clock

    async def take(self, body: bytes) -> ChainAnswer:
        """A receipt that somebody doubts."""
        state = self._state()
        sample = check_sample(read_sample(body), state.genesis, state.network_id, self._clock.wall())
        if not self._is_known(sample.node_id):
            raise VerificationError(say("sample.unknown_machine"))
        await self._store.keep(sample, self._oldest())
        return ChainAnswer.says(200, TAKEN)

    async def show(self, body: bytes) -> ChainAnswer:
        """To a member that has signed that it wants them."""
        state = self._state()
        check_wanted(signed_record_decoder.decode(body), state.members, state.network_id, self._clock.wall())
        found = await self._store.drawn(self._oldest(), SHOWN_AT_ONCE)
        return ChainAnswer(200, encode(ChainRecords(records=tuple(encode(one) for one in found))))

    def _oldest(self) -> int:
        return max(0, epoch_at(self._state().genesis, self._clock.wall()) - SAMPLE_EPOCHS)
