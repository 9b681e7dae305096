"""The memory internet links the pairs of routers that real ones link, as docs/nat.md has them measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.transport.memory_routers import Passage, Router, passage

ROW = re.compile(r"^\| ([\w-]+) \| ([\w-]+) \| (direct|relayed) \|", re.MULTILINE)
KINDS = {router.value: router for router in Router}
TABLE = ROW.findall((Path(__file__).parents[3] / "docs" / "nat.md").read_text(encoding="utf-8"))
MEASURED = [row for row in TABLE if {row[0], row[1]} <= KINDS.keys()]


def test_every_pair_was_measured() -> None:
    pairs = {frozenset((one, other)) for one, other, _ in MEASURED}
    assert {frozenset((one, other)) for one in KINDS for other in KINDS} <= pairs


@pytest.mark.parametrize(("one", "other", "way"), MEASURED)
def test_pairs_are_linked_as_the_laboratory_found(one: str, other: str, way: str) -> None:
    for first, second in ((one, other), (other, one)):
        assert passage(KINDS[first], KINDS[second], turn_server=True).value == way
        without = passage(KINDS[first], KINDS[second], turn_server=False)
        assert without is (Passage.DIRECT if way == "direct" else Passage.NONE)
