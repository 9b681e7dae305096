"""The user's Run key in the registry, whose values are commands that Windows starts at login. Nothing for others."""

from __future__ import annotations

import importlib
import subprocess
from collections.abc import Sequence
from typing import Any

from app.i18n import tr

KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
APPROVED = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
"""Where the task manager notes that a start was switched off: the first byte is odd then."""
NAME = "GenTorrent"
MOST_CHARACTERS = 260
"""Of a command in the Run key; Windows ignores longer ones."""


class RunKey:
    """The value of this user. ``registry`` is the module ``winreg``, or what a test has in its place."""

    def __init__(self, registry: Any = None) -> None:
        self._registry = registry if registry is not None else importlib.import_module("winreg")

    def enabled(self) -> bool:
        """Whether the value is there and the user has not switched it off elsewhere."""
        if not self._value(KEY):
            return False
        switched = self._value(APPROVED)
        return not (isinstance(switched, bytes) and switched[:1] and switched[0] & 1)

    def enable(self, command: Sequence[str]) -> None:
        """Make or replace the value; what switched it off elsewhere is taken back."""
        line = subprocess.list2cmdline(command)
        if len(line) > MOST_CHARACTERS:
            raise OSError(tr("Windows starts no command of more than %Ln characters", "", MOST_CHARACTERS))
        with self._registry.CreateKey(self._registry.HKEY_CURRENT_USER, KEY) as key:
            self._registry.SetValueEx(key, NAME, 0, self._registry.REG_SZ, line)
        self._delete(APPROVED)

    def disable(self) -> None:
        """Remove the value; there may be none."""
        self._delete(KEY)

    def _value(self, path: str) -> Any:
        try:
            with self._registry.OpenKey(self._registry.HKEY_CURRENT_USER, path) as key:
                return self._registry.QueryValueEx(key, NAME)[0]
        except FileNotFoundError:
            return None

    def _delete(self, path: str) -> None:
        try:
            access = self._registry.KEY_SET_VALUE
            with self._registry.OpenKey(self._registry.HKEY_CURRENT_USER, path, 0, access) as key:
                self._registry.DeleteValue(key, NAME)
        except FileNotFoundError:
            pass
