"""What is said about a link before it opens."""

from __future__ import annotations

import pytest

from app.markdown.links import MAX_ADDRESS, bare_addresses, destination, may_open


@pytest.mark.parametrize(
    ("address", "text", "warnings"),
    [
        ("https://example.org/a", "docs", ()),
        ("https://example.org/", "example.org", ()),
        ("https://www.example.org/", "https://example.org/more", ()),
        ("https://evil.org/", "https://bank.com/login", ("misnamed",)),
        ("https://evil.org/", "bank.com", ("misnamed",)),
        ("https://evil.org/", "Go to bank.com, please", ("misnamed",)),
        ("https://evil.org/", "herehttps://bank.com", ("misnamed",)),  # two links without anything between them
        ("https://example.org/", "https://example.org/as/bank.com", ()),
        ("https://github.com/x", "setup.py", ()),
        ("https://github.com/x", "See setup.py.", ()),
        ("https://bank.com@evil.org/", "x", ("user",)),
        ("http://example.org/", "x", ("plain",)),
        ("http://127.0.0.1:8765/v1", "x", ("address",)),
        ("https://0x7f.1/", "x", ("address",)),
        ("https://[::1]/", "x", ("address",)),
        ("https://xn--pple-43d.com/", "x", ("homograph",)),  # first letter Cyrillic
        ("https://xn--80ak6aa92e.com/", "x", ("homograph",)),  # all letters Cyrillic
        ("https://xn--mnchen-3ya.de/", "x", ()),
        ("https://xn--wgv71a119e.jp/", "x", ()),
        ("mailto:me@example.org", "x", ()),
        ("mailto:me@example.org?subject=a&Body=b", "x", ()),
    ],
)
def test_warnings(address: str, text: str, warnings: tuple[str, ...]) -> None:
    assert may_open(address)
    assert destination(address, text).warnings == warnings


def test_names_in_other_letters_are_shown_both_ways() -> None:
    found = destination("https://xn--mnchen-3ya.de/x")
    assert (found.host, found.reads_as) == ("xn--mnchen-3ya.de", "münchen.de")
    assert destination("https://xn--a.de/").reads_as == "\N{REPLACEMENT CHARACTER}.de"  # a control character


@pytest.mark.parametrize(
    "address",
    [
        "",
        "x",
        "https://",
        "https://a b",
        "https://a\u202eb",
        "file:///x",
        "https://a:99999/",
        "mailto:a@b.org?attach=/etc/passwd",
        "https://x/" + "a" * MAX_ADDRESS,
    ],
)
def test_what_may_not_be_opened(address: str) -> None:
    assert not may_open(address)


def test_bare_addresses_end_before_punctuation() -> None:
    text = "See https://x.org/a., (http://y.org/(b)) and https://z.org?"
    assert [text[start:end] for start, end in bare_addresses(text)] == [
        "https://x.org/a",
        "http://y.org/(b)",
        "https://z.org",
    ]
