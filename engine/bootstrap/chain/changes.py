"""Changes of the committee that its members' owners want: kept until enough of them want the same one."""

from __future__ import annotations

from collections.abc import Callable

from engine.bootstrap.chain.answers import ChainAnswer
from engine.bootstrap.chain.store import ChainStore
from engine.clock import Clock
from engine.errors import VerificationError
from engine.verification.chain.claims import changed_members, open_change
from engine.verification.chain.state import ChainState
from engine.verification.epochs import epoch_at
from engine.wire.blocks import ChainRecords
from engine.wire.codec import encode
from engine.wire.signed import signed_record_decoder


class Changes:
    """``state``: what the chain has led to."""

    def __init__(self, store: ChainStore, state: Callable[[], ChainState], clock: Clock) -> None:
        self._store = store
        self._state = state
        self._clock = clock

    async def take(self, body: bytes) -> ChainAnswer:
        """What a present member's owner wants now; it takes the place of what it wanted before."""
        signed = signed_record_decoder.decode(body)
        state = self._state()
        _, change = open_change(signed, state, epoch_at(state.genesis, self._clock.wall()))
        if change.add or change.remove:
            changed_members(state.members, change)
        if not await self._store.add_change(signed, change.issued):
            raise VerificationError("This member has said something newer.")
        return ChainAnswer.says(200, "Kept.")

    async def read(self) -> ChainAnswer:
        """All that is wanted."""
        return ChainAnswer(200, encode(ChainRecords(records=tuple(await self._store.changes()))))
