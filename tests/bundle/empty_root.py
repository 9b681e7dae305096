"""A file system with a bundle and what every Linux has, and nothing else: no Python, no shell, no certificates."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.system_libraries import QT_LIBRARIES

EVERY_LINUX = (
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
)
"""The C library's own; what is missing on a newer system is inside of its libc.so.6."""
BASE = (*EVERY_LINUX, "libstdc++.so.6", "libgcc_s.so.1", "libz.so.1")
"""With C++'s, which ONNX Runtime wants, and zlib, which the start of the executable wants."""
DESKTOP = (*BASE, *QT_LIBRARIES, "libgthread-2.0.so.0")
"""With those of a desktop that Qt wants for a window, and what they want in turn."""
PLACE = "/opt/GenTorrent"
"""Where the bundle is, read-only."""
_BEGIN = """set -e
mount --bind "$BUNDLE" "$ROOT$PLACE"
mount -o remount,bind,ro "$ROOT$PLACE"
mount --rbind /dev "$ROOT/dev"
mount -t proc proc "$ROOT/proc"
exec chroot "$ROOT" "$PLACE/gentorrent" "$@"
"""


def missing() -> str:
    """What this machine lacks for an empty root; empty if nothing."""
    if not sys.platform.startswith("linux"):
        return "Linux"
    if os.geteuid() != 0:
        return "the rights of root (for chroot and mounts)"
    if shutil.which("unshare") is None:
        return "unshare, of util-linux"
    tried = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "the right to make namespaces"


class EmptyRoot:
    """``bundle`` is seen at ``PLACE``; all else that there is are ``libraries``, /dev, /proc and an empty /tmp."""

    def __init__(self, folder: Path, bundle: Path, libraries: Sequence[str]) -> None:
        self.folder = folder
        self._bundle = bundle
        for name in ("dev", "proc", "tmp", "root", PLACE.lstrip("/")):
            (folder / name).mkdir(parents=True)
        for library in _with_theirs(bundle / "gentorrent", libraries):
            copy = folder / library.lstrip("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, copy)

    def files(self) -> list[str]:
        """Everything that is there apart from the bundle, the kernel's folders and what was written under /tmp."""
        places = (path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())
        return sorted(place for place in places if not place.startswith(("tmp/", "root/")))

    def run(self, *arguments: str, seconds: float = 120.0) -> subprocess.CompletedProcess[str]:
        """The bundle's program with ``arguments``; what it leaves running ends with it."""
        environment = {
            "BUNDLE": str(self._bundle),
            "ROOT": str(self.folder),
            "PLACE": PLACE,
            "HOME": "/root",
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
        }
        return subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _BEGIN, "sh", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )


def _with_theirs(program: Path, libraries: Sequence[str]) -> list[str]:
    """Where the loader of ``program``, ``libraries`` and what they want in turn are on this machine."""
    loader = next(place for place in _wanted(program) if "/ld-linux" in place)
    found = {loader}
    for line in subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout.splitlines():
        name, _, place = line.strip().partition(" ")
        if name in libraries and Path(place.rpartition(" => ")[2]).exists():
            path = place.rpartition(" => ")[2]
            found |= {path, *_wanted(Path(path))}
    return sorted(found)


def _wanted(file: Path) -> list[str]:
    """The paths of what the dynamic linker loads for ``file``."""
    told = subprocess.run(["ldd", str(file)], capture_output=True, text=True, check=False).stdout
    return re.findall(r"(?:=> |^\s*)(/\S+)", told, re.MULTILINE)
