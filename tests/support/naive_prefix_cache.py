"""The prefix cache without a tree: a dictionary of whole prefixes, searched from end to end for everything."""

from dataclasses import dataclass

PUBLIC = b""


@dataclass
class Entry:
    number: int
    used: int
    references: int = 0
    ready: bool = False


class NaivePrefixCache:
    """A prefix is a tuple of (scope, ids), one for each block."""

    def __init__(self, budget):
        self.budget = budget
        self.entries: dict[tuple, Entry] = {}
        self.tick = 0
        self.events: list[tuple[bool, tuple]] = []

    def touch(self, path):
        self.tick += 1
        for depth in range(1, len(path) + 1):
            self.entries[path[:depth]].used = self.tick

    def match(self, path):
        found = 0
        while found < len(path) and path[: found + 1] in self.entries and self.entries[path[: found + 1]].ready:
            found += 1
        self.touch(path[:found])
        return path[:found]

    def is_leaf(self, path):
        return not any(len(other) == len(path) + 1 and other[:-1] == path for other in self.entries)

    def evict(self, spared=None):
        leaves = [
            (entry.used, path)
            for path, entry in self.entries.items()
            if not entry.references and path != spared and self.is_leaf(path)
        ]
        if not leaves:
            return False
        self.remove(min(leaves)[1])
        return True

    def remove(self, path):
        entry = self.entries.pop(path)
        if entry.ready:
            self.note(False, path)

    def note(self, inserted, path):
        if all(scope == PUBLIC for scope, _ in path):
            self.events.append((inserted, path))

    def insert(self, path):
        """None: no room; else whether it is new."""
        if path in self.entries:
            self.touch(path)
            return False
        while len(self.entries) >= self.budget and self.evict(spared=path[:-1]):
            pass
        if len(self.entries) >= self.budget:
            return None
        taken = {entry.number for entry in self.entries.values()}
        number = next(number for number in range(len(taken) + 1) if number not in taken)
        self.entries[path] = Entry(number, 0, references=1)
        self.touch(path)
        return True

    def commit(self, path):
        self.entries[path].ready = True
        self.entries[path].references -= 1
        self.note(True, path)

    def set_budget(self, budget):
        self.budget = budget
        while len(self.entries) > budget and self.evict():
            pass
        return max(0, len(self.entries) - budget)

    def drop(self, path):
        while path and path in self.entries and self.is_leaf(path) and not self.entries[path].references:
            self.remove(path)
            path = path[:-1]
