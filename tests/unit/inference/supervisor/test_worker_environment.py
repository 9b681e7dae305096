"""What a worker is given of the engine's environment."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from engine.inference.supervisor.process import worker_environment

HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")
ALLOCATE = """
data = bytearray(64 << 20)
for line in open("/proc/self/smaps_rollup"):
    if line.startswith("AnonHugePages:"):
        print(line.split()[1])
"""


def test_no_secret_and_no_proxy_is_passed_on():
    given = {
        "GENTORRENT_API_KEY": "x",
        "HF_TOKEN": "x",
        "HTTPS_PROXY": "x",
        "PYTHONPATH": "x",
        "HOME": "/h",
        "LC_ALL": "C",
    }
    passed = worker_environment(given)
    assert {"HOME", "LC_ALL"} <= passed.keys()
    assert not {"GENTORRENT_API_KEY", "HF_TOKEN", "HTTPS_PROXY", "PYTHONPATH"} & passed.keys()


def test_large_pieces_of_memory_lie_in_huge_pages():
    """The weights of a model do."""
    if platform.libc_ver()[0] != "glibc" or not HUGE_PAGES.exists() or "[never]" in HUGE_PAGES.read_text():
        pytest.skip("this system gives no huge pages")
    environment = worker_environment(dict(os.environ))
    done = subprocess.run([sys.executable, "-c", ALLOCATE], env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) >= 32 << 10  # KiB
