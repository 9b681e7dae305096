"""Which model node a question goes to. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from engine.directory.directory import Directory, DirectoryNode
from engine.directory.sampling import random_below
from engine.errors import UnknownModelError
from engine.ids import NodeId
from engine.inference.request_check import missing_abilities, unable
from engine.inference.types import GenerationRequest
from engine.paths.outgoing import Target
from engine.wire import SUITE_HPKE_MLKEM768_X25519, SUITE_HPKE_X25519
from engine.wire.records import SealKey, ServedModel


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
) -> Target:
    """Of ``nodes``, which serve the model, the first of ``preferred`` that is still there, else a uniform draw among
    those that can do what is asked, if possible none that is on the chat's paths, and of these if possible none that is
    ``shunned``. ``digest`` None: the one that most of
    them serve. ``now`` is wall time. Raises ``UnknownModelError``, or ``InvalidRequestError`` when the model is served
    but nobody can do this with it."""
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
    by_id = {pair[0].node_id: pair for pair in fitting}
    candidates = [by_id[node_id] for node_id in preferred if node_id in by_id][:1]
    candidates = candidates or [pair for pair in fitting if pair[0].node_id not in on_paths] or fitting
    candidates = [pair for pair in candidates if not shunned(pair[0].node_id)] or candidates
    if not candidates:
        known = " in the version that this machine knows" if served and not fitting and not avoid else ""
        raise UnknownModelError(
            f"Nobody on the network serves {model_id}{known} at the moment. Choose another model or try again later."
        )
    node, model = candidates[random_below(len(candidates), random_bytes)]
    return _target(node, model, now)


def target_of(directory: Directory | None, node_id: NodeId, model_id: str, now: float) -> Target | None:
    """One listed node as the target of a request; None where nothing can be sealed to it. ``now`` is wall time."""
    node = directory.get(node_id) if directory is not None else None
    if node is None or not _has_keys(node, now) or all(model.model_id != model_id for model in node.descriptor.models):
        return None
    return _target(node, _served(node, model_id), now)


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
