"""docs/protocol.md says what the code does: every message with its number and fields, every limit with its value."""

import re
from pathlib import Path

import pytest

from engine.crypto import onion
from engine.paths import cells, fragments
from tests.support import protocol_tables
from tests.support.wire_messages import message_types

TEXT = protocol_tables.DOCUMENT.read_text("utf-8")
FLOWING = " ".join(TEXT.split())
ROOT = protocol_tables.DOCUMENT.parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]+)(?:#[^)]*)?\)")


def test_every_message_stands_in_the_document_with_its_number_and_fields() -> None:
    assert protocol_tables.with_tables(TEXT) == TEXT, "run python -m tests.support.protocol_tables"
    assert len(message_types()) > 40


def test_every_limit_is_the_constant_of_the_code() -> None:
    rows = protocol_tables.limits(TEXT)
    assert len(rows) > 60
    for name, stated in rows:
        value = protocol_tables.value_of(name)
        assert isinstance(value, int | float), name
        assert float(stated.replace(",", "")) == float(value), f"{name} is {value}, the document says {stated}"


@pytest.mark.parametrize(
    ("sentence", "number"),
    [
        ("A set-up packet has {} bytes", onion.PACKET_LENGTH),
        ("A slot has {} bytes", onion.SLOT_LENGTH),
        ("An answer to a set-up has {} bytes", onion.REPLY_LENGTH),
        ("A cell has {:,} bytes", cells.CELL_LENGTH),
        ("{:,} bytes of data per cell", fragments.DATA_LENGTH),
        ("at most {:,} bytes per circuit message", fragments.MAX_MESSAGE_LENGTH),
    ],
)
def test_lengths_are_those_of_the_code(sentence: str, number: int) -> None:
    assert sentence.format(number) in FLOWING


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    broken = [
        target for target in _LINK.findall(document.read_text("utf-8")) if not (document.parent / target).exists()
    ]
    assert not broken
