"""A naive executor of step plans: memory holds token ids instead of keys and values, and every rule is checked."""

import hashlib

from engine.inference.scheduling.plan import BLOCK_TOKENS, StepPlan
from engine.inference.scheduling.scheduler import Scheduler, Submission


def fake_next(tokens, vocabulary=50):
    """The deterministic model: the next token is a hash of everything before it."""
    digest = hashlib.blake2b(",".join(map(str, tokens)).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") % vocabulary


def naive_answer(submission: Submission, end_ids, limit):
    """One token after the other, nothing beside it."""
    answer = list(submission.answer_ids)
    while not (answer and answer[-1] in end_ids) and len(answer) < limit:
        token = fake_next([*submission.prompt_ids, *answer])
        if token in end_ids and len(answer) < min(submission.min_tokens, limit):
            token = END_REPLACED
        answer.append(token)
    return answer


END_REPLACED = 1  # what the fake model says where the end is suppressed


class NaiveMachine:
    """Carries plans out. A slot is the list of token ids that were computed in it; a block is a tuple of the ids that
    its content depends on (everything up to its end) and the scope that may see it."""

    def __init__(self, scheduler: Scheduler):
        self.scheduler = scheduler
        self.slots: dict[int, list[int]] = {}
        self.blocks: dict[int, tuple[int, ...]] = {}
        self.block_readers: dict[int, tuple[int, bytes]] = {}  # block -> (public tokens of its writer, its salt)
        self.submissions: dict[int, Submission] = {}

    def submit(self, key, submission, now):
        runs = self.scheduler.submit(key, submission, now)
        self.submissions[key] = submission
        return runs

    def prepare(self, plan: StepPlan) -> None:
        """Everything before the rows."""
        for slot in plan.freed_slots:
            self.slots.pop(slot, None)
        for block in plan.freed_blocks:
            self.blocks.pop(block, None)
            self.block_readers.pop(block, None)
        for move in plan.moves:
            assert len(self.slots[move.source]) >= move.length
            assert move.target not in self.slots or self.slots[move.target] is None
            self.slots[move.target] = self.slots[move.source][: move.length]
            self.slots[move.source] = None
        assert not {load_block for load in plan.loads for load_block in load.blocks} & {
            store.block for store in plan.stores
        }

    def load(self, plan: StepPlan) -> None:
        rows = {row.slot: row for row in plan.rows}
        for load in plan.loads:
            row = rows[load.slot]
            submission = self.submissions[row.key]
            assert row.start == len(load.blocks) * BLOCK_TOKENS
            content: list[int] = []
            for index, block in enumerate(load.blocks):
                ids = self.blocks[block]
                assert ids[: len(content)] == tuple(content)  # this block was computed after exactly these
                assert len(ids) == (index + 1) * BLOCK_TOKENS
                public, salt = self.block_readers[block]
                if len(ids) > min(public, submission.public_tokens, len(submission.prompt_ids)):
                    assert salt == submission.cache_salt
                    assert salt
                content = list(ids)
            self.slots[load.slot] = content

    def compute(self, plan: StepPlan) -> None:
        assert len({row.slot for row in plan.rows}) == len({row.key for row in plan.rows}) == len(plan.rows)
        for row in plan.rows:
            submission = self.submissions[row.key]
            tokens = [*submission.prompt_ids, *self.scheduler.answer(row.key)]
            assert row.ids
            assert tuple(tokens[row.start : row.start + len(row.ids)]) == row.ids
            assert row.draw == (row.start + len(row.ids) == len(tokens))
            content = (self.slots.get(row.slot) or [])[: row.start]
            assert content == tokens[: row.start]  # the slot holds exactly what the row builds on
            self.slots[row.slot] = [*content, *row.ids]
            assert plan.capacity >= len(self.slots[row.slot])

    def store(self, plan: StepPlan) -> None:
        rows = {row.slot: row for row in plan.rows}
        for store in plan.stores:
            assert store.block not in self.blocks  # never over something that is in use
            end = store.position + BLOCK_TOKENS
            content = self.slots[store.slot]
            assert len(content) >= end
            submission = self.submissions[rows[store.slot].key]
            assert end <= min(submission.public_tokens, len(submission.prompt_ids)) or submission.cache_salt
            self.blocks[store.block] = tuple(content[:end])
            self.block_readers[store.block] = (
                min(submission.public_tokens, len(submission.prompt_ids)),
                submission.cache_salt,
            )

    def run(self, plan: StepPlan) -> None:
        self.prepare(plan)
        self.load(plan)
        self.compute(plan)
        self.store(plan)

    def draw(self, plan: StepPlan, now: float) -> dict[int, str]:
        """Draw the tokens of a completed plan; which answers ended, and why."""
        ended = {}
        for row in plan.rows:
            if not row.draw or row.key not in self.submissions:
                continue
            tokens = [*self.submissions[row.key].prompt_ids, *self.scheduler.answer(row.key)]
            token = fake_next(tokens)
            if token in self.scheduler.suppressed(row.key):
                token = END_REPLACED
            reason = self.scheduler.append(row.key, token, now)
            if reason is not None:
                ended[row.key] = reason
        return ended

    def used_blocks(self) -> int:
        """Memory in use, in blocks: what lies in slots of running sequences and in blocks."""
        return len(self.blocks)
