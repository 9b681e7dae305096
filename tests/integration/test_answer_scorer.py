"""Evidence scored by the real worker: an honest answer passes, others do not, and a signed contradiction is a fail."""

from __future__ import annotations

import msgspec
import pytest

from engine.crypto.identity import Identity
from engine.errors import UnknownModelError
from engine.inference.models.installed import BUILTIN_MODEL
from engine.node.answer_scorer import AnswerScorer
from engine.node.requests import generation_for
from engine.verification.chain.results import Material
from engine.verification.challenges.opening import OpenedEvidence, open_evidence
from engine.verification.reputation.rule import FAIL, INCONCLUSIVE
from engine.verification.scoring.calibration import Calibrations
from engine.wire.answer import Sampling
from engine.wire.challenges import ChallengeTurn
from tests.integration.test_inference_worker import answer, ids_of, models, running  # noqa: F401 - a fixture
from tests.support.calibrations import calibration
from tests.support.judging import Judging, judging
from tests.support.records import identity

pytestmark = pytest.mark.timeout(120)
NODE = identity(0)


def asked(network: Judging, digest: bytes) -> Identity:
    """Promise one challenge for the model that is here; its verifier."""
    member = network.members[0]
    promise = network.commit(
        1,
        member,
        [NODE.node_id],
        model_id=BUILTIN_MODEL,
        model_digest=digest,
        turns=(ChallengeTurn(text="What is a relay, and what is it not?", seed=11),),
        sampling=Sampling(seed=0, temperature=0.9),
        max_tokens=60,
    )
    network.append(0, Material(commitments=[promise]))
    return member


def shown(network: Judging, member: Identity, prompt: tuple[int, ...], ids: tuple[int, ...]) -> OpenedEvidence:
    signed = network.evidence(1, member, NODE.node_id, NODE, prompt=prompt, output=ids)
    return open_evidence(signed, network.genesis.genesis, network.network_id, network.state.commitment_of)


async def test_what_an_answer_is_worth_is_computed_by_the_reference_model(models):  # noqa: F811
    network = judging()
    async with running(models) as supervisor:
        await supervisor.start([BUILTIN_MODEL])
        info = next(one for one in supervisor.models() if one.model_id == BUILTIN_MODEL)
        member = asked(network, info.digest)
        known = msgspec.structs.replace(calibration(), digest=info.digest.hex())
        scorer = AnswerScorer(supervisor, Calibrations([known]))
        assert scorer.holds(info.digest)
        request = generation_for(shown(network, member, (1,), (1,)).request, info.context_length, None)
        events = await answer(supervisor, request)
        prompt, ids = events[0].prompt_ids, ids_of(events)

        honest = await scorer.score(shown(network, member, prompt, ids))
        assert honest.likelihood < 0, "what the model itself has drawn speaks for its node"
        assert honest.tokens == len(ids)
        assert 0 < honest.credit < 1_000_000

        other = msgspec.structs.replace(request.sampling, seed=12)
        events = await answer(supervisor, msgspec.structs.replace(request, sampling=other))
        assert (await scorer.score(shown(network, member, prompt, ids_of(events)))).verdict == FAIL

        contradicted = await scorer.score(shown(network, member, (*prompt, 5), ids))
        assert (contradicted.verdict, contradicted.likelihood) == (FAIL, 5_000)

        unknown = await AnswerScorer(supervisor, Calibrations()).score(shown(network, member, prompt, ids))
        assert (unknown.verdict, unknown.likelihood) == (INCONCLUSIVE, 0)

        elsewhere = judging()
        stranger = asked(elsewhere, b"x" * 32)
        assert not scorer.holds(b"x" * 32)
        with pytest.raises(UnknownModelError, match="not here in the version"):
            await scorer.score(shown(elsewhere, stranger, prompt, ids))
