"""This machine in the committee: it agrees with the other members on one block after another.

One :class:`~engine.verification.committee.agreement.Agreement` for each height; this is their driver. What goes into a
block and what makes one valid is its :class:`BlockMaker`'s to say (``engine.node.verifier_role``).
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from engine.clock import Clock
from engine.crypto.identity import Identity, node_id_of
from engine.errors import StorageError, WireError
from engine.ids import NodeId
from engine.node.committee_chain import CommitteeChain, Fetch
from engine.node.committee_store import CommitteeStore
from engine.node.loop import MachineLoop
from engine.paths.setup import TokenBucket
from engine.sentences import said_by, say
from engine.transport.link import Channel, LinkSender
from engine.verification.chain.state import ChainState
from engine.verification.committee.agreement import Agreement, Message
from engine.verification.committee.committee import Committee
from engine.verification.committee.effects import Contradicted, Decided, Effect, Refused, Remember, Send
from engine.verification.committee.timing import timing_of
from engine.verification.epochs import epoch_at, epoch_begins
from engine.verification.signing import is_passed_on
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


class BlockMaker(Protocol):
    """Who knows what blocks are made of; :class:`engine.node.verifier_role.VerifierRole`."""

    def propose(self, round_number: int) -> bytes | None:
        """The block that this member proposes as the leader of a round; None if it has none."""
        ...

    def refusal(self, encoded: bytes, *, seen: bool = False) -> str | None:
        """Why this member does not vote for a block; None if it does. ``seen``: a quorum has voted for it, so its
        evidence need not be here, and its epoch may be over."""
        ...

    def records_of(self, block: bytes) -> Sequence[SignedRecord]:
        """The evidence that a block names, as far as it is here."""
        ...

    def decided(self, state: ChainState, block: bytes) -> None:
        """The committee has agreed; ``state`` is that after the block."""
        ...

    def heard(self, signed: SignedRecord, sender: bytes) -> str:
        """A member, the one with the key ``sender``, has sent a record that is no part of the agreement."""
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
        """``state``, ``store``, ``fetch``: see :class:`~engine.node.committee_chain.CommitteeChain`. ``outside_at``: a
        height whose committee did not include this member, as this process has seen: it has signed nothing of later
        heights yet."""
        self._identity = identity
        self._maker = maker
        self._store = store
        self._clock = clock
        self._outside_at = outside_at
        self._peers: dict[NodeId, int] = {}
        self._messages: dict[NodeId, TokenBucket] = {}
        self._served: dict[NodeId, TokenBucket] = {}
        self._agreement: Agreement | None = None
        self._timing = timing_of(state.genesis.parameters.epoch_seconds)
        self._loaded = False
        self.dropped: Counter[str] = Counter()
        self.sender: LinkSender | None = None
        self.decided: Callable[[CertifiedBlock], None] = lambda _: None
        """Hears of each new block, for the server."""
        self.contradicted: Callable[[Contradiction], None] = lambda _: None
        self.notice: Callable[[str], None] = logger.warning
        """What the owner of this machine should know."""
        self.members_changed: Callable[[], None] = lambda: None
        """Whom to keep linked with is another question now."""
        self.loop = MachineLoop(clock, self._tick, self._next_deadline)
        self.chain = CommitteeChain(state, store, decided=maker.decided, records_of=maker.records_of, fetch=fetch)
        self.chain.grown = self._grown
        self.chain.asked = self._has_asked
        self.chain.notice = self._notice
        # Who finds no memory may have lost it with its disk, and signs nothing at a height that could be under way.
        # What the newest block is it has to hear first.
        memory = store.memory()
        self._lost_in = epoch_at(state.genesis, clock.wall()) if memory is None else -1
        self._must_ask = memory is None

    @property
    def state(self) -> ChainState:
        """What all blocks so far have led to."""
        return self.chain.state

    async def load(self) -> None:
        """Follow the chain that is on the disk, in a thread; until then nobody is listened to."""
        steps = self.replay()
        while await asyncio.to_thread(next, steps, None) is not None:
            pass
        self.members_changed()

    def replay(self) -> Iterator[int]:
        """Follow the chain that is on the disk from the newest checkpoint on, a block (its height) a step. Between two
        steps nobody else uses this role."""
        yield from self.chain.replay()
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
            sender = self.state.members[member]
            if message.item.key != sender and not is_passed_on(message.item):  # these alone are passed on
                self.dropped["another's record"] += 1
                return
            reason = self._maker.heard(message.item, sender)
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
            tasks.create_task(self.chain.run())

    def _has_asked(self) -> None:
        if self._must_ask and self.state.height == 0:
            self._begin_height()

    def _notice(self, text: str) -> None:
        self.notice(text)

    def _grown(self, block: CertifiedBlock, changed: bool) -> None:
        self._begin_height()
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
            return self._must_ask and not self.chain.has_asked
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
                self.chain.append(CertifiedBlock(message.block, message.certificate))
        elif height < present:
            if isinstance(message, CommitteeHave):
                self._serve(peer, height)
        elif height > present:
            self.chain.is_missing_blocks()
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
                        self.notice(say("committee.not_voting", problem=said_by(error)))
                        return
                case Send(to=None):
                    self._send(None, effect.message)
                case Send():
                    peer = next((one for one in peers if self._peers[one] == effect.to), None)
                    self._send(peer, effect.message) if peer is not None else None
                case Decided():
                    self.chain.append(effect.certified)
                case Contradicted():
                    key = self.state.members[effect.member].hex()
                    self.notice(say("committee.two_things", key=key))
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
