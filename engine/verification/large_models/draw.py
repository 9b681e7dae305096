"""Which nodes score an answer that verifiers cannot: by lot, from the ECVRF output of the author's duties.

Nobody but the author knows that output before the epoch is over, so no node knows that it will be asked; the author
cannot choose it, nor whom it was to check, so it cannot choose the scorers. What of the draw the chain can check is
:func:`check_draw`'s; who serves the model now, and who is related with whom, members see in the directory
(:func:`unrelated`) before they sign.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence

from engine.directory.directory import Directory, DirectoryNode
from engine.directory.groups import serves
from engine.errors import VerificationError
from engine.ids import NodeId
from engine.verification.challenges.duties import Basis
from engine.verification.reputation.rule import THRESHOLD
from engine.wire.challenges import MAX_REPORTS, MIN_REPORTS


def place(output: bytes, asked: NodeId, turn: int, node: NodeId) -> bytes:
    """By which nodes are ordered: those with the lowest are asked. ``output``: of the author's VRF for the epoch;
    ``asked`` and ``turn``: whom its duty was to check, and which of the conversation's answers it is."""
    return hashlib.sha256(b"gentorrent/scorers/v1" + output + asked + bytes((turn,)) + node).digest()


def established(basis: Basis, model: bytes, without: Collection[NodeId]) -> frozenset[NodeId]:
    """The nodes of standing that have been judged for this model last."""
    return frozenset(
        node
        for node, served in basis.serving.items()
        if served == model
        and node not in without
        and (standing := basis.standings.get(node)) is not None
        and standing.reputation >= THRESHOLD
        and not standing.excluded
    )


def drawn(
    basis: Basis,
    model: bytes,
    output: bytes,
    asked: NodeId,
    turn: int,
    listed: Iterable[NodeId],
    without: Collection[NodeId],
    most: int = MAX_REPORTS,
) -> list[NodeId]:
    """Whom the author asks, in this order: at most nine (``most``) of standing or, where fewer than three have any, of
    all of ``listed`` that are not excluded. ``without``: the judged one, the one that was asked, and members."""
    pool = established(basis, model, without)
    if len(pool) < MIN_REPORTS:
        pool = frozenset(node for node in listed if node not in without and not _excluded(basis, node))
    return sorted(pool, key=lambda node: place(output, asked, turn, node))[:most]


def check_draw(
    basis: Basis,
    model: bytes,
    output: bytes,
    asked: NodeId,
    turn: int,
    scorers: Sequence[NodeId],
    without: Collection[NodeId],
) -> None:
    """:class:`VerificationError` for scorers that cannot have been drawn."""
    places = [place(output, asked, turn, node) for node in scorers]
    if places != sorted(set(places)):
        raise VerificationError("Scorers are not in the order in which they were drawn, or one stands twice.")
    if any(node in without for node in scorers):
        raise VerificationError("Who is judged, was asked or sits in the committee has scored the answer.")
    if any(_excluded(basis, node) for node in scorers):
        raise VerificationError("A node that is excluded has scored an answer.")
    pool = established(basis, model, without)
    if len(pool) >= MIN_REPORTS and not set(scorers) <= set(drawn(basis, model, output, asked, turn, (), without)):
        raise VerificationError("An answer was scored by a node that was not drawn for it.")


def unrelated(directory: Directory, nodes: Iterable[NodeId], to: Collection[NodeId]) -> list[NodeId]:
    """Of ``nodes``, in their order, those that share no declared family and no prefix (unless the network is of one
    prefix) with one before them or with any of ``to``; who is not listed any more shares none."""
    families, prefixes = set[str](), set[str]()
    found: list[NodeId] = []
    for node_id, is_other in [*((node, False) for node in to), *((node, True) for node in nodes)]:
        family, prefix = _relations(directory.get(node_id), directory)
        if is_other:
            if family in families or prefix in prefixes:
                continue
            found.append(node_id)
        families |= {family} - {""}
        prefixes |= {prefix} - {""}
    return found


def serving_now(directory: Directory, model: bytes) -> list[NodeId]:
    """The listed nodes with the model of this digest that are not away."""
    return [node.node_id for node in directory.nodes() if serves(node, model) and not node.away]


def _relations(node: DirectoryNode | None, directory: Directory) -> tuple[str, str]:
    if node is None:
        return "", ""
    return node.descriptor.family, "" if directory.parameters.one_prefix else node.prefix


def _excluded(basis: Basis, node: NodeId) -> bool:
    standing = basis.standings.get(node)
    return standing is not None and standing.excluded
