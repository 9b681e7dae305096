"""One model node: who has a place, what is read next, when which token comes, and what its cache keeps.

The prefix cache and the memory that it shares with running answers are those of the worker
(``engine.inference.scheduling``). While prompts are read, steps are made one by one: who reads how much of a step
follows ``engine.inference.scheduling.sharing`` (a quarter for whoever came first, the rest for whoever has least to go;
whoever would compute what another one is computing waits for it), first tokens come at a step's end, and who comes
while a step is made waits for its end. While none is read nothing changes between two events but that each answer gets
a token a step, so the time of the next event can be computed.
"""

from __future__ import annotations

import heapq
import math
from collections import deque

from engine.forwarding.members import Load
from engine.inference.scheduling.kv_cache import KvMemory
from engine.inference.scheduling.plan import BLOCK_TOKENS
from engine.inference.scheduling.prefix_cache import CacheNode, PrefixCache, scope_at
from engine.inference.scheduling.sequence import blocks_for
from engine.inference.scheduling.sharing import OLDEST_SHARE
from engine.simulation.forwarding.job import NEVER, Job
from engine.simulation.forwarding.measured_speed import MeasuredSpeed
from engine.simulation.forwarding.node_kinds import NodeKind
from engine.simulation.forwarding.trace import Block, PublicText

MODEL = b"simulated"
UNLIMITED = 1 << 40
"""Blocks of memory of a node that never evicts."""
_FILLER: Block = (0,) * BLOCK_TOKENS
_SMALL = 1e-9
_EVENTS = 1 << 20  # of the cache between two statements


