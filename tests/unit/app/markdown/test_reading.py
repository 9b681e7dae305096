"""What Markdown is read as, and that nothing in it acts."""

from __future__ import annotations

import pytest

from app.markdown.blocks import Code, Maths, Place, Rule, Run, Style, Table, Text, plain
from app.markdown.reader import MarkdownReader


def blocks(text: str):
    reader = MarkdownReader()
    reader.add(text)
    return reader.read_all()


def words(text: str) -> list[str]:
    return [plain(block.runs) for block in blocks(text) if isinstance(block, Text)]


def test_styles_nest() -> None:
    (text,) = blocks("a **b *c* `d`** ~~e~~")
    assert text.runs == (
        Run("a "),
        Run("b ", Style.BOLD),
        Run("c", Style.BOLD | Style.ITALIC),
        Run(" ", Style.BOLD),
        Run("d", Style.BOLD | Style.CODE),
        Run(" "),
        Run("e", Style.STRIKE),
    )


def test_headings_rules_and_line_breaks() -> None:
    assert blocks("## Two\n\none\ntwo\n\n***") == [
        Text(Place(), (Run("Two"),), 2),
        Text(Place(), (Run("one\ntwo"),)),
        Rule(Place()),
    ]


def test_lists_nest_and_count() -> None:
    found = [
        (block.place.containers, block.place.marker, plain(block.runs))
        for block in blocks("3. a\n   - b\n4. c\n\n   d")
    ]
    assert found == [
        (("item",), "3.", "a"),
        (("item", "item"), "•", "b"),
        (("item",), "4.", "c"),
        (("item",), "", "d"),
    ]


def test_tasks_show_their_state() -> None:
    assert [(block.place.marker, plain(block.runs)) for block in blocks("- [ ] to do\n- [x] done\n- [y] other")] == [
        ("☐", "to do"),
        ("☑", "done"),
        ("•", "[y] other"),
    ]


def test_quotes_hold_other_blocks() -> None:
    found = blocks("> one\n>\n> ```\n> code\n> ```")
    assert found == [Text(Place(("quote",)), (Run("one"),)), Code(Place(("quote",)), "", "code\n")]


def test_code_keeps_its_text_and_its_language() -> None:
    assert blocks('```python title="x"\na = "*b*"\n\n  <i>\n```') == [Code(Place(), "python", 'a = "*b*"\n\n  <i>\n')]
    assert blocks("```\nnever closed") == [Code(Place(), "", "never closed")]


def test_tables_have_rows_of_one_length() -> None:
    (table,) = blocks("| a | b |\n|:-:|--:|\n| 1 |\n| 2 | **3** | 4 |")
    assert isinstance(table, Table)
    assert table.alignments == ("center", "right")
    assert [[plain(cell) for cell in row] for row in (table.header, *table.rows)] == [["a", "b"], ["1", ""], ["2", "3"]]


def test_table_with_too_many_columns_is_shown_as_written() -> None:
    source = "|" + "a|" * 400 + "\n|" + "-|" * 400 + "\n"
    assert blocks(source) == [Code(Place(), "", source.rstrip("\n"))]


@pytest.mark.parametrize(
    ("source", "formula"),
    [
        ("$x_1^2 \\leq \\frac{a+b}{2}$", "x₁² ≤ (a+b)/2"),
        ("\\(\\alpha \\times \\sqrt{2}\\)", "α × √2"),
        ("so $$E = mc^2$$", "E = mc²"),
        ("$\\unknown{x}$", "\\unknown{x}"),
    ],
)
def test_formulas_are_readable(source: str, formula: str) -> None:
    (text,) = blocks(source)
    assert [run.text for run in text.runs if run.style & Style.MATHS] == [formula]


def test_formulas_on_lines_of_their_own() -> None:
    assert blocks("$$\na \\to b\n$$\n\n\\[ c \\]\n\n$$ d") == [
        Maths(Place(), "a → b"),
        Maths(Place(), "c"),
        Maths(Place(), "d"),
    ]


def test_money_is_no_formula() -> None:
    assert words("It costs $5 and then $6, or $ 7 $.") == ["It costs $5 and then $6, or $ 7 $."]


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "<iframe src=file:///etc/passwd></iframe>",
        "<!-- hidden -->",
        "<style>* { display: none }</style>",
    ],
)
def test_html_is_text(source: str) -> None:
    assert words(source) == [source]
    assert all(not run.link for block in blocks(source) for run in block.runs)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "&#106;avascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "ms-settings:privacy",
        "smb://host/share",
        "//host/share",
        "\\\\\\\\host\\\\share",
        "README.md",
        "#top",
        "http:",
        "http://",
        "mailto:nobody",
        "ftp://host/",
        "http://[::1",
    ],
)
@pytest.mark.parametrize("form", ["[x]({})", "<{}>", "![x]({})", "[x](<{}>)"])
def test_only_web_and_mail_become_links(address: str, form: str) -> None:
    found = blocks(form.format(address))
    assert all(not run.link for block in found if isinstance(block, Text) for run in block.runs)
    assert "".join(words(form.format(address)))  # and what was written can be read


def test_web_and_mail_become_links() -> None:
    links = [
        run.link
        for block in blocks("[a](https://x.org/%20é) <me@x.org> http://y.org, (https://z.org/a_(b)).")
        for run in block.runs
    ]
    assert [link for link in links if link] == [
        "https://x.org/%20%C3%A9",
        "mailto:me@x.org",
        "http://y.org",
        "https://z.org/a_(b)",
    ]


def test_no_link_is_made_inside_code_or_links() -> None:
    found = blocks("`https://x.org` [https://x.org](https://y.org)")[0].runs
    assert [(run.text, run.link) for run in found if run.text.strip()] == [
        ("https://x.org", ""),
        ("https://x.org", "https://y.org"),
    ]


def test_images_are_words_that_can_be_followed() -> None:
    (text,) = blocks("![a *cat*](https://cats.org/cat.png) ![](https://cats.org/2.png)")
    assert [(run.text, run.link) for run in text.runs if run.style & Style.IMAGE] == [
        ("a cat", "https://cats.org/cat.png"),
        ("https://cats.org/2.png", "https://cats.org/2.png"),
    ]


def test_definitions_stay_text() -> None:
    assert words("[x][1]\n\n[1]: https://x.org") == ["[x][1]", "[1]: https://x.org"]


def test_nothing_is_hidden_or_turned_around() -> None:
    assert words("a\u202eb &#x202e; &#8238; c\x00\x1b") == ["a[U+202E]b [U+202E] [U+202E] c␀␛"]
    (code,) = blocks("```\nif a\u200b == \u2066b:\n```")
    assert code.text == "if a[U+200B] == [U+2066]b:\n"
    assert words("`a\u200bb`") == ["a[U+200B]b"]
    assert words("Farsi می\u200cخواهم, 👩\u200d💻") == [
        "Farsi می\u200cخواهم, 👩\u200d💻"
    ]  # joiners are needed in words


def test_too_deep_nesting_is_shown_as_written() -> None:
    source = "> " * 300 + "x"
    assert words(source) == [source]


def test_too_many_marks_are_shown_as_written() -> None:
    source = "[" * 500 + "*" * 500
    assert words(source) == [source]
