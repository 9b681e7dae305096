"""Set-up on a bare machine: the stamp, the choice of Python, and pip where there is none."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools import pip_bootstrap, setup

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A pretended checkout with locks, a project file and a finished, unstamped environment."""
    (tmp_path / "requirements").mkdir()
    for level in setup.LEVELS:
        (tmp_path / "requirements" / f"{level}.lock").write_text(f"{level}\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(setup, "PYTHON", python)
    monkeypatch.setattr(setup, "STAMP", tmp_path / ".venv" / "stamp.json")
    monkeypatch.setattr(setup, "UNFINISHED", tmp_path / ".venv" / "unfinished")
    monkeypatch.setattr(setup, "environment_works", lambda: True)
    return tmp_path


def test_a_finished_level_is_stamped_with_those_below_it(checkout, monkeypatch, capsys):
    commands = []
    monkeypatch.setattr(setup, "pip", lambda *arguments, advice: commands.append(arguments))
    setup.set_up("app")
    assert setup.is_ready("engine")
    assert setup.is_ready("app")
    assert not setup.is_ready("dev")
    assert any("--require-hashes" in command for command in commands)


def test_an_interrupted_set_up_leaves_no_stamp(checkout, monkeypatch, capsys):
    def interrupted(*arguments: str, advice: str) -> None:
        if "--editable" in arguments:
            raise KeyboardInterrupt

    monkeypatch.setattr(setup, "pip", interrupted)
    monkeypatch.setattr(sys, "argv", ["setup.py", "engine"])
    assert setup.main() == 130
    assert not setup.is_ready("engine")


def test_what_an_interruption_left_is_installed_again_and_only_then(checkout, monkeypatch, capsys):
    commands = []

    def cut_off(*arguments: str, advice: str) -> None:
        commands.append(arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(setup, "pip", cut_off)
    with pytest.raises(KeyboardInterrupt):
        setup.set_up("engine")
    monkeypatch.setattr(setup, "pip", lambda *arguments, advice: commands.append(arguments))
    setup.set_up("engine")
    (checkout / "pyproject.toml").write_text("changed\n")
    setup.set_up("engine")
    installs = ["--force-reinstall" in command for command in commands if "--requirement" in command]
    assert installs == [False, True, False]


def test_a_pip_that_failed_by_itself_needs_no_reinstallation(checkout, monkeypatch, capsys):
    monkeypatch.setattr(setup, "PYTHON", Path("/bin/false"))
    with pytest.raises(setup.SetupError):
        setup.set_up("engine")
    assert not setup.UNFINISHED.exists()


@pytest.mark.parametrize(
    ("changed", "still_ready"),
    [("pyproject.toml", []), ("requirements/engine.lock", []), ("requirements/dev.lock", ["engine", "app"])],
)
def test_a_changed_lock_or_project_file_is_noticed(checkout, monkeypatch, capsys, changed, still_ready):
    monkeypatch.setattr(setup, "pip", lambda *arguments, advice: None)
    setup.set_up("dev")
    (checkout / changed).write_text("something else\n")
    assert [level for level in setup.LEVELS if setup.is_ready(level)] == still_ready


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"engine": 7}'])
def test_a_damaged_stamp_counts_as_none(checkout, damage):
    setup.STAMP.write_text(damage)
    assert not setup.is_ready("engine")


def test_a_failed_pip_is_told_with_advice_and_without_a_traceback(checkout, monkeypatch, capsys):
    monkeypatch.setattr(setup, "PYTHON", Path("/bin/false"))
    monkeypatch.setattr(sys, "argv", ["setup.py", "app"])
    assert setup.main() == 1
    told = capsys.readouterr().err
    assert "PIP_INDEX_URL" in told
    assert "make demo" in told


def test_no_fitting_python_is_told_with_what_to_do():
    result = subprocess.run(
        ["sh", "tools/find_python.sh"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHON": "/bin/false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stdout == ""
    assert "3.11" in result.stderr
    assert "PYTHON=" in result.stderr


def test_a_named_python_is_taken():
    environment = {"PATH": os.environ["PATH"], "PYTHON": sys.executable}
    command = ["sh", "tools/find_python.sh"]
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == sys.executable


# ------------------------------------------------------------------------------------------- a Python without pip


@pytest.fixture
def index(tmp_path):
    """A package index in a folder that offers a pip 99.0; the pip in it only leaves a mark. Gives (settings, lock)."""
    folder = tmp_path / "index" / "pip"
    folder.mkdir(parents=True)
    wheel = folder / "pip-99.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        mark = tmp_path / "mark.json"
        archive.writestr("pip/__main__.py", f"import json, sys\njson.dump(sys.argv[1:], open({str(mark)!r}, 'w'))\n")
    (folder / "index.html").write_text(
        '<a href="pip-98.0-py3-none-any.whl">98</a><a href="pip-99.0-py3-none-any.whl">99</a>'
    )
    lock = tmp_path / "engine.lock"
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock.write_text(f"other==1 \\\n    --hash=sha256:{'0' * 64}\npip==99.0 \\\n    --hash=sha256:{digest}\n")
    return {"index-url": (tmp_path / "index").as_uri()}, lock


def test_the_pinned_pip_is_fetched_checked_and_installs_itself(index, tmp_path, monkeypatch):
    settings, lock = index
    monkeypatch.setattr(pip_bootstrap, "machine_pip", lambda *_: False)
    monkeypatch.setattr(pip_bootstrap, "pip_settings", lambda _: settings)
    pip_bootstrap.install_pip(Path(sys.executable), lock)
    arguments = json.loads((tmp_path / "mark.json").read_text())
    assert arguments[0] == "install"
    assert arguments[-1].endswith("pip-99.0-py3-none-any.whl")


def test_a_pip_that_is_not_the_one_in_the_lock_is_never_run(index, tmp_path, monkeypatch):
    settings, lock = index
    lock.write_text(f"pip==99.0 \\\n    --hash=sha256:{'1' * 64}\n")
    monkeypatch.setattr(pip_bootstrap, "machine_pip", lambda *_: False)
    monkeypatch.setattr(pip_bootstrap, "pip_settings", lambda _: settings)
    with pytest.raises(pip_bootstrap.PipBootstrapError, match="SHA-256"):
        pip_bootstrap.install_pip(Path(sys.executable), lock)
    assert not (tmp_path / "mark.json").exists()


def test_find_links_serve_where_no_index_is_allowed(index, tmp_path):
    settings, lock = index
    name = "pip-99.0-py3-none-any.whl"
    _, hashes = pip_bootstrap.pinned_pip(lock)
    offline = {"no-index": "1", "find-links": str(tmp_path / "index" / "pip")}
    assert pip_bootstrap.fetch_wheel(name, hashes, offline) == pip_bootstrap.fetch_wheel(name, hashes, settings)
    with pytest.raises(pip_bootstrap.PipBootstrapError, match="python3-venv"):
        pip_bootstrap.fetch_wheel(name, hashes, {"no-index": "true"})


def test_without_any_index_the_systems_package_is_named(index):
    _, lock = index
    _, hashes = pip_bootstrap.pinned_pip(lock)
    with pytest.raises(pip_bootstrap.PipBootstrapError, match=r"no package index is configured(.|\n)*python3-venv"):
        pip_bootstrap.fetch_wheel("pip-99.0-py3-none-any.whl", hashes, {})


def test_an_unreachable_index_is_named_without_its_password(index):
    _, lock = index
    _, hashes = pip_bootstrap.pinned_pip(lock)
    with pytest.raises(pip_bootstrap.PipBootstrapError) as caught:
        pip_bootstrap.fetch_wheel(
            "pip-99.0-py3-none-any.whl", hashes, {"index-url": "http://me:secret@127.0.0.1:1/simple"}
        )
    assert "127.0.0.1:1/simple" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_links_are_read_from_both_forms_of_the_simple_api():
    html_page = b'<html><a data-x="1" href="../../files/pip-99.0-py3-none-any.whl#sha256=00">pip</a></html>'
    json_page = json.dumps({"files": [{"url": "https://files.test/pip-99.0-py3-none-any.whl"}, {"no": "url"}]}).encode()
    page = "https://index.test/simple/pip/"
    assert pip_bootstrap.page_links(html_page, page) == ["https://index.test/files/pip-99.0-py3-none-any.whl#sha256=00"]
    assert pip_bootstrap.page_links(json_page, page) == ["https://files.test/pip-99.0-py3-none-any.whl"]


def test_pip_is_configured_by_file_and_environment_in_pips_own_order(tmp_path):
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = https://one.test/simple\ncert = /ca.pem\n[install]\nfind-links = /a\n /b\n")
    environment = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(file), "PIP_INDEX_URL": "https://two.test/simple"}
    settings = pip_bootstrap.pip_settings(environment)
    assert settings["index-url"] == "https://two.test/simple"
    assert settings["cert"] == "/ca.pem"
    assert settings["find-links"].split() == ["/a", "/b"]


def test_devnull_as_configuration_file_means_none():
    assert pip_bootstrap.pip_settings({"PIP_CONFIG_FILE": os.devnull}) == {}


def test_a_lock_without_pip_is_refused(tmp_path):
    lock = tmp_path / "engine.lock"
    lock.write_text("other==1 \\\n    --hash=sha256:00\n")
    with pytest.raises(pip_bootstrap.PipBootstrapError):
        pip_bootstrap.pinned_pip(lock)


def test_the_real_lock_names_a_pip():
    version, hashes = pip_bootstrap.pinned_pip(ROOT / "requirements" / "engine.lock")
    assert version[0].isdigit()
    assert hashes
