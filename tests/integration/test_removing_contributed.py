"""``gentorrent models remove`` of a model that the running engine contributes, or of a variant of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.running_engine import COMMAND, ROOT, running
from tests.support.tiny_model import make_tiny_model

pytestmark = pytest.mark.timeout(240)


class Terminal:
    """``gentorrent models`` with one data directory."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def __call__(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> tuple[int, str]:
        command = [*COMMAND, "models", *arguments, "--data", str(self.data)]
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, timeout=120, text=True, stdin=stdin)
        return done.returncode, done.stdout + done.stderr

    def typed(self, typed: str, *arguments: str) -> tuple[int, str]:
        """The same where somebody sits at a terminal and types."""
        keyboard, terminal = os.openpty()
        try:
            os.write(keyboard, typed.encode())
            return self(*arguments, stdin=terminal)
        finally:
            os.close(keyboard)
            os.close(terminal)

    def use(self) -> str:
        code, said = self("catalogue", "--json")
        assert code == 0, said
        return next((one["use"] for one in json.loads(said)["models"] if one["model"] == "tiny"), "")


def test_a_model_that_is_contributed_is_removed_where_that_is_said(tmp_path: Path) -> None:
    source, models = make_tiny_model(tmp_path / "tiny"), Terminal(tmp_path / "data")
    assert models("import", str(source))[0] == 0
    place = models.data / "models" / "tiny"
    variant = place / "model_bf16.onnx"
    shutil.copyfile(place / "model.onnx", variant)
    (models.data / "config.toml").write_text('contribute = "tiny"\n')
    with running(models.data):
        for name in ("tiny", "tiny:bf16"):
            code, said = models("remove", name, "--yes")
            assert code == 1
            assert "this machine answers others with it" in said
            assert "With --stop that is done first." in said
        assert "has no variant 'q8'" in models("remove", "tiny:q8", "--yes", "--stop")[1]
        if sys.platform != "win32":
            code, said = models.typed("y\ny\n", "remove", "tiny:bf16", "--yes")  # asks nothing
            assert (code, "With --stop that is done first." in said, "[y/N]" in said) == (1, True, False), said
            code, said = models.typed("y\nn\n", "remove", "tiny:bf16")
            assert (code, "answers others with tiny. Stop that and delete it?" in said) == (1, True), said
            assert variant.exists()
            code, said = models.typed("y\ny\n", "remove", "tiny:bf16")  # sure, and stop that
            assert (code, "became free" in said) == (0, True), said
        else:
            assert models("remove", "tiny:bf16", "--yes", "--stop")[0] == 0
        assert (variant.exists(), (place / "model.onnx").exists()) == (False, True)
        assert models.use() == "contributed"  # with the variant that is left
        code, said = models("remove", "tiny", "--yes", "--stop")
        assert (code, "became free" in said) == (0, True), said
        assert not place.exists()
