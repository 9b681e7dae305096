"""Where links lead, and what a reader should know before one opens. Nothing here opens anything."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.models.safe_text import visible

SCHEMES = ("http", "https", "mailto")
"""All that may be opened at all. The rest stays text."""
MAX_ADDRESS = 2_000
"""Characters of an address; a longer one stays text."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=:)")
_BARE = re.compile(r"\bhttps?://[^\s<>\"'`{}|\\^]+", re.IGNORECASE)
_MAIL_FIELDS = frozenset({"to", "cc", "bcc", "subject", "body"})
_TRAILING = ".,;:!?*_~"
_CLOSING = ".,;:!?)]}'\"”’"
_MOST_SAID = 300
"""Characters of the text of a link that are looked at."""
_PAIRS = {")": "(", "]": "["}
_LOOKS_LATIN = frozenset("аеорсухіјѕһԁԛԝьցոսօհɑɡıοανρυικχγӏѵԍҽԛ")
_NAMED_HOST = re.compile(r"(?:https?://)?(?:[^\s/@]{1,99}@)?((?:[\w-]{1,63}\.){1,9}[^\W\d]{2,18})(?=[/:?#\s]|$)")
_DOMAINS = frozenset(
    [
        "app",
        "biz",
        "ch",
        "co",
        "com",
        "cn",
        "de",
        "dev",
        "edu",
        "eu",
        "fr",
        "gov",
        "info",
        "io",
        "jp",
        "net",
        "org",
        "ru",
        "uk",
        "us",
        "xyz",
    ]
)
"""Last labels by which words without a scheme are taken for a host; "setup.py" is none."""


@dataclass(frozen=True, slots=True)
class Destination:
    """An address as it is shown before it opens.

    ``host`` is the machine as the network sees it (punycode), ``reads_as`` the same in letters where that differs.
    ``warnings`` are among "homograph" (letters of several scripts, or that pass for Latin ones), "user" (a name before
    an @ that may pass for the host), "address" (a bare IP address), "plain" (not encrypted) and "misnamed" (the text
    of the link names another host)."""

    address: str
    host: str
    reads_as: str
    warnings: tuple[str, ...]


def may_open(address: str) -> bool:
    """Whether ``address`` has a scheme that may be opened, a host or addressee, and nothing that hides."""
    if len(address) > MAX_ADDRESS or visible(address) != address or any(c.isspace() for c in address):
        return False
    scheme = _SCHEME.match(address)
    if scheme is None or scheme.group().lower() not in SCHEMES:
        return False
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return False
    if parts.scheme == "mailto":
        fields = {field.partition("=")[0].lower() for field in parts.query.split("&") if field}
        return "@" in parts.path and fields <= _MAIL_FIELDS  # some mail programs would attach files
    return bool(parts.hostname)


def destination(address: str, text: str = "") -> Destination:
    """What to tell about ``address``, which ``may_open``; ``text`` is what the link says."""
    parts = urlsplit(address)
    if parts.scheme == "mailto":
        return Destination(address, parts.path.rpartition("@")[2], "", ())
    host = parts.hostname or ""
    letters = _letters(host)
    found = []
    if any(_deceives(label) for label in letters.split(".")):
        found.append("homograph")
    if "@" in parts.netloc:
        found.append("user")
    if re.fullmatch(r"[0-9.]+|0x[0-9a-f.x]+", host) or ":" in host:
        found.append("address")
    if parts.scheme == "http" and not re.fullmatch(r"localhost|127(\.\d+){3}|::1", host):
        found.append("plain")
    if _names_another(text, host):
        found.append("misnamed")
    return Destination(address, host, letters if letters != host else "", tuple(found))


def bare_addresses(text: str) -> list[tuple[int, int]]:
    """Where web addresses stand in ``text`` that nobody marked as links, without the punctuation behind them."""
    found = []
    for match in _BARE.finditer(text):
        start, end = match.span()
        end = min(end, start + MAX_ADDRESS + 1)
        while end > start and (text[end - 1] in _TRAILING or _unpaired(text, start, end)):
            end -= 1
        found.append((start, end))
    return found


def _unpaired(text: str, start: int, end: int) -> bool:
    opening = _PAIRS.get(text[end - 1])
    return opening is not None and text.count(opening, start, end) < text.count(text[end - 1], start, end)


def _letters(host: str) -> str:
    """``host`` with its punycode labels read, where they can be."""
    labels = []
    for label in host.split("."):
        if label.startswith("xn--"):
            try:
                label = visible(label[4:].encode("ascii").decode("punycode"))
            except UnicodeError:
                pass
        labels.append(label)
    return ".".join(labels)


def _deceives(label: str) -> bool:
    """Whether a label of a host mixes scripts, or its letters all pass for Latin ones (after Unicode TS 39)."""
    letters = [letter for letter in label if letter.isalpha()]
    scripts = {unicodedata.name(letter, "?").split()[0] for letter in letters}
    if {"CJK", "HIRAGANA", "KATAKANA"} & scripts:
        scripts -= {"HIRAGANA", "KATAKANA"}  # are written together
    others = [letter for letter in letters if not letter.isascii()]
    return len(scripts) > 1 or (bool(others) and all(letter in _LOOKS_LATIN or letter.isascii() for letter in letters))


def _names_another(text: str, host: str) -> bool:
    """Whether an address of another host than ``host`` is read in ``text``."""
    words = (_NAMED_HOST.search(word.rstrip(_CLOSING)) for word in text.lower()[:_MOST_SAID].split())
    return any(named is not None and _is_another(named, host) for named in words)


def _is_another(named: re.Match[str], host: str) -> bool:
    said = named.group(1).removeprefix("www.")
    if not named.group().startswith(("http://", "https://", "www.")) and said.rpartition(".")[2] not in _DOMAINS:
        return False
    try:
        said = said.encode("idna").decode("ascii")
    except UnicodeError:
        pass
    return said != host.lower().removeprefix("www.")
