"""What the tests need of the system: Qt's libraries for a window without a screen, and programs of the NAT laboratory.

`python -m tools.system_libraries` says what is missing; `--install` installs it with apt when that is possible
(Debian-like system, root), else prints the exact command. The engine and `make demo` need none of these.
"""

import argparse
import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

#: Shared library that Qt loads -> Debian package that brings it.
QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
}
#: Program that the NAT laboratory runs -> Debian package that brings it.
NAT_PROGRAMS = {"ip": "iproute2", "nft": "nftables", "turnserver": "coturn"}
#: Shared library of Qt's X11 plugin, and programs of the desktop that the tray is tested with -> their packages.
X11_LIBRARIES = {
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
}
DESKTOP_PROGRAMS = {"Xvfb": "xvfb", "dbus-daemon": "dbus-daemon", "dbus-send": "dbus-bin"}
SYSTEMD = Path("/run/systemd/system")
APT_SECONDS = 600


def missing_packages() -> list[str]:
    """The Debian packages whose libraries cannot be loaded here; empty on systems where Qt brings its own."""
    if not sys.platform.startswith("linux"):
        return []
    return [package for library, package in QT_LIBRARIES.items() if not loads(library)]


def missing_programs() -> list[str]:
    """The Debian packages of what the NAT laboratory lacks; empty where there can be none."""
    if not sys.platform.startswith("linux"):
        return []
    search = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return [package for name, package in NAT_PROGRAMS.items() if not shutil.which(name, path=search)]


def missing_desktop() -> list[str]:
    """The Debian packages that a window on an X server with a tray lacks; empty where there can be none."""
    if not sys.platform.startswith("linux"):
        return []
    libraries = [package for library, package in X11_LIBRARIES.items() if not loads(library)]
    return libraries + [package for name, package in DESKTOP_PROGRAMS.items() if not shutil.which(name)]


def loads(library: str) -> bool:
    """Whether the dynamic linker finds `library`."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def advice(packages: list[str]) -> str:
    """One sentence: what is missing, what it means, and the command that helps."""
    return (
        f"System packages are missing ({' '.join(packages)}), so {' and '.join(without(packages))} are skipped. "
        f"To run them: sudo apt-get install --no-install-recommends {' '.join(packages)}"
    )


def without(packages: list[str]) -> list[str]:
    """The tests that cannot run without these packages."""
    found = []
    if set(packages) & set(QT_LIBRARIES.values()):
        found.append("the tests of the window")
    if set(packages) & {*X11_LIBRARIES.values(), *DESKTOP_PROGRAMS.values()}:
        found.append("the test of the tray")
    if set(packages) & set(NAT_PROGRAMS.values()):
        found.append("the tests with routers (tests/nat)")
    return found


def everything_missing() -> list[str]:
    """All packages that some test lacks."""
    return missing_packages() + missing_programs() + missing_desktop()


def can_install() -> bool:
    """Whether this is a Debian-like system and we are root on it."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: list[str]) -> bool:
    """Install `packages` with apt, without questions; true when apt said that it worked."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    print(f"[setup] installing system libraries: {' '.join(packages)}", flush=True)
    commands: tuple[list[str], ...] = (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    )
    if "coturn" in packages and SYSTEMD.exists():
        # Debian would start it as a public server, now and at every boot; here only tests start it.
        commands = (
            ["systemctl", "mask", "coturn.service"],
            *commands,
            ["systemctl", "unmask", "coturn.service"],
            ["systemctl", "disable", "coturn.service"],
        )
    for command in commands:
        try:
            result = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=APT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            print(f"[setup] {' '.join(command[:2])} took longer than {APT_SECONDS} s and was stopped.", file=sys.stderr)
            return False
        # A failed update still leaves the lists of the last one, which may do.
        if result.returncode and command[1] == "install":
            print(f"[setup] apt-get said:\n{(result.stdout + result.stderr)[-2000:]}", file=sys.stderr)
            return False
    return True


def main() -> int:
    """Say or mend what is missing; the exit status is 0 when nothing is."""
    parser = argparse.ArgumentParser(description="Check what the tests need of the system.")
    parser.add_argument("--install", action="store_true", help="install it, when root on a Debian-like system")
    wanted = parser.parse_args().install
    packages = everything_missing()
    if packages and wanted and can_install():
        install(packages)
        packages = everything_missing()
    if packages:
        print(f"[setup] {advice(packages)}", file=sys.stderr)
    return 1 if packages else 0


if __name__ == "__main__":
    sys.exit(main())
