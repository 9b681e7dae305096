"""What the window was started with: its own options, and those that it hands to the engine it starts."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

DATA_VARIABLE = "GENTORRENT_DATA"


@dataclass(frozen=True, slots=True)
class Options:
    """``engine_options`` are arguments of ``gentorrent node``, in order."""

    data_directory: Path
    engine_options: tuple[str, ...] = ()
    autostarted: bool = False
    """Whether the system started the window by itself, when the computer started."""
    own_directory: bool = False
    """Whether the data directory is another one than the user account's own."""


def parse(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Options:
    """Read the command line of ``python -m app``; ends the program with code 2 on bad usage, 0 after ``--help``."""
    given = _parser().parse_args(arguments)
    found = os.environ if environment is None else environment
    directory = given.data or found.get(DATA_VARIABLE, "").strip()
    options: list[str] = []
    for name in (
        "bootstrap",
        "join",
        "api_port",
        "contribute",
        "relay_bandwidth",
        "max_tokens_per_second",
        "threads",
        "cache_memory",
        "log_level",
    ):
        value = getattr(given, name)
        if value is not None:
            options += [f"--{name.replace('_', '-')}", value]
    if given.no_relay:
        options.append("--no-relay")
    if given.relayed_only:
        options.append("--relayed-only")
    own = _default_directory()
    chosen = Path(directory).expanduser().absolute() if directory else own
    return Options(chosen, tuple(options), given.autostarted, chosen != own)


def _default_directory() -> Path:
    """The same place that the engine takes when nothing is said."""
    import platformdirs

    return platformdirs.user_data_path("GenTorrent", appauthor=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gentorrent app",
        description="Open the window. It starts an engine, or adopts the one that runs on the data directory.",
        epilog="All options but --data are for an engine that the window starts; one that runs already keeps its own.",
        allow_abbrev=False,
    )
    parser.add_argument("--data", metavar="DIR", help=f"data directory; {DATA_VARIABLE}, or your user account's own")
    parser.add_argument("--autostarted", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--bootstrap", metavar="URL[#NETWORKID]", help="the network to join, as its operator gave it")
    parser.add_argument("--join", metavar="INVITATION", help="join a private network with its operator's invitation")
    parser.add_argument("--api-port", metavar="P", help="port of the local API (8765); 0: any free one")
    parser.add_argument("--contribute", metavar="MODEL", help="answer other people's questions with this model")
    parser.add_argument("--no-relay", action="store_true", help="do not pass on other people's traffic")
    parser.add_argument("--relayed-only", action="store_true", help="neighbours do not see this computer's address")
    parser.add_argument("--relay-bandwidth", metavar="MBIT", help="megabits per second of other people's traffic (20)")
    parser.add_argument("--max-tokens-per-second", metavar="N", help="your limit for each answer to other people")
    parser.add_argument("--threads", metavar="N", help="CPU threads for answers; 0: chosen from the machine")
    parser.add_argument("--cache-memory", metavar="MIB", help="memory for cached texts; 0: chosen from what is free")
    parser.add_argument("--log-level", metavar="LEVEL", help="of the engine: debug, info, warning or error")
    return parser
