"""Takes out of texts what names a person, a machine or a place, so that they can be given to strangers.

What is known to be secret is taken out by value, the rest by its form: addresses, links, paths of homes, and anything
that is long and random enough to be a key, a token or an id. Rather too much goes than too little.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

SHORTEST_NAME = 3
"""A user or machine whose name is shorter would take words apart."""
_URL = re.compile(r"\b([a-z][a-z0-9+.-]{1,20})://[^\s\"'<>]+", re.IGNORECASE)
_ICE = re.compile(r"\b(stuns?|turns?):[^\s\"'<>,]+", re.IGNORECASE)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_HOMES = re.compile(r"((?:/home/|/Users/|[A-Za-z]:[\\/]+Users[\\/]+))[^\\/\s\"':]+", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]\d)")
_IPV6 = re.compile(r"(?<![\w:])[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%\w+)?(?![\w:])")
_HOST = re.compile(r"(?<![\w.])(?:[a-z0-9-]+\.)+(?:[a-z]{2,18})(?=:\d{1,5}\b)", re.IGNORECASE)
_SECRET = re.compile(r"(?<![A-Za-z0-9_+/=-])[A-Za-z0-9_+/=-]{20,}(?![A-Za-z0-9_+/=-])")
_DIGIT = re.compile(r"[0-9]")
_INSIDE = re.compile(r"[a-z][A-Z]")
_KEY_LENGTH = 43
"""Characters of 32 bytes in Base64, without the filling."""


class Redactor:
    """``known``: secret values by the word that stands for each, such as ``{"token": [...]}``; ``names``: of the user
    and the machine; ``folders``: paths by what stands for them."""

    def __init__(
        self,
        known: Mapping[str, Iterable[str]] = {},
        names: Mapping[str, Iterable[str]] = {},
        folders: Mapping[str, Iterable[str]] = {},
    ) -> None:
        self._values = _by_length((value, f"<{word}>") for word, values in known.items() for value in values)
        self._folders = _by_length((path, word) for word, paths in folders.items() for path in paths)
        self._names = [
            (re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", re.IGNORECASE), f"<{word}>")
            for word, all_names in names.items()
            for name in all_names
            if len(name) >= SHORTEST_NAME
        ]

    def text(self, text: str) -> str:
        """``text`` without any of it."""
        for value, word in (*self._values, *self._folders):
            text = text.replace(value, word)
        text = _URL.sub(lambda found: f"{found[1]}://<address>", text)
        text = _ICE.sub(lambda found: f"{found[1]}:<address>", text)
        text = _MAIL.sub("<address>", text)
        text = _HOMES.sub(lambda found: f"{found[1]}<user>", text)
        text = _IPV6.sub(_address, text)
        text = _IPV4.sub(_address, text)
        text = _HOST.sub("<address>", text)
        text = _SECRET.sub(_long, text)
        for name, word in self._names:
            text = name.sub(word, text)
        return text

    def value(self, value: Any) -> Any:
        """The same for everything inside of lists and tables; also their keys."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(inner) for inner in value]
        return value


def _by_length(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The longest first, as some begin with others."""
    return sorted(((value, word) for value, word in pairs if value.strip("/\\ ")), key=lambda pair: -len(pair[0]))


def _address(found: re.Match[str]) -> str:
    """Addresses of this machine alone, and times of day, which look like one, stay."""
    try:
        address = ipaddress.ip_address(found[0].split("%")[0])
    except ValueError:
        return found[0]
    return found[0] if address.is_loopback or address.is_unspecified else "<address>"


def _long(found: re.Match[str]) -> str:
    """What is random: digits among letters, or capitals where no word has them. Words with hyphens are not."""
    text = found[0]
    longest = max(re.split(r"[-/_=+]", text), key=len)
    digits, capitals = len(_DIGIT.findall(text)), len(_INSIDE.findall(text))
    if len(longest) >= 16 and (_DIGIT.search(longest) or len(_INSIDE.findall(longest)) >= len(longest) / 6):
        return "<secret>"
    if any(len(part) == _KEY_LENGTH and part not in (part.lower(), part.upper()) for part in text.split("=")):
        return "<secret>"
    return "<secret>" if len(text) >= 32 and (digits >= 4 or capitals >= len(text) / 8) else text
