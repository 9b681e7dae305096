"""Two questions to an X server: a real one that the test starts, one that goes away, and any bytes."""

from __future__ import annotations

import contextlib
import socket
import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sensors import x11
from engine.sensors.x11 import X11, X11Error, XServer, cookie_of
from tests.support.played_desktops import x_server
from tools.system_libraries import missing_desktop

NEEDS_DESKTOP = pytest.mark.skipif(bool(missing_desktop()), reason="system packages are missing")


@NEEDS_DESKTOP
def test_a_real_x_server() -> None:
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-noreset", "-nolisten", "tcp"], stdout=subprocess.PIPE, text=True
    )
    try:
        environment = {"DISPLAY": f":{server.stdout.readline().strip()}"}
        display = X11(environment)
        assert 0 <= display.idle() < 3600
        with pytest.raises(X11Error):  # no window manager
            display.full_screen()
        active, state = display._atom(b"_NET_ACTIVE_WINDOW"), display._atom(b"_NET_WM_STATE")
        full = display._atom(b"_NET_WM_STATE_FULLSCREEN")

        def change(name, value) -> None:  # ChangeProperty; the root window stands for the active one
            display._socket.sendall(struct.pack("<BBHIIIBxxxII", 18, 0, 7, display.root, name, 4, 32, 1, value))
            display._atom(b"_NET_WM_STATE")

        change(active, 0)
        assert display.full_screen() is False
        change(active, display.root)
        assert display.full_screen() is False
        change(state, full)
        assert display.full_screen() is True
        change(active, 0x7FFFFFF)  # a window that has gone
        with pytest.raises((X11Error, OSError)):
            display.full_screen()
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
    with pytest.raises((X11Error, OSError)):
        display.idle()
    display.close()


@NEEDS_DESKTOP
def test_one_connection_is_kept_and_a_server_that_begins_anew_is_found_again(monkeypatch) -> None:
    made = []

    def connect(environment) -> X11:
        made.append(X11(environment))
        return made[-1]

    monkeypatch.setattr(x11, "X11", connect)
    screen = XServer()
    with x_server() as display:
        monkeypatch.setenv("DISPLAY", display)
        assert all(screen.ask(X11.idle) >= 0 for _ in range(20))
        assert len(made) == 1
        with pytest.raises(X11Error):
            screen.ask(X11.full_screen)  # no window manager: the next question is on another connection
        screen.ask(X11.idle)
        assert len(made) == 2
    with pytest.raises((X11Error, OSError)):
        screen.ask(X11.idle)
    with x_server() as display:
        monkeypatch.setenv("DISPLAY", display)
        assert screen.ask(X11.idle) >= 0
    screen.close()


@pytest.mark.parametrize("display", ["", "far.example:0", ":x", ":99999", ":1/../../x"])
def test_displays_that_are_not_here(display) -> None:
    with pytest.raises((X11Error, OSError)):
        X11({"DISPLAY": display})


def entry(*fields: bytes) -> bytes:
    return b"\x01\x00" + b"".join(len(one).to_bytes(2, "big") + one for one in fields)


def test_the_secret_of_a_display() -> None:
    data = entry(b"host", b"1", x11.COOKIE, b"other") + entry(b"host", b"0", x11.COOKIE, b"secret")
    assert cookie_of(data, b"0") == b"secret"
    assert cookie_of(data, b"7") == b""


@given(st.binary(max_size=200))
def test_any_file_of_secrets_is_read(data: bytes) -> None:
    assert isinstance(cookie_of(data, b"0"), bytes)


@given(st.binary(max_size=200))
def test_any_server_is_heard(data: bytes) -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(data)
    theirs.shutdown(socket.SHUT_WR)
    display = X11.__new__(X11)
    display._socket, display.root, display._atoms, display._screen_saver = ours, 1, {}, b""
    try:
        for ask in (display.idle, display.full_screen, lambda: display._greet(b"")):
            with contextlib.suppress(X11Error, OSError):
                ask()
    finally:
        ours.close()
        theirs.close()
