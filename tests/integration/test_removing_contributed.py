"""``gentorrent models remove`` of a model that the running engine contributes."""

import subprocess

import pytest

from tests.support.running_engine import COMMAND, ROOT, running
from tests.support.tiny_model import make_tiny_model

pytestmark = pytest.mark.timeout(180)


def test_a_model_that_is_contributed_is_removed_where_that_is_said(tmp_path):
    source, data = make_tiny_model(tmp_path / "tiny"), tmp_path / "data"

    def models(*arguments: str) -> tuple[int, str]:
        command = [*COMMAND, "models", *arguments, "--data", str(data)]
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, timeout=120, text=True)
        return done.returncode, done.stdout + done.stderr

    assert models("import", str(source))[0] == 0
    (data / "config.toml").write_text('contribute = "tiny"\n')
    with running(data):
        code, said = models("remove", "tiny", "--yes")
        assert code == 1
        assert "this machine answers others with it" in said
        assert "With --stop that is done first." in said
        assert (data / "models" / "tiny").exists()
        code, said = models("remove", "tiny", "--yes", "--stop")
        assert (code, "became free" in said) == (0, True), said
        assert not (data / "models" / "tiny").exists()
