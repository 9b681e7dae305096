"""Files that leave the window: on a full disk what was there stays, and nothing poses as whole."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.views.pdf_export import PdfExport
from app.views.whole_file import WholeFile
from tests.ui.conftest import Drive, until
from tests.ui.test_exports import exported

pytestmark = [
    pytest.mark.usefixtures("qapp"),
    pytest.mark.skipif(sys.platform == "win32", reason="there is no limit for the sizes of files there"),
]
ROOM = 20_000
"""Bytes."""


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """Every file can grow to ``ROOM`` bytes; a write beyond takes a part, and the next one fails."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def opened(path: Path) -> WholeFile:
    path.write_text("what was there", "utf-8")
    file = WholeFile(str(path))
    assert file.begin()
    return file


def assert_untouched(path: Path) -> None:
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.read_text("utf-8") == "what was there"


@pytest.mark.parametrize("pieces", [[b"a"], [b"ab" * 100_000], [b"abc" * 1000] * 50, [b"", b"a\0b" * 30_000, b"c"]])
def test_all_of_it_is_written(tmp_path: Path, pieces: list[bytes]) -> None:
    file = opened(tmp_path / "a.md")
    for piece in pieces:
        file.write(piece)
    assert file.finish() == ""
    assert (tmp_path / "a.md").read_bytes() == b"".join(pieces)


@pytest.mark.parametrize("pieces", [[b"a" * 100_000], [b"a" * 1000] * 50, [b"a" * ROOM, b"b"]])
def test_a_disk_that_was_full_for_a_moment_leaves_no_gap(tmp_path: Path, pieces: list[bytes]) -> None:
    file = opened(tmp_path / "a.md")
    with full_disk():
        for piece in pieces:
            file.write(piece)
    assert file.problem == "File too large"
    file.write(b"the rest")
    assert file.finish() == "File too large"
    assert_untouched(tmp_path / "a.md")


def test_a_pdf_on_a_disk_that_was_full_for_a_moment_is_not_written(drive: Drive, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_text("what was there", "utf-8")

    async def scenario() -> None:
        problems: list[str] = []
        pdf = PdfExport(exported(40), str(path))
        pdf.done.connect(problems.append)
        with full_disk():
            pdf.start()
            await until(lambda: pdf._file.problem or problems)
        await until(lambda: problems)
        assert problems == ["File too large"]
        assert_untouched(path)

    drive(scenario())


def test_a_mistake_of_ours_ends_a_pdf_and_is_not_hidden(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, fault, trace: faults.append(kind))
    monkeypatch.setattr(PdfExport, "_paint_page", lambda *_: 1 / 0)

    async def scenario() -> None:
        problems: list[str] = []
        pdf = PdfExport(exported(1), str(tmp_path / "a.pdf"))
        pdf.done.connect(problems.append)
        pdf.start()
        await until(lambda: problems)
        assert problems == ["a mistake of GenTorrent itself"]
        assert list(tmp_path.iterdir()) == []
        await until(lambda: faults)
        assert faults == [ZeroDivisionError]

    drive(scenario())
