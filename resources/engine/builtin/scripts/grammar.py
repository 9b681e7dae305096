"""Phrasing patterns: ``(a|b)`` is a choice, ``[x]`` may be left out, ``{name}`` is a named list; all of them nest."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

CONSONANTS = list("bcdfghklmnprstvwz")
CONSONANTS += [
    "br",
    "ch",
    "cl",
    "dr",
    "fl",
    "gr",
    "kr",
    "pl",
    "qu",
    "sh",
    "sk",
    "sp",
    "st",
    "th",
    "tr",
    "j",
    "x",
    "y",
    "",
]
VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "ee", "ia", "io", "oo", "ou", "y"]
ENDINGS = ["", "", "", "n", "r", "s", "t", "l", "m", "nd", "ck", "ng", "tion", "er", "ing", "ium", "ly", "th", "x"]

Node = Callable[[random.Random], str]


def nonsense(rng: random.Random) -> str:
    """A made-up word of one to three syllables, so that unknown words are a common sight."""
    syllables = [rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(rng.choice((1, 2, 2, 3)))]
    word = "".join(syllables) + rng.choice(ENDINGS)
    return word.capitalize() if rng.random() < 0.3 else word


@dataclass
class Grammar:
    """Named lists and the patterns that use them."""

    names: Mapping[str, list[Node]]

    def compile(self, pattern: str) -> Node:
        """Turn one pattern into a function of a random source; raises ValueError for unbalanced brackets."""
        node, end = self._choice(pattern, 0, "")
        if end != len(pattern):
            raise ValueError(f"unbalanced pattern: {pattern}")
        return lambda rng: " ".join(node(rng).replace(" ,", ",").split())

    def _choice(self, text: str, start: int, closing: str) -> tuple[Node, int]:
        options: list[list[Node]] = [[]]
        position = start
        while position < len(text) and text[position] != closing:
            character = text[position]
            if character == "|":
                options.append([])
                position += 1
                continue
            node, position = self._item(text, position)
            options[-1].append(node)
        if closing and position >= len(text):
            raise ValueError(f"missing {closing}: {text}")
        return choose([concatenate(option) for option in options]), position

    def _item(self, text: str, start: int) -> tuple[Node, int]:
        if text[start] == "(":
            node, end = self._choice(text, start + 1, ")")
            return node, end + 1
        if text[start] == "[":
            node, end = self._choice(text, start + 1, "]")
            return maybe(node), end + 1
        if text[start] == "{":
            end = text.index("}", start)
            return self._named(text[start + 1 : end]), end + 1
        end = start
        while end < len(text) and text[end] not in "([{|)]}":
            end += 1
        if end == start:
            raise ValueError(f"stray {text[start]}: {text}")
        return literal(text[start:end]), end

    def _named(self, name: str) -> Node:
        if name == "nonsense":
            return nonsense
        if name not in self.names:
            raise ValueError(f"unknown list {{{name}}}")
        return lambda rng: rng.choice(self.names[name])(rng)


def literal(text: str) -> Node:
    """Always this text."""
    return lambda rng: text


def maybe(node: Node) -> Node:
    """The node's text in four of ten cases, nothing otherwise."""
    return lambda rng: node(rng) if rng.random() < 0.4 else ""


def choose(options: list[Node]) -> Node:
    """One of the options, evenly."""
    return options[0] if len(options) == 1 else lambda rng: rng.choice(options)(rng)


def concatenate(nodes: list[Node]) -> Node:
    """All nodes one after another."""
    return lambda rng: "".join(node(rng) for node in nodes)


def read_names(lines: list[str]) -> Grammar:
    """A grammar from ``name: a | b`` lines."""
    names: dict[str, list[Node]] = {}
    grammar = Grammar(names)
    for line in lines:
        name, _, options = line.partition(":")
        names[name.strip()] = [grammar.compile(option.strip()) for option in options.split(" | ")]
    return grammar


def read_list(path: Path) -> list[str]:
    """The entries of a list file, one a line; a lone hyphen stands for an empty one."""
    return ["" if line == "-" else line for line in content_lines(path)]


def content_lines(path: Path) -> list[str]:
    """The lines of a phrasing file without comments and blank lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("# ")]
