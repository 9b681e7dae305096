"""What a member answers when another one asks for news. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from engine.forwarding.digests import Chunk
from engine.forwarding.hr_tree import HrTree
from engine.forwarding.known import Known
from engine.forwarding.states import state_messages
from engine.ids import NodeId
from engine.wire.group import GroupMessage, GroupNews, SignedStatement

MAX_STATEMENTS = 64
"""In one message,"""
MAX_BYTES = 60_000
"""of so many bytes at most."""
_OVERHEAD = 100  # bytes of a statement beside its record


def answer(
    model: bytes,
    known: Known,
    incarnation: int,
    content: int,
    tree: HrTree[NodeId],
    told: Collection[Chunk] | None,
) -> list[GroupMessage]:
    """What leads to the newest statement of ``known`` (who is in step) for who knows its cache as of statement
    ``content``: the changes since, or its whole state, which is ``told`` where that is not in the tree."""
    if known.newest is None:
        return []
    steps = [known.newest] if known.newest.said.leaving else known.since(incarnation, content)
    if steps is not None:
        return [GroupNews(model, (step.signed,)) for step in steps]
    if told is None and not tree.complete(known.node_id):
        return []
    chunks = list(told) if told is not None else tree.chunks(known.node_id)
    states = state_messages(model, known.node_id, known.incarnation, known.content, chunks, tree.bits)
    return [GroupNews(model, (known.newest.signed,)), *states]


def together(model: bytes, messages: Iterable[GroupMessage]) -> list[GroupMessage]:
    """The same with statements that follow each other in one message, as far as it may hold them."""
    gathered: list[GroupMessage] = []
    waiting: list[SignedStatement] = []
    size = 0

    def close() -> None:
        if waiting:
            gathered.append(GroupNews(model, tuple(waiting)))
            waiting.clear()

    for message in messages:
        if not isinstance(message, GroupNews):
            close()
            gathered.append(message)
            continue
        for signed in message.statements:
            more = len(signed.record) + _OVERHEAD
            if waiting and (size + more > MAX_BYTES or len(waiting) >= MAX_STATEMENTS):
                close()
            size = more if not waiting else size + more
            waiting.append(signed)
    close()
    return gathered
