"""A report about this engine that its owner can give to strangers: how it is, what it may, what it has logged lately.

What goes into it is listed here, field by field; every text in it passes the redactor in the end.
"""

from __future__ import annotations

import getpass
import os
import platform
import socket
import time
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from engine import __version__
from engine.node.redaction import Redactor

if TYPE_CHECKING:
    from engine.node.node import Node

FORMAT = 1
_LEFT_OUT = {
    "words", "node_id", "network_id", "data_directory", "api_address", "bootstrap", "bootstrap_others", "turn_server",
    "name", "choices", "exclusive_programs", "type", "pid",
}  # fmt: skip
"""Fields of what the engine tells its owner that name somebody or something, or say again what stands elsewhere."""
_PROGRAMS = {"program", "programs"}
"""Values of sentences that name programs of the owner."""
_PACKAGES = ("onnxruntime", "onnxruntime-gpu", "aiortc", "aiohttp", "PySide6", "nvidia-ml-py")


def diagnostics(node: Node) -> str:
    """The report, as JSON text with line breaks."""
    told = list(_told(node))
    redactor = redactor_of(node, [program for one in told for program in programs_in(one)])
    report = {
        "format": FORMAT,
        "made": time.strftime("%Y-%m-%d %H:%M %z"),
        "gentorrent": __version__,
        "system": _system(),
        "settings": _settings(node),
        **{kind: shortened(value) for kind, value in told},
        "log": list(node.recent_log.lines),
    }
    return msgspec.json.format(msgspec.json.encode(redactor.value(report)), indent=2).decode("utf-8")


def redactor_of(node: Node, programs: list[str]) -> Redactor:
    """What must not be told of this machine, by value where it is known."""
    configuration = node.configuration
    directory = str(configuration.data_directory)
    tokens = [configuration.join]  # the others are known by their form
    places = [
        configuration.bootstrap,
        configuration.bootstrap_url,
        *configuration.bootstrap_others,
        configuration.family,
    ]
    state = node.state()
    ids = [state.node_id, state.network.network_id, node.keys.identity.node_id.hex()]
    networks = [state.network.name] if len(state.network.name) > 3 else []
    return Redactor(
        {
            "token": filter(None, tokens), "address": filter(None, places), "id": filter(None, ids),
            "program": filter(None, programs), "network": networks,
        },
        {"user": [_user()], "host": _hosts()},
        {"<data>": [directory], "~": [str(Path.home())]},
    )  # fmt: skip


def _user() -> str:
    """The user's name at this machine; empty where it has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def _hosts() -> list[str]:
    name = socket.gethostname()
    return [part for part in (name, name.split(".")[0]) if part and part != "localhost"]


def _system() -> dict[str, Any]:
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "name": platform.system(), "release": platform.release(), "machine": platform.machine(),
        "python": platform.python_version(), "processors": os.cpu_count(), "packages": versions,
    }  # fmt: skip


def _settings(node: Node) -> dict[str, Any]:
    """Switches and numbers; texts name places and people."""
    values = msgspec.structs.asdict(node.configuration)
    return {name: value for name, value in values.items() if isinstance(value, bool | int | float) or value is None}


def _told(node: Node) -> Iterator[tuple[str, Any]]:
    yield "state", msgspec.to_builtins(node.state())


def shortened(value: Any) -> Any:
    """Without the fields that are left out, at any depth."""
    if isinstance(value, Mapping):
        return {name: shortened(inner) for name, inner in value.items() if name not in _LEFT_OUT}
    if isinstance(value, list | tuple):
        return [shortened(inner) for inner in value]
    return value


def programs_in(value: Any) -> Iterator[str]:
    """Names of the owner's programs, wherever sentences or rules hold them."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in _PROGRAMS and isinstance(inner, str):
                yield inner
            elif name == "exclusive_programs":
                yield from inner
            else:
                yield from programs_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from programs_in(inner)
