"""A naive executor of step plans: memory holds token ids instead of keys and values, and every rule is checked."""

import hashlib
from dataclasses import dataclass

from engine.inference.scheduling.plan import BLOCK_TOKENS, StepPlan
from engine.inference.scheduling.scheduler import Scheduler, Submission

END = 0
INSTEAD_OF_END = 1
"""What the fake model says where the end is suppressed."""


def fake_next(tokens, suppressed=frozenset()):
    """The deterministic model: the next token is a hash of everything before it."""
    digest = hashlib.blake2b(",".join(map(str, tokens)).encode(), digest_size=4).digest()
    token = int.from_bytes(digest, "big") % 50
    return INSTEAD_OF_END if token in suppressed else token


def naive_answer(submission, length):
    """One token after the other with nothing beside it, at most ``length``."""
    answer = list(submission.answer_ids)
    while len(answer) < length and not (answer and answer[-1] == END):
        few = len(answer) < submission.min_tokens
        answer.append(fake_next([*submission.prompt_ids, *answer], {END} if few else frozenset()))
    return answer


@dataclass
class Block:
    """``ids``: all tokens that its keys and values depend on, the last ones being its own."""

    ids: tuple[int, ...]
    public: int  # tokens that whoever computed it had declared public
    salt: bytes


class NaiveMachine:
    """Carries plans out. A slot is the list of the token ids that were fed to it."""

    def __init__(self, scheduler: Scheduler):
        self.scheduler = scheduler
        self.slots: dict[int, list[int]] = {}
        self.blocks: dict[int, Block] = {}
        self.submissions: dict[int, Submission] = {}
        self.answers: dict[int, list[int]] = {}  # complete ones, of :meth:`step`
        self.fed = 0  # tokens that were computed
        self.loaded = 0  # tokens that were not
        self.moved = 0

    def submit(self, key, submission, now=0.0):
        runs = self.scheduler.submit(key, submission, now)
        self.submissions[key] = submission
        return runs

    def run(self, plan: StepPlan) -> None:
        for stage in (self.prepare, self.load, self.compute, self.store):
            stage(plan)

    def step(self, now=0.0, seconds=0.01) -> StepPlan | None:
        """A whole step: plan, run, draw, and finish what is complete."""
        plan = self.scheduler.next_step(now)
        if plan is not None:
            self.run(plan)
            self.scheduler.completed(plan, seconds, now)
            for key in self.draw(plan, now):
                self.answers[key] = self.scheduler.answer(key)
                self.scheduler.finish(key)
        return plan

    def prepare(self, plan: StepPlan) -> None:
        for slot in plan.freed_slots:
            self.slots.pop(slot, None)
        for block in plan.freed_blocks:
            self.blocks.pop(block, None)
        for move in plan.moves:
            assert move.target not in self.slots  # nothing is overwritten
            assert 0 < move.length <= len(self.slots[move.source])
            self.slots[move.target] = self.slots.pop(move.source)[: move.length]
            self.moved += move.length

    def load(self, plan: StepPlan) -> None:
        stored = {store.block for store in plan.stores}
        rows = {row.slot: row for row in plan.rows}
        for load in plan.loads:
            row = rows[load.slot]
            reader = self.submissions[row.key]
            assert load.slot not in self.slots
            assert row.start == len(load.blocks) * BLOCK_TOKENS > 0
            content: tuple[int, ...] = ()
            for number in load.blocks:
                assert number not in stored
                block = self.blocks[number]
                assert block.ids[:-BLOCK_TOKENS] == content  # it was computed after exactly these
                if len(block.ids) > min(block.public, public_tokens(reader)):
                    assert block.salt == reader.cache_salt != b""
                content = block.ids
            self.slots[load.slot] = list(content)
            self.loaded += len(content)

    def compute(self, plan: StepPlan) -> None:
        assert len({row.slot for row in plan.rows}) == len({row.key for row in plan.rows}) == len(plan.rows)
        for row in plan.rows:
            tokens = [*self.submissions[row.key].prompt_ids, *self.scheduler.answer(row.key)]
            content = self.slots.get(row.slot, [])
            if row.start == 0:
                assert not content
            assert content == tokens[: row.start]  # the slot holds exactly what the row builds on
            assert row.ids
            content = [*content, *row.ids]
            assert content == tokens[: len(content)]
            assert row.draw == (len(content) == len(tokens))
            assert len(content) <= plan.capacity
            self.slots[row.slot] = content
            self.fed += len(row.ids)

    def store(self, plan: StepPlan) -> None:
        rows = {row.slot: row for row in plan.rows}
        for store in plan.stores:
            writer = self.submissions[rows[store.slot].key]
            end = store.position + BLOCK_TOKENS
            assert store.position % BLOCK_TOKENS == 0
            assert store.block not in self.blocks  # nothing is overwritten
            assert len(self.slots[store.slot]) >= end
            assert end <= public_tokens(writer) or writer.cache_salt
            self.blocks[store.block] = Block(
                tuple(self.slots[store.slot][:end]), public_tokens(writer), writer.cache_salt
            )

    def draw(self, plan: StepPlan, now=0.0) -> dict[int, str]:
        """Draw the tokens of a completed plan from what lies in the slots; which answers ended, and why."""
        ended = {}
        for row in plan.rows:
            if row.draw:
                token = fake_next(self.slots[row.slot], self.scheduler.suppressed(row.key))
                reason = self.scheduler.append(row.key, token, now)
                if reason is not None:
                    ended[row.key] = reason
        return ended

    def used(self) -> int:
        """Memory in use, in blocks."""
        return sum(-(-len(content) // BLOCK_TOKENS) for content in self.slots.values()) + len(self.blocks)


def public_tokens(submission: Submission) -> int:
    return min(submission.public_tokens, len(submission.prompt_ids))
