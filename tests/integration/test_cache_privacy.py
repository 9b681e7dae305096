"""What the caches tell, to who asks, to who measures and to the group, and what nobody finds out by them.

A real worker with a tiny model answers a client whose question begins with a public system prompt. Somebody else knows
the question, word for word but for doubt, and tries to make sure.
"""

import pytest

from engine.forwarding.digests import BLOCK_TOKENS, chunks_of, depth_of
from engine.forwarding.hr_tree import HrTree
from engine.inference.models.installed import BUILTIN_MODEL
from engine.inference.types import Done, GenerationRequest, ModelInfo, PromptMessage
from engine.node.cached_prefixes import CachedPrefixes
from engine.wire.answer import Sampling
from tests.integration.test_inference_worker import answer, models  # noqa: F401 - a fixture
from tests.integration.test_worker_pool import running
from tests.support.bootstrap import until

pytestmark = pytest.mark.timeout(120)
SYSTEM = "You are a patient gardener who explains everything about soil and water. " * 2
SECRET = "My employer dismissed me last week because I fell ill. What can I do about the rent? " * 2


def ask(question=SECRET, salt=b"a" * 32, public=1):
    messages = (PromptMessage("system", SYSTEM), PromptMessage("user", question))
    return GenerationRequest(
        model_id=BUILTIN_MODEL,
        messages=messages,
        sampling=Sampling(seed=1),
        max_tokens=4,
        cache_salt=salt,
        public_messages=public,
    )


async def cached(pool, request):
    """Tokens of the prompt that needed no computing, which is what the time to the first token shows."""
    events = await answer(pool, request)
    done = events[-1]
    assert isinstance(done, Done)
    return done.cached_tokens


async def test_nobody_finds_out_what_another_client_asked(models):  # noqa: F811
    async with running(models) as pool:
        shape = await pool.describe(ask())
        assert shape is None, "the model is not loaded yet"
        await cached(pool, ask())
        shape = await pool.describe(ask())
        assert shape is not None
        public = shape.public_tokens // BLOCK_TOKENS * BLOCK_TOKENS
        assert 2 * BLOCK_TOKENS <= public < shape.prompt_tokens - 2 * BLOCK_TOKENS
        assert len(shape.digests) == public // BLOCK_TOKENS

        # By the time to the first token: the same question under another salt, without one, and with other marks.
        assert await cached(pool, ask(salt=b"b" * 32)) == public
        assert await cached(pool, ask(salt=b"")) == public
        assert await cached(pool, ask("Something else entirely. " * 12, salt=b"c" * 32)) == public
        assert await cached(pool, ask(salt=b"d" * 32, public=0)) == 0
        assert await cached(pool, ask(salt=b"a" * 32)) > public, "it is cached, for who asked it"

        # By gossip: everything that the machine would tell, and the digests of the whole question.
        prefixes = CachedPrefixes()
        for device, news in pool.news:
            prefixes.heard(device, news)
        sentry = prefixes.of(BUILTIN_MODEL)
        tree: HrTree[str] = HrTree()
        tree.add_member("machine")
        tree.apply("machine", sentry.take(10_000, 10_000).added)
        guessed = await pool.describe(ask(public=2))
        assert guessed is not None
        assert len(guessed.digests) * BLOCK_TOKENS > public + 2 * BLOCK_TOKENS
        assert tree.lookup(chunks_of(guessed.digests)) == {"machine": public // BLOCK_TOKENS}
        assert {depth_of(chunk) for chunk in sentry.told} <= set(range(1, public // BLOCK_TOKENS + 1))
        assert sentry.held(guessed.digests) * BLOCK_TOKENS == public

        # Who marks the whole question as public finds no more of it, and from then on finds what it has marked itself.
        assert await cached(pool, ask(salt=b"e" * 32, public=2)) == public
        assert await cached(pool, ask(salt=b"f" * 32, public=2)) > public

        def info() -> ModelInfo:
            return next(one for one in pool.models() if one.model_id == BUILTIN_MODEL)

        await until(lambda: info().decode_rate_alone > 0 and info().kv_tokens_cached > 0)  # told now and then


async def test_wrong_prompts_and_absent_models_are_not_described(models):  # noqa: F811
    async with running(models) as pool:
        await pool.start([BUILTIN_MODEL])
        empty = GenerationRequest(model_id=BUILTIN_MODEL, messages=(), prompt="", sampling=Sampling(seed=1))
        huge = GenerationRequest(
            model_id=BUILTIN_MODEL, messages=(), prompt_tokens=(1 << 40,) * 40, sampling=Sampling(seed=1)
        )
        for wrong in (empty, huge):
            shape = await pool.describe(wrong)
            assert shape is None or shape.digests == ()
        unknown = GenerationRequest(model_id="nobody", messages=(), prompt="x", sampling=Sampling(seed=1))
        assert await pool.describe(unknown) is None
        await pool.stop()
        assert await pool.describe(ask()) is None
