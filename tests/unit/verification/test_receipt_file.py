"""Receipt files: what they prove, what they keep to themselves, and how they are refused."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ReceiptError
from engine.paths.admission import CLOCK_SKEW, REQUEST_LIFE
from engine.verification.receipt_file import MAX_FILE, MAX_PARTS, ReceiptPart, export_receipt, verify_export
from engine.verification.receipts import DATE_AHEAD, DATE_BEHIND, receipt_key
from tests.support.receipts import (
    ANSWER_SECRET,
    CACHE_SALT,
    CLOVE_SECRET,
    NETWORK,
    NODE,
    OTHER_NODE,
    OUTPUT_IDS,
    PROMPT_IDS,
    make_request,
    part,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "receipt.json"


def exported(*parts: ReceiptPart) -> dict[str, Any]:
    return export_receipt(NETWORK, parts or (part(),))


def data(content: Any) -> bytes:
    return json.dumps(content).encode()


def handed_over(**changes: Any) -> tuple[ReceiptPart, ReceiptPart]:
    """Tokens 0 to 3 by one node (a checkpoint), 3 to 5 by another."""
    first = part(final=False, output_ids=OUTPUT_IDS[:3])
    request = make_request(**({"continue_tokens": OUTPUT_IDS[:3]} | changes))
    return first, part(OTHER_NODE, request=request, first=3, output_ids=OUTPUT_IDS[3:], attempt=2)


def test_a_whole_receipt_verifies_and_says_what_was_checked() -> None:
    report = verify_export(data(exported()), NETWORK)
    assert report.network_id == NETWORK
    assert len(report.checked) == 4
    assert "signed tokens 0 to 5" in report.checked[0]
    assert "2025-06-15 15:06:42 UTC" in report.checked[0]
    assert "gentorrent/help" in report.checked[0]
    request = report.parts[0].request
    assert request is not None
    assert request.messages[0].content == "Who was Ada Lovelace?"
    assert (report.parts[0].prompt_ids, report.parts[0].output_ids) == (PROMPT_IDS, OUTPUT_IDS)
    assert any("answer's words" in sentence for sentence in report.not_checked)
    assert len(report.not_checked) == 2


def test_golden_file() -> None:
    golden = json.loads(VECTORS.read_text())["file"]
    assert exported() == golden
    assert verify_export(data(golden), NETWORK).parts[0].output_ids == OUTPUT_IDS


def test_indentation_does_not_matter() -> None:
    assert verify_export(json.dumps(exported(), indent=2).encode()) == verify_export(data(exported()))


def test_the_file_holds_no_secret_but_the_commitment_key() -> None:
    content = exported()
    raw = data(content)
    report = verify_export(raw)
    for secret in (ANSWER_SECRET, CLOVE_SECRET, CACHE_SALT, NODE.seed):
        for alignment in range(3):  # base64 of the secret wherever it may stand
            encoded = base64.b64encode(bytes(alignment) + secret)[4:-4]
            assert encoded not in raw
        assert secret.hex().encode() not in raw
    request = report.parts[0].request
    assert request is not None
    assert request.answer_secret == request.cache_salt == bytes(32)
    assert set(request.clove_secrets) == {bytes(32)}


def test_nothing_shown_means_no_key_either() -> None:
    content = exported(part(shown=False))
    assert content["parts"][0]["opening"] is None
    report = verify_export(data(content))
    assert len(report.checked) == 1
    assert sum("does not show" in sentence for sentence in report.not_checked) == 3
    assert report.parts[0].request is None
    assert report.parts[0].output_ids is None


def test_the_owner_chooses_what_is_shown() -> None:
    whole = part()
    only_output = ReceiptPart(
        record=whole.record, signature=whole.signature, key=whole.key, output_ids=whole.output_ids
    )
    raw = data(exported(only_output))
    report = verify_export(raw)
    assert report.parts[0].output_ids == OUTPUT_IDS
    assert report.parts[0].request is None
    assert sum("does not show" in sentence for sentence in report.not_checked) == 2


def test_without_a_known_network_that_is_said() -> None:
    assert "network is the one that the file names" in verify_export(data(exported())).not_checked[0]
    with pytest.raises(ReceiptError, match="another network"):
        verify_export(data(exported()), bytes(32))


def test_an_answer_of_two_nodes() -> None:
    report = verify_export(data(exported(*handed_over())), NETWORK)
    assert [one.receipt.node_id for one in report.parts] == [NODE.node_id, OTHER_NODE.node_id]
    assert report.checked[0].startswith("Part 1: ")
    assert report.checked[-1].startswith("Part 2: ")


def test_tokens_that_nobody_signed_are_named() -> None:
    first = part(final=False, output_ids=OUTPUT_IDS[:2])
    second = handed_over()[1]
    hidden = ReceiptPart(record=second.record, signature=second.signature, key=second.key)
    assert any("Tokens 2 to 3" in sentence for sentence in verify_export(data(exported(first, hidden))).not_checked)
    assert any("Tokens 0 to 3" in sentence for sentence in verify_export(data(exported(second))).not_checked)
    assert any("Anything after token 2" in sentence for sentence in verify_export(data(exported(first))).not_checked)


@pytest.mark.parametrize(
    "parts",
    [
        lambda: handed_over()[::-1],
        lambda: (part(output_ids=OUTPUT_IDS[:3]), handed_over()[1]),  # the first was final
        lambda: (part(final=False), handed_over()[1]),  # overlap
        lambda: (handed_over()[0], handed_over(model_digest=b"M" * 32)[1]),
        lambda: (handed_over()[0], handed_over(continue_tokens=(1, 2, 3))[1]),
        lambda: (handed_over()[0], handed_over(messages=make_messages("Another question"))[1]),
        lambda: (part(final=False), part()),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(parts: Callable[[], tuple[ReceiptPart, ...]]) -> None:
    with pytest.raises(ReceiptError, match="Part 2"):
        exported(*parts())


def make_messages(content: str) -> Any:
    from engine.wire.answer import ChatMessage

    return (ChatMessage(role="user", content=content),)


def replace(content: dict[str, Any], path: list[Any], value: Any) -> dict[str, Any]:
    place: Any = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return content


@pytest.mark.parametrize(
    ("path", "value", "word"),
    [
        (["format"], "something-else", "not a GenTorrent receipt"),
        (["version"], 2, "version 2"),
        (["version"], "1", "not a complete receipt"),
        (["network_id"], "00", "not a complete receipt"),
        (["network_id"], "0" * 64, "another network"),
        (["network_id"], "0" * 64 + "\n", "not a complete receipt"),
        (["parts"], [], "not a complete receipt"),
        (["parts"], None, "not a complete receipt"),
        (["extra"], 1, "not a complete receipt"),
        (["parts", 0, "extra"], 1, "not a complete receipt"),
        (["parts", 0, "record"], "!!", "not a complete receipt"),
        (["parts", 0, "record"], "AAAA", "malformed"),
        (["parts", 0, "signature"], "AAAA", "not a complete receipt"),
        (["parts", 0, "signature"], "A" * 86 + "==", "signature"),
        (["parts", 0, "opening", "key"], "AAAA", "not a complete receipt"),
        (["parts", 0, "opening", "key"], "A" * 43 + "=", "does not match"),
        (["parts", 0, "opening", "request"], "AAAA", "malformed"),
        (["parts", 0, "opening", "output_ids"], [5, 6, 70_000, 8, 10], "tokens of the answer"),
        (["parts", 0, "opening", "output_ids"], [5, 6], "covers 5 tokens, the file shows 2"),
        (["parts", 0, "opening", "output_ids"], [], "covers 5 tokens, the file shows 0"),
        (["parts", 0, "opening", "output_ids"], [-1], "not a complete receipt"),
        (["parts", 0, "opening", "output_ids"], [1.5], "not a complete receipt"),
        (["parts", 0, "opening", "prompt_ids"], [1, 20, 300, 4001], "tokens of the prompt"),
        (["parts", 0, "opening", "prompt_ids"], [1], "counts 4 prompt tokens"),
    ],
)
def test_altered_files_are_refused_with_the_reason(path: list[Any], value: Any, word: str) -> None:
    with pytest.raises(ReceiptError, match=word) as caught:
        verify_export(data(replace(exported(), path, value)), NETWORK)
    assert str(caught.value).isprintable()


def test_another_request_in_the_opening_is_refused() -> None:
    content = exported()
    other = exported(part(request=make_request(max_tokens=99)))
    content["parts"][0]["opening"]["request"] = other["parts"][0]["opening"]["request"]
    with pytest.raises(ReceiptError, match="another request"):
        verify_export(data(content))


@pytest.mark.parametrize("length", [0, 1, 10, 100, 1000, -1, -2, -100])
def test_truncated_files_are_refused(length: int) -> None:
    with pytest.raises(ReceiptError, match="cut off or damaged"):
        verify_export(data(exported())[:length])


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00" * 100,
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"format":"gentorrent-receipt","version":1,"parts":' + b"[" * 100_000,
        b"null",
        b"[]",
        b"{}",
        b"1e999",
        b'{"format":"gentorrent-receipt"}',
        b'{"version":1e400,"format":"gentorrent-receipt"}',
        b"GIF89a",
    ],
)
def test_files_of_other_kinds_are_refused(raw: bytes) -> None:
    with pytest.raises(ReceiptError):
        verify_export(raw)


def test_sizes_are_bounded() -> None:
    with pytest.raises(ReceiptError, match="too long"):
        verify_export(b" " * (MAX_FILE + 1))
    content = exported()
    content["parts"] = content["parts"] * (MAX_PARTS + 1)
    with pytest.raises(ReceiptError, match="not a complete receipt"):
        verify_export(data(content))


def test_what_would_not_verify_is_not_exported() -> None:
    good = part()
    wrong_key = ReceiptPart(
        record=good.record, signature=good.signature, key=receipt_key(bytes(32)), output_ids=good.output_ids
    )
    with pytest.raises(ReceiptError, match="does not match"):
        exported(wrong_key)
    with pytest.raises(ReceiptError, match="another network"):
        export_receipt(bytes(32), (good,))


def test_a_date_at_which_nobody_can_have_answered_is_refused() -> None:
    content = data(exported(part(issued=1_750_000_300)))
    assert verify_export(content, now=1_750_000_000).parts
    with pytest.raises(ReceiptError, match="in the future"):
        verify_export(content, now=1_749_999_999)
    assert exported(part(issued=1_749_999_880))
    with pytest.raises(ReceiptError, match="before that of its request"):
        exported(part(issued=1_749_999_879))
    assert exported(part(shown=False, issued=0))  # nobody can tell when it was asked


def test_clocks_may_be_as_far_apart_as_those_with_which_requests_are_taken() -> None:
    assert (DATE_BEHIND, DATE_AHEAD) == (CLOCK_SKEW, REQUEST_LIFE)


def test_impossible_dates_are_said() -> None:
    report = verify_export(data(exported(part(issued=2**53 - 1))))
    assert "impossible date" in report.checked[0]
