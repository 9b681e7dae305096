"""`resource_path` in a checkout, in an installed wheel and in a frozen bundle."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from engine import resources
from engine.errors import ResourceMissingError

ROOT = Path(__file__).resolve().parents[2]
HELP = "engine/help/topics.toml"


def test_the_checkout_comes_first():
    assert resources.resource_path(HELP) == ROOT / "resources" / HELP


def test_a_folder_is_a_resource_too():
    assert resources.resource_path("engine/help").is_dir()


@pytest.mark.parametrize(
    "name", ["", "engine", "engine/", "help/topics.toml", "engine/../x", "/etc/passwd", "engine//x", "app\\x"]
)
def test_a_name_that_leads_elsewhere_is_refused(name):
    with pytest.raises(ValueError, match="named engine"):
        resources.resource_path(name)


def test_a_missing_resource_is_told_with_what_to_do():
    with pytest.raises(ResourceMissingError, match=r"engine/nothing.bin.*Install GenTorrent again"):
        resources.resource_path("engine/nothing.bin")


def test_a_frozen_bundle_brings_the_layout_of_the_wheel(tmp_path, monkeypatch):
    target = tmp_path / "engine" / "resources" / "help"
    target.mkdir(parents=True)
    (target / "topics.toml").touch()
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "elsewhere" / "engine")
    with pytest.raises(ResourceMissingError):
        resources.resource_path(HELP)
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert resources.resource_path(HELP) == target / "topics.toml"


def test_a_wheel_carries_both_packages_and_their_resources(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=180)
    (wheel,) = tmp_path.glob("gentorrent-*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(site)
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"app", "engine"}
    metadata = (next(site.glob("*.dist-info")) / "METADATA").read_text(encoding="utf-8")
    assert "Classifier: Private :: Do Not Upload" in metadata
    program = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        f"import app\nfrom engine.resources import resource_path\nprint(resource_path({HELP!r}))"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert Path(ran.stdout.strip()) == site / "engine" / "resources" / "help" / "topics.toml"
