"""Nothing that names a person, a machine or a place comes through, and what explains a fault does."""

from __future__ import annotations

import secrets
from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.node.redaction import Redactor

REDACTOR = Redactor(
    {"token": ["letmein"], "this machine": ["kfnv-tbqx"]},
    {"user": ["ada"], "host": ["analytical-engine"]},
    {"~": ["/home/ada"], "<data>": ["/home/ada/.local/share/GenTorrent"]},
)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("token letmein!", "token <token>!"),
        ("node kfnv-tbqx is listed", "node <this machine> is listed"),
        ("/home/ada/.local/share/GenTorrent/keys cannot be read", "<data>/keys cannot be read"),
        ("/home/ada/Documents", "~/Documents"),
        ("/home/grace/x and C:\\Users\\Grace\\x", "/home/<user>/x and C:\\Users\\<user>\\x"),
        ("Ada at analytical-engine", "<user> at <host>"),
        ("Canada", "Canada"),
        ("https://ada:pw@bootstrap.example.org:8900/x?y=z is away", "https://<address> is away"),
        ("turns:turn.example.org:5349", "turns:<address>"),
        ("from 203.0.113.7:4000 and [2001:db8::7]:4000", "from <address>:4000 and [<address>]:4000"),
        ("fe80::1%eth0", "<address>"),
        ("http 127.0.0.1 and ::1", "http 127.0.0.1 and ::1"),
        ("12:30:05 started", "12:30:05 started"),
        ("bootstrap.example.org:8900 is away", "<address>:8900 is away"),
        ("write to ada@example.org", "write to <address>"),
        ("engine.node.peer_presence: dialled 3 relays", "engine.node.peer_presence: dialled 3 relays"),
        ("Llama-3.3-70B-Instruct-q4f16-onnx", "Llama-3.3-70B-Instruct-q4f16-onnx"),
        ("ie0Y0NglTfXriKu+Wb6Ugga/XTucpSkatxle/VcmCXI=", "<secret>"),
        ("CUDAExecutionProvider", "CUDAExecutionProvider"),
    ],
)
def test_what_goes_and_what_stays(text: str, redacted: str) -> None:
    assert REDACTOR.text(text) == redacted


@pytest.mark.parametrize(
    "encode", [bytes.hex, lambda key: b64encode(key).decode(), lambda key: urlsafe_b64encode(key).decode().rstrip("=")]
)
def test_no_key_comes_through_however_it_is_written(encode) -> None:
    for _ in range(200):
        key = encode(secrets.token_bytes(32))
        assert key not in REDACTOR.text(f"the key {key} was refused, key={key}")


def test_tables_and_their_names_are_gone_through() -> None:
    found = REDACTOR.value({"letmein": ["/home/ada/x", 7, None, ("Ada", {"a": "203.0.113.7"})]})
    assert found == {"<token>": ["~/x", 7, None, ["<user>", {"a": "<address>"}]]}


@given(st.text(max_size=200))
def test_any_text_can_be_redacted_and_nothing_known_is_left(text: str) -> None:
    assert "letmein" not in REDACTOR.text(f"{text} letmein {text}")


@given(st.text(alphabet="/home adusr.:0123456789\\", max_size=100))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once
