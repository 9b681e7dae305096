"""On a machine with several users, what the window keeps is its owner's alone, also where the window was first."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from pathlib import Path

import pytest

from app.engine_address import note_started
from app.engine_process import EngineProcess
from app.preferences import PreferenceStore, WindowState, write_state
from app.single_instance import SingleInstance
from engine.api import schema


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
def test_nobody_else_can_read_what_the_window_writes(qapp, tmp_path: Path) -> None:
    data = tmp_path / "data"
    before = os.umask(0o022)
    try:
        instance = SingleInstance(data)
        assert instance.claim()
        PreferenceStore(data).change(look="dark")
        write_state(data, WindowState(chat="c"))
        note_started(data, schema.EngineAddress(pid=1, port=1, control_token="t", started=1.0), ())
        process = EngineProcess([sys.executable, "-c", "print('hello')"], data / "logs" / "engine-output.log")
        process.start()
        assert asyncio.run(process.wait(60.0))
        instance.release()
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (data, *data.rglob("*"))}
    assert {"window.json", "window-state.json", "window-engine.json", "engine-output.log"} <= set(modes)
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077 and name != "window.lock"} == {}
