"""Texts of licences: which file it is, and that nothing of it acts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import StorageError
from engine.library.licences import licence_in, shown
from engine.library.names import MAX_LICENCE, is_needed_kind, licence_among


def test_the_plainest_name_is_the_licence() -> None:
    names = ["README.md", "LICENSE-THIRD-PARTY.txt", "LICENSE", "onnx/LICENSE", "licence.exe", "COPYING"]
    assert licence_among(names) == "COPYING"
    assert licence_among(names[:-1]) == "LICENSE"
    assert licence_among(["License.md"]) == "License.md"
    assert licence_among(["README.md", "LICENSE.exe", "sub/LICENSE", "licensed", ""]) == ""
    assert is_needed_kind("LICENSE")
    assert not is_needed_kind("LICENSE.py")


def test_controls_go_and_everything_else_stays() -> None:
    text = "\ufeff<b>Mine</b>\x1b[2J\r\nYours\x00\u202e \u200b\fTheirs\tall ä\n\n"
    assert shown(text.encode()) == "<b>Mine</b>[2J\nYours \nTheirs\tall ä"
    assert shown(b"caf\xe9") == "caf\N{REPLACEMENT CHARACTER}"


@given(st.binary(max_size=2000))
def test_any_bytes_are_harmless_text(data: bytes) -> None:
    assert all(one in "\n\t" or one.isprintable() or one.isspace() for one in shown(data))


def test_what_lies_in_a_folder(tmp_path) -> None:
    assert (licence_in(tmp_path).name, licence_in(tmp_path).text) == ("", "")
    (tmp_path / "LICENSE").write_text("Do what you like.\n", encoding="utf-8")
    assert (licence_in(tmp_path).name, licence_in(tmp_path).text) == ("LICENSE", "Do what you like.")
    (tmp_path / "LICENSE").write_bytes(b"x" * (MAX_LICENCE + 1))
    assert (licence_in(tmp_path).name, licence_in(tmp_path).text) == ("LICENSE", "")
    with pytest.raises(StorageError):
        licence_in(tmp_path / "nowhere")
