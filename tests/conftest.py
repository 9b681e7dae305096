"""What every test shares: Qt without a screen, one place for skips, and what may run side by side.

Tests of the window (`tests/ui`, or marked `qt`) need Qt's system libraries. Where those are missing, these tests are
skipped by name with the command that helps. Those marked `raw_capture` are skipped by name where no packet may be
watched. With `GENTORRENT_REQUIRE_ALL=1` a missing prerequisite
is an error instead.
"""

import importlib.util
import os
import signal
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tools.system_libraries import advice, missing_packages

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# No test reaches the keyring, the data directory or the model hub of whoever runs it.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
for _name in [name for name in os.environ if name.startswith("GENTORRENT_")]:
    if not _name.startswith("GENTORRENT_REQUIRE_"):  # what must not be skipped, for the tests themselves
        del os.environ[_name]
# Tests load the machine themselves; engines under test shall not give it back to them.
os.environ["GENTORRENT_SENSORS"] = "false"
# Shells start background jobs with Ctrl-C ignored, which the programs under test would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes is up to what else the machine does; pytest-timeout ends what hangs.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

HERE = Path(__file__).resolve().parent
PATIENCE = 5
"""A test's limit of time is there to end what hangs. Beside much else everything takes several times as long as on a
calm machine, for which limits are written, so each is multiplied by this."""


def why_no_qt() -> str | None:
    """Why the window cannot be tested here, or None when it can."""
    if importlib.util.find_spec("PySide6") is None:
        return "PySide6 is not installed: make test installs it"
    packages = missing_packages()
    return advice(packages) if packages else None


NO_QT = why_no_qt()
if NO_QT and os.environ.get("GENTORRENT_REQUIRE_ALL") == "1":
    raise pytest.UsageError(NO_QT)


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Take pytest-qt out where it could not be loaded: it imports Qt for every run, whatever is tested."""
    if NO_QT:
        plugin = pluginmanager.get_plugin("pytest-qt")
        if plugin is not None:
            pluginmanager.unregister(plugin)


class SkippedModule(pytest.Module):
    """A test module that stands in the report as skipped, unimported."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        pytest.skip(f"{self.name}: {NO_QT}", allow_module_level=True)


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    if NO_QT and HERE / "ui" in module_path.parents:
        return SkippedModule.from_parent(parent, path=module_path)
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by folder: what loads or watches the whole machine runs one after the other (see tools/run_tests.py)."""
    for item in items:
        if HERE / "e2e" in item.path.parents or HERE / "nat" in item.path.parents:
            item.add_marker(pytest.mark.e2e)
        if HERE / "ui" in item.path.parents:
            item.add_marker(pytest.mark.qt)
        limit = item.get_closest_marker("timeout")
        seconds = limit.args[0] if limit is not None else float(item.config.getini("timeout"))
        item.add_marker(pytest.mark.timeout(PATIENCE * seconds), append=False)
        if NO_QT and item.get_closest_marker("qt"):
            item.add_marker(pytest.mark.skip(reason=NO_QT))
        required = os.environ.get("GENTORRENT_REQUIRE_ALL") == "1"  # then these fail where they cannot run
        if item.get_closest_marker("raw_capture") and not required and not may_capture():
            item.add_marker(pytest.mark.skip(reason="opening a raw packet socket needs root (or CAP_NET_RAW) on Linux"))


def may_capture() -> bool:
    """Whether this process may open a raw packet socket."""
    import socket

    if not hasattr(socket, "AF_PACKET"):
        return False
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError:
        return False
    return True
