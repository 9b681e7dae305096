"""What is text and in which encoding, and why a file is refused."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.text_files import MOST_BYTES, Refusal, TextFile, from_bytes, from_text, read
from engine.api import schema

GERMAN = "Größe und Maß der Äpfel\n"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain\r\nlines\rold\n", "plain\nlines\nold\n"),
        (GERMAN.encode(), GERMAN),
        (codecs.BOM_UTF8 + GERMAN.encode(), GERMAN),
        (GERMAN.encode("utf-16"), GERMAN),
        (codecs.BOM_UTF16_BE + GERMAN.encode("utf-16-be"), GERMAN),
        (codecs.BOM_UTF32_LE + GERMAN.encode("utf-32-le"), GERMAN),
        (GERMAN.encode("utf-16-le"), GERMAN),
        (GERMAN.encode("utf-16-be"), GERMAN),
        (GERMAN.encode("cp1252"), GERMAN),
        ("He said “quoted” – for 3 €".encode("cp1252"), "He said “quoted” – for 3 €"),
        (
            '<?xml version="1.0" encoding="koi8-r"?>\nмир'.encode("koi8-r"),
            '<?xml version="1.0" encoding="koi8-r"?>\nмир',
        ),
        ("# -*- coding: shift_jis -*-\n日本".encode("shift_jis"), "# -*- coding: shift_jis -*-\n日本"),
        ("日本語のテキスト".encode(), "日本語のテキスト"),
        (b"GIF89a is how such a picture begins", "GIF89a is how such a picture begins"),
    ],
)
def test_told_encodings(data: bytes, text: str) -> None:
    assert from_bytes("a.txt", data) == TextFile("a.txt", text)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"%PDF-1.7\n%abc", "pdf"),
        (b"{\\rtf1 text}", "document"),
        (b"PK\x03\x04\x14\x00\x06\x00", "document"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "picture"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "picture"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "binary"),
        (bytes(range(256)) * 4, "binary"),
        ("мир и война ".encode("cp1251") * 9, "encoding"),
        (b"text " * 100 + b"\x81\x8d", "encoding"),
        (b"# coding: idna\n" + b"\xe4\xf6\xfc" * 40, "encoding"),
        (b"x" * (MOST_BYTES + 1), "long"),
        (b"x" * (schema.MAX_QUESTION + 1), "long"),
        (b"text\x00", "binary"),
    ],
)
def test_refusals(data: bytes, reason: str) -> None:
    found = from_bytes("name", data)
    assert isinstance(found, Refusal)
    assert found.reason == reason
    assert "name" in found.words()


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_text_or_refused(data: bytes) -> None:
    found = from_bytes("x", data)
    if isinstance(found, TextFile):
        assert found.text.encode()  # no halves of characters
        assert "\x00" not in found.text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip))
def test_every_text_in_utf8_is_read_as_it_is(text: str) -> None:
    assert from_bytes("x", text.encode()) == from_text("x", text)


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    assert read(str(tmp_path)) == Refusal(tmp_path.name, "folder")
    assert read(str(tmp_path / "gone")) == Refusal("gone", "missing")
    (tmp_path / "a.py").write_text("print(1)")
    assert read(str(tmp_path / "a.py")) == TextFile("a.py", "print(1)")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        assert read(str(tmp_path / "pipe")) == Refusal("pipe", "binary")
