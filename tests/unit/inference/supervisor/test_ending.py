"""A worker's end in words; its last words without prompts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.inference.supervisor.ending import ended, last_words


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (-9, "killed", "out of memory"),
        (-11, "crash", "signal 11, memory error"),
        (-64, "crash", "signal 64"),
        (1, "exit", "exit code 1"),
        (0, "exit", "exit code 0"),
        (3, "provider", "device"),
        (0xC0000005, "crash", "access violation"),
    ],
)
def test_exit_codes_in_words(code, kind, words):
    ending = ended(code)
    assert ending.kind == kind
    assert words in ending.text


@pytest.mark.parametrize(
    "line",
    [
        "Fatal Python error: Segmentation fault",
        "/usr/bin/python: No module named engine.inference.worker",
        "MemoryError: Unable to allocate 3.5 GiB",
        "ImportError: libcudart.so.13: cannot open shared object file",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "  what():  std::bad_alloc",
        "CUDA failure 700: an illegal memory access was encountered",
        "2026-11-28 10:00:00.123 [E:onnxruntime:, sequential_executor.cc:572 ExecuteKernel] Non-zero status code",
    ],
)
def test_the_last_line_that_says_something_is_shown(line):
    assert last_words(["before", line, "  File x.py, line 3"]) == line.strip()


@pytest.mark.parametrize(
    "line",
    [
        "KeyError: 'my secret prompt'",
        "ValueError: cannot encode 'my secret prompt about CUDA error'",
        "my secret prompt onnxruntime",
        "Traceback (most recent call last):",
        "",
    ],
)
def test_what_may_quote_a_prompt_is_not_shown(line):
    assert last_words([line]) == ""


@given(st.lists(st.text()))
def test_any_words_are_bounded_and_printable(lines):
    words = last_words([*lines, "Fatal Python error: " + "".join(lines) + "\x1b]0;title\x07" + "x" * 1000])
    assert len(words) <= 300
    assert words.isprintable()
