"""This machine in the committee: it agrees with the other members on one block after another.

One :class:`~engine.verification.committee.agreement.Agreement` for each height; this is their driver. What goes into a
block and what makes one valid is its :class:`BlockMaker`'s to say (``engine.node.verifier_role``).
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Protocol

from engine.clock import Clock
from engine.crypto.identity import Identity, node_id_of
from engine.errors import GenTorrentError, StorageError, VerificationError, WireError
from engine.ids import NodeId
from engine.node.committee_store import CommitteeStore
from engine.node.loop import MachineLoop
from engine.paths.setup import TokenBucket
from engine.transport.link import Channel, LinkSender
from engine.verification.chain.certificate import check_certified
from engine.verification.chain.checkpoint import EVERY, height_of, make_checkpoint, open_checkpoint
from engine.verification.chain.state import ChainState
from engine.verification.committee.agreement import Agreement, Message
from engine.verification.committee.committee import Committee
from engine.verification.committee.effects import Contradicted, Decided, Effect, Refused, Remember, Send
from engine.verification.committee.timing import timing_of
from engine.verification.epochs import epoch_at, epoch_begins
from engine.wire.blocks import (
    CertifiedBlock,
    CommitteeBlock,
    CommitteeHave,
    CommitteeMessage,
    CommitteeNews,
    CommitteePrevotes,
    CommitteeWant,
    agreement_decoder,
)
from engine.wire.codec import encode
from engine.wire.receipts import Contradiction
from engine.wire.signed import SignedRecord

logger = logging.getLogger(__name__)
AGREE_AT = 0.7
"""Of an epoch: from then on its block is agreed on."""
MESSAGE_RATE, MESSAGE_BURST = 200.0, 4000.0
"""Messages of one member, per second and at once."""
SERVED_RATE, SERVED_BURST = 2.0, 20.0
"""Blocks that one member gets for its asking."""
FETCH_SECONDS = 5.0
"""Between two times that the server is asked for a block that is missing here."""
Fetch = Callable[[int], Awaitable[Sequence[CertifiedBlock]]]


class BlockMaker(Protocol):
    """Who knows what blocks are made of; :class:`engine.node.verifier_role.VerifierRole`."""

    def propose(self, round_number: int) -> bytes | None:
        """The block that this member proposes as the leader of a round; None if it has none."""
        ...

    def refusal(self, encoded: bytes, *, seen: bool = False) -> str | None:
        """Why this member does not vote for a block; None if it does. ``seen``: a quorum has voted for it, so its
        evidence need not be here."""
        ...

    def records_of(self, block: bytes) -> Sequence[SignedRecord]:
        """The evidence that a block names, as far as it is here."""
        ...

    def decided(self, state: ChainState, block: bytes) -> None:
        """The committee has agreed; ``state`` is that after the block."""
        ...

    def heard(self, signed: SignedRecord) -> str:
        """A member has sent a record that is no part of the agreement."""
        ...


class CommitteeRole:
    """One node identity in the committee, or about to be. ``sender`` is attached before links come up; own it with
    :meth:`run`, which first follows the chain that is on the disk (:meth:`load`). While the present members do not
    include it, it follows the chain and signs nothing."""

    def __init__(
        self,
        identity: Identity,
        state: ChainState,
        maker: BlockMaker,
        store: CommitteeStore,
        clock: Clock,
        *,
        fetch: Fetch | None = None,
        outside_at: int = -1,
    ) -> None:
        """``state``: before the first block; ``store`` leads on from it. ``fetch``: blocks from this height on from
        the server, none if it has none; it may raise a ``GenTorrentError``. ``outside_at``: a height whose committee
        did not include this member, as this process has seen: it has signed nothing of later heights yet."""
        self._identity = identity
        self._maker = maker
        self._store = store
        self._clock = clock
        self._fetch = fetch
        self._outside_at = outside_at
        self._peers: dict[NodeId, int] = {}
        self._messages: dict[NodeId, TokenBucket] = {}
        self._served: dict[NodeId, TokenBucket] = {}
        self._agreement: Agreement | None = None
        self._timing = timing_of(state.genesis.parameters.epoch_seconds)
        self._behind = asyncio.Event()
        self._behind.set()
        self.dropped: Counter[str] = Counter()
        self.sender: LinkSender | None = None
        self.decided: Callable[[CertifiedBlock], None] = lambda _: None
        """Hears of each new block, for the server."""
        self.contradicted: Callable[[Contradiction], None] = lambda _: None
        self.notice: Callable[[str], None] = logger.warning
        """What the owner of this machine should know."""
        self.members_changed: Callable[[], None] = lambda: None
        """Whom to keep linked with is another question now."""
        self.state = state
        self.loop = MachineLoop(clock, self._tick, self._next_deadline)
        self._checkpoint_at = 0
        self._checkpoint_due = asyncio.Event()
        self._loaded = False
        # Who finds no memory may have lost it with its disk, and signs nothing at a height that could be under way.
        # What the newest block is it has to hear first.
        memory = store.memory()
        self._lost_in = epoch_at(state.genesis, clock.wall()) if memory is None else -1
        self._has_asked = memory is not None or fetch is None

    async def load(self) -> None:
        """Follow the chain that is on the disk, in a thread; until then nobody is listened to."""
        steps = self.replay()
        while await asyncio.to_thread(next, steps, None) is not None:
            pass
        self.members_changed()

    def replay(self) -> Iterator[int]:
        """Follow the chain that is on the disk from the newest checkpoint on, a block (its height) a step. Between two
        steps nobody else uses this role."""
        count = self._store.load()
        self._from_checkpoint()
        yield self.state.height
        while self.state.height < count and self._next_kept():
            yield self.state.height
        self._loaded = True
        self._begin_height()

    # ------------------------------------------------------------------------------------------------- what others ask

    def neighbours(self) -> frozenset[NodeId]:
        """The members to keep linked with; none for who is no member."""
        return frozenset(self._peers) if self._agreement is not None else frozenset()

    def tell(self, record: SignedRecord) -> None:
        """Send a record to all other members."""
        self._send(None, CommitteeNews(record))

    def heard(self, peer: NodeId, message: CommitteeMessage) -> None:
        """A message of a linked node; who is no member is not listened to."""
        member, now = self._peers.get(peer), self._clock.monotonic()
        if not self._loaded:
            self.dropped["not begun"] += 1
            return
        if member is None:
            self.dropped["no member"] += 1
            return
        if not self._messages.setdefault(peer, TokenBucket(MESSAGE_RATE, MESSAGE_BURST, now)).take(now):
            self.dropped["too fast"] += 1
            return
        if isinstance(message, CommitteeWant):
            self._serve(peer, message.height)
        elif isinstance(message, CommitteeNews) and not _is_of_agreement(message):
            reason = self._maker.heard(message.item)
            self.dropped["refused record"] += bool(reason)
        else:
            self._of_agreement(peer, member, message, now)

    # ------------------------------------------------------------------------------------------------------------ chain

    async def run(self) -> None:
        """Until cancelled."""
        if not self._loaded:
            await self.load()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.loop.run())
            tasks.create_task(self._keep_up())
            tasks.create_task(self._keep_checkpoints())

    async def _keep_up(self) -> None:
        """Fetch what is missing from the server: at the start, and when members are at a later height."""
        while True:
            await self._behind.wait()
            self._behind.clear()
            try:
                while self._fetch is not None:
                    blocks = await self._fetch(self.state.height + 1)
                    if not blocks or not await self._follow(blocks):
                        break
                if not self._has_asked:
                    self._has_asked = True
                    if self.state.height == 0:
                        self._begin_height()
            except GenTorrentError as error:
                logger.info("no block was fetched: %s", error)
            await asyncio.sleep(FETCH_SECONDS)

    def _from_checkpoint(self) -> None:
        data = self._store.checkpoint()
        if data is None:
            return
        try:
            certified = self._store.block(height_of(data))
            self.state = open_checkpoint(data, self.state, certified)
        except VerificationError as error:
            logger.warning("all kept blocks are checked again: %s", error)
            return
        self._checkpoint_at = self.state.height
        if certified is not None:
            self._maker.decided(self.state, certified.block)

    def _next_kept(self) -> bool:
        """Take one more of the kept blocks; what does not follow is dropped, with all behind it."""
        height = self.state.height + 1
        block = self._store.block(height)
        try:
            if block is None:
                raise VerificationError("it cannot be read")
            self.state = check_certified(self.state, block)
        except VerificationError as error:
            logger.warning("kept blocks are left out from height %d on: %s", height, error)
            self._store.keep(height - 1)
            return False
        self._maker.decided(self.state, block.block)
        return True

    async def _keep_checkpoints(self) -> None:
        """After every so many blocks, in a thread."""
        self._look_at_checkpoint()
        while True:
            await self._checkpoint_due.wait()
            self._checkpoint_due.clear()
            state = self.state
            try:
                await asyncio.to_thread(self._keep_checkpoint, state)
            except StorageError as error:
                logger.warning("the chain will be replayed from an older checkpoint: %s", error)
            self._checkpoint_at = state.height

    def _keep_checkpoint(self, state: ChainState) -> None:
        self._store.keep_checkpoint(make_checkpoint(state))

    def _look_at_checkpoint(self) -> None:
        if self.state.height >= self._checkpoint_at + EVERY:
            self._checkpoint_due.set()

    async def _follow(self, blocks: Sequence[CertifiedBlock]) -> bool:
        """Take blocks that were fetched, each checked in a thread; False where one does not follow."""
        for block in blocks:
            before = self.state
            try:
                state = await asyncio.to_thread(check_certified, before, block)
            except VerificationError as error:
                self._refuse(error)
                return False
            if self.state is before:  # members may have brought it meanwhile
                self._take(block, state)
        return True

    def _append(self, block: CertifiedBlock) -> bool:
        """Take the next block, from wherever it comes; False if it does not follow."""
        try:
            state = check_certified(self.state, block)
        except VerificationError as error:
            self._refuse(error)
            return False
        self._take(block, state)
        return True

    def _refuse(self, error: VerificationError) -> None:
        self.dropped["refused block"] += 1
        logger.debug("a block of height %d is refused: %s", self.state.height + 1, error)

    def _take(self, block: CertifiedBlock, state: ChainState) -> None:
        """The next block has been checked, and leads to this state."""
        try:
            self._store.append(state.height, block, self._maker.records_of(block.block))
        except StorageError as error:
            self.notice(f"The committee's new block could not be kept; it is fetched again later. {error}")
        changed = state.members != self.state.members
        self.state = state
        self._maker.decided(state, block.block)
        self._begin_height()
        self._look_at_checkpoint()
        self.decided(block)
        if changed:
            self.members_changed()

    def _begin_height(self) -> None:
        state = self.state
        keys = state.members
        self._peers = {node_id_of(key): index for index, key in enumerate(keys) if key != self._identity.public_key}
        self._messages = {peer: bucket for peer, bucket in self._messages.items() if peer in self._peers}
        self._served = {peer: bucket for peer, bucket in self._served.items() if peer in self._peers}
        self._agreement = None
        if self._identity.public_key in keys:
            is_uncertain = self._is_uncertain()
            if not is_uncertain:
                self._lost_in = -1
            memory = self._store.memory()
            is_under_way = memory is not None and memory.height == state.height + 1
            now = self._clock.monotonic()
            self._agreement = Agreement(
                self._identity,
                Committee(state.network_id, keys, state.output),
                state.height + 1,
                propose=self._maker.propose,
                validate=self._maker.refusal,
                validate_seen=lambda block: self._maker.refusal(block, seen=True),
                timing=self._timing,
                start=now if is_under_way else now + self._seconds_to_start(),
                memory=memory,
                abstains=is_uncertain,
            )
        self.loop.wake()

    def _is_uncertain(self) -> bool:
        """Whether it may have signed something at the next height that it has forgotten: until a block is there that
        was made after it has begun."""
        if 0 <= self._outside_at <= self.state.height:
            return False
        if self.state.height == 0:
            return not self._has_asked
        return self.state.epoch <= self._lost_in

    def _seconds_to_start(self) -> float:
        """Until the agreement on the next block begins: of the epoch that runs, or of the next one."""
        genesis, wall = self.state.genesis, self._clock.wall()
        epoch = max(epoch_at(genesis, wall), self.state.epoch + 1)
        return max(0.0, epoch_begins(genesis, epoch) + AGREE_AT * genesis.parameters.epoch_seconds - wall)

    # -------------------------------------------------------------------------------------------------------- agreement

    def _of_agreement(self, peer: NodeId, member: int, message: Message, now: float) -> None:
        height, present = _height(message), self.state.height + 1
        if isinstance(message, CommitteeBlock):
            if height == present:
                self._append(CertifiedBlock(message.block, message.certificate))
        elif height < present:
            if isinstance(message, CommitteeHave):
                self._serve(peer, height)
        elif height > present:
            self._behind.set()
            if isinstance(message, CommitteeHave):  # they say it again and again, so this is asked again and again
                self._send(peer, CommitteeWant(present))
        elif self._agreement is not None:
            self._carry(self._agreement, self._agreement.receive(member, message, now))
            self.loop.wake()

    def _tick(self) -> None:
        if self._agreement is not None:
            self._carry(self._agreement, self._agreement.tick(self._clock.monotonic()))

    def _next_deadline(self) -> float | None:
        return self._agreement.next_deadline() if self._agreement is not None else None

    def _carry(self, agreement: Agreement, effects: Iterable[Effect]) -> None:
        peers = list(self._peers)
        for effect in effects:
            match effect:
                case Remember():
                    try:
                        self._store.remember(effect.memory)
                    except StorageError as error:
                        agreement.abstain()
                        self.notice(f"This verifier does not vote on the present block: it could not write. {error}")
                        return
                case Send(to=None):
                    self._send(None, effect.message)
                case Send():
                    peer = next((one for one in peers if self._peers[one] == effect.to), None)
                    self._send(peer, effect.message) if peer is not None else None
                case Decided():
                    self._append(effect.certified)
                case Contradicted():
                    key = self.state.members[effect.member].hex()
                    self.notice(f"The member of the committee with the key {key} has signed two things at once.")
                    self.contradicted(effect.contradiction)
                case Refused():
                    logger.info("a block is not voted for: %s", effect.reason)

    def _serve(self, peer: NodeId, height: int) -> None:
        now = self._clock.monotonic()
        if not self._served.setdefault(peer, TokenBucket(SERVED_RATE, SERVED_BURST, now)).take(now):
            return
        block = self._store.block(height)
        if block is not None:
            self._send(peer, CommitteeBlock(block.block, block.certificate))

    def _send(self, peer: NodeId | None, message: CommitteeMessage) -> None:
        """What is refused, because a link is full or gone, is found missing and asked for later."""
        if self.sender is not None:
            data = encode(message)
            for one in self._peers if peer is None else (peer,):
                self.sender.send(one, Channel.CONTROL, data)


def _is_of_agreement(message: CommitteeNews) -> bool:
    try:
        agreement_decoder.decode(message.item.record)
    except WireError:
        return False
    return True


def _height(message: Message) -> int:
    match message:
        case CommitteeNews():
            return agreement_decoder.decode(message.item.record).height
        case CommitteeBlock():
            return message.certificate.height
        case CommitteePrevotes() | CommitteeHave():
            return message.height
