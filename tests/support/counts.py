"""How thorough a test is: `make test` takes the counts as they stand, `make test-long-inference` many times as many."""

from __future__ import annotations

import os

FACTOR = int(os.environ.get("TEST_FACTOR", "1"))


def examples(count: int) -> int:
    """So many examples, times the environment's factor."""
    return count * FACTOR
