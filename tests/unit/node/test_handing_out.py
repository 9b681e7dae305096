"""Whom a member believes that an answer was scored by those on whom the lot has fallen."""

from typing import Any, cast

import pytest

from engine.node import handing_out
from engine.node.handing_out import NEWS, HandingOut
from engine.verification.chain.records import RecordBook
from engine.verification.challenges.opening import open_evidence
from engine.verification.large_models.draw import place
from engine.verification.large_models.majority import open_scoring
from engine.wire.challenges import MAX_REPORTS
from tests.support.judging import score
from tests.support.records import identity
from tests.unit.verification.large_models.answers import author, begun, shown


def test_among_newcomers_an_author_cannot_choose_who_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    """No block knows who serves a new model, so members look at their directory: else three nodes of the author's own
    could condemn anybody, however many others serve the model."""
    network = begun()
    state, member, signed = network.state, author(network), shown(network)
    opened = open_evidence(signed, network.genesis.genesis, network.network_id, state.commitment_of)
    output = network.draw_output(1, member)
    listed = sorted(
        (identity(number) for number in range(20, 70)),
        key=lambda node: place(output, opened.asked, opened.evidence.turn, node.node_id),
    )
    monkeypatch.setattr(handing_out, "serving_now", lambda *_: [node.node_id for node in listed])
    monkeypatch.setattr(handing_out, "unrelated", lambda _directory, nodes, _to: list(nodes))
    book = RecordBook()
    it = HandingOut(network.members[0], book, lambda _: False)
    it.directory = cast(Any, object())

    def is_believed(first: int) -> bool:
        given = [(node, score()) for node in listed[first : first + 3]]
        return it.is_believed(opened, open_scoring(network.scoring(signed, given), network.network_id), state)

    assert not is_believed(0), "who was drawn is unknown before the author has shown its duties"
    book.add(network.show_duties(1, member), state, 2)
    assert [first for first in range(48) if is_believed(first)] == list(range(MAX_REPORTS + NEWS - 2))
