"""Bytes of tokens that are no whole character, in the two ways in which vocabularies write them."""

import pytest
from tokenizers import pre_tokenizers

from engine.inference.text.token_bytes import broken_bytes


def test_every_byte_has_the_letter_that_tokenizers_gives_it():
    letters = pre_tokenizers.ByteLevel.alphabet()
    assert sorted(broken_bytes(letter)[0] for letter in letters) == list(range(256))
    for text in ("é", "世", "🙂", "\x00\x7f\xad"):
        [(written, _)] = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)
        assert broken_bytes(written) == text.encode()


@pytest.mark.parametrize(
    ("written", "expected"), [("<0xE2>", b"\xe2"), ("<0x00>", b"\0"), ("\ufffd", None), ("世", None)]
)
def test_single_bytes_are_read_and_other_texts_are_not(written, expected):
    assert broken_bytes(written) == expected
