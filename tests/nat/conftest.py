"""Whether the laboratory can run here, and one for all tests of a module."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nat.laboratory import Laboratory, missing


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """The internet with a TURN server, without any machines yet."""
    lacks = missing()
    if lacks:
        text = f"the NAT laboratory needs {lacks}"
        if os.environ.get("GENTORRENT_REQUIRE_NAT") == "1" or os.environ.get("GENTORRENT_REQUIRE_ALL") == "1":
            pytest.fail(f"{text}, and GENTORRENT_REQUIRE_NAT=1 allows no skip")
        pytest.skip(text)
    folder: Path = tmp_path_factory.mktemp("laboratory")
    with Laboratory(folder) as made:
        yield made
