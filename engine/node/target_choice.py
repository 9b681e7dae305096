"""Which model node a question goes to. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from engine.directory.directory import Directory, DirectoryNode
from engine.directory.groups import with_families
from engine.directory.sampling import random_below
from engine.directory.standing import NOBODY_JUDGES, Standing, StandingBook
from engine.errors import UnknownModelError
from engine.forwarding.policies.candidates import NEWCOMER_DRAWS, NEWCOMER_SHARE
from engine.ids import NodeId
from engine.inference.request_check import missing_abilities, unable
from engine.inference.types import GenerationRequest
from engine.paths.outgoing import Target
from engine.sentences import say
from engine.wire import SUITE_HPKE_MLKEM768_X25519, SUITE_HPKE_X25519
from engine.wire.records import SealKey, ServedModel

_PARTS = 1 << 16


def choose_target(
    nodes: Sequence[DirectoryNode],
    request: GenerationRequest,
    preferred: Sequence[NodeId],
    avoid: Collection[NodeId],
    digest: bytes | None,
    on_paths: Collection[NodeId],
    now: float,
    random_bytes: Callable[[int], bytes],
    shunned: Callable[[NodeId], bool] = lambda _: False,
    book: StandingBook = NOBODY_JUDGES,
    minimum_standing: float = 0.0,
) -> Target:
    """Of ``nodes``, which serve the model, the first of ``preferred`` that is still there, else a uniform draw among
    those that can do what is asked, if possible none that is on the chat's paths, and of these if possible none that is
    ``shunned``. Nobody is chosen who is excluded or has not the ``minimum_standing``; of the others, nodes that are not
    established get a small share by lot, and everything where there is nobody else. ``digest`` None: the one that most
    of them serve. ``now`` is wall time. Raises ``UnknownModelError``, or ``InvalidRequestError`` when the model is
    served but nobody can do this with it."""
    model_id = request.model_id
    listed = [(node, _served(node, model_id)) for node in nodes if _has_keys(node, now)]
    lacking = [missing_abilities(request, model) for _, model in listed]
    served = [pair for pair, missing in zip(listed, lacking, strict=True) if not missing]
    if listed and not served:
        raise unable(model_id, min(lacking, key=len), "anywhere on the network")
    if digest is None and served:
        digests = [model.digest for _, model in served]
        digest = max(sorted(set(digests)), key=digests.count)
    fitting = [pair for pair in served if pair[1].digest == digest and pair[0].node_id not in avoid]
    trusted = [pair for pair in fitting if _may_answer(book.of(pair[0].node_id), minimum_standing)]
    if fitting and not trusted:
        raise UnknownModelError(
            say("machine.standing", model=model_id) if minimum_standing > 0 else say("machine.excluded", model=model_id)
        )
    fitting = trusted
    by_id = {pair[0].node_id: pair for pair in fitting}
    candidates = [by_id[node_id] for node_id in preferred if node_id in by_id][:1]
    candidates = candidates or [pair for pair in fitting if pair[0].node_id not in on_paths] or fitting
    candidates = [pair for pair in candidates if not shunned(pair[0].node_id)] or candidates
    candidates = _by_standing(candidates, book, random_bytes)
    if not candidates:
        known = served and not fitting and not avoid
        raise UnknownModelError(say("machine.none_known" if known else "machine.none", model=model_id))
    node, model = candidates[random_below(len(candidates), random_bytes)]
    return _target(node, model, now)


def _may_answer(standing: Standing, minimum: float) -> bool:
    return not standing.excluded and standing.reputation >= minimum


def _by_standing(
    candidates: list[tuple[DirectoryNode, ServedModel]], book: StandingBook, random_bytes: Callable[[int], bytes]
) -> list[tuple[DirectoryNode, ServedModel]]:
    """Those that are established, or now and then one that is not: as in a group
    (``engine.forwarding.policies.candidates.newcomer``), whose few draws find few of few."""
    established = [pair for pair in candidates if book.of(pair[0].node_id).established]
    if not established or len(established) == len(candidates):
        return candidates
    if random_below(_PARTS, random_bytes) < NEWCOMER_SHARE * _PARTS:
        for _ in range(NEWCOMER_DRAWS):
            drawn = candidates[random_below(len(candidates), random_bytes)]
            if not book.of(drawn[0].node_id).established:
                return [drawn]
    return established


def target_of(directory: Directory | None, node_id: NodeId, model_id: str, now: float) -> Target | None:
    """One listed node as the target of a request; None where nothing can be sealed to it. ``now`` is wall time."""
    node = directory.get(node_id) if directory is not None else None
    if node is None or not _has_keys(node, now) or all(model.model_id != model_id for model in node.descriptor.models):
        return None
    return _target(node, _served(node, model_id), now)


def bearers(
    directory: Directory, about: NodeId, avoid: Collection[NodeId], book: StandingBook, now: float
) -> list[tuple[str, Target]]:
    """Who can bring something ``about`` a node to the server, with a model that each serves: neither that node or its
    family, nor who is excluded."""
    without = with_families(directory, [about]) | set(avoid) | {about}
    found = [node for node in directory.nodes() if node.descriptor.models and node.node_id not in without]
    return [
        (node.descriptor.models[0].model_id, _target(node, node.descriptor.models[0], now))
        for node in found
        if _has_keys(node, now) and not book.of(node.node_id).excluded
    ]


def _target(node: DirectoryNode, model: ServedModel, now: float) -> Target:
    clove_key = _newest(node.descriptor.seal_keys, SUITE_HPKE_X25519, now)
    request_key = _newest(node.descriptor.seal_keys, SUITE_HPKE_MLKEM768_X25519, now)
    started = float(node.descriptor.started)
    return Target(node.node_id, clove_key, request_key, model.digest, model.tokenizer_digest, started)


def _served(node: DirectoryNode, model_id: str) -> ServedModel:
    return next(model for model in node.descriptor.models if model.model_id == model_id)


def _has_keys(node: DirectoryNode, now: float) -> bool:
    """Whether a question can be sealed to this node at ``now``."""
    suites = {key.suite for key in node.descriptor.seal_keys if key.expires > now}
    return suites >= {SUITE_HPKE_X25519, SUITE_HPKE_MLKEM768_X25519}


def _newest(keys: Sequence[SealKey], suite: int, now: float) -> bytes:
    usable = [key for key in keys if key.suite == suite and key.expires > now]
    return max(usable, key=lambda key: key.expires).key
