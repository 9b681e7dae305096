"""The guard list on disk: both formats, and what cannot be read."""

from __future__ import annotations

import pytest

from engine.directory.guards import state_of
from engine.ids import NodeId, node_id_text
from engine.node.saved_guards import load_guards, save_guards
from engine.storage.state import save_state

IDS = [NodeId(bytes([number]) * 20) for number in range(5)]


def test_a_list_comes_back_as_it_was_saved(tmp_path):
    state = state_of(IDS)
    state.guards[1].failures = 3
    save_guards(tmp_path / "guards.json", state)
    assert load_guards(tmp_path / "guards.json") == state
    assert load_guards(tmp_path / "none.json") is None


def test_the_first_format_is_read(tmp_path):
    save_state(tmp_path / "guards.json", [node_id_text(name) for name in IDS])
    assert load_guards(tmp_path / "guards.json") == state_of(IDS)


@pytest.mark.parametrize("text", ["", "{", "[1]", '["no id"]', '{"version": 9}', '{"guards": 1}'])
def test_what_cannot_be_read_is_drawn_anew_and_the_log_says_so(tmp_path, caplog, text):
    (tmp_path / "guards.json").write_text(text)
    assert load_guards(tmp_path / "guards.json") is None
    assert "drawn anew" in caplog.text
