"""Pause gives the memory back within a second, whatever the machine is doing; ``make test-long-pause`` does it more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pause.tries import Kind, Pausing, pausing

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pausing]:
    with pausing(tmp_path_factory.mktemp("pause"), relays=0) as found:
        yield found


@pytest.mark.parametrize("kind", ["long prefill", "prefill", "decode", "finish"])
def test_memory_is_free_within_a_second_and_no_answer_is_lost(here: Pausing, kind: Kind) -> None:
    told = here.once(0, kind)
    assert told.problems == ()
