"""What must not be in a bundle: unknown parts, parts under the GPL, places of the machine that it was built on."""

import importlib.util
import sys
from pathlib import Path

import pytest

from tools.bundle_contents import (
    Part,
    is_free_of_gpl,
    libraries,
    problems_of_libraries,
    problems_of_packages,
    problems_of_paths,
    read_table,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("licence", "free"),
    [
        ("MIT", True),
        ("LGPL-3.0-only", True),
        ("LGPL-3.0-only OR GPL-2.0-only", True),
        ("GPL-2.0-or-later WITH Bootloader-exception", True),
        ("GPL-3.0-only", False),
        ("AGPL-3.0-or-later", False),
        ("MIT AND GPL-2.0-only", False),
    ],
)
def test_which_licences_are_accepted(licence, free):
    assert is_free_of_gpl(licence) is free


def test_every_part_of_the_table_is_accepted():
    parts = read_table()
    assert len(parts) > 80
    assert [part.name for part in parts if not is_free_of_gpl(part.licence)] == []


def test_codecs_readline_and_nvidias_libraries_are_refused():
    names = ["av.libs/libx264-d6533a8d.so.165", "libreadline.so.8", "libcudart.so.13", "libz.so.1"]
    assert [problem.partition(":")[0] for problem in problems_of_libraries(names, read_table())] == names[:3]


def test_a_part_under_the_gpl_is_named():
    parts = [Part("readline", "GPL-3.0-or-later", "https://x.example", files=("libreadline*",))]
    assert problems_of_libraries(["libreadline.so.8"], parts) == [
        "libreadline.so.8: readline is under GPL-3.0-or-later"
    ]
    assert problems_of_packages(["readline", "other"], parts) == [
        "the Python package other stands in no part of parts.toml",
        "the Python package readline is under GPL-3.0-or-later",
    ]


def test_a_place_of_the_machine_is_named():
    contents = {"a": b"x/home/me/gentorrent/engine/cli.py", "b": b"engine/cli.py"}
    assert problems_of_paths(contents, ["/home/me/gentorrent"]) == ["a names /home/me/gentorrent"]


def test_a_library_is_known_by_its_first_bytes_too(tmp_path):
    inside = tmp_path / "_internal"
    inside.mkdir()
    (inside / "codec.dat").write_bytes(b"\x7fELF...")
    (inside / "text.dat").write_bytes(b"text")
    (inside / "libx.so.6").write_bytes(b"")
    assert libraries(tmp_path) == ["codec.dat", "libx.so.6"]


def test_the_stand_in_for_pyav_says_that_it_is_one(monkeypatch):
    folder = ROOT / "installers" / "pyinstaller" / "stand_ins"
    for name in [name for name in sys.modules if name.partition(".")[0] == "av"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(folder))
    specification = importlib.util.find_spec("av")
    assert specification is not None
    assert Path(specification.origin).is_relative_to(folder)
    module = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, "av", module)
    specification.loader.exec_module(module)
    with pytest.raises(NotImplementedError, match="no PyAV"):
        module.AudioFrame(format="s16")
    with pytest.raises(NotImplementedError, match="no PyAV"):
        module.CodecContext.create("libx264", "w")
    monkeypatch.delitem(sys.modules, "av._absent")
