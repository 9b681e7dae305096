"""From token ids to text, piece by piece: characters are never broken, stop strings are never shown. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_REPLACEMENT = "�"  # what decoders put in the place of bytes that are not (yet) a character
_KEEP = 6  # tokens of context that stay in the window: decoders treat the first token of a text in their own way
_WINDOW = 48  # tokens after which the window is cut in any case
_PENDING = 16  # tokens without a whole character after which the bytes are taken to be no text at all

Decode = Callable[[Sequence[int]], str]
"""Token ids to text without special tokens; incomplete UTF-8 becomes U+FFFD."""


class IncrementalDecoder:
    """Turns ids into text as they come. The same ids always give the same pieces."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._window: list[int] = []
        self._shown = 0  # characters of the window's text that were already given out
        self._pending = 0  # ids since a piece was last given out

    def push(self, token: int) -> str:
        """The text that ``token`` completes, possibly empty."""
        self._window.append(token)
        text = self._decode(self._window)
        self._pending += 1
        stable = len(text) if self._pending > _PENDING else len(text.rstrip(_REPLACEMENT))
        piece = text[self._shown : stable]
        if piece:
            self._pending = 0
            self._shown = stable
        if stable == len(text):
            self._cut(text)
        return piece

    def flush(self) -> str:
        """What is left at the end; bytes that never became a character are shown as U+FFFD."""
        text = self._decode(self._window)
        piece = text[self._shown :]
        self._shown = len(text)
        return piece

    def _cut(self, text: str) -> None:
        """Drop the beginning of a long window, where that cannot change what comes."""
        if len(self._window) <= 2 * _KEEP or self._shown != len(text):
            return
        for length in range(_KEEP, _KEEP + 4):  # where tokens are bytes, one of four places begins a character
            kept = self._window[-length:]
            kept_text = self._decode(kept)
            if kept_text and _REPLACEMENT not in kept_text:
                break
        else:
            if len(self._window) < _WINDOW:
                return
        self._window = kept
        self._shown = len(kept_text)


class StopFilter:
    """Holds text back while it may still become a stop string."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""

    def push(self, text: str) -> tuple[str, bool]:
        """The text that is safe to show, and whether a stop string was found (then nothing more comes)."""
        self._held += text
        found = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if found:
            shown, self._held = self._held[: min(found)], ""
            return shown, True
        border = len(self._held) - beginning(self._held, self._stops)
        shown, self._held = self._held[:border], self._held[border:]
        return shown, False

    def flush(self) -> str:
        """The text held back, once it is certain that no stop string completes it."""
        shown, self._held = self._held, ""
        return shown


def beginning(text: str, marks: Sequence[str]) -> int:
    """Length of the longest end of ``text`` that begins one of ``marks`` without completing it."""
    longest = min(len(text), max((len(mark) for mark in marks), default=1) - 1)
    for length in range(longest, 0, -1):
        if any(mark.startswith(text[-length:]) for mark in marks if len(mark) > length):
            return length
    return 0


class AnswerText:
    """Decoder and stop filter of one answer. Below ``min_tokens`` stop strings are ordinary text."""

    def __init__(self, decode: Decode, stops: Sequence[str], min_tokens: int) -> None:
        self._decoder = IncrementalDecoder(decode)
        self._filter = StopFilter(stops)
        self._min_tokens = min_tokens
        self._count = 0

    def push(self, token: int) -> tuple[str, bool]:
        """The text to show for one more token, and whether a stop string ends the answer here."""
        self._count += 1
        piece = self._decoder.push(token)
        if self._count <= self._min_tokens:
            return piece, False
        return self._filter.push(piece)

    def flush(self) -> str:
        """The last text, when the answer ends without a stop string in it."""
        shown, stopped = self._filter.push(self._decoder.flush())
        return shown if stopped else shown + self._filter.flush()
