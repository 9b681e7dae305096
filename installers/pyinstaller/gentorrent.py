"""The one executable of a bundle: the program ``gentorrent``, and every child process that it starts.

Without arguments it opens the window, as somebody who double-clicks it expects.
"""

import multiprocessing
import os
import sys


def leave_the_loader_alone() -> None:
    """What the bundle's own libraries are found by must not reach programs of the system that we start (a browser)."""
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBPATH"):
        before = os.environ.pop(f"{name}_ORIG", None)
        if before is not None:
            os.environ[name] = before
        elif name in os.environ:
            del os.environ[name]


def main() -> None:
    multiprocessing.freeze_support()
    leave_the_loader_alone()
    # Another process of this executable is a whole one: it finds its libraries by itself.
    os.environ["PYINSTALLER_RESET_ENVIRONMENT"] = "1"
    from engine.programs import run_module_of_ours

    if run_module_of_ours(sys.argv[1:]):
        return
    from engine.cli import main as program

    program(sys.argv[1:] or ["app"])


if __name__ == "__main__":
    main()
