"""Loads the compiled translations (``resources/app/translations/gentorrent_CODE.qm``) and looks texts up in them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from engine.errors import ResourceMissingError
from engine.resources import resource_path

SOURCE_LANGUAGE = "en"
"""What the texts in the code are written in. Its file has the plural forms alone."""
_FOLDER = "app/translations"
_PREFIX = "gentorrent_"


class Catalogue:
    """The texts of one language. Works without an application, so that view-models can be tested alone."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.locale = QLocale(language)
        self._texts = QTranslator()
        # Read whole: a file that Qt has mapped and an update replaces would end the window with a bus error. Qt takes
        # no copy, so the bytes stay here.
        self._file = _read(language)
        self._texts.load(self._file)

    def find(self, text: str, comment: str = "", count: int | None = None) -> str:
        """``text`` in this language, or as it is where nobody has translated it."""
        found: str = self._texts.translate("", text, comment, -1 if count is None else count) or text
        if count is not None:
            found = found.replace("%Ln", self.locale.toString(count)).replace("%n", str(count))
        return found


def tr(text: str, comment: str = "", count: int | None = None, /, **values: object) -> str:
    """``text`` in the language in use, with ``{name}`` replaced by ``values``. With ``count`` the fitting plural form,
    in which ``%Ln`` becomes the number as that language writes it. ``comment`` tells apart what reads the same."""
    found = _catalogue().find(text, comment, count)
    return found.format(**values) if values else found


def mark(text: str) -> str:
    """``text`` itself: says that this constant is translated later, by :func:`tr` where it is shown."""
    return text


def number(value: float, digits: int = 0, most: int = 0) -> str:
    """``value`` as the language in use writes it, with ``digits`` after the decimal mark; up to ``most`` where it has
    so many."""
    while digits < most and round(value, digits) != round(value, most):
        digits += 1
    locale = _catalogue().locale
    return locale.toString(round(value)) if digits == 0 else locale.toString(float(value), "f", digits)


def read_number(text: str) -> float | None:
    """The number that somebody has typed, in the way of the language in use or with a point; None for anything else."""
    for locale in (_catalogue().locale, QLocale.c()):
        value, right = locale.toDouble(text.strip())
        if right and math.isfinite(value):
            return float(value)
    return None


def languages() -> list[str]:
    """The codes of all languages that there is a file for."""
    try:
        files = resource_path(_FOLDER).glob(f"{_PREFIX}*.qm")
    except ResourceMissingError:
        return [SOURCE_LANGUAGE]
    return sorted({SOURCE_LANGUAGE, *(file.stem.removeprefix(_PREFIX) for file in files)})


def native_name(language: str) -> str:
    """What its speakers call a language: "Deutsch" for "de"."""
    if language == SOURCE_LANGUAGE:
        return "English"  # Qt would say American English
    name = QLocale(language).nativeLanguageName()
    return name[:1].upper() + name[1:] or language


def best_language(wanted: Sequence[str]) -> str:
    """The first of ``wanted`` ("de-AT", "de_AT" or "de") that there is, else English."""
    there = languages()
    for name in wanted:
        parts = name.replace("-", "_").split("_")
        for length in range(len(parts), 0, -1):
            if "_".join(parts[:length]) in there:
                return "_".join(parts[:length])
    return SOURCE_LANGUAGE


def system_language() -> str:
    """The best of the languages that the user has chosen for the whole system."""
    return best_language(QLocale.system().uiLanguages())


def use(language: str) -> None:
    """Speak ``language`` (its code) from now on. What is shown already stays as it is until it is shown anew."""
    global _used
    _used = Catalogue(language)
    QLocale.setDefault(_used.locale)
    application = QCoreApplication.instance()
    if application is not None:
        _translate_qt(application, language)


def current() -> str:
    """The code of the language in use."""
    return _catalogue().language


def _catalogue() -> Catalogue:
    global _used
    if _used is None:
        _used = Catalogue(SOURCE_LANGUAGE)
    return _used


def _read(language: str) -> bytes:
    """Without its file the window speaks the English of the code rather than not at all."""
    try:
        return (resource_path(_FOLDER) / f"{_PREFIX}{language}.qm").read_bytes()
    except (ResourceMissingError, OSError):
        return b""


def _translate_qt(application: QCoreApplication, language: str) -> None:
    """Qt's own texts, such as those of standard buttons and of the menus of text fields."""
    global _of_qt
    if _of_qt is not None:
        application.removeTranslator(_of_qt)
        _of_qt = None
    translator = QTranslator()
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if translator.load(f"qtbase_{language}.qm", folder):
        application.installTranslator(translator)
        _of_qt = translator


_used: Catalogue | None = None
_of_qt: QTranslator | None = None
