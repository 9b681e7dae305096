"""The parser of Markdown: markdown-it-py with GitHub's tables and strikethrough, and formulas.

Different from CommonMark on purpose (docs/decisions/0083-…): HTML is text, link definitions and underlined headings are
text (both would change what has been shown already), and a link that may not be opened stays text.
"""

from __future__ import annotations

import functools

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from app.markdown.languages import load_language
from app.markdown.links import may_open

MAX_NESTING = 60
"""Levels of markdown-it (a list has two) that are read; below them text stays as it was written."""
MAX_MARKS = {"[": 150, "*": 800, "_": 800, "~": 400, "`": 800, "<": 400, "$": 400, "&": 800}
"""How often one paragraph or cell may hold a mark. With more it is taken as it is: matching them up takes time that
grows with their square."""


@functools.cache
def _parser() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_NESTING, "linkify": False})
    markdown.enable(["table", "strikethrough"])
    markdown.disable(["reference", "lheading", "html_block", "html_inline"])
    markdown.block.ruler.before("fence", "maths_block", _maths_block, {"alt": ["paragraph", "blockquote", "list"]})
    markdown.inline.ruler.before("escape", "maths", _maths_inline)
    markdown.core.ruler.before("inline", "bound_marks", _bound_marks)
    markdown.validateLink = may_open  # type: ignore[method-assign, assignment]
    return markdown


def parse(text: str) -> list[Token]:
    """The tokens of ``text``; those of inline text are the children of "inline" tokens."""
    return _parser().parse(text)


def warm_up() -> None:
    """Load what reading and colouring need (some 50 ms, in any thread), so that the first
    answer does not wait for it."""
    parse("**a** `b`")
    load_language("python")


def normal_address(address: str) -> str:
    """``address`` as a browser would send it: percent-encoded, its host in punycode. Empty if it may not be opened."""
    normal = _parser().normalizeLink(address)
    return normal if may_open(normal) else ""


def _bound_marks(state: object) -> None:
    """Core rule: inline text with too many marks becomes one piece of plain text."""
    for token in state.tokens:  # type: ignore[attr-defined]
        if token.type == "inline" and any(token.content.count(mark) > most for mark, most in MAX_MARKS.items()):
            token.type = "verbatim"


def _maths_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    r"""Block rule: ``$$ … $$`` and ``\[ … \]``, each beginning a line. Without an end it ends as a paragraph would:
    what is a formula must not depend on what comes later."""
    if state.is_code_block(start):
        return False
    first = state.bMarks[start] + state.tShift[start]
    closing = {"$$": "$$", "\\[": "\\]"}.get(state.src[first : first + 2])
    if closing is None:
        return False
    line, begin = start, first + 2
    while True:
        text = state.src[begin : state.eMarks[line]].rstrip()
        if text.endswith(closing):
            break
        if line == start and closing in text:
            return False  # a sentence that begins with a formula
        if line + 1 >= end or state.isEmpty(line + 1) or state.sCount[line + 1] < state.blkIndent:
            break
        line += 1
        begin = state.bMarks[line] + state.tShift[line]
    if silent:
        return True
    content = state.getLines(start, line + 1, state.blkIndent, False).strip()
    state.line = line + 1
    token = state.push("maths_block", "math", 0)
    token.content = content[2:].removesuffix(closing).strip()
    token.map = [start, state.line]
    return True


def _maths_inline(state: StateInline, silent: bool) -> bool:
    r"""Inline rule: ``$x$`` (no space inside its ends, no digit behind: "$5 and $6" is money), ``$$x$$``, ``\(x\)`` and
    ``\[x\]``, all on one line."""
    opening, closing = state.src[state.pos : state.pos + 2], ""
    if opening.startswith("$"):
        closing = opening = "$$" if opening == "$$" else "$"
    elif opening in ("\\(", "\\["):
        closing = "\\)" if opening == "\\(" else "\\]"
    if not closing:
        return False
    begin = state.pos + len(opening)
    end = state.src.find(closing, begin, state.posMax)
    content = state.src[begin:end] if end > begin else ""
    if not content.strip() or "\n" in content:
        return False
    after = end + len(closing)
    if opening == "$" and (content != content.strip() or state.src[after : after + 1].isdigit()):
        return False
    if not silent:
        token = state.push("maths_inline", "math", 0)
        token.content = content.strip()
    state.pos = after
    return True
