"""The messages of a chat as a tree: siblings are versions of one question or answer, a way from the root is a branch.
Pure."""

from __future__ import annotations

from collections.abc import Iterable

from engine.chats.rows import Node

ROOT = ""


class MessageTree:
    """Children of a message are in the order in which they were made. A message whose parent is not there stands at the
    root: nothing that is kept can become unreachable."""

    def __init__(self, nodes: Iterable[Node] = ()) -> None:
        self._nodes: dict[str, Node] = {}
        self._children: dict[str, list[str]] = {}
        ordered = sorted(nodes, key=lambda node: node.place)
        self._nodes = {node.id: node for node in ordered}
        for node in ordered:
            self._children.setdefault(self.parent(node.id), []).append(node.id)

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, message: str) -> bool:
        return message in self._nodes

    def node(self, message: str) -> Node:
        """A message that is there."""
        return self._nodes[message]

    def add(self, node: Node) -> None:
        """A new message, later than all others; its parent is there."""
        self._nodes[node.id] = node
        self._children.setdefault(node.parent, []).append(node.id)

    def parent(self, message: str) -> str:
        """What a message follows; "" for a first one. Parents are older than their children, so no way is a circle."""
        node = self._nodes[message]
        above = self._nodes.get(node.parent)
        return above.id if above is not None and above.place < node.place else ROOT

    def children(self, message: str) -> int:
        """How many messages follow ``message`` ("": how many first ones there are)."""
        return len(self._children.get(message, ()))

    def below(self, message: str) -> list[str]:
        """A message and all that follows it, on every branch."""
        found = [message]
        for name in found:  # grows meanwhile
            found += self._children.get(name, ())
        return found

    def without(self, messages: Iterable[str]) -> MessageTree:
        """The tree of all others."""
        gone = set(messages)
        return MessageTree(node for name, node in self._nodes.items() if name not in gone)

    def beside(self, message: str) -> str:
        """Where to look when a message is gone: the end of the branch of the version before it, or behind it, or else
        what it follows."""
        versions = self.siblings(message)
        place = versions.index(message)
        near = versions[place - 1 : place] or versions[place + 1 : place + 2]
        return self.newest_end(near[0]) if near else self.parent(message)

    def in_order(self) -> list[str]:
        """All messages, oldest first."""
        return list(self._nodes)

    def siblings(self, message: str) -> tuple[str, ...]:
        """All versions of a message, itself among them, oldest first."""
        return tuple(self._children[self.parent(message)])

    def branch(self, tip: str) -> list[str]:
        """The messages from the first one to ``tip``; none for ""."""
        way = []
        while tip != ROOT:
            way.append(tip)
            tip = self.parent(tip)
        way.reverse()
        return way

    def newest_end(self, message: str) -> str:
        """The end of the branch on which ``message`` ("": the root) lies, by the newest version at each fork."""
        while children := self._children.get(message):
            message = children[-1]
        return message

    def tip(self, wanted: str) -> str:
        """``wanted`` if it is there, else the newest branch's end."""
        return wanted if wanted in self._nodes else self.newest_end(ROOT)
