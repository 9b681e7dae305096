"""The bytes that one token stands for, also where they are only a part of a character. Pure."""

from __future__ import annotations

import re

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
"""A single byte in the vocabularies of sentencepiece."""


def _byte_letters() -> dict[str, int]:
    """GPT-2's letters for bytes: printable ones stand for themselves, the others for 256 and on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + place): byte for place, byte in enumerate(others)}


_LETTERS = _byte_letters()


def broken_bytes(written: str) -> bytes | None:
    """What a token whose text is no whole character stands for, from how the vocabulary writes it; None if that is
    neither of the known ways."""
    single = _BYTE.fullmatch(written)
    if single:
        return bytes.fromhex(single[1])
    if all(letter in _LETTERS for letter in written):
        return bytes(_LETTERS[letter] for letter in written)
    return None
