"""Runs the tests in two passes: side by side what can be, then one after the other what loads or watches the machine.

    python -m tools.run_tests [--workers N] [options and paths for pytest]

The second pass is everything in `tests/e2e` and `tests/ui` (marked `e2e` and `qt` by `tests/conftest.py`). One pass
with xdist's groups would do the same, but xdist 3.8 does not see its groups with pytest 9.2.
"""

import argparse
import subprocess
import sys

NO_TESTS = 5
"""pytest's exit code when nothing was selected; the other pass may have had something."""
ALONE = "e2e or qt"


def main() -> int:
    """The exit code: 0 if all tests passed, else that of the first pass that failed."""
    parser = argparse.ArgumentParser(description="Run the tests.")
    parser.add_argument("--workers", default="2", help="processes of the first pass (2)")
    arguments, others = parser.parse_known_args()
    passes = [["-n", arguments.workers, "-m", f"not ({ALONE})"], ["-m", ALONE]]
    codes = [subprocess.call([sys.executable, "-m", "pytest", *options, *others]) for options in passes]
    failed = [code for code in codes if code not in (0, NO_TESTS)]
    if failed:
        return failed[0]
    return 0 if 0 in codes else NO_TESTS


if __name__ == "__main__":
    sys.exit(main())
