"""The bundle of this checkout, built once if need be, and an empty root around it."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.bundle.empty_root import BASE, DESKTOP, EmptyRoot, missing

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def bundle() -> Path:
    """`dist/GenTorrent`, of this checkout as it is now, which takes some minutes if it is not there yet."""
    pytest.importorskip("PyInstaller")
    built = subprocess.run(
        [sys.executable, "-m", "tools.bundle", "--if-changed"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr[-4000:]
    return ROOT / "dist" / "GenTorrent"


@pytest.fixture(scope="session")
def make_root(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Sequence[str]], EmptyRoot]:
    """Makes a file system without Python, with these libraries."""
    lacks = missing()
    if lacks:
        text = f"an empty root needs {lacks}"
        if os.environ.get("GENTORRENT_REQUIRE_ALL") == "1":
            pytest.fail(text)
        pytest.skip(text)
    return lambda libraries: EmptyRoot(tmp_path_factory.mktemp("root"), bundle, libraries)


@pytest.fixture(scope="session")
def empty_root(make_root: Callable[[Sequence[str]], EmptyRoot]) -> EmptyRoot:
    """A server without a desktop."""
    return make_root(BASE)


@pytest.fixture(scope="session")
def desktop_root(make_root: Callable[[Sequence[str]], EmptyRoot]) -> EmptyRoot:
    """A machine with what a window needs."""
    return make_root(DESKTOP)
