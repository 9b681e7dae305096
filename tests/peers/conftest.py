"""Real servers from the package index. Collected by `make test-peers` alone: they come with `make bench-setup`."""

import os

if os.environ.get("TEST_PEERS") != "1":
    collect_ignore_glob = ["test_*.py"]
