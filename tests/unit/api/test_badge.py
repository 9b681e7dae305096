"""How answers are marked: by receipts, and by what the committee says of the machines that answered."""

from __future__ import annotations

import msgspec
import pytest

from engine.api.badge import badge_of
from engine.api.schema import MachineStanding
from engine.api.service import AnswerDone

CHECKED = 1_750_000_000.0
GOOD = MachineStanding(node="a" * 40, standing="established", reputation=0.934, judged=12, passed=True, checked=CHECKED)
NEW = MachineStanding(node="b" * 40, standing="newcomer", reputation=0.3)
CHANGE = msgspec.structs.replace


def done(*standings: MachineStanding, **changes: object) -> AnswerDone:
    base = AnswerDone(
        finish_reason="stop",
        prompt_tokens=3,
        completion_tokens=4,
        served_by="a" * 40,
        receipt="verified",
        receipt_reason="Signed.",
        standings=standings,
    )
    return CHANGE(base, **changes)


def test_an_answer_of_a_machine_that_passed_is_verified_and_says_when() -> None:
    badge, reason = badge_of(done(GOOD))
    assert badge == "verified"
    assert reason == (
        "Signed. Machine aaaaaaaa was last checked by the committee on 15 Jun 2025, 15:06 UTC and passed; its"
        " reputation is 0.93 after 12 checks."
    )


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (NEW, "is new: the committee has judged none"),
        (CHANGE(GOOD, passed=False), "and did not pass"),
        (CHANGE(GOOD, standing="newcomer", reputation=0.37), "not enough yet to be established"),
    ],
)
def test_a_machine_that_has_not_passed_leaves_the_receipt(standing: MachineStanding, words: str) -> None:
    for standings in ((standing,), (GOOD, standing)):
        badge, reason = badge_of(done(*standings))
        assert badge == "signed"
        assert words in reason
        assert reason.startswith("Signed.")


def test_an_excluded_machine_vouches_for_nothing() -> None:
    badge, reason = badge_of(done(GOOD, CHANGE(GOOD, node="c" * 40, standing="excluded", reputation=0.0)))
    assert badge == "unverified"
    assert reason == (
        "Machine cccccccc is excluded: the committee found that it does not serve the model that it claims"
        " (15 Jun 2025, 15:06 UTC)."
    )


def test_without_a_receipt_nothing_helps_and_without_a_committee_the_receipt_counts() -> None:
    assert badge_of(done(GOOD, receipt="failed", receipt_reason="Wrong tokens.")) == ("unverified", "Wrong tokens.")
    assert badge_of(done()) == ("signed", "Signed.")
    local = done(served_by="local", receipt="none", receipt_reason="Answered here.")
    assert badge_of(local) == ("local", "Answered here.")


def test_an_answer_of_a_model_that_only_its_publisher_knows_is_signed_at_most() -> None:
    told = done(GOOD, unverifiable="Nobody knows this model.")
    assert badge_of(told) == ("signed", "Signed. Nobody knows this model.")
