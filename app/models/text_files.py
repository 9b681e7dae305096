"""Files as text: what encoding they are in, and why one is refused. Reads files, knows neither window nor engine."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.i18n import mark, number, tr
from engine.api import schema

MOST_BYTES = 4 * schema.MAX_QUESTION
"""Of a file: more are more characters than a question can have, in every encoding."""
MOST_ODD_SHARE = 0.3
"""Of the bytes of a Western European text, at most so many are letters beyond ASCII."""
Reason = Literal["folder", "missing", "unreadable", "empty", "long", "pdf", "picture", "document", "binary", "encoding"]
REASONS: dict[str, str] = {
    "folder": mark("{name} is a folder. Attach the files in it."),
    "missing": mark("{name} is not there any more."),
    "unreadable": mark("{name} cannot be read: {reason}."),
    "empty": mark("{name} is empty."),
    "long": mark("{name} is too long: at most {most} characters can be asked at once. Attach a part of it."),
    "pdf": mark("{name} is a PDF, and only text can be attached. Copy the text that you need from it and paste that."),
    "picture": mark("{name} is a picture, sound or film, and only text can be attached."),
    "document": mark(
        "{name} is a document or archive, and only text can be attached. Save it as plain text or Markdown, or paste "
        "the text that you need."
    ),
    "binary": mark("{name} holds no text, so it was not attached."),
    "encoding": mark("It cannot be told in which encoding {name} is written. Save it as UTF-8 and attach it again."),
}
_TEXT_KINDS: tuple[tuple[bytes, Reason], ...] = ((b"%PDF-", "pdf"), (b"{\\rtf", "document"))
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"OggS", b"ID3", b"fLaC", b"BM", b"\x00\x00\x00")
_DOCUMENTS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")
_MARKS = (  # the longer ones first: the mark of UTF-32 begins like that of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""(?:coding[:=]|encoding=|charset=)[ \t]*["']?([A-Za-z0-9._-]{2,40})""")
_ENCODINGS = re.compile(
    "iso8859-[0-9]+|cp125[0-8]|cp(437|850|852|866|932|949|950)|koi8-[rtu]|shift_jis|euc_(jp|kr)|iso2022_jp|gbk|gb2312|gb18030|"
    "big5|mac-roman|utf-8|utf-16(-[lb]e)?"
)
_BINARY = bytes(range(0x09)) + bytes(range(0x0E, 0x1B)) + b"\x1c\x1d\x1e\x1f\x7f"
"""What no text holds."""
_LOOKED_AT = 65_536
_UNDEFINED = b"\x81\x8d\x8f\x90\x9d"


@dataclass(frozen=True, slots=True)
class TextFile:
    """The text of a file, with line ends as this program writes them."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file was not taken."""

    name: str
    reason: Reason
    detail: str = ""

    def words(self) -> str:
        """For people."""
        most = number(schema.MAX_QUESTION)
        return tr(REASONS[self.reason], name=self.name[:80], reason=self.detail, most=most)


def read(path: str) -> TextFile | Refusal:
    """The text of a file on this machine; takes as long as the disk and its length want."""
    file = Path(path)
    name = file.name or path
    try:
        if file.is_dir():
            return Refusal(name, "folder")
        if not file.is_file():  # a pipe or a device would never end
            return Refusal(name, "missing" if not file.exists() else "binary")
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        return Refusal(name, "unreadable", error.strerror or type(error).__name__)
    return from_bytes(name, data)


def from_bytes(name: str, data: bytes) -> TextFile | Refusal:
    """The text that ``data`` is."""
    if not data:
        return Refusal(name, "empty")
    kind = next((reason for magic, reason in _TEXT_KINDS if data.startswith(magic)), None)
    if kind is not None:
        return Refusal(name, kind)
    text = _decoded(data)
    if text is None:
        return Refusal(name, _kind(data) if _is_binary(data) else "encoding")
    return Refusal(name, "long") if len(data) > MOST_BYTES else from_text(name, text)


def from_text(name: str, text: str) -> TextFile | Refusal:
    """A text that is there already, as one that was pasted."""
    if len(text) > schema.MAX_QUESTION:
        return Refusal(name, "long")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return TextFile(name, text) if text.strip() else Refusal(name, "empty")


def _kind(data: bytes) -> Reason:
    """What ``data`` is, which is no text."""
    if data.startswith(_DOCUMENTS):
        return "document"
    return "picture" if data.startswith(_PICTURES) else "binary"


def _decoded(data: bytes) -> str | None:
    for begin, encoding in _MARKS:
        if data.startswith(begin):
            return _strict(data[len(begin) :], encoding)
    wide = _wide(data)
    if wide is not None:
        return _strict(data, wide)
    if _is_binary(data):
        return None
    text = _strict(data, "utf-8")
    if text is not None:
        return text
    declared = _DECLARED.search(data[:1024])
    if declared is not None and (text := _strict(data, _known(declared.group(1).decode("ascii")))) is not None:
        return text
    odd = len(data) - len(data.translate(None, bytes(range(0x80, 0x100))))
    western = odd <= MOST_ODD_SHARE * len(data) and not any(byte in data for byte in _UNDEFINED)
    return _strict(data, "cp1252") if western else None


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return str(data, encoding)
    except (UnicodeError, LookupError):
        return None


def _known(encoding: str) -> str:
    """An encoding of texts that a file says it has; none for others that Python knows, some of which take for ever."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        return ""
    return name if _ENCODINGS.fullmatch(name) else ""


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: of mostly ASCII text every second byte is zero."""
    some = data[: _LOOKED_AT - 1 if len(data) > _LOOKED_AT else len(data)]
    some = some[: len(some) & ~1]
    if len(data) % 2 or len(some) < 4:
        return None
    even, odd = some[0::2].count(0), some[1::2].count(0)
    half = len(some) // 2
    if odd > 0.7 * half and not even:
        return "utf-16-le"
    if even > 0.7 * half and not odd:
        return "utf-16-be"
    return None


def _is_binary(data: bytes) -> bool:
    some = data[:_LOOKED_AT]
    found = len(some) - len(some.translate(None, _BINARY))
    return found > len(some) // 200 or b"\x00" in data
