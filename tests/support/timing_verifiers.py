"""The demo's verifiers, which time claims of speed as often as ``TEST_TIMED_EVERY`` seconds: else a test of
real processes would take a day. ``python -m tests.support.timing_verifiers`` with their arguments."""

import os
from typing import Any

from engine.demo.verifiers import main
from engine.node import capacity_role
from engine.verification.capacity.draw import Rates

if __name__ == "__main__":
    seconds = float(os.environ["TEST_TIMED_EVERY"])
    replaced: Any = capacity_role
    replaced.USUAL = Rates(unknown=seconds, known=2 * seconds)
    main()
