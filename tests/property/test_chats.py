"""The message tree against a naive one; the waiting rows over the database; queries that users could type."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.chats.database import Database
from engine.chats.recovery import open_database
from engine.chats.rows import ChatRow, MessageRow, Node, key_of
from engine.chats.store import ChatStore
from engine.chats.tree import MessageTree
from engine.chats.words import marked, match_expression, title_from
from engine.clock import ManualClock
from engine.errors import StorageError


class NaiveTree:
    """Everything by looking at all messages."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes

    def parent(self, name: str) -> str:
        node = next(one for one in self.nodes if one.id == name)
        above = [one for one in self.nodes if one.id == node.parent and one.place < node.place]
        return above[0].id if above else ""

    def children(self, name: str) -> list[str]:
        return [one.id for one in sorted(self.nodes, key=lambda one: one.place) if self.parent(one.id) == name]

    def branch(self, tip: str) -> list[str]:
        return [] if tip == "" else [*self.branch(self.parent(tip)), tip]

    def newest_end(self, name: str) -> str:
        below = self.children(name)
        return self.newest_end(below[-1]) if below else name


@st.composite
def nodes(draw) -> list[Node]:
    """Also with parents that are lost, later than their children, or themselves."""
    count = draw(st.integers(0, 12))
    names = [f"m{number}" for number in range(count)]
    parents = st.sampled_from([*names, "", "lost"])
    return [
        Node(name, draw(parents), place + 1, draw(st.sampled_from(["user", "assistant"])))
        for place, name in enumerate(names)
    ]


@given(nodes(), st.randoms())
def test_the_tree_is_that_of_the_naive_one(all_nodes, chance):
    shuffled = list(all_nodes)
    chance.shuffle(shuffled)
    naive, tree = NaiveTree(all_nodes), MessageTree(shuffled)
    added = MessageTree()
    for node in all_nodes:
        if node.parent in added or node.parent == "":
            added.add(node)
    for node in all_nodes:
        assert tree.parent(node.id) == naive.parent(node.id)
        assert list(tree.siblings(node.id)) == naive.children(naive.parent(node.id))
        assert tree.branch(node.id) == naive.branch(node.id)
        assert tree.newest_end(node.id) == naive.newest_end(node.id)
    assert tree.newest_end("") == naive.newest_end("")
    assert tree.in_order() == [node.id for node in all_nodes]
    if len(added) == len(all_nodes):
        assert [added.branch(node.id) for node in all_nodes] == [tree.branch(node.id) for node in all_nodes]


DATABASE = open_database(None, "").database
TEXT = 'quote " star * colon: (paren) ^caret -minus NOT'
ROWS = (
    ChatRow(id="c", title="NEAR the AND of OR"),
    MessageRow(id="m", chat="c", parent="", place=1, role="user", text=TEXT),
)
DATABASE.write([(key_of(row), row) for row in ROWS])
PIECES = st.sampled_from(
    ['"', "*", "(", ")", ":", "^", "-", "+", "AND", "OR", "NOT", "NEAR", "NEAR(", "text:", "{", "}", ",", "\x00", "'",
     ";", "ä", "a\u0308", "\ud7ff", "\U0001f600", "_", "%", "\\", "quote", " ", "\n", "\u0000", "title"]
)  # fmt: skip


@given(
    st.one_of(
        st.text(max_size=60), st.lists(PIECES, max_size=20).map("".join), st.lists(PIECES, max_size=20).map(" ".join)
    )
)
@settings(max_examples=300)
def test_no_query_is_a_syntax_error(query):
    expression = match_expression(query)
    if expression:
        for find in (DATABASE.find_titles, DATABASE.find_texts):
            for hit in find(expression, 5, 0):
                text, marks = marked(hit.snippet)
                assert all(0 <= begin < end <= len(text) for begin, end in marks)


@given(st.text(alphabet=st.sampled_from("ab\x02\x03"), max_size=30))
def test_marks_stay_inside_whatever_the_text_holds(snippet):
    text, marks = marked(snippet)
    assert text == snippet.replace("\x02", "").replace("\x03", "")
    assert all(0 <= begin < end <= len(text) for begin, end in marks)


@given(st.text(max_size=500))
def test_titles_are_one_short_line(question):
    title = title_from(question)
    assert len(title) <= 60
    assert title == " ".join(title.split())
    assert title.isprintable()


class MoodyStore(ChatStore):
    """Its disk takes something or not."""

    failing = False

    async def ask(self, method, *values, **named):
        if self.failing and method is Database.write:
            raise StorageError("The disk is full.")
        return await super().ask(method, *values, **named)


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["save", "delete", "fail", "work"]), st.integers(0, 3), st.integers(0, 99)), max_size=25
)


@given(ACTIONS)
@settings(max_examples=25, deadline=None)
def test_what_waits_is_read_as_if_it_were_written(actions):
    """Whether or not the disk takes anything, reading gives what was kept last."""

    async def play() -> None:
        store = MoodyStore(None, ManualClock(), lambda _: None)
        wanted: dict[str, ChatRow] = {}
        for action, number, value in actions:
            name = f"c{number}"
            if action in ("fail", "work"):
                store.failing = action == "fail"
            elif action == "save":
                wanted[name] = ChatRow(id=name, title=str(value), activity=value * 4 + number + 1)
                assert await store.save(wanted[name]) is not store.failing
            elif name in wanted:
                del wanted[name]
                await store.save(gone=[(ChatRow, name)])
            expected = sorted(wanted.values(), key=lambda row: -row.activity)
            assert await store.chats(None, 0, 10) == expected
            assert await store.chats(None, 0, 2) == expected[:2]
            assert await store.chat(name) == wanted.get(name)
        store.failing = False
        await store.flush()
        assert store.waiting == 0
        assert await store.chats(None, 0, 10) == sorted(wanted.values(), key=lambda row: -row.activity)
        await store.close()

    asyncio.run(play())
