"""What engines that tests start hang on: a pipe that closes when the process of the tests ends, however it ends."""

from __future__ import annotations

import os
from functools import cache

from engine.lifeline import VARIABLE

ENVIRONMENT = {VARIABLE: "1", "GENTORRENT_KEYRING": "off", "GENTORRENT_SENSORS": "false"}
"""For a program that is to end with its standard input."""


@cache
def lifeline() -> int:
    """The end to give as standard input. The other end stays open in this process alone, for as long as it lives."""
    reading, _ = os.pipe()
    return reading
