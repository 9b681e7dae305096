"""The command line as a user meets it: help, wrong usage, errors, exit codes, and how little it loads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine import __version__
from engine.cli import main
from engine.config import Configuration
from engine.demo.run import Options
from engine.errors import StorageError
from engine.verification.receipt_file import export_receipt
from tests.support.receipts import NETWORK, part

COMMANDS = [
    [],
    ["app"],
    ["node"],
    ["bootstrap"],
    ["chat"],
    ["demo"],
    ["bench"],
    ["bench", "inference"],
    ["bench", "sida"],
    ["bench", "overlay"],
    ["bench", "paths"],
    ["bench", "directory"],
    ["identity"],
    ["identity", "show"],
    ["identity", "replace"],
    ["identity", "revoke"],
    ["simulate"],
    ["simulate", "anonymity"],
    ["simulate", "self-organisation"],
    ["models"],
    ["models", "list"],
    ["models", "search"],
    ["models", "fit"],
    ["models", "download"],
    ["models", "import"],
    ["models", "remove"],
    ["models", "verify"],
    ["receipt"],
    ["receipt", "report"],
    ["receipt", "verify"],
]


def run(*arguments: object) -> int | str | None:
    """The exit code of ``gentorrent ARGUMENTS``."""
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return caught.value.code or 0


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command, capsys):
    for option in ("--help", "-h"):
        assert run(*command, option) == 0
        assert "Usage: gentorrent" in capsys.readouterr().out


def test_version(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out == f"gentorrent {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["--fly"],
        ["node", "--fly"],
        ["node", "surplus"],
        ["node", "--api-port", "many"],
        ["node", "--api-port", "70000"],
        ["node", "--max-tokens-per-second", "0"],
        ["node", "--bootstrap", "nowhere"],
        ["node", "--join", "nonsense"],
        ["node", "--log-level", "loud"],
        ["bootstrap", "--port", "x"],
        ["bootstrap", "--name", "without init"],
        ["bootstrap", "--paths", "4"],
        ["bootstrap", "--hops", "1"],
        ["bootstrap", "--init", "--paths", "2", "--needed", "3"],
        ["bootstrap", "--init", "--name", "x" * 101],
        ["chat", "--route", "moon"],
        ["chat", "--json"],
        ["chat", "--temperature", "hot"],
        ["chat", "--api", "nowhere", "--token", "x", "-q", "Hi"],
        ["chat", "--api", "http://127.0.0.1:1", "-q", "Hi"],
        ["chat", "--api", "http://[::1", "--token", "x", "-q", "Hi"],
        ["chat", "--api", "http://127.0.0.1:1", "--token", "line\nbreak", "-q", "Hi"],
        ["node", "--data", "~no-such-user-here/data"],
        ["node", "--data", "x" * 300],
        ["bootstrap", "--data", "~no-such-user-here/data"],
        ["demo", "--api-port", "-1"],
        ["demo", "--question", " "],
        ["models", "fly"],
        ["models", "download"],
        ["models", "fit", "--context", "0"],
        ["models", "search", "--limit", "1000"],
        ["receipt", "verify"],
        ["receipt", "report"],
        ["receipt", "verify", "file", "--network", "short"],
    ],
    ids=lambda arguments: " ".join(arguments)[:80],
)
def test_bad_usage_is_2_and_says_why(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GENTORRENT_BOOTSTRAP_DATA", str(tmp_path / "server"))
    assert run(*arguments) == 2
    assert capsys.readouterr().err.strip()
    assert list(tmp_path.iterdir()) == []  # nothing was begun


@pytest.mark.parametrize("arguments", [[], ["models"], ["receipt"]], ids=["none", "models", "receipt"])
def test_no_command_shows_the_help(arguments, capsys):
    assert run(*arguments) == 2
    said = capsys.readouterr()
    assert "Usage: gentorrent" in said.out + said.err


def test_wrong_environment_is_bad_usage(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("GENTORRENT_API_PORT", "many")
    assert run("node", "--data", tmp_path) == 2
    assert "GENTORRENT_API_PORT" in capsys.readouterr().err


def test_errors_are_one_message_without_a_traceback(monkeypatch, capsys, tmp_path):
    def fail(*_: object, **__: object) -> int:
        raise StorageError("The disk is full. Nothing was written. Free some space.")

    monkeypatch.setattr("engine.node.node.run_node", fail)
    assert run("node", "--data", tmp_path) == 1
    assert capsys.readouterr().err == "gentorrent: The disk is full. Nothing was written. Free some space.\n"


def test_ctrl_c_is_130(monkeypatch, tmp_path):
    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.demo.run.run_demo", interrupt)
    assert run("demo") == 130


def test_node_gets_its_options(monkeypatch, tmp_path):
    seen = []

    def node(configuration: Configuration, **_: object) -> int:
        seen.append(configuration)
        return 0

    monkeypatch.setattr("engine.node.node.run_node", node)
    network = "cd" * 32
    arguments = ["--bootstrap", f"http://127.0.0.1:5#{network}", "--api-port", 0, "--contribute", "gentorrent-builtin"]
    assert run("node", *arguments, "--data", tmp_path, "--no-relay", "--max-tokens-per-second", 7) == 0
    (configuration,) = seen
    assert configuration.network_id == bytes.fromhex(network)
    assert (configuration.api_port, configuration.contribute, configuration.relay) == (0, "gentorrent-builtin", False)
    assert (configuration.max_tokens_per_second, configuration.data_directory) == (7.0, tmp_path)


@pytest.mark.parametrize("option", ["--join", "--bootstrap"])
@pytest.mark.parametrize("nothing", ["", " "])
def test_an_invitation_that_is_empty_is_not_overlooked(monkeypatch, capsys, tmp_path, option, nothing):
    monkeypatch.setattr("engine.node.node.run_node", lambda *_, **__: pytest.fail("it has started"))
    assert run("node", option, nothing, "--data", tmp_path) == 2
    assert f"{option} was given nothing. Give it the " in capsys.readouterr().err


def test_a_library_that_checks_signatures_by_another_rule_ends_an_engine_in_words(tmp_path):
    code = (
        "import nacl.bindings\n"
        "nacl.bindings.crypto_sign_open = lambda signed, key: signed\n"
        "from engine.cli import main\n"
        f"main(['node', '--data', {str(tmp_path)!r}])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("gentorrent: The libsodium that is installed here")


def test_demo_gets_its_options(monkeypatch):
    seen: list[Options] = []

    def demo(options: Options) -> int:
        seen.append(options)
        return 0

    monkeypatch.setattr("engine.demo.run.run_demo", demo)
    assert run("demo", "--question", "Why?", "--json", "--keep-running", "--api-port", 5, "--cheat", "quantised") == 0
    assert seen == [Options("Why?", json_output=True, keep_running=True, api_port=5, cheat="quantised")]


def test_exit_codes_of_node_and_demo_are_passed_on(monkeypatch, tmp_path):
    monkeypatch.setattr("engine.node.node.run_node", lambda configuration, **_: 1)
    assert run("node", "--data", tmp_path) == 1
    monkeypatch.setattr("engine.demo.run.run_demo", lambda options: 1)
    assert run("demo") == 1


def test_bootstrap_init_and_again(capsys, tmp_path):
    assert run("bootstrap", "--init", "--name", "Ours", "--data", tmp_path, "--one-machine", "--port", 77) == 0
    said = capsys.readouterr().out
    network_id = said.split("Made network ")[1].split()[0]
    assert f"gentorrent node --bootstrap http://127.0.0.1:77#{network_id}" in said
    assert run("bootstrap", "--init", "--data", tmp_path) == 0
    assert network_id in capsys.readouterr().out


def test_bootstrap_init_again_says_what_the_network_is_not_what_was_asked_for(capsys, tmp_path):
    for name, options, again in (("open", [], ["--invited-only"]), ("private", ["--invited-only"], [])):
        assert run("bootstrap", "--init", "--data", tmp_path / name, *options) == 0
        first = capsys.readouterr().out.splitlines()
        assert run("bootstrap", "--init", "--data", tmp_path / name, *again) == 0
        assert capsys.readouterr().out.splitlines()[1:] == first[1:]


def test_bootstrap_without_init_says_so(capsys, tmp_path):
    assert run("bootstrap", "--data", tmp_path) == 2
    assert "--init" in capsys.readouterr().err


def test_receipt_that_does_not_hold(capsys, tmp_path):
    file = tmp_path / "receipt.json"
    assert run("receipt", "verify", file) == 1
    assert "cannot be read" in capsys.readouterr().err
    file.write_text('{"format": "other"}')
    assert run("receipt", "verify", file, "--json") == 1
    said = json.loads(capsys.readouterr().out)
    assert said["verified"] is False
    assert said["error"]


def test_receipt_that_is_dated_in_the_future(capsys, tmp_path):
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(export_receipt(NETWORK, [part(issued=4_102_444_800)])))
    assert run("receipt", "verify", file) == 1
    said = capsys.readouterr()
    assert "2100-01-01 00:00:00 UTC, lies in the future" in said.err
    assert "holds" not in said.out
    file.write_text(json.dumps(export_receipt(NETWORK, [part()])))
    assert run("receipt", "verify", file) == 0


def test_app_starts_the_window_in_a_process_of_its_own(monkeypatch, tmp_path):
    seen = []

    class Window:
        """Ends with code 5, after one Ctrl-C that it has to be waited for."""

        def __init__(self, command: list[str], env: dict[str, str]) -> None:
            seen.append((command, env))
            self.interrupted = False

        def wait(self) -> int:
            if not self.interrupted:
                self.interrupted = True
                raise KeyboardInterrupt
            return 5

    monkeypatch.setattr("subprocess.Popen", Window)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    assert run("app", "--data", tmp_path, "--something", "else") == 5
    ((command, environment),) = seen
    assert command == [sys.executable, "-m", "app", "--something", "else"]
    assert environment["GENTORRENT_DATA"] == str(tmp_path)


def test_app_without_qt_says_so(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert run("app") == 1
    assert "make setup" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["node", "--help"], ["chat", "--help"]], ids=" ".join)
def test_help_loads_nothing_heavy(arguments):
    code = (
        "import sys\nfrom engine.cli import main\n"
        f"try: main({arguments!r})\nexcept SystemExit: pass\n"
        "heavy = {'PySide6', 'aiohttp', 'aiortc', 'onnxruntime', 'transformers', 'sqlalchemy', 'numpy', 'asyncio',\n"
        "         'cryptography', 'app'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=120, check=True
    )
    assert "LOADED []" in done.stdout
