"""A wrong value is bad usage, whether an engine runs or not."""

from __future__ import annotations

from typer.testing import CliRunner

from engine.cli import cli


def test_a_way_that_there_is_not_is_bad_usage_without_an_engine(tmp_path) -> None:
    result = CliRunner().invoke(cli, ["chats", "set", "x", "--overflow", "nonsense", "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert "keep-ends" in result.output
