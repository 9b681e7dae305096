from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import MAX_FILE, load_configuration
from engine.errors import ConfigurationError
from engine.transport.bootstrap_state import parse_bootstrap

NETWORK = "ab" * 32


def load(data: Path, environment: dict[str, str] | None = None, **options):
    return load_configuration({"data_directory": data, **options}, environment or {})


def test_defaults(tmp_path):
    configuration = load(tmp_path)
    assert configuration.data_directory == tmp_path
    assert (configuration.api_port, configuration.relay, configuration.contribute) == (8765, True, "")
    assert configuration.bootstrap_url == ""
    assert configuration.network_id is None


def test_options_beat_environment_beats_file(tmp_path):
    (tmp_path / "config.toml").write_text('api_port = 1\nlog_level = "debug"\nrelay = false\nthreads = 3\n')
    environment = {"GENTORRENT_API_PORT": "2", "GENTORRENT_LOG_LEVEL": "warning", "GENTORRENT_THREADS": ""}
    configuration = load(tmp_path, environment, api_port=3, relay=None)
    assert configuration.api_port == 3
    assert configuration.log_level == "warning"
    assert configuration.relay is False
    assert configuration.threads == 3


def test_several_servers_of_one_network(tmp_path):
    one = {"GENTORRENT_BOOTSTRAP": f"https://one.example, http://two.example:8900/#{NETWORK}"}
    configuration = load(tmp_path, one)
    assert configuration.bootstrap_url == "https://one.example"
    assert configuration.bootstrap_others == ("http://two.example:8900",)
    assert configuration.network_id == bytes.fromhex(NETWORK)
    address = parse_bootstrap(configuration.bootstrap)
    assert address.urls == ("https://one.example", "http://two.example:8900")
    assert address.network_id == configuration.network_id
    with pytest.raises(ConfigurationError, match="different networks"):
        parse_bootstrap(f"http://one#{NETWORK},http://two#{'cd' * 32}")


def test_bootstrap_with_network_id(tmp_path):
    configuration = load(tmp_path, bootstrap=f"https://net.example:1234/#{NETWORK}")
    assert configuration.bootstrap_url == "https://net.example:1234"
    assert configuration.network_id == bytes.fromhex(NETWORK)


def test_environment_of_every_kind(tmp_path):
    environment = {
        "GENTORRENT_BOOTSTRAP": f"http://127.0.0.1:1#{NETWORK}",
        "GENTORRENT_RELAY": "false",
        "GENTORRENT_MAX_TOKENS_PER_SECOND": "12.5",
        "GENTORRENT_API_ALLOWED_ORIGINS": "http://localhost:3000, http://127.0.0.1:80",
        "GENTORRENT_CONTRIBUTE": "gentorrent-builtin",
        "GENTORRENT_SOMETHING_ELSE": "ignored",
    }
    configuration = load(tmp_path, environment)
    assert configuration.relay is False
    assert configuration.max_tokens_per_second == 12.5
    assert configuration.api_allowed_origins == ("http://localhost:3000", "http://127.0.0.1:80")
    assert configuration.contribute == "gentorrent-builtin"


def test_data_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_configuration({}, {"GENTORRENT_DATA": "here"}).data_directory == tmp_path / "here"
    assert load_configuration({"data_directory": "there"}, {"GENTORRENT_DATA": "here"}).data_directory == (
        tmp_path / "there"
    )
    assert load_configuration({}, {}).data_directory.is_absolute()
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="is a file"):
        load(tmp_path / "file")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"api_port": -1}, "--api-port"),
        ({"api_port": 65536}, "--api-port"),
        ({"api_port": True}, "--api-port"),
        ({"max_tokens_per_second": 0}, "--max-tokens-per-second .*a number above 0"),
        ({"max_tokens_per_second": float("nan")}, "--max-tokens-per-second"),
        ({"log_level": "loud"}, "--log-level .*one of debug, info, warning, error"),
        ({"contribute": "../model"}, "--contribute"),
        ({"contribute": "a model"}, "--contribute"),
        ({"api_allowed_origins": ["*"]}, "--api-allowed-origins"),
        ({"nonsense": 1}, "--nonsense"),
        ({"bootstrap": "net.example:1234"}, "HOST:PORT"),
        ({"bootstrap": "ftp://net.example"}, "HOST:PORT"),
        ({"bootstrap": "http://"}, "HOST:PORT"),
        ({"bootstrap": "http://two words"}, "HOST:PORT"),
        ({"bootstrap": "http://host\u202e"}, "HOST:PORT"),
        ({"bootstrap": "http://host:99999"}, "HOST:PORT"),
        ({"bootstrap": "http://user:pass@host"}, "password"),
        ({"bootstrap": "http://host#abc"}, "64 digits"),
        ({"bootstrap": f"http://host#{NETWORK.upper()}"}, "64 digits"),
        ({"bootstrap": "http://host#"}, "64 digits"),
        ({"bootstrap": "http://host,nowhere"}, "HOST:PORT"),
        ({"bootstrap": f"http://one#{NETWORK},http://two#{'cd' * 32}"}, "different networks"),
        ({"bootstrap": ",".join(f"http://host{number}" for number in range(17))}, "at most 16"),
    ],
)
def test_wrong_options(tmp_path, options, said):
    with pytest.raises(ConfigurationError, match=said):
        load(tmp_path, **options)


def test_wrong_environment_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"GENTORRENT_API_PORT.*'many'"):
        load(tmp_path, {"GENTORRENT_API_PORT": "many"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("api_prot = 5", 'unknown setting "api_prot".*"api_port"'),
        ("zzz = 5", "Known settings"),
        ('api_port = "5"', "api_port in "),
        ("api_port = ", "not valid TOML"),
        ("data_directory = '/x'", "unknown setting"),
        ("x" * (MAX_FILE + 1), "larger than"),
    ],
)
def test_wrong_file(tmp_path, text, said):
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        load(tmp_path)


def test_file_that_is_no_text(tmp_path):
    (tmp_path / "config.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="not valid TOML"):
        load(tmp_path)


def test_file_that_cannot_be_read(tmp_path):
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load(tmp_path)


@given(st.text(max_size=80))
def test_any_bootstrap_text_is_taken_or_refused(text):
    try:
        configuration = load_configuration({"data_directory": "/tmp/absent", "bootstrap": text}, {})
    except ConfigurationError:
        return
    assert configuration.bootstrap_url.startswith(("http://", "https://")) or not text


def test_hiding_an_address_and_publishing_it_contradict_each_other(tmp_path):
    assert load(tmp_path, relayed_only=True).relayed_only
    with pytest.raises(ConfigurationError, match="contradict"):
        load(tmp_path, relayed_only=True, signaling_address="203.0.113.9:4000")
    with pytest.raises(ConfigurationError, match="for relays"):
        load(tmp_path, relay=False, signaling_address="203.0.113.9:4000")
    assert load(tmp_path, signaling_address="203.0.113.9:4000").signaling_address
