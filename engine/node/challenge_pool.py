"""The questions that a verifier asks: those that come with the program, and its owner's."""

from __future__ import annotations

from pathlib import Path

from engine.errors import ConfigurationError, StorageError
from engine.resources import resource_path
from engine.storage.files import read_limited
from engine.verification.challenges.pool import Pool, read_pool

FOLDER = "engine/challenges"
MAX_FILE = 1_000_000
MAX_FILES = 32


def load_pool(own: Path) -> Pool:
    """``own``: a folder that may hold questions of this verifier alone, ``*.toml`` as ``questions.toml`` of the shipped
    ones; it need not be there. :class:`ConfigurationError` names the file that cannot be used."""
    shipped = resource_path(FOLDER)
    files = sorted(own.glob("*.toml")) if own.is_dir() else []
    if len(files) > MAX_FILES:
        raise ConfigurationError(f"{own} holds {len(files)} files of questions; at most {MAX_FILES} are read.")
    words, manners = _read(shipped / "words.toml"), _read(shipped / "manners.toml")
    questions = [_read(shipped / "questions.toml")]
    for file in files:
        text = _read(file)
        try:
            read_pool([text], words, manners)
        except ConfigurationError as error:
            raise ConfigurationError(f"{file} cannot be used. {error}") from error
        questions.append(text)
    return read_pool(questions, words, manners)


def _read(path: Path) -> str:
    try:
        data = read_limited(path, MAX_FILE)
        return (data or b"").decode("utf-8")
    except (StorageError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The questions in {path} cannot be read: {error}.") from error
