"""Variations that people bring into a question: openers, synonyms, typing mistakes, dropped words, other casing."""

from __future__ import annotations

import random
from pathlib import Path

from grammar import nonsense, read_list

PHRASINGS = Path(__file__).resolve().parent.parent / "phrasings"
OPENERS = read_list(PHRASINGS / "openers.txt")
CLOSERS = read_list(PHRASINGS / "closers.txt")
STOP_WORDS = frozenset(read_list(PHRASINGS / "stop_words.txt"))
SYNONYMS = [line.split(" | ") for line in read_list(PHRASINGS / "synonyms.txt")]
REPLACEMENTS: dict[str, list[str]] = {}
for _group in SYNONYMS:
    for _word in _group:
        if " " not in _word:
            REPLACEMENTS.setdefault(_word, []).extend(other for other in _group if other != _word)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def replace_synonyms(words: list[str], rng: random.Random, chance: float) -> list[str]:
    """Swap single words for others of like meaning."""
    changed = []
    for word in words:
        bare = word.strip(".,?!:;").lower()
        if bare in REPLACEMENTS and rng.random() < chance:
            changed.append(word.lower().replace(bare, rng.choice(REPLACEMENTS[bare])))
        else:
            changed.append(word)
    return changed


def vary_words(text: str, rng: random.Random) -> str:
    """Change words: synonyms, openers and closers, dropped, swapped or foreign words.  Still correctly spelled."""
    words = text.rstrip(" ?!.").split()
    if rng.random() < 0.5:
        words = replace_synonyms(words, rng, 0.3)
    kind = rng.random()
    if kind < 0.08 and len(words) > 4:
        keywords = [word for word in words if word.lower().strip(",.?") not in STOP_WORDS]
        words = keywords if len(keywords) >= 2 else words
        if rng.random() < 0.4:
            rng.shuffle(words)
    elif kind < 0.20 and len(words) > 4:
        words = [word for word in words if rng.random() > 0.12] or words
    elif kind < 0.25 and len(words) > 4:
        place = rng.randrange(len(words) - 1)
        words[place], words[place + 1] = words[place + 1], words[place]
    elif kind < 0.33 and len(words) > 4:
        place = rng.randrange(len(words) + 1)
        words.insert(place, nonsense(rng))
    if rng.random() < 0.3:
        words = rng.choice(OPENERS).split() + words
    if rng.random() < 0.15:
        words = words + rng.choice(CLOSERS).split()
    return " ".join(words)


def mistype(word: str, rng: random.Random) -> str:
    """One typing mistake: a letter swapped, dropped, doubled or wrong."""
    if len(word) < 4:
        return word
    place = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    if kind == 1:
        return word[:place] + word[place + 1 :]
    if kind == 2:
        return word[:place] + word[place] + word[place:]
    return word[:place] + rng.choice(LETTERS) + word[place + 1 :]


def vary_spelling(text: str, rng: random.Random) -> str:
    """Change the surface: typing mistakes, casing and the final mark."""
    if rng.random() < 0.12:
        words = text.split()
        place = rng.randrange(len(words))
        words[place] = mistype(words[place], rng)
        text = " ".join(words)
    casing = rng.random()
    if casing < 0.62:
        text = text[:1].upper() + text[1:]
    elif casing < 0.85:
        text = text.lower()
    elif casing < 0.87:
        text = text.upper()
    return text + rng.choice(["?", "?", "?", "?", "?", "", "", "", ".", "??", "!", " ?"])