class SimulatedNode:
    """A machine of one kind. Drive it with :meth:`offer` and :meth:`advance`; between them ask :meth:`next_event`."""

    def __init__(self, kind: NodeKind, *, unlimited: bool = False) -> None:
        self.kind = kind
        self.cache = PrefixCache(MODEL, UNLIMITED if unlimited else kind.blocks, event_limit=_EVENTS)
        self.memory = KvMemory(self.cache)
        self.now = 0.0
        self.prefilled = 0  # prompt tokens read
        self.version = 0  # grows with everything that moves the next event
        self._clock = 0.0  # steps made, that is, tokens of an answer that runs all the time
        self._answers = 0  # being written
        self._context = 0.0  # tokens of keys and values that they hold
        self._starts = 0.0  # sum of their ``started``
        self._ends: list[tuple[float, int, Job]] = []
        self._waiting: deque[Job] = deque()
        self._running: dict[int, Job] = {}
        self._promised = 0  # blocks, to those that run
        self._orders = 0
        self._reading = 0  # jobs that have a place and no first token, blocked ones excepted
        self._shortest: list[tuple[float, int, Job]] = []
        self._oldest: list[tuple[int, Job]] = []
        self._blocked: dict[CacheNode, list[Job]] = {}
        self._parts: list[tuple[Job, float]] = []  # who reads in the step that is being made, and for how many seconds
        self._step_end = NEVER  # of that step
        self._queued = 0.0  # uncached tokens of those that wait or read
        self._expected = 0  # output tokens of everybody here
        self._speed = MeasuredSpeed(kind)

    # -------------------------------------------------------------------------------------------- what comes and goes

    def offer(self, job: Job, now: float) -> bool:
        """Take a request in, or refuse it because too many wait already (or it can never fit)."""
        self.advance(now)
        need = blocks_for(job.prompt_tokens + job.output_tokens)
        if need > self.memory.total or (self._waiting and len(self._waiting) >= self.kind.queue):
            return False
        job.arrived, job.order, job.held = now, self._orders, need
        self._orders += 1
        self._waiting.append(job)
        self._admit()
        if len(self._waiting) > self.kind.queue:
            self._waiting.pop()
            return False
        if job.key not in self._running:
            self._look_up(job)
        self._queued += job.uncached
        self._expected += job.expected
        self.version += 1
        if self.idle:
            self._begin_step()
        return True

    def leave(self, now: float) -> list[Job]:
        """Everything that it was asked and has not finished, with what is ``written`` of each; it holds nothing any
        more. Ask :meth:`advance` first who finished before."""
        self.advance(now)
        jobs = [*self._running.values(), *self._waiting]
        for job in jobs:
            job.written = 1 + int(self._clock - job.started) if job.first_token < NEVER else 0
        version = self.version
        self.__init__(self.kind, unlimited=self.memory.total >= UNLIMITED)  # type: ignore[misc]
        self.now, self.version = now, version + 1
        return jobs

    def cached_tokens(self, public: PublicText) -> int:
        """Leading tokens of a public text that the cache holds; asking changes nothing."""
        node, depth = self.cache.root, 0
        for block in public.blocks:
            child = node.children.get((b"", block))
            if child is None or not child.ready:
                break
            node, depth = child, depth + 1
        return depth * BLOCK_TOKENS

    @property
    def idle(self) -> bool:
        """Whether it makes no step: whoever comes is begun at once."""
        return not self._answers and not self._parts

    # ----------------------------------------------------------------------------------------------------------- time

    def next_event(self) -> float:
        """When something happens here by itself; infinity if nothing does."""
        return self._step_end if self._parts else self._pause_end()

    def advance(self, now: float) -> list[Job]:
        """Let time pass. Returns who got a first token or finished, in the order of events (twice if both)."""
        told: list[Job] = []
        while (due := self.next_event()) <= now:
            if self._parts:
                self._clock += 1.0
                self._context += self._answers
            else:
                self._write(self._steps_to_pause_end())
            self.now = due
            self._handle(told)
        if now > self.now:
            if not self._parts and self._answers:
                self._write(self._steps_in(now - self.now))
            self.now = now
        return told

    def _steps_to_pause_end(self) -> float:
        """While nothing is read: to the end of an answer, or of the step that is being made if somebody waits for it
        to begin reading."""
        steps = self._ends[0][0] - self._clock if self._ends else NEVER
        if self._reading and self._answers:
            steps = min(steps, math.ceil(self._clock - _SMALL) - self._clock)
        return max(0.0, steps)

    def _pause_end(self) -> float:
        steps = self._steps_to_pause_end()
        return NEVER if steps == NEVER else self.now + self._seconds(steps, 0.0)

    def _seconds(self, steps: float, reading: float) -> float:
        """Of so many steps, each with ``reading`` seconds of prompts: each answer's keys and values grow by a token a
        step."""
        kind, answers = self.kind, self._answers
        base = kind.step_seconds
        if reading:
            base = max(base, reading) if kind.overlaps else reading + (base if answers else 0.0)
        each = base + answers * kind.answer_seconds + self._context * kind.kv_token_seconds
        return steps * each + kind.kv_token_seconds * answers * steps * steps / 2

    def _steps_in(self, seconds: float) -> float:
        """The inverse of :meth:`_seconds`, without reading."""
        kind, answers = self.kind, self._answers
        each = kind.step_seconds + answers * kind.answer_seconds + self._context * kind.kv_token_seconds
        growth = kind.kv_token_seconds * answers
        return 2 * seconds / (each + math.sqrt(each * each + 2 * growth * seconds))

    def _write(self, steps: float) -> None:
        self._clock += steps
        self._context += self._answers * steps

    def _handle(self, told: list[Job]) -> None:
        """Whatever is due at this moment, between two steps; then begin the next one."""
        self._clock = float(round(self._clock))
        parts, self._parts, self._step_end = self._parts, [], NEVER
        for job, seconds in parts:
            job.left -= seconds
            if job.left <= _SMALL:
                self._read(job, told)
            else:
                self._queued -= self._share(job, seconds)
                job.told += self._share(job, seconds)
                heapq.heappush(self._shortest, (job.left, job.order, job))
        while self._ends and self._ends[0][0] <= self._clock:
            _, _, job = heapq.heappop(self._ends)
            self._written(job, told)
        self._admit()
        self._begin_step()

    @staticmethod
    def _share(job: Job, seconds: float) -> float:
        """Tokens of the prompt that are read in so many seconds."""
        return job.uncached * seconds / job.work if job.work else 0.0

    # -------------------------------------------------------------------------------------------------------- reading

    def _look_up(self, job: Job) -> None:
        """What the cache holds of its prompt now."""
        limit = min((job.prompt_tokens - 1) // BLOCK_TOKENS, len(job.prompt.blocks))
        job.tail = self.cache.match(job.prompt, len(job.public.blocks), job.salt, limit, since=job.tail)
        job.cached = job.tail.depth * BLOCK_TOKENS
        job.left = job.work = self.kind.reading_seconds(job.cached, job.prompt_tokens)

    def _admit(self) -> None:
        """Give out places in the order of arrival."""
        while self._waiting and len(self._running) < self.kind.slots:
            job = self._waiting[0]
            if self._promised + job.held > self.memory.total:
                return
            self._waiting.popleft()
            self._promised += job.held
            self._running[job.key] = job
            if job.tail is None:
                self._look_up(job)
            else:
                self._refresh(job)
            self._enter(job)

    def _refresh(self, job: Job) -> None:
        before = job.uncached
        self._look_up(job)
        self._queued += job.uncached - before

    def _enter(self, job: Job) -> None:
        """It may read from now on."""
        self._reading += 1
        heapq.heappush(self._shortest, (job.left, job.order, job))
        heapq.heappush(self._oldest, (job.order, job))

    def _begin_step(self) -> None:
        """Who reads in the next step, and how much of it."""
        self.version += 1
        if not self._reading:
            return
        room = self.kind.chunk_seconds if self._answers else self.kind.chunk_seconds_alone
        first = self._came_first()
        parts: dict[int, tuple[Job, float]] = {}
        if first is not None and self._reading > 1:
            part = min(first.left, room / OLDEST_SHARE)
            parts[first.key] = (first, part)
            room -= part
        while room > _SMALL and (job := self._least()) is not None:
            heapq.heappop(self._shortest)
            before = parts[job.key][1] if job.key in parts else 0.0
            part = min(job.left - before, room)
            if part > 0 or not before:
                parts[job.key] = (job, before + part)
            room -= part
        self._parts = list(parts.values())
        if self._parts:
            self._step_end = self.now + self._seconds(1.0, max(sum(part for _, part in self._parts), _SMALL))

    def _least(self) -> Job | None:
        heap = self._shortest
        while heap:
            left, _, job = heap[0]
            if job.first_token != NEVER or job.blocked or left != job.left:
                heapq.heappop(heap)
                continue
            if job.begun or self._begin(job):
                return job
        return None

    def _came_first(self) -> Job | None:
        heap = self._oldest
        while heap:
            job = heap[0][1]
            if job.first_token != NEVER or job.blocked:
                heapq.heappop(heap)
                continue
            if job.begun or self._begin(job):
                return job
        return None

    def _begin(self, job: Job) -> bool:
        """Look what is cached by now, and take the blocks that it will fill. False if it has to wait for another one
        that fills them already, or has another place in the order now."""
        before = job.left
        self._refresh(job)
        node = job.tail
        assert node is not None
        if job.left != before:
            heapq.heappush(self._shortest, (job.left, job.order, job))
            if job.left > before:
                return False
        maker = self._maker(job, node)
        if maker is not None:
            job.blocked = True
            self._reading -= 1
            self._blocked.setdefault(maker, []).append(job)
            return False
        job.begun = True
        self.cache.acquire(node)
        self.memory.hold(job.held)
        self.cache.release(self._store(job, node, job.prompt.blocks, job.pending))
        return True

    def _maker(self, job: Job, node: CacheNode) -> CacheNode | None:
        """The block that it would fill next, if another job is filling it."""
        blocks = job.prompt.blocks
        if node.depth >= len(blocks):
            return None
        scope = scope_at(node.depth, len(job.public.blocks), job.salt)
        child = None if scope is None else node.children.get((scope, blocks[node.depth]))
        return None if child is None or child.ready else child

    def _store(self, job: Job, node: CacheNode, blocks: tuple[Block, ...], made: list[CacheNode] | None) -> CacheNode:
        """Put ``blocks`` after ``node`` as far as there is room; new ones stay pending in ``made``, or are filled at
        once. Returns ``node``."""
        public, after = len(job.public.blocks), node
        for depth in range(node.depth, len(blocks)):
            scope = scope_at(depth, public, job.salt)
            found = None if scope is None else self.cache.insert(after, scope or b"", blocks[depth])
            if found is None:
                break
            after, new = found
            if new and made is None:
                self.cache.commit(after)
            elif new and made is not None:
                made.append(after)
            elif not after.ready:
                break  # another one is filling it
        job.tail = after if after.ready or made is not None else job.tail
        return node

    def _read(self, job: Job, told: list[Job]) -> None:
        """A prompt has been read: its blocks are filled, and its first token comes."""
        job.left, job.first_token, job.started = 0.0, self.now, self._clock
        self._reading -= 1
        self._queued -= job.uncached - job.told
        self.prefilled += job.uncached
        for node in job.pending:
            self.cache.commit(node)
        for node in job.pending:
            for waiter in self._blocked.pop(node, ()):
                waiter.blocked = False
                self._refresh(waiter)
                self._enter(waiter)
        job.pending.clear()
        waited = self.now - job.arrived
        self._speed.first_token(waited, job.uncached, job.work, self._answers, self._context)
        told.append(job)
        if job.output_tokens > 1:
            self._answers += 1
            self._starts += job.started
            self._context += job.prompt_tokens + 1
            heapq.heappush(self._ends, (self._clock + job.output_tokens - 1, job.order, job))
        else:
            self._end(job, told)

    # -------------------------------------------------------------------------------------------------------- writing

    def _written(self, job: Job, told: list[Job]) -> None:
        self._answers -= 1
        self._starts -= job.started
        self._context -= job.prompt_tokens + job.output_tokens
        if not self._answers:
            self._context = self._starts = 0.0
        self._end(job, told)

    def _end(self, job: Job, told: list[Job]) -> None:
        """An answer is complete: what it held is free, and its blocks stay in the cache."""
        job.finished = self.now
        self._expected -= job.expected
        self._promised -= job.held
        del self._running[job.key]
        self.memory.give_back(job.held)
        if job.salt and job.tail is not None and job.tail.alive:
            whole = (job.prompt_tokens + job.output_tokens) // BLOCK_TOKENS
            known = job.answer or job.prompt.blocks
            self._store(job, job.tail, known + (_FILLER,) * (whole - len(known)), None)
        told.append(job)

    # ----------------------------------------------------------------------------------------------------------- news

    def load(self) -> Load:
        """What it says of itself at ``now``."""
        kind, answers = self.kind, self._answers
        written = answers * self._clock - self._starts
        return Load(
            queue_tokens=max(0, round(self._queued)),
            waiting=len(self._waiting),
            running=len(self._running),
            output_tokens=max(answers, round(self._expected - written)),
            context_tokens=round(self._context),
            kv_free=self.memory.free * BLOCK_TOKENS,
            kv_total=self.memory.total * BLOCK_TOKENS,
            slots=kind.slots,
            prefill_rate=self._speed.prefill_rate,
            decode_rate=self._speed.decode_rate(answers, self._context),
            decode_rate_alone=1 / kind.decode_seconds(1, self._context / max(1, answers)),
            first_token_seconds=self._speed.first_token_seconds,
        )
