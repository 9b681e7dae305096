"""Text from token ids: whole characters only, no part of a stop string."""

import itertools
import random

import pytest

from engine.inference.text.decoder import AnswerText, IncrementalDecoder, StopFilter


def decode_bytes(ids):
    """A byte-level tokenizer: id = byte; 256 and above are special and have no text."""
    return bytes(one for one in ids if one < 256).decode("utf-8", "replace")


def decode_fallback(ids):
    """Like decoders with byte fallback: a run of bytes that is not valid as a whole becomes U+FFFD for each byte."""
    text = ""
    for is_text, run in itertools.groupby(ids, lambda one: one < 128):
        raw = bytes(run)
        try:
            text += raw.decode()
        except UnicodeDecodeError:
            assert not is_text
            text += "�" * len(raw)
    return text


def pieces(text, decode=decode_bytes):
    decoder = IncrementalDecoder(decode)
    return [decoder.push(one) for one in text.encode()], decoder.flush()


@pytest.mark.parametrize("decode", [decode_bytes, decode_fallback])
@pytest.mark.parametrize("text", ["", "plain", "é€𝄞 mixed ñ", "👩‍👩‍👧‍👦" * 3, "日本語" * 40, "a" * 500])
def test_pieces_add_up_and_break_no_character(text, decode):
    parts, rest = pieces(text, decode)
    assert "".join(parts) + rest == text
    assert not any("�" in part for part in parts)


def test_a_character_appears_with_its_last_byte():
    parts, _ = pieces("x€y")
    assert parts == ["x", "", "", "€", "y"]


def test_bytes_that_are_no_text_are_shown_in_the_end():
    decoder = IncrementalDecoder(decode_bytes)
    assert decoder.push(0xE2) == ""
    assert decoder.flush() == "�"


def test_an_endless_run_of_broken_bytes_is_neither_held_for_ever_nor_kept():
    decoder = IncrementalDecoder(decode_bytes)
    shown = "".join(decoder.push(0xFF) for _ in range(500)) + decoder.flush()
    assert shown == "�" * 500
    assert len(decoder._window) < 100


def test_special_tokens_have_no_text_and_do_not_fill_the_window():
    decoder = IncrementalDecoder(decode_bytes)
    assert decoder.push(ord("a")) == "a"
    assert all(decoder.push(300) == "" for _ in range(200))
    assert len(decoder._window) < 100
    assert decoder.push(ord("b")) == "b"


def test_a_leading_space_survives_the_cutting_of_the_window():
    def decode(ids):  # like sentencepiece: the first token's leading space is dropped
        return "".join(" w" for _ in ids)[1:]

    decoder = IncrementalDecoder(decode)
    assert "".join(decoder.push(1) for _ in range(100)) == decode([1] * 100)


def test_stop_string_across_pieces_is_never_shown():
    stops = StopFilter(["STOP"])
    assert stops.push("one S") == ("one ", False)
    assert stops.push("TO") == ("", False)
    assert stops.push("P two") == ("", True)


def test_a_false_start_is_shown_when_it_is_certain():
    stops = StopFilter(["STOP"])
    assert stops.push("ST") == ("", False)
    assert stops.push("AR") == ("STAR", False)
    assert stops.push("S") == ("", False)
    assert stops.flush() == "S"


def test_the_earliest_of_several_stop_strings_counts():
    assert StopFilter(["zz", "b"]).push("abzz") == ("a", True)


def test_empty_stop_strings_are_ignored():
    assert StopFilter([""]).push("text") == ("text", False)


def test_random_texts_are_cut_where_the_whole_text_would_be():
    source = random.Random(5)
    for _ in range(300):
        text = "".join(source.choices("ab", k=30))
        stops = ["".join(source.choices("ab", k=source.randint(1, 5))) for _ in range(2)]
        stop_filter, shown, stopped = StopFilter(stops), "", False
        for letter in text:
            piece, stopped = stop_filter.push(letter)
            shown += piece
            if stopped:
                break
        if not stopped:
            shown += stop_filter.flush()
        ends = [text.find(stop) + len(stop) for stop in stops if stop in text]
        if ends:  # the first to be complete; of those that end together the longest
            end = min(ends)
            expected = min(text[:end].find(stop) for stop in stops if stop in text[:end])
            assert shown == text[:expected]
        else:
            assert shown == text


def test_below_min_tokens_stop_strings_are_text():
    answer = AnswerText(decode_bytes, ["b"], min_tokens=2)
    assert answer.push(ord("b")) == ("b", False)
    assert answer.push(ord("b")) == ("b", False)
    assert answer.push(ord("b")) == ("", True)


def test_flush_gives_what_was_held_back():
    answer = AnswerText(decode_bytes, ["xyz"], min_tokens=0)
    assert answer.push(ord("x")) == ("", False)
    assert answer.push(0xC3) == ("", False)
    assert answer.flush() == "x�"
