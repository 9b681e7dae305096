"""How this installation starts a module of its own as another process: in a checkout, in a wheel, in a frozen bundle.

A Python takes ``-m MODULE``. A bundle is one executable, which understands the same two words for the modules of this
project (`run_module_of_ours`), so that window, engine, inference worker and bootstrap server start from it.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence

_OURS = ("app", "engine")


def frozen() -> bool:
    """Whether this is a bundle's executable, without a Python around it."""
    return bool(getattr(sys, "frozen", False))


def module_command(module: str, *arguments: str, isolated: bool = False) -> list[str]:
    """The command line that runs ``module`` with ``arguments``. ``isolated``: without the working directory among the
    places that modules are looked for in, which no bundle has."""
    before = ["-P"] if isolated and not frozen() else []
    return [sys.executable, *before, "-m", module, *arguments]


def run_module_of_ours(arguments: Sequence[str]) -> bool:
    """In a bundle: do what ``-m MODULE ...`` asks for, and say whether it was that. Other modules than ours are not
    run: a bundle is no Python for everybody."""
    if len(arguments) < 2 or arguments[0] != "-m" or arguments[1].partition(".")[0] not in _OURS:
        return False
    sys.argv = [sys.executable, *arguments[2:]]
    runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    return True
