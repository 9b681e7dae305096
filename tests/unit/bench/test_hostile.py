"""Forged things are refused, and the counting would show one that is not."""

from __future__ import annotations

import pytest

from engine.bench.verification import hostile
from engine.bench.verification.hostile import TRIES, Tried, count_refused


@pytest.mark.parametrize("name", TRIES)
def test_all_are_refused(name: str) -> None:
    found = TRIES[name](48, 3)
    assert found.tried == found.refused == 48
    assert found.kinds >= 3


def test_what_is_not_refused_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert count_refused(3, iter([True, False, True, True]), 2) == Tried(3, 2, 2)
    monkeypatch.setattr(hostile, "check_entry", lambda entry, members, network: None)
    assert hostile.invented_scores(10, 1).refused == 0
    monkeypatch.setattr(hostile, "verify_against", lambda receipt, **known: [])
    assert 0 < hostile.forged_receipts(80, 1).refused < 80  # signatures alone show most of them
