"""What the engine says, in the language of the window.

Beside its English texts the engine sends codes with values (``words``); the sentences of all codes are translated with
the window's own texts. A text without them comes from elsewhere, such as from the machine that was asked, and is shown
as it came, after what its code means, unless it is one of ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QDateTime, QLocale

from app import i18n
from app.i18n import mark, number, tr
from engine.api import schema
from engine.sentences import SENTENCES, Sentence, words_of

CODES = {
    "internal_error": mark("The engine made a mistake."),
    "invalid_request": mark("This cannot be asked."),
    "model_not_found": mark("Nobody has this model."),
    "context_length_exceeded": mark("The conversation is too long for the model."),
    "overloaded": mark("There is too much to do at the moment."),
    "network_not_ready": mark("The network cannot be asked yet."),
    "unreviewed_model": mark("Nobody but its publisher has looked at this model."),
    "too_few_relays": mark("The network has too few relays."),
    "serving_node_lost": mark("The machine that was answering is gone."),
    "serving_node_leaving": mark("The machine that was answering leaves."),
    "cancelled": mark("The answer was stopped."),
    "chat_not_found": mark("This is not there any more."),
    "chat_busy": mark("An answer is being written in this chat."),
    "worker_restarting": mark("The part of the engine that runs models is being restarted."),
    "storage_failed": mark("The disk does not take this."),
    "interrupted": mark("The engine ended meanwhile."),
    "message_too_large": mark("The message is too long."),
    "not_served": mark("This engine does not do that."),
    "licence_needed": mark("Its licence has to be accepted before."),
    "untrusted_publisher": mark("You do not serve the models of this publisher."),
    "manifest_refused": mark("What its publisher says of this model does not hold."),
    "hub_failed": mark("The model hub does not give this."),
    "stopped": mark("The download was stopped."),
}
"""What the codes of errors mean, whatever else is said of them."""
_KNOWN = frozenset(sentence for sentence in SENTENCES.values() if "{" not in sentence)
"""Texts that other machines say without codes, in the words that this program has too."""
_LIST = re.compile(r"(\w+)\[(\d+)\]")


def from_engine(said: schema.Worded, field: str = "text") -> str:
    """A text of the engine (``warnings[0]``: one of several)."""
    text = _text(said, field)
    parts = said.words.get(field, ())
    if parts and all(_known(part) for part in parts):
        return _joined(parts)
    if text in _KNOWN:
        return tr(text)
    meaning = CODES.get(getattr(said, "code", "")) if field == "text" else None
    if meaning is None or i18n.current() == i18n.SOURCE_LANGUAGE or not text:
        return text
    return f"{tr(meaning)} ({text.rstrip('.')})"


def in_words(text: str) -> str:
    """The same for a text that knows itself what it is made of."""
    parts = words_of(text)
    return _joined(parts) if parts and all(_known(part) for part in parts) else text


def _text(said: schema.Worded, field: str) -> str:
    item = _LIST.fullmatch(field)
    return str(getattr(said, item[1])[int(item[2])] if item else getattr(said, field))


def _known(part: Sentence) -> bool:
    return not part.code or part.code in SENTENCES


def _joined(parts: Sequence[Sentence]) -> str:
    return " ".join(map(_in_words, parts))


def _in_words(part: Sentence) -> str:
    values = {name: _value(name, value) for name, value in part.values.items()}
    return tr(SENTENCES[part.code], **values) if part.code else values.get("text", "")


def _value(name: str, value: str | int | float | tuple[Sentence, ...]) -> str:
    if isinstance(value, tuple):
        return _joined(value)
    if isinstance(value, str):
        return value
    if name == "when":
        return QLocale(i18n.current()).toString(
            QDateTime.fromSecsSinceEpoch(round(value)), QLocale.FormatType.ShortFormat
        )
    digits = 2 if abs(value) >= 0.01 or not value else 6
    return number(value, len(f"{value:.{digits}f}".rstrip("0").partition(".")[2]))
