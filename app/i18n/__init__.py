"""The window's texts in the user's language, by Qt's own tools. Not for what the engine or a model says: that comes
as it is.

Every text that a user sees passes through :func:`tr` where it is shown, as a literal, in English::

    tr("Copy the answer")
    tr("In the network “{name}”", name=network.name)
    tr("%Ln tokens", "", count)            # plural forms; the second argument is a hint for translators, or empty

A constant is marked where it stands and translated where it is shown: ``WORDS = {"on": mark("On")}``, ``tr(WORDS[x])``.
After a change of texts: ``make translations``, then complete the German in ``resources/app/translations``. Another
language is another file there.
"""

from app.i18n.catalogue import (
    SOURCE_LANGUAGE,
    best_language,
    current,
    languages,
    mark,
    native_name,
    number,
    read_number,
    system_language,
    tr,
    use,
)

__all__ = [
    "SOURCE_LANGUAGE",
    "best_language",
    "current",
    "languages",
    "mark",
    "native_name",
    "number",
    "read_number",
    "system_language",
    "tr",
    "use",
]
