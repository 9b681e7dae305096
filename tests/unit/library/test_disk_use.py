"""What models take of the disk, per model, and what unfinished downloads have left."""

import json

import pytest
from typer.testing import CliRunner

from engine.commands.models import commands
from engine.library.disk_use import ModelUse, disk_use
from engine.library.folders import ModelsFolder


@pytest.fixture
def models(tmp_path):
    return ModelsFolder(tmp_path / "models")


def fill(folder, count):
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"x" * count)
    return folder


def test_nothing_is_there_and_nothing_is_made(models):
    use = disk_use(models)
    assert (use.models, use.total) == ((), 0)
    assert not models.path.exists()


def test_each_model_links_and_what_is_unfinished(models, tmp_path):
    fill(models.place("small"), 10)
    fill(models.place("large"), 100)
    fill(models.staging("small", "cpu/int4"), 500)
    fill(models.staging("coming", "a"), 7)
    fill(models.staging("coming", "b"), 8)
    models.place("link").symlink_to(fill(tmp_path / "elsewhere", 10_000), target_is_directory=True)
    (models.path / ".incomplete" / "no+folder").write_bytes(b"x")
    use = disk_use(models)
    assert use.models == (
        ModelUse("small", 10, 500),
        ModelUse("large", 100),
        ModelUse("coming", 0, 15),
        ModelUse("link", linked=True),
    )
    assert use.total == 625
    models.abandon("small")
    assert disk_use(models).total == 125


def test_the_command_says_the_same(models, tmp_path):
    fill(models.place("large"), 2_000_000)
    fill(models.staging("coming", "a"), 3_000)
    told = json.loads(CliRunner().invoke(commands, ["disk", "--json", "--data", str(tmp_path)]).stdout)
    assert [(one["name"], one["files"], one["unfinished"]) for one in told["models"]] == [
        ("large", 2_000_000, 0),
        ("coming", 0, 3_000),
    ]
    assert told["total"] == 2_003_000
    words = CliRunner().invoke(commands, ["disk", "--data", str(tmp_path)]).stdout
    assert "unfinished: 3 kB" in words
    assert "Together 2 MB" in words
