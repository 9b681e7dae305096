"""What several scorers have found together: the majority's median, or nothing."""

import random

import pytest

from engine.errors import VerificationError
from engine.verification.large_models.majority import majority, open_scoring
from engine.wire.challenges import Score
from tests.support.judging import judging, score
from tests.support.records import identity
from tests.unit.verification.large_models.answers import NODE, SCORERS, begun, shown

NODES = [identity(number).node_id for number in range(9)]


def found(*likelihoods: int) -> tuple[Score, set[int]]:
    given = [(NODES[number], score(likelihood)) for number, likelihood in enumerate(likelihoods)]
    settled, against = majority(given)
    return settled, {NODES.index(node) for node in against}


@pytest.mark.parametrize(
    ("likelihoods", "expected", "against"),
    [
        ((-3_000, -3_000, -3_000), -3_000, set()),
        ((-3_000, -2_500, 5_000), -2_500, {2}),
        ((5_000, -3_000, -2_400), -2_400, {0}),
        ((-5_000, -4_000, -3_000), -4_000, {2}),  # two majorities: the lower one, as with all scores
        ((-5_000, 0, 5_000), 0, set()),
        ((4_000, 4_100, 4_900, -5_000), 4_100, {3}),
        ((4_000, 4_100, -4_000, -4_100), 0, set()),
        ((4_000, 4_100, 4_200, -4_000, -4_100), 4_100, {3, 4}),
    ],
)
def test_the_most_that_agree_count_if_they_are_more_than_half(
    likelihoods: tuple[int, ...], expected: int, against: set[int]
) -> None:
    settled, others = found(*likelihoods)
    assert (settled.likelihood, others) == (expected, against)
    if not expected:
        assert settled.verdict == 0


def test_a_lying_minority_of_any_size_changes_nothing_that_matters() -> None:
    dice = random.Random(7)
    for _ in range(300):
        count = dice.choice((3, 5, 7, 9))
        truth = dice.choice((-4_000, 4_000))
        honest = [truth + dice.randint(-400, 400) for _ in range(count // 2 + 1)]
        lies = [dice.randint(-5_000, 5_000) for _ in range(count - len(honest))]
        settled, _ = found(*dice.sample(honest + lies, count))
        assert settled.likelihood * truth > 0
        assert abs(settled.likelihood - truth) <= 1_400


def test_scores_of_different_lengths_do_not_agree() -> None:
    given = [score(-3_000), score(-3_000, tokens=20), score(3_000)]
    settled, against = majority(list(zip(NODES, given, strict=False)))
    assert (settled.likelihood, settled.verdict, settled.tokens, against) == (0, 0, 20, frozenset())


def test_reports_must_be_signed_by_different_nodes_about_one_answer() -> None:
    network = begun()
    evidence = shown(network)
    fine = network.scoring(evidence, [(node, score()) for node in SCORERS])
    opened = open_scoring(fine, network.network_id)
    assert opened.score == score()
    assert set(opened.scorers) == {node.node_id for node in SCORERS}
    twice = network.scoring(evidence, [(node, score()) for node in (*SCORERS, SCORERS[0])])
    with pytest.raises(VerificationError, match="twice"):
        open_scoring(twice, network.network_id)
    (one, *rest) = opened.scoring.reports
    other = open_scoring(
        network.scoring(evidence, [(node, score()) for node in SCORERS], transcript=bytes(32)), network.network_id
    ).scoring.reports
    mixed = network.scoring(evidence, [], reports=(one, *other[1:]))
    with pytest.raises(VerificationError, match="different answers"):
        open_scoring(mixed, network.network_id)
    wrong = type(one)(record=one.record, key=NODE.public_key, signature=one.signature)
    with pytest.raises(VerificationError, match="another key"):
        open_scoring(network.scoring(evidence, [], reports=(wrong, *rest)), network.network_id)
    forged = type(one)(record=one.record, key=one.key, signature=bytes(64))
    with pytest.raises(VerificationError, match="signature"):
        open_scoring(network.scoring(evidence, [], reports=(forged, *rest)), network.network_id)
    with pytest.raises(VerificationError, match="another network"):
        open_scoring(fine, judging(first=5_000).network_id[::-1])
    nonsense = network.scoring(evidence, [(node, Score(32, 9_000, 0, 2)) for node in SCORERS])
    with pytest.raises(VerificationError, match="out of bounds"):
        open_scoring(nonsense, network.network_id)
