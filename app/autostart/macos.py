"""A LaunchAgent in ``~/Library/LaunchAgents``, which launchd starts at login (launchd.plist(5)). Not for a daemon."""

from __future__ import annotations

import os
import plistlib
from collections.abc import Sequence
from pathlib import Path

LABEL = "org.gentorrent.window"


class LaunchAgent:
    """The agent of this user."""

    def __init__(self, home: Path) -> None:
        self.file = home / "Library" / "LaunchAgents" / f"{LABEL}.plist"

    def enabled(self) -> bool:
        """Whether the agent is there and not switched off."""
        try:
            with self.file.open("rb") as file:
                agent = plistlib.load(file)
        except (OSError, plistlib.InvalidFileException, ValueError):
            return False
        return isinstance(agent, dict) and bool(agent.get("RunAtLoad"))

    def enable(self, command: Sequence[str]) -> None:
        """Make or replace the agent; launchd reads it at the next login."""
        agent = {
            "Label": LABEL,
            "ProgramArguments": list(command),
            "RunAtLoad": True,
            "ProcessType": "Interactive",
            "LimitLoadToSessionType": "Aqua",
        }
        self.file.parent.mkdir(parents=True, exist_ok=True)
        new = self.file.with_suffix(".new")
        new.write_bytes(plistlib.dumps(agent))
        os.replace(new, self.file)

    def disable(self) -> None:
        """Remove the agent; there may be none."""
        self.file.unlink(missing_ok=True)
