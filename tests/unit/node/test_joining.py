"""A network is joined for good: by what was pasted, for every later start that is not told another one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.clock import ManualClock
from engine.config import JOINED_NAME, Configuration, load_configuration
from engine.directory.invite import make_invitation, to_text
from engine.errors import ConfigurationError
from engine.ids import NetworkId, NodeId
from engine.node.joining import join, join_later, leave_later
from tests.support.records import identity

NOW = 1_800_000_000.0
URL = "https://bootstrap.example.org"
OTHER = "http://127.0.0.1:8900"
NETWORK = NetworkId(b"\x5f" * 32)
CLOCK = ManualClock(NOW)
IDS = (identity(1).node_id, identity(2).node_id)


def configured(data: Path, **options: object) -> Configuration:
    """As an engine on ``data`` finds it when it starts."""
    return load_configuration({"data_directory": data, **options}, {})


def invitation(created: float = NOW, bound: tuple[NodeId, ...] = ()) -> str:
    return to_text(make_invitation(identity(9), NETWORK, URL, created, os.urandom, seconds=3600, bound=bound))


@pytest.mark.parametrize("pasted", ["{}", "  {}\n", "gentorrent app --bootstrap {}", 'Here it is: "{}".', "<{}>"])
def test_an_address_is_kept_whatever_stands_around_it(tmp_path: Path, pasted: str) -> None:
    address = f"{URL}#{'5f' * 32}"
    assert join_later(configured(tmp_path), pasted.format(address), CLOCK, IDS) == address
    assert configured(tmp_path).bootstrap == address
    assert configured(tmp_path, bootstrap=OTHER).bootstrap == OTHER
    leave_later(configured(tmp_path))
    assert configured(tmp_path).bootstrap == ""


def test_an_invitation_is_kept_by_the_window_and_by_the_command_line(tmp_path: Path) -> None:
    address = f"{URL}#{NETWORK.hex()}"
    text = invitation()
    broken = "\n".join(text[start : start + 60] for start in range(0, len(text), 60))  # as mail programs do it
    assert join_later(configured(tmp_path / "window"), broken, CLOCK, IDS) == address
    assert configured(tmp_path / "window").bootstrap == address
    assert join(configured(tmp_path / "command", join=text), CLOCK).bootstrap == address
    assert configured(tmp_path / "command").bootstrap == address


def test_an_invitation_for_this_machine_is_kept(tmp_path: Path) -> None:
    address = f"{URL}#{NETWORK.hex()}"
    assert join_later(configured(tmp_path), invitation(bound=IDS), CLOCK, IDS) == address
    assert join_later(configured(tmp_path), invitation(bound=IDS[1:]), CLOCK, IDS) == address


def test_another_network_can_be_joined_afterwards(tmp_path: Path) -> None:
    join_later(configured(tmp_path), OTHER, CLOCK, IDS)
    join_later(configured(tmp_path), invitation(), CLOCK, IDS)
    assert configured(tmp_path).bootstrap.startswith(URL)
    assert configured(tmp_path, join=invitation()).bootstrap == ""  # the invitation says where


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        ("hello", "neither an invitation"),
        (f"{OTHER} {URL}", "not an address"),
        ("gentorrent-invite-abc", "incomplete or mistyped"),
        ("ftp://host", "neither an invitation"),
        (f"{URL}#12", "not a network id"),
        (invitation(NOW - 90_000), "expired"),
        (invitation(NOW + 90_000), "yet to come"),
        (invitation(bound=(identity(3).node_id,)), "made for another machine"),
    ],
)
def test_what_cannot_be_used_is_said_and_changes_nothing(tmp_path: Path, pasted: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        join_later(configured(tmp_path), pasted, CLOCK, IDS)
    assert configured(tmp_path).bootstrap == ""


def test_who_named_the_network_at_the_start_keeps_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="when it was started"):
        join_later(configured(tmp_path, bootstrap=OTHER), URL, CLOCK, IDS)
    with pytest.raises(ConfigurationError, match="when it was started"):
        leave_later(configured(tmp_path, bootstrap=OTHER))


@pytest.mark.parametrize("content", [b"{", b'{"bootstrap": 1}', b'{"bootstrap": "nonsense"}', b"\xff\xfe"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / JOINED_NAME).write_bytes(content)
    with pytest.raises(ConfigurationError, match=JOINED_NAME):
        configured(tmp_path)
